/** Faults in `src/internal/store/matching.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a reconciliation replaces what is equal",
    find: "changed: !Equal.equals(entry.item, item) || !Equal.equals(entry.keys, keys)",
    replace: "changed: true",
    caught: { file: "reconcile.test.ts", title: "equal items keep their objects and places, and nothing happens" }
  },
  {
    name: "a reconciliation leaves what was changed where its old keys are",
    find: "changed: !Equal.equals(entry.item, item) || !Equal.equals(entry.keys, keys)",
    replace: "changed: !Equal.equals(entry.item, item)",
    caught: {
      file: "reconcile.test.ts",
      title: "G9 an object that has its first key still, and another second one, is registered again"
    }
  },
  {
    name: "a hidden item is wanted once more for each time that it is listed",
    find: "let entry = holderOf(self, first)\n",
    replace: "let entry: Entry<Item> | undefined\n",
    caught: {
      file: "reconcile.test.ts",
      title: "a list that conflicts in itself fails although an override or a hidden item"
    }
  },
  {
    name: "a hidden item without a first key is in its own way",
    find: "findEqual(self, item, keys) ?? withheld.equal(item, keys, undefined)",
    replace: "findEqual(self, item, keys)",
    caught: { file: "reconcile.test.ts", title: "a hidden item without the first value is matched by Equal, and kept" }
  }
]
