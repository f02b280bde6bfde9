/** Faults in `src/internal/features/reconcile.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "items cannot exchange unique values",
    find: "if (Check.isRefusal(keys)) {\n      crossing.push(replacement)",
    replace: `if (Check.isRefusal(keys)) return Exit.fail(keys)
    if (keys === undefined) {
      crossing.push(replacement)`,
    caught: { file: "reconcile.test.ts", title: "items exchange unique values, in pairs and in a ring" }
  },
  {
    name: "items that exchange unique values go to the end",
    find: "Update.insert(contents, item, keys, origin, previous)",
    replace: "Update.insert(contents, item, keys, origin, previous && { ...previous, position: undefined })",
    caught: {
      file: "positions.test.ts",
      title: "G29 items that exchange keys in a reconcile leave, and come back where they were"
    }
  },
  {
    name: "a reconciliation takes overrides out",
    find: "boolean => !origin.onTop",
    replace: "boolean => origin !== undefined",
    caught: { file: "reconcile.test.ts", title: "any list reaches the hidden items, and leaves overrides alone" }
  },
  {
    name: "a reconciliation calls hooks before it has looked whether it can be",
    find: "  return Exit.map(reached, (outcome) => ({",
    replace: `  const tried: WeakSet<object> = ((planning as any).tried ??= new WeakSet())
  const isFirst = Exit.isFailure(reached) && transaction.hooks.length > 0 && !tried.has(items)
  tried.add(items)
  return Exit.map(isFirst ? Exit.succeed({ contents: draft, moved: [], steps: [] }) : reached, (outcome) => ({`,
    caught: { file: "reconcile.test.ts", title: "G7 a list that repeats an item or a unique value" }
  },
  {
    name: "the list of one owner takes items of others",
    find: "(entry) => isOwn(entry) && !matched.has(entry))",
    replace: "(entry) => isBelow(entry) && !matched.has(entry))",
    caught: { file: "sources.test.ts", title: "refuses a key that another owner has" }
  },
  {
    name: "the list of one owner withdraws items of others",
    find: "!matched.has(entry) && isOwn(entry)",
    replace: "!matched.has(entry) && isBelow(entry)",
    caught: { file: "sources.test.ts", title: "makes what it registered equal to the list" }
  },
  {
    name: "what is added for one owner belongs to the fiber",
    find: "origin: new Origin(owner, revision, false, scope)",
    replace: "origin: new Origin(owner && \"\", revision, false, scope)",
    caught: { file: "sources.test.ts", title: "makes what it registered equal to the list" }
  },
  {
    name: "a long list is reconciled in one step",
    find: "items.length <= maxPerStep && draft.size <= maxPerStep",
    replace: "items.length + draft.size >= 0",
    caught: { file: "reconcile.test.ts", title: "G13 G15 ten thousand items, without hooks" }
  },
  {
    name: "a hidden item is wanted once more for each time that it is listed",
    find: "(entry) => isOwn(entry) && !matched.has(entry))",
    replace: "(entry) => isOwn(entry) && !(matched.has(entry) && Contents.holds(contents, entry)))",
    caught: {
      file: "reconcile.test.ts",
      title: "a list that conflicts in itself fails, although overrides hide the items that it"
    }
  }
]
