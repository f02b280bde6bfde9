/**
 * An MCP client whose server changes its tools: `npx node --conditions=effect-registry/source examples/tools/client.ts`.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Fiber, FileSystem, Path, Schedule, Schema } from "effect"
import { McpClient, McpProtocol } from "effect/ai"
import { ChildProcess } from "effect/process"

const serverOf = (file: string) =>
  McpClient.layerStdio({
    name: "tools-client",
    version: "1.0.0",
    protocol: McpProtocol.v2025_11_25,
    command: ChildProcess.make(process.execPath, [...process.execArgv, `${import.meta.dirname}/server.ts`, file])
  })

const greet = { name: "greet", description: "Greets", template: "Hello, {text}!" }
const shout = { name: "shout", description: "Shouts", template: "{text}!!!" }
const whisper = { name: "whisper", description: "Whispers", template: "({text})" }

const Text = Schema.Struct({ text: Schema.String })
const News = Schema.Struct({ revision: Schema.Int, lines: Schema.Array(Schema.String) })

const session = Effect.fnUntraced(function*(write: (tools: ReadonlyArray<typeof greet>) => Effect.Effect<void>) {
  const client = yield* McpClient.McpClient
  // until the server has read its file
  const list = client.listTools().pipe(
    Effect.repeat({ until: (tools) => tools.length > 1, schedule: Schedule.spaced("20 millis") }),
    Effect.tap((tools) => Console.log(`offered: ${tools.map(({ name }) => name).join(", ")}`))
  )
  const find = (tools: Effect.Success<typeof list>, name: string) => tools.find((tool) => tool.name === name)!
  const call = Effect.fnUntraced(function*(tools: Effect.Success<typeof list>, name: string) {
    const { text } = yield* client.callTool({ tool: find(tools, name), schema: Text, arguments: { text: "Ada" } })
    yield* Console.log(`${name}: ${text}`)
  })
  const changes = (tools: Effect.Success<typeof list>, since?: number) =>
    client.callTool({ tool: find(tools, "changes"), schema: News, arguments: since === undefined ? {} : { since } })

  const before = yield* list
  const { revision } = yield* changes(before)
  yield* call(before, "greet")

  const waiting = yield* Effect.forkChild(changes(before, revision), { startImmediately: true })
  yield* write([{ ...greet, template: "Good evening, {text}!" }, whisper])
  yield* Console.log(`changed: ${(yield* Fiber.join(waiting)).lines.join(", ")}`)

  // it still has the old list, and calls what it was offered there
  yield* call(before, "greet")
  yield* call(before, "shout")
  const after = yield* list
  yield* call(after, "greet")
  yield* call(after, "whisper")
})

const program = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(yield* fs.makeTempDirectoryScoped(), "tools.json")
  const write = (tools: ReadonlyArray<typeof greet>) => Effect.orDie(fs.writeFileString(file, JSON.stringify(tools)))
  yield* write([greet, shout])
  yield* session(write).pipe(Effect.provide(serverOf(file)))
})

program.pipe(Effect.scoped, Effect.provide(NodeServices.layer), NodeRuntime.runMain)
