/**
 * A log for shared registries in NATS JetStream, through `@nats-io/jetstream`. A cluster of NATS survives the loss of a machine
 * by itself.
 *
 * **Details**
 *
 * Each registry has a stream of its own, whose sequence numbers are those of its records. Checkpoints and sessions have a
 * stream each. Streams are made when they are first written to, with as many replicas as `replicas` says, and without direct
 * reads: those may be old.
 *
 * **Gotchas**
 *
 * Old servers accept several records for one place when three nodes keep a stream: a shared registry takes the first and
 * disregards the others. Sessions trust the server's comparison. See "Which engine" of the page on sharing for what a
 * server needs in production.
 *
 * **Example** (The layers of a program)
 *
 * ```ts
 * import { connect } from "@nats-io/transport-node"
 * import { Layer, Schema } from "effect"
 * import { SharedRegistry } from "effect-registry/shared"
 * import * as RegistryLogNats from "effect-registry/shared/nats"
 *
 * class Tools extends SharedRegistry.Service<Tools, string>()("app/Tools", {
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "cluster"
 * }) {}
 *
 * const live = Tools.layerPopulated.pipe(
 *   Layer.provide(RegistryLogNats.layer({ connect: () => connect({ servers: "nats://localhost" }), replicas: 3 }))
 * )
 *
 * Layer.isLayer(live) // => true
 * ```
 *
 * @module
 * @since 0.2.0
 */
import {
  jetstream,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  type JetStreamPublishOptions,
  type PubAck,
  PubHeaders,
  type StoredMsg,
  type StreamConfig
} from "@nats-io/jetstream"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { newId } from "../internal/shared/appending.ts"
import { bounded } from "../internal/shared/bounded.ts"
import { piecesOf } from "../internal/shared/text.ts"
import { type Checkpoint, type Cursor, LogError, type Page, RegistryLog, start } from "./RegistryLog.ts"

/**
 * A connection to NATS, of the transport of your runtime.
 *
 * @category models
 * @since 0.2.0
 */
export type Connection = Parameters<typeof jetstream>[0]

/**
 * How to connect, and how streams are made: their names begin with the prefix, `registry` by default, and so many nodes keep
 * them, one by default.
 *
 * @category models
 * @since 0.2.0
 */
export interface NatsOptions {
  readonly connect: () => Promise<Connection>
  readonly prefix?: string | undefined
  readonly replicas?: number | undefined
}

/**
 * There is no connection to NATS.
 *
 * @category errors
 * @since 0.2.0
 */
export class NatsUnavailable extends Data.TaggedError("NatsUnavailable")<{ readonly cause: unknown }> {
  override get message(): string {
    return `There is no connection to NATS: ${String(this.cause)}`
  }
}

/** Every runtime has them. */
declare const crypto: {
  readonly subtle: { readonly digest: (name: "SHA-256", bytes: Uint8Array) => Promise<ArrayBuffer> }
}
declare const setTimeout: (f: (value: unknown) => void, millis: number) => unknown
declare const TextEncoder: new() => { readonly encode: (text: string) => Uint8Array }
declare const TextDecoder: new() => { readonly decode: (bytes: Uint8Array) => string }

/** How long a part of a name of a stream may be. */
const longestToken = 150

/** A name of anything, as a part of the name of a stream, and of a subject. */
const tokenOf = async (name: string): Promise<string> => {
  const token = encodeURIComponent(name).replaceAll(/[_.!~*'()]/g, (one) => `%${one.charCodeAt(0).toString(16)}`)
    .replaceAll("%", "_")
  if (token.length <= longestToken) return token
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name)))
  return `_x${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`
}

/** How many messages are asked for at once. */
const atOnce = 64

/** A session that has ended keeps its place for so long, in nanoseconds: a week. So does one that nobody has renewed. */
const remembered = 7 * 24 * 3_600 * 1e9

interface Manifest {
  readonly revision: number
  readonly id: string
  /** The places of its pieces. */
  readonly pieces: ReadonlyArray<number>
}

