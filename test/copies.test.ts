import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Latch, Layer, Logger, Schema, Scope, Stream } from "effect"
import * as A from "effect-registry"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { vi } from "vitest"

interface Tool {
  readonly name: string
}

// what is imported from here on is another copy
vi.resetModules()
const B: typeof A = await import("effect-registry")

const { version } = JSON.parse(Fs.readFileSync(Path.join(import.meta.dirname, "../package.json"), "utf8"))

/** Where this project would load a copy from. */
const place = /file:\/\/\S+\/src\/internal\/copy\.ts/.source

const refusal = new RegExp(
  `^effect-registry ${version} \\(${place}\\) was given something of another copy, ${version} \\(${place}\\)\\. ` +
    "Load one copy: list it in peerDependencies, and run npm dedupe\\.$"
)

const assertRefused = (exit: Exit.Exit<unknown, unknown>, what: string): void => {
  assert.isTrue(Exit.isFailure(exit), what)
  const reasons = Exit.isFailure(exit) ? exit.cause.reasons : []
  assert.deepStrictEqual(reasons.map((reason) => reason._tag), ["Die"], what)
  assert.match((reasons[0] as Cause.Die & { readonly defect: Error }).defect.message, refusal, what)
}

class Tools extends A.Registry.Service<Tools, Tool>()("test/Tools", { lookup: ["name"] }) {}
class Tagged extends A.Registry.Tag<Tagged, Tool>()("test/Tagged", { lookup: ["name"] }) {}
/** The service that a plugin has made with its copy. */
class ToolsOfB extends B.Registry.Service<ToolsOfB, Tool>()("test/Tools", { lookup: ["name"] }) {}

/** What untyped code can do with a copy. */
type Untyped = { readonly [Module in keyof typeof A]: { readonly [name: string]: any } }

const item = { name: "search" }

/** The arguments of each function of `Registry` that takes a registry or a service, after that. */
const operations: { readonly [name: string]: ReadonlyArray<unknown> } = {
  get: ["name", "search"],
  getOption: ["name", "search"],
  lease: ["name", "search"],
  getAll: ["name", "search"],
  has: ["name", "search"],
  contains: [item],
  size: [],
  values: [],
  at: [0],
  snapshot: [],
  state: [],
  populated: [],
  register: [item],
  registerAll: [[item]],
  upsert: [item],
  registerScoped: [item],
  registerAllScoped: [[item]],
  registerEach: [[item]],
  unregister: [item],
  unregisterBy: ["name", "search"],
  replace: ["name", "search", item],
  reconcile: [[item]],
  override: [item],
  insert: [item, "first"],
  move: ["name", "search", "first"],
  refresh: [],
  upsertScoped: [item],
  disable: ["name", "search", { reason: "off" }],
  disableScoped: ["name", "search", { reason: "off" }],
  enable: ["name", "search"],
  rules: [],
  unregisterOwner: ["plugin"],
  transact: [Effect.void],
  populate: [],
  reset: [],
  subscribe: [],
  awaitItem: ["name", "search"],
  explain: ["name", "search"],
  addHooks: [{}]
}

/** Those that answer streams. */
const streams: { readonly [name: string]: ReadonlyArray<unknown> } = {
  changes: [],
  snapshots: [],
  watchItem: ["name", "search"]
}

/** Those that are asserted by themselves. */
const others = ["snapshotUnsafe", "transactAll", "items", "overrides", "disabled", "layerLazy"]

/** The functions of `Registry` that take no registry. */
const without = ["make", "isRegistry", "detached", "Service", "Tag", "Owner"]

const makeIn = ({ Registry }: { readonly Registry: Pick<typeof A.Registry, "make"> }) =>
  Registry.make<Tool>()({ name: "tools", lookup: ["name"], defaults: [item] })

const names = (tools: ReadonlyArray<Tool>) => tools.map(({ name }) => name)

/** Runs what untyped code calls. */
const attempt = (effect: () => Effect.Effect<any, any, any>): Effect.Effect<Exit.Exit<unknown, unknown>> =>
  Effect.exit(Effect.scoped(Effect.suspend(effect) as Effect.Effect<unknown, unknown>))

