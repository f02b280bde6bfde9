import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option, Stream } from "effect"
import { Lookup, Registry, RegistrySnapshot } from "effect-registry"

interface Codec {
  readonly name: string
  readonly kind: string
}

const gzip: Codec = { name: "gzip", kind: "lossless" }
const zip: Codec = { name: "zip", kind: "lossless" }
const jpeg: Codec = { name: "jpeg", kind: "lossy" }

class Codecs extends Registry.Service<Codecs, Codec>()("test/Codecs", {
  lookup: { name: Lookup.unique(({ name }) => name), kind: Lookup.group(({ kind }) => kind) },
  defaults: [gzip]
}) {}

describe("a service class", () => {
  it.effect("reads the registry of the context", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual([yield* Codecs.state, yield* Codecs.populated], ["Pending", false])
      assert.strictEqual((yield* Codecs.explain("name", "gzip"))._tag, "Pending")
      yield* Codecs.populate
      assert.deepStrictEqual([yield* Codecs.state, yield* Codecs.populated], ["Ready", true])
      assert.strictEqual((yield* Codecs.explain("name", "gzip"))._tag, "Present")
      yield* Codecs.registerAll([zip, jpeg])
      assert.strictEqual(yield* Codecs.get("name", "zip"), zip)
      assert.deepStrictEqual(yield* Codecs.getOption("name", "jpeg"), Option.some(jpeg))
      assert.deepStrictEqual(yield* Codecs.getOption("name", "png"), Option.none())
      assert.deepStrictEqual(yield* Codecs.getAll("kind", "lossless"), [gzip, zip])
      assert.deepStrictEqual([yield* Codecs.has("kind", "lossy"), yield* Codecs.has("kind", "lost")], [true, false])
      assert.deepStrictEqual([yield* Codecs.contains(gzip), yield* Codecs.contains({ ...gzip, kind: "lossy" })], [
        true,
        false
      ])
      assert.strictEqual(yield* Codecs.size, 3)
      assert.deepStrictEqual(yield* Codecs.values, [gzip, zip, jpeg])
      assert.deepStrictEqual([yield* Codecs.at(1), yield* Codecs.at(-1)], [Option.some(zip), Option.some(jpeg)])
      const snapshot = yield* Codecs.snapshot
      assert.strictEqual(snapshot, Registry.snapshotUnsafe(yield* Codecs))
      assert.strictEqual(RegistrySnapshot.revision(snapshot), 2)
    }).pipe(Effect.provide(Codecs.layer)))

  it.effect("changes the registry of the context", () =>
    Effect.gen(function*() {
      const better = { ...gzip, kind: "better" }
      yield* Codecs.register(zip)
      yield* Codecs.upsert(better)
      assert.deepStrictEqual(yield* Codecs.values, [better, zip])
      yield* Codecs.replace("name", "gzip", jpeg)
      assert.deepStrictEqual(yield* Codecs.values, [jpeg, zip])
      yield* Codecs.unregister(zip)
      yield* Codecs.unregisterBy("name", "jpeg")
      assert.deepStrictEqual(yield* Codecs.values, [])
      const { added, removed, replaced } = yield* Codecs.reconcile([gzip])
      assert.deepStrictEqual({ added, removed, replaced }, { added: [gzip], removed: [], replaced: [] })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Codecs.registerScoped(zip)
        yield* Codecs.registerAllScoped([jpeg])
        yield* Codecs.override(better)
        assert.deepStrictEqual(yield* Codecs.values, [zip, jpeg, better])
      }))
      assert.deepStrictEqual(yield* Codecs.values, [gzip])
      yield* Codecs.registerAll([zip, jpeg]).pipe(Effect.provideService(Registry.Owner, "plugin"))
      assert.deepStrictEqual(yield* Codecs.unregisterOwner("plugin"), [zip, jpeg])
      const exit = yield* Effect.exit(Codecs.transact(Effect.andThen(Codecs.register(zip), Effect.fail("no"))))
      assert.deepStrictEqual(exit, Exit.fail("no"))
      assert.strictEqual(yield* Codecs.transact(Effect.as(Codecs.register(jpeg), "yes")), "yes")
      assert.deepStrictEqual(yield* Codecs.values, [gzip, jpeg])
      yield* Codecs.reset
      assert.strictEqual(yield* Codecs.state, "Pending")
    }).pipe(Effect.provide(Codecs.layer)))

  it.effect("follows the registry of the context, and hooks into it", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const telling = { onItemRegistered: ({ name }: Codec) => Effect.sync(() => told.push(name)) }
      yield* Codecs.populate
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Codecs.addHooks(telling)
        assert.deepStrictEqual(told, [])
        yield* Codecs.addHooks(telling, { existing: true })
        assert.deepStrictEqual(told, ["gzip"])
        const changes = yield* Effect.forkChild(Stream.runCollect(Stream.take(Codecs.changes, 1)), {
          startImmediately: true
        })
        const { changes: since, snapshot } = yield* Codecs.subscribe({ since: 0 })
        assert.deepStrictEqual(Array.from(snapshot), [gzip])
        const awaited = yield* Effect.forkChild(Codecs.awaitItem("name", "zip"), { startImmediately: true })
        yield* Codecs.register(zip)
        assert.strictEqual(yield* Fiber.join(awaited), zip)
        assert.deepStrictEqual((yield* Fiber.join(changes)).map(({ revision }) => revision), [2])
        const both = yield* Stream.runCollect(Stream.take(since, 2))
        assert.deepStrictEqual(both.map(({ revision }) => revision), [1, 2])
        assert.deepStrictEqual(told, ["gzip", "zip", "zip"])
      }))
    }).pipe(Effect.provide(Codecs.layer)))
})
