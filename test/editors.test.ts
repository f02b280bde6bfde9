/**
 * What users see in their editors, according to TypeScript's language server.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as LanguageServer from "./utils/languageServer.ts"

const root = Path.join(import.meta.dirname, "..")

const program = `import { Effect, Stream } from "effect"
import { Lookup, Registry, RegistryHooks, RegistrySnapshot } from "effect-registry"

interface Language {
  readonly id: number
  readonly name: string
  readonly aliases: ReadonlyArray<string>
  readonly extensions: ReadonlyArray<string>
}

class Languages extends Registry.Service<Languages, Language>()("app/Languages", {
  lookup: {
    id: Lookup.unique((language) => language.id),
    name: Lookup.unique((language) => language.name),
    alias: Lookup.uniqueEach((language) => language.aliases),
    extension: Lookup.groupEach((language) => language.extensions)
  }
}) {}

export const Audit = RegistryHooks.layer(Languages, { onItemRegistered: (told) => Effect.log(told.name) })

export const program = Effect.gen(function*() {
  const found = yield* Languages.get("name", "TypeScript")
  const candidates = yield* Languages.getAll("extension", ".ts")
  yield* Languages.register({ id: 1, name: "Mine", aliases: [], extensions: [] })
  const registry = yield* Languages
  const dataFirst = Registry.get(registry, "id", 1)
  const dataLast = registry.pipe(Registry.get("id", 1))
  const ofService = Registry.get(Languages, "id", 1)
  const ofServiceLast = Languages.pipe(Registry.get("id", 1))
  const snapshot = yield* Languages.snapshot
  const before = RegistrySnapshot.get(snapshot, "alias", "ts")
  yield* Stream.runForEach(Languages.changes, (change) => Effect.log(change.events))
  return { found, candidates, dataFirst, dataLast, ofService, ofServiceLast, before }
})

export const all = Languages.values
export const live = Languages.layer
export const more = Languages.items([])
`

const mistakes = `
import { Option } from "effect"

interface Command {
  readonly name: string
  readonly run: (input: string) => string
}

export const attribute = Languages.get("nmae", "TypeScript")
export const attributeOfAll = Languages.getAll("extensions", ".ts")
export const group = Languages.get("extension", ".ts")
export const value = Languages.get("id", "1")
export const first = Effect.flatMap(Languages, (registry) => Registry.get(registry, "nmae", "TypeScript"))
export const last = Effect.flatMap(Languages, (registry) => registry.pipe(Registry.get("nmae", "TypeScript")))
export const lastValue = Effect.flatMap(Languages, (registry) => registry.pipe(Registry.get("id", "1")))
export const lacking = Registry.register(Languages, { id: 1, name: "Mine", aliases: [] })
export const lackingLast = Languages.pipe(Registry.register({ id: 1, name: "Mine", aliases: [] }))
export const wrongLast = Languages.pipe(Registry.upsert({ id: "1", name: "Mine", aliases: [], extensions: [] }))
export const lackingInList = Languages.pipe(Registry.registerAll([{ id: 1, name: "Mine", aliases: [] }]))
export const lackingInReplace = Languages.pipe(Registry.replace("id", 1, { id: 1, name: "Mine", aliases: [] }))
export const noObjectLast = Languages.pipe(Registry.register("Mine"))
export const ofService = Registry.get(Languages, "nmae", "TypeScript")
export const ofServiceLast = Languages.pipe(Registry.get("id", "1"))
export const lackingDefault = Registry.make<Language>()({ lookup: ["id"], defaults: [{ id: 1, name: "Mine", aliases: [] }] })
export const wrongDefault = Registry.make<Command>()({ lookup: ["name"], defaults: [{ name: "a", run: (input) => input.length }] })
export const lastOfSnapshot = Effect.map(Languages.snapshot, (one) => one.pipe(RegistrySnapshot.has("kind", Option.none())))
export const option = Registry.make<Language>()({ lookup: ["id"], defalts: [] })
export const hook = RegistryHooks.layer(Languages, { onItemRegisterd: () => Effect.void })
export const hookThatFails = RegistryHooks.layer(Languages, { onItemRegistered: () => Effect.fail("too late") })
export const refusal = RegistryHooks.layer(Languages, { onItemRegistering: () => Effect.fail("no") })
export const noEffect = RegistryHooks.layer(Languages, { onItemRegistered: (told) => console.log(told) })
`

let directory: string
let server: LanguageServer.LanguageServer

beforeAll(async () => {
  // beside the other tests, so that "effect-registry" is resolved as it is in them; hidden, so that `tsc` skips it
  directory = Fs.mkdtempSync(Path.join(import.meta.dirname, ".editors-"))
  const file = Path.join(directory, "program.ts")
  Fs.writeFileSync(file, program + mistakes)
  Fs.writeFileSync(
    Path.join(directory, "tsconfig.json"),
    JSON.stringify({ extends: "../../tsconfig.json", files: ["program.ts"], include: [] })
  )
  server = await LanguageServer.start(root, file, program + mistakes)
}, 60_000)

afterAll(() => {
  server?.stop()
  Fs.rmSync(directory, { recursive: true })
})

/** The hover text of the last part of a text, in one line. */
const hovering = async (text: string): Promise<string> => (await server.hover(text)).replace(/\s+/g, " ")

