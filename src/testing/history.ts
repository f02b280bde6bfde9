/**
 * Histories of concurrent operations, and a check of whether they are linearizable: whether each operation can take
 * effect at one moment between its call and its return, so that all results are those of the model.
 *
 * The check is the search by Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with the memoization by
 * Lowe ("Testing for Linearizability", 2017), as in Porcupine.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { same } from "../internal/store/same.ts"
import type * as Lookup from "../Lookup.ts"
import * as Registry from "../Registry.ts"
import type * as RegistryError from "../RegistryError.ts"
import type * as RegistryEvent from "../RegistryEvent.ts"
import * as RegistrySnapshot from "../RegistrySnapshot.ts"
import type {
  JointOperation,
  JointState,
  ModelState,
  Operation,
  OperationResult,
  Specification,
  TransactionEnding
} from "./model.ts"

/**
 * One operation of a history. `called` and `returned` are times of a clock that ticks at every call and return. An
 * interrupted operation has no result: it may or may not have taken effect before it ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recorded<out Op> {
  readonly process: string | number
  readonly operation: Op
  readonly called: number
  readonly returned?: number | undefined
  readonly result?: OperationResult | undefined
}

/**
 * One operation of the history of a registry.
 *
 * @category models
 * @since 0.1.0
 */
export interface HistoryEntry<Item> extends Recorded<Operation<Item>> {}

/**
 * The operations of all processes, in the order of their calls. A process runs one operation at a time, as a fiber
 * does.
 *
 * @category models
 * @since 0.1.0
 */
export type History<Item> = ReadonlyArray<HistoryEntry<Item>>

/**
 * The operations of all processes on several registries, in the order of their calls.
 *
 * @category models
 * @since 0.1.0
 */
export type JointHistory<Item> = ReadonlyArray<Recorded<JointOperation<Item>>>

/**
 * Runs operations on a registry, and records their history.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recorder<Item> {
  /** Runs an operation for a process, and answers its result as plain data. */
  readonly run: (process: string | number, operation: Operation<Item>) => Effect.Effect<OperationResult>
  /** What was run so far. */
  readonly history: () => History<Item>
  /** Closes the scopes that are still open, and ends the subscriptions, outside of the history. */
  readonly closeScopes: Effect.Effect<void>
}

/**
 * Runs operations on several registries, and records their history.
 *
 * @category models
 * @since 0.1.0
 */
export interface JointRecorder<Item> {
  /** Runs an operation for a process, and answers its result as plain data. */
  readonly run: (process: string | number, operation: JointOperation<Item>) => Effect.Effect<OperationResult>
  /** What was run so far. */
  readonly history: () => JointHistory<Item>
  /** Closes the scopes that are still open, and ends the subscriptions, outside of the history. */
  readonly closeScopes: Effect.Effect<void>
}

/**
 * Makes a recorder of operations on a registry.
 *
 * **Details**
 *
 * A scope is made when its name first occurs. The state `Populating` is recorded as `Pending`, because it is not part
 * of the contents. `nextChange` applies the events of one change to what its subscription has seen before, for one
 * process at a time. The first `kept` installs a hook, which stays installed.
 *
 * **Example** (Two processes)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { RegistryTest } from "effect-registry/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const registry = yield* Registry.make<string>()({ lookup: [] })
 *   const recorder = RegistryTest.record(registry)
 *   yield* Effect.all([recorder.run(1, ["register", "a"]), recorder.run(2, ["register", "a"])], { concurrency: 2 })
 *   return recorder.history().map(({ process, result }) => [process, result])
 * }))
 *
 * await Effect.runPromise(program)
 * // => [[1, { ok: undefined }], [2, { error: "AlreadyRegisteredError", code: "already_registered" }]]
 * ```
 *
 * @category recording
 * @since 0.1.0
 */
export const record = <Item, Lookups, P, V>(registry: Registry.Registry<Item, Lookups, P, V>): Recorder<Item> => {
  const subject = subjectOf(registry)
  return recorderOf(
    (operation: Operation<Item>, aborted) => effectOf(subject, operation, aborted),
    closeAll(subject)
  )
}

