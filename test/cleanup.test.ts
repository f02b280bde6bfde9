/**
 * Clean-up: its order, and the exit that finalizers are given.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { Registry, RegistryError, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { a, b, Balance, c, d, defectOf, Item, messageOf } from "./utils/items.ts"

/** The exit of a finalizer in a few words. */
const shown = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "success"
  if (Cause.hasInterruptsOnly(exit.cause)) return "interruption"
  const error = Cause.squash(exit.cause)
  return `${Cause.hasDies(exit.cause) ? "defect" : "failure"} ${
    error instanceof RegistryError.PopulationError ? `${error.code} of ${String(error.cause)}` : String(error)
  }`
}

/** Acquires something, and tells when it is released, and with which exit. */
const resource = (log: Array<string>, name: string): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) =>
    Effect.andThen(
      Effect.sync(() => log.push(`${name} acquired`)),
      Scope.addFinalizerExit(scope, (exit) => Effect.sync(() => log.push(`${name} released: ${shown(exit)}`)))
    ))

/** Hooks that write a line to the log for each item that comes or goes. */
const telling = (log: Array<string>) => ({
  onItemRegistered: ({ id }: Item) => Effect.sync(() => log.push(`+${id}`)),
  onItemUnregistered: ({ id }: Item) => Effect.sync(() => log.push(`-${id}`))
})

const make = (name: string) => Registry.make<Item>()({ name, lookup: ["id"] })

/** Empties a registry, and populates it. */
const again = <P>(registry: Registry.Registry<Item, readonly ["id"], P, never>) =>
  Effect.andThen(Registry.reset(registry), Registry.populate(registry))

