import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, DateTime, Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { TestClock } from "effect/testing"
import { contradictions } from "./utils/inside.ts"
import { a, b, Balance, c, d, defectOf, Item, recording } from "./utils/items.ts"

const lookup = ["id", "name"] as const

type Items = Registry.Registry<Item, typeof lookup>

const make = Registry.make<Item>()({ name: "items", lookup })

const by = (owner: string) => Effect.provideService(Registry.Owner, owner)

const present = (
  item: Item,
  owner: string,
  revision: number,
  hides: ReadonlyArray<Item> = [],
  updated?: { readonly revision: number; readonly by: string }
) => Registry.Explanation.Present({ item, owner, revision, updated, hides })

const absent = (...suggestions: ReadonlyArray<string>) => Registry.Explanation.Absent({ suggestions, last: undefined })

const lastOf = (explanation: Registry.Explanation<Item>): Registry.LastSeen | undefined =>
  explanation._tag === "Absent" ? explanation.last : undefined

const withdrawn = (revision: number, owner: string, at: number): Registry.LastSeen => ({
  _tag: "Withdrawn",
  revision,
  by: owner,
  at: DateTime.makeUnsafe(at)
})

const pending = Registry.Explanation.Pending()

const names = (list: Iterable<Item>) => Array.from(list, ({ name }) => name).join()

