import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Stream } from "effect"
import { RegistryLog } from "effect-registry/shared"
import { RegistryTest } from "effect-registry/testing"
import { TestClock } from "effect/testing"
import { bounded } from "../src/internal/shared/bounded.ts"
import { logChecks } from "../src/testing/logChecks.ts"

type Log = RegistryLog.RegistryLog["Service"]

RegistryTest.logLaws("a log in memory", RegistryLog.layerMemory)

const { start } = RegistryLog
const lease = Duration.seconds(10)

describe("a log in memory", () => {
  it.effect("A24 a session that was renewed in the future has expired: the clock was set back", () =>
    Effect.gen(function*() {
      const { sessions } = yield* RegistryLog.RegistryLog
      yield* TestClock.setTime(3_600_000)
      yield* sessions.open("one", lease)
      yield* TestClock.setTime(0)
      assert.deepStrictEqual(yield* sessions.living(["one"]), [])
      assert.isTrue(yield* sessions.renew("one", lease))
      assert.deepStrictEqual(yield* sessions.living(["one"]), ["one"])
      yield* TestClock.setTime(3_600_000)
      assert.deepStrictEqual(yield* sessions.bury(["one"]), ["one"])
    }).pipe(Effect.provide(RegistryLog.layerMemory)))

  it.effect("is one for those who are given the same, and one for each layer", () =>
    Effect.gen(function*() {
      const log = yield* RegistryLog.makeMemory
      yield* log.append("tools", start, { id: "a", body: "" })
      assert.strictEqual((yield* log.read("tools", start, 1)).head, 1)
      const heads = RegistryLog.RegistryLog.use((other) => other.heads(["tools"]))
      assert.deepStrictEqual(yield* Effect.provide(heads, RegistryLog.layerMemory), [start])
    }))
})

