/** The inside of a registry, and the transactions that change it, each with a draft. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Concurrency } from "effect/Types"
import type { RegistrationFailure } from "../../RegistryError.ts"
import type { Reason } from "../../RegistryEvent.ts"
import type * as Contents from "../store/contents.ts"
import type { Definition, Wording } from "../store/definition.ts"
import { type Entry, Origin, type Population } from "../store/entry.ts"
import type { Acquired, Acquisitions } from "./acquisition.ts"
import type { Change, Step } from "./change.ts"
import { Owner, within } from "./current.ts"
import type { Arranged, Calls, Part, Telling } from "./parts.ts"
import type { Refusals } from "./refusals.ts"
import type { PopulationRuns } from "./runs.ts"
import { type Restore, unchanged } from "./sequence.ts"
import { Lock, WaitNode } from "./waiting.ts"

/** A registry. */
export interface Core<in out Item, out P = unknown, in out V = unknown> {
  /** Registries are locked in the order of their making where one operation locks several. */
  readonly serial: number
  readonly definition: Definition<Item>
  /** The contents of a registry that was never populated. */
  readonly nothing: Contents.Contents<Item>
  /** Written by `publish` alone, and by `closeRegistry`. */
  readonly published: Ref.Ref<Contents.Contents<Item>>
  readonly lock: Lock
  /** The hooks from the next operation on. */
  hooks: Arranged<Part<Item, V>>
  /** The context of the layer that built the registry, without transactions. Its defaults find their services here. */
  context: Context.Context<any>
  /** The scopes of populations are in it. */
  readonly scope: Scope.Closeable
  /** Set when the scope of the layer that built the registry has closed: nothing is published any more. */
  closed: boolean
  /** Populates the registry, or waits for a population. Does nothing unless it is `Pending`, nor in a reset or population. */
  readonly populate: Effect.Effect<void, P>
  /** The same, with its failure as an error, also where it is a defect of `populate`. */
  readonly tryPopulate: Effect.Effect<void, any>
  readonly population: PopulationRuns
  /** The scope of the population that filled the published contents. */
  populationScope: Scope.Closeable | undefined
  /** Makes the failure of a population a defect, where it is none of the errors of an operation. */
  readonly orDie: (<A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, any, R>) | undefined
  /** Where the defaults come from. */
  readonly defaults: Defaults<Item, any, any>
  /**
   * Of scopes of populations that give way to another, and of those that it kept, those of which contents hold no item. Set
   * where a refresh keeps items.
   */
  ended:
    | ((scopes: ReadonlyArray<Scope.Closeable>, contents: Contents.Contents<Item>) => ReadonlyArray<Scope.Closeable>)
    | undefined
  /** Registers defaults, where those that are refused are left out. */
  readonly registerDefaults:
    | ((transaction: Transaction<Item, any, V>, items: ReadonlyArray<Item>) => Effect.Effect<void, V>)
    | undefined
  /** Why the last population failed, if none has succeeded since. */
  populationFailure: Cause.Cause<unknown> | undefined
  /** The last changes, oldest first: those that are kept, `history` at most, and before them some that are about to go. */
  readonly changes: Array<Change<Item>>
  readonly history: number
  /** Why items were refused. */
  readonly refusals: Refusals
  /** Makes spans of operations and hooks. */
  readonly tracing: Tracing
  /** Woken after each change, and when the registry ends, if somebody watches. */
  watchers: { readonly wakeLater: () => void; readonly jump: () => void } | undefined
  /** Measures the registry, if somebody does. */
  observer: Observer | undefined
  /** Puts an entry on top of all that is there. Set where a feature has done so. */
  putOnTop: ((self: Contents.Contents<Item>, added: Entry<Item>) => PutOnTop<Item>) | undefined
  /** Brings back what waits for the next population, where a reset took out what will come back. */
  bringBack: (<W>(transaction: Transaction<Item, never, W>) => Effect.Effect<void>) | undefined
  /** What hooks acquired. Made where one does. */
  acquisitions: Acquisitions<Item> | undefined
  /** For how many items of a list hooks acquire at once. */
  readonly concurrency: Concurrency
  /**
   * The last word on an outermost transaction that changed something, before it is published: it may still refuse or delay
   * it. What it fails with is the failure of the transaction, which is then undone. One that is irrevocable is published all
   * the same: there, it is a defect.
   */
  beforePublish: ((transaction: Transaction<Item, any, any>) => Effect.Effect<void, unknown>) | undefined
  /** The log that its contents are a fold over, where several processes share it. */
  shared: Sharing<Item> | undefined
}

