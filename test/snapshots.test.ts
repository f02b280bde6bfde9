/** `snapshots` and `watchItem`: what a registry holds, and what it answers, now and from now on. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Layer, Option, Scope, Stream } from "effect"
import { Lookup, Registry, RegistryError, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { Follower } from "./utils/following.ts"
import { a, b, c, d, defectOf, Item, messageOf } from "./utils/items.ts"
import { nobody, watchers } from "./utils/watchers.ts"

const lookup = ["id", "name"] as const

const make = Registry.make<Item>()({ name: "items", lookup })

const ids = (items: Iterable<Item>) => Array.from(items, ({ id }) => id).join()

const nameOf = (answer: Option.Option<Item>) =>
  Option.match(answer, { onNone: () => "none", onSome: (item) => item.name })

/** Runs a stream in a fiber of its own that collects what `f` makes of its elements, as far as it has come. */
const follow = <A, E, R, B>(stream: Stream.Stream<A, E, R>, f: (a: A) => B) =>
  Effect.gen(function*() {
    const seen: Array<B> = []
    const fiber = yield* Effect.forkChild(Stream.runForEach(stream, (one) => Effect.sync(() => seen.push(f(one)))), {
      startImmediately: true
    })
    return { seen, fiber }
  })

/** Lets all others have a turn. */
const turn = Effect.yieldNow

