/**
 * Puts lists of items into small and large registries, which are refused, rolled back or taken out again, and prints as JSON
 * how many of the items, of the contexts that asked, and of the lists that were answered are still referred to right after
 * that: no later operation cleans up.
 */
import { Cause, Context, Effect, Exit, Fiber, Layer, Logger, Scope } from "effect"
import { Lookup, Registry, RegistryHooks } from "effect-registry"
import { kept, left } from "../utils/collecting.ts"

/** Lists that are put in in several steps, and in one; and how many items the registry has of its own. */
const lists: ReadonlyArray<readonly [length: number, size: number]> = [
  [5_000, 1],
  [5_000, 50],
  [5_000, 10_000],
  [900, 1],
  [900, 50],
  [900, 5_000]
]

class Item {
  readonly id: number
  readonly kind: string
  readonly aliases: ReadonlyArray<string>
  readonly tags: ReadonlyArray<string>
  constructor(id: number, kind = `kind ${id % 7}`) {
    this.id = id
    this.kind = kind
    this.aliases = [`${id}`, `number ${id}`]
    this.tags = [kind, `tag ${id % 3}`]
  }
}

/** What no registry takes. */
const invalid = new Item(0)
Object.defineProperty(invalid, "id", {
  get: () => {
    throw new Error("no")
  }
})

/** Equal to nothing, with a key that is taken. */
const twin = new Item(0, "twin")

/** What the registry has of its own. */
let defaults: Effect.Effect<ReadonlyArray<Item>, string> = Effect.succeed([])

class Items extends Registry.Service<Items, Item>()("Items", {
  lookup: {
    id: Lookup.unique(({ id }: Item) => id),
    aliases: Lookup.uniqueEach(({ aliases }: Item) => aliases),
    kind: Lookup.group(({ kind }: Item) => kind),
    tags: Lookup.groupEach(({ tags }: Item) => tags)
  },
  // kept changes are not a leak, but large
  history: 0,
  defaults: Effect.suspend(() => defaults)
}) {}

class Other extends Registry.Service<Other, Item>()("Other", { lookup: ["id"], history: 0 }) {}

/** Something that a caller has in its context. */
class Request extends Context.Service<Request, { readonly body: Uint8Array }>()("Request") {}

let nextId = 1_000_000

class Watched {
  readonly items: Array<WeakRef<Item>> = []
  readonly contexts: Array<WeakRef<object>> = []
  readonly listings: Array<WeakRef<object>> = []
  readonly length: number

  constructor(length: number) {
    this.length = length
  }

  /** A list of new items. */
  readonly list = (length = this.length): Array<Item> => {
    const list = Array.from({ length }, () => new Item(nextId++))
    for (const item of list) this.items.push(new WeakRef(item))
    return list
  }

  /** Runs an effect with a service that nobody else has. */
  readonly asking = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Request>> =>
    Effect.suspend(() => {
      const request = { body: new Uint8Array(1_000) }
      this.contexts.push(new WeakRef(request))
      return Effect.provideService(effect, Request, request)
    })

  /** Asks for the list of all items. */
  readonly listing = Effect.map(Items.values, (list) => {
    this.listings.push(new WeakRef(list))
  })
}

type Case = (watched: Watched) => Effect.Effect<unknown, unknown, Items | Other | Scope.Scope>

/** Runs what must fail. */
const fails = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
  Effect.flatMap(Effect.exit(effect), (exit) => Exit.isFailure(exit) ? Effect.void : Effect.die("it did not fail"))

/** Interrupts what must not have ended when others have had so many turns. */
const interruptedAfter = <A, E, R>(turns: number, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    for (let i = 0; i < turns; i++) yield* Effect.yieldNow
    yield* Fiber.interrupt(fiber)
    const exit = yield* Fiber.await(fiber)
    if (Exit.isSuccess(exit) || !Cause.hasInterrupts(exit.cause)) return yield* Effect.die("it was not interrupted")
  })

/** Does something with hooks that are removed again. */
const hooked = <A, E, R>(hooks: RegistryHooks.RegistryHooks<Item>, effect: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.andThen(Items.addHooks(hooks), effect))

const told = RegistryHooks.make<Item>()({
  onItemRegistered: () => Effect.void,
  onItemUnregistered: () => Effect.yieldNow
})

