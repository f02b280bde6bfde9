/**
 * Registries: sets of unique items. A registry finds its items by several attributes, populates itself on first use,
 * accepts changes at run time, calls hooks around every change, and stays consistent under concurrent use.
 *
 * Every operation behaves as follows, unless its comment says otherwise.
 *
 * **Reading** takes no lock, and never waits for a change. It answers from one consistent snapshot: the published
 * contents or, inside a transaction of the registry, its draft. Interrupting it affects no other fiber. It populates a
 * `Pending` registry first, and fails if the population fails.
 *
 * **Changing** is a transaction. It populates a `Pending` registry first, waits for changes in flight, takes the lock
 * of the registry, works on a draft, calls the hooks, and publishes the draft in one step. If it fails, dies or is
 * interrupted, also while it waits, it is rolled back: nothing has changed, and the counterparts of completed hooks are
 * called. Inside a transaction (a hook, its child fibers, the body of `transact`) it is nested: it changes the draft of
 * that transaction.
 *
 * **Watching** takes no lock, and delays no change. Interrupting it affects no other fiber. If it populates a `Pending`
 * registry, it fails if the population fails.
 *
 * **Closing a scope** that ends a registration or a rule waits for changes in flight, and cannot be interrupted.
 *
 * Every function takes a registry or a service of one (see `Tag` and `Service`). Its effect then requires the service.
 *
 * A registry is not a cache (nothing is evicted), not a dependency-injection container (Effect has `Layer`), and not a
 * database.
 *
 * @module
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import {
  coreIn,
  coreOf,
  inService,
  isRegistry as isAnyRegistry,
  operation,
  resolve,
  snapshotOf
} from "./internal/coreOf.ts"
import { contentsOf, type Core } from "./internal/engine/core.ts"
import { Owner as OwnerReference, withoutTransactions } from "./internal/engine/current.ts"
import * as Hooks from "./internal/engine/parts.ts"
import * as Reading from "./internal/engine/read.ts"
import * as Together from "./internal/engine/together.ts"
import * as Transaction from "./internal/engine/transaction.ts"
import * as AddHooks from "./internal/features/addHooks.ts"
import * as Explain from "./internal/features/explain.ts"
import * as HookOrder from "./internal/features/hookOrder.ts"
import * as Late from "./internal/features/late.ts"
import * as Lease from "./internal/features/lease.ts"
import * as LeavingOut from "./internal/features/leavingOut.ts"
import * as Override from "./internal/features/override.ts"
import * as Place from "./internal/features/place.ts"
import * as Reconcile from "./internal/features/reconcile.ts"
import * as Refresh from "./internal/features/refresh.ts"
import * as Switches from "./internal/features/switches.ts"
import * as Watch from "./internal/features/watch.ts"
import type { Fits, FitsBoth, Takes } from "./internal/fits.ts"
import * as Making from "./internal/making.ts"
import type * as Model from "./internal/model.ts"
import type {
  Items,
  Options,
  PopulationFailure,
  Registry,
  RegistryOrService,
  RegistrySnapshot,
  RegistryState,
  ServicesOf,
  Subscription
} from "./internal/model.ts"
import * as Find from "./internal/operations/find.ts"
import * as Install from "./internal/operations/install.ts"
import * as Populate from "./internal/operations/populate.ts"
import * as Register from "./internal/operations/register.ts"
import * as Reset from "./internal/operations/reset.ts"
import * as Unregister from "./internal/operations/unregister.ts"
import * as UnregisterEach from "./internal/operations/unregisterEach.ts"
import * as Services from "./internal/service.ts"
import * as Contents from "./internal/store/contents.ts"
import { isPlain } from "./internal/store/definition.ts"
import { valuesOf } from "./internal/store/listing.ts"
import { show } from "./internal/store/wording.ts"
import type * as Lookup from "./Lookup.ts"
import type * as RegistryError from "./RegistryError.ts"
import type * as RegistryEvent from "./RegistryEvent.ts"

// ---------------------------------------------------------------------------------------------------------------------
// Models
// ---------------------------------------------------------------------------------------------------------------------

export type { RefusalError } from "./internal/engine/refusals.ts"
export type { RegisteredEach } from "./internal/features/leavingOut.ts"
export type { Reconciled, ReconcileOptions } from "./internal/features/reconcile.ts"
export type { DisabledRule } from "./internal/features/switches.ts"
export type { Items, Options, PopulationFailure, Registry, RegistryOrService, RegistryState } from "./internal/model.ts"
export type { DisabledInput, ServicesOf, Subscription } from "./internal/model.ts"
export type { ServiceClass, TagClass } from "./internal/service.ts"

type RegisteredEach<Item, E> = LeavingOut.RegisteredEach<Item, E>
type ReconcileOptions = Reconcile.ReconcileOptions
type UniqueKeys<Item, Lookups> = Lookup.UniqueKeys<Item, Lookups>
type Keys<Item, Lookups> = Lookup.Keys<Item, Lookups>
type DisabledRule<Item> = Switches.DisabledRule<Item>

// ---------------------------------------------------------------------------------------------------------------------
// Making
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Whether a value is a `Registry`.
 *
 * **Example** (Telling a registry from its options)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const options = { lookup: ["name"] } as const
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const themes = yield* Registry.make<{ readonly name: string }>()(options)
 *   return [Registry.isRegistry(themes), Registry.isRegistry(options)]
 * }))
 *
 * await Effect.runPromise(program) // => [true, false]
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isRegistry: (u: unknown) => u is Registry<any, any, any, any> = isAnyRegistry

/**
 * Makes a registry that closes with the scope. Its defaults and hooks use the services available when `make` runs.
 *
 * Dies if the definition is invalid: a lookup that is named twice or has an empty name, or defaults that are not an
 * iterable, an effect or a stream. It never waits, so there is nothing to interrupt.
 *
 * When the scope closes, no hook is called, and fibers that wait for the registry are interrupted. Later use dies with
 * a message that names the registry. `state`, `explain`, `snapshotUnsafe` and `changes` answer as for an empty
 * registry.
 *
 * **Example** (Making a registry)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const codecs = yield* Registry.make<{ readonly name: string }>()({
 *     name: "codecs",
 *     lookup: ["name"],
 *     defaults: [{ name: "gzip" }]
 *   })
 *   yield* Registry.register(codecs, { name: "brotli" })
 *   return yield* Registry.size(codecs)
 * }))
 *
 * await Effect.runPromise(program) // => 2
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <Item>() =>
<
  const Lookups extends Lookup.Input<Item>,
  const AllHooks extends Hooks.Input<Item, unknown, unknown> & Hooks.NoExcess<AllHooks>,
  Defaults extends Populate.Defaults<Item, any, any> = never,
  Failure extends "fail" | "die" = "fail",
  E = never,
  R = never
>(
  options: Options<Item, Lookups, Defaults, AllHooks, Failure, E, R> & { readonly name?: string | undefined }
): Effect.Effect<
  Registry<
    Item,
    Lookups,
    PopulationFailure<Defaults, Hooks.ErrorOf<AllHooks> | NoInfer<E>, Failure>,
    Hooks.ErrorOf<AllHooks> | NoInfer<E>
  >,
  never,
  Scope.Scope | ServicesOf<Defaults> | Hooks.ServicesOf<AllHooks> | NoInfer<R>
> => Making.make(options)

// ---------------------------------------------------------------------------------------------------------------------
// Reading
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The item that has a value of a unique lookup.
 *
 * Fails with an `ItemLookupError`: `not_registered` if no item has the value, with near matches as `suggestions`;
 * `disabled` if a rule disables the item; `invalid_attribute` if there is no such unique lookup, which does not compile
 * in typed code.
 *
 * **Example** (A name with a typing mistake)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const languages = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   yield* Registry.register(languages, { name: "TypeScript" })
 *   const found = yield* Registry.get(languages, "name", "TypeScript")
 *   const error = yield* Effect.flip(Registry.get(languages, "name", "TypScript"))
 *   return [found.name, error.code, error.suggestions]
 * }))
 *
 * await Effect.runPromise(program) // => ["TypeScript", "not_registered", ["TypeScript"]]
 * ```
 *
 * @see {@link getOption} if a missing item is not an error
 *
 * @category reading
 * @since 0.1.0
 */
export const get: {
  <const Attribute extends string, const Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V, R = never>(
    self: Fits<RegistryOrService<Item, Lookups, P, V, R>, UniqueKeys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<Item, RegistryError.ItemLookupError | P, R>
  <Item, Lookups, P, V, Attribute extends keyof UniqueKeys<Item, Lookups> & string, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ): Effect.Effect<Item, RegistryError.ItemLookupError | P, R>
} = /*#__PURE__*/ dual(
  3,
  // as `operation` would make it, without one call: there is no hotter path
  (self: unknown, attribute: string, value: unknown) => {
    const core = coreIn(self)
    return core === undefined ? inService(self, getIn, attribute, value) : getIn(core, attribute, value)
  }
)

const getIn = <Item, P, V>(
  core: Core<Item, P, V>,
  attribute: string,
  value: unknown
): Effect.Effect<Item, RegistryError.ItemLookupError | P> => Reading.read(core, itemBy<Item>, attribute, value)

const itemBy = <Item>(
  contents: Contents.Contents<Item>,
  attribute: string,
  value: unknown
): Exit.Exit<Item, RegistryError.ItemLookupError> => {
  const entry = Contents.get(contents, attribute, value)
  return entry === undefined ? Exit.fail(Find.notFound(contents, attribute, value)) : Exit.succeed(entry.item)
}

/**
 * What a lease of a shared registry fails with, beside the rest: this process could not acquire what the item needs, which
 * another process has put in.
 *
 * @category models
 * @since 0.2.0
 */
export type AcquireFailureOf<P> = Model.AcquireFailureOf<P>

/**
 * The item that has a value of a unique lookup. What `acquire` of hooks acquired for it stays open until the scope closes,
 * though the item is unregistered or replaced meanwhile.
 *
 * A lease does not keep the item in the registry, and no operation waits for it: the last lease to end releases what an
 * item that has gone had kept. The end of the registry, and of the scope of the hooks, releases in spite of leases.
 *
 * Fails as {@link get} does.
 *
 * **Example** (A call that ends with the version that it began with)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * interface Model { readonly name: string; readonly version: number }
 *
 * const log: Array<string> = []
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const models = yield* Registry.make<Model>()({
 *     lookup: ["name"],
 *     hooks: {
 *       acquire: ({ version }) =>
 *         Effect.acquireRelease(
 *           Effect.sync(() => log.push(`opened ${version}`)),
 *           () => Effect.sync(() => log.push(`closed ${version}`))
 *         )
 *     }
 *   })
 *   yield* Registry.register(models, { name: "small", version: 1 })
 *   yield* Effect.scoped(Effect.gen(function*() {
 *     const model = yield* Registry.lease(models, "name", "small")
 *     yield* Registry.replace(models, "name", "small", { name: "small", version: 2 })
 *     log.push(`used ${model.version}`)
 *   }))
 *   return log.slice()
 * }))
 *
 * await Effect.runPromise(program) // => ["opened 1", "opened 2", "used 1", "closed 1"]
 * ```
 *
 * @category reading
 * @since 0.2.0
 */
export const lease: {
  <const Attribute extends string, const Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V, R = never>(
    self: Fits<RegistryOrService<Item, Lookups, P, V, R>, UniqueKeys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<Item, RegistryError.ItemLookupError | P | AcquireFailureOf<P>, R | Scope.Scope>
  <Item, Lookups, P, V, Attribute extends keyof UniqueKeys<Item, Lookups> & string, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ): Effect.Effect<Item, RegistryError.ItemLookupError | P | AcquireFailureOf<P>, R | Scope.Scope>
} = /*#__PURE__*/ operation(
  3,
  <Item, P, V>(core: Core<Item, P, V>, attribute: string, value: unknown) =>
    Effect.map(Lease.lease(core, attribute, value), ({ item }) => item)
)

