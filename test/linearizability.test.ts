import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import { check, type Operation, program, show, type Tool, tool } from "./utils/histories.ts"

const empty = RegistryTest.model<Tool>({
  lookup: {
    id: { kind: "unique", select: ({ id }) => id },
    name: { kind: "unique", select: ({ name }) => name }
  }
})

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
