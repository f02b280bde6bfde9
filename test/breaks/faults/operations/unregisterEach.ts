/** Faults in `src/internal/operations/unregisterEach.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "the items of a scope that closed come back when the transaction around it fails",
    find: "transaction.redoAfterRollback.concat(closeScope(core, entries))",
    replace: "transaction.redoAfterRollback",
    caught: {
      file: "scopes.test.ts",
      title: "G25 a scope that closes in a transaction that then fails: its items stay removed"
    }
  },
  {
    name: "a scope that closes while a transaction is undone takes nothing out",
    find: "      undone: (transaction) => {\n        redo(transaction)\n",
    replace: "      undone: () => {\n",
    caught: {
      file: "caught.test.ts",
      title: "G25 a scope that closes while a transaction rolls back: its items are removed"
    }
  },
  {
    name: "a reset believes that what it has counted is still there",
    find: "Contents.isIn(current.draft, entry) ? removing(current, entry) : Exit.succeed(nothing)",
    replace: `Contents.isIn(current.draft, entry)
      ? removing(current, entry)
      : Exit.succeed({ ...nothing, moves: () => [{ leaving: [entry] }] })`,
    caught: {
      file: "caught.test.ts",
      title: "G14 a reset calls no hook for an item that another hook has unregistered before"
    }
  },
  {
    name: "a scope that closes takes out what has its keys now",
    find: "const mayBeIn =",
    replace: `entries = entries.map((entry) => Contents.findByKeysOf(contents, entry) ?? entry)
    const mayBeIn =`,
    caught: {
      file: "scopes.test.ts",
      title: "G25 closing never removes a later registration of the same key, and never fails"
    }
  },
  {
    name: "a finalizer runs in the transactions of when it was added",
    find: "Scope.addFinalizer(scope, closeScope(core, entries))",
    replace: `Effect.flatMap(
      Effect.context<never>(),
      (context) => Scope.addFinalizer(scope, Effect.provideContext(closeScope(core, entries), context))
    )`,
    caught: {
      file: "scopes.test.ts",
      title: "G25 a scope closes in the transaction that closes it, not in the one that"
    }
  },
  {
    name: "a scope takes out of a registry that is at work without looking",
    find: "core.lock.holder !== undefined || entries.some",
    replace: "entries.some",
    caught: {
      file: "caught.test.ts",
      title: "G25 a scope that closes inside the transaction removes the items that it"
    }
  },
  {
    name: "what hooks die of at the end of a scope that closes is swallowed",
    find: "removing(\"scope\")), () => transaction)",
    replace: "removing(\"scope\")), () => ({ defects: transaction.defects }))",
    caught: {
      file: "lastWord.test.ts",
      title: "a hook that dies in the last word of a scope that closes stops nothing: the close dies of it"
    }
  },
  {
    name: "the hidden items of an owner are revealed while all of them are removed",
    find: "[...draft.withheld?.entries ?? [], ...Contents.entries(draft).toReversed()]",
    replace: "[...Contents.entries(draft).toReversed(), ...draft.withheld?.entries ?? []]",
    caught: {
      file: "explain.test.ts",
      title: "unregisterOwner removes overrides and hidden items, and none of them becomes"
    }
  }
]