describe("snapshots", () => {
  it.effect("are what the registry holds now, then what it holds after each change", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.register(registry, a)
      const { fiber, seen } = yield* follow(Registry.snapshots(registry), ids)
      assert.deepStrictEqual(seen, ["1"])
      yield* Registry.registerAll(registry, [b, c])
      yield* turn
      yield* Registry.unregister(registry, a)
      yield* turn
      yield* Registry.transact(registry, Effect.andThen(Registry.register(registry, a), Registry.register(registry, d)))
      yield* turn
      assert.deepStrictEqual(seen, ["1", "1,2,3", "2,3", "2,3,1,4"])
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(watchers(registry), nobody)
    }))

  it.effect("of a consumer that is slow are the newest: it misses those in between, and blocks nobody", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, history: 0 })
      const gate = yield* Deferred.make<void>()
      const seen: Array<string> = []
      const slow = Registry.snapshots(registry).pipe(
        Stream.runForEach((snapshot) =>
          Effect.andThen(Effect.sync(() => seen.push(ids(snapshot))), Deferred.await(gate))
        )
      )
      const fiber = yield* Effect.forkChild(slow, { startImmediately: true })
      for (let id = 1; id <= 600; id++) {
        yield* Registry.register(registry, new Item(id))
        if (id > 2) yield* Registry.unregisterBy(registry, "id", id - 2)
      }
      assert.deepStrictEqual(seen, [""])
      yield* Deferred.succeed(gate, undefined)
      yield* turn
      assert.deepStrictEqual(seen, ["", "599,600"])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("are not made by a transaction that changes nothing, or is rolled back", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const { fiber, seen } = yield* follow(Registry.snapshots(registry), ids)
      yield* Registry.transact(registry, Registry.size(registry))
      yield* Effect.exit(Registry.registerAll(registry, [a, a]))
      yield* Effect.exit(Registry.transact(registry, Effect.andThen(Registry.register(registry, a), Effect.fail("no"))))
      yield* turn
      assert.deepStrictEqual(seen, [""])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("G17 populate first, and again after a reset: none is of a registry that is Pending", () =>
    Effect.gen(function*() {
      let populations = 0
      const registry = yield* Registry.make<Item>()({
        lookup,
        defaults: Effect.sync(() => [new Item(++populations)])
      })
      const { fiber, seen } = yield* follow(Registry.snapshots(registry), ids)
      yield* turn
      assert.deepStrictEqual([seen, populations], [["1"], 1])
      yield* Registry.reset(registry)
      yield* turn
      yield* turn
      assert.deepStrictEqual([seen, populations], [["1", "2"], 2])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("G2 fail with the error of the population, at first and after a reset, and each run tries again", () =>
    Effect.gen(function*() {
      let offline = true
      const registry = yield* Registry.make<Item>()({
        lookup,
        defaults: Effect.suspend(() => offline ? Effect.fail("offline") : Effect.succeed([a]))
      })
      const first = yield* Effect.flip(Stream.runDrain(Registry.snapshots(registry)))
      assert.deepStrictEqual([first._tag, first.cause], ["PopulationError", "offline"])
      offline = false
      const { fiber, seen } = yield* follow(Registry.snapshots(registry), ids)
      assert.deepStrictEqual(seen, ["1"])
      offline = true
      yield* Registry.reset(registry)
      assert.strictEqual((yield* Effect.flip(Fiber.join(fiber))).cause, "offline")
      assert.deepStrictEqual(watchers(registry), nobody)
    }))

  it.effect("G26 end with the registry, and are as other reads are once it has ended", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const registry = yield* Scope.provide(make, scope)
      const { fiber, seen } = yield* follow(Registry.snapshots(registry), ids)
      // pulled only when the registry has ended
      const pull = yield* Stream.toPull(Registry.snapshots(registry))
      yield* pull
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(seen, [""])
      assert.isTrue(Exit.isFailure(yield* Effect.exit(pull)))
      assert.strictEqual((yield* Effect.flip(pull))._tag, "Done")
      const late = yield* Effect.exit(Stream.runDrain(Registry.snapshots(registry)))
      const reading = yield* Effect.exit(Registry.size(registry))
      assert.isTrue(Exit.isFailure(late) && Exit.isFailure(reading))
      assert.strictEqual(messageOf(late), messageOf(reading))
      assert.deepStrictEqual(watchers(registry), nobody)
    }))

  it.effect("G16 inside a transaction are of the draft, and die where they would wait for themselves", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const inside = Effect.gen(function*() {
        yield* Registry.register(registry, a)
        const pull = yield* Stream.toPull(Registry.snapshots(registry))
        const seen = [ids((yield* pull)[0])]
        yield* Registry.register(registry, b)
        seen.push(ids((yield* pull)[0]))
        return [seen, messageOf(yield* Effect.exit(pull))] as const
      })
      const [seen, message] = yield* Registry.transact(registry, Effect.scoped(inside))
      assert.deepStrictEqual(seen, ["1", "1,2"])
      assert.match(message, /^Deadlock: "snapshots" of "items" waits for "transact" of "items"/)
      const detached = Registry.detached(Stream.runHead(Registry.snapshots(registry)))
      const outside = yield* Registry.transact(registry, Effect.andThen(Registry.unregister(registry, a), detached))
      assert.strictEqual(ids(Option.getOrThrow(outside)), "1,2")
      assert.deepStrictEqual(watchers(registry), nobody)
    }))

  it.effect("G16 no false alarm: a fiber that outlives its transaction goes on outside", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const gate = yield* Deferred.make<void>()
      const seen: Array<string> = []
      const following = Registry.snapshots(registry).pipe(
        Stream.runForEach((snapshot) =>
          Effect.andThen(Effect.sync(() => seen.push(ids(snapshot))), Deferred.await(gate))
        )
      )
      const fiber = yield* Registry.transact(
        registry,
        Effect.andThen(Registry.register(registry, a), Effect.forkDetach(following, { startImmediately: true }))
      )
      yield* Deferred.succeed(gate, undefined)
      yield* turn
      yield* Registry.register(registry, b)
      yield* turn
      // the first is of the draft, the second is what was published of it
      assert.deepStrictEqual(seen, ["1", "1", "1,2"])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("G8 G22 rise, are what was published, and come to what is held at the end, under schedules of writers and resets", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        let populations = 0
        const registry = yield* Registry.make<Item>()({
          lookup,
          populationFailure: "die",
          defaults: Effect.andThen(Effect.yieldNow, Effect.sync(() => [new Item(100 + ++populations)]))
        })
        const { changes, snapshot } = yield* Registry.subscribe(registry)
        const seen: Array<RegistrySnapshot.RegistrySnapshot<Item, typeof lookup>> = []
        const watching = yield* Effect.forkChild(
          Stream.runForEach(Registry.snapshots(registry), (one) => Effect.sync(() => seen.push(one)))
        )
        yield* Effect.all([
          Effect.andThen(Registry.upsert(registry, a), Effect.ignore(Registry.unregister(registry, a))),
          Effect.ignore(Registry.registerAll(registry, [b, c])),
          Registry.reset(registry),
          Effect.scoped(Registry.override(registry, new Item(3, "other")))
        ], { concurrency: "unbounded" })
        const last = yield* Registry.snapshot(registry)
        yield* Effect.repeat(turn, { until: () => seen.at(-1) === last, times: 1_000 })
        assert.strictEqual(seen.at(-1), last)
        yield* Fiber.interrupt(watching)
        const follower = new Follower(snapshot, RegistrySnapshot.revision(snapshot), ({ id }: Item) => ({ id: [id] }))
        const published = new Map([[follower.revision, ids(snapshot)]])
        const count = RegistrySnapshot.revision(last) - follower.revision
        yield* Stream.runForEach(Stream.take(changes, count), (change) =>
          Effect.sync(() => {
            follower.apply(change)
            published.set(follower.revision, ids(follower.list))
          }))
        let revision = 0
        for (const one of seen) {
          assert.isAbove(RegistrySnapshot.revision(one), revision)
          revision = RegistrySnapshot.revision(one)
          assert.strictEqual(ids(one), published.get(revision))
          // a default is in each: none is of a registry that was reset
          assert.match(ids(one), /\b10\d/)
        }
        assert.strictEqual(watchers(registry).waiting, 0)
      })),
      { seeds: 300 }
    ))

  it.effect("interrupted at any step, leave nothing behind", () =>
    Effect.gen(function*() {
      const interrupted = yield* RegistryTest.interruptEach({
        setup: make,
        run: (registry) =>
          Effect.all([
            Stream.runDrain(Stream.take(Registry.snapshots(registry), 2)),
            Stream.runDrain(Stream.take(Registry.watchItem(registry, "id", 1), 2)),
            Effect.andThen(Effect.yieldNow, Registry.register(registry, a))
          ], { concurrency: "unbounded" }),
        check: (registry) => Effect.sync(() => assert.deepStrictEqual(watchers(registry), nobody))
      })
      assert.isAbove(interrupted, 5)
    }))

  it.effect("one stream is run by several consumers, each from now on", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const stream = Registry.snapshots(registry)
      const one = yield* follow(stream, ids)
      yield* Registry.register(registry, a)
      const other = yield* follow(stream, ids)
      yield* turn
      yield* Registry.register(registry, b)
      yield* turn
      assert.deepStrictEqual([one.seen, other.seen], [["", "1", "1,2"], ["1", "1,2"]])
      yield* Fiber.interruptAll([one.fiber, other.fiber])
    }))
})

