/**
 * What is true of the contents of every registry, and what is wrong where it is not.
 *
 * @internal
 */
import * as Equal from "effect/Equal"
import * as Formatter from "effect/Formatter"
import * as MutableHashMap from "effect/MutableHashMap"
import * as Option from "effect/Option"
import * as Contents from "../internal/store/contents.ts"
import { keysIn } from "../internal/store/definition.ts"
import type { Entry } from "../internal/store/entry.ts"

const show = (u: unknown): string => Formatter.format(u)

/**
 * What is wrong with contents: an item that is not found by what it was registered with, one that is found and not in,
 * a value of a unique lookup that two items have, a registry that is `Pending` and holds something.
 *
 * @internal
 */
export const violations = <Item>(contents: Contents.Contents<Item>): ReadonlyArray<string> => {
  const { definition, indexes } = contents
  const entries = Contents.entries(contents)
  const wrong: Array<string> = []

  if (!contents.populated && entries.length > 0) {
    wrong.push(`It is Pending, and holds ${show([...contents])}.`)
  }
  if (entries.length !== contents.size) {
    wrong.push(`Its size is ${contents.size}, and it holds ${entries.length} items.`)
  }
  for (const entry of entries) {
    const { item } = entry
    if (Contents.findByKeysOf(contents, entry) !== entry) wrong.push(`${show(item)} is in, and is not contained.`)
  }
  definition.lookups.forEach(({ attribute, each, unique }, i) => {
    const byKey = MutableHashMap.empty<unknown, Array<Item>>()
    for (const { item, keys } of entries) {
      for (const key of each ? keysIn(keys[i]) : keys[i] === undefined ? [] : [keys[i]]) {
        const items = Option.getOrUndefined(MutableHashMap.get(byKey, key))
        if (items === undefined) MutableHashMap.set(byKey, key, [item])
        else items.push(item)
      }
    }
    const index = indexes[i]!
    for (const [key, items] of byKey) {
      if (unique && items.length > 1) wrong.push(`${items.map(show).join(" and ")} have the same ${attribute}.`)
      const found = index.items(key)
      if (found.length !== items.length || found.some((item, j) => item !== items[j])) {
        wrong.push(`By ${attribute} ${show(key)} one finds ${show(found)} instead of ${show(items)}.`)
      }
    }
    for (const key of index.keys()) {
      if (!MutableHashMap.has(byKey, key)) {
        wrong.push(`By ${attribute} ${show(key)} one finds ${show(index.items(key))}, which is not in.`)
      }
    }
  })
  return wrong
}

/**
 * Whether two registrations were made with the same keys; without lookups, whether the items are equal.
 *
 * @internal
 */
export const sameEntry = <Item>(one: Entry<Item>, other: Entry<Item>): boolean =>
  one.item === other.item ||
  (one.keys.length === 0 ? Equal.equals(one.item, other.item) : Equal.equals(one.keys, other.keys))

/**
 * How often hooks were told that an item came, less how often that it went, for every item.
 *
 * @internal
 */
export class Tally<Item> {
  private readonly counts = new Map<Item, number>()

  add(item: Item, by: 1 | -1): void {
    const count = (this.counts.get(item) ?? 0) + by
    if (count === 0) this.counts.delete(item)
    else this.counts.set(item, count)
  }

  /** Where it does not agree with what is in. */
  wrong(items: Iterable<Item>, what: "kept" | "told"): ReadonlyArray<string> {
    const held = new Set(items)
    return Array.from(new Set([...this.counts.keys(), ...held])).flatMap((item) => {
      const count = this.counts.get(item) ?? 0
      const expected = held.has(item) ? 1 : 0
      if (count === expected) return []
      const is = held.has(item) ? "is" : "is not"
      return what === "kept"
        ? `${show(item)} ${is} registered, and is kept ${count} time(s).`
        : `${show(item)} ${is} registered, and hooks were told ${count} time(s) more that it came than that it went.`
    })
  }
}
