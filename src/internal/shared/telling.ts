/** Telling hooks of what another process has done: it is in, and nothing stops it. */
import * as Effect from "effect/Effect"
import type { Step } from "../engine/change.ts"
import type { Transaction } from "../engine/core.ts"
import * as Hooks from "../engine/hooks.ts"
import { sequence } from "../engine/sequence.ts"
import type { Entry } from "../store/entry.ts"

export const tellSteps = <Item>(
  transaction: Transaction<Item>,
  steps: ReadonlyArray<Step<Item>>
): Effect.Effect<unknown> => {
  const gone = (entry: Entry<Item>) => Hooks.tell(transaction, "onItemUnregistered", entry)
  const come = (entry: Entry<Item>) => Hooks.tell(transaction, "onItemRegistered", entry)
  const call = (hook: "onPopulated" | "onReset") =>
    Hooks.surviving(transaction, Hooks.call(transaction, hook), () => Effect.void)
  return sequence(steps, (step) => {
    switch (step._tag) {
      case "Inserted":
        return sequence(step.entries, come)
      case "Removed":
        return sequence(step.entries, gone)
      case "Swapped":
        return Effect.flatMapEager(gone(step.previous), () => come(step.entry))
      case "Populated":
        return call("onPopulated")
      case "Reset":
        return call("onReset")
      case "Moved":
        return undefined
    }
  })
}
