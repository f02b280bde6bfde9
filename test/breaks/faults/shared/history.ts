/** Faults in `src/internal/shared/history.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "another record at a revision is taken for the same",
    find: "    if (record !== undefined && record !== fold.id) return undefined\n",
    replace: "",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "a subscriber that goes on from a revision which a restore has made another one is told so"
    }
  }
]
