import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Equal, Exit, Option } from "effect"
import { Lookup, Registry, RegistrySnapshot } from "effect-registry"
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

/** Surrounded by what another normalization would surround once more. */
const lower = (key: string) => `<${key.toLowerCase()}>`

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
      const at = new Point()
      yield* Registry.register(registry, { n: 1, at })
      const error = yield* Effect.flip(Registry.register(registry, { n: 2, at }))
      assert.strictEqual(error.code === "attribute_registered" && error.value, at)
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

  interface Language {
    readonly name: string
    readonly aliases?: ReadonlyArray<string>
    readonly kind: string
  }

  const makeLanguages = Registry.make<Language>()({
    name: "languages",
    lookup: {
      name: Lookup.normalized(Lookup.unique((language) => language.name), lower),
      alias: Lookup.optional(Lookup.normalized(Lookup.uniqueEach((language) => language.aliases), lower)),
      kind: Lookup.normalized(Lookup.group((language) => language.kind), lower)
    }
  })

  const csharp: Language = { name: "CSharp", aliases: ["C#", "c#", "CS"], kind: "Managed" }

  describe("normalized", () => {
    it.effect("finds what was registered in any spelling, by every operation", () =>
      Effect.gen(function*() {
        const languages = yield* makeLanguages
        yield* Registry.register(languages, csharp)
        const java = { name: "Java", kind: "MANAGED" }
        yield* Registry.register(languages, java)
        assert.strictEqual(yield* Registry.get(languages, "name", "csharp"), csharp)
        assert.strictEqual(yield* Registry.get(languages, "alias", "C#"), csharp)
        assert.deepStrictEqual(yield* Registry.getOption(languages, "alias", "cs"), Option.some(csharp))
        assert.deepStrictEqual(yield* Registry.getAll(languages, "kind", "managed"), [csharp, java])
        assert.isTrue(yield* Registry.has(languages, "kind", "mAnAgEd"))
        assert.strictEqual(yield* Registry.awaitItem(languages, "alias", "Cs"), csharp)
        assert.strictEqual((yield* Registry.explain(languages, "alias", "c#"))._tag, "Present")
        const snapshot = yield* Registry.snapshot(languages)
        assert.deepStrictEqual(RegistrySnapshot.get(snapshot, "name", "JAVA"), Option.some(java))
        assert.deepStrictEqual(RegistrySnapshot.getAll(snapshot, "kind", "MANAGED"), [csharp, java])
        assert.isTrue(RegistrySnapshot.has(snapshot, "alias", "c#"))
        const other = { name: "JAVA", kind: "managed" }
        yield* Registry.replace(languages, "name", "java", other)
        yield* Registry.upsert(languages, { name: "java", kind: "other" })
        assert.strictEqual(yield* Registry.size(languages), 2)
        yield* Registry.unregisterBy(languages, "name", "jAvA")
        assert.deepStrictEqual(yield* Registry.values(languages), [csharp])
        assert.deepStrictEqual(contradictions(languages), [])
      }))

    it.effect("refuses another spelling of what is taken, and names items as they are spelled", () =>
      Effect.gen(function*() {
        const languages = yield* makeLanguages
        yield* Registry.register(languages, csharp)
        const error = yield* Effect.flip(Registry.register(languages, { name: "CSHARP", kind: "x" }))
        assert.strictEqual(
          error.message,
          `Could not register "CSHARP" in "languages": "CSharp" is already registered with name = "<csharp>". ` +
            "Unregister or replace it first."
        )
        const aliased = yield* Effect.flip(Registry.register(languages, { name: "d", aliases: ["d", "cS"], kind: "x" }))
        assert.deepStrictEqual([aliased.code, aliased.attribute], ["attribute_registered", "alias"])
        const report = yield* Registry.reconcile(languages, [{ name: "cSharp", kind: "x" }])
        assert.strictEqual(report.replaced.length, 1)
      }))

    it.effect("looks for near matches in what is normalized", () =>
      Effect.gen(function*() {
        const languages = yield* makeLanguages
        yield* Registry.register(languages, csharp)
        const error = yield* Effect.flip(Registry.get(languages, "name", "CSHRP"))
        assert.deepStrictEqual(error.suggestions, ["<csharp>"])
      }))

    it.effect("hides and brings back under an override of another spelling", () =>
      Effect.gen(function*() {
        const languages = yield* makeLanguages
        yield* Registry.register(languages, csharp)
        const mine = { name: "CSHARP", aliases: ["mine"], kind: "x" }
        yield* Effect.scoped(Effect.gen(function*() {
          yield* Registry.override(languages, mine)
          assert.strictEqual(yield* Registry.get(languages, "name", "csharp"), mine)
          assert.deepInclude(yield* Registry.explain(languages, "alias", "C#"), { _tag: "Hidden", item: csharp })
        }))
        assert.strictEqual(yield* Registry.get(languages, "alias", "c#"), csharp)
      }))

    it.effect("one after the other: each normalizes what the one before answers; around or in `optional`", () =>
      Effect.gen(function*() {
        const trimmed = Lookup.normalized(Lookup.unique((name: string) => name), (name) => name.trim())
        const name = Lookup.normalized(trimmed, (key) => key.toUpperCase())
        const first = Lookup.normalized(
          Lookup.optional(Lookup.group((text: string) => text.at(0))),
          (key) => key.toLowerCase()
        )
        const names = yield* Registry.make<string>()({ lookup: { name, first } })
        yield* Registry.registerAll(names, [" Ada ", "Grace", ""])
        assert.strictEqual(yield* Registry.get(names, "name", "ADA"), " Ada ")
        assert.strictEqual(yield* Registry.get(names, "name", " ada"), " Ada ")
        assert.deepStrictEqual(yield* Registry.getAll(names, "first", "G"), ["Grace"])
        assert.deepStrictEqual((yield* Effect.flip(Registry.register(names, " grace"))).code, "attribute_registered")
      }))

    it.effect("a value of an `Each` lookup that is missing is missing, and what is not iterable surfaces", () =>
      Effect.gen(function*() {
        interface Keyed {
          readonly keys: ReadonlyArray<string | undefined> | undefined
        }
        const each = Lookup.normalized(Lookup.uniqueEach((item: Keyed) => item.keys), lower)
        const registry = yield* Registry.make<Keyed>()({ lookup: { each } })
        const refused = yield* Effect.flip(Registry.register(registry, { keys: ["a", undefined] }))
        assert.strictEqual(refused.code, "missing_attribute")
        assert.strictEqual(
          (yield* Effect.flip(Registry.register(registry, { keys: undefined }))).code,
          "missing_attribute"
        )
        assert.isTrue(Exit.hasDies(yield* Effect.exit(Registry.register(registry, { keys: 5 as any }))))
      }))

    it.effect("data-last", () =>
      Effect.gen(function*() {
        const caseless = Lookup.normalized((key: string) => key.toLowerCase())
        const registry = yield* Registry.make<{ readonly id: string }>()({
          lookup: { id: caseless(Lookup.unique((item: { readonly id: string }) => item.id)) },
          defaults: [{ id: "A" }]
        })
        assert.deepStrictEqual(yield* Registry.get(registry, "id", "a"), { id: "A" })
      }))
  })

  it.effect("an optional `Each` lookup takes `undefined` for no values", () =>
    Effect.gen(function*() {
      const languages = yield* Registry.make<Language>()({
        lookup: {
          name: Lookup.unique((language) => language.name),
          alias: Lookup.optional(Lookup.uniqueEach((language) => language.aliases)),
          one: Lookup.optional(Lookup.groupEach((language) => language.aliases))
        },
        defaults: [csharp, { name: "Java", kind: "managed" }]
      })
      assert.strictEqual(yield* Registry.get(languages, "alias", "CS"), csharp)
      assert.strictEqual(yield* Registry.size(languages), 2)
      assert.deepStrictEqual(yield* Registry.getAll(languages, "one", "CS"), [csharp])
    }))
})
