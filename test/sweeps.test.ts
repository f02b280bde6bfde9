/**
 * Every public operation, interrupted at every step, alone and while others wait. After each: the lock is free, the
 * indexes agree, hooks are balanced, no fiber is left running, and no scope is left open.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Ref, Scope } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { coreOf } from "../src/internal/coreOf.ts"
import { violations } from "../src/testing/invariants.ts"
import { a, b, Balance, c, d, Item } from "./utils/items.ts"

type Items = Registry.Registry<Item, readonly ["id", "name"], any, any>

class Service extends Registry.Service<Service, Item>()("test/Sweeps", {
  lookup: ["id", "name"],
  defaults: [] as Array<Item>,
  populationFailure: "die"
}) {}

interface Subject {
  readonly registry: Items
  readonly other: Items
  /** What an operation uses to register until it closes, and to add hooks. */
  readonly scope: Scope.Closeable
  readonly balance: Balance
  /** How many of the resources that populations acquired are not released. */
  readonly resources: () => number
}

interface Operation {
  /** What precedes it, and is not interrupted. The registry holds `b` and `c` unless it is reset. */
  readonly before?: (subject: Subject) => Effect.Effect<unknown, unknown>
  readonly run: (subject: Subject) => Effect.Effect<unknown, unknown>
  /** What is in after it, where it was not undone: the ids in their order, or "Pending". */
  readonly after: ReadonlyArray<string>
}

const scoped = (subject: Subject, effect: Effect.Effect<unknown, unknown, Scope.Scope>) =>
  Scope.provide(effect, subject.scope)

const closing = ({ scope }: Subject) => Scope.close(scope, Exit.void)

/** Builds a layer for the registry, and closes it. */
const building = (layer: Layer.Layer<never, unknown, Service>) => ({ registry }: Subject) =>
  Effect.scoped(Layer.build(layer)).pipe(
    // the same shape under another name
    Effect.provideService(Service, registry as unknown as Service["Service"])
  )

const told = () => new Balance().hooks

