/** Executions that broke an earlier design of shared registries, each with the rule that mends it. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Schema, Scope, Stream } from "effect"
import { Lookup, Registry, RegistryResource } from "effect-registry"
import { RegistryLog, SharedRegistry } from "effect-registry/shared"
import { Fold } from "../src/internal/shared/fold.ts"
import { parse } from "../src/internal/shared/record.ts"
import {
  codeOf,
  counting,
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

describe("A1", () => {
  it.effect("an outage longer than the ttl ends no session, and who joins right after it resets nothing", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const all = yield* Effect.all([process(), process(), process()])
        yield* scopedIn(all[0]!.registry, tool("a"))
        yield* Registry.register(all[1]!.registry, tool("b"))
        yield* synced(...all)
        const before = (yield* noProblems).sessions
        for (const { faults } of all) faults.isDead = true
        yield* Effect.sleep("30 seconds")
        store.clock += 30_000
        const joining = yield* Effect.forkChild(process())
        yield* Effect.yieldNow
        // one of them is back before the others, and has no reason to end them
        all[0]!.faults.isDead = false
        yield* Effect.sleep("12 seconds")
        for (const { faults } of all) faults.isDead = false
        const joiner = yield* Fiber.join(joining)
        yield* Effect.sleep("40 seconds")
        assert.deepStrictEqual(yield* synced(...all, joiner), ["a b", "a b", "a b", "a b"])
        const after = (yield* noProblems).sessions
        assert.strictEqual(after.size, 4)
        for (const session of before) assert.isTrue(after.has(session))
      })
    ))

  it.effect("of two that join at once and find nobody, one resets, and the other sees what that one wrote", () =>
    withLog(Effect.gen(function*() {
      const first = yield* process()
      yield* Registry.register(first.registry, tool("old"))
      yield* first.close
      const defaults = [tool("a")]
      const [one, two] = yield* Effect.all([process({ defaults }), process({ defaults })], { concurrency: "unbounded" })
      yield* Registry.register(one.registry, tool("b"))
      assert.deepStrictEqual(yield* synced(one, two), ["a b", "a b"])
      const anew = (yield* noProblems).trace.filter((line) => line.includes("anew"))
      assert.strictEqual(anew.length, 2)
    })))

  it.effect("a full restart begins anew for a cluster, and not where the items are data", () =>
    withLog(Effect.gen(function*() {
      for (const [lifetime, seen] of [["cluster", "a"], ["forever", "a b"]] as const) {
        const options = { lifetime, defaults: [tool("a")] }
        const one = yield* process(options)
        if (lifetime === "cluster") yield* Registry.register(one.registry, tool("b"))
        else yield* Registry.upsert(one.registry, tool("b"))
        yield* one.close
        const two = yield* process(options)
        assert.strictEqual(yield* names(two.registry), seen)
        yield* two.close
      }
    })))
})

describe("A2", () => {
  it.effect("a checkpoint by an older schema keeps the JSON of each item as it came", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const { id, revision } = { id: "", revision: 0 }
        const item = { name: "a", kind: "read", extra: { nested: [1, "two"] } }
        const body = {
          v: 1,
          prev: id,
          session: "newer",
          lookups: "",
          ops: [["begin", "newer", 1], ["insert", 1, item, {}], ["populated", 1]]
        }
        store.leases.set("newer", 1e12)
        store.state = {
          ...store.state,
          rows: [{ cursor: { revision: revision + 1, id: "first", token: "" }, body: JSON.stringify(body) }]
        }
        const one = yield* process({ checkpoint: { every: 3, keep: 1 }, history: 1 })
        for (const name of ["b", "c", "d", "e", "f"]) yield* Registry.register(one.registry, tool(name))
        yield* Effect.sleep("3 seconds")
        assert.isAbove(store.state.dropped, 1)
        assert.include(store.state.checkpoint!.body, JSON.stringify(item))
      })
    ))
})

describe("A3", () => {
  it.effect("a checkpoint and the records after it give what all records give", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process({ defaults: [tool("a")] })
      const two = yield* process()
      yield* Effect.forEach([one, two], ({ registry }, i) =>
        Effect.gen(function*() {
          yield* scopedIn(registry, tool(`scoped${i}`))
          yield* Registry.disable(registry, "name", `x${i}`, { reason: "test" })
          yield* Effect.flatMap(
            Scope.make(),
            (scope) => Scope.provide(Registry.override(registry, tool("a", `${i}`)), scope)
          )
          yield* Registry.insert(registry, tool(`first${i}`), "first")
          yield* Registry.replace(registry, "name", `first${i}`, tool(`other${i}`))
          if (i === 0) yield* Registry.reset(registry)
          yield* Registry.populate(registry)
        }))
      const all = yield* records
      const take = (fold: Fold, from: number) => {
        for (const { body, cursor } of all.slice(from)) {
          const record = parse(body)!
          if ("ops" in record && record.prev === fold.id) fold.take(cursor.id, record)
        }
        return fold
      }
      const whole = take(new Fold(), 0).toCheckpoint()
      for (let at = 1; at <= all.length; at++) {
        const fold = new Fold()
        for (const { body, cursor } of all.slice(0, at)) fold.take(cursor.id, parse(body) as never)
        assert.deepStrictEqual(
          JSON.parse(take(Fold.fromCheckpoint(fold.toCheckpoint())!, at).toCheckpoint()),
          JSON.parse(whole),
          `after ${at} records`
        )
      }
    })))

  it.effect("a process that comes back past its own end, which was cut off, has another session", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process()
        const two = yield* process({ checkpoint: { every: 3, keep: 1 }, history: 1 })
        yield* scopedIn(one.registry, tool("a"))
        const { session } = yield* SharedRegistry.status(one.registry)
        one.faults.isDead = true
        yield* Effect.sleep("30 seconds")
        store.clock += 60_000
        yield* Effect.sleep("30 seconds")
        for (const name of ["b", "c", "d", "e", "f"]) yield* Registry.register(two.registry, tool(name))
        yield* Effect.sleep("5 seconds")
        assert.isUndefined(store.state.rows.find(({ body }) => body.includes(`"end","${session.id}"`)))
        one.faults.isDead = false
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(yield* synced(one, two), ["b c d e f a", "b c d e f a"])
        const now = (yield* SharedRegistry.status(one.registry)).session
        assert.notStrictEqual(now.id, session.id)
        assert.strictEqual(now.state, "live")
      })
    ))
})

describe("A5", () => {
  it.effect("an answer that was lost, and a place that was cut since, is an unknown outcome", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const fault = { isOn: false }
        const two = yield* process()
        const around = (log: Log): Log => ({
          ...log,
          append: (registry, after, record) => {
            if (!fault.isOn) return log.append(registry, after, record)
            fault.isOn = false
            return log.append(registry, after, record).pipe(
              Effect.andThen(Effect.forEach(["b", "c", "d"], (name) => Registry.register(two.registry, tool(name)))),
              Effect.andThen(Effect.sync(() => store.cut(store.state.rows.at(-1)!.cursor.revision - 1))),
              Effect.orDie,
              Effect.andThen(Effect.fail(lost()))
            )
          }
        })
        const one = yield* process({ lifetime: "forever" }, { around })
        yield* synced(one, two)
        fault.isOn = true
        assert.strictEqual(
          yield* codeOf(Registry.register(one.registry, { name: "a", kind: "keyless" })),
          "unknown_outcome"
        )
      })
    ))

  it.effect("a driver that sends a record again unseen does not put it in twice", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process({}, { around: twice })
      yield* Registry.register(one.registry, tool("a"))
      yield* Registry.register(one.registry, tool("b"))
      assert.strictEqual((yield* records).length, 3)
      assert.strictEqual(yield* names(one.registry), "a b")
    })))
})

describe("A6", () => {
  it.effect("the end of a scope takes out nothing of another process, though a restored log uses its numbers again", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process()
        const two = yield* process()
        yield* synced(one, two)
        const dump = store.state
        const scope = yield* scopedIn(one.registry, tool("mine"))
        one.faults.isDead = true
        store.state = dump
        yield* Registry.register(two.registry, tool("theirs"))
        one.faults.isDead = false
        yield* SharedRegistry.sync(one.registry)
        yield* Scope.close(scope, Exit.void)
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(yield* synced(one, two), ["theirs", "theirs"])
      })
    ))
})

describe("A7 a process whose session was lost", () => {
  it.effect("keeps what it holds where the end was not written yet", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const { calls, hooks } = counting()
        const one = yield* process()
        const two = yield* process({ hooks })
        const scope = yield* scopedIn(one.registry, tool("a"))
        yield* synced(two)
        store.leases.delete((yield* SharedRegistry.status(one.registry)).session.id)
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(yield* synced(one, two), ["a", "a"])
        assert.deepStrictEqual(calls, ["+a"])
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* synced(one, two), ["", ""])
        yield* noProblems
      })
    ))

  it.effect("takes up what it held where it heard of its end by the log alone", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process({}, { around: withoutRenewal })
        const two = yield* process()
        yield* scopedIn(one.registry, tool("a"))
        const { session } = yield* SharedRegistry.status(one.registry)
        yield* Effect.sleep("20 seconds")
        store.clock += 60_000
        yield* Effect.sleep("20 seconds")
        assert.deepStrictEqual(yield* synced(one, two), ["a", "a"])
        assert.isFalse((yield* noProblems).sessions.has(session.id))
      })
    ))

  it.effect("does not bring back what somebody took out before its end", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process()
        const two = yield* process()
        yield* scopedIn(one.registry, tool("a"))
        yield* scopedIn(one.registry, tool("b"))
        one.faults.isDead = true
        yield* synced(two)
        yield* Registry.unregisterBy(two.registry, "name", "a")
        yield* Effect.sleep("20 seconds")
        store.clock += 60_000
        yield* Effect.sleep("20 seconds")
        assert.deepStrictEqual(yield* synced(two), [""])
        one.faults.isDead = false
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(yield* synced(one, two), ["b", "b"])
      })
    ))

  it.effect("leaves out what has another holder by now, and goes away quietly if it is to leave", () =>
    withStore((store) =>
      Effect.gen(function*() {
        for (const onLost of ["rejoin", "leave"] as const) {
          const one = yield* process({ session: { onLost } })
          const two = yield* process()
          yield* scopedIn(one.registry, tool(`a ${onLost}`))
          yield* scopedIn(one.registry, tool(`b ${onLost}`))
          one.faults.isDead = true
          yield* Effect.sleep("20 seconds")
          store.clock += 60_000
          yield* Effect.sleep("20 seconds")
          yield* Registry.register(two.registry, tool(`a ${onLost}`, "other"))
          one.faults.isDead = false
          yield* Effect.sleep("5 seconds")
          const [mine, others] = yield* synced(one, two)
          assert.strictEqual(mine, others)
          assert.strictEqual(mine!.includes(`b ${onLost}`), onLost === "rejoin")
          assert.strictEqual((yield* Registry.get(one.registry, "name", `a ${onLost}`)).kind, "other")
          yield* one.close
          yield* two.close
        }
      })
    ))

  it.effect("gets back what a log that went back has lost", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process()
        const two = yield* process()
        yield* synced(one, two)
        const dump = store.state
        yield* scopedIn(one.registry, tool("a"))
        yield* synced(one, two)
        store.state = dump
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(yield* synced(one, two), ["a", "a"])
      })
    ))
})

describe("A8", () => {
  it.effect("what another process amends stays with its scope, and is no orphan", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process()
      const scope = yield* scopedIn(one.registry, tool("a"))
      yield* synced(two)
      yield* Registry.replace(two.registry, "name", "a", tool("b"))
      yield* Effect.sleep("5 seconds")
      assert.deepStrictEqual(yield* synced(one, two), ["b", "b"])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* synced(one, two), ["", ""])
    })))

  it.effect("nor is what its own update with an unknown outcome has changed", () =>
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
      const scope = yield* scopedIn(one.registry, tool("a"))
      fault.isOn = true
      assert.strictEqual(yield* codeOf(Registry.replace(one.registry, "name", "a", tool("b"))), "unknown_outcome")
      fault.isOn = false
      yield* Effect.sleep("5 seconds")
      assert.deepStrictEqual(yield* synced(one), ["b"])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* synced(one), [""])
    })))
})

describe("A9 a hook that keeps a map has the contents", () => {
  const cases: {
    readonly [what: string]: (registry: Process["registry"]) => Effect.Effect<unknown, unknown, Scope.Scope>
  } = {
    "an item with the same key": (registry) => Registry.register(registry, tool("x", "other")),
    "a rule that fits": (registry) => Registry.disable(registry, "kind", "read", { reason: "test" }),
    "an override of it": (registry) => Registry.override(registry, tool("x", "above")),
    "a move of its anchor": (registry) => Registry.move(registry, "name", "y", "last"),
    "a reset": (registry) => Registry.reset(registry),
    "an update of what it replaces": (registry) => Registry.replace(registry, "name", "y", tool("y", "write"))
  }
  const changes: { readonly [what: string]: (registry: Process["registry"]) => Effect.Effect<unknown, unknown> } = {
    registers: (registry) => Registry.register(registry, tool("x")),
    inserts: (registry) => Registry.insert(registry, tool("x"), { before: ["name", "y"] }),
    replaces: (registry) => Registry.replace(registry, "name", "y", tool("x"))
  }
  for (const [what, other] of Object.entries(cases)) {
    for (const [kind, change] of Object.entries(changes)) {
      it.effect(`where ${what} comes first, and this process ${kind} something`, () =>
        withLog(
          Effect.gen(function*() {
            const { around, hold, letGo, sent } = yield* held
            const here = keeping()
            const one = yield* process({ hooks: here.hooks }, { around })
            const there = keeping()
            const two = yield* process({ hooks: there.hooks })
            yield* Registry.register(one.registry, tool("y"))
            yield* synced(one, two)
            yield* hold
            const changing = yield* Effect.forkChild(Effect.exit(change(one.registry)))
            yield* sent
            yield* other(two.registry)
            yield* letGo
            yield* Fiber.join(changing)
            const [mine, others] = yield* synced(one, two)
            assert.strictEqual(mine, others)
            for (const [{ map }, { registry }] of [[here, one], [there, two]] as const) {
              const items = yield* Registry.values(registry)
              assert.deepStrictEqual(
                Array.from(map.values(), ({ kind: of, name }) => `${name} ${of}`).toSorted(),
                items.map(({ kind: of, name }) => `${name} ${of}`).toSorted()
              )
            }
            yield* noProblems
          }).pipe(Effect.scoped)
        ))
    }
  }

  it.effect("refuses what does not fit any more, with the right error", () =>
    withLog(Effect.gen(function*() {
      const { around, hold, letGo, sent } = yield* held
      const one = yield* process({}, { around })
      const two = yield* process()
      yield* synced(one, two)
      yield* hold
      const registering = yield* Effect.forkChild(codeOf(Registry.register(one.registry, tool("a", "mine"))))
      yield* sent
      yield* Registry.register(two.registry, tool("a", "theirs"))
      yield* letGo
      assert.strictEqual(yield* Fiber.join(registering), "attribute_registered")
    })))

  it.effect("asks the invariant again after others were first", () =>
    withLog(Effect.gen(function*() {
      const { around, hold, letGo, sent } = yield* held
      const one = yield* process({ invariant: oneAtMost }, { around })
      const two = yield* process()
      yield* synced(one, two)
      yield* hold
      const registering = yield* Effect.forkChild(codeOf(Registry.register(one.registry, tool("a"))))
      yield* sent
      yield* Registry.register(two.registry, tool("b"))
      yield* letGo
      assert.strictEqual(yield* Fiber.join(registering), "full")
      assert.deepStrictEqual(yield* synced(one, two), ["b", "b"])
    })))
})

describe("A10", () => {
  it.effect("what a scope registers while its session ends goes in under the next one", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const { around, hold, letGo, sent } = yield* held
        const one = yield* process({ patience: "10 minutes" }, { around })
        const two = yield* process()
        yield* synced(one, two)
        const { session } = yield* SharedRegistry.status(one.registry)
        yield* hold
        const registering = yield* Effect.forkChild(scopedIn(one.registry, tool("a")))
        yield* sent
        store.leases.delete(session.id)
        yield* Effect.sleep("30 seconds")
        yield* letGo
        const scope = yield* Fiber.join(registering)
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(yield* synced(one, two), ["a", "a"])
        const { entries } = yield* noProblems
        const now = (yield* SharedRegistry.status(one.registry)).session.id
        assert.deepStrictEqual(Array.from(entries.values(), (entry) => entry.session), [now])
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* synced(one, two), ["", ""])
      })
    ))
})

/** A version of the program that knows other items. */
const newer = <Item>(schema: Schema.Codec<Item, any>, select: (item: Item) => string) =>
  SharedRegistry.make<Item>()({
    name: "tools",
    schema,
    lookup: { name: Lookup.unique(select) },
    lifetime: "cluster"
  })

