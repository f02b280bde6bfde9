/**
 * The contents of a registry: an immutable value, and pure functions that make the next one from the last. An item is
 * in all of its parts (order, indexes) or in none.
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
import * as Result from "effect/Result"
import * as RegistryError from "../RegistryError.ts"
import { type Definition, failure, type Keys, slotOf, takeKeys } from "./definition.ts"
import * as Hidden from "./hidden.ts"
import * as Identity from "./identity.ts"
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
    this.laterEntries = from.laterEntries
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
  | "laterEntries"
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
    laterEntries: HashMap.empty(),
    hidden: undefined,
    lastListing: undefined
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

/**
 * The entry that an item stands for, by the keys that it has or would have here: the one that has its first unique key,
 * of several the first whose holder is none of `others`; without one, that of an equal item.
 *
 * @internal
 */
export const counterpart = <Item>(
  self: Contents<Item>,
  item: Item,
  keys: Keys,
  others: ReadonlySet<Entry<Item>>
): Entry<Item> | undefined => {
  const { lookups } = self.definition
  const first = lookups.findIndex(({ unique }) => unique)
  const taken = keys[first]
  const each = first !== -1 && lookups[first]!.each ? taken as ReadonlyArray<unknown> | undefined ?? [] : [taken]
  if (each[0] === undefined) {
    const equal = findItself(self, item) ?? findEqual(self, item, keys)
    return equal === undefined || others.has(equal) ? undefined : equal
  }
  for (const key of each) {
    const holder = self.indexes[first]!.get(key)
    if (holder !== undefined && !others.has(holder)) return holder
  }
  return undefined
}

/**
 * The entry that an item stands for, visible or hidden, and whether the item is another than what is there.
 *
 * @internal
 */
export const counterpartOf = <Item>(
  self: Contents<Item>,
  item: Item,
  others: ReadonlySet<Entry<Item>>
): { readonly entry: Entry<Item>; readonly changed: boolean } | undefined => {
  const { definition } = self
  // what does not satisfy the schema need not have anything that a selector looks for
  if (definition.validate?.(item) !== undefined) return undefined
  const itself = findItself(self, item)
  const keys = takeKeys(definition, item)
  if (itself !== undefined && !others.has(itself)) {
    // an object that was changed since has other keys, perhaps
    return { entry: itself, changed: !Equal.equals(itself.keys, keys) }
  }
  const entry = counterpart(self, item, keys, others) ?? hiddenCounterpart(self, item, keys, others)
  return entry && { entry, changed: !Equal.equals(entry.item, item) }
}

