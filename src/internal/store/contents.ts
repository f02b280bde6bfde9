/**
 * The contents of a registry: an immutable value, and how something is found in it. An item is in all of its parts
 * (order, indexes) or in none.
 */
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as HashMap from "effect/HashMap"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Pipeable from "effect/Pipeable"
import { type Definition, type Keys, keysIn, slotOf, takeKeys } from "./definition.ts"
import { type Entry, hasOwnEquality, isObject } from "./entry.ts"
import * as Index from "./index.ts"
import { Listing } from "./listing.ts"
import * as Order from "./order.ts"

/**
 * Entries that are in, and not visible. They are in no index of what is visible, but keep their keys. A feature makes this
 * and decides what it withholds. The store asks it, where there is one.
 */
export interface Withheld<in out Item> {
  /** In their order. */
  readonly entries: ReadonlyArray<Entry<Item>>
  readonly holds: (entry: Entry<Item>) => boolean
  /** The withheld entry of an equal item. What `ignoring` holds back does not count: it is about to be replaced. */
  readonly equal: (item: Item, keys: Keys, ignoring: Entry<Item> | undefined) => Entry<Item> | undefined
  /** The withheld entry that has a unique key. `ignoring` is as in `equal`. */
  readonly holder: (slot: number, key: unknown, ignoring: Entry<Item> | undefined) => Entry<Item> | undefined
  /** Is told that an entry, visible or withheld, has left contents that are being made. Answers what it shows in turn. */
  readonly left: (contents: Contents<Item>, entry: Entry<Item>) => ReadonlyArray<Entry<Item>>
}

/** The fields of a copy that nobody has seen yet are set by whoever made it; from then on they stay as they are. */
export class Contents<Item> extends Pipeable.Class implements Inspectable.Inspectable, Iterable<Item> {
  readonly definition: Definition<Item>
  revision: number
  populated: boolean
  order: Order.Order<Entry<Item>>
  indexes: ReadonlyArray<Index.Index<Item>>
  /** The entries that no unique key finds, and those whose items have an equality of their own. */
  byItem: HashMap.HashMap<Item, Entry<Item>>
  /** The entries that are in, and not visible, where a feature may withhold some. */
  withheld: Withheld<Item> | undefined
  private list: ReadonlyArray<Item> | undefined
  private exit: Exit.Exit<ReadonlyArray<Item>> | undefined
  /**
   * Only the version whose `values` were read holds the list. Its successors reach it through `lastListing`, so that items
   * that were removed can be collected.
   */
  private listing: Listing<Item> | undefined
  lastListing: WeakRef<Listing<Item>> | undefined

  constructor(from: Pick<Contents<Item>, Part>) {
    super()
    this.definition = from.definition
    this.revision = from.revision
    this.populated = from.populated
    this.order = from.order
    this.indexes = from.indexes
    this.byItem = from.byItem
    this.withheld = from.withheld
    this.list = undefined
    this.exit = undefined
    this.listing = undefined
    this.lastListing = from.lastListing
  }

  get size(): number {
    return Order.size(this.order)
  }

  /** Frozen, because all callers share it. */
  get values(): ReadonlyArray<Item> {
    return this.list ??= this.makeList()
  }

  /** What it is answered with is shared, too. */
  get valuesExit(): Exit.Exit<ReadonlyArray<Item>> {
    return this.exit ??= Exit.succeed(this.values)
  }

  private makeList(): ReadonlyArray<Item> {
    this.listing = this.lastListing?.deref()
    if (this.listing === undefined) {
      this.listing = new Listing()
      this.lastListing = new WeakRef(this.listing)
    }
    return this.listing.of(this.order)
  }

  [Symbol.iterator](): Iterator<Item> {
    return this.values[Symbol.iterator]()
  }

  toJSON(): unknown {
    return {
      _id: "RegistrySnapshot",
      registry: this.definition.name,
      revision: this.revision,
      values: this.values
    }
  }

  override toString(): string {
    return Formatter.format(this.toJSON(), { space: 2 })
  }

  [Inspectable.NodeInspectSymbol](): unknown {
    return this.toJSON()
  }
}

type Part =
  | "definition"
  | "revision"
  | "populated"
  | "order"
  | "indexes"
  | "byItem"
  | "withheld"
  | "lastListing"

export const empty = <Item>(definition: Definition<Item>): Contents<Item> =>
  new Contents({
    definition,
    revision: 0,
    populated: false,
    order: undefined,
    indexes: definition.lookups.map(({ unique }) => Index.make<Item>(unique)),
    byItem: HashMap.empty(),
    withheld: undefined,
    lastListing: undefined
  })

