/** What others offer for the same work. */
import { asValue, createContainer } from "awilix"
import { Effect, Semaphore, TxHashMap } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import { createHooks } from "hookable"
import { cycle, inFiber, inScope, type Item, type ItemRegistry, makeItems, populated } from "../items.ts"
import { allSizes, type Row, type Side, type Sides } from "../row.ts"

const operations = 200

const getSides = (other: (items: ReadonlyArray<Item>) => (next: () => number) => Side) => async (size: number) => {
  const items = makeItems(size)
  const registry = await populated(items)
  const ids = items.map(({ id }) => id)
  const nextId = cycle(ids)
  const ours = inFiber(operations, () => Registry.get(registry, "id", nextId()), (item) => item.id)
  return { ours: { operations, run: () => Effect.runSync(ours) }, other: other(items)(cycle(ids)) }
}

const changeSides = (
  other: (items: ReadonlyArray<Item>) => (next: () => Item) => Side,
  prepare?: (
    registry: ItemRegistry
  ) => void
) =>
async (size: number): Promise<Sides> => {
  const items = makeItems(size)
  const registry = await populated(items)
  prepare?.(registry)
  const more = makeItems(10_000, size)
  const nextItem = cycle(more)
  const run = Effect.gen(function*() {
    for (let i = 0; i < operations; i++) {
      const item = nextItem()
      yield* Registry.register(registry, item)
      yield* Registry.unregister(registry, item)
    }
    return (yield* Registry.size(registry)) - size
  })
  return { ours: { operations, run: () => Effect.runSync(run) }, other: other(items)(cycle(more)) }
}

const peer = (name: string, work: string, against: string, make: Row["make"], sizes = allSizes): Row => ({
  name,
  work,
  against,
  sizes,
  kind: "single",
  make
})

const getAgainstTxHashMap = getSides((items) => {
  const map = Effect.runSync(TxHashMap.fromIterable(items.map((item) => [item.id, item] as const)))
  return (next) => {
    const run = inFiber(
      operations,
      () => Effect.map(TxHashMap.get(map, next()), (item) => item),
      (item) => item._tag.length
    )
    return { operations, run: () => Effect.runSync(run) }
  }
})

const getAgainstMap = getSides((items) => {
  const map = new Map(items.map((item) => [item.id, item]))
  const lock = Semaphore.makeUnsafe(1)
  return (next) => {
    const run = inFiber(operations, () => lock.withPermit(Effect.sync(() => map.get(next())!)), (item) => item.id)
    return { operations, run: () => Effect.runSync(run) }
  }
})

const getAgainstAwilix = getSides((items) => {
  const container = createContainer<Record<string, Item>>()
  for (const item of items) container.register(String(item.id), asValue(item))
  const names = new Map(items.map(({ id }) => [id, String(id)]))
  return (next) => ({
    operations,
    run: () => {
      let sum = 0
      for (let i = 0; i < operations; i++) sum += container.resolve<Item>(names.get(next())!).id
      return sum
    }
  })
})

const changeAgainstTxHashMap = changeSides((items) => {
  const byId = Effect.runSync(TxHashMap.fromIterable(items.map((item) => [item.id, item] as const)))
  const byName = Effect.runSync(TxHashMap.fromIterable(items.map((item) => [item.name, item] as const)))
  return (next) => {
    const run = Effect.gen(function*() {
      for (let i = 0; i < operations; i++) {
        const item = next()
        yield* Effect.tx(Effect.andThen(TxHashMap.set(byId, item.id, item), TxHashMap.set(byName, item.name, item)))
        yield* Effect.tx(Effect.andThen(TxHashMap.remove(byId, item.id), TxHashMap.remove(byName, item.name)))
      }
      return yield* TxHashMap.size(byId)
    })
    return { operations, run: () => Effect.runSync(run) }
  }
})

const changeAgainstAwilix = changeSides((items) => {
  const container = createContainer<Record<string, Item>>()
  for (const item of items) container.register(item.name, asValue(item))
  return (next) => ({
    operations,
    run: () => {
      let sum = 0
      for (let i = 0; i < operations; i++) {
        const item = next()
        container.register(item.name, asValue(item))
        sum += item.id
      }
      return sum
    }
  })
})

const hooksAgainstHookable = changeSides(
  () => {
    let count = 0
    const hooks = createHooks<Record<string, (item: Item) => void>>()
    const called = ["onItemRegistering", "onItemRegistered", "onItemUnregistering", "onItemUnregistered"]
    for (const name of called) {
      hooks.hook(name, ({ id }) => {
        count += id
      })
    }
    return (next) => ({
      operations,
      run: async () => {
        for (let i = 0; i < operations; i++) {
          const item = next()
          for (let call = 0; call < called.length; call++) await hooks.callHook(called[call]!, item)
        }
        return count
      }
    })
  },
  (registry) => {
    let count = 0
    const counting = ({ id }: Item) =>
      Effect.sync(() => {
        count += id
      })
    Effect.runSync(inScope(Registry.addHooks(
      registry,
      RegistryHooks.make<Item>()({
        onItemRegistering: counting,
        onItemRegistered: counting,
        onItemUnregistering: counting,
        onItemUnregistered: counting
      })
    )))
  }
)

export const peers: ReadonlyArray<Row> = [
  peer("peer get TxHashMap", "`get`", "`TxHashMap.get`", getAgainstTxHashMap),
  peer("peer get Map", "`get`", "a `Map` behind a `Semaphore`", getAgainstMap),
  peer("peer get awilix", "`get`", "`awilix`: `resolve`, no effect", getAgainstAwilix, [100, 10_000]),
  peer("peer change TxHashMap", "`register` + `unregister`", "two `TxHashMap` in `Effect.tx`", changeAgainstTxHashMap),
  peer(
    "peer change awilix",
    "`register` + `unregister`",
    "`awilix`: `register` of a name that is there, no effect",
    changeAgainstAwilix,
    [100, 10_000]
  ),
  peer(
    "peer hooks hookable",
    "`register` + `unregister` with four hooks that count",
    "`hookable`: the four calls alone",
    hooksAgainstHookable,
    [100]
  )
]
