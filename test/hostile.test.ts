import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Equal, Exit, Fiber, Hash, Latch, Layer, Logger, Scope } from "effect"
import { Lookup, Registry, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { contradictions, isLocked } from "./utils/inside.ts"

type AnyRegistry = Registry.Registry<any, any, any, any>

const throwing = (message: string) => (): never => {
  throw new Error(message)
}

const squashed = <A, E>(exit: Exit.Exit<A, E>): unknown => Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined

const dies = <A, E>(exit: Exit.Exit<A, E>): boolean =>
  Exit.isFailure(exit) && exit.cause.reasons.every((reason) => reason._tag === "Die")

/** A registry is sound: it has so many items, every index agrees, and the lock is free. */
const isSound = (registry: AnyRegistry, size: number) =>
  Effect.gen(function*() {
    assert.deepStrictEqual(contradictions(registry), [])
    assert.isFalse(isLocked(registry))
    assert.strictEqual(yield* Registry.size(registry), size)
  })

const codeOf = <A>(effect: Effect.Effect<A, { readonly code: string }>) =>
  Effect.map(Effect.result(effect), (result) => result._tag === "Failure" ? result.failure.code : undefined)

let fresh = 0

/** All operations that take an item. Each either dies or leaves the registry as it was. */
const operations = (registry: AnyRegistry, item: any, other: any) => [
  Registry.register(registry, item),
  Registry.registerAll(registry, [other, item]),
  Registry.upsert(registry, item),
  Registry.replace(registry, "n", 0, item),
  Effect.scoped(Registry.registerScoped(registry, item)),
  Registry.transact(registry, Effect.andThen(Registry.register(registry, other), Registry.register(registry, item)))
]

const kinds = ["unique", "uniqueEach", "group", "groupEach"] as const

const lookupOf = (kind: typeof kinds[number]) => ({
  n: Lookup.unique((item: any) => item.n),
  key: kind.endsWith("Each")
    ? Lookup[kind]((item: any) => [item.key, `other ${item.n}`, item.key])
    : Lookup[kind]((item: any) => item.key)
})

const makeKeyed = (kind: typeof kinds[number]): Effect.Effect<AnyRegistry, never, Scope.Scope> =>
  Registry.make<any>()({ name: "keyed", lookup: lookupOf(kind), defaults: [{ n: 0, key: "default" }] })

// ---------------------------------------------------------------------------------------------------------------------
// Keys
// ---------------------------------------------------------------------------------------------------------------------

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const cyclic = (n: number): object => {
  const value: { n: number; self?: unknown } = { n }
  value.self = [value]
  return value
}

const deep = (depth: number): unknown => {
  let value: unknown = []
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

const trapped = (): object =>
  new Proxy({}, {
    get: throwing("trap"),
    has: throwing("trap"),
    ownKeys: throwing("trap"),
    getPrototypeOf: throwing("trap"),
    getOwnPropertyDescriptor: throwing("trap")
  })

/** Unusual values that serve as keys, each with another value of its kind. */
const keys: Record<string, readonly [unknown, unknown]> = {
  "a name that objects have": ["__proto__", "constructor"],
  "an object with a property __proto__": [JSON.parse("{\"__proto__\":{\"a\":1}}"), {}],
  "an object without a prototype": [Object.assign(Object.create(null), { a: 1 }), { a: 2 }],
  "the empty string": ["", " "],
  "null": [null, "null"],
  "NaN": [NaN, "NaN"],
  "zero": [0, "0"],
  "a bigint": [1n, 1],
  "a boolean": [false, 0],
  "a symbol": [Symbol("a"), Symbol("a")],
  "a function": [() => 1, () => 1],
  "a date": [new Date(0), new Date(1)],
  "an invalid date": [new Date(NaN), new Date(0)],
  "a map": [new Map([[{ a: 1 }, 1]]), new Map([[{ a: 1 }, 2]])],
  "a set": [new Set([1]), new Set([2])],
  "bytes": [new Uint8Array([1]), new Uint8Array([2])],
  "a view of bytes": [new DataView(new ArrayBuffer(1)), new DataView(new ArrayBuffer(2))],
  "an error": [new Error("a"), new Error("b")],
  "a regular expression": [/a/, /b/],
  "a promise": [Promise.resolve(), "a promise"],
  "a weak map": [new WeakMap(), new Map()],
  "a proxy": [new Proxy({ a: 1 }, {}), { a: 2 }],
  "a deep list": [deep(500), deep(499)],
  "a cycle": [cyclic(1), cyclic(2)]
}

/** Values that throw when they are compared. */
const incomparable: Record<string, () => unknown> = {
  "a revoked proxy": revoked,
  "a proxy that throws": trapped,
  "a proxy that has everything": () => new Proxy({}, { has: () => true, get: () => 1 }),
  "a getter that throws": () => Object.defineProperty({}, "a", { enumerable: true, get: throwing("getter") }),
  "a list that is too deep": () => deep(100_000)
}

describe("hostile keys", () => {
  describe.each(kinds)("of a lookup %s", (kind) => {
    it.effect.each(Object.entries(keys))("G8 %s is an ordinary key", ([, [key, other]]) =>
      Effect.gen(function*() {
        const registry = yield* makeKeyed(kind)
        const item = { n: 1, key }
        assert.isFalse(yield* Registry.has(registry, "key", key))
        yield* Registry.register(registry, item)
        assert.deepStrictEqual(yield* Registry.getAll(registry, "key", key), [item])
        assert.isFalse(yield* Registry.has(registry, "key", other))
        if (kind.startsWith("unique")) {
          const error = yield* Effect.flip(Registry.register(registry, { n: 2, key }))
          assert.strictEqual(error.code, "attribute_registered")
          assert.strictEqual(error.existing, item)
          assert.include(error.message, "keyed")
        }
        yield* Registry.register(registry, { n: 3, key: other })
        yield* isSound(registry, 3)
        yield* Registry.replace(registry, "n", 1, { n: 1, key: "plain" })
        assert.isFalse(yield* Registry.has(registry, "key", key))
        assert.strictEqual((yield* Registry.getAll(registry, "key", other)).length, 1)
        yield* Registry.reset(registry)
        yield* isSound(registry, 1)
      }))

    it.effect.each(Object.entries(incomparable))(
      "G11 %s is the same only as itself: nothing throws",
      ([, make]) =>
        Effect.gen(function*() {
          const registry = yield* makeKeyed(kind)
          const [item, other] = [{ n: 1, key: make() }, { n: 2, key: make() }]
          yield* Registry.register(registry, item)
          yield* Registry.registerAll(registry, [other])
          assert.deepStrictEqual(yield* Registry.getAll(registry, "key", item.key), [item])
          assert.isFalse(yield* Registry.has(registry, "key", make()))
          const code = yield* codeOf(Registry.register(registry, { n: 3, key: other.key }))
          assert.strictEqual(code, kind.startsWith("unique") ? "attribute_registered" : undefined)
          assert.isTrue(yield* Registry.contains(registry, item))
          assert.isFalse(yield* Registry.contains(registry, { n: 1, key: make() }))
          assert.deepStrictEqual((yield* Registry.reconcile(registry, [item, other])).kept, [item, other])
          yield* Registry.upsert(registry, { n: 1, key: make() })
          assert.isFalse(yield* Registry.has(registry, "key", item.key))
          yield* Registry.unregister(registry, other)
          assert.isFalse(yield* Registry.has(registry, "key", other.key))
          yield* isSound(registry, 1)
        })
    )

    it.effect.each(Object.entries(incomparable))("G11 %s is an item, too", ([, make]) =>
      Effect.gen(function*() {
        const registry = yield* Registry.make<unknown>()({ name: "unkeyed", lookup: [] })
        const item = make()
        yield* Registry.register(registry, item)
        yield* Registry.register(registry, make())
        assert.strictEqual(yield* codeOf(Registry.register(registry, item)), "already_registered")
        yield* Registry.upsert(registry, item)
        assert.isFalse(yield* Registry.contains(registry, make()))
        yield* Registry.unregister(registry, item)
        assert.isFalse(yield* Registry.contains(registry, item))
        yield* isSound(registry, 1)
      }))
  })

  it.effect("ten million characters are a key, and errors about them are short", () =>
    Effect.gen(function*() {
      const long = "x".repeat(10_000_000)
      for (const kind of kinds) {
        const registry = yield* makeKeyed(kind)
        yield* Registry.register(registry, { n: 1, key: long })
        assert.isTrue(yield* Registry.has(registry, "key", `${"x".repeat(9_999_999)}x`))
        assert.isFalse(yield* Registry.has(registry, "key", long.slice(1)))
        const errors: Array<{ readonly message: string }> = [
          yield* Effect.flip(Registry.register(registry, { n: 1, key: long })),
          yield* Effect.flip(Registry.get(registry, "n", long)),
          yield* Effect.flip(Registry.unregister(registry, { n: 2, key: long }))
        ]
        if (kind.startsWith("unique")) {
          errors.push(yield* Effect.flip(Registry.register(registry, { n: 2, key: long })))
          const error = yield* Effect.flip(Registry.get(registry, "key", long.slice(1)))
          assert.deepStrictEqual(error.suggestions, [])
          errors.push(error)
        }
        for (const { message } of errors) assert.isAtMost(message.length, 1_000)
        yield* Registry.unregisterBy(registry, "n", 1)
        yield* isSound(registry, 1)
      }
    }))

  it.effect("the time of an item with a hundred thousand keys is linear", () =>
    Effect.gen(function*() {
      for (const kind of ["uniqueEach", "groupEach"] as const) {
        const registry = yield* Registry.make<{ readonly keys: ReadonlyArray<string> }>()({
          lookup: { key: Lookup[kind]((item) => item.keys) as Lookup.Unique<any, string> }
        })
        const many = Array.from({ length: 100_000 }, (_, i) => `key ${i}`)
        const started = performance.now()
        const item = { keys: [...many, ...many] }
        yield* Registry.register(registry, item)
        assert.strictEqual((yield* Registry.getAll(registry, "key", "key 99999"))[0], item)
        yield* Registry.unregister(registry, item)
        assert.isFalse(yield* Registry.has(registry, "key", "key 0"))
        // quadratic time would be 1e10 comparisons
        assert.isBelow(performance.now() - started, 10_000)
        yield* isSound(registry, 0)
      }
    }), { timeout: 60_000 })
})

// ---------------------------------------------------------------------------------------------------------------------
// Hashes that collide
// ---------------------------------------------------------------------------------------------------------------------

let compared = 0

/** All of these keys have the same hash. */
class Colliding {
  readonly n: number
  constructor(n: number) {
    this.n = n
  }
  [Hash.symbol](): number {
    return 1
  }
  [Equal.symbol](that: unknown): boolean {
    compared++
    return that instanceof Colliding && that.n === this.n
  }
}

/** One step of the hash of Effect for strings, which goes from the end to the beginning. */
const after = (hash: number, text: string): number => {
  for (let i = text.length - 1; i >= 0; i--) hash = (hash * 33) ^ text.charCodeAt(i)
  return hash
}

/** Thousands of strings of one hash: each block of four letters can be exchanged for another with the same effect. */
const collidingStrings = (count: number): ReadonlyArray<string> => {
  const letters = Array.from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
  const pairAfter = (hash: number): readonly [string, string] => {
    const seen = new Map<number, string>()
    for (const a of letters) {
      for (const b of letters) {
        for (const c of letters) {
          for (const d of letters) {
            const text = a + b + c + d
            const other = seen.get(after(hash, text))
            if (other !== undefined) return [other, text]
            seen.set(after(hash, text), text)
          }
        }
      }
    }
    throw new Error("no pair")
  }
  let strings: Array<string> = [""]
  for (let hash = 5381; strings.length < count;) {
    const pair = pairAfter(hash)
    hash = after(hash, pair[0])
    strings = strings.flatMap((rest) => pair.map((block) => block + rest))
  }
  return strings.slice(0, count)
}

const throughOperations = <Key>(kind: typeof kinds[number], keysOf: ReadonlyArray<Key>) =>
  Effect.gen(function*() {
    const registry = yield* Registry.make<{ readonly n: number; readonly key: Key }>()({
      lookup: lookupOf(kind) as { n: Lookup.Unique<any, number>; key: Lookup.Unique<any, Key> }
    })
    const items = keysOf.map((key, n) => ({ n, key }))
    const half = items.length >>> 1
    yield* Registry.registerAll(registry, items.slice(0, half))
    for (const item of items.slice(half)) yield* Registry.register(registry, item)
    for (const item of items) {
      assert.deepStrictEqual(yield* Registry.getAll(registry, "key", item.key), [item])
    }
    assert.isFalse(yield* Registry.has(registry, "key", new Colliding(-1) as Key))
    for (const item of items.slice(0, half)) yield* Registry.unregister(registry, item)
    for (const [i, { key }] of items.entries()) {
      assert.strictEqual((yield* Registry.getAll(registry, "key", key)).length, i < half ? 0 : 1)
    }
    yield* isSound(registry, items.length - half)
  })

describe("hashes that collide", () => {
  it.effect.each(kinds)("a thousand keys of one hash are all found: %s", (kind) =>
    Effect.gen(function*() {
      const list = Array.from({ length: 1_000 }, (_, n) => new Colliding(n))
      compared = 0
      yield* throughOperations(kind, list)
      // an operation compares with each colliding key a few times: a class that defines such a hash asks for it
      assert.isBelow(compared, 12 * list.length * list.length)
    }), { timeout: 60_000 })

  it.effect("G15 they slow down only themselves: other keys and other lookups are not compared with them", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ readonly n: number; readonly key: unknown }>()({
        lookup: { n: Lookup.unique((item) => item.n), key: Lookup.group((item) => item.key) }
      })
      yield* Registry.registerAll(registry, Array.from({ length: 500 }, (_, n) => ({ n, key: new Colliding(n) })))
      compared = 0
      yield* Registry.register(registry, { n: 1_000, key: "plain" })
      assert.strictEqual((yield* Registry.getAll(registry, "key", "plain")).length, 1)
      assert.isTrue(yield* Registry.has(registry, "n", 7))
      yield* Registry.unregisterBy(registry, "n", 1_000)
      assert.strictEqual(compared, 0)
    }))

  it.effect.each(kinds)(
    "strings that were made to collide are all found, in seconds: %s",
    (kind) =>
      Effect.gen(function*() {
        const strings = collidingStrings(4_096)
        assert.strictEqual(new Set(strings.map(Hash.hash)).size, 1)
        assert.strictEqual(new Set(strings).size, strings.length)
        const started = performance.now()
        yield* throughOperations<unknown>(kind, strings)
        assert.isBelow(performance.now() - started, 10_000)
      }),
    { timeout: 60_000 }
  )
})

