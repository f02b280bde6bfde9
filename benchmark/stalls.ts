/** The longest time for which nothing else gets a turn. */
import { Effect, Exit, HashMap, Scope } from "effect"
import { Registry } from "effect-registry"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { type Item, makeItems, makeRegistry, populated } from "./items.ts"
import { use } from "./measure.ts"

export interface Stalls {
  /** The medians of the longest stalls of each run, in milliseconds. */
  readonly ours: number
  readonly other: number
  readonly ratio: number
  readonly all: ReadonlyArray<{ readonly ours: number; readonly other: number }>
}

interface StallRow {
  readonly name: string
  readonly work: string
  readonly against: string
  readonly goal: number
  readonly sizes: ReadonlyArray<number>
  /** What is measured, with what it needs made before. It answers a number that depends on all that it did. */
  readonly ours: (size: number) => Promise<Effect.Effect<number, unknown>>
  readonly other: (size: number) => Promise<Effect.Effect<number, unknown>>
}

const longestStall = async (effect: Effect.Effect<number, unknown>): Promise<number> => {
  globalThis.gc?.()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  // it measures from the second time on that its timer fires
  await new Promise((resolve) => setTimeout(resolve, 20))
  use(await Effect.runPromise(effect))
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
    return HashMap.size(HashMap.endMutation(byId)) + HashMap.size(HashMap.endMutation(byName))
  })

const population: StallRow = {
  name: "stalls of a population",
  work: "populating a registry with two lookups",
  against: "two HashMaps filled in chunks of 1,000",
  goal: 1.5,
  sizes: [100_000, 1_000_000],
  ours: async (size) => {
    const registry = makeRegistry(makeItems(size))
    return Effect.andThen(Registry.populate(registry), Registry.size(registry))
  },
  other: async (size) => fillMaps(makeItems(size))
}

const closingScope: StallRow = {
  name: "stalls of a scope",
  work: "closing the scope of `registerAllScoped` of N items",
  against: "`unregisterOwner` of as many",
  goal: 1.5,
  sizes: [100_000],
  ours: async (size) => {
    const registry = await populated([])
    const scope = Scope.makeUnsafe()
    await Effect.runPromise(Scope.provide(Registry.registerAllScoped(registry, makeItems(size)), scope))
    return Effect.andThen(Scope.close(scope, Exit.void), Registry.size(registry))
  },
  other: async (size) => {
    const registry = await populated([])
    const registering = Registry.registerAll(registry, makeItems(size))
    await Effect.runPromise(Effect.provideService(registering, Registry.Owner, "plugin"))
    return Effect.map(Registry.unregisterOwner(registry, "plugin"), (items) => items.length)
  }
}

export const stallRows: ReadonlyArray<StallRow> = [population, closingScope]

export const measureStalls = async (row: StallRow, size: number, runs: number): Promise<Stalls> => {
  const all: Array<{ readonly ours: number; readonly other: number }> = []
  for (let run = 0; run < runs; run++) {
    const ours = await longestStall(await row.ours(size))
    const other = await longestStall(await row.other(size))
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
