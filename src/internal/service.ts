/** Registries as services: `Tag` has layers alone, `Service` has operations, too. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Lookup from "../Lookup.ts"
import type * as RegistryError from "../RegistryError.ts"
import type * as RegistryEvent from "../RegistryEvent.ts"
import { CopyKey, here, refuseForeign } from "./copy.ts"
import { coreOf } from "./coreOf.ts"
import { ofThisCopy } from "./engine/current.ts"
import type * as Hooks from "./engine/parts.ts"
import type { RegisteredEach } from "./features/leavingOut.ts"
import * as Live from "./features/live.ts"
import type { Position } from "./features/place.ts"
import type { Reconciled, ReconcileOptions } from "./features/reconcile.ts"
import type { DisabledRule } from "./features/switches.ts"
import type { Since } from "./features/watch.ts"
import * as Making from "./making.ts"
import type {
  AcquireFailureOf,
  DisabledInput,
  Explanation,
  Items,
  Options,
  PopulationFailure,
  Registry,
  RegistrySnapshot,
  RegistryState,
  ServicesOf,
  Subscription
} from "./model.ts"
import type * as Populate from "./operations/populate.ts"
import { show } from "./store/wording.ts"

type UniqueKeys<Item, Lookups> = Lookup.UniqueKeys<Item, Lookups>
type Keys<Item, Lookups> = Lookup.Keys<Item, Lookups>
type RegistrationFailure = RegistryError.RegistrationFailure
type ItemLookupError = RegistryError.ItemLookupError

/**
 * A registry as a service, with its layers: the class that `Registry.Tag` makes.
 *
 * @category services
 * @since 0.2.0
 */
export interface TagClass<Self, Id extends string, Item, Lookups, P, V, R, F = P>
  extends Context.ServiceClass<Self, Id, Registry<Item, Lookups, P, V>>
{
  /** Makes the registry; the first use populates it. */
  readonly layer: Layer.Layer<Self, never, R>
  /**
   * Makes the registry and populates it, so that a failing population is a failure of the layer, also where
   * `populationFailure` makes it a defect of operations.
   */
  readonly layerPopulated: Layer.Layer<Self, F, R>
}

/**
 * A registry as a service, with layers and operations as statics: the class that `Registry.Service` makes.
 *
 * @category services
 * @since 0.1.0
 */
