/** What a transaction did, kept as it happened; the events that tell it are built when they are first read. */
import * as RegistryEvent from "../../RegistryEvent.ts"
import type { Entry } from "../store/entry.ts"
import { Shown } from "../store/wording.ts"

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

export class Change<Item> extends Shown implements RegistryEvent.RegistryChange<Item> {
  declare readonly revision: number
  declare readonly steps: ReadonlyArray<Step<Item>>
  /** When it was published, in milliseconds. */
  declare readonly at: number
  private told: ReadonlyArray<RegistryEvent.RegistryEvent<Item>> | undefined = undefined

  constructor(revision: number, steps: ReadonlyArray<Step<Item>>, at: number) {
    super()
    this.revision = revision
    this.steps = steps
    this.at = at
  }

  get events(): ReadonlyArray<RegistryEvent.RegistryEvent<Item>> {
    return this.told ??= Object.freeze(this.steps.flatMap(eventsOf))
  }

  toJSON(): unknown {
    return { revision: this.revision, events: this.events }
  }
}

/** The entries that came or went. */
export const touchedBy = <Item>(step: Step<Item>): ReadonlyArray<Entry<Item>> =>
  "entries" in step ? step.entries : step._tag === "Swapped" ? [step.previous, step.entry] : []

const eventsOf = <Item>(step: Step<Item>): ReadonlyArray<RegistryEvent.RegistryEvent<Item>> => {
  switch (step._tag) {
    case "Inserted":
      return step.entries.map(({ item }, i) => RegistryEvent.Registered({ item, position: step.position + i }))
    case "Removed":
      return step.entries.map(({ item }) => RegistryEvent.Unregistered({ item }))
    case "Swapped":
      return [RegistryEvent.Replaced({ previous: step.previous.item, item: step.entry.item })]
    case "Populated":
      return [RegistryEvent.Populated({ size: step.size })]
    case "Reset":
      return [RegistryEvent.Reset()]
  }
}
