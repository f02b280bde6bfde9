import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Equal, Exit, Fiber, Option, Schema, SchemaGetter } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks, RegistrySnapshot } from "effect-registry"
import * as fc from "fast-check"

class Plugin extends Schema.Class<Plugin>("Plugin")({
  id: Schema.BigInt,
  name: Schema.String,
  kind: Schema.String,
  aliases: Schema.Array(Schema.String),
  since: Schema.Date,
  priority: Schema.Number,
  homepage: Schema.Option(Schema.URL),
  options: Schema.Record(Schema.String, Schema.Number),
  note: Schema.optionalKey(Schema.String)
}) {}

const lookup = {
  id: Lookup.unique((plugin: Plugin) => plugin.id),
  alias: Lookup.uniqueEach((plugin: Plugin) => plugin.aliases),
  kind: Lookup.group((plugin: Plugin) => plugin.kind)
}

const makePlugins = Registry.make<Plugin>()({ name: "plugins", schema: Plugin, lookup })

const plugin = (id: bigint, more: Partial<Plugin> = {}): Plugin =>
  new Plugin({
    id,
    name: `plugin ${id}`,
    kind: "tool",
    aliases: [`p${id}`],
    since: new Date(0),
    priority: 0,
    homepage: Option.none(),
    options: {},
    ...more
  })

const plugins: fc.Arbitrary<ReadonlyArray<Plugin>> = fc.uniqueArray(
  fc.record({
    id: fc.bigInt({ min: -3n, max: 2n ** 70n }),
    name: fc.string({ unit: "binary" }),
    kind: fc.constantFrom("tool", "theme", "__proto__"),
    since: fc.date({ noInvalidDate: true }),
    // JSON has no -0
    priority: fc.double().map((n) => n === 0 ? 0 : n),
    homepage: fc.option(fc.webUrl()),
    options: fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString")),
      fc.integer()
    ),
    note: fc.option(fc.string())
  }),
  { selector: ({ id }) => id, maxLength: 12 }
).map((list) =>
  list.map(({ homepage, note, ...plain }, i) =>
    new Plugin({
      ...plain,
      aliases: [`${i}`, `alias ${i}`],
      homepage: Option.map(Option.fromNullishOr(homepage), (url) => new URL(url)),
      ...(note === null ? {} : { note })
    })
  )
)

const failing = <A, E>(effect: Effect.Effect<A, E, any>) => Effect.flip(effect) as Effect.Effect<E, A>

const died = <A, E>(exit: Exit.Exit<A, E>): string => {
  assert.isTrue(Exit.isFailure(exit) && exit.cause.reasons.every((reason) => reason._tag === "Die"))
  return Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : ""
}

const run = <A, E>(effect: Effect.Effect<A, E, any>): Promise<A> =>
  Effect.runPromise(Effect.scoped(effect as any)) as any

