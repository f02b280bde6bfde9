/** The invariant of a registry: a check of all items together, before what put some in is published. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Data, Effect, Exit, Fiber, Latch, Layer, Logger, Scope } from "effect"
import { Lookup, Registry, RegistryError, RegistrySnapshot } from "effect-registry"
import { isLocked } from "./utils/inside.ts"
import { defectOf, messageOf } from "./utils/items.ts"
import { recorder } from "./utils/spans.ts"

interface Type {
  readonly id: string
  readonly refs: ReadonlyArray<string>
}

class Dangling extends Data.TaggedError("Dangling")<{ readonly from: string; readonly to: string }> {
  override get message(): string {
    return `${this.from} refers to ${this.to}`
  }
}

const lookup = { id: Lookup.unique((type: Type) => type.id) }

type Snapshot = RegistrySnapshot.RegistrySnapshot<Type, typeof lookup>

const type = (id: string, ...refs: ReadonlyArray<string>): Type => ({ id, refs })

const user = type("User", "Post")
const post = type("Post", "User")
const tag = type("Tag")
const lost = type("Lost", "Nothing")

/** Each item that a transaction put in or changed refers to items that are there. */
const refersToWhatIsThere = (draft: Snapshot, before: Snapshot) =>
  Effect.forEach(draft, ({ id, refs }) =>
    Effect.forEach(refs, (ref) => {
      const was = RegistrySnapshot.contains(before, { id, refs }) && !RegistrySnapshot.has(before, "id", ref)
      return RegistrySnapshot.has(draft, "id", ref) || was ? Effect.void : new Dangling({ from: id, to: ref })
    }), { discard: true })

const ids = (items: Iterable<Type>): string => Array.from(items, ({ id }) => id).join(" ")

type Types = Registry.Registry<
  Type,
  typeof lookup,
  RegistryError.PopulationError<RegistryError.RegistrationFailure | Dangling>,
  Dangling
>

/** A registry of types, and what its invariant was asked about: `before > draft`. */
const types = (
  defaults: ReadonlyArray<Type> = [],
  hooks: (registry: () => Types) => {
    readonly onItemRegistered?: (item: Type) => Effect.Effect<unknown>
    readonly onItemUnregistered?: (item: Type) => Effect.Effect<unknown>
  } = () => ({})
) =>
  Effect.gen(function*() {
    const asked: Array<string> = []
    const registry: Types = yield* Registry.make<Type>()({
      name: "types",
      lookup,
      defaults,
      hooks: hooks(() => registry),
      invariant: (draft, before) =>
        Effect.suspend(() => {
          asked.push(`${ids(before)} > ${ids(draft)}`)
          return refersToWhatIsThere(draft, before)
        })
    })
    return { asked, registry }
  })

/** Long enough to be put into the index of the contents before. */
const list = (name: string) => Array.from({ length: 100 }, (_, i) => type(`${name} ${i}`))

const held = (registry: Types): string => ids(Registry.snapshotUnsafe(registry))

