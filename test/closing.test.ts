import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Latch, Layer, Scope, Stream } from "effect"
import { Registry, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { isLocked, isPopulating, keptChanges } from "./utils/inside.ts"
import { a, b, Balance, c, d, Item, recording } from "./utils/items.ts"
import { watchers } from "./utils/watchers.ts"

const lookup = ["id"] as const

type Items = Registry.Registry<Item, typeof lookup>

/** A registry in a scope of its own. */
const makeIn = (
  scope: Scope.Scope,
  hooks: RegistryHooks.RegistryHooks<Item> = RegistryHooks.empty
): Effect.Effect<Items> =>
  Registry.make<Item>()({ name: "items", lookup, hooks, defaults: [a], populationFailure: "die" }).pipe(
    Scope.provide(scope)
  )

const close = (scope: Scope.Closeable) => Scope.close(scope, Exit.void)

const isInterrupted = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)

/** Whether it was told that a registry of a name is closed. */
const isTold = (exit: Exit.Exit<unknown, unknown>, name = "items"): boolean =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.every((reason) =>
    reason._tag === "Die" && reason.defect instanceof Error &&
    reason.defect.message === `The registry "${name}" is closed: the scope that it was made in has ended. ` +
        "Use it before that, or make it in a scope that lives as long as its users."
  )

/** What is left in a registry: locks, populations, subscribers, waiting fibers, changes and items. */
const left = (registry: Items) => ({
  changes: keptChanges(registry).length,
  held: isLocked(registry),
  populating: isPopulating(registry),
  size: RegistrySnapshot.size(Registry.snapshotUnsafe(registry)),
  ...watchers(registry)
})

const nothing = { changes: 0, held: false, populating: false, size: 0, subscribers: 0, waiting: 0 }

/** Every operation of a registry. */
const operations: Readonly<Record<string, (registry: Items) => Effect.Effect<unknown, unknown, Scope.Scope>>> = {
  get: (registry) => Registry.get(registry, "id", 1),
  getOption: (registry) => Registry.getOption(registry, "id", 1),
  getAll: (registry) => Registry.getAll(registry, "id", 1),
  has: (registry) => Registry.has(registry, "id", 1),
  contains: (registry) => Registry.contains(registry, a),
  size: (registry) => Registry.size(registry),
  values: (registry) => Registry.values(registry),
  at: (registry) => Registry.at(registry, 0),
  snapshot: (registry) => Registry.snapshot(registry),
  register: (registry) => Registry.register(registry, b),
  registerAll: (registry) => Registry.registerAll(registry, [b, c]),
  registerScoped: (registry) => Registry.registerScoped(registry, b),
  registerAllScoped: (registry) => Registry.registerAllScoped(registry, [b, c]),
  upsert: (registry) => Registry.upsert(registry, b),
  unregister: (registry) => Registry.unregister(registry, a),
  unregisterBy: (registry) => Registry.unregisterBy(registry, "id", 1),
  replace: (registry) => Registry.replace(registry, "id", 1, b),
  reconcile: (registry) => Registry.reconcile(registry, [b]),
  override: (registry) => Registry.override(registry, new Item(1, "over")),
  unregisterOwner: (registry) => Registry.unregisterOwner(registry, "plugin"),
  transact: (registry) => Registry.transact(registry, Effect.die("it ran")),
  transactAll: (registry) => Registry.transactAll([registry], Effect.die("it ran")),
  populate: (registry) => Registry.populate(registry),
  reset: (registry) => Registry.reset(registry),
  subscribe: (registry) => Registry.subscribe(registry),
  awaitItem: (registry) => Registry.awaitItem(registry, "id", 99),
  addHooks: (registry) => Registry.addHooks(registry, { onPopulated: Effect.die("it was called") }),
  "addHooks with existing": (registry) =>
    Registry.addHooks(registry, { onItemRegistered: () => Effect.die("it was called") }, { existing: true }),
  "hooks as a layer": (registry) => Layer.build(RegistryHooks.layer(registry, { onPopulated: Effect.void })),
  snapshots: (registry) => Stream.runHead(Registry.snapshots(registry)),
  watchItem: (registry) => Stream.runHead(Registry.watchItem(registry, "id", 1))
}

