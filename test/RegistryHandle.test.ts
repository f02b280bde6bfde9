/** Handles: a registry for code that is not an effect. So most of these tests are none, either. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Layer, Logger, ManagedRuntime, Scheduler, Scope, Stream } from "effect"
import {
  Lookup,
  Registry,
  RegistryError,
  type RegistryEvent,
  RegistryHandle,
  RegistryHooks,
  RegistrySnapshot
} from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { Follower } from "./utils/following.ts"
import { kept } from "./utils/garbage.ts"
import { isLocked, listeners } from "./utils/inside.ts"
import { a, b, c, d, Item } from "./utils/items.ts"

const lookup = { id: Lookup.unique((item: Item) => item.id), name: Lookup.group((item: Item) => item.name) }

class Items extends Registry.Tag<Items, Item>()("test/Items", { lookup, defaults: [a] }) {}

type Change = RegistryEvent.RegistryChange<Item, typeof lookup>
type Handle = RegistryHandle.RegistryHandle<Item, typeof lookup>

const ids = (items: Iterable<Item>) => Array.from(items, ({ id }) => id).join()

const layer = Layer.fresh(Items.layer)

/** Does something with a handle that owns its registry, and disposes of it. */
const using = async (f: (handle: Handle) => Promise<void>) => {
  const handle = await RegistryHandle.make(Items, layer)
  try {
    await f(handle)
  } finally {
    await handle.dispose()
  }
}

/** The same with a runtime, for what only an effect can do. */
const usingRuntime = async <R, E>(
  of: Layer.Layer<R | Items, E>,
  f: (handle: Handle, runtime: ManagedRuntime.ManagedRuntime<R | Items, E>) => Promise<void>
) => {
  const runtime = ManagedRuntime.make(Layer.fresh(of))
  try {
    await f(await RegistryHandle.fromRuntime(runtime, Items), runtime)
  } finally {
    await runtime.dispose()
  }
}

const rejection = (promise: Promise<unknown>): Promise<any> =>
  promise.then(() => assert.fail("it did not reject"), (error) => error)

const thrown = (f: () => unknown): any => {
  try {
    f()
  } catch (error) {
    return error
  }
  return assert.fail("it did not throw")
}

/** A layer that notes what becomes of it. */
const noted = (log: Array<string>) =>
  Layer.effectDiscard(Effect.acquireRelease(
    Effect.sync(() => log.push("acquired")),
    () => Effect.sync(() => log.push("released"))
  ))

/** Collects what is logged. */
const logging = (log: Array<string>) =>
  Logger.layer([Logger.make(({ cause, message }) => {
    log.push(`${String(message)}${cause.reasons.length === 0 ? "" : `: ${String(Cause.squash(cause))}`}`)
  })])

/** Lets promises, and fibers that wait for nothing, go on. */
const turns = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

