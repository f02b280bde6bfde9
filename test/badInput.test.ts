import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, type Layer, Option, Schema, Stream } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { valuesByLookup } from "./utils/inside.ts"

interface Card {
  readonly id: number
  readonly name?: string | undefined
  readonly aliases?: ReadonlyArray<string | undefined>
  readonly kind?: string | undefined
  readonly tags?: ReadonlyArray<string | undefined>
}

const makeCards = (
  messages?: RegistryError.Messages,
  hooks: RegistryHooks.RegistryHooks<Card> = RegistryHooks.empty
) =>
  Registry.make<Card>()({
    name: "cards",
    lookup: {
      id: Lookup.unique((one) => one.id),
      name: Lookup.unique((one) => one.name),
      alias: Lookup.uniqueEach((one) => one.aliases!),
      kind: Lookup.group((one) => one.kind),
      tag: Lookup.groupEach((one) => one.tags!)
    },
    label: (one) => one.name!,
    defaults: [ace, king],
    messages,
    hooks
  })

const card = (id: number, more: Partial<Card> = {}): Card => ({
  id,
  name: `card ${id}`,
  aliases: [`c${id}`],
  kind: "plain",
  tags: ["red"],
  ...more
})

const ace: Card = card(1, { name: "ace", aliases: ["a", "one"], tags: ["red", "high"] })
const king: Card = card(13, { name: "king", aliases: ["k"], kind: "court", tags: ["high"] })

type Cards = Effect.Success<ReturnType<typeof makeCards>>
type AnyRegistry = Registry.Registry<any, any, any, any>

/** The operations as untyped code sees them. */
const untyped = Registry as unknown as Record<string, (...args: ReadonlyArray<unknown>) => Effect.Effect<any, any>>

/** Everything that a user can see of a registry. */
const look = (registry: AnyRegistry) =>
  Effect.gen(function*() {
    const snapshot = yield* Registry.snapshot(registry)
    const asked = valuesByLookup(registry).map(([attribute, keys]) => [
      attribute,
      keys.map((key) => [key, (RegistrySnapshot.getAll as any)(snapshot, attribute, key)])
    ])
    return {
      state: yield* Registry.state(registry),
      size: yield* Registry.size(registry),
      revision: RegistrySnapshot.revision(snapshot),
      values: [...(yield* Registry.values(registry))],
      asked
    }
  })

let fresh = 1_000

/** Runs an attempt that must leave no trace, and checks that the registry has not changed and works. */
const unchanged = <A, E>(
  registry: AnyRegistry,
  attempt: Effect.Effect<A, E>,
  next: () => unknown = () => card(fresh++)
): Effect.Effect<Exit.Exit<A, E>> =>
  Effect.gen(function*() {
    const before = yield* look(registry)
    const exit = yield* Effect.exit(attempt)
    assert.deepStrictEqual(yield* look(registry), before, "nothing has changed")
    assert.isTrue((yield* Registry.values(registry)).every((item, i) => item === before.values[i]))
    const item = next()
    yield* Effect.orDie(Registry.register(registry, item))
    assert.isTrue(yield* Registry.contains(registry, item), "it still works")
    assert.strictEqual(yield* Registry.size(registry), before.size + 1)
    yield* Effect.orDie(Registry.unregister(registry, item))
    assert.strictEqual(yield* Registry.size(registry), before.size)
    return exit
  }) as Effect.Effect<Exit.Exit<A, E>>

const failed = <E>(exit: Exit.Exit<unknown, E>): E => {
  assert.isTrue(Exit.isFailure(exit))
  const error = Exit.isFailure(exit) ? Cause.findErrorOption(exit.cause) : Option.none()
  assert.isTrue(Option.isSome(error), `a typed failure, not ${String(exit)}`)
  return Option.getOrThrow(error)
}

const died = (exit: Exit.Exit<unknown, unknown>): any => {
  assert.isTrue(Exit.isFailure(exit))
  const reasons = Exit.isFailure(exit) ? exit.cause.reasons : []
  assert.deepStrictEqual(reasons.map((reason) => reason._tag), ["Die"])
  return (reasons[0] as Cause.Die).defect
}

/** A message names all of these. */
const says = (error: { readonly message: string }, ...words: ReadonlyArray<string>) => {
  for (const word of words) assert.include(error.message, word)
}

const isInvalid = (error: any, attribute: string, suggestions: ReadonlyArray<string>) => {
  assert.instanceOf(error, RegistryError.ItemLookupError)
  assert.strictEqual(error.code, "invalid_attribute")
  assert.strictEqual(error.registry, "cards")
  assert.strictEqual(error.attribute, attribute)
  assert.strictEqual(error.value, "x")
  assert.deepStrictEqual(error.suggestions, suggestions)
  says(error, "cards", `"${attribute}"`, ...suggestions)
}

const define = (options: unknown) => Effect.exit(Registry.make<any>()(options as any))

const thrower = (what: string) => () => {
  throw new Error(what)
}

const another = () => ({ id: fresh++ })

/** Items that cannot be printed. */
const hostile = (id: number): ReadonlyArray<any> => [
  { id, toString: thrower("toString") },
  { id, toString: 5 },
  { id, toString: () => 5 },
  { id, toJSON: thrower("toJSON") },
  { id, [Symbol.for("nodejs.util.inspect.custom")]: thrower("inspect") },
  { id, [Symbol.iterator]: thrower("iterator") },
  { id, [Symbol.toPrimitive]: thrower("toPrimitive") },
  Object.assign(Object.create(null), { id }),
  (() => {
    const cyclic: any = { id }
    cyclic.self = cyclic
    return cyclic
  })(),
  { id, long: "x".repeat(100_000) }
]

/** Items that cannot be compared either. */
const incomparable = (id: number): ReadonlyArray<any> => [
  Object.defineProperty({ id }, "secret", { enumerable: true, get: thrower("getter") }),
  Object.defineProperty({ id }, "constructor", { enumerable: true, get: thrower("constructor") }),
  Object.defineProperty({ id }, Symbol.toStringTag, { enumerable: true, get: thrower("tag") }),
  new Proxy({ id }, { ownKeys: thrower("ownKeys") })
]

