/** Faults in `src/internal/operations/unregisterEach.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
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
    find: "return entry !== undefined && isDue(entry) ? remove(current, entry) : Exit.succeed(nothing)",
    replace: `if (entry !== undefined && isDue(entry)) return remove(current, entry)
    const counted = Contents.current(current.base, registration)
    return Exit.succeed({ ...nothing, moves: () => counted === undefined ? [] : [{ leaving: [counted] }] })`,
    caught: {
      file: "caught.test.ts",
      title: "G14 a reset calls no hook for an item that another hook has unregistered before"
    }
  },
  {
    name: "a scope that closes takes out what has its keys now",
    find: "Scope.addFinalizer(scope, closeScope(core, scope, entries.map(({ registration }) => registration)))",
    replace: `Scope.addFinalizer(
        scope,
        whenClosing(core, "closeScope", () => true, (transaction) => {
          const now = entries.map((entry) => Contents.findByKeysOf(transaction.draft, entry) ?? entry)
          const registrations = now.map(({ registration }) => registration)
          return unregisterEach(transaction, registrations.toReversed(), () => true, removing("scope"))
        })
      )`,
    caught: {
      file: "scopes.test.ts",
      title: "G25 closing never removes a later registration of the same key, and never fails"
    }
  },
  {
    name: "a finalizer runs in the transactions of when it was added",
    find: "Scope.addFinalizer(scope, closeScope(core, scope, entries.map(({ registration }) => registration)))",
    replace: `Effect.flatMap(Effect.context<never>(), (context) => {
        const closing = closeScope(core, scope, entries.map(({ registration }) => registration))
        return Scope.addFinalizer(scope, Effect.provideContext(closing, context))
      })`,
    caught: {
      file: "scopes.test.ts",
      title: "G25 a scope closes in the transaction that closes it, not in the one that"
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
  },
  {
    name: "a scope that closes takes out what another one has taken over",
    find: "const isOf = ({ origin }: Entry<Item>) => origin.scope === scope",
    replace: "const isOf = ({ origin }: Entry<Item>) => origin !== undefined || scope === undefined",
    caught: {
      file: "registrations.test.ts",
      title: "G27 upsertScoped takes a registration over into its scope and owner"
    }
  },
  {
    name: "a scope that closes while its registry is Pending leaves what waits",
    find: "(contents) => registrations.some(isIn(contents)),",
    replace: "(contents) => contents.populated && registrations.some(isIn(contents)),",
    caught: {
      file: "registrations.test.ts",
      title:
        "G27 a scope that closes while the registry is Pending takes its items along, and one that closes later, too"
    }
  },
  {
    name: "a scope that closes takes the first of a list out alone",
    find: "closeScope(core, scope, entries.map(({ registration }) => registration)))\n",
    replace: "closeScope(core, scope, entries.slice(0, 1).map(({ registration }) => registration)))\n",
    caught: {
      file: "registrations.test.ts",
      title:
        "G27 a scope that closes while the registry is Pending takes its items along, and one that closes later, too"
    }
  },
  {
    name: "what is registered in a scope is not known to be of it",
    find: "  ...operation,\n  scope,\n",
    replace: "  ...operation,\n",
    caught: {
      file: "registrations.test.ts",
      title: "G27 closing a scope removes what was registered in it, after replace, with"
    }
  }
]
