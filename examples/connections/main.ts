/**
 * A list of backends is reloaded while requests use their connections: `npm run example:connections`.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Fiber, FileSystem, Layer, Logger, Path, Schema } from "effect"
import { type Backend, Backends, Backlist, Connections, reload, request } from "./backends.ts"
import { serve } from "./tcp.ts"

const versions: ReadonlyArray<ReadonlyArray<[name: string, version: number]>> = [
  [["a", 1], ["b", 1], ["c", 1], ["d", 1]],
  [["a", 2], ["b", 2], ["c", 2], ["d", 2]],
  [["a", 3], ["b", 3], ["c", 3]],
  [["a", 3], ["b", 3], ["c", 3]]
]

interface Counts {
  answered: number
  failed: number
  /** Answered after the backend had gone. */
  outlived: number
}

/** Requests, one after the other, until it is told to stop. */
const client = Effect.fnUntraced(function*(number: number, isStopped: () => boolean) {
  const count: Counts = { answered: 0, failed: 0, outlived: 0 }
  for (let turn = number; !isStopped(); turn++) {
    yield* Effect.match(request(turn), {
      onFailure: () => {
        count.failed++
      },
      onSuccess: ({ hasGone }) => {
        count.answered++
        if (hasGone) count.outlived++
      }
    })
  }
  return count
})

const names = (backends: ReadonlyArray<Backend>) =>
  backends.map(({ name, version }) => `${name}${version}`).join(" ") || "none"

const program = Effect.gen(function*() {
  const { port, seen } = yield* serve
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(yield* fs.makeTempDirectoryScoped(), "backends.json")

  yield* Effect.gen(function*() {
    yield* Backends.register({ name: "spare", port, version: 0 })
    let stopped = false
    const clients = yield* Effect.forkChild(
      Effect.forEach([1, 2, 3, 4, 5, 6, 7, 8], (number) => client(number, () => stopped), { concurrency: "unbounded" })
    )
    for (const version of versions) {
      const backends = version.map(([name, number]) => ({ name, port, version: number }))
      yield* fs.writeFileString(file, yield* Schema.encodeEffect(Backlist)(backends))
      yield* reload(file)
      yield* Console.log(`connected: ${names(yield* Backends.values)}`)
      // requests use them for some time
      yield* Effect.sleep("30 millis")
    }
    stopped = true
    const counts = yield* Fiber.join(clients)
    const sum = (of: keyof Counts) => counts.reduce((total, count) => total + count[of], 0)
    yield* Console.log(`${sum("answered")} requests answered, ${sum("failed")} failed`)
    yield* Console.log(`${sum("outlived")} of them were answered after their backend had gone`)
    yield* Console.log(`${seen.accepted} connections, ${seen.open} open, ${seen.refused} refused`)
  }).pipe(Effect.provide(Connections.layer.pipe(Layer.provideMerge(Backends.layer))))

  return seen
})

const plain = Logger.layer([Logger.make(({ message }) => console.log(String(message)))])

Effect.scoped(program).pipe(
  // the server has waited for all clients to go
  Effect.flatMap(({ open }) => Console.log(`at the end ${open} open`)),
  Effect.provide(NodeServices.layer),
  Effect.provide(plain),
  NodeRuntime.runMain
)
