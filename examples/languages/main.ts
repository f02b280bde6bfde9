/**
 * The languages of a directory: `npm start -- [directory] [--plugin ./my-language.ts]`.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Option, Ref } from "effect"
import { Argument, Command, Flag, TerminalCapabilities } from "effect/cli"
import { LanguagesLive } from "./languages.ts"
import { registerPlugin } from "./plugin.ts"
import { withProgress } from "./progress.ts"
import { report } from "./report.ts"
import { scan } from "./scan.ts"

const languages = Command.make(
  "languages",
  {
    directory: Argument.String("directory").pipe(
      Argument.withDescription("The directory to look into"),
      Argument.withDefault(".")
    ),
    plugin: Flag.String("plugin").pipe(
      Flag.withDescription("A module whose default export is one more language"),
      Flag.optional
    )
  },
  Effect.fn("languages")(
    function*({ directory, plugin }) {
      if (Option.isSome(plugin)) yield* registerPlugin(plugin.value)
      const seen = yield* Ref.make(0)
      const found = yield* withProgress(scan(directory, seen), seen)
      const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
      yield* Console.log(report(found, { color: canColor }).join("\n"))
    },
    Effect.scoped,
    Effect.tapErrorTag(["DirectoryError", "PluginError"], (error) => Console.error(error.message))
  )
).pipe(Command.withDescription("Counts the files and bytes of each language in a directory"))

Command.run(languages, { version: "0.1.0" }).pipe(
  Effect.provide(LanguagesLive),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
