/** Making the contents of a registry equal to a list of items, with the fewest changes. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as RegistryError from "../../RegistryError.ts"
import type { Reason } from "../../RegistryEvent.ts"
import * as Change from "../engine/change.ts"
import type { Core, Operation, Transaction } from "../engine/core.ts"
import { carryOutBy, type Entering, entering, type Plan } from "../engine/mutation.ts"
import { maxPerStep, type Pausing, withoutPauses, withPauses } from "../engine/sequence.ts"
import { longStep, run, step } from "../engine/transaction.ts"
import { each } from "../operations/register.ts"
import * as Unregister from "../operations/unregister.ts"
import * as Check from "../store/check.ts"
import * as Contents from "../store/contents.ts"
import { type Entry, Origin } from "../store/entry.ts"
import * as Matching from "../store/matching.ts"
import * as Order from "../store/order.ts"
import * as Update from "../store/update.ts"
import { type Addition, arrange, isArranged } from "./arrange.ts"
import { type Refused, unlessRefused, warn } from "./leavingOut.ts"

type Failure = RegistryError.RegistrationFailure

/**
 * What a reconciliation did. All lists are in the order of the items that were given, but `removed`, which is in the
 * order of their registration.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reconciled<out Item> {
  readonly added: ReadonlyArray<Item>
  readonly removed: ReadonlyArray<Item>
  readonly replaced: ReadonlyArray<{ readonly previous: Item; readonly item: Item }>
  /** The items that were in and stay, untouched, because they are the same as what was given. */
  readonly kept: ReadonlyArray<Item>
  /**
   * The items that were in and have moved among the others, for the order of the list: as few as possible.
   *
   * @since 0.2.0
   */
  readonly moved: ReadonlyArray<Item>
}

/**
 * What a reconciliation is about.
 *
 * @category models
 * @since 0.2.0
 */
export interface ReconcileOptions {
  /** Whose items are made equal to the list: those of others stay as they are. By default the list is all there is to be. */
  readonly owner?: string | undefined
  /**
   * What becomes of an item that cannot be registered: the first of them is an error (`"fail"`, the default), or it is left
   * out with a warning, as if it were not in the list (`"skip"`). A defect is never left out.
   */
  readonly onInvalid?: "fail" | "skip" | undefined
}

/** The items and entries, by what happens to them. */
interface Matched<Item> {
  readonly added: ReadonlyArray<Item>
  /** Newest first. */
  readonly removed: ReadonlyArray<Entry<Item>>
  readonly replaced: ReadonlyArray<Replacement<Item>>
  readonly kept: ReadonlyArray<Item>
  /** The list: registrations, and nothing for an item that is added. */
  readonly list: ReadonlyArray<number | undefined>
}

interface Replacement<Item> {
  readonly previous: Entry<Item>
  readonly item: Item
}

/** The registrations that are made equal to a list, and the origin of what is added to them. */
export interface Source<Item, W> {
  readonly isOwn: (entry: Entry<Item>) => boolean
  readonly origin: Origin
  readonly entering: (item: Item) => Entering<Item, W>
  /** What was refused and is left out, where that is no error. */
  readonly left?: Array<Refused<Item, unknown>> | undefined
}

export type SourceOf<Item, V, W> = <P>(transaction: Transaction<Item, P, V>) => Source<Item, W>

/** Overrides stay as they are. */
const all = <Item, V>(transaction: Transaction<Item, any, V>): Source<Item, V> => ({
  isOwn: isBelow,
  origin: transaction.origin,
  entering: (item) => entering(transaction, item)
})

export const isBelow = ({ origin }: Entry<unknown>): boolean => !origin.onTop

/** What one owner registered. */
const ofOwner = (owner: string) => <Item, V>(transaction: Transaction<Item, any, V>): Source<Item, V> => {
  const { revision, scope } = transaction.origin
  return {
    ...all(transaction),
    isOwn: (entry) => isBelow(entry) && entry.origin.owner === owner,
    origin: new Origin(owner, revision, false, scope)
  }
}

/** A source whose refused items are left out. What a hook that refuses one has done is undone. */
export const leavingOut =
  <Item, V, W>(source: SourceOf<Item, V, W>, left: Array<Refused<Item, unknown>>): SourceOf<Item, V, V> =>
  (transaction) => {
    // a part of a transaction that is populated
    const core = transaction.core as Core<Item, never, V>
    return {
      ...source(transaction),
      entering: (item) => {
        const trying = (attempt: (asked: Entering<Item, V>) => Effect.Effect<unknown, V> | undefined) => {
          const asking = run<Item, never, V, unknown, V, never>(core, {
            name: "reconcile",
            runsHooks: true,
            body: (asked) => attempt(entering(asked, item)) ?? Effect.void,
            undone: () => Effect.void
          })
          return unlessRefused(transaction.restore(asking), (error) => left.push({ item, error }))
        }
        return {
          item,
          ask: () => trying(({ ask }) => ask()),
          acquire: () =>
            entering(transaction, item).acquire() === undefined ? undefined : trying(({ acquire }) => acquire())
        }
      },
      left
    }
  }

