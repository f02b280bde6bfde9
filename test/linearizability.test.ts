import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"

interface Tool {
  readonly id: number
  readonly name: string
}

const tool = (id: number, name: string): Tool => ({ id, name })

const defaults = [tool(1, "a")]

const model = RegistryTest.model<Tool>({
  lookup: {
    id: { kind: "unique", select: ({ id }) => id },
    name: { kind: "unique", select: ({ name }) => name }
  },
  defaults
})

const empty = RegistryTest.model<Tool>({
  lookup: {
    id: { kind: "unique", select: ({ id }) => id },
    name: { kind: "unique", select: ({ name }) => name }
  }
})

const show = (value: unknown): string =>
  typeof value === "object" && value !== null && "id" in value && "name" in value
    ? `${String(value.id)}${String(value.name)}`
    : String(value)

type Operation = RegistryTest.Operation<Tool>

// ---------------------------------------------------------------------------------------------------------------------
// Random concurrent programs
// ---------------------------------------------------------------------------------------------------------------------

interface Program {
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
  fc.constantFrom<Operation>(["populate"], ["reset"])
)

const transacting: fc.Arbitrary<Operation> = fc.tuple(
  fc.array(fc.oneof({ weight: 1, arbitrary: reading }, { weight: 3, arbitrary: changing }), {
    minLength: 2,
    maxLength: 3
  }),
  fc.constantFrom("commit" as const, "commit" as const, "fail" as const, "die" as const)
).map(([operations, ending]) => ["transact", operations, ending])

const scoping = item.map((one): Operation => ["registerScoped", one, "scope"])

/** The scope of a fiber is its own, and closed once: what is registered in one that has closed comes and goes at once. */
const withScopes = (operations: ReadonlyArray<Operation>, fiber: number): ReadonlyArray<Operation> => {
  let scopes = 0
  return operations.flatMap((operation): ReadonlyArray<Operation> => {
    if (operation[0] !== "registerScoped") return [operation]
    const scope = `${fiber}.${scopes++}`
    return [["registerScoped", operation[1], scope], ["close", scope]]
  })
}

