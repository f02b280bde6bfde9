import { Effect, HashMap } from "effect"
import { Lookup, Registry } from "effect-registry"
import { inScope, Item, type ItemRegistry, makeItems, makeMaps, makeRegistry, type Maps, populated } from "../items.ts"
import { allSizes, type Row, type Side } from "../row.ts"

/** Small populations are measured many at a time. */
const runsOf = (size: number): number => Math.max(1, 10_000 / size)

/** Populations of new items, so that neither side finds a hash that it has taken before. */
const populate = (size: number): Side => {
  let registries: ReadonlyArray<ItemRegistry> = []
  return {
    operations: runsOf(size) * size,
    prepare: () => {
      registries = Array.from({ length: runsOf(size) }, () => makeRegistry(makeItems(size)))
    },
    run: async () => {
      await Effect.runPromise(Effect.forEach(registries, Registry.populate, { discard: true }))
      return registries.reduce(
        (sum, registry) => sum + Registry.snapshotUnsafe(registry)[Symbol.iterator]().next().value!.id,
        0
      )
    }
  }
}

const population: Row = {
  name: "population",
  work: "population, per item",
  against: "two HashMaps built with `HashMap.mutate`",
  goal: () => 2,
  sizes: allSizes,
  kind: "whole",
  make: async (size) => {
    let lists: ReadonlyArray<ReadonlyArray<Item>> = []
    let built: ReadonlyArray<Maps> = []
    return {
      ours: populate(size),
      other: {
        operations: runsOf(size) * size,
        prepare: () => {
          lists = Array.from({ length: runsOf(size) }, () => makeItems(size))
          built = []
        },
        run: () => {
          built = lists.map(makeMaps)
          return built.reduce((sum, { byId, byName }) => sum + HashMap.size(byId) + HashMap.size(byName), 0)
        }
      }
    }
  }
}

const registerAll: Row = {
  name: "registerAll",
  work: "`registerAll` of 1,000, per item",
  against: "population, per item",
  goal: () => 1.5,
  sizes: allSizes,
  kind: "whole",
  make: async (size) => {
    let registry = await populated(makeItems(size))
    let next = size
    let items: ReadonlyArray<Item> = []
    return {
      ours: {
        operations: 1_000,
        prepare: async () => {
          // a registry that has become much larger than N would be another row
          if (next > 2 * size + 1_000) {
            registry = await populated(makeItems(size))
            next = size
          }
          items = makeItems(1_000, next)
          next += 1_000
        },
        run: () => {
          Effect.runSync(Registry.registerAll(registry, items))
          return Effect.runSync(Registry.size(registry))
        }
      },
      other: populate(size)
    }
  }
}

/** Items that share one value, as a rule few items in many groups. */
class Member {
  readonly id: number
  readonly group: string
  constructor(id: number, group: string) {
    this.id = id
    this.group = group
  }
}

const groups: Row = {
  name: "population with groups",
  work: "population with a unique and a group lookup, ten items a group, per item",
  against: "two HashMaps, one of arrays",
  sizes: [10_000, 100_000],
  kind: "whole",
  make: async (size) => {
    const members = () => makeItems(size).map(({ id }) => new Member(id, `group ${Math.floor(id / 10)}`))
    const make = (defaults: ReadonlyArray<Member>) =>
      Effect.runSync(inScope(
        Registry.make<Member>()({
          lookup: { id: Lookup.unique((member) => member.id), group: Lookup.group((member) => member.group) },
          defaults
        })
      ))
    let registry = make([])
    let list: ReadonlyArray<Member> = []
    return {
      ours: {
        operations: size,
        prepare: () => {
          registry = make(members())
        },
        run: async () => {
          await Effect.runPromise(Registry.populate(registry))
          return Effect.runSync(Registry.size(registry))
        }
      },
      other: {
        operations: size,
        prepare: () => {
          list = members()
        },
        run: () => {
          const byId = HashMap.mutate(HashMap.empty<number, Member>(), (map) => {
            for (const member of list) HashMap.set(map, member.id, member)
          })
          const byGroup = new Map<string, Array<Member>>()
          for (const member of list) {
            const others = byGroup.get(member.group)
            if (others === undefined) byGroup.set(member.group, [member])
            else others.push(member)
          }
          const all = HashMap.fromIterable(byGroup)
          return HashMap.size(byId) + HashMap.size(all)
        }
      }
    }
  }
}

export const populating: ReadonlyArray<Row> = [population, registerAll, groups]
