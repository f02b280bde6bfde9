/**
 * A log for shared registries that one process keeps and others use, over a protocol of `effect/rpc`: workers and child
 * processes over a Unix socket, or machines over WebSockets. The process that serves it has an engine of its own, which may be
 * that in memory.
 *
 * **Details**
 *
 * A session is bound to the client that has opened it, by a secret: no other client can renew or close it. It outlives a
 * connection, and not the server: after that began anew a process opens another session, and keeps what it has registered.
 * Apart from that, a client that may connect may write anything. So a server needs `Access`, a middleware that says who may
 * connect, or `layerAccessLocal`, with which nobody can but this machine.
 *
 * Clients take records of a megabyte at most.
 *
 * **Example** (Clients on one machine, over a Unix socket)
 *
 * ```ts
 * import { NodeSocket, NodeSocketServer } from "@effect/platform-node"
 * import { Layer, Schema } from "effect"
 * import { RegistryLog, SharedRegistry } from "effect-registry/shared"
 * import * as RegistryLogRpc from "effect-registry/shared/rpc"
 * import { RpcClient, RpcSerialization, RpcServer } from "effect/rpc"
 *
 * class Tools extends SharedRegistry.Service<Tools, string>()("app/Tools", {
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "cluster"
 * }) {}
 *
 * const server = RegistryLogRpc.layerServer.pipe(
 *   Layer.provide([RegistryLogRpc.layerAccessLocal, RpcServer.layerProtocolSocketServer, RegistryLog.layerMemory]),
 *   Layer.provide([NodeSocketServer.layer({ path: "/run/app/registry.sock" }), RpcSerialization.layerNdjson])
 * )
 *
 * const client = Tools.layerPopulated.pipe(
 *   Layer.provide(RegistryLogRpc.layerClient),
 *   Layer.provide(RpcClient.layerProtocolSocket()),
 *   Layer.provide([NodeSocket.layerNet({ path: "/run/app/registry.sock" }), RpcSerialization.layerNdjson])
 * )
 *
 * Layer.isLayer(server) && Layer.isLayer(client) // => true
 * ```
 *
 * @module
 * @since 0.2.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcMiddleware from "effect/rpc/RpcMiddleware"
import * as RpcServer from "effect/rpc/RpcServer"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import * as SocketServer from "effect/socket/SocketServer"
import * as Stream from "effect/Stream"
import { newId } from "../internal/shared/appending.ts"
import { bounded } from "../internal/shared/bounded.ts"
import { LogError, RegistryLog } from "./RegistryLog.ts"

/**
 * A client may not use the log.
 *
 * @category errors
 * @since 0.2.0
 */
export class AccessDenied extends Schema.TaggedError<AccessDenied>()("AccessDenied", { reason: Schema.String }) {
  override get message(): string {
    return `The log of shared registries is not for this client: ${this.reason}`
  }
}

/**
 * Says who may use a log: a middleware of `effect/rpc`, which has the headers of each request. A client sends those that
 * `RpcClient.CurrentHeaders` has where its layer is built.
 *
 * **Example** (A secret that clients share)
 *
 * ```ts
 * import { Effect, Layer, Redacted } from "effect"
 * import * as RegistryLogRpc from "effect-registry/shared/rpc"
 * import { Headers } from "effect/http"
 * import { RpcClient } from "effect/rpc"
 *
 * const secret = Redacted.make("from your configuration")
 *
 * const onServer = Layer.succeed(RegistryLogRpc.Access, (answer, { headers }) =>
 *   headers["authorization"] === `Bearer ${Redacted.value(secret)}`
 *     ? answer
 *     : Effect.fail(new RegistryLogRpc.AccessDenied({ reason: "it has not the secret" })))
 *
 * const onClient = RegistryLogRpc.layerClient.pipe(
 *   Layer.provide(
 *     Layer.succeed(RpcClient.CurrentHeaders, Headers.fromInput({ authorization: `Bearer ${Redacted.value(secret)}` }))
 *   )
 * )
 *
 * Layer.isLayer(onServer) && Layer.isLayer(onClient) // => true
 * ```
 *
 * @category services
 * @since 0.2.0
 */
