import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Listing } from "../src/internal/store/listing.ts"
import * as Order from "../src/internal/store/order.ts"
import { allocated } from "./utils/allocated.ts"

interface Entry {
  readonly position: number
  readonly item: number
}

/** One for all orders: each list is made from the list of the order before it. */
const listing = new Listing<number>()

type Command =
  | { readonly _tag: "Set"; readonly position: number }
  | { readonly _tag: "Remove"; readonly pick: number }
  | { readonly _tag: "RemoveAbsent"; readonly position: number }
  | { readonly _tag: "RemoveRange"; readonly pick: number; readonly count: number }
  | { readonly _tag: "Append"; readonly count: number }

const command = (most: number): fc.Arbitrary<Command> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ _tag: fc.constant("Set" as const), position: fc.nat(3 * most) }) },
    { weight: 6, arbitrary: fc.record({ _tag: fc.constant("Remove" as const), pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ _tag: fc.constant("RemoveAbsent" as const), position: fc.nat(3 * most) }) },
    {
      weight: 2,
      arbitrary: fc.record({ _tag: fc.constant("RemoveRange" as const), pick: fc.nat(), count: fc.nat(most) })
    },
    { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Append" as const), count: fc.nat(most) }) }
  )

/** Where the first entry at or after a position is in a sorted array. */
const lowerBound = (entries: ReadonlyArray<Entry>, position: number): number => {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (entries[middle]!.position < position) low = middle + 1
    else high = middle
  }
  return low
}

const isEntry = (object: object): boolean => "position" in object && "item" in object

/** More words than setting or removing one of a hundred thousand entries allocates. */
const ofOneChange = 250

const numbered = (size: number): ReadonlyArray<Entry> =>
  Array.from({ length: size }, (_, i) => ({ position: 2 * i, item: i }))

/** Every read answers what a sorted array answers. */
const agree = (order: Order.Order<Entry>, model: ReadonlyArray<Entry>): void => {
  assert.strictEqual(Order.size(order), model.length)
  assert.deepStrictEqual(Order.toArray(order, (entry) => entry), model.slice())
  assert.deepStrictEqual(listing.of(order), model.map(({ item }) => item))
  assert.isTrue(Object.isFrozen(listing.of(order)))
  const [from, to] = [Math.floor(model.length / 3), Math.floor(model.length / 2)]
  assert.deepStrictEqual(Order.toArray(order, (entry) => entry, from, to), model.slice(from, to))
  const stride = Math.max(1, Math.floor(model.length / 97))
  for (let i = 0; i < model.length; i += stride) {
    const entry = model[i]!
    assert.strictEqual(Order.at(order, i), entry)
    assert.strictEqual(Order.get(order, entry.position), entry)
    assert.strictEqual(Order.rank(order, entry.position), i)
    for (const position of [entry.position - 1, entry.position + 1]) {
      const index = lowerBound(model, position)
      const there = model[index]?.position === position ? model[index] : undefined
      assert.strictEqual(Order.get(order, position), there)
      assert.strictEqual(Order.rank(order, position), index)
    }
  }
  assert.strictEqual(Order.at(order, -1), undefined)
  assert.strictEqual(Order.at(order, model.length), undefined)
  assert.strictEqual(Order.rank(order, -1), 0)
  assert.strictEqual(Order.rank(order, 1e9), model.length)
  assert.strictEqual(Order.get(order, 1e9), undefined)
}

const play = (commands: ReadonlyArray<Command>, start: Order.Order<Entry>, startModel: ReadonlyArray<Entry>) => {
  let order = start
  let model = startModel
  let item = 0
  const before: Array<readonly [Order.Order<Entry>, ReadonlyArray<Entry>]> = []
  for (const one of commands) {
    before.push([order, model])
    switch (one._tag) {
      case "Set": {
        const entry = { position: one.position, item: item++ }
        order = Order.set(order, entry)
        const index = lowerBound(model, entry.position)
        model = model.toSpliced(index, model[index]?.position === entry.position ? 1 : 0, entry)
        break
      }
      case "Remove": {
        if (model.length === 0) break
        const index = one.pick % model.length
        order = Order.remove(order, model[index]!.position)
        model = model.toSpliced(index, 1)
        break
      }
      case "RemoveAbsent": {
        if (model[lowerBound(model, one.position)]?.position === one.position) break
        const same: Order.Order<Entry> = Order.remove(order, one.position)
        assert.strictEqual(same, order, "removing what is not in changes nothing")
        break
      }
      case "RemoveRange": {
        if (model.length === 0) break
        const from = one.pick % model.length
        for (const { position } of model.slice(from, from + one.count)) order = Order.remove(order, position)
        model = model.toSpliced(from, one.count)
        break
      }
      case "Append": {
        const next = (model.at(-1)?.position ?? -1) + 1
        const entries = Array.from({ length: one.count }, (_, i) => ({ position: next + i, item: item++ }))
        order = Order.append(order, entries)
        model = model.concat(entries)
        break
      }
    }
    agree(order, model)
  }
  // every earlier version is as it was
  for (const [then, held] of before) agree(then, held)
}

