/**
 * The log that the processes of a shared registry have in common: the one service that engines implement.
 *
 * @module
 * @since 0.2.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"

/**
 * A place in a log: right after the record `id`. An engine compares the `token`.
 *
 * @category models
 * @since 0.2.0
 */
export interface Cursor {
  readonly revision: number
  readonly id: string
  readonly token: string
}

/**
 * @category models
 * @since 0.2.0
 */
export interface Stored {
  readonly cursor: Cursor
  readonly body: string
}

/**
 * The log could not be used. `definite`: certainly, nothing was written.
 *
 * @category errors
 * @since 0.2.0
 */
export class LogError extends Data.TaggedError("LogError")<{ readonly cause: unknown; readonly definite: boolean }> {}

/**
 * @category models
 * @since 0.2.0
 */
export interface Page {
  readonly head: number
  readonly records: ReadonlyArray<Stored> | "truncated"
  readonly more: boolean
}

/**
 * @category services
 * @since 0.2.0
 */
export class RegistryLog extends Context.Service<RegistryLog, {
  readonly name: string
  readonly maxBytes: number
  readonly append: (
    registry: string,
    after: Cursor,
    record: { readonly id: string; readonly body: string }
  ) => Effect.Effect<Cursor | undefined, LogError>
  readonly read: (registry: string, after: Cursor, limit: number) => Effect.Effect<Page, LogError>
  readonly hints: (registry: string) => Stream.Stream<unknown, LogError>
  readonly checkpoint: (
    registry: string
  ) => Effect.Effect<{ readonly cursor: Cursor; readonly body: string } | undefined, LogError>
  readonly saveCheckpoint: (
    registry: string,
    checkpoint: { readonly cursor: Cursor; readonly body: string },
    keep: number
  ) => Effect.Effect<void, LogError>
  readonly sessions: {
    readonly open: (id: string, ttl: Duration.Duration) => Effect.Effect<void, LogError>
    readonly renew: (id: string, ttl: Duration.Duration) => Effect.Effect<boolean, LogError>
    readonly close: (id: string) => Effect.Effect<void, LogError>
    /** Those that are open, and have not expired by the clock of the store. */
    readonly living: (ids: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>, LogError>
    readonly bury: (ids: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>, LogError>
  }
}>()("effect-registry/RegistryLog") {
  /** A log in memory, for tests and for one process. */
  static readonly layerMemory: Layer.Layer<RegistryLog> = Layer.effect(
    RegistryLog,
    Effect.sync(() => {
      interface Rows {
        rows: Array<Stored>
        dropped: number
        checkpoint: { readonly cursor: Cursor; readonly body: string } | undefined
        readonly hints: PubSub.PubSub<void>
      }
      const logs = new Map<string, Rows>()
      const leases = new Map<string, number>()
      const of = (registry: string) => {
        const rows = logs.get(registry) ??
          { rows: [], dropped: 0, checkpoint: undefined, hints: Effect.runSync(PubSub.sliding<void>(1)) }
        logs.set(registry, rows)
        return rows
      }
      const head = ({ dropped, rows }: Rows) => rows.at(-1)?.cursor.revision ?? dropped
      return {
        name: "memory",
        maxBytes: 1 << 24,
        append: (registry, after, { body, id }) =>
          Effect.sync(() => {
            const log = of(registry)
            const next = log.rows.find(({ cursor }) => cursor.revision === after.revision + 1)
            if (next !== undefined) return next.cursor.id === id ? next.cursor : undefined
            const last = log.rows.at(-1)?.cursor
            if (head(log) !== after.revision || last !== undefined && last.id !== after.id) return undefined
            const cursor = { revision: after.revision + 1, id, token: String(after.revision + 1) }
            log.rows.push({ cursor, body })
            PubSub.publishUnsafe(log.hints, undefined)
            return cursor
          }),
        read: (registry, after, limit) =>
          Effect.sync(() => {
            const log = of(registry)
            const rest = log.rows.filter(({ cursor }) => cursor.revision > after.revision)
            const truncated = after.revision < log.dropped
            return {
              head: head(log),
              records: truncated ? "truncated" : rest.slice(0, limit),
              more: !truncated && rest.length > limit
            }
          }),
        hints: (registry) => Stream.fromPubSub(of(registry).hints),
        checkpoint: (registry) => Effect.sync(() => of(registry).checkpoint),
        saveCheckpoint: (registry, checkpoint, keep) =>
          Effect.sync(() => {
            const log = of(registry)
            if ((log.checkpoint?.cursor.revision ?? 0) < checkpoint.cursor.revision) log.checkpoint = checkpoint
            const until = Math.min(checkpoint.cursor.revision - keep, head(log)) - 1
            if (until > log.dropped) {
              log.dropped = until
              log.rows = log.rows.filter(({ cursor }) => cursor.revision > until)
            }
          }),
        sessions: {
          open: (id, ttl) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              leases.set(id, now + Duration.toMillis(ttl))
            }),
          renew: (id, ttl) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              if (!leases.has(id)) return false
              leases.set(id, now + Duration.toMillis(ttl))
              return true
            }),
          close: (id) => Effect.sync(() => void leases.delete(id)),
          living: (ids) =>
            Effect.map(Clock.currentTimeMillis, (now) => ids.filter((id) => (leases.get(id) ?? 0) > now)),
          bury: (ids) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              for (const id of ids) if ((leases.get(id) ?? 0) <= now) leases.delete(id)
              return ids.filter((id) => !leases.has(id))
            })
        }
      }
    })
  )
}

/**
 * A log in memory, for tests and for one process.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerMemory: Layer.Layer<RegistryLog> = RegistryLog.layerMemory
