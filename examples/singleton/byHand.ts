/** Where many programs begin: a module with a Map, a second one for a second key, and an emitter. */
import { EventEmitter } from "node:events"
import type { Command } from "./command.ts"

const byName = new Map<string, Command>()
const byKey = new Map<string, Command>()
const emitter = new EventEmitter()

export const register = (command: Command): void => {
  if (byName.has(command.name)) throw new Error(`There is a command ${command.name}`)
  byName.set(command.name, command)
  for (const key of command.keys) {
    if (byKey.has(key)) throw new Error(`${key} is taken`)
    byKey.set(key, command)
  }
  emitter.emit("change")
}

export const unregister = (name: string): void => {
  for (const key of byName.get(name)?.keys ?? []) byKey.delete(key)
  byName.delete(name)
  emitter.emit("change")
}

export const findByKey = (key: string): Command | undefined => byKey.get(key)

export const all = (): ReadonlyArray<Command> => [...byName.values()]

export const onChange = (listener: () => void): () => void => {
  emitter.on("change", listener)
  return () => emitter.off("change", listener)
}
