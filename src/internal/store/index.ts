/** The entries of a registry by the keys of one slot, persistent: a change answers a new index. */
import { Entry } from "./entry.ts"
import { keyOf } from "./key.ts"
import { KeyMap } from "./keyMap.ts"
import * as Order from "./order.ts"

/** The entries that have a key, and the id of the one that was added or removed last. */
class Group<Item> {
  declare readonly id: number
  declare readonly entries: Order.Order<Entry<Item>>

  constructor(id: number, entries: Order.Order<Entry<Item>>) {
    this.id = id
    this.entries = entries
  }
}

/** Answers the key that stands for a value. */
export type Normalize = ((value: any) => unknown) | undefined

export const make = <Item>(unique: boolean, normalize: Normalize): Index<Item> =>
  new Index(unique, normalize, KeyMap.empty())

/** A unique index has one entry for a key, the others a group. */
export class Index<Item> {
  declare readonly unique: boolean
  declare readonly normalize: Normalize
  declare readonly map: KeyMap<Entry<Item> | Group<Item>>

  constructor(unique: boolean, normalize: Normalize, map: KeyMap<Entry<Item> | Group<Item>>) {
    this.unique = unique
    this.normalize = normalize
    this.map = map
  }

  /** The key that stands for a value that is asked for. */
  keyFor(value: unknown): unknown {
    return keyOf(this.normalize === undefined ? value : this.normalize(value))
  }
  /** The entry that alone has a value. */
  get(value: unknown): Entry<Item> | undefined {
    return this.entry(this.keyFor(value))
  }
  /** The items that have a value, in registration order. */
  getAll(value: unknown): ReadonlyArray<Item> {
    return this.items(this.keyFor(value))
  }
  has(value: unknown): boolean {
    return this.map.get(this.keyFor(value)) !== undefined
  }
  /** The entry that alone has a key. */
  entry(key: unknown): Entry<Item> | undefined {
    const found = this.map.get(key)
    return found instanceof Entry ? found : undefined
  }
  /** The items that have a key, in registration order. */
  items(key: unknown): ReadonlyArray<Item> {
    const found = this.map.get(key)
    return found instanceof Entry ? [found.item] : Order.toArray(found?.entries, ({ item }) => item)
  }
  keys(): Iterable<unknown> {
    return this.map.keys()
  }
  /** Adds an entry to a group, or under a free key. */
  add(key: unknown, entry: Entry<Item>): Index<Item> {
    const group = this.group(key)
    const added = this.unique ? entry : new Group(entry.id, Order.set(group?.entries, entry))
    return this.with(this.map.set(key, added, group))
  }
  remove(key: unknown, entry: Entry<Item>): Index<Item> {
    const group = this.group(key)
    const entries = Order.remove(group?.entries, entry.position)
    return this.with(
      entries === undefined
        ? this.map.delete(key, group ?? entry)
        : this.map.set(key, new Group(entry.id, entries), group)
    )
  }
  private group(key: unknown): Group<Item> | undefined {
    const found = this.unique ? undefined : this.map.get(key)
    return found instanceof Group ? found : undefined
  }
  with(map: Index<Item>["map"]): Index<Item> {
    return map === this.map ? this : new Index(this.unique, this.normalize, map)
  }
}
