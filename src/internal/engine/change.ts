/** What a transaction did, kept as it happened. */
import type { Contents, Withheld } from "../store/contents.ts"
import type { Entry } from "../store/entry.ts"

export type Step<Item> =
  | Inserted<Item>
  | Removed<Item>
  | Swapped<Item>
  | { readonly _tag: "Populated"; readonly size: number }
  | { readonly _tag: "Reset" }

/** Entries were added, one after the other, the first at `position` among all. */
export class Inserted<Item> {
  readonly _tag = "Inserted"
  declare readonly entries: ReadonlyArray<Entry<Item>>
  declare readonly position: number

  constructor(entries: ReadonlyArray<Entry<Item>>, position: number) {
    this.entries = entries
    this.position = position
  }
}

export class Removed<Item> {
  readonly _tag = "Removed"
  declare readonly entries: ReadonlyArray<Entry<Item>>
  /** The owner that is given for what removes them. */
  declare readonly by: string

  constructor(entries: ReadonlyArray<Entry<Item>>, by: string) {
    this.entries = entries
    this.by = by
  }
}

export class Swapped<Item> {
  readonly _tag = "Swapped"
  declare readonly previous: Entry<Item>
  declare readonly entry: Entry<Item>

  constructor(previous: Entry<Item>, entry: Entry<Item>) {
    this.previous = previous
    this.entry = entry
  }
}

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
