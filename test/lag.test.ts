import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Metric, Option, Scope, Stream } from "effect"
import { Lookup, Registry, RegistryMetrics } from "effect-registry"
import { TestClock } from "effect/testing"

interface Tool {
  readonly name: string
}

class Tools extends Registry.Service<Tools, Tool>()("test/Tools", { lookup: ["name"], history: 8 }) {}

const live = RegistryMetrics.layer(Tools).pipe(Layer.provideMerge(Tools.layer))

/** Each test counts for itself. */
const counting = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Metric.MetricRegistry, new Map())

const valueOf = <State>(metric: Metric.Metric<any, State>, registry = "test/Tools") =>
  Metric.value(Metric.withAttributes(metric, { registry }))

const lag = Effect.map(valueOf(RegistryMetrics.lag), ({ value }) => value)

const registerEach = (...names: ReadonlyArray<string>) =>
  Effect.forEach(names, (name) => Tools.register({ name }), { discard: true })

describe("the lag of followers", () => {
  it.effect("G23 it is none where the only follower has seen everything", () =>
    counting(
      Effect.gen(function*() {
        const { changes } = yield* Tools.subscribe()
        yield* registerEach("a", "b")
        assert.strictEqual(yield* lag, 2)
        yield* Stream.runDrain(Stream.take(changes, 2))
        assert.strictEqual(yield* lag, 0)
      }).pipe(Effect.provide(live))
    ))

  it.effect("G23 it counts the changes after the last one that the follower was given", () =>
    counting(
      Effect.gen(function*() {
        const { changes } = yield* Tools.subscribe()
        yield* registerEach("a", "b")
        yield* Stream.runDrain(Stream.take(changes, 2))
        yield* registerEach("c")
        assert.strictEqual(yield* lag, 1)
        yield* registerEach("d", "e")
        assert.strictEqual(yield* lag, 3)
      }).pipe(Effect.provide(live))
    ))

  it.effect("G23 of two followers it is that of the slower, whichever that is", () =>
    counting(
      Effect.gen(function*() {
        const one = yield* Tools.subscribe()
        yield* registerEach("a")
        const other = yield* Tools.subscribe()
        yield* registerEach("b", "c")
        assert.strictEqual(yield* lag, 3)
        yield* Stream.runDrain(Stream.take(one.changes, 3))
        assert.strictEqual(yield* lag, 2)
        yield* registerEach("d")
        assert.strictEqual(yield* lag, 3)
        yield* Stream.runDrain(Stream.take(other.changes, 3))
        assert.strictEqual(yield* lag, 1)
      }).pipe(Effect.provide(live))
    ))

  it.effect("G23 a follower of a stream that waits for each change has no lag when it has taken it", () =>
    counting(
      Effect.gen(function*() {
        yield* Tools.populate
        const seen: Array<number> = []
        const following = Stream.runForEach(
          Stream.unwrap(Effect.map(Tools, Registry.changes)),
          () => Effect.map(lag, (value) => seen.push(value))
        )
        yield* Effect.forkScoped(following, { startImmediately: true })
        for (const name of ["a", "b", "c"]) {
          yield* registerEach(name)
          assert.strictEqual(yield* lag, 1)
          while (seen.length === 0) yield* Effect.yieldNow
          assert.deepStrictEqual(seen.splice(0), [0])
        }
      }).pipe(Effect.scoped, Effect.provide(live))
    ))

  it.effect("G23 the slowest follower that ends is not counted any more, also in a transaction that then fails", () =>
    counting(
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* Scope.provide(Tools.subscribe(), scope)
        yield* registerEach("a", "b")
        yield* Tools.subscribe()
        assert.strictEqual(yield* lag, 2)
        yield* Effect.exit(Tools.transact(Effect.andThen(Scope.close(scope, Exit.void), Effect.fail("no"))))
        assert.strictEqual(yield* lag, 0)
        assert.strictEqual((yield* valueOf(RegistryMetrics.subscribers)).value, 1)
      }).pipe(Effect.provide(live))
    ))

  it.effect("G23 a follower from an earlier revision begins with the lag from there", () =>
    counting(
      Effect.gen(function*() {
        yield* registerEach("a", "b", "c")
        const { changes } = yield* Tools.subscribe({ since: 2 })
        assert.strictEqual(yield* lag, 2)
        yield* Stream.runDrain(Stream.take(changes, 2))
        assert.strictEqual(yield* lag, 0)
      }).pipe(Effect.provide(live))
    ))

  for (const since of [NaN, -5, 1.5, 99, Infinity, -Infinity]) {
    it.effect(`G23 from a revision that never was, ${since}, the lag is a number of changes that there were`, () =>
      counting(
        Effect.gen(function*() {
          yield* registerEach("a")
          yield* Effect.scoped(Effect.gen(function*() {
            const { changes } = yield* Tools.subscribe({ since })
            yield* registerEach("b")
            const { value: revision } = yield* valueOf(RegistryMetrics.revision)
            const value = yield* lag
            assert.isTrue(Number.isInteger(value) && value >= 0 && value <= revision, `lag ${value} at ${revision}`)
            const error = yield* Effect.flip(Stream.runDrain(changes))
            assert.strictEqual(error._tag, "RegistryLagged")
            // a follower that can follow still counts beside it
            const beside = yield* Tools.subscribe()
            yield* registerEach("c")
            assert.isAtLeast(yield* lag, 1)
            yield* Stream.runDrain(Stream.take(beside.changes, 1))
          }))
          assert.strictEqual(yield* lag, 0)
        }).pipe(Effect.provide(live))
      ))
  }
})

