/**
 * What lies on top of what. An override withholds the entries below it that it shares a claim with: a unique key, or, where
 * an item has none or has an equality of its own, the item itself. They keep what they claim.
 */
import * as Equal from "effect/Equal"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Contents, Withheld } from "../store/contents.ts"
import { type Definition, type Keys, keysIn, slotOf } from "../store/definition.ts"
import { byPosition, Entry, hasOwnEquality, Origin } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import { type Added, changing, show, unshow } from "../store/update.ts"

/** What belongs to one entry alone: a key in the slot of a unique lookup, or an item in the slot after all lookups. */
interface Claim {
  readonly slot: number
  readonly value: unknown
}

const claimsOf = <Item>(
  definition: Definition<Item>,
  item: Item,
  keys: Keys,
  ownEquality = hasOwnEquality(item)
): ReadonlyArray<Claim> => {
  const claims: Array<Claim> = []
  definition.lookups.forEach(({ each, unique }, slot) => {
    if (!unique) return
    for (const value of each ? keysIn(keys[slot]) : [keys[slot]]) {
      if (value !== undefined) claims.push({ slot, value })
    }
  })
  if (claims.length === 0 || ownEquality) claims.push({ slot: definition.lookups.length, value: item })
  return claims
}

const claimsOfEntry = <Item>(definition: Definition<Item>, { item, keys, ownEquality }: Entry<Item>) =>
  claimsOf(definition, item, keys, ownEquality)

/** The withheld entries, by what they claim. */
class Layers<Item> implements Withheld<Item> {
  private readonly definition: Definition<Item>
  private readonly order: Order.Order<Entry<Item>>
  /** One map for each slot; several entries may claim the same, one above the other. */
  private readonly claimed: ReadonlyArray<HashMap.HashMap<unknown, ReadonlyArray<Entry<Item>>>>

  constructor(
    definition: Definition<Item>,
    order: Order.Order<Entry<Item>>,
    claimed: ReadonlyArray<HashMap.HashMap<unknown, ReadonlyArray<Entry<Item>>>>
  ) {
    this.definition = definition
    this.order = order
    this.claimed = claimed
  }

  get entries(): ReadonlyArray<Entry<Item>> {
    return Order.toArray(this.order, (entry) => entry)
  }

  holds(entry: Entry<Item>): boolean {
    return Order.get(this.order, entry.position) === entry
  }

  equal(item: Item, keys: Keys, ignoring: Entry<Item> | undefined): Entry<Item> | undefined {
    const { definition } = this
    // an equal entry has all its attributes
    if (keys.length < definition.lookups.length) return undefined
    return claimsOf(definition, item, keys)
      .flatMap((claim) => this.claiming(claim))
      .find((entry) => !isUnder(definition, entry, ignoring) && Equal.equals(entry.item, item))
  }

  holder(slot: number, key: unknown, ignoring: Entry<Item> | undefined): Entry<Item> | undefined {
    return this.claiming({ slot, value: key }).find((entry) => !isUnder(this.definition, entry, ignoring))
  }

  left(contents: Contents<Item>, entry: Entry<Item>): ReadonlyArray<Entry<Item>> {
    if (this.holds(entry)) contents.withheld = this.without(entry)
    const revealed = this.under(entry).filter((lower) => above(contents, lower) === undefined)
    for (const lower of revealed) {
      contents.withheld = layersOf(contents)?.without(lower)
      show(contents, lower)
    }
    return revealed
  }

  /** The entries that claim something. */
  claiming({ slot, value }: Claim): ReadonlyArray<Entry<Item>> {
    // an item that was changed since, and whose hash Effect does not keep, may not have been found to be taken out
    return Option.getOrElse(HashMap.get(this.claimed[slot]!, value), () => []).filter((entry) => this.holds(entry))
  }

  /** The withheld entries that an override lies above, in their order. */
  under(upper: Entry<Item>): ReadonlyArray<Entry<Item>> {
    if (!upper.origin.onTop) return []
    const sharing = claimsOfEntry(this.definition, upper).flatMap((claim) => this.claiming(claim))
    return inOrder(sharing.filter(({ id }) => id < upper.id))
  }

  with(entry: Entry<Item>): Layers<Item> {
    return this.changed(entry, Order.set(this.order, entry), (entries) => entries.concat(entry))
  }

