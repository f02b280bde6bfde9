import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { Registry } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { a, b, c, d, Item, messageOf } from "./utils/items.ts"

class Items extends Registry.Service<Items, Item>()("test/Items", { lookup: ["id", "name"], defaults: [a] }) {}

const watched = RegistryTest.layerPedantic(Items)

/** The parts of a registry that a fault in the library would spoil. */
interface Inside {
  readonly core: {
    readonly published: {
      readonly ref: {
        current: {
          readonly indexes: ReadonlyArray<{ add: (key: unknown, entry: unknown) => unknown }>
          revision: number
        }
      }
    }
  }
}

describe("layerPedantic", () => {
  it.effect("lets pass what is as it should be: defaults, what was there before, and all that has gone again", () =>
    Effect.gen(function*() {
      yield* Items.register(b)
      yield* Effect.gen(function*() {
        yield* Items.reset
        yield* Items.register(b)
        yield* Effect.scoped(Items.registerAllScoped([c, d]))
        yield* Effect.exit(Items.transact(Effect.andThen(Items.register(c), Effect.fail("no"))))
        yield* Items.replace("id", 2, c)
        yield* Items.replace("id", 3, b)
      }).pipe(Effect.provide(watched))
      // it is as before, without the layer
      yield* Items.register(d)
      assert.deepStrictEqual([...(yield* Items.values)], [a, b, d])
    }).pipe(Effect.provide(Items.layer)))

  it.effect("dies with what is still registered when the test ends", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(
        Items.register(b).pipe(Effect.provide(watched.pipe(Layer.provideMerge(Items.layer))))
      )
      assert.match(messageOf(exit), /"test\/Items" is not as it should be.*still registered: .*item 2.*in a scope/)
      assert.notMatch(messageOf(exit), /item 1/)
    }))

  it.effect("makes the operation die whose change breaks an index, and publishes nothing", () =>
    Effect.gen(function*() {
      const registry = yield* Items
      yield* Items.populate
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(watched, scope)
      const index = (registry as unknown as Inside).core.published.ref.current.indexes[1]!
      index.add = () => index
      const exit = yield* Effect.exit(Items.register(b))
      assert.match(messageOf(exit), /By name "item 2" one finds \[\] instead of/)
      assert.strictEqual(yield* Items.size, 1)
      // whoever did not hear it then hears it now
      assert.match(messageOf(yield* Effect.exit(Scope.close(scope, Exit.void))), /By name "item 2"/)
    }).pipe(Effect.provide(Items.layer)))

  it.effect("notices a revision that is no next one", () =>
    Effect.gen(function*() {
      const registry = yield* Items
      yield* Items.populate
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(watched, scope)
      ;(registry as unknown as Inside).core.published.ref.current.revision += 1
      const { ref } = (registry as unknown as Inside).core.published
      assert.throws(() => {
        ref.current = { ...ref.current, revision: 9 } as typeof ref.current
      })
      yield* Effect.exit(Scope.close(scope, Exit.void))
    }).pipe(Effect.provide(Items.layer)))

  it.effect("says nothing about a registry that has closed before it", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const registry = yield* Scope.provide(Registry.make<Item>()({ lookup: ["id", "name"], defaults: [a] }), scope)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Layer.build(watched)
        yield* Registry.register(registry, b)
        yield* Scope.close(scope, Exit.void)
      })).pipe(Effect.provideService(Items, registry as unknown as Items["Service"]))
    }))
})
