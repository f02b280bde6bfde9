/**
 * Transactions that are nested deeper than two, in each other and in those of other registries; and fibers that are in
 * several transactions, of which one is being undone.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Latch, Scope, Stream } from "effect"
import { Registry, RegistryError } from "effect-registry"
import { a, b, Balance, c, d, defectOf, found, Item, messageOf } from "./utils/items.ts"

/** As many transactions of a registry, one in the other. */
const nested = <P, A, E, R>(
  registry: Registry.Registry<Item, any, P, any>,
  depth: number,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | P, R> => depth === 0 ? effect : Registry.transact(registry, nested(registry, depth - 1, effect))

const ids = <P>(registry: Registry.Registry<Item, any, P, any>) =>
  Effect.map(Registry.values(registry), (items) => items.map(({ id }) => id))

const make = (name: string) => Registry.make<Item>()({ name, lookup: ["id"] })

/** Runs an effect when the completed call for an item is played back. */
const whenUndone = (
  registry: Registry.Registry<Item, readonly ["id"]>,
  effect: Effect.Effect<unknown, unknown>
): Effect.Effect<void, never, Scope.Scope> =>
  Registry.addHooks(registry, {
    onItemRegistered: () => Effect.sync(() => {}),
    onItemUnregistered: () => Effect.orDie(effect)
  })

const fails = (registry: Registry.Registry<Item, readonly ["id"]>) =>
  Effect.exit(Registry.transact(registry, Effect.andThen(Registry.register(registry, a), Effect.fail("no"))))

describe("hooks that go in a nested transaction", () => {
  for (const depth of [1, 2, 3, 5]) {
    it.effect(`G20 existing: ${depth} transactions further in than the one that told them, which fails: balanced`, () =>
      Effect.gen(function*() {
        const [balance, staying] = [new Balance(), new Balance()]
        const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: staying.hooks })
        yield* Registry.register(registry, d)
        const scope = yield* Scope.make()
        yield* Scope.provide(Registry.addHooks(registry, balance.hooks, { existing: true }), scope)
        const exit = yield* Effect.exit(Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.register(registry, a)
            yield* Registry.transact(
              registry,
              Effect.andThen(Registry.register(registry, b), nested(registry, depth - 1, Scope.close(scope, Exit.void)))
            )
            assert.deepStrictEqual(balance.wrong([]), [])
            return yield* Effect.fail("no")
          })
        ))
        assert.strictEqual(defectOf(exit), "no")
        assert.deepStrictEqual([balance.wrong([]), staying.wrong([d])], [[], []])
        assert.deepStrictEqual(yield* ids(registry), [4])
      }))
  }

  it.effect("G20 existing: those that go while they are told of an item in a transaction, which fails: balanced", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.register(registry, d)
      const scope = yield* Scope.make()
      const hooks = {
        onItemRegistered: (item: Item) =>
          Effect.andThen(
            Effect.sync(() => balance.add(item, 1)),
            item.id === 2 ? Scope.close(scope, Exit.void) : Effect.void
          ),
        onItemUnregistered: (item: Item) => Effect.sync(() => balance.add(item, -1))
      }
      yield* Scope.provide(Registry.addHooks(registry, hooks, { existing: true }), scope)
      yield* Effect.exit(Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.registerAll(registry, [a, b, c])
          assert.deepStrictEqual(balance.wrong([]), [])
          return yield* Effect.fail("no")
        })
      ))
      assert.deepStrictEqual(balance.wrong([]), [])
    }))

  it.effect("G20 existing: with a transaction of another registry, and a transactAll, between: balanced", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const registry = yield* Registry.make<Item>()({ name: "one", lookup: ["id"] })
      const other = yield* Registry.make<Item>()({ name: "other", lookup: ["id"] })
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.addHooks(registry, balance.hooks, { existing: true }), scope)
      yield* Effect.exit(Registry.transactAll(
        [registry, other],
        Effect.gen(function*() {
          yield* Registry.register(registry, a)
          yield* Registry.transactAll(
            [other, registry],
            Effect.andThen(
              Registry.register(registry, b),
              Registry.transact(other, Registry.transact(registry, Scope.close(scope, Exit.void)))
            )
          )
          return yield* Effect.fail("no")
        })
      ))
      assert.deepStrictEqual(balance.wrong([]), [])
    }))

  for (const depth of [1, 2, 3]) {
    it.effect(`G20 others that go ${depth} transactions further in are played back once, with those that stay`, () =>
      Effect.gen(function*() {
        const [staying, going] = [new Balance(), new Balance()]
        const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: staying.hooks })
        const scope = yield* Scope.make()
        yield* Scope.provide(Registry.addHooks(registry, going.hooks), scope)
        yield* Effect.exit(Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.register(registry, a)
            yield* nested(
              registry,
              depth,
              Effect.andThen(Registry.register(registry, b), Scope.close(scope, Exit.void))
            )
            yield* Registry.register(registry, c)
            return yield* Effect.fail("no")
          })
        ))
        assert.deepStrictEqual([staying.wrong([]), going.wrong([])], [[], []])
        assert.isFalse(going.counts.has(c))
      }))
  }
})

