/** The cooldown of a registry: its source is left alone for a while after it has failed. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, Logger } from "effect"
import { Registry, type RegistryError } from "effect-registry"
import { TestClock } from "effect/testing"
import { a, b, Item } from "./utils/items.ts"

const quiet = Effect.provide(Logger.layer([]))

/** A registry whose source fails until it is well, and how often that was asked. */
const down = (options: { readonly populationFailure?: "fail" | "die" } = {}) =>
  Effect.gen(function*() {
    const source = { asked: 0, well: false }
    const registry = yield* Registry.make<Item>()({
      lookup: ["id"],
      cooldown: "10 seconds",
      defaults: Effect.suspend(() => {
        source.asked++
        return source.well ? Effect.succeed([a]) : Effect.fail(`down ${source.asked}`)
      }),
      ...options
    })
    return { registry, source }
  })

type Failed = RegistryError.PopulationError<unknown>

describe("cooldown", () => {
  it.effect("whatever reads or changes gets the same failure, and the source is left alone until it is over", () =>
    Effect.gen(function*() {
      const { registry, source } = yield* down()
      const all: ReadonlyArray<Effect.Effect<unknown, Failed | { readonly _tag: string }>> = [
        Registry.size(registry),
        Registry.get(registry, "id", 1),
        Registry.register(registry, b),
        Registry.transact(registry, Effect.void),
        Registry.transactAll([registry], Effect.void),
        Registry.unregisterOwner(registry, "x")
      ]
      const causes = yield* Effect.forEach(all, (one) => Effect.flip(one))
      for (const error of causes) assert.strictEqual((error as Failed).cause, "down 1")
      assert.strictEqual(source.asked, 1)
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual((yield* Effect.flip(Registry.size(registry))).cause, "down 1")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Effect.flip(Registry.size(registry))).cause, "down 2")
      assert.strictEqual((yield* Effect.flip(Registry.size(registry))).cause, "down 2")
      yield* TestClock.adjust("10 seconds")
      source.well = true
      assert.strictEqual(yield* Registry.size(registry), 1)
      assert.strictEqual(source.asked, 3)
    }).pipe(quiet))

  for (const [name, asking] of [["populate", Registry.populate], ["refresh", Registry.refresh]] as const) {
    it.effect(`${name} asks at once, and what it answers counts`, () =>
      Effect.gen(function*() {
        const { registry, source } = yield* down()
        yield* Effect.flip(Registry.size(registry))
        assert.strictEqual((yield* Effect.flip(asking(registry))).cause, "down 2")
        assert.strictEqual((yield* Effect.flip(Registry.size(registry))).cause, "down 2")
        source.well = true
        yield* asking(registry)
        assert.strictEqual(yield* Registry.size(registry), 1)
        assert.strictEqual(source.asked, 3)
      }).pipe(quiet))
  }

  it.effect("in a transaction after a reset there, too", () =>
    Effect.gen(function*() {
      const { registry, source } = yield* down()
      source.well = true
      yield* Registry.populate(registry)
      source.well = false
      const exits = yield* Registry.transact(
        registry,
        Effect.andThen(
          Registry.reset(registry),
          Effect.all([Effect.flip(Registry.size(registry)), Effect.flip(Registry.size(registry))])
        )
      )
      assert.deepStrictEqual(exits.map(({ cause }) => cause), ["down 2", "down 2"])
    }).pipe(quiet))

  it.effect("an interruption is no failure", () =>
    Effect.gen(function*() {
      let asked = 0
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        cooldown: "1 minute",
        defaults: Effect.suspend(() => ++asked === 1 ? Effect.never : Effect.succeed([a]))
      })
      const fiber = yield* Effect.forkChild(Registry.size(registry), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* Registry.size(registry), 1)
    }))

  it.effect("where a failed population is a defect, it is the same defect", () =>
    Effect.gen(function*() {
      const { registry, source } = yield* down({ populationFailure: "die" })
      const exits = yield* Effect.all([Effect.exit(Registry.size(registry)), Effect.exit(Registry.size(registry))])
      assert.isTrue(exits.every((exit) => Exit.isFailure(exit) && Cause.hasDies(exit.cause)))
      assert.deepStrictEqual(exits[0], exits[1])
      assert.strictEqual(source.asked, 1)
    }).pipe(quiet))

  it.effect("of a registry that loads late: an import that fails is left alone, and populate imports again", () =>
    Effect.gen(function*() {
      let loads = 0
      class Late extends Registry.Tag<Late, Item>()("Late", {
        lookup: ["id"],
        defaults: Effect.suspend(() => loads < 3 ? Effect.fail("down") : Effect.succeed([a])),
        cooldown: "1 minute"
      }) {}
      const load = () => {
        loads++
        return Promise.resolve(Late.layer)
      }
      yield* Effect.gen(function*() {
        yield* Effect.flip(Registry.size(Late))
        yield* Effect.flip(Registry.size(Late))
        assert.strictEqual(loads, 1)
        yield* Effect.flip(Registry.populate(Late))
        yield* Registry.populate(Late)
        assert.deepStrictEqual([loads, yield* Registry.size(Late)], [3, 1])
      }).pipe(Effect.provide(Layer.fresh(Registry.layerLazy(Late, load))))
    }).pipe(quiet))
})
