import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Latch, Scope, Stream } from "effect"
import { Registry, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { isLocked } from "./utils/inside.ts"
import { a, b, Balance, c, d, defectOf, Item, messageOf } from "./utils/items.ts"

const lookup = ["id"] as const

type Items = Registry.Registry<Item, typeof lookup>

const make = (
  name: string,
  hooks: RegistryHooks.RegistryHooks<Item> = RegistryHooks.empty
): Effect.Effect<Items, never, Scope.Scope> =>
  Effect.tap(Registry.make<Item>()({ name, lookup, hooks }), Registry.populate)

const ids = (list: Iterable<Item>) => Array.from(list, ({ id }) => id).join()

/** The ids in all registries, read in one step. */
const seen = (...registries: ReadonlyArray<Items>) =>
  Effect.sync(() => registries.map((registry) => ids(Registry.snapshotUnsafe(registry))).join("|"))

const isFree = (...registries: ReadonlyArray<Items>) => registries.every((registry) => !isLocked(registry))

/** Hooks that wait for a latch. */
const slow = (gate: Latch.Latch) => RegistryHooks.make<Item>()({ onItemRegistered: () => gate.await })

/** Moves an item from one registry to another. */
const move = (item: Item, from: Items, to: Items) =>
  Registry.transactAll([from, to], Effect.andThen(Registry.unregister(from, item), Registry.register(to, item)))

describe("transactAll", () => {
  it.effect("publishes all registries in one step, each with one change and one revision", () =>
    Effect.gen(function*() {
      const one = yield* make("one")
      const two = yield* make("two")
      const subscriptions = [yield* Registry.subscribe(one), yield* Registry.subscribe(two)]
      const answer = yield* Registry.transactAll(
        [one, two],
        Effect.gen(function*() {
          yield* Registry.registerAll(one, [a, b])
          yield* Registry.register(two, c)
          yield* Registry.unregister(one, a)
          assert.strictEqual(yield* seen(one, two), "|")
          return [ids(yield* Registry.values(one)), ids(yield* Registry.values(two))]
        })
      )
      assert.deepStrictEqual(answer, ["2", "3"])
      assert.strictEqual(yield* seen(one, two), "2|3")
      for (const { changes, snapshot } of subscriptions) {
        const [change] = yield* Stream.runCollect(Stream.take(changes, 1))
        assert.strictEqual(change!.revision, RegistrySnapshot.revision(snapshot) + 1)
      }
    }))

  it.effect("an unchanged registry keeps its revision", () =>
    Effect.gen(function*() {
      const one = yield* make("one")
      const two = yield* make("two")
      const before = Registry.snapshotUnsafe(two)
      yield* Registry.transactAll([one, two], Registry.register(one, a))
      assert.strictEqual(Registry.snapshotUnsafe(two), before)
      assert.isTrue(isFree(one, two))
    }))

  for (const hooked of [false, true]) {
    it.effect(`a third fiber never sees one without the other, in any schedule, ${hooked ? "with" : "without"} hooks`, () =>
      Effect.gen(function*() {
        const program = Effect.scoped(Effect.gen(function*() {
          const balances = [new Balance(), new Balance()]
          const one = yield* make("one", hooked ? balances[0]!.hooks : RegistryHooks.empty)
          const two = yield* make("two", hooked ? balances[1]!.hooks : RegistryHooks.empty)
          yield* Registry.register(one, a)
          const look = Effect.gen(function*() {
            assert.include(["1|", "|1"], yield* seen(one, two))
            const [first, second] = [yield* Registry.snapshot(one), Registry.snapshotUnsafe(two)]
            assert.isAtLeast(RegistrySnapshot.size(first) + RegistrySnapshot.size(second), 0)
          })
          const watch = Effect.forEach([1, 2, 3], () => look)
          yield* Effect.all([move(a, one, two), watch], { concurrency: "unbounded" })
          assert.strictEqual(yield* seen(one, two), "|1")
          assert.deepStrictEqual(balances[0]!.wrong([]), [])
          if (hooked) assert.deepStrictEqual(balances[1]!.wrong([a]), [])
          assert.isTrue(isFree(one, two))
        }))
        const report = yield* RegistryTest.interleave(program, { strategy: "exhaustive", preemptions: 2, limit: 800 })
        assert.isAbove(report.schedules, 100)
        yield* RegistryTest.interleave(program, { seeds: 150 })
      }))
  }

  it.effect("if it fails, dies or is interrupted, a third fiber never sees any of it, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const balances = [new Balance(), new Balance()]
        const one = yield* make("one", balances[0]!.hooks)
        const two = yield* make("two", balances[1]!.hooks)
        yield* Registry.register(one, a)
        for (const end of [Effect.fail("no"), Effect.die("boom"), Effect.interrupt]) {
          const failing = Registry.transactAll(
            [two, one],
            Effect.gen(function*() {
              yield* Registry.register(two, b)
              yield* Registry.unregister(one, a)
              yield* Registry.register(one, c)
              return yield* end
            })
          )
          const look = Effect.gen(function*() {
            for (let i = 0; i < 3; i++) {
              assert.strictEqual(yield* seen(one, two), "1|")
              yield* Effect.yieldNow
            }
          })
          yield* Effect.all([Effect.exit(failing), look], { concurrency: "unbounded" })
        }
        assert.deepStrictEqual([...balances[0]!.wrong([a]), ...balances[1]!.wrong([])], [])
        assert.isTrue(isFree(one, two))
      })),
      { seeds: 200 }
    ))

  for (const from of ["outside", "inside"] as const) {
    it.effect(`interrupted at any step, from ${from}: both or neither, the locks are free, hooks are balanced`, () =>
      Effect.gen(function*() {
        const outcomes = new Set<string>()
        const interrupted = yield* RegistryTest.interruptEach({
          setup: Effect.gen(function*() {
            const balances = [new Balance(), new Balance()]
            const one = yield* make("one", balances[0]!.hooks)
            const two = yield* make("two", balances[1]!.hooks)
            yield* Registry.register(one, a)
            return { balances, one, two }
          }),
          run: ({ one, two }) => move(a, one, two),
          check: ({ balances, one, two }) =>
            Effect.gen(function*() {
              const now = yield* seen(one, two)
              outcomes.add(now)
              assert.include(["1|", "|1"], now)
              assert.isTrue(isFree(one, two))
              if (from === "outside") {
                assert.deepStrictEqual(balances[0]!.wrong(Registry.snapshotUnsafe(one)), [])
                assert.deepStrictEqual(balances[1]!.wrong(Registry.snapshotUnsafe(two)), [])
              }
              yield* Registry.transactAll(
                [one, two],
                Effect.andThen(Registry.register(one, d), Registry.register(two, d))
              )
            }),
          from
        })
        assert.isAbove(interrupted, 10)
        assert.strictEqual(outcomes.size, 2)
      }))
  }

  it.effect("interrupted while it waits for the second lock, it releases the first at once", () =>
    Effect.gen(function*() {
      const one = yield* make("one")
      const two = yield* make("two")
      const open = yield* Latch.make()
      const holder = yield* Effect.forkChild(Registry.transact(two, open.await), { startImmediately: true })
      const waiting = yield* Effect.forkChild(move(a, one, two), { startImmediately: true })
      const behind = yield* Effect.forkChild(Registry.register(one, b), { startImmediately: true })
      assert.isUndefined(behind.pollUnsafe())
      yield* Fiber.interrupt(waiting)
      yield* Fiber.join(behind)
      assert.strictEqual(yield* seen(one, two), "2|")
      yield* open.open
      yield* Fiber.join(holder)
      assert.isTrue(isFree(one, two))
    }))

  it.effect("rollback calls the hooks of all registries in reverse order", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const logging = (name: string) =>
        RegistryHooks.make<Item>()({
          onItemRegistered: ({ id }) => Effect.sync(() => log.push(`${name} +${id}`)),
          onItemUnregistered: ({ id }) => Effect.sync(() => log.push(`${name} -${id}`))
        })
      const one = yield* make("one", logging("one"))
      const two = yield* make("two", logging("two"))
      yield* Registry.register(two, d)
      log.length = 0
      yield* Effect.ignore(Registry.transactAll(
        [two, one],
        Effect.gen(function*() {
          yield* Registry.register(one, a)
          yield* Registry.register(two, b)
          yield* Registry.transact(one, Registry.register(one, c))
          yield* Registry.unregister(two, d)
          return yield* Effect.fail("no")
        })
      ))
      assert.deepStrictEqual(log, [
        "one +1",
        "two +2",
        "one +3",
        "two -4",
        "two +4",
        "one -3",
        "two -2",
        "one -1"
      ])
      assert.strictEqual(yield* seen(one, two), "|4")
    }))

  it.effect("a hook that dies during rollback does not stop the rollback of the other registry", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const one = yield* make("one", balance.hooks)
      const two = yield* make(
        "two",
        RegistryHooks.make<Item>()({
          onItemRegistered: () => Effect.void,
          onItemUnregistered: () => Effect.die("undo")
        })
      )
      const exit = yield* Effect.exit(Registry.transactAll(
        [one, two],
        Effect.gen(function*() {
          yield* Registry.register(one, a)
          yield* Registry.register(two, b)
          return yield* Effect.fail("no")
        })
      ))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasFails(exit.cause) && Cause.hasDies(exit.cause))
      assert.strictEqual(yield* seen(one, two), "|")
      assert.deepStrictEqual(balance.wrong([]), [])
    }))

  it.effect("Pending registries are populated first, and transactAll fails with their error", () =>
    Effect.gen(function*() {
      let attempts = 0
      const one = yield* Registry.make<Item>()({ name: "one", lookup, defaults: [a] })
      const two = yield* Registry.make<Item>()({
        name: "two",
        lookup,
        defaults: Effect.suspend(() => ++attempts === 1 ? Effect.fail("offline") : Effect.succeed([b]))
      })
      const both = Registry.transactAll(
        [two, one],
        Effect.all([Effect.map(Registry.values(one), ids), Effect.map(Registry.values(two), ids)])
      )
      const error = yield* Effect.flip(both)
      assert.strictEqual(error._tag === "PopulationError" && error.cause, "offline")
      assert.deepStrictEqual(yield* both, ["1", "2"])
    }))

  it.effect("G16 a Ready registry is not locked while another one populates, whose population needs it", () =>
    Effect.gen(function*() {
      const [begun, gate] = [yield* Latch.make(), yield* Latch.make()]
      const ready = yield* make("ready")
      const pending = yield* Registry.make<Item>()({
        name: "pending",
        lookup: ["id"],
        defaults: Effect.andThen(begun.open, gate.await).pipe(
          Effect.andThen(Registry.register(ready, a)),
          Effect.as([b])
        )
      })
      const reading = yield* Effect.forkChild(Registry.size(pending), { startImmediately: true })
      yield* begun.await
      const all = yield* Effect.forkChild(Registry.transactAll([ready, pending], Registry.register(ready, c)), {
        startImmediately: true
      })
      yield* gate.open
      assert.strictEqual(yield* Fiber.join(reading), 1)
      yield* Fiber.join(all)
      assert.deepStrictEqual([...(yield* Registry.values(ready))], [a, c])
    }))

  it.effect("a registry that is reset while it waits is populated again, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const one = yield* Registry.make<Item>()({ lookup, defaults: Effect.as(Effect.yieldNow, [a]) })
        const two = yield* Registry.make<Item>()({ lookup, defaults: Effect.as(Effect.yieldNow, [b]) })
        const sizes = yield* Effect.all([
          Registry.transactAll(
            [one, two],
            Effect.gen(function*() {
              yield* Registry.register(one, c)
              yield* Registry.register(two, d)
              return [ids(yield* Registry.values(one)), ids(yield* Registry.values(two))]
            })
          ),
          Registry.reset(one),
          Registry.reset(two)
        ], { concurrency: "unbounded" })
        assert.deepStrictEqual(sizes[0], ["1,3", "2,4"])
      })),
      { seeds: 300 }
    ))

  it.effect("inside transactions of all its registries it is a part of them, in any order", () =>
    Effect.gen(function*() {
      const one = yield* make("one")
      const two = yield* make("two")
      const inner = Registry.transactAll(
        [one, two],
        Effect.andThen(Registry.register(one, b), Registry.register(two, b))
      )
      const around: ReadonlyArray<(effect: Effect.Effect<unknown, unknown>) => Effect.Effect<unknown, unknown>> = [
        (effect) => Registry.transactAll([two, one], effect),
        (effect) => Registry.transact(one, Registry.transact(two, effect)),
        (effect) => Registry.transact(two, Registry.transact(one, effect))
      ]
      for (const [index, within] of around.entries()) {
        yield* within(Effect.gen(function*() {
          yield* Registry.register(one, a)
          yield* Effect.ignore(Effect.andThen(inner, Effect.fail("caught")))
          const failing = Registry.transactAll([one, two], Effect.andThen(Registry.register(two, c), Effect.fail("no")))
          yield* Effect.ignore(failing)
          assert.strictEqual(ids(yield* Registry.values(one)), "1,2")
          assert.strictEqual(ids(yield* Registry.values(two)), "2")
        }))
        assert.strictEqual(yield* seen(one, two), "1,2|2", String(index))
        const failing = within(Effect.andThen(Registry.reset(one), Effect.fail("no")))
        yield* Effect.ignore(failing)
        assert.strictEqual(yield* seen(one, two), "1,2|2")
        yield* Registry.reconcile(one, [])
        yield* Registry.reconcile(two, [])
      }
    }))

  it.effect("inside transactions of other registries it is independent, and its changes stay", () =>
    Effect.gen(function*() {
      const one = yield* make("one")
      const two = yield* make("two")
      const other = yield* make("other")
      yield* Effect.ignore(Registry.transact(
        other,
        Effect.gen(function*() {
          yield* Registry.transactAll(
            [one, two],
            Effect.andThen(
              Registry.register(one, a),
              Effect.andThen(Registry.register(two, b), Registry.register(other, c))
            )
          )
          assert.strictEqual(yield* seen(one, two, other), "1|2|")
          return yield* Effect.fail("no")
        })
      ))
      assert.strictEqual(yield* seen(one, two, other), "1|2|")
    }))

  it.effect("inside transactions of only some of its registries it dies, and names them", () =>
    Effect.gen(function*() {
      const one = yield* make("one")
      const two = yield* make("two")
      const exit = yield* Effect.exit(Registry.transact(two, Registry.transactAll([one, two], Effect.void)))
      assert.match(messageOf(exit), /transactAll of "one", "two" is in transactions of "two" alone/)
      assert.isTrue(isFree(one, two))
      // detached runs it outside of them
      const late = yield* Registry.transact(two, Effect.forkDetach(Registry.detached(move(a, one, two))))
      assert.isTrue(Exit.isFailure(yield* Fiber.await(late)))
    }))

  it.effect("accepts the same registry twice, one alone, and none", () =>
    Effect.gen(function*() {
      const one = yield* make("one")
      yield* Registry.transactAll([one, one], Registry.register(one, a))
      yield* Registry.transactAll([one], Registry.register(one, b))
      yield* Registry.transactAll([], Registry.register(one, c))
      assert.strictEqual(yield* seen(one), "1,2,3")
      yield* Effect.ignore(
        Registry.transactAll([one, one], Effect.andThen(Registry.register(one, d), Effect.fail("no")))
      )
      assert.strictEqual(yield* seen(one), "1,2,3")
    }))

  it.effect("waits for the operations of its children when its body ends, in any of the registries", () =>
    Effect.gen(function*() {
      const gates = [yield* Latch.make(), yield* Latch.make()]
      const one = yield* make("one", slow(gates[0]!))
      const two = yield* make("two", slow(gates[1]!))
      const fiber = yield* Effect.forkChild(
        Registry.transactAll(
          [one, two],
          Effect.gen(function*() {
            yield* Effect.forkDetach(Registry.register(one, a), { startImmediately: true })
            yield* Effect.forkDetach(Registry.register(two, b), { startImmediately: true })
          })
        ),
        { startImmediately: true }
      )
      assert.isUndefined(fiber.pollUnsafe())
      yield* gates[0]!.open
      yield* Effect.yieldNow
      assert.strictEqual(yield* seen(one, two), "|")
      yield* gates[1]!.open
      yield* Fiber.join(fiber)
      assert.strictEqual(yield* seen(one, two), "1|2")
      assert.isTrue(isFree(one, two))
    }))

  it.effect("children at work when its body ends or fails, under schedules: no write is lost, and nothing is left", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const balances = [new Balance(), new Balance()]
        const one = yield* make("one", balances[0]!.hooks)
        const two = yield* make("two", balances[1]!.hooks)
        for (const fails of [false, true]) {
          const forked: Array<Fiber.Fiber<unknown, unknown>> = []
          const before = yield* seen(one, two)
          yield* Effect.exit(Registry.transactAll(
            [one, two],
            Effect.gen(function*() {
              for (const [registry, id] of [[one, 10], [two, 20], [one, 30]] as const) {
                forked.push(
                  yield* Effect.forkDetach(Registry.register(registry, new Item(id + (fails ? 1 : 0))))
                )
              }
              yield* Registry.register(two, fails ? b : a)
              if (fails) return yield* Effect.fail("no")
            })
          ))
          if (fails) assert.isFalse((yield* seen(one, two)).split("|")[1]!.split(",").includes("2"), before)
          for (const fiber of forked) yield* Fiber.await(fiber)
        }
        assert.deepStrictEqual(balances[0]!.wrong(Registry.snapshotUnsafe(one)), [])
        assert.deepStrictEqual(balances[1]!.wrong(Registry.snapshotUnsafe(two)), [])
        assert.isTrue(isFree(one, two))
        assert.includeMembers(ids(Registry.snapshotUnsafe(one)).split(","), ["10", "30"])
      })),
      { seeds: 300 }
    ))

  it.effect("concurrent calls with registries in opposite order never deadlock, in any schedule", () =>
    Effect.gen(function*() {
      const program = Effect.scoped(Effect.gen(function*() {
        const one = yield* make("one")
        const two = yield* make("two")
        yield* Registry.register(one, a)
        yield* Registry.register(two, b)
        yield* Effect.all([move(a, one, two), move(b, two, one)], { concurrency: "unbounded" })
        assert.strictEqual(yield* seen(one, two), "2|1")
      }))
      yield* RegistryTest.interleave(program, { strategy: "exhaustive", preemptions: 2, limit: 800 })
      yield* RegistryTest.interleave(program, { seeds: 300 })
    }))

  it.effect("G16 among nested transactions it works, or dies of a DeadlockError, and never hangs, under schedules", () =>
    Effect.gen(function*() {
      let deadlocks = 0
      yield* RegistryTest.interleave(
        Effect.scoped(Effect.gen(function*() {
          const balances = [new Balance(), new Balance(), new Balance()]
          const [one, two, three] = [
            yield* make("one", balances[0]!.hooks),
            yield* make("two", balances[1]!.hooks),
            yield* make("three", balances[2]!.hooks)
          ]
          const exits = yield* Effect.all([
            Effect.exit(Registry.transactAll(
              [one, two, three],
              Effect.andThen(Registry.register(one, new Item(1)), Registry.register(three, new Item(1)))
            )),
            Effect.exit(Registry.transact(
              three,
              Effect.andThen(Registry.register(three, new Item(2)), Registry.register(one, new Item(2)))
            )),
            Effect.exit(Registry.transact(
              two,
              Registry.transactAll(
                [one, three],
                Effect.andThen(Registry.register(two, new Item(3)), Registry.register(one, new Item(3)))
              )
            ))
          ], { concurrency: "unbounded" })
          for (const exit of exits) {
            if (Exit.isSuccess(exit)) continue
            deadlocks++
            assert.match(messageOf(exit), /^Deadlock: .*Registry\.detached/)
          }
          assert.isTrue(exits.some(Exit.isSuccess))
          for (const [index, registry] of [one, two, three].entries()) {
            assert.deepStrictEqual(balances[index]!.wrong(Registry.snapshotUnsafe(registry)), [])
          }
          assert.isTrue(isFree(one, two, three))
          // all or nothing
          const first = Registry.snapshotUnsafe(one)
          assert.strictEqual(
            RegistrySnapshot.has(first, "id", 1),
            RegistrySnapshot.has(Registry.snapshotUnsafe(three), "id", 1)
          )
          yield* Registry.transactAll([three, two, one], Registry.register(two, new Item(9)))
        })),
        { seeds: 500 }
      )
      assert.isAbove(deadlocks, 0)
    }))

  it.effect("a deadlock through a transactAll that waits for its second lock is seen, and the chain names its registries", () =>
    Effect.gen(function*() {
      const one = yield* make("one")
      const two = yield* make("two")
      const open = yield* Latch.make()
      const holder = yield* Effect.forkChild(
        Registry.transact(two, Effect.andThen(open.await, Registry.register(one, a))),
        { startImmediately: true }
      )
      const waiting = yield* Effect.forkChild(move(b, one, two), { startImmediately: true })
      yield* open.open
      const exit = yield* Fiber.await(holder)
      const error = defectOf(exit) as { readonly chain: ReadonlyArray<string> }
      assert.match(
        messageOf(exit),
        /^Deadlock: "transact" of "two" waits for "transactAll" of "one and two", which waits for the first\./
      )
      assert.sameMembers([...error.chain], ["two", "one"])
      // the transactAll goes on, and fails because its item is not there
      assert.strictEqual(Exit.isFailure(yield* Fiber.await(waiting)), true)
      assert.isTrue(isFree(one, two))
    }))

  it.effect("G26 if one registry closes it is interrupted, and the others do not change", () =>
    Effect.gen(function*() {
      const one = yield* make("one")
      const scope = yield* Scope.make()
      const two = yield* make("two").pipe(Scope.provide(scope))
      const gate = yield* Deferred.make<void>()
      const open = yield* Effect.forkChild(
        Registry.transactAll(
          [one, two],
          Effect.andThen(Effect.andThen(Registry.register(one, a), Registry.register(two, a)), Deferred.await(gate))
        ),
        { startImmediately: true }
      )
      const waiting = yield* Effect.forkChild(move(a, one, two), { startImmediately: true })
      yield* Scope.close(scope, Exit.void)
      yield* Deferred.succeed(gate, undefined)
      for (const fiber of [open, waiting]) {
        const exit = yield* Fiber.await(fiber)
        assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      }
      const after = yield* Effect.exit(Registry.transactAll([one, two], Effect.die("it ran")))
      assert.match(String(Exit.isFailure(after) && Cause.squash(after.cause)), /The registry "two" is closed: /)
      assert.strictEqual(yield* seen(one), "")
      assert.isTrue(isFree(one))
      yield* Registry.register(one, b)
    }))

  it.effect("G26 after a registry closes in an enclosing transaction, it does not begin", () =>
    Effect.gen(function*() {
      let ran = false
      const one = yield* make("one")
      const scope = yield* Scope.make()
      const two = yield* make("two").pipe(Scope.provide(scope))
      const exit = yield* Effect.exit(Registry.transact(
        one,
        Registry.transact(
          two,
          Effect.gen(function*() {
            yield* Scope.close(scope, Exit.void)
            const inner = Registry.transactAll(
              [one, two],
              Effect.sync(() => {
                ran = true
              })
            )
            const nested = yield* Effect.forkChild(inner, { startImmediately: true })
            const ended = yield* Fiber.await(nested)
            assert.isTrue(Exit.isFailure(ended) && Cause.hasInterruptsOnly(ended.cause))
          })
        )
      ))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      assert.isFalse(ran)
      assert.isTrue(isFree(one))
    }))

  it.effect("G17 a registry that an enclosing transaction reset is populated before it begins, and stays populated if it fails", () =>
    Effect.gen(function*() {
      const one = yield* make("one")
      const two = yield* make("two")
      const states = yield* Registry.transact(
        one,
        Registry.transact(
          two,
          Effect.gen(function*() {
            yield* Registry.reset(one)
            yield* Effect.exit(Registry.transactAll([one, two], Effect.fail("no")))
            return [yield* Registry.state(one), yield* Registry.state(two)]
          })
        )
      )
      assert.deepStrictEqual(states, ["Ready", "Ready"])
    }))

  it.effect("of no registries, in a transaction, it just runs its effect", () =>
    Effect.gen(function*() {
      const one = yield* make("one")
      yield* Effect.ignore(
        Registry.transact(one, Effect.andThen(Registry.transactAll([], Registry.register(one, a)), Effect.fail("no")))
      )
      assert.strictEqual(yield* seen(one), "")
    }))

  it.effect("behind a transaction that rolls back meanwhile it runs its effect, which changes nothing", () =>
    Effect.gen(function*() {
      const working = yield* Latch.make()
      const undoing = yield* Latch.make()
      const one = yield* make(
        "one",
        RegistryHooks.make<Item>()({
          onItemRegistered: ({ id }) => id === 1 ? working.await : Effect.void,
          onItemUnregistered: () => undoing.await
        })
      )
      const two = yield* make("two")
      const children: Array<Fiber.Fiber<string, unknown>> = []
      const waiting = Registry.transactAll(
        [one, two],
        Effect.andThen(Registry.register(one, c), Effect.map(Registry.values(one), ids))
      )
      const around = yield* Effect.forkChild(
        Effect.exit(Registry.transactAll(
          [one, two],
          Effect.gen(function*() {
            yield* Registry.register(one, b)
            yield* Effect.forkDetach(Registry.register(one, a), { startImmediately: true })
            const later = Effect.andThen(Effect.yieldNow, waiting)
            children.push(yield* Effect.forkDetach(later, { startImmediately: true }))
            return yield* Effect.fail("no")
          })
        )),
        { startImmediately: true }
      )
      // the body has failed, and waits for the first child; the second one waits behind it
      yield* Effect.yieldNow
      yield* working.open
      const exit = yield* Fiber.await(children[0]!)
      assert.isUndefined(around.pollUnsafe())
      assert.isTrue(Exit.isSuccess(exit) && exit.value === "", String(exit))
      yield* undoing.open
      assert.isTrue(Exit.isFailure(yield* Fiber.join(around)))
      assert.strictEqual(yield* seen(one, two), "|")
      assert.isTrue(isFree(one, two))
    }))

  it.effect("during a rollback it runs its effect, which changes nothing", () =>
    Effect.gen(function*() {
      const two = yield* make("two")
      let ran = 0
      const one: Items = yield* Registry.make<Item>()({
        name: "one",
        lookup,
        hooks: {
          onItemUnregistered: () =>
            Registry.transactAll(
              [one],
              Effect.andThen(Effect.orDie(Registry.register(one, c)), Effect.sync(() => ran++))
            )
        }
      })
      yield* Effect.ignore(
        Registry.transactAll([one, two], Effect.andThen(Registry.register(one, a), Effect.fail("no")))
      )
      assert.strictEqual(ran, 1)
      assert.strictEqual(yield* seen(one, two), "|")
    }))

  it.effect("a scope that closes in a failing transactAll still removes its items, in all registries", () =>
    Effect.gen(function*() {
      const one = yield* make("one")
      const two = yield* make("two")
      const scope = yield* Scope.make()
      yield* Registry.registerScoped(one, a).pipe(Scope.provide(scope))
      yield* Registry.registerScoped(two, b).pipe(Scope.provide(scope))
      yield* Effect.ignore(
        Registry.transactAll([one, two], Effect.andThen(Scope.close(scope, Exit.void), Effect.fail("no")))
      )
      assert.strictEqual(yield* seen(one, two), "|")
    }))
})
