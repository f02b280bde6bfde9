/**
 * Registries: sets of unique things that are found by several attributes, fill themselves on first use, take additions
 * and withdrawals at run time, call hooks around every change, and stay right under any interleaving of fibers.
 *
 * **Reading** takes no lock. It answers from one consistent snapshot: what is published, or, inside a transaction of the
 * registry, its draft. **Changing** is a transaction: it takes the registry's lock, works on a draft, calls the hooks,
 * and publishes the draft in one step, or leaves no trace. Inside a transaction (in a hook, in its children, in a
 * `transact` body) an operation joins it. Either populates a registry that is `Pending` first.
 *
 * A registry is not a cache (nothing is evicted), not a dependency-injection container (Effect has `Layer`), and not a
 * database.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Pipeable from "effect/Pipeable"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Types from "effect/Types"
import * as Contents from "./internal/contents.ts"
import { CurrentTransaction, withoutTransactions } from "./internal/current.ts"
import * as Definition from "./internal/definition.ts"
import * as Hooks from "./internal/hooks.ts"
import * as Operations from "./internal/operations.ts"
import * as Population from "./internal/population.ts"
import * as Transaction from "./internal/transaction.ts"
import type * as Lookup from "./Lookup.ts"
import type * as RegistryError from "./RegistryError.ts"
import type { RegistrySnapshot } from "./RegistrySnapshot.ts"

const TypeId = "~effect-registry/Registry"

// ---------------------------------------------------------------------------------------------------------------------
// Models
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A set of unique items. `P` is the error of its population, `V` what the hooks of its definition refuse items with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Registry<in out Item, in out Lookups, out P = never, out V = never>
  extends Pipeable.Pipeable, Inspectable.Inspectable
{
  readonly [TypeId]: {
    readonly _Item: Types.Invariant<Item>
    readonly _Lookups: Types.Invariant<Lookups>
    readonly _P: Types.Covariant<P>
    readonly _V: Types.Covariant<V>
  }
  /** The name that its errors, logs and spans carry. */
  readonly name: string
}

/**
 * `Pending`: empty, the next use populates it. `Populating`: the defaults are on their way in, and nobody outside sees
 * any of them yet. `Ready`: it answers.
 *
 * @category models
 * @since 0.1.0
 */
export type RegistryState = "Pending" | "Populating" | "Ready"

/**
 * What a registry is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<Item, Lookups, Defaults, HookError, HookServices, Failure> {
  /** How items are found: lookups by name, or a list of property names, short for unique lookups. */
  readonly lookup: Lookups
  /** Items are validated by its type side. It never transforms them. */
  readonly schema?: Schema.Schema<Item> | undefined
  /** What the registry holds after population: an iterable of items, an effect of one, or a stream of items. */
  readonly defaults?: Defaults | undefined
  /** Hooks that are installed as long as the registry lives. */
  readonly hooks?: Hooks.Input<Item, HookError, HookServices> | undefined
  /** Texts that replace the messages of errors, by code. */
  readonly messages?: RegistryError.Messages | undefined
  /** Whether a failed population is an error of every operation (the default), or a defect. */
  readonly populationFailure?: Failure | undefined
  /** How many changes a subscriber may be behind. Defaults to 256. */
  readonly history?: number | undefined
}

/**
 * The error of the population of a registry with these options.
 *
 * @category models
 * @since 0.1.0
 */
export type PopulationFailure<Defaults, HookError, Failure> = [Defaults] extends [never] ? never
  : Failure extends "die" ? never
  : RegistryError.PopulationError<ErrorOf<Defaults> | RegistryError.RegistrationFailure | HookError>

type ErrorOf<Defaults> = Defaults extends Stream.Stream<any, infer E, any> ? E
  : Defaults extends Effect.Effect<any, infer E, any> ? E
  : never

/**
 * The services that the defaults of a registry need, without the scope that it gives them.
 *
 * @category models
 * @since 0.1.0
 */
export type ServicesOf<Defaults> = Defaults extends Stream.Stream<any, any, infer R> ? Exclude<R, Scope.Scope>
  : Defaults extends Effect.Effect<any, any, infer R> ? Exclude<R, Scope.Scope>
  : never

type UniqueKeys<Item, Lookups> = Lookup.UniqueKeys<Item, Lookups>
type Keys<Item, Lookups> = Lookup.Keys<Item, Lookups>

