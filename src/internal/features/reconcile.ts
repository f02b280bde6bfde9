/**
 * Making the contents of a registry equal to a list of items, with the fewest changes.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import type * as RegistryError from "../../RegistryError.ts"
import type { Step } from "../engine/change.ts"
import * as Change from "../engine/change.ts"
import type { Core, Operation, Transaction } from "../engine/core.ts"
import * as Hooks from "../engine/hooks.ts"
import { type Pausing, sequence, turn, withoutPauses, withPauses } from "../engine/sequence.ts"
import { longStep, step } from "../engine/transaction.ts"
import { registering } from "../operations/operations.ts"
import * as Checking from "../store/check.ts"
import * as Contents from "../store/contents.ts"
import * as Matching from "../store/matching.ts"
import * as Order from "../store/order.ts"
import type { Origin } from "../store/owner.ts"
import * as Changing from "../store/update.ts"

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
  core: Core<Item, P, V>,
  items: ReadonlyArray<Item>
): Operation<Item, P, V, Reconciled<Item>, Failure | V | P> => {
  const few = items.length <= turn && Ref.getUnsafe(core.published).size <= turn
  return {
    name: "reconcile",
    ...(few
      ? {
        step: (transaction: Transaction<Item>) =>
          Exit.map(withoutPauses(carryOut(transaction, items, undefined)), ({ plan }) => reported(plan))
      }
      : undefined),
    body: (transaction) => {
      const told = { entries: new Set<Entry<Item>>(), items: new Set<Item>() }
      const known = transaction.hooks.length === 0 ? undefined : told
      const carriedOut = Effect.suspend(() =>
        few
          ? step(transaction, (current) => withoutPauses(carryOut(current, items, known)))
          : longStep(transaction, (current) => withPauses(carryOut(current, items, known)))
      )
      return Effect.flatMapEager(
        carryOutTold(transaction, carriedOut, told),
        (plan) => Effect.mapEager(callAfter(transaction, plan), () => reported(plan))
      )
    },
    undone: () => Effect.succeed({ added: [], removed: [], replaced: [], kept: [] })
  }
}

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
  carriedOut: Effect.Effect<CarriedOut<Item>, Failure | P>,
  told: Told<Item>
): Effect.Effect<Plan<Item>, Failure | V | P> =>
  Effect.flatMapEager(carriedOut, ({ done, plan }) =>
    done
      ? Effect.succeed(plan)
      : Effect.flatMap(callBefore(transaction, plan, told), () => carryOutTold(transaction, carriedOut, told)))

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

interface CarriedOut<Item> {
  readonly plan: Plan<Item>
  readonly done: boolean
}

/** Plans, and does it, unless there is something that hooks were not told of. */
const carryOut = function*<Item>(
  transaction: Transaction<Item>,
  items: ReadonlyArray<Item>,
  told: Told<Item> | undefined
): Pausing<Exit.Exit<CarriedOut<Item>, Failure>> {
  const { core, draft, origin, steps } = transaction
  const plan = yield* planOf(draft, items)
  const misfit = plan.covered ? yield* misfitAmong(core.nothing, items, origin) : undefined
  if (misfit !== undefined) return Exit.fail(misfit)
  const outcome = yield* outcomeOf(draft, plan, origin)
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
const planOf = function*<Item>(
  contents: Contents.Contents<Item>,
  items: ReadonlyArray<Item>
): Pausing<Plan<Item>> {
  const matched = new Set<Entry<Item>>()
  const added: Array<Item> = []
  const replaced: Array<Replacement<Item>> = []
  const kept: Array<Item> = []
  let covered = false
  let count = 0
  for (const item of items) {
    if (++count % turn === 0) yield
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
const misfitAmong = function*<Item>(
  nothing: Contents.Contents<Item>,
  items: ReadonlyArray<Item>,
  origin: Origin
): Pausing<Failure | undefined> {
  const filling = new Changing.Filling(nothing, items.length, origin)
  let count = 0
  for (const item of items) {
    if (++count % turn === 0) yield
    const failure = filling.add(item)
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
      if (++count % turn === 0) yield
      contents = Changing.remove(contents, entry).contents
    }
  }
  const putIn = (item: Item, position?: number): Failure | undefined => {
    const checked = Checking.check(contents, item)
    if (Result.isFailure(checked)) return checked.failure
    const inserted = Changing.insert(contents, item, checked.success, origin, position)
    contents = inserted.contents
    const rank = Order.rank(contents.order, inserted.added.position)
    steps.push(new Change.Inserted([inserted.added], rank))
    return undefined
  }

  yield* takeOut(removed)
  // an item may take over what another that is about to be replaced has: then both are out before they are in again
  const crossing: Array<Replacement<Item>> = []
  for (const replacement of replaced) {
    if (++count % turn === 0) yield
    const { item, previous } = replacement
    const checked = Checking.check(contents, item, previous)
    if (Result.isFailure(checked)) {
      crossing.push(replacement)
      continue
    }
    const swapped = Changing.replace(contents, previous, item, checked.success, origin)
    contents = swapped.contents
    steps.push(new Change.Swapped(previous, swapped.added))
  }
  yield* takeOut(crossing.map(({ previous }) => previous).toReversed())
  for (const { item, previous } of crossing) {
    if (++count % turn === 0) yield
    const failure = putIn(item, previous.position)
    if (failure !== undefined) return Result.fail(failure)
  }
  for (const item of added) {
    if (++count % turn === 0) yield
    const failure = putIn(item)
    if (failure !== undefined) return Result.fail(failure)
  }
  return Result.succeed({ contents, steps })
}