describe("A11", () => {
  it.effect("older processes end the only one of a newer version when it was killed, and can write again", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process()
        const scope = yield* Scope.make()
        const log = yield* RegistryLog.RegistryLog
        const faults = { isDead: false }
        const dying: Log = {
          ...log,
          sessions: {
            ...log.sessions,
            renew: (id, ttl) => faults.isDead ? Effect.never : log.sessions.renew(id, ttl),
            close: () => Effect.never
          }
        }
        const two = yield* newer(Schema.Struct({ title: Schema.String }), ({ title }) => title).pipe(
          Scope.provide(scope),
          Effect.provideService(RegistryLog.RegistryLog, dying)
        )
        yield* Scope.provide(Registry.registerScoped(two, { title: "a" }), yield* Scope.make())
        yield* SharedRegistry.sync(one.registry)
        assert.strictEqual(yield* codeOf(Registry.register(one.registry, tool("b"))), "read_only")
        faults.isDead = true
        yield* Scope.close(scope, Exit.void)
        store.clock += 60_000
        yield* Effect.sleep("40 seconds")
        yield* SharedRegistry.sync(one.registry)
        assert.strictEqual(yield* codeOf(Registry.register(one.registry, tool("b"))), "ok")
      })
    ))

  it.effect("a closing scope takes out what it registered, though something there cannot be read", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process({ poll: "1 hour" })
        const scope = yield* scopedIn(one.registry, tool("a"))
        const { id, revision } = store.state.rows.at(-1)!.cursor
        const ops = [["insert", 9_000_000, { title: "b" }, {}]]
        const body = JSON.stringify({ v: 1, prev: id, session: "newer", lookups: "", ops })
        const cursor = { revision: revision + 1, id: "newer", token: "" }
        store.state = { ...store.state, rows: [...store.state.rows, { cursor, body }] }
        yield* SharedRegistry.sync(one.registry)
        assert.strictEqual((yield* SharedRegistry.status(one.registry)).unreadable, 1)
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* names(one.registry), "")
        assert.strictEqual((yield* noProblems).entries.size, 1)
      })
    ))
})

