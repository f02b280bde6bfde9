import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Layer, Metric, Option, Schema, Stream } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks, RegistryMetrics, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"

interface Codec {
  readonly name: string
  readonly kind: string
}

const gzip: Codec = { name: "gzip", kind: "lossless" }
const zip: Codec = { name: "zip", kind: "lossless" }
const jpeg: Codec = { name: "jpeg", kind: "lossy" }

class Codecs extends Registry.Service<Codecs, Codec>()("test/Codecs", {
  lookup: { name: Lookup.unique(({ name }) => name), kind: Lookup.group(({ kind }) => kind) },
  defaults: [gzip]
}) {}

describe("a service class", () => {
  it.effect("reads the registry of the context", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual([yield* Codecs.state, yield* Codecs.populated], ["Pending", false])
      assert.strictEqual((yield* Codecs.explain("name", "gzip"))._tag, "Pending")
      yield* Codecs.populate
      assert.deepStrictEqual([yield* Codecs.state, yield* Codecs.populated], ["Ready", true])
      assert.strictEqual((yield* Codecs.explain("name", "gzip"))._tag, "Present")
      yield* Codecs.registerAll([zip, jpeg])
      assert.strictEqual(yield* Codecs.get("name", "zip"), zip)
      assert.deepStrictEqual(yield* Codecs.getOption("name", "jpeg"), Option.some(jpeg))
      assert.deepStrictEqual(yield* Codecs.getOption("name", "png"), Option.none())
      assert.deepStrictEqual(yield* Codecs.getAll("kind", "lossless"), [gzip, zip])
      assert.deepStrictEqual([yield* Codecs.has("kind", "lossy"), yield* Codecs.has("kind", "lost")], [true, false])
      assert.deepStrictEqual([yield* Codecs.contains(gzip), yield* Codecs.contains({ ...gzip, kind: "lossy" })], [
        true,
        false
      ])
      assert.strictEqual(yield* Codecs.size, 3)
      assert.deepStrictEqual(yield* Codecs.values, [gzip, zip, jpeg])
      assert.deepStrictEqual([yield* Codecs.at(1), yield* Codecs.at(-1)], [Option.some(zip), Option.some(jpeg)])
      const snapshot = yield* Codecs.snapshot
      assert.strictEqual(snapshot, Registry.snapshotUnsafe(yield* Codecs))
      assert.strictEqual(RegistrySnapshot.revision(snapshot), 2)
    }).pipe(Effect.provide(Codecs.layer)))

  it.effect("changes the registry of the context", () =>
    Effect.gen(function*() {
      const better = { ...gzip, kind: "better" }
      yield* Codecs.register(zip)
      yield* Codecs.upsert(better)
      assert.deepStrictEqual(yield* Codecs.values, [better, zip])
      yield* Codecs.replace("name", "gzip", jpeg)
      assert.deepStrictEqual(yield* Codecs.values, [jpeg, zip])
      yield* Codecs.unregister(zip)
      yield* Codecs.unregisterBy("name", "jpeg")
      assert.deepStrictEqual(yield* Codecs.values, [])
      const { added, removed, replaced } = yield* Codecs.reconcile([gzip])
      assert.deepStrictEqual({ added, removed, replaced }, { added: [gzip], removed: [], replaced: [] })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Codecs.registerScoped(zip)
        yield* Codecs.registerAllScoped([jpeg])
        yield* Codecs.override(better)
        assert.deepStrictEqual(yield* Codecs.values, [zip, jpeg, better])
      }))
      assert.deepStrictEqual(yield* Codecs.values, [gzip])
      yield* Codecs.registerAll([zip, jpeg]).pipe(Effect.provideService(Registry.Owner, "plugin"))
      assert.deepStrictEqual(yield* Codecs.unregisterOwner("plugin"), [zip, jpeg])
      const exit = yield* Effect.exit(Codecs.transact(Effect.andThen(Codecs.register(zip), Effect.fail("no"))))
      assert.deepStrictEqual(exit, Exit.fail("no"))
      assert.strictEqual(yield* Codecs.transact(Effect.as(Codecs.register(jpeg), "yes")), "yes")
      assert.deepStrictEqual(yield* Codecs.values, [gzip, jpeg])
      yield* Codecs.reset
      assert.strictEqual(yield* Codecs.state, "Pending")
    }).pipe(Effect.provide(Codecs.layer)))

  it.effect("follows the registry of the context, and hooks into it", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const telling = { onItemRegistered: ({ name }: Codec) => Effect.sync(() => told.push(name)) }
      yield* Codecs.populate
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Codecs.addHooks(telling)
        assert.deepStrictEqual(told, [])
        yield* Codecs.addHooks(telling, { existing: true })
        assert.deepStrictEqual(told, ["gzip"])
        const changes = yield* Effect.forkChild(Stream.runCollect(Stream.take(Codecs.changes, 1)), {
          startImmediately: true
        })
        const { changes: since, snapshot } = yield* Codecs.subscribe({ since: 0 })
        assert.deepStrictEqual(Array.from(snapshot), [gzip])
        const awaited = yield* Effect.forkChild(Codecs.awaitItem("name", "zip"), { startImmediately: true })
        yield* Codecs.register(zip)
        assert.strictEqual(yield* Fiber.join(awaited), zip)
        assert.deepStrictEqual((yield* Fiber.join(changes)).map(({ revision }) => revision), [2])
        const both = yield* Stream.runCollect(Stream.take(since, 2))
        assert.deepStrictEqual(both.map(({ revision }) => revision), [1, 2])
        assert.deepStrictEqual(told, ["gzip", "zip", "zip"])
      }))
    }).pipe(Effect.provide(Codecs.layer)))
})