/** The body of a session that has ended. */
const over = "over"

const isCode = (error: unknown, code: number): boolean => error instanceof JetStreamApiError && error.code === code

const wrongPlace = (error: unknown): boolean => isCode(error, JetStreamApiCodes.StreamWrongLastSequence)

const noStream = (error: unknown): boolean => isCode(error, JetStreamApiCodes.StreamNotFound)

/** It is there, and an administrator has changed it. */
const isOtherwise = (error: unknown): boolean => isCode(error, 10_058)

/** The client cannot tell that nobody answers from a server without streams. */
const isNobodyThere = (error: unknown): boolean => error instanceof Error && error.name === "JetStreamNotEnabled"

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === "TimeoutError"

const mostTries = 50
const mostReads = 3

/** How long a request may take, in milliseconds. */
const timeout = 2_000

/** Between two tries, in milliseconds. */
const pause = 100

const idOf = (message: StoredMsg): string => message.header.get(PubHeaders.MsgIdHdr)

const textOf = (message: StoredMsg): string => new TextDecoder().decode(message.data)

const cursorOf = (revision: number, id: string): Cursor => ({ revision, id, token: String(revision) })

class Nats {
  private readonly connection: Connection
  private readonly js: JetStreamClient
  private readonly jsm: JetStreamManager
  private readonly prefix: string
  private readonly replicas: number
  private readonly tokens = new Map<string, string>()
  private readonly made = new Set<string>()

  constructor(connection: Connection, jsm: JetStreamManager, { prefix = "registry", replicas = 1 }: NatsOptions) {
    this.connection = connection
    this.js = jetstream(connection, { timeout })
    this.jsm = jsm
    this.prefix = prefix
    this.replicas = replicas
  }

  private async token(name: string): Promise<string> {
    const token = this.tokens.get(name) ?? await tokenOf(name)
    this.tokens.set(name, token)
    return token
  }

  private get checkpoints(): string {
    return `${this.prefix}-checkpoints`
  }

  private get sessions(): string {
    return `${this.prefix}-sessions`
  }

  /** The stream of a registry, and its only subject. */
  private async logOf(registry: string): Promise<readonly [stream: string, subject: string]> {
    const token = await this.token(registry)
    return [`${this.prefix}-log-${token}`, `${this.prefix}.log.${token}`]
  }

  /** It may be there. */
  private async make(name: string, subject: string, config: Partial<StreamConfig> = {}): Promise<void> {
    try {
      await this.jsm.streams.add({
        name,
        subjects: [subject],
        num_replicas: this.replicas,
        allow_direct: false,
        ...config
      })
    } catch (error) {
      if (!isOtherwise(error)) throw error
    }
  }

  /** One of the streams that nobody drops. */
  private async makeOnce(name: string, subject: string, config: Partial<StreamConfig>): Promise<void> {
    if (this.made.has(name)) return
    await this.make(name, subject, config)
    this.made.add(name)
  }

  /** Nothing, where there is no such message, or no stream. */
  private async get(stream: string, query: { seq: number } | { last_by_subj: string }): Promise<StoredMsg | undefined> {
    for (let tries = 0;; tries++) {
      try {
        return await this.jsm.streams.getMessage(stream, query) ?? undefined
      } catch (error) {
        if (noStream(error)) return undefined
        // while the nodes of a stream choose a leader nobody answers
        if (!isTimeout(error) || tries === mostReads) throw error
      }
    }
  }

  /** A stream whose nodes choose a leader takes nothing for a while. */
  private async send(subject: string, body: string, options?: Partial<JetStreamPublishOptions>): Promise<PubAck> {
    for (let tries = 0;; tries++) {
      try {
        return await this.js.publish(subject, body, options)
      } catch (error) {
        if (!isNobodyThere(error) || tries === mostTries) throw error
        await new Promise((resume) => setTimeout(resume, pause))
      }
    }
  }

