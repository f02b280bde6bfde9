/**
 * The next contents, made from the last: with an item, without an entry, with an item in the place of an entry. Each
 * function changes a copy before anybody sees it.
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as RegistryError from "../../RegistryError.ts"
import { check } from "./check.ts"
import { Contents, firstUnique, holds } from "./contents.ts"
import { type Definition, type Keys, keysIn } from "./definition.ts"
import { Entry, Origin } from "./entry.ts"
import type * as Index from "./index.ts"
import * as Order from "./order.ts"

/** What was put in, and the contents with it. */
export interface Added<Item, A> {
  readonly added: A
  readonly contents: Contents<Item>
}

/** With an item that was checked, after all others or at a position that is free. */
export const insert = <Item>(
  self: Contents<Item>,
  item: Item,
  keys: Keys,
  origin: Origin,
  position?: number
): Added<Item, Entry<Item>> => {
  const contents = changing(self)
  const added = new Entry(item, keys, origin, position)
  show(contents, added)
  return { added, contents }
}

/** Contents without something, and the withheld entries that became visible by that, in their order. */
export interface Revealing<Item> {
  readonly contents: Contents<Item>
  readonly revealed: ReadonlyArray<Entry<Item>>
}

/** Without an entry that is in, visible or withheld. */
export const remove = <Item>(self: Contents<Item>, entry: Entry<Item>): Revealing<Item> => {
  const contents = changing(self)
  if (holds(self, entry)) unshow(contents, entry)
  return { contents, revealed: self.withheld?.left(contents, entry) ?? none }
}

const none: ReadonlyArray<never> = []

/** With an item that was checked in the place of an entry that is visible: on top of others where that is. */
export const replace = <Item>(
  self: Contents<Item>,
  previous: Entry<Item>,
  item: Item,
  keys: Keys,
  { owner, revision }: Origin
): Added<Item, Entry<Item>> & Revealing<Item> => {
  const contents = changing(self)
  takeOut(contents, previous)
  const origin = new Origin(owner, revision, previous.origin.onTop)
  const added = new Entry(item, keys, origin, previous.position)
  show(contents, added)
  return { added, contents, revealed: self.withheld?.left(contents, previous) ?? none }
}

/** Puts many items in, after all others. The indexes are filled in place until `finish`: nobody sees them before. */
export class Builder<Item> {
  private readonly start: Contents<Item>
  private readonly contents: Contents<Item>
  private readonly added: Array<Entry<Item>> = []
  private readonly origin: Origin

  constructor(start: Contents<Item>, additions: number, origin: Origin) {
    this.start = start
    this.origin = origin
    this.contents = new Contents(start)
    this.contents.indexes = start.indexes.map((index) => index.begin(additions))
  }

  /** Puts an item in, or answers why it cannot be registered. */
  add(item: Item): RegistryError.RegistrationFailure | undefined {
    const { added, contents } = this
    const checked = check(contents, item)
    if (Result.isFailure(checked)) return checked.failure
    const entry = new Entry(item, checked.success, this.origin)
    putIn(contents, entry)
    added.push(entry)
    return undefined
  }

  finish(): Added<Item, ReadonlyArray<Entry<Item>>> {
    const { added, contents } = this
    contents.indexes = contents.indexes.map((index) => index.finish())
    contents.order = Order.append(contents.order, added)
    return { added, contents }
  }

  /** Gives all of it up. */
  abandon(): void {
    for (const entry of this.added) forget(this.start, entry)
  }
}

/** Drops what the indexes of later contents share with these, when those are given up before anybody has seen them. */
export const forget = <Item>({ definition, indexes }: Contents<Item>, entry: Entry<Item>): void => {
  for (let i = 0; i < indexes.length; i++) {
    const slot = entry.keys[i]
    for (const key of definition.lookups[i]!.each ? keysIn(slot) : [slot]) indexes[i]!.forget(key, entry)
  }
}

/** After so many entries were removed: keeps nothing of them where that costs little. */
export const tidy = <Item>(self: Contents<Item>, removed: number): Contents<Item> => {
  const contents = new Contents(self)
  contents.indexes = self.indexes.map((index) => index.tidy(removed))
  return contents
}

/** A copy to be changed in place before anybody sees it. */
export const changing = <Item>(self: Contents<Item>): Contents<Item> => {
  const contents = new Contents(self)
  contents.indexes = self.indexes.slice()
  return contents
}

export const show = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  putIn(contents, entry)
  contents.order = Order.set(contents.order, entry)
}

export const unshow = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  takeOut(contents, entry)
  contents.order = Order.remove(contents.order, entry.position)
}

/** In the indexes. Their array is a copy that nobody has seen, and is changed in place. */
const putIn = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  const { definition } = contents
  const indexes = contents.indexes as Array<Index.Index<Item>>
  for (let i = 0; i < indexes.length; i++) {
    const slot = entry.keys[i]
    if (definition.lookups[i]!.each) {
      for (const key of keysIn(slot)) indexes[i] = indexes[i]!.add(key, entry)
    } else if (slot !== undefined) {
      indexes[i] = indexes[i]!.add(slot, entry)
    }
  }
  if (!isFoundByKeys(definition, entry)) contents.byItem = HashMap.set(contents.byItem, entry.item, entry)
}

const takeOut = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  const { byItem, definition } = contents
  const indexes = contents.indexes as Array<Index.Index<Item>>
  for (let i = 0; i < indexes.length; i++) {
    const slot = entry.keys[i]
    if (definition.lookups[i]!.each) {
      for (const key of keysIn(slot)) indexes[i] = indexes[i]!.remove(key, entry)
    } else if (slot !== undefined) {
      indexes[i] = indexes[i]!.remove(slot, entry)
    }
  }
  if (isFoundByKeys(definition, entry)) return
  const isThere = Option.getOrUndefined(HashMap.get(byItem, entry.item)) === entry
  contents.byItem = isThere
    ? HashMap.remove(byItem, entry.item)
    // a `Date`, whose hash Effect does not keep, was changed since it was registered
    : HashMap.filter(byItem, (other) => other !== entry)
}

const isFoundByKeys = <Item>(definition: Definition<Item>, entry: Entry<Item>): boolean =>
  !entry.ownEquality && firstUnique(definition, entry.keys) !== -1
