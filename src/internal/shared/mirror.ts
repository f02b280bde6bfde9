/** The contents of a registry beside the fold over its log: which entry is which, and what a record changes in them. */
import * as HashMap from "effect/HashMap"
import * as Scope from "effect/Scope"
import type { Reason } from "../../RegistryEvent.ts"
import * as Change from "../engine/change.ts"
import { layersIn, layersOf, type Rule } from "../features/layers.ts"
import { Contents, current, holds } from "../store/contents.ts"
import { type Definition, forEachKey, type Keys, slotOf, takeKeys } from "../store/definition.ts"
import { Entry, makeFrom, Origin } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import * as Update from "../store/update.ts"
import { messageOf } from "../store/wording.ts"
import type { Fold, Folded, Held, HeldRule } from "./fold.ts"
import type { Op, State } from "./record.ts"

/** How items travel. Both throw for what they cannot handle. */
export interface Codec<Item> {
  readonly encode: (item: Item) => unknown
  readonly decode: (json: unknown) => Item
}

/** An entry of the log, in this process. */
interface Known {
  readonly registration: number
  /** The record whose item the entry has. */
  readonly changed: string
}

/** What contents are to become, by a record or by several. */
export interface Synced<Item> {
  readonly contents: Contents<Item>
  readonly steps: ReadonlyArray<Change.Step<Item>>
  /** Entries that have gone, which a scope of this process that is open had registered. */
  readonly gone: ReadonlyArray<readonly [id: string, Entry<Item>]>
  /** Forgets what was learned of entries, where the contents are given up. */
  readonly revert: () => void
}

/** One that populated in another process: its scope is there. */
const elsewhere = { scope: undefined }

export class Mirror<Item> {
  private readonly known = new Map<string, Known>()
  private readonly ids = new Map<number, string>()
  private readonly rules = new Map<string, Rule>()
  private readonly scopes = new Map<string, Scope.Scope>()
  /** The entries that this version cannot read, and why. */
  unreadable: ReadonlyMap<string, string> = new Map()
  private readonly definition: Definition<Item>
  private readonly codec: Codec<Item>

  constructor(definition: Definition<Item>, codec: Codec<Item>) {
    this.definition = definition
    this.codec = codec
  }

  idOf(registration: number): string | undefined {
    return this.ids.get(registration)
  }

  registrationOf(id: string): number | undefined {
    return this.known.get(id)?.registration
  }

  get all(): Iterable<string> {
    return this.known.keys()
  }

  /** The scope of what a session registered in another process, or what a scope here did not claim. */
  scopeOf(session: string): Scope.Scope {
    const scope = this.scopes.get(session) ?? Scope.makeUnsafe()
    this.scopes.set(session, scope)
    return scope
  }

  /** Whether a scope of this process that is open holds an entry. */
  isClaimed({ origin: { scope } }: Entry<Item>): boolean {
    return scope !== undefined && scope.state._tag !== "Closed" && !this.isElsewhere(scope)
  }

  private isElsewhere(scope: Scope.Scope): boolean {
    for (const other of this.scopes.values()) if (other === scope) return true
    return false
  }

  /** What one session held is that of another one. */
  rebind(from: string, to: string): void {
    const scope = this.scopes.get(from)
    if (scope !== undefined) this.scopes.set(to, scope)
  }

  /** Makes contents what the fold says, for entries that have changed. */
  sync(before: Contents<Item>, fold: Fold, folded: Omit<Folded, "revert">, by: string): Synced<Item> {
    return new Syncing(this, before, fold, folded, by).run()
  }

  /** Remembers an entry, and the record whose item it has. */
  know(id: string, registration: number, changed: string): void {
    this.known.set(id, { registration, changed })
    this.ids.set(registration, id)
  }

  forget(id: string): void {
    const known = this.known.get(id)
    if (known === undefined) return
    this.known.delete(id)
    this.ids.delete(known.registration)
  }

  changedBy(id: string): string | undefined {
    return this.known.get(id)?.changed
  }

