/** What a shared registry guarantees, each with what goes wrong. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Deferred, Effect, Exit, Fiber, Latch, Schema, Scope, Stream } from "effect"
import { Registry, type RegistryError } from "effect-registry"
import { RegistryLog, SharedRegistry } from "effect-registry/shared"
import { dumpOf } from "./utils/oracle.ts"
import {
  codeOf,
  counting,
  dump,
  held,
  type Log,
  lost,
  names,
  noProblems,
  type Process,
  process,
  quick,
  records,
  scopedIn,
  synced,
  type Tool,
  tool,
  unjoined,
  withLog,
  withStore
} from "./utils/replicas.ts"
import { recorder } from "./utils/spans.ts"
import type * as Store from "./utils/storeOfLogs.ts"

describe("S1", () => {
  it.effect("comes to one order, however writers race, and a process that joins later has the same", () =>
    withLog(Effect.gen(function*() {
      const all = yield* Effect.all([process(), process(), process()], { concurrency: "unbounded" })
      yield* Effect.all(
        all.flatMap(({ registry }, i) =>
          Array.from({ length: 20 }, (_, n) => Registry.register(registry, tool(`${i}-${n}`)))
        ),
        { concurrency: "unbounded" }
      )
      const later = yield* process()
      const seen = yield* synced(...all, later)
      assert.strictEqual(seen[0]!.split(" ").length, 60)
      assert.strictEqual(new Set(seen).size, 1)
      assert.strictEqual(dump(later.registry), dumpOf(yield* noProblems))
    })))
})

describe("S2", () => {
  it.effect("refuses a key that another process has, though it was not seen yet", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process()
      const codes = yield* Effect.all(
        [one, two].map(({ registry }, i) => codeOf(Registry.register(registry, tool("a", `${i}`)))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(codes.toSorted(), ["attribute_registered", "ok"])
      assert.deepStrictEqual(yield* synced(one, two), ["a", "a"])
    })))

  it.effect("takes the first of several records that an engine has let in for one place", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process()
      for (const { faults } of [one, two]) faults.doubles = 1
      const codes = yield* Effect.all(
        [one, two].map(({ registry }, i) => codeOf(Registry.register(registry, tool("a", `${i}`)))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(codes.toSorted(), ["attribute_registered", "ok"])
      assert.deepStrictEqual(yield* synced(one, two), ["a", "a"])
      yield* noProblems
    })))
})

describe("S3", () => {
  it.effect("has in the log, at its revision, what was acknowledged when the process was killed right after", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process({ lifetime: "forever" })
      yield* Registry.register(one.registry, tool("a"))
      const { record, revision } = yield* SharedRegistry.position(one.registry)
      yield* one.kill
      const { ids } = yield* noProblems
      assert.strictEqual(ids[revision - 1], record)
      const two = yield* process({ lifetime: "forever" })
      assert.strictEqual(yield* names(two.registry), "a")
    })))
})

describe("S4", () => {
  it.effect("shows a list or a transaction whole, or not at all, to readers in another process", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process()
      const seen = new Set<string>()
      const reading = yield* Effect.forkChild(Effect.forever(Effect.andThen(
        Effect.map(names(two.registry), (list) => seen.add(list)),
        Effect.yieldNow
      )))
      yield* Registry.registerAll(one.registry, [tool("a"), tool("b"), tool("c")])
      yield* Registry.transact(
        one.registry,
        Effect.andThen(Registry.unregisterBy(one.registry, "name", "a"), Registry.register(one.registry, tool("d")))
      )
      yield* synced(two)
      yield* Effect.yieldNow
      yield* Fiber.interrupt(reading)
      assert.deepStrictEqual(Array.from(seen).filter((list) => !["", "a b c", "b c d"].includes(list)), [])
      assert.strictEqual(yield* names(two.registry), "b c d")
    })))

  it.effect("lets a fiber of a transaction that is being written wait, and change something after it", () =>
    withLog(Effect.gen(function*() {
      const { around, hold, letGo, sent } = yield* held
      const one = yield* process({}, { around })
      const two = yield* process()
      yield* synced(one, two)
      const before = (yield* records).length
      yield* hold
      const later = yield* Deferred.make<Fiber.Fiber<void, unknown>>()
      const transacting = yield* Effect.forkChild(Registry.transact(
        one.registry,
        Effect.gen(function*() {
          const joining = Effect.andThen(sent, Registry.register(one.registry, tool("later")))
          yield* Deferred.succeed(later, yield* Effect.forkDetach(joining))
          yield* Registry.register(one.registry, tool("a"))
        })
      ))
      yield* sent
      yield* Effect.sleep("50 millis")
      assert.strictEqual(yield* names(one.registry), "")
      yield* letGo
      yield* Fiber.join(transacting)
      yield* Fiber.join(yield* Deferred.await(later))
      assert.deepStrictEqual(yield* synced(one, two), ["a later", "a later"])
      assert.strictEqual((yield* records).length, before + 2)
    })))
})

describe("S5 a refused change is never in", () => {
  it.effect("where the log refuses it: store", () =>
    withLog(Effect.gen(function*() {
      const refusing = { now: false }
      const around = (log: Log): Log => ({
        ...log,
        append: (registry, after, record) =>
          refusing.now
            ? Effect.fail(new RegistryLog.LogError({ cause: new Error("no rights"), definite: true }))
            : log.append(registry, after, record)
      })
      const { calls, hooks } = counting()
      const one = yield* process({ ...quick, hooks }, { around })
      refusing.now = true
      const before = (yield* records).length
      const error = yield* Effect.flip(Registry.register(one.registry, tool("a")))
      assert.strictEqual(error._tag, "RegistryUnavailable")
      assert.match(error.message, /^Could not carry out register of the shared registry "tools": .* no rights/)
      yield* nothing(before)
      assert.strictEqual(yield* names(one.registry), "")
      assert.deepStrictEqual(calls, ["?a", "+a", "-a"])
    })))

  it.effect("where the log is away before it is asked: store", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process(quick)
      const before = (yield* records).length
      one.faults.isDead = true
      assert.strictEqual(yield* codeOf(SharedRegistry.sync(one.registry)), "store")
      assert.strictEqual(yield* codeOf(Registry.unregisterBy(one.registry, "name", "a")), "store")
      yield* nothing(before)
    })))

  it.effect("where it is larger than a record may be: too_large", () =>
    withStore((store) =>
      Effect.gen(function*() {
        store.maxBytes = 1_000
        const one = yield* process()
        const before = (yield* records).length
        assert.strictEqual(yield* codeOf(Registry.register(one.registry, tool("a".repeat(1_000)))), "too_large")
        yield* nothing(before)
        assert.strictEqual(yield* codeOf(Registry.register(one.registry, tool("a"))), "ok")
      })
    ))

  it.effect("where something there cannot be read: read_only", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process()
        const { id, revision } = store.state.rows.at(-1)!.cursor
        const body = { v: 1, prev: id, session: "x", lookups: "", ops: [["insert", 9_000_000, { nmae: "a" }, {}]] }
        store.state = {
          ...store.state,
          rows: [...store.state.rows, {
            cursor: { revision: revision + 1, id: "newer", token: "" },
            body: JSON.stringify(body)
          }]
        }
        yield* SharedRegistry.sync(one.registry)
        const before = store.state.rows.length
        assert.strictEqual(yield* codeOf(Registry.register(one.registry, tool("b"))), "read_only")
        yield* nothing(before)
      })
    ))
})

describe("S6 an unknown outcome", () => {
  for (const isIn of [true, false]) {
    it.effect(`is ${isIn ? "whole" : "never"} in, whoever writes next, and hooks are balanced`, () =>
      withLog(Effect.gen(function*() {
        for (const isOwn of [true, false]) {
          const { around, fault } = unanswered(isIn)
          const { calls, hooks } = counting()
          const one = yield* process({ ...quick, hooks }, { around })
          const two = yield* process()
          const [a, b, c] = ["a", "b", "c"].map((name) => `${name}${isOwn}`)
          yield* synced(one, two)
          fault.isOn = true
          const adding = Registry.registerAll(one.registry, [tool(a!), tool(b!)])
          assert.strictEqual(yield* codeOf(adding), "unknown_outcome")
          fault.isOn = false
          yield* Registry.register((isOwn ? one : two).registry, tool(c!))
          const [mine, others] = yield* synced(one, two)
          assert.strictEqual(mine, others)
          assert.strictEqual(mine!.includes(`${a} ${b}`), isIn)
          assert.strictEqual(mine!.includes(c!), true)
          const last = (name: string) => calls.filter((call) => /[+-]/.test(call[0]!) && call.endsWith(name)).at(-1)
          for (const name of [a!, b!]) assert.strictEqual(last(name), isIn ? `+${name}` : `-${name}`)
          yield* one.close
          yield* two.close
        }
        yield* noProblems
      })))
  }
})

describe("S7 what a scope registered", () => {
  it.effect("goes in all processes when the scope closes", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process()
      const scope = yield* scopedIn(one.registry, tool("a"))
      assert.deepStrictEqual(yield* synced(one, two), ["a", "a"])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* synced(one, two), ["", ""])
    })))

  it.effect("goes though the store was down when the scope closed, and closing does not fail", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process(quick)
      const two = yield* process()
      const scope = yield* scopedIn(one.registry, tool("a"))
      one.faults.refuses = 1
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* synced(two), ["a"])
      one.faults.refuses = 0
      yield* Effect.sleep("5 seconds")
      assert.deepStrictEqual(yield* synced(one, two), ["", ""])
    })))

  it.effect("goes where its registration had an unknown outcome", () =>
    withLog(Effect.gen(function*() {
      const fault = { isOn: false }
      const around = (log: Log): Log => ({
        ...log,
        append: (registry, after, record) =>
          fault.isOn
            ? Effect.andThen(log.append(registry, after, record), Effect.fail(lost()))
            : log.append(registry, after, record),
        read: (registry, after, limit) => fault.isOn ? Effect.never : log.read(registry, after, limit)
      })
      const one = yield* process(quick, { around })
      const two = yield* process()
      yield* synced(one, two)
      fault.isOn = true
      assert.strictEqual(
        yield* codeOf(Effect.scoped(Registry.registerScoped(one.registry, tool("a")))),
        "unknown_outcome"
      )
      fault.isOn = false
      yield* Effect.sleep("5 seconds")
      assert.deepStrictEqual(yield* synced(one, two), ["", ""])
    })))

  it.effect("goes a session and a reaping after its process was killed", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process()
      yield* scopedIn(one.registry, tool("a"))
      yield* Registry.register(one.registry, tool("b"))
      yield* one.kill
      assert.deepStrictEqual(yield* synced(two), ["a b"])
      yield* Effect.sleep("40 seconds")
      assert.deepStrictEqual(yield* synced(two), ["b"])
    })))
})

describe("S8", () => {
  it.effect("puts in nothing of a session that ended while its append was under way", () =>
    withLog(Effect.gen(function*() {
      const latch = yield* Latch.make(true)
      const sent = yield* Deferred.make<void>()
      const frozen = { isOn: false }
      const around = (log: Log): Log => ({
        ...log,
        append: (registry, after, record) =>
          frozen.isOn
            ? Effect.andThen(
              Deferred.succeed(sent, undefined),
              Effect.andThen(latch.await, log.append(registry, after, record))
            )
            : log.append(registry, after, record),
        sessions: { ...log.sessions, renew: (id, ttl) => frozen.isOn ? Effect.never : log.sessions.renew(id, ttl) }
      })
      const one = yield* process({ patience: "10 minutes" }, { around })
      const two = yield* process()
      const { session } = yield* SharedRegistry.status(one.registry)
      frozen.isOn = true
      yield* latch.close
      const registering = yield* Effect.forkChild(scopedIn(one.registry, tool("a")))
      yield* Deferred.await(sent)
      yield* Effect.sleep("40 seconds")
      assert.deepStrictEqual((yield* noProblems).sessions.has(session.id), false)
      frozen.isOn = false
      yield* latch.open
      yield* Fiber.join(registering)
      const { entries } = yield* noProblems
      for (const entry of entries.values()) assert.notStrictEqual(entry.session, session.id)
      assert.deepStrictEqual(yield* synced(one, two), ["a", "a"])
    })))
})

describe("S9 defaults", () => {
  const defaults = [tool("a"), tool("b")]

  it.effect("are in once, whoever begins first", () =>
    withLog(Effect.gen(function*() {
      const all = yield* Effect.all([1, 2, 3, 4].map(() => process({ defaults })), { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* synced(...all), ["a b", "a b", "a b", "a b"])
      const { entries } = yield* noProblems
      assert.strictEqual(entries.size, 2)
    })))

  it.effect("are in once where the process that put them in was killed before it had the answer", () =>
    withLog(Effect.gen(function*() {
      const sent = yield* Deferred.make<void>()
      const around = (log: Log): Log => ({
        ...log,
        append: (registry, after, record) =>
          Effect.andThen(
            log.append(registry, after, record),
            Effect.andThen(Deferred.succeed(sent, undefined), Effect.never)
          )
      })
      const one = yield* unjoined({ defaults }, { around })
      yield* Effect.forkChild(Effect.exit(Registry.populate(one.registry)))
      yield* Deferred.await(sent)
      yield* one.kill
      const two = yield* process({ defaults })
      assert.deepStrictEqual(yield* synced(two), ["a b"])
      yield* noProblems
    })))

  it.effect("that fail in one process are put in by another", () =>
    withLog(Effect.gen(function*() {
      const one = yield* unjoined({ defaults: Effect.fail("offline") })
      assert.strictEqual(yield* codeOf(Registry.populate(one.registry)), "defaults")
      const two = yield* process({ defaults })
      assert.deepStrictEqual(yield* synced(one, two), ["a b", "a b"])
    })))

  it.effect("of a higher version take the place of older ones, and those of a lower one do not", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process({ defaults })
      yield* Registry.register(one.registry, tool("own"))
      const two = yield* process({ defaults: [tool("b"), tool("c")], version: 2 })
      assert.deepStrictEqual(yield* synced(one, two), ["b own c", "b own c"])
      const three = yield* process({ defaults })
      assert.deepStrictEqual(yield* synced(one, two, three), ["b own c", "b own c", "b own c"])
    })))

  it.effect("of a higher version that are the same are run once", () =>
    withLog(Effect.gen(function*() {
      let runs = 0
      const one = yield* process({ defaults })
      const two = yield* process({ defaults: Effect.sync(() => (runs++, defaults)), version: 2 })
      yield* Registry.register(two.registry, tool("c"))
      yield* Registry.register(two.registry, tool("d"))
      assert.strictEqual(runs, 1)
      assert.deepStrictEqual(yield* synced(one, two), ["a b c d", "a b c d"])
    })))
})

describe("S10", () => {
  it.effect("answers reads at once while the store is away", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process(quick)
      yield* Registry.register(one.registry, tool("a"))
      one.faults.isDead = true
      const writing = yield* Effect.forkChild(Effect.exit(Registry.register(one.registry, tool("b"))))
      yield* Effect.sleep("500 millis")
      assert.strictEqual((yield* Registry.get(one.registry, "name", "a")).name, "a")
      assert.isTrue(Exit.isSuccess(Effect.runSyncExit(Registry.get(one.registry, "name", "a") as Effect.Effect<Tool>)))
      yield* Fiber.await(writing)
    })))
})

describe("S11", () => {
  it.effect("reads what the process wrote, and its revision never goes back", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process()
      const revisions: Array<number> = []
      const reading = yield* Effect.forkChild(Effect.forever(Effect.andThen(
        Effect.map(SharedRegistry.position(one.registry), ({ revision }) => revisions.push(revision)),
        Effect.yieldNow
      )))
      yield* Effect.all(
        [one, two].map(({ registry }, i) =>
          Effect.forEach(Array.from({ length: 20 }), (_, n) =>
            Effect.gen(function*() {
              yield* Registry.register(registry, tool(`${i}-${n}`))
              assert.isTrue(yield* Registry.has(registry, "name", `${i}-${n}`))
            }))
        ),
        { concurrency: "unbounded" }
      )
      yield* Fiber.interrupt(reading)
      assert.deepStrictEqual(revisions, revisions.toSorted((a, b) => a - b))
    })))
})

describe("S12", () => {
  it.effect("sees after a sync what was acknowledged anywhere before it", () =>
    withStore((store) =>
      Effect.gen(function*() {
        store.hints = false
        const one = yield* process({ poll: "1 hour" })
        const two = yield* process({ poll: "1 hour" })
        yield* Registry.register(one.registry, tool("a"))
        assert.strictEqual(yield* names(two.registry), "")
        yield* SharedRegistry.sync(two.registry)
        assert.strictEqual(yield* names(two.registry), "a")
      })
    ))

  it.effect("dies in a transaction, which it would wait for", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const exit = yield* Effect.exit(Registry.transact(one.registry, SharedRegistry.sync(one.registry)))
      assert.isTrue(Exit.isFailure(exit) && (Cause.squash(exit.cause) as Error).name === "DeadlockError")
    })))
})

describe("S13 hooks", () => {
  it.effect("are asked where a change is made, and told of it everywhere", () =>
    withLog(Effect.gen(function*() {
      const [here, there] = [counting(), counting()]
      const one = yield* process({ hooks: here.hooks })
      const two = yield* process({ hooks: there.hooks })
      yield* Registry.register(one.registry, tool("a"))
      yield* Registry.unregisterBy(one.registry, "name", "a")
      yield* synced(one, two)
      assert.deepStrictEqual(here.calls, ["?a", "+a", "!a", "-a"])
      assert.deepStrictEqual(there.calls, ["+a", "-a"])
    })))

  it.effect("that die, or change the registry, for what another process did change nothing", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const told: Array<string> = []
      const two: Process = yield* process({
        hooks: {
          onItemRegistered: ({ name }: Tool) =>
            Effect.suspend(() => {
              told.push(name)
              return name === "a"
                ? Effect.die(new Error("boom"))
                : Registry.register(two.registry, tool(`${name}'s friend`)).pipe(Effect.orDie)
            })
        }
      })
      yield* Registry.registerAll(one.registry, [tool("a"), tool("b")])
      assert.deepStrictEqual(yield* synced(one, two), ["a b", "a b"])
      assert.deepStrictEqual(told, ["a", "b"])
    })))
})

describe("S15 after a conflict", () => {
  it.effect("calls no hook twice for a transaction that did not look", () =>
    withLog(Effect.gen(function*() {
      const two = yield* process()
      const { calls, hooks } = counting()
      let n = 0
      const one = yield* process({
        hooks: {
          ...hooks,
          onItemRegistering: (item: Tool) =>
            item.name === "slow" ?
              Effect.forEach(
                Array.from({ length: 3 }),
                () =>
                  Effect.andThen(Effect.sleep(10), Effect.orDie(Registry.register(two.registry, tool(`fast${n++}`))))
              ) :
              Effect.void
        }
      })
      yield* Registry.register(one.registry, tool("slow"))
      assert.deepStrictEqual(calls.filter((call) => call.includes("slow")), ["+slow"])
      assert.deepStrictEqual(yield* synced(one, two), ["fast0 fast1 fast2 slow", "fast0 fast1 fast2 slow"])
    })))

  it.effect("runs one that looked again, and gives it up at last", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process()
      let runs = 0
      const looking = (most: number) =>
        Registry.transact(
          one.registry,
          Effect.gen(function*() {
            const size = yield* Registry.size(one.registry)
            if (runs++ < most) yield* Registry.detached(Registry.register(two.registry, tool(`fast${runs}`)))
            yield* Registry.register(one.registry, tool(`one${runs} of ${size + 1}`))
          })
        )
      yield* looking(2)
      assert.strictEqual(runs, 3)
      assert.strictEqual(yield* names(one.registry), "fast1 fast2 one3 of 3")
      runs = 0
      const failed = yield* Effect.flip(
        Registry.unregisterBy(one.registry, "name", "fast1").pipe(
          Effect.andThen(Registry.unregisterBy(one.registry, "name", "fast2")),
          Effect.andThen(looking(Infinity))
        )
      ) as Effect.Effect<RegistryError.RegistryUnavailable>
      assert.strictEqual(failed.code, "contended")
      assert.strictEqual(runs, 64)
    })), 60_000)
})

describe("S16 with transactAll", () => {
  const locally = Registry.make<Tool>()({ name: "local", lookup: ["name"] })

  it.effect("local registries are published with the shared one, also after a conflict", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process()
      const local = yield* locally
      yield* Effect.all([both(one, local, "a"), Registry.register(two.registry, tool("b"))], {
        concurrency: "unbounded"
      })
      assert.isTrue(yield* Registry.has(local, "name", "a"))
      assert.deepStrictEqual((yield* synced(one, two)).map((list) => list.split(" ").toSorted().join()), ["a,b", "a,b"])
    })))

  it.effect("nothing is published where the log refuses", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process(quick)
      const local = yield* locally
      one.faults.isDead = true
      assert.notStrictEqual(yield* codeOf(both(one, local, "a")), "ok")
      assert.isFalse(yield* Registry.has(local, "name", "a"))
      assert.isFalse(yield* Registry.has(one.registry, "name", "a"))
    })))

  it.effect("two shared registries are refused", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process()
      const exit = yield* Effect.exit(Registry.transactAll([one.registry, two.registry], Effect.void))
      assert.isTrue(Exit.isFailure(exit))
      assert.match(
        (Cause.squash((exit as Exit.Failure<void, unknown>).cause) as Error).message,
        /two shared registries/
      )
    })))
})

describe("S17", () => {
  it.effect("costs a poll where a hint is lost", () =>
    withStore((store) =>
      Effect.gen(function*() {
        store.hints = false
        const one = yield* process()
        const two = yield* process({ poll: "2 seconds" })
        yield* Registry.register(one.registry, tool("a"))
        yield* Effect.sleep("2500 millis")
        assert.strictEqual(yield* names(two.registry), "a")
      })
    ))
})

describe("S18 a process", () => {
  it.effect("that fell behind a truncation ends as all others, with balanced hooks", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const { calls, hooks } = counting()
        const one = yield* process({ checkpoint: { every: 5, keep: 2 }, history: 1 })
        const two = yield* process({ hooks })
        yield* Registry.registerAll(one.registry, [tool("a"), tool("b")])
        yield* synced(two)
        two.faults.isDead = true
        yield* Registry.unregisterBy(one.registry, "name", "a")
        for (let i = 0; i < 12; i++) yield* Registry.register(one.registry, tool(`c${i}`))
        yield* Effect.sleep("5 seconds")
        assert.isAbove(store.state.dropped, 3)
        two.faults.isDead = false
        const [mine, others] = yield* synced(one, two)
        assert.strictEqual(mine, others)
        assert.strictEqual(calls.filter((call) => call === "-a").length, 1)
        assert.strictEqual(calls.filter((call) => call === "+c11").length, 1)
        assert.strictEqual(calls.filter((call) => call === "+b").length, 1)
      })
    ))

  it.effect("whose log went back ends as all others, and is told by a revision that goes back", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const { calls, hooks } = counting()
        const one = yield* process({ hooks })
        const two = yield* process()
        yield* Registry.register(one.registry, tool("a"))
        yield* synced(two)
        const backup = store.state
        yield* Registry.register(one.registry, tool("b"))
        yield* Registry.register(one.registry, tool("c"))
        yield* synced(one, two)
        store.state = backup
        assert.deepStrictEqual(yield* synced(one, two), ["a", "a"])
        yield* Registry.register(two.registry, tool("d"))
        assert.deepStrictEqual(yield* synced(one, two), ["a d", "a d"])
        assert.deepStrictEqual(
          calls.filter((call) => /[-+]/.test(call)),
          ["+a", "+b", "+c", "-b", "-c", "+d"].toSorted(byCall(calls))
        )
      })
    ))
})

/** In the order in which calls were made. */
const byCall = (calls: ReadonlyArray<string>) => (one: string, other: string) =>
  calls.indexOf(one) - calls.indexOf(other)

