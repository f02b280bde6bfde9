/**
 * An attempt, or the making of a registry, leaves nothing to later ones that is out of date.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Latch, Layer, Scope, Stream } from "effect"
import { Registry } from "effect-registry"
import { a, b, Balance, c, d, defectOf, Item } from "./utils/items.ts"

const ids = <P>(registry: Registry.Registry<Item, any, P, any>) =>
  Effect.map(Registry.values(registry), (items) => items.map(({ id }) => id))

const failingOnce = (error: string) => {
  let runs = 0
  return Effect.suspend(() => ++runs === 1 ? Effect.fail(error) : Effect.succeed([a]))
}

const make = (name: string) => Registry.make<Item>()({ name, lookup: ["id"] })

describe("defaults are read by each population", () => {
  for (const hooked of [false, true]) {
    const kind = hooked ? "with" : "without"
    const hooks = hooked ? { hooks: { onItemRegistered: () => Effect.sync(() => {}) } } : {}

    it.effect(`a list that has changed since the registry was made, or populated, ${kind} hooks`, () =>
      Effect.gen(function*() {
        const defaults = [a]
        const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults, ...hooks })
        defaults.push(b)
        assert.deepStrictEqual(yield* ids(registry), [1, 2])
        defaults.push(c)
        defaults.shift()
        assert.deepStrictEqual(yield* ids(registry), [1, 2])
        yield* Registry.reset(registry)
        assert.deepStrictEqual(yield* ids(registry), [2, 3])
      }))

    it.effect(`a set, and the answer of an effect, that have changed since, ${kind} hooks`, () =>
      Effect.gen(function*() {
        const defaults = new Set([a])
        const set = yield* Registry.make<Item>()({ lookup: ["id"], defaults, ...hooks })
        const answered = yield* Registry.make<Item>()({ lookup: ["id"], defaults: Effect.succeed(defaults), ...hooks })
        defaults.add(b)
        assert.deepStrictEqual([yield* ids(set), yield* ids(answered)], [[1, 2], [1, 2]])
        defaults.delete(a)
        yield* Registry.reset(set)
        yield* Registry.reset(answered)
        assert.deepStrictEqual([yield* ids(set), yield* ids(answered)], [[2], [2]])
      }))
  }

  it.effect("a list that was few and is many since, and one that a failed population has left: as it is now", () =>
    Effect.gen(function*() {
      const defaults = [a, new Item(1, "twin")]
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults })
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Registry.populate(registry))))
      defaults.pop()
      for (let id = 2; id <= 3_000; id++) defaults.push(new Item(id))
      assert.strictEqual(yield* Registry.size(registry), 3_000)
    }))

  it.effect("a list that a hook changes while it is read: as it was when that began", () =>
    Effect.gen(function*() {
      const defaults = [a, b]
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults,
        hooks: {
          onItemRegistered: ({ id }) =>
            Effect.sync(() => {
              if (id === 1) defaults.splice(1, 1, c, d)
            })
        }
      })
      assert.deepStrictEqual(yield* ids(registry), [1, 2])
      yield* Registry.reset(registry)
      assert.deepStrictEqual(yield* ids(registry), [1, 3, 4])
    }))
})

describe("a failure is not remembered when it is over", () => {
  it.effect("explain of a closed registry tells of no population that failed before another succeeded", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const registry = yield* Scope.provide(
        Registry.make<Item>()({ lookup: ["id"], defaults: failingOnce("offline") }),
        scope
      )
      yield* Effect.exit(Registry.populate(registry))
      assert.strictEqual((yield* Registry.explain(registry, "id", 1))._tag, "PopulationFailed")
      yield* Registry.populate(registry)
      assert.strictEqual((yield* Registry.explain(registry, "id", 1))._tag, "Present")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Registry.explain(registry, "id", 1))._tag, "Pending")
    }))

  it.effect("nor where the one that succeeded was a part of a transaction", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      let fails = false
      const registry = yield* Scope.provide(
        Registry.make<Item>()({
          lookup: ["id"],
          defaults: Effect.suspend(() => fails ? Effect.fail("offline") : Effect.succeed([a]))
        }),
        scope
      )
      yield* Registry.populate(registry)
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.reset(registry)
          fails = true
          yield* Effect.exit(Registry.populate(registry))
          assert.strictEqual((yield* Registry.explain(registry, "id", 1))._tag, "PopulationFailed")
          fails = false
          yield* Registry.populate(registry)
        })
      )
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Registry.explain(registry, "id", 1))._tag, "Pending")
    }))

  it.effect("G6 a population that was given up takes nothing from the next when it ends: that is Populating", () =>
    Effect.gen(function*() {
      const [undone, begun, gate] = [yield* Latch.make(), yield* Latch.make(), yield* Latch.make()]
      let runs = 0
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() =>
          Effect.as(
            ++runs === 1
              ? Effect.onInterrupt(Effect.never, () => undone.await)
              : Effect.andThen(begun.open, gate.await),
            [a]
          )
        )
      })
      const given = yield* Effect.forkChild(Registry.populate(registry), { startImmediately: true })
      yield* Effect.yieldNow
      const up = yield* Effect.forkChild(Fiber.interrupt(given), { startImmediately: true })
      const next = yield* Effect.forkChild(Registry.populate(registry), { startImmediately: true })
      yield* Effect.yieldNow
      assert.strictEqual(yield* Registry.state(registry), "Populating")
      yield* undone.open
      yield* begun.await
      yield* Fiber.join(up)
      assert.strictEqual(yield* Registry.state(registry), "Populating")
      yield* gate.open
      yield* Fiber.join(next)
      assert.strictEqual(yield* Registry.state(registry), "Ready")
    }))

  it.effect("a fiber that was interrupted while it waited for a population waits for nothing any more", () =>
    Effect.gen(function*() {
      const [gate, other] = [yield* Latch.make(), yield* Latch.make()]
      let runs = 0
      const one = yield* Registry.make<Item>()({
        name: "one",
        lookup: ["id"],
        defaults: Effect.suspend(() => Effect.as(++runs === 1 ? gate.await : Effect.void, [a]))
      })
      const two = yield* make("two")
      yield* Registry.populate(two)
      // it waits for the population of one in a transaction of two, is interrupted, and goes on
      const fiber = yield* Effect.forkChild(
        Registry.transact(
          two,
          Effect.gen(function*() {
            const waiting = yield* Effect.forkChild(Registry.size(one), { startImmediately: true })
            yield* Effect.yieldNow
            yield* Fiber.interrupt(waiting)
            yield* other.await
          })
        ),
        { startImmediately: true }
      )
      yield* Effect.yieldNow
      yield* Effect.yieldNow
      const changing = yield* Effect.forkChild(Effect.exit(Registry.transact(one, Registry.register(two, b))), {
        startImmediately: true
      })
      yield* Effect.yieldNow
      yield* gate.open
      yield* other.open
      yield* Fiber.join(fiber)
      assert.strictEqual((yield* Fiber.join(changing))._tag, "Success")
      assert.deepStrictEqual([yield* ids(one), yield* ids(two)], [[1], [2]])
    }))

  class Db extends Context.Service<Db, string>()("test/Db") {}

  it.effect("a second import has the services of the program, not those of the module that failed", () => {
    const told: Array<string> = []
    class Items extends Registry.Service<Items, Item>()("test/Items", {
      lookup: ["id"],
      defaults: Effect.map(Db, (db) => [new Item(1, `from ${db}`)]),
      hooks: {
        onItemRegistered: ({ name }: Item) =>
          Effect.flatMap(Db, (db) => Effect.sync(() => told.push(`${name}, in ${db}`)))
      }
    }) {}
    let imports = 0
    const failing = Layer.effectDiscard(Effect.fail("no")).pipe(
      Layer.provideMerge(Items.layer),
      Layer.provide(Layer.succeed(Db, "the module that failed"))
    )
    const load = () => Promise.resolve<Layer.Layer<Items, string, Db>>(++imports === 1 ? failing : Items.layer)
    return Effect.gen(function*() {
      const exit = yield* Effect.exit(Items.size)
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual((yield* Items.values).map(({ name }) => name), ["from the program"])
      assert.deepStrictEqual(told, ["from the program, in the program"])
      yield* Items.register(new Item(2, "later"))
      assert.strictEqual(told.at(-1), "later, in the program")
    }).pipe(Effect.provide(Items.layerLazy(load)), Effect.provideService(Db, "the program"))
  })

  it.effect("items, hooks, overrides and followers of a module that failed are gone for the next", () => {
    const [failed, next] = [new Balance(), new Balance()]
    let changes = 0
    class Items extends Registry.Service<Items, Item>()("test/Items", { lookup: ["id"], defaults: [a] }) {}
    let imports = 0
    const load = () => {
      const attempt = ++imports
      const building = Effect.gen(function*() {
        yield* Items.addHooks(attempt === 1 ? failed.hooks : next.hooks)
        yield* Items.registerAllScoped([b, c])
        yield* Items.override(new Item(1, `override ${attempt}`))
        if (attempt === 1) {
          const following = yield* Items.use((items) => Effect.succeed(Registry.changes(items)))
          yield* Effect.forkScoped(Stream.runForEach(following, () => Effect.sync(() => changes++)))
          yield* Effect.yieldNow
          return yield* Effect.fail("no")
        }
      })
      return Promise.resolve(Layer.effectDiscard(building).pipe(Layer.provideMerge(Items.layer)))
    }
    return Effect.gen(function*() {
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Items.size)))
      assert.strictEqual(yield* Items.state, "Pending")
      assert.deepStrictEqual(failed.wrong([]), [])
      const items = yield* Items.values
      assert.deepStrictEqual(items.map(({ name }) => name), ["item 2", "item 3", "override 2"])
      assert.deepStrictEqual([failed.wrong([]), next.wrong(items)], [[], []])
      yield* Effect.yieldNow
      assert.strictEqual(changes, 0)
    }).pipe(Effect.provide(Items.layerLazy(load)))
  })

  it.effect("hooks that could not be added, because they died, can be added as if it had never been tried", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      let dies = true
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.registerAll(registry, [a, b, c])
      const adding = Registry.addHooks(registry, {
        onItemRegistered: (item) =>
          item.id === 3 && dies ? Effect.die("boom") : Effect.sync(() => balance.add(item, 1)),
        onItemUnregistered: (item) => Effect.sync(() => balance.add(item, -1))
      }, { existing: true })
      assert.strictEqual(defectOf(yield* Effect.exit(adding)), "boom")
      assert.deepStrictEqual(balance.wrong([]), [])
      yield* Registry.register(registry, d)
      assert.deepStrictEqual(balance.wrong([]), [])
      dies = false
      yield* Effect.scoped(Effect.andThen(
        adding,
        Effect.gen(function*() {
          yield* Registry.unregister(registry, a)
          assert.deepStrictEqual(balance.wrong([b, c, d]), [])
        })
      ))
      assert.deepStrictEqual(balance.wrong([]), [])
    }))

  it.effect("a transaction that died of a circle of waits can be tried again, and waits for nothing of before", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* make("one"), yield* make("two")]
      yield* Registry.populate(one)
      yield* Registry.populate(two)
      const held = yield* Latch.make()
      const other = yield* Effect.forkChild(
        Registry.transact(two, Effect.andThen(held.await, Registry.register(one, a))),
        { startImmediately: true }
      )
      const exits: Array<string> = []
      yield* Registry.transact(
        one,
        Effect.gen(function*() {
          yield* held.open
          for (let turns = 0; turns < 3; turns++) yield* Effect.yieldNow
          exits.push((yield* Effect.exit(Registry.register(two, b)))._tag)
        })
      )
      yield* Fiber.join(other)
      exits.push((yield* Effect.exit(Registry.transact(one, Registry.register(two, b))))._tag)
      assert.deepStrictEqual(exits, ["Failure", "Success"])
      assert.deepStrictEqual([yield* ids(one), yield* ids(two)], [[1], [2]])
    }))
})
