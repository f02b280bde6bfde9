/** Faults in `src/internal/features/addHooks.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "hooks with existing are not told what comes and goes while they are told of what is in",
    find: "      installNow(core, parts, transaction, core.nothing)\n",
    replace: "      installNow(core, parts, transaction, draft)\n",
    caught: {
      file: "hooks.test.ts",
      title: "G21 existing: told of each registered item when added, and of each remaining"
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
    name: "hooks that go are not told of the items that they know",
    find: "    return Effect.flatMap(Hooks.untell(transaction, parts), failIfAny)\n",
    replace: "    return Effect.void\n",
    caught: {
      file: "hooks.test.ts",
      title: "G21 existing: told of each registered item when added, and of each remaining"
    }
  },
  {
    name: "what hooks did that were told that all goes is undone, too",
    find: "removeNow(transaction.core, parts, \"settled\")",
    replace: "removeNow(transaction.core, parts, \"removed\")",
    caught: { file: "lastWord.test.ts", title: "one is removed while a transaction that had told it is undone" }
  },
  {
    name: "hooks that are added again after another process was first are not called",
    find: "        parts = installing()\n",
    replace: "",
    caught: { file: "shared.test.ts", title: "are told of each item once, and stay, where others were first" }
  }
]
