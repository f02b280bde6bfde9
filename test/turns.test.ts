/**
 * Long work gives others their turns.
 *
 * Time would say little on a busy machine. So a selector counts how often it is called, which is for each item at least
 * once in nearly all of the work: no operation calls it for all items between two turns of another fiber.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { Lookup, Registry } from "effect-registry"

/** How many items an operation has to do with. */
const many = 6_000

let work = 0

class Item {
  readonly id: number
  readonly name: string
  constructor(id: number, name: string) {
    this.id = id
    this.name = name
  }
}

const itemsFrom = (start: number, name: string): ReadonlyArray<Item> =>
  Array.from({ length: many }, (_, i) => new Item(start + i, name))

const counted = () => {
  work++
  return Effect.void
}

const counting = <A, B>(select: (a: A) => B) => (a: A): B => {
  work++
  return select(a)
}

const lookup = { id: Lookup.unique(counting((item: Item) => item.id)) }

const make = (items: ReadonlyArray<Item>) =>
  Effect.tap(Registry.make<Item>()({ lookup }), (registry) => Registry.registerAll(registry, items))

/** Runs an effect; and how often another fiber had a turn, and the most work that was done between two of them. */
const longest = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    let most = 0
    let turns = 0
    work = 0
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    while (true) {
      most = Math.max(most, work)
      work = 0
      if (fiber.pollUnsafe() !== undefined) break
      turns++
      yield* Effect.yieldNow
    }
    return { exit: yield* Fiber.await(fiber), most, turns }
  })

/** Runs an effect that has to do with many items, and fails if it leaves no turns to others. */
const givesTurns = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.map(longest(effect), ({ exit, most, turns }) => {
    assert.isBelow(most, many)
    assert.isAtLeast(turns, many / 3_000)
    return exit
  })

/** The same of one that succeeds. */
const succeedsInTurns = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatten(givesTurns(effect))

/** The longest stretch of an effect between two turns of another fiber, as a part of the time that it takes. */
const longestShare = <E, R>(effect: Effect.Effect<unknown, E, R>): Effect.Effect<number, never, R> =>
  Effect.gen(function*() {
    const start = performance.now()
    let last = start
    let most = 0
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    while (true) {
      const now = performance.now()
      most = Math.max(most, now - last)
      last = now
      if (fiber.pollUnsafe() !== undefined) break
      yield* Effect.yieldNow
    }
    assert.isTrue(Exit.isSuccess(yield* Fiber.await(fiber)))
    return most / (last - start)
  })

const told = { onItemRegistered: () => Effect.void, onItemUnregistered: () => Effect.void }

/** One that populates itself when it is used. */
const makeLate = Registry.make<Item>()({ lookup, defaults: itemsFrom(0, "one") })

type Items = Effect.Success<typeof makeLate>

/** How many items come to be in a registry, and how they are taken out. */
type Removal = readonly [
  name: string,
  prepare: (registry: Items, scope: Scope.Closeable) => Effect.Effect<unknown, unknown>,
  removal: (registry: Items, scope: Scope.Closeable) => Effect.Effect<unknown, unknown>
]

const emptied = (registry: Items) => Registry.reconcile(registry, [])

const filled = (registry: Items) =>
  Effect.andThen(
    emptied(registry),
    Effect.provideService(Registry.registerAll(registry, itemsFrom(many, "other")), Registry.Owner, "plugin")
  )

const scopeOf = (registry: Items, scope: Scope.Closeable) =>
  Effect.andThen(
    emptied(registry),
    Scope.provide(Registry.registerAllScoped(registry, itemsFrom(many, "other")), scope)
  )