export const reconcile = <Item, P, V>(
  items: ReadonlyArray<Item>,
  { onInvalid, owner }: ReconcileOptions
): Operation<Item, P, V, Reconciled<Item>, Failure | V | P> => {
  const source: SourceOf<Item, V, V> = owner === undefined ? all : ofOwner(owner)
  if (onInvalid === "skip") {
    return {
      name: "reconcile",
      runsHooks: true,
      body: (transaction) => {
        const left: Array<Refused<Item, unknown>> = []
        const reconciling = reconcileIn(transaction, items, leavingOut(source, left))
        return Effect.tap(reconciling, () => warn(transaction.core, left))
      },
      undone: () => Effect.succeed({ added: [], removed: [], replaced: [], kept: [], moved: [] })
    }
  }
  return {
    name: "reconcile",
    runsHooks: true,
    step: (transaction) =>
      isFew(transaction, items)
        ? Exit.map(withoutPauses(planning(transaction, items, source)), (plan) => plan.apply())
        : undefined,
    body: (transaction) => reconcileIn(transaction, items, source),
    undone: () => Effect.succeed({ added: [], removed: [], replaced: [], kept: [], moved: [] })
  }
}

/** As a part of a transaction. */
export const reconcileIn = <Item, P, V, W>(
  transaction: Transaction<Item, P, V>,
  items: ReadonlyArray<Item>,
  source: SourceOf<Item, V, W>
): Effect.Effect<Reconciled<Item>, Failure | W | P> =>
  carryOutBy(transaction, (use) => {
    const planned = function*() {
      return Exit.map(yield* planning(transaction, items, source), use)
    }
    return isFew(transaction, items)
      ? step(transaction, () => withoutPauses(planned()))
      : longStep(transaction, () => withPauses(planned()))
  })

const isFew = <Item>({ draft }: Transaction<Item>, items: ReadonlyArray<Item>): boolean =>
  items.length <= maxPerStep && draft.size <= maxPerStep

const planning = function*<Item, P, V, W>(
  transaction: Transaction<Item, P, V>,
  items: ReadonlyArray<Item>,
  source: SourceOf<Item, V, W>
): Pausing<Exit.Exit<Plan<Item, Reconciled<Item>, W>, Failure>> {
  const { draft, outermost, steps } = transaction
  outermost.looked = true
  const { entering: enter, isOwn, left, origin } = source(transaction)
  let matched: Matched<Item>
  let reached: Exit.Exit<Outcome<Item>, Failure>
  let before: number | undefined
  do {
    before = left?.length
    matched = yield* match(draft, left === undefined ? items : without(items, left), isOwn)
    reached = yield* outcomeOf(draft, matched, origin, transaction.reason, left)
    // what is left out may have been in the way of something else
  } while (left?.length !== before)
  const { added, kept, removed, replaced } = matched
  const visible = (entry: Entry<Item>) => Contents.holds(draft, entry) ? [entry] : []
  return Exit.map(reached, (outcome) => ({
    moves: () => [
      ...removed.map((entry) => ({ leaving: visible(entry) })),
      ...replaced.map(({ item, previous }) => ({ entering: enter(item), leaving: visible(previous) })),
      ...added.map((item) => ({ entering: enter(item), leaving: [] }))
    ],
    apply: () => {
      transaction.draft = outcome.contents
      for (const one of outcome.steps) steps.push(one)
      return {
        added,
        kept,
        moved: outcome.moved,
        removed: removed.map(({ item }) => item).toReversed(),
        replaced: replaced.map(({ item, previous }) => ({ previous: previous.item, item }))
      }
    }
  }))
}

/** A list without the last of each of some items. */
const without = <Item>(
  items: ReadonlyArray<Item>,
  some: ReadonlyArray<Refused<Item, unknown>>
): ReadonlyArray<Item> => {
  const counts = new Map<Item, number>()
  for (const { item } of some) counts.set(item, (counts.get(item) ?? 0) + 1)
  return items.toReversed().filter((item) => {
    const count = counts.get(item) ?? 0
    counts.set(item, count - 1)
    return count <= 0
  }).toReversed()
}