/** Among what is hidden. An item that stands for something visible has been there before: it does not stand for more. */
const hiddenCounterpart = <Item>(
  self: Contents<Item>,
  item: Item,
  keys: Keys,
  others: ReadonlySet<Entry<Item>>
): Entry<Item> | undefined => {
  const { definition, hidden } = self
  if (hidden === undefined || keys.length < definition.lookups.length) return undefined
  const first = definition.lookups.findIndex(({ unique }) => unique)
  const claims = claimsOf(definition, item, keys).filter(({ slot }) => slot === first)
  const entry = claims.length === 0
    ? findEqual(self, item, keys) ?? hiddenEqual(self, item, keys, undefined)
    : claims.flatMap((claim) => visiblyClaiming(self, claim) ?? [])[0] ??
      claims.flatMap((claim) => Hidden.claiming(hidden, claim))[0]
  return entry === undefined || others.has(entry) ? undefined : entry
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
): Checked => {
  const { definition } = self
  const invalid = violation(definition, item)
  if (invalid !== undefined) return invalid
  const itself = findItself(self, item)
  const keys = itself === undefined || itself === ignoring ? takeKeys(definition, item) : []
  const equal = itself ?? findEqual(self, item, keys)
  const inTheWay = equal !== undefined && equal !== ignoring ? equal : hiddenEqual(self, item, keys, ignoring)
  if (inTheWay !== undefined) {
    const props = { code: "already_registered", item, ...ownerOf(inTheWay) } as const
    return Result.fail(failure(definition, RegistryError.AlreadyRegisteredError, props))
  }
  for (let index = 0; index < definition.lookups.length; index++) {
    const { attribute, each, unique } = definition.lookups[index]!
    if (index === keys.length) return missing(definition, item, keys)
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

type Checked = Result.Result<Keys, RegistryError.RegistrationFailure>

/**
 * The same for an override, which nothing that is there stands in the way of.
 *
 * @internal
 */
export const checkOverride = <Item>({ definition }: Contents<Item>, item: Item): Checked => {
  const invalid = violation(definition, item)
  if (invalid !== undefined) return invalid
  const keys = takeKeys(definition, item)
  return keys.length < definition.lookups.length ? missing(definition, item, keys) : Result.succeed(keys)
}

const violation = <Item>(
  definition: Definition<Item>,
  item: Item
): Result.Result<never, RegistryError.RegistrationError> | undefined => {
  const issue = definition.validate?.(item)
  return issue === undefined
    ? undefined
    : Result.fail(failure(definition, RegistryError.RegistrationError, { code: "invalid_item", item, issue }))
}

const missing = <Item>(
  definition: Definition<Item>,
  item: Item,
  keys: Keys
): Result.Result<never, RegistryError.RegistrationError> => {
  const { attribute } = definition.lookups[keys.length]!
  return Result.fail(
    failure(definition, RegistryError.RegistrationError, { code: "missing_attribute", item, attribute })
  )
}

const takenBy = <Item>(
  self: Contents<Item>,
  index: number,
  key: unknown,
  ignoring: Entry<Item> | undefined
): Entry<Item> | undefined => {
  const holder = self.indexes[index]!.get(key)
  if (holder !== undefined && holder !== ignoring) return holder
  if (self.hidden === undefined) return undefined
  const hidden = Hidden.claiming(self.hidden, { slot: index, value: key })
  return hidden.find((entry) => !isUnder(self.definition, entry, ignoring))
}

/** The entry of an equal item that is hidden, by another override than the one that is about to be replaced. */
const hiddenEqual = <Item>(
  self: Contents<Item>,
  item: Item,
  keys: Keys,
  ignoring: Entry<Item> | undefined
): Entry<Item> | undefined => {
  const { definition, hidden } = self
  if (hidden === undefined || keys.length < definition.lookups.length) return undefined
  return claimsOf(definition, item, keys)
    .flatMap((claim) => Hidden.claiming(hidden, claim))
    .find((entry) => !isUnder(definition, entry, ignoring) && Equal.equals(entry.item, item))
}

const ownerOf = <Item>({ origin: { owner } }: Entry<Item>) => owner === "" ? undefined : { owner }

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
    existing: holder.item,
    ...ownerOf(holder)
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
 * With an item that was checked, after all others or at a position that is free.
 *
 * @internal
 */
export const insert = <Item>(
  self: Contents<Item>,
  item: Item,
  keys: Keys,
  origin: Origin,
  position?: number
): Changed<Item, Entry<Item>> => {
  const contents = changing(self)
  const added = makeEntry(self.definition, item, keys, origin, position)
  show(contents, added)
  return { added, contents }
}

/** A copy to be changed in place before anybody sees it. */
const changing = <Item>(self: Contents<Item>): Contents<Item> => {
  const contents = copy(self)
  contents.indexes = self.indexes.slice()
  return contents
}

const show = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  putIn(contents, entry)
  contents.order = Order.set(contents.order, entry)
}

const unshow = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  takeOut(contents, entry)
  contents.order = Order.remove(contents.order, entry.position)
}

/**
 * Puts many items in, after all others. The indexes are filled in place until `finish`: nobody sees them before.
 *
 * @internal
 */
export class Filling<Item> {
  private readonly contents: Contents<Item>
  private readonly added: Array<Entry<Item>> = []
  private readonly origin: Origin

