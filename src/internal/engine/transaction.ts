/**
 * The one idea: an operation is a transaction, and the transaction is in the fiber's context.
 *
 * A transaction works on a private draft of the contents. `publish`, which ends an outermost one, is the only place
 * where an item becomes visible to others; a nested one ends in the draft of its parent. One transaction at a time changes
 * a draft: the holder of its lock, which is the registry's for the published contents, and the parent's for a draft.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { Contents } from "../store/contents.ts"
import { forget } from "../store/update.ts"
import { show } from "../store/wording.ts"
import * as Acquiring from "./acquiring.ts"
import { Change, Inserted } from "./change.ts"
import { contentsOf, type Core, type Observation, type Operation, Transaction } from "./core.ts"
import { CurrentTransaction, innermost } from "./current.ts"
import * as Hooks from "./hooks.ts"
import { servicesOf } from "./parts.ts"
import { openIn } from "./read.ts"
import { now } from "./refusals.ts"
import { collect, type Restore, sequence, unchanged } from "./sequence.ts"
import { mayBeSync, unlessSync, useAfterEnd, type WaitNode } from "./waiting.ts"

/** Runs an operation as a transaction: nested in the one of its registry that the fiber is in, or an outermost one. */
export const run = <Item, P, V, A, E, R>(
  core: Core<Item, P, V>,
  operation: Operation<Item, P, V, A, E, R>
): Effect.Effect<A, E | P, R> =>
  Effect.withFiber((fiber) => {
    const { about: item, kind, name, value } = operation
    const observation = core.observer?.called(operation, fiber)
    const running = observation === undefined
      ? runOn(fiber, core, operation, observation)
      : Effect.onExitPrimitive(Effect.suspend(() => runOn(fiber, core, operation, observation)), (exit) => {
        observation.ended(exit)
        return undefined
      })
    // an operation without hooks is over in a moment: it has no span
    return core.tracing.isTraced(fiber) && (core.hooks.length > 0 || kind === "population")
      ? core.tracing.within({ registry: core.definition, operation: name, item, value }, running)
      : running
  })

const runOn = <Item, P, V, A, E, R>(
  fiber: Fiber.Fiber<unknown, unknown>,
  core: Core<Item, P, V>,
  operation: Operation<Item, P, V, A, E, R>,
  observation: Observation | undefined
): Effect.Effect<A, E | P, R> => {
  const outer = innermost(fiber.context)
  const parent = openIn(outer, core)
  if (parent?.state === "undoing" || parent?.kind === "remote") return operation.undone(parent)
  const instead = parent === undefined ? operation.instead?.(outer) : undefined
  if (instead !== undefined) return instead
  return parent === undefined && core.shared !== undefined && operation.kind !== "remote"
    ? core.shared.around(
      operation,
      Effect.withFiber((again) => beginOn(again, core, operation, observation, outer, parent))
    )
    : beginOn(fiber, core, operation, observation, outer, parent)
}

const beginOn = <Item, P, V, A, E, R>(
  fiber: Fiber.Fiber<unknown, unknown>,
  core: Core<Item, P, V>,
  operation: Operation<Item, P, V, A, E, R>,
  observation: Observation | undefined,
  outer: WaitNode | undefined,
  parent: Transaction<Item, P, V> | undefined
): Effect.Effect<A, E | P, R> => {
  const transaction = new Transaction(core, operation, fiber, outer, parent, observation)
  const atOnce = inOneStep(transaction, operation)
  if (atOnce !== undefined) return atOnce
  if (parent === undefined && core.closed) return useAfterEnd(core.definition)
  // it waits for the population, not for its lock: as long as somebody does, the population goes on
  if (parent === undefined && !transaction.canRun) return retry(transaction, operation)
  return Effect.uninterruptibleMask((restore) => {
    const taken = transaction.outerLock.take(outer, transaction, restore)
    const beginning = () => begin(transaction, operation, restore)
    return Exit.isExit(taken) ? beginning() : Effect.flatMap(taken, beginning)
  })
}

/**
 * Does all of it at once, or nothing. Nobody has begun to work on these contents and no hook is called: looking at them,
 * changing them and publishing is all in this one step, so it needs neither the lock nor a place in the context.
 */