describe("S19 what this version cannot read", () => {
  it.effect("disturbs nothing else, and lets nothing be written until it is gone", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process({ checkpoint: { every: 1, keep: 1 } })
        yield* Registry.register(one.registry, tool("a"))
        newer(store, [["insert", 9_000_000, { title: "b" }, {}]])
        newer(store, [["insert", 9_000_001, { name: "c", kind: "read" }, {}]])
        assert.deepStrictEqual(yield* synced(one), ["a c"])
        const { readOnly, unreadable } = yield* SharedRegistry.status(one.registry)
        assert.strictEqual(unreadable, 1)
        assert.match(readOnly!.message, /^Could not carry out a change of the shared registry "tools": .*1 item/)
        const saved = store.state.checkpoint
        assert.strictEqual(yield* codeOf(Registry.register(one.registry, tool("d"))), "read_only")
        yield* Effect.sleep("5 seconds")
        assert.strictEqual(store.state.checkpoint, saved)
        const [id] = Array.from((yield* noProblems).entries).find(([, { item }]) => "title" in item)!
        newer(store, [["remove", id]])
        yield* synced(one)
        yield* Registry.register(one.registry, tool("d"))
        assert.deepStrictEqual(yield* synced(one), ["a c d"])
      })
    ))

  for (const [title, ops, v] of [["an operation", [["explode"]], 1], ["a format", [], 2]] as const) {
    it.effect(`of ${title} makes it stand still, and it answers what it had`, () =>
      withStore((store) =>
        Effect.gen(function*() {
          const one = yield* process()
          yield* Registry.register(one.registry, tool("a"))
          const { session } = yield* SharedRegistry.status(one.registry)
          newer(store, ops, v)
          newer(store, [["insert", 9_000_001, { name: "c" }, {}]])
          assert.strictEqual(yield* codeOf(SharedRegistry.sync(one.registry)), "read_only")
          assert.strictEqual(yield* names(one.registry), "a")
          assert.strictEqual(yield* codeOf(Registry.register(one.registry, tool("d"))), "read_only")
          // A11: others can end it
          yield* Effect.sleep("1 second")
          assert.isFalse(store.leases.has(session.id))
        })
      ))
  }
})

