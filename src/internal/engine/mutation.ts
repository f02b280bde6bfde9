/**
 * How a mutation is carried out: plan, tell, apply, tell.
 *
 * A plan names the entries that are about to leave and the items that are about to enter. First, hooks are told of them.
 * Then, in one step, the mutation is planned again, because a hook may have changed anything, and applied to the draft.
 * Last, hooks are told of the steps that it took, in the order in which subscribers hear of them.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RegistryError from "../../RegistryError.ts"
import type { Contents } from "../store/contents.ts"
import { failure } from "../store/definition.ts"
import type { Entry } from "../store/entry.ts"
import { acquire, acquireAgain, bind } from "./acquiring.ts"
import type { Step } from "./change.ts"
import type { Operation, Transaction } from "./core.ts"
import * as Hooks from "./hooks.ts"
import { sequence } from "./sequence.ts"
import { step } from "./transaction.ts"

/** Entries that leave, an item that enters, or both. `W` is the error of a veto. */
export interface Move<out Item, out W> {
  readonly entering?: Entering<Item, W>
  readonly leaving: ReadonlyArray<Entry<Item>>
}

export interface Entering<out Item, out W> {
  readonly item: Item
  /** Asks hooks whether the item may enter, and acquires what it needs. */
  readonly ask: () => Effect.Effect<unknown, W>
  /** Acquires what the item needs: nothing if it is there. A rule may have ended since hooks were asked. */
  readonly acquire: () => Effect.Effect<unknown, W> | undefined
}

export const entering = <Item, P, V>(transaction: Transaction<Item, P, V>, item: Item): Entering<Item, V> => ({
  item,
  ask: () => Effect.flatMapEager(registering(transaction, item), () => acquire(transaction, item) ?? Effect.void),
  acquire: () => acquire(transaction, item)
})

/** An item that no rule withholds any more: hooks are not asked, because they were when it came first. */
export const returning = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  entry: Entry<Item>
): Entering<Item, V> => ({
  item: entry.item,
  ask: () => acquireAgain(transaction, entry) ?? Effect.void,
  acquire: () => acquireAgain(transaction, entry)
})

/** Items that enter together: what they need is acquired for all at once, when hooks have been asked about each. */
export const enteringAll = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  items: ReadonlyArray<Item>,
  refused: (item: Item) => void
): ReadonlyArray<Entering<Item, V>> => {
  const { concurrency } = transaction.core
  const telling = (item: Item, effect: Effect.Effect<unknown, V>) =>
    Effect.mapError(effect, (error) => {
      refused(item)
      return error
    })
  const ask = (item: Item) => telling(item, registering(transaction, item))
  const acquireOne = (item: Item) => {
    const acquiring = acquire(transaction, item)
    return acquiring && telling(item, acquiring)
  }
  // each is as uninterruptible as it is by itself: what one that fails had acquired is released to the end
  const acquireAll = Effect.suspend(() =>
    Effect.forEach(items, (item) => Effect.uninterruptible(acquireOne(item) ?? Effect.void), {
      concurrency,
      discard: true
    })
  )
  return items.map((item, i) => ({
    item,
    ask: () => i < items.length - 1 ? ask(item) : Effect.flatMap(ask(item), () => transaction.restore(acquireAll)),
    acquire: () => acquireOne(item)
  }))
}

/** What a mutation is about to do. */
export interface Plan<out Item, out A, out W> {
  readonly moves: () => ReadonlyArray<Move<Item, W>>
  /** Changes the draft that it was made for, and records its steps in the transaction. */
  readonly apply: () => A
}

/** Looks at the draft of a transaction. */
export type Planner<in out Item, in out P, in out V, out A, out E, out W = V> = (
  transaction: Transaction<Item, P, V>
) => Exit.Exit<Plan<Item, A, W>, E>

/** An operation that is one mutation. */
export const mutation = <Item, P, V, A, E, W>(
  name: string,
  about: unknown,
  undone: A,
  planner: Planner<Item, P, V, A, E, W>
): Operation<Item, P, V, A, E | W | P> => ({
  name,
  about,
  runsHooks: true,
  step: (transaction) => applied(planner(transaction)),
  body: (transaction) => carryOut(transaction, planner),
  undone: () => Effect.succeed(undone)
})

const applied = <Item, A, E>(planned: Exit.Exit<Plan<Item, A, unknown>, E>): Exit.Exit<A, E> =>
  Exit.map(planned, (plan) => plan.apply())

/** Carries a mutation out, as the body of a transaction or a part of it. */
export const carryOut = <Item, P, V, A, E, W>(
  transaction: Transaction<Item, P, V>,
  planner: Planner<Item, P, V, A, E, W>
): Effect.Effect<A, E | W | P> =>
  carryOutBy(transaction, (use) => step(transaction, () => Exit.map(planner(transaction), use)))

