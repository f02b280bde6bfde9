/**
 * Step 1: a handle keeps the commands, behind the functions that there were. Callers that change something wait for it, and
 * nothing else in the program changes.
 */
import { RegistryHandle } from "effect-registry"
import type { Command } from "./command.ts"
import { Commands } from "./commands.ts"

const commands = await RegistryHandle.make(Commands, Commands.layer)

export const register = (command: Command): Promise<void> => commands.register(command)

export const unregister = (name: string): Promise<void> => commands.unregisterBy("name", name)

export const findByKey = (key: string): Command | undefined => commands.find("key", key)

export const all = (): ReadonlyArray<Command> => commands.values()

export const onChange = (listener: () => void): () => void => commands.onChange(listener)

export const close = (): Promise<void> => commands.dispose()