describe("S20", () => {
  it.effect("subscribes in one process since a revision of another one, also beyond what it keeps", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      yield* Registry.register(one.registry, tool("a"))
      const position = yield* SharedRegistry.position(one.registry)
      yield* Registry.register(one.registry, tool("b"))
      yield* Registry.replace(one.registry, "name", "a", tool("c"))
      const two = yield* process()
      for (const since of [position, position.revision]) {
        const { changes } = yield* Registry.subscribe(two.registry, { since })
        const told = yield* Stream.runCollect(Stream.take(changes, 2))
        const events = told.flatMap((change) => change.events)
        assert.deepStrictEqual(events.map((event) => [event._tag, (event as any).item.name]), [
          ["Registered", "b"],
          ["Replaced", "c"]
        ])
        assert.deepStrictEqual(told.map(({ snapshot }) => Array.from(snapshot, ({ name }) => name).join()), [
          "a,b",
          "c,b"
        ])
      }
    })))
})

describe("S21", () => {
  it.effect("ends sessions early at worst where the clock of the store jumps", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process()
        const two = yield* process()
        yield* scopedIn(one.registry, tool("a"))
        for (const jump of [3_600_000, -7_200_000, 3_600_000]) {
          store.clock += jump
          yield* Effect.sleep("60 seconds")
          assert.deepStrictEqual(yield* synced(one, two), ["a", "a"])
        }
        yield* noProblems
      })
    ))

  it.effect("takes no notice of how much time passes in a process", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process()
        const two = yield* process()
        yield* scopedIn(one.registry, tool("a"))
        one.faults.isDead = true
        yield* Effect.sleep("10 minutes")
        // by the clock of the store, nothing has expired
        assert.deepStrictEqual(yield* synced(two), ["a"])
        store.clock += 60_000
        yield* Effect.sleep("20 seconds")
        assert.deepStrictEqual(yield* synced(two), [""])
      })
    ))
})

