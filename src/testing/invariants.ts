/**
 * What is true of the contents of every registry, and what is wrong where it is not.
 *
 * @internal
 */
import * as Equal from "effect/Equal"
import * as Formatter from "effect/Formatter"
import * as MutableHashMap from "effect/MutableHashMap"
import * as Option from "effect/Option"
import type { Transaction } from "../internal/engine/core.ts"
import * as Contents from "../internal/store/contents.ts"
import { type Definition, firstUnique, forEachKey, type Keys, keysIn, takeKeys } from "../internal/store/definition.ts"
import { type Entry, isSame } from "../internal/store/entry.ts"
import { valueOf } from "../internal/store/key.ts"
import { attempt, same } from "../internal/store/same.ts"

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
        wrong.push(`By ${attribute} ${show(valueOf(key))} one finds ${show(found)} instead of ${show(items)}.`)
      }
    }
    for (const key of index.keys()) {
      if (!MutableHashMap.has(byKey, key)) {
        wrong.push(`By ${attribute} ${show(valueOf(key))} one finds ${show(index.items(key))}, which is not in.`)
      }
    }
  })
  return wrong
}

/**
 * Whether there is a registration with the keys of another; without a unique key, of an item that looks the same. Defaults
 * that are made anew are other objects.
 *
 * @internal
 */
export const hasLike = <Item>(contents: Contents.Contents<Item>, entry: Entry<Item>): boolean => {
  const { definition } = contents
  const { lookups } = definition
  const looksTheSame = firstUnique(definition, entry.keys) === lookups.length
    ? (other: Entry<Item>) => attempt(() => Equal.equals(entry.item, other.item), false)
    : (other: Entry<Item>) => lookups.every((_, slot) => same(entry.keys[slot], other.keys[slot]))
  return Contents.entries(contents).some((other) => other.item === entry.item || looksTheSame(other))
}

/**
 * How often hooks were told that an item came, less how often that it went, for every item; or how often it was acquired,
 * less how often it was released.
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

  has(item: Item): boolean {
    return (this.counts.get(item) ?? 0) > 0
  }

  /** Where it does not agree with what is in. */
  wrong(items: Iterable<Item>, what: "acquired" | "kept" | "told"): ReadonlyArray<string> {
    const held = new Set(items)
    return Array.from(new Set([...this.counts.keys(), ...held])).flatMap((item) => {
      const count = this.counts.get(item) ?? 0
      const expected = held.has(item) ? 1 : 0
      if (count === expected) return []
      const is = held.has(item) ? "is" : "is not"
      return what !== "told"
        ? `${show(item)} ${is} registered, and is ${what} ${count} time(s).`
        : `${show(item)} ${is} registered, and hooks were told ${count} time(s) more that it came than that it went.`
    })
  }
}

/**
 * A hook that keeps a map of the items for each unique lookup, by its values. Without any, `Tally` says all.
 *
 * @internal
 */
export class Kept<Item> {
  private readonly definition: Definition<Item>
  /** By slot and key. */
  private readonly items = MutableHashMap.empty<readonly [slot: number, key: unknown], Item>()
  /** The keys under which items were set. */
  private readonly keys = new Map<Item, ReadonlyArray<readonly [slot: number, key: unknown]>>()

  constructor(definition: Definition<Item>) {
    this.definition = definition
  }

  set(item: Item, taken?: Keys): void {
    const keys = this.keysOf(item, taken)
    this.keys.set(item, keys)
    for (const key of keys) MutableHashMap.set(this.items, key, item)
  }

  delete(item: Item): void {
    for (const key of this.keys.get(item) ?? []) MutableHashMap.remove(this.items, key)
  }

  /** Where it does not agree with what is in. */
  wrong(items: Iterable<Item>, hook: string): ReadonlyArray<string> {
    return Array.from(items).flatMap((item) =>
      (this.keys.get(item) ?? []).flatMap((key) => {
        const kept = MutableHashMap.get(this.items, key)
        if (Option.isSome(kept) && isSame(kept.value, item)) return []
        const instead = Option.isSome(kept) ? show(kept.value) : "nothing"
        const { attribute } = this.definition.lookups[key[0]]!
        return [
          `${hook} that keeps a map by ${attribute}, with set and delete, has ${instead} in the place of ${show(item)}.`
        ]
      })
    )
  }

  private keysOf(item: Item, taken?: Keys): ReadonlyArray<readonly [slot: number, key: unknown]> {
    const { definition } = this
    try {
      const keys: Array<readonly [slot: number, key: unknown]> = []
      forEachKey(definition, taken ?? takeKeys(definition, item), (key, slot) => {
        if (definition.lookups[slot]?.unique === true) keys.push([slot, key])
      })
      return keys
    } catch {
      // its selectors may throw since it was changed
      return []
    }
  }
}

/**
 * What hooks believe that is not so (G28), when an outermost transaction is about to be published: the calls for an item
 * that a hook completed do not alternate, the last one does not agree with the contents, or a map that is kept by a key is
 * wrong.
 *
 * @internal
 */
export const misled = <Item>(
  { base, calls, core: { definition, hooks }, installed }: Transaction<Item>,
  next: Contents.Contents<Item>
): ReadonlyArray<string> =>
  hooks.flatMap((part, index) => {
    const { onItemRegistered, onItemUnregistered } = part.handlers
    if (onItemRegistered === undefined && onItemUnregistered === undefined) return []
    const hook = `Hook ${index + 1} of ${hooks.length}`
    const wrong: Array<string> = []
    const before = installed?.get(part) ?? base
    const known = new Set(before)
    const kept = new Kept(definition)
    for (const { item, keys } of Contents.entries(before)) kept.set(item, keys)
    const own = calls?.list.filter((call) => call.part === part) ?? []
    // nothing is expected of a hook that died
    const excused = new Set(own.flatMap(({ died, entry }) => died ? [entry.item] : []))
    for (const { entry: { item, keys }, hook: name } of own) {
      const isIn = name === "onItemRegistered"
      if (known.has(item) === isIn && !excused.has(item)) {
        wrong.push(
          `${hook} was told that ${show(item)} ${isIn ? "came, though it knew" : "went, and never that it came"}.`
        )
      }
      if (isIn) {
        known.add(item)
        kept.set(item, keys)
      } else {
        known.delete(item)
        kept.delete(item)
      }
    }
    const held = new Set(next)
    for (const item of new Set([...known, ...held])) {
      if (known.has(item) === held.has(item) || excused.has(item)) continue
      wrong.push(
        held.has(item)
          ? `${hook} was not told that ${show(item)} came, or that it is back.`
          : `${hook} was not told that ${show(item)} went.`
      )
    }
    return excused.size === 0 ? wrong.concat(kept.wrong(held, hook)) : wrong
  })
