/**
 * A registry that several processes, or several machines, have in common. It is a `Registry`: all operations take it.
 *
 * Its contents are a fold over a log that an existing engine keeps: see `RegistryLog`. Each process has all items, and reads
 * them as it reads those of any registry, without waiting. A change is in when its operation returns, for every process.
 *
 * It holds descriptions, not functions: what an item does is looked up in each process by its key.
 *
 * **Example** (Two parts of a program that share a log)
 *
 * ```ts
 * import { Effect, Layer, Schema } from "effect"
 * import { RegistryLog, SharedRegistry } from "effect-registry/shared"
 *
 * const Tool = Schema.Struct({ name: Schema.String, endpoint: Schema.String })
 *
 * class Tools extends SharedRegistry.Service<Tools, typeof Tool.Type>()("app/Tools", {
 *   schema: Tool,
 *   lookup: ["name"],
 *   lifetime: "cluster"
 * }) {}
 *
 * const program = Effect.gen(function*() {
 *   yield* Tools.register({ name: "search", endpoint: "https://example.com/search" })
 *   return (yield* Tools.get("name", "search")).endpoint
 * }).pipe(Effect.provide(Tools.layer.pipe(Layer.provide(RegistryLog.layerMemory))))
 *
 * await Effect.runPromise(program) // => "https://example.com/search"
 * ```
 *
 * @module
 * @since 0.2.0
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { coreOf, resolve } from "../internal/coreOf.ts"
import type { Core } from "../internal/engine/core.ts"
import { withoutTransactions } from "../internal/engine/current.ts"
import type * as Hooks from "../internal/engine/parts.ts"
import { current } from "../internal/engine/read.ts"
import { waitsForItself } from "../internal/engine/waiting.ts"
import * as Making from "../internal/making.ts"
import type { Options, PopulationFailure, Registry, RegistryOrService, ServicesOf } from "../internal/model.ts"
import type * as Populate from "../internal/operations/populate.ts"
import { counted, Existing, type ServiceClass, type TagClass } from "../internal/service.ts"
import { Replica } from "../internal/shared/replica.ts"
import { type Settings, State } from "../internal/shared/state.ts"
import { bytesOf } from "../internal/shared/text.ts"
import { failure, invalid } from "../internal/store/definition.ts"
import { show } from "../internal/store/wording.ts"
import type * as Lookup from "../Lookup.ts"
import * as Local from "../Registry.ts"
import { RegistryUnavailable } from "../RegistryError.ts"
import { RegistryLog } from "./RegistryLog.ts"

/**
 * The definition of a shared registry: that of a registry, and how it is shared.
 *
 * @category models
 * @since 0.2.0
 */
export interface SharedOptions<Item, Lookups, Defaults, AllHooks, E = never, R = never>
  extends Omit<Options<Item, Lookups, Defaults, AllHooks, "fail" | "die", E, R>, "schema" | "populationFailure">
{
  /** How items travel: as the JSON of this schema. Another version of the program must be able to read it. */
  readonly schema: Schema.Codec<Item, any, never, never>
  /**
   * `"cluster"`: as long as one process is joined. A process that joins alone begins anew, as a registry of one process does.
   * `"forever"`: the items are data. Defaults are put in once in the life of the log.
   */
  readonly lifetime: "cluster" | "forever"
  /** Of the defaults, 1 by default: a process with a higher one than the log's makes what population put in equal to its own. */
  readonly version?: number | undefined
  /** What a process registers in a scope is of its session, which ends when the process is not heard of for `ttl`. */
  readonly session?: {
    /** 15 seconds by default. */
    readonly ttl?: Duration.Input | undefined
    /** Whether a process whose session was lost takes up its registrations again, as it does by default. */
    readonly onLost?: "rejoin" | "leave" | undefined
  } | undefined
  /** How long an operation waits for the log, 10 seconds by default. */
  readonly patience?: Duration.Input | undefined
  /** How often the log is asked for news that nobody has hinted at, each second by default. */
  readonly poll?: Duration.Input | undefined
  /** After how many records a checkpoint is written, and how many records are kept before it: 1000 each by default. */
  readonly checkpoint?: { readonly every?: number | undefined; readonly keep?: number | undefined } | undefined
}

