import { assert, describe, it, vi } from "@effect/vitest"
import { HashSet } from "effect"
import * as fc from "fast-check"
import { KeyMap } from "../src/internal/store/keyMap.ts"

const keyOf = (n: number): unknown => n % 3 === 0 ? n : n % 3 === 1 ? `${n}` : { n, nested: [n] }

/** Enough keys that bases are made anew now and then. */
const key = fc.nat(120)

/** All that are ever put in. */
const keys = Array.from({ length: 410 }, (_, n) => n)

/** Long lists, of which many are of the same keys. */
const length = fc.oneof(fc.nat(80), { weight: 3, arbitrary: fc.constantFrom(40, 45) })

const change = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constant("set" as const), key) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("delete" as const), key) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom("set many", "delete many", "fill", "fill at once", "give up"), length)
  }
)

interface Value {
  readonly id: number
}

const agrees = (map: KeyMap<Value>, model: ReadonlyMap<number, Value>): void => {
  for (const n of keys) assert.strictEqual(map.get(keyOf(n)), model.get(n))
  const found = Array.from(map.keys())
  assert.strictEqual(found.length, model.size)
  const set = HashSet.fromIterable(found)
  for (const n of model.keys()) assert.isTrue(HashSet.has(set, keyOf(n)))
}

/** Puts a list in, of new keys and of some that are there, until it is finished or given up; all values are new ones. */
const fill = (
  map: KeyMap<Value>,
  model: Map<number, Value>,
  n: number,
  next: () => Value,
  meanwhile: () => void
): KeyMap<Value> => {
  const filling = map.begin(n)
  // of short lists most are there, of long ones few
  for (let added = 4 * n; added < 5 * n; added++) {
    if (added === 4 * n + n % 3) meanwhile()
    const value = next()
    assert.strictEqual(filling.set(keyOf(added), value, filling.get(keyOf(added))), filling)
    model.set(added, value)
    // and what this list has put in is changed by it
    if (added % 7 === 0) {
      model.set(4 * n, next())
      filling.set(keyOf(4 * n), model.get(4 * n)!, filling.get(keyOf(4 * n)))
    }
  }
  for (const m of keys) assert.strictEqual(filling.get(keyOf(m)), model.get(m))
  return filling.finish()
}

/** With the list of the numbers from one on. */
const listed = (from: KeyMap<Value>, first: number, size = 40): KeyMap<Value> => {
  const filling = from.begin(size)
  for (let n = first; n < first + size; n++) filling.set(n, { id: n }, filling.get(n))
  return filling.finish()
}

/** How many keys are put into native maps: whoever copies one puts in each of its keys. */
const copiesOf = (run: () => void): number => {
  const set = vi.spyOn(Map.prototype, "set")
  run()
  const copies = set.mock.calls.length
  set.mockRestore()
  return copies
}

