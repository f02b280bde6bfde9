/** The snapshot of a change: what the registry held after it, and what is kept for that. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Option, Scope, Stream } from "effect"
import { Lookup, Registry, type RegistryEvent, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { kept } from "./utils/garbage.ts"
import { contradictionsIn, toldChanges, wholeOf } from "./utils/inside.ts"
import { a, b, c, d, Item } from "./utils/items.ts"

const lookup = {
  id: Lookup.unique((item: Item) => item.id),
  name: Lookup.unique((item: Item) => item.name),
  parity: Lookup.group((item: Item) => item.id % 2),
  letters: Lookup.groupEach((item: Item) => item.name)
}

const make = Registry.make<Item>()({ name: "items", lookup, defaults: [a, b], populationFailure: "die" })

type Items = Effect.Success<typeof make>
type Change = RegistryEvent.RegistryChange<Item, typeof lookup>

/** Every way in which contents change, each a transaction of its own. */
const everyWay = (registry: Items): ReadonlyArray<Effect.Effect<unknown, unknown, Scope.Scope>> => [
  Registry.populate(registry),
  Registry.register(registry, c),
  Registry.registerAll(registry, [d, new Item(5), new Item(6)]),
  Registry.upsert(registry, new Item(5, "five")),
  Registry.replace(registry, "id", 3, new Item(30, "three")),
  Registry.unregisterBy(registry, "id", 4),
  Registry.override(registry, new Item(5, "item 6")),
  Registry.override(registry, new Item(30, "item 6")),
  Registry.unregisterBy(registry, "id", 30),
  Registry.reconcile(registry, [new Item(1, "one"), new Item(5), new Item(7), b]),
  Registry.registerScoped(registry, new Item(8)),
  Registry.transact(
    registry,
    Effect.all([
      Registry.register(registry, d),
      Registry.unregister(registry, d),
      Registry.upsert(registry, new Item(8, "x"))
    ])
  ),
  Registry.transact(registry, Effect.andThen(Registry.reset(registry), Registry.register(registry, new Item(9)))),
  Registry.registerAll(registry, Array.from({ length: 200 }, (_, i) => new Item(100 + i))),
  Registry.reset(registry),
  Registry.populate(registry),
  Registry.register(registry, c)
]

/** Does everything, and answers what was published at each revision. */
const doEverything = (registry: Items) =>
  Effect.gen(function*() {
    const published: Array<ReturnType<typeof wholeOf>> = []
    const scope = yield* Scope.make()
    for (const way of everyWay(registry)) {
      yield* Effect.exit(Scope.provide(way, scope))
      const now = Registry.snapshotUnsafe(registry)
      // copied, because the list of all is shared by the snapshots
      published[RegistrySnapshot.revision(now)] = { ...wholeOf(now), values: [...now] }
    }
    yield* Scope.close(scope, Exit.void)
    const now = Registry.snapshotUnsafe(registry)
    published[RegistrySnapshot.revision(now)] = wholeOf(now)
    return published
  })

/** What a change tells of the contents after it. */
const wholeAfter = (change: Change) => {
  assert.deepStrictEqual(contradictionsIn(change.snapshot), [])
  return wholeOf(change.snapshot)
}

const orders: Record<string, (changes: ReadonlyArray<Change>) => ReadonlyArray<Change>> = {
  "the first first": (changes) => changes,
  "the last first": (changes) => changes.toReversed(),
  "one in the middle first": (changes) => [...changes.slice(7), ...changes.slice(0, 7)]
}

describe("the snapshot of a change", () => {
  it.effect.each(Object.entries(orders))(
    "G8 G22 is what was published with it, for every kind of change, read %s",
    ([, order]) =>
      Effect.gen(function*() {
        const registry = yield* make
        const published = yield* doEverything(registry)
        const { changes } = yield* Registry.subscribe(registry, { since: 0 })
        const all = yield* Stream.runCollect(Stream.take(changes, published.length - 1))
        const after: typeof published = []
        for (const change of order(all)) after[change.revision] = wholeAfter(change)
        assert.isAtLeast(after.length, 17)
        // closing the scope is several changes: only the last of them was looked at
        published.forEach((one, revision) => assert.deepStrictEqual(after[revision], one))
      })
  )

  it.effect("G22 is what was published with it for a subscriber that follows, however late it is read", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.populate(registry)
      const { changes } = yield* Registry.subscribe(registry, { since: 0 })
      const told: Array<Change> = []
      const fiber = yield* Effect.forkChild(
        Stream.runForEach(changes, (change) => Effect.sync(() => told.push(change))),
        {
          startImmediately: true
        }
      )
      const published = yield* doEverything(registry)
      yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      for (const change of told) {
        assert.deepStrictEqual(wholeAfter(change), published[change.revision] ?? wholeAfter(change))
      }
      assert.strictEqual(told.length, published.length - 1)
      // the newest is the one that is published
      assert.strictEqual(told.at(-1)!.snapshot, Registry.snapshotUnsafe(registry))
      assert.strictEqual(told[3]!.snapshot, told[3]!.snapshot)
    }))

  it.effect("G8 G22 agrees with the events, under schedules of writers, resets and overrides", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* make
        const { changes, snapshot } = yield* Registry.subscribe(registry)
        const told: Array<Change> = []
        const following = yield* Effect.forkChild(
          Stream.runForEach(changes, (change) => {
            told.push(change)
            // some are read when they come, others when all is over
            return Effect.sync(() => change.revision % 3 === 0 && assert.isEmpty(contradictionsIn(change.snapshot)))
          })
        )
        yield* Effect.all([
          Effect.ignore(Registry.registerAll(registry, [c, d])),
          Effect.scoped(Registry.override(registry, new Item(1, "item 2"))),
          Registry.reset(registry),
          Effect.ignore(
            Registry.transact(
              registry,
              Effect.andThen(Registry.unregister(registry, b), Registry.register(registry, new Item(7)))
            )
          )
        ], { concurrency: "unbounded" })
        const last = yield* Registry.snapshot(registry)
        yield* Effect.repeat(Effect.yieldNow, {
          until: () => (told.at(-1)?.revision ?? 1) === RegistrySnapshot.revision(last),
          times: 1_000
        })
        const list = [...snapshot]
        for (const change of told) {
          for (const event of change.events) {
            if (event._tag === "Registered") list.splice(event.position, 0, event.item)
            if (event._tag === "Unregistered") list.splice(event.position, 1)
            if (event._tag === "Replaced") list.splice(event.position, 1, event.item)
          }
          assert.deepStrictEqual([...change.snapshot], list)
          assert.strictEqual(RegistrySnapshot.revision(change.snapshot), change.revision)
          assert.deepStrictEqual(contradictionsIn(change.snapshot), [])
        }
        yield* Fiber.interrupt(following)
      })),
      { seeds: 200 }
    ))

  it.effect("of the first of twenty thousand changes is found without a call for each", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], history: 50_000 })
      yield* Registry.populate(registry)
      const { changes } = yield* Registry.subscribe(registry)
      yield* Registry.register(registry, a)
      for (let i = 0; i < 10_000; i++) {
        yield* Registry.register(registry, b)
        yield* Registry.unregister(registry, b)
      }
      const [first] = yield* Stream.runCollect(Stream.take(changes, 1))
      assert.deepStrictEqual([...first!.snapshot], [a])
    }))

  it.effect("is neither in the JSON of a change, nor where it is inspected", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const { changes } = yield* Registry.subscribe(registry)
      yield* Registry.register(registry, c)
      const change = Option.getOrThrow(yield* Stream.runHead(changes))
      assert.strictEqual(
        JSON.stringify(change),
        `{"revision":2,"events":[{"item":{"id":3,"name":"item 3"},"position":2,"reason":"register","_tag":"Registered"}]}`
      )
    }))
})