const operations: Readonly<Record<string, Operation>> = {
  register: { run: ({ registry }) => Registry.register(registry, a), after: ["2 3 1"] },
  registerAll: { run: ({ registry }) => Registry.registerAll(registry, [a, d]), after: ["2 3 1 4"] },
  upsert: { run: ({ registry }) => Registry.upsert(registry, new Item(2, "other")), after: ["2 3"] },
  "upsert of a new item": { run: ({ registry }) => Registry.upsert(registry, a), after: ["2 3 1"] },
  registerScoped: {
    run: (subject) => scoped(subject, Registry.registerScoped(subject.registry, a)),
    after: ["2 3 1"]
  },
  registerAllScoped: {
    run: (subject) => scoped(subject, Registry.registerAllScoped(subject.registry, [a, d])),
    after: ["2 3 1 4"]
  },
  "the close of a scope": {
    before: (subject) => scoped(subject, Registry.registerAllScoped(subject.registry, [a, d])),
    run: closing,
    after: ["2 3"]
  },
  unregister: { run: ({ registry }) => Registry.unregister(registry, b), after: ["3"] },
  unregisterBy: { run: ({ registry }) => Registry.unregisterBy(registry, "name", b.name), after: ["3"] },
  replace: { run: ({ registry }) => Registry.replace(registry, "id", 2, a), after: ["1 3"] },
  reset: { run: ({ registry }) => Registry.reset(registry), after: ["Pending"] },
  populate: {
    before: ({ registry }) => Registry.reset(registry),
    run: ({ registry }) => Registry.populate(registry),
    after: ["2 3"]
  },
  "a reader that populates": {
    before: ({ registry }) => Registry.reset(registry),
    run: ({ registry }) => Registry.values(registry),
    after: ["2 3"]
  },
  "a writer that populates": {
    before: ({ registry }) => Registry.reset(registry),
    run: ({ registry }) => Registry.register(registry, a),
    after: ["2 3", "2 3 1"]
  },
  transact: {
    run: ({ registry }) =>
      Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, a)
          yield* Registry.unregister(registry, b)
          yield* Registry.transact(registry, Registry.replace(registry, "id", 3, b))
        })
      ),
    after: ["2 1"]
  },
  "transact with a reset": {
    run: ({ registry }) =>
      Registry.transact(registry, Effect.andThen(Registry.reset(registry), Registry.register(registry, a))),
    after: ["2 3 1"]
  },
  "transact with children": {
    run: ({ registry }) =>
      Registry.transact(
        registry,
        Effect.all([Registry.register(registry, a), Registry.register(registry, d)], { concurrency: "unbounded" })
      ),
    after: ["2 3 1 4", "2 3 4 1"]
  },
  "transact that fails": {
    run: ({ registry }) =>
      Effect.exit(Registry.transact(registry, Effect.andThen(Registry.register(registry, a), Effect.fail("no")))),
    after: ["2 3"]
  },
  detached: {
    run: ({ other, registry }) =>
      Registry.transact(other, Registry.detached(Registry.transact(registry, Registry.register(registry, a)))),
    after: ["2 3 1"]
  },
  addHooks: { run: (subject) => scoped(subject, Registry.addHooks(subject.registry, told())), after: ["2 3"] },
  "addHooks, existing": {
    run: (subject) => scoped(subject, Registry.addHooks(subject.registry, told(), { existing: true })),
    after: ["2 3"]
  },
  "the removal of hooks": {
    before: (subject) => scoped(subject, Registry.addHooks(subject.registry, told())),
    run: closing,
    after: ["2 3"]
  },
  "the removal of hooks, existing": {
    before: (subject) => scoped(subject, Registry.addHooks(subject.registry, told(), { existing: true })),
    run: closing,
    after: ["2 3"]
  },
  "a layer of hooks": { run: building(RegistryHooks.layer(Service, told())), after: ["2 3"] },
  "a layer of items": { run: building(Service.items([a, d])), after: ["2 3"] },
  "a populated layer of its own": { run: () => Effect.scoped(Layer.build(Service.layerPopulated)), after: ["2 3"] },
  "readers of what is Ready": {
    run: ({ registry }) =>
      Effect.all([
        Registry.get(registry, "id", 2),
        Registry.getOption(registry, "id", 2),
        Registry.getAll(registry, "id", 2),
        Registry.has(registry, "id", 2),
        Registry.contains(registry, b),
        Registry.size(registry),
        Registry.at(registry, 0),
        Registry.snapshot(registry),
        Registry.state(registry)
      ]),
    after: ["2 3"]
  }
}

const make = (hooked: boolean): Effect.Effect<Subject, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const balance = new Balance()
    let resources = 0
    const acquiring = Effect.acquireRelease(
      Effect.sync(() => {
        resources++
      }),
      () =>
        Effect.sync(() => {
          resources--
        })
    )
    const registry: Items = yield* Registry.make<Item>()({
      lookup: ["id", "name"],
      defaults: Effect.andThen(acquiring, Effect.as(Effect.yieldNow, [b, c])),
      hooks: hooked
        ? RegistryHooks.combine(
          balance.hooks,
          RegistryHooks.make<Item>()({
            onItemRegistering: () => Effect.yieldNow,
            onItemUnregistering: () => Effect.yieldNow,
            onPopulating: Effect.yieldNow,
            onPopulated: Effect.yieldNow,
            onResetting: Effect.yieldNow,
            onReset: Effect.yieldNow
          })
        )
        : {}
    })
    const other: Items = yield* Registry.make<Item>()({ lookup: ["id", "name"], name: "other" })
    yield* Registry.populate(registry)
    const scope = yield* Scope.make()
    return { registry, other, scope, balance, resources: () => resources }
  })

/** What is in, by ids. */
const contentsOf = (registry: Items): string => {
  const snapshot = Registry.snapshotUnsafe(registry)
  return Effect.runSync(Registry.state(registry)) === "Ready"
    ? Array.from(snapshot, ({ id }) => id).join(" ")
    : "Pending"
}

const openFinalizers = ({ state }: Scope.Scope): number => state._tag === "Open" ? state.finalizers?.size ?? 1 : 0