describe("waiting for a lock, and holding it", () => {
  /** The selector of `Selecting` runs this once, when it is called the next time. */
  let next: (() => void) | undefined

  class Selecting extends Registry.Service<Selecting, Tool>()("test/Tools", {
    lookup: {
      name: Lookup.unique((tool: Tool) => {
        const now = next
        next = undefined
        now?.()
        return tool.name
      })
    }
  }) {}

  const selecting = RegistryMetrics.layer(Selecting).pipe(Layer.provideMerge(Selecting.layer))

  const taken = Effect.all([
    Effect.map(valueOf(RegistryMetrics.wait), ({ count }) => count),
    Effect.map(valueOf(RegistryMetrics.hold), ({ count }) => count)
  ])

  it.effect("each operation waits once and holds once, though a selector of it changes the registry", () =>
    counting(
      Effect.gen(function*() {
        const tools = yield* Selecting
        yield* Registry.register(tools, { name: "0" })
        assert.deepStrictEqual(yield* taken, [1, 1])
        next = () => Effect.runSync(Registry.register(tools, { name: "inner" }))
        yield* Registry.register(tools, { name: "outer" })
        assert.deepStrictEqual((yield* Registry.values(tools)).map(({ name }) => name), ["0", "inner", "outer"])
        assert.deepStrictEqual(yield* taken, [3, 3])
      }).pipe(Effect.provide(selecting))
    ))

  it.effect("nor does it if a selector begins a transaction that holds the lock for a while", () =>
    counting(
      Effect.gen(function*() {
        const tools = yield* Selecting
        yield* Registry.populate(tools)
        const context = yield* Effect.context()
        const sleeping = Registry.transact(tools, Effect.sleep("3 seconds"))
        next = () => Effect.runForkWith(context)(sleeping)
        const fiber = yield* Effect.forkChild(Registry.register(tools, { name: "a" }), { startImmediately: true })
        yield* TestClock.adjust("3 seconds")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(yield* taken, [2, 2])
        for (const metric of [RegistryMetrics.wait, RegistryMetrics.hold]) {
          const { max, min } = yield* valueOf(metric)
          assert.deepStrictEqual([min, max], [0, 3000])
        }
      }).pipe(Effect.provide(selecting))
    ))

  it.effect("one that is interrupted while it waits, after a selector has begun a transaction, neither waits nor holds", () =>
    counting(
      Effect.gen(function*() {
        const tools = yield* Selecting
        yield* Registry.populate(tools)
        const context = yield* Effect.context()
        const sleeping = Registry.transact(tools, Effect.sleep("3 seconds"))
        next = () => Effect.runForkWith(context)(sleeping)
        const fiber = yield* Effect.forkChild(Registry.register(tools, { name: "a" }), { startImmediately: true })
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* taken, [0, 0])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* taken, [1, 1])
        assert.strictEqual((yield* valueOf(RegistryMetrics.wait)).max, 0)
      }).pipe(Effect.provide(selecting))
    ))

  it.effect("one whose transaction is interrupted while it runs has waited once, and held once", () =>
    counting(
      Effect.gen(function*() {
        yield* Tools.populate
        const fiber = yield* Effect.forkChild(Tools.transact(Effect.never), { startImmediately: true })
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* taken, [1, 1])
        assert.strictEqual((yield* valueOf(RegistryMetrics.hold)).max, 2000)
      }).pipe(Effect.provide(live))
    ))

  it.effect("each of several kinds of operations is one wait and one hold, though its selectors register other items", () =>
    counting(
      Effect.gen(function*() {
        const tools = yield* Selecting
        const other = yield* Registry.make<string>()({ lookup: [] })
        let inner = 0
        /** The inner registration is a part of the same step, or waits until the operation has ended. */
        const meddling = <E, R>(operation: Effect.Effect<unknown, E, R>) =>
          Effect.gen(function*() {
            const [waits] = yield* taken
            const name = `inner ${inner++}`
            next = () => {
              Effect.runFork(Registry.register(tools, { name }))
            }
            yield* operation
            assert.isUndefined(next)
            yield* Registry.awaitItem(tools, "name", name)
            assert.deepStrictEqual(yield* taken, [waits! + 2, waits! + 2])
          })
        yield* Registry.register(tools, { name: "a" })
        yield* meddling(Registry.registerAll(tools, [{ name: "b" }, { name: "c" }]))
        yield* meddling(Registry.registerAll(tools, Array.from({ length: 3_000 }, (_, i) => ({ name: `${i}` }))))
        yield* meddling(Registry.upsert(tools, { name: "d" }))
        yield* meddling(Registry.replace(tools, "name", "a", { name: "A" }))
        yield* meddling(Registry.registerScoped(tools, { name: "e" }))
        yield* meddling(Registry.override(tools, { name: "b" }))
        yield* meddling(Registry.unregister(tools, { name: "d" }))
        yield* meddling(Registry.transactAll([tools, other], Registry.register(tools, { name: "f" })))
      }).pipe(Effect.scoped, Effect.provide(selecting))
    ))

  it.effect("one that fails, and whose hooks die when they are played back, ended with a defect", () =>
    counting(
      Effect.gen(function*() {
        yield* Tools.addHooks({
          onItemRegistered: () => Effect.sync(() => {}),
          onItemUnregistered: () => Effect.die("no")
        })
        yield* Effect.exit(Tools.transact(Effect.andThen(registerEach("a"), Effect.fail("no"))))
        const ended = yield* Effect.forEach(["failure", "defect"], (outcome) =>
          Metric.value(Metric.withAttributes(RegistryMetrics.mutations, {
            registry: "test/Tools",
            operation: "transact",
            outcome
          })))
        assert.deepStrictEqual(
          ended.map(({ count }) =>
            count
          ),
          [0, 1]
        )
      }).pipe(Effect.scoped, Effect.provide(live))
    ))

  it.effect("one that waits in a transaction of another registry waits in the time of its own", () =>
    counting(
      Effect.gen(function*() {
        const other = yield* Registry.make<string>()({ lookup: [] })
        const tools = yield* Tools
        yield* Registry.transact(other, Registry.register(tools, { name: "a" }))
        yield* Registry.transact(
          tools,
          Registry.transact(other, Effect.andThen(Registry.register(tools, { name: "b" }), Registry.size(tools)))
        )
        assert.deepStrictEqual(yield* taken, [2, 2])
      }).pipe(Effect.provide(live))
    ))
})

