/** What only entry points make, in a file of its own: a program that has none does not carry it. */
import * as Schema from "effect/Schema"
import { messageOf } from "./wording.ts"

/**
 * An installed package offers something that cannot be used.
 *
 * `invalid_package`: its package.json cannot be read or understood. `invalid_path`: the entry point names no module
 * inside of the package. `import`: the module is not there, or throws. `missing_export`: it has no such export.
 * `invalid_item`: what it exports does not satisfy the schema.
 *
 * **Example** (Saying which package is broken)
 *
 * ```ts
 * import { EntryPoints } from "effect-registry"
 * import { Effect, FileSystem, Layer, Path } from "effect"
 *
 * // one package is installed
 * const files = FileSystem.layerNoop({
 *   realPath: Effect.succeed,
 *   readDirectoryEntries: (path) =>
 *     Effect.succeed(path === "/app/node_modules" ? [{ name: "app-codecs", type: "Directory" }] : []),
 *   readFileString: () => Effect.succeed('{ "entryPoints": { "app.codecs": { "gzip": "../codecs.js" } } }')
 * })
 *
 * const program = EntryPoints.defaults({ group: "app.codecs", from: "/app", onFailure: "fail" }).pipe(
 *   Effect.catchTag("EntryPointError", (error) => Effect.succeed([error.code, error.entryPoint, error.package])),
 *   Effect.provide(Layer.merge(files, Path.layer))
 * )
 *
 * await Effect.runPromise(program) // => ["invalid_path", "gzip", "app-codecs"]
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class EntryPointError extends /*#__PURE__*/ Schema.TaggedError<EntryPointError>()("EntryPointError", {
  code: /*#__PURE__*/ Schema.Literals(["invalid_package", "invalid_path", "import", "missing_export", "invalid_item"]),
  /** The name that the package is installed under. */
  package: Schema.String,
  group: Schema.String,
  /** The name of the entry point, unless it is the package.json that is wrong. */
  entryPoint: /*#__PURE__*/ Schema.optionalKey(Schema.String),
  module: /*#__PURE__*/ Schema.optionalKey(Schema.String),
  issue: /*#__PURE__*/ Schema.optionalKey(Schema.String),
  cause: /*#__PURE__*/ Schema.optionalKey(Schema.Unknown)
}) {
  override get message(): string {
    const why = this.issue ?? messageOf(this.cause)
    if (this.code === "invalid_package") {
      return `Could not find what the package "${this.package}" offers for "${this.group}" in its package.json. ${why}`
    }
    const start = `Could not load "${this.entryPoint}" of the package "${this.package}" for "${this.group}"`
    switch (this.code) {
      case "invalid_path":
        return `${start}: it names no module inside of the package. ${why} Name a path that begins with "./".`
      case "import":
        return `${start}: its module "${this.module}" could not be imported. ${why}`
      case "missing_export":
        return `${start}: its module "${this.module}" does not export it. ${why}`
      case "invalid_item":
        return `${start}: what it exports does not satisfy the schema. ${why}`
    }
  }
}
