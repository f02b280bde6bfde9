/** Shared registries: processes that have one log in common. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { Registry } from "effect-registry"
import { SharedRegistry } from "effect-registry/shared"
import { names, process, tool, withLog } from "./utils/replicas.ts"

describe("a shared registry", () => {
  it.live("S12 shows in one process what another registered before it asked", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process()
      yield* Registry.register(one.registry, tool("a"))
      yield* Registry.register(two.registry, tool("b"))
      yield* SharedRegistry.sync(one.registry)
      assert.strictEqual(yield* names(one.registry), "a b")
      assert.strictEqual(yield* names(two.registry), "a b")
    })))

  it.live("S2 refuses a key that another process has, though it has not seen that yet", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process()
      const exits = yield* Effect.all(
        [one, two].map(({ registry }) => Effect.exit(Registry.register(registry, tool("a")))),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
      yield* SharedRegistry.sync(one.registry)
      assert.strictEqual(yield* names(one.registry), "a")
    })))

  it.live("S1 comes to one order, however writers race", () =>
    withLog(Effect.gen(function*() {
      const all = yield* Effect.all([process(), process(), process()], { concurrency: "unbounded" })
      yield* Effect.all(
        all.flatMap(({ registry }, i) =>
          Array.from({ length: 20 }, (_, n) => Registry.register(registry, tool(`${i}-${n}`)))
        ),
        { concurrency: "unbounded" }
      )
      yield* Effect.forEach(all, ({ registry }) => SharedRegistry.sync(registry))
      const seen = yield* Effect.forEach(all, ({ registry }) => names(registry))
      assert.strictEqual(seen[0]!.split(" ").length, 60)
      assert.strictEqual(new Set(seen).size, 1)
    })))

  it.live("S7 takes out what a scope registered when the scope closes", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process()
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerScoped(one.registry, tool("a")), scope)
      yield* SharedRegistry.sync(two.registry)
      assert.strictEqual(yield* names(two.registry), "a")
      yield* Scope.close(scope, Exit.void)
      yield* SharedRegistry.sync(two.registry)
      assert.strictEqual(yield* names(two.registry), "")
    })))

  it.live("S9 has its defaults once", () =>
    withLog(Effect.gen(function*() {
      const all = yield* Effect.all([1, 2, 3].map(() => process({ defaults: [tool("a"), tool("b")] })), {
        concurrency: "unbounded"
      })
      yield* Effect.forEach(all, ({ registry }) => SharedRegistry.sync(registry))
      for (const { registry } of all) assert.strictEqual(yield* names(registry), "a b")
    })))
})
