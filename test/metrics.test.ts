import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Exit, Fiber, Latch, Layer, Metric, Stream } from "effect"
import { Registry, RegistryHooks, RegistryMetrics } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { TestClock } from "effect/testing"
import { isMeasured } from "./utils/inside.ts"

interface Tool {
  readonly name: string
}

class Tools extends Registry.Service<Tools, Tool>()("test/Tools", { lookup: ["name"], history: 8 }) {}

const live = RegistryMetrics.layer(Tools).pipe(Layer.provideMerge(Tools.layer))

/** Each test has metrics of its own. */
const counting = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Metric.MetricRegistry, new Map())

const valueOf = <State>(metric: Metric.Metric<any, State>, attributes: { readonly [name: string]: string } = {}) =>
  Metric.value(Metric.withAttributes(metric, { registry: "test/Tools", ...attributes }))

const mutations = (operation: string, outcome: string) =>
  Effect.map(valueOf(RegistryMetrics.mutations, { operation, outcome }), ({ count }) => count)

describe("RegistryMetrics", () => {
  it.effect("55 size and revision agree with a snapshot taken at the same revision", () =>
    counting(
      Effect.gen(function*() {
        const agreed = Effect.gen(function*() {
          const { revision, size } = (yield* Tools.use((tools) => Effect.succeed(tools))).toJSON() as Record<
            string,
            number
          >
          assert.strictEqual((yield* valueOf(RegistryMetrics.size)).value, size)
          assert.strictEqual((yield* valueOf(RegistryMetrics.revision)).value, revision)
        })
        yield* agreed
        yield* Tools.registerAll([{ name: "a" }, { name: "b" }, { name: "c" }])
        yield* agreed
        yield* Tools.unregisterBy("name", "b")
        yield* agreed
        yield* Tools.reset
        yield* agreed
        yield* Tools.populate
        yield* agreed
      }).pipe(Effect.provide(live))
    ))

  it.effect("a registry that already has items is measured at once", () =>
    counting(
      Effect.gen(function*() {
        yield* Tools.registerAll([{ name: "a" }, { name: "b" }])
        yield* Effect.gen(function*() {
          assert.strictEqual((yield* valueOf(RegistryMetrics.size)).value, 2)
          assert.strictEqual((yield* valueOf(RegistryMetrics.revision)).value, 2)
        }).pipe(Effect.provide(RegistryMetrics.layer(Tools)))
      }).pipe(Effect.provide(Tools.layer))
    ))

  it.effect("exported metrics have descriptions, counters that only rise, and buckets of up to half a minute", () =>
    counting(
      Effect.gen(function*() {
        const { layer, ...metrics } = RegistryMetrics
        assert.isFunction(layer)
        for (const metric of Object.values(metrics)) yield* Metric.value<never, unknown>(metric)
        const snapshot = yield* Metric.snapshot
        assert.strictEqual(snapshot.length, Object.keys(metrics).length)
        for (const { description, id } of snapshot) {
          assert.match(
            description!,
            /Operations|operations|Populations|populations|Items|Revision|Subscriptions|Changes/,
            id
          )
        }
        const counters = snapshot.filter(({ type }) => type === "Counter")
        assert.deepStrictEqual(counters.map(({ id, state }) => [id, (state as { incremental: boolean }).incremental]), [
          ["effect_registry_mutations_total", true],
          ["effect_registry_populations_total", true]
        ])
        for (const histogram of [RegistryMetrics.wait, RegistryMetrics.hold, RegistryMetrics.population]) {
          const bounds = (yield* Metric.value(histogram)).buckets.map(([bound]) => bound)
          assert.deepStrictEqual([bounds[0], bounds[1], bounds.at(-2)], [0.1, 0.2, 26214.4])
        }
      })
    ))

  it.effect("mutations are counted by operation and outcome, nested ones and transactAll included", () =>
    counting(
      Effect.gen(function*() {
        const tools = yield* Tools
        yield* Tools.register({ name: "a" })
        yield* Effect.exit(Tools.register({ name: "a" }))
        yield* Effect.exit(Tools.transact(Effect.andThen(Tools.register({ name: "b" }), Effect.die("no"))))
        const fiber = yield* Effect.forkChild(Tools.transact(Effect.never), { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        yield* Registry.transactAll([tools], Tools.register({ name: "c" }))
        yield* Effect.scoped(Tools.registerScoped({ name: "d" }))
        assert.strictEqual(yield* mutations("register", "success"), 3)
        assert.strictEqual(yield* mutations("register", "failure"), 1)
        assert.strictEqual(yield* mutations("transact", "defect"), 1)
        assert.strictEqual(yield* mutations("transact", "interruption"), 1)
        assert.strictEqual(yield* mutations("transactAll", "success"), 1)
        assert.strictEqual(yield* mutations("registerAll", "success"), 1)
        assert.strictEqual(yield* mutations("closeScope", "success"), 1)
      }).pipe(Effect.provide(live))
    ))

  it.effect("a selector that throws is a defect of the operation", () => {
    class Broken extends Registry.Service<Broken, Tool>()("test/Tools", { lookup: ["name"] }) {}
    return counting(
      Effect.gen(function*() {
        const item = {
          get name(): string {
            throw new Error("no name")
          }
        }
        yield* Broken.populate
        assert.isTrue(Exit.isFailure(yield* Effect.exit(Broken.register(item))))
        assert.strictEqual(yield* mutations("register", "defect"), 1)
        assert.strictEqual((yield* valueOf(RegistryMetrics.wait)).count, 1)
        assert.strictEqual((yield* valueOf(RegistryMetrics.hold)).count, 1)
      }).pipe(Effect.provide(RegistryMetrics.layer(Broken).pipe(Layer.provideMerge(Broken.layer))))
    )
  })

  it.effect("waiting for the lock and holding it are measured by the clock of the fiber", () =>
    counting(
      Effect.gen(function*() {
        yield* Tools.populate
        const latch = yield* Latch.make()
        const first = yield* Effect.forkChild(Tools.transact(latch.await), { startImmediately: true })
        const second = yield* Effect.forkChild(Tools.register({ name: "a" }), { startImmediately: true })
        yield* TestClock.adjust("3 seconds")
        yield* latch.open
        yield* Fiber.joinAll([first, second])
        const wait = yield* valueOf(RegistryMetrics.wait)
        const hold = yield* valueOf(RegistryMetrics.hold)
        assert.deepStrictEqual([wait.count, wait.min, wait.max], [2, 0, 3000])
        assert.deepStrictEqual([hold.count, hold.min, hold.max], [2, 0, 3000])
      }).pipe(Effect.provide(live))
    ))

  for (const hooked of [false, true]) {
    it.effect(`each outermost operation is one wait and one hold, nested ones are none, ${hooked ? "with" : "without"} hooks`, () => {
      const told = RegistryHooks.layer(Tools, { onItemRegistered: () => Effect.sync(() => {}) })
      return counting(
        Effect.gen(function*() {
          const tools = yield* Tools
          const taken = Effect.all([
            Effect.map(valueOf(RegistryMetrics.wait), ({ count }) => count),
            Effect.map(valueOf(RegistryMetrics.hold), ({ count }) => count)
          ])
          yield* Tools.populate
          yield* Tools.register({ name: "a" })
          assert.deepStrictEqual(yield* taken, [1, 1])
          yield* Tools.transact(Effect.gen(function*() {
            yield* Tools.register({ name: "b" })
            yield* Tools.transact(Tools.register({ name: "c" }))
            yield* Registry.transactAll([tools], Tools.register({ name: "d" }))
            assert.deepStrictEqual(yield* taken, [1, 1])
          }))
          assert.deepStrictEqual(yield* taken, [2, 2])
        }).pipe(Effect.provide(hooked ? told.pipe(Layer.provideMerge(live)) : live))
      )
    })
  }

  it.effect("the lock is held during rollback", () => {
    const slowly = RegistryHooks.layer(Tools, {
      onItemRegistered: () => Effect.sync(() => {}),
      onItemUnregistered: () => Effect.sleep("2 seconds")
    })
    return counting(
      Effect.gen(function*() {
        const failing = Tools.transact(Effect.andThen(Tools.register({ name: "a" }), Effect.fail("no")))
        const fiber = yield* Effect.forkChild(Effect.exit(failing), { startImmediately: true })
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(fiber)
        assert.strictEqual((yield* valueOf(RegistryMetrics.hold)).max, 2000)
      }).pipe(Effect.provide(slowly.pipe(Layer.provideMerge(live))))
    )
  })

  it.effect("populations are counted and measured, failed ones included", () => {
    let attempts = 0
    class Slow extends Registry.Service<Slow, Tool>()("test/Tools", {
      lookup: ["name"],
      defaults: Effect.andThen(
        Effect.sleep("5 seconds"),
        Effect.suspend(() => ++attempts === 1 ? Effect.fail("offline" as const) : Effect.succeed([{ name: "a" }]))
      )
    }) {}
    const slow = RegistryMetrics.layer(Slow).pipe(Layer.provideMerge(Slow.layer))
    return counting(
      Effect.gen(function*() {
        for (const outcome of ["failure", "success"]) {
          const fiber = yield* Effect.forkChild(Effect.exit(Slow.populate), { startImmediately: true })
          yield* TestClock.adjust("5 seconds")
          yield* Fiber.join(fiber)
          assert.strictEqual((yield* valueOf(RegistryMetrics.populations, { outcome })).count, 1)
        }
        const time = yield* valueOf(RegistryMetrics.population)
        assert.deepStrictEqual([time.count, time.min, time.max], [2, 5000, 5000])
      }).pipe(Effect.provide(slow))
    )
  })

  it.effect("a population from a list is counted and measured, too", () => {
    class Listed
      extends Registry.Service<Listed, Tool>()("test/Tools", { lookup: ["name"], defaults: [{ name: "a" }] })
    {}
    return counting(
      Effect.gen(function*() {
        yield* Listed.populate
        assert.strictEqual((yield* valueOf(RegistryMetrics.populations, { outcome: "success" })).count, 1)
        assert.strictEqual((yield* valueOf(RegistryMetrics.population)).count, 1)
      }).pipe(Effect.provide(RegistryMetrics.layer(Listed).pipe(Layer.provideMerge(Listed.layer))))
    )
  })

  it.effect("the wait of transactAll includes its populations, and it fails with theirs", () => {
    let attempts = 0
    class Slow extends Registry.Service<Slow, Tool>()("test/Tools", {
      lookup: ["name"],
      defaults: Effect.andThen(
        Effect.sleep("5 seconds"),
        Effect.suspend(() => ++attempts === 1 ? Effect.fail("offline" as const) : Effect.succeed([{ name: "a" }]))
      )
    }) {}
    return counting(
      Effect.gen(function*() {
        const slow = yield* Slow
        for (const outcome of ["failure", "success"]) {
          const transacting = Effect.exit(Registry.transactAll([slow], Effect.void))
          const fiber = yield* Effect.forkChild(transacting, { startImmediately: true })
          yield* TestClock.adjust("5 seconds")
          yield* Fiber.join(fiber)
          assert.strictEqual(yield* mutations("transactAll", outcome), 1)
        }
        const wait = yield* valueOf(RegistryMetrics.wait)
        assert.deepStrictEqual([wait.count, wait.max], [1, 5000])
      }).pipe(Effect.provide(RegistryMetrics.layer(Slow).pipe(Layer.provideMerge(Slow.layer))))
    )
  })

  it.effect("G23 subscribers are counted, and the lag of the slowest is measured", () =>
    counting(
      Effect.gen(function*() {
        const seen = Effect.all([valueOf(RegistryMetrics.subscribers), valueOf(RegistryMetrics.lag)])
        const both = Effect.map(seen, (gauges) => gauges.map(({ value }) => value))
        yield* Effect.scoped(Effect.gen(function*() {
          yield* Tools.subscribe()
          const { changes } = yield* Tools.subscribe()
          assert.deepStrictEqual(yield* both, [2, 0])
          for (const name of ["a", "b", "c"]) yield* Tools.register({ name })
          assert.deepStrictEqual(yield* both, [2, 3])
          yield* Stream.runDrain(Stream.take(changes, 3))
          assert.deepStrictEqual(yield* both, [2, 3])
        }))
        assert.deepStrictEqual(yield* both, [0, 0])
      }).pipe(Effect.provide(live))
    ))

  it.effect("reads are not counted, and without the layer no time is taken and nothing is counted", () => {
    const metrics = new Map()
    const noClock: Clock.Clock = new Proxy({} as Clock.Clock, {
      // a change knows when it was published
      get: (_, name) => {
        if (name === "currentTimeMillisUnsafe") return () => 0
        throw new Error("a time was taken")
      }
    })
    const work = Effect.gen(function*() {
      yield* Tools.register({ name: "a" })
      yield* Tools.get("name", "a")
      yield* Tools.transact(Tools.unregisterBy("name", "a"))
      yield* Effect.scoped(Tools.override({ name: "b" }))
    })
    return Effect.gen(function*() {
      // (a population is memoized by a cached effect, which reads the clock)
      yield* Effect.andThen(Tools.populate, Effect.provideService(work, Clock.Clock, noClock)).pipe(
        Effect.provide(Tools.layer)
      )
      assert.strictEqual(metrics.size, 0)
      yield* Effect.gen(function*() {
        yield* Tools.register({ name: "a" })
        const before = yield* Metric.snapshot
        yield* Effect.exit(Tools.get("name", "b"))
        yield* Effect.all([Tools.get("name", "a"), Tools.getAll("name", "a"), Tools.has("name", "a")])
        yield* Effect.all([
          Tools.size,
          Tools.state,
          Tools.snapshot,
          Tools.values,
          Tools.at(0),
          Tools.explain("name", "a")
        ])
        assert.deepStrictEqual(yield* Metric.snapshot, before)
      }).pipe(Effect.provide(live))
    }).pipe(Effect.provideService(Metric.MetricRegistry, metrics))
  })

  it.effect("a layer whose building is interrupted at any step leaves the registry unmeasured", () =>
    Effect.flatMap(Tools, (tools) =>
      RegistryTest.interruptEach({
        setup: Effect.void,
        run: () => Effect.scoped(Layer.build(Layer.fresh(RegistryMetrics.layer(Tools)))),
        check: (_, __, step) => Effect.sync(() => assert.isFalse(isMeasured(tools), `step ${step}`))
      })).pipe(Effect.provide(Tools.layer)))

  it.effect("after the layer is closed nothing is counted", () =>
    counting(
      Effect.gen(function*() {
        const context = yield* Effect.context<Tools>()
        yield* Effect.scoped(
          Layer.build(RegistryMetrics.layer(Tools).pipe(Layer.provide(Layer.succeedContext(context))))
        )
        yield* Tools.register({ name: "a" })
        assert.strictEqual(yield* mutations("register", "success"), 0)
        assert.isDefined(Context.get(context, Tools))
      }).pipe(Effect.provide(Tools.layer))
    ))
})
