import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { a, b, Balance, c, d, Item, messageOf, recording } from "./utils/items.ts"

const seeds = 1_000

class Prefix extends Context.Service<Prefix, string>()("test/Prefix") {}

const named = (name: string, log: Array<string>) =>
  RegistryHooks.make<Item>()({
    onItemRegistering: ({ id }) => Effect.sync(() => log.push(`${name} registering ${id}`)),
    onItemRegistered: ({ id }) => Effect.sync(() => log.push(`${name} registered ${id}`)),
    onItemUnregistering: ({ id }) => Effect.sync(() => log.push(`${name} unregistering ${id}`)),
    onItemUnregistered: ({ id }) => Effect.sync(() => log.push(`${name} unregistered ${id}`)),
    onPopulating: Effect.sync(() => log.push(`${name} populating`)),
    onPopulated: Effect.sync(() => log.push(`${name} populated`)),
    onResetting: Effect.sync(() => log.push(`${name} resetting`)),
    onReset: Effect.sync(() => log.push(`${name} reset`))
  })

describe("hooks", () => {
  it.effect("G18 no hook is called for an item that cannot be registered, or unregistered", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: recording(log), defaults: [a] })
      yield* Registry.populate(registry)
      log.length = 0
      yield* Effect.flip(Registry.register(registry, a))
      yield* Effect.flip(Registry.register(registry, new Item(1, "twin")))
      yield* Effect.flip(Registry.unregister(registry, b))
      yield* Effect.flip(Registry.unregisterBy(registry, "id", 9))
      yield* Effect.flip(Registry.replace(registry, "id", 9, c))
      assert.deepStrictEqual(log, [])
    }))

  it.effect("G18 the checks are repeated after onItemRegistering: a hook has registered the key", () =>
    Effect.gen(function*() {
      const twin = new Item(1, "twin")
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: {
          onItemRegistering: (item) => item === a ? Effect.orDie(Registry.register(registry, twin)) : Effect.void
        }
      })
      const error = yield* Effect.flip(Registry.register(registry, a))
      assert.deepStrictEqual([error.code, error._tag], ["attribute_registered", "AlreadyRegisteredError"])
      // all or nothing: the registration of the hook is rolled back, too
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("G18 the checks are repeated after onItemUnregistering: a hook has unregistered the item", () =>
    Effect.gen(function*() {
      let once = true
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: {
          onItemUnregistering: (item) => {
            if (!once) return Effect.void
            once = false
            return Effect.orDie(Registry.unregister(registry, item))
          }
        }
      })
      yield* Registry.register(registry, a)
      assert.strictEqual((yield* Effect.flip(Registry.unregister(registry, a))).code, "unregister")
      assert.strictEqual(yield* Registry.size(registry), 1)
    }))

  it.effect("G18 unregisterBy: a hook that replaces the item has its item unregistered; after one that removes it, it fails", () =>
    Effect.gen(function*() {
      let again = true
      let once = true
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: {
          onItemUnregistering: (item) => {
            if (!once) return Effect.void
            once = false
            const out = Registry.unregister(registry, item)
            return Effect.orDie(again ? Effect.andThen(out, Registry.register(registry, item)) : out)
          }
        }
      })
      yield* Registry.registerAll(registry, [a, b])
      yield* Registry.unregisterBy(registry, "id", 1)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [b])
      again = false
      once = true
      const error = yield* Effect.flip(Registry.unregisterBy(registry, "id", 2))
      assert.deepStrictEqual([error._tag, error.code], ["ItemLookupError", "not_registered"])
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [b])
    }))

  it.effect("G18 upsert: a hook has removed the item to replace, so the new one is registered last", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const twin = new Item(1, "twin")
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: RegistryHooks.combine(
          recording(log),
          RegistryHooks.make<Item>()({
            onItemRegistering: (item) =>
              item !== twin ? Effect.void : Effect.flatMap(
                Effect.orDie(Registry.contains(registry, a)),
                (isIn) => isIn ? Effect.orDie(Registry.unregister(registry, a)) : Effect.void
              )
          })
        )
      })
      yield* Registry.registerAll(registry, [a, b])
      log.length = 0
      yield* Registry.upsert(registry, twin)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [b, twin])
      assert.deepStrictEqual(log.filter((line) => line.includes("registered")), ["unregistered 1", "registered 1"])
    }))

  it.effect("G18 upsert: a hook has exchanged the item to replace for an equal one, which is a conflict", () =>
    Effect.gen(function*() {
      interface Thing {
        readonly id: number
        readonly name: string
      }
      const next: Thing = { id: 1, name: "next" }
      const registry: Registry.Registry<Thing, readonly ["id"]> = yield* Registry.make<Thing>()({
        lookup: ["id"],
        hooks: {
          onItemRegistering: (item) =>
            item !== next ? Effect.void : Effect.orDie(Effect.andThen(
              Registry.unregisterBy(registry, "id", 1),
              Registry.register(registry, { id: 1, name: "first" })
            ))
        }
      })
      yield* Registry.register(registry, { id: 1, name: "first" })
      const error = yield* Effect.flip(Registry.upsert(registry, next))
      assert.strictEqual(error._tag, "AlreadyRegisteredError")
    }))

  it.effect("G19 onItemRegistering refuses an item, and the error names the registry", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ name: "items", lookup: ["id"] })
      yield* Registry.addHooks(registry, {
        onItemRegistering: (item: Item) => item === a ? RegistryError.reject(item, "not that one") : Effect.void
      })
      const error = yield* Effect.flip(Registry.register(registry, a))
      assert.instanceOf(error, RegistryError.RegistrationError)
      assert.deepStrictEqual([error.registry, error.code], ["items", "rejected"])
      assert.include(error.message, "not that one")
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("G19 a defect of any hook rolls the operation back and surfaces to its caller", () =>
    Effect.gen(function*() {
      type Items = Registry.Registry<Item, readonly ["id"], any, any>
      const cases: ReadonlyArray<
        readonly [
          (boom: Effect.Effect<void>) => Partial<RegistryHooks.Handlers<Item>>,
          (registry: Items) => Effect.Effect<void, any>
        ]
      > = [
        [(boom) => ({ onItemRegistering: () => boom }), (registry) => Registry.register(registry, c)],
        [(boom) => ({ onItemRegistered: () => boom }), (registry) => Registry.register(registry, c)],
        [(boom) => ({ onItemUnregistering: () => boom }), (registry) => Registry.unregister(registry, a)],
        [(boom) => ({ onItemUnregistered: () => boom }), (registry) => Registry.unregister(registry, a)],
        [(boom) => ({ onResetting: boom }), Registry.reset],
        [(boom) => ({ onReset: boom }), Registry.reset]
      ]
      for (const [hooks, operation] of cases) {
        let armed = false
        const boom = Effect.suspend(() => armed ? Effect.die(new Error("boom")) : Effect.void)
        const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a, b], hooks: hooks(boom) })
        const before = yield* Registry.snapshot(registry)
        armed = true
        const exit = yield* Effect.exit(operation(registry))
        assert.strictEqual(messageOf(exit), "boom")
        assert.strictEqual(yield* Registry.snapshot(registry), before)
      }
    }))

  it.effect("G20 each part of combined hooks is rolled back by itself: only its completed calls", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: RegistryHooks.combineAll([
          named("first", log),
          RegistryHooks.make<Item>()({
            onItemRegistered: () => Effect.die(new Error("boom")),
            onItemUnregistered: () => Effect.sync(() => log.push("never"))
          }),
          named("third", log)
        ])
      })
      yield* Registry.populate(registry)
      log.length = 0
      yield* Effect.exit(Registry.register(registry, a))
      assert.deepStrictEqual(log, [
        "first registering 1",
        "third registering 1",
        "first registered 1",
        "first unregistered 1"
      ])
    }))

  it.effect("G20 at rest every part was told of exactly the registered items, under schedules with failures and interruptions", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const balances = [new Balance(), new Balance()]
        let dice = 0
        const unreliable = RegistryHooks.make<Item>()({
          onItemRegistered: () => ++dice % 4 === 0 ? Effect.die(new Error("boom")) : Effect.yieldNow,
          onItemUnregistering: () => ++dice % 5 === 0 ? Effect.die(new Error("boom")) : Effect.yieldNow
        })
        const registry = yield* Registry.make<Item>()({
          lookup: ["id"],
          defaults: [a],
          hooks: RegistryHooks.combineAll([balances[0]!.hooks, unreliable, balances[1]!.hooks])
        })
        const scoped = Effect.scoped(Effect.andThen(Registry.registerScoped(registry, c), Effect.yieldNow))
        const nested = Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Effect.exit(Registry.register(registry, d))
            yield* Effect.exit(
              Registry.transact(registry, Effect.andThen(Registry.unregister(registry, a), Effect.fail("no")))
            )
            yield* Effect.exit(Registry.replace(registry, "id", 4, new Item(4, "new")))
          })
        )
        const operations: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
          Registry.register(registry, b),
          Registry.unregister(registry, a),
          scoped,
          nested,
          Registry.reset(registry),
          Registry.registerAll(registry, [new Item(5), new Item(6)])
        ]
        const fibers = yield* Effect.forEach(operations, (operation) => Effect.forkChild(operation))
        yield* Effect.forkChild(Fiber.interrupt(fibers[3]!))
        yield* Effect.forkChild(Fiber.interrupt(fibers[5]!))
        yield* Effect.forEach(fibers, Fiber.await)
        for (const balance of balances) assert.deepStrictEqual(balance.wrong(Registry.snapshotUnsafe(registry)), [])
      })),
      { seeds }
    ))

  it.effect("G21 hooks of registration and population run in order, those of unregistration and reset in reverse", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [a, b],
        hooks: RegistryHooks.combine(named("1", log), named("2", log))
      })
      yield* Registry.populate(registry)
      assert.deepStrictEqual(log, [
        "1 populating",
        "2 populating",
        "1 registering 1",
        "2 registering 1",
        "1 registered 1",
        "2 registered 1",
        "1 registering 2",
        "2 registering 2",
        "1 registered 2",
        "2 registered 2",
        "1 populated",
        "2 populated"
      ])
      log.length = 0
      yield* Registry.reset(registry)
      assert.deepStrictEqual(log, [
        "2 resetting",
        "1 resetting",
        "2 unregistering 2",
        "1 unregistering 2",
        "2 unregistered 2",
        "1 unregistered 2",
        "2 unregistering 1",
        "1 unregistering 1",
        "2 unregistered 1",
        "1 unregistered 1",
        "2 reset",
        "1 reset"
      ])
    }))

  it.effect("replace calls: registering new, unregistering old, unregistered old, registered new", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a], hooks: recording(log) })
      yield* Registry.populate(registry)
      log.length = 0
      yield* Registry.replace(registry, "id", 1, b)
      assert.deepStrictEqual(log, ["registering 2", "unregistering 1", "unregistered 1", "registered 2"])
    }))

  it.effect("G21 added hooks take part from the next operation on, nested ones included", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const scope = yield* Scope.make()
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: {
          onItemRegistered: (item) =>
            item !== a ? Effect.void : Effect.gen(function*() {
              yield* Scope.provide(Registry.addHooks(registry, named("added", log)), scope)
              yield* Registry.register(registry, b)
            }).pipe(Effect.orDie)
        }
      })
      yield* Registry.register(registry, a)
      assert.deepStrictEqual(log, ["added registering 2", "added registered 2"])
      yield* Scope.close(scope, Exit.void)
      yield* Registry.register(registry, c)
      assert.strictEqual(log.length, 2)
    }))

  it.effect("G21 removing hooks waits for the operation that calls them: after the scope has closed they are not called", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const gate = yield* Deferred.make<void>()
      const scope = yield* Scope.make()
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.populate(registry)
      yield* Scope.provide(
        Registry.addHooks(registry, {
          onItemRegistering: () => Deferred.await(gate),
          onItemRegistered: () => Effect.sync(() => log.push("registered"))
        }),
        scope
      )
      const registering = yield* Effect.forkChild(Registry.register(registry, a), { startImmediately: true })
      const closing = yield* Effect.forkChild(
        Effect.andThen(Scope.close(scope, Exit.void), Effect.sync(() => log.push("closed"))),
        { startImmediately: true }
      )
      assert.isUndefined(closing.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(registering)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(log, ["registered", "closed"])
    }))

  it.effect("G21 a hook that is removed by another in the same operation is not called any more", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const scope = yield* Scope.make()
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: { onItemRegistered: () => Scope.close(scope, Exit.void) }
      })
      yield* Registry.populate(registry)
      yield* Scope.provide(Registry.addHooks(registry, named("removed", log)), scope)
      yield* Registry.register(registry, a)
      assert.deepStrictEqual(log, ["removed registering 1"])
    }))

  it.effect("G21 removed hooks still roll back their calls in a transaction that fails", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const scope = yield* Scope.make()
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.populate(registry)
      yield* Scope.provide(Registry.addHooks(registry, named("h", log)), scope)
      yield* Effect.exit(Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, a)
          yield* Scope.close(scope, Exit.void)
          yield* Registry.register(registry, b)
          return yield* Effect.fail("no")
        })
      ))
      assert.deepStrictEqual(log.filter((line) => !line.includes("ing")), ["h registered 1", "h unregistered 1"])
    }))

  it.effect("G21 existing: told of each registered item when added, and of each remaining one when removed", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const scope = yield* Scope.make()
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a, b] })
      yield* Registry.populate(registry)
      yield* Scope.provide(Registry.addHooks(registry, named("h", log), { existing: true }), scope)
      yield* Registry.register(registry, c)
      yield* Registry.unregister(registry, a)
      yield* Scope.close(scope, Exit.void)
      yield* Registry.unregister(registry, b)
      assert.deepStrictEqual(log.filter((line) => line.includes("ed ")), [
        "h registered 1",
        "h registered 2",
        "h registered 3",
        "h unregistered 1",
        "h unregistered 3",
        "h unregistered 2"
      ])
    }))

  it.effect("G21 existing: adding hooks does not populate, and dies with a message in a transaction", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ name: "items", lookup: ["id"], defaults: [a] })
      yield* Registry.addHooks(registry, {}, { existing: true })
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      const exit = yield* Effect.exit(Registry.transact(registry, Registry.addHooks(registry, {}, { existing: true })))
      assert.match(messageOf(exit), /"existing" to "items"/)
    }))

  it.effect("G20 existing: a hook that changes the registry while it is told of its items, and one that dies", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [a, b],
        populationFailure: "die"
      })
      yield* Registry.populate(registry)
      const meddling = RegistryHooks.make<Item>()({
        onItemRegistered: (item) => {
          balance.add(item, 1)
          return item === a
            ? Effect.orDie(Effect.andThen(Registry.register(registry, c), Registry.unregister(registry, b)))
            : Effect.void
        },
        onItemUnregistered: (item) => Effect.sync(() => balance.add(item, -1))
      })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.addHooks(registry, meddling, { existing: true })
        assert.deepStrictEqual(balance.wrong(yield* Registry.values(registry)), [])
      }))
      assert.deepStrictEqual(balance.wrong([]), [])

      const fragile = RegistryHooks.make<Item>()({
        onItemRegistered: (item) =>
          item === c ? Effect.die(new Error("boom")) : Effect.sync(() => balance.add(item, 1)),
        onItemUnregistered: (item) => Effect.sync(() => balance.add(item, -1))
      })
      assert.strictEqual(
        messageOf(yield* Effect.exit(Registry.addHooks(registry, fragile, { existing: true }))),
        "boom"
      )
      assert.deepStrictEqual(balance.wrong([]), [])
      yield* Registry.register(registry, d)
      assert.deepStrictEqual(balance.wrong([]), [])
    }))

  it.effect("G20 existing: hooks are removed in a transaction with 200,000 calls", () =>
    Effect.gen(function*() {
      const quiet = { onItemRegistered: () => Effect.void, onItemUnregistered: () => Effect.void }
      const registry = yield* Registry.make<number>()({ lookup: { id: Lookup.unique((id) => id) }, hooks: quiet })
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.addHooks(registry, {}, { existing: true }), scope)
      const many = Array.from({ length: 200_000 }, (_, i) => i)
      yield* Registry.transact(
        registry,
        Effect.andThen(Registry.registerAll(registry, many), Scope.close(scope, Exit.void))
      )
      assert.strictEqual(yield* Registry.size(registry), many.length)
    }))

  it.effect("G20 existing hooks come and go while others write, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const balance = new Balance()
        const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a, b] })
        const watching = Effect.scoped(
          Effect.andThen(Registry.addHooks(registry, balance.hooks, { existing: true }), Effect.yieldNow)
        )
        const churn = (item: Item) =>
          Effect.exit(Effect.andThen(Registry.register(registry, item), Registry.unregister(registry, item)))
        const fibers = yield* Effect.forEach([watching, churn(c), Registry.reset(registry), churn(d)], (operation) =>
          Effect.forkChild<Effect.Effect<unknown>>(operation))
        yield* Effect.forkChild(Fiber.interrupt(fibers[0]!))
        yield* Effect.forEach(fibers, Fiber.await)
        assert.deepStrictEqual(balance.wrong([]), [])
        yield* Effect.scoped(Effect.gen(function*() {
          yield* Registry.addHooks(registry, balance.hooks, { existing: true })
          yield* churn(c)
          assert.deepStrictEqual(balance.wrong(Registry.snapshotUnsafe(registry)), [])
        }))
      })),
      { seeds }
    ))

  it.effect("hooks run with the services where they were defined, and in the transaction of the operation", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      class Items extends Registry.Service<Items, Item>()("test/Items", { lookup: ["id"] }) {}
      const Log = RegistryHooks.layer(Items, {
        onItemRegistered: (item) =>
          Effect.gen(function*() {
            log.push(`${yield* Prefix}${item.id} of ${yield* Effect.orDie(Items.size)}`)
          })
      })
      const live = Log.pipe(Layer.provide(Layer.succeed(Prefix, "layer ")), Layer.provideMerge(Items.layer))
      yield* Effect.gen(function*() {
        yield* Effect.provideService(Items.register(a), Prefix, "caller ")
      }).pipe(Effect.provide(live))
      assert.deepStrictEqual(log, ["layer 1 of 1"])
    }))

  it.effect("each of several hooks runs with its own services, in one operation", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      for (const prefix of ["one ", "two ", "three "]) {
        yield* Effect.provideService(
          Registry.addHooks(registry, {
            onItemRegistering: ({ id }: Item) => Effect.map(Prefix, (own) => log.push(`${own}registering ${id}`)),
            onItemRegistered: ({ id }: Item) => Effect.map(Prefix, (own) => log.push(`${own}registered ${id}`))
          }),
          Prefix,
          prefix
        )
      }
      yield* Registry.register(registry, a)
      assert.deepStrictEqual(log, [
        "one registering 1",
        "two registering 1",
        "three registering 1",
        "one registered 1",
        "two registered 1",
        "three registered 1"
      ])
    }))

  it.effect("hooks of a layer made by an effect may acquire resources for the life of the layer", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      class Items extends Registry.Service<Items, Item>()("test/Items", { lookup: ["id"] }) {}
      const Log = RegistryHooks.layer(
        Items,
        Effect.map(
          Effect.acquireRelease(Effect.sync(() => log.push("open")), () => Effect.sync(() => log.push("close"))),
          () => ({ onItemRegistered: (item: Item) => Effect.sync(() => log.push(`write ${item.id}`)) })
        )
      )
      yield* Items.register(a).pipe(Effect.provide(Log.pipe(Layer.provideMerge(Items.layer))))
      assert.deepStrictEqual(log, ["open", "write 1", "close"])
    }))

  it.effect("combined hooks have all handlers, which call those of their parts in order", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      // a part need not have any handler
      const both = RegistryHooks.combineAll([named("x", log), RegistryHooks.make<Item>()({}), named("y", log)])
      const calls = [
        both.onPopulating,
        both.onItemRegistering(a),
        both.onItemRegistered(a),
        both.onPopulated,
        both.onResetting,
        both.onItemUnregistering(a),
        both.onItemUnregistered(a),
        both.onReset
      ]
      yield* Effect.forEach(calls, (call) => call, { discard: true })
      assert.deepStrictEqual(log, [
        "x populating",
        "y populating",
        "x registering 1",
        "y registering 1",
        "x registered 1",
        "y registered 1",
        "x populated",
        "y populated",
        "y resetting",
        "x resetting",
        "y unregistering 1",
        "x unregistering 1",
        "y unregistered 1",
        "x unregistered 1",
        "y reset",
        "x reset"
      ])
    }))

  it.effect("a registry with synchronous hooks runs synchronously", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<number>()({
        lookup: [],
        hooks: { onItemRegistered: () => Effect.sync(() => {}) }
      })
      yield* Registry.populate(registry)
      Effect.runSync(Effect.forEach(Array.from({ length: 5000 }, (_, i) => i), (i) => Registry.register(registry, i)))
      assert.strictEqual(yield* Registry.size(registry), 5000)
    }))

  it.effect("G15 synchronous hooks for thousands of items let other fibers take turns", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: { onItemRegistering: () => Effect.void } })
      yield* Registry.populate(registry)
      const registering = yield* Effect.forkChild(
        Registry.registerAll(registry, Array.from({ length: 5_000 }, (_, i) => new Item(i, `item ${i}`)))
      )
      let turns = 0
      for (; registering.pollUnsafe() === undefined; turns++) yield* Effect.yieldNow
      assert.isAtLeast(turns, 5)
      assert.strictEqual(yield* Registry.size(registry), 5_000)
    }))
})
