import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Option, Scheduler, Scope, Stream } from "effect"
import { Lookup, Registry, RegistryError, type RegistryEvent, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { Follower } from "./utils/following.ts"
import { isLocked, keptChanges } from "./utils/inside.ts"
import { a, b, Balance, c, d, defectOf, Item, messageOf } from "./utils/items.ts"
import { nobody, watchers } from "./utils/watchers.ts"

const lookup = ["id", "name"] as const

type Items = Registry.Registry<Item, typeof lookup>

const make = Registry.make<Item>()({ name: "items", lookup })

const keysOf = ({ id, name }: Item) => ({ id: [id], name: [name] })

const ids = (list: Iterable<Item>) => Array.from(list, ({ id }) => id).join()

const tags = ({ events }: RegistryEvent.RegistryChange<unknown>) => events.map(({ _tag }) => _tag).join()

const bySteps = (item: Item) => Effect.andThen(Effect.yieldNow, Effect.void.pipe(Effect.as(item)))

/** Hooks that yield. */
const yielding = RegistryHooks.make<Item>()({ onItemRegistering: bySteps, onItemUnregistered: bySteps })

/** The state of a subscriber that applies each change, until a revision. */
const followUntil = (
  { changes, snapshot }: Registry.Subscription<Item, typeof lookup>,
  revision: () => number,
  each: (follower: Follower<Item>) => void = () => {}
) => {
  const follower = new Follower(snapshot, RegistrySnapshot.revision(snapshot), keysOf)
  return changes.pipe(
    Stream.takeUntil((change) => change.revision === revision()),
    Stream.runForEach((change) =>
      Effect.sync(() => {
        follower.apply(change)
        each(follower)
      })
    ),
    Effect.when(Effect.sync(() => follower.revision !== revision())),
    Effect.as(follower)
  )
}

/** Every way in which items are registered and removed, one after the other. */
const everyWay = (registry: Items) =>
  Effect.gen(function*() {
    yield* Registry.register(registry, c)
    yield* Registry.registerAll(registry, [d, new Item(5)])
    yield* Registry.upsert(registry, new Item(5, "five"))
    yield* Registry.upsert(registry, new Item(6))
    yield* Registry.replace(registry, "id", 3, new Item(3, "three"))
    yield* Registry.unregisterBy(registry, "id", 4)
    yield* Registry.unregister(registry, a)
    yield* Effect.scoped(Registry.registerScoped(registry, a))
    yield* Effect.scoped(Registry.registerAllScoped(registry, [a, new Item(7)]))
    yield* Effect.scoped(Registry.override(registry, new Item(5, "item 6")))
    yield* Registry.reconcile(registry, [b, new Item(5, "item 6"), new Item(8)])
    yield* Registry.register(registry, new Item(9)).pipe(Effect.provideService(Registry.Owner, "plugin"))
    yield* Registry.unregisterOwner(registry, "plugin")
    yield* Registry.transact(registry, Effect.andThen(Registry.register(registry, c), Registry.unregister(registry, c)))
    yield* Registry.transactAll([registry], Registry.register(registry, c))
    yield* Registry.reset(registry)
    yield* Registry.populate(registry)
  }).pipe(Effect.orDie)

/** Follows a registry, and closes the scope of the subscription or of the registry. */
const followedUntilClosed = (closes: "subscription" | "registry") =>
  Effect.gen(function*() {
    const scopes = { registry: yield* Scope.make(), subscription: yield* Scope.make() }
    const registry = yield* Registry.make<Item>()({ lookup, defaults: [a] }).pipe(Scope.provide(scopes.registry))
    const changes = closes === "registry"
      // never populated: closing it does not change its contents
      ? Registry.changes(registry)
      : (yield* Registry.subscribe(registry).pipe(Scope.provide(scopes.subscription))).changes
    const following = yield* Effect.forkChild(Stream.runDrain(changes))
    yield* Effect.yieldNow
    yield* Scope.close(scopes[closes], Exit.void)
    yield* Fiber.join(following)
  })

describe("awaitItem", () => {
  it.effect("returns at once an item that is there", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a] })
      assert.strictEqual(yield* Registry.awaitItem(registry, "id", 1), a)
      assert.strictEqual(yield* registry.pipe(Registry.awaitItem("name", "item 1")), a)
      assert.deepStrictEqual(watchers(registry), nobody)
    }))

  it.effect("dies for an attribute that is not a unique lookup", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({
        lookup: { id: Lookup.unique((item: Item) => item.id), name: Lookup.group((item: Item) => item.name) },
        defaults: [a]
      })
      const exit = yield* Effect.exit(Registry.awaitItem(registry, "name" as "id", "item 1" as never))
      assert.deepInclude(defectOf(exit) as object, {
        code: "invalid_attribute",
        attribute: "name",
        suggestions: ["id"]
      })
    }))

  it.effect("G16 no false alarm: a fiber that outlives its transaction waits outside, or gets a published item, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* make
        yield* Registry.registerAll(registry, [a, b])
        const forked: Array<Fiber.Fiber<Item>> = []
        const late = (id: number) => Effect.forkDetach(Registry.awaitItem(registry, "id", id))
        yield* Effect.ignore(Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.unregister(registry, a)
            forked.push(yield* late(1), yield* late(2))
            return yield* Effect.fail("no")
          })
        ))
        const found = yield* Effect.forEach(forked, (fiber) => Fiber.await(fiber))
        for (const [index, exit] of found.entries()) {
          if (Exit.isSuccess(exit)) assert.strictEqual(exit.value, [a, b][index])
          // it read while the transaction was open
          else assert.match(messageOf(exit), /^Deadlock/)
        }
      })),
      { seeds: 300 }
    ))

  it.effect("waits for an item that is registered, replaced, reconciled, restored or populated", () =>
    Effect.gen(function*() {
      const ways: ReadonlyArray<(registry: Items) => Effect.Effect<unknown, unknown, Scope.Scope>> = [
        (registry) => Registry.register(registry, b),
        (registry) => Registry.replace(registry, "id", 1, b),
        (registry) => Registry.reconcile(registry, [b]),
        (registry) => Registry.transact(registry, Registry.register(registry, b)),
        (registry) => Registry.override(registry, b),
        (registry) => Registry.transactAll([registry], Registry.registerAll(registry, [c, b]))
      ]
      for (const way of ways) {
        const registry = yield* make
        yield* Registry.register(registry, a)
        const waiting = yield* Effect.forkChild(Registry.awaitItem(registry, "id", 2), { startImmediately: true })
        yield* Registry.register(registry, d)
        assert.isUndefined(waiting.pollUnsafe())
        yield* way(registry)
        assert.strictEqual(yield* Fiber.join(waiting), b)
        assert.deepStrictEqual(watchers(registry), nobody)
      }
      const registry = yield* make
      yield* Registry.register(registry, b)
      const scope = yield* Scope.make()
      yield* Registry.override(registry, new Item(3, "item 2")).pipe(Scope.provide(scope))
      const waiting = yield* Effect.forkChild(Registry.awaitItem(registry, "id", 2), { startImmediately: true })
      assert.isUndefined(waiting.pollUnsafe())
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Fiber.join(waiting), b)
    }))

  it.effect("waits again if the item is gone when it wakes, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({ lookup, hooks: yielding })
        const waiting = yield* Effect.forkChild(Registry.awaitItem(registry, "id", 1))
        yield* Registry.register(registry, a)
        yield* Registry.unregister(registry, a)
        yield* Effect.yieldNow
        yield* Registry.register(registry, new Item(1, "again"))
        const found = yield* Fiber.join(waiting)
        assert.include(["item 1", "again"], found.name)
        assert.deepStrictEqual(watchers(registry), nobody)
      })),
      { seeds: 300 }
    ))

  it.effect("never misses an item, in any schedule of several waiters and writers", () =>
    Effect.gen(function*() {
      const program = Effect.scoped(Effect.gen(function*() {
        const registry = yield* make
        const found = yield* Effect.all([
          Registry.awaitItem(registry, "id", 1),
          Registry.awaitItem(registry, "name", "item 2"),
          Effect.as(Registry.register(registry, a), a),
          Effect.as(Registry.register(registry, b), b)
        ], { concurrency: "unbounded" })
        assert.deepStrictEqual(found, [a, b, a, b])
      }))
      yield* RegistryTest.interleave(program, { strategy: "exhaustive", limit: 1_500 })
      yield* RegistryTest.interleave(program, { seeds: 300 })
    }))

  it.effect("populates again after a reset while it waits, and goes on", () =>
    Effect.gen(function*() {
      let populations = 0
      const registry = yield* Registry.make<Item>()({
        lookup,
        defaults: Effect.sync(() => ++populations === 1 ? [a] : [a, b])
      })
      const waiting = yield* Effect.forkChild(Registry.awaitItem(registry, "id", 2), { startImmediately: true })
      yield* Registry.populate(registry)
      assert.strictEqual(populations, 1)
      yield* Registry.reset(registry)
      assert.strictEqual(yield* Fiber.join(waiting), b)
      assert.strictEqual(populations, 2)
    }))

  it.effect("fails with the error of the population", () =>
    Effect.gen(function*() {
      let populations = 0
      const registry = yield* Registry.make<Item>()({
        lookup,
        defaults: Effect.suspend(() => ++populations === 1 ? Effect.succeed([a]) : Effect.fail("offline"))
      })
      yield* Registry.populate(registry)
      const waiting = yield* Effect.forkChild(Effect.flip(Registry.awaitItem(registry, "id", 2)), {
        startImmediately: true
      })
      yield* Registry.reset(registry)
      assert.strictEqual((yield* Fiber.join(waiting)).cause, "offline")
    }))

  it.effect("interrupted at any step it leaves nothing behind", () =>
    Effect.gen(function*() {
      const interrupted = yield* RegistryTest.interruptEach({
        setup: make,
        run: (registry) =>
          Effect.all([
            Registry.awaitItem(registry, "id", 1),
            Effect.andThen(Effect.yieldNow, Registry.register(registry, b)),
            Effect.andThen(Effect.yieldNow, Registry.register(registry, a))
          ], { concurrency: "unbounded" }),
        check: (registry) => Effect.sync(() => assert.deepStrictEqual(watchers(registry), nobody))
      })
      assert.isAbove(interrupted, 5)
    }))

  it.effect("inside a transaction, its children, hooks, a population or transactAll it answers from the draft, or dies", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({
        name: "items",
        lookup,
        hooks: {
          onItemRegistered: (item) => item === d ? Registry.awaitItem(registry, "id", 99) : Effect.void
        }
      })
      const inside = Effect.andThen(Registry.register(registry, a), Registry.awaitItem(registry, "id", 1))
      assert.strictEqual(yield* Registry.transact(registry, inside), a)
      const waiting = Registry.awaitItem(registry, "id", 99)
      for (
        const effect of [
          Registry.transact(registry, waiting),
          Registry.transactAll([registry], waiting),
          Registry.transact(registry, Effect.all([waiting, Effect.yieldNow], { concurrency: "unbounded" })),
          Registry.transact(registry, Effect.flatMap(Effect.forkChild(waiting), Fiber.join)),
          Registry.register(registry, d)
        ]
      ) {
        const exit = yield* Effect.exit(effect)
        assert.instanceOf(defectOf(exit), RegistryError.DeadlockError)
        assert.match(
          messageOf(exit),
          /^Deadlock: "awaitItem" of "items" waits for "\w+" of "items", which waits for the first/
        )
      }
      const populating: Items = yield* Registry.make<Item>()({
        lookup,
        defaults: Effect.suspend(() => Effect.as(Registry.awaitItem(populating, "id", 1), [a])),
        populationFailure: "die"
      })
      assert.match(messageOf(yield* Effect.exit(Registry.size(populating))), /^Deadlock: "awaitItem".*"populate"/)
      assert.deepStrictEqual([watchers(registry), watchers(populating)], [nobody, nobody])
      // detached waits outside
      const late = yield* Registry.transact(
        registry,
        Effect.forkChild(Registry.detached(Registry.awaitItem(registry, "id", 2)), { startImmediately: true })
      )
      yield* Registry.register(registry, b)
      assert.strictEqual(yield* Fiber.join(late), b)
    }))

  it("a write by runSync wakes a fiber that waits, also one run as a promise", async () => {
    const scope = Scope.makeUnsafe()
    const registry = Effect.runSync(make.pipe(Scope.provide(scope)))
    const waiting = Effect.runPromise(Registry.awaitItem(registry, "id", 1))
    const following = Effect.runPromise(Stream.runHead(Registry.changes(registry)))
    await Promise.resolve()
    Effect.runSync(Registry.register(registry, b))
    Effect.runSync(Registry.register(registry, a))
    assert.strictEqual(await waiting, a)
    assert.isTrue(Option.isSome(await following))
    Effect.runSync(Scope.close(scope, Exit.void))
  })

  it.effect("dies for an unknown attribute, and does not wait", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const exit = yield* Effect.exit(Registry.awaitItem(registry, "nmae" as "name", "x"))
      assert.strictEqual((defectOf(exit) as RegistryError.ItemLookupError).code, "invalid_attribute")
    }))
})