const inOneStep = <Item, P, V, A, E>(
  transaction: Transaction<Item, P, V>,
  { committed, step: atOnce }: Operation<Item, P, V, A, E, any>
): Exit.Exit<A, E> | undefined => {
  const { base, canRun, core, hooks, observation, outerLock, parent } = transaction
  if (
    atOnce === undefined || committed !== undefined || hooks.length > 0 || outerLock.holder !== undefined ||
    core.closed || core.beforePublish !== undefined || core.shared !== undefined || core.ended !== undefined || !canRun
  ) return undefined
  observation?.begun(parent !== undefined)
  const exit = atOnce(transaction)
  // a selector can run an effect by itself: its changes, done or in flight, must not be lost
  if (exit === undefined || outerLock.holder !== undefined || base !== (parent?.draft ?? contentsOf(core))) {
    observation?.gaveUp()
    return undefined
  }
  if (Exit.isSuccess(exit)) commit(transaction)
  observation?.released()
  return exit
}

/** The world changed while it waited: its parent has ended, or the registry was reset. It starts over. */
const retry = <Item, P, V, A, E, R>(
  { core, observation, parent, populatesFirst }: Transaction<Item, P, V>,
  operation: Operation<Item, P, V, A, E, R>
): Effect.Effect<A, E | P, R> => {
  const anew = Effect.withFiber<A, E | P, R>((fiber) =>
    parent === undefined
      ? beginOn(fiber, core, operation, observation, innermost(fiber.context), parent)
      : runOn(fiber, core, operation, observation)
  )
  return populatesFirst ? Effect.flatMap(core.populate, () => anew) : anew
}

/** With the lock: looks, and begins, in one step; runs the body; ends. Only what the body restores can be interrupted. */
const begin = <Item, P, V, A, E, R>(
  transaction: Transaction<Item, P, V>,
  operation: Operation<Item, P, V, A, E, R>,
  restore: Restore
): Effect.Effect<A, E | P, R> => {
  const { core, outerLock, parent } = transaction
  transaction.look()
  if (core.closed || parent !== undefined && parent.state !== "open" || !transaction.canRun) {
    outerLock.release()
    return core.closed ? Effect.interrupt : restore(retry(transaction, operation))
  }
  hold(transaction, restore)
  const body = attempt(() =>
    (transaction.hooks.length > 0 ? undefined : operation.step?.(transaction)) ?? operation.body(transaction)
  )
  const ending = (exit: Exit.Exit<A, E | P>) => {
    transaction.bodyServices = undefined
    return end([transaction], exit, operation, restore)
  }
  // it had nothing to wait for: it is all done, and nobody needs to find the transaction in the context
  // an effect that is an exit is an exit of its own success and failure types
  if (Exit.isExit(body)) return ending(body as Exit.Exit<A, E | P>)
  const { waiter } = transaction
  const running = inContext(transaction, operation, body)
  // the effect of a `transact` is not up to the registry
  const waited = operation.runsHooks === true && waiter !== undefined && mayBeSync(waiter)
    ? unlessSync(waiter, core.definition, () => "a hook", Effect.uninterruptible(running))
    : running
  return Effect.matchCauseEffect(waited, {
    onFailure: (cause) => ending(Exit.failCause(cause)),
    onSuccess: (value) => ending(Exit.succeed(value))
  })
}

/** A transaction holds the lock that was taken for it. */
export const hold = (transaction: Transaction<any>, restore: Restore): void => {
  transaction.outerLock.holder = transaction
  transaction.restore = restore
  transaction.observation?.begun(transaction.parent !== undefined)
}

/** A body finds its transaction in its context. One that runs nothing but hooks has the services of the first. */
const inContext = <Item, P, V, A, E, R>(
  transaction: Transaction<Item, P, V>,
  { runsHooks }: Operation<Item, P, V, A, E, R>,
  body: Effect.Effect<A, E | P, R>
): Effect.Effect<A, E | P, R> => {
  const { core, fiber, hooks: [part] } = transaction
  if (runsHooks !== true || part === undefined || core.tracing.isTraced(fiber!)) {
    return Effect.provideService(body, CurrentTransaction, transaction)
  }
  // it needs no services but those
  transaction.bodyServices = servicesOf(part, fiber!.cache.scheduler)
  return Effect.setContext(body, transaction.contextWith(transaction.bodyServices))
}

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
 */