const Codec = Schema.Struct({ name: Schema.String, kind: Schema.String })

class Tags extends Registry.Tag<Tags, Codec>()("test/Tags", {
  schema: Codec,
  lookup: { name: Lookup.unique(({ name }) => name), kind: Lookup.group(({ kind }) => kind) },
  defaults: [gzip]
}) {
  // a name that users may give
  static readonly core = "of users"
}

const built = Effect.provide(Tags.layer)

const own = (u: object) => Object.keys(u).toSorted()

describe("a tag", () => {
  it("has its layers, and no operation", () => {
    const plain = Context.Service<string>("test/Plain")
    assert.deepStrictEqual(
      own(Object.getPrototypeOf(Tags)),
      own(plain).concat("layer", "layerPopulated").toSorted()
    )
  })

  it.effect("is read by the functions of Registry, data-first and data-last", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual([yield* Registry.state(Tags), yield* Registry.populated(Tags)], ["Pending", false])
      assert.strictEqual((yield* Registry.explain(Tags, "name", "gzip"))._tag, "Pending")
      yield* Registry.populate(Tags)
      assert.deepStrictEqual([yield* Registry.state(Tags), yield* Registry.populated(Tags)], ["Ready", true])
      assert.strictEqual((yield* Tags.pipe(Registry.explain("name", "gzip")))._tag, "Present")
      yield* Registry.registerAll(Tags, [zip, jpeg])
      assert.strictEqual(yield* Registry.get(Tags, "name", "zip"), zip)
      assert.strictEqual(yield* Tags.pipe(Registry.get("name", "zip")), zip)
      assert.strictEqual((yield* Effect.flip(Registry.get(Tags, "name", "zipp"))).registry, "test/Tags")
      assert.deepStrictEqual(yield* Registry.getOption(Tags, "name", "jpeg"), Option.some(jpeg))
      assert.deepStrictEqual(yield* Tags.pipe(Registry.getAll("kind", "lossless")), [gzip, zip])
      assert.isTrue(yield* Registry.has(Tags, "kind", "lossy"))
      assert.isTrue(yield* Registry.contains(Tags, gzip))
      assert.strictEqual(yield* Tags.pipe(Registry.size), 3)
      assert.deepStrictEqual(yield* Registry.values(Tags), [gzip, zip, jpeg])
      assert.deepStrictEqual(yield* Registry.at(Tags, -1), Option.some(jpeg))
      assert.strictEqual(yield* Registry.snapshot(Tags), Registry.snapshotUnsafe(yield* Tags))
    }).pipe(built))

  it.effect("is changed by the functions of Registry, data-first and data-last", () =>
    Effect.gen(function*() {
      const better = { ...gzip, kind: "better" }
      yield* Registry.register(Tags, zip)
      yield* Tags.pipe(Registry.upsert(better))
      yield* Registry.replace(Tags, "name", "gzip", jpeg)
      assert.deepStrictEqual(yield* Registry.values(Tags), [jpeg, zip])
      yield* Tags.pipe(Registry.replace("name", "jpeg", gzip))
      yield* Registry.unregister(Tags, zip)
      yield* Tags.pipe(Registry.unregisterBy("name", "gzip"))
      assert.deepStrictEqual((yield* Registry.reconcile(Tags, [gzip])).added, [gzip])
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.registerScoped(Tags, zip)
        yield* Tags.pipe(Registry.registerAllScoped([jpeg]))
        yield* Registry.override(Tags, better)
        assert.deepStrictEqual(yield* Registry.values(Tags), [zip, jpeg, better])
      }))
      yield* Registry.register(Tags, zip).pipe(Effect.provideService(Registry.Owner, "plugin"))
      assert.deepStrictEqual(yield* Registry.unregisterOwner(Tags, "plugin"), [zip])
      const body = Effect.andThen(Registry.register(Tags, zip), Effect.fail("no"))
      assert.deepStrictEqual(yield* Effect.exit(Registry.transact(Tags, body)), Exit.fail("no"))
      assert.strictEqual(yield* Tags.pipe(Registry.transact(Effect.as(Registry.register(Tags, jpeg), "yes"))), "yes")
      assert.deepStrictEqual(yield* Registry.values(Tags), [gzip, jpeg])
      yield* Registry.reset(Tags)
      assert.strictEqual(yield* Registry.state(Tags), "Pending")
    }).pipe(built))

  it.effect("is followed, and hooked into, by the functions of Registry", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const telling = { onItemRegistered: ({ name }: Codec) => Effect.sync(() => told.push(name)) }
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.addHooks(Tags, telling)
        yield* Tags.pipe(Registry.addHooks(telling, { existing: true }))
        const changes = yield* Effect.forkChild(Stream.runCollect(Stream.take(Registry.changes(Tags), 2)), {
          startImmediately: true
        })
        yield* Registry.populate(Tags)
        const subscribed = yield* Effect.all([
          Registry.subscribe(Tags),
          Tags.pipe(Registry.subscribe()),
          Registry.subscribe(Tags, { since: 0 })
        ])
        const awaited = yield* Effect.forkChild(Registry.awaitItem(Tags, "name", "zip"), { startImmediately: true })
        yield* Registry.register(Tags, zip)
        assert.strictEqual(yield* Fiber.join(awaited), zip)
        assert.deepStrictEqual((yield* Fiber.join(changes)).map(({ revision }) => revision), [1, 2])
        const next = yield* Effect.forEach(subscribed, (one) => Stream.runHead(one.changes))
        assert.deepStrictEqual(next.map(Option.map(({ revision }) => revision)), [2, 2, 1].map(Option.some))
        assert.deepStrictEqual(told, ["gzip", "gzip", "zip", "zip"])
      }))
    }).pipe(built))

  it.effect("may be mixed with registries in transactAll", () =>
    Effect.gen(function*() {
      const plain = yield* Registry.make<string>()({ lookup: [] })
      const move = Effect.all([Registry.register(Tags, zip), Registry.register(plain, "zip"), Codecs.register(zip)])
      const exit = yield* Effect.exit(
        Registry.transactAll([plain, Tags, Codecs], Effect.andThen(move, Effect.fail("no")))
      )
      assert.deepStrictEqual(exit, Exit.fail("no"))
      const sizes = Effect.all([Registry.size(Tags), Registry.size(plain), Codecs.size])
      assert.deepStrictEqual(yield* sizes, [1, 0, 1])
      yield* Registry.transactAll([plain, Tags, Codecs], move)
      assert.deepStrictEqual(yield* sizes, [2, 1, 2])
    }).pipe(built, Effect.provide(Codecs.layer)))

  it.effect("fills its registry while layerPopulated is built, and fails with what that fails with", () =>
    Effect.gen(function*() {
      class Failing extends Registry.Tag<Failing, Codec>()("test/Failing", {
        lookup: ["name"],
        defaults: Effect.fail("no disk")
      }) {}
      const state = yield* Registry.state(Tags).pipe(Effect.provide(Tags.layerPopulated))
      assert.strictEqual(state, "Ready")
      const error = yield* Effect.flip(Effect.provide(Effect.void, Failing.layerPopulated))
      assert.deepStrictEqual([error.code, error.cause], ["defaults", "no disk"])
    }))

  it.effect("with populationFailure \"die\", layerPopulated fails with the error, and no operation does", () =>
    Effect.gen(function*() {
      let attempts = 0
      class Dying extends Registry.Tag<Dying, Codec>()("test/Dying", {
        lookup: ["name"],
        defaults: Effect.suspend(() => ++attempts === 1 ? Effect.fail("no disk") : Effect.succeed([zip])),
        populationFailure: "die"
      }) {}
      const start = Effect.provide(Registry.size(Dying), Dying.layerPopulated)
      const error = yield* Effect.flip(start)
      assert.deepStrictEqual([error._tag, error.code, error.cause], ["PopulationError", "defaults", "no disk"])
      assert.strictEqual(yield* Effect.retry(start, { times: 1 }), 1)
      attempts = 0
      const exit = yield* Effect.exit(Effect.provide(Registry.size(Dying), Dying.layer))
      assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof RegistryError.PopulationError)
      assert.isTrue(Exit.hasDies(exit))
    }))

  it.effect("takes items, overrides and hooks, and is measured and looked at, as layers", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const layers = Layer.mergeAll(
        RegistryMetrics.layer(Tags),
        RegistryTest.layerPedantic(Tags)
      ).pipe(Layer.provideMerge(
        Registry.overrides(Tags, [{ ...zip, kind: "better" }]).pipe(
          Layer.provideMerge(Registry.items(Tags, [zip])),
          Layer.provideMerge(
            RegistryHooks.layer(Tags, { onItemRegistered: ({ name }) => Effect.sync(() => told.push(name)) })
          )
        )
      ))
      yield* Effect.gen(function*() {
        assert.strictEqual((yield* Registry.get(Tags, "name", "zip")).kind, "better")
        assert.deepStrictEqual(told, ["gzip", "zip", "zip"])
        const { value } = yield* Metric.value(Metric.withAttributes(RegistryMetrics.size, { registry: "test/Tags" }))
        assert.strictEqual(value, 2)
        const snapshot = yield* RegistrySnapshot.fromJson(Tags, [zip])
        assert.deepStrictEqual(Array.from(snapshot), [zip])
      }).pipe(Effect.provide(layers))
      assert.deepStrictEqual(yield* Registry.values(Tags), [gzip])
    }).pipe(built))

  it.effect("loads late, by an import of a layer that is built on its own", () =>
    Effect.gen(function*() {
      let imports = 0
      const late = Registry.layerLazy(Tags, () => {
        imports++
        return Promise.resolve(Registry.items(Tags, [zip]).pipe(Layer.provideMerge(Tags.layer), Layer.orDie))
      })
      yield* Effect.gen(function*() {
        assert.deepStrictEqual([yield* Registry.state(Tags), imports], ["Pending", 0])
        assert.deepStrictEqual(yield* Registry.values(Tags), [gzip, zip])
        assert.deepStrictEqual([yield* Registry.state(Tags), imports], ["Ready", 1])
      }).pipe(Effect.provide(late))
    }))

  it("loads late only where it was declared with what its registry is made of", () => {
    const Plain = Context.Service<Tags, Tags["Service"]>("test/Plain")
    assert.throws(
      // only from untyped code: its type says that there is no layer to build on
      () => Registry.layerLazy(Plain as any, () => Promise.resolve(Tags.layer)),
      /"test\/Plain" is neither a Registry\.Tag nor a Registry\.Service/
    )
  })
})

