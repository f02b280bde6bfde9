import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Ref, Scope } from "effect"
import { Lookup, Registry } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import type { Contents } from "../src/internal/contents.ts"
import { coreOf } from "../src/internal/coreOf.ts"
import { violations } from "../src/testing/invariants.ts"
import { a, b, c, d, Item, messageOf } from "./utils/items.ts"

class Items extends Registry.Service<Items, Item>()("test/Items", { lookup: ["id", "name"], defaults: [a] }) {}

const watched = RegistryTest.layerPedantic(Items)

describe("layerPedantic", () => {
  it.effect("lets pass what is as it should be: defaults, what was there before, and all that has gone again", () =>
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
      // it is as before, without the layer
      yield* Items.register(d)
      assert.deepStrictEqual([...(yield* Items.values)], [a, b, d])
    }).pipe(Effect.provide(Items.layer)))

  it.effect("dies with what is still registered when the test ends", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(
        Items.register(b).pipe(Effect.provide(watched.pipe(Layer.provideMerge(Items.layer))))
      )
      assert.match(messageOf(exit), /"test\/Items" is not as it should be.*still registered: .*item 2.*in a scope/)
      assert.notMatch(messageOf(exit), /item 1/)
    }))

  it.effect("makes the operation die whose change breaks an index, and publishes nothing", () =>
    Effect.gen(function*() {
      const registry = yield* Items
      yield* Items.populate
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(watched, scope)
      const index: { add: unknown } = coreOf(registry).published.ref.current.indexes[1]!
      index.add = () => index
      const exit = yield* Effect.exit(Items.register(b))
      assert.match(messageOf(exit), /By name "item 2" one finds \[\] instead of/)
      assert.strictEqual(yield* Items.size, 1)
      // whoever did not hear it then hears it now
      assert.match(messageOf(yield* Effect.exit(Scope.close(scope, Exit.void))), /By name "item 2"/)
    }).pipe(Effect.provide(Items.layer)))

  it.effect("notices a revision that is no next one", () =>
    Effect.gen(function*() {
      const registry = yield* Items
      yield* Items.populate
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(watched, scope)
      const { ref } = coreOf(registry).published
      const { revision } = ref.current
      for (const next of [revision - 1, revision, revision + 2]) {
        assert.throws(
          () => {
            ref.current = spoilt(ref.current, { revision: next })
          },
          `Revision ${next} comes after revision ${revision}.`
        )
      }
      yield* Effect.exit(Scope.close(scope, Exit.void))
    }).pipe(Effect.provide(Items.layer)))

  it.effect("notices that hooks were not told of what comes, or of what goes", () =>
    Effect.gen(function*() {
      const registry = yield* Items
      yield* Items.populate
      const { ref } = coreOf(registry).published
      const before = ref.current
      yield* Items.register(b)
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(watched, scope)
      const { current } = ref
      const publish = (contents: typeof before) => () => {
        ref.current = spoilt(contents, { revision: ref.current.revision + 1 })
      }
      const count = "hooks were told"
      assert.throws(publish(before), `"name":"item 2"}) is not registered, and ${count} 1 time(s) more that it came`)
      yield* Items.unregister(b)
      assert.throws(publish(current), `"name":"item 2"}) is registered, and ${count} 0 time(s) more that it came`)
      assert.strictEqual(yield* Items.size, 1)
      yield* Effect.exit(Scope.close(scope, Exit.void))
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
      assert.match(messageOf(exit), /still registered: Item\([^)]*"item 1"[^)]*\)\. Register it/)
    })
  })

  it.effect("what has the keys of what was there before is no other, nor what equals it where there are no keys", () =>
    Effect.gen(function*() {
      yield* Items.register(b)
      yield* Effect.provide(Items.replace("id", 2, new Item(2)), watched)
      const exit = yield* Effect.exit(Effect.provide(Items.replace("id", 2, new Item(2, "other")), watched))
      assert.match(messageOf(exit), /still registered: .*"other"/)

      class Notes extends Registry.Service<Notes, { id: number; readonly text: string }>()("test/Notes", {
        lookup: ["id"]
      }) {}
      yield* Effect.gen(function*() {
        const note = { id: 1, text: "before" }
        yield* Notes.register(note)
        const watchedNotes = RegistryTest.layerPedantic(Notes)
        yield* Effect.provide(Notes.replace("id", 1, { id: 1, text: "after" }), watchedNotes)
        yield* Notes.replace("id", 1, note)
        // nor is the thing itself, whatever has become of its keys
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
        assert.match(messageOf(left), /still registered: \{"word":"b"\}\./)
      }).pipe(Effect.provide(Words.layer))
    }).pipe(Effect.provide(Items.layer)))

  it.effect("says nothing about a registry that has closed before it", () =>
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

const contentsOf = <Item, Lookups>(registry: Registry.Registry<Item, Lookups>): Contents<Item> =>
  Ref.getUnsafe(coreOf(registry).published)

/** The same, but for a part. */
const spoilt = <A extends object>(whole: A, part: { readonly [P in keyof A]?: A[P] }): A =>
  Object.create(whole, Object.getOwnPropertyDescriptors(part))

const made = Effect.gen(function*() {
  const registry = yield* Registry.make<Thing>()({ lookup, defaults: [one, two, three] })
  yield* Effect.orDie(Registry.populate(registry))
  return contentsOf(registry as Registry.Registry<Thing, typeof lookup>)
})

/** With another index in the place of that of an attribute. */
const reindexed = (
  contents: Contents<Thing>,
  attribute: keyof typeof lookup,
  part: Partial<Contents<Thing>["indexes"][number]>
) => {
  const slot = Object.keys(lookup).indexOf(attribute)
  return spoilt(contents, { indexes: contents.indexes.with(slot, spoilt(contents.indexes[slot]!, part)) })
}

describe("what is wrong with contents", () => {
  it.effect("nothing, as a rule", () =>
    Effect.gen(function*() {
      const contents = yield* made
      assert.deepStrictEqual(violations(contents), [])
      const empty = yield* Registry.make<Thing>()({ lookup })
      assert.deepStrictEqual(violations(contentsOf(empty)), [])
      const pending = spoilt(contentsOf(empty), { populated: false })
      assert.deepStrictEqual(violations(pending), [])
    }))

  it.effect("it holds something, and is Pending", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(violations(spoilt(yield* made, { populated: false })), [
        "It is Pending, and holds " +
        `[{"id":1,"aliases":["a","b"],"kind":"k","tags":["t","u"]},{"id":2,"tags":["t"]},{"id":3,"aliases":["c"],"kind":"k","tags":[]}].`
      ])
    }))

  it.effect("its size is another than that of what it holds", () =>
    Effect.gen(function*() {
      const wrong = violations(spoilt(yield* made, { size: 2 }))
      assert.deepStrictEqual(wrong, ["Its size is 2, and it holds 3 items."])
    }))

  it.effect("an item is in, and not found, or another in its place", () =>
    Effect.gen(function*() {
      const contents = yield* made
      const entry = { ...contents.identity.find(contents.order, two)! }
      for (const found of [undefined, { ...entry, item: { ...two } }]) {
        const identity = spoilt(contents.identity, {
          find: (order, item) => item === two ? found : contents.identity.find(order, item)
        })
        const indexes = contents.indexes.with(0, spoilt(contents.indexes[0]!, { get: () => undefined }))
        assert.deepStrictEqual(violations(spoilt(contents, { identity, indexes })), [
          `{"id":2,"tags":["t"]} is in, and is not contained.`
        ])
      }
    }))

  it.effect("two items have one value of a unique lookup", () =>
    Effect.gen(function*() {
      const contents = yield* made
      const { definition } = contents
      const lookups = definition.lookups.map((each) => ({ ...each, unique: true }))
      assert.deepStrictEqual(violations(spoilt(contents, { definition: { ...definition, lookups } })), [
        `{"id":1,"aliases":["a","b"],"kind":"k","tags":["t","u"]} and {"id":3,"aliases":["c"],"kind":"k","tags":[]} have the same kind.`,
        `{"id":1,"aliases":["a","b"],"kind":"k","tags":["t","u"]} and {"id":2,"tags":["t"]} have the same tag.`
      ])
    }))

  it.effect("a key leads to nothing, to less, to others, or to others first", () =>
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
        const getAll = (asked: unknown) => asked === key ? found : index.getAll(asked)
        assert.deepStrictEqual(violations(reindexed(contents, attribute, { getAll })), [wrong])
      }
    }))

  it.effect("a key leads to what is not in", () =>
    Effect.gen(function*() {
      const contents = yield* made
      const index = contents.indexes[2]!
      const wrong = violations(reindexed(contents, "kind", {
        keys: () => [...index.keys(), "gone"],
        getAll: (key) => key === "gone" ? [{ id: 4, tags: [] }] : index.getAll(key)
      }))
      assert.deepStrictEqual(wrong, [`By kind "gone" one finds [{"id":4,"tags":[]}], which is not in.`])
    }))
})
