/** A registry per tenant: what is built on each, and what they share. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, LayerMap, ManagedRuntime, Metric, Scope } from "effect"
import { Registry, RegistryError, RegistryHooks, RegistryMetrics } from "effect-registry"
import { PrometheusMetrics } from "effect/observability"

interface Feature {
  readonly name: string
  readonly from?: string
}

const lookup = ["name"] as const

class Features extends Registry.Service<Features, Feature>()("test/Features", { lookup }) {}

/** Shared by all tenants. */
class Log extends Context.Service<Log, Array<string>>()("test/Log") {}

const registryOf = (tenant: string) =>
  Layer.effect(
    Features,
    Registry.make<Feature>()({ name: tenant, lookup, defaults: [{ name: "start" }], populationFailure: "die" })
  )

const Hooks = RegistryHooks.layer(
  Features,
  Effect.gen(function*() {
    const [log, { name: tenant }] = [yield* Log, yield* Features]
    return RegistryHooks.make<Feature>()({
      onItemRegistering: (feature) =>
        feature.name.startsWith("x-") ? RegistryError.reject(feature, "x- is reserved") : Effect.void,
      onItemRegistered: ({ name }) => Effect.sync(() => log.push(`${tenant} +${name}`))
    })
  })
)

const Names = Layer.effectDiscard(Effect.gen(function*() {
  const [log, { name: tenant }] = [yield* Log, yield* Features]
  yield* Features.addHooks({
    onItemRegistered: ({ name }) => Effect.sync(() => log.push(`${tenant} knows ${name}`)),
    onItemUnregistered: ({ name }) => Effect.sync(() => log.push(`${tenant} forgets ${name}`))
  }, { existing: true })
}))

const Items = Features.items([{ name: "login" }])
const Overrides = Features.overrides([{ name: "start", from: "override" }])
const Metrics = RegistryMetrics.layer(Features)

/** Constants, each of one registry. */
const OfEach = Layer.mergeAll(Overrides, Metrics).pipe(
  Layer.provideMerge(Items),
  Layer.provideMerge(Layer.mergeAll(Hooks, Names))
)

const registered = (tenant: string) =>
  Effect.map(
    Metric.value(Metric.withAttributes(RegistryMetrics.mutations, {
      registry: tenant,
      operation: "register",
      outcome: "success"
    })),
    ({ count }) => count
  )

const sizeOf = (tenant: string) =>
  Effect.map(Metric.value(Metric.withAttributes(RegistryMetrics.size, { registry: tenant })), ({ value }) => value)

/** All that a tenant should have: it registers an item, and looks. */
const look = (tenant: string) =>
  Effect.gen(function*() {
    const log = yield* Log
    log.length = 0
    const before = yield* registered(tenant)
    yield* Features.register({ name: "new" })
    const refused = yield* Effect.exit(Features.register({ name: "x-new" }))
    yield* Features.unregisterBy("name", "new")
    const features = yield* Features.values
    return {
      names: features.map(({ name }) => name),
      start: (yield* Features.get("name", "start")).from,
      refused: Exit.isFailure(refused),
      told: log.splice(0),
      counted: (yield* registered(tenant)) - before,
      size: yield* sizeOf(tenant)
    }
  })

const expected = (tenant: string) => ({
  names: ["login", "start"],
  start: "override",
  refused: true,
  told: [`${tenant} +new`, `${tenant} knows new`, `${tenant} forgets new`],
  counted: 1,
  size: 2
})

const tenants = ["a", "b", "c"]

const counting = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Metric.MetricRegistry, new Map())

