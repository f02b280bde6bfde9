/** An item on top of all others. It withholds what it shares a unique value with, for as long as it lives. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as RegistryError from "../../RegistryError.ts"
import * as Change from "../engine/change.ts"
import type { Operation } from "../engine/core.ts"
import { entering, type Planner } from "../engine/mutation.ts"
import { oneByOne } from "../operations/register.ts"
import { inserted } from "../operations/unregister.ts"
import { check, isRefusal } from "../store/check.ts"
import { Entry } from "../store/entry.ts"
import { putOnTop } from "./layers.ts"

type Failure = RegistryError.RegistrationFailure

/** Registers items on top of all that is there, one after another. */
export const override = <Item, P, V>(
  items: ReadonlyArray<Item>
): Operation<Item, P, V, ReadonlyArray<Entry<Item>>, Failure | V | P> => ({
  name: "override",
  about: items.length === 1 ? items[0] : undefined,
  runsHooks: true,
  body: (transaction) => {
    transaction.core.putOnTop = putOnTop
    return oneByOne(transaction, items, (item) => overriding<Item, P, V>(item))
  },
  undone: () => Effect.succeed([])
})

const overriding = <Item, P, V>(item: Item): Planner<Item, P, V, Entry<Item>, Failure> => (transaction) => {
  const { draft, origin, steps } = transaction
  const keys = check(draft, item, undefined, true)
  if (isRefusal(keys)) return Exit.fail(keys)
  const added = new Entry(item, keys, origin.above)
  const { contents, withheld } = putOnTop(draft, added)
  const leaving = withheld.toReversed()
  return Exit.succeed({
    moves: () => [{ entering: entering(transaction, item), leaving }],
    apply: () => {
      if (leaving.length > 0) {
        steps.push(new Change.Removed(leaving, Change.positionsIn(draft, leaving), origin.owner, "override"))
      }
      steps.push(...inserted(contents, added, "override"))
      transaction.draft = contents
      return added
    }
  })
}
