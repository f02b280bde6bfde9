import { Effect, HashMap, Ref, Semaphore } from "effect"
import { Registry } from "effect-registry"
import { type Item, makeItems, makeMaps, makeRegistry, populated, withItem } from "../items.ts"
import { allSizes, type Row } from "../row.ts"

const inFibers = <A>(count: number, effect: (i: number) => Effect.Effect<A, unknown>) =>
  Effect.forEach(Array.from({ length: count }, (_, i) => i), effect, { concurrency: "unbounded" })

/** The defaults take a turn, so that all fibers are there when they come. */
const later = <A>(a: A) => Effect.as(Effect.yieldNow, a)

const firstAccess: Row = {
  name: "first access",
  work: "10,000 fibers at the first access",
  against: "10,000 fibers at one `Effect.cached`",
  goal: () => 1.5,
  sizes: [100, 10_000],
  kind: "whole",
  make: async (size) => {
    const fibers = 10_000
    let registry = makeRegistry([])
    let cached: Effect.Effect<HashMap.HashMap<number, Item>> = Effect.succeed(HashMap.empty())
    let items: ReadonlyArray<Item> = []
    return {
      ours: {
        operations: fibers,
        prepare: () => {
          items = makeItems(size)
          registry = makeRegistry(later(items))
        },
        run: async () => {
          const first = items[0]!.id
          const all = await Effect.runPromise(inFibers(fibers, () => Registry.get(registry, "id", first)))
          return all.reduce((sum, item) => sum + item.id, 0)
        }
      },
      other: {
        operations: fibers,
        prepare: async () => {
          items = makeItems(size)
          const these = items
          cached = await Effect.runPromise(
            Effect.cached(Effect.map(Effect.yieldNow, () => makeMaps(these).byId))
          )
        },
        run: async () => {
          const first = items[0]!.id
          const all = await Effect.runPromise(inFibers(fibers, () => Effect.map(cached, HashMap.getUnsafe(first))))
          return all.reduce((sum, item) => sum + item.id, 0)
        }
      }
    }
  }
}

const registerAtOnce = (work: string, against: string, name: string, yields: boolean): Row => ({
  name,
  work,
  against,
  goal: () => 3,
  sizes: allSizes,
  kind: "whole",
  make: async (size) => {
    const fibers = 1_000
    const rounds = 5
    let registry = await populated(makeItems(size))
    const lock = Semaphore.makeUnsafe(1)
    const initial = makeMaps(makeItems(size))
    const maps = Ref.makeUnsafe(initial)
    let next = size
    let items: ReadonlyArray<Item> = []
    const prepareItems = () => {
      items = makeItems(fibers * rounds, next)
      next += items.length
    }
    const turn = yields ? Effect.yieldNow : Effect.void
    const perRound = (register: (item: Item) => Effect.Effect<void, unknown>) =>
      Effect.runPromise(
        Effect.forEach(Array.from({ length: rounds }, (_, round) => round), (round) =>
          inFibers(fibers, (i) => register(items[round * fibers + i]!)))
      )
    return {
      ours: {
        operations: fibers * rounds,
        prepare: async () => {
          if (next > 2 * size + 20_000) {
            registry = await populated(makeItems(size))
            Effect.runSync(Ref.set(maps, initial))
            next = size
          }
          prepareItems()
        },
        run: async () => {
          await perRound(
            yields
              ? (item) => Registry.transact(registry, Effect.andThen(turn, Registry.register(registry, item)))
              : (item) => Registry.register(registry, item)
          )
          return Effect.runSync(Registry.size(registry))
        }
      },
      other: {
        operations: fibers * rounds,
        prepare: prepareItems,
        run: async () => {
          await perRound((item) =>
            lock.withPermit(Effect.andThen(turn, Ref.update(maps, (both) => withItem(both, item))))
          )
          return HashMap.size(Effect.runSync(Ref.get(maps)).byId)
        }
      }
    }
  }
})

export const fibers: ReadonlyArray<Row> = [
  firstAccess,
  registerAtOnce(
    "1,000 fibers that register at once",
    "1,000 `Semaphore.withPermit` around two `HashMap.set`",
    "register at once",
    false
  ),
  registerAtOnce(
    "1,000 fibers that register at once, each in a transaction that yields",
    "1,000 `Semaphore.withPermit` that yield, around two `HashMap.set`",
    "transact at once",
    true
  )
]
