/**
 * Hooks of a registry as values that combine, and as layers.
 *
 * Hooks run under the lock of the registry, in the transaction of the operation that calls them, with the services of
 * the place that provides the hooks. They may use the registry in any way, from any child fiber. Only
 * `onItemRegistering` may fail, which refuses the item. If a hook dies, the operation is rolled back: the counterparts
 * of completed calls are called, newest first, `onItemUnregistered` for `onItemRegistered` and vice versa.
 *
 * Hooks of registration and population run in the order of installation, or of their {@link Place}. Hooks of
 * unregistration and reset run in the reverse order.
 *
 * @module
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import { Class } from "effect/Pipeable"
import type * as Scope from "effect/Scope"
import { CopyKey, here } from "./internal/copy.ts"
import { operation } from "./internal/coreOf.ts"
import * as Hooks from "./internal/engine/parts.ts"
import { sequence } from "./internal/engine/sequence.ts"
import { placed } from "./internal/features/hookOrder.ts"
import type { RegistryOrService } from "./internal/model.ts"
import { install } from "./internal/operations/install.ts"
import type * as RegistryError from "./RegistryError.ts"

export type {
  /**
   * The functions that a registry calls around its operations.
   *
   * @category models
   * @since 0.1.0
   */
  Handlers,
  /**
   * The place of hooks among other hooks of a registry: their name, and the names of hooks that they come before or
   * after, in whatever order they were installed.
   *
   * Several hooks may have one name. A constraint may name hooks that are installed later. Hooks without constraints
   * keep the order of installation. Installing hooks whose constraints form a circle dies with a message that names the
   * circle.
   *
   * @category models
   * @since 0.2.0
   */
  Place,
  /**
   * Hooks as a value that can be combined.
   *
   * @category models
   * @since 0.1.0
   */
  RegistryHooks
} from "./internal/engine/parts.ts"

class RegistryHooksImpl<Item, E, R, A> extends Class implements Hooks.RegistryHooks<Item, E, R, A> {
  declare readonly [Hooks.TypeId]: Hooks.RegistryHooks<Item, E, R, A>[typeof Hooks.TypeId]

  constructor(parts: ReadonlyArray<Hooks.Given<Item, E, R>>) {
    super()
    this[Hooks.TypeId] = { parts, arrange: Hooks.arrange }
  }
  get [CopyKey]() {
    return here
  }
  private inTurn<E2, R2>(
    reversed: boolean,
    hook: (part: Partial<Hooks.Handlers<Item, E, R>>) => Effect.Effect<unknown, E2, R2> | undefined
  ): Effect.Effect<void, E2, R2> {
    const { parts } = this[Hooks.TypeId]
    return Effect.suspend(() => sequence(reversed ? parts.toReversed() : parts, ({ handlers }) => hook(handlers)))
  }
  get onItemRegistering() {
    return (item: Item) => this.inTurn(false, (part) => part.onItemRegistering?.(item))
  }
  get acquire() {
    // the parts are those of hooks whose `acquire` fails with an `A`
    return (item: Item) =>
      this.inTurn(false, (part) => part.acquire?.(item) as Effect.Effect<unknown, A, R | Scope.Scope>)
  }
  get onItemRegistered() {
    return (item: Item) => this.inTurn(false, (part) => part.onItemRegistered?.(item))
  }
  get onItemUnregistering() {
    return (item: Item) => this.inTurn(true, (part) => part.onItemUnregistering?.(item))
  }
  get onItemUnregistered() {
    return (item: Item) => this.inTurn(true, (part) => part.onItemUnregistered?.(item))
  }
  get onPopulating() {
    return this.inTurn(false, (part) => part.onPopulating)
  }
  get onPopulated() {
    return this.inTurn(false, (part) => part.onPopulated)
  }
  get onResetting() {
    return this.inTurn(true, (part) => part.onResetting)
  }
  get onReset() {
    return this.inTurn(true, (part) => part.onReset)
  }
}

