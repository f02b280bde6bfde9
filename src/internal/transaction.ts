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
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as MutableRef from "effect/MutableRef"
import * as Ref from "effect/Ref"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as RegistryError from "../RegistryError.ts"
import type * as RegistryEvent from "../RegistryEvent.ts"
import { Change, type Step } from "./change.ts"
import * as Contents from "./contents.ts"
import { CurrentImport, CurrentTransaction } from "./current.ts"
import { type Definition, failure } from "./definition.ts"
import * as Hooks from "./hooks.ts"
import { type Origin, Owner } from "./owner.ts"
import { collect } from "./sequence.ts"
import * as Spans from "./spans.ts"
import type { Watchers } from "./watchers.ts"

/**
 * A registry.
 *
 * @internal
 */
export interface Core<in out Item, out P = unknown, in out V = unknown> {
  /** Registries are locked in the order of their making where one operation locks several. */
  readonly serial: number
  readonly definition: Definition<Item>
  /** The contents of a registry that was never populated. */
  readonly nothing: Contents.Contents<Item>
  /** Written by `publish` alone. */
  readonly published: Ref.Ref<Contents.Contents<Item>>
  readonly lock: Lock
  /** The hooks from the next operation on. */
  hooks: ReadonlyArray<Hooks.Part<Item, V>>
  /** The context of the layer that built the registry, without transactions: what its defaults need is in it. */
  context: Context.Context<any>
  /** The scopes of populations are in it. */
  readonly scope: Scope.Closeable
  /** Set when the scope of the layer that built the registry has closed: nothing is published any more. */
  closed: boolean
  /** Populates, or waits for who does; nothing in a registry that is not `Pending`, or in a reset or population of it. */
  readonly populate: Effect.Effect<void, P>
  readonly population: PopulationRuns
  /** The scope of the population that filled the published contents. */
  populationScope: Scope.Closeable | undefined
  /** Why the last population failed, if none has succeeded since. */
  populationFailure: Cause.Cause<unknown> | undefined
  /** The last changes, oldest first; at most `history`. */
  readonly changes: Array<RegistryEvent.RegistryChange<Item>>
  readonly history: number
  readonly watchers: Watchers
  /** Who measures the registry, if somebody does. */
  observer: Observer | undefined
}

/** @internal */
export interface Observer {
  readonly called: (operation: Named, fiber: Fiber.Fiber<unknown, unknown>) => Observation
  /** What can be seen from outside has changed: what is published, or who follows it. */
  readonly changed: () => void
}

/**
 * One call of an operation, from when it was called on.
 *
 * @internal
 */
export interface Observation {
  /** It has its lock: the registry's, or, `nested`, that of the transaction that it is a part of. */
  readonly begun: (nested: boolean) => void
  /** It gives the lock back. */
  readonly released: () => void
  readonly ended: (exit: Exit.Exit<unknown, unknown>) => void
}

/** What a fiber waits for, as long as it does: whoever holds it. */
interface Wait {
  readonly holder: Party | undefined
}

/**
 * One permit, and the transaction that holds it. The holder is set in the step in which it looks at what it is about to
 * change, some time after it took the permit.
 *
 * @internal
 */
export class Lock {
  holder: Party | undefined = undefined
  readonly semaphore = Semaphore.makeUnsafe(1)
}

/**
 * The outermost populations: the one that runs, and who waits for one. There are two for a while, when all who waited
 * for the first were interrupted, and it is being undone.
 *
 * @internal
 */
export class PopulationRuns {
  /** The last that began, until it has ended. */
  holder: Party | undefined = undefined
  fiber: Fiber.Fiber<unknown, unknown> | undefined = undefined
  private joining: PopulationWait | undefined = undefined

  /** Whoever waits for a run that is not there yet begins it in the same step. */
  begin(party: Party, fiber: Fiber.Fiber<unknown, unknown>): void {
    this.holder = party
    this.fiber = fiber
    if (this.joining !== undefined) this.joining.joined = party
  }

  end(party: Party): void {
    party.state = "closed"
    if (this.holder !== party) return
    this.holder = undefined
    this.fiber = undefined
  }

  wait(): Wait {
    return this.joining = new PopulationWait(this)
  }
}

/** Whoever was interrupted waits until the run that it joined is undone, though another has begun. */
class PopulationWait implements Wait {
  joined: Party | undefined
  private readonly runs: PopulationRuns

