/**
 * Lines over TCP: a server that answers each line, and connections to it. This is the one file that uses `node:net`.
 */
import { Data, Effect, type Scope } from "effect"
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from "node:net"
import { createInterface } from "node:readline"

export class ConnectionError extends Data.TaggedError("ConnectionError")<{ readonly message: string }> {}

/** An error closes the socket, which is all that this example looks at. */
const onLines = (socket: Socket, f: (line: string) => void): void => {
  const lines = createInterface({ input: socket })
  for (const one of [socket, lines]) one.on("error", () => {})
  lines.on("line", f)
}

/** What a server has seen. */
export interface Seen {
  accepted: number
  refused: number
  open: number
}

export interface Server {
  readonly port: number
  readonly seen: Readonly<Seen>
}

/** Answers each line a little later. It refuses every third connection. When the scope closes, it waits for clients to go. */
export const serve: Effect.Effect<Server, never, Scope.Scope> = Effect.suspend(() => {
  const seen: Seen = { accepted: 0, refused: 0, open: 0 }
  const server = createServer((socket) => {
    if ((seen.accepted + seen.refused + 1) % 3 === 0) {
      seen.refused++
      socket.destroy()
      return
    }
    seen.accepted++
    seen.open++
    socket.on("close", () => seen.open--)
    socket.write("ready\n")
    onLines(socket, (line) => setTimeout(() => socket.write(`${line}!\n`), 3))
  })
  const listening = Effect.callback<Server>((resume) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resume(Effect.succeed({ port, seen }))
    })
  })
  return Effect.acquireRelease(listening, () =>
    Effect.callback<void>((resume) => {
      server.close(() => resume(Effect.void))
    }))
})

/** The server answers lines in their order. */
export class Connection {
  private readonly waiting: Array<(answer: Effect.Effect<string, ConnectionError>) => void> = []
  private readonly socket: Socket

  constructor(socket: Socket) {
    this.socket = socket
    socket.on("close", () => {
      for (const resume of this.waiting.splice(0)) resume(closed)
    })
    onLines(socket, (line) => this.waiting.shift()?.(Effect.succeed(line)))
  }

  get nextLine(): Effect.Effect<string, ConnectionError> {
    return Effect.callback((resume) => {
      if (this.socket.destroyed) resume(closed)
      else this.waiting.push(resume)
    })
  }

  ask(line: string): Effect.Effect<string, ConnectionError> {
    return Effect.suspend(() => {
      this.socket.write(`${line}\n`)
      return this.nextLine
    })
  }
}

const closed = Effect.fail(new ConnectionError({ message: "The connection is closed." }))

/** A connection that the server has accepted, until the scope closes. */
export const connect = (port: number): Effect.Effect<Connection, ConnectionError, Scope.Scope> =>
  Effect.gen(function*() {
    const socket = yield* Effect.acquireRelease(Effect.sync(() => connectSocket(port, "127.0.0.1")), close)
    const connection = new Connection(socket)
    yield* connection.nextLine
    return connection
  })

const close = (socket: Socket): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (socket.closed) return resume(Effect.void)
    socket.once("close", () => resume(Effect.void))
    socket.destroy()
  })
