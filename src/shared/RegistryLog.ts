/**
 * The log that the processes of a shared registry have in common: the one service that engines implement.
 *
 * A log is a list of records in one order. An engine keeps it, and compares where a record is to go with the last record.
 * It does not have to be trusted in that: each record names the one before, and a record that does not follow the last one
 * counts for nothing. So an engine needs a total order that stays, and leases by a clock of its own, and nothing else.
 *
 * Beside `layerMemory` there are `effect-registry/shared/sqlite` for the processes of one machine,
 * `effect-registry/shared/sql` and `effect-registry/shared/pg` for databases, `effect-registry/shared/nats`, and
 * `effect-registry/shared/rpc` for processes that have no store of their own. For an engine of yours there is
 * `RegistryTest.logLaws`, which tests it.
 *
 * @module
 * @since 0.2.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import { Hints } from "../internal/shared/hints.ts"

/**
 * A place in a log: right after the record `id`, which has the number `revision`. Numbers grow by one. An engine that has a
 * number of its own to compare puts it into the `token`.
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
 * The place before the first record.
 *
 * @category models
 * @since 0.2.0
 */
export const start: Cursor = { revision: 0, id: "", token: "" }

/**
 * A record, and the place after it. An engine does not read the `body`.
 *
 * @category models
 * @since 0.2.0
 */
export interface Stored {
  readonly cursor: Cursor
  readonly body: string
}

/**
 * The contents of a registry after a record, as text. An engine does not read the `body`.
 *
 * @category models
 * @since 0.2.0
 */
export interface Checkpoint {
  readonly cursor: Cursor
  readonly body: string
}

/**
 * The log could not be used. `definite`: certainly, nothing was written, and asking again is of no use: it was refused, or
 * is too large.
 *
 * @category errors
 * @since 0.2.0
 */
export class LogError extends Data.TaggedError("LogError")<{ readonly cause: unknown; readonly definite: boolean }> {
  override get message(): string {
    const { cause, definite } = this
    const why = cause instanceof Error ? cause.message : Formatter.format(cause)
    return `The log of shared registries ${definite ? "refuses that" : "cannot be used"}: ${why.slice(0, 300)}`
  }
}

/**
 * The records after a place.
 *
 * @category models
 * @since 0.2.0
 */
export interface Page {
  /**
   * The number of the last record of the log. Less than that of the place that was asked about: the log has gone back, or
   * has another record there.
   */
  readonly head: number
  /** Without a gap. `"truncated"`: some of them were cut off after a checkpoint. */
  readonly records: ReadonlyArray<Stored> | "truncated"
  /** Whether there are more to read now. A page may be short, and not the last. */
  readonly more: boolean
}

/**
 * The leases of processes. What a process holds in scopes goes when its session is no more. They are judged by the clock of
 * the store alone. A session is open until it is closed or buried; whether it has expired only says whether it may be
 * buried.
 *
 * @category models
 * @since 0.2.0
 */
