/** Processes that share a registry, under many schedules of their fibers, and interrupted at every step. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, References, type Scope } from "effect"
import { Registry } from "effect-registry"
import { RegistryLog } from "effect-registry/shared"
import { RegistryTest } from "effect-registry/testing"
import { dumpOf } from "./utils/oracle.ts"
import { codeOf, dump, noProblems, type Process, process, synced, type Tool, tool } from "./utils/replicas.ts"

/** A program over a log of its own, in which no time passes. */
const atOnce = <A, E>(effect: Effect.Effect<A, E, RegistryLog.RegistryLog | Scope.Scope>): Effect.Effect<A, E> =>
  Effect.scoped(Effect.provide(effect, RegistryLog.layerMemory, { local: true })).pipe(
    Effect.provideService(References.MinimumLogLevel, "None")
  )

/** A process whose hook keeps a map of the items. */
const keeping = Effect.gen(function*() {
  const map = new Map<string, Tool>()
  const made = yield* process({
    defaults: [tool("d")],
    hooks: {
      onItemRegistered: (item: Tool) =>
        Effect.andThen(Effect.yieldNow, Effect.sync(() => void map.set(item.name, item))),
      onItemUnregistered: ({ name }: Tool) => Effect.sync(() => void map.delete(name))
    }
  })
  return { ...made, map }
})

type Keeping = Effect.Success<typeof keeping>

/** All have the same, which is what the log says and what their hooks have kept. */
const agree = (...all: ReadonlyArray<Keeping>) =>
  Effect.gen(function*() {
    const seen = yield* synced(...all)
    assert.strictEqual(new Set(seen).size, 1, seen.join(" | "))
    const said = dumpOf(yield* noProblems)
    for (const { map, registry } of all) {
      assert.strictEqual(dump(registry), said)
      assert.deepStrictEqual(Array.from(map.keys()).toSorted(), seen[0]!.split(" ").filter(Boolean).toSorted())
    }
    return seen[0]!
  })

const programs: {
  readonly [what: string]: (one: Process, two: Process) => ReadonlyArray<Effect.Effect<unknown, unknown>>
} = {
  "S2 register one key": (one, two) => [
    Registry.register(one.registry, tool("a", "one")),
    Registry.register(two.registry, tool("a", "two"))
  ],
  "S4 change several items": (one, two) => [
    Registry.transact(
      one.registry,
      Effect.andThen(Registry.unregisterBy(one.registry, "name", "d"), Registry.register(one.registry, tool("a")))
    ),
    Registry.replace(two.registry, "name", "d", tool("b")),
    Registry.registerAll(two.registry, [tool("a"), tool("c")])
  ],
  "S7 close a scope that another amends": (one, two) => [
    Effect.scoped(Effect.andThen(Registry.registerScoped(one.registry, tool("a")), Effect.yieldNow)),
    Registry.upsert(two.registry, tool("a", "amended"))
  ],
  "S9 reset, and populate": (one, two) => [
    Registry.reset(one.registry),
    Registry.register(two.registry, tool("a")),
    Registry.size(two.registry)
  ],
  "S15 look before they write": (one, two) => [
    Registry.transact(
      one.registry,
      Effect.flatMap(Registry.size(one.registry), (size) => Registry.register(one.registry, tool(`one${size}`)))
    ),
    Registry.transact(
      two.registry,
      Effect.flatMap(Registry.size(two.registry), (size) => Registry.register(two.registry, tool(`two${size}`)))
    )
  ],
  "A9 disable what comes": (one, two) => [
    Registry.register(one.registry, tool("a", "write")),
    Registry.disable(two.registry, "kind", "write", { reason: "test" })
  ]
}

describe("under schedules, processes", () => {
  for (const [what, program] of Object.entries(programs)) {
    it.effect(`that ${what} agree`, () =>
      RegistryTest.interleave(
        atOnce(Effect.gen(function*() {
          const one = yield* keeping
          const two = yield* keeping
          yield* Effect.all(program(one, two).map(Effect.exit), { concurrency: "unbounded" })
          yield* agree(one, two)
        })),
        { seeds: 60 }
      ))
  }

  it.effect("that begin at once put their defaults in once", () =>
    RegistryTest.interleave(
      atOnce(Effect.gen(function*() {
        const all = yield* Effect.all([keeping, keeping, keeping], { concurrency: "unbounded" })
        assert.strictEqual(yield* agree(...all), "d")
      })),
      { seeds: 60 }
    ))

  it.effect("S2 of which two register one key: one of them is refused", () =>
    RegistryTest.interleave(
      atOnce(Effect.gen(function*() {
        const one = yield* keeping
        const two = yield* keeping
        const codes = yield* Effect.all(
          [one, two].map(({ registry }, i) => codeOf(Registry.register(registry, tool("a", `${i}`)))),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(codes.toSorted(), ["attribute_registered", "ok"])
      })),
      { seeds: 60 }
    ))
})

describe("S22 interrupted at every step, a change is whole or not there", () => {
  const changes: { readonly [what: string]: (registry: Process["registry"]) => Effect.Effect<unknown, unknown> } = {
    registerAll: (registry) => Registry.registerAll(registry, [tool("a"), tool("b")]),
    "a scope that closes": (registry) => Effect.scoped(Registry.registerScoped(registry, tool("a"))),
    reset: (registry) => Registry.reset(registry)
  }
  for (const [what, change] of Object.entries(changes)) {
    it.effect(what, () =>
      Effect.scoped(Effect.gen(function*() {
        const steps = yield* RegistryTest.interruptEach({
          setup: Effect.gen(function*() {
            return { log: yield* RegistryLog.RegistryLog, one: yield* keeping, two: yield* keeping }
          }).pipe(Effect.provide(RegistryLog.layerMemory, { local: true })),
          run: ({ one }) => change(one.registry),
          check: ({ log, one, two }) =>
            Effect.gen(function*() {
              const seen = yield* Effect.provideService(agree(one, two), RegistryLog.RegistryLog, log)
              assert.include(["d", "d a b", ""], seen)
              yield* one.close
              yield* two.close
            })
        })
        assert.isAbove(steps, 10)
      })))
  }
})
