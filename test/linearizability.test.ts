import { assert, describe, it } from "@effect/vitest"
import { Effect, Formatter } from "effect"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import * as Histories from "./utils/histories.ts"
import { type Operation, show, type Tool, tool } from "./utils/histories.ts"

const empty = RegistryTest.model<Tool>({
  lookup: {
    id: { kind: "unique", select: ({ id }) => id },
    name: { kind: "unique", select: ({ name }) => name }
  }
})

describe("linearizability", () => {
  for (const strategy of ["random", "pct"] as const) {
    const every = async <Program>(
      programs: fc.Arbitrary<Program>,
      check: (program: Program, figures: Histories.Figures) => Effect.Effect<void, unknown>,
      numRuns: number
    ) => {
      const figures = { histories: 0, interrupted: 0 }
      const seeds = 10
      await fc.assert(
        fc.asyncProperty(programs, async (program) => {
          await Effect.runPromise(RegistryTest.interleave(check(program, figures), { strategy, seeds }))
        }),
        { numRuns }
      )
      assert.isAtLeast(figures.histories, numRuns * seeds)
      assert.isAtLeast(figures.interrupted, numRuns * seeds / 12)
    }

    it(
      `G7, G8, G13, G17 every history under ${strategy} schedules is linearizable`,
      { timeout: 60_000 },
      () => every(Histories.program, Histories.check, 120)
    )

    it(`G22 every history with subscribers and awaited items under ${strategy} schedules is linearizable`, {
      timeout: 60_000
    }, () => every(Histories.watchedProgram, Histories.check, 100))

    it(
      `G7 G16 every history of two registries that transactAll changes under ${strategy} schedules is linearizable`,
      { timeout: 60_000 },
      () => every(Histories.jointProgram, Histories.checkJoint, 100)
    )
  }
})

/** Checks all schedules with up to so many preemptions. */
const everySchedule = (check: Effect.Effect<void, unknown>, preemptions: number) =>
  Effect.gen(function*() {
    const { complete, schedules } = yield* RegistryTest.interleave(check, { strategy: "exhaustive", preemptions })
    assert.isTrue(complete)
    assert.isAbove(schedules, 50)
  })