const copies: ReadonlyArray<readonly [name: string, own: typeof A, other: typeof A]> = [
  ["a copy that was loaded later", B, A],
  ["a copy that was loaded earlier", A, B]
]

describe("two copies of the package", () => {
  it("are two here, each of the version in package.json", () => {
    const { Registry } = A as unknown as Untyped
    assert.isFalse(Object.is(A.Registry.make, B.Registry.make))
    const list = Object.keys(Registry).filter((name) => typeof Registry[name] === "function")
    assert.deepStrictEqual(
      list.toSorted(),
      [operations, streams].flatMap(Object.keys).concat(others, without).toSorted()
    )
  })

  describe.each(copies)("%s", (_, own, other) => {
    const { Registry, RegistryHooks, RegistryMetrics, RegistrySnapshot } = own as unknown as Untyped

    it.effect("dies at once when a function of it is given a registry of the other, data-last too", () =>
      Effect.gen(function*() {
        const registry = yield* makeIn(other)
        for (const [name, args] of Object.entries(operations)) {
          assertRefused(yield* attempt(() => Registry[name](registry, ...args)), name)
          if (args.length === 0 || name === "addHooks") continue
          assertRefused(yield* attempt(() => Registry[name](...args)(registry)), `${name}, data-last`)
        }
        for (const [name, args] of Object.entries(streams)) {
          assertRefused(yield* attempt(() => Stream.runDrain(Registry[name](registry, ...args))), name)
        }
        assertRefused(yield* Effect.exit(Effect.sync(() => Registry["snapshotUnsafe"](registry))), "snapshotUnsafe")
        const mine = yield* makeIn(own)
        for (const all of [[mine, registry], [registry, mine], [registry]]) {
          assertRefused(yield* attempt(() => Registry["transactAll"](all, Effect.void)), "transactAll")
        }
        for (const layer of [RegistryHooks["layer"](registry, {}), RegistryMetrics["layer"](registry)]) {
          assertRefused(yield* attempt(() => Layer.build(layer)), "a layer")
        }
        assertRefused(yield* attempt(() => RegistrySnapshot["fromJson"](registry, [])), "fromJson")
        // nothing has happened to either
        assert.deepStrictEqual(yield* other.Registry.values(registry), [item])
        assert.deepStrictEqual(yield* own.Registry.values(mine), [item])
      }))

    it.effect("dies at once when it is given lookups or hooks of the other", () =>
      Effect.gen(function*() {
        const lookup = other.Lookup.unique((one: Tool) => one.name)
        const hooks = other.RegistryHooks.make<Tool>()({ onItemRegistered: () => Effect.void })
        const mine = yield* makeIn(own)
        const refused: ReadonlyArray<Effect.Effect<unknown, unknown, any>> = [
          own.Registry.make<Tool>()({ lookup: { name: lookup } }),
          own.Registry.make<Tool>()({ lookup: ["name"], hooks }),
          own.Registry.addHooks(mine, hooks),
          own.Registry.addHooks(mine, hooks, { existing: true }),
          Layer.build(own.RegistryHooks.layer(mine, hooks)),
          Layer.build(own.RegistryHooks.layer(mine, Effect.succeed(hooks))),
          Effect.sync(() => own.Lookup.optional(lookup)),
          Effect.sync(() => own.Lookup.normalized(lookup, (name) => name.toLowerCase())),
          Effect.sync(() => own.RegistryHooks.combine(own.RegistryHooks.empty, hooks)),
          Effect.sync(() => own.RegistryHooks.combineAll([own.RegistryHooks.empty, hooks]))
        ]
        for (const [index, one] of refused.entries()) {
          assertRefused(yield* attempt(() => one), String(index))
        }
        // handlers that are no value of the package are anybody's
        yield* own.Registry.addHooks(mine, { onItemRegistering: hooks.onItemRegistering })
        yield* own.Registry.register(mine, { name: "fetch" })
      }))

    it.effect("dies at once when it is given a snapshot of the other", () =>
      Effect.gen(function*() {
        const mine = own.Registry.snapshotUnsafe(yield* makeIn(own))
        const snapshot = other.Registry.snapshotUnsafe(yield* makeIn(other))
        const refused: { readonly [name: string]: () => unknown } = {
          get: () => own.RegistrySnapshot.get(snapshot, "name", "search"),
          getAll: () => own.RegistrySnapshot.getAll(snapshot, "name", "search"),
          has: () => own.RegistrySnapshot.has(snapshot, "name", "search"),
          contains: () => own.RegistrySnapshot.contains(snapshot, item),
          size: () => own.RegistrySnapshot.size(snapshot),
          values: () => own.RegistrySnapshot.values(snapshot),
          at: () => own.RegistrySnapshot.at(snapshot, 0),
          revision: () => own.RegistrySnapshot.revision(snapshot),
          toJson: () => own.RegistrySnapshot.toJson(snapshot),
          diff: () => own.RegistrySnapshot.diff(mine, snapshot)
        }
        for (const [name, get] of Object.entries(refused)) {
          assertRefused(yield* Effect.exit(Effect.sync(get)), name)
        }
        assertRefused(yield* Effect.exit(Effect.sync(() => own.RegistrySnapshot.diff(snapshot, mine))), "diff")
        const all = Object.keys(own.RegistrySnapshot)
        assert.deepStrictEqual([...Object.keys(refused), "fromJson"].toSorted(), all.toSorted())
      }))
  })

  it.effect("die at once when one is given a service class or tag of the other, whatever the context has under its name", () =>
    Effect.gen(function*() {
      const { Registry, RegistryHooks, RegistryMetrics, RegistrySnapshot } = B as unknown as Untyped
      // a registry of the other copy, one of this copy, and none
      const ofB = Layer.effect(Tools, ToolsOfB.use(Effect.succeed) as Effect.Effect<any, never, ToolsOfB>)
      for (const layer of [Tools.layer, Layer.provide(ofB, ToolsOfB.layer), Layer.empty]) {
        for (const service of [Tools, Tagged]) {
          for (const [name, args] of Object.entries(operations)) {
            assertRefused(yield* attempt(() => Effect.provide(Registry[name](service, ...args), layer)), name)
          }
          const layers: { readonly [name: string]: () => Layer.Layer<never> } = {
            items: () => Registry["items"](service, [item]),
            overrides: () => Registry["overrides"](service, [item]),
            disabled: () => Registry["disabled"](service, [["name", "search", "off"]]),
            layerLazy: () => Registry["layerLazy"](service, () => Promise.resolve(Layer.empty)),
            hooks: () => RegistryHooks["layer"](service, {}),
            metrics: () => RegistryMetrics["layer"](service)
          }
          for (const [name, get] of Object.entries(layers)) {
            assertRefused(yield* attempt(() => Layer.build(Layer.provide(get(), layer))), name)
          }
          for (const [name, args] of Object.entries(streams)) {
            const running = () => Effect.provide(Stream.runDrain(Registry[name](service, ...args)), layer)
            assertRefused(yield* attempt(running), name)
          }
          const effects: { readonly [name: string]: () => Effect.Effect<unknown> } = {
            transactAll: () => Registry["transactAll"]([service], Effect.void),
            fromJson: () => RegistrySnapshot["fromJson"](service, [])
          }
          for (const [name, get] of Object.entries(effects)) {
            assertRefused(yield* attempt(() => Effect.provide(get(), layer)), name)
          }
        }
      }
    }))

  it.effect("die at once when the service of one finds the registry of the other under its name", () =>
    Effect.gen(function*() {
      const ofB = ToolsOfB as unknown as typeof Tools
      const statics = ofB as unknown as { readonly [name: string]: any }
      for (const [name, args] of Object.entries(operations)) {
        const running = Effect.isEffect(statics[name]) ? statics[name] : statics[name](...args)
        assertRefused(yield* attempt(() => Effect.provide(running, Tools.layer)), name)
      }
      for (const layer of [ofB.items([item]), ofB.overrides([item])]) {
        assertRefused(yield* Effect.exit(Layer.build(Layer.provide(layer, Tools.layer))), "a layer")
      }
    }))

  // each combination but the two that use one copy dies where the first function meets what another copy made
  it.live("never hang: a hook, the operation in it and the operation that calls it, each of either copy", () =>
    Effect.gen(function*() {
      const both = [A, B]
      for (const made of both) {
        for (const hooked of both) {
          for (const writes of both) {
            for (const caller of both) {
              const exit = yield* Effect.gen(function*() {
                const registry = yield* made.Registry.make<Tool>()({ name: "tools", lookup: ["name"] })
                yield* hooked.Registry.addHooks(registry, {
                  onItemRegistered: (tool) =>
                    tool.name.endsWith("!")
                      ? Effect.void
                      : Effect.orDie(writes.Registry.register(registry, { name: `${tool.name}!` }))
                })
                yield* caller.Registry.register(registry, { name: "x" })
                return yield* made.Registry.values(registry)
              }).pipe(Effect.scoped, Effect.exit, Effect.timeout("5 seconds"))
              if ([hooked, writes, caller].every((copy) => copy === made)) {
                assert.deepStrictEqual(exit, Exit.succeed([{ name: "x" }, { name: "x!" }]))
              } else {
                assertRefused(exit, String([made, hooked, writes, caller].map((copy) => both.indexOf(copy))))
              }
            }
          }
        }
      }
    }))

  it.live("nest transactions of their own registries in each other: each finds its own, and none hangs", () =>
    Effect.gen(function*() {
      const a = yield* makeIn(A)
      const b = yield* makeIn(B)
      yield* Effect.all([A.Registry.populate(a), B.Registry.populate(b)])
      // both are kept informed of each other, in one fiber that is in a transaction of each
      yield* A.Registry.addHooks(a, {
        onItemRegistered: (tool) =>
          tool.name.startsWith("b ") ? Effect.void : Effect.orDie(B.Registry.register(b, { name: `a ${tool.name}` }))
      })
      yield* B.Registry.addHooks(b, {
        onItemRegistered: (tool) =>
          tool.name.startsWith("b ") ? Effect.void : Effect.orDie(A.Registry.register(a, { name: `b ${tool.name}` }))
      })
      yield* A.Registry.register(a, { name: "x" })
      assert.deepStrictEqual(names(yield* A.Registry.values(a)), ["search", "x", "b a x"])
      assert.deepStrictEqual(names(yield* B.Registry.values(b)), ["search", "a x"])
      // a transaction of one that fails undoes what a transaction of the other did to it
      const failing = A.Registry.transact(
        a,
        Effect.andThen(B.Registry.transact(b, A.Registry.register(a, { name: "b y" })), Effect.fail("no"))
      )
      assert.deepStrictEqual(yield* Effect.exit(failing), Exit.fail("no"))
      assert.deepStrictEqual(names(yield* A.Registry.values(a)), ["search", "x", "b a x"])
    }).pipe(Effect.timeout("5 seconds")))

  it.live("populate again in a transaction of the other: the defaults find that transaction", () =>
    Effect.gen(function*() {
      const a = yield* makeIn(A)
      yield* A.Registry.populate(a)
      let runs = 0
      const b = yield* B.Registry.make<Tool>()({
        lookup: ["name"],
        defaults: Effect.as(Effect.suspend(() => A.Registry.register(a, { name: `run ${++runs}` })), [item])
      })
      yield* B.Registry.populate(b)
      const again = B.Registry.transact(b, Effect.andThen(B.Registry.reset(b), B.Registry.size(b)))
      assert.strictEqual(yield* A.Registry.transact(a, again), 1)
      assert.deepStrictEqual(names(yield* A.Registry.values(a)), ["search", "run 1", "run 2"])
    }).pipe(Effect.timeout("5 seconds")))

  it.effect("warn of two registries of one identifier that are alive at once, each made by its own copy", () =>
    Effect.gen(function*() {
      const warnings: Array<unknown> = []
      const logger = Logger.make(({ message }) => warnings.push(...[message].flat()))
      yield* Effect.forEach([Tools.layer, ToolsOfB.layer], (layer) => Layer.build(layer)).pipe(
        Effect.scoped,
        Effect.provide(Logger.layer([logger]))
      )
      assert.strictEqual(warnings.length, 1)
      assert.match(String(warnings[0]), /^Two registries "test\/Tools" are alive at once/)
    }))

  it.live("keep no transaction of each other: a hook of a registry that was made in one runs outside of it", () =>
    Effect.gen(function*() {
      const b = yield* makeIn(B)
      yield* B.Registry.populate(b)
      const scope = yield* Effect.scope
      const made = yield* Deferred.make<A.Registry.Registry<Tool, readonly ["name"]>>()
      const failing = yield* Latch.make()
      const transaction = B.Registry.transact(
        b,
        A.Registry.make<Tool>()({
          lookup: ["name"],
          hooks: A.RegistryHooks.make<Tool>()({
            onItemRegistered: (tool) => Effect.orDie(B.Registry.register(b, tool))
          })
        }).pipe(
          Scope.provide(scope),
          Effect.flatMap((a) => Deferred.succeed(made, a)),
          Effect.andThen(failing.await),
          Effect.andThen(Effect.fail("no"))
        )
      )
      const fiber = yield* Effect.forkChild(Effect.exit(transaction), { startImmediately: true })
      const a = yield* Deferred.await(made)
      const registering = yield* Effect.forkChild(A.Registry.register(a, { name: "x" }), { startImmediately: true })
      yield* failing.open
      yield* Fiber.join(registering)
      assert.deepStrictEqual(yield* Fiber.join(fiber), Exit.fail("no"))
      assert.deepStrictEqual(yield* B.Registry.values(b), [item, { name: "x" }])
    }).pipe(Effect.timeout("5 seconds")))

  it.effect("share owners, which are strings", () =>
    Effect.gen(function*() {
      const a = yield* makeIn(A)
      const registering = A.Registry.register(a, { name: "fetch" })
      yield* Effect.provideService(registering, B.Registry.Owner, "plugin")
      assert.deepStrictEqual(yield* A.Registry.unregisterOwner(a, "plugin"), [{ name: "fetch" }])
    }))
})

