import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { Lookup, Registry } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { violations } from "../src/testing/invariants.ts"
import {
  believeHooks,
  type Contents,
  forgeLastCall,
  publish,
  published,
  skippingFirstHook,
  spoilt,
  swapBackwards
} from "./utils/inside.ts"
import { a, b, c, d, Item, messageOf } from "./utils/items.ts"

class Items extends Registry.Service<Items, Item>()("test/Items", { lookup: ["id", "name"], defaults: [a] }) {}

const watched = RegistryTest.layerPedantic(Items)

/** Hooks of which the first withdraws `b`, in a registry that believes then that all know it. */
const believing = (registry: (typeof Items)["Service"]) =>
  Effect.andThen(
    Registry.addHooks(registry, {
      onItemRegistered: (item) => item === b ? Effect.orDie(Registry.unregister(registry, b)) : Effect.void,
      onItemUnregistering: () => believeHooks(registry)
    }),
    Registry.addHooks(registry, { onItemUnregistered: () => Effect.void })
  )

describe("layerPedantic", () => {
  it.effect("accepts a sound test: defaults, items from before, and items that were removed again", () =>
    Effect.gen(function*() {
      yield* Items.register(b)
      yield* Effect.gen(function*() {
        yield* Items.reset
        yield* Items.register(b)
        yield* Effect.scoped(Items.registerAllScoped([c, d]))
        yield* Effect.exit(Items.transact(Effect.andThen(Items.register(c), Effect.fail("no"))))
        yield* Items.replace("id", 2, c)
        yield* Items.replace("id", 3, b)
      }).pipe(Effect.provide(watched))
      // without the layer, the registry works as before
      yield* Items.register(d)
      assert.deepStrictEqual([...(yield* Items.values)], [a, b, d])
    }).pipe(Effect.provide(Items.layer)))

  it.effect("dies with the items that are still registered when the test ends", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(
        Items.register(b).pipe(Effect.provide(watched.pipe(Layer.provideMerge(Items.layer))))
      )
      assert.match(
        messageOf(exit),
        /"test\/Items" is not as it should be.*still registered: 2\. Register it in a scope/
      )
      assert.notMatch(messageOf(exit), /item 1/)
    }))

  it.effect("makes an operation die whose change breaks an index, and publishes nothing", () =>
    Effect.gen(function*() {
      const registry = yield* Items
      yield* Items.populate
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(watched, scope)
      const index = published(registry).indexes[1]!
      Object.assign(index, { add: () => index })
      const exit = yield* Effect.exit(Items.register(b))
      assert.match(messageOf(exit), /By name "item 2" one finds \[\] instead of/)
      assert.strictEqual(yield* Items.size, 1)
      // the close dies with it, too
      assert.match(messageOf(yield* Effect.exit(Scope.close(scope, Exit.void))), /By name "item 2"/)
    }).pipe(Effect.provide(Items.layer)))

  it.effect("notices a revision that is not the next one", () =>
    Effect.gen(function*() {
      const registry = yield* Items
      yield* Items.populate
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(watched, scope)
      const contents = published(registry)
      const { revision } = contents
      for (const next of [revision - 1, revision, revision + 2]) {
        assert.throws(
          () => publish(registry, spoilt(contents, { revision: next })),
          `Revision ${next} comes after revision ${revision}.`
        )
      }
      yield* Effect.exit(Scope.close(scope, Exit.void))
    }).pipe(Effect.provide(Items.layer)))

  it.effect("notices that hooks were not told of a registration, or of a removal", () =>
    Effect.gen(function*() {
      const registry = yield* Items
      yield* Items.populate
      const before = published(registry)
      yield* Items.register(b)
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(watched, scope)
      const after = published(registry)
      const publishNext = (contents: typeof before) => () =>
        publish(registry, spoilt(contents, { revision: published(registry).revision + 1 }))
      const count = "hooks were told"
      assert.throws(
        publishNext(before),
        `"name":"item 2"}) is not registered, and ${count} 1 time(s) more that it came`
      )
      yield* Items.unregister(b)
      assert.throws(publishNext(after), `"name":"item 2"}) is registered, and ${count} 0 time(s) more that it came`)
      assert.strictEqual(yield* Items.size, 1)
      yield* Effect.exit(Scope.close(scope, Exit.void))
    }).pipe(Effect.provide(Items.layer)))

  it.effect("G28 accepts hooks that withdraw, replace and bring back what they are told of", () =>
    Effect.gen(function*() {
      const registry = yield* Items
      const over = new Item(2, "over")
      const left = new Set(["+2", "-2", "+3", "-3"])
      yield* Registry.addHooks(registry, {
        onItemRegistered: (item) =>
          !left.delete(`+${item.id}`)
            ? Effect.void
            : Effect.orDie<void, unknown, never>(
              item === b ? Registry.upsert(registry, over) : Registry.unregister(registry, item)
            ),
        onItemUnregistered: (item) =>
          left.delete(`-${item.id}`) ? Effect.orDie(Registry.upsert(registry, item)) : Effect.void
      })
      yield* Effect.gen(function*() {
        yield* Items.registerAll([b, c])
        yield* Effect.exit(Items.transact(Effect.andThen(Items.reconcile([d, c]), Effect.fail("no"))))
        yield* Items.reset
      }).pipe(Effect.provide(watched))
      assert.strictEqual(left.size, 0)
    }).pipe(Effect.provide(Items.layer)))

  it.effect.each(
    [
      ["a hook was told of an item in its call for that item", "Hook 1 of 3"],
      ["a hook was told that an item went, and never that it came", "Hook 2 of 3"]
    ] as const
  )("G28 makes an operation die in which %s", ([, hook]) =>
    Effect.gen(function*() {
      const registry = yield* Items
      yield* Items.populate
      yield* believing(registry)
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(watched, scope)
      const wrong = new RegExp(`${hook} was told that .*item 2.* went, and never that it came`)
      assert.match(messageOf(yield* Effect.exit(Items.register(b))), wrong)
      assert.strictEqual(yield* Items.size, 1)
      assert.match(messageOf(yield* Effect.exit(Scope.close(scope, Exit.void))), wrong)
    }).pipe(Effect.provide(Items.layer)))

  it.effect("G28 makes an operation die in which a hook was told twice that an item came", () =>
    Effect.gen(function*() {
      const registry = yield* Items
      yield* Items.populate
      yield* Registry.addHooks(registry, { onItemRegistered: () => Effect.void })
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(watched, scope)
      const exit = yield* Effect.exit(
        Items.transact(Effect.andThen(Items.register(b), Effect.sync(() => forgeLastCall(registry))))
      )
      assert.match(messageOf(exit), /Hook 2 of 2 was told that .*item 2.* came, though it knew/)
      yield* Effect.exit(Scope.close(scope, Exit.void))
    }).pipe(Effect.provide(Items.layer)))

  it.effect("G28 makes an operation die whose change another hook was not told of", () =>
    Effect.gen(function*() {
      const registry = yield* Items
      yield* Items.populate
      yield* Registry.addHooks(registry, { onItemRegistered: () => Effect.void })
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(watched, scope)
      const messages: Array<string> = []
      const operations: ReadonlyArray<Effect.Effect<void, unknown, Items>> = [Items.register(b), Items.unregister(a)]
      for (const operation of operations) {
        messages.push(messageOf(yield* Effect.exit(skippingFirstHook(registry, operation))))
      }
      assert.match(messages[0]!, /Hook 1 of 2 was not told that .*item 2.* came/)
      assert.match(messages[1]!, /Hook 1 of 2 was not told that .*item 1.* went/)
      yield* Effect.exit(Scope.close(scope, Exit.void))
    }).pipe(Effect.provide(Items.layer)))

  it.effect("G28 makes an operation die in which the new item came before the old one had gone", () =>
    Effect.gen(function*() {
      const registry = yield* Items
      yield* Items.populate
      yield* Registry.addHooks(registry, { onItemUnregistering: () => Effect.sync(() => swapBackwards(registry)) })
      yield* Registry.addHooks(registry, { onItemRegistered: () => Effect.void })
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(watched, scope)
      // another id: a map has room for both
      yield* Items.replace("id", 1, b)
      const exit = yield* Effect.exit(Items.replace("id", 2, new Item(2, "over")))
      assert.match(
        messageOf(exit),
        /Hook 2 of 3 that keeps a map by id, with set and delete, has nothing in the place of .*"over"/
      )
      const byName = yield* Effect.exit(Items.replace("id", 2, new Item(3, "item 2")))
      assert.match(
        messageOf(byName),
        /Hook 2 of 3 that keeps a map by name, with set and delete, has nothing in the place of .*"id":3/
      )
      yield* Effect.exit(Scope.close(scope, Exit.void))
    }).pipe(Effect.provide(Items.layer)))

  it.effect("G28 nothing is expected of a hook that died in a scope that closed", () =>
    Effect.gen(function*() {
      const registry = yield* Items
      yield* Items.populate
      const hooks = yield* Scope.make()
      yield* Scope.provide(Registry.addHooks(registry, { onItemUnregistered: () => Effect.die("boom") }), hooks)
      yield* Effect.gen(function*() {
        assert.strictEqual(messageOf(yield* Effect.exit(Effect.scoped(Items.registerScoped(b)))), "boom")
        yield* Effect.scoped(Items.registerScoped(c)).pipe(Effect.exit)
        yield* Scope.close(hooks, Exit.void)
      }).pipe(Effect.provide(watched))
    }).pipe(Effect.provide(Items.layer)))

  it.effect("defaults are those of the last population", () => {
    let attempts = 0
    class Changing extends Registry.Service<Changing, Item>()("test/Changing", {
      lookup: ["id", "name"],
      defaults: Effect.sync(() => ++attempts === 1 ? [a, b] : [b, c])
    }) {}
    const live = RegistryTest.layerPedantic(Changing).pipe(Layer.provideMerge(Changing.layer))
    return Effect.gen(function*() {
      const again = Effect.andThen(Changing.populate, Effect.andThen(Changing.reset, Changing.populate))
      yield* Effect.provide(again, Layer.fresh(live))
      attempts = 0
      const exit = yield* Effect.exit(Effect.provide(Effect.andThen(again, Changing.register(a)), Layer.fresh(live)))
      assert.match(messageOf(exit), /still registered: 1\. Register it/)
    })
  })

  it.effect("accepts an item with the keys of one from before, or an equal one where there are no keys", () =>
    Effect.gen(function*() {
      yield* Items.register(b)
      yield* Effect.provide(Items.replace("id", 2, new Item(2)), watched)
      const exit = yield* Effect.exit(Effect.provide(Items.replace("id", 2, new Item(2, "other")), watched))
      assert.match(messageOf(exit), /still registered: 2\. Register it/)

      class Notes extends Registry.Service<Notes, { id: number; readonly text: string }>()("test/Notes", {
        lookup: ["id"]
      }) {}
      yield* Effect.gen(function*() {
        const note = { id: 1, text: "before" }
        yield* Notes.register(note)
        const watchedNotes = RegistryTest.layerPedantic(Notes)
        yield* Effect.provide(Notes.replace("id", 1, { id: 1, text: "after" }), watchedNotes)
        yield* Notes.replace("id", 1, note)
        // and the same object, though its keys have changed
        const again = Effect.andThen(
          Notes.unregister(note),
          Effect.suspend(() => Notes.register(Object.assign(note, { id: 2 })))
        )
        yield* Effect.provide(again, watchedNotes)
      }).pipe(Effect.provide(Notes.layer))

      class Words extends Registry.Service<Words, { readonly word: string }>()("test/Words", { lookup: [] }) {}
      const live = RegistryTest.layerPedantic(Words)
      yield* Effect.gen(function*() {
        yield* Words.register({ word: "a" })
        const again = Effect.andThen(Words.reset, Words.register({ word: "a" }))
        yield* Effect.provide(again, live)
        const left = yield* Effect.exit(
          Effect.provide(Effect.andThen(Words.reset, Words.register({ word: "b" })), live)
        )
        assert.match(messageOf(left), /still registered: \{word\}\./)
      }).pipe(Effect.provide(Words.layer))
    }).pipe(Effect.provide(Items.layer)))

  it.effect("accepts a registry that was closed before the layer", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const registry = yield* Scope.provide(Registry.make<Item>()({ lookup: ["id", "name"], defaults: [a] }), scope)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Layer.build(watched)
        yield* Registry.register(registry, b)
        yield* Scope.close(scope, Exit.void)
      })).pipe(Effect.provideService(Items, registry as unknown as Items["Service"]))
    }))
})