const program: fc.Arbitrary<Program> = fc.record({
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
const check = ({ fibers, hooks, interruptions }: Program, figures: { histories: number; interrupted: number }) =>
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

describe("linearizability", () => {
  for (const strategy of ["random", "pct"] as const) {
    it(`G7, G8, G13, G17 every history under ${strategy} schedules is linearizable`, { timeout: 60_000 }, async () => {
      const figures = { histories: 0, interrupted: 0 }
      const seeds = 10
      await fc.assert(
        fc.asyncProperty(program, async (one) => {
          await Effect.runPromise(RegistryTest.interleave(check(one, figures), { strategy, seeds }))
        }),
        { numRuns: 120 }
      )
      assert.isAtLeast(figures.histories, 1200)
      assert.isAtLeast(figures.interrupted, 100)
    })
  }
})

// ---------------------------------------------------------------------------------------------------------------------
// Wrong histories
// ---------------------------------------------------------------------------------------------------------------------

type Call = readonly [
  process: string,
  operation: Operation,
  called: number,
  returned: number | undefined,
  result?: RegistryTest.OperationResult
]

const historyOf = (calls: ReadonlyArray<Call>): RegistryTest.History<Tool> =>
  calls.map(([process, operation, called, returned, result]) => ({ process, operation, called, returned, result }))

const ok = (value?: unknown): RegistryTest.OperationResult => ({ ok: value })

const [a, b, c] = [tool(1, "a"), tool(2, "b"), tool(1, "c")]

const textOf = (calls: ReadonlyArray<Call>) =>
  Effect.map(Effect.flip(RegistryTest.linearize(empty, historyOf(calls), { show })), (error) => error.message)

const orderOf = (calls: ReadonlyArray<Call>) =>
  Effect.map(
    RegistryTest.linearize(empty, historyOf(calls), { show }),
    (order) => order.map(({ operation, process }) => `${process} ${operation[0]}`)
  )

describe("wrong histories are caught", () => {
  it.effect("a stale read", () =>
    Effect.gen(function*() {
      const text = yield* textOf([
        ["writer", ["register", a], 0, 1, ok()],
        ["reader", ["values"], 2, 3, ok([])]
      ])
      assert.strictEqual(
        text,
        `The history is not linearizable:

  writer |register 1a: ok|
  reader                   |values: []|

The longest order that the model agrees to:

  writer register 1a: ok

Then none of these can come next:

  reader values: [], but the model answers [1a]`
      )
    }))

  it.effect("a lost update", () =>
    Effect.gen(function*() {
      const text = yield* textOf([
        ["1", ["register", a], 0, 3, ok()],
        ["2", ["register", b], 1, 2, ok()],
        ["3", ["values"], 4, 5, ok([b])]
      ])
      assert.strictEqual(
        text,
        `The history is not linearizable:

  1 |register 1a: ok----|
  2   |register 2b: ok|
  3                       |values: [2b]|

The longest order that the model agrees to:

  1 register 1a: ok
  2 register 2b: ok

Then none of these can come next:

  3 values: [2b], but the model answers [1a, 2b]`
      )
    }))

  it.effect("a transaction seen half", () =>
    Effect.gen(function*() {
      const text = yield* textOf([
        ["1", ["transact", [["register", a], ["register", b]], "commit"], 0, 3, ok([ok(), ok()])],
        ["2", ["size"], 1, 2, ok(1)]
      ])
      assert.strictEqual(
        text,
        `The history is not linearizable:

  1 |transact { register 1a; register 2b; commit }: [ok, ok]|
  2   |size: 1|

The longest order that the model agrees to:

  1 transact { register 1a; register 2b; commit }: [ok, ok]

Then none of these can come next:

  2 size: 1, but the model answers 2`
      )
    }))

  it.effect("two registrations of one key that both succeed", () =>
    Effect.gen(function*() {
      const text = yield* textOf([
        ["1", ["register", a], 0, 2, ok()],
        ["2", ["register", c], 1, 3, ok()]
      ])
      assert.strictEqual(
        text,
        `The history is not linearizable:

  1 |register 1a: ok|
  2   |register 1c: ok|

The longest order that the model agrees to:

  1 register 1a: ok

Then none of these can come next:

  2 register 1c: ok, but the model answers attribute_registered`
      )
    }))

  it.effect("an operation that takes effect after its interruption has ended", () =>
    Effect.gen(function*() {
      const text = yield* textOf([
        ["1", ["register", a], 0, 2],
        ["2", ["size"], 1, 3, ok(0)],
        ["2", ["size"], 4, 5, ok(0)],
        ["2", ["size"], 6, 7, ok(1)]
      ])
      assert.include(text, "  1 |register 1a: interrupted")
      assert.include(text, "  2 size: 1, but the model answers 0")
    }))

  it.effect("an item that an aborted transaction leaves, and one that a closed scope leaves", () =>
    Effect.gen(function*() {
      yield* textOf([
        ["1", ["transact", [["register", a]], "fail"], 0, 1, { aborted: [ok()] }],
        ["1", ["size"], 2, 3, ok(1)]
      ])
      yield* textOf([
        ["1", ["registerScoped", a, "s"], 0, 1, ok()],
        ["1", ["close", "s"], 2, 3, ok()],
        ["1", ["size"], 4, 5, ok(1)]
      ])
    }))
})

describe("right histories are not", () => {
  it.effect("what overlaps may have happened in either order", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* orderOf([
          ["1", ["register", a], 0, 5, ok()],
          ["2", ["size"], 1, 2, ok(0)],
          ["2", ["size"], 3, 4, ok(1)]
        ]),
        ["2 size", "1 register", "2 size"]
      )
    }))

  it.effect("what was interrupted may have taken effect or not, but only once", () =>
    Effect.gen(function*() {
      const interrupted: Call = ["1", ["register", a], 0, undefined]
      const [sawNothing, sawIt]: ReadonlyArray<Call> = [["2", ["size"], 1, 2, ok(0)], ["2", ["size"], 3, 4, ok(1)]]
      assert.deepStrictEqual(yield* orderOf([interrupted, sawNothing!]), ["2 size"])
      assert.deepStrictEqual(yield* orderOf([interrupted, sawNothing!, sawIt!]), ["2 size", "1 register", "2 size"])
      yield* textOf([interrupted, sawNothing!, sawIt!, ["2", ["size"], 5, 6, ok(0)]])
    }))

  it.effect("an operation on a registry that is Pending may be seen to populate it before it takes effect", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* orderOf([
          ["1", ["register", a], 0, 5, ok()],
          ["2", ["state"], 1, 2, ok("Ready")],
          ["2", ["size"], 3, 4, ok(0)]
        ]),
        ["2 state", "2 size", "1 register"]
      )
      yield* textOf([["2", ["state"], 0, 1, ok("Ready")], ["1", ["register", a], 2, 3, ok()]])
    }))

  it.effect("thirty operations that all overlap are checked at once", () =>
    Effect.gen(function*() {
      const count = 30
      const calls = Array.from({ length: count }, (_, index): Call => [
        `${index}`,
        index % 2 === 0 ? ["registerScoped", a, `${index}`] : ["unregister", a],
        index,
        count + index,
        ok()
      ])
      assert.strictEqual((yield* orderOf(calls)).length, count)
    }))
})
