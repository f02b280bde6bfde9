import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { Connections, FaultyTools } from "../examples/testing/tools.ts"
import { checksOf } from "../src/testing/lawChecks.ts"
import { Item } from "./utils/items.ts"
import { item, lawless } from "./utils/lawless.ts"

class Items extends Registry.Service<Items, Item>()("test/Items", {
  lookup: ["id", "name"],
  defaults: Effect.as(Effect.yieldNow, [new Item(0, "zero"), new Item(9, "nine")])
}) {}

class Others extends Registry.Service<Others, Item>()("test/Others", { lookup: [] }) {}

const Slow = RegistryHooks.layer(Items, {
  onItemRegistering: () => Effect.yieldNow,
  onItemRegistered: () => Effect.yieldNow,
  onItemUnregistering: () => Effect.yieldNow,
  onItemUnregistered: () => Effect.yieldNow,
  onReset: Effect.yieldNow
})

RegistryTest.laws("a service class", Items, { item, runs: 5 })
RegistryTest.laws("a layer with hooks", Slow.pipe(Layer.provideMerge(Items.layer)), { item, runs: 5 })
RegistryTest.laws(
  "one that is populated before",
  Layer.effectDiscard(Effect.flatMap(Items, Registry.populate)).pipe(Layer.provideMerge(Items.layer)),
  { item, runs: 5 }
)
RegistryTest.laws("one registry of two", Layer.merge(Items.layer, Others.layer), { item, tag: Others, runs: 5 })

// registers the tests of an example that passes
await import("../examples/testing/healthy.test.ts")

describe("a layer without a registry fails every test", { fails: true }, () => {
  RegistryTest.laws("none", Layer.empty, { item, runs: 1 })
})

const given = { item, kept: undefined, runs: 4, schedules: 1, seed: 1, tag: undefined }

/** A layer, and for each time that it was built the fibers that registered something. */
const watched = () => {
  const built: Array<Set<number>> = []
  const layer = Layer.unwrap(Effect.sync(() => {
    const fibers = new Set<number>()
    built.push(fibers)
    return RegistryHooks.layer(Items, {
      onItemRegistering: () => Effect.withFiber(({ id }) => Effect.sync(() => fibers.add(id)))
    }).pipe(Layer.provideMerge(Items.layer))
  }))
  return { built, layer }
}

describe.each([
  ["as many lists and schedules as given", { runs: 4, schedules: 3 }, 4 * 3],
  ["ten lists and twenty schedules by default", {}, 10 * 20]
])("each law is tried with %s", (_, options, expected) => {
  const { built, layer } = watched()
  afterEach(() => assert.strictEqual(built.splice(0).length, expected))
  RegistryTest.laws("watched", layer, { item, ...options })
})

/** Collects the drawn numbers. Items hardly ever share a key. */
const drawing = (drawn: Array<number>) =>
  fc.nat(1_000_000).map((id) => {
    drawn.push(id)
    return new Item(id + 10)
  })

describe("each law is tried with the lists of the given seed", () => {
  const drawn: Array<number> = []
  afterEach(async ({ task }) => {
    const drawnWith = async (seed: number) => {
      const others: Array<number> = []
      const checks = checksOf(fc, "again", Items.layer, { ...given, item: drawing(others), seed })
      await Effect.runPromise(checks[task.name]!)
      return others
    }
    const these = drawn.splice(0)
    assert.isAtLeast(these.length, 4)
    assert.deepStrictEqual(await drawnWith(1), these)
    assert.notDeepEqual(await drawnWith(2), these)
  })
  RegistryTest.laws("drawing", Items, { item: drawing(drawn), runs: 4, schedules: 1, seed: 1 })
})

const laws = Object.keys(checksOf(fc, "laws", Items.layer, given))

/** The message of fast-check for a broken law, and the report. */
const failureOf = (check: Effect.Effect<void, unknown>) =>
  Effect.map(Effect.flip(check), (error) => {
    assert.instanceOf(error, Error)
    assert.instanceOf(error.cause, Error)
    return { message: error.message, report: error.cause.message }
  })

const shown = String.raw`Item\(\{"id":\d+,"name":"[^"]+"\}\)`

