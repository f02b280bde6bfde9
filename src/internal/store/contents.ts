/**
 * The contents of a registry: an immutable value, and how something is found in it. An item is in all of its parts
 * (order, indexes) or in none.
 *
 * @internal
 */
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as HashMap from "effect/HashMap"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Pipeable from "effect/Pipeable"
import * as Hidden from "../features/hidden.ts"
import { type Definition, type Keys, keysIn, slotOf, takeKeys } from "./definition.ts"
import { Identity, isObject } from "./identity.ts"
import * as Index from "./index.ts"
import { Listing } from "./listing.ts"
import * as Order from "./order.ts"
import type { Origin } from "./owner.ts"

/**
 * One registration: an item, its place, and the keys with which it was registered. A later registration of the same
 * item is another entry.
 *
 * @internal
 */
export interface Entry<out Item> {
  readonly item: Item
  /** Entries stand in the order of their positions. One that takes the place of another has its position. */
  readonly position: number
  readonly keys: Keys
  /** No other entry of the registry has the same, in whatever draft: a later one has a higher. */
  readonly serial: number
  readonly origin: Origin
  /** Whether the item had an equality of its own: what has become of it since may not be able to tell. */
  readonly ownEquality: boolean
}

/**
 * The fields of a copy that nobody has seen yet are set by whoever made it; from then on they stay as they are.
 *
 * @internal
 */
export class Contents<Item> extends Pipeable.Class implements Inspectable.Inspectable, Iterable<Item> {
  readonly definition: Definition<Item>
  revision: number
  populated: boolean
  order: Order.Order<Entry<Item>>
  indexes: ReadonlyArray<Index.Index<Item>>
  /** The entries that no unique key finds, and those whose items have an equality of their own. */
  byItem: HashMap.HashMap<Item, Entry<Item>>
  identity: Identity<Item>
  /** What overrides hide; nothing where they hide nothing. */
  hidden: Hidden.Hidden<Item> | undefined
  private list: ReadonlyArray<Item> | undefined
  private exit: Exit.Exit<ReadonlyArray<Item>> | undefined
  /** Held by the contents that were asked for their list, and by no later ones: items that are gone would be in it. */
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
    this.identity = from.identity
    this.hidden = from.hidden
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
  | "identity"
  | "hidden"
  | "lastListing"

/** @internal */
export const empty = <Item>(definition: Definition<Item>): Contents<Item> =>
  new Contents({
    definition,
    revision: 0,
    populated: false,
    order: undefined,
    indexes: definition.lookups.map(({ unique }) => Index.make<Item>(unique)),
    byItem: HashMap.empty(),
    identity: Identity.empty(),
    hidden: undefined,
    lastListing: undefined
  })

/** @internal */
export const withRevision = <Item>(self: Contents<Item>, revision: number): Contents<Item> => {
  const next = new Contents(self)
  next.revision = revision
  return next
}

/** @internal */
export const asPopulated = <Item>(self: Contents<Item>): Contents<Item> => {
  const next = new Contents(self)
  next.populated = true
  return next
}

/**
 * Back to `Pending`, and empty.
 *
 * @internal
 */
export const asPending = <Item>(self: Contents<Item>): Contents<Item> =>
  withRevision(empty(self.definition), self.revision)

/**
 * Without what overrides hide.
 *
 * @internal
 */
export const withoutHidden = <Item>(self: Contents<Item>): Contents<Item> => {
  if (self.hidden === undefined) return self
  const contents = new Contents(self)
  contents.hidden = undefined
  return contents
}

// ---------------------------------------------------------------------------------------------------------------------
// Finding
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The entry that alone has a key; nothing for an attribute that is no unique lookup.
 *
 * @internal
 */
export const get = <Item>(self: Contents<Item>, attribute: string, key: unknown): Entry<Item> | undefined => {
  const slot = slotOf(self.definition.lookups, attribute)
  return slot === -1 ? undefined : self.indexes[slot]!.get(key)
}

/** @internal */
export const at = <Item>(self: Contents<Item>, index: number): Entry<Item> | undefined =>
  Number.isInteger(index) ? Order.at(self.order, index < 0 ? index + self.size : index) : undefined

/**
 * Whether this very registration is in.
 *
 * @internal
 */
export const holds = <Item>(self: Contents<Item>, entry: Entry<Item>): boolean =>
  Order.get(self.order, entry.position) === entry

/** @internal */
export const entries = <Item>(self: Contents<Item>): ReadonlyArray<Entry<Item>> =>
  Order.toArray(self.order, (entry) => entry)

/**
 * Whether an entry is hidden.
 *
 * @internal
 */
export const isHidden = <Item>({ hidden }: Contents<Item>, entry: Entry<Item>): boolean =>
  hidden !== undefined && Hidden.holds(hidden, entry)

/**
 * Whether an entry is in, visible or hidden.
 *
 * @internal
 */
export const isIn = <Item>(self: Contents<Item>, entry: Entry<Item>): boolean =>
  holds(self, entry) || isHidden(self, entry)

/**
 * The hidden entries, in their order.
 *
 * @internal
 */
export const hiddenEntries = <Item>({ hidden }: Contents<Item>): ReadonlyArray<Entry<Item>> =>
  hidden === undefined ? [] : Order.toArray(hidden.order, (entry) => entry)

/**
 * The entry of the item itself, whatever has become of it, or else of an equal one.
 *
 * @internal
 */
export const find = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined =>
  // the keys of an object that is in may have come to throw: it is found without them
  findItself(self, item) ??
    findEqual(self, item, takeKeys(self.definition, item))

/** @internal */
export const findItself = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined =>
  self.identity.find(self.order, item)

/**
 * Equal items have equal keys, because without an equality of their own they are compared by what they are made of. So
 * an equal item can only be the one that has the first unique key: no item need be hashed, which costs more than all
 * lookups together. Items with an equality of their own, and those without a unique key, are indexed by item.
 *
 * @internal
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

/** @internal */
export const hasOwnEquality = (u: unknown): boolean => isObject(u) && Equal.symbol in u

/**
 * The first unique lookup that an item has a key of, or -1.
 *
 * @internal
 */
export const firstUnique = <Item>({ lookups }: Definition<Item>, keys: Keys): number => {
  for (let i = 0; i < keys.length; i++) {
    if (lookups[i]!.unique && keyAt(lookups[i]!, keys[i]) !== undefined) return i
  }
  return -1
}

/** The first key in the slot of a lookup. */
const keyAt = (lookup: { readonly each: boolean }, slot: unknown): unknown => lookup.each ? keysIn(slot)[0] : slot
