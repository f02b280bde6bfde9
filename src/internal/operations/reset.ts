/** Emptying a registry. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Change from "../engine/change.ts"
import type { Core, Transaction } from "../engine/core.ts"
import * as Hooks from "../engine/hooks.ts"
import type { Plan } from "../engine/mutation.ts"
import { step } from "../engine/transaction.ts"
import * as Contents from "../store/contents.ts"
import { labelOf } from "../store/definition.ts"
import type { Entry } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import * as Update from "../store/update.ts"
import { show } from "../store/wording.ts"
import { bringBack } from "./bringBack.ts"
import * as Unregister from "./unregister.ts"
import { unregisterEach } from "./unregisterEach.ts"
import { runWithoutPopulation } from "./upkeep.ts"

export const reset = <Item, P, V>(core: Core<Item, P, V>): Effect.Effect<void> =>
  runWithoutPopulation(core, {
    name: "reset",
    kind: "reset",
    runsHooks: true,
    body: (transaction) => {
      const { base, hooks, parent } = transaction
      // a `Pending` registry is empty; a part of a reset or of a population does nothing
      if (!base.populated || parent?.resetting === true || parent?.populating === true) return Effect.void
      if (hooks.length === 0) return step(transaction, emptyAtOnce)
      return Hooks.call(transaction, "onResetting").pipe(
        Effect.flatMapEager(() => step(transaction, endWithholding)),
        Effect.flatMapEager((registrations) => unregisterEach(transaction, registrations, () => true, removing)),
        Effect.flatMapEager(() => step(transaction, nothingLeft)),
        Effect.flatMapEager(() => Hooks.call(transaction, "onReset")),
        Effect.flatMapEager(() => step(transaction, emptied))
      )
    },
    undone: () => Effect.void
  })

/** Withheld entries go first, so that none is revealed on its way out. Answers the other registrations, newest first. */
const endWithholding = <Item>(transaction: Transaction<Item>): Exit.Exit<ReadonlyArray<number>> => {
  const { draft } = transaction
  transaction.draft = Contents.withoutWithheld(draft)
  waitIn(transaction, draft.withheld?.entries ?? [])
  return Exit.succeed(Contents.entries(draft).toReversed().map(({ registration }) => registration))
}

const emptyAtOnce = <Item>(transaction: Transaction<Item>): Exit.Exit<void> => {
  const { draft, steps } = transaction
  const leaving = Contents.entries(draft).toReversed()
  const positions = leaving.map((_, i) => leaving.length - 1 - i)
  steps.push(new Change.Removed(leaving, positions, transaction.owner, "reset"))
  transaction.draft = Contents.asPending(draft)
  waitIn(transaction, Contents.allEntries(draft))
  return emptied(transaction)
}

const removing = <Item>(
  transaction: Transaction<Item>,
  entry: Entry<Item>
): Exit.Exit<Plan<Item, void, never>> =>
  Exit.map(Unregister.removing("reset")(transaction, entry), (plan) => ({
    ...plan,
    apply: () => {
      plan.apply()
      waitIn(transaction, [entry])
    }
  }))

/** What a scope holds waits in a draft that nobody has seen. The scope of the population closes with this reset. */
const waitIn = <Item>(
  { core, draft, populationScope }: Transaction<Item>,
  entries: ReadonlyArray<Entry<Item>>
): void => {
  for (const entry of entries) {
    const { scope } = entry.origin
    if (scope === undefined || scope === populationScope) continue
    core.bringBack = bringBack
    Update.wait(draft, entry)
  }
}

const emptied = <Item>(transaction: Transaction<Item>): Exit.Exit<void> => {
  const left = nothingLeft(transaction)
  if (Exit.isFailure(left)) return left
  const waiting = Order.toArray(transaction.draft.waiting, (entry) => entry)
  transaction.draft = Contents.asPending(transaction.draft)
  for (const entry of waiting) Update.wait(transaction.draft, entry)
  transaction.populationScope = undefined
  // the registry was `Ready`, so an earlier failure is not the reason why it is `Pending`
  transaction.core.populationFailure = undefined
  transaction.steps.push({ _tag: "Reset" })
  return Exit.void
}

const nothingLeft = <Item>({ draft }: Transaction<Item>): Exit.Exit<void> => {
  const added = Contents.at(draft, 0)
  return added === undefined ? Exit.void : Exit.die(
    new Error(
      `Could not reset ${show(draft.definition.name)}: a hook registered ${
        labelOf(draft.definition, added.item)
      } while its items were unregistered. ` +
        "What onResetting registers goes with the rest; what is to stay belongs into the defaults."
    )
  )
}
