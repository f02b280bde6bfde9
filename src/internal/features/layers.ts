/** What lies on top of what: an override withholds the entries below it that it shares a claim with. */
import * as Equal from "effect/Equal"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { PutOnTop } from "../engine/core.ts"
import { Contents, type Reason, type Withheld } from "../store/contents.ts"
import {
  decidesForItself,
  type Definition,
  firstUnique,
  forEachKey,
  type Keys,
  keysIn,
  slotOf
} from "../store/definition.ts"
import { byPosition, type Entry, liesAbove } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import { place, show, unshow } from "../store/update.ts"

/** A key of a unique slot, which belongs to one entry alone. */
type Claim = readonly [slot: number, value: unknown]

const claimsOf = <Item>(definition: Definition<Item>, keys: Keys): ReadonlyArray<Claim> => {
  const claims: Array<Claim> = []
  forEachKey(definition, keys, (value, slot) => {
    if (definition.slots[slot]!.unique) claims.push([slot, value])
  })
  return claims
}

/** Why entries are withheld that have a key of a lookup, as long as it stands. */
export interface Rule extends Reason {
  readonly slot: number
  readonly key: unknown
  /** The scope that ends it. */
  readonly scope?: Scope.Scope | undefined
}

/** The withheld entries, as long as an override is in, or a rule stands. */
export class Layers<Item> implements Withheld<Item> {
  private readonly definition: Definition<Item>
  /** How many overrides are in, visible or withheld. */
  private readonly overrides: number
  /** Oldest first. */
  readonly rules: ReadonlyArray<Rule>
  readonly order: Order.Order<Entry<Item>>
  /** Several entries may claim the same, one above the other. */
  private readonly claimed: HashMap.HashMap<Claim, ReadonlyArray<Entry<Item>>>

  constructor(
    definition: Definition<Item>,
    overrides = 0,
    rules: ReadonlyArray<Rule> = [],
    order: Order.Order<Entry<Item>> = undefined,
    claimed: HashMap.HashMap<Claim, ReadonlyArray<Entry<Item>>> = HashMap.empty()
  ) {
    this.definition = definition
    this.overrides = overrides
    this.rules = rules
    this.order = order
    this.claimed = claimed
  }

  get entries(): ReadonlyArray<Entry<Item>> {
    return Order.toArray(this.order, (entry) => entry)
  }

  at(position: number): Entry<Item> | undefined {
    return Order.get(this.order, position)
  }

  equal(item: Item, keys: Keys, ignoring: Entry<Item> | undefined): Entry<Item> | undefined {
    return this.equals(item, keys).find((entry) => this.isInTheWay(entry, ignoring))
  }

  private equals(item: Item, keys: Keys): ReadonlyArray<Entry<Item>> {
    const { definition } = this
    const { length } = definition.lookups
    // the same item has all its attributes
    if (keys.length < length) return []
    // as `findEqual` finds what is visible
    const slot = decidesForItself(definition, item) ? length : firstUnique(definition, keys)
    return claimsOf(definition, keys)
      .filter((claim) => claim[0] === slot)
      .slice(0, slot === length ? undefined : 1)
      .flatMap((claim) => this.claiming(claim))
      .filter((entry) => definition.same(entry.item, item))
  }

  holder(slot: number, key: unknown, ignoring: Entry<Item> | undefined): Entry<Item> | undefined {
    return this.claiming([slot, key]).find((entry) => this.isInTheWay(entry, ignoring))
  }

  /** What an override hides is not in the way of another item in its place. An override is in the way of overrides alone. */
  private isInTheWay(entry: Entry<Item>, ignoring: Entry<Item> | undefined): boolean {
    if (entry === ignoring) return false
    return ignoring?.origin.onTop === true
      ? !liesAbove(ignoring, entry) || !shareClaim(this.definition, ignoring, entry)
      : !entry.origin.onTop
  }

  reasonOf(entry: Pick<Entry<Item>, "keys">): Reason | undefined {
    return this.ruleOf(entry)
  }