// ---------------------------------------------------------------------------------------------------------------------
// Items
// ---------------------------------------------------------------------------------------------------------------------

/** Items that can be registered, but not printed or compared. */
const strange: Record<string, (n: number) => any> = {
  "a transparent proxy": (n) => new Proxy({ n }, {}),
  "a proxy that shows its number only": (n) =>
    new Proxy({}, {
      get: (_, name) => name === "n" ? n : throwing("get")(),
      ownKeys: throwing("ownKeys"),
      getPrototypeOf: throwing("getPrototypeOf"),
      getOwnPropertyDescriptor: throwing("getOwnPropertyDescriptor")
    }),
  "a getter that throws beside the number": (n) =>
    Object.defineProperty({ n }, "secret", { enumerable: true, get: throwing("secret") }),
  "a frozen object with names of Object.prototype": (n) =>
    Object.freeze(JSON.parse(`{"n":${n},"__proto__":{"n":-1},"constructor":null,"hasOwnProperty":1}`)),
  "a function": (n) => Object.assign(() => {}, { n }),
  "an object that has a method of a promise": (n) => ({ n, catch: throwing("catch") })
}

describe("hostile items", () => {
  it.effect.each(Object.entries(strange))(
    "%s is registered, found, passed to hooks and unregistered",
    ([, make]) =>
      Effect.gen(function*() {
        const told: Array<unknown> = []
        const registry = yield* Registry.make<any>()({
          name: "strange",
          lookup: { n: Lookup.unique((item) => item.n) },
          hooks: RegistryHooks.make<any>()({
            onItemRegistered: (item) => Effect.sync(() => void told.push(item)),
            onItemUnregistered: (item) => Effect.sync(() => void told.push(item))
          })
        })
        const [one, two] = [make(1), make(2)]
        yield* Registry.registerAll(registry, [one, two])
        assert.strictEqual(yield* Registry.get(registry, "n", 2), two)
        assert.isTrue(yield* Registry.contains(registry, one))
        const taken = yield* Effect.exit(Registry.register(registry, one))
        assert.include(String(squashed(taken)), "already registered")
        yield* Registry.unregister(registry, one)
        assert.isTrue(told.length === 3 && told[0] === one && told[1] === two && told[2] === one)
        yield* Registry.reset(registry)
        assert.strictEqual(told[3], two)
        yield* isSound(registry, 0)
      })
  )

  it.effect("G7 G9 the error of a getter that a lookup reads surfaces as itself, at the first reading or later", () =>
    Effect.gen(function*() {
      const balance: Array<number> = []
      const registry: AnyRegistry = yield* Registry.make<any>()({
        lookup: { n: Lookup.unique((item) => item.n) },
        defaults: [{ n: 0 }],
        hooks: RegistryHooks.make<any>()({
          onItemRegistered: (item) => Effect.sync(() => void balance.push(item.id)),
          onItemUnregistered: (item) => Effect.sync(() => void balance.push(-item.id))
        })
      })
      yield* Registry.populate(registry)
      balance.length = 0
      for (const times of [0, 1]) {
        for (let i = 0; i < operations(registry, {}, {}).length; i++) {
          let reads = 0
          const id = ++fresh
          const item = {
            id,
            get n(): number {
              if (reads++ >= times) throw new Error("getter")
              return id
            }
          }
          const other = { id: ++fresh, n: fresh }
          const exit = yield* Effect.exit(operations(registry, item, other)[i] as Effect.Effect<unknown, unknown>)
          assert.isTrue(dies(exit), `${times} ${i} ${exit}`)
          assert.strictEqual(String(squashed(exit)), "Error: getter")
          assert.strictEqual(balance.reduce((sum, by) => sum + by, 0), 0)
          yield* isSound(registry, 1)
        }
      }
    }))

  it.effect("registering a revoked proxy dies of its error, and one that is revoked later does not disturb other items", () =>
    Effect.gen(function*() {
      const registry: AnyRegistry = yield* Registry.make<any>()({ lookup: ["n"], defaults: [{ n: 0 }] })
      for (const attempt of operations(registry, revoked(), { n: 1 })) {
        const exit = yield* Effect.exit(attempt as Effect.Effect<unknown, unknown>)
        assert.isTrue(dies(exit), String(exit))
        assert.match(String(squashed(exit)), /revoked/)
        yield* isSound(registry, 1)
      }
      const { proxy, revoke } = Proxy.revocable({ n: 5 }, {})
      yield* Registry.registerAll(registry, [proxy, { n: 6 }])
      revoke()
      assert.isTrue(yield* Registry.contains(registry, proxy))
      assert.strictEqual(yield* Registry.get(registry, "n", 6).pipe(Effect.map((item) => item.n)), 6)
      yield* Registry.unregister(registry, proxy)
      assert.isFalse(yield* Registry.has(registry, "n", 5))
      yield* isSound(registry, 2)
    }))
})

