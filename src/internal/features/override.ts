/**
 * What is put above all that is there: it hides what it shares a unique value with for as long as it lives.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as RegistryError from "../../RegistryError.ts"
import * as Change from "../engine/change.ts"
import type { Operation, Transaction } from "../engine/core.ts"
import * as Hooks from "../engine/hooks.ts"
import { sequence } from "../engine/sequence.ts"
import { step } from "../engine/transaction.ts"
import { registering } from "../operations/operations.ts"
import * as Checking from "../store/check.ts"
import * as Contents from "../store/contents.ts"
import { overriding } from "../store/owner.ts"
import * as Changing from "../store/update.ts"
import * as Claims from "./claims.ts"

type Entry<Item> = Contents.Entry<Item>
type Failure = RegistryError.RegistrationFailure

/**
 * Registers items above all that is there, one after the other.
 *
 * @internal
 */
export const override = <Item, P, V>(
  items: ReadonlyArray<Item>
): Operation<Item, P, V, ReadonlyArray<Entry<Item>>, Failure | V | P> => ({
  name: "override",
  about: items.length === 1 ? items[0] : undefined,
  body: (transaction) => {
    const entries: Array<Entry<Item>> = []
    const all = sequence(
      items,
      (item) => Effect.mapEager(overrideIn(transaction, item), (entry) => entries.push(entry))
    )
    return Effect.mapEager(all, () => entries)
  },
  undone: () => Effect.succeed([])
})

/** Hooks: registering new, unregistering what it hides, the step, unregistered what it hides, registered new. */
const overrideIn = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  item: Item
): Effect.Effect<Entry<Item>, Failure | V | P> => {
  const { calls, hooks } = transaction
  const canOverride = step(transaction, ({ draft }) => {
    const checked = Checking.checkOverride(draft, item)
    return Result.isFailure(checked) ? Exit.fail(checked.failure) : Exit.void
  })
  return canOverride.pipe(
    Effect.flatMapEager(() => registering(transaction, item)),
    Effect.flatMapEager(() => putAbove(transaction, item, new Set())),
    Effect.flatMapEager(({ added, leaving }) =>
      sequence(leaving, (entry) => Hooks.callAfter(hooks, "onItemUnregistered", entry.item, calls)).pipe(
        Effect.flatMapEager(() => Hooks.callAfter(hooks, "onItemRegistered", item, calls)),
        Effect.mapEager(() => added)
      )
    )
  )
}

/** What an override put in, and what it hides, newest first. */
interface Overridden<Item> {
  readonly added: Entry<Item>
  readonly leaving: ReadonlyArray<Entry<Item>>
}

/** A hook may bring in more that is in the way: it is told of that, too, before the step that hides all of it. */
const putAbove = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  item: Item,
  told: Set<Entry<Item>>
): Effect.Effect<Overridden<Item>, Failure | P> =>
  Effect.flatMapEager(
    step(transaction, ({ draft, origin, steps }): Exit.Exit<Overridden<Item> | ReadonlyArray<Entry<Item>>, Failure> => {
      const checked = Checking.checkOverride(draft, item)
      if (Result.isFailure(checked)) return Exit.fail(checked.failure)
      const leaving = Claims.wouldHide(draft, item, checked.success).toReversed()
      const untold = transaction.hooks.length === 0 ? [] : leaving.filter((entry) => !told.has(entry))
      if (untold.length > 0) return Exit.succeed(untold)
      const { added, contents } = Changing.override(draft, item, checked.success, overriding(origin))
      if (leaving.length > 0) steps.push(new Change.Removed(leaving))
      steps.push(new Change.Inserted([added], contents.size - 1))
      transaction.draft = contents
      return Exit.succeed({ added, leaving })
    }),
    (result) =>
      "added" in result
        ? Effect.succeed(result)
        : Effect.flatMapEager(
          sequence(result, (entry) => {
            told.add(entry)
            return Hooks.callBefore(transaction.hooks, "onItemUnregistering", entry.item)
          }),
          () => putAbove(transaction, item, told)
        )
  )
