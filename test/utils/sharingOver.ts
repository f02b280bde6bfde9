/** Registries that are shared over an engine of a log, each as a process of its own would have it. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { Registry } from "effect-registry"
import { RegistryLog, SharedRegistry } from "effect-registry/shared"
import { codeOf, names, type Options, process, synced, tool } from "./replicas.ts"

const soon = <E, R>(isSo: Effect.Effect<boolean, E, R>, what: string) =>
  Effect.gen(function*() {
    for (let i = 0; i < 200; i++) {
      if (yield* isSo) return
      yield* Effect.sleep(50)
    }
    assert.fail(`not within ten seconds: ${what}`)
  })

/** Registers tests. The layer is built anew for each process, and they share a store. */
export const sharingOver = (name: string, layer: Layer.Layer<RegistryLog.RegistryLog, unknown>): void => {
  const running = (options: Options) =>
    Effect.flatMap(Layer.build(Layer.fresh(layer)), (context) => Effect.provideContext(process(options), context))

  describe(`registries that are shared over ${name}`, () => {
    it.live("S1 S2 S12 have one item of a name, whoever was first, and all see it", () =>
      Effect.gen(function*() {
        const own = crypto.randomUUID()
        const all = yield* Effect.forEach([1, 2, 3, 4], () => running({ name: own, defaults: [tool("built-in")] }), {
          concurrency: "unbounded"
        })
        for (let round = 0; round < 10; round++) {
          const codes = yield* Effect.forEach(
            all,
            ({ registry }, i) => codeOf(Registry.register(registry, tool(`n${round}`, String(i)))),
            { concurrency: "unbounded" }
          )
          assert.deepStrictEqual(codes.toSorted(), [...Array.from({ length: 3 }, () => "attribute_registered"), "ok"])
        }
        const [one, ...others] = yield* synced(...all)
        assert.strictEqual(one, "built-in n0 n1 n2 n3 n4 n5 n6 n7 n8 n9")
        for (const other of others) assert.strictEqual(other, one)
      }), 60_000)

    it.live("S17 hear of what another process does, without asking", () =>
      Effect.gen(function*() {
        const own = crypto.randomUUID()
        const [one, two] = [yield* running({ name: own }), yield* running({ name: own })]
        yield* Registry.register(one.registry, tool("a"))
        yield* soon(Effect.map(names(two.registry), (all) => all === "a"), "the other process has it")
        yield* Registry.unregisterBy(two.registry, "name", "a")
        yield* soon(Effect.map(names(one.registry), (all) => all === ""), "and has it no more")
      }), 60_000)

    it.live(
      "S7 S8 lose what a process had in its scopes when it was killed, and keep what it registered",
      () =>
        Effect.gen(function*() {
          const own = crypto.randomUUID()
          const options: Options = { name: own, session: { ttl: "1 second" }, patience: "4 seconds" }
          const [one, two] = [yield* running(options), yield* running(options)]
          const scope = yield* Scope.make()
          yield* Scope.provide(Registry.registerScoped(one.registry, tool("scoped")), scope)
          yield* Registry.register(one.registry, tool("kept"))
          assert.deepStrictEqual(yield* synced(one, two), ["scoped kept", "scoped kept"])
          yield* one.kill
          yield* soon(Effect.map(names(two.registry), (all) => all === "kept"), "its session has ended")
          yield* Scope.close(scope, Exit.void)
        }),
      60_000
    )

    it.live("S18 come to the same contents from a checkpoint", () =>
      Effect.gen(function*() {
        const own = crypto.randomUUID()
        const options: Options = { name: own, checkpoint: { every: 10, keep: 5 }, history: 5 }
        const one = yield* running(options)
        for (let i = 0; i < 40; i++) {
          yield* Registry.register(one.registry, tool(`n${i}`))
          if (i % 2 === 0) yield* Registry.unregisterBy(one.registry, "name", `n${i}`)
        }
        const service = Context.get(yield* Layer.build(Layer.fresh(layer)), RegistryLog.RegistryLog)
        yield* soon(Effect.map(service.checkpoint(own), (saved) => saved !== undefined), "there is a checkpoint")
        assert.strictEqual((yield* service.read(own, RegistryLog.start, 1)).records, "truncated")
        const two = yield* running(options)
        yield* SharedRegistry.sync(two.registry)
        assert.strictEqual(yield* names(two.registry), yield* names(one.registry))
      }), 60_000)
  })
}
