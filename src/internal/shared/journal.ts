/** What a transaction has changed, as the operations of a record. */
import { layersOf, type Rule } from "../features/layers.ts"
import { type Contents, current } from "../store/contents.ts"
import type { Entry, Origin } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import type { Fold } from "./fold.ts"
import { find, type Mirror } from "./mirror.ts"
import type { Op, State } from "./record.ts"

/** The operations of a change, and what to remember when they are in. */
export interface Journal<Item> {
  readonly ops: ReadonlyArray<Op>
  /** New entries, by their ids, and those that have another item. */
  readonly entries: ReadonlyArray<readonly [id: string, registration: number]>
  readonly removed: ReadonlyArray<string>
  readonly rules: ReadonlyArray<readonly [id: string, Rule]>
  /** The same change, as one that can be made to other contents; nothing where it is not that simple. */
  readonly simple: Simple<Item> | undefined
}

/** Entries that left, have another item, or came after all others: what is visible, without consequences for anything else. */
export interface Simple<Item> {
  readonly removed: ReadonlyArray<Entry<Item>>
  readonly replaced: ReadonlyArray<readonly [before: Entry<Item>, after: Entry<Item>]>
  readonly inserted: ReadonlyArray<Entry<Item>>
}

interface Options {
  /** Whether all was taken out before. */
  readonly reset: boolean
  /** The session that entries of scopes of this process are of. */
  readonly session: string
  /** The sessions whose end implies that what they hold goes. */
  readonly ending: ReadonlySet<string>
  readonly fold: Fold
  /** The id of what comes with the operation at an index. */
  readonly idAt: (index: number) => string
  /** The index of the first operation. */
  readonly first: number
}

/** What a draft changes in the contents that it was made of, as operations. */
export const journal = <Item>(
  mirror: Mirror<Item>,
  base: Contents<Item>,
  draft: Contents<Item>,
  { ending, first, fold, idAt, reset, session }: Options
): Journal<Item> => {
  const ops: Array<Op> = []
  const entries: Array<readonly [string, number]> = []
  const removed: Array<string> = []
  const rules: Array<readonly [string, Rule]> = []
  const simple = {
    removed: [] as Array<Entry<Item>>,
    replaced: [] as Array<readonly [Entry<Item>, Entry<Item>]>,
    inserted: [] as Array<Entry<Item>>
  }
  let isSimple = !reset
  const registrations = new Set<number>()
  const ends = [base.order, base.withheld?.order, base.waiting].map((one) =>
    Order.at(one, Order.size(one) - 1)?.position
  )
  const end = Math.max(-Infinity, ...ends.filter((position) => position !== undefined))
  const touch = (before: Order.Order<Entry<Item>>, after: Order.Order<Entry<Item>>) => {
    for (const side of Order.difference(before, after)) {
      for (const { registration } of side) registrations.add(registration)
    }
  }
  if (reset) {
    for (const one of [draft.order, draft.withheld?.order, draft.waiting]) touch(undefined, one)
    for (const [id, { session: own }] of fold.entries) {
      const registration = mirror.registrationOf(id)
      if (own !== undefined && registration !== undefined) registrations.add(registration)
    }
    ops.push(["reset"])
  } else {
    touch(base.order, draft.order)
    touch(base.withheld?.order, draft.withheld?.order)
    touch(base.waiting, draft.waiting)
  }
  const sessionOf = ({ origin: { scope } }: Entry<Item>, id: string | undefined): string | undefined => {
    if (scope === undefined) return undefined
    const own = id === undefined ? undefined : fold.entries.get(id)?.session
    const before = id === undefined ? undefined : current(base, mirror.registrationOf(id)!)
    return own !== undefined && before?.origin.scope === scope ? own : session
  }
  const attributesOf = (entry: Entry<Item>, state: State, id?: string) => {
    const { onTop, owner, population, updated } = entry.origin
    const own = sessionOf(entry, id)
    return {
      ...(owner === "" ? undefined : { owner }),
      ...(own === undefined ? undefined : { session: own }),
      ...(onTop ? { top: true } as const : undefined),
      ...(population === undefined ? undefined : { population: true } as const),
      ...(state === "visible" ? undefined : { state }),
      ...(updated === undefined || updated.by === "" ? undefined : { by: updated.by })
    }
  }
  for (const registration of Array.from(registrations).toSorted((one, other) => one - other)) {
    const id = mirror.idOf(registration)
    const after = find(draft, registration)
    if (id === undefined) {
      if (after === undefined) continue
      const { entry, state } = after
      if (state !== "visible" || entry.origin.onTop || entry.position < end) isSimple = false
      entries.push([idAt(first + ops.length), registration])
      ops.push(["insert", entry.position, mirror.codec.encode(entry.item), attributesOf(entry, state)])
      simple.inserted.push(entry)
      continue
    }
    const held = fold.entries.get(id)
    if (held === undefined) continue
    const before = find(base, registration)
    // after a reset, what a session holds waits, and all else is gone
    const state = reset ? held.session === undefined ? undefined : "waiting" : before?.state
    if (state === undefined) {
      if (after !== undefined) throw new Error("an entry that a reset took out is in again")
      continue
    }
    if (after === undefined) {
      removed.push(id)
      if (held.session === undefined || !ending.has(held.session)) ops.push(["remove", id])
      if (before?.state !== "visible" || before.entry.origin.onTop) isSimple = false
      else simple.removed.push(before.entry)
      continue
    }
    const { entry } = after
    const was = before?.entry
    if (was !== undefined && (was.item !== entry.item || isOther(was.origin, entry.origin))) {
      entries.push([id, registration])
      ops.push(["set", id, mirror.codec.encode(entry.item), attributesOf(entry, after.state, id)])
      if (was.position !== entry.position) ops.push(["put", id, entry.position, after.state])
      if (state !== "visible" || after.state !== "visible" || was.position !== entry.position || entry.origin.onTop) {
        isSimple = false
      } else simple.replaced.push([was, entry])
    } else if (state !== after.state || was?.position !== entry.position) {
      ops.push(["put", id, entry.position, after.state])
      isSimple = false
    }
  }
  const [ruled, now] = [layersOf(base)?.rules ?? [], layersOf(draft)?.rules ?? []]
  for (const rule of now) {
    if (ruled.includes(rule)) continue
    isSimple = false
    rules.push([idAt(first + ops.length), rule])
    ops.push(["rule", rule.attribute, rule.value, rule.reason, rule.by, rule.scope === undefined ? "" : session])
  }
  for (const rule of ruled) {
    const id = mirror.idOfRule(rule)
    if (now.includes(rule) || id === undefined) continue
    isSimple = false
    const own = fold.rules.get(id)?.session
    if (own === undefined || !ending.has(own)) ops.push(["unrule", id])
  }
  return { ops, entries, removed, rules, simple: isSimple ? simple : undefined }
}

const isOther = (one: Origin, other: Origin): boolean =>
  one !== other && (
    one.owner !== other.owner || one.scope !== other.scope || one.updated !== other.updated ||
    one.onTop !== other.onTop || (one.population === undefined) !== (other.population === undefined)
  )