describe("errors of another copy", () => {
  it.effect("are instances of the class that has their tag, and of no other", () =>
    Effect.gen(function*() {
      const b = yield* makeIn(B)
      const error: unknown = yield* Effect.flip(B.Registry.register(b, item))
      assert.instanceOf(error, A.RegistryError.AlreadyRegisteredError)
      assert.isTrue(Schema.is(A.RegistryError.AlreadyRegisteredError)(error))
      assert.notInstanceOf(error, A.RegistryError.RegistrationError)
      const caught = yield* B.Registry.register(b, item).pipe(
        Effect.catchTag("AlreadyRegisteredError", ({ code }) => Effect.succeed(code))
      )
      assert.strictEqual(caught, "already_registered")
      const classes = Object.entries(A.RegistryError).filter(([name]) => name !== "reject")
      const props = {
        registry: "tools",
        operation: "register",
        item,
        suggestions: [],
        cause: "",
        issue: "",
        missed: 1,
        chain: [],
        waits: [],
        package: "p",
        group: "g"
      }
      for (const [name] of classes) {
        const { literals, literal } = (B.RegistryError as any)[name].fields.code
        const one = new (B.RegistryError as any)[name]({ ...props, code: literal ?? literals[0] })
        const found = classes.filter(([, Class]) => one instanceof (Class as any)).map(([other]) => other)
        assert.deepStrictEqual(found, [name])
      }
    }))

  it("do not make an instance of what is no error, or of a subclass", () => {
    class Special extends A.RegistryError.RegistrationError {}
    const props = { registry: "tools", code: "rejected", item } as const
    assert.instanceOf(new Special(props), A.RegistryError.RegistrationError)
    assert.instanceOf(new Special(props), Special)
    assert.notInstanceOf(new A.RegistryError.RegistrationError(props), Special)
    assert.notInstanceOf(new B.RegistryError.RegistrationError(props), Special)
    for (
      const u of [{ ...props, _tag: "RegistrationError" }, undefined, null, "RegistrationError", Object.create(null)]
    ) {
      assert.isFalse(u as unknown instanceof A.RegistryError.RegistrationError)
    }
  })

  it.effect("are filled in: a hook that refuses with `reject` of another copy names the registry", () =>
    Effect.gen(function*() {
      const a = yield* makeIn(A)
      yield* A.Registry.populate(a)
      yield* A.Registry.addHooks(a, { onItemRegistering: (tool) => B.RegistryError.reject(tool, "not today") })
      const error = yield* Effect.flip(A.Registry.register(a, { name: "x" }))
      assert.deepStrictEqual([error._tag, error.registry, error.code], ["RegistrationError", "tools", "rejected"])
    }))
})
