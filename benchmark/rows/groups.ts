import { Effect, HashSet, Ref, Semaphore } from "effect"
import { Lookup, Registry } from "effect-registry"
import { cycle, inFiber, inScope, makeItems } from "../items.ts"
import type { Row } from "../row.ts"

/** All items have one value of a group lookup. */
const makeGroup = async (size: number) => {
  const ids = makeItems(size).map(({ id }) => ({ id }))
  const registry = Effect.runSync(inScope(
    Registry.make<{ readonly id: number }>()({
      lookup: { id: Lookup.unique((item) => item.id), all: Lookup.group(() => "all") },
      defaults: ids
    })
  ))
  await Effect.runPromise(Registry.populate(registry))
  return { registry, ids: ids.map(({ id }) => id) }
}

const operations = 500

const change: Row = {
  name: "group change",
  work: "`register` + `unregister` of an item with a value that N items have",
  against: "`Semaphore.withPermit` around `HashSet.add`, and `remove`, of a set of N, twice",
  goal: () => 2,
  sizes: [100, 100_000],
  kind: "single",
  make: async (size) => {
    const { ids, registry } = await makeGroup(size)
    const others = makeItems(10_000, size).map(({ id }) => ({ id }))
    const nextItem = cycle(others)
    const nextOther = cycle(others)
    const lock = Semaphore.makeUnsafe(1)
    // a lookup of its own for each, as in the registry: by id, and by the value that all have
    const sets = Ref.makeUnsafe({ byId: HashSet.fromIterable(ids), all: HashSet.fromIterable(ids) })
    const oursRun = Effect.gen(function*() {
      for (let i = 0; i < operations; i++) {
        const item = nextItem()
        yield* Registry.register(registry, item)
        yield* Registry.unregister(registry, item)
      }
      return yield* Registry.size(registry)
    })
    const otherRun = Effect.gen(function*() {
      for (let i = 0; i < operations; i++) {
        const { id } = nextOther()
        yield* lock.withPermit(
          Ref.update(sets, ({ all, byId }) => ({ byId: HashSet.add(byId, id), all: HashSet.add(all, id) }))
        )
        yield* lock.withPermit(
          Ref.update(sets, ({ all, byId }) => ({ byId: HashSet.remove(byId, id), all: HashSet.remove(all, id) }))
        )
      }
      return HashSet.size((yield* Ref.get(sets)).all)
    })
    return {
      ours: { operations, run: () => Effect.runSync(oursRun) },
      other: { operations, run: () => Effect.runSync(otherRun) }
    }
  }
}

const list: Row = {
  name: "group list",
  work: "`getAll` of a value that N items have",
  against: "`Array.from` of a `HashSet` of N",
  goal: () => 2,
  sizes: [100, 100_000],
  kind: "single",
  make: async (size) => {
    const { ids, registry } = await makeGroup(size)
    const set = HashSet.fromIterable(ids)
    const runs = Math.max(1, 1_000 / size)
    const ours = inFiber(runs, () => Registry.getAll(registry, "all", "all"), (all) => all.length + all[0]!.id)
    return {
      ours: { operations: runs, run: () => Effect.runSync(ours) },
      other: {
        operations: runs,
        run: () => {
          let sum = 0
          for (let i = 0; i < runs; i++) {
            const all = Array.from(set)
            sum += all.length + all[0]!
          }
          return sum
        }
      }
    }
  }
}

const firstOfMany: Row = {
  name: "group has",
  work: "`has` of a value that N items have",
  against: "`has` of a value that 10 items have",
  goal: () => 2,
  sizes: [100_000],
  kind: "single",
  make: async (size) => {
    const { registry } = await makeGroup(size)
    const few = await makeGroup(10)
    const ours = inFiber(operations, () => Registry.has(registry, "all", "all"), Number)
    const other = inFiber(operations, () => Registry.has(few.registry, "all", "all"), Number)
    return {
      ours: { operations, run: () => Effect.runSync(ours) },
      other: { operations, run: () => Effect.runSync(other) }
    }
  }
}

export const groups: ReadonlyArray<Row> = [change, list, firstOfMany]
