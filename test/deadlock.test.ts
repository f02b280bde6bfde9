import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Latch, type Scope } from "effect"
import { Registry, RegistryError, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { isLocked } from "./utils/inside.ts"
import { a, b, c, defectOf, Item, messageOf } from "./utils/items.ts"

const lookup = ["id"] as const

type Items = Registry.Registry<Item, typeof lookup>

const make = (
  name: string,
  hooks: RegistryHooks.RegistryHooks<Item> = RegistryHooks.empty
): Effect.Effect<Items, never, Scope.Scope> =>
  Effect.tap(Registry.make<Item>()({ name, lookup, hooks }), Registry.populate)

const makeMany = (count: number) =>
  Effect.forEach(Array.from({ length: count }, (_, i) => `r${i}`), (name) => make(name))

const isFree = (...registries: ReadonlyArray<Items>) => registries.every((registry) => !isLocked(registry))

const register = (registry: Items, item: Item) => Effect.orDie(Registry.register(registry, item))

/** Runs all at once. Exactly one must die of a deadlock, which is returned. */
const deadlockAmong = (effects: ReadonlyArray<Effect.Effect<unknown, unknown>>) =>
  Effect.map(
    Effect.all(effects.map((effect) => Effect.exit(effect)), { concurrency: "unbounded" }),
    (exits) => {
      const failed = exits.filter(Exit.isFailure)
      assert.strictEqual(failed.length, 1, failed.map(messageOf).join("\n"))
      const error = defectOf(failed[0]!)
      assert.instanceOf(error, RegistryError.DeadlockError)
      return error as RegistryError.DeadlockError
    }
  )

/** A barrier: each waits here until all have come. */
const together = (count: number) => {
  const gate = Latch.makeUnsafe()
  let arrived = 0
  return Effect.suspend(() => {
    if (++arrived === count) gate.openUnsafe()
    return gate.await
  })
}

describe("deadlocks", () => {
  for (const count of [2, 3, 12]) {
    it.effect(`G16 a ring of ${count} transactions: one dies, and its message names the chain, as far as a line goes`, () =>
      Effect.gen(function*() {
        const registries = yield* makeMany(count)
        const all = together(count)
        const error = yield* deadlockAmong(
          registries.map((registry, i) =>
            Registry.transact(registry, Effect.andThen(all, register(registries[(i + 1) % count]!, a)))
          )
        )
        assert.sameMembers([...error.chain], registries.map(({ name }) => name))
        // each waits for the next, and the last for the first
        const ring = error.waits.map(({ registry }) => Number(registry.slice(1)))
        assert.strictEqual(ring.length, count)
        for (const [i, number] of ring.entries()) assert.strictEqual(ring[(i + 1) % count], (number + 1) % count)
        const doing = ring.map((number) => `"transact" of "r${number}"`)
        const advice = " A transaction is assumed to wait for everything that it starts; " +
          "run it with Registry.detached if it does not."
        const circle = `Deadlock: ${doing[0]} waits for ${[...doing.slice(1), "the first"].join(", which waits for ")}.`
        const shown = circle.length <= 280 ? circle : `${circle.slice(0, 279)}…`
        assert.strictEqual(error.message, `${shown}${advice}`)
        assert.isTrue(isFree(...registries))
        for (const registry of registries) yield* register(registry, c)
      }))
  }

  it.effect("G16 through hooks: the message names the operations that called them", () =>
    Effect.gen(function*() {
      const all = together(2)
      const writes = (target: () => Items) =>
        RegistryHooks.make<Item>()({
          onItemRegistered: (item) => item === a ? Effect.andThen(all, register(target(), b)) : Effect.void,
          onItemUnregistering: (item) => item === c ? Effect.andThen(all, register(target(), b)) : Effect.void
        })
      const one: Items = yield* make("one", writes(() => two))
      const two: Items = yield* make("two", writes(() => one))
      yield* register(two, c)
      const error = yield* deadlockAmong([
        Registry.register(one, a),
        Registry.replace(two, "id", 3, new Item(3, "new"))
      ])
      assert.sameDeepMembers([...error.waits], [
        { registry: "one", operation: "register" },
        { registry: "two", operation: "replace" }
      ])
      assert.match(error.message, /"register" of "one"/)
      assert.match(error.message, /"replace" of "two"/)
    }))

  it.effect("G16 through children: a transaction is assumed to wait for the fibers that it starts", () =>
    Effect.gen(function*() {
      const [one, two] = yield* makeMany(2) as Effect.Effect<[Items, Items], never, Scope.Scope>
      const all = together(2)
      const child = (registry: Items) => Effect.flatMap(Effect.forkChild(register(registry, a)), Fiber.join)
      const error = yield* deadlockAmong([
        Registry.transact(
          one,
          Effect.andThen(all, Effect.all([child(two), Effect.yieldNow], { concurrency: "unbounded" }))
        ),
        Registry.transact(two, Effect.andThen(all, child(one)))
      ])
      assert.sameMembers([...error.chain], ["r0", "r1"])
    }))

  it.effect("G16 no transaction is assumed to wait for a fiber that Registry.detached starts", () =>
    Effect.gen(function*() {
      const [one, two] = yield* makeMany(2) as Effect.Effect<[Items, Items], never, Scope.Scope>
      const all = together(2)
      const forked = yield* Effect.all([
        Registry.transact(one, Effect.andThen(all, Effect.forkDetach(Registry.detached(register(two, a))))),
        Registry.transact(two, Effect.andThen(all, Effect.forkDetach(Registry.detached(register(one, a)))))
      ], { concurrency: "unbounded" })
      yield* Fiber.joinAll(forked)
      assert.deepStrictEqual([yield* Registry.size(one), yield* Registry.size(two)], [1, 1])
    }))

  it.effect("G16 populations that need each other, over three registries: all waiters get the error, and the next use tries again", () =>
    Effect.gen(function*() {
      const names = ["one", "two", "three"]
      let healthy = false
      const registries: Array<Items> = []
      for (const [i, name] of names.entries()) {
        registries.push(
          yield* Registry.make<Item>()({
            name,
            lookup,
            populationFailure: "die",
            defaults: Effect.suspend(() =>
              healthy ? Effect.succeed([a]) : Effect.as(Registry.size(registries[(i + 1) % 3]!), [a])
            )
          })
        )
      }
      const exits = yield* Effect.all(
        [0, 1, 2, 0].map((i) => Effect.exit(Registry.values(registries[i]!))),
        { concurrency: "unbounded" }
      )
      for (const exit of exits) {
        const error = defectOf(exit) as RegistryError.DeadlockError
        assert.sameMembers([...error.chain], names)
        assert.isTrue(error.waits.every(({ operation }) => operation === "populate"))
      }
      // explain shows the cause
      assert.strictEqual((yield* Registry.explain(registries[0]!, "id", 1))._tag, "PopulationFailed")
      healthy = true
      for (const registry of registries) assert.strictEqual(yield* Registry.size(registry), 1)
    }))

  it.effect("G16 through a population that needs a registry whose transaction waits for it", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const other = yield* make("other")
      const lazy: Registry.Registry<Item, typeof lookup> = yield* Registry.make<Item>()({
        name: "lazy",
        lookup,
        populationFailure: "die",
        defaults: Effect.andThen(Deferred.await(gate), Effect.as(register(other, a), [b]))
      })
      const reading = yield* Effect.forkChild(Effect.exit(Registry.size(lazy)), { startImmediately: true })
      const holding = yield* Effect.forkChild(Effect.exit(Registry.transact(other, Registry.size(lazy))), {
        startImmediately: true
      })
      yield* Deferred.succeed(gate, undefined)
      for (const exit of [yield* Fiber.join(reading), yield* Fiber.join(holding)]) {
        assert.match(messageOf(exit), /^Deadlock: "populate" of "lazy" waits for "transact" of "other"/)
      }
      assert.isTrue(isFree(other, lazy))
      assert.strictEqual(yield* Registry.size(lazy), 1)
    }))

  it.effect("G16 an abandoned population takes no lock, though a scope has closed in it, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const begun = yield* Deferred.make<void>()
        const interrupted = yield* Deferred.make<void>()
        const slow = Effect.forEach([1, 2, 3], () => Effect.yieldNow)
        const two = yield* make("two")
        let attempts = 0
        const one: Items = yield* Registry.make<Item>()({
          lookup,
          populationFailure: "die",
          hooks: RegistryHooks.make<Item>()({ onItemRegistered: () => slow, onItemUnregistered: () => slow }),
          defaults: Effect.suspend(() =>
            attempts++ > 0
              ? Effect.as(register(two, c), [b])
              : Effect.scoped(Registry.registerScoped(one, a)).pipe(
                Effect.andThen(Deferred.succeed(begun, undefined)),
                Effect.andThen(Effect.never),
                Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
              )
          )
        })
        const given = yield* Effect.forkChild(Registry.transact(two, Registry.size(one)))
        yield* Deferred.await(begun)
        given.interruptUnsafe()
        yield* Deferred.await(interrupted)
        // it waits for the second registry, whose transaction waits for the abandoned population
        assert.strictEqual(yield* Registry.size(one), 1)
        yield* Fiber.await(given)
        assert.isTrue(isFree(one, two))
      })),
      { seeds: 1_000 }
    ))

  it.effect("G4 G16 a fiber that outlives a transaction and then populates ends no other transaction, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const two = yield* make("two")
        const one: Items = yield* Registry.make<Item>()({
          lookup,
          // a list would populate in the step of the reader
          defaults: Effect.succeed([a]),
          populationFailure: "die"
        })
        const late = yield* Registry.transact(
          one,
          Effect.gen(function*() {
            yield* Registry.reset(one)
            return yield* Effect.forkDetach(
              Registry.transact(
                two,
                Effect.andThen(Registry.size(one), Effect.andThen(register(two, b), Registry.size(two)))
              )
            )
          })
        )
        assert.strictEqual(yield* Fiber.join(late), 1)
        assert.strictEqual(yield* Registry.size(one), 1)
        assert.isTrue(isFree(one, two))
      })),
      { seeds: 500 }
    ))

  it.effect("G16 a fiber that outlives a population can wait for one that waited for the population, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const [two, three] = [yield* make("two"), yield* make("three")]
        const outliving = yield* Deferred.make<Fiber.Fiber<void>>()
        // polls, and so may see the end of the population before its waiters go on
        const isReady: Effect.Effect<void> = Effect.suspend(() =>
          Effect.flatMap(
            Registry.detached(Registry.state(one)),
            (state) => state === "Ready" ? Effect.void : Effect.andThen(Effect.yieldNow, isReady)
          )
        )
        const one: Items = yield* Registry.make<Item>()({
          lookup,
          defaults: Effect.gen(function*() {
            const begun = yield* Deferred.make<void>()
            const fiber = yield* Effect.forkDetach(Registry.transact(
              three,
              Deferred.succeed(begun, undefined).pipe(
                Effect.andThen(isReady),
                Effect.andThen(register(two, b))
              )
            ))
            yield* Deferred.await(begun)
            yield* Deferred.succeed(outliving, fiber)
            return [a]
          }),
          populationFailure: "die"
        })
        yield* Registry.transact(two, Registry.populate(one))
        yield* Fiber.join(yield* Deferred.await(outliving))
        assert.strictEqual(yield* Registry.size(two), 1)
        assert.isTrue(isFree(one, two, three))
      })),
      { seeds: 500 }
    ))

  it.effect("G16 through transactAll, which holds one lock and waits for another", () =>
    Effect.gen(function*() {
      const [one, two, three, four] = yield* makeMany(4) as Effect.Effect<
        [Items, Items, Items, Items],
        never,
        Scope.Scope
      >
      const begun = yield* Latch.make()
      // transactAll holds two, and waits for three
      const ends = yield* Effect.forkChild(
        Effect.exit(Registry.transact(
          three,
          Effect.andThen(begun.await, Registry.transact(four, register(one, a)))
        )),
        { startImmediately: true }
      )
      const between = yield* Effect.forkChild(Effect.exit(Registry.transactAll([three, two], register(two, b))), {
        startImmediately: true
      })
      const begins = yield* Effect.forkChild(Effect.exit(Registry.transact(one, register(two, a))), {
        startImmediately: true
      })
      yield* begun.open
      const exits = [yield* Fiber.join(begins), yield* Fiber.join(between), yield* Fiber.join(ends)]
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, true, false])
      const error = defectOf(exits[2]!) as RegistryError.DeadlockError
      assert.deepStrictEqual([...error.chain], ["r3", "r0", "r1", "r2"])
      assert.strictEqual(
        error.message.split(". ")[0],
        "Deadlock: \"transact\" of \"r3\" waits for \"transact\" of \"r0\", which waits for \"transactAll\" of \"r1 and r2\", " +
          "which waits for \"transact\" of \"r2\", which waits for the first"
      )
    }))

  it.effect("G16 children of a transaction that use its registry join it, and wait for no lock", () =>
    Effect.gen(function*() {
      const one = yield* make("one")
      yield* Registry.transact(
        one,
        Effect.all([
          register(one, a),
          Registry.transact(one, register(one, b)),
          Registry.transactAll([one], register(one, c))
        ], {
          concurrency: "unbounded"
        })
      )
      assert.strictEqual(yield* Registry.size(one), 3)
    }))

  it.effect("G16 the transaction that dies rolls back, and the others go on", () =>
    Effect.gen(function*() {
      const [one, two] = yield* makeMany(2) as Effect.Effect<[Items, Items], never, Scope.Scope>
      const all = together(2)
      const write = (first: Items, second: Items, item: Item) =>
        Registry.transact(first, Effect.andThen(register(first, item), Effect.andThen(all, register(second, item))))
      const exits = yield* Effect.all([Effect.exit(write(one, two, a)), Effect.exit(write(two, one, b))], {
        concurrency: "unbounded"
      })
      const [winner] = [a, b].filter((_, i) => Exit.isSuccess(exits[i]!))
      assert.deepStrictEqual([...(yield* Registry.values(one))], [winner])
      assert.deepStrictEqual([...(yield* Registry.values(two))], [winner])
      assert.isTrue(isFree(one, two))
    }))

  it.effect("a registry can replace the message of a deadlock that its operation closes", () =>
    Effect.gen(function*() {
      const one: Items = yield* Registry.make<Item>()({
        name: "one",
        lookup,
        messages: {
          deadlock: ({ chain, waits }) => `${chain.join(" ")}: ${waits.map(({ operation }) => operation).join(" ")}`
        }
      })
      const exit = yield* Effect.exit(Registry.transact(one, Registry.awaitItem(one, "id", 1)))
      assert.strictEqual(messageOf(exit), "one: awaitItem transact")
    }))

  it.effect("G16 two transactions that want each other's registry deadlock in exactly the schedules that would hang", () =>
    Effect.gen(function*() {
      const ends = new Set<string>()
      const report = yield* RegistryTest.interleave(
        Effect.scoped(Effect.gen(function*() {
          const [one, two] = yield* makeMany(2) as Effect.Effect<[Items, Items], never, Scope.Scope>
          const exits = yield* Effect.all([
            Effect.exit(Registry.transact(one, register(two, a))),
            Effect.exit(Registry.transact(two, register(one, b)))
          ], { concurrency: "unbounded" })
          const failed = exits.filter(Exit.isFailure)
          for (const exit of failed) assert.instanceOf(defectOf(exit), RegistryError.DeadlockError)
          ends.add(String(failed.length))
          assert.isAtMost(failed.length, 1)
          assert.isTrue(isFree(one, two))
        })),
        { strategy: "exhaustive", limit: 1_500 }
      )
      assert.isAbove(report.schedules, 100)
      assert.sameMembers([...ends], ["0", "1"])
    }))
})

