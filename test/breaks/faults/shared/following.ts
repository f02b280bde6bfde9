/** Faults in `src/internal/shared/following.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a hook that hangs for another process is waited for",
    find: "    if (transaction.hooks.length === 0) return Effect.void\n",
    replace: "    if (transaction.hooks.length >= 0) return Effect.asVoid(telling)\n",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "a hook that hangs for what another process did is left behind, and others go on"
    }
  },
  {
    name: "what a log that went back has lost does not come back",
    find: "if (why === \"end\" || why === undefined && jumps)",
    replace: "if (why === \"end\")",
    caught: { file: "sharedAmendments.test.ts", title: "gets back what a log that went back has lost" }
  },
  {
    name: "a log that went back is not noticed",
    find: "if (records === \"truncated\" || head < from.revision) {",
    replace: "if (records === \"truncated\") {",
    caught: { file: "shared.test.ts", title: "whose log went back ends as all others" }
  }
]
