import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Latch, Layer, Ref, Schema, Scope, Stream } from "effect"
import { Registry, RegistryError, type RegistryEvent, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { coreOf } from "../src/testing/invariants.ts"
import { Follower } from "./utils/following.ts"
import { a, b, Balance, c, d, defectOf, Item, messageOf } from "./utils/items.ts"

const lookup = ["id", "name"] as const

type Items = Registry.Registry<Item, typeof lookup>

const make = Registry.make<Item>()({ name: "items", lookup })

const keysOf = ({ id, name }: Item) => ({ id: [id], name: [name] })

const ids = (list: Iterable<Item>) => Array.from(list, ({ id }) => id).join()

/** How many wait for a change, and how many follow them. */
const watchers = (registry: unknown) => {
  const inside = coreOf(registry as Items).watchers as unknown as {
    readonly waiting: ReadonlySet<unknown>
    readonly subscribers: ReadonlySet<unknown>
  }
  return [inside.waiting.size, inside.subscribers.size]
}

const tags = ({ events }: RegistryEvent.RegistryChange<unknown>) => events.map(({ _tag }) => _tag).join()

describe("awaitItem", () => {
  it.effect("answers at once with what is there", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a] })
      assert.strictEqual(yield* Registry.awaitItem(registry, "id", 1), a)
      assert.strictEqual(yield* registry.pipe(Registry.awaitItem("name", "item 1")), a)
      assert.deepStrictEqual(watchers(registry), [0, 0])
    }))

  it.effect("G16 no false alarm: what outlives its transaction waits outside, or answers from what is published, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* make
        yield* Registry.registerAll(registry, [a, b])
        const forked: Array<Fiber.Fiber<Item>> = []
        const late = (id: number) => Effect.forkDetach(Registry.awaitItem(registry, "id", id))
        yield* Effect.ignore(Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.unregister(registry, a)
            forked.push(yield* late(1), yield* late(2))
            return yield* Effect.fail("no")
          })
        ))
        const found = yield* Effect.forEach(forked, (fiber) => Fiber.await(fiber))
        for (const [index, exit] of found.entries()) {
          if (Exit.isSuccess(exit)) assert.strictEqual(exit.value, [a, b][index])
          // it looked while the transaction was open
          else assert.match(messageOf(exit), /^Deadlock/)
        }
      })),
      { seeds: 300 }
    ))
})