describe("a registry per tenant", () => {
  class Tenants extends LayerMap.Service<Tenants>()("test/Tenants", {
    lookup: (tenant: string) => Layer.fresh(OfEach).pipe(Layer.provideMerge(registryOf(tenant))),
    idleTimeToLive: "1 hour"
  }) {}

  let logs = 0
  const shared = Layer.sync(Log, () => {
    logs++
    return []
  })
  const live = Tenants.layer.pipe(Layer.provideMerge(shared))

  it.effect("each has hooks, items, overrides and metrics of its own, though these are constants", () =>
    counting(
      Effect.gen(function*() {
        const built = logs
        for (const tenant of [...tenants, ...tenants]) {
          const seen = yield* look(tenant).pipe(Effect.provide(Tenants.get(tenant)))
          assert.deepStrictEqual(seen, expected(tenant))
        }
        // what they share was built before them, and not again
        assert.strictEqual(logs, built)
      }).pipe(Effect.provide(live))
    ))

  it.effect("one that goes takes nothing from the others, and has all again when it is made again", () =>
    counting(
      Effect.gen(function*() {
        for (const tenant of tenants) yield* Features.populate.pipe(Effect.provide(Tenants.get(tenant)))
        for (const tenant of tenants) {
          yield* Tenants.invalidate(tenant)
          assert.strictEqual(yield* sizeOf(tenant), 0)
          for (const other of tenants) {
            if (other === tenant) continue
            const seen = yield* look(other).pipe(Effect.provide(Tenants.get(other)))
            assert.deepStrictEqual(seen, expected(other))
          }
          const again = yield* look(tenant).pipe(Effect.provide(Tenants.get(tenant)))
          assert.deepStrictEqual(again, expected(tenant))
        }
      }).pipe(Effect.provide(live))
    ))

  it.effect("all users of one share its registry, whose hooks are installed once", () =>
    counting(
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const first = yield* Scope.provide(Tenants.contextEffect("a"), scope)
        const seen = yield* look("a").pipe(Effect.provide(Tenants.get("a")))
        assert.deepStrictEqual(seen, expected("a"))
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* Effect.provide(Features, Tenants.get("a")), Context.get(first, Features))
        assert.deepStrictEqual(yield* look("a").pipe(Effect.provide(Tenants.get("a"))), expected("a"))
      }).pipe(Effect.provide(live))
    ))

  it.effect("without Layer.fresh, constants are built for the first alone: the page on tenants says so", () => {
    class Constants extends LayerMap.Service<Constants>()("test/Constants", {
      lookup: (tenant: string) => OfEach.pipe(Layer.provideMerge(registryOf(tenant))),
      idleTimeToLive: "1 hour"
    }) {}
    return counting(
      Effect.gen(function*() {
        const [first, ...others] = tenants
        assert.deepStrictEqual(yield* look(first!).pipe(Effect.provide(Constants.get(first!))), expected(first!))
        for (const tenant of others) {
          const seen = yield* look(tenant).pipe(Effect.provide(Constants.get(tenant)))
          assert.deepStrictEqual(seen, {
            names: ["start", "x-new"],
            start: undefined,
            refused: false,
            told: [],
            counted: 0,
            size: 0
          })
        }
      }).pipe(Effect.provide(Constants.layer.pipe(Layer.provideMerge(shared))))
    )
  })

  it("constants are built for each runtime", async () => {
    for (const tenant of tenants) {
      const metrics = Layer.succeed(Metric.MetricRegistry, new Map())
      const runtime = ManagedRuntime.make(
        OfEach.pipe(Layer.provideMerge([registryOf(tenant), shared]), Layer.provideMerge(metrics))
      )
      assert.deepStrictEqual(await runtime.runPromise(look(tenant)), expected(tenant))
      await runtime.dispose()
    }
  })

  it.effect("with metrics has nine, 72 series in Prometheus, also when it has gone: the page on tenants says so", () =>
    counting(
      Effect.gen(function*() {
        const count = Effect.map(PrometheusMetrics.format(), (text) => {
          const lines = text.split("\n")
          const begins = (start: string) => lines.filter((line) => line.startsWith(start)).length
          return [begins("# TYPE effect_registry"), begins("effect_registry")]
        })
        const open = Effect.andThen(Features.register({ name: "new" }), count)
        const counted = yield* open.pipe(Effect.provide(Metrics.pipe(Layer.provideMerge(registryOf("a")))))
        assert.deepStrictEqual([counted, yield* count], [[9, 72], [9, 72]])
      })
    ))
})
