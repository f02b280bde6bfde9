/**
 * Tests that the deliberate faults of `test/breaks` showed to be missing.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Deferred, Effect, Exit, Fiber, Latch, Logger, Scope } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { kept } from "./utils/collecting.ts"
import { installedHooks, isLocked, keptChanges } from "./utils/inside.ts"
import { a, b, Balance, c, found, Item, messageOf, recording } from "./utils/items.ts"

const seeds = 1_000

const named = (name: string) => Registry.make<Item>()({ name, lookup: ["id"] })

describe("the lock", () => {
  it.effect("G7 G13 a write without hooks waits for the transaction that is open", () =>
    Effect.gen(function*() {
      const latch = yield* Latch.make()
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.populate(registry)
      const open = yield* Effect.forkChild(
        Registry.transact(registry, Effect.andThen(Registry.register(registry, a), latch.await)),
        { startImmediately: true }
      )
      const writing = yield* Effect.forkChild(Registry.register(registry, b), { startImmediately: true })
      assert.isUndefined(writing.pollUnsafe())
      yield* latch.open
      yield* Fiber.joinAll([open, writing])
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, b])
    }))

  it.effect("G7 G11 writers without hooks race for keys, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({ lookup: ["id", "name"], defaults: [c] })
        const twins = [new Item(1, "one"), new Item(1, "uno")]
        const exits = yield* Effect.all(
          [...twins, b].map((item) => Effect.exit(Registry.register(registry, item))),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(exits.map(Exit.isSuccess).toSorted(), [false, true, true])
        assert.strictEqual(yield* Registry.size(registry), 3)
        for (const item of yield* Registry.values(registry)) {
          assert.deepStrictEqual(yield* found(registry, item), [true, true, true, true])
        }
      })),
      { seeds }
    ))

  it.effect("G7 it is free when a transaction has ended: committed, failed, died or interrupted", () =>
    Effect.gen(function*() {
      for (const end of [Effect.void, Effect.fail("no"), Effect.die("boom"), Effect.interrupt]) {
        for (const hooks of [{}, recording([])]) {
          const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks })
          yield* Effect.exit(Registry.transact(registry, Effect.andThen(Registry.register(registry, a), end)))
          assert.isFalse(isLocked(registry))
        }
      }
    }))

  it.effect("G16 a circle of waits that leads over an outer transaction is a deadlock", () =>
    Effect.gen(function*() {
      const one = yield* named("one")
      const two = yield* named("two")
      const three = yield* named("three")
      const go = yield* Latch.make()
      const last = yield* Effect.forkChild(
        Registry.transact(three, Effect.andThen(go.await, Registry.register(one, a))),
        { startImmediately: true }
      )
      const first = yield* Effect.forkChild(
        Registry.transact(one, Registry.transact(two, Registry.register(three, b))),
        { startImmediately: true }
      )
      yield* go.open
      assert.match(messageOf(yield* Fiber.await(last)), /Deadlock: "transact" of "three" waits for .*"one"/)
      yield* Fiber.join(first)
      assert.strictEqual(yield* Registry.size(three), 1)
    }))
})

describe("waits", () => {
  it.effect("G16 no false alarm: a wait that has ended is not part of a circle", () =>
    Effect.gen(function*() {
      const one = yield* Registry.make<Item>()({ name: "one", lookup: ["id"] })
      const two = yield* Registry.make<Item>()({
        name: "two",
        lookup: ["id"],
        hooks: { onItemRegistered: () => Effect.yieldNow }
      })
      const waited = yield* Latch.make()
      const end = yield* Latch.make()
      const first = yield* Effect.forkChild(
        Registry.transact(one, Registry.register(two, a).pipe(Effect.andThen(waited.open), Effect.andThen(end.await))),
        { startImmediately: true }
      )
      yield* waited.await
      const second = yield* Effect.forkChild(Registry.transact(two, Registry.register(one, b)), {
        startImmediately: true
      })
      yield* end.open
      yield* Fiber.joinAll([first, second])
      assert.strictEqual(yield* Registry.size(one), 1)
    }))

  it.effect("G16 no false alarm: an interrupted wait is not part of a circle", () =>
    Effect.gen(function*() {
      const one = yield* named("one")
      const two = yield* named("two")
      yield* Effect.andThen(Registry.populate(one), Registry.populate(two))
      const givenUp = yield* Latch.make()
      const end = yield* Latch.make()
      const second = yield* Effect.forkChild(
        Registry.transact(two, Effect.andThen(givenUp.await, Registry.register(one, b))),
        { startImmediately: true }
      )
      const first = yield* Effect.forkChild(
        Registry.transact(
          one,
          Effect.gen(function*() {
            const waiting = yield* Effect.forkChild(Registry.register(two, a), { startImmediately: true })
            yield* Fiber.interrupt(waiting)
            yield* givenUp.open
            yield* end.await
          })
        ),
        { startImmediately: true }
      )
      assert.isUndefined(second.pollUnsafe())
      yield* end.open
      yield* Fiber.joinAll([first, second])
      assert.strictEqual(yield* Registry.size(one), 1)
    }))
})

describe("resets", () => {
  it.effect("G14 a reset calls no hook for an item that another hook has unregistered before its turn", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: RegistryHooks.combine(
          recording(log),
          RegistryHooks.make<Item>()({
            onItemUnregistered: (item) => item === b ? Effect.orDie(Registry.unregister(registry, a)) : Effect.void
          })
        )
      })
      yield* Registry.registerAll(registry, [a, b])
      log.length = 0
      yield* Registry.reset(registry)
      assert.strictEqual(log.filter((line) => line === "unregistering 1").length, 1)
    }))

  it.effect("G14 a reset tells hooks once of an item that onItemUnregistering itself unregisters", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let once = true
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: RegistryHooks.combine(
          recording(log),
          RegistryHooks.make<Item>()({
            onItemUnregistering: (item) => {
              if (item !== a || !once) return Effect.void
              once = false
              return Effect.orDie(Registry.unregister(registry, a))
            }
          })
        )
      })
      yield* Registry.registerAll(registry, [a, b])
      log.length = 0
      yield* Registry.reset(registry)
      assert.strictEqual(log.filter((line) => line === "unregistered 1").length, 1)
      assert.strictEqual(yield* Registry.state(registry), "Pending")
    }))

  it.effect("G5 a forked reset that waited for a population to end is not part of it, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const children: Array<Fiber.Fiber<unknown, unknown>> = []
        const registry: Registry.Registry<Item, readonly ["id"], unknown> = yield* Registry.make<Item>()({
          lookup: ["id"],
          defaults: [a],
          hooks: {
            onItemRegistered: (item) => item === b ? Effect.yieldNow : Effect.void,
            onPopulated: Effect.suspend(() =>
              Effect.gen(function*() {
                children.push(yield* Effect.forkDetach(Registry.register(registry, b), { startImmediately: true }))
                children.push(yield* Effect.forkDetach(Effect.andThen(Effect.yieldNow, Registry.reset(registry))))
              })
            )
          }
        })
        yield* Registry.populate(registry)
        for (const child of children) yield* Fiber.await(child)
        const tags = keptChanges(registry).map(({ events }) => events.map(({ _tag }) => _tag))
        assert.include(String(tags[0]), "Populated")
        assert.notInclude(String(tags[0]), "Reset")
      })),
      { seeds }
    ))

  it.effect("G6 a reset that waited in a transaction, and finds it ended, does not populate", () =>
    Effect.gen(function*() {
      let runs = 0
      const gate = yield* Latch.make()
      const second = yield* Latch.make()
      const children: Array<Fiber.Fiber<void>> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.sync(() => {
          runs++
          return [a]
        }),
        hooks: { onReset: gate.await }
      })
      yield* Registry.populate(registry)
      const outer = yield* Effect.forkChild(
        Registry.transact(
          registry,
          Effect.gen(function*() {
            const resets = [Registry.reset(registry), Effect.andThen(second.await, Registry.reset(registry))]
            for (const child of resets) children.push(yield* Effect.forkDetach(child, { startImmediately: true }))
          })
        ),
        { startImmediately: true }
      )
      // the body has ended, and waits for the first reset; the second one waits behind it
      yield* second.open
      yield* Effect.yieldNow
      yield* gate.open
      yield* Fiber.join(outer)
      yield* Fiber.joinAll(children)
      assert.strictEqual(runs, 1)
      assert.strictEqual(yield* Registry.state(registry), "Pending")
    }))

  it.effect("G18 a hook forks a reset that ends before the item is inserted: the registry is populated again first", () =>
    Effect.gen(function*() {
      let once = true
      const registry: Registry.Registry<Item, readonly ["id"], unknown> = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [b],
        hooks: {
          onReset: Effect.yieldNow,
          onItemRegistering: (item: Item) => {
            if (item !== a || !once) return Effect.void
            once = false
            return Effect.forkDetach(Registry.reset(registry), { startImmediately: true })
          }
        }
      })
      yield* Registry.register(registry, a)
      assert.strictEqual(yield* Registry.state(registry), "Ready")
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [b, a])
    }))

  it.effect("G14 a reset in which a hook registers an item dies before onReset", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: RegistryHooks.combine(
          recording(log),
          RegistryHooks.make<Item>()({
            onItemUnregistered: (item) => item === a ? Effect.orDie(Registry.register(registry, c)) : Effect.void
          })
        )
      })
      yield* Registry.register(registry, a)
      assert.match(messageOf(yield* Effect.exit(Registry.reset(registry))), /Could not reset/)
      assert.notInclude(log, "reset")
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
    }))

  it.effect("G17 a write that waited for a reset, and fails, leaves the registry populated", () =>
    Effect.gen(function*() {
      const gate = yield* Latch.make()
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [a],
        hooks: { onResetting: gate.await }
      })
      yield* Registry.populate(registry)
      const resetting = yield* Effect.forkChild(Registry.reset(registry), { startImmediately: true })
      const failing = yield* Effect.forkChild(Effect.flip(Registry.register(registry, new Item(1, "twin"))), {
        startImmediately: true
      })
      yield* gate.open
      yield* Fiber.join(resetting)
      assert.strictEqual((yield* Fiber.join(failing)).code, "attribute_registered")
      assert.strictEqual(yield* Registry.state(registry), "Ready")
    }))
})

describe("transactions", () => {
  it.effect("G7 a fiber that outlives its transaction reads the published contents while another transaction is open", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      const another = yield* named("other")
      const ask = yield* Latch.make()
      const reading = Effect.andThen(ask.await, Registry.values(registry))
      const late = yield* Registry.transact(
        registry,
        Effect.andThen(
          Registry.register(registry, a),
          Effect.forkDetach(
            // in the ended transaction itself, and in another one inside it
            Effect.all([reading, Registry.transact(another, reading)], { concurrency: "unbounded" }),
            { startImmediately: true }
          )
        )
      )
      yield* Registry.register(registry, b)
      const end = yield* Latch.make()
      const other = yield* Effect.forkChild(
        Registry.transact(registry, Effect.andThen(Registry.register(registry, c), end.await)),
        { startImmediately: true }
      )
      yield* ask.open
      for (const items of yield* Fiber.join(late)) assert.deepStrictEqual([...items], [a, b])
      yield* end.open
      yield* Fiber.join(other)
    }))

  it.effect("G7 an operation that waited in a transaction, and finds it ended, works outside of it", () =>
    Effect.gen(function*() {
      const gate = yield* Latch.make()
      const second = yield* Latch.make()
      const children: Array<Fiber.Fiber<void, unknown>> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: { onItemRegistered: (item) => item === a ? gate.await : Effect.void }
      })
      yield* Registry.populate(registry)
      const outer = yield* Effect.forkChild(
        Registry.transact(
          registry,
          Effect.gen(function*() {
            for (
              const child of [
                Registry.register(registry, a),
                Effect.andThen(second.await, Registry.reset(registry))
              ]
            ) {
              children.push(yield* Effect.forkDetach(child, { startImmediately: true }))
            }
          })
        ),
        { startImmediately: true }
      )
      // the body has ended and waits for the first child; the second one waits behind it
      yield* second.open
      yield* Effect.yieldNow
      yield* gate.open
      yield* Fiber.join(outer)
      yield* Fiber.joinAll(children)
      assert.strictEqual(yield* Registry.state(registry), "Pending")
    }))

  it.effect("G7 G14 many items are inserted in several turns while a child of the transaction registers another", () =>
    Effect.gen(function*() {
      const children: Array<Fiber.Fiber<void, unknown>> = []
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        populationFailure: "die",
        defaults: Effect.suspend(() =>
          Effect.map(Effect.forkDetach(Registry.register(registry, new Item(-1))), (child) => {
            children.push(child)
            return Array.from({ length: 5000 }, (_, id) => new Item(id))
          })
        )
      })
      yield* Registry.populate(registry)
      yield* Fiber.joinAll(children)
      assert.strictEqual(yield* Registry.size(registry), 5001)
      assert.isTrue(yield* Registry.has(registry, "id", -1))
    }))

  it.effect("G7 a transaction that fails while its child works rolls back after the child has ended", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const gate = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: RegistryHooks.combine(
          recording(log),
          RegistryHooks.make<Item>()({ onItemRegistered: (item) => item === a ? Deferred.await(gate) : Effect.void })
        )
      })
      yield* Registry.populate(registry)
      log.length = 0
      const failing = yield* Effect.forkChild(
        Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.register(registry, b)
            yield* Effect.forkDetach(Registry.register(registry, a), { startImmediately: true })
            return yield* Effect.fail("no")
          })
        ),
        { startImmediately: true }
      )
      assert.isUndefined(failing.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.await(failing)
      assert.deepStrictEqual(log.filter((line) => !line.includes("ing")), [
        "registered 2",
        "registered 1",
        "unregistered 1",
        "unregistered 2"
      ])
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("G10 a transaction that has ended keeps no items alive, though somebody still has its context", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], history: 0, hooks: recording([]) })
      for (const ends of [Effect.void, Effect.fail("no")]) {
        const items: Array<WeakRef<Item>> = []
        const fresh = (id: number) => {
          const item = new Item(id)
          items.push(new WeakRef(item))
          return item
        }
        let context = Context.empty()
        yield* Registry.register(registry, fresh(1))
        yield* Effect.exit(Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.register(registry, fresh(2))
            yield* Registry.unregisterBy(registry, "id", 1)
            context = yield* Effect.context<never>()
            yield* ends
          })
        ))
        yield* Registry.reconcile(registry, [])
        assert.strictEqual(yield* kept(items), 0)
        assert.strictEqual(yield* Effect.provideContext(Registry.size(registry), context), 0)
      }
    }))

  it.effect("G13 inserting many items can be interrupted between two turns", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.populate(registry)
      const many = Array.from({ length: 50_000 }, (_, id) => new Item(id))
      const registering = yield* Effect.forkChild(Registry.registerAll(registry, many), { startImmediately: true })
      yield* Effect.forkChild(Fiber.interrupt(registering), { startImmediately: true })
      let turns = 0
      for (; registering.pollUnsafe() === undefined; turns++) yield* Effect.yieldNow
      assert.isBelow(turns, 10)
      assert.strictEqual(yield* Registry.size(registry), 0)
      yield* Registry.register(registry, a)
    }))

  it.effect("G26 a reset that waits for the lock is interrupted when the registry closes", () =>
    Effect.gen(function*() {
      const gate = yield* Latch.make()
      const home = yield* Scope.make()
      const registry = yield* Scope.provide(Registry.make<Item>()({ lookup: ["id"], defaults: [a] }), home)
      const open = yield* Effect.forkChild(Registry.transact(registry, gate.await), { startImmediately: true })
      const resetting = yield* Effect.forkChild(Registry.reset(registry), { startImmediately: true })
      yield* Scope.close(home, Exit.void)
      yield* gate.open
      yield* Fiber.await(open)
      const exit = yield* Fiber.await(resetting)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
    }))

  it.effect("G22 the change of a transaction contains the events of nested ones", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.populate(registry)
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.registerAll(registry, [a, b])
          yield* Registry.unregister(registry, a)
        })
      )
      assert.deepStrictEqual(keptChanges(registry).at(-1)!.events.map(({ _tag }) => _tag), [
        "Registered",
        "Registered",
        "Unregistered"
      ])
    }))

  it.effect("G25 a scope that closes inside the transaction removes the items that it registered there", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Effect.scoped(Registry.registerScoped(registry, a))
          assert.strictEqual(yield* Registry.size(registry), 0)
        })
      )
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("G25 a scope that closes while a transaction rolls back: its items are removed after the rollback", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: { onItemUnregistered: (item: Item) => item === b ? Scope.close(scope, Exit.void) : Effect.void }
      })
      yield* Scope.provide(Registry.registerScoped(registry, a), scope)
      yield* Effect.exit(Registry.transact(registry, Effect.andThen(Registry.register(registry, b), Effect.fail("no"))))
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [])
    }))

  it.effect("G26 a transaction that is open when the registry closes rolls back, and publishes nothing", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const gate = yield* Deferred.make<void>()
      const scope = yield* Scope.make()
      const registry = yield* Scope.provide(
        Registry.make<Item>()({ lookup: ["id"], hooks: recording(log) }),
        scope
      )
      yield* Registry.populate(registry)
      const open = yield* Effect.forkChild(
        Registry.transact(registry, Effect.andThen(Registry.register(registry, a), Deferred.await(gate))),
        { startImmediately: true }
      )
      yield* Scope.close(scope, Exit.void)
      yield* Deferred.succeed(gate, undefined)
      const exit = yield* Fiber.await(open)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      assert.strictEqual(log.at(-1), "unregistered 1")
      assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [])
    }))
})

describe("population", () => {
  it.effect("G1 two children of a transaction read at once after a reset in it: the population runs once", () =>
    Effect.gen(function*() {
      let runs = 0
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => {
          runs++
          return Effect.as(Effect.yieldNow, [a, b])
        })
      })
      yield* Registry.populate(registry)
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.reset(registry)
          const sizes = yield* Effect.all([Registry.size(registry), Registry.size(registry)], {
            concurrency: "unbounded"
          })
          assert.deepStrictEqual(sizes, [2, 2])
        })
      )
      assert.strictEqual(runs, 2)
    }))

  it.effect("G3 a nested population is interrupted with its caller, without a defect", () =>
    Effect.gen(function*() {
      let runs = 0
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => ++runs === 2 ? Effect.never : Effect.succeed([a]))
      })
      yield* Registry.populate(registry)
      const transacting = yield* Effect.forkChild(
        Registry.transact(registry, Effect.andThen(Registry.reset(registry), Registry.size(registry))),
        { startImmediately: true }
      )
      yield* Fiber.interrupt(transacting)
      const exit = yield* Fiber.await(transacting)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause), String(exit))
      assert.strictEqual(yield* Registry.size(registry), 1)
    }))

  it.effect("G22 Populated is the last event, after the items that onPopulated registered", () =>
    Effect.gen(function*() {
      const registry: Registry.Registry<Item, readonly ["id"], unknown> = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [a],
        hooks: { onPopulated: Effect.suspend(() => Effect.orDie(Registry.register(registry, b))) }
      })
      yield* Registry.populate(registry)
      const tags = keptChanges(registry).flatMap(({ events }) => events.map(({ _tag }) => _tag))
      assert.deepStrictEqual(tags, ["Registered", "Registered", "Populated"])
    }))

  it.effect("G3 a population that is abandoned by all who waited does not count as failed", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: Effect.never })
      const waiting = yield* Effect.forkChild(Registry.size(registry), { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      assert.strictEqual((yield* Registry.explain(registry, "id", 1))._tag, "Pending")
    }))

  it.effect("G4 a transaction resets, populates and registers: the resources of its population stay", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let runs = 0
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => {
          const run = ++runs
          return Effect.as(Effect.acquireRelease(Effect.void, () => Effect.sync(() => log.push(`released ${run}`))), [
            a
          ])
        })
      })
      yield* Registry.populate(registry)
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.reset(registry)
          yield* Registry.populate(registry)
          yield* Registry.transact(registry, Registry.register(registry, b))
        })
      )
      assert.deepStrictEqual(log, ["released 1"])
      yield* Registry.reset(registry)
      assert.deepStrictEqual(log, ["released 1", "released 2"])
    }))

  it.effect("G4 the resources of a population stay through all changes, and are released without a log when another takes its place", () => {
    const lines: Array<unknown> = []
    return Effect.gen(function*() {
      const log: Array<string> = []
      let runs = 0
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => {
          const run = ++runs
          return Effect.as(Effect.acquireRelease(Effect.void, () => Effect.sync(() => log.push(`released ${run}`))), [
            a
          ])
        })
      })
      yield* Registry.populate(registry)
      yield* Registry.register(registry, b)
      yield* Registry.transact(registry, Registry.unregister(registry, b))
      assert.deepStrictEqual(log, [])
      const again = Effect.andThen(Registry.reset(registry), Registry.populate(registry))
      yield* Registry.transact(registry, Effect.andThen(again, again))
      assert.deepStrictEqual(log.toSorted(), ["released 1", "released 2"])
      yield* Registry.transact(registry, Registry.register(registry, b))
      assert.deepStrictEqual(log.length, 2)
      yield* Registry.reset(registry)
      assert.deepStrictEqual(log.toSorted(), ["released 1", "released 2", "released 3"])
      assert.deepStrictEqual(lines, [])
    }).pipe(Effect.provide(Logger.layer([Logger.make(({ message }) => lines.push(message))])))
  })

  it.effect("G2 a population that fails after a reset in the same transaction is logged like others", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => lines.push(`${logLevel} ${String(message)}`))
    return Effect.gen(function*() {
      let runs = 0
      const registry = yield* Registry.make<Item>()({
        name: "items",
        lookup: ["id"],
        defaults: Effect.suspend(() => ++runs === 1 ? Effect.succeed([a]) : Effect.fail("disk"))
      })
      yield* Registry.populate(registry)
      yield* Effect.exit(
        Registry.transact(registry, Effect.andThen(Registry.reset(registry), Registry.populate(registry)))
      )
      assert.strictEqual(lines.length, 1)
      assert.match(lines[0]!, /^Warn The population of "items" failed/)
    }).pipe(Effect.provide(Logger.layer([logger])))
  })

  it.effect("G4 releasing the resources of a population fails: it is logged, and the reset stands", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => lines.push(`${logLevel} ${String(message)}`))
    return Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({
        name: "items",
        lookup: ["id"],
        defaults: Effect.as(Effect.acquireRelease(Effect.void, () => Effect.die(new Error("release"))), [a])
      })
      yield* Registry.populate(registry)
      yield* Registry.reset(registry)
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      assert.strictEqual(lines.length, 1)
      assert.match(lines[0]!, /^Error Releasing what a population of "items" had acquired failed/)
    }).pipe(Effect.provide(Logger.layer([logger])))
  })

  it.effect("G6 a population that waited in a transaction, and finds it ended, is an outermost one", () =>
    Effect.gen(function*() {
      let runs = 0
      const gates = [yield* Latch.make(true), yield* Latch.make(), yield* Latch.make()]
      const second = yield* Latch.make()
      const children: Array<Fiber.Fiber<void, unknown>> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => {
          const run = runs++
          return Effect.andThen(gates[run]!.await, run === 1 ? Effect.fail("disk") : Effect.succeed([a]))
        })
      })
      yield* Registry.populate(registry)
      const outer = yield* Effect.forkChild(
        Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.reset(registry)
            const populations = [Registry.populate(registry), Effect.andThen(second.await, Registry.populate(registry))]
            for (const child of populations) children.push(yield* Effect.forkDetach(child, { startImmediately: true }))
          })
        ),
        { startImmediately: true }
      )
      // the body has ended, and waits for the first population; the second one waits behind it
      yield* second.open
      yield* Effect.yieldNow
      yield* gates[1]!.open
      yield* Fiber.join(outer)
      yield* Effect.exit(Fiber.join(children[0]!))
      for (let turn = 0; turn < 10; turn++) yield* Effect.yieldNow
      assert.strictEqual(runs, 3)
      assert.strictEqual(yield* Registry.state(registry), "Populating")
      yield* gates[2]!.open
      yield* Fiber.join(children[1]!)
      assert.strictEqual(yield* Registry.size(registry), 1)
    }))

  it.effect("G4 a transaction resets and populates: the old resources are released, the new ones stay", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let runs = 0
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => {
          const run = ++runs
          return Effect.as(
            Effect.acquireRelease(
              Effect.sync(() => log.push(`acquired ${run}`)),
              () => Effect.sync(() => log.push(`released ${run}`))
            ),
            [a]
          )
        })
      })
      yield* Registry.populate(registry)
      yield* Registry.transact(registry, Effect.andThen(Registry.reset(registry), Registry.populate(registry)))
      assert.deepStrictEqual(log, ["acquired 1", "acquired 2", "released 1"])
    }))
})

describe("hooks", () => {
  it.effect("G7 all defects of a rollback join the cause", () =>
    Effect.gen(function*() {
      const fragile = RegistryHooks.make<Item>()({
        onItemRegistered: () => Effect.void,
        onItemUnregistered: ({ id }) => Effect.die(new Error(`undo ${id}`))
      })
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: fragile })
      const exit = yield* Effect.exit(Registry.transact(
        registry,
        Effect.andThen(Registry.registerAll(registry, [a, b]), Effect.die(new Error("no")))
      ))
      const defects = Exit.isFailure(exit) ? exit.cause.reasons.filter(Cause.isDieReason) : []
      assert.deepStrictEqual(defects.map(({ defect }) => String(defect)), [
        "Error: no",
        "Error: undo 2",
        "Error: undo 1"
      ])
    }))

  it.effect("G20 existing: hooks removed in a transaction that fails are told nothing twice", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const scope = yield* Scope.make()
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a] })
      yield* Registry.populate(registry)
      yield* Scope.provide(Registry.addHooks(registry, balance.hooks, { existing: true }), scope)
      yield* Effect.exit(Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, b)
          yield* Scope.close(scope, Exit.void)
          return yield* Effect.fail("no")
        })
      ))
      assert.deepStrictEqual(balance.wrong([]), [])
    }))

  it.effect("G20 existing: hooks removed in a transaction that fails leave the others balanced", () =>
    Effect.gen(function*() {
      const staying = new Balance()
      const leaving = new Balance()
      const scope = yield* Scope.make()
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: staying.hooks })
      yield* Registry.populate(registry)
      yield* Scope.provide(Registry.addHooks(registry, leaving.hooks, { existing: true }), scope)
      yield* Effect.exit(Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, b)
          yield* Scope.close(scope, Exit.void)
          return yield* Effect.fail("no")
        })
      ))
      assert.deepStrictEqual(staying.wrong([]), [])
      assert.deepStrictEqual(leaving.wrong([]), [])
      assert.strictEqual(installedHooks(registry), 1, "the removed hooks are gone")
    }))

  it.effect("G20 existing: a hook that is being told of the items unregisters one before and one after the present one", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const scope = yield* Scope.make()
      const registry: Registry.Registry<Item, readonly ["id"], unknown> = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [a, b, c]
      })
      yield* Registry.populate(registry)
      const taking = RegistryHooks.make<Item>()({
        onItemRegistered: (item) =>
          item === b
            ? Effect.orDie(Effect.andThen(Registry.unregister(registry, a), Registry.unregister(registry, c)))
            : Effect.void
      })
      const hooks = RegistryHooks.combine(balance.hooks, taking)
      yield* Scope.provide(Registry.addHooks(registry, hooks, { existing: true }), scope)
      assert.deepStrictEqual(balance.wrong([b]), [])
      assert.isFalse(balance.counts.has(c), "an item that is gone when its turn comes is skipped")
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [b])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(balance.wrong([]), [])
    }))

  it.effect("G21 a hook that is removed before its turn is not called", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const scopes: Array<Scope.Closeable> = []
      const removing = Effect.suspend(() => Scope.close(scopes.at(-1)!, Exit.void))
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: { onItemRegistering: () => removing, onPopulating: removing }
      })
      for (const operation of [Registry.populate(registry), Registry.register(registry, a)]) {
        scopes.push(yield* Scope.make())
        yield* Scope.provide(Registry.addHooks(registry, recording(log)), scopes.at(-1)!)
        yield* operation
      }
      assert.deepStrictEqual(log, [])
    }))

  it.effect("G21 hooks whose removal dies of a deadlock are removed all the same", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const scope = yield* Scope.make()
      const one = yield* named("one")
      const two = yield* named("two")
      yield* Effect.all([Registry.populate(one), Registry.populate(two)])
      yield* Scope.provide(Registry.addHooks(one, recording(log)), scope)
      const go = yield* Latch.make()
      const closing = yield* Effect.forkChild(
        Registry.transact(two, Effect.andThen(go.await, Scope.close(scope, Exit.void))),
        { startImmediately: true }
      )
      const waiting = yield* Effect.forkChild(Registry.transact(one, Registry.register(two, a)), {
        startImmediately: true
      })
      yield* go.open
      assert.match(messageOf(yield* Fiber.await(closing)), /[Dd]eadlock/)
      yield* Fiber.join(waiting)
      yield* Registry.register(one, b)
      assert.deepStrictEqual(log, [])
    }))
})
