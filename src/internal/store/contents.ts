/** The contents of a registry: an immutable value. An item is in all of its parts (order, indexes) or in none. */
import type * as Exit from "effect/Exit"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type * as RegistryEvent from "../../RegistryEvent.ts"
import { decidesForItself, type Definition, firstUnique, type Keys, keysIn, slotOf, takeKeys } from "./definition.ts"
import { byPosition, type Entry, isObject } from "./entry.ts"
import * as Index from "./index.ts"
import * as Order from "./order.ts"
import { Shown } from "./wording.ts"

/**
 * Entries that are in, and not visible. They are in no index of what is visible, but keep their keys. A feature makes this
 * and decides what it withholds. The store asks it, where there is one.
 */
export interface Withheld<in out Item> {
  readonly order: Order.Order<Entry<Item>>
  /** In their order. */
  readonly entries: ReadonlyArray<Entry<Item>>
  readonly at: (position: number) => Entry<Item> | undefined
  /** The withheld entry of an equal item that is in its way: see `isInTheWay`. */
  readonly equal: (item: Item, keys: Keys, ignoring: Entry<Item> | undefined) => Entry<Item> | undefined
  /** The withheld entry that has a unique key, and is in the way of another one. */
  readonly holder: (slot: number, key: unknown, ignoring: Entry<Item> | undefined) => Entry<Item> | undefined
  /** The reason that is given for an entry to be withheld, beside what lies above it. */
  readonly reasonOf: (entry: Pick<Entry<Item>, "keys">) => Reason | undefined
  /** Why subscribers hear of an entry that is withheld. */
  readonly cause: (entry: Entry<Item>) => RegistryEvent.Reason
  /** The entries that would be visible if there were no reason, in their order. */
  readonly withReason: (contents: Contents<Item>) => ReadonlyArray<Entry<Item>>
  /** The entry that would be visible with a unique key, if there were no reason. */
  readonly standIn: (contents: Contents<Item>, slot: number, key: unknown) => Entry<Item> | undefined
  /** The same for an equal item. */
  readonly standInFor: (contents: Contents<Item>, item: Item, keys: Keys) => Entry<Item> | undefined
  /** Takes an entry into contents that are being made, if it is not to be visible. Answers whether it did. */
  readonly take: (contents: Contents<Item>, entry: Entry<Item>) => boolean
  /** Takes an entry out of contents that are being made, where it is withheld, to put it in again. */
  readonly drop: (contents: Contents<Item>, entry: Entry<Item>) => void
  /** Is told that an entry, visible or withheld, has left contents that are being made. Answers what it shows in turn. */
  readonly left: (contents: Contents<Item>, entry: Entry<Item>) => ReadonlyArray<Entry<Item>>
  /** What is left when all withheld entries go at once, and these stay. */
  readonly emptied: (visible: ReadonlyArray<Entry<Item>>) => Withheld<Item> | undefined
  /** With other entries, which have other positions, for some that are withheld. */
  readonly moved: (before: ReadonlyArray<Entry<Item>>, after: ReadonlyArray<Entry<Item>>) => Withheld<Item>
}

/** Why entries that have a value of a lookup are withheld, and for which owner. */
export interface Reason {
  readonly attribute: string
  readonly value: unknown
  readonly reason: string
  readonly by: string
}

/** Makes the list of all items from the last one that it made. */
export interface Lister<Item> {
  readonly of: (order: Order.Order<Entry<Item>>) => ReadonlyArray<Item>
}

/** A function that makes a copy sets its fields before anybody sees it. From then on they stay as they are. */
export class Contents<Item> extends Shown implements Iterable<Item> {
  declare readonly definition: Definition<Item>
  declare revision: number
  declare populated: boolean
  declare order: Order.Order<Entry<Item>>
  /** By slot. */
  declare indexes: Array<Index.Index<Item>>
  /** The entries that are in, and not visible, where a feature may withhold some. */
  declare withheld: Withheld<Item> | undefined
  /** Entries that a reset took out. They come back with the next population, unless their scope closes before. */
  declare waiting: Order.Order<Entry<Item>>
  /** The positions of registrations that are not where they were put first. */
  declare places: HashMap.HashMap<number, number>
  /** All items, once somebody has asked for them. */
  declare list: ReadonlyArray<Item> | undefined
  declare listExit: Exit.Exit<ReadonlyArray<Item>> | undefined
  /**
   * Only the version whose list was asked for holds it. Its successors reach it through `lastListing`, so that items that
   * were removed can be collected.
   */
  declare listing: Lister<Item> | undefined
  declare lastListing: WeakRef<Lister<Item>> | undefined

  constructor(from: Pick<Contents<Item>, "definition" | "indexes"> & Partial<Contents<Item>>) {
    super()
    this.definition = from.definition
    this.revision = from.revision ?? 0
    this.populated = from.populated ?? false
    this.order = from.order
    this.indexes = from.indexes.slice()
    this.withheld = from.withheld
    this.waiting = from.waiting
    this.places = from.places ?? nowhere
    this.list = this.listExit = this.listing = undefined
    this.lastListing = from.lastListing
  }

  get size(): number {
    return Order.size(this.order)
  }

  [Symbol.iterator](): Iterator<Item> {
    return (this.list ?? Order.toArray(this.order, itemOf))[Symbol.iterator]()
  }

  toJSON(): unknown {
    return { _id: "RegistrySnapshot", registry: this.definition.name, revision: this.revision, values: [...this] }
  }
}

