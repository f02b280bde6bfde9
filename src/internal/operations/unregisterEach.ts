/** Unregistering several entries: those of an owner, or those of a scope that closes. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { contentsOf, type Core, type Operation, type Transaction } from "../engine/core.ts"
import type { Plan } from "../engine/mutation.ts"
import { failIfAny, step } from "../engine/transaction.ts"
import * as Contents from "../store/contents.ts"
import { byPosition, type Entry } from "../store/entry.ts"
import * as Update from "../store/update.ts"
import { oneByOne } from "./register.ts"
import { removing } from "./unregister.ts"
import { runWithoutPopulation, unlessClosed } from "./upkeep.ts"

/**
 * Unregisters one registration after the other, whatever item it has when its turn comes. One that is gone then, or is
 * not to be removed any more, is skipped.
 */
export const unregisterEach = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  registrations: ReadonlyArray<number>,
  isDue: (entry: Entry<Item>) => boolean,
  remove: (transaction: Transaction<Item>, entry: Entry<Item>) => Exit.Exit<Plan<Item, void, never>> = removing
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
    runsHooks: true,
    body: (transaction) =>
      Effect.flatMapEager(
        step(transaction, ({ draft }) => {
          // withheld entries go first, the lowest first, so that none of them is revealed on its way out
          const all = [...draft.withheld?.entries ?? [], ...Contents.entries(draft).toReversed()]
          return Exit.succeed(all.filter(isDue))
        }),
        (entries) =>
          Effect.mapEager(
            unregisterEach(transaction, entries.map(({ registration }) => registration), isDue),
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
    Scope.addFinalizer(scope, closeScope(core, scope, entries.map(({ registration }) => registration)))
})

/**
 * Removes the registrations that are still of the scope, newest first, whatever items they have now. It never populates. A
 * hook that dies stops nothing: the items stay unregistered, and all defects surface.
 */
const closeScope = <Item, P, V>(
  core: Core<Item, P, V>,
  scope: Scope.Scope,
  registrations: ReadonlyArray<number>
): Effect.Effect<void> => {
  const isDue = ({ origin }: Entry<Item>) => origin.scope === scope
  return Effect.suspend(() => {
    const contents = contentsOf(core)
    const mayBeIn = core.lock.holder !== undefined || registrations.some((registration) => {
      const entry = Contents.current(contents, registration)
      return entry !== undefined && isDue(entry)
    })
    if (core.closed || !mayBeIn) return Effect.void
    const redo = (transaction: Transaction<Item>) => {
      transaction.redoAfterRollback = transaction.redoAfterRollback.concat(closeScope(core, scope, registrations))
    }
    const closing = runWithoutPopulation<Item, P, V, Pick<Transaction<Item>, "defects">>(core, {
      name: "closeScope",
      kind: "upkeep",
      irrevocable: true,
      runsHooks: true,
      body: (transaction) => {
        redo(transaction)
        // there may be more defects at the end of it
        return Effect.mapEager(unregisterEach(transaction, registrations.toReversed(), isDue), () => transaction)
      },
      undone: (transaction) => {
        redo(transaction)
        return Effect.succeed({ defects: Cause.empty })
      }
    })
    return unlessClosed(core, Effect.flatMap(closing, ({ defects }) => failIfAny(defects)))
  })
}
