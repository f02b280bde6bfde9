import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Deferred, Effect, Exit, Fiber, Schema, Scope, Stream } from "effect"
import { Lookup, Registry, RegistryError, RegistryEvent, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import { Follower } from "./utils/following.ts"
import { contradictions } from "./utils/inside.ts"
import { a, b, Balance, c, d, Item, messageOf, recording } from "./utils/items.ts"

interface Tool {
  readonly id: number | undefined
  readonly names: ReadonlyArray<string>
  readonly version: number
}

const byId = {
  id: Lookup.optional(Lookup.unique((tool: Tool) => tool.id)),
  name: Lookup.uniqueEach((tool: Tool) => tool.names)
}

const byName = { name: byId.name, id: byId.id }

const keysOf = ({ id, names }: Tool) => ({ id: id === undefined ? [] : [id], name: names })

const tools: fc.Arbitrary<Tool> = fc.record({
  id: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined, freq: 4 }),
  names: fc.uniqueArray(fc.constantFrom("v", "w", "x", "y", "z"), { maxLength: 2 }),
  version: fc.integer({ min: 1, max: 2 })
})

const isSame = (one: Tool, other: Tool): boolean => JSON.stringify(one) === JSON.stringify(other)

/** Whether no two of them conflict. */
const fitTogether = (list: ReadonlyArray<Tool>): boolean => {
  const keys = list.flatMap((tool) => {
    const own = [...keysOf(tool).id, ...tool.names].map(String)
    return own.length === 0 ? [JSON.stringify(tool)] : own
  })
  return new Set(keys).size === keys.length
}

/** Lists without conflicts. */
const sets = fc.array(tools, { maxLength: 8 }).map((list) => {
  const set: Array<Tool> = []
  for (const tool of list) if (fitTogether([...set, tool])) set.push(tool)
  return set
})

/** Lists that mostly have no conflicts. */
const lists = fc.oneof({ weight: 4, arbitrary: sets }, { weight: 1, arbitrary: fc.array(tools, { maxLength: 6 }) })

const counting = () => {
  const calls: Record<string, number> = { registering: 0, registered: 0, unregistering: 0, unregistered: 0 }
  const count = (name: string) => () => Effect.sync(() => calls[name]!++)
  return {
    calls,
    hooks: RegistryHooks.make<Tool>()({
      onItemRegistering: count("registering"),
      onItemRegistered: count("registered"),
      onItemUnregistering: count("unregistering"),
      onItemUnregistered: count("unregistered")
    })
  }
}

/** How many numbers of a list can be left, so that the rest rises. */
const longestRun = (numbers: ReadonlyArray<number>): number => {
  const lengths: Array<number> = []
  for (const number of numbers) {
    lengths.push(1 + Math.max(0, ...lengths.filter((_, j) => numbers[j]! < number)))
  }
  return Math.max(0, ...lengths)
}

