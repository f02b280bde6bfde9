/**
 * Interrupts every public operation at every step, alone and while others wait. Afterwards the lock is free, indexes agree,
 * hooks are balanced, and no fiber or scope is left.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Layer, Logger, Scope, Stream } from "effect"
import { Registry, RegistryHooks, RegistryMetrics } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { contradictions, enabledItems, installedHooks, isLocked, isMeasured, openScopes } from "./utils/inside.ts"
import { a, b, Balance, c, d, Item } from "./utils/items.ts"
import { Opened } from "./utils/opened.ts"
import { watchers } from "./utils/watchers.ts"

type Items = Registry.Registry<Item, readonly ["id", "name"], any, any>

class Service extends Registry.Service<Service, Item>()("test/Sweeps", {
  lookup: ["id", "name"],
  defaults: [] as Array<Item>,
  populationFailure: "die"
}) {}

interface Subject {
  readonly registry: Items
  readonly other: Items
  /** The scope of scoped registrations and added hooks. */
  readonly scope: Scope.Closeable
  /** The scope of the registries. */
  readonly life: Scope.Closeable
  readonly balance: Balance
  readonly otherBalance: Balance
  /** How many resources of populations are not released. */
  readonly resources: () => number
  /** How many imported layers are not released. */
  readonly imports: () => number
}

interface Operation {
  /** Runs before, and is not interrupted. The registry holds `b` and `c` unless this resets it. */
  readonly before?: (subject: Subject) => Effect.Effect<unknown, unknown>
  readonly run: (subject: Subject) => Effect.Effect<unknown, unknown>
  /** The possible contents after a success: the ids in order, or "Pending". */
  readonly after: ReadonlyArray<string>
  /** The contents after the scope has closed, if that changes them. */
  readonly closed?: string
  /** Whether the registry loads late, and is `Pending`. */
  readonly late?: boolean
  /** More to check at rest. */
  readonly check?: (subject: Subject) => void
}

const scoped = (subject: Subject, effect: Effect.Effect<unknown, unknown, Scope.Scope>) =>
  Scope.provide(effect, subject.scope)

const closing = ({ scope }: Subject) => Scope.close(scope, Exit.void)

/** Builds a layer for the registry, and closes it. */
const building = (layer: Layer.Layer<never, unknown, Service>) => ({ registry }: Subject) =>
  Effect.scoped(Layer.build(layer)).pipe(
    // a registry of the same type
    Effect.provideService(Service, registry as unknown as Service["Service"])
  )

const told = () => new Balance().hooks

const over = new Item(2, "over")

const both = ({ other, registry }: Subject) =>
  Effect.andThen(Registry.register(registry, a), Registry.register(other, a))

/** Both registries have the same items. */
const allOrNothing = ({ other, registry }: Subject) => {
  const [first, second] = [registry, other].map((one) => Array.from(Registry.snapshotUnsafe(one)).includes(a))
  assert.strictEqual(first, second, "it is in one of them only")
}

const meanwhile = (one: Effect.Effect<unknown, unknown>, other: Effect.Effect<unknown, unknown>) =>
  Effect.all([one, other], { concurrency: "unbounded" })

