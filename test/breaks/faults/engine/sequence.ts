/** Faults in `src/internal/engine/sequence.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "an undo forgets the defect before the last",
    find: "causes = Cause.combine(causes, cause)",
    replace: "causes = cause",
    caught: { file: "caught.test.ts", title: "G7 all defects of a rollback join the cause" }
  }
]