export interface ServiceClass<Self, Id extends string, Item, Lookups, P, V, R, F = P>
  extends TagClass<Self, Id, Item, Lookups, P, V, R, F>
{
  /** Makes a registry whose layer is imported by the first use: see {@link layerLazy}. */
  readonly layerLazy: <E, R2>(load: () => PromiseLike<Layer.Layer<Self, E, R2>>) => Layer.Layer<Self, never, R2>
  /** Registers items, all or none, until the layer is closed. */
  readonly items: (items: Items<Item>) => Layer.Layer<never, RegistrationFailure | V | P, Self>
  /** Puts items above all others, all or none: see {@link override}. */
  readonly overrides: (items: Items<Item>) => Layer.Layer<never, RegistrationFailure | V | P, Self>
  /** Makes standing rules until the layer is closed: see {@link disabled}. */
  readonly disabled: (
    rules: ReadonlyArray<DisabledInput<Item, Lookups>>
  ) => Layer.Layer<never, Extract<P, RegistryError.RegistryUnavailable>, Self>
  /** The item that has a value of a unique lookup: see {@link get}. */
  readonly get: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ) => Effect.Effect<Item, ItemLookupError | P, Self>
  /** The item that has a value of a unique lookup, and what was acquired for it: see {@link lease}. */
  readonly lease: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ) => Effect.Effect<Item, ItemLookupError | P | AcquireFailureOf<P>, Self | Scope.Scope>
  /** The item that has a value of a unique lookup, if there is one: see {@link getOption}. */
  readonly getOption: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ) => Effect.Effect<Option.Option<Item>, P, Self>
  /** All items that have a value of a lookup, in registration order: see {@link getAll}. */
  readonly getAll: <Attribute extends keyof Keys<Item, Lookups> & string>(
    attribute: Attribute,
    value: Keys<Item, Lookups>[Attribute]
  ) => Effect.Effect<ReadonlyArray<Item>, P, Self>
  /** Whether an item has a value of a lookup: see {@link has}. */
  readonly has: <Attribute extends keyof Keys<Item, Lookups> & string>(
    attribute: Attribute,
    value: Keys<Item, Lookups>[Attribute]
  ) => Effect.Effect<boolean, P, Self>
  /** Whether an item is registered, or one that is the same: see {@link contains}. */
  readonly contains: (item: Item) => Effect.Effect<boolean, P, Self>
  /** How many items there are: see {@link size}. */
  readonly size: Effect.Effect<number, P, Self>
  /** All items, in registration order: see {@link values}. */
  readonly values: Effect.Effect<ReadonlyArray<Item>, P, Self>
  /** The item at an index; a negative one counts from the end: see {@link at}. */
  readonly at: (index: number) => Effect.Effect<Option.Option<Item>, P, Self>
  /** The contents of the registry, as a value: see {@link snapshot}. */
  readonly snapshot: Effect.Effect<RegistrySnapshot<Item, Lookups>, P, Self>
  /** `Pending`, `Populating` or `Ready`: see {@link state}. */
  readonly state: Effect.Effect<RegistryState, never, Self>
  /**
   * Whether the state is not `Pending`.
   *
   * @deprecated Use `state`.
   */
  readonly populated: Effect.Effect<boolean, never, Self>
  /** Adds an item after all others: see {@link register}. */
  readonly register: (item: Item) => Effect.Effect<void, RegistrationFailure | V | P, Self>
  /** Adds items, all of them or none: see {@link registerAll}. */
  readonly registerAll: (items: Items<Item>) => Effect.Effect<void, RegistrationFailure | V | P, Self>
  /** Adds items, each on its own, and answers which were refused: see {@link registerEach}. */
  readonly registerEach: (
    items: Items<Item>
  ) => Effect.Effect<RegisteredEach<Item, RegistrationFailure | V>, V | P, Self>
  /** Replaces the item with the same first unique value, or adds this one: see {@link upsert}. */
  readonly upsert: (item: Item) => Effect.Effect<void, RegistrationFailure | V | P, Self>
  /** Adds an item until the scope closes: see {@link registerScoped}. */
  readonly registerScoped: (item: Item) => Effect.Effect<void, RegistrationFailure | V | P, Self | Scope.Scope>
  /** Adds items, all or none, until the scope closes: see {@link registerAllScoped}. */
  readonly registerAllScoped: (
    items: Items<Item>
  ) => Effect.Effect<void, RegistrationFailure | V | P, Self | Scope.Scope>
  /** Upserts an item, and takes its registration over into the scope: see {@link upsertScoped}. */
  readonly upsertScoped: (item: Item) => Effect.Effect<void, RegistrationFailure | V | P, Self | Scope.Scope>
  /** Removes an item: see {@link unregister}. */
  readonly unregister: (item: Item) => Effect.Effect<void, ItemLookupError | P, Self>
  /** Removes the item that has a value of a unique lookup: see {@link unregisterBy}. */
  readonly unregisterBy: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ) => Effect.Effect<void, ItemLookupError | P, Self>
  /** Puts an item in the place of another: see {@link replace}. */
  readonly replace: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute],
    item: Item
  ) => Effect.Effect<void, RegistrationFailure | ItemLookupError | V | P, Self>
  /** Adds an item in a place among the others: see {@link insert}. */
  readonly insert: <
    Attribute extends keyof UniqueKeys<Item, Lookups> & string = keyof UniqueKeys<Item, Lookups> & string
  >(
    item: Item,
    position: Position<Attribute, UniqueKeys<Item, Lookups>[Attribute]>
  ) => Effect.Effect<void, RegistrationFailure | ItemLookupError | V | P, Self>
  /** Moves the item that has a value of a unique lookup: see {@link move}. */
  readonly move: <
    Attribute extends keyof UniqueKeys<Item, Lookups> & string,
    OtherAttribute extends keyof UniqueKeys<Item, Lookups> & string = keyof UniqueKeys<Item, Lookups> & string
  >(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute],
    position: Position<OtherAttribute, UniqueKeys<Item, Lookups>[OtherAttribute]>
  ) => Effect.Effect<void, ItemLookupError | P, Self>
  /** Makes the contents equal to a list of items, with the fewest changes: see {@link reconcile}. */
  readonly reconcile: (
    items: Items<Item>,
    options?: ReconcileOptions
  ) => Effect.Effect<Reconciled<Item>, RegistrationFailure | V | P, Self>
  /** Puts an item above all others until the scope closes: see {@link override}. */
  readonly override: (item: Item) => Effect.Effect<void, RegistrationFailure | V | P, Self | Scope.Scope>
  /** Makes a standing rule: items that have a value of a lookup are not found: see {@link disable}. */
  readonly disable: <Attribute extends keyof Keys<Item, Lookups> & string>(
    attribute: Attribute,
    value: Keys<Item, Lookups>[Attribute],
    options: { readonly reason: string }
  ) => Effect.Effect<void, Extract<P, RegistryError.RegistryUnavailable>, Self>
  /** Makes a standing rule until the scope closes: see {@link disableScoped}. */
  readonly disableScoped: <Attribute extends keyof Keys<Item, Lookups> & string>(
    attribute: Attribute,
    value: Keys<Item, Lookups>[Attribute],
    options: { readonly reason: string }
  ) => Effect.Effect<void, Extract<P, RegistryError.RegistryUnavailable>, Self | Scope.Scope>
  /** Ends every rule about a value: see {@link enable}. */
  readonly enable: <Attribute extends keyof Keys<Item, Lookups> & string>(
    attribute: Attribute,
    value: Keys<Item, Lookups>[Attribute]
  ) => Effect.Effect<void, RegistryError.RegistrationError | V | P, Self>
  /** The standing rules: see {@link rules}. */
  readonly rules: Effect.Effect<ReadonlyArray<DisabledRule<Item>>, never, Self>
  /** Removes all items of one owner: see {@link unregisterOwner}. */
  readonly unregisterOwner: (owner: string) => Effect.Effect<ReadonlyArray<Item>, P, Self>
  /** Runs an effect as one transaction of the registry: see {@link transact}. */
  readonly transact: <A, E, R2>(effect: Effect.Effect<A, E, R2>) => Effect.Effect<A, E | V | P, Self | R2>
  /** Fills the registry with its defaults: see {@link populate}. */
  readonly populate: Effect.Effect<void, P, Self>
  /** Runs the defaults again, and makes what population had put in equal to them: see {@link refresh}. */
  readonly refresh: Effect.Effect<void, P, Self>
  /** Unregisters all items; the next use populates again: see {@link reset}. */
  readonly reset: Effect.Effect<void, Extract<P, RegistryError.RegistryUnavailable>, Self>
  /** The changes from when the stream is run: see {@link changes}. */
  readonly changes: Stream.Stream<RegistryEvent.RegistryChange<Item, Lookups>, RegistryError.RegistryLagged, Self>
  /** The contents now, then the newest after each change: see {@link snapshots}. */
  readonly snapshots: Stream.Stream<RegistrySnapshot<Item, Lookups>, P, Self>
  /** A snapshot, and the changes after it: see {@link subscribe}. */
  readonly subscribe: (
    options?: { readonly since?: number | Since | undefined }
  ) => Effect.Effect<Subscription<Item, Lookups>, P, Self | Scope.Scope>
  /** The item that has a value of a unique lookup, as soon as there is one: see {@link awaitItem}. */
  readonly awaitItem: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ) => Effect.Effect<Item, P, Self>
  /** The item that has a value of a unique lookup now, if there is one, then each other answer: see {@link watchItem}. */
  readonly watchItem: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ) => Stream.Stream<Option.Option<Item>, P, Self>
  /** Why an item is there, or is not: see {@link explain}. */
  readonly explain: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ) => Effect.Effect<Explanation<Item>, never, Self>
  /** Installs hooks until the scope closes: see {@link addHooks}. */
  readonly addHooks: <const More extends Hooks.Input<Item, RegistryError.RegistrationError> & Hooks.NoExcess<More>>(
    hooks: More,
    options?: Hooks.Place & { readonly existing?: boolean | undefined }
  ) => Effect.Effect<void, Hooks.AddingFailure<More>, Self | Scope.Scope | Hooks.ServicesOf<More>>
}