// ---------------------------------------------------------------------------------------------------------------------
// Lists that never went in
// ---------------------------------------------------------------------------------------------------------------------

const refused: Record<string, Case> = {
  "by the last item": ({ list }) => fails(Items.registerAll([...list(), twin])),
  "by a selector that throws for the last item": ({ list }) => fails(Items.registerAll([...list(), invalid])),
  "by a hook, which is told of the last item before": ({ list }) =>
    Effect.suspend(() => {
      const items = list()
      const { id: last } = items.at(-1)!
      return hooked(
        RegistryHooks.combine(
          told,
          RegistryHooks.make<Item>()({
            onItemRegistering: ({ id }) => id === last ? Effect.die("no") : Effect.void
          })
        ),
        fails(Items.registerAll(items))
      )
    }),
  "by a hook, which is told of the last item after": ({ list }) =>
    Effect.suspend(() => {
      const items = list()
      const { id: last } = items.at(-1)!
      return hooked(
        RegistryHooks.combine(
          told,
          RegistryHooks.make<Item>()({ onItemRegistered: ({ id }) => id === last ? Effect.die("no") : Effect.void })
        ),
        fails(Items.registerAll(items))
      )
    }),
  "by an interruption between two steps": ({ list }) =>
    interruptedAfter(2, Effect.suspend(() => Items.registerAll(list(5_000)))),
  "by an interruption between two steps, in a transaction that goes on": ({ list }) =>
    Items.transact(interruptedAfter(2, Effect.suspend(() => Items.registerAll(list(5_000))))),
  "by an interruption between two steps, with hooks": ({ list }) =>
    hooked(told, interruptedAfter(2, Effect.suspend(() => Items.registerAll(list(5_000))))),
  "while it waited": ({ list }) =>
    Effect.gen(function*() {
      const holding = yield* Effect.forkChild(Items.transact(Effect.never), { startImmediately: true })
      yield* interruptedAfter(1, Effect.suspend(() => Items.registerAll(list())))
      yield* Fiber.interrupt(holding)
    }),
  "in a scope": ({ list }) => Effect.scoped(fails(Items.registerAllScoped([...list(), twin]))),
  "in a transaction that goes on": ({ list }) => Items.transact(fails(Items.registerAll([...list(), twin]))),
  "in a transaction that fails": ({ list }) => fails(Items.transact(Items.registerAll([...list(), twin]))),
  "in a layer": ({ list }) => fails(Effect.scoped(Layer.build(Items.items([...list(), twin])))),
  "in a layer of overrides": ({ list }) => fails(Effect.scoped(Layer.build(Items.overrides([...list(), invalid])))),
  "in a reconciliation": ({ list }) => fails(Items.reconcile([...list(), invalid])),
  "in a population": ({ list }) =>
    Effect.gen(function*() {
      const own = defaults
      yield* Items.reset
      defaults = Effect.map(own, (items) => [...items, ...list(), twin])
      yield* fails(Items.populate)
      defaults = own
      yield* Items.populate
    }),
  "in a population that is not tried again": ({ list }) =>
    Effect.gen(function*() {
      const own = defaults
      yield* Items.reset
      defaults = Effect.map(own, (items) => [...items, ...list(), twin])
      yield* fails(Items.populate)
      defaults = own
    })
}

// ---------------------------------------------------------------------------------------------------------------------
// Lists that went into a draft
// ---------------------------------------------------------------------------------------------------------------------

const registering = ({ list }: Watched) => Effect.suspend(() => Items.registerAll(list()))