/**
 * Makes a recorder of operations on several named registries.
 *
 * **Example** (A move, and somebody who looks at both)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { RegistryTest } from "effect-registry/testing"
 * import { Effect } from "effect"
 *
 * const model = RegistryTest.modelAll<string>({ enabled: { lookup: {}, defaults: ["gzip"] }, disabled: { lookup: {} } })
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const enabled = yield* Registry.make<string>()({ lookup: [], defaults: ["gzip"] })
 *   const recorder = RegistryTest.recordAll({ enabled, disabled: yield* Registry.make<string>()({ lookup: [] }) })
 *   const moving = recorder.run("one", [
 *     "transactAll",
 *     [["enabled", ["unregister", "gzip"]], ["disabled", ["register", "gzip"]]],
 *     "commit"
 *   ])
 *   const looking = Effect.andThen(
 *     recorder.run("two", ["on", "enabled", ["values"]]),
 *     recorder.run("two", ["on", "disabled", ["values"]])
 *   )
 *   yield* Effect.all([moving, looking], { concurrency: "unbounded" })
 *   yield* RegistryTest.linearize(model, recorder.history())
 * }))
 *
 * await Effect.runPromise(RegistryTest.interleave(program, { seeds: 50 })) // => { schedules: 50 }
 * ```
 *
 * @category recording
 * @since 0.1.0
 */
export const recordAll = <Item>(
  registries: { readonly [registry: string]: Registry.Registry<Item, any, any, any> }
): JointRecorder<Item> => {
  const subjects = new Map(Object.entries(registries).map(([name, registry]) => [name, subjectOf(registry)]))
  const on = (name: string, operation: Operation<Item>, aborted: Aborted) => {
    const subject = subjects.get(name)
    return subject === undefined
      ? Effect.die(new Error(`There is no registry "${name}".`))
      : effectOf(subject, operation, aborted)
  }
  return recorderOf(
    (operation: JointOperation<Item>, aborted) =>
      operation[0] === "on"
        ? on(operation[1], operation[2], aborted)
        : Registry.transactAll(
          Object.values(registries),
          together(operation[1].map(([name, one]) => perform((inner) => on(name, one, inner))), operation[2], aborted)
        ),
    Effect.forEach(subjects.values(), closeAll, { discard: true })
  )
}

const recorderOf = <Op>(
  effect: (operation: Op, aborted: Aborted) => Effect.Effect<unknown, unknown>,
  closeScopes: Effect.Effect<void>
) => {
  const entries: Array<Recorded<Op>> = []
  let clock = 0
  return {
    run: (process: string | number, operation: Op): Effect.Effect<OperationResult> =>
      // what has been called is sure to be seen to end
      Effect.uninterruptibleMask((restore) => {
        const index = entries.length
        const entry = { process, operation, called: clock++ }
        entries.push(entry)
        return Effect.onExit(restore(perform((aborted) => effect(operation, aborted))), (exit) =>
          Effect.sync(() => {
            const returned = { ...entry, returned: clock++ }
            entries[index] = Exit.isSuccess(exit) ? { ...returned, result: exit.value } : returned
          }))
      }),
    history: () => entries.slice(),
    closeScopes
  }
}

/** Attributes and keys of operations as plain data are strings and unknown values. */
type AnyLookup<Item> = { readonly [attribute: string]: Lookup.Unique<Item> }

type Untyped<Item> = Registry.Registry<Item, AnyLookup<Item>, unknown, unknown>

/** A registry, and what the operations on it have to do with each other. */
interface Subject<Item> {
  readonly registry: Untyped<Item>
  readonly scopes: Map<string, Scope.Closeable>
  readonly followers: Map<string, Follower<Item>>
  /** The items that the hook has been told of, once somebody has asked. */
  kept: Set<Item> | undefined
  /** The subscriptions and the hook end when it closes. */
  readonly following: Scope.Closeable
}

const subjectOf = <Item, Lookups, P, V>(registry: Registry.Registry<Item, Lookups, P, V>): Subject<Item> => ({
  // what a history asks, with which attribute and which key, is known when it runs
  registry: registry as unknown as Untyped<Item>,
  scopes: new Map(),
  followers: new Map(),
  kept: undefined,
  following: Scope.makeUnsafe()
})

const closeAll = <Item>({ following, scopes }: Subject<Item>): Effect.Effect<void> =>
  Effect.suspend(() =>
    Effect.forEach([...scopes.values(), following], (scope) => Scope.close(scope, Exit.void), { discard: true })
  )

