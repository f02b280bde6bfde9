import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Latch, Logger, Option, Scope } from "effect"
import { Registry, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { a, b, Balance, c, d, Item, messageOf, recording } from "./utils/items.ts"
import { meddling } from "./utils/meddling.ts"

type Items = Registry.Registry<Item, readonly ["id"], any, any>

const turns = (n: number) => Effect.forEach(Array.from({ length: n }), () => Effect.yieldNow, { discard: true })

/** The exit, or nothing if the effect still runs after many turns: a timeout cannot end an uninterruptible hang. */
const within = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkDetach(effect, { startImmediately: true })
    for (let i = 0; i < 200; i++) {
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return exit
      yield* Effect.yieldNow
    }
    return undefined
  })

describe("races", () => {
  it.effect("G14 fifty fibers that look for an item, or else make it, in a transaction, make it once", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      let made = 0
      const getOrMake = Registry.transact(
        registry,
        Effect.flatMap(Registry.getOption(registry, "id", 1), (found) => {
          if (Option.isSome(found)) return Effect.succeed(found.value)
          const item = new Item(1, `made ${++made}`)
          return Effect.as(Effect.andThen(Effect.yieldNow, Registry.register(registry, item)), item)
        })
      )
      const items = yield* Effect.all(Array.from({ length: 50 }, () => getOrMake), { concurrency: "unbounded" })
      assert.strictEqual(made, 1)
      assert.strictEqual(new Set(items).size, 1)
    }))

  it.effect("G16 an abandoned population whose rollback needs the registry of its waiter: it dies, and nothing hangs", () =>
    Effect.gen(function*() {
      const gate = yield* Latch.make()
      const other = yield* Registry.make<Item>()({ name: "other", lookup: ["id"] })
      yield* Registry.populate(other)
      const registry = yield* Registry.make<Item>()({
        name: "items",
        lookup: ["id"],
        defaults: [a, b],
        hooks: RegistryHooks.make<Item>()({
          onItemRegistered: (item) => item === b ? Effect.never : Effect.void,
          onItemUnregistered: () => Effect.andThen(gate.await, Effect.orDie(Registry.register(other, c)))
        })
      })
      const first = yield* Effect.forkDetach(Registry.transact(other, Registry.size(registry)), {
        startImmediately: true
      })
      yield* Effect.forkDetach(Fiber.interrupt(first), { startImmediately: true })
      yield* turns(5)
      const second = yield* Effect.forkDetach(Registry.size(registry), { startImmediately: true })
      yield* turns(5)
      yield* Effect.forkDetach(Fiber.interrupt(second), { startImmediately: true })
      yield* turns(5)
      yield* gate.open
      assert.isDefined(yield* within(Fiber.await(first)), "the first population, or its waiter, hangs")
    }))

  it.effect("G16 an abandoned population whose rollback needs the registry of a waiter of the second population: the rollback dies", () =>
    Effect.gen(function*() {
      const gate = yield* Latch.make()
      let block = true
      const other = yield* Registry.make<Item>()({ name: "other", lookup: ["id"] })
      yield* Registry.populate(other)
      const registry = yield* Registry.make<Item>()({
        name: "items",
        lookup: ["id"],
        defaults: [a, b],
        hooks: RegistryHooks.make<Item>()({
          onItemRegistered: (item) => item === b && block ? Effect.never : Effect.void,
          onItemUnregistered: () => Effect.andThen(gate.await, Effect.orDie(Registry.register(other, c)))
        })
      })
      const first = yield* Effect.forkDetach(Registry.transact(other, Registry.size(registry)), {
        startImmediately: true
      })
      yield* Effect.forkDetach(Fiber.interrupt(first), { startImmediately: true })
      yield* turns(5)
      block = false
      const second = yield* Effect.forkDetach(Registry.size(registry), { startImmediately: true })
      yield* turns(5)
      yield* gate.open
      assert.isDefined(yield* within(Fiber.await(first)), "the first population, or its waiter, hangs")
      const exit = yield* within(Fiber.await(second))
      assert.deepStrictEqual(exit, Exit.succeed(Exit.succeed(2)))
    }))

  it.effect(
    "G16 no false alarm: a fiber that outlives a failed population may use the registry, under schedules",
    () =>
      RegistryTest.interleave(
        Effect.scoped(Effect.gen(function*() {
          const forked: Array<Fiber.Fiber<unknown, unknown>> = []
          let fail = true
          const registry: Items = yield* Registry.make<Item>()({
            lookup: ["id"],
            defaults: Effect.suspend(() => {
              if (!fail) return Effect.succeed([a])
              fail = false
              return Effect.gen(function*() {
                const look = Effect.andThen(Effect.yieldNow, Effect.exit(Registry.size(registry)))
                forked.push(
                  yield* Effect.forkDetach(
                    Effect.gen(function*() {
                      for (let i = 0; i < 12; i++) {
                        const exit = yield* look
                        if (Exit.isFailure(exit)) assert.notMatch(messageOf(exit), /Deadlock/)
                      }
                    })
                  )
                )
                yield* turns(2)
                return yield* Effect.fail("disk")
              })
            })
          })
          yield* Effect.exit(Registry.size(registry))
          yield* Fiber.joinAll(forked)
        })),
        { seeds: 2000 }
      ),
    60_000
  )

  for (const strategy of ["random", "pct"] as const) {
    it.effect(`G16 a circle of waits is seen though a population is abandoned while another begins, under ${strategy} schedules`, () =>
      RegistryTest.interleave(
        Effect.scoped(Effect.gen(function*() {
          const other = yield* Registry.make<Item>()({ name: "other", lookup: ["id"] })
          yield* Registry.populate(other)
          const registry = yield* Registry.make<Item>()({
            name: "items",
            lookup: ["id"],
            defaults: Effect.as(Effect.exit(Registry.register(other, c)), [a])
          })
          const first = yield* Effect.forkChild(Registry.size(registry))
          const fibers = [
            first,
            yield* Effect.forkChild(Fiber.interrupt(first)),
            yield* Effect.forkChild(Registry.transact(other, Registry.size(registry))),
            yield* Effect.forkChild(Registry.size(registry))
          ]
          yield* Fiber.awaitAll(fibers)
        })),
        { strategy, seeds: 1_000 }
      ).pipe(Effect.provide(Logger.layer([]))))
  }

  it.effect("G25 a hook resets during a scoped registration, and a finalizer of the old population dies: the scope still removes the item", () =>
    Effect.gen(function*() {
      let once = true
      const scope = yield* Scope.make()
      const registry: Items = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => {
          const dies = once
          return Effect.as(
            Effect.acquireRelease(Effect.void, () => dies ? Effect.die(new Error("release")) : Effect.void),
            [d]
          )
        }),
        hooks: {
          onItemRegistering: (item: Item) => {
            if (item !== a || !once) return Effect.void
            once = false
            return Registry.reset(registry)
          }
        }
      })
      yield* Registry.populate(registry)
      const exit = yield* Effect.exit(Scope.provide(Registry.registerScoped(registry, a), scope))
      assert.isTrue(Exit.isSuccess(exit))
      yield* Effect.exit(Scope.close(scope, Exit.void))
      assert.isFalse(RegistrySnapshot.contains(Registry.snapshotUnsafe(registry), a))
    }))

  it.effect("G21 existing: a hook that is being told of the items forks a registration, and is told of that, too", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const gate = yield* Latch.make()
      const forked: Array<Fiber.Fiber<unknown, unknown>> = []
      const registry: Items = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [a],
        hooks: { onItemRegistering: (item: Item) => item === c ? gate.await : Effect.void }
      })
      yield* Registry.populate(registry)
      const scope = yield* Scope.make()
      const hooks = RegistryHooks.make<Item>()({
        onItemRegistered: (item) =>
          Effect.gen(function*() {
            balance.add(item, 1)
            if (item !== a) return
            forked.push(yield* Effect.forkDetach(Registry.register(registry, c), { startImmediately: true }))
          }),
        onItemUnregistered: (item) => Effect.sync(() => balance.add(item, -1))
      })
      const adding = yield* Effect.forkChild(
        Scope.provide(Registry.addHooks(registry, hooks, { existing: true }), scope),
        {
          startImmediately: true
        }
      )
      yield* gate.open
      yield* Fiber.join(adding)
      yield* Fiber.joinAll(forked)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, c])
      assert.deepStrictEqual(balance.wrong([a, c]), [])
    }))

  it.effect("G21 existing: hooks removed during a rollback are told of the remaining items", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const scope = yield* Scope.make()
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [a],
        hooks: { onItemUnregistered: (item: Item) => item === b ? Scope.close(scope, Exit.void) : Effect.void }
      })
      yield* Registry.populate(registry)
      yield* Scope.provide(Registry.addHooks(registry, balance.hooks, { existing: true }), scope)
      yield* Effect.exit(Registry.transact(registry, Effect.andThen(Registry.register(registry, b), Effect.fail("no"))))
      assert.deepStrictEqual(balance.wrong([]), [])
    }))

  it.effect("G20 existing: a hook that removes itself during its call, in an operation that fails", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const scope = yield* Scope.make()
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.populate(registry)
      yield* Scope.provide(
        Registry.addHooks(registry, {
          onItemRegistered: (item: Item) =>
            Effect.andThen(Scope.close(scope, Exit.void), Effect.sync(() => balance.add(item, 1))),
          onItemUnregistered: (item: Item) => Effect.sync(() => balance.add(item, -1))
        }, { existing: true }),
        scope
      )
      yield* Effect.exit(Registry.transact(registry, Effect.andThen(Registry.register(registry, a), Effect.fail("no"))))
      assert.deepStrictEqual(balance.wrong([]), [])
    }))

  it.effect("G2 a nested population that is interrupted from inside is a defect to the transaction", () =>
    Effect.gen(function*() {
      let fail = false
      const registry: Items = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => fail ? Effect.interrupt : Effect.succeed([a]))
      })
      yield* Registry.populate(registry)
      fail = true
      const exit = yield* Effect.exit(
        Registry.transact(registry, Effect.andThen(Registry.reset(registry), Registry.size(registry)))
      )
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause), String(exit))
    }))

  it.effect("G26 the registry's scope closes: items that its defaults registered in the scope of the population call no hook", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const scope = yield* Scope.make()
      const registry: Items = yield* Scope.provide(
        Registry.make<Item>()({
          lookup: ["id"],
          hooks: recording(log),
          defaults: Effect.suspend(() => Effect.as(Effect.orDie(Registry.registerScoped(registry, c)), [a]))
        }),
        scope
      )
      yield* Registry.populate(registry)
      log.length = 0
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(log, [])
    }))

  it.effect("G26 the registry's scope closes while the finalizer of another scope waits for the lock: the finalizer does nothing", () =>
    Effect.gen(function*() {
      const gate = yield* Latch.make()
      const home = yield* Scope.make()
      const scope = yield* Scope.make()
      const registry: Items = yield* Scope.provide(Registry.make<Item>()({ lookup: ["id"] }), home)
      yield* Scope.provide(Registry.registerScoped(registry, a), scope)
      const holding = yield* Effect.forkChild(Registry.transact(registry, gate.await), { startImmediately: true })
      const closing = yield* Effect.forkChild(Effect.exit(Scope.close(scope, Exit.void)), { startImmediately: true })
      yield* Scope.close(home, Exit.void)
      yield* gate.open
      yield* Fiber.await(holding)
      const exit = yield* Fiber.join(closing)
      assert.isTrue(Exit.isSuccess(exit), String(exit))
    }))

  it.effect("G7 a selector that writes to the registry does not lose its write", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.populate(registry)
      const lazy = {
        name: "lazy",
        get id() {
          Effect.runSync(Effect.exit(Registry.register(registry, b)))
          return 1
        }
      }
      yield* Effect.exit(Registry.register(registry, lazy as Item))
      assert.include([...(yield* Registry.values(registry))], b)
    }))

  it.effect("G7 a selector that writes to the registry in a transaction does not lose its write", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.populate(registry)
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          const context = yield* Effect.context<never>()
          const lazy = {
            name: "lazy",
            get id() {
              Effect.runSyncWith(context)(Effect.exit(Registry.register(registry, b)))
              return 1
            }
          }
          yield* Effect.exit(Registry.register(registry, lazy as Item))
        })
      )
      assert.include([...(yield* Registry.values(registry))], b)
    }))

  it.effect("G7 a selector that begins a transaction does not lose its write, though the transaction stays open", () =>
    Effect.gen(function*() {
      const gate = yield* Latch.make()
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.populate(registry)
      const begun: Array<Fiber.Fiber<void, unknown>> = []
      const lazy = {
        name: "lazy",
        get id() {
          if (begun.length === 0) {
            const transaction = Registry.transact(registry, Effect.andThen(Registry.register(registry, b), gate.await))
            begun.push(Effect.runFork(transaction))
          }
          return 1
        }
      }
      const fiber = yield* Effect.forkChild(Registry.register(registry, lazy), { startImmediately: true })
      yield* gate.open
      yield* Fiber.joinAll([...begun, fiber])
      assert.sameMembers([...(yield* Registry.values(registry))], [lazy, b])
    }))

  it.effect("G9 a key that is a Set or a Map, changed later, still finds the item", () =>
    Effect.gen(function*() {
      const tags = new Set(["a"])
      const registry = yield* Registry.make<{ readonly tags: Set<string> }>()({ lookup: ["tags"] })
      const item = { tags }
      yield* Registry.register(registry, item)
      assert.isTrue(yield* Registry.has(registry, "tags", new Set(["a"])))
      tags.add("b")
      assert.isTrue(yield* Registry.has(registry, "tags", new Set(["a"])))
    }))

  it.effect("G7 a reset whose finalizer of the population dies either succeeds or changes nothing", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.as(Effect.acquireRelease(Effect.void, () => Effect.die(new Error("release"))), [a])
      })
      yield* Registry.populate(registry)
      const exit = yield* Effect.exit(Registry.reset(registry))
      const state = yield* Registry.state(registry)
      assert.strictEqual(state, Exit.isSuccess(exit) ? "Pending" : "Ready")
    }))

  it.effect("G25 a scope that closes while a transaction with a reset ends does not populate, and does not fail", () =>
    Effect.gen(function*() {
      let runs = 0
      const gate = yield* Latch.make()
      const registry: Items = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => ++runs === 1 ? Effect.succeed([b]) : Effect.fail("disk")),
        hooks: { onReset: gate.await }
      })
      yield* Registry.populate(registry)
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerScoped(registry, a), scope)
      let closing: Fiber.Fiber<unknown> | undefined
      const transacting = yield* Effect.forkChild(
        Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Effect.forkDetach(Registry.reset(registry), { startImmediately: true })
            closing = yield* Effect.forkDetach(
              Effect.andThen(turns(5), Effect.exit(Scope.close(scope, Exit.void)))
            )
          })
        ),
        { startImmediately: true }
      )
      yield* turns(20)
      yield* gate.open
      yield* Fiber.join(transacting)
      assert.deepStrictEqual(yield* Fiber.join(closing!), Exit.void)
      assert.strictEqual(runs, 1)
      assert.strictEqual(yield* Registry.state(registry), "Pending")
    }))

  it.effect("G26 the registry's scope closes while a population runs: its waiters are interrupted", () =>
    Effect.gen(function*() {
      const home = yield* Scope.make()
      const registry: Items = yield* Scope.provide(
        Registry.make<Item>()({ lookup: ["id"], defaults: Effect.never }),
        home
      )
      const waiting = yield* Effect.forkDetach(Registry.size(registry), { startImmediately: true })
      yield* Scope.close(home, Exit.void)
      const exit = yield* within(Fiber.await(waiting))
      assert.isDefined(exit, "it waits for ever")
      const interrupted = Exit.isSuccess(exit) && Exit.isFailure(exit.value) &&
        Cause.hasInterruptsOnly(exit.value.cause)
      assert.isTrue(interrupted, String(exit))
    }))

  for (const operation of ["unregister", "replace", "upsert"] as const) {
    it.effect(`G20 ${operation}: a hook exchanges the item that is about to leave for an equal one`, () =>
      Effect.gen(function*() {
        const balance = new Balance()
        const one = new Item(1)
        const equal = new Item(1)
        const next = new Item(1, "next")
        let done = false
        const registry: Items = yield* Registry.make<Item>()({
          lookup: ["id"],
          hooks: RegistryHooks.combine(
            balance.hooks,
            RegistryHooks.make<Item>()({
              onItemUnregistering: (item) =>
                Effect.suspend(() => {
                  if (item !== one || done) return Effect.void
                  done = true
                  return Effect.orDie(Registry.replace(registry, "id", 1, equal))
                })
            })
          )
        })
        yield* Registry.register(registry, one)
        yield* Effect.exit(
          operation === "unregister"
            ? Registry.unregister(registry, one)
            : operation === "replace"
            ? Registry.replace(registry, "id", 1, next)
            : Registry.upsert(registry, next)
        )
        assert.deepStrictEqual(balance.wrong(yield* Registry.values(registry)), [])
      }))
  }

  it.effect(
    "G16, G20 random programs: registries that populate from and write to each other are interrupted and reset",
    () => {
      const programs = Array.from({ length: 1_000 }, (_, i) => i + 6_000)
      return Effect.forEach(
        programs,
        (program) => RegistryTest.interleave(meddling(program), { seeds: [program] }),
        { discard: true }
      )
    },
    60_000
  )
})