const rolledBack: Record<string, Case> = {
  "by a failure": (watched) => fails(Items.transact(Effect.andThen(registering(watched), Effect.fail("no")))),
  "by a defect": (watched) => fails(Items.transact(Effect.andThen(registering(watched), Effect.die("no")))),
  "by an interruption": (watched) =>
    interruptedAfter(20, Items.transact(Effect.andThen(registering(watched), Effect.never))),
  "by a failure, with hooks": (watched) =>
    hooked(told, fails(Items.transact(Effect.andThen(registering(watched), Effect.fail("no"))))),
  "in a transaction in another, which goes on": (watched) =>
    Items.transact(fails(Items.transact(Effect.andThen(registering(watched), Effect.fail("no"))))),
  "two transactions further in": (watched) =>
    fails(Items.transact(
      Effect.andThen(Items.transact(Items.transact(registering(watched))), Effect.fail("no"))
    )),
  "two transactions further in, of which the middle one fails": (watched) =>
    Items.transact(
      fails(Items.transact(Effect.andThen(Items.transact(registering(watched)), Effect.fail("no"))))
    ),
  "in a transaction of several registries": ({ list }) =>
    Effect.gen(function*() {
      const [one, other] = [yield* Items, yield* Other]
      yield* fails(Registry.transactAll(
        [one, other],
        Effect.suspend(() => {
          const items = list()
          return Effect.andThen(
            Effect.andThen(Registry.registerAll(one, items), Registry.registerAll(other, items)),
            Effect.fail("no")
          )
        })
      ))
    }),
  "by an interruption between two steps": ({ list }) =>
    interruptedAfter(2, Items.transact(Effect.suspend(() => Items.registerAll(list(5_000))))),
  "after a part of it was unregistered": ({ list }) =>
    fails(Items.transact(Effect.suspend(() => {
      const items = list()
      return Items.registerAll(items).pipe(
        Effect.andThen(Effect.forEach(items.slice(0, 300), (item) => Items.unregister(item))),
        Effect.andThen(Effect.fail("no"))
      )
    }))),
  "between others, of which one was refused": (watched) =>
    fails(Items.transact(
      registering(watched).pipe(
        Effect.andThen(fails(Effect.suspend(() => Items.registerAll([...watched.list(), twin])))),
        Effect.andThen(registering(watched)),
        Effect.andThen(Effect.fail("no"))
      )
    )),
  "around a reset and a population": (watched) =>
    fails(Items.transact(
      registering(watched).pipe(
        Effect.andThen(Items.reset),
        Effect.andThen(registering(watched)),
        Effect.andThen(Effect.fail("no"))
      )
    )),
  "around a reconciliation": (watched) =>
    fails(Items.transact(
      registering(watched).pipe(
        Effect.andThen(Effect.suspend(() => Items.reconcile(watched.list()))),
        Effect.andThen(registering(watched)),
        Effect.andThen(Effect.fail("no"))
      )
    )),
  "after it was listed": (watched) =>
    fails(Items.transact(
      Effect.andThen(Effect.andThen(registering(watched), watched.listing), Effect.fail("no"))
    ))
}

// ---------------------------------------------------------------------------------------------------------------------
// Lists that were in
// ---------------------------------------------------------------------------------------------------------------------

const scoped = ({ list, listing }: Watched) =>
  Effect.scoped(Effect.andThen(Effect.suspend(() => Items.registerAllScoped(list())), listing))

const resetting = (watched: Watched) =>
  registering(watched).pipe(
    Effect.andThen(watched.listing),
    Effect.andThen(Items.reset)
  )

/** What is in, but for what is removed again. */
const reconciling = (watched: Watched) =>
  Effect.gen(function*() {
    const before = yield* Items.values
    yield* registering(watched)
    yield* watched.listing
    yield* Items.reconcile(before)
  })

const gone: Record<string, Case> = {
  "with a scope": scoped,
  "with a scope, with hooks": (watched) => hooked(told, scoped(watched)),
  "with a scope, in a transaction": (watched) => Items.transact(scoped(watched)),
  "with a scope, in a transaction that fails": ({ list, listing }) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      yield* Scope.provide(Effect.suspend(() => Items.registerAllScoped(list())), scope)
      yield* listing
      yield* fails(Items.transact(Effect.andThen(Scope.close(scope, Exit.void), Effect.fail("no"))))
    }),
  "with a layer": ({ list }) => Effect.scoped(Effect.suspend(() => Layer.build(Items.items(list())))),
  "with a layer of overrides": ({ list, listing }) =>
    Effect.scoped(Effect.andThen(Effect.suspend(() => Layer.build(Items.overrides(list()))), listing)),
  "with overrides of what there is": ({ items, length, listing }) =>
    Effect.scoped(Effect.gen(function*() {
      const overrides = (yield* Items.values).slice(0, length).map(({ id }) => new Item(id, "override"))
      for (const item of overrides) items.push(new WeakRef(item))
      yield* Layer.build(Items.overrides(overrides))
      yield* listing
    })),
  "with an owner": (watched) =>
    Effect.gen(function*() {
      yield* Effect.provideService(registering(watched), Registry.Owner, "plugin")
      yield* watched.listing
      yield* Items.unregisterOwner("plugin")
    }),
  "with a reset": resetting,
  "with a reset, with hooks": (watched) => hooked(told, resetting(watched)),
  "with a reset, populated anew": (watched) => Effect.andThen(resetting(watched), Items.populate),
  "with many resets and populations": ({ asking, list, listing }) =>
    Effect.gen(function*() {
      const own = defaults
      for (let i = 0; i < 6; i++) {
        yield* Items.reset
        defaults = Effect.andThen(Effect.yieldNow, Effect.sync(() => list()))
        yield* asking(Items.size)
        yield* listing
        yield* Items.contains(twin)
      }
      yield* Items.reset
      defaults = own
      yield* asking(Items.populate)
    }),
  "with a reconciliation": reconciling,
  "with a reconciliation, with hooks": (watched) => hooked(told, reconciling(watched)),
  "with a reconciliation, in a transaction": (watched) => Items.transact(reconciling(watched)),
  "replaced in a reconciliation": ({ list, listing }) =>
    Effect.gen(function*() {
      const before = yield* Items.values
      const items = list()
      yield* Items.registerAll(items)
      yield* listing
      yield* Items.reconcile([...before, ...items.map(({ id }) => new Item(id, "new"))])
    })
}