// ---------------------------------------------------------------------------------------------------------------------
// Lookups that answer different values each time
// ---------------------------------------------------------------------------------------------------------------------

describe("lookups that answer different values each time", () => {
  it.effect("G9 an item is found by the last answer before its insertion, and is removed completely", () =>
    Effect.gen(function*() {
      for (const hooks of [RegistryHooks.empty, RegistryHooks.make<any>()({ onItemRegistering: () => Effect.void })]) {
        const answers: Array<string> = []
        const answer = (): string => {
          answers.push(`answer ${answers.length}`)
          return answers.at(-1)!
        }
        const registry: AnyRegistry = yield* Registry.make<any>()({
          lookup: {
            n: Lookup.unique((item) => item.n),
            one: Lookup.unique(answer),
            each: Lookup.uniqueEach(() => [answer(), answer()]),
            group: Lookup.group(answer),
            groups: Lookup.groupEach(() => new Set([answer(), answer()]))
          },
          hooks
        })
        const item = { n: 1 }
        yield* Registry.register(registry, item)
        const last = answers.slice(-6)
        assert.strictEqual(yield* Registry.get(registry, "one", last[0]), item)
        assert.strictEqual(yield* Registry.get(registry, "each", last[2]), item)
        assert.deepStrictEqual(yield* Registry.getAll(registry, "group", last[3]), [item])
        assert.deepStrictEqual(yield* Registry.getAll(registry, "groups", last[5]), [item])
        for (const early of answers.slice(0, -6)) assert.isFalse(yield* Registry.has(registry, "one", early))
        yield* isSound(registry, 1)

        yield* Registry.replace(registry, "one", last[0], { n: 2 })
        assert.isFalse(yield* Registry.has(registry, "each", last[2]))
        yield* Registry.upsert(registry, { n: 2 })
        yield* Effect.scoped(Registry.registerAllScoped(registry, [{ n: 3 }, { n: 4 }]))
        yield* isSound(registry, 1)
        yield* Registry.unregisterBy(registry, "n", 2)
        yield* Registry.registerAll(registry, Array.from({ length: 100 }, (_, n) => ({ n })))
        yield* Registry.reset(registry)
        yield* isSound(registry, 0)
      }
    }))

  it.effect("G11 an item whose lookup answers a taken value only after the hooks is refused then, and leaves no trace", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const registry = yield* Registry.make<{ readonly n: number; readonly names: Array<string> }>()({
        lookup: { name: Lookup.unique((item) => item.names.length > 1 ? item.names.shift()! : item.names[0]!) },
        hooks: RegistryHooks.make<any>()({
          onItemRegistering: () => Effect.sync(() => void told.push("registering")),
          onItemRegistered: () => Effect.sync(() => void told.push("registered"))
        })
      })
      yield* Registry.register(registry, { n: 1, names: ["taken"] })
      told.length = 0
      const error = yield* Effect.flip(Registry.register(registry, { n: 2, names: ["free", "taken"] }))
      assert.strictEqual(error.code, "attribute_registered")
      assert.deepStrictEqual(told, ["registering"])
      assert.isFalse(yield* Registry.has(registry, "name", "free"))
      yield* isSound(registry, 1)
    }))
})