  /** Nothing, where another message was first. */
  private async publish(
    subject: string,
    body: string,
    options: Partial<JetStreamPublishOptions>
  ): Promise<PubAck | undefined> {
    try {
      return await this.send(subject, body, options)
    } catch (error) {
      if (wrongPlace(error)) return undefined
      throw error
    }
  }

  async append(
    registry: string,
    after: Cursor,
    { body, id }: { readonly id: string; readonly body: string }
  ): Promise<Cursor | undefined> {
    const [stream, subject] = await this.logOf(registry)
    const { revision } = after
    if (revision === 0) await this.make(stream, subject)
    else {
      // the server compares numbers, and they may be those of another history
      const here = await this.get(stream, { seq: revision })
      if (here === undefined || idOf(here) !== after.id) return this.there(stream, revision + 1, id)
    }
    const taken = await this.publish(subject, body, { msgID: id, expect: { lastSequence: revision } })
    if (taken === undefined) return this.there(stream, revision + 1, id)
    this.connection.publish(await this.hintOf(registry))
    return cursorOf(taken.seq, id)
  }

  /** The place after a record, if it is the one that was meant. */
  private async there(stream: string, revision: number, id: string): Promise<Cursor | undefined> {
    const found = await this.get(stream, { seq: revision })
    return found !== undefined && idOf(found) === id ? cursorOf(revision, id) : undefined
  }

  async read(registry: string, { id, revision }: Cursor, limit: number): Promise<Page> {
    const [stream, subject] = await this.logOf(registry)
    const [last, here] = await Promise.all([
      this.get(stream, { last_by_subj: subject }),
      revision === 0 ? undefined : this.get(stream, { seq: revision })
    ])
    const head = last?.seq ?? 0
    if (here !== undefined && idOf(here) !== id) return { head: revision - 1, records: [], more: false }
    const count = Math.max(Math.min(limit, head - revision), 0)
    const messages = await this.getAll(stream, Array.from({ length: count }, (_, i) => revision + 1 + i))
    if (messages === undefined) return { head, records: "truncated", more: false }
    return {
      head,
      records: messages.map((message) => ({ cursor: cursorOf(message.seq, idOf(message)), body: textOf(message) })),
      more: revision + count < head
    }
  }

  /** All of them, or nothing. */
  private async getAll(stream: string, places: ReadonlyArray<number>): Promise<ReadonlyArray<StoredMsg> | undefined> {
    const messages: Array<StoredMsg> = []
    for (let from = 0; from < places.length; from += atOnce) {
      const some = await Promise.all(places.slice(from, from + atOnce).map((seq) => this.get(stream, { seq })))
      for (const message of some) {
        if (message === undefined) return undefined
        messages.push(message)
      }
    }
    return messages
  }

  /** The server knows no question for several streams: these are asked at once. */
  heads(registries: ReadonlyArray<string>): Promise<ReadonlyArray<Cursor>> {
    return Promise.all(registries.map(async (registry) => {
      const [stream, subject] = await this.logOf(registry)
      const last = await this.get(stream, { last_by_subj: subject })
      return last === undefined ? start : cursorOf(last.seq, idOf(last))
    }))
  }

  private async hintOf(registry: string): Promise<string> {
    return `${this.prefix}.hint.${await this.token(registry)}`
  }

  hints(registry: string): Stream.Stream<unknown, LogError> {
    return Stream.unwrap(Effect.map(
      Effect.acquireRelease(
        asking(async () => this.connection.subscribe(await this.hintOf(registry))),
        (subscription) => Effect.sync(() => subscription.unsubscribe())
      ),
      (subscription) => Stream.fromAsyncIterable(subscription, (cause) => new LogError({ cause, definite: false }))
    ))
  }

  private async checkpointOf(registry: string): Promise<string> {
    return `${this.prefix}.checkpoint.${await this.token(registry)}`
  }

  private async manifest(subject: string): Promise<readonly [place: number, manifest: Manifest | undefined]> {
    const message = await this.get(this.checkpoints, { last_by_subj: `${subject}.head` })
    return message === undefined ? [0, undefined] : [message.seq, JSON.parse(textOf(message))]
  }

