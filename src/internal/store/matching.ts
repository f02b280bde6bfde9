/**
 * Which entry an item stands for, where items are told apart by their keys: what is upserted, reconciled or compared.
 */
import * as Equal from "effect/Equal"
import { type Contents, findEqual } from "./contents.ts"
import { type Definition, type Keys, keysIn, takeKeys } from "./definition.ts"
import type { Entry } from "./entry.ts"

/** The entry that has the first unique key of an item; without a unique lookup, that of an equal item. */
export const holderOfFirstKey = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined => {
  // what does not satisfy the schema need not have anything that a selector looks for
  if (self.definition.validate?.(item) !== undefined) return undefined
  const keys = takeKeys(self.definition, item)
  const first = firstKeys(self.definition, keys)
  return first.slot === -1 ? findEqual(self, item, keys) : holderOf(self, first)
}

/** The first unique lookup, or -1, and what an item has of it. */
interface FirstKeys {
  readonly slot: number
  readonly values: ReadonlyArray<unknown>
}

const firstKeys = <Item>({ lookups }: Definition<Item>, keys: Keys): FirstKeys => {
  const slot = lookups.findIndex(({ unique }) => unique)
  const taken = keys[slot]
  return {
    slot,
    values: taken === undefined ? [] : lookups[slot]!.each ? keysIn(taken) : [taken]
  }
}

/** The holder of the first key that has one, which is none of `others`. */
const holderOf = <Item>(
  self: Contents<Item>,
  { slot, values }: FirstKeys,
  others?: ReadonlySet<Entry<Item>>
): Entry<Item> | undefined => {
  for (const value of values) {
    const holder = self.indexes[slot]!.get(value)
    if (holder !== undefined && others?.has(holder) !== true) return holder
  }
  return undefined
}

/**
 * The entry that an item stands for, by the keys that it has or would have here: the one that has its first unique key,
 * of several the first whose holder is none of `others`; without one, that of an equal item.
 */
export const counterpart = <Item>(
  self: Contents<Item>,
  item: Item,
  keys: Keys,
  others: ReadonlySet<Entry<Item>>
): Entry<Item> | undefined => {
  const first = firstKeys(self.definition, keys)
  if (first.values.length > 0) return holderOf(self, first, others)
  const equal = findEqual(self, item, keys)
  return equal === undefined || others.has(equal) ? undefined : equal
}

/** The entry that an item stands for, visible or withheld, and whether the item is another than what is there. */
export const counterpartOf = <Item>(
  self: Contents<Item>,
  item: Item,
  others: ReadonlySet<Entry<Item>>
): { readonly entry: Entry<Item>; readonly changed: boolean } | undefined => {
  const { definition } = self
  // what does not satisfy the schema need not have anything that a selector looks for
  if (definition.validate?.(item) !== undefined) return undefined
  const keys = takeKeys(definition, item)
  const entry = counterpart(self, item, keys, others) ?? withheldCounterpart(self, item, keys, others)
  // an object that was changed since it was registered equals itself, and has other keys
  return entry && { entry, changed: !Equal.equals(entry.item, item) || !Equal.equals(entry.keys, keys) }
}

/** Among what is withheld. An item that stands for something visible has been there before: it does not stand for more. */
const withheldCounterpart = <Item>(
  self: Contents<Item>,
  item: Item,
  keys: Keys,
  others: ReadonlySet<Entry<Item>>
): Entry<Item> | undefined => {
  const { definition, withheld } = self
  if (withheld === undefined || keys.length < definition.lookups.length) return undefined
  const first = firstKeys(definition, keys)
  const entry = first.values.length === 0
    ? findEqual(self, item, keys) ?? withheld.equal(item, keys, undefined)
    : holderOf(self, first) ?? firstOf(first.values, (value) => withheld.holder(first.slot, value, undefined))
  return entry === undefined || others.has(entry) ? undefined : entry
}

const firstOf = <A, B>(list: ReadonlyArray<A>, f: (a: A) => B | undefined): B | undefined => {
  for (const a of list) {
    const b = f(a)
    if (b !== undefined) return b
  }
  return undefined
}
