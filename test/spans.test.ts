import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Option } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import { recorder } from "./utils/spans.ts"

interface Tool {
  readonly name: string
}

const hooks = RegistryHooks.make<Tool>()({
  onPopulating: Effect.sync(() => {}),
  onItemRegistering: () => Effect.yieldNow,
  onItemRegistered: () => Effect.annotateCurrentSpan("indexed", true)
})

const success = { ended: "Success" }

describe("spans", () => {
  it.effect("populations, mutations with hooks and hooks have spans, with registry, operation and item", () =>
    Effect.scoped(Effect.gen(function*() {
      const { told, tracer } = recorder()
      yield* Effect.gen(function*() {
        const tools = yield* Registry.make<Tool>()({ name: "tools", lookup: ["name"], hooks })
        yield* Registry.populate(tools)
        yield* Effect.withSpan(Registry.register(tools, { name: "search" }), "request")
      }).pipe(Effect.withTracer(tracer))
      const registry = "tools"
      const item = "\"search\""
      assert.deepStrictEqual(told(), [
        { name: "Registry.populate", registry, operation: "populate", parent: undefined, ...success },
        {
          name: "Registry.onPopulating",
          registry,
          operation: "onPopulating",
          parent: "Registry.populate",
          ...success
        },
        { name: "request", parent: undefined, ...success },
        { name: "Registry.register", registry, operation: "register", item, parent: "request", ...success },
        {
          name: "Registry.onItemRegistering",
          registry,
          operation: "onItemRegistering",
          item,
          parent: "Registry.register",
          ...success
        },
        {
          name: "Registry.onItemRegistered",
          registry,
          operation: "onItemRegistered",
          item,
          indexed: true,
          parent: "Registry.register",
          ...success
        }
      ])
    })))

  it.effect("the span of an operation on one item has the item, on several none", () =>
    Effect.scoped(Effect.gen(function*() {
      const { told, tracer } = recorder()
      const quiet = RegistryHooks.make<Tool>()({ onReset: Effect.void })
      class Tools extends Registry.Service<Tools, Tool>()("test/Tools", { lookup: ["name"], hooks: quiet }) {}
      yield* Effect.gen(function*() {
        const tools = yield* Registry.make<Tool>()({ name: "tools", lookup: ["name"], hooks: quiet })
        yield* Registry.registerAll(tools, [{ name: "a" }])
        yield* Registry.registerAll(tools, [{ name: "b" }, { name: "c" }])
        yield* Registry.override(tools, { name: "a" })
        yield* Effect.provide(Effect.void, Tools.overrides([{ name: "a" }, { name: "b" }])).pipe(
          Effect.provide(Tools.layer)
        )
      }).pipe(Effect.withTracer(tracer), Effect.scoped)
      const onItems = told().filter(({ operation }) => operation === "registerAll" || operation === "override")
      assert.deepStrictEqual(onItems.map(({ item, operation }) => [operation, item]), [
        ["registerAll", "\"a\""],
        ["registerAll", undefined],
        ["override", "\"a\""],
        ["override", undefined]
      ])
    })))

  it.effect("the spans of a failed operation and of its hook fail", () =>
    Effect.scoped(Effect.gen(function*() {
      const { told, tracer } = recorder()
      const failing = RegistryHooks.make<Tool>()({ onItemRegistered: () => Effect.die("no") })
      yield* Effect.gen(function*() {
        const tools = yield* Registry.make<Tool>()({ name: "tools", lookup: ["name"], hooks: failing })
        yield* Registry.populate(tools)
        yield* Effect.exit(Registry.transact(tools, Registry.register(tools, { name: "search" })))
      }).pipe(Effect.withTracer(tracer))
      assert.deepStrictEqual(
        told().map(({ ended, name, parent }) => [name, parent, ended]),
        [
          ["Registry.populate", undefined, "Success"],
          ["Registry.transact", undefined, "Failure"],
          ["Registry.register", "Registry.transact", "Failure"],
          ["Registry.onItemRegistered", "Registry.register", "Failure"]
        ]
      )
    })))

  it.effect("a hook is in the trace of the operation, with the services where it was defined", () =>
    Effect.scoped(Effect.gen(function*() {
      const Where = Context.Reference<string>("test/Where", { defaultValue: () => "nowhere" })
      const seen: Array<string> = []
      const { told, tracer } = recorder()
      const other = recorder()
      const tools = yield* Registry.make<Tool>()({ name: "tools", lookup: ["name"] })
      yield* Registry.addHooks(tools, {
        onItemRegistered: () => Effect.withSpan(Effect.map(Where, (where) => seen.push(where)), "index")
      }).pipe(Effect.provideService(Where, "here"), Effect.withSpan("setup"), Effect.withTracer(other.tracer))
      yield* Registry.register(tools, { name: "search" }).pipe(Effect.withSpan("request"), Effect.withTracer(tracer))
      assert.deepStrictEqual(seen, ["here"])
      assert.deepStrictEqual(told().map(({ name, parent }) => [name, parent]), [
        ["request", undefined],
        ["Registry.register", "request"],
        ["Registry.onItemRegistered", "Registry.register"],
        ["index", "Registry.onItemRegistered"]
      ])
      assert.deepStrictEqual(other.told().map(({ name }) => name), ["setup"])
    })))

  it.effect("transactAll has one span, with the names of all registries", () =>
    Effect.scoped(Effect.gen(function*() {
      const { told, tracer } = recorder()
      const plain = yield* Registry.make<Tool>()({ name: "plain", lookup: ["name"] })
      const hooked = yield* Registry.make<Tool>()({ name: "hooked", lookup: ["name"], hooks })
      yield* Effect.all([Registry.populate(plain), Registry.populate(hooked)])
      yield* Effect.exit(Registry.transactAll([hooked, plain], Effect.fail("no"))).pipe(Effect.withTracer(tracer))
      assert.deepStrictEqual(told(), [
        {
          name: "Registry.transactAll",
          registry: "plain and hooked",
          operation: "transactAll",
          parent: undefined,
          ended: "Failure"
        }
      ])
    })))

  it.effect("an operation without hooks has no span, and without a tracer there are none", () =>
    Effect.scoped(Effect.gen(function*() {
      const { spans, tracer } = recorder()
      const plain = yield* Registry.make<Tool>()({ lookup: ["name"] })
      const hooked = yield* Registry.make<Tool>()({ lookup: ["name"], hooks })
      yield* Registry.populate(plain)
      yield* Effect.withTracer(
        Effect.andThen(Registry.register(plain, { name: "search" }), Registry.get(plain, "name", "search")),
        tracer
      )
      yield* Effect.withTracer(Registry.transactAll([plain], Registry.unregisterBy(plain, "name", "search")), tracer)
      yield* Registry.register(hooked, { name: "search" })
      const around = yield* Registry.transactAll([hooked, plain], Effect.option(Effect.currentSpan))
      assert.isTrue(Option.isNone(around))
      yield* Registry.unregisterBy(hooked, "name", "search").pipe(
        Effect.withTracer(tracer),
        Effect.withTracerEnabled(false)
      )
      assert.strictEqual(spans.length, 0)
    })))

  it.effect("a population has a span, with and without hooks", () =>
    Effect.scoped(Effect.gen(function*() {
      const { told, tracer } = recorder()
      yield* Effect.gen(function*() {
        yield* Registry.populate(yield* Registry.make<Tool>()({ name: "tools", lookup: ["name"] }))
      }).pipe(Effect.withTracer(tracer))
      assert.deepStrictEqual(told(), [
        { name: "Registry.populate", registry: "tools", operation: "populate", parent: undefined, ...success }
      ])
    })))

  it.effect("a population has a span if the layer is traced, not if its user is", () =>
    Effect.scoped(Effect.gen(function*() {
      const { told, tracer } = recorder()
      const options = { name: "tools", lookup: ["name"], defaults: [{ name: "search" }] } as const
      const tools = yield* Effect.withTracer(Registry.make<Tool>()(options), tracer)
      yield* Registry.size(tools)
      assert.deepStrictEqual(told().map(({ name }) => name), ["Registry.populate"])
      const untraced = yield* Registry.make<Tool>()(options)
      yield* Effect.withTracer(Registry.size(untraced), tracer)
      assert.strictEqual(told().length, 1)
    })))

  it.effect("the label of an item in a span has a bounded length", () =>
    Effect.scoped(Effect.gen(function*() {
      const { told, tracer } = recorder()
      const tools = yield* Registry.make<Tool>()({ lookup: ["name"], hooks })
      yield* Effect.withTracer(Registry.register(tools, { name: "x".repeat(100_000) }), tracer)
      const span = told().find(({ name }) => name === "Registry.register") as { readonly item?: string } | undefined
      assert.strictEqual(span?.item?.length, 80)
    })))
})