/** What is written into a log before it is published. */
export interface Sharing<in out Item> {
  /** Runs an outermost operation, and again after another process was first. */
  readonly around: <A, E, R>(operation: OperationLabel, running: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Whether an outermost transaction that has succeeded is to be written. */
  readonly isDue: (transaction: Transaction<Item>) => boolean
  /** Writes it. What others have written meanwhile may change what it began with, and so its draft. It ends by itself. */
  readonly append: (transaction: Transaction<Item>) => Effect.Effect<void, unknown>
  /** In the step that publishes. */
  readonly publishing: (transaction: Transaction<Item>) => Publishing
  /** Whether a failure is that of the log. What a closing scope could not write is written later. */
  readonly isUnavailable: (cause: Cause.Cause<unknown>) => boolean
  /** Acquires for an item that another process has put in; nothing where that is not needed, or done. */
  readonly acquire: (entry: Entry<Item>) => Effect.Effect<void, unknown> | undefined
  /** Whether a record is the one of a revision, as far as that is known. */
  readonly isAt: (revision: number, record: string) => boolean
  /** The changes after a revision, and the record of it, where the log still says them. */
  readonly changesAfter: (
    revision: number,
    record: string | undefined
  ) => Effect.Effect<ReadonlyArray<Told<Item>> | undefined>
}

export interface Publishing {
  /** Of the contents, as all processes number it. */
  readonly revision: number
  /** Whether the changes that are kept are not those that led to it. */
  readonly jumps: boolean
}

/** A change, with the contents after it. */
export interface Told<Item> {
  readonly change: Change<Item>
  readonly contents: Contents.Contents<Item>
}

/**
 * Items, as a list or any other iterable.
 *
 * @category models
 * @since 0.2.0
 */
export type Items<Item> = Iterable<Item> | ReadonlyArray<Item>

/** Where the defaults of a registry come from. */
export type Defaults<Item, E, R> = Items<Item> | Effect.Effect<Items<Item>, E, R> | Stream.Stream<Item, E, R>

/** Contents with an entry on top, and the entries that it withholds, in their order. */
export interface PutOnTop<Item> {
  readonly contents: Contents.Contents<Item>
  readonly withheld: ReadonlyArray<Entry<Item>>
}

/** What is published. */
export const contentsOf = <Item, P, V>(core: Core<Item, P, V>): Contents.Contents<Item> => core.published.ref.current

export interface Tracing {
  readonly isTraced: (fiber: Fiber.Fiber<unknown, unknown>) => boolean
  /** Runs an effect in a span. */
  readonly within: <A, E, R>(span: Span, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Runs an effect with other services than those of the fiber: the span and the tracer are of the fiber. */
  readonly withinContext: <A, E, R>(
    fiber: Fiber.Fiber<unknown, unknown>,
    span: Span,
    effect: Effect.Effect<A, E, R>,
    context: Context.Context<R>
  ) => Effect.Effect<A, E>
}

export interface Span {
  readonly registry: Wording
  readonly operation: string
  readonly item?: unknown
  /** The value that the operation looks an item up by. */
  readonly value?: unknown
}

export interface Observer {
  readonly called: (operation: OperationLabel, fiber: Fiber.Fiber<unknown, unknown>) => Observation
  /** The published contents, or the subscribers, have changed. */
  readonly changed: () => void
}

/** One call of an operation, from when it was called on. */
export interface Observation {
  /** It has its lock: the registry's, or, `nested`, that of the transaction that it is a part of. */
  readonly begun: (nested: boolean) => void
  /** It could not do all in one step, and is to begin again with the lock. */
  readonly gaveUp: () => void
  /** It gives the lock back. */
  readonly released: () => void
  readonly ended: (exit: Exit.Exit<unknown, unknown>) => void
}

/** Names an operation. */
export type OperationLabel = Pick<Operation<any, any, any, any, any>, "name" | "kind" | "irrevocable">

/** Shared by all that have none, as nearly all do. */
const none: ReadonlyArray<never> = []

export class Transaction<in out Item, out P = any, in out V = any> extends WaitNode {
  declare readonly core: Core<Item, P, V>
  declare readonly parent: Transaction<Item, P, V> | undefined
  declare readonly kind: Kind
  /** A population, or a part of one: it works on contents that are `Pending`. */
  declare readonly populating: boolean
  /** A reset, or a part of one. */
  declare readonly resetting: boolean
  /** Whether a hook that dies stops nothing: its defect is collected in `defects`. */
  declare readonly irrevocable: boolean
  /** The outermost transaction of the registry that this is a part of: itself as a rule. */
  declare readonly outermost: Transaction<Item, P, V>
  /** The innermost of the transactions that end together: itself, but for those of several registries. */
  innermost: Transaction<any> = this
  declare readonly observation: Observation | undefined
  /** The hooks that were installed when it began. */
  declare hooks: ReadonlyArray<Part<Item, V>>
  /** What it found when it began. */
  declare base: Contents.Contents<Item>
  declare draft: Contents.Contents<Item>
  /** The scope of the population that filled the draft. */
  declare populationScope: Scope.Closeable | undefined
  /** The scopes of all populations that ran in it. */
  scopes: ReadonlyArray<Scope.Closeable> = none
  /** What happened, in order. */
  declare steps: Array<Step<Item>>
  /** Of an outermost transaction: the completed calls of hooks. */
  calls: Calls<Item> | undefined = undefined
  /** How many calls of hooks were completed when it began. */
  callsBefore = 0
  /** Whether it is in a call of a hook, or in a child of one: others may be told meanwhile of what that call is about. */
  inHook = false
  /** The hook that is being told of an item now. */
  telling: Telling<Item> | undefined = undefined
  /** Whether it has changed its draft, and hooks have yet to be told of some of that. */
  untold = false
  /** Of an outermost transaction: whether hooks may not know yet which items are in. */
  unsettled = false
  /** Of an outermost transaction: the hooks that were installed in it, each with the contents that count as told. */
  installed: Map<Part<Item, any>, Contents.Contents<Item>> | undefined = undefined
  /** The draft that may be published: see `beforePublish`. */
  approved: Contents.Contents<Item> | undefined = undefined
  /** Whether somebody has a snapshot of a draft that is made of its own. */
  seen = false
  /** Of an outermost transaction: whether what it does may depend on more than the items that it changes. */
  looked = false
  /** What hooks acquired for its draft. */
  acquired: Acquired<Item> | undefined = undefined
  /** What went wrong in hooks, where that stops nothing. */
  defects: Cause.Cause<never> = Cause.empty
  /** Removals by scopes that closed in this transaction: repeated outside if it is rolled back. */
  redoAfterRollback: ReadonlyArray<Effect.Effect<void>> = none
  /** Of a population: registers what its defaults answer, where they know where that is from. */
  registering: Registering<Item, V> | undefined = undefined
  /** The body is uninterruptible. It passes the effects of users, and its own waits, to this. */
  restore: Restore = unchanged
  /** The services that the body runs with, where it runs nothing but hooks: hooks that have the same run as they are. */
  bodyServices: Context.Context<any> | undefined = undefined
  /** The scope that removes what it registers when it closes. */
  private readonly scope: Scope.Scope | undefined
  /** The population that it is a part of, where it registers a default. */
  private readonly population: Population | undefined
  /** The scope that removes what the operations in it register, where they have none of their own. */
  readonly lent: Scope.Scope | undefined
  private serviced: readonly [services: Context.Context<any>, Context.Context<any>] | undefined = undefined
  private innerLock: Lock | undefined = undefined
  declare private ownOrigin: Origin | undefined
  /** The context of the operation. Where its body runs hooks, that of the fiber is theirs. */
  private caller: Context.Context<never>

