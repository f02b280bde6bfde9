/** Step 2: callers use the handle. They are told what has changed, and get errors that they can tell apart. */
import { type RegistryError, RegistryHandle } from "effect-registry"
import { save, share } from "./command.ts"
import { Commands } from "./commands.ts"

export const run = async (print: (line: string) => void): Promise<void> => {
  await using commands = await RegistryHandle.make(Commands, Commands.layer)

  const stop = commands.onChange(({ events, snapshot }) => {
    const names = Array.from(snapshot, ({ name }) => name)
    print(`${events.map(({ _tag }) => _tag).join()}: ${names.join(" | ")}`)
  })

  await commands.register(save)
  await commands.register(share).catch((error: RegistryError.RegistrationFailure) => print(error.message))
  await commands.unregisterBy("key", "f2")
  stop()
}
