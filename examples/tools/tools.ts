/**
 * The tools of an agent: a registry that follows a changing list.
 */
import { Data, Effect, Schema, type Scope, Stream } from "effect"
import { Lookup, Registry, RegistryEvent, RegistryResource, type RegistrySnapshot } from "effect-registry"
import { McpSchema, Tool } from "effect/ai"

const Definition = Schema.Struct({
  name: Schema.String.check(Schema.isPattern(/^[a-z][a-z_]{0,63}$/)),
  description: Schema.String,
  /** The answer, with `{text}` where the text comes. */
  template: Schema.String
})

/** Two that are defined alike are equal, so that a list that says the same again changes nothing. */
export class AgentTool extends Data.Class<typeof Definition.Type> {
  /** As a model, or an MCP client, sees it. */
  toTool() {
    return Tool.make(this.name, {
      description: this.description,
      parameters: Schema.Struct({ text: Schema.String }),
      success: Schema.Struct({ text: Schema.String }),
      dependencies: [McpSchema.McpRequestContext]
    })
  }
}

export const ToolList = Schema.fromJsonString(Schema.Array(Definition))

const lookup = { name: Lookup.unique((tool: AgentTool) => tool.name) }

export class Tools extends Registry.Service<Tools, AgentTool>()("tools/Tools", { lookup }) {}

/** What a tool runs with: elsewhere a process, or a connection. */
export interface Runner {
  readonly run: (text: string) => Effect.Effect<string>
}

export const open = ({ name, template }: AgentTool): Effect.Effect<Runner, never, Scope.Scope> => {
  let isOpen = true
  const run = (text: string) =>
    Effect.suspend(() =>
      isOpen ? Effect.succeed(template.replaceAll("{text}", () => text)) : Effect.die(new Error(`${name} is closed.`))
    )
  return Effect.acquireRelease(Effect.succeed({ run }), () =>
    Effect.sync(() => {
      isOpen = false
    }))
}

export class Runners extends RegistryResource.Service<Runners>()("tools/Runners", { registry: Tools, acquire: open }) {}

export type Snapshot = RegistrySnapshot.RegistrySnapshot<AgentTool, typeof lookup>

/** Each list in one transaction, with the fewest changes. One that cannot be is passed over: the last one stays. */
export const follow = <E, R>(lists: Stream.Stream<ReadonlyArray<typeof Definition.Type>, E, R>) =>
  Stream.runForEach(lists, (list) =>
    Tools.reconcile(list.map((definition) => new AgentTool(definition))).pipe(
      Effect.catch((error) => Effect.logWarning(error.message))
    ))

export const lineOf = (event: RegistryEvent.RegistryEvent<AgentTool>): string =>
  RegistryEvent.match(event, {
    Registered: ({ item }) => `+ ${item.name}`,
    Unregistered: ({ item }) => `- ${item.name}`,
    Replaced: ({ item }) => `~ ${item.name}`,
    Moved: ({ item, position }) => `${item.name} to ${position}`,
    Populated: () => "populated",
    Reset: () => "reset"
  })