  async checkpoint(registry: string): Promise<Checkpoint | undefined> {
    const subject = await this.checkpointOf(registry)
    let last: number | undefined
    for (;;) {
      const [place, manifest] = await this.manifest(subject)
      // nor is there one that has lost a piece
      if (manifest === undefined || place === last) return undefined
      const pieces = await this.getAll(this.checkpoints, manifest.pieces)
      if (pieces !== undefined) {
        return { cursor: cursorOf(manifest.revision, manifest.id), body: pieces.map(textOf).join("") }
      }
      // a newer one has replaced it
      last = place
    }
  }

  async saveCheckpoint(registry: string, { body, cursor: { id, revision } }: Checkpoint, keep: number): Promise<void> {
    const [stream] = await this.logOf(registry)
    const subject = await this.checkpointOf(registry)
    const isIn = async (one: { readonly revision: number; readonly id: string }) =>
      (await this.there(stream, one.revision, one.id)) !== undefined
    await this.makeOnce(this.checkpoints, `${this.prefix}.checkpoint.>`, { max_msgs_per_subject: 1 })
    const pieces: Array<number> = []
    const save = newId()
    for (;;) {
      const [place, newest] = await this.manifest(subject)
      const isNewer = newest !== undefined && newest.revision > revision && await isIn(newest)
      if (isNewer || !(await isIn({ revision, id }))) {
        if (pieces.length > 0) await this.purge(this.checkpoints, { filter: `${subject}.piece.${save}.*` })
        return
      }
      if (pieces.length === 0) {
        for (const [i, text] of piecesOf(body).entries()) {
          pieces.push((await this.send(`${subject}.piece.${save}.${i}`, text)).seq)
        }
      }
      const manifest: Manifest = { revision, id, pieces }
      const saved = await this.publish(`${subject}.head`, JSON.stringify(manifest), {
        expect: { lastSubjectSequence: place }
      })
      if (saved === undefined) continue
      // those of the one before, and of who did not come to an end
      if (place > 0) await this.purge(this.checkpoints, { filter: `${subject}.piece.>`, seq: place })
      const first = revision - Math.max(keep, 0)
      if (first > 1) await this.purge(stream, { seq: first })
      return
    }
  }

  private async purge(stream: string, what: { filter: string; seq?: number } | { seq: number }): Promise<void> {
    try {
      await this.jsm.streams.purge(stream, what)
    } catch (error) {
      if (!noStream(error)) throw error
    }
  }

  async drop(registry: string): Promise<void> {
    const [stream] = await this.logOf(registry)
    try {
      await this.jsm.streams.delete(stream)
    } catch (error) {
      if (!noStream(error)) throw error
    }
    await this.purge(this.checkpoints, { filter: `${await this.checkpointOf(registry)}.>` })
  }

  private async sessionOf(id: string): Promise<string> {
    return `${this.prefix}.session.${await this.token(id)}`
  }

  private async session(id: string): Promise<StoredMsg | undefined> {
    const message = await this.get(this.sessions, { last_by_subj: await this.sessionOf(id) })
    return message === undefined || textOf(message) === over ? undefined : message
  }

  private makeSessions(): Promise<void> {
    return this.makeOnce(this.sessions, `${this.prefix}.session.>`, { max_msgs_per_subject: 1, max_age: remembered })
  }

  async open(id: string, millis: number): Promise<void> {
    await this.makeSessions()
    await this.send(await this.sessionOf(id), String(millis))
  }

  async renew(id: string, millis: number): Promise<boolean> {
    for (;;) {
      const session = await this.session(id)
      if (session === undefined) return false
      if (await this.replace(session, String(millis))) return true
    }
  }

  /** Whether it was still the last one of its session. */
  private async replace({ seq, subject }: StoredMsg, body: string): Promise<boolean> {
    return (await this.publish(subject, body, { expect: { lastSubjectSequence: seq } })) !== undefined
  }

