/** The order of hooks that have names, whatever the order in which they were installed. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { Registry, RegistryHooks } from "effect-registry"

interface Tool {
  readonly name: string
}

class Tools extends Registry.Service<Tools, Tool>()("test/Tools", { lookup: ["name"] }) {}

const permutations = <A>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  all.length === 0
    ? [[]]
    : all.flatMap((one, i) => permutations(all.toSpliced(i, 1)).map((rest) => [one, ...rest]))

/** Hooks that write the name of theirs and what happened. */
const logging = (log: Array<string>, name: string) => ({
  onItemRegistering: () => Effect.sync(() => log.push(`${name} +?`)),
  onItemRegistered: () => Effect.sync(() => log.push(`${name} +`)),
  onItemUnregistering: () => Effect.sync(() => log.push(`${name} -?`)),
  onItemUnregistered: () => Effect.sync(() => log.push(`${name} -`)),
  onPopulating: Effect.sync(() => log.push(`${name} populating`)),
  onPopulated: Effect.sync(() => log.push(`${name} populated`)),
  onResetting: Effect.sync(() => log.push(`${name} resetting`)),
  onReset: Effect.sync(() => log.push(`${name} reset`))
})

/** Hooks of one kind only, to see an order. */
const telling = (log: Array<string>, name: string) => ({ onItemRegistered: () => Effect.sync(() => log.push(name)) })

interface Given extends RegistryHooks.Place {
  readonly id: string
}

/** The order in which hooks are called that were added one after the other. */
const orderOf = (all: ReadonlyArray<Given>) =>
  Effect.scoped(Effect.gen(function*() {
    const log: Array<string> = []
    const registry = yield* Registry.make<Tool>()({ name: "tools", lookup: ["name"] })
    for (const { id, ...place } of all) yield* Registry.addHooks(registry, telling(log, id), place)
    yield* Registry.register(registry, { name: "x" })
    return log.join(" ")
  }))

/** The message with which an effect dies. */
const deathOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.exit(effect), (exit) => {
    const [reason] = Exit.isFailure(exit) ? exit.cause.reasons : []
    return reason?._tag === "Die" && reason.defect instanceof Error ? reason.defect.message : undefined
  })

const circle = (...names: ReadonlyArray<string>) =>
  `Could not order the hooks of "tools", which are in a circle: ${names.join(" before ")}.`

