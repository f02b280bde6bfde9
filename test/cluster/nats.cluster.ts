/** The engine of NATS against a real server. */
import { connect } from "@nats-io/transport-node"
import { Effect, Exit, Layer, Scope } from "effect"
import * as RegistryLogNats from "effect-registry/shared/nats"
import { RegistryTest } from "effect-registry/testing"
import { afterAll, beforeAll } from "vitest"
import { sharingOver } from "../utils/sharingOver.ts"
import * as Servers from "./servers.ts"

const scope = Scope.makeUnsafe()
let server: Servers.Server
beforeAll(async () => {
  server = await Effect.runPromise(Scope.provide(Servers.nats, scope))
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const engine = Layer.suspend(() =>
  RegistryLogNats.layer({ connect: () => connect({ servers: `nats://127.0.0.1:${server.port}` }) })
)

RegistryTest.logLaws("NATS", engine)
sharingOver("NATS", engine)
