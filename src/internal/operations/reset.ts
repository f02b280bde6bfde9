/** Emptying a registry. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as Change from "../engine/change.ts"
import type { Core, Transaction } from "../engine/core.ts"
import * as Hooks from "../engine/hooks.ts"
import { step } from "../engine/transaction.ts"
import * as Contents from "../store/contents.ts"
import type { Entry } from "../store/entry.ts"
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
        Effect.flatMapEager((entries) => unregisterEach(transaction, entries)),
        Effect.flatMapEager(() => step(transaction, nothingLeft)),
        Effect.flatMapEager(() => Hooks.call(transaction, "onReset")),
        Effect.flatMapEager(() => step(transaction, emptied))
      )
    },
    undone: () => Effect.void
  })

/** Withheld entries go first, so that none is revealed on its way out. Answers the others, newest first. */
const endWithholding = <Item>(transaction: Transaction<Item>): Exit.Exit<ReadonlyArray<Entry<Item>>> => {
  transaction.draft = Contents.withoutWithheld(transaction.draft)
  return Exit.succeed(Contents.entries(transaction.draft).toReversed())
}

const emptyAtOnce = <Item>(transaction: Transaction<Item>): Exit.Exit<void> => {
  const { draft, steps } = transaction
  steps.push(new Change.Removed(Contents.entries(draft).toReversed()))
  transaction.draft = Contents.asPending(draft)
  return emptied(transaction)
}

const emptied = <Item>(transaction: Transaction<Item>): Exit.Exit<void> => {
  const left = nothingLeft(transaction)
  if (Exit.isFailure(left)) return left
  transaction.draft = Contents.asPending(transaction.draft)
  transaction.populationScope = undefined
  // the registry was `Ready`, so an earlier failure is not the reason why it is `Pending`
  transaction.core.populationFailure = undefined
  transaction.steps.push({ _tag: "Reset" })
  return Exit.void
}

const nothingLeft = <Item>({ draft, name }: Transaction<Item>): Exit.Exit<void> => {
  const added = Contents.at(draft, 0)
  return added === undefined ? Exit.void : Exit.die(
    new Error(
      `Could not reset "${name}": a hook registered ${
        Formatter.format(added.item)
      } while its items were unregistered. ` +
        "What onResetting registers goes with the rest; what is to stay belongs into the defaults."
    )
  )
}