describe("watchItem", () => {
  it.effect("answers only what is another answer, for every kind of change", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a, b], populationFailure: "die" })
      const { fiber, seen } = yield* follow(Registry.watchItem(registry, "id", 1), nameOf)
      const expect = (...more: ReadonlyArray<string>) =>
        Effect.andThen(
          Effect.replicateEffect(turn, 3, { discard: true }),
          Effect.sync(() => assert.deepStrictEqual(seen.splice(0), more))
        )
      yield* expect("item 1")
      yield* Registry.registerAll(registry, [c, d])
      yield* Registry.unregister(registry, b)
      yield* expect()
      yield* Registry.replace(registry, "id", 1, new Item(1, "one"))
      yield* expect("one")
      yield* Registry.upsert(registry, new Item(1, "uno"))
      yield* expect("uno")
      yield* Registry.unregisterBy(registry, "id", 1)
      yield* expect("none")
      yield* Registry.register(registry, new Item(1, "again"))
      yield* expect("again")
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.override(registry, new Item(1, "above")), scope)
      yield* expect("above")
      yield* Scope.close(scope, Exit.void)
      yield* expect("again")
      yield* Registry.reconcile(registry, [new Item(1, "reconciled"), c])
      yield* expect("reconciled")
      // the registry is populated again
      yield* Registry.reset(registry)
      yield* expect("item 1")
      // it was populated, and holds the same item as before
      yield* Registry.reset(registry)
      yield* expect()
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(watchers(registry), nobody)
    }))

  it.effect("a consumer that is slow misses what came and went", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const pull = yield* Stream.toPull(Registry.watchItem(registry, "name", "item 1"))
      assert.deepStrictEqual(yield* pull, [Option.none()])
      yield* Registry.register(registry, a)
      yield* Registry.unregister(registry, a)
      const next = yield* Effect.forkChild(pull, { startImmediately: true })
      yield* turn
      assert.isUndefined(next.pollUnsafe())
      yield* Registry.register(registry, a)
      assert.deepStrictEqual(yield* Fiber.join(next), [Option.some(a)])
    }))

  it.effect("fails with the population, ends with the registry, dies in a transaction where it would wait for itself", () =>
    Effect.gen(function*() {
      const failing = yield* Registry.make<Item>()({ lookup, defaults: Effect.fail("offline") })
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(Registry.watchItem(failing, "id", 1)))).cause, "offline")
      const scope = yield* Scope.make()
      const registry = yield* Scope.provide(make, scope)
      const { fiber, seen } = yield* follow(Registry.watchItem(registry, "id", 1), nameOf)
      const inside = Effect.andThen(
        Registry.register(registry, a),
        Effect.exit(Stream.runCollect(Registry.watchItem(registry, "id", 1)))
      )
      const exit = yield* Registry.transact(registry, inside)
      assert.instanceOf(defectOf(exit), RegistryError.DeadlockError)
      assert.match(messageOf(exit), /^Deadlock: "watchItem" of "items"/)
      yield* turn
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(seen, ["none", "item 1"])
    }))

  it.effect("dies for an attribute that is not a unique lookup, and does not wait", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({
        lookup: { id: Lookup.unique((item: Item) => item.id), name: Lookup.group((item: Item) => item.name) }
      })
      for (const attribute of ["name", "nmae"]) {
        const exit = yield* Effect.exit(Stream.runDrain(Registry.watchItem(registry, attribute as "id", 1)))
        assert.deepInclude(defectOf(exit) as object, { code: "invalid_attribute", attribute, suggestions: ["id"] })
      }
      assert.deepStrictEqual(watchers(registry), nobody)
    }))

  it.effect("never misses the last answer, and never repeats one, under schedules of writers", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* make
        const seen: Array<string> = []
        const watching = yield* Effect.forkChild(
          Stream.runForEach(
            Registry.watchItem(registry, "id", 1),
            (answer) => Effect.sync(() => seen.push(nameOf(answer)))
          )
        )
        yield* Effect.all([
          Effect.andThen(Registry.upsert(registry, new Item(1, "one")), Registry.upsert(registry, new Item(1, "two"))),
          Effect.andThen(Registry.register(registry, b), Registry.unregister(registry, b)),
          Registry.upsert(registry, new Item(1, "three"))
        ], { concurrency: "unbounded" })
        const last = (yield* Registry.get(registry, "id", 1)).name
        yield* Effect.repeat(turn, { until: () => seen.at(-1) === last, times: 1_000 })
        assert.strictEqual(seen.at(-1), last)
        assert.isTrue(seen.every((one, index) => one !== seen[index - 1]), seen.join())
        yield* Fiber.interrupt(watching)
      })),
      { seeds: 300 }
    ))
})