describe("laws", () => {
  it("are nine, as the pages say", () => assert.strictEqual(laws.length, 9))

  it.effect("the report on a faulty hook names the law, the item, the seed and the schedule", () =>
    Effect.gen(function*() {
      const tool = fc.record({ name: fc.constantFrom("search", "fetch", "paint", "sing") })
      const checks = checksOf(fc, "FaultyTools", FaultyTools.live, {
        ...given,
        item: tool,
        kept: Connections,
        runs: 10,
        schedules: 20,
        seed: undefined
      })
      const { message, report } = yield* failureOf(checks["all or nothing"]!)
      assert.match(report, /"FaultyTools" breaks the law "all or nothing" with .*"name":"search"/)
      assert.match(report, /under the schedule of seed \d+/)
      assert.match(report, /"name":"search"\} is registered, and is kept \d+ time\(s\)/)
      assert.match(message, /\{ seed: -?\d+, path: /)
      // as docs/testing.md shows it
      const page = Fs.readFileSync(Path.join(import.meta.dirname, "../docs/testing.md"), "utf8")
      assert.include(report, page.match(/```text\n("FaultyTools"[^]+?)\n```/)![1]!)
    }))

  it.effect.each(["unique values are unique", "no leak"])(
    "%s: the items are registered concurrently",
    (law) =>
      Effect.gen(function*() {
        const { built, layer } = watched()
        yield* checksOf(fc, "watched", layer, { ...given, item: drawing([]), schedules: 3 })[law]!
        // two fibers are those of the population and of the law itself
        assert.isAbove(Math.max(...built.map(({ size }) => size)), 2)
      })
  )

  for (const peer of ["@effect/vitest", "fast-check"]) {
    it(`without ${peer} laws says what is missing, and everything else works`, async () => {
      vi.resetModules()
      vi.doMock(peer, () => {
        throw new Error("It is not installed.")
      })
      try {
        const testing = await import("effect-registry/testing")
        assert.notStrictEqual(testing.RegistryTest.laws, RegistryTest.laws)
        assert.throws(() => testing.RegistryTest.laws("none", Items, { item }), "install @effect/vitest and fast-check")
        assert.deepStrictEqual(await Effect.runPromise(testing.RegistryTest.interleave(Effect.void, { seeds: 2 })), {
          schedules: 2
        })
      } finally {
        vi.doUnmock(peer)
        vi.resetModules()
      }
    })
  }

  it.effect.each(
    [
      ["a hook takes back what is registered", "unique values are unique", `${shown} was registered, and is not in`],
      ["an index loses what is in it", "all lookups agree", String.raw`By name "\w+" one finds \[\] instead of`],
      ["hooks are forgotten", "hooks balanced", `${shown} is not registered, and hooks were told 1 time\\(s\\) more`],
      [
        "what was acquired is forgotten",
        "what is acquired is released once",
        `${shown} is registered, and is acquired 2 time\\(s\\)`
      ],
      ["a fiber resets it meanwhile", "population once", "The population ran 2 times"],
      ["readers see different sizes", "population once", String.raw`Readers saw \d and \d items\.`],
      ["a hook populates it after a reset", "reset and populate again", "It was reset, and is not Pending"],
      ["a hook begins another transaction", "no leak", "A transaction is still open"],
      ["a hook leaves something behind", "no leak", `${shown} is still registered`],
      ["the defaults differ each time", "reset and populate again", `${shown} is gone`],
      [
        "the registry believes that hooks know all",
        "a hook that keeps a map agrees with the contents",
        `Hook 1 of 3, of which hook 1 meddles: ${shown} is not registered, and hooks were told -?1 time`
      ],
      ["a hook keeps removed items", "all or nothing", `What hooks keep is not what is registered: ${shown} is not`],
      ["a hook replaces the item by a copy", "unique values are unique", `${shown} was registered, and is not in`],
      ["a hook forks a registration", "all or nothing", `${shown} is still registered`],
      ["a hook dies", "unique values are unique", "register died: worn out"],
      ["a hook dies", "hooks balanced", "an operation died: worn out"],
      ["a hook dies of a plain object", "unique values are unique", String.raw`register died: \{"worn":"out"\}`],
      ["a layer without a registry", "no leak", "The layer makes no registry"],
      [
        "a layer of two registries",
        "no leak",
        "The layer makes several registries: say which with \"tag\"\\. They are test/BrokenItems, test/CountingItems\\.\n"
      ]
    ] as const
  )("%s: it breaks the law \"%s\", and the report says how", ([registry, law, why]) =>
    Effect.gen(function*() {
      const { report } = yield* failureOf(lawless[registry]![law]!)
      assert.match(report, new RegExp(`^"${registry}" breaks the law "${law}" with .*\n${why}`))
    }))

  it.effect.each(
    [
      [
        "hooks are forgotten",
        "hooks balanced",
        "what is acquired is released once",
        "a hook that keeps a map agrees with the contents"
      ],
      ["the registry believes that hooks know all", "a hook that keeps a map agrees with the contents"],
      ["what was acquired is forgotten", "what is acquired is released once"],
      ["a hook leaves something behind", "no leak"],
      ["the defaults differ each time", "reset and populate again"]
    ] as const
  )("%s: it breaks no law but \"%s\"", ([registry, ...expected]) =>
    Effect.gen(function*() {
      const broken: Array<string> = []
      for (const [name, check] of Object.entries(lawless[registry]!)) {
        if (Exit.isFailure(yield* Effect.exit(check))) broken.push(name)
      }
      assert.deepStrictEqual(broken, expected)
    }))
})