describe("the exit that finalizers of a population are given", () => {
  const failures: Record<string, [Effect.Effect<ReadonlyArray<Item>, string>, string]> = {
    "a failure of the defaults": [Effect.fail("offline"), "failure defaults of offline"],
    "a defect of the defaults": [Effect.die("broken"), "defect broken"],
    "an interruption of the defaults": [Effect.interrupt, "interruption"],
    "a default that cannot be registered": [
      Effect.succeed([a, new Item(1, "twin")]),
      "failure registration of AlreadyRegisteredError"
    ]
  }
  for (const [name, [defaults, expected]] of Object.entries(failures)) {
    it.effect(`G2 ${name}: a failure, with the cause of the population`, () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const registry = yield* Registry.make<Item>()({
          lookup: ["id"],
          defaults: Effect.andThen(resource(log, "file"), defaults)
        })
        assert.isTrue(Exit.isFailure(yield* Effect.exit(Registry.populate(registry))))
        assert.strictEqual(log.length, 2)
        assert.include(log[1], `file released: ${expected}`)
      }))
  }

  it.effect("G2 a hook that dies: a failure, with its defect", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.as(resource(log, "file"), [a]),
        hooks: { onPopulated: Effect.die("boom") }
      })
      yield* Effect.exit(Registry.populate(registry))
      assert.deepStrictEqual(log, ["file acquired", "file released: defect boom"])
    }))

  it.effect("G3 all waiting fibers were interrupted: an interruption", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.andThen(resource(log, "file"), Effect.never)
      })
      const waiting = yield* Effect.forkChild(Registry.populate(registry), { startImmediately: true })
      yield* Effect.yieldNow
      yield* Fiber.interrupt(waiting)
      assert.deepStrictEqual(log, ["file acquired", "file released: interruption"])
    }))

  it.effect("G4 a transaction around it fails: the failure of that, though the population had succeeded", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.as(resource(log, "file"), [a])
      })
      yield* Registry.populate(registry)
      log.length = 0
      yield* Effect.exit(Registry.transact(
        registry,
        Effect.andThen(
          Registry.transact(registry, again(registry)),
          Effect.fail("no")
        )
      ))
      assert.deepStrictEqual(log, ["file acquired", "file released: failure no"])
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a])
    }))

  it.effect("G4 a reset: a success, also where another population has taken its place in the same transaction", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let runs = 0
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => Effect.as(resource(log, `file ${++runs}`), [a]))
      })
      yield* Registry.populate(registry)
      yield* Registry.transact(registry, Effect.andThen(again(registry), again(registry)))
      assert.deepStrictEqual(log.filter((line) => line.includes("released")).toSorted(), [
        "file 1 released: success",
        "file 2 released: success"
      ])
      yield* Registry.reset(registry)
      assert.strictEqual(log.at(-1), "file 3 released: success")
    }))

  for (const exit of [Exit.void, Exit.fail("down"), Exit.die("broken"), Exit.interrupt()]) {
    it.effect(`G26 the scope of the registry closes: its exit, ${shown(exit)}`, () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const scope = yield* Scope.make()
        const registry = yield* Scope.provide(
          Registry.make<Item>()({ lookup: ["id"], defaults: Effect.as(resource(log, "file"), [a]) }),
          scope
        )
        yield* Registry.populate(registry)
        yield* Scope.close(scope, exit)
        assert.deepStrictEqual(log, ["file acquired", `file released: ${shown(exit)}`])
      }))
  }

  it.effect("G26 the registry closes while it is populated: an interruption, after which it can be used no more", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const scope = yield* Scope.make()
      const registry = yield* Scope.provide(
        Registry.make<Item>()({ lookup: ["id"], defaults: Effect.andThen(resource(log, "file"), Effect.never) }),
        scope
      )
      const waiting = yield* Effect.forkChild(Effect.exit(Registry.size(registry)), { startImmediately: true })
      yield* Effect.yieldNow
      assert.deepStrictEqual(log, ["file acquired"])
      yield* Scope.close(scope, Exit.fail("down"))
      assert.strictEqual(shown(yield* Fiber.join(waiting)), "interruption")
      assert.deepStrictEqual(log, ["file acquired", "file released: interruption"])
    }))

  it.effect("resources of a layer are told of the failure of its import; those of one in use, of the end of the registry", () => {
    const log: Array<string> = []
    let attempts = 0
    class Items extends Registry.Service<Items, Item>()("test/Items", {
      lookup: ["id"],
      defaults: Effect.suspend(() => attempts === 2 ? Effect.fail("offline") : Effect.succeed([a]))
    }) {}
    const load = () => {
      const attempt = ++attempts
      const built = attempt === 1 ? Effect.fail("broken") : Effect.void
      return Promise.resolve(
        Layer.effectDiscard(Effect.andThen(resource(log, `layer ${attempt}`), built)).pipe(
          Layer.provideMerge(Items.layer)
        )
      )
    }
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Items.layerLazy(load), scope)
      const size = Effect.provide(Items.size, context)
      yield* Effect.exit(size)
      assert.deepStrictEqual(log.splice(0), ["layer 1 acquired", "layer 1 released: failure broken"])
      yield* Effect.exit(size)
      assert.deepStrictEqual(log.splice(0), ["layer 2 acquired", "layer 2 released: failure defaults of offline"])
      assert.strictEqual(yield* size, 1)
      yield* Scope.close(scope, Exit.fail("down"))
      assert.deepStrictEqual(log, ["layer 3 acquired", "layer 3 released: failure down"])
    })
  })
})