const change = (registry: Cards) => Registry.replace(registry, "id", 1, card(2))

const fillAgain = (registry: Cards) =>
  Registry.transact(registry, Effect.andThen(Registry.reset(registry), Registry.populate(registry)))

describe("bad input", () => {
  // -------------------------------------------------------------------------------------------------------------------
  // Items
  // -------------------------------------------------------------------------------------------------------------------

  describe("an item that fails its schema", () => {
    class Language extends Schema.Class<Language>("Language")({
      id: Schema.Number,
      names: Schema.Array(Schema.String)
    }) {}

    const make = Registry.make<Language>()({
      name: "languages",
      schema: Language,
      lookup: { id: Lookup.unique((language) => language.id) },
      defaults: [new Language({ id: 1, names: ["one"] })]
    })
    const next = () => new Language({ id: fresh++, names: [] })

    it.effect("is refused with the issue by every operation", () =>
      Effect.gen(function*() {
        const registry = yield* make
        const plain: any = { id: 2, names: ["two"] }
        for (const bad of [plain, null, undefined, 5, "x", {}, []]) {
          for (
            const attempt of [
              Registry.register(registry, bad),
              Registry.registerAll(registry, [next(), bad]),
              Registry.upsert(registry, bad),
              Registry.replace(registry, "id", 1, bad),
              Effect.scoped(Registry.registerScoped(registry, bad)),
              Effect.scoped(Registry.registerAllScoped(registry, [next(), bad]))
            ]
          ) {
            const error = failed(yield* unchanged(registry, attempt, next))
            assert.instanceOf(error, RegistryError.RegistrationError)
            if (error._tag !== "RegistrationError") return
            assert.strictEqual(error.code, "invalid_item")
            assert.strictEqual(error.registry, "languages")
            assert.strictEqual(error.item, bad)
            assert.isString(error.issue)
            says(error, "languages", error.issue!)
          }
        }
      }))

    it.effect("is refused with the path of the wrong field", () =>
      Effect.gen(function*() {
        const schema = Schema.Struct({ id: Schema.Number, names: Schema.Array(Schema.String) })
        const registry = yield* Registry.make<typeof schema.Type>()({ name: "named", schema, lookup: ["id"] })
        const broken: any = { id: 2, names: ["two", 3] }
        const error = failed(
          yield* unchanged(registry, Registry.register(registry, broken), () => ({ id: fresh++, names: [] }))
        )
        assert.strictEqual(error.code, "invalid_item")
        says(error, "named", "register 2", "[\"names\"][1]")
      }))

    it.effect("makes the population fail as a whole", () =>
      Effect.gen(function*() {
        let bad = true
        const registry = yield* Registry.make<Language>()({
          name: "languages",
          schema: Language,
          lookup: { id: Lookup.unique((language) => language.id) },
          defaults: Effect.sync(() => [next(), bad ? { id: "two" } as any : next()])
        })
        const error = yield* Effect.flip(Registry.values(registry))
        assert.instanceOf(error, RegistryError.PopulationError)
        assert.strictEqual(error.code, "registration")
        assert.strictEqual(error.cause.code, "invalid_item")
        assert.strictEqual(error.cause.registry, "languages")
        says(error, "languages", "two")
        assert.strictEqual(yield* Registry.state(registry), "Pending")
        assert.strictEqual(RegistrySnapshot.size(Registry.snapshotUnsafe(registry)), 0)
        bad = false
        assert.strictEqual(yield* Registry.size(registry), 2)
      }))

    it.effect("is validated by the type side, and never transformed", () =>
      Effect.gen(function*() {
        const schema = Schema.Struct({ id: Schema.NumberFromString, at: Schema.Date })
        const registry = yield* Registry.make<typeof schema.Type>()({ name: "dated", schema, lookup: ["id"] })
        const item = { id: 1, at: new Date(0) }
        yield* Registry.register(registry, item)
        assert.strictEqual((yield* Registry.values(registry))[0], item)
        const encoded = failed(
          yield* unchanged(registry, untyped["register"]!(registry, { id: "2", at: item.at }), () => ({
            id: fresh++,
            at: new Date(fresh)
          }))
        )
        assert.strictEqual(encoded.code, "invalid_item")
        assert.strictEqual(encoded.registry, "dated")
      }))
  })

  describe("an item that lacks an attribute", () => {
    it.effect("is refused with the first missing attribute in the order of the definition", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        const lacking: ReadonlyArray<readonly [string, Card]> = [
          ["name", card(2, { name: undefined })],
          ["alias", card(2, { aliases: undefined as any })],
          ["alias", card(2, { aliases: ["b", undefined] })],
          ["kind", card(2, { kind: undefined })],
          ["tag", card(2, { tags: ["red", undefined, "red"] })],
          ["name", { id: 2 }],
          ["id", {} as any]
        ]
        for (const [attribute, item] of lacking) {
          for (
            const attempt of [
              Registry.register(registry, item),
              Registry.registerAll(registry, [card(3), item, card(4)]),
              Registry.upsert(registry, item),
              Registry.replace(registry, "name", "ace", item),
              Effect.scoped(Registry.registerAllScoped(registry, [card(3), item]))
            ]
          ) {
            const error = failed(yield* unchanged<unknown, { readonly _tag: string }>(registry, attempt))
            if (!(error instanceof RegistryError.RegistrationError)) return assert.fail(error._tag)
            assert.strictEqual(error.code, "missing_attribute")
            assert.strictEqual(error.registry, "cards")
            assert.strictEqual(error.attribute, attribute)
            assert.strictEqual(error.item, item)
            says(error, "cards", attribute, "optional")
          }
        }
      }))

    it.effect("is refused before any hook is called", () =>
      Effect.gen(function*() {
        const called: Array<number> = []
        const registry = yield* makeCards(
          undefined,
          RegistryHooks.make<Card>()({ onItemRegistering: (item) => Effect.sync(() => called.push(item.id)) })
        )
        yield* Registry.populate(registry)
        called.length = 0
        yield* Effect.exit(Registry.register(registry, { id: 2 }))
        yield* Effect.exit(Registry.register(registry, card(2, { name: "ace" })))
        yield* Effect.exit(Registry.upsert(registry, { id: 2 }))
        yield* Effect.exit(Registry.replace(registry, "id", 1, { id: 2 }))
        yield* Effect.exit(Registry.replace(registry, "id", 99, card(2)))
        assert.deepStrictEqual(called, [])
      }))

    it.effect("is accepted where the lookup is optional", () =>
      Effect.gen(function*() {
        const registry = yield* Registry.make<Card>()({
          lookup: {
            id: Lookup.unique((one) => one.id),
            alias: Lookup.optional(Lookup.uniqueEach((one) => one.aliases!)),
            kind: Lookup.optional(Lookup.group((one) => one.kind))
          }
        })
        yield* Registry.registerAll(registry, [
          { id: 1 },
          { id: 2, aliases: [undefined, "b", undefined] },
          { id: 3, aliases: [] }
        ])
        assert.strictEqual(yield* Registry.size(registry), 3)
        assert.deepStrictEqual((yield* Registry.getAll(registry, "alias", "b")).map((one) => one.id), [2])
        assert.isFalse(yield* untyped["has"]!(registry, "alias", undefined))
        assert.isFalse(yield* untyped["has"]!(registry, "kind", undefined))
      }))

    it.effect("is refused if it is not an object, where lookups are property names", () =>
      Effect.gen(function*() {
        const registry = yield* Registry.make<{ readonly id: number }>()({ name: "ids", lookup: ["id"] })
        for (const bad of [null, undefined, 5, {}, []]) {
          const error = failed(
            yield* unchanged(registry, untyped["register"]!(registry, bad), () => ({ id: fresh++ }))
          )
          assert.strictEqual(error.code, "missing_attribute")
          assert.strictEqual(error.attribute, "id")
        }
      }))
  })

  describe("an item that repeats a value", () => {
    it.effect("G11 is refused with the attribute, the value and the holder", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        const repeating: ReadonlyArray<readonly [string, unknown, Card, Card]> = [
          ["id", 1, ace, card(1)],
          ["name", "king", king, card(2, { name: "king" })],
          ["alias", "one", ace, card(2, { aliases: ["two", "one", "k"] })],
          ["id", 13, king, card(13, { name: "ace", aliases: ["a"] })]
        ]
        for (const [attribute, value, holder, item] of repeating) {
          for (
            const attempt of [
              Registry.register(registry, item),
              Registry.registerAll(registry, [card(3), item]),
              Effect.scoped(Registry.registerScoped(registry, item))
            ]
          ) {
            const error = failed(yield* unchanged(registry, attempt))
            if (error._tag !== "AlreadyRegisteredError") return assert.fail(error._tag)
            assert.strictEqual(error.code, "attribute_registered")
            assert.strictEqual(error.registry, "cards")
            assert.strictEqual(error.attribute, attribute)
            assert.strictEqual(error.value, value)
            assert.strictEqual(error.existing, holder)
            assert.strictEqual(error.item, item)
            says(error, "cards", attribute, JSON.stringify(value), holder.name!)
          }
        }
      }))

    it.effect("G11 is refused for a value of another item in the same list", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        const [first, second] = [card(3, { aliases: ["x", "y"] }), card(4, { aliases: ["z", "y"] })]
        const error = failed(yield* unchanged(registry, Registry.registerAll(registry, [first, second])))
        if (error._tag !== "AlreadyRegisteredError") return assert.fail(error._tag)
        assert.strictEqual(error.attribute, "alias")
        assert.strictEqual(error.value, "y")
        assert.strictEqual(error.existing, first)
      }))

    it.effect("G11 is refused as already registered if it equals a registered item", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        for (const item of [ace, { ...ace, aliases: [...ace.aliases!] }]) {
          const error = failed(yield* unchanged(registry, Registry.register(registry, item)))
          if (error._tag !== "AlreadyRegisteredError") return assert.fail(error._tag)
          assert.strictEqual(error.code, "already_registered")
          assert.strictEqual(error.registry, "cards")
          assert.strictEqual(error.item, item)
          says(error, "cards", "ace")
        }
      }))

    it.effect("G11 may list a value twice, which counts once", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        const item = card(2, { aliases: ["b", "b", "b"], tags: ["red", "red"] })
        yield* Registry.register(registry, item)
        assert.strictEqual(yield* Registry.get(registry, "alias", "b"), item)
        assert.deepStrictEqual(yield* Registry.getAll(registry, "tag", "red"), [ace, item])
        yield* Registry.unregister(registry, item)
        assert.isFalse(yield* Registry.has(registry, "alias", "b"))
        assert.deepStrictEqual(yield* Registry.getAll(registry, "tag", "red"), [ace])
      }))

    it.effect("G11 is refused as a replacement, but may repeat the values of the replaced item", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        const taking = card(1, { name: "new ace", aliases: ["a", "k"] })
        const error = failed(yield* unchanged(registry, Registry.replace(registry, "id", 1, taking)))
        if (error._tag !== "AlreadyRegisteredError") return assert.fail(error._tag)
        assert.strictEqual(error.attribute, "alias")
        assert.strictEqual(error.value, "k")
        assert.strictEqual(error.existing, king)
        const fine = card(1, { name: "ace", aliases: ["one"] })
        yield* Registry.replace(registry, "id", 1, fine)
        assert.deepStrictEqual(yield* Registry.values(registry), [fine, king])
        assert.isFalse(yield* Registry.has(registry, "alias", "a"))
      }))

    it.effect("G11 is refused by upsert for a value of a third item", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        const error = failed(yield* unchanged(registry, Registry.upsert(registry, card(1, { name: "king" }))))
        if (error._tag !== "AlreadyRegisteredError") return assert.fail(error._tag)
        assert.strictEqual(error.attribute, "name")
        assert.strictEqual(error.existing, king)
      }))
  })

  // -------------------------------------------------------------------------------------------------------------------
  // Questions
  // -------------------------------------------------------------------------------------------------------------------

  describe("an unknown attribute, from untyped code", () => {
    const attributes = ["nope", "", "__proto__", "constructor", "toString", "hasOwnProperty"]

    it.effect("is invalid_attribute where ItemLookupError is in the type, and a defect where it is not", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        for (const attribute of attributes) {
          for (
            const attempt of [
              untyped["get"]!(registry, attribute, "x"),
              untyped["unregisterBy"]!(registry, attribute, "x"),
              untyped["replace"]!(registry, attribute, "x", card(2))
            ]
          ) isInvalid(failed(yield* unchanged(registry, attempt)), attribute, ["id", "name", "alias"])
          isInvalid(died(yield* unchanged(registry, untyped["getOption"]!(registry, attribute, "x"))), attribute, [
            "id",
            "name",
            "alias"
          ])
          for (const operation of ["getAll", "has"]) {
            isInvalid(died(yield* unchanged(registry, untyped[operation]!(registry, attribute, "x"))), attribute, [
              "id",
              "name",
              "alias",
              "kind",
              "tag"
            ])
          }
        }
      }))

    it.effect("is invalid_attribute for a group lookup, where get wants one item", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        for (
          const attempt of [
            untyped["get"]!(registry, "kind", "plain"),
            untyped["unregisterBy"]!(registry, "kind", "plain"),
            untyped["replace"]!(registry, "tag", "red", card(2))
          ]
        ) {
          const error = failed(yield* unchanged(registry, attempt))
          assert.instanceOf(error, RegistryError.ItemLookupError)
          assert.strictEqual(error.code, "invalid_attribute")
          assert.deepStrictEqual(error.suggestions, ["id", "name", "alias"])
          says(error, "cards", error.attribute!)
        }
        const defect = died(yield* unchanged(registry, untyped["getOption"]!(registry, "kind", "plain")))
        assert.instanceOf(defect, RegistryError.ItemLookupError)
        assert.strictEqual(defect.code, "invalid_attribute")
        assert.strictEqual(defect.attribute, "kind")
      }))

    it.effect("is one clear error even if it is not a string", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        for (const attribute of [undefined, null, 5, Symbol("id"), {}, ["id"], Object.create(null)]) {
          const error = failed(yield* unchanged(registry, untyped["get"]!(registry, attribute, 1)))
          assert.instanceOf(error, RegistryError.ItemLookupError)
          assert.strictEqual(error.code, "invalid_attribute")
          assert.isString(error.message)
          assert.instanceOf(
            died(yield* unchanged(registry, untyped["has"]!(registry, attribute, 1))),
            RegistryError.ItemLookupError
          )
        }
      }))

    it.effect("gets a message that fits a registry without unique lookups, and one without lookups", () =>
      Effect.gen(function*() {
        const groups = yield* Registry.make<Card>()({
          name: "groups",
          lookup: { kind: Lookup.group((one) => one.kind) }
        })
        const group = failed(yield* Effect.exit(untyped["get"]!(groups, "kind", "plain")))
        says(group, "groups", "kind", "It has none")
        const plain = yield* Registry.make<string>()({ name: "plain", lookup: [] })
        const none = died(yield* Effect.exit(untyped["getAll"]!(plain, "kind", "plain")))
        assert.deepStrictEqual(none.suggestions, [])
        says(none, "plain", "kind", "It has none")
      }))

    it.effect("finds nothing by a value of another type", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        for (const value of ["1", null, undefined, NaN, {}, [1], true, Symbol("1"), () => 1]) {
          const error = failed(yield* unchanged(registry, untyped["get"]!(registry, "id", value)))
          assert.strictEqual(error.code, "not_registered")
          assert.strictEqual(error.attribute, "id")
          assert.isTrue(Object.is(error.value, value))
          says(error, "cards", "id")
          assert.isTrue(Option.isNone(yield* untyped["getOption"]!(registry, "id", value)))
          assert.deepStrictEqual(yield* untyped["getAll"]!(registry, "id", value), [])
          assert.isFalse(yield* untyped["has"]!(registry, "id", value))
        }
      }))
  })

  describe("an absent item", () => {
    it.effect("is not_registered, with the attribute, the value and near matches", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        for (
          const attempt of [
            Registry.get(registry, "name", "kign"),
            Registry.unregisterBy(registry, "name", "kign"),
            Registry.replace(registry, "name", "kign", card(2))
          ]
        ) {
          const error = failed(
            yield* unchanged<unknown, RegistryError.RegistrationFailure | RegistryError.ItemLookupError>(
              registry,
              attempt as any
            )
          )
          if (error._tag !== "ItemLookupError") return assert.fail(error._tag)
          assert.strictEqual(error.code, "not_registered")
          assert.strictEqual(error.registry, "cards")
          assert.strictEqual(error.attribute, "name")
          assert.strictEqual(error.value, "kign")
          says(error, "cards", "name", "\"kign\"")
        }
        const near = failed(yield* unchanged(registry, Registry.get(registry, "name", "Kings")))
        if (near._tag !== "ItemLookupError") return assert.fail(near._tag)
        assert.deepStrictEqual(near.suggestions, ["king"])
        says(near, "Did you mean \"king\"")
      }))

    it.effect("cannot be unregistered", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        for (const item of [card(2), card(1), { ...king, tags: [] }]) {
          const error = failed(yield* unchanged(registry, Registry.unregister(registry, item)))
          if (error._tag !== "ItemLookupError") return assert.fail(error._tag)
          assert.strictEqual(error.code, "unregister")
          assert.strictEqual(error.registry, "cards")
          assert.strictEqual(error.item, item)
          says(error, "cards", item.name!)
        }
      }))

    it.effect("is at no index that is out of range or not an integer", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        for (const index of [2, -3, 0.5, NaN, Infinity, -Infinity, "0", null, undefined, {}]) {
          assert.isTrue(Option.isNone(yield* untyped["at"]!(registry, index)), String(index))
        }
      }))
  })

  // -------------------------------------------------------------------------------------------------------------------
  // Definitions
  // -------------------------------------------------------------------------------------------------------------------

  describe("a senseless definition dies at once", () => {
    const Any = Registry.Service as any
    const one = Lookup.unique((item: any) => item.id)

    const senseless: ReadonlyArray<readonly [string, Record<string, unknown>, ReadonlyArray<string>]> = [
      ["a lookup that is named twice", { lookup: ["id", "id"] }, ["id"]],
      ["a lookup with an empty name", { lookup: ["id", ""] }, ["empty"]],
      ["a record with an empty name", { lookup: { id: one, "": one } }, ["empty"]],
      ["a lookup that is a function", { lookup: { id: (item: any) => item.id } }, ["id"]],
      ["a lookup that is undefined", { lookup: { id: undefined } }, ["id"]],
      ["a lookup that is a string", { lookup: { id: "unique" } }, ["id"]],
      ["a look-alike of a lookup", { lookup: { id: { _tag: "Unique", each: false, select: () => 1 } } }, ["id"]],
      ["no lookups", {}, ["lookup"]],
      ["lookups that are null", { lookup: null }, ["lookup"]],
      ["lookups that are a string", { lookup: "id" }, ["lookup"]],
      ["lookups that are a function", { lookup: () => ["id"] }, ["lookup"]],
      ["names that are numbers", { lookup: [5] }, ["5"]],
      ["names that are lookups", { lookup: [one] }, ["lookup"]],
      ["defaults that are a number", { lookup: ["id"], defaults: 5 }, ["defaults"]],
      ["defaults that are null", { lookup: ["id"], defaults: null }, ["defaults"]],
      ["defaults that are an object", { lookup: ["id"], defaults: { id: 1 } }, ["defaults"]],
      ["defaults that are a function", { lookup: ["id"], defaults: () => [] }, ["defaults"]],
      ["defaults that are a promise", { lookup: ["id"], defaults: Promise.resolve([]) }, ["defaults"]],
      ["a negative history", { lookup: ["id"], history: -1 }, ["history", "-1"]],
      ["a fractional history", { lookup: ["id"], history: 1.5 }, ["history", "1.5"]],
      ["a history that is NaN", { lookup: ["id"], history: NaN }, ["history", "NaN"]],
      ["an infinite history", { lookup: ["id"], history: Infinity }, ["history", "Infinity"]],
      ["a history that is a string", { lookup: ["id"], history: "5" }, ["history", "5"]]
    ]
    for (const [name, options, words] of senseless) {
      it.effect(name, () =>
        Effect.gen(function*() {
          const defect = died(yield* define({ ...options, name: "senseless" }))
          assert.instanceOf(defect, Error)
          says(defect, "senseless", ...words)
          const layer: Layer.Layer<never> = Any()("app/Senseless", options).layer
          says(died(yield* Effect.exit(Effect.provide(Effect.void, layer))), "app/Senseless", ...words)
        }))
    }

    it.effect("a history of 0 is accepted", () =>
      Effect.gen(function*() {
        const registry = yield* Registry.make<Card>()({ lookup: ["id"], history: 0 })
        yield* Registry.register(registry, card(1))
        assert.strictEqual(yield* Registry.size(registry), 1)
      }))
  })

  describe("defaults that are not iterable at run time", () => {
    for (const answer of [5, null, undefined, { id: 1 }, () => [], true]) {
      it.effect(`die: ${typeof answer}`, () =>
        Effect.gen(function*() {
          let bad = true
          const registry = yield* Registry.make<Card>()({
            name: "cards",
            lookup: ["id"],
            defaults: Effect.sync((): Array<Card> => bad ? answer as any : [ace])
          })
          for (
            const attempt of [
              Registry.values(registry),
              Registry.register(registry, card(2)),
              Registry.populate(registry),
              Registry.transact(registry, Effect.void)
            ]
          ) {
            const defect = died(yield* Effect.exit(attempt as Effect.Effect<unknown, unknown>))
            says(defect, "cards", "defaults")
            if (answer === 5) says(defect, "5")
            assert.strictEqual(yield* Registry.state(registry), "Pending")
            assert.strictEqual(RegistrySnapshot.size(Registry.snapshotUnsafe(registry)), 0)
            assert.strictEqual(RegistrySnapshot.revision(Registry.snapshotUnsafe(registry)), 0)
          }
          bad = false
          yield* Registry.register(registry, card(2))
          assert.strictEqual(yield* Registry.size(registry), 2)
        }))
    }

    it.effect("G2 die with the error that the iterable throws", () =>
      Effect.gen(function*() {
        const boom = new Error("boom")
        let bad = true
        const registry = yield* Registry.make<Card>()({
          name: "cards",
          lookup: ["id"],
          defaults: {
            *[Symbol.iterator]() {
              yield ace
              if (bad) throw boom
              yield king
            }
          }
        })
        assert.strictEqual(died(yield* Effect.exit(Registry.values(registry))), boom)
        assert.strictEqual(yield* Registry.state(registry), "Pending")
        bad = false
        assert.deepStrictEqual(yield* Registry.values(registry), [ace, king])
      }))

    it.effect("G2 fail with the conflict between two items, also from a stream", () =>
      Effect.gen(function*() {
        const twice = [ace, king, card(1, { name: "other", aliases: [] })]
        for (
          const defaults of [
            twice,
            Effect.succeed(twice),
            Stream.fromIterable(twice),
            Stream.rechunk(Stream.fromIterable(twice), 1)
          ]
        ) {
          const registry = yield* Registry.make<Card>()({ name: "cards", lookup: ["id"], defaults })
          const error = yield* Effect.flip(Registry.values(registry))
          assert.strictEqual(error.code, "registration")
          assert.strictEqual(error.registry, "cards")
          if (error.cause._tag !== "AlreadyRegisteredError") return assert.fail(error.cause._tag)
          assert.strictEqual(error.cause.existing, ace)
          assert.strictEqual(error.cause.value, 1)
          says(error, "cards", "id = 1", "ace")
          assert.strictEqual(yield* Registry.state(registry), "Pending")
          assert.strictEqual(RegistrySnapshot.size(Registry.snapshotUnsafe(registry)), 0)
        }
      }))

    it.effect("registerAll of a number or an object, from untyped code, dies", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        for (const items of [5, {}]) died(yield* unchanged(registry, untyped["registerAll"]!(registry, items)))
      }))

    it.effect("G22 registering no items makes no change", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        yield* unchanged(registry, Registry.registerAll(registry, []))
        yield* unchanged(registry, Effect.scoped(Registry.registerAllScoped(registry, [])))
        yield* unchanged(registry, Registry.transact(registry, Registry.registerAll(registry, [])))
      }))

    it.effect("registerAll of anything that is not iterable, from untyped code, dies and changes nothing", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        const boom = new Error("boom")
        const throwing = {
          *[Symbol.iterator]() {
            yield card(2)
            throw boom
          }
        }
        for (const items of [null, undefined, 5, {}]) {
          const defect = died(yield* unchanged(registry, untyped["registerAll"]!(registry, items)))
          assert.match(
            String(defect),
            /^TypeError: Could not register .+ in ".*": it is not an iterable of items\.$/
          )
          died(yield* unchanged(registry, Effect.scoped(untyped["registerAllScoped"]!(registry, items))))
        }
        assert.strictEqual(died(yield* unchanged(registry, Registry.registerAll(registry, throwing))), boom)
        assert.strictEqual(
          died(yield* unchanged(registry, Effect.scoped(Registry.registerAllScoped(registry, throwing)))),
          boom
        )
      }))
  })

  // -------------------------------------------------------------------------------------------------------------------
  // Functions that throw
  // -------------------------------------------------------------------------------------------------------------------

  describe("a key function that throws", () => {
    const boom = new Error("boom")
    const make = (hooks: RegistryHooks.RegistryHooks<Card> | undefined) =>
      Registry.make<Card>()({
        name: "cards",
        lookup: {
          id: Lookup.unique((one) => {
            if (one.kind === "boom") throw boom
            return one.id
          }),
          tag: Lookup.groupEach((one) => {
            if (one.kind === "late boom") throw boom
            return one.tags!
          })
        },
        defaults: [ace, king],
        hooks
      })

    it.effect("G9 fails the operation with its own error, registers nothing, and leaves the lock free", () =>
      Effect.gen(function*() {
        for (const hooks of [undefined, RegistryHooks.make<Card>()({ onItemRegistered: () => Effect.yieldNow })]) {
          const registry = yield* make(hooks)
          for (const kind of ["boom", "late boom"]) {
            const bad = card(2, { kind })
            for (
              const attempt of [
                Registry.register(registry, bad),
                Registry.registerAll(registry, [card(3), bad]),
                Registry.upsert(registry, bad),
                Registry.replace(registry, "id", 1, bad),
                Effect.scoped(Registry.registerScoped(registry, bad)),
                Registry.unregister(registry, bad),
                Registry.contains(registry, bad),
                Registry.transact(
                  registry,
                  Effect.andThen(Registry.register(registry, card(4)), Registry.register(registry, bad))
                )
              ]
            ) {
              assert.strictEqual(
                died(yield* unchanged(registry, attempt as Effect.Effect<unknown, unknown>)),
                boom
              )
            }
          }
        }
      }))

    it.effect("G9 makes the population die with its error, and the next population starts afresh", () =>
      Effect.gen(function*() {
        let bad = true
        const registry = yield* Registry.make<Card>()({
          name: "cards",
          lookup: {
            id: Lookup.unique((one) => {
              if (bad && one.id === 13) throw boom
              return one.id
            })
          },
          defaults: [ace, king]
        })
        assert.strictEqual(died(yield* Effect.exit(Registry.size(registry))), boom)
        assert.strictEqual(yield* Registry.state(registry), "Pending")
        bad = false
        assert.strictEqual(yield* Registry.size(registry), 2)
      }))

    it.effect("G9 whose second answer, after onItemRegistering, is not iterable: nothing is registered, no hook after it is called", () =>
      Effect.gen(function*() {
        const calls: Array<string> = []
        let bad = false
        const registry = yield* Registry.make<Card>()({
          name: "cards",
          lookup: {
            id: Lookup.unique((one) => one.id),
            tag: Lookup.groupEach((one) => bad ? 5 as any : one.tags!)
          },
          hooks: RegistryHooks.make<Card>()({
            onItemRegistering: () =>
              Effect.sync(() => {
                bad = true
              }),
            onItemRegistered: (item) => Effect.sync(() => calls.push(`+${item.id}`)),
            onItemUnregistered: (item) => Effect.sync(() => calls.push(`-${item.id}`))
          })
        })
        assert.instanceOf(died(yield* Effect.exit(Registry.register(registry, ace))), TypeError)
        assert.deepStrictEqual(calls, [])
        assert.strictEqual(yield* Registry.size(registry), 0)
        bad = false
        assert.isFalse(yield* Registry.has(registry, "id", 1))
      }))
  })

  describe("messages", () => {
    it.effect("that throw leave the usual message", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards({
          already_registered: thrower("boom"),
          attribute_registered: thrower("boom"),
          missing_attribute: thrower("boom"),
          rejected: thrower("boom"),
          not_registered: thrower("boom"),
          invalid_attribute: thrower("boom"),
          unregister: thrower("boom")
        })
        const usual = yield* makeCards()
        const attempts: ReadonlyArray<(on: typeof registry) => Effect.Effect<unknown, any>> = [
          (on) => Registry.register(on, ace),
          (on) => Registry.register(on, card(1)),
          (on) => Registry.register(on, { id: 2 }),
          (on) => Registry.get(on, "id", 99),
          (on) => untyped["get"]!(on, "nope", 99),
          (on) => Registry.unregister(on, card(2))
        ]
        for (const attempt of attempts) {
          const error = failed(yield* unchanged(registry, attempt(registry)))
          const expected = failed(yield* Effect.exit(attempt(usual)))
          assert.strictEqual(error.code, expected.code)
          assert.strictEqual(error.message, expected.message)
          assert.isUndefined(error.text)
        }
      }))

    it.effect("that answer something else than a string, from untyped code, leave the usual message", () =>
      Effect.gen(function*() {
        for (const answer of [undefined, null, 5, {}, Promise.resolve("x")]) {
          const registry = yield* makeCards({ not_registered: () => answer as any, already_registered: answer as any })
          const error = failed(yield* unchanged(registry, Registry.get(registry, "id", 99)))
          if (error._tag !== "ItemLookupError") return assert.fail(error._tag)
          assert.strictEqual(error.code, "not_registered")
          says(error, "cards", "id", "99")
          const already = failed(yield* unchanged(registry, Registry.register(registry, ace)))
          assert.strictEqual(already.code, "already_registered")
          says(already, "cards", "ace")
        }
      }))

    it.effect("replace the messages of a registry, and receive the fields of the error", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards({
          not_registered: ({ attribute, registry: name, suggestions, value }) =>
            `${name}: no ${attribute} ${value}, but ${suggestions.join()}`,
          attribute_registered: ({ attribute, existing, item, value }) =>
            `${attribute} ${value} of ${(item as Card).name} is ${(existing as Card).name}'s`
        })
        const missing = failed(yield* unchanged(registry, Registry.get(registry, "name", "kings")))
        assert.strictEqual((missing as Error).message, "cards: no name kings, but king")
        const taken = failed(yield* unchanged(registry, Registry.register(registry, card(1))))
        assert.strictEqual(taken.message, "id 1 of card 1 is ace's")
      }))
  })

  // -------------------------------------------------------------------------------------------------------------------
  // Hostile items, attributes and keys
  // -------------------------------------------------------------------------------------------------------------------

  describe("hostile items, which throw when they are printed or compared", () => {
    it.effect("are registered, found and refused like others, with a message", () =>
      Effect.gen(function*() {
        for (const [i, item] of hostile(1).entries()) {
          const registry = yield* Registry.make<any>()({ name: "hostile", lookup: ["id"] })
          yield* Registry.register(registry, item)
          assert.isTrue(yield* Registry.contains(registry, item), `item ${i}`)
          assert.strictEqual(yield* Registry.get(registry, "id", 1), item)
          const errors = [
            failed(yield* unchanged(registry, Registry.register(registry, item), another)),
            failed(yield* unchanged(registry, Registry.register(registry, { id: 1, other: true }), another)),
            failed(yield* unchanged(registry, untyped["get"]!(registry, "nope", item), another)),
            failed(yield* unchanged(registry, untyped["get"]!(registry, "id", { value: item }), another))
          ]
          assert.deepStrictEqual(errors.map((error) => error.code), [
            "already_registered",
            "attribute_registered",
            "invalid_attribute",
            "not_registered"
          ], `item ${i}`)
          for (const error of errors) {
            assert.isString(error.message)
            assert.isAtMost(error.message.length, 1_000)
            says(error, "hostile")
          }
          yield* Registry.unregister(registry, item)
          assert.strictEqual(yield* Registry.size(registry), 0)
          const gone = failed(yield* unchanged(registry, Registry.unregister(registry, item), another))
          assert.strictEqual((gone as any).code, "unregister")
          says(gone as Error, "hostile")
        }
      }))

    it.effect("are refused for a taken value, also where their comparison throws: then they are not the same", () =>
      Effect.gen(function*() {
        for (const [i, item] of [...hostile(1), ...incomparable(1)].entries()) {
          const registry = yield* Registry.make<any>()({ name: "hostile", lookup: ["id"] })
          yield* Registry.register(registry, item)
          const other = [...hostile(1), ...incomparable(1)][i]
          const refused = failed(yield* unchanged(registry, Registry.register(registry, other), another))
          assert.include(["already_registered", "attribute_registered"], refused.code, `item ${i}`)
          assert.strictEqual(yield* Registry.get(registry, "id", 1), item)
          assert.strictEqual(
            failed(yield* unchanged(registry, Registry.register(registry, item), another)).code,
            "already_registered"
          )
          yield* Registry.unregister(registry, item)
          assert.strictEqual(yield* Registry.size(registry), 0)
        }
      }))
  })

  describe("names of properties of Object.prototype", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype", "valueOf"]

    it.effect("are ordinary attributes", () =>
      Effect.gen(function*() {
        const lookup: Record<string, Lookup.Lookup<Card>> = Object.create(null)
        for (const name of names) {
          Object.defineProperty(lookup, name, {
            enumerable: true,
            value: Lookup.unique((one: Card) => `${name} ${one.id}`)
          })
        }
        const registry = yield* Registry.make<Card>()({ name: "names", lookup, defaults: [ace] })
        for (const name of names) {
          assert.strictEqual(yield* untyped["get"]!(registry, name, `${name} 1`), ace)
          const error = failed(yield* unchanged(registry, untyped["get"]!(registry, name, "x")))
          assert.strictEqual(error.code, "not_registered")
          assert.strictEqual(error.attribute, name)
          says(error, "names", name)
        }
      }))

    it.effect("are ordinary keys", () =>
      Effect.gen(function*() {
        const registry = yield* Registry.make<{ readonly id: string; readonly kind: string }>()({
          name: "names",
          lookup: { id: Lookup.unique((one) => one.id), kind: Lookup.group((one) => one.kind) }
        })
        for (const name of names) {
          assert.isFalse(yield* Registry.has(registry, "id", name))
          assert.deepStrictEqual(yield* Registry.getAll(registry, "kind", name), [])
          const error = yield* Effect.flip(Registry.get(registry, "id", name))
          assert.strictEqual(error.code, "not_registered")
        }
        const items = names.map((name) => ({ id: name, kind: name }))
        yield* Registry.registerAll(registry, items)
        for (const [i, name] of names.entries()) {
          assert.strictEqual(yield* Registry.get(registry, "id", name), items[i])
          assert.deepStrictEqual(yield* Registry.getAll(registry, "kind", name), [items[i]!])
          const error = failed(
            yield* unchanged(registry, Registry.register(registry, { id: name, kind: "x" }), () => ({
              id: `${fresh++}`,
              kind: "x"
            }))
          )
          assert.strictEqual(error.code, "attribute_registered")
        }
      }))
  })

  // -------------------------------------------------------------------------------------------------------------------
  // Hooks
  // -------------------------------------------------------------------------------------------------------------------

  describe("hooks from untyped code", () => {
    it.effect("that throw, or are not functions, roll the operation back", () =>
      Effect.gen(function*() {
        const boom = new Error("boom")
        const throwing = () => {
          throw boom
        }
        for (const handler of [throwing, 5]) {
          for (const name of ["onItemRegistering", "onItemRegistered", "onItemUnregistering", "onItemUnregistered"]) {
            const registry = yield* makeCards()
            yield* Registry.populate(registry)
            yield* Effect.scoped(Effect.gen(function*() {
              yield* Registry.addHooks(registry, { [name]: handler } as any)
              const before = yield* look(registry)
              const exit = yield* Effect.exit(Registry.replace(registry, "id", 1, card(2)))
              assert.deepStrictEqual(yield* look(registry), before)
              if (handler === throwing) assert.strictEqual(died(exit), boom)
              else assert.instanceOf(died(exit), TypeError)
            }))
            yield* Registry.replace(registry, "id", 1, card(2))
          }
        }
      }))

    it.effect("that are or answer something else than an effect make the operation die and roll back", () =>
      Effect.gen(function*() {
        const cases: ReadonlyArray<readonly [string, (registry: Cards) => Effect.Effect<unknown, unknown>]> = [
          ["onItemRegistering", change],
          ["onItemRegistered", change],
          ["onItemUnregistering", change],
          ["onItemUnregistered", change],
          ["onPopulating", fillAgain],
          ["onPopulated", fillAgain],
          ["onResetting", Registry.reset],
          ["onReset", Registry.reset]
        ]
        for (const [name, operation] of cases) {
          const isItemHook = name.startsWith("onItem")
          for (const answer of isItemHook ? [undefined, null, 5, {}, () => Effect.void] : [5, {}, () => Effect.void]) {
            const registry = yield* makeCards()
            yield* Registry.populate(registry)
            yield* Effect.scoped(Effect.gen(function*() {
              yield* Registry.addHooks(registry, { [name]: isItemHook ? () => answer : answer } as any)
              const before = yield* look(registry)
              // on a fiber of its own: the defect ends the fiber at once
              const exit = yield* Fiber.await(yield* Effect.forkChild(operation(registry)))
              assert.match(
                String(died(exit)),
                new RegExp(`The hook ${name} of ".*" is, or answers, .+, which is no effect`)
              )
              assert.deepStrictEqual(yield* look(registry), before)
            }))
            yield* change(registry)
          }
        }
      }))

    it.effect("transact of something else than an effect dies, and leaves the lock free", () =>
      Effect.gen(function*() {
        const registry = yield* makeCards()
        for (const given of [undefined, 5, () => Effect.void] as unknown as ReadonlyArray<Effect.Effect<void>>) {
          for (
            const transaction of [
              Registry.transact(registry, given),
              Registry.transactAll([registry], given),
              Registry.transact(registry, Registry.transact(registry, given))
            ]
          ) {
            // on a fiber of its own: the defect ends the fiber at once
            const exit = yield* Fiber.await(yield* Effect.forkChild(transaction))
            assert.match(String(died(exit)), /transact(All| of ".*") was given .+, which is not an effect/)
            yield* Registry.unregisterBy(registry, "id", 1)
            yield* Registry.register(registry, ace)
          }
        }
      }))

    it.effect("that fail with an error of another registry make every operation fail with it", () =>
      Effect.gen(function*() {
        const other = yield* Registry.make<Card>()({ name: "other", lookup: ["id"] })
        const registry = yield* Registry.make<Card>()({
          name: "cards",
          lookup: ["id"],
          defaults: [ace],
          hooks: {
            onItemRegistering: (item: Card) =>
              item === ace ? Effect.void : Effect.asVoid(Registry.get(other, "id", item.id))
          }
        })
        for (
          const attempt of [
            Registry.register(registry, card(2)),
            Registry.replace(registry, "id", 1, card(1)),
            Registry.upsert(registry, card(2)),
            Registry.upsert(registry, card(1))
          ]
        ) {
          const before = yield* look(registry)
          const error = failed<{ readonly _tag: string }>(yield* Effect.exit(attempt))
          assert.deepStrictEqual(yield* look(registry), before)
          if (!(error instanceof RegistryError.ItemLookupError)) return assert.fail(`${error}`)
          assert.strictEqual(error.registry, "other")
          assert.strictEqual(error.code, "not_registered")
        }
      }))

    it.effect("that reject without a reason, or with one that is not a string, still refuse", () =>
      Effect.gen(function*() {
        for (const reason of [undefined, null, 5, { toString: () => "x" }]) {
          const registry = yield* Registry.make<Card>()({
            name: "cards",
            lookup: ["id"],
            hooks: {
              onItemRegistering: (item) => item.id === 2 ? RegistryError.reject(item, reason as any) : Effect.void
            }
          })
          const exit = yield* unchanged(registry, Registry.register(registry, card(2)))
          assert.isTrue(Exit.isFailure(exit))
        }
      }))
  })
})
