import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { Lookup, Registry, RegistryError } from "effect-registry"
import { contradictions } from "./utils/inside.ts"
import { a, b, c, d, Item, recording } from "./utils/items.ts"

const make = Registry.make<Item>()({ lookup: ["id", "name"], defaults: [a, b, c] })

/** What is typed, and not run. */
const never = (f: () => unknown) => assert.isFunction(f)

const ids = <P>(registry: Registry.Registry<Item, any, P, any>) =>
  Effect.map(Registry.values(registry), (list) => list.map(({ id }) => id))

describe("insert", () => {
  const positions: ReadonlyArray<readonly [Registry.Position<"id", number>, ReadonlyArray<number>]> = [
    ["first", [4, 1, 2, 3]],
    ["last", [1, 2, 3, 4]],
    [{ before: ["id", 1] }, [4, 1, 2, 3]],
    [{ before: ["id", 3] }, [1, 2, 4, 3]],
    [{ after: ["id", 1] }, [1, 4, 2, 3]],
    [{ after: ["id", 3] }, [1, 2, 3, 4]],
    [{ at: 0 }, [4, 1, 2, 3]],
    [{ at: 2 }, [1, 2, 4, 3]],
    [{ at: 3 }, [1, 2, 3, 4]],
    [{ at: 99 }, [1, 2, 3, 4]],
    [{ at: -1 }, [1, 2, 3, 4]],
    [{ at: -2 }, [1, 2, 4, 3]],
    [{ at: -99 }, [4, 1, 2, 3]],
    [{ at: NaN }, [4, 1, 2, 3]],
    [{ at: 1.9 }, [1, 4, 2, 3]]
  ]
  for (const [position, expected] of positions) {
    it.effect(`adds an item in its place: ${JSON.stringify(position)}`, () =>
      Effect.gen(function*() {
        const registry = yield* make
        yield* Registry.insert(registry, d, position)
        assert.deepStrictEqual(yield* ids(registry), expected)
        yield* Registry.register(registry, new Item(5))
        assert.deepStrictEqual(yield* ids(registry), [...expected, 5])
        assert.deepStrictEqual(contradictions(registry), [])
      }))
  }

  it.effect("fails, and changes nothing, where the place is not there, the attribute is none, or the item is refused", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const missing = yield* Effect.flip(Registry.insert(registry, d, { before: ["id", 9] }))
      assert.instanceOf(missing, RegistryError.ItemLookupError)
      assert.strictEqual(missing.code, "not_registered")
      const invalid = yield* Effect.flip(Registry.insert(registry, d, { after: ["nope" as "id", 9] }))
      assert.strictEqual(invalid.code, "invalid_attribute")
      const taken = yield* Effect.flip(Registry.insert(registry, new Item(1, "other"), "first"))
      assert.strictEqual(taken.code, "attribute_registered")
      assert.deepStrictEqual(yield* ids(registry), [1, 2, 3])
    }))

  it.effect("asks hooks and tells them as register does", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: recording(log) })
      yield* Registry.insert(registry, a, "first")
      assert.deepStrictEqual(log.slice(-2), ["registering 1", "registered 1"])
    }))
})