// ---------------------------------------------------------------------------------------------------------------------
// Hooks that never end
// ---------------------------------------------------------------------------------------------------------------------

interface Item {
  readonly n: number
  readonly label?: string
}

/** Hooks by names that are not in the type. */
const hooksOf = (hooks: Record<string, unknown>): RegistryHooks.RegistryHooks<Item> =>
  RegistryHooks.make<Item>()(hooks as { readonly onItemRegistered: () => Effect.Effect<void> })

const start = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

const settle = Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow, { discard: true })

const hookNames = ["onItemRegistering", "onItemRegistered", "onItemUnregistering", "onItemUnregistered"] as const

describe("hooks that never end", () => {
  it.effect.each(hookNames)(
    "G7 G13 G15 readers go on, writers wait and can be interrupted, without a trace: %s",
    (name) =>
      Effect.gen(function*() {
        let stuck = false
        const registry = yield* Registry.make<Item>()({
          lookup: ["n"],
          defaults: [{ n: 0 }],
          hooks: hooksOf({ [name]: () => stuck ? Effect.never : Effect.void })
        })
        yield* Registry.populate(registry)
        for (
          const attempt of [
            Registry.replace(registry, "n", 0, { n: 1 }),
            Registry.upsert(registry, { n: 0, label: "other" }),
            Registry.transact(
              registry,
              Effect.andThen(Registry.register(registry, { n: 2 }), Registry.unregisterBy(registry, "n", 0))
            )
          ]
        ) {
          stuck = true
          const first = yield* start(attempt)
          const waiting = yield* start(Registry.register(registry, { n: 3 }))
          yield* settle
          assert.isUndefined(first.pollUnsafe())
          assert.isUndefined(waiting.pollUnsafe())
          assert.deepStrictEqual(yield* Registry.values(registry), [{ n: 0 }])
          assert.strictEqual(yield* Registry.get(registry, "n", 0).pipe(Effect.map((item) => item.n)), 0)
          yield* Fiber.interrupt(waiting)
          stuck = false
          yield* Fiber.interrupt(first)
          assert.deepStrictEqual(yield* Registry.values(registry), [{ n: 0 }])
          yield* isSound(registry, 1)
        }
        yield* Registry.register(registry, { n: 3 })
        yield* isSound(registry, 2)
      })
  )

  it.effect.each(["onPopulating", "onItemRegistered", "onPopulated"])(
    "G3 a population and its waiters wait until the waiters are interrupted: %s",
    (name) =>
      Effect.gen(function*() {
        let stuck = true
        const wait = Effect.suspend(() => stuck ? Effect.never : Effect.void)
        const registry = yield* Registry.make<Item>()({
          lookup: ["n"],
          defaults: [{ n: 0 }],
          hooks: hooksOf({ [name]: name === "onItemRegistered" ? () => wait : wait })
        })
        const [reader, writer] = [
          yield* start(Registry.values(registry)),
          yield* start(Registry.register(registry, { n: 1 }))
        ]
        yield* settle
        assert.isUndefined(reader.pollUnsafe())
        assert.isUndefined(writer.pollUnsafe())
        assert.strictEqual(yield* Registry.state(registry), "Populating")
        assert.strictEqual(RegistrySnapshot.size(Registry.snapshotUnsafe(registry)), 0)
        yield* Fiber.interrupt(reader)
        assert.strictEqual(yield* Registry.state(registry), "Populating")
        yield* Fiber.interrupt(writer)
        assert.strictEqual(yield* Registry.state(registry), "Pending")
        stuck = false
        yield* isSound(registry, 1)
      })
  )

  it.effect.each(["onResetting", "onReset"])(
    "G7 a reset waits, and changes nothing when it is interrupted: %s",
    (name) =>
      Effect.gen(function*() {
        let stuck = true
        const registry = yield* Registry.make<Item>()({
          lookup: ["n"],
          defaults: [{ n: 0 }],
          hooks: hooksOf({ [name]: Effect.suspend(() => stuck ? Effect.never : Effect.void) })
        })
        yield* Registry.register(registry, { n: 1 })
        const reset = yield* start(Registry.reset(registry))
        yield* settle
        assert.isUndefined(reset.pollUnsafe())
        assert.strictEqual(yield* Registry.size(registry), 2)
        yield* Fiber.interrupt(reset)
        yield* isSound(registry, 2)
        stuck = false
        yield* Registry.reset(registry)
        yield* isSound(registry, 1)
      })
  )

  it.effect("G15 G25 closing a scope waits for the hooks, and readers do not", () =>
    Effect.gen(function*() {
      const latch = yield* Latch.make()
      const registry = yield* Registry.make<Item>()({
        lookup: ["n"],
        hooks: RegistryHooks.make<Item>()({ onItemUnregistering: () => latch.await })
      })
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerScoped(registry, { n: 1 }), scope)
      const closing = yield* start(Scope.close(scope, Exit.void))
      const interrupting = yield* start(Fiber.interrupt(closing))
      yield* settle
      // closing cannot be interrupted: an item would stay for ever
      assert.isUndefined(interrupting.pollUnsafe())
      assert.deepStrictEqual(yield* Registry.values(registry), [{ n: 1 }])
      const writer = yield* start(Registry.register(registry, { n: 2 }))
      yield* settle
      assert.isUndefined(writer.pollUnsafe())
      yield* Fiber.interrupt(writer)
      yield* latch.open
      yield* Fiber.await(closing)
      yield* isSound(registry, 0)
    }))

  it.effect("G2 a logger that throws changes no result", () =>
    Effect.gen(function*() {
      const logger = Logger.make(throwing("logger"))
      let attempts = 0
      const registry = yield* Registry.make<Item>()({
        name: "items",
        lookup: ["n"],
        defaults: Effect.gen(function*() {
          yield* Effect.addFinalizer(() => attempts === 2 ? Effect.die("release") : Effect.void)
          return ++attempts === 1 ? yield* Effect.fail("offline" as const) : [{ n: 1 }]
        })
      }).pipe(Effect.provide(Logger.layer([logger])))
      const failure = yield* Effect.flip(Registry.populate(registry))
      assert.strictEqual(failure.cause, "offline")
      yield* Registry.populate(registry)
      yield* Effect.provide(Registry.reset(registry), Logger.layer([logger]))
      yield* isSound(registry, 1)
    }))

  it.effect("G26 the registry can be closed: closing waits for no hook, and interrupts the waiting operation", () =>
    Effect.gen(function*() {
      class Items extends Registry.Service<Items, Item>()("test/Items", {
        lookup: ["n"],
        hooks: RegistryHooks.make<Item>()({ onItemRegistered: ({ n }) => n === 1 ? Effect.never : Effect.void })
      }) {}
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Items.layer, scope)
      const first = yield* start(Effect.provideContext(Items.register({ n: 1 }), context))
      const second = yield* start(Effect.provideContext(Items.register({ n: 2 }), context))
      yield* settle
      assert.isUndefined(first.pollUnsafe())
      yield* Scope.close(scope, Exit.void)
      const exit = yield* Fiber.await(second)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      yield* Fiber.interrupt(first)
    }))
})
