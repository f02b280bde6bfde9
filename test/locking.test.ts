import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Latch } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { isLocked, waitingForLock } from "./utils/inside.ts"
import { a, b, c, d, Item, messageOf } from "./utils/items.ts"

const seeds = 1_000

/** A registry whose hook for item 1 waits at a latch. */
const gated = Effect.gen(function*() {
  const latch = yield* Latch.make()
  const registry = yield* Registry.make<Item>()({
    name: "gated",
    lookup: ["id"],
    hooks: { onItemRegistered: (item: Item) => item === a ? latch.await : Effect.void }
  })
  yield* Registry.populate(registry)
  return { latch, registry }
})

describe("mutual exclusion", () => {
  it.effect("G13 operations happen one after another, hooks included, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        let inside = 0
        const alone = Effect.gen(function*() {
          assert.strictEqual(++inside, 1)
          yield* Effect.yieldNow
          inside--
        })
        const registry = yield* Registry.make<Item>()({
          lookup: ["id"],
          hooks: { onItemRegistering: () => alone, onItemRegistered: () => alone, onItemUnregistered: () => alone }
        })
        const cycle = (item: Item) =>
          Effect.andThen(Registry.register(registry, item), Registry.unregister(registry, item))
        yield* Effect.all(
          [cycle(a), cycle(b), Registry.reset(registry), cycle(c), Registry.transact(registry, alone)],
          {
            concurrency: "unbounded"
          }
        ).pipe(Effect.catchTag("ItemLookupError", () => Effect.void)) // the reset has removed it
      })),
      { seeds }
    ))

  it.effect("G13 a fiber that waits for the lock can be interrupted at once, and leaves no trace", () =>
    Effect.gen(function*() {
      const { latch, registry } = yield* gated
      const holding = yield* Effect.forkChild(Registry.register(registry, a), { startImmediately: true })
      for (
        const operation of [
          Registry.register(registry, b),
          Registry.reset(registry),
          Registry.transact(registry, Effect.void),
          Effect.scoped(Registry.registerScoped(registry, c))
        ]
      ) {
        const waiting = yield* Effect.forkChild(operation, { startImmediately: true })
        yield* Fiber.interrupt(waiting)
        assert.strictEqual(waitingForLock(registry), 0)
      }
      const last = yield* Effect.forkChild(Registry.register(registry, d), { startImmediately: true })
      yield* latch.open
      yield* Fiber.join(holding)
      yield* Fiber.join(last)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, d])
    }))

  it.effect("G13 a fiber that is interrupted in any step of its wait leaves the lock to the next, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({
          lookup: ["id"],
          hooks: { onItemRegistered: () => Effect.yieldNow }
        })
        yield* Registry.populate(registry)
        const holding = yield* Effect.forkChild(Registry.register(registry, a))
        const waiting = yield* Effect.forkChild(Registry.register(registry, b))
        const next = yield* Effect.forkChild(Registry.register(registry, c))
        yield* Effect.yieldNow
        yield* Fiber.interrupt(waiting)
        yield* Fiber.joinAll([holding, next])
        assert.isFalse(isLocked(registry))
        yield* Registry.register(registry, d)
      })),
      { seeds }
    ))

  it.effect("G13 waiting fibers get the lock in the order in which they came", () =>
    Effect.gen(function*() {
      const { latch, registry } = yield* gated
      const fibers = yield* Effect.forEach(
        [a, b, c, d],
        (item) => Effect.forkChild(Registry.register(registry, item), { startImmediately: true })
      )
      yield* latch.open
      yield* Fiber.joinAll(fibers)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, b, c, d])
    }))

  it.effect("G15 readers are not blocked by a writer whose hook sleeps, and see the published contents", () =>
    Effect.gen(function*() {
      const { latch, registry } = yield* gated
      const writing = yield* Effect.forkChild(Registry.register(registry, a), { startImmediately: true })
      assert.strictEqual(yield* Registry.size(registry), 0)
      assert.isFalse(yield* Registry.has(registry, "id", 1))
      assert.strictEqual(yield* Registry.state(registry), "Ready")
      yield* latch.open
      yield* Fiber.join(writing)
      assert.strictEqual(yield* Registry.size(registry), 1)
    }))
})

