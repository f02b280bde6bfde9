/**
 * Interrupting an operation ends it, though something that it began never ends by itself.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Latch, Scope } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { isLocked, waitingForLock } from "./utils/inside.ts"
import { a, b, Balance, c, d, Item } from "./utils/items.ts"

type Items = Registry.Registry<Item, readonly ["id"]>

/** What is registered with such an id stays in its hook for ever. */
const isStuck = ({ id }: Item): boolean => id >= 90

const stuck = new Item(90)

class World {
  readonly one: Items
  readonly two: Items
  readonly balances: readonly [Balance, Balance]
  /** Opened when a hook of the registry is stuck. */
  private readonly inHook: ReadonlyMap<Items, Latch.Latch>
  private readonly fibers: Array<Fiber.Fiber<unknown, unknown>> = []

  constructor(
    one: Items,
    two: Items,
    balances: readonly [Balance, Balance],
    latches: readonly [Latch.Latch, Latch.Latch]
  ) {
    this.one = one
    this.two = two
    this.balances = balances
    this.inHook = new Map([[one, latches[0]], [two, latches[1]]])
  }

  /** Begins something in a fiber of its own, which nobody else interrupts. */
  readonly begin = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<void> =>
    Effect.uninterruptible(Effect.map(Effect.forkDetach(effect, { startImmediately: true }), (fiber) => {
      this.fibers.push(fiber)
    }))

  /** Begins something that registers what is stuck in a registry, and goes on when it is. */
  readonly beginStuck = <A, E>(registry: Items, effect: Effect.Effect<A, E>): Effect.Effect<void> =>
    Effect.andThen(this.begin(effect), this.stuckIn(registry))

  readonly stuckIn = (registry: Items): Effect.Effect<void> => Effect.asVoid(this.inHook.get(registry)!.await)

  /** All that was begun ends. */
  get ended(): Effect.Effect<ReadonlyArray<Exit.Exit<unknown, unknown>>> {
    return Fiber.awaitAll(this.fibers)
  }
}

const makeWorld = Effect.gen(function*() {
  const latches = [yield* Latch.make(), yield* Latch.make()] as const
  const balances = [new Balance(), new Balance()] as const
  const make = (name: string, which: 0 | 1): Effect.Effect<Items, never, Scope.Scope> =>
    Registry.make<Item>()({
      name,
      lookup: ["id"],
      hooks: RegistryHooks.combine(
        balances[which].hooks,
        RegistryHooks.make<Item>()({
          onItemRegistered: (item) => isStuck(item) ? Effect.andThen(latches[which].open, Effect.never) : Effect.void
        })
      )
    })
  const world = new World(yield* make("one", 0), yield* make("two", 1), balances, latches)
  yield* Registry.register(world.one, d)
  yield* Registry.register(world.two, d)
  return world
})

const isInterrupted = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause)

/** All has ended that was begun, the fiber that was stuck is interrupted, and both registries are as they were. */
const assertUndone = (world: World) =>
  Effect.gen(function*() {
    assert.isTrue((yield* world.ended).some(isInterrupted))
    for (const [i, registry] of [world.one, world.two].entries()) {
      assert.deepStrictEqual([isLocked(registry), waitingForLock(registry)], [false, 0])
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [d])
      assert.deepStrictEqual(world.balances[i]!.wrong([d]), [])
      yield* Registry.register(registry, c)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [d, c])
    }
  })

/** Interrupts an operation when something that it began is stuck in a registry: it ends, and is undone. */
const endsUndone = (operation: (world: World) => Effect.Effect<unknown, unknown>, which: "one" | "two" = "one") =>
  RegistryTest.interleave(
    Effect.scoped(Effect.gen(function*() {
      const world = yield* makeWorld
      const fiber = yield* Effect.forkChild(operation(world))
      yield* world.stuckIn(world[which])
      yield* Fiber.interrupt(fiber)
      assert.isTrue(isInterrupted(yield* Fiber.await(fiber)))
      yield* assertUndone(world)
    })),
    { seeds: 150 }
  )