/**
 * How a shared registry stands with its log.
 *
 * @category models
 * @since 0.2.0
 */
export interface SharedStatus {
  /** The revision that is published here. */
  readonly revision: number
  /** The last record that was read. */
  readonly head: number
  /** When the log answered last. */
  readonly lastContact: DateTime.Utc | undefined
  readonly session: { readonly id: string; readonly state: "none" | "live" | "unsure" | "lost" }
  /** What a change fails with in this process, if it has something that it cannot read. */
  readonly readOnly: RegistryUnavailable | undefined
  /** How many items this version of the program cannot read. */
  readonly unreadable: number
  /** The name of the engine. */
  readonly engine: string
}

/**
 * A shared registry as a service, with layers alone: the class that `SharedRegistry.Tag` makes.
 *
 * @category services
 * @since 0.2.0
 */
export interface SharedTagClass<Self, Id extends string, Item, Lookups, P, V, R>
  extends TagClass<Self, Id, Item, Lookups, P, V, R | RegistryLog>
{}

/**
 * A shared registry as a service: the class that `SharedRegistry.Service` makes.
 *
 * @category services
 * @since 0.2.0
 */
export interface SharedClass<Self, Id extends string, Item, Lookups, P, V, R>
  extends Omit<ServiceClass<Self, Id, Item, Lookups, P, V, R | RegistryLog>, "layerLazy">
{
  new(_: never): Context.ServiceClass.Shape<Id, Registry<Item, Lookups, P, V>>
  /** What was written anywhere until now is seen from now on: see {@link sync}. */
  readonly sync: Effect.Effect<void, RegistryUnavailable, Self>
  /** Where a subscriber can go on in any process: see {@link position}. */
  readonly position: Effect.Effect<Local.Since, never, Self>
  /** How it stands with its log: see {@link status}. */
  readonly status: Effect.Effect<SharedStatus, never, Self>
}

type Definition<Item> = SharedOptions<Item, any, any, any, any, any>

/** Of a name, which engines make names of channels and subjects of. */
const mostBytes = 200

const replicas = new WeakMap<Core<any, any, any>, Replica<any>>()

/** A failing log is an error, whatever the failure of a population is. */
const orDie = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, any, R> =>
  Effect.catch(effect, (error) => error instanceof RegistryUnavailable ? Effect.fail(error) : Effect.die(error))

const making = <Item, Lookups, P, V, R>(
  options: Definition<Item> & { readonly name: string }
): Effect.Effect<Registry<Item, Lookups, P, V>, never, Scope.Scope | RegistryLog | R> =>
  Effect.gen(function*() {
    const { checkpoint = {}, lifetime, patience = "10 seconds", poll = "1 second", schema, session = {}, version = 1 } =
      options
    const bytes = bytesOf(options.name)
    if (bytes > mostBytes) {
      throw invalid(options.name, `has a name of ${bytes} bytes: in a log, it has ${mostBytes} at most.`)
    }
    const json = Schema.toCodecJson(schema)
    const codec = { encode: Schema.encodeSync(json), decode: Schema.decodeUnknownSync(json) }
    const log = yield* RegistryLog
    const scope = yield* Effect.scope
    const context = withoutTransactions(yield* Effect.context<never>())
    const registry = yield* Making.make<Item, Lookups, P, V, R>(options, undefined, orDie)
    const core = coreOf(registry)
    const settings: Settings = {
      lifetime,
      version,
      ttl: Duration.fromInputUnsafe(session.ttl ?? "15 seconds"),
      onLost: session.onLost ?? "rejoin",
      patience: Duration.fromInputUnsafe(patience),
      poll: Duration.fromInputUnsafe(poll),
      every: checkpoint.every ?? 1_000,
      keep: Math.max(checkpoint.keep ?? 1_000, core.history)
    }
    const state = new State<Item>(core, log, context, scope, codec, settings)
    const replica = new Replica(state)
    core.shared = replica
    replicas.set(core, replica)
    yield* Scope.addFinalizer(scope, state.closeSession)
    return registry
  })

