/**
 * A log for shared registries in PostgreSQL, over the client of `@effect/sql-pg`. It is that of `effect-registry/shared/sql`, in
 * the same tables, and processes hear at once of what others write: by `LISTEN`, on one connection for all registries of a
 * process.
 *
 * `LISTEN` does not work through a pooler that gives each transaction another connection. The layer looks whether it
 * hears itself, and says so in the log where it does not: then others are heard when a process asks, from time to time.
 *
 * **Example** (The layers of a program)
 *
 * ```ts
 * import { PgClient } from "@effect/sql-pg"
 * import { Layer, Redacted, Schema } from "effect"
 * import { SharedRegistry } from "effect-registry/shared"
 * import * as RegistryLogPg from "effect-registry/shared/pg"
 *
 * class Tools extends SharedRegistry.Service<Tools, string>()("app/Tools", {
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "cluster"
 * }) {}
 *
 * const live = Tools.layerPopulated.pipe(
 *   Layer.provide(RegistryLogPg.layer()),
 *   Layer.provide(PgClient.layer({ url: Redacted.make("postgres://localhost/app") }))
 * )
 *
 * Layer.isLayer(live) // => true
 * ```
 *
 * @module
 * @since 0.2.0
 */
import { PgClient } from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type { MigrationError } from "effect/sql/Migrator"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { newId } from "../internal/shared/appending.ts"
import { Hints } from "../internal/shared/hints.ts"
import { makeLog } from "../internal/shared/sqlLog.ts"
import { RegistryLog } from "./RegistryLog.ts"
import { layerMigrations, type SqlOptions } from "./sql.ts"

/**
 * `hints`: whether a process tells others that it has written, which takes a lock of the whole server for a moment: `"after"`
 * it was written, which is the default, or not at all.
 *
 * @category models
 * @since 0.2.0
 */
export interface PgOptions extends SqlOptions {
  readonly hints?: "after" | "off" | undefined
}

/** Between two tries to listen. */
const pause = "1 second"

/** What goes through the channel: that a registry has news, or what a listener sends to itself. */
const newsOf = (registry: string): string => `news ${registry}`
const probe = (): string => `probe ${newId()}`

/** Notifies other processes, in transactions of its own. News that arrive during a notification share the next one. */
const telling = (client: PgClient, channel: string) =>
  Effect.gen(function*() {
    const untold = new Set<string>()
    const wake = yield* Queue.sliding<void>(1)
    const tell: Effect.Effect<void> = Effect.suspend(() => {
      const [registry] = untold
      if (registry === undefined) return Effect.void
      untold.delete(registry)
      const one = Effect.onInterrupt(client.notify(channel, newsOf(registry)), () =>
        Effect.sync(() => untold.add(registry)))
      return Effect.andThen(Effect.ignore(one), tell)
    })
    yield* Effect.addFinalizer(() =>
      Effect.timeoutOption(Effect.interruptible(tell), "1 second")
    )
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Queue.take(wake), tell)))
    return (registry: string) => {
      untold.add(registry)
      Queue.offerUnsafe(wake, undefined)
    }
  })

/** Hears other processes. After a connection was lost there may be news of any registry. */
const listening = (client: PgClient, channel: string, hints: Hints) => {
  const hear = Effect.scoped(Effect.gen(function*() {
    const queue = yield* client.listen(channel)
    const own = probe()
    let isHeard = false
    const warn = Effect.suspend(() =>
      isHeard
        ? Effect.void
        : Effect.logWarning(
          "This process does not hear by LISTEN what others write to shared registries, and asks from time to time. " +
            "Is it connected through a pooler of transactions?"
        )
    )
    yield* client.notify(channel, own)
    yield* Effect.forkScoped(Effect.delay(warn, "5 seconds"))
    hints.tellAll()
    for (;;) {
      const { payload } = yield* Queue.take(queue)
      if (payload === own) isHeard = true
      else if (payload.startsWith(newsOf(""))) hints.tell(payload.slice(newsOf("").length))
    }
  }))
  return Effect.forever(Effect.andThen(Effect.ignore(hear), Effect.sleep(pause)))
}

/**
 * The log in tables that are there: see `layerMigrations` of `effect-registry/shared/sql`.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerStorage = (
  { hints: when = "after", prefix = "registry" }: PgOptions = {}
): Layer.Layer<RegistryLog, never, PgClient> =>
  Layer.effect(
    RegistryLog,
    Effect.gen(function*() {
      const client = yield* PgClient
      const hints = new Hints()
      const announce = when === "after" ? yield* telling(client, prefix) : () => {}
      if (when === "after") yield* Effect.forkScoped(listening(client, prefix, hints))
      return yield* makeLog({ sql: client.withoutTransforms(), prefix, name: "postgresql", hints, announce })
    })
  )

/**
 * The log, in tables that are made if they are not there.
 *
 * @category layers
 * @since 0.2.0
 */
export const layer = (options: PgOptions = {}): Layer.Layer<RegistryLog, MigrationError | SqlError, PgClient> => {
  const client = Layer.effect(SqlClient, PgClient)
  return layerStorage(options).pipe(Layer.provide(Layer.provide(layerMigrations(options), client)))
}