describe("hooks with names", () => {
  for (const slow of ["normalize", "validate", "index"]) {
    it.effect(`have their order in layers that are built at once, though ${slow} takes longest to build`, () => {
      const log: Array<string> = []
      const built: Array<string> = []
      const hooks = (name: string, place: RegistryHooks.Place) =>
        RegistryHooks.layer(
          Tools,
          Effect.gen(function*() {
            if (name === slow) yield* Effect.yieldNow
            built.push(name)
            return logging(log, name)
          }),
          { name, ...place }
        )
      const order = ["normalize", "validate", "index"]
      const each = (event: string, names = order) => names.map((name) => `${name} ${event}`)
      const reversed = (event: string) => each(event, order.toReversed())
      return Effect.gen(function*() {
        assert.strictEqual(built.at(-1), slow)
        yield* Tools.populate
        assert.deepStrictEqual(log.splice(0), [...each("populating"), ...each("populated")])
        yield* Tools.register({ name: "x" })
        assert.deepStrictEqual(log.splice(0), [...each("+?"), ...each("+")])
        yield* Tools.unregisterBy("name", "x")
        assert.deepStrictEqual(log.splice(0), [...reversed("-?"), ...reversed("-")])
        yield* Effect.exit(Tools.transact(Effect.andThen(Tools.register({ name: "y" }), Effect.fail("no"))))
        assert.deepStrictEqual(log.splice(0), [...each("+?"), ...each("+"), ...reversed("-")])
        yield* Tools.reset
        assert.deepStrictEqual(log, [...reversed("resetting"), ...reversed("reset")])
      }).pipe(Effect.provide(
        Layer.mergeAll(
          hooks("index", { after: ["normalize", "validate"] }),
          hooks("validate", {}),
          hooks("normalize", { before: "validate" })
        ).pipe(Layer.provideMerge(Tools.layer))
      ))
    })
  }

  it.effect("have one order in every order of their installation, where their constraints leave one", () =>
    Effect.gen(function*() {
      const all = [
        { id: "a", name: "a", before: "b" },
        { id: "b", name: "b" },
        { id: "c", name: "c", after: ["b"] },
        { id: "d", after: "c", before: ["e", "nowhere"] },
        { id: "e", name: "e", after: ["a", "b", "elsewhere"] }
      ]
      for (const some of permutations(all)) assert.strictEqual(yield* orderOf(some), "a b c d e")
    }))

  it.effect("leave hooks without constraints where they were, in every order of their installation", () =>
    Effect.gen(function*() {
      const all = [
        { id: "first", before: "x" },
        { id: "x", name: "x" },
        { id: "y", name: "y" },
        { id: "z", name: "z" },
        { id: "last", after: ["z", "y"] }
      ]
      for (const some of permutations(all)) {
        const order = yield* orderOf(some)
        const at = (id: string) => order.split(" ").indexOf(id)
        assert.isBelow(at("first"), at("x"), order)
        assert.isAbove(at("last"), Math.max(at("y"), at("z")), order)
        const free = some.flatMap(({ id }) => id === "first" || id === "last" ? [] : id)
        assert.deepStrictEqual(order.split(" ").filter((id) => free.includes(id)), free)
      }
    }))

  it.effect("move others only where their constraints leave no other order", () =>
    Effect.gen(function*() {
      const between = { id: "between", after: "b", before: "a" }
      const free = [{ id: "a", name: "a" }, { id: "b", name: "b" }, { id: "c" }, { id: "d" }]
      assert.strictEqual(yield* orderOf([...free, between]), "b between a c d")
      assert.strictEqual(yield* orderOf([between, ...free]), "b between a c d")
    }))

  it.effect("come as early as their constraints allow, and no earlier than they were installed", () =>
    Effect.gen(function*() {
      const a = { id: "a", name: "a" }
      const b = { id: "b", name: "b" }
      assert.strictEqual(yield* orderOf([a, b, { id: "x", before: "b" }]), "a x b")
      assert.strictEqual(yield* orderOf([a, b, { id: "x", before: "a" }]), "x a b")
      assert.strictEqual(yield* orderOf([a, { id: "x", after: "a" }, b]), "a x b")
      assert.strictEqual(yield* orderOf([{ id: "x", after: "a" }, a, b]), "a x b")
      assert.strictEqual(yield* orderOf([{ id: "x", after: "b" }, a, b]), "a b x")
    }))

  it.effect("keep the order of installation where none has a name, or none has a constraint", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* orderOf([{ id: "b" }, { id: "a" }, { id: "c" }]), "b a c")
      assert.strictEqual(
        yield* orderOf([{ id: "b", name: "z" }, { id: "a", name: "" }, { id: "c", name: "y" }]),
        "b a c"
      )
      assert.strictEqual(yield* orderOf([{ id: "b", before: [] }, { id: "a", after: [] }]), "b a")
      const none = { name: undefined, before: undefined, after: undefined }
      assert.strictEqual(yield* orderOf([{ id: "b", ...none }, { id: "a", ...none }]), "b a")
    }))

  it.effect("may share a name: others come before or after all of them", () =>
    Effect.gen(function*() {
      const all = [
        { id: "last", after: "check" },
        { id: "check 1", name: "check" },
        { id: "check 2", name: "check" },
        { id: "first", before: "check" }
      ]
      for (const some of permutations(all)) {
        const order = yield* orderOf(some)
        assert.match(order, /^first check \d check \d last$/)
        const [one, other] = some.filter(({ name }) => name !== undefined)
        assert.strictEqual(order, `first ${one!.id} ${other!.id} last`)
      }
    }))
})

