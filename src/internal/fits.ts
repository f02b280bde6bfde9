/**
 * What a registry, or a snapshot, is checked against in data-last form, where it comes after the attribute and the value.
 *
 * @internal
 */

/**
 * Nothing more where they fit; else something that no registry has, whose name in the error says what would.
 *
 * @internal
 */
export type Fits<AllKeys, Attribute, Key> = [Attribute] extends [keyof AllKeys]
  ? [Key] extends [AllKeys[Attribute]] ? unknown : ValueIs<AllKeys[Attribute]>
  : AttributeIs<keyof AllKeys>

interface AttributeIs<in out Attribute> {
  readonly [expected]: Attribute
}

interface ValueIs<in out Value> {
  readonly [expected]: Value
}

declare const expected: unique symbol