describe("A12", () => {
  it.effect("a version whose selectors answer other keys applies what was decided, as it was decided", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* newer(
        Schema.Struct({ name: Schema.String, kind: Schema.optionalKey(Schema.String) }),
        ({ name }) => name.toLowerCase()
      )
      yield* Registry.register(one.registry, tool("a"))
      yield* Effect.flatMap(Scope.make(), (scope) => Scope.provide(Registry.override(one.registry, tool("A")), scope))
      yield* SharedRegistry.sync(two)
      // the one sees two items, and the other has a key for one of them
      assert.strictEqual(yield* names(one.registry), "a A")
      assert.strictEqual(yield* Registry.size(two), 1)
      assert.strictEqual((yield* SharedRegistry.status(two)).unreadable, 1)
      yield* Registry.disable(one.registry, "name", "a", { reason: "test" })
      yield* SharedRegistry.sync(two)
      assert.deepStrictEqual((yield* Registry.values(two)).map(({ name }) => name), ["A"])
      assert.strictEqual((yield* SharedRegistry.status(two)).unreadable, 0)
    })))
})

describe("A13", () => {
  it.effect("a checkpoint that is newer than the log, after a restore, does not count", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process({ lifetime: "forever", checkpoint: { every: 3, keep: 1_000 } })
        yield* Registry.register(one.registry, tool("a"))
        const { rows } = store.state
        for (const name of ["b", "c", "d", "e"]) yield* Registry.register(one.registry, tool(name))
        yield* Effect.sleep("3 seconds")
        yield* one.close
        assert.isDefined(store.state.checkpoint)
        store.state = { ...store.state, rows }
        const two = yield* process({ lifetime: "forever" })
        assert.deepStrictEqual(yield* synced(two), ["a"])
        for (const name of ["f", "g", "h", "i", "j"]) yield* Registry.register(two.registry, tool(name))
        const three = yield* process({ lifetime: "forever" })
        assert.deepStrictEqual(yield* synced(two, three), ["a f g h i j", "a f g h i j"])
      })
    ))
})

