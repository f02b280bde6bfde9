/** Unregistering an item, and putting another in its place. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RegistryError from "../../RegistryError.ts"
import type { Reason } from "../../RegistryEvent.ts"
import * as Change from "../engine/change.ts"
import type { Operation, Transaction } from "../engine/core.ts"
import { carryOut, entering, mutation, type Plan, type Planner } from "../engine/mutation.ts"
import { check, isRefusal } from "../store/check.ts"
import * as Contents from "../store/contents.ts"
import { failure } from "../store/definition.ts"
import { byPosition, Entry, isSame, type Origin } from "../store/entry.ts"
import * as Matching from "../store/matching.ts"
import * as Order from "../store/order.ts"
import * as Update from "../store/update.ts"
import { notFound } from "./find.ts"
import { registering } from "./register.ts"

type Failure = RegistryError.RegistrationFailure
type ItemLookupError = RegistryError.ItemLookupError

export const unregister = <Item, P, V>(item: Item): Operation<Item, P, V, void, ItemLookupError | P> => ({
  ...mutationOf(
    "unregister",
    item,
    (contents: Contents.Contents<Item>) => Contents.locateItem(contents, item) ?? notRegistered(contents, item),
    notRegistered,
    Exit.fail,
    removing("unregister")
  ),
  kind: "withdrawal"
})

export const unregisterBy = <Item, P, V>(
  attribute: string,
  value: unknown
): Operation<Item, P, V, void, ItemLookupError | P> => ({
  ...mutationOf(
    "unregisterBy",
    undefined,
    locateBy<Item>(attribute, value),
    notRegistered,
    Exit.fail,
    removing("unregister")
  ),
  kind: "withdrawal",
  value
})

export const replace = <Item, P, V>(
  attribute: string,
  value: unknown,
  item: Item
): Operation<Item, P, V, Entry<Item> | undefined, Failure | ItemLookupError | V | P> =>
  mutationOf("replace", item, locateBy<Item>(attribute, value), notRegistered, Exit.fail, swapping<Item, P, V>(item))

/** Replaces the item that has the first unique key of this one, unless it is the same, or registers it. */
export const upsert = <Item, P, V>(item: Item): Operation<Item, P, V, Entry<Item> | undefined, Failure | V | P> =>
  mutationOf(
    "upsert",
    item,
    (contents) => Matching.holderOfFirstKey(contents, item),
    () => undefined,
    (_, transaction) => {
      const planned = registering<Item, P, V>(item)(transaction)
      return Exit.isFailure(planned) && Matching.isIn(transaction.draft, item) ? Exit.succeed(unchanged) : planned
    },
    (transaction, entry) =>
      Matching.isChange(transaction.draft.definition, entry, item)
        ? swapping<Item, P, V>(item)(transaction, entry)
        : Exit.succeed(unchanged)
  )

const unchanged: Plan<never, undefined, never> = { moves: () => [], apply: () => undefined }

/** The origin of an entry that is put in the place of another one by an operation. */
type OriginOf = (previous: Origin, operation: Origin) => Origin

const updated: OriginOf = (previous, operation) => previous.updatedBy(operation)

const takenOver: OriginOf = (previous, operation) => previous.takenOverBy(operation)

/**
 * Upserts, and takes the registration over: it has the owner and the scope of the operation from then on. Answers the
 * registrations that were not of that scope before.
 */
export const upsertScoped = <Item, P, V>(
  item: Item
): Operation<Item, P, V, ReadonlyArray<Entry<Item>>, Failure | V | P> => {
  const upserting: Operation<Item, P, V, Entry<Item> | undefined, Failure | V | P> = mutationOf(
    "upsertScoped",
    item,
    (contents) => Matching.holderOfFirstKey(contents, item),
    () => undefined,
    (_, transaction) => registering<Item, P, V>(item)(transaction),
    (transaction, entry) => {
      const planned = Matching.isChange(transaction.draft.definition, entry, item)
        ? swapping<Item, P, V>(item, takenOver)(transaction, entry)
        : Exit.succeed(takingOver(transaction, entry))
      return entry.origin.scope === transaction.origin.scope ? Exit.map(planned, withoutAnswer) : planned
    }
  )
  return {
    name: upserting.name,
    about: item,
    runsHooks: true,
    body: (transaction) => Effect.mapEager(upserting.body(transaction), (entry) => entry === undefined ? [] : [entry]),
    undone: () => Effect.succeed([])
  }
}

const withoutAnswer = <Item, W>(plan: Plan<Item, unknown, W>): Plan<Item, undefined, W> => ({
  moves: plan.moves,
  apply: () => {
    plan.apply()
    return undefined
  }
})

/** Of the same item, nobody sees that its registration is taken over. */
const takingOver = <Item>(transaction: Transaction<Item>, entry: Entry<Item>): Plan<Item, Entry<Item>, never> => ({
  moves: () => [],
  apply: () => {
    const { draft, origin } = transaction
    const { added, contents } = Update.replace(draft, entry, entry.item, entry.keys, takenOver(entry.origin, origin))
    transaction.draft = contents
    return added
  }
})

/** Finds an entry in the contents, or the reason why it is not there. */
type Locate<Item, Missing> = (contents: Contents.Contents<Item>) => Entry<Item> | Missing

