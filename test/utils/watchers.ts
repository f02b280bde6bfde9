import type { Registry } from "effect-registry"
import { subscribers, waiting } from "./inside.ts"

/** How many follow a registry, and how many wait for its next change. */
export const watchers = (registry: Registry.Registry<any, any, any, any>) => ({
  subscribers: subscribers(registry),
  waiting: waiting(registry)
})

export const nobody = { subscribers: 0, waiting: 0 }