describe("make", () => {
  it("answers a handle on a registry that is populated", async () => {
    let populations = 0
    const defaults = Effect.as(Effect.yieldNow, [a, b]).pipe(Effect.tap(() => Effect.sync(() => populations++)))
    class Slow extends Registry.Tag<Slow, Item>()("test/Slow", { lookup, defaults }) {}
    const handle = await RegistryHandle.make(Slow, Slow.layer)
    assert.deepStrictEqual([handle.size(), populations], [2, 1])
    await handle.dispose()
  })

  it("rejects with the error of the layer, and releases what it had acquired", async () => {
    const log: Array<string> = []
    const failing = Layer.effect(Items, Effect.fail("no disk")).pipe(Layer.provide(noted(log)))
    assert.strictEqual(await rejection(RegistryHandle.make(Items, failing)), "no disk")
    assert.deepStrictEqual(log, ["acquired", "released"])
  })

  it("rejects with the error of the population, or with its defect, and releases what the layer had acquired", async () => {
    const log: Array<string> = []
    const defaults = Effect.fail("offline")
    class Offline extends Registry.Tag<Offline, Item>()("test/Offline", { lookup, defaults }) {}
    class Dying extends Registry.Tag<Dying, Item>()("test/Dying", { lookup, defaults, populationFailure: "die" }) {}
    const quiet = Logger.layer([])
    const ofOffline = Offline.layer.pipe(Layer.provideMerge(noted(log)), Layer.provideMerge(quiet))
    const ofDying = Dying.layer.pipe(Layer.provideMerge(noted(log)), Layer.provideMerge(quiet))
    for (const promise of [RegistryHandle.make(Offline, ofOffline), RegistryHandle.make(Dying, ofDying)]) {
      const error = await rejection(promise)
      assert.instanceOf(error, RegistryError.PopulationError)
      assert.strictEqual(error.cause, "offline")
    }
    assert.deepStrictEqual(log, ["acquired", "acquired", "released", "released"])
  })

  it("rejects with what went wrong first, though a release dies, too", async () => {
    const broken = Layer.effectDiscard(Effect.addFinalizer(() => Effect.die("release")))
    const failing = Layer.effect(Items, Effect.fail("no disk")).pipe(Layer.provide(broken))
    assert.strictEqual(await rejection(RegistryHandle.make(Items, failing)), "no disk")
  })

  it("takes a layer that provides more, and one that loads late", async () => {
    const late = Registry.layerLazy(
      Items,
      () => Promise.resolve(Registry.items(Items, [b]).pipe(Layer.provideMerge(Items.layer), Layer.orDie))
    )
    const log: Array<string> = []
    const handle = await RegistryHandle.make(Items, late.pipe(Layer.provideMerge(noted(log))))
    assert.strictEqual(ids(handle.values()), "1,2")
    await handle.dispose()
    assert.deepStrictEqual(log, ["acquired", "released"])
  })
})

describe("reading", () => {
  it("answers at once, and after a change that was awaited", () =>
    using(async (handle) => {
      assert.strictEqual(handle.get("id", 1), a)
      assert.strictEqual(handle.find("id", 1), a)
      assert.isUndefined(handle.find("id", 2))
      assert.deepStrictEqual([handle.size(), handle.values(), [...handle.snapshot()]], [1, [a], [a]])
      assert.strictEqual(handle.values(), handle.values())
      assert.isTrue(Object.isFrozen(handle.values()))
      await handle.register(b)
      assert.strictEqual(handle.get("id", 2), b)
      assert.deepStrictEqual(RegistrySnapshot.getAll(handle.snapshot(), "name", "item 2"), [b])
    }))

  it("answers a change of an effect as soon as it is published, and nothing of a transaction before", () =>
    usingRuntime(Items.layer, async (handle, runtime) => {
      runtime.runSync(Registry.register(Items, b))
      assert.strictEqual(handle.get("id", 2), b)
      await runtime.runPromise(Registry.transact(
        Items,
        Effect.andThen(Registry.register(Items, c), Effect.sync(() => assert.isUndefined(handle.find("id", 3))))
      ))
      assert.strictEqual(handle.find("id", 3), c)
    }))

  it("throws the typed error where no item has the value, and where untyped code asks for no unique lookup", () =>
    using(async (handle) => {
      const missing = thrown(() => handle.get("id", 2))
      assert.instanceOf(missing, RegistryError.ItemLookupError)
      assert.deepInclude(missing, { code: "not_registered", registry: "test/Items", attribute: "id", value: 2 })
      for (const method of [handle.get, handle.find]) {
        for (const attribute of ["nope", "name"]) {
          const error = thrown(() => method(attribute as "id", 1))
          assert.deepInclude(error, { _tag: "ItemLookupError", code: "invalid_attribute", suggestions: ["id"] })
        }
      }
    }))

  it("methods need no `this`", () =>
    using(async ({ dispose, find, get, onChange, register, size, snapshot, values }) => {
      const seen: Array<number> = []
      onChange(({ revision }) => seen.push(revision))
      await register(b)
      assert.deepStrictEqual([get("id", 2), find("id", 2), size(), values(), [...snapshot()]], [b, b, 2, [a, b], [
        a,
        b
      ]])
      assert.deepStrictEqual(seen, [2])
      await dispose()
    }))
})