describe("subscribe", () => {
  it.effect("G22 gives the snapshot and exactly the changes after it, for every kind of change, at every revision, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const balance = new Balance()
        const registry = yield* Registry.make<Item>()({
          lookup,
          defaults: [a, b],
          populationFailure: "die",
          hooks: RegistryHooks.combine(balance.hooks, yielding)
        })
        const published = new Map<number, string>()
        let last = Number.POSITIVE_INFINITY
        const look = () => {
          const now = Registry.snapshotUnsafe(registry)
          published.set(RegistrySnapshot.revision(now), ids(now))
        }
        // a change is delivered after it is published
        const watch = Effect.scoped(
          Effect.flatMap(
            Registry.subscribe(registry),
            (subscription) =>
              followUntil(subscription, () => last, (follower) => {
                look()
                assert.isAtLeast(RegistrySnapshot.revision(Registry.snapshotUnsafe(registry)), follower.revision)
                const then = published.get(follower.revision)
                if (then !== undefined) {
                  assert.strictEqual(ids(follower.list), then)
                }
                assert.deepStrictEqual(follower.lost, [])
              })
          )
        )
        const watching = yield* Effect.forkChild(Effect.all([watch, watch], { concurrency: "unbounded" }))
        yield* everyWay(registry)
        look()
        last = RegistrySnapshot.revision(Registry.snapshotUnsafe(registry)) + 1
        yield* Registry.register(registry, d)
        const followers = yield* Fiber.join(watching)
        for (const follower of followers) {
          assert.strictEqual(ids(follower.list), ids(yield* Registry.values(registry)))
        }
        assert.deepStrictEqual(balance.wrong(yield* Registry.values(registry)), [])
        assert.deepStrictEqual(watchers(registry), nobody)
      })),
      { seeds: 150 }
    ))

  it.effect("G24 every kind of change makes events, which tell it completely", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a, b], populationFailure: "die" })
      const { changes, snapshot } = yield* Registry.subscribe(registry, { since: 0 })
      const first = RegistrySnapshot.revision(snapshot)
      yield* everyWay(registry)
      const last = RegistrySnapshot.revision(yield* Registry.snapshot(registry))
      const all = yield* Stream.runCollect(Stream.take(changes, last))
      assert.deepStrictEqual(all.map(({ revision }) => revision), Array.from({ length: last }, (_, i) => i + 1))
      assert.deepStrictEqual(all.map(tags), [
        "Registered,Registered,Populated",
        "Registered",
        "Registered,Registered",
        "Replaced",
        "Registered",
        "Replaced",
        "Unregistered",
        "Unregistered",
        "Registered",
        "Unregistered",
        "Registered,Registered",
        "Unregistered,Unregistered",
        "Unregistered,Unregistered,Registered",
        "Unregistered,Registered,Registered",
        "Unregistered,Unregistered,Replaced,Registered",
        "Registered",
        "Unregistered",
        "Registered,Unregistered",
        "Registered",
        "Unregistered,Unregistered,Unregistered,Unregistered,Reset",
        "Registered,Registered,Populated"
      ])
      const follower = new Follower<Item>([], 0, keysOf)
      for (const change of all) follower.apply(change)
      assert.deepStrictEqual(follower.list, [...(yield* Registry.values(registry))])
      assert.isAtLeast(last, first)
    }))

  it.effect("PITFALL 35 the subscription begins when subscribe returns, not at the first pull", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const { changes, snapshot } = yield* Registry.subscribe(registry)
      yield* Registry.register(registry, a)
      yield* Registry.unregister(registry, a)
      yield* Registry.register(registry, b)
      const seen = yield* Stream.runCollect(Stream.take(changes, 3))
      assert.deepStrictEqual(seen.map(tags), ["Registered", "Unregistered", "Registered"])
      assert.strictEqual(ids(snapshot), "")
      // each run begins after the same revision
      assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(changes, 3)), seen)
    }))

  it.effect("since: the changes after that revision, and the present snapshot", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.populate(registry)
      for (const item of [a, b, c]) yield* Registry.register(registry, item)
      const { changes, snapshot } = yield* Registry.subscribe(registry, { since: 2 })
      assert.strictEqual(ids(snapshot), "1,2,3")
      yield* Registry.register(registry, d)
      const seen = yield* Stream.runCollect(Stream.take(changes, 3))
      assert.deepStrictEqual(seen.map(({ revision }) => revision), [3, 4, 5])
      const none = yield* registry.pipe(Registry.subscribe({ since: 5 }))
      const next = yield* Effect.forkChild(Stream.runHead(none.changes), { startImmediately: true })
      assert.isUndefined(next.pollUnsafe())
      yield* Registry.unregister(registry, d)
      assert.strictEqual((yield* Effect.fromOption(yield* Fiber.join(next))).revision, 6)
    }))

  it.effect("G23 since a revision that is no longer kept, or never existed, lags at once, and says how many changes are missing", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ name: "items", lookup, history: 2 })
      yield* Registry.populate(registry)
      for (const item of [a, b, c]) yield* Registry.register(registry, item)
      const missed = (since: number) =>
        Effect.scoped(Effect.gen(function*() {
          const { changes } = yield* Registry.subscribe(registry, { since })
          const exit = yield* Effect.exit(Stream.runCollect(Stream.take(changes, since === 2 ? 2 : 1)))
          if (Exit.isSuccess(exit)) return exit.value.length
          return (Cause.squash(exit.cause) as RegistryError.RegistryLagged).message
        }))
      assert.strictEqual(yield* missed(2), 2)
      assert.match(String(yield* missed(1)), /"items" is too far behind: 1 change/)
      assert.match(String(yield* missed(0)), /2 change/)
      for (const senseless of [5, 100, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        assert.match(String(yield* missed(senseless)), /asked for a revision that does not exist/, String(senseless))
      }
      const all = yield* make
      yield* Registry.registerAll(all, [a, b])
      const { changes } = yield* Registry.subscribe(all, { since: 0.5 })
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(changes)))._tag, "RegistryLagged")
      const never = yield* registry.pipe(Registry.subscribe({ since: 100 }))
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(never.changes))).missed, 4)
      const fresh = yield* Effect.flatMap(make, Registry.subscribe({ since: -1 }))
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(fresh.changes)))._tag, "RegistryLagged")
    }))

  it.effect("G23 exactly as many changes as the history holds can be read again", () =>
    Effect.gen(function*() {
      for (const history of [0, 1, 3, 4, 8, 20]) {
        const registry = yield* Registry.make<Item>()({ lookup: ["id"], history })
        yield* Registry.populate(registry)
        for (let revision = 2; revision < 60; revision++) {
          yield* Registry.register(registry, new Item(revision))
          const missed = (since: number) =>
            Effect.gen(function*() {
              const { changes } = yield* Registry.subscribe(registry, { since })
              return yield* Stream.runCollect(Stream.take(changes, 1))
            }).pipe(
              Effect.scoped,
              Effect.as(0),
              Effect.catchTag("RegistryLagged", (lagged) => Effect.succeed(lagged.missed))
            )
          if (history > 0 && revision > history) assert.strictEqual(yield* missed(revision - history), 0)
          if (revision > history) assert.strictEqual(yield* missed(revision - history - 1), 1)
        }
      }
    }))

  it.effect("G23 a subscriber that stands still blocks no other, lags, and can subscribe again", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ name: "items", lookup, history: 3 })
      const still = yield* Registry.subscribe(registry)
      const live = yield* Registry.subscribe(registry)
      const gate = yield* Deferred.make<void>()
      const stalled = yield* Effect.forkChild(
        Effect.flip(Stream.runForEach(still.changes, () => Deferred.await(gate))),
        { startImmediately: true }
      )
      const seen: Array<number> = []
      yield* Effect.forkChild(
        Stream.runForEach(live.changes, ({ revision }) => Effect.sync(() => seen.push(revision))),
        { startImmediately: true }
      )
      for (let i = 0; i < 10; i++) {
        yield* Registry.register(registry, new Item(i))
        // the live subscriber sees each change before the next
        yield* Effect.yieldNow
      }
      assert.deepStrictEqual(seen, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
      yield* Deferred.succeed(gate, undefined)
      const error = yield* Fiber.join(stalled)
      assert.deepStrictEqual([error._tag, error.code, error.registry, error.missed], [
        "RegistryLagged",
        "lagged",
        "items",
        6
      ])
      const again = yield* Registry.subscribe(registry)
      assert.strictEqual(RegistrySnapshot.size(again.snapshot), 10)
      yield* Registry.unregisterBy(registry, "id", 3)
      const follower = yield* followUntil(again, () => 12)
      assert.deepStrictEqual(follower.list, [...(yield* Registry.values(registry))])
    }))

  it.effect("G23 with a history of 0 a waiting subscriber lags at the first change; with 1 it follows", () =>
    Effect.gen(function*() {
      const none = yield* Registry.make<Item>()({ lookup, history: 0 })
      const one = yield* Registry.make<Item>()({ lookup, history: 1 })
      const lagging = yield* Effect.forkChild(Effect.flip(Stream.runDrain((yield* Registry.subscribe(none)).changes)), {
        startImmediately: true
      })
      assert.isUndefined(lagging.pollUnsafe())
      yield* Registry.register(none, a)
      assert.strictEqual((yield* Fiber.join(lagging)).missed, 1)
      assert.strictEqual(keptChanges(none).length, 0)
      const subscription = yield* Registry.subscribe(one)
      const seen: Array<number> = []
      const following = yield* Effect.forkChild(
        Stream.runForEach(subscription.changes, ({ revision }) => Effect.sync(() => seen.push(revision))),
        { startImmediately: true }
      )
      for (const item of [a, b, c]) {
        yield* Registry.register(one, item)
        yield* Effect.yieldNow
      }
      assert.deepStrictEqual([seen, keptChanges(one).length], [[2, 3, 4], 1])
      yield* Registry.registerAll(one, [d])
      yield* Registry.unregister(one, d)
      assert.strictEqual((yield* Effect.flip(Fiber.join(following))).missed, 1)
    }))

  it.effect("G22 no subscriber runs in the step that publishes, or under the lock, in any schedule", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* make
        yield* Registry.populate(registry)
        let publishing = false
        const seen = yield* Deferred.make<void>()
        const { changes } = yield* Registry.subscribe(registry)
        yield* Effect.forkChild(
          Stream.runForEach(changes, () =>
            Effect.sync(() => {
              assert.isFalse(publishing)
              assert.isFalse(isLocked(registry))
              Deferred.doneUnsafe(seen, Exit.void)
            })),
          { startImmediately: true }
        )
        // the whole write is one step of this fiber, and the subscriber is another fiber
        yield* Effect.withFiber(() => {
          publishing = true
          return Effect.flatMap(Registry.register(registry, a), () => {
            publishing = false
            return Effect.void
          })
        }).pipe(Effect.exit, Effect.provideService(Scheduler.PreventSchedulerYield, true))
        yield* Deferred.await(seen)
      })),
      { seeds: 100 }
    ))

  it.effect("PITFALL 39 a subscriber that dies does not disturb another", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const one = yield* Registry.subscribe(registry)
      const two = yield* Registry.subscribe(registry)
      const dying = yield* Effect.forkChild(Stream.runForEach(one.changes, () => Effect.die("subscriber")), {
        startImmediately: true
      })
      const living = yield* Effect.forkChild(Stream.runCollect(Stream.take(two.changes, 2)), { startImmediately: true })
      yield* Registry.register(registry, a)
      yield* Registry.register(registry, b)
      assert.strictEqual(defectOf(yield* Fiber.await(dying)), "subscriber")
      assert.strictEqual((yield* Fiber.join(living)).length, 2)
    }))

  it.effect("all subscribers share one change object with frozen events", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const subscriptions = [yield* Registry.subscribe(registry), yield* Registry.subscribe(registry)]
      yield* Registry.register(registry, a)
      const [one, two] = yield* Effect.forEach(subscriptions, ({ changes }) =>
        Effect.map(Stream.runHead(changes), (change) => change.pipe(Option.getOrThrow)))
      assert.strictEqual(one, two)
      assert.strictEqual(one!.events, two!.events)
      assert.throws(() =>
        (one!.events as Array<unknown>).push(1)
      )
    }))

  it.effect(
    "ten thousand waiting subscribers: the writer does not run them, all see the change, and nothing is left",
    () =>
      Effect.gen(function*() {
        const registry = yield* make
        yield* Registry.populate(registry)
        const scope = yield* Scope.make()
        let seen = 0
        const following = yield* Effect.forEach(Array.from({ length: 10_000 }), () =>
          Effect.gen(function*() {
            const { changes } = yield* Registry.subscribe(registry)
            return yield* Effect.forkChild(
              Stream.runForEach(Stream.take(changes, 1), () => Effect.sync(() => seen++)),
              { startImmediately: true }
            )
          })).pipe(Scope.provide(scope))
        assert.deepStrictEqual(watchers(registry), { subscribers: 10_000, waiting: 10_000 })
        yield* Registry.register(registry, a)
        // the write has ended, and no subscriber has run yet
        assert.strictEqual(seen, 0)
        yield* Fiber.awaitAll(following)
        assert.strictEqual(seen, 10_000)
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(watchers(registry), nobody)
      }),
    20_000
  )

  it.effect("its stream ends with its scope, while it waits and when changes are left", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const scope = yield* Scope.make()
      const { changes } = yield* Registry.subscribe(registry).pipe(Scope.provide(scope))
      const waiting = yield* Effect.forkChild(Stream.runCollect(changes), { startImmediately: true })
      assert.deepStrictEqual(watchers(registry), { subscribers: 1, waiting: 1 })
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* Fiber.join(waiting), [])
      assert.deepStrictEqual(watchers(registry), nobody)
      yield* Registry.register(registry, a)
      assert.deepStrictEqual(yield* Stream.runCollect(changes), [])
      assert.deepStrictEqual(watchers(registry), nobody)
    }))

  it.effect("G26 it ends if its scope, or that of the registry, closes between its read and its wait, in any schedule", () =>
    Effect.gen(function*() {
      for (const closes of ["subscription", "registry"] as const) {
        yield* RegistryTest.interleave(followedUntilClosed(closes), { strategy: "exhaustive", preemptions: 1 })
      }
    }))

  it.effect("G22 inside a transaction it gives the published snapshot, and then the change of the transaction", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.register(registry, a)
      const { changes, snapshot } = yield* Registry.transact(
        registry,
        Effect.andThen(Registry.register(registry, b), Registry.subscribe(registry))
      )
      assert.strictEqual(ids(snapshot), "1")
      const [change] = yield* Stream.runCollect(Stream.take(changes, 1))
      assert.strictEqual(tags(change!), "Registered")
    }))

  it.effect("G22 inside a population it gives the empty snapshot, and then the change of the population", () =>
    Effect.gen(function*() {
      const subscriptions: Array<Registry.Subscription<Item, typeof lookup>> = []
      const scope = yield* Effect.scope
      const registry: Registry.Registry<Item, typeof lookup, unknown> = yield* Registry.make<Item>()({
        lookup,
        defaults: [a, b],
        hooks: {
          onPopulated: Effect.suspend(() =>
            Effect.map(
              Effect.orDie(Scope.provide(Registry.subscribe(registry), scope)),
              (subscription) => subscriptions.push(subscription)
            )
          )
        }
      })
      yield* Registry.populate(registry)
      assert.strictEqual(subscriptions.length, 1)
      assert.strictEqual(RegistrySnapshot.revision(subscriptions[0]!.snapshot), 0)
      assert.strictEqual(RegistrySnapshot.size(subscriptions[0]!.snapshot), 0)
      const { list } = yield* followUntil(subscriptions[0]!, () => 1)
      assert.deepStrictEqual(list, [a, b])
    }))

  it.effect("interrupted at any step it leaves nothing after its scope closes", () =>
    Effect.gen(function*() {
      const interrupted = yield* RegistryTest.interruptEach({
        setup: Registry.make<Item>()({ lookup, defaults: Effect.as(Effect.yieldNow, [a]) }),
        run: (registry) =>
          Effect.scoped(Effect.gen(function*() {
            const { changes } = yield* Registry.subscribe(registry)
            yield* Effect.all([
              Stream.runDrain(Stream.take(changes, 1)),
              Stream.runDrain(Stream.take(Registry.changes(registry), 1)),
              Effect.andThen(Effect.yieldNow, Registry.register(registry, b))
            ], { concurrency: "unbounded" })
          })),
        check: (registry) => Effect.sync(() => assert.deepStrictEqual(watchers(registry), nobody))
      })
      assert.isAbove(interrupted, 10)
    }))
})