const lookups = "{ readonly id: Lookup.Unique<Language, number>; readonly name: Lookup.Unique<Language, string>; " +
  "readonly alias: Lookup.Unique<Language, string>; readonly extension: Lookup.Group<Language, string>; }"

describe("hovering shows a readable type", () => {
  it.each([
    ["found =", "const found: Language"],
    ["candidates =", "const candidates: readonly Language[]"],
    ["registry =", `const registry: Registry.Registry<Language, ${lookups}, never, never>`],
    ["dataFirst =", "const dataFirst: Effect.Effect<Language, ItemLookupError, never>"],
    ["dataLast =", "const dataLast: Effect.Effect<Language, ItemLookupError, never>"],
    ["ofService =", "const ofService: Effect.Effect<Language, ItemLookupError, Languages>"],
    ["ofServiceLast =", "const ofServiceLast: Effect.Effect<Language, ItemLookupError, Languages>"],
    ["snapshot =", `const snapshot: RegistrySnapshot.RegistrySnapshot<Language, ${lookups}>`],
    ["before =", "const before: Option.Option<Language>"],
    ["change)", `(parameter) change: RegistryChange<Language, ${lookups}>`],
    ["told)", "(parameter) told: Language"],
    ["all =", "const all: Effect.Effect<readonly Language[], never, Languages>"],
    ["live =", "const live: Layer<Languages, never, never>"],
    ["more =", "const more: Layer<never, RegistrationFailure, Languages>"],
    ["Audit =", "const Audit: Layer<never, never, Languages>"]
  ])("%s", async (text, expected) => {
    assert.strictEqual(await hovering(text), expected)
  })

  it.each([
    [
      "get(\"name\"",
      "get: <\"name\">(attribute: \"name\", value: string) => Effect.Effect<Language, ItemLookupError, Languages>"
    ],
    [
      "getAll(",
      "getAll: <\"extension\">(attribute: \"extension\", value: string) => Effect.Effect<readonly Language[], never, Languages>"
    ],
    ["register({", "register: (item: Language) => Effect.Effect<void, RegistrationFailure, Languages>"],
    ["values", "values: Effect.Effect<readonly Language[], never, Languages>"]
  ])("Languages.%s", async (text, expected) => {
    const shown = await hovering(text)
    assert.match(shown, /^\(property\) ServiceClass<Languages, "app\/Languages", Language, /)
    assert.strictEqual(shown.split(">.").at(-1), expected)
    assert.notMatch(shown, / extends | \? /)
    assert.isAtMost(shown.length, 500)
  })
})

describe("an error names the valid choices", () => {
  it.each([
    ["attribute", "'\"alias\" | \"id\" | \"name\"'"],
    ["attributeOfAll", "'\"alias\" | \"extension\" | \"id\" | \"name\"'"],
    ["group", "'\"alias\" | \"id\" | \"name\"'"],
    ["value", "'number'"],
    ["first", "'\"alias\" | \"id\" | \"name\"'"],
    ["last", "'NoSuchAttribute<\"nmae\", \"alias\" | \"id\" | \"name\">'"],
    ["lastValue", "'ValueIs<\"id\", number>'"],
    ["lacking", "Property 'extensions' is missing"],
    ["lackingLast", "'PropertyIsMissing<\"extensions\">'"],
    ["wrongLast", "'PropertyIs<\"id\", number>'"],
    ["lackingInList", "'PropertyIsMissing<\"extensions\">'"],
    ["lackingInReplace", "'PropertyIsMissing<\"extensions\">'"],
    ["noObjectLast", "'ItemIs<Language>'"],
    ["ofService", "'\"alias\" | \"id\" | \"name\"'"],
    ["ofServiceLast", "'ValueIs<\"id\", number>'"],
    ["lackingDefault", "Property 'extensions' is missing"],
    ["wrongDefault", "'number' is not assignable to type 'string'"],
    ["lastOfSnapshot", "'NoSuchAttribute<\"kind\", \"alias\" | \"extension\" | \"id\" | \"name\">'"],
    ["option", "Did you mean to write 'defaults'?"],
    ["hook", "\"onItemRegistered\""],
    ["hookThatFails", "'string' is not assignable to type 'never'"],
    ["refusal", "'string' is not assignable to type 'RegistrationError'"],
    ["noEffect", "'void' is not assignable to type 'Effect<unknown, never, unknown>'"]
  ])("%s", async (name, expected) => {
    const line = (program + mistakes).split("\n").findIndex((one) => one.startsWith(`export const ${name} `)) + 1
    const messages = (await server.errors()).filter((error) => error.line === line).map(({ message }) => message)
    assert.strictEqual(messages.length, 1)
    const lines = messages[0]!.split("\n")
    assert.include(lines.at(-1)!, expected)
    assert.isAtMost(lines.length, 5, messages[0])
  })

  it("nothing else is an error", async () => {
    assert.strictEqual((await server.errors()).length, mistakes.match(/^export const /gm)!.length)
  })
})