describe("S22", () => {
  it.effect("leaves no write half done wherever it is interrupted", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process({ hooks: counting().hooks })
      const two = yield* process()
      for (let turns = 0; turns < 40; turns++) {
        const fiber = yield* Effect.forkChild(
          Registry.registerAll(one.registry, [tool(`a${turns}`), tool(`b${turns}`)])
        )
        for (let i = 0; i < turns; i++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        const [mine, others] = yield* synced(one, two)
        assert.strictEqual(mine, others)
        assert.strictEqual(mine!.includes(`a${turns}`), mine!.includes(`b${turns}`))
      }
      const { entries } = yield* noProblems
      assert.isAbove(entries.size, 0)
      assert.isBelow(entries.size, 80)
    })))

  it.effect("waits at most as long as its patience where the log does not answer", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process(quick)
      one.faults.isDead = true
      const fiber = yield* Effect.forkChild(Registry.register(one.registry, tool("a")))
      yield* Effect.sleep("100 millis")
      const [took] = yield* Effect.timed(Fiber.interrupt(fiber))
      assert.isAtMost(Number(took.pipe((duration) => JSON.parse(JSON.stringify(duration)).millis ?? 0)), 1_100)
      const [closing] = yield* Effect.timed(one.close)
      assert.isAtMost(Number(JSON.parse(JSON.stringify(closing)).millis ?? 0), 1_100)
    })))
})

