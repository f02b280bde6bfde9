/** A log in a database of SQL: PostgreSQL or SQLite. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Scheduler from "effect/Scheduler"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import { SqlError } from "effect/sql/SqlError"
import { type Checkpoint, type Cursor, LogError, type Page, type RegistryLog, start } from "../../shared/RegistryLog.ts"
import { newId } from "./appending.ts"
import { bounded } from "./bounded.ts"
import type { Hints } from "./hints.ts"
import { piecesOf } from "./text.ts"

interface Options {
  readonly sql: SqlClient.SqlClient
  readonly prefix: string
  readonly name: string
  readonly hints: Hints
  /** Tells other processes of news. */
  readonly announce: (registry: string) => void
}

/** A number, which drivers may give as a bigint or as text. */
type Integer = number | bigint | string

interface Row {
  readonly head: Integer | null
  readonly revision: Integer | null
  readonly id: string
  readonly body: string
}

/** The tables of a log. */
export const tablesOf = (sql: SqlClient.SqlClient, prefix: string) => {
  const table = (name: string) => sql(`${prefix}_${name}`)
  return {
    log: table("log"),
    head: table("head"),
    checkpoint: table("checkpoint"),
    piece: table("piece"),
    session: table("session")
  }
}

/** What differs between databases. */
export const dialectOf = (sql: SqlClient.SqlClient) =>
  sql.onDialectOrElse({
    pg: () => ({
      text: sql.literal("text COLLATE \"C\""),
      time: sql.literal("timestamptz NOT NULL DEFAULT clock_timestamp()"),
      now: sql.literal("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint)"),
      forShare: sql.literal("FOR SHARE"),
      forUpdate: sql.literal("FOR UPDATE")
    }),
    sqlite: () => ({
      text: sql.literal("text"),
      time: sql.literal("text NOT NULL DEFAULT CURRENT_TIMESTAMP"),
      now: sql.literal("CAST(unixepoch('subsec') * 1000 AS bigint)"),
      // who writes has the whole database
      forShare: sql.literal(""),
      forUpdate: sql.literal("")
    }),
    orElse: () => {
      throw new Error("A log of shared registries is kept in PostgreSQL or SQLite: no other database is supported.")
    }
  })

export const migrationsOf = (prefix: string): Migrator.Loader =>
  Migrator.fromRecord({
    "0001_log": Effect.gen(function*() {
      const sql = (yield* SqlClient.SqlClient).withoutTransforms()
      const { checkpoint, head, log, piece, session } = tablesOf(sql, prefix)
      const { text, time } = dialectOf(sql)
      yield* sql`CREATE TABLE ${log} (registry ${text} NOT NULL, revision bigint NOT NULL, id ${text} NOT NULL,
body text NOT NULL, at ${time}, PRIMARY KEY (registry, revision))`
      yield* sql`CREATE TABLE ${head} (registry ${text} PRIMARY KEY, dropped bigint NOT NULL)`
      yield* sql`CREATE TABLE ${checkpoint} (registry ${text} PRIMARY KEY, revision bigint NOT NULL, id ${text} NOT NULL,
save ${text} NOT NULL)`
      yield* sql`CREATE TABLE ${piece} (registry ${text} NOT NULL, save ${text} NOT NULL, piece integer NOT NULL,
body text NOT NULL, PRIMARY KEY (registry, save, piece))`
      yield* sql`CREATE TABLE ${session} (id ${text} PRIMARY KEY, expires_at bigint NOT NULL, ttl bigint NOT NULL)`
    })
  })

/** Makes the tables, where they are not there. Several processes may do it at once. */
export const migrate = (prefix: string) =>
  Effect.retry(Migrator.make({})({ loader: migrationsOf(prefix), table: `${prefix}_migrations` }), {
    while: (error) => isConflict(error) || error._tag === "MigrationError" && error.kind === "Locked",
    schedule: soon
  })

/** It was rolled back because somebody else was there, and may be tried again. */
export const isConflict = (error: unknown): boolean => error instanceof SqlError && conflicts.has(error.reason._tag)

