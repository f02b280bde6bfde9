/** Changes as they are told: their events, and the contents after each. */
import * as RegistryEvent from "../../RegistryEvent.ts"
import { snapshotOf } from "../coreOf.ts"
import type { Change, Step } from "../engine/change.ts"
import { contentsOf, type Core, type Told as Changed } from "../engine/core.ts"
import type { RegistrySnapshot } from "../snapshot.ts"
import { type Contents, copy } from "../store/contents.ts"
import { show, unshow } from "../store/update.ts"
import { Shown } from "../store/wording.ts"

/**
 * A registry keeps no contents with its changes: those would hold items that are gone. The newest change is told with the
 * published contents. An earlier one finds the contents after it when it is asked for them, by taking back later changes.
 */
class Told<Item> extends Shown implements RegistryEvent.RegistryChange<Item> {
  declare readonly change: Change<Item>
  /** The contents after it or, until they are asked for, the change after it. */
  declare after: Contents<Item> | Told<Item>
  private list: ReadonlyArray<RegistryEvent.RegistryEvent<Item>> | undefined = undefined

  constructor(change: Change<Item>, after: Contents<Item> | Told<Item>) {
    super()
    this.change = change
    this.after = after
  }

  get revision(): number {
    return this.change.revision
  }

  get events(): ReadonlyArray<RegistryEvent.RegistryEvent<Item>> {
    return this.list ??= eventsOf(this.change)
  }

  get snapshot(): RegistrySnapshot<Item, any> {
    return snapshotOf(contentsAfter(this))
  }

  toJSON(): unknown {
    return { revision: this.revision, events: this.events }
  }
}

/** The last changes of a registry, oldest first. Subscribers share them. */
export const tell = <Item, P, V>(
  core: Core<Item, P, V>,
  count: number
): ReadonlyArray<RegistryEvent.RegistryChange<Item>> => {
  const told: Array<Told<Item>> = []
  for (const change of core.changes.slice(core.changes.length - count).toReversed()) {
    const shared = change.told?.deref()
    if (shared instanceof Told) told.push(shared)
    else {
      const one = new Told(change, told.at(-1) ?? contentsOf(core))
      change.told = new WeakRef(one)
      told.push(one)
    }
  }
  return told.toReversed()
}

/** Changes that the registry does not keep. */
export const tellOf = <Item>(
  changes: ReadonlyArray<Changed<Item>>
): ReadonlyArray<RegistryEvent.RegistryChange<Item>> =>
  changes.map(({ change, contents }) => new Told(change, contents))

const contentsAfter = <Item>(told: Told<Item>): Contents<Item> => {
  // a loop, because there may be too many for a call inside the call of the one before
  const chain: Array<Told<Item>> = []
  let one: Contents<Item> | Told<Item> = told
  for (; one instanceof Told; one = one.after) chain.push(one)
  let contents = one
  let later: Change<Item> | undefined
  for (const earlier of chain.toReversed()) {
    if (later !== undefined) contents = before(later, contents, earlier.change)
    earlier.after = contents
    later = earlier.change
  }
  return contents
}

/** Frozen, because all subscribers share them. */
const eventsOf = <Item>({ steps }: Change<Item>): ReadonlyArray<RegistryEvent.RegistryEvent<Item>> =>
  Object.freeze(steps.flatMap(eventsOfStep))

const eventsOfStep = <Item>(step: Step<Item>): ReadonlyArray<RegistryEvent.RegistryEvent<Item>> => {
  switch (step._tag) {
    case "Inserted":
      return step.entries.map(({ item }, i) => {
        const position = step.position + i
        return RegistryEvent.Registered({ item, position, reason: step.reason })
      })
    case "Removed":
      return step.entries.map(({ item }, i) => {
        const position = step.positions[i]!
        return RegistryEvent.Unregistered({ item, position, reason: step.reason })
      })
    case "Swapped":
      return [
        RegistryEvent.Replaced({ previous: step.previous.item, item: step.entry.item, position: step.position })
      ]
    case "Moved":
      return step.move === undefined ? [] : [RegistryEvent.Moved(step.move)]
    case "Populated":
      return [RegistryEvent.Populated({ size: step.size })]
    case "Reset":
      return [RegistryEvent.Reset()]
  }
}

/** The contents before a change, which are those after the one before it. */
const before = <Item>(
  { steps }: Change<Item>,
  after: Contents<Item>,
  { populated, revision, withheld }: Change<Item>
): Contents<Item> => {
  const contents = copy(after, { populated, revision, withheld })
  for (const step of steps.toReversed()) takeBack(contents, step)
  return contents
}

const takeBack = <Item>(contents: Contents<Item>, step: Step<Item>): void => {
  switch (step._tag) {
    case "Inserted":
      return step.entries.forEach((entry) => unshow(contents, entry))
    case "Removed":
      return step.entries.forEach((entry) => show(contents, entry))
    case "Swapped":
      unshow(contents, step.entry)
      return show(contents, step.previous)
    case "Moved":
      step.after.forEach((entry) => unshow(contents, entry))
      return step.before.forEach((entry) => show(contents, entry))
  }
}
