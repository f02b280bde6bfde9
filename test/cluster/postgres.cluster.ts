/** The engines of PostgreSQL against a real server. */
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Layer, Logger, Scope, Stream } from "effect"
import { Registry } from "effect-registry"
import { RegistryLog } from "effect-registry/shared"
import * as RegistryLogPg from "effect-registry/shared/pg"
import * as RegistryLogSql from "effect-registry/shared/sql"
import { RegistryTest } from "effect-registry/testing"
import { afterAll, beforeAll } from "vitest"
import { process, synced, tool } from "../utils/replicas.ts"
import { sharingOver } from "../utils/sharingOver.ts"
import * as Servers from "./servers.ts"

const { start } = RegistryLog
const scope = Scope.makeUnsafe()
let server: Servers.Server
let pooler: Servers.Server
beforeAll(async () => {
  server = await Effect.runPromise(Scope.provide(Servers.postgres, scope))
  pooler = await Effect.runPromise(Scope.provide(Servers.pooler(server), scope))
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const client = Layer.suspend(() =>
  PgClient.layer({ host: "127.0.0.1", port: server.port, username: "postgres", database: "postgres" })
)
const engine = RegistryLogPg.layer().pipe(Layer.provideMerge(client))

RegistryTest.logLaws(
  "PostgreSQL, over effect/sql",
  RegistryLogSql.layerWith({ prefix: "sql" }).pipe(Layer.provide(client))
)
RegistryTest.logLaws("PostgreSQL", engine)

const pooled = Layer.suspend(() =>
  PgClient.layer({ host: "127.0.0.1", port: pooler.port, username: "postgres", database: "postgres", prepare: false })
)

RegistryTest.logLaws(
  "PostgreSQL through a pooler of transactions",
  RegistryLogPg.layer({ prefix: "pooled", hints: "off" }).pipe(Layer.provide(pooled))
)

let names = 0
const newName = () => `test ${names++}`

const append = (registry: string, after: RegistryLog.Cursor, id: string, body = "{}") =>
  RegistryLog.RegistryLog.use((log) => log.append(registry, after, { id, body }))

const heads = (registry: string) => RegistryLog.RegistryLog.use((log) => log.heads([registry]))

/** Another process: with connections of its own. */
const another = <A, E>(effect: Effect.Effect<A, E, RegistryLog.RegistryLog | PgClient.PgClient | Scope.Scope>) =>
  Effect.scoped(Effect.provide(effect, engine, { local: true }))

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

const until = <E, R>(isSo: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function*() {
    for (let i = 0; i < 200; i++) {
      if (yield* isSo) return
      yield* Effect.sleep(50)
    }
    assert.fail("it is not so after ten seconds")
  })

/** One connection listens, and nothing may have been missed. */
const isListening = PgClient.PgClient.use((sql) =>
  Effect.andThen(
    until(Effect.map(
      sql`SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND state = 'idle'`,
      (rows) => rows.length === 1
    )),
    Effect.sleep(300)
  )
)

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
        const locked = yield* Scope.make()
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
        assert.isUndefined(yield* Fiber.join(stalled))
        yield* Fiber.join(cutting)
        yield* saveCheckpoint(registry, { cursor: head, body: "{}" }, 10)
        const rows = yield* sql<
          { id: string }
        >`SELECT id FROM registry_log WHERE registry = ${registry} ORDER BY revision`
        assert.deepStrictEqual(rows.map(({ id }) => id), Array.from({ length: 11 }, (_, i) => String(20 + i)))
        assert.isUndefined(yield* append(registry, from, "late"))
      }).pipe(Effect.provide(engine)),
    60_000
  )

  it.live("A4 a record that waits for who cuts the log looks again at what is left", () =>
    Effect.gen(function*() {
      const registry = newName()
      const sql = yield* PgClient.PgClient
      const from = (yield* append(registry, start, "0"))!
      const cut = yield* Deferred.make<void>()
      const cutting = yield* Effect.forkChild(
        Effect.gen(function*() {
          yield* sql`UPDATE registry_head SET dropped = 20 WHERE registry = ${registry}`
          for (let i = 2; i <= 30; i++) {
            yield* sql`INSERT INTO registry_log (registry, revision, id, body) VALUES (${registry}, ${i}, ${
              String(i)
            }, '')`
          }
          yield* sql`DELETE FROM registry_log WHERE registry = ${registry} AND revision <= 20`
          yield* Deferred.await(cut)
        }).pipe(sql.withTransaction),
        { startImmediately: true }
      )
      yield* until(Effect.map(
        sql`SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE 'DELETE FROM registry_log%'`,
        (rows) => rows.length === 1
      ))
      const waiting = yield* Effect.forkChild(another(append(registry, from, "waiting")), { startImmediately: true })
      yield* until(Effect.map(
        sql`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO%FOR SHARE%'`,
        (rows) => rows.length === 1
      ))
      yield* Deferred.succeed(cut, undefined)
      assert.isUndefined(yield* Fiber.join(waiting))
      yield* Fiber.join(cutting)
      assert.strictEqual((yield* heads(registry))[0]!.id, "30")
    }).pipe(Effect.provide(engine)), 60_000)

  it.live(
    "S23 the caller's transaction is none of the log's: what is in stays where that is rolled back",
    () =>
      Effect.gen(function*() {
        const registry = newName()
        const sql = yield* PgClient.PgClient
        const { checkpoint, read, saveCheckpoint, sessions } = yield* RegistryLog.RegistryLog
        const rolledBack = yield* Effect.exit(sql.withTransaction(Effect.gen(function*() {
          const cursor = (yield* append(registry, start, "a"))!
          yield* saveCheckpoint(registry, { cursor, body: "saved" }, 0)
          yield* sessions.open("S23", Duration.minutes(1))
          yield* sql`SELECT 1 / 0`
        })))
        assert.isTrue(Exit.isFailure(rolledBack))
        assert.strictEqual((yield* read(registry, start, 1)).head, 1)
        assert.strictEqual((yield* checkpoint(registry))?.body, "saved")
        assert.isTrue(yield* sessions.renew("S23", Duration.minutes(1)))
        // in a transaction that has failed nothing of the caller's works, and the log does
        let inFailed = false
        yield* Effect.exit(sql.withTransaction(Effect.gen(function*() {
          yield* Effect.ignore(sql`SELECT 1 / 0`)
          inFailed = yield* sessions.renew("S23", Duration.minutes(1))
        })))
        assert.isTrue(inFailed)
      }).pipe(Effect.provide(engine)),
    60_000
  )

  it.live(
    "S17 A22 a process hears others on one connection for all registries, and again when that was ended",
    () =>
      Effect.gen(function*() {
        yield* isListening
        for (const round of [1, 2]) {
          const registries = Array.from({ length: 50 }, newName)
          const hearing = yield* Effect.forkChild(Effect.forEach(registries, hinted, { concurrency: "unbounded" }), {
            startImmediately: true
          })
          const quiet = yield* Effect.forkChild(Effect.timeoutOption(hinted(newName()), "1 second"), {
            startImmediately: true
          })
          yield* another(Effect.forEach(registries, (registry) => append(registry, start, "a"), { concurrency: 4 }))
          assert.deepStrictEqual(yield* Fiber.join(hearing), registries.map(() => true))
          assert.strictEqual((yield* Fiber.join(quiet))._tag, "None", "who listens to another registry is not woken")
          yield* isListening
          if (round === 2) return
          yield* endListeners
          yield* Effect.sleep(1_500)
          yield* isListening
        }
      }).pipe(Effect.provide(engine)),
    60_000
  )

  it.live("S17 says nothing to others where hints are off", () =>
    Effect.gen(function*() {
      const registry = newName()
      const off = RegistryLogPg.layer({ hints: "off" }).pipe(Layer.provide(client))
      yield* isListening
      const hearing = yield* Effect.forkChild(Effect.timeoutOption(hinted(registry), "1 second"), {
        startImmediately: true
      })
      yield* Effect.provide(append(registry, start, "a"), off, { local: true })
      assert.strictEqual((yield* Fiber.join(hearing))._tag, "None")
    }).pipe(Effect.provide(engine)), 60_000)

  it.live("S17 says so where it hears nothing, through a pooler of transactions", () =>
    Effect.gen(function*() {
      const warned = yield* Deferred.make<string>()
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel === "Warn") Deferred.doneUnsafe(warned, Effect.succeed(String(message)))
      })
      const layer = RegistryLogPg.layer({ prefix: "unheard" }).pipe(
        Layer.provide(pooled),
        Layer.provide(Logger.layer([logger]))
      )
      yield* Layer.build(layer)
      assert.match(yield* Effect.timeout(Deferred.await(warned), "20 seconds"), /does not hear by LISTEN/)
    }), 60_000)

  it.live(
    "S18 A6 processes come to the same contents after the database was restored from an earlier copy, and have grown on",
    () =>
      Effect.gen(function*() {
        const sql = yield* PgClient.PgClient
        const layer = RegistryLogPg.layer({ prefix: "restored" }).pipe(Layer.provide(client))
        const name = crypto.randomUUID()
        const running = Effect.flatMap(Layer.build(Layer.fresh(layer)), (context) =>
          Effect.provideContext(process({ name, lifetime: "forever" }), context))
        const [one, two] = [yield* running, yield* running]
        yield* Registry.register(one.registry, tool("a"))
        const scoped = yield* Scope.make()
        yield* Registry.register(two.registry, tool("b"))
        const tables = ["log", "head", "checkpoint", "piece", "session"].map((table) =>
          `restored_${table}`
        )
        for (const table of tables) yield* sql`CREATE TABLE ${sql(`copy_${table}`)} AS SELECT * FROM ${sql(table)}`
        yield* Registry.register(one.registry, tool("lost"))
        yield* Scope.provide(Registry.registerScoped(two.registry, tool("scoped")), scoped)
        assert.deepStrictEqual(yield* synced(one, two), ["a b lost scoped", "a b lost scoped"])
        yield* sql.withTransaction(Effect.forEach(tables, (table) =>
          Effect.andThen(
            sql`DELETE FROM ${sql(table)}`,
            sql`INSERT INTO ${sql(table)} SELECT * FROM ${sql(`copy_${table}`)}`
          )))
        // what a scope that is open has registered comes back; what was registered for good is gone
        yield* until(Effect.map(synced(one, two), (all) => all.every((list) => list === "a b scoped")))
        yield* Registry.register(one.registry, tool("c"))
        yield* Registry.register(two.registry, tool("d"))
        assert.deepStrictEqual(yield* synced(one, two), ["a b scoped c d", "a b scoped c d"])
        yield* Scope.close(scoped, Exit.void)
        const three = yield* running
        assert.deepStrictEqual(yield* synced(one, two, three), ["a b c d", "a b c d", "a b c d"])
      }).pipe(Effect.provide(client)),
    60_000
  )

  it.live("many processes that begin at once make the tables once", () =>
    Effect.gen(function*() {
      const layer = RegistryLogPg.layer({ prefix: "begun_at_once" }).pipe(Layer.provide(client))
      const taken = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, i) => String(i)),
        (id) => Effect.provide(append("tools", start, id), layer, { local: true }),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(taken.filter((cursor) => cursor !== undefined).length, 1)
    }), 60_000)

  it.live("a call that the server does not answer ends, and may be carried out", () =>
    Effect.gen(function*() {
      const registry = newName()
      const sql = yield* PgClient.PgClient
      yield* append(registry, start, "0")
      const locking = yield* Effect.forkChild(
        sql.withTransaction(
          Effect.andThen(sql`SELECT 1 FROM registry_head WHERE registry = ${registry} FOR UPDATE`, Effect.never)
        ),
        { startImmediately: true }
      )
      yield* Effect.sleep(200)
      const from = (yield* heads(registry))[0]!
      const failed = yield* Effect.flip(append(registry, from, "1"))
      assert.isFalse(failed.definite)
      yield* Fiber.interrupt(locking)
      assert.strictEqual((yield* append(registry, from, "1"))?.revision, 2)
    }).pipe(Effect.provide(engine)), 60_000)

  it.live(
    "A24 a session that was renewed in the future has expired: the clock was set back",
    () =>
      Effect.gen(function*() {
        const sql = yield* PgClient.PgClient
        const { sessions } = yield* RegistryLog.RegistryLog
        yield* sessions.open("A24", Duration.minutes(1))
        yield* sql`UPDATE registry_session SET expires_at = expires_at + 3600000 WHERE id = 'A24'`
        assert.deepStrictEqual(yield* sessions.living(["A24"]), [])
        assert.deepStrictEqual(yield* sessions.bury(["A24"]), ["A24"])
      }).pipe(Effect.provide(engine)),
    60_000
  )

  it.live(
    "S3 S17 what was acknowledged is there after the server was ended at once, and a process goes on",
    () =>
      Effect.gen(function*() {
        const registry = newName()
        let head = start
        for (let i = 0; i < 20; i++) head = (yield* append(registry, head, String(i)))!
        yield* server.kill
        const failed = yield* Effect.flip(append(registry, head, "lost"))
        assert.isFalse(failed.definite)
        yield* server.start
        assert.strictEqual((yield* Effect.retry(heads(registry), { times: 20 }))[0]!.id, head.id)
        const hearing = yield* Effect.forkChild(hinted(registry), { startImmediately: true })
        yield* Effect.sleep(2_500)
        yield* another(append(registry, head, "next"))
        assert.isTrue(yield* Fiber.join(hearing))
      }).pipe(Effect.provide(engine)),
    60_000
  )
})

sharingOver("PostgreSQL", RegistryLogPg.layer({ prefix: "sharing" }).pipe(Layer.provide(client)))
sharingOver("PostgreSQL without hints", RegistryLogSql.layerWith({ prefix: "polled" }).pipe(Layer.provide(client)))
