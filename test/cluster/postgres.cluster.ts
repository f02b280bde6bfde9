/** The engines of PostgreSQL against a real server. */
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Layer, Schema, Scope, Stream } from "effect"
import { Registry } from "effect-registry"
import { RegistryLog, SharedRegistry } from "effect-registry/shared"
import * as RegistryLogPg from "effect-registry/shared/pg"
import * as RegistryLogSql from "effect-registry/shared/sql"
import { RegistryTest } from "effect-registry/testing"
import { afterAll, beforeAll } from "vitest"
import * as Servers from "./servers.ts"

const { start } = RegistryLog
const scope = Scope.makeUnsafe()
let server: Servers.Server
beforeAll(async () => {
  server = await Effect.runPromise(Scope.provide(Servers.postgres, scope))
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const client = Layer.suspend(() =>
  PgClient.layer({ host: "127.0.0.1", port: server.port, username: "postgres", database: "postgres" })
)
const log = RegistryLogPg.layer().pipe(Layer.provideMerge(client))

RegistryTest.logLaws(
  "PostgreSQL, over effect/sql",
  RegistryLogSql.layerWith({ prefix: "sql" }).pipe(Layer.provide(client))
)
RegistryTest.logLaws("PostgreSQL", log)

let names = 0
const newName = () => `test ${names++}`

const append = (registry: string, after: RegistryLog.Cursor, id: string, body = "{}") =>
  RegistryLog.RegistryLog.use((log) => log.append(registry, after, { id, body }))

const heads = (registry: string) => RegistryLog.RegistryLog.use((log) => log.heads([registry]))

/** Another process: with connections of its own. */
const another = <A, E>(effect: Effect.Effect<A, E, RegistryLog.RegistryLog | PgClient.PgClient | Scope.Scope>) =>
  Effect.scoped(Effect.provide(effect, log, { local: true }))

/** The first hint within some seconds. */
const hinted = (registry: string) =>
  RegistryLog.RegistryLog.use((log) => Stream.runHead(log.hints(registry))).pipe(
    Effect.timeoutOption("5 seconds"),
    Effect.map(({ _tag }) => _tag === "Some")
  )

/** Ends the connections that listen, as an administrator does. */
const endListeners = PgClient.PgClient.use((sql) =>
  sql<{ ended: boolean }>`SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`
)

class Tools extends SharedRegistry.Service<Tools, string>()("cluster/Tools", {
  schema: Schema.String,
  lookup: { name: (name: string) => name } as never,
  lifetime: "forever"
}) {}

describe("PostgreSQL", () => {
  it.live(
    "A4 a record that stalls between its snapshot and its insert, while the log is cut, does not get into the hole",
    () =>
      Effect.gen(function*() {
        const registry = newName()
        const sql = yield* PgClient.PgClient
        const { saveCheckpoint } = yield* RegistryLog.RegistryLog
        yield* sql`CREATE OR REPLACE FUNCTION stall() RETURNS trigger AS $$ BEGIN
PERFORM pg_advisory_xact_lock(4); RETURN NEW; END $$ LANGUAGE plpgsql`
        yield* sql`CREATE OR REPLACE TRIGGER stall BEFORE INSERT ON registry_log FOR EACH ROW
WHEN (NEW.body = 'stall') EXECUTE FUNCTION stall()`
        // whoever has looked, and is about to insert, waits for this lock
        const [locked, release] = [yield* Scope.make(), sql`SELECT 1`]
        const connection = yield* Scope.provide(sql.reserve, locked)
        yield* connection.executeRaw("SELECT pg_advisory_lock(4)", [])
        let head = (yield* append(registry, start, "0"))!
        const from = head
        const stalled = yield* Effect.forkChild(another(append(registry, from, "stalled", "stall")), {
          startImmediately: true
        })
        yield* until(Effect.map(
          sql<{ n: string }>`SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
          ([row]) => Number(row!.n) === 1
        ))
        for (let i = 1; i <= 30; i++) head = (yield* append(registry, head, String(i)))!
        const cutting = yield* Effect.forkChild(
          another(RegistryLog.RegistryLog.use((log) => log.saveCheckpoint(registry, { cursor: head, body: "{}" }, 10))),
          { startImmediately: true }
        )
        yield* Effect.sleep(300)
        yield* connection.executeRaw("SELECT pg_advisory_unlock(4)", [])
        yield* Scope.close(locked, Exit.void)
        yield* release
        assert.isUndefined(yield* Fiber.join(stalled))
        yield* Fiber.join(cutting)
        yield* saveCheckpoint(registry, { cursor: head, body: "{}" }, 10)
        const rows = yield* sql<
          { id: string }
        >`SELECT id FROM registry_log WHERE registry = ${registry} ORDER BY revision`
        assert.deepStrictEqual(rows.map(({ id }) => id), Array.from({ length: 11 }, (_, i) => String(20 + i)))
        assert.isUndefined(yield* append(registry, from, "late"))
      }).pipe(Effect.provide(log)),
    60_000
  )
})

const until = <E, R>(isSo: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function*() {
    for (let i = 0; i < 200; i++) {
      if (yield* isSo) return
      yield* Effect.sleep(50)
    }
    assert.fail("it is not so after ten seconds")
  })
void [heads, hinted, endListeners, Tools, Duration, Registry]