describe("move", () => {
  const positions: ReadonlyArray<
    readonly [id: number, Registry.Position<"name", string>, ReadonlyArray<number>]
  > = [
    [1, "last", [2, 3, 1]],
    [3, "first", [3, 1, 2]],
    [1, { before: ["name", "item 3"] }, [2, 1, 3]],
    [1, { after: ["name", "item 2"] }, [2, 1, 3]],
    [3, { before: ["name", "item 2"] }, [1, 3, 2]],
    [3, { after: ["name", "item 1"] }, [1, 3, 2]],
    [2, { at: 0 }, [2, 1, 3]],
    [1, { at: 1 }, [2, 1, 3]],
    [2, { at: 2 }, [1, 3, 2]],
    [1, { at: -1 }, [2, 3, 1]],
    [1, { at: -2 }, [2, 1, 3]]
  ]
  for (const [id, position, expected] of positions) {
    it.effect(`of ${id} to its place: ${JSON.stringify(position)}`, () =>
      Effect.gen(function*() {
        const registry = yield* make
        yield* Registry.move(registry, "id", id, position)
        assert.deepStrictEqual(yield* ids(registry), expected)
        assert.deepStrictEqual(contradictions(registry), [])
      }))
  }

  it.effect("to where the item is changes nothing: no revision, no event, no hook", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const before = yield* Registry.snapshot(registry)
      const stays: ReadonlyArray<Registry.Position<"id", number>> = [
        { at: 1 },
        { at: -2 },
        { before: ["id", 2] },
        { after: ["id", 2] },
        { before: ["id", 3] },
        { after: ["id", 1] }
      ]
      for (const position of stays) yield* Registry.move(registry, "id", 2, position)
      yield* Registry.move(registry, "id", 1, "first")
      yield* Registry.move(registry, "id", 3, "last")
      assert.strictEqual(yield* Registry.snapshot(registry), before)
    }))

  it.effect("calls no hook, and a failure around it takes it back", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: recording(log), defaults: [a, b, c] })
      yield* Registry.populate(registry)
      log.length = 0
      yield* Registry.move(registry, "id", 3, "first")
      yield* Effect.ignore(
        Registry.transact(registry, Effect.andThen(Registry.move(registry, "id", 2, "first"), Effect.fail("no")))
      )
      assert.deepStrictEqual(log, [])
      assert.deepStrictEqual(yield* ids(registry), [3, 1, 2])
    }))

  it.effect("fails where the item, or the place, is not there", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const errors = [Registry.move(registry, "id", 9, "first"), Registry.move(registry, "id", 1, { after: ["id", 8] })]
      const found = yield* Effect.forEach(errors, (error) => Effect.flip(error))
      assert.deepStrictEqual(
        found.map((error) => error._tag === "ItemLookupError" && [error.code, error.value]),
        [["not_registered", 9], ["not_registered", 8]]
      )
    }))

  it.effect("G27 an item that was moved stays its registration: it goes with its scope, and keeps its owner", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const scope = yield* Scope.make()
      yield* Registry.registerScoped(registry, d).pipe(
        Effect.provideService(Registry.Owner, "plugin"),
        Scope.provide(scope)
      )
      yield* Registry.move(registry, "id", 4, "first")
      yield* Registry.replace(registry, "id", 4, new Item(4, "amended"))
      assert.deepStrictEqual(yield* ids(registry), [4, 1, 2, 3])
      const explained = yield* Registry.explain(registry, "id", 4)
      assert.strictEqual(explained._tag === "Present" && explained.owner, "plugin")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* ids(registry), [1, 2, 3])
    }))

  it.effect("an item that an override hides comes back where it was, among what moved around it", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.override(registry, new Item(2, "fake"))
        yield* Registry.move(registry, "id", 3, "first")
        yield* Registry.move(registry, "id", 2, { before: ["id", 1] })
        assert.deepStrictEqual(yield* ids(registry), [3, 2, 1])
        for (let i = 10; i < 200; i++) yield* Registry.insert(registry, new Item(i), { after: ["id", 1] })
        assert.deepStrictEqual(contradictions(registry), [])
      }))
      const all = yield* ids(registry)
      assert.deepStrictEqual([all.slice(0, 2), all.at(-1)], [[3, 1], 2])
      assert.deepStrictEqual(all.slice(2, -1), Array.from({ length: 190 }, (_, i) => 199 - i))
    }))

  it.effect("what a reset took out comes back in the order in which it had been moved", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.registerAllScoped(registry, [d, new Item(5), new Item(6)])
      yield* Registry.move(registry, "id", 6, "first")
      yield* Registry.reset(registry)
      assert.deepStrictEqual(yield* ids(registry), [1, 2, 3, 6, 4, 5])
    }))

  it("the types of attributes and values are checked", () => {
    never(() =>
      Effect.gen(function*() {
        const lookup = { id: Lookup.unique((item: Item) => item.id), name: Lookup.group((item: Item) => item.name) }
        const registry = yield* Registry.make<Item>()({ lookup })
        expectTypeOf(Registry.insert(registry, a, "first")).toEqualTypeOf<
          Effect.Effect<
            void,
            | RegistryError.AlreadyRegisteredError
            | RegistryError.RegistrationError
            | RegistryError.ItemLookupError
          >
        >()
        expectTypeOf(registry.pipe(Registry.move("id", 1, "first"))).toEqualTypeOf<
          Effect.Effect<void, RegistryError.ItemLookupError>
        >()
        yield* registry.pipe(Registry.insert(a, { before: ["id", 1] }))
        yield* registry.pipe(Registry.move("id", 1, { after: ["id", 2] }))
        // @ts-expect-error a value of another type
        yield* Registry.insert(registry, a, { before: ["id", "1"] })
        // @ts-expect-error a group is no place
        yield* Registry.insert(registry, a, { before: ["name", "1"] })
        // @ts-expect-error no such place
        yield* Registry.move(registry, "id", 1, "middle")
        // @ts-expect-error a value of another type
        yield* registry.pipe(Registry.insert(a, { before: ["id", "1"] }))
        // @ts-expect-error a group is no place
        yield* registry.pipe(Registry.move("id", 1, { after: ["name", "2"] }))
      })
    )
  })
})

describe("places", () => {
  for (const position of [{ before: ["id", -1] }, { after: ["id", 0] }] as const) {
    it.effect(`a hundred thousand items find one ${JSON.stringify(position)}`, () =>
      Effect.gen(function*() {
        const count = 100_000
        const registry = yield* Registry.make<{ readonly id: number }>()({ lookup: ["id"], history: 0 })
        yield* Registry.registerAll(registry, [{ id: 0 }, { id: -1 }])
        yield* Registry.transact(
          registry,
          Effect.gen(function*() {
            for (let id = 1; id <= count; id++) yield* Registry.insert(registry, { id }, position)
          })
        )
        const [first, ...rest] = (yield* Registry.values(registry)).map(({ id }) => id)
        assert.strictEqual(first, 0)
        assert.strictEqual(rest.pop(), -1)
        const expected = Array.from({ length: count }, (_, i) => "before" in position ? i + 1 : count - i)
        assert.deepStrictEqual(rest, expected)
        assert.deepStrictEqual(contradictions(registry), [])
      }), 60_000)
  }
})
