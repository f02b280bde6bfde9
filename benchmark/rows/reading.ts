import { Effect, HashMap, Option } from "effect"
import { Registry, RegistrySnapshot } from "effect-registry"
import { cycle, inFiber, makeItems, makeMaps, populated } from "../items.ts"
import { allSizes, type Row } from "../row.ts"

const operations = 1_000

const get: Row = {
  name: "get",
  work: "`get`, found",
  against: "an effect that reads a native `Map`",
  goal: (size) => size < 1_000_000 ? 1.5 : 2,
  sizes: allSizes,
  kind: "single",
  make: async (size) => {
    const items = makeItems(size)
    const registry = await populated(items)
    const map = new Map(items.map((item) => [item.id, item]))
    const ids = items.map((item) => item.id)
    const nextId = cycle(ids)
    const nextOther = cycle(ids)
    const ours = inFiber(operations, () => Registry.get(registry, "id", nextId()), (item) => item.id)
    const other = inFiber(operations, () => Effect.sync(() => map.get(nextOther())!), (item) => item.id)
    return {
      ours: { operations, run: () => Effect.runSync(ours) },
      other: { operations, run: () => Effect.runSync(other) }
    }
  }
}

const getByName: Row = {
  ...get,
  name: "get by a string",
  work: "`get` by a string, found",
  make: async (size) => {
    const items = makeItems(size)
    const registry = await populated(items)
    const map = new Map(items.map((item) => [item.name, item]))
    const names = items.map((item) => item.name)
    const nextName = cycle(names)
    const nextOther = cycle(names)
    const ours = inFiber(operations, () => Registry.get(registry, "name", nextName()), (item) => item.id)
    const other = inFiber(operations, () => Effect.sync(() => map.get(nextOther())!), (item) => item.id)
    return {
      ours: { operations, run: () => Effect.runSync(ours) },
      other: { operations, run: () => Effect.runSync(other) }
    }
  }
}

const snapshotSides = (changed: number) => async (size: number) => {
  const items = makeItems(size)
  const registry = await populated(items)
  await Effect.runPromise(Effect.forEach(makeItems(changed, size), (item) => Registry.register(registry, item)))
  const snapshot = Registry.snapshotUnsafe(registry)
  const { byId } = makeMaps(snapshot)
  const ids = items.map((item) => item.id)
  const nextId = cycle(ids)
  const nextOther = cycle(ids)
  return {
    ours: {
      operations,
      run: () => {
        let sum = 0
        for (let i = 0; i < operations; i++) {
          sum += Option.getOrThrow(RegistrySnapshot.get(snapshot, "id", nextId())).id
        }
        return sum
      }
    },
    other: {
      operations,
      run: () => {
        let sum = 0
        for (let i = 0; i < operations; i++) sum += Option.getOrThrow(HashMap.get(byId, nextOther())).id
        return sum
      }
    },
    snapshot,
    nextId
  }
}

const snapshotGet: Row = {
  name: "snapshot get",
  work: "`RegistrySnapshot.get`",
  against: "`HashMap.get`",
  goal: () => 1.2,
  sizes: allSizes,
  kind: "single",
  make: snapshotSides(0)
}

const snapshotChanged: Row = {
  ...snapshotGet,
  name: "snapshot get, changed",
  work: "`RegistrySnapshot.get`, 30 changes after the population",
  make: snapshotSides(30)
}

const snapshotAgainstMap: Row = {
  name: "snapshot get, native",
  work: "`RegistrySnapshot.get`",
  against: "`Map.get`",
  sizes: allSizes,
  kind: "single",
  make: async (size) => {
    const { nextId, ours, snapshot } = await snapshotSides(0)(size)
    const map = new Map(Array.from(snapshot, (item) => [item.id, item]))
    return {
      ours,
      other: {
        operations,
        run: () => {
          let sum = 0
          for (let i = 0; i < operations; i++) sum += map.get(nextId())!.id
          return sum
        }
      }
    }
  }
}

const getInTransaction: Row = {
  name: "get in a transaction",
  work: "`get` inside an open transaction",
  against: "`get` outside",
  goal: () => 2,
  sizes: allSizes,
  kind: "single",
  make: async (size) => {
    const items = makeItems(size)
    const registry = await populated(items)
    const ids = items.map((item) => item.id)
    const nextId = cycle(ids)
    const nextOther = cycle(ids)
    const ours = Registry.transact(
      registry,
      inFiber(operations, () => Registry.get(registry, "id", nextId()), (item) => item.id)
    )
    const other = inFiber(operations, () => Registry.get(registry, "id", nextOther()), (item) => item.id)
    return {
      ours: { operations, run: () => Effect.runSync(ours) },
      other: { operations, run: () => Effect.runSync(other) }
    }
  }
}

const values: Row = {
  name: "values",
  work: "`values`, unchanged since the last call",
  against: "an effect that answers an array",
  goal: () => 1.2,
  sizes: allSizes,
  kind: "single",
  make: async (size) => {
    const items = makeItems(size)
    const registry = await populated(items)
    const list = items.slice()
    const ours = inFiber(operations, () => Registry.values(registry), (all) => all.length)
    const other = inFiber(operations, () => Effect.sync(() => list), (all) => all.length)
    return {
      ours: { operations, run: () => Effect.runSync(ours) },
      other: { operations, run: () => Effect.runSync(other) }
    }
  }
}

const at: Row = {
  name: "at",
  work: "`at`",
  against: "an effect that reads an array",
  sizes: allSizes,
  kind: "single",
  make: async (size) => {
    const items = makeItems(size)
    const registry = await populated(items)
    const indexes = items.map((_, i) => i)
    const nextIndex = cycle(indexes)
    const nextOther = cycle(indexes)
    const ours = inFiber(operations, () => Registry.at(registry, nextIndex()), (item) => Option.getOrThrow(item).id)
    const other = inFiber(
      operations,
      () => Effect.sync(() => Option.some(items[nextOther()]!)),
      (item) => Option.getOrThrow(item).id
    )
    return {
      ours: { operations, run: () => Effect.runSync(ours) },
      other: { operations, run: () => Effect.runSync(other) }
    }
  }
}

export const reading: ReadonlyArray<Row> = [
  get,
  getByName,
  snapshotGet,
  snapshotChanged,
  snapshotAgainstMap,
  getInTransaction,
  values,
  at
]
