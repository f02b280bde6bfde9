/** What is acquired belongs to a registration, not to its item: an object may change, and may be registered twice. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Logger, Scope } from "effect"
import { Registry, RegistryResource } from "effect-registry"
import * as Replicas from "./utils/replicas.ts"
import { type Tool, withLog } from "./utils/replicas.ts"

/** A server that may get another address. */
class Server {
  id: number
  url: string
  constructor(id: number, url: string) {
    this.id = id
    this.url = url
  }
}

/** Connections to servers, by the address that a server had when it was connected. */
class Connections {
  private readonly open = new Set<{ readonly url: string }>()
  opened = 0

  readonly connect = ({ url }: Server) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        this.opened++
        const connection = { url }
        this.open.add(connection)
        return connection
      }),
      (connection) => Effect.sync(() => assert.isTrue(this.open.delete(connection), `${url} is closed twice`))
    )

  get urls(): ReadonlyArray<string> {
    return Array.from(this.open, ({ url }) => url).toSorted()
  }
}

type Servers = Registry.Registry<Server, readonly ["id"]>

const make = (connections: Connections) =>
  Registry.make<Server>()({ lookup: ["id"], hooks: { acquire: connections.connect } })

/** Changes a server that is registered. */
const moved = (server: Server, url: string, id = server.id): Server => Object.assign(server, { id, url })

describe("G31 what is acquired is that of the registration", () => {
  it.effect("a replacement by the same object, which has changed, has what was acquired for it now", () =>
    Effect.gen(function*() {
      const connections = new Connections()
      const servers = yield* make(connections)
      const one = new Server(1, "old")
      yield* Registry.register(servers, one)
      yield* Registry.replace(servers, "id", 1, moved(one, "new"))
      assert.deepStrictEqual([connections.urls, connections.opened], [["new"], 2])
      yield* Registry.unregister(servers, one)
      assert.deepStrictEqual(connections.urls, [])
    }))

  it.effect("so does one that comes after another replacement in one transaction", () =>
    Effect.gen(function*() {
      const connections = new Connections()
      const servers = yield* make(connections)
      const one = new Server(1, "old")
      yield* Registry.register(servers, one)
      yield* Registry.transact(
        servers,
        Effect.gen(function*() {
          yield* Registry.replace(servers, "id", 1, new Server(1, "other"))
          yield* Registry.replace(servers, "id", 1, moved(one, "new"))
        })
      )
      assert.deepStrictEqual([connections.urls, connections.opened], [["new"], 3])
    }))

  it.effect("one in a nested transaction that fails changes nothing, nor does a lease after it", () =>
    Effect.gen(function*() {
      const connections = new Connections()
      const servers = yield* make(connections)
      const one = new Server(1, "old")
      yield* Registry.register(servers, one)
      yield* Registry.transact(
        servers,
        Effect.gen(function*() {
          const replacing = Effect.suspend(() => Registry.replace(servers, "id", 1, moved(one, "new")))
          yield* Effect.exit(Registry.transact(servers, Effect.andThen(replacing, Effect.fail("no"))))
          yield* Effect.scoped(Registry.lease(servers, "id", 1))
        })
      )
      assert.deepStrictEqual([connections.urls, connections.opened], [["old"], 2])
    }))

  it.effect("what succeeds in a nested transaction is that of the one around it, a lease there too", () =>
    Effect.gen(function*() {
      const servers: Servers = yield* Registry.make<Server>()({ lookup: ["id"] })
      const connections = new Connections()
      const resources = yield* RegistryResource.make(servers, connections.connect)
      const one = new Server(1, "old")
      yield* Registry.register(servers, one)
      yield* Registry.transact(
        servers,
        Effect.gen(function*() {
          yield* Registry.transact(
            servers,
            Effect.suspend(() => Registry.replace(servers, "id", 1, moved(one, "new")))
          )
          const { url } = yield* Effect.scoped(RegistryResource.get(resources, "id", 1))
          assert.strictEqual(url, "new")
          const published = yield* Registry.detached(Effect.scoped(RegistryResource.get(resources, "id", 1)))
          assert.strictEqual(published.url, "old")
        })
      )
      assert.deepStrictEqual(connections.urls, ["new"])
    }).pipe(Effect.scoped))

  it.effect("an object that is registered twice, under the keys of then and of now, has each", () =>
    Effect.gen(function*() {
      const connections = new Connections()
      const servers = yield* make(connections)
      const one = new Server(1, "one")
      yield* Registry.transact(
        servers,
        Effect.gen(function*() {
          yield* Registry.register(servers, one)
          yield* Registry.register(servers, moved(one, "two", 2))
        })
      )
      assert.deepStrictEqual([yield* Registry.size(servers), connections.urls], [2, ["one", "two"]])
      yield* Registry.unregisterBy(servers, "id", 1)
      assert.deepStrictEqual(connections.urls, ["two"])
    }))

  it.effect("so it does where overrides hide both", () =>
    Effect.gen(function*() {
      const connections = new Connections()
      const servers = yield* make(connections)
      const one = new Server(1, "one")
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.override(servers, new Server(1, "over 1"))
        yield* Registry.override(servers, new Server(2, "over 2"))
        yield* Registry.transact(
          servers,
          Effect.gen(function*() {
            yield* Registry.register(servers, one)
            yield* Registry.register(servers, moved(one, "two", 2))
          })
        )
        assert.deepStrictEqual(connections.urls, ["one", "over 1", "over 2", "two"])
      }))
      yield* Registry.unregisterBy(servers, "id", 1)
      assert.deepStrictEqual(connections.urls, ["two"])
    }))
})

