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
    find: "    operation.step === undefined || operation.committed !== undefined ||",
    replace: "    operation.step !== null ||"
  },
  {
    name: "no hook: an operation that waited for the lock is one step of its transaction",
    find: "operation.step !== undefined && transaction.hooks.length === 0\n",
    replace: "operation.step === null\n"
  },
  {
    name: "what has nothing to wait for is not run as an effect",
    find: "if (Exit.isExit(body)) return",
    replace: "if (body === null) return"
  },
  {
    name: "no nested transaction is in flight: a step needs no permit",
    find: "if (!transaction.busy) return f(transaction)",
    replace: ""
  },
  {
    name: "no nested transaction is in flight: an end needs no permit",
    find: "if (busy === undefined) return endNow(group, exit, ending)",
    replace: `if (busy === undefined) {
    return Effect.flatMap(Effect.void, () =>
      group.some((transaction) => transaction.busy) ? end(group, exit, ending) : endNow(group, exit, ending))
  }`
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
    name: "no hook: items are put in without a look before the step",
    find: "  if (hooks.length === 0) return step(transaction, insert(item))\n",
    replace: ""
  },
  {
    name: "no hook: a list is put into indexes that are filled in place",
    find: "    if (transaction.hooks.length === 0) {\n      return items.length <= turn",
    replace: "    if (items === null) {\n      return items.length <= turn"
  },
  {
    name: "a fiber that is in nothing is waited for by nobody: all of them join a population with one effect",
    find: "return party === undefined\n          ? unseen",
    replace: "return party === null\n          ? unseen"
  },
  {
    name: "all keys of an item are free: nothing need be compared with it",
    find: "  if (isNew(self, item, keys)) return Result.succeed(keys)\n",
    replace: ""
  },
  {
    name: "a hook that has succeeded already is not run",
    find: "|| Exit.isExit(effect) && Exit.isSuccess(effect)\n    ? undefined\n    : effectOf",
    replace: "\n    ? undefined\n    : effectOf"
  },
  {
    name: "what a scope registered is gone: its end needs no transaction",
    find: "if (core.closed || !mayBeIn) return",
    replace: "if (core.closed) return"
  }
]

/** Tests of what only a fast path does: a selector is called once, and finds that nobody holds the lock. */
export const ofFastPaths: ReadonlyArray<string> = [
  "Each lookups read any iterable, and read it once",
  "G7 a selector that writes to the registry does not lose its write",
  "G7 a selector that writes to the registry in a transaction does not lose its write"
]