describe("an invariant", () => {
  const batches: ReadonlyArray<
    readonly [name: string, of: (registry: Types) => Effect.Effect<unknown, unknown, Scope.Scope>]
  > = [
    ["registerAll", (its) => Registry.registerAll(its, [post, user])],
    ["registerAllScoped", (its) => Registry.registerAllScoped(its, [post, user])],
    ["reconcile", (its) => Registry.reconcile(its, [post, user])],
    [
      "transact",
      (its) => Registry.transact(its, Effect.andThen(Registry.register(its, post), Registry.register(its, user)))
    ],
    [
      "transactAll",
      (its) => Registry.transactAll([its], Effect.andThen(Registry.upsert(its, post), Registry.upsert(its, user)))
    ]
  ]
  for (const [name, batch] of batches) {
    it.effect(`lets a batch in whose items refer to each other, by ${name}: it is asked once`, () =>
      Effect.gen(function*() {
        const { asked, registry } = yield* types()
        yield* batch(registry)
        assert.strictEqual(held(registry), "Post User")
        assert.deepStrictEqual(asked, [" > Post User"])
      }))
  }

  const refused: ReadonlyArray<
    readonly [name: string, of: (registry: Types) => Effect.Effect<unknown, unknown, Scope.Scope>]
  > = [
    ["register", (its) => Registry.register(its, lost)],
    ["registerAll", (its) => Registry.registerAll(its, [user, post, lost])],
    ["registerScoped", (its) => Registry.registerScoped(its, lost)],
    ["registerAllScoped", (its) => Registry.registerAllScoped(its, [lost])],
    ["upsert", (its) => Registry.upsert(its, type("Tag", "Nothing"))],
    ["replace", (its) => Registry.replace(its, "id", "Tag", lost)],
    ["reconcile", (its) => Registry.reconcile(its, [tag, lost])],
    ["override", (its) => Registry.override(its, type("Tag", "Nothing"))],
    ["transact", (its) => Registry.transact(its, Registry.register(its, lost))],
    ["transactAll", (its) => Registry.transactAll([its], Registry.register(its, lost))],
    ["a nested transact", (its) => Registry.transact(its, Registry.transact(its, Registry.register(its, lost)))]
  ]
  for (const [name, operation] of refused) {
    it.effect(`refuses ${name}: it fails with the error of the invariant, and nothing has changed`, () =>
      Effect.gen(function*() {
        const heard: Array<string> = []
        const { registry } = yield* types([tag], () => ({
          onItemRegistered: ({ id }) => Effect.sync(() => heard.push(`+${id}`)),
          onItemUnregistered: ({ id }) => Effect.sync(() => heard.push(`-${id}`))
        }))
        yield* Registry.populate(registry)
        const before = RegistrySnapshot.revision(Registry.snapshotUnsafe(registry))
        const exit = yield* Effect.exit(Effect.scoped(operation(registry)))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasFails(exit.cause))
        assert.instanceOf(defectOf(exit), Dangling)
        assert.strictEqual(held(registry), "Tag")
        assert.strictEqual(RegistrySnapshot.revision(Registry.snapshotUnsafe(registry)), before)
        assert.isFalse(isLocked(registry))
        // what hooks were told was taken back
        const known = new Set<string>()
        for (const call of heard) known[call.startsWith("+") ? "add" : "delete"](call.slice(1))
        assert.deepStrictEqual(Array.from(known), ["Tag"])
      }))
  }

  it.effect("sees what there was: what is left of a withdrawal need not block everything", () =>
    Effect.gen(function*() {
      const { registry } = yield* types([user, post])
      yield* Registry.unregisterBy(registry, "id", "Post")
      yield* Registry.register(registry, tag)
      assert.strictEqual(held(registry), "User Tag")
      assert.instanceOf(yield* Effect.flip(Registry.register(registry, lost)), Dangling)
    }))

  it.effect("sees the draft when all hooks have been told, and what they registered", () =>
    Effect.gen(function*() {
      const { asked, registry } = yield* types([], (its) => ({
        onItemRegistered: ({ id }) => id === "Post" ? Effect.orDie(Registry.register(its(), user)) : Effect.void
      }))
      yield* Registry.register(registry, post)
      assert.deepStrictEqual(asked, [" > Post User"])
    }))

  it.effect("is not asked where no item came or changed", () =>
    Effect.gen(function*() {
      const { asked, registry } = yield* types([tag])
      yield* Registry.populate(registry)
      asked.length = 0
      yield* Registry.reconcile(registry, [tag])
      yield* Registry.transact(registry, Registry.size(registry))
      yield* Registry.transact(
        registry,
        Effect.ignore(Registry.transact(registry, Effect.andThen(Registry.register(registry, user), Effect.fail("no"))))
      )
      yield* Registry.transact(
        registry,
        Effect.andThen(Registry.register(registry, user), Registry.unregister(registry, user))
      )
      assert.deepStrictEqual(asked, [])
    }))

  it.effect("may register what is missing: it is asked again about that", () =>
    Effect.gen(function*() {
      const registry: Types = yield* Registry.make<Type>()({
        lookup,
        invariant: (draft, before) =>
          Effect.catch(refersToWhatIsThere(draft, before), ({ to }) =>
            Effect.orDie(Registry.register(registry, type(to))))
      })
      yield* Registry.register(registry, type("A", "B", "C"))
      assert.strictEqual(held(registry), "A B C")
      assert.strictEqual(RegistrySnapshot.revision(Registry.snapshotUnsafe(registry)), 2)
    }))

  it.effect("that waits can be interrupted: nothing has changed", () =>
    Effect.gen(function*() {
      const asked = yield* Latch.make()
      const registry = yield* Registry.make<Type>()({
        lookup,
        invariant: () => Effect.andThen(asked.open, Effect.never)
      })
      const fiber = yield* Effect.forkChild(Registry.register(registry, tag))
      yield* asked.await
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(RegistrySnapshot.size(Registry.snapshotUnsafe(registry)), 0)
      assert.isFalse(isLocked(registry))
    }))

  it.effect("that throws, or is no effect, is a defect of the operation: nothing has changed, and the lock is free", () =>
    Effect.gen(function*() {
      for (
        const [answer, text] of [
          [() => {
            throw new Error("thrown")
          }, /thrown/],
          [() => undefined, /^The hook invariant of "odd" is, or answers, undefined, which is no effect\.$/]
        ] as const
      ) {
        const registry = yield* Registry.make<Type>()({
          name: "odd",
          lookup,
          invariant: answer as () => Effect.Effect<void>
        })
        const exit = yield* Effect.exit(Registry.register(registry, tag))
        assert.match(messageOf(exit), text)
        assert.strictEqual(RegistrySnapshot.size(Registry.snapshotUnsafe(registry)), 0)
        assert.isFalse(isLocked(registry))
      }
    }))

  it.effect("gets snapshots that stay as they are, though the transaction fails", () =>
    Effect.gen(function*() {
      const seen: Array<Snapshot> = []
      let refuses = false
      const registry = yield* Registry.make<Type>()({
        lookup,
        invariant: (draft) =>
          Effect.andThen(Effect.sync(() => seen.push(draft)), refuses ? Effect.fail("no") : Effect.void)
      })
      yield* Registry.registerAll(registry, list("a"))
      refuses = true
      yield* Effect.exit(Registry.registerAll(registry, list("b")))
      assert.strictEqual(yield* Registry.size(registry), 100)
      for (const id of [...list("a"), ...list("b")].map((one) => one.id)) {
        assert.isTrue(RegistrySnapshot.has(seen[1]!, "id", id), id)
      }
    }))

  it.effect("runs with the services of the registry, in a span of the operation", () =>
    Effect.gen(function*() {
      class Limit extends Context.Service<Limit, number>()("Limit") {}
      class Small extends Registry.Service<Small, Type>()("Small", {
        lookup,
        invariant: (draft) =>
          Effect.flatMap(Limit, (limit) => RegistrySnapshot.size(draft) > limit ? Effect.fail("full") : Effect.void)
      }) {}
      const { told, tracer } = recorder()
      const program = Effect.gen(function*() {
        yield* Small.register(tag)
        assert.strictEqual(yield* Effect.flip(Small.transact(Small.register(user))), "full")
      })
      yield* Effect.andThen(program, Effect.andThen(Small.reset, Effect.withTracer(program, tracer))).pipe(
        Effect.provide(Layer.provide(Small.layer, Layer.succeed(Limit, 1))),
        // a caller has another one
        Effect.provideService(Limit, 9)
      )
      assert.include(told().map(({ name }) => name), "Registry.invariant")
    }))
})