describe("transactions deeper than two", () => {
  it.effect("G7 one that fails four in leaves no trace, and those around it go on", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const registry = yield* Registry.make<Item>()({ lookup: ["id", "name"], hooks: balance.hooks })
      yield* Registry.register(registry, d)
      const { changes, snapshot } = yield* Registry.subscribe(registry)
      const failing = Effect.andThen(
        Effect.andThen(Registry.unregister(registry, d), Registry.register(registry, c)),
        Effect.fail("no")
      )
      yield* nested(
        registry,
        3,
        Effect.gen(function*() {
          yield* Registry.register(registry, a)
          yield* Effect.exit(nested(registry, 4, failing))
          assert.deepStrictEqual(yield* ids(registry), [4, 1])
          yield* nested(registry, 2, Registry.register(registry, b))
        })
      )
      assert.deepStrictEqual(balance.wrong([d, a, b]), [])
      const [change] = yield* Stream.runCollect(Stream.take(changes, 1))
      assert.deepStrictEqual(change!.events.map((event) => event._tag === "Registered" && event.item.id), [1, 2])
      assert.deepStrictEqual([...snapshot], [d])
      for (const item of [a, b, d]) assert.deepStrictEqual(yield* found(registry, item), [true, true, true, true])
    }))

  it.effect("G7 one that is interrupted four in leaves no trace, and those around it go on", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: balance.hooks })
      const begun = yield* Latch.make()
      yield* nested(
        registry,
        3,
        Effect.gen(function*() {
          yield* Registry.register(registry, a)
          const fiber = yield* Effect.forkChild(nested(
            registry,
            4,
            Effect.andThen(Registry.register(registry, b), Effect.andThen(begun.open, Effect.never))
          ))
          yield* begun.await
          yield* Fiber.interrupt(fiber)
          yield* nested(registry, 4, Registry.register(registry, c))
        })
      )
      assert.deepStrictEqual(yield* ids(registry), [1, 3])
      assert.deepStrictEqual(balance.wrong([a, c]), [])
    }))

  it.effect("G7 one that is interrupted interrupts the nested one in flight, whose hook would never end", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const begun = yield* Latch.make()
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: {
          onItemRegistered: ({ id }) =>
            id === 2
              ? Effect.onInterrupt(Effect.andThen(begun.open, Effect.never), () =>
                Effect.sync(() => log.push("interrupted")))
              : Effect.void
        }
      })
      const outer = yield* Effect.forkChild(Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, a)
          // a fiber of its own, which is not interrupted with that of the transaction
          yield* Effect.forkDetach(Effect.exit(Registry.register(registry, b)))
          return yield* Effect.never
        })
      ))
      yield* begun.await
      yield* Fiber.interrupt(outer)
      assert.deepStrictEqual(log, ["interrupted"])
      assert.deepStrictEqual(yield* ids(registry), [])
    }))

  it.effect("items that are registered at any depth share the one revision that the outermost becomes", () =>
    Effect.gen(function*() {
      const registry = yield* make("registry")
      yield* Registry.register(registry, d)
      yield* nested(
        registry,
        2,
        Effect.gen(function*() {
          yield* Registry.register(registry, a)
          yield* nested(registry, 2, Registry.register(registry, b))
          yield* nested(registry, 4, Registry.register(registry, c))
        })
      )
      const { changes } = yield* Registry.subscribe(registry, { since: 2 })
      const [change] = yield* Stream.runCollect(Stream.take(changes, 1))
      const revisions = yield* Effect.forEach(
        [1, 2, 3],
        (id) => Effect.map(Registry.explain(registry, "id", id), (one) => one._tag === "Present" && one.revision)
      )
      assert.deepStrictEqual([change!.revision, change!.events.length, ...revisions], [3, 3, 3, 3, 3])
    }))

  it.effect("G7 a reset three in, of which the outermost fails, has never been: nothing is released", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.as(Effect.acquireRelease(Effect.void, () => Effect.sync(() => log.push("released"))), [a])
      })
      yield* Registry.register(registry, b)
      yield* Effect.exit(nested(
        registry,
        2,
        Effect.gen(function*() {
          yield* nested(registry, 3, Registry.reset(registry))
          assert.strictEqual(yield* Registry.state(registry), "Pending")
          return yield* Effect.fail("no")
        })
      ))
      assert.deepStrictEqual([yield* ids(registry), log], [[1, 2], []])
      yield* nested(registry, 3, Registry.reset(registry))
      assert.deepStrictEqual(log, ["released"])
    }))

  it.effect("G20 the calls of all levels are played back newest first, when the outermost fails", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: {
          onItemRegistered: ({ id }) => Effect.sync(() => log.push(`+${id}`)),
          onItemUnregistered: ({ id }) => Effect.sync(() => log.push(`-${id}`))
        }
      })
      yield* Effect.exit(Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, a)
          yield* Registry.transact(
            registry,
            Effect.gen(function*() {
              yield* Registry.register(registry, b)
              yield* nested(registry, 2, Registry.register(registry, c))
              yield* Registry.unregister(registry, b)
            })
          )
          yield* Registry.register(registry, d)
          return yield* Effect.fail("no")
        })
      ))
      assert.deepStrictEqual(log, ["+1", "+2", "+3", "-2", "+4", "-4", "+2", "-3", "-2", "-1"])
    }))

  it.effect("G5 inside a population, transactions in transactions are parts of it", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        populationFailure: "die",
        defaults: Effect.suspend(() =>
          nested(
            registry,
            3,
            Effect.gen(function*() {
              yield* Registry.populate(registry)
              yield* Registry.register(registry, a)
              yield* Registry.reset(registry)
              seen.push(yield* ids(registry), yield* Registry.state(registry))
              return [b]
            })
          )
        ),
        hooks: {
          onPopulated: Effect.suspend(() => Effect.orDie(nested(registry, 3, Registry.register(registry, c))))
        }
      })
      assert.deepStrictEqual(yield* ids(registry), [1, 2, 3])
      assert.deepStrictEqual(seen, [[1], "Populating"])
    }))

  it.effect("G14 inside a reset, a reset in transactions in transactions does nothing, and nothing is populated", () =>
    Effect.gen(function*() {
      let populations = 0
      const log: Array<string> = []
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.sync(() => {
          populations++
          return [a]
        }),
        populationFailure: "die",
        hooks: {
          onResetting: Effect.suspend(() =>
            Effect.orDie(nested(
              registry,
              3,
              Effect.andThen(Registry.reset(registry), Effect.map(ids(registry), (all) => log.push(`before: ${all}`)))
            ))
          ),
          onReset: Effect.suspend(() =>
            Effect.orDie(nested(
              registry,
              3,
              Effect.gen(function*() {
                yield* Registry.populate(registry)
                yield* Registry.reset(registry)
                log.push(`after: ${yield* ids(registry)}`)
              })
            ))
          )
        }
      })
      yield* Registry.populate(registry)
      yield* Registry.reset(registry)
      assert.deepStrictEqual(log, ["before: 1", "after: "])
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      assert.strictEqual(populations, 1)
    }))

  it.effect("a fiber that outlives several goes back to the nearest that is open, and from the outermost to the lock", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      const ended = yield* Latch.make()
      const all = yield* Latch.make()
      const [inside, outside] = yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, a)
          const fibers = yield* nested(
            registry,
            3,
            Effect.all([
              Effect.forkDetach(Effect.andThen(ended.await, Registry.register(registry, b)), {
                startImmediately: true
              }),
              Effect.forkDetach(
                Effect.andThen(all.await, Effect.andThen(Registry.register(registry, c), ids(registry))),
                {
                  startImmediately: true
                }
              )
            ])
          )
          yield* ended.open
          yield* Fiber.join(fibers[0])
          assert.deepStrictEqual(yield* ids(registry), [1, 2])
          assert.deepStrictEqual(yield* Registry.detached(ids(registry)), [])
          return fibers
        })
      )
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(inside)))
      yield* all.open
      assert.deepStrictEqual(yield* Fiber.join(outside), [1, 2, 3])
    }))

  it.effect("G25 a scope that closes deep in transactions of which an inner one fails: its items stay out", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: balance.hooks })
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerAllScoped(registry, [a, b]), scope)
      yield* Registry.register(registry, c)
      yield* nested(
        registry,
        2,
        Effect.gen(function*() {
          yield* Effect.exit(nested(
            registry,
            2,
            Effect.andThen(nested(registry, 3, Scope.close(scope, Exit.void)), Effect.fail("no"))
          ))
          assert.deepStrictEqual(yield* ids(registry), [3])
        })
      )
      assert.deepStrictEqual(yield* ids(registry), [3])
      assert.deepStrictEqual(balance.wrong([c]), [])
    }))

  it.effect("G4 resources of populations several transactions in are released once the outermost has been published", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let runs = 0
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => {
          const run = ++runs
          return Effect.as(Effect.acquireRelease(Effect.void, () => Effect.sync(() => log.push(`released ${run}`))), [
            a
          ])
        })
      })
      const again = Effect.andThen(Registry.reset(registry), Registry.populate(registry))
      yield* Registry.populate(registry)
      yield* nested(
        registry,
        2,
        Effect.gen(function*() {
          yield* nested(registry, 2, again)
          yield* nested(registry, 1, again)
          yield* nested(registry, 3, again)
          assert.deepStrictEqual(log, [])
        })
      )
      assert.deepStrictEqual(log.splice(0).toSorted(), ["released 1", "released 2", "released 3"])
      yield* Registry.reset(registry)
      assert.deepStrictEqual(log, ["released 4"])
    }))

  it.effect("G4 resources of a population in a transaction stay in use, though nested ones change and fail after it", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let runs = 0
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => {
          const run = ++runs
          return Effect.as(Effect.acquireRelease(Effect.void, () => Effect.sync(() => log.push(`released ${run}`))), [
            a
          ])
        })
      })
      yield* Registry.populate(registry)
      yield* nested(
        registry,
        2,
        Effect.gen(function*() {
          yield* Registry.reset(registry)
          yield* Registry.populate(registry)
          yield* nested(registry, 3, Registry.register(registry, b))
          yield* Effect.exit(nested(registry, 3, Effect.andThen(Registry.register(registry, c), Effect.fail("no"))))
        })
      )
      assert.deepStrictEqual(log, ["released 1"])
      assert.deepStrictEqual(yield* ids(registry), [1, 2])
      yield* Registry.reset(registry)
      assert.deepStrictEqual(log, ["released 1", "released 2"])
    }))

  it.effect("G16 no false alarm: a wait of an inner transaction, when it has ended, is over for all around it", () =>
    Effect.gen(function*() {
      const [one, two, three, four] = [
        yield* make("one"),
        yield* make("two"),
        yield* make("three"),
        yield* make("four")
      ]
      yield* Effect.forEach([one, two, three, four], Registry.populate)
      const [freed, waited, done] = [yield* Latch.make(), yield* Latch.make(), yield* Latch.make()]
      yield* Effect.forkChild(Registry.transact(four, freed.await), { startImmediately: true })
      const body = Effect.gen(function*() {
        yield* Registry.register(four, a)
        yield* waited.open
        yield* done.await
      })
      const deep = yield* Effect.forkChild(
        Registry.transact(one, Registry.transact(two, Registry.transact(three, body))),
        { startImmediately: true }
      )
      yield* freed.open
      yield* waited.await
      // each waits, in the registry that was waited for, for one that the fiber still holds
      const fibers = yield* Effect.forEach(
        [one, two, three],
        (registry) =>
          Effect.forkChild(Effect.exit(Registry.transact(four, Registry.register(registry, b))), {
            startImmediately: true
          })
      )
      yield* done.open
      yield* Fiber.join(deep)
      for (const fiber of fibers) assert.strictEqual((yield* Fiber.join(fiber))._tag, "Success")
    }))

  it.effect("G16 a circle that leads to the outermost of several transactions dies, and names its registries", () =>
    Effect.gen(function*() {
      const [one, two, three, four] = [
        yield* make("one"),
        yield* make("two"),
        yield* make("three"),
        yield* make("four")
      ]
      yield* Effect.forEach([one, two, three, four], Registry.populate)
      const held = yield* Latch.make()
      const other = yield* Effect.forkChild(
        Effect.exit(Registry.transact(four, Effect.andThen(held.await, Registry.register(one, a)))),
        { startImmediately: true }
      )
      const exit = yield* Effect.exit(Registry.transact(
        one,
        Registry.transact(
          two,
          Registry.transact(
            three,
            Effect.gen(function*() {
              yield* held.open
              yield* Effect.yieldNow
              yield* Effect.yieldNow
              yield* Registry.register(four, b)
            })
          )
        )
      ))
      const error = defectOf(exit)
      assert.instanceOf(error, RegistryError.DeadlockError)
      assert.includeMembers([...(error as RegistryError.DeadlockError).chain], ["one", "four"])
      assert.strictEqual((yield* Fiber.join(other))._tag, "Success")
    }))

  it.effect("G16 so does one that waits for the outermost of several transactions, whose innermost waits for it", () =>
    Effect.gen(function*() {
      const [one, two, three, four] = [
        yield* make("one"),
        yield* make("two"),
        yield* make("three"),
        yield* make("four")
      ]
      yield* Effect.forEach([one, two, three, four], Registry.populate)
      const held = yield* Latch.make()
      const other = yield* Effect.forkChild(
        Effect.exit(Registry.transact(four, Effect.andThen(held.await, Registry.register(one, a)))),
        { startImmediately: true }
      )
      const deep = yield* Effect.forkChild(
        Registry.transact(one, Registry.transact(two, Registry.transact(three, Registry.register(four, b)))),
        { startImmediately: true }
      )
      yield* Effect.yieldNow
      yield* held.open
      const error = defectOf(yield* Fiber.join(other))
      assert.instanceOf(error, RegistryError.DeadlockError)
      yield* Fiber.join(deep)
      assert.deepStrictEqual([yield* ids(one), yield* ids(four)], [[], [2]])
    }))

  it.effect("a wait behind many that are shared is looked at once, not once for each way to it", () =>
    Effect.gen(function*() {
      const rungs = 24
      const registries: Array<Registry.Registry<Item, readonly ["id"]>> = []
      for (let i = 0; i <= rungs; i++) registries.push(yield* Registry.make<Item>()({ name: `${i}`, lookup: ["id"] }))
      yield* Effect.forEach(registries, Registry.populate)
      const go = yield* Latch.make()
      // each transaction waits with two children for the one of the next rung
      const start = performance.now()
      for (let i = rungs; i >= 0; i--) {
        const begun = yield* Latch.make()
        const next = registries[i + 1]
        const waiting = next === undefined ? go.await : Effect.all(
          [Registry.register(next, a), Registry.register(next, b)],
          { concurrency: 2, mode: "result" }
        )
        yield* Effect.forkChild(Registry.transact(registries[i]!, Effect.andThen(begun.open, waiting)), {
          startImmediately: true
        })
        yield* begun.await
        for (let turns = 0; turns < 4; turns++) yield* Effect.yieldNow
      }
      // a look for each way takes many times as long
      assert.isBelow(performance.now() - start, 2_000)
      yield* go.open
    }))
})