/** In data-last form the registry comes after the attribute and the value: it is checked against them. */
type Fits<AllKeys, Attribute, Key> = Attribute extends keyof AllKeys ? Key extends AllKeys[Attribute] ? unknown : never
  : never

// ---------------------------------------------------------------------------------------------------------------------
// Making
// ---------------------------------------------------------------------------------------------------------------------

class RegistryImpl<Item> extends Pipeable.Class implements Registry<Item, any, any, any> {
  readonly [TypeId] = variance
  readonly core: Transaction.Core<Item, any, any>

  constructor(core: Transaction.Core<Item, any, any>) {
    super()
    this.core = core
  }
  get name(): string {
    return this.core.definition.name
  }
  toJSON(): unknown {
    const contents = Ref.getUnsafe(this.core.published)
    return {
      _id: "Registry",
      name: this.name,
      state: stateOf(this.core),
      revision: contents.revision,
      size: contents.size
    }
  }
  override toString(): string {
    return JSON.stringify(this.toJSON(), undefined, 2)
  }
  [Inspectable.NodeInspectSymbol](): unknown {
    return this.toJSON()
  }
}

const variance: Registry<any, any, any, any>[typeof TypeId] = {
  _Item: (_) => _,
  _Lookups: (_) => _,
  _P: (_) => _,
  _V: (_) => _
}

/** Every registry is a `RegistryImpl`; the interface shows users its types alone. */
const coreOf = <Item, L, P, V>(registry: Registry<Item, L, P, V>): Transaction.Core<Item, P, V> =>
  (registry as unknown as RegistryImpl<Item>).core