describe("where names are given", () => {
  it.effect("by the hooks of a definition, they order hooks that come later", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Tool>()({
        lookup: ["name"],
        hooks: RegistryHooks.combineAll([
          RegistryHooks.make<Tool>()(telling(log, "c"), { name: "c", after: "b" }),
          RegistryHooks.make<Tool>()(telling(log, "b"), { name: "b" }),
          RegistryHooks.make<Tool>()(telling(log, "a"), { before: ["b", "c"] })
        ])
      })
      yield* Registry.register(registry, { name: "x" })
      assert.deepStrictEqual(log.splice(0), ["a", "b", "c"])
      yield* Registry.addHooks(registry, telling(log, "between"), { after: "b", before: "c" })
      yield* registry.pipe(Registry.addHooks(telling(log, "first"), { before: "b" }))
      yield* Registry.register(registry, { name: "y" })
      assert.deepStrictEqual(log, ["a", "first", "b", "between", "c"])
    }).pipe(Effect.scoped))

  it.effect("by a layer, or by addHooks, they are of all parts of the hooks, besides their own", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const both = RegistryHooks.combine(
        RegistryHooks.make<Tool>()(telling(log, "late"), { name: "late", after: "early" }),
        RegistryHooks.make<Tool>()(telling(log, "early"), { name: "early" })
      )
      yield* Tools.addHooks(telling(log, "after early"), { after: "early", before: "late" })
      yield* Tools.addHooks(telling(log, "after both"), { after: "both" })
      yield* Tools.addHooks(telling(log, "before both"), { before: "both" })
      yield* Layer.build(RegistryHooks.layer(Tools, both, { name: "both" }))
      yield* Tools.register({ name: "x" })
      assert.deepStrictEqual(log, ["before both", "early", "after early", "late", "after both"])
    }).pipe(Effect.scoped, Effect.provide(Tools.layer)))

  it.effect("with existing, items are told in that order, and told to go in reverse", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const hooks = RegistryHooks.combine(
        RegistryHooks.make<Tool>()(logging(log, "second"), { after: "first" }),
        RegistryHooks.make<Tool>()(logging(log, "first"), { name: "first" })
      )
      yield* Tools.register({ name: "x" })
      yield* Effect.scoped(Tools.addHooks(hooks, { existing: true, name: "both" }))
      assert.deepStrictEqual(log, ["first +", "second +", "second -", "first -"])
    }).pipe(Effect.provide(Tools.layer)))

  it.effect("in a transaction, they order hooks from the next operation on", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      yield* Tools.addHooks(telling(log, "a"), { name: "a" })
      yield* Tools.transact(Effect.gen(function*() {
        yield* Tools.register({ name: "x" })
        yield* Tools.addHooks(telling(log, "b"), { before: "a" })
        yield* Tools.register({ name: "y" })
        assert.deepStrictEqual(log.splice(0), ["a", "b", "a"])
      }))
      yield* Tools.register({ name: "z" })
      assert.deepStrictEqual(log, ["b", "a"])
    }).pipe(Effect.scoped, Effect.provide(Tools.layer)))

  it.effect("before a registry is loaded late, they order its own hooks, and those that are loaded with it", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      class Late extends Registry.Service<Late, Tool>()("test/Late", {
        lookup: ["name"],
        defaults: [{ name: "x" }],
        hooks: RegistryHooks.make<Tool>()(telling(log, "definition"), { name: "definition" })
      }) {}
      const loaded = RegistryHooks.layer(Late, telling(log, "loaded"), { name: "loaded", before: "definition" })
      const live = Late.layerLazy(() => Promise.resolve(Layer.provideMerge(loaded, Late.layer)))
      yield* Effect.gen(function*() {
        yield* Late.addHooks(telling(log, "free"))
        yield* Late.addHooks(telling(log, "after"), { after: "definition", before: "end" })
        yield* Late.addHooks(telling(log, "before"), { before: "loaded" })
        yield* Late.addHooks(telling(log, "end"), { name: "end" })
        yield* Late.populate
        assert.deepStrictEqual(log.splice(0), ["before", "loaded", "definition", "free", "after", "end"])
        yield* Late.reset
        yield* Late.populate
        assert.deepStrictEqual(log, ["before", "loaded", "definition", "free", "after", "end"])
      }).pipe(Effect.scoped, Effect.provide(live))
    }))
})