describe("several transactions, of which one is being undone", () => {
  it.effect("transactAll in one that is undone and one that is open changes the open one, and goes on with it", () =>
    Effect.gen(function*() {
      const [open, undone] = [yield* make("open"), yield* make("undone")]
      const log: Array<unknown> = []
      yield* whenUndone(
        undone,
        Registry.transactAll(
          [undone, open],
          Effect.gen(function*() {
            yield* Registry.register(open, b)
            yield* Registry.register(undone, c)
            log.push(yield* ids(open), yield* ids(undone))
          })
        )
      )
      yield* Registry.transact(
        open,
        Effect.gen(function*() {
          yield* fails(undone)
          assert.deepStrictEqual(yield* ids(open), [2])
          assert.deepStrictEqual(yield* Registry.detached(ids(open)), [])
        })
      )
      assert.deepStrictEqual(log, [[2], []])
      assert.deepStrictEqual([yield* ids(open), yield* ids(undone)], [[2], []])
    }))

  it.effect("so it does where the open one is inside of the one that is undone", () =>
    Effect.gen(function*() {
      const [open, undone] = [yield* make("open"), yield* make("undone")]
      const log: Array<unknown> = []
      yield* whenUndone(
        undone,
        Registry.transact(
          open,
          Registry.transactAll(
            [undone, open],
            Effect.gen(function*() {
              yield* Registry.register(open, b)
              yield* Registry.register(undone, c)
              log.push(yield* ids(open), yield* ids(undone))
            })
          )
        )
      )
      yield* fails(undone)
      assert.deepStrictEqual(log, [[2], []])
      assert.deepStrictEqual([yield* ids(open), yield* ids(undone)], [[2], []])
    }))

  it.effect("an item that is registered in the open one while the other is undone goes when the open one fails, too", () =>
    Effect.gen(function*() {
      const [open, undone] = [yield* make("open"), yield* make("undone")]
      const balance = new Balance()
      yield* Registry.addHooks(open, balance.hooks)
      yield* whenUndone(undone, Registry.register(open, b))
      const exit = yield* Effect.exit(
        Registry.transact(open, Effect.andThen(fails(undone), Effect.andThen(ids(open), Effect.fail("outer"))))
      )
      assert.strictEqual(defectOf(exit), "outer")
      assert.deepStrictEqual([yield* ids(open), yield* ids(undone)], [[], []])
      assert.deepStrictEqual(balance.wrong([]), [])
    }))

  it.effect("a nested one is undone while the one around it is open: it shows the contents from its beginning, and changes nothing", () =>
    Effect.gen(function*() {
      const registry = yield* make("registry")
      const log: Array<unknown> = []
      yield* Registry.register(registry, d)
      yield* whenUndone(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, c)
          yield* nested(registry, 2, Registry.register(registry, new Item(5)))
          yield* Registry.unregister(registry, d)
          yield* Registry.reset(registry)
          yield* Registry.populate(registry)
          log.push(yield* ids(registry))
        })
      )
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, b)
          yield* fails(registry)
          log.push(yield* ids(registry))
        })
      )
      assert.deepStrictEqual(log, [[4, 2], [4, 2]])
      assert.deepStrictEqual(yield* ids(registry), [4, 2])
    }))

  for (const outer of ["succeeds", "fails"]) {
    it.effect(`G25 a scope that closes while a nested one is undone takes its items out, and the one around ${outer}`, () =>
      Effect.gen(function*() {
        const registry = yield* make("registry")
        const scope = yield* Scope.make()
        const balance = new Balance()
        yield* Registry.addHooks(registry, balance.hooks)
        yield* Scope.provide(Registry.registerAllScoped(registry, [c, d]), scope)
        yield* whenUndone(registry, Scope.close(scope, Exit.void))
        yield* Effect.exit(Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.register(registry, b)
            yield* fails(registry)
            assert.deepStrictEqual(yield* ids(registry), [2])
            // it is a part of the transaction around, and nobody outside sees it yet
            assert.deepStrictEqual(yield* Registry.detached(ids(registry)), [3, 4])
            if (outer === "fails") return yield* Effect.fail("outer")
          })
        ))
        assert.deepStrictEqual(yield* ids(registry), outer === "fails" ? [] : [2])
        assert.deepStrictEqual(balance.wrong(outer === "fails" ? [] : [b]), [])
      }))
  }

  it.effect("an operation that waited in a transaction behind its end changes nothing while the transaction is undone", () =>
    Effect.gen(function*() {
      const registry = yield* make("registry")
      const [held, undoing] = [yield* Deferred.make<void>(), yield* Latch.make()]
      const log: Array<unknown> = []
      yield* Registry.addHooks(registry, {
        onItemRegistered: ({ id }) => id === 2 ? Deferred.await(held) : Effect.sync(() => {}),
        onItemUnregistered: ({ id }) =>
          id === 1
            ? Effect.gen(function*() {
              yield* undoing.await
              log.push(yield* ids(registry))
            })
            : Effect.void
      })
      const late = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        Effect.exit(Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.register(registry, a)
            // it is in flight when the body fails, and holds up the end
            yield* Effect.forkDetach(Registry.register(registry, b), { startImmediately: true })
            // and this one waits in the queue behind the end
            yield* Effect.forkDetach(
              Effect.andThen(
                Deferred.await(late),
                Effect.flatMap(
                  Effect.exit(Registry.register(registry, c)),
                  (exit) => Effect.sync(() => log.push(exit._tag))
                )
              ),
              { startImmediately: true }
            )
            return yield* Effect.fail("no")
          })
        )),
        { startImmediately: true }
      )
      yield* Effect.yieldNow
      yield* Deferred.succeed(late, undefined)
      yield* Effect.yieldNow
      yield* Deferred.succeed(held, undefined)
      for (let i = 0; i < 10; i++) yield* Effect.yieldNow
      assert.deepStrictEqual(log, ["Success"])
      yield* undoing.open
      assert.strictEqual(messageOf(yield* Fiber.join(fiber)), "no")
      assert.deepStrictEqual(log, ["Success", []])
      assert.deepStrictEqual(yield* ids(registry), [])
    }))

  it.effect("transactAll that waited for one that is open, while another began to be undone, changes the open one alone", () =>
    Effect.gen(function*() {
      const [open, undone] = [yield* make("open"), yield* make("undone")]
      const log: Array<unknown> = []
      const [held, undoing] = [yield* Latch.make(), yield* Latch.make()]
      yield* Registry.addHooks(open, { onItemRegistered: ({ id }) => id === 2 ? held.await : Effect.void })
      yield* whenUndone(undone, Effect.andThen(undoing.await, Effect.map(ids(undone), (all) => log.push(all))))
      const transacting = Effect.gen(function*() {
        yield* Registry.register(open, c)
        yield* Registry.register(undone, d)
        log.push("it ran")
      })
      const fiber = yield* Effect.forkChild(
        Registry.transact(
          open,
          Effect.gen(function*() {
            yield* Effect.exit(Registry.transact(
              undone,
              Effect.gen(function*() {
                yield* Registry.register(undone, a)
                // this one holds up the next, which then waits for the transaction that goes on
                yield* Effect.forkDetach(Registry.register(open, b), { startImmediately: true })
                yield* Effect.forkDetach(Registry.transactAll([open, undone], transacting), { startImmediately: true })
                return yield* Effect.fail("no")
              })
            ))
            log.push(yield* ids(open))
          })
        ),
        { startImmediately: true }
      )
      yield* Effect.yieldNow
      yield* held.open
      while (!log.includes("it ran")) yield* Effect.yieldNow
      yield* undoing.open
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(log, ["it ran", [], [2, 3]])
      assert.deepStrictEqual([yield* ids(open), yield* ids(undone)], [[2, 3], []])
    }))

  it.effect("G16 a hook that is played back, and whose wait would close a circle, dies; the rest is undone", () =>
    Effect.gen(function*() {
      const [open, undone, other] = [yield* make("open"), yield* make("undone"), yield* make("other")]
      yield* Effect.forEach([open, undone, other], Registry.populate)
      const balance = new Balance()
      const begun = yield* Latch.make()
      yield* Registry.addHooks(undone, balance.hooks)
      yield* whenUndone(undone, Effect.andThen(Effect.yieldNow, Registry.register(other, b)))
      const waiting = yield* Effect.forkChild(
        Registry.transact(other, Effect.andThen(begun.await, Registry.register(open, c))),
        { startImmediately: true }
      )
      yield* Registry.transact(
        open,
        Effect.gen(function*() {
          yield* begun.open
          const exit = yield* fails(undone)
          assert.isTrue(Exit.isFailure(exit))
          if (Exit.isSuccess(exit)) return
          const defects = exit.cause.reasons.flatMap((reason) => Cause.isDieReason(reason) ? [reason.defect] : [])
          assert.deepStrictEqual(defects.map((defect) => defect instanceof RegistryError.DeadlockError), [true])
          assert.deepStrictEqual(balance.wrong([]), [])
          yield* Registry.register(open, a)
        })
      )
      yield* Fiber.join(waiting)
      assert.deepStrictEqual([yield* ids(open), yield* ids(undone), yield* ids(other)], [[1, 3], [], []])
    }))

  it.effect("of three registries that are undone together, each is seen as it was by the hooks of the others", () =>
    Effect.gen(function*() {
      const [outer, one, two] = [yield* make("outer"), yield* make("one"), yield* make("two")]
      const log: Array<unknown> = []
      const look = Effect.gen(function*() {
        yield* Registry.transactAll([one, outer, two], Registry.register(outer, new Item(10 + log.length)))
        log.push([yield* ids(outer), yield* ids(one), yield* ids(two)])
      })
      yield* whenUndone(one, look)
      yield* whenUndone(two, look)
      yield* Registry.transact(
        outer,
        Effect.exit(Registry.transactAll(
          [two, one],
          Effect.andThen(
            Effect.all([Registry.register(one, a), Registry.register(two, b), Registry.register(outer, d)]),
            Effect.fail("no")
          )
        ))
      ).pipe(Effect.exit)
      assert.deepStrictEqual(log, [[[4, 10], [], []], [[4, 10, 11], [], []]])
    }))
})