describe("an invariant of a population", () => {
  it.effect("lets defaults in that refer to each other", () =>
    Effect.gen(function*() {
      const { asked, registry } = yield* types([post, user])
      assert.strictEqual(yield* Registry.size(registry), 2)
      assert.deepStrictEqual(asked, [" > Post User"])
    }))

  it.effect("fails with a PopulationError that carries its error; the registry is Pending, and the next use tries again", () =>
    Effect.gen(function*() {
      const { asked, registry } = yield* types([lost])
      const error = yield* Effect.flip(Registry.size(registry))
      assert.instanceOf(error, RegistryError.PopulationError)
      assert.strictEqual(error.code, "invariant")
      assert.instanceOf(error.cause, Dangling)
      assert.strictEqual(error.message, "Could not populate \"types\": its invariant failed. Lost refers to Nothing")
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      assert.instanceOf(yield* Effect.flip(Registry.register(registry, tag)), RegistryError.PopulationError)
      assert.strictEqual(asked.length, 2)
      const explained = yield* Registry.explain(registry, "id", "Lost")
      assert.strictEqual(explained._tag, "PopulationFailed")
    }).pipe(Effect.provide(Logger.layer([]))))

  it.effect("in a transaction, after a reset there, is asked at the end of that", () =>
    Effect.gen(function*() {
      const { asked, registry } = yield* types([tag])
      yield* Registry.populate(registry)
      asked.length = 0
      const again = Registry.transact(
        registry,
        Effect.andThen(Registry.reset(registry), Registry.register(registry, lost))
      )
      assert.instanceOf(yield* Effect.flip(again), Dangling)
      assert.deepStrictEqual(asked, ["Tag > Tag Lost"])
      assert.strictEqual(held(registry), "Tag")
    }))

  it.effect("of a registry that loads late is asked about what the layer registered", () =>
    Effect.gen(function*() {
      class Late
        extends Registry.Tag<Late, Type>()("Late", { lookup, defaults: [tag], invariant: refersToWhatIsThere })
      {}
      const load = (...items: ReadonlyArray<Type>) =>
        Registry.layerLazy(Late, () => Promise.resolve(Layer.provideMerge(Registry.items(Late, items), Late.layer)))
      yield* Effect.gen(function*() {
        assert.strictEqual(yield* Registry.size(Late), 3)
      }).pipe(Effect.provide(load(post, user)))
      yield* Effect.gen(function*() {
        const error = yield* Effect.flip(Registry.size(Late))
        assert.deepStrictEqual([error._tag, error.code], ["PopulationError", "invariant"])
      }).pipe(Effect.provide(load(lost)))
    }).pipe(Effect.provide(Logger.layer([]))))
})

