/** Spans, where somebody traces: without a tracer in the context of a fiber nothing is made. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import * as Tracer from "effect/Tracer"
import type { Span, Tracing } from "../engine/core.ts"

export const tracing: Tracing = {
  isTraced: ({ cache }) => cache.tracer !== undefined && cache.tracerEnabled,
  within: (span, effect) => Effect.withSpan(effect, nameOf(span), optionsOf(span)),
  withinContext: (fiber, span, effect, context) =>
    Effect.useSpan(nameOf(span), optionsOf(span), (made) =>
      Effect.setContext(
        effect,
        Context.add(Context.add(context, Tracer.Tracer, fiber.getRef(Tracer.Tracer)), Tracer.ParentSpan, made)
      ))
}

const nameOf = ({ operation }: Span): string => `Registry.${operation}`

const optionsOf = ({ item, ...attributes }: Span): Tracer.SpanOptions => ({
  attributes: item === undefined ? attributes : { ...attributes, item: Formatter.format(item).slice(0, longest) },
  captureStackTrace: false
})

const longest = 200