const conflicts: ReadonlySet<string> = new Set(["DeadlockError", "SerializationError", "LockTimeoutError"])

/** Certainly, nothing was written. */
const refusals: ReadonlySet<string> = new Set([
  ...conflicts,
  "AuthenticationError",
  "AuthorizationError",
  "SqlSyntaxError",
  "ConstraintError",
  "UniqueViolation"
])

/** Again and again, until the time for the call is over. */
export const soon = Schedule.jittered(Schedule.spaced("10 millis"))

class Log {
  private readonly sql: SqlClient.SqlClient
  private readonly tables: ReturnType<typeof tablesOf>
  private readonly dialect: ReturnType<typeof dialectOf>
  private readonly options: Options
  private readonly context: Context.Context<never>

  constructor(options: Options, context: Context.Context<never>) {
    const { prefix, sql } = options
    this.options = options
    this.sql = sql
    this.tables = tablesOf(sql, prefix)
    this.dialect = dialectOf(sql)
    this.context = Context.omit(sql.transactionService)(context) as Context.Context<never>
  }

  /** With nothing of the caller: not in its transaction, and with no span of its own. */
  private run<A>(statements: Effect.Effect<A, SqlError>): Effect.Effect<A, LogError> {
    const again = Effect.retry(statements, { while: isConflict, schedule: soon })
    return Effect.withFiber<A, SqlError>((fiber) =>
      Effect.setContext(
        Effect.withTracerEnabled(again, false),
        Context.add(this.context, Scheduler.Scheduler, fiber.cache.scheduler)
      )
    ).pipe(
      Effect.mapError((cause) => new LogError({ cause, definite: refusals.has(cause.reason._tag) }))
    )
  }

  private append(
    registry: string,
    { id: prev, revision }: Cursor,
    { body, id }: { readonly id: string; readonly body: string }
  ): Effect.Effect<Cursor | undefined, SqlError> {
    const { dialect: { forShare }, sql, tables: { head, log } } = this
    const next = revision + 1
    const begin = revision === 0
      ? sql`INSERT INTO ${head} (registry, dropped) VALUES (${registry}, 0) ON CONFLICT DO NOTHING`
      : Effect.void
    // The key refuses a second record of the next number. A transaction that cuts the log changes its row of heads. This one
    // waits for it and reads the row again: a record that began before the cut must not fill the hole.
    const insert = sql`INSERT INTO ${log} (registry, revision, id, body)
SELECT CAST(${registry} AS text), CAST(${next} AS bigint), CAST(${id} AS text), CAST(${body} AS text)
FROM ${head}
WHERE registry = ${registry} AND dropped <= ${revision}
AND (${revision} = 0 OR EXISTS (SELECT 1 FROM ${log} WHERE registry = ${registry} AND revision = ${revision} AND id = ${prev}))
${forShare}
ON CONFLICT DO NOTHING RETURNING revision`
    const there = sql<{ id: string }>`SELECT id FROM ${log} WHERE registry = ${registry} AND revision = ${next}`
    const cursor = { revision: next, id, token: String(next) }
    return Effect.gen({ self: this }, function*() {
      yield* begin
      if ((yield* insert).length === 0) return (yield* there)[0]?.id === id ? cursor : undefined
      this.options.hints.tell(registry)
      this.options.announce(registry)
      return cursor
    })
  }

  private read(registry: string, { id: here, revision }: Cursor, limit: number): Effect.Effect<Page, SqlError> {
    const { sql, tables: { log } } = this
    // the record at the cursor comes first: whether it is still the same log is seen in the same statement
    return Effect.map(
      sql<Row>`SELECT last.head, page.revision, page.id, page.body
FROM (SELECT MAX(revision) AS head FROM ${log} WHERE registry = ${registry}) AS last
LEFT JOIN (
  SELECT revision, id, CASE WHEN revision > ${revision} THEN body ELSE '' END AS body
  FROM ${log} WHERE registry = ${registry} AND revision >= ${revision} ORDER BY revision LIMIT ${limit + 2}
) AS page ON 1 = 1
ORDER BY page.revision`,
      (rows) => {
        const head = Number(rows[0]?.head ?? 0)
        const stored = rows.flatMap((row) =>
          row.revision === null ? [] : [{ cursor: cursorOf(row.revision, row.id), body: row.body }]
        )
        const [first] = stored
        if (first?.cursor.revision === revision) {
          if (first.cursor.id !== here) return { head: revision - 1, records: [], more: false }
          stored.shift()
        } else if (first !== undefined && first.cursor.revision > revision + 1) {
          return { head, records: "truncated", more: false }
        }
        return { head, records: stored.slice(0, limit), more: stored.length > limit }
      }
    )
  }

