/** In data-last form a registry comes after the arguments that it has to fit. An error shows the name of a type here. */
import type * as Types from "effect/Types"

/** `Self`, if it can be asked for this value of this attribute. */
export type Fits<Self, AllKeys, Attribute, Key> = [Attribute] extends [keyof AllKeys]
  ? [Key] extends [AllKeys[Attribute]] ? Self : ValueIs<Attribute, AllKeys[Attribute]>
  : NoSuchAttribute<Exclude<Attribute, keyof AllKeys>, keyof AllKeys>

/** `Self`, if it can be asked for the values of two attributes; one that is not given is `never`. */
export type FitsBoth<Self, AllKeys, Attribute, Key, Other, OtherKey> = [Attribute | Other] extends [keyof AllKeys]
  ? [Key] extends [AllKeys[Attribute & keyof AllKeys]]
    ? [OtherKey] extends [AllKeys[Other & keyof AllKeys]] ? Self : ValueIs<Other, AllKeys[Other & keyof AllKeys]>
  : ValueIs<Attribute, AllKeys[Attribute & keyof AllKeys]>
  : NoSuchAttribute<Exclude<Attribute | Other, keyof AllKeys>, keyof AllKeys>

/** There are other attributes. */
interface NoSuchAttribute<in out Attribute, in out Others> {
  readonly [expected]: readonly [Attribute, Others]
}

interface ValueIs<in out Attribute, in out Value> {
  readonly [expected]: readonly [Attribute, Value]
}

/** `Self`, if `Given` is one of its items. A literal, which is inferred as `readonly`, may serve for another type. */
export type Takes<Self, Item, Given> = [Given] extends [Item] ? Self
  : [Types.DeepMutable<Given>] extends [Item] ? Self
  : [Given] extends [object] ? [Item] extends [object] ? Misfit<Item, Types.DeepMutable<Given>> : ItemIs<Item>
  : ItemIs<Item>

type Misfit<Item, Given> = [Exclude<Required<Item>, keyof Given>] extends [never]
  ? [Wrong<Item, Given>] extends [never] ? ItemIs<Item> : PropertyIs<Wrong<Item, Given>, Item[Wrong<Item, Given>]>
  : PropertyIsMissing<Exclude<Required<Item>, keyof Given>>

/** The names of the properties that an item must have. */
type Required<Item> = { [Name in keyof Item]-?: {} extends Pick<Item, Name> ? never : Name }[keyof Item]

/** The names of the properties that are of another type. */
type Wrong<Item, Given> = {
  [Name in keyof Item & keyof Given]: Given[Name] extends Item[Name] ? never : Name
}[keyof Item & keyof Given]

interface ItemIs<in out Item> {
  readonly [expected]: Item
}

interface PropertyIs<in out Name, in out Value> {
  readonly [expected]: readonly [Name, Value]
}

interface PropertyIsMissing<in out Name> {
  readonly [expected]: Name
}

declare const expected: unique symbol
