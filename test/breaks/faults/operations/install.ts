/** Faults in `src/internal/operations/install.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "hooks are removed without waiting for the operation that calls them",
    find: "return unlessClosed(core, Effect.ensuring(leaving, Effect.sync(() => removeNow(core, parts, \"removed\"))))",
    replace: "return leaving && unlessClosed(core, Effect.sync(() => removeNow(core, parts, \"removed\")))",
    caught: {
      file: "hooks.test.ts",
      title: "G21 removing hooks waits for the operation that calls them: after the scope has"
    }
  },
  {
    name: "hooks that are removed stay in the list",
    find: "  changeHooks(core, (installed) => installed.filter((part) => !parts.includes(part)))\n  for",
    replace: "  for",
    caught: { file: "sweeps.test.ts", title: "G7, G20 the removal of hooks, with hooks, from outside" }
  },
  {
    name: "hooks that cannot be removed in turn stay",
    find: "Effect.ensuring(leaving, Effect.sync(() => removeNow(core, parts, \"removed\")))",
    replace: "leaving",
    caught: { file: "caught.test.ts", title: "G21 hooks whose removal dies of a deadlock are removed all the same" }
  },
  {
    name: "hooks stay where a hook has put them that has gone",
    find: "f(hooks.installed ?? hooks)",
    replace: "f(hooks)",
    caught: {
      file: "hookOrder.test.ts",
      title: "a constraint on a name waits for it, and holds as long as it is there"
    }
  },
  {
    name: "hooks are added to a registry that has ended",
    find: "if (core.closed && transaction === undefined) return useAfterEnd(core.definition)",
    replace: "",
    caught: { file: "closing.test.ts", title: "G26 afterwards addHooks dies" }
  }
]