  knowRule(id: string, rule: Rule): void {
    this.rules.set(id, rule)
  }

  idOfRule(rule: Rule): string | undefined {
    for (const [id, other] of this.rules) if (other === rule) return id
    return undefined
  }

  /** The rule of the log, unless this version has no such lookup: then entries say themselves that they are withheld. */
  ruleOf(id: string, { attribute, by, reason, value }: HeldRule): Rule | undefined {
    const known = this.rules.get(id)
    if (known !== undefined) return known
    const slot = slotOf(this.definition.lookups, attribute)
    if (slot === -1) return undefined
    const { normalize } = this.definition.slots[slot]!
    const rule: Rule = { attribute, value, reason, by, slot, key: normalize === undefined ? value : normalize(value) }
    this.rules.set(id, rule)
    return rule
  }

  read(held: Held): { readonly item: Item; readonly keys: Keys } | { readonly why: string } {
    try {
      const item = this.codec.decode(held.item)
      const keys = takeKeys(this.definition, item)
      const { lookups } = this.definition
      return keys.length < lookups.length
        ? { why: `it has no ${lookups[keys.length]!.attribute}` }
        : { item, keys }
    } catch (error) {
      return { why: messageOf(error) }
    }
  }

  /** What a draft changes in the contents that it was made of, as operations. New entries are registered under their ids. */
  journal(
    base: Contents<Item>,
    draft: Contents<Item>,
    options: {
      readonly reset: boolean
      /** The session that entries of scopes of this process are of. */
      readonly session: string
      readonly ending: ReadonlySet<string>
      readonly fold: Fold
      readonly idAt: (index: number) => string
      readonly first: number
    }
  ): Journal<Item> {
    return journalOf(this, this.codec, base, draft, options)
  }
}

interface Place<Item> {
  readonly entry: Entry<Item>
  readonly state: State
}

const find = <Item>(contents: Contents<Item>, registration: number | undefined): Place<Item> | undefined => {
  const entry = registration === undefined ? undefined : current(contents, registration)
  if (entry === undefined) return undefined
  const state = holds(contents, entry)
    ? "visible"
    : contents.withheld?.at(entry.position) === entry
    ? "hidden"
    : "waiting"
  return { entry, state }
}

interface Target<Item> {
  readonly id: string
  readonly before: Place<Item> | undefined
  readonly after: Place<Item> | undefined
  readonly changed: string
}

class Syncing<Item> {
  private readonly steps: Array<Change.Step<Item>> = []
  private readonly unreadable = new Map<string, string>()
  private readonly contents: Contents<Item>
  private readonly mirror: Mirror<Item>
  private readonly before: Contents<Item>
  private readonly fold: Fold
  private readonly folded: Omit<Folded, "revert">
  private readonly by: string

  constructor(mirror: Mirror<Item>, before: Contents<Item>, fold: Fold, folded: Omit<Folded, "revert">, by: string) {
    this.mirror = mirror
    this.before = before
    this.fold = fold
    this.folded = folded
    this.by = by
    this.contents = new Contents(before)
  }

  run(): Synced<Item> {
    const { before, contents, fold, folded, mirror, steps } = this
    const ids = new Set([...folded.ids, ...mirror.unreadable.keys()])
    // those that were made first come first: later ones lie above them
    const made = (id: string) => fold.entries.get(id)?.made ?? -1
    const targets = Array.from(ids).toSorted((one, other) => made(one) - made(other)).map((id) => this.targetOf(id))
    this.takeOut(targets)
    if (folded.rules) this.setRules()
    this.move(targets)
    this.swap(targets)
    this.putIn(targets)
    if (folded.reset) steps.push({ _tag: "Reset" })
    if (fold.populated && !before.populated) steps.push({ _tag: "Populated", size: contents.size })
    contents.populated = fold.populated
    contents.withheld = layersOf(contents)?.settled()
    const gone = targets.flatMap(({ after, before: was, id }) =>
      after === undefined && was !== undefined && mirror.isClaimed(was.entry) ? [[id, was.entry] as const] : []
    )
    const known = targets.map(({ id }) => [id, mirror.registrationOf(id), mirror.changedBy(id)] as const)
    const { unreadable } = mirror
    for (const { after, changed, id } of targets) {
      if (!fold.entries.has(id)) mirror.forget(id)
      else if (after !== undefined) mirror.know(id, after.entry.registration, changed)
    }
    mirror.unreadable = this.unreadable
    return {
      contents,
      steps,
      gone,
      revert: () => {
        for (const [id, registration, changed] of known) {
          mirror.forget(id)
          if (registration !== undefined) mirror.know(id, registration, changed!)
        }
        mirror.unreadable = unreadable
      }
    }
  }

