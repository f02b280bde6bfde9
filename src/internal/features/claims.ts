/**
 * What entries claim, each for itself alone, and by that what overrides what: an override hides what it shares a claim
 * with, and lies above it.
 *
 * @internal
 */
import * as Equal from "effect/Equal"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { type Contents, type Entry, hasOwnEquality } from "../store/contents.ts"
import { type Definition, type Keys, keysIn, slotOf } from "../store/definition.ts"
import * as Hidden from "./hidden.ts"

/**
 * What an entry has for itself alone.
 *
 * @internal
 */
export const claimsOf = <Item>(
  definition: Definition<Item>,
  item: Item,
  keys: Keys,
  ownEquality = hasOwnEquality(item)
): ReadonlyArray<Hidden.Claim> => {
  const claims: Array<Hidden.Claim> = []
  definition.lookups.forEach(({ each, unique }, slot) => {
    if (!unique) return
    for (const value of each ? keysIn(keys[slot]) : [keys[slot]]) {
      if (value !== undefined) claims.push({ slot, value })
    }
  })
  if (claims.length === 0 || ownEquality) claims.push({ slot: definition.lookups.length, value: item })
  return claims
}

/** @internal */
export const claimsOfEntry = <Item>(definition: Definition<Item>, { item, keys, ownEquality }: Entry<Item>) =>
  claimsOf(definition, item, keys, ownEquality)

/** The visible entry that claims something. */
const visiblyClaiming = <Item>(self: Contents<Item>, { slot, value }: Hidden.Claim): Entry<Item> | undefined =>
  slot < self.indexes.length
    ? self.indexes[slot]!.get(value)
    // the slot after all lookups has items
    : Option.getOrUndefined(HashMap.get(self.byItem, value as Item))

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

/**
 * The hidden entries that an override lies above, in their order.
 *
 * @internal
 */
export const under = <Item>(self: Contents<Item>, upper: Entry<Item>): ReadonlyArray<Entry<Item>> => {
  const { definition, hidden } = self
  if (hidden === undefined || !upper.origin.override) return []
  const sharing = claimsOfEntry(definition, upper).flatMap((claim) => Hidden.claiming(hidden, claim))
  return inOrder(new Set(sharing.filter(({ serial }) => serial < upper.serial)))
}

/** @internal */
export const isUnder = <Item>(
  definition: Definition<Item>,
  lower: Entry<Item>,
  upper: Entry<Item> | undefined
): boolean =>
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
 * The hidden entries that have a key of a lookup, which is a unique one, the newest first.
 *
 * @internal
 */
export const hiddenBy = <Item>(self: Contents<Item>, attribute: string, value: unknown): ReadonlyArray<Entry<Item>> => {
  if (self.hidden === undefined) return []
  const slot = slotOf(self.definition.lookups, attribute)
  return Hidden.claiming(self.hidden, { slot, value }).toSorted((one, other) => other.serial - one.serial)
}

/**
 * The entry of an equal item that is hidden, by another override than the one that is about to be replaced.
 *
 * @internal
 */
export const hiddenEqual = <Item>(
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
