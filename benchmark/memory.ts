/** Bytes an item, on the heap, without the items themselves. */
import { Effect } from "effect"
import { Registry } from "effect-registry"
import { makeItems, makeMaps, makeRegistry, populated } from "./items.ts"

export interface Memory {
  readonly name: string
  readonly bytes: number
}

const collectGarbage = globalThis.gc ?? (() => {
  throw new Error("node --expose-gc")
})

const heap = async (): Promise<number> => {
  // what a promise or a timer still holds is let go of a turn later
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    collectGarbage()
  }
  return process.memoryUsage().heapUsed
}

const held: Array<unknown> = []

const bytesOf = async (name: string, size: number, make: () => unknown): Promise<Memory> => {
  const before = await heap()
  held.push(await make())
  return { name, bytes: (await heap() - before) / size }
}

export const measureMemory = async (size: number): Promise<ReadonlyArray<Memory>> => {
  // whatever is compiled or made once is there before
  held.push(makeMaps(makeItems(100)), await populated(makeItems(100)))
  const items = makeItems(size)
  // a string or an object keeps its hash when it is first asked for it
  held.push(new Map(items.map((item) => [item.name, item])), new Set(items))
  const maps = await bytesOf("two HashMaps", size, () => makeMaps(items))
  const registry = makeRegistry(items)
  const filled = await bytesOf("a registry, populated", size, () => Effect.runPromise(Registry.populate(registry)))
  const listed = await bytesOf(
    "its `values`, once they have been read",
    size,
    () => Effect.runSync(Registry.values(registry))
  )
  const empty = await populated([])
  const one = await bytesOf(
    "a registry, filled one by one",
    size,
    () => Effect.runPromise(Effect.forEach(items, (item) => Registry.register(empty, item), { discard: true }))
  )
  return [maps, filled, listed, one]
}
