import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Logger, Scope, Stream } from "effect"
import { Registry, RegistryError, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { contradictions, published } from "./utils/inside.ts"
import { a, b, c, Item, recording } from "./utils/items.ts"

const lookup = ["id", "name"] as const

const make = Registry.make<Item>()({ name: "items", lookup })

const by = (owner: string) => Effect.provideService(Registry.Owner, owner)

/** An item with the id of another, and its own name. */
const other = (id: number, name = `other ${id}`) => new Item(id, name)

type Items = Registry.Registry<Item, typeof lookup>

/** All ways to change the item of a registration. */
const updates: Record<string, (registry: Items, item: Item) => Effect.Effect<unknown, unknown>> = {
  replace: (registry, item) => Registry.replace(registry, "id", item.id, item),
  upsert: (registry, item) => Registry.upsert(registry, item),
  reconcile: (registry, item) =>
    Effect.flatMap(
      Registry.values(registry),
      (all) => Registry.reconcile(registry, all.map((one) => one.id === item.id ? item : one))
    ),
  "reconcile, with exchanged names": (registry, item) =>
    Effect.gen(function*() {
      yield* Registry.register(registry, other(8, "eight"))
      yield* Registry.reconcile(registry, [other(item.id, "eight"), other(8, `item ${item.id}`)])
      yield* Registry.unregisterBy(registry, "id", 8)
    }),
  "replace in a transaction that a hook of another item makes": (registry, item) =>
    Effect.scoped(Effect.gen(function*() {
      yield* Registry.addHooks(registry, {
        onItemRegistered: (one) =>
          one.id === 9 ? Effect.orDie(Registry.replace(registry, "id", item.id, item)) : Effect.void
      })
      yield* Registry.register(registry, other(9))
      yield* Registry.unregisterBy(registry, "id", 9)
    }))
}

describe("registrations", () => {
  for (const hooked of [false, true]) {
    for (const [name, update] of Object.entries(updates)) {
      it.effect(`G27 closing a scope removes what was registered in it, after ${name}, ${hooked ? "with" : "without"} hooks`, () =>
        Effect.gen(function*() {
          const registry = yield* Registry.make<Item>()({ lookup, ...(hooked ? { hooks: recording([]) } : {}) })
          const scope = yield* Scope.make()
          yield* Registry.registerScoped(registry, a).pipe(Scope.provide(scope), by("session"))
          yield* update(registry, other(1)).pipe(by("admin"))
          const explained = yield* Registry.explain(registry, "id", 1)
          assert.deepInclude(explained, { _tag: "Present", owner: "session", revision: 2 })
          assert.strictEqual(explained._tag === "Present" && explained.updated?.by, "admin")
          yield* Scope.close(scope, Exit.void)
          assert.deepStrictEqual([...(yield* Registry.values(registry))], [])
          assert.deepStrictEqual(contradictions(registry), [])
        }))
    }
  }

  it.effect("G27 closing a scope removes nothing else: not what was registered again, nor by another scope", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const [one, another] = [yield* Scope.make(), yield* Scope.make()]
      yield* Registry.registerScoped(registry, a).pipe(Scope.provide(one))
      yield* Registry.unregister(registry, a)
      yield* Registry.registerScoped(registry, a).pipe(Scope.provide(another))
      yield* Registry.replace(registry, "id", 1, other(1))
      yield* Scope.close(one, Exit.void)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [other(1)])
      yield* Scope.close(another, Exit.void)
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("G27 an override that is updated ends with its scope, and what it hid comes back", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.register(registry, a)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.override(registry, other(1, "over"))
        yield* Registry.upsert(registry, other(1, "over and over"))
        assert.deepStrictEqual([...(yield* Registry.values(registry))], [other(1, "over and over")])
      }))
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
    }))

  it.effect("G27 a scope closes while its item is updated, in every schedule: the item is gone", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({
          lookup,
          hooks: { onItemRegistered: () => Effect.yieldNow, onItemUnregistered: () => Effect.yieldNow }
        })
        const scope = yield* Scope.make()
        yield* Registry.registerScoped(registry, a).pipe(Scope.provide(scope))
        yield* Effect.all([
          Scope.close(scope, Exit.void),
          Effect.ignore(Registry.replace(registry, "id", 1, other(1)))
        ], { concurrency: "unbounded" })
        assert.deepStrictEqual([...(yield* Registry.values(registry))], [])
      })),
      { seeds: 300 }
    ))

  for (const hooked of [false, true]) {
    it.effect(`G27 upsertScoped takes a registration over into its scope and owner, ${hooked ? "with" : "without"} hooks`, () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const registry = yield* Registry.make<Item>()({ lookup, ...(hooked ? { hooks: recording(log) } : {}) })
        const [one, two] = [yield* Scope.make(), yield* Scope.make()]
        yield* Registry.upsertScoped(registry, a).pipe(Scope.provide(one), by("one"))
        yield* Registry.register(registry, b).pipe(by("nobody"))
        const before = RegistrySnapshot.revision(yield* Registry.snapshot(registry))
        log.length = 0
        // of the same item nobody sees it
        yield* Registry.upsertScoped(registry, a).pipe(Scope.provide(two), by("two"))
        assert.deepStrictEqual(log, [])
        assert.strictEqual(RegistrySnapshot.revision(yield* Registry.snapshot(registry)), before)
        yield* Registry.upsertScoped(registry, other(2)).pipe(Scope.provide(two), by("two"))
        yield* Scope.close(one, Exit.void)
        assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, other(2)])
        const owners = yield* Effect.forEach([1, 2], (id) => Registry.explain(registry, "id", id))
        assert.deepStrictEqual(owners.map((explained) => explained._tag === "Present" && explained.owner), [
          "two",
          "two"
        ])
        yield* Scope.close(two, Exit.void)
        assert.strictEqual(yield* Registry.size(registry), 0)
        assert.deepStrictEqual(contradictions(registry), [])
      }))
  }

  it.effect("upsertScoped again and again in one scope leaves one finalizer in it", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const scope = yield* Scope.make()
      for (let i = 0; i < 100; i++) yield* Registry.upsertScoped(registry, other(1, `${i}`)).pipe(Scope.provide(scope))
      assert.strictEqual(scope.state._tag === "Open" ? scope.state.finalizers?.size ?? 1 : 0, 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("G7 upsertScoped in a transaction that fails takes nothing over", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const [one, two] = [yield* Scope.make(), yield* Scope.make()]
      yield* Registry.registerScoped(registry, a).pipe(Scope.provide(one))
      yield* Effect.exit(Registry.transact(
        registry,
        Registry.upsertScoped(registry, other(1)).pipe(Scope.provide(two), Effect.andThen(Effect.fail("no")))
      ))
      yield* Scope.close(two, Exit.void)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
      yield* Scope.close(one, Exit.void)
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("unregisterOwner removes what its owner registered, whatever item a hook has put in its place", () =>
    Effect.gen(function*() {
      const hooks = RegistryHooks.make<Item>()({
        onItemUnregistered: (item): Effect.Effect<unknown> =>
          item.id === 2 ? Effect.orDie(Registry.replace(registry, "id", 1, other(1))) : Effect.void
      })
      const registry: Items = yield* Registry.make<Item>()({ lookup, hooks })
      yield* Registry.registerAll(registry, [a, b]).pipe(by("plugin"))
      yield* Registry.register(registry, c)
      yield* Registry.unregisterOwner(registry, "plugin")
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [c])
    }))
})

