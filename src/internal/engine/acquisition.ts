/** What hooks acquired, and what becomes of it. */
import type * as Scope from "effect/Scope"
import type { Entry } from "../store/entry.ts"
import type { Part } from "./parts.ts"

/** What the hooks of a registry acquired for one item. */
export class Acquisition<out Item> {
  readonly item: Item
  /** One for each part that acquired something. */
  readonly scopes: Map<Part<never, unknown>, Scope.Closeable> = new Map()
  leases = 0

  constructor(item: Item) {
    this.item = item
  }
}

/** What a transaction acquired. It is its parent's when it has succeeded, as its draft is. */
export class Acquired<in out Item> {
  /** For items that are about to go in, and entries that are about to be enabled. */
  readonly awaited: Map<Item | Entry<Item>, Acquisition<Item>> = new Map()
  /** For what is in its draft, by registration. */
  readonly bound: Map<number, Acquisition<Item>> = new Map()
}

/** What hooks acquired and is not released. */
export class Acquisitions<in out Item> {
  /** Of the items that are in, by registration. */
  readonly held: Map<number, Acquisition<Item>> = new Map()
  /** All that the outermost transaction in flight acquired. */
  fresh: Set<Acquisition<Item>> = new Set()
  /** Of items that have gone, and that somebody leases. */
  readonly leased: Set<Acquisition<Item>> = new Set()
}
