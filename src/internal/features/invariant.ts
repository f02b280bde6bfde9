/** A check of all items together, at the end of each outermost transaction that put some in. */
import * as Effect from "effect/Effect"
import * as RegistryError from "../../RegistryError.ts"
import { snapshotOf } from "../coreOf.ts"
import type { Core, Transaction } from "../engine/core.ts"
import * as Hooks from "../engine/hooks.ts"
import type { RegistrySnapshot } from "../snapshot.ts"
import * as Contents from "../store/contents.ts"
import { failure } from "../store/definition.ts"
import type { Entry } from "../store/entry.ts"
import * as Update from "../store/update.ts"

export type Invariant<Item, Lookups, E, R> = (
  draft: RegistrySnapshot<Item, Lookups>,
  before: RegistrySnapshot<Item, Lookups>
) => Effect.Effect<unknown, E, R>

/** The last word of a registry that has an invariant. */
export const lastWord =
  <Item>(invariant: Invariant<Item, any, unknown, any>): Core<Item>["beforePublish"] => (transaction) => {
    if (!putsIn(transaction)) return Effect.void
    const { base, core: { definition }, draft, kind } = transaction
    transaction.see()
    const checked = Hooks.runOwn(transaction, "invariant", invariant(wholeOf(draft), wholeOf(base)))
    if (kind === "change" || kind === "enabling") return checked
    return kind === "population" || kind === "refresh" || kind === "import"
      ? Effect.mapError(
        checked,
        (cause) => failure(definition, RegistryError.PopulationError<unknown>, { code: "invariant", cause })
      )
      : Effect.orDie(checked)
  }

/** What is disabled is a part of the whole. */
const wholeOf = <Item>(contents: Contents.Contents<Item>): RegistrySnapshot<Item, any> => {
  const disabled = contents.withheld?.withReason(contents) ?? []
  if (disabled.length === 0) return snapshotOf(contents)
  const whole = new Contents.Contents(contents)
  for (const entry of disabled) Update.show(whole, entry)
  return snapshotOf(whole)
}

/**
 * Whether an item is in that was not when the transaction began, or is enabled now. What an override hid then was in, and a
 * scope that closes is not refused what it enables.
 */
const putsIn = <Item>({ base, draft, irrevocable, steps }: Transaction<Item>): boolean => {
  const isNew = (entry: Entry<Item>) =>
    Contents.current(draft, entry.registration) === entry && (
      Contents.current(base, entry.registration) !== entry ||
      !irrevocable && base.withheld?.reasonOf(entry) !== undefined && Contents.holds(draft, entry)
    )
  return steps.some((step) =>
    step._tag === "Inserted" ? step.entries.some(isNew) : step._tag === "Swapped" && isNew(step.entry)
  ) || draft.withheld !== base.withheld && draft.withheld?.entries.some(isNew) === true
}
