/** Several sources of one registry: each is made equal to its list by itself, and the defaults are run again. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { Registry, RegistryError } from "effect-registry"
import { Item, messageOf, recording } from "./utils/items.ts"

const named = (id: number, name: string) => new Item(id, name)

const names = (items: Iterable<Item>): string => Array.from(items, ({ name }) => name).join(" ")

const by = (owner: string) => Effect.provideService(Registry.Owner, owner)

const ownerOf = (registry: Registry.Registry<Item, readonly ["id"], any, any>, id: number) =>
  Effect.map(Registry.explain(registry, "id", id), (one) => one._tag === "Present" ? one.owner : one._tag)

describe("reconcile of one owner", () => {
  const make = Effect.gen(function*() {
    const log: Array<string> = []
    const registry = yield* Registry.make<Item>()({ name: "items", lookup: ["id"], hooks: recording(log) })
    yield* Registry.registerAll(registry, [named(1, "k1"), named(2, "k2")]).pipe(by("kuma"))
    yield* Registry.registerAll(registry, [named(3, "f1")]).pipe(by("file"))
    yield* Registry.register(registry, named(4, "u1"))
    log.length = 0
    return { log, registry }
  })

  it.effect("makes what it registered equal to the list, with the fewest changes, and touches nothing else", () =>
    Effect.gen(function*() {
      const { log, registry } = yield* make
      const list = [named(1, "k1"), named(5, "k3")]
      const report = yield* Registry.reconcile(registry, list, { owner: "kuma" })
      assert.deepStrictEqual(
        [names(report.added), names(report.removed), names(report.kept), report.replaced.length],
        ["k3", "k2", "k1", 0]
      )
      assert.strictEqual(names(yield* Registry.values(registry)), "k1 f1 u1 k3")
      assert.deepStrictEqual(log, ["unregistering 2", "registering 5", "unregistered 2", "registered 5"])
      assert.strictEqual(yield* ownerOf(registry, 5), "kuma")
      yield* registry.pipe(Registry.reconcile([named(5, "k3")], { owner: "kuma" }), by("admin"))
      assert.strictEqual(names(yield* Registry.values(registry)), "f1 u1 k3")
    }))

  it.effect("refuses a key that another owner has, or nobody: nothing changes", () =>
    Effect.gen(function*() {
      const { registry } = yield* make
      for (const [id, owner] of [[3, "file"], [4, undefined]] as const) {
        const error = yield* Effect.flip(Registry.reconcile(registry, [named(id, "k")], { owner: "kuma" }))
        assert.instanceOf(error, RegistryError.AlreadyRegisteredError)
        assert.deepStrictEqual([error.code, error.owner], ["attribute_registered", owner])
        assert.strictEqual(names(yield* Registry.values(registry)), "k1 k2 f1 u1")
      }
    }))

  it.effect("refuses an item that another owner has registered, though it is equal", () =>
    Effect.gen(function*() {
      const { registry } = yield* make
      const error = yield* Effect.flip(Registry.reconcile(registry, [named(3, "f1")], { owner: "kuma" }))
      assert.strictEqual(error.code, "already_registered")
    }))

  it.effect("finds what it registered, whoever has updated it, and the update is its own", () =>
    Effect.gen(function*() {
      const { registry } = yield* make
      yield* Registry.upsert(registry, named(1, "amended")).pipe(by("admin"))
      yield* Registry.reconcile(registry, [named(1, "k1 again")], { owner: "kuma" }).pipe(by("cron"))
      const explained = yield* Registry.explain(registry, "id", 1)
      assert.deepStrictEqual(
        explained,
        Registry.Explanation.Present({
          item: named(1, "k1 again"),
          owner: "kuma",
          revision: 2,
          updated: { revision: 6, by: "kuma" },
          hides: []
        })
      )
      assert.strictEqual(names(yield* Registry.values(registry)), "k1 again f1 u1")
    }))

  it.effect("leaves its overrides, and reaches what those of others hide", () =>
    Effect.gen(function*() {
      const { registry } = yield* make
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.override(registry, named(1, "over")), scope).pipe(by("file"))
      yield* Scope.provide(Registry.override(registry, named(9, "own")), scope).pipe(by("kuma"))
      yield* Registry.reconcile(registry, [named(1, "new")], { owner: "kuma" })
      assert.strictEqual(names(yield* Registry.values(registry)), "f1 u1 over own")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(names(yield* Registry.values(registry)), "new f1 u1")
    }))

  it.effect("keeps the scope of what it updates; what it adds in a scope that lends none stays", () =>
    Effect.gen(function*() {
      const { registry } = yield* make
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerScoped(registry, named(6, "s1")), scope).pipe(by("session"))
      yield* Registry.reconcile(registry, [named(6, "s2"), named(7, "s3")], { owner: "session" })
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(names(yield* Registry.values(registry)), "k1 k2 f1 u1 s3")
    }))

  it.effect("without a name dies with a message: what has no owner is not one source", () =>
    Effect.gen(function*() {
      const { registry } = yield* make
      const exit = yield* Effect.exit(Registry.reconcile(registry, [], { owner: "" }))
      assert.strictEqual(
        messageOf(exit),
        `Could not reconcile the items of the owner "" in "items": that is all that has no owner. ` +
          "Give the name of an owner."
      )
      assert.strictEqual(yield* Registry.size(registry), 4)
    }))

  it.effect("is a static of a service, and knows the defaults by their owner", () =>
    Effect.gen(function*() {
      class Items extends Registry.Service<Items, Item>()("Items", { lookup: ["id"], defaults: [named(1, "d1")] }) {}
      yield* Effect.gen(function*() {
        yield* Items.register(named(2, "p1"))
        yield* Items.reconcile([named(3, "d2")], { owner: "defaults" })
        assert.strictEqual(names(yield* Items.values), "p1 d2")
        yield* Items.reconcile([named(3, "d2")])
        assert.strictEqual(names(yield* Items.values), "d2")
        yield* Registry.reconcile(Items, [named(4, "d3")])
        assert.strictEqual(names(yield* Items.values), "d3")
      }).pipe(Effect.provide(Items.layer))
    }))
})
