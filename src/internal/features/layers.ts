/** What lies on top of what: an override withholds the entries below it that it shares a claim with. */
import * as Equal from "effect/Equal"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { Contents, type Withheld } from "../store/contents.ts"
import { type Definition, forEachKey, type Keys, slotOf } from "../store/definition.ts"
import { byPosition, Entry, Origin } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import { type Added, show, unshow } from "../store/update.ts"

/** A key of a unique slot, which belongs to one entry alone. `HashMap` compares it by value. */
type Claim = readonly [slot: number, value: unknown]

const claimsOf = <Item>(definition: Definition<Item>, keys: Keys): ReadonlyArray<Claim> => {
  const claims: Array<Claim> = []
  forEachKey(definition, keys, (value, slot) => {
    if (definition.slots[slot]!.unique) claims.push([slot, value])
  })
  return claims
}

/** The withheld entries. */
class Layers<Item> implements Withheld<Item> {
  private readonly definition: Definition<Item>
  private readonly order: Order.Order<Entry<Item>>
  /** Several entries may claim the same, one above the other. */
  private readonly claimed: HashMap.HashMap<Claim, ReadonlyArray<Entry<Item>>>

  constructor(
    definition: Definition<Item>,
    order: Order.Order<Entry<Item>> = undefined,
    claimed: HashMap.HashMap<Claim, ReadonlyArray<Entry<Item>>> = HashMap.empty()
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
    return claimsOf(definition, keys)
      .flatMap((claim) => this.claiming(claim))
      .find((entry) => !isUnder(definition, entry, ignoring) && Equal.equals(entry.item, item))
  }

  holder(slot: number, key: unknown, ignoring: Entry<Item> | undefined): Entry<Item> | undefined {
    return this.claiming([slot, key]).find((entry) => !isUnder(this.definition, entry, ignoring))
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
  claiming(claim: Claim): ReadonlyArray<Entry<Item>> {
    // an item that was changed since, and whose hash Effect does not keep, may not have been found to be taken out
    return Option.getOrElse(HashMap.get(this.claimed, claim), () => []).filter((entry) => this.holds(entry))
  }

  /** The withheld entries that an override lies above, in their order. */
  under(upper: Entry<Item>): ReadonlyArray<Entry<Item>> {
    if (!upper.origin.onTop) return []
    const sharing = claimsOf(this.definition, upper.keys).flatMap((claim) => this.claiming(claim))
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
    let claimed = this.claimed
    for (const claim of claimsOf(this.definition, entry.keys)) {
      const entries = change(this.claiming(claim))
      claimed = entries.length === 0 ? HashMap.remove(claimed, claim) : HashMap.set(claimed, claim, entries)
    }
    return new Layers(this.definition, order, claimed)
  }
}

/** Nothing else withholds entries. */
const layersOf = <Item>({ withheld }: Contents<Item>): Layers<Item> | undefined =>
  withheld instanceof Layers ? withheld : undefined

const inOrder = <Item>(list: ReadonlyArray<Entry<Item>>): ReadonlyArray<Entry<Item>> =>
  Array.from(new Set(list)).toSorted(byPosition)

const isUnder = <Item>(definition: Definition<Item>, lower: Entry<Item>, upper: Entry<Item> | undefined): boolean =>
  upper !== undefined && upper.origin.onTop && lower.id < upper.id &&
  claimsOf(definition, lower.keys).some((one) =>
    claimsOf(definition, upper.keys).some((other) => Equal.equals(one, other))
  )

/** What an override of an item would withhold, in its order. */
export const wouldWithhold = <Item>(self: Contents<Item>, keys: Keys): ReadonlyArray<Entry<Item>> =>
  inOrder(claimsOf(self.definition, keys).flatMap(([slot, value]) => self.indexes[slot]!.get(value) ?? []))

/** With an item that was checked on top of all others. */
export const putOnTop = <Item>(
  self: Contents<Item>,
  item: Item,
  keys: Keys,
  { owner, revision }: Origin
): Added<Item, Entry<Item>> => {
  const contents = new Contents(self)
  for (const entry of wouldWithhold(self, keys)) {
    unshow(contents, entry)
    contents.withheld = (layersOf(contents) ?? new Layers(self.definition)).with(entry)
  }
  const added = new Entry(item, keys, new Origin(owner, revision, true))
  show(contents, added)
  return { added, contents }
}

/** The newest override that withholds an entry. */
export const above = <Item>(self: Contents<Item>, entry: Entry<Item>): Entry<Item> | undefined => {
  let newest: Entry<Item> | undefined
  for (const claim of claimsOf(self.definition, entry.keys)) {
    const visible = self.indexes[claim[0]]!.get(claim[1])
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
  const claim: Claim = [slotOf(self.definition.lookups, attribute), value]
  return (layersOf(self)?.claiming(claim) ?? []).toSorted((one, other) => other.id - one.id)
}
