/** Atoms of a registry, in the registries of atoms that Effect's bindings use. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, ManagedRuntime, Option, Scope } from "effect"
import { Registry, RegistryAtom } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { AsyncResult, Atom, AtomRegistry } from "effect/reactivity"
import { published } from "./utils/inside.ts"
import { a, b, c, Item } from "./utils/items.ts"
import { nobody, watchers } from "./utils/watchers.ts"

class Items extends Registry.Tag<Items, Item>()("test/Items", { lookup: ["id", "name"], defaults: [a] }) {}

/** One that cannot be populated as long as it is offline. */
let offline = false
class Remote extends Registry.Tag<Remote, Item>()("test/Remote", {
  lookup: ["id"],
  defaults: Effect.suspend(() => offline ? Effect.fail("offline") : Effect.succeed([a]))
}) {}

type AnyResult<A> = AsyncResult.AsyncResult<A, unknown>

const ids = (result: AnyResult<ReadonlyArray<Item>>) =>
  `${result._tag}: ${
    Option.match(AsyncResult.value(result), {
      onNone: () => "-",
      onSome: (items) => items.map(({ id }) => id).join()
    })
  }`

const nameOf = (result: AnyResult<Option.Option<Item>>) =>
  Option.match(Option.flatten(AsyncResult.value(result)), { onNone: () => "none", onSome: ({ name }) => name })

const causeOf = (result: AsyncResult.AsyncResult<unknown, { readonly cause?: unknown }>) =>
  Option.match(AsyncResult.error(result), { onNone: () => "", onSome: ({ cause }) => cause })

/** A registry of atoms, and a runtime of a registry that outlives both. */
const given = Effect.gen(function*() {
  const context = yield* Layer.build(Layer.fresh(Items.layer))
  const atoms = yield* Effect.acquireRelease(
    Effect.sync(() => AtomRegistry.make()),
    (registry) => Effect.sync(() => registry.dispose())
  )
  return {
    atoms,
    registry: yield* Effect.provide(Items, context),
    runtime: Atom.runtime(Layer.succeedContext(context))
  }
})

/** What a listener hears. */
const hears = <A, B>(atoms: AtomRegistry.AtomRegistry, atom: Atom.Atom<A>, f: (a: A) => B) => {
  const heard: Array<B> = []
  const stop = atoms.subscribe(atom, (one) => heard.push(f(one)), { immediate: true })
  return { heard, stop }
}

/** Lets fibers, and the tasks of a registry of atoms, have their turns. */
const turns = Effect.promise(() => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve))))