describe("linearizability, under all schedules of small programs", () => {
  const figures = { histories: 0, interrupted: 0 }
  const small = { interruptions: [], hooks: false }

  it.effect(
    "G7 a reader of two registries sees both changes of a transactAll, or none",
    () =>
      Effect.forEach(["commit", "fail"] as const, (ending) => {
        const one: Histories.Program<Histories.JointOperation> = {
          ...small,
          first: [["on", "one", ["populate"]], ["on", "two", ["populate"]]],
          fibers: [
            [["transactAll", [["one", ["register", b]], ["two", ["register", b]]], ending]],
            [["on", "one", ["size"]], ["on", "two", ["size"]]]
          ]
        }
        return everySchedule(Histories.checkJoint(one, figures), 1)
      }),
    60_000
  )

  it.effect("G7 G8 awaitItem gets only a published item", () => {
    const one: Histories.WatchedProgram = {
      ...small,
      hooks: true,
      first: [["populate"]],
      fibers: [[["transact", [["register", b]], "fail"]]],
      watchers: [[["awaitItem", "name", "b"]]]
    }
    return everySchedule(Histories.check(one, figures, "interrupted"), 1)
  }, 60_000)

  it.effect("G28 a hook that keeps what it is told of has what is published, after each of two transactions", () => {
    const one: Histories.Program = {
      ...small,
      first: [["kept"]],
      fibers: [
        [["transact", [["register", b], ["unregisterBy", "id", 1]], "fail"]],
        [["upsert", a]],
        [["kept"], ["values"], ["kept"]]
      ]
    }
    return everySchedule(Histories.check(one, figures), 1)
  }, 60_000)

  it.effect(
    "G31 what a reader leases is acquired, whatever replaces or withdraws the item meanwhile",
    () =>
      Effect.forEach(
        [["replace", "id", 1, c], ["reset"], ["disable", "id", 1]] satisfies ReadonlyArray<Operation>,
        (other) => {
          const one: Histories.Program = {
            ...small,
            acquires: true,
            first: [["populate"]],
            fibers: [[other], [["lease", "id", 1, "leases"]]]
          }
          return everySchedule(Histories.check(one, figures), 1)
        }
      ),
    60_000
  )

  it.effect("G31 an item that cannot be acquired for is never seen", () => {
    const one: Histories.Program = {
      ...small,
      acquires: true,
      first: [["disable", "id", 2], ["register", tool(2, "a")]],
      fibers: [[["enable", "id", 2]], [["get", "id", 2], ["lease", "id", 2, "leases"]]]
    }
    return everySchedule(Histories.check(one, figures), 1)
  }, 60_000)

  it.effect("G22 a subscriber gets the contents, and exactly the changes after that", () => {
    const one: Histories.WatchedProgram = {
      ...small,
      first: [["populate"]],
      fibers: [[["register", b]], [["reset"]]],
      watchers: [[["subscribe", "s"], ["nextChange", "s"]]]
    }
    return everySchedule(Histories.check(one, figures, "interrupted"), 1)
  }, 60_000)
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

/** An item with any number of names. */
interface Joined {
  readonly id: number
  readonly names: ReadonlyArray<string>
}

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

  it.effect("a half-seen transaction", () =>
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

  it.effect("a wrong result after operations that all overlap", () =>
    Effect.gen(function*() {
      // 11! orders, but only some thousand sets of completed operations
      const count = 11
      const looks = Array.from({ length: count }, (_, index): Call => [
        `${index}`,
        ["has", "id", 1],
        index,
        count + index,
        ok(false)
      ])
      const text = yield* textOf([...looks, ["last", ["size"], 2 * count, 2 * count + 1, ok(1)]])
      assert.include(text, "  last size: 1, but the model answers 0")
    }))

  it.effect("the report shows the longest valid order, and only operations that could come next", () =>
    Effect.gen(function*() {
      const text = yield* textOf([
        ["interrupted", ["register", a], 0, 3],
        ["2", ["size"], 1, 2, ok(7)]
      ])
      assert.strictEqual(
        text,
        `The history is not linearizable:

  interrupted |register 1a: interrupted|
  2             |size: 7|

The longest order that the model agrees to:

  none

Then none of these can come next:

  2 size: 7, but the model answers 0`
      )
    }))

  it.effect("the report formats items by default", () =>
    Effect.gen(function*() {
      const stale = historyOf([["writer", ["register", a], 0, 1, ok()], ["reader", ["values"], 2, 3, ok([])]])
      const { message } = yield* Effect.flip(RegistryTest.linearize(empty, stale))
      assert.include(message, `  reader values: [], but the model answers [${Formatter.format(a)}]`)
    }))

  it.effect("an item left by an aborted transaction, and one left by a closed scope", () =>
    Effect.gen(function*() {
      const aborted = yield* textOf([
        ["1", ["transact", [["register", a]], "fail"], 0, 1, { aborted: [ok()] }],
        ["1", ["size"], 2, 3, ok(1)]
      ])
      assert.include(aborted, "\n  1 |transact { register 1a; fail }: aborted [ok]| |size: 1|\n")
      yield* textOf([
        ["1", ["registerScoped", a, "s"], 0, 1, ok()],
        ["1", ["close", "s"], 2, 3, ok()],
        ["1", ["size"], 4, 5, ok(1)]
      ])
    }))
})

describe("wrong histories of waiting fibers, and of several registries, are caught", () => {
  it.effect("awaitItem that returns before its item is registered, or not at all", () =>
    Effect.gen(function*() {
      const early = yield* textOf([
        ["1", ["awaitItem", "id", 1], 0, 1, ok(a)],
        ["2", ["register", a], 2, 3, ok()]
      ])
      assert.include(early, "  1 awaitItem id 1: 1a, but the model waits")
      const never = yield* textOf([
        ["1", ["awaitItem", "id", 1], 0, undefined],
        ["2", ["register", a], 1, 2, ok()]
      ])
      assert.include(never, "  1 |awaitItem id 1: waits\n")
      assert.include(never, "Then none of these can come next:\n\n  1 awaitItem id 1: waits, but the model answers 1a")
    }))

  it.effect("a change that a subscriber misses, gets twice, or gets before it follows", () =>
    Effect.gen(function*() {
      const subscribed: Call = ["1", ["subscribe", "s"], 0, 1, ok([])]
      const [registered, more]: ReadonlyArray<Call> = [
        ["2", ["register", a], 2, 3, ok()],
        ["2", ["register", b], 4, 5, ok()]
      ]
      const next = (called: number, ...items: ReadonlyArray<Tool>): Call => [
        "1",
        ["nextChange", "s"],
        called,
        called + 1,
        ok(items)
      ]
      yield* textOf([subscribed, registered!, more!, next(6, a, b)])
      yield* textOf([subscribed, registered!, more!, next(6, a), next(8, a)])
      yield* textOf([subscribed, registered!, more!, next(6, a), ["1", ["nextChange", "s"], 8, undefined]])
      yield* textOf([registered!, ["1", ["subscribe", "s"], 4, 5, ok([a])], next(6, a)])
      yield* textOf([["1", ["nextChange", "s"], 0, 1, ok([])]])
      assert.deepStrictEqual(
        yield* orderOf([subscribed, registered!, more!, next(6, a), next(8, a, b)]),
        ["1 subscribe", "2 register", "2 register", "1 nextChange", "1 nextChange"]
      )
    }))

  it.effect("G7 a transactAll of which a reader sees one half", () =>
    Effect.gen(function*() {
      const joint = RegistryTest.modelAll<Tool>({ one: { lookup: {} }, two: { lookup: {} } })
      const look = (registry: string, called: number, size: number): RegistryTest.JointHistory<Tool>[number] => ({
        process: "2",
        operation: ["on", registry, ["size"]],
        called,
        returned: called + 1,
        result: ok(size)
      })
      const together: RegistryTest.JointHistory<Tool>[number] = {
        process: "1",
        operation: ["transactAll", [["one", ["register", a]], ["two", ["register", b]]], "commit"],
        called: 0,
        returned: 9,
        result: ok([ok(), ok()])
      }
      const error = yield* Effect.flip(
        RegistryTest.linearize(joint, [together, look("one", 1, 1), look("two", 3, 0)], { show })
      )
      assert.strictEqual(
        error.message,
        `The history is not linearizable:

  1 |transactAll { one register 1a; two register 2b; commit }: [ok, ok]|
  2   |one size: 1| |two size: 0|

The longest order that the model agrees to:

  1 transactAll { one register 1a; two register 2b; commit }: [ok, ok]
  2 one size: 1

Then none of these can come next:

  2 two size: 0, but the model answers 1`
      )
      yield* RegistryTest.linearize(joint, [together, look("one", 1, 0), look("two", 3, 1)])
    }))
})

type JointCall = readonly [
  process: string,
  operation: Histories.JointOperation,
  called: number,
  returned: number | undefined,
  result?: RegistryTest.OperationResult
]

const stateOf = (registry: string, called: number, result: string): JointCall => [
  "2",
  ["on", registry, ["state"]],
  called,
  called + 1,
  ok(result)
]

describe("histories of several registries that begin as Pending", () => {
  const joint = RegistryTest.modelAll({ one: Histories.definition, two: Histories.definition })
  const check = (...calls: ReadonlyArray<JointCall>) =>
    RegistryTest.linearize(
      joint,
      calls.map(([process, operation, called, returned, result]) => ({ process, operation, called, returned, result }))
    )
  it.effect("an operation may be seen to populate its registries before its change, each by itself", () =>
    Effect.gen(function*() {
      const size: JointCall = ["2", ["on", "one", ["size"]], 5, 6, ok(1)]
      yield* check(["1", ["on", "one", ["register", b]], 0, 9, ok()], stateOf("one", 1, "Ready"), size)
      const all: JointCall = ["1", ["transactAll", [["one", ["register", b]]], "commit"], 0, 9, ok([ok()])]
      yield* check(all, stateOf("one", 1, "Ready"), stateOf("two", 3, "Pending"), size, stateOf("two", 7, "Ready"))
      // but not to populate another registry
      yield* Effect.flip(check(["1", ["on", "one", ["register", b]], 0, 9, ok()], stateOf("two", 1, "Ready")))
    }))

  it.effect("G22 awaitItem on one registry goes on waiting while its item is absent", () =>
    Effect.gen(function*() {
      const awaits: JointCall = ["1", ["on", "one", ["awaitItem", "name", "b"]], 0, undefined]
      yield* check(awaits, ["2", ["on", "two", ["register", b]], 1, 2, ok()])
      yield* Effect.flip(check(awaits, ["2", ["on", "one", ["register", b]], 1, 2, ok()]))
    }))
})

describe("correct histories are accepted", () => {
  it.effect("an operation populates later than one that was called after it", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* orderOf([
          ["1", ["state"], 0, 9, ok("Ready")],
          ["2", ["register", a], 1, 8, ok()],
          ["3", ["state"], 2, 3, ok("Ready")],
          ["3", ["size"], 4, 5, ok(0)]
        ]),
        ["1 state", "3 state", "3 size", "2 register"]
      )
    }))

  it.effect("two orders leave the same items, but different overrides on top", () =>
    Effect.gen(function*() {
      const joined = RegistryTest.model<Joined>({
        lookup: {
          id: { kind: "unique", select: ({ id }) => id },
          name: { kind: "uniqueEach", select: ({ names }) => names }
        }
      })
      const [lower, x, y]: ReadonlyArray<Joined> = [
        { id: 1, names: ["x", "y"] },
        { id: 2, names: ["x"] },
        { id: 3, names: ["y"] }
      ]
      const history = (by: Joined): RegistryTest.History<Joined> =>
        ([
          [["register", lower!], 0, 1, ok()],
          [["override", x!, "s"], 2, 5, ok()],
          [["override", y!, "t"], 3, 4, ok()],
          [["explain", "id", 1], 6, 7, ok({ _tag: "Hidden", item: lower, by })]
        ] satisfies ReadonlyArray<
          readonly [RegistryTest.Operation<Joined>, called: number, returned: number, RegistryTest.OperationResult]
        >).map(([operation, called, returned, result]) => ({ process: called, operation, called, returned, result }))
      for (const by of [x!, y!]) assert.strictEqual((yield* RegistryTest.linearize(joined, history(by))).length, 4)
    }))

  it.effect("two orders leave the same items, but different ones that leave by themselves when the scope closes", () =>
    Effect.gen(function*() {
      const [x, y, z] = [tool(1, "x"), tool(2, "y"), tool(3, "z")]
      const calls = (...seen: ReadonlyArray<ReadonlyArray<Tool>>): ReadonlyArray<Call> => [
        // all of them succeed, on either side of the removals
        ["1", ["registerAllScoped", [y, z], "s"], 0, 5, ok()],
        ["2", ["registerScoped", y, "s"], 1, 6, ok()],
        ["3", ["registerScoped", z, "s"], 2, 7, ok()],
        ["4", ["unregisterBy", "id", 2], 3, 8, ok()],
        ["6", ["unregisterBy", "id", 3], 3, 8, ok()],
        ["5", ["registerScoped", x, "s"], 4, 9, ok()],
        ["1", ["subscribe", "f"], 10, 11, ok([x, y, z])],
        ["1", ["close", "s"], 12, 13, ok()],
        ...seen.map((items, index): Call => ["1", ["nextChange", "f"], 14 + 2 * index, 15 + 2 * index, ok(items)])
      ]
      yield* orderOf(calls([x], []))
      yield* orderOf(calls([x, y], [x], []))
      yield* textOf(calls([x, z]))
    }))

  it.effect("G22 awaitItem may return an item that was there for a moment, or go on waiting if it is gone", () =>
    Effect.gen(function*() {
      const comesAndGoes: ReadonlyArray<Call> = [
        ["2", ["register", a], 1, 2, ok()],
        ["2", ["unregister", a], 3, 4, ok()]
      ]
      const awaits: RegistryTest.Operation<Tool> = ["awaitItem", "id", 1]
      yield* orderOf([["1", awaits, 0, 5, ok(a)], ...comesAndGoes])
      yield* orderOf([["1", awaits, 0, undefined], ...comesAndGoes])
      // an interrupted awaitItem need not have seen anything
      yield* orderOf([["1", awaits, 0, 9], ["2", ["register", a], 1, 2, ok()]])
      // the operation that removes the item may never return
      yield* orderOf([["1", awaits, 0, undefined], comesAndGoes[0]!, ["2", ["unregister", a], 3, undefined]])
    }))

  it.effect("overlapping operations may have happened in either order", () =>
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

  it.effect("an interrupted operation may have taken effect or not, but only once", () =>
    Effect.gen(function*() {
      const interrupted: Call = ["1", ["register", a], 0, undefined]
      const [sawNothing, sawIt]: ReadonlyArray<Call> = [["2", ["size"], 1, 2, ok(0)], ["2", ["size"], 3, 4, ok(1)]]
      assert.deepStrictEqual(yield* orderOf([interrupted, sawNothing!]), ["2 size"])
      assert.deepStrictEqual(yield* orderOf([interrupted, sawNothing!, sawIt!]), ["2 size", "1 register", "2 size"])
      yield* textOf([interrupted, sawNothing!, sawIt!, ["2", ["size"], 5, 6, ok(0)]])
    }))

  it.effect("an operation on a Pending registry may be seen to populate it before it takes effect", () =>
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

  it.effect("thirty operations that all overlap are checked quickly", () =>
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
