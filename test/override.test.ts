import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Deferred, Effect, Exit, Fiber, Layer, Option, Schema, Scope, Stream } from "effect"
import { Lookup, Registry, RegistryEvent, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import { Follower } from "./utils/following.ts"
import { contradictions, isLocked } from "./utils/inside.ts"
import { a, b, Balance, c, d, Item, messageOf, recording } from "./utils/items.ts"

// ---------------------------------------------------------------------------------------------------------------------
// A naive model: computes the visible items from the list of all registrations
// ---------------------------------------------------------------------------------------------------------------------

/** A registration: its unique values and its place. */
interface Thing {
  readonly label: string
  readonly id: number | undefined
  readonly names: ReadonlyArray<string>
}

interface Live {
  readonly item: Thing
  readonly override: boolean
  readonly place: number
  /** Later overrides lie above earlier ones, and above all that is no override. */
  readonly layer: number
  readonly scope: number | undefined
}

const lookup = {
  id: Lookup.optional(Lookup.unique((item: Thing) => item.id)),
  name: Lookup.uniqueEach((item: Thing) => item.names)
}

const keysOf = ({ id, names }: Thing) => ({ id: id === undefined ? [] : [id], name: names })

const claims = (item: Thing): ReadonlyArray<string> => {
  const keys = [...keysOf(item).id, ...item.names].map(String)
  return keys.length === 0 ? [`item ${item.label}`] : keys
}

const share = (one: Live, other: Live): boolean => claims(one.item).some((claim) => claims(other.item).includes(claim))

const isUnder = (lower: Live, upper: Live): boolean =>
  upper.override && (!lower.override || lower.layer < upper.layer) && share(lower, upper)

const topmost = (one: Live, other: Live): Live =>
  one.override === other.override ? one.layer > other.layer ? one : other : one.override ? one : other

class Naive {
  live: ReadonlyArray<Live> = []
  private next = 0

  get visible(): ReadonlyArray<Live> {
    return this.live
      .filter((entry) => !this.live.some((other) => isUnder(entry, other)))
      .toSorted((one, other) => one.place - other.place)
  }
  get values(): ReadonlyArray<Thing> {
    return this.visible.map(({ item }) => item)
  }
  entry(item: Thing, override: boolean, scope: number | undefined): Live {
    const layer = this.next++
    return { item, override, place: layer, layer, scope }
  }
  register(item: Thing, scope?: number): boolean {
    const entry = this.entry(item, false, scope)
    if (this.live.some((other) => !other.override && share(entry, other))) return false
    this.live = [...this.live, entry]
    return true
  }
  override(item: Thing, scope: number): boolean {
    this.live = [...this.live, this.entry(item, true, scope)]
    return true
  }
  remove(gone: (entry: Live) => boolean): void {
    this.live = this.live.filter((entry) => !gone(entry))
  }
  unregister(index: number): boolean {
    const entry = this.visible[index]
    this.remove((other) => other === entry)
    return entry !== undefined
  }
  replace(index: number, item: Thing): boolean {
    const previous = this.visible[index]
    if (previous === undefined) return false
    const entry = { ...previous, item }
    const inTheWay = this.live.some((other) =>
      other !== previous && share(entry, other) &&
      (previous.override ? !isUnder(other, previous) : !other.override)
    )
    if (!inTheWay) this.live = this.live.map((other) => other === previous ? entry : other)
    return !inTheWay
  }
}

type Step =
  | { readonly _tag: "register" | "override"; readonly item: Thing; readonly scope: number }
  | { readonly _tag: "close"; readonly scope: number }
  | { readonly _tag: "unregister"; readonly index: number }
  | { readonly _tag: "replace"; readonly index: number; readonly item: Thing }
  | { readonly _tag: "abandon"; readonly item: Thing }
  | { readonly _tag: "reset" }

let made = 0
const things: fc.Arbitrary<Thing> = fc.record({
  label: fc.constant(""),
  id: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  names: fc.uniqueArray(fc.constantFrom("x", "y", "z"), { maxLength: 2 })
}).map((thing) => ({ ...thing, label: `thing ${made++}` }))

const scopeNumbers = fc.integer({ min: 0, max: 3 })
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("register" as const), item: things, scope: scopeNumbers }) },
  { weight: 5, arbitrary: fc.record({ _tag: fc.constant("override" as const), item: things, scope: scopeNumbers }) },
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant("close" as const), scope: scopeNumbers }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("unregister" as const), index: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("replace" as const), index: fc.nat(3), item: things }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("abandon" as const), item: things }) },
  { weight: 1, arbitrary: fc.constant({ _tag: "reset" as const }) }
)

type Things = Registry.Registry<Thing, typeof lookup>