export interface Sessions {
  /** Opens a session, under an id that was never used. To open it again is to renew it. */
  readonly open: (id: string, ttl: Duration.Duration) => Effect.Effect<void, LogError>
  /** Whether the session is still open. One that has expired is open, until it is buried: then it is gone for good. */
  readonly renew: (id: string, ttl: Duration.Duration) => Effect.Effect<boolean, LogError>
  /** Ends a session. If there is none, this does nothing. */
  readonly close: (id: string) => Effect.Effect<void, LogError>
  /**
   * Those that are open, and have not expired. A session that was renewed in the future has expired: the clock of the store
   * was set back, and it would live too long.
   */
  readonly living: (ids: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>, LogError>
  /** Ends those that have expired, for good, and answers which of all are no more. */
  readonly bury: (ids: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>, LogError>
}

/**
 * A log for each registry, by its name. Names have 200 bytes at most.
 *
 * All calls may fail with `LogError`, and have answered or failed after some seconds. None of them runs in a transaction of
 * the caller, or depends on the fiber that asks: what was interrupted may or may not be carried out.
 *
 * **Example** (Two records for one place)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { RegistryLog } from "effect-registry/shared"
 *
 * const program = Effect.gen(function*() {
 *   const log = yield* RegistryLog.RegistryLog
 *   const first = yield* log.append("tools", RegistryLog.start, { id: "a", body: "{}" })
 *   const second = yield* log.append("tools", RegistryLog.start, { id: "b", body: "{}" })
 *   return [first?.revision, second]
 * })
 *
 * await Effect.runPromise(Effect.provide(program, RegistryLog.layerMemory)) // => [1, undefined]
 * ```
 *
 * @category services
 * @since 0.2.0
 */
export class RegistryLog extends Context.Service<RegistryLog, {
  /** The name of the engine, for people. */
  readonly name: string
  /** How many bytes a record may have, in UTF-8. */
  readonly maxBytes: number
  /**
   * Writes a record right after a place, and answers the place after it. Nothing, if another record is there, or was
   * there before the log was cut, or if the place is of another history. A second append of the same id after the same
   * place is the first one.
   */
  readonly append: (
    registry: string,
    after: Cursor,
    record: { readonly id: string; readonly body: string }
  ) => Effect.Effect<Cursor | undefined, LogError>
  /** So many records after a place, at most. */
  readonly read: (registry: string, after: Cursor, limit: number) => Effect.Effect<Page, LogError>
  /**
   * The last place of each of several registries, in their order. One question, however many there are: it is what a
   * process asks from time to time. Where there is no record, it is {@link start}.
   */
  readonly heads: (registries: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Cursor>, LogError>
  /** That there may be news. Hints may be missed, late, or doubled, and an engine may have none. */
  readonly hints: (registry: string) => Stream.Stream<unknown, LogError>
  /** The newest checkpoint. It is valid only if its record is in the log: read after its place to know. */
  readonly checkpoint: (registry: string) => Effect.Effect<Checkpoint | undefined, LogError>
  /**
   * Keeps a checkpoint and cuts the log so that, before its record, so many are left. The record itself stays. It does
   * nothing if the record is not in the log, or if there is a newer checkpoint whose record is. An engine that takes no
   * large values writes it in pieces.
   */
  readonly saveCheckpoint: (registry: string, checkpoint: Checkpoint, keep: number) => Effect.Effect<void, LogError>
  /** Removes the records and the checkpoint of a registry. A process that still uses it begins a new log. */
  readonly drop: (registry: string) => Effect.Effect<void, LogError>
  readonly sessions: Sessions
}>()("effect-registry/RegistryLog") {
  /** A log in memory, for tests and for one process. */
  static readonly layerMemory: Layer.Layer<RegistryLog> = Layer.effect(RegistryLog, Effect.suspend(() => makeMemory))
}

interface Rows {
  readonly rows: Array<Stored>
  /** How many records were cut off. */
  readonly dropped: number
  readonly checkpoint: Checkpoint | undefined
}

class Memory {
  private readonly logs = new Map<string, Rows>()
  private readonly leases = new Map<string, { readonly at: number; readonly ttl: number }>()
  private readonly hints = new Hints()

  private of(registry: string): Rows {
    const log = this.logs.get(registry) ?? { rows: [], dropped: 0, checkpoint: undefined }
    this.logs.set(registry, log)
    return log
  }

  /** The record with a number. */
  private at({ dropped, rows }: Rows, revision: number): Stored | undefined {
    return rows[revision - dropped - 1]
  }

  private append(registry: string, after: Cursor, { body, id }: { readonly id: string; readonly body: string }) {
    const log = this.of(registry)
    const next = this.at(log, after.revision + 1)
    if (next !== undefined) return next.cursor.id === id ? next.cursor : undefined
    const last = log.rows.at(-1)?.cursor ?? start
    if (last.revision !== after.revision || last.id !== after.id) return undefined
    const revision = after.revision + 1
    const cursor = { revision, id, token: String(revision) }
    log.rows.push({ cursor, body })
    this.hints.tell(registry)
    return cursor
  }

  private read(registry: string, after: Cursor, limit: number): Page {
    const log = this.of(registry)
    const head = log.dropped + log.rows.length
    if (after.revision < log.dropped) return { head, records: "truncated", more: false }
    const here = this.at(log, after.revision)
    if (here !== undefined && here.cursor.id !== after.id) return { head: after.revision - 1, records: [], more: false }
    const from = after.revision - log.dropped
    return { head, records: log.rows.slice(from, from + limit), more: from + limit < log.rows.length }
  }

  private saveCheckpoint(registry: string, checkpoint: Checkpoint, keep: number): void {
    const log = this.of(registry)
    const isIn = ({ cursor }: Checkpoint) => this.at(log, cursor.revision)?.cursor.id === cursor.id
    const newest = log.checkpoint
    const { revision } = checkpoint.cursor
    if (!isIn(checkpoint) || newest !== undefined && isIn(newest) && newest.cursor.revision > revision) return
    const dropped = Math.max(revision - keep - 1, log.dropped)
    this.logs.set(registry, { rows: log.rows.slice(dropped - log.dropped), dropped, checkpoint })
  }

  private lives(id: string, now: number): boolean {
    const lease = this.leases.get(id)
    return lease !== undefined && lease.at <= now && now < lease.at + lease.ttl
  }

  readonly service: RegistryLog["Service"] = {
    name: "memory",
    maxBytes: 1 << 24,
    append: (registry, after, record) => Effect.sync(() => this.append(registry, after, record)),
    read: (registry, after, limit) => Effect.sync(() => this.read(registry, after, limit)),
    heads: (registries) =>
      Effect.sync(() => registries.map((registry) => this.of(registry).rows.at(-1)?.cursor ?? start)),
    hints: (registry) => this.hints.of(registry),
    checkpoint: (registry) => Effect.sync(() => this.of(registry).checkpoint),
    saveCheckpoint: (registry, checkpoint, keep) =>
      Effect.sync(() => this.saveCheckpoint(registry, checkpoint, Math.max(keep, 0))),
    drop: (registry) =>
      Effect.sync(() => {
        this.logs.delete(registry)
        this.hints.tell(registry)
      }),
    sessions: {
      open: (id, ttl) =>
        Effect.map(Clock.currentTimeMillis, (at) => void this.leases.set(id, { at, ttl: Duration.toMillis(ttl) })),
      renew: (id, ttl) =>
        Effect.map(Clock.currentTimeMillis, (at) => {
          if (!this.leases.has(id)) return false
          this.leases.set(id, { at, ttl: Duration.toMillis(ttl) })
          return true
        }),
      close: (id) => Effect.sync(() => void this.leases.delete(id)),
      living: (ids) => Effect.map(Clock.currentTimeMillis, (now) => ids.filter((id) => this.lives(id, now))),
      bury: (ids) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          for (const id of ids) if (!this.lives(id, now)) this.leases.delete(id)
          return ids.filter((id) => !this.leases.has(id))
        })
    }
  }
}

/**
 * Makes a log in memory. Registries that are given the same one share it, as processes share a store.
 *
 * **Example** (A process that begins when another one has ended)
 *
 * ```ts
 * import { Effect, Layer, Schema } from "effect"
 * import { RegistryLog, SharedRegistry } from "effect-registry/shared"
 *
 * class Tools extends SharedRegistry.Service<Tools, string>()("app/Tools", {
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "forever"
 * }) {}
 *
 * const program = Effect.gen(function*() {
 *   const log = Layer.succeed(RegistryLog.RegistryLog, yield* RegistryLog.makeMemory)
 *   yield* Effect.provide(Tools.register("search"), Tools.layer.pipe(Layer.provide(log)))
 *   return yield* Effect.provide(Tools.values, Tools.layer.pipe(Layer.provide(log)))
 * })
 *
 * await Effect.runPromise(program) // => ["search"]
 * ```
 *
 * @category constructors
 * @since 0.2.0
 */
export const makeMemory: Effect.Effect<RegistryLog["Service"]> = Effect.sync(() => new Memory().service)

/**
 * A log in memory, for tests and for one process.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerMemory: Layer.Layer<RegistryLog> = RegistryLog.layerMemory
