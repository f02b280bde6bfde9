/**
 * What a registry is inside, and who works on it: transactions, each with its draft, its lock and its place among others.
 *
 * @internal
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type * as RegistryEvent from "../../RegistryEvent.ts"
import type { Watchers } from "../features/watchers.ts"
import type * as Contents from "../store/contents.ts"
import type { Definition } from "../store/definition.ts"
import { Origin, Owner } from "../store/owner.ts"
import type { Step } from "./change.ts"
import type * as Hooks from "./hooks.ts"

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
  /** The last changes, oldest first: those that are kept, `history` at most, and before them some that are about to go. */
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

/**
 * What a fiber waits for, as long as it does: whoever holds it.
 *
 * @internal
 */
export interface Wait {
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
  private steady: readonly [of: Context.Context<never>, Context.Context<never>] | undefined = undefined

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
    this.steady = undefined
  }

  wait(): Wait {
    return this.joining = new PopulationWait(this.holder)
  }

  /** Whoever waits is in no party. A run that it begins in the same step is none that a party has joined. */
  waitUnseen(): void {
    this.joining = undefined
  }

  /** A context in which a fiber gives no turn away. Those who ask at once have one in common, as a rule. */
  steadily(context: Context.Context<never>): Context.Context<never> {
    if (this.steady?.[0] !== context) {
      this.steady = [context, Context.add(context, Scheduler.PreventSchedulerYield, true)]
    }
    return this.steady[1]
  }
}

/** Whoever was interrupted waits until the run that it joined is undone, though another has begun: not for what is over. */
class PopulationWait implements Wait {
  joined: Party | undefined

  constructor(joined: Party | undefined) {
    this.joined = joined
  }

  get holder(): Party | undefined {
    return this.joined?.state === "closed" ? undefined : this.joined
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

/**
 * Names a registry, and words its errors. `names` are those of several registries.
 *
 * @internal
 */
export type Worded = Pick<Definition<never>, "name" | "messages"> & { readonly names?: ReadonlyArray<string> }

/**
 * What an operation is called.
 *
 * @internal
 */
export type Named = Pick<Operation<any, any, any, any, any>, "name" | "kind">

/** Shared by all that have none, as nearly all do. */
const none: ReadonlyArray<never> = []

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
  scopes: ReadonlyArray<Scope.Closeable> = none
  /** What happened, in order. */
  steps: Array<Step<Item>> = []
  /** The completed calls of hooks, in order. */
  calls: Array<Hooks.Call<Item>> = []
  /** What has to be done over again, outside, if the transaction fails: what a scope that closed in it did. */
  regardless: ReadonlyArray<Effect.Effect<void>> = none
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
    return this.ownOrigin ??= new Origin(Context.get(this.context, Owner), this.base.revision + 1, false)
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
    this.scopes = none
    this.steps = []
    this.calls = []
    this.regardless = none
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
  /** What is done instead where it would begin outside of all transactions of the registry, but must not. */
  readonly instead?: (outer: Party | undefined) => Effect.Effect<A, E, R> | undefined
  /** Called in the step that ends it, if it succeeded; what it answers is run when the permit has been given back. */
  readonly committed?: (result: A) => Effect.Effect<void>
  /** Called in the step that ends it, if it failed. */
  readonly failed?: () => void
}
