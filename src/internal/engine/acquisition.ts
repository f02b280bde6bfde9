/** What hooks acquired, and what becomes of it. */
import type * as Scope from "effect/Scope"
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

/** What hooks acquired and is not released. */
export class Acquisitions<in out Item> {
  /** Of the items that are in, by registration. */
  readonly held: Map<number, Acquisition<Item>> = new Map()
  /** Of items that the outermost transaction in flight puts in. */
  fresh: Array<Acquisition<Item>> = []
  /** Of items that have gone, and that somebody leases. */
  readonly leased: Set<Acquisition<Item>> = new Set()
}
