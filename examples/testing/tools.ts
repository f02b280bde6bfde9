/**
 * Tools, and the connections that hooks open and close for them: once as it should be, once with a fault.
 */
import { Context, Effect, Layer } from "effect"
import { Registry, RegistryHooks } from "effect-registry"

export interface Tool {
  readonly name: string
}

/** The tools that are connected. */
export class Connections extends Context.Service<Connections, Array<Tool>>()("example/Connections") {
  static readonly layer = Layer.sync(Connections, () => [])
}

const connect = (tool: Tool) =>
  Connections.use((tools) =>
    Effect.sync(() => {
      tools.push(tool)
    })
  )

const disconnect = (tool: Tool) =>
  Connections.use((tools) =>
    Effect.sync(() => {
      tools.splice(tools.indexOf(tool), 1)
    })
  )

/** Connects what is registered, and disconnects what is not any more. */
export class Tools extends Registry.Service<Tools, Tool>()("example/Tools", {
  lookup: ["name"],
  defaults: [{ name: "search" }],
  hooks: RegistryHooks.make<Tool>()({ onItemRegistered: connect, onItemUnregistered: disconnect })
}) {
  static readonly live = Tools.layer.pipe(Layer.provideMerge(Connections.layer))
}

/** Connects too early: a check runs for a registration that then fails, too, and nobody disconnects it. */
export class FaultyTools extends Registry.Service<FaultyTools, Tool>()("example/FaultyTools", {
  lookup: ["name"],
  defaults: [{ name: "search" }],
  hooks: RegistryHooks.make<Tool>()({ onItemRegistering: connect, onItemUnregistered: disconnect })
}) {
  static readonly live = FaultyTools.layer.pipe(Layer.provideMerge(Connections.layer))
}
