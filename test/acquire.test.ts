/** What hooks acquire for items, and leases of it. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Layer, Logger, Scope } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks, RegistryResource } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import { enabledItems } from "./utils/inside.ts"
import { a, b, c, d, Item } from "./utils/items.ts"
import { Opened } from "./utils/opened.ts"

const options = { lookup: ["id", "name"] } as const

const make = (opened: Opened) => Registry.make<Item>()({ ...options, hooks: { acquire: opened.acquire } })

const changed = (one: Item) => new Item(one.id, `${one.name}'`)

const sizeOf = (registry: Registry.Registry<any, any, any, any>) => Array.from(Registry.snapshotUnsafe(registry)).length

const silent = Logger.layer([])

describe("G31 what is acquired for an item", () => {
  it.effect("is acquired after it was checked and hooks were asked, before it goes in and hooks are told", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const { log } = opened
      const registry: Registry.Registry<Item, typeof options.lookup, never, string> = yield* Registry.make<Item>()({
        ...options,
        hooks: RegistryHooks.make<Item>()({
          onItemRegistering: ({ name }) => Effect.sync(() => log.push(`registering ${name}`)),
          acquire: (item) =>
            Effect.andThen(Effect.sync(() => log.push(`${sizeOf(registry)} in`)), opened.acquire(item)),
          onItemRegistered: ({ name }) => Effect.sync(() => log.push(`registered ${name}`)),
          onItemUnregistered: ({ name }) => Effect.sync(() => log.push(`unregistered ${name}`))
        })
      })
      yield* Registry.register(registry, a)
      yield* Effect.exit(Registry.register(registry, a))
      yield* Registry.unregister(registry, a)
      assert.deepStrictEqual(log, [
        "registering item 1",
        "0 in",
        "+item 1",
        "registered item 1",
        "unregistered item 1",
        "-item 1"
      ])
    }))

  it.effect("is released after the item has gone for all readers, and the lock is free", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const registry: Registry.Registry<Item, typeof options.lookup> = yield* Registry.make<Item>()({
        ...options,
        hooks: {
          acquire: () =>
            Effect.addFinalizer(() =>
              Effect.gen(function*() {
                // the first item goes; the second goes with the registry
                if (seen.push(sizeOf(registry)) === 1) yield* Effect.orDie(Registry.register(registry, new Item(9)))
              })
            )
        }
      })
      yield* Registry.register(registry, a)
      yield* Registry.unregister(registry, a)
      assert.deepStrictEqual(seen, [0])
      assert.deepStrictEqual(Array.from(yield* Registry.values(registry), ({ id }) => id), [9])
    }))

  it.effect("of a definition fails with its own error, which is that of the operation", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      opened.failing.add(1)
      const registry = yield* make(opened)
      const error: RegistryError.RegistrationFailure | string = yield* Effect.flip(Registry.register(registry, a))
      assert.strictEqual(error, "no 1")
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("of a layer fails with a RegistrationError of code acquire, and releases what other hooks had", () =>
    Effect.gen(function*() {
      class Items extends Registry.Service<Items, Item>()("test/Items", options) {}
      const [one, other] = [new Opened(), new Opened()]
      other.failing.add(1)
      const hooks = Layer.provideMerge(
        RegistryHooks.layer(Items, { acquire: other.acquire }),
        Layer.provideMerge(RegistryHooks.layer(Items, { acquire: one.acquire }), Items.layer)
      )
      yield* Effect.gen(function*() {
        const error = yield* Effect.flip(Items.register(a))
        assert.strictEqual(error._tag, "RegistrationError")
        assert.strictEqual(error.code, "acquire")
        assert.strictEqual((error as RegistryError.RegistrationError).cause, "no 1")
        assert.match(
          error.message,
          /Could not register 1 in "test\/Items": what it needs could not be acquired\. .*no 1/
        )
        assert.deepStrictEqual(one.log, ["+item 1", "-item 1"])
        yield* Items.register(b)
        assert.deepStrictEqual([one.names, other.names], [["item 2"], ["item 2"]])
      }).pipe(Effect.provide(hooks))
      assert.deepStrictEqual([one.names, other.names], [[], []])
    }))

  it.effect("what a hook acquired before it fails is released", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry = yield* Registry.make<Item>()({
        ...options,
        hooks: {
          acquire: () =>
            Effect.andThen(Effect.addFinalizer(() => Effect.sync(() => log.push("released"))), Effect.fail("no"))
        }
      })
      assert.strictEqual(yield* Effect.flip(Registry.register(registry, a)), "no")
      assert.deepStrictEqual(log, ["released"])
    }))

  it.effect("of a replacement is acquired before that of the replaced is released; a failure changes nothing", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      yield* Registry.register(registry, a)
      yield* Registry.replace(registry, "id", 1, changed(a))
      assert.deepStrictEqual(opened.log, ["+item 1", "+item 1'", "-item 1"])
      opened.failing.add(1)
      assert.strictEqual(yield* Effect.flip(Registry.replace(registry, "id", 1, a)), "no 1")
      assert.deepStrictEqual(opened.names, ["item 1'"])
      assert.strictEqual((yield* Registry.get(registry, "id", 1)).name, "item 1'")
    }))

  it.effect("is kept by a move, by an upsert of the same, and by a scope that takes the registration over", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      yield* Registry.registerAll(registry, [a, b])
      yield* Registry.move(registry, "id", 1, "last")
      yield* Registry.upsert(registry, a)
      yield* Effect.scoped(Registry.upsertScoped(registry, b))
      assert.deepStrictEqual(opened.log, ["+item 1", "+item 2", "-item 2"])
      assert.deepStrictEqual(opened.names, ["item 1"])
    }))

  it.effect("is released when a scope closes, with a reset, and when the registry ends", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const life = yield* Scope.make()
      const registry = yield* Scope.provide(make(opened), life)
      yield* Effect.scoped(Registry.registerAllScoped(registry, [a, b]))
      assert.deepStrictEqual(opened.log.splice(0), ["+item 1", "+item 2", "-item 2", "-item 1"])
      yield* Registry.registerAll(registry, [a, b])
      yield* Registry.reset(registry)
      assert.deepStrictEqual(opened.names, [])
      yield* Registry.registerAll(registry, [c, d])
      yield* Scope.close(life, Exit.void)
      assert.deepStrictEqual([opened.names, opened.acquired, opened.released], [[], 6, 6])
    }))

  it.effect("after a reset it is acquired again for what open scopes bring back; what cannot be is left out", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerAllScoped(registry, [a, b]), scope)
      yield* Registry.reset(registry)
      opened.failing.add(2)
      yield* Registry.populate(registry)
      assert.deepStrictEqual(opened.names, ["item 1"])
      assert.deepStrictEqual(yield* Registry.values(registry), [a])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(opened.names, [])
    }).pipe(Effect.provide(silent)))

  it.effect("of a transaction that fails is released when it has been undone; of a nested one at the end", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      yield* Effect.exit(Registry.transact(registry, Effect.andThen(Registry.register(registry, a), Effect.fail("no"))))
      assert.deepStrictEqual(opened.log.splice(0), ["+item 1", "-item 1"])
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Registry.register(registry, a)
          yield* Effect.exit(
            Registry.transact(registry, Effect.andThen(Registry.register(registry, b), Effect.fail("no")))
          )
          yield* Registry.unregister(registry, a)
          yield* Registry.register(registry, c)
          assert.deepStrictEqual(opened.log.splice(0), ["+item 1", "+item 2", "+item 3"])
        })
      )
      assert.deepStrictEqual(opened.log, ["-item 1", "-item 2"])
      assert.deepStrictEqual(opened.names, ["item 3"])
    }))

  it.effect("a replacement that is taken back in its transaction keeps what the item had", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      yield* Registry.register(registry, a)
      const there = Registry.replace(registry, "id", 1, changed(a))
      yield* Registry.transact(registry, Effect.andThen(there, Registry.replace(registry, "id", 1, a)))
      assert.deepStrictEqual(opened.names, ["item 1"])
      assert.strictEqual(opened.acquired, opened.released + 1)
    }))

  it.effect("is kept by an item that an override hides, and not by one that a rule disables", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      yield* Registry.registerAll(registry, [a, b])
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.override(registry, changed(a))
        assert.deepStrictEqual(opened.names, ["item 1", "item 1'", "item 2"])
        yield* Registry.disable(registry, "id", 1, { reason: "off" })
        assert.deepStrictEqual(opened.names, ["item 2"])
        yield* Registry.enable(registry, "id", 1)
        assert.deepStrictEqual(opened.names, ["item 1", "item 1'", "item 2"])
      }))
      assert.deepStrictEqual(opened.names, ["item 1", "item 2"])
      assert.strictEqual((yield* Registry.get(registry, "id", 1)).name, "item 1")
    }))

  it.effect("of an item that goes in below an override is there at once, and kept", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.override(registry, changed(a))
        yield* Registry.register(registry, a)
        assert.deepStrictEqual(opened.names, ["item 1", "item 1'"])
      }))
      assert.deepStrictEqual(opened.names, ["item 1"])
    }))

  it.effect("of an item that is withdrawn and registered again in one transaction is acquired anew", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      yield* Registry.register(registry, a)
      yield* Registry.transact(
        registry,
        Effect.andThen(Registry.unregister(registry, a), Registry.register(registry, a))
      )
      assert.deepStrictEqual(opened.log, ["+item 1", "+item 1", "-item 1"])
    }))

  it.effect("is kept where a rule is made and ended in one transaction", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      yield* Registry.register(registry, a)
      yield* Registry.transact(
        registry,
        Effect.andThen(Registry.disable(registry, "id", 1, { reason: "off" }), Registry.enable(registry, "id", 1))
      )
      assert.deepStrictEqual(opened.log, ["+item 1"])
    }))

  it.effect("an item that a rule disables goes in without it, and gets it when it is enabled", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      yield* Registry.disable(registry, "id", 1, { reason: "off" })
      yield* Registry.register(registry, a)
      yield* Registry.replace(registry, "id", 1, changed(a))
      assert.strictEqual(opened.acquired, 0)
      opened.failing.add(1)
      const error: RegistryError.RegistrationError | string = yield* Effect.flip(Registry.enable(registry, "id", 1))
      assert.strictEqual(error, "no 1")
      assert.strictEqual((yield* Effect.flip(Registry.get(registry, "id", 1))).code, "disabled")
      opened.failing.clear()
      yield* Registry.enable(registry, "id", 1)
      assert.deepStrictEqual(opened.names, ["item 1'"])
    }))

  it.effect("to enable several is all or nothing", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* Registry.make<Item>()({
        lookup: { id: Lookup.unique(({ id }: Item) => id), odd: Lookup.group(({ id }) => id % 2 === 1) },
        hooks: { acquire: opened.acquire }
      })
      yield* Registry.registerAll(registry, [a, b, c])
      yield* Registry.disable(registry, "odd", true, { reason: "off" })
      opened.failing.add(3)
      yield* Effect.exit(Registry.enable(registry, "odd", true))
      assert.deepStrictEqual(opened.names, ["item 2"])
      assert.deepStrictEqual(yield* Registry.values(registry), [b])
    }))

  it.effect("what a nested transaction failed to acquire is not taken for what the item needs", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      yield* Registry.register(registry, a)
      yield* Registry.disable(registry, "id", 1, { reason: "off" })
      opened.failing.add(1)
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Effect.exit(Registry.enable(registry, "id", 1))
          opened.failing.clear()
          yield* Registry.enable(registry, "id", 1)
        })
      )
      assert.deepStrictEqual(opened.names, ["item 1"])
    }))

  it.effect("what a closing scope cannot enable stays disabled, with a warning, and explain says why", () =>
    Effect.gen(function*() {
      const warnings: Array<unknown> = []
      const logger = Logger.layer([Logger.make(({ message }) => warnings.push(message))])
      const opened = new Opened()
      yield* Effect.gen(function*() {
        const registry = yield* make(opened)
        yield* Registry.register(registry, a)
        yield* Effect.scoped(Effect.gen(function*() {
          yield* Registry.disableScoped(registry, "id", 1, { reason: "off" })
          opened.failing.add(1)
        }))
        const explained = yield* Registry.explain(registry, "id", 1)
        assert.strictEqual(explained._tag, "Disabled")
        assert.include(explained._tag === "Disabled" ? explained.reason : "", "off (it could not be enabled: ")
        assert.match(String(warnings), /"id" = 1 stays disabled in "registry": .*no 1/)
        opened.failing.clear()
        yield* Registry.enable(registry, "id", 1)
        assert.deepStrictEqual(opened.names, ["item 1"])
      }).pipe(Effect.provide(logger))
    }))

  it.effect("an item that cannot be acquired is left out where others may go in", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      opened.failing.add(2)
      const registry = yield* Registry.make<Item>()({
        ...options,
        hooks: { acquire: opened.acquire },
        defaults: [a, b],
        onInvalidDefault: "skip"
      })
      yield* Registry.populate(registry)
      assert.deepStrictEqual(yield* Registry.values(registry), [a])
      const { refused } = yield* Registry.registerEach(registry, [b, c])
      assert.deepStrictEqual(refused, [{ item: b, error: "no 2" }])
      yield* Registry.reconcile(registry, [a, b, d], { onInvalid: "skip" })
      assert.deepStrictEqual(opened.names, ["item 1", "item 4"])
      assert.deepStrictEqual(yield* Registry.values(registry), [a, d])
    }).pipe(Effect.provide(silent)))

  it.effect("a population fails with the default that could not be acquired, and releases the others", () =>
    Effect.gen(function*() {
      for (const concurrency of [1, 2] as const) {
        const opened = new Opened()
        opened.failing.add(2)
        const registry = yield* Registry.make<Item>()({
          ...options,
          hooks: { acquire: opened.acquire },
          defaults: [a, b, c],
          concurrency
        })
        const error = yield* Effect.flip(Registry.populate(registry))
        assert.deepStrictEqual([error.code, error.item, error.cause], ["registration", b, "no 2"])
        assert.deepStrictEqual(opened.names, [])
        opened.failing.clear()
        yield* Registry.populate(registry)
        assert.deepStrictEqual(opened.names, ["item 1", "item 2", "item 3"])
      }
    }))

  it.effect("a release that dies stops no other, is logged, and is no failure of the operation", () =>
    Effect.gen(function*() {
      const logged: Array<unknown> = []
      const log: Array<string> = []
      const logger = Logger.layer([Logger.make(({ cause, message }) => logged.push(message, Cause.pretty(cause)))])
      yield* Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({
          ...options,
          hooks: {
            acquire: ({ name }) =>
              Effect.andThen(
                Effect.addFinalizer(() => Effect.sync(() => log.push(name))),
                Effect.addFinalizer(() => Effect.die(`${name} is stuck`))
              )
          }
        })
        yield* Registry.registerAll(registry, [a, b])
        yield* Registry.reset(registry)
      }).pipe(Effect.provide(logger))
      assert.deepStrictEqual(log, ["item 2", "item 1"])
      assert.match(
        String(logged),
        /Releasing what hooks of "registry" had acquired failed.*item 2 is stuck.*item 1 is stuck/s
      )
    }))

  it.effect("an interruption while it is acquired: nothing is registered, nothing is open", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const begun = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({
        ...options,
        hooks: {
          acquire: (item) =>
            Effect.andThen(opened.acquire(item), Effect.andThen(Deferred.succeed(begun, undefined), Effect.never))
        }
      })
      const fiber = yield* Effect.forkChild(Registry.register(registry, a))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([opened.names, opened.acquired], [[], 1])
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))
})

describe("G31 several items at once", () => {
  it.effect("are acquired side by side when all were checked, and told in order", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const both = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({
        ...options,
        concurrency: 2,
        hooks: {
          onItemRegistering: ({ name }) => Effect.sync(() => log.push(`registering ${name}`)),
          acquire: ({ id, name }) =>
            Effect.gen(function*() {
              log.push(`acquiring ${name}`)
              // the first waits for the second
              if (id === 1) yield* Deferred.await(both)
              else yield* Deferred.succeed(both, undefined)
            }),
          onItemRegistered: ({ name }) => Effect.sync(() => log.push(`registered ${name}`))
        }
      })
      yield* Registry.registerAll(registry, [a, b])
      assert.deepStrictEqual(log, [
        "registering item 1",
        "registering item 2",
        "acquiring item 1",
        "acquiring item 2",
        "registered item 1",
        "registered item 2"
      ])
    }))

  it.effect("of a population are acquired side by side", () =>
    Effect.gen(function*() {
      const second = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({
        ...options,
        concurrency: 2,
        defaults: [a, b],
        // the first waits for the second
        hooks: { acquire: ({ id }) => id === 1 ? Deferred.await(second) : Deferred.succeed(second, undefined) }
      })
      assert.deepStrictEqual(yield* Registry.values(registry), [a, b])
    }))

  it.effect("one that fails releases the others, and interrupts those that are on their way", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      opened.failing.add(3)
      const registry = yield* Registry.make<Item>()({
        ...options,
        concurrency: "unbounded",
        hooks: { acquire: (item) => item.id === 2 ? Effect.never : opened.acquire(item) }
      })
      assert.strictEqual(yield* Effect.flip(Registry.registerAll(registry, [a, b, c])), "no 3")
      assert.deepStrictEqual([opened.names, opened.acquired], [[], 1])
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("an interruption reaches all that are on their way", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const both = yield* Deferred.make<void>()
      const registry = yield* Registry.make<Item>()({
        ...options,
        concurrency: 2,
        hooks: {
          acquire: (item) =>
            Effect.gen(function*() {
              yield* opened.acquire(item)
              if (opened.open.size === 2) yield* Deferred.succeed(both, undefined)
              yield* Effect.never
            })
        }
      })
      const fiber = yield* Effect.forkChild(Registry.registerAll(registry, [a, b]))
      yield* Deferred.await(both)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([opened.names, opened.acquired], [[], 2])
    }))
})

describe("G31 hooks that come later", () => {
  it.effect("acquire for what is in only with existing, and release all when they go", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()(options)
      yield* Registry.registerAll(registry, [a, b])
      yield* Effect.scoped(
        Registry.override(registry, changed(a)).pipe(Effect.andThen(Effect.gen(function*() {
          const [without, existing] = [new Opened(), new Opened()]
          yield* Effect.scoped(Effect.gen(function*() {
            yield* Registry.addHooks(registry, { acquire: without.acquire })
            yield* Registry.addHooks(registry, { acquire: existing.acquire }, { existing: true })
            assert.deepStrictEqual([without.names, existing.names], [[], ["item 1", "item 1'", "item 2"]])
            yield* Registry.register(registry, c)
            yield* Registry.unregister(registry, b)
            assert.deepStrictEqual([without.names, existing.names], [["item 3"], ["item 1", "item 1'", "item 3"]])
          }))
          assert.deepStrictEqual([without.names, existing.names], [[], []])
          yield* Registry.register(registry, d)
          assert.deepStrictEqual([without.acquired, existing.acquired], [1, 4])
        })))
      )
    }))

  it.effect("acquire neither for what a rule disables, nor for what goes while they are added", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* Registry.make<Item>()(options)
      yield* Registry.registerAll(registry, [a, b, c])
      yield* Registry.disable(registry, "id", 3, { reason: "off" })
      const acquire = (item: Item) =>
        Effect.andThen(item === a ? Registry.unregister(registry, b) : Effect.void, opened.acquire(item))
      yield* Registry.addHooks(registry, { acquire }, { existing: true })
      assert.deepStrictEqual(opened.log, ["+item 1"])
      yield* Registry.enable(registry, "id", 3)
      assert.deepStrictEqual(opened.names, ["item 1", "item 3"])
    }))

  it.effect("and go in the transaction in which they acquired release it at once", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* Registry.make<Item>()(options)
      const adding = Registry.addHooks(registry, { acquire: opened.acquire })
      yield* Registry.transact(
        registry,
        Effect.gen(function*() {
          yield* Effect.scoped(Effect.andThen(adding, Registry.register(registry, a)))
          assert.deepStrictEqual(opened.log, ["+item 1", "-item 1"])
        })
      )
      assert.deepStrictEqual(yield* Registry.values(registry), [a])
    }))

  it.effect("are not added if they cannot acquire for what is in", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      opened.failing.add(2)
      const registry = yield* Registry.make<Item>()(options)
      yield* Registry.registerAll(registry, [a, b, c])
      yield* Effect.scoped(Effect.gen(function*() {
        const error = yield* Effect.flip(Registry.addHooks(registry, { acquire: opened.acquire }, { existing: true }))
        assert.deepStrictEqual([error._tag, error.code, error.item], ["RegistrationError", "acquire", b])
        assert.deepStrictEqual(opened.names, [])
        yield* Registry.register(registry, d)
      }))
      assert.strictEqual(opened.acquired, 1)
    }))
})

describe("G31 a lease", () => {
  it.effect("keeps what was acquired, and the item is not found any more; the last one releases", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      yield* Registry.register(registry, a)
      const [one, other] = [yield* Scope.make(), yield* Scope.make()]
      assert.strictEqual(yield* Scope.provide(Registry.lease(registry, "id", 1), one), a)
      yield* Scope.provide(Registry.lease(registry, "id", 1), other)
      yield* Registry.unregister(registry, a)
      assert.strictEqual((yield* Effect.flip(Effect.scoped(Registry.lease(registry, "id", 1)))).code, "not_registered")
      yield* Scope.close(one, Exit.void)
      assert.deepStrictEqual(opened.names, ["item 1"])
      // the same object comes back while its old acquisition is leased
      yield* Registry.register(registry, a)
      assert.deepStrictEqual(opened.names, ["item 1", "item 1"])
      yield* Scope.close(other, Exit.void)
      assert.deepStrictEqual(opened.log, ["+item 1", "+item 1", "-item 1"])
      assert.deepStrictEqual(opened.names, ["item 1"])
    }))

  it.effect("that ends before the item goes releases nothing", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      yield* Registry.register(registry, a)
      yield* Effect.scoped(Registry.lease(registry, "id", 1))
      assert.deepStrictEqual(opened.names, ["item 1"])
    }))

  it.effect("does not outlive the registry, nor the hooks", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const life = yield* Scope.make()
      const registry = yield* Scope.provide(make(opened), life)
      yield* Registry.register(registry, a)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.lease(registry, "id", 1)
        yield* Registry.unregister(registry, a)
        yield* Scope.close(life, Exit.void)
        assert.deepStrictEqual(opened.names, [])
      }))
      assert.strictEqual(opened.released, 1)

      const other = yield* Registry.make<Item>()(options)
      const hooks = yield* Scope.make()
      yield* Scope.provide(Registry.addHooks(other, { acquire: opened.acquire }), hooks)
      yield* Registry.register(other, b)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.lease(other, "id", 2)
        yield* Scope.close(hooks, Exit.void)
        assert.deepStrictEqual(opened.names, [])
      }))
      assert.deepStrictEqual([opened.acquired, opened.released], [2, 2])
    }))

  it.effect("of an item that has gone does not outlive the hooks either", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* Registry.make<Item>()(options)
      const hooks = yield* Scope.make()
      yield* Scope.provide(Registry.addHooks(registry, { acquire: opened.acquire }), hooks)
      yield* Registry.register(registry, a)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.lease(registry, "id", 1)
        yield* Registry.unregister(registry, a)
        assert.deepStrictEqual(opened.names, ["item 1"])
        yield* Scope.close(hooks, Exit.void)
        assert.deepStrictEqual(opened.names, [])
      }))
      assert.strictEqual(opened.released, 1)
    }))

  it.effect("in a transaction is of the newest registration of the item", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.transact(
          registry,
          Effect.gen(function*() {
            yield* Registry.register(registry, a)
            yield* Registry.unregister(registry, a)
            yield* Registry.register(registry, a)
            yield* Registry.lease(registry, "id", 1)
          })
        )
        assert.deepStrictEqual(opened.log, ["+item 1", "+item 1", "-item 1"])
        yield* Registry.unregister(registry, a)
        assert.deepStrictEqual(opened.names, ["item 1"])
      }))
      assert.deepStrictEqual(opened.names, [])
    }))

  it.effect("in a transaction that is undone keeps what the transaction acquired", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* make(opened)
      yield* Effect.scoped(Effect.gen(function*() {
        const leasing = Effect.andThen(Registry.register(registry, a), Registry.lease(registry, "id", 1))
        yield* Effect.exit(Registry.transact(registry, Effect.andThen(leasing, Effect.fail("no"))))
        assert.deepStrictEqual(opened.names, ["item 1"])
      }))
      assert.deepStrictEqual(opened.names, [])
    }))

  it.effect("of a Pending registry populates it first", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      const registry = yield* Registry.make<Item>()({ ...options, hooks: { acquire: opened.acquire }, defaults: [a] })
      assert.strictEqual(yield* Effect.scoped(Registry.lease(registry, "id", 1)), a)
      assert.deepStrictEqual(opened.names, ["item 1"])
    }))

  it.effect("no reader finds an item whose acquisition is not there, in every schedule of replacements", () =>
    Effect.gen(function*() {
      const program = Effect.scoped(Effect.gen(function*() {
        const opened = new Opened()
        const registry = yield* make(opened)
        yield* Registry.register(registry, a)
        const read = Effect.gen(function*() {
          const item = yield* Registry.lease(registry, "id", 1)
          for (let i = 0; i < 3; i++) {
            assert.include(Array.from(opened.open.values()), item)
            yield* Effect.yieldNow
          }
        }).pipe(Effect.scoped)
        yield* Effect.all([
          Registry.replace(registry, "id", 1, changed(a)),
          read,
          Registry.replace(registry, "id", 1, new Item(1, "another")),
          read
        ], { concurrency: "unbounded" })
        assert.strictEqual(opened.open.size, 1)
      }))
      yield* Effect.promise(() => Effect.runPromise(RegistryTest.interleave(program, { seeds: 200 })))
    }))
})

describe("G31 RegistryResource", () => {
  class Items extends Registry.Service<Items, Item>()("test/Resources", { ...options, defaults: [a] }) {}

  it.effect("each of two answers its own resources, and undefined is one", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()(options)
      const names = yield* RegistryResource.make(registry, ({ name }) => Effect.succeed(name))
      const nothing = yield* RegistryResource.make(registry, () => Effect.void)
      yield* Registry.register(registry, a)
      assert.strictEqual(yield* RegistryResource.get(names, "id", 1), "item 1")
      assert.strictEqual(yield* RegistryResource.get(nothing, "id", 1), undefined)
    }).pipe(Effect.scoped))

  it.effect("an object may return while its old resource is leased: each lease has its own", () =>
    Effect.gen(function*() {
      let serial = 0
      const registry = yield* Registry.make<Item>()(options)
      const resources = yield* RegistryResource.make(registry, () => Effect.sync(() => ++serial))
      yield* Registry.register(registry, a)
      const first = yield* RegistryResource.get(resources, "id", 1)
      yield* Registry.unregister(registry, a)
      yield* Registry.register(registry, a)
      assert.deepStrictEqual([first, yield* RegistryResource.get(resources, "id", 1)], [1, 2])
    }).pipe(Effect.scoped))

  it.effect("its layer fails, and releases what it has, if one cannot be acquired; it populates nothing", () =>
    Effect.gen(function*() {
      const opened = new Opened()
      class Resources extends RegistryResource.Service<Resources>()("test/Opened", {
        registry: Items,
        acquire: opened.acquire
      }) {}
      yield* Effect.gen(function*() {
        yield* Effect.scoped(Layer.build(Resources.layer))
        assert.strictEqual(yield* Effect.map(Items, (items) => sizeOf(items)), 0)
        yield* Items.registerAll([b, c])
        opened.failing.add(3)
        const error = yield* Effect.flip(Effect.scoped(Layer.build(Resources.layer)))
        assert.deepStrictEqual([error.code, error.item], ["acquire", c])
        assert.deepStrictEqual(opened.names, [])
        opened.failing.clear()
        yield* Effect.gen(function*() {
          assert.isNumber(yield* Resources.get("id", 1))
          opened.failing.add(4)
          assert.strictEqual((yield* Effect.flip(Items.register(d))).code, "acquire")
        }).pipe(Effect.scoped, Effect.provide(Resources.layer))
        assert.deepStrictEqual([opened.names, opened.acquired], [[], opened.released])
      }).pipe(Effect.provide(Items.layer))
    }))
})

describe("G31 in random programs", () => {
  /** What fibers do to the registry. Each may fail, be interrupted, or die. */
  type Command =
    | {
      readonly _tag: "register" | "upsert" | "override" | "registerScoped" | "unregister" | "replace" | "lease"
      readonly id: number
    }
    | { readonly _tag: "disable" | "enable" | "disableScoped"; readonly id: number }
    | { readonly _tag: "closeScope" | "closeLeases" | "reset" | "populate" | "hooks" | "removeHooks" }
    | { readonly _tag: "registerAll" | "reconcile"; readonly ids: ReadonlyArray<number> }
    | { readonly _tag: "transact"; readonly commands: ReadonlyArray<Command>; readonly end: "succeed" | "fail" | "die" }
    | { readonly _tag: "failing"; readonly ids: ReadonlyArray<number> }

  const id = fc.integer({ min: 1, max: 4 })
  const ids = fc.uniqueArray(id)

  const { command } = fc.letrec<{ command: Command }>((tie) => ({
    command: fc.oneof(
      { maxDepth: 2, depthSize: "small" },
      fc.record({
        _tag: fc.constantFrom("register", "upsert", "override", "registerScoped", "unregister", "replace", "lease"),
        id
      }),
      fc.record({ _tag: fc.constantFrom("disable", "enable", "disableScoped"), id }),
      fc.record({ _tag: fc.constantFrom("closeScope", "closeLeases", "reset", "populate", "hooks", "removeHooks") }),
      fc.record({ _tag: fc.constantFrom("registerAll", "reconcile"), ids }),
      fc.record({ _tag: fc.constant("failing"), ids }),
      fc.record({
        _tag: fc.constant("transact"),
        commands: fc.array(tie("command"), { maxLength: 4 }),
        end: fc.constantFrom("succeed", "fail", "die")
      })
    )
  }))

  const programs = fc.record({
    concurrency: fc.constantFrom(1, 3),
    defaults: ids,
    fibers: fc.array(fc.array(command, { maxLength: 12 }), { minLength: 1, maxLength: 3 }),
    /** After how many turns the last fiber is interrupted, if it is. */
    interrupt: fc.option(fc.nat(40))
  })

  /** A scope that closes now and then, and another one takes its place. */
  class Scopes {
    current = Scope.makeUnsafe()
    close = Effect.suspend(() => {
      const closing = Scope.close(this.current, Exit.void)
      this.current = Scope.makeUnsafe()
      return closing
    })
  }

  const run = (
    { concurrency, defaults, fibers, interrupt }: typeof programs extends fc.Arbitrary<infer A> ? A : never
  ) =>
    Effect.gen(function*() {
      const [opened, later] = [new Opened(), new Opened()]
      let serial = 0
      const itemOf = (one: number) => new Item(one, `${one}-${serial++}`)
      const life = yield* Scope.make()
      const registry = yield* Scope.provide(
        Registry.make<Item>()({
          lookup: ["id"],
          defaults: defaults.map(itemOf),
          onInvalidDefault: "skip",
          concurrency,
          hooks: { acquire: opened.acquire }
        }),
        life
      )
      const [scopes, leases, hooks] = [new Scopes(), new Scopes(), new Scopes()]
      const perform = (one: Command): Effect.Effect<unknown, unknown> => {
        switch (one._tag) {
          case "register":
            return Registry.register(registry, itemOf(one.id))
          case "upsert":
            return Registry.upsert(registry, itemOf(one.id))
          case "replace":
            return Registry.replace(registry, "id", one.id, itemOf(one.id))
          case "unregister":
            return Registry.unregisterBy(registry, "id", one.id)
          case "override":
            return Scope.provide(Registry.override(registry, itemOf(one.id)), scopes.current)
          case "registerScoped":
            return Scope.provide(Registry.registerScoped(registry, itemOf(one.id)), scopes.current)
          case "lease":
            return Scope.provide(Registry.lease(registry, "id", one.id), leases.current)
          case "disable":
            return Registry.disable(registry, "id", one.id, { reason: "off" })
          case "disableScoped":
            return Scope.provide(Registry.disableScoped(registry, "id", one.id, { reason: "off" }), scopes.current)
          case "enable":
            return Registry.enable(registry, "id", one.id)
          case "closeScope":
            return scopes.close
          case "closeLeases":
            return leases.close
          case "reset":
            return Registry.reset(registry)
          case "populate":
            return Registry.populate(registry)
          case "hooks":
            return Scope.provide(
              Registry.addHooks(registry, { acquire: later.acquire }, { existing: true }),
              hooks.current
            )
          case "removeHooks":
            return hooks.close
          case "registerAll":
            return Registry.registerAll(registry, one.ids.map(itemOf))
          case "reconcile":
            return Registry.reconcile(registry, one.ids.map(itemOf))
          case "failing":
            return Effect.sync(() => {
              opened.failing.clear()
              for (const failing of one.ids) opened.failing.add(failing)
            })
          case "transact":
            return Registry.transact(
              registry,
              Effect.andThen(
                Effect.forEach(one.commands, (inner) => Effect.exit(perform(inner)), { discard: true }),
                one.end === "succeed" ? Effect.void : one.end === "fail" ? Effect.fail("no") : Effect.die("dead")
              )
            )
        }
      }
      const running = yield* Effect.forEach(fibers, (commands) =>
        Effect.forkChild(
          Effect.forEach(commands, (one) => Effect.andThen(Effect.exit(perform(one)), Effect.yieldNow), {
            discard: true
          })
        ))
      if (interrupt !== null) {
        for (let i = 0; i < interrupt; i++) yield* Effect.yieldNow
        yield* Fiber.interrupt(running.at(-1)!)
      }
      yield* Effect.forEach(running, Fiber.await, { discard: true })
      yield* leases.close
      yield* hooks.close
      const names = enabledItems(registry).map(({ name }) => name).toSorted()
      assert.deepStrictEqual(opened.names, names, "what is open is what is in and enabled")
      assert.deepStrictEqual(later.names, [], "hooks that have gone keep nothing")
      yield* Scope.close(life, Exit.void)
      yield* scopes.close
      assert.deepStrictEqual([opened.names, later.names], [[], []])
      assert.deepStrictEqual([opened.released, later.released], [opened.acquired, later.acquired])
    }).pipe(Effect.provide(silent))

  it(
    "each acquisition that completed is released exactly once, after its item has gone",
    { timeout: 60_000 },
    () => fc.assert(fc.asyncProperty(programs, (program) => Effect.runPromise(run(program))), { numRuns: 300 })
  )
})
