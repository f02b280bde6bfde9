/** Registries that break laws of `RegistryTest.laws`. */
import { Context, Effect, Fiber, Layer, Logger, type Scope } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import * as fc from "fast-check"
import { checksOf, type Trials } from "../../src/testing/lawChecks.ts"
import { believeHooks, distort, emptyIndex, forgetAcquisitions, forgetHooks, spoilt } from "./inside.ts"
import { Item } from "./items.ts"

export const item = fc.record({ id: fc.nat(4), name: fc.constantFrom("one", "two", "three") })
  .map(({ id, name }) => new Item(id, name))

/** The checks of all laws for a registry. With a fixed seed they always end alike. */
const lawsOf = <Services>(name: string, layer: Layer.Layer<Services>, kept?: Trials<Item, Services>["kept"]) =>
  checksOf(fc, name, layer, {
    item,
    runs: 5,
    // few schedules let the population in between the end of the reset and the look at the state
    schedules: name === "a hook populates it after a reset" ? 60 : 20,
    seed: 1,
    tag: undefined,
    kept
  })

class Items extends Registry.Service<Items, Item>()("test/BrokenItems", {
  lookup: ["id", "name"],
  defaults: [new Item(9, "nine")]
}) {}

type ItemRegistry = (typeof Items)["Service"]

const spoiling = (spoil: (registry: ItemRegistry) => Effect.Effect<unknown, never, Scope.Scope>) =>
  Layer.effectDiscard(Effect.flatMap(Items, spoil)).pipe(
    Layer.provideMerge(Items.layer),
    // a hook that dies makes populations fail, which is logged
    Layer.provide(Logger.layer([]))
  )

let populations = 0

class Counting extends Registry.Service<Counting, Item>()("test/CountingItems", {
  lookup: ["id"],
  defaults: Effect.sync(() => [new Item(1_000 + populations++)])
}) {}

class EverRegistered extends Context.Service<EverRegistered, Set<Item>>()("test/EverRegistered") {}

const keepingAll = RegistryHooks.layer(Items, {
  onItemRegistered: (one) => EverRegistered.use((items) => Effect.sync(() => items.add(one)))
}).pipe(Layer.provideMerge(Layer.merge(Items.layer, Layer.sync(EverRegistered, () => new Set()))))

class Copy extends Item {}

const layers = {
  "a hook takes back what is registered": spoiling((registry) =>
    Registry.addHooks(registry, {
      onItemRegistered: (one) => Effect.orDie(Registry.unregister(registry, one))
    })
  ),
  "an index loses what is in it": spoiling((registry) =>
    Registry.addHooks(registry, {
      onItemRegistered: ({ id }) =>
        Effect.sync(() => {
          // the default is registered correctly
          if (id !== 9) emptyIndex(registry, 1)
        })
    })
  ),
  "hooks are forgotten": spoiling((registry) =>
    Registry.addHooks(registry, {
      onItemUnregistering: () => Effect.sync(() => forgetHooks(registry))
    })
  ),
  "what was acquired is forgotten": spoiling((registry) =>
    Registry.addHooks(registry, { onItemUnregistering: () => Effect.sync(() => forgetAcquisitions(registry)) })
  ),
  "the registry believes that hooks know all": spoiling((registry) =>
    Registry.addHooks(registry, { onItemUnregistering: () => believeHooks(registry) })
  ),
  "a fiber resets it meanwhile": spoiling((registry) =>
    Effect.forkScoped(Effect.andThen(Effect.orDie(Registry.populate(registry)), Registry.reset(registry)))
  ),
  "a hook leaves something behind": spoiling((registry) =>
    Registry.addHooks(registry, {
      onItemRegistered: ({ id, name }) =>
        id < 100
          ? Effect.ignore(Registry.register(registry, new Item(id + 100, `${name} too`)))
          : Effect.void
    })
  ),
  "the defaults differ each time": Counting.layer,
  "a hook dies": spoiling((registry) =>
    Registry.addHooks(registry, { onItemRegistering: () => Effect.die(new Error("worn out")) })
  ),
  "a hook dies of a plain object": spoiling((registry) =>
    Registry.addHooks(registry, { onItemRegistering: () => Effect.die({ worn: "out" }) })
  ),
  "a hook replaces the item by a copy": spoiling((registry) =>
    Registry.addHooks(registry, {
      onItemRegistered: (one) =>
        one instanceof Copy
          ? Effect.void
          : Effect.orDie(Registry.replace(registry, "id", one.id, new Copy(one.id, one.name)))
    })
  ),
  "a hook forks a registration": spoiling((registry) =>
    Registry.addHooks(registry, {
      onItemRegistered: ({ id, name }) =>
        id < 5
          ? Effect.forkDetach(
            Registry.detached(Effect.ignore(Registry.register(registry, new Item(id + 100, `${name} too`))))
          )
          : Effect.void
    })
  ),
  "readers see different sizes": spoiling((registry) =>
    Effect.sync(() => {
      const fibers: Array<number> = []
      distort(registry, (contents) =>
        spoilt(contents, {
          get size() {
            const { id } = Fiber.getCurrent()!
            if (!fibers.includes(id)) fibers.push(id)
            return fibers.indexOf(id)
          }
        }))
    })
  ),
  "a hook populates it after a reset": spoiling((registry) =>
    Registry.addHooks(registry, {
      onReset: Effect.forkDetach(Registry.detached(Effect.ignore(Registry.populate(registry))))
    })
  ),
  "a hook begins another transaction": spoiling((registry) =>
    Registry.addHooks(registry, {
      onItemUnregistered: () => Effect.forkDetach(Registry.detached(Registry.transact(registry, Effect.yieldNow)))
    })
  ),
  "a layer without a registry": Layer.empty,
  "a layer of two registries": Layer.merge(Items.layer, Counting.layer)
}

/** The checks of all laws for each of these registries. */
export const lawless: { readonly [registry: string]: ReturnType<typeof checksOf> } = {
  ...Object.fromEntries(Object.entries(layers).map(([name, layer]) => [name, lawsOf(name, layer)])),
  "a hook keeps removed items": lawsOf("a hook keeps removed items", keepingAll, EverRegistered)
}