/** Takes the step, and returns whether it succeeded. */
const take = (registry: Things, step: Step, scopeOf: Array<Scope.Closeable>) =>
  Effect.gen(function*() {
    const target = "index" in step ? Option.getOrUndefined(yield* Registry.at(registry, step.index)) : undefined
    switch (step._tag) {
      case "register":
        return yield* Registry.registerScoped(registry, step.item).pipe(Scope.provide(scopeOf[step.scope]!))
      case "override":
        return yield* Registry.override(registry, step.item).pipe(Scope.provide(scopeOf[step.scope]!))
      case "close":
        yield* Scope.close(scopeOf[step.scope]!, Exit.void)
        scopeOf[step.scope] = yield* Scope.make()
        return
      case "unregister":
        return target === undefined ? yield* Effect.fail("nothing") : yield* Registry.unregister(registry, target)
      case "replace": {
        if (target === undefined) return yield* Effect.fail("nothing")
        const [name] = target.names
        if (target.id !== undefined) return yield* Registry.replace(registry, "id", target.id, step.item)
        if (name !== undefined) return yield* Registry.replace(registry, "name", name, step.item)
        return yield* Effect.fail("it has no key")
      }
      case "abandon": {
        const overriding = Registry.override(registry, step.item)
        yield* Effect.scoped(overriding)
        const abandoned = Registry.transact(registry, Effect.andThen(overriding, Effect.fail("no")))
        yield* Effect.ignore(Effect.scoped(abandoned))
        return yield* Effect.ignore(
          Registry.transact(registry, Effect.andThen(Effect.scoped(overriding), Effect.fail("no")))
        )
      }
      case "reset":
        return yield* Effect.andThen(Registry.reset(registry), Registry.populate(registry))
    }
  })

const takeNaively = (naive: Naive, step: Step): boolean => {
  switch (step._tag) {
    case "register":
      return naive.register(step.item, step.scope)
    case "override":
      return naive.override(step.item, step.scope)
    case "close":
      naive.remove(({ scope }) => scope === step.scope)
      return true
    case "unregister":
      return naive.unregister(step.index)
    case "replace": {
      const target = naive.visible[step.index]?.item
      return target !== undefined && (target.id !== undefined || target.names.length > 0) &&
        naive.replace(step.index, step.item)
    }
    case "abandon":
      return true
    case "reset":
      // all scopes are open, and the registry has no defaults
      return true
  }
}

/** How often hooks were told of a registration of each thing, minus its removals. */
const balanced = () => {
  const counts = new Map<Thing, number>()
  const count = (by: number) => (item: Thing) =>
    Effect.andThen(Effect.yieldNow, Effect.sync(() => counts.set(item, (counts.get(item) ?? 0) + by)))
  return {
    hooks: RegistryHooks.make<Thing>()({ onItemRegistered: count(1), onItemUnregistered: count(-1) }),
    kept: () => Array.from(counts).filter(([, times]) => times !== 0).map(([item, times]) => [item.label, times])
  }
}

const labels = (items: Iterable<Thing>): ReadonlyArray<string> => Array.from(items, ({ label }) => label)

describe("override, against a model", () => {
  for (const hooked of [false, true]) {
    it(`G7 G12 G20 G22 G24 after random operations, ${hooked ? "with" : "without"} hooks, contents, order, events and hooks agree with the model`, () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(steps, { maxLength: 20 }),
          (list) =>
            Effect.runPromise(Effect.scoped(Effect.gen(function*() {
              const { hooks, kept } = balanced()
              const registry = yield* Registry.make<Thing>()({ lookup, ...(hooked ? { hooks } : {}) })
              const { changes, snapshot } = yield* Registry.subscribe(registry)
              const follower = new Follower(snapshot, RegistrySnapshot.revision(snapshot), keysOf)
              const naive = new Naive()
              const scopeOf = yield* Effect.forEach([0, 1, 2, 3], () => Scope.make())
              for (const step of list) {
                const what = `after ${step._tag}`
                const exit = yield* Effect.exit(take(registry, step, scopeOf))
                if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) return yield* Effect.failCause(exit.cause)
                assert.strictEqual(Exit.isSuccess(exit), takeNaively(naive, step), what)
                assert.deepStrictEqual(labels(yield* Registry.values(registry)), labels(naive.values), what)
                assert.deepStrictEqual(contradictions(registry), [], what)
                for (const { item } of naive.live) {
                  const explained = item.id === undefined ? undefined : yield* Registry.explain(registry, "id", item.id)
                  const holder = naive.values.find(({ id }) => id === item.id)
                  if (explained?._tag === "Present") {
                    assert.strictEqual(explained.item, holder, what)
                    const upper = naive.visible.find((entry) => entry.item === holder)!
                    const hides = naive.live.filter((entry) => isUnder(entry, upper))
                    assert.sameMembers([...explained.hides], hides.map((entry) => entry.item), what)
                  } else if (explained !== undefined) {
                    assert.strictEqual(explained._tag, "Hidden", what)
                    assert.isUndefined(holder, what)
                    if (explained._tag === "Hidden") {
                      const hidden = naive.live.filter((entry) => entry.item.id === item.id)
                        .reduce(topmost)
                      const by = naive.live.filter((entry) => isUnder(hidden, entry))
                        .reduce(topmost)
                      assert.deepStrictEqual([explained.item.label, explained.by.label], [
                        hidden.item.label,
                        by.item.label
                      ])
                    }
                  }
                }
                if (hooked) {
                  assert.sameDeepMembers(kept(), labels(naive.values).map((label) => [label, 1]), what)
                }
              }
              const news = RegistrySnapshot.revision(Registry.snapshotUnsafe(registry)) - follower.revision
              yield* changes.pipe(
                Stream.take(news),
                Stream.runForEach((change) => Effect.sync(() => follower.apply(change)))
              )
              assert.deepStrictEqual(labels(follower.list), labels(naive.values))
              assert.deepStrictEqual(labels(follower.lost), [])
              // every end of an override restores its hidden items, in any order
              for (const scope of scopeOf) yield* Scope.close(scope, Exit.void)
            })))
        ),
        { numRuns: 300 }
      ))
  }
})