describe("what comes while an override lives goes below it", () => {
  it.effect("an item that shares a value with overrides alone goes in hidden: asked at once, told when it can be seen", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup, hooks: recording(log) })
      const scope = yield* Scope.make()
      yield* Registry.override(registry, other(1, "over")).pipe(Scope.provide(scope))
      const explained = yield* Registry.explain(registry, "id", 1)
      log.length = 0
      yield* Registry.register(registry, a).pipe(by("plugin"))
      assert.deepStrictEqual(log, ["registering 1"])
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [other(1, "over")])
      const hides = yield* Registry.explain(registry, "id", 1)
      assert.deepStrictEqual(hides, explained._tag === "Present" ? { ...explained, hides: [a] } : undefined)
      assert.deepStrictEqual(contradictions(registry), [])
      // another one has its values already
      const error = yield* Effect.flip(Registry.register(registry, other(1, "third")))
      assert.deepInclude(error, { code: "attribute_registered", existing: a, owner: "plugin" })
      log.length = 0
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(log, ["unregistering 1", "unregistered 1", "registered 1"])
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
    }))

  it.effect("an item that a hook refuses does not go in below an override either", () =>
    Effect.gen(function*() {
      const hooks = RegistryHooks.make<Item>()({
        onItemRegistering: (item) => item.name === "bad" ? RegistryError.reject(item, "bad") : Effect.void
      })
      const registry = yield* Registry.make<Item>()({ lookup, hooks })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.override(registry, a)
        yield* Effect.flip(Registry.register(registry, other(1, "bad")))
      }))
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("a list goes in, some of it below overrides, in the order of its items", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const scope = yield* Scope.make()
      yield* Registry.override(registry, other(2, "over")).pipe(Scope.provide(scope))
      yield* Registry.registerAll(registry, [a, b, c])
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [other(2, "over"), a, c])
      assert.deepStrictEqual(contradictions(registry), [])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, b, c])
    }))

  it.effect("the layer of overrides stands below the layers of items, beside them or above them", () =>
    Effect.gen(function*() {
      class Things extends Registry.Service<Things, Item>()("Things", { lookup }) {}
      const [items, overrides] = [Things.items([a, b]), Things.overrides([other(1, "over")])]
      const layers = {
        below: items.pipe(Layer.provideMerge(overrides), Layer.provideMerge(Things.layer)),
        beside: Layer.mergeAll(overrides, items).pipe(Layer.provideMerge(Things.layer)),
        above: overrides.pipe(Layer.provideMerge(items), Layer.provideMerge(Things.layer))
      }
      for (const layer of Object.values(layers)) {
        const seen = yield* Effect.provide(Effect.all([Things.get("id", 1), Things.size]), layer, { local: true })
        assert.deepStrictEqual(seen, [other(1, "over"), 2])
      }
    }))

  it.effect("replace, whose new item shares a value with an override alone, goes below it", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup, hooks: recording(log) })
      const scope = yield* Scope.make()
      yield* Registry.register(registry, b)
      yield* Registry.override(registry, a).pipe(Scope.provide(scope))
      log.length = 0
      yield* Registry.replace(registry, "id", 2, other(1, "below"))
      assert.deepStrictEqual(log, ["registering 1", "unregistering 2", "unregistered 2"])
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
      assert.deepStrictEqual(contradictions(registry), [])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [other(1, "below")])
    }))

  it.effect("a reconciliation reaches what is hidden: what comes back is what was reconciled", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup, hooks: recording(log) })
      const scope = yield* Scope.make()
      yield* Registry.registerAll(registry, [a, b, c])
      yield* Registry.override(registry, other(1, "over")).pipe(Scope.provide(scope))
      yield* Registry.override(registry, other(2, "over 2")).pipe(Scope.provide(scope))
      log.length = 0
      const report = yield* Registry.reconcile(registry, [other(1, "new"), c])
      assert.deepStrictEqual(report, {
        added: [],
        removed: [b],
        replaced: [{ previous: a, item: other(1, "new") }],
        kept: [c],
        moved: []
      })
      assert.deepStrictEqual(log, ["registering 1"])
      assert.deepStrictEqual(contradictions(registry), [])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [other(1, "new"), c])
    }))

  it.effect("what nobody can see is no change: no revision and no event", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.override(registry, a)
      const before = yield* Registry.snapshot(registry)
      yield* Effect.scoped(Registry.registerScoped(registry, other(1, "hidden")))
      const { changes, snapshot } = yield* Registry.subscribe(registry)
      assert.deepStrictEqual([...snapshot], [...before])
      assert.strictEqual(snapshot.pipe(RegistrySnapshot.revision), RegistrySnapshot.revision(before))
      yield* Registry.register(registry, b)
      const [change] = yield* Stream.runCollect(Stream.take(changes, 1))
      assert.strictEqual(change!.revision, RegistrySnapshot.revision(before) + 1)
    }))
})

