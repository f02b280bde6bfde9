/**
 * Random programs of three registries whose hooks reconcile, override and move items between them, while fibers are
 * interrupted and scopes close.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Logger, Scope } from "effect"
import { Registry, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { Follower } from "./utils/following.ts"
import { contradictions, contradictionsIn, isLocked, isPopulating, keptChanges } from "./utils/inside.ts"
import { Balance, Item } from "./utils/items.ts"
import { randomFrom, turns } from "./utils/meddling.ts"

type Items = Registry.Registry<Item, readonly ["id", "name"], any, any>

const keysOf = ({ id, name }: Item) => ({ id: [id], name: [name] })

const upheaval = (program: number): Effect.Effect<void, unknown> =>
  Effect.scoped(Effect.gen(function*() {
    const random = randomFrom(program)
    const balances = [new Balance(), new Balance(), new Balance()]
    const registries: Array<Items> = []
    const scopes = yield* Effect.forEach([0, 1, 2], () => Scope.make())
    const one = () => registries[random(3)]!
    const item = () => new Item(random(5), `name ${random(5)}`)
    const list = () => Array.from({ length: random(4) }, (_, id) => new Item(id + random(2), `name ${id + random(2)}`))
    const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
    let budget = 20
    const inScope = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) => Scope.provide(effect, scopes[random(3)]!)
    const act = (): Effect.Effect<unknown, unknown> => {
      const registry = one()
      switch (random(14)) {
        case 0:
        case 1:
          return Registry.reconcile(registry, list())
        case 2:
        case 3:
          return inScope(Registry.override(registry, item()))
        case 4:
          return Effect.scoped(Effect.andThen(Registry.override(registry, item()), turns(random(4))))
        case 5:
          return inScope(Registry.registerScoped(registry, item()))
        case 6:
          return Registry.replace(registry, "id", random(5), item())
        case 7:
          return Registry.unregisterBy(registry, "name", `name ${random(5)}`)
        case 8:
          return Registry.transactAll(
            [registry, one()],
            Effect.andThen(act(), Effect.suspend(() => random(3) === 0 ? Effect.fail("no") : act()))
          )
        case 9:
          return Registry.transact(registry, Effect.andThen(act(), act()))
        case 10:
          return Effect.provideService(Registry.upsert(registry, item()), Registry.Owner, "owner")
        case 11:
          return Registry.unregisterOwner(registry, "owner")
        case 12:
          return Registry.reset(registry)
        default:
          return Registry.awaitItem(registry, "id", random(3)).pipe(Effect.raceFirst(turns(8)))
      }
    }
    const meddle = Effect.suspend((): Effect.Effect<unknown> => {
      if (budget-- <= 0) return Effect.void
      switch (random(6)) {
        case 0:
        case 1:
          return Effect.exit(act())
        case 2:
          return Effect.map(Effect.forkDetach(Effect.exit(act())), (fiber) => fibers.push(fiber))
        case 3:
          return random(3) === 0 ? Effect.die("boom") : Effect.yieldNow
        default:
          return turns(random(3))
      }
    })
    for (const i of [0, 1, 2]) {
      registries.push(
        yield* Registry.make<Item>()({
          name: `registry ${i}`,
          lookup: ["id", "name"],
          history: 10_000,
          defaults: Effect.suspend(() => Effect.as(turns(random(4)), list())),
          hooks: RegistryHooks.combine(
            balances[i]!.hooks,
            RegistryHooks.make<Item>()({
              onItemRegistering: () => meddle,
              onItemRegistered: () => meddle,
              onItemUnregistering: () => meddle,
              onItemUnregistered: () => random(2) === 0 ? Effect.exit(meddle) : Effect.void
            })
          )
        })
      )
    }
    const fork = (effect: Effect.Effect<unknown, unknown>, after: number) =>
      Effect.map(Effect.forkDetach(Effect.andThen(turns(random(after)), Effect.exit(effect))), (fiber) => {
        fibers.push(fiber)
      })
    for (let i = 0; i < 7; i++) yield* fork(act(), 10)
    for (let i = 0; i < 4; i++) yield* fork(Fiber.interrupt(fibers[random(7)]!), 14)
    yield* fork(Scope.close(scopes[0]!, Exit.void), 14)
    // fibers may fork more fibers
    for (const fiber of fibers) yield* Fiber.await(fiber)
    yield* Effect.forEach(scopes, (scope) => Effect.exit(Scope.close(scope, Exit.void)))
    for (const fiber of fibers) yield* Fiber.await(fiber)
    // an abandoned population rolls back on a fiber of its own
    const isBusy = (registry: Items) => isLocked(registry) || isPopulating(registry)
    for (let idle = 0; idle < 10; idle = registries.some(isBusy) ? 0 : idle + 1) yield* turns(10)
    budget = 0
    for (const i of [0, 1, 2]) {
      const registry = registries[i]!
      const what = `registry ${i} of program ${program}`
      assert.deepStrictEqual(contradictions(registry), [], what)
      const held = Registry.snapshotUnsafe(registry)
      assert.deepStrictEqual(balances[i]!.wrong(held), [], what)
      const follower = new Follower<Item>([], 0, keysOf)
      const changes = keptChanges(registry)
      assert.strictEqual(changes.length, RegistrySnapshot.revision(held))
      // a snapshot is made from the one of the next change: of any first
      if (changes.length > 0) {
        assert.deepStrictEqual(contradictionsIn(changes[random(changes.length)]!.snapshot), [], what)
      }
      for (const change of changes) {
        follower.apply(change)
        assert.deepStrictEqual([...change.snapshot], follower.list, what)
        assert.deepStrictEqual(contradictionsIn(change.snapshot), [], what)
      }
      assert.deepStrictEqual(follower.list, [...held], what)
      assert.deepStrictEqual(follower.lost, [], what)
      // the lock is free
      yield* Effect.exit(Registry.reconcile(registry, [new Item(99)]))
      assert.isFalse(isLocked(registry), what)
    }
  })).pipe(Effect.provide(Logger.layer([])))

describe("random programs", () => {
  it.effect("G7 G16 G20 G22 G24 reconcile, override and transactAll: locks, hooks, followers and indexes agree", () =>
    Effect.forEach(
      Array.from({ length: 150 }, (_, program) => program),
      (program) => RegistryTest.interleave(upheaval(program), { seeds: [program] }),
      { discard: true }
    ))
})
