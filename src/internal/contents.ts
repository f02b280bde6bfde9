/**
 * The contents of a registry: an immutable value, and pure functions that make the next one from the last. An item is
 * in all of its parts (order, indexes) or in none.
 *
 * @internal
 */
import * as Equal from "effect/Equal"
import * as Formatter from "effect/Formatter"
import * as HashMap from "effect/HashMap"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Pipeable from "effect/Pipeable"
import * as Result from "effect/Result"
import * as RegistryError from "../RegistryError.ts"
import { type Definition, failure, type Keys, takeKeys } from "./definition.ts"
import * as Identity from "./identity.ts"
import * as Index from "./index.ts"
import * as Order from "./order.ts"

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
  /** No other entry of the registry has the same, in whatever draft. */
  readonly serial: number
}

/**
 * The functions of this module set the fields of a copy that nobody has seen yet; from then on they stay as they are.
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
  laterEntries: Identity.LaterEntries<Item>
  private list: ReadonlyArray<Item> | undefined

  constructor(from: Pick<Contents<Item>, Part>) {
    super()
    this.definition = from.definition
    this.revision = from.revision
    this.populated = from.populated
    this.order = from.order
    this.indexes = from.indexes
    this.byItem = from.byItem
    this.laterEntries = from.laterEntries
    this.list = undefined
  }

  get size(): number {
    return Order.size(this.order)
  }

  /** Frozen, because all callers share it. */
  get values(): ReadonlyArray<Item> {
    return this.list ??= Object.freeze(Order.toArray(this.order, (entry) => entry.item))
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

type Part = "definition" | "revision" | "populated" | "order" | "indexes" | "byItem" | "laterEntries"

/** @internal */
export const empty = <Item>(definition: Definition<Item>): Contents<Item> =>
  new Contents({
    definition,
    revision: 0,
    populated: false,
    order: undefined,
    indexes: definition.lookups.map(({ unique }) => Index.make<Item>(unique)),
    byItem: HashMap.empty(),
    laterEntries: HashMap.empty()
  })

const copy = <Item>(self: Contents<Item>): Contents<Item> => new Contents(self)

/** @internal */
export const withRevision = <Item>(self: Contents<Item>, revision: number): Contents<Item> => {
  const next = copy(self)
  next.revision = revision
  return next
}

/** @internal */
export const asPopulated = <Item>(self: Contents<Item>): Contents<Item> => {
  const next = copy(self)
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

// ---------------------------------------------------------------------------------------------------------------------
// Finding
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The entry that alone has a key; nothing for an attribute that is no unique lookup.
 *
 * @internal
 */
export const get = <Item>(self: Contents<Item>, attribute: string, key: unknown): Entry<Item> | undefined => {
  const index = self.definition.lookupIndex.get(attribute)
  return index === undefined ? undefined : self.indexes[index]!.get(key)
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
 * The entry of the item itself, whatever has become of it, or else of an equal one.
 *
 * @internal
 */
export const find = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined =>
  // the keys of an object that is in may have come to throw: it is found without them
  findItself(self, item) ??
    findEqual(self, item, takeKeys(self.definition, item))

const findItself = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined =>
  Identity.find(self.definition.firstEntries, self.laterEntries, self.order, item)

/**
 * Equal items have equal keys, because without an equality of their own they are compared by what they are made of. So
 * an equal item can only be the one that has the first unique key: no item need be hashed, which costs more than all
 * lookups together. Items with an equality of their own, and those without a unique key, are indexed by item.
 */
const findEqual = <Item>(self: Contents<Item>, item: Item, keys: Keys): Entry<Item> | undefined => {
  const { lookups } = self.definition
  const first = firstUnique(self.definition, keys)
  // whatever is in has all its attributes, and so has what is equal to it; to look for it would hash an unfinished item
  if (keys.length < lookups.length && !hasOwnEquality(item)) return undefined
  if (first === -1 || hasOwnEquality(item)) return Option.getOrUndefined(HashMap.get(self.byItem, item))
  const entry = self.indexes[first]!.get(keyAt(lookups[first]!, keys[first]))
  return entry !== undefined && Equal.equals(entry.item, item) ? entry : undefined
}

/**
 * The entry that has the first unique key of an item; without a unique lookup, that of an equal item.
 *
 * @internal
 */
export const holderOfFirstKey = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined => {
  // what does not satisfy the schema need not have anything that a selector looks for
  if (self.definition.validate?.(item) !== undefined) return undefined
  const keys = takeKeys(self.definition, item)
  const index = self.definition.lookups.findIndex(({ unique }) => unique)
  if (index === -1) return find(self, item)
  const taken = keys[index]
  for (const key of self.definition.lookups[index]!.each ? taken as ReadonlyArray<unknown> ?? [] : [taken]) {
    const holder = self.indexes[index]!.get(key)
    if (holder !== undefined) return holder
  }
  return undefined
}

const hasOwnEquality = (u: unknown): boolean => Identity.isObject(u) && Equal.isEqual(u)

/** The first unique lookup that an item has a key of, or -1. */
const firstUnique = <Item>({ lookups }: Definition<Item>, keys: Keys): number => {
  for (let i = 0; i < keys.length; i++) {
    if (lookups[i]!.unique && keyAt(lookups[i]!, keys[i]) !== undefined) return i
  }
  return -1
}

/** The first key in the slot of a lookup. */
const keyAt = (lookup: { readonly each: boolean }, slot: unknown): unknown =>
  lookup.each ? (slot as ReadonlyArray<unknown>)[0] : slot

// ---------------------------------------------------------------------------------------------------------------------
// Checking
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The keys of an item that can be registered, or why it cannot: in order, the schema, an equal item, and lookup by
 * lookup an attribute that is missing or taken. What `ignoring` holds is free: it is about to be replaced.
 *
 * @internal
 */
export const check = <Item>(
  self: Contents<Item>,
  item: Item,
  ignoring?: Entry<Item>
): Result.Result<Keys, RegistryError.RegistrationFailure> => {
  const { definition } = self
  const issue = definition.validate?.(item)
  if (issue !== undefined) {
    return Result.fail(failure(definition, RegistryError.RegistrationError, { code: "invalid_item", item, issue }))
  }
  const itself = findItself(self, item)
  const keys = itself === undefined || itself === ignoring ? takeKeys(definition, item) : []
  const equal = itself ?? findEqual(self, item, keys)
  if (equal !== undefined && equal !== ignoring) {
    return Result.fail(failure(definition, RegistryError.AlreadyRegisteredError, { code: "already_registered", item }))
  }
  for (let index = 0; index < definition.lookups.length; index++) {
    const { attribute, each, unique } = definition.lookups[index]!
    if (index === keys.length) {
      return Result.fail(
        failure(definition, RegistryError.RegistrationError, { code: "missing_attribute", item, attribute })
      )
    }
    if (!unique) continue
    const taken = keys[index]
    if (each) {
      for (const key of taken as ReadonlyArray<unknown>) {
        const holder = takenBy(self, index, key, ignoring)
        if (holder !== undefined) return attributeRegistered(definition, item, attribute, key, holder)
      }
    } else if (taken !== undefined) {
      const holder = takenBy(self, index, taken, ignoring)
      if (holder !== undefined) return attributeRegistered(definition, item, attribute, taken, holder)
    }
  }
  return Result.succeed(keys)
}

const takenBy = <Item>(
  self: Contents<Item>,
  index: number,
  key: unknown,
  ignoring: Entry<Item> | undefined
): Entry<Item> | undefined => {
  const holder = self.indexes[index]!.get(key)
  return holder === ignoring ? undefined : holder
}

const attributeRegistered = <Item>(
  definition: Definition<Item>,
  item: Item,
  attribute: string,
  value: unknown,
  holder: Entry<Item>
): Result.Result<never, RegistryError.RegistrationFailure> =>
  Result.fail(failure(definition, RegistryError.AlreadyRegisteredError, {
    code: "attribute_registered",
    item,
    attribute,
    value,
    existing: holder.item
  }))

// ---------------------------------------------------------------------------------------------------------------------
// Changing
// ---------------------------------------------------------------------------------------------------------------------

/**
 * What was put in, and the contents with it.
 *
 * @internal
 */
export interface Changed<Item, Added> {
  readonly added: Added
  readonly contents: Contents<Item>
}

/**
 * With an item that was checked, after all others.
 *
 * @internal
 */
export const insert = <Item>(self: Contents<Item>, item: Item, keys: Keys): Changed<Item, Entry<Item>> => {
  const contents = copy(self)
  contents.indexes = self.indexes.slice()
  const added = makeEntry(self.definition, item, keys)
  putIn(contents, added)
  contents.order = Order.set(self.order, added)
  return { added, contents }
}

/**
 * Puts many items in, after all others. The indexes are filled in place until `finish`: nobody sees them before.
 *
 * @internal
 */
export class Filling<Item> {
  private readonly contents: Contents<Item>
  private readonly added: Array<Entry<Item>> = []

  constructor(start: Contents<Item>, additions: number) {
    this.contents = copy(start)
    this.contents.indexes = start.indexes.map((index) => index.begin(additions))
  }

  /** Puts an item in, or answers why it cannot be registered. */
  add(item: Item): RegistryError.RegistrationFailure | undefined {
    const { added, contents } = this
    const checked = check(contents, item)
    if (Result.isFailure(checked)) return checked.failure
    const entry = makeEntry(contents.definition, item, checked.success)
    putIn(contents, entry)
    added.push(entry)
    return undefined
  }

  finish(): Changed<Item, ReadonlyArray<Entry<Item>>> {
    const { added, contents } = this
    contents.indexes = contents.indexes.map((index) => index.finish())
    contents.order = Order.append(contents.order, added)
    return { added, contents }
  }
}

/**
 * Without an entry that is in.
 *
 * @internal
 */
export const remove = <Item>(self: Contents<Item>, entry: Entry<Item>): Contents<Item> => {
  const contents = copy(self)
  contents.indexes = self.indexes.slice()
  takeOut(contents, entry)
  contents.order = Order.remove(self.order, entry.position)
  return contents
}

/**
 * With an item that was checked in the place of an entry that is in.
 *
 * @internal
 */
export const replace = <Item>(
  self: Contents<Item>,
  previous: Entry<Item>,
  item: Item,
  keys: Keys
): Changed<Item, Entry<Item>> => {
  const contents = copy(self)
  contents.indexes = self.indexes.slice()
  takeOut(contents, previous)
  const added = makeEntry(self.definition, item, keys, previous.position)
  putIn(contents, added)
  contents.order = Order.set(self.order, added)
  return { added, contents }
}

const makeEntry = <Item>(
  definition: Definition<Item>,
  item: Item,
  keys: Keys,
  position?: number
): Entry<Item> => {
  const serial = definition.serial++
  return { item, position: position ?? serial, keys, serial }
}

/** In all but the order. The array of indexes is a copy that nobody has seen, and is changed in place. */
const putIn = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  const { definition } = contents
  const indexes = contents.indexes as Array<Index.Index<Item>>
  for (let i = 0; i < indexes.length; i++) {
    const slot = entry.keys[i]
    if (definition.lookups[i]!.each) {
      for (const key of slot as ReadonlyArray<unknown>) indexes[i] = indexes[i]!.add(key, entry)
    } else if (slot !== undefined) {
      indexes[i] = indexes[i]!.add(slot, entry)
    }
  }
  contents.laterEntries = Identity.add(definition.firstEntries, contents.laterEntries, entry)
  if (!isFoundByKeys(definition, entry)) contents.byItem = HashMap.set(contents.byItem, entry.item, entry)
}

/** The reverse. */
const takeOut = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  const { byItem, definition } = contents
  const indexes = contents.indexes as Array<Index.Index<Item>>
  for (let i = 0; i < indexes.length; i++) {
    const slot = entry.keys[i]
    if (definition.lookups[i]!.each) {
      for (const key of slot as ReadonlyArray<unknown>) indexes[i] = indexes[i]!.remove(key, entry)
    } else if (slot !== undefined) {
      indexes[i] = indexes[i]!.remove(slot, entry)
    }
  }
  contents.laterEntries = Identity.remove(definition.firstEntries, contents.laterEntries, entry)
  if (isFoundByKeys(definition, entry)) return
  const isThere = Option.getOrUndefined(HashMap.get(byItem, entry.item)) === entry
  contents.byItem = isThere
    ? HashMap.remove(byItem, entry.item)
    // a `Date`, whose hash Effect does not keep, was changed since it was registered
    : HashMap.filter(byItem, (other) => other !== entry)
}

const isFoundByKeys = <Item>(definition: Definition<Item>, entry: Entry<Item>): boolean =>
  !hasOwnEquality(entry.item) && firstUnique(definition, entry.keys) !== -1