describe("the life of a layer of metrics", () => {
  const sizes = Effect.map(valueOf(RegistryMetrics.size), ({ value }) => value)

  it.effect("when it has been closed, neither a change nor a follower that comes or goes is measured", () =>
    counting(
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* Layer.buildWithScope(RegistryMetrics.layer(Tools), scope)
        yield* registerEach("a")
        const { changes } = yield* Tools.subscribe()
        assert.deepStrictEqual([yield* sizes, yield* lag], [1, 0])
        yield* Scope.close(scope, Exit.void)
        yield* registerEach("b")
        yield* Stream.runDrain(Stream.take(changes, 1))
        yield* Effect.scoped(Tools.subscribe())
        assert.deepStrictEqual([yield* sizes, yield* lag], [0, 0])
        assert.strictEqual((yield* valueOf(RegistryMetrics.subscribers)).value, 0)
      }).pipe(Effect.provide(Tools.layer))
    ))

  it.effect("a registry that loads late, and is imported while it is measured, is not measured any more after it", () =>
    counting(
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* Layer.buildWithScope(RegistryMetrics.layer(Tools), scope)
        assert.strictEqual(yield* Tools.size, 1)
        assert.strictEqual(yield* sizes, 1)
        yield* Scope.close(scope, Exit.void)
        yield* registerEach("b")
        assert.strictEqual(yield* sizes, 0)
      }).pipe(
        Effect.provide(
          Tools.layerLazy(() =>
            Promise.resolve(Tools.items([{ name: "a" }]).pipe(Layer.provideMerge(Tools.layer), Layer.orDie))
          )
        )
      )
    ))

  it.effect("a transaction that is open when it is closed ends without it", () =>
    counting(
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* Layer.buildWithScope(RegistryMetrics.layer(Tools), scope)
        yield* Tools.transact(Effect.andThen(registerEach("a"), Scope.close(scope, Exit.void)))
        assert.strictEqual(yield* sizes, 0)
        assert.isTrue(Option.isSome(yield* Tools.at(0)))
      }).pipe(Effect.provide(Tools.layer))
    ))
})