/**
 * The item that has a value of a unique lookup, if there is one.
 *
 * An attribute that is not a unique lookup is a compile error; in untyped code it dies with an `ItemLookupError`.
 *
 * **Example** (A tool that may be missing)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect, Option } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({
 *     lookup: ["name"],
 *     defaults: [{ name: "search" }]
 *   })
 *   return [yield* Registry.getOption(tools, "name", "search"), yield* Registry.getOption(tools, "name", "paint")]
 * }))
 *
 * await Effect.runPromise(program) // => [Option.some({ name: "search" }), Option.none()]
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const getOption: {
  <const Attribute extends string, const Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V, R = never>(
    self: Fits<RegistryOrService<Item, Lookups, P, V, R>, UniqueKeys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<Option.Option<Item>, P, R>
  <Item, Lookups, P, V, Attribute extends keyof UniqueKeys<Item, Lookups> & string, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ): Effect.Effect<Option.Option<Item>, P, R>
} = /*#__PURE__*/ operation(
  3,
  <Item, P, V>(core: Core<Item, P, V>, attribute: string, value: unknown): Effect.Effect<Option.Option<Item>, P> =>
    readLookup(core, attribute, value, true, (index) => Find.optionOf(index.get(value)))
)

/**
 * All items that have a value of a lookup, in registration order: at most one for a unique lookup, any number for a
 * group.
 *
 * An attribute that is not a lookup is a compile error; in untyped code it dies with an `ItemLookupError`.
 *
 * **Example** (The languages of an extension)
 *
 * ```ts
 * import { Lookup, Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const languages = yield* Registry.make<{ readonly name: string; readonly extension: string }>()({
 *     lookup: { name: Lookup.unique((item) => item.name), extension: Lookup.group((item) => item.extension) },
 *     defaults: [{ name: "TypeScript", extension: ".ts" }, { name: "XML", extension: ".ts" }]
 *   })
 *   return (yield* Registry.getAll(languages, "extension", ".ts")).map((item) => item.name)
 * }))
 *
 * await Effect.runPromise(program) // => ["TypeScript", "XML"]
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const getAll: {
  <const Attribute extends string, const Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V, R = never>(
    self: Fits<RegistryOrService<Item, Lookups, P, V, R>, Keys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<ReadonlyArray<Item>, P, R>
  <Item, Lookups, P, V, Attribute extends keyof Keys<Item, Lookups> & string, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    attribute: Attribute,
    value: Keys<Item, Lookups>[Attribute]
  ): Effect.Effect<ReadonlyArray<Item>, P, R>
} = /*#__PURE__*/ operation(
  3,
  <Item, P, V>(core: Core<Item, P, V>, attribute: string, value: unknown): Effect.Effect<ReadonlyArray<Item>, P> =>
    readLookup(core, attribute, value, false, (index) => index.getAll(value))
)

/**
 * Whether an item has a value of a lookup, unique or group.
 *
 * An attribute that is not a lookup is a compile error; in untyped code it dies with an `ItemLookupError`.
 *
 * **Example** (Whether a command is known)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const commands = yield* Registry.make<{ readonly name: string }>()({
 *     lookup: ["name"],
 *     defaults: [{ name: "build" }]
 *   })
 *   return [yield* Registry.has(commands, "name", "build"), yield* Registry.has(commands, "name", "deploy")]
 * }))
 *
 * await Effect.runPromise(program) // => [true, false]
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const has: {
  <const Attribute extends string, const Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V, R = never>(
    self: Fits<RegistryOrService<Item, Lookups, P, V, R>, Keys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<boolean, P, R>
  <Item, Lookups, P, V, Attribute extends keyof Keys<Item, Lookups> & string, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    attribute: Attribute,
    value: Keys<Item, Lookups>[Attribute]
  ): Effect.Effect<boolean, P, R>
} = /*#__PURE__*/ operation(
  3,
  <Item, P, V>(core: Core<Item, P, V>, attribute: string, value: unknown): Effect.Effect<boolean, P> =>
    readLookup(core, attribute, value, false, (index) => index.has(value))
)

const readLookup = <Item, P, V, A>(
  core: Core<Item, P, V>,
  attribute: string,
  value: unknown,
  unique: boolean,
  answer: (index: Contents.Contents<Item>["indexes"][number], contents: Contents.Contents<Item>) => A
): Effect.Effect<A, P> =>
  Reading.read(core, (contents) => Exit.succeed(answer(Find.indexOf(contents, attribute, value, unique), contents)))

/**
 * Whether an item is registered, or one that is the same: plain data with the same content, or as the `equivalence` of
 * the registry decides.
 *
 * An object that was mutated since it was registered is still found, in time proportional to the number of items.
 *
 * **Example** (Plain items are the same by their content)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const codecs = yield* Registry.make<{ readonly name: string; readonly level: number }>()({
 *     lookup: ["name"],
 *     defaults: [{ name: "gzip", level: 6 }]
 *   })
 *   return [
 *     yield* Registry.contains(codecs, { name: "gzip", level: 6 }),
 *     yield* Registry.contains(codecs, { name: "gzip", level: 9 })
 *   ]
 * }))
 *
 * await Effect.runPromise(program) // => [true, false]
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const contains: {
  <const Given>(item: Given): <Item, Lookups, P, V, R = never>(
    self: Takes<RegistryOrService<Item, Lookups, P, V, R>, Item, Given>
  ) => Effect.Effect<boolean, P, R>
  <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    item: NoInfer<Item>
  ): Effect.Effect<boolean, P, R>
} = /*#__PURE__*/ operation(
  2,
  <Item, P, V>(core: Core<Item, P, V>, item: Item): Effect.Effect<boolean, P> =>
    Reading.read(core, (contents) => Exit.succeed(Contents.findCurrent(contents, item) !== undefined))
)

/**
 * How many items there are.
 *
 * **Example** (Counting the formats)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const formats = yield* Registry.make<{ readonly name: string }>()({
 *     lookup: ["name"],
 *     defaults: [{ name: "json" }, { name: "yaml" }]
 *   })
 *   return yield* Registry.size(formats)
 * }))
 *
 * await Effect.runPromise(program) // => 2
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const size: <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
) => Effect.Effect<number, P, R> = /*#__PURE__*/ operation(
  1,
  <Item, P, V>(core: Core<Item, P, V>): Effect.Effect<number, P> => Reading.read(core, sizeOf)
)

const sizeOf = <Item>(contents: Contents.Contents<Item>) => Exit.succeed(contents.size)

/**
 * All items, in registration order.
 *
 * The array is frozen and never changes: an item that is registered during an iteration is not in it.
 *
 * **Example** (Registering while iterating)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const formats = yield* Registry.make<{ readonly name: string }>()({
 *     lookup: ["name"],
 *     defaults: [{ name: "json" }, { name: "yaml" }]
 *   })
 *   for (const { name } of yield* Registry.values(formats)) yield* Registry.register(formats, { name: `${name}.gz` })
 *   return (yield* Registry.values(formats)).map((item) => item.name)
 * }))
 *
 * await Effect.runPromise(program) // => ["json", "yaml", "json.gz", "yaml.gz"]
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const values: <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
) => Effect.Effect<ReadonlyArray<Item>, P, R> = /*#__PURE__*/ operation(
  1,
  <Item, P, V>(core: Core<Item, P, V>): Effect.Effect<ReadonlyArray<Item>, P> => Reading.read(core, valuesIn<Item>)
)

/** All callers share one. */
const valuesIn = <Item>(contents: Contents.Contents<Item>): Exit.Exit<ReadonlyArray<Item>> =>
  contents.listExit ??= Exit.succeed(valuesOf(contents))

/**
 * The item at an index, in registration order. A negative index counts from the end. An index that is out of range, or
 * not an integer, finds nothing.
 *
 * **Example** (The first and the last)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect, Option } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const steps = yield* Registry.make<string>()({ lookup: [], defaults: ["lint", "test", "pack"] })
 *   return [yield* Registry.at(steps, 0), yield* Registry.at(steps, -1), yield* Registry.at(steps, 3)]
 * }))
 *
 * await Effect.runPromise(program) // => [Option.some("lint"), Option.some("pack"), Option.none()]
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const at: {
  (
    index: number
  ): <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>
  ) => Effect.Effect<Option.Option<Item>, P, R>
  <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    index: number
  ): Effect.Effect<Option.Option<Item>, P, R>
} = /*#__PURE__*/ operation(
  2,
  <Item, P, V>(core: Core<Item, P, V>, index: number): Effect.Effect<Option.Option<Item>, P> =>
    Reading.read(core, (contents) => Exit.succeed(Find.optionOf(Contents.at(contents, index))))
)

/**
 * The contents of the registry as an immutable value that answers synchronously. Taking it costs the same for any
 * number of items.
 *
 * **Example** (Several answers from one revision)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const codecs = yield* Registry.make<{ readonly name: string }>()({
 *     lookup: ["name"],
 *     defaults: [{ name: "gzip" }]
 *   })
 *   const before = yield* Registry.snapshot(codecs)
 *   yield* Registry.register(codecs, { name: "zstd" })
 *   return [RegistrySnapshot.size(before), RegistrySnapshot.has(before, "name", "zstd"), yield* Registry.size(codecs)]
 * }))
 *
 * await Effect.runPromise(program) // => [1, false, 2]
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const snapshot: <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
) => Effect.Effect<RegistrySnapshot<Item, Lookups>, P, R> = /*#__PURE__*/ operation(
  1,
  <Item, Lookups, P, V>(core: Core<Item, P, V>): Effect.Effect<RegistrySnapshot<Item, Lookups>, P> =>
    Reading.read(core, (contents, _x, _y, transaction) => {
      transaction?.see()
      return Exit.succeed(snapshotOf(contents))
    })
)

/**
 * The contents that were last published, synchronously, for code without effects. They are empty until the registry is
 * populated, and never the draft of a transaction.
 *
 * **Example** (Before and after population)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const codecs = yield* Registry.make<{ readonly name: string }>()({
 *     lookup: ["name"],
 *     defaults: [{ name: "gzip" }]
 *   })
 *   const before = RegistrySnapshot.size(Registry.snapshotUnsafe(codecs))
 *   yield* Registry.populate(codecs)
 *   return [before, RegistrySnapshot.size(Registry.snapshotUnsafe(codecs))]
 * }))
 *
 * await Effect.runPromise(program) // => [0, 1]
 * ```
 *
 * @see {@link snapshot} to populate first
 *
 * @category reading
 * @since 0.1.0
 */
export const snapshotUnsafe = <Item, Lookups, P, V>(
  self: Registry<Item, Lookups, P, V>
): RegistrySnapshot<Item, Lookups> => snapshotOf(contentsOf(coreOf(self)))

/**
 * Whether the registry is `Pending`, `Populating` or `Ready`. Inside a transaction of the registry this is the state of
 * the draft: `Pending` after a reset there.
 *
 * Never populates, waits or fails, so there is nothing to interrupt.
 *
 * **Example** (From Pending to Ready and back)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   const before = yield* Registry.state(tools)
 *   yield* Registry.register(tools, { name: "search" })
 *   const after = yield* Registry.state(tools)
 *   yield* Registry.reset(tools)
 *   return [before, after, yield* Registry.state(tools)]
 * }))
 *
 * await Effect.runPromise(program) // => ["Pending", "Ready", "Pending"]
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const state: <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
) => Effect.Effect<RegistryState, never, R> = /*#__PURE__*/ operation(
  1,
  <Item, P, V>(core: Core<Item, P, V>): Effect.Effect<RegistryState> =>
    Effect.withFiber((fiber) => Effect.succeed(Making.stateOf(core, Reading.current(core, fiber.context))))
)

/**
 * Whether the state is not `Pending`: true while the registry is `Populating`, too.
 *
 * Never populates, waits or fails, so there is nothing to interrupt.
 *
 * **Example** (Whether the tools were asked for)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   const before = yield* Registry.populated(tools)
 *   yield* Registry.size(tools)
 *   return [before, yield* Registry.populated(tools)]
 * }))
 *
 * await Effect.runPromise(program) // => [false, true]
 * ```
 *
 * @deprecated Use {@link state}, which tells `Populating` from `Ready`.
 * @category reading
 * @since 0.1.0
 */