/**
 * Makes hooks from some of the handlers, with an optional name and place.
 *
 * **Example** (Hooks for every item)
 *
 * ```ts
 * import { Registry, RegistryHooks } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const seen: Array<string> = []
 * const hooks = RegistryHooks.make<string>()({
 *   onItemRegistered: (item) => Effect.sync(() => seen.push(`+${item}`)),
 *   onItemUnregistered: (item) => Effect.sync(() => seen.push(`-${item}`))
 * })
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const registry = yield* Registry.make<string>()({ lookup: [], hooks })
 *   yield* Registry.register(registry, "a")
 *   yield* Registry.unregister(registry, "a")
 *   return seen
 * }))
 *
 * await Effect.runPromise(program) // => ["+a", "-a"]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make =
  <Item>() =>
  <const Some extends Partial<Hooks.Handlers<Item, unknown, unknown>> & Hooks.NoExcess<Some>>(
    handlers: Some,
    place?: Hooks.Place
  ): Hooks.RegistryHooks<Item, Hooks.Vetoes<Some>, Hooks.ServicesOf<Some>, Hooks.AcquireError<Some>> =>
    // the parts are those of `Some`, whose errors and services are read off them
    new RegistryHooksImpl<Item, any, any, any>(Hooks.partsOf(placed(handlers, place)))

/**
 * Hooks that do nothing.
 *
 * **Example** (Hooks that are switched on)
 *
 * ```ts
 * import { Registry, RegistryHooks } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const seen: Array<string> = []
 * const tracing = RegistryHooks.make<string>()({ onItemRegistered: (item) => Effect.sync(() => seen.push(item)) })
 * const hooksFor = (verbose: boolean) => verbose ? tracing : RegistryHooks.empty
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const registry = yield* Registry.make<string>()({ lookup: [], hooks: hooksFor(false) })
 *   yield* Registry.register(registry, "a")
 *   return seen
 * }))
 *
 * await Effect.runPromise(program) // => []
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty: Hooks.RegistryHooks<unknown> = /*#__PURE__*/ new RegistryHooksImpl<unknown, never, never, never>([])

/**
 * Combines two hooks. Registration and population call the parts in this order, unregistration and reset in reverse.
 * The calls of each part are rolled back separately. `combine` is associative, and `empty` is its unit.
 *
 * **Example** (The order of two hooks)
 *
 * ```ts
 * import { Registry, RegistryHooks } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const seen: Array<string> = []
 * const hooks = (name: string) =>
 *   RegistryHooks.make<string>()({
 *     onItemRegistered: (item) => Effect.sync(() => seen.push(`${name} +${item}`)),
 *     onItemUnregistered: (item) => Effect.sync(() => seen.push(`${name} -${item}`))
 *   })
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const both = RegistryHooks.combine(hooks("first"), hooks("second"))
 *   const registry = yield* Registry.make<string>()({ lookup: [], hooks: both })
 *   yield* Registry.register(registry, "a")
 *   yield* Registry.unregister(registry, "a")
 *   return seen
 * }))
 *
 * await Effect.runPromise(program) // => ["first +a", "second +a", "second -a", "first -a"]
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const combine: {
  <Item2, E2, R2, A2>(second: Hooks.RegistryHooks<Item2, E2, R2, A2>): <Item, E, R, A>(
    first: Hooks.RegistryHooks<Item, E, R, A>
  ) => Hooks.RegistryHooks<Item & Item2, E | E2, R | R2, A | A2>
  <Item, E, R, A, Item2, E2, R2, A2>(
    first: Hooks.RegistryHooks<Item, E, R, A>,
    second: Hooks.RegistryHooks<Item2, E2, R2, A2>
  ): Hooks.RegistryHooks<Item & Item2, E | E2, R | R2, A | A2>
} = /*#__PURE__*/ dual(
  2,
  <Item, E, R, A, Item2, E2, R2, A2>(
    first: Hooks.RegistryHooks<Item, E, R, A>,
    second: Hooks.RegistryHooks<Item2, E2, R2, A2>
  ): Hooks.RegistryHooks<Item & Item2, E | E2, R | R2, A | A2> =>
    new RegistryHooksImpl<Item & Item2, E | E2, R | R2, A | A2>([...Hooks.partsOf(first), ...Hooks.partsOf(second)])
)

