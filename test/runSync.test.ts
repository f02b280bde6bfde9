/** Operations in `Effect.runSync`, which gives up on a fiber that has to wait. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Latch, ManagedRuntime, Scope } from "effect"
import { Lookup, Registry, RegistryHooks } from "effect-registry"
import { Atom, AtomRegistry } from "effect/reactivity"
import { contradictions, isLocked, isPopulating } from "./utils/inside.ts"

interface Handler {
  readonly type: string
}

type Handlers = Registry.Registry<Handler, { readonly type: Lookup.Unique<Handler, string> }, any, any>

/** A registry that ends with the test, and its defaults, which wait for a latch. */
const makeWaiting = () => {
  const gate = Latch.makeUnsafe(false)
  const log: Array<string> = []
  const defaults = Effect.suspend(() => {
    log.push("begins")
    return Effect.as(gate.await, [{ type: "json" }]).pipe(
      Effect.onInterrupt(() => Effect.sync(() => log.push("interrupted")))
    )
  })
  const registry: Handlers = Effect.runSync(
    Registry.make<Handler>()({
      name: "app/Handlers",
      lookup: { type: Lookup.unique((handler) => handler.type) },
      defaults
    }).pipe(Scope.provide(Scope.makeUnsafe()))
  )
  return { gate, log, registry }
}

/** A registry whose hook waits for a latch where an item is slow. */
const makeSlow = (log: Array<string> = []) => {
  const gate = Latch.makeUnsafe(false)
  const registry: Handlers = Effect.runSync(
    Registry.make<Handler>()({
      name: "app/Handlers",
      lookup: { type: Lookup.unique((handler) => handler.type) },
      hooks: RegistryHooks.make<Handler>()({
        onItemRegistering: ({ type }) => type === "slow" ? gate.await : Effect.void,
        onItemRegistered: ({ type }) => Effect.sync(() => log.push(`+${type}`)),
        onItemUnregistered: ({ type }) => Effect.sync(() => log.push(`-${type}`))
      })
    }).pipe(Scope.provide(Scope.makeUnsafe()))
  )
  return { gate, registry }
}

const waitsFor = (what: string) => (effect: Effect.Effect<unknown, unknown, any>) =>
  assert.throws(
    () => Effect.runSync(Effect.scoped(effect) as Effect.Effect<unknown>),
    `"app/Handlers" has to wait for ${what}: use Effect.runPromise instead of Effect.runSync`
  )

const x = { type: "x" }

const operations: { readonly [name: string]: (registry: Handlers) => Effect.Effect<unknown, unknown, any> } = {
  get: (registry) => Registry.get(registry, "type", "json"),
  getOption: (registry) => Registry.getOption(registry, "type", "json"),
  has: (registry) => Registry.has(registry, "type", "json"),
  values: (registry) => Registry.values(registry),
  snapshot: (registry) => Registry.snapshot(registry),
  populate: (registry) => Registry.populate(registry),
  register: (registry) => Registry.register(registry, x),
  registerAll: (registry) => Registry.registerAll(registry, [x, { type: "y" }]),
  registerScoped: (registry) => Registry.registerScoped(registry, x),
  upsert: (registry) => Registry.upsert(registry, x),
  replace: (registry) => Registry.replace(registry, "type", "json", x),
  reconcile: (registry) => Registry.reconcile(registry, [x]),
  override: (registry) => Registry.override(registry, x),
  unregisterBy: (registry) => Registry.unregisterBy(registry, "type", "json"),
  unregisterOwner: (registry) => Registry.unregisterOwner(registry, "somebody"),
  transact: (registry) => Registry.transact(registry, Registry.register(registry, x)),
  transactAll: (registry) => Registry.transactAll([registry], Registry.register(registry, x)),
  subscribe: (registry) => Registry.subscribe(registry),
  awaitItem: (registry) => Registry.awaitItem(registry, "type", "json")
}

const changing = /^(?!get|has|values|snapshot|populate|subscribe|awaitItem)/

