/**
 * What is open for each item of a registry: a connection, a process, a client. It is there whenever the item is, and is
 * released after the item has gone.
 *
 * An item whose resource cannot be acquired is not registered. `replace` acquires the new resource before it releases the
 * old one. What {@link get} answers stays open until the caller's scope closes, though the item goes meanwhile.
 *
 * **Constructors** {@link make} takes the lock of the registry while it acquires for what is in. Interrupting it releases
 * what it has acquired.
 *
 * **Reading** {@link get} takes no lock. It populates a pending registry first: interrupting it leaves a population that
 * others wait for alone.
 *
 * **Services** The layer does what {@link make} does, in one transaction; interrupting it releases what it has acquired.
 *
 * @module
 * @since 0.2.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { operation } from "./internal/coreOf.ts"
import type { Core } from "./internal/engine/core.ts"
import * as AddHooks from "./internal/features/addHooks.ts"
import * as Lease from "./internal/features/lease.ts"
import type { AcquireFailureOf, RegistryOrService } from "./internal/model.ts"
import { labelOf } from "./internal/store/definition.ts"
import { show } from "./internal/store/wording.ts"
import type * as Lookup from "./Lookup.ts"
import type * as RegistryError from "./RegistryError.ts"

const TypeId = "~effect-registry/RegistryResource"

/**
 * A resource for each item of a registry.
 *
 * @category models
 * @since 0.2.0
 */
export interface RegistryResource<Keys, out Resource, out P = never> {
  readonly [TypeId]: <Attribute extends keyof Keys & string>(
    attribute: Attribute,
    value: Keys[Attribute]
  ) => Effect.Effect<Resource, RegistryError.ItemLookupError | P | AcquireFailureOf<P>, Scope.Scope>
}

/**
 * Acquires a resource for each item that is in, and for each that comes, until the scope closes. Then all are released, in
 * spite of leases.
 *
 * Fails with a `RegistrationError` of code `acquire` if it cannot acquire one for an item that is in, and releases what it
 * has. It populates nothing. It dies in a transaction of the registry, which may still fail.
 *
 * **Example** (A connection for each server)
 *
 * ```ts
 * import { Registry, RegistryResource } from "effect-registry"
 * import { Effect } from "effect"
 *
 * interface Server { readonly name: string; readonly port: number }
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const servers = yield* Registry.make<Server>()({ lookup: ["name"] })
 *   const connections = yield* RegistryResource.make(servers, ({ port }: Server) =>
 *     Effect.acquireRelease(Effect.succeed({ port, open: true }), (connection) =>
 *       Effect.sync(() => {
 *         connection.open = false
 *       })))
 *   yield* Registry.register(servers, { name: "a", port: 1 })
 *   const connection = yield* Effect.scoped(RegistryResource.get(connections, "name", "a"))
 *   const before = connection.open
 *   yield* Registry.unregisterBy(servers, "name", "a")
 *   return [before, connection.open]
 * }))
 *
 * await Effect.runPromise(program) // => [true, false]
 * ```
 *
 * @category constructors
 * @since 0.2.0
 */
export const make = <Item, Lookups, P, V, Resource, E, R, Self = never>(
  registry: RegistryOrService<Item, Lookups, P, V, Self>,
  acquire: (item: Item) => Effect.Effect<Resource, E, R>
): Effect.Effect<
  RegistryResource<Lookup.UniqueKeys<Item, Lookups>, Resource, P>,
  RegistryError.RegistrationError,
  Self | Scope.Scope | R
> => makeIn(registry, acquire)

const makeIn: <Item, Lookups, P, V, Resource, E, R, Self>(
  registry: RegistryOrService<Item, Lookups, P, V, Self>,
  acquire: (item: Item) => Effect.Effect<Resource, E, R>
) => Effect.Effect<
  RegistryResource<Lookup.UniqueKeys<Item, Lookups>, Resource, P>,
  RegistryError.RegistrationError,
  Self | Scope.Scope | R
> = /*#__PURE__*/ operation(
  2,
  <Item, P, V, Resource, E, R>(
    core: Core<Item, P, V | RegistryError.RegistrationError>,
    acquire: (item: Item) => Effect.Effect<Resource, E, R>
  ) => {
    // by acquisition, not by item: an object may return while its old resource is leased
    const resources = new WeakMap<Scope.Scope, { readonly resource: Resource }>()
    const hooks = {
      acquire: (item: Item) =>
        Effect.flatMap(
          acquire(item),
          (resource) => Effect.map(Effect.scope, (scope) => resources.set(scope, { resource }))
        )
    }
    const { name } = core.definition
    const get = (attribute: string, value: unknown) =>
      Effect.flatMap(Lease.lease(core, attribute, value), ({ acquisition, item }) => {
        for (const scope of acquisition?.scopes.values() ?? []) {
          const open = resources.get(scope)
          if (open !== undefined) return Effect.succeed(open.resource)
        }
        return Effect.die(
          new Error(
            `There is no resource of ${labelOf(core.definition, item)} in ${
              show(name)
            }: the scope of the resources is closed.`
          )
        )
      })
    return Effect.as(AddHooks.installAndTell(core, hooks), { [TypeId]: get })
  }
)

