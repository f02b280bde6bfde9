/** Faults in `src/internal/engine/runs.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "take a population for the one that somebody else waits for",
    find: "    this.joining = undefined\n",
    replace: "",
    caught: {
      file: "deadlock.test.ts",
      title: "G16 an abandoned population takes no lock, though a scope has closed in it"
    }
  },
  {
    name: "the runs of a population keep the context of the fiber that asked",
    find: "    this.steady = undefined\n",
    replace: "",
    caught: { file: "collected.test.ts", title: "keeps nothing of those that asked for it" }
  }
]