/**
 * Makes a shared registry that lives as long as a scope. It joins with its first use. The name says which log is its own.
 *
 * Operations fail with `RegistryUnavailable` where the log cannot be used. When the scope closes, its session ends: that
 * takes a second at most.
 *
 * **Example** (Two processes in one program, as in a test)
 *
 * ```ts
 * import { Effect, Schema } from "effect"
 * import { Registry } from "effect-registry"
 * import { RegistryLog, SharedRegistry } from "effect-registry/shared"
 *
 * const joining = SharedRegistry.make<string>()({
 *   name: "tools",
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "cluster"
 * })
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const one = yield* joining
 *   const two = yield* joining
 *   yield* Registry.register(one, "search")
 *   yield* SharedRegistry.sync(two)
 *   return yield* Registry.values(two)
 * }))
 *
 * await Effect.runPromise(Effect.provide(program, RegistryLog.layerMemory)) // => ["search"]
 * ```
 *
 * @category constructors
 * @since 0.2.0
 */
export const make = <Item>() =>
<
  const Lookups extends Lookup.Input<Item>,
  const AllHooks extends Hooks.Input<Item, unknown, unknown> & Hooks.NoExcess<AllHooks>,
  Defaults extends Populate.Defaults<Item, any, any> = never,
  E = never,
  R = never
>(
  options: SharedOptions<Item, Lookups, Defaults, AllHooks, E, R> & { readonly name: string }
): Effect.Effect<
  Registry<
    Item,
    Lookups,
    PopulationFailure<Defaults, Hooks.ErrorOf<AllHooks> | NoInfer<E>, "fail"> | RegistryUnavailable,
    Hooks.ErrorOf<AllHooks> | NoInfer<E>
  >,
  never,
  Scope.Scope | RegistryLog | ServicesOf<Defaults> | Hooks.ServicesOf<AllHooks> | NoInfer<R>
> => making(options)

/**
 * A shared registry as a service, with layers alone: see {@link Service}.
 *
 * **Example** (A service whose operations are those of `Registry`)
 *
 * ```ts
 * import { Effect, Layer, Schema } from "effect"
 * import { Registry } from "effect-registry"
 * import { RegistryLog, SharedRegistry } from "effect-registry/shared"
 *
 * class Tools extends SharedRegistry.Tag<Tools, string>()("app/Tools", {
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "forever",
 *   defaults: ["search"]
 * }) {}
 *
 * const program = Registry.values(Tools).pipe(
 *   Effect.provide(Tools.layer.pipe(Layer.provide(RegistryLog.layerMemory)))
 * )
 *
 * await Effect.runPromise(program) // => ["search"]
 * ```
 *
 * @category services
 * @since 0.2.0
 */
export const Tag = <Self, Item>() =>
<
  const Id extends string,
  const Lookups extends Lookup.Input<Item>,
  const AllHooks extends Hooks.Input<Item, unknown, unknown> & Hooks.NoExcess<AllHooks>,
  Defaults extends Populate.Defaults<Item, any, any> = never,
  E = never,
  R = never
>(
  id: Id,
  definition: SharedOptions<Item, Lookups, Defaults, AllHooks, E, R>
): SharedTagClass<
  Self,
  Id,
  Item,
  Lookups,
  PopulationFailure<Defaults, Hooks.ErrorOf<AllHooks> | NoInfer<E>, "fail"> | RegistryUnavailable,
  Hooks.ErrorOf<AllHooks> | NoInfer<E>,
  ServicesOf<Defaults> | Exclude<Hooks.ServicesOf<AllHooks> | NoInfer<R>, Scope.Scope>
> => shared(Local.Tag<Self, Item>()(id, definition), id, definition) as any

