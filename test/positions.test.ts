import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema, Scope, Stream } from "effect"
import { Lookup, Registry, type RegistryEvent, RegistrySnapshot } from "effect-registry"
import { a, b, c, d, Item } from "./utils/items.ts"
import { randomFrom } from "./utils/meddling.ts"

/** Does to an array what an event tells. */
const apply = <A>(items: Array<A>, event: RegistryEvent.RegistryEvent<A>): void => {
  switch (event._tag) {
    case "Registered":
      assert.isAtMost(event.position, items.length)
      items.splice(event.position, 0, event.item)
      break
    case "Unregistered":
      assert.strictEqual(items[event.position], event.item)
      items.splice(event.position, 1)
      break
    case "Replaced":
      assert.strictEqual(items[event.position], event.previous)
      items[event.position] = event.item
      break
    case "Moved":
      assert.strictEqual(items[event.from], event.item)
      items.splice(event.position, 0, ...items.splice(event.from, 1))
  }
}

/** Follows a registry by its changes alone: an array that the events are applied to equals the contents after each. */
const follow = <A, Lookups, P, V>(registry: Registry.Registry<A, Lookups, P, V>) =>
  Effect.gen(function*() {
    const { changes, snapshot } = yield* Registry.subscribe(registry)
    const pull = yield* Stream.toPull(changes)
    const items = [...snapshot]
    let seen = RegistrySnapshot.revision(snapshot)
    return Effect.gen(function*() {
      const events: Array<RegistryEvent.RegistryEvent<A>> = []
      while (seen < RegistrySnapshot.revision(Registry.snapshotUnsafe(registry))) {
        for (const change of yield* pull) {
          assert.strictEqual(change.revision, ++seen)
          for (const event of change.events) apply(items, event)
          assert.deepStrictEqual(items, [...change.snapshot])
          events.push(...change.events)
        }
      }
      assert.deepStrictEqual(items, [...Registry.snapshotUnsafe(registry)])
      return events
    })
  })

const told = (events: ReadonlyArray<RegistryEvent.RegistryEvent<{ readonly id: number }>>): ReadonlyArray<string> =>
  events.map((event) => {
    switch (event._tag) {
      case "Registered":
        return `+${event.item.id} at ${event.position}: ${event.reason}`
      case "Unregistered":
        return `-${event.item.id} at ${event.position}: ${event.reason}`
      case "Replaced":
        return `${event.previous.id}>${event.item.id} at ${event.position}`
      case "Moved":
        return `${event.item.id} from ${event.from} to ${event.position}`
      default:
        return event._tag
    }
  })

