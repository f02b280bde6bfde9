/** Replicas of one shared registry in one process, each as another process would have it. */
import { assert } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Latch, Layer, References, Schema, Scope } from "effect"
import { Lookup, Registry } from "effect-registry"
import { RegistryLog, SharedRegistry } from "effect-registry/shared"
import { TestClock } from "effect/testing"
import { coreOf } from "../../src/internal/coreOf.ts"
import { contentsOf } from "../../src/internal/engine/core.ts"
import { allEntries, holds } from "../../src/internal/store/contents.ts"
import * as Order from "../../src/internal/store/order.ts"
import { type Faults, faulty, noFaults } from "./faultyLog.ts"
import { replay, textOf } from "./oracle.ts"
import * as Store from "./storeOfLogs.ts"

export const Tool = Schema.Struct({
  name: Schema.String,
  slot: Schema.optionalKey(Schema.Number),
  kind: Schema.optionalKey(Schema.String)
})

export type Tool = typeof Tool.Type

export const tool = (name: string, kind = "read"): Tool => ({ name, kind })

const lookup = {
  name: Lookup.unique((item: Tool) => item.name),
  slot: Lookup.optional(Lookup.unique((item: Tool) => item.slot)),
  kind: Lookup.optional(Lookup.group((item: Tool) => item.kind))
}

export type Options = Partial<
  SharedRegistry.SharedOptions<
    Tool,
    typeof lookup,
    ReadonlyArray<Tool> | Effect.Effect<ReadonlyArray<Tool>, any>,
    {},
    any
  > & { readonly name: string }
>

const makeIn = (options: Options) =>
  SharedRegistry.make<Tool>()<typeof lookup, {}, ReadonlyArray<Tool> | Effect.Effect<ReadonlyArray<Tool>, any>, any>({
    name: "tools",
    schema: Tool,
    lookup,
    lifetime: "cluster",
    ...options
  })

export type Tools = Effect.Success<ReturnType<typeof makeIn>>

export interface Process {
  readonly registry: Tools
  readonly scope: Scope.Closeable
  /** What goes wrong between it and the log. */
  readonly faults: Faults
  /** It ends in good order. */
  readonly close: Effect.Effect<void>
  /** It ends as if it had never been told. */
  readonly kill: Effect.Effect<void>
}

export type Log = RegistryLog.RegistryLog["Service"]

/** A process that has not joined. `around` changes how it sees the log. */
export const unjoined = (
  options: Options = {},
  { around = (log: Log) => log, random = Math.random }: {
    readonly around?: (log: Log) => Log
    readonly random?: () => number
  } = {}
): Effect.Effect<Process, never, Scope.Scope | RegistryLog.RegistryLog> =>
  Effect.gen(function*() {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const faults = noFaults()
    const log = around(faulty(yield* RegistryLog.RegistryLog, faults, random))
    const registry = yield* Scope.provide(
      Effect.provide(makeIn(options), Layer.succeed(RegistryLog.RegistryLog, log)),
      scope
    )
    const close = Scope.close(scope, Exit.void)
    const kill = Effect.suspend(() => {
      faults.isDead = true
      return close
    })
    return { registry, scope, faults, close, kill }
  })

/** A process that has joined. */
export const process = (options: Options = {}, more: Parameters<typeof unjoined>[1] = {}) =>
  Effect.tap(unjoined(options, more), ({ registry }) => Registry.populate(registry))

export const names = (registry: Tools) =>
  Effect.map(Registry.values(registry), (items) => items.map(({ name }) => name).join(" "))

/** What each of some processes has, once all have seen all. */
export const synced = (...processes: ReadonlyArray<Process>) =>
  Effect.andThen(
    Effect.forEach(processes, ({ registry }) => SharedRegistry.sync(registry)),
    Effect.forEach(processes, ({ registry }) => names(registry))
  )

