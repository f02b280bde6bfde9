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
import { isObject } from "./identity.ts"
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
  readonly position: number
  readonly keys: Keys
}

/** @internal */
export class Contents<Item> extends Pipeable.Class implements Inspectable.Inspectable, Iterable<Item> {
  readonly definition: Definition<Item>
  readonly revision: number
  readonly populated: boolean
  /** Where the next item goes: positions are never used twice. */
  readonly next: number
  readonly order: Order.Order<Entry<Item>>
  readonly indexes: ReadonlyArray<Index.Index<Item>>
  /** The entries that their unique keys do not find: see `byKeys`. */
  readonly byItem: HashMap.HashMap<Item, Entry<Item>>
  private list: ReadonlyArray<Item> | undefined

  constructor(
    definition: Definition<Item>,
    revision: number,
    populated: boolean,
    next: number,
    order: Order.Order<Entry<Item>>,
    indexes: ReadonlyArray<Index.Index<Item>>,
    byItem: HashMap.HashMap<Item, Entry<Item>>
  ) {
    super()
    this.definition = definition
    this.revision = revision
    this.populated = populated
    this.next = next
    this.order = order
    this.indexes = indexes
    this.byItem = byItem
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

/** @internal */
export const empty = <Item>(definition: Definition<Item>): Contents<Item> =>
  new Contents(
    definition,
    0,
    false,
    0,
    undefined,
    definition.lookups.map(({ unique }) => Index.make<Item>(unique)),
    HashMap.empty()
  )

/** @internal */
export const withRevision = <Item>(self: Contents<Item>, revision: number): Contents<Item> =>
  new Contents(self.definition, revision, self.populated, self.next, self.order, self.indexes, self.byItem)

/** @internal */
export const asPopulated = <Item>(self: Contents<Item>): Contents<Item> =>
  new Contents(self.definition, self.revision, true, self.next, self.order, self.indexes, self.byItem)

/**
 * Back to `Pending`, and empty.
 *
 * @internal
 */
export const asPending = <Item>(self: Contents<Item>): Contents<Item> => {
  const { byItem, indexes } = empty(self.definition)
  return new Contents(self.definition, self.revision, false, self.next, undefined, indexes, byItem)
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
export const entries = <Item>(self: Contents<Item>): ReadonlyArray<Entry<Item>> => Order.toArray(self.order, (entry) => entry)

/**
 * The entry of the item itself, whatever has become of it, or else of an equal one.
 *
 * @internal
 */
export const find = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined =>
  // the keys of an object that is in may have come to throw: it is found without them
  self.definition.identity.find(item, self.order) ??
    findEqual(self, item, takeKeys(self.definition, item))

/**
 * Equal items have equal keys, because without an equality of their own they are compared by what they are made of. So
 * an equal item can only be the one that has the first unique key: no item need be hashed, which costs more than all
 * lookups together. Items with an equality of their own, and those without a unique key, are indexed by item.
 */
const findEqual = <Item>(self: Contents<Item>, item: Item, keys: Keys): Entry<Item> | undefined => {
  const first = firstUnique(self.definition, keys)
  if (first === -1 || hasOwnEquality(item)) return Option.getOrUndefined(HashMap.get(self.byItem, item))
  const entry = self.indexes[first]!.get(keyAt(self.definition.lookups[first]!, keys[first]))
  return entry !== undefined && Equal.equals(entry.item, item) ? entry : undefined
}

/**
 * The entry that has the first unique key of an item; without a unique lookup, that of an equal item.
 *
 * @internal
 */
export const holderOfFirstKey = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined => {
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

const hasOwnEquality = (u: unknown): boolean => isObject(u) && Equal.isEqual(u)

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
  const itself = definition.identity.find(item, self.order)
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
  const entry = makeEntry(self.definition, item, self.next, keys)
  const indexes = self.indexes.slice()
  addKeys(self.definition, indexes, entry)
  const contents = new Contents(
    self.definition,
    self.revision,
    self.populated,
    self.next + 1,
    Order.set(self.order, entry),
    indexes,
    addByItem(self.definition, self.byItem, entry)
  )
  return { added: entry, contents }
}

/**
 * Puts many items in, after all others. The indexes are filled in place until `finish`: nobody sees them before.
 *
 * @internal
 */
export class Filling<Item> {
  private readonly start: Contents<Item>
  private readonly indexes: Array<Index.Index<Item>>
  private readonly added: Array<Entry<Item>> = []
  private filling: Contents<Item>

  constructor(start: Contents<Item>, additions: number) {
    this.start = start
    this.indexes = start.indexes.map((index) => index.begin(additions))
    this.filling = new Contents(
      start.definition,
      start.revision,
      start.populated,
      start.next,
      start.order,
      this.indexes,
      start.byItem
    )
  }

  /** Puts an item in, or answers why it cannot be registered. */
  add(item: Item): RegistryError.RegistrationFailure | undefined {
    const { added, indexes, start } = this
    const checked = check(this.filling, item)
    if (Result.isFailure(checked)) return checked.failure
    const entry = makeEntry(start.definition, item, start.next + added.length, checked.success)
    added.push(entry)
    addKeys(start.definition, indexes, entry)
    const byItem = addByItem(start.definition, this.filling.byItem, entry)
    if (byItem !== this.filling.byItem) {
      this.filling = new Contents(
        start.definition,
        start.revision,
        start.populated,
        start.next,
        start.order,
        indexes,
        byItem
      )
    }
    return undefined
  }

  finish(): Changed<Item, ReadonlyArray<Entry<Item>>> {
    const { added, filling, indexes, start } = this
    const contents = new Contents(
      start.definition,
      start.revision,
      start.populated,
      start.next + added.length,
      Order.append(start.order, added),
      indexes.map((index) => index.finish()),
      filling.byItem
    )
    return { added, contents }
  }
}

/**
 * Without an entry that is in.
 *
 * @internal
 */
export const remove = <Item>(self: Contents<Item>, entry: Entry<Item>): Contents<Item> => {
  const indexes = self.indexes.slice()
  removeKeys(self.definition, indexes, entry)
  return new Contents(
    self.definition,
    self.revision,
    self.populated,
    self.next,
    Order.remove(self.order, entry.position),
    indexes,
    removeByItem(self.definition, self.byItem, entry)
  )
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
  const { definition } = self
  const entry = makeEntry(definition, item, previous.position, keys)
  const indexes = self.indexes.slice()
  removeKeys(definition, indexes, previous)
  addKeys(definition, indexes, entry)
  const contents = new Contents(
    definition,
    self.revision,
    self.populated,
    self.next,
    Order.set(self.order, entry),
    indexes,
    addByItem(definition, removeByItem(definition, self.byItem, previous), entry)
  )
  return { added: entry, contents }
}

const makeEntry = <Item>(definition: Definition<Item>, item: Item, position: number, keys: Keys): Entry<Item> => {
  const entry = { item, position, keys }
  definition.identity.remember(entry)
  return entry
}

const addKeys = <Item>(definition: Definition<Item>, indexes: Array<Index.Index<Item>>, entry: Entry<Item>): void => {
  for (let i = 0; i < indexes.length; i++) {
    const taken = entry.keys[i]
    if (definition.lookups[i]!.each) {
      for (const key of taken as ReadonlyArray<unknown>) indexes[i] = indexes[i]!.add(key, entry)
    } else if (taken !== undefined) {
      indexes[i] = indexes[i]!.add(taken, entry)
    }
  }
}

const removeKeys = <Item>(
  definition: Definition<Item>,
  indexes: Array<Index.Index<Item>>,
  entry: Entry<Item>
): void => {
  for (let i = 0; i < indexes.length; i++) {
    const taken = entry.keys[i]
    if (definition.lookups[i]!.each) {
      for (const key of taken as ReadonlyArray<unknown>) indexes[i] = indexes[i]!.remove(key, entry)
    } else if (taken !== undefined) {
      indexes[i] = indexes[i]!.remove(taken, entry)
    }
  }
}

/** Whether an entry is found by its unique keys, and not by its item. */
const byKeys = <Item>(definition: Definition<Item>, entry: Entry<Item>): boolean =>
  !hasOwnEquality(entry.item) && firstUnique(definition, entry.keys) !== -1

const addByItem = <Item>(
  definition: Definition<Item>,
  byItem: Contents<Item>["byItem"],
  entry: Entry<Item>
): Contents<Item>["byItem"] => byKeys(definition, entry) ? byItem : HashMap.set(byItem, entry.item, entry)

const removeByItem = <Item>(
  definition: Definition<Item>,
  byItem: Contents<Item>["byItem"],
  entry: Entry<Item>
): Contents<Item>["byItem"] => byKeys(definition, entry) ? byItem : HashMap.remove(byItem, entry.item)