describe("changing", () => {
  it("does what the operations of Registry do, and answers as they do", () =>
    using(async (handle) => {
      await handle.registerAll(new Set([b, c]))
      await handle.upsert(new Item(3, "three"))
      await handle.replace("id", 2, new Item(20))
      await handle.unregisterBy("id", 20)
      await handle.unregister(a)
      assert.deepStrictEqual(handle.values(), [new Item(3, "three")])
      const { added, removed } = await handle.reconcile([d])
      assert.deepStrictEqual([added, removed], [[d], [new Item(3, "three")]])
      assert.deepStrictEqual(await handle.unregisterOwner("nobody"), [])
      await handle.reset()
      await handle.populate()
      assert.deepStrictEqual(handle.values(), [a])
      await handle.insert(b, "first")
      await handle.insert(c, { before: ["id", 1] })
      await handle.move("id", 1, { at: 0 })
      assert.deepStrictEqual(handle.values(), [a, b, c])
    }))

  it("rejects with the typed error, and changes nothing", () =>
    using(async (handle) => {
      assert.deepInclude(await rejection(handle.register(a)), {
        _tag: "AlreadyRegisteredError",
        code: "already_registered"
      })
      assert.strictEqual((await rejection(handle.registerAll([b, new Item(1, "twin")]))).code, "attribute_registered")
      assert.strictEqual((await rejection(handle.unregister(b))).code, "unregister")
      assert.strictEqual((await rejection(handle.unregisterBy("id", 2))).code, "not_registered")
      assert.strictEqual((await rejection(handle.replace("id", 2, b))).code, "not_registered")
      assert.strictEqual((await rejection(handle.unregisterBy("nope" as "id", 2))).code, "invalid_attribute")
      assert.match((await rejection(handle.registerAll(5 as never))).message, /not an iterable of items/)
      assert.strictEqual(ids(handle.values()), "1")
    }))

  it("rejects with what a hook refuses an item with, with the defect of a hook, and where it was interrupted in one", () => {
    const boom = new Error("boom")
    const hooks = RegistryHooks.layer(Items, {
      onItemRegistering: (item) => item.id === 2 ? RegistryError.reject(item, "reserved") : Effect.void,
      onItemRegistered: (item) => item.id === 3 ? Effect.die(boom) : item.id === 4 ? Effect.interrupt : Effect.void
    })
    return usingRuntime(hooks.pipe(Layer.provideMerge(Items.layer)), async (handle) => {
      assert.deepInclude(await rejection(handle.register(b)), { code: "rejected", reason: "reserved" })
      assert.strictEqual(await rejection(handle.register(c)), boom)
      assert.match((await rejection(handle.register(d))).message, /interrupted/)
      assert.strictEqual(ids(handle.values()), "1")
    })
  })

  it("of several at once, one is after the other, and each is whole", () =>
    using(async (handle) => {
      const results = await Promise.allSettled([handle.register(b), handle.register(b), handle.registerAll([c, d])])
      assert.deepStrictEqual(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"])
      assert.strictEqual(ids(handle.values()), "1,2,3,4")
    }))
})

describe("onChange", () => {
  it("calls a listener after each change, with its events and snapshot, before the promise of the change goes on", () =>
    using(async (handle) => {
      const heard: Array<string> = []
      handle.onChange(({ events, revision, snapshot }) => {
        heard.push(`${revision} ${events.map(({ _tag }) => _tag).join()} ${ids(snapshot)} ${ids(handle.values())}`)
      })
      await handle.register(b)
      heard.push("then")
      await handle.registerAll([c, d])
      await handle.unregister(b)
      assert.deepStrictEqual(heard, [
        "2 Registered 1,2 1,2",
        "then",
        "3 Registered,Registered 1,2,3,4 1,2,3,4",
        "4 Unregistered 1,3,4 1,3,4"
      ])
    }))

  it("G22 misses nothing, and repeats nothing, however fast changes come, and though none is kept", async () => {
    class Forgetful extends Registry.Tag<Forgetful, Item>()("test/Forgetful", { lookup, history: 0 }) {}
    const runtime = ManagedRuntime.make(Forgetful.layer)
    const handle = await RegistryHandle.fromRuntime(runtime, Forgetful)
    const follower = new Follower<Item>([], 1, ({ id }) => ({ id: [id] }))
    let snapshots = 0
    handle.onChange((change) => {
      follower.apply(change)
      if (ids(change.snapshot) === ids(follower.list)) snapshots++
    })
    for (let id = 0; id < 500; id++) {
      runtime.runSync(Registry.register(Forgetful, new Item(id)))
      if (id > 2) runtime.runSync(Registry.unregisterBy(Forgetful, "id", id - 2))
    }
    // it was not called while this code ran
    assert.strictEqual(follower.revision, 1)
    await turns()
    assert.deepStrictEqual(follower.list, [...handle.values()])
    assert.strictEqual(snapshots, follower.revision - 1)
    await runtime.dispose()
  })

  it("G22 calls no listener in the step that publishes, in a transaction, or under a lock", () =>
    usingRuntime(Items.layer, async (handle, runtime) => {
      const registry = runtime.runSync(Items)
      const heard: Array<string> = []
      handle.onChange(({ revision }) => heard.push(`${revision} ${isLocked(registry)}`))
      await runtime.runPromise(Effect.andThen(
        Registry.transact(registry, Effect.andThen(Registry.register(registry, b), Registry.register(registry, c))),
        Effect.sync(() => heard.push("written"))
      ))
      assert.deepStrictEqual(heard, ["written", "2 false"])
    }))

  it("begins with the next change: a listener is not told of one before, though others are being told of it", () =>
    usingRuntime(Items.layer, async (handle, runtime) => {
      const heard: Array<string> = []
      handle.onChange(({ revision }) => {
        heard.push(`first ${revision}`)
        if (revision === 2) handle.onChange((change) => heard.push(`second ${change.revision}`))
      })
      runtime.runSync(Registry.register(Items, b))
      handle.onChange(({ revision }) => heard.push(`late ${revision}`))
      await turns()
      runtime.runSync(Registry.register(Items, c))
      await turns()
      assert.deepStrictEqual(heard, ["first 2", "first 3", "late 3", "second 3"])
    }))

  it("answers its own removal, which may be called again, and for one of two that are the same", () =>
    using(async (handle) => {
      const heard: Array<string> = []
      const listener = ({ revision }: Change) => heard.push(`${revision}`)
      const [stop, other] = [handle.onChange(listener), handle.onChange(listener)]
      await handle.register(b)
      stop()
      stop()
      await handle.register(c)
      other()
      await handle.register(d)
      assert.deepStrictEqual(heard, ["2", "2", "3"])
    }))

  it("a listener may remove itself and others: once removed, they are called no more", () =>
    usingRuntime(Items.layer, async (handle, runtime) => {
      const heard: Array<string> = []
      const stopFirst = handle.onChange(({ revision }) => {
        heard.push(`first ${revision}`)
        stopFirst()
        stopLast()
      })
      handle.onChange(({ revision }) => heard.push(`middle ${revision}`))
      const stopLast = handle.onChange(({ revision }) => heard.push(`last ${revision}`))
      runtime.runSync(Registry.register(Items, b))
      runtime.runSync(Registry.register(Items, c))
      await turns()
      assert.deepStrictEqual(heard, ["first 2", "middle 2", "middle 3"])
    }))

  it("a listener that throws, or whose promise rejects, disturbs nobody, and is logged", async () => {
    const log: Array<string> = []
    await usingRuntime(Items.layer.pipe(Layer.provideMerge(logging(log))), async (handle) => {
      const heard: Array<number> = []
      handle.onChange(() => {
        throw new Error("thrown")
      })
      handle.onChange(async () => {
        await turns()
        throw new Error("rejected")
      })
      handle.onChange(({ revision }) => heard.push(revision))
      await handle.register(b)
      await handle.register(c)
      await turns()
      await turns()
      assert.deepStrictEqual(heard, [2, 3])
      assert.deepStrictEqual(log, [
        `A listener of "test/Items" failed: Error: thrown`,
        `A listener of "test/Items" failed: Error: thrown`,
        `A listener of "test/Items" failed: Error: rejected`,
        `A listener of "test/Items" failed: Error: rejected`
      ])
    })
  })

  it("a listener may change the registry, by promises and at once: all are told of everything, in order", () =>
    usingRuntime(Items.layer, async (handle, runtime) => {
      const heard: Array<string> = []
      let registering: Promise<void> | undefined
      handle.onChange(({ revision }) => {
        heard.push(`first ${revision}`)
        if (revision === 2) registering = handle.register(c)
        if (revision === 3) runtime.runSync(Registry.register(Items, d))
      })
      handle.onChange(({ revision, snapshot }) => heard.push(`second ${revision}: ${ids(snapshot)}`))
      await handle.register(b)
      await registering
      assert.deepStrictEqual(heard, [
        "first 2",
        "second 2: 1,2",
        "first 3",
        "second 3: 1,2,3",
        "first 4",
        "second 4: 1,2,3,4"
      ])
    }))

  it("is not told of a transaction that changes nothing, or is rolled back", () =>
    usingRuntime(Items.layer, async (handle, runtime) => {
      const heard: Array<number> = []
      handle.onChange(({ revision }) => heard.push(revision))
      await rejection(handle.registerAll([b, b]))
      await handle.reconcile([a])
      await runtime.runPromise(Registry.transact(Items, Registry.size(Items)))
      await turns()
      assert.deepStrictEqual(heard, [])
    }))
})

describe("after a reset", () => {
  it("answers what it had, and populates again by itself", async () => {
    const gates = [Effect.void, Effect.void]
    const gate = Deferred.makeUnsafe<void>()
    gates[1] = Deferred.await(gate)
    let populations = 0
    const defaults = Effect.suspend(() => Effect.as(gates[populations++] ?? Effect.void, [new Item(10 + populations)]))
    class Gated extends Registry.Tag<Gated, Item>()("test/Gated", { lookup, defaults }) {}
    const handle = await RegistryHandle.make(Gated, Gated.layer)
    const heard: Array<string> = []
    handle.onChange(({ events }) => heard.push(events.map(({ _tag }) => _tag).join()))
    await handle.register(a)
    await handle.reset()
    await turns()
    assert.deepStrictEqual([populations, ids(handle.values()), handle.get("id", 1)], [2, "11,1", a])
    Deferred.doneUnsafe(gate, Exit.void)
    await turns()
    assert.deepStrictEqual([ids(handle.values()), handle.find("id", 1)], ["12", undefined])
    assert.deepStrictEqual(heard, ["Registered", "Unregistered,Unregistered,Reset", "Registered,Populated"])
    await handle.dispose()
  })

  it("by an effect answers what was there right before it, though nobody read that", () =>
    usingRuntime(Items.layer, async (handle, runtime) => {
      const gate = Deferred.makeUnsafe<void>()
      const registry = runtime.runSync(Items)
      const holding = runtime.runPromise(Effect.scoped(Effect.andThen(
        Registry.addHooks(registry, { onPopulating: Deferred.await(gate) }),
        Effect.gen(function*() {
          yield* Registry.register(registry, b)
          yield* Registry.reset(registry)
          yield* Effect.promise(turns)
          assert.strictEqual(ids(handle.values()), "1,2")
          yield* Deferred.succeed(gate, undefined)
          yield* Effect.promise(turns)
          assert.strictEqual(ids(handle.values()), "1")
        })
      )))
      await holding
    }))

  it("whose population fails answers what it had, and tries again at the next use", async () => {
    let offline = false
    let populations = 0
    const defaults = Effect.suspend(() => {
      populations++
      return offline ? Effect.fail("offline") : Effect.succeed([a])
    })
    class Remote extends Registry.Tag<Remote, Item>()("test/Remote", { lookup, defaults }) {}
    const handle = await RegistryHandle.make(Remote, Remote.layer.pipe(Layer.provideMerge(Logger.layer([]))))
    await handle.register(b)
    offline = true
    await handle.reset()
    await turns()
    // once: nobody has used it since
    assert.strictEqual(populations, 2)
    assert.strictEqual(ids(handle.values()), "1,2")
    await turns()
    assert.strictEqual(populations, 3)
    assert.strictEqual((await rejection(handle.populate())).cause, "offline")
    offline = false
    // these defaults wait for nothing
    assert.strictEqual(ids(handle.values()), "1")
    assert.strictEqual(populations, 5)
    await handle.dispose()
  })

  it("and another one, while it populates, populates once more", async () => {
    let populations = 0
    const defaults = Effect.suspend(() => Effect.as(Effect.yieldNow, [new Item(++populations)]))
    class Slow extends Registry.Tag<Slow, Item>()("test/Slow", { lookup, defaults }) {}
    const handle = await RegistryHandle.make(Slow, Slow.layer)
    await Promise.all([handle.reset(), handle.reset()])
    await handle.reset()
    await turns()
    await turns()
    assert.strictEqual(ids(handle.values()), `${populations}`)
    assert.isAtLeast(populations, 3)
    await handle.dispose()
  })

  it("and another one, as it ends, populates once more, under schedules of all fibers", () =>
    Effect.runPromise(RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* Registry.make<Item>()({ lookup, defaults: [a] })
        yield* Registry.populate(registry)
        const runtime = ManagedRuntime.make(Layer.succeed(Scheduler.Scheduler, yield* Scheduler.Scheduler))
        const handle = yield* Effect.promise(() => RegistryHandle.fromRuntime(runtime, registry))
        yield* Registry.reset(registry)
        yield* Effect.repeat(Effect.yieldNow, {
          until: () => RegistrySnapshot.revision(Registry.snapshotUnsafe(registry)) > 2,
          times: 100
        })
        yield* Registry.reset(registry)
        yield* Effect.promise(turns)
        assert.strictEqual(yield* Registry.state(registry), "Ready")
        yield* Effect.promise(handle.dispose)
        yield* runtime.disposeEffect
      })),
      { seeds: 1000 }
    )))

  it("answers never what is Pending, and tells all changes, under schedules of effects that write and reset", {
    timeout: 120_000
  }, () =>
    Effect.runPromise(RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        let populations = 0
        const registry = yield* Registry.make<Item>()({
          lookup,
          populationFailure: "die",
          defaults: Effect.andThen(Effect.yieldNow, Effect.sync(() => [new Item(100 + ++populations)]))
        })
        yield* Registry.populate(registry)
        const runtime = ManagedRuntime.make(Layer.succeed(Scheduler.Scheduler, yield* Scheduler.Scheduler))
        const handle = yield* Effect.promise(() => RegistryHandle.fromRuntime(runtime, registry))
        const follower = new Follower(
          handle.values(),
          RegistrySnapshot.revision(handle.snapshot()),
          ({ id }: Item) => ({ id: [id] })
        )
        handle.onChange((change) => {
          follower.apply(change)
          assert.deepStrictEqual([...change.snapshot], follower.list)
        })
        const look = Effect.repeat(
          Effect.andThen(Effect.yieldNow, Effect.sync(() => assert.match(ids(handle.values()), /\b10\d/))),
          { times: 10 }
        )
        yield* Effect.all([
          look,
          Effect.ignore(Registry.registerAll(registry, [a, b])),
          Registry.reset(registry),
          Effect.ignore(
            Registry.transact(
              registry,
              Effect.andThen(Registry.register(registry, c), Registry.unregister(registry, c))
            )
          ),
          Effect.promise(() => Promise.allSettled([handle.register(d), handle.reset()])),
          Registry.reset(registry)
        ], { concurrency: "unbounded" })
        yield* Effect.promise(turns)
        assert.strictEqual(yield* Registry.state(registry), "Ready")
        assert.deepStrictEqual(follower.list, [...Registry.snapshotUnsafe(registry)])
        assert.deepStrictEqual(handle.values(), follower.list)
        yield* Effect.promise(handle.dispose)
        assert.strictEqual(listeners(registry), 0)
        yield* runtime.disposeEffect
      })),
      { seeds: 100 }
    )))
})

