import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Logger, Queue, Stream } from "effect"
import { Registry, RegistryResource, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { McpProtocol, McpTest } from "effect/ai"
import { ToolsMcp } from "../examples/tools/mcp.ts"
import { AgentTool, follow, Runners, Tools } from "../examples/tools/tools.ts"
import { runExample } from "./utils/processes.ts"

const tool = (name: string, template: string) => ({ name, description: name, template })

const fresh = Runners.layer.pipe(Layer.provideMerge(Layer.fresh(Tools.layer)), Layer.fresh)

/** A client of a real server, with its notifications and results in plain words. */
const connect = Effect.gen(function*() {
  const client = yield* McpTest.makeClient(ToolsMcp, { protocols: [McpProtocol.v2025_11_25] })
  const list = Effect.map(
    client.listTools(),
    ({ tools }) => tools.map(({ name }) => name).filter((name) => name !== "changes")
  )
  const call = (name: string, args: Record<string, unknown> = { text: "Ada" }) =>
    client.callTool({ name, arguments: args }).pipe(
      Effect.map(({ isError, structuredContent }) => isError === true ? "refused" : structuredContent),
      Effect.orElseSucceed(() => "refused")
    )
  /** Waits for so many notifications. */
  const told = (count: number) =>
    Effect.map(
      Effect.replicateEffect(Queue.take(client.notifications), count),
      (all) => all.map(({ method }) => method)
    )
  return { call, list, told }
})

const set = (...tools: ReadonlyArray<ReturnType<typeof tool>>) => follow(Stream.succeed(tools))

/** Three tools, all of one version. */
const versions = (version: string) => ["a", "b", "c"].map((name) => tool(name, version))

const listChanged = "notifications/tools/list_changed"

describe("the tools example", () => {
  it("as processes: a server on standard input and output, and a client", { timeout: 60_000 }, async () => {
    const stdout = `
offered: changes, greet, shout
greet: Hello, Ada!
changed: - shout, ~ greet, + whisper
greet: Hello, Ada!
shout: Ada!!!
offered: changes, greet, whisper
greet: Good evening, Ada!
whisper: (Ada)
`.trimStart()
    assert.deepStrictEqual(await runExample("tools/client.ts"), { code: 0, stdout, stderr: "" })
  })

  it.live("a call is bound to the client's last list of tools; without a list it uses the present tools", () =>
    Effect.gen(function*() {
      yield* set(tool("a", "1 {text}"), tool("b", "1 {text}"))
      const { call, list, told } = yield* connect
      assert.deepStrictEqual(yield* call("a"), { text: "1 Ada" })
      assert.deepStrictEqual(yield* list, ["a", "b"])
      yield* set(tool("a", "2 {text}"), tool("c", "2 {text}"))
      assert.deepStrictEqual(yield* told(1), [listChanged])
      assert.deepStrictEqual(yield* call("a"), { text: "1 Ada" })
      assert.deepStrictEqual(yield* call("b"), { text: "1 Ada" })
      assert.strictEqual(yield* call("c"), "refused")
      assert.deepStrictEqual(yield* Effect.repeat(list, { until: (names) => names.length === 2 }), ["a", "c"])
      assert.deepStrictEqual(yield* call("a"), { text: "2 Ada" })
      assert.strictEqual(yield* call("b"), "refused")
    }).pipe(Effect.scoped, Effect.provide(fresh)))

  it.live("G31 a call ends with the version that it began with, which is released then", () => {
    const log: Array<string> = []
    return Effect.gen(function*() {
      const [started, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const slow = Layer.effect(
        Runners,
        RegistryResource.make(Tools, ({ template }) =>
          Effect.acquireRelease(
            Effect.succeed({
              run: () =>
                template === "1"
                  ? Deferred.succeed(started, undefined).pipe(
                    Effect.andThen(Deferred.await(go)),
                    Effect.andThen(Effect.sync(() => `1 ${log.join()}`))
                  )
                  : Effect.succeed(template)
            }),
            () => Effect.sync(() => log.push(`released ${template}`))
          ))
      ).pipe(Layer.provideMerge(Layer.fresh(Tools.layer)))
      yield* Effect.gen(function*() {
        yield* set(tool("a", "1"))
        const { call, list, told } = yield* connect
        assert.deepStrictEqual(yield* list, ["a"])
        const calling = yield* Effect.forkChild(call("a"))
        yield* Deferred.await(started)

        // a reload in the middle of the call, of which the client hears
        yield* set(tool("a", "2"))
        yield* told(1)
        assert.deepStrictEqual(yield* list, ["a"])
        assert.deepStrictEqual(yield* call("a"), { text: "2" })
        assert.deepStrictEqual(log, [])

        yield* Deferred.succeed(go, undefined)
        assert.deepStrictEqual(yield* Fiber.join(calling), { text: "1 " })
        yield* Effect.yieldNow.pipe(Effect.repeat({ until: () => log.length > 0 }))
        assert.deepStrictEqual(log, ["released 1"])
      }).pipe(Effect.scoped, Effect.provide(slow))
      assert.deepStrictEqual(log, ["released 1", "released 2"])
    })
  })

  it.live("a tool that is registered again is offered again", () =>
    Effect.gen(function*() {
      yield* set(tool("a", "1 {text}"))
      const { call, list, told } = yield* connect
      yield* set()
      yield* told(1)
      assert.deepStrictEqual(yield* list, [])
      yield* set(tool("a", "3 {text}"))
      yield* told(1)
      assert.deepStrictEqual(yield* list, ["a"])
      assert.deepStrictEqual(yield* call("a"), { text: "3 Ada" })
    }).pipe(Effect.scoped, Effect.provide(fresh)))

  it.live("`changes` waits for the next change, misses none, and can be interrupted", () =>
    Effect.gen(function*() {
      yield* set(tool("a", ""))
      const { call } = yield* connect
      const before: any = yield* call("changes", {})
      assert.deepStrictEqual(before.lines, ["+ a"])
      const leaving = yield* Effect.forkChild(call("changes", { since: before.revision }), { startImmediately: true })
      yield* Fiber.interrupt(leaving)
      const waiting = yield* Effect.forkChild(call("changes", { since: before.revision }), { startImmediately: true })
      yield* set(tool("a", ""), tool("b", ""))
      yield* set(tool("b", "2"))
      assert.deepStrictEqual(yield* Fiber.join(waiting), { revision: before.revision + 1, lines: ["+ b"] })
      assert.deepStrictEqual(yield* call("changes", { since: before.revision + 1 }), {
        revision: before.revision + 2,
        lines: ["- a", "~ b"]
      })
      // an unknown revision
      assert.deepStrictEqual(yield* call("changes", { since: 1000 }), { revision: before.revision + 2, lines: ["+ b"] })
      assert.strictEqual(yield* call("changes", { since: "x" }), "refused")
    }).pipe(Effect.scoped, Effect.provide(fresh)))

  it.effect("an equal list changes nothing, and a list with a conflict leaves the last one", () =>
    Effect.gen(function*() {
      const warnings: Array<unknown> = []
      const logger = Logger.layer([Logger.make(({ message }) => warnings.push(message))])
      yield* set(tool("a", "1"), tool("b", "1"))
      const before = yield* Tools.snapshot
      yield* set(tool("a", "1"), tool("b", "1"))
      yield* Effect.provide(set(tool("c", "1"), tool("a", "1"), tool("c", "2")), logger)
      assert.strictEqual(yield* Tools.snapshot, before)
      assert.strictEqual(warnings.length, 1)
      assert.include(String(warnings[0]), "c")
      const kept = yield* Tools.get("name", "b")
      yield* set(tool("b", "1"))
      assert.strictEqual(yield* Tools.get("name", "b"), kept)
    }).pipe(Effect.provide(fresh)))

  it.effect("concurrent lists, under schedules: no reader sees half of one", () =>
    RegistryTest.interleave(
      Effect.gen(function*() {
        const tools = yield* Tools
        yield* set(...versions("0"))
        const look = Effect.sync(() => {
          const seen = Array.from(Registry.snapshotUnsafe(tools), (one: AgentTool) => one.template)
          assert.strictEqual(new Set(seen).size, 1)
          assert.strictEqual(RegistrySnapshot.size(Registry.snapshotUnsafe(tools)), 3)
        })
        const looking = Effect.repeat(Effect.andThen(Effect.yieldNow, look), { times: 10 })
        yield* Effect.all([set(...versions("1")), looking, set(...versions("2")), looking], {
          concurrency: "unbounded"
        })
      }).pipe(Effect.provide(fresh)),
      { seeds: 100 }
    ))
})