describe("explain", () => {
  it.effect("Present: the item, its owner and the revision that registered it", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a] })
      yield* Registry.populate(registry)
      yield* Registry.register(registry, b).pipe(by("plugin"))
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, c).pipe(by("other"))
          yield* Registry.registerAll(registry, [d])
        })
      ).pipe(by("around"))
      assert.deepStrictEqual(
        yield* Effect.forEach([1, 2, 3, 4], (id) => Registry.explain(registry, "id", id)),
        [present(a, "defaults", 1), present(b, "plugin", 2), present(c, "other", 3), present(d, "around", 3)]
      )
      const replaced = new Item(2, "second")
      yield* Registry.replace(registry, "id", 2, replaced).pipe(by("replacer"))
      assert.deepStrictEqual(
        yield* registry.pipe(Registry.explain("name", "second")),
        present(replaced, "plugin", 2, [], { revision: 4, by: "replacer" })
      )
      assert.deepStrictEqual(yield* Registry.explain(registry, "name", "item 1"), present(a, "defaults", 1))
    }))

  it.effect("Present after an upsert, a reconciliation, a rollback inside, and a second population", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a] })
      yield* Registry.upsert(registry, b).pipe(by("one"))
      yield* Registry.upsert(registry, new Item(2, "two")).pipe(by("two"))
      yield* Registry.reconcile(registry, [a, new Item(2, "two"), c]).pipe(by("three"))
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Effect.ignore(
            Registry.transact(registry, Effect.andThen(Registry.unregister(registry, a), Effect.fail("no")))
          )
          yield* Registry.register(registry, d)
        })
      ).pipe(by("four"))
      const origins = yield* Effect.forEach(
        [1, 2, 3, 4],
        (id) =>
          Effect.map(
            Registry.explain(registry, "id", id),
            (one) => one._tag === "Present" ? `${one.owner} ${one.revision}` : ""
          )
      )
      assert.deepStrictEqual(origins, ["defaults 1", "one 2", "three 4", "four 5"])
      yield* Registry.reset(registry)
      yield* Registry.populate(registry).pipe(by("whoever comes"))
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 1), present(a, "defaults", 7))
    }))

  it.effect("Present lists the items that an override hides, Hidden names the override, and closing scopes restores both", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a, b] })
      yield* Registry.populate(registry)
      const both = new Item(1, "item 2")
      const top = new Item(9, "item 2")
      const scopes = [yield* Scope.make(), yield* Scope.make()]
      yield* Registry.override(registry, both).pipe(Scope.provide(scopes[0]!), by("test"))
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 1), present(both, "test", 2, [a, b]))
      assert.deepStrictEqual(yield* Registry.explain(registry, "name", "item 1"), { _tag: "Hidden", item: a, by: both })
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 2), { _tag: "Hidden", item: b, by: both })
      yield* Registry.override(registry, top).pipe(Scope.provide(scopes[1]!), by("above"))
      assert.deepStrictEqual(yield* Registry.explain(registry, "name", "item 2"), present(top, "above", 3, [b, both]))
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 1), { _tag: "Hidden", item: both, by: top })
      assert.deepStrictEqual(yield* Registry.explain(registry, "name", "item 1"), { _tag: "Hidden", item: a, by: both })
      yield* Scope.close(scopes[0]!, Exit.void)
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 1), present(a, "defaults", 1))
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 2), { _tag: "Hidden", item: b, by: top })
      yield* Scope.close(scopes[1]!, Exit.void)
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 2), present(b, "defaults", 1))
    }))

  it.effect("Absent: near matches, if there are any", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a, new Item(2, "search")] })
      yield* Registry.populate(registry)
      assert.deepStrictEqual(yield* Registry.explain(registry, "name", "serch"), absent("search"))
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 3), absent())
      const error = yield* Effect.flip(Registry.get(registry, "name", "serch"))
      assert.deepStrictEqual("suggestions" in error && error.suggestions, ["search"])
    }))

  it.effect("Absent, last Withdrawn: at which revision, by the owner that was given for it, and when", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a, b, c, d] })
      yield* TestClock.setTime(1_000)
      yield* Registry.unregister(registry, a).pipe(by("admin"))
      yield* TestClock.setTime(2_000)
      yield* Registry.transact(registry, Registry.unregisterBy(registry, "id", 2).pipe(by("inner"))).pipe(by("outer"))
      yield* Registry.replace(registry, "id", 3, new Item(3, "renamed")).pipe(by("renamer"))
      yield* Effect.scoped(Registry.registerScoped(registry, new Item(5, "five"))).pipe(by("session"))
      yield* Registry.reconcile(registry, [new Item(3, "renamed")]).pipe(by("file"))
      yield* Registry.reset(registry).pipe(by("operator"))
      const last = (attribute: "id" | "name", value: any) =>
        Effect.map(Registry.explain(registry, attribute, value), lastOf)
      // before it is populated again there is nothing to explain
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 1), pending)
      yield* Registry.populate(registry)
      yield* Registry.reconcile(registry, []).pipe(by("file"))
      assert.deepStrictEqual(yield* last("id", 1), withdrawn(10, "file", 2_000))
      assert.deepStrictEqual(yield* last("name", "renamed"), withdrawn(8, "operator", 2_000))
      assert.deepStrictEqual(yield* last("id", 5), withdrawn(6, "session", 2_000))
    }).pipe(Effect.scoped))

  it.effect("Absent, last Withdrawn: each way to withdraw", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a, b, c, d] })
      const last = (attribute: "id" | "name", value: any) =>
        Effect.map(Registry.explain(registry, attribute, value), lastOf)
      yield* Registry.unregister(registry, a).pipe(by("one"))
      yield* Registry.transact(registry, Registry.unregisterBy(registry, "id", 2).pipe(by("inner"))).pipe(by("outer"))
      yield* Registry.replace(registry, "id", 3, new Item(3, "renamed")).pipe(by("renamer"))
      yield* Registry.reconcile(registry, [new Item(3, "renamed")]).pipe(by("file"))
      yield* Registry.register(registry, new Item(6, "owned")).pipe(by("plugin"))
      yield* Registry.unregisterOwner(registry, "plugin").pipe(by("admin"))
      assert.deepStrictEqual(
        yield* Effect.all([last("id", 1), last("id", 2), last("name", "item 3"), last("id", 4), last("name", "owned")]),
        [
          withdrawn(2, "one", 0),
          withdrawn(3, "inner", 0),
          withdrawn(4, "renamer", 0),
          withdrawn(5, "file", 0),
          withdrawn(7, "admin", 0)
        ]
      )
      // in a transaction, too, and not if it is rolled back
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.unregisterBy(registry, "id", 3).pipe(by("nested"))
          assert.deepStrictEqual(yield* last("id", 3), withdrawn(8, "nested", 0))
          return yield* Effect.fail("no")
        })
      ).pipe(Effect.ignore)
      assert.strictEqual((yield* Registry.explain(registry, "id", 3))._tag, "Present")
    }))

  it.effect("with hooks, owners are those of the operation and not of the hooks, also in operations that take turns", () =>
    Effect.gen(function*() {
      const hooks = recording([])
      const registry = yield* Registry.make<Item>()({ lookup, hooks })
      const many = Array.from({ length: 2_000 }, (_, i) => new Item(i + 1))
      yield* Registry.reconcile(registry, many).pipe(by("file"))
      yield* Registry.replace(registry, "id", 1, new Item(1, "one")).pipe(by("admin"))
      assert.deepStrictEqual(
        yield* Registry.explain(registry, "id", 1),
        present(new Item(1, "one"), "file", 2, [], { revision: 3, by: "admin" })
      )
      yield* Registry.unregisterBy(registry, "id", 2).pipe(by("admin"))
      assert.deepStrictEqual(lastOf(yield* Registry.explain(registry, "id", 2)), withdrawn(4, "admin", 0))
      yield* Registry.reconcile(registry, []).pipe(by("file"))
      assert.deepStrictEqual(lastOf(yield* Registry.explain(registry, "id", 3)), withdrawn(5, "file", 0))
    }))

  it.effect("Absent, last Refused: by the registry or a hook, whatever operation it was, without the item", () =>
    Effect.gen(function*() {
      class Reserved extends Data.TaggedError("Reserved")<{ readonly secret: string }> {
        override get message() {
          return "It is reserved."
        }
      }
      const hooks = RegistryHooks.make<Item>()({
        onItemRegistering: (item) => item.name === "x" ? Effect.fail(new Reserved({ secret: "s3cret" })) : Effect.void
      })
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a], hooks })
      const refused = (id: number) =>
        Effect.map(Registry.explain(registry, "id", id), (one) => {
          const last = lastOf(one)
          return last?._tag === "Refused" ? [last.error._tag, last.error.code, last.error.keys] : last
        })
      const taken = ["AlreadyRegisteredError", "attribute_registered"]
      const operations = [
        (item: Item) => Registry.register(registry, item),
        (item: Item) => Registry.registerAll(registry, [new Item(99, "fine"), item]),
        (item: Item) => Effect.scoped(Registry.registerScoped(registry, item)),
        (item: Item) => Registry.upsert(registry, item),
        (item: Item) => Registry.reconcile(registry, [a, item]),
        (item: Item) => Registry.transact(registry, Registry.register(registry, item))
      ]
      for (const [index, operation] of operations.entries()) {
        const id = 10 + index
        yield* Effect.flip(operation(new Item(id, a.name)))
        assert.deepStrictEqual(yield* refused(id), [...taken, { id, name: a.name }])
        yield* Effect.flip(operation(new Item(id, "x")))
        assert.deepStrictEqual(yield* refused(id), ["Reserved", undefined, { id, name: "x" }])
      }
      const last = lastOf(yield* Registry.explain(registry, "name", "x"))
      assert.strictEqual(last?._tag === "Refused" && last.error.message, "It is reserved.")
      assert.notInclude(JSON.stringify(last), "s3cret")
      // the newest counts
      yield* Registry.register(registry, new Item(10, "ten"))
      yield* Registry.unregisterBy(registry, "id", 10)
      assert.strictEqual(lastOf(yield* Registry.explain(registry, "id", 10))?._tag, "Withdrawn")
      yield* Effect.flip(Registry.register(registry, new Item(10, "x")))
      assert.strictEqual(lastOf(yield* Registry.explain(registry, "id", 10))?._tag, "Refused")
    }))

  it.effect("Absent, last Refused: the newest 256 keys are known", () =>
    Effect.gen(function*() {
      const hooks = RegistryHooks.make<Item>()({ onItemRegistering: (item) => RegistryError.reject(item, "x") })
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks })
      yield* Registry.populate(registry)
      for (let id = 1; id <= 300; id++) yield* Effect.flip(Registry.register(registry, new Item(id, "x")))
      // again: the newest now
      yield* Effect.flip(Registry.register(registry, new Item(45, "x")))
      yield* Effect.flip(Registry.register(registry, new Item(301, "x")))
      const known = yield* Effect.filter(
        Array.from({ length: 310 }, (_, i) => i),
        (id) => Effect.map(Registry.explain(registry, "id", id), (one) => lastOf(one) !== undefined)
      )
      assert.deepStrictEqual(known, [45, ...Array.from({ length: 255 }, (_, i) => 47 + i)])
    }))

  it.effect("Absent, last Skipped: what did not come back after a reset", () =>
    Effect.gen(function*() {
      let refuses = false
      const hooks = RegistryHooks.make<Item>()({
        onItemRegistering: (item) => refuses ? RegistryError.reject(item, "no more") : Effect.void
      })
      const registry = yield* Registry.make<Item>()({ lookup, hooks })
      yield* Registry.registerScoped(registry, a)
      refuses = true
      yield* Registry.reset(registry)
      yield* Registry.populate(registry)
      const last = lastOf(yield* Registry.explain(registry, "id", 1))
      assert.strictEqual(last?._tag, "Skipped")
      assert.strictEqual(last?._tag === "Skipped" && last.error.code, "rejected")
    }))

  it.effect("Pending, without populating: before the first use, during population, and after a reset", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      let populations = 0
      const registry = yield* Registry.make<Item>()({
        lookup,
        defaults: Effect.suspend(() => {
          populations++
          return Effect.as(Deferred.await(gate), [a])
        })
      })
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 1), pending)
      assert.strictEqual(populations, 0)
      const populating = yield* Effect.forkChild(Registry.populate(registry), { startImmediately: true })
      assert.deepStrictEqual([yield* Registry.state(registry), yield* Registry.explain(registry, "id", 1)], [
        "Populating",
        pending
      ])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(populating)
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 1), present(a, "defaults", 1))
      yield* Registry.reset(registry)
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 1), pending)
      assert.strictEqual(populations, 1)
    }))

  it.effect("PopulationFailed has the cause of the last failure, until a population succeeds", () =>
    Effect.gen(function*() {
      let attempts = 0
      const ends = [Effect.fail("offline"), Effect.die("broken"), Effect.interrupt, Effect.succeed([a])]
      const registry = yield* Registry.make<Item>()({ lookup, defaults: Effect.suspend(() => ends[attempts++]!) })
      const cause = () =>
        Effect.map(
          Registry.explain(registry, "id", 1),
          (one) => one._tag === "PopulationFailed" ? Cause.squash(one.cause) : one
        )
      yield* Effect.exit(Registry.size(registry))
      assert.include(String(yield* cause()), "offline")
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      yield* Effect.exit(Registry.size(registry))
      assert.strictEqual(yield* cause(), "broken")
      yield* Effect.exit(Registry.size(registry))
      assert.include(String(yield* cause()), "interrupted from inside")
      yield* Registry.size(registry)
      assert.deepStrictEqual(yield* cause(), present(a, "defaults", 1))
      yield* Registry.reset(registry)
      assert.deepStrictEqual(yield* cause(), pending)
    }))

  it.effect("PopulationFailed if a default is refused, but not if the population was abandoned", () =>
    Effect.gen(function*() {
      const refused = yield* Registry.make<Item>()({ lookup, defaults: [a, new Item(1, "twin")] })
      yield* Effect.exit(Registry.size(refused))
      assert.strictEqual((yield* Registry.explain(refused, "id", 1))._tag, "PopulationFailed")
      const given = yield* Registry.make<Item>()({ lookup, defaults: Effect.as(Effect.never, [a]) })
      const fiber = yield* Effect.forkChild(Registry.size(given), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* Registry.explain(given, "id", 1), pending)
    }))

  it.effect("PopulationFailed if it failed in a transaction that reset the registry and went on", () =>
    Effect.gen(function*() {
      let attempts = 0
      const registry = yield* Registry.make<Item>()({
        lookup,
        defaults: Effect.suspend(() => ++attempts === 1 ? Effect.succeed([a]) : Effect.fail("offline"))
      })
      yield* Registry.transact(
        registry,
        Effect.andThen(Registry.reset(registry), Effect.ignore(Registry.size(registry)))
      )
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      const explained = yield* Registry.explain(registry, "id", 1)
      assert.strictEqual(explained._tag, "PopulationFailed")
      // a failure in a transaction that rolled back does not explain a later Pending
      attempts = 0
      const given = Registry.transact(registry, Effect.andThen(Registry.reset(registry), Registry.size(registry)))
      yield* Registry.populate(registry)
      yield* Effect.flip(given)
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 1), present(a, "defaults", 3))
      yield* Registry.reset(registry)
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 1), pending)
    }))

  it.effect("inside a transaction or a population it explains the draft", () =>
    Effect.gen(function*() {
      const seen: Array<Registry.Explanation<Item>> = []
      const registry: Items = yield* Registry.make<Item>()({
        lookup,
        defaults: [a, b],
        populationFailure: "die",
        hooks: {
          onItemRegistered: ({ id }) => Effect.map(Registry.explain(registry, "id", id), (one) => seen.push(one)),
          onPopulated: Effect.suspend(() => Effect.map(Registry.explain(registry, "id", 3), (one) => seen.push(one)))
        }
      })
      yield* Registry.populate(registry)
      assert.deepStrictEqual(seen, [present(a, "defaults", 1), present(b, "defaults", 1), absent()])
      seen.length = 0
      yield* Effect.ignore(Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.unregister(registry, a)
          yield* Registry.override(registry, new Item(2, "over"))
          assert.strictEqual(lastOf(yield* Registry.explain(registry, "id", 1))?._tag, "Withdrawn")
          assert.deepStrictEqual(yield* Registry.explain(registry, "id", 2), present(new Item(2, "over"), "", 2, [b]))
          yield* Registry.reset(registry)
          assert.deepStrictEqual(yield* Registry.explain(registry, "id", 2), pending)
          assert.strictEqual((yield* Registry.detached(Registry.explain(registry, "id", 2)))._tag, "Present")
          return yield* Effect.fail("no")
        })
      ))
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 1), present(a, "defaults", 1))
    }))

  it.effect("during rollback it explains the contents from before the transaction", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const registry: Items = yield* Registry.make<Item>()({
        lookup,
        hooks: {
          onItemUnregistered: ({ id }) => Effect.map(Registry.explain(registry, "id", id), (one) => seen.push(one))
        }
      })
      yield* Registry.register(registry, a)
      yield* Effect.ignore(
        Registry.transact(registry, Effect.andThen(Registry.register(registry, b), Effect.fail("no")))
      )
      assert.deepStrictEqual(seen, [absent()])
    }))

  it.effect("dies for an attribute that is not a unique lookup, in any state", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({
        lookup: { id: Lookup.unique((item: Item) => item.id), kind: Lookup.group(() => "x") }
      })
      for (const attribute of ["kind", "nmae", "__proto__"]) {
        const exit = yield* Effect.exit(Registry.explain(registry, attribute as "id", 1))
        assert.deepInclude(defectOf(exit) as object, { code: "invalid_attribute", attribute, suggestions: ["id"] })
        yield* Registry.populate(registry)
      }
    }))

  it.effect("every answer is true of one revision, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({ lookup, hooks: { onItemRegistered: () => Effect.yieldNow } })
        yield* Registry.register(registry, a).pipe(by("one"))
        const over = new Item(1, "over")
        const look = Effect.forEach([1, 2, 3], () =>
          Effect.map(Registry.explain(registry, "name", "item 1"), (one) => {
            if (one._tag === "Present") assert.deepStrictEqual(one, present(a, "one", one.revision))
            else if (one._tag === "Hidden") assert.strictEqual(one.by, over)
            else assert.strictEqual(one._tag, "Absent")
          }))
        yield* Effect.all([
          look,
          Effect.scoped(Effect.andThen(Registry.override(registry, over), Effect.yieldNow)),
          Effect.ignore(Registry.unregister(registry, a))
        ], { concurrency: "unbounded" })
      })),
      { seeds: 200 }
    ))
})