describe("an invariant never stands in the way", () => {
  const withdrawals: ReadonlyArray<
    readonly [name: string, of: (registry: Types) => Effect.Effect<unknown, unknown>, left: string]
  > = [
    ["unregister", (its) => Registry.unregister(its, post), "User"],
    ["unregisterBy", (its) => Registry.unregisterBy(its, "id", "Post"), "User"],
    ["unregisterOwner", (its) => Registry.unregisterOwner(its, "one"), "User"],
    ["reconcile with less", (its) => Registry.reconcile(its, [user]), "User"],
    ["transact", (its) => Registry.transact(its, Registry.unregister(its, post)), "User"],
    ["reset", (its) => Registry.reset(its), ""]
  ]
  for (const [name, withdraw, left] of withdrawals) {
    it.effect(`of a withdrawal by ${name}`, () =>
      Effect.gen(function*() {
        const { asked, registry } = yield* types()
        yield* Registry.transact(
          registry,
          Effect.andThen(
            Registry.register(registry, user),
            Effect.provideService(Registry.register(registry, post), Registry.Owner, "one")
          )
        )
        asked.length = 0
        yield* withdraw(registry)
        assert.strictEqual(held(registry), left)
        assert.deepStrictEqual(asked, [])
      }))
  }

  it.effect("of a scope that closes, and of what that brings back", () =>
    Effect.gen(function*() {
      const { asked, registry } = yield* types([user, post])
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.override(registry, type("User")), scope)
      yield* Registry.unregister(registry, post)
      asked.length = 0
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [user])
      assert.deepStrictEqual(asked, [])
    }))

  it.effect("of the end of an override by unregister", () =>
    Effect.gen(function*() {
      const { asked, registry } = yield* types([user, post])
      yield* Registry.override(registry, type("User"))
      yield* Registry.unregister(registry, post)
      asked.length = 0
      yield* Registry.unregister(registry, type("User"))
      assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [user])
      assert.deepStrictEqual(asked, [])
    }))

  it.effect("but is asked about what an override hides from its beginning", () =>
    Effect.gen(function*() {
      const { asked, registry } = yield* types([tag])
      yield* Registry.override(registry, type("Tag", "Tag"))
      asked.length = 0
      yield* Registry.upsert(registry, type("Tag", "Tag", "Tag"))
      yield* Registry.reconcile(registry, [type("Tag", "Nothing")])
      assert.deepStrictEqual(asked, ["Tag > Tag", "Tag > Tag"])
    }))
})

