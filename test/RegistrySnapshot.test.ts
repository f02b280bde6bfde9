import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Formatter, Hash, Option, Result } from "effect"
import { Lookup, Registry, RegistryError, RegistrySnapshot } from "effect-registry"
import * as fc from "fast-check"
import { inspect } from "node:util"
import * as Layers from "../src/internal/features/layers.ts"
import * as Checking from "../src/internal/store/check.ts"
import * as Contents from "../src/internal/store/contents.ts"
import * as Definition from "../src/internal/store/definition.ts"
import { Entry, Origin } from "../src/internal/store/entry.ts"
import * as Changing from "../src/internal/store/update.ts"
import { violations } from "../src/testing/invariants.ts"

// ---------------------------------------------------------------------------------------------------------------------
// Contents and what is asked of them
// ---------------------------------------------------------------------------------------------------------------------

const empty = <Item>(lookup: Lookup.Input<Item>): Contents.Contents<Item> =>
  Contents.copy(
    Contents.empty(
      Definition.make<Item>({
        name: "things",
        lookup,
        schema: undefined,
        validate: undefined,
        messages: {},
        refused: () => {},
        label: undefined,
        suggest: () => []
      })
    ),
    { populated: true }
  )

const origin = new Origin("", 1, false)

const snapshotOf = <Item>(contents: Contents.Contents<Item>) =>
  contents as unknown as RegistrySnapshot.RegistrySnapshot<Item, any>

/** The public functions, as untyped code sees them: the lookups of these tests are not in a type. */
const ask = {
  get: RegistrySnapshot.get as unknown as (self: unknown, attribute: string, value: unknown) => Option.Option<any>,
  getAll: RegistrySnapshot.getAll as unknown as (self: unknown, attribute: string, value: unknown) => Array<any>,
  has: RegistrySnapshot.has as unknown as (self: unknown, attribute: string, value: unknown) => boolean
}

/** The keys of an item, or why it cannot be registered. */
const check = <Item>(
  ...args: Parameters<typeof Checking.check<Item>>
): Result.Result<Definition.Keys, RegistryError.RegistrationFailure> => {
  const checked = Checking.check(...args)
  return Checking.isRefusal(checked) ? Result.fail(checked) : Result.succeed(checked)
}

/** Registers an item that can be registered. */
const add = <Item>(contents: Contents.Contents<Item>, item: Item): Contents.Contents<Item> => {
  const checked = check(contents, item)
  if (Result.isFailure(checked)) throw checked.failure
  return Changing.insert(contents, item, checked.success, origin).contents
}

const addAll = <Item>(contents: Contents.Contents<Item>, ...items: ReadonlyArray<Item>): Contents.Contents<Item> =>
  items.reduce(add, contents)

/** Registers all items, or none: in place if there are to be many. */
const insertAll = <Item>(
  contents: Contents.Contents<Item>,
  items: ReadonlyArray<Item>,
  additions = items.length
): Result.Result<Changing.Added<Item, ReadonlyArray<Entry<Item>>>, RegistryError.RegistrationFailure> => {
  const builder = new Changing.Builder(contents, additions, origin)
  for (const item of items) {
    const failure = builder.add(item)
    if (failure !== undefined) return Result.fail(failure)
  }
  return Result.succeed(builder.finish())
}

const drop = <Item>(contents: Contents.Contents<Item>, item: Item): Contents.Contents<Item> => {
  const entry = Contents.findCurrent(contents, item)
  assert.isDefined(entry, "it is found")
  assert.strictEqual(entry!.item, item, "it is found itself, and no other")
  return Changing.remove(contents, entry!).contents
}

const codeOf = (checked: Result.Result<unknown, RegistryError.RegistrationFailure>): string =>
  Result.isFailure(checked) ? checked.failure.code : "ok"

// ---------------------------------------------------------------------------------------------------------------------
// A naive model: an array of items and their keys
// ---------------------------------------------------------------------------------------------------------------------

interface Held<Item> {
  readonly item: Item
  readonly keys: ReadonlyMap<string, ReadonlyArray<unknown>>
}

type Lookups<Item> = { readonly [attribute: string]: Lookup.Lookup<Item> }

const keysOf = <Item>(lookups: Lookups<Item>, item: Item): Held<Item>["keys"] =>
  new Map(
    Object.entries(lookups).map(([attribute, lookup]) => {
      const selected = lookup.select(item)
      const all = lookup.each ? Array.from((selected ?? []) as Iterable<unknown>) : [selected]
      return [attribute, all.filter((key) => key !== undefined)]
    })
  )

const hasKey = <Item>(held: Held<Item>, attribute: string, key: unknown): boolean =>
  held.keys.get(attribute)!.some((other) => Equal.equals(other, key))

/**
 * The place of the registration that the keys of an object find, or -1. Two objects are never equal here. Of an object with
 * an equality of its own, or without a unique key, the hash is found, which Effect keeps.
 */
const foundByKeys = <Item extends object>(
  lookups: Lookups<Item>,
  model: ReadonlyArray<Held<Item>>,
  item: Item
): number => {
  const unique = ({ keys }: Pick<Held<Item>, "keys">) =>
    Object.entries(lookups).flatMap(([attribute, { _tag }]) =>
      _tag === "Unique" ? keys.get(attribute)!.slice(0, 1).map((key) => ({ attribute, key })) : []
    )[0]
  const first = unique({ keys: keysOf(lookups, item) })
  return model.findIndex((held) => {
    if (held.item !== item) return false
    if (Equal.isEqual(item)) return true
    return first === undefined ? unique(held) === undefined : hasKey(held, first.attribute, first.key)
  })
}

/** Why an item cannot be registered, in the order of the definition. */
const refusal = <Item>(
  lookups: Lookups<Item>,
  model: ReadonlyArray<Held<Item>>,
  item: Item,
  ignoring?: Held<Item>
): { readonly code: string; readonly attribute?: string; readonly existing?: Item } => {
  const others = model.filter((held) => held !== ignoring)
  if (others.some((held) => Equal.equals(held.item, item))) return { code: "already_registered" }
  const keys = keysOf(lookups, item)
  for (const [attribute, lookup] of Object.entries(lookups)) {
    const selected = lookup.select(item)
    const lacks = lookup.each
      ? selected === undefined || Array.from(selected as Iterable<unknown>).includes(undefined)
      : selected === undefined
    if (lacks && !lookup.optional) return { code: "missing_attribute", attribute }
    if (lookup._tag === "Group") continue
    for (const key of keys.get(attribute)!) {
      const holder = others.find((held) => hasKey(held, attribute, key))
      if (holder !== undefined) return { code: "attribute_registered", attribute, existing: holder.item }
    }
  }
  return { code: "ok" }
}