  /** The newest rule that fits an entry. */
  private ruleOf({ keys }: Pick<Entry<Item>, "keys">): Rule | undefined {
    return this.rules.findLast((rule) => fits(this.definition, rule, keys))
  }

  cause(entry: Entry<Item>): "switch" | "override" {
    return this.ruleOf(entry) === undefined ? "override" : "switch"
  }

  withReason(contents: Contents<Item>): ReadonlyArray<Entry<Item>> {
    return this.rules.length === 0 ? [] : this.entries.filter((entry) => above(contents, entry) === undefined)
  }

  standIn(contents: Contents<Item>, slot: number, key: unknown): Entry<Item> | undefined {
    return this.claiming([slot, key]).find((entry) => above(contents, entry) === undefined)
  }

  standInFor(contents: Contents<Item>, item: Item, keys: Keys): Entry<Item> | undefined {
    return this.equals(item, keys).find((entry) => above(contents, entry) === undefined)
  }

  /** Whether an entry is not to be visible. */
  withholds(contents: Contents<Item>, entry: Entry<Item>): boolean {
    return this.ruleOf(entry) !== undefined || above(contents, entry) !== undefined
  }

  take(contents: Contents<Item>, entry: Entry<Item>): boolean {
    if (!this.withholds(contents, entry)) return false
    contents.withheld = this.with(entry)
    return true
  }

  drop(contents: Contents<Item>, entry: Entry<Item>): void {
    if (this.holds(entry)) contents.withheld = this.without(entry)
  }

  left(contents: Contents<Item>, entry: Entry<Item>): ReadonlyArray<Entry<Item>> {
    this.drop(contents, entry)
    if (!entry.origin.onTop) return []
    const layers = layersOf(contents) ?? this
    const revealed = layers.under(entry).filter((lower) => !layers.withholds(contents, lower))
    for (const lower of revealed) reveal(contents, lower)
    if (currentAt(contents, entry.position) === undefined) {
      contents.withheld = layersOf(contents)?.counting(-1)
    }
    return revealed
  }

  emptied(visible: ReadonlyArray<Entry<Item>>): Layers<Item> | undefined {
    const overrides = visible.filter(({ origin }) => origin.onTop).length
    return new Layers(this.definition, overrides, this.rules).settled()
  }

  moved(before: ReadonlyArray<Entry<Item>>, after: ReadonlyArray<Entry<Item>>): Layers<Item> {
    const without = before.reduce<Layers<Item>>((layers, entry) => layers.without(entry), this)
    return after.reduce((layers, entry) => layers.with(entry), without)
  }

  private holds(entry: Entry<Item>): boolean {
    return this.at(entry.position) === entry
  }

  /** With more overrides, or fewer. */
  counting(more: number): Layers<Item> | undefined {
    return new Layers(this.definition, this.overrides + more, this.rules, this.order, this.claimed).settled()
  }

  withRules(rules: ReadonlyArray<Rule>): Layers<Item> {
    return new Layers(this.definition, this.overrides, rules, this.order, this.claimed)
  }

  /** Without overrides and rules, nothing is withheld, unless another version of the program withholds it. */
  settled(): Layers<Item> | undefined {
    return this.overrides + this.rules.length + Order.size(this.order) === 0 ? undefined : this
  }

  /** The entries that claim something. */
  claiming(claim: Claim): ReadonlyArray<Entry<Item>> {
    // an item that is a key and was changed since may not have been found to be taken out
    return Option.getOrElse(HashMap.get(this.claimed, claim), () => []).filter((entry) => this.holds(entry))
  }

  /** The withheld entries that an override lies above, in their order. */
  under(upper: Entry<Item>): ReadonlyArray<Entry<Item>> {
    const claiming = claimsOf(this.definition, upper.keys).flatMap((claim) => this.claiming(claim))
    return inOrder(claiming.filter((lower) => liesAbove(upper, lower)))
  }