describe("owners", () => {
  it.effect("hooks and layers of items use the owner where they were defined, a transact body that of its caller, and defaults their own", () =>
    Effect.gen(function*() {
      class Things extends Registry.Service<Things, Item>()("Things", {
        lookup,
        defaults: [a],
        hooks: RegistryHooks.make<Item>()({})
      }) {}
      const hooks = RegistryHooks.layer(Things, {
        onItemRegistered: (item) =>
          item === b ? Effect.orDie(Effect.flatMap(Things, Registry.register(c))) : Effect.void
      }).pipe(Layer.provide(Layer.succeed(Registry.Owner, "hooks")))
      const more = Things.items([d]).pipe(Layer.provide(Layer.succeed(Registry.Owner, "plugin")))
      yield* Effect.gen(function*() {
        yield* Things.register(b).pipe(by("caller"))
        const owners = yield* Effect.forEach(
          [1, 2, 3, 4],
          (id) => Effect.map(Things.explain("id", id), (one) => one._tag === "Present" ? one.owner : one._tag)
        )
        assert.deepStrictEqual(owners, ["defaults", "caller", "hooks", "plugin"])
      }).pipe(
        Effect.provide(
          Layer.mergeAll(hooks, more).pipe(
            Layer.provideMerge(Things.layer.pipe(Layer.provide(Layer.succeed(Registry.Owner, "registry"))))
          )
        )
      )
    }))

  it.effect("PITFALL 50 a conflict names the owner of the existing item", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.register(registry, a).pipe(by("web"))
      const errors = [
        yield* Effect.flip(Registry.register(registry, a)),
        yield* Effect.flip(Registry.register(registry, new Item(1, "twin"))),
        yield* Effect.flip(Registry.reconcile(registry, [a, new Item(2, "item 1")]))
      ]
      for (const error of errors) assert.match(error.message, /by "web"/)
    }))

  it.effect("unregisterOwner removes the items of an owner, newest first, in one transaction, and returns them in registration order", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup, defaults: [a], hooks: recording(log) })
      yield* Registry.registerAll(registry, [b, c]).pipe(by("web"))
      yield* Registry.register(registry, d).pipe(by("other"))
      yield* Registry.register(registry, new Item(5)).pipe(by("web"))
      const before = RegistrySnapshot.revision(yield* Registry.snapshot(registry))
      log.length = 0
      const gone = yield* Registry.unregisterOwner(registry, "web")
      assert.strictEqual(names(gone), "item 2,item 3,item 5")
      assert.deepStrictEqual(log, [5, 3, 2].flatMap((id) => [`unregistering ${id}`, `unregistered ${id}`]))
      const after = yield* Registry.snapshot(registry)
      assert.strictEqual(names(after), "item 1,item 4")
      assert.strictEqual(RegistrySnapshot.revision(after), before + 1)
      assert.deepStrictEqual(yield* registry.pipe(Registry.unregisterOwner("web")), [])
      // a plugin whose name is missing takes nothing of others along
      const exit = yield* Effect.exit(Registry.unregisterOwner(registry, ""))
      assert.include(String(defectOf(exit)), `the owner "" in "registry"`)
      assert.strictEqual(names(yield* Registry.values(registry)), "item 1,item 4")
    }))

  it.effect("unregisterOwner returns hidden items at their place among the others", () =>
    Effect.gen(function*() {
      const registry = yield* make
      const scope = yield* Scope.make()
      yield* Registry.registerAll(registry, [a, b, c]).pipe(by("his"))
      yield* Registry.override(registry, new Item(2, "hers")).pipe(Scope.provide(scope), by("hers"))
      assert.strictEqual(names(yield* Registry.unregisterOwner(registry, "his")), "item 1,item 2,item 3")
      assert.strictEqual(names(yield* Registry.values(registry)), "hers")
    }))

  it.effect("unregisterOwner removes overrides and hidden items, and none of them becomes visible meanwhile", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const balance = new Balance()
      const registry = yield* make
      yield* Registry.addHooks(registry, RegistryHooks.combine(balance.hooks, recording(log)))
      const scope = yield* Scope.make()
      const override = (item: Item, owner: string) =>
        Registry.override(registry, item).pipe(Scope.provide(scope), by(owner))
      const hers = new Item(2, "item 3")
      yield* Registry.registerAll(registry, [a, b]).pipe(by("his"))
      yield* Registry.register(registry, c).pipe(by("hers"))
      yield* override(hers, "hers")
      yield* override(new Item(1, "his"), "his")
      yield* override(new Item(2, "top"), "his")
      assert.strictEqual(names(yield* Registry.values(registry)), "his,top")
      log.length = 0
      // c stays hidden by the override above it
      assert.strictEqual(names(yield* Registry.unregisterOwner(registry, "his")), "item 1,item 2,his,top")
      assert.deepStrictEqual(log, [
        "unregistering 2",
        "unregistered 2",
        "registered 2",
        "unregistering 1",
        "unregistered 1"
      ])
      assert.strictEqual(names(yield* Registry.values(registry)), "item 3")
      assert.deepStrictEqual(balance.wrong(yield* Registry.values(registry)), [])
      assert.deepStrictEqual(contradictions(registry), [])
      assert.strictEqual(names(yield* Registry.unregisterOwner(registry, "hers")), "item 3,item 3")
      assert.deepStrictEqual(balance.wrong([]), [])
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Registry.size(registry), 0)
      yield* Registry.registerAll(registry, [a, b, c])
    }))

  it.effect("unregisterOwner of an override restores the item of another owner", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.register(registry, a).pipe(by("his"))
      yield* Registry.override(registry, new Item(1, "over")).pipe(by("hers"))
      yield* Registry.unregisterOwner(registry, "hers")
      assert.deepStrictEqual(yield* Registry.explain(registry, "id", 1), present(a, "his", 2))
    }))

  for (const from of ["outside", "inside"] as const) {
    it.effect(`G7 unregisterOwner interrupted at any step, from ${from}, has removed all or nothing`, () =>
      Effect.gen(function*() {
        const interrupted = yield* RegistryTest.interruptEach({
          setup: Effect.gen(function*() {
            const balance = new Balance()
            const registry = yield* Registry.make<Item>()({ lookup, hooks: balance.hooks })
            yield* Registry.registerAll(registry, [a, b]).pipe(by("web"))
            yield* Registry.register(registry, c)
            return { balance, registry }
          }),
          run: ({ registry }) => Registry.unregisterOwner(registry, "web"),
          check: ({ balance, registry }) =>
            Effect.gen(function*() {
              const now = yield* Registry.values(registry)
              assert.include(["item 1,item 2,item 3", "item 3"], names(now))
              if (from === "outside") assert.deepStrictEqual(balance.wrong(now), [])
              yield* Registry.register(registry, d)
            }),
          from
        })
        assert.isAbove(interrupted, 5)
      }))
  }
})
