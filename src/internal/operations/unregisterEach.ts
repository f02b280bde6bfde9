/** Unregistering several entries: those of an owner, or those of a scope that closes. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Core, Operation, Transaction } from "../engine/core.ts"
import type { Plan } from "../engine/mutation.ts"
import { step } from "../engine/transaction.ts"
import * as Contents from "../store/contents.ts"
import { byPosition, type Entry } from "../store/entry.ts"
import * as Update from "../store/update.ts"
import { oneByOne } from "./register.ts"
import { removing } from "./unregister.ts"
import { whenClosing } from "./upkeep.ts"

/**
 * Unregisters one registration after the other, whatever item it has when its turn comes. One that is gone then, or is
 * not to be removed any more, is skipped.
 */
export const unregisterEach = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  registrations: ReadonlyArray<number>,
  isDue: (entry: Entry<Item>) => boolean,
  remove: (transaction: Transaction<Item>, entry: Entry<Item>) => Exit.Exit<Plan<Item, void, never>>
): Effect.Effect<void, P> => {
  const each = oneByOne(transaction, registrations, (registration) => (current) => {
    const entry = Contents.current(current.draft, registration)
    return entry !== undefined && isDue(entry) ? remove(current, entry) : Exit.succeed(nothing)
  })
  return Effect.flatMapEager(each, () =>
    step(transaction, () => {
      if (registrations.length > 1) transaction.draft = Update.tidy(transaction.draft, registrations.length)
      return Exit.void
    }))
}

const nothing: Plan<never, void, never> = { moves: () => [], apply: () => {} }

export const unregisterOwner = <Item, P, V>(owner: string): Operation<Item, P, V, ReadonlyArray<Item>, P> => {
  const isDue = ({ origin }: Entry<Item>) => origin.owner === owner
  return {
    name: "unregisterOwner",
    kind: "withdrawal",
    runsHooks: true,
    body: (transaction) =>
      Effect.flatMapEager(
        step(transaction, ({ draft, outermost }) => {
          outermost.looked = true
          // withheld entries go first, the lowest first, so that none of them is revealed on its way out
          const all = [...draft.withheld?.entries ?? [], ...Contents.entries(draft).toReversed()]
          return Exit.succeed(all.filter(isDue))
        }),
        (entries) =>
          Effect.mapEager(
            unregisterEach(transaction, entries.map(({ registration }) => registration), isDue, removing("unregister")),
            () => entries.toSorted(byPosition).map(({ item }) => item)
          )
      ),
    undone: () => Effect.succeed([])
  }
}

/** Turns an operation into one whose registrations are removed when `scope` closes. */
export const scoped = <Item, P, V, E>(
  core: Core<Item, P, V>,
  scope: Scope.Scope,
  operation: Operation<Item, P, V, ReadonlyArray<Entry<Item>>, E>
): Operation<Item, P, V, ReadonlyArray<Entry<Item>>, E> => ({
  ...operation,
  scope,
  // a scope that has closed in the meantime runs the finalizer at once
  committed: (entries) =>
    entries.length === 0
      ? Effect.void
      : Scope.addFinalizer(scope, closeScope(core, scope, entries.map(({ registration }) => registration)))
})

/** Removes the registrations that are still of the scope, newest first, whatever items they have now. */
const closeScope = <Item, P, V>(
  core: Core<Item, P, V>,
  scope: Scope.Scope,
  registrations: ReadonlyArray<number>
): Effect.Effect<void> => {
  const isOf = ({ origin }: Entry<Item>) => origin.scope === scope
  const isIn = (contents: Contents.Contents<Item>) => (registration: number) => {
    const entry = Contents.current(contents, registration)
    return entry !== undefined && isOf(entry)
  }
  return whenClosing(
    core,
    "closeScope",
    (contents) => registrations.some(isIn(contents)),
    (transaction) => unregisterEach(transaction, registrations.toReversed(), isOf, removing("scope"))
  )
}