const operations: Readonly<Record<string, Operation>> = {
  register: { run: ({ registry }) => Registry.register(registry, a), after: ["2 3 1"] },
  registerAll: { run: ({ registry }) => Registry.registerAll(registry, [a, d]), after: ["2 3 1 4"] },
  upsert: { run: ({ registry }) => Registry.upsert(registry, new Item(2, "other")), after: ["2 3"] },
  "upsert of a new item": { run: ({ registry }) => Registry.upsert(registry, a), after: ["2 3 1"] },
  registerScoped: {
    run: (subject) => scoped(subject, Registry.registerScoped(subject.registry, a)),
    after: ["2 3 1"],
    closed: "2 3"
  },
  registerAllScoped: {
    run: (subject) => scoped(subject, Registry.registerAllScoped(subject.registry, [a, d])),
    after: ["2 3 1 4"],
    closed: "2 3"
  },
  "the close of a scope": {
    before: (subject) => scoped(subject, Registry.registerAllScoped(subject.registry, [a, d])),
    run: closing,
    after: ["2 3"],
    closed: "2 3"
  },
  override: {
    run: (subject) => scoped(subject, Registry.override(subject.registry, over)),
    after: ["3 2"],
    closed: "2 3"
  },
  "override of an absent item": {
    run: (subject) => scoped(subject, Registry.override(subject.registry, a)),
    after: ["2 3 1"],
    closed: "2 3"
  },
  "override of an override": {
    before: (subject) => scoped(subject, Registry.override(subject.registry, over)),
    run: (subject) => scoped(subject, Registry.override(subject.registry, new Item(2, "over all"))),
    after: ["3 2"],
    closed: "2 3"
  },
  "the end of an override": {
    before: (subject) => scoped(subject, Registry.override(subject.registry, over)),
    run: closing,
    after: ["2 3"],
    closed: "2 3"
  },
  unregister: { run: ({ registry }) => Registry.unregister(registry, b), after: ["3"] },
  unregisterBy: { run: ({ registry }) => Registry.unregisterBy(registry, "name", b.name), after: ["3"] },
  replace: { run: ({ registry }) => Registry.replace(registry, "id", 2, a), after: ["1 3"] },
  // replaces `b`, removes `c`, adds `a`
  reconcile: { run: ({ registry }) => Registry.reconcile(registry, [new Item(2, "new"), a]), after: ["2 1"] },
  "reconcile that exchanges names": {
    run: ({ registry }) => Registry.reconcile(registry, [new Item(2, c.name), new Item(3, b.name), a]),
    after: ["2 3 1"]
  },
  unregisterOwner: {
    before: ({ registry }) =>
      Effect.provideService(Registry.registerAll(registry, [a, d]), Registry.Owner, "test/owner"),
    run: ({ registry }) => Registry.unregisterOwner(registry, "test/owner"),
    after: ["2 3"]
  },
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
  transactAll: {
    run: (subject) => Registry.transactAll([subject.registry, subject.other], both(subject)),
    after: ["2 3 1"],
    check: allOrNothing
  },
  "transactAll of Pending registries": {
    before: ({ other, registry }) => Effect.andThen(Registry.reset(registry), Registry.reset(other)),
    run: (subject) => Registry.transactAll([subject.other, subject.registry], both(subject)),
    after: ["2 3", "2 3 1"],
    check: allOrNothing
  },
  "transactAll that fails": {
    run: (subject) =>
      Effect.exit(
        Registry.transactAll([subject.registry, subject.other], Effect.andThen(both(subject), Effect.fail("no")))
      ),
    after: ["2 3"],
    check: allOrNothing
  },
  "transactAll inside another": {
    run: (subject) => {
      const all = [subject.registry, subject.other] as const
      return Registry.transactAll(all, Registry.transactAll(all, both(subject)))
    },
    after: ["2 3 1"],
    check: allOrNothing
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
  "a layer of overrides": { run: building(Service.overrides([over, d])), after: ["2 3"] },
  "a layer of metrics": {
    run: building(RegistryMetrics.layer(Service)),
    after: ["2 3"],
    check: ({ registry }) => assert.isFalse(isMeasured(registry))
  },
  "a populated layer of its own": { run: () => Effect.scoped(Layer.build(Service.layerPopulated)), after: ["2 3"] },
  subscribe: {
    run: (subject) =>
      scoped(
        subject,
        Effect.flatMap(
          Registry.subscribe(subject.registry),
          ({ changes }) => meanwhile(Stream.runHead(changes), Registry.register(subject.registry, a))
        )
      ),
    after: ["2 3 1"]
  },
  "subscribe to a Pending registry": {
    before: ({ registry }) => Registry.reset(registry),
    run: (subject) => scoped(subject, Registry.subscribe(subject.registry)),
    after: ["2 3"]
  },
  changes: {
    run: ({ registry }) => meanwhile(Stream.runHead(Registry.changes(registry)), Registry.register(registry, a)),
    after: ["2 3 1"]
  },
  snapshots: {
    run: ({ registry }) =>
      meanwhile(Stream.runDrain(Stream.take(Registry.snapshots(registry), 2)), Registry.register(registry, a)),
    after: ["2 3 1"]
  },
  "snapshots of a Pending registry": {
    before: ({ registry }) => Registry.reset(registry),
    run: ({ registry }) => Stream.runHead(Registry.snapshots(registry)),
    after: ["2 3"]
  },
  watchItem: {
    run: ({ registry }) =>
      meanwhile(Stream.runDrain(Stream.take(Registry.watchItem(registry, "id", 1), 2)), Registry.register(registry, a)),
    after: ["2 3 1"]
  },
  awaitItem: {
    run: ({ registry }) => meanwhile(Registry.awaitItem(registry, "id", 1), Registry.register(registry, a)),
    after: ["2 3 1"]
  },
  "awaitItem of a default": {
    before: ({ registry }) => Registry.reset(registry),
    run: ({ registry }) => Registry.awaitItem(registry, "id", 2),
    after: ["2 3"]
  },
  "populate a late registry": {
    late: true,
    run: ({ registry }) => Registry.populate(registry),
    after: ["2 3 4"]
  },
  "a writer to a late registry": {
    late: true,
    run: ({ registry }) => Registry.register(registry, a),
    after: ["2 3 4", "2 3 4 1"]
  },
  "transactAll of a late registry": {
    late: true,
    run: (subject) => Registry.transactAll([subject.registry, subject.other], both(subject)),
    after: ["2 3 4", "2 3 4 1"],
    check: allOrNothing
  },
  "the reset of a late registry": {
    late: true,
    before: ({ registry }) => Registry.populate(registry),
    run: ({ registry }) => Registry.reset(registry),
    after: ["Pending"]
  },
  "populate a late registry again": {
    late: true,
    before: ({ registry }) => Effect.andThen(Registry.populate(registry), Registry.reset(registry)),
    run: ({ registry }) => Registry.populate(registry),
    // with the item of its layer
    after: ["2 3 4"]
  },
  "readers of a Ready registry": {
    run: ({ registry }) =>
      Effect.all([
        Registry.get(registry, "id", 2),
        Registry.getOption(registry, "id", 2),
        Registry.getAll(registry, "id", 2),
        Registry.has(registry, "id", 2),
        Registry.contains(registry, b),
        Registry.size(registry),
        Registry.at(registry, 0),
        Registry.values(registry),
        Registry.snapshot(registry),
        Registry.state(registry),
        Registry.populated(registry),
        Registry.explain(registry, "id", 2)
      ]),
    after: ["2 3"]
  }
}

/** Counts resources, each of which lives until its scope closes. */
const counter = () => {
  let count = 0
  const acquire = Effect.acquireRelease(Effect.sync(() => count++), () => Effect.sync(() => count--))
  return { acquire, count: () => count }
}

/** Hooks that yield. */
const turns = RegistryHooks.make<Item>()({
  onItemRegistering: () => Effect.yieldNow,
  onItemUnregistering: () => Effect.yieldNow,
  onPopulating: Effect.yieldNow,
  onPopulated: Effect.yieldNow,
  onResetting: Effect.yieldNow,
  onReset: Effect.yieldNow
})

const hooksOf = ({ hooks }: Balance, hooked: boolean) =>
  hooked ? RegistryHooks.combine(hooks, turns) : RegistryHooks.empty

type Options = Registry.Options<
  Item,
  readonly ["id", "name"],
  Effect.Effect<ReadonlyArray<Item>, never, Scope.Scope>,
  RegistryHooks.RegistryHooks<Item>,
  "fail"
>

let made = 0

/** A registry whose imported layer registers `d`. Each has a service of its own, so that no two of one are alive. */
const makeLate = (options: Options, acquire: Effect.Effect<unknown, never, Scope.Scope>) => {
  class Late extends Registry.Service<Late, Item>()(`test/Late${made++}`, options) {}
  const Live = Layer.merge(Late.items([d]), Layer.effectDiscard(acquire)).pipe(Layer.provideMerge(Late.layer))
  return Effect.map(Layer.build(Late.layerLazy(() => Promise.resolve(Live))), (context) => Context.get(context, Late))
}

const make = (hooked: boolean, late: boolean) =>
  Effect.gen(function*() {
    const [balance, otherBalance] = [new Balance(), new Balance()]
    const [resources, imports] = [counter(), counter()]
    const options: Options = {
      lookup: ["id", "name"],
      defaults: Effect.andThen(resources.acquire, Effect.as(Effect.yieldNow, [b, c])),
      hooks: hooksOf(balance, hooked)
    }
    const registry: Items = yield* late ? makeLate(options, imports.acquire) : Registry.make<Item>()(options)
    const other: Items = yield* Registry.make<Item>()({
      lookup: ["id", "name"],
      name: "other",
      defaults: [d],
      hooks: hooksOf(otherBalance, hooked)
    })
    if (!late) yield* Registry.populate(registry)
    yield* Registry.populate(other)
    const scope = yield* Scope.make()
    return { registry, other, scope, balance, otherBalance, resources: resources.count, imports: imports.count }
  })

/** The ids of the items, or "Pending". */
const contentsOf = (registry: Items): string => {
  const snapshot = Registry.snapshotUnsafe(registry)
  return Effect.runSync(Registry.state(registry)) === "Ready"
    ? Array.from(snapshot, ({ id }) => id).join(" ")
    : "Pending"
}

/** Everything that is wrong at rest. */
const wrongAtRest = (subject: Subject, hooked: boolean): ReadonlyArray<string> => {
  const { balance, imports, other, otherBalance, registry, resources } = subject
  const wrong: Array<string> = []
  for (const [one, hooks] of [[registry, balance], [other, otherBalance]] as const) {
    if (isLocked(one)) wrong.push("a transaction has the lock")
    if (watchers(one).waiting > 0) wrong.push("somebody waits for a change")
    wrong.push(...contradictions(one))
    if (hooked) wrong.push(...hooks.wrong(Registry.snapshotUnsafe(one)))
  }
  // only the scopes of the population and of the imported layer are open
  if (openScopes(registry) !== imports()) wrong.push("scopes are open")
  if (resources() !== (contentsOf(registry) === "Pending" ? 0 : 1)) {
    wrong.push("resources of populations are not released")
  }
  if (imports() > 1) wrong.push("what was imported is there twice")
  return wrong
}

const atRest = (subject: Subject, hooked: boolean) =>
  Effect.sync(() => assert.deepStrictEqual(wrongAtRest(subject, hooked), []))

interface Sweep {
  readonly hooked: boolean
  readonly from: "outside" | "inside"
  /** Whether other fibers wait for the lock meanwhile. */
  readonly company: boolean
}

const others = (registry: Items): ReadonlyArray<Effect.Effect<unknown, unknown>> => [
  Registry.transact(registry, Effect.yieldNow),
  Registry.size(registry),
  Effect.andThen(Registry.register(registry, new Item(9)), Registry.unregisterBy(registry, "id", 9))
]

const sweep = (operation: Operation, { company, from, hooked }: Sweep) =>
  Effect.gen(function*() {
    const { after, before = () => Effect.void, closed, late = false, run } = operation
    const outcomes = new Set<string>()
    let found = ""
    let waiting: ReadonlyArray<Fiber.Fiber<unknown, unknown>> = []
    // forks all of them or none
    const forkOthers = ({ registry }: Subject) =>
      Effect.forEach(others(registry), (one) => Effect.forkDetach(one)).pipe(
        Effect.map((fibers) => waiting = fibers),
        Effect.uninterruptible
      )
    const setup = Effect.gen(function*() {
      const life = yield* Scope.make()
      const subject: Subject = { ...yield* Scope.provide(make(hooked, late), life), life }
      waiting = []
      yield* before(subject)
      found = contentsOf(subject.registry)
      return subject
    })
    yield* RegistryTest.interruptEach({
      setup,
      run: (subject) =>
        Effect.gen(function*() {
          if (company) yield* forkOthers(subject)
          return yield* run(subject)
        }),
      check: (subject, exit) =>
        Effect.gen(function*() {
          for (const fiber of waiting) {
            const other = yield* Fiber.await(fiber)
            // from inside, one of these may be the interrupted fiber
            if (from === "outside") assert.isTrue(Exit.isSuccess(other), String(other))
          }
          yield* atRest(subject, hooked)
          operation.check?.(subject)
          const contents = contentsOf(subject.registry)
          outcomes.add(contents)
          if (from === "outside") {
            if (Exit.isFailure(exit)) assert.isTrue(Cause.hasInterruptsOnly(exit.cause), String(exit))
            else if (!company) assert.include(after, contents)
          }
          yield* Scope.close(subject.scope, Exit.void)
          // from inside, one of the other fibers may be interrupted, and leaves its item
          if (closed !== undefined) assert.strictEqual(contentsOf(subject.registry).replace(/ 9$/, ""), closed)
          yield* Registry.register(subject.registry, new Item(99))
          yield* Registry.unregisterBy(subject.registry, "id", 99)
          yield* atRest(subject, hooked)
          assert.strictEqual(watchers(subject.registry).subscribers, 0, "somebody follows still")
          assert.strictEqual(installedHooks(subject.registry), hooked ? 2 : 0, "hooks are still installed")
          yield* Scope.close(subject.life, Exit.void)
          assert.deepStrictEqual([subject.resources(), subject.imports()], [0, 0])
        }),
      from
    })
    if (company) return
    for (const outcome of outcomes) assert.include([found, ...after], outcome)
    const seen = Array.from(outcomes).join(", ")
    assert.isTrue(after.some((one) => outcomes.has(one)), `it never succeeded: ${seen}`)
  })

describe.each([false, true])("interrupted at every step, while other fibers wait: %s", (company) => {
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

interface Acquiring {
  readonly registry: Items
  /** The scope of scoped registrations, of leases and of added hooks. */
  readonly scope: Scope.Closeable
  readonly life: Scope.Closeable
  readonly opened: Opened
  /** Of hooks that are added. */
  readonly later: Opened
}

/** They run where hooks acquire. The registry holds `b` and `c` before. */
const acquiring: Readonly<
  Record<string, {
    readonly before?: (subject: Acquiring) => Effect.Effect<unknown, unknown>
    readonly run: (subject: Acquiring) => Effect.Effect<unknown, unknown>
  }>
> = {
  register: { run: ({ registry }) => Registry.register(registry, a) },
  "registerAll, side by side": { run: ({ registry }) => Registry.registerAll(registry, [a, d]) },
  replace: { run: ({ registry }) => Registry.replace(registry, "id", 2, over) },
  reconcile: { run: ({ registry }) => Registry.reconcile(registry, [over, a]) },
  "reconcile that leaves out": {
    before: ({ opened }) => Effect.sync(() => opened.failing.add(a.id)),
    run: ({ registry }) => Registry.reconcile(registry, [a, over], { onInvalid: "skip" })
  },
  "register that cannot acquire": {
    before: ({ opened }) => Effect.sync(() => opened.failing.add(a.id)),
    run: ({ registry }) => Effect.exit(Registry.register(registry, a))
  },
  unregister: { run: ({ registry }) => Registry.unregister(registry, b) },
  disable: { run: ({ registry }) => Registry.disable(registry, "id", 2, { reason: "off" }) },
  enable: {
    before: ({ registry }) => Registry.disable(registry, "id", 2, { reason: "off" }),
    run: ({ registry }) => Registry.enable(registry, "id", 2)
  },
  reset: { run: ({ registry }) => Registry.reset(registry) },
  populate: {
    before: ({ registry }) => Registry.reset(registry),
    run: ({ registry }) => Registry.populate(registry)
  },
  "a transaction that fails": {
    run: ({ registry }) =>
      Effect.exit(Registry.transact(registry, Effect.andThen(Registry.register(registry, a), Effect.fail("no"))))
  },
  registerScoped: { run: ({ registry, scope }) => Scope.provide(Registry.registerScoped(registry, a), scope) },
  "the close of a scope": {
    before: ({ registry, scope }) => Scope.provide(Registry.registerAllScoped(registry, [a, d]), scope),
    run: ({ scope }) => Scope.close(scope, Exit.void)
  },
  "the end of a rule with its scope": {
    before: ({ registry, scope }) => Scope.provide(Registry.disableScoped(registry, "id", 2, { reason: "off" }), scope),
    run: ({ scope }) => Scope.close(scope, Exit.void)
  },
  override: { run: ({ registry, scope }) => Scope.provide(Registry.override(registry, over), scope) },
  "addHooks, existing": {
    run: ({ later, registry, scope }) =>
      Scope.provide(Registry.addHooks(registry, { acquire: later.acquire }, { existing: true }), scope)
  },
  "the removal of hooks": {
    before: ({ later, registry, scope }) =>
      Scope.provide(Registry.addHooks(registry, { acquire: later.acquire }, { existing: true }), scope),
    run: ({ scope }) => Scope.close(scope, Exit.void)
  },
  lease: { run: ({ registry, scope }) => Scope.provide(Registry.lease(registry, "id", 2), scope) },
  "lease of an item that goes": {
    run: ({ registry, scope }) =>
      meanwhile(Scope.provide(Registry.lease(registry, "id", 2), scope), Registry.unregisterBy(registry, "id", 2))
  },
  "lease of a Pending registry": {
    before: ({ registry }) => Registry.reset(registry),
    run: ({ registry, scope }) => Scope.provide(Registry.lease(registry, "id", 2), scope)
  },
  "the end of a lease": {
    before: ({ registry, scope }) =>
      Effect.andThen(Scope.provide(Registry.lease(registry, "id", 2), scope), Registry.unregister(registry, b)),
    run: ({ scope }) => Scope.close(scope, Exit.void)
  }
}

const names = (opened: Opened): ReadonlyArray<string> => opened.names.toSorted()

describe("interrupted at every step, with hooks that acquire", () => {
  it.effect.each(
    Object.keys(acquiring).flatMap((name) =>
      (["outside", "inside"] as const).flatMap((from) => [false, true].map((company) => [name, from, company] as const))
    )
  )("G31 %s, from %s, while other fibers wait: %s: what is open is what is in, and nothing at the end", ([
    name,
    from,
    company
  ]) => {
    const { before = () => Effect.void, run } = acquiring[name]!
    let waiting: ReadonlyArray<Fiber.Fiber<unknown, unknown>> = []
    return RegistryTest.interruptEach({
      setup: Effect.gen(function*() {
        const [opened, later] = [new Opened(), new Opened()]
        const [life, scope] = [yield* Scope.make(), yield* Scope.make()]
        const registry: Items = yield* Scope.provide(
          Registry.make<Item>()({
            lookup: ["id", "name"],
            defaults: [b, c],
            concurrency: 2,
            hooks: { acquire: opened.acquire }
          }),
          life
        )
        yield* Registry.populate(registry)
        const subject: Acquiring = { registry, scope, life, opened, later }
        yield* before(subject)
        waiting = []
        return subject
      }),
      run: (subject) =>
        Effect.andThen(
          company
            ? Effect.uninterruptible(
              Effect.map(
                Effect.forEach(others(subject.registry), (one) => Effect.forkDetach(one)),
                (fibers) => waiting = fibers
              )
            )
            : Effect.void,
          run(subject)
        ),
      check: ({ later, life, opened, registry, scope }) =>
        Effect.gen(function*() {
          yield* Effect.forEach(waiting, Fiber.await)
          yield* Scope.close(scope, Exit.void)
          assert.deepStrictEqual(names(opened), enabledItems(registry).map((item) => item.name).toSorted())
          assert.deepStrictEqual(names(later), [])
          assert.strictEqual(openScopes(registry), opened.open.size, "scopes are open")
          assert.isFalse(isLocked(registry))
          yield* Scope.close(life, Exit.void)
          assert.deepStrictEqual(names(opened), [])
          assert.deepStrictEqual([opened.released, later.released], [opened.acquired, later.acquired])
        }),
      from
    }).pipe(Effect.provide(Logger.layer([])))
  }, 30_000)
})
