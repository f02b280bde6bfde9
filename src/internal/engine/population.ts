/**
 * Population: once, shared by all who wait for it, undone if it fails, and tried again at the next use.
 *
 * The run is memoized for as long as it runs, and not a moment longer: the memory that a registry is populated is what
 * is published. So there is nothing to invalidate that a reset or an interruption could forget.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as Ref from "effect/Ref"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as RegistryError from "../../RegistryError.ts"
import { insertAll, registerAllIn } from "../operations/operations.ts"
import * as Contents from "../store/contents.ts"
import { failure } from "../store/definition.ts"
import { type Core, type Operation, Party, type PopulationRuns, type Transaction, type Worded } from "./core.ts"
import { CurrentTransaction } from "./current.ts"
import * as Hooks from "./hooks.ts"
import { current, innermost } from "./read.ts"
import { turn } from "./sequence.ts"
import { run, step } from "./transaction.ts"
import { joinUnseen, waitForPopulation } from "./waiting.ts"

/**
 * Where the defaults of a registry come from.
 *
 * @internal
 */
export type Defaults<Item, E, R> = Iterable<Item> | Effect.Effect<Iterable<Item>, E, R> | Stream.Stream<Item, E, R>

/** A run of a population, with the services of the registry. */
/** @internal */
export type Populating<E> = Effect.Effect<void, E, any>

/** Its error, and the error of each of its parts as the cause. */
type Failed<E, V> = RegistryError.PopulationError<E | RegistryError.RegistrationFailure | V>

/**
 * Makes the effect that populates the contents that a fiber works on, or waits for who does, until they are `Ready`. It
 * does nothing where they are, and in a part of a population or a reset. `first` is what a run that nobody has a transaction
 * around does: as a rule it populates.
 *
 * @internal
 */
export const make = <Item, P, V, E>(
  core: Core<Item, P, V>,
  defaults: Defaults<Item, E, any>,
  first: (populating: Populating<Failed<E, V>>) => Populating<Failed<E, V>> = (populating) => populating
): Effect.Effect<Effect.Effect<void, Failed<E, V>>> => {
  // a population has no other population to wait for, so its own transaction has only the errors of its body
  const own = core as Core<Item, never, V>
  const operation = populate<Item, V, E>(core.population, defaults)
  const populating = run(own, operation)
  const running = first(populating)

  /** It has nothing of the fiber that asks for it: no service, no transaction. */
  const outermost = Effect.suspend(() => {
    const self = new Party(core.definition, "populate", undefined)
    const populated = Effect.provideService(running, CurrentTransaction, self)
    return Effect.onExitPrimitive(
      // it begins in the step of who asks for it, and where its end is sure to come
      Effect.withFiber<void, Failed<E, V>>((fiber) => {
        core.population.begin(self, fiber)
        return Effect.setContext(
          remembered(core, Effect.catchCause(populated, interruptedInside(core))),
          // on the scheduler of who asks: that of `Effect.runSync`, which may have built the registry, lets nobody else run
          Context.add(core.context, Scheduler.Scheduler, fiber.cache.scheduler)
        )
      }),
      () => {
        core.population.end(self)
        return undefined
      }
    )
  })

  /** In a transaction of the registry, after a reset there: with the services of the registry, in that transaction. */
  const nested = Effect.updateContext(
    notInterruptedInside(core, populating),
    (caller: Context.Context<never>) => Context.add(core.context, CurrentTransaction, innermost(caller))
  )

  return Effect.map(
    // With no time to live a result is not kept; below zero it is not even while a clock stands still or goes back.
    Effect.cachedWithTTL(outermost, Duration.negativeInfinity),
    (shared) => {
      const untilReady: Effect.Effect<void, Failed<E, V>> = Effect.withFiber((fiber) => {
        const transaction = current(core, fiber.context)
        if (transaction !== undefined) {
          return transaction.ready || transaction.resetting || transaction.state === "undoing"
            ? Effect.void
            // an import fails with it, and that is remembered
            : Effect.flatMap(transaction.kind === "upkeep" ? nested : remembered(core, nested), () => untilReady)
        }
        if (Ref.getUnsafe(core.published).populated) return Effect.void
        if (core.closed) return Effect.interrupt
        const party = innermost(fiber.context)
        return party === undefined
          ? unseen
          : Effect.flatMap(waitForPopulation(core, party, shared, fiber.context), () => untilReady)
      })
      const unseen = Effect.flatMap(joinUnseen(core, shared), () => untilReady)
      return untilReady
    }
  )
}

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
      return Effect.ignoreCause(Effect.logWarning(
        `The population of "${core.definition.name}" failed; the next use tries again.`,
        exit.cause
      ))
    }
    return Effect.void
  })

