/**
 * Metrics of a registry: its size, its operations with their waits and durations, and the lag of its subscribers.
 *
 * Without `layer`, nothing is counted and no clock is read. Reads are never counted. Every metric has the attribute
 * `registry`, the name of the registry.
 *
 * | metric | meaning |
 * | --- | --- |
 * | `effect_registry_size` | items |
 * | `effect_registry_revision` | the revision: one more for each committed transaction |
 * | `effect_registry_mutations_total` | operations that ended, by `operation` and `outcome` |
 * | `effect_registry_wait_milliseconds` | from the call of an operation to when it has its lock, a population included |
 * | `effect_registry_hold_milliseconds` | how long an operation holds its lock, hooks included |
 * | `effect_registry_populations_total` | populations that ended, by `outcome` |
 * | `effect_registry_population_milliseconds` | how long a population takes |
 * | `effect_registry_subscribers` | subscriptions that have not ended |
 * | `effect_registry_lag` | how many changes the slowest subscriber has not seen |
 *
 * `outcome` is `success`, `failure` (a typed error), `defect` or `interruption`. An operation that gets its lock is one
 * wait and one hold, which are measured when it releases the lock. An operation inside a transaction is counted, but
 * not measured: its time is part of that transaction.
 *
 * The size, the revision, the subscribers and the lag are gauges. They are 0 after the registry has closed. Several
 * registries with one name share gauges, which are sums.
 *
 * @module
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Scope from "effect/Scope"
import { operation } from "./internal/coreOf.ts"
import { contentsOf, type Core, type Observation, type Observer, type OperationLabel } from "./internal/engine/core.ts"
import { watchersOf } from "./internal/features/watch.ts"
import type { RegistryOrService } from "./internal/model.ts"

/** From a tenth of a millisecond to about half a minute. */
const boundaries = /*#__PURE__*/ Metric.exponentialBoundaries({ start: 0.1, factor: 2, count: 20 })

/**
 * How many items a registry holds.
 *
 * @category metrics
 * @since 0.1.0
 */
export const size: Metric.Gauge<number> = /*#__PURE__*/ Metric.gauge("effect_registry_size", {
  description: "Items of a registry"
})

/**
 * The revision of a registry.
 *
 * @category metrics
 * @since 0.1.0
 */
export const revision: Metric.Gauge<number> = /*#__PURE__*/ Metric.gauge("effect_registry_revision", {
  description: "Revision of a registry: one more for each committed transaction"
})

/**
 * The operations that ended, by `operation` (`register`, `reset`, `transact`, …) and `outcome`.
 *
 * @category metrics
 * @since 0.1.0
 */
export const mutations: Metric.Counter<number> = /*#__PURE__*/ Metric.counter("effect_registry_mutations_total", {
  description: "Operations on a registry that ended, by operation and outcome",
  incremental: true
})

/**
 * From the call of an operation to when it has its lock, a population included, in milliseconds.
 *
 * @category metrics
 * @since 0.1.0
 */
export const wait: Metric.Histogram<number> = /*#__PURE__*/ Metric.histogram("effect_registry_wait_milliseconds", {
  description: "How long operations wait for the lock of a registry",
  boundaries
})

/**
 * How long an operation holds its lock, hooks included, in milliseconds.
 *
 * @category metrics
 * @since 0.1.0
 */
export const hold: Metric.Histogram<number> = /*#__PURE__*/ Metric.histogram("effect_registry_hold_milliseconds", {
  description: "How long operations hold the lock of a registry",
  boundaries
})

/**
 * The populations that ended, by `outcome`.
 *
 * @category metrics
 * @since 0.1.0
 */
export const populations: Metric.Counter<number> = /*#__PURE__*/ Metric.counter("effect_registry_populations_total", {
  description: "Populations of a registry that ended, by outcome",
  incremental: true
})

/**
 * How long a population takes, in milliseconds.
 *
 * @category metrics
 * @since 0.1.0
 */
export const population: Metric.Histogram<number> = /*#__PURE__*/ Metric.histogram(
  "effect_registry_population_milliseconds",
  {
    description: "How long populations of a registry take",
    boundaries
  }
)

/**
 * How many subscriptions have not ended.
 *
 * @category metrics
 * @since 0.1.0
 */
export const subscribers: Metric.Gauge<number> = /*#__PURE__*/ Metric.gauge("effect_registry_subscribers", {
  description: "Subscriptions to a registry that have not ended"
})

/**
 * How many changes the slowest subscriber has not seen.
 *
 * @category metrics
 * @since 0.1.0
 */
export const lag: Metric.Gauge<number> = /*#__PURE__*/ Metric.gauge("effect_registry_lag", {
  description: "Changes of a registry that its slowest subscriber has not seen"
})