/** Plans, and uses the plan, in one step. */
type Planning<Item, A, E, W> = <B>(use: (plan: Plan<Item, A, W>) => B) => Effect.Effect<B, E>

export const carryOutBy = <Item, P, V, A, E, W>(
  transaction: Transaction<Item, P, V>,
  planning: Planning<Item, A, E, W>
): Effect.Effect<A, E | W> =>
  transaction.hooks.length === 0
    ? planning((plan) => plan.apply())
    : Effect.flatMapEager(
      planning((plan): Planned<Item, W> => ({ moves: plan.moves(), draft: transaction.draft })),
      (planned) => tellAndApply(transaction, planning, planned, undefined)
    )

/** The moves that were planned, and the draft that they were planned for. */
interface Planned<Item, W> {
  readonly moves: ReadonlyArray<Move<Item, W>>
  readonly draft: Contents<Item>
}

/** `told` has the items and entries that hooks were told of in earlier rounds. */
const tellAndApply = <Item, P, V, A, E, W>(
  transaction: Transaction<Item, P, V>,
  planning: Planning<Item, A, E, W>,
  { draft, moves }: Planned<Item, W>,
  told: Set<unknown> | undefined
): Effect.Effect<A, E | W> =>
  callBefore(transaction, moves, told).pipe(
    Effect.flatMapEager(() =>
      planning((plan) => {
        // a plan for the same draft makes the same moves; else hooks may have to be told of more
        if (transaction.draft !== draft) {
          const all = new Set([...told ?? [], ...moves.flatMap(partsOf)])
          const now = { moves: plan.moves(), draft: transaction.draft }
          if (now.moves.some((move) => partsOf(move).some((part) => !all.has(part)) || needs(move))) {
            return () => tellAndApply(transaction, planning, now, all)
          }
        }
        const from = transaction.steps.length
        const answer = plan.apply()
        bind(transaction, from)
        transaction.untold = true
        return () =>
          Effect.mapEager(tellSteps(transaction, from), () => {
            transaction.untold = false
            return answer
          })
      })
    ),
    Effect.flatMapEager((next) => next())
  )

const partsOf = <Item>({ entering: one, leaving }: Move<Item, unknown>): ReadonlyArray<unknown> =>
  one === undefined ? leaving : [one.item, ...leaving]

const needs = ({ entering: one }: Move<any, unknown>): boolean => one?.acquire() !== undefined

/** For each move: asks hooks about the item that enters, then tells them of the entries that leave. */
const callBefore = <Item, P, V, W>(
  transaction: Transaction<Item, P, V>,
  moves: ReadonlyArray<Move<Item, W>>,
  told: Set<unknown> | undefined
): Effect.Effect<unknown, W> =>
  sequence(moves, ({ entering: one, leaving }) => {
    const asking = (told?.has(one?.item) === true ? one?.acquire() : one?.ask()) ?? Effect.void
    return leaving.length === 0
      ? asking
      : Effect.flatMapEager(asking, () =>
        sequence(leaving, (entry) =>
          told?.has(entry) === true
            ? undefined
            : Hooks.callBefore(transaction, "onItemUnregistering", entry.item), transaction.restore))
  }, transaction.restore)

/** A hook refuses with an error that does not know the registry's name. */
export const registering = <Item, P, V>(transaction: Transaction<Item, P, V>, item: Item): Effect.Effect<unknown, V> =>
  Effect.mapErrorEager(
    Hooks.callBefore(transaction, "onItemRegistering", item),
    (error) => {
      const { definition } = transaction.core
      const why = error instanceof RegistryError.RegistrationError && error.code === "rejected" && error.registry === ""
        // the same class with the name filled in, so still a V
        ? failure(definition, RegistryError.RegistrationError, {
          code: "rejected",
          item: error.item,
          ...(error.reason === undefined ? {} : { reason: error.reason })
        }) as V & RegistryError.RegistrationError
        : error
      definition.refused(item, why)
      return why
    }
  )

/** Tells hooks of the steps from an index on. */
const tellSteps = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  from: number
): Effect.Effect<unknown> => {
  const { restore, steps } = transaction
  // hooks may cause more steps, of which they are told by the operations that take them
  const own = steps.length === from + 1 ? [steps[from]!] : steps.slice(from)
  const gone = (entry: Entry<Item>) => Hooks.tell(transaction, "onItemUnregistered", entry)
  const come = (entry: Entry<Item>) => Hooks.tell(transaction, "onItemRegistered", entry)
  const tellStep = (one: Step<Item>): Effect.Effect<unknown> => {
    switch (one._tag) {
      case "Inserted":
        return sequence(one.entries, come, restore)
      case "Removed":
        return sequence(one.entries, gone, restore)
      case "Swapped":
        return Effect.flatMapEager(gone(one.previous), () => come(one.entry))
      default:
        return Effect.void
    }
  }
  return own.length === 1 ? tellStep(own[0]!) : sequence(own, tellStep, restore)
}