const make = Registry.make<Item>()({ name: "items", lookup: ["id", "name"], defaults: [a, b, c] })

/** An item with the id of another, and its own name. */
const fake = (id: number, name = `fake ${id}`) => new Item(id, name)

const items = (registry: { readonly [Symbol.iterator]: () => Iterator<Item> }) => Array.from(registry)

describe("override", () => {
  it.effect("G7 a hidden item keeps its keys if a transaction that unregistered it fails", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id", "name"] })
      yield* Registry.register(registry, a).pipe(Effect.provideService(Registry.Owner, "plugin"))
      yield* Registry.register(registry, b)
      yield* Registry.override(registry, new Item(1, "over"))
      yield* Registry.override(registry, new Item(2, "over, too"))
      const undone = Effect.andThen(Registry.unregisterOwner(registry, "plugin"), Effect.fail("undone"))
      assert.strictEqual(yield* Effect.flip(Registry.transact(registry, undone)), "undone")
      assert.strictEqual(
        (yield* Effect.flip(Registry.register(registry, new Item(9, a.name)))).code,
        "attribute_registered"
      )
    }))

  it.effect("G12 a hidden item comes back to its old place, and is found by all its attributes", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const over = fake(2)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.override(registry, over)
        yield* Registry.register(registry, d)
        assert.deepStrictEqual(items(yield* Registry.values(registry)), [a, c, over, d])
        assert.isFalse(yield* Registry.has(registry, "name", "item 2"))
        assert.isFalse(yield* Registry.contains(registry, b))
        assert.strictEqual(yield* Registry.get(registry, "id", 2), over)
        assert.strictEqual(yield* Registry.size(registry), 4)
      }))
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [a, b, c, d])
      assert.strictEqual(yield* Registry.get(registry, "id", 2), b)
      assert.strictEqual(yield* Registry.get(registry, "name", "item 2"), b)
      assert.isFalse(yield* Registry.has(registry, "name", over.name))
    }))

  it.effect("one override hides two items, and two overrides hide one", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const both = new Item(1, "item 2")
      const first = yield* Scope.make()
      const second = yield* Scope.make()
      yield* Registry.override(registry, both).pipe(Scope.provide(first))
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [c, both])
      const other = fake(2)
      yield* Registry.override(registry, other).pipe(Scope.provide(second))
      // one override has the name of b, the other its id
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [c, both, other])
      yield* Scope.close(first, Exit.void)
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [a, c, other])
      yield* Scope.close(second, Exit.void)
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [a, b, c])
    }))

  it.effect("register conflicts with a hidden item, and names the item and its owner", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const hidden = new Item(7, "hidden")
      yield* Registry.register(registry, hidden).pipe(Effect.provideService(Registry.Owner, "plugin"))
      yield* Registry.override(registry, fake(7))
      const error = yield* Effect.flip(Registry.register(registry, new Item(8, "hidden")))
      assert.deepInclude(error, { code: "attribute_registered", attribute: "name", value: "hidden", owner: "plugin" })
      assert.strictEqual("existing" in error && error.existing, hidden)
      const equal = yield* Effect.flip(Registry.register(registry, new Item(7, "hidden")))
      assert.strictEqual(equal.code, "already_registered")
      assert.strictEqual(
        (yield* Effect.flip(Registry.replace(registry, "id", 1, new Item(1, "hidden")))).code,
        "attribute_registered"
      )
    }))

  it.effect("replace conflicts with an equal hidden item: already_registered", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.override(registry, fake(1))
      const error = yield* Effect.flip(Registry.replace(registry, "id", 2, new Item(1)))
      assert.deepStrictEqual([error._tag, error.code], ["AlreadyRegisteredError", "already_registered"])
      assert.strictEqual(error._tag === "AlreadyRegisteredError" && error.owner, "defaults")
    }))

  it.effect("replacing an override conflicts with an item that another override hides, by value and lookup", () =>
    Effect.gen(function*() {
      interface Word {
        readonly id: string
        readonly name: string
      }
      const registry = yield* Registry.make<Word>()({ lookup: ["id", "name"] })
      yield* Registry.registerAll(registry, [{ id: "1", name: "one" }, { id: "2", name: "two" }])
      yield* Registry.override(registry, { id: "1", name: "uno" })
      // its name is the id of the item that the other override hides
      yield* Registry.override(registry, { id: "2", name: "1" })
      const error = yield* Effect.flip(Registry.replace(registry, "id", "2", { id: "2", name: "one" }))
      assert.deepInclude(error, { code: "attribute_registered", attribute: "name", value: "one" })
      yield* Registry.replace(registry, "id", "2", { id: "2", name: "two" })
    }))

  it.effect("an item that lacks an attribute is refused, and an absent value is explained, though items are hidden", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Thing>()({
        lookup: { name: Lookup.uniqueEach((item) => item.names) },
        defaults: [{ label: "a", id: 1, names: ["a"] }]
      })
      const lacking = { label: "b", id: 2 } as unknown as Thing
      const refused = Effect.map(Effect.flip(Registry.register(registry, lacking)), ({ code }) => code)
      const explained = Registry.explain(registry, "nope" as "name", "a")
      const before = [yield* refused, yield* Effect.exit(explained)]
      yield* Registry.override(registry, { label: "over", id: 1, names: ["a"] })
      assert.deepStrictEqual([yield* refused, yield* Effect.exit(explained)], before)
      assert.strictEqual(before[0], "missing_attribute")
    }))

  it.effect("G22 hidden items leave newest first, and come back in registration order", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.populate(registry)
      const { changes } = yield* Registry.subscribe(registry)
      // its first value belongs to the second item, and its second to the first
      yield* Effect.scoped(Registry.override(registry, new Item(2, "item 1")))
      const [went, came] = yield* Stream.runCollect(Stream.take(changes, 2))
      assert.deepStrictEqual(went!.events.slice(0, 2), [
        RegistryEvent.Unregistered({ item: b, position: 1, reason: "override" }),
        RegistryEvent.Unregistered({ item: a, position: 0, reason: "override" })
      ])
      assert.deepStrictEqual(came!.events.slice(1), [
        RegistryEvent.Registered({ item: a, position: 0, reason: "override" }),
        RegistryEvent.Registered({ item: b, position: 1, reason: "override" })
      ])
    }))

  it.effect("an override without an optional value hides the equal item", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Thing>()({ lookup, defaults: [{ label: "a", id: undefined, names: [] }] })
      const same: Thing = { label: "a", id: undefined, names: [] }
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.override(registry, same)
        const inside = Array.from(yield* Registry.values(registry))
        assert.strictEqual(inside.length, 1)
        assert.strictEqual(inside[0], same)
      }))
      assert.strictEqual(yield* Registry.size(registry), 1)
    }))

  it.effect("unregister, unregisterBy and replace do not find hidden items; unregistering an override ends it", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const scope = yield* Scope.make()
      const over = fake(2)
      yield* Registry.override(registry, over).pipe(Scope.provide(scope))
      assert.strictEqual((yield* Effect.flip(Registry.unregister(registry, b))).code, "unregister")
      assert.strictEqual((yield* Effect.flip(Registry.unregisterBy(registry, "name", b.name))).code, "not_registered")
      assert.strictEqual((yield* Effect.flip(Registry.replace(registry, "name", b.name, d))).code, "not_registered")
      yield* Registry.unregisterBy(registry, "id", 2)
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [a, b, c])
      // its scope has nothing left to end
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [a, b, c])
    }))

  it.effect("the replacement of an override is an override, which hides only items that it shares values with", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const scope = yield* Scope.make()
      const both = new Item(1, "item 2")
      yield* Registry.override(registry, both).pipe(Scope.provide(scope))
      const narrower = fake(1)
      const { changes } = yield* Registry.subscribe(registry)
      yield* Registry.replace(registry, "id", 1, narrower)
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [b, c, narrower])
      const [change] = yield* Stream.runCollect(Stream.take(changes, 1))
      assert.deepStrictEqual(change!.events, [
        RegistryEvent.Replaced({ previous: both, item: narrower, position: 1 }),
        RegistryEvent.Registered({ item: b, position: 0, reason: "override" })
      ])
      yield* Registry.upsert(registry, fake(1, "upserted"))
      assert.deepStrictEqual(
        yield* Registry.explain(registry, "name", "item 1"),
        Registry.Explanation.Hidden({
          item: a,
          by: fake(1, "upserted")
        })
      )
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [a, b, c])
    }))

  it.effect("a reset tells of all that goes, and the overrides of open scopes come back above the defaults", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a, b], hooks: recording(log) })
      const scope = yield* Scope.make()
      yield* Registry.override(registry, fake(1)).pipe(Scope.provide(scope))
      yield* Registry.override(registry, fake(1, "above")).pipe(Scope.provide(scope))
      log.length = 0
      yield* Registry.reset(registry)
      assert.deepStrictEqual(log, [
        "resetting",
        "unregistering 1",
        "unregistered 1",
        "unregistering 2",
        "unregistered 2",
        "reset"
      ])
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [b, fake(1, "above")])
      log.length = 0
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [a, b])
    }))

  it.effect("calls hooks: registering new, unregistering hidden, unregistered hidden, registered new; and reversed at its end", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const seen: Array<ReadonlyArray<number>> = []
      const registry: Registry.Registry<Item, readonly ["id", "name"]> = yield* Registry.make<Item>()({
        lookup: ["id", "name"],
        hooks: RegistryHooks.combine(
          recording(log),
          RegistryHooks.make<Item>()({
            onItemUnregistering: () => look,
            onItemUnregistered: () => look,
            onItemRegistered: () => look
          })
        )
      })
      const look = Effect.suspend(() =>
        Effect.map(Registry.values(registry), (list) => seen.push(list.map(({ id }) => id)))
      )
      yield* Registry.registerAll(registry, [new Item(1), new Item(2)])
      log.length = 0
      seen.length = 0
      yield* Effect.scoped(Effect.andThen(
        Registry.override(registry, new Item(3, "item 1")),
        Effect.sync(() => {
          assert.deepStrictEqual(log, ["registering 3", "unregistering 1", "unregistered 1", "registered 3"])
          assert.deepStrictEqual(seen, [[1, 2], [2, 3], [2, 3]])
          log.length = 0
          seen.length = 0
        })
      ))
      assert.deepStrictEqual(log, ["unregistering 3", "unregistered 3", "registered 1"])
      assert.deepStrictEqual(seen, [[2, 3], [1, 2], [1, 2]])
    }))

  it.effect("G20 closing the scope of a hidden item calls no hooks, and the item never comes back", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: recording(log) })
      const hidden = yield* Scope.make()
      const over = yield* Scope.make()
      yield* Registry.registerScoped(registry, a).pipe(Scope.provide(hidden))
      yield* Registry.override(registry, fake(1)).pipe(Scope.provide(over))
      log.length = 0
      yield* Scope.close(hidden, Exit.void)
      assert.deepStrictEqual(log, [])
      assert.strictEqual((yield* Registry.get(registry, "id", 1)).name, "fake 1")
      yield* Scope.close(over, Exit.void)
      assert.deepStrictEqual(log, ["unregistering 1", "unregistered 1"])
      assert.strictEqual(yield* Registry.size(registry), 0)
      yield* Registry.register(registry, a)
    }))

  it.effect("closing the scope of a hidden override restores the items that it alone hid", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup: ["id", "name"], defaults: [a], hooks: recording(log) })
      const middle = yield* Scope.make()
      const top = yield* Scope.make()
      yield* Registry.override(registry, new Item(2, "item 1")).pipe(Scope.provide(middle))
      yield* Registry.override(registry, new Item(2, "top")).pipe(Scope.provide(top))
      assert.deepStrictEqual((yield* Registry.values(registry)).map(({ name }) => name), ["top"])
      log.length = 0
      yield* Scope.close(middle, Exit.void)
      assert.deepStrictEqual(log, ["registered 1"])
      assert.deepStrictEqual((yield* Registry.values(registry)).map(({ name }) => name), ["item 1", "top"])
      yield* Scope.close(top, Exit.void)
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [a])
    }))

  it.effect("without unique lookups, an override hides the equal item", () =>
    Effect.gen(function*() {
      class Tag extends Data.Class<{ readonly name: string; readonly note: string }> {}
      const plain = yield* Registry.make<string>()({ lookup: [], defaults: ["a", "b"] })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.override(plain, "a")
        assert.deepStrictEqual(Array.from(yield* Registry.values(plain)), ["b", "a"])
        assert.strictEqual((yield* Effect.flip(Registry.register(plain, "a"))).code, "already_registered")
      }))
      assert.deepStrictEqual(Array.from(yield* Registry.values(plain)), ["a", "b"])
      const tags = yield* Registry.make<Tag>()({ lookup: { note: Lookup.group((tag: Tag) => tag.note) } })
      const inside = new Tag({ name: "x", note: "same" })
      yield* Registry.register(tags, inside)
      yield* Effect.scoped(Effect.gen(function*() {
        const over = new Tag({ name: "x", note: "same" })
        yield* Registry.override(tags, over)
        yield* Registry.override(tags, new Tag({ name: "y", note: "same" }))
        assert.strictEqual((yield* Registry.getAll(tags, "note", "same"))[0], over)
        assert.strictEqual(yield* Registry.size(tags), 2)
      }))
      assert.strictEqual((yield* Registry.values(tags))[0], inside)
    }))

  it.effect("NaN, 0, null and the empty string can be shared values", () =>
    Effect.gen(function*() {
      interface Keyed {
        readonly key: unknown
        readonly version: number
      }
      const registry = yield* Registry.make<Keyed>()({ lookup: ["key"] })
      const keys = [Number.NaN, 0, null, "", [1], { a: 1 }, new Date(0)]
      for (const key of keys) yield* Registry.register(registry, { key, version: 1 })
      yield* Effect.scoped(Effect.gen(function*() {
        for (const key of [Number.NaN, 0, null, "", [1], { a: 1 }, new Date(0)]) {
          yield* Registry.override(registry, { key, version: 2 })
        }
        assert.deepStrictEqual((yield* Registry.values(registry)).map(({ version }) => version), keys.map(() => 2))
      }))
      assert.deepStrictEqual((yield* Registry.values(registry)).map(({ version }) => version), keys.map(() => 1))
    }))

  it.effect("G9 keys are those from the registration, though the objects change", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ id: number; name: string }>()({ lookup: ["id", "name"] })
      const lower = { id: 1, name: "lower" }
      const upper = { id: 1, name: "upper" }
      yield* Registry.register(registry, lower)
      const scope = yield* Scope.make()
      yield* Registry.override(registry, upper).pipe(Scope.provide(scope))
      lower.id = 10
      lower.name = "changed"
      upper.id = 11
      upper.name = "changed, too"
      assert.strictEqual(yield* Registry.get(registry, "id", 1), upper)
      assert.deepStrictEqual(yield* Registry.explain(registry, "name", "lower"), {
        _tag: "Hidden",
        item: lower,
        by: upper
      })
      assert.strictEqual(
        (yield* Effect.flip(Registry.register(registry, { id: 2, name: "lower" }))).code,
        "attribute_registered"
      )
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Registry.get(registry, "id", 1), lower)
      assert.strictEqual(yield* Registry.get(registry, "name", "lower"), lower)
      assert.isFalse(yield* Registry.has(registry, "id", 11))
      assert.isFalse(yield* Registry.has(registry, "name", "upper"))
      yield* Registry.unregister(registry, lower)
      yield* Registry.register(registry, { id: 1, name: "lower" })
      assert.deepStrictEqual(contradictions(registry), [])
    }))

  it.effect("the same object overrides itself twice, and the scopes close in every order", () =>
    Effect.gen(function*() {
      for (const order of [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]) {
        const balance = new Balance()
        const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: balance.hooks })
        yield* Registry.register(registry, b)
        const scopes = yield* Effect.forEach([0, 1, 2], () => Scope.make())
        yield* Registry.registerScoped(registry, a).pipe(Scope.provide(scopes[0]!))
        yield* Registry.override(registry, a).pipe(Scope.provide(scopes[1]!))
        yield* Registry.override(registry, a).pipe(Scope.provide(scopes[2]!))
        for (const [i, index] of order.entries()) {
          assert.sameMembers(items(yield* Registry.values(registry)), [a, b])
          assert.isTrue(yield* Registry.contains(registry, a))
          assert.deepStrictEqual(balance.wrong(yield* Registry.values(registry)), [], order.slice(0, i).join())
          assert.deepStrictEqual(contradictions(registry), [])
          yield* Scope.close(scopes[index]!, Exit.void)
        }
        assert.deepStrictEqual(items(yield* Registry.values(registry)), [b])
        assert.deepStrictEqual(balance.wrong([b]), [])
        yield* Registry.register(registry, a)
      }
    }))

  it.effect("a changed object overrides itself: each registration has its own keys", () =>
    Effect.gen(function*() {
      for (const order of [[0, 1], [1, 0]]) {
        const registry = yield* Registry.make<{ id: number }>()({ lookup: ["id"] })
        const item = { id: 1 }
        const scopes = yield* Effect.forEach([0, 1], () => Scope.make())
        yield* Registry.registerScoped(registry, item).pipe(Scope.provide(scopes[0]!))
        item.id = 2
        yield* Registry.override(registry, item).pipe(Scope.provide(scopes[1]!))
        assert.strictEqual(yield* Registry.get(registry, "id", 2), item)
        yield* Scope.close(scopes[order[0]!]!, Exit.void)
        assert.isTrue(yield* Registry.contains(registry, item), order.join())
        assert.deepStrictEqual(contradictions(registry), [], order.join())
        yield* Registry.unregister(registry, item)
        assert.strictEqual(yield* Registry.size(registry), 0)
        yield* Scope.close(scopes[order[1]!]!, Exit.void)
      }
    }))

  it.effect("fails like register if the item breaks the schema, lacks an attribute or is refused, and hides nothing", () =>
    Effect.gen(function*() {
      class Tool extends Schema.Class<Tool>("Tool")({ id: Schema.Int, name: Schema.optionalKey(Schema.String) }) {}
      const registry = yield* Registry.make<Tool>()({
        schema: Tool,
        lookup: { id: Lookup.unique((tool: Tool) => tool.id), name: Lookup.unique((tool: Tool) => tool.name) },
        hooks: {
          onItemRegistering: (tool: Tool) => tool.name === "no" ? Effect.fail("refused" as const) : Effect.void
        }
      })
      const kept = new Tool({ id: 1, name: "kept" })
      yield* Registry.register(registry, kept)
      const before = yield* Registry.snapshot(registry)
      const codes: Array<unknown> = []
      for (const item of [{ id: "1" } as unknown as Tool, new Tool({ id: 1 }), new Tool({ id: 1, name: "no" })]) {
        const error = yield* Effect.flip(Registry.override(registry, item))
        codes.push(typeof error === "string" ? error : error.code)
      }
      assert.deepStrictEqual(codes, ["invalid_item", "missing_attribute", "refused"])
      assert.strictEqual(yield* Registry.snapshot(registry), before)
    }))

  it.effect("G18 fails if a hook makes the item invalid, and hides nothing", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ id: number; name?: string }>()({
        lookup: ["id", "name"],
        defaults: [{ id: 1, name: "kept" }],
        hooks: {
          onItemRegistering: (item: { name?: string }) => Effect.sync(() => item.name === "" && delete item.name)
        }
      })
      const before = yield* Registry.snapshot(registry)
      const error = yield* Effect.flip(Registry.override(registry, { id: 1, name: "" }))
      assert.strictEqual(error.code, "missing_attribute")
      assert.strictEqual(yield* Registry.snapshot(registry), before)
    }))

  it.effect("G7 a hook that dies at any call leaves everything as it was", () =>
    Effect.gen(function*() {
      const at = ["registering 2", "unregistering 1", "unregistered 1", "registered 2"]
      for (const bad of at) {
        const log: Array<string> = []
        const balance = new Balance()
        const dying = (what: string) => ({ id }: Item) =>
          `${what} ${id}` === bad ? Effect.die(new Error(bad)) : Effect.void
        const registry = yield* Registry.make<Item>()({
          lookup: ["id", "name"],
          hooks: balance.hooks,
          defaults: [a, b]
        })
        yield* Registry.populate(registry)
        yield* Registry.unregister(registry, b)
        yield* Registry.addHooks(registry, recording(log))
        yield* Registry.addHooks(registry, {
          onItemRegistering: dying("registering"),
          onItemRegistered: dying("registered"),
          onItemUnregistering: dying("unregistering"),
          onItemUnregistered: dying("unregistered")
        })
        const before = yield* Registry.snapshot(registry)
        const exit = yield* Effect.exit(Registry.override(registry, new Item(2, "item 1")))
        assert.strictEqual(messageOf(exit), bad)
        assert.strictEqual(yield* Registry.snapshot(registry), before)
        assert.deepStrictEqual(balance.wrong([a]), [], bad)
      }
    }))

  it.effect("G18 a conflicting item that a hook registers is hidden, too, and its hooks are called", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const log: Array<string> = []
      const late = new Item(9, "over")
      const over = new Item(1, "over")
      const registry: Registry.Registry<Item, readonly ["id", "name"]> = yield* Registry.make<Item>()({
        lookup: ["id", "name"],
        defaults: [a],
        populationFailure: "die",
        hooks: RegistryHooks.combineAll([
          balance.hooks,
          recording(log),
          RegistryHooks.make<Item>()({
            onItemUnregistering: (item) => item === a ? Effect.orDie(Registry.register(registry, late)) : Effect.void
          })
        ])
      })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.populate(registry)
        log.length = 0
        yield* Registry.override(registry, over)
        assert.deepStrictEqual(log.filter((line) => line.startsWith("unregister")), [
          "unregistering 1",
          "unregistering 9",
          "unregistered 9",
          "unregistered 1"
        ])
        assert.deepStrictEqual(items(yield* Registry.values(registry)), [over])
        assert.deepStrictEqual(balance.wrong([over]), [])
      }))
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [a, late])
      assert.deepStrictEqual(balance.wrong([a, late]), [])
    }))

  it.effect("G25 a hook that dies while an override ends does not stop the end, and its defect surfaces in the close", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [a],
        hooks: { onItemUnregistered: (item) => item === a ? Effect.void : Effect.die(new Error("hook")) }
      })
      const scope = yield* Scope.make()
      yield* Registry.override(registry, fake(1)).pipe(Scope.provide(scope))
      const exit = yield* Effect.exit(Scope.close(scope, Exit.void))
      assert.strictEqual(messageOf(exit), "hook")
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [a])
    }))

  it.effect("G25 a scope that closes during the registration of the override ends it at once", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: { onItemRegistering: (item) => item.name === "fake 1" ? Deferred.await(gate) : Effect.void }
      })
      yield* Registry.register(registry, a)
      const scope = yield* Scope.make()
      const fiber = yield* Effect.forkChild(Registry.override(registry, fake(1)).pipe(Scope.provide(scope)), {
        startImmediately: true
      })
      yield* Scope.close(scope, Exit.void)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [a])
    }))

  it.effect("Service.overrides is a layer of all its overrides or none, until it closes", () =>
    Effect.gen(function*() {
      class Items extends Registry.Service<Items, Item>()("Items", {
        lookup: ["id", "name"],
        defaults: [a, b, c],
        hooks: { onItemRegistering: (item) => item.id === 13 ? Effect.fail("unlucky") : Effect.void }
      }) {}
      yield* Effect.gen(function*() {
        const under = yield* Effect.provide(Items.values, Items.overrides([fake(1), fake(3)]))
        assert.deepStrictEqual(under.map(({ name }) => name), ["item 2", "fake 1", "fake 3"])
        assert.deepStrictEqual(items(yield* Items.values), [a, b, c])
        const error = yield* Effect.flip(Effect.provide(Items.values, Items.overrides([fake(1), fake(13)])))
        assert.strictEqual(error, "unlucky")
        const snapshot = yield* Items.snapshot
        assert.deepStrictEqual(items(snapshot), [a, b, c])
        // the later one is on top
        const twice = yield* Effect.provide(Items.values, Items.overrides([fake(1), fake(1, "above")]))
        assert.deepStrictEqual(twice.map(({ name }) => name), ["item 2", "item 3", "above"])
        assert.deepStrictEqual(items(yield* Items.values), [a, b, c])
      }).pipe(Effect.provide(Items.layer))
    }))

  it.effect("Service.overrides publishes its items in one revision, and their end in another", () =>
    Effect.gen(function*() {
      class Items extends Registry.Service<Items, Item>()("Items", { lookup: ["id"], defaults: [a, b] }) {}
      yield* Effect.gen(function*() {
        const before = RegistrySnapshot.revision(yield* Items.snapshot)
        const inside = yield* Effect.provide(Items.snapshot, Items.overrides([fake(1), fake(2)]))
        assert.strictEqual(RegistrySnapshot.revision(inside), before + 1)
        assert.strictEqual(RegistrySnapshot.revision(yield* Items.snapshot), before + 2)
      }).pipe(Effect.provide(Layer.fresh(Items.layer)))
    }))

  it.effect("an override inside a transaction ends with its scope there, and is rolled back if the transaction fails", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a], hooks: balance.hooks })
      const failing = Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Effect.scoped(Registry.override(registry, fake(1)))
          assert.deepStrictEqual(items(yield* Registry.values(registry)), [a])
          yield* Registry.override(registry, fake(1))
          assert.deepStrictEqual((yield* Registry.values(registry)).map(({ name }) => name), ["fake 1"])
          return yield* Effect.fail("no")
        })
      )
      assert.strictEqual(yield* Effect.flip(Effect.scoped(failing)), "no")
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [a])
      assert.deepStrictEqual(balance.wrong([a]), [])
    }))

  it.effect("G25 an override whose scope closes in a transaction that fails stays removed", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a], hooks: balance.hooks })
      const scope = yield* Scope.make()
      yield* Registry.override(registry, fake(1)).pipe(Scope.provide(scope))
      yield* Effect.ignore(
        Registry.transact(registry, Effect.andThen(Scope.close(scope, Exit.void), Effect.fail("no")))
      )
      assert.deepStrictEqual(items(yield* Registry.values(registry)), [a])
      assert.deepStrictEqual(balance.wrong([a]), [])
    }))

  it.effect("hooks with existing: true are told of visible items only", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const registry = yield* make
      const over = fake(1)
      const hooks = yield* Scope.make()
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.override(registry, over)
        yield* Registry.addHooks(registry, balance.hooks, { existing: true }).pipe(Scope.provide(hooks))
        assert.deepStrictEqual(balance.wrong([b, c, over]), [])
      }))
      assert.deepStrictEqual(balance.wrong([a, b, c]), [])
      yield* Scope.close(hooks, Exit.void)
      assert.deepStrictEqual(balance.wrong([]), [])
    }))

  it.effect("G20 G24 concurrent overrides, under schedules: hooks and followers agree, and hidden items are restored", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const balance = new Balance()
        const registry = yield* Registry.make<Item>()({
          lookup: ["id", "name"],
          hooks: balance.hooks,
          defaults: [a, b]
        })
        const { changes, snapshot } = yield* Registry.subscribe(registry)
        const follower = new Follower(snapshot, RegistrySnapshot.revision(snapshot), ({ id, name }) => ({
          id: [id],
          name: [name]
        }))
        yield* Effect.all([
          Effect.scoped(Effect.andThen(Registry.override(registry, new Item(1, "item 2")), Effect.yieldNow)),
          Effect.scoped(Effect.andThen(Registry.override(registry, fake(2)), Effect.yieldNow)),
          Effect.exit(Registry.unregister(registry, a)),
          Effect.exit(Registry.replace(registry, "id", 2, fake(2, "replaced")))
        ], { concurrency: "unbounded" })
        const now = yield* Registry.snapshot(registry)
        assert.deepStrictEqual(balance.wrong(now), [])
        assert.isFalse(isLocked(registry))
        yield* changes.pipe(
          Stream.take(RegistrySnapshot.revision(now) - follower.revision),
          Stream.runForEach((change) => Effect.sync(() => follower.apply(change)))
        )
        assert.deepStrictEqual(follower.list, items(now))
        assert.deepStrictEqual(follower.lost, [])
        assert.deepStrictEqual(contradictions(registry), [])
      })),
      { seeds: 300 }
    ))

  for (const from of ["outside", "inside"] as const) {
    it.effect(`G7 G20 an override interrupted at any step, from ${from}, exists or not, and ends with its scope`, () =>
      Effect.gen(function*() {
        const interrupted = yield* RegistryTest.interruptEach({
          setup: Effect.gen(function*() {
            const balance = new Balance()
            const scope = yield* Scope.make()
            const registry = yield* Registry.make<Item>()({
              lookup: ["id", "name"],
              defaults: [a, b, c],
              hooks: balance.hooks
            })
            yield* Registry.populate(registry)
            return { registry, scope, balance }
          }),
          run: ({ registry, scope }) => Registry.override(registry, new Item(1, "item 2")).pipe(Scope.provide(scope)),
          check: ({ balance, registry, scope }) =>
            Effect.gen(function*() {
              const now = (yield* Registry.values(registry)).map(({ id, name }) => `${id} ${name}`).join()
              assert.include(["1 item 1,2 item 2,3 item 3", "3 item 3,1 item 2"], now)
              if (from === "outside") assert.deepStrictEqual(balance.wrong(yield* Registry.values(registry)), [])
              yield* Scope.close(scope, Exit.void)
              assert.deepStrictEqual(items(yield* Registry.values(registry)), [a, b, c])
              if (from === "outside") assert.deepStrictEqual(balance.wrong([a, b, c]), [])
              yield* Registry.register(registry, d)
            }),
          from
        })
        assert.isAbove(interrupted, 5)
      }))
  }

  it.effect("G25 a scoped override interrupted at any step leaves nothing", () =>
    Effect.gen(function*() {
      const interrupted = yield* RegistryTest.interruptEach({
        setup: Effect.gen(function*() {
          const balance = new Balance()
          const registry = yield* Registry.make<Item>()({
            lookup: ["id", "name"],
            defaults: [a, b],
            hooks: balance.hooks
          })
          yield* Registry.populate(registry)
          return { registry, balance }
        }),
        run: ({ registry }) => Effect.scoped(Registry.override(registry, new Item(1, "item 2"))),
        check: ({ balance, registry }) =>
          Effect.gen(function*() {
            assert.deepStrictEqual(items(yield* Registry.values(registry)), [a, b])
            assert.deepStrictEqual(balance.wrong([a, b]), [])
          })
      })
      assert.isAbove(interrupted, 5)
    }))
})