/**
 * Measures a registry for the lifetime of the layer. When the layer or the registry is closed, its gauges return to 0.
 *
 * Layers of one registry with the same `MetricRegistry` and `CurrentMetricAttributes` share their series: nothing is
 * counted twice, and measuring ends with the last of them.
 *
 * Never waits or fails, so there is nothing to interrupt. Operations in flight when it begins are not measured.
 *
 * **Example** (How many registrations were refused)
 *
 * ```ts
 * import { Registry, RegistryMetrics } from "effect-registry"
 * import { Effect, Layer, Metric } from "effect"
 *
 * class Tools extends Registry.Service<Tools, { readonly name: string }>()("app/Tools", { lookup: ["name"] }) {}
 *
 * const program = Effect.gen(function*() {
 *   yield* Tools.register({ name: "search" })
 *   yield* Effect.exit(Tools.register({ name: "search" }))
 *   const attributes = { registry: "app/Tools", operation: "register", outcome: "failure" }
 *   const { count } = yield* Metric.value(Metric.withAttributes(RegistryMetrics.mutations, attributes))
 *   return count
 * }).pipe(Effect.provide(RegistryMetrics.layer(Tools).pipe(Layer.provideMerge(Tools.layer))))
 *
 * await Effect.runPromise(program) // => 1
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <Item, Lookups, P, V, R = never>(
  self: RegistryOrService<Item, Lookups, P, V, R>
): Layer.Layer<never, never, R> => Layer.effectDiscard(observe(self))

const observe: <Item, Lookups, P, V, R>(
  self: RegistryOrService<Item, Lookups, P, V, R>
) => Effect.Effect<void, never, Scope.Scope | R> = /*#__PURE__*/ operation(
  1,
  (core) =>
    Effect.uninterruptible(Effect.contextWith((context: Context.Context<Scope.Scope>) => {
      const measuring = core.observer instanceof Measuring ? core.observer : new Measuring(core)
      core.observer = measuring
      const series = measuring.begin(context)
      return Scope.addFinalizer(
        Context.get(context, Scope.Scope),
        Effect.sync(() => {
          if (measuring.end(series)) core.observer = undefined
        })
      )
    }))
)

const gauges = [size, revision, subscribers, lag]

/** The metrics of a registry in one `MetricRegistry`, with one set of attributes. */
class Series {
  layers = 0
  private readonly context: Context.Context<never>
  /** What the registry has added to each gauge: other registries of its name add to the same. */
  private added = gauges.map(() => 0)

  constructor(metrics: Metric.MetricRegistry, attributes: Metric.Metric.AttributeSet) {
    this.context = Context.make(Metric.MetricRegistry, metrics).pipe(
      Context.add(Metric.CurrentMetricAttributes, attributes)
    )
  }

  has(metrics: Metric.MetricRegistry, attributes: Metric.Metric.AttributeSet): boolean {
    return Context.get(this.context, Metric.MetricRegistry) === metrics &&
      Equal.equals(Context.get(this.context, Metric.CurrentMetricAttributes), attributes)
  }

  update(metric: Metric.Metric<number, unknown>, input: number): void {
    metric.updateUnsafe(input, this.context)
  }

  show(values: ReadonlyArray<number>): void {
    gauges.forEach((gauge, i) => gauge.modifyUnsafe(values[i]! - this.added[i]!, this.context))
    this.added = values.slice()
  }
}

/** Measures a registry for all layers that ask for it. */
class Measuring<Item, P, V> implements Observer {
  private readonly core: Core<Item, P, V>
  private readonly all = new Set<Series>()

  constructor(core: Core<Item, P, V>) {
    this.core = core
  }

  begin(context: Context.Context<never>): Series {
    const metrics = Context.get(context, Metric.MetricRegistry)
    const attributes = { ...Context.get(context, Metric.CurrentMetricAttributes), registry: this.core.definition.name }
    const series = Array.from(this.all).find((one) => one.has(metrics, attributes)) ?? new Series(metrics, attributes)
    series.layers++
    this.all.add(series)
    this.changed()
    return series
  }

  /** Whether nothing is left to measure for. */
  end(series: Series): boolean {
    if (--series.layers > 0) return false
    this.all.delete(series)
    series.show(nothing)
    return this.all.size === 0
  }

  changed(): void {
    const values = this.core.closed ? nothing : valuesOf(this.core)
    for (const series of this.all) series.show(values)
  }

  called({ kind, name }: OperationLabel, fiber: Fiber.Fiber<unknown, unknown>): Observation {
    const clock = fiber.getRef(Clock.Clock)
    const now = () => Number(clock.currentTimeNanosUnsafe()) / 1e6
    const isPopulation = kind === "population"
    const called = now()
    let begun: number | undefined
    const released = () => {
      if (begun !== undefined && !isPopulation) {
        this.update(wait, begun - called)
        this.update(hold, now() - begun)
      }
      begun = undefined
    }
    return {
      begun(nested) {
        if (!nested) begun = now()
      },
      gaveUp() {
        begun = undefined
      },
      released,
      ended: (exit) => {
        // a selector that throws ends it at once
        released()
        const outcome = outcomeOf(exit)
        if (isPopulation) {
          this.update(Metric.withAttributes(populations, { outcome }), 1)
          this.update(population, now() - called)
        } else {
          this.update(Metric.withAttributes(mutations, { operation: name, outcome }), 1)
        }
      }
    }
  }

  private update(metric: Metric.Metric<number, unknown>, input: number): void {
    for (const series of this.all) series.update(metric, input)
  }
}

const nothing: ReadonlyArray<number> = [0, 0, 0, 0]

/** In the order of `gauges`. */
const valuesOf = <Item, P, V>(core: Core<Item, P, V>): ReadonlyArray<number> => {
  const contents = contentsOf(core)
  const followers = watchersOf(core).subscribers
  const last = contents.revision
  let slowest = last
  // a follower may begin at a revision that the registry never had: it has seen nothing
  const existed = (seen: number) => Number.isInteger(seen) && seen >= 0 && seen <= last
  for (const { seen } of followers) slowest = Math.min(slowest, existed(seen) ? seen : 0)
  return [contents.size, last, followers.size, last - slowest]
}

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): "success" | "failure" | "defect" | "interruption" => {
  if (Exit.isSuccess(exit)) return "success"
  if (Cause.hasDies(exit.cause)) return "defect"
  return Cause.hasFails(exit.cause) ? "failure" : "interruption"
}