/**
 * Combines hooks in the order of the list.
 *
 * **Example** (A rule for each reserved prefix)
 *
 * ```ts
 * import { Registry, RegistryError, RegistryHooks } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const rules = ["x-", "_"].map((prefix) =>
 *   RegistryHooks.make<string>()({
 *     onItemRegistering: (item) =>
 *       item.startsWith(prefix) ? RegistryError.reject(item, `${prefix} is reserved`) : Effect.void
 *   })
 * )
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const headers = yield* Registry.make<string>()({ lookup: [], hooks: RegistryHooks.combineAll(rules) })
 *   const error = yield* Effect.flip(Registry.register(headers, "_internal"))
 *   return error.code
 * }))
 *
 * await Effect.runPromise(program) // => "rejected"
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const combineAll = <Item, E = never, R = never, A = never>(
  list: Iterable<Hooks.RegistryHooks<Item, E, R, A>>
): Hooks.RegistryHooks<Item, E, R, A> => new RegistryHooksImpl(Array.from(list).flatMap(Hooks.partsOf))

/**
 * Installs hooks for the lifetime of the layer. They take part from the next operation on, and refuse items with
 * `RegistryError.reject`. An effect of hooks may acquire resources in the scope of the layer.
 *
 * The hooks are not called for items that are registered when the layer is built or closed. `Registry.addHooks` with
 * `existing` does that.
 *
 * `Layer.mergeAll` builds layers concurrently: a {@link Place} fixes the order of their hooks.
 *
 * Building the layer fails and waits as the effect of hooks does, and dies if constraints form a circle. Closing it
 * waits for the change in flight, and cannot be interrupted.
 *
 * **Example** (Hooks as a layer)
 *
 * ```ts
 * import { Registry, RegistryError, RegistryHooks } from "effect-registry"
 * import { Effect, Layer } from "effect"
 *
 * interface Plugin { readonly name: string }
 * class Plugins extends Registry.Service<Plugins, Plugin>()("app/Plugins", { lookup: ["name"] }) {}
 *
 * const NoReservedNames = RegistryHooks.layer(Plugins, {
 *   onItemRegistering: (plugin) =>
 *     plugin.name.startsWith("x-") ? RegistryError.reject(plugin, "x- names are reserved") : Effect.void
 * })
 *
 * const program = Effect.flip(Plugins.register({ name: "x-mine" })).pipe(
 *   Effect.map((error) => error.code),
 *   Effect.provide(NoReservedNames.pipe(Layer.provideMerge(Plugins.layer)))
 * )
 *
 * await Effect.runPromise(program) // => "rejected"
 * ```
 *
 * **Example** (A check that comes after another)
 *
 * ```ts
 * import { Registry, RegistryHooks } from "effect-registry"
 * import { Effect, Layer } from "effect"
 *
 * class Words extends Registry.Service<Words, string>()("app/Words", { lookup: [] }) {}
 *
 * const log: Array<string> = []
 *
 * const Spelling = RegistryHooks.layer(Words, { onItemRegistering: () => Effect.sync(() => log.push("spelling")) }, {
 *   after: "permission"
 * })
 *
 * const Permission = RegistryHooks.layer(
 *   Words,
 *   Effect.gen(function*() {
 *     yield* Effect.sleep("1 millis") // it reads a file, so it is installed last
 *     return RegistryHooks.make<string>()({ onItemRegistering: () => Effect.sync(() => log.push("permission")) })
 *   }),
 *   { name: "permission" }
 * )
 *
 * const program = Effect.as(Words.register("cat"), log).pipe(
 *   Effect.provide(Layer.mergeAll(Spelling, Permission).pipe(Layer.provideMerge(Words.layer)))
 * )
 *
 * await Effect.runPromise(program) // => ["permission", "spelling"]
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: {
  <
    Item,
    Lookups,
    P,
    V,
    const More extends Hooks.Input<Item, RegistryError.RegistrationError> & Hooks.NoExcess<More>,
    R2,
    R = never
  >(
    self: RegistryOrService<Item, Lookups, P, V, R>,
    hooks: Effect.Effect<More, never, R2>,
    place?: Hooks.Place
  ): Layer.Layer<never, never, R | Exclude<Hooks.ServicesOf<More> | R2, Scope.Scope>>
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
    place?: Hooks.Place
  ): Layer.Layer<never, never, R | Exclude<Hooks.ServicesOf<More>, Scope.Scope>>
} = <Item, Lookups, P, V, R, R2>(
  self: RegistryOrService<Item, Lookups, P, V, R>,
  hooks:
    | Hooks.Input<Item, RegistryError.RegistrationError, any>
    | Effect.Effect<Hooks.Input<Item, RegistryError.RegistrationError, any>, never, R2>,
  place?: Hooks.Place
): Layer.Layer<never, never, R | Exclude<R2, Scope.Scope>> =>
  Layer.effectDiscard(
    Effect.isEffect(hooks)
      ? Effect.flatMap(hooks, (more) => installIn(self, placed(more, place)))
      : installIn(self, placed(hooks, place))
  )

const installIn: <Item, Lookups, P, V, R>(
  self: RegistryOrService<Item, Lookups, P, V, R>,
  hooks: Hooks.Installable<Item, RegistryError.RegistrationError, any>
) => Effect.Effect<void, never, Scope.Scope | R> = /*#__PURE__*/ operation(2, install)