describe("the order of clean-up", () => {
  it.effect("G2 a population that fails: first its hooks are played back, and then its resources are released", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let fails = true
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.as(resource(log, "file"), [a, b]),
        hooks: {
          ...telling(log),
          onItemUnregistered: ({ id }) => Effect.andThen(Effect.yieldNow, Effect.sync(() => log.push(`-${id}`))),
          onPopulated: Effect.suspend(() => fails ? Effect.die("boom") : Effect.void)
        }
      })
      yield* Effect.exit(Registry.populate(registry))
      assert.deepStrictEqual(log, ["file acquired", "+1", "+2", "-2", "-1", "file released: defect boom"])
      fails = false
      yield* Registry.populate(registry)
      assert.deepStrictEqual(log.slice(6), ["file acquired", "+1", "+2"])
    }))

  it.effect("G2 so where it succeeded in a transaction that fails, and where a transaction of several registries does", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const one = yield* Registry.make<Item>()({
        name: "one",
        lookup: ["id"],
        defaults: Effect.as(resource(log, "file of one"), [a]),
        hooks: telling(log)
      })
      const two = yield* Registry.make<Item>()({
        name: "two",
        lookup: ["id"],
        defaults: Effect.as(resource(log, "file of two"), [b]),
        hooks: telling(log)
      })
      yield* Registry.populate(one)
      yield* Registry.populate(two)
      log.length = 0
      yield* Effect.exit(Registry.transact(one, Effect.andThen(again(one), Effect.fail("no"))))
      assert.deepStrictEqual(log.splice(0), [
        "-1",
        "file of one acquired",
        "+1",
        "-1",
        "+1",
        "file of one released: failure no"
      ])
      yield* Effect.exit(
        Registry.transactAll([one, two], Effect.andThen(Effect.andThen(again(one), again(two)), Effect.fail("no")))
      )
      assert.strictEqual(
        log.slice(0, 10).join(),
        "-1,file of one acquired,+1,-2,file of two acquired,+2,-2,+2,-1,+1"
      )
      assert.deepStrictEqual(log.slice(10).toSorted(), [
        "file of one released: failure no",
        "file of two released: failure no"
      ])
    }))

  it.effect("an import that fails: first the hooks are played back, and then the resources of its layer are released", () => {
    const log: Array<string> = []
    let dies = true
    class Items extends Registry.Service<Items, Item>()("test/Items", { lookup: ["id"], defaults: [a, b] }) {}
    const load = () =>
      Promise.resolve(Layer.effectDiscard(resource(log, "layer")).pipe(Layer.provideMerge(Items.layer)))
    return Effect.gen(function*() {
      yield* Items.addHooks({
        ...telling(log),
        onItemUnregistered: ({ id }) => Effect.andThen(Effect.yieldNow, Effect.sync(() => log.push(`-${id}`))),
        onPopulated: Effect.suspend(() => dies ? Effect.die("boom") : Effect.void)
      })
      yield* Effect.exit(Items.populate)
      assert.deepStrictEqual(log.splice(0), ["layer acquired", "+1", "+2", "-2", "-1", "layer released: defect boom"])
      dies = false
      yield* Items.populate
      assert.deepStrictEqual(log, ["layer acquired", "+1", "+2"])
    }).pipe(Effect.provide(Items.layerLazy(load)))
  })

  it.effect("G4 a reset: hooks are told that all has gone, it is published, and then resources are released", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.as(resource(log, "file"), [a]),
        hooks: {
          ...telling(log),
          onResetting: Effect.sync(() => log.push("resetting")),
          onReset: Effect.sync(() => log.push("reset"))
        }
      })
      yield* Registry.populate(registry)
      log.length = 0
      yield* Registry.reset(registry)
      assert.deepStrictEqual(log, ["resetting", "-1", "reset", "file released: success"])
    }))

  it.effect("G4 a fiber that resets, and is interrupted while it releases resources, has released all of them", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const gate = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.gen(function*() {
          yield* resource(log, "one")
          yield* Effect.addFinalizer(() => Deferred.await(gate))
          return [a]
        })
      })
      yield* Registry.populate(registry)
      const fiber = yield* Effect.forkChild(Registry.reset(registry), { startImmediately: true })
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* Effect.yieldNow
      assert.deepStrictEqual(log, ["one acquired"])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(interrupting)
      assert.deepStrictEqual(log, ["one acquired", "one released: success"])
      assert.strictEqual(yield* Registry.state(registry), "Pending")
    }))

  it.effect("G4 of the resources of several populations, one that cannot be released does not stop the others", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let runs = 0
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() => {
          const run = ++runs
          return Effect.as(
            Effect.addFinalizer(() => run === 2 ? Effect.die("no") : Effect.sync(() => log.push(`released ${run}`))),
            [a]
          )
        })
      })
      yield* Registry.populate(registry)
      yield* Registry.transact(
        registry,
        Effect.andThen(again(registry), Effect.andThen(again(registry), Registry.reset(registry)))
      )
      assert.deepStrictEqual(log.toSorted(), ["released 1", "released 3"])
    }))

  it.effect("G2 a resource of a population that fails is released before the next attempt acquires it", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const gate = yield* Deferred.make<void>()
      let attempts = 0
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.gen(function*() {
          const attempt = ++attempts
          yield* Effect.acquireRelease(
            Effect.sync(() => log.push(`${attempt} acquired`)),
            () => Effect.andThen(Effect.yieldNow, Effect.sync(() => log.push(`${attempt} released`)))
          )
          yield* Deferred.await(gate)
          return attempt === 1 ? yield* Effect.fail("offline") : [a]
        })
      })
      const first = yield* Effect.forkChild(Effect.exit(Registry.populate(registry)), { startImmediately: true })
      // the reset waits for the lock, and gets it as soon as it has been given back
      const reset = yield* Effect.forkChild(
        Effect.andThen(Registry.reset(registry), Effect.sync(() => log.push("reset"))),
        { startImmediately: true }
      )
      const retried = yield* Effect.forkChild(Effect.retry(Registry.size(registry), { times: 1 }), {
        startImmediately: true
      })
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(first)
      yield* Fiber.join(reset)
      assert.strictEqual(yield* Fiber.join(retried), 1)
      assert.deepStrictEqual(log.filter((line) => line !== "reset"), ["1 acquired", "1 released", "2 acquired"])
      assert.isBelow(log.indexOf("1 released"), log.indexOf("reset"))
    }))

  it.effect("G4 a reset is published, and lets others change the registry, before resources are released", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry: Registry.Registry<Item, readonly ["id"]> = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.suspend(() =>
          Effect.as(
            Effect.acquireRelease(Effect.void, () =>
              Effect.gen(function*() {
                log.push(yield* Registry.detached(Registry.state(registry)))
                const changing = yield* Effect.forkDetach(Registry.detached(Registry.register(registry, b)), {
                  startImmediately: true
                })
                log.push(changing.pollUnsafe() === undefined ? "it waits" : "it changed the registry")
              })),
            [a]
          )
        ),
        populationFailure: "die"
      })
      yield* Registry.populate(registry)
      yield* Registry.reset(registry)
      assert.deepStrictEqual(log, ["Pending", "it changed the registry"])
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, b])
    }))

  it.effect("G4 transactAll: the resources of each of its registries are released", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const acquiring = (name: string) =>
        Registry.make<Item>()({ name, lookup: ["id"], defaults: Effect.as(resource(log, name), [a]) })
      const [one, two, three] = [yield* acquiring("one"), yield* acquiring("two"), yield* acquiring("three")]
      yield* Effect.forEach([one, two, three], Registry.populate)
      log.length = 0
      yield* Registry.transactAll(
        [one, two, three],
        Effect.forEach([one, two, three], Registry.reset)
      )
      assert.deepStrictEqual(log.toSorted(), [
        "one released: success",
        "three released: success",
        "two released: success"
      ])
    }))

  it.effect("G2 a finalizer that dies joins the cause of the population that failed, and stops no other", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.gen(function*() {
          yield* resource(log, "file")
          yield* Effect.addFinalizer(() => Effect.die("cannot release"))
          return [a]
        }),
        hooks: {
          onItemRegistered: () => Effect.sync(() => {}),
          onItemUnregistered: () => Effect.die("cannot undo"),
          onPopulated: Effect.die("boom")
        }
      })
      const exit = yield* Effect.exit(Registry.populate(registry))
      assert.isTrue(Exit.isFailure(exit))
      if (Exit.isSuccess(exit)) return
      const defects = exit.cause.reasons.flatMap((reason) => Cause.isDieReason(reason) ? [reason.defect] : [])
      assert.deepStrictEqual(defects, ["boom", "cannot undo", "cannot release"])
      assert.deepStrictEqual(log, ["file acquired", "file released: defect boom"])
    }))

  it.effect("G25 an item that was registered after something was acquired is out before that is released", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: telling(log) })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* resource(log, "one")
        yield* Registry.registerAllScoped(registry, [a, b])
        yield* resource(log, "two")
        yield* Registry.registerScoped(registry, c)
      }))
      assert.strictEqual(
        log.join(),
        "one acquired,+1,+2,two acquired,+3,-3,two released: success,-2,-1,one released: success"
      )
    }))

  for (const hooked of [false, true]) {
    it.effect(`G25 a scope takes out the item that was registered last first, ${hooked ? "with" : "without"} hooks`, () =>
      Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({ lookup: ["id"], ...(hooked ? { hooks: telling([]) } : {}) })
        const scope = yield* Scope.make()
        yield* Scope.provide(Registry.registerAllScoped(registry, [a, b, c]), scope)
        const { changes } = yield* Registry.subscribe(registry)
        yield* Scope.close(scope, Exit.void)
        const [change] = yield* Stream.runCollect(Stream.take(changes, 1))
        assert.deepStrictEqual(change!.events.map((event) => event._tag === "Unregistered" ? event.item : event._tag), [
          c,
          b,
          a
        ])
      }))
  }
})