/**
 * Whether a value is a `Registry`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRegistry = (u: unknown): u is Registry<any, any, any, any> => Predicate.hasProperty(u, TypeId)

/**
 * Makes a registry that lives as long as the scope. Its defaults and hooks run with the services of now.
 *
 * A definition that makes no sense (a lookup named twice or with an empty name, defaults that are no iterable, effect or
 * stream) dies with a message that says so. When the scope closes no hook is called; from then on every operation is
 * interrupted.
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
  Defaults extends Population.Defaults<Item, any, any> = never,
  HookError = never,
  HookServices = never,
  Failure extends "fail" | "die" = "fail"
>(
  options: Options<Item, Lookups, Defaults, HookError, HookServices, Failure> & { readonly name?: string | undefined }
): Effect.Effect<
  Registry<Item, Lookups, PopulationFailure<Defaults, HookError, Failure>, HookError>,
  never,
  Scope.Scope | ServicesOf<Defaults> | HookServices
> =>
  Effect.gen(function*() {
    type P = PopulationFailure<Defaults, HookError, Failure>
    const name = options.name ?? "registry"
    const context = withoutTransactions(yield* Effect.context<Scope.Scope | ServicesOf<Defaults> | HookServices>())
    const scope = Context.get(context, Scope.Scope)
    const definition = Definition.make<Item>({
      name,
      lookup: options.lookup,
      validate: options.schema === undefined ? undefined : validator(options.schema),
      messages: options.messages ?? {}
    })
    const history = options.history ?? 256
    if (!Number.isInteger(history) || history < 0) {
      throw new Error(`The registry "${name}" has a history of ${history} changes: it takes a whole number, 0 or more.`)
    }
    const core: Transaction.Core<Item, P, HookError> = {
      definition,
      published: yield* Ref.make(Contents.empty(definition)),
      lock: new Transaction.Lock(),
      hooks: options.hooks === undefined ? [] : Hooks.install(options.hooks, context),
      context,
      scope,
      closed: false,
      populate: Effect.suspend(() => populate),
      population: { holder: undefined },
      populationScope: undefined,
      changes: [],
      history
    }
    const failing = yield* Population.make(core, defaultsOf(name, options.defaults))
    // P is the error of a population that can fail, and never otherwise
    const populate = (options.populationFailure === "die" ? Effect.orDie(failing) : failing) as Effect.Effect<void, P>
    yield* Scope.addFinalizer(scope, Effect.sync(() => Transaction.close(core)))
    return new RegistryImpl<Item>(core)
  })

const validator = <Item>(schema: Schema.Schema<Item>): (item: Item) => string | undefined => {
  const decode = Schema.decodeUnknownResult(Schema.toType(schema as Schema.Codec<Item>))
  return (item) => {
    const decoded = decode(item)
    return Result.isFailure(decoded) ? decoded.failure.message : undefined
  }
}

const defaultsOf = <Item>(
  name: string,
  defaults: Population.Defaults<Item, any, any> | undefined
): Population.Defaults<Item, any, any> => {
  if (defaults === undefined) return []
  if (Stream.isStream(defaults) || Effect.isEffect(defaults) || Population.isIterable(defaults)) return defaults
  throw new Error(`The registry "${name}" has defaults that are no iterable of items, no effect of one, and no stream of items.`)
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading
// ---------------------------------------------------------------------------------------------------------------------

const getUntyped = <Item, P, V>(
  self: Registry<Item, any, P, V>,
  attribute: string,
  value: unknown
): Effect.Effect<Item, RegistryError.ItemLookupError | P> =>
  Transaction.read(coreOf(self), (contents) => {
    const located = Operations.locateBy<Item>(attribute, value)(contents)
    return Result.isSuccess(located) ? Exit.succeed(located.success.item) : Exit.fail(located.failure)
  })

export const get: {
  <const Attribute extends string, Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V> & Fits<UniqueKeys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<Item, RegistryError.ItemLookupError | P>
  <Item, Lookups, P, V, Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    self: Registry<Item, Lookups, P, V>,
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ): Effect.Effect<Item, RegistryError.ItemLookupError | P>
} = dual(3, getUntyped)

const getOptionUntyped = <Item, P, V>(
  self: Registry<Item, any, P, V>,
  attribute: string,
  value: unknown
): Effect.Effect<Option.Option<Item>, P> =>
  readLookup(self, attribute, value, true, (index) => {
    const entry = index.get(value)
    return entry === undefined ? Option.none() : Option.some(entry.item)
  })

export const getOption: {
  <const Attribute extends string, Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V> & Fits<UniqueKeys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<Option.Option<Item>, P>
  <Item, Lookups, P, V, Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    self: Registry<Item, Lookups, P, V>,
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ): Effect.Effect<Option.Option<Item>, P>
} = dual(3, getOptionUntyped)

const getAllUntyped = <Item, P, V>(
  self: Registry<Item, any, P, V>,
  attribute: string,
  value: unknown
): Effect.Effect<ReadonlyArray<Item>, P> =>
  readLookup(self, attribute, value, false, (index) => index.getAll(value))

export const getAll: {
  <const Attribute extends string, Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V> & Fits<Keys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<ReadonlyArray<Item>, P>
  <Item, Lookups, P, V, Attribute extends keyof Keys<Item, Lookups> & string>(
    self: Registry<Item, Lookups, P, V>,
    attribute: Attribute,
    value: Keys<Item, Lookups>[Attribute]
  ): Effect.Effect<ReadonlyArray<Item>, P>
} = dual(3, getAllUntyped)

const hasUntyped = <Item, P, V>(self: Registry<Item, any, P, V>, attribute: string, value: unknown): Effect.Effect<boolean, P> =>
  readLookup(self, attribute, value, false, (index) => index.has(value))

export const has: {
  <const Attribute extends string, Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V> & Fits<Keys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<boolean, P>
  <Item, Lookups, P, V, Attribute extends keyof Keys<Item, Lookups> & string>(
    self: Registry<Item, Lookups, P, V>,
    attribute: Attribute,
    value: Keys<Item, Lookups>[Attribute]
  ): Effect.Effect<boolean, P>
} = dual(3, hasUntyped)

/** An attribute that cannot answer is a compile error, and in untyped code a defect: no error is in the type. */
const readLookup = <Item, P, V, A>(
  self: Registry<Item, any, P, V>,
  attribute: string,
  value: unknown,
  unique: boolean,
  answer: (index: Contents.Contents<Item>["indexes"][number]) => A
): Effect.Effect<A, P> =>
  Transaction.read(coreOf(self), (contents) => {
    const index = Operations.lookupIndex(contents.definition, attribute, unique)
    return index === undefined
      ? Exit.die(Operations.invalidAttribute(contents.definition, attribute, unique, value))
      : Exit.succeed(answer(contents.indexes[index]!))
  })

