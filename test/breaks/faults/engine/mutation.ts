/** Faults in `src/internal/engine/mutation.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "hooks are not asked about what others make of an operation",
    find: "if (now.moves.some((move) => partsOf(move).some((part) => !all.has(part)) || needs(move))) {",
    replace: "if (now.moves.length < 0) {",
    caught: {
      file: "reconcile.test.ts",
      title: "G14 G18 changes by hooks lead to a new plan, and hooks are told of all of it"
    }
  },
  {
    name: "hooks are not told of what comes to light",
    find: "steps.length === from + 1 ? [steps[from]!] : steps.slice(from)",
    replace: "steps.slice(from, from + 1)",
    caught: { file: "override.test.ts", title: "after random operations, with hooks" }
  }
]