const collected = (objects: Record<string, object>) =>
  new Map(Object.entries(objects).map(([name, object]) => [name, new WeakRef(object)]))

describe("what is kept for the snapshots of changes", () => {
  it.effect("nothing where nobody subscribes, or nobody keeps a change", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* doEverything(registry)
      assert.strictEqual(toldChanges(registry), 0)
      const changes = yield* Effect.suspend(() =>
        Effect.flatMap(Registry.subscribe(registry, { since: 0 }), ({ changes: all }) =>
          Effect.map(Stream.runCollect(Stream.take(all, 5)), (some) => {
            for (const { snapshot } of some) {
              assert.isAbove(RegistrySnapshot.values(snapshot).length, 0)
            }
            return collected({
              change: some[0]!,
              snapshot: some[0]!.snapshot,
              list: RegistrySnapshot.values(some[0]!.snapshot)
            })
          }))
      )
      assert.deepStrictEqual(yield* kept(changes), [])
      assert.strictEqual(toldChanges(registry), 0)
    }))

  it.effect("G10 nothing that has gone longer than the history has the change in which it went, though each snapshot was read", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, history: 4 })
      const objects = new Map<string, WeakRef<object>>()
      const { changes } = yield* Registry.subscribe(registry)
      let read = 0
      const following = yield* Effect.forkChild(
        Stream.runForEach(changes, ({ snapshot }) =>
          Effect.sync(() => {
            read += RegistrySnapshot.values(snapshot).length
          })),
        { startImmediately: true }
      )
      yield* Effect.suspend(() => {
        const item = new Item(1)
        objects.set("item", new WeakRef(item))
        return Registry.registerAll(registry, [item, b])
      })
      yield* Effect.yieldNow
      objects.set("snapshot", new WeakRef(Registry.snapshotUnsafe(registry)))
      objects.set("list", new WeakRef(RegistrySnapshot.values(Registry.snapshotUnsafe(registry))))
      yield* Registry.unregisterBy(registry, "id", 1)
      yield* Effect.yieldNow
      // the change in which it went is kept, and it with that
      assert.deepStrictEqual(yield* kept(objects), ["item"])
      for (let i = 0; i < 4; i++) {
        yield* Registry.upsert(registry, new Item(2, `other ${i}`))
        yield* Effect.yieldNow
      }
      // the changes that are about to go are there for a while
      yield* Registry.upsert(registry, new Item(2, "last"))
      yield* Effect.yieldNow
      assert.deepStrictEqual(yield* kept(objects), [])
      assert.isAtLeast(read, 7)
      yield* Fiber.interrupt(following)
    }))

  it.effect("nothing for a subscriber that stands still", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, history: 2 })
      const objects = new Map<string, WeakRef<object>>()
      yield* Effect.suspend(() => {
        const item = new Item(1)
        objects.set("item", new WeakRef(item))
        return Registry.register(registry, item)
      })
      const gate = yield* Deferred.make<void>()
      const { changes } = yield* Registry.subscribe(registry)
      const following = yield* Effect.forkChild(
        Effect.flip(Stream.runForEach(changes, ({ revision }) => revision === 3 ? Deferred.await(gate) : Effect.void)),
        { startImmediately: true }
      )
      yield* Registry.unregisterBy(registry, "id", 1)
      yield* Effect.yieldNow
      for (let i = 0; i < 4; i++) yield* Registry.upsert(registry, new Item(2, `other ${i}`))
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(following))._tag, "RegistryLagged")
      assert.deepStrictEqual(yield* kept(objects), [])
    }))
})
