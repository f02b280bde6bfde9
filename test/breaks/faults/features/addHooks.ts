/** Faults in `src/internal/features/addHooks.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "hooks are removed without waiting for who calls them",
    find: "return unlessClosed(core, Effect.ensuring(removing, removed))",
    replace: "return removing && removed",
    caught: {
      file: "hooks.test.ts",
      title: "G21 removing hooks waits for the operation that calls them: after the scope has"
    }
  },
  {
    name: "hooks that are removed in a transaction that fails are undone twice",
    find: "      forget(transaction, parts)\n",
    replace: "      void forget\n",
    caught: { file: "caught.test.ts", title: "G20 existing: hooks removed in a transaction that fails" }
  },
  {
    name: "hooks are not told of what came while they were told of what is in",
    find: "Effect.flatMapEager(() => untilAllIsKnown)",
    replace: `Effect.flatMapEager(() => {
        installNow(core, parts, transaction, core.nothing)
        return Effect.void
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
    name: "hooks that are removed stay in the list",
    find: "core.hooks = core.hooks.filter((part) => !parts.includes(part))\n  for",
    replace: "for",
    caught: { file: "sweeps.test.ts", title: "G7, G20 the removal of hooks, with hooks, from outside" }
  },
  {
    name: "hooks that cannot be removed in turn stay",
    find: "if (parts.some(({ state }) => state === \"installed\")) removeNow(core, parts, \"removed\")",
    replace: "",
    caught: { file: "caught.test.ts", title: "G21 hooks whose removal dies of a deadlock are removed all the same" }
  }
]
