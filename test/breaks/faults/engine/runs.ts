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
  }
]
