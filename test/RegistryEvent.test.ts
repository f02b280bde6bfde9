import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Option, Stream } from "effect"
import { Lookup, Registry, RegistryEvent } from "effect-registry"
import { inspect } from "node:util"

const letters = Registry.make<string>()({
  lookup: { letter: Lookup.unique((letter: string) => letter) },
  defaults: ["a", "b"]
})

/** The change that comes next. */
const next = <Item>(subscription: Registry.Subscription<Item, any>) =>
  Effect.map(Stream.runHead(subscription.changes), Option.getOrThrow)

describe("RegistryEvent", () => {
  const events: ReadonlyArray<RegistryEvent.RegistryEvent<string>> = [
    RegistryEvent.Registered({ item: "a", position: 0, reason: "register" }),
    RegistryEvent.Unregistered({ item: "a", position: 1, reason: "scope" }),
    RegistryEvent.Replaced({ previous: "a", item: "b", position: 2 }),
    RegistryEvent.Moved({ item: "a", from: 3, position: 4 }),
    RegistryEvent.Populated({ size: 2 }),
    RegistryEvent.Reset()
  ]

  it("constructors make events with a tag and fields", () => {
    assert.deepStrictEqual(events.map((event) => ({ ...event })), [
      { _tag: "Registered", item: "a", position: 0, reason: "register" },
      { _tag: "Unregistered", item: "a", position: 1, reason: "scope" },
      { _tag: "Replaced", previous: "a", item: "b", position: 2 },
      { _tag: "Moved", item: "a", from: 3, position: 4 },
      { _tag: "Populated", size: 2 },
      { _tag: "Reset" }
    ])
    assert.isTrue(
      Equal.equals(
        RegistryEvent.Replaced({ previous: "a", item: "b", position: 2 }),
        RegistryEvent.Replaced({ previous: "a", item: "b", position: 2 })
      )
    )
  })

  it("match handles an event by its tag, data-first and data-last", () => {
    const cases = {
      Registered: ({ item, position }: { readonly item: string; readonly position: number }) => `+${item}@${position}`,
      Unregistered: ({ item }: { readonly item: string }) => `-${item}`,
      Replaced: ({ item, previous }: { readonly item: string; readonly previous: string }) => `${previous}>${item}`,
      Moved: ({ from, item, position }: { readonly item: string; readonly from: number; readonly position: number }) =>
        `${item}:${from}-${position}`,
      Populated: ({ size }: { readonly size: number }) => `=${size}`,
      Reset: () => "0"
    }
    const told = ["+a@0", "-a", "a>b", "a:3-4", "=2", "0"]
    assert.deepStrictEqual(events.map((event) => RegistryEvent.match(event, cases)), told)
    assert.deepStrictEqual(events.map(RegistryEvent.match(cases)), told)
  })

  it("is tells events apart by their tag", () => {
    for (
      const [i, tag] of (["Registered", "Unregistered", "Replaced", "Moved", "Populated", "Reset"] as const).entries()
    ) {
      assert.deepStrictEqual(events.map((event) => RegistryEvent.is(tag)(event)), events.map((_, j) => i === j))
    }
    for (const other of [null, undefined, 5, {}, { _tag: "Other" }]) {
      assert.isFalse(RegistryEvent.is("Reset")(other))
    }
  })

  it.effect("a change is inspected and written as JSON as its type says", () =>
    Effect.gen(function*() {
      const registry = yield* letters
      const subscription = yield* Registry.subscribe(registry)
      yield* Registry.register(registry, "c")
      const change = yield* next(subscription)
      const shown = "{ revision: 2, events: [ { item: 'c', position: 2, reason: 'register', _tag: 'Registered' } ] }"
      assert.strictEqual(inspect(change, { breakLength: Number.POSITIVE_INFINITY }), shown)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(change)), {
        revision: 2,
        events: [{ _tag: "Registered", item: "c", position: 2, reason: "register" }]
      })
    }))

  it.effect("G22 a change tells what happened item by item, in order", () =>
    Effect.gen(function*() {
      const registry = yield* letters
      const subscription = yield* Registry.subscribe(registry)
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.registerAll(registry, ["c", "d", "e"])
          yield* Registry.replace(registry, "letter", "d", "f")
          yield* Registry.registerAll(registry, [])
          yield* Registry.unregister(registry, "e")
          yield* Registry.unregister(registry, "f")
          yield* Registry.reset(registry)
          yield* Registry.populate(registry)
        })
      )
      const change = yield* next(subscription)
      assert.strictEqual(change.revision, 2)
      assert.deepStrictEqual(change.events, [
        RegistryEvent.Registered({ item: "c", position: 2, reason: "register" }),
        RegistryEvent.Registered({ item: "d", position: 3, reason: "register" }),
        RegistryEvent.Registered({ item: "e", position: 4, reason: "register" }),
        RegistryEvent.Replaced({ previous: "d", item: "f", position: 3 }),
        RegistryEvent.Unregistered({ item: "e", position: 4, reason: "unregister" }),
        RegistryEvent.Unregistered({ item: "f", position: 3, reason: "unregister" }),
        RegistryEvent.Unregistered({ item: "c", position: 2, reason: "reset" }),
        RegistryEvent.Unregistered({ item: "b", position: 1, reason: "reset" }),
        RegistryEvent.Unregistered({ item: "a", position: 0, reason: "reset" }),
        RegistryEvent.Reset(),
        RegistryEvent.Registered({ item: "a", position: 0, reason: "population" }),
        RegistryEvent.Registered({ item: "b", position: 1, reason: "population" }),
        RegistryEvent.Populated({ size: 2 })
      ])
    }))

  it.effect("all subscribers read the same frozen list of events", () =>
    Effect.gen(function*() {
      const registry = yield* letters
      const subscriptions = [yield* Registry.subscribe(registry), yield* Registry.subscribe(registry)]
      yield* Registry.register(registry, "c")
      const [one, other] = yield* Effect.forEach(subscriptions, next)
      assert.strictEqual(one!.events, one!.events)
      assert.strictEqual(one!.events, other!.events)
      assert.isTrue(Object.isFrozen(one!.events))
    }))
})
