/** What counts as the same: the rule itself, and that every operation goes by it. */
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Data, Effect, Equal, Hash, HashMap, Layer, Option, Schema, Stream } from "effect"
import { Lookup, Registry, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import { EventEmitter } from "node:events"
import { isDeepStrictEqual } from "node:util"
import { keyOf } from "../src/internal/store/key.ts"
import { hashOf, same } from "../src/internal/store/same.ts"
import { contradictions } from "./utils/inside.ts"

// ---------------------------------------------------------------------------------------------------------------------
// The rule
// ---------------------------------------------------------------------------------------------------------------------

class Opaque {
  readonly #state: unknown
  constructor(state: unknown) {
    this.#state = state
  }
  get state() {
    return this.#state
  }
}

class Visible {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

class Point extends Data.Class<{ readonly x: number; readonly parts?: unknown }> {}
class OtherPoint extends Data.Class<{ readonly x: number; readonly parts?: unknown }> {}
class Model extends Schema.Class<Model>("Model")({ x: Schema.Number }) {}

class Version {
  readonly name: string
  readonly build: number
  constructor(name: string, build: number) {
    this.name = name
    this.build = build
  }
  [Equal.symbol](that: unknown): boolean {
    return that instanceof Version && that.name === this.name
  }
  [Hash.symbol](): number {
    return Hash.string(this.name)
  }
}

class List extends Array<unknown> {}

const symbol = Symbol("name")
const f = () => 1
const opaque = new Opaque(1)
const bytes = (...list: ReadonlyArray<number>) => new Uint8Array(list)

/** Each is made twice. */
const alike: Record<string, () => unknown> = {
  "undefined": () => undefined,
  "null": () => null,
  "NaN": () => NaN,
  "a string": () => "a",
  "a bigint": () => 10n,
  "a symbol": () => symbol,
  "a function": () => f,
  "an instance": () => opaque,
  "an array": () => [1, "a", [null, undefined]],
  "an array with holes": () => Object.assign<Array<number>, object>([], { 1: 1 }),
  "an object": () => ({ a: 1, b: { c: [1] } }),
  "an object with a function and an instance": () => ({ f, opaque }),
  "an object with symbols and hidden properties": () =>
    Object.defineProperty({ [symbol]: 1 }, "hidden", { value: [1] }),
  "an object with a getter": () => ({
    get a() {
      return [1]
    }
  }),
  "a date": () => new Date(5),
  "an invalid date": () => new Date(NaN),
  "a regular expression": () => /a(b)/giu,
  "bytes": () => bytes(1, 2),
  "a buffer of Node": () => Buffer.from([1, 2]),
  "numbers": () => new Float64Array([0.5, NaN]),
  "big numbers": () => new BigInt64Array([1n]),
  "an array buffer": () => bytes(1, 2).buffer,
  "a map": () => new Map<unknown, unknown>([["a", [1]], [{ b: 1 }, { c: 1 }], [NaN, 0]]),
  "a set": () => new Set<unknown>([1, { a: 1 }, { a: 1 }, new Set([[1]])]),
  "Data": () => new Point({ x: NaN, parts: [{ a: 1 }] }),
  "an instance of a schema's class": () => new Model({ x: 1 }),
  "an Option": () => Option.some({ a: [1] }),
  "a HashMap": () => HashMap.make(["a", 1], ["b", 2]),
  "a Chunk": () => Chunk.make(1, 2),
  "an object with an equality of its own": () => new Version("a", 1),
  "one without a prototype": () => Object.assign(Object.create(null), { a: 1 })
}

const pairs: Record<string, readonly [unknown, unknown]> = {
  "0 and -0": [0, -0],
  "0 and -0 inside": [{ a: [0] }, { a: [-0] }],
  "0 and -0 in numbers": [new Float32Array([0]), new Float32Array([-0])],
  "0 and -0 in a set": [new Set([[0]]), new Set([[-0]])],
  "0 and -0 in Data": [new Point({ x: 0 }), new Point({ x: -0 })],
  "properties in another order": [{ a: 1, b: 2 }, { b: 2, a: 1 }],
  "sets in another order": [new Set<unknown>([{ a: 1 }, 1, { a: 2 }]), new Set<unknown>([{ a: 2 }, { a: 1 }, 1])],
  "maps in another order": [
    new Map<unknown, unknown>([[{}, 1], ["a", 2]]),
    new Map<unknown, unknown>([["a", 2], [{}, 1]])
  ],
  "maps with keys that are the same": [
    new Map([[{}, [1]], [{}, [2]]]),
    new Map([[{}, [2]], [{}, [1]]])
  ],
  "an object with and without a prototype": [{ a: 1 }, Object.assign(Object.create(null), { a: 1 })],
  "bytes of Node and others": [Buffer.from([1, 2]), bytes(1, 2)],
  "a part of more bytes": [bytes(0, 1, 2).subarray(1), bytes(1, 2)],
  "versions, by their own equality": [new Version("a", 1), new Version("a", 2)]
}

const different: Record<string, readonly [unknown, unknown]> = {
  "a number and its text": [1, "1"],
  "a number and a bigint": [1, 1n],
  "null and undefined": [null, undefined],
  "undefined and nothing": [{ a: undefined }, {}],
  "undefined by another name": [{ a: undefined }, { b: undefined }],
  "a hole and null": [Object.assign([], { length: 1 }), [null]],
  "symbols": [Symbol("a"), Symbol("a")],
  "functions": [() => 1, () => 1],
  "objects with functions": [{ f: () => 1 }, { f: () => 1 }],
  "arrays of other lengths": [[1], [1, 2]],
  "an array and an object": [[1], { 0: 1, length: 1 }],
  "an empty array and object": [[], {}],
  "one more property": [{ a: 1 }, { a: 1, b: 2 }],
  "symbols as names": [{ [symbol]: 1 }, { [symbol]: 2 }],
  "hidden properties": [
    Object.defineProperty({}, "hidden", { value: 1 }),
    Object.defineProperty({}, "hidden", { value: 2 })
  ],
  "dates": [new Date(0), new Date(1)],
  "a date and its time": [new Date(0), [0]],
  "expressions": [/a/, /a/g],
  "bytes": [bytes(1), bytes(2)],
  "bytes and other numbers": [bytes(1), new Uint16Array([1])],
  "bytes and a list": [bytes(1), [1]],
  "bytes and their buffer": [bytes(1), bytes(1).buffer],
  "array buffers": [bytes(1).buffer, bytes(2).buffer],
  "maps": [new Map([["a", 1]]), new Map([["a", 2]])],
  "maps with other names": [new Map([["a", undefined]]), new Map([["b", undefined]])],
  "maps with keys that are the same": [new Map([[{}, 1], [{}, 1]]), new Map([[{}, 1], [{}, 2]])],
  "sets": [new Set([1, 2]), new Set([1, 3])],
  "sets that repeat": [new Set([{ a: 1 }, { a: 1 }, { a: 2 }]), new Set([{ a: 1 }, { a: 2 }, { a: 2 }])],
  "a map and a set": [new Map(), new Set()],
  "a map and an object": [new Map([["a", 1]]), { a: 1 }],
  "Data": [new Point({ x: 1 }), new Point({ x: 2 })],
  "Data of other classes": [new Point({ x: 1 }), new OtherPoint({ x: 1 })],
  "Data and an object": [new Point({ x: 1 }), { x: 1 }],
  "Data with instances": [new Point({ x: 1, parts: new Opaque(1) }), new Point({ x: 1, parts: new Opaque(1) })],
  "an instance of a schema's class": [new Model({ x: 1 }), new Model({ x: 2 })],
  "Options": [Option.some(1), Option.some(2)],
  "versions, by their own equality": [new Version("a", 1), new Version("b", 1)],
  "one with an equality of its own, and one without": [
    new Version("a", 1),
    Object.assign(Object.create(null), { name: "a", build: 1 })
  ],
  "instances with the same fields": [new Visible("a"), new Visible("a")],
  "instances whose state is private": [new Opaque(1), new Opaque(1)],
  "an instance and an object": [new Visible("a"), { name: "a" }],
  "a class that extends Array": [new List(), new List()],
  "headers": [new Headers({ a: "1" }), new Headers({ a: "1" })],
  "queries": [new URLSearchParams("k=1"), new URLSearchParams("k=1")],
  "addresses": [new URL("http://a"), new URL("http://a")],
  "promises": [Promise.resolve(1), Promise.resolve(1)],
  "emitters": [new EventEmitter(), new EventEmitter()],
  "controllers": [new AbortController(), new AbortController()],
  "errors": [new Error("a"), new Error("a")],
  "weak maps": [new WeakMap(), new WeakMap()],
  "classes": [class extends Visible {}, class extends Visible {}],
  "boxes": [Object(1), Object(1)],
  "shared memory": [new SharedArrayBuffer(1), new SharedArrayBuffer(1)]
}

class PrivateMap extends Map<unknown, unknown> {
  readonly #secret = 1
  get secret() {
    return this.#secret
  }
}
class PrivateBytes extends Uint8Array {}
class PrivateDate extends Date {}

const sameBothWays = (one: unknown, other: unknown): boolean => {
  const isSame = same(one, other)
  assert.strictEqual(same(other, one), isSame, "it is symmetric")
  if (isSame) assert.strictEqual(hashOf(one), hashOf(other), "it agrees with the hash")
  // keys are found by both
  assert.strictEqual(HashMap.has(HashMap.make([keyOf(one), 1]), keyOf(other)), isSame, "and so do keys")
  return isSame
}

const throwing = () => ({
  get a(): never {
    throw new Error("getter")
  }
})

describe("what is the same", () => {
  it.each(Object.entries(alike))("G11 %s, made twice", (_, make) => {
    const [one, other] = [make(), make()]
    assert.isTrue(sameBothWays(one, one))
    assert.isTrue(sameBothWays(one, other))
    assert.isTrue(sameBothWays({ a: [one] }, { a: [other] }))
    assert.isTrue(sameBothWays(new Set([[one]]), new Set([[other]])))
    assert.isTrue(sameBothWays(new Map([[one, one]]), new Map([[other, other]])))
    assert.isTrue(sameBothWays(new Point({ x: 1, parts: one }), new Point({ x: 1, parts: other })))
  })

  it.each(Object.entries(pairs))("G11 %s", (_, [one, other]) => {
    assert.isTrue(sameBothWays(one, other))
    assert.isTrue(sameBothWays([{ a: one }], [{ a: other }]))
  })

  it.each(Object.entries(different))("G11 not %s", (_, [one, other]) => {
    assert.isTrue(sameBothWays(one, one))
    assert.isFalse(sameBothWays(one, other))
    assert.isFalse(sameBothWays({ a: [one] }, { a: [other] }))
    assert.isFalse(sameBothWays(new Set([[one]]), new Set([[other]])))
    assert.isFalse(sameBothWays(new Map([[one, 1]]), new Map([[other, 1]])))
    assert.isFalse(sameBothWays(new Point({ x: 1, parts: one }), new Point({ x: 1, parts: other })))
  })

  it.each([PrivateMap, PrivateBytes, PrivateDate])("G11 not two instances of a class that extends %s", (Class) => {
    assert.isFalse(sameBothWays(new Class(), new Class()))
  })

  it("G11 what throws is not the same, and no hash throws", () => {
    const one = throwing()
    assert.isTrue(same(one, one))
    assert.isFalse(same(one, throwing()))
    assert.isFalse(same([one], [throwing()]))
    class Bad {
      [Equal.symbol](): never {
        throw new Error("equal")
      }
      [Hash.symbol]() {
        return 1
      }
    }
    assert.isFalse(same([new Bad()], [new Bad()]))
    // an equality that does not look at what it is given
    class Rash {
      readonly name = "a";
      [Equal.symbol](that: Rash) {
        return that.name.length > 0
      }
      [Hash.symbol]() {
        return 1
      }
    }
    assert.isTrue(same(new Rash(), new Rash()))
    assert.isFalse(same(new Rash(), null))
    assert.isFalse(same(new Rash(), {}))
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// Circles
// ---------------------------------------------------------------------------------------------------------------------

interface Node {
  name: string
  parent?: Node
  children: unknown
}

const tree = (container: (list: Array<Node>) => unknown, ...names: ReadonlyArray<string>): Node => {
  const root: Node = { name: "root", children: undefined }
  root.children = container(names.map((name) => ({ name, parent: root, children: [] })))
  return root
}

const containers: Record<string, (list: Array<Node>) => unknown> = {
  "a list": (list) => list,
  "a set": (list) => new Set(list),
  "a set in another order": (list) => new Set(list.toReversed()),
  "the values of a map": (list) => new Map(list.map((one) => [one.name, one])),
  "the keys of a map": (list) => new Map(list.map((one) => [one, one.name])),
  "Data": (list) => new Point({ x: 1, parts: list })
}

/** Nodes that say the same, each of which leads to the next. */
const ring = (length: number) => {
  const nodes: Array<{ value: number; next?: unknown }> = Array.from({ length }, () => ({ value: 1 }))
  nodes.forEach((node, i) => {
    node.next = nodes[(i + 1) % length]
  })
  return nodes[0]!
}

/** Two circles, which differ in their last property alone, as a set, and what is inside the one with that property. */
const circles = (lasts: readonly [number, number], chosen: number): unknown => {
  const all = lasts.map((last) => {
    const inside: { up?: unknown } = {}
    const circle = { inside, last }
    inside.up = circle
    return circle
  })
  return [new Set(all), all.find(({ last }) => last === chosen)?.inside]
}

/** Each level has the one below it three times. */
const shared = (depth: number, last: unknown) => {
  let value = last
  for (let i = 0; i < depth; i++) value = { left: value, right: [value], more: new Map([["a", value]]) }
  return value
}

describe("circles", () => {
  it.each(Object.entries(containers))("G11 end, through %s", (name, container) => {
    const first = name === "a set in another order" ? containers["a set"]! : container
    const one = tree(first, "a", "b", "c")
    assert.isTrue(sameBothWays(one, tree(container, "a", "b", "c")))
    assert.isFalse(sameBothWays(one, tree(container, "a", "b", "d")))
    assert.isFalse(sameBothWays(one, tree(container, "a", "b")))
  })

  it("G11 of another length are the same if they say the same", () => {
    assert.isTrue(sameBothWays(ring(2), ring(3)))
    const other = ring(3)
    ;(other.next as { value: number }).value = 2
    assert.isFalse(sameBothWays(ring(2), other))
  })

  it("G11 what was assumed of a pair that differs is taken back", () => {
    // 1 and 2 are compared first: what is inside is the same as long as they are
    assert.isTrue(sameBothWays(circles([1, 2], 1), circles([2, 1], 1)))
    assert.isFalse(sameBothWays(circles([1, 2], 1), circles([2, 1], 2)))
  })

  it("G11 what is shared many times is compared once", () => {
    assert.isTrue(same(shared(60, 1), shared(60, 1)))
    assert.isFalse(same(shared(60, 1), shared(60, 2)))
    const key = keyOf(shared(60, 1))
    assert.isTrue(Equal.equals(key, keyOf(shared(60, 1))))
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// Properties
// ---------------------------------------------------------------------------------------------------------------------

const leaf = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, 0, -0, NaN, "", "a", symbol, f, opaque),
  fc.double(),
  fc.string({ maxLength: 2 }),
  fc.date({ noInvalidDate: false }),
  fc.uint8Array({ maxLength: 2 }),
  fc.float64Array({ maxLength: 2 }),
  fc.constantFrom("g", "i", "").map((flags) => new RegExp("a", flags))
)

/** Plain data of all kinds, made of leaves. */
const dataOf = (leaves: fc.Arbitrary<unknown>, maxDepth: number, withOptions = true): fc.Arbitrary<unknown> =>
  fc.letrec<{ data: unknown }>((tie) => ({
    data: fc.oneof(
      { maxDepth, withCrossShrink: true },
      leaves,
      fc.array(tie("data"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("a", "b", "__proto__"), tie("data"), { maxKeys: 3 }),
      fc.array(tie("data"), { maxLength: 3 }).map((list) => new Set(list)),
      fc.array(fc.tuple(tie("data"), tie("data")), { maxLength: 3 }).map((list) => new Map(list)),
      tie("data").map((parts) => new Point({ x: 1, parts })),
      ...(withOptions ? [tie("data").map(Option.some)] : [])
    )
  })).data

const data = dataOf(leaf, 4)

/** Often the same. */
const fewData = dataOf(fc.constantFrom<unknown>(0, -0, 1), 2)

describe("the rule", () => {
  it("G11 is reflexive, and two values that are made of the same data are the same", () =>
    fc.assert(
      fc.property(fc.clone(data, 2), ([one, other]) => {
        assert.isTrue(sameBothWays(one, one))
        assert.isTrue(sameBothWays(one, other))
      }),
      { numRuns: 2_000 }
    ))

  it("G11 is symmetric and transitive, and agrees with its hash", () =>
    fc.assert(
      fc.property(fc.tuple(fewData, fewData, fewData), ([one, other, third]) => {
        if (sameBothWays(one, other) && sameBothWays(other, third)) assert.isTrue(sameBothWays(one, third))
      }),
      { numRuns: 5_000 }
    ))

  it("G11 agrees with Node where Node has the same rule", () => {
    // Node tells 0 from -0, and compares what is not in `leaf` otherwise
    const positive = dataOf(fc.constantFrom<unknown>(0, 1, NaN, "a", f), 2)
    let equal = 0
    fc.assert(
      fc.property(fc.oneof(fc.tuple(positive, positive), fc.clone(positive, 2)), ([one, other]) => {
        const expected = isDeepStrictEqual(normal(one), normal(other))
        if (expected) equal++
        assert.strictEqual(sameBothWays(one, other), expected)
      }),
      { numRuns: 5_000 }
    )
    assert.isAbove(equal, 100)
  })

  it("G11 an instance with private state is never the same as another, wherever it is", () =>
    fc.assert(
      // an `Option` compares what is in it by itself
      fc.property(fc.clone(dataOf(fc.constant("the place"), 4, false), 2), fc.anything(), ([one, other], state) => {
        let places = 0
        const placed = (value: unknown): unknown =>
          withLeaves(value, () => {
            places++
            return new Opaque(state)
          })
        const [first, second] = [placed(one), placed(other)]
        assert.strictEqual(sameBothWays(first, second), places === 0)
      }),
      { numRuns: 1_000 }
    ))
})

/** Objects without a prototype as others have it. */
const normal = (value: unknown): unknown => withLeaves(value, (one) => one)

/** The same data with other leaves. */
const withLeaves = (value: unknown, other: (leaf: unknown) => unknown): unknown => {
  const inside = (one: unknown) => withLeaves(one, other)
  if (Array.isArray(value)) return value.map(inside)
  if (value instanceof Set) return new Set(Array.from(value, inside))
  if (value instanceof Map) return new Map(Array.from(value, ([key, one]) => [inside(key), inside(one)]))
  if (value instanceof Point) return new Point({ x: 1, parts: inside(value.parts) })
  if (Option.isOption(value)) return Option.map(value, inside)
  if (typeof value !== "object" || value === null) return other(value)
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, inside(one)]))
}

// ---------------------------------------------------------------------------------------------------------------------
// Operations
// ---------------------------------------------------------------------------------------------------------------------

interface Endpoint {
  readonly name: string
  readonly part?: unknown
  readonly kind?: string
  readonly alias?: string
}

const form = (value: string) => {
  const fields = new FormData()
  fields.set("k", value)
  return fields
}

/** Parts of items that `Equal` takes for one, or for two. */
const parts: Record<string, (value: string) => unknown> = {
  "Headers": (value) => new Headers({ authorization: value }),
  "URLSearchParams": (value) => new URLSearchParams({ k: value }),
  "FormData": form,
  "a Promise": (value) => Promise.resolve(value),
  "an instance with private state": (value) => new Opaque(value),
  "an EventEmitter": () => new EventEmitter(),
  "an AbortSignal": () => new AbortController().signal,
  "a closure": (value) => () => value,
  "a list of instances": (value) => [{ deep: new Map([["k", new Opaque(value)]]) }]
}

const codeOf = <A>(effect: Effect.Effect<A, { readonly code: string }>) =>
  Effect.map(Effect.result(effect), (result) => result._tag === "Failure" ? result.failure.code : undefined)

const partOf = (item: Endpoint): unknown => item.part

/** A registry, and what its hooks are told. */
const logging = <const Lookups extends Lookup.Input<Endpoint>>(
  lookup: Lookups,
  more: { readonly equivalence?: (one: Endpoint, other: Endpoint) => boolean } = {}
) =>
  Effect.gen(function*() {
    const log: Array<string> = []
    const registry = yield* Registry.make<Endpoint>()({
      name: "endpoints",
      lookup,
      ...more,
      hooks: {
        onItemRegistering: ({ name }: Endpoint) => Effect.sync(() => log.push(`?${name}`)),
        onItemRegistered: ({ name }: Endpoint) => Effect.sync(() => log.push(`+${name}`)),
        onItemUnregistering: ({ name }: Endpoint) => Effect.sync(() => log.push(`!${name}`)),
        onItemUnregistered: ({ name }: Endpoint) => Effect.sync(() => log.push(`-${name}`))
      }
    })
    return { registry, log }
  })

type Around = <A, E>(
  registry: Registry.Registry<Endpoint, any, any, any>,
  effect: Effect.Effect<A, E>
) => Effect.Effect<A, any>

/** Where operations run. */
const places: Record<string, Around> = {
  "by itself": (_, effect) => effect,
  "in a transaction": (registry, effect) => Registry.transact(registry, effect),
  "in nested transactions": (registry, effect) =>
    Registry.transact(registry, Registry.transact(registry, Effect.andThen(Effect.yieldNow, effect))),
  "in a transaction of several registries": (registry, effect) => Registry.transactAll([registry], effect)
}

describe.each(Object.entries(places))("operations %s", (_, around) => {
  it.effect.each(Object.entries(parts))(
    "G11 go by content: items with another of %s are other items",
    ([, make]) =>
      Effect.gen(function*() {
        const old: Endpoint = { name: "api", part: make("old") }
        const item: Endpoint = { name: "api", part: make("new") }
        for (const hooked of [false, true]) {
          const { log, registry } = hooked
            ? yield* logging(["name"])
            : { log: [], registry: yield* Registry.make<Endpoint>()({ lookup: ["name"] }) }
          const run = <A, E>(effect: Effect.Effect<A, E>) => around(registry, effect)
          yield* run(Registry.register(registry, old))
          assert.strictEqual(yield* codeOf(run(Registry.register(registry, item))), "attribute_registered")
          assert.strictEqual(yield* codeOf(run(Registry.register(registry, { ...old }))), "already_registered")
          assert.isFalse(yield* run(Registry.contains(registry, item)))
          assert.isTrue(yield* run(Registry.contains(registry, { ...old })))
          assert.strictEqual(yield* codeOf(run(Registry.unregister(registry, item))), "unregister")
          log.length = 0
          const report = yield* run(Registry.reconcile(registry, [item]))
          assert.deepStrictEqual([report.kept, report.replaced.length], [[], 1])
          assert.strictEqual(yield* Registry.get(registry, "name", "api"), item)
          assert.deepStrictEqual((yield* run(Registry.reconcile(registry, [{ ...item }]))).kept, [item])
          yield* run(Registry.upsert(registry, old))
          assert.strictEqual(yield* Registry.get(registry, "name", "api"), old)
          if (hooked) assert.deepStrictEqual(log, ["?api", "!api", "-api", "+api", "?api", "!api", "-api", "+api"])
          yield* run(Registry.unregister(registry, { ...old }))
          assert.strictEqual(yield* Registry.size(registry), 0)
        }
      })
  )

  it.effect("G11 take instances for one only where they are one", () =>
    Effect.gen(function*() {
      for (const make of [() => new Opaque(1), () => new Visible("a"), () => new EventEmitter(), () => () => 1]) {
        for (const lookup of [[], { kind: Lookup.group(() => "x") }] as const) {
          const registry: Registry.Registry<object, any> = yield* Registry.make<object>()({ lookup })
          const run = <A, E>(effect: Effect.Effect<A, E>) => around(registry as never, effect)
          const [one, other] = [make(), make()]
          yield* run(Registry.register(registry, one))
          assert.isFalse(yield* run(Registry.contains(registry, other)))
          assert.strictEqual(yield* codeOf(run(Registry.unregister(registry, other))), "unregister")
          yield* run(Registry.register(registry, other))
          assert.strictEqual(yield* codeOf(run(Registry.register(registry, one))), "already_registered")
          yield* run(Registry.upsert(registry, one))
          assert.deepStrictEqual((yield* run(Registry.reconcile(registry, [other, one]))).kept, [other, one])
          yield* run(Registry.unregister(registry, one))
          assert.strictEqual((yield* Registry.values(registry))[0], other)
          assert.deepStrictEqual(contradictions(registry), [])
        }
      }
    }))

  it.effect("G11 take keys that are instances for one only where they are one", () =>
    Effect.gen(function*() {
      const lookups = {
        unique: Lookup.unique(partOf),
        uniqueEach: Lookup.uniqueEach((item: Endpoint) => [item.part, item.name]),
        group: Lookup.group(partOf),
        groupEach: Lookup.groupEach((item: Endpoint) => [item.part, [item.part]])
      }
      for (const [kind, lookup] of Object.entries(lookups)) {
        const registry: Registry.Registry<Endpoint, any> = yield* Registry.make<Endpoint>()({
          lookup: { part: lookup as Lookup.Lookup<Endpoint> }
        })
        const run = <A, E>(effect: Effect.Effect<A, E>) => around(registry, effect)
        const [one, other] = [{ name: "one", part: new Opaque(1) }, { name: "other", part: new Opaque(1) }]
        yield* run(Registry.register(registry, one))
        assert.isFalse(yield* run(Registry.has(registry, "part", other.part)), kind)
        yield* run(Registry.register(registry, other))
        assert.deepStrictEqual(yield* run(Registry.getAll(registry, "part", one.part)), [one], kind)
        assert.deepStrictEqual(yield* run(Registry.getAll(registry, "part", other.part)), [other], kind)
        if (kind === "groupEach") assert.isTrue(yield* run(Registry.has(registry, "part", [one.part])))
        assert.isFalse(yield* run(Registry.has(registry, "part", [new Opaque(1)])))
        // an override hides what has its key, and nothing else
        yield* Effect.scoped(Effect.gen(function*() {
          yield* Registry.override(registry, { name: "above", part: one.part })
          assert.strictEqual((yield* Registry.getAll(registry, "part", other.part))[0], other)
          if (kind.startsWith("unique")) {
            const explained = yield* Registry.explain(registry, "part" as never, one.part as never)
            assert.deepInclude(explained, { _tag: "Present", hides: [one] })
          }
        }))
        yield* run(Registry.unregister(registry, one))
        assert.isFalse(yield* run(Registry.has(registry, "part", one.part)), kind)
        assert.deepStrictEqual(contradictions(registry), [])
      }
    }))

  it.effect("no getter of an item but its keys is called, whatever it is asked for", () =>
    Effect.gen(function*() {
      let reads = 0
      class Database {
        readonly name: string
        constructor(name: string) {
          this.name = name
        }
        get connection(): string {
          reads++
          throw new Error("not connected yet")
        }
      }
      const databases = yield* Registry.make<Database>()({ lookup: ["name"] })
      const [one, other, another] = ["one", "one", "another"].map((name) => new Database(name))
      yield* Registry.register(databases, one!)
      assert.strictEqual(yield* codeOf(Registry.register(databases, other!)), "attribute_registered")
      assert.isFalse(yield* Registry.contains(databases, other!))
      assert.isFalse(yield* Registry.contains(databases, another!))
      assert.strictEqual(yield* codeOf(Registry.unregister(databases, another!)), "unregister")
      yield* Registry.upsert(databases, other!)
      yield* Registry.reconcile(databases, [one!, another!])
      yield* Registry.registerAll(databases, [new Database("three"), new Database("four")])
      assert.strictEqual(yield* Registry.size(databases), 4)
      assert.strictEqual(reads, 0)
    }))

  it.effect("an upsert of what is the same changes nothing: no hook, no revision, no event, no owner", () =>
    Effect.gen(function*() {
      const { log, registry } = yield* logging(["name", "alias"])
      const item: Endpoint = { name: "a", alias: "x", part: [new Date(0), f] }
      yield* Registry.upsert(registry, item)
      log.length = 0
      const before = Registry.snapshotUnsafe(registry)
      const seen: Array<unknown> = []
      const { changes } = yield* Registry.subscribe(registry)
      for (const given of [item, { ...item }, { alias: "x", name: "a", part: [new Date(0), f] }]) {
        yield* around(registry, Registry.upsert(registry, given)).pipe(
          Effect.provideService(Registry.Owner, "somebody else")
        )
        seen.push(yield* Registry.get(registry, "name", "a"))
      }
      assert.deepStrictEqual(log, [])
      assert.strictEqual(Registry.snapshotUnsafe(registry), before)
      assert.isTrue(seen.every((one) => one === item))
      yield* Registry.register(registry, { name: "b", alias: "y" })
      const [first] = yield* Stream.runCollect(Stream.take(changes, 1))
      assert.strictEqual(first?.revision, RegistrySnapshot.revision(before) + 1)
      assert.include(yield* Registry.explain(registry, "name", "a"), { owner: "" })
    }))
})

describe("upsert", () => {
  const item: Endpoint = { name: "a", alias: "x", kind: "k", part: [1] }

  const shapes = {
    "a unique value": ["name"],
    "a unique value that may be missing": { host: Lookup.optional(Lookup.unique(() => undefined)), name: nameOf },
    "several unique values": { name: Lookup.uniqueEach((one: Endpoint) => [one.name, `${one.name}!`]) },
    "none, but a group": { kind: Lookup.group((one: Endpoint) => one.kind) },
    "nothing": []
  } as const

  it.effect.each(Object.entries(shapes))(
    "of what is the same changes nothing, where %s tells items apart",
    ([, lookup]) =>
      Effect.gen(function*() {
        const { log, registry } = yield* logging(lookup as ["name"])
        yield* Registry.upsert(registry, item)
        const before = Registry.snapshotUnsafe(registry)
        log.length = 0
        yield* Registry.upsert(registry, { ...item })
        yield* Registry.transact(registry, Registry.upsert(registry, { ...item, part: [1] }))
        assert.strictEqual(Registry.snapshotUnsafe(registry), before)
        assert.deepStrictEqual(log, [])
      })
  )

  it.effect("of what is the same as an override changes nothing, nor of what is the same as what it hides", () =>
    Effect.gen(function*() {
      const { log, registry } = yield* logging(["name", "alias"])
      yield* Registry.register(registry, item)
      const above: Endpoint = { name: "above", alias: "x" }
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.override(registry, above)
        log.length = 0
        const before = Registry.snapshotUnsafe(registry)
        yield* Registry.upsert(registry, { ...above })
        yield* Registry.upsert(registry, { ...item })
        assert.strictEqual(Registry.snapshotUnsafe(registry), before)
        assert.deepStrictEqual(log, [])
      }))
      assert.deepStrictEqual(yield* Registry.values(registry), [item])
    }))

  it.effect("in a hook of a population changes nothing if it is the same", () =>
    Effect.gen(function*() {
      const registry: Registry.Registry<Endpoint, any, any> = yield* Registry.make<Endpoint>()({
        lookup: ["name"],
        defaults: [item],
        hooks: { onPopulated: Effect.suspend(() => Effect.orDie(Registry.upsert(registry, { ...item }))) }
      })
      assert.strictEqual((yield* Registry.values(registry))[0], item)
    }))

  it.effect("in a layer that is loaded late changes nothing if it is the same", () =>
    Effect.gen(function*() {
      class Endpoints extends Registry.Tag<Endpoints, Endpoint>()("test/same/Endpoints", {
        lookup: ["name"],
        defaults: [item]
      }) {}
      const late = Registry.layerLazy(Endpoints, () => {
        const upserting = Layer.effectDiscard(Registry.upsert(Endpoints, { ...item }))
        return Promise.resolve(Layer.provideMerge(upserting, Endpoints.layer))
      })
      const held = yield* Effect.provide(Registry.values(Endpoints), late)
      assert.deepStrictEqual(held, [item])
      assert.strictEqual(held[0], item)
    }))

  it.effect("succeeds where a hook of it upserts the same first", () =>
    Effect.gen(function*() {
      const inner: Endpoint = { name: "a", part: "inner" }
      let told = 0
      const registry: Registry.Registry<Endpoint, any> = yield* Registry.make<Endpoint>()({
        lookup: ["name"],
        hooks: {
          onItemRegistering: ({ part }: Endpoint): Effect.Effect<unknown> =>
            part !== "inner" || told++ > 0 ? Effect.void : Effect.orDie(Effect.andThen(
              Registry.unregister(registry, item),
              Registry.upsert(registry, { ...inner })
            ))
        }
      })
      yield* Registry.register(registry, item)
      yield* Registry.upsert(registry, inner)
      assert.deepStrictEqual(yield* Registry.values(registry), [inner])
      assert.strictEqual(told, 2)
    }))

  it.effect("of an object that was changed in place finds it, and goes by the keys that it has now", () =>
    Effect.gen(function*() {
      const tools = yield* Registry.make<{ name: string; kind: string }>()({
        lookup: { name: Lookup.unique((tool) => tool.name), kind: Lookup.group((tool) => tool.kind) }
      })
      const tool = { name: "a", kind: "x" }
      yield* Registry.register(tools, tool)
      tool.kind = "y"
      yield* Registry.upsert(tools, tool)
      assert.deepStrictEqual(yield* Registry.getAll(tools, "kind", "y"), [tool])
      assert.deepStrictEqual(yield* Registry.getAll(tools, "kind", "x"), [])
      const replaced = { name: "a", kind: "x" }
      yield* Registry.replace(tools, "name", "a", replaced)
      replaced.name = "b"
      yield* Registry.replace(tools, "name", "a", replaced)
      replaced.name = "c"
      yield* Registry.upsert(tools, replaced)
      assert.isTrue(yield* Registry.has(tools, "name", "c"))
      assert.deepStrictEqual(contradictions(tools), [])
    }))

  it.effect("of what has the same set of keys, in another order, changes nothing", () =>
    Effect.gen(function*() {
      interface Aliased {
        readonly id: number
        readonly aliases: ReadonlySet<string>
      }
      const registry = yield* Registry.make<Aliased>()({
        lookup: { id: Lookup.unique((one) => one.id), alias: Lookup.uniqueEach((one) => one.aliases) }
      })
      const held = { id: 1, aliases: new Set(["a", "b"]) }
      yield* Registry.upsert(registry, held)
      yield* Registry.upsert(registry, { id: 1, aliases: new Set(["b", "a"]) })
      assert.strictEqual((yield* Registry.values(registry))[0], held)
      const report = yield* Registry.reconcile(registry, [{ id: 1, aliases: new Set(["b", "a"]) }])
      assert.strictEqual(report.kept[0], held)
    }))

  it.effect("of what decides for itself replaces what it says is the same, where their keys differ", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Version>()({ lookup: ["build"] })
      yield* Registry.upsert(registry, new Version("one", 1))
      const before = Registry.snapshotUnsafe(registry)
      yield* Registry.upsert(registry, new Version("one", 1))
      assert.strictEqual(Registry.snapshotUnsafe(registry), before)
      const next = new Version("one", 2)
      yield* Registry.upsert(registry, next)
      assert.deepStrictEqual(yield* Registry.values(registry), [next])
      assert.isTrue(yield* Registry.has(registry, "build", 2))
    }))
})

const nameOf = Lookup.unique((one: Endpoint) => one.name)

describe("items that are keys themselves", () => {
  it.effect("G9 are found as the objects that they are, however they were changed", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ calls: number }>()({ lookup: [] })
      const [one, other] = [{ calls: 0 }, { calls: 1 }]
      yield* Registry.registerAll(registry, [one, other])
      const before = yield* Registry.snapshot(registry)
      one.calls = 5
      assert.isTrue(RegistrySnapshot.contains(before, one))
      assert.strictEqual(yield* codeOf(Registry.register(registry, one)), "already_registered")
      yield* Registry.upsert(registry, one)
      assert.deepStrictEqual((yield* Registry.reconcile(registry, [one, other])).kept, [one, other])
      assert.strictEqual(Registry.snapshotUnsafe(registry), before)
      // what it was is free
      yield* Registry.register(registry, { calls: 0 })
      // and now it is so again
      one.calls = 0
      yield* Registry.unregister(registry, one)
      assert.deepStrictEqual(yield* Registry.values(registry), [other, { calls: 0 }])
      assert.isTrue(yield* Registry.contains(registry, { calls: 0 }))
      assert.deepStrictEqual(contradictions(registry), [])
      yield* Registry.unregister(registry, { calls: 0 })
      assert.deepStrictEqual(yield* Registry.values(registry), [other])
    }))

  it.effect("G11 one that was changed to be the same as another cannot be reconciled beside it", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ kind: string }>()({
        lookup: { kind: Lookup.group((item) => item.kind) }
      })
      const [one, other] = [{ kind: "a" }, { kind: "b" }]
      yield* Registry.registerAll(registry, [one, other])
      one.kind = "b"
      assert.strictEqual(yield* codeOf(Registry.reconcile(registry, [one, other])), "already_registered")
      assert.deepStrictEqual(yield* Registry.getAll(registry, "kind", "b"), [other])
      one.kind = "c"
      yield* Registry.reconcile(registry, [one, other])
      assert.deepStrictEqual(yield* Registry.getAll(registry, "kind", "c"), [one])
      assert.deepStrictEqual(contradictions(registry), [])
    }))

  it.effect("G11 marked by Equal.byReference, they are the same only as themselves", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ readonly n: number }>()({ lookup: [] })
      const [one, other] = [Equal.byReference({ n: 1 }), Equal.byReferenceUnsafe({ n: 1 })]
      yield* Registry.registerAll(registry, [one, other, { n: 1 }])
      assert.strictEqual(yield* Registry.size(registry), 3)
      for (const item of [one, other, { n: 1 }]) {
        assert.strictEqual(yield* codeOf(Registry.register(registry, item)), "already_registered")
      }
      yield* Registry.unregister(registry, one)
      assert.isFalse(yield* Registry.contains(registry, one))
      assert.isTrue(yield* Registry.contains(registry, other))
    }))
})

