/** Faults in `src/internal/operations/reset.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a reset ends after onReset though something is left",
    find: "        Effect.flatMapEager(() => step(transaction, nothingLeft)),\n",
    replace: "",
    caught: { file: "caught.test.ts", title: "G14 a reset in which a hook registers an item dies before onReset" }
  },
  {
    name: "a reset is not told",
    find: "  steps.push(new Change.Removed(leaving, positions, transaction.owner, \"reset\"))\n",
    replace: "",
    caught: { file: "programs.test.ts", title: "a plain registry answers what the model answers" }
  },
  {
    name: "a reset drops what a hook registered after it",
    find: "const left = nothingLeft(transaction)",
    replace: "const left: Exit.Exit<void> = Exit.void",
    caught: {
      file: "locking.test.ts",
      title: "G14 an item that a hook adds after onResetting makes the reset die with its name"
    }
  },
  {
    name: "a reset inside a reset is one",
    find: "parent?.resetting === true || ",
    replace: "",
    caught: { file: "locking.test.ts", title: "G14 inside a reset, reset and populate do nothing" }
  },
  {
    name: "a reset brings to light what the overrides hid",
    find: "transaction.draft = Contents.withoutWithheld(draft)",
    replace: "transaction.draft = Contents.copy(draft, {})",
    caught: {
      file: "override.test.ts",
      title: "a reset tells of all that goes, and the overrides of open scopes come back above"
    }
  },
  {
    name: "a registry that was reset is Pending because of what failed long ago",
    find: "  transaction.core.populationFailure = undefined\n",
    replace: "",
    caught: {
      file: "explain.test.ts",
      title: "PopulationFailed if it failed in a transaction that reset the registry and went"
    }
  }
]