export class Access extends RpcMiddleware.Service<Access>()("effect-registry/RegistryLogRpc/Access", {
  error: AccessDenied
}) {}

/**
 * Everybody may use the log who can connect to the server of sockets, which listens on this machine alone: on a Unix socket,
 * or on an address like 127.0.0.1. The layer dies where other machines can connect.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerAccessLocal: Layer.Layer<Access, never, SocketServer.SocketServer> = Layer.effect(
  Access,
  SocketServer.SocketServer.useSync(({ address }) => {
    if (!NetAddress.isUnixPathAddress(address) && !NetAddress.isLoopback(address.address)) {
      throw new Error(
        "The log of shared registries would be open to other machines: listen on 127.0.0.1 or a Unix socket, " +
          "or provide a RegistryLogRpc.Access that says who may use it."
      )
    }
    return (answer) => answer
  })
)

const Failure = Schema.Struct({ cause: Schema.Defect(), definite: Schema.Boolean })
const Cursor = Schema.Struct({ revision: Schema.Number, id: Schema.String, token: Schema.String })
const Stored = Schema.Struct({ cursor: Cursor, body: Schema.String })
const Page = Schema.Struct({
  head: Schema.Number,
  records: Schema.Union([Schema.Array(Stored), Schema.Literal("truncated")]),
  more: Schema.Boolean
})
/** Of a registry. */
const Name = Schema.String
const Ids = Schema.Array(Schema.String)
/** Of a session: its id, and the secret of the client that has opened it. */
const session = { id: Schema.String, secret: Schema.String }

const Log = RpcGroup.make(
  Rpc.make("append", {
    payload: { registry: Name, after: Cursor, record: Schema.Struct({ id: Schema.String, body: Schema.String }) },
    success: Schema.UndefinedOr(Cursor),
    error: Failure
  }),
  Rpc.make("read", { payload: { registry: Name, after: Cursor, limit: Schema.Number }, success: Page, error: Failure }),
  Rpc.make("heads", { payload: { registries: Schema.Array(Name) }, success: Schema.Array(Cursor), error: Failure }),
  Rpc.make("hints", { payload: { registry: Name }, success: Schema.Void, error: Failure, stream: true }),
  Rpc.make("checkpoint", { payload: { registry: Name }, success: Schema.UndefinedOr(Stored), error: Failure }),
  Rpc.make("saveCheckpoint", { payload: { registry: Name, checkpoint: Stored, keep: Schema.Number }, error: Failure }),
  Rpc.make("drop", { payload: { registry: Name }, error: Failure }),
  Rpc.make("open", { payload: { ...session, millis: Schema.Number }, error: Failure }),
  Rpc.make("renew", { payload: { ...session, millis: Schema.Number }, success: Schema.Boolean, error: Failure }),
  Rpc.make("close", { payload: session, error: Failure }),
  Rpc.make("living", { payload: { ids: Ids }, success: Ids, error: Failure }),
  Rpc.make("bury", { payload: { ids: Ids }, success: Ids, error: Failure })
).middleware(Access)

const failing = <A>(call: Effect.Effect<A, LogError>) =>
  Effect.mapError(call, ({ cause, definite }) => ({ cause, definite }))

