/** What users see of a registry and of a snapshot: types alone, so that their imports make no cycle. */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Inspectable from "effect/Inspectable"
import type * as Pipeable from "effect/Pipeable"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Types from "effect/Types"
import type * as Lookup from "../Lookup.ts"
import type * as RegistryError from "../RegistryError.ts"
import type * as RegistryEvent from "../RegistryEvent.ts"
import type { RefusalError } from "./engine/refusals.ts"
import type { RegistrySnapshot } from "./snapshot.ts"

export type { Items } from "./engine/core.ts"
export type { RegistrySnapshot } from "./snapshot.ts"

/**
 * A set of unique items. `P` is the error of its population, `V` the error with which the hooks of its definition
 * refuse items.
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
 * A registry, or a service that is one: a `Registry.Tag`, a `Registry.Service`, or any other key. `R` is that service.
 *
 * @category models
 * @since 0.2.0
 */
export type RegistryOrService<Item, Lookups, P, V, R = never> =
  | Registry<Item, Lookups, P, V> & Needs<R>
  | Context.Key<R, Registry<Item, Lookups, P, V>>

/** For a registry, R is inferred from this, to be `never`. Otherwise it would be inferred from the expected result. */
interface Needs<out R> {
  readonly "~effect-registry/Registry": { readonly _R: Types.Covariant<R> }
}

/**
 * `Pending`: empty, the next use populates it. `Populating`: its population runs, and is not visible yet. `Ready`: it
 * answers.
 *
 * @category models
 * @since 0.1.0
 */
export type RegistryState = "Pending" | "Populating" | "Ready"

/**
 * The definition of a registry.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<Item, Lookups, Defaults, AllHooks, Failure, E = never, R = never> {
  /** Lookups by name, or a list of property names, which is short for unique lookups. */
  readonly lookup: Lookups
  /** Its type side validates items. It never transforms them. */
  readonly schema?: Schema.Schema<Item> | undefined
  /**
   * The items after population: an iterable, an effect of one, or a stream. Each population reads it anew, so a
   * generator object, which can be read once, belongs into an effect that makes it.
   */
  readonly defaults?: Defaults | List<Item> | undefined
  /**
   * Says whether two items are the same. It is asked of items that share the first unique value that they have; where they
   * have none, of all of them. One object is always the same as itself. Without this option, plain data with the same
   * content is the same, and so is `Data`, but no other object.
   */
  readonly equivalence?: ((one: Item, other: Item) => boolean) | undefined
  /**
   * What becomes of a default that cannot be registered, because an attribute is missing, a key is taken or a hook refuses it:
   * it fails the population (`"fail"`, the default), or is left out with a warning that says which and why, and the others
   * go in (`"skip"`). A defect, or an `invariant` that fails, is never left out.
   */
  readonly onInvalidDefault?: "fail" | "skip" | undefined
  /** Hooks for as long as the registry lives. */
  readonly hooks?: AllHooks | undefined
  /**
   * For how many items `acquire` of hooks runs at once where several are registered: by `registerAll`, and by a
   * population. With 1, the default, one item ends before the next is checked. With more, all items are checked and
   * `onItemRegistering` is asked about each, in order; then they are acquired side by side, and one that fails releases
   * the others; then all go in, and hooks are told in order.
   */
  readonly concurrency?: Types.Concurrency | undefined
  /**
   * A check of all items together, what is disabled included. It runs once at the end of each outermost transaction,
   * population included, that put an item in, changed one or enabled one, sees what would be published (`draft`) and what
   * there was (`before`), and undoes the transaction if it fails. Its error is one of the transaction. A withdrawal, a scope
   * that closes and a reset are never refused: only what hooks register in them is checked, and they die with the error.
   */
  readonly invariant?:
    | ((
      draft: RegistrySnapshot<Item, Lookups>,
      before: RegistrySnapshot<Item, Lookups>
    ) => Effect.Effect<void, E, R>)
    | undefined
  /**
   * How messages, logs and spans name an item: at most 80 characters of this are shown. By default it is the value of the
   * first unique lookup.
   */
  readonly label?: ((item: Item) => string) | undefined
  /** Texts that replace the messages of errors, by code. */
  readonly messages?: RegistryError.Messages | undefined
  /**
   * Whether a failed population is an error of every operation (the default), or a defect. `layerPopulated` fails with the
   * error either way.
   */
  readonly populationFailure?: Failure | undefined
  /**
   * For how long after a population failed its source is left alone: whatever reads or changes gets the same failure
   * meanwhile. `populate` and `refresh` ask at once. An interruption is no failure. Off by default.
   */
  readonly cooldown?: Duration.Input | undefined
  /** How many changes a subscriber may be behind. Defaults to 256. */
  readonly history?: number | undefined
}

/** Types the items of a list while `Defaults` is inferred. A `ReadonlyArray` would be inferred as this itself. */
interface List<out Item> extends ReadonlyArray<Item> {}

/**
 * The error of the population of a registry.
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
 * The services that defaults need, without the scope that the registry gives them.
 *
 * @category models
 * @since 0.1.0
 */
export type ServicesOf<Defaults> = Defaults extends Stream.Stream<any, any, infer R> ? Exclude<R, Scope.Scope>
  : Defaults extends Effect.Effect<any, any, infer R> ? Exclude<R, Scope.Scope>
  : never

/**
 * A snapshot, and the changes after it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subscription<out Item, in out Lookups> {
  readonly snapshot: RegistrySnapshot<Item, Lookups>
  readonly changes: Stream.Stream<RegistryEvent.RegistryChange<Item, Lookups>, RegistryError.RegistryLagged>
}

/** See `Registry.LastSeen`. */
export type LastSeen = Data.TaggedEnum<{
  readonly Withdrawn: { readonly revision: number; readonly by: string; readonly at: DateTime.Utc }
  readonly Refused: { readonly error: RefusalError; readonly at: DateTime.Utc }
  readonly Skipped: { readonly error: RefusalError; readonly at: DateTime.Utc }
}>

/** See `Registry.Explanation`. */
export type Explanation<Item> = Data.TaggedEnum<{
  readonly Present: {
    readonly item: Item
    readonly owner: string
    readonly revision: number
    readonly updated: { readonly revision: number; readonly by: string } | undefined
    readonly hides: ReadonlyArray<Item>
  }
  readonly Hidden: { readonly item: Item; readonly by: Item }
  readonly Disabled: {
    readonly item: Item
    readonly reason: string
    readonly by: string
    readonly attribute: string
    readonly value: unknown
  }
  readonly Absent: { readonly suggestions: ReadonlyArray<string>; readonly last: LastSeen | undefined }
  readonly PopulationFailed: { readonly cause: Cause.Cause<unknown> }
  readonly Pending: {}
}>

/**
 * A rule for `Registry.disabled`: a lookup, a value of it, and the reason.
 *
 * @category models
 * @since 0.2.0
 */
export type DisabledInput<Item, Lookups> = {
  readonly [Attribute in keyof Lookup.Keys<Item, Lookups> & string]: readonly [
    attribute: Attribute,
    value: Lookup.Keys<Item, Lookups>[Attribute],
    reason: string
  ]
}[keyof Lookup.Keys<Item, Lookups> & string]

/** See `Registry.AcquireFailureOf`. */
export type AcquireFailureOf<P> = [Extract<P, RegistryError.RegistryUnavailable>] extends [never] ? never
  : RegistryError.RegistrationError
