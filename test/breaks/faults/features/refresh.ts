/** Faults in `src/internal/features/refresh.ts`. */
import type { Break } from "../../break.ts"

const file = "sources.test.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a refresh withdraws what was registered by others",
    find: "isBelow(entry) && entry.origin.population !== undefined",
    replace: "isBelow(entry)",
    caught: { file, title: "makes what population had put in equal to the defaults" }
  },
  {
    name: "what a refresh puts in is not remembered as that of a population",
    find: "new Origin(owner, revision, false, undefined, undefined, { scope })",
    replace: "new Origin(owner, revision, false)",
    caught: { file, title: "makes what population had put in equal to the defaults" }
  },
  {
    name: "the scope of a refresh that finds no difference stays open",
    find: "unused === undefined ? Effect.void : Scope.close(unused, Exit.void)",
    replace: "Effect.void",
    caught: { file, title: "of a refresh that finds no difference" }
  },
  {
    name: "the scope of a population ends with the next refresh",
    find: "core.ended ??= endedScopes(core)",
    replace: "",
    caught: { file, title: "lives until the last item that a refresh kept of it goes" }
  },
  {
    name: "the scope of a population that a refresh kept something of never ends",
    find: "if (registrations.size > 0) continue",
    replace: "if (registrations.size >= 0 && !scopes.includes(scope)) continue",
    caught: { file, title: "lives until the last item that a refresh kept of it goes" }
  },
  {
    name: "refreshes at once run the defaults each",
    find: "Effect.cachedWithTTL(outermost, -Infinity), (cached)",
    replace: "Effect.succeed(outermost), (cached)",
    caught: { file, title: "of several fibers at once is one run" }
  },
  {
    name: "a refresh in a hook of a refresh runs again",
    find: " || one.kind === \"refresh\") return true",
    replace: ") return true",
    caught: { file, title: "in a hook of a population, a reset or a refresh does nothing" }
  },
  {
    name: "a refresh in a transaction is not a part of it",
    find: "    if (transaction !== undefined) {\n      if (transaction.state === \"undoing\"",
    replace: "    if (transaction !== undefined && core.closed) {\n      if (transaction.state === \"undoing\"",
    caught: { file, title: "in a transaction is a part of it" }
  }
]