export const step = <Item, P, V, A, E>(
  transaction: Transaction<Item, P, V>,
  f: (transaction: Transaction<Item, P, V>) => Exit.Exit<A, E>
): Effect.Effect<A, E | P> => transaction.canRun && !transaction.busy ? f(transaction) : longStep(transaction, f)

/** A step that may take several turns, in which others run: nested transactions wait until it has ended. */
export const longStep = <Item, P, V, A, E>(
  transaction: Transaction<Item, P, V>,
  f: (transaction: Transaction<Item, P, V>) => Effect.Effect<A, E>
): Effect.Effect<A, E | P> => {
  const { core, lock, restore } = transaction
  const turns = Effect.suspend((): Effect.Effect<Exit.Exit<A, E> | undefined> =>
    transaction.canRun ? Effect.exit(f(transaction)) : Effect.undefined
  )
  return Effect.flatMap(
    restore(lock.hold(transaction, turns)),
    // the transaction in flight may have reset the registry: then it starts over, without the lock
    (exit) => exit ?? Effect.flatMap(restore(core.populate), () => longStep(transaction, f))
  )
}

type Ending<A> = Pick<Operation<any, any, any, A, any, any>, "committed" | "failed">

/** Transactions that end together, each of another registry. The last one is innermost. */
type Group = ReadonlyArray<Transaction<any>>

/** Ends transactions whose body has ended, as soon as the nested ones in flight have. */
export const end = <A, E>(
  group: Group,
  exit: Exit.Exit<A, E>,
  ending: Ending<A>,
  restore: Restore
): Effect.Effect<A, E> => {
  const busy = group.find((transaction) => transaction.busy)
  if (busy !== undefined) return endAfter(busy, group, exit, ending, restore)
  if (Exit.isFailure(exit)) return undo(group, exit.cause, ending)
  if (group.some(({ core }) => core.closed)) return undo(group, Cause.interrupt(), ending)
  const last = lastWord(group, restore)
  const writing = last === undefined ? group.find(isDue) : undefined
  if (writing !== undefined) return appended(writing, group, exit, ending)
  return last === undefined
    ? commitOrUndo(group, exit, ending)
    : Effect.matchCauseEffect(Effect.provideService(last, CurrentTransaction, group.at(-1)), {
      // its error is in the type of a transaction whose registry has such a last word
      onFailure: (cause) => end(group, Exit.failCause(cause as Cause.Cause<E>), ending, restore),
      onSuccess: () => end(group, exit, ending, restore)
    })
}

/**
 * Waits for a nested transaction in flight. In transactions that are interrupted it is interrupted first: a hook of it may
 * never end by itself.
 */
const endAfter = <A, E>(
  { lock }: Transaction<any>,
  group: Group,
  exit: Exit.Exit<A, E>,
  ending: Ending<A>,
  restore: Restore
): Effect.Effect<A, E> => {
  let ended: Effect.Effect<A, E> | undefined
  // in the step that has the lock, so that other waiters find the transaction ended
  const waiting = lock.hold(
    group.at(-1)!,
    Effect.sync(() => {
      lock.release()
      ended = end(group, exit, ending, restore)
    })
  )
  const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
  if (Cause.hasInterrupts(cause)) {
    for (const transaction of group) transaction.state = "undoing"
    lock.holder?.fiber?.interruptUnsafe()
    return Effect.flatMap(waiting, () => ended!)
  }
  return Effect.matchCauseEffect(restore(waiting), {
    onFailure: (more) => ended ?? end(group, Exit.failCause(Cause.combine(cause, more)), ending, restore),
    onSuccess: () => ended!
  })
}

/** What is left to be said before outermost transactions are published: hooks are settled, then each may be refused. */
export const lastWord = (group: Group, restore: Restore): Effect.Effect<void, unknown> | undefined => {
  const one = group.find((transaction) => transaction.parent === undefined && Hooks.isUnsettled(transaction))
  if (one !== undefined) return Hooks.settle(one)
  const unsaid = group.find(({ approved, base, core, draft, parent }) =>
    parent === undefined && core.beforePublish !== undefined && draft !== base && draft !== approved
  )
  if (unsaid === undefined) return undefined
  const { draft } = unsaid
  const word = restore(Effect.suspend(() => unsaid.core.beforePublish!(unsaid)))
  const approved = () =>
    Effect.sync(() => {
      unsaid.approved = draft
    })
  return unsaid.irrevocable ? Hooks.surviving(unsaid, Effect.orDie(word), approved) : Effect.flatMap(word, approved)
}

