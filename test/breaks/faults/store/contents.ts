/** Faults in `src/internal/store/contents.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "an entry is taken for the one that has its position",
    find: "Order.get(self.order, entry.position) === entry",
    replace: "Order.get(self.order, entry.position) !== undefined",
    caught: {
      file: "lastWord.test.ts",
      title: "replaces the item that it is told of: those after it hear of the other alone"
    }
  },
  {
    name: "an object that was changed is not found as itself",
    find: "return found ?? (isObject(item) ? findItself() : undefined)",
    replace: "return found",
    caught: { file: "identity.test.ts", title: "G9 are found though their keys have changed, registered in lists or" }
  },
  {
    name: "an object whose selectors throw since it was changed is not found",
    find: "    found = findItself()\n",
    replace: "",
    caught: { file: "RegistrySnapshot.test.ts", title: "G9 an item is found although its key function throws by now" }
  }
]
