import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { RegistryTest } from "effect-registry/testing"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import {
  type Feature,
  FeatureChecker,
  FeatureConflictError,
  type FeatureId,
  Features,
  FeaturesLive,
  isEnabled,
  register
} from "../examples/features/features.ts"
import { root, runExample } from "./utils/processes.ts"

declare module "../examples/features/features.ts" {
  interface KnownFeatures {
    readonly "test.a": true
    readonly "test.b": true
  }
}

const timeout = 60_000

const recorded = (log: Array<string>, id: FeatureId, props: Partial<Feature> = {}): Feature => ({
  id,
  name: id,
  level: "stable",
  initialize: Effect.andThen(Effect.yieldNow, Effect.sync(() => log.push(`initialized ${id}`))),
  shutdown: Effect.andThen(Effect.yieldNow, Effect.sync(() => log.push(`shut down ${id}`))),
  ...props
})

describe("the quickstart example", () => {
  it("is the example of the README", () => {
    const readme = readFileSync(join(root, "README.md"), "utf8")
    const shown = /## In thirty lines\n\n```ts\n([\s\S]*?)```/.exec(readme)![1]!
    const program = readFileSync(join(root, "examples/quickstart.ts"), "utf8")
    const [code, exampleCode] = [program, shown].map((text) => text.trim().split("\n").slice(0, -1))
    assert.deepStrictEqual(code, exampleCode)
  })

  it("prints what the README says", { timeout }, async () => {
    assert.deepStrictEqual(await runExample("quickstart.ts"), {
      code: 0,
      stdout: "[ 'TypeScript', 2, 'rejected', 3 ]\n",
      stderr: ""
    })
  })
})

describe("the features example", () => {
  it("as a process", { timeout }, async () => {
    const stdout = `
Search is ready
Vim mode is ready
Spelling is ready
core.search on, editor.vim-mode on, editor.spelling off
Could not register the feature Another search: Search has the id "core.search".
Spelling is gone
Vim mode is gone
core.search on, editor.vim-mode off, editor.spelling off
1 feature is left
Search is gone
`.trimStart()
    assert.deepStrictEqual(await runExample("features/main.ts"), { code: 0, stdout, stderr: "" })
  })

  const fresh = FeaturesLive.pipe(Layer.provideMerge(FeatureChecker.fromIds(["test.a"])), Layer.fresh)

  it.effect("registers and shuts down once, and refuses the same id, under schedules", () =>
    RegistryTest.interleave(
      Effect.suspend(() => {
        const log: Array<string> = []
        return Effect.gen(function*() {
          const ids = ["test.a", "test.a", "test.b", "test.a"] as const
          const exits = yield* Effect.forEach(ids, (id) => Effect.exit(register(recorded(log, id))), {
            concurrency: "unbounded"
          })
          const errors = exits.filter(Exit.isFailure).map(({ cause }) => Cause.squash(cause))
          assert.strictEqual(errors.length, 2)
          for (const error of errors) assert.instanceOf(error, FeatureConflictError)
          assert.deepStrictEqual(log.toSorted(), ["initialized test.a", "initialized test.b"])
        }).pipe(
          Effect.scoped,
          Effect.provide(fresh),
          Effect.andThen(
            Effect.sync(() => assert.deepStrictEqual(log.slice(2).toSorted(), ["shut down test.a", "shut down test.b"]))
          )
        )
      }),
      { seeds: 100 }
    ))

  it.effect("a feature that dies or is interrupted while it initializes is not registered", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const dying = yield* Effect.exit(register(recorded(log, "test.a", { initialize: Effect.die(new Error("boom")) })))
      assert.isTrue(Exit.isFailure(dying) && Cause.hasDies(dying.cause))
      const started = yield* Deferred.make<void>()
      const initialize = Effect.andThen(Deferred.succeed(started, undefined), Effect.never)
      const waiting = yield* Effect.forkChild(register(recorded(log, "test.a", { initialize })))
      yield* Deferred.await(started)
      yield* Fiber.interrupt(waiting)
      assert.strictEqual(yield* Features.size, 0)
      assert.deepStrictEqual(log, [])
      yield* register(recorded(log, "test.a"))
      assert.deepStrictEqual(log, ["initialized test.a"])
    }).pipe(Effect.scoped, Effect.provide(fresh)))

  it.effect("a feature is removed with its scope, in any order of scopes", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const [first, second] = [yield* Scope.make(), yield* Scope.make()]
      yield* Scope.provide(register(recorded(log, "test.a")), first)
      yield* Scope.provide(register(recorded(log, "test.b")), second)
      yield* Scope.close(first, Exit.void)
      assert.deepStrictEqual((yield* Features.values).map(({ id }) => id), ["test.b"])
      yield* Scope.close(second, Exit.void)
      assert.deepStrictEqual(log.slice(2), ["shut down test.a", "shut down test.b"])
    }).pipe(Effect.scoped, Effect.provide(fresh)))

  it.effect("a feature is on by its level and by the checker, and off if it is not registered", () =>
    Effect.gen(function*() {
      assert.isFalse(yield* isEnabled("test.a"))
      const log: Array<string> = []
      const withLevel = (id: FeatureId, level: Feature["level"]) =>
        Effect.scoped(Effect.andThen(register(recorded(log, id, { level })), isEnabled(id)))
      assert.isTrue(yield* withLevel("test.a", "beta"))
      assert.isFalse(yield* withLevel("test.b", "beta"))
      assert.isTrue(yield* withLevel("test.b", "stable"))
      assert.isFalse(yield* withLevel("test.a", "unavailable"))
      // @ts-expect-error: nobody declares it
      assert.isFalse(yield* isEnabled("test.misspelt"))
    }).pipe(Effect.provide(fresh)))
})
