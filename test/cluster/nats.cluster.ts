/** The engine of NATS against real servers. */
import { assert, describe, it } from "@effect/vitest"
import { connect } from "@nats-io/transport-node"
import { Effect, Exit, Fiber, Layer, Schedule, Scope, Stream } from "effect"
import { RegistryLog } from "effect-registry/shared"
import * as RegistryLogNats from "effect-registry/shared/nats"
import { RegistryTest } from "effect-registry/testing"
import { afterAll, beforeAll } from "vitest"
import { sharingOver } from "../utils/sharingOver.ts"
import * as Servers from "./servers.ts"

const { start } = RegistryLog
const scope = Scope.makeUnsafe()
let server: Servers.Server
let nodes: ReadonlyArray<Servers.Server>
beforeAll(async () => {
  const starting = Effect.all([Servers.nats, Servers.natsCluster], { concurrency: "unbounded" })
  ;[server, nodes] = await Effect.runPromise(Scope.provide(starting, scope))
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const over = (servers: () => ReadonlyArray<Servers.Server>, replicas: number) =>
  Layer.suspend(() =>
    RegistryLogNats.layer({
      connect: () =>
        connect({ servers: servers().map(({ port }) => `nats://127.0.0.1:${port}`), maxReconnectAttempts: -1 }),
      replicas
    })
  )
const engine = over(() => [server], 1)

RegistryTest.logLaws("NATS", engine)
sharingOver("NATS", engine)
// three nodes of an old server accept several records for one place
sharingOver("NATS on three nodes", over(() => nodes, 3))

const append = (registry: string, after: RegistryLog.Cursor, id: string) =>
  RegistryLog.RegistryLog.use((log) => log.append(registry, after, { id, body: "{}" }))

const another = <A, E>(effect: Effect.Effect<A, E, RegistryLog.RegistryLog>) =>
  Effect.provide(effect, engine, { local: true })

const often = { times: 100, schedule: Schedule.spaced(100) }

describe("NATS", () => {
  it.live("S17 hears what another process writes, of the registries that it listens to", () =>
    Effect.gen(function*() {
      const log = yield* RegistryLog.RegistryLog
      const hearing = yield* Effect.forkChild(Stream.runHead(log.hints("heard")), { startImmediately: true })
      const quiet = yield* Effect.forkChild(Effect.timeoutOption(Stream.runHead(log.hints("other")), 500), {
        startImmediately: true
      })
      yield* Effect.sleep(200)
      yield* another(append("heard", start, "a"))
      assert.strictEqual((yield* Effect.timeout(Fiber.join(hearing), 5_000))._tag, "Some")
      assert.strictEqual((yield* Fiber.join(quiet))._tag, "None")
    }).pipe(Effect.provide(engine)))

  it.live("a layer that cannot connect fails", () =>
    Effect.gen(function*() {
      const port = yield* Servers.freePort
      const layer = RegistryLogNats.layer({
        connect: () => connect({ servers: `nats://127.0.0.1:${port}`, reconnect: false })
      })
      const failed = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
      assert.strictEqual(failed._tag, "NatsUnavailable")
      assert.match(failed.message, /no connection to NATS/)
    }))

  it.live("A5 A6 a stream that was removed and has grown again is of another history", () =>
    Effect.gen(function*() {
      const { drop, read } = yield* RegistryLog.RegistryLog
      const one = (yield* append("removed", start, "a"))!
      yield* another(drop("removed"))
      yield* another(append("removed", start, "b"))
      assert.strictEqual((yield* read("removed", one, 1)).head, 0)
      assert.isUndefined(yield* append("removed", one, "c"))
      yield* drop("removed")
      assert.isUndefined(yield* append("removed", one, "c"))
      assert.strictEqual((yield* append("removed", start, "d"))?.revision, 1)
    }).pipe(Effect.provide(engine)))

  it.live(
    "S3 S17 what was acknowledged is there after the server was killed, and a process goes on",
    () =>
      Effect.gen(function*() {
        const log = yield* RegistryLog.RegistryLog
        let head = start
        for (let i = 0; i < 20; i++) head = (yield* append("killed", head, String(i)))!
        yield* server.kill
        const failed = yield* Effect.flip(append("killed", head, "lost"))
        assert.isFalse(failed.definite)
        yield* server.start
        assert.strictEqual((yield* Effect.retry(log.heads(["killed"]), often))[0]!.id, head.id)
        const hearing = yield* Effect.forkChild(Stream.runHead(log.hints("killed")), { startImmediately: true })
        yield* Effect.sleep(500)
        yield* another(append("killed", head, "next"))
        assert.strictEqual((yield* Effect.timeout(Fiber.join(hearing), 5_000))._tag, "Some")
      }).pipe(Effect.provide(engine)),
    60_000
  )

  it.live("S3 three nodes lose nothing that was acknowledged when one is killed", () =>
    Effect.gen(function*() {
      const log = yield* RegistryLog.RegistryLog
      const ids: Array<string> = []
      let head = start
      const grow = (count: number) =>
        Effect.gen(function*() {
          for (let i = 0; i < count; i++) {
            const id = `${ids.length}`
            head = (yield* Effect.retry(append("replicated", head, id), often))!
            ids.push(id)
          }
        })
      yield* grow(10)
      for (const node of nodes) {
        yield* node.kill
        yield* grow(10)
        yield* node.start
      }
      const { records } = yield* Effect.retry(log.read("replicated", start, 100), often)
      assert.deepStrictEqual(records === "truncated" ? records : records.map(({ cursor }) => cursor.id), ids)
    }).pipe(Effect.provide(over(() => nodes, 3))), 120_000)
})
