/**
 * What a registry shows of itself: a trace, its metrics, and why an item is there.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Metric } from "effect"
import { Registry } from "effect-registry"
import { Providers, ProvidersLive } from "./providers.ts"
import { makeTrace } from "./trace.ts"

const checkout = Effect.gen(function*() {
  const candidates = yield* Providers.getAll("currency", "EUR")
  yield* Effect.log(`${candidates.length} providers take euros`)
  yield* Providers.register({ id: "mollie", currencies: ["EUR"] }).pipe(
    Effect.provideService(Registry.Owner, "plugin-mollie")
  )
  yield* Providers.register({ id: "none", currencies: [] }).pipe(
    Effect.catchTag("RegistrationError", (error) => Effect.logWarning(error.message))
  )
  yield* Effect.scoped(Providers.override({ id: "stripe", currencies: ["EUR"] }))
}).pipe(Effect.withSpan("checkout"))

const program = Effect.gen(function*() {
  const trace = makeTrace()
  const metrics = yield* Effect.gen(function*() {
    yield* checkout
    yield* Console.log("\nThe registry:", yield* Providers)
    yield* Console.log("\nWhy is mollie there?", yield* Providers.explain("id", "mollie"))
    // the gauges of a registry that has closed are 0
    return yield* Metric.snapshot
  }).pipe(Effect.provide(ProvidersLive), Effect.withTracer(trace.tracer))

  yield* Console.log("\nTrace:")
  yield* Console.log(trace.lines().join("\n"))
  yield* Console.log("\nMetrics:")
  for (const { attributes, id, state } of metrics) {
    if (!id.startsWith("effect_registry_")) continue
    const { registry: _, ...others } = attributes ?? {}
    yield* Console.log([id, ...Object.values(others), summary(state)].join(" "))
  }
})

/** A counter has a count, a gauge a value, and a histogram the time of the slowest as well. */
const summary = (state: object): string =>
  "max" in state && "count" in state
    ? `${state.count}, the slowest ${Number(state.max).toFixed(1)} ms`
    : String("count" in state ? state.count : "value" in state ? state.value : "")

NodeRuntime.runMain(program)