const locateBy = <Item>(attribute: string, value: unknown): Locate<Item, ItemLookupError> => (contents) =>
  Contents.locate(contents, attribute, value) ?? notFound(contents, attribute, value)

const notRegistered = <Item>({ definition }: Contents.Contents<Item>, item: Item): ItemLookupError =>
  failure(definition, RegistryError.ItemLookupError, { code: "unregister", item, suggestions: [] })

/**
 * A mutation of one entry. The entry is located again in each step, because hooks may have changed the draft. Once they
 * were told of it, no other item takes its place: then it is `gone`.
 */
const mutationOf = <Item, P, V, Missing, A, E, E2, W>(
  name: string,
  about: unknown,
  locate: Locate<Item, Missing>,
  gone: (contents: Contents.Contents<Item>, item: Item) => Missing,
  planWithout: (missing: Missing, transaction: Transaction<Item, P, V>) => Exit.Exit<Plan<Item, A, W>, E>,
  planWith: (transaction: Transaction<Item, P, V>, entry: Entry<Item>) => Exit.Exit<Plan<Item, A, W>, E2>
): Operation<Item, P, V, A | undefined, E | E2 | W | P> => {
  const planner = (find: Locate<Item, Missing>): Planner<Item, P, V, A | undefined, E | E2, W> => (transaction) => {
    const located = find(transaction.draft)
    return located instanceof Entry ? planWith(transaction, located) : planWithout(located, transaction)
  }
  return {
    ...mutation(name, about, undefined, planner(locate)),
    body: (transaction) => {
      let first: Entry<Item> | undefined
      return carryOut(
        transaction,
        planner((contents) => {
          if (first !== undefined && Contents.holds(contents, first)) return first
          const located = locate(contents)
          if (!(located instanceof Entry)) return located
          if (first !== undefined && !isSame(located.item, first.item)) return gone(contents, first.item)
          return first = located
        })
      )
    }
  }
}

/** Hooks and subscribers do not hear of a withheld entry that leaves. */
export const removing = (reason: Reason) =>
<Item>(
  transaction: Transaction<Item>,
  entry: Entry<Item>
): Exit.Exit<Plan<Item, void, never>> => {
  const { draft, steps } = transaction
  const isVisible = Contents.holds(draft, entry)
  return Exit.succeed({
    moves: () => isVisible ? [{ leaving: [entry] }] : [],
    apply: () => {
      const { contents, revealed } = Update.remove(draft, entry)
      if (isVisible) {
        steps.push(new Change.Removed([entry], Change.positionsIn(draft, [entry]), transaction.owner, reason))
      }
      transaction.draft = contents
      reveal(transaction, draft, revealed)
    }
  })
}

const swapping =
  <Item, P, V>(item: Item, originOf: OriginOf = updated) =>
  (transaction: Transaction<Item, P, V>, previous: Entry<Item>): Exit.Exit<Plan<Item, Entry<Item>, V>, Failure> => {
    const { draft, origin, steps } = transaction
    const keys = check(draft, item, previous)
    if (isRefusal(keys)) return Exit.fail(keys)
    const leaving = Contents.holds(draft, previous) ? [previous] : []
    return Exit.succeed({
      moves: () => [{ entering: entering(transaction, item), leaving }],
      apply: () => {
        const { added, contents, revealed } = Update.replace(
          draft,
          previous,
          item,
          keys,
          originOf(previous.origin, origin)
        )
        transaction.draft = contents
        if (leaving.length > 0) steps.push(...swapped(draft, previous, contents, added, origin.owner))
        // what stands first comes first: the places of those after it count it
        const come = leaving.length > 0 ? revealed : [...revealed, added].toSorted(byPosition)
        for (const entry of come) {
          steps.push(...inserted(contents, entry, Change.withholding(draft, entry === added ? previous : entry)))
        }
        return added
      }
    })
  }

/** What can be seen of an update: what is withheld before or after it cannot. */
export const swapped = <Item>(
  before: Contents.Contents<Item>,
  previous: Entry<Item>,
  after: Contents.Contents<Item>,
  added: Entry<Item>,
  by: string
): ReadonlyArray<Change.Step<Item>> => {
  if (!Contents.holds(before, previous)) return inserted(after, added, Change.withholding(before, previous))
  const position = Order.rank(before.order, previous.position)
  return [
    Contents.holds(after, added)
      ? new Change.Swapped(previous, added, position)
      : new Change.Removed([previous], [position], by, Change.withholding(after, added))
  ]
}

/** What can be seen of an entry that was put in at its place. */
export const inserted = <Item>(
  after: Contents.Contents<Item>,
  entry: Entry<Item>,
  reason: Reason
): ReadonlyArray<Change.Step<Item>> =>
  Contents.holds(after, entry) ? [new Change.Inserted([entry], Order.rank(after.order, entry.position), reason)] : []

/** Withheld entries become visible. No hook is asked, because they were checked when they came first. */
const reveal = <Item>(
  { draft, steps }: Transaction<Item>,
  before: Contents.Contents<Item>,
  revealed: ReadonlyArray<Entry<Item>>
): void => {
  for (const entry of revealed) steps.push(...inserted(draft, entry, Change.withholding(before, entry)))
}