export const populated = <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
): Effect.Effect<boolean, never, R> => Effect.map(state(self), (current) => current !== "Pending")

// ---------------------------------------------------------------------------------------------------------------------
// Changing
// ---------------------------------------------------------------------------------------------------------------------

type RegistrationFailure = RegistryError.RegistrationFailure
type ItemLookupError = RegistryError.ItemLookupError

/** `Array.from` would make an empty list of a value that is not iterable, from untyped code. */
const listOf = <Item, P, V>({ definition }: Core<Item, P, V>, items: Iterable<Item>): ReadonlyArray<Item> => {
  if (Populate.isIterable(items)) return Array.from(items)
  throw new TypeError(
    `Could not register ${show(items)} in ${show(definition.name)}: it is not an iterable of items.`
  )
}

/**
 * Registers an item after all others.
 *
 * Fails, before any hook is called, with a `RegistrationError` (`invalid_item`, `missing_attribute`) or an
 * `AlreadyRegisteredError` (`already_registered`, `attribute_registered`). Fails with the error of an
 * `onItemRegistering` hook that refuses the item, or of the `invariant`. Of several fibers that register the same item
 * concurrently, one succeeds.
 *
 * **Example** (A name that is taken)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const commands = yield* Registry.make<{ readonly name: string; readonly run: string }>()({ lookup: ["name"] })
 *   yield* Registry.register(commands, { name: "test", run: "vitest" })
 *   const error = yield* Effect.flip(Registry.register(commands, { name: "test", run: "jest" }))
 *   return [error.code, yield* Registry.size(commands)]
 * }))
 *
 * await Effect.runPromise(program) // => ["attribute_registered", 1]
 * ```
 *
 * @see {@link upsert} to replace an item with the same name
 *
 * @category changing
 * @since 0.1.0
 */
export const register: {
  <const Given>(item: Given): <Item, Lookups, P, V, R = never>(
    self: Takes<RegistryOrService<Item, Lookups, P, V, R>, Item, Given>
  ) => Effect.Effect<void, RegistrationFailure | V | P, R>
  <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    item: NoInfer<Item>
  ): Effect.Effect<void, RegistrationFailure | V | P, R>
} = /*#__PURE__*/ operation(
  2,
  <Item, P, V>(core: Core<Item, P, V>, item: Item): Effect.Effect<void, RegistrationFailure | V | P> =>
    Effect.asVoid(Transaction.run(core, Register.register(item)))
)

/**
 * Registers items in order, all or none. Readers see all of them at once.
 *
 * Each item is checked after the hooks of the one before it have ended, so items of the list can conflict with each
 * other. Fails as `register` does.
 *
 * **Example** (One conflict refuses all)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const codecs = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   yield* Registry.registerAll(codecs, [{ name: "gzip" }, { name: "brotli" }])
 *   const error = yield* Effect.flip(Registry.registerAll(codecs, [{ name: "zstd" }, { name: "gzip" }]))
 *   return [error.code, yield* Registry.size(codecs)]
 * }))
 *
 * await Effect.runPromise(program) // => ["already_registered", 2]
 * ```
 *
 * @category changing
 * @since 0.1.0
 */
export const registerAll: {
  <const Given>(items: Iterable<Given>): <Item, Lookups, P, V, R = never>(
    self: Takes<RegistryOrService<Item, Lookups, P, V, R>, Item, Given>
  ) => Effect.Effect<void, RegistrationFailure | V | P, R>
  <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    items: Items<NoInfer<Item>>
  ): Effect.Effect<void, RegistrationFailure | V | P, R>
} = /*#__PURE__*/ operation(
  2,
  <Item, P, V>(core: Core<Item, P, V>, items: Iterable<Item>): Effect.Effect<void, RegistrationFailure | V | P> =>
    Effect.suspend(() => Effect.asVoid(Transaction.run(core, Register.registerAll(listOf(core, items)))))
)

/**
 * Registers items in order, each on its own, in one transaction: a refused item does not keep the others out. Returns
 * the registered items, and the refused ones with their errors.
 *
 * An item is refused if `register` would fail: the completed hooks for it are rolled back. A defect or a failed
 * `invariant` rolls back the whole operation.
 *
 * **Example** (One bad line)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const codecs = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   const list = [{ name: "gzip" }, { name: "gzip" }, { name: "zstd" }]
 *   const { refused, registered } = yield* Registry.registerEach(codecs, list)
 *   return [registered.map((codec) => codec.name), refused.map(({ error }) => error.code)]
 * }))
 *
 * await Effect.runPromise(program) // => [["gzip", "zstd"], ["already_registered"]]
 * ```
 *
 * @category changing
 * @since 0.2.0
 */
export const registerEach: {
  <const Given>(items: Iterable<Given>): <Item, Lookups, P, V, R = never>(
    self: Takes<RegistryOrService<Item, Lookups, P, V, R>, Item, Given>
  ) => Effect.Effect<RegisteredEach<Item, RegistrationFailure | V>, V | P, R>
  <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    items: Items<NoInfer<Item>>
  ): Effect.Effect<RegisteredEach<Item, RegistrationFailure | V>, V | P, R>
} = /*#__PURE__*/ operation(
  2,
  <Item, P, V>(
    core: Core<Item, P, V>,
    items: Iterable<Item>
  ): Effect.Effect<RegisteredEach<Item, RegistrationFailure | V>, V | P> =>
    Effect.suspend(() => Transaction.run(core, LeavingOut.registerEach<Item, P, V>(listOf(core, items))))
)

/**
 * Replaces the item that has the same value of the first unique lookup, in its place, or registers this item after all
 * others. An item without such a value replaces the same item. A replaced registration keeps its owner and scope.
 *
 * If the registered item is the same, nothing changes: no hook is called, and there is no revision and no event.
 *
 * Fails as `register` does, for instance with `attribute_registered` if a third item has a value of another unique
 * lookup.
 *
 * **Example** (A newer version of a tool)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string; readonly version: number }>()({ lookup: ["name"] })
 *   yield* Registry.registerAll(tools, [{ name: "search", version: 1 }, { name: "fetch", version: 1 }])
 *   yield* Registry.upsert(tools, { name: "search", version: 2 })
 *   return (yield* Registry.values(tools)).map((item) => `${item.name} ${item.version}`)
 * }))
 *
 * await Effect.runPromise(program) // => ["search 2", "fetch 1"]
 * ```
 *
 * @category changing
 * @since 0.1.0
 */
export const upsert: {
  <const Given>(item: Given): <Item, Lookups, P, V, R = never>(
    self: Takes<RegistryOrService<Item, Lookups, P, V, R>, Item, Given>
  ) => Effect.Effect<void, RegistrationFailure | V | P, R>
  <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    item: NoInfer<Item>
  ): Effect.Effect<void, RegistrationFailure | V | P, R>
} = /*#__PURE__*/ operation(
  2,
  <Item, P, V>(core: Core<Item, P, V>, item: Item): Effect.Effect<void, RegistrationFailure | V | P> =>
    Effect.asVoid(Transaction.run(core, Unregister.upsert(item)))
)

/**
 * Registers an item, and unregisters it when the scope closes.
 *
 * The close withdraws exactly this registration, whatever item it holds by then, and never a later one with the same
 * key. A registration that is gone already is not an error. After a reset, the next population brings the item back if
 * the scope is still open. If a hook dies in the close, the item stays unregistered, the other hooks still run, and the
 * close fails with the defect.
 *
 * **Example** (A command for a session)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const commands = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   const during = yield* Effect.scoped(Effect.gen(function*() {
 *     yield* Registry.registerScoped(commands, { name: "debug" })
 *     return yield* Registry.size(commands)
 *   }))
 *   return [during, yield* Registry.size(commands)]
 * }))
 *
 * await Effect.runPromise(program) // => [1, 0]
 * ```
 *
 * @category changing
 * @since 0.1.0
 */
export const registerScoped: {
  <const Given>(item: Given): <Item, Lookups, P, V, R = never>(
    self: Takes<RegistryOrService<Item, Lookups, P, V, R>, Item, Given>
  ) => Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope | R>
  <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    item: NoInfer<Item>
  ): Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope | R>
} = /*#__PURE__*/ operation(
  2,
  <Item, P, V>(core: Core<Item, P, V>, item: Item): Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope> =>
    registerAllIn(core, [item])
)

const registerAllIn = <Item, P, V>(
  core: Core<Item, P, V>,
  items: Iterable<Item>
): Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) => {
    const registering = UnregisterEach.scoped(core, scope, Register.registerAll(listOf(core, items)))
    return Effect.asVoid(Transaction.run(core, registering))
  })

/**
 * Registers items like `registerAll`, and unregisters them, newest first and in one transaction, when the scope closes.
 *
 * **Example** (The commands of a plugin)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const commands = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   yield* Registry.register(commands, { name: "help" })
 *   yield* Effect.scoped(Registry.registerAllScoped(commands, [{ name: "lint" }, { name: "format" }]))
 *   return yield* Registry.values(commands)
 * }))
 *
 * await Effect.runPromise(program) // => [{ name: "help" }]
 * ```
 *
 * @category changing
 * @since 0.1.0
 */
export const registerAllScoped: {
  <const Given>(items: Iterable<Given>): <Item, Lookups, P, V, R = never>(
    self: Takes<RegistryOrService<Item, Lookups, P, V, R>, Item, Given>
  ) => Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope | R>
  <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    items: Items<NoInfer<Item>>
  ): Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope | R>
} = /*#__PURE__*/ operation(2, registerAllIn)

/**
 * Upserts an item, and takes its registration over: it belongs to this scope and to the owner of this call from then
 * on. The item is unregistered when this scope closes.
 *
 * The close of its former scope does not withdraw it. If the registered item is the same, no hook is called, and there
 * is no revision and no event.
 *
 * Fails as `upsert` does.
 *
 * **Example** (A tool that moves to another session)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect, Exit, Scope } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string; readonly version: number }>()({ lookup: ["name"] })
 *   const [first, second] = [yield* Scope.make(), yield* Scope.make()]
 *   yield* Registry.upsertScoped(tools, { name: "search", version: 1 }).pipe(Scope.provide(first))
 *   yield* Registry.upsertScoped(tools, { name: "search", version: 2 }).pipe(Scope.provide(second))
 *   yield* Scope.close(first, Exit.void)
 *   const during = yield* Registry.size(tools)
 *   yield* Scope.close(second, Exit.void)
 *   return [during, yield* Registry.size(tools)]
 * }))
 *
 * await Effect.runPromise(program) // => [1, 0]
 * ```
 *
 * @category changing
 * @since 0.2.0
 */
export const upsertScoped: {
  <const Given>(item: Given): <Item, Lookups, P, V, R = never>(
    self: Takes<RegistryOrService<Item, Lookups, P, V, R>, Item, Given>
  ) => Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope | R>
  <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    item: NoInfer<Item>
  ): Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope | R>
} = /*#__PURE__*/ operation(
  2,
  <Item, P, V>(core: Core<Item, P, V>, item: Item): Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope> =>
    Effect.flatMap(
      Effect.scope,
      (scope) =>
        Effect.asVoid(
          Transaction.run(core, UnregisterEach.scoped(core, scope, Unregister.upsertScoped<Item, P, V>(item)))
        )
    )
)

/**
 * Unregisters an item, or the one that is the same: see `contains`. The others keep their order. An object is found
 * even if it was mutated since it was registered.
 *
 * Fails with an `ItemLookupError` of code `unregister`, before any hook is called, if the item is not registered.
 *
 * **Example** (Removing an item twice)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const codecs = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   yield* Registry.register(codecs, { name: "gzip" })
 *   yield* Registry.unregister(codecs, { name: "gzip" })
 *   const error = yield* Effect.flip(Registry.unregister(codecs, { name: "gzip" }))
 *   return error.code
 * }))
 *
 * await Effect.runPromise(program) // => "unregister"
 * ```
 *
 * @category changing
 * @since 0.1.0
 */
