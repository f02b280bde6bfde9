/**
 * A tracer that keeps the spans that have ended, and shows them as a tree.
 */
import { Option, Tracer } from "effect"

export const makeTrace = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const under = (parent: string | undefined, depth: number): ReadonlyArray<string> =>
    spans
      .filter((span) => Option.getOrUndefined(Option.map(span.parent, ({ spanId }) => spanId)) === parent)
      .flatMap((span) => [`${"  ".repeat(depth)}${lineOf(span)}`, ...under(span.spanId, depth + 1)])
  return { tracer, lines: () => under(undefined, 0) }
}

const lineOf = ({ attributes, name, status }: Tracer.NativeSpan): string => {
  const item = attributes.get("item")
  const about = item === undefined ? "" : ` ${item}`
  if (status._tag === "Started") return `${name}${about} (not ended)`
  const milliseconds = Number(status.endTime - status.startTime) / 1e6
  return `${name}${about} ${milliseconds.toFixed(1)} ms${status.exit._tag === "Failure" ? " failed" : ""}`
}