  private heads(registries: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Cursor>, SqlError> {
    const { sql, tables: { head, log } } = this
    if (registries.length === 0) return Effect.succeed([])
    return Effect.map(
      sql<{ registry: string; revision: Integer; id: string }>`SELECT l.registry, l.revision, l.id
FROM ${head} AS h JOIN ${log} AS l ON l.registry = h.registry
AND l.revision = (SELECT MAX(revision) FROM ${log} WHERE registry = h.registry)
WHERE ${sql.in("h.registry", registries)}`,
      (rows) => {
        const found = new Map(rows.map((row) => [row.registry, cursorOf(row.revision, row.id)]))
        return registries.map((registry) => found.get(registry) ?? start)
      }
    )
  }

  private checkpoint(registry: string): Effect.Effect<Checkpoint | undefined, SqlError> {
    const { sql, tables: { checkpoint, piece } } = this
    return Effect.map(
      sql<{ revision: Integer; id: string; body: string }>`SELECT c.revision, c.id, p.body
FROM ${checkpoint} AS c JOIN ${piece} AS p ON p.registry = c.registry AND p.save = c.save
WHERE c.registry = ${registry} ORDER BY p.piece`,
      (rows) =>
        rows[0] === undefined
          ? undefined
          : { cursor: cursorOf(rows[0].revision, rows[0].id), body: rows.map(({ body }) => body).join("") }
    )
  }

  private saveCheckpoint(
    registry: string,
    { body, cursor: { id, revision } }: Checkpoint,
    keep: number
  ): Effect.Effect<void, SqlError> {
    const { dialect: { forUpdate }, sql, tables: { checkpoint, head, log, piece } } = this
    const save = newId()
    const until = revision - Math.max(keep, 0) - 1
    return Effect.gen(function*() {
      for (const [i, text] of piecesOf(body).entries()) {
        yield* sql`INSERT INTO ${piece} (registry, save, piece, body) VALUES (${registry}, ${save}, ${i}, ${text})`
      }
      // from here on nobody appends, and nobody else cuts
      yield* sql`SELECT dropped FROM ${head} WHERE registry = ${registry} ${forUpdate}`
      const isIn = (yield* sql`SELECT 1 FROM ${log} WHERE registry = ${registry} AND revision = ${revision}
AND id = ${id}`).length > 0
      const newer = yield* sql`SELECT 1 FROM ${checkpoint} AS c
JOIN ${log} AS l ON l.registry = c.registry AND l.revision = c.revision AND l.id = c.id
WHERE c.registry = ${registry} AND c.revision > ${revision}`
      if (!isIn || newer.length > 0) {
        yield* sql`DELETE FROM ${piece} WHERE registry = ${registry} AND save = ${save}`
        return
      }
      yield* sql`DELETE FROM ${piece} WHERE registry = ${registry} AND save <> ${save}`
      yield* sql`INSERT INTO ${checkpoint} (registry, revision, id, save)
VALUES (${registry}, ${revision}, ${id}, ${save})
ON CONFLICT (registry) DO UPDATE SET revision = excluded.revision, id = excluded.id, save = excluded.save`
      yield* sql`UPDATE ${head} SET dropped = ${until} WHERE registry = ${registry} AND dropped < ${until}`
      yield* sql`DELETE FROM ${log} WHERE registry = ${registry} AND revision <= ${until}`
    }).pipe(sql.withTransaction)
  }

  private drop(registry: string): Effect.Effect<void, SqlError> {
    const { sql, tables: { checkpoint, head, log, piece } } = this
    return Effect.gen({ self: this }, function*() {
      for (const table of [head, log, checkpoint, piece]) yield* sql`DELETE FROM ${table} WHERE registry = ${registry}`
    }).pipe(sql.withTransaction)
  }

  /** Whether a session has not expired, by the clock of the store. One that was renewed in the future has. */
  private get lives() {
    const { dialect: { now }, sql } = this
    return sql`(expires_at > ${now} AND expires_at <= ${now} + ttl)`
  }

  private open(id: string, millis: number): Effect.Effect<unknown, SqlError> {
    const { dialect: { now }, sql, tables: { session } } = this
    return sql`INSERT INTO ${session} (id, expires_at, ttl)
VALUES (${id}, ${now} + CAST(${millis} AS bigint), CAST(${millis} AS bigint))
ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at, ttl = excluded.ttl`
  }

  private renew(id: string, millis: number): Effect.Effect<boolean, SqlError> {
    const { dialect: { now }, sql, tables: { session } } = this
    return Effect.map(
      sql`UPDATE ${session} SET expires_at = ${now} + CAST(${millis} AS bigint), ttl = CAST(${millis} AS bigint)
WHERE id = ${id} RETURNING id`,
      (rows) => rows.length > 0
    )
  }

  private living(ids: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>, SqlError> {
    const { lives, sql, tables: { session } } = this
    return this.among(ids, sql<{ id: string }>`SELECT id FROM ${session} WHERE ${sql.in("id", ids)} AND ${lives}`)
  }

  private bury(ids: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>, SqlError> {
    const { lives, sql, tables: { session } } = this
    if (ids.length === 0) return Effect.succeed([])
    return Effect.gen({ self: this }, function*() {
      yield* sql`DELETE FROM ${session} WHERE ${sql.in("id", ids)} AND NOT ${lives}`
      const open = yield* this.among(ids, sql<{ id: string }>`SELECT id FROM ${session} WHERE ${sql.in("id", ids)}`)
      return ids.filter((id) => !open.includes(id))
    })
  }

  /** The ids that a statement answers, in the order in which they were asked for. */
  private among(ids: ReadonlyArray<string>, statement: Effect.Effect<ReadonlyArray<{ id: string }>, SqlError>) {
    if (ids.length === 0) return Effect.succeed([])
    return Effect.map(statement, (rows) => {
      const found = new Set(rows.map(({ id }) => id))
      return ids.filter((id) => found.has(id))
    })
  }

  get service(): RegistryLog["Service"] {
    return bounded({
      name: this.options.name,
      // clients of databases take messages of 16 MiB
      maxBytes: 1 << 23,
      append: (registry, after, record) => this.run(this.append(registry, after, record)),
      read: (registry, after, limit) => this.run(this.read(registry, after, limit)),
      heads: (registries) => this.run(this.heads(registries)),
      hints: (registry) => this.options.hints.of(registry),
      checkpoint: (registry) => this.run(this.checkpoint(registry)),
      saveCheckpoint: (registry, checkpoint, keep) => this.run(this.saveCheckpoint(registry, checkpoint, keep)),
      drop: (registry) => this.run(this.drop(registry)),
      sessions: {
        open: (id, ttl) => Effect.asVoid(this.run(this.open(id, Duration.toMillis(ttl)))),
        renew: (id, ttl) => this.run(this.renew(id, Duration.toMillis(ttl))),
        close: (id) => Effect.asVoid(this.run(this.sql`DELETE FROM ${this.tables.session} WHERE id = ${id}`)),
        living: (ids) => this.run(this.living(ids)),
        bury: (ids) => this.run(this.bury(ids))
      }
    })
  }
}

const cursorOf = (revision: Integer, id: string): Cursor => {
  const number = Number(revision)
  return { revision: number, id, token: String(number) }
}

/** The context of the one who makes it is that of all statements. */
export const makeLog = (options: Options): Effect.Effect<RegistryLog["Service"]> =>
  Effect.contextWith((context: Context.Context<never>) => Effect.sync(() => new Log(options, context).service))
