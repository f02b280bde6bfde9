import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Deferred, Effect, Exit, Fiber, Layer, Logger, Scope, Stream } from "effect"
import { Registry, RegistryError, RegistryEvent, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Languages } from "./fixtures/late/languages.ts"
import { openScopes } from "./utils/inside.ts"
import { a, b, Balance, c, d, Item, messageOf, recording } from "./utils/items.ts"
import { Items, uses } from "./utils/late.ts"
import { tree } from "./utils/packages.ts"

const seeds = 200

class WithoutDefaults extends Registry.Service<WithoutDefaults, Item>()("test/WithoutDefaults", {
  lookup: ["id"]
}) {}

const module = <E, R>(layer: Layer.Layer<never, E, R | Items>) => layer.pipe(Layer.provideMerge(Items.layer))

/** A layer that loads late, and how often it was asked for. */
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

const live = module(Items.items([b, c]))

/** An import that ends when it is told to, in this or another way. */
const gated = <E, R>(layer: Layer.Layer<Items, E, R>) => {
  const gates: Array<{ readonly open: () => void; readonly fail: (reason: unknown) => void }> = []
  const late = Items.layerLazy(() =>
    new Promise<Layer.Layer<Items, E, R>>((resolve, reject) => gates.push({ open: () => resolve(layer), fail: reject }))
  )
  return { gates, late }
}

const fork = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

/** A layer that is seen to be built and released. */
const resource = (log: Array<string>, name: string) =>
  Layer.effectDiscard(
    Effect.acquireRelease(
      Effect.sync(() => log.push(`built ${name}`)),
      () => Effect.sync(() => log.push(`released ${name}`))
    )
  )

/** How many are built and not released. */
const alive = (log: ReadonlyArray<string>): number =>
  log.filter((line) => line.startsWith("built")).length - log.filter((line) => line.startsWith("released")).length