describe("keys", () => {
  const objects: Record<string, () => { readonly key: any; readonly change: () => void }> = {
    "a list": () => {
      const key = [1, [2]]
      return { key, change: () => key.push(3) }
    },
    "an object with a symbol": () => {
      const key = { [symbol]: { n: 1 } }
      return { key, change: () => key[symbol].n++ }
    },
    "an object with a hidden property": () => {
      const hidden = [1]
      return { key: Object.defineProperty({ n: 1 }, "hidden", { value: hidden }), change: () => hidden.push(2) }
    },
    "a date": () => {
      const key = new Date(0)
      return { key, change: () => key.setTime(5) }
    },
    "a map": () => {
      const key = new Map([[{ a: 1 }, [1]]])
      return { key, change: () => key.clear() }
    },
    "a set": () => {
      const key = new Set([{ a: 1 }])
      return { key, change: () => key.add({ a: 2 }) }
    },
    "bytes": () => {
      const key = Buffer.from([1, 2])
      return { key, change: () => key.fill(7) }
    },
    "an array buffer": () => {
      const key = new Uint8Array([1, 2])
      return { key: key.buffer, change: () => key.fill(7) }
    },
    "Data": () => {
      const inside = [1]
      return { key: new Point({ x: 1, parts: inside }), change: () => inside.push(2) }
    }
  }

  it.effect.each(Object.entries(objects))(
    "G9 %s: what becomes of it does not change how an item is found",
    ([, make]) =>
      Effect.gen(function*() {
        const registry = yield* Registry.make<Endpoint>()({ lookup: ["part"] })
        const { change, key } = make()
        yield* Registry.register(registry, { name: "a", part: key })
        assert.isTrue(yield* Registry.has(registry, "part", make().key))
        change()
        assert.isFalse(yield* Registry.has(registry, "part", key))
        assert.isTrue(yield* Registry.has(registry, "part", make().key))
        const error = yield* Effect.flip(Registry.register(registry, { name: "b", part: make().key }))
        assert.deepInclude(error, { code: "attribute_registered", value: make().key })
        yield* Registry.unregisterBy(registry, "part", make().key)
        assert.deepStrictEqual(contradictions(registry), [])
      })
  )

  it.effect("G9 one that is shared inside many times, or contains itself, is taken in a moment", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Endpoint>()({ lookup: ["part"] })
      yield* Registry.register(registry, { name: "shared", part: shared(60, 1) })
      assert.isTrue(yield* Registry.has(registry, "part", shared(60, 1)))
      yield* Registry.register(registry, { name: "circle", part: tree((list) => list, "a", "b") })
      assert.isTrue(yield* Registry.has(registry, "part", tree((list) => list, "a", "b")))
      assert.isFalse(yield* Registry.has(registry, "part", tree((list) => list, "a", "c")))
      yield* Registry.unregisterBy(registry, "part", tree((list) => list, "a", "b"))
      assert.strictEqual(yield* Registry.size(registry), 1)
    }))

  it("G11 of any plain data are found by the same data", () =>
    fc.assert(
      fc.asyncProperty(fc.clone(fc.array(data, { maxLength: 5 }), 2), ([list, again]) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          const registry = yield* Registry.make<Endpoint>()({
            lookup: {
              part: Lookup.group((item) =>
                item.part ?? null
              ),
              each: Lookup.groupEach((item) => [item.part, list])
            }
          })
          yield* Registry.registerAll(registry, list.map((part, i) => ({ name: `${i}`, part: part ?? null })))
          for (const part of again) {
            assert.isTrue(yield* Registry.has(registry, "part", part ?? null))
          }
          assert.strictEqual((yield* Registry.getAll(registry, "each", again)).length, list.length)
          for (const item of yield* Registry.values(registry)) yield* Registry.unregister(registry, item)
          for (const part of again) assert.isFalse(yield* Registry.has(registry, "part", part ?? null))
          assert.deepStrictEqual(contradictions(registry), [])
          const bare = yield* Registry.make<unknown>()({ lookup: [] })
          for (const [i, item] of list.entries()) {
            const isIn = list.slice(0, i).some((other) => same(item, other))
            assert.strictEqual(yield* codeOf(Registry.register(bare, item)), isIn ? "already_registered" : undefined)
            assert.isTrue(yield* Registry.contains(bare, again[i]))
          }
          const report = yield* Registry.reconcile(bare, new Set(yield* Registry.values(bare)))
          assert.deepStrictEqual([report.added, report.removed], [[], []])
          for (const item of again) yield* Effect.ignore(Registry.unregister(bare, item))
          assert.strictEqual(yield* Registry.size(bare), 0)
          assert.deepStrictEqual(contradictions(bare), [])
        })))),
      { numRuns: 300 }
    ))
})

