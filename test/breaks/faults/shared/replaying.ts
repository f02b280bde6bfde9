/** Faults in `src/internal/shared/replaying.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a change is made again though a key was taken",
    find:
      "  for (const { item, origin, registration } of inserted) {\n    const keys = check(contents, item)\n    if (isRefusal(keys)) return undefined\n",
    replace:
      "  for (const { item, origin, registration } of inserted) {\n    const keys = check(contents, item)\n    if (isRefusal(keys)) continue\n",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "refuses what does not fit any more, with the right error"
    }
  },
  {
    name: "a change is made again though a rule withholds what it puts in",
    find: "    if (!holds(next, entry)) return undefined\n",
    replace: "",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "where a rule that fits comes first, and this process registers something"
    }
  }
]