interface Thing {
  readonly id: number
  readonly aliases?: ReadonlyArray<string>
  readonly kind?: string
  readonly tags: ReadonlyArray<string>
}

const one: Thing = { id: 1, aliases: ["a", "b"], kind: "k", tags: ["t", "u"] }
const two: Thing = { id: 2, tags: ["t"] }
const three: Thing = { id: 3, aliases: ["c"], kind: "k", tags: [] }

const lookup = {
  id: Lookup.unique((thing: Thing) => thing.id),
  alias: Lookup.optional(Lookup.uniqueEach((thing: Thing) => thing.aliases!)),
  kind: Lookup.optional(Lookup.group((thing: Thing) => thing.kind)),
  tag: Lookup.groupEach((thing: Thing) => thing.tags)
}

const made = Effect.gen(function*() {
  const registry = yield* Registry.make<Thing>()({ lookup, defaults: [one, two, three] })
  yield* Effect.orDie(Registry.populate(registry))
  return published(registry as Registry.Registry<Thing, typeof lookup>)
})

/** Contents with a spoilt index. */
const reindexed = (
  contents: Contents<Thing>,
  attribute: keyof typeof lookup,
  part: Partial<Contents<Thing>["indexes"][number]>
) => {
  const slot = Object.keys(lookup).indexOf(attribute)
  return spoilt(contents, { indexes: contents.indexes.with(slot, spoilt(contents.indexes[slot]!, part)) })
}