describe("RegistrySnapshot.toJson and fromJson", () => {
  it("a saved snapshot is read back in order, under every key, through text", () =>
    fc.assert(
      fc.asyncProperty(plugins, (items) =>
        run(Effect.gen(function*() {
          const registry = yield* makePlugins
          yield* Registry.registerAll(registry, items)
          const before = yield* Registry.snapshot(registry)
          const text = JSON.stringify(yield* RegistrySnapshot.toJson(before))
          const after = yield* RegistrySnapshot.fromJson(registry, JSON.parse(text))
          assert.deepStrictEqual([...after], [...items])
          assert.isTrue([...after].every((item) => item instanceof Plugin))
          for (const { aliases, id, kind } of items) {
            for (const alias of aliases) {
              assert.deepStrictEqual(
                RegistrySnapshot.get(after, "alias", alias),
                RegistrySnapshot.get(after, "id", id)
              )
            }
            assert.deepStrictEqual(
              RegistrySnapshot.getAll(after, "kind", kind).map((item) => item.id),
              items.filter((item) => item.kind === kind).map((item) => item.id)
            )
          }
          assert.deepStrictEqual(RegistrySnapshot.diff(before, after), { added: [], removed: [], replaced: [] })
          assert.strictEqual(JSON.stringify(yield* RegistrySnapshot.toJson(after)), text)
        }))),
      { numRuns: 200 }
    ))

  it("fromJson does not register, call hooks or populate, and its items can be registered", () =>
    run(Effect.gen(function*() {
      let calls = 0
      const count = Effect.sync(() => void calls++)
      const registry = yield* Registry.make<Plugin>()({
        name: "plugins",
        schema: Plugin,
        lookup,
        defaults: Effect.fail("offline"),
        hooks: RegistryHooks.make<Plugin>()({ onItemRegistering: () => count, onPopulating: count })
      })
      const other = yield* makePlugins
      yield* Registry.registerAll(other, [plugin(1n), plugin(2n)])
      const json = yield* RegistrySnapshot.toJson(yield* Registry.snapshot(other))
      const snapshot = yield* registry.pipe(RegistrySnapshot.fromJson(json))
      assert.strictEqual(RegistrySnapshot.size(snapshot), 2)
      assert.strictEqual(RegistrySnapshot.revision(snapshot), 0)
      assert.strictEqual(calls, 0)
      assert.strictEqual(yield* Registry.state(registry), "Pending")

      yield* Registry.reset(other)
      yield* Registry.registerAll(other, snapshot)
      assert.deepStrictEqual(yield* Registry.values(other), [plugin(1n), plugin(2n)])
      for (const item of snapshot) assert.isTrue(yield* Registry.contains(other, item))
      const again = [...(yield* RegistrySnapshot.fromJson(other, json))]
      for (const item of again.toReversed()) yield* Registry.unregister(other, item)
      assert.strictEqual(yield* Registry.size(other), 0)
      assert.strictEqual(RegistrySnapshot.size(snapshot), 2)
    })))

  it("G9 the same object in the JSON of two snapshots and in the registry is found in each by its keys from then", () =>
    run(Effect.gen(function*() {
      const Settings = Schema.Unknown as Schema.Schema<any>
      const registry = yield* Registry.make<{ name: string }>()({ schema: Settings, lookup: ["name"] })
      const json: [{ name: string }, { name: string }] = [{ name: "a" }, { name: "b" }]
      const first = yield* RegistrySnapshot.fromJson(registry, json)
      yield* Registry.registerAll(registry, json.toReversed())
      const second = yield* RegistrySnapshot.fromJson(registry, json)
      json[0].name = "changed"
      for (const snapshot of [first, yield* Registry.snapshot(registry), second]) {
        assert.isFalse(RegistrySnapshot.contains(snapshot, json[0]))
        assert.deepStrictEqual(RegistrySnapshot.get(snapshot, "name", "a"), Option.some(json[0]))
        json[0].name = "a"
        assert.isTrue(RegistrySnapshot.contains(snapshot, json[0]))
        json[0].name = "changed"
      }
      assert.isTrue(yield* Registry.contains(registry, json[0]))
      yield* Registry.unregister(registry, json[0])
      assert.deepStrictEqual(yield* Registry.values(registry), [json[1]])
    })))

  it("an item that the schema cannot decode is named with its path", () =>
    run(Effect.gen(function*() {
      const registry = yield* makePlugins
      yield* Registry.registerAll(registry, [plugin(1n), plugin(2n)])
      const json: Array<any> = [...(yield* RegistrySnapshot.toJson(yield* Registry.snapshot(registry)))]
      json[1] = { ...json[1], options: { "__proto__x": "no" } }
      const error = yield* failing(RegistrySnapshot.fromJson(registry, json))
      assert.instanceOf(error, RegistryError.SnapshotError)
      assert.strictEqual(error.code, "decode")
      assert.strictEqual(error.registry, "plugins")
      assert.strictEqual((error as RegistryError.SnapshotError).index, 1)
      assert.strictEqual(error.item, json[1])
      assert.include(error.message, "[1] of the JSON for \"plugins\"")
      assert.include(error.message, "at [\"options\"][\"__proto__x\"]")
    })))

  it("JSON that is not an array is refused", () =>
    run(Effect.gen(function*() {
      const registry = yield* makePlugins
      for (const json of [undefined, null, "[]", {}, { length: 1, 0: {} }, new Set(), 1]) {
        const error = yield* failing(RegistrySnapshot.fromJson(registry, json))
        assert.instanceOf(error, RegistryError.SnapshotError)
        assert.strictEqual(error.item, json)
        assert.notProperty(error, "index")
        assert.match(error.message, /^Could not read the JSON for "plugins", .*: Expected an array of items$/)
      }
      for (const one of [undefined, null, "", 1, [], new Date()]) {
        const error = yield* failing(RegistrySnapshot.fromJson(registry, [one]))
        assert.instanceOf(error, RegistryError.SnapshotError)
        assert.include(error.message, "[0] of the JSON for \"plugins\"")
      }
    })))

  it("G11 an item that repeats a value or lacks an attribute is refused as by register", () =>
    run(Effect.gen(function*() {
      const registry = yield* Registry.make<Plugin>()({
        name: "plugins",
        schema: Plugin,
        lookup: { ...lookup, note: Lookup.unique((item) => item.note === "none" ? undefined : item.note ?? item.id) }
      })
      const json = (...items: ReadonlyArray<Plugin>) =>
        Effect.forEach(items, (item) => Schema.encodeEffect(Schema.toCodecJson(Plugin))(item))
      const refused = Effect.fnUntraced(function*(...items: ReadonlyArray<Plugin>) {
        return yield* failing(RegistrySnapshot.fromJson(registry, yield* json(...items)))
      })
      const twice = yield* refused(plugin(1n), plugin(2n), plugin(1n))
      assert.instanceOf(twice, RegistryError.AlreadyRegisteredError)
      assert.strictEqual(twice.code, "already_registered")

      const taken = yield* refused(plugin(1n), plugin(2n, { aliases: ["x", "p1"] }))
      assert.instanceOf(taken, RegistryError.AlreadyRegisteredError)
      assert.strictEqual(taken.code, "attribute_registered")
      assert.deepStrictEqual([(taken as any).attribute, (taken as any).value], ["alias", "p1"])
      assert.deepStrictEqual((taken as any).existing, plugin(1n))

      const lacking = yield* refused(plugin(1n, { note: "none" }))
      assert.instanceOf(lacking, RegistryError.RegistrationError)
      assert.strictEqual(lacking.code, "missing_attribute")
      assert.strictEqual(yield* Registry.state(registry), "Pending")
    })))

  it("an item that the schema cannot encode any more is named with its path", () =>
    run(Effect.gen(function*() {
      const Mutable = Schema.Struct({ name: Schema.String, tags: Schema.mutable(Schema.Array(Schema.String)) })
      const registry = yield* Registry.make<typeof Mutable.Type>()({ name: "tags", schema: Mutable, lookup: ["name"] })
      const item = { name: "a", tags: ["x"] }
      yield* Registry.registerAll(registry, [{ name: "b", tags: [] }, item])
      item.tags.push(1 as any)
      const error = yield* failing(RegistrySnapshot.toJson(yield* Registry.snapshot(registry)))
      assert.instanceOf(error, RegistryError.SnapshotError)
      assert.strictEqual(error.code, "encode")
      assert.strictEqual(error.index, 1)
      assert.strictEqual(error.item, item)
      assert.include(error.message, "Could not write [1] of \"tags\"")
      assert.include(error.message, "at [\"tags\"][1]")
    })))

  it("a registry without a schema dies first, with a message that says so", () =>
    run(Effect.gen(function*() {
      const registry = yield* Registry.make<{ readonly name: string }>()({ name: "codecs", lookup: ["name"] })
      const snapshot = yield* Registry.snapshot(registry)
      for (const attempt of [RegistrySnapshot.toJson(snapshot), RegistrySnapshot.fromJson(registry, "no array")]) {
        assert.match(died(yield* Effect.exit<unknown, unknown, never>(attempt)), /"codecs" has no schema.*Give it one/)
      }
    })))

  it("a registry can replace the messages", () =>
    run(Effect.gen(function*() {
      const registry = yield* Registry.make<Plugin>()({
        schema: Plugin,
        lookup,
        messages: { decode: ({ index }) => `line ${index} is broken` }
      })
      assert.strictEqual((yield* failing(RegistrySnapshot.fromJson(registry, [1]))).message, "line 0 is broken")
    })))

  it("a schema may be asynchronous, and uses the services of the caller", () =>
    run(Effect.gen(function*() {
      class Offset extends Context.Service<Offset, number>()("Offset") {}
      const shift = (sign: number) =>
        SchemaGetter.transformEffect((n: number) =>
          Effect.andThen(Effect.yieldNow, Offset.useSync((offset) => n + sign * offset))
        )
      const Shifted = Schema.Struct({
        id: Schema.Number.pipe(Schema.decode({ decode: shift(1), encode: shift(-1) }))
      })
      const registry = yield* Registry.make<typeof Shifted.Type>()({ schema: Shifted, lookup: ["id"] })
      yield* Registry.registerAll(registry, [{ id: 11 }, { id: 12 }])
      const saved = RegistrySnapshot.toJson(yield* Registry.snapshot(registry))
      const json = yield* Effect.provideService(saved, Offset, 10)
      assert.deepStrictEqual(json, [{ id: 1 }, { id: 2 }])
      const read = RegistrySnapshot.fromJson(registry, json)
      assert.deepStrictEqual([...(yield* Effect.provideService(read, Offset, 20))], [{ id: 21 }, { id: 22 }])
      assert.include(died(yield* Effect.exit(saved)), "Offset")
    })))

  it("keys like __proto__ are data, and change no prototype", () =>
    run(Effect.gen(function*() {
      const registry = yield* Registry.make<{ readonly name: string; readonly data: { [key: string]: unknown } }>()({
        schema: Schema.Struct({ name: Schema.String, data: Schema.Record(Schema.String, Schema.Unknown) }),
        lookup: ["name"]
      })
      const text =
        `[{"name":"__proto__","data":{"__proto__":{"isAdmin":true},"constructor":{"prototype":1}},"__proto__":{"x":1}}]`
      const snapshot = yield* RegistrySnapshot.fromJson(registry, JSON.parse(text))
      const item = Option.getOrThrow(RegistrySnapshot.get(snapshot, "name", "__proto__"))
      assert.deepStrictEqual(Object.keys(item), ["name", "data"])
      assert.deepStrictEqual(Object.keys(item.data), ["__proto__", "constructor"])
      assert.strictEqual(Object.getPrototypeOf(item.data), Object.prototype)
      assert.notProperty({}, "isAdmin")
      assert.notProperty(item.data, "isAdmin")
      const written = JSON.stringify(yield* RegistrySnapshot.toJson(snapshot))
      assert.strictEqual(written, text.replace(`,"__proto__":{"x":1}}]`, "}]"))
    })))

  it(
    "a hundred thousand items are read and written without stalling other fibers",
    { timeout: 30_000 },
    () =>
      run(Effect.gen(function*() {
        const registry = yield* Registry.make<{ readonly id: number }>()({
          schema: Schema.Struct({ id: Schema.Number }),
          lookup: ["id"]
        })
        const json = Array.from({ length: 100_000 }, (_, id) => ({ id }))
        let turns = 0
        const other = yield* Effect.forkChild(
          Effect.forever(Effect.andThen(Effect.yieldNow, Effect.sync(() => turns++)))
        )
        const snapshot = yield* RegistrySnapshot.fromJson(registry, json)
        assert.isAbove(turns, 20)
        assert.deepStrictEqual(yield* RegistrySnapshot.toJson(snapshot), json)
        yield* Fiber.interrupt(other)
      }))
  )
})