describe("a registry that loads late", () => {
  it.effect("imports its module at the first use", () =>
    Effect.gen(function*() {
      assert.isFalse("languagesWereImported" in globalThis)
      assert.strictEqual(yield* Languages.state, "Pending")
      assert.isFalse("languagesWereImported" in globalThis)
      assert.deepStrictEqual(yield* Languages.values, [{ id: 1 }, { id: 2 }])
      assert.isTrue("languagesWereImported" in globalThis)
      yield* Languages.register({ id: 3 })
      assert.strictEqual(yield* Languages.size, 3)
    }).pipe(Effect.provide(Languages.layerLate)))

  it.effect("does not import when it is built, watched, hooked, reset, or closed", () => {
    const { count, layer } = counting(live)
    return Effect.gen(function*() {
      yield* Effect.gen(function*() {
        const items = yield* Items
        assert.strictEqual(yield* Items.state, "Pending")
        assert.isFalse(yield* Items.populated)
        assert.strictEqual(RegistrySnapshot.size(Registry.snapshotUnsafe(items)), 0)
        yield* Items.addHooks({ onPopulated: Effect.void })
        yield* Effect.scoped(Items.addHooks({ onItemRegistered: () => Effect.void }, { existing: true }))
        yield* Items.reset
        assert.include(String(items), "Pending")
        assert.strictEqual((yield* Items.explain("id", 1))._tag, "Pending")
        const changes = yield* fork(Stream.runCollect(Items.changes))
        yield* Effect.yieldNow
        yield* Fiber.interrupt(changes)
      }).pipe(Effect.scoped, Effect.provide(layer))
      assert.strictEqual(count.imports, 0)
    })
  })

  it.effect.each(Object.entries(uses))("is imported, once, by %s", ([, use]) => {
    const { count, layer } = counting(live)
    return Effect.gen(function*() {
      yield* Effect.gen(function*() {
        const items = yield* Items
        const values = Registry.values(items)
        yield* use
        assert.strictEqual(count.imports, 1)
        assert.strictEqual(yield* Items.state, "Ready")
        // an effect that was made before the import answers as one that is made now
        assert.deepStrictEqual(yield* values, yield* Registry.values(items))
        assert.include([2, 3, 4], (yield* values).length)
        assert.isTrue(yield* Items.has("id", 1))
        yield* use.pipe(Effect.exit)
      }).pipe(Effect.scoped, Effect.provide(layer))
      assert.strictEqual(count.imports, 1)
    })
  })

  it.effect("has the defaults first, then the items of its layer; after a reset, too, without an import", () => {
    const { count, layer } = counting(live)
    return Effect.gen(function*() {
      assert.deepStrictEqual(yield* Items.values, [a, b, c])
      yield* Items.reset
      assert.strictEqual(yield* Items.state, "Pending")
      assert.deepStrictEqual(yield* Items.values, [a, b, c])
      assert.strictEqual(count.imports, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("tells earlier subscribers of all items of its layer in one change", () => {
    const { layer } = counting(live)
    return Effect.gen(function*() {
      const watching = yield* fork(Stream.runCollect(Stream.take(Items.changes, 1)))
      yield* Items.populate
      const [change] = yield* Fiber.join(watching)
      assert.deepStrictEqual(change!.events.map((event) => [event._tag, "item" in event ? event.item.id : event]), [
        ["Registered", 1],
        ["Populated", RegistryEvent.Populated({ size: 1 })],
        ["Registered", 2],
        ["Registered", 3]
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("accepts any layer that builds on the layer of the service", () =>
    Effect.gen(function*() {
      for (
        const layer of [
          Items.layer,
          Items.layerPopulated,
          Layer.fresh(Items.layer),
          Layer.merge(Items.layer, Layer.fresh(Items.layer))
        ]
      ) {
        const { layer: late } = counting(layer)
        assert.deepStrictEqual(yield* Effect.provide(Items.values, late), [a])
      }
    }))

  describe("G1", () => {
    it.effect("a thousand readers and writers at once: one import, one layer, and each sees all items", () => {
      const log: Array<string> = []
      const { gates, late } = gated(module(Layer.mergeAll(resource(log, "layer"), Items.items([b, c]))))
      return Effect.gen(function*() {
        const asking = yield* Effect.forEach(
          Array.from({ length: 1000 }),
          (_, i) => fork(i % 10 === 0 ? Effect.andThen(Items.register(new Item(100 + i)), Items.values) : Items.values)
        )
        assert.strictEqual(yield* Items.state, "Populating")
        assert.strictEqual(gates.length, 1)
        gates[0]!.open()
        for (const values of yield* Fiber.joinAll(asking)) assert.includeMembers([...values], [a, b, c])
        assert.strictEqual(gates.length, 1)
        assert.deepStrictEqual(log, ["built layer"])
        assert.strictEqual(yield* Items.size, 103)
      }).pipe(Effect.provide(late))
    })

    it.effect("under schedules: no reader outside sees a part of the items", () =>
      RegistryTest.interleave(
        Effect.suspend(() => {
          const { count, layer } = counting(module(Layer.mergeAll(Items.items([b]), Items.items([c]))))
          return Effect.gen(function*() {
            const items = yield* Items
            const watcher = yield* Effect.forkChild(Effect.repeat(
              Effect.andThen(
                Effect.yieldNow,
                Effect.sync(() => assert.include([0, 3, 4], RegistrySnapshot.size(Registry.snapshotUnsafe(items))))
              ),
              { times: 50 }
            ))
            const reader = Effect.map(Items.values, (values) => assert.includeMembers([...values], [a, b, c]))
            yield* Effect.all([reader, Items.register(d), reader, Items.populate], { concurrency: "unbounded" })
            assert.strictEqual(count.imports, 1)
            assert.strictEqual(yield* Items.size, 4)
            yield* Fiber.join(watcher)
          }).pipe(Effect.provide(layer))
        }),
        { seeds }
      ))
  })

  describe("G2", () => {
    it.effect("an import that fails: all waiters get the same error, and the next use tries again", () => {
      const { gates, late } = gated(live)
      return Effect.gen(function*() {
        const asking = yield* Effect.forEach(Array.from({ length: 5 }), () => fork(Effect.flip(Items.size)))
        const reason = new Error("offline")
        gates[0]!.fail(reason)
        const errors = yield* Fiber.joinAll(asking)
        assert.strictEqual(new Set(errors).size, 1)
        const [error] = errors
        assert.instanceOf(error, RegistryError.PopulationError)
        assert.deepStrictEqual([error!.code, error!.registry], ["import", "test/Items"])
        assert.strictEqual<unknown>(error!.cause, reason)
        assert.strictEqual(
          error!.message,
          "Could not populate \"test/Items\": its module could not be loaded. offline"
        )
        assert.strictEqual(yield* Items.state, "Pending")
        const explained = yield* Items.explain("id", 1)
        assert.isTrue(explained._tag === "PopulationFailed" && Cause.squash(explained.cause) === error)
        const again = yield* fork(Items.size)
        gates[1]!.open()
        assert.strictEqual(yield* Fiber.join(again), 3)
        assert.strictEqual(gates.length, 2)
      }).pipe(Effect.provide(late))
    })

    it.effect("an import that throws, one without a layer, and a layer that fails: the error is typed, and the next use tries again", () =>
      Effect.gen(function*() {
        const fails: ReadonlyArray<readonly [() => Promise<Layer.Layer<Items, unknown>>, RegExp]> = [
          [() => {
            throw new Error("at once")
          }, /at once/],
          [
            () => import("./fixtures/late/languages-live.ts").then((exports) => Reflect.get(exports, "Misspelt")),
            /no layer/
          ],
          [() => Promise.resolve(module(Layer.effectDiscard(Effect.fail("no licence")))), /no licence/],
          [() => Promise.resolve(module(Items.items([a]))), /already registered/]
        ]
        for (const [fail, why] of fails) {
          let count = 0
          const late = Items.layerLazy(() => ++count === 1 ? fail() : Promise.resolve(live))
          yield* Effect.gen(function*() {
            const error = yield* Effect.flip(Items.size)
            assert.strictEqual(error.code, "import")
            assert.match(error.message, why)
            assert.strictEqual(yield* Items.state, "Pending")
            assert.strictEqual(yield* Items.size, 3)
          }).pipe(Effect.provide(late))
        }
      }))

    it.effect("a module that was not there is imported by the next use, and one that threw stays thrown, as the documentation says", () =>
      Effect.gen(function*() {
        const found: Array<readonly [text: string | undefined, outcome: string]> = []
        for (const text of [undefined, "throw new Error('down')"]) {
          const file = join(tree({ "package.json": { type: "module" } }), "a.js")
          if (text !== undefined) writeFileSync(file, text)
          const late = Items.layerLazy(() => import(pathToFileURL(file).href).then(() => live))
          const outcome = yield* Effect.gen(function*() {
            assert.strictEqual((yield* Effect.flip(Items.size))._tag, "PopulationError")
            writeFileSync(file, "")
            return (yield* Effect.exit(Items.size))._tag
          }).pipe(Effect.provide(late))
          found.push([text, outcome])
        }
        assert.deepStrictEqual(found, [[undefined, "Success"], ["throw new Error('down')", "Failure"]])
      }))

    it.effect("a layer that provides another registry dies with a message, and the next use tries again", () =>
      Effect.gen(function*() {
        const another = Layer.effect(
          Items,
          Registry.make<Item>()({ name: "test/Items", lookup: ["id", "name"], defaults: [b] })
        )
        for (
          const layer of [another, another.pipe(Layer.provideMerge(Items.layer)), Layer.merge(Items.layer, another)]
        ) {
          let count = 0
          const late = Items.layerLazy(() => Promise.resolve(++count === 1 ? layer : live))
          yield* Effect.gen(function*() {
            assert.strictEqual(
              messageOf(yield* Effect.exit(Items.size)),
              "The layer that was imported for \"test/Items\" provides another registry: " +
                "build it on the `layer` of the service, or provide that registry by itself."
            )
            assert.strictEqual(yield* Items.state, "Pending")
            assert.strictEqual(yield* Items.size, 3)
          }).pipe(Effect.provide(late))
        }
      }))

    it.effect("a registry without defaults dies with the error, and a layer that dies with its defect", () =>
      Effect.gen(function*() {
        let count = 0
        const late = WithoutDefaults.layerLazy(() =>
          ++count === 1 ? Promise.reject(new Error("offline")) : Promise.resolve(WithoutDefaults.layer)
        )
        yield* Effect.gen(function*() {
          const exit = yield* Effect.exit(WithoutDefaults.size)
          assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
          assert.include(messageOf(exit), "its module could not be loaded. offline")
          assert.strictEqual(yield* WithoutDefaults.size, 0)
        }).pipe(Effect.provide(late))

        const { layer } = counting(module(Layer.effectDiscard(Effect.die(new Error("boom")))))
        const exit = yield* Effect.exit(Effect.provide(Items.size, layer))
        assert.strictEqual(messageOf(exit), "boom")
      }))

    it.effect("a layer that fails half-way leaves nothing: its items are unregistered, its resources released, its hooks removed", () => {
      const log: Array<string> = []
      const early = new Balance()
      const inner = new Balance()
      let count = 0
      const Failing = module(
        Layer.effectDiscard(Effect.fail("half-way")).pipe(
          Layer.provideMerge(Items.items([b])),
          Layer.provideMerge(resource(log, "layer")),
          Layer.provideMerge(RegistryHooks.layer(Items, inner.hooks))
        )
      )
      const late = Items.layerLazy<unknown, never>(() => Promise.resolve(++count === 1 ? Failing : live))
      return Effect.gen(function*() {
        yield* Items.addHooks(early.hooks)
        assert.strictEqual((yield* Effect.flip(Items.size)).code, "import")
        assert.deepStrictEqual(log, ["built layer", "released layer"])
        assert.deepStrictEqual(Array.from(early.counts), [[a, 0], [b, 0]])
        assert.deepStrictEqual(Array.from(inner.counts), [[a, 0], [b, 0]])
        assert.deepStrictEqual(yield* Items.values, [a, b, c])
        assert.deepStrictEqual(early.wrong([a, b, c]), [])
        // the hooks of the layer that failed are called no more
        assert.deepStrictEqual(inner.wrong([]), [])
      }).pipe(Effect.scoped, Effect.provide(late))
    })

    it.effect("during the rollback of a failed layer hooks read the empty registry, and populate does nothing", () => {
      let count = 0
      const Failing = module(
        Layer.effectDiscard(Effect.fail("half-way")).pipe(Layer.provideMerge(Items.items([b])))
      )
      const late = Items.layerLazy<unknown, never>(() => Promise.resolve(++count === 1 ? Failing : live))
      return Effect.gen(function*() {
        const seen: Array<number> = []
        yield* Items.addHooks({
          onItemUnregistered: () =>
            Effect.map(
              Effect.orDie(Effect.andThen(Items.populate, Items.size)),
              (size) => seen.push(size)
            )
        })
        assert.strictEqual((yield* Effect.flip(Items.size)).code, "import")
        // the layer is released before anything is undone
        assert.deepStrictEqual(seen, [1, 0, 0])
      }).pipe(Effect.scoped, Effect.provide(late))
    })

    it.effect("defaults that fail after the layer was built: its resources are released, and the next use starts anew", () => {
      let attempts = 0
      class Flaky extends Registry.Service<Flaky, Item>()("test/Flaky", {
        lookup: ["id"],
        defaults: Effect.suspend(() => ++attempts === 1 ? Effect.fail("disk") : Effect.succeed([a]))
      }) {}
      const log: Array<string> = []
      const lines: Array<unknown> = []
      const late: Layer.Layer<Flaky> = Flaky.layerLazy(() =>
        Promise.resolve(resource(log, "layer").pipe(Layer.provideMerge(Flaky.layer)))
      )
      return Effect.gen(function*() {
        const error = yield* Effect.flip(Flaky.size)
        assert.deepStrictEqual([error.code, error.cause], ["defaults", "disk"])
        assert.strictEqual(lines.length, 1, "it is told once")
        assert.deepStrictEqual(log, ["built layer", "released layer"])
        assert.strictEqual(yield* Flaky.size, 1)
        assert.deepStrictEqual(log, ["built layer", "released layer", "built layer"])
      }).pipe(Effect.provide(late), Effect.provide(Logger.layer([Logger.make(({ message }) => lines.push(message))])))
    })

    it.effect("under schedules: an import that fails at first", () =>
      RegistryTest.interleave(
        Effect.suspend(() => {
          let count = 0
          const balance = new Balance()
          const late = Items.layerLazy<unknown, never>(() =>
            Promise.resolve(
              ++count === 1
                ? module(
                  Layer.merge(
                    Items.items([b]),
                    Layer.effectDiscard(Effect.andThen(Effect.yieldNow, Effect.fail("once")))
                  )
                )
                : live
            )
          )
          const retrying = Effect.retry(Items.size, { times: 1 })
          return Effect.gen(function*() {
            yield* Items.addHooks(balance.hooks)
            assert.deepStrictEqual(
              yield* Effect.all([retrying, retrying, retrying], { concurrency: "unbounded" }),
              [3, 3, 3]
            )
            assert.strictEqual(count, 2)
            assert.deepStrictEqual(balance.wrong(yield* Items.values), [])
          }).pipe(Effect.scoped, Effect.provide(late))
        }),
        { seeds }
      ))
  })

  describe("G3", () => {
    it.effect("interrupting some waiters does not disturb the others", () => {
      const { gates, late } = gated(live)
      return Effect.gen(function*() {
        const asking = yield* Effect.forEach(Array.from({ length: 5 }), () => fork(Items.size))
        yield* Fiber.interruptAll(asking.slice(0, 4))
        gates[0]!.open()
        assert.strictEqual(yield* Fiber.join(asking[4]!), 3)
        assert.strictEqual(gates.length, 1)
      }).pipe(Effect.provide(late))
    })

    it.effect("interrupting all waiters interrupts the import, and its layer is released", () => {
      const log: Array<string> = []
      const waiting = Deferred.makeUnsafe<void>()
      let count = 0
      const Waiting = module(
        Layer.effectDiscard(Effect.andThen(Deferred.succeed(waiting, undefined), Effect.never)).pipe(
          Layer.provideMerge(Items.items([b])),
          Layer.provideMerge(resource(log, "layer"))
        )
      )
      const late = Items.layerLazy<unknown, never>(() => Promise.resolve(++count === 1 ? Waiting : live))
      return Effect.gen(function*() {
        const asking = yield* Effect.forEach(Array.from({ length: 3 }), () => fork(Items.size))
        yield* Deferred.await(waiting)
        yield* Fiber.interruptAll(asking)
        assert.deepStrictEqual(log, ["built layer", "released layer"])
        assert.strictEqual(yield* Items.state, "Pending")
        assert.strictEqual(yield* Items.size, 3)
        assert.strictEqual(count, 2)
      }).pipe(Effect.provide(late))
    })

    it.effect("interrupting all waiters while the module loads: the next use imports again", () => {
      const { gates, late } = gated(live)
      return Effect.gen(function*() {
        const first = yield* fork(Items.size)
        yield* Fiber.interrupt(first)
        gates[0]!.open()
        assert.strictEqual(yield* Items.state, "Pending")
        const second = yield* fork(Items.size)
        assert.strictEqual(gates.length, 2)
        gates[1]!.open()
        assert.strictEqual(yield* Fiber.join(second), 3)
      }).pipe(Effect.provide(late))
    })

    it.effect("under schedules: interrupted at any time, it has imported completely or not at all, and nothing leaks", () =>
      RegistryTest.interleave(
        Effect.suspend(() => {
          const log: Array<string> = []
          const balance = new Balance()
          const { layer } = counting(module(Items.items([b, c]).pipe(Layer.provideMerge(resource(log, "layer")))))
          return Effect.gen(function*() {
            yield* Effect.gen(function*() {
              yield* Items.addHooks(balance.hooks)
              const asking = yield* Effect.forEach([1, 2], () => Effect.forkChild(Items.size))
              for (const fiber of asking) {
                yield* Effect.yieldNow
                yield* Fiber.interrupt(fiber)
              }
              assert.deepStrictEqual(balance.wrong(Registry.snapshotUnsafe(yield* Items)), [])
              assert.strictEqual(yield* Items.size, 3)
              assert.deepStrictEqual(balance.wrong(yield* Items.values), [])
              assert.strictEqual(
                log.filter((line) => line === "built layer").length -
                  log.filter((line) => line === "released layer").length,
                1
              )
            }).pipe(Effect.scoped, Effect.provide(layer))
            assert.strictEqual(log.at(-1), "released layer")
            assert.strictEqual(log.length % 2, 0)
          })
        }),
        { seeds: 500 }
      ))
  })

  it.effect("G3 an import that is interrupted while it waits for a transaction in flight is undone: the next use imports again", () => {
    const log: Array<string> = []
    const working = Deferred.makeUnsafe<void>()
    const gate = Deferred.makeUnsafe<void>()
    const { count, layer } = counting(module(
      // the import ends when this has
      Layer.effectDiscard(Effect.andThen(
        Effect.forkScoped(
          Items.transact(Effect.andThen(Deferred.succeed(working, undefined), Deferred.await(gate))),
          { startImmediately: true }
        ),
        Deferred.await(working)
      )).pipe(Layer.provideMerge(resource(log, "layer")))
    ))
    return Effect.gen(function*() {
      const first = yield* fork(Items.size)
      yield* Deferred.await(working)
      for (let i = 0; i < 20; i++) yield* Effect.yieldNow
      // the transaction in flight never ends by itself
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(gate, undefined)
      const second = yield* fork(Items.size)
      assert.strictEqual(yield* Fiber.join(second), 1)
      assert.strictEqual(count.imports, 2)
      assert.deepStrictEqual(log, ["built layer", "released layer", "built layer"])
      // that of the layer that was loaded
      assert.strictEqual(openScopes(yield* Items), 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect.each(["outside", "inside"] as const)(
    "G3 interrupted at each step, from %s, it has imported completely or not at all",
    (from) =>
      Effect.gen(function*() {
        const interrupted = yield* RegistryTest.interruptEach({
          setup: Effect.gen(function*() {
            const log: Array<string> = []
            const balance = new Balance()
            const { layer } = counting(module(
              Items.items([b, c]).pipe(
                Layer.provideMerge(Layer.merge(resource(log, "layer"), RegistryHooks.layer(Items, balance.hooks)))
              )
            ))
            const scope = yield* Scope.make()
            return { log, balance, scope, context: yield* Layer.buildWithScope(layer, scope) }
          }),
          run: ({ context }) => Effect.provideContext(Items.size, context),
          check: ({ balance, context, log, scope }, exit) =>
            Effect.gen(function*() {
              const there = (yield* Items.state) === "Ready"
              if (Exit.isSuccess(exit)) assert.isTrue(there)
              assert.deepStrictEqual(balance.wrong(Registry.snapshotUnsafe(yield* Items)), [])
              assert.strictEqual(alive(log), there ? 1 : 0)
              // that of the layer that was loaded
              assert.strictEqual(openScopes(yield* Items), there ? 1 : 0)
              assert.strictEqual(yield* Items.size, 3)
              assert.strictEqual(alive(log), 1)
              yield* Scope.close(scope, Exit.void)
              assert.strictEqual(alive(log), 0)
            }).pipe(Effect.provideContext(context)),
          from
        })
        assert.isAbove(interrupted, 30)
      })
  )

  describe("G4", () => {
    class Source extends Context.Service<Source, { readonly name: string }>()("test/Source") {}

    class Served extends Registry.Service<Served, string>()("test/Served", {
      lookup: [],
      defaults: Effect.map(Source, ({ name }) => [`default of ${name}`]),
      hooks: RegistryHooks.make<string>()({
        onItemRegistering: (item) => Effect.map(Source, ({ name }) => log.push(`${name}: ${item}`))
      })
    }) {}

    const log: Array<string> = []
    const source = (name: string) => Layer.succeed(Source, { name })

    it.effect("its layer has the services of layerLazy, and none of the first user", () => {
      const late: Layer.Layer<Served, never, Source> = Served.layerLazy(() => Promise.resolve(Served.layer))
      return Effect.gen(function*() {
        assert.deepStrictEqual(yield* Effect.provide(Served.values, source("the caller")), ["default of the app"])
        assert.deepStrictEqual(log.splice(0), ["the app: default of the app"])
        yield* Effect.provide(Served.register("later"), source("the caller"))
        assert.deepStrictEqual(log.splice(0), ["the app: later"])
      }).pipe(Effect.provide(late.pipe(Layer.provide(source("the app")))))
    })

    it.effect("the module may bring the services that the definition needs", () => {
      const late: Layer.Layer<Served> = Served.layerLazy(() =>
        Promise.resolve(Served.layer.pipe(Layer.provide(source("the module"))))
      )
      return Effect.gen(function*() {
        assert.deepStrictEqual(yield* Served.values, ["default of the module"])
        yield* Served.register("later")
        assert.deepStrictEqual(log.splice(0), ["the module: default of the module", "the module: later"])
        yield* Served.reset
        assert.deepStrictEqual(yield* Served.values, ["default of the module"])
        log.length = 0
      }).pipe(Effect.provide(late))
    })

    it.effect("it does not see the draft of a transaction of its caller on another registry", () => {
      const { layer } = counting(
        module(Layer.effectDiscard(Effect.flatMap(Served.size, (size) => Effect.sync(() => sizes.push(size)))))
      )
      const sizes: Array<number> = []
      return Effect.gen(function*() {
        yield* Served.transact(Effect.andThen(Served.register("draft"), Items.size))
        assert.deepStrictEqual(sizes, [1])
        log.length = 0
      }).pipe(Effect.provide(layer), Effect.provide(Served.layer), Effect.provide(source("the app")))
    })

    it.effect("its layer lives until the scope of the registry closes, through resets", () => {
      const released: Array<string> = []
      const { layer } = counting(module(resource(released, "layer")))
      return Effect.gen(function*() {
        yield* Effect.gen(function*() {
          yield* Items.size
          yield* Items.reset
          yield* Items.size
          assert.deepStrictEqual(released, ["built layer"])
        }).pipe(Effect.provide(layer))
        assert.deepStrictEqual(released, ["built layer", "released layer"])
      })
    })

    it.effect("layers that the application has built already are shared", () => {
      const built: Array<string> = []
      const Shared = resource(built, "shared")
      const { layer } = counting(module(Shared))
      return Effect.gen(function*() {
        yield* Items.size
        assert.deepStrictEqual(built, ["built shared"])
      }).pipe(Effect.provide(Layer.merge(layer, Shared)))
    })

    it.effect("code of the module that builds the layer of the service again later gets its own registry", () => {
      class Nested extends Context.Service<Nested, Effect.Effect<ReadonlyArray<Item>>>()("test/Nested") {}
      let nested: Effect.Effect<ReadonlyArray<Item>> = Effect.succeed([])
      const Live = module(Layer.effect(
        Nested,
        Effect.contextWith((context: Context.Context<never>) => {
          nested = Effect.provideContext(Effect.provide(Items.values, Layer.fresh(Items.layer)), context).pipe(
            Effect.orDie
          )
          return Effect.succeed(nested)
        })
      ))
      return Effect.gen(function*() {
        yield* Items.register(b)
        assert.deepStrictEqual(yield* nested, [a])
        assert.deepStrictEqual(yield* Items.values, [a, b])
      }).pipe(Effect.provide(Items.layerLazy(() => Promise.resolve(Live))))
    })

    it.effect("G26 closing the scope while the module loads interrupts the waiters", () =>
      Effect.gen(function*() {
        const { late } = gated(live)
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(late, scope)
        const asking = yield* fork(Effect.provideContext(Items.size, context))
        yield* Scope.close(scope, Exit.void)
        const exit = yield* Fiber.await(asking)
        assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      }))
  })

  describe("hooks", () => {
    it.effect("hooks that were added before are told of all items of the module, after the hooks of the definition", () => {
      const log: Array<string> = []
      const note = (who: string) => ({
        onItemRegistered: (item: Item) => Effect.sync(() => log.push(`${who} +${item.id}`)),
        onItemUnregistered: (item: Item) => Effect.sync(() => log.push(`${who} -${item.id}`))
      })
      class Hooked extends Registry.Service<Hooked, Item>()("test/Hooked", {
        lookup: ["id"],
        defaults: [a],
        hooks: RegistryHooks.make<Item>()(note("definition"))
      }) {}
      const late: Layer.Layer<Hooked> = Hooked.layerLazy(() =>
        Promise.resolve(
          Hooked.items([b]).pipe(
            Layer.provideMerge(RegistryHooks.layer(Hooked, note("module"))),
            Layer.provideMerge(Hooked.layer)
          )
        )
      )
      return Effect.gen(function*() {
        yield* Hooked.populate
        assert.deepStrictEqual(
          log.splice(0),
          [1, 2].flatMap((id) => ["definition", "early", "module"].map((who) => `${who} +${id}`))
        )
        yield* Hooked.unregister(b)
        assert.deepStrictEqual(log.splice(0), ["module -2", "early -2", "definition -2"])
      }).pipe(Effect.provide(RegistryHooks.layer(Hooked, note("early")).pipe(Layer.provideMerge(late))))
    })

    it.effect("the hooks of the definition are installed once, though its layer is built twice or the import fails", () => {
      const log: Array<string> = []
      class Hooked extends Registry.Service<Hooked, Item>()("test/Hooked", {
        lookup: ["id"],
        defaults: [a],
        hooks: RegistryHooks.make<Item>()({ onItemRegistered: (item) => Effect.sync(() => log.push(`+${item.id}`)) })
      }) {}
      const twice = Layer.merge(Layer.fresh(Hooked.layer), Layer.fresh(Hooked.layer))
      const failing = Layer.effectDiscard(Effect.fail("no")).pipe(Layer.provideMerge(Hooked.layer))
      let imports = 0
      const late = Hooked.layerLazy<unknown, never>(() => Promise.resolve(++imports === 1 ? failing : twice))
      return Effect.gen(function*() {
        assert.strictEqual((yield* Effect.flip(Hooked.size)).code, "import")
        log.length = 0
        assert.strictEqual(yield* Hooked.size, 1)
        yield* Hooked.register(b)
        assert.deepStrictEqual(log, ["+1", "+2"])
        assert.strictEqual(imports, 2)
      }).pipe(Effect.provide(late))
    })

    it.effect("hooks that were added before can refuse items of the module", () => {
      const { layer } = counting(live)
      const Refusing = RegistryHooks.layer(Items, {
        onItemRegistering: (item) => item === c ? RegistryError.reject(item, "no c") : Effect.void
      })
      return Effect.gen(function*() {
        const error = yield* Effect.flip(Items.size)
        assert.deepStrictEqual([error.code, error.message.endsWith("no c")], ["import", true])
        assert.strictEqual(yield* Items.state, "Pending")
      }).pipe(Effect.provide(Refusing.pipe(Layer.provideMerge(layer))))
    })

    it.effect("hooks can be removed before the import", () => {
      const log: Array<string> = []
      const { layer } = counting(live)
      return Effect.gen(function*() {
        yield* Effect.scoped(Items.addHooks(recording(log)))
        yield* Items.size
        assert.deepStrictEqual(log, [])
      }).pipe(Effect.provide(layer))
    })
  })

  describe("two registries that load late", () => {
    class Inner extends Registry.Service<Inner, Item>()("test/Inner", { lookup: ["id"], defaults: [d] }) {}

    it.effect("Q67 the layer of one uses the other, whichever is used first", () =>
      RegistryTest.interleave(
        Effect.suspend(() => {
          const innerLate: Layer.Layer<Inner> = Inner.layerLazy(() => Promise.resolve(Inner.layer))
          const outer = counting(
            module(Layer.effectDiscard(Effect.flatMap(Inner.size, (size) => Items.register(new Item(size + 10)))))
          )
          return Effect.gen(function*() {
            const [items, inner] = yield* Effect.all([Items.values, Inner.values, Items.size, Inner.size], {
              concurrency: "unbounded"
            })
            assert.deepStrictEqual(items.map(({ id }) => id), [1, 11])
            assert.deepStrictEqual(inner, [d])
            assert.strictEqual(outer.count.imports, 1)
          }).pipe(Effect.provide(outer.layer.pipe(Layer.provideMerge(innerLate))))
        }),
        { seeds }
      ))

    it.effect("modules that use each other: one while it loads, the other in a hook that is then called", () =>
      RegistryTest.interleave(
        Effect.suspend(() => {
          const seen: Array<number> = []
          const itemsLate: Layer.Layer<Items> = Items.layerLazy(() =>
            Promise.resolve(module(Layer.effectDiscard(Inner.register(new Item(5)))).pipe(Layer.provide(innerLate)))
          )
          const watching = RegistryHooks.make<Item>()({
            onItemRegistered: ({ id }) =>
              id === d.id ? Effect.void : Effect.map(Effect.orDie(Items.size), (size) => seen.push(size))
          })
          const innerLate: Layer.Layer<Inner> = Inner.layerLazy(() =>
            Promise.resolve(
              Layer.effectDiscard(
                Effect.contextWith((context: Context.Context<Items>) =>
                  Inner.addHooks({
                    onItemRegistered: (item) => Effect.provide(watching.onItemRegistered(item), context)
                  })
                )
              ).pipe(Layer.provideMerge(Inner.layer), Layer.provide(itemsLate))
            )
          )
          return Effect.gen(function*() {
            const [items, inner] = yield* Effect.all([Items.values, Inner.size], { concurrency: "unbounded" })
            assert.deepStrictEqual(items, [a])
            assert.include([1, 2], inner)
            yield* Inner.register(c)
            assert.deepStrictEqual(seen, [1, 1])
            assert.strictEqual(yield* Inner.size, 3)
          }).pipe(Effect.provide(Layer.merge(itemsLate, innerLate)))
        }),
        { seeds }
      ))

    it.effect("G16 layers that wait for each other do not hang: the one that closes the circle dies", () =>
      Effect.gen(function*() {
        const itemsLate: Layer.Layer<Items> = Items.layerLazy(() =>
          Promise.resolve(module(Layer.effectDiscard(Inner.size)).pipe(Layer.provide(innerLate)))
        )
        const innerLate: Layer.Layer<Inner> = Inner.layerLazy(() =>
          Promise.resolve(
            Layer.effectDiscard(Items.size).pipe(Layer.provideMerge(Inner.layer), Layer.provide(itemsLate))
          )
        )
        const exits = yield* Effect.all([Effect.exit(Items.size), Effect.exit(Inner.size)], {
          concurrency: "unbounded"
        }).pipe(
          Effect.provide(Layer.merge(itemsLate, innerLate))
        )
        for (const exit of exits) {
          assert.isTrue(Exit.isFailure(exit))
          assert.include(messageOf(exit), "Deadlock")
          assert.include(messageOf(exit), "test/Inner")
          assert.include(messageOf(exit), "test/Items")
        }
      }))
  })
})
