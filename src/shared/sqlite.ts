/**
 * A log for shared registries in a file of SQLite: for several processes of one machine, without a server. It needs Node, whose
 * `node:sqlite` it uses, and a local disk: not a network file system.
 *
 * Each write waits for the disk, in the thread of the program, for as long as that takes. While another process writes, it
 * waits without holding up the program; a process that is stopped in the middle of a write holds up all others.
 *
 * **Example** (The processes of one machine)
 *
 * ```ts
 * import { Effect, Layer, Schema } from "effect"
 * import { SharedRegistry } from "effect-registry/shared"
 * import * as RegistryLogSqlite from "effect-registry/shared/sqlite"
 *
 * class Tools extends SharedRegistry.Service<Tools, string>()("app/Tools", {
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "cluster"
 * }) {}
 *
 * const layer = Tools.layerPopulated.pipe(Layer.provide(RegistryLogSqlite.layer({ file: ":memory:" })))
 *
 * const program = Effect.andThen(Tools.register("search"), Tools.values)
 *
 * await Effect.runPromise(Effect.provide(program, layer)) // => ["search"]
 * ```
 *
 * @module
 * @since 0.2.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Reactivity } from "effect/reactivity"
import * as Semaphore from "effect/Semaphore"
import type { MigrationError } from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import { makeCompilerSqlite } from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"
import { Hints } from "../internal/shared/hints.ts"
import { isConflict, makeLog, migrate, soon } from "../internal/shared/sqlLog.ts"
import { RegistryLog } from "./RegistryLog.ts"

const errorOf = (cause: unknown): SqlError => {
  const { errcode, message } = Object.assign({ errcode: undefined, message: String(cause) }, cause)
  return new SqlError({ reason: classifySqliteError({ code: errcode, message, cause }, { message }) })
}

const trying = <A>(f: () => A): Effect.Effect<A, SqlError> => Effect.try({ try: f, catch: errorOf })

/** One connection, whose statements run one after the other. */
const open = (file: string) =>
  Effect.gen(function*() {
    const db = yield* Effect.acquireRelease(
      trying(() => new DatabaseSync(file, { timeout: 20 })),
      (opened) => Effect.sync(() => opened.close())
    )
    // a write is on the disk when it is acknowledged
    const settings = trying(() => db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"))
    yield* Effect.retry(settings, { while: isConflict, schedule: soon })
    return db
  })

/** The client of `effect/sql` for a connection. */
const clientOf = (db: DatabaseSync) => {
  const statements = new Map<string, StatementSync>()
  const prepared = (text: string): StatementSync => {
    const statement = statements.get(text) ?? db.prepare(text)
    // how many there are depends on lists of ids
    if (statements.size > 100) statements.clear()
    statements.set(text, statement)
    return statement
  }
  const rows = (text: string, params: ReadonlyArray<unknown>) =>
    trying(() => prepared(text).all(...params as ReadonlyArray<SQLInputValue>))
  const values = (text: string, params: ReadonlyArray<unknown>) =>
    Effect.map(rows(text, params), (all) => all.map((row) => Object.values(row)))
  const connection: Connection = {
    execute: rows,
    executeRaw: rows,
    executeUnprepared: rows,
    executeValues: values,
    executeValuesUnprepared: values,
    executeStream: (text, params) => Stream.unwrap(Effect.map(rows(text, params), Stream.fromIterable))
  }
  const { acquirer, borrower, isTransaction, onCommitFailure, transactionAcquirer } = SqlClient.makeSqliteAcquirers({
    connection: Effect.succeed(connection),
    semaphore: Semaphore.makeUnsafe(1),
    isTransaction: () => db.isTransaction
  })
  return SqlClient.make({
    acquirer,
    borrower,
    transactionAcquirer,
    isTransaction,
    onCommitFailure,
    beginTransaction: "BEGIN IMMEDIATE",
    compiler: makeCompilerSqlite(),
    driver: "sqlite-node",
    spanAttributes: []
  })
}

/** Looks whether another process has written, and what. */
const listening = (db: DatabaseSync, log: RegistryLog["Service"], hints: Hints) =>
  Effect.gen(function*() {
    const looking = yield* trying(() => db.prepare("PRAGMA data_version"))
    const version = trying(() => looking.get()?.["data_version"])
    const seen = new Map<string, number>()
    let last: unknown
    for (;;) {
      yield* Effect.sleep("20 millis")
      const { registries } = hints
      if (registries.length === 0) continue
      const now = yield* version
      if (now === last) continue
      last = now
      const heads = yield* log.heads(registries)
      for (const [i, registry] of registries.entries()) {
        const { revision } = heads[i]!
        if (seen.get(registry) !== revision) hints.tell(registry)
        seen.set(registry, revision)
      }
    }
  })

/**
 * The log in a file, which is made if it is not there, with two more beside it. Several processes may have it open.
 *
 * @category layers
 * @since 0.2.0
 */
export const layer = (
  { file }: { readonly file: string }
): Layer.Layer<RegistryLog, MigrationError | SqlError> =>
  Layer.effect(
    RegistryLog,
    Effect.gen(function*() {
      const db = yield* open(file)
      const client = yield* clientOf(db)
      const hints = new Hints()
      yield* Effect.provideService(migrate("registry"), SqlClient.SqlClient, client)
      const log = yield* makeLog({ sql: client, prefix: "registry", name: "sqlite", hints, announce: () => {} })
      const listen = Effect.forever(Effect.ignore(listening(db, log, hints)))
      yield* Effect.forkScoped(listen)
      return log
    })
  ).pipe(Layer.provide(Reactivity.layer))
