/**
 * The entries of a registry by the keys of one lookup, persistent: a change answers a new index.
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
  /** The items that have the key, in registration order. */
  readonly getAll: (key: unknown) => ReadonlyArray<Item>
  readonly has: (key: unknown) => boolean
  readonly keys: () => Iterable<unknown>
  readonly add: (key: unknown, entry: Entry<Item>) => Index<Item>
  readonly remove: (key: unknown, entry: Entry<Item>) => Index<Item>
  /** An index that `add` changes in place until it is finished; this one stays as it is. */
  readonly begin: (additions: number) => Index<Item>
  readonly finish: () => Index<Item>
}

/** @internal */
export const make = <Item>(unique: boolean): Index<Item> =>
  unique ? new UniqueIndex<Item>(new Map(), HashMap.empty(), 0, false) : new GroupIndex<Item>(HashMap.empty())

/**
 * Most of a registry is there from the start, and is read far more often than it changes. So a unique index is a native
 * `Map`, which is several times faster than a `HashMap` and which nobody changes once it can be seen, and what has been
 * added to it and removed from it since. When that is much, both become a new `Map`.
 *
 * A `Map` compares objects by reference, where keys are compared by `Equal`: an object is always among the changes.
 */
class UniqueIndex<Item> implements Index<Item> {
  readonly base: Map<unknown, Entry<Item>>
  readonly changes: HashMap.HashMap<unknown, Entry<Item> | undefined>
  /** The objects among the changes. */
  readonly objects: number
  /** Whether `add` changes the base in place, because nobody has seen it. */
  readonly filling: boolean
  private readonly changed: number

  constructor(
    base: Map<unknown, Entry<Item>>,
    changes: HashMap.HashMap<unknown, Entry<Item> | undefined>,
    objects: number,
    filling: boolean
  ) {
    this.base = base
    this.changes = changes
    this.objects = objects
    this.filling = filling
    this.changed = HashMap.size(changes)
  }

  get(key: unknown): Entry<Item> | undefined {
    if (this.changed > 0) {
      const change = HashMap.get(this.changes, key)
      if (change._tag === "Some") return change.value
    }
    return this.base.get(key)
  }
  getAll(key: unknown): ReadonlyArray<Item> {
    const entry = this.get(key)
    return entry === undefined ? [] : [entry.item]
  }
  has(key: unknown): boolean {
    return this.get(key) !== undefined
  }
  *keys(): Iterable<unknown> {
    for (const key of this.base.keys()) if (!HashMap.has(this.changes, key)) yield key
    for (const [key, entry] of this.changes) if (entry !== undefined) yield key
  }
  add(key: unknown, entry: Entry<Item>): Index<Item> {
    if (isObject(key)) {
      const objects = this.objects + (HashMap.has(this.changes, key) ? 0 : 1)
      return new UniqueIndex(this.base, HashMap.set(this.changes, key, entry), objects, this.filling)
    }
    if (this.filling) {
      this.base.set(key, entry)
      return this
    }
    return this.withChanges(HashMap.set(this.changes, key, entry))
  }
  remove(key: unknown): Index<Item> {
    if (isObject(key)) {
      return new UniqueIndex(this.base, HashMap.remove(this.changes, key), this.objects - 1, false)
    }
    return this.withChanges(
      this.base.has(key) ? HashMap.set(this.changes, key, undefined) : HashMap.remove(this.changes, key)
    )
  }
  begin(additions: number): Index<Item> {
    return isMuch(additions, this.base.size) ? this.folded(true) : this
  }
  finish(): Index<Item> {
    return this.filling ? new UniqueIndex(this.base, this.changes, this.objects, false) : this
  }
  private withChanges(changes: HashMap.HashMap<unknown, Entry<Item> | undefined>): Index<Item> {
    const next = new UniqueIndex(this.base, changes, this.objects, false)
    return isMuch(HashMap.size(changes) - this.objects, this.base.size) ? next.folded(false) : next
  }
  /** The same with a new base, which holds the changes. */
  private folded(filling: boolean): UniqueIndex<Item> {
    const base = new Map(this.base)
    let changes = this.changes
    for (const [key, entry] of this.changes) {
      if (isObject(key)) continue
      if (entry === undefined) base.delete(key)
      else base.set(key, entry)
      changes = HashMap.remove(changes, key)
    }
    return new UniqueIndex(base, changes, this.objects, filling)
  }
}

/** Making a new base is paid for by the changes that led to it. */
const isMuch = (changes: number, size: number): boolean => changes > 32 && changes > size >>> 2

const isObject = (key: unknown): boolean => typeof key === "object" ? key !== null : typeof key === "function"

class GroupIndex<Item> implements Index<Item> {
  readonly map: HashMap.HashMap<unknown, Order.Order<Entry<Item>>>

  constructor(map: HashMap.HashMap<unknown, Order.Order<Entry<Item>>>) {
    this.map = map
  }

  get(): undefined {
    return undefined
  }
  getAll(key: unknown): ReadonlyArray<Item> {
    return Order.toArray(this.group(key), (entry) => entry.item)
  }
  has(key: unknown): boolean {
    return HashMap.has(this.map, key)
  }
  keys(): Iterable<unknown> {
    return HashMap.keys(this.map)
  }
  add(key: unknown, entry: Entry<Item>): Index<Item> {
    return this.with(HashMap.set(this.map, key, Order.set(this.group(key), entry)))
  }
  remove(key: unknown, entry: Entry<Item>): Index<Item> {
    const rest = Order.remove(this.group(key), entry.position)
    return this.with(rest === undefined ? HashMap.remove(this.map, key) : HashMap.set(this.map, key, rest))
  }
  begin(): Index<Item> {
    return new GroupIndex(HashMap.beginMutation(this.map))
  }
  finish(): Index<Item> {
    return this.with(HashMap.endMutation(this.map))
  }
  private group(key: unknown): Order.Order<Entry<Item>> {
    return Option.getOrUndefined(HashMap.get(this.map, key))
  }
  private with(map: HashMap.HashMap<unknown, Order.Order<Entry<Item>>>): GroupIndex<Item> {
    return map === this.map ? this : new GroupIndex(map)
  }
}
