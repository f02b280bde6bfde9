/**
 * A log for shared registries in a database: PostgreSQL or SQLite, over any client of `effect/sql`.
 *
 * Its statements run with the context of its layer. A transaction of the program, `sql.withTransaction`, has no part in
 * them: what a registry has acknowledged is in, also where that transaction is rolled back.
 *
 * Processes hear of what others write when they ask, from time to time. For PostgreSQL there is `effect-registry/shared/pg`,
 * which tells them at once; for the processes of one machine there is `effect-registry/shared/sqlite`.
 *
 * **Example** (The layers of a program)
 *
 * ```ts
 * import { Layer, Schema } from "effect"
 * import { SharedRegistry } from "effect-registry/shared"
 * import * as RegistryLogSql from "effect-registry/shared/sql"
 * import type { SqlClient } from "effect/sql"
 *
 * class Tools extends SharedRegistry.Service<Tools, string>()("app/Tools", {
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "cluster"
 * }) {}
 *
 * const live = (client: Layer.Layer<SqlClient.SqlClient>) =>
 *   Tools.layerPopulated.pipe(Layer.provide(RegistryLogSql.layer), Layer.provide(client))
 *
 * typeof live // => "function"
 * ```
 *
 * @module
 * @since 0.2.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { Hints } from "../internal/shared/hints.ts"
import { makeLog, migrate, migrationsOf } from "../internal/shared/sqlLog.ts"
import { RegistryLog } from "./RegistryLog.ts"

/**
 * The names of tables begin with the prefix, which is `registry` by default: `registry_log` and others.
 *
 * @category models
 * @since 0.2.0
 */
export interface SqlOptions {
  readonly prefix?: string | undefined
}

/**
 * The migrations that make the tables, for a migrator of yours.
 *
 * @category migrations
 * @since 0.2.0
 */
export const migrations = ({ prefix = "registry" }: SqlOptions = {}): Migrator.Loader => migrationsOf(prefix)

/**
 * Makes the tables, and nothing else: for a role that may, before processes start whose role may only use them.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerMigrations = (
  options: SqlOptions = {}
): Layer.Layer<never, Migrator.MigrationError | SqlError, SqlClient.SqlClient> =>
  Layer.effectDiscard(migrate(options.prefix ?? "registry"))

/**
 * The log in tables that are there.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerStorage = (
  { prefix = "registry" }: SqlOptions = {}
): Layer.Layer<RegistryLog, never, SqlClient.SqlClient> =>
  Layer.effect(
    RegistryLog,
    Effect.flatMap(SqlClient.SqlClient, (client) => {
      const sql = client.withoutTransforms()
      return makeLog({ sql, prefix, name: `sql ${sql.driver}`, hints: new Hints(), announce: () => {} })
    })
  )

/**
 * The log, in tables that are made if they are not there, whose names begin with a prefix.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerWith = (
  options: SqlOptions
): Layer.Layer<RegistryLog, Migrator.MigrationError | SqlError, SqlClient.SqlClient> =>
  layerStorage(options).pipe(Layer.provide(layerMigrations(options)))

/**
 * The log, in tables that are made if they are not there.
 *
 * @category layers
 * @since 0.2.0
 */
export const layer: Layer.Layer<RegistryLog, Migrator.MigrationError | SqlError, SqlClient.SqlClient> = layerWith({})
