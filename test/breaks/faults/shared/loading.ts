/** Faults in `src/internal/shared/loading.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a checkpoint counts that is newer than the log",
    find: "if (head < cursor.revision && checkpoint !== undefined && source === \"checkpoint\") {",
    replace: "if (head < 0 && checkpoint !== undefined && source === \"checkpoint\") {",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "a checkpoint that is newer than the log, after a restore, does not count"
    }
  }
]
