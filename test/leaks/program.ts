/**
 * Runs ten thousand times each operation that could leak, in a process of its own with `--expose-gc`, and prints as JSON how
 * much the heap has grown and what the registry's tables hold.
 */
import { Effect, Exit, Fiber, Scope, Stream } from "effect"
import { Registry, RegistrySnapshot } from "effect-registry"
import { installedHooks, isLocked, openScopes, waitingForLock, waitsOfHolder } from "../utils/inside.ts"

const times = 10_000

class Item {
  readonly id: number
  readonly name: string
  /** Makes an item that leaks noticeable. */
  readonly load = Array.from({ length: 50 }, () => 0)
  constructor(id: number, name = `item ${id}`) {
    this.id = id
    this.name = name
  }
}

type Items = Registry.Registry<Item, readonly ["id", "name"], unknown>

const repeat = (effect: (i: number) => Effect.Effect<unknown, unknown>): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let i = 0; i < times; i++) yield* Effect.exit(effect(i))
  })

const cases: Record<string, (registry: Items) => Effect.Effect<void, unknown>> = {
  "G10 failed registrations": (registry) => repeat((i) => Registry.register(registry, new Item(0, `twin ${i}`))),
  "G10 failed registrations of several items": (registry) =>
    repeat((i) => Registry.registerAll(registry, [new Item(i + 1), new Item(0, "twin")])),
  "failed transactions": (registry) =>
    repeat((i) =>
      Registry.transact(registry, Effect.andThen(Registry.register(registry, new Item(i + 1)), Effect.fail("no")))
    ),
  "failed transactions with hooks": (registry) =>
    Effect.scoped(Effect.andThen(
      Registry.addHooks(registry, {
        onItemRegistered: () => Effect.yieldNow,
        onItemUnregistered: () => Effect.yieldNow
      }),
      repeat((i) =>
        Registry.transact(registry, Effect.andThen(Registry.register(registry, new Item(i + 1)), Effect.fail("no")))
      )
    )),
  "scopes with a registration": (registry) =>
    repeat((i) => Effect.scoped(Registry.registerScoped(registry, new Item(i + 1)))),
  "scopes with a failed registration": (registry) =>
    repeat((i) => Effect.scoped(Registry.registerScoped(registry, new Item(0, `twin ${i}`)))),
  "hooks that come and go": (registry) =>
    repeat(() => Effect.scoped(Registry.addHooks(registry, { onItemRegistered: () => Effect.void }))),
  "hooks with existing: true that come and go": (registry) =>
    repeat(() =>
      Effect.scoped(Registry.addHooks(registry, { onItemRegistered: () => Effect.void }, { existing: true }))
    ),
  "changes that are read with their snapshots": (registry) =>
    Effect.gen(function*() {
      for (let i = 1; i <= times; i++) {
        const reading = Effect.gen(function*() {
          const { changes } = yield* Registry.subscribe(registry)
          yield* Registry.register(registry, new Item(i))
          yield* Registry.unregisterBy(registry, "id", i)
          // the contents after the first are made from those after the second
          const told = yield* Stream.runCollect(Stream.take(changes, 2))
          return told.map(({ snapshot }) => RegistrySnapshot.values(snapshot).length).join()
        })
        if ((yield* Effect.scoped(reading)) !== "2,1") return yield* Effect.die("a snapshot is wrong")
      }
    }),
  "interrupted streams of snapshots and answers": (registry) =>
    Effect.gen(function*() {
      const watching = Effect.all(
        [Stream.runDrain(Registry.snapshots(registry)), Stream.runDrain(Registry.watchItem(registry, "id", 1))],
        { concurrency: 2 }
      )
      for (let i = 0; i < times; i++) {
        const fiber = yield* Effect.forkChild(watching, { startImmediately: true })
        yield* Effect.scoped(Registry.registerScoped(registry, new Item(1)))
        yield* Fiber.interrupt(fiber)
      }
    }),
  "interrupted waiters": (registry) =>
    Effect.gen(function*() {
      const holding = yield* Effect.forkChild(Registry.transact(registry, Effect.never), { startImmediately: true })
      for (let i = 0; i < times; i++) {
        const waiting = yield* Effect.forkChild(Registry.register(registry, new Item(i + 1)), {
          startImmediately: true
        })
        yield* Fiber.interrupt(waiting)
      }
      yield* Fiber.interrupt(holding)
    }),
  "interrupted waiters inside a transaction": (registry) =>
    Registry.transact(
      registry,
      Effect.gen(function*() {
        const holding = yield* Effect.forkChild(Registry.transact(registry, Effect.never), { startImmediately: true })
        for (let i = 0; i < times; i++) {
          const waiting = yield* Effect.forkChild(Registry.register(registry, new Item(i + 1)), {
            startImmediately: true
          })
          yield* Fiber.interrupt(waiting)
        }
        if (waitsOfHolder(registry) !== 0) return yield* Effect.die("it is still said to wait")
        yield* Fiber.interrupt(holding)
      })
    ),
  "populations and resets": (registry) =>
    repeat(() => Effect.andThen(Registry.reset(registry), Registry.populate(registry))),
  "items that come and go": (registry) =>
    repeat((i) => {
      const item = new Item(i + 1)
      return Effect.andThen(Registry.register(registry, item), Registry.unregister(registry, item))
    })
}

const heap = (): number => {
  for (let i = 0; i < 3; i++) (globalThis as unknown as { readonly gc: () => void }).gc()
  return process.memoryUsage().heapUsed
}

const measure = (name: string, run: (registry: Items) => Effect.Effect<void, unknown>) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const registry: Items = yield* Scope.provide(
      // kept changes are not a leak, but large
      Registry.make<Item>()({ lookup: ["id", "name"], defaults: [new Item(0)], history: 2 }),
      scope
    )
    yield* Registry.populate(registry)
    const tables = () => [installedHooks(registry), openScopes(registry)].join()
    const before = tables()
    // after the second run everything is compiled and optimized, and tables have grown that grow once
    const program = run(registry)
    yield* program
    yield* program
    // a leak grows in each run; a compiler, which is at work beside the program, keeps something in some of them
    let grown = Infinity
    for (let i = 0; i < 3; i++) {
      const start = heap()
      yield* program
      grown = Math.min(grown, heap() - start)
    }
    const left = [
      ...(tables() === before ? [] : [`hooks and scopes: ${before} before, ${tables()} after`]),
      ...(!isLocked(registry) ? [] : ["somebody holds the lock"]),
      ...(waitingForLock(registry) === 0 ? [] : ["somebody waits for the lock"]),
      ...((yield* Registry.size(registry)) === 1 ? [] : ["items"])
    ]
    yield* Scope.close(scope, Exit.void)
    return { name, grown, left }
  })

const results: Array<{ readonly name: string; readonly grown: number; readonly left: ReadonlyArray<string> }> = []
for (const [name, run] of Object.entries(cases)) results.push(await Effect.runPromise(measure(name, run)))
console.log(JSON.stringify(results))