describe("items of closed scopes stay out, however transactions end", () => {
  for (const hooked of [false, true]) {
    const hooks = () => hooked ? { hooks: new Balance().hooks } : {}
    const kind = hooked ? "with" : "without"

    it.effect(`G25 several scopes close in nested transactions of one that fails, ${kind} hooks`, () =>
      Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({ lookup: ["id"], ...hooks() })
        const scopes = [yield* Scope.make(), yield* Scope.make(), yield* Scope.make()] as const
        for (const [i, item] of [a, b, c].entries()) {
          yield* Scope.provide(Registry.registerScoped(registry, item), scopes[i]!)
        }
        yield* Effect.exit(Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Scope.close(scopes[0], Exit.void)
            yield* Registry.transact(registry, Scope.close(scopes[1], Exit.void))
            yield* Registry.transact(registry, Registry.transact(registry, Scope.close(scopes[2], Exit.void)))
            return yield* Effect.fail("no")
          })
        ))
        assert.deepStrictEqual([...(yield* Registry.values(registry))], [])
      }))

    it.effect(`G25 scopes of several registries close in a transactAll that fails, ${kind} hooks`, () =>
      Effect.gen(function*() {
        const registries = [
          yield* Registry.make<Item>()({ name: "one", lookup: ["id"], ...hooks() }),
          yield* Registry.make<Item>()({ name: "two", lookup: ["id"], ...hooks() }),
          yield* Registry.make<Item>()({ name: "three", lookup: ["id"], ...hooks() })
        ]
        const scope = yield* Scope.make()
        for (const registry of registries) {
          yield* Scope.provide(Registry.registerScoped(registry, a), scope)
          yield* Registry.register(registry, b)
        }
        yield* Effect.exit(
          Registry.transactAll(registries, Effect.andThen(Scope.close(scope, Exit.void), Effect.fail("no")))
        )
        for (const registry of registries) assert.deepStrictEqual([...(yield* Registry.values(registry))], [b])
      }))
  }
})