export const unregister: {
  <const Given>(item: Given): <Item, Lookups, P, V, R = never>(
    self: Takes<RegistryOrService<Item, Lookups, P, V, R>, Item, Given>
  ) => Effect.Effect<void, ItemLookupError | P, R>
  <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    item: NoInfer<Item>
  ): Effect.Effect<void, ItemLookupError | P, R>
} = /*#__PURE__*/ operation(
  2,
  <Item, P, V>(core: Core<Item, P, V>, item: Item): Effect.Effect<void, ItemLookupError | P> =>
    Transaction.run(core, Unregister.unregister(item))
)

/**
 * Unregisters the item that has a value of a unique lookup. Fails with an `ItemLookupError` as `get` does, but finds
 * disabled items.
 *
 * **Example** (Withdrawing a tool by its name)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({
 *     lookup: ["name"],
 *     defaults: [{ name: "search" }, { name: "shell" }]
 *   })
 *   yield* Registry.unregisterBy(tools, "name", "shell")
 *   return yield* Registry.values(tools)
 * }))
 *
 * await Effect.runPromise(program) // => [{ name: "search" }]
 * ```
 *
 * @category changing
 * @since 0.1.0
 */
export const unregisterBy: {
  <const Attribute extends string, const Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V, R = never>(
    self: Fits<RegistryOrService<Item, Lookups, P, V, R>, UniqueKeys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<void, ItemLookupError | P, R>
  <Item, Lookups, P, V, Attribute extends keyof UniqueKeys<Item, Lookups> & string, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ): Effect.Effect<void, ItemLookupError | P, R>
} = /*#__PURE__*/ operation(
  3,
  <Item, P, V>(core: Core<Item, P, V>, attribute: string, value: unknown): Effect.Effect<void, ItemLookupError | P> =>
    Transaction.run(core, Unregister.unregisterBy(attribute, value))
)

/**
 * Replaces the item that has a value of a unique lookup, in its place. Readers see the old item or the new one, never
 * both and never neither.
 *
 * Fails with an `ItemLookupError` as `get` does, but finds disabled items. Fails as `register` does: the new item may
 * have the keys of the old one, but not those of a third. Hooks are called in this order: registering the new item,
 * unregistering the old one, the swap, unregistered the old one, registered the new one. The registration keeps its
 * owner, scope and place: closing the scope in which the old item was registered withdraws the new one.
 *
 * **Example** (Renaming a command)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const commands = yield* Registry.make<{ readonly name: string }>()({
 *     lookup: ["name"],
 *     defaults: [{ name: "tst" }, { name: "build" }]
 *   })
 *   yield* Registry.replace(commands, "name", "tst", { name: "test" })
 *   return yield* Registry.values(commands)
 * }))
 *
 * await Effect.runPromise(program) // => [{ name: "test" }, { name: "build" }]
 * ```
 *
 * @category changing
 * @since 0.1.0
 */
export const replace: {
  <const Attribute extends string, const Key, const Given>(
    attribute: Attribute,
    value: Key,
    item: Given
  ): <Item, Lookups, P, V, R = never>(
    self: Fits<
      Takes<RegistryOrService<Item, Lookups, P, V, R>, Item, Given>,
      UniqueKeys<Item, Lookups>,
      Attribute,
      Key
    >
  ) => Effect.Effect<void, RegistrationFailure | ItemLookupError | V | P, R>
  <Item, Lookups, P, V, Attribute extends keyof UniqueKeys<Item, Lookups> & string, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute],
    item: NoInfer<Item>
  ): Effect.Effect<void, RegistrationFailure | ItemLookupError | V | P, R>
} = /*#__PURE__*/ operation(
  4,
  <Item, P, V>(
    core: Core<Item, P, V>,
    attribute: string,
    value: unknown,
    item: Item
  ): Effect.Effect<void, RegistrationFailure | ItemLookupError | V | P> =>
    Effect.asVoid(Transaction.run(core, Unregister.replace(attribute, value, item)))
)

/**
 * A place among the items: at an end, at an index, or next to the item that has a value of a unique lookup.
 *
 * A negative index counts from the end: -1 is the last place. An index beyond an end is that end.
 *
 * @category models
 * @since 0.2.0
 */
export type Position<Attribute, Value> = Place.Position<Attribute, Value>

/**
 * Registers an item at a position.
 *
 * Fails as `register` does, and with an `ItemLookupError` if no item has the value that the position names. A hidden
 * item is not a position. Items that are registered later come after all others. A registry whose definition has an
 * `order` has no positions: use its `rank`, `before` and `after`.
 *
 * **Example** (A step before another one)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const steps = yield* Registry.make<{ readonly name: string }>()({
 *     lookup: ["name"],
 *     defaults: [{ name: "init" }, { name: "router" }]
 *   })
 *   yield* Registry.insert(steps, { name: "session" }, { before: ["name", "router"] })
 *   yield* Registry.insert(steps, { name: "log" }, "first")
 *   return (yield* Registry.values(steps)).map(({ name }) => name)
 * }))
 *
 * await Effect.runPromise(program) // => ["log", "init", "session", "router"]
 * ```
 *
 * @see {@link move} to move an item that is registered
 *
 * @category changing
 * @since 0.2.0
 */
export const insert: {
  <const Given, const Attribute extends string = never, const Key = never>(
    item: Given,
    position: Position<Attribute, Key>
  ): <Item, Lookups, P, V, R = never>(
    self: Fits<
      Takes<RegistryOrService<Item, Lookups, P, V, R>, Item, Given>,
      UniqueKeys<Item, Lookups>,
      Attribute,
      Key
    >
  ) => Effect.Effect<void, RegistrationFailure | ItemLookupError | V | P, R>
  <
    Item,
    Lookups,
    P,
    V,
    Attribute extends keyof UniqueKeys<Item, Lookups> & string = keyof UniqueKeys<Item, Lookups> & string,
    R = never
  >(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    item: Item,
    position: Position<Attribute, UniqueKeys<Item, Lookups>[Attribute]>
  ): Effect.Effect<void, RegistrationFailure | ItemLookupError | V | P, R>
} = /*#__PURE__*/ operation(
  3,
  <Item, P, V>(
    core: Core<Item, P, V>,
    item: Item,
    position: Position<string, unknown>
  ): Effect.Effect<void, RegistrationFailure | ItemLookupError | V | P> =>
    Effect.asVoid(Transaction.run(core, Place.insert(item, position)))
)

/**
 * Moves the item that has a value of a unique lookup to another position.
 *
 * The registration keeps its owner and scope, and no hook is called. An index counts without the item. A move to its
 * own position changes nothing. Fails with an `ItemLookupError` if no item has the value, or the value that the
 * position names.
 *
 * **Example** (The provider that is tried first)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const providers = yield* Registry.make<{ readonly name: string }>()({
 *     lookup: ["name"],
 *     defaults: [{ name: "stripe" }, { name: "adyen" }, { name: "paypal" }]
 *   })
 *   yield* Registry.move(providers, "name", "paypal", "first")
 *   yield* Registry.move(providers, "name", "stripe", { after: ["name", "adyen"] })
 *   return (yield* Registry.values(providers)).map(({ name }) => name)
 * }))
 *
 * await Effect.runPromise(program) // => ["paypal", "adyen", "stripe"]
 * ```
 *
 * @see {@link insert} to register an item in a place
 *
 * @category changing
 * @since 0.2.0
 */
export const move: {
  <
    const Attribute extends string,
    const Key,
    const OtherAttribute extends string = never,
    const OtherKey = never
  >(
    attribute: Attribute,
    value: Key,
    position: Position<OtherAttribute, OtherKey>
  ): <Item, Lookups, P, V, R = never>(
    self: FitsBoth<
      RegistryOrService<Item, Lookups, P, V, R>,
      UniqueKeys<Item, Lookups>,
      Attribute,
      Key,
      OtherAttribute,
      OtherKey
    >
  ) => Effect.Effect<void, ItemLookupError | P, R>
  <
    Item,
    Lookups,
    P,
    V,
    Attribute extends keyof UniqueKeys<Item, Lookups> & string,
    OtherAttribute extends keyof UniqueKeys<Item, Lookups> & string = keyof UniqueKeys<Item, Lookups> & string,
    R = never
  >(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute],
    position: Position<OtherAttribute, UniqueKeys<Item, Lookups>[OtherAttribute]>
  ): Effect.Effect<void, ItemLookupError | P, R>
} = /*#__PURE__*/ operation(
  4,
  <Item, P, V>(
    core: Core<Item, P, V>,
    attribute: string,
    value: unknown,
    position: Position<string, unknown>
  ): Effect.Effect<void, ItemLookupError | P> =>
    Transaction.run(core, Place.move<Item, P, V>(attribute, value, position))
)

/**
 * Makes the contents of the registry equal to a list of items, with the fewest changes, in one transaction: readers see
 * the old set or the new one, and subscribers get one change.
 *
 * **Details**
 *
 * Items are matched by the first unique lookup; an item without a value of it matches the same item. A registered item
 * that is the same as its match stays, and no hook is called for it. One that differs is replaced. Other items are
 * registered or unregistered. Items may exchange their unique values. The order becomes that of the list: as few items
 * as possible move, and no hook is called for a move. Overrides and their places stay. Items that they hide are matched
 * like others, so the list is there when the overrides end.
 *
 * All changes are applied in one step. Hooks run before it (unregistering; then, for each replacement, registering the
 * new item and unregistering the old one; then registering) and after it, in the same order. A change that a hook makes
 * before that step stays only if the list has it; hooks are called for that, and the report includes it. Fails as
 * `register` does, also if the list repeats an item or a unique value. Of concurrent reconciliations, the last wins.
 *
 * With an `owner`, it makes what that owner registered equal to the list, and touches nothing else: one file of
 * several, one server of many. New items belong to that owner. A key that an item of another owner has is an
 * `AlreadyRegisteredError`. An item keeps its owner if others change it. With `onInvalid: "skip"` an item that cannot
 * be registered is left out with a warning, as if it were not in the list. A defect is never skipped.
 *
 * **Example** (A list of tools that is fetched again)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string; readonly version: number }>()({ lookup: ["name"] })
 *   yield* Registry.registerAll(tools, [{ name: "search", version: 1 }, { name: "fetch", version: 1 }])
 *   const report = yield* Registry.reconcile(tools, [{ name: "fetch", version: 2 }, { name: "edit", version: 1 }])
 *   const names = (list: ReadonlyArray<{ readonly name: string }>) => list.map((tool) => tool.name)
 *   return [names(report.added), names(report.removed), report.replaced.length, names(yield* Registry.values(tools))]
 * }))
 *
 * await Effect.runPromise(program) // => [["edit"], ["search"], 1, ["fetch", "edit"]]
 * ```
 *
 * @category changing
 * @since 0.1.0
 */
export const reconcile: {
  <const Given>(items: Iterable<Given>): <Item, Lookups, P, V, R = never>(
    self: Takes<RegistryOrService<Item, Lookups, P, V, R>, Item, Given>
  ) => Effect.Effect<Reconcile.Reconciled<Item>, RegistrationFailure | V | P, R>
  <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    items: Items<NoInfer<Item>>,
    options?: ReconcileOptions
  ): Effect.Effect<Reconcile.Reconciled<Item>, RegistrationFailure | V | P, R>
} = /*#__PURE__*/ operation(
  (first, x) => Populate.isIterable(first) && x === undefined,
  <Item, P, V>(
    core: Core<Item, P, V>,
    items: Items<Item>,
    options: ReconcileOptions = {}
  ): Effect.Effect<Reconcile.Reconciled<Item>, RegistrationFailure | V | P> =>
    options.owner === ""
      ? noOwner(core, "reconcile")
      : Effect.suspend(() => Transaction.run(core, Reconcile.reconcile(listOf(core, items), options)))
)

