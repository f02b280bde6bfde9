/** Putting an item in the place of another. */
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as RegistryError from "../../RegistryError.ts"
import * as Change from "../engine/change.ts"
import type { Operation, Transaction } from "../engine/core.ts"
import { carryOut, entering, mutation, type Plan, type Planner } from "../engine/mutation.ts"
import { check } from "../store/check.ts"
import * as Contents from "../store/contents.ts"
import type { Entry } from "../store/entry.ts"
import * as Matching from "../store/matching.ts"
import * as Update from "../store/update.ts"
import { type Locate, locateBy, locateOnce } from "./find.ts"
import { registering } from "./register.ts"
import { reveal } from "./unregister.ts"

type Failure = RegistryError.RegistrationFailure

export const replace = <Item, P, V>(
  attribute: string,
  value: unknown,
  item: Item
): Operation<Item, P, V, void, Failure | RegistryError.ItemLookupError | V | P> => {
  const planning =
    (locate: Locate<Item>): Planner<Item, P, V, void, Failure | RegistryError.ItemLookupError> => (transaction) => {
      const located = locate(transaction.draft)
      return Result.isSuccess(located) ? swapping(transaction, located.success, item) : Exit.fail(located.failure)
    }
  return {
    ...mutation("replace", item, undefined, planning(locateBy(attribute, value))),
    body: (transaction) => carryOut(transaction, planning(locateOnce(locateBy(attribute, value))))
  }
}

/** Replaces the item that has the first unique key of this one, or registers it. */
export const upsert = <Item, P, V>(item: Item): Operation<Item, P, V, void, Failure | V | P> => {
  const planning = (held: (contents: Contents.Contents<Item>) => Entry<Item> | undefined): Planner<
    Item,
    P,
    V,
    void,
    Failure
  > =>
  (transaction) => {
    const holder = held(transaction.draft)
    return holder === undefined
      ? Exit.map(registering<Item, P, V>(item)(transaction), (plan) => ({ ...plan, apply: () => void plan.apply() }))
      : swapping(transaction, holder, item)
  }
  return {
    ...mutation("upsert", item, undefined, planning((contents) => Matching.holderOfFirstKey(contents, item))),
    body: (transaction) => {
      // hooks were told of the holder: if one of them takes it out, there is nothing to replace
      let first: Entry<Item> | undefined
      return carryOut(
        transaction,
        planning((contents) => {
          if (first !== undefined && Contents.holds(contents, first)) return first
          const holder = Matching.holderOfFirstKey(contents, item)
          if (first !== undefined && holder?.item !== first.item) return undefined
          return first = holder
        })
      )
    }
  }
}

const swapping = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  previous: Entry<Item>,
  item: Item
): Exit.Exit<Plan<Item, void, V>, Failure> => {
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
    }
  })
}
