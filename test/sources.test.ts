/** Several sources of one registry: each is made equal to its list by itself, and the defaults are run again. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Latch, Logger, Schema, Scope } from "effect"
import { Registry, RegistryError, RegistrySnapshot } from "effect-registry"
import { isLocked, offer } from "./utils/inside.ts"
import { Item, messageOf, recording } from "./utils/items.ts"

const named = (id: number, name: string) => new Item(id, name)

const names = (items: Iterable<Item>): string => Array.from(items, ({ name }) => name).join(" ")

const by = (owner: string) => Effect.provideService(Registry.Owner, owner)

const ownerOf = (registry: Registry.Registry<Item, readonly ["id"], any, any>, id: number) =>
  Effect.map(Registry.explain(registry, "id", id), (one) => one._tag === "Present" ? one.owner : one._tag)

describe("reconcile of one owner", () => {
  const make = Effect.gen(function*() {
    const log: Array<string> = []
    const registry = yield* Registry.make<Item>()({ name: "items", lookup: ["id"], hooks: recording(log) })
    yield* Registry.registerAll(registry, [named(1, "k1"), named(2, "k2")]).pipe(by("kuma"))
    yield* Registry.registerAll(registry, [named(3, "f1")]).pipe(by("file"))
    yield* Registry.register(registry, named(4, "u1"))
    log.length = 0
    return { log, registry }
  })

  it.effect("makes what it registered equal to the list, with the fewest changes, and touches nothing else", () =>
    Effect.gen(function*() {
      const { log, registry } = yield* make
      const list = [named(1, "k1"), named(5, "k3")]
      const report = yield* Registry.reconcile(registry, list, { owner: "kuma" })
      assert.deepStrictEqual(
        [names(report.added), names(report.removed), names(report.kept), report.replaced.length],
        ["k3", "k2", "k1", 0]
      )
      assert.strictEqual(names(yield* Registry.values(registry)), "k1 f1 u1 k3")
      assert.deepStrictEqual(log, ["unregistering 2", "registering 5", "unregistered 2", "registered 5"])
      assert.strictEqual(yield* ownerOf(registry, 5), "kuma")
      yield* Registry.reconcile(registry, [named(5, "k3")], { owner: "kuma" }).pipe(by("admin"))
      assert.strictEqual(names(yield* Registry.values(registry)), "f1 u1 k3")
    }))

  it.effect("refuses a key that another owner has, or nobody: nothing changes", () =>
    Effect.gen(function*() {
      const { registry } = yield* make
      for (const [id, owner] of [[3, "file"], [4, undefined]] as const) {
        const error = yield* Effect.flip(Registry.reconcile(registry, [named(id, "k")], { owner: "kuma" }))
        assert.instanceOf(error, RegistryError.AlreadyRegisteredError)
        assert.deepStrictEqual([error.code, error.owner], ["attribute_registered", owner])
        assert.strictEqual(names(yield* Registry.values(registry)), "k1 k2 f1 u1")
      }
    }))

  it.effect("refuses an item that another owner has registered, though it is equal", () =>
    Effect.gen(function*() {
      const { registry } = yield* make
      const error = yield* Effect.flip(Registry.reconcile(registry, [named(3, "f1")], { owner: "kuma" }))
      assert.strictEqual(error.code, "already_registered")
    }))

  it.effect("finds what it registered, whoever has updated it, and the update is its own", () =>
    Effect.gen(function*() {
      const { registry } = yield* make
      yield* Registry.upsert(registry, named(1, "amended")).pipe(by("admin"))
      yield* Registry.reconcile(registry, [named(1, "k1 again")], { owner: "kuma" }).pipe(by("cron"))
      const explained = yield* Registry.explain(registry, "id", 1)
      assert.deepStrictEqual(
        explained,
        Registry.Explanation.Present({
          item: named(1, "k1 again"),
          owner: "kuma",
          revision: 2,
          updated: { revision: 6, by: "kuma" },
          hides: []
        })
      )
      assert.strictEqual(names(yield* Registry.values(registry)), "k1 again f1 u1")
    }))

  it.effect("leaves its overrides, and reaches what those of others hide", () =>
    Effect.gen(function*() {
      const { registry } = yield* make
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.override(registry, named(1, "over")), scope).pipe(by("file"))
      yield* Scope.provide(Registry.override(registry, named(9, "own")), scope).pipe(by("kuma"))
      yield* Registry.reconcile(registry, [named(1, "new")], { owner: "kuma" })
      assert.strictEqual(names(yield* Registry.values(registry)), "f1 u1 over own")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(names(yield* Registry.values(registry)), "new f1 u1")
    }))

  it.effect("keeps the scope of what it updates; what it adds in a scope that lends none stays", () =>
    Effect.gen(function*() {
      const { registry } = yield* make
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerScoped(registry, named(6, "s1")), scope).pipe(by("session"))
      yield* Registry.reconcile(registry, [named(6, "s2"), named(7, "s3")], { owner: "session" })
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(names(yield* Registry.values(registry)), "k1 k2 f1 u1 s3")
    }))

  it.effect("without a name dies with a message: what has no owner is not one source", () =>
    Effect.gen(function*() {
      const { registry } = yield* make
      const exit = yield* Effect.exit(Registry.reconcile(registry, [], { owner: "" }))
      assert.strictEqual(
        messageOf(exit),
        `Could not reconcile the items of the owner "" in "items". ` +
          "Items without an owner have no common source: name an owner."
      )
      assert.strictEqual(yield* Registry.size(registry), 4)
    }))

  it.effect("is a static of a service, and knows the defaults by their owner", () =>
    Effect.gen(function*() {
      class Items extends Registry.Service<Items, Item>()("Items", { lookup: ["id"], defaults: [named(1, "d1")] }) {}
      yield* Effect.gen(function*() {
        yield* Items.register(named(2, "p1"))
        yield* Items.reconcile([named(3, "d2")], { owner: "defaults" })
        assert.strictEqual(names(yield* Items.values), "p1 d2")
        yield* Items.reconcile([named(3, "d2")])
        assert.strictEqual(names(yield* Items.values), "d2")
        yield* Registry.reconcile(Items, [named(4, "d3")])
        assert.strictEqual(names(yield* Items.values), "d3")
      }).pipe(Effect.provide(Items.layer))
    }))
})

const refreshable = (list: () => ReadonlyArray<Item>, log: Array<string> = []) =>
  Registry.make<Item>()({
    name: "items",
    lookup: ["id"],
    defaults: Effect.sync(list),
    hooks: recording(log)
  })

describe("refresh", () => {
  it.effect("makes what population had put in equal to the defaults, and keeps all else, with hooks for differences", () =>
    Effect.gen(function*() {
      let list = [named(1, "d1"), named(2, "d2"), named(3, "d3")]
      const log: Array<string> = []
      const registry = yield* refreshable(() => list, log)
      yield* Registry.register(registry, named(8, "plugin")).pipe(by("plugin"))
      yield* Registry.override(registry, named(3, "over"))
      yield* Registry.disable(registry, "id", 1, { reason: "off" })
      list = [named(1, "d1"), named(2, "D2"), named(3, "D3"), named(4, "d4")]
      log.length = 0
      yield* Registry.refresh(registry)
      assert.strictEqual(names(yield* Registry.values(registry)), "D2 plugin over d4")
      assert.deepStrictEqual(log, [
        "registering 2",
        "unregistering 2",
        "registering 3",
        "registering 4",
        "unregistered 2",
        "registered 2",
        "registered 4"
      ])
      assert.deepStrictEqual(yield* Effect.forEach([2, 4, 8], (id) => ownerOf(registry, id)), [
        "defaults",
        "defaults",
        "plugin"
      ])
      yield* Registry.enable(registry, "id", 1)
      list = []
      yield* Registry.refresh(registry)
      assert.strictEqual(names(yield* Registry.values(registry)), "plugin over")
    }))

  it.effect("brings back what was withdrawn, changed, or withdrawn and registered again by somebody", () =>
    Effect.gen(function*() {
      const registry = yield* refreshable(() => [named(1, "d1"), named(2, "d2"), named(3, "d3")])
      yield* Registry.unregisterBy(registry, "id", 1)
      yield* Registry.upsert(registry, named(2, "amended"))
      yield* Registry.refresh(registry)
      assert.strictEqual(names(yield* Registry.values(registry)), "d1 d2 d3")
      yield* Registry.unregisterBy(registry, "id", 3)
      yield* Registry.register(registry, named(3, "mine")).pipe(by("me"))
      const error = yield* Effect.flip(Registry.refresh(registry))
      assert.strictEqual(
        error.message,
        `Could not populate "items": the default 3 could not be registered: ` +
          `3 is already registered by "me" with id = 3. Unregister or replace it first.`
      )
      assert.strictEqual(names(yield* Registry.values(registry)), "d1 d2 mine")
    }))

  it.effect("that finds no difference is no revision, and calls no hook", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* refreshable(() => [named(1, "d1")], log)
      yield* Registry.populate(registry)
      log.length = 0
      yield* Registry.refresh(registry)
      assert.strictEqual(RegistrySnapshot.revision(yield* Registry.snapshot(registry)), 1)
      assert.deepStrictEqual(log, [])
    }))

  it.effect("that fails leaves all as it was, and fails with the PopulationError", () =>
    Effect.gen(function*() {
      let failure: "none" | "defaults" | "hook" = "none"
      const registry = yield* Registry.make<Item>()({
        name: "items",
        lookup: ["id"],
        defaults: Effect.suspend(() =>
          failure === "defaults" ? Effect.fail("offline") : Effect.succeed([named(1, failure), named(2, "same")])
        ),
        hooks: { onItemRegistering: () => failure === "hook" ? Effect.fail("veto") : Effect.void }
      })
      yield* Registry.populate(registry)
      for (
        const [how, code, cause] of [["defaults", "defaults", "offline"], ["hook", "registration", "veto"]] as const
      ) {
        failure = how
        const error = yield* Effect.flip(Registry.refresh(registry))
        assert.deepStrictEqual([error._tag, error.code, error.cause], ["PopulationError", code, cause])
        assert.strictEqual(names(yield* Registry.values(registry)), "none same")
        assert.strictEqual(yield* Registry.state(registry), "Ready")
      }
    }))

  it.effect("dies where a failed population is a defect", () =>
    Effect.gen(function*() {
      let fails = false
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => fails ? Effect.fail("offline") : Effect.succeed([named(1, "d1")])),
        populationFailure: "die"
      })
      yield* Registry.populate(registry)
      fails = true
      const exit = yield* Effect.exit(Registry.refresh(registry))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    }))

  it.effect("of a Pending registry is its population: the defaults run once", () =>
    Effect.gen(function*() {
      let runs = 0
      const registry = yield* refreshable(() => [named(++runs, "d")])
      yield* Registry.refresh(registry)
      assert.strictEqual(yield* Registry.size(registry), 1)
      assert.strictEqual(runs, 1)
    }))

  it.effect("of several fibers at once is one run, and is interrupted when all of them are", () =>
    Effect.gen(function*() {
      let runs = 0
      const started = yield* Latch.make()
      const go = yield* Latch.make()
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() =>
          ++runs === 1 ? Effect.succeed([]) : Effect.as(Effect.andThen(started.open, go.await), [named(runs, "d")])
        )
      })
      yield* Registry.populate(registry)
      const refresh = Effect.forkChild(Registry.refresh(registry), { startImmediately: true })
      const given = [yield* refresh, yield* refresh]
      yield* started.await
      assert.strictEqual(runs, 2)
      assert.strictEqual(yield* Registry.size(registry), 0)
      yield* Fiber.interrupt(given[0]!)
      yield* go.open
      yield* Fiber.join(given[1]!)
      assert.deepStrictEqual((yield* Registry.values(registry)).map(({ id }) => id), [2])
      yield* go.close
      yield* started.close
      const alone = yield* refresh
      yield* started.await
      yield* Fiber.interrupt(alone)
      assert.isFalse(isLocked(registry))
      assert.deepStrictEqual((yield* Registry.values(registry)).map(({ id }) => id), [2])
    }))

  it.effect("in a transaction is a part of it, and is undone with it", () =>
    Effect.gen(function*() {
      let list = [named(1, "d1")]
      const registry = yield* refreshable(() => list)
      yield* Registry.populate(registry)
      list = [named(2, "d2")]
      const refreshed = Effect.andThen(Registry.refresh(registry), Registry.values(registry))
      yield* Registry.transact(
        registry,
        Effect.flatMap(refreshed, (values) => {
          assert.strictEqual(names(values), "d2")
          return Effect.fail("no")
        })
      ).pipe(Effect.flip)
      assert.strictEqual(names(yield* Registry.values(registry)), "d1")
      yield* Registry.transact(registry, Registry.refresh(registry))
      assert.strictEqual(names(yield* Registry.values(registry)), "d2")
    }))

  it.effect("in a hook of a population, a reset or a refresh does nothing", () =>
    Effect.gen(function*() {
      let runs = 0
      const refreshing: { effect: Effect.Effect<void> } = { effect: Effect.void }
      const hooks = {
        onPopulated: Effect.suspend(() => refreshing.effect),
        onResetting: Effect.suspend(() => refreshing.effect),
        onItemRegistered: () => Effect.suspend(() => refreshing.effect)
      }
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.sync(() => [named(++runs, "d")]),
        hooks
      })
      refreshing.effect = Effect.orDie(Registry.refresh(registry))
      yield* Registry.populate(registry)
      yield* Registry.refresh(registry)
      yield* Registry.reset(registry)
      assert.strictEqual(runs, 2)
    }))

  it.effect("is a static of a service, with the services of its layer and an invariant of its own", () =>
    Effect.gen(function*() {
      let list = [named(1, "d1")]
      class Items extends Registry.Service<Items, Item>()("Items", {
        lookup: ["id"],
        defaults: Effect.sync(() => list),
        invariant: (draft) => RegistrySnapshot.size(draft) > 1 ? Effect.fail("too many") : Effect.void
      }) {}
      yield* Effect.gen(function*() {
        yield* Items.populate
        list = [named(1, "d1"), named(2, "d2")]
        const error = yield* Effect.flip(Items.refresh)
        assert.deepStrictEqual([error.code, error.cause], ["invariant", "too many"])
        list = [named(2, "d2")]
        yield* Registry.refresh(Items)
        assert.strictEqual(names(yield* Items.values), "d2")
      }).pipe(Effect.provide(Items.layer))
    }))

  it.effect("knows what entry points brought by their packages", () =>
    Effect.gen(function*() {
      let version = 1
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => {
          const item = named(1, `gzip ${version}`)
          const offered = { item, owner: "zip", source: "gzip of zip", leftOut: () => Effect.succeed(false) }
          return Effect.as(offer([offered]), [item])
        })
      })
      yield* Registry.populate(registry)
      assert.strictEqual(yield* ownerOf(registry, 1), "zip")
      version = 2
      yield* Registry.refresh(registry)
      assert.strictEqual(names(yield* Registry.values(registry)), "gzip 2")
      assert.strictEqual(yield* ownerOf(registry, 1), "zip")
    }))
})

const acquiring = (log: Array<string>, list: () => ReadonlyArray<Item>) => {
  let runs = 0
  return Registry.make<Item>()({
    lookup: ["id"],
    defaults: Effect.suspend(() => {
      const run = ++runs
      return Effect.as(Effect.addFinalizer(() => Effect.sync(() => log.push(`closed ${run}`))), list())
    })
  })
}

describe("the scope of a population", () => {
  it.effect("lives until the last item that a refresh kept of it goes", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let list = [named(1, "d1"), named(2, "d2"), named(3, "d3")]
      const registry = yield* acquiring(log, () => list)
      yield* Registry.populate(registry)
      list = [named(1, "d1"), named(2, "d2"), named(3, "D3")]
      yield* Registry.refresh(registry)
      assert.deepStrictEqual(log, [])
      list = [named(1, "d1"), named(2, "D2"), named(3, "D3")]
      yield* Registry.refresh(registry)
      assert.deepStrictEqual(log, [])
      yield* Registry.upsert(registry, named(1, "amended"))
      assert.deepStrictEqual(log, ["closed 1"])
      yield* Registry.unregisterBy(registry, "id", 3)
      assert.deepStrictEqual(log, ["closed 1", "closed 2"])
      yield* Registry.reset(registry)
      assert.deepStrictEqual(log, ["closed 1", "closed 2", "closed 3"])
    }))

  it.effect("of a refresh that finds no difference, or fails, ends with it", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let list = [named(1, "d1")]
      const registry = yield* acquiring(log, () => list)
      yield* Registry.populate(registry)
      yield* Registry.refresh(registry)
      assert.deepStrictEqual(log, ["closed 2"])
      list = [named(1, "one"), named(1, "two")]
      yield* Effect.flip(Registry.refresh(registry))
      assert.deepStrictEqual(log, ["closed 2", "closed 3"])
      yield* Registry.reset(registry)
      assert.deepStrictEqual(log, ["closed 2", "closed 3", "closed 1"])
    }))

  it.effect("whose items all give way ends when the refresh is published, and in a transaction that fails it does not", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let list = [named(1, "d1")]
      const registry = yield* acquiring(log, () => list)
      yield* Registry.populate(registry)
      list = [named(2, "d2")]
      yield* Effect.flip(Registry.transact(registry, Effect.andThen(Registry.refresh(registry), Effect.fail("no"))))
      assert.deepStrictEqual(log, ["closed 2"])
      yield* Registry.refresh(registry)
      assert.deepStrictEqual(log, ["closed 2", "closed 1"])
    }))

  it.effect("that a refresh kept something of ends with a reset", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let list = [named(1, "d1")]
      const registry = yield* acquiring(log, () => list)
      yield* Registry.populate(registry)
      list = [named(1, "d1"), named(2, "d2")]
      yield* Registry.refresh(registry)
      yield* Registry.reset(registry)
      assert.deepStrictEqual(log.toSorted(), ["closed 1", "closed 2"])
    }))
})

/** What was logged as a warning. */
const warnings = () => {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (logLevel === "Warn") lines.push(String(message))
  })
  return { lines, layer: Logger.layer([logger]) }
}

