/**
 * Spans, where somebody traces: without a tracer in the context of a fiber nothing is made.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Formatter from "effect/Formatter"
import * as Tracer from "effect/Tracer"

/** @internal */
export interface Attributes {
  readonly registry?: string
  readonly operation: string
  readonly item?: unknown
}

/** @internal */
export const isTraced = ({ cache }: Fiber.Fiber<unknown, unknown>): boolean =>
  cache.tracer !== undefined && cache.tracerEnabled

/**
 * Whether a fiber that runs with a context may be traced.
 *
 * @internal
 */
export const hasTracer = ({ mapUnsafe }: Context.Context<never>): boolean => mapUnsafe.has(Tracer.TracerKey)

/**
 * Runs an effect in a span that is called as the operation.
 *
 * @internal
 */
export const within = <A, E, R>(
  attributes: Attributes,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => Effect.withSpan(effect, nameOf(attributes), optionsOf(attributes))

/**
 * The same for an effect that runs with other services than the fiber: the span, and who traces, are the fiber's.
 *
 * @internal
 */
export const withinContext = <A, E, R>(
  fiber: Fiber.Fiber<unknown, unknown>,
  attributes: Attributes,
  effect: Effect.Effect<A, E, R>,
  context: Context.Context<R>
): Effect.Effect<A, E> =>
  Effect.useSpan(nameOf(attributes), optionsOf(attributes), (span) =>
    Effect.setContext(
      effect,
      Context.add(Context.add(context, Tracer.Tracer, fiber.getRef(Tracer.Tracer)), Tracer.ParentSpan, span)
    ))

const nameOf = ({ operation }: Attributes): string => `Registry.${operation}`

const optionsOf = ({ item, ...attributes }: Attributes): Tracer.SpanOptions => ({
  attributes: item === undefined ? attributes : { ...attributes, item: Formatter.format(item).slice(0, longest) },
  captureStackTrace: false
})

const longest = 200
