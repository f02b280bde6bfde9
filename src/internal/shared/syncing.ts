/** Contents, brought to what a fold says: in one step, with what hooks and subscribers hear of it. */
import * as HashMap from "effect/HashMap"
import type { Reason } from "../../RegistryEvent.ts"
import * as Change from "../engine/change.ts"
import { layersIn, layersOf } from "../features/layers.ts"
import { Contents, current } from "../store/contents.ts"
import { forEachKey } from "../store/definition.ts"
import { Entry, makeFrom, Origin } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import * as Update from "../store/update.ts"
import type { Fold, Folded, Held } from "./fold.ts"
import { find, type Mirror, type Place } from "./mirror.ts"

/** What contents are to become, by a record or by several. */
export interface Synced<Item> {
  readonly contents: Contents<Item>
  readonly steps: ReadonlyArray<Change.Step<Item>>
  /** Entries that came, changed or were enabled, visible or not. */
  readonly come: ReadonlyArray<Entry<Item>>
  /** Entries that have gone, which a scope of this process that is open had registered. */
  readonly gone: ReadonlyArray<readonly [id: string, Entry<Item>]>
  /** Forgets what was learned of entries, where the contents are given up. */
  readonly revert: () => void
}

/** One that populated in another process: its scope is there. */
const elsewhere = { scope: undefined }

interface Target<Item> {
  readonly id: string
  readonly before: Place<Item> | undefined
  readonly after: Place<Item> | undefined
  readonly changed: string
}

/** Makes contents what a fold says, for entries that have changed. */
export const sync = <Item>(
  mirror: Mirror<Item>,
  before: Contents<Item>,
  fold: Fold,
  changed: Changed,
  by: string
): Synced<Item> => new Syncing(mirror, before, fold, changed, by).run()

/** What may differ from a fold. */
export type Changed = Omit<Folded, "revert">

/** All that there is, and all that a fold has. */
export const everythingIn = (mirror: Mirror<any>, fold: Fold, removed: Changed["removed"] = new Map()): Changed => ({
  ids: new Set([...mirror.all, ...fold.entries.keys()]),
  removed,
  rules: true,
  reset: false
})

class Syncing<Item> {
  private readonly steps: Array<Change.Step<Item>> = []
  private readonly unreadable = new Map<string, string>()
  private readonly contents: Contents<Item>
  private readonly mirror: Mirror<Item>
  private readonly before: Contents<Item>
  private readonly fold: Fold
  private readonly folded: Changed
  private readonly by: string

  constructor(mirror: Mirror<Item>, before: Contents<Item>, fold: Fold, folded: Changed, by: string) {
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
    if (folded.reset) steps.push({ _tag: "Reset" })
    if (folded.rules) this.setRules()
    this.move(targets)
    this.swap(targets)
    this.putIn(targets)
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
      come: targets.flatMap(({ after }) => after === undefined ? [] : [after.entry]).concat(
        folded.rules ? contents.withheld?.entries ?? [] : []
      ),
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
