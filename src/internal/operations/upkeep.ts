/** Operations that never populate. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { contentsOf, type Core, type Operation, type Transaction } from "../engine/core.ts"
import { failIfAny, run } from "../engine/transaction.ts"
import type { Contents } from "../store/contents.ts"

/** The error of a population cannot occur in an operation that never populates. */
export const runWithoutPopulation = <Item, P, V, A, E = never>(
  core: Core<Item, P, V>,
  operation: Operation<Item, never, V, A, E> & { readonly kind: "enabling" | "reset" | "upkeep" }
): Effect.Effect<A, E> => run(core as Core<Item, never, V>, operation)

/**
 * A finalizer of another scope has nothing left to do when the scope of the registry has closed, nor where a log cannot be
 * reached: it is told later.
 */
export const unlessClosed = <Item, P, V>(core: Core<Item, P, V>, effect: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.catchCause(
    effect,
    (cause) => core.closed || core.shared?.isUnavailable(cause) === true ? Effect.void : Effect.failCause(cause)
  )

/**
 * The end of what lasts until a scope closes, if it is due. A hook that dies stops nothing, and all defects surface. In a
 * transaction that is rolled back it is repeated outside.
 */
export const whenClosing = <Item, P, V>(
  core: Core<Item, P, V>,
  name: string,
  isDue: (contents: Contents<Item>) => boolean,
  change: (transaction: Transaction<Item, never, V>) => Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (core.closed || core.lock.holder === undefined && !isDue(contentsOf(core))) return Effect.void
    const redo = (transaction: Transaction<Item>) => {
      const again = whenClosing(core, name, isDue, change)
      transaction.redoAfterRollback = transaction.redoAfterRollback.concat(again)
    }
    const closing = runWithoutPopulation<Item, P, V, Pick<Transaction<Item>, "defects">>(core, {
      name,
      kind: "upkeep",
      irrevocable: true,
      runsHooks: true,
      body: (transaction) => {
        redo(transaction)
        // there may be more defects at the end of it
        return Effect.mapEager(change(transaction), () => transaction)
      },
      undone: (transaction) => {
        redo(transaction)
        return Effect.succeed({ defects: Cause.empty })
      }
    })
    return unlessClosed(core, Effect.flatMap(closing, ({ defects }) => failIfAny(defects)))
  })
