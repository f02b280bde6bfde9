/**
 * One more language, from a module of the user's.
 */
import { Effect, Path, Runtime, Schema } from "effect"
import { Language, Languages } from "./languages.ts"

export class PluginError extends Schema.TaggedError<PluginError>()("PluginError", {
  plugin: Schema.String,
  reason: Schema.String
}) {
  override readonly [Runtime.errorReported] = false
  override get message(): string {
    return `Could not use the plugin ${this.plugin}: ${this.reason}`
  }
}

/** Registers the default export of the module, until the scope closes. */
export const registerPlugin = Effect.fn("registerPlugin")(function*(plugin: string) {
  const because = (cause: unknown) => new PluginError({ plugin, reason: inOneLine(cause) })
  const path = yield* Path.Path
  const url = yield* Effect.mapError(path.toFileUrl(path.resolve(plugin)), because)
  const module = yield* Effect.tryPromise({
    try: (): Promise<{ readonly default?: unknown }> => import(url.href),
    catch: because
  })
  if (module.default === undefined) return yield* new PluginError({ plugin, reason: "it has no default export" })
  const language = yield* Effect.mapError(Schema.decodeUnknownEffect(Language)(module.default), because)
  yield* Effect.mapError(Languages.registerScoped({ ...language, plugin: true }), because)
})

const inOneLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).trim().replaceAll(/\s+/g, " ")
