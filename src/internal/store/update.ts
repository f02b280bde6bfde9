/**
 * The next contents, made from the last: with an item, without an entry, with an item in the place of an entry. Each
 * function changes a copy before anybody sees it.
 */
import * as HashMap from "effect/HashMap"
import { check, isRefusal, type Refusal } from "./check.ts"
import { Contents, holds } from "./contents.ts"
import { forEachKey, type Keys } from "./definition.ts"
import { Entry, type Origin } from "./entry.ts"
import * as Order from "./order.ts"

/** What was put in, and the contents with it. */
export interface Added<Item, A> {
  readonly added: A
  readonly contents: Contents<Item>
}

/** With an item that was checked: after all others, or as the update of a registration that was taken out. */
export const insert = <Item>(
  self: Contents<Item>,
  item: Item,
  keys: Keys,
  origin: Origin,
  previous?: Entry<Item>
): Added<Item, Entry<Item>> => {
  const contents = new Contents(self)
  const added = previous === undefined
    ? new Entry(item, keys, origin)
    : new Entry(item, keys, previous.origin.updatedBy(origin), previous)
  put(contents, added)
  return { added, contents }
}

/** Contents without something, and the withheld entries that became visible by that, in their order. */
interface Revealing<Item> {
  readonly contents: Contents<Item>
  readonly revealed: ReadonlyArray<Entry<Item>>
}

/** Without an entry that is in, visible or withheld, or that waits. */
export const remove = <Item>(self: Contents<Item>, entry: Entry<Item>): Revealing<Item> => {
  const contents = new Contents(self)
  if (holds(self, entry)) unshow(contents, entry)
  contents.waiting = Order.remove(contents.waiting, entry.position)
  contents.places = HashMap.remove(contents.places, entry.registration)
  // what waits lies above nothing
  const wasIn = contents.waiting === self.waiting
  return { contents, revealed: wasIn ? self.withheld?.left(contents, entry) ?? [] : [] }
}

/** With an item that was checked as the update of a registration that is in. */
export const replace = <Item>(
  self: Contents<Item>,
  previous: Entry<Item>,
  item: Item,
  keys: Keys,
  origin: Origin
): Added<Item, Entry<Item>> & Revealing<Item> => {
  const contents = new Contents(self)
  const added = new Entry(item, keys, origin, previous)
  const { withheld } = self
  const wasVisible = holds(self, previous)
  if (!wasVisible) withheld?.drop(contents, previous)
  if (contents.withheld?.take(contents, added) === true) {
    if (wasVisible) unshow(contents, previous)
  } else {
    // what is added under a key that both have takes the place of the other
    if (wasVisible) takeOut(contents, previous, (key, slot) => added.keys[slot] === key)
    show(contents, added)
  }
  return { added, contents, revealed: contents.withheld?.left(contents, previous) ?? [] }
}

/** Puts many items in, after all others. The indexes are filled in place until `finish`: nobody sees them before. */
export class Builder<Item> {
  declare private readonly start: Contents<Item>
  declare private readonly contents: Contents<Item>
  private readonly added: Array<Entry<Item>> = []
  declare private readonly origin: Origin

  constructor(start: Contents<Item>, additions: number, origin: Origin) {
    this.start = start
    this.origin = origin
    this.contents = mapped(start, (map) => map.begin(additions))
  }

  /** Puts an item in, or answers why it cannot be registered. */
  add(item: Item): Refusal | undefined {
    const { contents } = this
    const keys = check(contents, item)
    if (isRefusal(keys)) return keys
    const entry = new Entry(item, keys, this.origin)
    if (contents.withheld?.take(contents, entry) !== true) putIn(contents, entry)
    this.added.push(entry)
    return undefined
  }

  finish(): Added<Item, ReadonlyArray<Entry<Item>>> {
    const { added } = this
    const contents = mapped(this.contents, (map) => map.finish())
    contents.order = Order.append(contents.order, visibleOf(contents, added))
    return { added, contents }
  }

  /** Gives all of it up. */
  abandon(): void {
    for (const entry of this.added) forget(this.start, entry)
  }
}

/** Those of entries that were put in that are not withheld. */
export const visibleOf = <Item>(
  { withheld }: Contents<Item>,
  added: ReadonlyArray<Entry<Item>>
): ReadonlyArray<Entry<Item>> =>
  withheld === undefined ? added : added.filter(({ position }) => withheld.at(position) === undefined)

/** Drops what the indexes of later contents share with these, when those are given up before anybody has seen them. */
export const forget = <Item>({ definition, indexes }: Contents<Item>, { id, keys }: Entry<Item>): void =>
  forEachKey(definition, keys, (key, slot) => indexes[slot]!.map.forget(key, id))

/** After so many entries were removed: keeps nothing of them where that costs little. */
export const tidy = <Item>(self: Contents<Item>, removed: number): Contents<Item> =>
  mapped(self, (map) => map.tidy(removed))

type Map<Item> = Contents<Item>["indexes"][number]["map"]

/** With other maps in the indexes. */
const mapped = <Item>(self: Contents<Item>, f: (map: Map<Item>) => Map<Item>): Contents<Item> => {
  const contents = new Contents(self)
  contents.indexes = self.indexes.map((index) => index.with(f(index.map)))
  return contents
}

/** Puts an entry into contents that nobody has seen: visible, or withheld. */
export const put = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  place(contents, entry)
  if (contents.withheld?.take(contents, entry) !== true) show(contents, entry)
}

/** Makes it possible to find an entry by its registration. */
export const place = <Item>(contents: Contents<Item>, { position, registration }: Entry<Item>): void => {
  if (position !== registration) contents.places = HashMap.set(contents.places, registration, position)
  else if (!HashMap.isEmpty(contents.places)) contents.places = HashMap.remove(contents.places, registration)
}

/** Lets an entry that is out wait for the next population. */
export const wait = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  place(contents, entry)
  contents.waiting = Order.set(contents.waiting, entry)
}

/** Makes an entry visible, in contents that nobody has seen. */
export const show = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  putIn(contents, entry)
  contents.order = Order.set(contents.order, entry)
}

export const unshow = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  takeOut(contents, entry)
  contents.order = Order.remove(contents.order, entry.position)
}

const putIn = <Item>({ definition, indexes }: Contents<Item>, entry: Entry<Item>): void =>
  forEachKey(definition, entry.keys, (key, slot) => {
    indexes[slot] = indexes[slot]!.add(key, entry)
  })

const takeOut = <Item>(
  { definition, indexes }: Contents<Item>,
  entry: Entry<Item>,
  stays?: (key: unknown, slot: number) => boolean
): void =>
  forEachKey(definition, entry.keys, (key, slot) => {
    if (stays?.(key, slot) !== true) indexes[slot] = indexes[slot]!.remove(key, entry)
  })
