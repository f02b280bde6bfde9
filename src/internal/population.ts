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
import * as RegistryError from "../RegistryError.ts"
import * as Contents from "./contents.ts"
import { type Core, type Operation, Party, type PopulationRuns, type Transaction, type Worded } from "./core.ts"
import { CurrentTransaction } from "./current.ts"
import { failure } from "./definition.ts"
import * as Hooks from "./hooks.ts"
import { insertAll, registerAllIn } from "./operations.ts"
import { current, innermost, seenBy } from "./reading.ts"
import { turn } from "./sequence.ts"
import * as Spans from "./spans.ts"
import { handOver } from "./succession.ts"
import { inOneStep, run, step } from "./transaction.ts"
import { joinUnseen, waitForPopulation } from "./waiting.ts"

/**
 * Where the defaults of a registry come from.
 *
 * @internal
 */
export type Defaults<Item, E, R> = Iterable<Item> | Effect.Effect<Iterable<Item>, E, R> | Stream.Stream<Item, E, R>

/**
 * How a registry loads late.
 *
 * @internal
 */
export interface Late<in out Item, out P, in out V> {
  /** Imports a module, and builds the layer that it exports. Answers what this provides: the registry, or another one. */
  readonly load: (transaction: Party) => Effect.Effect<Core<Item, P, V>, unknown, any>
  /** Called in the step from which on the registry is the other one. */
  readonly become: (successor: Core<Item, unknown, V>) => void
}

/** Its error, and the error of each of its parts as the cause. */
type Failed<E, V> = RegistryError.PopulationError<E | RegistryError.RegistrationFailure | V>

/**
 * Makes the effect that populates the contents that a fiber works on, or waits for who does, until they are `Ready`. It
 * does nothing where they are, and in a part of a population or a reset.
 *
 * @internal
 */
export const make = <Item, P, V, E>(
  core: Core<Item, P, V>,
  defaults: Defaults<Item, E, any>,
  late?: Late<Item, P, V>
): Effect.Effect<Effect.Effect<void, Failed<E, V>>> => {
  // a population has no other population to wait for, so its own transaction has only the errors of its body
  const own = core as Core<Item, never, V>
  const operation = populate<Item, V, E>(core.population, defaults)
  const populating = run(own, operation)
  // and an import can fail as the population that it is a part of can: P is its error, or never
  const first = late === undefined
    ? populating
    : importing(core as Core<Item, Failed<E, V>, V>, late as Late<Item, Failed<E, V>, V>, populating)

  /** It has nothing of the fiber that asks for it: no service, no transaction. */
  const outermost = Effect.suspend(() => {
    const self = new Party(core.definition, "populate", undefined)
    const populated = Effect.provideService(first, CurrentTransaction, self)
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
        const successor = seenBy(core, fiber.context)
        // it has the type of this registry
        if (successor !== core) return successor.populate as Effect.Effect<void, Failed<E, V>>
        const transaction = current(core, fiber.context)
        if (transaction !== undefined) {
          return transaction.ready || transaction.resetting || transaction.state === "undoing"
            ? Effect.void
            // an import fails with it, and that is remembered
            : Effect.flatMap(transaction.kind === "upkeep" ? nested : remembered(core, nested), () => untilReady)
        }
        if (Ref.getUnsafe(core.published).populated) return Effect.void
        if (core.closed) return Effect.interrupt
        if (late === undefined && populateAtOnce(own, operation)) return Effect.void
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

/**
 * Whether it could be done in the step of who asks: with nobody there to measure, to trace or to wait for, a run of its
 * own would have nothing to share. What fails or dies is done again by one, which tells why.
 */
const populateAtOnce = <Item, V>(
  core: Core<Item, never, V>,
  operation: Operation<Item, never, V, void, unknown, any>
): boolean => {
  const { context, observer, population } = core
  if (observer !== undefined || population.holder !== undefined || Spans.hasTracer(context)) return false
  // a selector that asks for the registry finds that it is being populated
  population.holder = new Party(core.definition, operation.name, undefined)
  try {
    const exit = inOneStep(core, operation, context, undefined, undefined, undefined)
    return exit !== undefined && Exit.isSuccess(exit)
  } catch {
    return false
  } finally {
    population.holder = undefined
  }
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

/**
 * Imports at first, and populates from then on. The import is one transaction: what the layer does to the registry, which
 * begins with the defaults, becomes visible at its end. What the layer holds lives as long as the registry.
 */
const importing = <Item, V, E>(
  core: Core<Item, Failed<E, V>, V>,
  { become, load }: Late<Item, Failed<E, V>, V>,
  populating: Effect.Effect<void, Failed<E, V>, any>
): Effect.Effect<void, Failed<E, V>, any> => {
  let loaded = false
  const importOnce = Effect.uninterruptibleMask((restore) => {
    const scope = Scope.forkUnsafe(core.scope)
    let inUse = false
    const done = () => {
      inUse ||= !loaded
      loaded = true
    }
    const importIn = (transaction: Transaction<Item, Failed<E, V>, V>): Effect.Effect<void, Failed<E, V>, any> =>
      Scope.provide(load(transaction), scope).pipe(
        Effect.mapError((cause) =>
          failure(core.definition, RegistryError.PopulationError<any>, { code: "import", cause })
        ),
        Effect.flatMap((provided) =>
          provided === core ? core.populate : handOver(transaction, provided, (successor) => {
            done()
            become(successor)
          })
        )
      )
    const operation: Operation<Item, Failed<E, V>, V, void, Failed<E, V>, any> = {
      name: "import",
      kind: "upkeep",
      // another may have been interrupted in its last step, and have ended only now
      body: (transaction) => loaded ? core.populate : importIn(transaction),
      undone: () => Effect.void,
      committed: () => {
        done()
        return Effect.void
      }
    }
    // whoever is interrupted in the last step has imported all the same
    return Effect.onExit(restore(run(core, operation)), (exit) => inUse ? Effect.void : Scope.close(scope, exit))
  })
  return Effect.suspend(() => loaded ? populating : importOnce)
}

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
  ...(Array.isArray(defaults) && defaults.length <= turn ? { step: populateInOneStep(runs, defaults) } : undefined),
  body: (transaction) => {
    const { core, hooks } = transaction
    if (isDone(transaction, runs)) return Effect.void
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

/** What waited for its turn in a registry that has become another since has nothing to populate. */
const isDone = <Item, V>({ base, core }: Transaction<Item, never, V>, runs: PopulationRuns): boolean =>
  base.populated || core.population !== runs

/** Nothing is acquired by a list, so there is no scope. */
const populateInOneStep =
  <Item, V, E>(runs: PopulationRuns, items: ReadonlyArray<Item>) =>
  (transaction: Transaction<Item, never, V>): Exit.Exit<void, Failed<E, V>> => {
    if (isDone(transaction, runs)) return Exit.void
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