/** Every read answers what the array answers. */
const agree = <Item>(
  lookups: Lookups<Item>,
  contents: Contents.Contents<Item>,
  model: ReadonlyArray<Held<Item>>,
  pool: ReadonlyArray<() => unknown>
): void => {
  const snapshot = snapshotOf(contents)
  const items = model.map((held) => held.item)
  const same = (actual: ReadonlyArray<Item>, expected: ReadonlyArray<Item>, message: string) =>
    assert.isTrue(
      actual.length === expected.length && actual.every((item, i) => Object.is(item, expected[i])),
      `${message}: ${actual.length} items, expected ${expected.length}`
    )
  assert.strictEqual(RegistrySnapshot.size(snapshot), items.length)
  same(RegistrySnapshot.values(snapshot), items, "values")
  same(Array.from(snapshot), items, "iteration")
  same(Contents.entries(contents).map((entry) => entry.item), items, "entries")
  for (let i = -items.length - 1; i <= items.length; i++) {
    const expected = i >= items.length || i < -items.length ? Option.none() : Option.some(items.at(i))
    const at = RegistrySnapshot.at(snapshot, i)
    assert.isTrue(
      Option.isNone(expected) ? Option.isNone(at) : Option.isSome(at) && Object.is(at.value, expected.value),
      `at ${i}`
    )
  }
  for (const { item, keys } of model) {
    assert.isTrue(Object.is(Contents.findCurrent(contents, item)?.item, item), "finds what is in")
    if (!Equal.equals(keysOf(lookups, item), keys)) continue
    assert.isTrue(RegistrySnapshot.contains(snapshot, item), "contains what is in, and has the keys that it had then")
  }
  for (const [attribute, lookup] of Object.entries(lookups)) {
    const keys = [...pool.map((make) => make()), ...model.flatMap((held) => held.keys.get(attribute)!)]
    for (const key of keys) {
      const expected = model.filter((held) => hasKey(held, attribute, key)).map((held) => held.item)
      same(ask.getAll(snapshot, attribute, key), expected, `getAll ${attribute}`)
      assert.strictEqual(ask.has(snapshot, attribute, key), expected.length > 0, `has ${attribute}`)
      if (lookup._tag === "Unique") {
        assert.isAtMost(expected.length, 1, "the model itself is right")
        const found = ask.get(snapshot, attribute, key)
        assert.strictEqual(Option.isSome(found), expected.length === 1, `get ${attribute}`)
        if (Option.isSome(found)) assert.isTrue(Object.is(found.value, expected[0]), `get ${attribute}`)
      }
    }
    assert.isFalse(ask.has(snapshot, attribute, undefined), "nobody has undefined")
  }
  assert.deepStrictEqual(violations(contents), [])
}

// ---------------------------------------------------------------------------------------------------------------------
// Items that never change, with every kind of key
// ---------------------------------------------------------------------------------------------------------------------

/** Keys with one hash, so that they collide, and an equality of their own. */
class Colliding {
  readonly n: number
  constructor(n: number) {
    this.n = n
  }
  [Equal.symbol](that: unknown): boolean {
    return that instanceof Colliding && that.n === this.n
  }
  [Hash.symbol](): number {
    return 7
  }
}

const symbol = Symbol("key")

/** G11: each key is made anew each time, so that it can be found by value alone. */
const keyPool: ReadonlyArray<() => unknown> = [
  () => "a",
  () => "b",
  () => "",
  () => 0,
  () => -0,
  () => 1,
  () => NaN,
  () => Infinity,
  () => null,
  () => true,
  () => false,
  () => 10n,
  () => symbol,
  () => ({ x: 1 }),
  () => ({ x: 2 }),
  () => ({}),
  () => [],
  () => ["a"],
  () => [["a"], { x: NaN }],
  () => new Date(0),
  () => new Map([["a", 1]]),
  () => new Set([1, 2]),
  () => Option.some(1),
  () => Option.none(),
  () => new Colliding(1),
  () => new Colliding(2),
  () => new Colliding(3),
  () => "__proto__",
  () => "constructor"
]

interface Thing {
  readonly n: number
  readonly id?: unknown
  readonly aliases?: ReadonlyArray<unknown>
  readonly kind?: unknown
  readonly tags?: ReadonlyArray<unknown>
}

const lookupsOf = {
  "all required": {
    id: Lookup.unique((thing: Thing) => thing.id),
    alias: Lookup.uniqueEach((thing: Thing) => thing.aliases!),
    kind: Lookup.group((thing: Thing) => thing.kind),
    tag: Lookup.groupEach((thing: Thing) => thing.tags!)
  },
  "all optional": {
    id: Lookup.optional(Lookup.unique((thing: Thing) => thing.id)),
    alias: Lookup.optional(Lookup.uniqueEach((thing: Thing) => thing.aliases!)),
    kind: Lookup.optional(Lookup.group((thing: Thing) => thing.kind)),
    tag: Lookup.optional(Lookup.groupEach((thing: Thing) => thing.tags!))
  },
  "many values first": {
    alias: Lookup.uniqueEach((thing: Thing) => thing.aliases!),
    tag: Lookup.optional(Lookup.groupEach((thing: Thing) => thing.tags!)),
    id: Lookup.optional(Lookup.unique((thing: Thing) => thing.id))
  },
  "groups only": {
    kind: Lookup.optional(Lookup.group((thing: Thing) => thing.kind)),
    tag: Lookup.groupEach((thing: Thing) => thing.tags!)
  },
  none: {}
} satisfies Record<string, Lookups<Thing>>

const aKey = fc.integer({ min: 0, max: keyPool.length - 1 }).map((i) => keyPool[i]!())
const keyOrNone = fc.oneof({ weight: 8, arbitrary: aKey }, { weight: 1, arbitrary: fc.constant(undefined) })
const someKeys = fc.oneof({ weight: 8, arbitrary: fc.array(aKey, { maxLength: 12 }) }, {
  weight: 1,
  arbitrary: fc.array(keyOrNone, { maxLength: 3 })
})

const thing: fc.Arbitrary<Thing> = fc.record({
  n: fc.nat(5),
  id: keyOrNone,
  aliases: fc.oneof({ weight: 5, arbitrary: fc.array(aKey, { maxLength: 2 }) }, { weight: 1, arbitrary: someKeys }),
  kind: keyOrNone,
  tags: someKeys
}).chain((whole) => fc.boolean().map((frozen) => frozen ? Object.freeze(whole) : whole))

type Step =
  | { readonly _tag: "Insert"; readonly item: Thing }
  | { readonly _tag: "InsertAll"; readonly items: ReadonlyArray<Thing>; readonly additions: number }
  | { readonly _tag: "Remove"; readonly pick: number; readonly by: "entry" | "equal" }
  | { readonly _tag: "Replace"; readonly pick: number; readonly item: Thing }
  | { readonly _tag: "Again"; readonly pick: number }

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ _tag: fc.constant("Insert" as const), item: thing }) },
    {
      weight: 2,
      arbitrary: fc.record({
        _tag: fc.constant("InsertAll" as const),
        items: fc.array(thing, { maxLength: 4 }),
        additions: fc.constantFrom(1, 1_000)
      })
    },
    {
      weight: 3,
      arbitrary: fc.record({
        _tag: fc.constant("Remove" as const),
        pick: fc.nat(),
        by: fc.constantFrom("entry" as const, "equal" as const)
      })
    },
    { weight: 3, arbitrary: fc.record({ _tag: fc.constant("Replace" as const), pick: fc.nat(), item: thing }) },
    { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Again" as const), pick: fc.nat() }) }
  ),
  { maxLength: 16 }
)

const assertRefused = (
  checked: Result.Result<unknown, RegistryError.RegistrationFailure>,
  expected: ReturnType<typeof refusal>
) => {
  assert.strictEqual(codeOf(checked), expected.code)
  if (!Result.isFailure(checked)) return
  assert.strictEqual(checked.failure.registry, "things")
  assert.strictEqual(checked.failure.attribute, expected.attribute)
  if (checked.failure._tag === "AlreadyRegisteredError") {
    assert.strictEqual(checked.failure.existing, expected.existing)
  }
}

/** A copy of an item whose hash was never computed. */
const copyOf = (item: Thing): Thing => ({ ...item })