/** The declaration of a service, under a name that no user sees. */
interface Declaration<Self, Item, Lookups, P, V> {
  readonly service: Context.Service<Self, Registry<Item, Lookups, P, V>>
  readonly options: Making.MakeOptions<Item>
}

const DeclarationKey: unique symbol = Symbol("effect-registry/Declaration")

export const declarationOf = <Self, Item, Lookups, P, V>(
  tag: Context.Key<Self, Registry<Item, Lookups, P, V>>
): Declaration<Self, Item, Lookups, P, V> => {
  const { [DeclarationKey]: declaration } = Object(tag) as {
    readonly [DeclarationKey]?: Declaration<Self, Item, Lookups, P, V>
  }
  if (declaration !== undefined) return declaration
  refuseForeign(tag)
  throw new TypeError(`${show(Context.isKey(tag) ? tag.key : tag)} is neither a Registry.Tag nor a Registry.Service.`)
}

/** The registry that the layer of a service provides instead of making one, where there is one. */
export const Existing = /*#__PURE__*/ ofThisCopy<Existing>("Existing", () => () => undefined)

export type Existing = <Self, Shape>(
  service: Context.Key<Self, Shape>
) => Effect.Effect<Shape, never, Scope.Scope> | undefined

/** Counts the living registries of a service. */
export const counted = <Shape extends { readonly name: string }, R>(
  making: Effect.Effect<Shape, never, R>
): Effect.Effect<Shape, never, R | Scope.Scope> => Effect.tap(making, ({ name }) => Live.count(name))