interface Tool {
  readonly id?: number
  readonly names: ReadonlyArray<string>
  readonly text: string
}

const snapshotsOf = <L extends Lookup.Input<Tool>>(by: L) =>
  Effect.fnUntraced(function*(...lists: ReadonlyArray<ReadonlyArray<Tool>>) {
    const registry = yield* Registry.make<Tool>()({ lookup: by })
    const snapshots: Array<RegistrySnapshot.RegistrySnapshot<Tool, L>> = []
    for (const items of lists) {
      yield* Registry.reset(registry)
      yield* Registry.registerAll(registry, items)
      snapshots.push(yield* Registry.snapshot(registry))
    }
    return snapshots as [RegistrySnapshot.RegistrySnapshot<Tool, L>, RegistrySnapshot.RegistrySnapshot<Tool, L>]
  })

const tool = (id: number, text = "", names: ReadonlyArray<string> = [`${id}`]): Tool => ({ id, names, text })

const byId = snapshotsOf({ id: Lookup.optional(Lookup.unique((one: Tool) => one.id)) })
const byName = snapshotsOf({
  text: Lookup.group((one: Tool) => one.text),
  name: Lookup.uniqueEach((one: Tool) => one.names)
})
const byValue = snapshotsOf({ text: Lookup.group((one: Tool) => one.text) })

