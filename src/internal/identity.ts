/**
 * How an object is found that was changed since it was registered, so that neither its keys nor its hash find it.
 *
 * @internal
 */
import type { Entry } from "./contents.ts"

/**
 * The entries that each object was registered as of late, in whatever draft: hints where to look. Whether one of them is
 * in is up to the contents that are asked. So nothing need be taken back when a draft is given up.
 *
 * @internal
 */
export class Identity<Item> {
  private readonly entries = new WeakMap<object, Entry<Item> | ReadonlyArray<Entry<Item>>>()

  remember(entry: Entry<Item>): void {
    if (!isObject(entry.item)) return
    const before = this.entries.get(entry.item)
    // nearly all objects are registered once: an array for each would double what this takes
    if (before === undefined) this.entries.set(entry.item, entry)
    else this.entries.set(entry.item, [entry].concat(before).slice(0, few))
  }

  find(item: Item, isIn: (entry: Entry<Item>) => boolean): Entry<Item> | undefined {
    if (!isObject(item)) return undefined
    const entries = this.entries.get(item)
    if (entries === undefined) return undefined
    return isArray(entries) ? entries.find(isIn) : isIn(entries) ? entries : undefined
  }
}

/**
 * An object that is registered again and again leaves no trail. One that comes and goes more often than this within one
 * transaction, which then fails, is found by its keys alone.
 */
const few = 8

const isArray: (u: unknown) => u is ReadonlyArray<unknown> = Array.isArray

/** @internal */
export const isObject = (u: unknown): u is object => typeof u === "object" ? u !== null : typeof u === "function"
