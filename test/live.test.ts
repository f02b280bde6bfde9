import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import { Registry } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"

class Tools extends Registry.Service<Tools, { readonly name: string }>()("test/LiveTools", { lookup: ["name"] }) {}

/** The warnings that an effect logs. */
const warningsOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<ReadonlyArray<string>, E, R> =>
  Effect.suspend(() => {
    const warnings: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (logLevel === "Warn") warnings.push(String(message))
    })
    return Effect.as(Effect.provide(effect, Logger.layer([logger])), warnings)
  })

const buildAnother = Layer.build(Layer.fresh(Tools.layer))

const build = (name: string) => Effect.withSpan(buildAnother, name)

describe("two registries of one identifier", () => {
  it.effect("49 three alive at once give one warning, which says where the first two were built", () =>
    Effect.gen(function*() {
      const warnings = yield* warningsOf(Effect.scoped(Effect.gen(function*() {
        yield* build("startServer")
        yield* build("startWorker")
        yield* build("startThird")
      })))
      assert.strictEqual(warnings.length, 1)
      assert.match(
        warnings[0]!,
        /Two registries "test\/LiveTools" are alive at once.*first was built in startServer.*live\.test\.ts.*second in startWorker.*live\.test\.ts/
      )
    }))

  it.effect("49 without a span, the warning says where the fiber was run", () =>
    Effect.gen(function*() {
      const buildTwice = Effect.scoped(Effect.andThen(buildAnother, buildAnother))
      const warnings = yield* Effect.promise(() => Effect.runPromise(warningsOf(buildTwice)))
      assert.match(warnings[0]!, /first was built by fiber #?\d+ \(.*live\.test\.ts/)
    }))

  it("49 the warning says where even if Error.stackTraceLimit is 1, and does not change it", () => {
    const building = warningsOf(Effect.scoped(Effect.andThen(buildAnother, buildAnother)))
    const before = Error.stackTraceLimit
    Error.stackTraceLimit = 1
    try {
      const warnings = Effect.runSync(building)
      assert.strictEqual(Error.stackTraceLimit, 1)
      assert.match(warnings[0]!, /first was built by fiber #?\d+ \(at .*live\.test\.ts/)
    } finally {
      Error.stackTraceLimit = before
    }
  })

  it.effect("49 without user code on the stack, the warning names the fiber alone", () =>
    Effect.gen(function*() {
      const warnings = yield* warningsOf(Effect.scoped(
        Effect.andThen(Effect.yieldNow, Effect.andThen(buildAnother, buildAnother))
      ))
      assert.match(warnings[0]!, /first was built by fiber #?\d+, the second by fiber #?\d+\.$/)
    }))

  it.effect("49 another second registry after the second one was closed gives another warning", () =>
    Effect.gen(function*() {
      const another = Effect.scoped(buildAnother)
      const warnings = yield* warningsOf(
        Effect.scoped(Effect.andThen(buildAnother, Effect.andThen(another, another)))
      )
      assert.strictEqual(warnings.length, 2)
    }))

  it.effect("49 one after the other, or one layer provided twice, gives no warning", () =>
    Effect.gen(function*() {
      const warnings = yield* warningsOf(Effect.gen(function*() {
        yield* Effect.provide(Tools.register({ name: "a" }), Tools.layer)
        yield* Effect.provide(Tools.register({ name: "a" }), Tools.layer)
        yield* Effect.provide(
          Effect.provide(Tools.register({ name: "a" }), Tools.layer),
          Layer.mergeAll(Tools.layer, Tools.items([]).pipe(Layer.provide(Tools.layer)))
        )
      }))
      assert.deepStrictEqual(warnings, [])
    }))

  it.effect("49 a registry whose building was interrupted at any step is not counted", () =>
    Effect.gen(function*() {
      const building = Effect.scoped(Layer.build(Layer.fresh(Tools.layer)))
      const warnings = yield* warningsOf(
        RegistryTest.interruptEach({ setup: Effect.void, run: () => building, check: () => building })
      )
      assert.deepStrictEqual(warnings, [])
    }))

  it.effect("49 registries without a service, or with different identifiers, give no warning", () =>
    Effect.gen(function*() {
      class Other extends Registry.Service<Other, { readonly name: string }>()("test/LiveOther", {
        lookup: ["name"]
      }) {}
      const warnings = yield* warningsOf(Effect.scoped(Effect.gen(function*() {
        yield* Registry.make<string>()({ name: "same", lookup: [] })
        yield* Registry.make<string>()({ name: "same", lookup: [] })
        yield* Layer.build(Layer.mergeAll(Tools.layer, Other.layer))
      })))
      assert.deepStrictEqual(warnings, [])
    }))
})
