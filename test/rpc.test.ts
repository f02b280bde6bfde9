/** A log that one process serves, and others use. */
import { NodeSocket, NodeSocketServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Duration, Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { Registry } from "effect-registry"
import { RegistryLog, SharedRegistry } from "effect-registry/shared"
import * as RegistryLogRpc from "effect-registry/shared/rpc"
import { RegistryTest } from "effect-registry/testing"
import { Headers } from "effect/http"
import { RpcClient, RpcSerialization, RpcServer } from "effect/rpc"
import { SocketServer } from "effect/socket"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterAll, beforeAll } from "vitest"
import { process, synced, tool } from "./utils/replicas.ts"
import { sharingOver } from "./utils/sharingOver.ts"

const { start } = RegistryLog
const minute = Duration.minutes(1)

const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "registry-"))
const scope = Scope.makeUnsafe()
const inScope = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) => Effect.runPromise(Scope.provide(effect, scope))
afterAll(async () => {
  await Effect.runPromise(Scope.close(scope, Exit.void))
  Fs.rmSync(directory, { recursive: true })
})

const socketOf = (name: string) => ({ path: Path.join(directory, name) })

const serving = (log: Layer.Layer<RegistryLog.RegistryLog>, path: { readonly path: string }) =>
  RegistryLogRpc.layerServer.pipe(
    Layer.provide([RegistryLogRpc.layerAccessLocal, RpcServer.layerProtocolSocketServer, log]),
    Layer.provide([NodeSocketServer.layer(path), RpcSerialization.layerNdjson])
  )

const clientOf = (path: { readonly path: string }) =>
  RegistryLogRpc.layerClient.pipe(
    Layer.provide(RpcClient.layerProtocolSocket({ retryTransientErrors: true })),
    Layer.provide([NodeSocket.layerNet(path), RpcSerialization.layerNdjson])
  )

const socket = socketOf("laws")
const client = clientOf(socket)

let port = 0
const webClient = Layer.suspend(() =>
  RegistryLogRpc.layerClient.pipe(
    Layer.provide(RpcClient.layerProtocolSocket({ retryTransientErrors: true })),
    Layer.provide([NodeSocket.layerWebSocket(`ws://127.0.0.1:${port}`), RpcSerialization.layerJson])
  )
)

beforeAll(() =>
  inScope(Effect.gen(function*() {
    yield* Layer.build(serving(RegistryLog.layerMemory, socket))
    const sockets = yield* Layer.build(NodeSocketServer.layerWebSocket({ host: "127.0.0.1", port: 0 }))
    const { address } = Context.get(sockets, SocketServer.SocketServer)
    if (address._tag !== "UnixPathAddress") port = address.port
    yield* Effect.provideContext(
      Layer.build(
        RegistryLogRpc.layerServer.pipe(
          Layer.provide([
            RegistryLogRpc.layerAccessLocal,
            RpcServer.layerProtocolSocketServer,
            RegistryLog.layerMemory
          ]),
          Layer.provide(RpcSerialization.layerJson)
        )
      ),
      sockets
    )
  }))
)

RegistryTest.logLaws("a log over RPC on a Unix socket", client)
RegistryTest.logLaws("a log over RPC on a WebSocket", webClient)
sharingOver("RPC on a Unix socket", client)
sharingOver("RPC on a WebSocket", webClient)

/** Another process. */
const another = <A, E>(effect: Effect.Effect<A, E, RegistryLog.RegistryLog>) =>
  Effect.provide(effect, clientOf(socket), { local: true })

const sessions = RegistryLog.RegistryLog.useSync((log) => log.sessions)

/** Whether a server begins that listens to a host, without a word on who may use it. */
const servingOn = (host: string) =>
  Effect.exit(Effect.scoped(Layer.build(
    RegistryLogRpc.layerServer.pipe(
      Layer.provide([RegistryLogRpc.layerAccessLocal, RpcServer.layerProtocolSocketServer, RegistryLog.layerMemory]),
      Layer.provide([NodeSocketServer.layer({ host, port: 0 }), RpcSerialization.layerNdjson])
    )
  )))