describe("S23", () => {
  it.effect("asks the log with nothing of the caller in its context", () =>
    withLog(Effect.gen(function*() {
      const Connection = Context.Reference<string>("test/Connection", { defaultValue: () => "of the log" })
      const seen = new Set<string>()
      const around = (log: Log): Log => ({
        ...log,
        append: (registry, after, record) =>
          Effect.flatMap(Connection, (connection) => {
            seen.add(connection)
            return log.append(registry, after, record)
          })
      })
      const one = yield* process({}, { around })
      const inside = Effect.gen(function*() {
        yield* Registry.register(one.registry, tool("a"))
        yield* Registry.transact(one.registry, Registry.register(one.registry, tool("b")))
        yield* Effect.scoped(Registry.registerScoped(one.registry, tool("c")))
        yield* Registry.reset(one.registry)
        yield* Registry.populate(one.registry)
      })
      yield* Effect.provideService(inside, Connection, "of the caller")
      assert.deepStrictEqual(Array.from(seen), ["of the log"])
    })))
})

const nothing = (before: number) =>
  Effect.map(records, (all) => assert.strictEqual(all.length, before, "records of the log"))

/** Appends are carried out, or not, and never answered, while `isOn`. */
const unanswered = (isCarriedOut: boolean) => {
  const fault = { isOn: false }
  const around = (log: Log): Log => ({
    ...log,
    append: (registry, after, record) => {
      if (!fault.isOn) return log.append(registry, after, record)
      return isCarriedOut ? Effect.andThen(log.append(registry, after, record), Effect.fail(lost())) : Effect.never
    },
    read: (registry, after, limit) => fault.isOn ? Effect.never : log.read(registry, after, limit)
  })
  return { fault, around }
}