describe("the log of an engine", () => {
  it.effect("fails where the engine does not answer, with what may be carried out", () =>
    Effect.gen(function*() {
      const log = bounded({ ...(yield* RegistryLog.makeMemory), heads: () => Effect.never })
      const failing = yield* Effect.forkChild(Effect.flip(log.heads(["tools"])), { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      const { cause, definite } = yield* Fiber.join(failing)
      assert.isFalse(definite)
      assert.match(String(cause), /did not answer within 10 seconds/)
    }))

  it.effect("A22 refuses names of more than 200 bytes", () =>
    Effect.gen(function*() {
      const log = bounded(yield* RegistryLog.makeMemory)
      assert.isDefined(yield* log.append("ü".repeat(100), start, { id: "a", body: "" }))
      const name = "ü".repeat(101)
      for (
        const call of [
          log.append(name, start, { id: "a", body: "" }),
          log.read(name, start, 1),
          log.checkpoint(name),
          log.saveCheckpoint(name, { cursor: start, body: "" }, 0),
          log.drop(name)
        ]
      ) assert.isTrue((yield* Effect.flip(call)).definite)
    }))
})

/** Engines that do one thing as an engine must not, and a law that says so. */
const broken: ReadonlyArray<readonly [name: string, around: (log: Log) => Partial<Log>, law: RegExp]> = [
  [
    "takes any number of records for one place",
    (log) => ({
      append: (registry, _, record) =>
        Effect.flatMap(log.heads([registry]), ([head]) => log.append(registry, head!, record))
    }),
    /^S1 S2 /
  ],
  [
    "takes a record twice",
    (log) => ({
      append: (registry, after, { body }) => log.append(registry, after, { id: crypto.randomUUID(), body })
    }),
    /^S3 S6 the same record/
  ],
  [
    "does not say that a page is not the last",
    (log) => ({
      read: (registry, after, limit) =>
        Effect.map(log.read(registry, after, limit), (page) => ({ ...page, more: false }))
    }),
    /^S4 /
  ],
  [
    "does not say that it has gone back",
    (log) => ({
      read: (registry, after, limit) =>
        Effect.map(log.read(registry, after, limit), (page) => ({ ...page, head: Math.max(page.head, after.revision) }))
    }),
    /^(S18 a log|A5 A6) /
  ],
  [
    "does not say that it was cut",
    (log) => ({
      read: (registry, after, limit) =>
        Effect.map(
          log.read(registry, after, limit),
          (page) => page.records === "truncated" ? { ...page, records: [] } : page
        )
    }),
    /^A4 A5 /
  ],
  [
    "cuts the last record",
    (log) => ({
      saveCheckpoint: (registry, checkpoint, keep) =>
        Effect.andThen(log.saveCheckpoint(registry, checkpoint, keep), keep === 0 ? log.drop(registry) : Effect.void)
    }),
    /^S18 A13 /
  ],
  [
    "keeps any checkpoint",
    () => {
      const saved = new Map<string, RegistryLog.Checkpoint>()
      return {
        checkpoint: (registry) => Effect.succeed(saved.get(registry)),
        saveCheckpoint: (registry, checkpoint) => Effect.sync(() => void saved.set(registry, checkpoint))
      }
    },
    /^A13 /
  ],
  [
    "renews what was buried",
    ({ sessions }) => ({
      sessions: { ...sessions, renew: (id, ttl) => Effect.as(sessions.open(id, ttl), true) }
    }),
    /^(A1 a session|a session is renewed)/
  ],
  [
    "buries what has not expired",
    ({ sessions }) => ({
      sessions: {
        ...sessions,
        bury: (ids) => Effect.as(Effect.forEach(ids, (id) => sessions.close(id)), ids)
      }
    }),
    /^a session is renewed/
  ],
  [
    "drops nothing",
    () => ({ drop: () => Effect.void }),
    /^a log that was dropped/
  ],
  [
    "keeps a part of a checkpoint",
    (log) => ({
      saveCheckpoint: (registry, { body, cursor }, keep) =>
        log.saveCheckpoint(registry, { cursor, body: body.slice(0, 1 << 20) }, keep)
    }),
    /^A16 /
  ],
  [
    "answers heads in an order of its own",
    (log) => ({ heads: (registries) => Effect.map(log.heads(registries), (heads) => heads.toReversed()) }),
    /^A22 one question/
  ],
  [
    "takes two names for one",
    (log) => ({ append: (registry, after, record) => log.append(registry.toLowerCase(), after, record) }),
    /^A22 names/
  ],
  [
    "fails where somebody listens",
    () => ({ hints: () => Stream.fail(new RegistryLog.LogError({ cause: "none", definite: true })) }),
    /^S17 /
  ]
]

describe("logLaws", () => {
  it.live.each(broken)("finds an engine that %s", ([, around, law]) =>
    Effect.gen(function*() {
      const log = yield* RegistryLog.makeMemory
      const laws = Object.entries(logChecks).filter(([name]) => law.test(name))
      assert.isAbove(laws.length, 0)
      for (const [name, holds] of laws) {
        const exit = yield* Effect.exit(holds({ ...log, ...around(log) }, `broken ${name}`))
        assert.isTrue(Exit.isFailure(exit), name)
      }
    }))
})

/** What a program sees of thirty records for one place. */
const outcomes = (faults: RegistryTest.LogFaults) =>
  Effect.gen(function*() {
    const log = yield* RegistryLog.RegistryLog
    const seen: Array<string> = []
    for (let i = 0; i < 30; i++) {
      const writing = log.append("tools", start, { id: String(i), body: "" })
      const outcome = yield* Effect.match(Effect.timeoutOption(writing, 1), {
        onFailure: ({ definite }) => definite ? "refused" : "lost",
        onSuccess: ({ _tag }) => _tag
      })
      seen.push(outcome)
    }
    return seen
  }).pipe(Effect.provide(RegistryTest.layerFaulty(RegistryLog.layerMemory, faults)))

/** How many of three records for one place are in. */
const takenOfThree = (faults: RegistryTest.LogFaults) =>
  Effect.gen(function*() {
    const log = yield* RegistryLog.RegistryLog
    for (const id of ["a", "b", "c"]) yield* log.append("tools", start, { id, body: "" })
    return (yield* log.heads(["tools"]))[0]!.revision
  }).pipe(Effect.provide(RegistryTest.layerFaulty(RegistryLog.layerMemory, faults)))

describe("layerFaulty", () => {
  it.live("does the same with the same seed, and something else with another one", () =>
    Effect.gen(function*() {
      const faults = { refuses: 0.3, loses: 0.3, late: 0.1, doubles: 0.1 }
      const one = yield* outcomes({ ...faults, seed: 7 })
      assert.deepStrictEqual(yield* outcomes({ ...faults, seed: 7 }), one)
      assert.notDeepEqual(yield* outcomes({ ...faults, seed: 8 }), one)
      assert.includeMembers(one, ["refused", "lost", "Some"])
    }))

  it.live("accepts two records for one place, and does nothing that it was not asked for", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* takenOfThree({ doubles: 1 }), 3)
      assert.strictEqual(yield* takenOfThree({}), 1)
    }))
})