describe("values", () => {
  it.live("has the items at once where the registry can answer at once, and after each change", () =>
    Effect.gen(function*() {
      const { atoms, registry, runtime } = yield* given
      const { heard } = hears(atoms, RegistryAtom.values(runtime, Items), ids)
      assert.deepStrictEqual(heard, ["Success: 1"])
      yield* Registry.registerAll(registry, [b, c])
      yield* turns
      yield* Registry.unregister(registry, a)
      yield* turns
      assert.deepStrictEqual(heard, ["Success: 1", "Success: 1,2,3", "Success: 2,3"])
    }))

  it.live("is Initial while the layer is built or the registry is populated, then a Success that waits for more", () =>
    Effect.gen(function*() {
      class Slow extends Registry.Tag<Slow, Item>()("test/Slow", {
        lookup: ["id"],
        defaults: Effect.as(Effect.yieldNow, [a])
      }) {}
      const atoms = AtomRegistry.make()
      const slow = Layer.unwrap(Effect.as(Effect.yieldNow, Slow.layer))
      const { heard } = hears(
        atoms,
        RegistryAtom.values(Atom.runtime(slow), Slow),
        (result) => [ids(result), result.waiting]
      )
      yield* turns
      yield* turns
      assert.deepStrictEqual(heard[0], ["Initial: -", true])
      assert.deepStrictEqual(heard.at(-1), ["Success: 1", true])
      atoms.dispose()
    }))

  it.live("mounted twice follows the registry once, and ends with the last listener", () =>
    Effect.gen(function*() {
      const { atoms, registry, runtime } = yield* given
      const atom = RegistryAtom.values(runtime, Items)
      const [one, other] = [hears(atoms, atom, ids), hears(atoms, atom, ids)]
      yield* turns
      assert.strictEqual(watchers(registry).waiting, 1)
      one.stop()
      yield* turns
      yield* Registry.register(registry, b)
      yield* turns
      assert.deepStrictEqual([one.heard, other.heard], [["Success: 1"], ["Success: 1", "Success: 1,2"]])
      other.stop()
      yield* turns
      assert.deepStrictEqual(watchers(registry), nobody)
      // mounted again, it begins with what there is now
      yield* Registry.register(registry, c)
      assert.deepStrictEqual(hears(atoms, atom, ids).heard, ["Success: 1,2,3"])
    }))

  it.live("of two registries of atoms follow on their own; disposing of one ends its own", () =>
    Effect.gen(function*() {
      const { atoms, registry, runtime } = yield* given
      const others = AtomRegistry.make()
      const atom = RegistryAtom.values(runtime, Items)
      const [one, other] = [hears(atoms, atom, ids), hears(others, atom, ids)]
      yield* turns
      assert.strictEqual(watchers(registry).waiting, 2)
      others.dispose()
      yield* turns
      yield* Registry.register(registry, b)
      yield* turns
      assert.deepStrictEqual([one.heard, other.heard], [["Success: 1", "Success: 1,2"], ["Success: 1"]])
      atoms.dispose()
      yield* turns
      assert.deepStrictEqual(watchers(registry), nobody)
      assert.throws(() => atoms.get(atom), /disposed/)
    }))

  it.live("disposing of the registry of atoms ends a registry whose layer the runtime built", () =>
    Effect.gen(function*() {
      const atoms = AtomRegistry.make()
      const runtime = Atom.runtime(Layer.fresh(Items.layer))
      const { heard } = hears(atoms, RegistryAtom.values(runtime, Items), ids)
      const built = atoms.get(runtime)
      if (built._tag !== "Success") return yield* Effect.die("it was not built")
      const registry = yield* Effect.provide(Items, built.value)
      yield* Registry.register(registry, b)
      yield* turns
      assert.deepStrictEqual(heard, ["Success: 1", "Success: 1,2"])
      atoms.dispose()
      yield* turns
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Registry.size(registry))))
      assert.deepStrictEqual([...published(registry)], [])
    }))

  it.live("when the registry ends it has the last items, and waits for no more", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const registry = yield* Scope.provide(Registry.make<Item>()({ lookup: ["id"], defaults: [a] }), scope)
      const atoms = AtomRegistry.make()
      const { heard } = hears(
        atoms,
        RegistryAtom.values(Atom.runtime(Layer.empty), registry),
        (result) => [ids(result), result.waiting]
      )
      yield* Scope.close(scope, Exit.void)
      yield* turns
      assert.deepStrictEqual(heard, [["Success: 1", true], ["Success: 1", false]])
      atoms.dispose()
    }))

  it.live("shares the registry of a ManagedRuntime", () =>
    Effect.gen(function*() {
      const managed = ManagedRuntime.make(Layer.fresh(Items.layer))
      const atoms = AtomRegistry.make()
      const runtime = Atom.runtime(Layer.effectContext(managed.contextEffect))
      yield* Effect.promise(() => managed.runPromise(Registry.register(Items, b)))
      const { heard } = hears(atoms, RegistryAtom.values(runtime, Items), ids)
      yield* turns
      assert.deepStrictEqual(heard.at(-1), "Success: 1,2")
      atoms.dispose()
      assert.strictEqual(yield* Effect.promise(() => managed.runPromise(Registry.size(Items))), 2)
      yield* managed.disposeEffect
    }))

  it.live("populates again after a reset, and is never empty meanwhile", () =>
    Effect.gen(function*() {
      const { atoms, registry, runtime } = yield* given
      const { heard } = hears(atoms, RegistryAtom.values(runtime, Items), ids)
      yield* Registry.register(registry, b)
      yield* turns
      yield* Registry.reset(registry)
      yield* turns
      assert.deepStrictEqual(heard, ["Success: 1", "Success: 1,2", "Success: 1"])
    }))

  it.live("is a Failure with the error of a population, at first and after a reset, until it is refreshed", () =>
    Effect.gen(function*() {
      offline = true
      const context = yield* Layer.build(Layer.fresh(Remote.layer))
      const registry = yield* Effect.provide(Remote, context)
      const atoms = AtomRegistry.make()
      const atom = RegistryAtom.values(Atom.runtime(Layer.succeedContext(context)), Remote)
      const { heard } = hears(atoms, atom, (result) => [ids(result), causeOf(result)].join(" ").trim())
      yield* turns
      assert.deepStrictEqual(heard, ["Failure: - offline"])
      offline = false
      atoms.refresh(atom)
      yield* turns
      offline = true
      yield* Registry.reset(registry)
      yield* turns
      // the items of before are in the failure
      assert.deepStrictEqual(heard.slice(-2), ["Success: 1", "Failure: 1 offline"])
      offline = false
      // somebody else populates it: an atom that has failed does not follow
      yield* Registry.register(registry, b)
      yield* turns
      assert.strictEqual(heard.at(-1), "Failure: 1 offline")
      atoms.refresh(atom)
      yield* turns
      assert.strictEqual(heard.at(-1), "Success: 1,2")
      atoms.dispose()
    }).pipe(Effect.ensuring(Effect.sync(() => {
      offline = false
    }))))

  it.live("is a Failure where the layer cannot be built", () =>
    Effect.gen(function*() {
      const atoms = AtomRegistry.make()
      const runtime = Atom.runtime(Layer.effect(Items, Effect.fail("no disk")))
      const { heard } = hears(atoms, RegistryAtom.values(runtime, Items), (result) => AsyncResult.error(result))
      yield* turns
      assert.deepStrictEqual(heard.at(-1), Option.some("no disk"))
      atoms.dispose()
    }))

  it.effect("comes to what the registry holds, under schedules of writers and of the registry of atoms", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const { currentDispatcher } = Fiber.getCurrent()!
        const registry = yield* Registry.make<Item>()({
          lookup: ["id"],
          defaults: Effect.as(Effect.yieldNow, [a]),
          populationFailure: "die"
        })
        const atoms = AtomRegistry.make({
          scheduleTask: (f) => {
            let isOn = true
            currentDispatcher.scheduleTask(() => isOn && f(), 0)
            return () => {
              isOn = false
            }
          }
        })
        const atom = RegistryAtom.values(Atom.runtime(Layer.empty), registry)
        const { heard } = hears(atoms, atom, ids)
        yield* Effect.all([
          Registry.register(registry, b),
          Registry.reset(registry),
          Effect.andThen(Registry.upsert(registry, c), Effect.ignore(Registry.unregister(registry, c)))
        ], { concurrency: "unbounded" })
        const last = `Success: ${(yield* Registry.values(registry)).map(({ id }) => id).join()}`
        yield* Effect.repeat(Effect.yieldNow, { until: () => heard.at(-1) === last, times: 1_000 })
        assert.strictEqual(heard.at(-1), last)
        assert.isTrue(heard.every((one) => one === "Initial: -" || /\b1\b/.test(one)), heard.join(" | "))
        atoms.dispose()
        yield* Effect.repeat(Effect.yieldNow, { until: () => watchers(registry).waiting === 0, times: 1_000 })
        assert.deepStrictEqual(watchers(registry), nobody)
      })),
      { seeds: 200 }
    ))
})