export const contains: {
  <Item>(item: Item): <Lookups, P, V>(self: Registry<Item, Lookups, P, V>) => Effect.Effect<boolean, P>
  <Item, Lookups, P, V>(self: Registry<Item, Lookups, P, V>, item: Item): Effect.Effect<boolean, P>
} = dual(
  2,
  <Item, Lookups, P, V>(self: Registry<Item, Lookups, P, V>, item: Item): Effect.Effect<boolean, P> =>
    Transaction.read(coreOf(self), (contents) => Exit.succeed(Contents.find(contents, item) !== undefined))
)

export const size = <Item, Lookups, P, V>(self: Registry<Item, Lookups, P, V>): Effect.Effect<number, P> =>
  Transaction.read(coreOf(self), (contents) => Exit.succeed(contents.size))

export const values = <Item, Lookups, P, V>(
  self: Registry<Item, Lookups, P, V>
): Effect.Effect<ReadonlyArray<Item>, P> =>
  Transaction.read(coreOf(self), (contents) => Exit.succeed(contents.values))

export const at: {
  (index: number): <Item, Lookups, P, V>(self: Registry<Item, Lookups, P, V>) => Effect.Effect<Option.Option<Item>, P>
  <Item, Lookups, P, V>(self: Registry<Item, Lookups, P, V>, index: number): Effect.Effect<Option.Option<Item>, P>
} = dual(
  2,
  <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>,
    index: number
  ): Effect.Effect<Option.Option<Item>, P> =>
    Transaction.read(coreOf(self), (contents) => {
      const entry = Contents.at(contents, index)
      return Exit.succeed(entry === undefined ? Option.none() : Option.some(entry.item))
    })
)

export const snapshot = <Item, Lookups, P, V>(
  self: Registry<Item, Lookups, P, V>
): Effect.Effect<RegistrySnapshot<Item, Lookups>, P> =>
  Transaction.read(coreOf(self), (contents) => Exit.succeed(snapshotOf(contents)))

export const snapshotUnsafe = <Item, Lookups, P, V>(
  self: Registry<Item, Lookups, P, V>
): RegistrySnapshot<Item, Lookups> => snapshotOf(Ref.getUnsafe(coreOf(self).published))

/** A snapshot shows users the types of the contents alone. */
const snapshotOf = <Item, Lookups>(contents: Contents.Contents<Item>): RegistrySnapshot<Item, Lookups> =>
  contents as unknown as RegistrySnapshot<Item, Lookups>

export const state = <Item, Lookups, P, V>(self: Registry<Item, Lookups, P, V>): Effect.Effect<RegistryState> =>
  Effect.withFiber((fiber) => {
    const core = coreOf(self)
    return Effect.succeed(stateOf(core, Transaction.current(core, fiber.context)))
  })

const stateOf = <Item, P, V>(
  core: Transaction.Core<Item, P, V>,
  transaction?: Transaction.Transaction<Item, P, V>
): RegistryState => {
  if (transaction === undefined) {
    if (Ref.getUnsafe(core.published).populated) return "Ready"
    return core.population.holder === undefined ? "Pending" : "Populating"
  }
  if (transaction.draft.populated) return "Ready"
  return transaction.populating ? "Populating" : "Pending"
}

export const populated = <Item, Lookups, P, V>(self: Registry<Item, Lookups, P, V>): Effect.Effect<boolean> =>
  Effect.map(state(self), (current) => current !== "Pending")

// ---------------------------------------------------------------------------------------------------------------------
// Changing
// ---------------------------------------------------------------------------------------------------------------------

type RegistrationFailure = RegistryError.RegistrationFailure
type ItemLookupError = RegistryError.ItemLookupError

export const register: {
  <Item>(item: Item): <Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>
  ) => Effect.Effect<void, RegistrationFailure | V | P>
  <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>,
    item: Item
  ): Effect.Effect<void, RegistrationFailure | V | P>
} = dual(
  2,
  <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>,
    item: Item
  ): Effect.Effect<void, RegistrationFailure | V | P> =>
    Effect.asVoid(Transaction.run(coreOf(self), Operations.register(item)))
)