/** Items without an owner are not one source. */
const noOwner = <Item, P, V>({ definition }: Core<Item, P, V>, what: string): Effect.Effect<never> =>
  Effect.die(
    new Error(
      `Could not ${what} the items of the owner "" in ${show(definition.name)}. ` +
        "Items without an owner have no common source: name an owner."
    )
  )

/**
 * Registers an item above all others until the scope closes: for tests, and for plugins that replace items of others.
 *
 * **Details**
 *
 * An override hides each item that shares a unique value with it (or is the same, if items have no unique value). One
 * override may hide several items, and several overrides one item. Hooks and subscribers are told that a hidden item
 * goes, and that it comes back to its old place when no override hides it any more. Scopes may close in any order. No
 * hook can refuse this.
 *
 * An override also hides items that are registered later: an item that shares a value with overrides only is registered
 * below them. `onItemRegistering` is called for it at once, and `onItemRegistered` when it becomes visible.
 * `unregister`, `unregisterBy`, `replace` and `upsert` find visible items only: unregistering an override ends it, and
 * replacing it changes its item. `reconcile` leaves overrides alone, and changes the items that they hide. A hidden
 * item changes without hooks, revisions and events.
 *
 * Fails as `register` does, except that an item or a unique value may be registered already.
 *
 * **Example** (A payment provider for a test)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const providers = yield* Registry.make<{ readonly id: string; readonly live: boolean }>()({
 *     lookup: ["id"],
 *     defaults: [{ id: "stripe", live: true }]
 *   })
 *   const isLive = Effect.map(Registry.get(providers, "id", "stripe"), (provider) => provider.live)
 *   const inTest = Effect.andThen(Registry.override(providers, { id: "stripe", live: false }), isLive)
 *   return [yield* isLive, yield* Effect.scoped(inTest), yield* isLive]
 * }))
 *
 * await Effect.runPromise(program) // => [true, false, true]
 * ```
 *
 * @category changing
 * @since 0.1.0
 */
export const override: {
  <const Given>(item: Given): <Item, Lookups, P, V, R = never>(
    self: Takes<RegistryOrService<Item, Lookups, P, V, R>, Item, Given>
  ) => Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope | R>
  <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    item: NoInfer<Item>
  ): Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope | R>
} = /*#__PURE__*/ operation(
  2,
  <Item, P, V>(core: Core<Item, P, V>, item: Item): Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope> =>
    overrideAllIn(core, [item])
)

const overrideAllIn = <Item, P, V>(
  core: Core<Item, P, V>,
  items: Iterable<Item>
): Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) => {
    const overriding = UnregisterEach.scoped(core, scope, Override.override(listOf(core, items)))
    return Effect.asVoid(Transaction.run(core, overriding))
  })

const overrideAll: <Item, Lookups, P, V, R>(
  self: RegistryOrService<Item, Lookups, P, V, R>,
  items: Iterable<Item>
) => Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope | R> = /*#__PURE__*/ operation(2, overrideAllIn)

/**
 * Sets a rule: every item that has this value of this lookup, now or later, is not found until {@link enable} ends the
 * rule.
 *
 * **Details**
 *
 * A disabled item keeps its keys, place, owner and scope. Hooks and subscribers are told that it goes, and that it
 * comes back. `get` fails with an `ItemLookupError` of code `disabled`, with the reason. `explain` answers `Disabled`.
 * `register` still refuses a value that a disabled item has. `unregister`, `unregisterBy`, `replace`, `upsert` and
 * `reconcile` find it and change it; it stays disabled while a rule matches its current value. A disabled override
 * still hides the items below it.
 *
 * An item that is registered while a rule matches it is disabled at once: `onItemRegistering` is called then, and
 * `onItemRegistered` when it is enabled. An item is disabled while at least one rule matches it. Rules survive a reset.
 * A rule that matches nothing is not an error.
 *
 * An attribute that is not a lookup is a compile error; in untyped code it dies with an `ItemLookupError`. It never
 * populates.
 *
 * **Example** (A read-only mode)
 *
 * ```ts
 * import { Lookup, Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string; readonly kind: "read" | "write" }>()({
 *     lookup: { name: Lookup.unique((tool) => tool.name), kind: Lookup.group((tool) => tool.kind) },
 *     defaults: [{ name: "search", kind: "read" }, { name: "edit", kind: "write" }]
 *   })
 *   yield* Registry.disable(tools, "kind", "write", { reason: "read-only mode" })
 *   const error = yield* Effect.flip(Registry.get(tools, "name", "edit"))
 *   yield* Registry.enable(tools, "kind", "write")
 *   return [error.code, yield* Registry.size(tools)]
 * }))
 *
 * await Effect.runPromise(program) // => ["disabled", 2]
 * ```
 *
 * @category changing
 * @since 0.2.0
 */
export const disable: {
  <const Attribute extends string, const Key>(
    attribute: Attribute,
    value: Key,
    options: { readonly reason: string }
  ): <Item, Lookups, P, V, R = never>(
    self: Fits<RegistryOrService<Item, Lookups, P, V, R>, Keys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<void, Extract<P, RegistryError.RegistryUnavailable>, R>
  <Item, Lookups, P, V, const Attribute extends keyof Keys<Item, Lookups> & string, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    attribute: Attribute,
    value: Keys<Item, Lookups>[Attribute],
    options: { readonly reason: string }
  ): Effect.Effect<void, Extract<P, RegistryError.RegistryUnavailable>, R>
} = /*#__PURE__*/ operation(
  4,
  <Item, P, V>(
    core: Core<Item, P, V>,
    attribute: string,
    value: unknown,
    { reason }: { readonly reason: string }
  ): Effect.Effect<void> => Switches.disable(core, attribute, value, reason)
)

/**
 * Sets a rule as {@link disable} does, until the scope closes.
 *
 * The close ends exactly this rule, and no other rule about the same value.
 *
 * It never populates or fails.
 *
 * **Example** (Maintenance)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const providers = yield* Registry.make<{ readonly id: string }>()({ lookup: ["id"], defaults: [{ id: "stripe" }] })
 *   const isThere = Registry.has(providers, "id", "stripe")
 *   const during = Effect.andThen(Registry.disableScoped(providers, "id", "stripe", { reason: "maintenance" }), isThere)
 *   return [yield* Effect.scoped(during), yield* isThere]
 * }))
 *
 * await Effect.runPromise(program) // => [false, true]
 * ```
 *
 * @category changing
 * @since 0.2.0
 */
export const disableScoped: {
  <const Attribute extends string, const Key>(
    attribute: Attribute,
    value: Key,
    options: { readonly reason: string }
  ): <Item, Lookups, P, V, R = never>(
    self: Fits<RegistryOrService<Item, Lookups, P, V, R>, Keys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<void, Extract<P, RegistryError.RegistryUnavailable>, Scope.Scope | R>
  <Item, Lookups, P, V, const Attribute extends keyof Keys<Item, Lookups> & string, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    attribute: Attribute,
    value: Keys<Item, Lookups>[Attribute],
    options: { readonly reason: string }
  ): Effect.Effect<void, Extract<P, RegistryError.RegistryUnavailable>, Scope.Scope | R>
} = /*#__PURE__*/ operation(
  4,
  <Item, P, V>(
    core: Core<Item, P, V>,
    attribute: string,
    value: unknown,
    { reason }: { readonly reason: string }
  ): Effect.Effect<void, Extract<P, RegistryError.RegistryUnavailable>, Scope.Scope> =>
    Effect.flatMap(Effect.scope, (scope) => Switches.disable(core, attribute, value, reason, scope))
)

/**
 * Ends every rule about a value: see {@link disable}. Items that no other rule matches are found again, in their old
 * places. No hook is asked whether they may, but `acquire` of hooks runs for each item again. If it fails for one, `enable`
 * fails with that error, and all stays disabled.
 *
 * Does nothing if there is no such rule. It never populates.
 *
 * **Example** (Off and on)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({
 *     lookup: ["name"],
 *     defaults: [{ name: "a" }, { name: "b" }]
 *   })
 *   yield* Registry.disable(tools, "name", "a", { reason: "too slow" })
 *   yield* Registry.enable(tools, "name", "a")
 *   return (yield* Registry.values(tools)).map((tool) => tool.name)
 * }))
 *
 * await Effect.runPromise(program) // => ["a", "b"]
 * ```
 *
 * @category changing
 * @since 0.2.0
 */
export const enable: {
  <const Attribute extends string, const Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V, R = never>(
    self: Fits<RegistryOrService<Item, Lookups, P, V, R>, Keys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<void, RegistryError.RegistrationError | V | P, R>
  <Item, Lookups, P, V, const Attribute extends keyof Keys<Item, Lookups> & string, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    attribute: Attribute,
    value: Keys<Item, Lookups>[Attribute]
  ): Effect.Effect<void, RegistryError.RegistrationError | V | P, R>
} = /*#__PURE__*/ operation(3, Switches.enable)

/**
 * The rules, oldest first, each with the items that it disables, in order: see {@link disable}. Inside a transaction of
 * the registry they are those of the draft.
 *
 * Never populates, waits or fails, so there is nothing to interrupt.
 *
 * **Example** (What is off, and why)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   yield* Registry.disable(tools, "name", "a", { reason: "too slow" }).pipe(
 *     Effect.provideService(Registry.Owner, "admin")
 *   )
 *   yield* Registry.register(tools, { name: "a" })
 *   return yield* Registry.rules(tools)
 * }))
 *
 * const [rule] = await Effect.runPromise(program)
 *
 * rule // => { attribute: "name", value: "a", reason: "too slow", by: "admin", items: [{ name: "a" }] }
 * ```
 *
 * @category watching
 * @since 0.2.0
 */
export const rules: <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
) => Effect.Effect<ReadonlyArray<DisabledRule<Item>>, never, R> = /*#__PURE__*/ operation(1, Switches.rules)

/**
 * The owner of the items that a fiber registers: the name of a plugin, for instance. A layer or `Effect.provideService`
 * sets it. Hooks and layers of items have the owner of the place where they are provided. The owner of defaults is
 * `"defaults"`.
 *
 * `explain` tells the owner of an item, errors name the owner of an item that is in the way, and `unregisterOwner`
 * withdraws all items of an owner. By default it is the empty string: no owner.
 *
 * **Example** (A plugin that signs what it registers)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   yield* Registry.register(tools, { name: "search" }).pipe(Effect.provideService(Registry.Owner, "web"))
 *   const error = yield* Effect.flip(Registry.register(tools, { name: "search" }))
 *   return error.message
 * }))
 *
 * await Effect.runPromise(program) // => 'Could not register "search" in "registry": it is already registered by "web".'
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const Owner: Context.Reference<string> = OwnerReference

/**
 * Unregisters all items of an owner, the last one first, in one transaction, and returns them in registration order.
 * Defaults, overrides and hidden items are included. Dies if the owner is the empty string.
 *
 * **Example** (Switching a plugin off)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"], defaults: [{ name: "edit" }] })
 *   const plugin = Registry.registerAll(tools, [{ name: "search" }, { name: "fetch" }])
 *   yield* Effect.provideService(plugin, Registry.Owner, "web")
 *   const gone = yield* Registry.unregisterOwner(tools, "web")
 *   return [gone.map((tool) => tool.name), yield* Registry.size(tools)]
 * }))
 *
 * await Effect.runPromise(program) // => [["search", "fetch"], 1]
 * ```
 *
 * @category changing
 * @since 0.1.0
 */
export const unregisterOwner: {
  (owner: string): <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>
  ) => Effect.Effect<ReadonlyArray<Item>, P, R>
  <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    owner: string
  ): Effect.Effect<ReadonlyArray<Item>, P, R>
} = /*#__PURE__*/ operation(
  2,
  <Item, P, V>(core: Core<Item, P, V>, owner: string): Effect.Effect<ReadonlyArray<Item>, P> =>
    owner === ""
      ? noOwner(core, "unregister")
      : Transaction.run(core, UnregisterEach.unregisterOwner(owner))
)

