/** The longest time for which nothing else gets a turn. */
import { Effect, HashMap } from "effect"
import { Registry } from "effect-registry"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { type Item, makeItems, makeRegistry } from "./items.ts"

export interface Stalls {
  /** The medians of the longest stalls of each run, in milliseconds. */
  readonly ours: number
  readonly other: number
  readonly ratio: number
  readonly all: ReadonlyArray<{ readonly ours: number; readonly other: number }>
}

const longestStall = async (effect: Effect.Effect<unknown, unknown>): Promise<number> => {
  globalThis.gc?.()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  // it measures from the second time on that its timer fires
  await new Promise((resolve) => setTimeout(resolve, 20))
  await Effect.runPromise(effect)
  await new Promise((resolve) => setTimeout(resolve, 20))
  delay.disable()
  return delay.max / 1e6
}

const chunk = 1_000

/** Two HashMaps, which others may look at between chunks. */
const fillMaps = (items: ReadonlyArray<Item>) =>
  Effect.gen(function*() {
    let byId = HashMap.empty<number, Item>()
    let byName = HashMap.empty<string, Item>()
    byId = HashMap.beginMutation(byId)
    byName = HashMap.beginMutation(byName)
    for (let start = 0; start < items.length; start += chunk) {
      for (let i = start; i < Math.min(start + chunk, items.length); i++) {
        byId = HashMap.set(byId, items[i]!.id, items[i]!)
        byName = HashMap.set(byName, items[i]!.name, items[i]!)
      }
      yield* Effect.yieldNow
    }
    return [HashMap.endMutation(byId), HashMap.endMutation(byName)]
  })

export const measureStalls = async (size: number, runs: number): Promise<Stalls> => {
  const all: Array<{ readonly ours: number; readonly other: number }> = []
  for (let run = 0; run < runs; run++) {
    const registry = makeRegistry(makeItems(size))
    const ours = await longestStall(Registry.populate(registry))
    const other = await longestStall(fillMaps(makeItems(size)))
    // the first pair warms up
    if (run > 0) all.push({ ours, other })
  }
  return {
    ours: median(all.map(({ ours }) => ours)),
    other: median(all.map(({ other }) => other)),
    ratio: median(all.map(({ other, ours }) => ours / other)),
    all
  }
}

const median = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)[values.length >>> 1]!
