/** Faults in `src/internal/features/addHooks.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "hooks that are removed in a transaction that fails are undone twice",
    find: "      around.calls = around.calls?.without(parts)\n",
    replace: "",
    caught: { file: "caught.test.ts", title: "G20 existing: hooks removed in a transaction that fails" }
  },
  {
    name: "hooks are not told of what came while they were told of what is in",
    find: "return Effect.flatMap(telling, () => untilAllIsKnown)",
    replace: `return Effect.map(telling, () => {
      installNow(core, parts, transaction, core.nothing)
    })`,
    caught: { file: "hooks.test.ts", title: "G20 existing: a hook that changes the registry while it is told" }
  },
  {
    name: "hooks with existing are not told of what goes while they are told",
    find: "Array.from(known).filter((entry) => !Contents.holds(draft, entry)).toReversed()",
    replace: "([] as Array<Entry<Item>>)",
    caught: { file: "caught.test.ts", title: "G20 existing: a hook that is being told of the items unregisters one" }
  },
  {
    name: "a removal of hooks two transactions in looks only at the nearest one",
    find: `    for (let around = transaction.parent; around !== undefined; around = around.parent) {
      around.calls`,
    replace: `    for (const around of transaction.parent === undefined ? [] : [transaction.parent]) {
      around.calls`,
    caught: {
      file: "nesting.test.ts",
      title: "transactions further in than the one that told them, which fails: balanced"
    }
  },
  {
    name: "hooks are told of the items that are in as they were combined",
    find: "(TypeId in hooks ? hooks[TypeId].arrange(registry, parts) : parts).map(",
    replace: "parts.map(",
    caught: {
      file: "hookOrder.test.ts",
      title: "with existing, items are told in that order, and told to go in reverse"
    }
  },
  {
    name: "hooks in a circle are told of the items that are in",
    find: "    arrange(name, core.hooks.concat(parts))\n",
    replace: "",
    caught: { file: "hookOrder.test.ts", title: "with existing, are told of nothing" }
  }
]