describe("A14", () => {
  it.effect("an acquire that hangs for what another process did holds nothing up, and the item is in", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process({
        hooks: { acquire: ({ name }: Tool) => name === "poison" ? Effect.never : Effect.void }
      })
      yield* Registry.register(one.registry, tool("poison"))
      yield* Registry.register(one.registry, tool("a"))
      assert.deepStrictEqual(yield* synced(one, two), ["poison a", "poison a"])
      yield* Registry.register(two.registry, tool("b"))
      assert.deepStrictEqual(yield* synced(one, two), ["poison a b", "poison a b"])
    })))

  it.effect("one that fails there fails the lease, which tries again; what was acquired is released when the item goes", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const log: Array<string> = []
      let attempts = 0
      const two = yield* process({
        hooks: {
          acquire: ({ name }: Tool) =>
            name === "flaky" && ++attempts < 3 ? Effect.fail("down") : Effect.acquireRelease(
              Effect.sync(() => void log.push(`+${name}`)),
              () => Effect.sync(() => void log.push(`-${name}`))
            )
        }
      })
      yield* Registry.registerAll(one.registry, [tool("a"), tool("flaky")])
      yield* synced(two)
      yield* Effect.sleep(100)
      assert.strictEqual(attempts, 1)
      assert.deepStrictEqual(log, ["+a"])
      const leasing = Effect.scoped(Registry.lease(two.registry, "name", "flaky"))
      assert.strictEqual(yield* codeOf(leasing), "acquire")
      assert.strictEqual((yield* leasing).name, "flaky")
      assert.deepStrictEqual(log, ["+a", "+flaky"])
      yield* Registry.replace(one.registry, "name", "a", tool("b"))
      yield* Registry.unregisterBy(one.registry, "name", "flaky")
      yield* synced(two)
      yield* Effect.sleep(100)
      assert.deepStrictEqual(log.toSorted(), ["+a", "+b", "+flaky", "-a", "-flaky"])
      yield* two.close
      assert.deepStrictEqual(log.toSorted(), ["+a", "+b", "+flaky", "-a", "-b", "-flaky"])
    })))

  it.effect("an item that takes the place of one that is being acquired is acquired, too, and the other is released", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const log: Array<string> = []
      const two = yield* process({
        hooks: {
          acquire: ({ name }: Tool) =>
            Effect.acquireRelease(
              Effect.andThen(Effect.sleep(200), Effect.sync(() => void log.push(`+${name}`))),
              () => Effect.sync(() => void log.push(`-${name}`))
            )
        }
      })
      yield* Registry.register(one.registry, tool("a"))
      yield* synced(two)
      yield* Registry.replace(one.registry, "name", "a", tool("b"))
      yield* synced(two)
      yield* Effect.sleep("1 second")
      assert.deepStrictEqual(log.toSorted(), ["+a", "+b", "-a"])
    })))

  it.effect("a resource of what another process registered is there", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process()
      const resources = yield* RegistryResource.make(two.registry, ({ name }: Tool) =>
        Effect.succeed(`client of ${name}`))
      yield* Registry.register(one.registry, tool("a"))
      yield* synced(two)
      const client = RegistryResource.get(resources, "name", "a")
      assert.strictEqual(yield* Effect.scoped(client), "client of a")
    })))

  it.effect("a hook that hangs for what another process did is left behind, and others go on", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process()
      const two = yield* process({
        ...quick,
        hooks: { onItemRegistered: ({ name }: Tool) => name === "poison" ? Effect.never : Effect.void }
      })
      yield* Registry.register(one.registry, tool("poison"))
      yield* Registry.register(one.registry, tool("a"))
      yield* Effect.sleep("5 seconds")
      assert.deepStrictEqual(yield* synced(one, two), ["poison a", "poison a"])
      yield* Registry.register(two.registry, tool("b"))
      assert.deepStrictEqual(yield* synced(one, two), ["poison a b", "poison a b"])
    })))
})

