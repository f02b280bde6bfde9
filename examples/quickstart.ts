import { Effect, Layer } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks } from "effect-registry"

interface Language {
  readonly name: string
  readonly aliases: ReadonlyArray<string>
  readonly extension: string
}

class Languages extends Registry.Service<Languages, Language>()("app/Languages", {
  lookup: {
    name: Lookup.unique((language) => language.name),
    alias: Lookup.uniqueEach((language) => language.aliases),
    extension: Lookup.group((language) => language.extension)
  },
  defaults: Effect.succeed([ // any Effect: its errors show in the operations, its services in Languages.layer
    { name: "TypeScript", aliases: ["ts"], extension: ".ts" },
    { name: "XML", aliases: [], extension: ".ts" } // Qt's translations
  ])
}) {}

const NoReservedNames = RegistryHooks.layer(Languages, {
  onItemRegistering: (language) =>
    language.name.startsWith("x-") ? RegistryError.reject(language, "x- names are reserved") : Effect.void
})

const program = Effect.gen(function*() {
  const typescript = yield* Languages.get("alias", "ts") // Language
  const candidates = yield* Languages.getAll("extension", ".ts") // ReadonlyArray<Language>
  yield* Languages.register({ name: "Mine", aliases: [], extension: ".mine" })
  const { code } = yield* Effect.flip(Languages.register({ name: "x-1", aliases: [], extension: ".x" }))
  return [typescript.name, candidates.length, code, yield* Languages.size]
}).pipe(Effect.provide(NoReservedNames.pipe(Layer.provideMerge(Languages.layer))))

console.log(await Effect.runPromise(program)) // [ "TypeScript", 2, "rejected", 3 ]
