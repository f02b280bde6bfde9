/** Gauges: whom they belong to, and what they are when a registry or a layer of metrics has come to its end. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Latch, Layer, LayerMap, Metric, Scope } from "effect"
import { Registry, RegistryMetrics } from "effect-registry"
import { isMeasured } from "./utils/inside.ts"

interface Tool {
  readonly name: string
}

class Tools extends Registry.Service<Tools, Tool>()("test/Tools", { lookup: ["name"] }) {}

const measured = RegistryMetrics.layer(Tools)

/** A registry of the service `Tools`, with another name. */
const named = (name: string, ...defaults: ReadonlyArray<string>) =>
  Layer.effect(
    Tools,
    Registry.make<Tool>()({
      name,
      lookup: ["name"],
      defaults: defaults.map((item) => ({ name: item })),
      populationFailure: "die"
    })
  )

/** Each test has metrics of its own. */
const counting = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Metric.MetricRegistry, new Map())

const gauges = { size: RegistryMetrics.size, revision: RegistryMetrics.revision }
const following = { subscribers: RegistryMetrics.subscribers, lag: RegistryMetrics.lag }

/** The size, the revision, the subscribers and the lag. */
const valuesOf = (registry = "test/Tools") =>
  Effect.forEach(
    Object.values({ ...gauges, ...following }),
    (gauge) => Effect.map(Metric.value(Metric.withAttributes(gauge, { registry })), ({ value }) => value)
  )

const registered = (registry = "test/Tools") =>
  Effect.map(
    Metric.value(
      Metric.withAttributes(RegistryMetrics.mutations, { registry, operation: "register", outcome: "success" })
    ),
    ({ count }) => count
  )

const sizeOf = (registry?: string) => Effect.map(valuesOf(registry), ([size]) => size)

const registerEach = (...names: ReadonlyArray<string>) =>
  Effect.forEach(names, (name) => Tools.register({ name }), { discard: true })

const nothing = [0, 0, 0, 0]