export const registerAll: {
  <Item>(items: Iterable<Item>): <Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>
  ) => Effect.Effect<void, RegistrationFailure | V | P>
  <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>,
    items: Iterable<Item>
  ): Effect.Effect<void, RegistrationFailure | V | P>
} = dual(
  2,
  <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>,
    items: Iterable<Item>
  ): Effect.Effect<void, RegistrationFailure | V | P> =>
    Effect.suspend(() => Effect.asVoid(Transaction.run(coreOf(self), Operations.registerAll(Array.from(items)))))
)

export const upsert: {
  <Item>(item: Item): <Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>
  ) => Effect.Effect<void, RegistrationFailure | V | P>
  <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>,
    item: Item
  ): Effect.Effect<void, RegistrationFailure | V | P>
} = dual(
  2,
  <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>,
    item: Item
  ): Effect.Effect<void, RegistrationFailure | V | P> => Transaction.run(coreOf(self), Operations.upsert(item))
)

export const registerScoped: {
  <Item>(item: Item): <Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>
  ) => Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope>
  <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>,
    item: Item
  ): Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope>
} = dual(
  2,
  <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>,
    item: Item
  ): Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope> => registerAllScoped(self, [item])
)

export const registerAllScoped: {
  <Item>(items: Iterable<Item>): <Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>
  ) => Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope>
  <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>,
    items: Iterable<Item>
  ): Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope>
} = dual(
  2,
  <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>,
    items: Iterable<Item>
  ): Effect.Effect<void, RegistrationFailure | V | P, Scope.Scope> =>
    Effect.flatMap(Effect.scope, (scope) => {
      const core = coreOf(self)
      const operation = Operations.scoped(core, scope, Operations.registerAll(Array.from(items)))
      return Effect.asVoid(Transaction.run(core, operation))
    })
)

export const unregister: {
  <Item>(item: Item): <Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>
  ) => Effect.Effect<void, ItemLookupError | P>
  <Item, Lookups, P, V>(self: Registry<Item, Lookups, P, V>, item: Item): Effect.Effect<void, ItemLookupError | P>
} = dual(
  2,
  <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>,
    item: Item
  ): Effect.Effect<void, ItemLookupError | P> => Transaction.run(coreOf(self), Operations.unregister(item))
)

const unregisterByUntyped = <Item, P, V>(
  self: Registry<Item, any, P, V>,
  attribute: string,
  value: unknown
): Effect.Effect<void, ItemLookupError | P> =>
  Transaction.run(coreOf(self), Operations.unregisterBy(attribute, value))

export const unregisterBy: {
  <const Attribute extends string, Key>(attribute: Attribute, value: Key): <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V> & Fits<UniqueKeys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<void, ItemLookupError | P>
  <Item, Lookups, P, V, Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    self: Registry<Item, Lookups, P, V>,
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ): Effect.Effect<void, ItemLookupError | P>
} = dual(3, unregisterByUntyped)

const replaceUntyped = <Item, P, V>(
  self: Registry<Item, any, P, V>,
  attribute: string,
  value: unknown,
  item: Item
): Effect.Effect<void, RegistrationFailure | ItemLookupError | V | P> =>
  Transaction.run(coreOf(self), Operations.replace(attribute, value, item))

export const replace: {
  <const Attribute extends string, Key, Item>(attribute: Attribute, value: Key, item: Item): <Lookups, P, V>(
    self: Registry<Item, Lookups, P, V> & Fits<UniqueKeys<Item, Lookups>, Attribute, Key>
  ) => Effect.Effect<void, RegistrationFailure | ItemLookupError | V | P>
  <Item, Lookups, P, V, Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    self: Registry<Item, Lookups, P, V>,
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute],
    item: Item
  ): Effect.Effect<void, RegistrationFailure | ItemLookupError | V | P>
} = dual(4, replaceUntyped)