/** As many transactions of a registry, one in the other. */
const nested = <A, E>(registry: Items, depth: number, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  depth === 0 ? effect : Registry.transact(registry, nested(registry, depth - 1, effect))

describe("G7 G13 interrupting a transaction, of which a child is in a hook that never ends, undoes it", () => {
  for (const depth of [0, 1, 3]) {
    it.effect(`the child is ${depth} transactions further in`, () =>
      endsUndone(({ beginStuck, one }) =>
        Registry.transact(
          one,
          Effect.gen(function*() {
            yield* Registry.register(one, a)
            yield* beginStuck(one, nested(one, depth, Registry.register(one, stuck)))
            return yield* Effect.never
          })
        )
      ))
  }

  for (const depth of [1, 2, 4]) {
    it.effect(`the child has a child, and so on, ${depth} in all, and each transaction waits for the next`, () => {
      const going = ({ beginStuck, one }: World, rest: number): Effect.Effect<void, unknown> =>
        rest === 0 ? Registry.register(one, stuck) : Registry.transact(
          one,
          Effect.andThen(
            Registry.register(one, new Item(10 + rest)),
            Effect.suspend(() => beginStuck(one, going({ beginStuck, one } as World, rest - 1)))
          )
        )
      return endsUndone((world) =>
        Registry.transact(world.one, Effect.andThen(world.begin(going(world, depth)), Effect.never))
      )
    })
  }

  it.effect("the body has succeeded, and waits for the child", () =>
    endsUndone(({ beginStuck, one }) =>
      Registry.transact(
        one,
        Effect.andThen(Registry.register(one, a), beginStuck(one, Registry.register(one, stuck)))
      )
    ))

  it.effect("the body has failed, and waits for the child: both are in the cause", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const world = yield* makeWorld
        const { beginStuck, one, stuckIn } = world
        const failing = yield* Latch.make()
        const fiber = yield* Effect.forkChild(Registry.transact(
          one,
          Registry.register(one, a).pipe(
            Effect.andThen(beginStuck(one, Registry.register(one, stuck))),
            Effect.andThen(failing.open),
            Effect.andThen(Effect.fail("no"))
          )
        ))
        yield* stuckIn(one)
        yield* failing.await
        assert.isUndefined(fiber.pollUnsafe())
        yield* Fiber.interrupt(fiber)
        const exit = yield* Fiber.await(fiber)
        assert.isTrue(isInterrupted(exit))
        // it may be interrupted just before it fails
        const failed = Exit.isFailure(exit) && exit.cause.reasons.some(Cause.isFailReason)
        if (failed) assert.strictEqual(Cause.squash(exit.cause), "no")
        yield* assertUndone(world)
      })),
      { seeds: 150 }
    ))

  it.effect("more children wait behind the one", () =>
    endsUndone(({ begin, beginStuck, one }) =>
      Registry.transact(
        one,
        Effect.gen(function*() {
          yield* beginStuck(one, Registry.register(one, stuck))
          // those that have their turn when the transaction has ended change nothing outside of it, either
          yield* begin(Registry.register(one, d))
          yield* begin(Registry.transact(one, Registry.transact(one, Registry.values(one))))
          yield* begin(Registry.reconcile(one, [d]))
          return yield* Effect.never
        })
      )
    ))

  it.effect("others that would be stuck wait behind the one, and never begin", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld
      const { begin, beginStuck, one } = world
      const begun = yield* Latch.make()
      const fiber = yield* Effect.forkChild(Registry.transact(
        one,
        Effect.gen(function*() {
          yield* beginStuck(one, Registry.register(one, stuck))
          yield* begin(Registry.register(one, new Item(91)))
          yield* begin(Registry.transact(one, Registry.register(one, new Item(92))))
          yield* begun.open
          return yield* Effect.never
        })
      ))
      yield* begun.await
      yield* Fiber.interrupt(fiber)
      yield* assertUndone(world)
    }))

  it.effect("the body itself waits behind it", () =>
    endsUndone(({ beginStuck, one }) =>
      Registry.transact(
        one,
        Effect.andThen(beginStuck(one, Registry.register(one, stuck)), Registry.register(one, a))
      )
    ))

  it.effect("the child is in a transaction of another registry in it", () =>
    endsUndone(({ beginStuck, one, two }) =>
      Registry.transact(
        one,
        Effect.andThen(
          beginStuck(
            one,
            Registry.transact(two, Effect.andThen(Registry.register(two, a), Registry.register(one, stuck)))
          ),
          Effect.never
        )
      )
    ))

  it.effect("the child populates, after a reset", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const inDefaults = yield* Latch.make()
        let runs = 0
        const registry: Items = yield* Registry.make<Item>()({
          lookup: ["id"],
          populationFailure: "die",
          defaults: Effect.suspend(() =>
            ++runs === 2 ? Effect.andThen(inDefaults.open, Effect.never) : Effect.succeed([a])
          )
        })
        yield* Registry.populate(registry)
        const fiber = yield* Effect.forkChild(Registry.transact(
          registry,
          Effect.andThen(
            Registry.reset(registry),
            Effect.andThen(Effect.forkDetach(Registry.size(registry)), Effect.never)
          )
        ))
        yield* inDefaults.await
        yield* Fiber.interrupt(fiber)
        assert.isTrue(isInterrupted(yield* Fiber.await(fiber)))
        assert.isFalse(isLocked(registry))
        assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
      })),
      { seeds: 150 }
    ))
})