describe("gauges of a registry that is closed", () => {
  it.effect("are 0, its revision too, where the layer of metrics is built on that of the registry", () =>
    counting(Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        yield* registerEach("a", "b")
        yield* Tools.subscribe()
        yield* registerEach("c")
        assert.deepStrictEqual(yield* valuesOf(), [3, 4, 1, 1])
      })).pipe(Effect.provide(measured.pipe(Layer.provideMerge(Tools.layer))))
      assert.deepStrictEqual(yield* valuesOf(), nothing)
    })))

  it.effect("are 0 when it closes before the layer of metrics and its subscribers, and stay 0 when these end", () =>
    counting(Effect.gen(function*() {
      const registries = yield* Scope.make()
      const others = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Tools.layer, registries)
      yield* Effect.gen(function*() {
        yield* Layer.buildWithScope(measured, others)
        yield* Scope.provide(Tools.subscribe(), others)
        yield* registerEach("a", "b")
        assert.deepStrictEqual(yield* valuesOf(), [2, 3, 1, 2])
        yield* Scope.close(registries, Exit.void)
        assert.deepStrictEqual(yield* valuesOf(), nothing)
        yield* Effect.exit(registerEach("c"))
        yield* Scope.close(others, Exit.void)
        assert.deepStrictEqual(yield* valuesOf(), nothing)
        yield* Effect.scoped(Layer.build(Layer.fresh(measured)))
        assert.deepStrictEqual(yield* valuesOf(), nothing)
      }).pipe(Effect.provideContext(context))
    })))

  it.effect("are 0 while a transaction that was open is rolled back, and after it", () =>
    counting(Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Tools.layer, scope)
      yield* Effect.gen(function*() {
        yield* Layer.build(measured)
        yield* registerEach("a")
        const latch = yield* Latch.make()
        const fiber = yield* Effect.forkChild(
          Tools.transact(Effect.andThen(registerEach("b"), latch.await)),
          { startImmediately: true }
        )
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* valuesOf(), nothing)
        yield* latch.open
        assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
        assert.deepStrictEqual(yield* valuesOf(), nothing)
      }).pipe(Effect.scoped, Effect.provideContext(context))
    })))

  it.effect("are 0 for each of many tenants that have gone", () => {
    class Tenants extends LayerMap.Service<Tenants>()("test/Tenants", {
      lookup: (tenant: string) => RegistryMetrics.layer(Tools).pipe(Layer.provideMerge(named(tenant)))
    }) {}
    return counting(
      Effect.gen(function*() {
        const tenants = ["t1", "t2", "t3"]
        yield* Effect.forEach(tenants, (tenant) =>
          Effect.gen(function*() {
            yield* registerEach("a", "b")
            assert.strictEqual(yield* sizeOf(tenant), 2)
          }).pipe(Effect.scoped, Effect.provide(Tenants.get(tenant))))
        assert.deepStrictEqual(yield* Effect.forEach(tenants, valuesOf), tenants.map(() => nothing))
      }).pipe(Effect.provide(Tenants.layer))
    )
  })

  it.effect("are those of its successor, where one of the same name was made before it has closed", () => {
    class Tenants extends LayerMap.Service<Tenants>()("test/Tenants", {
      lookup: (tenant: string) => RegistryMetrics.layer(Tools).pipe(Layer.provideMerge(named(tenant))),
      idleTimeToLive: "1 hour"
    }) {}
    return counting(
      Effect.gen(function*() {
        const first = yield* Scope.make()
        const context = yield* Scope.provide(Tenants.contextEffect("t"), first)
        yield* registerEach("a", "b").pipe(Effect.provideContext(context))
        yield* Tenants.invalidate("t")
        // the first user has it still
        yield* registerEach("x").pipe(Effect.provide(Tenants.get("t")))
        assert.deepStrictEqual(yield* valuesOf("t"), [3, 5, 0, 0])
        yield* Scope.close(first, Exit.void)
        assert.deepStrictEqual(yield* valuesOf("t"), [1, 2, 0, 0])
        yield* registerEach("y").pipe(Effect.provide(Tenants.get("t")))
        assert.deepStrictEqual(yield* valuesOf("t"), [2, 3, 0, 0])
        yield* Tenants.invalidate("t")
        assert.deepStrictEqual(yield* valuesOf("t"), nothing)
      }).pipe(Effect.provide(Tenants.layer))
    )
  })

  it.effect("are 0 for one that loads late, measured from outside and in the layer that was loaded", () =>
    counting(Effect.gen(function*() {
      let attempts = 0
      const load = () =>
        ++attempts === 1
          ? Promise.reject(new Error("offline"))
          : Promise.resolve(
            Tools.items([{ name: "a" }]).pipe(
              Layer.provideMerge(RegistryMetrics.layer(Tools)),
              Layer.provideMerge(Tools.layer),
              Layer.orDie
            )
          )
      yield* Effect.gen(function*() {
        assert.deepStrictEqual(yield* valuesOf(), nothing)
        yield* Effect.exit(Tools.size)
        assert.deepStrictEqual(yield* valuesOf(), nothing)
        yield* registerEach("b")
        assert.deepStrictEqual(yield* valuesOf(), [2, 2, 0, 0])
        assert.strictEqual(yield* registered(), 1)
        yield* Tools.reset
        yield* registerEach("c")
        // the item of the layer that was loaded is back
        assert.strictEqual(yield* sizeOf(), 2)
      }).pipe(Effect.provide(measured.pipe(Layer.provideMerge(Tools.layerLazy(load)))))
      assert.deepStrictEqual(yield* valuesOf(), nothing)
    })))
})

