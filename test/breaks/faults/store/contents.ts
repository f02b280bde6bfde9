/** Faults in `src/internal/store/contents.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "an entry is taken for the one that has its position",
    find: "Order.get(self.order, entry.position) === entry",
    replace: "Order.get(self.order, entry.position) !== undefined",
    caught: {
      file: "scopes.test.ts",
      title: "G25 closing never removes a later registration of the same key, and never fails"
    }
  }
]