export const transact: {
  <A, E, R>(effect: Effect.Effect<A, E, R>): <Item, Lookups, P, V>(
    self: Registry<Item, Lookups, P, V>
  ) => Effect.Effect<A, E | P, R>
  <Item, Lookups, P, V, A, E, R>(
    self: Registry<Item, Lookups, P, V>,
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | P, R>
} = dual(
  2,
  <Item, Lookups, P, V, A, E, R>(
    self: Registry<Item, Lookups, P, V>,
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | P, R> =>
    Transaction.run(coreOf(self), { name: "transact", body: () => effect, undone: () => effect })
)

export const detached = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, CurrentTransaction, undefined)

export const populate = <Item, Lookups, P, V>(self: Registry<Item, Lookups, P, V>): Effect.Effect<void, P> =>
  coreOf(self).populate

export const reset = <Item, Lookups, P, V>(self: Registry<Item, Lookups, P, V>): Effect.Effect<void> =>
  Operations.reset(coreOf(self))

// ---------------------------------------------------------------------------------------------------------------------
// Hooks
// ---------------------------------------------------------------------------------------------------------------------

export const addHooks: {
  <Item, R = never>(
    hooks: Hooks.Input<Item, RegistryError.RegistrationError, R>,
    options?: { readonly existing?: boolean | undefined }
  ): <Lookups, P, V>(self: Registry<Item, Lookups, P, V>) => Effect.Effect<void, never, Scope.Scope | R>
  <Item, Lookups, P, V, R = never>(
    self: Registry<Item, Lookups, P, V>,
    hooks: Hooks.Input<Item, RegistryError.RegistrationError, R>,
    options?: { readonly existing?: boolean | undefined }
  ): Effect.Effect<void, never, Scope.Scope | R>
} = dual(
  (args) => isRegistry(args[0]),
  <Item, Lookups, P, V, R>(
    self: Registry<Item, Lookups, P, V>,
    hooks: Hooks.Input<Item, RegistryError.RegistrationError, R>,
    options?: { readonly existing?: boolean | undefined }
  ): Effect.Effect<void, never, Scope.Scope | R> =>
    Effect.contextWith((context: Context.Context<Scope.Scope | R>) => {
      // what they refuse items with is in the type of `register` whatever V is
      const core = coreOf(self) as Transaction.Core<Item, P, V | RegistryError.RegistrationError>
      const parts = Hooks.install(hooks, withoutTransactions(context))
      const scope = Context.get(context, Scope.Scope)
      if (options?.existing !== true) return Operations.install(core, scope, parts)
      if (Transaction.current(core, context) === undefined) return Operations.installAndTell(core, scope, parts)
      return Effect.die(
        new Error(
          `Could not add hooks with "existing" to "${self.name}": this is in a transaction of it, which may still fail. Add them outside.`
        )
      )
    })
)

// ---------------------------------------------------------------------------------------------------------------------
// Service
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A registry as a service class: layers and operations are its statics.
 *
 * @category services
 * @since 0.1.0
 */
export interface ServiceClass<Self, Id extends string, Item, Lookups, P, V, R>
  extends Context.ServiceClass<Self, Id, Registry<Item, Lookups, P, V>>
{
  readonly layer: Layer.Layer<Self, never, R>
  readonly layerPopulated: Layer.Layer<Self, P, R>
  readonly items: (items: Iterable<Item>) => Layer.Layer<never, RegistrationFailure | V | P, Self>
  readonly get: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ) => Effect.Effect<Item, ItemLookupError | P, Self>
  readonly getOption: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ) => Effect.Effect<Option.Option<Item>, P, Self>
  readonly getAll: <Attribute extends keyof Keys<Item, Lookups> & string>(
    attribute: Attribute,
    value: Keys<Item, Lookups>[Attribute]
  ) => Effect.Effect<ReadonlyArray<Item>, P, Self>
  readonly has: <Attribute extends keyof Keys<Item, Lookups> & string>(
    attribute: Attribute,
    value: Keys<Item, Lookups>[Attribute]
  ) => Effect.Effect<boolean, P, Self>
  readonly contains: (item: Item) => Effect.Effect<boolean, P, Self>
  readonly size: Effect.Effect<number, P, Self>
  readonly values: Effect.Effect<ReadonlyArray<Item>, P, Self>
  readonly at: (index: number) => Effect.Effect<Option.Option<Item>, P, Self>
  readonly snapshot: Effect.Effect<RegistrySnapshot<Item, Lookups>, P, Self>
  readonly state: Effect.Effect<RegistryState, never, Self>
  readonly populated: Effect.Effect<boolean, never, Self>
  readonly register: (item: Item) => Effect.Effect<void, RegistrationFailure | V | P, Self>
  readonly registerAll: (items: Iterable<Item>) => Effect.Effect<void, RegistrationFailure | V | P, Self>
  readonly upsert: (item: Item) => Effect.Effect<void, RegistrationFailure | V | P, Self>
  readonly registerScoped: (item: Item) => Effect.Effect<void, RegistrationFailure | V | P, Self | Scope.Scope>
  readonly registerAllScoped: (
    items: Iterable<Item>
  ) => Effect.Effect<void, RegistrationFailure | V | P, Self | Scope.Scope>
  readonly unregister: (item: Item) => Effect.Effect<void, ItemLookupError | P, Self>
  readonly unregisterBy: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ) => Effect.Effect<void, ItemLookupError | P, Self>
  readonly replace: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute],
    item: Item
  ) => Effect.Effect<void, RegistrationFailure | ItemLookupError | V | P, Self>
  readonly transact: <A, E, R2>(effect: Effect.Effect<A, E, R2>) => Effect.Effect<A, E | P, Self | R2>
  readonly populate: Effect.Effect<void, P, Self>
  readonly reset: Effect.Effect<void, never, Self>
  readonly addHooks: <R2 = never>(
    hooks: Hooks.Input<Item, RegistryError.RegistrationError, R2>,
    options?: { readonly existing?: boolean | undefined }
  ) => Effect.Effect<void, never, Self | Scope.Scope | R2>
}

