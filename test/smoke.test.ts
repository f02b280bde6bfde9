import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks } from "effect-registry"

class Language extends Schema.Class<Language>("Language")({
  id: Schema.Number,
  name: Schema.String,
  aliases: Schema.Array(Schema.String),
  extensions: Schema.Array(Schema.String)
}) {}

const builtIn = Effect.succeed([
  new Language({ id: 378, name: "TypeScript", aliases: ["ts"], extensions: [".ts", ".mts"] }),
  new Language({ id: 399, name: "XML", aliases: ["rss"], extensions: [".xml", ".ts"] })
])

class Languages extends Registry.Service<Languages, Language>()("app/Languages", {
  schema: Language,
  lookup: {
    id: Lookup.unique((language) => language.id),
    name: Lookup.unique((language) => language.name),
    alias: Lookup.uniqueEach((language) => language.aliases),
    extension: Lookup.groupEach((language) => language.extensions)
  },
  defaults: builtIn // any Effect: its errors show in PopulationError, its services in Languages.layer
}) {}

const Audit = RegistryHooks.layer(Languages, {
  onItemRegistering: (language) =>
    language.name.startsWith("x-") ? RegistryError.reject(language, "x- names are reserved") : Effect.void,
  onItemRegistered: (language) => Effect.logInfo(`registered ${language.name}`)
})

const program = Effect.gen(function*() {
  const typescript = yield* Languages.get("name", "TypeScript") // Language
  const candidates = yield* Languages.getAll("extension", ".ts") // ReadonlyArray<Language>: TypeScript, XML
  yield* Languages.register(new Language({ id: 9001, name: "Mine", aliases: [], extensions: [".mine"] }))
  return [typescript.name, candidates.length, yield* Languages.size]
})

describe("API.md", () => {
  it.effect("forty lines", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* program, ["TypeScript", 2, 3])
    }).pipe(Effect.provide(Audit.pipe(Layer.provideMerge(Languages.layer)))))
})