  constructor(
    core: Core<Item, P, V>,
    { irrevocable = false, kind = "change", lends, name, population, runsHooks = false, scope }:
      & OperationLabel
      & Scoping,
    fiber: Fiber.Fiber<unknown, unknown>,
    outer: WaitNode | undefined,
    parent: Transaction<Item, P, V> | undefined,
    observation: Observation | undefined
  ) {
    super(core.definition, name, outer)
    this.core = core
    this.parent = parent
    this.kind = kind
    this.populating = kind === "population" || parent?.populating === true
    this.resetting = kind === "reset" || parent?.resetting === true
    this.irrevocable = irrevocable
    this.outermost = parent === undefined ? this : parent.outermost
    this.observation = observation
    this.scope = scope ?? parent?.lent
    this.population = population
    // what a hook registers, and defaults, come again with what brought them
    this.lent = lends ?? (runsHooks || this.populating ? undefined : parent?.lent)
    this.fiber = fiber
    this.caller = fiber.context
    this.look()
  }

  /** Takes the contents and hooks to work on: when it is made and, if it had to wait, again when it begins. */
  look(): void {
    const { core, parent } = this
    this.hooks = core.hooks
    this.steps = []
    this.ownOrigin = undefined
    this.base = this.draft = parent === undefined ? contentsOf(core) : parent.draft
    this.callsBefore = this.outermost.calls?.list.length ?? 0
    this.inHook = parent !== undefined && (parent.untold || parent.inHook)
    this.populationScope = parent === undefined ? core.populationScope : parent.populationScope
  }