  async close(id: string): Promise<void> {
    const session = await this.session(id)
    if (session !== undefined) await this.send(session.subject, over)
  }

  /** By the clock of the server, which it puts on what it is sent. */
  private async now(): Promise<number> {
    await this.makeSessions()
    const subject = `${this.prefix}.session.now.${newId()}`
    const { seq } = await this.send(subject, "")
    const message = await this.get(this.sessions, { seq })
    await this.purge(this.sessions, { filter: subject })
    return message!.time.getTime()
  }

  /** The sessions that are open, and whether each lives. Those that were renewed in the future do not. */
  private async judged(ids: ReadonlyArray<string>) {
    const found = await Promise.all(ids.map(async (id) => ({ id, session: await this.session(id) })))
    const open = found.flatMap(({ id, session }) => session === undefined ? [] : [{ id, session }])
    const now = open.length === 0 ? 0 : await this.now()
    return open.map(({ id, session }) => {
      const at = session.time.getTime()
      return { id, session, lives: at <= now && now < at + Number(textOf(session)) }
    })
  }

  async living(ids: ReadonlyArray<string>): Promise<ReadonlyArray<string>> {
    return (await this.judged(ids)).flatMap(({ id, lives }) => lives ? [id] : [])
  }

  async bury(ids: ReadonlyArray<string>): Promise<ReadonlyArray<string>> {
    const judged = await this.judged(ids)
    const open = new Set<string>()
    await Promise.all(judged.map(async ({ id, lives, session }) => {
      // who has renewed it in between was first
      if (lives || !(await this.replace(session, over)) && await this.session(id) !== undefined) open.add(id)
    }))
    return ids.filter((id) => !open.has(id))
  }
}

/** What the server has refused is not carried out; anything else may be. */
const asking = <A>(ask: () => Promise<A>): Effect.Effect<A, LogError> =>
  Effect.tryPromise({
    try: ask,
    catch: (cause) => new LogError({ cause, definite: cause instanceof JetStreamApiError && cause.status < 500 })
  })

const unavailable = (cause: unknown): NatsUnavailable => new NatsUnavailable({ cause })

/** What a record has beside its body, in bytes. */
const overhead = 4_096

/**
 * The log in NATS. The layer connects, and closes the connection at its end.
 *
 * @category layers
 * @since 0.2.0
 */
export const layer = (options: NatsOptions): Layer.Layer<RegistryLog, NatsUnavailable> =>
  Layer.effect(
    RegistryLog,
    Effect.gen(function*() {
      const connection = yield* Effect.acquireRelease(
        Effect.tryPromise({ try: options.connect, catch: unavailable }),
        (open) => Effect.ignore(Effect.tryPromise(() => open.close()))
      )
      const jsm = yield* Effect.tryPromise({
        try: () => jetstream(connection, { timeout }).jetstreamManager(false),
        catch: unavailable
      })
      const nats = new Nats(connection, jsm, options)
      return bounded({
        name: "nats",
        maxBytes: Math.min(1_000_000, (connection.info?.max_payload ?? 1_048_576) - overhead),
        append: (registry, after, record) => asking(() => nats.append(registry, after, record)),
        read: (registry, after, limit) => asking(() => nats.read(registry, after, limit)),
        heads: (registries) => asking(() => nats.heads(registries)),
        hints: (registry) => nats.hints(registry),
        checkpoint: (registry) => asking(() => nats.checkpoint(registry)),
        saveCheckpoint: (registry, checkpoint, keep) => asking(() => nats.saveCheckpoint(registry, checkpoint, keep)),
        drop: (registry) => asking(() => nats.drop(registry)),
        sessions: {
          open: (id, ttl) => asking(() => nats.open(id, Duration.toMillis(ttl))),
          renew: (id, ttl) => asking(() => nats.renew(id, Duration.toMillis(ttl))),
          close: (id) => asking(() => nats.close(id)),
          living: (ids) => asking(() => nats.living(ids)),
          bury: (ids) => asking(() => nats.bury(ids))
        }
      })
    })
  )
