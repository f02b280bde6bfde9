/** Faults in `src/internal/operations/find.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "no look after onItemUnregistering",
    find: "if (first !== undefined && Contents.holds(contents, first)) return first",
    replace: "if (first !== undefined) return first",
    caught: {
      file: "hooks.test.ts",
      title: "G18 the checks are repeated after onItemUnregistering: a hook has unregistered"
    }
  }
]