describe("changes", () => {
  it.effect("begins when it is run, does not populate, and includes populations and resets", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a] })
      const seen: Array<string> = []
      const following = yield* Effect.forkChild(
        Stream.runForEach(
          Stream.take(Registry.changes(registry), 3),
          (change) => Effect.sync(() => seen.push(tags(change)))
        ),
        { startImmediately: true }
      )
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      yield* Registry.size(registry)
      yield* Registry.reset(registry)
      yield* Registry.register(registry, b)
      yield* Fiber.join(following)
      assert.deepStrictEqual(seen, ["Registered,Populated", "Unregistered,Reset", "Registered,Populated"])
      assert.deepStrictEqual(watchers(registry), nobody)
      const late = yield* Effect.forkChild(Stream.runHead(Registry.changes(registry)), { startImmediately: true })
      assert.isUndefined(late.pollUnsafe())
      yield* Registry.unregister(registry, b)
      assert.strictEqual(tags(yield* Effect.fromOption(yield* Fiber.join(late))), "Unregistered")
    }))

  it.effect("failed operations, and operations without an effect, make no change", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a] })
      const before = yield* Registry.snapshot(registry)
      yield* Effect.ignore(Registry.register(registry, a))
      yield* Effect.ignore(
        Registry.transact(registry, Effect.andThen(Registry.register(registry, b), Effect.fail("no")))
      )
      yield* Registry.registerAll(registry, [])
      yield* Registry.transact(registry, Effect.void)
      yield* Registry.reconcile(registry, [a])
      yield* Registry.unregisterOwner(registry, "nobody")
      yield* Registry.populate(registry)
      assert.strictEqual(yield* Registry.snapshot(registry), before)
    }))

  it.effect("is a static of a service", () =>
    Effect.gen(function*() {
      class Things extends Registry.Service<Things, Item>()("Things", { lookup, defaults: [a] }) {}
      yield* Effect.gen(function*() {
        const waiting = yield* Effect.forkChild(Things.awaitItem("id", 2), { startImmediately: true })
        const next = yield* Effect.forkChild(Stream.runHead(Things.changes), { startImmediately: true })
        yield* Things.register(b)
        assert.strictEqual(yield* Fiber.join(waiting), b)
        assert.strictEqual(tags(yield* Effect.fromOption(yield* Fiber.join(next))), "Registered")
        const { changes } = yield* Things.subscribe({ since: 1 })
        assert.strictEqual((yield* Stream.runCollect(Stream.take(changes, 1))).length, 1)
      }).pipe(Effect.provide(Things.layer))
    }))
})