// ---------------------------------------------------------------------------------------------------------------------
// Items that go by themselves, and few of many
// ---------------------------------------------------------------------------------------------------------------------

const singly: Record<string, Case> = {
  "unregistered one by one": ({ list, listing }) =>
    Effect.gen(function*() {
      const items = list()
      yield* Items.registerAll(items)
      yield* listing
      yield* Effect.forEach(items, (item) => Items.unregister(item), { discard: true })
    }),
  "unregistered one by one, in a transaction": ({ list }) =>
    Items.transact(Effect.suspend(() => {
      const items = list()
      return Effect.andThen(
        Items.registerAll(items),
        Effect.forEach(items, (item) => Items.unregister(item), { discard: true })
      )
    })),
  "replaced one by one": ({ list, listing }) =>
    Effect.gen(function*() {
      const items = list()
      yield* Items.registerAll(items)
      yield* listing
      yield* Effect.forEach(items, ({ id }) => Items.replace("id", id, new Item(id, "new")), { discard: true })
    }),
  "few with a scope": ({ list }) => Effect.scoped(Effect.suspend(() => Items.registerAllScoped(list(100)))),
  "one of a list": ({ list }) =>
    Effect.gen(function*() {
      const [one, ...others] = list()
      yield* Items.registerAll([one!, ...others.map(({ id }) => new Item(id))])
      yield* Items.unregister(one!)
    })
}

// ---------------------------------------------------------------------------------------------------------------------
// Callers
// ---------------------------------------------------------------------------------------------------------------------

