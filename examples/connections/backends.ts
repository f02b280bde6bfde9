/**
 * Backends, and a connection for each: what this example shows.
 */
import { Effect, FileSystem, Schema } from "effect"
import { Registry, RegistryResource } from "effect-registry"
import { connect, ConnectionError } from "./tcp.ts"

const Backend = Schema.Struct({ name: Schema.String, port: Schema.Int, version: Schema.Int })

export type Backend = typeof Backend.Type

export class Backends extends Registry.Service<Backends, Backend>()("connections/Backends", { lookup: ["name"] }) {}

/** Connected before a backend can be found, and closed after it has gone and the last request that uses it has ended. */
export class Connections extends RegistryResource.Service<Connections>()("connections/Connections", {
  registry: Backends,
  acquire: ({ port }) => connect(port)
}) {}

export const Backlist = Schema.fromJsonString(Schema.Array(Backend))

/**
 * Makes the backends of a file what it says now, and leaves alone what others have registered. A backend that refuses the
 * connection is left out with a warning, and the next reload tries it again.
 */
export const reload = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const backends = yield* Schema.decodeUnknownEffect(Backlist)(yield* fs.readFileString(file))
  return yield* Backends.reconcile(backends, { owner: file, onInvalid: "skip" })
})

/** One of the backends, and its connection, which stays open until the scope closes. */
const lease = (turn: number) =>
  Effect.gen(function*() {
    const backends = yield* Backends.values
    const backend = backends[turn % backends.length]!
    return { backend, connection: yield* Connections.get("name", backend.name) }
  }).pipe(
    // it has gone between the two: another one
    Effect.retry({ while: (error) => error.code === "not_registered" })
  )

/** Fails if the answer is that to another request. Says whether the backend had gone when it was answered. */
export const request = (turn: number) =>
  Effect.scoped(Effect.gen(function*() {
    const { backend, connection } = yield* lease(turn)
    const answer = yield* connection.ask(`request ${turn}`)
    if (answer !== `request ${turn}!`) return yield* new ConnectionError({ message: `Request ${turn}: ${answer}` })
    return { hasGone: !(yield* Backends.contains(backend)) }
  }))