describe("reconcile, against its specification", () => {
  for (const [first, lookup] of [["an optional unique", byId], ["a uniqueEach", byName]] as const) {
    it(`G7 G12 G22 by ${first} lookup: the fewest changes, in one transaction, and followers agree`, () =>
      fc.assert(
        fc.asyncProperty(
          sets,
          lists,
          fc.boolean(),
          (before, wanted, hooked) =>
            Effect.runPromise(Effect.scoped(Effect.gen(function*() {
              const { calls, hooks } = counting()
              const registry = yield* Registry.make<Tool>()({ lookup, defaults: before, ...(hooked ? { hooks } : {}) })
              const { changes, snapshot } = yield* Registry.subscribe(registry)
              const follower = new Follower(snapshot, RegistrySnapshot.revision(snapshot), keysOf)
              for (const name of Object.keys(calls)) calls[name] = 0
              const exit = yield* Effect.exit(Registry.reconcile(registry, wanted))
              const after = yield* Registry.snapshot(registry)
              assert.deepStrictEqual(contradictions(registry), [])
              assert.strictEqual(Exit.isSuccess(exit), fitTogether(wanted))
              if (Exit.isFailure(exit)) {
                assert.isFalse(Cause.hasDies(exit.cause))
                assert.strictEqual(after, snapshot)
                assert.strictEqual(calls["registering"], 0)
                return
              }
              const { added, kept, moved, removed, replaced } = exit.value
              // the contents are the wanted items, and equal items are the same objects as before
              assert.sameDeepMembers([...after], [...wanted])
              for (const tool of before) {
                if (wanted.some((other) => isSame(tool, other))) assert.isTrue([...after].includes(tool))
              }
              // the report lists each item, in the order of the list
              const changed = replaced.map(({ item }) => item)
              const ordered = (part: ReadonlyArray<Tool>) =>
                wanted.filter((tool) => part.some((one) => isSame(one, tool)))
              assert.deepStrictEqual([...added], ordered(added))
              assert.deepStrictEqual(changed, ordered(changed))
              assert.deepStrictEqual([...kept], ordered(kept))
              assert.strictEqual(added.length + kept.length + replaced.length, wanted.length)
              assert.strictEqual(removed.length + kept.length + replaced.length, before.length)
              assert.deepStrictEqual([...kept], wanted.filter((tool) => before.some((other) => isSame(tool, other))))
              assert.deepStrictEqual([...removed], before.filter((tool) => removed.includes(tool)))
              // the order is that of the list, and as few as possible have moved
              assert.deepStrictEqual([...after], [...wanted])
              const places = before.flatMap((tool): ReadonlyArray<Tool> => {
                const replacement = replaced.find(({ previous }) => previous === tool)
                return replacement !== undefined ? [replacement.item] : removed.includes(tool) ? [] : [tool]
              })
              const stayed = longestRun([...after].flatMap((tool) => places.includes(tool) ? places.indexOf(tool) : []))
              assert.strictEqual(moved.length, places.length - stayed)
              assert.deepStrictEqual([...moved], [...after].filter((tool) => moved.includes(tool)))
              // hooks are called for changed items only
              if (hooked) {
                const comes = added.length + replaced.length
                const goes = removed.length + replaced.length
                assert.deepStrictEqual(calls, {
                  registering: comes,
                  registered: comes,
                  unregistering: goes,
                  unregistered: goes
                })
              }
              // one change, or none if nothing changes
              const expected = added.length + removed.length + replaced.length + moved.length === 0 ? 0 : 1
              assert.strictEqual(RegistrySnapshot.revision(after), RegistrySnapshot.revision(snapshot) + expected)
              yield* changes.pipe(
                Stream.take(expected),
                Stream.runForEach((change) => Effect.sync(() => follower.apply(change)))
              )
              assert.deepStrictEqual(follower.list, [...after])
              assert.deepStrictEqual(follower.lost, [])
              // a second reconcile changes nothing
              const again = yield* Registry.reconcile(registry, wanted)
              assert.strictEqual(again.kept.length, wanted.length)
              assert.strictEqual(yield* Registry.snapshot(registry), after)
            })))
        ),
        { numRuns: 300 }
      ))
  }

  it("any list reaches the hidden items, and leaves overrides alone: when they end, the list is there", () =>
    fc.assert(
      fc.asyncProperty(sets, fc.array(tools, { maxLength: 3 }), fc.option(lists), (before, overrides, other) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          const wanted = other ?? before
          const registry = yield* Registry.make<Tool>()({ lookup: byId, defaults: before })
          const scope = yield* Scope.make()
          for (const tool of overrides) {
            yield* Registry.override(registry, tool).pipe(Scope.provide(scope))
          }
          const above = new Set(overrides)
          const onTop = Effect.map(Registry.values(registry), (all) =>
            all.filter((tool) =>
              above.has(tool)
            ))
          const overridesBefore = yield* onTop
          const exit = yield* Effect.exit(Registry.reconcile(registry, wanted))
          assert.deepStrictEqual(contradictions(registry), [])
          assert.deepStrictEqual(yield* onTop, overridesBefore)
          if (Exit.isFailure(exit)) {
            assert.isFalse(Cause.hasDies(exit.cause))
            // the items from before can always be wanted, though overrides hide them
            assert.notDeepEqual(wanted, before)
            return
          }
          // a list that repeats an item or a unique value fails as it does without overrides
          assert.isTrue(fitTogether(wanted))
          const { added, kept, replaced } = exit.value
          assert.strictEqual(added.length + kept.length + replaced.length, wanted.length)
          const again = yield* Registry.reconcile(registry, wanted)
          assert.strictEqual(again.kept.length, wanted.length)
          yield* Scope.close(scope, Exit.void)
          const left = yield* Registry.values(registry)
          assert.sameMembers([...left], [...added, ...replaced.map(({ item }) => item), ...kept])
          assert.deepStrictEqual([...left], wanted)
        })))),
      { numRuns: 400 }
    ))
})

const lookup = ["id", "name"] as const

const named = (id: number, name: string) => new Item(id, name)

const keys = ({ id, name }: Item) => ({ id: [id], name: [name] })

const ids = (list: Iterable<Item>) => Array.from(list, ({ id }) => id)

const many = (from: number, version: string) =>
  Array.from({ length: 10_000 }, (_, i) => named(from + i, `${version} ${from + i}`))

/** The report of a reconcile that changes nothing. */
const nothing = { added: [], removed: [], replaced: [], kept: [], moved: [] }