describe("G7 G13 interrupting a transactAll, of which a child is in a hook that never ends, undoes it", () => {
  for (const which of ["one", "two"] as const) {
    it.effect(`the child works on ${which}`, () =>
      endsUndone(({ beginStuck, one, two }) =>
        Registry.transactAll(
          [one, two],
          Effect.gen(function*() {
            yield* Registry.register(one, a)
            yield* Registry.register(two, a)
            const registry = which === "one" ? one : two
            yield* beginStuck(registry, Registry.register(registry, stuck))
            return yield* Effect.never
          })
        ), which))
  }

  it.effect("there is one in each of them", () =>
    endsUndone(({ beginStuck, one, two }) =>
      Registry.transactAll(
        [one, two],
        Effect.gen(function*() {
          yield* beginStuck(two, Registry.register(two, stuck))
          yield* beginStuck(one, Registry.register(one, stuck))
          return yield* Effect.never
        })
      )
    ))

  it.effect("the body has succeeded, and waits for the child", () =>
    endsUndone(({ beginStuck, one, two }) =>
      Registry.transactAll(
        [one, two],
        Effect.andThen(Registry.register(one, a), beginStuck(two, Registry.register(two, stuck)))
      ), "two"))

  it.effect("another child is a transactAll that has one lock, and waits for the other behind the one", () =>
    endsUndone(({ begin, beginStuck, one, two }) =>
      Registry.transactAll(
        [one, two],
        Effect.gen(function*() {
          yield* beginStuck(two, Registry.register(two, stuck))
          yield* begin(Registry.transactAll([one, two], Effect.void))
          return yield* Effect.never
        })
      ), "two"))

  it.effect("a transactAll that has the lock of the inner of two transactions waits for that of the outer one", () =>
    endsUndone(({ begin, beginStuck, one, two }) =>
      Registry.transact(
        two,
        Effect.andThen(
          beginStuck(two, Registry.register(two, stuck)),
          Registry.transact(one, Effect.andThen(begin(Registry.transactAll([one, two], Effect.void)), Effect.never))
        )
      ), "two"))

  it.effect("a transactAll waits for the lock of the inner of two transactions, and then for that of the outer one", () =>
    endsUndone(({ begin, beginStuck, one, two }) =>
      Registry.transact(
        two,
        Effect.andThen(
          beginStuck(two, Registry.register(two, stuck)),
          Registry.transact(
            one,
            Effect.gen(function*() {
              yield* beginStuck(one, Registry.register(one, stuck))
              yield* begin(Registry.transactAll([one, two], Effect.void))
              return yield* Effect.never
            })
          )
        )
      )
    ))

  it.effect("the child is in a transactAll in it", () =>
    endsUndone(({ beginStuck, one, two }) =>
      Registry.transactAll(
        [one, two],
        Effect.andThen(
          beginStuck(
            two,
            Registry.transactAll([one, two], Effect.andThen(Registry.register(one, a), Registry.register(two, stuck)))
          ),
          Effect.never
        )
      ), "two"))

  it.effect("the child is in a transactAll in transactions of each", () =>
    endsUndone(({ beginStuck, one, two }) =>
      Registry.transact(
        two,
        Effect.andThen(
          beginStuck(
            two,
            Registry.transact(one, Registry.transactAll([one, two], Registry.register(two, stuck)))
          ),
          Effect.never
        )
      ), "two"))
})

/** Hooks that begin something that is stuck, and end when it is. */
const beginning = ({ beginStuck, one }: World) => {
  const begin = Effect.suspend(() => beginStuck(one, Registry.register(one, stuck)))
  return RegistryHooks.make<Item>()({
    onItemRegistered: (item) => isStuck(item) ? Effect.void : begin,
    onResetting: begin
  })
}