  /** An upkeep cannot be given up. A population is interrupted by those that wait for it. */
  override get waiter(): Fiber.Fiber<unknown, unknown> | undefined {
    return this.kind === "upkeep" || this.kind === "import" || this.kind === "remote" || this.populating
      ? undefined
      : this.fiber
  }

  /** The lock that it holds while it runs. */
  get outerLock(): Lock {
    return (this.parent ?? this.core).lock
  }

  /** Held by the nested transaction in flight. */
  get lock(): Lock {
    return this.innerLock ??= new Lock()
  }

  /** Whether a nested transaction is in flight. */
  get busy(): boolean {
    return this.innerLock?.holder !== undefined
  }

  /** The nested transaction in flight, once it has begun. */
  get nested(): Transaction<Item, P, V> | undefined {
    const holder = this.innerLock?.holder
    return holder instanceof Transaction ? holder : undefined
  }

  /** The origin of the entries that it adds. */
  get origin(): Origin {
    return this.ownOrigin ??= new Origin(
      this.owner,
      this.base.revision + 1,
      false,
      this.scope,
      undefined,
      this.population ?? (this.kind === "population" ? { scope: this.populationScope } : undefined)
    )
  }

  /** The owner of what it registers, which is also given for what it unregisters. */
  get owner(): string {
    return this.kind === "population" || this.kind === "refresh" ? "defaults" : Context.get(this.caller, Owner)
  }

  /** Why subscribers hear of what it registers. */
  get reason(): Reason {
    return this.populating ? "population" : "register"
  }

  /** Whether the draft can be answered from. */
  get ready(): boolean {
    return this.draft.populated || this.populating
  }

  /** Whether it works on contents that are `Ready` alone. */
  get populatesFirst(): boolean {
    return this.kind === "change" || this.kind === "withdrawal" || this.kind === "refresh"
  }