const playThings = (lookups: Lookups<Thing>, list: ReadonlyArray<Step>): void => {
  let contents = empty<Thing>(lookups)
  let model: ReadonlyArray<Held<Thing>> = []
  const earlier: Array<readonly [Contents.Contents<Thing>, ReadonlyArray<Held<Thing>>]> = []
  const held = (item: Thing): Held<Thing> => ({ item, keys: keysOf(lookups, item) })
  for (const one of list) {
    earlier.push([contents, model])
    switch (one._tag) {
      case "Insert": {
        const expected = refusal(lookups, model, one.item)
        const checked = check(contents, one.item)
        assertRefused(checked, expected)
        if (Result.isFailure(checked)) break
        const inserted = Changing.insert(contents, one.item, checked.success, origin)
        contents = inserted.contents
        assert.isTrue(Contents.holds(contents, inserted.added))
        model = [...model, held(one.item)]
        break
      }
      case "InsertAll": {
        let next = model
        let expected: ReturnType<typeof refusal> = { code: "ok" }
        for (const item of one.items) {
          expected = refusal(lookups, next, item)
          if (expected.code !== "ok") break
          next = [...next, held(item)]
        }
        const inserted = insertAll(contents, one.items, one.additions)
        assertRefused(inserted, expected)
        if (Result.isFailure(inserted)) break
        contents = inserted.success.contents
        for (const entry of inserted.success.added) assert.isTrue(Contents.holds(contents, entry))
        model = next
        break
      }
      case "Remove": {
        if (model.length === 0) break
        const index = one.pick % model.length
        const entry = one.by === "entry"
          ? Contents.at(contents, index)!
          : Contents.find(contents, copyOf(model[index]!.item))!
        assert.strictEqual(entry, Contents.at(contents, index), "an equal item is found where it is")
        contents = Changing.remove(contents, entry).contents
        assert.isFalse(Contents.holds(contents, entry))
        assert.isFalse(RegistrySnapshot.contains(snapshotOf(contents), model[index]!.item))
        model = model.toSpliced(index, 1)
        break
      }
      case "Replace": {
        if (model.length === 0) break
        const index = one.pick % model.length
        const previous = Contents.at(contents, index)!
        const expected = refusal(lookups, model, one.item, model[index])
        const checked = check(contents, one.item, previous)
        assertRefused(checked, expected)
        if (Result.isFailure(checked)) break
        const replaced = Changing.replace(contents, previous, one.item, checked.success, origin)
        contents = replaced.contents
        assert.isTrue(Contents.holds(contents, replaced.added))
        assert.isFalse(Contents.holds(contents, previous))
        model = model.with(index, held(one.item))
        break
      }
      case "Again": {
        if (model.length === 0) break
        const { item } = model[one.pick % model.length]!
        assert.strictEqual(codeOf(check(contents, item)), "already_registered")
        assert.strictEqual(codeOf(check(contents, copyOf(item))), "already_registered")
        assert.strictEqual(codeOf(insertAll(contents, [copyOf(item)])), "already_registered")
        break
      }
    }
    agree(lookups, contents, model, keyPool)
  }
  for (const [then, those] of earlier) agree(lookups, then, those, keyPool)
}

const invalid = (attempt: () => unknown, attribute: string, suggestions: ReadonlyArray<string>) => {
  let thrown: any
  try {
    attempt()
  } catch (error) {
    thrown = error
  }
  assert.instanceOf(thrown, RegistryError.ItemLookupError)
  assert.strictEqual(thrown.code, "invalid_attribute")
  assert.strictEqual(thrown.registry, "things")
  assert.strictEqual(thrown.attribute, attribute)
  assert.strictEqual(thrown.value, 5)
  assert.deepStrictEqual(thrown.suggestions, suggestions)
  assert.include(thrown.message, "things")
  assert.include(thrown.message, attribute)
}

const mixedOf = (n: number): Thing => ({
  n,
  id: n % 5 === 0 ? [n] : n,
  aliases: [`${n}`, n % 3 === 0 ? { n } : -n],
  kind: n % 4
})

const thingOf = (id: number): Thing => ({ n: id, id, kind: id % 7 })

interface Numbered {
  id: number
}

const numbered = (length: number): ReadonlyArray<Numbered> => Array.from({ length }, (_, id) => ({ id }))

const listNumbered = (
  contents: Contents.Contents<Numbered>,
  items: ReadonlyArray<Numbered>
): Contents.Contents<Numbered> => Result.getOrThrow(insertAll(contents, items)).contents

const renumber = (items: ReadonlyArray<Numbered>) => {
  for (const item of items) item.id = -1 - item.id
}

const areFound = (contents: Contents.Contents<Numbered>, items: ReadonlyArray<Numbered>) => {
  // each is looked for among all of them
  const every = Math.ceil(items.length / 100)
  for (const item of items.filter((_, i) => i % every === 0 || i === items.length - 1)) {
    assert.isUndefined(Contents.find(contents, item))
    assert.strictEqual(Contents.findCurrent(contents, item)?.item, item)
  }
}