describe("closing", () => {
  for (const [name, operation] of Object.entries(operations)) {
    it.effect(`G26 afterwards ${name} dies with a message that names the registry, populated or not`, () =>
      Effect.gen(function*() {
        for (const populated of [true, false]) {
          const scope = yield* Scope.make()
          const registry = yield* makeIn(scope)
          if (populated) yield* Registry.populate(registry)
          yield* close(scope)
          const exit = yield* Effect.exit(Effect.scoped(operation(registry)))
          assert.isTrue(isTold(exit), String(exit))
          assert.deepStrictEqual(left(registry), nothing)
          // it has not even tried to populate
          assert.deepStrictEqual(yield* Registry.explain(registry, "id", 1), Registry.Explanation.Pending())
        }
      }))
  }

  it.effect("G26 a use while a transaction of it is still open dies with the message, too, and does not wait for it", () =>
    Effect.gen(function*() {
      for (const [name, operation] of Object.entries(operations)) {
        const gate = yield* Latch.make()
        const scope = yield* Scope.make()
        const registry = yield* makeIn(scope)
        const open = yield* Effect.forkChild(Registry.transact(registry, gate.await), { startImmediately: true })
        yield* close(scope)
        assert.isTrue(isTold(yield* Effect.exit(Effect.scoped(operation(registry)))), name)
        const detached = yield* Effect.exit(Registry.detached(Effect.scoped(operation(registry))))
        assert.isTrue(isTold(detached), name)
        yield* gate.open
        assert.isTrue(isInterrupted(yield* Fiber.await(open)))
      }
    }))

  it.effect("G26 a use of several registries dies with the message of the one that is closed", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const registry = yield* makeIn(scope)
      const other = yield* Registry.make<Item>()({ name: "other", lookup })
      yield* close(scope)
      const exit = yield* Effect.exit(Registry.transactAll([other, registry], Effect.die("it ran")))
      assert.isTrue(isTold(exit), String(exit))
      assert.isTrue(isTold(yield* Effect.exit(Registry.transact(other, Registry.size(registry)))))
      assert.isFalse(isLocked(other))
    }))

  it.effect("G26 it is a defect: others are not interrupted, and it can be caught as one", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const registry = yield* makeIn(scope)
      yield* close(scope)
      const caught = Effect.catchDefect(Registry.get(registry, "id", 1), () => Effect.succeed("caught"))
      const both = yield* Effect.all([caught, Effect.as(Effect.yieldNow, "another")], { concurrency: 2 })
      assert.deepStrictEqual(both, ["caught", "another"])
    }))

  it.effect("G26 afterwards state, explain and snapshotUnsafe answer as for an empty registry, and streams end", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const registry = yield* makeIn(scope)
      const { changes } = yield* Registry.subscribe(registry)
      yield* Registry.register(registry, b)
      yield* close(scope)
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 1), Registry.Explanation.Pending())
      assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [])
      assert.deepStrictEqual(yield* Stream.runCollect(changes), [])
      assert.deepStrictEqual(yield* Stream.runCollect(Registry.changes(registry)), [])
      // closing a second time does nothing
      yield* close(scope)
    }))

  it.effect("G26 calls no hook and takes no lock: it ends while a transaction is open", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const gate = yield* Latch.make()
      const scope = yield* Scope.make()
      const registry = yield* makeIn(scope, recording(log))
      yield* Registry.register(registry, b)
      const open = yield* Effect.forkChild(Registry.transact(registry, gate.await), { startImmediately: true })
      log.length = 0
      yield* close(scope)
      assert.isUndefined(open.pollUnsafe())
      yield* gate.open
      assert.isTrue(isInterrupted(yield* Fiber.await(open)))
      assert.deepStrictEqual(log, [])
      assert.deepStrictEqual(left(registry), nothing)
    }))

  it.effect("G26 an open transaction goes on with its draft, cannot publish, and is rolled back through its hooks", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const gate = yield* Latch.make()
      const home = yield* Scope.make()
      const registry = yield* makeIn(home, balance.hooks)
      yield* Registry.populate(registry)
      const open = yield* Effect.forkChild(
        Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.register(registry, b)
            yield* gate.await
            return (yield* Registry.values(registry)).length
          })
        ),
        { startImmediately: true }
      )
      yield* Effect.yieldNow
      yield* close(home)
      yield* gate.open
      assert.isTrue(isInterrupted(yield* Fiber.await(open)))
      assert.deepStrictEqual(left(registry), nothing)
      assert.deepStrictEqual(balance.wrong([a]), [])
    }))

  it.effect("G26 the draft of an open transaction can be read, also when another fiber had waited for the lock", () =>
    Effect.gen(function*() {
      const gate = yield* Latch.make()
      const home = yield* Scope.make()
      const registry = yield* makeIn(home)
      const open = yield* Effect.forkChild(
        Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.register(registry, b)
            yield* gate.await
            return yield* Registry.size(registry)
          }).pipe(Effect.flatMap((size) => Effect.fail(`size ${size}`)))
        ),
        { startImmediately: true }
      )
      const waiting = yield* Effect.forkChild(Registry.register(registry, c), { startImmediately: true })
      yield* close(home)
      assert.isTrue(isInterrupted(yield* Fiber.await(waiting)))
      yield* gate.open
      const exit = yield* Fiber.await(open)
      assert.strictEqual(Exit.isFailure(exit) && Cause.squash(exit.cause), "size 2")
    }))

  it.effect("G26 in an open transaction no operation begins any more, but its draft can be read", () =>
    Effect.gen(function*() {
      const gate = yield* Latch.make()
      const home = yield* Scope.make()
      const registry = yield* makeIn(home)
      const open = yield* Effect.forkChild(
        Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.register(registry, b)
            yield* gate.await
            assert.strictEqual(yield* Registry.size(registry), 2)
            const begun = [
              Registry.register(registry, c),
              Registry.transact(registry, Effect.die("it ran")),
              Registry.transactAll([registry], Effect.die("it ran")),
              Registry.reconcile(registry, []),
              Registry.reset(registry)
            ]
            for (const effect of begun) {
              assert.isTrue(isInterrupted(yield* Effect.exit(effect as Effect.Effect<unknown, unknown>)))
            }
            return yield* Effect.fail("it went on")
          })
        ),
        { startImmediately: true }
      )
      yield* close(home)
      yield* gate.open
      const exit = yield* Fiber.await(open)
      assert.strictEqual(Exit.isFailure(exit) && Cause.squash(exit.cause), "it went on")
    }))

  it.effect("G26 waiting fibers are interrupted: for the lock, an item, a population, several registries", () =>
    Effect.gen(function*() {
      const gate = yield* Latch.make()
      const other = yield* Registry.make<Item>()({ lookup })
      for (const holds of [true, false]) {
        const scope = yield* Scope.make()
        const registry: Items = yield* Registry.make<Item>()({
          lookup,
          populationFailure: "die",
          defaults: holds ? Effect.succeed([a]) : Effect.never
        }).pipe(Scope.provide(scope))
        const open = holds
          ? yield* Effect.forkChild(
            Effect.andThen(Registry.populate(registry), Registry.transact(registry, gate.await)),
            {
              startImmediately: true
            }
          )
          : undefined
        const waiting = yield* Effect.forEach(
          [
            Registry.register(registry, b),
            Registry.transact(registry, Effect.void),
            Registry.reconcile(registry, [b]),
            Registry.override(registry, b),
            Registry.reset(registry),
            Registry.awaitItem(registry, "id", 9),
            Registry.transactAll([other, registry], Effect.void),
            Registry.transact(other, Registry.register(registry, c))
          ],
          (effect) =>
            Effect.forkChild(effect as Effect.Effect<unknown, unknown, Scope.Scope>, { startImmediately: true })
        )
        yield* close(scope)
        for (const [index, fiber] of waiting.entries()) {
          const exit = yield* Fiber.await(fiber)
          // a Pending registry has nothing to reset
          // the last one waited for another registry, and uses this one only then
          const isFine = isInterrupted(exit) || index === 4 && !holds ||
            index === 7 && holds && isTold(exit, "registry")
          assert.isTrue(isFine, `${index}: ${String(exit)}`)
        }
        yield* gate.open
        if (open !== undefined) assert.isTrue(isInterrupted(yield* Fiber.await(open)))
        assert.deepStrictEqual(left(registry), nothing)
        yield* gate.close
      }
      yield* Registry.register(other, d)
      assert.deepStrictEqual([...(yield* Registry.values(other))], [d])
    }))

  it.effect("G26 a fiber that waited for a population is interrupted if another, which waited too, closes the registry", () =>
    Effect.gen(function*() {
      const gate = yield* Latch.make()
      const scope = yield* Scope.make()
      const registry = yield* Registry.make<Item>()({ lookup, defaults: Effect.as(gate.await, [a]) }).pipe(
        Scope.provide(scope)
      )
      const first = yield* Effect.forkChild(Effect.andThen(Registry.populate(registry), close(scope)), {
        startImmediately: true
      })
      const second = yield* Effect.forkChild(Registry.size(registry), { startImmediately: true })
      yield* gate.open
      yield* Fiber.join(first)
      assert.isTrue(isInterrupted(yield* Fiber.await(second)))
    }))

  it.effect("G26 a transaction of several that waits for one of them is interrupted when another one closes", () =>
    Effect.gen(function*() {
      const gate = yield* Latch.make()
      const scope = yield* Scope.make()
      const other = yield* Registry.make<Item>()({ lookup })
      const registry = yield* makeIn(scope)
      yield* Registry.populate(registry)
      const open = yield* Effect.forkChild(Registry.transact(other, gate.await), { startImmediately: true })
      const waiting = yield* Effect.forkChild(Registry.transactAll([other, registry], Effect.die("it ran")), {
        startImmediately: true
      })
      yield* close(scope)
      yield* gate.open
      yield* Fiber.join(open)
      assert.isTrue(isInterrupted(yield* Fiber.await(waiting)))
    }))

  it.effect("G26 the streams of subscribers end, whether they wait, run or stand still", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const registry = yield* makeIn(scope)
      const gate = yield* Deferred.make<void>()
      const waiting = yield* Effect.forkChild(
        Stream.runCollect((yield* Registry.subscribe(registry)).changes),
        { startImmediately: true }
      )
      const running = yield* Effect.forkChild(Stream.runCollect(Registry.changes(registry)), { startImmediately: true })
      const still = yield* Effect.forkChild(
        Stream.runForEach((yield* Registry.subscribe(registry)).changes, () => Deferred.await(gate)),
        { startImmediately: true }
      )
      yield* Registry.register(registry, b)
      yield* Effect.yieldNow
      yield* close(scope)
      assert.strictEqual((yield* Fiber.join(waiting)).length, 1)
      assert.strictEqual((yield* Fiber.join(running)).length, 1)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(still)
      assert.strictEqual(left(registry).waiting, 0)
    }))

  it.effect("G26 finalizers of other scopes do nothing afterwards: registrations, overrides, hooks, subscriptions", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const home = yield* Scope.make()
      const other = yield* Scope.make()
      const registry = yield* makeIn(home)
      yield* Effect.gen(function*() {
        yield* Registry.addHooks(registry, recording(log))
        yield* Registry.addHooks(registry, recording(log), { existing: true })
        yield* Registry.registerScoped(registry, b)
        yield* Registry.override(registry, new Item(1, "over"))
        yield* Registry.subscribe(registry)
      }).pipe(Scope.provide(other))
      log.length = 0
      yield* close(home)
      const exit = yield* Effect.exit(close(other))
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assert.deepStrictEqual(log, [])
      assert.deepStrictEqual(left(registry), nothing)
    }))

  it.effect("the resources of the population are released, and its scoped items call no hook", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const scope = yield* Scope.make()
      const registry: Items = yield* Registry.make<Item>()({
        lookup,
        populationFailure: "die",
        hooks: recording(log),
        defaults: Effect.gen(function*() {
          yield* Effect.addFinalizer(() => Effect.sync(() => log.push("released")))
          yield* Registry.override(registry, new Item(7))
          return [a]
        }).pipe(Effect.orDie)
      }).pipe(Scope.provide(scope))
      yield* Registry.populate(registry)
      log.length = 0
      yield* close(scope)
      assert.deepStrictEqual(log, ["released"])
    }))

  for (const [name, operation] of Object.entries(operations)) {
    if (/^(?:awaitItem|transact|addHooks|hooks|snapshots|watchItem)/.test(name)) continue
    it.effect(`G26 while ${name} runs, under schedules: it ends, or is interrupted, and nothing is left`, () =>
      RegistryTest.interleave(
        Effect.gen(function*() {
          const balance = new Balance()
          const home = yield* Scope.make()
          const other = yield* Scope.make()
          const registry = yield* makeIn(home, balance.hooks)
          const running = yield* Effect.forkChild(operation(registry).pipe(Scope.provide(other)))
          const another = yield* Effect.forkChild(Effect.scoped(Registry.registerScoped(registry, d)))
          yield* Effect.yieldNow
          yield* close(home)
          for (const fiber of [running, another]) {
            const exit = yield* Fiber.await(fiber)
            // it may begin when the registry has been closed
            assert.isTrue(Exit.isSuccess(exit) || isInterrupted(exit) || isTold(exit), String(exit))
          }
          yield* close(other)
          assert.deepStrictEqual(left(registry), nothing)
          assert.isTrue(isTold(yield* Effect.exit(Registry.size(registry))))
        }),
        { seeds: 60 }
      ))
  }

  it.effect("G26 while fibers wait for an item, follow changes and write, under schedules", () =>
    RegistryTest.interleave(
      Effect.gen(function*() {
        const home = yield* Scope.make()
        const registry = yield* makeIn(home)
        const fibers = yield* Effect.forEach([
          Registry.awaitItem(registry, "id", 2),
          Registry.awaitItem(registry, "id", 9),
          Effect.scoped(Effect.flatMap(Registry.subscribe(registry), ({ changes }) => Stream.runDrain(changes))),
          Stream.runDrain(Registry.changes(registry)),
          Registry.register(registry, b),
          Registry.transact(
            registry,
            Effect.andThen(Registry.register(registry, c), Registry.awaitItem(registry, "id", 3))
          )
        ], (effect) => Effect.forkChild(effect as Effect.Effect<unknown, unknown>))
        yield* close(home)
        for (const fiber of fibers) {
          const exit = yield* Fiber.await(fiber)
          assert.isTrue(Exit.isSuccess(exit) || isInterrupted(exit) || isTold(exit), String(exit))
        }
        assert.deepStrictEqual(left(registry), nothing)
      }),
      { seeds: 400 }
    ))
})
