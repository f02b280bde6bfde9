/**
 * Waiting is known: a wait leads from all that the waiting fiber is in to whoever holds what it waits for, and one that
 * would close a circle dies at once.
 *
 * @internal
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as RegistryError from "../../RegistryError.ts"
import { failure } from "../store/definition.ts"
import type { Core, Lock, Party, Transaction, Wait } from "./core.ts"

/**
 * Runs an effect that waits for something on behalf of a party, and of all that it is in. Dies at once if they are
 * what is, over however many others, waited for: the wait would never end. `arrived` ends the wait before the effect.
 */
const waitFor = <A, E, R>(
  party: Party,
  wait: Wait,
  effect: (arrived: () => void) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const arrived = () => {
    for (let one: Party | undefined = party; one !== undefined; one = one.outer) one.waits?.delete(wait)
  }
  return Effect.onExitPrimitive(
    Effect.suspend(() => {
      const circle = findCircle(party, wait)
      if (circle !== undefined) return Effect.die(deadlock(party, circle))
      for (let one: Party | undefined = party; one !== undefined; one = one.outer) (one.waits ??= new Set()).add(wait)
      return effect(arrived)
    }),
    () => {
      arrived()
      return undefined
    }
  )
}

/**
 * Joins a population, or begins it, in one step, so that it is known who waits for which run; and waits for it to end.
 *
 * @internal
 */
export const waitForPopulation = <Item, P, V, A, E>(
  { population }: Core<Item, P, V>,
  party: Party,
  result: Effect.Effect<A, E>,
  context: Context.Context<never>
): Effect.Effect<A, E> =>
  Effect.setContext(
    Effect.suspend(() => waitFor(party, population.wait(), () => result)),
    population.steadily(context)
  )

/**
 * The same for fibers that are in nothing: nothing that could be seen waits for them. They have one effect in common.
 *
 * @internal
 */
export const joinUnseen = <Item, P, V, A, E>(
  { population }: Core<Item, P, V>,
  result: Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.updateContext(result, (context: Context.Context<never>) => {
    population.waitUnseen()
    return population.steadily(context)
  })

/** The parties over which a wait would lead back to who waits. The last one to wait sees the circle, so it sees it whole. */
const findCircle = (party: Party, wait: Wait): ReadonlyArray<Party> | undefined => {
  const seen = new Set<Party>()
  const follow = (holder: Party | undefined): ReadonlyArray<Party> | undefined => {
    if (holder === undefined || seen.has(holder)) return undefined
    seen.add(holder)
    for (let one: Party | undefined = party; one !== undefined; one = one.outer) {
      if (one === holder) return [holder]
    }
    for (const next of holder.waits ?? []) {
      const rest = follow(next.holder)
      if (rest !== undefined) return [holder, ...rest]
    }
    return undefined
  }
  return follow(wait.holder)
}

const deadlock = (party: Party, circle: ReadonlyArray<Party>): RegistryError.DeadlockError => {
  const parties = circle.at(-1) === party ? [party, ...circle.slice(0, -1)] : [party, ...circle]
  return failure(party.definition, RegistryError.DeadlockError, {
    code: "deadlock",
    chain: Array.from(new Set(parties.flatMap(({ definition: { name, names = [name] } }) => names))),
    waits: parties.map(({ doing, name }) => ({ registry: name, operation: doing }))
  })
}

/**
 * What a transaction dies with that would wait for a change of its own registry.
 *
 * @internal
 */
export const waitsForItself = <Item, P, V>(
  { definition, doing, name }: Transaction<Item, P, V>,
  operation: string
): RegistryError.DeadlockError =>
  failure(definition, RegistryError.DeadlockError, {
    code: "deadlock",
    chain: [name],
    waits: [{ registry: name, operation }, { registry: name, operation: doing }]
  })

/**
 * Takes the permit of a lock for as long as the effect runs.
 *
 * @internal
 */
export const withPermit = <A, E, R>(
  party: Party | undefined,
  lock: Lock,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  party === undefined
    ? lock.semaphore.withPermit(effect)
    : waitFor(party, {
      get holder() {
        return lock.holder
      }
    }, (arrived) => lock.semaphore.withPermit(Effect.andThen(Effect.sync(arrived), effect)))
