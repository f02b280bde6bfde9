import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Option, Scope } from "effect"
import { Lookup, Registry, RegistryEvent, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { Acquired } from "./utils/acquired.ts"
import { forgeLastChange, forgetHooks, installedHooks } from "./utils/inside.ts"
import { recorder as spanRecorder } from "./utils/spans.ts"

interface Tool {
  readonly id: number
  readonly kind: string
}

const tool = (id: number, kind = "tool"): Tool => ({ id, kind })

const [one, two, three] = [tool(1), tool(2), tool(3)]

const make = Registry.make<Tool>()({ lookup: ["id"], defaults: [one] })

const ok = (value?: unknown): RegistryTest.OperationResult => ({ ok: value })

const died = (message: string): RegistryTest.OperationResult => ({ defect: message, code: message })

/** The results of operations, one after the other. */
const run = <Op>(
  recorder: { readonly run: (process: string, operation: Op) => Effect.Effect<RegistryTest.OperationResult> },
  operations: ReadonlyArray<NoInfer<Op>>
) => Effect.forEach(operations, (operation) => recorder.run("test", operation))

const transact = (ending: RegistryTest.TransactionEnding): RegistryTest.Operation<Tool> => [
  "transact",
  [["register", two], ["register", two], ["size"]],
  ending
]

describe("RegistryTest.record", () => {
  it.effect("keeps each operation with its call, its return and its result, in the order of the calls", () =>
    Effect.gen(function*() {
      const recorder = RegistryTest.record(yield* make)
      assert.deepStrictEqual(recorder.history(), [])
      const before = recorder.history()
      const waiting = yield* Effect.forkChild(recorder.run("first", ["awaitItem", "id", 2]), { startImmediately: true })
      assert.deepStrictEqual(recorder.history(), [
        { process: "first", operation: ["awaitItem", "id", 2], called: 0 }
      ])
      assert.deepStrictEqual(yield* recorder.run(2, ["register", two]), ok())
      yield* Fiber.join(waiting)
      assert.deepStrictEqual(recorder.history(), [
        { process: "first", operation: ["awaitItem", "id", 2], called: 0, returned: 3, result: ok(two) },
        { process: 2, operation: ["register", two], called: 1, returned: 2, result: ok() }
      ])
      assert.deepStrictEqual(before, [])
    }))

  it.effect("G31 leases until a scope closes, and answers what the model answers of items that cannot be acquired", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const acquired = new Acquired<Tool>()
      const unacquirable = ({ id }: Tool) => id > 1
      yield* Effect.orDie(Registry.addHooks(registry, { acquire: acquired.unless(unacquirable) }))
      const model = RegistryTest.model<Tool>({
        lookup: { id: { kind: "unique", select: ({ id }) => id } },
        defaults: [one],
        unacquirable
      })
      const recorder = RegistryTest.record(registry)
      let state = model.initial
      const agree = (operations: ReadonlyArray<RegistryTest.Operation<Tool>>) =>
        Effect.forEach(operations, (operation) =>
          Effect.gen(function*() {
            const [expected, next] = model.step(state, operation)
            state = next
            assert.deepStrictEqual(yield* recorder.run("test", operation), expected)
          }))
      yield* agree([["lease", "id", 1, "leases"], ["unregister", one]])
      acquired.equals([one])
      yield* agree([["register", one]])
      acquired.equals([one, one])
      yield* agree([["close", "leases"]])
      acquired.equals([one])
      yield* agree([
        ["disableScoped", "id", 2, "rule"],
        ["registerScoped", two, "s"],
        ["register", three],
        ["close", "rule"],
        ["get", "id", 2],
        ["reset"],
        ["get", "id", 2],
        ["enable", "id", 2],
        ["get", "id", 2],
        ["reset"],
        ["enable", "id", 2],
        ["get", "id", 2],
        ["values"]
      ])
      acquired.equals([one])
    }))

  it.effect("G28 asks a hook what it was told of, which it installs in the transaction that asks first", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const recorder = RegistryTest.record(registry)
      assert.deepStrictEqual(
        yield* run(recorder, [
          ["transact", [["register", two], ["kept"], ["unregister", one], ["kept"]], "fail"],
          ["kept"],
          ["transact", [["reset"], ["register", three], ["kept"]], "commit"],
          ["kept"]
        ]),
        [
          { aborted: [ok(), ok([one, two]), ok(), ok([two])] },
          ok([one]),
          ok([ok(), ok(), ok([one, three])]),
          ok([one, three])
        ]
      )
      assert.strictEqual(installedHooks(registry), 1)
      // what it was not told of
      forgetHooks(registry)
      assert.deepStrictEqual(yield* run(recorder, [["register", two], ["unregister", one], ["kept"]]), [
        ok(),
        ok(),
        ok([three, one])
      ])
      yield* recorder.closeScopes
      assert.strictEqual(installedHooks(registry), 0)
    }))

  it.effect("a result is a value, or the tag and code of an error or a defect", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Tool>()({
        lookup: ["id"],
        hooks: RegistryHooks.make<Tool>()({
          onItemRegistering: ({ kind }) =>
            kind === "error" ? Effect.die(new Error("broken")) : kind === "number" ? Effect.die(7) : Effect.void
        })
      })
      assert.deepStrictEqual(
        yield* run(RegistryTest.record(registry), [
          ["register", one],
          ["register", one],
          ["get", "id", 9],
          ["getOption", "none", 9],
          ["register", tool(4, "error")],
          ["register", tool(4, "number")]
        ]),
        [
          ok(),
          { error: "AlreadyRegisteredError", code: "already_registered" },
          { error: "ItemLookupError", code: "not_registered" },
          { defect: "ItemLookupError", code: "invalid_attribute" },
          { defect: "broken", code: "broken" },
          { defect: "7", code: "7" }
        ]
      )
    }))

  it.effect("G16 a transaction commits, fails or dies as specified, and returns the results of its operations", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Tool>()({
        lookup: ["id"],
        defaults: [one],
        hooks: RegistryHooks.make<Tool>()({ onItemRegistered: () => Effect.void })
      })
      const { spans, tracer } = spanRecorder()
      const taken = { error: "AlreadyRegisteredError", code: "already_registered" }
      const results = [ok(), taken, ok(2)]
      assert.deepStrictEqual(
        yield* Effect.withTracer(
          run(RegistryTest.record(registry), [transact("fail"), transact("die"), ["size"], transact("commit"), [
            "size"
          ]]),
          tracer
        ),
        [{ aborted: results }, { aborted: results }, ok(1), ok(results), ok(2)]
      )
      const endings = spans.filter(({ name }) => name === "Registry.transact").map(({ status }) =>
        status._tag === "Ended" && Exit.isFailure(status.exit)
          ? status.exit.cause.reasons.map(({ _tag }) => _tag)
          : "committed"
      )
      assert.deepStrictEqual(endings, [["Fail"], ["Die"], "committed"])
    }))

  it.effect("each operation runs that of the registry", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Tool>()({
        lookup: { id: Lookup.unique(({ id }) => id), kind: Lookup.group(({ kind }) => kind) },
        defaults: [one]
      })
      const recorder = RegistryTest.record(registry)
      const other = tool(2, "other")
      const explained = { _tag: "Present", item: other, owner: "x", updatedBy: undefined, hides: [two] }
      for (
        const [operation, result] of [
          [["state"], ok("Pending")],
          [["explain", "id", 1], ok({ _tag: "Pending" })],
          [["populate"], ok()],
          [["state"], ok("Ready")],
          [["register", two], ok()],
          [["get", "id", 2], ok(two)],
          [["getOption", "id", 3], ok(Option.none())],
          [["getAll", "kind", "tool"], ok([one, two])],
          [["has", "kind", "tool"], ok(true)],
          [["contains", two], ok(true)],
          [["as", "x", ["override", other, "s"]], ok()],
          [["explain", "id", 2], ok(explained)],
          [["values"], ok([one, other])],
          [["close", "s"], ok()],
          [["explain", "id", 9], ok({ _tag: "Absent" })],
          [["awaitItem", "id", 2], ok(two)],
          [["unregister", two], ok()],
          [["registerAll", [two, three]], ok()],
          [["at", -1], ok(Option.some(three))],
          [["upsert", other], ok()],
          [["unregisterBy", "id", 3], ok()],
          [["replace", "id", 2, two], ok()],
          [["registerScoped", three, "t"], ok()],
          [["close", "t"], ok()],
          [["registerAllScoped", [three, tool(4)], "u"], ok()],
          [["size"], ok(4)],
          [["close", "u"], ok()],
          [["as", "x", ["register", three]], ok()],
          [["unregisterOwner", "x"], ok([three])],
          [["reconcile", [two]], ok({ added: [], removed: [one], replaced: [], kept: [two], moved: [] })],
          [["subscribe", "f"], ok([two])],
          [["reset"], ok()],
          [["nextChange", "f"], ok([])],
          [["state"], ok("Pending")]
        ] satisfies ReadonlyArray<readonly [RegistryTest.Operation<Tool>, RegistryTest.OperationResult]>
      ) {
        assert.deepStrictEqual(yield* recorder.run("test", operation), result, operation[0])
      }
      // there is no subscription of that name
      const following = yield* Effect.forkChild(recorder.run("test", ["nextChange", "g"]), { startImmediately: true })
      assert.isUndefined(following.pollUnsafe())
      yield* Fiber.interrupt(following)
    }))

  it.effect("an interrupted operation has returned without a result, by any interruption", () =>
    Effect.gen(function*() {
      const life = Scope.makeUnsafe()
      const registry = yield* Scope.provide(
        Registry.make<Tool>()({
          lookup: ["id"],
          hooks: RegistryHooks.make<Tool>()({
            onItemRegistering: () => Effect.failCause(Cause.combine(Cause.die("broken"), Cause.interrupt()))
          })
        }),
        life
      )
      const recorder = RegistryTest.record(registry)
      const interrupted = yield* Effect.forkChild(recorder.run("interrupted", ["awaitItem", "id", 1]), {
        startImmediately: true
      })
      yield* Fiber.interrupt(interrupted)
      const failing = yield* Effect.exit(recorder.run("failing", ["register", one]))
      const closed = yield* Effect.forkChild(recorder.run("closed", ["awaitItem", "id", 1]), { startImmediately: true })
      yield* Scope.close(life, Exit.void)
      const exits = [failing, yield* Fiber.await(closed)]
      assert.isTrue(exits.every((exit) => Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)))
      assert.deepStrictEqual(recorder.history(), [
        { process: "interrupted", operation: ["awaitItem", "id", 1], called: 0, returned: 1 },
        { process: "failing", operation: ["register", one], called: 2, returned: 3 },
        { process: "closed", operation: ["awaitItem", "id", 1], called: 4, returned: 5 }
      ])
    }))

  it.effect("closeScopes closes open scopes and ends subscriptions, without a trace in the history", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const recorder = RegistryTest.record(registry)
      yield* run(recorder, [
        ["registerScoped", two, "scope"],
        ["override", tool(1, "other"), "another"],
        ["subscribe", "s"]
      ])
      const { length } = recorder.history()
      yield* recorder.closeScopes
      assert.strictEqual(recorder.history().length, length)
      assert.deepStrictEqual(Array.from(Registry.snapshotUnsafe(registry)), [one])
      const exit = yield* Effect.exit(recorder.run("test", ["nextChange", "s"]))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
    }))

  it.effect("G22 nextChange returns the contents after each change, and notices inconsistent changes", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const recorder = RegistryTest.record(registry)
      const [subscribed, , , ...followed] = yield* run(recorder, [
        ["subscribe", "s"],
        ["transact", [["registerAll", [two, three]], ["unregister", one]], "commit"],
        ["replace", "id", 2, tool(2, "other")],
        ["nextChange", "s"],
        ["nextChange", "s"],
        ["reset"],
        ["nextChange", "s"],
        ["populate"],
        ["nextChange", "s"]
      ])
      assert.deepStrictEqual([subscribed, ...followed].filter((result) => "ok" in result! && result.ok !== undefined), [
        ok([one]),
        ok([two, three]),
        ok([tool(2, "other"), three]),
        ok([]),
        ok([one])
      ])

      /** The result of nextChange if the next change had these events, by a fault of the library. */
      const told = (events: ReadonlyArray<RegistryEvent.RegistryEvent<Tool>>, skipped = 0) =>
        Effect.gen(function*() {
          yield* run(recorder, [["reset"], ["populate"], ["subscribe", "s"], ["register", two]])
          const forged = forgeLastChange(registry, (revision) => ({ revision: revision + skipped, events }))
          const result = yield* recorder.run("test", ["nextChange", "s"])
          assert.strictEqual(forged.events, events)
          return result
        })
      assert.deepStrictEqual(
        [
          yield* told([RegistryEvent.Registered({ item: two, position: 0, reason: "register" })]),
          yield* told([RegistryEvent.Unregistered({ item: two, position: 0, reason: "unregister" })]),
          yield* told([RegistryEvent.Replaced({ previous: two, item: three, position: 1 })]),
          yield* told([RegistryEvent.Populated({ size: 2 })]),
          yield* told([RegistryEvent.Populated({ size: 1 })]),
          yield* told([RegistryEvent.Reset()])
        ],
        [
          ok([two, one]),
          died("Unregistered, of what was not there"),
          died("Replaced, of what was not there"),
          died("Populated, with 1 items instead of 2"),
          ok([one]),
          died("Reset, with 1 items instead of 0")
        ]
      )
      const next = RegistrySnapshot.revision(Registry.snapshotUnsafe(registry)) + 4
      assert.deepStrictEqual(
        yield* told([], 1),
        died(`revision ${next} where ${next - 1} was to come`)
      )
    }))
})

describe("RegistryTest.recordAll", () => {
  it.effect("records operations on each registry, and on all of them together", () =>
    Effect.gen(function*() {
      const [left, right] = [yield* make, yield* make]
      const recorder = RegistryTest.recordAll({ left, right })
      const results = yield* run(recorder, [
        ["on", "left", ["registerScoped", two, "scope"]],
        ["on", "right", ["override", tool(1, "other"), "scope"]],
        ["transactAll", [["left", ["size"]], ["right", ["register", three]], ["left", ["register", three]]], "commit"],
        ["transactAll", [["left", ["reset"]], ["right", ["reset"]]], "die"],
        ["on", "nowhere", ["size"]]
      ])
      const unknown = "There is no registry \"nowhere\"."
      assert.deepStrictEqual(results, [
        ok(),
        ok(),
        ok([ok(2), ok(), ok()]),
        { aborted: [ok(), ok()] },
        { defect: unknown, code: unknown }
      ])
      assert.strictEqual(recorder.history().length, 5)
      yield* recorder.closeScopes
      assert.deepStrictEqual([left, right].map((registry) => Array.from(Registry.snapshotUnsafe(registry))), [
        [one, three],
        [one, three]
      ])
    }))
})
