import { assert, describe, it, vi } from "@effect/vitest"
import { HashSet } from "effect"
import * as fc from "fast-check"
import { KeyMap } from "../src/internal/store/keyMap.ts"

const keyOf = (n: number): unknown => n % 3 === 0 ? n : n % 3 === 1 ? `${n}` : { n, nested: [n] }

/** Enough keys that the native map is copied now and then. */
const key = fc.nat(120)

/** All keys that are ever set. */
const keys = Array.from({ length: 410 }, (_, n) => n)

/** Lengths of lists, mostly long, and often the same, so that their keys coincide. */
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

/** Sets a list of keys in place, some new and some existing, and finishes it. All values are new. */
const fill = (
  map: KeyMap<Value>,
  model: Map<number, Value>,
  n: number,
  next: () => Value,
  meanwhile: () => void
): KeyMap<Value> => {
  const filling = map.begin(n)
  // most keys of short lists exist, and few of long ones
  for (let added = 4 * n; added < 5 * n; added++) {
    if (added === 4 * n + n % 3) meanwhile()
    const value = next()
    assert.strictEqual(filling.set(keyOf(added), value, filling.get(keyOf(added))), filling)
    model.set(added, value)
    // the list changes a key that it has set
    if (added % 7 === 0) {
      model.set(4 * n, next())
      filling.set(keyOf(4 * n), model.get(4 * n)!, filling.get(keyOf(4 * n)))
    }
  }
  for (const m of keys) assert.strictEqual(filling.get(keyOf(m)), model.get(m))
  return filling.finish()
}

/** A map with a list of numbers as keys, from the first on. */
const listed = (from: KeyMap<Value>, first: number, size = 40): KeyMap<Value> => {
  const filling = from.begin(size)
  for (let n = first; n < first + size; n++) filling.set(n, { id: n }, filling.get(n))
  return filling.finish()
}

/** The native map in a map, which later versions share. */
const base = (map: KeyMap<Value>) => (map as unknown as { readonly base: ReadonlyMap<unknown, Value> }).base

const kept = (map: KeyMap<Value>): number => base(map).size

/** How many keys are set in native maps. Copying a map sets each of its keys. */
const copiesOf = (run: () => void): number => {
  const set = vi.spyOn(Map.prototype, "set")
  run()
  const copies = set.mock.calls.length
  set.mockRestore()
  return copies
}

describe("KeyMap", () => {
  it("G8 agrees with a map by value, and so does every earlier version", () =>
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
            // another transaction, which ends in the middle of this one, sets a list from the same version
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

  it("G8 two lists that begin from one version do not see each other", () => {
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

  it("G8 an earlier version does not see a list with the very next serial numbers, not even after a copy", () => {
    const before = listed(KeyMap.empty<Value>(), 0)
    listed(before, 40)
    assert.isUndefined(before.get(40))
    assert.strictEqual(Array.from(before.keys()).length, 40)
    // enough changes to copy the native map
    let map = before
    for (let n = 200; n < 300; n++) map = map.set(n, { id: n }, undefined)
    assert.isUndefined(map.get(40))
    assert.strictEqual(Array.from(map.keys()).length, 140)
  })

  it("G8 a list can set a key again that was deleted", () => {
    const before = listed(KeyMap.empty<Value>(), 0)
    const filling = before.delete(7).begin(40)
    filling.set(7, { id: 100 }, undefined)
    assert.strictEqual(filling.finish().get(7)?.id, 100)
    assert.strictEqual(before.get(7)?.id, 7)
  })

  it("G10 keeps nothing of a list that was given up", () => {
    const before = listed(KeyMap.empty<Value>(), 0, 100)
    const filling = before.begin(50)
    for (let n = 100; n < 150; n++) filling.set(n, { id: n }, undefined)
    assert.strictEqual(kept(before), 150)
    for (let n = 100; n < 150; n++) before.forget(n, n)
    // what is its own stays
    before.forget(7, 100)
    assert.strictEqual(kept(before), 100)
  })

  it("G10 keeps nothing of what was removed when it has been tidied, unless that would cost a lot", () => {
    for (const [count, left] of [[200, 800], [20, 1_000]] as const) {
      let map = listed(KeyMap.empty<Value>(), 0, 1_000)
      for (let n = 0; n < count; n++) map = map.delete(n)
      assert.strictEqual(kept(map), 1_000)
      assert.strictEqual(kept(map.tidy(count)), left)
    }
  })

  it("G10 keeps what was removed no longer than a number of changes, whatever they are", () => {
    let map = listed(KeyMap.empty<Value>(), 0, 1_000).delete(0)
    assert.strictEqual(kept(map), 1_000)
    for (let id = 1_000; id < 1_300; id++) map = map.set(-1, { id }, map.get(-1))
    assert.strictEqual(map.get(-1)?.id, 1_299)
    assert.isAtMost(kept(map), 1_000)
    assert.isFalse(base(map).has(0))
  })

  it("G15 a change copies a few keys on average, in small and large maps, after few and many changes", () => {
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
        // changes end in a native map, which is faster to read
        assert.isAtLeast(copies, size)
      }
    }
  })

  it("G15 keys that are objects neither cause nor delay a copy of the others", () => {
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

  it("G15 a list costs its own length, or one copy more if another list was set from the same version", () => {
    const before = listed(KeyMap.empty<Value>(), 0, 1_000)
    let map = before
    const copies = copiesOf(() => {
      for (let n = 1; n <= 100; n++) map = listed(map, 1_000 * n, 40)
    })
    assert.strictEqual(copies, 100 * 40)
    // a short list is kept as changes
    assert.strictEqual(copiesOf(() => listed(before, 200_000, 100)), 0)
    assert.isAtMost(copiesOf(() => listed(before, 200_000, 1_000)), 3 * 1_000)
  })
})
