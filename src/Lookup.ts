/**
 * How the items of a registry are found.
 *
 * A lookup has a selector, which takes the keys from an item. A key belongs to one item (`unique`) or to any number of
 * items (`group`). Two keys are the same if they are one object or plain data with the same content: strings, numbers,
 * `null`, `NaN`, lists, objects and `Data`. An instance of another class is the same only as itself. Keys are read when
 * an item is registered, and once more after its `onItemRegistering` hooks. Later mutations of the item do not change
 * how it is found.
 *
 * @module
 * @since 0.1.0
 */
import { dual } from "effect/Function"
import * as Predicate from "effect/Predicate"
import { CopyKey, here, refuseForeign } from "./internal/copy.ts"

const TypeId = "~effect-registry/Lookup"

/**
 * A way to find items: `Unique`, where a key belongs to one item, or `Group`, where it belongs to any number.
 *
 * @category models
 * @since 0.1.0
 */
export type Lookup<Item, Key = unknown> = Unique<Item, Key> | Group<Item, Key>

/**
 * A lookup whose keys belong to one item each.
 *
 * @category models
 * @since 0.1.0
 */
export interface Unique<in Item, out Key = unknown> extends Proto<Item, Key> {
  readonly _tag: "Unique"
}

/**
 * A lookup whose keys belong to any number of items, in registration order.
 *
 * @category models
 * @since 0.1.0
 */
export interface Group<in Item, out Key = unknown> extends Proto<Item, Key> {
  readonly _tag: "Group"
}

interface Proto<in Item, out Key> {
  readonly [TypeId]: { readonly _Key: () => Key }
  /** Whether the selector returns all the keys of an item, or its one key. */
  readonly each: boolean
  /** Whether an item may lack the attribute. */
  readonly optional: boolean
  /** Maps a value to its key, if that is another value. */
  readonly normalize: ((value: any) => unknown) | undefined
  readonly select: (item: Item) => unknown
}

/**
 * The type of `options.lookup`: lookups by name, or a list of property names, which is short for unique lookups.
 *
 * @category models
 * @since 0.1.0
 */
export type Input<Item> = { readonly [attribute: string]: Lookup<Item> } | ReadonlyArray<PropertyNames<Item>>

/**
 * The property names that a list of lookups may have.
 *
 * @category models
 * @since 0.1.0
 */
export type PropertyNames<Item> = unknown extends Item ? string : keyof Item & string

/**
 * The keys of each lookup of a registry, by its name.
 *
 * @category models
 * @since 0.1.0
 */
export type Keys<Item, Lookups> = Lookups extends ReadonlyArray<infer Name>
  ? { readonly [N in Name & keyof Item]: Exclude<Item[N], undefined> }
  : { readonly [N in keyof Lookups]: Lookups[N] extends Proto<any, infer Key> ? Key : never }

/**
 * The keys of each unique lookup of a registry, by its name.
 *
 * @category models
 * @since 0.1.0
 */
export type UniqueKeys<Item, Lookups> = Lookups extends ReadonlyArray<unknown> ? Keys<Item, Lookups>
  : { readonly [N in keyof Lookups as Lookups[N] extends { readonly _tag: "Unique" } ? N : never]: KeyOf<Lookups[N]> }

type KeyOf<L> = L extends Proto<any, infer Key> ? Key : never

const make = <Tag extends "Unique" | "Group">(
  _tag: Tag,
  each: boolean,
  select: (item: any) => unknown
): { readonly _tag: Tag; readonly [CopyKey]: typeof here } & Proto<any, never> => ({
  [TypeId]: variance,
  [CopyKey]: here,
  _tag,
  each,
  optional: false,
  normalize: undefined,
  select
})

// nobody calls it: it is there for its type
const variance: Proto<any, never>[typeof TypeId] = { _Key: () => undefined as never }

