/**
 * Population: runs once, is shared by all its waiters, is rolled back if it fails, and is tried again at the next use.
 *
 * The run is memoized for as long as it runs, and not a moment longer: the memory that a registry is populated is what
 * is published. So there is nothing to invalidate that a reset or an interruption could forget.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scheduler from "effect/Scheduler"
import { isError, messageOf, show } from "../store/wording.ts"
import { contentsOf, type Core, type Operation, type Transaction } from "./core.ts"
import { CurrentTransaction, innermost, within } from "./current.ts"
import { current } from "./read.ts"
import { run } from "./transaction.ts"
import { unlessSync, useAfterEnd, waitFor, WaitNode } from "./waiting.ts"

/** A run of a population, with the services of the registry. */
export type Populating<E> = Effect.Effect<void, E, any>

/**
 * Makes the effect that populates a registry, or waits for a run that does, until the contents of the fiber are `Ready`. In
 * a part of a population or a reset it does nothing. `first` wraps a run that is not part of a transaction.
 */
export const make = <Item, P, V, Failed>(
  core: Core<Item, P, V>,
  populate: Operation<Item, never, V, void, Failed, any>,
  first: (populating: Populating<Failed>) => Populating<Failed> = (populating) => populating
): Effect.Effect<Effect.Effect<void, Failed>> => {
  // a population has no other population to wait for, so its own transaction has only the errors of its body
  const populating = run(core as Core<Item, never, V>, populate)
  const running = first(populating)

  /** It has nothing of the fiber that asks for it: no service, no transaction. */
  const outermost = Effect.suspend(() => {
    const self = new WaitNode(core.definition, "populate", undefined)
    const populated = Effect.provideService(running, CurrentTransaction, self)
    return Effect.onExitPrimitive(
      // it begins in the step of the fiber that asks for it, and where its end is sure to come
      Effect.withFiber<void, Failed>((fiber) => {
        core.population.begin(self, fiber)
        return Effect.setContext(
          remembered(core, Effect.catchCause(populated, interruptedInside(core))),
          // on the scheduler of the caller: the builder may have used that of `Effect.runSync`, which lets nobody else run
          Context.add(core.context, Scheduler.Scheduler, fiber.cache.scheduler)
        )
      }),
      () => {
        core.population.end(self)
        steady = undefined
        return undefined
      }
    )
  })

  let steady: readonly [of: Context.Context<never>, Context.Context<never>] | undefined

  /** The context with `PreventSchedulerYield` set. One is kept, because fibers that ask at once usually share it. */
  const withoutYields = (context: Context.Context<never>): Context.Context<never> => {
    if (steady?.[0] !== context) steady = [context, Context.add(context, Scheduler.PreventSchedulerYield, true)]
    return steady[1]
  }

  /** In a transaction of the registry, after a reset there: with the services of the registry, in that transaction. */
  const nested = Effect.updateContext(
    notInterruptedInside(core, populating),
    (caller: Context.Context<never>) => within(innermost(caller), core.context, caller)
  )

  return Effect.map(
    // With no time to live a result is not kept; below zero it is not even while a clock stands still or goes back.
    Effect.cachedWithTTL(outermost, -Infinity),
    (shared) => {
      const untilReadyOr = (ended: Effect.Effect<never>): Effect.Effect<void, Failed> =>
        Effect.withFiber((fiber) => {
          const transaction = current(core, fiber.context)
          if (transaction !== undefined) {
            return transaction.ready || transaction.resetting || transaction.state === "undoing"
              ? Effect.void
              // an import fails with it, and that is remembered
              : Effect.flatMap(isUpkeep(transaction) ? nested : remembered(core, nested), () => waited)
          }
          if (contentsOf(core).populated) return Effect.void
          if (core.closed) return ended
          const node = innermost(fiber.context)
          if (node === undefined) {
            return unlessSync(fiber, core.definition, () => "its population", untracked, core.population)
          }
          // it joins a run, or begins it, in one step, so that it is known which run is waited for
          const joining = Effect.suspend(() => waitFor(node, core.population.wait(), shared))
          const joined = Effect.setContext(joining, withoutYields(fiber.context))
          return Effect.flatMap(
            unlessSync(fiber, core.definition, () => "its population", joined, core.population),
            () => waited
          )
        })
      // outside every transaction no deadlock is possible, so all fibers share one effect
      const joiningUntracked = Effect.updateContext(shared, (context: Context.Context<never>) => {
        core.population.waitUntracked()
        return withoutYields(context)
      })
      const untracked = Effect.flatMap(joiningUntracked, () => waited)
      // the end of the registry interrupts fibers that wait
      const waited = untilReadyOr(Effect.interrupt)
      return untilReadyOr(useAfterEnd(core.definition))
    }
  )
}

const isUpkeep = ({ kind }: Transaction<any>): boolean => kind === "upkeep" || kind === "import"

/** Why it failed is kept, and logged; that nobody waits for it any more is no failure. */
const remembered = <Item, P, V, A, E, R>(
  core: Core<Item, P, V>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.onExit(effect, (exit) => {
    if (Exit.isSuccess(exit)) {
      core.populationFailure = undefined
    } else if (!Cause.hasInterruptsOnly(exit.cause)) {
      core.populationFailure = exit.cause
      const { cause } = exit
      const warning = Effect.suspend(() => {
        const error = Cause.squash(cause)
        return Effect.logWarning(
          `The population of ${show(core.definition.name)} failed; the next use tries again.`,
          // Effect prints what is no error, an item for one, whole
          isError(error) && isError(error.cause ?? error) ? cause : messageOf(error)
        )
      })
      // an error keeps all that was on the stack, a list of defaults for one, until its stack is read
      return Effect.ignoreCause(Effect.andThen(warning, Effect.sync(() => Cause.prettyErrors(cause))))
    }
    return Effect.void
  })

export const interruptedInside =
  <Item, P, V>(core: Core<Item, P, V>) => <E>(cause: Cause.Cause<E>): Effect.Effect<never, E> =>
    // the waiters were not interrupted: to them this is a defect
    Cause.hasInterruptsOnly(cause) && !core.closed
      ? Effect.die(new Error(`The population of ${show(core.definition.name)} was interrupted from inside.`))
      : Effect.failCause(cause)

/** The same for one that runs on the fiber of its caller, whose own interruption is none from inside. */
export const notInterruptedInside = <Item, P, V, A, E, R>(
  core: Core<Item, P, V>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.catchCause(restore(effect), (cause) =>
      Effect.matchCauseEffect(restore(Effect.void), {
        onFailure: () => Effect.failCause(cause),
        onSuccess: () => interruptedInside(core)(cause)
      }))
  )