  private targetOf(id: string): Target<Item> {
    const { fold, mirror } = this
    const registration = mirror.registrationOf(id)
    const before = find(this.before, registration)
    const held = fold.entries.get(id)
    if (held === undefined) return { id, before, after: undefined, changed: "" }
    const { changed, place, state } = held
    const isSame = before !== undefined && mirror.changedBy(id) === changed
    if (isSame && before.entry.position === place) return { id, before, after: { entry: before.entry, state }, changed }
    const read = isSame ? before.entry : mirror.read(held)
    if ("why" in read) {
      this.unreadable.set(id, read.why)
      return { id, before, after: undefined, changed }
    }
    makeFrom(place)
    const origin = isSame ? before.entry.origin : this.originOf(held, before?.entry)
    const entry = new Entry(read.item, read.keys, origin, { position: place, registration })
    return { id, before, after: { entry, state }, changed }
  }

  /** What a scope of this process claims stays claimed, whatever item it has by now. */
  private originOf(held: Held, before: Entry<Item> | undefined): Origin {
    const { owner, population, revision, session, top, updated } = held
    const scope = session === undefined
      ? undefined
      : before !== undefined && this.mirror.isClaimed(before)
      ? before.origin.scope
      : this.mirror.scopeOf(session)
    return new Origin(owner, revision, top, scope, updated, population ? elsewhere : undefined)
  }

  /** What goes, what is not visible any more, and what was not visible and changes. */
  private takeOut(targets: ReadonlyArray<Target<Item>>): void {
    const { before, contents, folded, steps } = this
    const leaving: Array<Entry<Item>> = []
    for (const { after, before: was } of targets) {
      if (was === undefined) continue
      const { entry, state } = was
      if (after?.entry === entry && after.state === state) continue
      if (state === "visible") {
        if (after?.state === "visible") continue
        leaving.push(entry)
      } else if (state === "hidden") contents.withheld?.drop(contents, entry)
      else contents.waiting = Order.remove(contents.waiting, entry.position)
      const stays = after !== undefined && after.state !== "waiting"
      if (entry.origin.onTop && state !== "waiting" && !stays) this.count(-1)
      if (after === undefined) contents.places = HashMap.remove(contents.places, entry.registration)
    }
    if (leaving.length === 0) return
    const ordered = leaving.toSorted((one, other) => other.position - one.position)
    const positions = Change.positionsIn(before, ordered)
    const hidden = new Set(
      targets.flatMap(({ after, before: was }) => after?.state === "hidden" && was !== undefined ? [was.entry] : [])
    )
    const ended = new Set(
      targets.flatMap(({ before: was, id }) => folded.removed.get(id) === "end" && was !== undefined ? [was.entry] : [])
    )
    const reasonOf = (entry: Entry<Item>): Reason =>
      folded.reset ? "reset" : hidden.has(entry) ? this.hiding : ended.has(entry) ? "scope" : "unregister"
    let from = 0
    ordered.forEach((entry, i) => {
      Update.unshow(contents, entry)
      const reason = reasonOf(entry)
      if (i + 1 < ordered.length && reasonOf(ordered[i + 1]!) === reason) return
      steps.push(new Change.Removed(ordered.slice(from, i + 1), positions.slice(from, i + 1), this.by, reason))
      from = i + 1
    })
  }