describe("dispose", () => {
  const over = /^The registry "test\/Items" is closed, or its handle was disposed of\.$/

  const isOver = async (handle: Handle) => {
    for (
      const method of [
        () => handle.get("id", 1),
        () => handle.find("id", 1),
        handle.values,
        handle.size,
        handle.snapshot,
        () => handle.onChange(() => {})
      ]
    ) {
      assert.match(thrown(method).message, over)
    }
    for (
      const promise of [
        handle.register(b),
        handle.registerAll([b]),
        handle.upsert(b),
        handle.unregister(a),
        handle.unregisterBy("id", 1),
        handle.unregisterOwner("x"),
        handle.replace("id", 1, b),
        handle.insert(b, "first"),
        handle.move("id", 1, "first"),
        handle.reconcile([]),
        handle.populate(),
        handle.reset()
      ]
    ) {
      assert.match((await rejection(promise)).message, over)
    }
  }

  it("of a handle from make ends its registry, and waits until its layer has released everything", async () => {
    const log: Array<string> = []
    const slow = Layer.effectDiscard(
      Effect.addFinalizer(() => Effect.andThen(Effect.promise(turns), Effect.sync(() => log.push("released slowly"))))
    )
    const handle = await RegistryHandle.make(
      Items,
      layer.pipe(Layer.provideMerge(noted(log)), Layer.provideMerge(slow))
    )
    await Promise.all([handle.dispose(), handle.dispose().then(() => log.push("disposed"))])
    assert.deepStrictEqual(log, ["acquired", "released", "released slowly", "disposed"])
    await isOver(handle)
    await handle.dispose()
  })

  it("comes with `await using`", async () => {
    const log: Array<string> = []
    {
      await using handle = await RegistryHandle.make(Items, layer.pipe(Layer.provideMerge(noted(log))))
      assert.strictEqual(handle.size(), 1)
    }
    assert.deepStrictEqual(log, ["acquired", "released"])
  })

  it("rolls back a change in flight, which rejects", async () => {
    const log: Array<string> = []
    const hooks = RegistryHooks.layer(Items, {
      onItemRegistered: ({ id }) =>
        id === 2 ? Effect.andThen(Effect.sync(() => log.push("told")), Effect.never) : Effect.void,
      onItemUnregistered: () => Effect.sync(() => log.push("taken back"))
    })
    const handle = await RegistryHandle.make(Items, Layer.fresh(hooks.pipe(Layer.provideMerge(Items.layer))))
    const inFlight = rejection(handle.register(b))
    const waiting = rejection(handle.register(c))
    await turns()
    await handle.dispose()
    assert.match((await inFlight).message, over)
    assert.match((await waiting).message, over)
    assert.deepStrictEqual(log, ["told"])
  })

  it("calls no listener any more, also for a change that others were told of", async () => {
    const heard: Array<string> = []
    const handle = await RegistryHandle.make(Items, layer)
    handle.onChange(({ revision }) => {
      heard.push(`first ${revision}`)
      void handle.dispose()
    })
    handle.onChange(({ revision }) => heard.push(`second ${revision}`))
    await handle.register(b)
    await turns()
    assert.deepStrictEqual(heard, ["first 2"])
    await isOver(handle)
  })

  it("of a handle from fromRuntime leaves the registry, and a change in flight, to the runtime", () =>
    usingRuntime(Items.layer, async (handle, runtime) => {
      const gate = Deferred.makeUnsafe<void>()
      const registry = runtime.runSync(Items)
      await runtime.runPromise(Scope.provide(
        Registry.addHooks(registry, { onItemRegistering: () => Deferred.await(gate) }),
        Scope.makeUnsafe()
      ))
      const registering = handle.register(b)
      await handle.dispose()
      Deferred.doneUnsafe(gate, Exit.void)
      await registering
      await isOver(handle)
      assert.strictEqual(runtime.runSync(Registry.size(registry)), 2)
      assert.strictEqual(listeners(registry), 0)
    }))

  it("of one of two handles that share a runtime leaves the other", () =>
    usingRuntime(Items.layer, async (one, runtime) => {
      const other = await RegistryHandle.fromRuntime(runtime, Items)
      const heard: Array<string> = []
      one.onChange(({ revision }) => heard.push(`one ${revision}`))
      other.onChange(({ revision }) => heard.push(`other ${revision}`))
      await one.register(b)
      assert.deepStrictEqual([one.get("id", 2), other.get("id", 2)], [b, b])
      await one.dispose()
      await other.unregister(b)
      await isOver(one)
      assert.deepStrictEqual(heard, ["one 2", "other 2", "other 3"])
      assert.strictEqual(other.size(), 1)
    }))

  it("of the runtime ends its handles, and a change in flight rejects", async () => {
    const runtime = ManagedRuntime.make(layer)
    const handle = await RegistryHandle.fromRuntime(runtime, Items)
    const registry = runtime.runSync(Items)
    await runtime.runPromise(Scope.provide(
      Registry.addHooks(registry, { onItemRegistering: () => Effect.never }),
      Scope.makeUnsafe()
    ))
    const inFlight = rejection(handle.register(b))
    await turns()
    await runtime.dispose()
    assert.instanceOf(await inFlight, Error)
    await isOver(handle)
    assert.strictEqual(listeners(registry), 0)
  })

  it("of a runtime whose layer fails, or that is disposed of already, rejects the handle", async () => {
    const failing = ManagedRuntime.make(Layer.effect(Items, Effect.fail("no disk")))
    assert.strictEqual(await rejection(RegistryHandle.fromRuntime(failing, Items)), "no disk")
    const disposed = ManagedRuntime.make(layer)
    await disposed.dispose()
    assert.match(String(await rejection(RegistryHandle.fromRuntime(disposed, Items))), /disposed/)
    await failing.dispose()
  })

  it("lets go of the registry's items, of listeners and of what they had", async () => {
    const objects = new Map<string, WeakRef<object>>()
    const handle = await RegistryHandle.make(Items, layer)
    await (async () => {
      const [item, listener] = [new Item(2), () => {}]
      objects.set("item", new WeakRef(item)).set("listener", new WeakRef(listener))
      handle.onChange(listener)
      await handle.register(item)
    })()
    assert.deepStrictEqual([...(await Effect.runPromise(kept(objects)))], ["item", "listener"])
    await handle.dispose()
    assert.deepStrictEqual(await Effect.runPromise(kept(objects)), [])
    assert.throws(() => handle.size(), over)
  })

  it("refuses a value that is neither a registry nor a service of one", async () => {
    const runtime = ManagedRuntime.make(Layer.empty)
    assert.match(
      (await rejection(RegistryHandle.fromRuntime(runtime, {} as Registry.Registry<Item, typeof lookup>))).message,
      /neither a registry nor a service of one/
    )
    await runtime.dispose()
  })
})

describe("a handle", () => {
  it("and subscribers, streams and effects of the same registry see the same", () =>
    usingRuntime(Items.layer, async (handle, runtime) => {
      const collecting = runtime.runPromise(Stream.runCollect(Stream.take(Registry.changes(Items), 1)))
      const heard: Array<Change> = []
      handle.onChange((change) => heard.push(change))
      await handle.register(b)
      const [change] = await collecting
      assert.strictEqual(heard[0], change)
    }))
})
