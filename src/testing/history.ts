/**
 * Histories of concurrent operations, and whether they are linearizable: whether each operation can have taken effect
 * at one moment between its call and its return, so that all of them answered what the model answers.
 *
 * The check is the search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with the memoization of
 * Lowe ("Testing for Linearizability", 2017), as in Porcupine.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type * as Lookup from "../Lookup.ts"
import * as Registry from "../Registry.ts"
import type { Model, ModelState, Operation, OperationResult } from "./model.ts"

/**
 * One operation of a history. `called` and `returned` are moments of a clock that ticks at every call and return. One
 * that was interrupted has no result: it may have taken effect or not, before it ended, if it has.
 *
 * @category models
 * @since 0.1.0
 */
export interface HistoryEntry<Item> {
  readonly process: string | number
  readonly operation: Operation<Item>
  readonly called: number
  readonly returned?: number | undefined
  readonly result?: OperationResult | undefined
}

/**
 * The operations of all processes, in the order of their calls. A process is a fiber, or whoever does one after the
 * other.
 *
 * @category models
 * @since 0.1.0
 */
export type History<Item> = ReadonlyArray<HistoryEntry<Item>>

/**
 * Runs operations on a registry, and keeps their history.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recorder<Item> {
  /** Runs an operation for a process, and answers its result as plain data. */
  readonly run: (process: string | number, operation: Operation<Item>) => Effect.Effect<OperationResult>
  /** What was run so far. */
  readonly history: () => History<Item>
  /** Closes the scopes that are still open, outside of the history. */
  readonly closeScopes: Effect.Effect<void>
}

/**
 * Makes a recorder of operations on a registry.
 *
 * **Details**
 *
 * Scopes are made when their names first occur. The state `Populating` is recorded as `Pending`: it is not part of
 * the contents, and says only that somebody is about to change that.
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
  const entries: Array<HistoryEntry<Item>> = []
  const scopes = new Map<string, Scope.Closeable>()
  let clock = 0
  return {
    run: (process, operation) =>
      Effect.suspend(() => {
        const index = entries.length
        const entry = { process, operation, called: clock++ }
        entries.push(entry)
        return Effect.onExit(perform(untyped(registry), scopes, operation), (exit) =>
          Effect.sync(() => {
            const returned = { ...entry, returned: clock++ }
            entries[index] = Exit.isSuccess(exit) ? { ...returned, result: exit.value } : returned
          }))
      }),
    history: () => entries.slice(),
    closeScopes: Effect.suspend(() =>
      Effect.forEach(Array.from(scopes.values()), (scope) => Scope.close(scope, Exit.void), { discard: true })
    )
  }
}

/** Attributes and keys of operations as plain data are strings and unknown values. */
type Untyped<Item> = Registry.Registry<Item, { readonly [attribute: string]: Lookup.Unique<Item> }, unknown, unknown>

const untyped = <Item, Lookups, P, V>(registry: Registry.Registry<Item, Lookups, P, V>): Untyped<Item> =>
  registry as unknown as Untyped<Item>

