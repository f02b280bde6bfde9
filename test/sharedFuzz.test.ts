/** Random programs of several processes that share a registry over a log that fails. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, References, Scope, Stream } from "effect"
import { Registry } from "effect-registry"
import { RegistryLog, SharedRegistry } from "effect-registry/shared"
import { contentsOf } from "../src/internal/coreOf.ts"
import { allEntries } from "../src/internal/store/contents.ts"
import { type Faults, noFaults } from "./utils/faultyLog.ts"
import { Follower } from "./utils/following.ts"
import { dumpOf, replay, textOf } from "./utils/oracle.ts"
import { dump, process, type Tool, tool, type Tools, whileTimePasses } from "./utils/replicas.ts"

const generator = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

interface Member {
  readonly registry: Tools
  readonly scope: Scope.Closeable
  readonly faults: Faults
  readonly counts: Map<string, number>
  readonly scopes: Array<Scope.Closeable>
  /** How often something is acquired for an item. */
  readonly open: Map<Tool, number>
  /** What a subscriber has, who applies the changes. */
  readonly follower: { now: Follower<Tool> | undefined }
}

const operation = (member: Member, random: () => number): Effect.Effect<unknown, unknown> => {
  const { registry, scopes } = member
  const pick = (n: number) => Math.floor(random() * n)
  const some = (): Tool => ({
    ...tool(`n${pick(8)}`, ["read", "write"][pick(2)]),
    ...(random() < 0.5 ? { slot: pick(5) } : {})
  })
  const name = () => `n${pick(8)}`
  const scoped = (effect: Effect.Effect<unknown, unknown, Scope.Scope>) =>
    Effect.flatMap(Scope.make(), (scope) => {
      scopes.push(scope)
      return Scope.provide(effect, scope)
    })
  const closing = Effect.suspend(() => {
    const [scope] = scopes.splice(pick(scopes.length), 1)
    return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
  })
  const kinds: ReadonlyArray<() => Effect.Effect<unknown, unknown>> = [
    () => Registry.register(registry, some()),
    () => Registry.register(registry, some()),
    () => Registry.registerAll(registry, [some(), some()]),
    () => Registry.upsert(registry, some()),
    () => Registry.replace(registry, "name", name(), some()),
    () => Registry.unregisterBy(registry, "name", name()),
    () => scoped(Registry.registerScoped(registry, some())),
    () => scoped(Registry.registerScoped(registry, some())),
    () => closing,
    () => scoped(Registry.override(registry, some())),
    () => scoped(Registry.upsertScoped(registry, some())),
    () => Registry.disable(registry, "kind", "write", { reason: "test" }),
    () => Registry.enable(registry, "kind", "write"),
    () => scoped(Registry.disableScoped(registry, "name", name(), { reason: "test" })),
    () => Registry.reconcile(registry, [some(), some(), some()], { owner: "source" }),
    () => Registry.insert(registry, some(), "first"),
    () => Registry.move(registry, "name", name(), "last"),
    () => Registry.transact(registry, Effect.andThen(Registry.register(registry, some()), Registry.values(registry))),
    () =>
      Registry.transact(
        registry,
        Effect.andThen(
          Effect.ignore(Registry.unregisterBy(registry, "name", name())),
          Registry.register(registry, some())
        )
      ),
    () => random() < 0.3 ? Registry.reset(registry) : Registry.populate(registry)
  ]
  return kinds[pick(kinds.length)]!()
}

interface Options {
  readonly members?: number
  readonly steps?: number
  readonly faultiness?: number
  readonly checkpoints?: boolean
  readonly doubles?: number
  readonly kills?: boolean
  /** Hooks that take a while, and now and then read. */
  readonly slowHooks?: boolean
  readonly pauses?: number
}

