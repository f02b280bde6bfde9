/** Making the contents of a registry equal to a list of items, with the fewest changes. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as RegistryError from "../../RegistryError.ts"
import type { Step } from "../engine/change.ts"
import * as Change from "../engine/change.ts"
import type { Operation, Transaction } from "../engine/core.ts"
import { carryOut, entering, type Plan as MutationPlan } from "../engine/mutation.ts"
import { maxPerStep, type Pausing, withoutPauses } from "../engine/sequence.ts"
import * as Check from "../store/check.ts"
import * as Contents from "../store/contents.ts"
import type { Entry, Origin } from "../store/entry.ts"
import * as Matching from "../store/matching.ts"
import * as Order from "../store/order.ts"
import * as Update from "../store/update.ts"

type Failure = RegistryError.RegistrationFailure

/**
 * What a reconciliation did. All lists are in the order of the items that were given, but `removed`, which is in the order
 * of their registration.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reconciled<out Item> {
  readonly added: ReadonlyArray<Item>
  readonly removed: ReadonlyArray<Item>
  readonly replaced: ReadonlyArray<{ readonly previous: Item; readonly item: Item }>
  /** The items that were in and stay, untouched: equal to what was given, or overrides in its place. */
  readonly kept: ReadonlyArray<Item>
}

/** What there is to do. */
interface Plan<Item> {
  readonly added: ReadonlyArray<Item>
  readonly removed: ReadonlyArray<Entry<Item>>
  readonly replaced: ReadonlyArray<Replacement<Item>>
  readonly kept: ReadonlyArray<Item>
  /** Whether an override, or what it hides, stands for another item that was given. */
  readonly matchedOverride: boolean
}

interface Replacement<Item> {
  readonly previous: Entry<Item>
  readonly item: Item
}

export const reconcile = <Item, P, V>(
  items: ReadonlyArray<Item>
): Operation<Item, P, V, Reconciled<Item>, Failure | V | P> => ({
  name: "reconcile",
  runsHooks: true,
  step: (transaction) =>
    isFew(transaction, items)
      ? Exit.map(withoutPauses(planning(transaction, items)), (plan) => plan.apply())
      : undefined,
  body: (transaction) =>
    carryOut(
      transaction,
      (current) => withoutPauses(planning(current, items)),
      (current) => isFew(current, items) ? undefined : planning(current, items)
    ),
  undone: () => Effect.succeed({ added: [], removed: [], replaced: [], kept: [] })
})

const isFew = <Item>({ draft }: Transaction<Item>, items: ReadonlyArray<Item>): boolean =>
  items.length <= maxPerStep && draft.size <= maxPerStep

/** Hooks: all that come before, for each item, and then the step that changes all of them, and all that come after. */
const planning = function*<Item, P, V>(
  transaction: Transaction<Item, P, V>,
  items: ReadonlyArray<Item>
): Pausing<Exit.Exit<MutationPlan<Item, Reconciled<Item>, V>, Failure>> {
  const { core, draft, origin, steps } = transaction
  const plan = yield* planOf(draft, items)
  const conflict = plan.matchedOverride ? yield* conflictAmong(core.nothing, items, origin) : undefined
  if (conflict !== undefined) return Exit.fail(conflict)
  const outcome = yield* outcomeOf(draft, plan, origin)
  if (Result.isFailure(outcome)) return Exit.fail(outcome.failure)
  return Exit.succeed({
    moves: () => [
      ...plan.removed.map((entry) => ({ leaving: [entry] })),
      ...plan.replaced.map(({ item, previous }) => ({ entering: entering(transaction, item), leaving: [previous] })),
      ...plan.added.map((item) => ({ entering: entering(transaction, item), leaving: [] }))
    ],
    apply: () => {
      transaction.draft = outcome.success.contents
      for (const one of outcome.success.steps) steps.push(one)
      return reported(plan)
    }
  })
}