describe("re-entrancy", () => {
  it.effect("G14 a hook, its children and a transact body do anything to the registry", () =>
    Effect.gen(function*() {
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: {
          onItemRegistered: (item) =>
            item !== a ? Effect.void : Effect.gen(function*() {
              yield* Registry.register(registry, b)
              const child = yield* Effect.forkChild(Registry.register(registry, c))
              yield* Fiber.join(child)
              yield* Registry.transact(registry, Registry.register(registry, d))
              assert.strictEqual(yield* Registry.size(registry), 4)
              yield* Registry.unregister(registry, b)
            }).pipe(Effect.orDie)
        }
      })
      yield* Registry.register(registry, a)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, c, d])
    }))

  it.effect("G14 a hook resets the registry before the item is inserted: it is populated again first (G18)", () =>
    Effect.gen(function*() {
      let again = true
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [b],
        populationFailure: "die",
        hooks: {
          onItemRegistering: (item) => {
            if (item !== a || !again) return Effect.void
            again = false
            return Effect.orDie(Effect.andThen(Registry.register(registry, c), Registry.reset(registry)))
          }
        }
      })
      yield* Registry.register(registry, a)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [b, a])
      assert.strictEqual(yield* Registry.state(registry), "Ready")
    }))

  it.effect("G14 inside a reset, reset and populate do nothing, and items that onResetting adds are removed with the rest", () =>
    Effect.gen(function*() {
      const gone: Array<number> = []
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [a, b],
        populationFailure: "die",
        hooks: {
          onResetting: Effect.suspend(() => Effect.orDie(Registry.register(registry, c))),
          onItemUnregistered: (item) =>
            Effect.gen(function*() {
              gone.push(item.id)
              yield* Registry.reset(registry)
              yield* Registry.populate(registry)
              // cascades: an item that is gone when its turn comes is skipped
              if (item === c) yield* Registry.unregister(registry, b)
            }).pipe(Effect.orDie),
          onReset: Effect.suspend(() => Registry.reset(registry))
        }
      })
      yield* Registry.populate(registry)
      yield* Registry.reset(registry)
      assert.deepStrictEqual(gone, [3, 2, 1])
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, b])
    }))

  it.effect("G14 an item that a hook adds after onResetting makes the reset die with its name, and nothing changes", () =>
    Effect.gen(function*() {
      for (const hook of ["onItemUnregistered", "onReset"] as const) {
        const late = Effect.suspend((): Effect.Effect<void> => Effect.orDie(Registry.register(registry, c)))
        const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
          name: "items",
          lookup: ["id"],
          defaults: [a, b],
          populationFailure: "die",
          hooks: hook === "onReset"
            ? { onReset: late }
            : { onItemUnregistered: (item) => item === b ? late : Effect.void }
        })
        yield* Registry.populate(registry)
        const exit = yield* Effect.exit(Registry.reset(registry))
        assert.match(messageOf(exit), /Could not reset "items": a hook registered 3 while/)
        assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, b])
        assert.strictEqual(yield* Registry.state(registry), "Ready")
      }
    }))

  it.effect("G14 a reset waits for a population", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: Effect.as(Deferred.await(gate), [a]) })
      const populating = yield* Effect.forkChild(Registry.size(registry), { startImmediately: true })
      const resetting = yield* Effect.forkChild(Registry.reset(registry), { startImmediately: true })
      assert.isUndefined(resetting.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(populating)
      yield* Fiber.join(resetting)
      assert.strictEqual(yield* Registry.state(registry), "Pending")
    }))

  it.effect("G14 a transaction waits for the nested ones of its children", () =>
    Effect.gen(function*() {
      const { latch, registry } = yield* gated
      const outer = yield* Effect.forkChild(
        Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Effect.forkDetach(Registry.register(registry, a), { startImmediately: true })
            return yield* Registry.size(registry)
          })
        ),
        { startImmediately: true }
      )
      assert.isUndefined(outer.pollUnsafe())
      yield* latch.open
      assert.strictEqual(yield* Fiber.join(outer), 0)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
    }))

  it.effect("G14 children of one transaction write concurrently, and no write is lost, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
          lookup: ["id"],
          hooks: {
            onItemRegistering: () => Effect.yieldNow,
            onItemRegistered: (item) =>
              item.id < 10 ? Effect.orDie(Registry.register(registry, new Item(item.id + 10))) : Effect.yieldNow
          }
        })
        yield* Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Effect.forkChild(Registry.register(registry, a))
            yield* Effect.all([b, c].map((item) => Registry.register(registry, item)), { concurrency: "unbounded" })
            yield* Registry.register(registry, d)
          })
        )
        const ids = (yield* Registry.values(registry)).map(({ id }) => id)
        assert.includeMembers(ids, [2, 3, 4, 12, 13, 14])
        // the forked child was interrupted with its parent, or has completed, hook included
        assert.strictEqual(ids.includes(1), ids.includes(11))
      })),
      { seeds }
    ))

  it.effect("G14 a hook forks a registration that runs beside its transaction: both succeed, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const forked: Array<Fiber.Fiber<void, unknown>> = []
        const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
          lookup: ["id"],
          hooks: {
            onItemRegistering: (item) =>
              item !== a ? Effect.yieldNow : Effect.map(
                Effect.forkDetach(Registry.register(registry, b)),
                (fiber) => forked.push(fiber)
              ),
            onItemRegistered: () => Effect.yieldNow
          }
        })
        yield* Registry.register(registry, a)
        yield* Fiber.joinAll(forked)
        assert.sameMembers([...(yield* Registry.values(registry))], [a, b])
      })),
      { seeds }
    ))

  it.effect("detached runs outside of all transactions", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, a)
          assert.strictEqual(yield* Registry.size(registry), 1)
          assert.strictEqual(yield* Registry.detached(Registry.size(registry)), 0)
        })
      )
    }))
})