describe("G15 many items give others their turns", () => {
  it.effect("one step for all of them would be noticed", () =>
    Effect.gen(function*() {
      const { most, turns } = yield* longest(Effect.sync(() => items.forEach(counted)))
      assert.deepStrictEqual([most, turns], [many, 0])
    }))

  const items = itemsFrom(0, "one")
  const sources: Record<string, Iterable<Item> | Effect.Effect<Iterable<Item>> | Stream.Stream<Item>> = {
    "a list": items,
    "a set": new Set(items),
    "the answer of an effect": Effect.succeed(items),
    "a stream in one piece": Stream.fromArray(items),
    "a stream in pieces": Stream.rechunk(Stream.fromArray(items), 1_500)
  }
  for (const [name, defaults] of Object.entries(sources)) {
    for (const hooked of [false, true]) {
      it.effect(`populate: ${name}, ${hooked ? "with" : "without"} hooks`, () =>
        Effect.gen(function*() {
          const registry = yield* Registry.make<Item>()({ lookup, defaults })
          if (hooked) yield* Registry.addHooks(registry, told)
          yield* succeedsInTurns(Registry.populate(registry))
          assert.strictEqual(yield* Registry.size(registry), many)
        }))
    }
  }

  it.effect("populate in a transaction, after a reset there", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: items })
      yield* Registry.populate(registry)
      yield* succeedsInTurns(
        Registry.transact(registry, Effect.andThen(Registry.reset(registry), Registry.populate(registry)))
      )
    }))

  for (const hooked of [false, true]) {
    const kind = hooked ? "with" : "without"
    it.effect(`registerAll, and in a transaction, and until a scope closes, ${kind} hooks`, () =>
      Effect.gen(function*() {
        const registry = yield* make([])
        if (hooked) yield* Registry.addHooks(registry, told)
        yield* succeedsInTurns(Registry.registerAll(registry, items))
        yield* succeedsInTurns(Registry.transact(registry, Registry.registerAll(registry, itemsFrom(many, "two"))))
        yield* succeedsInTurns(Registry.registerAllScoped(registry, itemsFrom(2 * many, "three")))
        assert.strictEqual(yield* Registry.size(registry), 3 * many)
      }))

    it.effect(`registerAll that fails at the last item, ${kind} hooks`, () =>
      Effect.gen(function*() {
        const registry = yield* make([])
        if (hooked) yield* Registry.addHooks(registry, told)
        const exit = yield* givesTurns(Registry.registerAll(registry, [...items, new Item(0, "twin")]))
        assert.isTrue(Exit.isFailure(exit))
        assert.strictEqual(yield* Registry.size(registry), 0)
      }))

    it.effect(`unregisterOwner, ${kind} hooks`, () =>
      Effect.gen(function*() {
        const registry = yield* make([])
        if (hooked) yield* Registry.addHooks(registry, told)
        yield* Effect.provideService(Registry.registerAll(registry, items), Registry.Owner, "plugin")
        const gone = yield* succeedsInTurns(Registry.unregisterOwner(registry, "plugin"))
        assert.strictEqual(gone.length, many)
        assert.strictEqual(yield* Registry.size(registry), 0)
      }))

    it.effect(`reconcile: all are added, kept, replaced and removed, ${kind} hooks`, () =>
      Effect.gen(function*() {
        const registry = yield* make([])
        if (hooked) yield* Registry.addHooks(registry, told)
        assert.strictEqual((yield* succeedsInTurns(Registry.reconcile(registry, items))).added.length, many)
        assert.strictEqual((yield* succeedsInTurns(Registry.reconcile(registry, items))).kept.length, many)
        const others = itemsFrom(0, "two")
        assert.strictEqual((yield* succeedsInTurns(Registry.reconcile(registry, others))).replaced.length, many)
        assert.strictEqual((yield* succeedsInTurns(Registry.reconcile(registry, []))).removed.length, many)
      }))
  }

  for (
    const [name, prepare, removal] of [
      ["reconcile", filled, (registry) => Registry.reconcile(registry, [])],
      ["reconcile of a registry that is Pending", () => Effect.void, (registry) => Registry.reconcile(registry, [])],
      [
        "reconcile in a transaction of which the draft alone is long",
        emptied,
        (registry) => Registry.transact(registry, Effect.andThen(filled(registry), Registry.reconcile(registry, [])))
      ],
      ["a scope that closes", scopeOf, (_, scope) => Scope.close(scope, Exit.void)],
      [
        "a scope that closes in a transaction",
        scopeOf,
        (registry, scope) => Registry.transact(registry, Scope.close(scope, Exit.void))
      ],
      ["unregisterOwner", filled, (registry) => Registry.unregisterOwner(registry, "plugin")]
    ] satisfies ReadonlyArray<Removal>
  ) {
    it.effect(`${name}: items are not removed in one step, though no selector counts that`, () =>
      Effect.gen(function*() {
        // the longest stretch is most of the time, if it is one step; the machine may be busy with others now and then
        const shares: Array<number> = []
        for (let tries = 0; tries < 6; tries++) {
          const registry = yield* makeLate
          const scope = yield* Scope.make()
          yield* prepare(registry, scope)
          shares.push(yield* longestShare(removal(registry, scope)))
          assert.strictEqual(yield* Registry.size(registry), 0)
        }
        assert.isBelow(Math.min(...shares), 0.45)
      }))
  }

  it.effect("reconcile of items that exchange a unique value, which are out before they are in again", () =>
    Effect.gen(function*() {
      interface Pair {
        readonly id: number
        readonly other: number
      }
      const pairs = (shift: number): ReadonlyArray<Pair> =>
        Array.from({ length: many }, (_, id) => ({ id, other: (id + shift) % many }))
      const registry = yield* Registry.make<Pair>()({
        lookup: { id: Lookup.unique(counting(({ id }: Pair) => id)), other: Lookup.unique(({ other }) => other) }
      })
      yield* Registry.registerAll(registry, pairs(0))
      const { replaced } = yield* succeedsInTurns(Registry.reconcile(registry, pairs(1)))
      assert.strictEqual(replaced.length, many)
    }))

  it.effect("reconcile of items that overrides hide", () =>
    Effect.gen(function*() {
      const registry = yield* make(items)
      yield* Registry.override(registry, new Item(0, "override"))
      const { kept, replaced } = yield* succeedsInTurns(Registry.reconcile(registry, itemsFrom(0, "two")))
      assert.deepStrictEqual([kept.length, replaced.length], [0, many])
    }))

  it.effect("overrides of many items, and their end", () =>
    Effect.gen(function*() {
      class Many extends Registry.Service<Many, Item>()("test/Many", { lookup, defaults: items }) {}
      yield* Effect.gen(function*() {
        yield* Many.populate
        const scope = yield* Scope.make()
        yield* succeedsInTurns(Layer.buildWithScope(Many.overrides(itemsFrom(0, "override")), scope))
        assert.strictEqual((yield* Many.get("id", 1)).name, "override")
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual((yield* Many.get("id", 1)).name, "one")
      }).pipe(Effect.provide(Many.layer))
    }))

  it.effect("hooks: reset, the end of a scope, and a transaction that fails", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, hooks: told })
      yield* Registry.registerAll(registry, items)
      yield* succeedsInTurns(Registry.reset(registry))
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerAllScoped(registry, items), scope)
      yield* succeedsInTurns(Scope.close(scope, Exit.void))
      assert.strictEqual(yield* Registry.size(registry), 0)
      const failing = Effect.andThen(Registry.registerAll(registry, items), Effect.fail("no"))
      const exit = yield* givesTurns(Registry.transact(registry, failing))
      assert.isTrue(Exit.isFailure(exit))
    }))
})