/**
 * Runs an effect as one transaction of the registry: the changes by the effect, its child fibers and hooks become
 * visible in one step. If the effect fails, dies or is interrupted, they are rolled back.
 *
 * **Details**
 *
 * Inside, reads see the changes before them. A nested `transact` can fail, and be recovered from, on its own. Until the
 * effect ends, changes by other fibers wait, and readers do not. If the registry has an `invariant`, it runs at the end
 * of the outermost transaction. If it fails, so does `transact`, and everything is rolled back.
 *
 * **Gotchas**
 *
 * A change of another registry is committed there immediately, and stays. Two fibers that wait for each other's
 * registries do not hang: the wait that closes the circle dies with a message that names the circle. Other waits, such
 * as for a `Deferred`, cannot be detected.
 *
 * **Example** (A change that is given up half-way)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const formats = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   yield* Registry.register(formats, { name: "json" })
 *   const failing = Registry.transact(formats, Effect.gen(function*() {
 *     yield* Registry.unregisterBy(formats, "name", "json")
 *     yield* Registry.register(formats, { name: "json5" })
 *     return yield* Effect.fail(`stopped with ${yield* Registry.size(formats)}`)
 *   }))
 *   return [yield* Effect.flip(failing), yield* Registry.values(formats)]
 * }))
 *
 * await Effect.runPromise(program) // => ["stopped with 1", [{ name: "json" }]]
 * ```
 *
 * @category transactions
 * @since 0.1.0
 */
export const transact: {
  <A, E, R>(effect: Effect.Effect<A, E, R>): <Item, Lookups, P, V, R2 = never>(
    self: RegistryOrService<Item, Lookups, P, V, R2>
  ) => Effect.Effect<A, E | V | P, R | R2>
  <Item, Lookups, P, V, A, E, R, R2 = never>(
    self: RegistryOrService<Item, Lookups, P, V, R2>,
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | V | P, R | R2>
} = /*#__PURE__*/ operation(
  2,
  <Item, P, V, A, E, R>(core: Core<Item, P, V>, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | V | P, R> => {
    const given = effectOf(effect, () => `transact of ${show(core.definition.name)}`)
    return Transaction.run(core, {
      name: "transact",
      body: ({ restore }) => Exit.isExit(given) ? given : restore(given),
      undone: () => given
    })
  }
)

/** Any other value, from untyped code, would end the fiber while it holds the lock. */
const effectOf = <A, E, R>(effect: Effect.Effect<A, E, R>, name: () => string): Effect.Effect<A, E, R> =>
  Effect.isEffect(effect)
    ? effect
    : Effect.die(new TypeError(`${name()} was given ${show(effect)}, which is not an effect.`))

/**
 * Runs an effect as one transaction of several registries. They are published together, in one synchronous step, so no
 * reader sees one without the others. If the effect fails, dies or is interrupted, or the `invariant` of one of them
 * fails, all are rolled back.
 *
 * **Details**
 *
 * All locks are taken before the effect begins, in a fixed order, so such transactions never wait for each other in a
 * circle. Inside transactions of all the registries it is nested in those. Inside transactions of only some of them it
 * dies with a message, because it could not publish all registries together.
 *
 * **Example** (Moving a tool)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const enabled = yield* Registry.make<string>()({ name: "enabled", lookup: [], defaults: ["search"] })
 *   const disabled = yield* Registry.make<string>()({ name: "disabled", lookup: [] })
 *   const move = Effect.andThen(Registry.unregister(enabled, "search"), Registry.register(disabled, "search"))
 *   yield* Registry.transactAll([enabled, disabled], move)
 *   return [yield* Registry.values(enabled), yield* Registry.values(disabled)]
 * }))
 *
 * await Effect.runPromise(program) // => [[], ["search"]]
 * ```
 *
 * @category changing
 * @since 0.1.0
 */
export const transactAll = <
  const Registries extends ReadonlyArray<RegistryOrService<any, any, any, any, any>>,
  A,
  E,
  R
>(
  registries: Registries,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<
  A,
  E | RefusalOf<Registries[number]> | PopulationFailureOf<Registries[number]>,
  R | ServiceOf<Registries[number]>
> =>
  Effect.contextWith((context: Context.Context<R | ServiceOf<Registries[number]>>) => {
    if (!Array.isArray(registries)) {
      throw new TypeError(
        `transactAll takes a list of registries or of services of them, and was given ${show(registries)}.`
      )
    }
    return Together.runAll<PopulationFailureOf<Registries[number]>, A, E, R>(
      registries.map((one) => resolve(one, context)),
      effectOf(effect, () => "transactAll")
    )
  })

/**
 * The error of the population of a registry or of a service.
 *
 * @category models
 * @since 0.1.0
 */
export type PopulationFailureOf<Self> = Self extends RegistryOrService<any, any, infer P, any, any> ? P : never

/**
 * The errors of the hooks and of the invariant in the definition of a registry or of a service.
 *
 * @category models
 * @since 0.2.0
 */
export type RefusalOf<Self> = Self extends RegistryOrService<any, any, any, infer V, any> ? V : never

/**
 * The service that operations require; `never` for a registry.
 *
 * @category models
 * @since 0.2.0
 */
export type ServiceOf<Self> = Self extends Context.Key<infer R, any> ? R : never

/**
 * Runs an effect outside every transaction: it reads the published contents, and its changes wait for the lock. Use it
 * for a fiber that a hook or a `transact` forks and does not wait for.
 *
 * It fails, dies and is interrupted as the effect is.
 *
 * **Gotchas**
 *
 * A transaction that waits for a detached change of its own registry waits forever: that wait cannot be detected.
 *
 * **Example** (Reading the published contents)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const codecs = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   return yield* Registry.transact(codecs, Effect.gen(function*() {
 *     yield* Registry.register(codecs, { name: "gzip" })
 *     return [yield* Registry.size(codecs), yield* Registry.detached(Registry.size(codecs))]
 *   }))
 * }))
 *
 * await Effect.runPromise(program) // => [1, 0]
 * ```
 *
 * @category transactions
 * @since 0.1.0
 */
export const detached = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.updateContext(effect, withoutTransactions<R>)

/**
 * Populates the registry with its defaults. Does nothing if it is `Ready`, and inside its own population or reset.
 *
 * **Details**
 *
 * Fibers that populate concurrently, by this or any other operation, wait for one run and share its result.
 * Interrupting some of them does not affect the run; interrupting all of them interrupts it. It runs with the services
 * and in the scope of `make` or of the layer. Resources that the defaults acquire are released by the next `reset`, or
 * if the run fails.
 *
 * If the defaults fail, or one of them cannot be registered, it fails with a `PopulationError`, or dies with it if
 * `populationFailure` is `"die"`. It is rolled back then, and the next use tries again.
 *
 * **Example** (Three fibers, one run)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * let runs = 0
 * const load = Effect.sync(() => [{ name: `search ${++runs}` }])
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"], defaults: load })
 *   yield* Effect.all([Registry.populate(tools), Registry.size(tools), Registry.values(tools)], { concurrency: 3 })
 *   return yield* Registry.values(tools)
 * }))
 *
 * await Effect.runPromise(program) // => [{ name: "search 1" }]
 * ```
 *
 * @category populating
 * @since 0.1.0
 */
export const populate: <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
) => Effect.Effect<void, P, R> = /*#__PURE__*/ operation(
  1,
  <Item, P, V>({ orDie, tryPopulate }: Core<Item, P, V>): Effect.Effect<void, P> => orDie?.(tryPopulate) ?? tryPopulate
)

/**
 * Runs the defaults again, and makes the items of the last population equal to them, with the fewest changes, in one
 * transaction. Items that were registered otherwise, overrides and rules stay. On a `Pending` registry this is {@link
 * populate}.
 *
 * **Details**
 *
 * A default that did not change stays, and no hook is called for it. A default that was withdrawn or changed meanwhile
 * is restored. If nothing differs, there is no revision.
 *
 * Reads continue while the defaults run; changes wait. Fibers that refresh concurrently share one run; interrupting all
 * of them interrupts it. Resources that an earlier run acquired are released when no item of that run is left.
 *
 * If the defaults fail, or one of them cannot be registered, it fails with a `PopulationError`, or dies with it if
 * `populationFailure` is `"die"`, and nothing changes.
 *
 * **Example** (Plugins stay)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * let names = ["search", "fetch"]
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({
 *     lookup: ["name"],
 *     defaults: Effect.sync(() => names.map((name) => ({ name })))
 *   })
 *   yield* Registry.register(tools, { name: "plugin" })
 *   names = ["search", "edit"]
 *   yield* Registry.refresh(tools)
 *   return (yield* Registry.values(tools)).map((tool) => tool.name)
 * }))
 *
 * await Effect.runPromise(program) // => ["search", "plugin", "edit"]
 * ```
 *
 * @category populating
 * @since 0.2.0
 */
export const refresh: <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
) => Effect.Effect<void, P, R> = /*#__PURE__*/ operation(1, Refresh.refresh)

/**
 * Unregisters all items, the last one first, and makes the registry `Pending`: the next use populates it again. Does
 * nothing if it is `Pending`, and inside another reset or a population of it.
 *
 * The next population registers the defaults and then, in their old order and through the hooks, the items and
 * overrides of scopes that are still open. An item that cannot come back, because a default has its key or a hook
 * refuses it, is left out with a warning.
 *
 * Waits for a population and for changes in flight. Afterwards it releases the resources of the population. It dies if
 * a hook dies, or registers an item after the unregistering has begun. If it dies or is interrupted, nothing has
 * changed.
 *
 * **Example** (Loading the languages again)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const languages = yield* Registry.make<{ readonly name: string }>()({
 *     lookup: ["name"],
 *     defaults: [{ name: "TypeScript" }]
 *   })
 *   yield* Registry.register(languages, { name: "Mine" })
 *   yield* Registry.reset(languages)
 *   return yield* Registry.values(languages)
 * }))
 *
 * await Effect.runPromise(program) // => [{ name: "TypeScript" }]
 * ```
 *
 * @category populating
 * @since 0.1.0
 */
export const reset: <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
) => Effect.Effect<void, Extract<P, RegistryError.RegistryUnavailable>, R> = /*#__PURE__*/ operation(
  1,
  (core) => Reset.reset(core)
)