const interruptedInside = <Item, P, V>(core: Core<Item, P, V>) => <E>(cause: Cause.Cause<E>): Effect.Effect<never, E> =>
  // who waits was not interrupted: to them this is a defect
  Cause.hasInterruptsOnly(cause) && !core.closed
    ? Effect.die(new Error(`The population of "${core.definition.name}" was interrupted from inside.`))
    : Effect.failCause(cause)

/** The same for one that runs on the fiber of its caller, whose own interruption is none from inside. */
const notInterruptedInside = <Item, P, V, A, E, R>(
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

/** The defaults, and that they are all in, become visible together. */
const populate = <Item, V, E>(
  runs: PopulationRuns,
  defaults: Defaults<Item, E, any>
): Operation<Item, never, V, void, Failed<E, V>, any> => ({
  name: "populate",
  kind: "population",
  ...(Array.isArray(defaults) && defaults.length <= turn ? { step: populateInOneStep(defaults) } : undefined),
  body: (transaction) => {
    const { core, hooks } = transaction
    if (transaction.base.populated) return Effect.void
    const scope = Scope.forkUnsafe(core.scope)
    transaction.scopes = transaction.scopes.concat(scope)
    transaction.populationScope = scope
    return Hooks.call(hooks, "onPopulating").pipe(
      Effect.flatMapEager(() => Effect.provideService(registerDefaults(transaction, defaults), Scope.Scope, scope)),
      Effect.flatMapEager(() => Hooks.call(hooks, "onPopulated")),
      Effect.flatMapEager(() => step(transaction, becomeReady))
    )
  },
  undone: () => Effect.void,
  // the transaction that it was to be a part of has ended: whoever asked for it looks again what is to be populated
  instead: (outer) => outer !== undefined && outer === runs.holder ? undefined : Effect.void
})

/** Nothing is acquired by a list, so there is no scope. */
const populateInOneStep =
  <Item, V, E>(items: ReadonlyArray<Item>) =>
  (transaction: Transaction<Item, never, V>): Exit.Exit<void, Failed<E, V>> => {
    if (transaction.base.populated) return Exit.void
    const inserted = insertAll(items)(transaction)
    return Exit.isSuccess(inserted)
      ? becomeReady(transaction)
      : Exit.mapError(Exit.asVoid(inserted), populationFailed<E, V>(transaction.core.definition, "registration"))
  }

const becomeReady = <Item>(transaction: Transaction<Item>): Exit.Exit<void> => {
  transaction.draft = Contents.asPopulated(transaction.draft)
  transaction.steps.push({ _tag: "Populated", size: transaction.draft.size })
  return Exit.void
}

const registerDefaults = <Item, V, E>(
  transaction: Transaction<Item, never, V>,
  defaults: Defaults<Item, E, any>
): Effect.Effect<void, Failed<E, V>, any> => {
  const { definition } = transaction.core
  const defaultsFailed = populationFailed<E, V>(definition, "defaults")
  const registerThem = (items: ReadonlyArray<Item>) =>
    Effect.mapError(registerAllIn(transaction, items), populationFailed<E, V>(definition, "registration"))

  if (Stream.isStream(defaults)) {
    return Stream.runForEachArray(Stream.mapError(defaults, defaultsFailed), registerThem)
  }
  const items = Effect.isEffect(defaults) ? Effect.mapError(defaults, defaultsFailed) : Effect.succeed(defaults)
  return Effect.flatMap(items, (iterable) =>
    isIterable(iterable)
      ? Effect.asVoid(registerThem(Array.from(iterable)))
      : Effect.die(
        new Error(
          `The defaults of "${definition.name}" are ${Formatter.format(iterable)}, which is no iterable of items.`
        )
      ))
}

const populationFailed =
  <E, V>(definition: Worded, code: "defaults" | "registration") =>
  (cause: E | RegistryError.RegistrationFailure | V): Failed<E, V> =>
    failure(definition, RegistryError.PopulationError<typeof cause>, { code, cause })

/** @internal */
export const isIterable = (u: unknown): u is Iterable<unknown> =>
  // all but these two, a string for one, can be asked for a property
  u !== null && u !== undefined && typeof (u as Iterable<unknown>)[Symbol.iterator] === "function"