describe("an invariant and what is disabled", () => {
  const off = { reason: "off" }

  it.effect("sees it: an item may refer to what is disabled, and to disable it is refused by nobody", () =>
    Effect.gen(function*() {
      const { asked, registry } = yield* types([user, post])
      yield* Registry.populate(registry)
      asked.length = 0
      yield* Registry.disable(registry, "id", "Post", off)
      assert.deepStrictEqual(asked, [])
      yield* Registry.register(registry, type("Tag", "Post"))
      assert.deepStrictEqual(asked, ["User Post > User Post Tag"])
      assert.strictEqual(held(registry), "User Tag")
    }))

  it.effect("is asked about what is enabled, and about what goes in disabled", () =>
    Effect.gen(function*() {
      const { asked, registry } = yield* types([user, post])
      yield* Registry.populate(registry)
      yield* Registry.disable(registry, "id", "Lost", off)
      yield* Registry.disable(registry, "id", "Post", off)
      assert.instanceOf(yield* Effect.flip(Registry.register(registry, lost)), Dangling)
      asked.length = 0
      yield* Registry.enable(registry, "id", "Post")
      assert.deepStrictEqual(asked, ["User Post > User Post"])
    }))

  it.effect("is not asked about what a scope enables that closes", () =>
    Effect.gen(function*() {
      const { asked, registry } = yield* types([user, post])
      yield* Registry.populate(registry)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.disableScoped(registry, "id", "Post", off)
        yield* Registry.unregister(registry, user)
        asked.length = 0
      }))
      assert.strictEqual(held(registry), "Post")
      assert.deepStrictEqual(asked, [])
    }))
})

describe("what hooks register in a withdrawal is checked: it dies with the error of the invariant", () => {
  const withdrawals: ReadonlyArray<
    readonly [name: string, of: (registry: Types) => Effect.Effect<unknown, unknown>]
  > = [
    ["unregister", (its) => Registry.unregister(its, tag)],
    ["unregisterBy", (its) => Registry.unregisterBy(its, "id", "Tag")],
    ["unregisterOwner", (its) => Registry.unregisterOwner(its, "one")]
  ]
  const registering = Effect.gen(function*() {
    const { registry } = yield* types([], (its) => ({
      onItemUnregistered: ({ id }) => id === "Tag" ? Effect.orDie(Registry.register(its(), lost)) : Effect.void
    }))
    return registry
  })
  for (const [name, withdraw] of withdrawals) {
    it.effect(`${name}: nothing has changed`, () =>
      Effect.gen(function*() {
        const registry = yield* registering
        yield* Effect.provideService(Registry.register(registry, tag), Registry.Owner, "one")
        const exit = yield* Effect.exit(withdraw(registry))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause) && !Cause.hasFails(exit.cause))
        assert.instanceOf(defectOf(exit), Dangling)
        assert.strictEqual(held(registry), "Tag")
      }))
  }

  it.effect("a scope that closes: all goes its way, and the close dies", () =>
    Effect.gen(function*() {
      const registry = yield* registering
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerScoped(registry, tag), scope)
      const exit = yield* Effect.exit(Scope.close(scope, Exit.void))
      assert.instanceOf(defectOf(exit), Dangling)
      assert.strictEqual(held(registry), "Lost")
      assert.isFalse(isLocked(registry))
    }))
})