describe("runSync", () => {
  for (const [name, operation] of Object.entries(operations)) {
    it(`${name} that has to wait for a population says so, and leaves nothing behind`, async () => {
      const { gate, log, registry } = makeWaiting()
      waitsFor("its population")(operation(registry))
      assert.deepStrictEqual(log, ["begins", "interrupted"])
      assert.strictEqual(Effect.runSync(Registry.state(registry)), "Pending")
      assert.isFalse(isLocked(registry) || isPopulating(registry))
      gate.openUnsafe()
      assert.deepStrictEqual(await Effect.runPromise(Registry.values(registry)), [{ type: "json" }])
      assert.deepStrictEqual(log, ["begins", "interrupted", "begins"])
    })
  }

  for (const [name, operation] of Object.entries(operations).filter(([key]) => changing.test(key))) {
    it(`${name} that has to wait for the hook of another fiber says so, and does not happen later`, async () => {
      const { gate, registry } = makeSlow()
      Effect.runSync(Registry.register(registry, { type: "json" }))
      const slow = Effect.runFork(Registry.register(registry, { type: "slow" }))
      waitsFor("\"register\"")(operation(registry))
      gate.openUnsafe()
      await Effect.runPromise(Fiber.join(slow))
      assert.deepStrictEqual(await Effect.runPromise(Registry.values(registry)), [{ type: "json" }, { type: "slow" }])
      assert.isFalse(isLocked(registry))
      assert.deepStrictEqual(contradictions(registry), [])
    })
  }

  it("a hook of its own that does not end at once is interrupted, and all is rolled back, in a transaction, too", async () => {
    const log: Array<string> = []
    const { gate, registry } = makeSlow(log)
    const slow = { type: "slow" }
    for (
      const operation of [
        Registry.register(registry, slow),
        Registry.registerAll(registry, [x, slow]),
        Registry.transact(registry, Effect.andThen(Registry.register(registry, x), Registry.register(registry, slow))),
        Registry.reconcile(registry, [x, slow])
      ]
    ) waitsFor("a hook")(operation)
    assert.deepStrictEqual(log, ["+x", "-x", "+x", "-x"])
    Effect.runSync(Registry.register(registry, { type: "json" }))
    gate.openUnsafe()
    assert.deepStrictEqual(await Effect.runPromise(Registry.values(registry)), [{ type: "json" }])
    assert.isFalse(isLocked(registry))
  })

  it("the service of a runtime: the first use builds its layer, and the layer stays", async () => {
    const gate = Latch.makeUnsafe(false)
    class Handlers extends Registry.Service<Handlers, Handler>()("app/Handlers", {
      lookup: ["type"],
      defaults: Effect.as(gate.await, [{ type: "json" }])
    }) {}
    const runtime = ManagedRuntime.make(Handlers.layer)
    const message = /^"app\/Handlers" has to wait for its population/
    assert.throws(() => runtime.runSync(Handlers.register(x)), message)
    assert.throws(() => runtime.runSync(Handlers.get("type", "json")), message)
    assert.strictEqual(runtime.runSync(Handlers.state), "Pending")
    gate.openUnsafe()
    assert.deepStrictEqual(await runtime.runPromise(Handlers.values), [{ type: "json" }])
    assert.deepStrictEqual(runtime.runSync(Handlers.get("type", "json")), { type: "json" })
    await runtime.dispose()
  })

  it("the population of other fibers goes on", async () => {
    const { gate, log, registry } = makeWaiting()
    const other = Effect.runFork(Registry.size(registry))
    waitsFor("its population")(Registry.register(registry, x))
    assert.deepStrictEqual(log, ["begins"])
    assert.strictEqual(Effect.runSync(Registry.state(registry)), "Populating")
    gate.openUnsafe()
    assert.strictEqual(await Effect.runPromise(Fiber.join(other)), 1)
  })

  it("a population that takes many turns, and waits for nothing else, is done", () => {
    const hooks = RegistryHooks.make<Handler>()({ onItemRegistered: () => Effect.yieldNow })
    const items = Array.from({ length: 3_000 }, (_, i) => ({ type: `type ${i}` }))
    const size = Effect.scoped(
      Effect.flatMap(Registry.make<Handler>()({ lookup: ["type"], defaults: items, hooks }), Registry.size)
    )
    assert.strictEqual(Effect.runSync(size as Effect.Effect<number>), 3_000)
  })

  it("in a transaction of another registry: that is rolled back", async () => {
    const { registry } = makeWaiting()
    const { registry: other } = makeSlow()
    const reading = Effect.andThen(Registry.register(other, x), Registry.size(registry))
    waitsFor("its population")(Registry.transact(other, reading))
    assert.isFalse(isLocked(other))
    assert.deepStrictEqual(await Effect.runPromise(Registry.values(other)), [])
  })

  it("in a hook of the same registry, where it would wait for itself", async () => {
    let exit: Exit.Exit<unknown, unknown> | undefined
    const registry: Handlers = Effect.runSync(
      Registry.make<Handler>()({
        name: "app/Handlers",
        lookup: { type: Lookup.unique((handler) => handler.type) },
        hooks: {
          onItemRegistered: () =>
            Effect.sync(() => {
              exit = Effect.runSyncExit(Registry.register(registry, { type: "y" }) as Effect.Effect<unknown>)
            })
        }
      }).pipe(Scope.provide(Scope.makeUnsafe()))
    )
    await Effect.runPromise(Registry.register(registry, x))
    assert.match(
      String(exit !== undefined && Exit.isFailure(exit) && Cause.squash(exit.cause)),
      /"app\/Handlers" has to wait for "register":/
    )
    assert.deepStrictEqual(await Effect.runPromise(Registry.values(registry)), [x])
  })

  it("waiting for an item says so", () => {
    const { registry } = makeSlow()
    waitsFor("a change")(Registry.awaitItem(registry, "type", "x"))
  })

  it("fibers that it leaves behind on purpose wait as everywhere", async () => {
    const { gate, log, registry } = makeWaiting()
    const done = Deferred.makeUnsafe<number>()
    const size = Effect.flatMap(Registry.size(registry), (n) => Deferred.succeed(done, n))
    Effect.runSync(Effect.forkDetach(Effect.andThen(Effect.forkChild(Effect.void), size)))
    assert.strictEqual(Effect.runSync(Registry.state(registry)), "Populating")
    // its tasks have run
    await Effect.runPromise(Effect.yieldNow)
    gate.openUnsafe()
    assert.strictEqual(await Effect.runPromise(Deferred.await(done)), 1)
    assert.deepStrictEqual(log, ["begins"])
  })

  it("a closing scope is not given up: its items go as soon as they can", async () => {
    const { gate, registry } = makeSlow()
    const scope = Scope.makeUnsafe()
    Effect.runSync(Scope.provide(Registry.registerScoped(registry, x), scope))
    const slow = Effect.runFork(Registry.register(registry, { type: "slow" }))
    assert.throws(() => Effect.runSync(Scope.close(scope, Exit.void)), /An asynchronous Effect was executed/)
    gate.openUnsafe()
    await Effect.runPromise(Fiber.join(slow))
    const gone = Effect.repeat(Effect.yieldNow, {
      until: () => Effect.map(Registry.size(registry), (size) => size === 1)
    })
    await Effect.runPromise(gone as Effect.Effect<unknown>)
    assert.deepStrictEqual(await Effect.runPromise(Registry.values(registry)), [{ type: "slow" }])
  })

  it("an atom, which begins in the same way, waits", async () => {
    const gate = Latch.makeUnsafe(false)
    class Handlers extends Registry.Service<Handlers, Handler>()("app/Handlers", {
      lookup: ["type"],
      defaults: Effect.as(gate.await, [{ type: "json" }])
    }) {}
    const atoms = AtomRegistry.make()
    const values = Atom.runtime(Handlers.layer).atom(Handlers.values)
    const shown = new Promise<unknown>((resolve) =>
      atoms.subscribe(values, (result) => result._tag === "Initial" || resolve(result))
    )
    assert.strictEqual(atoms.get(values)._tag, "Initial")
    gate.openUnsafe()
    const result: any = await shown
    assert.deepStrictEqual([result._tag, result.value], ["Success", [{ type: "json" }]])
  })
})