// ---------------------------------------------------------------------------------------------------------------------
// Watching
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The changes of the registry from the time when the stream is run: one for each committed transaction, in order, after
 * it is visible. Never populates, and ends when the registry closes.
 *
 * A slow subscriber blocks nothing: the registry keeps its last `history` changes, and a subscriber that is further
 * behind fails with `RegistryLagged`. Interrupting a subscriber ends its subscription only.
 *
 * **Gotchas**
 *
 * The stream does not contain changes from before it is run. `subscribe` starts from a known revision.
 *
 * **Example** (The next change)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect, Fiber, Stream } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<string>()({ lookup: [] })
 *   yield* Registry.populate(tools)
 *   const next = yield* Effect.forkChild(Stream.runHead(Registry.changes(tools)), { startImmediately: true })
 *   yield* Registry.register(tools, "search")
 *   const change = yield* Effect.fromOption(yield* Fiber.join(next))
 *   return [change.revision, change.events]
 * }))
 *
 * await Effect.runPromise(program) // => [2, [{ _tag: "Registered", item: "search", position: 0, reason: "register" }]]
 * ```
 *
 * @category watching
 * @since 0.1.0
 */
export const changes = <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
): Stream.Stream<RegistryEvent.RegistryChange<Item, Lookups>, RegistryError.RegistryLagged, R> =>
  Watch.unwrap(follow(self))

const follow: <Item, Lookups, P, V, R>(
  self: RegistryOrService<Item, Lookups, P, V, R>
) => Effect.Effect<
  Stream.Stream<RegistryEvent.RegistryChange<Item, Lookups>, RegistryError.RegistryLagged>,
  never,
  Scope.Scope | R
> = /*#__PURE__*/ operation(
  1,
  (core) => Watch.follow(core)
)

/**
 * A revision of a shared registry, and the record of its log that made it: see `SharedRegistry.position`.
 *
 * @category models
 * @since 0.2.0
 */
export type Since = Watch.Since

/**
 * A snapshot of the registry, and exactly the changes after it, whenever they are read, without gaps or repetitions.
 * With `since`, the changes after that revision instead, for a subscriber that resumes.
 *
 * **Details**
 *
 * The subscription begins when the effect ends. The stream ends when the scope or the registry closes. Each run of it
 * begins after the same revision. It fails with `RegistryLagged` when changes that it needs are no longer kept (see the
 * option `history`), or if the registry never had the revision `since`. Inside a transaction of the registry the
 * snapshot is the published one, and nothing is populated.
 *
 * If it is interrupted, it leaves no subscription behind.
 *
 * **Example** (A list that is kept up to date)
 *
 * ```ts
 * import { Registry, RegistryEvent } from "effect-registry"
 * import { Effect, Stream } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<string>()({ lookup: [], defaults: ["search", "fetch"] })
 *   const { snapshot, changes } = yield* Registry.subscribe(tools)
 *   const names = Array.from(snapshot)
 *   yield* Registry.unregister(tools, "search")
 *   yield* Registry.register(tools, "edit")
 *   yield* Stream.runForEach(Stream.take(changes, 2), (change) => Effect.sync(() => {
 *     for (const event of change.events) {
 *       if (RegistryEvent.is("Registered")(event)) names.splice(event.position, 0, event.item)
 *       if (RegistryEvent.is("Unregistered")(event)) names.splice(event.position, 1)
 *     }
 *   }))
 *   return names
 * }))
 *
 * await Effect.runPromise(program) // => ["fetch", "edit"]
 * ```
 *
 * @category watching
 * @since 0.1.0
 */
export const subscribe: {
  (options?: { readonly since?: number | Watch.Since | undefined }): <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>
  ) => Effect.Effect<Subscription<Item, Lookups>, P, Scope.Scope | R>
  <Item, Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    options?: { readonly since?: number | Watch.Since | undefined }
  ): Effect.Effect<Subscription<Item, Lookups>, P, Scope.Scope | R>
} = /*#__PURE__*/ operation(
  (options, x) =>
    x === undefined &&
    (options === undefined || isPlain(options) && Object.keys(options).every((key) => key === "since")),
  <Item, Lookups, P, V>(
    core: Core<Item, P, V>,
    options?: { readonly since?: number | Watch.Since | undefined }
  ): Effect.Effect<Subscription<Item, Lookups>, P, Scope.Scope> =>
    Reading.readPublished(core, (contents) =>
      Effect.map(
        Watch.follow(core, options?.since ?? contents.revision),
        (following): Subscription<Item, Lookups> => ({ snapshot: snapshotOf(contents), changes: following })
      ))
)

/**
 * Waits for the item that has a value of a unique lookup. After a reset it populates again.
 *
 * Inside a transaction of the registry it answers from the draft, or dies with a `DeadlockError`, because it would wait
 * for itself. An attribute that is not a unique lookup is a compile error; in untyped code it dies with an
 * `ItemLookupError`.
 *
 * **Example** (A plugin that starts before the one it needs)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect, Fiber } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const services = yield* Registry.make<{ readonly name: string; readonly port: number }>()({ lookup: ["name"] })
 *   const waiting = yield* Effect.forkChild(Registry.awaitItem(services, "name", "database"))
 *   yield* Registry.register(services, { name: "cache", port: 6379 })
 *   yield* Registry.register(services, { name: "database", port: 5432 })
 *   return (yield* Fiber.join(waiting)).port
 * }))
 *
 * await Effect.runPromise(program) // => 5432
 * ```
 *
 * @category watching
 * @since 0.1.0
 */
export const awaitItem: {
  <const Attribute extends string, const Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V, R = never>(
    self: Fits<RegistryOrService<Item, Lookups, P, V, R>, UniqueKeys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<Item, P, R>
  <Item, Lookups, P, V, Attribute extends keyof UniqueKeys<Item, Lookups> & string, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ): Effect.Effect<Item, P, R>
} = /*#__PURE__*/ operation(3, Watch.awaitItem)

/**
 * The current snapshot of the registry, then the newest one after each change.
 *
 * **Details**
 *
 * Each time it is pulled, the stream emits the newest snapshot, or waits for the next change: a slow consumer skips
 * snapshots, blocks nothing, and is never far behind. A `Pending` registry is populated first, also after a reset. The
 * stream ends when the registry closes.
 *
 * Inside a transaction of the registry it emits the draft, and dies with a `DeadlockError` where it would wait for
 * itself.
 *
 * **Example** (A menu that is drawn again)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect, Fiber, Stream } from "effect"
 *
 * const drawn: Array<string> = []
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const commands = yield* Registry.make<string>()({ lookup: [], defaults: ["open"] })
 *   const drawing = Registry.snapshots(commands).pipe(
 *     Stream.take(2),
 *     Stream.runForEach((snapshot) => Effect.sync(() => drawn.push(RegistrySnapshot.values(snapshot).join(" | "))))
 *   )
 *   const fiber = yield* Effect.forkChild(drawing, { startImmediately: true })
 *   yield* Registry.registerAll(commands, ["save", "close"])
 *   yield* Fiber.join(fiber)
 *   return drawn
 * }))
 *
 * await Effect.runPromise(program) // => ["open", "open | save | close"]
 * ```
 *
 * @see {@link changes} to miss nothing
 *
 * @category watching
 * @since 0.2.0
 */
export const snapshots = <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
): Stream.Stream<RegistrySnapshot<Item, Lookups>, P, R> => Watch.unwrap(snapshotsIn(self))

const snapshotsIn: <Item, Lookups, P, V, R>(
  self: RegistryOrService<Item, Lookups, P, V, R>
) => Effect.Effect<Stream.Stream<RegistrySnapshot<Item, Lookups>, P>, never, R> = /*#__PURE__*/ operation(
  1,
  (core) => Effect.succeed(Watch.snapshots(core))
)

/**
 * The item that has a value of a unique lookup, as an `Option`, then each new value of that.
 *
 * **Details**
 *
 * It emits again only when the item is registered, withdrawn or replaced. A slow consumer skips values. A `Pending`
 * registry is populated first, also after a reset. The stream ends when the registry closes. Inside a transaction of
 * the registry it emits from the draft, and dies with a `DeadlockError` where it would wait for itself.
 *
 * An attribute that is not a unique lookup is a compile error; in untyped code it dies with an `ItemLookupError`.
 *
 * **Example** (A provider that is registered late)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect, Fiber, Option, Stream } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const providers = yield* Registry.make<{ readonly id: string; readonly url: string }>()({ lookup: ["id"] })
 *   const watching = Stream.runCollect(Stream.take(Registry.watchItem(providers, "id", "stripe"), 2))
 *   const fiber = yield* Effect.forkChild(watching, { startImmediately: true })
 *   yield* Registry.register(providers, { id: "mollie", url: "https://mollie.example" })
 *   yield* Registry.register(providers, { id: "stripe", url: "https://stripe.example" })
 *   return yield* Fiber.join(fiber)
 * }))
 *
 * await Effect.runPromise(program) // => [Option.none(), Option.some({ id: "stripe", url: "https://stripe.example" })]
 * ```
 *
 * @see {@link awaitItem} to wait for it once
 *
 * @category watching
 * @since 0.2.0
 */
export const watchItem: {
  <const Attribute extends string, const Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V, R = never>(
    self: Fits<RegistryOrService<Item, Lookups, P, V, R>, UniqueKeys<Item, Lookups>, Attribute, Key>
  ) => Stream.Stream<Option.Option<Item>, P, R>
  <Item, Lookups, P, V, Attribute extends keyof UniqueKeys<Item, Lookups> & string, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ): Stream.Stream<Option.Option<Item>, P, R>
} = /*#__PURE__*/ dual(
  3,
  (self: unknown, attribute: string, value: unknown) => Watch.unwrap(watchItemIn(self, attribute, value))
)

const watchItemIn: (
  self: unknown,
  attribute: string,
  value: unknown
) => Effect.Effect<Stream.Stream<any, any>, never, any> = /*#__PURE__*/ operation(
  3,
  (core, attribute, value) => Effect.succeed(Watch.watchItem(core, attribute, value))
)

/**
 * Why an item is there, or is not.
 *
 * `Present`: its owner, the revision at which it was registered, its last update, and the items that it hides.
 * `Disabled`: a rule disables it, with the reason and the owner of the rule. `Hidden`: the override `by` hides it.
 * `Absent`: no item has the value; `suggestions` are near matches among the keys, and `last` is the latest thing that
 * happened to an item with the value. `PopulationFailed`: the registry is `Pending` because its last population failed.
 * `Pending`: it was not used yet, was reset, or is being populated.
 *
 * @category models
 * @since 0.1.0
 */
export type Explanation<Item> = Model.Explanation<Item>

/**
 * Why an item is absent. `Withdrawn`: an operation withdrew it, at a revision and a time, with `by` as its owner.
 * `Refused`: its registration was refused. `Skipped`: it was left out, or did not come back after a reset.
 *
 * A withdrawal is known while the registry keeps that change (option `history`), a refusal for the newest 256 keys. Of
 * an error, the tag, the code, the message and the primitive keys of the item are kept, never the item.
 *
 * @category models
 * @since 0.2.0
 */
export type LastSeen = Model.LastSeen

interface ExplanationDefinition extends Data.TaggedEnum.WithGenerics<1> {
  readonly taggedEnum: Explanation<this["A"]>
}

/**
 * Constructors of explanations, and `$is` and `$match` to distinguish them.
 *
 * **Example** (One line for each)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"], defaults: [{ name: "search" }] })
 *   yield* Registry.populate(tools)
 *   return Registry.Explanation.$match(yield* Registry.explain(tools, "name", "serch"), {
 *     Present: ({ owner }) => `registered by ${owner}`,
 *     Hidden: ({ by }) => `hidden by ${by.name}`,
 *     Disabled: ({ reason }) => `disabled: ${reason}`,
 *     Absent: ({ suggestions }) => `did you mean ${suggestions.join(" or ")}?`,
 *     PopulationFailed: () => "the population failed",
 *     Pending: () => "not yet populated"
 *   })
 * }))
 *
 * await Effect.runPromise(program) // => "did you mean search?"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const Explanation = /*#__PURE__*/ Data.taggedEnum<ExplanationDefinition>()

/**
 * Why an item is there, or is not. Inside a transaction of the registry it explains the draft.
 *
 * An attribute that is not a unique lookup is a compile error; in untyped code it dies with an `ItemLookupError`.
 *
 * Never populates, waits or fails, so there is nothing to interrupt.
 *
 * **Example** (The owner of an item)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   const before = yield* Registry.explain(tools, "name", "search")
 *   yield* Registry.register(tools, { name: "search" }).pipe(Effect.provideService(Registry.Owner, "web"))
 *   return [before, yield* Registry.explain(tools, "name", "search")]
 * }))
 *
 * const [before, after] = await Effect.runPromise(program)
 *
 * before?._tag // => "Pending"
 * after // => { _tag: "Present", item: { name: "search" }, owner: "web", revision: 2, updated: undefined, hides: [] }
 * ```
 *
 * @category watching
 * @since 0.1.0
 */
export const explain: {
  <const Attribute extends string, const Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V, R = never>(
    self: Fits<RegistryOrService<Item, Lookups, P, V, R>, UniqueKeys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<Explanation<Item>, never, R>
  <Item, Lookups, P, V, Attribute extends keyof UniqueKeys<Item, Lookups> & string, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ): Effect.Effect<Explanation<Item>, never, R>
} = /*#__PURE__*/ operation(3, Explain.explain)