/** All that has to be true at rest. */
const atRest = ({ balance, registry, resources }: Subject, hooked: boolean) =>
  Effect.sync(() => {
    const core = coreOf(registry)
    const snapshot = Registry.snapshotUnsafe(registry)
    assert.isUndefined(core.lock.holder, "the lock is held")
    assert.deepStrictEqual(violations(Ref.getUnsafe(core.published)), [])
    if (hooked) assert.deepStrictEqual(balance.wrong(snapshot), [], "hooks are not balanced")
    // only the scope of the population that filled what is in is open
    const populations = core.populationScope === undefined ? 0 : 1
    assert.strictEqual(openFinalizers(core.scope), populations, "scopes of populations are open")
    assert.strictEqual(resources(), populations, "resources of populations are not released")
    assert.strictEqual(populations === 1, Effect.runSync(Registry.state(registry)) === "Ready")
  })

interface Sweep {
  readonly hooked: boolean
  readonly from: "outside" | "inside"
  /** Whether others wait for the lock meanwhile. */
  readonly company: boolean
}

const others = (registry: Items): ReadonlyArray<Effect.Effect<unknown, unknown>> => [
  Registry.transact(registry, Effect.yieldNow),
  Registry.size(registry),
  Effect.andThen(Registry.register(registry, new Item(9)), Registry.unregisterBy(registry, "id", 9))
]

const sweep = ({ after, before = () => Effect.void, run }: Operation, { company, from, hooked }: Sweep) =>
  Effect.gen(function*() {
    const outcomes = new Set<string>()
    let found = ""
    let waiting: ReadonlyArray<Fiber.Fiber<unknown, unknown>> = []
    const setup: Effect.Effect<Subject, unknown, Scope.Scope> = Effect.gen(function*() {
      const subject = yield* make(hooked)
      yield* before(subject)
      found = contentsOf(subject.registry)
      return subject
    })
    yield* Effect.scoped(RegistryTest.interruptEach({
      setup,
      run: (subject) =>
        Effect.gen(function*() {
          if (company) waiting = yield* Effect.forEach(others(subject.registry), (one) => Effect.forkDetach(one))
          return yield* run(subject)
        }),
      check: (subject, exit) =>
        Effect.gen(function*() {
          for (const fiber of waiting) {
            const other = yield* Fiber.await(fiber)
            // from inside, it may be one of them that is interrupted
            if (from === "outside") assert.isTrue(Exit.isSuccess(other), String(other))
          }
          yield* atRest(subject, hooked)
          const contents = contentsOf(subject.registry)
          outcomes.add(contents)
          if (Exit.isSuccess(exit) && !company && from === "outside") assert.include(after, contents)
          yield* Scope.close(subject.scope, Exit.void)
          yield* Registry.register(subject.registry, new Item(99))
          yield* Registry.unregisterBy(subject.registry, "id", 99)
          yield* atRest(subject, hooked)
          assert.strictEqual(coreOf(subject.registry).hooks.length, hooked ? 2 : 1, "hooks are still installed")
          if (!scopes.has(run)) return
          for (const item of [a, d]) assert.isFalse(yield* Registry.contains(subject.registry, item))
        }),
      from
    }))
    if (company) return
    for (const outcome of outcomes) assert.include([found, ...after], outcome)
    const seen = Array.from(outcomes).join(", ")
    assert.isTrue(after.some((one) => outcomes.has(one)), `it never succeeded: ${seen}`)
  })

/** Those that take out what they registered when the scope closes. */
const scopes = new Set(
  ["registerScoped", "registerAllScoped", "the close of a scope"].map((name) => operations[name]!.run)
)

describe.each([false, true])("interrupted at every step, with others that wait: %s", (company) => {
  for (const [name, operation] of Object.entries(operations)) {
    for (const from of ["outside", "inside"] as const) {
      for (const hooked of [true, false]) {
        it.effect(
          `G7, G20 ${name}, ${hooked ? "with" : "without"} hooks, from ${from}`,
          () => sweep(operation, { hooked, from, company }),
          30_000
        )
      }
    }
  }
})