describe("hooks that go", () => {
  it.effect("G21 existing: they are told that the newest goes first, the last part first", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.registerAll(registry, [a, b])
      const part = (name: string) => {
        const add = (line: string) => Effect.sync(() => log.push(`${name} ${line}`))
        return RegistryHooks.make<Item>()({
          onItemRegistered: ({ id }) => add(`+${id}`),
          onItemUnregistered: ({ id }) => add(`-${id}`)
        })
      }
      const scope = yield* Scope.make()
      yield* Scope.provide(
        Registry.addHooks(registry, RegistryHooks.combine(part("one"), part("two")), { existing: true }),
        scope
      )
      yield* Registry.register(registry, c)
      log.length = 0
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(log, ["two -3", "one -3", "two -2", "one -2", "two -1", "one -1"])
    }))

  it.effect("G21 existing: of items that go while they are told of those that are in, they are told newest first", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.registerAll(registry, [a, b, c])
      const taking = Effect.andThen(Registry.unregister(registry, b), Registry.unregister(registry, a))
      yield* Effect.scoped(Registry.addHooks(registry, {
        ...telling(log),
        onItemRegistered: ({ id }) =>
          Effect.andThen(Effect.sync(() => log.push(`+${id}`)), id === 3 ? Effect.orDie(taking) : Effect.void)
      }, { existing: true }))
      assert.deepStrictEqual(log, ["+1", "+2", "+3", "-2", "-1", "-3"])
    }))

  it.effect("G21 a scope that closes: the last part is told first, of each item", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      for (const name of ["one", "two"]) {
        const add = (line: string) => ({ id }: Item) => Effect.sync(() => log.push(`${name} ${line}${id}`))
        yield* Registry.addHooks(registry, { onItemUnregistering: add("?"), onItemUnregistered: add("-") })
      }
      yield* Effect.scoped(Registry.registerAllScoped(registry, [a, b]))
      assert.deepStrictEqual(log, ["two ?2", "one ?2", "two -2", "one -2", "two ?1", "one ?1", "two -1", "one -1"])
    }))

  for (const existing of [false, true]) {
    it.effect(`interrupted at any step of being added, ${existing ? "with" : "without"} existing, they are called no more when their scope has closed`, () =>
      RegistryTest.interruptEach({
        setup: Effect.gen(function*() {
          const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
          yield* Registry.register(registry, a)
          return { balance: new Balance(), registry, scope: yield* Scope.make() }
        }),
        run: ({ balance, registry, scope }) =>
          Scope.provide(Registry.addHooks(registry, balance.hooks, { existing }), scope),
        check: ({ balance, registry, scope }, _, step) =>
          Effect.gen(function*() {
            yield* Scope.close(scope, Exit.void)
            yield* Registry.register(registry, b)
            assert.deepStrictEqual(balance.wrong([]), [], `step ${step}`)
          })
      }).pipe(Effect.map((steps) => assert.isAbove(steps, 1))))
  }

  it.effect("G21 existing: one that dies when it goes is told of the rest, and its defects surface in the close", () =>
    Effect.gen(function*() {
      const told: Array<number> = []
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.registerAll(registry, [a, b, c])
      const scope = yield* Scope.make()
      yield* Scope.provide(
        Registry.addHooks(registry, {
          onItemUnregistered: ({ id }) =>
            Effect.andThen(Effect.sync(() => told.push(id)), id === 2 ? Effect.die("boom") : Effect.void)
        }, { existing: true }),
        scope
      )
      const exit = yield* Effect.exit(Scope.close(scope, Exit.void))
      assert.deepStrictEqual(told, [3, 2, 1])
      assert.strictEqual(messageOf(exit), "boom")
      yield* Registry.unregister(registry, a)
      assert.deepStrictEqual(told, [3, 2, 1])
    }))

  for (const existing of [false, true]) {
    it.effect(`those of a scope that has closed already are not called, ${existing ? "with" : "without"} existing`, () =>
      Effect.gen(function*() {
        const balance = new Balance()
        const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
        yield* Registry.register(registry, a)
        const scope = yield* Scope.make()
        yield* Scope.close(scope, Exit.void)
        yield* Scope.provide(Registry.addHooks(registry, balance.hooks, { existing }), scope)
        yield* Registry.register(registry, b)
        assert.deepStrictEqual(balance.wrong([]), [])
      }))
  }

  it.effect("G20 existing: they go while a transaction is undone that had told them: balanced all the same", () =>
    Effect.gen(function*() {
      const balance = new Balance()
      const scope = yield* Scope.make()
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: {
          onItemRegistered: () => Effect.sync(() => {}),
          onItemUnregistered: ({ id }) => id === 3 ? Scope.close(scope, Exit.void) : Effect.void
        }
      })
      yield* Registry.register(registry, a)
      yield* Scope.provide(Registry.addHooks(registry, balance.hooks, { existing: true }), scope)
      yield* Effect.exit(Registry.transact(
        registry,
        Effect.andThen(Registry.registerAll(registry, [b, c]), Effect.fail("no"))
      ))
      assert.deepStrictEqual(balance.wrong([]), [])
      yield* Registry.unregister(registry, a)
      assert.deepStrictEqual(balance.wrong([]), [])
    }))

  it.effect("a follower whose scope has closed already is given nothing", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      const scope = yield* Scope.make()
      yield* Scope.close(scope, Exit.void)
      const { changes } = yield* Scope.provide(Registry.subscribe(registry), scope)
      yield* Registry.register(registry, a)
      assert.deepStrictEqual(yield* Stream.runCollect(changes), [])
    }))
})

