/**
 * An MCP server on standard input and output, whose tools are those of a file: `server.ts tools.json`.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, FileSystem, Layer, Logger, Option, Schedule, Schema, Stream } from "effect"
import { McpProtocol, McpServer } from "effect/ai"
import { ToolsMcp } from "./mcp.ts"
import { follow, Runners, ToolList, Tools } from "./tools.ts"

const file = process.argv[2] ?? "tools.json"

const read = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  return yield* Schema.decodeUnknownEffect(ToolList)(yield* fs.readFileString(file))
})

/** What is no list of tools is passed over: it may be half written. */
const lists = Stream.fromEffectSchedule(Effect.option(read), Schedule.spaced("50 millis")).pipe(
  Stream.flatMap(Option.match({ onNone: () => Stream.empty, onSome: Stream.succeed }))
)

const Follow = Layer.effectDiscard(Effect.forkScoped(follow(lists)))

McpServer.layerStdio({
  name: "tools",
  version: "1.0.0",
  protocols: [McpProtocol.v2025_11_25],
  registrations: ToolsMcp
}).pipe(
  Layer.merge(Follow),
  Layer.provide(Runners.layer),
  Layer.provide(Tools.layer),
  Layer.provide(NodeServices.layer),
  // standard output is for the protocol
  Layer.provide(Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])),
  Layer.launch,
  NodeRuntime.runMain
)