export const Service = <Self, Item>() =>
<
  const Id extends string,
  const Lookups extends Lookup.Input<Item>,
  Defaults extends Population.Defaults<Item, any, any> = never,
  HookError = never,
  HookServices = never,
  Failure extends "fail" | "die" = "fail"
>(
  id: Id,
  options: Options<Item, Lookups, Defaults, HookError, HookServices, Failure>
): ServiceClass<
  Self,
  Id,
  Item,
  Lookups,
  PopulationFailure<Defaults, HookError, Failure>,
  HookError,
  ServicesOf<Defaults> | Exclude<HookServices, Scope.Scope>
> => {
  type P = PopulationFailure<Defaults, HookError, Failure>
  type Shape = Registry<Item, Lookups, P, HookError>
  const Tag = Context.Service<Self, Shape>()(id)
  const layer = Layer.effect(Tag, make<Item>()({ ...options, name: id }))
  const statics = {
    layer,
    layerPopulated: Layer.effectDiscard(Tag.use(populate)).pipe(Layer.provideMerge(layer)),
    items: (items: Iterable<Item>) => Layer.effectDiscard(Tag.use(registerAllScoped(items))),
    get: (attribute: string, value: unknown) => Tag.use((self) => getUntyped(self, attribute, value)),
    getOption: (attribute: string, value: unknown) => Tag.use((self) => getOptionUntyped(self, attribute, value)),
    getAll: (attribute: string, value: unknown) => Tag.use((self) => getAllUntyped(self, attribute, value)),
    has: (attribute: string, value: unknown) => Tag.use((self) => hasUntyped(self, attribute, value)),
    contains: (item: Item) => Tag.use(contains(item)),
    size: Tag.use(size),
    values: Tag.use(values),
    at: (index: number) => Tag.use(at(index)),
    snapshot: Tag.use(snapshot),
    state: Tag.use(state),
    populated: Tag.use(populated),
    register: (item: Item) => Tag.use(register(item)),
    registerAll: (items: Iterable<Item>) => Tag.use(registerAll(items)),
    upsert: (item: Item) => Tag.use(upsert(item)),
    registerScoped: (item: Item) => Tag.use(registerScoped(item)),
    registerAllScoped: (items: Iterable<Item>) => Tag.use(registerAllScoped(items)),
    unregister: (item: Item) => Tag.use(unregister(item)),
    unregisterBy: (attribute: string, value: unknown) => Tag.use((self) => unregisterByUntyped(self, attribute, value)),
    replace: (attribute: string, value: unknown, item: Item) =>
      Tag.use((self) => replaceUntyped(self, attribute, value, item)),
    transact: <A, E, R>(effect: Effect.Effect<A, E, R>) => Tag.use(transact(effect)),
    populate: Tag.use(populate),
    reset: Tag.use(reset),
    addHooks: <R>(
      hooks: Hooks.Input<Item, RegistryError.RegistrationError, R>,
      options?: { readonly existing?: boolean | undefined }
    ) => Tag.use((self) => addHooks(self, hooks, options))
  }
  return Object.assign(Tag, statics)
}