describe("a reset is a fresh start with the same scopes", () => {
  it.effect("what open scopes registered comes back behind the defaults, in its old order, through the hooks", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [c], hooks: recording(log) })
      yield* Registry.registerScoped(registry, b).pipe(by("two"))
      yield* Registry.register(registry, other(7))
      yield* Registry.registerScoped(registry, a).pipe(by("one"))
      yield* Registry.override(registry, other(3, "over"))
      yield* Registry.reset(registry)
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [])
      log.length = 0
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [b, a, other(3, "over")])
      assert.deepStrictEqual(log, [
        "populating",
        "registering 3",
        "registered 3",
        "registering 2",
        "registered 2",
        "registering 1",
        "registered 1",
        "registering 3",
        "unregistering 3",
        "unregistered 3",
        "registered 3",
        "populated"
      ])
      const explained = yield* Effect.forEach([1, 3], (id) => Registry.explain(registry, "id", id))
      assert.deepStrictEqual(explained.map((one) => one._tag === "Present" && [one.owner, one.hides]), [
        ["one", []],
        ["", [c]]
      ])
      assert.deepStrictEqual(contradictions(registry), [])
    }))

  it.effect("G27 a scope that closes while the registry is Pending takes its items along, and one that closes later, too", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const [one, two] = [yield* Scope.make(), yield* Scope.make()]
      for (let round = 0; round < 3; round++) {
        if (round === 0) {
          yield* Registry.registerScoped(registry, a).pipe(Scope.provide(one))
          yield* Registry.registerAllScoped(registry, [b, c]).pipe(Scope.provide(two))
        }
        yield* Registry.reset(registry)
        if (round === 1) yield* Scope.close(one, Exit.void)
        assert.deepStrictEqual([...(yield* Registry.values(registry))], round === 0 ? [a, b, c] : [b, c])
        yield* Registry.upsert(registry, other(2, `round ${round}`))
        yield* Registry.upsert(registry, b)
      }
      yield* Scope.close(two, Exit.void)
      assert.strictEqual(yield* Registry.size(registry), 0)
      assert.deepStrictEqual(contradictions(registry), [])
    }))

  it.effect("an override that cannot come back leaves those that have come with what they hide", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a, b], populationFailure: "die" })
      const scope = yield* Scope.make()
      yield* Registry.override(registry, other(1)).pipe(Scope.provide(scope))
      yield* Registry.override(registry, other(2))
      yield* Registry.addHooks(registry, {
        onItemRegistering: (item) =>
          Registry.state(registry).pipe(
            Effect.flatMap((state) =>
              state === "Populating" && item.name === "other 2" ? RegistryError.reject(item, "no") : Effect.void
            )
          )
      })
      yield* Registry.reset(registry)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [b, other(1)])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, b])
    }))

  for (const hooked of [false, true]) {
    it.effect(`an override that waits when its scope closes leaves nothing behind, ${hooked ? "with" : "without"} hooks`, () =>
      Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({ lookup, ...(hooked ? { hooks: recording([]) } : {}) })
        const scope = yield* Scope.make()
        for (const item of [a, b]) yield* Registry.override(registry, item).pipe(Scope.provide(scope))
        yield* Registry.reset(registry)
        yield* Scope.close(scope, Exit.void)
        yield* Registry.register(registry, c)
        assert.isUndefined(published(registry).withheld)
      }))
  }

  it.effect("what cannot come back is left out with a warning: a default has its key now, or a hook refuses it", () => {
    const warnings: Array<unknown> = []
    const logger = Logger.make(({ message }) => warnings.push(message))
    return Effect.gen(function*() {
      let defaults: ReadonlyArray<Item> = []
      let refused: Item | undefined
      const hooks = RegistryHooks.make<Item>()({
        onItemRegistering: (item) => item === refused ? RegistryError.reject(item, "no more") : Effect.void
      })
      const registry = yield* Registry.make<Item>()({
        name: "items",
        lookup,
        defaults: Effect.suspend(() => Effect.succeed(defaults)),
        hooks
      })
      yield* Effect.forEach([a, b, c], (item) => Registry.registerScoped(registry, item))
      defaults = [other(1, "default")]
      refused = b
      yield* Registry.reset(registry)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [other(1, "default"), c])
      assert.lengthOf(warnings, 2)
      for (const warning of warnings) assert.include(JSON.stringify(warning), "items")
      // it does not come back later either
      refused = undefined
      defaults = []
      yield* Registry.reset(registry)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [c])
    }).pipe(Effect.provide(Logger.layer([logger])))
  })

  it.effect("G7 a population that fails leaves what waits, and the next one brings it back", () =>
    Effect.gen(function*() {
      let fails = false
      const registry = yield* Registry.make<Item>()({
        lookup,
        defaults: Effect.suspend(() => fails ? Effect.fail("down") : Effect.succeed([c]))
      })
      yield* Registry.registerScoped(registry, a)
      yield* Registry.reset(registry)
      fails = true
      yield* Effect.flip(Registry.populate(registry))
      fails = false
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [c, a])
    }))

  it.effect("G7 a reset that is rolled back leaves the scopes' items where they were", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.registerAll(registry, [a, b])
      const scope = yield* Scope.make()
      yield* Registry.registerScoped(registry, c).pipe(Scope.provide(scope))
      const before = yield* Registry.snapshot(registry)
      yield* Effect.exit(
        Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.reset(registry)
            assert.deepStrictEqual([...(yield* Registry.values(registry))], [c])
            return yield* Effect.fail("no")
          })
        )
      )
      assert.strictEqual(yield* Registry.snapshot(registry), before)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, b])
    }))

  it.effect("G25 a scope that closes in a transaction that resets, and fails, takes its items along", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.register(registry, a)
      const scope = yield* Scope.make()
      yield* Registry.registerScoped(registry, c).pipe(Scope.provide(scope))
      yield* Registry.reset(registry)
      const failing = Effect.andThen(Scope.close(scope, Exit.void), Effect.fail("no"))
      yield* Effect.exit(Registry.transact(registry, Effect.andThen(Registry.reset(registry), failing)))
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [])
    }))

  it.effect("a hook that unregisters a scope's item during the reset withdraws it for good", () =>
    Effect.gen(function*() {
      const hooks = RegistryHooks.make<Item>()({
        onItemUnregistering: (item): Effect.Effect<unknown> =>
          item.id === 2 ? Effect.ignore(Registry.unregister(registry, a)) : Effect.void
      })
      const registry: Items = yield* Registry.make<Item>()({ lookup, hooks })
      yield* Registry.registerAllScoped(registry, [a, b])
      yield* Registry.reset(registry)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [b])
    }))

  it.effect("what defaults register in the scope of their population comes with them alone", () =>
    Effect.gen(function*() {
      let runs = 0
      const registry: Registry.Registry<Item, typeof lookup, any> = yield* Registry.make<Item>()({
        lookup,
        defaults: Effect.suspend(() => {
          runs++
          return Effect.as(Effect.orDie(Registry.registerScoped(registry, other(1, `run ${runs}`))), [c])
        })
      })
      yield* Registry.populate(registry)
      yield* Registry.reset(registry)
      assert.deepStrictEqual((yield* Registry.values(registry)).map(({ name }) => name), ["run 2", "item 3"])
    }))

  it.effect("with layerLazy, what the loaded layer registers is back after a reset, however it registered it", () => {
    class Late extends Registry.Service<Late, Item>()("Late", { lookup }) {}
    const companion = Late.addHooks({
      onItemRegistered: (item) => item.id === 1 ? Effect.orDie(Late.register(c)) : Effect.void
    })
    const loaded = Layer.effectDiscard(
      Effect.all([companion, Late.register(a), Late.transact(Late.register(b))], { discard: true })
    ).pipe(Layer.provideMerge(Late.layer))
    return Effect.gen(function*() {
      for (let round = 0; round < 3; round++) {
        assert.deepStrictEqual((yield* Late.values).map(({ id }) => id), [1, 3, 2])
        yield* Late.reset
      }
    }).pipe(Effect.provide(Late.layerLazy(() => Promise.resolve(loaded))))
  })

  it.effect("in every schedule of a reset, a population and a scope that closes, the scope's item is gone at the end", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({
          lookup,
          defaults: Effect.as(Effect.yieldNow, [c]),
          hooks: { onItemRegistered: () => Effect.yieldNow, onItemUnregistered: () => Effect.yieldNow }
        })
        const scope = yield* Scope.make()
        yield* Registry.registerScoped(registry, a).pipe(Scope.provide(scope))
        yield* Registry.registerScoped(registry, b)
        yield* Effect.all([
          Registry.reset(registry),
          Registry.populate(registry),
          Scope.close(scope, Exit.void),
          Registry.reset(registry)
        ], { concurrency: "unbounded" })
        assert.deepStrictEqual([...(yield* Registry.values(registry))], [c, b])
      })),
      { seeds: 300 }
    ))

  it.effect("a reset that waits for a hook finds what was registered meanwhile", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({
        lookup,
        hooks: { onItemRegistered: (item) => item.id === 1 ? Deferred.await(gate) : Effect.void }
      })
      const registering = yield* Effect.forkChild(Registry.registerScoped(registry, a), { startImmediately: true })
      const resetting = yield* Effect.forkChild(Registry.reset(registry), { startImmediately: true })
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(registering)
      yield* Fiber.join(resetting)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
    }))
})
