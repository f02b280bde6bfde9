/** Faults in `src/internal/operations/populate.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a list of defaults is copied when the registry is made",
    find: "|| isIterable(defaults)) return defaults",
    replace: "|| isIterable(defaults)) return Array.isArray(defaults) ? defaults.slice() : defaults",
    caught: { file: "anew.test.ts", title: "a list that has changed since the registry was made, or populated" }
  },
  {
    name: "defaults cannot be interrupted",
    find: "transaction.restore(Effect.provideService(registerRead<Item, V, E>(transaction), Scope.Scope, scope))",
    replace: "Effect.provideService(registerRead<Item, V, E>(transaction), Scope.Scope, scope)",
    caught: { file: "cleanup.test.ts", title: "G3 all waiting fibers were interrupted: an interruption" }
  },
  {
    name: "the resources of a population belong to the registry for good",
    find: "Effect.provideService(registerRead<Item, V, E>(transaction), Scope.Scope, scope)",
    replace: "registerRead<Item, V, E>(transaction)",
    caught: {
      file: "population.test.ts",
      title: "G4 its resources live until a reset is published, not until the scope of the"
    }
  },
  {
    name: "the resources of a population are not released when it fails",
    find: "transaction.scopes = transaction.scopes.concat(scope)\n    transaction.populationScope = scope",
    replace: "transaction.populationScope = scope",
    caught: {
      file: "population.test.ts",
      title: "G4 its resources are released when the attempt fails, and when a transaction"
    }
  },
  {
    name: "a population runs again for the next fiber, in one transaction",
    find: "    if (transaction.base.populated) return Effect.void\n",
    replace: "",
    caught: { file: "caught.test.ts", title: "G1 two children of a transaction read at once after a reset in it: the" }
  },
  {
    name: "a population whose transaction has ended, and that is in no other, is none that others know of",
    find: "outer !== undefined && outer === runs.holder",
    replace: "outer === runs.holder",
    caught: { file: "caught.test.ts", title: "G6 a population that waited in a transaction, and finds it ended, is an" }
  },
  {
    name: "a population whose transaction has ended runs in whatever is around",
    find: "instead: (outer) => outer !== undefined && outer === runs.holder ? undefined : Effect.void",
    replace: "instead: () => undefined",
    caught: {
      file: "deadlock.test.ts",
      title: "G4 G16 a fiber that outlives a transaction and then populates ends no other"
    }
  },
  {
    name: "a population is not told",
    find: "transaction.steps.push({ _tag: \"Populated\", size: transaction.draft.size })",
    replace: "",
    caught: { file: "programs.test.ts", title: "a plain registry answers what the model answers" }
  },
  {
    name: "a population is told before what onPopulated registered",
    find: `Effect.flatMapEager(() => Hooks.call(transaction, "onPopulated")),
      Effect.flatMapEager(() => step(transaction, becomeReady))`,
    replace: `Effect.flatMapEager(() => step(transaction, becomeReady)),
      Effect.flatMapEager(() => Hooks.call(transaction, "onPopulated"))`,
    caught: { file: "caught.test.ts", title: "G22 Populated is the last event, after the items that onPopulated" }
  }
]
