import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Registry, RegistrySnapshot } from "effect-registry"
import * as fc from "fast-check"
import { kept } from "./utils/collecting.ts"

interface Thing {
  n: number
}

const count = 120

/** Lists are longer and shorter than 32, from where on they are inserted in another way. */
const step = fc.record({
  name: fc.constantFrom("add", "add", "remove", "remove", "list", "change", "change"),
  n: fc.nat(count - 1),
  width: fc.nat(60)
})

/** Transactions, of which some fail. */
const program = fc.array(
  fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 5 }),
    commits: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) })
  }),
  { maxLength: 20 }
)

describe("registered objects", () => {
  it("G9 are found though their keys have changed, registered in lists or one by one, after transactions that failed", () =>
    fc.assert(
      fc.asyncProperty(program, (transactions) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          const registry = yield* Registry.make<Thing>()({ lookup: ["n"] })
          const things = Array.from({ length: count }, (_, n): Thing => ({ n }))
          const changed = new Set<Thing>()
          let key = count
          const agrees = (live: ReadonlySet<Thing>) =>
            Effect.gen(function*() {
              for (const thing of things) {
                assert.strictEqual(yield* Registry.contains(registry, thing), live.has(thing))
              }
            })
          let live: ReadonlySet<Thing> = new Set()
          const snapshots = [{ snapshot: yield* Registry.snapshot(registry), live }]
          for (const { commits, steps } of transactions) {
            const draft = new Set(live)
            const transaction = Effect.gen(function*() {
              for (const { n, name, width } of steps) {
                const thing = things[n]!
                if (name === "change") {
                  // a key that was never used
                  thing.n = key++
                  changed.add(thing)
                } else if (name === "list") {
                  const list = things.slice(n, n + width).filter((one) => !draft.has(one))
                  yield* Registry.registerAll(registry, list)
                  for (const one of list) draft.add(one)
                } else if (name === "add" && !draft.has(thing)) {
                  yield* Registry.register(registry, thing)
                  draft.add(thing)
                } else if (name === "remove" && draft.has(thing)) {
                  yield* Registry.unregister(registry, thing)
                  draft.delete(thing)
                }
              }
              yield* agrees(draft)
              if (!commits) yield* Effect.fail("given up")
            })
            yield* Effect.exit(Registry.transact(registry, transaction)).pipe(
              Effect.tap((exit) =>
                Effect.sync(() => assert.strictEqual(exit._tag === "Success", commits, String(exit)))
              )
            )
            if (commits) live = draft
            yield* agrees(live)
            snapshots.push({ snapshot: yield* Registry.snapshot(registry), live })
          }
          for (const then of snapshots) {
            for (const thing of things) {
              // an old snapshot may look for a changed object by its present keys
              if (changed.has(thing)) continue
              assert.strictEqual(RegistrySnapshot.contains(then.snapshot, thing), then.live.has(thing))
            }
          }
        })))),
      { numRuns: 150 }
    ))

  it.effect("can be collected after they were unregistered", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Thing>()({ lookup: ["n"], history: 0 })
      const listed: Array<WeakRef<Thing>> = []
      const single: Array<WeakRef<Thing>> = []
      for (let round = 0; round < 100; round++) {
        const list = Array.from({ length: 50 }, (_, n): Thing => ({ n: 50 * round + n }))
        listed.push(...list.map((thing) => new WeakRef(thing)))
        yield* Registry.registerAll(registry, list)
        const one = { n: -1 - round }
        single.push(new WeakRef(one))
        yield* Registry.register(registry, one)
        assert.isTrue(yield* Registry.contains(registry, list[0]!))
        yield* Registry.reconcile(registry, [])
      }
      // a list may stay until the next one is registered
      assert.isAtMost(yield* kept(listed), 2 * 50)
      assert.isAtMost(yield* kept(single), 2)
    }))
})