const both = (one: Process, local: Registry.Registry<Tool, any>, name: string) =>
  Registry.transactAll(
    [one.registry, local],
    Effect.andThen(Registry.register(one.registry, tool(name)), Registry.register(local, tool(name)))
  )

const newer = (store: Store.Store, ops: ReadonlyArray<unknown>, v = 1) => {
  const { id, revision } = store.state.rows.at(-1)!.cursor
  const next = { revision: revision + 1, id: `newer${revision}`, token: "" }
  const body = JSON.stringify({ v, prev: id, session: "x", lookups: "", ops })
  store.state = { ...store.state, rows: [...store.state.rows, { cursor: next, body }] }
}

describe("hooks that are added with what is there", () => {
  it.effect("are told of each item once, and stay, where others were first", () =>
    withLog(Effect.gen(function*() {
      const { around, hold, letGo, sent } = yield* held
      const one = yield* process({}, { around })
      const two = yield* process()
      yield* Registry.register(one.registry, tool("a"))
      yield* synced(one, two)
      const known = new Map<string, number>()
      const count = (more: number) => ({ name }: Tool) =>
        Effect.sync(() => void known.set(name, (known.get(name) ?? 0) + more))
      const companion = (item: Tool) =>
        Effect.andThen(
          count(1)(item),
          item.name === "a" ? Effect.orDie(Registry.upsert(one.registry, tool("friend"))) : Effect.void
        )
      yield* hold
      const adding = yield* Effect.forkChild(
        Registry.addHooks(one.registry, { onItemRegistered: companion, onItemUnregistered: count(-1) }, {
          existing: true
        })
      )
      yield* sent
      yield* Registry.reset(two.registry)
      yield* Registry.populate(two.registry)
      yield* Registry.register(two.registry, tool("b"))
      yield* Registry.register(two.registry, tool("a"))
      yield* letGo
      yield* Fiber.join(adding)
      yield* Registry.register(two.registry, tool("c"))
      const [mine, others] = yield* synced(one, two)
      assert.strictEqual(mine, others)
      assert.deepStrictEqual(
        Array.from(known).filter(([, times]) => times !== 0).toSorted(),
        mine!.split(" ").map((name) => [name, 1]).toSorted()
      )
    })))
})

