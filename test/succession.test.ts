/** Registries that load late, and whose layer provides a registry of its own: both names become one. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Deferred, Effect, Exit, Fiber, Layer, Metric, Ref, Scope, Stream } from "effect"
import {
  Registry,
  RegistryError,
  RegistryEvent,
  RegistryHooks,
  RegistryMetrics,
  RegistrySnapshot
} from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { coreOf } from "../src/internal/coreOf.ts"
import { a, b, Balance, c, d, Item, messageOf } from "./utils/items.ts"
import { Items, uses } from "./utils/late.ts"

const seeds = 300

type Defaults = Iterable<Item> | Effect.Effect<Iterable<Item>>

const making = (defaults: Defaults = [b, c], hooks: Partial<RegistryHooks.RegistryHooks<Item>> = {}) =>
  Registry.make<Item>()({ name: "test/Other", lookup: ["id", "name"], defaults, hooks })

const other = (defaults?: Defaults, hooks?: Partial<RegistryHooks.RegistryHooks<Item>>) =>
  Layer.effect(Items, making(defaults, hooks))

/** A layer that is imported, and how often it was. */
const counting = <E, R>(layer: Layer.Layer<Items, E, R>) => {
  const count = { imports: 0 }
  return {
    count,
    layer: Items.layerLazy(() => {
      count.imports++
      return Promise.resolve(layer)
    })
  }
}

const late = (layer: Layer.Layer<Items, unknown> = other()): Layer.Layer<Items> => counting(layer).layer

/** An import that ends when it is told to. */
const gated = (layer: Layer.Layer<Items>) => {
  const gates: Array<() => void> = []
  return {
    gates,
    layer: Items.layerLazy(() => new Promise<Layer.Layer<Items>>((resolve) => gates.push(() => resolve(layer))))
  }
}

/** A module that is there in the step that asks for it. */
const importedAtOnce = <A>(layer: A) => (): Promise<A> =>
  new Proxy(Promise.resolve(layer), { get: () => (resolve: (one: A) => void) => resolve(layer) })

const atOnce: Layer.Layer<Items> = Items.layerLazy(importedAtOnce(other()))

const fork = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

/** A layer that is seen to be built and released. */
const resource = (log: Array<string>) =>
  Layer.effectDiscard(
    Effect.acquireRelease(Effect.sync(() => log.push("built")), () => Effect.sync(() => log.push("released")))
  )

/** How many are built and not released. */
const alive = (log: ReadonlyArray<string>): number =>
  log.filter((line) => line === "built").length - log.filter((line) => line === "released").length

const openFinalizers = ({ state }: Scope.Scope): number => state._tag === "Open" ? state.finalizers?.size ?? 1 : 0

const ids = (items: Iterable<Item>): string => Array.from(items, ({ id }) => id).join(" ")

const noting = (log: Array<string>, who: string) => ({
  onItemRegistered: (item: Item) => Effect.sync(() => log.push(`${who} +${item.id}`)),
  onItemUnregistered: (item: Item) => Effect.sync(() => log.push(`${who} -${item.id}`))
})

/** The import of a registry waits for the lock of another. */
const untilItWaits = (registry: Items["Service"]) =>
  Effect.gen(function*() {
    while (coreOf(registry).lock.holder?.waits?.size !== 1) yield* Effect.yieldNow
  })

/** What followed all changes would hold. */
const followed = (changes: ReadonlyArray<RegistryEvent.RegistryChange<Item>>): ReadonlyArray<Item> => {
  const items: Array<Item> = []
  for (const { events } of changes) {
    for (const event of events) {
      if (event._tag === "Registered") items.splice(event.position, 0, event.item)
      if (event._tag === "Unregistered") items.splice(items.indexOf(event.item), 1)
      if (event._tag === "Replaced") items.splice(items.indexOf(event.previous), 1, event.item)
    }
  }
  return items
}

