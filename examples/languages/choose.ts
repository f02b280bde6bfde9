/**
 * Which language a file is in, when several claim its extension, file name or interpreter.
 *
 * GitHub looks into the file; this example does not.
 */
import { Array, Option } from "effect"
import type { Language } from "./languages.ts"

/** Well-known answers that linguist's data does not give: the rules below would choose another language, or by chance. */
export const preferred: ReadonlyMap<string, string> = new Map([
  [".asc", "AsciiDoc"],
  [".cfg", "INI"],
  [".cl", "OpenCL"],
  [".cls", "TeX"],
  [".e", "Eiffel"],
  [".es", "JavaScript"],
  [".f", "Fortran"],
  [".for", "Fortran"],
  [".inc", "PHP"],
  [".jq", "jq"],
  [".m", "Objective-C"],
  [".md", "Markdown"],
  [".nb", "Wolfram Language"],
  [".nu", "Nushell"],
  [".odin", "Odin"],
  [".plist", "XML Property List"],
  [".rs", "Rust"],
  [".sc", "Scala"],
  [".srt", "SubRip Text"],
  [".star", "Starlark"],
  [".t", "Perl"],
  [".toc", "TeX"],
  [".tsp", "TypeSpec"],
  [".txt", "Text"],
  [".v", "Verilog"],
  [".yaml", "YAML"],
  [".yy", "Yacc"],
  ["deno", "TypeScript"]
])

/** Linguist lists the main extension of a language first. */
const isMain = (language: Language, key: string): boolean => language.extensions?.[0]?.toLowerCase() === key

/** The first rule that a candidate satisfies decides, and in it the first candidate. */
const rules: ReadonlyArray<(language: Language, key: string) => boolean> = [
  (language) => language.plugin === true,
  (language, key) => language.name === preferred.get(key),
  (language, key) => isMain(language, key) && language.group === undefined,
  isMain,
  (language) => language.group === undefined,
  () => true
]

/** Chooses among the languages that claim `key`: an extension in lower case, a file name or an interpreter. */
export const choose = (candidates: ReadonlyArray<Language>, key: string): Option.Option<Language> =>
  Option.firstSomeOf(
    rules.map((rule) => Array.findFirst(candidates, (language) => rule(language, key)))
  )
