import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { Registry, RegistryError, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { a, b, c, d, found, Item, messageOf, recording } from "./utils/items.ts"

const seeds = 1_000

type Items = Registry.Registry<Item, readonly ["id", "name"]>

const make = Registry.make<Item>()({ lookup: ["id", "name"] })

describe("atomicity", () => {
  it.effect("G7 a transaction that fails, dies or is interrupted leaves no trace", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id", "name"], defaults: [a, b] })
      const before = yield* Registry.snapshot(registry)
      for (const end of [Effect.fail("no"), Effect.die("boom"), Effect.interrupt]) {
        const exit = yield* Effect.exit(Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.register(registry, c)
            yield* Registry.unregister(registry, a)
            yield* Registry.replace(registry, "id", 2, d)
            yield* Registry.reset(registry)
            yield* Registry.register(registry, c)
            return yield* end
          })
        ))
        assert.isTrue(Exit.isFailure(exit))
        assert.strictEqual(yield* Registry.snapshot(registry), before)
      }
      yield* Registry.register(registry, c)
    }))

  it.effect("G7 registerAll is all or nothing, hooks included", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: recording(log) })
      yield* Registry.populate(registry)
      log.length = 0
      const error = yield* Effect.flip(Registry.registerAll(registry, [a, b, new Item(1, "twin"), c]))
      assert.instanceOf(error, RegistryError.AlreadyRegisteredError)
      assert.strictEqual(yield* Registry.size(registry), 0)
      assert.deepStrictEqual(log.filter((line) => !line.includes("ing")), [
        "registered 1",
        "registered 2",
        "unregistered 2",
        "unregistered 1"
      ])
    }))

  it.effect("G7 registerAll of many items, without hooks, is all or nothing", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const many = Array.from({ length: 5000 }, (_, id) => new Item(id))
      yield* Effect.flip(Registry.registerAll(registry, [...many, new Item(17, "twin")]))
      assert.strictEqual(yield* Registry.size(registry), 0)
      yield* Registry.registerAll(registry, many)
      assert.strictEqual(yield* Registry.size(registry), 5000)
      assert.deepStrictEqual(yield* found(registry, many[4321]!), [true, true, true, true])
    }))

  it.effect("G7 a nested transaction that fails leaves no trace in the one around it", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, a)
          yield* Effect.exit(
            Registry.transact(registry, Effect.andThen(Registry.register(registry, b), Effect.fail("no")))
          )
          yield* Registry.register(registry, c)
        })
      )
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, c])
      assert.strictEqual(RegistrySnapshot.revision(yield* Registry.snapshot(registry)), 2)
    }))

  it.effect("G7 a fiber that outlives its transaction works outside of it", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const gate = yield* Deferred.make<void>()
      const late = yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, a)
          return yield* Effect.forkDetach(Effect.andThen(Deferred.await(gate), Registry.register(registry, b)), {
            startImmediately: true
          })
        })
      )
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(late)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, b])
    }))

  it.effect("G7 while a transaction rolls back, its hooks see the contents from before it, and change nothing", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: {
          onItemUnregistered: () =>
            Effect.gen(function*() {
              seen.push([...(yield* Registry.values(registry))])
              yield* Registry.register(registry, c)
              yield* Registry.unregister(registry, d)
              yield* Registry.reset(registry)
              seen.push([...(yield* Registry.values(registry))])
            }).pipe(Effect.orDie)
        }
      })
      yield* Registry.register(registry, a)
      yield* Effect.exit(Registry.transact(registry, Effect.andThen(Registry.register(registry, b), Effect.fail("no"))))
      assert.deepStrictEqual(seen, [[a], [a]])
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
    }))

  it.effect("G7 while a transaction rolls back, each operation in it succeeds without effect", () =>
    Effect.gen(function*() {
      const answers: Array<readonly [string, unknown]> = []
      const operations: Record<string, (registry: Items) => Effect.Effect<unknown, unknown, Scope.Scope>> = {
        register: (registry) => Registry.register(registry, c),
        registerAll: (registry) => Registry.registerAll(registry, [c, d]),
        registerScoped: (registry) => Registry.registerScoped(registry, c),
        registerAllScoped: (registry) => Registry.registerAllScoped(registry, [c, d]),
        upsert: (registry) => Registry.upsert(registry, c),
        override: (registry) => Registry.override(registry, new Item(1, "other")),
        unregister: (registry) => Registry.unregister(registry, a),
        unregisterBy: (registry) => Registry.unregisterBy(registry, "id", 1),
        unregisterOwner: (registry) => Registry.unregisterOwner(registry, "plugin"),
        replace: (registry) => Registry.replace(registry, "id", 1, c),
        reconcile: (registry) => Registry.reconcile(registry, [c]),
        populate: (registry) => Registry.populate(registry),
        reset: (registry) => Registry.reset(registry)
      }
      const scope = yield* Effect.scope
      const registry: Items = yield* Registry.make<Item>()({
        lookup: ["id", "name"],
        hooks: {
          onItemUnregistered: () =>
            Effect.forEach(Object.entries(operations), ([name, operation]) =>
              Effect.map(
                Effect.exit(Scope.provide(operation(registry), scope)),
                (exit) => answers.push([name, Exit.isSuccess(exit) ? exit.value : exit])
              ))
        }
      })
      yield* Effect.provideService(Registry.register(registry, a), Registry.Owner, "plugin")
      const before = yield* Registry.snapshot(registry)
      yield* Effect.exit(Registry.transact(registry, Effect.andThen(Registry.register(registry, b), Effect.fail("no"))))
      const empties: Record<string, unknown> = {
        unregisterOwner: [],
        reconcile: { added: [], removed: [], replaced: [], kept: [], moved: [] }
      }
      assert.deepStrictEqual(answers, Object.keys(operations).map((name) => [name, empties[name]]))
      assert.strictEqual(yield* Registry.snapshot(registry), before)
    }))

  it.effect("G7 a hook that dies during rollback does not stop the others, and its defect joins the cause", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: RegistryHooks.combine(
          recording(log),
          RegistryHooks.make<Item>()({
            onItemUnregistered: (item) => item === b ? Effect.die(new Error("undo")) : Effect.void,
            onItemRegistered: () => Effect.void
          })
        )
      })
      yield* Registry.populate(registry)
      log.length = 0
      const exit = yield* Effect.exit(Registry.transact(
        registry,
        Registry.registerAll(registry, [a, b]).pipe(Effect.andThen(Effect.fail("no")))
      ))
      assert.isTrue(Exit.isFailure(exit) && exit.cause.reasons.length === 2)
      assert.deepStrictEqual(log.filter((line) => line.startsWith("unregistered")), [
        "unregistered 2",
        "unregistered 1"
      ])
    }))

  it.effect("G8 an item is found by all its attributes or by none, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({
          lookup: ["id", "name"],
          hooks: { onItemRegistered: () => Effect.yieldNow, onItemUnregistered: () => Effect.yieldNow }
        })
        const twin = new Item(1, "twin")
        const writer = Effect.gen(function*() {
          yield* Registry.register(registry, a)
          yield* Registry.replace(registry, "id", 1, twin)
          yield* Registry.unregister(registry, twin)
        })
        const reader = Effect.gen(function*() {
          const snapshot = yield* Registry.snapshot(registry)
          for (const item of [a, twin]) {
            const held = RegistrySnapshot.contains(snapshot, item)
            assert.strictEqual(RegistrySnapshot.has(snapshot, "name", item.name), held)
            assert.strictEqual([...snapshot].includes(item), held)
            assert.strictEqual(
              RegistrySnapshot.get(snapshot, "id", 1)._tag === "Some",
              RegistrySnapshot.size(snapshot) === 1
            )
          }
        })
        yield* Effect.all([writer, ...Array.from({ length: 5 }, () => reader)], { concurrency: "unbounded" })
      })),
      { seeds }
    ))

  it.effect("G8 an iteration shows one revision, though others write meanwhile", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a, b, c] })
      const seen: Array<Item> = []
      for (const item of yield* Registry.snapshot(registry)) {
        seen.push(item)
        yield* Registry.unregister(registry, item)
        yield* Registry.register(registry, new Item(item.id + 10))
      }
      assert.deepStrictEqual(seen, [a, b, c])
    }))

  it.effect("G8 the list of values is frozen", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a] })
      const values = (yield* Registry.values(registry)) as Array<Item>
      assert.throws(() => values.push(b))
      assert.strictEqual(yield* Registry.size(registry), 1)
    }))

  it.effect("G9 keys are taken again after onItemRegistering, and kept", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ id: number }>()({
        lookup: ["id"],
        hooks: { onItemRegistering: (item: { id: number }) => Effect.sync(() => item.id *= 10) }
      })
      const item = { id: 1 }
      yield* Registry.register(registry, item)
      assert.deepStrictEqual([
        yield* Registry.has(registry, "id", 1),
        yield* Registry.has(registry, "id", 10)
      ], [false, true])
      item.id = 5
      assert.isTrue(yield* Registry.contains(registry, item))
      yield* Registry.unregister(registry, item)
      assert.isFalse(yield* Registry.has(registry, "id", 10))
    }))

  it.effect("G9 an item that is a function is found after it was changed", () =>
    Effect.gen(function*() {
      const command = Object.assign(() => {}, { id: 1 })
      const registry = yield* Registry.make<typeof command>()({ lookup: ["id"] })
      yield* Registry.register(registry, command)
      command.id = 2
      assert.isTrue(yield* Registry.contains(registry, command))
      yield* Registry.unregister(registry, command)
      assert.isFalse(yield* Registry.has(registry, "id", 1))
    }))

  it.effect("G9 the error of a key function surfaces as itself, and nothing is registered", () =>
    Effect.gen(function*() {
      const broken = new Error("broken getter")
      const registry = yield* Registry.make<{ readonly id: number }>()({ lookup: ["id"] })
      const exit = yield* Effect.exit(Registry.register(registry, {
        get id(): number {
          throw broken
        }
      }))
      assert.strictEqual(messageOf(exit), "broken getter")
      assert.strictEqual(yield* Registry.size(registry), 0)
      yield* Registry.register(registry, { id: 1 })
    }))

  it.effect("G12 replace keeps the position, in values, at and group lookups", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a, b, c] })
      yield* Registry.replace(registry, "id", 2, d)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, d, c])
      yield* Registry.upsert(registry, new Item(1, "new"))
      yield* Registry.upsert(registry, new Item(9, "nine"))
      assert.deepStrictEqual((yield* Registry.values(registry)).map(({ name }) => name), [
        "new",
        "item 4",
        "item 3",
        "nine"
      ])
      const error = yield* Effect.flip(Registry.replace(registry, "id", 2, a))
      assert.strictEqual(error.code, "not_registered")
    }))

  it.effect("G8 a snapshot taken in a transaction does not change when the transaction commits", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a] })
      const before = yield* Registry.snapshot(registry)
      const inside = yield* Registry.transact(
        registry,
        Effect.andThen(Registry.register(registry, b), Registry.snapshot(registry))
      )
      const after = yield* Registry.snapshot(registry)
      assert.strictEqual(RegistrySnapshot.revision(inside), RegistrySnapshot.revision(before))
      assert.strictEqual(RegistrySnapshot.revision(after), RegistrySnapshot.revision(before) + 1)
    }))
})