  constructor(runs: PopulationRuns) {
    this.runs = runs
    this.joined = runs.holder
  }

  get holder(): Party | undefined {
    return this.joined?.state === "closed" && this.joined !== this.runs.holder ? undefined : this.joined
  }
}

/**
 * Who waits for others and is waited for: a transaction, or the run of a population before it has its lock.
 *
 * @internal
 */
export class Party {
  readonly definition: Worded
  readonly doing: string
  /** The party that was innermost when this one began. */
  readonly outer: Party | undefined
  /** What the fibers that are in this party wait for now. */
  waits: Set<Wait> | undefined = undefined
  state: "open" | "undoing" | "closed" = "open"

  constructor(definition: Worded, doing: string, outer: Party | undefined) {
    this.definition = definition
    this.doing = doing
    this.outer = outer
  }

  get name(): string {
    return this.definition.name
  }
}

/** Names a registry, and words its errors. `names` are those of several registries. */
type Worded = Pick<Definition<never>, "name" | "messages"> & { readonly names?: ReadonlyArray<string> }

/** What an operation is called. */
type Named = Pick<Operation<any, any, any, any, any>, "name" | "kind">

/** @internal */
export class Transaction<in out Item, out P = any, in out V = any> extends Party {
  readonly core: Core<Item, P, V>
  readonly parent: Transaction<Item, P, V> | undefined
  /** The hooks that were installed when it began. */
  readonly hooks: ReadonlyArray<Hooks.Part<Item, V>>
  /** A population, or a part of one: it works on contents that are `Pending`. */
  readonly populating: boolean
  /** A reset, or a part of one. */
  readonly resetting: boolean
  readonly kind: "change" | "population" | "reset" | "upkeep"
  /** What it found when it began. */
  base: Contents.Contents<Item>
  draft: Contents.Contents<Item>
  /** The scope of the population that filled the draft. */
  populationScope: Scope.Closeable | undefined
  /** The scopes of all populations that ran in it. */
  scopes: Array<Scope.Closeable> = []
  /** What happened, in order. */
  steps: Array<Step<Item>> = []
  /** The completed calls of hooks, in order. */
  calls: Array<Hooks.Call<Item>> = []
  /** What has to be done over again, outside, if the transaction fails: what a scope that closed in it did. */
  regardless: Array<Effect.Effect<void>> = []
  observation: Observation | undefined = undefined
  private innerLock: Lock | undefined = undefined
  private context: Context.Context<never>
  private ownOrigin: Origin | undefined = undefined

  constructor(
    core: Core<Item, P, V>,
    operation: Named,
    context: Context.Context<never>,
    outer: Party | undefined,
    parent: Transaction<Item, P, V> | undefined
  ) {
    super(core.definition, operation.name, outer)
    this.core = core
    this.context = context
    this.parent = parent
    this.hooks = core.hooks
    this.kind = operation.kind ?? "change"
    this.populating = this.kind === "population" || parent?.populating === true
    this.resetting = this.kind === "reset" || parent?.resetting === true
    this.base = parent === undefined ? Ref.getUnsafe(core.published) : parent.draft
    this.draft = this.base
    this.populationScope = parent === undefined ? core.populationScope : parent.populationScope
  }

  /** Held by the nested transaction in flight. */
  get lock(): Lock {
    return this.innerLock ??= new Lock()
  }

  /** Whether a nested transaction is in flight. */
  get busy(): boolean {
    return this.innerLock?.holder !== undefined
  }

  /** Where what it puts in comes from. */
  get origin(): Origin {
    return this.ownOrigin ??= {
      owner: Context.get(this.context, Owner),
      revision: this.base.revision + 1,
      override: false
    }
  }

  /** Whether the draft can be answered from. */
  get ready(): boolean {
    return this.draft.populated || this.populating
  }

  /** Whether its own steps can work on the draft. */
  get workable(): boolean {
    return this.ready || this.kind !== "change"
  }

  /** Who outlives it keeps only the way to what is around it. */
  close(): void {
    this.state = "closed"
    // what outlives a population is not a part of its run any more, either
    if (this.parent === undefined && this.populating && this.outer !== undefined) this.outer.state = "closed"
    this.base = this.draft = this.core.nothing
    this.context = Context.empty()
    this.populationScope = undefined
    this.scopes = []
    this.steps = []
    this.calls = []
    this.regardless = []
  }
}

/**
 * What a transaction does.
 *
 * @internal
 */
