/** Registries of one identifier that are alive at once: as a rule a layer was built twice by mistake. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { inCommon } from "../copy.ts"
import { bounded, show } from "../store/wording.ts"

/** Where each was built, by identifier, by whatever copy of the package. */
const live = /*#__PURE__*/ inCommon("live", () => new Map<string, Set<{ readonly where: string }>>())

/** Counts a registry as long as the scope is open, and warns if it is the second. */
export const count = (id: string): Effect.Effect<void, never, Scope.Scope> =>
  Effect.uninterruptible(Effect.withFiber((fiber) => {
    const all = live.get(id) ?? new Set()
    const [other] = all
    const itself = { where: whereIn(fiber) }
    live.set(id, all.add(itself))
    const forget = Effect.sync(() => {
      all.delete(itself)
      if (all.size === 0) live.delete(id)
    })
    const warning = Effect.logWarning(
      bounded(
        `Two registries ${show(id)} are alive at once, and neither knows the items of the other. ` +
          "Build one layer, and provide it once, or give them different identifiers. " +
          `The first was built ${other?.where}, the second ${itself.where}.`
      )
    )
    return Effect.andThen(Effect.addFinalizer(() => forget), all.size === 2 ? Effect.ignoreCause(warning) : Effect.void)
  }))

/** In the innermost span or `Effect.fn`; without one, where the fiber was run. */
const whereIn = ({ cache: { stackFrame }, id }: Fiber.Fiber<unknown, unknown>): string =>
  stackFrame === undefined
    ? `by fiber ${id}${placeOf(runIn())}`
    : `in ${bounded(stackFrame.name, 40)}${placeOf(stackFrame.stack())}`

/** The end of a line says most. */
const placeOf = (line: string | undefined): string =>
  line === undefined ? "" : ` (${line.replace(/^.+(?=.{80})/s, "…")})`

/** The first line of the stack below those of Effect and of Node. In a bundle they cannot be told from others. */
const runIn = (): string | undefined => {
  const errors: ErrorConstructor & { stackTraceLimit?: number } = Error
  const limit = errors.stackTraceLimit
  if (limit !== undefined) errors.stackTraceLimit = 100
  const { stack } = new Error()
  if (limit !== undefined) errors.stackTraceLimit = limit
  return stack?.match(
    /[/\\]effect[/\\](?:src|dist)[/\\][^]*?\n *(at (?!.*(?:[/\\]effect[/\\](?:src|dist)[/\\]|node:)).*)/
  )?.[1]
}
