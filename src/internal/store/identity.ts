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
 * Where to look for an object: the entry that it was registered as first. Whether that is in, the contents know, and so
 * nothing need be taken back when a draft is given up. Nearly all objects are registered once.
 *
 * What comes by itself can go as soon as nobody else holds it. For a list a `WeakMap` would cost more than all lookups: it
 * is put into a `Map`, and not before somebody looks for an object, which many registries never do.
 *
 * @internal
 */
export class Identity<Item> {
  static empty<Item>(): Identity<Item> {
    return new Identity<Item>(undefined, new Map(), HashMap.empty(), [])
  }

  private single: WeakMap<object, Entry<Item>> | undefined
  private readonly listed: Map<object, Entry<Item>>
  /** The entries, by the serial number of the first one, of objects that are in as another than their first. */
  private later: HashMap.HashMap<number, Entry<Item>>
  /** What belongs into `listed` as soon as somebody looks. */
  private unseen: ReadonlyArray<Entry<Item>>

  private constructor(
    single: WeakMap<object, Entry<Item>> | undefined,
    listed: Map<object, Entry<Item>>,
    later: HashMap.HashMap<number, Entry<Item>>,
    unseen: ReadonlyArray<Entry<Item>>
  ) {
    this.single = single
    this.listed = listed
    this.later = later
    this.unseen = unseen
  }

  /** The entry that an object is in as. */
  find(order: Order.Order<Entry<Item>>, item: Item): Entry<Item> | undefined {
    if (!isObject(item)) return undefined
    this.see()
    return this.findFrom(order, this.single?.get(item)) ?? this.findFrom(order, this.listed.get(item))
  }
  private findFrom(order: Order.Order<Entry<Item>>, first: Entry<Item> | undefined): Entry<Item> | undefined {
    if (first === undefined || Order.get(order, first.position) === first) return first
    return Option.getOrUndefined(HashMap.get(this.later, first.serial))
  }

  add(entry: Entry<Item>): Identity<Item> {
    const { item } = entry
    if (!isObject(item)) return this
    const first = this.first(item)
    // an entry that comes to light again is its own first one
    if (first === entry) return this
    if (first !== undefined) return this.with(HashMap.set(this.later, first.serial, entry))
    this.single ??= new WeakMap()
    this.single.set(item, entry)
    return this
  }

  remove(entry: Entry<Item>): Identity<Item> {
    const first = isObject(entry.item) ? this.first(entry.item) : undefined
    return first === undefined || first === entry ? this : this.with(HashMap.remove(this.later, first.serial))
  }

  /** For a list, without most of what is gone, where that is more than what is in. */
  begin(size: number, isIn: (entry: Entry<Item>) => boolean): Identity<Item> {
    this.see()
    if (this.listed.size <= 2 * size) return this.with(this.later)
    const listed = Array.from(this.listed).filter(([, entry]) => isIn(entry) || HashMap.has(this.later, entry.serial))
    return new Identity(this.single, new Map(listed), this.later, [])
  }
  /** One of a list, in place. */
  list(entry: Entry<Item>): void {
    if (!isObject(entry.item)) return
    const first = this.first(entry.item)
    if (first === undefined) this.listed.set(entry.item, entry)
    else this.later = HashMap.set(this.later, first.serial, entry)
  }
  /** All of a list, in place, when somebody looks. */
  listLater(entries: ReadonlyArray<Entry<Item>>): void {
    this.unseen = entries
  }

  private with(later: HashMap.HashMap<number, Entry<Item>>): Identity<Item> {
    return new Identity(this.single, this.listed, later, this.unseen)
  }
  private first(item: object): Entry<Item> | undefined {
    this.see()
    return this.single?.get(item) ?? this.listed.get(item)
  }
  private see(): void {
    const { unseen } = this
    if (unseen.length === 0) return
    this.unseen = []
    for (const entry of unseen) this.list(entry)
  }
}

/** @internal */
export const isObject = (u: unknown): u is object => typeof u === "object" ? u !== null : typeof u === "function"