describe("G7 G13 interrupting an operation, of which a hook began what is in a hook that never ends, undoes it", () => {
  const operations: Record<string, (one: Items) => Effect.Effect<unknown, unknown, Scope.Scope>> = {
    register: (one) => Registry.register(one, a),
    registerAll: (one) => Registry.registerAll(one, [a, b]),
    registerScoped: (one) => Registry.registerScoped(one, a),
    upsert: (one) => Registry.upsert(one, new Item(4, "new")),
    replace: (one) => Registry.replace(one, "id", 4, a),
    override: (one) => Registry.override(one, new Item(4, "over")),
    reconcile: (one) => Registry.reconcile(one, [a, b]),
    reset: (one) => Registry.reset(one)
  }
  for (const [name, operation] of Object.entries(operations)) {
    it.effect(name, () =>
      RegistryTest.interleave(
        Effect.scoped(Effect.gen(function*() {
          const world = yield* makeWorld
          const hooks = yield* Scope.make()
          yield* Scope.provide(Registry.addHooks(world.one, beginning(world)), hooks)
          const fiber = yield* Effect.forkChild(operation(world.one))
          yield* world.stuckIn(world.one)
          yield* Fiber.interrupt(fiber)
          assert.isTrue(isInterrupted(yield* Fiber.await(fiber)))
          yield* Scope.close(hooks, Exit.void)
          yield* assertUndone(world)
        })),
        { seeds: 150 }
      ))
  }

  it.effect("addHooks with existing", () =>
    endsUndone((world) => Effect.scoped(Registry.addHooks(world.one, beginning(world), { existing: true }))))

  it.effect("a population, when all that wait for it are interrupted", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const inHook = yield* Latch.make()
        const balance = new Balance()
        const children: Array<Fiber.Fiber<unknown, unknown>> = []
        const registry: Items = yield* Registry.make<Item>()({
          lookup: ["id"],
          populationFailure: "die",
          defaults: [a, b],
          hooks: RegistryHooks.combine(
            balance.hooks,
            RegistryHooks.make<Item>()({
              onItemRegistered: (item) =>
                isStuck(item) ? Effect.andThen(inHook.open, Effect.never) : Effect.suspend(() => {
                  if (children.length > 0) return Effect.void
                  const forked = Effect.forkDetach(Registry.register(registry, stuck), { startImmediately: true })
                  const begun = Effect.uninterruptible(Effect.map(forked, (fiber) => children.push(fiber)))
                  return Effect.andThen(begun, inHook.await)
                })
            })
          )
        })
        const waiting = yield* Effect.forEach([1, 2], () => Effect.forkChild(Registry.size(registry)))
        yield* inHook.await
        yield* Fiber.interruptAll(waiting)
        for (const child of children) assert.isTrue(isInterrupted(yield* Fiber.await(child)))
        assert.deepStrictEqual(balance.wrong([]), [])
        assert.strictEqual(yield* Registry.size(registry), 2)
        assert.deepStrictEqual(balance.wrong([a, b]), [])
      })),
      { seeds: 150 }
    ))
})

describe("what is not interrupted waits", () => {
  it.effect("G7 a transaction that fails waits for a child in a hook until that ends, and is undone then", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const log: Array<string> = []
        const [gate, inHook] = [yield* Deferred.make<void>(), yield* Latch.make()]
        const balance = new Balance()
        const registry = yield* Registry.make<Item>()({
          lookup: ["id"],
          hooks: RegistryHooks.combine(
            balance.hooks,
            RegistryHooks.make<Item>()({
              onItemRegistered: ({ id }) => id === 2 ? Effect.andThen(inHook.open, Deferred.await(gate)) : Effect.void
            })
          )
        })
        let child: Fiber.Fiber<unknown, unknown> | undefined
        const fiber = yield* Effect.forkChild(Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.register(registry, a)
            child = yield* Effect.forkDetach(Registry.register(registry, b), { startImmediately: true })
            yield* inHook.await
            log.push("body failed")
            return yield* Effect.fail("no")
          })
        ))
        yield* inHook.await
        for (let i = 0; i < 20; i++) yield* Effect.yieldNow
        assert.isUndefined(fiber.pollUnsafe())
        assert.isUndefined(child?.pollUnsafe())
        yield* Deferred.succeed(gate, undefined)
        const exit = yield* Fiber.await(fiber)
        assert.isTrue(Exit.isSuccess(yield* Fiber.await(child!)))
        assert.strictEqual(Exit.isFailure(exit) && Cause.squash(exit.cause), "no")
        assert.isFalse(isInterrupted(exit))
        assert.deepStrictEqual(balance.wrong([]), [])
        assert.strictEqual(yield* Registry.size(registry), 0)
      })),
      { seeds: 200 }
    ))
})
