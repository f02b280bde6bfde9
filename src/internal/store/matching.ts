/** Which entry an item stands for, where items are told apart by their keys: in upserts, reconciliations and diffs. */
import { type Contents, findEqual } from "./contents.ts"
import { type Definition, type Keys, keysIn, takeKeys } from "./definition.ts"
import type { Entry } from "./entry.ts"
import { same } from "./same.ts"

/** The entry that has the first unique key of an item; without one, that of the same item. */
export const holderOfFirstKey = <Item>(self: Contents<Item>, item: Item): Entry<Item> | undefined => {
  const keys = validKeys(self.definition, item)
  if (keys === undefined) return undefined
  const { slot, values } = firstKeys(self.definition, keys)
  const { indexes, withheld } = self
  for (const value of values) {
    const holder = indexes[slot]!.entry(value) ?? withheld?.standIn(self, slot, value)
    if (holder !== undefined) return holder
  }
  return findEqual(self, item, keys) ?? withheld?.standInFor(self, item, keys)
}

/** Whether the same item is in, visible or withheld. */
export const isIn = <Item>(self: Contents<Item>, item: Item): boolean => {
  const keys = validKeys(self.definition, item)
  return keys !== undefined &&
    (findEqual(self, item, keys) ?? self.withheld?.equal(item, keys, undefined)) !== undefined
}

/** An item that does not satisfy the schema need not have anything that a selector looks for. */
const validKeys = <Item>(definition: Definition<Item>, item: Item): Keys | undefined =>
  definition.validate?.(item) === undefined ? takeKeys(definition, item) : undefined

/** The first unique lookup, or -1, and the keys that an item has of it. */
interface FirstKeys {
  readonly slot: number
  readonly values: ReadonlyArray<unknown>
}

const firstKeys = <Item>({ lookups }: Definition<Item>, keys: Keys): FirstKeys => {
  const slot = lookups.findIndex(({ unique }) => unique)
  const taken = keys[slot]
  return { slot, values: taken === undefined ? [] : lookups[slot]!.each ? keysIn(taken) : [taken] }
}

/** The holder of the first key that has one, which is none of `others`. */
const holderOf = <Item>(
  { indexes }: Contents<Item>,
  { slot, values }: FirstKeys,
  others: ReadonlySet<Entry<Item>>
): Entry<Item> | undefined => {
  for (const value of values) {
    const holder = indexes[slot]!.entry(value)
    if (holder !== undefined && !others.has(holder)) return holder
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
  return other(findEqual(self, item, keys), others)
}

const other = <Item>(entry: Entry<Item> | undefined, others: ReadonlySet<Entry<Item>>): Entry<Item> | undefined =>
  entry !== undefined && others.has(entry) ? undefined : entry

/** The registration that an item stands for, visible or withheld, and whether the item differs from its own. */
export const counterpartOf = <Item>(
  self: Contents<Item>,
  item: Item,
  isCandidate: (entry: Entry<Item>) => boolean
): { readonly entry: Entry<Item>; readonly changed: boolean } | undefined => {
  const keys = validKeys(self.definition, item)
  const entry = keys && registrationOf(self, item, keys, isCandidate)
  return entry && { entry, changed: isChange(self.definition, entry, item, keys) }
}

/** Whether an item differs from the one of an entry, or has other keys: the same object may have been changed. */
export const isChange = <Item>(
  definition: Definition<Item>,
  entry: Entry<Item>,
  item: Item,
  keys = takeKeys(definition, item)
): boolean =>
  !definition.same(entry.item, item) || definition.lookups.some(({ each }, slot) => {
    const [before, now] = [entry.keys[slot], keys[slot]]
    // the order of several does not count: sets that are the same may be iterated in another one
    return !(each ? same(new Set(keysIn(before)), new Set(keysIn(now))) : same(before, now))
  })

const registrationOf = <Item>(
  self: Contents<Item>,
  item: Item,
  keys: Keys,
  isCandidate: (entry: Entry<Item>) => boolean
): Entry<Item> | undefined => {
  const { definition, indexes, withheld } = self
  const { slot, values } = firstKeys(definition, keys)
  const candidates = values.length === 0
    ? [findEqual(self, item, keys), withheld?.equal(item, keys, undefined)]
    : values.flatMap((value) => [indexes[slot]!.entry(value), withheld?.holder(slot, value, undefined)])
  return candidates.find((entry) => entry !== undefined && isCandidate(entry))
}