/** Programs that never wait in a circle: they take registries in one order, or one at a time. */
const healthy: Readonly<Record<string, Effect.Effect<void, never, Scope.Scope>>> = {
  "transactions of two, in one order": Effect.gen(function*() {
    const [one, two] = yield* makeMany(2) as Effect.Effect<[Items, Items], never, Scope.Scope>
    const both = (id: number) =>
      Registry.transact(one, Effect.andThen(register(one, new Item(id)), register(two, new Item(id))))
    yield* Effect.all([both(1), both(2), register(two, new Item(3))], { concurrency: "unbounded" })
    assert.strictEqual(yield* Registry.size(two), 3)
  }),
  "transactAll, in any order": Effect.gen(function*() {
    const [one, two] = yield* makeMany(2) as Effect.Effect<[Items, Items], never, Scope.Scope>
    const both = (registries: ReadonlyArray<Items>, id: number) =>
      Registry.transactAll(registries, Effect.andThen(register(one, new Item(id)), register(two, new Item(id))))
    yield* Effect.all([both([one, two], 1), both([two, one], 2), register(one, new Item(3))], {
      concurrency: "unbounded"
    })
    assert.strictEqual(yield* Registry.size(one), 3)
  }),
  "populations that need each other in one order": Effect.gen(function*() {
    const one: Items = yield* Registry.make<Item>()({ lookup, defaults: Effect.succeed([a]), populationFailure: "die" })
    const two: Items = yield* Registry.make<Item>()({
      lookup,
      defaults: Registry.values(one),
      populationFailure: "die"
    })
    const sizes = yield* Effect.all([
      Registry.size(two),
      Registry.size(one),
      Registry.transact(two, Registry.size(one))
    ], {
      concurrency: "unbounded"
    })
    assert.deepStrictEqual(sizes, [1, 1, 1])
  }),
  "transactAll of Pending registries, one of which needs the other to populate, and of a reset one": Effect.gen(
    function*() {
      const one: Items = yield* Registry.make<Item>()({ lookup, defaults: [a], populationFailure: "die" })
      const two: Items = yield* Registry.make<Item>()({
        lookup,
        defaults: Registry.values(one),
        populationFailure: "die"
      })
      const both = Registry.transactAll([one, two], Effect.andThen(register(one, b), register(two, b)))
      yield* Effect.all([Registry.size(two), both, Registry.reset(one), Registry.reset(two)], {
        concurrency: "unbounded"
      })
    }
  ),
  "a hook that writes to another registry, and its child": Effect.gen(function*() {
    const log = yield* make("log")
    const one = yield* make(
      "one",
      RegistryHooks.make<Item>()({
        onItemRegistered: (item) => Effect.flatMap(Effect.forkChild(register(log, item)), Fiber.join)
      })
    )
    yield* Effect.all([register(one, a), register(one, b), register(log, c)], { concurrency: "unbounded" })
    assert.strictEqual(yield* Registry.size(log), 3)
  }),
  "awaitItem that is interrupted": Effect.gen(function*() {
    const one = yield* make("one")
    const waiting = yield* Effect.forkChild(Registry.awaitItem(one, "id", 1))
    const given = yield* Effect.forkChild(Registry.transact(one, Effect.andThen(Effect.yieldNow, register(one, b))))
    yield* Effect.all([Fiber.interrupt(given), register(one, a)], { concurrency: "unbounded" })
    assert.strictEqual(yield* Fiber.join(waiting), a)
  }),
  "a fiber that outlives its transaction": Effect.gen(function*() {
    const [one, two] = yield* makeMany(2) as Effect.Effect<[Items, Items], never, Scope.Scope>
    const late = yield* Registry.transact(one, Effect.forkDetach(Registry.transact(two, Effect.yieldNow)))
    yield* Registry.transact(two, Effect.andThen(Effect.yieldNow, Registry.transact(one, Effect.yieldNow)))
    yield* Fiber.join(late)
  })
}

describe("no false alarm", () => {
  for (const [name, program] of Object.entries(healthy)) {
    it.effect(`G16 ${name}, under 1,700 schedules`, () =>
      RegistryTest.interleave(Effect.scoped(program), { seeds: 1_700 }))
  }
})