describe("of a service", () => {
  class Items
    extends Registry.Service<Items, Item>()("test/Items", { lookup, defaults: [a], populationFailure: "die" })
  {}

  it.effect("they are statics, and functions that take the service, first or last", () =>
    Effect.gen(function*() {
      for (const stream of [Items.snapshots, Registry.snapshots(Items), Items.pipe(Registry.snapshots)]) {
        assert.strictEqual(ids(Option.getOrThrow(yield* Stream.runHead(stream))), "1")
      }
      for (
        const stream of [
          Items.watchItem("id", 1),
          Registry.watchItem(Items, "id", 1),
          Items.pipe(Registry.watchItem("id", 1))
        ]
      ) {
        assert.deepStrictEqual(yield* Stream.runHead(stream), Option.some(Option.some(a)))
      }
    }).pipe(Effect.provide(Items.layer)))

  it.effect("each run of a stream takes the registry that is provided to it", () =>
    Effect.gen(function*() {
      const other = yield* Layer.build(Layer.fresh(Items.layer))
      yield* Items.register(b)
      const sizes = Stream.runHead(Stream.map(Items.snapshots, RegistrySnapshot.size))
      assert.deepStrictEqual([yield* sizes, yield* Effect.provide(sizes, other)], [Option.some(2), Option.some(1)])
    }).pipe(Effect.scoped, Effect.provide(Items.layer)))

  it.effect("a value that is neither a registry nor a service of one dies when the stream is run", () =>
    Effect.gen(function*() {
      const streams: ReadonlyArray<Stream.Stream<unknown, unknown>> = [
        Registry.snapshots({} as never),
        Registry.watchItem({} as never, "id" as never, 1 as never)
      ]
      for (const stream of streams) {
        const exit = yield* Effect.exit(Stream.runDrain(stream))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
        assert.match(messageOf(exit), /neither a registry nor a service/)
      }
    }))
})