describe("the transactions that hooks are in", () => {
  it.effect("G14 in a transactAll that fails they see each of its registries as it was, and change none", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const [one, two, three] = [yield* make("one"), yield* make("two"), yield* make("three")]
      const looking = (name: string) => ({
        onItemRegistered: () => Effect.sync(() => {}),
        onItemUnregistered: ({ id }: Item) =>
          Effect.gen(function*() {
            const sizes = yield* Effect.forEach([one, two, three], Registry.size)
            yield* Effect.forEach([one, two, three], (registry) => Effect.orDie(Registry.register(registry, c)))
            log.push(`${name} -${id} of ${sizes}`)
          })
      })
      yield* Registry.register(two, b)
      for (const [name, registry] of Object.entries({ one, two, three })) {
        yield* Registry.addHooks(registry, looking(name))
      }
      const exit = yield* Effect.exit(Registry.transactAll(
        [one, two, three],
        Effect.andThen(
          Effect.forEach([one, two, three], (registry) => Registry.register(registry, a)),
          Effect.die("no")
        )
      ))
      assert.strictEqual(defectOf(exit), "no")
      assert.deepStrictEqual(log, ["three -1 of 0,1,0", "two -1 of 0,1,0", "one -1 of 0,1,0"])
      assert.deepStrictEqual(yield* Effect.forEach([one, two, three], Registry.size), [0, 1, 0])
    }))

  it.effect("G14 G28 at the end of a transactAll, before it is published, they see its registries, and change them", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const [one, two] = [yield* make("one"), yield* make("two")]
      const scope = yield* Effect.scope
      // installed between the removals of b and a, by an operation that has hooks of its own
      const late = {
        onItemUnregistered: ({ id }: Item) =>
          Effect.gen(function*() {
            const sizes = yield* Effect.forEach([one, two], Registry.size)
            yield* Effect.forEach([one, two], (registry) => Effect.orDie(Registry.register(registry, c)))
            log.push(`-${id} of ${sizes}`)
          })
      }
      yield* Registry.addHooks(one, {
        onItemUnregistered: ({ id }) =>
          id === 2
            ? Effect.andThen(
              Scope.provide(Registry.addHooks(one, late), scope),
              Effect.orDie(Registry.register(one, d))
            )
            : Effect.void
      })
      yield* Registry.transactAll(
        [one, two],
        Effect.gen(function*() {
          yield* Effect.provideService(Registry.registerAll(one, [a, b]), Registry.Owner, "owner")
          yield* Registry.register(two, a)
          yield* Registry.unregisterOwner(one, "owner")
          // it is told when all operations have ended
          assert.deepStrictEqual(log, [])
        })
      )
      assert.deepStrictEqual(log, ["-1 of 1,1"])
      assert.deepStrictEqual(yield* Effect.forEach([one, two], Registry.values), [[d, c], [a, c]])
    }))
})