describe("order", () => {
  it("G12 agrees with a sorted array through sets, removals and appends", () => {
    fc.assert(fc.property(fc.array(command(40), { maxLength: 60 }), (commands) => play(commands, undefined, [])), {
      numRuns: 200
    })
  })

  it("G12 agrees with a sorted array of thousands of entries", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_100, max: 4_000 }),
        fc.array(command(1_500), { minLength: 5, maxLength: 25 }),
        (size, commands) => {
          const model = Array.from({ length: size }, (_, i) => ({ position: i * 2, item: -i }))
          play(commands, Order.append(undefined, model), model)
        }
      ),
      { numRuns: 20 }
    )
  })

  it("G12 thousands of entries can be set in any order, and removed in any other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000 }), fc.infiniteStream(fc.nat()), (size, random) => {
        const shuffled = (list: ReadonlyArray<Entry>) =>
          list.map((entry) => [random.next().value as number, entry] as const).toSorted((a, b) => a[0] - b[0]).map((
            pair
          ) => pair[1])
        const entries = Array.from({ length: size }, (_, i) => ({ position: i, item: i }))
        let order: Order.Order<Entry> = undefined
        for (const entry of shuffled(entries)) order = Order.set(order, entry)
        agree(order, entries)
        const leaving = shuffled(entries)
        const kept = new Set(entries)
        for (const [i, entry] of leaving.entries()) {
          order = Order.remove(order, entry.position)
          kept.delete(entry)
          if (i % Math.ceil(size / 8) === 0) agree(order, Array.from(kept))
        }
        assert.strictEqual(order, undefined, "an empty tree is no tree")
      }),
      { numRuns: 25 }
    )
  })

  it("a change allocates as little among a hundred thousand entries as among a thousand", () => {
    for (const size of [1_000, 10_000, 100_000]) {
      const order = Order.append(undefined as Order.Order<Entry>, numbered(size))
      for (const index of [0, 1, Math.floor(size / 3), Math.floor(size / 2), size - 2, size - 1]) {
        const changed = [
          Order.set(order, { position: 2 * index, item: -1 }),
          Order.set(order, { position: 2 * index + 1, item: -1 }),
          Order.remove(order, 2 * index)
        ]
        for (const next of changed) assert.isAtMost(allocated(next, isEntry, order), ofOneChange)
      }
      const appended = Order.append(order, [{ position: 2 * size, item: -1 }])
      assert.isAtMost(allocated(appended, isEntry, order), ofOneChange)
    }
  })

  it("a change allocates no more after tens of thousands of appends and removals at the start", () => {
    let order: Order.Order<Entry> = undefined
    let model: Array<Entry> = []
    for (let position = 0; position < 40_000; position++) {
      const entry = { position, item: position }
      const before = order
      order = Order.set(order, entry)
      model.push(entry)
      if (model.length > 500) {
        order = Order.remove(order, model[0]!.position)
        model = model.slice(1)
      }
      if (position % 100 === 0) assert.isAtMost(allocated(order, isEntry, before), 2 * ofOneChange)
    }
    agree(order, model)
    assert.isAtMost(allocated(order, isEntry), 2 * model.length)
  })

  it("shrinks with its entries", () => {
    const model = Array.from({ length: 32 * 32 * 8 }, (_, i) => ({ position: i, item: i }))
    let order: Order.Order<Entry> = Order.append(undefined, model)
    for (const { position } of model) if (position % 64 !== 5) order = Order.remove(order, position)
    const left = model.filter(({ position }) => position % 64 === 5)
    agree(order, left)
    assert.isAtMost(allocated(order, isEntry), 2 * left.length)
    for (const { position } of left.slice(1)) order = Order.remove(order, position)
    assert.isAtMost(allocated(order, isEntry), 10)
  })

  it("appends none, one and many entries to empty, small and large orders", () => {
    for (const size of [0, 1, 31, 32, 33, 1_023, 1_024, 1_025, 5_000]) {
      const model = Array.from({ length: size }, (_, i) => ({ position: i, item: i }))
      const order = Order.append(undefined as Order.Order<Entry>, model)
      agree(order, model)
      for (const more of [0, 1, 4, 5, 32, 33, 700, 2_000]) {
        const entries = Array.from({ length: more }, (_, i) => ({ position: size + 10 + i, item: i }))
        agree(Order.append(order, entries), model.concat(entries))
        agree(order, model)
      }
    }
  })

  it("G12 lists any number of entries at once", () => {
    const model = Array.from({ length: 200_000 }, (_, i) => ({ position: i, item: i }))
    const list = new Listing<number>().of(Order.append(undefined as Order.Order<Entry>, model))
    assert.strictEqual(list.length, model.length)
    assert.strictEqual(list.at(-1), model.length - 1)
  })

  it("a list is made from the list of another version: few entries are read again", () => {
    let read = 0
    const entry = (position: number) => ({
      position,
      get item() {
        read++
        return position
      }
    })
    const size = 10_000
    const list = new Listing<number>()
    let order: Order.Order<{ readonly position: number; readonly item: number }> = undefined
    order = Order.append(order, Array.from({ length: size }, (_, i) => entry(2 * i)))
    list.of(order)
    assert.strictEqual(read, size)
    const changes = 1_000
    for (let i = 0; i < changes; i++) {
      const index = (i * 7_919) % size
      order = i % 3 === 0 ? Order.remove(order, 2 * index) : Order.set(order, entry(2 * index + 1))
      list.of(order)
    }
    assert.isAtMost(read / changes, size / 50)
  })
})