describe("hooks that come and go", () => {
  it.effect("a constraint on a name waits for it, and holds as long as it is there", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const seen = Effect.gen(function*() {
        yield* Tools.register({ name: "x" })
        yield* Tools.unregisterBy("name", "x")
        return log.splice(0).join(" ")
      })
      const scope = yield* Scope.make()
      yield* Tools.addHooks(telling(log, "c"), { name: "c" })
      yield* Tools.addHooks(telling(log, "a"), { before: "d" })
      assert.strictEqual(yield* seen, "c a")
      yield* Tools.addHooks(telling(log, "d"), { name: "d" }).pipe(Scope.provide(scope))
      assert.strictEqual(yield* seen, "c a d")
      yield* Tools.addHooks(telling(log, "b"), { after: "d", before: "c" }).pipe(Scope.provide(scope))
      assert.strictEqual(yield* seen, "a d b c")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* seen, "c a")
    }).pipe(Effect.scoped, Effect.provide(Tools.layer)))

  it.effect("G20 the calls of named hooks are undone in reverse, those of one that was removed meanwhile, too", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const scope = yield* Scope.make()
      yield* Tools.addHooks(logging(log, "b"), { name: "b" })
      yield* Tools.addHooks(logging(log, "a"), { name: "a", before: "b" }).pipe(Scope.provide(scope))
      yield* Tools.populate
      log.length = 0
      yield* Effect.exit(Tools.transact(Effect.gen(function*() {
        yield* Tools.register({ name: "x" })
        yield* Scope.close(scope, Exit.void)
        yield* Tools.register({ name: "y" })
        return yield* Effect.fail("no")
      })))
      assert.deepStrictEqual(log, ["a +?", "b +?", "a +", "b +", "b +?", "b +", "b -", "b -", "a -"])
    }).pipe(Effect.scoped, Effect.provide(Tools.layer)))

  it.effect("a transaction in flight goes on with the order that it began with, and tells hooks that came meanwhile at its end", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const entered = yield* Deferred.make<void>()
      const latch = yield* Deferred.make<void>()
      yield* Tools.addHooks({
        onItemRegistering: () => Effect.andThen(Deferred.succeed(entered, undefined), Deferred.await(latch)),
        onItemRegistered: () => Effect.sync(() => log.push("a"))
      }, { name: "a" })
      const fiber = yield* Effect.forkChild(Tools.register({ name: "x" }))
      yield* Deferred.await(entered)
      yield* Tools.addHooks(telling(log, "b"), { before: "a" })
      yield* Deferred.succeed(latch, undefined)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(log.splice(0), ["a", "b"])
      yield* Tools.register({ name: "y" })
      assert.deepStrictEqual(log, ["b", "a"])
    }).pipe(Effect.scoped, Effect.provide(Tools.layer)))
})