const skippedOf = (registry: Registry.Registry<Item, readonly ["id"], any, any>, id: number) =>
  Effect.map(Registry.explain(registry, "id", id), (one) => one._tag === "Absent" ? one.last?._tag : one._tag)

/** Its hooks register a companion of each item before they refuse those whose name is bad. */
const picky = (
  onInvalidDefault: "fail" | "skip",
  defaults: ReadonlyArray<Item> | Effect.Effect<ReadonlyArray<Item>> = []
) =>
  Effect.gen(function*() {
    const registry: Registry.Registry<Item, readonly ["id"], any, string> = yield* Registry.make<Item>()({
      name: "items",
      lookup: ["id"],
      defaults,
      onInvalidDefault,
      hooks: {
        onItemRegistering: ({ id, name }) =>
          name !== "bad"
            ? Effect.void
            : Effect.andThen(
              Effect.orDie(Registry.register(registry, named(id + 100, "companion"))),
              Effect.fail("veto")
            )
      }
    })
    return registry
  })

describe("what cannot be registered is left out", () => {
  for (const hooked of [false, true]) {
    it.effect(`of the defaults, with a warning, ${hooked ? "by a hook" : "by keys"}: the others go in, and explain says so`, () => {
      const { layer, lines } = warnings()
      return Effect.gen(function*() {
        const list = [named(1, "one"), named(1, "again"), ...hooked ? [named(2, "bad")] : [], named(3, "three")]
        const registry: Registry.Registry<Item, readonly ["id"], any, any> = hooked
          ? yield* picky("skip", Effect.succeed(list))
          : yield* Registry.make<Item>()({ name: "items", lookup: ["id"], defaults: list, onInvalidDefault: "skip" })
        assert.strictEqual(names(yield* Registry.values(registry)), "one three")
        assert.strictEqual(yield* ownerOf(registry, 3), "defaults")
        assert.deepStrictEqual(lines, [
          "Left 1 out of \"items\". Could not register 1 in \"items\": 1 is already registered by \"defaults\" with id = 1. " +
          "Unregister or replace it first.",
          ...hooked ? ["Left 2 out of \"items\". \"veto\""] : []
        ])
        assert.strictEqual(yield* skippedOf(registry, 2), hooked ? "Skipped" : undefined)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("of the defaults that are run again", () => {
    const { layer, lines } = warnings()
    return Effect.gen(function*() {
      let list = [named(1, "one"), named(2, "two")]
      const registry = yield* picky("skip", Effect.sync(() => list))
      yield* Registry.populate(registry)
      yield* Registry.register(registry, named(4, "mine"))
      list = [named(1, "one"), named(2, "bad"), named(3, "three"), named(4, "taken"), named(1, "again")]
      yield* Registry.refresh(registry)
      assert.strictEqual(names(yield* Registry.values(registry)), "one mine three")
      assert.strictEqual(lines.length, 3)
      assert.strictEqual(yield* skippedOf(registry, 2), "Skipped")
    }).pipe(Effect.provide(layer))
  })

  it.effect("of a reconciliation, as if it were not in the list", () => {
    const { layer, lines } = warnings()
    return Effect.gen(function*() {
      const registry = yield* picky("fail")
      yield* Registry.registerAll(registry, [named(1, "one"), named(2, "two")])
      const report = yield* Registry.reconcile(
        registry,
        [named(1, "one"), named(2, "bad"), named(3, "bad"), named(4, "four"), named(4, "again")],
        { onInvalid: "skip" }
      )
      assert.deepStrictEqual(
        [names(report.kept), names(report.added), names(report.removed), report.replaced.length],
        ["one", "four", "two", 0]
      )
      assert.strictEqual(names((yield* Registry.values(registry)).filter(({ id }) => id < 100)), "one four")
      assert.strictEqual(lines.length, 3)
      assert.strictEqual(yield* skippedOf(registry, 3), "Skipped")
      assert.strictEqual(yield* skippedOf(registry, 2), "Skipped")
    }).pipe(Effect.provide(layer))
  })

  it.effect("but a defect never is, nor an invariant that fails", () =>
    Effect.gen(function*() {
      for (const dies of [true, false]) {
        const registry = yield* Registry.make<Item>()({
          lookup: ["id"],
          defaults: [named(1, "one"), named(2, "bad")],
          onInvalidDefault: "skip",
          hooks: { onItemRegistering: ({ name }) => dies && name === "bad" ? Effect.die("boom") : Effect.void },
          invariant: (draft) => RegistrySnapshot.has(draft, "id", 2) ? Effect.fail("two") : Effect.void
        })
        const exit = yield* Effect.exit(Registry.size(registry))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause) === dies)
        assert.strictEqual(RegistrySnapshot.size(Registry.snapshotUnsafe(registry)), 0)
        for (
          const operation of [
            Registry.registerEach(registry, [named(2, "bad")]),
            Registry.reconcile(registry, [named(2, "bad")], { onInvalid: "skip" })
          ]
        ) assert.isTrue(Exit.isFailure(yield* Effect.exit<unknown, unknown, never>(operation)))
      }
    }).pipe(Effect.provide(Logger.layer([]))))
})

describe("registerEach", () => {
  it.effect("answers what is registered, and what is refused with its error; what a hook had done for that is undone", () =>
    Effect.gen(function*() {
      const registry = yield* picky("fail")
      const list = [named(1, "one"), named(1, "again"), named(2, "bad"), named(3, "three")]
      const before = RegistrySnapshot.revision(yield* Registry.snapshot(registry))
      const { refused, registered } = yield* Registry.registerEach(registry, list)
      assert.deepStrictEqual(registered, list.toSpliced(1, 2))
      assert.deepStrictEqual(refused.map(({ item }) => item), list.slice(1, 3))
      assert.deepStrictEqual(
        refused.map(({ error }) => typeof error === "string" ? error : error.code),
        ["attribute_registered", "veto"]
      )
      assert.strictEqual(names(yield* Registry.values(registry)), "one three")
      assert.strictEqual(RegistrySnapshot.revision(yield* Registry.snapshot(registry)), before + 1)
    }))

  it.effect("is a static of a service, data-last, with the owner of the caller", () =>
    Effect.gen(function*() {
      class Items extends Registry.Service<Items, Item>()("Items", { lookup: ["id"] }) {}
      yield* Effect.gen(function*() {
        yield* Items.registerEach([named(1, "one")]).pipe(by("me"))
        const registry = yield* Items
        const { refused } = yield* registry.pipe(Registry.registerEach([named(1, "two"), named(2, "two")]))
        assert.strictEqual(refused.length, 1)
        assert.strictEqual(yield* ownerOf(registry, 1), "me")
        assert.strictEqual(names(yield* Items.values), "one two")
      }).pipe(Effect.provide(Items.layer))
    }))
})

describe("fromJson", () => {
  it.effect("with onInvalid: \"skip\" leaves out what cannot be read, or repeats another, and warns of each", () => {
    const { layer, lines } = warnings()
    return Effect.gen(function*() {
      const schema = Schema.Struct({ id: Schema.Number })
      const registry = yield* Registry.make<typeof schema.Type>()({ name: "numbers", schema, lookup: ["id"] })
      const json = [{ id: 1 }, { id: "two" }, { id: 1 }, { id: 3 }]
      const snapshot = yield* RegistrySnapshot.fromJson(registry, json, { onInvalid: "skip" })
      const last = yield* registry.pipe(RegistrySnapshot.fromJson(json, { onInvalid: "skip" }))
      for (const one of [snapshot, last]) assert.deepStrictEqual([...one], [{ id: 1 }, { id: 3 }])
      assert.match(
        lines[0]!,
        /^Left "two" out of "numbers". Could not read \[1\] of the JSON for "numbers"/
      )
      assert.match(lines[1]!, /^Left 1 out of "numbers". Could not register 1 in "numbers"/)
      assert.strictEqual(lines.length, 4)
      const error = yield* Effect.flip(RegistrySnapshot.fromJson(registry, json))
      assert.strictEqual(error.code, "decode")
    }).pipe(Effect.provide(layer))
  })
})
