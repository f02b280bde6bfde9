/** Running effects one after the other, where most have nothing to wait for. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/**
 * Runs `f` on one element after the other. Eager: it begins during the call, and answers an `Exit` if nothing suspends. It
 * pauses after every `maxPerStep` elements, so that others have a turn: `restore` lets it be interrupted there. What it
 * succeeds with means nothing. The list does not change meanwhile.
 */
export const sequence = <A, E, R>(
  list: ReadonlyArray<A>,
  f: (a: A) => Effect.Effect<unknown, E, R> | undefined | void,
  restore: Restore = unchanged
): Effect.Effect<unknown, E, R> => sequenceFrom(list, f, restore, 0)

/** How the effects of users, and waits, are run in an uninterruptible region. */
export type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** What restores nothing. */
export const unchanged: Restore = (effect) => effect

const sequenceFrom = <A, E, R>(
  list: ReadonlyArray<A>,
  f: (a: A) => Effect.Effect<unknown, E, R> | undefined | void,
  restore: Restore,
  from: number
): Effect.Effect<unknown, E, R> => {
  for (let i = from; i < list.length; i++) {
    if (i === from + maxPerStep) {
      return Effect.flatMap(restore(Effect.yieldNow), () => sequenceFrom(list, f, restore, i))
    }
    const effect = f(list[i]!)
    if (effect === undefined || hasSucceeded(effect)) continue
    // most lists have one element: nothing comes after it
    if (i === list.length - 1) return effect
    return Effect.flatMap(effect, () => sequenceFrom(list, f, restore, i + 1))
  }
  return Effect.void
}

/** Whether an effect need not be run: it has succeeded already, as `Effect.void` has. */
export const hasSucceeded = (effect: unknown): boolean => Exit.isExit(effect) && Exit.isSuccess(effect)

/** How many elements one synchronous step may handle, without a stall that others would notice. */
export const maxPerStep = 1_000

/** Runs `f` on one element after the other. One that dies does not stop the others: defects are collected. */
export const collect = <A>(
  list: ReadonlyArray<A>,
  f: (a: A) => Effect.Effect<unknown> | undefined
): Effect.Effect<Cause.Cause<never>> =>
  Effect.suspend(() => {
    let causes = Cause.empty
    const all = sequence(list, (a) =>
      Effect.matchCause(Effect.suspend(() => f(a) ?? Effect.void), {
        onFailure: (cause) => {
          causes = Cause.combine(causes, cause)
        },
        onSuccess: () => {}
      }))
    return Effect.mapEager(all, () => causes)
  })

/** Work that can pause to let other fibers run. */
export type Pausing<A> = Generator<void, A>

/** Work that is interrupted in a pause runs its `finally`, and no more. */
export const withPauses = <A, E>(work: Pausing<Exit.Exit<A, E>>): Effect.Effect<A, E> => {
  const turns: Effect.Effect<A, E> = Effect.suspend(() => {
    const { done, value } = work.next()
    return done === true ? value : Effect.andThen(Effect.yieldNow, turns)
  })
  return Effect.onExitPrimitive(turns, () => {
    work.return(Exit.interrupt())
    return undefined
  })
}

export const withoutPauses = <A>(work: Pausing<A>): A => {
  let result = work.next()
  while (result.done !== true) result = work.next()
  return result.value
}