const reported = <Item>({ added, kept, removed, replaced }: Plan<Item>): Reconciled<Item> => ({
  added,
  kept,
  removed: removed.map(({ item }) => item).toReversed(),
  replaced: replaced.map(({ item, previous }) => ({ previous: previous.item, item }))
})

/** Overrides, and what they hide, are left as they are. */
const planOf = function*<Item>(
  contents: Contents.Contents<Item>,
  items: ReadonlyArray<Item>
): Pausing<Plan<Item>> {
  const matched = new Set<Entry<Item>>()
  const added: Array<Item> = []
  const replaced: Array<Replacement<Item>> = []
  const kept: Array<Item> = []
  let matchedOverride = false
  let count = 0
  for (const item of items) {
    if (++count % maxPerStep === 0) yield
    const found = Matching.counterpartOf(contents, item, matched)
    if (found === undefined) {
      added.push(item)
      continue
    }
    matched.add(found.entry)
    if (found.changed && !found.entry.origin.onTop && Contents.holds(contents, found.entry)) {
      replaced.push({ previous: found.entry, item })
    } else {
      kept.push(found.entry.item)
      matchedOverride ||= found.changed
    }
  }
  const removed = Contents.entries(contents).filter((entry) => !matched.has(entry) && !entry.origin.onTop)
  return { added, removed: removed.toReversed(), replaced, kept, matchedOverride }
}

/** Why items cannot be together. What an override stands for does not go in, where that would show. */
const conflictAmong = function*<Item>(
  nothing: Contents.Contents<Item>,
  items: ReadonlyArray<Item>,
  origin: Origin
): Pausing<Failure | undefined> {
  const builder = new Update.Builder(nothing, items.length, origin)
  let count = 0
  for (const item of items) {
    if (++count % maxPerStep === 0) yield
    const failure = builder.add(item)
    if (failure !== undefined) return failure
  }
  return undefined
}

interface Outcome<Item> {
  readonly contents: Contents.Contents<Item>
  readonly steps: ReadonlyArray<Step<Item>>
}

const outcomeOf = function*<Item>(
  start: Contents.Contents<Item>,
  { added, removed, replaced }: Plan<Item>,
  origin: Origin
): Pausing<Result.Result<Outcome<Item>, Failure>> {
  let contents = start
  let count = 0
  const steps: Array<Step<Item>> = []
  const takeOut = function*(entries: ReadonlyArray<Entry<Item>>): Pausing<void> {
    if (entries.length > 0) steps.push(new Change.Removed(entries))
    for (const entry of entries) {
      if (++count % maxPerStep === 0) yield
      contents = Update.remove(contents, entry).contents
    }
  }
  const putIn = (item: Item, position?: number): Failure | undefined => {
    const checked = Check.check(contents, item)
    if (Result.isFailure(checked)) return checked.failure
    const inserted = Update.insert(contents, item, checked.success, origin, position)
    contents = inserted.contents
    const rank = Order.rank(contents.order, inserted.added.position)
    steps.push(new Change.Inserted([inserted.added], rank))
    return undefined
  }

  yield* takeOut(removed)
  // an item may take over what another that is about to be replaced has: then both are out before they are in again
  const crossing: Array<Replacement<Item>> = []
  for (const replacement of replaced) {
    if (++count % maxPerStep === 0) yield
    const { item, previous } = replacement
    const checked = Check.check(contents, item, previous)
    if (Result.isFailure(checked)) {
      crossing.push(replacement)
      continue
    }
    const swapped = Update.replace(contents, previous, item, checked.success, origin)
    contents = swapped.contents
    steps.push(new Change.Swapped(previous, swapped.added))
  }
  yield* takeOut(crossing.map(({ previous }) => previous).toReversed())
  for (const { item, previous } of crossing) {
    if (++count % maxPerStep === 0) yield
    const failure = putIn(item, previous.position)
    if (failure !== undefined) return Result.fail(failure)
  }
  for (const item of added) {
    if (++count % maxPerStep === 0) yield
    const failure = putIn(item)
    if (failure !== undefined) return Result.fail(failure)
  }
  return Result.succeed({ contents, steps })
}
