/**
 * A registry keeps nothing of the services of a fiber that asked it for something, when that has ended.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Latch, Layer, Scope, Stream } from "effect"
import { Registry } from "effect-registry"
import { kept } from "./utils/garbage.ts"
import { a, b, c, Item } from "./utils/items.ts"

class Request extends Context.Service<Request, { readonly body: Uint8Array }>()("test/Request") {}

/** Runs effects with a request of its own each, and answers those whose request is still kept afterwards. */
const keptOf = <R = never>(effects: Record<string, Effect.Effect<unknown, unknown, Request | R>>) =>
  Effect.gen(function*() {
    const requests = new Map<string, WeakRef<object>>()
    for (const [name, effect] of Object.entries(effects)) {
      yield* Effect.exit(Effect.suspend(() => {
        const request = { body: new Uint8Array(1_000) }
        requests.set(name, new WeakRef(request))
        return Effect.provideService(effect, Request, request)
      }))
    }
    return yield* kept(requests)
  })

const make = (name: string) => Registry.make<Item>()({ name, lookup: ["id"] })

/** Runs an effect, and interrupts it when it waits. */
const interrupted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    yield* Effect.yieldNow
    yield* Fiber.interrupt(fiber)
  })

/** Runs an effect in a scope that closes. */
const ended = <A, E, R>(effect: Effect.Effect<A, E, R | Scope.Scope>) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    yield* Scope.provide(effect, scope)
    yield* Scope.close(scope, Exit.void)
  })

describe("the services of a fiber that asks", () => {
  it.effect("a request that is kept is noticed", () =>
    Effect.gen(function*() {
      const held: Array<unknown> = []
      const remembering = Effect.flatMap(Effect.context<Request>(), (context) => Effect.sync(() => held.push(context)))
      assert.deepStrictEqual(yield* keptOf({ remembering, other: Effect.void }), ["remembering"])
      assert.strictEqual(held.length, 1)
    }))

  for (
    const [name, defaults] of Object.entries({
      "a population that waits": Effect.as(Effect.yieldNow, [a]),
      "a population in one step": [a],
      "a population that fails": Effect.andThen(Effect.yieldNow, Effect.fail("offline")),
      "a population that dies at once": Effect.die("broken")
    })
  ) {
    it.effect(`${name} keeps nothing of those that asked for it`, () =>
      Effect.gen(function*() {
        const making = Registry.make<Item>()({ lookup: ["id"], defaults })
        const registries = [yield* making, yield* making, yield* making, yield* making] as const
        assert.deepStrictEqual(
          yield* keptOf({
            reading: Registry.size(registries[0]),
            changing: Registry.register(registries[1], b),
            populating: Registry.populate(registries[2]),
            together: Effect.all([Registry.size(registries[3]), Registry.values(registries[3])], {
              concurrency: 2,
              mode: "result"
            })
          }),
          []
        )
        for (const registry of registries) yield* Registry.state(registry)
      }))
  }

  it.effect("a population that all have given up keeps nothing of them", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: Effect.never })
      const other = yield* make("other")
      assert.deepStrictEqual(
        yield* keptOf({
          reading: interrupted(Registry.size(registry)),
          inside: interrupted(Registry.transact(other, Registry.size(registry)))
        }),
        []
      )
      assert.strictEqual(yield* Registry.state(registry), "Pending")
    }))

  it.effect("an import keeps nothing of those that asked for it", () => {
    class Items extends Registry.Service<Items, Item>()("test/Items", { lookup: ["id"], defaults: [a] }) {}
    return Effect.gen(function*() {
      assert.deepStrictEqual(yield* keptOf({ importing: Items.size }), [])
      assert.strictEqual(yield* Items.size, 2)
    }).pipe(
      Effect.provide(
        Items.layerLazy(() => Promise.resolve(Items.items([b]).pipe(Layer.provideMerge(Items.layer), Layer.orDie)))
      )
    )
  })

  it.effect("a fiber that a hook forks keeps nothing of the transaction that called it, when that has ended", () =>
    Effect.gen(function*() {
      const forked: Array<Fiber.Fiber<unknown, unknown>> = []
      const registry = yield* make("registry")
      const other = yield* make("other")
      yield* Registry.addHooks(registry, {
        onItemRegistered: () => Effect.map(Effect.forkDetach(Effect.never), (fiber) => forked.push(fiber))
      })
      assert.deepStrictEqual(
        yield* keptOf({
          registering: Registry.register(registry, a),
          transacting: Registry.transact(registry, Registry.transact(registry, Registry.register(registry, b))),
          failing: Registry.transact(registry, Effect.andThen(Registry.register(registry, c), Effect.fail("no"))),
          "of several": Registry.transactAll([other, registry], Registry.register(registry, c))
        }),
        []
      )
      assert.strictEqual(forked.length, 4)
      for (const fiber of forked) fiber.interruptUnsafe()
    }))

  it.effect("an operation that had to wait, or was interrupted while it did, leaves nothing", () =>
    Effect.gen(function*() {
      const registry = yield* make("registry")
      yield* Registry.populate(registry)
      const gate = yield* Latch.make()
      const holding = yield* Effect.forkChild(Registry.transact(registry, gate.await), { startImmediately: true })
      assert.deepStrictEqual(
        yield* keptOf({
          registering: interrupted(Registry.register(registry, a)),
          transacting: interrupted(Registry.transactAll([registry], Effect.void)),
          awaiting: interrupted(Registry.awaitItem(registry, "id", 1)),
          following: interrupted(Stream.runDrain(Registry.changes(registry))),
          watching: interrupted(Stream.runDrain(Registry.snapshots(registry))),
          "watching an item": interrupted(Stream.runDrain(Registry.watchItem(registry, "id", 1)))
        }),
        []
      )
      yield* gate.open
      yield* Fiber.join(holding)
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("scopes, overrides, hooks and followers that have ended keep nothing", () =>
    Effect.gen(function*() {
      const registry = yield* make("registry")
      assert.deepStrictEqual(
        yield* keptOf({
          registering: ended(Registry.registerScoped(registry, a)),
          overriding: ended(Registry.override(registry, a)),
          hooking: ended(Registry.addHooks(registry, { onItemRegistered: () => Effect.asVoid(Request) })),
          "hooking with existing": ended(
            Registry.addHooks(registry, { onItemRegistered: () => Effect.asVoid(Request) }, { existing: true })
          ),
          following: ended(Registry.subscribe(registry))
        }),
        []
      )
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))
})

describe("a registry that has closed", () => {
  it.effect("keeps neither its items nor its hooks, though somebody still has it", () =>
    Effect.gen(function*() {
      const objects = new Map<string, WeakRef<object>>()
      const noted = <A extends object>(name: string, object: A): A => {
        objects.set(name, new WeakRef(object))
        return object
      }
      const scope = yield* Scope.make()
      const registry = yield* Scope.provide(
        Registry.make<Item>()({ lookup: ["id"], defaults: Effect.sync(() => [noted("default", new Item(1))]) }),
        scope
      )
      yield* Effect.suspend(() => Registry.register(registry, noted("item", new Item(2))))
      // their scope never closes, and nothing but the registry refers to it
      yield* Effect.flatMap(Scope.make(), (own) =>
        Scope.provide(Registry.addHooks(registry, { onItemRegistered: noted("hook", () => Effect.void) }), own))
      assert.deepStrictEqual([...(yield* kept(objects))], ["item", "default", "hook"])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* kept(objects), [])
      assert.strictEqual(yield* Registry.state(registry), "Pending")
    }))
})
