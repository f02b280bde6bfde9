/** Faults in `src/internal/store/matching.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a reconciliation replaces what is the same",
    find: "!definition.same(entry.item, item) || definition.lookups.some",
    replace: "definition.lookups.length >= 0 || definition.lookups.some",
    caught: { file: "reconcile.test.ts", title: "equal items keep their objects, and nothing happens" }
  },
  {
    name: "a reconciliation leaves what was changed where its old keys are",
    find: "return !(each ? same(new Set(keysIn(before)), new Set(keysIn(now))) : same(before, now))",
    replace: "return each && before === now",
    caught: {
      file: "reconcile.test.ts",
      title: "G9 an object that has its first key still, and another second one, is registered again"
    }
  },
  {
    name: "keys in another order are other keys",
    find: "same(new Set(keysIn(before)), new Set(keysIn(now)))",
    replace: "same(before, now)",
    caught: { file: "same.test.ts", title: "of what has the same set of keys, in another order, changes nothing" }
  },
  {
    name: "an upsert finds nothing without a first unique value",
    find: "return findEqual(self, item, keys) ?? withheld?.standInFor(self, item, keys)",
    replace: "return slot === -1 ? findEqual(self, item, keys) ?? withheld?.standInFor(self, item, keys) : undefined",
    caught: { file: "same.test.ts", title: "of what decides for itself replaces what it says is the same" }
  },
  {
    name: "a hidden item without a first key is in its own way",
    find: "[findEqual(self, item, keys), withheld?.equal(item, keys, undefined)]",
    replace: "[findEqual(self, item, keys)]",
    caught: { file: "reconcile.test.ts", title: "a hidden item without the first value is matched by Equal, and kept" }
  }
]