describe("waits that would never end", () => {
  it.effect("two transactions that want each other's registry: one dies with a message, the other goes on", () =>
    Effect.gen(function*() {
      const one = yield* Registry.make<Item>()({ name: "one", lookup: ["id"] })
      const two = yield* Registry.make<Item>()({ name: "two", lookup: ["id"] })
      const both = yield* Latch.make()
      const first = yield* Effect.forkChild(
        Registry.transact(one, Effect.andThen(both.await, Registry.register(two, a))),
        { startImmediately: true }
      )
      const second = yield* Effect.forkChild(
        Registry.transact(two, Effect.andThen(both.await, Registry.register(one, b))),
        { startImmediately: true }
      )
      yield* both.open
      const exits = [yield* Fiber.await(first), yield* Fiber.await(second)]
      assert.strictEqual(exits.filter(Exit.isFailure).length, 1)
      assert.match(
        messageOf(exits.find(Exit.isFailure)!),
        /Deadlock: .*"one".*waits for.*"two"|Deadlock: .*"two".*waits for.*"one"/
      )
      assert.strictEqual((yield* Registry.size(one)) + (yield* Registry.size(two)), 1)
    }))

  it.effect("populations that need each other: all waiters get the defect", () =>
    Effect.gen(function*() {
      type Items = Registry.Registry<Item, readonly ["id"]>
      const one: Items = yield* Registry.make<Item>()({
        name: "one",
        lookup: ["id"],
        defaults: Effect.suspend((): Effect.Effect<ReadonlyArray<Item>> => Registry.values(two)),
        populationFailure: "die"
      })
      const two: Items = yield* Registry.make<Item>()({
        name: "two",
        lookup: ["id"],
        defaults: Effect.suspend(() => Registry.values(one)),
        populationFailure: "die"
      })
      const exits = yield* Effect.all([Effect.exit(Registry.size(one)), Effect.exit(Registry.size(two))], {
        concurrency: "unbounded"
      })
      for (const exit of exits) assert.match(messageOf(exit), /Deadlock/)
    }))

  it.effect("a population that writes to the registry whose transaction waits for it dies", () =>
    Effect.gen(function*() {
      const other = yield* Registry.make<Item>()({ name: "other", lookup: ["id"] })
      const registry = yield* Registry.make<Item>()({
        name: "items",
        lookup: ["id"],
        defaults: Effect.as(Effect.orDie(Registry.register(other, a)), [b])
      })
      const exit = yield* Effect.exit(Registry.transact(other, Registry.size(registry)))
      assert.match(messageOf(exit), /Deadlock/)
      assert.strictEqual(yield* Registry.size(registry), 1)
    }))

  it.effect("under schedules, three registries whose hooks write to each other in a circle never hang", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        type Items = Registry.Registry<Item, readonly ["id"]>
        const registries: Array<Items> = []
        for (const index of [0, 1, 2]) {
          registries.push(
            yield* Registry.make<Item>()({
              name: `registry ${index}`,
              lookup: ["id"],
              hooks: {
                onItemRegistered: (item) =>
                  item === a
                    ? Effect.orDie(Registry.register(registries[(index + 1) % 3]!, new Item(10 + index)))
                    : Effect.void
              }
            })
          )
        }
        const exits = yield* Effect.all(registries.map((registry) => Effect.exit(Registry.register(registry, a))), {
          concurrency: "unbounded"
        })
        for (const exit of exits) if (Exit.isFailure(exit)) assert.match(messageOf(exit), /Deadlock/)
        assert.isTrue(exits.some(Exit.isSuccess))
        for (const registry of registries) yield* Registry.register(registry, d)
      })),
      { seeds }
    ))

  it.effect("no false alarm: fibers that use registries in one order never die, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const one = yield* Registry.make<Item>()({ lookup: ["id"], defaults: Effect.as(Effect.yieldNow, []) })
        const two = yield* Registry.make<Item>()({
          lookup: ["id"],
          defaults: Effect.as(Effect.yieldNow, []),
          hooks: RegistryHooks.make<Item>()({ onItemRegistered: () => Effect.yieldNow })
        })
        const program = (id: number) =>
          Registry.transact(
            one,
            Effect.gen(function*() {
              yield* Registry.register(one, new Item(id))
              yield* Effect.all([
                Registry.register(two, new Item(id)),
                Registry.register(two, new Item(id + 100)),
                Registry.size(two)
              ], { concurrency: "unbounded" })
            })
          )
        yield* Effect.all(
          [program(1), program(2), Registry.size(two), Registry.register(two, new Item(7)), program(3)],
          {
            concurrency: "unbounded"
          }
        )
        assert.deepStrictEqual([yield* Registry.size(one), yield* Registry.size(two)], [3, 7])
      })),
      { seeds }
    ))
})