describe("the events of changes", () => {
  it.effect("G29 tell where an item came or went, and why", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id", "name"], defaults: [a, b] })
      const next = yield* follow(registry)
      yield* Registry.registerAll(registry, [c, d])
      yield* Registry.unregisterBy(registry, "id", 2)
      yield* Effect.scoped(Registry.registerScoped(registry, new Item(5)))
      yield* Effect.scoped(Registry.override(registry, new Item(1, "item 3")))
      yield* Registry.unregisterOwner(registry, "nobody")
      yield* Registry.upsert(registry, new Item(3, "other"))
      yield* Registry.reset(registry)
      yield* Registry.populate(registry)
      assert.deepStrictEqual(told(yield* next), [
        "+3 at 2: register",
        "+4 at 3: register",
        "-2 at 1: unregister",
        "+5 at 3: register",
        "-5 at 3: scope",
        "-3 at 1: override",
        "-1 at 0: override",
        "+1 at 1: override",
        "-1 at 1: scope",
        "+1 at 0: override",
        "+3 at 1: override",
        "3>3 at 1",
        "-4 at 2: reset",
        "-3 at 1: reset",
        "-1 at 0: reset",
        "Reset",
        "+1 at 0: population",
        "+2 at 1: population",
        "Populated"
      ])
    }))

  it.effect("G29 tell first what stands first, where a disabled override that is updated hides no more", () =>
    Effect.gen(function*() {
      interface Named {
        readonly id: number
        readonly names: ReadonlyArray<string>
      }
      const registry = yield* Registry.make<Named>()({
        lookup: { id: Lookup.unique(({ id }: Named) => id), name: Lookup.uniqueEach(({ names }) => names) },
        defaults: [{ id: 1, names: ["a"] }]
      })
      const next = yield* follow(registry)
      yield* Registry.override(registry, { id: 2, names: ["d", "a"] })
      yield* Registry.register(registry, { id: 3, names: [] })
      yield* Registry.disable(registry, "name", "d", { reason: "off" })
      yield* next
      yield* Registry.upsert(registry, { id: 2, names: ["c"] })
      assert.deepStrictEqual(told(yield* next), ["+1 at 0: override", "+2 at 1: switch"])
    }).pipe(Effect.scoped))

  it.effect("G29 items that exchange keys in a reconcile leave, and come back where they were", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id", "name"], defaults: [a, b, c] })
      const next = yield* follow(registry)
      yield* Registry.reconcile(registry, [new Item(1, "item 3"), new Item(2), new Item(3, "item 1")])
      assert.deepStrictEqual(told(yield* next), [
        "-3 at 2: unregister",
        "-1 at 0: unregister",
        "+1 at 0: register",
        "+3 at 2: register"
      ])
      yield* Registry.reconcile(registry, [new Item(3), new Item(1), new Item(2)])
      yield* next
    }))

  it.effect("G29 a reconcile makes the order that of the list, with as few moves as can be", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id", "name"], defaults: [a, b, c, d] })
      const next = yield* follow(registry)
      const report = yield* Registry.reconcile(registry, [new Item(5), b, new Item(6), new Item(3, "new"), d, a])
      assert.deepStrictEqual(report.moved, [a])
      assert.deepStrictEqual(told(yield* next), [
        "3>3 at 2",
        "+5 at 0: register",
        "+6 at 3: register",
        "1 from 1 to 5"
      ])
      yield* Registry.reconcile(registry, [a, b, c, d])
      assert.deepStrictEqual(told(yield* next), [
        "-6 at 2: unregister",
        "-5 at 0: unregister",
        "3>3 at 1",
        "1 from 3 to 0"
      ])
      // nothing of this is a change
      yield* Registry.reconcile(registry, [a, b, c, d])
      assert.deepStrictEqual(yield* next, [])
    }))

  it.effect("a reconcile to what was saved as JSON restores its order", () =>
    Effect.gen(function*() {
      const Block = Schema.Struct({ id: Schema.String })
      const registry = yield* Registry.make<typeof Block.Type>()({
        lookup: ["id"],
        schema: Block,
        defaults: [{ id: "d" }, { id: "a" }]
      })
      const saved = [{ id: "c" }, { id: "a" }, { id: "d" }]
      yield* Registry.reconcile(registry, yield* RegistrySnapshot.fromJson(registry, saved))
      assert.deepStrictEqual(yield* Registry.values(registry), saved)
    }))

  for (const hooked of [false, true]) {
    it.effect(
      `G29 ten thousand random operations, ${hooked ? "with" : "without"} hooks: an array that follows equals values`,
      () =>
        Effect.gen(function*() {
          const random = randomFrom(hooked ? 7 : 8)
          const item = () => new Item(random(12), `name ${random(12)}`)
          const registry = yield* Registry.make<Item>()({
            lookup: ["id", "name"],
            defaults: [a, b],
            ...(hooked ? { hooks: { onItemRegistered: () => Effect.void, onItemUnregistered: () => Effect.void } } : {})
          })
          const next = yield* follow(registry)
          const scopes: Array<Scope.Closeable> = []
          const scoped = (effect: Effect.Effect<unknown, unknown, Scope.Scope>) =>
            Effect.suspend(() => {
              const scope = Scope.makeUnsafe()
              scopes.push(scope)
              return Scope.provide(effect, scope)
            })
          const close = Effect.suspend(() => {
            const [scope] = scopes.splice(random(scopes.length), 1)
            return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
          })
          const place = (): Registry.Position<"id", number> => {
            const other = ["id", random(12)] as const
            const places = ["first", "last", { at: random(12) - 4 }, { before: other }, { after: other }] as const
            return places[random(places.length)]!
          }
          const operations: ReadonlyArray<() => Effect.Effect<unknown, unknown>> = [
            () => Registry.register(registry, item()),
            () => Registry.registerAll(registry, [item(), item(), item()]),
            () => Registry.upsert(registry, item()),
            () => Registry.unregisterBy(registry, "id", random(12)),
            () => Registry.insert(registry, item(), place()),
            () => Registry.move(registry, "id", random(12), place()),
            () => Registry.move(registry, "id", random(12), place()),
            () => Registry.replace(registry, "id", random(12), item()),
            () => Registry.reconcile(registry, Array.from({ length: random(8) }, item)),
            () => scoped(Registry.registerScoped(registry, item())),
            () => scoped(Registry.override(registry, item())),
            () => Registry.disable(registry, "id", random(12), { reason: "off" }),
            () => Registry.enable(registry, "id", random(12)),
            () => close,
            () => random(10) === 0 ? Registry.reset(registry) : Registry.populate(registry)
          ]
          const one = () => operations[random(operations.length)]!()
          for (let i = 0; i < 10_000; i++) {
            yield* Effect.exit(
              random(5) > 0
                ? one()
                : Registry.transact(registry, Effect.andThen(Effect.exit(one()), Effect.exit(one())))
            )
            yield* next
          }
        }),
      60_000
    )
  }
})