describe("explain", () => {
  it.effect("knows what was withdrawn by a key that is an object, or that is normalized", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Endpoint>()({
        lookup: {
          part: Lookup.unique(partOf),
          name: Lookup.normalized(Lookup.unique((item: Endpoint) => item.name), (name) => name.toLowerCase())
        }
      })
      yield* Registry.register(registry, { name: "A", part: [1, { a: opaque }] })
      yield* Registry.unregisterBy(registry, "name", "a")
      for (const part of [[1, { a: opaque }], [1, { a: new Opaque(1) }]]) {
        const explained = yield* Registry.explain(registry, "part", part)
        const last = explained._tag === "Absent" ? explained.last?._tag : undefined
        assert.strictEqual(last, same(part, [1, { a: opaque }]) ? "Withdrawn" : undefined)
      }
      const explained = yield* Registry.explain(registry, "name", "A")
      assert.strictEqual(explained._tag === "Absent" && explained.last?._tag, "Withdrawn")
    }))
})

describe("getters", () => {
  let reads = 0
  const kinds: Record<string, (name: string) => Endpoint> = {
    "an instance": (name) =>
      new (class {
        readonly name = name
        get part(): never {
          reads++
          throw new Error("not connected yet")
        }
      })(),
    "an object": (name) => ({
      name,
      get part(): never {
        reads++
        throw new Error("not connected yet")
      }
    }),
    "an object in which an instance is": (name) => ({
      name,
      part: new (class {
        get connection(): never {
          reads++
          throw new Error("not connected yet")
        }
      })()
    })
  }

  it.effect.each(Object.entries(kinds))(
    "of %s are not called where its key is free",
    ([, make]) =>
      Effect.gen(function*() {
        reads = 0
        const registry = yield* Registry.make<Endpoint>()({ lookup: ["name"], defaults: [make("default")] })
        yield* Registry.register(registry, make("a"))
        yield* Registry.registerAll(registry, [make("b"), make("c")])
        yield* Effect.scoped(Registry.registerScoped(registry, make("d")))
        yield* Effect.scoped(Registry.override(registry, make("e")))
        yield* Registry.upsert(registry, make("f"))
        yield* Registry.transact(registry, Registry.register(registry, make("g")))
        assert.isFalse(yield* Registry.contains(registry, make("none")))
        assert.strictEqual(yield* codeOf(Registry.unregister(registry, make("none"))), "unregister")
        assert.strictEqual((yield* Registry.reconcile(registry, [make("h")])).added.length, 1)
        assert.strictEqual(reads, 0)
      })
  )

  it.effect.each(Object.entries(kinds))(
    "of %s may throw where its key is taken, and no operation does",
    ([, make]) =>
      Effect.gen(function*() {
        const registry = yield* Registry.make<Endpoint>()({ lookup: ["name"], defaults: [make("a")] })
        assert.include(
          ["attribute_registered", "already_registered"],
          yield* codeOf(Registry.register(registry, make("a")))
        )
        yield* Registry.contains(registry, make("a"))
        yield* Registry.upsert(registry, make("a"))
        yield* Registry.reconcile(registry, [make("a")])
        const before = yield* Registry.snapshot(registry)
        yield* Registry.replace(registry, "name", "a", make("a"))
        RegistrySnapshot.diff(before, yield* Registry.snapshot(registry))
        assert.strictEqual(yield* Registry.size(registry), 1)
      })
  )
})

