/**
 * Entries that are in, and not visible. They are in no index of what is visible, but keep their keys.
 *
 * A feature makes this and decides what it withholds. The store asks it, where there is one.
 */
import type { Contents } from "./contents.ts"
import type { Keys } from "./definition.ts"
import type { Entry } from "./entry.ts"

export interface Withheld<in out Item> {
  /** In their order. */
  readonly entries: ReadonlyArray<Entry<Item>>
  readonly holds: (entry: Entry<Item>) => boolean
  /** The withheld entry of an equal item. What `ignoring` holds back does not count: it is about to be replaced. */
  readonly equal: (item: Item, keys: Keys, ignoring: Entry<Item> | undefined) => Entry<Item> | undefined
  /** The withheld entry that has a unique key. `ignoring` is as in `equal`. */
  readonly holder: (slot: number, key: unknown, ignoring: Entry<Item> | undefined) => Entry<Item> | undefined
  /** Is told that an entry, visible or withheld, has left contents that are being made. Answers what it shows in turn. */
  readonly left: (contents: Contents<Item>, entry: Entry<Item>) => ReadonlyArray<Entry<Item>>
}
