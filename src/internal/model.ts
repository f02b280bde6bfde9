/**
 * What users see of a registry and of a snapshot. They are types alone, so that modules may use them that each other's
 * code needs.
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Inspectable from "effect/Inspectable"
import type * as Pipeable from "effect/Pipeable"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Types from "effect/Types"
import type * as RegistryError from "../RegistryError.ts"
import type * as RegistryEvent from "../RegistryEvent.ts"

declare const SnapshotTypeId: unique symbol

/**
 * A set of unique items. `P` is the error of its population, `V` what the hooks of its definition refuse items with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Registry<in out Item, in out Lookups, out P = never, out V = never>
  extends Pipeable.Pipeable, Inspectable.Inspectable
{
  readonly "~effect-registry/Registry": {
    readonly _Item: Types.Invariant<Item>
    readonly _Lookups: Types.Invariant<Lookups>
    readonly _P: Types.Covariant<P>
    readonly _V: Types.Covariant<V>
    readonly _R: Types.Covariant<never>
  }
  /** The name that its errors, logs and spans carry. */
  readonly name: string
}

/**
 * A registry, or a service that is one: a `Registry.Tag`, a `Registry.Service`, or any other key. An operation on a
 * service needs it, `R`.
 *
 * @category models
 * @since 0.2.0
 */
export type RegistryOrService<Item, Lookups, P, V, R = never> =
  | Registry<Item, Lookups, P, V> & Needs<R>
  | Context.Key<R, Registry<Item, Lookups, P, V>>

/**
 * What an operation on a registry needs: nothing. From this R is inferred to be `never`; without it, R would become what is
 * expected of the result.
 */
interface Needs<out R> {
  readonly "~effect-registry/Registry": { readonly _R: Types.Covariant<R> }
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
export interface Options<Item, Lookups, Defaults, AllHooks, Failure> {
  /** How items are found: lookups by name, or a list of property names, short for unique lookups. */
  readonly lookup: Lookups
  /** Items are validated by its type side. It never transforms them. */
  readonly schema?: Schema.Schema<Item> | undefined
  /**
   * What the registry holds after population: an iterable of items, an effect of one, or a stream of items. Each population
   * reads it anew, so what can be read only once, such as a generator object, belongs into an effect that makes it.
   */
  readonly defaults?: Defaults | List<Item> | undefined
  /** Hooks that are installed as long as the registry lives. */
  readonly hooks?: AllHooks | undefined
  /** Texts that replace the messages of errors, by code. */
  readonly messages?: RegistryError.Messages | undefined
  /** Whether a failed population is an error of every operation (the default), or a defect. */
  readonly populationFailure?: Failure | undefined
  /** How many changes a subscriber may be behind. Defaults to 256. */
  readonly history?: number | undefined
}

/**
 * Says of which type the items of a list are while `Defaults` is inferred. A `ReadonlyArray` would not do: a list that is one
 * already would be inferred as this, and not as `Defaults`.
 */
interface List<out Item> extends ReadonlyArray<Item> {}

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

/**
 * What a registry held at one revision.
 *
 * @category models
 * @since 0.1.0
 */
export interface RegistrySnapshot<out Item, in out Lookups>
  extends Iterable<Item>, Pipeable.Pipeable, Inspectable.Inspectable
{
  readonly [SnapshotTypeId]: { readonly _Lookups: Types.Invariant<Lookups> }
}

/**
 * What a registry holds, and the changes after that.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subscription<out Item, in out Lookups> {
  readonly snapshot: RegistrySnapshot<Item, Lookups>
  readonly changes: Stream.Stream<RegistryEvent.RegistryChange<Item>, RegistryError.RegistryLagged>
}

/** See `Registry.Explanation`. */
export type Explanation<Item> = Data.TaggedEnum<{
  readonly Present: {
    readonly item: Item
    readonly owner: string
    readonly revision: number
    readonly hides: ReadonlyArray<Item>
  }
  readonly Hidden: { readonly item: Item; readonly by: Item }
  readonly Absent: { readonly suggestions: ReadonlyArray<string> }
  readonly PopulationFailed: { readonly cause: Cause.Cause<unknown> }
  readonly Pending: {}
}>
