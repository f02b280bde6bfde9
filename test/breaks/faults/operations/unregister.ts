/** Faults in `src/internal/operations/unregister.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "an upsert replaces what is the same",
    find: "        : Exit.succeed(unchanged)\n",
    replace: "        : swapping<Item, P, V>(item)(transaction, entry)\n",
    caught: {
      file: "same.test.ts",
      title: "an upsert of what is the same changes nothing: no hook, no revision, no event"
    }
  },
  {
    name: "an upsert of what is hidden and the same is refused",
    find: "Exit.isFailure(planned) && Matching.isIn(transaction.draft, item)",
    replace: "Exit.isFailure(planned) && transaction.draft.size < 0",
    caught: {
      file: "same.test.ts",
      title: "of what is the same as an override changes nothing, nor of what is the same"
    }
  },
  {
    name: "no look after onItemUnregistering",
    find: "if (first !== undefined && Contents.holds(contents, first)) return first",
    replace: "if (first !== undefined) return first",
    caught: {
      file: "hooks.test.ts",
      title: "G18 the checks are repeated after onItemUnregistering: a hook has unregistered"
    }
  },
  {
    name: "the end of an override is not told to followers",
    find: "steps.push(...inserted(draft, entry, Change.withholding(before, entry)))",
    replace: "void steps",
    caught: { file: "override.test.ts", title: "after random operations, without hooks" }
  },
  {
    name: "the end of an override is told to followers at the end of all",
    find: "Inserted([entry], Order.rank(after.order, entry.position), reason)",
    replace: "Inserted([entry], after.size - 1, reason)",
    caught: { file: "override.test.ts", title: "after random operations, without hooks" }
  },
  {
    name: "hooks are told that something hidden goes",
    find: "const isVisible = Contents.holds(draft, entry)",
    replace: "const isVisible = Contents.isIn(draft, entry)",
    caught: {
      file: "override.test.ts",
      title: "G20 closing the scope of a hidden item calls no hooks, and the item never comes"
    }
  }
]
