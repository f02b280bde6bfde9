/**
 * The fast paths of `src`, and what each is when it is switched off: the general step alone is left, which does the same.
 */
export interface FastPath {
  readonly name: string
  /** Occurs once in `src`. */
  readonly find: string
  readonly replace: string
}

export const fastPaths: ReadonlyArray<FastPath> = [
  {
    name: "no hook, and nobody holds the lock: an operation is one step",
    find: "    atOnce === undefined || committed !== undefined ||",
    replace: "    atOnce !== null ||"
  },
  {
    name: "a draft that nobody has seen need not be copied",
    find: "seen ? new Contents(draft) : draft",
    replace: "new Contents(draft)"
  },
  {
    name: "a lock that is free, and that nobody waits for, is taken at once",
    find: "    if (this.holder === undefined && this.inLine === 0) {",
    replace: "    if (this.inLine === -1) {"
  },
  {
    name: "no hook: an operation that waited for the lock is one step of its transaction",
    find: "(transaction.hooks.length > 0 ? undefined : operation.step?.(transaction)) ?? operation.body(transaction)",
    replace: "operation.body(transaction)"
  },
  {
    name: "what has nothing to wait for is not run as an effect",
    find: "if (Exit.isExit(body)) return ending",
    replace: "if (body === null) return ending"
  },
  {
    name: "a body that runs nothing but hooks has the services of the first",
    find: "if (runsHooks !== true || part === undefined ||",
    replace: "if (runsHooks !== null || part === undefined ||"
  },
  {
    name: "a hook whose services the body has runs as it is",
    find: "return services === bodyServices",
    replace: "return services === null"
  },
  {
    name: "the services of the last hook, with the transaction, are kept",
    find: "if (this.serviced?.[0] !== services) {",
    replace: "if (this.serviced !== null) {"
  },
  {
    name: "no nested transaction is in flight: a step needs no permit",
    find: "transaction.canRun && !transaction.busy ? f(transaction) : longStep(transaction, f)",
    replace: "longStep(transaction, f)"
  },
  {
    name: "no nested transaction is in flight: a transaction ends in the step of its body",
    find: "  if (busy !== undefined) return endAfter(busy, group, exit, ending, restore)\n",
    replace: `  if (busy !== undefined) return endAfter(busy, group, exit, ending, restore)
  if (!("endsLater" in group[0]!)) {
    Object.assign(group[0]!, { endsLater: true })
    return Effect.flatMap(Effect.void, () => end(group, exit, ending, restore))
  }
`
  },
  {
    name: "nobody holds the lock: a reader need not look at its context",
    find: "if (core.lock.holder === undefined && contents.populated) return",
    replace: "if (contents === null) return"
  },
  {
    name: "nobody holds the lock: a fiber is in no transaction",
    find: "core.lock.holder === undefined ? undefined : openIn(innermost(context), core)",
    replace: "openIn(innermost(context), core)"
  },
  {
    name: "no hook: a change is planned once",
    find: "transaction.hooks.length === 0\n    ? planning",
    replace: "transaction.hooks === null\n    ? planning"
  },
  {
    name: "no hook has changed anything: nobody has to be asked about more",
    find: "if (transaction.draft !== draft) {",
    replace: "if (draft !== null) {"
  },
  {
    name: "no hook has changed anything: nobody knows yet what is told",
    find: "if (hooks === outermost.hooks && !transaction.inHook && !outermost.unsettled) {",
    replace: "if (hooks === null) {"
  },
  {
    name: "no hook: a list is put into indexes that are filled in place",
    find: "  transaction.hooks.length === 0\n    ? insertAllIn",
    replace: "  transaction.hooks === null\n    ? insertAllIn"
  },
  {
    name: "no hook: a list of defaults is put into indexes that are filled in place",
    find: "if (transaction.hooks.length === 0) {",
    replace: "if (transaction.hooks === null) {"
  },
  {
    name: "no hook: a reset is one step",
    find: "      if (hooks.length === 0) return step(transaction, emptyAtOnce)\n",
    replace: ""
  },
  {
    name: "a short list is reconciled in one step",
    find: "items.length <= maxPerStep && draft.size <= maxPerStep",
    replace: "items.length < 0 && draft.size < 0"
  },
  {
    name: "a fiber that is in nothing is waited for by nobody: all of them join a population with one effect",
    find: "if (node === undefined) {\n            return unlessSync(",
    replace: "if (node === null) {\n            return unlessSync("
  },
  {
    name: "a hook that has succeeded already is not run",
    find: "handlers[hook] === undefined || hasSucceeded(effect)\n",
    replace: "handlers[hook] === undefined\n"
  },
  {
    name: "nothing comes after the last element: it need not be waited for",
    find: "if (i === list.length - 1) return effect\n",
    replace: "\n"
  },
  {
    name: "an element that has succeeded already is not run",
    find: "if (effect === undefined || hasSucceeded(effect)) continue",
    replace: "if (effect === undefined) continue"
  },
  {
    name: "what a scope registered is gone: its end needs no transaction",
    find: "if (core.closed || core.lock.holder === undefined && !isDue(contentsOf(core))) return",
    replace: "if (core.closed) return"
  }
]

/**
 * Tests of what only a fast path does: a selector is called once, and finds that nobody holds the lock; hooks are believed
 * to know all.
 */
export const ofFastPaths: ReadonlyArray<string> = [
  "Each lookups read any iterable, and read it once",
  "G7 a selector that writes to the registry does not lose its write",
  "G7 a selector that writes to the registry in a transaction does not lose its write",
  "each operation waits once and holds once, though a selector of it changes the registry",
  "nor does it if a selector begins a transaction that holds the lock for a while",
  "one that is interrupted while it waits, after a selector has begun a transaction, neither waits nor holds",
  "the registry believes that hooks know all",
  "G28 makes an operation die in which a hook was told of an item in its call for that item",
  "G28 makes an operation die in which a hook was told that an item went, and never that it came",
  "G28 makes an operation die in which the new item came before the old one had gone",
  "a child of a hook fails while others are told that an item went and is back: none hears twice that it is"
]