export const Tag = <Self, Item>() =>
<
  const Id extends string,
  const Lookups extends Lookup.Input<Item>,
  const AllHooks extends Hooks.Input<Item, unknown, unknown> & Hooks.NoExcess<AllHooks>,
  Defaults extends Populate.Defaults<Item, any, any> = never,
  Failure extends "fail" | "die" = "fail",
  E = never,
  R = never
>(
  id: Id,
  definition: Options<Item, Lookups, Defaults, AllHooks, Failure, E, R>
): TagClass<
  Self,
  Id,
  Item,
  Lookups,
  PopulationFailure<Defaults, Hooks.ErrorOf<AllHooks> | NoInfer<E>, Failure>,
  Hooks.ErrorOf<AllHooks> | NoInfer<E>,
  ServicesOf<Defaults> | Exclude<Hooks.ServicesOf<AllHooks> | NoInfer<R>, Scope.Scope>,
  PopulationFailure<Defaults, Hooks.ErrorOf<AllHooks> | NoInfer<E>, "fail">
> => {
  type V = Hooks.ErrorOf<AllHooks> | NoInfer<E>
  type P = PopulationFailure<Defaults, V, Failure>
  type Services = ServicesOf<Defaults> | Hooks.ServicesOf<AllHooks> | NoInfer<R>
  const service = Context.Service<Self, Registry<Item, Lookups, P, V>>()(id)
  const options = { ...definition, name: id }
  const making = counted(Making.make<Item, Lookups, P, V, Services>(options))
  const layer = Layer.effect(service, Effect.flatMap(Existing, (existing) => existing(service) ?? making))
  const populating = Layer.effectDiscard(service.use((registry) => coreOf(registry).tryPopulate))
  const declaration: Declaration<Self, Item, Lookups, P, V> = { service, options }
  return Object.assign(service, {
    layer,
    layerPopulated: Layer.provideMerge(populating, layer),
    [DeclarationKey]: declaration,
    [CopyKey]: here
  })
}

/** `Service` with statics: the `functions` without their first argument, and the answers of the `values`. */
export const serviceWith = (
  functions: { readonly [name: string]: (tag: any, x: any, y: any, z: any) => unknown },
  values: { readonly [name: string]: (tag: any) => unknown }
) =>
<Self, Item>() =>
<
  const Id extends string,
  const Lookups extends Lookup.Input<Item>,
  const AllHooks extends Hooks.Input<Item, unknown, unknown> & Hooks.NoExcess<AllHooks>,
  Defaults extends Populate.Defaults<Item, any, any> = never,
  Failure extends "fail" | "die" = "fail",
  E = never,
  R = never
>(
  id: Id,
  definition: Options<Item, Lookups, Defaults, AllHooks, Failure, E, R>
): ServiceClass<
  Self,
  Id,
  Item,
  Lookups,
  PopulationFailure<Defaults, Hooks.ErrorOf<AllHooks> | NoInfer<E>, Failure>,
  Hooks.ErrorOf<AllHooks> | NoInfer<E>,
  ServicesOf<Defaults> | Exclude<Hooks.ServicesOf<AllHooks> | NoInfer<R>, Scope.Scope>,
  PopulationFailure<Defaults, Hooks.ErrorOf<AllHooks> | NoInfer<E>, "fail">
> => {
  const tag = Tag<Self, Item>()(id, definition)
  const statics: { [name: string]: unknown } = {}
  for (const [name, f] of Object.entries(functions)) {
    statics[name] = (x: unknown, y: unknown, z: unknown) => f(tag, x, y, z)
  }
  for (const [name, f] of Object.entries(values)) statics[name] = f(tag)
  // the operations are those of the interface, by the same names
  return Object.assign(tag, statics) as any
}
