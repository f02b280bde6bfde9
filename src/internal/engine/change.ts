/** What a transaction did, kept as it happened. */
import type { Reason } from "../../RegistryEvent.ts"
import type { Contents, Withheld } from "../store/contents.ts"
import type { Entry } from "../store/entry.ts"
import * as Order from "../store/order.ts"

export type Step<Item> =
  | Inserted<Item>
  | Removed<Item>
  | Swapped<Item>
  | Moved<Item>
  | { readonly _tag: "Populated"; readonly size: number }
  | { readonly _tag: "Reset" }

/** Entries were added, one after the other, the first at `position` among all. */
export class Inserted<Item> {
  readonly _tag = "Inserted"
  declare readonly entries: ReadonlyArray<Entry<Item>>
  declare readonly position: number
  declare readonly reason: Reason

  constructor(entries: ReadonlyArray<Entry<Item>>, position: number, reason: Reason) {
    this.entries = entries
    this.position = position
    this.reason = reason
  }
}

/** Entries were removed, one after the other. */
export class Removed<Item> {
  readonly _tag = "Removed"
  declare readonly entries: ReadonlyArray<Entry<Item>>
  /** The place of each entry among all, when its turn came. */
  declare readonly positions: ReadonlyArray<number>
  /** The owner that is given for what removes them. */
  declare readonly by: string
  declare readonly reason: Reason

  constructor(entries: ReadonlyArray<Entry<Item>>, positions: ReadonlyArray<number>, by: string, reason: Reason) {
    this.entries = entries
    this.positions = positions
    this.by = by
    this.reason = reason
  }
}

export class Swapped<Item> {
  readonly _tag = "Swapped"
  declare readonly previous: Entry<Item>
  declare readonly entry: Entry<Item>
  declare readonly position: number

  constructor(previous: Entry<Item>, entry: Entry<Item>, position: number) {
    this.previous = previous
    this.entry = entry
    this.position = position
  }
}

/** Entries took other positions: one moved among all, others only made room, or all did. */
export class Moved<Item> {
  readonly _tag = "Moved"
  declare readonly before: ReadonlyArray<Entry<Item>>
  declare readonly after: ReadonlyArray<Entry<Item>>
  declare readonly move: Move<Item> | undefined

  constructor(before: ReadonlyArray<Entry<Item>>, after: ReadonlyArray<Entry<Item>>, move?: Move<Item>) {
    this.before = before
    this.after = after
    this.move = move
  }
}

/** The places of an item among all others. */
interface Move<out Item> {
  readonly item: Item
  readonly from: number
  readonly position: number
}

/** The places of entries of contents, from the last to the first: none is changed by the removal of those before it. */
export const positionsIn = <Item>(
  { order }: Contents<Item>,
  entries: ReadonlyArray<Entry<Item>>
): ReadonlyArray<number> => entries.map(({ position }) => Order.rank(order, position))

/** Why subscribers hear of an entry of the contents that is withheld. */
export const withholding = <Item>({ withheld }: Contents<Item>, entry: Entry<Item>): Reason =>
  withheld?.cause(entry) ?? "register"

/** A change that was published, and those parts of the contents after it that later changes do not tell. */
export class Change<Item> {
  declare readonly revision: number
  declare readonly populated: boolean
  declare readonly withheld: Withheld<Item> | undefined
  declare readonly steps: ReadonlyArray<Step<Item>>
  /** When it was published, in milliseconds. */
  declare readonly at: number
  /** The object that subscribers are given for it, as long as one of them keeps it. */
  told: WeakRef<object> | undefined = undefined

  constructor({ populated, revision, withheld }: Contents<Item>, steps: ReadonlyArray<Step<Item>>, at: number) {
    this.revision = revision
    this.populated = populated
    this.withheld = withheld
    this.steps = steps
    this.at = at
  }
}

/** The entries that came or went. */
export const touchedBy = <Item>(step: Step<Item>): ReadonlyArray<Entry<Item>> =>
  "entries" in step ? step.entries : step._tag === "Swapped" ? [step.previous, step.entry] : []
