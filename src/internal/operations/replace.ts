/** Putting an item in the place of another. */
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as RegistryError from "../../RegistryError.ts"
import * as Change from "../engine/change.ts"
import type { Operation, Transaction } from "../engine/core.ts"
import { entering, type Plan } from "../engine/mutation.ts"
import { check } from "../store/check.ts"
import { Entry } from "../store/entry.ts"
import * as Matching from "../store/matching.ts"
import * as Update from "../store/update.ts"
import { locateBy, mutationOf, notRegistered } from "./find.ts"
import { registering } from "./register.ts"
import { reveal } from "./unregister.ts"

type Failure = RegistryError.RegistrationFailure

export const replace = <Item, P, V>(
  attribute: string,
  value: unknown,
  item: Item
): Operation<Item, P, V, Entry<Item> | undefined, Failure | RegistryError.ItemLookupError | V | P> =>
  mutationOf(
    "replace",
    item,
    locateBy<Item>(attribute, value),
    notRegistered,
    (
      transaction: Transaction<Item, P, V>,
      located
    ): Exit.Exit<Plan<Item, Entry<Item>, V>, Failure | RegistryError.ItemLookupError> =>
      located instanceof Entry ? swapping(transaction, located, item) : Exit.fail(located)
  )

/** Replaces the item that has the first unique key of this one, or registers it. */
export const upsert = <Item, P, V>(item: Item): Operation<Item, P, V, Entry<Item> | undefined, Failure | V | P> =>
  mutationOf(
    "upsert",
    item,
    (contents) => Matching.holderOfFirstKey(contents, item),
    () => undefined,
    (transaction: Transaction<Item, P, V>, holder) =>
      holder === undefined ? registering<Item, P, V>(item)(transaction) : swapping(transaction, holder, item)
  )

const swapping = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  previous: Entry<Item>,
  item: Item
): Exit.Exit<Plan<Item, Entry<Item>, V>, Failure> => {
  const { draft, origin, steps } = transaction
  const checked = check(draft, item, previous)
  if (Result.isFailure(checked)) return Exit.fail(checked.failure)
  return Exit.succeed({
    moves: () => [{ entering: entering(transaction, item), leaving: [previous] }],
    apply: () => {
      const { added, contents, revealed } = Update.replace(draft, previous, item, checked.success, origin)
      steps.push(new Change.Swapped(previous, added))
      transaction.draft = contents
      reveal(transaction, revealed)
      return added
    }
  })
}
