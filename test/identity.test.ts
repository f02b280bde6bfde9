import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { Entry } from "../src/internal/store/contents.ts"
import { Identity } from "../src/internal/store/identity.ts"
import * as Order from "../src/internal/store/order.ts"

interface Thing {
  readonly n: number
}

interface Version {
  readonly identity: Identity<Thing>
  readonly order: Order.Order<Entry<Thing>>
  readonly live: ReadonlyMap<Thing, Entry<Thing>>
}

const count = 60

/** What is done, to which things, and how many versions ago it begins: what came after that is given up. */
const change = fc.record({
  name: fc.constantFrom("add", "add", "remove", "list", "listLater", "find"),
  n: fc.nat(count - 1),
  width: fc.nat(30),
  back: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(5) })
})

/** A list that was given up has an object that came otherwise instead: what is next forgotten is not that. */
const givenUp = [
  { name: "list", n: 0, width: 3, back: 0 },
  { name: "add", n: 0, width: 0, back: 1 },
  { name: "listLater", n: 0, width: 0, back: 0 }
]

describe("Identity", () => {
  it("G9 finds what is in, in every version, however it came, and though drafts were given up", () =>
    fc.assert(
      fc.property(fc.array(change, { maxLength: 80 }), (changes) => {
        const things = Array.from({ length: count }, (_, n): Thing => ({ n }))
        let serial = 0
        const entryOf = (item: Thing): Entry<Thing> => {
          serial++
          const origin = { owner: "", revision: 1, override: false }
          return { item, position: serial, keys: [], serial, ownEquality: false, origin }
        }
        const agrees = ({ identity, live, order }: Version) => {
          for (const thing of things) assert.strictEqual(identity.find(order, thing), live.get(thing))
        }
        const versions: Array<Version> = [{ identity: Identity.empty(), order: undefined, live: new Map() }]
        for (const { back, n, name, width } of changes) {
          const version = versions[Math.max(versions.length - 1 - back, 0)]!
          const { identity, order } = version
          const live = new Map(version.live)
          const thing = things[n]!
          const there = live.get(thing)
          if (name === "find") {
            agrees(version)
          } else if (name === "remove" && there !== undefined) {
            live.delete(thing)
            versions.push({ identity: identity.remove(there), order: Order.remove(order, there.position), live })
          } else if (name === "add" && there === undefined) {
            const entry = entryOf(thing)
            live.set(thing, entry)
            versions.push({ identity: identity.add(entry), order: Order.set(order, entry), live })
          } else if (name === "list" || name === "listLater") {
            const entries = things.slice(n, n + width).filter((one) => !live.has(one)).map(entryOf)
            const filled = identity.begin(live.size, (entry) => Order.get(order, entry.position) === entry)
            for (const entry of entries) live.set(entry.item, entry)
            if (name === "listLater") filled.listLater(entries)
            else for (const entry of entries) filled.list(entry)
            versions.push({ identity: filled, order: Order.append(order, entries), live })
          }
        }
        versions.forEach(agrees)
      }),
      { numRuns: 500, examples: [[givenUp]] }
    ))

  it("keeps nothing of a list for long that is gone", () => {
    let identity = Identity.empty<Thing>()
    for (let round = 0; round < 100; round++) {
      identity = identity.begin(0, () => false)
      const origin = { owner: "", revision: 1, override: false }
      for (let n = 0; n < 50; n++) {
        identity.list({ item: { n }, position: n, keys: [], serial: round * 50 + n, ownEquality: false, origin })
      }
    }
    assert.isAtMost((identity as unknown as { readonly listed: ReadonlyMap<unknown, unknown> }).listed.size, 100)
  })
})