// ---------------------------------------------------------------------------------------------------------------------
// Hooks
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Installs hooks, with the services of the fiber, until the scope closes. They take part from the next operation on,
 * and refuse items with `RegistryError.reject`. They learn of a change in flight when it ends.
 *
 * **Details**
 *
 * With `existing`, `onItemRegistered` is called for each item that is registered when the hooks are added, and
 * `onItemUnregistered` for each that is left when they are removed. With `existing` it dies inside a transaction of the
 * registry, which may still fail.
 *
 * They run after hooks that were installed before, unless a `name`, `before` and `after` say otherwise: see
 * `RegistryHooks.Place`. Constraints that form a circle make it die.
 *
 * Closing the scope waits for the change in flight. Afterwards no operation calls the hooks, except that a transaction
 * that fails still rolls back their completed calls.
 *
 * Without `existing` it never waits; with `existing` it waits as a change does. If it is interrupted, the hooks are not
 * added, and their calls are rolled back.
 *
 * **Example** (Knowing all names, early and late)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const names = new Set<string>()
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
 *   yield* Registry.register(tools, { name: "search" })
 *   yield* Registry.addHooks(tools, {
 *     onItemRegistered: (item) => Effect.sync(() => names.add(item.name)),
 *     onItemUnregistered: (item) => Effect.sync(() => names.delete(item.name))
 *   }, { existing: true })
 *   yield* Registry.register(tools, { name: "fetch" })
 *   return Array.from(names)
 * }))
 *
 * await Effect.runPromise(program) // => ["search", "fetch"]
 * ```
 *
 * @category hooks
 * @since 0.1.0
 */
export const addHooks: {
  <Item, const More extends Hooks.Input<Item, RegistryError.RegistrationError> & Hooks.NoExcess<More>>(
    hooks: More,
    options?: Hooks.Place & { readonly existing?: boolean | undefined }
  ): <Lookups, P, V, R = never>(
    self: RegistryOrService<Item, Lookups, P, V, R>
  ) => Effect.Effect<void, Hooks.AddingFailure<More>, Scope.Scope | Hooks.ServicesOf<More> | R>
  <
    Item,
    Lookups,
    P,
    V,
    const More extends Hooks.Input<Item, RegistryError.RegistrationError> & Hooks.NoExcess<More>,
    R = never
  >(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    hooks: More,
    options?: Hooks.Place & { readonly existing?: boolean | undefined }
  ): Effect.Effect<void, Hooks.AddingFailure<More>, Scope.Scope | Hooks.ServicesOf<More> | R>
} = /*#__PURE__*/ operation(
  (hooks, options) =>
    (Hooks.areHooks(hooks) || isPlain(hooks) && Object.keys(hooks).length === 0) && !Hooks.areHooks(options),
  <Item, P, V>(
    // `register` has this error in its type for every V
    core: Core<Item, P, V | RegistryError.RegistrationError>,
    hooks: Hooks.Input<Item, RegistryError.RegistrationError>,
    options?: Hooks.Place & { readonly existing?: boolean | undefined }
  ): Effect.Effect<void, any, Scope.Scope> =>
    (options?.existing === true ? AddHooks.installAndTell : Install.install)(core, HookOrder.placed(hooks, options))
)

// ---------------------------------------------------------------------------------------------------------------------
// Service
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Makes a class that is a registry as a service, with layers as its only statics. Its identifier is the name of the
 * registry. The functions of `Registry` take the class in place of a registry, and then require the service.
 *
 * **When to use**
 *
 * Where size matters: a bundle contains only the operations that the program uses. With `Service` it contains all of
 * them.
 *
 * **Example** (A small service)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * interface Tool { readonly name: string }
 *
 * class Tools extends Registry.Tag<Tools, Tool>()("app/Tools", { lookup: ["name"], defaults: [{ name: "search" }] }) {}
 *
 * const program = Effect.gen(function*() {
 *   yield* Registry.register(Tools, { name: "fetch" })
 *   const found = yield* Registry.get(Tools, "name", "search")
 *   return [found.name, yield* Registry.size(Tools)]
 * }).pipe(Effect.provide(Tools.layer))
 *
 * await Effect.runPromise(program) // => ["search", 2]
 * ```
 *
 * @see {@link Service} where the operations should be statics
 *
 * @category services
 * @since 0.2.0
 */
export const Tag = Services.Tag

/**
 * Registers items, all or none, until the layer is closed.
 *
 * Building the layer fails, waits and is interrupted as `registerAll` is. Closing it waits for changes in flight, and
 * cannot be interrupted.
 *
 * **Example** (The tools of a plugin)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect, Layer } from "effect"
 *
 * class Tools extends Registry.Tag<Tools, { readonly name: string }>()("app/Tools", { lookup: ["name"] }) {}
 *
 * const Web = Registry.items(Tools, [{ name: "search" }, { name: "fetch" }])
 *
 * const program = Registry.size(Tools).pipe(Effect.provide(Web.pipe(Layer.provideMerge(Tools.layer))))
 *
 * await Effect.runPromise(program) // => 2
 * ```
 *
 * @category services
 * @since 0.2.0
 */
export const items = <Self, Item, Lookups, P, V>(
  tag: Context.Key<Self, Registry<Item, Lookups, P, V>>,
  list: Items<NoInfer<Item>>
): Layer.Layer<never, RegistrationFailure | V | P, Self> => Layer.effectDiscard(registerAllScoped(tag, list))

/**
 * Registers items above all others, all or none, until the layer is closed: see {@link override}.
 *
 * Building the layer fails, waits and is interrupted as `override` is. Closing it waits for changes in flight, and
 * cannot be interrupted.
 *
 * **Example** (A provider for tests)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect, Layer } from "effect"
 *
 * class Providers extends Registry.Tag<Providers, { readonly id: string; readonly live: boolean }>()("app/Providers", {
 *   lookup: ["id"],
 *   defaults: [{ id: "stripe", live: true }]
 * }) {}
 *
 * const Fake = Registry.overrides(Providers, [{ id: "stripe", live: false }])
 *
 * const program = Effect.map(Registry.get(Providers, "id", "stripe"), (provider) => provider.live).pipe(
 *   Effect.provide(Fake.pipe(Layer.provideMerge(Providers.layer)))
 * )
 *
 * await Effect.runPromise(program) // => false
 * ```
 *
 * @category services
 * @since 0.2.0
 */
export const overrides = <Self, Item, Lookups, P, V>(
  tag: Context.Key<Self, Registry<Item, Lookups, P, V>>,
  list: Items<NoInfer<Item>>
): Layer.Layer<never, RegistrationFailure | V | P, Self> => Layer.effectDiscard(overrideAll(tag, list))

/**
 * Sets rules until the layer is closed: see {@link disableScoped}. The layer may be built before or after layers of
 * items.
 *
 * Building the layer waits for changes in flight, and never fails or populates. Closing it waits, too, and cannot be
 * interrupted.
 *
 * **Example** (A read-only mode)
 *
 * ```ts
 * import { Lookup, Registry } from "effect-registry"
 * import { Effect, Layer } from "effect"
 *
 * class Tools extends Registry.Tag<Tools, { readonly name: string; readonly kind: "read" | "write" }>()("app/Tools", {
 *   lookup: { name: Lookup.unique((tool) => tool.name), kind: Lookup.group((tool) => tool.kind) },
 *   defaults: [{ name: "search", kind: "read" }, { name: "edit", kind: "write" }]
 * }) {}
 *
 * const ReadOnly = Registry.disabled(Tools, [["kind", "write", "read-only mode"]])
 *
 * const program = Registry.size(Tools).pipe(Effect.provide(ReadOnly.pipe(Layer.provideMerge(Tools.layer))))
 *
 * await Effect.runPromise(program) // => 1
 * ```
 *
 * @category services
 * @since 0.2.0
 */
export const disabled = <Self, Item, Lookups, P, V>(
  tag: Context.Key<Self, Registry<Item, Lookups, P, V>>,
  list: ReadonlyArray<Model.DisabledInput<Item, Lookups>>
): Layer.Layer<never, Extract<P, RegistryError.RegistryUnavailable>, Self> =>
  Layer.effectDiscard(
    Effect.forEach(
      list,
      // each is an attribute with a value of it
      ([attribute, value, reason]) => disableScoped(tag, attribute, value as never, { reason }),
      { discard: true }
    )
  )

/**
 * Makes a registry whose layer loads late: `load`, usually an import, returns a layer that provides it. The first
 * operation that reads or changes imports that layer and builds it, once, however many fibers come first.
 *
 * **Details**
 *
 * The changes that the layer makes to the registry, and the defaults, become visible together. If the layer cannot be
 * imported or built, all waiting fibers fail with a `PopulationError` of code `import` (or die with it if the registry
 * has no `defaults`), and the next use tries again. The scope of the layer is that of the registry. `state`,
 * `snapshotUnsafe`, `addHooks`, `changes` and `explain` import nothing. Hooks that are added before the import are
 * called for each item.
 *
 * The layer must be built on the `layer` of the tag: it dies if it provides another registry. The import is one
 * transaction: interrupting all waiting fibers rolls it back.
 *
 * **Gotchas**
 *
 * Trying again calls `load` again, which imports the same address. A missing module may exist by then, and a layer that
 * failed may succeed. A module that threw during its evaluation stays failed until the program restarts. Depending on
 * the runtime, so does a module that did not parse, whose imports were missing or, in a browser, that could not be
 * fetched. So do work that can fail in the layer, not in the body of its module.
 *
 * **Example** (A layer that is imported by the first use)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect, Layer } from "effect"
 *
 * interface Language { readonly name: string }
 *
 * const defaults: ReadonlyArray<Language> = []
 *
 * class Languages extends Registry.Tag<Languages, Language>()("app/Languages", { lookup: ["name"], defaults }) {}
 *
 * // () => import("./languages-live.ts").then((module) => module.LanguagesLive)
 * const importLive = () =>
 *   Promise.resolve(
 *     Registry.items(Languages, [{ name: "TypeScript" }]).pipe(Layer.provideMerge(Languages.layer), Layer.orDie)
 *   )
 *
 * const program = Effect.gen(function*() {
 *   return [yield* Registry.state(Languages), yield* Registry.size(Languages), yield* Registry.state(Languages)]
 * }).pipe(Effect.provide(Registry.layerLazy(Languages, importLive)))
 *
 * await Effect.runPromise(program) // => ["Pending", 1, "Ready"]
 * ```
 *
 * @category services
 * @since 0.2.0
 */
export const layerLazy: <Self, Id extends string, Item, Lookups, P, V, R, E, R2>(
  tag: Services.TagClass<Self, Id, Item, Lookups, P, V, R, unknown>,
  load: () => PromiseLike<Layer.Layer<Self, E, R2>>
) => Layer.Layer<Self, never, R2> = Late.layerLazy

/**
 * Makes a class that is a registry as a service. Its identifier is the name of the registry, and its layers and
 * operations are its statics. The operations require the service instead of taking the registry.
 *
 * **Example** (Languages as a service)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect, Layer } from "effect"
 *
 * interface Language { readonly name: string }
 *
 * class Languages extends Registry.Service<Languages, Language>()("app/Languages", {
 *   lookup: ["name"],
 *   defaults: [{ name: "TypeScript" }]
 * }) {}
 *
 * const program = Effect.gen(function*() {
 *   yield* Languages.register({ name: "Mine" })
 *   return (yield* Languages.values).map((language) => language.name)
 * }).pipe(Effect.provide(Languages.items([{ name: "XML" }]).pipe(Layer.provideMerge(Languages.layer))))
 *
 * await Effect.runPromise(program) // => ["TypeScript", "XML", "Mine"]
 * ```
 *
 * @see {@link Tag} where size matters
 *
 * @category services
 * @since 0.1.0
 */
export const Service = /*#__PURE__*/ Services.serviceWith({
  layerLazy,
  items,
  overrides,
  disabled,
  get,
  getOption,
  getAll,
  has,
  contains,
  at,
  register,
  registerAll,
  registerEach,
  upsert,
  registerScoped,
  registerAllScoped,
  upsertScoped,
  unregister,
  unregisterBy,
  replace,
  insert,
  move,
  reconcile,
  override,
  disable,
  disableScoped,
  enable,
  lease,
  unregisterOwner,
  transact,
  subscribe,
  awaitItem,
  watchItem,
  explain,
  addHooks
}, { size, values, snapshot, rules, state, populated, populate, refresh, reset, changes, snapshots })
