/** The direction of imports, and the words that the core must not use. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"

const root = Path.join(import.meta.dirname, "../src")

const files = Fs.readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))
  .toSorted()

const read = (file: string): string => Fs.readFileSync(Path.join(root, file), "utf8")

/** The modules of `src` that a file imports or exports from, with those that it imports types from. */
const importsOf = (file: string): ReadonlyArray<string> => {
  const code = read(file).replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "")
  const paths = Array.from(code.matchAll(/(?:\bfrom|\bimport\()\s*"(\.[^"]+)"|^import "(\.[^"]+)"/gm))
  return Array.from(new Set(paths.map(([, path, bare]) => Path.posix.join(Path.posix.dirname(file), (path ?? bare)!))))
}

const imports = new Map(files.map((file) => [file, importsOf(file)]))

const directoryOf = (file: string): string => file.slice(0, file.lastIndexOf("/") + 1)

/** The modules that all may import: public ones, this copy, the wording of messages, and a type. They import nothing else. */
const leaves = [
  "Lookup.ts",
  "RegistryError.ts",
  "RegistryEvent.ts",
  "internal/copy.ts",
  "internal/snapshot.ts",
  "internal/store/wording.ts"
]

/** The directories that the files of a directory may import beside it, and beside `leaves`. */
const mayImport: { readonly [directory: string]: ReadonlyArray<string> } = {
  "internal/store/": [],
  "internal/engine/": ["internal/store/"],
  "internal/operations/": ["internal/engine/", "internal/store/"]
}

/** The only files that may import a feature, beside other features. */
const featured = [
  "EntryPoints.ts",
  "Registry.ts",
  "RegistryHandle.ts",
  "RegistryHooks.ts",
  "RegistryMetrics.ts",
  "RegistryResource.ts",
  "RegistrySnapshot.ts",
  // what `make` plugs in
  "internal/making.ts",
  "internal/service.ts"
]

const isAllowed = (from: string, to: string): boolean => {
  const [here, there] = [directoryOf(from), directoryOf(to)]
  if (leaves.includes(from) || leaves.includes(to)) return leaves.includes(to)
  if (there === "internal/features/" && here !== there) {
    return here === "testing/" || here === "internal/shared/" || featured.includes(from)
  }
  // the other public modules import all that is internal
  if (here.startsWith("internal/") && there === "") return false
  return here === there || there === "" || mayImport[here]?.includes(there) !== false
}

/** All files that a file imports, directly or through others, in a set that has some already. */
const reachedFrom = (file: string, reached = new Set<string>()): ReadonlySet<string> => {
  for (const one of imports.get(file) ?? []) {
    if (reached.has(one)) continue
    reached.add(one)
    reachedFrom(one, reached)
  }
  return reached
}

/** Groups of files that import each other, directly or through others. */
const cycles = (): ReadonlyArray<string> => {
  const reached = new Map(files.map((file) => [file, reachedFrom(file)]))
  const inCycle = files.filter((file) => reached.get(file)!.has(file))
  const groups = inCycle.map((file) =>
    inCycle.filter((other) => reached.get(file)!.has(other) && reached.get(other)!.has(file)).join(" ⇄ ")
  )
  return Array.from(new Set(groups))
}

/** Features that the core must not know, as words of an identifier or of a comment. */
const features = /\b(overrid(?:e|es|den|ing)|switch(?:es|ed)?|disabled?|metrics?|late|lazy)\b/i

/** The lines of a file that name a feature. `override` before a member, and the statement `switch`, are TypeScript's. */
const namingFeatures = (file: string): ReadonlyArray<string> =>
  read(file).split("\n").flatMap((line, index) => {
    const words = line
      .replace(/^\s*override (?=[\w[])/, "")
      .replace(/\bswitch \(/, "")
      .replaceAll(/(?<=[a-z\d])(?=[A-Z])|_/g, " ")
    const word = features.exec(words)?.[0]
    return word === undefined ? [] : [`${file}:${index + 1} ${word}`]
  })

describe("imports", () => {
  it("are of files that exist", () => {
    const missing = Array.from(imports.values()).flat().filter((file) => !files.includes(file))
    assert.deepStrictEqual(missing, [])
    assert.isAbove(Array.from(imports.values()).flat().length, files.length)
  })

  it("go from features to operations, to the engine, to the store, and never back", () => {
    const wrong = files.flatMap((from) =>
      imports.get(from)!.filter((to) => !isAllowed(from, to)).map((to) => `${from} → ${to}`)
    )
    assert.deepStrictEqual(wrong, [])
  })

  it("make no cycle, not even of types", () => assert.deepStrictEqual(cycles(), []))
})

describe("the core", () => {
  const core = files.filter((file) => /^internal\/(engine|store)\//.test(file))

  it.each(core)("%s names no feature: no override, no switch, no metric, no late registry", (file) => {
    assert.deepStrictEqual(namingFeatures(file), [])
  })
})