describe("a log over RPC", () => {
  it.live("A23 only the client that has opened a session renews and closes it; all can see that it lives", () =>
    Effect.gen(function*() {
      const own = yield* sessions
      yield* own.open("mine", minute)
      yield* another(Effect.gen(function*() {
        const others = yield* sessions
        const refused = yield* Effect.flip(others.open("mine", minute))
        assert.isTrue(refused.definite)
        assert.match(refused.message, /another client/)
        assert.isFalse(yield* others.renew("mine", minute))
        yield* others.close("mine")
        assert.deepStrictEqual(yield* others.living(["mine"]), ["mine"])
        assert.deepStrictEqual(yield* others.bury(["mine"]), [])
      }))
      assert.isTrue(yield* own.renew("mine", minute))
      yield* own.close("mine")
      assert.isFalse(yield* own.renew("mine", minute))
    }).pipe(Effect.provide(client)))

  it.live(
    "A23 a session outlives the connection, and a process the server: it keeps what it has registered",
    () =>
      Effect.gen(function*() {
        const path = socketOf("restarted")
        const log = Layer.succeed(RegistryLog.RegistryLog, yield* RegistryLog.makeMemory)
        const first = yield* Scope.make()
        yield* Scope.provide(Layer.build(serving(log, path)), first)
        const running = Effect.flatMap(
          Layer.build(Layer.fresh(clientOf(path))),
          (context) => Effect.provideContext(process({ session: { ttl: "1 second" }, poll: "100 millis" }), context)
        )
        const [one, two] = [yield* running, yield* running]
        const scoped = yield* Scope.make()
        yield* Scope.provide(Registry.registerScoped(one.registry, tool("scoped")), scoped)
        assert.deepStrictEqual(yield* synced(one, two), ["scoped", "scoped"])
        const { session } = yield* SharedRegistry.status(one.registry)
        yield* Scope.close(first, Exit.void)
        yield* Layer.build(serving(log, path))
        for (let now = session; now.id === session.id || now.state !== "live";) {
          yield* Effect.sleep(50)
          now = (yield* SharedRegistry.status(one.registry)).session
        }
        yield* Effect.sleep(1_500)
        assert.deepStrictEqual(yield* synced(one, two), ["scoped", "scoped"])
        yield* Scope.close(scoped, Exit.void)
        assert.deepStrictEqual(yield* synced(one, two), ["", ""])
      }),
    30_000
  )

  it.live("A23 who may not use it is told so, and nothing is done", () =>
    Effect.gen(function*() {
      const path = socketOf("guarded")
      const access = Layer.succeed(RegistryLogRpc.Access, (answer, { headers }) =>
        headers["authorization"] === "secret"
          ? answer
          : Effect.fail(new RegistryLogRpc.AccessDenied({ reason: "it has not the secret" })))
      yield* Layer.build(
        RegistryLogRpc.layerServer.pipe(
          Layer.provide([access, RpcServer.layerProtocolSocketServer, RegistryLog.layerMemory]),
          Layer.provide([NodeSocketServer.layer(path), RpcSerialization.layerNdjson])
        )
      )
      const known = Layer.provide(
        clientOf(path),
        Layer.succeed(RpcClient.CurrentHeaders, Headers.fromInput({ authorization: "secret" }))
      )
      const append = RegistryLog.RegistryLog.use((log) => log.append("tools", start, { id: "a", body: "" }))
      const hints = RegistryLog.RegistryLog.use((log) => Stream.runDrain(log.hints("tools")))
      const heads = RegistryLog.RegistryLog.use((log) => log.heads(["tools"]))
      for (const call of [append, hints]) {
        const denied = yield* Effect.flip(Effect.provide(call, clientOf(path)))
        assert.isTrue(denied instanceof RegistryLog.LogError && denied.definite)
        assert.match(String(denied.cause), /has not the secret/)
      }
      assert.deepStrictEqual(yield* Effect.provide(heads, known), [start])
    }), 30_000)

  it.live("A23 a server that listens to other machines does not begin without a word on who may use it", () =>
    Effect.gen(function*() {
      const open = yield* servingOn("0.0.0.0")
      assert.isTrue(Exit.isFailure(open) && /open to other machines/.test(Cause.pretty(open.cause)))
      assert.isTrue(Exit.isSuccess(yield* servingOn("127.0.0.1")))
    }))

  it.live("S17 hears what another client writes", () =>
    Effect.gen(function*() {
      const log = yield* RegistryLog.RegistryLog
      const hearing = yield* Effect.forkChild(Stream.runHead(log.hints("heard")), { startImmediately: true })
      yield* Effect.sleep(100)
      yield* another(RegistryLog.RegistryLog.use((own) => own.append("heard", start, { id: "a", body: "" })))
      assert.strictEqual((yield* Effect.timeout(Fiber.join(hearing), 5_000))._tag, "Some")
    }).pipe(Effect.provide(client)))
})
