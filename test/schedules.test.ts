/**
 * The guarantees, each under a thousand schedules. Those that are about schedules have their tests in other files.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Logger, type Scope } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { a, b, Balance, c, d, defectOf, Item, recording } from "./utils/items.ts"

const together = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.all(effects, { concurrency: "unbounded" })

const exits = <E, R>(effects: ReadonlyArray<Effect.Effect<unknown, E, R>>) => together(effects.map(Effect.exit))

const code = <A, E>(exit: Exit.Exit<A, E>): unknown => {
  const error = defectOf(exit)
  return error instanceof Object && "code" in error ? error.code : error
}

class Place extends Context.Service<Place, string>()("test/Place") {}

const yielding = RegistryHooks.make<Item>()({
  onItemRegistering: () => Effect.yieldNow,
  onItemRegistered: () => Effect.yieldNow,
  onItemUnregistering: () => Effect.yieldNow,
  onItemUnregistered: () => Effect.yieldNow,
  onPopulating: Effect.yieldNow,
  onPopulated: Effect.yieldNow,
  onResetting: Effect.yieldNow,
  onReset: Effect.yieldNow
})

/** A program for each guarantee, which dies if the guarantee is broken. */
const programs: Readonly<Record<string, Effect.Effect<unknown, unknown, Scope.Scope>>> = {
  "G2 a population fails for all waiters, leaves nothing, and the next use populates again": Effect.gen(
    function*() {
      let runs = 0
      const balance = new Balance()
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => {
          runs++
          return Effect.as(Effect.yieldNow, runs === 1 ? [a, b, new Item(1, "twin")] : [a, b])
        }),
        hooks: RegistryHooks.combine(yielding, balance.hooks)
      })
      const answers = yield* exits([Registry.size(registry), Registry.size(registry), Registry.register(registry, c)])
      // a reader that came after the first run gets the result of the second
      for (const answer of answers) if (Exit.isFailure(answer)) assert.strictEqual(code(answer), "registration")
      assert.isTrue(answers.some(Exit.isFailure))
      assert.isTrue(yield* Registry.has(registry, "id", 2))
      assert.strictEqual(runs, 2)
      assert.deepStrictEqual(balance.wrong(yield* Registry.values(registry)), [])
    }
  ),

  "G4 a population has the services of the layer, and its resources until the reset": Effect.gen(
    function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["name"],
        defaults: Effect.gen(function*() {
          const place = yield* Place
          yield* Effect.acquireRelease(
            Effect.sync(() => log.push(`acquired at ${place}`)),
            () => Effect.sync(() => log.push(`released at ${place}`))
          )
          yield* Effect.yieldNow
          return [new Item(1, place)]
        })
      }).pipe(Effect.provideService(Place, "home"))
      const look = Effect.map(Registry.values(registry), (items) => items.map(({ name }) => name))
      const seen = yield* together(["here", "there"].map((place) => Effect.provideService(look, Place, place)))
      assert.deepStrictEqual(seen, [["home"], ["home"]])
      assert.deepStrictEqual(log, ["acquired at home"])
      yield* together([Registry.reset(registry), Registry.reset(registry)])
      assert.deepStrictEqual(log, ["acquired at home", "released at home"])
    }
  ),

  "G5 inside a population the registry answers from the draft, outside no reader sees a part of it": Effect.gen(
    function*() {
      const inside: Array<number> = []
      const registry: Registry.Registry<Item, readonly ["id"], unknown> = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() =>
          Effect.gen(function*() {
            yield* Registry.register(registry, a)
            yield* together([Registry.register(registry, b), Registry.populate(registry), Registry.reset(registry)])
            inside.push(yield* Registry.size(registry))
            return [c]
          })
        ),
        hooks: yielding
      })
      const sizes = yield* together([Registry.size(registry), Registry.size(registry), Registry.size(registry)])
      assert.deepStrictEqual(sizes, [3, 3, 3])
      assert.deepStrictEqual(inside, [2])
    }
  ),

  "G6 the state never waits, and a Pending registry holds nothing": Effect.gen(function*() {
    const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a, b], hooks: yielding })
    const look = Effect.gen(function*() {
      for (let i = 0; i < 8; i++) {
        const [state, size] = [
          yield* Registry.state(registry),
          RegistrySnapshot.size(Registry.snapshotUnsafe(registry))
        ]
        if (size === 0) assert.notStrictEqual(state, "Ready")
        yield* Effect.yieldNow
      }
      assert.include([0, 2], RegistrySnapshot.size(Registry.snapshotUnsafe(registry)))
    })
    yield* together([look, Registry.populate(registry), look, Registry.reset(registry), look])
    yield* Registry.populate(registry)
    assert.strictEqual(yield* Registry.state(registry), "Ready")
  }),

  "G7 operations that fail, die and are interrupted leave no trace": Effect.gen(function*() {
    const registry = yield* Registry.make<Item>()({ lookup: ["id", "name"], defaults: [a, b], hooks: yielding })
    yield* Registry.populate(registry)
    const before = Registry.snapshotUnsafe(registry)
    const change = Effect.gen(function*() {
      yield* Registry.register(registry, c)
      yield* Registry.unregister(registry, a)
      yield* Registry.replace(registry, "id", 2, d)
    })
    const ends = [Effect.fail("no"), Effect.die("boom"), Effect.interrupt]
    yield* exits(ends.map((end) => Registry.transact(registry, Effect.andThen(change, end))))
    const interrupted = yield* Effect.forkChild(Registry.transact(registry, Effect.andThen(change, Effect.never)))
    for (let i = 0; i < 5; i++) yield* Effect.yieldNow
    yield* Fiber.interrupt(interrupted)
    assert.strictEqual(Registry.snapshotUnsafe(registry), before)
    yield* change
  }),

  "G9 an item that is changed is found and removed by the keys from its registration": Effect.gen(function*() {
    const registry = yield* Registry.make<{ id: number }>()({
      lookup: ["id"],
      hooks: { onItemRegistering: () => Effect.yieldNow, onItemUnregistering: () => Effect.yieldNow }
    })
    const item = { id: 1 }
    const keys = [1, 2, 3, 4]
    const changing = Effect.gen(function*() {
      for (const key of keys.slice(1)) {
        yield* Effect.yieldNow
        item.id = key
      }
    })
    yield* together([changing, Registry.register(registry, item)])
    const found = yield* together(keys.map((key) => Registry.has(registry, "id", key)))
    assert.strictEqual(found.filter((has) => has).length, 1)
    yield* exits<unknown, never>([Registry.unregister(registry, item), Effect.sync(() => item.id = 9)])
    assert.strictEqual(yield* Registry.size(registry), 0)
    for (const key of keys) assert.isFalse(yield* Registry.has(registry, "id", key))
  }),

  "G10 failed registrations do not change the published contents": Effect.gen(function*() {
    const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a], hooks: yielding })
    const before = yield* Registry.snapshot(registry)
    yield* exits(Array.from({ length: 5 }, (_, i) => Registry.register(registry, new Item(1, `twin ${i}`))))
    assert.strictEqual(Registry.snapshotUnsafe(registry), before)
  }),

  "G11 of several items with one value, one is registered": Effect.gen(function*() {
    const registry = yield* Registry.make<{ readonly keys: ReadonlyArray<unknown> }>()({
      lookup: { key: Lookup.uniqueEach((item) => item.keys) },
      hooks: { onItemRegistering: () => Effect.yieldNow }
    })
    const items = [[null, 0], ["", NaN], [NaN, null], [0, ""]].map((keys) => ({ keys }))
    const answers = yield* exits(items.map((item) => Registry.register(registry, item)))
    const held = yield* Registry.values(registry)
    assert.strictEqual(answers.filter(Exit.isSuccess).length, held.length)
    assert.include([1, 2], held.length)
    const keys = held.flatMap((item) => item.keys)
    assert.strictEqual(new Set(keys).size, keys.length)
    for (const answer of answers) if (Exit.isFailure(answer)) assert.strictEqual(code(answer), "attribute_registered")
  }),

  "G12 every view is in registration order, and a replacement keeps the place": Effect.gen(function*() {
    const finished: Array<number> = []
    const registry = yield* Registry.make<Item>()({
      lookup: { id: Lookup.unique(({ id }) => id), all: Lookup.group(() => "all") },
      defaults: [new Item(9)],
      hooks: { onItemRegistering: () => Effect.yieldNow }
    })
    yield* Registry.populate(registry)
    yield* together([
      ...[a, b, c].map((item) =>
        Effect.tap(Registry.register(registry, item), Effect.sync(() => finished.push(item.id)))
      ),
      Registry.replace(registry, "id", 9, new Item(8))
    ])
    const ids = (yield* Registry.values(registry)).map(({ id }) => id)
    assert.deepStrictEqual(ids.slice(0, 1), [8])
    assert.deepStrictEqual(ids.slice(1).toSorted(), [1, 2, 3])
    const group = yield* Registry.getAll(registry, "all", "all")
    assert.deepStrictEqual(group.map(({ id }) => id), ids)
    for (const [index, id] of ids.entries()) {
      const item = yield* Registry.at(registry, index)
      assert.strictEqual(item._tag === "Some" ? item.value.id : undefined, id)
    }
    assert.strictEqual(finished.length, 3)
  }),

  "G15 readers of a Ready registry are not blocked by a writer whose hook never ends": Effect.gen(function*() {
    const registry = yield* Registry.make<Item>()({
      lookup: ["id"],
      defaults: [a],
      hooks: { onItemRegistered: (item) => item === b ? Effect.never : Effect.void }
    })
    yield* Registry.populate(registry)
    const writer = yield* Effect.forkChild(Registry.register(registry, b))
    const seen = yield* together([Registry.size(registry), Registry.size(registry), Registry.size(registry)])
    assert.deepStrictEqual(seen, [1, 1, 1])
    yield* Fiber.interrupt(writer)
    yield* Registry.register(registry, c)
  }),

  "G18 no hook is called for an invalid operation, and the checks are repeated after the hooks": Effect.gen(
    function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: RegistryHooks.combine(recording(log), yielding)
      })
      yield* Registry.populate(registry)
      const answers = yield* exits([
        Registry.register(registry, a),
        Registry.register(registry, new Item(1, "twin")),
        Registry.unregister(registry, d),
        Registry.replace(registry, "id", 7, c)
      ])
      assert.strictEqual(answers.filter(Exit.isSuccess).length, 1)
      assert.strictEqual(log.filter((line) => line === "registering 1").length, 1)
      assert.isFalse(log.some((line) => / [347]$/.test(line)), log.join())
    }
  ),

  "G19 a defect of any hook rolls back its operation, and no other": Effect.gen(function*() {
    const balance = new Balance()
    const registry = yield* Registry.make<Item>()({
      lookup: ["id"],
      defaults: [d],
      hooks: RegistryHooks.combineAll([
        balance.hooks,
        yielding,
        RegistryHooks.make<Item>()({
          onItemRegistering: (item) => item === a ? RegistryError.reject(item, "no") : Effect.void,
          onItemRegistered: (item) => item === b ? Effect.die("boom") : Effect.void,
          onItemUnregistering: (item) => item === d ? Effect.die("boom") : Effect.void
        })
      ])
    })
    const answers = yield* exits<unknown, never>([
      Registry.register(registry, a),
      Registry.register(registry, b),
      Registry.register(registry, c),
      Registry.unregister(registry, d)
    ])
    assert.deepStrictEqual(answers.map(code), ["rejected", "boom", undefined, "boom"])
    assert.deepStrictEqual([...(yield* Registry.values(registry))], [d, c])
    assert.deepStrictEqual(balance.wrong(yield* Registry.values(registry)), [])
    assert.isTrue(answers.every((exit) => Exit.isSuccess(exit) || !Cause.hasInterrupts(exit.cause)))
  }),

  "G7 G16 transactAll publishes two registries together, or neither, in any order of its arguments": Effect.gen(
    function*() {
      const balances = [new Balance(), new Balance()]
      const make = (name: string, index: number, defaults: ReadonlyArray<Item>) =>
        Registry.make<Item>()({ name, lookup: ["id"], defaults, hooks: balances[index]!.hooks })
      const enabled = yield* make("enabled", 0, [a, b])
      const disabled = yield* make("disabled", 1, [c])
      yield* together([Registry.populate(enabled), Registry.populate(disabled)])
      const move = Effect.andThen(Registry.unregister(enabled, a), Registry.register(disabled, a))
      const back = Effect.andThen(Registry.unregister(disabled, c), Registry.register(enabled, c))
      const failing = Effect.andThen(Registry.unregister(enabled, b), Effect.die("boom"))
      const look = Effect.gen(function*() {
        for (let i = 0; i < 8; i++) {
          // both in one step
          const items = [...Registry.snapshotUnsafe(enabled), ...Registry.snapshotUnsafe(disabled)]
          assert.sameMembers(items, [a, b, c])
          yield* Effect.yieldNow
        }
      })
      yield* exits<unknown, never>([
        Registry.transactAll([enabled, disabled], move),
        Registry.transactAll([disabled, enabled], back),
        Registry.transactAll([disabled, enabled], failing),
        look,
        look
      ]).pipe(
        Effect.map((all) => assert.deepStrictEqual(all.map(code), [undefined, undefined, "boom", undefined, undefined]))
      )
      assert.sameMembers([...(yield* Registry.values(enabled))], [b, c])
      assert.sameMembers([...(yield* Registry.values(disabled))], [a])
      assert.deepStrictEqual(balances[0]!.wrong(yield* Registry.values(enabled)), [])
      assert.deepStrictEqual(balances[1]!.wrong(yield* Registry.values(disabled)), [])
      for (const one of [enabled, disabled]) yield* Registry.register(one, d)
    }
  ),

  "G21 hooks run in order, and removed ones do not run": Effect.gen(function*() {
    const log: Array<string> = []
    const named = (name: string) =>
      RegistryHooks.make<Item>()({
        onItemRegistered: ({ id }) => Effect.andThen(Effect.yieldNow, Effect.sync(() => log.push(`${name}+${id}`))),
        onItemUnregistered: ({ id }) => Effect.andThen(Effect.yieldNow, Effect.sync(() => log.push(`${name}-${id}`)))
      })
    const registry = yield* Registry.make<Item>()({
      lookup: ["id"],
      hooks: RegistryHooks.combine(named("x"), named("y"))
    })
    yield* Registry.populate(registry)
    let removed = 0
    const late = Effect.andThen(
      Effect.scoped(Effect.andThen(Registry.addHooks(registry, named("z")), Effect.yieldNow)),
      Effect.sync(() => {
        removed = log.length
      })
    )
    yield* together([
      Effect.andThen(Registry.register(registry, a), Registry.unregister(registry, a)),
      Effect.andThen(Registry.register(registry, b), Registry.unregister(registry, b)),
      late
    ])
    for (const id of [1, 2]) {
      const of = (sign: string) => log.filter((line) => line.endsWith(`${sign}${id}`)).map((line) => line[0]).join("")
      assert.include(["xy", "xyz"], of("+"))
      // one that comes during a change is told of it when it ends
      assert.include(["yx", "zyx", "yxz"], of("-"))
    }
    assert.isFalse(log.slice(removed).some((line) => line.startsWith("z")))
  })
}

describe("a thousand schedules", () => {
  it.effect.each(Object.entries(programs))("%s", ([, program]) =>
    Effect.gen(function*() {
      const random = yield* RegistryTest.interleave(Effect.scoped(program), { seeds: 700 })
      const pct = yield* RegistryTest.interleave(Effect.scoped(program), { strategy: "pct", seeds: 300 })
      assert.isAtLeast(random.schedules + pct.schedules, 1_000)
    }).pipe(Effect.provide(Logger.layer([]))))
})
