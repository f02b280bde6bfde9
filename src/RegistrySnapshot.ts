/**
 * Snapshots: the items of a registry at one revision, as an immutable value. A snapshot answers every lookup of its
 * registry synchronously, and iterates in registration order.
 *
 * @module
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { contentsOf, operation, snapshotOf } from "./internal/coreOf.ts"
import type { Core } from "./internal/engine/core.ts"
import { log } from "./internal/features/leavingOut.ts"
import type { Fits, Takes } from "./internal/fits.ts"
import type { RegistryOrService, RegistrySnapshot } from "./internal/model.ts"
import { indexOf, optionOf } from "./internal/operations/find.ts"
import * as Contents from "./internal/store/contents.ts"
import { type Definition, failure, takeKeys } from "./internal/store/definition.ts"
import { type Entry, isObject, Origin } from "./internal/store/entry.ts"
import { valuesOf } from "./internal/store/listing.ts"
import * as Matching from "./internal/store/matching.ts"
import * as Update from "./internal/store/update.ts"
import { show } from "./internal/store/wording.ts"
import type * as Lookup from "./Lookup.ts"
import * as RegistryError from "./RegistryError.ts"

export type { RegistrySnapshot } from "./internal/model.ts"

/**
 * The item that has a value of a unique lookup.
 *
 * An attribute that is not a unique lookup is a compile error; in untyped code this throws an `ItemLookupError`.
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
    self: Fits<RegistrySnapshot<Item, Lookups>, Lookup.UniqueKeys<Item, Lookups>, Attribute, Key>
  ) => Option.Option<Item>
  <Item, Lookups, Attribute extends keyof Lookup.UniqueKeys<Item, Lookups> & string>(
    self: RegistrySnapshot<Item, Lookups>,
    attribute: Attribute,
    value: Lookup.UniqueKeys<Item, Lookups>[Attribute]
  ): Option.Option<Item>
} = /*#__PURE__*/ dual(
  3,
  <Item>(self: RegistrySnapshot<Item, any>, attribute: string, value: unknown): Option.Option<Item> => {
    return optionOf(indexOf(contentsOf(self), attribute, value, true).get(value))
  }
)

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
    self: Fits<RegistrySnapshot<Item, Lookups>, Lookup.Keys<Item, Lookups>, Attribute, Key>
  ) => ReadonlyArray<Item>
  <Item, Lookups, Attribute extends keyof Lookup.Keys<Item, Lookups> & string>(
    self: RegistrySnapshot<Item, Lookups>,
    attribute: Attribute,
    value: Lookup.Keys<Item, Lookups>[Attribute]
  ): ReadonlyArray<Item>
} = /*#__PURE__*/ dual(
  3,
  <Item>(self: RegistrySnapshot<Item, any>, attribute: string, value: unknown): ReadonlyArray<Item> =>
    indexOf(contentsOf(self), attribute, value, false).getAll(value)
)

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
    self: Fits<RegistrySnapshot<Item, Lookups>, Lookup.Keys<Item, Lookups>, Attribute, Key>
  ) => boolean
  <Item, Lookups, Attribute extends keyof Lookup.Keys<Item, Lookups> & string>(
    self: RegistrySnapshot<Item, Lookups>,
    attribute: Attribute,
    value: Lookup.Keys<Item, Lookups>[Attribute]
  ): boolean
} = /*#__PURE__*/ dual(
  3,
  <Item>(self: RegistrySnapshot<Item, any>, attribute: string, value: unknown): boolean =>
    indexOf(contentsOf(self), attribute, value, false).has(value)
)