/** Runs an operation, and answers its result as plain data. An interruption stays one. */
const perform = <Item>(
  registry: Untyped<Item>,
  scopes: Map<string, Scope.Closeable>,
  operation: Operation<Item>
): Effect.Effect<OperationResult> =>
  Effect.suspend(() => {
    const aborted: Aborted = { results: [] }
    return Effect.matchCauseEffect(effectOf(registry, scopes, operation, aborted), {
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

/** What a transaction that is given up fails or dies with. */
interface Aborted {
  readonly results: Array<OperationResult>
}

const effectOf = <Item>(
  registry: Untyped<Item>,
  scopes: Map<string, Scope.Closeable>,
  operation: Operation<Item>,
  aborted: Aborted
): Effect.Effect<unknown, unknown> => {
  const scopeOf = (name: string): Scope.Closeable => {
    const scope = scopes.get(name) ?? Scope.makeUnsafe()
    scopes.set(name, scope)
    return scope
  }
  switch (operation[0]) {
    case "get":
      return Registry.get(registry, operation[1], operation[2])
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
      return Registry.reconcile(registry, operation[1])
    case "explain":
      return Effect.map(Registry.explain(registry, operation[1], operation[2]), (explanation) => {
        switch (explanation._tag) {
          case "Present": {
            const { _tag, hides, item, owner } = explanation
            return { _tag, item, owner, hides }
          }
          case "Absent":
          case "PopulationFailed":
            return { _tag: explanation._tag }
          default:
            return { ...explanation }
        }
      })
    case "as":
      return Effect.provideService(effectOf(registry, scopes, operation[2], aborted), Registry.Owner, operation[1])
    case "populate":
      return Registry.populate(registry)
    case "reset":
      return Registry.reset(registry)
    case "transact": {
      const [, operations, ending] = operation
      const { results } = aborted
      const all = Effect.forEach(
        operations,
        (one) => Effect.map(perform(registry, scopes, one), (result) => results.push(result))
      )
      const end = ending === "commit"
        ? Effect.succeed(results)
        : ending === "fail"
        ? Effect.fail(aborted)
        : Effect.die(aborted)
      return Registry.transact(registry, Effect.andThen(all, end))
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Checking
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A history that is not linearizable, with the order of as many of its operations as the model agrees to. The message
 * shows it as a timeline.
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
 * Answers an order in which the operations of a history may have taken effect, or fails with `NotLinearizable`.
 *
 * **Details**
 *
 * Operations that never returned may be left out. A transaction counts as one operation. An operation that finds the
 * registry `Pending` populates it first, which is a transaction of its own: it may be seen before the operation takes
 * effect, and others may reset the registry in between.
 *
 * The search takes time that may grow exponentially with the number of operations that overlap.
 *
 * The search is one synchronous step, which nothing interrupts.
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
export const linearize = <Item>(
  model: Model<Item>,
  history: History<Item>,
  options?: {
    /** How items and keys are shown in the message. */
    readonly show?: ((value: unknown) => string) | undefined
  }
): Effect.Effect<History<Item>, NotLinearizable> =>
  Effect.suspend(() => {
    const found = search(model, history)
    if (found.linearizable) return Effect.succeed(found.order)
    const show = options?.show ?? ((value) => typeof value === "string" ? value : Formatter.format(value))
    const text = explain(model, history, found, show)
    return Effect.fail(new NotLinearizable({ history, longestPrefix: found.order, text }))
  })

interface Found<Item> {
  readonly linearizable: boolean
  /** The order, or the longest one. */
  readonly order: History<Item>
  readonly state: ModelState<Item>
}

const search = <Item>(model: Model<Item>, history: History<Item>): Found<Item> => {
  const stateKey = stateKeys<Item>()
  const seen = new Set<string>()
  const order: Array<HistoryEntry<Item>> = []
  const completed = history.reduce((count, { result }) => result === undefined ? count : count + 1, 0)
  let mostCompleted = -1
  let longest: Found<Item> = { linearizable: false, order: [], state: model.initial }

  /** `done` has a bit for each operation that has taken effect, `count` is how many of them returned. */
  const visit = (done: bigint, count: number, state: ModelState<Item>): boolean => {
    const key = `${done} ${stateKey(state)}`
    if (seen.has(key)) return false
    seen.add(key)
    if (count > mostCompleted) {
      mostCompleted = count
      longest = { linearizable: count === completed, order: order.slice(), state }
    }
    if (longest.linearizable) return true
    const next = candidates(history, (index) => (done >> BigInt(index) & 1n) === 1n)
    for (const index of next) {
      const entry = history[index]!
      const [result, nextState] = model.step(state, entry.operation)
      if (entry.result !== undefined && !Equal.equals(result, entry.result)) continue
      order.push(entry)
      if (visit(done | 1n << BigInt(index), entry.result === undefined ? count : count + 1, nextState)) return true
      order.pop()
    }
    if (state.state === "Ready" || next.every((index) => neverPopulates.has(history[index]!.operation[0]))) return false
    return visit(done, count, model.populate(state)[1])
  }
  visit(0n, 0, model.initial)
  return longest
}

const neverPopulates: ReadonlySet<string> = new Set(
  ["state", "reset", "close", "explain"] satisfies Array<Operation<unknown>[0]>
)

/**
 * The operations that can take effect next: those that were called before any that has yet to take effect returned. An
 * interrupted one need not take effect, but cannot do so after one that was called when it had ended.
 */
const candidates = <Item>(history: History<Item>, isDone: (index: number) => boolean): ReadonlyArray<number> => {
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
const stateKeys = <Item>(): (state: ModelState<Item>) => string => {
  const numbers = new Map<Item, number>()
  const numberOf = (item: Item): number => {
    const number = numbers.get(item) ?? numbers.size
    numbers.set(item, number)
    return number
  }
  return ({ closed, entries, state }) =>
    JSON.stringify([
      state,
      entries.map(({ item, number, override, owner, scope }) => [
        numberOf(item),
        scope,
        owner,
        override,
        // how it stands to the others is all that counts
        entries.filter((other) => other.number < number).length
      ]),
      closed.toSorted()
    ])
}

// ---------------------------------------------------------------------------------------------------------------------
// Showing
// ---------------------------------------------------------------------------------------------------------------------

type Show = (value: unknown) => string

const explain = <Item>(
  model: Model<Item>,
  history: History<Item>,
  { order, state }: Found<Item>,
  show: Show
): string => {
  const stuck = candidates(history, (index) => order.includes(history[index]!))
    .map((index) => history[index]!)
    .filter(({ result }) => result !== undefined)
    .map((entry) => {
      const [result] = model.step(state, entry.operation)
      return `${labelOf(entry, show)}, but the model answers ${showResult(result, show)}`
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
const timeline = <Item>(history: History<Item>, show: Show): ReadonlyArray<string> => {
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

const labelOf = <Item>(entry: HistoryEntry<Item>, show: Show): string => `${entry.process} ${showEntry(entry, show)}`

const showEntry = <Item>({ operation, result }: HistoryEntry<Item>, show: Show): string =>
  `${showOperation(operation, show)}: ${result === undefined ? "interrupted" : showResult(result, show)}`

const showOperation = <Item>(operation: Operation<Item>, show: Show): string =>
  operation[0] === "transact"
    ? `transact { ${operation[1].map((one) => showOperation(one, show)).join("; ")}; ${operation[2]} }`
    : [operation[0], ...operation.slice(1).map((value) => showValue(value, show))].join(" ")

const showResult = (result: OperationResult, show: Show): string => {
  if ("error" in result) return result.code
  if ("defect" in result) return `died of ${result.code}`
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
