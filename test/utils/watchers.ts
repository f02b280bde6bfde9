import type { Registry } from "effect-registry"
import { coreOf } from "../../src/internal/coreOf.ts"

/** How many follow a registry, and how many wait for its next change. */
export const watchers = (registry: Registry.Registry<any, any, any, any>) => {
  const { subscribers, waiting } = coreOf(registry).watchers as unknown as {
    readonly subscribers: ReadonlySet<unknown>
    readonly waiting: ReadonlySet<unknown>
  }
  return { subscribers: subscribers.size, waiting: waiting.size }
}

export const nobody = { subscribers: 0, waiting: 0 }