describe("A15", () => {
  it.effect("a write that would change nothing looks at the head first", () =>
    withStore((store) =>
      Effect.gen(function*() {
        store.hints = false
        const one = yield* process({ poll: "1 hour" })
        const two = yield* process({ poll: "1 hour" })
        yield* Registry.register(one.registry, tool("x"))
        yield* synced(one, two)
        yield* Registry.unregisterBy(two.registry, "name", "x")
        yield* Registry.upsert(one.registry, tool("x"))
        assert.deepStrictEqual(yield* synced(one, two), ["x", "x"])
        yield* Registry.register(two.registry, tool("y"))
        yield* Registry.unregisterBy(one.registry, "name", "y")
        assert.deepStrictEqual(yield* synced(one, two), ["x", "x"])
      })
    ))
})

describe("A16", () => {
  it.effect("the end of a session is a small record, however much it takes out", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process()
        const two = yield* process()
        const scope = yield* Scope.make()
        const many = Array.from({ length: 500 }, (_, i) => tool(`a${i}`))
        yield* Scope.provide(Registry.registerAllScoped(one.registry, many), scope)
        yield* synced(two)
        yield* one.kill
        store.clock += 60_000
        yield* Effect.sleep("40 seconds")
        assert.deepStrictEqual(yield* synced(two), [""])
        assert.isBelow(store.state.rows.at(-1)!.body.length, 500)
      })
    ))
})

