/** Step 3: a part of the program becomes effects. Both parts have one registry: that of a runtime. */
import { Effect, ManagedRuntime } from "effect"
import { Registry, RegistryHandle } from "effect-registry"
import { save } from "./command.ts"
import { Commands } from "./commands.ts"

/** A plugin: its commands are there as long as its scope is open. */
const plugin = Registry.registerAllScoped(Commands, [{ name: "blame", keys: ["f9"] }, { name: "log", keys: ["f10"] }])

export const run = async (print: (line: string) => void): Promise<void> => {
  await using runtime = ManagedRuntime.make(Commands.layer)
  const commands = await RegistryHandle.fromRuntime(runtime, Commands)
  const show = (when: string) => print(`${when}: ${commands.values().map(({ name }) => name).join(" | ")}`)

  await commands.register(save)
  await runtime.runPromise(Effect.scoped(Effect.andThen(plugin, Effect.sync(() => show("with the plugin")))))
  show("without it")
}