describe("what cannot be", () => {
  it.effect("a change under Effect.runSync dies with a message, and a read does not", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const before = (yield* records).length
      const exit = Effect.runSyncExit(Registry.register(one.registry, tool("a")) as Effect.Effect<void>)
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(
        (Cause.squash((exit as Exit.Failure<void, unknown>).cause) as Error).message,
        "\"tools\" has to wait for its log: use Effect.runPromise instead of Effect.runSync."
      )
      assert.strictEqual(Effect.runSync(Registry.size(one.registry) as Effect.Effect<number>), 0)
      yield* synced(one)
      assert.strictEqual((yield* records).length, before)
    })))

  it.effect("a name that is too long for channels of engines is refused", () =>
    withLog(Effect.gen(function*() {
      const exit = yield* Effect.exit(
        SharedRegistry.make<string>()({ name: "é".repeat(101), schema: Schema.String, lookup: [], lifetime: "cluster" })
      )
      assert.include(Cause.pretty((exit as Exit.Failure<unknown, unknown>).cause), "a name of 202 bytes")
    })))
})

describe("spans", () => {
  it.effect("have each append, in the operation that writes", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process({ hooks: counting().hooks })
      const { told, tracer } = recorder()
      yield* Effect.withTracer(Registry.register(one.registry, tool("a")), tracer)
      assert.deepStrictEqual(
        told().filter(({ name }) => name === "Registry.append"),
        [{
          name: "Registry.append",
          registry: "tools",
          operation: "append",
          parent: "Registry.register",
          ended: "Success"
        }]
      )
    })))
})