  /** Nothing if no other is left. */
  without(entry: Entry<Item>): Layers<Item> | undefined {
    const order = Order.remove(this.order, entry.position)
    return order && this.changed(entry, order, (entries) => entries.filter((other) => other !== entry))
  }

  private changed(
    entry: Entry<Item>,
    order: Order.Order<Entry<Item>>,
    change: (entries: ReadonlyArray<Entry<Item>>) => ReadonlyArray<Entry<Item>>
  ): Layers<Item> {
    const claimed = this.claimed.slice()
    for (const claim of claimsOfEntry(this.definition, entry)) {
      const entries = change(this.claiming(claim))
      claimed[claim.slot] = entries.length === 0
        ? HashMap.remove(claimed[claim.slot]!, claim.value)
        : HashMap.set(claimed[claim.slot]!, claim.value, entries)
    }
    return new Layers(this.definition, order, claimed)
  }
}

const empty = <Item>(definition: Definition<Item>): Layers<Item> =>
  new Layers(definition, undefined, Array.from({ length: definition.lookups.length + 1 }, () => HashMap.empty()))

/** Nothing else withholds entries. */
const layersOf = <Item>({ withheld }: Contents<Item>): Layers<Item> | undefined =>
  withheld instanceof Layers ? withheld : undefined

const inOrder = <Item>(list: ReadonlyArray<Entry<Item>>): ReadonlyArray<Entry<Item>> =>
  Array.from(new Set(list)).toSorted(byPosition)

const isUnder = <Item>(
  definition: Definition<Item>,
  lower: Entry<Item>,
  upper: Entry<Item> | undefined
): boolean =>
  upper !== undefined && upper.origin.onTop && lower.id < upper.id &&
  claimsOfEntry(definition, lower).some((one) =>
    claimsOfEntry(definition, upper).some((other) => one.slot === other.slot && Equal.equals(one.value, other.value))
  )

/** The visible entry that claims something. */
const visiblyClaiming = <Item>(self: Contents<Item>, { slot, value }: Claim): Entry<Item> | undefined =>
  slot < self.indexes.length
    ? self.indexes[slot]!.get(value)
    // the slot after all lookups has items
    : Option.getOrUndefined(HashMap.get(self.byItem, value as Item))

/** What an override of an item would withhold, in its order. */
export const wouldWithhold = <Item>(self: Contents<Item>, item: Item, keys: Keys): ReadonlyArray<Entry<Item>> =>
  inOrder(claimsOf(self.definition, item, keys).flatMap((claim) => visiblyClaiming(self, claim) ?? []))

/** With an item that was checked on top of all others. */
export const putOnTop = <Item>(
  self: Contents<Item>,
  item: Item,
  keys: Keys,
  { owner, revision }: Origin
): Added<Item, Entry<Item>> => {
  const contents = changing(self)
  for (const entry of wouldWithhold(self, item, keys)) {
    unshow(contents, entry)
    contents.withheld = (layersOf(contents) ?? empty(self.definition)).with(entry)
  }
  const added = new Entry(item, keys, new Origin(owner, revision, true))
  show(contents, added)
  return { added, contents }
}

/** The newest override that withholds an entry. */
export const above = <Item>(self: Contents<Item>, entry: Entry<Item>): Entry<Item> | undefined => {
  let newest: Entry<Item> | undefined
  for (const claim of claimsOfEntry(self.definition, entry)) {
    const visible = visiblyClaiming(self, claim)
    const others = layersOf(self)?.claiming(claim) ?? []
    for (const other of visible === undefined ? others : [visible, ...others]) {
      if (other.origin.onTop && other.id > (newest ?? entry).id) newest = other
    }
  }
  return newest
}

/** The withheld entries that an override lies above, in their order. */
export const under = <Item>(self: Contents<Item>, upper: Entry<Item>): ReadonlyArray<Entry<Item>> =>
  layersOf(self)?.under(upper) ?? []

/** The withheld entries that have a key of a lookup, which is a unique one, the newest first. */
export const withheldBy = <Item>(
  self: Contents<Item>,
  attribute: string,
  value: unknown
): ReadonlyArray<Entry<Item>> => {
  const slot = slotOf(self.definition.lookups, attribute)
  return (layersOf(self)?.claiming({ slot, value }) ?? []).toSorted((one, other) => other.id - one.id)
}