describe("hooks, metrics and pedantry", () => {
  it.effect("take a registry, too", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const plain = yield* Registry.make<string>()({ name: "test/plain", lookup: [], schema: Schema.String })
      const layers = Layer.mergeAll(
        RegistryHooks.layer(plain, Effect.succeed({ onItemRegistered: (one) => Effect.sync(() => told.push(one)) })),
        RegistryMetrics.layer(plain),
        RegistryTest.layerPedantic(plain)
      )
      yield* Effect.gen(function*() {
        yield* Effect.scoped(Registry.registerScoped(plain, "a"))
        const { value } = yield* Metric.value(Metric.withAttributes(RegistryMetrics.revision, { registry: plain.name }))
        assert.deepStrictEqual([told, value], [["a"], 3])
      }).pipe(Effect.provide(layers))
      assert.deepStrictEqual(Array.from(yield* plain.pipe(RegistrySnapshot.fromJson(["b"]))), ["b"])
    }))
})

/** The defect of what an untyped program made. */
const messageOf = (result: unknown): Effect.Effect<string> =>
  Effect.sandbox(
    (Stream.isStream(result) ? Stream.runDrain(result) : result) as Effect.Effect<unknown, unknown, never>
  ).pipe(
    Effect.flip,
    Effect.orDie,
    Effect.map((cause) => String(Cause.squash(cause)))
  )

