/**
 * The registry of tools as an MCP server.
 */
import { Effect, Exit, Layer, Option, RcMap, Schema, Scope, Stream } from "effect"
import { Registry, RegistryResource, RegistrySnapshot } from "effect-registry"
import { McpSchema, McpServer, Tool, Toolkit } from "effect/ai"
import { type AgentTool, lineOf, type Runner, Runners, type Snapshot, Tools } from "./tools.ts"

/** A list of tools, and their runners, which stay open though the tools go. */
interface Offer {
  readonly snapshot: Snapshot
  readonly runners: ReadonlyMap<string, Runner>
}

/**
 * What was offered to each client when it last asked for the list: its calls are bound to that. An offer ends when its client
 * has got another list, and the last call that is bound to it has ended.
 */
const makeOffers = Effect.gen(function*() {
  const tools = yield* Tools
  const runnersNow = yield* Runners
  const layerScope = yield* Effect.scope
  /** Leases the runners of all tools that are in at one moment. */
  const lease: Effect.Effect<Offer, never, Scope.Scope> = Registry.transact(
    tools,
    Effect.gen(function*() {
      const snapshot = yield* Registry.snapshot(tools)
      const runners = new Map<string, Runner>()
      for (const { name } of RegistrySnapshot.values(snapshot)) {
        runners.set(name, yield* Effect.orDie(RegistryResource.get(runnersNow, "name", name)))
      }
      return { snapshot, runners }
    })
  )
  /** By a number for each list. */
  const offers = yield* RcMap.make({ lookup: (_list: number) => lease })
  const toClients = new Map<number, { readonly list: number; readonly scope: Scope.Closeable }>()
  const inLists = new WeakMap<object, Snapshot>()
  let lists = 0
  return {
    /** A list is of one offer, though the server asks for one tool after the other. */
    inList: Effect.fnUntraced(function*(request: McpSchema.McpRequestContext["Service"]) {
      const known = inLists.get(request)
      if (known !== undefined) return known
      const list = lists++
      const scope = Scope.forkUnsafe(layerScope)
      const { snapshot } = yield* Scope.provide(RcMap.get(offers, list), scope).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      const last = toClients.get(request.clientId)
      toClients.set(request.clientId, { list, scope })
      inLists.set(request, snapshot)
      if (last !== undefined) yield* Effect.uninterruptible(Scope.close(last.scope, Exit.void))
      return snapshot
    }),
    /** Until the scope of a call closes. A client that has no list calls the present tools. */
    toClient: (clientId: number) => {
      const known = toClients.get(clientId)
      return known === undefined ? lease : RcMap.get(offers, known.list)
    }
  }
})

type Offers = Effect.Success<typeof makeOffers>

/** MCP servers never forget a tool. This one hides those that are not offered. */
const register = (tool: AgentTool, offers: Offers) => {
  const offered = McpServer.visibility(({ method, requestContext }) =>
    method === "tools/list"
      ? Effect.map(offers.inList(requestContext), (snapshot) => RegistrySnapshot.contains(snapshot, tool))
      : Effect.scoped(
        Effect.map(offers.toClient(requestContext.clientId), ({ runners }) => runners.has(tool.name))
      )
  )
  const toolkit = Toolkit.make(tool.toTool())
  const handlers = toolkit.toLayer({
    [tool.name]: ({ text }: { readonly text: string }) =>
      Effect.scoped(Effect.gen(function*() {
        const { clientId } = yield* McpSchema.McpRequestContext
        const runner = (yield* offers.toClient(clientId)).runners.get(tool.name)
        if (runner === undefined) return yield* Effect.die(new Error(`${tool.name} has gone.`))
        return { text: yield* runner.run(text) }
      }))
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
  const server = yield* McpServer.McpServer
  const offers = yield* makeOffers
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