describe("A17", () => {
  it.effect("a reset keeps what open scopes of all processes hold, and the next population brings it back in its order", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process({ defaults: [tool("d")] })
      const two = yield* process({ defaults: [tool("d")] })
      yield* scopedIn(one.registry, tool("a"))
      yield* putOnTop(one.registry, "below")
      yield* synced(two)
      yield* putOnTop(two.registry, "above")
      yield* Registry.register(two.registry, tool("plain"))
      yield* synced(one)
      yield* Registry.reset(one.registry)
      yield* SharedRegistry.sync(two.registry)
      yield* Registry.populate(two.registry)
      const [mine, others] = yield* synced(one, two)
      assert.strictEqual(mine, others)
      assert.strictEqual(mine, "d a o")
      assert.strictEqual((yield* Registry.get(one.registry, "name", "o")).kind, "above")
    })))
})

describe("A18", () => {
  it.effect("a rule of a process that was killed ends, though it held no item", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process()
        const two = yield* process()
        yield* Registry.register(two.registry, tool("a"))
        yield* SharedRegistry.sync(one.registry)
        const rule = Registry.disableScoped(one.registry, "name", "a", { reason: "test" })
        yield* Effect.flatMap(Scope.make(), (scope) => Scope.provide(rule, scope))
        assert.deepStrictEqual(yield* synced(two), [""])
        yield* one.kill
        store.clock += 60_000
        yield* Effect.sleep("40 seconds")
        const three = yield* process()
        assert.deepStrictEqual(yield* synced(two, three), ["a", "a"])
        assert.deepStrictEqual(yield* Registry.rules(three.registry), [])
      })
    ))
})

