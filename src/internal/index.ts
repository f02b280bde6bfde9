/**
 * The entries of a registry by the keys of one lookup, persistent: a change answers a new index.
 *
 * @internal
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Entry } from "./contents.ts"
import { isObject } from "./identity.ts"
import * as Order from "./order.ts"

/** @internal */
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
}

/** @internal */
export const make = <Item>(unique: boolean): Index<Item> =>
  unique
    ? new UniqueIndex<Item>(new Map(), HashMap.empty(), 0, "nothing")
    : new GroupIndex<Item>(HashMap.empty())

type Changes<Item> = HashMap.HashMap<unknown, Entry<Item> | undefined>

/**
 * Most of a registry is there from the start, and is read far more often than it changes. So a unique index is a native
 * `Map`, which is several times faster than a `HashMap` and which nobody changes once it can be seen, and what has been
 * added to it and removed from it since. When that is much, both become a new `Map`.
 *
 * A `Map` compares objects by reference, where keys are compared by `Equal`: an object is always among the changes.
 */
class UniqueIndex<Item> implements Index<Item> {
  private readonly base: Map<unknown, Entry<Item>>
  private readonly filling: "nothing" | "base" | "changes"
  private changes: Changes<Item>
  /** The number of changes, and how many of them are objects. */
  private changed: number
  private objects: number

  constructor(
    base: Map<unknown, Entry<Item>>,
    changes: Changes<Item>,
    objects: number,
    filling: "nothing" | "base" | "changes"
  ) {
    this.base = base
    this.filling = filling
    this.changes = changes
    this.changed = HashMap.size(changes)
    this.objects = objects
  }

  get(key: unknown): Entry<Item> | undefined {
    if (this.changed > 0) {
      const change = HashMap.get(this.changes, key)
      if (Option.isSome(change)) return change.value
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
    const object = isObject(key)
    if (this.filling === "nothing") {
      return this.with(HashMap.set(this.changes, key, entry), object ? this.objects + 1 : this.objects)
    }
    if (this.filling === "base" && !object) {
      this.base.set(key, entry)
    } else {
      this.changes = HashMap.set(this.changes, key, entry)
      this.changed++
      if (object) this.objects++
    }
    return this
  }
  remove(key: unknown): Index<Item> {
    if (isObject(key)) return this.with(HashMap.remove(this.changes, key), this.objects - 1)
    const changes = this.base.has(key)
      ? HashMap.set(this.changes, key, undefined)
      : HashMap.remove(this.changes, key)
    return this.with(changes, this.objects)
  }
  begin(additions: number): Index<Item> {
    return isMuch(additions, this.base.size)
      ? this.folded("base")
      : new UniqueIndex(this.base, HashMap.beginMutation(this.changes), this.objects, "changes")
  }
  finish(): Index<Item> {
    return this.with(HashMap.endMutation(this.changes), this.objects)
  }
  private with(changes: Changes<Item>, objects: number): Index<Item> {
    const next = new UniqueIndex(this.base, changes, objects, "nothing")
    return isMuch(next.changed - objects, this.base.size) ? next.folded("nothing") : next
  }
  /** The same with a new base that holds the changes. */
  private folded(filling: "nothing" | "base"): UniqueIndex<Item> {
    const base = new Map(this.base)
    let objects: Changes<Item> = HashMap.empty()
    for (const [key, entry] of this.changes) {
      if (isObject(key)) objects = HashMap.set(objects, key, entry)
      else if (entry === undefined) base.delete(key)
      else base.set(key, entry)
    }
    return new UniqueIndex(base, objects, this.objects, filling)
  }
}

/** A new base is paid for by the changes that led to it. */
const isMuch = (changes: number, size: number): boolean => changes > 32 && changes > size >>> 2

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