describe("hooks in a circle", () => {
  const a = { id: "a", name: "a", before: "b" }
  const b = { id: "b", name: "b", before: "c" }
  const c = { id: "c", name: "c", before: "a" }

  it.effect("die with a message that names it, and are not installed: the others go on", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Tool>()({ name: "tools", lookup: ["name"] })
      const add = ({ id, ...place }: Given) => Registry.addHooks(registry, telling(log, id), place)
      yield* add({ id: "free" })
      yield* add(a)
      yield* add(b)
      const message = circle("\"a\"", "\"b\"", "\"c\"", "\"a\"")
      assert.strictEqual(yield* deathOf(add(c)), message)
      assert.strictEqual(yield* deathOf(Layer.build(RegistryHooks.layer(registry, telling(log, "c"), c))), message)
      yield* Registry.register(registry, { name: "x" })
      assert.deepStrictEqual(log.splice(0), ["free", "a", "b"])
      const dying = Registry.transact(registry, Effect.andThen(Registry.register(registry, { name: "y" }), add(c)))
      assert.strictEqual(yield* deathOf(dying), message)
      assert.strictEqual(yield* Registry.size(registry), 1)
      log.length = 0
      yield* Registry.register(registry, { name: "z" })
      assert.deepStrictEqual(log, ["free", "a", "b"])
    }).pipe(Effect.scoped))

  it.effect("name those that have a name, and leave out those that are not in it", () =>
    Effect.gen(function*() {
      const behind = { id: "behind", name: "behind", after: "a" }
      const loop = { id: "c", after: "b", before: "a" }
      const expected = circle("\"a\"", "\"b\"", "one without a name", "\"a\"")
      for (const all of permutations([a, { id: "b", name: "b" }, loop, behind])) {
        const message = yield* deathOf(orderOf(all))
        const [, names] = /circle: (.*)\.$/.exec(message ?? "")!
        const parts = names!.split(" before ")
        const from = parts.indexOf("\"a\"")
        const turned = [...parts.slice(from, -1), ...parts.slice(0, from), "\"a\""]
        assert.strictEqual(circle(...turned), expected, message)
      }
      assert.strictEqual(yield* deathOf(orderOf([{ id: "a", name: "a", after: "a" }])), circle("\"a\"", "\"a\""))
      const twice = { name: "a", before: "a" }
      assert.strictEqual(
        yield* deathOf(orderOf([{ id: "1", name: "a" }, { id: "2", ...twice }])),
        circle("\"a\"", "\"a\"")
      )
    }))

  it.effect("of a definition die when the registry is made, and of a late one when it is loaded", () =>
    Effect.gen(function*() {
      const hooks = RegistryHooks.combine(
        RegistryHooks.make<Tool>()({}, { name: "a", before: "b" }),
        RegistryHooks.make<Tool>()({}, { name: "b", before: "a" })
      )
      const expected = circle("\"a\"", "\"b\"", "\"a\"")
      const making = Registry.make<Tool>()({ name: "tools", lookup: ["name"], hooks })
      assert.strictEqual(yield* deathOf(Effect.scoped(making)), expected)

      class Late extends Registry.Service<Late, Tool>()("tools", {
        lookup: ["name"],
        hooks: RegistryHooks.make<Tool>()({}, { name: "b", before: "a" })
      }) {}
      yield* Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* Late.addHooks({}, { name: "a", before: "b" }).pipe(Scope.provide(scope))
        assert.strictEqual(yield* deathOf(Late.size), circle("\"b\"", "\"a\"", "\"b\""))
        assert.strictEqual(yield* Late.state, "Pending")
        // without the hooks that are in its way it can be loaded
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* Late.size, 0)
      }).pipe(Effect.provide(Late.layerLazy(() => Promise.resolve(Late.layer))))
    }))

  it.effect("with existing, are told of nothing", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      yield* Tools.register({ name: "x" })
      yield* Tools.addHooks({}, { name: "a", before: "b" })
      const adding = Tools.addHooks(logging(log, "b"), { existing: true, name: "b", before: "a" })
      assert.match((yield* deathOf(adding)) ?? "", /in a circle: "a" before "b" before "a"\.$/)
      yield* Tools.register({ name: "y" })
      assert.deepStrictEqual(log, [])
    }).pipe(Effect.scoped, Effect.provide(Tools.layer)))
})