describe("a registry that loads late, and whose layer provides another", () => {
  it.effect("is that one from the first use on", () => {
    const { count, layer } = counting(other())
    return Effect.gen(function*() {
      const items = yield* Items
      assert.deepStrictEqual([yield* Items.state, count.imports, items.name], ["Pending", 0, "test/Items"])
      assert.deepStrictEqual(yield* Items.values, [b, c])
      assert.deepStrictEqual([yield* Items.state, count.imports, items.name], ["Ready", 1, "test/Other"])
      yield* Items.register(a)
      assert.deepStrictEqual(yield* Items.values, [b, c, a])
      assert.strictEqual(RegistrySnapshot.size(Registry.snapshotUnsafe(items)), 3)
      assert.strictEqual(JSON.parse(String(items)).size, 3)
    }).pipe(Effect.provide(layer))
  })

  /** Each runs as an effect that was made before: for the registry that it was, and by the name that it still has. */
  it.effect.each(Object.entries(uses))("has the same outcome as that one by %s, built before", ([, use]) => {
    const { count, layer } = counting(other())
    const outcome = Effect.scoped(Effect.gen(function*() {
      const answer = yield* use
      return [answer instanceof Object && "changes" in answer ? "subscription" : answer, yield* Items.values]
    }))
    return Effect.gen(function*() {
      const expected = yield* Effect.provide(outcome, Layer.fresh(other()))
      assert.deepStrictEqual(
        JSON.stringify(yield* Effect.provide(outcome, layer)),
        JSON.stringify(expected)
      )
      assert.strictEqual(count.imports, 1)
    })
  })

  it.effect("effects that were made before do what those do that are made now", () =>
    Effect.gen(function*() {
      const items = yield* Items
      const values = Registry.values(items)
      const before = [
        Registry.register(items, a),
        Registry.transact(items, Registry.register(items, d)),
        Registry.unregister(items, b),
        Registry.upsert(items, new Item(3, "new")),
        Registry.transactAll([items], Registry.unregisterBy(items, "id", 1))
      ]
      const reset = Registry.reset(items)
      const populate = Registry.populate(items)
      assert.strictEqual(ids(yield* values), "2 3")
      for (const [index, expected] of ["2 3 1", "2 3 1 4", "3 1 4", "3 1 4", "3 4"].entries()) {
        yield* before[index]!
        assert.strictEqual(ids(yield* Registry.values(items)), expected)
        assert.strictEqual(ids(yield* values), expected)
      }
      yield* reset
      assert.strictEqual(yield* Registry.state(items), "Pending")
      yield* populate
      assert.strictEqual(yield* Registry.state(items), "Ready")
      assert.strictEqual(ids(yield* values), "2 3")
    }).pipe(Effect.provide(late())))

  it.effect("what is registered with a scope goes with it, whenever that was asked for", () =>
    Effect.gen(function*() {
      const items = yield* Items
      const scoped = Registry.registerScoped(items, a)
      const override = Registry.override(items, new Item(2, "above"))
      const scope = yield* Scope.make()
      yield* Scope.provide(scoped, scope)
      yield* Scope.provide(override, scope)
      assert.strictEqual(ids(yield* Items.values), "3 1 2")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* Items.values, [b, c])
      const again = yield* Scope.make()
      yield* Scope.provide(Effect.andThen(scoped, override), again)
      yield* Scope.close(again, Exit.void)
      assert.deepStrictEqual(yield* Items.values, [b, c])
    }).pipe(Effect.provide(late())))

  it.effect("a reset, and another population, are those of the other registry, without an import", () => {
    let populations = 0
    const { count, layer } = counting(other(Effect.sync(() => ++populations === 1 ? [b] : [c, d])))
    return Effect.gen(function*() {
      assert.deepStrictEqual(yield* Items.values, [b])
      yield* Items.register(a)
      yield* Items.reset
      assert.strictEqual(yield* Items.state, "Pending")
      assert.deepStrictEqual(yield* Items.values, [c, d])
      assert.deepStrictEqual([populations, count.imports], [2, 1])
    }).pipe(Effect.provide(layer))
  })

  it.effect("its layer may do what it likes to the registry that it provides", () => {
    const log: Array<string> = []
    const Live = Layer.mergeAll(
      Items.items([d]),
      RegistryHooks.layer(Items, { onItemRegistered: ({ id }) => Effect.sync(() => log.push(`module ${id}`)) })
    ).pipe(Layer.provideMerge(other()))
    return Effect.gen(function*() {
      assert.strictEqual(ids(yield* Items.values), "2 3 4")
      yield* Items.register(a)
      assert.strictEqual(log.at(-1), "module 1")
    }).pipe(Effect.provide(late(Live)))
  })

  it.effect("may be one that loads late itself, in turn", () => {
    const log: Array<string> = []
    const inner = late(other().pipe(Layer.merge(resource(log))))
    return Effect.gen(function*() {
      const balance = new Balance()
      yield* Items.addHooks(balance.hooks)
      const changes = yield* fork(Stream.runCollect(Stream.take(Items.changes, 2)))
      assert.deepStrictEqual(yield* Items.values, [b, c])
      yield* Items.register(d)
      assert.deepStrictEqual(balance.wrong([b, c, d]), [])
      assert.deepStrictEqual(followed(yield* Fiber.join(changes)), [b, c, d])
      assert.strictEqual(alive(log), 1)
    }).pipe(
      Effect.scoped,
      Effect.provide(late(inner)),
      Effect.ensuring(Effect.sync(() => assert.strictEqual(alive(log), 0)))
    )
  })

  it.effect("or the one that it is, by another name that it was given before", () => {
    class Alias extends Context.Service<Alias, Items["Service"]>()("test/Alias") {}
    const AliasLive = Layer.effect(Alias, making())
    const loading: Layer.Layer<Items, never, Alias> = Items.layerLazy(() => Promise.resolve(Layer.effect(Items, Alias)))
    return Effect.gen(function*() {
      const alias = yield* Alias
      yield* Registry.register(alias, d)
      assert.strictEqual(ids(yield* Items.values), "2 3 4")
      yield* Items.register(a)
      assert.strictEqual(ids(yield* Registry.values(alias)), "2 3 4 1")
      // a transaction by one name is one by the other
      const items = yield* Items
      const failing = Registry.transact(
        alias,
        Effect.gen(function*() {
          yield* Items.unregister(a)
          yield* Registry.transact(items, Registry.unregister(alias, d))
          assert.strictEqual(ids(yield* Items.values), "2 3")
          yield* Registry.transactAll([items, alias], Items.unregister(b))
          return yield* Effect.fail(ids(yield* Registry.values(alias)))
        })
      )
      assert.strictEqual(yield* Effect.flip(failing), "3")
      assert.strictEqual(ids(yield* Items.values), "2 3 4 1")
      yield* Registry.transactAll([items, alias], Items.unregister(a))
      assert.strictEqual(ids(yield* Registry.values(alias)), "2 3 4")
    }).pipe(Effect.provide(loading.pipe(Layer.provideMerge(AliasLive))))
  })

  it.effect("which lives on when the scope of the registry that became it closes", () =>
    Effect.gen(function*() {
      const shared = yield* making()
      const scope = yield* Scope.make()
      const balance = new Balance()
      const context = yield* Layer.buildWithScope(
        RegistryHooks.layer(Items, balance.hooks).pipe(Layer.provideMerge(late(Layer.succeed(Items, shared)))),
        scope
      )
      yield* Effect.provideContext(Items.populate, context)
      assert.strictEqual(coreOf(shared).hooks.length, 2)
      yield* Scope.close(scope, Exit.void)
      // the hooks of the layer are gone, and the registry is not
      assert.strictEqual(coreOf(shared).hooks.length, 1)
      yield* Registry.register(shared, d)
      assert.strictEqual(balance.counts.has(d), false)
      assert.strictEqual(ids(yield* Registry.values(shared)), "2 3 4")
    }).pipe(Effect.scoped))

  it.effect("the first use is in a transaction of the one that it becomes", () =>
    Effect.gen(function*() {
      const shared = yield* making()
      const program = Effect.gen(function*() {
        const seen = yield* Registry.transact(
          shared,
          Effect.gen(function*() {
            yield* Registry.register(shared, a)
            const size = yield* Items.size
            yield* Items.register(d)
            return [size, ids(yield* Registry.values(shared))]
          })
        )
        assert.deepStrictEqual(seen, [3, "2 3 1 4"])
      })
      yield* Effect.provide(program, late(Layer.succeed(Items, shared)))
    }).pipe(Effect.scoped))

  it.effect("a layer that uses the registry that it replaces dies, and the next use tries again", () =>
    Effect.gen(function*() {
      let count = 0
      const using = Layer.effect(Items, Effect.andThen(Effect.suspend(() => Registry.register(items, d)), making()))
      const layer = Items.layerLazy<unknown, never>(() => Promise.resolve(++count === 1 ? using : other()))
      const items: Items["Service"] = Context.get(yield* Layer.build(layer), Items)
      const exit = yield* Effect.exit(Registry.size(items))
      assert.include(messageOf(exit), "\"test/Items\" provides another registry, and changes this one")
      assert.strictEqual(yield* Registry.state(items), "Pending")
      assert.deepStrictEqual(yield* Registry.values(items), [b, c])
    }))

  it.effect("a layer that is built on that of the service, and provides another, dies", () =>
    Effect.gen(function*() {
      const both = other().pipe(Layer.provide(Items.layer))
      const exit = yield* Effect.exit(Effect.provide(Items.size, late(Layer.merge(Items.layer, both))))
      assert.include(messageOf(exit), "is built on the `layer` of the service, and provides another registry")
    }))

  describe("G1", () => {
    it.effect("a thousand fibers ask at once, readers and writers: one import, and each sees all of it", () => {
      const log: Array<string> = []
      const { gates, layer } = gated(other().pipe(Layer.merge(resource(log))))
      return Effect.gen(function*() {
        const asking = yield* Effect.forEach(
          Array.from({ length: 1000 }),
          (_, i) => fork(i % 10 === 0 ? Effect.andThen(Items.register(new Item(100 + i)), Items.values) : Items.values)
        )
        assert.strictEqual(yield* Items.state, "Populating")
        assert.strictEqual(gates.length, 1)
        gates[0]!()
        for (const values of yield* Fiber.joinAll(asking)) assert.includeMembers([...values], [b, c])
        assert.deepStrictEqual([gates.length, ...log], [1, "built"])
        assert.strictEqual(yield* Items.size, 102)
      }).pipe(Effect.provide(layer))
    })

    it.effect("under schedules: it is Populating until it is Ready, and nobody sees a part of it", () =>
      RegistryTest.interleave(
        Effect.suspend(() => {
          const { count, layer } = counting(other(Effect.andThen(Effect.yieldNow, Effect.succeed([b, c]))))
          return Effect.gen(function*() {
            const items = yield* Items
            const states: Array<string> = []
            const watcher = yield* Effect.forkChild(Effect.repeat(
              Effect.andThen(
                Effect.yieldNow,
                Effect.map(Registry.state(items), (state) => {
                  states.push(state)
                  assert.include([0, 2, 3], RegistrySnapshot.size(Registry.snapshotUnsafe(items)))
                })
              ),
              { times: 50 }
            ))
            const reader = Effect.map(Items.values, (values) => assert.includeMembers([...values], [b, c]))
            yield* Effect.all([reader, Items.register(d), reader, Items.populate], { concurrency: "unbounded" })
            assert.strictEqual(count.imports, 1)
            assert.strictEqual(yield* Items.size, 3)
            yield* Fiber.join(watcher)
            const inOrder = ["Pending", "Populating", "Ready"]
            assert.deepStrictEqual(states, states.toSorted((one, two) => inOrder.indexOf(one) - inOrder.indexOf(two)))
          }).pipe(Effect.provide(layer))
        }),
        { seeds }
      ))
  })

  describe("G2", () => {
    it.effect("a population of the other one that fails: all who waited get its error, and the next use imports again", () => {
      const log: Array<string> = []
      let attempts = 0
      class Flaky extends Registry.Service<Flaky, Item>()("test/Flaky", {
        lookup: ["id"],
        defaults: Effect.fail("never").pipe(Effect.as([a]))
      }) {}
      const balance = new Balance()
      let imports = 0
      const layer: Layer.Layer<Flaky> = Flaky.layerLazy(() => {
        imports++
        return Promise.resolve(
          Layer.effect(
            Flaky,
            Registry.make<Item>()({
              name: "test/Other",
              lookup: ["id"],
              defaults: Effect.suspend(() => ++attempts === 1 ? Effect.fail("never") : Effect.succeed([b]))
            })
          ).pipe(Layer.merge(resource(log)))
        )
      })
      return Effect.gen(function*() {
        yield* Flaky.addHooks(balance.hooks)
        const asking = yield* Effect.forEach([1, 2, 3], () => fork(Effect.flip(Flaky.size)))
        const errors = yield* Fiber.joinAll(asking)
        assert.strictEqual(new Set(errors).size, 1)
        assert.instanceOf(errors[0], RegistryError.PopulationError)
        assert.deepStrictEqual([errors[0]!.registry, errors[0]!.code, errors[0]!.cause], [
          "test/Other",
          "defaults",
          "never"
        ])
        assert.strictEqual(yield* Flaky.state, "Pending")
        assert.deepStrictEqual(log, ["built", "released"])
        assert.strictEqual((yield* Flaky.explain("id", 2))._tag, "PopulationFailed")
        assert.deepStrictEqual(yield* Flaky.values, [b])
        assert.strictEqual(imports, 2)
        assert.deepStrictEqual(balance.wrong([b]), [])
        assert.deepStrictEqual(log, ["built", "released", "built"])
      }).pipe(Effect.scoped, Effect.provide(layer))
    })

    it.effect("a hook that was added before dies when it is told: all is as it was, and the next use imports again", () => {
      const log: Array<string> = []
      const balance = new Balance()
      const { count, layer } = counting(other().pipe(Layer.merge(resource(log))))
      let dying = true
      return Effect.gen(function*() {
        yield* Items.addHooks(balance.hooks)
        yield* Items.addHooks({
          onItemRegistered: (item) => dying && item === c ? Effect.die(new Error("boom")) : Effect.void
        })
        const items = yield* Items
        assert.strictEqual(messageOf(yield* Effect.exit(Items.size)), "boom")
        assert.deepStrictEqual([yield* Items.state, items.name], ["Pending", "test/Items"])
        assert.deepStrictEqual(balance.wrong([]), [])
        assert.deepStrictEqual(log, ["built", "released"])
        dying = false
        assert.strictEqual(yield* Items.size, 2)
        assert.deepStrictEqual(balance.wrong([b, c]), [])
        assert.strictEqual(count.imports, 2)
      }).pipe(Effect.scoped, Effect.provide(layer))
    })
  })

  describe("G3", () => {
    it.effect("interrupting some who wait disturbs nobody, interrupting all ends it", () => {
      const { gates, layer } = gated(other())
      return Effect.gen(function*() {
        const asking = yield* Effect.forEach([1, 2, 3], () => fork(Items.size))
        yield* Fiber.interruptAll(asking.slice(0, 2))
        assert.strictEqual(yield* Items.state, "Populating")
        yield* Fiber.interrupt(asking[2]!)
        assert.strictEqual(yield* Items.state, "Pending")
        gates[0]!()
        const last = yield* fork(Items.size)
        gates[1]!()
        assert.strictEqual(yield* Fiber.join(last), 2)
      }).pipe(Effect.provide(layer))
    })

    const hooked = [true, false].flatMap((hooks) => ["outside", "inside"].map((from) => ({ hooks, from })))

    it.effect.each(hooked)(
      "interrupted at each step, $from, with hooks: $hooks, it is whole or not there",
      ({ from, hooks }) =>
        Effect.gen(function*() {
          const interrupted = yield* RegistryTest.interruptEach({
            setup: Effect.gen(function*() {
              const log: Array<string> = []
              const balance = new Balance()
              const scope = yield* Scope.make()
              const loading = late(other().pipe(Layer.merge(resource(log))))
              const layer = hooks
                ? RegistryHooks.layer(Items, balance.hooks).pipe(Layer.provideMerge(loading))
                : loading
              return { log, balance, scope, context: yield* Layer.buildWithScope(layer, scope) }
            }),
            run: ({ context }) => Effect.provideContext(Items.size, context),
            check: ({ balance, context, log, scope }, exit) =>
              Effect.gen(function*() {
                const items = yield* Items
                const there = (yield* Items.state) === "Ready"
                if (Exit.isSuccess(exit)) assert.isTrue(there)
                assert.strictEqual(items.name, there ? "test/Other" : "test/Items")
                const held = Registry.snapshotUnsafe(items)
                if (hooks) assert.deepStrictEqual(balance.wrong(held), [])
                assert.strictEqual(alive(log), there ? 1 : 0)
                assert.isUndefined(coreOf(items).lock.holder)
                if (!there) {
                  assert.strictEqual(openFinalizers(coreOf(items).scope), 0)
                  assert.isUndefined(coreOf(items).successor)
                }
                yield* Items.register(d)
                assert.strictEqual(ids(yield* Items.values), "2 3 4")
                if (hooks) assert.deepStrictEqual(balance.wrong([b, c, d]), [])
                assert.strictEqual(coreOf(items).hooks.length, hooks ? 2 : 1)
                assert.strictEqual(alive(log), 1)
                yield* Scope.close(scope, Exit.void)
                assert.strictEqual(alive(log), 0)
              }).pipe(Effect.provideContext(context)),
            from: from as "outside" | "inside"
          })
          assert.isAbove(interrupted, 15)
        })
    )
  })

  it.effect("G3 interrupted at each step, one that another part of the program uses is left as it was", () =>
    Effect.gen(function*() {
      const outcomes = new Set<string>()
      yield* RegistryTest.interruptEach({
        setup: Effect.gen(function*() {
          const scope = yield* Scope.make()
          const shared = yield* Scope.provide(making(), scope)
          const balance = new Balance()
          const layer = RegistryHooks.layer(Items, balance.hooks).pipe(
            Layer.provideMerge(late(Layer.succeed(Items, shared)))
          )
          return { balance, context: yield* Layer.buildWithScope(layer, scope), scope, shared }
        }),
        run: ({ context }) => Effect.provideContext(Items.size, context),
        check: ({ balance, context, scope, shared }) =>
          Effect.gen(function*() {
            const there = coreOf(yield* Items) === coreOf(shared)
            assert.strictEqual(coreOf(shared).hooks.length, there ? 2 : 1)
            assert.deepStrictEqual(balance.wrong(there ? [b, c] : []), [])
            assert.isUndefined(coreOf(shared).lock.holder)
            outcomes.add(`${yield* Items.state}, ${yield* Registry.state(shared)}`)
            yield* Scope.close(scope, Exit.void)
          }).pipe(Effect.provideContext(context))
      })
      assert.deepStrictEqual(Array.from(outcomes).toSorted(), ["Pending, Pending", "Pending, Ready", "Ready, Ready"])
    }))

  describe("G4", () => {
    it.effect("what it built lives until the scope closes, and then every operation is interrupted", () => {
      const log: Array<string> = []
      return Effect.gen(function*() {
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(late(other().pipe(Layer.merge(resource(log)))), scope)
        const items = Context.get(context, Items)
        const before = Registry.size(items)
        yield* Registry.size(items)
        yield* Registry.reset(items)
        yield* Registry.size(items)
        assert.deepStrictEqual(log, ["built"])
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(log, ["built", "released"])
        for (const effect of [before, Registry.size(items), Registry.register(items, a)]) {
          const exit = yield* Effect.exit(effect)
          assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
        }
      })
    })

    it.effect("G26 the scope closes while the registry is on its way, or waited for: who waits is interrupted", () =>
      Effect.gen(function*() {
        for (const when of ["import", "population", "wait"] as const) {
          const populating = Deferred.makeUnsafe<void>()
          const defaults = when === "population"
            ? Effect.andThen(Deferred.succeed(populating, undefined), Effect.never)
            : [b, c]
          const { gates, layer } = gated(other(defaults))
          const scope = yield* Scope.make()
          const context = yield* Layer.buildWithScope(layer, scope)
          const ended = yield* fork(Effect.provideContext(Stream.runDrain(Items.changes), context))
          const asking = yield* fork(
            Effect.provideContext(when === "wait" ? Effect.asVoid(Items.awaitItem("id", 99)) : Items.populate, context)
          )
          if (when !== "import") gates[0]!()
          if (when === "population") yield* Deferred.await(populating)
          if (when === "wait") yield* Effect.provideContext(Items.size, context)
          yield* Effect.yieldNow
          yield* Scope.close(scope, Exit.void)
          const exit = yield* Fiber.await(asking)
          assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause), when)
          yield* Fiber.join(ended)
        }
      }))
  })

  describe("hooks", () => {
    it.effect("G1 while they are told, nobody outside sees what they are told of; if one dies, nobody has", () =>
      Effect.gen(function*() {
        const telling = yield* Deferred.make<void>()
        const gate = yield* Deferred.make<void>()
        yield* Items.addHooks({
          onItemRegistered: () =>
            Effect.andThen(Deferred.succeed(telling, undefined), Effect.andThen(Deferred.await(gate), Effect.die("no")))
        })
        const first = yield* fork(Effect.exit(Items.size))
        yield* Deferred.await(telling)
        const second = yield* fork(Effect.exit(Items.size))
        for (let i = 0; i < 20; i++) yield* Effect.yieldNow
        assert.isUndefined(second.pollUnsafe())
        yield* Deferred.succeed(gate, undefined)
        assert.isTrue(Exit.isFailure(yield* Fiber.join(first)))
        assert.isTrue(Exit.isFailure(yield* Fiber.join(second)))
      }).pipe(Effect.scoped, Effect.provide(late())))

    it.effect("that were added before are told of what is in, and come after those of the other one", () => {
      const log: Array<string> = []
      return Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* Scope.provide(Items.addHooks(noting(log, "early")), scope)
        yield* Items.populate
        assert.deepStrictEqual(log.splice(0), ["other +2", "other +3", "early +2", "early +3"])
        yield* Items.register(d)
        yield* Items.unregister(d)
        assert.deepStrictEqual(log.splice(0), ["other +4", "early +4", "early -4", "other -4"])
        yield* Scope.close(scope, Exit.void)
        yield* Items.register(d)
        assert.deepStrictEqual(log.splice(0), ["other +4"])
        assert.strictEqual(coreOf(yield* Items).hooks.length, 1)
      }).pipe(Effect.provide(late(other([b, c], noting(log, "other")))))
    })

    it.effect("with `existing` they are told of what still is in when they go", () => {
      const log: Array<string> = []
      return Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* Scope.provide(Items.addHooks(noting(log, "early"), { existing: true }), scope)
        assert.deepStrictEqual(log.splice(0), [])
        yield* Items.unregister(b)
        assert.deepStrictEqual(log.splice(0), ["early +2", "early +3", "early -2"])
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(log.splice(0), ["early -3"])
      }).pipe(Effect.provide(late()))
    })

    it.effect("can refuse what is registered later, and not what is in", () =>
      Effect.gen(function*() {
        yield* Items.addHooks({ onItemRegistering: (item) => RegistryError.reject(item, "nothing") })
        assert.strictEqual(yield* Items.size, 2)
        const error = yield* Effect.flip(Items.register(d))
        assert.deepStrictEqual([error.code, error.registry], ["rejected", "test/Other"])
      }).pipe(Effect.scoped, Effect.provide(late())))

    it.effect("G14 may use the registry when they are told, by the name that it has", () => {
      const log: Array<string> = []
      return Effect.gen(function*() {
        const items = yield* Items
        const balance = new Balance()
        yield* Items.addHooks(balance.hooks)
        const values = Registry.values(items)
        yield* Items.addHooks({
          onItemRegistered: (item) =>
            Effect.gen(function*() {
              log.push(`${item.id}: ${yield* Items.state} ${ids(yield* values)} ${ids(yield* Registry.values(items))}`)
              if (item === c) {
                yield* Registry.register(items, d)
                yield* Registry.transactAll([items], Registry.unregister(items, b))
                assert.strictEqual((yield* Registry.explain(items, "id", 4))._tag, "Present")
                const waiting = yield* Effect.exit(Registry.awaitItem(items, "id", 99))
                assert.include(messageOf(waiting), "Deadlock")
                const scope = yield* Scope.make()
                yield* Scope.provide(Registry.registerScoped(items, a), scope)
                yield* Scope.close(scope, Exit.void)
              }
            }).pipe(Effect.orDie, Effect.provideService(Items, items))
        })
        assert.deepStrictEqual(yield* Items.values, [c, d])
        assert.deepStrictEqual(log, ["2: Ready 2 3 2 3", "3: Ready 2 3 2 3", "4: Ready 3 4 3 4"])
        assert.deepStrictEqual(balance.wrong([c, d]), [])
      }).pipe(Effect.scoped, Effect.provide(late()))
    })

    it.effect("that are added while the module is on its way count like those of before", () => {
      const { gates, layer } = gated(other())
      return Effect.gen(function*() {
        const asking = yield* fork(Items.size)
        const balance = new Balance()
        const told = new Balance()
        yield* Items.addHooks(balance.hooks)
        const adding = yield* fork(Items.addHooks(told.hooks, { existing: true }))
        gates[0]!()
        yield* Fiber.join(asking)
        yield* Fiber.join(adding)
        yield* Items.register(d)
        assert.deepStrictEqual(balance.wrong([b, c, d]), [])
        assert.deepStrictEqual(told.wrong([b, c, d]), [])
      }).pipe(Effect.scoped, Effect.provide(layer))
    })

    it.effect("that are on their way in when it becomes the other one are not lost", () =>
      Effect.gen(function*() {
        const items = yield* Items
        const log: Array<string> = []
        // what an effect may yield for between two steps happens in one of them here
        const hooks = new Proxy(noting(log, "early"), {
          has: (target, key) => {
            Effect.runSync(Registry.populate(items))
            return key in target
          }
        })
        yield* Registry.addHooks(items, hooks)
        yield* Items.register(d)
        assert.deepStrictEqual(log, ["early +4"])
      }).pipe(
        Effect.scoped,
        Effect.provide(atOnce)
      ))

    it.effect("that are added or removed while those of before are told", () => {
      const log: Array<string> = []
      const telling = Deferred.makeUnsafe<void>()
      const gate = Deferred.makeUnsafe<void>()
      return Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* Scope.provide(Items.addHooks(noting(log, "early")), scope)
        yield* Items.addHooks({
          onItemRegistered: () => Effect.andThen(Deferred.succeed(telling, undefined), Deferred.await(gate))
        })
        const asking = yield* fork(Items.size)
        yield* Deferred.await(telling)
        yield* Items.addHooks(noting(log, "meanwhile"))
        const closing = yield* fork(Scope.close(scope, Exit.void))
        assert.strictEqual(yield* Items.state, "Populating")
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(asking)
        yield* Fiber.join(closing)
        assert.deepStrictEqual(log.splice(0), ["early +2", "early +3"])
        yield* Items.register(d)
        assert.deepStrictEqual(log, ["meanwhile +4"])
        assert.strictEqual(coreOf(yield* Items).hooks.length, 3)
      }).pipe(Effect.scoped, Effect.provide(late()))
    })

    it.effect("that one of them removes while they are told are gone", () => {
      const log: Array<string> = []
      return Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* Scope.provide(Items.addHooks(noting(log, "early")), scope)
        yield* Items.addHooks({ onItemRegistered: () => Scope.close(scope, Exit.void) })
        yield* Items.register(d)
        assert.deepStrictEqual(log, ["early +2"])
        // those of the other one, and the one that did it
        assert.strictEqual(coreOf(yield* Items).hooks.length, 2)
      }).pipe(Effect.scoped, Effect.provide(late()))
    })

    it.effect("that wait for the other one, while its layer uses the registry after all: it dies", () =>
      Effect.gen(function*() {
        const using = Deferred.makeUnsafe<void>()
        const used = Deferred.makeUnsafe<void>()
        const held = Deferred.makeUnsafe<void>()
        const gate = Deferred.makeUnsafe<void>()
        const shared = yield* making()
        const layer = Items.layerLazy(() =>
          Promise.resolve(Layer.effect(
            Items,
            Deferred.await(using).pipe(
              Effect.andThen(Effect.suspend(() => Registry.register(items, d))),
              Effect.andThen(Deferred.succeed(used, undefined)),
              Effect.forkScoped({ startImmediately: true }),
              Effect.as(shared)
            )
          ))
        )
        const items: Items["Service"] = Context.get(yield* Layer.build(layer), Items)
        yield* Registry.addHooks(items, noting([], "early"))
        yield* Registry.populate(shared)
        yield* fork(Registry.transact(shared, Effect.andThen(Deferred.succeed(held, undefined), Deferred.await(gate))))
        yield* Deferred.await(held)
        const asking = yield* fork(Effect.exit(Registry.size(items)))
        yield* untilItWaits(items)
        yield* Deferred.succeed(using, undefined)
        yield* Deferred.await(used)
        yield* Deferred.succeed(gate, undefined)
        assert.include(messageOf(yield* Fiber.join(asking)), "changes this one while it is built")
        assert.deepStrictEqual(yield* Registry.values(shared), [b, c])
        assert.strictEqual(coreOf(shared).hooks.length, 1)
      }))

    it.effect("that wait for the other one, and are interrupted: nothing failed", () =>
      Effect.gen(function*() {
        const held = Deferred.makeUnsafe<void>()
        const gate = Deferred.makeUnsafe<void>()
        const shared = yield* making()
        const items = Context.get(yield* Layer.build(late(Layer.succeed(Items, shared))), Items)
        yield* Registry.addHooks(items, noting([], "early"))
        yield* Registry.populate(shared)
        yield* fork(Registry.transact(shared, Effect.andThen(Deferred.succeed(held, undefined), Deferred.await(gate))))
        yield* Deferred.await(held)
        const asking = yield* fork(Registry.size(items))
        yield* untilItWaits(items)
        yield* Fiber.interrupt(asking)
        assert.strictEqual(yield* Registry.state(items), "Pending")
        assert.isUndefined(coreOf(items).populationFailure)
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* Registry.size(items), 2)
      }))

    it.effect("G20, G21 under schedules: they come and go while it loads, and are in step with what is in", () =>
      RegistryTest.interleave(
        Effect.suspend(() => {
          const existing = new Balance()
          const early = new Balance()
          return Effect.gen(function*() {
            yield* Items.addHooks(early.hooks)
            const comeAndGo = Effect.scoped(Effect.andThen(
              Items.addHooks(existing.hooks, { existing: true }),
              Effect.yieldNow
            ))
            const log: Array<string> = []
            const stay = Items.addHooks({ onItemUnregistered: ({ id }) => Effect.sync(() => log.push(`-${id}`)) })
            yield* Effect.all([Items.size, comeAndGo, stay, Items.register(d), stay, stay, comeAndGo], {
              concurrency: "unbounded"
            })
            yield* Items.register(a)
            yield* Items.unregister(a)
            assert.deepStrictEqual(log, ["-1", "-1", "-1"])
            assert.deepStrictEqual(early.wrong([b, c, d]), [])
            assert.deepStrictEqual(existing.wrong([]), [])
            assert.strictEqual(coreOf(yield* Items).hooks.length, 5)
            assert.strictEqual(ids(yield* Items.values), "2 3 4")
          }).pipe(Effect.scoped, Effect.provide(late()))
        }),
        { seeds }
      ))
  })

  describe("watching", () => {
    it.effect("G22 who followed the changes before gets all of those of the other one", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const watching = yield* fork(Stream.runCollect(Items.changes))
        yield* Items.register(d)
        yield* Items.unregister(b)
        yield* Items.reset
        yield* Items.register(a)
        yield* Scope.close(scope, Exit.void)
        const items = yield* Items
        yield* Effect.yieldNow
        assert.strictEqual(coreOf(items).watchers.subscribers.size, 1)
        return {
          watching,
          values: yield* Items.values,
          revision: RegistrySnapshot.revision(Registry.snapshotUnsafe(items))
        }
      }).pipe(
        Effect.provide(late()),
        Effect.flatMap(({ revision, values, watching }) =>
          Effect.map(Fiber.join(watching), (changes) => {
            assert.deepStrictEqual(followed(changes), values)
            assert.deepStrictEqual(
              changes.map((change) => change.revision),
              Array.from({ length: revision }, (_, i) => i + 1)
            )
          })
        )
      ))

    it.effect("G23 one whose history is too short tells so", () =>
      Effect.gen(function*() {
        const shared = yield* Registry.make<Item>()({ lookup: ["id", "name"], defaults: [b], history: 2 })
        for (let i = 0; i < 5; i++) yield* Registry.upsert(shared, new Item(2, `name ${i}`))
        yield* Effect.gen(function*() {
          const watching = yield* fork(Effect.flip(Stream.runDrain(Items.changes)))
          yield* Items.size
          const lagged = yield* Fiber.join(watching)
          assert.deepStrictEqual([lagged._tag, lagged.missed], ["RegistryLagged", 4])
        }).pipe(Effect.provide(late(Layer.succeed(Items, shared))))
      }).pipe(Effect.scoped))

    it.effect("G22 under schedules: subscribers, old and new, end with what is in", () =>
      RegistryTest.interleave(
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          const context = yield* Layer.buildWithScope(late(), scope)
          const watching = yield* Effect.forkChild(Effect.provideContext(Stream.runCollect(Items.changes), context))
          const subscribing = yield* Effect.forkChild(
            Effect.gen(function*() {
              const { changes, snapshot } = yield* Items.subscribe()
              return { snapshot, changes: yield* Stream.runCollect(changes) }
            }).pipe(Effect.scoped, Effect.provideContext(context))
          )
          yield* Effect.yieldNow
          const values = yield* Effect.gen(function*() {
            yield* Effect.all([Items.register(d), Items.unregister(b), Items.upsert(new Item(3, "new"))], {
              concurrency: "unbounded"
            })
            const seen = yield* Items.values
            yield* Effect.repeat(Effect.yieldNow, { times: 20 })
            return seen
          }).pipe(Effect.provideContext(context))
          yield* Scope.close(scope, Exit.void)
          const changes = yield* Fiber.join(watching)
          // it may have begun later, and then it has the rest
          if (changes[0]?.revision === 1) assert.deepStrictEqual(followed(changes), values)
          const subscribed = yield* Effect.exit(Fiber.join(subscribing))
          if (Exit.isSuccess(subscribed)) {
            const { snapshot, changes: rest } = subscribed.value
            const all = [...rest].map(({ revision }) => revision)
            assert.deepStrictEqual(all, all.map((_, i) => RegistrySnapshot.revision(snapshot) + 1 + i))
          }
        }),
        { seeds }
      ))

    it.effect("awaitItem begun before finds what is in, and what comes later", () => {
      const { gates, layer } = gated(other())
      return Effect.gen(function*() {
        const found = yield* fork(Items.awaitItem("id", 2))
        const later = yield* fork(Items.awaitItem("id", 4))
        gates[0]!()
        assert.strictEqual(yield* Fiber.join(found), b)
        for (let i = 0; i < 10; i++) yield* Effect.yieldNow
        assert.isUndefined(later.pollUnsafe())
        yield* Items.register(d)
        assert.strictEqual(yield* Fiber.join(later), d)
      }).pipe(Effect.provide(layer))
    })

    it.effect("explain imports nothing, and tells of the other one afterwards", () => {
      const { count, layer } = counting(other())
      return Effect.gen(function*() {
        const items = yield* Items
        const before = Registry.explain(items, "id", 2)
        assert.deepStrictEqual([(yield* before)._tag, count.imports], ["Pending", 0])
        yield* Items.populate
        assert.strictEqual((yield* before)._tag, "Present")
        assert.strictEqual((yield* Items.explain("id", 1))._tag, "Absent")
        yield* Items.reset
        assert.strictEqual((yield* Items.explain("id", 2))._tag, "Pending")
      }).pipe(Effect.provide(layer))
    })

    it.effect("metrics go on with the other one", () =>
      Effect.gen(function*() {
        const registry = "test/Other"
        const watching = yield* fork(Stream.runDrain(Items.changes))
        yield* Items.register(d)
        yield* Effect.yieldNow
        const size = yield* Metric.value(Metric.withAttributes(RegistryMetrics.size, { registry }))
        const subscribers = yield* Metric.value(Metric.withAttributes(RegistryMetrics.subscribers, { registry }))
        const registered = yield* Metric.value(Metric.withAttributes(
          RegistryMetrics.mutations,
          { registry, operation: "register", outcome: "success" }
        ))
        assert.deepStrictEqual([size.value, subscribers.value, registered.count], [3, 1, 1])
        yield* Fiber.interrupt(watching)
        const left = yield* Metric.value(Metric.withAttributes(RegistryMetrics.subscribers, { registry }))
        assert.strictEqual(left.value, 0)
      }).pipe(
        Effect.provide(RegistryMetrics.layer(Items).pipe(Layer.provideMerge(late()))),
        Effect.provideService(Metric.MetricRegistry, new Map())
      ))
  })

  it.effect("is watched by the pedantic layer, whatever it becomes", () =>
    Effect.gen(function*() {
      const watched = RegistryTest.layerPedantic(Items).pipe(Layer.provideMerge(late()))
      const run = <E>(effect: Effect.Effect<unknown, E, Items>) => Effect.exit(Effect.provide(effect, watched))
      assert.isTrue(Exit.isSuccess(yield* run(Items.size)))
      assert.isTrue(Exit.isSuccess(yield* run(Effect.andThen(Items.register(d), Items.unregister(d)))))
      assert.isTrue(Exit.isSuccess(yield* run(Effect.andThen(Items.size, Effect.andThen(Items.reset, Items.size)))))
      assert.match(
        messageOf(yield* run(Items.register(d))),
        /"test\/Other" is not as it should be.*registered: .*item 4/
      )
      // one that is filled already only loses an item
      yield* Effect.gen(function*() {
        const shared = yield* making()
        yield* Registry.populate(shared)
        const [index] = Ref.getUnsafe(coreOf(shared).published).indexes
        Object.assign(index!, { remove: () => index })
        const filled = RegistryTest.layerPedantic(Items).pipe(
          Layer.provideMerge(late(Layer.succeed(Items, shared as Items["Service"])))
        )
        const exit = yield* Effect.exit(Effect.provide(Items.unregister(b), filled))
        assert.match(messageOf(exit), /"test\/Other" is not as it should be.*By id 2 one finds .*, which is not in/)
      }).pipe(Effect.scoped)
    }))

  describe("with others", () => {
    it.effect("transactAll of one that loads late, another, and the one that it becomes", () =>
      Effect.gen(function*() {
        const shared = yield* making()
        const another = yield* Registry.make<Item>()({ lookup: ["id"], name: "test/Another" })
        yield* Effect.gen(function*() {
          const items = yield* Items
          const move = Registry.transactAll(
            [items, another, shared],
            Effect.andThen(Registry.unregister(items, b), Registry.register(another, b))
          )
          yield* move
          assert.deepStrictEqual([ids(yield* Items.values), ids(yield* Registry.values(another))], ["3", "2"])
          assert.strictEqual(ids(yield* Registry.values(shared)), "3")
          const exit = yield* Effect.exit(move)
          assert.isTrue(Exit.isFailure(exit))
          assert.deepStrictEqual([ids(yield* Items.values), ids(yield* Registry.values(another))], ["3", "2"])
        }).pipe(Effect.provide(late(Layer.succeed(Items, shared))))
      }).pipe(Effect.scoped))

    it.effect("G7 under schedules: transactions that begin while it loads are whole", () =>
      RegistryTest.interleave(
        Effect.gen(function*() {
          const another = yield* Registry.make<Item>()({ lookup: ["id"], name: "test/Another" })
          yield* Effect.gen(function*() {
            const items = yield* Items
            const move = (item: Item) =>
              Registry.transactAll(
                [another, items],
                Effect.andThen(
                  Registry.register(another, item),
                  Effect.andThen(Effect.yieldNow, Registry.unregister(items, item))
                )
              )
            const failing = Effect.flip(Items.transact(Effect.andThen(Items.register(a), Effect.fail("no"))))
            yield* Effect.all([move(b), failing, Items.transact(Items.register(d)), move(c), Items.size], {
              concurrency: "unbounded"
            })
            assert.deepStrictEqual(yield* Items.values, [d])
            assert.strictEqual(yield* Registry.size(another), 2)
          }).pipe(Effect.provide(late()))
        }).pipe(Effect.scoped),
        { seeds }
      ))

    class Inner extends Registry.Service<Inner, Item>()("test/Inner", { lookup: ["id", "name"], defaults: [d] }) {}

    it.effect("Q67 two that load late, where the layer of one uses the other, from whichever side they are asked", () =>
      RegistryTest.interleave(
        Effect.suspend(() => {
          const innerLate: Layer.Layer<Inner> = Inner.layerLazy(() => Promise.resolve(Layer.effect(Inner, making([d]))))
          const outer: Layer.Layer<Items, never, Inner> = Items.layerLazy(() =>
            Promise.resolve(
              Layer.effect(Items, Effect.flatMap(Inner.size, (size) => making([new Item(size + 10)])))
            )
          )
          return Effect.gen(function*() {
            const [items, inner] = yield* Effect.all([Items.values, Inner.values, Items.size, Inner.size], {
              concurrency: "unbounded"
            })
            assert.deepStrictEqual([ids(items), ids(inner)], ["11", "4"])
          }).pipe(Effect.provide(outer.pipe(Layer.provideMerge(innerLate))))
        }),
        { seeds }
      ))

    it.effect("G16 layers, or defaults, that wait for each other do not hang: the one that closes the circle dies", () =>
      RegistryTest.interleave(
        Effect.gen(function*() {
          const itemsLate: Layer.Layer<Items> = Items.layerLazy(() =>
            Promise.resolve(
              Layer.effect(
                Items,
                Effect.flatMap(
                  Effect.context<Inner>(),
                  (context) => making(Effect.as(Effect.orDie(Effect.provideContext(Inner.size, context)), [b]))
                )
              ).pipe(
                Layer.provide(innerLate)
              )
            )
          )
          const innerLate: Layer.Layer<Inner> = Inner.layerLazy(() =>
            Promise.resolve(
              Layer.effect(Inner, Effect.flatMap(Effect.orDie(Items.size), (size) => making([new Item(size)]))).pipe(
                Layer.provide(itemsLate)
              )
            )
          )
          const exits = yield* Effect.all([Effect.exit(Items.size), Effect.exit(Inner.size)], {
            concurrency: "unbounded"
          }).pipe(Effect.provide(Layer.merge(itemsLate, innerLate)))
          for (const exit of exits) {
            assert.isTrue(Exit.isFailure(exit))
            assert.include(messageOf(exit), "Deadlock")
          }
        }),
        { seeds: 50 }
      ))

    it.effect("G16 a hook that was added before, and waits for who waits for the registry, does not hang", () =>
      Effect.gen(function*() {
        const another = yield* Registry.make<Item>()({ lookup: ["id"], name: "test/Another" })
        const exits = yield* Effect.gen(function*() {
          const telling = Deferred.makeUnsafe<void>()
          const holding = Deferred.makeUnsafe<void>()
          yield* Items.addHooks({
            onItemRegistered: (item) =>
              Deferred.succeed(telling, undefined).pipe(
                Effect.andThen(Deferred.await(holding)),
                Effect.andThen(Effect.orDie(Registry.register(another, item)))
              )
          })
          const first = yield* fork(Effect.exit(Items.size))
          yield* Deferred.await(telling)
          const second = yield* fork(
            Effect.exit(Registry.transact(
              another,
              Effect.andThen(Deferred.succeed(holding, undefined), Effect.andThen(Effect.yieldNow, Items.size))
            ))
          )
          return yield* Fiber.joinAll([first, second])
        }).pipe(Effect.scoped, Effect.provide(late()))
        const failed = exits.filter(Exit.isFailure)
        assert.isAbove(failed.length, 0)
        for (const exit of failed) assert.include(messageOf(exit), "Deadlock")
      }).pipe(Effect.scoped))
  })

  class Second extends Registry.Service<Second, Item>()("test/Second", { lookup: ["id", "name"], defaults: [a] }) {}

  it.effect(
    "under schedules: two that load late become one that is alive already, and all are used at once",
    () =>
      RegistryTest.interleave(
        Effect.gen(function*() {
          const shared = yield* making(Effect.as(Effect.yieldNow, [b, c]))
          const balances = [new Balance(), new Balance(), new Balance()] as const
          yield* Registry.addHooks(shared, balances[0].hooks)
          yield* Effect.gen(function*() {
            const items = yield* Items
            const second = yield* Second
            yield* Items.addHooks(balances[1].hooks)
            yield* Second.addHooks(balances[2].hooks)
            const some: ReadonlyArray<Effect.Effect<unknown, unknown, Items | Second | Scope.Scope>> = [
              Items.size,
              Second.register(a),
              Registry.transactAll([second, items, shared], Effect.andThen(Effect.yieldNow, Items.upsert(d))),
              Registry.reset(shared),
              Registry.transact(shared, Effect.andThen(Registry.upsert(shared, new Item(9)), Effect.yieldNow)),
              Items.reset,
              Effect.scoped(Second.addHooks({ onItemRegistered: () => Effect.yieldNow }, { existing: true })),
              Second.values
            ]
            const fibers = yield* Effect.forEach(some, (one) => Effect.forkChild(Effect.exit(one)))
            yield* Effect.forEach(fibers, (fiber, i) => i % 4 === 3 ? Fiber.interrupt(fiber) : Effect.yieldNow)
            for (const fiber of fibers) {
              const exit = yield* Fiber.await(fiber)
              if (Exit.isSuccess(exit) && Exit.isFailure(exit.value)) assert.fail(Cause.pretty(exit.value.cause))
            }
            const values = yield* Items.values
            yield* Second.size
            assert.deepStrictEqual(yield* Registry.values(shared), values)
            assert.deepStrictEqual(yield* Second.values, values)
            for (const balance of balances) assert.deepStrictEqual(balance.wrong(values), [])
            assert.strictEqual(coreOf(shared).hooks.length, 4)
          }).pipe(
            Effect.scoped,
            Effect.provide(Layer.merge(
              late(Layer.succeed(Items, shared)),
              // the same shape under another name
              Second.layerLazy(() => Promise.resolve(Layer.succeed(Second, shared as unknown as Second["Service"])))
            ))
          )
          assert.strictEqual(coreOf(shared).hooks.length, 2)
        }).pipe(Effect.scoped),
        { seeds: 500 }
      ),
    60_000
  )

  for (const [kind, defaults] of Object.entries<Defaults>({ "a list": [a], "an effect": Effect.sync(() => [a]) })) {
    it.effect(`its defaults, ${kind}, never get into the other, which is reset meanwhile, under schedules`, () => {
      class Named extends Registry.Service<Named, Item>()(`test/Named ${kind}`, { lookup: ["id", "name"], defaults }) {}
      return RegistryTest.interleave(
        Effect.gen(function*() {
          const known = yield* making()
          yield* Registry.populate(known)
          const named = Context.get(
            yield* Layer.build(
              Named.layerLazy(importedAtOnce(Layer.succeed(Named, known as unknown as Named["Service"])))
            ),
            Named
          )
          const first = yield* Effect.forkChild(Registry.size(named))
          const others: ReadonlyArray<Fiber.Fiber<unknown, unknown>> = [
            yield* Effect.forkChild(Effect.andThen(Fiber.interrupt(first), Registry.size(named))),
            yield* Effect.forkChild(Registry.reset(known)),
            yield* Effect.forkChild(Registry.size(named))
          ]
          yield* Fiber.awaitAll(others)
          assert.strictEqual(ids(yield* Registry.values(known)), "2 3")
        }).pipe(Effect.scoped),
        { seeds: 1_000, strategy: "pct" }
      )
    })
  }

  it.effect("under schedules: all at once, with interruptions", () =>
    RegistryTest.interleave(
      Effect.suspend(() => {
        const log: Array<string> = []
        const balance = new Balance()
        return Effect.gen(function*() {
          const items = yield* Items
          yield* Items.addHooks(balance.hooks)
          const watching = yield* Effect.forkChild(Stream.runCollect(Items.changes), { startImmediately: true })
          const some: ReadonlyArray<Effect.Effect<unknown, unknown, Items | Scope.Scope>> = [
            Items.size,
            Registry.register(items, a),
            Registry.values(items),
            Items.reset,
            Items.transact(Effect.andThen(Items.register(d), Effect.yieldNow)),
            Items.subscribe(),
            Effect.scoped(Items.registerScoped(new Item(7))),
            Registry.transactAll([items], Items.upsert(new Item(8))),
            Effect.scoped(Items.addHooks({ onItemRegistered: () => Effect.yieldNow }, { existing: true }))
          ]
          const fibers = yield* Effect.forEach(some, (one) => Effect.forkChild(Effect.exit(one)))
          yield* Effect.forEach(fibers, (fiber, i) => i % 3 === 0 ? Fiber.interrupt(fiber) : Effect.yieldNow)
          for (const fiber of fibers) {
            const exit = yield* Fiber.await(fiber)
            if (Exit.isSuccess(exit) && Exit.isFailure(exit.value) && !Cause.hasInterrupts(exit.value.cause)) {
              assert.fail(Cause.pretty(exit.value.cause))
            }
          }
          const values = yield* Items.values
          assert.includeMembers([...values], [b, c])
          assert.isFalse(yield* Items.has("id", 7))
          assert.deepStrictEqual(balance.wrong(values), [])
          assert.strictEqual(alive(log), 1)
          assert.strictEqual(coreOf(items).hooks.length, 2)
          yield* Effect.repeat(Effect.yieldNow, { times: 10 })
          return { watching, values }
        }).pipe(
          Effect.scoped,
          Effect.provide(late(other().pipe(Layer.merge(resource(log))))),
          Effect.flatMap(({ values, watching }) =>
            Effect.map(Fiber.join(watching), (changes) => assert.deepStrictEqual(followed(changes), values))
          )
        )
      }),
      { seeds: 1000 }
    ), 60_000)
})
