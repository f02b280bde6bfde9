/**
 * Positions between those of others. They are numbers, and between two numbers there are not many others: where they are
 * used up, entries around take other positions.
 */
import { type Contents, current, holds } from "./contents.ts"
import { byPosition, Entry, lastPosition } from "./entry.ts"
import * as Order from "./order.ts"
import { place, show, unshow } from "./update.ts"

/** A place between two positions that are next to each other; at either end, one is infinite. */
export interface Gap {
  readonly low: number
  readonly high: number
}

/** Where entries stand: visible ones, withheld ones and those that wait, among each other. */
const ordersOf = <Item>({ order, waiting, withheld }: Contents<Item>): ReadonlyArray<Order.Order<Entry<Item>>> =>
  [order, withheld?.order, waiting].filter((one) => one !== undefined)

/** How many entries of an order stand before a position, or at it. */
const upTo = <Item>(order: Order.Order<Entry<Item>>, position: number): number =>
  Order.rank(order, position) + (Order.get(order, position) === undefined ? 0 : 1)

export const gapBefore = <Item>(self: Contents<Item>, high: number): Gap => {
  const below = ordersOf(self).map((order) => Order.at(order, Order.rank(order, high) - 1)?.position ?? -Infinity)
  return { low: Math.max(-Infinity, ...below), high }
}

export const gapAfter = <Item>(self: Contents<Item>, low: number): Gap => {
  const above = ordersOf(self).map((order) => Order.at(order, upTo(order, low))?.position ?? Infinity)
  return { low, high: Math.min(Infinity, ...above) }
}

export const first = <Item>(self: Contents<Item>): Gap => gapAfter(self, -Infinity)

export const last = <Item>(self: Contents<Item>): Gap => gapBefore(self, Infinity)

/** A position, and the visible entries that make room for it, as they were before and are after. */
export interface Room<out Item> {
  /** After all others, an entry has one by itself. */
  readonly position: number | undefined
  readonly before: ReadonlyArray<Entry<Item>>
  readonly after: ReadonlyArray<Entry<Item>>
}

/** Makes room in a gap of contents that nobody has seen. */
export const makeRoom = <Item>(contents: Contents<Item>, { high, low }: Gap): Room<Item> => {
  if (high === Infinity) return { position: undefined, before: [], after: [] }
  const position = low === -Infinity ? high - 1 : low + (high - low) / 2
  return low < position && position < high ? { position, before: [], after: [] } : renumber(contents, low)
}

/** Moves an entry, visible or not, into a gap of contents that nobody has seen. */
export const moveInto = <Item>(
  contents: Contents<Item>,
  entry: Entry<Item>,
  gap: Gap
): Pick<Room<Item>, "before" | "after"> & { readonly entry: Entry<Item> } => {
  const { after, before, position } = makeRoom(contents, gap)
  const { item, keys, origin, registration } = entry
  // it may have made room for itself
  const now = current(contents, registration) ?? entry
  const moved = new Entry(item, keys, origin, { position, registration })
  const isVisible = holds(contents, now)
  reposition(contents, [now], [moved])
  return isVisible
    ? {
      entry: moved,
      before: before.includes(entry) ? before : [...before, entry],
      after: [...after.filter((one) => one !== now), moved]
    }
    : { entry: moved, before, after }
}

/**
 * Spreads the entries around a place over the numbers between their neighbours. There are the more of them, the fewer
 * numbers there are for each: so this takes, over many calls, as long for each as a search.
 */
const renumber = <Item>(contents: Contents<Item>, from: number): Room<Item> => {
  for (let count = 8;; count *= 2) {
    const around = ordersOf(contents).flatMap((order) => {
      const index = upTo(order, from)
      return Order.toArray(order, (entry) => entry, index - count - 1, index + count + 1)
    }).toSorted(byPosition)
    const index = around.filter(({ position }) => position <= from).length
    const before = around.slice(Math.max(index - count, 0), index + count)
    const below = Math.min(index, count)
    const low = around[index - count - 1]?.position ?? before[0]!.position - before.length - 1
    const high = around[index + count]?.position ?? lastPosition()
    const step = (high - low) / (before.length + 2)
    if (step < before.length * 2 ** -46 * Math.max(Math.abs(low), Math.abs(high))) continue
    const after = before.map(({ item, keys, origin, registration }, i) => {
      const position = low + step * (i + (i < below ? 1 : 2))
      return new Entry(item, keys, origin, { position, registration })
    })
    const isVisible = before.map((entry) => holds(contents, entry))
    reposition(contents, before, after)
    return {
      position: low + step * (below + 1),
      before: before.filter((_, i) => isVisible[i]),
      after: after.filter((_, i) => isVisible[i])
    }
  }
}

/** Puts entries, visible or not, in the places of others of the same registrations. */
const reposition = <Item>(
  contents: Contents<Item>,
  before: ReadonlyArray<Entry<Item>>,
  after: ReadonlyArray<Entry<Item>>
): void => {
  const visible: Array<Entry<Item>> = []
  const hidden: [before: Array<Entry<Item>>, after: Array<Entry<Item>>] = [[], []]
  const waiting: Array<Entry<Item>> = []
  // all leave before the first comes: one may take the position of another
  before.forEach((entry, i) => {
    const now = after[i]!
    place(contents, now)
    if (holds(contents, entry)) {
      unshow(contents, entry)
      visible.push(now)
    } else if (contents.withheld?.at(entry.position) === entry) {
      hidden[0].push(entry)
      hidden[1].push(now)
    } else {
      contents.waiting = Order.remove(contents.waiting, entry.position)
      waiting.push(now)
    }
  })
  for (const entry of visible) show(contents, entry)
  if (hidden[0].length > 0) contents.withheld = contents.withheld?.moved(...hidden)
  for (const entry of waiting) contents.waiting = Order.set(contents.waiting, entry)
}