  constructor(start: Contents<Item>, additions: number, origin: Origin) {
    this.origin = origin
    this.contents = copy(start)
    this.contents.indexes = start.indexes.map((index) => index.begin(additions))
  }

  /** Puts an item in, or answers why it cannot be registered. */
  add(item: Item): RegistryError.RegistrationFailure | undefined {
    const { added, contents } = this
    const checked = check(contents, item)
    if (Result.isFailure(checked)) return checked.failure
    const entry = makeEntry(contents.definition, item, checked.success, this.origin)
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
 * Contents without something, and what came to light by that, in its order.
 *
 * @internal
 */
export interface Revealing<Item> {
  readonly contents: Contents<Item>
  readonly revealed: ReadonlyArray<Entry<Item>>
}

const nothing: ReadonlyArray<never> = []

/**
 * Without an entry that is in, visible or hidden.
 *
 * @internal
 */
export const remove = <Item>(self: Contents<Item>, entry: Entry<Item>): Revealing<Item> => {
  const contents = changing(self)
  if (holds(self, entry)) unshow(contents, entry)
  else unhide(contents, entry)
  return { contents, revealed: reveal(contents, under(self, entry)) }
}

/**
 * With an item that was checked in the place of an entry that is visible. What takes the place of an override is one.
 *
 * @internal
 */
export const replace = <Item>(
  self: Contents<Item>,
  previous: Entry<Item>,
  item: Item,
  keys: Keys,
  origin: Origin
): Changed<Item, Entry<Item>> & Revealing<Item> => {
  const contents = changing(self)
  takeOut(contents, previous)
  const layer = previous.origin.override ? { ...origin, override: true } : origin
  const added = makeEntry(self.definition, item, keys, layer, previous.position)
  show(contents, added)
  return { added, contents, revealed: reveal(contents, under(self, previous)) }
}

const makeEntry = <Item>(
  definition: Definition<Item>,
  item: Item,
  keys: Keys,
  origin: Origin,
  position?: number
): Entry<Item> => {
  const serial = definition.serial++
  return { item, position: position ?? serial, keys, serial, origin, ownEquality: hasOwnEquality(item) }
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
  !entry.ownEquality && firstUnique(definition, entry.keys) !== -1

// ---------------------------------------------------------------------------------------------------------------------
// Overriding
// ---------------------------------------------------------------------------------------------------------------------

/**
 * With an item that was checked above all others: those that it shares a claim with are hidden.
 *
 * @internal
 */
export const override = <Item>(
  self: Contents<Item>,
  item: Item,
  keys: Keys,
  origin: Origin
): Changed<Item, Entry<Item>> => {
  const contents = changing(self)
  for (const entry of wouldHide(self, item, keys)) {
    unshow(contents, entry)
    const hidden = contents.hidden ?? Hidden.empty(self.definition.lookups.length + 1)
    contents.hidden = Hidden.add(hidden, entry, claimsOfEntry(self.definition, entry))
  }
  const added = makeEntry(self.definition, item, keys, origin)
  show(contents, added)
  return { added, contents }
}

/**
 * What an override of an item would hide, in its order.
 *
 * @internal
 */
export const wouldHide = <Item>(self: Contents<Item>, item: Item, keys: Keys): ReadonlyArray<Entry<Item>> => {
  const claiming = claimsOf(self.definition, item, keys).flatMap((claim) => visiblyClaiming(self, claim) ?? [])
  return inOrder(new Set(claiming))
}

const inOrder = <Item>(list: Iterable<Entry<Item>>): ReadonlyArray<Entry<Item>> =>
  Array.from(list).toSorted((one, other) => one.position - other.position)

/** What an entry has for itself alone. */
const claimsOf = <Item>(
  definition: Definition<Item>,
  item: Item,
  keys: Keys,
  ownEquality = hasOwnEquality(item)
): ReadonlyArray<Hidden.Claim> => {
  const claims: Array<Hidden.Claim> = []
  definition.lookups.forEach(({ each, unique }, slot) => {
    if (!unique) return
    for (const value of each ? keys[slot] as ReadonlyArray<unknown> : [keys[slot]]) {
      if (value !== undefined) claims.push({ slot, value })
    }
  })
  if (claims.length === 0 || ownEquality) claims.push({ slot: definition.lookups.length, value: item })
  return claims
}

const claimsOfEntry = <Item>(definition: Definition<Item>, { item, keys, ownEquality }: Entry<Item>) =>
  claimsOf(definition, item, keys, ownEquality)

/** The visible entry that claims something. */
const visiblyClaiming = <Item>(self: Contents<Item>, { slot, value }: Hidden.Claim): Entry<Item> | undefined =>
  slot < self.indexes.length
    ? self.indexes[slot]!.get(value)
    // the slot after all lookups has items
    : Option.getOrUndefined(HashMap.get(self.byItem, value as Item))

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
  hidden === undefined ? nothing : Order.toArray(hidden.order, (entry) => entry)

/**
 * Without what is hidden.
 *
 * @internal
 */
export const withoutHidden = <Item>(self: Contents<Item>): Contents<Item> => {
  if (self.hidden === undefined) return self
  const contents = copy(self)
  contents.hidden = undefined
  return contents
}

/**
 * The hidden entries that an override lies above, in their order.
 *
 * @internal
 */
export const under = <Item>(self: Contents<Item>, upper: Entry<Item>): ReadonlyArray<Entry<Item>> => {
  const { definition, hidden } = self
  if (hidden === undefined || !upper.origin.override) return nothing
  const sharing = claimsOfEntry(definition, upper).flatMap((claim) => Hidden.claiming(hidden, claim))
  return inOrder(new Set(sharing.filter(({ serial }) => serial < upper.serial)))
}

const isUnder = <Item>(definition: Definition<Item>, lower: Entry<Item>, upper: Entry<Item> | undefined): boolean =>
  upper !== undefined && upper.origin.override && lower.serial < upper.serial &&
  claimsOfEntry(definition, lower).some((one) =>
    claimsOfEntry(definition, upper).some((other) => one.slot === other.slot && Equal.equals(one.value, other.value))
  )

/**
 * The newest override that hides an entry.
 *
 * @internal
 */
export const above = <Item>(self: Contents<Item>, entry: Entry<Item>): Entry<Item> | undefined => {
  const { definition, hidden } = self
  let newest: Entry<Item> | undefined
  for (const claim of claimsOfEntry(definition, entry)) {
    const visible = visiblyClaiming(self, claim)
    const others = hidden === undefined ? [] : Hidden.claiming(hidden, claim)
    for (const other of visible === undefined ? others : [visible, ...others]) {
      if (other.origin.override && other.serial > (newest ?? entry).serial) newest = other
    }
  }
  return newest
}

/**
 * The hidden entries that have a key of a unique lookup, the newest first.
 *
 * @internal
 */
export const hiddenBy = <Item>(self: Contents<Item>, attribute: string, value: unknown): ReadonlyArray<Entry<Item>> => {
  const slot = slotOf(self.definition.lookups, attribute)
  return self.hidden === undefined || slot === -1
    ? nothing
    : Hidden.claiming(self.hidden, { slot, value }).toSorted((one, other) => other.serial - one.serial)
}

const unhide = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  contents.hidden = contents.hidden && Hidden.remove(contents.hidden, entry, claimsOfEntry(contents.definition, entry))
}

/** Shows those of some hidden entries that no override hides any more. */
const reveal = <Item>(contents: Contents<Item>, candidates: ReadonlyArray<Entry<Item>>): ReadonlyArray<Entry<Item>> => {
  if (candidates.length === 0) return candidates
  const revealed = candidates.filter((entry) => above(contents, entry) === undefined)
  for (const entry of revealed) {
    unhide(contents, entry)
    show(contents, entry)
  }
  return revealed
}
