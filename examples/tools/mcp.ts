/**
 * The registry of tools as an MCP server.
 */
import { Effect, Layer, Option, Schema, Stream } from "effect"
import { Registry, RegistrySnapshot } from "effect-registry"
import { McpSchema, McpServer, Tool, Toolkit } from "effect/ai"
import { type AgentTool, lineOf, type Snapshot, Tools } from "./tools.ts"

/** What was offered to each client when it last asked for the list: its calls are bound to that. */
const makeOffers = (tools: Tools["Service"]) => {
  const toClients = new Map<number, Snapshot>()
  const inLists = new WeakMap<object, Snapshot>()
  const now = () => Registry.snapshotUnsafe(tools)
  return {
    /** A list is of one snapshot, though the server asks for one tool after the other. */
    inList: (request: McpSchema.McpRequestContext["Service"]) => {
      const snapshot = inLists.get(request) ?? now()
      inLists.set(request, snapshot)
      toClients.set(request.clientId, snapshot)
      return snapshot
    },
    toClient: (clientId: number) => toClients.get(clientId) ?? now()
  }
}

/** MCP servers never forget a tool. This one hides those that are not offered. */
const register = (tool: AgentTool, offers: ReturnType<typeof makeOffers>) => {
  const offered = McpServer.visibility(({ method, requestContext }) =>
    Effect.sync(() =>
      method === "tools/list"
        ? RegistrySnapshot.contains(offers.inList(requestContext), tool)
        : RegistrySnapshot.has(offers.toClient(requestContext.clientId), "name", tool.name)
    )
  )
  const toolkit = Toolkit.make(tool.toTool())
  const handlers = toolkit.toLayer({
    [tool.name]: ({ text }: { readonly text: string }) =>
      Effect.map(McpSchema.McpRequestContext, ({ clientId }) => {
        const bound = RegistrySnapshot.get(offers.toClient(clientId), "name", tool.name)
        return { text: Option.getOrElse(bound, () => tool).run(text) }
      })
  })
  return McpServer.registerToolkit(toolkit).pipe(Effect.provide(Layer.merge(handlers, offered.layer)))
}

const Changes = Tool.make("changes", {
  description: "What has changed in the list of tools since a revision. It waits until something has.",
  parameters: Schema.Struct({ since: Schema.optionalKey(Schema.Int) }),
  success: Schema.Struct({ revision: Schema.Int, lines: Schema.Array(Schema.String) })
})

/** For clients that are not told by notifications: all there is, or the first change after a revision. */
const changesSince = (since: number | undefined) =>
  Effect.scoped(Effect.gen(function*() {
    const { changes, snapshot } = yield* Tools.subscribe({ since })
    const all = {
      revision: RegistrySnapshot.revision(snapshot),
      lines: RegistrySnapshot.values(snapshot).map((tool) => `+ ${tool.name}`)
    }
    if (since === undefined) return all
    const change = yield* Stream.runHead(changes).pipe(Effect.catchTag("RegistryLagged", () => Effect.succeedNone))
    return Option.match(change, {
      onNone: () => all,
      onSome: ({ events, revision }) => ({ revision, lines: events.map(lineOf) })
    })
  }))

export const ToolsMcp = Layer.effectDiscard(Effect.gen(function*() {
  const tools = yield* Tools
  const server = yield* McpServer.McpServer
  const offers = makeOffers(tools)
  const { changes, snapshot } = yield* Tools.subscribe()
  yield* Effect.forEach(RegistrySnapshot.values(snapshot), (tool) => register(tool, offers))
  yield* changes.pipe(
    Stream.runForEach(({ events }) =>
      Effect.forEach(events, (event) =>
        "item" in event && event._tag !== "Unregistered"
          ? register(event.item, offers)
          : server.notifications["notifications/tools/list_changed"]({}))
    ),
    Effect.forkScoped
  )
})).pipe(
  Layer.merge(
    McpServer.toolkit(Toolkit.make(Changes)).pipe(
      Layer.provide(
        Toolkit.make(Changes).toLayer(
          Effect.map(Tools, (tools) => ({
            changes: ({ since }) => Effect.provideService(changesSince(since), Tools, tools)
          }))
        )
      )
    )
  )
)
