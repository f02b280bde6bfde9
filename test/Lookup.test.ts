import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Equal, Option } from "effect"
import { Lookup, Registry } from "effect-registry"
import { contradictions } from "./utils/inside.ts"

interface Command {
  readonly name: string
  readonly aliases: ReadonlyArray<string>
  readonly kind: string
  readonly tags: ReadonlyArray<string>
  readonly shortcut?: string
}

const open: Command = { name: "open", aliases: ["o", "load"], kind: "file", tags: ["disk", "read"], shortcut: "ctrl-o" }
const save: Command = { name: "save", aliases: ["s"], kind: "file", tags: ["disk"] }
const copy: Command = { name: "copy", aliases: [], kind: "edit", tags: [] }

const make = Registry.make<Command>()({
  name: "commands",
  lookup: {
    name: Lookup.unique((command) => command.name),
    alias: Lookup.uniqueEach((command) => command.aliases),
    kind: Lookup.group((command) => command.kind),
    tag: Lookup.groupEach((command) => command.tags),
    shortcut: Lookup.optional(Lookup.unique((command) => command.shortcut))
  },
  defaults: [open, save, copy]
})

describe("Lookup", () => {
  it.effect("unique: one value, one item, found with get, getOption, getAll and has", () =>
    Effect.gen(function*() {
      const registry = yield* make
      assert.strictEqual(yield* Registry.get(registry, "name", "save"), save)
      assert.deepStrictEqual(yield* Registry.getOption(registry, "name", "save"), Option.some(save))
      assert.deepStrictEqual(yield* Registry.getAll(registry, "name", "save"), [save])
      assert.isTrue(yield* Registry.has(registry, "name", "save"))
      assert.strictEqual((yield* Effect.flip(Registry.get(registry, "name", "quit"))).code, "not_registered")
      assert.deepStrictEqual(yield* Registry.getOption(registry, "name", "quit"), Option.none())
      assert.deepStrictEqual(yield* Registry.getAll(registry, "name", "quit"), [])
      assert.isFalse(yield* Registry.has(registry, "name", "quit"))
    }))

  it.effect("uniqueEach: any number of values, each of one item", () =>
    Effect.gen(function*() {
      const registry = yield* make
      assert.strictEqual(yield* Registry.get(registry, "alias", "o"), open)
      assert.strictEqual(yield* Registry.get(registry, "alias", "load"), open)
      assert.deepStrictEqual(yield* Registry.getAll(registry, "alias", "s"), [save])
      yield* Registry.unregisterBy(registry, "alias", "load")
      assert.isFalse(yield* Registry.has(registry, "alias", "o"))
      assert.isFalse(yield* Registry.has(registry, "name", "open"))
    }))

  it.effect("G12 group and groupEach: any number of items, in registration order", () =>
    Effect.gen(function*() {
      const registry = yield* make
      assert.deepStrictEqual(yield* Registry.getAll(registry, "kind", "file"), [open, save])
      assert.deepStrictEqual(yield* Registry.getAll(registry, "tag", "disk"), [open, save])
      assert.deepStrictEqual(yield* Registry.getAll(registry, "tag", "read"), [open])
      assert.isTrue(yield* Registry.has(registry, "kind", "file"))
      assert.isFalse(yield* Registry.has(registry, "kind", "view"))
      yield* Registry.unregister(registry, open)
      assert.isFalse(yield* Registry.has(registry, "tag", "read"))
      yield* Registry.register(registry, open)
      assert.deepStrictEqual(yield* Registry.getAll(registry, "tag", "disk"), [save, open])
    }))

  it.effect("optional: an item may lack it, and then is not found by it", () =>
    Effect.gen(function*() {
      const registry = yield* make
      assert.strictEqual(yield* Registry.get(registry, "shortcut", "ctrl-o"), open)
      assert.strictEqual(yield* Registry.size(registry), 3)
      const taken = yield* Effect.flip(Registry.register(registry, { ...copy, name: "oops", shortcut: "ctrl-o" }))
      assert.strictEqual(taken.code, "attribute_registered")
    }))

  it.effect("a list of names is short for unique lookups", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Command>()({ lookup: ["name", "kind"], defaults: [open, copy] })
      assert.strictEqual(yield* Registry.get(registry, "kind", "edit"), copy)
      const error = yield* Effect.flip(Registry.register(registry, save))
      if (error._tag !== "AlreadyRegisteredError") return assert.fail(error._tag)
      assert.strictEqual(error.attribute, "kind")
      assert.strictEqual(error.existing, open)
    }))

  it.effect("a list of names reads accessors of classes, too", () =>
    Effect.gen(function*() {
      class Named {
        readonly #name: string
        constructor(name: string) {
          this.#name = name
        }
        get name(): string {
          return this.#name
        }
      }
      const registry = yield* Registry.make<Named>()({ lookup: ["name"] })
      const [a, b] = [new Named("a"), new Named("b")]
      yield* Registry.registerAll(registry, [a, b])
      assert.strictEqual(yield* Registry.get(registry, "name", "b"), b)
      assert.strictEqual(yield* Registry.get(registry, "name", "a"), a)
      yield* Registry.unregister(registry, b)
      assert.deepStrictEqual(yield* Registry.values(registry), [a])
    }))

  it.effect("no lookups make a registry of plain values", () =>
    Effect.gen(function*() {
      const words = yield* Registry.make<string>()({ lookup: [], defaults: ["b", "a"] })
      assert.isTrue(yield* Registry.contains(words, "a"))
      assert.strictEqual((yield* Effect.flip(Registry.register(words, "a"))).code, "already_registered")
      yield* Registry.upsert(words, "a")
      yield* Registry.upsert(words, "c")
      yield* Registry.unregister(words, "b")
      assert.deepStrictEqual(yield* Registry.values(words), ["a", "c"])
    }))

  it.effect("an equal item is refused, though no lookup is unique", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ readonly kind: string; readonly size: number }>()({
        lookup: { kind: Lookup.group((item) => item.kind) },
        defaults: [{ kind: "file", size: 1 }]
      })
      const refused = yield* Effect.flip(Registry.register(registry, { kind: "file", size: 1 }))
      assert.strictEqual(refused.code, "already_registered")
      yield* Registry.register(registry, { kind: "file", size: 2 })
      assert.strictEqual(yield* Registry.size(registry), 2)
    }))

  it.effect("G11 keys are compared with Equal: Effect data and plain data by value", () =>
    Effect.gen(function*() {
      class Point extends Data.Class<{ readonly x: number; readonly y: number }> {}
      const registry = yield* Registry.make<{ readonly n: number; readonly at: unknown }>()({
        lookup: { at: Lookup.unique((item) => item.at) }
      })
      const keys: ReadonlyArray<() => unknown> = [
        () => new Point({ x: 1, y: 2 }),
        () => Option.some([1]),
        () => ["a", { b: 1 }],
        () => null,
        () => "",
        () => 0,
        () => NaN,
        () => false
      ]
      for (const [n, key] of keys.entries()) yield* Registry.register(registry, { n, at: key() })
      for (const [n, key] of keys.entries()) {
        assert.strictEqual((yield* Registry.get(registry, "at", key())).n, n)
        const error = yield* Effect.flip(Registry.register(registry, { n: -1, at: key() }))
        assert.strictEqual(error.code, "attribute_registered")
      }
    }))

  it.effect("G11 keys marked with Equal.byReference are compared by reference", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ readonly n: number; readonly owner: object }>()({
        lookup: { owner: Lookup.unique((item) => item.owner) }
      })
      const [first, second] = [Equal.byReference({}), Equal.byReference({})]
      yield* Registry.register(registry, { n: 1, owner: first })
      yield* Registry.register(registry, { n: 2, owner: second })
      assert.strictEqual((yield* Registry.get(registry, "owner", second)).n, 2)
      assert.isFalse(yield* Registry.has(registry, "owner", {}))
    }))

  it.effect("an error carries a key that is a class instance as that instance", () =>
    Effect.gen(function*() {
      class Point {
        readonly x = 1
      }
      const registry = yield* Registry.make<{ readonly n: number; readonly at: Point }>()({
        lookup: { at: Lookup.unique((item) => item.at) }
      })
      yield* Registry.register(registry, { n: 1, at: new Point() })
      const error = yield* Effect.flip(Registry.register(registry, { n: 2, at: new Point() }))
      assert.instanceOf(error.code === "attribute_registered" && error.value, Point)
    }))

  it.effect("Each lookups read any iterable, and read it once", () =>
    Effect.gen(function*() {
      let taken = 0
      const registry = yield* Registry.make<string>()({
        lookup: {
          letter: Lookup.groupEach((word) => word),
          half: Lookup.uniqueEach(function*(word) {
            taken++
            yield word.slice(0, 1)
            yield word.slice(1)
          })
        }
      })
      yield* Registry.register(registry, "ab")
      assert.strictEqual(taken, 1)
      assert.deepStrictEqual(yield* Registry.getAll(registry, "letter", "b"), ["ab"])
      assert.strictEqual(yield* Registry.get(registry, "half", "b"), "ab")
    }))

  it.effect("Each lookups count a value that one item repeats once", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ readonly words: ReadonlyArray<string> }>()({
        lookup: {
          word: Lookup.uniqueEach((text) => text.words),
          shared: Lookup.groupEach((text) => text.words)
        }
      })
      const words = Array.from({ length: 20 }, (_, i) => `word ${i}`)
      const text = { words: [...words, ...words] }
      yield* Registry.register(registry, text)
      assert.deepStrictEqual(contradictions(registry), [])
      assert.deepStrictEqual(yield* Registry.getAll(registry, "shared", "word 19"), [text])
      yield* Registry.unregister(registry, text)
      for (const word of words) assert.isFalse(yield* Registry.has(registry, "word", word))
    }))

  it("isLookup tells lookups from look-alikes", () => {
    for (
      const lookup of [
        Lookup.unique(() => 1),
        Lookup.uniqueEach(() => [1]),
        Lookup.group(() => 1),
        Lookup.groupEach(() => [1]),
        Lookup.optional(Lookup.unique(() => 1))
      ]
    ) assert.isTrue(Lookup.isLookup(lookup))
    for (const other of [null, undefined, 5, "unique", () => 1, {}, { _tag: "Unique", select: () => 1 }]) {
      assert.isFalse(Lookup.isLookup(other))
    }
  })

  it("optional makes a new lookup, and leaves the one it was given as it was", () => {
    for (
      const lookup of [
        Lookup.unique((n: number) => n),
        Lookup.uniqueEach((n: number) => [n]),
        Lookup.group((n: number) => n),
        Lookup.groupEach((n: number) => [n])
      ]
    ) {
      const optional = lookup._tag === "Unique" ? Lookup.optional(lookup) : Lookup.optional(lookup)
      assert.strictEqual(optional._tag, lookup._tag)
      assert.strictEqual(optional.each, lookup.each)
      assert.strictEqual(optional.select, lookup.select)
      assert.isTrue(optional.optional)
      assert.isFalse(lookup.optional)
    }
  })
})