export interface Operation<Item, P, V, A, E, R = never> {
  /** For messages and spans. */
  readonly name: string
  /** What it is about, for spans. */
  readonly about?: unknown
  /** All but a `"change"`, which is the default, work on contents that are `Pending`, and never populate them first. */
  readonly kind?: "change" | "population" | "reset" | "upkeep"
  /** All of it where there are no hooks, if that is one synchronous step. */
  readonly step?: (transaction: Transaction<Item, P, V>) => Exit.Exit<A, E>
  readonly body: (transaction: Transaction<Item, P, V>) => Effect.Effect<A, E, R>
  /** What is left of it in a transaction that is being undone: the draft is gone, so it changes nothing. */
  readonly undone: (transaction: Transaction<Item, P, V>) => Effect.Effect<A, E, R>
  /** Called in the step that ends it, if it succeeded; what it answers is run when the permit has been given back. */
  readonly committed?: (result: A) => Effect.Effect<void>
  /** Called in the step that ends it, if it failed. */
  readonly failed?: () => void
}

// ---------------------------------------------------------------------------------------------------------------------
// Where a fiber is
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The innermost party of a fiber that has not ended. A fiber may outlive its transaction, and then finds it closed.
 *
 * @internal
 */
export const innermost = (context: Context.Context<never>): Party | undefined => {
  let party = Context.get(context, CurrentTransaction) ?? Context.get(context, CurrentImport)?.transaction
  while (party !== undefined && party.state === "closed") party = party.outer
  return party
}

const openIn = <Item, P, V>(
  party: Party | undefined,
  core: Core<Item, P, V>
): Transaction<Item, P, V> | undefined => {
  for (; party !== undefined; party = party.outer) {
    if (party instanceof Transaction && party.core === core && party.state !== "closed") return party
  }
  return undefined
}

/**
 * The transaction of a registry that a fiber is in.
 *
 * @internal
 */
export const current = <Item, P, V>(
  core: Core<Item, P, V>,
  context: Context.Context<never>
): Transaction<Item, P, V> | undefined =>
  // where nobody holds the lock no transaction of the registry is open, so the fiber is in none
  core.lock.holder === undefined ? undefined : openIn(innermost(context), core)

/**
 * Answers a question, of up to two parts, from the contents that the fiber sees, in one step with looking at them: the
 * draft of its transaction, or what is published. Contents that are `Pending` are populated first.
 *
 * @internal
 */
export const read: {
  <Item, P, V, A, E>(core: Core<Item, P, V>, answer: Answer<Item, void, void, A, E>): Effect.Effect<A, E | P>
  <Item, P, V, A, E, X, Y>(
    core: Core<Item, P, V>,
    answer: Answer<Item, X, Y, A, E>,
    x: X,
    y: Y
  ): Effect.Effect<A, E | P>
} = <Item, P, V, A, E, X, Y>(
  core: Core<Item, P, V>,
  answer: Answer<Item, X | undefined, Y | undefined, A, E>,
  x?: X,
  y?: Y
): Effect.Effect<A, E | P> => new Read(core, answer, x, y)

type Answer<Item, X, Y, A, E> = (contents: Contents.Contents<Item>, x: X, y: Y) => Exit.Exit<A, E>

/** One object for each question, and no closure: reading is the hottest path of a registry. */
class Read<Item, P, V, A, E, X, Y> extends Effectable.Class<A, E | P> {
  private readonly core: Core<Item, P, V>
  private readonly answer: Answer<Item, X, Y, A, E>
  private readonly x: X
  private readonly y: Y

  constructor(core: Core<Item, P, V>, answer: Answer<Item, X, Y, A, E>, x: X, y: Y) {
    super()
    this.core = core
    this.answer = answer
    this.x = x
    this.y = y
  }

  asEffect(): Effect.Effect<A, E | P> {
    const { core } = this
    const contents = Ref.getUnsafe(core.published)
    // where nobody holds the lock no transaction is open, so the fiber is in none: its context need not be looked at
    if (core.lock.holder === undefined && contents.populated) return this.answer(contents, this.x, this.y)
    return Effect.withFiber((fiber) => {
      const transaction = current(core, fiber.context)
      const seen = transaction === undefined ? Ref.getUnsafe(core.published) : transaction.draft
      return seen.populated || transaction?.ready === true || transaction?.state === "undoing"
        ? this.answer(seen, this.x, this.y)
        : Effect.flatMap(core.populate, () => this)
    })
  }
}

