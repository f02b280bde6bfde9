/** What only snapshots make, in a file of its own: a program that saves none does not carry it. */
import * as Schema from "effect/Schema"
import { show, withCommon } from "./wording.ts"

/**
 * A snapshot could not become JSON, or JSON no snapshot.
 *
 * `encode`: the schema of the registry cannot write the `item`. `decode`: it cannot read the `item`, or what was given is
 * no array. `index` is the place of the item, and `issue` says what is wrong, with the path to it.
 *
 * **Example** (A language whose name is missing)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect, Schema } from "effect"
 *
 * class Language extends Schema.Class<Language>("Language")({ name: Schema.String }) {}
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const languages = yield* Registry.make<Language>()({ name: "languages", lookup: ["name"], schema: Language })
 *   const error = yield* Effect.flip(RegistrySnapshot.fromJson(languages, [{ name: "C" }, { nmae: "D" }]))
 *   return error.message
 * }))
 *
 * const message = await Effect.runPromise(program)
 *
 * message // => 'Could not read [1] of the JSON for "languages", {"nmae":"D"}: Missing key\n  at ["name"]'
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class SnapshotError extends /*#__PURE__*/ Schema.TaggedError<SnapshotError>()(
  "SnapshotError",
  /*#__PURE__*/ withCommon(() => ({
    code: Schema.Literals(["encode", "decode"]),
    item: Schema.Unknown,
    index: Schema.optionalKey(Schema.Number),
    issue: Schema.String
  }))
) {
  override get message(): string {
    if (this.text !== undefined) return this.text
    const where = this.index === undefined ? "" : `[${this.index}] of `
    return this.code === "encode"
      ? `Could not write ${where}"${this.registry}", ${show(this.item)}, as JSON: ${this.issue}`
      : `Could not read ${where}the JSON for "${this.registry}", ${show(this.item)}: ${this.issue}`
  }
}
