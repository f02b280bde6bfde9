/**
 * Services of one identifier that are alive at once: as a rule a layer that was built twice by mistake, so that what one
 * part of a program registers another does not find.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"

/** Where each was built, by identifier. */
const live = new Map<string, Set<{ readonly where: string }>>()

/** Counts a registry for as long as the scope is open, and warns if it is the second. */
export const count = (id: string, scope: Scope.Scope): Effect.Effect<void> =>
  Effect.uninterruptible(Effect.withFiber((fiber) => {
    const all = live.get(id) ?? new Set()
    const [other] = all
    const itself = { where: whereIn(fiber) }
    live.set(id, all.add(itself))
    const counted = Scope.addFinalizer(
      scope,
      Effect.sync(() => {
        all.delete(itself)
        if (all.size === 0) live.delete(id)
      })
    )
    return other !== undefined && all.size === 2
      ? Effect.andThen(
        counted,
        Effect.ignoreCause(Effect.logWarning(
          `Two registries "${id}" are alive at once, and neither knows the items of the other. ` +
            `The first was built ${other.where}, the second ${itself.where}. ` +
            "If that is a mistake, build one layer, and provide it once; if not, give them identifiers of their own."
        ))
      )
      : counted
  }))

/** The innermost span or `Effect.fn` that the fiber is in, and where that was called; else where the fiber was run. */
const whereIn = (fiber: Fiber.Fiber<unknown, unknown>): string => {
  const frame = fiber.cache.stackFrame
  if (frame !== undefined) return `in ${frame.name}${placeIn(frame.stack())}`
  const errors: ErrorConstructor & { stackTraceLimit?: number } = Error
  const limit = errors.stackTraceLimit
  if (limit !== undefined) errors.stackTraceLimit = 100
  const { stack } = new Error()
  if (limit !== undefined) errors.stackTraceLimit = limit
  return `by fiber ${fiber.id}${placeIn(stack)}`
}

const placeIn = (stack: string | undefined): string => {
  const line = stack?.split("\n").find((one) => /^\s*at /.test(one) && !isOurs.test(one))
  return line === undefined ? "" : ` (${line.trim()})`
}

/** Effect's own modules, this package's, and Node's. */
const isOurs = /[/\\]effect[/\\](src|dist)[/\\]|[/\\](Registry|internal[/\\]features[/\\]live)\.[jt]s|\(node:|at node:/
