/**
 * The next contents, made from the last: with an item, without an entry, with one in the place of another or above
 * others. Each function changes a copy before anybody sees it.
 *
 * @internal
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as RegistryError from "../../RegistryError.ts"
import { above, claimsOfEntry, under, wouldHide } from "../features/claims.ts"
import * as Hidden from "../features/hidden.ts"
import { check } from "./check.ts"
import { Contents, type Entry, firstUnique, hasOwnEquality, holds } from "./contents.ts"
import { type Definition, type Keys, keysIn } from "./definition.ts"
import type * as Index from "./index.ts"
import * as Order from "./order.ts"
import { type Origin, overriding } from "./owner.ts"

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

/**
 * Puts many items in, after all others. The indexes are filled in place until `finish`: nobody sees them before.
 *
 * @internal
 */
export class Filling<Item> {
  private readonly contents: Contents<Item>
  private readonly added: Array<Entry<Item>> = []
  /** Whether its objects are looked at when somebody looks for one. */
  private readonly looksLater: boolean
  private readonly origin: Origin

  constructor(start: Contents<Item>, additions: number, origin: Origin) {
    this.origin = origin
    this.contents = new Contents(start)
    this.contents.indexes = start.indexes.map((index) => index.begin(additions))
    this.looksLater = additions > few && additions <= many
    if (this.looksLater) this.contents.identity = start.identity.begin(start.size, (entry) => holds(start, entry))
  }

  /** Puts an item in, or answers why it cannot be registered. */
  add(item: Item): RegistryError.RegistrationFailure | undefined {
    const { added, contents } = this
    const checked = check(contents, item)
    if (Result.isFailure(checked)) return checked.failure
    const entry = makeEntry(contents.definition, item, checked.success, this.origin)
    putIn(contents, entry)
    if (!this.looksLater) contents.identity = contents.identity.add(entry)
    added.push(entry)
    return undefined
  }

  finish(): Changed<Item, ReadonlyArray<Entry<Item>>> {
    const { added, contents } = this
    contents.indexes = contents.indexes.map((index) => index.finish())
    contents.order = Order.append(contents.order, added)
    if (this.looksLater) contents.identity.listLater(added)
    return { added, contents }
  }
}

/** So few items are put in as if each came by itself. */
const few = 32

/** More are too many to be looked at in one step: it would be a stall that others notice. */
const many = 10_000

/**
 * Contents without something, and what came to light by that, in its order.
 *
 * @internal
 */
interface Revealing<Item> {
  readonly contents: Contents<Item>
  readonly revealed: ReadonlyArray<Entry<Item>>
}

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
  const layer = previous.origin.override ? overriding(origin) : origin
  const added = makeEntry(self.definition, item, keys, layer, previous.position)
  show(contents, added)
  return { added, contents, revealed: reveal(contents, under(self, previous)) }
}

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

const unhide = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  contents.hidden = contents.hidden && Hidden.remove(contents.hidden, entry, claimsOfEntry(contents.definition, entry))
}

/** A copy to be changed in place before anybody sees it. */
const changing = <Item>(self: Contents<Item>): Contents<Item> => {
  const contents = new Contents(self)
  contents.indexes = self.indexes.slice()
  return contents
}

const makeEntry = <Item>(
  definition: Definition<Item>,
  item: Item,
  keys: Keys,
  origin: Origin,
  position?: number
): Entry<Item> => {
  const serial = definition.serial++
  return new Registration(item, position ?? serial, keys, serial, origin)
}

/** Made by a constructor for the reason that nodes of an order are. */
class Registration<Item> implements Entry<Item> {
  readonly item: Item
  readonly position: number
  readonly keys: Keys
  readonly serial: number
  readonly origin: Origin
  readonly ownEquality: boolean

  constructor(item: Item, position: number, keys: Keys, serial: number, origin: Origin) {
    this.item = item
    this.position = position
    this.keys = keys
    this.serial = serial
    this.origin = origin
    this.ownEquality = hasOwnEquality(item)
  }
}

const show = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  putIn(contents, entry)
  contents.identity = contents.identity.add(entry)
  contents.order = Order.set(contents.order, entry)
}

const unshow = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
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

/** The reverse. */
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
  contents.identity = contents.identity.remove(entry)
  if (isFoundByKeys(definition, entry)) return
  const isThere = Option.getOrUndefined(HashMap.get(byItem, entry.item)) === entry
  contents.byItem = isThere
    ? HashMap.remove(byItem, entry.item)
    // a `Date`, whose hash Effect does not keep, was changed since it was registered
    : HashMap.filter(byItem, (other) => other !== entry)
}

const isFoundByKeys = <Item>(definition: Definition<Item>, entry: Entry<Item>): boolean =>
  !entry.ownEquality && firstUnique(definition, entry.keys) !== -1