/**
 * The resource of the item that has a value of a unique lookup. It stays open until the scope closes: see
 * `Registry.lease`.
 *
 * Fails as `Registry.get` does.
 *
 * **Example** (The resource outlives its item)
 *
 * ```ts
 * import { Lookup, Registry, RegistryResource } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const log: Array<string> = []
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<string>()({ lookup: { name: Lookup.unique((name: string) => name) } })
 *   const processes = yield* RegistryResource.make(tools, (name: string) =>
 *     Effect.acquireRelease(Effect.succeed(`process of ${name}`), () => Effect.sync(() => log.push("ended"))))
 *   yield* Registry.register(tools, "search")
 *   yield* Effect.scoped(Effect.gen(function*() {
 *     const process = yield* RegistryResource.get(processes, "name", "search")
 *     yield* Registry.unregister(tools, "search")
 *     log.push(`used the ${process}`)
 *   }))
 *   return log.slice()
 * }))
 *
 * await Effect.runPromise(program) // => ["used the process of search", "ended"]
 * ```
 *
 * @category reading
 * @since 0.2.0
 */
export const get: {
  <const Attribute extends string, const Key>(attribute: Attribute, value: Key): <Resource, P>(
    self: RegistryResource<{ readonly [_ in Attribute]: Key }, Resource, P>
  ) => Effect.Effect<Resource, RegistryError.ItemLookupError | P | AcquireFailureOf<P>, Scope.Scope>
  <Keys, Resource, P, Attribute extends keyof Keys & string>(
    self: RegistryResource<Keys, Resource, P>,
    attribute: Attribute,
    value: Keys[Attribute]
  ): Effect.Effect<Resource, RegistryError.ItemLookupError | P | AcquireFailureOf<P>, Scope.Scope>
} = /*#__PURE__*/ dual(
  3,
  <Keys, Resource, P, Attribute extends keyof Keys & string>(
    self: RegistryResource<Keys, Resource, P>,
    attribute: Attribute,
    value: Keys[Attribute]
  ) => self[TypeId](attribute, value)
)

/**
 * A resource for each item of a registry, as a service: the class that `RegistryResource.Service` makes.
 *
 * @category services
 * @since 0.2.0
 */
export interface ServiceClass<Self, Id extends string, Keys, Resource, P, R>
  extends Context.ServiceClass<Self, Id, RegistryResource<Keys, Resource, P>>
{
  /** Acquires a resource for each item: see {@link make}. */
  readonly layer: Layer.Layer<Self, RegistryError.RegistrationError, R>
  /** The resource of the item that has a value of a unique lookup: see {@link get}. */
  readonly get: <Attribute extends keyof Keys & string>(
    attribute: Attribute,
    value: Keys[Attribute]
  ) => Effect.Effect<Resource, RegistryError.ItemLookupError | P | AcquireFailureOf<P>, Self | Scope.Scope>
}

/**
 * Makes a class that is a resource for each item of a registry, as a service. Its layer fails where {@link make} does.
 *
 * **Example** (Clients of providers)
 *
 * ```ts
 * import { Registry, RegistryResource } from "effect-registry"
 * import { Effect, Layer } from "effect"
 *
 * interface Provider { readonly name: string; readonly key: string }
 *
 * class Providers extends Registry.Service<Providers, Provider>()("app/Providers", {
 *   lookup: ["name"],
 *   defaults: [{ name: "stripe", key: "secret" }]
 * }) {}
 *
 * class Clients extends RegistryResource.Service<Clients>()("app/Clients", {
 *   registry: Providers,
 *   acquire: ({ key, name }) => Effect.succeed({ charge: (amount: number) => `${name} took ${amount} with ${key}` })
 * }) {}
 *
 * const program = Effect.gen(function*() {
 *   yield* Providers.populate
 *   const client = yield* Clients.get("name", "stripe")
 *   return client.charge(5)
 * }).pipe(Effect.scoped, Effect.provide(Clients.layer.pipe(Layer.provideMerge(Providers.layer))))
 *
 * await Effect.runPromise(program) // => "stripe took 5 with secret"
 * ```
 *
 * @category services
 * @since 0.2.0
 */
export const Service = <Self>() =>
<const Id extends string, Item, Lookups, P, V, Resource, E, R, Registry = never>(
  id: Id,
  options: {
    readonly registry: RegistryOrService<Item, Lookups, P, V, Registry>
    readonly acquire: (item: Item) => Effect.Effect<Resource, E, R>
  }
): ServiceClass<
  Self,
  Id,
  Lookup.UniqueKeys<Item, Lookups>,
  Resource,
  P,
  Registry | Exclude<R, Scope.Scope>
> => {
  type Keys = Lookup.UniqueKeys<Item, Lookups>
  const service = Context.Service<Self, RegistryResource<Keys, Resource, P>>()(id)
  return Object.assign(service, {
    layer: Layer.effect(service, make(options.registry, options.acquire)),
    get: <Attribute extends keyof Keys & string>(attribute: Attribute, value: Keys[Attribute]) =>
      service.use((self) => get(self, attribute, value))
  })
}
