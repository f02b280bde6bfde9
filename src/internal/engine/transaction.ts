/**
 * The one idea: an operation is a transaction, and the transaction is in the fiber's context.
 *
 * A transaction works on a private draft of the contents. `publish`, which ends an outermost one, is the only place
 * where an item becomes visible to others; a nested one ends in the draft of its parent. Who may change a draft at a
 * time is whoever holds its lock: the registry's for the published contents, the parent's for a nested transaction.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as MutableRef from "effect/MutableRef"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as Spans from "../features/spans.ts"
import * as Contents from "../store/contents.ts"
import { Change } from "./change.ts"
import {
  type Core,
  type Lock,
  type Named,
  type Observation,
  type Operation,
  Party,
  Transaction,
  type Worded
} from "./core.ts"
import { CurrentTransaction } from "./current.ts"
import * as Hooks from "./hooks.ts"
import { innermost, openIn } from "./read.ts"
import { collect } from "./sequence.ts"
import { withPermit } from "./waiting.ts"

// ---------------------------------------------------------------------------------------------------------------------
// Beginning
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Runs an operation as a transaction: nested in the one of its registry that the fiber is in, or an outermost one.
 *
 * @internal
 */
export const run = <Item, P, V, A, E, R>(
  core: Core<Item, P, V>,
  operation: Operation<Item, P, V, A, E, R>
): Effect.Effect<A, E | P, R> =>
  Effect.withFiber((fiber) => {
    const observation = core.observer?.called(operation, fiber)
    if (observation === undefined) return spanned(fiber, core, operation, runOn(fiber, core, operation, observation))
    const result = Effect.suspend(() => runOn(fiber, core, operation, observation))
    return Effect.onExitPrimitive(spanned(fiber, core, operation, result), (exit) => {
      observation.ended(exit)
      return undefined
    })
  })

