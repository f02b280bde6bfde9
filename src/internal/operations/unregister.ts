/** Unregistering items: one, those of an owner, or those of a scope that closes. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type * as RegistryError from "../../RegistryError.ts"
import * as Change from "../engine/change.ts"
import { contentsOf, type Core, type Operation, type Transaction } from "../engine/core.ts"
import { carryOut, mutation, type Plan, type Planner } from "../engine/mutation.ts"
import { maxPerStep, sequence } from "../engine/sequence.ts"
import { failIfAny, run, step } from "../engine/transaction.ts"
import * as Contents from "../store/contents.ts"
import { byPosition, type Entry } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import * as Update from "../store/update.ts"
import { type Locate, locate, locateBy, locateOnce } from "./find.ts"

export const unregister = <Item, P, V>(item: Item) => unregisterLocated<Item, P, V>("unregister", item, locate(item))

export const unregisterBy = <Item, P, V>(attribute: string, value: unknown) =>
  unregisterLocated<Item, P, V>("unregisterBy", value, locateBy(attribute, value))

const unregisterLocated = <Item, P, V>(
  name: string,
  about: unknown,
  locateEntry: Locate<Item>
): Operation<Item, P, V, void, RegistryError.ItemLookupError | P> => {
  const planning =
    (locating: Locate<Item>): Planner<Item, P, V, void, RegistryError.ItemLookupError, never> => (transaction) => {
      const located = locating(transaction.draft)
      return Result.isSuccess(located)
        ? Exit.succeed(removing(transaction, located.success))
        : Exit.fail(located.failure)
    }
  return {
    ...mutation(name, about, undefined, planning(locateEntry)),
    body: (transaction) => carryOut(transaction, planning(locateOnce(locateEntry)))
  }
}

/** The plan that takes out an entry that is in, visible or withheld: that a withheld one goes nobody outside sees. */
const removing = <Item>(transaction: Transaction<Item>, entry: Entry<Item>): Plan<Item, void, never> => {
  const { draft, steps } = transaction
  const isVisible = Contents.holds(draft, entry)
  return {
    moves: () => isVisible ? [{ leaving: [entry] }] : [],
    apply: () => {
      const { contents, revealed } = Update.remove(draft, entry)
      if (isVisible) steps.push(new Change.Removed([entry]))
      transaction.draft = contents
      reveal(transaction, revealed)
    }
  }
}

/** What was withheld becomes visible: it was checked when it came first, so no hook is asked whether it may. */
export const reveal = <Item>({ draft, steps }: Transaction<Item>, revealed: ReadonlyArray<Entry<Item>>): void => {
  for (const entry of revealed) {
    steps.push(new Change.Inserted([entry], Order.rank(draft.order, entry.position)))
  }
}

/** Unregisters entries, one after another. One that is gone when its turn comes is skipped. */
export const unregisterEach = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  entries: ReadonlyArray<Entry<Item>>
): Effect.Effect<void, P> => {
  const each = sequence(
    entries,
    (entry) => carryOut(transaction, (current) => Exit.succeed(removingIfIn(current, entry))),
    transaction.restore(Effect.yieldNow)
  )
  return Effect.flatMapEager(each, () =>
    step(transaction, () => {
      if (entries.length > 1) transaction.draft = Update.tidy(transaction.draft, entries.length)
      return Exit.void
    }))
}

const removingIfIn = <Item>(transaction: Transaction<Item>, entry: Entry<Item>): Plan<Item, void, never> =>
  Contents.isIn(transaction.draft, entry) ? removing(transaction, entry) : nothing

const nothing: Plan<never, void, never> = { moves: () => [], apply: () => {} }

export const unregisterOwner = <Item, P, V>(owner: string): Operation<Item, P, V, ReadonlyArray<Item>, P> => ({
  name: "unregisterOwner",
  runsHooks: true,
  body: (transaction) =>
    Effect.flatMapEager(
      step(transaction, ({ draft }) =>
        Exit.succeed({
          withheld: ownedBy(owner, draft.withheld?.entries ?? []),
          visible: ownedBy(owner, Contents.entries(draft))
        })),
      ({ visible, withheld }) =>
        Effect.mapEager(
          // what is withheld goes first, the lowest before what lies above it: so none of it is revealed on its way out
          unregisterEach(transaction, [...withheld, ...visible.toReversed()]),
          () => [...withheld, ...visible].toSorted(byPosition).map(({ item }) => item)
        )
    ),
  undone: () => Effect.succeed([])
})

const ownedBy = <Item>(owner: string, entries: ReadonlyArray<Entry<Item>>): ReadonlyArray<Entry<Item>> =>
  entries.filter(({ origin }) => origin.owner === owner)

// ---------------------------------------------------------------------------------------------------------------------
// When a scope closes
// ---------------------------------------------------------------------------------------------------------------------

/** Turns a registration into one that is removed when `scope` closes. */
export const scoped = <Item, P, V, E>(
  core: Core<Item, P, V>,
  scope: Scope.Scope,
  operation: Operation<Item, P, V, ReadonlyArray<Entry<Item>>, E>
): Operation<Item, P, V, ReadonlyArray<Entry<Item>>, E> => ({
  ...operation,
  // a scope that has closed in the meantime takes them out at once
  committed: (entries) => Scope.addFinalizer(scope, takeOut(core, entries))
})

/**
 * Takes out exactly these registrations, newest first; one that is gone is no error. It never populates. A hook that
 * dies stops nothing: what is taken out stays out, and all defects surface.
 */
const takeOut = <Item, P, V>(core: Core<Item, P, V>, entries: ReadonlyArray<Entry<Item>>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const contents = contentsOf(core)
    const mayBeIn = core.lock.holder !== undefined || entries.some((entry) => Contents.isIn(contents, entry))
    if (core.closed || !mayBeIn) return Effect.void
    const redo = (transaction: Transaction<Item>) => {
      transaction.redoAfterRollback = transaction.redoAfterRollback.concat(takeOut(core, entries))
    }
    const newestFirst = entries.toReversed()
    return unlessClosed(
      core,
      Effect.flatMap(
        runWithoutPopulation(core, {
          name: "closeScope",
          kind: "upkeep",
          irrevocable: true,
          runsHooks: true,
          step: (transaction) => {
            if (entries.length > maxPerStep) return undefined
            redo(transaction)
            for (const entry of newestFirst) removingIfIn(transaction, entry).apply()
            if (entries.length > 1) transaction.draft = Update.tidy(transaction.draft, entries.length)
            return Exit.succeed(Cause.empty)
          },
          body: (transaction) => {
            redo(transaction)
            return Effect.mapEager(
              unregisterEach(transaction, newestFirst),
              () => transaction.defects
            )
          },
          undone: (transaction) => {
            redo(transaction)
            return Effect.succeed(Cause.empty)
          }
        }),
        failIfAny
      )
    )
  })

/** A finalizer of another scope has nothing left to do when that of the registry has closed, at whatever moment. */
export const unlessClosed = <Item, P, V>(core: Core<Item, P, V>, effect: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.catchCause(effect, (cause) => core.closed ? Effect.void : Effect.failCause(cause))

/** Runs an operation that never populates, so that the error of a population cannot occur. */
export const runWithoutPopulation = <Item, P, V, A>(
  core: Core<Item, P, V>,
  operation: Operation<Item, never, V, A, never> & { readonly kind: "reset" | "upkeep" }
): Effect.Effect<A> => run(core as Core<Item, never, V>, operation)