  /** Whether steps may run: the draft is populated, or this never populates it first. */
  get canRun(): boolean {
    return this.ready || !this.populatesFirst
  }

  /** Services, with the transaction. The last one is kept: most hooks of a registry have theirs from one place. */
  contextWith<R>(services: Context.Context<R>): Context.Context<R> {
    if (this.serviced?.[0] !== services) {
      this.serviced = [services, within(this.innermost, services, this.caller)]
    }
    return this.serviced[1]
  }

  /** Somebody takes a snapshot of the draft. It shares the indexes of those around it, too. */
  see(): void {
    this.seen = true
    this.parent?.see()
  }

  /** A fiber can outlive its transaction. Keep `outer`, so that it finds the enclosing one; drop the rest. */
  close(): void {
    this.state = "closed"
    // a fiber that outlives a population is not a part of its run any more, either
    if (this.parent === undefined && this.populating && this.outer !== undefined) this.outer.state = "closed"
    this.base = this.draft = this.core.nothing
    this.fiber =
      this.populationScope =
      this.calls =
      this.telling =
      this.installed =
      this.approved =
      this.acquired =
      this.registering =
        undefined
    this.serviced = this.bodyServices = undefined
    this.caller = Context.empty()
    this.steps = []
    this.hooks = this.scopes = this.redoAfterRollback = none
  }
}

/** `others` registers items that are from nowhere, and `failed` makes the error of the population. */
export type Registering<Item, V> = <F>(
  items: ReadonlyArray<Item>,
  others: (items: ReadonlyArray<Item>) => Effect.Effect<unknown, F>,
  failed: (cause: RegistrationFailure | V, item: Item, owner: string) => F
) => Effect.Effect<unknown, F>

/**
 * A `"withdrawal"` is a change whose error has no `V`: what refuses it in the end is a defect. All but those two and a refresh work on
 * contents that are `Pending`, and never populate them first. A `"remote"` one is what another process has done: it is in,
 * and cannot be refused, and what hooks change in it was changed where it was done.
 */
type Kind = "change" | "withdrawal" | "refresh" | "enabling" | "population" | "import" | "reset" | "upkeep" | "remote"

/** The scopes that remove registrations when they close. */
interface Scoping {
  /** Of what the operation registers. */
  readonly scope?: Scope.Scope
  /** Of what operations in it register, where they have none of their own. */
  readonly lends?: Scope.Scope
  /** The population that registers this default. */
  readonly population?: Population | undefined
  /** Whether its body runs hooks, and no other effects of users. */
  readonly runsHooks?: boolean
}

/** What a transaction does. */
export interface Operation<Item, P, V, A, E, R = never> extends Scoping {
  /** For messages and spans. */
  readonly name: string
  /** The item that it is about, for spans. */
  readonly about?: unknown
  /** The value that it looks an item up by, for spans. */
  readonly value?: unknown
  /** A `"change"` as a rule. */
  readonly kind?: Kind
  /** Whether a hook that dies stops nothing. */
  readonly irrevocable?: boolean
  /** The whole operation, where there are no hooks; `undefined` if it is too much for one synchronous step. */
  readonly step?: (transaction: Transaction<Item, P, V>) => Exit.Exit<A, E> | undefined
  /** Uninterruptible, except for the effects that it passes to `transaction.restore`. */
  readonly body: (transaction: Transaction<Item, P, V>) => Effect.Effect<A, E, R>
  /** The operation in a transaction that is being rolled back: the draft is gone, so it changes nothing. */
  readonly undone: (transaction: Transaction<Item, P, V>) => Effect.Effect<A, E, R>
  /** The effect to run instead where it would begin outside every transaction of the registry, but must not. */
  readonly instead?: (outer: WaitNode | undefined) => Effect.Effect<A, E, R> | undefined
  /** Called in the step that ends it, if it succeeded. The effect that it returns runs after the lock is released. */
  readonly committed?: (result: A) => Effect.Effect<void>
  /** Called in the step that ends it, if it failed. */
  readonly failed?: () => void
}