  with(entry: Entry<Item>): Layers<Item> {
    return this.changed(entry, Order.set(this.order, entry), (entries) => entries.concat(entry))
  }

  without(entry: Entry<Item>): Layers<Item> {
    return this.changed(
      entry,
      Order.remove(this.order, entry.position),
      (entries) => entries.filter((other) => other !== entry)
    )
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
    return new Layers(this.definition, this.overrides, this.rules, order, claimed)
  }
}

const currentAt = <Item>({ order, withheld }: Contents<Item>, position: number): Entry<Item> | undefined =>
  Order.get(order, position) ?? withheld?.at(position)

/** Makes a withheld entry visible, in contents that nobody has seen. */
export const reveal = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  contents.withheld?.drop(contents, entry)
  show(contents, entry)
}

/** Withholds a visible entry, in contents that nobody has seen. */
export const withhold = <Item>(contents: Contents<Item>, entry: Entry<Item>): void => {
  unshow(contents, entry)
  contents.withheld = layersIn(contents).with(entry)
}

/** Whether a rule is about one of the keys of an entry. */
export const fits = <Item>(definition: Definition<Item>, { key, slot }: Rule, keys: Keys): boolean =>
  // `undefined` is no key
  key !== undefined &&
  (definition.slots[slot]!.each ? keysIn(keys[slot]) : [keys[slot]]).some((own) => Equal.equals(own, key))

/** Nothing else withholds entries. */
export const layersOf = <Item>({ withheld }: Contents<Item>): Layers<Item> | undefined =>
  withheld instanceof Layers ? withheld : undefined

const inOrder = <Item>(list: ReadonlyArray<Entry<Item>>): ReadonlyArray<Entry<Item>> =>
  Array.from(new Set(list)).toSorted(byPosition)

const shareClaim = <Item>(definition: Definition<Item>, one: Entry<Item>, other: Entry<Item>): boolean =>
  claimsOf(definition, one.keys).some((claim) =>
    claimsOf(definition, other.keys).some((its) => Equal.equals(claim, its))
  )

/** The visible entries that share a claim with keys, in their order. */
const sharing = <Item>(self: Contents<Item>, keys: Keys): ReadonlyArray<Entry<Item>> =>
  inOrder(claimsOf(self.definition, keys).flatMap(([slot, value]) => self.indexes[slot]!.entry(value) ?? []))

/** With an entry that is an override, and answers the entries that it withholds, in their order. */
export const putOnTop = <Item>(
  self: Contents<Item>,
  added: Entry<Item>
): PutOnTop<Item> => {
  const contents = new Contents(self)
  place(contents, added)
  contents.withheld = layersIn(self).counting(1)
  const withheld = sharing(self, added.keys).filter((entry) => liesAbove(added, entry))
  for (const entry of withheld) withhold(contents, entry)
  // another one may lie above an override that comes back
  if (contents.withheld?.take(contents, added) !== true) show(contents, added)
  return { contents, withheld }
}

/** The layers of contents, or the first ones. */
export const layersIn = <Item>(contents: Contents<Item>): Layers<Item> =>
  layersOf(contents) ?? new Layers<Item>(contents.definition)

/** The newest override that withholds an entry. */
export const above = <Item>(self: Contents<Item>, entry: Entry<Item>): Entry<Item> | undefined => {
  let newest: Entry<Item> | undefined
  for (const claim of claimsOf(self.definition, entry.keys)) {
    const visible = self.indexes[claim[0]]!.entry(claim[1])
    const others = layersOf(self)?.claiming(claim) ?? []
    for (const other of visible === undefined ? others : [visible, ...others]) {
      if (liesAbove(other, newest ?? entry)) newest = other
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
  const claim: Claim = [slot, self.indexes[slot]!.keyFor(value)]
  return (layersOf(self)?.claiming(claim) ?? []).toSorted((one, other) => liesAbove(one, other) ? -1 : 1)
}