describe("RegistrySnapshot", () => {
  for (const [name, lookups] of Object.entries<Lookups<Thing>>(lookupsOf)) {
    it(`G8 G11 G12 agrees with an array through random inserts, removals and replacements: ${name}`, () => {
      fc.assert(fc.property(steps, (list) => playThings(lookups, list)), { numRuns: 120 })
    })
  }

  it(
    "G8 G11 G12 agrees with an array through hundreds of changes, one by one and many at once",
    { timeout: 30_000 },
    () => {
      const lookups: Lookups<Thing> = {
        id: Lookup.unique((one: Thing) => one.id),
        alias: Lookup.uniqueEach((one: Thing) => one.aliases!),
        kind: Lookup.group((one: Thing) => one.kind)
      }
      const many = fc.record({
        from: fc.nat(400),
        count: fc.integer({ min: 1, max: 150 }),
        one: fc.boolean(),
        out: fc.boolean()
      })
      const all = Array.from({ length: 560 }, (_, n) => mixedOf(n))
      const pool = Array.from({ length: 40 }, (_, i) => i * 14).flatMap((
        n
      ) => [() => n, () => `${n}`, () => [n], () => ({ n })])
      fc.assert(
        fc.property(fc.array(many, { minLength: 4, maxLength: 12 }), (list) => {
          let contents = empty<Thing>(lookups)
          let model: ReadonlyArray<Held<Thing>> = []
          const earlier: Array<readonly [typeof contents, typeof model]> = []
          for (const { count, from, one, out } of list) {
            const range = all.slice(from, from + count)
            const those = new Set(range)
            earlier.push([contents, model])
            if (out) {
              for (const item of range) {
                const entry = Contents.find(contents, item)
                assert.strictEqual(entry !== undefined, model.some((held) => held.item === item))
                if (entry !== undefined) contents = Changing.remove(contents, entry).contents
              }
              model = model.filter((held) => !those.has(held.item))
              continue
            }
            const inside = new Set(model.map((held) => held.item))
            const items = range.filter((item) => !inside.has(item))
            contents = one ? addAll(contents, ...items) : Result.getOrThrow(insertAll(contents, items)).contents
            model = [...model, ...items.map((item) => ({ item, keys: keysOf(lookups, item) }))]
          }
          earlier.push([contents, model])
          for (const [then, those] of earlier) {
            assert.deepStrictEqual(Array.from(snapshotOf(then)), those.map((held) => held.item))
            assert.deepStrictEqual(violations(then), [])
            for (const { item, keys } of those) {
              for (const attribute of ["id", "alias"]) {
                for (const value of keys.get(attribute)!) {
                  assert.deepStrictEqual(ask.getAll(then, attribute, value), [item])
                }
              }
            }
            for (const value of pool) {
              const holder = those.find((held) => hasKey(held, "id", value()))
              assert.deepStrictEqual(ask.getAll(then, "id", value()), holder === undefined ? [] : [holder.item])
            }
          }
        }),
        { numRuns: 25 }
      )
    }
  )

  it("G8 G12 agrees with an array at thousands of items", () => {
    const lookups: Lookups<Thing> = {
      id: Lookup.unique((one: Thing) => one.id),
      kind: Lookup.group((one: Thing) => one.kind)
    }
    let contents = empty<Thing>(lookups)
    const inserted = insertAll(contents, Array.from({ length: 3_000 }, (_, id) => thingOf(id)))
    contents = Result.getOrThrow(inserted).contents
    let model = RegistrySnapshot.values(snapshotOf(contents)).slice()
    for (let i = 0; i < 2_500; i++) {
      const index = (i * 7_919) % model.length
      const entry = Contents.at(contents, index)!
      assert.strictEqual(entry.item, model[index])
      if (i % 3 === 0) {
        const item = thingOf(10_000 + i)
        const checked = Result.getOrThrow(check(contents, item, entry))
        contents = Changing.replace(contents, entry, item, checked, origin).contents
        model[index] = item
      } else {
        contents = Changing.remove(contents, entry).contents
        model.splice(index, 1)
      }
    }
    model = [...model, thingOf(50_000)]
    contents = add(contents, model.at(-1)!)
    assert.deepStrictEqual(RegistrySnapshot.values(snapshotOf(contents)), model)
    for (let kind = 0; kind < 7; kind++) {
      assert.deepStrictEqual(
        ask.getAll(contents, "kind", kind),
        model.filter((one) => one.kind === kind)
      )
    }
    for (const item of model) assert.deepStrictEqual(ask.getAll(contents, "id", item.id), [item])
  })

  // -------------------------------------------------------------------------------------------------------------------
  // Order
  // -------------------------------------------------------------------------------------------------------------------

  it("G12 replace keeps the position, among all and in every group", () => {
    interface Card {
      readonly id: string
      readonly kind: string
    }
    const lookups = { id: Lookup.unique((card: Card) => card.id), kind: Lookup.group((card: Card) => card.kind) }
    const [a, b, c] = ["a", "b", "c"].map((id): Card => ({ id, kind: "k" })) as [Card, Card, Card]
    const before = addAll(empty<Card>(lookups), a, b, c)
    const b2: Card = { id: "b2", kind: "k" }
    const entry = Contents.find(before, b)!
    const keys = Result.getOrThrow(check(before, b2, entry))
    const after = Changing.replace(before, entry, b2, keys, origin).contents
    assert.deepStrictEqual(RegistrySnapshot.values(snapshotOf(after)), [a, b2, c])
    assert.deepStrictEqual(ask.getAll(after, "kind", "k"), [a, b2, c])
    assert.deepStrictEqual(ask.get(after, "id", "b"), Option.none())
    assert.deepStrictEqual(ask.getAll(before, "kind", "k"), [a, b, c])
    // one that comes back comes last
    const back = add(Changing.remove(after, Contents.find(after, a)!).contents, a)
    assert.deepStrictEqual(RegistrySnapshot.values(snapshotOf(back)), [b2, c, a])
    assert.deepStrictEqual(ask.getAll(back, "kind", "k"), [b2, c, a])
  })

  it("G8 a failed insertAll changes neither its base nor a later insertAll", () => {
    const lookups = {
      id: Lookup.optional(Lookup.unique((one: Thing) => one.id)),
      tag: Lookup.optional(Lookup.groupEach((one: Thing) => one.tags!))
    }
    const pool = [1, 2, 3, "t"].map((value) => () => value)
    const item: Thing = { n: 0, id: 1, tags: ["t"] }
    const anonymous: Thing = { n: 9 }
    const before = addAll(empty<Thing>(lookups), item, anonymous)
    const model = [item, anonymous].map((one) => ({ item: one, keys: keysOf(lookups, one) }))
    for (
      const more of [
        [{ n: 1, id: 2, tags: ["t"] }, { n: 2 }, { n: 3, id: 1 }],
        [{ n: 1, id: 2 }, { n: 4, id: 2 }],
        [{ n: 2 }, { n: 2 }],
        [{ n: 2 }, { n: 9 }]
      ]
    ) {
      for (const additions of [1, 1_000]) assert.isTrue(Result.isFailure(insertAll<Thing>(before, more, additions)))
      agree(lookups, before, model, pool)
      assert.isFalse(RegistrySnapshot.contains(snapshotOf(before), more[0]!))
      agree(lookups, addAll(before, more[0]!), [...model, { item: more[0]!, keys: keysOf(lookups, more[0]!) }], pool)
    }
  })

  it("G8 a key function that throws in the middle of insertAll leaves everything as it was", () => {
    const boom = new Error("boom")
    const lookups = {
      id: Lookup.unique((one: Thing) => {
        if (one.n === 3) throw boom
        return one.id
      })
    }
    const before = add(empty<Thing>(lookups), { n: 0, id: 0 })
    let thrown: unknown
    try {
      insertAll(before, [{ n: 1, id: 1 }, { n: 2, id: 2 }, { n: 3, id: 3 }])
    } catch (error) {
      thrown = error
    }
    assert.strictEqual(thrown, boom)
    assert.strictEqual(RegistrySnapshot.size(snapshotOf(before)), 1)
    assert.isFalse(ask.has(before, "id", 1))
    assert.strictEqual(RegistrySnapshot.size(snapshotOf(addAll(before, { n: 1, id: 1 }, { n: 2, id: 2 }))), 3)
  })

  // -------------------------------------------------------------------------------------------------------------------
  // Values
  // -------------------------------------------------------------------------------------------------------------------

  it("G11 null, the empty string, zero and NaN are values like any other, and every value has one holder", () => {
    const lookups = { id: Lookup.unique((one: Thing) => one.id) }
    for (const make of keyPool) {
      const first: Thing = { n: 1, id: make() }
      const contents = add(empty<Thing>(lookups), first)
      assert.deepStrictEqual(ask.get(contents, "id", make()), Option.some(first))
      const second = check(contents, { n: 2, id: make() })
      assert.isTrue(Result.isFailure(second))
      if (Result.isFailure(second) && second.failure._tag === "AlreadyRegisteredError") {
        assert.strictEqual(second.failure.code, "attribute_registered")
        assert.strictEqual(second.failure.attribute, "id")
        assert.strictEqual(second.failure.existing, first)
      }
      const without = drop(contents, first)
      assert.isFalse(ask.has(without, "id", make()))
      assert.strictEqual(codeOf(check(without, { n: 2, id: make() })), "ok")
    }
  })

  it("G11 registries without lookups compare items by value", () => {
    const contents = keyPool.reduce<Contents.Contents<unknown>>((before, make) => {
      const value = make()
      // 0 and -0 are one value
      return Object.is(value, -0) ? before : add(before, value)
    }, empty<unknown>([]))
    for (const make of keyPool) {
      assert.isTrue(RegistrySnapshot.contains(snapshotOf(contents), make()))
      assert.strictEqual(codeOf(check(contents, make())), "already_registered")
    }
    const none = keyPool.reduce<Contents.Contents<unknown>>((before, make) => {
      const entry = Contents.find(before, make())
      return entry === undefined ? before : Changing.remove(before, entry).contents
    }, contents)
    assert.strictEqual(RegistrySnapshot.size(snapshotOf(none)), 0)
    assert.isTrue(RegistrySnapshot.contains(snapshotOf(add(none, undefined)), undefined))
  })

  it("G11 the same value twice in one item counts once, among few values and many", () => {
    const lookups = {
      alias: Lookup.uniqueEach((one: Thing) => one.aliases!),
      tag: Lookup.groupEach((one: Thing) => one.tags!)
    }
    for (const many of [2, 8, 9, 40]) {
      const values = Array.from({ length: many }, (_, i) => [i])
      const item: Thing = { n: 1, aliases: [...values, ...values, [0]], tags: [...values, [1], [1]] }
      const contents = add(empty<Thing>(lookups), item)
      assert.deepStrictEqual(ask.getAll(contents, "alias", [0]), [item])
      assert.deepStrictEqual(ask.getAll(contents, "tag", [1]), [item])
      const without = drop(contents, item)
      assert.isFalse(ask.has(without, "alias", [0]))
      assert.isFalse(ask.has(without, "tag", [1]))
    }
  })

  it("G11 items that define Equal are compared by it, even if their keys differ", () => {
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
    for (
      const lookup of [
        { build: Lookup.unique((version: Version) => version.build) },
        { build: Lookup.group((version: Version) => version.build) },
        {}
      ]
    ) {
      const one = new Version("one", 1)
      const contents = add(empty<Version>(lookup), one)
      assert.isTrue(RegistrySnapshot.contains(snapshotOf(contents), new Version("one", 99)))
      assert.isFalse(RegistrySnapshot.contains(snapshotOf(contents), new Version("two", 1)))
      assert.strictEqual(codeOf(check(contents, new Version("one", 99))), "already_registered")
      const taken = "build" in lookup && lookup.build._tag === "Unique"
      assert.strictEqual(
        codeOf(check(contents, new Version("two", 1))),
        taken ? "attribute_registered" : "ok"
      )
      const without = Changing.remove(contents, Contents.find(contents, new Version("one", 99))!).contents
      assert.strictEqual(codeOf(check(without, new Version("one", 99))), "ok")
    }
  })

  // -------------------------------------------------------------------------------------------------------------------
  // Items that are changed after they were registered
  // -------------------------------------------------------------------------------------------------------------------

  interface Changing {
    /** Constant and unique, so that no two of these items are ever equal. */
    readonly n: number
    id: number | undefined
    aliases: Array<string>
    kind: string | undefined
  }

  class Own implements Changing {
    readonly n: number
    id: number | undefined = undefined
    aliases: Array<string> = []
    kind: string | undefined = undefined
    constructor(n: number) {
      this.n = n
    }
    [Equal.symbol](that: unknown): boolean {
      return that instanceof Own && that.n === this.n && that.id === this.id
    }
    [Hash.symbol](): number {
      return Hash.number(this.id ?? -1)
    }
  }

  const changingLookups: { readonly [name: string]: Lookups<Changing> } = {
    "a unique key": {
      id: Lookup.unique((one: Changing) => one.id ?? one.n + 100),
      kind: Lookup.optional(Lookup.group((one: Changing) => one.kind))
    },
    "unique keys that may be missing": {
      id: Lookup.optional(Lookup.unique((one: Changing) => one.id)),
      alias: Lookup.uniqueEach((one: Changing) => one.aliases),
      kind: Lookup.optional(Lookup.group((one: Changing) => one.kind))
    },
    "groups only": { kind: Lookup.optional(Lookup.group((one: Changing) => one.kind)) },
    "no lookups": {}
  }

  type Change =
    | {
      readonly _tag: "Change"
      readonly who: number
      readonly id: number | undefined
      readonly kind: string | undefined
    }
    | { readonly _tag: "Alias"; readonly who: number; readonly aliases: ReadonlyArray<string> }
    | { readonly _tag: "Insert" | "Remove" | "Ask" | "Undo"; readonly who: number }
    | { readonly _tag: "Replace"; readonly who: number; readonly by: number }

  // one of them more often: it is to be registered under several keys
  const who = fc.oneof(fc.constant(0), fc.nat(5))
  const changes: fc.Arbitrary<ReadonlyArray<Change>> = fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          _tag: fc.constant("Change" as const),
          who,
          id: fc.option(fc.nat(4), { nil: undefined }),
          kind: fc.constantFrom("x", "y", undefined)
        })
      },
      {
        weight: 1,
        arbitrary: fc.record({
          _tag: fc.constant("Alias" as const),
          who,
          aliases: fc.array(fc.constantFrom("p", "q", "r"), { maxLength: 2 })
        })
      },
      {
        weight: 8,
        arbitrary: fc.record({ _tag: fc.constantFrom("Insert", "Insert", "Remove", "Ask", "Undo"), who })
      },
      { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Replace" as const), who, by: who }) }
    ),
    { maxLength: 30, size: "max" }
  )

  const playChanges = (lookups: Lookups<Changing>, list: ReadonlyArray<Change>, own: boolean): void => {
    const all: ReadonlyArray<Changing> = Array.from(
      { length: 6 },
      (_, n) => own ? new Own(n) : { n, id: undefined, aliases: [], kind: undefined }
    )
    const pool: ReadonlyArray<() => unknown> = [0, 1, 2, 3, 4, 101, "x", "y", "p", "q", "r"].map((value) => () => value)
    let contents = empty<Changing>(lookups)
    let model: ReadonlyArray<Held<Changing>> = []
    let last: readonly [typeof contents, typeof model] = [contents, model]
    const keysFit = (item: Changing, ignoring?: Held<Changing>) =>
      Object.entries(lookups).every(([attribute, lookup]) =>
        lookup._tag === "Group" ||
        keysOf(lookups, item).get(attribute)!.every((key) =>
          !model.some((held) => held !== ignoring && hasKey(held, attribute, key))
        )
      )
    for (const one of list) {
      const item = all[one.who]!
      const byKeys = foundByKeys(lookups, model, item)
      const index = byKeys === -1 ? model.findIndex((held) => held.item === item) : byKeys
      switch (one._tag) {
        case "Change":
          item.id = one.id
          item.kind = one.kind
          break
        case "Alias":
          item.aliases = [...one.aliases]
          break
        case "Ask":
          assert.strictEqual(RegistrySnapshot.contains(snapshotOf(contents), item), byKeys !== -1, "contains")
          assert.strictEqual(Contents.findCurrent(contents, item), Contents.entries(contents)[index], "finds")
          break
        // a failed transaction: its registrations are gone, but it has seen the objects
        case "Undo":
          ;[contents, model] = last
          break
        case "Insert": {
          last = [contents, model]
          const checked = check(contents, item)
          const expected = byKeys !== -1 ? "already_registered" : keysFit(item) ? "ok" : "attribute_registered"
          assert.strictEqual(codeOf(checked), expected)
          if (Result.isFailure(checked)) break
          contents = Changing.insert(contents, item, checked.success, origin).contents
          model = [...model, { item, keys: keysOf(lookups, item) }]
          break
        }
        case "Remove": {
          last = [contents, model]
          if (index === -1) {
            assert.isUndefined(Contents.findCurrent(contents, item))
          } else {
            contents = drop(contents, item)
            model = model.toSpliced(index, 1)
          }
          break
        }
        case "Replace": {
          last = [contents, model]
          if (index === -1) break
          const by = all[one.by]!
          const entry = Contents.findCurrent(contents, item)
          assert.isDefined(entry)
          const checked = check(contents, by, entry)
          const isIn = ![-1, index].includes(foundByKeys(lookups, model, by))
          assert.strictEqual(
            codeOf(checked),
            isIn ? "already_registered" : keysFit(by, model[index]) ? "ok" : "attribute_registered"
          )
          if (Result.isFailure(checked)) break
          contents = Changing.replace(contents, entry!, by, checked.success, origin).contents
          model = model.with(index, { item: by, keys: keysOf(lookups, by) })
          break
        }
      }
      agree(lookups, contents, model, pool)
    }
  }

  for (const [name, lookups] of Object.entries(changingLookups)) {
    it(`G9 items that change are found and removed by the keys that they were registered with: ${name}`, () => {
      fc.assert(fc.property(changes, (list) => playChanges(lookups, list, false)), { numRuns: 150 })
    })
    it(`G9 items that define Equal and change are found and removed by the keys that they were registered with: ${name}`, () => {
      fc.assert(fc.property(changes, (list) => playChanges(lookups, list, true)), { numRuns: 150 })
    })
  }

  it("G9 an item that was changed to equal another finds the other, and itself when the other is gone", () => {
    const lookups = { id: Lookup.unique((one: { id: number }) => one.id) }
    const [a, b] = [{ id: 1 }, { id: 2 }]
    const contents = addAll(empty<{ id: number }>(lookups), a, b)
    a.id = 2
    for (const one of [a, b]) assert.strictEqual(Contents.findCurrent(contents, one)?.item, b)
    const without = drop(contents, b)
    for (const one of [a, b]) assert.isUndefined(Contents.find(without, one))
    assert.strictEqual(Contents.findCurrent(without, a)?.item, a)
    assert.isUndefined(Contents.findCurrent(without, b))
    assert.deepStrictEqual(RegistrySnapshot.values(snapshotOf(without)), [a])
    assert.isTrue(ask.has(without, "id", 1))
    assert.isFalse(ask.has(without, "id", 2))
    assert.strictEqual(RegistrySnapshot.size(snapshotOf(drop(without, a))), 0)
  })

  describe("G9 an object that was registered in a list is found after it was changed", () => {
    it.each([1, 32, 33, 500, 10_000, 10_001])("a list of %i", (length) => {
      const items = numbered(length)
      const contents = listNumbered(empty<Numbered>(["id"]), items)
      renumber(items)
      areFound(contents, items)
      const without = drop(contents, items.at(-1)!)
      assert.isUndefined(Contents.findCurrent(without, items.at(-1)!))
      assert.isFalse(ask.has(without, "id", length - 1))
    })

    it("one of the few objects left from a list, after another list", () => {
      const items = numbered(100)
      const kept = items.slice(0, 3)
      let contents = items.slice(2).reduce(drop, listNumbered(empty<Numbered>(["id"]), items))
      // registered again: another registration
      contents = add(contents, items[2]!)
      const more = Array.from({ length: 50 }, (_, i) => ({ id: 1_000 + i }))
      contents = listNumbered(contents, more)
      renumber([...items, ...more])
      areFound(contents, [...kept, ...more])
      for (const gone of items.slice(3)) assert.isUndefined(Contents.findCurrent(contents, gone))
    })

    it("an object that an override hid while another list was registered", () => {
      const items = numbered(100)
      const hidden = items[0]!
      let contents = items.slice(1).reduce(drop, listNumbered(empty<Numbered>(["id"]), items))
      const added = new Entry({ id: 0 }, [0], origin.above)
      const above = Layers.putOnTop(contents, added)
      contents = listNumbered(above.contents, Array.from({ length: 50 }, (_, i) => ({ id: 1_000 + i })))
      contents = Changing.remove(contents, added).contents
      renumber(items)
      areFound(contents, [hidden])
    })
  })

  it("G9 an object in a registry without lookups is found after it was changed", () => {
    const [a, b] = [{ id: 1 }, { id: 1 }]
    const first = add(empty<{ id: number }>([]), a)
    a.id = 2
    const contents = add(first, b)
    a.id = 1
    assert.strictEqual(Contents.find(contents, a)?.item, a)
    assert.strictEqual(Contents.find(contents, b)?.item, b)
    assert.deepStrictEqual(RegistrySnapshot.values(snapshotOf(drop(contents, b))), [a])
    const none = drop(drop(contents, b), a)
    assert.isFalse(RegistrySnapshot.contains(snapshotOf(none), a))
    assert.isFalse(RegistrySnapshot.contains(snapshotOf(none), b))
  })

  it("G9 an item that gets the unique key that it was registered without is found, and, registered again, is in twice", () => {
    const lookups = { id: Lookup.optional(Lookup.unique((one: { id?: number }) => one.id)) }
    const a: { id?: number } = {}
    const contents = add(empty<{ id?: number }>(lookups), a)
    a.id = 5
    assert.strictEqual(Contents.findCurrent(contents, a)?.item, a)
    assert.isFalse(RegistrySnapshot.contains(snapshotOf(contents), a))
    assert.strictEqual(RegistrySnapshot.size(snapshotOf(drop(contents, a))), 0)
    const twice = add(contents, a)
    assert.strictEqual(codeOf(check(twice, a)), "already_registered")
    assert.deepStrictEqual(RegistrySnapshot.values(snapshotOf(twice)), [a, a])
    // the one that its keys find goes first
    const once = drop(twice, a)
    assert.deepStrictEqual(Contents.entries(once), Contents.entries(contents))
    assert.isFalse(ask.has(once, "id", 5))
    assert.strictEqual(RegistrySnapshot.size(snapshotOf(drop(once, a))), 0)
  })

  it("G9 an item that loses the attribute that it was registered with is found", () => {
    const lookups = { id: Lookup.unique((one: { id?: number }) => one.id) }
    const a: { id?: number } = { id: 1 }
    const contents = add(empty<{ id?: number }>(lookups), a)
    delete a.id
    assert.strictEqual(Contents.findCurrent(contents, a)?.item, a)
    assert.isFalse(RegistrySnapshot.contains(snapshotOf(contents), a))
    assert.strictEqual(codeOf(check(contents, a)), "missing_attribute")
    assert.strictEqual(RegistrySnapshot.size(snapshotOf(drop(contents, a))), 0)
  })

  it("G9 an item is found although its key function throws by now", () => {
    interface Tagged {
      tags: ReadonlyArray<string> | null
    }
    const lookups = { tag: Lookup.uniqueEach((one: Tagged) => one.tags!.map((tag) => tag)) }
    const a: Tagged = { tags: ["a"] }
    const contents = add(empty<Tagged>(lookups), a)
    a.tags = null
    assert.strictEqual(Contents.findCurrent(contents, a)?.item, a)
    assert.throws(() => RegistrySnapshot.contains(snapshotOf(contents), a), TypeError)
    assert.throws(() => check(contents, a), TypeError)
    const without = drop(contents, a)
    assert.strictEqual(RegistrySnapshot.size(snapshotOf(without)), 0)
    // it is not in: so the error surfaces
    assert.throws(() => Contents.findCurrent(without, a), TypeError)
  })

  it("G9 a frozen item that changes inside is found", () => {
    interface Outer {
      readonly inner: { id: number }
    }
    const lookups = { id: Lookup.unique((one: Outer) => one.inner.id) }
    const a: Outer = Object.freeze({ inner: { id: 1 } })
    const contents = add(empty<Outer>(lookups), a)
    a.inner.id = 2
    assert.strictEqual(Contents.findCurrent(contents, a)?.item, a)
    assert.isFalse(RegistrySnapshot.contains(snapshotOf(contents), a))
    assert.strictEqual(RegistrySnapshot.size(snapshotOf(drop(contents, a))), 0)
  })

  it("G9 a frozen item that is registered, unregistered and registered again is found", () => {
    const lookups = { id: Lookup.unique((one: { readonly id: number }) => one.id) }
    const a = Object.freeze({ id: 1 })
    const contents = add(drop(add(empty<{ readonly id: number }>(lookups), a), a), a)
    assert.isTrue(RegistrySnapshot.contains(snapshotOf(contents), a))
    assert.strictEqual(RegistrySnapshot.size(snapshotOf(drop(contents, a))), 0)
  })

  it("G9 an item that is frozen after it was changed is found", () => {
    const lookups = { id: Lookup.unique((one: { id: number }) => one.id) }
    const a = { id: 1 }
    const contents = add(empty<{ id: number }>(lookups), a)
    a.id = 2
    Object.freeze(a)
    assert.strictEqual(Contents.findCurrent(contents, a)?.item, a)
    assert.strictEqual(RegistrySnapshot.size(snapshotOf(drop(contents, a))), 0)
  })

  it("G9 an old snapshot finds an item by its keys alone, and not by a value that another of its keys has since", () => {
    interface Named {
      id?: string
      name: string
    }
    const lookups = {
      id: Lookup.optional(Lookup.unique((one: Named) => one.id)),
      name: Lookup.unique((one: Named) => one.name)
    }
    const a: Named = { name: "x" }
    const old = add(empty<Named>(lookups), a)
    const without = drop(old, a)
    Object.assign(a, { id: "x", name: "y" })
    const later = add(without, a)
    assert.isFalse(RegistrySnapshot.contains(snapshotOf(old), a))
    assert.isTrue(RegistrySnapshot.contains(snapshotOf(later), a))
    Object.assign(a, { id: undefined, name: "x" })
    assert.isTrue(RegistrySnapshot.contains(snapshotOf(old), a))
    assert.isFalse(RegistrySnapshot.contains(snapshotOf(later), a))
    Object.assign(a, { id: "z", name: "w" })
    for (const contents of [old, later]) {
      assert.isFalse(RegistrySnapshot.contains(snapshotOf(contents), a))
      assert.strictEqual(Contents.findCurrent(contents, a)?.item, a)
    }
  })

  it("G9 an object that comes and goes a thousand times under changing keys is found each time", () => {
    const lookups = { id: Lookup.unique((one: { id: number }) => one.id) }
    const a = { id: 0 }
    let contents = empty<{ id: number }>(lookups)
    for (let i = 0; i < 1_000; i++) {
      a.id = i % 2
      contents = add(contents, a)
      a.id = 2 + i
      assert.strictEqual(Contents.findCurrent(contents, a)?.item, a)
      contents = drop(contents, a)
      for (const id of [i % 2, 2 + i]) {
        a.id = id
        assert.isUndefined(Contents.findCurrent(contents, a))
      }
    }
  })

  it("G7 G9 an object is found though failed transactions registered it again under other keys", () => {
    const lookups = { id: Lookup.unique((one: { id: number }) => one.id) }
    const a = { id: 0 }
    const contents = add(empty<{ id: number }>(lookups), a)
    for (let id = 1; id <= 5; id++) {
      a.id = id
      assert.strictEqual(Contents.findCurrent(contents, a)?.item, a, `after ${id - 1} attempts`)
      assert.isFalse(RegistrySnapshot.contains(snapshotOf(contents), a))
      // a transaction that rolls back
      add(drop(contents, a), a)
    }
    a.id = 99
    assert.strictEqual(RegistrySnapshot.size(snapshotOf(drop(contents, a))), 0)
  })

  it("G8 G9 an old snapshot keeps its items through later registrations", () => {
    const lookups = { id: Lookup.unique((one: { id: number }) => one.id) }
    const a = { id: 0 }
    const old = add(empty<{ id: number }>(lookups), a)
    let contents = old
    for (let id = 1; id <= 5; id++) {
      contents = drop(contents, a)
      a.id = id
      contents = add(contents, a)
      a.id = -1
      for (const [then, key] of [[old, 0], [contents, id]] as const) {
        assert.deepStrictEqual(ask.get(snapshotOf(then), "id", key), Option.some(a), `after ${id} registrations`)
        assert.isFalse(RegistrySnapshot.contains(snapshotOf(then), a))
      }
      a.id = 0
      assert.isTrue(RegistrySnapshot.contains(snapshotOf(old), a))
      assert.isFalse(RegistrySnapshot.contains(snapshotOf(contents), a))
    }
  })

  it.effect("G7 G9 an object whose replacements fail again and again can still be unregistered", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ id: number }>()({ lookup: ["id"] })
      const a = { id: 0 }
      yield* Registry.register(registry, a)
      for (let id = 1; id <= 3; id++) {
        a.id = id
        const attempt = Effect.andThen(Registry.replace(registry, "id", 0, a), Effect.fail("changed my mind"))
        assert.strictEqual(yield* Effect.flip(Registry.transact(registry, attempt)), "changed my mind")
      }
      a.id = 99
      assert.isTrue(yield* Registry.contains(registry, a))
      yield* Registry.unregister(registry, a)
      assert.strictEqual(yield* Registry.size(registry), 0)
      assert.isFalse(yield* Registry.contains(registry, a))
    }))

  it("G9 a key that is itself changed still frees its value when its item goes", () => {
    interface Dated {
      readonly n: number
      readonly at: Date
    }
    const lookups = {
      at: Lookup.unique((one: Dated) => one.at),
      day: Lookup.groupEach((one: Dated) => [one.at])
    }
    const a: Dated = { n: 1, at: new Date(0) }
    const contents = add(empty<Dated>(lookups), a)
    a.at.setTime(1)
    const without = drop(contents, a)
    assert.strictEqual(RegistrySnapshot.size(snapshotOf(without)), 0)
    for (const at of [new Date(0), new Date(1)]) {
      assert.isFalse(ask.has(without, "at", at))
      assert.deepStrictEqual(ask.getAll(without, "day", at), [])
    }
    assert.deepStrictEqual(violations(without), [])
  })

  it("G9 an item is found by the list that was its key, though the list has grown", () => {
    interface Path {
      readonly n: number
      readonly segments: Array<string>
    }
    const lookups = { segments: Lookup.unique((one: Path) => one.segments) }
    const a: Path = { n: 1, segments: ["a"] }
    const contents = add(empty<Path>(lookups), a)
    a.segments.push("b")
    assert.deepStrictEqual(ask.get(contents, "segments", ["a"]), Option.some(a))
    assert.strictEqual(codeOf(check(contents, { n: 2, segments: ["a"] })), "attribute_registered")
  })

  /** A key, and a change of it. */
  const changingKeys: { readonly [name: string]: readonly [make: () => any, change: (key: any) => void] } = {
    "a date": [() => new Date(0), (key) => key.setTime(1)],
    "a date in a list": [() => ["a", new Date(0), null, undefined], (key) => key[1].setTime(1)],
    "a list in a list": [() => [["a"]], (key) => key[0].push("b")],
    "an object": [() => ({ a: 1, b: null }), (key) => key.a = 2],
    "an object in an object": [() => ({ a: { b: 1 } }), (key) => key.a.b = 2],
    "an object without a prototype": [() => Object.assign(Object.create(null), { a: 1 }), (key) => key.a = 2],
    "a set": [() => new Set(["a"]), (key) => key.add("b")],
    "a list in a set": [() => new Set([["a"]]), (key) => [...key][0].push("b")],
    "a map": [() => new Map([["a", 1]]), (key) => key.set("a", 2)],
    "the key of a map": [() => new Map([[["a"], 1]]), (key) => [...key.keys()][0].push("b")],
    "the value of a map": [() => new Map([["a", ["b"]]]), (key) => key.get("a").push("c")],
    "bytes": [() => new Uint8Array([1, 2]), (key) => key.set([3])],
    "a part of some bytes": [() => new Uint8Array([0, 1, 2]).subarray(1), (key) => key.set([3])],
    "the bytes of a buffer": [() => Buffer.from([1, 2]), (key) => key.set([3])],
    "numbers": [() => new Float64Array([1.5, -0]), (key) => key.set([2])],
    "bytes in an object": [() => ({ a: new Uint8Array([1]) }), (key) => key.a.set([2])]
  }

  it.each(Object.entries(changingKeys))(
    "G9 an item is found by the value of its key at registration, though the key has changed: %s",
    (_, [make, change]) => {
      interface Keyed {
        readonly n: number
        readonly key: unknown
      }
      const lookups = {
        key: Lookup.unique((one: Keyed) => one.key),
        each: Lookup.uniqueEach((one: Keyed) => [one.key]),
        group: Lookup.group((one: Keyed) => one.key)
      }
      const a: Keyed = { n: 1, key: make() }
      const contents = add(empty<Keyed>(lookups), a)
      change(a.key)
      for (const attribute of ["key", "each", "group"]) {
        assert.deepStrictEqual(ask.getAll(contents, attribute, make()), [a])
      }
      assert.strictEqual(codeOf(check(contents, { n: 2, key: make() })), "attribute_registered")
      assert.isFalse(ask.has(drop(contents, a), "key", make()))
    }
  )

  it("G9 an item that was refused, completed and registered equals a copy of itself", () => {
    const lookups = { id: Lookup.unique((one: { name: string; id?: number }) => one.id) }
    const a: { name: string; id?: number } = { name: "x" }
    const before = empty<{ name: string; id?: number }>(lookups)
    assert.strictEqual(codeOf(check(before, a)), "missing_attribute")
    a.id = 1
    const contents = add(before, a)
    assert.isTrue(RegistrySnapshot.contains(snapshotOf(contents), { name: "x", id: 1 }))
  })

  it("G9 an item that is a Date is found and removed after it was changed", () => {
    const date = new Date(0)
    const contents = add(empty<Date>([]), date)
    date.setTime(1)
    assert.strictEqual(Contents.findCurrent(contents, date)?.item, date)
    assert.isTrue(RegistrySnapshot.contains(snapshotOf(contents), date))
    assert.isFalse(RegistrySnapshot.contains(snapshotOf(contents), new Date(1)))
    const without = drop(contents, date)
    date.setTime(0)
    assert.isFalse(RegistrySnapshot.contains(snapshotOf(without), date))
  })

  it("G9 removing a Date that was changed leaves the other Dates", () => {
    const dates = [new Date(0), new Date(2), new Date(4)]
    const contents = addAll(empty<Date>([]), ...dates)
    dates[1]!.setTime(1)
    const without = drop(contents, dates[1]!)
    dates[1]!.setTime(2)
    const found = [...dates, new Date(0), new Date(4)].map((date) =>
      RegistrySnapshot.contains(snapshotOf(without), date)
    )
    assert.deepStrictEqual(found, [true, false, true, true, true])
  })

  // -------------------------------------------------------------------------------------------------------------------
  // Questions
  // -------------------------------------------------------------------------------------------------------------------

  it.effect("reads are typed in data-first and in data-last form", () =>
    Effect.gen(function*() {
      interface Card {
        readonly id: number
        readonly kind: string
      }
      const cards: ReadonlyArray<Card> = [{ id: 1, kind: "a" }, { id: 2, kind: "b" }, { id: 3, kind: "a" }]
      const registry = yield* Registry.make<Card>()({
        name: "cards",
        lookup: { id: Lookup.unique((card) => card.id), kind: Lookup.group((card) => card.kind) },
        defaults: cards
      })
      const pending = Registry.snapshotUnsafe(registry)
      assert.strictEqual(RegistrySnapshot.revision(pending), 0)
      assert.strictEqual(RegistrySnapshot.size(pending), 0)

      const snapshot = yield* Registry.snapshot(registry)
      assert.strictEqual(RegistrySnapshot.revision(snapshot), 1)
      assert.deepStrictEqual(RegistrySnapshot.get(snapshot, "id", 2), Option.some(cards[1]!))
      assert.deepStrictEqual(snapshot.pipe(RegistrySnapshot.get("id", 9)), Option.none())
      assert.deepStrictEqual(RegistrySnapshot.getAll(snapshot, "kind", "a"), [cards[0]!, cards[2]!])
      assert.deepStrictEqual(snapshot.pipe(RegistrySnapshot.getAll("kind", "z")), [])
      assert.deepStrictEqual(snapshot.pipe(RegistrySnapshot.getAll("id", 3)), [cards[2]!])
      assert.isTrue(RegistrySnapshot.has(snapshot, "kind", "b"))
      assert.isFalse(snapshot.pipe(RegistrySnapshot.has("id", 4)))
      assert.isTrue(RegistrySnapshot.contains(snapshot, { id: 1, kind: "a" }))
      assert.isFalse(snapshot.pipe(RegistrySnapshot.contains({ id: 1, kind: "b" })))
      assert.deepStrictEqual(RegistrySnapshot.at(snapshot, -1), Option.some(cards[2]!))
      for (const index of [3, -4, 0.5, NaN, Infinity, -Infinity]) {
        assert.deepStrictEqual(snapshot.pipe(RegistrySnapshot.at(index)), Option.none())
      }
      assert.deepStrictEqual(RegistrySnapshot.at(snapshot, -0), Option.some(cards[0]!))
      assert.deepStrictEqual([...snapshot], cards)
      assert.strictEqual(RegistrySnapshot.values(snapshot), RegistrySnapshot.values(snapshot))
      assert.isTrue(Object.isFrozen(RegistrySnapshot.values(snapshot)))

      // a snapshot does not follow its registry
      yield* Registry.unregisterBy(registry, "id", 1)
      yield* Registry.register(registry, { id: 4, kind: "d" })
      assert.deepStrictEqual([...snapshot], cards)
      assert.isTrue(RegistrySnapshot.has(snapshot, "id", 1))
      assert.isFalse(RegistrySnapshot.has(snapshot, "id", 4))
      assert.deepStrictEqual([...pending], [])
      assert.strictEqual(RegistrySnapshot.revision(Registry.snapshotUnsafe(registry)), 3)
    }))

  it.effect("is inspected and written as JSON with its items", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<string>()({ name: "words", lookup: [], defaults: ["a", "b"] })
      const snapshot = yield* Registry.snapshot(registry)
      const shown = { _id: "RegistrySnapshot", registry: "words", revision: 1, values: ["a", "b"] }
      assert.deepStrictEqual(snapshot.toJSON(), shown)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(snapshot)), shown)
      for (const word of ["words", "\"a\"", "\"b\""]) assert.include(String(snapshot), word)
      assert.deepStrictEqual(String(snapshot), Formatter.format(shown, { space: 2 }))
      assert.strictEqual(inspect(snapshot), inspect(shown))
    }))

  it("throws for an unknown lookup, from untyped code, and names the registry and the attribute", () => {
    const lookups = {
      id: Lookup.unique((one: Thing) => one.id),
      kind: Lookup.optional(Lookup.group((one: Thing) => one.kind))
    }
    const contents = add(empty<Thing>(lookups), { n: 1, id: 1 })
    for (const attribute of ["nope", "", "__proto__", "constructor", "toString"]) {
      invalid(() => ask.get(contents, attribute, 5), attribute, ["id"])
      invalid(() => ask.getAll(contents, attribute, 5), attribute, ["id", "kind"])
      invalid(() => ask.has(contents, attribute, 5), attribute, ["id", "kind"])
    }
    invalid(() => ask.get(contents, "kind", 5), "kind", ["id"])
  })
})