/**
 * Whether the snapshot contains an item, or one that is the same: see `Registry.contains`.
 *
 * **Example** (Looking for a step)
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
    self: Takes<RegistrySnapshot<Item, Lookups>, Item, Given>
  ) => boolean
  <Item, Lookups>(self: RegistrySnapshot<Item, Lookups>, item: NoInfer<Item>): boolean
} = /*#__PURE__*/ dual(
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
 * All items, in registration order: the same frozen array for each call.
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
  valuesOf(contentsOf(self))

/**
 * The item at an index, in registration order. A negative index counts from the end. An index that is not an integer
 * finds nothing.
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
} = /*#__PURE__*/ dual(
  2,
  <Item, Lookups>(self: RegistrySnapshot<Item, Lookups>, index: number): Option.Option<Item> => {
    return optionOf(Contents.at(contentsOf(self), index))
  }
)

/**
 * The revision: 0 before the first population, and one more after each committed transaction.
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

// ---------------------------------------------------------------------------------------------------------------------
// Saving and comparing
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Encodes the items as JSON, in registration order, with the schema of the registry.
 *
 * Fails with a `SnapshotError` that names the item and the path if the schema cannot encode an item, for instance after
 * a mutation. Dies if the registry has no schema. The schema may require services of the caller.
 *
 * Takes no lock, and can be interrupted between two items.
 *
 * **Example** (Saving the items of a registry)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect, Schema } from "effect"
 *
 * const Release = Schema.Struct({ version: Schema.String, at: Schema.Date })
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const releases = yield* Registry.make<typeof Release.Type>()({ lookup: ["version"], schema: Release })
 *   yield* Registry.register(releases, { version: "0.1.0", at: new Date(0) })
 *   const json = yield* RegistrySnapshot.toJson(yield* Registry.snapshot(releases))
 *   return JSON.stringify(json)
 * }))
 *
 * await Effect.runPromise(program) // => '[{"version":"0.1.0","at":"1970-01-01T00:00:00.000Z"}]'
 * ```
 *
 * @category saving
 * @since 0.1.0
 */
export const toJson = <Item, Lookups>(
  self: RegistrySnapshot<Item, Lookups>
): Effect.Effect<ReadonlyArray<Schema.Json>, RegistryError.SnapshotError> => {
  const contents = contentsOf(self)
  const { definition } = contents
  return Effect.flatMap(codecOf(definition), (codec) => {
    const encode = Schema.encodeUnknownEffect(codec)
    return Effect.forEach(valuesOf(contents), (item, index) =>
      Effect.mapError(
        encode(item),
        ({ message }) =>
          failure(definition, RegistryError.SnapshotError, { code: "encode", item, index, issue: message })
      ))
  })
}

/**
 * Decodes JSON that `toJson` has written to a snapshot, with the schema of the registry. The revision of the snapshot
 * is 0.
 *
 * It registers nothing, calls no hook, and does not populate the registry. Use the snapshot for reading and `diff`, or
 * pass it to `Registry.reconcile` or `Registry.registerAll`. The items are checked as if they were registered in order
 * in an empty registry.
 *
 * Fails with a `SnapshotError` that names the item and the path if the schema cannot decode an item, or if the JSON is
 * not an array. Fails with an `AlreadyRegisteredError` or a `RegistrationError` if an item repeats another item or a
 * unique value, or lacks an attribute. Dies if the registry has no schema. The schema may require services of the
 * caller.
 *
 * Takes no lock, and can be interrupted between two items.
 *
 * **Example** (Restoring what was saved)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect, Schema } from "effect"
 *
 * const Release = Schema.Struct({ version: Schema.String, at: Schema.Date })
 * const saved = '[{"version":"0.1.0","at":"1970-01-01T00:00:00.000Z"}]'
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const releases = yield* Registry.make<typeof Release.Type>()({ lookup: ["version"], schema: Release })
 *   const snapshot = yield* RegistrySnapshot.fromJson(releases, JSON.parse(saved))
 *   yield* Registry.registerAll(releases, snapshot)
 *   return yield* Registry.get(releases, "version", "0.1.0")
 * }))
 *
 * await Effect.runPromise(program) // => { version: "0.1.0", at: new Date(0) }
 * ```
 *
 * @category saving
 * @since 0.1.0
 */
export const fromJson: {
  (json: unknown, options?: FromJsonOptions): <Item, Lookups, P, V, R = never>(
    registry: RegistryOrService<Item, Lookups, P, V, R>
  ) => Effect.Effect<
    RegistrySnapshot<Item, Lookups>,
    RegistryError.SnapshotError | RegistryError.RegistrationFailure,
    R
  >
  <Item, Lookups, P, V, R = never>(
    registry: RegistryOrService<Item, Lookups, P, V, R>,
    json: unknown,
    options?: FromJsonOptions
  ): Effect.Effect<RegistrySnapshot<Item, Lookups>, RegistryError.SnapshotError | RegistryError.RegistrationFailure, R>
} = /*#__PURE__*/ operation((_, x) => x === undefined || isObject(x) && "onInvalid" in x, <Item, Lookups, P, V>(
  core: Core<Item, P, V>,
  json: unknown,
  { onInvalid }: FromJsonOptions = {}
): Effect.Effect<RegistrySnapshot<Item, Lookups>, RegistryError.SnapshotError | RegistryError.RegistrationFailure> => {
  const { definition } = core
  const unreadable = (item: unknown, issue: string, index?: number) =>
    failure(definition, RegistryError.SnapshotError, {
      code: "decode",
      item,
      ...(index === undefined ? {} : { index }),
      issue
    })
  return Effect.flatMap(codecOf(definition), (codec) => {
    if (!Array.isArray(json)) return Effect.fail(unreadable(json, "Expected an array of items"))
    const decode = Schema.decodeUnknownEffect(codec)
    const builder = new Update.Builder(Contents.empty(definition), json.length, unowned)
    const filled = Effect.forEach(
      json,
      (one: unknown, index) => {
        const adding = Effect.flatMap(
          Effect.mapError(decode(one), ({ message }) => unreadable(one, message, index)),
          (item) => {
            const refused = builder.add(item)
            return refused === undefined ? Effect.void : Effect.fail(refused)
          }
        )
        return onInvalid === "skip"
          ? Effect.catch(adding, (error) => log(definition, error.item, error))
          : adding
      },
      { discard: true }
    )
    return Effect.map(filled, () => snapshotOf(Contents.copy(builder.finish().contents, { populated: true })))
  })
})

/**
 * Options of `fromJson`.
 *
 * @category models
 * @since 0.2.0
 */
export interface FromJsonOptions {
  /**
   * What to do with an item that cannot be decoded or registered with the others: fail with the first (`"fail"`, the
   * default), or leave it out with a warning (`"skip"`).
   */
  readonly onInvalid?: "fail" | "skip" | undefined
}

/** The items of JSON have no owner. */
const unowned = new Origin("", 0, false)

const codecOf = <Item>({ name, schema }: Definition<Item>): Effect.Effect<Schema.Codec<Item, Schema.Json>> =>
  Effect.sync(() => {
    if (schema === undefined) {
      throw new Error(
        `The registry ${show(name)} has no schema, so its items cannot be JSON. Give it one: { schema: … }.`
      )
    }
    // any schema has a codec, whose services are not in the type of a registry
    return Schema.toCodecJson(schema as Schema.Codec<Item>)
  })

/**
 * The difference between two snapshots.
 *
 * @category models
 * @since 0.1.0
 */
export interface Diff<out Item> {
  /** The items that only the second snapshot has, in its order. */
  readonly added: ReadonlyArray<Item>
  /** The items that only the first snapshot has, in its order. */
  readonly removed: ReadonlyArray<Item>
  /** The items that match and differ, in the order of the second. */
  readonly replaced: ReadonlyArray<{ readonly previous: Item; readonly item: Item }>
}

/**
 * The difference from the first snapshot to the second. Items are matched by the first unique lookup; an item without a
 * value of it matches the same item. Matched items that are the same are in no list, whatever their positions. The
 * registry of the first snapshot decides which items are the same: see `Registry.contains`.
 *
 * Items are matched by the keys with which they were registered. If an item has several keys of the first unique
 * lookup, the first key that leads to an unmatched item counts.
 *
 * **Example** (The changes of a reload)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const codecs = yield* Registry.make<{ readonly name: string; readonly level: number }>()({ lookup: ["name"] })
 *   yield* Registry.registerAll(codecs, [{ name: "gzip", level: 6 }, { name: "zip", level: 1 }])
 *   const before = yield* Registry.snapshot(codecs)
 *   yield* Registry.upsert(codecs, { name: "gzip", level: 9 })
 *   yield* Registry.unregisterBy(codecs, "name", "zip")
 *   yield* Registry.register(codecs, { name: "zstd", level: 3 })
 *   return RegistrySnapshot.diff(before, yield* Registry.snapshot(codecs))
 * }))
 *
 * const { added, removed, replaced } = await Effect.runPromise(program)
 *
 * added // => [{ name: "zstd", level: 3 }]
 * removed // => [{ name: "zip", level: 1 }]
 * replaced // => [{ previous: { name: "gzip", level: 6 }, item: { name: "gzip", level: 9 } }]
 * ```
 *
 * @category comparing
 * @since 0.1.0
 */
export const diff: {
  <Item, Lookups>(
    after: RegistrySnapshot<Item, Lookups>
  ): (before: RegistrySnapshot<Item, Lookups>) => Diff<Item>
  <Item, Lookups>(before: RegistrySnapshot<Item, Lookups>, after: RegistrySnapshot<Item, Lookups>): Diff<Item>
} = /*#__PURE__*/ dual(
  2,
  <Item, Lookups>(before: RegistrySnapshot<Item, Lookups>, after: RegistrySnapshot<Item, Lookups>): Diff<Item> => {
    const from = contentsOf(before)
    const to = contentsOf(after)
    const matched = new Set<Entry<Item>>()
    const added: Array<Item> = []
    const replaced: Array<{ readonly previous: Item; readonly item: Item }> = []
    for (const { item, keys } of Contents.entries(to)) {
      const keysThere = from.definition === to.definition ? keys : takeKeys(from.definition, item)
      const previous = Matching.counterpart(from, item, keysThere, matched)
      if (previous === undefined) {
        added.push(item)
      } else {
        matched.add(previous)
        if (!from.definition.same(previous.item, item)) replaced.push({ previous: previous.item, item })
      }
    }
    const removed = Contents.entries(from).filter((entry) => !matched.has(entry)).map((entry) => entry.item)
    return { added, removed, replaced }
  }
)
