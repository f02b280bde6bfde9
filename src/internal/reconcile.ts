/**
 * Making the contents of a registry equal to a list of items, with the fewest changes.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as RegistryError from "../RegistryError.ts"
import type { Step } from "./change.ts"
import * as Changing from "./changing.ts"
import * as Checking from "./checking.ts"
import * as Contents from "./contents.ts"
import type { Operation, Transaction } from "./core.ts"
import * as Hooks from "./hooks.ts"
import * as Matching from "./matching.ts"
import { registering } from "./operations.ts"
import * as Order from "./order.ts"
import type { Origin } from "./owner.ts"
import { sequence } from "./sequence.ts"
import { step } from "./transaction.ts"

type Entry<Item> = Contents.Entry<Item>
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
}

interface Replacement<Item> {
  readonly previous: Entry<Item>
  readonly item: Item
}

/** @internal */
export const reconcile = <Item, P, V>(
  items: ReadonlyArray<Item>
): Operation<Item, P, V, Reconciled<Item>, Failure | V | P> => ({
  name: "reconcile",
  step: (transaction) => {
    const plan = planOf(transaction.draft, items)
    return Exit.map(carryOut(transaction, plan), () => reported(plan))
  },
  body: (transaction) => Effect.suspend(() => reconcileIn(transaction, items)),
  undone: () => Effect.succeed({ added: [], removed: [], replaced: [], kept: [] })
})

/** Hooks: all that come before, for each item; the step that changes all of them; all that come after. */
const reconcileIn = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  items: ReadonlyArray<Item>
): Effect.Effect<Reconciled<Item>, Failure | V | P> => {
  const planning = step(transaction, ({ draft, origin }) => {
    const plan = planOf(draft, items)
    const outcome = outcomeOf(draft, plan, origin)
    return Result.isFailure(outcome) ? Exit.fail(outcome.failure) : Exit.succeed(plan)
  })
  return Effect.flatMapEager(planning, (plan) =>
    callBefore(transaction, plan).pipe(
      Effect.flatMapEager(() => step(transaction, (current) => carryOut(current, plan))),
      Effect.flatMapEager((gone) => callAfter(transaction, plan, gone)),
      Effect.mapEager(() => reported(plan))
    ))
}

const callBefore = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  { added, removed, replaced }: Plan<Item>
): Effect.Effect<void, V> => {
  const unregistering = ({ item }: Entry<Item>) => Hooks.callBefore(transaction.hooks, "onItemUnregistering", item)
  return sequence(removed, unregistering).pipe(
    Effect.flatMapEager(() =>
      sequence(
        replaced,
        ({ item, previous }) => Effect.flatMapEager(registering(transaction, item), () => unregistering(previous))
      )
    ),
    Effect.flatMapEager(() => sequence(added, (item) => registering(transaction, item)))
  )
}

const callAfter = <Item, P, V>(
  { calls, hooks }: Transaction<Item, P, V>,
  { added, removed, replaced }: Plan<Item>,
  gone: ReadonlySet<Entry<Item>>
): Effect.Effect<void> => {
  const unregistered = (entry: Entry<Item>) =>
    gone.has(entry) ? Hooks.callAfter(hooks, "onItemUnregistered", entry.item, calls) : Effect.void
  const registered = (item: Item) => Hooks.callAfter(hooks, "onItemRegistered", item, calls)
  return sequence(removed, unregistered).pipe(
    Effect.flatMapEager(() =>
      sequence(replaced, ({ item, previous }) => Effect.flatMapEager(unregistered(previous), () => registered(item)))
    ),
    Effect.flatMapEager(() => sequence(added, registered))
  )
}

const reported = <Item>({ added, kept, removed, replaced }: Plan<Item>): Reconciled<Item> => ({
  added,
  kept,
  removed: removed.map(({ item }) => item).toReversed(),
  replaced: replaced.map(({ item, previous }) => ({ previous: previous.item, item }))
})