/** Entries that overrides withhold are matched as others. */
const match = function*<Item>(
  contents: Contents.Contents<Item>,
  items: ReadonlyArray<Item>,
  isOwn: Source<Item, unknown>["isOwn"]
): Pausing<Matched<Item>> {
  const matched = new Set<Entry<Item>>()
  const added: Array<Item> = []
  const replaced: Array<Replacement<Item>> = []
  const kept: Array<Item> = []
  const list: Array<number | undefined> = []
  yield* each(items, (item) => {
    const found = Matching.counterpartOf(contents, item, (entry) => isOwn(entry) && !matched.has(entry))
    list.push(found?.entry.registration)
    if (found === undefined) {
      added.push(item)
      return
    }
    const { changed, entry } = found
    matched.add(entry)
    if (changed) replaced.push({ previous: entry, item })
    else kept.push(entry.item)
  })
  const removed = Contents.allEntries(contents).filter((entry) => !matched.has(entry) && isOwn(entry))
  return { added, removed: removed.toReversed(), replaced, kept, list }
}

interface Outcome<Item> {
  readonly contents: Contents.Contents<Item>
  readonly moved: ReadonlyArray<Item>
  readonly steps: ReadonlyArray<Change.Step<Item>>
}

const outcomeOf = function*<Item>(
  start: Contents.Contents<Item>,
  { added, list, removed, replaced }: Matched<Item>,
  origin: Origin,
  reason: Reason,
  left: Array<Refused<Item, unknown>> | undefined
): Pausing<Exit.Exit<Outcome<Item>, Failure>> {
  let contents = start
  const leftBefore = left?.length
  const steps: Array<Change.Step<Item>> = []
  const takeOut = function*(entries: ReadonlyArray<Entry<Item>>): Pausing<void> {
    const visible: Array<Entry<Item>> = []
    const positions: Array<number> = []
    yield* each(entries, (entry) => {
      if (Contents.holds(contents, entry)) {
        visible.push(entry)
        positions.push(Order.rank(contents.order, entry.position))
      }
      contents = Update.remove(contents, entry).contents
    })
    if (visible.length > 0) steps.push(new Change.Removed(visible, positions, origin.owner, "unregister"))
  }
  const putIn = (
    item: Item,
    previous: Entry<Item> | undefined,
    additions?: Array<Addition<Item>>
  ): Check.Refusal | undefined => {
    const keys = Check.check(contents, item)
    if (Check.isRefusal(keys)) {
      if (left === undefined) return keys
      left.push({ item, error: keys })
      return undefined
    }
    additions?.push({ item, keys })
    const inserted = Update.insert(contents, item, keys, origin, previous)
    contents = inserted.contents
    steps.push(...Unregister.inserted(contents, inserted.added, reason))
    return undefined
  }

  yield* takeOut(removed)
  // an item may take over a key of another that is about to be replaced: then both are out before they are in again
  const crossing: Array<Replacement<Item>> = []
  yield* each(replaced, (replacement) => {
    const { item, previous } = replacement
    const keys = Check.check(contents, item, previous)
    if (Check.isRefusal(keys)) {
      crossing.push(replacement)
      return
    }
    const swapped = Update.replace(contents, previous, item, keys, previous.origin.updatedBy(origin))
    steps.push(...Unregister.swapped(contents, previous, swapped.contents, swapped.added, origin.owner))
    contents = swapped.contents
  })
  yield* takeOut(crossing.map(({ previous }) => previous).toReversed())
  let refused = yield* each(crossing, ({ item, previous }) => putIn(item, previous))
  if (refused !== undefined) return Exit.fail(refused)
  const before = contents
  const last = steps.length
  const additions: Array<Addition<Item>> = []
  refused = yield* each(added, (item) => putIn(item, undefined, additions))
  if (refused !== undefined) return Exit.fail(refused)
  let moved: ReadonlyArray<Item> = []
  // without what is left out, all is tried again
  if (left?.length !== leftBefore) return Exit.succeed({ contents, moved, steps })
  if (!(yield* isArranged(before, list))) {
    // all that are added can be: now they are put in their places
    let next = 0
    const places = list.map((registration) => registration ?? additions[next++]!)
    const arranged = yield* arrange(before, places, origin, reason)
    contents = arranged.contents
    moved = arranged.moved
    steps.length = last
    for (const one of arranged.steps) steps.push(one)
  }
  const gone = removed.length + replaced.length
  return Exit.succeed({ contents: gone > 1 ? Update.tidy(contents, gone) : contents, moved, steps })
}