const named = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, i) => ({ name: `item number ${start + i}` }))

describe("a question that is answered at once", () => {
  it.effect("a value that is not found is compared with the keys of few items, and with none of many", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"] })
      const suggestions = Effect.map(
        Effect.flip(Registry.get(registry, "name", "item numbr 7")),
        (error) => error._tag === "ItemLookupError" ? error.suggestions.includes("item number 7") : error
      )
      yield* Registry.registerAll(registry, named(0, 100))
      assert.isTrue(yield* suggestions)
      yield* Registry.registerAll(registry, named(100, 20_000))
      assert.isFalse(yield* suggestions)
    }))
})

describe("G15 many calls of hooks give others their turns", () => {
  /** The work that counts is a call of a hook. */
  const call = Effect.sync(() => work++)

  class Plain {
    readonly id: number
    constructor(id: number) {
      this.id = id
    }
  }

  const plain: ReadonlyArray<Plain> = Array.from({ length: many }, (_, id) => new Plain(id))

  it.effect("of those that are played back when a transaction fails", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Plain>()({ lookup: ["id"] })
      yield* Registry.addHooks(registry, { onItemRegistered: () => Effect.void, onItemUnregistered: () => call })
      yield* givesTurns(
        Registry.transact(registry, Effect.andThen(Registry.registerAll(registry, plain), Effect.fail("no")))
      )
    }))

  it.effect("of those that are added and removed with existing", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Plain>()({ lookup: ["id"] })
      yield* Registry.registerAll(registry, plain)
      const scope = yield* Scope.make()
      yield* succeedsInTurns(
        Scope.provide(
          Registry.addHooks(registry, { onItemRegistered: () => call, onItemUnregistered: () => call }, {
            existing: true
          }),
          scope
        )
      )
      yield* succeedsInTurns(Scope.close(scope, Exit.void))
    }))

  it.effect("of those that have nothing to wait for, whichever hook it is", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Plain>()({ lookup: ["id"] })
      yield* Registry.addHooks(registry, {
        onItemRegistering: counted,
        onItemRegistered: counted,
        onItemUnregistering: counted,
        onItemUnregistered: counted
      })
      yield* succeedsInTurns(Registry.registerAll(registry, plain))
      const other = plain.map(({ id }) => new Plain(id + many))
      yield* succeedsInTurns(Effect.provideService(Registry.reconcile(registry, other), Registry.Owner, "plugin"))
      yield* succeedsInTurns(Registry.unregisterOwner(registry, "plugin"))
      yield* Registry.registerAll(registry, plain)
      yield* succeedsInTurns(Registry.reset(registry))
      yield* givesTurns(
        Registry.transact(registry, Effect.andThen(Registry.registerAll(registry, plain), Effect.die("no")))
      )
    }))
})
