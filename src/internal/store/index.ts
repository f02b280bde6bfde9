/** The entries of a registry by the keys of one lookup, persistent: a change answers a new index. */
import type { Entry } from "./entry.ts"
import { KeyMap } from "./keyMap.ts"
import * as Order from "./order.ts"

export interface Index<Item> {
  /** The entry that alone has the key. */
  readonly get: (key: unknown) => Entry<Item> | undefined
  /** The items that have the key, in registration order. */
  readonly getAll: (key: unknown) => ReadonlyArray<Item>
  readonly has: (key: unknown) => boolean
  readonly keys: () => Iterable<unknown>
  /** With a key that is free, or, in a group, one more entry. */
  readonly add: (key: unknown, entry: Entry<Item>) => Index<Item>
  readonly remove: (key: unknown, entry: Entry<Item>) => Index<Item>
  /** An index that `add` changes in place until it is finished; this one stays as it is. */
  readonly begin: (additions: number) => Index<Item>
  readonly finish: () => Index<Item>
  /** Drops an entry that a later version put under a key, when that is given up. */
  readonly forget: (key: unknown, entry: Entry<Item>) => void
  /** The same after so many entries were removed: it keeps nothing of them where that costs little. */
  readonly tidy: (removed: number) => Index<Item>
}

export const make = <Item>(unique: boolean): Index<Item> =>
  unique
    ? new UniqueIndex<Item>(KeyMap.empty())
    : new GroupIndex<Item>(KeyMap.empty())

class UniqueIndex<Item> implements Index<Item> {
  readonly map: KeyMap<Entry<Item>>

  constructor(map: KeyMap<Entry<Item>>) {
    this.map = map
  }

  get(key: unknown): Entry<Item> | undefined {
    return this.map.get(key)
  }
  getAll(key: unknown): ReadonlyArray<Item> {
    const entry = this.map.get(key)
    return entry === undefined ? [] : [entry.item]
  }
  has(key: unknown): boolean {
    return this.map.get(key) !== undefined
  }
  keys(): Iterable<unknown> {
    return this.map.keys()
  }
  add(key: unknown, entry: Entry<Item>): Index<Item> {
    return this.with(this.map.set(key, entry, undefined))
  }
  remove(key: unknown): Index<Item> {
    return this.with(this.map.delete(key))
  }
  begin(additions: number): Index<Item> {
    return new UniqueIndex(this.map.begin(additions))
  }
  finish(): Index<Item> {
    return new UniqueIndex(this.map.finish())
  }
  forget(key: unknown, { id }: Entry<Item>): void {
    this.map.forget(key, id)
  }
  tidy(removed: number): Index<Item> {
    return this.with(this.map.tidy(removed))
  }
  private with(map: KeyMap<Entry<Item>>): Index<Item> {
    return map === this.map ? this : new UniqueIndex(map)
  }
}

/** The entries that have a key, and the id of the one that came or went last. */
interface Group<Item> {
  readonly id: number
  readonly entries: Order.Order<Entry<Item>>
}

class GroupIndex<Item> implements Index<Item> {
  readonly map: KeyMap<Group<Item>>

  constructor(map: KeyMap<Group<Item>>) {
    this.map = map
  }

  get(): undefined {
    return undefined
  }
  getAll(key: unknown): ReadonlyArray<Item> {
    return Order.toArray(this.map.get(key)?.entries, (entry) => entry.item)
  }
  has(key: unknown): boolean {
    return this.map.get(key) !== undefined
  }
  keys(): Iterable<unknown> {
    return this.map.keys()
  }
  add(key: unknown, entry: Entry<Item>): Index<Item> {
    const group = this.map.get(key)
    return this.with(this.map.set(key, { id: entry.id, entries: Order.set(group?.entries, entry) }, group))
  }
  remove(key: unknown, entry: Entry<Item>): Index<Item> {
    const group = this.map.get(key)
    const entries = Order.remove(group?.entries, entry.position)
    return this.with(
      entries === undefined ? this.map.delete(key) : this.map.set(key, { id: entry.id, entries }, group)
    )
  }
  begin(additions: number): Index<Item> {
    return new GroupIndex(this.map.begin(additions))
  }
  finish(): Index<Item> {
    return new GroupIndex(this.map.finish())
  }
  forget(key: unknown, { id }: Entry<Item>): void {
    this.map.forget(key, id)
  }
  tidy(removed: number): Index<Item> {
    return this.with(this.map.tidy(removed))
  }
  private with(map: KeyMap<Group<Item>>): Index<Item> {
    return map === this.map ? this : new GroupIndex(map)
  }
}
