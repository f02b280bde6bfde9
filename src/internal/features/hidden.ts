/**
 * The entries that overrides hide. They are in no index of what is visible, but keep what they claim for themselves
 * alone: a unique key, or, where an item has none or has an equality of its own, the item itself.
 *
 * @internal
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Entry } from "../store/contents.ts"
import * as Order from "../store/order.ts"

/**
 * What belongs to one entry alone: a key in the slot of a unique lookup, or an item in the slot after all lookups.
 *
 * @internal
 */
export interface Claim {
  readonly slot: number
  readonly value: unknown
}

/** @internal */
export interface Hidden<Item> {
  readonly order: Order.Order<Entry<Item>>
  /** One map for each slot; several entries may claim the same, one above the other. */
  readonly claimed: ReadonlyArray<HashMap.HashMap<unknown, ReadonlyArray<Entry<Item>>>>
}

/** @internal */
export const empty = <Item>(slots: number): Hidden<Item> => ({
  order: undefined,
  claimed: Array.from({ length: slots }, () => HashMap.empty())
})

/** @internal */
export const holds = <Item>({ order }: Hidden<Item>, entry: Entry<Item>): boolean =>
  Order.get(order, entry.position) === entry

/**
 * The entries that claim something.
 *
 * @internal
 */
export const claiming = <Item>(self: Hidden<Item>, { slot, value }: Claim): ReadonlyArray<Entry<Item>> =>
  // an item that was changed since, and whose hash Effect does not keep, may not have been found to be taken out
  Option.getOrElse(HashMap.get(self.claimed[slot]!, value), () => []).filter((entry) => holds(self, entry))

/** @internal */
export const add = <Item>(
  self: Hidden<Item>,
  entry: Entry<Item>,
  claims: ReadonlyArray<Claim>
): Hidden<Item> => changed(self, claims, Order.set(self.order, entry), (entries) => entries.concat(entry))

/**
 * Nothing if none is left.
 *
 * @internal
 */
export const remove = <Item>(
  self: Hidden<Item>,
  entry: Entry<Item>,
  claims: ReadonlyArray<Claim>
): Hidden<Item> | undefined => {
  const order = Order.remove(self.order, entry.position)
  return order && changed(self, claims, order, (entries) => entries.filter((other) => other !== entry))
}

const changed = <Item>(
  self: Hidden<Item>,
  claims: ReadonlyArray<Claim>,
  order: Order.Order<Entry<Item>>,
  change: (entries: ReadonlyArray<Entry<Item>>) => ReadonlyArray<Entry<Item>>
): Hidden<Item> => {
  const claimed = self.claimed.slice()
  for (const claim of claims) {
    const entries = change(claiming(self, claim))
    claimed[claim.slot] = entries.length === 0
      ? HashMap.remove(claimed[claim.slot]!, claim.value)
      : HashMap.set(claimed[claim.slot]!, claim.value, entries)
  }
  return { order, claimed }
}
