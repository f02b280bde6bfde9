/** Faults in `src/internal/features/offered.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a defect beside a refusal is skipped",
    find: "Result.isFailure(refused) || Cause.hasDies(cause)",
    replace: "Result.isFailure(refused)",
    caught: { file: "offered.test.ts", title: "never skips a defect" }
  },
  {
    name: "what is refused cannot be interrupted while a hook looks at it",
    find: "Effect.matchCauseEffect(restore(registering),",
    replace: "Effect.matchCauseEffect(registering,",
    caught: {
      file: "offered.test.ts",
      title: "is interrupted, and rolled back, while a hook looks at an item of a package"
    }
  },
  {
    name: "what a package offers has no owner",
    find: `Effect.provideService(
    run(core, { ...register<Item, unknown, unknown>(item), population: transaction.origin.population }),
    Owner,
    one.owner
  )`,
    replace: "run(core, { ...register<Item, unknown, unknown>(item), population: transaction.origin.population })",
    caught: {
      file: "offered.test.ts",
      title:
        "leaves out what another package has the key of, and warns with the names of both; the package is the owner"
    }
  },
  {
    name: "what several offer is of the first of them",
    find: "offers.waiting.set(item, more)",
    replace: "offers.waiting.set(item, [first])",
    caught: { file: "offered.test.ts", title: "registers primitives, one object that several packages offer" }
  },
  {
    name: "what other defaults offer is not known",
    find: "offersTo.get(transaction) ?? begin(transaction)",
    replace: "begin(transaction)",
    caught: {
      file: "offered.test.ts",
      title: "takes the nearest of two versions, and where a program joins the two by itself, the first"
    }
  }
]
