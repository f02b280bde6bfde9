import { Effect, Equal, HashMap, Option, Ref } from "effect"
import { Registry } from "effect-registry"
import { cycle, Item, makeItems, makeLockedMaps, type Maps, populated, withItem, withoutItem } from "../items.ts"
import type { Row, Side } from "../row.ts"

const sizes = [100, 10_000, 100_000]

/** So many that what is paid for once in a while, such as a map that is built anew, has its share in every run. */
const operationsAt = (size: number): number => Math.max(size, 10_000)

/** Changes something with one new item after the other. They are made before each run. */
const withNewItems = (
  newItems: () => ReadonlyArray<Item>,
  change: (item: Item) => Effect.Effect<void, unknown>,
  result: Effect.Effect<number, unknown>,
  operations: number
): Side => {
  let items: ReadonlyArray<Item> = []
  const run = Effect.gen(function*() {
    for (let i = 0; i < items.length; i++) yield* change(items[i]!)
    return yield* result
  })
  return {
    operations,
    prepare: () => {
      items = newItems()
    },
    run: () => Effect.runSync(run)
  }
}

/** Lists of new items, with keys that no item had before. */
const nextItems = (size: number, from: number) => () => {
  const items = makeItems(size, from)
  from += size
  return items
}

/** Puts an item in the place of the one that came first, and answers that. */
const queue = (start: ReadonlyArray<Item>) => {
  const items = start.slice()
  let oldest = 0
  return (item: Item): Item => {
    const gone = items[oldest]!
    items[oldest] = item
    oldest = (oldest + 1) % items.length
    return gone
  }
}

const turnover: Row = {
  name: "turnover",
  work: "`register` of a new item, `unregister` of the oldest",
  against: "the same in two HashMaps behind a `Semaphore`",
  goal: () => 1.5,
  sizes,
  kind: "whole",
  make: async (size) => {
    const operations = operationsAt(size)
    const items = makeItems(size)
    const registry = await populated(items)
    const other = makeLockedMaps(items)
    const oldest = queue(items)
    const oldestOfOther = queue(items)
    return {
      ours: withNewItems(
        nextItems(operations, size),
        (item) => Effect.andThen(Registry.register(registry, item), Registry.unregister(registry, oldest(item))),
        Registry.size(registry),
        operations
      ),
      other: withNewItems(
        nextItems(operations, size),
        (item) => Effect.andThen(other.register(item), other.unregister(oldestOfOther(item))),
        other.size,
        operations
      )
    }
  }
}

/** New items, each with the keys of one that is in: of a random one, and of each as often as of any other. */
const nextVersions = (items: ReadonlyArray<Item>, count: number) => {
  const nextId = cycle(items.map(({ id }) => id))
  return () => Array.from({ length: count }, () => new Item(nextId()))
}

const replace: Row = {
  name: "replace",
  work: "`replace` of a random item by one with the same keys",
  against: "two `HashMap.set` behind a `Semaphore`",
  goal: () => 2,
  sizes,
  kind: "whole",
  make: async (size) => {
    const operations = operationsAt(size)
    const items = makeItems(size)
    const registry = await populated(items)
    const other = makeLockedMaps(items)
    return {
      ours: withNewItems(
        nextVersions(items, operations),
        (item) => Registry.replace(registry, "id", item.id, item),
        Registry.size(registry),
        operations
      ),
      other: withNewItems(nextVersions(items, operations), other.register, other.size, operations)
    }
  }
}

const upsert: Row = {
  name: "upsert",
  work: "`upsert` of an item with the keys of a random one",
  against: "two `HashMap.set` behind a `Semaphore`",
  sizes: [10_000],
  kind: "whole",
  make: async (size) => {
    const operations = operationsAt(size)
    const items = makeItems(size)
    const registry = await populated(items)
    const other = makeLockedMaps(items)
    return {
      ours: withNewItems(
        nextVersions(items, operations),
        (item) => Registry.upsert(registry, item),
        Registry.size(registry),
        operations
      ),
      other: withNewItems(nextVersions(items, operations), other.register, other.size, operations)
    }
  }
}

const comeAndGo = 50_000

const oneKey: Row = {
  name: "one key",
  work: "`register` + `unregister` of items with one key, after 50,000 times",
  against: "the same of items with 10,000 keys in turn",
  goal: () => 1.2,
  sizes: [100, 10_000],
  kind: "single",
  make: async (size) => {
    const operations = 100
    const side = async (ids: ReadonlyArray<number>): Promise<Side> => {
      const registry = await populated(makeItems(size))
      const nextId = cycle(ids)
      const change = (item: Item) =>
        Effect.andThen(Registry.register(registry, item), Registry.unregister(registry, item))
      await Effect.runPromise(
        Effect.forEach(Array.from({ length: comeAndGo }, nextId), (id) => change(new Item(id)), { discard: true })
      )
      const newItems = () => Array.from({ length: operations }, () => new Item(nextId()))
      return withNewItems(newItems, change, Registry.size(registry), operations)
    }
    const others = makeItems(10_000, size).map(({ id }) => id)
    return { ours: await side(others.slice(0, 1)), other: await side(others) }
  }
}

/** Lists of new items that are equal to those that are in, but for a few that have other names. */
const nextLists = (start: ReadonlyArray<Item>, different: number) => {
  let items = start
  let version = 0
  const nextIndex = cycle(items.map((_, i) => i))
  return () => {
    const list = items.map(({ id, name }) => new Item(id, name))
    version++
    for (let i = 0; i < different; i++) {
      const index = nextIndex()
      list[index] = new Item(list[index]!.id, `version ${version} of item ${index}`)
    }
    return items = list
  }
}

const reconcile: Row = {
  name: "reconcile",
  work: "`reconcile` of N new items, of which 10 differ",
  against: "each compared with what is in two HashMaps, and set if it differs, behind a `Semaphore`",
  sizes: [1_000],
  kind: "whole",
  make: async (size) => {
    // two instances of a class are never the same
    const items = makeItems(size).map(plain)
    const registry = await populated(items)
    const other = makeLockedMaps(items)
    const nextList = nextLists(items, 10)
    const nextOther = nextLists(items, 10)
    let list = items
    let otherList = items
    const ours = Effect.map(
      Effect.suspend(() => Registry.reconcile(registry, list)),
      ({ kept, replaced }) => kept.length + replaced.length
    )
    const otherRun = other.lock.withPermit(
      Effect.andThen(Ref.update(other.maps, (both) => otherList.reduce(changedBy, both)), other.size)
    )
    return {
      ours: {
        operations: 1,
        prepare: () => {
          list = nextList().map(plain)
        },
        run: () => Effect.runSync(ours)
      },
      other: {
        operations: 1,
        prepare: () => {
          otherList = nextOther().map(plain)
        },
        run: () => Effect.runSync(otherRun)
      }
    }
  }
}

const plain = ({ id, name }: Item): Item => ({ id, name })

const changedBy = (both: Maps, item: Item): Maps => {
  const previous = Option.getOrUndefined(HashMap.get(both.byId, item.id))
  if (Equal.equals(previous, item)) return both
  return withItem(previous === undefined ? both : withoutItem(both, previous), item)
}

export const renewing: ReadonlyArray<Row> = [turnover, replace, upsert, oneKey, reconcile]
