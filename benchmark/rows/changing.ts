import { Effect, PubSub, Ref, Semaphore, Stream } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import {
  cycle,
  inFiber,
  inScope,
  type Item,
  type ItemRegistry,
  makeItems,
  makeLockedMaps,
  populated,
  withItem,
  withoutItem
} from "../items.ts"
import { allSizes, type Row } from "../row.ts"

const operations = 100

/** Items that are not in: as many as leave no two operations on one key close to each other. */
const others = (size: number) => makeItems(10_000, size)

/** Registers one item after the other, and unregisters it. */
const changingRegistry = (registry: ItemRegistry, nextItem: () => Item) =>
  Effect.gen(function*() {
    for (let i = 0; i < operations; i++) {
      const item = nextItem()
      yield* Registry.register(registry, item)
      yield* Registry.unregister(registry, item)
    }
    return yield* Registry.size(registry)
  })

const registerAndUnregister: Row = {
  name: "register and unregister",
  work: "`register` + `unregister`",
  against: "`Semaphore.withPermit` around two `HashMap.set`, and two `remove`",
  goal: () => 1.5,
  sizes: allSizes,
  kind: "single",
  make: async (size) => {
    const items = makeItems(size)
    const other = makeLockedMaps(items)
    const nextOther = cycle(others(size))
    const oursRun = changingRegistry(await populated(items), cycle(others(size)))
    const otherRun = Effect.gen(function*() {
      for (let i = 0; i < operations; i++) {
        const item = nextOther()
        yield* other.register(item)
        yield* other.unregister(item)
      }
      return yield* other.size
    })
    return {
      ours: { operations, run: () => Effect.runSync(oursRun) },
      other: { operations, run: () => Effect.runSync(otherRun) }
    }
  }
}

const againstNativeMaps: Row = {
  ...registerAndUnregister,
  name: "register and unregister, native",
  against: "the same in two native `Map`s behind a `Semaphore`",
  make: async (size) => {
    const items = makeItems(size)
    const byId = new Map(items.map((item) => [item.id, item]))
    const byName = new Map(items.map((item) => [item.name, item]))
    const lock = Semaphore.makeUnsafe(1)
    const nextOther = cycle(others(size))
    const oursRun = changingRegistry(await populated(items), cycle(others(size)))
    const otherRun = Effect.gen(function*() {
      for (let i = 0; i < operations; i++) {
        const item = nextOther()
        yield* lock.withPermit(Effect.sync(() => {
          byId.set(item.id, item)
          byName.set(item.name, item)
        }))
        yield* lock.withPermit(Effect.sync(() => {
          byId.delete(item.id)
          byName.delete(item.name)
        }))
      }
      return byId.size + byName.size
    })
    return {
      ours: { operations, run: () => Effect.runSync(oursRun) },
      other: { operations, run: () => Effect.runSync(otherRun) }
    }
  }
}

/** What the hooks that count have counted. */
let count = 0

/** With a hook of each kind, and by hand with an effect before and after each change. */
const withHooks = (hook: () => Effect.Effect<void>) => async (size: number) => {
  const items = makeItems(size)
  const registry = await populated(items)
  Effect.runSync(inScope(Registry.addHooks(
    registry,
    RegistryHooks.make<Item>()({
      onItemRegistering: hook,
      onItemRegistered: hook,
      onItemUnregistering: hook,
      onItemUnregistered: hook
    })
  )))
  const { lock, maps, size: sizeOfOther } = makeLockedMaps(items)
  const around = (update: Effect.Effect<void>) =>
    lock.withPermit(Effect.andThen(Effect.andThen(hook(), update), hook()))
  const nextOther = cycle(others(size))
  const oursRun = changingRegistry(registry, cycle(others(size)))
  const otherRun = Effect.gen(function*() {
    for (let i = 0; i < operations; i++) {
      const item = nextOther()
      yield* around(Ref.update(maps, (both) => withItem(both, item)))
      yield* around(Ref.update(maps, (both) => withoutItem(both, item)))
    }
    return yield* sizeOfOther
  })
  return {
    ours: { operations, run: () => Effect.runSync(oursRun) + count },
    other: { operations, run: () => Effect.runSync(otherRun) + count }
  }
}

const hooks: Row = {
  name: "hooks",
  work: "`register` + `unregister` with one hook of each kind, each `Effect.void`",
  against: "two HashMaps behind a `Semaphore`, with four `Effect.void`",
  goal: () => 2,
  sizes: allSizes,
  kind: "single",
  warmUpRuns: 1_000,
  make: withHooks(() => Effect.void)
}

const countingHooks: Row = {
  name: "hooks that count",
  work: "`register` + `unregister` with one hook of each kind, each an `Effect.sync` that counts",
  against: "two HashMaps behind a `Semaphore`, with four of them",
  goal: () => 3,
  sizes: allSizes,
  kind: "single",
  warmUpRuns: 1_000,
  make: withHooks(() =>
    Effect.sync(() => {
      count++
    })
  )
}