/**
 * A shared registry as a service, with layers and operations as statics. `layerPopulated` joins and populates while it is
 * built: that is what most programs want. A shared registry cannot be loaded late.
 *
 * **Example** (The error of a log in the type of each operation)
 *
 * ```ts
 * import { Effect, Layer, Schema } from "effect"
 * import { RegistryLog, SharedRegistry } from "effect-registry/shared"
 *
 * class Tools extends SharedRegistry.Service<Tools, string>()("app/Tools", {
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "cluster"
 * }) {}
 *
 * const program = Tools.register("search").pipe(
 *   Effect.catchTag("RegistryUnavailable", (error) => Effect.logWarning(error.message)),
 *   Effect.andThen(Tools.size),
 *   Effect.provide(Tools.layerPopulated.pipe(Layer.provide(RegistryLog.layerMemory)))
 * )
 *
 * await Effect.runPromise(program) // => 1
 * ```
 *
 * @category services
 * @since 0.2.0
 */
export const Service = <Self, Item>() =>
<
  const Id extends string,
  const Lookups extends Lookup.Input<Item>,
  const AllHooks extends Hooks.Input<Item, unknown, unknown> & Hooks.NoExcess<AllHooks>,
  Defaults extends Populate.Defaults<Item, any, any> = never,
  E = never,
  R = never
>(
  id: Id,
  definition: SharedOptions<Item, Lookups, Defaults, AllHooks, E, R>
): SharedClass<
  Self,
  Id,
  Item,
  Lookups,
  PopulationFailure<Defaults, Hooks.ErrorOf<AllHooks> | NoInfer<E>, "fail"> | RegistryUnavailable,
  Hooks.ErrorOf<AllHooks> | NoInfer<E>,
  ServicesOf<Defaults> | Exclude<Hooks.ServicesOf<AllHooks> | NoInfer<R>, Scope.Scope>
> => {
  const service = shared(Local.Service<Self, Item>()(id, definition), id, definition)
  return Object.assign(service, { sync: sync(service), position: position(service), status: status(service) }) as any
}

/** With the layers of a shared registry. */
const shared = <Tag extends TagClass<any, any, any, any, any, any, any, any>>(
  tag: Tag,
  id: string,
  definition: Definition<any>
): Tag => {
  const made = counted(making<any, any, any, any, any>({ ...definition, name: id }))
  const notLate = Effect.die(
    new Error(`The shared registry ${show(id)} cannot be loaded late: provide its layer, and load its defaults late.`)
  )
  const layer = Layer.effect(
    tag,
    Effect.flatMap(Existing, (existing) => existing(tag) === undefined ? made : notLate)
  )
  const populating = Layer.effectDiscard(tag.use((registry) => coreOf(registry).tryPopulate))
  return Object.assign(tag, {
    layer,
    layerPopulated: Layer.provideMerge(populating, layer),
    layerLazy: () => Layer.effect(tag, notLate)
  })
}

const replicaOf = (core: Core<any, any, any>): Replica<any> => {
  const replica = replicas.get(core)
  if (replica === undefined) throw new TypeError(`The registry ${show(core.definition.name)} is not shared.`)
  return replica
}

/**
 * Waits until this process has seen all that was written, in any process, before this began. It dies in a transaction of
 * the registry, which it would wait for. Interrupting it disturbs nobody else.
 *
 * **Example** (After another process said by other means that it has registered something)
 *
 * ```ts
 * import { Effect, Layer, Schema } from "effect"
 * import { RegistryLog, SharedRegistry } from "effect-registry/shared"
 *
 * class Tools extends SharedRegistry.Service<Tools, string>()("app/Tools", {
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "cluster"
 * }) {}
 *
 * const program = Effect.andThen(Tools.sync, Tools.size).pipe(
 *   Effect.provide(Tools.layer.pipe(Layer.provide(RegistryLog.layerMemory)))
 * )
 *
 * await Effect.runPromise(program) // => 0
 * ```
 *
 * @category sharing
 * @since 0.2.0
 */
export const sync = <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
): Effect.Effect<void, RegistryUnavailable, R> =>
  Effect.contextWith((context: Context.Context<R>) => {
    const core = resolve(self, context)
    const transaction = current(core, context)
    return transaction === undefined ? replicaOf(core).sync : Effect.die(waitsForItself(transaction, "sync"))
  })