describe("KeyMap", () => {
  it("G8 agrees with a map of values, and what it was made from stays as it was", () =>
    fc.assert(
      fc.property(fc.array(change, { minLength: 20, maxLength: 100 }), (changes) => {
        let map = KeyMap.empty<Value>()
        let model = new Map<number, Value>()
        let serial = 0
        const next = (): Value => ({ id: serial++ })
        const versions: Array<readonly [KeyMap<Value>, ReadonlyMap<number, Value>]> = [[map, new Map()]]
        changes.forEach(([name, n], i) => {
          if (i % 25 === 0) versions.push([map, new Map(model)])
          if (name === "set" || name === "set many") {
            for (let m = n; m <= (name === "set" ? n : n + 40); m++) {
              const value = next()
              map = map.set(keyOf(m), value, map.get(keyOf(m)))
              model.set(m, value)
            }
          } else if (name === "delete") {
            if (model.delete(n)) map = map.delete(keyOf(n))
          } else if (name === "delete many") {
            for (let m = 4 * n; m < 5 * n; m += 5) if (model.delete(m)) map = map.delete(keyOf(m))
          } else {
            const before = new Map(model)
            const other = new Map(model)
            // another list is put in from the same map, by a transaction that ends in the middle of this one
            const meanwhile = () =>
              name === "fill at once" && versions.push([fill(map, other, n, next, () => {}), other])
            const filled = fill(map, model, n, next, meanwhile)
            agrees(map, before)
            if (name === "fill") {
              map = filled
            } else {
              versions.push([filled, model])
              model = before
            }
          }
        })
        agrees(map, model)
        for (const [version, then] of versions) agrees(version, then)
      }),
      { numRuns: 100 }
    ))

  it("G8 two lists begin from one map: neither sees anything of the other", () => {
    const map = listed(KeyMap.empty<Value>(), 0)
    const one = map.begin(40)
    const other = map.begin(40)
    for (let n = 100; n < 140; n++) other.set(n, { id: n }, undefined)
    const ended = other.finish()
    for (let n = 100; n < 140; n++) one.set(n, { id: n + 100 }, undefined)
    for (let n = 100; n < 140; n++) {
      assert.strictEqual(ended.get(n)?.id, n)
      assert.strictEqual(one.finish().get(n)?.id, n + 100)
      assert.isUndefined(map.get(n))
    }
  })

  it("G8 what a list puts in with the very next number is not there for who was before, not even in a new base", () => {
    const before = listed(KeyMap.empty<Value>(), 0)
    listed(before, 40)
    assert.isUndefined(before.get(40))
    assert.strictEqual(Array.from(before.keys()).length, 40)
    // so many changes that all goes into a new one
    let map = before
    for (let n = 200; n < 300; n++) map = map.set(n, { id: n }, undefined)
    assert.isUndefined(map.get(40))
    assert.strictEqual(Array.from(map.keys()).length, 140)
  })

  it("G8 a list has a key again that was taken out of the one before", () => {
    const before = listed(KeyMap.empty<Value>(), 0)
    const filling = before.delete(7).begin(40)
    filling.set(7, { id: 100 }, undefined)
    assert.strictEqual(filling.finish().get(7)?.id, 100)
    assert.strictEqual(before.get(7)?.id, 7)
  })

  it("G15 a change copies a few keys on average, however many there are and however often they change", () => {
    for (const size of [100, 1_000, 10_000]) {
      let map = listed(KeyMap.empty<Value>(), 0, size)
      let serial = size
      const step = (i: number) => {
        const n = (i * 7_919) % size
        if (i % 3 === 0) map = map.set(size + serial, { id: serial++ }, undefined)
        else if (i % 3 === 1) map = map.set(n, { id: serial++ }, map.get(n))
        else if (map.get(n) !== undefined) map = map.delete(n)
      }
      for (const changes of [size, 10 * size]) {
        const copies = copiesOf(() => Array.from({ length: changes }, (_, i) => i).forEach(step))
        assert.isAtMost(copies / changes, 6)
        // what has changed is in a native map again, where readers find it faster
        assert.isAtLeast(copies, size)
      }
    }
  })

  it("G15 keys that are objects are no reason to copy the others, nor to copy them later", () => {
    let map = listed(KeyMap.empty<Value>(), 0, 1_000)
    const objects = Array.from({ length: 1_000 }, (_, n) => ({ n }))
    let serial = 1_000
    const setAll = (these: ReadonlyArray<unknown>) =>
      copiesOf(() => {
        for (const one of these) map = map.set(one, { id: serial++ }, map.get(one))
      })
    assert.strictEqual(setAll([...objects, ...objects]), 0)
    for (const one of objects.slice(100)) map = map.delete(one)
    assert.isAtLeast(setAll(Array.from({ length: 1_000 }, (_, n) => n)), 1_000)
  })

  it("G15 a list costs what it is long, unless another was put into the same map: then it costs one copy more", () => {
    const before = listed(KeyMap.empty<Value>(), 0, 1_000)
    let map = before
    const copies = copiesOf(() => {
      for (let n = 1; n <= 100; n++) map = listed(map, 1_000 * n, 40)
    })
    assert.strictEqual(copies, 100 * 40)
    // a short one waits among the changes
    assert.strictEqual(copiesOf(() => listed(before, 200_000, 100)), 0)
    assert.isAtMost(copiesOf(() => listed(before, 200_000, 1_000)), 3 * 1_000)
  })
})