  private get hiding(): Reason {
    return this.folded.rules ? "switch" : "override"
  }

  private count(more: number): void {
    this.contents.withheld = layersIn(this.contents).counting(more)
  }

  private setRules(): void {
    const { contents, fold, mirror } = this
    const rules = Array.from(fold.rules).flatMap(([id, rule]) => mirror.ruleOf(id, rule) ?? [])
    contents.withheld = layersIn(contents).withRules(rules)
  }

  /** Those that stay visible, and go elsewhere: all leave before the first comes, because one may take the place of another. */
  private move(targets: ReadonlyArray<Target<Item>>): void {
    const { contents, steps } = this
    const moves = targets.flatMap(({ after, before }) =>
      after?.state === "visible" && before?.state === "visible" && after.entry.position !== before.entry.position
        ? [{ from: before.entry, to: movedTo(before.entry, after.entry) }]
        : []
    )
    if (moves.length === 0) return
    const list = Order.toArray(contents.order, ({ registration }) => registration)
    for (const { from } of moves) Update.unshow(contents, from)
    for (const { to } of moves) this.show(to)
    const final = Order.toArray(contents.order, (entry) => entry)
    let [before, after] = [moves.map(({ from }) => from), moves.map(({ to }) => to)]
    final.forEach((entry, position) => {
      if (list[position] === entry.registration) return
      const from = list.indexOf(entry.registration, position)
      list.splice(position, 0, ...list.splice(from, 1))
      steps.push(new Change.Moved(before, after, { item: entry.item, from, position }))
      before = []
      after = []
    })
    if (before.length > 0) steps.push(new Change.Moved(before, after))
  }

  /** Those that stay visible, with another item: one after the other as their keys become free. */
  private swap(targets: ReadonlyArray<Target<Item>>): void {
    const { contents, steps } = this
    let swaps = targets.flatMap(({ after, before, id }) =>
      after?.state === "visible" && before?.state === "visible" && after.entry !== before.entry &&
        before.entry.keys !== after.entry.keys
        ? [{ id, previous: movedTo(before.entry, after.entry), entry: after.entry }]
        : []
    )
    for (let before = Infinity; swaps.length < before;) {
      before = swaps.length
      swaps = swaps.filter(({ entry }) => {
        const previous = current(contents, entry.registration)
        if (previous === undefined || this.holderOf(entry, entry.registration) !== undefined) return true
        Update.unshow(contents, previous)
        this.show(entry)
        steps.push(new Change.Swapped(previous, entry, Order.rank(contents.order, entry.position)))
        return false
      })
    }
    // those that are left exchange keys
    const leaving = swaps.flatMap(({ entry }) => current(contents, entry.registration) ?? []).toSorted((one, other) =>
      other.position - one.position
    )
    if (leaving.length === 0) return
    steps.push(new Change.Removed(leaving, Change.positionsIn(contents, leaving), this.by, "unregister"))
    for (const entry of leaving) Update.unshow(contents, entry)
    for (const { entry, id } of swaps) this.insert(id, entry, "register")
  }

  private putIn(targets: ReadonlyArray<Target<Item>>): void {
    const { contents, fold } = this
    const visible: Array<Target<Item>> = []
    for (const target of targets) {
      const { after, before } = target
      if (after === undefined || before?.state === "visible" && after.state === "visible") continue
      const { entry, state } = after
      if (before?.entry === entry && before.state === state) continue
      const wasIn = before !== undefined && before.state !== "waiting"
      if (entry.origin.onTop && state !== "waiting" && !wasIn) this.count(1)
      if (state === "visible") visible.push(target)
      else if (state === "waiting") Update.wait(contents, entry)
      else {
        Update.place(contents, entry)
        contents.withheld = layersIn(contents).with(entry)
      }
    }
    const { populated } = this.before
    for (const { after, before, id } of visible.toSorted((one, other) => placeOf(one) - placeOf(other))) {
      const { entry } = after!
      const reason: Reason = before?.state === "hidden"
        ? Change.withholding(this.before, before.entry)
        : entry.origin.onTop
        ? "override"
        : fold.populated && !populated
        ? "population"
        : "register"
      this.insert(id, entry, reason)
    }
  }

