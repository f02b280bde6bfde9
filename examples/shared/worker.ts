/** A process: it offers one tool, waits for that of another process, and then until that one is gone. */
import { Console, Effect, Layer, Option, Stream } from "effect"
import * as RegistryLogSqlite from "effect-registry/shared/sqlite"
import { Tools } from "./tools.ts"

const [file, own, other] = process.argv.slice(2) as [string, string, string]

const say = Effect.flatMap(
  Tools.values,
  (tools) => Console.log(`${own} sees ${tools.map(({ name }) => name).toSorted().join(", ")}`)
)

const program = Effect.gen(function*() {
  yield* Tools.registerScoped({ name: own, process: process.pid })
  yield* Tools.awaitItem("name", other)
  yield* say
  yield* Tools.watchItem("name", other).pipe(Stream.filter(Option.isNone), Stream.take(1), Stream.runDrain)
  yield* say
})

const layer = Tools.layerPopulated.pipe(Layer.provide(RegistryLogSqlite.layer({ file })))

await Effect.runPromise(Effect.scoped(Effect.provide(program, layer)))
