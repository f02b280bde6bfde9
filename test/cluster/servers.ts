/** Real servers for tests: each in a directory of its own, on a port that was free, gone when its scope closes. */
import { Effect, Scope } from "effect"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"

export interface Server {
  readonly port: number
  /** Begins, and waits until it takes connections. */
  readonly start: Effect.Effect<void>
  /** Ends at once, as if its machine had. */
  readonly kill: Effect.Effect<void>
  /** Stands still: it takes connections, and answers nothing. */
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
}

export const freePort: Effect.Effect<number> = Effect.callback<number>((resume) => {
  const server = Net.createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

const directory = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-registry-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true, force: true }))
)

const ended = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
  })

const isOpen = (port: number): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const socket = Net.connect(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
    socket.once("error", () => resume(Effect.succeed(false)))
  })

/** Polls, because servers do not say when they are ready. */
const until = (isSo: Effect.Effect<boolean>, what: string): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let i = 0; i < 600; i++) {
      if (yield* isSo) return
      yield* Effect.sleep(50)
    }
    return yield* Effect.die(new Error(`not within 30 seconds: ${what}`))
  })

interface Account {
  readonly uid?: number
  readonly gid?: number
}

interface Program {
  readonly port: number
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly account?: Account
  /** How it is told to end at once. */
  readonly signal: NodeJS.Signals
  readonly isReady: Effect.Effect<boolean>
}

const serve = ({ account = {}, args, command, isReady, port, signal }: Program) =>
  Effect.gen(function*() {
    let child: ChildProcess | undefined
    const send = (name: NodeJS.Signals) => Effect.sync(() => void child?.kill(name))
    const kill = Effect.suspend(() => {
      if (child === undefined) return Effect.void
      child.kill("SIGCONT")
      child.kill(signal)
      return ended(child)
    })
    const start = Effect.suspend(() => {
      child = spawn(command, args, { stdio: "ignore", ...account })
      return until(isReady, `${command} is ready`)
    })
    yield* Scope.addFinalizer(yield* Effect.scope, kill)
    yield* start
    const server: Server = { port, start, kill, pause: send("SIGSTOP"), resume: send("SIGCONT") }
    return server
  })

/** Debian keeps the programs of its server apart, by version. */
const postgresBin = (): string => {
  const versions = "/usr/lib/postgresql"
  const [newest] = Fs.existsSync(versions) ? Fs.readdirSync(versions).toSorted((a, b) => Number(b) - Number(a)) : []
  return newest === undefined ? "" : Path.join(versions, newest, "bin/")
}

const idOf = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))

/** It refuses to run as root. */
const postgresAccount = (): Account => process.getuid?.() === 0 ? { uid: idOf("-u"), gid: idOf("-g") } : {}

/** PostgreSQL, with the database `postgres` of a user of that name, without a password. */
export const postgres: Effect.Effect<Server, never, Scope.Scope> = Effect.gen(function*() {
  const [path, port] = [yield* directory, yield* freePort]
  const bin = postgresBin()
  const account = postgresAccount()
  if (account.uid !== undefined) Fs.chownSync(path, account.uid, account.gid!)
  const data = Path.join(path, "data")
  execFileSync(`${bin}initdb`, ["-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8"], {
    stdio: "ignore",
    ...account
  })
  const isReady = Effect.sync(() => {
    try {
      execFileSync(`${bin}pg_isready`, ["-h", "127.0.0.1", "-p", String(port)], { stdio: "ignore" })
      return true
    } catch {
      return false
    }
  })
  return yield* serve({
    port,
    command: `${bin}postgres`,
    args: ["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-c", `unix_socket_directories=${path}`],
    account,
    // an immediate shutdown: it recovers from its log when it begins again
    signal: "SIGQUIT",
    isReady
  })
})

/** PgBouncer in front of a PostgreSQL: each transaction has one of four connections. */
export const pooler = (database: Server): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.gen(function*() {
    const [path, port] = [yield* directory, yield* freePort]
    const account = postgresAccount()
    const file = Path.join(path, "pgbouncer.ini")
    Fs.writeFileSync(
      file,
      [
        "[databases]",
        `postgres = host=127.0.0.1 port=${database.port} user=postgres`,
        "[pgbouncer]",
        "listen_addr = 127.0.0.1",
        `listen_port = ${port}`,
        "unix_socket_dir =",
        "auth_type = any",
        "pool_mode = transaction",
        "default_pool_size = 4"
      ].join("\n")
    )
    if (account.uid !== undefined) Fs.chownSync(path, account.uid, account.gid!)
    const args = ["--quiet", file]
    return yield* serve({ port, command: "pgbouncer", args, account, signal: "SIGKILL", isReady: isOpen(port) })
  })

/** Whether a server of NATS says that it can be used, with its streams. */
const isHealthy = (port: number): Effect.Effect<boolean> =>
  Effect.promise(() => fetch(`http://127.0.0.1:${port}/healthz`).then(({ ok }) => ok, () => false))

const natsNode = (options: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const [path, port, monitor] = [yield* directory, yield* freePort, yield* freePort]
    const own = ["-a", "127.0.0.1", "-p", String(port), "-m", String(monitor), "-js", "-sd", path]
    return yield* serve({
      port,
      command: "nats-server",
      args: [...own, ...options],
      signal: "SIGKILL",
      isReady: isHealthy(monitor)
    })
  })

/** NATS with JetStream, on one node. */
export const nats: Effect.Effect<Server, never, Scope.Scope> = natsNode([])

/** Three nodes that keep streams together. */
export const natsCluster: Effect.Effect<ReadonlyArray<Server>, never, Scope.Scope> = Effect.gen(function*() {
  const ports = [yield* freePort, yield* freePort, yield* freePort]
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`)
  // one alone cannot be used
  return yield* Effect.forEach(
    routes,
    (route, i) =>
      natsNode(["-n", `node-${i}`, "--cluster_name", "test", "--cluster", route, "--routes", routes.join(",")]),
    { concurrency: "unbounded" }
  )
})