/** Runs an operation, and answers its result as plain data. An interruption stays one. */
const perform = (effect: (aborted: Aborted) => Effect.Effect<unknown, unknown>): Effect.Effect<OperationResult> =>
  Effect.suspend(() => {
    const aborted: Aborted = { results: [] }
    return Effect.matchCauseEffect(effect(aborted), {
      onFailure: (cause): Effect.Effect<OperationResult> => {
        const reason = cause.reasons.find((one) => !Cause.isInterruptReason(one))
        if (reason === undefined || cause.reasons.some(Cause.isInterruptReason)) return Effect.interrupt
        const problem = Cause.isFailReason(reason) ? reason.error : Cause.isDieReason(reason) ? reason.defect : reason
        if (problem === aborted) return Effect.succeed({ aborted: aborted.results })
        const [name, code] = [describe(problem, "_tag"), describe(problem, "code")]
        return Effect.succeed(Cause.isFailReason(reason) ? { error: name, code } : { defect: name, code })
      },
      onSuccess: (ok) => Effect.succeed({ ok })
    })
  })

/** The tag or code of an error, and its message where it has none. */
const describe = (problem: unknown, property: "_tag" | "code"): string => {
  const value = Predicate.hasProperty(problem, property) ? problem[property] : undefined
  if (typeof value === "string") return value
  return problem instanceof Error ? problem.message : Formatter.format(problem)
}

const off = { reason: "off" }

/** What a transaction that is given up fails or dies with. */
interface Aborted {
  readonly results: Array<OperationResult>
}

/** The body of a transaction: all operations, whatever comes of each, and the end. */
const together = (
  operations: ReadonlyArray<Effect.Effect<OperationResult>>,
  ending: TransactionEnding,
  aborted: Aborted
): Effect.Effect<ReadonlyArray<OperationResult>, Aborted> => {
  const { results } = aborted
  const all = Effect.forEach(operations, (one) => Effect.map(one, (result) => results.push(result)))
  const end = ending === "commit"
    ? Effect.succeed(results)
    : ending === "fail"
    ? Effect.fail(aborted)
    : Effect.die(aborted)
  return Effect.andThen(all, end)
}

/** A follower of a registry: the items that it has seen, and how many changes it took. */
class Follower<Item> {
  private items: ReadonlyArray<Item>
  private seen = 0
  private readonly revision: number
  private readonly changes: Registry.Subscription<Item, AnyLookup<Item>>["changes"]

  constructor({ changes, snapshot }: Registry.Subscription<Item, AnyLookup<Item>>) {
    this.items = Array.from(snapshot)
    this.revision = RegistrySnapshot.revision(snapshot)
    this.changes = changes
  }

  /** The stream is read from its beginning each time: an interruption loses nothing. */
  get next(): Effect.Effect<ReadonlyArray<Item>, RegistryError.RegistryLagged> {
    return Effect.flatMap(
      Effect.suspend(() => Stream.runHead(Stream.drop(this.changes, this.seen))),
      Option.match({ onNone: () => Effect.interrupt, onSome: (change) => Effect.sync(() => this.apply(change)) })
    )
  }

  private apply({ events, revision }: RegistryEvent.RegistryChange<Item>): ReadonlyArray<Item> {
    const expected = this.revision + this.seen + 1
    if (revision !== expected) throw new Error(`revision ${revision} where ${expected} was to come`)
    const items = events.reduce(following, this.items)
    this.seen++
    return this.items = items
  }
}

const following = <Item>(
  items: ReadonlyArray<Item>,
  event: RegistryEvent.RegistryEvent<Item>
): ReadonlyArray<Item> => {
  const expect = (item: Item, position: number): void => {
    if (position < 0 || position >= items.length || !Object.is(items[position], item)) {
      throw new Error(`${event._tag}, of what was not there`)
    }
  }
  switch (event._tag) {
    case "Registered":
      return items.toSpliced(event.position, 0, event.item)
    case "Unregistered":
      expect(event.item, event.position)
      return items.toSpliced(event.position, 1)
    case "Replaced":
      expect(event.previous, event.position)
      return items.with(event.position, event.item)
    case "Moved":
      expect(event.item, event.from)
      return items.toSpliced(event.from, 1).toSpliced(event.position, 0, event.item)
    case "Populated":
    case "Reset": {
      const size = event._tag === "Reset" ? 0 : event.size
      if (items.length !== size) throw new Error(`${event._tag}, with ${items.length} items instead of ${size}`)
      return items
    }
  }
}