const registerThenValues: Row = {
  name: "register then values",
  work: "one `register`, then `values`",
  against: "copying an array of N",
  // with few items, what is measured is `register` alone
  goal: (size) => size === 10_000 ? 2 : Infinity,
  sizes: allSizes,
  kind: "single",
  make: async (size) => {
    const items = makeItems(size)
    const registry = await populated(items)
    const nextItem = cycle(others(size))
    const repeats = size === 1_000_000 ? 1 : 10
    let list: ReadonlyArray<Item> = items
    const oursRun = Effect.gen(function*() {
      let sum = 0
      for (let i = 0; i < repeats; i++) {
        const item = nextItem()
        yield* Registry.register(registry, item)
        sum += (yield* Registry.values(registry)).length
        last = item
      }
      return sum
    })
    // only one of two is measured: the registry is to be as large as it was
    let last: Item | undefined
    const unregisterRest = Effect.gen(function*() {
      const all = yield* Registry.values(registry)
      for (const item of all.slice(size)) yield* Registry.unregister(registry, item)
      yield* Registry.values(registry)
    })
    return {
      ours: {
        operations: repeats,
        prepare: () => Effect.runSync(unregisterRest),
        run: () => Effect.runSync(oursRun) + (last === undefined ? 0 : last.id)
      },
      other: {
        operations: repeats,
        run: () => {
          for (let i = 0; i < repeats; i++) list = list.slice()
          return list.length
        }
      }
    }
  }
}

const unregisterThenValues: Row = {
  ...registerThenValues,
  name: "unregister then values",
  work: "one `unregister` in the middle, then `values`",
  goal: () => Infinity,
  make: async (size) => {
    const items = makeItems(size)
    const registry = await populated(items)
    const nextItem = cycle(items)
    let list: ReadonlyArray<Item> = items
    let gone: Item | undefined
    const oursRun = Effect.gen(function*() {
      gone = nextItem()
      yield* Registry.unregister(registry, gone)
      return (yield* Registry.values(registry)).length
    })
    return {
      ours: {
        operations: 1,
        prepare: () => {
          if (gone !== undefined) {
            Effect.runSync(Effect.andThen(Registry.register(registry, gone), Registry.values(registry)))
          }
        },
        run: () => Effect.runSync(oursRun)
      },
      other: {
        operations: 1,
        run: () => {
          list = list.slice()
          return list.length
        }
      }
    }
  }
}

const transaction: Row = {
  name: "transact",
  work: "`transact` of an effect that does nothing",
  against: "`Semaphore.withPermit` of it",
  goal: () => 1.8,
  sizes: [10_000],
  kind: "single",
  make: async (size) => {
    const registry = await populated(makeItems(size))
    const lock = Semaphore.makeUnsafe(1)
    const ours = inFiber(operations, () => Registry.transact(registry, Effect.succeed(1)), (one) => one)
    const other = inFiber(operations, () => lock.withPermit(Effect.succeed(1)), (one) => one)
    return {
      ours: { operations, run: () => Effect.runSync(ours) },
      other: { operations, run: () => Effect.runSync(other) }
    }
  }
}

const publish: Row = {
  name: "publish",
  work: "publishing a change that nobody watches (`register` + `unregister`)",
  against: "the same with `history: 0`",
  goal: () => 1.15,
  sizes: [10_000],
  kind: "single",
  make: async (size) => {
    const items = makeItems(size)
    const side = async (history: number) => {
      const registry = Effect.runSync(
        inScope(Registry.make<Item>()({ lookup: ["id", "name"], defaults: items, history }))
      )
      await Effect.runPromise(Registry.populate(registry))
      const run = changingRegistry(registry, cycle(others(size)))
      return { operations, run: () => Effect.runSync(run) }
    }
    return { ours: await side(256), other: await side(0) }
  }
}

/** Changes a registry, and lets others have a turn, over and over. */
const changeAndYield = (registry: ItemRegistry, nextItem: () => Item, after: Effect.Effect<unknown>) =>
  Effect.gen(function*() {
    for (let i = 0; i < operations; i++) {
      const item = nextItem()
      yield* Registry.register(registry, item)
      yield* after
      yield* Registry.unregister(registry, item)
      yield* after
      yield* Effect.yieldNow
    }
    return yield* Registry.size(registry)
  })

const publishToOne: Row = {
  name: "publish to one",
  work: "`register` + `unregister`, with one subscriber of `changes`",
  against: "the same without, and `PubSub.publish` twice for each to one subscriber",
  // what a subscriber adds is at most twice a `PubSub.publish`
  goal: () => 1,
  sizes: [10_000],
  kind: "single",
  make: async (size) => {
    const items = makeItems(size)
    const watched = await populated(items)
    let revisions = 0
    Effect.runFork(Stream.runForEach(Registry.changes(watched), ({ revision }) =>
      Effect.sync(() => {
        revisions = revision
      })))
    const unwatched = await populated(items)
    const hub = await Effect.runPromise(PubSub.unbounded<{ readonly revision: number }>())
    Effect.runFork(Stream.runForEach(Stream.fromPubSub(hub), ({ revision }) =>
      Effect.sync(() => {
        revisions = revision
      })))
    const publishing = Effect.suspend(() => PubSub.publish(hub, { revision: revisions + 1 }))
    const ours = changeAndYield(watched, cycle(others(size)), Effect.void)
    const other = changeAndYield(
      unwatched,
      cycle(others(size)),
      Effect.andThen(publishing, publishing)
    )
    return {
      ours: { operations, run: async () => (await Effect.runPromise(ours)) + revisions },
      other: { operations, run: async () => (await Effect.runPromise(other)) + revisions }
    }
  }
}

export const changing: ReadonlyArray<Row> = [
  registerAndUnregister,
  againstNativeMaps,
  hooks,
  countingHooks,
  registerThenValues,
  unregisterThenValues,
  transaction,
  publish,
  publishToOne
]