const run = (
  seed: number,
  {
    checkpoints = false,
    doubles = 0,
    faultiness = 1,
    kills = false,
    members = 3,
    pauses = 0.2,
    slowHooks = false,
    steps = 25
  }: Options
) =>
  Effect.gen(function*() {
    const random = generator(seed)
    const failures: Array<string> = []
    const log = yield* RegistryLog.RegistryLog
    const start = Effect.gen(function*() {
      const counts = new Map<string, number>()
      const slow = Effect.suspend(() =>
        slowHooks && random() < 0.5 ? Effect.sleep(Math.floor(random() * 40)) : Effect.void
      )
      const count = (more: number) => (item: Tool) =>
        Effect.andThen(
          slow,
          Effect.sync(() => void counts.set(textOf(item), (counts.get(textOf(item)) ?? 0) + more))
        )
      const open = new Map<Tool, number>()
      const acquire = (item: Tool) =>
        Effect.acquireRelease(
          Effect.andThen(slow, Effect.sync(() => void open.set(item, (open.get(item) ?? 0) + 1))),
          () => Effect.sync(() => void open.set(item, open.get(item)! - 1))
        )
      const { faults, registry, scope } = yield* process({
        defaults: [tool("n0"), tool("n1", "write")],
        hooks: { onItemRegistered: count(1), onItemUnregistered: count(-1), acquire },
        ...(checkpoints ? { checkpoint: { every: 10, keep: 20 }, history: 8 } : {})
      }, { random })
      const follower: Member["follower"] = { now: undefined }
      const following = Effect.scoped(Effect.gen(function*() {
        const { changes, snapshot } = yield* Registry.subscribe(registry)
        const { revision } = contentsOf(snapshot)
        const now = follower.now = new Follower<Tool>(snapshot, revision, ({ name }) => ({ name: [name] }))
        yield* Stream.runForEach(changes, (change) =>
          Effect.sync(() => {
            now.apply(change)
            assert.deepStrictEqual(now.list, Array.from(change.snapshot), `after revision ${change.revision}`)
          }))
      }))
      yield* Effect.forkIn(
        Effect.forever(Effect.catchTag(following, "RegistryLagged", () => Effect.void)).pipe(
          Effect.tapCause((cause) =>
            Effect.sync(() =>
              void (Cause.hasInterrupts(cause) || failures.push(`seed ${seed}: ${Cause.pretty(cause)}`))
            )
          )
        ),
        scope
      )
      const member: Member = { registry, scope, faults, counts, scopes: [], open, follower }
      return member
    })
    const all: Array<Member> = []
    for (let i = 0; i < members; i++) all.push(yield* start)
    const setFaults = (more: Partial<Faults>) => all.forEach(({ faults }) => Object.assign(faults, more))
    setFaults({ refuses: 0.05 * faultiness, loses: 0.05 * faultiness, late: 0.05 * faultiness, doubles })
    const outcomes: Array<string> = []
    if (kills) {
      yield* Effect.forkChild(Effect.gen(function*() {
        yield* Effect.sleep(Math.floor(random() * 3_000))
        const [victim] = all.splice(1, 1)
        victim!.faults.isDead = true
        yield* Scope.close(victim!.scope, Exit.void)
        all.push(yield* start)
      }))
    }
    yield* Effect.forEach(Array.from(all), (member) =>
      Effect.forEach(Array.from({ length: steps }), () =>
        Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(Effect.exit(operation(member, random)))
          if (random() < 0.1) {
            for (let i = 0; i < random() * 20; i++) {
              yield* Effect.yieldNow
            }
            yield* Fiber.interrupt(fiber)
          }
          const exit = yield* Fiber.await(fiber)
          if (Exit.isSuccess(exit) && Exit.isFailure(exit.value)) {
            const { cause } = exit.value
            if (Cause.hasDies(cause) && !member.faults.isDead) {
              return yield* Effect.failCause(cause)
            }
            outcomes.push(
              cause.reasons.map((reason) => Cause.isFailReason(reason) ? (reason.error as any).code : reason._tag)
                .join()
            )
          } else outcomes.push("ok")
          if (random() < 0.02) yield* log.sessions.close((yield* SharedRegistry.status(member.registry)).session.id)
          if (random() < pauses) yield* Effect.sleep(Math.floor(random() * 200))
        })), { concurrency: "unbounded" })
    setFaults(noFaults())
    yield* Effect.sleep("40 seconds")
    yield* Effect.forEach(all, ({ registry }) =>
      SharedRegistry.sync(registry))
    all.push(yield* start)
    yield* Effect.forEach(all, ({ registry }) => Registry.populate(registry))
    yield* Effect.sleep("5 seconds")
    yield* Effect.forEach(all, ({ registry }) => SharedRegistry.sync(registry))
    const dumps = all.map(({ registry }) => dump(registry))
    dumps.forEach((one, i) => {
      if (one !== dumps[0]) throw new Error(`process ${i} of seed ${seed} has\n${one}\nand the first\n${dumps[0]}`)
    })
    if (!checkpoints) {
      const said = yield* replay(log, "tools", ["name", "slot"])
      if (said.problems.length > 0) {
        if (globalThis.process.env["SHOW"]) console.log(said.trace.join("\n"))
        throw new Error(said.problems.join("\n"))
      }
      const sessions = yield* Effect.forEach(all, ({ registry }) => SharedRegistry.status(registry))
      assert.deepStrictEqual(
        Array.from(said.sessions).toSorted(),
        sessions.map(({ session }) => session.id).toSorted(),
        `sessions of seed ${seed}`
      )
      if (dumps[0] !== dumpOf(said)) throw new Error(`all have\n${dumps[0]}\nand the log\n${dumpOf(said)}`)
    }
    yield* Effect.sleep(100)
    if (failures.length > 0) throw new Error(failures.join("\n"))
    for (const { counts, follower, open, registry } of all) {
      const items = yield* Registry.values(registry)
      const acquired = Array.from(open).filter(([, times]) => times !== 0)
      const contents = contentsOf(yield* Registry.snapshot(registry))
      const isThere = new Set(allEntries(contents).map(({ item }) => item))
      assert.deepStrictEqual(
        acquired.filter(([item, times]) => times !== 1 || !isThere.has(item)),
        [],
        `acquired in ${seed}`
      )
      const has = new Set(acquired.map(([item]) => item))
      assert.deepStrictEqual(items.filter((item) => !has.has(item)), [], `not acquired in seed ${seed}`)
      assert.deepStrictEqual(follower.now?.list, items, `what a subscriber of seed ${seed} has`)
      const seen = Object.fromEntries(Array.from(counts).filter(([, count]) => count !== 0))
      assert.deepStrictEqual(
        seen,
        Object.fromEntries(items.map((item) => [textOf(item), 1])),
        `hooks of a process of seed ${seed}`
      )
    }
    return outcomes
  }).pipe(Effect.scoped, Effect.provideService(References.MinimumLogLevel, "None"))