const isDue = (transaction: Transaction<any>): boolean =>
  transaction.parent === undefined && transaction.core.shared?.isDue(transaction) === true

/**
 * Writes one of some transactions into its log, and then ends them, in one step with the answer of the log. Meanwhile they
 * are sealed: what fibers in them would change waits, and finds them closed.
 */
const appended = <A, E>(
  writing: Transaction<any>,
  group: Group,
  exit: Exit.Success<A, E>,
  ending: Ending<A>
): Effect.Effect<A, E> => {
  let ended: Effect.Effect<A, E> | undefined
  const appending = Effect.matchCause(Effect.suspend(() => writing.core.shared!.append(writing)), {
    // its error is in the type of a transaction of a shared registry
    onFailure: (cause) => {
      ended = undo(group, cause as Cause.Cause<E>, ending)
    },
    onSuccess: () => {
      ended = group.some(({ core }) => core.closed)
        ? undo(group, Cause.interrupt(), ending)
        : commitOrUndo(group, exit, ending)
    }
  })
  const sealed = group.reduce<Effect.Effect<void>>(
    (inner, transaction) => transaction.lock.hold(transaction, inner),
    appending
  )
  return Effect.flatMap(Effect.uninterruptible(sealed), () => ended!)
}

const commitOrUndo = <A, E>(group: Group, exit: Exit.Success<A, E>, ending: Ending<A>): Effect.Effect<A, E> => {
  let after = ending.committed?.(exit.value)
  try {
    for (const transaction of group) {
      const emptied = commit(transaction)
      // what was acquired for items may need what their population acquired: that goes last
      for (const next of [released(transaction, true), emptied]) {
        if (next !== undefined) after = after === undefined ? next : Effect.ensuring(after, next)
      }
    }
  } catch (defect) {
    // a test may watch what is published, and throw
    return undo(group, Cause.die(defect), ending)
  }
  group.forEach(close)
  return after === undefined ? exit : Effect.flatMap(after, () => exit)
}

const released = (transaction: Transaction<any>, published: boolean): Effect.Effect<void> | undefined =>
  transaction.parent === undefined ? Acquiring.settle(transaction, published) : undefined

/** Lets others begin, in the step that ends it. */
const close = (transaction: Transaction<any>): void => {
  transaction.close()
  transaction.outerLock.release()
  transaction.observation?.released()
}

/** Ends a transaction that succeeded: in the draft of its parent, or for all to see. Answers what is left to do. */
const commit = <Item, P, V>(transaction: Transaction<Item, P, V>): Effect.Effect<void> | undefined => {
  const { parent } = transaction
  if (parent === undefined) return publish(transaction)
  parent.draft = transaction.draft
  parent.populationScope = transaction.populationScope
  parent.scopes = parent.scopes.concat(transaction.scopes)
  for (const one of transaction.steps) parent.steps.push(one)
  parent.redoAfterRollback = parent.redoAfterRollback.concat(transaction.redoAfterRollback)
  Acquiring.handOver(transaction)
  return undefined
}