describe("A19", () => {
  it.effect("many scopes that close while the store is away take no longer than one", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process(quick)
      const scopes = yield* Effect.forEach(Array.from({ length: 100 }), (_, i) => scopedIn(one.registry, tool(`a${i}`)))
      one.faults.isDead = true
      const [, millis] = yield* millisOf(Effect.forEach(scopes, (scope) => Scope.close(scope, Exit.void)))
      assert.isAtMost(millis, 2_000)
      one.faults.isDead = false
      yield* Effect.sleep("5 seconds")
      assert.deepStrictEqual(yield* synced(one), [""])
    })))
})

describe("A20", () => {
  it.effect("an unknown outcome of transactAll says so: the local registry is as it was, the shared one may have changed", () =>
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
      const local = yield* Registry.make<Tool>()({ name: "local", lookup: ["name"] })
      fault.isOn = true
      const both = Registry.transactAll(
        [one.registry, local],
        Effect.andThen(Registry.register(one.registry, tool("a")), Registry.register(local, tool("a")))
      )
      assert.strictEqual(yield* codeOf(both), "unknown_outcome")
      fault.isOn = false
      assert.deepStrictEqual(yield* synced(one), ["a"])
      assert.strictEqual(yield* Registry.size(local), 0)
    })))
})

describe("A21", () => {
  it.effect("a record that was found, and not answered, is acknowledged after a later one that is", () =>
    withLog(Effect.gen(function*() {
      const fault = { isOn: false }
      const around = (log: Log): Log => ({
        ...log,
        append: (registry, after, record) => {
          if (!fault.isOn) return log.append(registry, after, record)
          fault.isOn = false
          return Effect.andThen(log.append(registry, after, record), Effect.fail(lost()))
        }
      })
      const one = yield* process({}, { around })
      const before = (yield* records).length
      fault.isOn = true
      yield* Registry.register(one.registry, tool("a"))
      const all = yield* records
      assert.strictEqual(all.length, before + 2)
      assert.deepStrictEqual(JSON.parse(all.at(-1)!.body).ops, [])
    })))
})

describe("A22", () => {
  it.effect("a thousand registries of a process ask one question a second for news, and each is told of its own", () =>
    withLog(Effect.gen(function*() {
      const log = yield* RegistryLog.RegistryLog
      const calls = { heads: 0, others: 0 }
      const other = <A, E>(effect: Effect.Effect<A, E>) => Effect.suspend(() => (calls.others++, effect))
      const counted: Log = {
        ...log,
        // no hint ever comes
        hints: () => Stream.never,
        read: (registry, after, limit) => other(log.read(registry, after, limit)),
        append: (registry, after, record) => other(log.append(registry, after, record)),
        heads: (registries) => Effect.suspend(() => (calls.heads++, log.heads(registries)))
      }
      const registries = yield* Effect.forEach(Array.from({ length: 1_000 }, (_, i) => `r${i}`), joinedAs).pipe(
        Effect.provideService(RegistryLog.RegistryLog, counted)
      )
      yield* Effect.forEach(registries, (registry) => Registry.populate(registry), { concurrency: "unbounded" })
      yield* Effect.sleep("3 seconds")
      Object.assign(calls, { heads: 0, others: 0 })
      const elsewhere = yield* joinedAs("r7")
      yield* Registry.register(elsewhere, "a")
      yield* Effect.sleep("10 seconds")
      assert.isAtMost(calls.heads, 11)
      assert.isAtLeast(calls.heads, 8)
      assert.isAtMost(calls.others, 3)
      assert.deepStrictEqual(yield* Registry.values(registries[7]!), ["a"])
    })))

  it.effect("one that has closed is not asked for any more", () =>
    withLog(Effect.gen(function*() {
      const log = yield* RegistryLog.RegistryLog
      let calls = 0
      const around = (): Log => ({
        ...log,
        heads: (registries) => Effect.suspend(() => (calls++, log.heads(registries)))
      })
      const one = yield* process({}, { around })
      yield* Effect.sleep("5 seconds")
      assert.isAtLeast(calls, 3)
      yield* one.close
      yield* Effect.sleep("2 seconds")
      const before = calls
      yield* Effect.sleep("5 seconds")
      assert.strictEqual(calls, before)
    })))
})