/** All that a process has, visible or not. */
export const dump = (registry: Tools): string => {
  const contents = contentsOf(coreOf(registry))
  return [
    ...allEntries(contents).map((entry) => ({ entry, state: holds(contents, entry) ? "visible" : "hidden" })),
    ...Order.toArray(contents.waiting, (entry) => ({ entry, state: "waiting" }))
  ].toSorted((one, other) => one.entry.position - other.entry.position)
    .map(({ entry: { item, position }, state }) => `${position} ${state} ${textOf(item)}`).join("\n")
}

/** Time passes as long as a program runs. */
export const whileTimePasses = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const passing = yield* Effect.forkChild(Effect.forever(Effect.andThen(
      Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow),
      TestClock.adjust(10)
    )))
    return yield* Effect.ensuring(effect, Fiber.interrupt(passing))
  })

/** A program over a log of its own, in a time of its own. */
export const withLog = <A, E>(
  effect: Effect.Effect<A, E, RegistryLog.RegistryLog | Scope.Scope>
): Effect.Effect<A, E> =>
  whileTimePasses(Effect.scoped(Effect.provide(effect, RegistryLog.layerMemory, { local: true }))).pipe(
    Effect.provideService(References.MinimumLogLevel, "None")
  )

/** How many records the log has. */
export const records = Effect.gen(function*() {
  const log = yield* RegistryLog.RegistryLog
  const page = yield* log.read("tools", { revision: 0, id: "", token: "" }, 1_000_000)
  return page.records === "truncated" ? [] : page.records
})

export const quick: Options = { patience: "1 second" }

/** The code of an expected failure. */
export const codeOf = <A, R>(effect: Effect.Effect<A, any, R>): Effect.Effect<string, never, R> =>
  Effect.match(effect, { onFailure: (error) => String(error.code), onSuccess: () => "ok" })

/** A program over a store that a test can harm. */
export const withStore = <A, E>(
  program: (store: Store.Store) => Effect.Effect<A, E, RegistryLog.RegistryLog | Scope.Scope>
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    const store = Store.make()
    return whileTimePasses(Effect.scoped(Effect.provide(program(store), store.layer)))
  })

/** Hooks that count what they are told. */
export const counting = () => {
  const calls: Array<string> = []
  const note = (sign: string) => ({ name }: Tool) => Effect.sync(() => void calls.push(sign + name))
  return {
    calls,
    hooks: {
      onItemRegistering: note("?"),
      onItemRegistered: note("+"),
      onItemUnregistering: note("!"),
      onItemUnregistered: note("-")
    }
  }
}

export const lost = () => new RegistryLog.LogError({ cause: new Error("lost"), definite: false })

export const scopedIn = (registry: Process["registry"], item: Tool) =>
  Effect.flatMap(
    Scope.make(),
    (scope) => Effect.as(Scope.provide(Registry.registerScoped(registry, item), scope), scope)
  )

export const noProblems = Effect.gen(function*() {
  const said = yield* replay(yield* RegistryLog.RegistryLog, "tools", ["name", "slot"])
  assert.deepStrictEqual(said.problems, [])
  return said
})

/** A log whose appends wait, when they are held, until they are let go. */
export const held = Effect.gen(function*() {
  const latch = yield* Latch.make(true)
  const sent = yield* Deferred.make<void>()
  const state = { isOn: false }
  const around = (log: Log): Log => ({
    ...log,
    append: (registry, after, record) =>
      state.isOn
        ? Effect.andThen(
          Deferred.succeed(sent, undefined),
          Effect.andThen(latch.await, log.append(registry, after, record))
        )
        : log.append(registry, after, record)
  })
  const hold = Effect.andThen(latch.close, Effect.sync(() => void (state.isOn = true)))
  const letGo = Effect.andThen(Effect.sync(() => void (state.isOn = false)), latch.open)
  return { around, hold, letGo, sent: Deferred.await(sent) }
})
