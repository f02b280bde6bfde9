import { assert, describe, it } from "@effect/vitest"
import { Equal } from "effect"
import { RegistryEvent } from "effect-registry"
import { inspect } from "node:util"
import { Change, type Step } from "../src/internal/engine/change.ts"
import type { Entry } from "../src/internal/store/contents.ts"

const entry = (item: string): Entry<string> => ({
  item,
  position: 0,
  keys: [],
  origin: { owner: "", revision: 1, override: false },
  serial: 0,
  ownEquality: false
})

describe("RegistryEvent", () => {
  const events: ReadonlyArray<RegistryEvent.RegistryEvent<string>> = [
    RegistryEvent.Registered({ item: "a", position: 0 }),
    RegistryEvent.Unregistered({ item: "a" }),
    RegistryEvent.Replaced({ previous: "a", item: "b" }),
    RegistryEvent.Populated({ size: 2 }),
    RegistryEvent.Reset()
  ]

  it("constructors carry a tag and what happened", () => {
    assert.deepStrictEqual(events.map((event) => ({ ...event })), [
      { _tag: "Registered", item: "a", position: 0 },
      { _tag: "Unregistered", item: "a" },
      { _tag: "Replaced", previous: "a", item: "b" },
      { _tag: "Populated", size: 2 },
      { _tag: "Reset" }
    ])
    assert.isTrue(
      Equal.equals(
        RegistryEvent.Replaced({ previous: "a", item: "b" }),
        RegistryEvent.Replaced({ previous: "a", item: "b" })
      )
    )
  })

  it("match handles an event by its tag, data-first and data-last", () => {
    const cases = {
      Registered: ({ item, position }: { readonly item: string; readonly position: number }) => `+${item}@${position}`,
      Unregistered: ({ item }: { readonly item: string }) => `-${item}`,
      Replaced: ({ item, previous }: { readonly item: string; readonly previous: string }) => `${previous}>${item}`,
      Populated: ({ size }: { readonly size: number }) => `=${size}`,
      Reset: () => "0"
    }
    const told = ["+a@0", "-a", "a>b", "=2", "0"]
    assert.deepStrictEqual(events.map((event) => RegistryEvent.match(event, cases)), told)
    assert.deepStrictEqual(events.map(RegistryEvent.match(cases)), told)
  })

  it("is tells events apart by their tag", () => {
    for (const [i, tag] of (["Registered", "Unregistered", "Replaced", "Populated", "Reset"] as const).entries()) {
      assert.deepStrictEqual(events.map((event) => RegistryEvent.is(tag)(event)), events.map((_, j) => i === j))
    }
    for (const other of [null, undefined, 5, {}, { _tag: "Other" }]) {
      assert.isFalse(RegistryEvent.is("Reset")(other))
    }
  })

  it("a change is shown, and written as JSON, as what its type says", () => {
    const change = new Change(3, [{ _tag: "Inserted", entries: [entry("a")], position: 0 }])
    const shown = "{ revision: 3, events: [ { item: 'a', position: 0, _tag: 'Registered' } ] }"
    assert.strictEqual(inspect(change, { breakLength: Number.POSITIVE_INFINITY }), shown)
    assert.deepStrictEqual(JSON.parse(JSON.stringify(change)), {
      revision: 3,
      events: [{ _tag: "Registered", item: "a", position: 0 }]
    })
  })

  it("G22 a change tells what happened item by item, in order", () => {
    const steps: ReadonlyArray<Step<string>> = [
      { _tag: "Inserted", entries: ["a", "b", "c"].map(entry), position: 4 },
      { _tag: "Populated", size: 7 },
      { _tag: "Swapped", previous: entry("b"), entry: entry("d") },
      { _tag: "Inserted", entries: [], position: 7 },
      { _tag: "Removed", entries: ["c", "d"].map(entry) },
      { _tag: "Reset" }
    ]
    const change = new Change(3, steps)
    assert.strictEqual(change.revision, 3)
    assert.deepStrictEqual(change.events, [
      RegistryEvent.Registered({ item: "a", position: 4 }),
      RegistryEvent.Registered({ item: "b", position: 5 }),
      RegistryEvent.Registered({ item: "c", position: 6 }),
      RegistryEvent.Populated({ size: 7 }),
      RegistryEvent.Replaced({ previous: "b", item: "d" }),
      RegistryEvent.Unregistered({ item: "c" }),
      RegistryEvent.Unregistered({ item: "d" }),
      RegistryEvent.Reset()
    ])
  })

  it("the events of a change are built when they are first read, once, and frozen", () => {
    let read = 0
    const change = new Change(1, [{
      _tag: "Removed",
      get entries() {
        read++
        return [entry("a")]
      }
    }])
    assert.strictEqual(read, 0)
    assert.strictEqual(change.events, change.events)
    assert.strictEqual(read, 1)
    assert.isTrue(Object.isFrozen(change.events))
    assert.deepStrictEqual(new Change(1, []).events, [])
  })
})