/**
 * Does something, in one step with looking at it, with what is published. What is `Pending` is populated first, unless the
 * fiber is in a transaction of the registry.
 *
 * @internal
 */
export const readPublished = <Item, P, V, A, E, R>(
  core: Core<Item, P, V>,
  f: (contents: Contents.Contents<Item>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | P, R> =>
  Effect.withFiber((fiber) => {
    const contents = Ref.getUnsafe(core.published)
    return contents.populated || current(core, fiber.context) !== undefined
      ? f(contents)
      : Effect.flatMap(core.populate, () => readPublished(core, f))
  })

// ---------------------------------------------------------------------------------------------------------------------
// Waiting
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Runs an effect that waits for something on behalf of a party, and of all that it is in. Dies at once if they are
 * what is, over however many others, waited for: the wait would never end. `arrived` ends the wait before the effect.
 *
 * @internal
 */
export const waitFor = <A, E, R>(
  party: Party | undefined,
  wait: Wait,
  effect: (arrived: () => void) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  // nothing that could be seen waits for a fiber that is in nothing
  if (party === undefined) return effect(() => {})
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
  core: Core<Item, P, V>,
  party: Party | undefined,
  result: Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.provideService(
    Effect.suspend(() => waitFor(party, core.population.wait(), () => result)),
    Scheduler.PreventSchedulerYield,
    true
  )

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

/** Takes the permit of a lock for as long as the effect runs. */
const withPermit = <A, E, R>(
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
  const lock = parent === undefined ? core.lock : parent.lock
  if (
    operation.step !== undefined && operation.committed === undefined && core.hooks.length === 0 &&
    lock.holder === undefined && !core.closed
  ) {
    // Nobody has begun to work on these contents and no hook is called: looking at them, changing them and publishing
    // is all in this one step, so it needs neither the lock nor a place in the context.
    const transaction = new Transaction(core, operation, fiber.context, outer, parent)
    if (transaction.workable) {
      observation?.begun(parent !== undefined)
      const exit = operation.step(transaction)
      // a selector can run an effect by itself, and what that wrote must not be lost
      const unchanged = transaction.base === (parent === undefined ? Ref.getUnsafe(core.published) : parent.draft)
      if (unchanged) {
        if (Exit.isSuccess(exit)) commit(transaction)
        observation?.released()
        return exit
      }
    }
  }
  if (parent === undefined && (operation.kind ?? "change") === "change" && !Ref.getUnsafe(core.published).populated) {
    // it waits for the population, not for its lock: as long as somebody does, the population goes on
    return startOver(core, operation, parent, observation)
  }
  const later: Later = { effect: undefined }
  const beginning = begin(core, operation, fiber.context, outer, parent, lock, later, observation)
  return Effect.flatMap(
    Effect.onExitPrimitive(withPermit(outer, lock, beginning), () => later.effect),
    (exit) => exit === again ? startOver(core, operation, parent, observation) : Effect.succeed(exit)
  )
}

const startOver = <Item, P, V, A, E, R>(
  core: Core<Item, P, V>,
  operation: Operation<Item, P, V, A, E, R>,
  parent: Transaction<Item, P, V> | undefined,
  observation: Observation | undefined
): Effect.Effect<A, E | P, R> => {
  const anew = Effect.withFiber<A, E | P, R>((fiber) => runOn(fiber, core, operation, observation))
  switch (operation.kind) {
    case "population":
      // whoever asked for it looks again what is to be populated: this was in a transaction that has ended
      return operation.undone(parent!)
    case "reset":
    case "upkeep":
      return anew
    default:
      return Effect.flatMap(core.populate, () => anew)
  }
}

/** It waited, and found nothing to work on: its parent had ended, or the contents were `Pending`. It starts over. */
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
        ? step(transaction, operation.step)
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
    const outer = innermost(fiber.context)
    // whoever takes locks in the same order never waits in a circle
    const ordered = Array.from(new Set(cores)).toSorted((one, other) => one.serial - other.serial)
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
    const all = ordered.map((core) => core.definition.name)
    const party = new Party({ name: all.join(" and "), names: all, messages: {} }, "transactAll", outer)
    const later: Later = { effect: undefined }
    const observations = ordered.map(({ observer }) => observer?.called(transactAll, fiber))
    const locks = parents.length === 0 ? ordered.map(({ lock }) => lock) : parents.map(({ lock }) => lock)
    const locked = locks.reduceRight(
      (inner, lock) => withPermit(party, lock, held(party, lock, inner)),
      beginAll(ordered, effect, fiber.context, party, parents, later, observations)
    )
    const ended = Effect.onExitPrimitive(locked, (exit) => {
      party.state = "closed"
      const isOver = Exit.isFailure(exit) || exit.value !== again
      if (isOver) { for (const observation of observations) observation?.ended(exit) }
      return later.effect
    })
    return Effect.flatMap(
      ended,
      (exit) =>
        exit === again
          ? Effect.flatMap(
            Effect.forEach(ordered, ({ populate }) => populate, { discard: true }),
            () => runAll(cores, effect)
          )
          : Effect.succeed(exit)
    )
  })

const transactAll: Named = { name: "transactAll" }

const names = (list: ReadonlyArray<{ readonly definition: Worded }>): string =>
  list.map(({ definition }) => `"${definition.name}"`).join(", ")

/** What waits for a lock that was taken, while others are waited for, waits for whoever does that. */
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
  const { definition, doing, lock } = transaction
  const turns = Effect.uninterruptibleMask((restore): Effect.Effect<A | typeof again, E> => {
    if (!transaction.workable) return Effect.succeed(again)
    lock.holder = new Party(definition, doing, transaction)
    return Effect.onExitPrimitive(restore(Effect.suspend(() => f(transaction))), () => {
      lock.holder = undefined
      return undefined
    })
  })
  return Effect.flatMap(withPermit(transaction, lock, turns), (result) =>
    result === again
      ? Effect.flatMap(transaction.core.populate, () => longStep(transaction, f))
      : Effect.succeed(result))
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
  const turn = Effect.sync(() =>
    group.every((transaction) => transaction === busy || !transaction.busy)
      ? endNow(group, exit, ending)
      : end(group, exit, ending)
  )
  return Effect.matchCauseEffect(
    // the end itself comes when the permit has been given back: what waits for it finds the transaction ended
    withPermit(busy, busy.lock, turn),
    {
      onFailure: (circle) => undo(group, Exit.isFailure(exit) ? Cause.combine(exit.cause, circle) : circle, ending),
      onSuccess: (ended) => ended
    }
  )
}

