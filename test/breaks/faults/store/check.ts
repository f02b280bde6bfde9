/** Faults in `src/internal/store/check.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "an item that is replaced hides another that is the same",
    find: "findEqual(self, item, keys, ignoring)",
    replace: "findEqual(self, item, keys)",
    caught: {
      file: "same.test.ts",
      title: "G11 one that was changed to be the same as another cannot be reconciled beside it"
    }
  },
  {
    name: "the keys of what is hidden are free",
    find: "isInTheWay(found, ignoring) ? found : withheld?.holder(slot, key, ignoring)",
    replace: "isInTheWay(found, ignoring) ? found : undefined",
    caught: {
      file: "override.test.ts",
      title: "G7 a hidden item keeps its keys if a transaction that unregistered it fails"
    }
  }
]
