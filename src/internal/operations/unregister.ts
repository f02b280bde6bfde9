/** Unregistering one item. */
import * as Exit from "effect/Exit"
import type * as RegistryError from "../../RegistryError.ts"
import * as Change from "../engine/change.ts"
import type { Operation, Transaction } from "../engine/core.ts"
import type { Plan } from "../engine/mutation.ts"
import * as Contents from "../store/contents.ts"
import { Entry } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import * as Update from "../store/update.ts"
import { type Locate, locate, locateBy, mutationOf, notRegistered } from "./find.ts"

export const unregister = <Item, P, V>(item: Item) => unregisterLocated<Item, P, V>("unregister", item, locate(item))

export const unregisterBy = <Item, P, V>(attribute: string, value: unknown) =>
  unregisterLocated<Item, P, V>("unregisterBy", value, locateBy(attribute, value))

const unregisterLocated = <Item, P, V>(
  name: string,
  about: unknown,
  find: Locate<Item>
): Operation<Item, P, V, void, RegistryError.ItemLookupError | P> =>
  mutationOf(
    name,
    about,
    find,
    notRegistered,
    (transaction: Transaction<Item, P, V>, located) =>
      located instanceof Entry ? Exit.succeed(removing(transaction, located)) : Exit.fail(located)
  )

/** Hooks and subscribers do not hear of a withheld entry that leaves. */
export const removing = <Item>(transaction: Transaction<Item>, entry: Entry<Item>): Plan<Item, void, never> => {
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

/** Withheld entries become visible. No hook is asked, because they were checked when they came first. */
export const reveal = <Item>({ draft, steps }: Transaction<Item>, revealed: ReadonlyArray<Entry<Item>>): void => {
  for (const entry of revealed) steps.push(new Change.Inserted([entry], Order.rank(draft.order, entry.position)))
}