/** What a hook has that keeps the items of which it was told. It is installed when somebody asks first. */
const keptBy = <Item>(subject: Subject<Item>): Effect.Effect<ReadonlyArray<Item>, unknown> =>
  Effect.gen(function*() {
    const values = yield* Registry.values(subject.registry)
    if (subject.kept === undefined) {
      const kept = new Set(values)
      yield* Scope.provide(
        Registry.addHooks(subject.registry, {
          onItemRegistered: (item) => Effect.sync(() => kept.add(item)),
          onItemUnregistered: (item) => Effect.sync(() => kept.delete(item))
        }),
        subject.following
      )
      subject.kept = kept
    }
    const { kept } = subject
    return [...values.filter((item) => kept.has(item)), ...Array.from(kept).filter((item) => !values.includes(item))]
  })

const effectOf = <Item>(
  subject: Subject<Item>,
  operation: Operation<Item>,
  aborted: Aborted
): Effect.Effect<unknown, unknown> => {
  const { followers, registry, scopes } = subject
  const scopeOf = (name: string): Scope.Closeable => {
    const scope = scopes.get(name) ?? Scope.makeUnsafe()
    scopes.set(name, scope)
    return scope
  }
  switch (operation[0]) {
    case "get":
      return Registry.get(registry, operation[1], operation[2])
    case "lease":
      return Scope.provide(Registry.lease(registry, operation[1], operation[2]), scopeOf(operation[3]))
    case "getOption":
      return Registry.getOption(registry, operation[1], operation[2])
    case "getAll":
      return Registry.getAll(registry, operation[1], operation[2])
    case "has":
      return Registry.has(registry, operation[1], operation[2])
    case "contains":
      return Registry.contains(registry, operation[1])
    case "size":
      return Registry.size(registry)
    case "values":
      return Registry.values(registry)
    case "kept":
      // nobody else is at work in the transaction
      return Registry.transact(registry, Effect.suspend(() => keptBy(subject)))
    case "at":
      return Registry.at(registry, operation[1])
    case "state":
      return Effect.map(Registry.state(registry), (state) => state === "Populating" ? "Pending" : state)
    case "register":
      return Registry.register(registry, operation[1])
    case "registerAll":
      return Registry.registerAll(registry, operation[1])
    case "upsert":
      return Registry.upsert(registry, operation[1])
    case "registerScoped":
      return Scope.provide(Registry.registerScoped(registry, operation[1]), scopeOf(operation[2]))
    case "registerAllScoped":
      return Scope.provide(Registry.registerAllScoped(registry, operation[1]), scopeOf(operation[2]))
    case "override":
      return Scope.provide(Registry.override(registry, operation[1]), scopeOf(operation[2]))
    case "upsertScoped":
      return Scope.provide(Registry.upsertScoped(registry, operation[1]), scopeOf(operation[2]))
    case "disable":
      return Registry.disable(registry, operation[1], operation[2], off)
    case "disableScoped":
      return Scope.provide(Registry.disableScoped(registry, operation[1], operation[2], off), scopeOf(operation[3]))
    case "enable":
      return Registry.enable(registry, operation[1], operation[2])
    case "close":
      return Scope.close(scopeOf(operation[1]), Exit.void)
    case "unregister":
      return Registry.unregister(registry, operation[1])
    case "unregisterBy":
      return Registry.unregisterBy(registry, operation[1], operation[2])
    case "replace":
      return Registry.replace(registry, operation[1], operation[2], operation[3])
    case "unregisterOwner":
      return Registry.unregisterOwner(registry, operation[1])
    case "reconcile":
      return Registry.reconcile(registry, operation[1], { owner: operation[2] })
    case "explain":
      return Effect.map(Registry.explain(registry, operation[1], operation[2]), (explanation) => {
        switch (explanation._tag) {
          case "Present": {
            const { _tag, hides, item, owner, updated } = explanation
            return { _tag, item, owner, updatedBy: updated?.by, hides }
          }
          case "Disabled":
            return { _tag: explanation._tag, item: explanation.item }
          case "Absent":
          case "PopulationFailed":
            return { _tag: explanation._tag }
          default:
            return { ...explanation }
        }
      })
    case "as":
      return Effect.provideService(effectOf(subject, operation[2], aborted), Registry.Owner, operation[1])
    case "populate":
      return Registry.populate(registry)
    case "refresh":
      return Registry.refresh(registry)
    case "reset":
      return Registry.reset(registry)
    case "transact":
      return Registry.transact(
        registry,
        together(
          operation[1].map((one) => perform((inner) => effectOf(subject, one, inner))),
          operation[2],
          aborted
        )
      )
    case "awaitItem":
      return Registry.awaitItem(registry, operation[1], operation[2])
    case "subscribe":
      return Effect.map(Scope.provide(Registry.subscribe(registry), subject.following), (subscription) => {
        followers.set(operation[1], new Follower(subscription))
        return Array.from(subscription.snapshot)
      })
    case "nextChange":
      return followers.get(operation[1])?.next ?? Effect.never
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Checking
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A history that is not linearizable, with the order of the longest run of operations on which the model agrees. The
 * message shows the history as a timeline.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotLinearizable extends Schema.TaggedError<NotLinearizable>()("NotLinearizable", {
  history: Schema.Unknown,
  longestPrefix: Schema.Unknown,
  text: Schema.String
}) {
  override get message(): string {
    return this.text
  }
}

/**
 * Finds an order in which the operations of a history can have taken effect, or fails with `NotLinearizable`.
 *
 * **Details**
 *
 * Operations that never returned may be left out. A transaction counts as one operation, also one of several
 * registries. An operation that finds a registry `Pending` populates it first, in a separate transaction: that may be
 * visible before the operation takes effect, and other operations may reset the registry in between. An `awaitItem` or
 * `nextChange` that has neither returned nor been interrupted is still waiting, so record a history to its end: at the
 * end there must be nothing for which it would return.
 *
 * The search may take time exponential in the number of overlapping operations. It is one synchronous step, which
 * cannot be interrupted.
 *
 * **Example** (A read that is too old)
 *
 * ```ts
 * import { RegistryTest } from "effect-registry/testing"
 * import { Effect } from "effect"
 *
 * const model = RegistryTest.model<string>({ lookup: {} })
 * const history: RegistryTest.History<string> = [
 *   { process: 1, operation: ["register", "a"], called: 0, returned: 1, result: { ok: undefined } },
 *   { process: 2, operation: ["size"], called: 2, returned: 3, result: { ok: 0 } }
 * ]
 *
 * const program = Effect.map(Effect.flip(RegistryTest.linearize(model, history)), (error) => error.message.split("\n")[2])
 *
 * await Effect.runPromise(program) // => "  1 |register a: ok|"
 * ```
 *
 * @category checking
 * @since 0.1.0
 */
export const linearize = <
  State extends ModelState<unknown> | JointState<unknown>,
  Op extends Operation<unknown> | JointOperation<unknown>
>(
  model: Specification<State, Op>,
  history: ReadonlyArray<Recorded<Op>>,
  options?: {
    /** Shows items and keys in the message. */
    readonly show?: ((value: unknown) => string) | undefined
  }
): Effect.Effect<ReadonlyArray<Recorded<Op>>, NotLinearizable> =>
  Effect.suspend(() => {
    const found = search(model, history)
    if (found.linearizable) return Effect.succeed(found.order)
    const show = options?.show ?? ((value) => typeof value === "string" ? value : Formatter.format(value))
    const text = explain(model, history, found, show)
    return Effect.fail(new NotLinearizable({ history, longestPrefix: found.order, text }))
  })

type AnyState = ModelState<unknown> | JointState<unknown>

type AnyOperation = Operation<unknown> | JointOperation<unknown>

interface Found<State, Op> {
  readonly linearizable: boolean
  /** The order, or the longest one. */
  readonly order: ReadonlyArray<Recorded<Op>>
  readonly state: State
}

const search = <State extends AnyState, Op extends AnyOperation>(
  model: Specification<State, Op>,
  history: ReadonlyArray<Recorded<Op>>
): Found<State, Op> => {
  const stateKey = stateKeys()
  const seen = new Set<string>()
  const order: Array<Recorded<Op>> = []
  const completed = history.reduce((count, { result }) => result === undefined ? count : count + 1, 0)
  let mostCompleted = -1
  let longest: Found<State, Op> = { linearizable: false, order: [], state: model.initial }

  /** `done` has a bit for each operation that has taken effect, `count` is how many of them returned. */
  const visit = (done: bigint, count: number, state: State): boolean => {
    const key = `${done} ${stateKey(state)}`
    if (seen.has(key)) return false
    seen.add(key)
    const linearizable = count === completed && missedBy(model, history, state).length === 0
    if (count > mostCompleted || linearizable) {
      mostCompleted = count
      longest = { linearizable, order: order.slice(), state }
    }
    if (linearizable) return true
    const next = candidates(history, (index) => (done >> BigInt(index) & 1n) === 1n)
    for (const index of next) {
      const entry = history[index]!
      if (stillWaits(entry)) continue
      const [result, nextState] = model.step(state, entry.operation)
      if ("waits" in result || entry.result !== undefined && !same(result, entry.result)) continue
      order.push(entry)
      if (visit(done | 1n << BigInt(index), entry.result === undefined ? count : count + 1, nextState)) return true
      order.pop()
    }
    return next.some((index) =>
      model.populations(state, history[index]!.operation).some((populated) => visit(done, count, populated))
    )
  }
  visit(0n, 0, model.initial)
  return longest
}

/** Whether it has not ended, and is what waits for others to do something. */
const stillWaits = ({ operation, returned }: Recorded<AnyOperation>): boolean => {
  const [name] = operation[0] === "on" ? operation[2] : operation
  return returned === undefined && (name === "awaitItem" || name === "nextChange")
}

/** The operations that still wait at the end, though there is something for them. */
const missedBy = <State, Op extends AnyOperation>(
  model: Specification<State, Op>,
  history: ReadonlyArray<Recorded<Op>>,
  state: State
): ReadonlyArray<Recorded<Op>> =>
  history.filter((entry) => stillWaits(entry) && !("waits" in model.step(state, entry.operation)[0]))

/**
 * The operations that can take effect next: those that were called before any that has yet to take effect returned. An
 * interrupted one need not take effect, but cannot do so after one that was called when it had ended.
 */
const candidates = (
  history: ReadonlyArray<Recorded<unknown>>,
  isDone: (index: number) => boolean
): ReadonlyArray<number> => {
  let firstReturn = Infinity
  let lastCall = -1
  history.forEach(({ called, result, returned = Infinity }, index) => {
    if (isDone(index)) lastCall = Math.max(lastCall, called)
    else if (result !== undefined) firstReturn = Math.min(firstReturn, returned)
  })
  return Array.from(history.keys()).filter((index) => {
    const { called, returned = Infinity } = history[index]!
    return !isDone(index) && called < firstReturn && returned > lastCall
  })
}

/** A text for each state: equal states have equal ones. */
const stateKeys = (): (state: AnyState) => string => {
  const numbers = new Map<unknown, number>()
  const numberOf = (item: unknown): number => {
    const number = numbers.get(item) ?? numbers.size
    numbers.set(item, number)
    return number
  }
  const partOf = ({ closed, entries, rules, state, subscriptions, waiting }: ModelState<unknown>) => {
    const all = [...entries, ...waiting]
    const numbered = [...all, ...rules]
    return [
      state,
      entries.length,
      all.map(({ batch, item, number, override, owner, scope, updatedBy }) => [
        numberOf(item),
        scope,
        owner,
        updatedBy,
        override,
        // how it stands to the others is all that counts
        numbered.filter((other) => other.number < number).length,
        all.findIndex((other) => other.batch === batch)
      ]),
      rules.map(({ attribute, number, scope, value }) => [
        attribute,
        numberOf(value),
        scope,
        numbered.filter((other) => other.number < number).length
      ]),
      closed.toSorted(),
      subscriptions.map(({ changes, name }) => [name, changes.map((items) => items.map(numberOf))])
    ]
  }
  return (state) => JSON.stringify("registries" in state ? Object.values(state.registries).map(partOf) : partOf(state))
}

// ---------------------------------------------------------------------------------------------------------------------
// Showing
// ---------------------------------------------------------------------------------------------------------------------

type Show = (value: unknown) => string

const explain = <State, Op extends AnyOperation>(
  model: Specification<State, Op>,
  history: ReadonlyArray<Recorded<Op>>,
  { order, state }: Found<State, Op>,
  show: Show
): string => {
  const next = candidates(history, (index) => order.includes(history[index]!))
    .map((index) => history[index]!)
    .filter(({ result }) => result !== undefined)
  const stuck = (next.length === 0 ? missedBy(model, history, state) : next).map((entry) => {
    const [result] = model.step(state, entry.operation)
    return `${labelOf(entry, show)}, but the model ${
      "waits" in result ? "waits" : `answers ${showResult(result, show)}`
    }`
  })
  return [
    "The history is not linearizable:",
    "",
    ...timeline(history, show).map(indented),
    "",
    "The longest order that the model agrees to:",
    "",
    ...(order.length === 0 ? ["none"] : order.map((entry) => labelOf(entry, show))).map(indented),
    "",
    "Then none of these can come next:",
    "",
    ...stuck.map(indented)
  ].join("\n")
}

const indented = (line: string): string => `  ${line}`

/** One line a process. Calls and returns stand from left to right in the order in which they happened. */
const timeline = (history: ReadonlyArray<Recorded<AnyOperation>>, show: Show): ReadonlyArray<string> => {
  const labels = history.map((entry) => showEntry(entry, show))
  const moments = history.flatMap(({ called, returned }, index) => [
    { time: called, index, returns: false },
    ...(returned === undefined ? [] : [{ time: returned, index, returns: true }])
  ]).toSorted((first, second) => first.time - second.time)
  const starts: Array<number> = []
  const ends: Array<number> = []
  let column = 0
  for (const { index, returns } of moments) {
    if (returns) ends[index] = column = Math.max(column, starts[index]! + labels[index]!.length + 1)
    else starts[index] = column
    column += 2
  }
  const processes = Array.from(new Set(history.map(({ process }) => process)))
  const width = Math.max(...processes.map((process) => String(process).length))
  return processes.map((process) => {
    let line = `${String(process).padEnd(width)} `
    history.forEach((entry, index) => {
      if (entry.process !== process) return
      const end = ends[index]
      const label = end === undefined
        ? `|${labels[index]!}`
        : `|${labels[index]!.padEnd(end - starts[index]! - 1, "-")}|`
      line = line.padEnd(width + 1 + starts[index]!) + label
    })
    return line
  })
}

const labelOf = (entry: Recorded<AnyOperation>, show: Show): string => `${entry.process} ${showEntry(entry, show)}`

const showEntry = (entry: Recorded<AnyOperation>, show: Show): string => {
  const { operation, result } = entry
  const outcome = result !== undefined ? showResult(result, show) : stillWaits(entry) ? "waits" : "interrupted"
  return `${showOperation(operation, show)}: ${outcome}`
}

const showOperation = (operation: AnyOperation, show: Show): string => {
  switch (operation[0]) {
    case "on":
      return `${operation[1]} ${showOperation(operation[2], show)}`
    case "transact":
      return showTransaction(operation[0], operation[1].map((one) => showOperation(one, show)), operation[2])
    case "transactAll": {
      const operations = operation[1].map(([registry, one]) => `${registry} ${showOperation(one, show)}`)
      return showTransaction(operation[0], operations, operation[2])
    }
    default:
      return [operation[0], ...operation.slice(1).map((value) => showValue(value, show))].join(" ")
  }
}

const showTransaction = (name: string, operations: ReadonlyArray<string>, ending: TransactionEnding): string =>
  `${name} { ${[...operations, ending].join("; ")} }`

const showResult = (result: OperationResult, show: Show): string => {
  if ("error" in result) return result.code
  if ("defect" in result) return `died of ${result.code}`
  if ("waits" in result) return "waits"
  if ("aborted" in result) return `aborted ${showResults(result.aborted, show)}`
  return result.ok === undefined ? "ok" : showValue(result.ok, show)
}

const showResults = (results: ReadonlyArray<OperationResult>, show: Show): string =>
  `[${results.map((one) => showResult(one, show)).join(", ")}]`

const showValue = (value: unknown, show: Show): string =>
  Array.isArray(value)
    ? `[${value.map((one) => isResult(one) ? showResult(one, show) : showValue(one, show)).join(", ")}]`
    : show(value)

/** In what a `transact` answers. */
const isResult = (value: unknown): value is OperationResult =>
  ["ok", "error", "defect", "aborted"].some((property) => Predicate.hasProperty(value, property))