/**
 * The revision that is published here, and its record: where `Registry.subscribe` can go on, in any process. After a log was
 * set back it is known not to be there, and the subscriber fails with `RegistryLagged` instead of missing changes.
 *
 * **Example** (Going on in another process)
 *
 * ```ts
 * import { Effect, Schema, Stream } from "effect"
 * import { Registry } from "effect-registry"
 * import { RegistryLog, SharedRegistry } from "effect-registry/shared"
 *
 * const joining = SharedRegistry.make<string>()({
 *   name: "tools",
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "cluster"
 * })
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const one = yield* joining
 *   yield* Registry.register(one, "search")
 *   const since = yield* SharedRegistry.position(one)
 *   yield* Registry.register(one, "fetch")
 *   const two = yield* joining
 *   const { changes } = yield* Registry.subscribe(two, { since })
 *   const [change] = yield* Stream.runCollect(Stream.take(changes, 1))
 *   return change?.events.map((event) => event._tag)
 * }))
 *
 * await Effect.runPromise(Effect.provide(program, RegistryLog.layerMemory)) // => ["Registered"]
 * ```
 *
 * @category sharing
 * @since 0.2.0
 */
export const position = <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
): Effect.Effect<Local.Since, never, R> =>
  Effect.contextWith((context: Context.Context<R>) => Effect.succeed(replicaOf(resolve(self, context)).position))

/**
 * Removes what the log has of a registry, by its name or its service: for good, and for all processes. One that still uses it
 * begins a new log, with what its open scopes hold.
 *
 * **Example** (Without what a test has left)
 *
 * ```ts
 * import { Effect, Schema } from "effect"
 * import { RegistryLog, SharedRegistry } from "effect-registry/shared"
 *
 * class Tools extends SharedRegistry.Service<Tools, string>()("app/Tools", {
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "forever"
 * }) {}
 *
 * const session = <A, E>(effect: Effect.Effect<A, E, Tools>) => Effect.provide(effect, Tools.layer, { local: true })
 *
 * const program = Effect.gen(function*() {
 *   yield* session(Tools.register("search"))
 *   yield* SharedRegistry.drop(Tools)
 *   return yield* session(Tools.size)
 * })
 *
 * await Effect.runPromise(Effect.provide(program, RegistryLog.layerMemory)) // => 0
 * ```
 *
 * @category sharing
 * @since 0.2.0
 */
export const drop = (
  registry: string | Context.Key<any, Registry<any, any, any, any>>
): Effect.Effect<void, RegistryUnavailable, RegistryLog> => {
  const name = typeof registry === "string" ? registry : registry.key
  return RegistryLog.use((log) =>
    Effect.mapError(
      log.drop(name),
      ({ cause }) => failure({ name, messages: {} }, RegistryUnavailable, { code: "store", operation: "drop", cause })
    )
  )
}

/**
 * How a shared registry stands with its log. It never waits.
 *
 * **Example** (For a health check)
 *
 * ```ts
 * import { Effect, Layer, Schema } from "effect"
 * import { RegistryLog, SharedRegistry } from "effect-registry/shared"
 *
 * class Tools extends SharedRegistry.Service<Tools, string>()("app/Tools", {
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "cluster"
 * }) {}
 *
 * const program = Effect.map(Tools.status, ({ engine, session, unreadable }) => [engine, session.state, unreadable]).pipe(
 *   Effect.provide(Tools.layerPopulated.pipe(Layer.provide(RegistryLog.layerMemory)))
 * )
 *
 * await Effect.runPromise(program) // => ["memory", "live", 0]
 * ```
 *
 * @category sharing
 * @since 0.2.0
 */
export const status = <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
): Effect.Effect<SharedStatus, never, R> =>
  Effect.contextWith((context: Context.Context<R>) => {
    const core = resolve(self, context)
    const { state } = replicaOf(core)
    const { contact, cursor, mirror, readOnly, session, sessionId } = state
    return Effect.succeed({
      revision: core.published.ref.current.revision,
      head: cursor.revision,
      lastContact: contact.last === undefined ? undefined : DateTime.makeUnsafe(contact.last),
      session: { id: sessionId, state: session },
      readOnly: readOnly && state.unavailable("read_only", "a change", { cause: readOnly }),
      unreadable: mirror.unreadable.size,
      engine: contact.log.name
    })
  })