const seeds = Number(globalThis.process.env["SEEDS"] ?? 12)
const firstSeed = Number(globalThis.process.env["SEED"] ?? 1)

describe("processes that share a registry", () => {
  for (
    const [title, options] of [
      ["S1 S2 S14 G29 G31 come to the same contents, with balanced hooks, over a log that does not fail", {
        faultiness: 0
      }],
      ["S1 S2 S6 S14 S22 come to the same contents, with balanced hooks, over a log that fails", {}],
      ["S1 S2 S14 S15 come to the same contents where many write at once", {
        faultiness: 0,
        pauses: 0,
        slowHooks: true
      }],
      ["S1 S2 S3 come to the same contents where the log takes several for one place", {
        faultiness: 0.3,
        doubles: 0.3,
        pauses: 0
      }],
      ["S1 S7 S8 leave nothing of a process that was killed", { faultiness: 0.3, kills: true }],
      ["S1 S14 S18 A3 come to the same contents where the log is cut", { checkpoints: true, faultiness: 0.3 }]
    ] as const
  ) {
    it.effect(title, () =>
      Effect.gen(function*() {
        for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
          const outcomes = yield* whileTimePasses(run(seed, options)).pipe(
            Effect.provide(RegistryLog.layerMemory, { local: true })
          ).pipe(Effect.catchCause((cause) => Effect.die(new Error(`seed ${seed}: ${Cause.pretty(cause)}`))))
          if (globalThis.process.env["SHOW"]) {
            const tally: Record<string, number> = {}
            for (const one of outcomes) tally[one] = (tally[one] ?? 0) + 1
            console.log(seed, JSON.stringify(tally))
          }
        }
      }))
  }
})