  private insert(id: string, entry: Entry<Item>, reason: Reason): void {
    const { contents, steps } = this
    const holder = this.holderOf(entry, undefined)
    if (holder !== undefined) {
      this.unreadable.set(id, "another item has one of its keys")
      return
    }
    this.show(entry)
    steps.push(new Change.Inserted([entry], Order.rank(contents.order, entry.position), reason))
  }

  private show(entry: Entry<Item>): void {
    Update.place(this.contents, entry)
    Update.show(this.contents, entry)
  }

  /** Another entry that is visible with a unique key of an entry: only another version of the program can have let it in. */
  private holderOf(entry: Entry<Item>, registration: number | undefined): Entry<Item> | undefined {
    const { definition, indexes } = this.contents
    let holder: Entry<Item> | undefined
    forEachKey(definition, entry.keys, (key, slot) => {
      const found = definition.slots[slot]!.unique ? indexes[slot]!.entry(key) : undefined
      if (found !== undefined && found.registration !== registration) holder ??= found
    })
    return holder
  }
}

const placeOf = ({ after }: Target<unknown>): number => after?.entry.position ?? 0

/** An entry where another version of its registration is. */
const movedTo = <Item>({ item, keys, origin, position, registration }: Entry<Item>, to: Entry<Item>): Entry<Item> =>
  to.item === item && to.keys === keys
    ? to
    : new Entry(item, keys, origin, { position: position === to.position ? position : to.position, registration })

/** The operations of a change, and what to remember when they are in. */
export interface Journal<Item> {
  readonly ops: ReadonlyArray<Op>
  /** New entries, by their ids, and those that have another item. */
  readonly entries: ReadonlyArray<readonly [id: string, registration: number]>
  readonly removed: ReadonlyArray<string>
  readonly rules: ReadonlyArray<readonly [id: string, Rule]>
  /** The same change, as one that can be made to other contents; nothing where it is not that simple. */
  readonly simple: Simple<Item> | undefined
  /** Whether it puts in what goes with a session. */
  readonly scoped: boolean
}

/** Entries that left, have another item, or came after all others: what is visible, without consequences for anything else. */
export interface Simple<Item> {
  readonly removed: ReadonlyArray<Entry<Item>>
  readonly replaced: ReadonlyArray<readonly [before: Entry<Item>, after: Entry<Item>]>
  readonly inserted: ReadonlyArray<Entry<Item>>
}

const journalOf = <Item>(
  mirror: Mirror<Item>,
  codec: Codec<Item>,
  base: Contents<Item>,
  draft: Contents<Item>,
  { ending, first, fold, idAt, reset, session }: Parameters<Mirror<Item>["journal"]>[2]
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
  let scoped = false
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
    if (own !== undefined && before?.origin.scope === scope) return own
    scoped = true
    return session
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
      ops.push(["insert", entry.position, codec.encode(entry.item), attributesOf(entry, state)])
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
      ops.push(["set", id, codec.encode(entry.item), attributesOf(entry, after.state, id)])
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
    if (rule.scope !== undefined) scoped = true
    ops.push(["rule", rule.attribute, rule.value, rule.reason, rule.by, rule.scope === undefined ? "" : session])
  }
  for (const rule of ruled) {
    const id = mirror.idOfRule(rule)
    if (now.includes(rule) || id === undefined) continue
    isSimple = false
    const own = fold.rules.get(id)?.session
    if (own === undefined || !ending.has(own)) ops.push(["unrule", id])
  }
  return { ops, entries, removed, rules, scoped, simple: isSimple ? simple : undefined }
}

const isOther = (one: Origin, other: Origin): boolean =>
  one !== other && (
    one.owner !== other.owner || one.scope !== other.scope || one.updated !== other.updated ||
    one.onTop !== other.onTop || (one.population === undefined) !== (other.population === undefined)
  )
