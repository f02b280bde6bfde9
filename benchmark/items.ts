/** Items, shuffled keys, and registries and maps that hold the same. */
import { Effect, HashMap, Ref, Scope, Semaphore } from "effect"
import { Registry } from "effect-registry"

export class Item {
  readonly id: number
  readonly name: string
  constructor(id: number, name = `item ${id}`) {
    this.id = id
    this.name = name
  }
}

/** The same order in every run. */
const random = (seed: number): () => number => () => {
  seed = seed + 0x6d2b79f5 | 0
  let t = Math.imul(seed ^ seed >>> 15, 1 | seed)
  t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t
  return ((t ^ t >>> 14) >>> 0) / 4294967296
}

const shuffle = <A>(list: Array<A>, seed: number): Array<A> => {
  const next = random(seed)
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1))
    const swapped = list[i]!
    list[i] = list[j]!
    list[j] = swapped
  }
  return list
}

const shuffledIds = (size: number, from: number, seed: number): Array<number> =>
  shuffle(Array.from({ length: size }, (_, i) => from + i), seed)

/** New objects each time, in a shuffled order. */
export const makeItems = (size: number, from = 0): ReadonlyArray<Item> =>
  shuffledIds(size, from, 1).map((id) => new Item(id))

/** One element after the other, in another order than that of the items, over and over. */
export const cycle = <A>(list: ReadonlyArray<A>): () => A => {
  const shuffled = shuffle(list.slice(), 2)
  let i = 0
  return () => {
    if (i === shuffled.length) i = 0
    return shuffled[i++]!
  }
}

/** In a scope of its own, which nobody closes: it goes with what is in it. */
export const inScope = <A, E, R>(effect: Effect.Effect<A, E, R | Scope.Scope>) =>
  Effect.suspend(() => Effect.provideService(effect, Scope.Scope, Scope.makeUnsafe()))

export const makeRegistry = (defaults: Iterable<Item> | Effect.Effect<Iterable<Item>>) =>
  Effect.runSync(inScope(Registry.make<Item>()({ lookup: ["id", "name"], defaults })))

export type ItemRegistry = ReturnType<typeof makeRegistry>

export const populated = async (items: Iterable<Item>): Promise<ItemRegistry> => {
  const registry = makeRegistry(items)
  await Effect.runPromise(Registry.populate(registry))
  return registry
}

export interface Maps {
  readonly byId: HashMap.HashMap<number, Item>
  readonly byName: HashMap.HashMap<string, Item>
}

export const makeMaps = (items: Iterable<Item>): Maps => ({
  byId: HashMap.mutate(HashMap.empty<number, Item>(), (map) => {
    for (const item of items) HashMap.set(map, item.id, item)
  }),
  byName: HashMap.mutate(HashMap.empty<string, Item>(), (map) => {
    for (const item of items) HashMap.set(map, item.name, item)
  })
})

export const withItem = ({ byId, byName }: Maps, item: Item): Maps => ({
  byId: HashMap.set(byId, item.id, item),
  byName: HashMap.set(byName, item.name, item)
})

export const withoutItem = ({ byId, byName }: Maps, item: Item): Maps => ({
  byId: HashMap.remove(byId, item.id),
  byName: HashMap.remove(byName, item.name)
})

/** Two HashMaps in a `Ref` behind a `Semaphore`, which change together. */
export const makeLockedMaps = (items: Iterable<Item>) => {
  const maps = Ref.makeUnsafe(makeMaps(items))
  const lock = Semaphore.makeUnsafe(1)
  return {
    maps,
    lock,
    register: (item: Item) => lock.withPermit(Ref.update(maps, (both) => withItem(both, item))),
    unregister: (item: Item) => lock.withPermit(Ref.update(maps, (both) => withoutItem(both, item))),
    size: Effect.map(Ref.get(maps), ({ byId, byName }) => HashMap.size(byId) + HashMap.size(byName))
  }
}

/** Runs effects one after the other in one fiber, and adds up what their results are used for. */
export const inFiber = <A, E>(
  operations: number,
  next: () => Effect.Effect<A, E>,
  use: (a: A) => number
) =>
  Effect.gen(function*() {
    let sum = 0
    for (let i = 0; i < operations; i++) sum += use(yield* next())
    return sum
  })