/** What runs no hook is over in a moment: it has no span. */
const spanned = <Item, P, V, A, E, R>(
  fiber: Fiber.Fiber<unknown, unknown>,
  { definition, hooks }: Core<Item, P, V>,
  { about, kind, name }: Operation<Item, P, V, any, any, any>,
  result: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Spans.isTraced(fiber) && (hooks.length > 0 || kind === "population")
    ? Spans.within({ registry: definition.name, operation: name, item: about }, result)
    : result

const runOn = <Item, P, V, A, E, R>(
  fiber: Fiber.Fiber<unknown, unknown>,
  core: Core<Item, P, V>,
  operation: Operation<Item, P, V, A, E, R>,
  observation: Observation | undefined
): Effect.Effect<A, E | P, R> => {
  const outer = innermost(fiber.context)
  const parent = openIn(outer, core)
  if (parent?.state === "undoing") return operation.undone(parent)
  const instead = parent === undefined ? operation.instead?.(outer) : undefined
  if (instead !== undefined) return instead
  const lock = parent === undefined ? core.lock : parent.lock
  const atOnce = inOneStep(core, operation, fiber.context, outer, parent, observation)
  if (atOnce !== undefined) return atOnce
  if (parent === undefined && (operation.kind ?? "change") === "change" && !Ref.getUnsafe(core.published).populated) {
    // it waits for the population, not for its lock: as long as somebody does, the population goes on
    return startOver(core, operation, observation)
  }
  const later: Later = { effect: undefined }
  const beginning = begin(core, operation, fiber.context, outer, parent, lock, later, observation)
  return Effect.flatMap(
    Effect.onExitPrimitive(withPermit(outer, lock, beginning), () => later.effect),
    (exit) => exit === again ? startOver(core, operation, observation) : Effect.succeed(exit)
  )
}

/**
 * Does all of it at once, or nothing. Nobody has begun to work on these contents and no hook is called: looking at them,
 * changing them and publishing is all in this one step, so it needs neither the lock nor a place in the context.
 */
const inOneStep = <Item, P, V, A, E>(
  core: Core<Item, P, V>,
  operation: Operation<Item, P, V, A, E, any>,
  context: Context.Context<never>,
  outer: Party | undefined,
  parent: Transaction<Item, P, V> | undefined,
  observation: Observation | undefined
): Exit.Exit<A, E> | undefined => {
  const lock = parent === undefined ? core.lock : parent.lock
  if (
    operation.step === undefined || operation.committed !== undefined || core.hooks.length > 0 ||
    lock.holder !== undefined || core.closed
  ) return undefined
  const transaction = new Transaction(core, operation, context, outer, parent)
  if (!transaction.workable) return undefined
  observation?.begun(parent !== undefined)
  const exit = operation.step(transaction)
  const { base } = transaction
  // a selector can run an effect by itself: what that wrote, or is about to write, must not be lost
  if (lock.holder !== undefined || base !== (parent === undefined ? Ref.getUnsafe(core.published) : parent.draft)) {
    return undefined
  }
  if (Exit.isSuccess(exit)) commit(transaction, true)
  observation?.released()
  return exit
}

const startOver = <Item, P, V, A, E, R>(
  core: Core<Item, P, V>,
  operation: Operation<Item, P, V, A, E, R>,
  observation: Observation | undefined
): Effect.Effect<A, E | P, R> => {
  const anew = Effect.withFiber<A, E | P, R>((fiber) => runOn(fiber, core, operation, observation))
  return (operation.kind ?? "change") === "change" ? Effect.flatMap(core.populate, () => anew) : anew
}

/** It waited, and found nothing to work on: its parent had ended, or the contents were `Pending`, or elsewhere. It starts over. */
const again = Symbol("effect-registry/again")

/** What is left to do when the permit has been given back. */
interface Later {
  effect: Effect.Effect<void> | undefined
}

/** With the permit: looks, and begins, in one step; runs the body; ends. Only the body can be interrupted. */
const begin = <Item, P, V, A, E, R>(
  core: Core<Item, P, V>,
  operation: Operation<Item, P, V, A, E, R>,
  context: Context.Context<never>,
  outer: Party | undefined,
  parent: Transaction<Item, P, V> | undefined,
  lock: Lock,
  later: Later,
  observation: Observation | undefined
): Effect.Effect<A | typeof again, E | P, R> =>
  Effect.uninterruptibleMask((restore): Effect.Effect<A | typeof again, E | P, R> => {
    if (core.closed) return Effect.interrupt
    if (parent !== undefined && parent.state !== "open") return Effect.succeed(again)
    const transaction = new Transaction(core, operation, context, outer, parent)
    if (!transaction.workable) return Effect.succeed(again)
    lock.holder = transaction
    transaction.observation = observation
    observation?.begun(parent !== undefined)
    const group = [transaction]
    const ending: Ending<A> = { operation, later }
    const body = attempt((): Effect.Effect<A, E | P, R> =>
      operation.step !== undefined && transaction.hooks.length === 0
        ? step(transaction, (one) => operation.step!(one))
        : operation.body(transaction)
    )
    // it had nothing to wait for: it is all done, and nobody needs to find the transaction in the context
    // an effect that is an exit is one of what the effect answers and fails with
    if (Exit.isExit(body)) return end(group, body as Exit.Exit<A, E | P>, ending)
    return Effect.flatMap(
      Effect.exit(restore(Effect.provideService(body, CurrentTransaction, transaction))),
      (exit) => end(group, exit, ending)
    )
  })

/**
 * Runs an effect as one transaction of several registries, which are published together. In transactions of all of them
 * it is nested in those.
 *
 * @internal
 */
export const runAll = <P, A, E, R>(
  cores: ReadonlyArray<Core<any, P, any>>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | P, R> =>
  Effect.withFiber((fiber) => {
    const ordered = inOrder(cores)
    const observations = ordered.map(({ observer }) => observer?.called(transactAll, fiber))
    const result = Effect.onExitPrimitive(runAllOn(ordered, effect, observations), (exit) => {
      for (const observation of observations) observation?.ended(exit)
      return undefined
    })
    return Spans.isTraced(fiber) && ordered.some(({ hooks }) => hooks.length > 0)
      ? Spans.within({ registry: jointName(ordered), operation: transactAll.name }, result)
      : result
  })

/** Whoever takes locks in the same order never waits in a circle. */
const inOrder = <P>(cores: Iterable<Core<any, P, any>>): ReadonlyArray<Core<any, P, any>> =>
  Array.from(new Set(cores)).toSorted((one, other) => one.serial - other.serial)

const runAllOn = <P, A, E, R>(
  ordered: ReadonlyArray<Core<any, P, any>>,
  effect: Effect.Effect<A, E, R>,
  observations: ReadonlyArray<Observation | undefined>
): Effect.Effect<A, E | P, R> =>
  Effect.withFiber((fiber) => {
    const outer = innermost(fiber.context)
    const parents = ordered.flatMap((core) => openIn(outer, core) ?? [])
    if (ordered.length === 0 || parents.some(({ state }) => state === "undoing")) return effect
    if (parents.length > 0 && parents.length < ordered.length) {
      return Effect.die(
        new Error(
          `transactAll of ${names(ordered)} is in transactions of ${names(parents)} alone: it could not publish all ` +
            "together. Begin it outside, or with all of them around it."
        )
      )
    }
    const populatingFirst = Effect.flatMap(
      Effect.forEach(ordered, ({ populate }) => populate, { discard: true }),
      () => runAllOn(ordered, effect, observations)
    )
    // what is Pending is populated without any lock: its population may need what this would hold
    const arePending = () =>
      parents.length === 0 && ordered.some(({ published }) => !Ref.getUnsafe(published).populated)
    const worded: Worded = { name: jointName(ordered), names: ordered.map(nameOf), messages: {} }
    const party = new Party(worded, transactAll.name, outer)
    const later: Later = { effect: undefined }
    const locked = ordered.reduceRight(
      (inner, core, index) => {
        const { lock } = parents[index] ?? core
        const next = Effect.suspend(() => arePending() ? Effect.succeed<typeof again>(again) : inner)
        return withPermit(party, lock, held(party, lock, next))
      },
      beginAll(ordered, effect, fiber.context, party, parents, later, observations)
    )
    const ended = Effect.onExitPrimitive(locked, () => {
      party.state = "closed"
      return later.effect
    })
    return Effect.flatMap(ended, (exit) => exit === again ? populatingFirst : Effect.succeed(exit))
  })

const transactAll: Named = { name: "transactAll" }

type Defined = { readonly definition: Worded }

const nameOf = ({ definition }: Defined): string => definition.name

const jointName = (list: ReadonlyArray<Defined>): string => list.map(nameOf).join(" and ")

const names = (list: ReadonlyArray<Defined>): string => list.map((one) => `"${nameOf(one)}"`).join(", ")

/** What waits for a lock that was taken, before a transaction holds it or without one, waits for a party. */
const held = <A, E, R>(party: Party, lock: Lock, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.onExitPrimitive(
    Effect.suspend(() => {
      lock.holder = party
      return effect
    }),
    () => {
      lock.holder = undefined
      return undefined
    }
  )

/** With all permits: begins in one step with all of them, as `begin` does with one. */
const beginAll = <P, A, E, R>(
  cores: ReadonlyArray<Core<any, P, any>>,
  effect: Effect.Effect<A, E, R>,
  context: Context.Context<never>,
  party: Party,
  parents: ReadonlyArray<Transaction<any>>,
  later: Later,
  observations: ReadonlyArray<Observation | undefined>
): Effect.Effect<A | typeof again, E, R> =>
  Effect.uninterruptibleMask((restore): Effect.Effect<A | typeof again, E, R> => {
    if (cores.some(({ closed }) => closed)) return Effect.interrupt
    if (parents.some(({ state }) => state !== "open")) return Effect.succeed(again)
    const group: Array<Transaction<any>> = []
    for (const core of cores) {
      group.push(new Transaction(core, transactAll, context, group.at(-1) ?? party, parents[group.length]))
    }
    if (!group.every(({ workable }) => workable)) return Effect.succeed(again)
    group.forEach((transaction, index) => {
      ;(transaction.parent ?? transaction.core).lock.holder = transaction
      transaction.observation = observations[index]
      transaction.observation?.begun(transaction.parent !== undefined)
    })
    return Effect.flatMap(
      Effect.exit(restore(Effect.provideService(effect, CurrentTransaction, group.at(-1)))),
      (exit) => end(group, exit, { operation: {}, later })
    )
  })

const attempt = <A, E, R>(evaluate: () => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  try {
    return evaluate()
  } catch (defect) {
    return Exit.die(defect)
  }
}

/**
 * A step of the body of a transaction on its draft, taken where it is called. It waits for the nested transaction in
 * flight, which would overwrite what it does, and works on contents that are `Ready`.
 *
 * @internal
 */
export const step = <Item, P, V, A, E>(
  transaction: Transaction<Item, P, V>,
  f: (transaction: Transaction<Item, P, V>) => Exit.Exit<A, E>
): Effect.Effect<A, E | P> => {
  if (!transaction.workable) return Effect.flatMap(transaction.core.populate, () => step(transaction, f))
  if (!transaction.busy) return f(transaction)
  const turn = Effect.sync(() => transaction.workable ? f(transaction) : undefined)
  // whoever was in flight may have reset the registry: then it starts over, without the permit
  return Effect.flatMap(withPermit(transaction, transaction.lock, turn), (exit) => exit ?? step(transaction, f))
}

/**
 * A step that takes several turns, in which others run: nested transactions wait until it has ended.
 *
 * @internal
 */
export const longStep = <Item, P, V, A, E>(
  transaction: Transaction<Item, P, V>,
  f: (transaction: Transaction<Item, P, V>) => Effect.Effect<A, E>
): Effect.Effect<A, E | P> => {
  const { core, definition, doing, lock } = transaction
  const turns = Effect.suspend((): Effect.Effect<A | typeof again, E> =>
    transaction.workable ? f(transaction) : Effect.succeed(again)
  )
  return Effect.flatMap(
    withPermit(transaction, lock, held(new Party(definition, doing, transaction), lock, turns)),
    (result) =>
      result === again ? Effect.flatMap(core.populate, () => longStep(transaction, f)) : Effect.succeed(result)
  )
}

// ---------------------------------------------------------------------------------------------------------------------
// Ending
// ---------------------------------------------------------------------------------------------------------------------

interface Ending<A> {
  readonly operation: Pick<Operation<any, any, any, A, any>, "committed" | "failed">
  readonly later: Later
}

/** Transactions that end together, each of another registry. The last one is innermost. */
type Group = ReadonlyArray<Transaction<any>>

/** Ends transactions whose body has ended, as soon as the nested ones in flight have. */
const end = <A, E>(group: Group, exit: Exit.Exit<A, E>, ending: Ending<A>): Effect.Effect<A, E> => {
  const busy = group.find((transaction) => transaction.busy)
  if (busy === undefined) return endNow(group, exit, ending)
  // the end itself comes when the permit has been given back: what waits for it finds the transaction ended
  return Effect.flatten(withPermit(busy, busy.lock, Effect.sync(() => end(group, exit, ending))))
}

/** Decides how they end, in one step. */
const endNow = <A, E>(group: Group, exit: Exit.Exit<A, E>, ending: Ending<A>): Effect.Effect<A, E> => {
  if (Exit.isFailure(exit)) return undo(group, exit.cause, ending)
  if (group.some(({ core }) => core.closed)) return undo(group, Cause.interrupt(), ending)
  let after = ending.operation.committed?.(exit.value)
  for (const transaction of group) {
    const emptied = commit(transaction, false)
    if (emptied !== undefined) after = after === undefined ? emptied : Effect.ensuring(after, emptied)
  }
  ending.later.effect = after
  group.forEach(close)
  return exit
}

/** Lets others begin, in the step that ends it. */
const close = (transaction: Transaction<any>): void => {
  const { lock } = transaction.parent ?? transaction.core
  transaction.close()
  lock.holder = undefined
  transaction.observation?.released()
}

/** Ends a transaction that succeeded: in the draft of its parent, or for all to see. Answers what is left to do. */
const commit = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  unseen: boolean
): Effect.Effect<void> | undefined => {
  const { parent } = transaction
  if (parent === undefined) return publish(transaction, unseen)
  parent.draft = transaction.draft
  parent.populationScope = transaction.populationScope
  parent.scopes = both(parent.scopes, transaction.scopes)
  pushAll(parent.steps, transaction.steps)
  pushAll(parent.calls, transaction.calls)
  parent.regardless = both(parent.regardless, transaction.regardless)
  return undefined
}

const pushAll = <A>(target: Array<A>, source: ReadonlyArray<A>): void => {
  for (let i = 0; i < source.length; i++) target.push(source[i]!)
}

const both = <A>(one: ReadonlyArray<A>, other: ReadonlyArray<A>): ReadonlyArray<A> =>
  other.length === 0 ? one : one.concat(other)

/** Where contents become visible to others: the one place, and one synchronous step. */
const publish = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  unseen: boolean
): Effect.Effect<void> | undefined => {
  const { base, core, draft, populationScope, scopes, steps } = transaction
  if (draft === base) return undefined
  const revision = base.revision + 1
  // nobody has seen a draft that was made in this very step: it need not be copied
  if (unseen) draft.revision = revision
  MutableRef.set(core.published.ref, unseen ? draft : Contents.withRevision(draft, revision))
  core.changes.push(new Change(revision, steps))
  // to move all of them for each that goes would take longer than most of the rest
  const more = core.changes.length - core.history
  if (more > core.history >>> 2) core.changes.splice(0, more)
  core.watchers.wakeLater()
  core.observer?.changed()

  const emptied = scopes.filter((scope) => scope !== populationScope)
  if (core.populationScope !== undefined && core.populationScope !== populationScope) emptied.push(core.populationScope)
  core.populationScope = populationScope
  if (emptied.length === 0) return undefined
  // the operation has succeeded, whatever becomes of what it let go of
  return Effect.flatMap(
    collect(emptied, (scope) => Scope.close(scope, Exit.void)),
    (cause) =>
      cause.reasons.length === 0
        ? Effect.void
        : Effect.ignoreCause(
          Effect.logError(`Releasing what a population of "${core.definition.name}" had acquired failed`, cause)
        )
  )
}

/** @internal */
export const failIfAny = (cause: Cause.Cause<never>): Effect.Effect<void> =>
  cause.reasons.length === 0 ? Effect.void : Effect.failCause(cause)

/**
 * Ends transactions that failed. Who is still in one sees from now on what it found when it began, and changes nothing.
 * The completed calls of its hooks are played back, and what its populations acquired is released.
 */
const undo = <E>(group: Group, cause: Cause.Cause<E>, { later, operation }: Ending<any>): Effect.Effect<never, E> => {
  for (const transaction of group) {
    transaction.state = "undoing"
    transaction.draft = transaction.base
  }
  operation.failed?.()
  const undoing = Effect.zipWith(
    Hooks.undo(group.length === 1 ? group[0]!.calls : group.flatMap(({ calls }) => calls).toSorted(bySerial)),
    collect(group.flatMap(({ scopes }) => scopes), (scope) => Scope.close(scope, Exit.failCause(cause))),
    (hooks, scopes) => Cause.combine(hooks, scopes)
  )
  return Effect.flatMap(Effect.provideService(undoing, CurrentTransaction, group.at(-1)), (defects) => {
    // what was Pending was empty: nothing that a scope took out comes back
    const regardless = group.flatMap((transaction) =>
      transaction.parent === undefined && !transaction.base.populated ? [] : transaction.regardless
    )
    if (regardless.length > 0) later.effect = Effect.flatMap(collect(regardless, (effect) => effect), failIfAny)
    group.forEach(close)
    return Effect.failCause(Cause.combine(cause, defects))
  })
}

const bySerial = (one: Hooks.Call<any>, other: Hooks.Call<any>): number => one.serial - other.serial

/**
 * Ends a registry: it publishes nothing any more and answers nobody. Whoever waits for it is interrupted; who waits in a
 * transaction of it, when its turn comes. No hook is called and no lock is taken.
 *
 * @internal
 */
export const closeRegistry = <Item, P, V>(core: Core<Item, P, V>): Effect.Effect<void> =>
  Effect.suspend(() => {
    core.closed = true
    core.population.fiber?.interruptUnsafe()
    core.hooks = []
    core.changes.length = 0
    MutableRef.set(core.published.ref, core.nothing)
    core.watchers.wakeLater()
    // whoever waits for the lock gets it now, and finds the registry closed
    return core.lock.semaphore.resize(Number.POSITIVE_INFINITY)
  })
