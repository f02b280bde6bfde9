/**
 * Random programs of three registries whose defaults and hooks change each other, while fibers are interrupted and scopes
 * close.
 */
import { assert } from "@effect/vitest"
import { Effect, Exit, Fiber, Logger, Scope } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import { a, b, Balance, Item } from "./items.ts"

type Items = Registry.Registry<Item, readonly ["id"], any, any>

export const turns = (n: number) => Effect.forEach(Array.from({ length: n }), () => Effect.yieldNow, { discard: true })

/** The program of a seed. It dies if a lock is held at the end, hooks are not balanced, or a scope has left items. */
export const meddling = (program: number): Effect.Effect<void, unknown> =>
  Effect.scoped(Effect.gen(function*() {
    const random = randomFrom(program)
    const balances = [new Balance(), new Balance(), new Balance()]
    const registries: Array<Items> = []
    const other = (i: number) => registries[(i + 1 + random(2)) % 3]!
    let budget = 25
    const meddle = (i: number): Effect.Effect<unknown> =>
      Effect.suspend((): Effect.Effect<unknown> => {
        if (budget-- <= 0) return Effect.void
        switch (random(10)) {
          case 0:
            return Effect.exit(Registry.register(other(i), new Item(20 + random(4))))
          case 1:
            return Effect.exit(Registry.size(other(i)))
          case 2:
            return Effect.forkDetach(Effect.exit(Registry.register(registries[i]!, new Item(30 + random(4)))))
          case 3:
            return Effect.die("boom")
          case 4:
            return Effect.exit(Registry.reset(registries[i]!))
          case 5:
            return Effect.exit(Registry.reset(other(i)))
          case 6:
            return Effect.forkDetach(Effect.exit(Registry.size(registries[i]!)))
          case 7:
            return Effect.exit(
              Registry.transact(other(i), Effect.andThen(Effect.yieldNow, Registry.size(registries[i]!)))
            )
          case 8:
            return turns(6)
          default:
            return Effect.yieldNow
        }
      })
    for (const i of [0, 1, 2]) {
      const failing = Effect.suspend(() => random(2) === 0 ? Effect.fail("disk") : Effect.void)
      registries.push(
        yield* Registry.make<Item>()({
          name: `registry ${i}`,
          lookup: ["id"],
          defaults: Effect.suspend(() => turns(random(6))).pipe(
            Effect.andThen(meddle(i)),
            Effect.catchDefect(() => failing),
            Effect.as([a, b])
          ),
          hooks: RegistryHooks.combine(
            balances[i]!.hooks,
            RegistryHooks.make<Item>()({
              onItemRegistered: () => meddle(i),
              onItemUnregistered: () => random(2) === 0 ? Effect.exit(meddle(i)) : Effect.void
            })
          )
        })
      )
    }
    const scope = yield* Scope.make()
    const operation = (): Effect.Effect<unknown, unknown> => {
      const i = random(3)
      const registry = registries[i]!
      switch (random(8)) {
        case 0:
          return Registry.register(registry, new Item(random(6)))
        case 1:
          return Registry.reset(registry)
        case 2:
          return Registry.size(registry)
        case 3:
          return Registry.transact(
            registry,
            Effect.andThen(Registry.register(other(i), new Item(7)), Registry.size(other(i)))
          )
        case 4:
          return Scope.provide(Registry.registerScoped(registry, new Item(10 + random(5))), scope)
        case 5:
          return Registry.transact(
            registry,
            Effect.andThen(Registry.reset(registry), Registry.register(registry, new Item(5)))
          )
        case 6:
          return Registry.transact(registry, Registry.size(other(i)))
        default:
          return Registry.upsert(registry, new Item(1, "other"))
      }
    }
    const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
    const fork = (effect: Effect.Effect<unknown, unknown>, after: number) =>
      Effect.map(Effect.forkDetach(Effect.andThen(turns(random(after)), Effect.exit(effect))), (fiber) => {
        fibers.push(fiber)
      })
    for (let i = 0; i < 8; i++) yield* fork(operation(), 10)
    for (let i = 0; i < 6; i++) yield* fork(Fiber.interrupt(fibers[random(8)]!), 14)
    yield* fork(Scope.close(scope, Exit.void), 14)
    yield* Effect.forEach(fibers, Fiber.await)
    budget = 0
    yield* turns(100)
    for (const i of [0, 1, 2]) {
      // the lock is free
      yield* Registry.register(registries[i]!, new Item(99))
      const held = Registry.snapshotUnsafe(registries[i]!)
      assert.deepStrictEqual(balances[i]!.wrong(held), [], `registry ${i} of program ${program}`)
      for (const { id } of held) assert.isFalse(id >= 10 && id < 20, `scoped item ${id} of program ${program}`)
    }
  })).pipe(
    // populations fail often, which is logged
    Effect.provide(Logger.layer([]))
  )

/** Numbers from 0 to n - 1. */
export const randomFrom = (seed: number): (n: number) => number => {
  let state = Math.imul(seed, 2654435761) >>> 0 || 1
  return (n) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % n
  }
}
