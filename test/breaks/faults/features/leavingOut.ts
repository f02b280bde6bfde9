/** Faults in `src/internal/features/leavingOut.ts`. */
import type { Break } from "../../break.ts"

const file = "sources.test.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a defect beside an error is left out with it",
    find: "if (Result.isFailure(error) || Cause.hasDies(cause)) return Effect.failCause(cause)",
    replace: "if (Result.isFailure(error)) return Effect.void as any",
    caught: { file, title: "but a defect never is, nor an invariant that fails" }
  },
  {
    name: "a default that is left out is not explained",
    find: "    refusals.note(\"Skipped\", definition, published.ref.current.revision + 1, item, error)\n",
    replace: "",
    caught: { file, title: "of the defaults, with a warning, by a hook" }
  },
  {
    name: "defaults that go in beside one that is left out belong to nobody",
    find: ", Owner, transaction.owner),",
    replace: ", Owner, \"\"),",
    caught: { file, title: "of the defaults, with a warning, by keys" }
  },
  {
    name: "defaults that go in beside one that is left out are no defaults to a refresh",
    find: "{ ...register<Item, never, V>(item), population }",
    replace: "register<Item, never, V>(item)",
    caught: { file, title: "of the defaults that are run again" }
  }
]