/**
 * Finds an item by a value that no other item has.
 *
 * An item whose selector returns `undefined` cannot be registered (`missing_attribute`); `null`, `""`, `0` and `NaN`
 * are ordinary values. If a selector throws, the operation dies with that error, and nothing is registered.
 *
 * **Example** (Finding an item by its id)
 *
 * ```ts
 * import { Lookup, Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const registry = yield* Registry.make<{ readonly id: number }>()({
 *     lookup: { id: Lookup.unique((item) => item.id) },
 *     defaults: [{ id: 1 }]
 *   })
 *   return yield* Registry.get(registry, "id", 1)
 * }))
 *
 * await Effect.runPromise(program) // => { id: 1 }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const unique = <Item, Key>(select: (item: Item) => Key): Unique<Item, Exclude<Key, undefined>> =>
  make("Unique", false, select)

/**
 * Finds an item by any of its values; no other item has one of them.
 *
 * A value that an item has twice counts once. `undefined`, alone or among the values, is `missing_attribute`, unless
 * the lookup is `optional`.
 *
 * **Example** (Finding an item by its aliases)
 *
 * ```ts
 * import { Lookup, Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const registry = yield* Registry.make<{ readonly aliases: ReadonlyArray<string> }>()({
 *     lookup: { alias: Lookup.uniqueEach((item) => item.aliases) },
 *     defaults: [{ aliases: ["ts", "typescript"] }]
 *   })
 *   return yield* Registry.has(registry, "alias", "ts")
 * }))
 *
 * await Effect.runPromise(program) // => true
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const uniqueEach = <Item, Key>(
  select: (item: Item) => Iterable<Key> | undefined
): Unique<Item, Exclude<Key, undefined>> => make("Unique", true, select)

/**
 * Finds all items that have a value, in registration order.
 *
 * **Example** (Finding items by their kind)
 *
 * ```ts
 * import { Lookup, Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const registry = yield* Registry.make<{ readonly kind: string; readonly n: number }>()({
 *     lookup: { kind: Lookup.group((item) => item.kind) },
 *     defaults: [{ kind: "a", n: 1 }, { kind: "b", n: 2 }, { kind: "a", n: 3 }]
 *   })
 *   return (yield* Registry.getAll(registry, "kind", "a")).map((item) => item.n)
 * }))
 *
 * await Effect.runPromise(program) // => [1, 3]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const group = <Item, Key>(select: (item: Item) => Key): Group<Item, Exclude<Key, undefined>> =>
  make("Group", false, select)

/**
 * Finds all items that have a value among theirs, in registration order.
 *
 * **Example** (Finding items by their extensions)
 *
 * ```ts
 * import { Lookup, Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const registry = yield* Registry.make<{ readonly name: string; readonly extensions: ReadonlyArray<string> }>()({
 *     lookup: { extension: Lookup.groupEach((item) => item.extensions) },
 *     defaults: [{ name: "C", extensions: [".c", ".h"] }, { name: "C++", extensions: [".cc", ".h"] }]
 *   })
 *   return (yield* Registry.getAll(registry, "extension", ".h")).map((item) => item.name)
 * }))
 *
 * await Effect.runPromise(program) // => ["C", "C++"]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const groupEach = <Item, Key>(
  select: (item: Item) => Iterable<Key> | undefined
): Group<Item, Exclude<Key, undefined>> => make("Group", true, select)

/**
 * Makes a lookup that an item may lack: if the selector returns `undefined`, the item is registered, and this lookup
 * does not find it. The selector of an `Each` lookup may also return `undefined` in place of an empty list.
 *
 * **Example** (An attribute that only some items have)
 *
 * ```ts
 * import { Lookup, Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const registry = yield* Registry.make<{ readonly name: string; readonly shortcut?: string }>()({
 *     lookup: {
 *       name: Lookup.unique((item) => item.name),
 *       shortcut: Lookup.optional(Lookup.unique((item) => item.shortcut))
 *     },
 *     defaults: [{ name: "save", shortcut: "ctrl-s" }, { name: "about" }]
 *   })
 *   return yield* Registry.size(registry)
 * }))
 *
 * await Effect.runPromise(program) // => 2
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const optional = <L extends Lookup<any, any>>(lookup: L): L => {
  refuseForeign(lookup)
  return { ...lookup, optional: true }
}

/**
 * Makes a lookup for which two values are the same if `normalize` maps them to the same value. It normalizes the keys
 * of items and the values that are looked up, in every operation. Suggestions are normalized, too. Items and labels
 * keep their spelling.
 *
 * **Example** (Names without regard to case)
 *
 * ```ts
 * import { Lookup, Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const languages = yield* Registry.make<{ readonly name: string; readonly aliases: ReadonlyArray<string> }>()({
 *     lookup: {
 *       name: Lookup.normalized(Lookup.unique((language) => language.name), (name) => name.toLowerCase()),
 *       alias: Lookup.normalized(Lookup.uniqueEach((language) => language.aliases), (alias) => alias.toLowerCase())
 *     },
 *     defaults: [{ name: "CSharp", aliases: ["C#"] }]
 *   })
 *   const found = yield* Registry.get(languages, "alias", "c#")
 *   const error = yield* Effect.flip(Registry.register(languages, { name: "csharp", aliases: [] }))
 *   return [found.name, error.code]
 * }))
 *
 * await Effect.runPromise(program) // => ["CSharp", "attribute_registered"]
 * ```
 *
 * @category combinators
 * @since 0.2.0
 */
export const normalized: {
  <Key>(normalize: (value: Key) => unknown): <L extends Lookup<any, Key>>(lookup: L) => L
  <L extends Lookup<any, any>>(lookup: L, normalize: (value: KeyOf<L>) => unknown): L
} = /*#__PURE__*/ dual(2, (lookup: Lookup<any, any>, normalize: (value: unknown) => unknown): Lookup<any, any> => {
  refuseForeign(lookup)
  const { normalize: first } = lookup
  return { ...lookup, normalize: first === undefined ? normalize : (value) => normalize(first(value)) }
})

/**
 * Whether a value is a `Lookup`.
 *
 * **Example** (Telling a lookup from its selector)
 *
 * ```ts
 * import { Lookup } from "effect-registry"
 *
 * const selector = (codec: { readonly name: string }) => codec.name
 *
 * const answers = [Lookup.isLookup(Lookup.unique(selector)), Lookup.isLookup(selector)]
 *
 * answers // => [true, false]
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isLookup = (u: unknown): u is Lookup<any> => Predicate.hasProperty(u, TypeId)