export const withRevision = <Item>(self: Contents<Item>, revision: number): Contents<Item> => {
  const next = new Contents(self)
  next.revision = revision
  return next
}

export const asPopulated = <Item>(self: Contents<Item>): Contents<Item> => {
  const next = new Contents(self)
  next.populated = true
  return next
}

/** Back to `Pending`, and empty. */
export const asPending = <Item>(self: Contents<Item>): Contents<Item> =>
  withRevision(empty(self.definition), self.revision)

export const withoutWithheld = <Item>(self: Contents<Item>): Contents<Item> => {
  if (self.withheld === undefined) return self
  const contents = new Contents(self)
  contents.withheld = undefined
  return contents
}

// ---------------------------------------------------------------------------------------------------------------------
// Finding
// ---------------------------------------------------------------------------------------------------------------------

/** The entry that alone has a key; nothing for an attribute that is no unique lookup. */
export const get = <Item>(self: Contents<Item>, attribute: string, key: unknown): Entry<Item> | undefined => {
  const slot = slotOf(self.definition.lookups, attribute)
  return slot === -1 ? undefined : self.indexes[slot]!.get(key)
}

export const at = <Item>(self: Contents<Item>, index: number): Entry<Item> | undefined =>
  Number.isInteger(index) ? Order.at(self.order, index < 0 ? index + self.size : index) : undefined

/** Whether this very registration is in. */
export const holds = <Item>(self: Contents<Item>, entry: Entry<Item>): boolean =>
  Order.get(self.order, entry.position) === entry

export const entries = <Item>(self: Contents<Item>): ReadonlyArray<Entry<Item>> =>
  Order.toArray(self.order, (entry) => entry)

/** Whether this very registration is in, visible or withheld. */
export const isIn = <Item>(self: Contents<Item>, entry: Entry<Item>): boolean =>
  holds(self, entry) || self.withheld?.holds(entry) === true

/** The entry of an equal item. */
export const find = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined =>
  findEqual(self, item, takeKeys(self.definition, item))

/**
 * The entry of an equal item, or of the object itself, though it was changed since it was registered. An object that its
 * keys do not find is looked for among all entries: that takes as long as there are many, and nothing where nobody asks.
 */
export const findCurrent = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined => {
  if (!isObject(item)) return find(self, item)
  let entry: Entry<Item> | undefined
  try {
    entry = find(self, item)
  } catch (error) {
    // its keys may have come to throw since it was registered
    const itself = findItself(self, item)
    if (itself === undefined) throw error
    return itself
  }
  return entry ?? findItself(self, item)
}

const findItself = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined =>
  entries(self).find((entry) => entry.item === item)

/**
 * Equal items have equal keys, because without an equality of their own they are compared by what they are made of. So
 * an equal item can only be the one that has the first unique key: no item need be hashed, which costs more than all
 * lookups together. Items with an equality of their own, and those without a unique key, are indexed by item.
 */
export const findEqual = <Item>(self: Contents<Item>, item: Item, keys: Keys): Entry<Item> | undefined => {
  const { lookups } = self.definition
  const first = firstUnique(self.definition, keys)
  // whatever is in has all its attributes, and so has what is equal to it; to look for it would hash an unfinished item
  if (keys.length < lookups.length && !hasOwnEquality(item)) return undefined
  if (first === -1 || hasOwnEquality(item)) return Option.getOrUndefined(HashMap.get(self.byItem, item))
  const entry = self.indexes[first]!.get(keyAt(lookups[first]!, keys[first]))
  return entry !== undefined && Equal.equals(entry.item, item) ? entry : undefined
}

/** The entry that has the first unique key of another; without one, that of an equal item. */
export const findByKeysOf = <Item>(
  self: Contents<Item>,
  { item, keys, ownEquality }: Entry<Item>
): Entry<Item> | undefined => {
  const { lookups } = self.definition
  const first = firstUnique(self.definition, keys)
  return first === -1 || ownEquality
    ? Option.getOrUndefined(HashMap.get(self.byItem, item))
    : self.indexes[first]!.get(keyAt(lookups[first]!, keys[first]))
}

/** The first unique lookup that an item has a key of, or -1. */
export const firstUnique = <Item>({ lookups }: Definition<Item>, keys: Keys): number => {
  for (let i = 0; i < keys.length; i++) {
    if (lookups[i]!.unique && keyAt(lookups[i]!, keys[i]) !== undefined) return i
  }
  return -1
}

/** The first key in the slot of a lookup. */
const keyAt = (lookup: { readonly each: boolean }, slot: unknown): unknown => lookup.each ? keysIn(slot)[0] : slot
