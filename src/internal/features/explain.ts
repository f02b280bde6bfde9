/** Why an item is there, or is not. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { type Change, type Step, Swapped } from "../engine/change.ts"
import { contentsOf, type Core, type Transaction } from "../engine/core.ts"
import { current } from "../engine/read.ts"
import { now } from "../engine/refusals.ts"
import type { Explanation, LastSeen } from "../model.ts"
import { indexOf, notFound } from "../operations/find.ts"
import { keysIn, slotOf } from "../store/definition.ts"
import type { Entry } from "../store/entry.ts"
import { above, under, withheldBy } from "./layers.ts"

export const explain = <Item, P, V>(
  core: Core<Item, P, V>,
  attribute: string,
  value: unknown
): Effect.Effect<Explanation<Item>> =>
  Effect.withFiber((fiber) => {
    const transaction = current(core, fiber.context)
    const contents = transaction?.draft ?? contentsOf(core)
    const index = indexOf(contents, attribute, value, true)
    const entry = index.get(value)
    if (entry !== undefined) {
      const { item, origin: { owner, revision, updated } } = entry
      const hides = under(contents, entry).map((one) => one.item)
      return Effect.succeed<Explanation<Item>>({ _tag: "Present", item, owner, revision, updated, hides })
    }
    if (!contents.populated && transaction?.ready !== true) {
      const cause = core.populationFailure
      return Effect.succeed<Explanation<Item>>(
        cause === undefined ? { _tag: "Pending" } : { _tag: "PopulationFailed", cause }
      )
    }
    const [hidden] = withheldBy(contents, attribute, value)
    const by = hidden && above(contents, hidden)
    const why = hidden && contents.withheld?.reasonOf(hidden)
    if (hidden !== undefined && by === undefined && why !== undefined) {
      return Effect.succeed<Explanation<Item>>({
        _tag: "Disabled",
        item: hidden.item,
        reason: why.reason,
        by: why.by,
        attribute: why.attribute,
        value: why.value
      })
    }
    return Effect.succeed<Explanation<Item>>(
      hidden === undefined || by === undefined
        ? {
          _tag: "Absent",
          suggestions: notFound(contents, attribute, value).suggestions,
          last: lastSeen(core, transaction, attribute, index.keyFor(value), now(fiber))
        }
        : { _tag: "Hidden", item: hidden.item, by: by.item }
    )
  })

/** The newest of what is known of an absent item: that it was withdrawn, refused or skipped. */
const lastSeen = <Item, P, V>(
  core: Core<Item, P, V>,
  transaction: Transaction<Item, P, V> | undefined,
  attribute: string,
  key: unknown,
  time: number
): LastSeen | undefined => {
  const slot = slotOf(core.definition.lookups, attribute)
  const has = (entry: Entry<Item>) => {
    const taken = entry.keys[slot]
    const keys = core.definition.lookups[slot]!.each ? keysIn(taken) : [taken]
    return keys.some((one) => Equal.equals(one, key))
  }
  const refusal = core.refusals.get(attribute, key)
  for (const { at, revision, steps } of changesOf(core, transaction, time)) {
    if (refusal !== undefined && refusal.revision >= revision) break
    const by = steps.flatMap((step) => withdrawnBy(step, has)).at(-1)
    if (by !== undefined) return { _tag: "Withdrawn", revision, by, at: DateTime.makeUnsafe(at) }
  }
  return refusal && { _tag: refusal._tag, error: refusal.error, at: DateTime.makeUnsafe(refusal.at) }
}

/** Newest first: what the transaction of the fiber has done, and the changes that are kept. */
const changesOf = function*<Item, P, V>(
  { changes }: Core<Item, P, V>,
  transaction: Transaction<Item, P, V> | undefined,
  at: number
): Iterable<Pick<Change<Item>, "at" | "revision" | "steps">> {
  for (let one = transaction; one !== undefined; one = one.parent) {
    yield { at, revision: one.base.revision + 1, steps: one.steps }
  }
  for (let i = changes.length - 1; i >= 0; i--) yield changes[i]!
}

/** The owner that took an entry out, if the step did. */
const withdrawnBy = <Item>(step: Step<Item>, has: (entry: Entry<Item>) => boolean): ReadonlyArray<string> => {
  if (step instanceof Swapped) {
    return has(step.previous) && !has(step.entry) ? [step.entry.origin.updated?.by ?? ""] : []
  }
  return step._tag === "Removed" && step.entries.some(has) ? [step.by] : []
}
