/** After a reset, bringing back what open scopes had registered. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as RegistryError from "../../RegistryError.ts"
import * as Change from "../engine/change.ts"
import type { PutOnTop, Transaction } from "../engine/core.ts"
import { carryOut, entering, type Planner } from "../engine/mutation.ts"
import { sequence } from "../engine/sequence.ts"
import { step } from "../engine/transaction.ts"
import { check, isRefusal } from "../store/check.ts"
import { Contents } from "../store/contents.ts"
import { labelOf } from "../store/definition.ts"
import { Entry } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import * as Update from "../store/update.ts"
import { bounded, messageOf, show } from "../store/wording.ts"
import { inserted } from "./unregister.ts"

/** Brings back, in its old order, what waits. What is refused now, by the registry or by a hook, is left out. */
export const bringBack = <Item, V>(transaction: Transaction<Item, never, V>): Effect.Effect<void> =>
  Effect.flatMapEager(
    step(transaction, ({ draft }) => Exit.succeed(Order.toArray(draft.waiting, (entry) => entry))),
    (entries) =>
      sequence(
        entries,
        (entry) =>
          Effect.catch(
            carryOut(transaction, comingBack<Item, V>(entry)),
            (error) => leaveOut(transaction, entry, error)
          ),
        transaction.restore
      )
  )

/** An item that waits is checked, and hooks are asked, as when it came first. */
const comingBack = <Item, V>({ item, origin, position, registration }: Entry<Item>): Planner<
  Item,
  never,
  V,
  void,
  RegistryError.RegistrationFailure
> =>
(transaction) => {
  const { base, core, draft, steps } = transaction
  // its scope may have closed since
  if (Order.get(draft.waiting, position) === undefined) return Exit.succeed({ moves: () => [], apply: () => {} })
  const keys = check(draft, item, undefined, origin.onTop)
  if (isRefusal(keys)) return Exit.fail(keys)
  const entry = new Entry(item, keys, origin.backAt(base.revision + 1), { registration })
  const waiting = Order.remove(draft.waiting, position)
  const { contents, withheld } = (origin.onTop ? core.putOnTop : undefined)?.(draft, entry) ?? putIn(draft, entry)
  contents.waiting = waiting
  const leaving = withheld.toReversed()
  return Exit.succeed({
    moves: () => [{ entering: entering(transaction, item), leaving }],
    apply: () => {
      if (leaving.length > 0) {
        const positions = Change.positionsIn(draft, leaving)
        steps.push(new Change.Removed(leaving, positions, transaction.owner, Change.withholding(contents, leaving[0]!)))
      }
      steps.push(...inserted(contents, entry, transaction.reason))
      transaction.draft = contents
    }
  })
}

const putIn = <Item>(self: Contents<Item>, entry: Entry<Item>): PutOnTop<Item> => {
  const contents = new Contents(self)
  Update.put(contents, entry)
  return { contents, withheld: [] }
}

const leaveOut = <Item, V>(
  transaction: Transaction<Item, never, V>,
  entry: Entry<Item>,
  error: unknown
): Effect.Effect<void> =>
  Effect.flatMapEager(
    step(transaction, ({ draft }) => {
      const { base, core } = transaction
      transaction.draft = Update.remove(draft, entry).contents
      core.refusals.note("Skipped", core.definition, base.revision, entry.item, error)
      return Exit.void
    }),
    () => {
      const { definition } = transaction.core
      const item = labelOf(definition, entry.item)
      return Effect.logWarning(
        bounded(`A reset of ${show(definition.name)} took out ${item}, which cannot come back. ${messageOf(error)}`)
      )
    }
  )