const nowhere: HashMap.HashMap<number, number> = /*#__PURE__*/ HashMap.empty()

export const empty = <Item>(definition: Definition<Item>): Contents<Item> =>
  new Contents({
    definition,
    indexes: definition.slots.map(({ normalize, unique }) => Index.make<Item>(unique, normalize))
  })

/** A copy, with other fields. */
export const copy = <Item>(
  self: Contents<Item>,
  fields: Partial<Pick<Contents<Item>, "revision" | "populated" | "withheld">>
): Contents<Item> => Object.assign(new Contents(self), fields)

/** Back to `Pending`, and empty. */
export const asPending = <Item>(self: Contents<Item>): Contents<Item> =>
  copy(empty(self.definition), { revision: self.revision, withheld: self.withheld?.emptied([]) })

export const withoutWithheld = <Item>(self: Contents<Item>): Contents<Item> =>
  copy(self, { withheld: self.withheld?.emptied(entries(self)) })

export const itemOf = <Item>({ item }: { readonly item: Item }): Item => item

/** The entry that alone has a key; nothing for an attribute that is not a unique lookup. */
export const get = <Item>(self: Contents<Item>, attribute: string, key: unknown): Entry<Item> | undefined =>
  self.indexes[slotOf(self.definition.lookups, attribute)]?.get(key)

/** The same for an operation that changes the entry: one that is withheld for a reason is found, too. */
export const locate = <Item>(self: Contents<Item>, attribute: string, value: unknown): Entry<Item> | undefined => {
  const slot = slotOf(self.definition.lookups, attribute)
  const index = self.indexes[slot]
  return index?.get(value) ??
    (index?.unique === true ? self.withheld?.standIn(self, slot, index.keyFor(value)) : undefined)
}

export const at = <Item>(self: Contents<Item>, index: number): Entry<Item> | undefined =>
  Number.isInteger(index) ? Order.at(self.order, index < 0 ? index + self.size : index) : undefined

/** Whether this very entry is visible. */
export const holds = <Item>(self: Contents<Item>, entry: Entry<Item>): boolean =>
  Order.get(self.order, entry.position) === entry

export const entries = <Item>(self: Contents<Item>): ReadonlyArray<Entry<Item>> =>
  Order.toArray(self.order, (entry) => entry)

/** Visible and withheld, in their order. */
export const allEntries = <Item>(self: Contents<Item>): ReadonlyArray<Entry<Item>> =>
  self.withheld === undefined ? entries(self) : [...entries(self), ...self.withheld.entries].toSorted(byPosition)

/** The current entry of a registration: visible, withheld or waiting. */
export const current = <Item>(self: Contents<Item>, registration: number): Entry<Item> | undefined => {
  const position = Option.getOrElse(HashMap.get(self.places, registration), () => registration)
  const entry = Order.get(self.order, position) ?? self.withheld?.at(position) ?? Order.get(self.waiting, position)
  // where it was, another one may have moved
  return entry?.registration === registration ? entry : undefined
}

/** The entry of an equal item. */
export const find = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined =>
  findEqual(self, item, takeKeys(self.definition, item))

/**
 * The entry of an equal item, or of an object that was changed since it was registered. An object that its keys do not find
 * is looked for among all entries: that takes as long as there are many, and nothing where nobody asks.
 */
export const findCurrent = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined => {
  const findItself = () => entries(self).find((entry) => entry.item === item)
  let found: Entry<Item> | undefined
  try {
    found = find(self, item)
  } catch (error) {
    // its selectors may throw since it was changed
    found = findItself()
    if (found === undefined) throw error
  }
  return found ?? (isObject(item) ? findItself() : undefined)
}

/** The same for an operation that changes the entry: one that is withheld for a reason is found, too. */
export const locateItem = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined =>
  findCurrent(self, item) ?? self.withheld?.standInFor(self, item, takeKeys(self.definition, item))

/** The entry of the same item, which has the same first unique key: see `takeKeys`. */
export const findEqual = <Item>(
  self: Contents<Item>,
  item: Item,
  keys: Keys,
  ignoring?: Entry<Item>
): Entry<Item> | undefined => {
  const { definition, indexes } = self
  const { lookups } = definition
  // an item that is in has all attributes, and so has one that is the same
  const found = decidesForItself(definition, item)
    ? indexes[lookups.length]!.get(item)
    : keys.length < lookups.length
    ? undefined
    : findByKeys(self, keys, ignoring)
  return found !== undefined && found !== ignoring && definition.same(found.item, item) ? found : undefined
}

/** The entry that has the first unique key of another; without one, that of the same item. */
export const findByKeysOf = <Item>(self: Contents<Item>, { keys }: Entry<Item>): Entry<Item> | undefined =>
  findByKeys(self, keys)

const findByKeys = <Item>(
  { definition, indexes }: Contents<Item>,
  keys: Keys,
  ignoring?: Entry<Item>
): Entry<Item> | undefined => {
  const slot = firstUnique(definition, keys)
  const index = indexes[slot]!
  const taken = keys[slot]
  if (slot < definition.lookups.length) return index.entry(definition.slots[slot]!.each ? keysIn(taken)[0] : taken)
  for (let i = 0; i < keysIn(taken).length; i++) {
    const found = index.entry(keysIn(taken)[i])
    if (found !== undefined && found !== ignoring) return found
  }
  return undefined
}
