/**
 * Plugins that packages offer, and what those that are on do.
 */
import { Context, Effect, Exit, Layer, Schema, Scope, Semaphore } from "effect"
import { EntryPoints, Lookup, Registry } from "effect-registry"

const Command = Schema.Struct({
  name: Schema.NonEmptyString,
  summary: Schema.String,
  run: Schema.declare((u): u is (text: string) => string => typeof u === "function")
})

const Plugin = Schema.Struct({ id: Schema.NonEmptyString, commands: Schema.Array(Command) })

export type Command = typeof Command.Type
export type Plugin = typeof Plugin.Type

/** Whatever is installed and allowed, on or off. Of two plugins with one id, the first by the name of its package is in. */
export class Plugins extends Registry.Service<Plugins, Plugin>()("plugins/Plugins", {
  lookup: { id: Lookup.unique((plugin) => plugin.id) },
  defaults: EntryPoints.defaults({
    group: "plugins-example",
    schema: Plugin,
    from: import.meta.dirname,
    // decided before the code of a package runs
    filter: (entryPoint) => entryPoint.version.startsWith("1.")
  })
}) {}

/** The commands of the plugins that are on. */
export class Commands extends Registry.Service<Commands, Command>()("plugins/Commands", {
  lookup: { name: Lookup.unique((command) => command.name) },
  messages: {
    attribute_registered: ({ owner, value }) =>
      `The command "${value}" is of the plugin "${owner}". Switch that off first.`
  }
}) {}

const make = Effect.gen(function*() {
  const plugins = yield* Plugins
  const commands = yield* Commands
  const layer = yield* Effect.scope
  const turn = yield* Semaphore.make(1)
  const running = new Map<string, Scope.Closeable>()

  /** A plugin is a scope: what it registers goes when that closes. Nothing happens if it is on. */
  const on = Effect.fn("on")(function*(id: string) {
    const plugin = yield* Registry.get(plugins, "id", id)
    yield* turn.withPermit(Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
      if (running.has(id)) return
      const scope = yield* Scope.fork(layer)
      yield* restore(Registry.registerAllScoped(commands, plugin.commands)).pipe(
        Effect.provideService(Registry.Owner, id),
        Scope.provide(scope),
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      running.set(id, scope)
    })))
  })

  /** Nothing happens if it is off. */
  const off = (id: string) =>
    turn.withPermit(Effect.uninterruptible(Effect.suspend(() => {
      const scope = running.get(id)
      running.delete(id)
      return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
    })))

  return { on, off }
})

export class Switches extends Context.Service<Switches, Effect.Success<typeof make>>()("plugins/Switches") {
  static readonly layer = Layer.effect(Switches, make)
}

export const PluginsLive = Switches.layer.pipe(Layer.provideMerge(Layer.merge(Plugins.layer, Commands.layer)))

/** The id of each plugin that is installed, and the package that brings it. */
export const installed = Effect.gen(function*() {
  const plugins = yield* Plugins.values
  return yield* Effect.forEach(
    plugins,
    ({ id }) =>
      Effect.map(
        Plugins.explain("id", id),
        (explained) => explained._tag === "Present" ? `${id} (${explained.owner})` : id
      )
  )
})

/** Who has a command, or why nobody has it. */
export const explain = (name: string) =>
  Effect.map(
    Commands.explain("name", name),
    Registry.Explanation.$match({
      Present: ({ item, owner }) => `"${name}" is of the plugin "${owner}": ${item.summary}`,
      Hidden: ({ by }) => `"${name}" is hidden by "${by.name}"`,
      Disabled: ({ reason }) => `"${name}" is disabled: ${reason}`,
      Absent: ({ suggestions }) =>
        `"${name}" is of no plugin that is on.${
          suggestions.length === 0 ? "" : ` There is ${suggestions.join(", ")}.`
        }`,
      PopulationFailed: ({ cause }) => `the commands could not be loaded: ${cause}`,
      Pending: () => "nothing is on"
    })
  )