const callers: Record<string, Case> = {
  "of a read that populated": ({ asking }) =>
    Effect.gen(function*() {
      const own = defaults
      yield* Items.reset
      defaults = Effect.andThen(Effect.yieldNow, own)
      yield* asking(Items.size)
      defaults = own
    }),
  "of reads that joined a population, of which some were interrupted": ({ asking }) =>
    Effect.gen(function*() {
      const own = defaults
      for (let i = 0; i < 3; i++) {
        yield* Items.reset
        defaults = Effect.andThen(Effect.andThen(Effect.yieldNow, Effect.yieldNow), own)
        const fibers = yield* Effect.forEach(
          [1, 2, 3],
          () => Effect.forkChild(asking(Items.size), { startImmediately: true })
        )
        yield* Effect.yieldNow
        yield* Effect.forEach(fibers.slice(i), (fiber) => Fiber.interrupt(fiber))
        yield* Fiber.awaitAll(fibers)
      }
      defaults = own
      yield* Items.populate
    }),
  "of a read in a transaction of another registry, which populated": ({ asking }) =>
    Effect.gen(function*() {
      yield* Items.reset
      yield* asking(Other.transact(Items.size))
    }),
  "of what registers what is in": ({ asking }) => asking(Items.register(new Item(nextId++))),
  "of what registers a list that is in": ({ asking }) =>
    asking(Items.registerAll([new Item(nextId++), new Item(nextId++)])),
  "of what registers in a scope that is open": ({ asking }) => asking(Items.registerScoped(new Item(nextId++))),
  "of an override in a scope that is open": ({ asking }) => asking(Items.override(new Item(0, "over"))),
  "of what registers with hooks": ({ asking }) => hooked(told, asking(Items.register(new Item(nextId++)))),
  "of other operations": ({ asking }) =>
    Effect.gen(function*() {
      const [one, other] = [yield* Items, yield* Other]
      yield* asking(Items.upsert(new Item(0, "new")))
      yield* asking(Items.replace("id", 0, new Item(0, "newer")))
      yield* asking(Items.transact(Items.register(new Item(nextId++))))
      yield* asking(Registry.transactAll([one, other], Effect.void))
      yield* asking(Items.reconcile([new Item(0)]))
      yield* asking(fails(Items.register(new Item(0, "twin"))))
      yield* asking(Items.reset)
      yield* asking(Items.populate)
      yield* asking(Effect.scoped(Items.subscribe()))
    }),
  "of what waited, and was interrupted": ({ asking }) =>
    Effect.gen(function*() {
      const holding = yield* Effect.forkChild(Items.transact(Effect.never), { startImmediately: true })
      yield* interruptedAfter(1, asking(Items.register(new Item(nextId++))))
      yield* interruptedAfter(1, asking(Items.awaitItem("id", -1)))
      yield* Fiber.interrupt(holding)
    }),
  "of hooks that were removed": ({ asking }) =>
    Effect.andThen(
      Effect.scoped(Effect.andThen(
        asking(Items.addHooks({ onItemRegistered: () => Effect.asVoid(Request) })),
        Items.register(new Item(nextId++))
      )),
      Effect.scoped(
        asking(Items.addHooks({ onItemRegistered: () => Effect.asVoid(Request) }, { existing: true }))
      )
    ),
  "of hooks that were removed, while a fiber lives that began in a transaction with them": ({ asking }) =>
    Effect.gen(function*() {
      const scope = yield* Effect.scope
      yield* Effect.scoped(Effect.andThen(
        asking(Items.addHooks({ onItemRegistered: () => Effect.asVoid(Request) })),
        Items.transact(Effect.andThen(
          Effect.forkIn(Effect.never, scope, { startImmediately: true }),
          Items.register(new Item(nextId++))
        ))
      ))
    })
}

// ---------------------------------------------------------------------------------------------------------------------
// Running them
// ---------------------------------------------------------------------------------------------------------------------

export interface Result {
  readonly name: string
  readonly length: number
  readonly size: number
  readonly items: number
  readonly contexts: number
  readonly listings: number
  /** How many of the items are referred to after as many more changes as a quarter of all items. */
  readonly later: number
}

const measure = (name: string, length: number, size: number, run: Case): Effect.Effect<Result, unknown> =>
  Effect.gen(function*() {
    const own = Array.from({ length: size }, (_, id) => new Item(id))
    defaults = Effect.succeed(own)
    yield* Items.populate
    const watched = new Watched(length)
    yield* Effect.asVoid(run(watched))
    yield* kept([...watched.items, ...watched.contexts, ...watched.listings])
    const items = left(watched.items)
    const contexts = left(watched.contexts)
    const listings = left(watched.listings)
    const changes = items === 0 ? 1 : (size + length) / 4
    for (let i = 0; i < changes; i++) yield* Effect.scoped(Items.registerScoped(new Item(nextId++)))
    const later = items === 0 ? 0 : yield* kept(watched.items)
    return { name, length, size, items, contexts, listings, later }
  }).pipe(
    Effect.scoped,
    Effect.provide([Layer.fresh(Items.layer), Layer.fresh(Other.layer)]),
    Effect.provide(Logger.layer([]))
  )

const results: Array<Result> = []
for (const [kind, cases] of Object.entries({ refused, rolledBack, gone, singly, callers })) {
  for (const [name, run] of Object.entries(cases)) {
    for (const [length, size] of cases === callers ? lists.slice(0, 1) : lists) {
      if (process.argv[2] !== undefined && !name.includes(process.argv[2])) continue
      // a caller that is there from the start to the end has nothing that can go
      const asked: Case = cases === callers ? run : (watched) => watched.asking(run(watched))
      results.push(await Effect.runPromise(measure(`${kind}: ${name}`, length, size, asked)))
    }
  }
}
console.log(JSON.stringify(results))