describe("item", () => {
  it.live("is the item that has a value, and hears of no other", () =>
    Effect.gen(function*() {
      const { atoms, registry, runtime } = yield* given
      const { heard } = hears(atoms, RegistryAtom.item(runtime, Items, "name", "item 2"), nameOf)
      const byId = hears(atoms, RegistryAtom.item(runtime, Items, "id", 2), nameOf)
      yield* Registry.register(registry, c)
      yield* turns
      yield* Registry.register(registry, b)
      yield* turns
      yield* Registry.replace(registry, "id", 2, new Item(2, "two"))
      yield* turns
      assert.deepStrictEqual(heard, ["none", "item 2", "none"])
      assert.deepStrictEqual(byId.heard, ["none", "item 2", "two"])
    }))

  it.live("a family of atoms has one for each value", () =>
    Effect.gen(function*() {
      const { atoms, registry, runtime } = yield* given
      const itemAtom = Atom.family((id: number) => RegistryAtom.item(runtime, Items, "id", id))
      assert.strictEqual(itemAtom(1), itemAtom(1))
      const [one, two] = [hears(atoms, itemAtom(1), nameOf), hears(atoms, itemAtom(2), nameOf)]
      yield* Registry.unregister(registry, a)
      yield* turns
      assert.deepStrictEqual([one.heard, two.heard], [["item 1", "none"], ["none"]])
    }))

  it.live("of an attribute that is not a unique lookup is a Failure that says so", () =>
    Effect.gen(function*() {
      const { atoms, runtime } = yield* given
      const result = atoms.get(RegistryAtom.item(runtime, Items, "nmae" as "name", "x"))
      const cause = Option.getOrThrow(AsyncResult.cause(result))
      assert.match(String(Cause.squash(cause)), /"test\/Items" has no lookup "nmae"/)
    }))
})