describe("A24", () => {
  it.effect("a subscriber that goes on from a revision which a restore has made another one is told so", () =>
    withStore((store) =>
      Effect.gen(function*() {
        const one = yield* process()
        const dump = store.state
        yield* Registry.register(one.registry, tool("a"))
        const since = yield* SharedRegistry.position(one.registry)
        store.state = dump
        yield* SharedRegistry.sync(one.registry)
        yield* Registry.register(one.registry, tool("b"))
        yield* Registry.register(one.registry, tool("c"))
        const { changes } = yield* Registry.subscribe(one.registry, { since })
        assert.strictEqual(yield* codeOf(Stream.runDrain(changes)), "lagged")
        const two = yield* process()
        const again = yield* Registry.subscribe(two.registry, { since })
        assert.strictEqual(yield* codeOf(Stream.runDrain(again.changes)), "lagged")
      })
    ))
})

describe("a log that is dropped", () => {
  it.effect("begins anew, with what open scopes hold", () =>
    withLog(Effect.gen(function*() {
      const one = yield* process({ defaults: [tool("d")] })
      const two = yield* process({ defaults: [tool("d")] })
      yield* scopedIn(one.registry, tool("a"))
      yield* Registry.register(two.registry, tool("b"))
      yield* synced(one, two)
      yield* SharedRegistry.drop("tools")
      yield* Effect.sleep("5 seconds")
      yield* synced(one, two)
      yield* Effect.sleep("5 seconds")
      const [mine, others] = yield* synced(one, two)
      assert.strictEqual(mine, others)
      assert.strictEqual(mine, "d a")
      yield* noProblems
    })))
})

describe("a shared registry", () => {
  it.effect("is not loaded late", () =>
    withLog(Effect.gen(function*() {
      class Tools extends SharedRegistry.Service<Tools, string>()("app/Late", {
        schema: Schema.String,
        lookup: [],
        lifetime: "cluster"
      }) {}
      const late = Registry.layerLazy(Tools as any, async () => Tools.layer as any)
      const exit = yield* Effect.exit(
        Effect.provide(Registry.populate(Tools) as Effect.Effect<void, any, any>, late as any)
      )
      assert.include(Cause.pretty((exit as Exit.Failure<void, unknown>).cause), "cannot be loaded late")
    }) as any))

  it.effect("that waits for its population is left alone by a process that never joined", () =>
    withLog(Effect.gen(function*() {
      const one = yield* unjoined()
      yield* one.close
      assert.strictEqual((yield* records).length, 0)
    })))
})

/** How many milliseconds passed. */
const millisOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const { currentTimeMillis } = yield* Effect.succeed(yield* Effect.clockWith((clock) => Effect.succeed(clock)))
    const before = yield* currentTimeMillis
    const value = yield* effect
    return [value, (yield* currentTimeMillis) - before] as const
  })

/** Keeps a map by name, as such hooks do. */
const keeping = () => {
  const map = new Map<string, Tool>()
  return {
    map,
    hooks: {
      onItemRegistered: (item: Tool) => Effect.sync(() => void map.set(item.name, item)),
      onItemUnregistered: ({ name }: Tool) => Effect.sync(() => void map.delete(name))
    }
  }
}

/** Sends each record twice. */
const twice = (log: Log): Log => ({
  ...log,
  append: (registry, after, record) =>
    Effect.andThen(log.append(registry, after, record), log.append(registry, after, record))
})

const oneAtMost = (draft: Iterable<Tool>) => Array.from(draft).length > 1 ? Effect.fail({ code: "full" }) : Effect.void

const putOnTop = (registry: Process["registry"], kind: string) =>
  Effect.flatMap(Scope.make(), (scope) => Scope.provide(Registry.override(registry, tool("o", kind)), scope))

/** Never answers whether a session lives. */
const withoutRenewal = (log: Log): Log => ({ ...log, sessions: { ...log.sessions, renew: () => Effect.never } })

const joinedAs = (name: string) =>
  SharedRegistry.make<string>()({
    name,
    schema: Schema.String,
    lookup: [],
    lifetime: "cluster",
    session: { ttl: "1 hour" }
  })
