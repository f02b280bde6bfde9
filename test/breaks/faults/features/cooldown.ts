/** Faults in `src/internal/features/cooldown.ts`. */
import type { Break } from "../../break.ts"

const file = "cooldown.test.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a cooldown ends too late",
    find: "now(fiber) - failed.at < millis",
    replace: "now(fiber) - failed.at <= millis",
    caught: { file, title: "whatever reads or changes gets the same failure" }
  },
  {
    name: "an interruption begins a cooldown",
    find: "else if (!Cause.hasInterruptsOnly(exit.cause) && core.shared",
    replace: "else if (((core.populationFailure = exit.cause), true) && core.shared",
    caught: { file, title: "an interruption is no failure" }
  },
  {
    name: "a cooldown keeps an import from populating at once",
    find: "transaction.outermost.kind !== \"import\" && ",
    replace: "",
    caught: { file, title: "of a registry that loads late" }
  },
  {
    name: "a cooldown is not kept in transactions",
    find: ": transaction.outermost.kind !== \"import\" && ",
    replace: ": transaction.outermost.kind === \"import\" && ",
    caught: { file, title: "in a transaction after a reset there" }
  }
]
