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
  /** Whether an override, or what it hides, stands for another item that was given. */
  readonly covered: boolean
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
  step: (transaction) => Exit.map(carryOut(transaction, items, undefined), ({ plan }) => reported(plan)),
  body: (transaction) =>
    Effect.flatMapEager(
      carryOutTold(transaction, items, { entries: new Set(), items: new Set() }),
      (plan) => Effect.mapEager(callAfter(transaction, plan), () => reported(plan))
    ),
  undone: () => Effect.succeed({ added: [], removed: [], replaced: [], kept: [] })
})

/** Whom the hooks that come before were called for. */
interface Told<Item> {
  readonly entries: Set<Entry<Item>>
  readonly items: Set<Item>
}

/**
 * Hooks: all that come before, for each item, and then the step that changes all of them. A hook may change what there
 * is to do: then hooks are told of that, too, before that step.
 */
const carryOutTold = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  items: ReadonlyArray<Item>,
  told: Told<Item>
): Effect.Effect<Plan<Item>, Failure | V | P> =>
  Effect.flatMapEager(step(transaction, (current) => carryOut(current, items, told)), ({ done, plan }) =>
    done
      ? Effect.succeed(plan)
      : Effect.flatMap(callBefore(transaction, plan, told), () => carryOutTold(transaction, items, told)))

const callBefore = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  { added, removed, replaced }: Plan<Item>,
  told: Told<Item>
): Effect.Effect<void, V> => {
  const unregister = (entry: Entry<Item>) => {
    if (told.entries.has(entry)) return Effect.void
    told.entries.add(entry)
    return Hooks.callBefore(transaction.hooks, "onItemUnregistering", entry.item)
  }
  const register = (item: Item) => {
    if (told.items.has(item)) return Effect.void
    told.items.add(item)
    return registering(transaction, item)
  }
  return sequence(removed, unregister).pipe(
    Effect.flatMapEager(() =>
      sequence(replaced, ({ item, previous }) => Effect.flatMapEager(register(item), () => unregister(previous)))
    ),
    Effect.flatMapEager(() => sequence(added, register))
  )
}

const callAfter = <Item, P, V>(
  { calls, hooks }: Transaction<Item, P, V>,
  { added, removed, replaced }: Plan<Item>
): Effect.Effect<void> => {
  const unregistered = ({ item }: Entry<Item>) => Hooks.callAfter(hooks, "onItemUnregistered", item, calls)
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

/** Plans, and does it, unless there is something that hooks were not told of. */
const carryOut = <Item>(
  transaction: Transaction<Item>,
  items: ReadonlyArray<Item>,
  told: Told<Item> | undefined
): Exit.Exit<{ readonly plan: Plan<Item>; readonly done: boolean }, Failure> => {
  const { core, draft, origin, steps } = transaction
  const plan = planOf(draft, items)
  const misfit = plan.covered ? misfitAmong(core.nothing, items, origin) : undefined
  if (misfit !== undefined) return Exit.fail(misfit)
  const outcome = outcomeOf(draft, plan, origin)
  if (Result.isFailure(outcome)) return Exit.fail(outcome.failure)
  const done = told === undefined || isTold(plan, told)
  if (done) {
    transaction.draft = outcome.success.contents
    transaction.steps = steps.concat(outcome.success.steps)
  }
  return Exit.succeed({ plan, done })
}

const isTold = <Item>({ added, removed, replaced }: Plan<Item>, told: Told<Item>): boolean =>
  removed.every((entry) => told.entries.has(entry)) && added.every((item) => told.items.has(item)) &&
  replaced.every(({ item, previous }) => told.items.has(item) && told.entries.has(previous))

/** Overrides, and what they hide, are left as they are. */
const planOf = <Item>(contents: Contents.Contents<Item>, items: ReadonlyArray<Item>): Plan<Item> => {
  const matched = new Set<Entry<Item>>()
  const added: Array<Item> = []
  const replaced: Array<Replacement<Item>> = []
  const kept: Array<Item> = []
  let covered = false
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
      covered ||= found.changed
    }
  }
  const removed = Contents.entries(contents).filter((entry) => !matched.has(entry) && !entry.origin.override)
  return { added, removed: removed.toReversed(), replaced, kept, covered }
}

/** Why items cannot be together. What an override stands for does not go in, where that would show. */
const misfitAmong = <Item>(
  nothing: Contents.Contents<Item>,
  items: ReadonlyArray<Item>,
  origin: Origin
): Failure | undefined => {
  const filling = new Changing.Filling(nothing, items.length, origin)
  for (const item of items) {
    const failure = filling.add(item)
    if (failure !== undefined) return failure
  }
  return undefined
}

interface Outcome<Item> {
  readonly contents: Contents.Contents<Item>
  readonly steps: ReadonlyArray<Step<Item>>
}

const outcomeOf = <Item>(
  start: Contents.Contents<Item>,
  { added, removed, replaced }: Plan<Item>,
  origin: Origin
): Result.Result<Outcome<Item>, Failure> => {
  let contents = start
  const steps: Array<Step<Item>> = []
  const takeOut = (entries: ReadonlyArray<Entry<Item>>): void => {
    if (entries.length > 0) steps.push({ _tag: "Removed", entries })
    for (const entry of entries) contents = Changing.remove(contents, entry).contents
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
    const checked = Checking.check(contents, item, previous)
    if (Result.isFailure(checked)) {
      crossing.push(replacement)
      continue
    }
    const swapped = Changing.replace(contents, previous, item, checked.success, origin)
    contents = swapped.contents
    steps.push({ _tag: "Swapped", previous, entry: swapped.added })
  }
  takeOut(crossing.map(({ previous }) => previous).toReversed())
  for (const { item, previous } of crossing) {
    const failure = putIn(item, previous.position)
    if (failure !== undefined) return Result.fail(failure)
  }
  for (const item of added) {
    const failure = putIn(item)
    if (failure !== undefined) return Result.fail(failure)
  }
  return Result.succeed({ contents, steps })
}