/** Hooks that note what they acquire and release. */
const noting = (log: Array<string>) => ({
  acquire: ({ kind, name }: Tool) =>
    Effect.acquireRelease(
      Effect.sync(() => log.push(`+${name} ${kind}`)),
      () => Effect.sync(() => log.push(`-${name} ${kind}`))
    )
})

describe("G31 a shared registry", () => {
  it.effect("what another process replaces or withdraws is released", () =>
    withLog(Effect.gen(function*() {
      const log: Array<string> = []
      const one = yield* Replicas.process({ hooks: noting(log) })
      const other = yield* Replicas.process()
      yield* Registry.registerAll(one.registry, [Replicas.tool("a"), Replicas.tool("b")])
      yield* Replicas.synced(one, other)
      yield* Registry.replace(other.registry, "name", "a", Replicas.tool("a", "write"))
      yield* Registry.unregisterBy(other.registry, "name", "b")
      yield* Replicas.synced(one, other)
      // what replaces it is acquired here in the background
      for (let turn = 0; turn < 100 && !log.includes("+a write"); turn++) yield* Effect.yieldNow
      assert.sameMembers(log, ["+a read", "+b read", "-a read", "-b read", "+a write"])
    })))

  it.effect("what goes in after the record of another process, which was first, keeps what it acquired", () =>
    withLog(Effect.gen(function*() {
      const log: Array<string> = []
      const one = yield* Replicas.process({ hooks: noting(log) })
      const other = yield* Replicas.process()
      for (const name of ["a", "b", "c"]) {
        // `one` does not know of it when it begins
        yield* Registry.register(other.registry, Replicas.tool(`first ${name}`))
        yield* Registry.register(one.registry, Replicas.tool(name))
        yield* Registry.register(other.registry, Replicas.tool(`next ${name}`))
        yield* Registry.replace(one.registry, "name", name, Replicas.tool(name, "write"))
      }
      const open = (name: string) => log.filter((line) => line.slice(1) === name).at(-1)?.[0]
      for (const name of ["a", "b", "c"]) {
        assert.deepStrictEqual([open(`${name} read`), open(`${name} write`)], ["-", "+"])
      }
    })))
})

