/**
 * Random programs of several fibers on one registry, whose histories have to be linearizable.
 */
import { Effect, Fiber } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"

export interface Tool {
  readonly id: number
  readonly name: string
}

export const tool = (id: number, name: string): Tool => ({ id, name })

const defaults = [tool(1, "a")]

export const model = RegistryTest.model<Tool>({
  lookup: {
    id: { kind: "unique", select: ({ id }) => id },
    name: { kind: "unique", select: ({ name }) => name }
  },
  defaults
})

export const show = (value: unknown): string =>
  typeof value === "object" && value !== null && "id" in value && "name" in value
    ? `${String(value.id)}${String(value.name)}`
    : String(value)

export type Operation = RegistryTest.Operation<Tool>

export interface Program {
  readonly fibers: ReadonlyArray<ReadonlyArray<Operation>>
  /** Fibers that are interrupted, and after how many turns. */
  readonly interruptions: ReadonlyArray<{ readonly fiber: number; readonly turns: number }>
  readonly hooks: boolean
}

const item = fc.record({ id: fc.integer({ min: 1, max: 3 }), name: fc.constantFrom("a", "b", "c") }, {
  noNullPrototype: true
})
const id = fc.integer({ min: 1, max: 3 })
const name = fc.constantFrom("a", "b", "c")

const reading: fc.Arbitrary<Operation> = fc.oneof(
  id.map((key): Operation => ["getOption", "id", key]),
  name.map((key): Operation => ["get", "name", key]),
  id.map((key): Operation => ["explain", "id", key]),
  fc.constantFrom<Operation>(["size"], ["state"], ["at", -1]),
  fc.constant<Operation>(["values"])
)

const changing: fc.Arbitrary<Operation> = fc.oneof(
  item.map((one): Operation => ["register", one]),
  item.map((one): Operation => ["upsert", one]),
  fc.array(item, { minLength: 2, maxLength: 2 }).map((list): Operation => ["registerAll", list]),
  id.map((key): Operation => ["unregisterBy", "id", key]),
  item.map((one): Operation => ["unregister", one]),
  fc.tuple(id, item).map(([key, one]): Operation => ["replace", "id", key, one]),
  fc.array(item, { maxLength: 3 }).map((list): Operation => ["reconcile", list]),
  item.map((one): Operation => ["as", "x", ["register", one]]),
  fc.constantFrom<Operation>(["populate"], ["reset"], ["unregisterOwner", "x"])
)

const transacting: fc.Arbitrary<Operation> = fc.tuple(
  fc.array(fc.oneof({ weight: 1, arbitrary: reading }, { weight: 3, arbitrary: changing }), {
    minLength: 2,
    maxLength: 3
  }),
  fc.constantFrom("commit" as const, "commit" as const, "fail" as const, "die" as const)
).map(([operations, ending]) => ["transact", operations, ending])

const scoping = fc.tuple(fc.constantFrom("registerScoped" as const, "override" as const), item)
  .map(([kind, one]): Operation => [kind, one, "scope"])

/** The scope of a fiber is its own, and closed once: what is registered in one that has closed comes and goes at once. */
const withScopes = (operations: ReadonlyArray<Operation>, fiber: number): ReadonlyArray<Operation> => {
  let scopes = 0
  return operations.flatMap((operation): ReadonlyArray<Operation> => {
    if (operation[0] !== "registerScoped" && operation[0] !== "override") return [operation]
    const scope = `${fiber}.${scopes++}`
    return [[operation[0], operation[1], scope], ["close", scope]]
  })
}

export const program: fc.Arbitrary<Program> = fc.record({
  fibers: fc.array(
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: reading },
        { weight: 6, arbitrary: changing },
        { weight: 2, arbitrary: transacting },
        { weight: 2, arbitrary: scoping }
      ),
      { minLength: 2, maxLength: 3, size: "max" }
    ),
    { minLength: 3, maxLength: 4, size: "max" }
  ).map((fibers) => fibers.map((operations, fiber) => withScopes(operations, fiber))),
  interruptions: fc.array(
    fc.record({ fiber: fc.integer({ min: 0, max: 2 }), turns: fc.integer({ min: 0, max: 30 }) }),
    {
      maxLength: 2
    }
  ),
  hooks: fc.boolean()
})

const yielding = RegistryHooks.make<Tool>()({
  onItemRegistering: () => Effect.yieldNow,
  onItemRegistered: () => Effect.yieldNow,
  onItemUnregistering: () => Effect.yieldNow,
  onItemUnregistered: () => Effect.yieldNow,
  onPopulating: Effect.yieldNow,
  onResetting: Effect.yieldNow
})

/** Runs a program, and dies if its history is not linearizable. */
export const check = ({ fibers, hooks, interruptions }: Program, figures: { histories: number; interrupted: number }) =>
  Effect.scoped(Effect.gen(function*() {
    const registry = yield* Registry.make<Tool>()({
      lookup: ["id", "name"],
      defaults,
      hooks: hooks ? yielding : RegistryHooks.empty
    })
    const recorder = RegistryTest.record(registry)
    const running = yield* Effect.forEach(
      fibers,
      (operations, fiber) =>
        Effect.forkChild(Effect.forEach(operations, (operation) => recorder.run(fiber, operation), { discard: true }))
    )
    const interrupting = yield* Effect.forEach(interruptions, ({ fiber, turns }) =>
      Effect.forkChild(Effect.andThen(
        Effect.forEach(Array.from({ length: turns }), () => Effect.yieldNow, { discard: true }),
        Fiber.interrupt(running[fiber]!)
      )))
    yield* Effect.forEach([...running, ...interrupting], Fiber.await)
    yield* recorder.run("end", ["state"])
    yield* recorder.run("end", ["values"])
    const history = recorder.history()
    yield* RegistryTest.linearize(model, history, { show })
    yield* recorder.closeScopes
    figures.histories++
    if (history.some(({ result }) => result === undefined)) figures.interrupted++
  }))
