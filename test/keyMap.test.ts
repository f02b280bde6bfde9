import { assert, describe, it } from "@effect/vitest"
import { Equal } from "effect"
import * as fc from "fast-check"
import { KeyMap } from "../src/internal/keyMap.ts"

const keyOf = (n: number): unknown => n % 3 === 0 ? n : n % 3 === 1 ? `${n}` : { n, nested: [n] }

/** Enough keys that bases are made anew now and then. */
const key = fc.nat(120)

const change = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant("set" as const), key) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("delete" as const), key) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("fill" as const), fc.nat(80)) }
)

interface Private {
  readonly objects: number
  readonly changed: number
  readonly changes: Iterable<readonly [unknown, unknown]>
}

const agrees = (map: KeyMap<number>, model: ReadonlyMap<number, number>): void => {
  for (let n = 0; n <= 200; n++) assert.strictEqual(map.get(keyOf(n)), model.get(n))
  const keys = Array.from(map.keys())
  assert.strictEqual(keys.length, model.size)
  for (const n of model.keys()) assert.isTrue(keys.some((one) => Equal.equals(one, keyOf(n))))
  const { changed, changes, objects } = map as unknown as Private
  assert.strictEqual(Array.from(changes).length, changed)
  assert.strictEqual(Array.from(changes).filter(([one]) => typeof one === "object").length, objects)
}

describe("KeyMap", () => {
  it("G8 agrees with a map of numbers, and what it was made from stays as it was", () =>
    fc.assert(fc.property(fc.array(change, { maxLength: 150 }), (changes) => {
      let map = KeyMap.empty<number>()
      const model = new Map<number, number>()
      const versions: Array<readonly [KeyMap<number>, ReadonlyMap<number, number>]> = []
      changes.forEach(([name, n], i) => {
        if (i % 25 === 0) versions.push([map, new Map(model)])
        if (name === "set") {
          map = map.set(keyOf(n), i)
          model.set(n, i)
        } else if (name === "delete") {
          if (model.delete(n)) map = map.delete(keyOf(n))
        } else {
          const before = new Map(model)
          const filling = map.begin(n)
          for (let added = n; added < 2 * n; added++) {
            assert.strictEqual(filling.set(keyOf(added), i), filling)
            model.set(added, i)
          }
          agrees(map, before)
          map = filling.finish()
        }
      })
      agrees(map, model)
      for (const [version, then] of versions) agrees(version, then)
    })))
})
