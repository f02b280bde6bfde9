/**
 * The list of all items, in registration order. It is made from the last one that was asked for: what two revisions
 * have in common is what their orders share, and is neither walked nor sorted again.
 */
import { type Contents, itemOf, type Lister } from "./contents.ts"
import * as Order from "./order.ts"

/** All items, in registration order: frozen, because all callers share them. */
export const valuesOf = <Item>(contents: Contents<Item>): ReadonlyArray<Item> => {
  if (contents.list === undefined) {
    contents.listing = contents.lastListing?.deref()
    if (contents.listing === undefined) contents.lastListing = new WeakRef(contents.listing = new Listing())
    contents.list = contents.listing.of(contents.order)
  }
  return contents.list
}

interface Listed<out Item> extends Order.Positioned {
  readonly item: Item
}

export class Listing<Item> implements Lister<Item> {
  private order: Order.Order<Listed<Item>> = undefined
  /** Never shown: a copy of a frozen array takes a hundred times as long as one of this. */
  private items: Array<Item> = []
  private frozen: ReadonlyArray<Item> = Object.freeze([])

  of(order: Order.Order<Listed<Item>>): ReadonlyArray<Item> {
    if (order === this.order) return this.frozen
    const { items } = this
    const size = Order.size(order)
    const start = Order.shared(this.order, order, "start")
    // an entry is in one node of a tree, so what two trees share at the start is not what they share at the end
    const end = Order.shared(this.order, order, "end")
    // what is between is the arguments of a call, of which there cannot be any number
    if (size - start - end > 1_000) this.items = Order.toArray(order, itemOf)
    else items.splice(start, items.length - start - end, ...Order.toArray(order, itemOf, start, size - end))
    this.order = order
    return this.frozen = Object.freeze(this.items.slice())
  }
}
