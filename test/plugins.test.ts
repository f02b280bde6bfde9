import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import {
  type Command,
  Commands,
  explain,
  type Plugin,
  Plugins,
  PluginsLive,
  Switches
} from "../examples/plugins/plugins.ts"
import { runExample } from "./utils/processes.ts"

const command = (name: string): Command => ({ name, summary: name, run: (text) => text })

const plugins: ReadonlyArray<Plugin> = [
  { id: "a", commands: [command("one"), command("two")] },
  { id: "b", commands: [command("three"), command("two")] },
  { id: "c", commands: [command("four")] }
]

/** The same without files. */
const Live = Switches.layer.pipe(
  Layer.provideMerge(Commands.layer),
  Layer.provideMerge(Layer.effect(
    Plugins,
    Registry.make<Plugin>()({
      lookup: { id: Lookup.unique((plugin) => plugin.id) },
      defaults: plugins,
      populationFailure: "die"
    })
  )),
  Layer.fresh
)

const names = Effect.map(Commands.values, (commands) => commands.map(({ name }) => name))

describe("the plugins example", () => {
  it("as a process", { timeout: 60_000 }, async () => {
    const { code, stderr, stdout } = await runExample("plugins/main.ts")
    const [missing, conflict, ...lines] = stdout.split("\n")
    assert.match(
      missing!,
      /WARN .*: Could not load "rotate" of the package "plugin-reverse" for "plugins-example": .* has no export "rotate"/
    )
    assert.match(
      conflict!,
      /WARN .*: Left out "reverse" of the package "plugin-text" .* In its way is "reverse" of the package "plugin-reverse"/
    )
    assert.deepStrictEqual(lines, [
      "installed: louder (plugin-louder), reverse (plugin-reverse), text (plugin-text)",
      "text is on",
      "reverse is on",
      "upper hello: HELLO",
      "reverse hello: olleh",
      "The command \"upper\" is of the plugin \"text\". Switch that off first.",
      "\"upper\" is of the plugin \"text\": HELLO",
      "\"upper\" is of no plugin that is on.",
      "louder is on",
      "\"upper\" is of the plugin \"louder\": HELLO!",
      "upper hello: HELLO!",
      "No item is registered in \"plugins/Plugins\" with id = \"txt\". Did you mean \"text\"?",
      "\"uper\" is of no plugin that is on. There is upper.",
      ""
    ])
    assert.deepStrictEqual([code, stderr], [0, ""])
  })

  it.effect("finds the packages from its own directory, wherever it is run", () =>
    Effect.gen(function*() {
      const installed = yield* Plugins.values
      assert.deepStrictEqual(installed.map(({ id }) => id), ["louder", "reverse", "text"])
    }).pipe(Effect.provide(PluginsLive.pipe(Layer.provide(NodeServices.layer)))))

  it.effect("a plugin with a conflict leaves nothing, and can be switched on when the other is off", () =>
    Effect.gen(function*() {
      const switches = yield* Switches
      yield* switches.on("a")
      const error = yield* Effect.flip(switches.on("b"))
      assert.instanceOf(error, RegistryError.AlreadyRegisteredError)
      assert.deepStrictEqual(yield* names, ["one", "two"])
      yield* switches.off("a")
      yield* switches.off("a")
      yield* switches.on("b")
      yield* switches.on("b")
      assert.deepStrictEqual(yield* names, ["three", "two"])
      assert.strictEqual(yield* explain("two"), "\"two\" is of the plugin \"b\": two")
      assert.strictEqual((yield* Effect.flip(switches.on("nobody")))._tag, "ItemLookupError")
    }).pipe(Effect.provide(Live)))

  it.effect("a plugin that is interrupted while it loads leaves nothing, and blocks no other", () =>
    Effect.gen(function*() {
      const switches = yield* Switches
      const started = yield* Deferred.make<void>()
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Commands.addHooks({
          onItemRegistered: ({ name }) =>
            name === "two" ? Effect.andThen(Deferred.succeed(started, undefined), Effect.never) : Effect.void
        })
        const switching = yield* Effect.forkChild(switches.on("a"), { startImmediately: true })
        yield* Deferred.await(started)
        const waiting = yield* Effect.forkChild(switches.on("c"), { startImmediately: true })
        yield* Fiber.interrupt(waiting)
        yield* Fiber.interrupt(switching)
      }))
      assert.deepStrictEqual(yield* names, [])
      yield* switches.on("a")
      assert.deepStrictEqual(yield* names, ["one", "two"])
    }).pipe(Effect.provide(Live)))

  it.effect("concurrent switches: of two conflicting plugins one is on, and all end with the layer, under schedules", () =>
    RegistryTest.interleave(
      Effect.suspend(() => {
        const told: Array<string> = []
        const Told = RegistryHooks.layer(Commands, {
          onItemRegistered: ({ name }) => Effect.sync(() => told.push(name)),
          onItemUnregistered: ({ name }) => Effect.sync(() => told.splice(told.indexOf(name), 1))
        })
        return Effect.gen(function*() {
          const switches = yield* Switches
          const exits = yield* Effect.forEach(
            ["a", "b", "c", "a"],
            (id) => Effect.exit(switches.on(id)),
            { concurrency: "unbounded" }
          )
          const one = Exit.isSuccess(exits[1]!) ? ["three", "two"] : ["one", "two"]
          assert.deepStrictEqual((yield* names).toSorted(), [...one, "four"].toSorted())
          yield* Effect.all([switches.off("a"), switches.off("b"), switches.on("c")], { concurrency: "unbounded" })
          assert.deepStrictEqual(yield* names, ["four"])
          assert.deepStrictEqual(told, ["four"])
        }).pipe(
          Effect.provide(Switches.layer.pipe(Layer.provideMerge(Told), Layer.provideMerge(Live))),
          Effect.scoped,
          Effect.andThen(Effect.sync(() => assert.deepStrictEqual(told, [])))
        )
      }),
      { seeds: 100 }
    ))
})
