/** Faults in `src/internal/shared/syncing.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "what another process amends leaves its scope",
    find: ": before !== undefined && this.mirror.isClaimed(before)",
    replace: ": before === undefined && this.mirror.isClaimed(before!)",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "what another process amends stays with its scope, and is no orphan"
    }
  },
  {
    name: "an item is shown over one that has its key",
    find: "    if (holder !== undefined) {\n      this.unreadable.set",
    replace: "    if (holder === undefined && entry.position < 0) {\n      this.unreadable.set",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "a version whose selectors answer other keys applies what was decided"
    }
  }
]
