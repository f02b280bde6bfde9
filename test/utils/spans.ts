import { Option, Tracer } from "effect"

/** A tracer, and its spans: name, attributes, name of the parent, and how it ended. */
export const recorder = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const told = (): ReadonlyArray<{ readonly [attribute: string]: unknown }> =>
    spans.map(({ attributes, name, parent, status }) => ({
      name,
      ...Object.fromEntries(attributes),
      parent: Option.match(parent, {
        onNone: () => undefined,
        onSome: (one) => one._tag === "Span" ? one.name : "external"
      }),
      ended: status._tag === "Ended" ? status.exit._tag : "not ended"
    }))
  return { tracer, told, spans }
}
