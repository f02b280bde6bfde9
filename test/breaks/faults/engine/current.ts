/** Faults in `src/internal/engine/current.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "the layer of a module is not in the transaction of its import",
    find: " ?? Context.get(context, EnclosingTransaction)",
    replace: "",
    caught: {
      file: "late.test.ts",
      title: "has the defaults first, then the items of its layer; after a reset the defaults"
    }
  }
]