/** Overrides, and what they hide, are left as they are. */
const planOf = <Item>(contents: Contents.Contents<Item>, items: ReadonlyArray<Item>): Plan<Item> => {
  const matched = new Set<Entry<Item>>()
  const added: Array<Item> = []
  const replaced: Array<Replacement<Item>> = []
  const kept: Array<Item> = []
  for (const item of items) {
    const found = Matching.counterpartOf(contents, item, matched)
    if (found === undefined) {
      added.push(item)
      continue
    }
    matched.add(found.entry)
    if (found.changed && !found.entry.origin.override && Contents.holds(contents, found.entry)) {
      replaced.push({ previous: found.entry, item })
    } else {
      kept.push(found.entry.item)
    }
  }
  const removed = Contents.entries(contents).filter((entry) => !matched.has(entry) && !entry.origin.override)
  return { added, removed: removed.toReversed(), replaced, kept }
}

/** Answers which of the old entries it took out: what a hook has taken out already is skipped. */
const carryOut = <Item>(
  transaction: Transaction<Item>,
  plan: Plan<Item>
): Exit.Exit<ReadonlySet<Entry<Item>>, Failure> => {
  const outcome = outcomeOf(transaction.draft, plan, transaction.origin)
  if (Result.isFailure(outcome)) return Exit.fail(outcome.failure)
  const { contents, gone, steps } = outcome.success
  transaction.draft = contents
  transaction.steps = transaction.steps.concat(steps)
  return Exit.succeed(gone)
}

interface Outcome<Item> {
  readonly contents: Contents.Contents<Item>
  readonly gone: ReadonlySet<Entry<Item>>
  readonly steps: ReadonlyArray<Step<Item>>
}

const outcomeOf = <Item>(
  start: Contents.Contents<Item>,
  { added, removed, replaced }: Plan<Item>,
  origin: Origin
): Result.Result<Outcome<Item>, Failure> => {
  let contents = start
  const gone = new Set<Entry<Item>>()
  const steps: Array<Step<Item>> = []
  const takeOut = (entries: ReadonlyArray<Entry<Item>>): void => {
    const held = entries.filter((entry) => Contents.holds(contents, entry))
    if (held.length > 0) steps.push({ _tag: "Removed", entries: held })
    for (const entry of held) {
      contents = Changing.remove(contents, entry).contents
      gone.add(entry)
    }
  }
  const putIn = (item: Item, position?: number): Failure | undefined => {
    const checked = Checking.check(contents, item)
    if (Result.isFailure(checked)) return checked.failure
    const inserted = Changing.insert(contents, item, checked.success, origin, position)
    contents = inserted.contents
    const rank = Order.rank(contents.order, inserted.added.position)
    steps.push({ _tag: "Inserted", entries: [inserted.added], position: rank })
    return undefined
  }

  takeOut(removed)
  // an item may take over what another that is about to be replaced has: then both are out before they are in again
  const crossing: Array<Replacement<Item>> = []
  for (const replacement of replaced) {
    const { item, previous } = replacement
    const checked = Contents.holds(contents, previous) ? Checking.check(contents, item, previous) : undefined
    if (checked === undefined || Result.isFailure(checked)) {
      crossing.push(replacement)
      continue
    }
    const swapped = Changing.replace(contents, previous, item, checked.success, origin)
    contents = swapped.contents
    gone.add(previous)
    steps.push({ _tag: "Swapped", previous, entry: swapped.added })
  }
  takeOut(crossing.map(({ previous }) => previous).toReversed())
  for (const { item, previous } of crossing) {
    const failure = putIn(item, gone.has(previous) ? previous.position : undefined)
    if (failure !== undefined) return Result.fail(failure)
  }
  for (const item of added) {
    const failure = putIn(item)
    if (failure !== undefined) return Result.fail(failure)
  }
  return Result.succeed({ contents, gone, steps })
}
