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
 * **Example** (Finding a codec in a snapshot)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect, Option } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const codecs = yield* Registry.make<{ readonly name: string }>()({
 *     lookup: ["name"],
 *     defaults: [{ name: "gzip" }]
 *   })
 *   const snapshot = yield* Registry.snapshot(codecs)
 *   return [RegistrySnapshot.get(snapshot, "name", "gzip"), RegistrySnapshot.get(snapshot, "name", "zip")]
 * }))
 *
 * await Effect.runPromise(program) // => [Option.some({ name: "gzip" }), Option.none()]
 * ```
 *
 * @category lookups
 * @since 0.1.0
 */
export const get: {
  <const Attribute extends string, const Key>(attribute: Attribute, value: Key): <Item, Lookups>(
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
 * **Example** (The tools of a kind)
 *
 * ```ts
 * import { Lookup, Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string; readonly kind: string }>()({
 *     lookup: { kind: Lookup.group((tool) => tool.kind) },
 *     defaults: [{ name: "grep", kind: "read" }, { name: "edit", kind: "write" }, { name: "list", kind: "read" }]
 *   })
 *   const snapshot = yield* Registry.snapshot(tools)
 *   return RegistrySnapshot.getAll(snapshot, "kind", "read").map((tool) => tool.name)
 * }))
 *
 * await Effect.runPromise(program) // => ["grep", "list"]
 * ```
 *
 * @category lookups
 * @since 0.1.0
 */
export const getAll: {
  <const Attribute extends string, const Key>(attribute: Attribute, value: Key): <Item, Lookups>(
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
 * **Example** (A snapshot does not see what comes later)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const codecs = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   const before = yield* Registry.snapshot(codecs)
 *   yield* Registry.register(codecs, { name: "gzip" })
 *   const after = yield* Registry.snapshot(codecs)
 *   return [RegistrySnapshot.has(before, "name", "gzip"), RegistrySnapshot.has(after, "name", "gzip")]
 * }))
 *
 * await Effect.runPromise(program) // => [false, true]
 * ```
 *
 * @category lookups
 * @since 0.1.0
 */
export const has: {
  <const Attribute extends string, const Key>(attribute: Attribute, value: Key): <Item, Lookups>(
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
 * **Example** (Whether a step is in)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const steps = yield* Registry.make<string>()({ lookup: [], defaults: ["lint", "test"] })
 *   const snapshot = yield* Registry.snapshot(steps)
 *   return [RegistrySnapshot.contains(snapshot, "test"), RegistrySnapshot.contains(snapshot, "deploy")]
 * }))
 *
 * await Effect.runPromise(program) // => [true, false]
 * ```
 *
 * @category lookups
 * @since 0.1.0
 */
export const contains: {
  <Given>(item: Given): <Item, Lookups>(
    self: RegistrySnapshot<Item, Lookups> & ([Given] extends [Item] ? unknown : never)
  ) => boolean
  <Item, Lookups>(self: RegistrySnapshot<Item, Lookups>, item: Item): boolean
} = dual(
  2,
  <Item, Lookups>(self: RegistrySnapshot<Item, Lookups>, item: Item): boolean =>
    Contents.find(contentsOf(self), item) !== undefined
)

/**
 * How many items there are.
 *
 * **Example** (Counting steps)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const steps = yield* Registry.make<string>()({ lookup: [], defaults: ["lint", "test"] })
 *   return RegistrySnapshot.size(yield* Registry.snapshot(steps))
 * }))
 *
 * await Effect.runPromise(program) // => 2
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const size = <Item, Lookups>(self: RegistrySnapshot<Item, Lookups>): number => contentsOf(self).size

/**
 * All items, in registration order: one frozen array for all who ask.
 *
 * **Example** (A snapshot as an array, and as an iterable)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const steps = yield* Registry.make<string>()({ lookup: [], defaults: ["lint", "test"] })
 *   const snapshot = yield* Registry.snapshot(steps)
 *   return [RegistrySnapshot.values(snapshot).join(" && "), new Set(snapshot).size]
 * }))
 *
 * await Effect.runPromise(program) // => ["lint && test", 2]
 * ```
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
 * **Example** (The last step)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect, Option } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const steps = yield* Registry.make<string>()({ lookup: [], defaults: ["lint", "test"] })
 *   return RegistrySnapshot.at(yield* Registry.snapshot(steps), -1)
 * }))
 *
 * await Effect.runPromise(program) // => Option.some("test")
 * ```
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
 * **Example** (Whether anything has changed)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const themes = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   const populated = yield* Registry.snapshot(themes)
 *   yield* Registry.registerAll(themes, [{ name: "dark" }, { name: "light" }])
 *   return [RegistrySnapshot.revision(populated), RegistrySnapshot.revision(yield* Registry.snapshot(themes))]
 * }))
 *
 * await Effect.runPromise(program) // => [1, 2]
 * ```
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