// ---------------------------------------------------------------------------------------------------------------------
// The option
// ---------------------------------------------------------------------------------------------------------------------

interface Tool {
  readonly name: string
  readonly version: number
  readonly kind?: string
  readonly run: () => number
}

const byVersion = (one: Tool, other: Tool): boolean => one.version === other.version
const toolOf = (version: number, i = 0): Tool => ({ name: `tool ${i}`, version, kind: "k", run: () => version })
const load = (...versions: ReadonlyArray<number>): ReadonlyArray<Tool> => versions.map(toolOf)

describe("equivalence", () => {
  it.effect("decides instead of the rule, of items that share their first unique value", () =>
    Effect.gen(function*() {
      const tools = yield* Registry.make<Tool>()({ lookup: ["name"], equivalence: byVersion, defaults: load(1, 1) })
      const before = yield* Registry.snapshot(tools)
      const [first, second] = [
        yield* Registry.get(tools, "name", "tool 0"),
        yield* Registry.get(tools, "name", "tool 1")
      ]
      assert.deepStrictEqual((yield* Registry.reconcile(tools, load(1, 1))).kept, [first, second])
      yield* Registry.upsert(tools, toolOf(1))
      assert.strictEqual(Registry.snapshotUnsafe(tools), before)
      assert.isTrue(yield* Registry.contains(tools, toolOf(1)))
      assert.isFalse(yield* Registry.contains(tools, toolOf(2)))
      assert.strictEqual(yield* codeOf(Registry.register(tools, toolOf(1))), "already_registered")
      assert.strictEqual(yield* codeOf(Registry.register(tools, toolOf(2))), "attribute_registered")
      assert.strictEqual(yield* codeOf(Registry.unregister(tools, toolOf(2))), "unregister")
      const report = yield* Registry.reconcile(tools, load(2, 1))
      assert.deepStrictEqual([report.kept, report.replaced.length], [[second], 1])
      const { added, removed, replaced } = RegistrySnapshot.diff(before, yield* Registry.snapshot(tools))
      assert.deepStrictEqual([added, removed, replaced.map(({ previous }) => previous)], [[], [], [first]])
      yield* Registry.upsert(tools, toolOf(2))
      yield* Registry.unregister(tools, toolOf(2))
      assert.deepStrictEqual(yield* Registry.values(tools), [second])
    }))

  it.effect("keeps an item, unless it has other keys, by which it has to be found", () =>
    Effect.gen(function*() {
      const tools = yield* Registry.make<Tool>()({
        lookup: { name: Lookup.unique((tool) => tool.name), kind: Lookup.group((tool) => tool.kind) },
        equivalence: byVersion,
        defaults: load(1)
      })
      yield* Registry.upsert(tools, { ...toolOf(1), kind: "other" })
      assert.strictEqual((yield* Registry.getAll(tools, "kind", "other")).length, 1)
      assert.strictEqual((yield* Registry.reconcile(tools, load(1))).replaced.length, 1)
      assert.isFalse(yield* Registry.has(tools, "kind", "other"))
    }))

  it.effect("is asked of all items where no unique value tells them apart", () =>
    Effect.gen(function*() {
      const words = yield* Registry.make<string>()({
        lookup: { length: Lookup.group((word) => word.length) },
        equivalence: (one, other) => one.toLowerCase() === other.toLowerCase(),
        defaults: ["Find", "Grep"]
      })
      assert.isTrue(yield* Registry.contains(words, "find"))
      assert.strictEqual(yield* codeOf(Registry.register(words, "FIND")), "already_registered")
      yield* Registry.upsert(words, "grep")
      assert.deepStrictEqual((yield* Registry.reconcile(words, ["grep", "find", "sort"])).kept, ["Grep", "Find"])
      yield* Registry.unregister(words, "grep")
      assert.deepStrictEqual(yield* Registry.values(words), ["Find", "sort"])
      assert.deepStrictEqual(contradictions(words), [])
    }))

  it.effect("takes the place of what items say by themselves", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Version>()({
        lookup: ["build"],
        equivalence: (one, other) => one.name === other.name && one.build === other.build
      })
      yield* Registry.register(registry, new Version("one", 1))
      yield* Registry.register(registry, new Version("one", 2))
      assert.isTrue(yield* Registry.contains(registry, new Version("one", 2)))
      assert.isFalse(yield* Registry.contains(registry, new Version("one", 3)))
    }))

  it.effect.each<readonly [string, any]>([
    ["throws", () => {
      throw new Error("equivalence")
    }],
    ["says no", () => false],
    ["answers a promise", () => Promise.resolve(true)],
    ["is no function", "name"]
  ])("that %s: an object is the same as itself, and as no other", ([, equivalence]) =>
    Effect.gen(function*() {
      for (const lookup of [["name"], [], { kind: Lookup.group((tool: Tool) => tool.kind) }] as const) {
        const tools: Registry.Registry<Tool, any> = yield* Registry.make<Tool>()({
          lookup: lookup as readonly ["name"],
          equivalence
        })
        const [tool, again] = [toolOf(1), toolOf(1)]
        yield* Registry.register(tools, tool)
        assert.isTrue(yield* Registry.contains(tools, tool))
        assert.isFalse(yield* Registry.contains(tools, again))
        assert.strictEqual(yield* codeOf(Registry.register(tools, tool)), "already_registered")
        yield* Registry.upsert(tools, tool)
        assert.deepStrictEqual((yield* Registry.reconcile(tools, [tool])).kept, [tool])
        assert.deepStrictEqual((yield* Registry.reconcile(tools, [again])).kept, [])
        assert.strictEqual((yield* Registry.values(tools))[0], again)
        yield* Registry.unregister(tools, again)
        assert.strictEqual(yield* Registry.size(tools), 0)
      }
    }))

  it.effect("is an option of services and tags, too", () =>
    Effect.gen(function*() {
      const options = { lookup: ["name"], equivalence: byVersion, defaults: load(1) } as const
      class Service extends Registry.Service<Service, Tool>()("test/same/Service", options) {}
      class Tag extends Registry.Tag<Tag, Tool>()("test/same/Tag", options) {}
      const report = yield* Effect.all([
        Effect.provide(Service.reconcile(load(1)), Service.layer),
        Effect.provide(Registry.reconcile(Tag, load(1)), Tag.layer)
      ])
      assert.deepStrictEqual(report.map(({ kept }) => kept), [options.defaults, options.defaults])
    }))

  it("is in the model, too", () => {
    const model = RegistryTest.model<Tool>({
      lookup: { name: { kind: "unique", select: ({ name }) => name } },
      equivalence: byVersion
    })
    const [item, again] = [toolOf(1), toolOf(1)]
    const [, state] = model.register(model.initial, item)
    assert.deepStrictEqual(model.contains(state, again)[0], { ok: true })
    assert.deepStrictEqual(model.upsert(state, again), [{ ok: undefined }, state])
    const plain = RegistryTest.model<Tool>({ lookup: { name: { kind: "unique", select: ({ name }) => name } } })
    assert.deepStrictEqual(plain.contains(plain.register(plain.initial, item)[1], again)[0], { ok: false })
  })
})