describe("reconcile", () => {
  it.effect("calls hooks in order: …ing for each item, then the step, then …ed for each item", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry: Registry.Registry<Item, typeof lookup> = yield* Registry.make<Item>()({
        lookup,
        hooks: RegistryHooks.combine(
          recording(log),
          RegistryHooks.make<Item>()({
            onItemRegistered: () => look,
            onItemUnregistered: () => look
          })
        )
      })
      const look = Effect.suspend(() =>
        Effect.map(Registry.values(registry), (list) => log.push(`now ${ids(list).join()}`))
      )
      yield* Registry.registerAll(registry, [a, b, c])
      log.length = 0
      const second = named(2, "second")
      const report = yield* Registry.reconcile(registry, [c, second, d])
      assert.deepStrictEqual(report, {
        added: [d],
        removed: [a],
        replaced: [{ previous: b, item: second }],
        kept: [c],
        moved: [c]
      })
      assert.deepStrictEqual(log, [
        "unregistering 1",
        "registering 2",
        "unregistering 2",
        "registering 4",
        "now 3,2,4",
        "unregistered 1",
        "now 3,2,4",
        "unregistered 2",
        "registered 2",
        "now 3,2,4",
        "registered 4",
        "now 3,2,4"
      ])
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [c, second, d])
    }))

  it.effect("equal items keep their objects, and nothing happens", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a, b], hooks: recording(log) })
      const before = yield* Registry.snapshot(registry)
      log.length = 0
      const report = yield* Registry.reconcile(registry, [named(1, a.name), named(2, b.name)])
      assert.deepStrictEqual(report, { ...nothing, kept: [a, b] })
      assert.strictEqual(yield* Registry.snapshot(registry), before)
      assert.deepStrictEqual(log, [])
    }))

  it.effect("items exchange unique values, in pairs and in a ring", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({
        lookup,
        defaults: [named(1, "x"), named(2, "y"), named(3, "z"), named(4, "v"), named(5, "w")]
      })
      const { changes } = yield* Registry.subscribe(registry)
      const wanted = [named(5, "v"), named(4, "w"), named(3, "x"), named(2, "z"), named(1, "y")]
      const report = yield* Registry.reconcile(registry, wanted)
      assert.deepStrictEqual([report.added, report.removed, report.kept], [[], [], []])
      assert.deepStrictEqual(report.replaced.map(({ item }) => item), wanted)
      assert.deepStrictEqual(
        (yield* Registry.values(registry)).map(({ id, name }) => `${id}${name}`),
        ["5v", "4w", "3x", "2z", "1y"]
      )
      const [change] = yield* Stream.runCollect(Stream.take(changes, 1))
      assert.strictEqual(change!.revision, 2)
      assert.deepStrictEqual(contradictions(registry), [])
    }))

  it.effect("a new item takes over the value of a removed one", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [named(1, "x"), named(2, "y")] })
      const report = yield* Registry.reconcile(registry, [named(2, "x"), named(3, "y")])
      assert.deepStrictEqual([report.added.length, report.removed.length, report.replaced.length], [1, 1, 1])
      assert.deepStrictEqual((yield* Registry.values(registry)).map(({ id, name }) => `${id}${name}`), ["2x", "3y"])
    }))

  it.effect("G7 a list that repeats an item or a unique value, breaks the schema or lacks an attribute changes nothing and calls no hook", () =>
    Effect.gen(function*() {
      class Thing extends Schema.Class<Thing>("Thing")({ id: Schema.Int, name: Schema.optionalKey(Schema.String) }) {}
      const log: Array<unknown> = []
      const registry = yield* Registry.make<Thing>()({
        name: "things",
        schema: Thing,
        lookup: { id: Lookup.unique((thing: Thing) => thing.id), name: Lookup.unique((thing: Thing) => thing.name) },
        defaults: [new Thing({ id: 1, name: "one" }), new Thing({ id: 2, name: "two" })],
        hooks: RegistryHooks.make<Thing>()({
          onItemRegistering: () => Effect.sync(() => log.push("registering")),
          onItemUnregistering: () => Effect.sync(() => log.push("unregistering"))
        })
      })
      const before = yield* Registry.snapshot(registry)
      log.length = 0
      const one = before.pipe(Array.from<Thing>)[0]!
      const three = new Thing({ id: 3, name: "three" })
      const wrong: ReadonlyArray<readonly [string, ReadonlyArray<Thing>]> = [
        ["already_registered", [one, one]],
        ["already_registered", [three, three]],
        ["already_registered", [three, new Thing({ id: 3, name: "three" })]],
        ["attribute_registered", [three, new Thing({ id: 3, name: "other" })]],
        ["attribute_registered", [three, new Thing({ id: 4, name: "three" })]],
        ["attribute_registered", [new Thing({ id: 1, name: "uno" }), new Thing({ id: 1, name: "un" })]],
        ["invalid_item", [{ id: "3", name: "three" } as unknown as Thing]],
        ["invalid_item", [undefined as unknown as Thing]],
        ["missing_attribute", [one, new Thing({ id: 3 })]],
        ["missing_attribute", [new Thing({ id: 1 })]]
      ]
      for (const [code, list] of wrong) {
        const error = yield* Effect.flip(Registry.reconcile(registry, list))
        assert.deepStrictEqual([error.code, error.registry], [code, "things"])
        assert.strictEqual(yield* Registry.snapshot(registry), before, code)
      }
      assert.deepStrictEqual(log, [])
      const exit = yield* Effect.exit(Registry.reconcile(registry, 5 as unknown as Iterable<Thing>))
      assert.isTrue(Exit.isFailure(exit))
      yield* Registry.reconcile(registry, [three])
    }))

  it.effect("a list that conflicts in itself fails, although overrides hide the items that it matches", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a, b] })
      const words = yield* Registry.make<string>()({ lookup: [], defaults: ["x"] })
      const over = named(1, "over")
      yield* Registry.override(registry, over)
      yield* Registry.override(words, "x")
      const before = yield* Registry.snapshot(registry)
      const errors = [
        yield* Effect.flip(Registry.reconcile(registry, [a, a])),
        yield* Effect.flip(Registry.reconcile(registry, [a, b, named(1, "other")])),
        yield* Effect.flip(Registry.reconcile(words, ["x", "x"])),
        yield* Effect.flip(Registry.reconcile(registry, [over, a])),
        yield* Effect.flip(Registry.reconcile(registry, [named(1, "x"), named(3, "x")]))
      ]
      assert.deepStrictEqual(errors.map(({ code }) => code), [
        "already_registered",
        "attribute_registered",
        "already_registered",
        "attribute_registered",
        "attribute_registered"
      ])
      assert.strictEqual(yield* Registry.snapshot(registry), before)
      const { kept } = yield* Registry.reconcile(registry, [a, b])
      assert.deepStrictEqual(kept.map(({ name }) => name), ["item 1", "item 2"])
    }))

  it.effect("a hidden item without the first value is matched by Equal, and kept", () =>
    Effect.gen(function*() {
      const tool: Tool = { id: undefined, names: ["x"], version: 1 }
      const registry = yield* Registry.make<Tool>()({ lookup: byId, defaults: [tool] })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.override(registry, { id: 7, names: ["x"], version: 2 })
        const report = yield* Registry.reconcile(registry, [{ ...tool }])
        assert.deepStrictEqual(report, { ...nothing, kept: [tool] })
      }))
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [tool])
    }))

  it.effect("of several values of the first lookup, the first one in the registry matches", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Tool>()({ lookup: byName })
      const before: Tool = { id: 1, names: ["w"], version: 1 }
      const upserted: Tool = { id: 2, names: ["v", "w"], version: 1 }
      const reconciled: Tool = { id: 3, names: ["x", "y", "w"], version: 1 }
      yield* Registry.register(registry, before)
      yield* Registry.upsert(registry, upserted)
      assert.deepStrictEqual(Array.from(yield* Registry.values(registry)), [upserted])
      const { replaced } = yield* Registry.reconcile(registry, [reconciled])
      assert.deepStrictEqual(replaced, [{ previous: upserted, item: reconciled }])
    }))

  it.effect("an item that lacks an attribute is refused, though a hidden item has its first value", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id", "name"], defaults: [a] })
      yield* Registry.override(registry, new Item(5, a.name))
      const error = yield* Effect.flip(Registry.reconcile(registry, [{ id: a.id } as Item]))
      assert.deepInclude(error, { code: "missing_attribute", attribute: "name" })
    }))

  it.effect("without a unique lookup items are matched by Equal", () =>
    Effect.gen(function*() {
      class Tag extends Data.Class<{ readonly name: string; readonly kind: string }> {}
      const tag = (name: string) => new Tag({ name, kind: "tag" })
      const tags = yield* Registry.make<Tag>()({
        lookup: { kind: Lookup.group((one: Tag) => one.kind) },
        defaults: [tag("x"), tag("y")]
      })
      const [x] = yield* Registry.values(tags)
      const report = yield* Registry.reconcile(tags, [tag("z"), tag("x")])
      assert.deepStrictEqual([report.added, report.removed, report.replaced], [[tag("z")], [tag("y")], []])
      assert.strictEqual(report.kept[0], x)
      assert.deepStrictEqual((yield* Registry.getAll(tags, "kind", "tag")).map(({ name }) => name), ["z", "x"])
      const words = yield* Registry.make<string>()({ lookup: [], defaults: ["a", "b", "c"] })
      assert.deepStrictEqual(yield* Registry.reconcile(words, new Set(["d", "b"])), {
        added: ["d"],
        removed: ["a", "c"],
        replaced: [],
        kept: ["b"],
        moved: []
      })
      assert.strictEqual((yield* Effect.flip(Registry.reconcile(words, ["d", "d"]))).code, "already_registered")
    }))

  it.effect("G9 an object that was changed since leaves by its old keys and enters by its new ones, or is kept if it has the same", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ id: number; note: string }>()({ lookup: ["id"] })
      const moved = { id: 1, note: "" }
      const noted = { id: 2, note: "" }
      yield* Registry.registerAll(registry, [moved, noted])
      moved.id = 10
      noted.note = "changed"
      const report = yield* Registry.reconcile(registry, [moved, noted])
      assert.deepStrictEqual(report, { ...nothing, added: [moved], removed: [moved], kept: [noted] })
      assert.deepStrictEqual(yield* Registry.values(registry), [moved, noted])
      assert.strictEqual(yield* Registry.get(registry, "id", 10), moved)
      assert.isFalse(yield* Registry.has(registry, "id", 1))
      // another item takes over its old keys
      moved.id = 11
      const heir = { id: 10, note: "heir" }
      yield* Registry.reconcile(registry, [heir, moved, noted])
      assert.deepStrictEqual(yield* Registry.values(registry), [heir, moved, noted])
      assert.deepStrictEqual(contradictions(registry), [])
    }))

  it.effect("G9 an object that has its first key still, and another second one, is registered again", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ id: number; name: string }>()({ lookup: ["id", "name"] })
      const renamed = { id: 1, name: "before" }
      yield* Registry.register(registry, renamed)
      renamed.name = "after"
      const report = yield* Registry.reconcile(registry, [renamed])
      assert.deepStrictEqual(report, { ...nothing, replaced: [{ previous: renamed, item: renamed }] })
      assert.isTrue(yield* Registry.has(registry, "name", "after"))
      assert.isFalse(yield* Registry.has(registry, "name", "before"))
    }))

  it.effect("works to and from the empty list, and populates a Pending registry first", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a, b] })
      assert.deepStrictEqual(yield* Registry.reconcile(registry, [b, c]), {
        ...nothing,
        added: [c],
        removed: [a],
        kept: [b]
      })
      assert.deepStrictEqual(yield* Registry.reconcile(registry, []), { ...nothing, removed: [b, c] })
      assert.strictEqual(yield* Registry.state(registry), "Ready")
      assert.deepStrictEqual(yield* Registry.reconcile(registry, []), nothing)
      assert.deepStrictEqual(yield* registry.pipe(Registry.reconcile([d])), { ...nothing, added: [d] })
    }))

  it.effect("G8 readers meanwhile see the whole old set, while hooks wait", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a, b] })
      yield* Registry.populate(registry)
      yield* Registry.addHooks(registry, {
        onItemRegistered: (item) => item === d ? Deferred.await(gate) : Effect.void
      })
      const fiber = yield* Effect.forkChild(Registry.reconcile(registry, [c, d]), { startImmediately: true })
      assert.deepStrictEqual(ids(yield* Registry.values(registry)), [1, 2])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(ids(yield* Registry.values(registry)), [3, 4])
    }))

  it.effect("G7 a veto, or a hook that dies at any call, changes nothing, and completed hooks are rolled back", () =>
    Effect.gen(function*() {
      const first = named(2, "second")
      const calls = [
        "registering 2",
        "registering 4",
        "unregistering 1",
        "unregistering 2",
        "unregistered 1",
        "unregistered 2",
        "registered 2",
        "registered 4"
      ]
      for (const bad of calls) {
        const balance = new Balance()
        const registry = yield* Registry.make<Item>()({ lookup, defaults: [a, b, c], hooks: balance.hooks })
        const before = yield* Registry.snapshot(registry)
        const fail = <E>(what: string, end: Effect.Effect<never, E>) => ({ id }: Item): Effect.Effect<void, E> =>
          `${what} ${id}` === bad ? end : Effect.void
        const dies = Effect.die(new Error(bad))
        yield* Registry.addHooks(registry, {
          onItemRegistering: fail("registering", RegistryError.reject(d, bad)),
          onItemRegistered: fail("registered", dies),
          onItemUnregistering: fail("unregistering", dies),
          onItemUnregistered: fail("unregistered", dies)
        })
        const exit = yield* Effect.exit(Registry.reconcile(registry, [first, c, d]))
        assert.include(messageOf(exit), bad)
        assert.strictEqual(yield* Registry.snapshot(registry), before)
        assert.deepStrictEqual(balance.wrong([a, b, c]), [], bad)
      }
    }))

  it.effect("G14 G18 changes by hooks lead to a new plan, and hooks are told of all of it, in one transaction", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      type Numbered = Registry.Registry<Item, typeof lookup>
      const cases: ReadonlyArray<
        readonly [string, (registry: Numbered) => Effect.Effect<unknown, unknown>, string]
      > = [
        ["it takes out what was to go", (registry) => Registry.unregister(registry, a), "2,3,4"],
        ["it takes out what was to be replaced", (registry) => Registry.unregister(registry, b), "2,3,4"],
        ["it takes out what was to stay", (registry) => Registry.unregister(registry, c), "2,3,4"],
        ["it adds something else", (registry) => Registry.register(registry, named(9, "nine")), "2,3,4"],
        ["it adds what was to be added", (registry) => Registry.register(registry, d), "2,3,4"],
        ["it replaces what was to go", (registry) => Registry.replace(registry, "id", 1, named(1, "uno")), "2,3,4"],
        ["it replaces what was to be replaced", (registry) => Registry.replace(registry, "id", 2, b), "2,3,4"],
        ["it replaces what was to stay", (registry) => Registry.replace(registry, "id", 3, named(3, "tre")), "2,3,4"],
        [
          "it hides what was to be replaced",
          (registry) => Registry.override(registry, named(2, "over")).pipe(Scope.provide(scope)),
          "3,2,4"
        ],
        ["it empties the registry, which is populated again", (registry) => Registry.reset(registry), "2,3,4"],
        ["it reconciles", (registry) => Registry.reconcile(registry, [c, named(7, "seven")]), "2,3,4"]
      ]
      for (const hooked of ["registering 4", "unregistering 2", "unregistering 1"]) {
        for (const [name, act, expected] of cases) {
          let acting = false
          const balance = new Balance()
          const told = new Set<string>()
          const tell = (hook: string) => (item: Item): Effect.Effect<void> => {
            told.add(`${hook} ${item.name}`)
            if (acting || `${hook} ${item.id}` !== hooked) return Effect.void
            acting = true
            return Effect.asVoid(Effect.orDie(act(registry)))
          }
          const registry: Numbered = yield* Registry.make<Item>()({
            lookup,
            defaults: [a, b, c],
            populationFailure: "die"
          })
          const { snapshot, changes } = yield* Registry.subscribe(registry)
          const follower = new Follower(snapshot, RegistrySnapshot.revision(snapshot), keys)
          yield* Registry.addHooks(registry, balance.hooks, { existing: true })
          yield* Registry.addHooks(registry, {
            onItemRegistering: tell("registering"),
            onItemUnregistering: tell("unregistering")
          })
          const report = yield* Registry.reconcile(registry, [named(2, "second"), c, d])
          const after = yield* Registry.snapshot(registry)
          assert.isTrue(acting)
          // which hook ran, and what it removed
          const sameSet = expected.split(",").toSorted()
          assert.deepStrictEqual(ids(after).map(String).toSorted(), sameSet, `${hooked}: ${name}`)
          if (hooked === "registering 4") assert.strictEqual(ids(after).join(), expected, name)
          for (const item of [...report.added, ...report.replaced.map((one) => one.item)]) {
            assert.isTrue(told.has(`registering ${item.name}`), `${hooked}: ${name}: ${item.name}`)
          }
          for (const item of [...report.removed, ...report.replaced.map(({ previous }) => previous)]) {
            assert.isTrue(told.has(`unregistering ${item.name}`), `${hooked}: ${name}: ${item.name}`)
          }
          assert.deepStrictEqual(balance.wrong(after), [], name)
          assert.deepStrictEqual(contradictions(registry), [], name)
          // everything is one change
          yield* Stream.runForEach(Stream.take(changes, 1), (change) => Effect.sync(() => follower.apply(change)))
          assert.deepStrictEqual(follower.list, [...after])
          assert.strictEqual(RegistrySnapshot.revision(after), follower.revision)
        }
      }
    }))

  it.effect("G14 G18 after a new plan hooks are told once of each item, and of each one that now leaves", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const next = new Item(2, "next")
      const between = new Item(2, "between")
      let once = true
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: RegistryHooks.combine(
          RegistryHooks.make<Item>()({
            onItemRegistering: ({ name }) => Effect.sync(() => log.push(`registering ${name}`)),
            onItemUnregistering: ({ name }) => Effect.sync(() => log.push(`unregistering ${name}`))
          }),
          RegistryHooks.make<Item>()({
            onItemRegistering: (item) => {
              if (item !== d || !once) return Effect.void
              once = false
              return Effect.orDie(Registry.replace(registry, "id", 2, between))
            }
          })
        )
      })
      yield* Registry.registerAll(registry, [a, b, c])
      log.length = 0
      yield* Registry.reconcile(registry, [next, c, d])
      assert.deepStrictEqual(log, [
        "unregistering item 1",
        "registering next",
        "unregistering item 2",
        "registering item 4",
        // by the hook
        "registering between",
        "unregistering item 2",
        // the item that is there now
        "unregistering between"
      ])
      assert.deepStrictEqual(Array.from(yield* Registry.values(registry)), [next, c, d])
    }))

  it.effect("G24 a replacement is one Replaced event, and nothing else", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      const next = new Item(2, "next")
      yield* Registry.registerAll(registry, [a, b])
      const { changes } = yield* Registry.subscribe(registry)
      yield* Registry.reconcile(registry, [a, next])
      const [change] = yield* Stream.runCollect(Stream.take(changes, 1))
      assert.deepStrictEqual(change!.events, [RegistryEvent.Replaced({ previous: b, item: next, position: 1 })])
    }))

  it.effect("G14 a hook that always registers another item can be interrupted, and leaves nothing", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a], populationFailure: "die" })
      const before = yield* Registry.snapshot(registry)
      let brought = 10
      yield* Registry.addHooks(registry, {
        onItemUnregistering: () => Effect.suspend(() => Effect.orDie(Registry.register(registry, new Item(brought++))))
      })
      const fiber = yield* Effect.forkChild(Registry.reconcile(registry, []))
      yield* Effect.repeat(Effect.yieldNow, { until: () => brought >= 100 })
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* Registry.snapshot(registry), before)
    }))

  it.effect("G22 inside a transaction it is a part of it, and during a rollback it does nothing", () =>
    Effect.gen(function*() {
      const reports: Array<unknown> = []
      const registry: Registry.Registry<Item, typeof lookup> = yield* Registry.make<Item>()({
        lookup,
        hooks: {
          onItemUnregistered: (item) =>
            item === c
              ? Effect.map(Effect.orDie(Registry.reconcile(registry, [d])), (report) => reports.push(report))
              : Effect.void
        }
      })
      yield* Registry.register(registry, a)
      yield* Effect.ignore(Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.reconcile(registry, [b, c])
          assert.deepStrictEqual(ids(yield* Registry.values(registry)), [2, 3])
          return yield* Effect.fail("no")
        })
      ))
      assert.deepStrictEqual(reports, [nothing])
      assert.deepStrictEqual(ids(yield* Registry.values(registry)), [1])
    }))

  it.effect("PITFALL 14 concurrent reconciles, under schedules: the list of the last one stands, and each is seen whole", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const balance = new Balance()
        const order: Array<string> = []
        const registry = yield* Registry.make<Item>()({
          lookup,
          defaults: [a, b],
          hooks: RegistryHooks.combine(
            balance.hooks,
            RegistryHooks.make<Item>()({ onItemRegistering: ({ name }) => Effect.sync(() => order.push(name)) })
          )
        })
        yield* Registry.populate(registry)
        const wanted = ["x", "y", "z"].map((name) => [named(1, name), named(3, name + name)])
        const whole = [[a, b], ...wanted].map((set) => set.map(({ name }) => name).toSorted().join())
        const reader = Effect.gen(function*() {
          for (let i = 0; i < 3; i++) {
            assert.include(whole, (yield* Registry.values(registry)).map(({ name }) => name).toSorted().join())
          }
        })
        yield* Effect.all([...wanted.map((set) => Registry.reconcile(registry, set)), reader], {
          concurrency: "unbounded"
        })
        const last = wanted.find((set) => set.some(({ name }) => name === order.at(-1)))
        assert.sameDeepMembers([...(yield* Registry.values(registry))], last!)
        assert.deepStrictEqual(balance.wrong(yield* Registry.values(registry)), [])
      })),
      { seeds: 300 }
    ))

  it.effect("G7 a reconcile that fails between others, under schedules, changes nothing and stops no other", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const balance = new Balance()
        const registry = yield* Registry.make<Item>()({
          lookup,
          defaults: [a, b],
          hooks: RegistryHooks.combine(
            balance.hooks,
            RegistryHooks.make<Item>()({
              onItemRegistered: ({ name }) => name === "bad" ? Effect.die("bad") : Effect.void
            })
          )
        })
        yield* Effect.all([
          Registry.reconcile(registry, [b, c]),
          Effect.exit(Registry.reconcile(registry, [named(1, "bad"), d])),
          Effect.exit(Registry.register(registry, named(7, "seven")))
        ], { concurrency: "unbounded" })
        const now = yield* Registry.snapshot(registry)
        assert.include(["2,3", "2,3,7"], ids(now).join())
        assert.deepStrictEqual(balance.wrong(now), [])
        yield* Registry.reconcile(registry, [d])
      })),
      { seeds: 300 }
    ))

  for (const hooked of [true, false]) {
    for (const from of ["outside", "inside"] as const) {
      it.effect(`G7 interrupted at any step, ${hooked ? "with" : "without"} hooks, from ${from}: the old set or the new one`, () =>
        Effect.gen(function*() {
          const interrupted = yield* RegistryTest.interruptEach({
            setup: Effect.gen(function*() {
              const balance = new Balance()
              const registry = yield* Registry.make<Item>()({
                lookup,
                defaults: [a, b, c],
                hooks: hooked ? balance.hooks : {}
              })
              yield* Registry.populate(registry)
              return { balance, registry }
            }),
            run: ({ registry }) => Registry.reconcile(registry, [named(2, "item 1"), c, named(4, "item 2")]),
            check: ({ balance, registry }) =>
              Effect.gen(function*() {
                const now = yield* Registry.snapshot(registry)
                assert.include(["1,2,3", "2,3,4"], ids(now).join())
                if (hooked && from === "outside") assert.deepStrictEqual(balance.wrong(now), [])
                assert.deepStrictEqual(contradictions(registry), [])
                yield* Registry.reconcile(registry, [d])
              }),
            from
          })
          assert.isAbove(interrupted, hooked ? 5 : 0)
        }))
    }
  }

  it.effect("new items have the owner and revision of the reconcile; a registration that it updates, or keeps, its own", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a, b] })
      yield* Registry.populate(registry)
      yield* Registry.reconcile(registry, [a, named(2, "second"), c]).pipe(
        Effect.provideService(Registry.Owner, "agent")
      )
      const known = yield* Effect.forEach([1, 2, 3], (id) => Registry.explain(registry, "id", id))
      assert.deepStrictEqual(known.map((one) => one._tag === "Present" && [one.owner, one.revision, one.updated]), [
        ["defaults", 1, undefined],
        ["defaults", 1, { by: "agent", revision: 2 }],
        ["agent", 2, undefined]
      ])
    }))

  for (const hooked of [true, false]) {
    it.effect(`G13 G15 ten thousand items, ${hooked ? "with" : "without"} hooks: other fibers take turns, and it can be interrupted`, () =>
      Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({ lookup, ...(hooked ? { hooks: new Balance().hooks } : {}) })
        yield* Registry.registerAll(registry, many(0, "one"))
        const before = yield* Registry.snapshot(registry)
        for (const list of [many(5_000, "two"), []]) {
          const fiber = yield* Effect.forkChild(Registry.reconcile(registry, list), { startImmediately: true })
          for (let turn = 0; turn < 5; turn++) {
            assert.strictEqual(yield* Registry.snapshot(registry), before)
            yield* Effect.yieldNow
          }
          assert.isUndefined(fiber.pollUnsafe())
          yield* Fiber.interrupt(fiber)
          assert.strictEqual(yield* Registry.snapshot(registry), before)
        }
        yield* Registry.reconcile(registry, many(5_000, "two"))
        assert.strictEqual((yield* Registry.get(registry, "name", "two 12000")).id, 12_000)
      }))
  }

  it.effect("G7 G14 a child of the transaction that works during a long reconcile comes before it, or after", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup })
      const register = (id: number) => Registry.register(registry, new Item(id))
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          const before = yield* Effect.forkChild(register(-1), { startImmediately: true })
          const reconciling = yield* Effect.forkChild(Registry.reconcile(registry, many(0, "one")), {
            startImmediately: true
          })
          const after = yield* Effect.forkChild(register(-2), { startImmediately: true })
          yield* Fiber.joinAll([before, after])
          const { removed } = yield* Fiber.join(reconciling)
          assert.deepStrictEqual(removed.map(({ id }) => id), [-1])
        })
      )
      assert.strictEqual(yield* Registry.size(registry), 10_001)
      assert.isTrue(yield* Registry.has(registry, "id", -2))
    }))

  it.effect("G17 G18 a long list, and a hook that resets the registry: it is populated again before the step", () =>
    Effect.gen(function*() {
      let populations = 0
      const list = Array.from({ length: 1_500 }, (_, i) => new Item(i + 1))
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        populationFailure: "die",
        defaults: Effect.sync(() => {
          populations++
          return [a, new Item(0)]
        }),
        hooks: {
          onItemRegistering: (item) => item.id === 1_500 ? Registry.reset(registry) : Effect.void
        }
      })
      yield* Registry.populate(registry)
      const { removed } = yield* Registry.reconcile(registry, list)
      assert.deepStrictEqual(removed.map(({ id }) => id), [0])
      assert.strictEqual(populations, 2)
      assert.strictEqual(yield* Registry.state(registry), "Ready")
      assert.strictEqual(yield* Registry.size(registry), 1_500)
    }))

  it.effect("a thousand items, the most in one step", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      const items = Array.from({ length: 1_000 }, (_, i) => new Item(i, `item ${i}`))
      assert.strictEqual((yield* Registry.reconcile(registry, items)).added.length, 1_000)
      assert.strictEqual((yield* Registry.reconcile(registry, items)).kept.length, 1_000)
      assert.strictEqual((yield* Registry.reconcile(registry, [])).removed.length, 1_000)
    }))

  it.effect("ten thousand items, first with few and then with all changed", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup })
      yield* Registry.registerAll(registry, many(0, "one"))
      const report = yield* Registry.reconcile(registry, many(10, "one"))
      assert.deepStrictEqual([report.added.length, report.removed.length, report.kept.length], [10, 10, 9_990])
      const next = yield* Registry.reconcile(registry, many(10, "two"))
      assert.strictEqual(next.replaced.length, 10_000)
      assert.strictEqual((yield* Registry.get(registry, "name", "two 5000")).id, 5000)
    }))
})
