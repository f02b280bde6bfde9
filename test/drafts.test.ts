/**
 * What was seen of a draft stays right when the draft is given up.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { Registry, RegistrySnapshot } from "effect-registry"
import { Item } from "./utils/items.ts"

type Items = Registry.Registry<Item, readonly ["id"]>

/** Long enough to be put into the index of the contents before. */
const list = (from: number) => Array.from({ length: 100 }, (_, i) => new Item(from + i))

const failing = <A, E, R>(registry: Items, effect: Effect.Effect<A, E, R>) =>
  Effect.exit(Registry.transact(registry, Effect.andThen(effect, Effect.fail("no"))))

/** Each takes a snapshot at some time in a transaction that fails. */
const programs: Record<string, (registry: Items, take: Effect.Effect<void>) => Effect.Effect<unknown, unknown>> = {
  "in a transaction": (registry, take) =>
    failing(registry, Effect.andThen(Registry.registerAll(registry, list(0)), take)),
  "in a transaction of several registries": (registry, take) =>
    Effect.exit(Registry.transactAll(
      [registry],
      Effect.andThen(Effect.andThen(Registry.registerAll(registry, list(0)), take), Effect.fail("no"))
    )),
  "in a nested transaction that succeeds, before the outer one fails": (registry, take) =>
    failing(
      registry,
      Registry.transact(registry, Effect.andThen(Registry.registerAll(registry, list(0)), take))
    ),
  "in a nested transaction that fails, with what the outer one put in": (registry, take) =>
    failing(
      registry,
      Effect.andThen(
        Registry.registerAll(registry, list(0)),
        failing(registry, Effect.andThen(Registry.registerAll(registry, list(100)), take))
      )
    ),
  "in a nested transaction that fails, and is tried again with the same keys": (registry, take) =>
    failing(
      registry,
      Effect.andThen(
        failing(registry, Effect.andThen(Registry.registerAll(registry, list(0)), take)),
        failing(registry, Registry.registerAll(registry, list(0)))
      )
    ),
  "in a nested transaction that fails, before a list with the same keys is refused": (registry, take) =>
    failing(
      registry,
      Effect.andThen(
        failing(registry, Effect.andThen(Registry.registerAll(registry, list(0)), take)),
        Effect.exit(Registry.registerAll(registry, [...list(0), new Item(0, "twin")]))
      )
    ),
  "in a hook, while a nested transaction is undone": (registry, take) =>
    failing(
      registry,
      Effect.andThen(
        Registry.registerAll(registry, list(0)),
        Effect.scoped(Effect.andThen(
          Registry.addHooks(registry, { onItemRegistered: () => Effect.yieldNow, onItemUnregistered: () => take }),
          failing(registry, Registry.register(registry, new Item(-1)))
        ))
      )
    )
}

type Snapshot = RegistrySnapshot.RegistrySnapshot<Item, readonly ["id"]>

const ways: Record<string, (registry: Items) => Effect.Effect<Snapshot>> = {
  "by snapshot": Registry.snapshot,
  "by snapshots": (registry) =>
    Effect.orDie(Effect.flatMap(Stream.runHead(Registry.snapshots(registry)), Effect.fromOption))
}

describe("snapshots of drafts", () => {
  for (const [name, program] of Object.entries(programs)) {
    it.effect.each(Object.entries(ways))(
      `G8 one that was taken ${name}, %s, finds all its items by their keys`,
      ([, take]) =>
        Effect.gen(function*() {
          const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
          yield* Registry.registerAll(registry, list(1_000))
          let taken = yield* Registry.snapshot(registry)
          yield* program(
            registry,
            Effect.map(take(registry), (snapshot) => {
              taken = snapshot
            })
          )
          assert.strictEqual(yield* Registry.size(registry), 100)
          assert.isAtLeast(RegistrySnapshot.size(taken), 200)
          for (const item of taken) {
            assert.deepStrictEqual(RegistrySnapshot.get(taken, "id", item.id), Option.some(item))
          }
        })
    )
  }
})
