import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { Lookup, Registry, RegistryEvent, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import { contradictions } from "./utils/inside.ts"
import { defectOf } from "./utils/items.ts"

interface Tool {
  readonly name: string
  readonly kind: "read" | "write"
  readonly version?: number
}

const lookup = {
  name: Lookup.unique((tool: Tool) => tool.name),
  kind: Lookup.group((tool: Tool) => tool.kind)
}

type Tools = Registry.Registry<Tool, typeof lookup>

const tool = (name: string, kind: Tool["kind"] = "read", version = 1): Tool => ({ name, kind, version })

const [a, b, c, d] = [tool("a"), tool("b", "write"), tool("c", "write"), tool("d")]

const filled = () =>
  Effect.tap(
    Registry.make<Tool>()({ name: "tools", lookup }),
    (registry) => Registry.registerAll(registry, [a, b, c, d])
  )

const recording = (log: Array<string>) => {
  const record = (call: string) => ({ name }: Tool) => Effect.sync(() => log.push(`${call} ${name}`))
  return {
    onItemRegistering: record("registering"),
    onItemRegistered: record("registered"),
    onItemUnregistering: record("unregistering"),
    onItemUnregistered: record("unregistered")
  }
}

const names = (tools: Tools) => Effect.map(Registry.values(tools), (all) => all.map(({ name }) => name).join(" "))

const off = { reason: "read-only mode" }

const by = (owner: string) => Effect.provideService(Registry.Owner, owner)

describe("switches", () => {
  it.effect("G30 what a rule fits is not found, whichever question it is; it comes back where it was", () =>
    Effect.gen(function*() {
      const tools = yield* filled()
      yield* Registry.disable(tools, "kind", "write", off).pipe(by("admin"))
      assert.strictEqual(yield* names(tools), "a d")
      assert.deepStrictEqual(
        yield* Effect.all([
          Registry.has(tools, "name", "b"),
          Registry.contains(tools, b),
          Registry.getAll(tools, "kind", "write"),
          Effect.map(Registry.getOption(tools, "name", "b"), (one) => one._tag),
          Registry.size(tools)
        ]),
        [false, false, [], "None", 2]
      )
      const error = yield* Effect.flip(Registry.get(tools, "name", "b"))
      assert.deepInclude(error, { code: "disabled", reason: "read-only mode", item: b })
      assert.strictEqual(error.message, `The item in "tools" with name = "b" is disabled: read-only mode`)
      assert.deepStrictEqual(
        yield* Registry.explain(tools, "name", "b"),
        Registry.Explanation.Disabled({
          item: b,
          reason: "read-only mode",
          by: "admin",
          attribute: "kind",
          value: "write"
        })
      )
      assert.deepStrictEqual(yield* Registry.rules(tools), [
        { attribute: "kind", value: "write", reason: "read-only mode", by: "admin", items: [b, c] }
      ])
      assert.deepStrictEqual(contradictions(tools), [])
      yield* Registry.enable(tools, "kind", "write")
      assert.strictEqual(yield* names(tools), "a b c d")
      assert.deepStrictEqual(yield* Registry.rules(tools), [])
    }))

  it.effect("hooks and subscribers see it go, and come back where it was", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const tools = yield* Registry.make<Tool>()({ lookup, hooks: recording(log) })
      yield* Registry.registerAll(tools, [a, b, c, d])
      const { changes } = yield* Registry.subscribe(tools)
      log.length = 0
      yield* Registry.disable(tools, "kind", "write", off)
      assert.deepStrictEqual(log.splice(0), [
        "unregistering c",
        "unregistering b",
        "unregistered c",
        "unregistered b"
      ])
      yield* Registry.enable(tools, "kind", "write")
      // no hook is asked
      assert.deepStrictEqual(log, ["registered b", "registered c"])
      const told = yield* Stream.runCollect(Stream.take(changes, 2))
      assert.deepStrictEqual(told.map(({ events }) => events.map((event) => "item" in event ? event.item : event)), [
        [c, b],
        [b, c]
      ])
      assert.deepStrictEqual(
        told[1]!.events.map((event) =>
          RegistryEvent.match(event, {
            Registered: ({ position }) => position,
            Unregistered: () => -1,
            Replaced: () => -1,
            Moved: () => -1,
            Populated: () => -1,
            Reset: () => -1
          })
        ),
        [1, 2]
      )
    }))

  it.effect("what is registered while a rule fits it goes in disabled: asked at once, told when it is enabled", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const tools = yield* Registry.make<Tool>()({ lookup, hooks: recording(log) })
      yield* Registry.disable(tools, "kind", "write", off)
      yield* Registry.registerAll(tools, [a, b])
      assert.deepStrictEqual(log.splice(0), ["registering a", "registered a", "registering b"])
      const error = yield* Effect.flip(Registry.register(tools, tool("b", "read")))
      assert.deepInclude(error, { code: "attribute_registered", existing: b, reason: "read-only mode" })
      assert.include(error.message, "disabled")
      log.length = 0
      yield* Registry.enable(tools, "kind", "write")
      assert.deepStrictEqual(log, ["registered b"])
    }))

  it.effect("unregister, unregisterBy, replace, upsert and reconcile find what is disabled; what no rule fits any more is found", () =>
    Effect.gen(function*() {
      const tools = yield* filled()
      yield* Registry.disable(tools, "kind", "write", off)
      yield* Registry.unregister(tools, b)
      yield* Registry.replace(tools, "name", "c", tool("c", "write", 2))
      assert.deepStrictEqual((yield* Registry.rules(tools))[0]!.items, [tool("c", "write", 2)])
      yield* Registry.upsert(tools, tool("c", "read", 3))
      assert.strictEqual(yield* names(tools), "a c d")
      yield* Registry.reconcile(tools, [a, tool("c", "write", 4), d])
      assert.strictEqual(yield* names(tools), "a d")
      yield* Registry.unregisterBy(tools, "name", "c")
      yield* Registry.enable(tools, "kind", "write")
      assert.strictEqual(yield* names(tools), "a d")
      assert.deepStrictEqual(contradictions(tools), [])
    }))

  it.effect("a disabled override still hides what it lies on, and is an override when it is enabled", () =>
    Effect.gen(function*() {
      const tools = yield* filled()
      const over = tool("a", "write", 2)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.override(tools, over)
        yield* Registry.disable(tools, "kind", "write", off)
        assert.strictEqual(yield* names(tools), "d")
        assert.strictEqual((yield* Registry.explain(tools, "name", "a"))._tag, "Disabled")
        // an override of the same comes on top, and goes
        yield* Effect.scoped(Registry.override(tools, tool("a", "read", 3)))
        assert.strictEqual(yield* names(tools), "d")
        yield* Registry.enable(tools, "kind", "write")
        assert.strictEqual(yield* Registry.get(tools, "name", "a"), over)
        yield* Registry.disable(tools, "kind", "write", off)
      }))
      assert.strictEqual(yield* names(tools), "a d")
      assert.deepStrictEqual(contradictions(tools), [])
    }))

  it.effect("an item is disabled as long as one rule fits it; enable ends every rule of the value, a scope its own", () =>
    Effect.gen(function*() {
      const tools = yield* filled()
      const scope = yield* Scope.make()
      yield* Registry.disableScoped(tools, "name", "b", { reason: "slow" }).pipe(Scope.provide(scope))
      yield* Registry.disable(tools, "name", "b", { reason: "broken" })
      yield* Registry.disable(tools, "kind", "write", off)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual((yield* Registry.rules(tools)).map(({ reason }) => reason), ["broken", "read-only mode"])
      yield* Registry.enable(tools, "name", "b")
      assert.strictEqual(yield* names(tools), "a d")
      yield* Registry.enable(tools, "kind", "write")
      assert.strictEqual(yield* names(tools), "a b c d")
      // no error
      yield* Registry.enable(tools, "name", "nobody")
    }))

  it.effect("G27 what is disabled goes with its scope, and its owner", () =>
    Effect.gen(function*() {
      const tools = yield* filled()
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.registerScoped(tools, tool("e", "write"))
        yield* Registry.register(tools, tool("f", "write")).pipe(by("plugin"))
        yield* Registry.disable(tools, "kind", "write", off)
      }))
      yield* Registry.unregisterOwner(tools, "plugin")
      yield* Registry.enable(tools, "kind", "write")
      assert.strictEqual(yield* names(tools), "a b c d")
    }))

  it.effect("rules survive a reset, and never populate; defaults that they fit are disabled", () =>
    Effect.gen(function*() {
      let populations = 0
      const tools = yield* Registry.make<Tool>()({
        lookup,
        defaults: Effect.sync(() => {
          populations++
          return [a, b]
        }),
        populationFailure: "die"
      })
      yield* Registry.disable(tools, "kind", "write", off)
      assert.deepStrictEqual([populations, yield* Registry.state(tools)], [0, "Pending"])
      assert.strictEqual(yield* Registry.size(tools), 1)
      yield* Registry.registerScoped(tools, c)
      yield* Registry.reset(tools)
      assert.lengthOf(yield* Registry.rules(tools), 1)
      assert.strictEqual(yield* Registry.size(tools), 1)
      yield* Registry.enable(tools, "kind", "write")
      assert.deepStrictEqual((yield* Registry.values(tools)).map(({ name }) => name), ["a", "b", "c"])
    }))

  it.effect("rules survive an override that a reset took out and whose scope closes before the next population", () =>
    Effect.gen(function*() {
      const tools = yield* Registry.make<Tool>()({ lookup, defaults: [a, b], populationFailure: "die" })
      const scope = yield* Scope.make()
      yield* Registry.disable(tools, "kind", "write", off)
      // it is disabled itself
      yield* Registry.override(tools, b).pipe(Scope.provide(scope))
      yield* Registry.reset(tools)
      yield* Scope.close(scope, Exit.void)
      assert.lengthOf(yield* Registry.rules(tools), 1)
      assert.strictEqual(yield* names(tools), "a")
    }))

  it.effect("G7 in a transaction that fails nothing has changed; a scope that closed in it has ended its rule", () =>
    Effect.gen(function*() {
      const tools = yield* filled()
      const scope = yield* Scope.make()
      yield* Registry.disableScoped(tools, "name", "a", off).pipe(Scope.provide(scope))
      yield* Effect.exit(Registry.transact(
        tools,
        Effect.gen(function*() {
          yield* Registry.disable(tools, "kind", "write", off)
          assert.strictEqual(yield* names(tools), "d")
          yield* Scope.close(scope, Exit.void)
          assert.strictEqual(yield* names(tools), "a d")
          return yield* Effect.fail("no")
        })
      ))
      assert.strictEqual(yield* names(tools), "a b c d")
      assert.deepStrictEqual(yield* Registry.rules(tools), [])
    }))

  it.effect("a layer of rules stands below, beside or above the layers of items, and ends with its scope", () =>
    Effect.gen(function*() {
      class All extends Registry.Service<All, Tool>()("All", { lookup }) {}
      const [items, rules] = [All.items([a, b]), All.disabled([["kind", "write", "read-only mode"]])]
      for (
        const layer of [
          items.pipe(Layer.provideMerge(rules), Layer.provideMerge(All.layer)),
          Layer.mergeAll(rules, items).pipe(Layer.provideMerge(All.layer)),
          rules.pipe(Layer.provideMerge(items), Layer.provideMerge(All.layer))
        ]
      ) {
        assert.deepStrictEqual(yield* Effect.provide(All.values, layer, { local: true }), [a])
      }
      yield* Effect.gen(function*() {
        yield* All.register(b)
        yield* Effect.scoped(Layer.build(rules))
        assert.deepStrictEqual(yield* All.values, [b])
      }).pipe(Effect.provide(All.layer))
    }))

  it.effect("awaitItem goes on when the item is enabled", () =>
    Effect.gen(function*() {
      const tools = yield* filled()
      yield* Registry.disable(tools, "name", "a", off)
      const waiting = yield* Effect.forkChild(Registry.awaitItem(tools, "name", "a"), { startImmediately: true })
      yield* Effect.yieldNow
      assert.isUndefined(waiting.pollUnsafe())
      yield* Registry.enable(tools, "name", "a")
      assert.strictEqual(yield* Fiber.join(waiting), a)
    }))

  it.effect("G13 interrupted while a hook is told that an item goes: nothing has changed", () =>
    Effect.gen(function*() {
      const stuck = yield* Deferred.make<void>()
      const tools = yield* Registry.make<Tool>()({
        lookup,
        hooks: { onItemUnregistering: () => Effect.andThen(Deferred.succeed(stuck, undefined), Effect.never) }
      })
      yield* Registry.registerAll(tools, [a, b])
      const disabling = yield* Effect.forkChild(Registry.disable(tools, "kind", "write", off))
      yield* Deferred.await(stuck)
      yield* Fiber.interrupt(disabling)
      assert.deepStrictEqual(yield* Registry.rules(tools), [])
      assert.strictEqual(yield* Registry.size(tools), 2)
    }))

  it.effect("in untyped code, an attribute that does not exist dies, and changes nothing", () =>
    Effect.gen(function*() {
      const tools = yield* filled()
      const operations: ReadonlyArray<(...args: ReadonlyArray<unknown>) => Effect.Effect<unknown>> = [
        Registry.disable as any,
        Registry.enable as any
      ]
      for (const operation of operations) {
        const exit = yield* Effect.exit(operation(tools, "nam", "a", off))
        assert.deepInclude(defectOf(exit), { code: "invalid_attribute", suggestions: ["name", "kind"] })
      }
      assert.deepStrictEqual(yield* Registry.rules(tools), [])
    }))

  it.effect("values are normalized, as in every operation", () =>
    Effect.gen(function*() {
      const tools = yield* Registry.make<Tool>()({
        lookup: { name: Lookup.normalized(Lookup.unique((one) => one.name), (name) => name.toLowerCase()) }
      })
      yield* Registry.disable(tools, "name", "A", off)
      yield* Registry.register(tools, a)
      assert.strictEqual(yield* Registry.size(tools), 0)
      yield* Registry.enable(tools, "name", "a")
      assert.strictEqual(yield* Registry.size(tools), 1)
    }))

  it("G30 random changes with rules that come and go: enabled, the contents are those of a registry without rules", () => {
    const kinds = fc.constantFrom<Tool["kind"]>("read", "write")
    const someTool = fc.record({ name: fc.constantFrom("a", "b", "c"), kind: kinds, version: fc.nat(3) })
    type Change = (tools: Tools, scope: Scope.Closeable) => Effect.Effect<unknown, unknown>
    const change = fc.oneof(
      someTool.map((one): Change => (tools) => Registry.register(tools, one)),
      someTool.map((one): Change => (tools) => Registry.upsert(tools, one)),
      someTool.map((one): Change => (tools) => Registry.unregisterBy(tools, "name", one.name)),
      someTool.map((one): Change => (tools, scope) => Registry.override(tools, one).pipe(Scope.provide(scope))),
      someTool.map((one): Change => (tools, scope) => Registry.registerScoped(tools, one).pipe(Scope.provide(scope))),
      fc.array(someTool, { maxLength: 3 }).map((list): Change => (tools) => Registry.reconcile(tools, list)),
      fc.constant<Change>((tools) => Registry.reset(tools)),
      fc.tuple(someTool, someTool).map(([one, other]): Change => (tools) =>
        Registry.replace(tools, "name", one.name, other)
      )
    )
    const rule = fc.tuple(fc.boolean(), fc.boolean(), someTool)
    return fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(change, rule), { maxLength: 15 }),
        (list) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const [ruled, free] = [yield* Registry.make<Tool>()({ lookup }), yield* Registry.make<Tool>()({ lookup })]
            const [scope, other] = [yield* Scope.make(), yield* Scope.make()]
            for (const [one, [on, kind, { kind: value, name }]] of list) {
              if (on) yield* kind ? Registry.enable(ruled, "kind", value) : Registry.enable(ruled, "name", name)
              else {yield* kind
                  ? Registry.disable(ruled, "kind", value, off)
                  : Registry.disable(ruled, "name", name, off)}
              const [exit, expected] = [yield* Effect.exit(one(ruled, scope)), yield* Effect.exit(one(free, other))]
              assert.strictEqual(exit._tag, expected._tag)
              assert.deepStrictEqual(contradictions(ruled), [])
            }
            for (const { attribute, value } of yield* Registry.rules(ruled)) {
              yield* Registry.enable(ruled, attribute as "name", value as string)
            }
            assert.deepStrictEqual(yield* Registry.values(ruled), yield* Registry.values(free))
            yield* Scope.close(scope, Exit.void)
            yield* Scope.close(other, Exit.void)
            assert.deepStrictEqual(yield* Registry.values(ruled), yield* Registry.values(free))
          })))
      ),
      { numRuns: 300 }
    )
  })

  it.effect("G8 G30 under schedules of rules, changes and readers, an item is found by all its attributes or by none", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const tools = yield* Registry.make<Tool>()({
          lookup,
          hooks: { onItemRegistered: () => Effect.yieldNow, onItemUnregistered: () => Effect.yieldNow }
        })
        yield* Registry.registerAll(tools, [a, b])
        const reader = Effect.gen(function*() {
          const snapshot = yield* Registry.snapshot(tools)
          const held = RegistrySnapshot.has(snapshot, "name", "b")
          assert.strictEqual(RegistrySnapshot.has(snapshot, "kind", "write"), held)
          assert.strictEqual([...snapshot].some(({ name }) => name === "b"), held)
        })
        yield* Effect.all([
          Registry.disable(tools, "kind", "write", off),
          Registry.enable(tools, "kind", "write"),
          Effect.scoped(Registry.disableScoped(tools, "name", "b", off)),
          Registry.replace(tools, "name", "b", tool("b", "write", 2)),
          reader,
          reader
        ], { concurrency: "unbounded" })
        yield* Registry.enable(tools, "kind", "write")
        assert.strictEqual(yield* names(tools), "a b")
        assert.deepStrictEqual(contradictions(tools), [])
      })),
      { seeds: 300 }
    ))
})