describe("G31 hooks that change the registry while something is acquired", () => {
  it.effect("a rule that ends meanwhile: what goes in enabled has what it needs", () =>
    Effect.gen(function*() {
      const connections = new Connections()
      const servers: Servers = yield* Registry.make<Server>()({
        lookup: ["id"],
        concurrency: 2,
        hooks: {
          acquire: (server) =>
            Effect.andThen(
              server.id === 2 ? Registry.enable(servers, "id", 1) : Effect.void,
              connections.connect(server)
            ) as Effect.Effect<unknown, never, Scope.Scope>
        }
      })
      yield* Registry.disable(servers, "id", 1, { reason: "off" })
      yield* Registry.registerAll(servers, [new Server(1, "a"), new Server(2, "b")])
      assert.deepStrictEqual([connections.urls, connections.opened], [["a", "b"], 2])
    }))

  it.effect("a rule that is made meanwhile: what goes in disabled has nothing", () =>
    Effect.gen(function*() {
      const connections = new Connections()
      const servers: Servers = yield* Registry.make<Server>()({
        lookup: ["id"],
        hooks: {
          acquire: (server) =>
            Effect.andThen(
              connections.connect(server),
              Registry.disable(servers, "id", server.id, { reason: "off" })
            )
        }
      })
      yield* Registry.register(servers, new Server(1, "a"))
      assert.deepStrictEqual([connections.urls, connections.opened], [[], 1])
    }))

  it.effect("a reset meanwhile: what is populated again and what goes in have what they need", () =>
    Effect.gen(function*() {
      const connections = new Connections()
      let resets = 0
      const servers: Registry.Registry<Server, readonly ["id"], any, any> = yield* Registry.make<Server>()({
        lookup: ["id"],
        defaults: [new Server(9, "default")],
        hooks: {
          acquire: (server) =>
            Effect.andThen(
              connections.connect(server),
              server.id === 1 && resets++ === 0 ? Registry.reset(servers) : Effect.void
            )
        }
      })
      yield* Registry.register(servers, new Server(1, "a"))
      assert.deepStrictEqual(connections.urls, ["a", "default"])
    }))

  it.effect("hooks that are added acquire once for what they themselves replace by the same object", () =>
    Effect.gen(function*() {
      const connections = new Connections()
      const servers: Servers = yield* Registry.make<Server>()({ lookup: ["id"] })
      const [a, b] = [new Server(1, "a"), new Server(2, "b")]
      yield* Registry.registerAll(servers, [a, b])
      const acquire = (server: Server) =>
        Effect.andThen(
          server === a ? Effect.orDie(Registry.replace(servers, "id", 2, b)) : Effect.void,
          connections.connect(server)
        )
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.addHooks(servers, { acquire }, { existing: true })
        assert.deepStrictEqual(connections.urls, ["a", "b"])
        yield* Registry.unregister(servers, b)
        assert.deepStrictEqual(connections.urls, ["a"])
      }))
      assert.deepStrictEqual(connections.urls, [])
    }))

  it.effect("hooks that are not added release what they acquired beside others, and those keep theirs", () =>
    Effect.gen(function*() {
      const [connections, others] = [new Connections(), new Connections()]
      const servers = yield* make(connections)
      yield* Registry.registerAll(servers, [new Server(1, "a"), new Server(2, "b")])
      yield* Effect.scoped(Effect.gen(function*() {
        const acquire = (server: Server) =>
          Effect.andThen(others.connect(server), server.id === 2 ? Effect.fail("no") : Effect.void)
        const error = yield* Effect.flip(Registry.addHooks(servers, { acquire }, { existing: true }))
        assert.strictEqual(error.code, "acquire")
        assert.deepStrictEqual([connections.urls, others.urls, others.opened], [["a", "b"], [], 2])
      }))
      assert.deepStrictEqual([connections.urls, others.urls], [["a", "b"], []])
    }))

  for (const how of ["dies", "is interrupted"] as const) {
    const warnings: Array<unknown> = []
    const logger = Logger.layer([Logger.make(({ message }) => warnings.push(message))])

    it.effect(`an acquire that ${how} where a closing scope enables: it stays disabled, and the close says so`, () =>
      Effect.gen(function*() {
        const connections = new Connections()
        let failing: Effect.Effect<void> = Effect.void
        const servers = yield* Registry.make<Server>()({
          lookup: ["id"],
          hooks: { acquire: (server) => Effect.andThen(connections.connect(server), failing) }
        })
        yield* Registry.register(servers, new Server(1, "a"))
        const scope = yield* Scope.make()
        yield* Scope.provide(Registry.disableScoped(servers, "id", 1, { reason: "off" }), scope)
        failing = how === "dies" ? Effect.die(new Error("no wire")) : Effect.interrupt
        const exit = yield* Effect.exit(Scope.close(scope, Exit.void))
        assert.isTrue(Exit.isFailure(exit) && (how === "dies" ? Cause.hasDies : Cause.hasInterrupts)(exit.cause))
        const explained = yield* Registry.explain(servers, "id", 1)
        assert.include(explained._tag === "Disabled" ? explained.reason : "", "off (it could not be enabled: ")
        assert.match(String(warnings), /"id" = 1 stays disabled in "registry": /)
        assert.deepStrictEqual(connections.urls, [])
        failing = Effect.void
        yield* Registry.enable(servers, "id", 1)
        assert.deepStrictEqual(connections.urls, ["a"])
      }).pipe(Effect.provide(logger)))
  }
})
