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
import { runWithoutPopulation, unregisterEach } from "./unregister.ts"

export const reset = <Item, P, V>(core: Core<Item, P, V>): Effect.Effect<void> =>
  runWithoutPopulation(core, {
    name: "reset",
    kind: "reset",
    runsHooks: true,
    body: (transaction) => {
      const { base, hooks, parent } = transaction
      // a part of a reset or a population does nothing, and what is Pending is empty
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

/** What is withheld goes first, so that it need not be revealed before it goes. Answers what is left, newest first. */
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
  const exit = nothingLeft(transaction)
  if (Exit.isFailure(exit)) return exit
  transaction.draft = Contents.asPending(transaction.draft)
  transaction.populationScope = undefined
  // it was `Ready` until now, so this is not why it is `Pending`
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