/** The functions of Registry that take no registry, or no service. */
const others = ["Explanation", "Owner", "Service", "Tag", "detached", "isRegistry", "make", "snapshotUnsafe"]

const functions = Object.entries(Registry as unknown as Record<string, (...args: ReadonlyArray<unknown>) => unknown>)
  .filter(([name]) => !others.includes(name))

describe("the functions of Registry", () => {
  it("are the statics of a service class, but for transactAll", () => {
    const statics = Object.keys(Object.getPrototypeOf(Codecs))
    assert.deepStrictEqual(functions.map(([name]) => name).filter((name) => !statics.includes(name)), ["transactAll"])
    const names = functions.map(([name]) => name)
    assert.deepStrictEqual(
      statics.filter((name) => !names.includes(name)).toSorted(),
      Object.keys(Object.getPrototypeOf(Tags)).toSorted()
    )
  })

  it.effect("as statics answer effects, whatever is left out in untyped code", () =>
    Effect.gen(function*() {
      const untyped = Codecs as any
      const error = yield* Effect.flip(untyped.get("name") as Effect.Effect<unknown, { readonly code: string }>)
      assert.strictEqual(error.code, "not_registered")
      for (const one of [untyped.register(), untyped.at(), untyped.replace("name"), untyped.subscribe()]) {
        assert.isTrue(Effect.isEffect(one))
      }
    }).pipe(Effect.provide(Codecs.layer)))

  const layersOfTags = ["items", "overrides", "layerLazy", "disabled"]

  const given = (name: string, wrong: unknown): ReadonlyArray<unknown> =>
    name === "transactAll"
      ? [[wrong], Effect.void]
      : name === "addHooks"
      ? [wrong, { onPopulated: Effect.void }]
      : name === "subscribe"
      ? [wrong, { since: 1 }]
      : [wrong, "name", "gzip", gzip].slice(0, arity[name] ?? 2)

  const arity: Record<string, number> = {
    ...Object.fromEntries(
      [
        "changes",
        "populate",
        "populated",
        "refresh",
        "reset",
        "rules",
        "size",
        "snapshot",
        "snapshots",
        "state",
        "values"
      ].map((
        name
      ) => [
        name,
        1
      ])
    ),
    ...Object.fromEntries(
      ["awaitItem", "enable", "explain", "get", "getAll", "getOption", "has", "lease", "unregisterBy", "watchItem"].map(
        (
          name
        ) => [name, 3]
      )
    ),
    insert: 3,
    move: 4,
    disable: 4,
    disableScoped: 4,
    replace: 4
  }

  const lists = ["transactAll"]

  it.effect.each(functions.map(([name]) => name).filter((name) => !layersOfTags.includes(name)))(
    "%s dies with a message where it is given neither a registry nor a service of one",
    (name) =>
      Effect.gen(function*() {
        const f = Registry[name as "size"] as (...args: ReadonlyArray<unknown>) => unknown
        const wrongs = [undefined, null, 5, "tools", {}, { name: "tools" }, [], Date, new Map(), Promise.resolve()]
        for (const wrong of wrongs) {
          assert.match(
            yield* messageOf(f(...given(name, wrong))),
            /TypeError: What was given is neither a registry nor a service of one: /
          )
        }
        assert.match(
          yield* messageOf(f(...given(name, Registry.make<string>()({ lookup: [] })))),
          /neither a registry nor a service of one: .*\. It is an effect: give what it answers\./
        )
        const Other = Context.Service<object>("test/Other")
        const other = f(...given(name, Other))
        const provided = Stream.isStream(other)
          ? Stream.provideService(other, Other, {})
          : Effect.provideService(other as Effect.Effect<unknown>, Other, {})
        assert.match(yield* messageOf(provided), /neither a registry nor a service of one: {}/)
      })
  )

  it.effect("data-last die with it, too", () =>
    Effect.gen(function*() {
      const untyped = Registry as any
      for (const [name] of functions) {
        if (layersOfTags.includes(name) || lists.includes(name) || arity[name] === 1) continue
        const result = untyped[name](...given(name, undefined).slice(1))(5)
        assert.match(yield* messageOf(result), /neither a registry nor a service of one: 5/, name)
      }
      const hooks = { onPopulated: Effect.void }
      for (
        const result of [
          untyped.subscribe()(5),
          untyped.subscribe({})(5),
          untyped.addHooks(hooks)(5),
          untyped.addHooks({})(5),
          untyped.addHooks(RegistryHooks.empty, { existing: true })(5)
        ]
      ) {
        assert.match(yield* messageOf(result), /neither a registry nor a service of one: 5/)
      }
    }))

  it.effect("subscribe alone of what has other properties than its options dies with it, too", () =>
    Effect.gen(function*() {
      for (const wrong of [null, 5, "tools", { name: "tools" }, [], Date, Promise.resolve()]) {
        assert.match(yield* messageOf((Registry.subscribe as any)(wrong)), /neither a registry nor a service of one: /)
      }
      assert.isFunction(Registry.subscribe(undefined))
    }))

  it.effect("tell a list of registries from one of them", () =>
    Effect.gen(function*() {
      for (const wrong of [undefined, null, 5, {}, Tags, yield* Registry.make<string>()({ lookup: [] })]) {
        assert.match(
          yield* messageOf((Registry.transactAll as any)(wrong, Effect.void)),
          /TypeError: transactAll takes a list of registries or of services of them, and was given /
        )
      }
    }))

  it("know hooks of a class, whose handlers are methods", () => {
    class Hooks {
      onItemRegistered() {
        return Effect.void
      }
    }
    assert.isFunction(Registry.addHooks(new Hooks()))
  })

  it("throw where they answer no effect", () => {
    assert.throws(() => Registry.snapshotUnsafe(Tags as any), /neither a registry nor a service of one/)
    for (const wrong of [undefined, null, 5, {}, Context.Service<object>("test/Other")]) {
      assert.throws(
        () => (Registry.layerLazy as any)(wrong, () => undefined),
        /^(undefined|null|5|\{\}|"test\/Other") is neither a Registry.Tag nor a Registry.Service\.$/
      )
    }
  })
})
