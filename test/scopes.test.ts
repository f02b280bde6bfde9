import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { a, b, Balance, c, d, Item, messageOf, recording } from "./utils/items.ts"

const seeds = 1_000

describe("scopes", () => {
  it.effect("G25 closing a scope removes exactly its registrations, in any order of scopes", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      const one = yield* Scope.make()
      const two = yield* Scope.make()
      yield* Scope.provide(Registry.registerScoped(registry, a), one)
      yield* Scope.provide(Registry.registerAllScoped(registry, [b, c]), two)
      yield* Registry.register(registry, d)
      yield* Scope.close(one, Exit.void)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [b, c, d])
      yield* Scope.close(two, Exit.void)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [d])
    }))

  it.effect("G25 closing never removes a later registration of the same key, and never fails for a removed one", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      for (const later of [a, new Item(1, "twin")]) {
        const scope = yield* Scope.make()
        yield* Scope.provide(Registry.registerScoped(registry, a), scope)
        yield* Registry.unregister(registry, a)
        yield* Registry.register(registry, later)
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual([...(yield* Registry.values(registry))], [later])
        yield* Registry.unregister(registry, later)
      }
    }))

  it.effect("G25 closing removes the remaining items of registerAllScoped, though one is gone", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerAllScoped(registry, [a, b, c]), scope)
      yield* Registry.unregister(registry, b)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("G25 without hooks, a scope that closes in a transaction that then fails: its items stay removed", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerScoped(registry, a), scope)
      yield* Effect.exit(
        Registry.transact(registry, Effect.andThen(Scope.close(scope, Exit.void), Effect.fail("no")))
      )
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("G25 closing never populates", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [b] })
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerScoped(registry, a), scope)
      yield* Registry.reset(registry)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Registry.state(registry), "Pending")
    }))

  it.effect("G25 a scope that closes during the registration: the item does not stay", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: { onItemRegistered: () => Deferred.await(gate) }
      })
      const scope = yield* Scope.make()
      const registering = yield* Effect.forkChild(Scope.provide(Registry.registerScoped(registry, a), scope), {
        startImmediately: true
      })
      yield* Scope.close(scope, Exit.void)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(registering)
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("G25 under schedules, registrations, closings, resets and failures: the items of a closed scope are gone", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const balance = new Balance()
        const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [d], hooks: balance.hooks })
        const scopes = [yield* Scope.make(), yield* Scope.make()]
        const registering = [
          Scope.provide(Registry.registerScoped(registry, a), scopes[0]!),
          Scope.provide(Registry.registerAllScoped(registry, [b, c]), scopes[1]!),
          Registry.transact(
            registry,
            Effect.andThen(Scope.provide(Registry.registerScoped(registry, new Item(5)), scopes[1]!), Effect.fail("no"))
          )
        ]
        const fibers = yield* Effect.forEach(
          [...registering, Scope.close(scopes[0]!, Exit.void), Registry.reset(registry)],
          (operation) => Effect.forkChild<Effect.Effect<void, unknown>>(operation)
        )
        yield* Effect.forkChild(Fiber.interrupt(fibers[1]!))
        yield* Effect.forEach(fibers, Fiber.await)
        yield* Scope.close(scopes[1]!, Exit.void)
        assert.deepStrictEqual([...(yield* Registry.values(registry))], [d])
        assert.deepStrictEqual(balance.wrong([d]), [])
      })),
      { seeds }
    ))

  it.effect("G25 items removed by a closing scope stay removed: if a hook dies, the others run, and the defect surfaces", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: RegistryHooks.combineAll([
          recording(log),
          RegistryHooks.make<Item>()({
            onItemUnregistering: ({ id }) => Effect.die(new Error(`before ${id}`)),
            onItemUnregistered: ({ id }) => Effect.die(new Error(`after ${id}`))
          }),
          recording(log)
        ])
      })
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerAllScoped(registry, [a, b]), scope)
      log.length = 0
      const exit = yield* Effect.exit(Scope.close(scope, Exit.void))
      assert.strictEqual(Exit.isFailure(exit) ? exit.cause.reasons.length : 0, 4)
      assert.strictEqual(yield* Registry.size(registry), 0)
      assert.deepStrictEqual(log, [
        "unregistering 2",
        "unregistering 2",
        "unregistered 2",
        "unregistered 2",
        "unregistering 1",
        "unregistering 1",
        "unregistered 1",
        "unregistered 1"
      ])
    }))

  it.effect("G25 a scope that closes in a transaction that then fails: its items stay removed", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: balance.hooks })
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerScoped(registry, a), scope)
      const nested = yield* Scope.make()
      yield* Scope.provide(Registry.registerScoped(registry, c), nested)
      yield* Effect.exit(Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, b)
          yield* Scope.close(scope, Exit.void)
          yield* Effect.exit(
            Registry.transact(registry, Effect.andThen(Scope.close(nested, Exit.void), Effect.fail("inner")))
          )
          assert.deepStrictEqual([...(yield* Registry.values(registry))], [b])
          return yield* Effect.fail("no")
        })
      ))
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [])
      assert.deepStrictEqual(balance.wrong([]), [])
    }))

  it.effect("G25 a scope that closes in a population that fails, after a reset that is rolled back: its items stay removed", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      let runs = 0
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() =>
          ++runs === 1 ? Effect.succeed([a]) : Effect.andThen(Scope.close(scope, Exit.void), Effect.fail("disk"))
        )
      })
      yield* Registry.populate(registry)
      yield* Scope.provide(Registry.registerScoped(registry, b), scope)
      const exit = yield* Effect.exit(
        Registry.transact(registry, Effect.andThen(Registry.reset(registry), Registry.populate(registry)))
      )
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(runs, 2)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
    }))

  it.effect("G25 a scope does not remove an item whose registration was rolled back and made again outside", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      const scope = yield* Scope.make()
      yield* Effect.exit(Registry.transact(
        registry,
        Effect.andThen(Scope.provide(Registry.registerScoped(registry, a), scope), Effect.fail("no"))
      ))
      yield* Registry.register(registry, a)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
    }))

  it.effect("G25 a scope closes in the transaction that closes it, not in the one that registered", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      const scope = yield* Scope.make()
      yield* Registry.transact(registry, Scope.provide(Registry.registerScoped(registry, a), scope))
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Scope.close(scope, Exit.void)
          assert.strictEqual(yield* Registry.size(registry), 0)
          assert.strictEqual(yield* Registry.detached(Registry.size(registry)), 1)
        })
      )
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("items: a layer registers all its items or none, and removes them at its end", () =>
    Effect.gen(function*() {
      class Items extends Registry.Service<Items, Item>()("test/Items", { lookup: ["id"], defaults: [d] }) {}
      yield* Effect.gen(function*() {
        assert.strictEqual(yield* Effect.provide(Items.size, Items.items([a, b])), 3)
        assert.strictEqual(yield* Items.size, 1)
        const error = yield* Effect.flip(Effect.provide(Items.size, Items.items([a, new Item(4, "twin")])))
        assert.strictEqual(error._tag, "AlreadyRegisteredError")
        assert.strictEqual(yield* Items.size, 1)
      }).pipe(Effect.provide(Items.layer))
    }))

  it.effect("layerPopulated populates while it is built; layer waits for the first use; both are one registry", () =>
    Effect.gen(function*() {
      let runs = 0
      class Items extends Registry.Service<Items, Item>()("test/Items", {
        lookup: ["id"],
        defaults: Effect.sync(() => {
          runs++
          return [a]
        })
      }) {}
      assert.strictEqual(yield* Effect.provide(Items.state, Items.layer), "Pending")
      assert.strictEqual(yield* Effect.provide(Items.state, Items.layerPopulated), "Ready")
      yield* Effect.provide(Items.size, Layer.merge(Items.layer, Items.layerPopulated))
      assert.strictEqual(runs, 2)
      class Broken
        extends Registry.Service<Broken, Item>()("test/Broken", { lookup: ["id"], defaults: Effect.fail("disk") })
      {}
      const exit = yield* Effect.exit(Effect.provide(Broken.state, Broken.layerPopulated))
      assert.match(messageOf(exit), /Could not populate "test\/Broken"/)
    }))
})
