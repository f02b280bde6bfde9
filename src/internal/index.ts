/**
 * The entries of a registry by the keys of one lookup: persistent, like the `HashMap` that it is made of.
 *
 * @internal
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Entry } from "./contents.ts"
import * as Order from "./order.ts"

/** @internal */
export interface Index<Item> {
  /** The entry that alone has the key. */
  readonly get: (key: unknown) => Entry<Item> | undefined
  /** All entries that have the key, in registration order. */
  readonly getAll: (key: unknown) => ReadonlyArray<Item>
  readonly has: (key: unknown) => boolean
  readonly keys: () => Iterable<unknown>
  readonly add: (key: unknown, entry: Entry<Item>) => Index<Item>
  readonly remove: (key: unknown, entry: Entry<Item>) => Index<Item>
  /** An index that is changed in place until it is `finish`ed; this one stays as it is. */
  readonly begin: () => Index<Item>
  readonly finish: () => void
}

class UniqueIndex<Item> implements Index<Item> {
  readonly map: HashMap.HashMap<unknown, Entry<Item>>
  constructor(map: HashMap.HashMap<unknown, Entry<Item>>) {
    this.map = map
  }
  get(key: unknown) {
    return Option.getOrUndefined(HashMap.get(this.map, key))
  }
  getAll(key: unknown) {
    const entry = this.get(key)
    return entry === undefined ? [] : [entry.item]
  }
  has(key: unknown) {
    return HashMap.has(this.map, key)
  }
  keys() {
    return HashMap.keys(this.map)
  }
  add(key: unknown, entry: Entry<Item>) {
    return this.with(HashMap.set(this.map, key, entry))
  }
  remove(key: unknown) {
    return this.with(HashMap.remove(this.map, key))
  }
  begin() {
    return new UniqueIndex(HashMap.beginMutation(this.map))
  }
  finish() {
    HashMap.endMutation(this.map)
  }
  private with(map: HashMap.HashMap<unknown, Entry<Item>>) {
    return map === this.map ? this : new UniqueIndex(map)
  }
}

class GroupIndex<Item> implements Index<Item> {
  readonly map: HashMap.HashMap<unknown, Order.Order<Entry<Item>>>
  constructor(map: HashMap.HashMap<unknown, Order.Order<Entry<Item>>>) {
    this.map = map
  }
  get() {
    return undefined
  }
  getAll(key: unknown) {
    return Order.toArray(this.group(key), (entry) => entry.item)
  }
  has(key: unknown) {
    return HashMap.has(this.map, key)
  }
  keys() {
    return HashMap.keys(this.map)
  }
  add(key: unknown, entry: Entry<Item>) {
    return this.with(HashMap.set(this.map, key, Order.set(this.group(key), entry)))
  }
  remove(key: unknown, entry: Entry<Item>) {
    const rest = Order.remove(this.group(key), entry.position)
    return this.with(rest === undefined ? HashMap.remove(this.map, key) : HashMap.set(this.map, key, rest))
  }
  begin() {
    return new GroupIndex(HashMap.beginMutation(this.map))
  }
  finish() {
    HashMap.endMutation(this.map)
  }
  private group(key: unknown): Order.Order<Entry<Item>> {
    return Option.getOrUndefined(HashMap.get(this.map, key))
  }
  private with(map: HashMap.HashMap<unknown, Order.Order<Entry<Item>>>) {
    return map === this.map ? this : new GroupIndex(map)
  }
}

/** @internal */
export const make = <Item>(unique: boolean): Index<Item> =>
  unique ? new UniqueIndex<Item>(HashMap.empty()) : new GroupIndex<Item>(HashMap.empty())
