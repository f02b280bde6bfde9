import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Deferred, Effect, Exit, Fiber, Layer, Logger, Scope, Stream } from "effect"
import { Registry, RegistryError, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { a, b, c, d, Item, messageOf, recording } from "./utils/items.ts"

const seeds = 1_000

class Source extends Context.Service<Source, { readonly name: string }>()("test/Source") {}

describe("population", () => {
  it.effect("G1 a thousand fibers use the registry while it populates: the population runs once, and each sees the full set", () =>
    Effect.gen(function*() {
      let runs = 0
      const gate = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => {
          runs++
          return Effect.as(Deferred.await(gate), [a, b])
        })
      })
      const asking = yield* Effect.forEach(
        Array.from({ length: 1000 }),
        () => Effect.forkChild(Registry.size(registry), { startImmediately: true })
      )
      assert.strictEqual(yield* Registry.state(registry), "Populating")
      yield* Deferred.succeed(gate, undefined)
      const sizes = yield* Fiber.joinAll(asking)
      assert.deepStrictEqual(new Set(sizes), new Set([2]))
      assert.strictEqual(runs, 1)
    }))

  it.effect("G1 concurrent readers and writers, under schedules: the population runs once, and each sees the full set", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        let runs = 0
        const registry = yield* Registry.make<Item>()({
          lookup: ["id"],
          defaults: Effect.suspend(() => {
            runs++
            return Effect.as(Effect.yieldNow, [a, b])
          })
        })
        const reader = Effect.map(Registry.values(registry), (items) => assert.includeMembers([...items], [a, b]))
        yield* Effect.all([reader, reader, Registry.register(registry, c), reader, Registry.populate(registry)], {
          concurrency: "unbounded"
        })
        assert.strictEqual(runs, 1)
        assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, b, c])
      })),
      { seeds }
    ))

  it.effect("G1 a list populates in the step of its first user: with an owner of its own, in one change", () =>
    Effect.gen(function*() {
      const registry = yield* Effect.provideService(
        Registry.make<Item>()({ lookup: ["id"], defaults: [a, b] }),
        Registry.Owner,
        "layer"
      )
      const { changes } = yield* Effect.provideService(
        Registry.subscribe(registry, { since: 0 }),
        Registry.Owner,
        "caller"
      )
      assert.strictEqual(yield* Registry.state(registry), "Ready")
      const explained = yield* Registry.explain(registry, "id", 1)
      assert.isTrue(explained._tag === "Present" && explained.owner === "defaults")
      const [change] = yield* Stream.runCollect(Stream.take(changes, 1))
      assert.deepStrictEqual(change!.events.map(({ _tag }) => _tag), ["Registered", "Registered", "Populated"])
    }))

  it.effect("G1 a selector of a default that reads the registry fails the population, without starting another", () =>
    Effect.gen(function*() {
      let asked = 0
      const registry: Registry.Registry<Item, readonly ["id"], unknown> = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [{
          name: "lazy",
          get id() {
            asked++
            Effect.runSync(Registry.size(registry))
            return 1
          }
        }]
      })
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Registry.size(registry))))
      assert.isAtMost(asked, 4)
      assert.strictEqual(yield* Registry.state(registry), "Pending")
    }))

  it.effect("G2 a list with a conflict: each use gets the error, which is logged once a use", () =>
    Effect.gen(function*() {
      let logged = 0
      const registry = yield* Effect.provideService(
        Registry.make<Item>()({ lookup: ["id"], defaults: [a, new Item(1)] }),
        Logger.CurrentLoggers,
        new Set([Logger.make(() => logged++)])
      )
      for (const times of [1, 2]) {
        const error = yield* Effect.flip(Registry.size(registry))
        assert.strictEqual(error.code, "registration")
        assert.strictEqual(logged, times)
        assert.strictEqual(yield* Registry.state(registry), "Pending")
      }
    }))

  it.effect("G2 defaults that fail: all waiters get the same error, nothing is left, the next use populates again", () =>
    Effect.gen(function*() {
      let runs = 0
      const log: Array<string> = []
      const gate = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({
        name: "items",
        lookup: ["id"],
        hooks: recording(log),
        defaults: Effect.suspend(() =>
          ++runs === 1 ? Effect.andThen(Deferred.await(gate), Effect.fail("disk" as const)) : Effect.succeed([a])
        )
      })
      const asking = yield* Effect.forEach(
        Array.from({ length: 3 }),
        () => Effect.forkChild(Effect.flip(Registry.size(registry)), { startImmediately: true })
      )
      yield* Deferred.succeed(gate, undefined)
      const errors = yield* Fiber.joinAll(asking)
      assert.strictEqual(new Set(errors).size, 1)
      assert.instanceOf(errors[0], RegistryError.PopulationError)
      assert.deepStrictEqual([errors[0]!.code, errors[0]!.cause, errors[0]!.registry], ["defaults", "disk", "items"])
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      assert.strictEqual(RegistrySnapshot.size(Registry.snapshotUnsafe(registry)), 0)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
      assert.strictEqual(runs, 2)
    }))

  it.effect("G2 a default that conflicts: completed hooks are rolled back, newest first", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const twin = new Item(1, "twin")
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: recording(log), defaults: [a, b, twin] })
      const error = yield* Effect.flip(Registry.populate(registry))
      assert.strictEqual(error.code, "registration")
      assert.instanceOf(error.cause, RegistryError.AlreadyRegisteredError)
      assert.deepStrictEqual(log, [
        "populating",
        "registering 1",
        "registered 1",
        "registering 2",
        "registered 2",
        "unregistered 2",
        "unregistered 1"
      ])
      assert.strictEqual(yield* Registry.state(registry), "Pending")
    }))

  it.effect("G2 a hook that dies, or interrupts itself: all waiters get a defect", () =>
    Effect.gen(function*() {
      for (const onPopulated of [Effect.die(new Error("boom")), Effect.interrupt]) {
        const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a], hooks: { onPopulated } })
        const exits = yield* Effect.all([Effect.exit(Registry.size(registry)), Effect.exit(Registry.size(registry))], {
          concurrency: "unbounded"
        })
        for (const exit of exits) assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
        assert.match(messageOf(exits[0]), /boom|interrupted from inside/)
        assert.strictEqual(yield* Registry.state(registry), "Pending")
      }
    }))

  it.effect("G2 a veto fails the population with the error of the hook as its cause", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [a],
        hooks: RegistryHooks.make<Item>()({ onItemRegistering: () => Effect.fail("no" as const) })
      })
      const error = yield* Effect.flip(Registry.size(registry))
      assert.deepStrictEqual([error.code, error.cause], ["registration", "no"])
    }))

  it.effect("G2 populationFailure \"die\" turns the failure into a defect", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.fail("disk"),
        populationFailure: "die"
      })
      const exit = yield* Effect.exit(Registry.size(registry))
      assert.match(messageOf(exit), /Could not populate/)
    }))

  it.effect("G2 a failure is not repeated though the clock stands still", () =>
    Effect.gen(function*() {
      let runs = 0
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => ++runs === 1 ? Effect.fail("disk") : Effect.succeed([a]))
      })
      yield* Effect.flip(Registry.size(registry))
      // the test clock stands still: a cached result with a time to live of zero would still be valid
      assert.strictEqual(yield* Registry.size(registry), 1)
      yield* Registry.reset(registry)
      assert.strictEqual(yield* Registry.size(registry), 1)
      assert.strictEqual(runs, 3)
    }))

  it.effect("G3 some waiters are interrupted: the others get the full set from the same run", () =>
    Effect.gen(function*() {
      let runs = 0
      const gate = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => {
          runs++
          return Effect.as(Deferred.await(gate), [a])
        })
      })
      const first = yield* Effect.forkChild(Registry.size(registry), { startImmediately: true })
      const second = yield* Effect.forkChild(Registry.size(registry), { startImmediately: true })
      yield* Fiber.interrupt(first)
      assert.strictEqual(yield* Registry.state(registry), "Populating")
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(second), 1)
      assert.strictEqual(runs, 1)
    }))

  it.effect("G3 waiting readers and writers keep the same run going", () =>
    Effect.gen(function*() {
      for (const others of [["read"], ["change"], ["change", "change"]] as const) {
        for (const first of ["read", "change"] as const) {
          let runs = 0
          const gate = yield* Deferred.make<void>()
          const registry = yield* Registry.make<Item>()({
            lookup: ["id"],
            defaults: Effect.suspend(() => {
              runs++
              return Effect.as(Deferred.await(gate), [a])
            })
          })
          const items = [b, c, d]
          const fibers = yield* Effect.forEach(
            [first, ...others],
            (use, i) =>
              Effect.forkChild(use === "read" ? Registry.populate(registry) : Registry.register(registry, items[i]!), {
                startImmediately: true
              })
          )
          yield* Fiber.interrupt(fibers[0]!)
          assert.strictEqual(yield* Registry.state(registry), "Populating")
          yield* Deferred.succeed(gate, undefined)
          yield* Fiber.joinAll(fibers.slice(1))
          assert.strictEqual(runs, 1)
          const changes = items.filter((_, i) => i > 0 && [first, ...others][i] === "change")
          assert.deepStrictEqual(yield* Registry.values(registry), [a, ...changes])
        }
      }
    }))

  it.effect("G3 all waiters are interrupted: the population is interrupted and rolled back, the next use starts afresh", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let block = true
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: RegistryHooks.combine(
          recording(log),
          RegistryHooks.make<Item>()({ onItemRegistered: (item) => block && item === b ? Effect.never : Effect.void })
        ),
        defaults: [a, b]
      })
      const asking = yield* Effect.forkChild(Registry.size(registry), { startImmediately: true })
      yield* Fiber.interrupt(asking)
      assert.deepStrictEqual(log.filter((line) => line.includes("registered")), [
        "registered 1",
        "registered 2",
        "unregistered 2",
        "unregistered 1"
      ])
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      block = false
      assert.strictEqual(yield* Registry.size(registry), 2)
    }))

  it.effect("G3 under schedules, waiters are interrupted anywhere: the remaining ones see the full set", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({
          lookup: ["id"],
          defaults: Effect.as(Effect.yieldNow, [a, b]),
          hooks: { onPopulating: Effect.yieldNow, onItemRegistered: () => Effect.yieldNow }
        })
        const waiters = yield* Effect.forEach(
          [1, 2, 3],
          () => Effect.forkChild(Registry.size(registry), { startImmediately: true })
        )
        yield* Effect.forkChild(Fiber.interrupt(waiters[0]!))
        yield* Effect.forkChild(Fiber.interrupt(waiters[1]!))
        assert.strictEqual(yield* Fiber.join(waiters[2]!), 2)
        yield* Registry.reset(registry)
        const alone = yield* Effect.forkChild(Registry.size(registry), { startImmediately: true })
        yield* Effect.yieldNow
        yield* Fiber.interrupt(alone)
        assert.strictEqual(yield* Registry.size(registry), 2)
      })),
      { seeds }
    ))

  it.effect("G4 it has the services of the layer that built the registry, not those of the first user", () =>
    Effect.gen(function*() {
      const names: Array<string> = []
      class Items extends Registry.Service<Items, Item>()("test/Items", {
        lookup: ["id"],
        defaults: Source.use(({ name }) =>
          Effect.sync(() => {
            names.push(name)
            return [a]
          })
        )
      }) {}
      const live = Items.layer.pipe(Layer.provide(Layer.succeed(Source, { name: "builder" })))
      yield* Items.size.pipe(
        Effect.provideService(Source, { name: "caller" }),
        Effect.provide(live)
      )
      assert.deepStrictEqual(names, ["builder"])
    }))

  it("G4 a long population lets other tasks run, though the registry was built by runSync", async () => {
    const scope = Scope.makeUnsafe()
    const registry = Effect.runSync(Effect.provideService(
      Registry.make<Item>()({ lookup: ["id"], defaults: Array.from({ length: 5_500 }, (_, id) => new Item(id)) }),
      Scope.Scope,
      scope
    ))
    let populating = true
    let turns = 0
    const others = () => {
      turns++
      if (populating) setImmediate(others)
    }
    setImmediate(others)
    await Effect.runPromise(Registry.populate(registry))
    populating = false
    assert.isAtLeast(turns, 5)
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  it.effect("G4 its resources live until a reset is published, not until the scope of the caller closes", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.as(
          Effect.acquireRelease(
            Effect.sync(() => log.push("acquired")),
            () =>
              Effect.sync(() => {
                log.push(`released, holding ${RegistrySnapshot.size(Registry.snapshotUnsafe(registry))}`)
              })
          ),
          [a]
        ),
        populationFailure: "die"
      })
      yield* Effect.scoped(Registry.populate(registry))
      assert.deepStrictEqual(log, ["acquired"])
      yield* Registry.reset(registry)
      assert.deepStrictEqual(log, ["acquired", "released, holding 0"])
    }))

  it.effect("G4 its resources are released when the attempt fails, and when a transaction around it fails", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let fail = true
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.acquireRelease(
          Effect.sync(() => log.push("acquired")),
          () => Effect.sync(() => log.push("released"))
        ).pipe(Effect.andThen(Effect.suspend(() => fail ? Effect.fail("disk") : Effect.succeed([a]))))
      })
      yield* Effect.flip(Registry.populate(registry))
      assert.deepStrictEqual(log, ["acquired", "released"])
      fail = false
      yield* Registry.populate(registry)
      yield* Effect.exit(Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.reset(registry)
          yield* Registry.populate(registry)
          return yield* Effect.fail("no")
        })
      ))
      assert.deepStrictEqual(log, ["acquired", "released", "acquired", "acquired", "released"])
      assert.strictEqual(yield* Registry.size(registry), 1)
    }))

  it.effect("G4 it does not see the draft of a transaction of its caller on another registry", () =>
    Effect.gen(function*() {
      const other = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a] })
      yield* Registry.populate(other)
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: Registry.values(other) })
      yield* Registry.transact(
        other,
        Effect.gen(function*() {
          yield* Registry.register(other, b)
          assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
        })
      )
    }))

  it.effect("G5 inside, the registry answers from the draft; populate and reset do nothing", () =>
    Effect.gen(function*() {
      const sizes: Array<number> = []
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() =>
          Effect.gen(function*() {
            yield* Registry.populate(registry)
            yield* Registry.reset(registry)
            yield* Registry.register(registry, c)
            sizes.push(yield* Registry.size(registry))
            assert.strictEqual(yield* Registry.state(registry), "Populating")
            const child = yield* Effect.forkChild(Registry.size(registry))
            sizes.push(yield* Fiber.join(child))
            return [a, b]
          })
        ),
        hooks: {
          onItemRegistered: () =>
            Effect.suspend(() => Effect.map(Effect.orDie(Registry.size(registry)), (size) => sizes.push(size)))
        },
        populationFailure: "die"
      })
      const outside = yield* Effect.forkChild(Registry.values(registry), { startImmediately: true })
      assert.deepStrictEqual([...(yield* Fiber.join(outside))], [c, a, b])
      assert.deepStrictEqual(sizes, [1, 1, 1, 2, 3])
    }))

  it.effect("G6 inside a transaction the state is that of its draft", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a] })
      const both = Effect.all([Registry.state(registry), Registry.detached(Registry.state(registry))])
      const states = yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          const before = yield* both
          yield* Registry.reset(registry)
          const reset = yield* both
          yield* Registry.populate(registry)
          return [before, reset, yield* both]
        })
      )
      assert.deepStrictEqual(states, [["Ready", "Ready"], ["Pending", "Ready"], ["Ready", "Ready"]])
    }))

  it.effect("G2 with populationFailure \"die\" every failure of a population is a defect", () =>
    Effect.gen(function*() {
      const defaults = Effect.fail("offline") as Effect.Effect<Array<Item>, string>
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults, populationFailure: "die" })
      for (
        const use of [
          Registry.size(registry),
          Registry.populate(registry),
          Effect.orDie(Registry.register(registry, a))
        ]
      ) {
        const exit = yield* Effect.exit(use)
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause) && !Cause.hasFails(exit.cause))
        assert.match(messageOf(exit), /its defaults failed\. "offline"/)
      }
    }))

  it.effect("G6 state never waits and never populates, and a Pending registry holds nothing", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: Effect.as(Deferred.await(gate), [a]) })
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      assert.isFalse(yield* Registry.populated(registry))
      const fiber = yield* Effect.forkChild(Registry.populate(registry), { startImmediately: true })
      assert.strictEqual(yield* Registry.state(registry), "Populating")
      assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(fiber)
      assert.strictEqual(yield* Registry.state(registry), "Ready")
      yield* Registry.reset(registry)
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [])
    }))

  it.effect("G17 a register that waits while another fiber resets populates again first", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const twin = new Item(1, "twin")
      let blocking = true
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [a],
        hooks: { onResetting: Effect.suspend(() => blocking ? Deferred.await(gate) : Effect.void) }
      })
      yield* Registry.populate(registry)
      const resetting = yield* Effect.forkChild(Registry.reset(registry), { startImmediately: true })
      const registering = yield* Effect.forkChild(Effect.flip(Registry.register(registry, twin)), {
        startImmediately: true
      })
      blocking = false
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(resetting)
      assert.strictEqual((yield* Fiber.join(registering)).code, "attribute_registered")
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
    }))

  it.effect("G17 under schedules, resets race registers and reads: each works on a Ready registry", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({
          lookup: ["id"],
          defaults: Effect.as(Effect.yieldNow, [a]),
          hooks: { onReset: Effect.yieldNow }
        })
        const read = Effect.map(Registry.values(registry), (items) => assert.include([...items], a))
        const write = Effect.map(
          Effect.exit(Registry.register(registry, new Item(1, "twin"))),
          (exit) => assert.isTrue(Exit.isFailure(exit))
        )
        yield* Effect.all([Registry.reset(registry), read, write, Registry.reset(registry), read, write], {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
      })),
      { seeds }
    ))

  it.effect("a stream of defaults is registered as it arrives, and published in one change", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Stream.make(a, b).pipe(Stream.rechunk(1))
      })
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, b])
      const failing = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Stream.concat(Stream.make(a), Stream.fail("disk" as const))
      })
      const error = yield* Effect.flip(Registry.size(failing))
      assert.deepStrictEqual([error.code, error.cause], ["defaults", "disk"])
    }))

  it.effect("a hundred thousand defaults are populated in several turns, and can be interrupted", () =>
    Effect.gen(function*() {
      const items = Array.from({ length: 100_000 }, (_, id) => new Item(id))
      const registry = yield* Registry.make<Item>()({ lookup: ["id", "name"], defaults: items })
      const fiber = yield* Effect.forkChild(Registry.size(registry), { startImmediately: true })
      assert.isUndefined(fiber.pollUnsafe())
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      assert.strictEqual(yield* Registry.size(registry), 100_000)
    }))

  it.effect("a registry whose scope has closed says so to its users", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const registry = yield* Scope.provide(Registry.make<Item>()({ lookup: ["id"], defaults: [a] }), scope)
      yield* Registry.populate(registry)
      yield* Scope.close(scope, Exit.void)
      for (const operation of [Registry.size(registry), Registry.register(registry, b), Registry.reset(registry)]) {
        const exit = yield* Effect.exit(operation)
        assert.match(messageOf(exit), /^The registry "registry" is closed: /)
      }
    }))
})
