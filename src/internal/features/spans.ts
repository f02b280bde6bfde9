/** Spans. Nothing is made without a tracer in the context of a fiber. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import type { Span, Tracing } from "../engine/core.ts"
import { labelOf } from "../store/definition.ts"
import { plain } from "../store/wording.ts"

export const tracing: Tracing = {
  isTraced: ({ cache }) => cache.tracer !== undefined && cache.tracerEnabled,
  within: (span, effect) => Effect.withSpan(effect, ...named(span)),
  withinContext: (fiber, span, effect, context) =>
    Effect.useSpan(...named(span), (made) =>
      Effect.setContext(
        effect,
        Context.add(Context.add(context, Tracer.Tracer, fiber.getRef(Tracer.Tracer)), Tracer.ParentSpan, made)
      ))
}

const named = ({ item, operation, registry, value }: Span): [name: string, options: Tracer.SpanOptions] => {
  const about = item !== undefined
    ? { item: labelOf(registry, item) }
    : value !== undefined
    ? { value: plain(value) }
    : {}
  return [`Registry.${operation}`, {
    attributes: { registry: registry.name, operation, ...about },
    captureStackTrace: false
  }]
}
