/**
 * How an object is found that was changed since it was registered, so that neither its keys nor its hash find it.
 *
 * @internal
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Entry } from "./contents.ts"
import * as Order from "./order.ts"

/**
 * The entry that each object was registered as first, in whatever draft. It only says where to look: it is in if the
 * contents hold it, and so nothing need be taken back when a draft is given up. Nearly all objects are registered once.
 *
 * @internal
 */
export type FirstEntries<Item> = WeakMap<object, Entry<Item>>

/**
 * The entries, by the serial number of the first one, of objects that are in as another than their first.
 *
 * @internal
 */
export type LaterEntries<Item> = HashMap.HashMap<number, Entry<Item>>

/**
 * The entry that an object is in as.
 *
 * @internal
 */
export const find = <Item>(
  first: FirstEntries<Item>,
  later: LaterEntries<Item>,
  order: Order.Order<Entry<Item>>,
  item: Item
): Entry<Item> | undefined => {
  const entry = isObject(item) ? first.get(item) : undefined
  if (entry === undefined || Order.get(order, entry.position) === entry) return entry
  return Option.getOrUndefined(HashMap.get(later, entry.serial))
}

/** @internal */
export const add = <Item>(
  first: FirstEntries<Item>,
  later: LaterEntries<Item>,
  entry: Entry<Item>
): LaterEntries<Item> => {
  if (!isObject(entry.item)) return later
  const before = first.get(entry.item)
  // an entry that comes to light again is its own first one
  if (before === entry) return later
  if (before !== undefined) return HashMap.set(later, before.serial, entry)
  first.set(entry.item, entry)
  return later
}

/** @internal */
export const remove = <Item>(
  first: FirstEntries<Item>,
  later: LaterEntries<Item>,
  entry: Entry<Item>
): LaterEntries<Item> => {
  const before = isObject(entry.item) ? first.get(entry.item) : undefined
  return before === undefined || before === entry ? later : HashMap.remove(later, before.serial)
}

/** @internal */
export const isObject = (u: unknown): u is object => typeof u === "object" ? u !== null : typeof u === "function"