const there = (list: ReadonlyArray<Tool>, { id }: Tool) => list.find((one) => one.id === id)

const shown = (list: ReadonlyArray<Tool>) => list.map((item) => JSON.stringify(item)).toSorted()

const plain = (text: string): Tool => ({ names: [], text })

const many = (text: string) => Array.from({ length: 20_000 }, (_, i) => tool(i, i % 2 === 0 ? "same" : text))

describe("RegistrySnapshot.diff", () => {
  it("agrees with a comparison by the first unique lookup, for additions, removals, changes and moves", () => {
    const items = fc.uniqueArray(fc.record({ id: fc.integer({ min: 0, max: 8 }), text: fc.constantFrom("a", "b") }), {
      selector: ({ id }) => id
    }).map((list) => list.map(({ id, text }) => tool(id, text)))
    return fc.assert(
      fc.asyncProperty(items, items, (before, after) =>
        run(Effect.gen(function*() {
          const [from, to] = yield* byId(before, after)
          const expected = {
            added: after.filter((item) => there(before, item) === undefined),
            removed: before.filter((item) => there(after, item) === undefined),
            replaced: after.flatMap((item) => {
              const previous = there(before, item)
              return previous === undefined || previous.text === item.text ? [] : [{ previous, item }]
            })
          }
          assert.deepStrictEqual(RegistrySnapshot.diff(from, to), expected)
          assert.deepStrictEqual(from.pipe(RegistrySnapshot.diff(to)), expected)
        }))),
      { numRuns: 200 }
    )
  })

  it("takes one set to the other, without a unique lookup and with several keys", () => {
    const items = fc.uniqueArray(fc.record({ names: fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }) }))
      .map((list) => {
        const names = new Set<number>()
        return list.flatMap((one, i) => {
          const free = one.names.filter((name) => !names.has(name))
          free.forEach((name) => names.add(name))
          return free.length === 0 ? [] : [{ names: free.map(String), text: `${i % 3}` }]
        })
      })
    return fc.assert(
      fc.asyncProperty(
        fc.constantFrom(byName, byValue),
        items,
        items,
        (snapshots, before, after) =>
          run(Effect.gen(function*() {
            const { added, removed, replaced } = RegistrySnapshot.diff(
              ...(yield* (snapshots as typeof byName)(before, after))
            )
            const gone = [
              ...removed,
              ...replaced.map(({ previous }) => previous)
            ]
            const rest = before.filter((item) => !gone.includes(item))
            assert.deepStrictEqual(shown([...rest, ...added, ...replaced.map(({ item }) => item)]), shown(after))
            assert.isTrue(replaced.every(({ item, previous }) => !Equal.equals(item, previous)))
            assert.strictEqual(new Set(gone).size, gone.length)
            if (snapshots !== byName) assert.deepStrictEqual(replaced, [])
          }))
      ),
      { numRuns: 300 }
    )
  })

  it("an item with several keys is matched by its first key whose holder has no match yet", () =>
    run(Effect.gen(function*() {
      const [one, two, both] = [tool(1, "", ["a"]), tool(2, "", ["b"]), tool(3, "", ["a", "b"])]
      const [from, to] = yield* byName([one, two], [both])
      assert.deepStrictEqual(RegistrySnapshot.diff(from, to), {
        added: [],
        removed: [two],
        replaced: [{ previous: one, item: both }]
      })
      const [left, right] = [tool(4, "", ["a", "c"]), tool(5, "", ["b"])]
      const [split, apart] = yield* byName([both], [left, right])
      assert.deepStrictEqual(RegistrySnapshot.diff(split, apart), {
        added: [right],
        removed: [],
        replaced: [{ previous: both, item: left }]
      })
      const [taken, free] = yield* byName([both, tool(6, "", ["c"])], [tool(7, "", ["b"]), tool(8, "", ["a", "c"])])
      assert.deepStrictEqual(RegistrySnapshot.diff(taken, free), {
        added: [],
        removed: [],
        replaced: [{ previous: both, item: tool(7, "", ["b"]) }, {
          previous: tool(6, "", ["c"]),
          item: tool(8, "", ["a", "c"])
        }]
      })
    })))

  it("an item without the first unique attribute, or without all, is matched by Equal", () =>
    run(Effect.gen(function*() {
      const [from, to] = yield* byId([plain("a"), plain("b"), tool(1)], [plain("c"), plain("b"), tool(1)])
      assert.deepStrictEqual(RegistrySnapshot.diff(from, to), {
        added: [plain("c")],
        removed: [plain("a")],
        replaced: []
      })
      const [bare, named] = yield* byName([plain("a")], [plain("a"), tool(1)])
      assert.deepStrictEqual(RegistrySnapshot.diff(bare, named), { added: [tool(1)], removed: [], replaced: [] })
    })))

  it("G9 a changed item is matched by its keys from registration, and equals itself", () =>
    run(Effect.gen(function*() {
      const registry = yield* Registry.make<{ id: number }>()({ lookup: ["id"] })
      const item = { id: 1 }
      yield* Registry.register(registry, item)
      const before = yield* Registry.snapshot(registry)
      item.id = 2
      yield* Registry.register(registry, { id: 3 })
      const after = yield* Registry.snapshot(registry)
      assert.deepStrictEqual(RegistrySnapshot.diff(before, after), { added: [{ id: 3 }], removed: [], replaced: [] })
      assert.deepStrictEqual(RegistrySnapshot.diff(after, before), { added: [], removed: [{ id: 3 }], replaced: [] })
    })))

  it("compares two registries with the same lookups in another order", () =>
    run(Effect.gen(function*() {
      const id = Lookup.unique((one: Tool) => one.id!)
      const text = Lookup.unique((one: Tool) => one.text)
      const first = yield* Registry.make<Tool>()({ lookup: { id, text }, defaults: [tool(1, "a"), tool(2, "b")] })
      const second = yield* Registry.make<Tool>()({ lookup: { text, id }, defaults: [tool(1, "b"), tool(2, "c")] })
      const [from, to] = [yield* Registry.snapshot(first), yield* Registry.snapshot(second)]
      assert.deepStrictEqual(RegistrySnapshot.diff(from, to).replaced, [
        { previous: tool(1, "a"), item: tool(1, "b") },
        { previous: tool(2, "b"), item: tool(2, "c") }
      ])
      assert.deepStrictEqual(RegistrySnapshot.diff(to, from), {
        added: [tool(1, "a")],
        removed: [tool(2, "c")],
        replaced: [{ previous: tool(1, "b"), item: tool(2, "b") }]
      })
    })))

  it("takes linear time", () =>
    run(Effect.gen(function*() {
      const [from, to] = yield* byName(many("old"), many("new").toReversed())
      const started = performance.now()
      const { replaced } = RegistrySnapshot.diff(from, to)
      assert.strictEqual(replaced.length, 10_000)
      // quadratic time would be 4e8 comparisons
      assert.isBelow(performance.now() - started, 5_000)
    })))
})
