/** Faults in `src/internal/operations/bringBack.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "what comes back after a reset is a new registration",
    find: "origin.backAt(base.revision + 1), { registration })",
    replace: "origin.backAt(base.revision + 1))",
    caught: {
      file: "registrations.test.ts",
      title:
        "G27 a scope that closes while the registry is Pending takes its items along, and one that closes later, too"
    }
  }
]
