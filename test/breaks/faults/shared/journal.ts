/** Faults in `src/internal/shared/journal.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "an end lists all that goes",
    find: "if (held.session === undefined || !ending.has(held.session)) ops.push",
    replace: "ops.push",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "the end of a session is a small record, however much it takes out"
    }
  }
]
