import { assert, describe, expect, it, vi } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { Item } from "./utils/items.ts"

const item = fc.record({ id: fc.nat(4), name: fc.constantFrom("one", "two", "three") })
  .map(({ id, name }) => new Item(id, name))

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

/** For each law the fibers that registered something, under each schedule that it was tried. */
const tried = new Map<string, Array<Set<number>>>()

const Watched = Layer.unwrap(Effect.sync(() => {
  const { currentTestName = "" } = expect.getState()
  const fibers = new Set<number>()
  tried.set(currentTestName, [...tried.get(currentTestName) ?? [], fibers])
  return RegistryHooks.layer(Items, {
    onItemRegistering: () => Effect.withFiber(({ id }) => Effect.sync(() => fibers.add(id)))
  }).pipe(Layer.provideMerge(Items.layer))
}))

/** The items that were drawn, for each of two registries. */
const drawn: Record<string, Array<number>> = { watched: [], again: [] }

const drawing = (name: string) =>
  fc.nat(1_000).map((id) => {
    drawn[name]!.push(id)
    return new Item(id + 10)
  })

RegistryTest.laws("watched", Watched, { item: drawing("watched"), runs: 4, schedules: 3, seed: 1 })
RegistryTest.laws("again", Items, { item: drawing("again"), runs: 4, schedules: 3, seed: 1 })

/** Runs tests as a user would, and answers what vitest says. */
const running = (
  config: string,
  ...files: ReadonlyArray<string>
): Promise<{ readonly passes: boolean; readonly output: string }> =>
  new Promise((resolve) => {
    const root = Path.join(import.meta.dirname, "..")
    execFile(
      process.execPath,
      [Path.join(root, "node_modules/vitest/vitest.mjs"), "run", "--config", config, "--no-color", ...files],
      { cwd: root, env: { ...process.env, NO_COLOR: "1" } },
      (error, stdout, stderr) => resolve({ passes: error === null, output: stdout + stderr })
    )
  })

const runningExample = (file: string) => running("examples/testing/vitest.config.ts", file)

describe("laws", () => {
  it("the example of a registry that passes", { timeout: 60_000 }, async () => {
    const { output, passes } = await runningExample("healthy")
    assert.isTrue(passes, output)
    assert.match(output, /Tests +8 passed/)
  })

  it("the example with a faulty hook: the report names the law, the item, the seed and the schedule", {
    timeout: 60_000
  }, async () => {
    const { output, passes } = await runningExample("faulty")
    assert.isFalse(passes, output)
    assert.match(output, /"FaultyTools" breaks the law "all or nothing" with .*"name":"search"/)
    assert.match(output, /under the schedule of seed \d+/)
    assert.match(output, /\{ seed: -?\d+, path: /)
    assert.match(output, /"name":"search"\} is registered, and is kept \d+ time\(s\)/)
    // as docs/testing.md shows it
    const page = Fs.readFileSync(Path.join(import.meta.dirname, "../docs/testing.md"), "utf8")
    assert.include(output, page.match(/```text\n("FaultyTools"[^]+?)\n```/)![1]!)
  })

  it("each law was tried with as many lists, under as many schedules, as was said, and with the seed that was given", () => {
    assert.strictEqual(tried.size, 7)
    for (const schedules of tried.values()) assert.strictEqual(schedules.length, 4 * 3)
    assert.isAbove(drawn["watched"]!.length, 7 * 4)
    assert.deepStrictEqual(drawn["watched"], drawn["again"])
  })

  it("what is registered is registered at once, by fibers of its own", () => {
    for (const law of ["unique values are unique", "no leak"]) {
      const fibers = tried.get(`watched > ${law}`)!.map(({ size }) => size)
      // two come from the population and from the law itself
      assert.isAbove(Math.max(...fibers), 2, law)
    }
  })

  for (const peer of ["@effect/vitest", "fast-check"]) {
    it(`without ${peer} they say what is missing, and everything else works`, async () => {
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

  it("each law is broken by a registry that breaks it, and the report says what is wrong", {
    timeout: 60_000
  }, async () => {
    const { output, passes } = await running("test/fixtures/laws/vitest.config.ts")
    assert.isFalse(passes, output)
    const broken = output.split("\n").filter((line) => line.startsWith("[")).map((line) =>
      JSON.parse(line) as [registry: string, law: string, report: string]
    )
    const reportOf = (registry: string, law: string) =>
      broken.find(([one, other]) => one === registry && other === law)?.[2] ?? `It holds.\n${output}`
    const is = String.raw`Item\(\{"id":\d+,"name":"[^"]+"\}\)`
    for (
      const [registry, law, why] of [
        ["a hook takes back what is registered", "unique values are unique", `${is} was registered, and is not in`],
        ["an index loses what is in it", "all lookups agree", String.raw`By name "\w+" one finds \[\] instead of`],
        ["hooks are forgotten", "hooks balanced", `${is} is not registered, and hooks were told 1 time\\(s\\) more`],
        ["it is reset behind everybody's back", "population once", "The population ran 2 times"],
        ["readers see something else each time", "population once", String.raw`Readers saw \d and \d items\.`],
        ["somebody populates it at once", "reset and populate again", "It was reset, and is not Pending"],
        ["a hook begins another transaction", "no leak", "A transaction is still open"],
        ["a hook leaves something behind", "no leak", `${is} is still registered`],
        ["the defaults are others each time", "reset and populate again", `${is} is gone`],
        ["a hook keeps what has gone", "all or nothing", `What hooks keep is not what is registered: ${is} is not`],
        ["a hook puts a copy in its place", "unique values are unique", `${is} was registered, and is not in`],
        ["a hook has something registered later", "all or nothing", `${is} is still registered`],
        ["a hook dies", "unique values are unique", "register died: worn out"],
        ["a hook dies", "hooks balanced", "an operation died: worn out"],
        ["a hook dies of what is no error", "unique values are unique", String.raw`register died: \{"worn":"out"\}`],
        ["a layer without a registry", "no leak", "The layer makes no registry"],
        [
          "a layer of two registries",
          "no leak",
          "The layer makes several registries: say which with \"tag\"\\. They are test/BrokenItems, test/CountingItems\\.\n"
        ]
      ] as const
    ) {
      assert.match(reportOf(registry, law), new RegExp(`^"${registry}" breaks the law "${law}" with .*\n${why}`))
    }
    // and of the others each breaks those alone that it should
    const lawsBrokenBy = (registry: string) => broken.filter(([one]) => one === registry).map(([, law]) => law)
    assert.deepStrictEqual(lawsBrokenBy("hooks are forgotten"), ["hooks balanced"])
    assert.deepStrictEqual(lawsBrokenBy("a hook leaves something behind"), ["no leak"])
    assert.deepStrictEqual(lawsBrokenBy("the defaults are others each time"), ["reset and populate again"])
  })
})