/** Where contents become visible to others: the one place, and one synchronous step. */
export const publish = <Item, P, V>(transaction: Transaction<Item, P, V>): Effect.Effect<void> | undefined => {
  const { base, core, draft, populationScope, scopes, seen, steps } = transaction
  if (draft === base) return undefined
  // what nobody can see is no change, but each record of a log is one
  const changed = steps.length > 0 || core.shared !== undefined
  const written = core.shared?.publishing(transaction)
  const revision = written?.revision ?? (changed ? base.revision + 1 : base.revision)
  // a snapshot of the draft keeps its revision; a draft that nobody has seen need not be copied
  const contents = seen ? new Contents(draft) : draft
  contents.revision = revision
  core.published.ref.current = contents
  if (changed) {
    core.changes.push(new Change(contents, steps, now(transaction.fiber!)))
    core.watchers?.wakeLater()
    // to move all of them for each that goes would take longer than most of the rest
    const more = core.changes.length - core.history
    if (more > core.history >>> 2) core.changes.splice(0, more)
    if (written?.jumps === true) core.changes.length = 0
    core.observer?.changed()
  }

  const emptied = scopes.filter((scope) => scope !== populationScope)
  if (core.populationScope !== undefined && core.populationScope !== populationScope) emptied.push(core.populationScope)
  core.populationScope = populationScope
  const ended = core.ended?.(emptied, contents) ?? emptied
  if (ended.length === 0) return undefined
  // the operation has committed: a release that fails is logged, not raised
  return Effect.flatMap(
    collect(ended, (scope) => Scope.close(scope, Exit.void)),
    (cause) =>
      cause.reasons.length === 0
        ? Effect.void
        : Effect.ignoreCause(
          Effect.logError(`Releasing what a population of ${show(core.definition.name)} had acquired failed`, cause)
        )
  )
}

export const failIfAny = (cause: Cause.Cause<never>): Effect.Effect<void> =>
  cause.reasons.length === 0 ? Effect.void : Effect.failCause(cause)

/**
 * Rolls back transactions that failed. From now on a fiber in one of them sees the contents that it began with, and
 * changes nothing. The completed calls of hooks are played back, and the scopes of populations are closed.
 */
const undo = <E>(group: Group, cause: Cause.Cause<E>, ending: Ending<any>): Effect.Effect<never, E> => {
  for (const transaction of group) {
    transaction.state = "undoing"
    // what is around it may catch the failure, and so know more than what it changes
    transaction.outermost.looked = true
    transaction.draft = transaction.base
    transaction.restore = unchanged
  }
  ending.failed?.()
  const scopes = group.flatMap((transaction) => transaction.scopes)
  const releasing = () => group.flatMap((transaction) => released(transaction, false) ?? [])
  const undoing = Effect.flatMap(Hooks.undo(group), (hooks) => {
    // where a population goes with it, before what that acquired; else when others can have the lock
    const closing = collect(
      [...scopes.length === 0 ? [] : releasing(), ...scopes.map((scope) => Scope.close(scope, Exit.failCause(cause)))],
      (effect) => effect
    )
    return Effect.map(closing, (defects) => Cause.combine(hooks, defects))
  })
  const undone = Effect.provideService(undoing, CurrentTransaction, group.at(-1))
  return Effect.flatMap(undone, (defects) =>
    Effect.flatMap(forgetAll(group), () => {
      // what a scope removed has come back, unless a Pending registry was empty
      const redo = group.flatMap(({ base, parent, redoAfterRollback }) =>
        parent === undefined && !base.populated && base.waiting === undefined && base.withheld === undefined
          ? []
          : redoAfterRollback
      )
      const releases = releasing()
      group.forEach(close)
      return Effect.flatMap(collect(redo.concat(releases), (effect) => effect), (more) =>
        Effect.failCause(Cause.combine(Cause.combine(cause, defects), more)))
    }))
}

/** Lists that went in share the indexes of before. Nobody has seen a draft that was given up, unless by a snapshot. */
const forgetAll = (group: Group): Effect.Effect<void> => {
  const entries = group.flatMap(({ base, seen, steps }) =>
    seen
      ? []
      : steps.flatMap((one) =>
        one instanceof Inserted && one.entries.length > 1 ? one.entries.map((entry) => [base, entry] as const) : []
      )
  )
  return sequence(entries, ([base, entry]) => forget(base, entry))
}

/**
 * Ends a registry: it publishes nothing any more and answers nobody. A fiber that waits for it is interrupted; one that
 * waits in a transaction of it, when its turn comes. No hook is called and no lock is taken.
 */
export const closeRegistry = <Item, P, V>(core: Core<Item, P, V>): Effect.Effect<void> =>
  Effect.sync(() => {
    core.closed = true
    core.population.fiber?.interruptUnsafe()
    core.hooks = []
    core.changes.length = 0
    core.published.ref.current = core.nothing
    core.watchers?.wakeLater()
    core.observer?.changed()
    core.lock.end()
  })
