/**
 * How an object is found that was changed since it was registered, so that neither its keys nor its hash find it.
 *
 * @internal
 */
import type { Entry } from "./contents.ts"
import * as Order from "./order.ts"

/**
 * The last two entries that each object was registered as, in whatever draft: hints where to look. Whether one of them
 * is in is up to the contents that are asked, so nothing need be taken back when a draft is given up. (An object that
 * was changed, and comes and goes twice within one transaction, which then fails, is found by its keys alone.)
 *
 * @internal
 */
export class Identity<Item> {
  private readonly entries = new WeakMap<object, Entry<Item> | Twice<Item>>()

  remember(entry: Entry<Item>): void {
    if (!isObject(entry.item)) return
    const before = this.entries.get(entry.item)
    // nearly all objects are registered once
    if (before === undefined) this.entries.set(entry.item, entry)
    else if (before instanceof Twice) before.add(entry)
    else this.entries.set(entry.item, new Twice(entry, before))
  }

  /** The entry that an object is in as, in the order of some contents. */
  find(item: Item, order: Order.Order<Entry<Item>>): Entry<Item> | undefined {
    const last = isObject(item) ? this.entries.get(item) : undefined
    if (last === undefined) return undefined
    if (last instanceof Twice) return heldBy(order, last.newer) ?? heldBy(order, last.older)
    return heldBy(order, last)
  }
}

class Twice<Item> {
  newer: Entry<Item>
  older: Entry<Item>

  constructor(newer: Entry<Item>, older: Entry<Item>) {
    this.newer = newer
    this.older = older
  }

  add(entry: Entry<Item>): void {
    this.older = this.newer
    this.newer = entry
  }
}

const heldBy = <Item>(order: Order.Order<Entry<Item>>, entry: Entry<Item>): Entry<Item> | undefined =>
  Order.get(order, entry.position) === entry ? entry : undefined

/** @internal */
export const isObject = (u: unknown): u is object => typeof u === "object" ? u !== null : typeof u === "function"
