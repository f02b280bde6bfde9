/**
 * What a registry held at one revision: an immutable value, and the questions that a registry answers asked of it,
 * synchronously.
 *
 * A snapshot never changes, whatever is registered later. It is iterable, in registration order.
 *
 * @since 0.1.0
 */
import { dual } from "effect/Function"
import type * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import type * as Pipeable from "effect/Pipeable"
import type * as Types from "effect/Types"
import * as Contents from "./internal/contents.ts"
import { invalidAttribute, lookupIndex } from "./internal/operations.ts"
import type * as Lookup from "./Lookup.ts"

/**
 * What a registry held at one revision.
 *
 * @category models
 * @since 0.1.0
 */
export interface RegistrySnapshot<out Item, in out Lookups>
  extends Iterable<Item>, Pipeable.Pipeable, Inspectable.Inspectable
{
  readonly [TypeId]: { readonly _Lookups: Types.Invariant<Lookups> }
}

declare const TypeId: unique symbol

/** Every snapshot is a `Contents`; the interface shows users its types alone. */
const contentsOf = <Item>(snapshot: RegistrySnapshot<Item, any>): Contents.Contents<Item> =>
  snapshot as unknown as Contents.Contents<Item>

/**
 * The item that has a value of a unique lookup.
 *
 * Throws an `ItemLookupError` of code `invalid_attribute` for an attribute that is no unique lookup, which is a compile
 * error in typed code.
 *
 * @category lookups
 * @since 0.1.0
 */
export const get: {
  <const Attribute extends string, Key>(attribute: Attribute, value: Key): <Item, Lookups>(
    self: RegistrySnapshot<Item, Lookups> & Fits<Lookup.UniqueKeys<Item, Lookups>, Attribute, Key>
  ) => Option.Option<Item>
  <Item, Lookups, Attribute extends keyof Lookup.UniqueKeys<Item, Lookups> & string>(
    self: RegistrySnapshot<Item, Lookups>,
    attribute: Attribute,
    value: Lookup.UniqueKeys<Item, Lookups>[Attribute]
  ): Option.Option<Item>
} = dual(3, <Item>(self: RegistrySnapshot<Item, any>, attribute: string, value: unknown): Option.Option<Item> => {
  const contents = contentsOf(self)
  const entry = contents.indexes[indexOf(contents, attribute, true, value)]!.get(value)
  return entry === undefined ? Option.none() : Option.some(entry.item)
})

/**
 * The items that have a value of a lookup, in registration order.
 *
 * @category lookups
 * @since 0.1.0
 */
export const getAll: {
  <const Attribute extends string, Key>(attribute: Attribute, value: Key): <Item, Lookups>(
    self: RegistrySnapshot<Item, Lookups> & Fits<Lookup.Keys<Item, Lookups>, Attribute, Key>
  ) => ReadonlyArray<Item>
  <Item, Lookups, Attribute extends keyof Lookup.Keys<Item, Lookups> & string>(
    self: RegistrySnapshot<Item, Lookups>,
    attribute: Attribute,
    value: Lookup.Keys<Item, Lookups>[Attribute]
  ): ReadonlyArray<Item>
} = dual(3, <Item>(self: RegistrySnapshot<Item, any>, attribute: string, value: unknown): ReadonlyArray<Item> => {
  const contents = contentsOf(self)
  return contents.indexes[indexOf(contents, attribute, false, value)]!.getAll(value)
})

/**
 * Whether an item has a value of a lookup.
 *
 * @category lookups
 * @since 0.1.0
 */
export const has: {
  <const Attribute extends string, Key>(attribute: Attribute, value: Key): <Item, Lookups>(
    self: RegistrySnapshot<Item, Lookups> & Fits<Lookup.Keys<Item, Lookups>, Attribute, Key>
  ) => boolean
  <Item, Lookups, Attribute extends keyof Lookup.Keys<Item, Lookups> & string>(
    self: RegistrySnapshot<Item, Lookups>,
    attribute: Attribute,
    value: Lookup.Keys<Item, Lookups>[Attribute]
  ): boolean
} = dual(3, <Item>(self: RegistrySnapshot<Item, any>, attribute: string, value: unknown): boolean => {
  const contents = contentsOf(self)
  return contents.indexes[indexOf(contents, attribute, false, value)]!.has(value)
})

/**
 * Whether an equal item is in.
 *
 * @category lookups
 * @since 0.1.0
 */
export const contains: {
  <Item>(item: Item): <Lookups>(self: RegistrySnapshot<Item, Lookups>) => boolean
  <Item, Lookups>(self: RegistrySnapshot<Item, Lookups>, item: Item): boolean
} = dual(
  2,
  <Item, Lookups>(self: RegistrySnapshot<Item, Lookups>, item: Item): boolean =>
    Contents.find(contentsOf(self), item) !== undefined
)

/**
 * How many items there are.
 *
 * @category getters
 * @since 0.1.0
 */
export const size = <Item, Lookups>(self: RegistrySnapshot<Item, Lookups>): number => contentsOf(self).size

/**
 * All items, in registration order: one frozen array for all who ask.
 *
 * @category getters
 * @since 0.1.0
 */
export const values = <Item, Lookups>(self: RegistrySnapshot<Item, Lookups>): ReadonlyArray<Item> =>
  contentsOf(self).values

/**
 * The item at an index, in registration order; a negative one counts from the end. An index that is no integer finds
 * nothing.
 *
 * @category lookups
 * @since 0.1.0
 */
export const at: {
  (index: number): <Item, Lookups>(self: RegistrySnapshot<Item, Lookups>) => Option.Option<Item>
  <Item, Lookups>(self: RegistrySnapshot<Item, Lookups>, index: number): Option.Option<Item>
} = dual(2, <Item, Lookups>(self: RegistrySnapshot<Item, Lookups>, index: number): Option.Option<Item> => {
  const entry = Contents.at(contentsOf(self), index)
  return entry === undefined ? Option.none() : Option.some(entry.item)
})

/**
 * The revision: 0 before the first population, and one more for each transaction that was committed since.
 *
 * @category getters
 * @since 0.1.0
 */
export const revision = <Item, Lookups>(self: RegistrySnapshot<Item, Lookups>): number => contentsOf(self).revision

/** In data-last form the snapshot comes after the attribute and the value: it is checked against them. */
type Fits<AllKeys, Attribute, Key> = Attribute extends keyof AllKeys ? Key extends AllKeys[Attribute] ? unknown : never
  : never

const indexOf = <Item>(
  { definition }: Contents.Contents<Item>,
  attribute: string,
  unique: boolean,
  value: unknown
): number => {
  const index = lookupIndex(definition, attribute, unique)
  if (index === undefined) throw invalidAttribute(definition, attribute, unique, value)
  return index
}