/** Decides how they end, in one step. */
const endNow = <A, E>(group: Group, exit: Exit.Exit<A, E>, ending: Ending<A>): Effect.Effect<A, E> => {
  if (Exit.isFailure(exit)) return undo(group, exit.cause, ending)
  for (const { core, doing, name, parent } of group) {
    if (core.closed) return undo(group, Cause.interrupt(), ending)
    if (parent !== undefined && parent.state !== "open") {
      const message =
        `"${doing}" of "${name}" was undone, because the transaction that it was part of had to end without it.`
      return undo(group, Cause.die(new Error(message)), ending)
    }
  }
  let after = ending.operation.committed?.(exit.value)
  for (const transaction of group) {
    const emptied = commit(transaction)
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
const commit = <Item, P, V>(transaction: Transaction<Item, P, V>): Effect.Effect<void> | undefined => {
  const { parent } = transaction
  if (parent === undefined) return publish(transaction)
  parent.draft = transaction.draft
  parent.populationScope = transaction.populationScope
  pushAll(parent.scopes, transaction.scopes)
  pushAll(parent.steps, transaction.steps)
  pushAll(parent.calls, transaction.calls)
  pushAll(parent.regardless, transaction.regardless)
  return undefined
}

const pushAll = <A>(target: Array<A>, source: ReadonlyArray<A>): void => {
  for (let i = 0; i < source.length; i++) target.push(source[i]!)
}

/** Where contents become visible to others: the one place, and one synchronous step. */
const publish = <Item, P, V>(transaction: Transaction<Item, P, V>): Effect.Effect<void> | undefined => {
  const { base, core, draft, populationScope, scopes, steps } = transaction
  if (draft === base) return undefined
  const revision = base.revision + 1
  MutableRef.set(core.published.ref, Contents.withRevision(draft, revision))
  core.changes.push(new Change(revision, steps))
  if (core.changes.length > core.history) core.changes.shift()
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
        : Effect.logError(`Releasing what a population of "${core.definition.name}" had acquired failed`, cause)
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
    const regardless = group.flatMap((transaction) => transaction.regardless)
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