describe("violations of contents", () => {
  it.effect("none in sound contents", () =>
    Effect.gen(function*() {
      const contents = yield* made
      assert.deepStrictEqual(violations(contents), [])
      const empty = yield* Registry.make<Thing>()({ lookup })
      assert.deepStrictEqual(violations(published(empty)), [])
      const pending = spoilt(published(empty), { populated: false })
      assert.deepStrictEqual(violations(pending), [])
    }))

  it.effect("Pending contents with items", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(violations(spoilt(yield* made, { populated: false })), [
        "It is Pending, and holds " +
        `[{"id":1,"aliases":["a","b"],"kind":"k","tags":["t","u"]},{"id":2,"tags":["t"]},{"id":3,"aliases":["c"],"kind":"k","tags":[]}].`
      ])
    }))

  it.effect("a wrong size", () =>
    Effect.gen(function*() {
      const wrong = violations(spoilt(yield* made, { size: 2 }))
      assert.deepStrictEqual(wrong, ["Its size is 2, and it holds 3 items."])
    }))

  it.effect("an item that is not found, or another is found in its place", () =>
    Effect.gen(function*() {
      const contents = yield* made
      const other = contents.indexes[0]!.get(3)
      for (const found of [undefined, other]) {
        const indexes = contents.indexes.with(
          0,
          spoilt(contents.indexes[0]!, { entry: (key) => key === 2 ? found : contents.indexes[0]!.entry(key) })
        )
        assert.deepStrictEqual(violations(spoilt(contents, { indexes })), [
          `{"id":2,"tags":["t"]} is in, and is not contained.`
        ])
      }
    }))

  it.effect("two items that share a value of a unique lookup", () =>
    Effect.gen(function*() {
      const contents = yield* made
      const { definition } = contents
      const lookups = definition.lookups.map((each) => ({ ...each, unique: true }))
      assert.deepStrictEqual(violations(spoilt(contents, { definition: { ...definition, lookups } })), [
        `{"id":1,"aliases":["a","b"],"kind":"k","tags":["t","u"]} and {"id":3,"aliases":["c"],"kind":"k","tags":[]} have the same kind.`,
        `{"id":1,"aliases":["a","b"],"kind":"k","tags":["t","u"]} and {"id":2,"tags":["t"]} have the same tag.`
      ])
    }))

  it.effect("a key that finds no item, too few, other ones, or in another order", () =>
    Effect.gen(function*() {
      const contents = yield* made
      const [shownOne, shownTwo, shownThree] = [one, two, three].map((thing) => JSON.stringify(thing))
      const wrongs: ReadonlyArray<readonly [keyof typeof lookup, string | number, ReadonlyArray<Thing>, string]> = [
        ["id", 2, [], `By id 2 one finds [] instead of [${shownTwo}].`],
        ["id", 2, [one], `By id 2 one finds [${shownOne}] instead of [${shownTwo}].`],
        ["alias", "b", [], `By alias "b" one finds [] instead of [${shownOne}].`],
        ["tag", "t", [one], `By tag "t" one finds [${shownOne}] instead of [${shownOne},${shownTwo}].`],
        [
          "tag",
          "t",
          [one, three],
          `By tag "t" one finds [${shownOne},${shownThree}] instead of [${shownOne},${shownTwo}].`
        ],
        [
          "tag",
          "t",
          [two, one],
          `By tag "t" one finds [${shownTwo},${shownOne}] instead of [${shownOne},${shownTwo}].`
        ],
        ["tag", "u", [one, two], `By tag "u" one finds [${shownOne},${shownTwo}] instead of [${shownOne}].`]
      ]
      for (const [attribute, key, found, wrong] of wrongs) {
        const index = contents.indexes[Object.keys(lookup).indexOf(attribute)]!
        const items = (asked: unknown) => asked === key ? found : index.items(asked)
        assert.deepStrictEqual(violations(reindexed(contents, attribute, { items })), [wrong])
      }
    }))

  it.effect("a key that finds an absent item", () =>
    Effect.gen(function*() {
      const contents = yield* made
      const index = contents.indexes[2]!
      const wrong = violations(reindexed(contents, "kind", {
        keys: () => [...index.keys(), "gone"],
        items: (key) => key === "gone" ? [{ id: 4, tags: [] }] : index.items(key)
      }))
      assert.deepStrictEqual(wrong, [`By kind "gone" one finds [{"id":4,"tags":[]}], which is not in.`])
    }))
})