const handlers = Log.toLayer(Effect.gen(function*() {
  const log = yield* RegistryLog
  /** The secrets of the clients that have opened a session here. */
  const secrets = new Map<string, string>()
  const isOf = ({ id, secret }: { readonly id: string; readonly secret: string }): boolean => secrets.get(id) === secret
  const foreign = Effect.fail({ cause: new Error("This session is another client's."), definite: true })
  const forget = (gone: ReadonlyArray<string>) => {
    for (const id of gone) secrets.delete(id)
  }
  return {
    append: (payload) => failing(log.append(payload.registry, payload.after, payload.record)),
    read: ({ after, limit, registry }) => failing(log.read(registry, after, limit)),
    heads: ({ registries }) => failing(log.heads(registries)),
    hints: ({ registry }) =>
      Stream.mapError(Stream.as(log.hints(registry), undefined), ({ cause, definite }) => ({ cause, definite })),
    checkpoint: ({ registry }) => failing(log.checkpoint(registry)),
    saveCheckpoint: ({ checkpoint, keep, registry }) => failing(log.saveCheckpoint(registry, checkpoint, keep)),
    drop: ({ registry }) => failing(log.drop(registry)),
    open: (payload) =>
      Effect.suspend(() => {
        const { id, millis, secret } = payload
        if (secrets.has(id) && !isOf(payload)) return foreign
        secrets.set(id, secret)
        return Effect.onError(
          failing(log.sessions.open(id, Duration.millis(millis))),
          () => Effect.sync(() => forget([id]))
        )
      }),
    // a client of before this server began has to open another session
    renew: (payload) =>
      isOf(payload)
        ? Effect.tap(
          failing(log.sessions.renew(payload.id, Duration.millis(payload.millis))),
          (isOpen) => Effect.sync(() => isOpen || forget([payload.id]))
        )
        : Effect.succeed(false),
    close: (payload) =>
      isOf(payload)
        ? Effect.tap(failing(log.sessions.close(payload.id)), () => Effect.sync(() => forget([payload.id])))
        : Effect.void,
    living: (payload) => failing(log.sessions.living(payload.ids)),
    bury: (payload) => Effect.tap(failing(log.sessions.bury(payload.ids)), (gone) => Effect.sync(() => forget(gone)))
  }
}))

/**
 * Serves the log of this process.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerServer: Layer.Layer<never, never, RegistryLog | RpcServer.Protocol | Access> = RpcServer.layer(Log, {
  disableTracing: true
}).pipe(Layer.provide(handlers))

const logError = (error: RpcClientError | AccessDenied | typeof Failure.Type): LogError =>
  "definite" in error
    ? new LogError(error)
    : new LogError({ cause: error, definite: error._tag === "AccessDenied" })

/**
 * The log that another process serves.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerClient: Layer.Layer<RegistryLog, never, RpcClient.Protocol> = Layer.effect(
  RegistryLog,
  Effect.gen(function*() {
    const client = yield* RpcClient.make(Log, { disableTracing: true })
    const secret = newId()
    const context = yield* Effect.context<never>()
    /** With nothing of the caller. */
    const ask = <A, E extends Parameters<typeof logError>[0]>(call: Effect.Effect<A, E>): Effect.Effect<A, LogError> =>
      Effect.mapError(
        Effect.withFiber<A, E>((fiber) =>
          Effect.setContext(call, Context.add(context, Scheduler.Scheduler, fiber.cache.scheduler))
        ),
        logError
      )
    return bounded({
      name: "rpc",
      // one that all engines take
      maxBytes: 1_000_000,
      append: (registry, after, record) => ask(client.append({ registry, after, record })),
      read: (registry, after, limit) => ask(client.read({ registry, after, limit })),
      heads: (registries) => ask(client.heads({ registries })),
      hints: (registry) => Stream.mapError(client.hints({ registry }), logError),
      checkpoint: (registry) => ask(client.checkpoint({ registry })),
      saveCheckpoint: (registry, checkpoint, keep) => ask(client.saveCheckpoint({ registry, checkpoint, keep })),
      drop: (registry) => ask(client.drop({ registry })),
      sessions: {
        open: (id, ttl) => ask(client.open({ id, secret, millis: Duration.toMillis(ttl) })),
        renew: (id, ttl) => ask(client.renew({ id, secret, millis: Duration.toMillis(ttl) })),
        close: (id) => ask(client.close({ id, secret })),
        living: (asked) => ask(client.living({ ids: asked })),
        bury: (asked) => ask(client.bury({ ids: asked }))
      }
    })
  })
)