describe("gauges of several registries of one name", () => {
  it.effect("are sums, and what a registry adds goes with it", () =>
    counting(Effect.gen(function*() {
      const two = yield* Scope.make()
      const live = measured.pipe(Layer.provideMerge(named("tenant", "a", "b", "c")))
      yield* Effect.gen(function*() {
        const other = yield* Layer.buildWithScope(
          Layer.fresh(measured).pipe(Layer.provideMerge(named("tenant", "a", "b"))),
          two
        )
        yield* Tools.populate
        yield* Tools.populate.pipe(Effect.provideContext(other))
        assert.deepStrictEqual(yield* valuesOf("tenant"), [5, 2, 0, 0])
        yield* registerEach("d")
        assert.strictEqual(yield* sizeOf("tenant"), 6)
        yield* Tools.reset.pipe(Effect.provideContext(other))
        assert.strictEqual(yield* sizeOf("tenant"), 4)
        yield* Scope.close(two, Exit.void)
        assert.deepStrictEqual(yield* valuesOf("tenant"), [4, 2, 0, 0])
      }).pipe(Effect.provide(live))
      assert.deepStrictEqual(yield* valuesOf("tenant"), nothing)
    })))
})

describe("layers of metrics for one registry", () => {
  it.effect("count once, and measure until the last of them is closed, whichever that is", () =>
    counting(
      Effect.gen(function*() {
        const tools = yield* Tools
        for (const firstEnds of [true, false]) {
          const [one, other] = [yield* Scope.make(), yield* Scope.make()]
          const before = yield* registered()
          const { size: had } = tools.toJSON() as { readonly size: number }
          yield* Layer.buildWithScope(RegistryMetrics.layer(Tools), one)
          yield* Layer.buildWithScope(RegistryMetrics.layer(Tools), other)
          yield* registerEach(`a ${firstEnds}`)
          assert.deepStrictEqual([yield* sizeOf(), yield* registered()], [had + 1, before + 1])
          yield* Scope.close(firstEnds ? one : other, Exit.void)
          assert.strictEqual(yield* sizeOf(), had + 1)
          yield* registerEach(`b ${firstEnds}`)
          assert.deepStrictEqual([yield* sizeOf(), yield* registered()], [had + 2, before + 2])
          yield* Scope.close(firstEnds ? other : one, Exit.void)
          assert.deepStrictEqual(yield* valuesOf(), nothing)
          assert.isFalse(isMeasured(tools))
          yield* registerEach(`c ${firstEnds}`)
          assert.deepStrictEqual([yield* sizeOf(), yield* registered()], [0, before + 2])
        }
      }).pipe(Effect.provide(Tools.layer))
    ))

  it.effect("measure an operation that was in flight when one of them was closed", () =>
    counting(
      Effect.gen(function*() {
        const one = yield* Scope.make()
        yield* Layer.buildWithScope(RegistryMetrics.layer(Tools), one)
        yield* Layer.build(RegistryMetrics.layer(Tools))
        yield* Tools.transact(Effect.andThen(registerEach("a"), Scope.close(one, Exit.void)))
        assert.deepStrictEqual([yield* sizeOf(), yield* registered()], [1, 1])
      }).pipe(Effect.scoped, Effect.provide(Tools.layer))
    ))

  it.effect("measure it in the metrics of each, where they have metrics or attributes of their own", () =>
    Effect.gen(function*() {
      const shared = new Map()
      const places = [
        Context.make(Metric.MetricRegistry, new Map()),
        Context.make(Metric.MetricRegistry, shared),
        Context.make(Metric.MetricRegistry, shared).pipe(Context.add(Metric.CurrentMetricAttributes, { zone: "eu" }))
      ]
      const seen = Effect.forEach(
        places,
        (place) => Effect.all([sizeOf(), registered()]).pipe(Effect.provideContext(place))
      )
      yield* Effect.gen(function*() {
        const scopes = yield* Effect.forEach(places, (place) =>
          Effect.gen(function*() {
            const scope = yield* Scope.make()
            yield* Layer.buildWithScope(RegistryMetrics.layer(Tools), scope).pipe(Effect.provideContext(place))
            return scope
          }))
        yield* registerEach("a")
        assert.deepStrictEqual(yield* seen, [[1, 1], [1, 1], [1, 1]])
        yield* Scope.close(scopes[1]!, Exit.void)
        yield* registerEach("b")
        assert.deepStrictEqual(yield* seen, [[2, 2], [0, 1], [2, 2]])
      }).pipe(Effect.provide(Tools.layer))
      assert.deepStrictEqual(yield* seen, [[0, 2], [0, 1], [0, 2]])
    }))
})
