/**
 * Switches plugins on and off: `npx node --conditions=effect-registry/source examples/plugins/main.ts`.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { Commands, explain, installed, PluginsLive, Switches } from "./plugins.ts"

const switchOn = Effect.fn("switchOn")(function*(id: string) {
  const switches = yield* Switches
  yield* switches.on(id).pipe(
    Effect.andThen(Console.log(`${id} is on`)),
    Effect.catch((error) => Console.log(error.message))
  )
})

const run = (name: string, text: string) =>
  Commands.get("name", name).pipe(
    Effect.flatMap((command) => Console.log(`${name} ${text}: ${command.run(text)}`)),
    Effect.catch((error) => Console.log(error.message))
  )

const program = Effect.gen(function*() {
  const switches = yield* Switches
  yield* Console.log(`installed: ${(yield* installed).join(", ")}`)
  yield* switchOn("text")
  yield* switchOn("reverse")
  yield* run("upper", "hello")
  yield* run("reverse", "hello")

  // two plugins have a command "upper"
  yield* switchOn("louder")
  yield* Effect.flatMap(explain("upper"), Console.log)
  yield* switches.off("text")
  yield* Effect.flatMap(explain("upper"), Console.log)
  yield* switchOn("louder")
  yield* Effect.flatMap(explain("upper"), Console.log)
  yield* run("upper", "hello")

  yield* switchOn("txt")
  yield* Effect.flatMap(explain("uper"), Console.log)
})

program.pipe(
  Effect.provide(PluginsLive.pipe(Layer.provide(NodeServices.layer))),
  NodeRuntime.runMain
)
