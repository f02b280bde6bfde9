/**
 * The registry: every language that GitHub knows, found by id, name, alias, extension, file name and interpreter.
 */
import { Effect, Layer, Schema } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks } from "effect-registry"
import type * as Linguist from "linguist-languages"

export const Language = Schema.Struct({
  id: Schema.Int,
  name: Schema.NonEmptyString,
  aliases: Schema.optionalKey(Schema.Array(Schema.String)),
  /** With their dot, the most typical one first. */
  extensions: Schema.optionalKey(Schema.Array(Schema.String.check(Schema.isStartingWith(".")))),
  filenames: Schema.optionalKey(Schema.Array(Schema.String)),
  interpreters: Schema.optionalKey(Schema.Array(Schema.String)),
  color: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^#[0-9a-f]{6}$/i))),
  /** The language that this one is a variant of. */
  group: Schema.optionalKey(Schema.String),
  /** Whether it came with `--plugin`. */
  plugin: Schema.optionalKey(Schema.Boolean)
})

export type Language = typeof Language.Type

/** The import of 833 modules takes a third of a second: it happens when the registry is first used. */
const fromLinguist = Effect.map(
  Effect.promise(() => import("linguist-languages")),
  (linguist): ReadonlyArray<Language> => {
    const known: ReadonlyArray<Linguist.Language> = Object.values(linguist)
    return known.map(({ languageId, ...language }) => ({ id: languageId, ...language }))
  }
)

export class Languages extends Registry.Service<Languages, Language>()("Languages", {
  schema: Language,
  lookup: {
    id: Lookup.unique((language) => language.id),
    name: Lookup.unique((language) => language.name),
    alias: Lookup.uniqueEach((language) => language.aliases ?? []),
    nameInLowerCase: Lookup.group((language) => language.name.toLowerCase()),
    extension: Lookup.groupEach((language) => (language.extensions ?? []).map((extension) => extension.toLowerCase())),
    filename: Lookup.groupEach((language) => language.filenames ?? []),
    interpreter: Lookup.groupEach((language) => language.interpreters ?? [])
  },
  messages: {
    attribute_registered: ({ attribute, value }) => `the ${attribute} ${JSON.stringify(value)} is taken`,
    rejected: ({ reason }) => `${reason}`
  },
  defaults: fromLinguist,
  populationFailure: "die" // the data is part of the program: no caller could do anything about it
}) {}

/** Refuses a language whose name is that of another one but for its case. */
const NoLookalikes = RegistryHooks.layer(Languages, {
  onItemRegistering: Effect.fnUntraced(function*(language) {
    const [lookalike] = yield* Languages.getAll("nameInLowerCase", language.name.toLowerCase())
    if (lookalike !== undefined) {
      yield* RegistryError.reject(language, `"${language.name}" differs from "${lookalike.name}" only in case`)
    }
  })
})

export const LanguagesLive = NoLookalikes.pipe(Layer.provideMerge(Languages.layer))
