import { afterAll, assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import {
  asserting,
  compiling,
  type Export,
  exportsOf,
  type Fence,
  fencesOfMarkdown,
  fencesOfModule
} from "./utils/fences.ts"

const root = Path.join(import.meta.dirname, "..")
const read = (file: string): string => Fs.readFileSync(Path.join(root, file), "utf8")

const sources = Fs.readdirSync(Path.join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .toSorted()

const pages = ["README.md", ...Fs.globSync("docs/*.md", { cwd: root }).toSorted()]

const fences: ReadonlyArray<Fence> = [
  ...sources.flatMap((file) => fencesOfModule(file.slice(0, -".ts".length), read(Path.join("src", file)))),
  ...pages.flatMap((file) => fencesOfMarkdown(file.slice(0, -".md".length), read(file)))
]

/** An example that is a test file. It is run where tests are collected. */
const isTestFile = ({ code }: Fence): boolean => /"@effect\/vitest"|^RegistryTest\.laws\(/m.test(code)

/** The examples of a page are modules of one directory, and may import those that have a file name. */
const fileOf = ({ file, page, title }: Fence): string =>
  Path.join(page.replace(/\W+/g, "-"), file ?? `${title.replace(/\W+/g, "-")}.ts`)

/** Beside the other tests, so that "effect-registry" is resolved as it is in them; hidden, so that `tsc` skips it. */
const directory = Fs.mkdtempSync(Path.join(import.meta.dirname, ".fences-"))

const write = (file: string, text: string): void => {
  Fs.mkdirSync(Path.join(directory, Path.dirname(file)), { recursive: true })
  Fs.writeFileSync(Path.join(directory, file), text)
}

for (const fence of fences) {
  write(Path.join("compiled", fileOf(fence)), compiling(fence.code))
  write(fileOf(fence), asserting(fence.code))
}
write(
  "tsconfig.json",
  JSON.stringify({
    extends: "../../tsconfig.json",
    include: [],
    files: fences.map((fence) => `compiled/${fileOf(fence)}`)
  })
)

afterAll(() => Fs.rmSync(directory, { recursive: true }))

const run = (fence: Fence): Promise<unknown> => import(/* @vite-ignore */ Path.join(directory, fileOf(fence)))

describe("examples", () => {
  const [programs, testFiles] = [fences.filter((fence) => !isTestFile(fence)), fences.filter(isTestFile)]

  it.each(programs.map((fence) => [fence.title, fence] as const))("%s", async (_, fence) => {
    await run(fence)
  })

  describe.each(testFiles.map((fence) => [fence.title, fence] as const))("%s", async (_, fence) => {
    await run(fence)
  })

  it("all compile", { timeout: 60_000 }, async () => {
    const output = await new Promise<string>((resolve) =>
      execFile(
        Path.join(root, "node_modules/.bin/tsc"),
        ["--project", directory, "--pretty", "false"],
        { cwd: directory },
        (error, stdout, stderr) => resolve(error === null ? "" : stdout + stderr || String(error))
      )
    )
    assert.strictEqual(output, "")
  })

  it("have unique names", () => assert.strictEqual(new Set(fences.map(fileOf)).size, fences.length))
})

const anchorOf = (heading: string): string => heading.toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-")

describe("links", () => {
  const linking = Fs.globSync("{*,docs/*,examples/*/*,benchmark/*,test/*}.md", { cwd: root }).toSorted()

  it.each(linking)("of %s have targets", (page) => {
    const links = Array.from(read(page).matchAll(/\]\((?!https:)([^)#]*)(?:#([^)]*))?\)/g))
    const astray = links.filter(([, file, anchor]) => {
      const target = file === "" ? page : Path.join(Path.dirname(page), file!)
      if (!Fs.existsSync(Path.join(root, target))) return true
      const headings = anchor === undefined ? [] : Array.from(read(target).matchAll(/^#+ (.+)$/gm))
      return anchor !== undefined && !headings.some(([, heading]) => anchorOf(heading!) === anchor)
    })
    assert.deepStrictEqual(astray.map(([link]) => link), [])
  })

  /** What npm packs: the files that package.json names, and those that npm adds. */
  const packed = [...JSON.parse(read("package.json")).files, "README.md", "LICENSE", "package.json"]
  const isPacked = (file: string): boolean =>
    packed.some((pattern) => Path.matchesGlob(file, pattern) || file.startsWith(`${pattern}/`))

  it.each(linking.filter(isPacked))("of %s lead to files of the package", (page) => {
    const targets = Array.from(
      read(page).matchAll(/\]\((?!https:)([^)#]+)/g),
      ([, file]) => Path.join(Path.dirname(page), file!)
    )
    assert.deepStrictEqual(targets.filter((target) => !isPacked(target)), [])
  })
})

describe("README.md", () => {
  it("names ratios that benchmark/RESULTS.md has, with 10,000 items", () => {
    const costs = read("README.md").split("\n## What it costs\n")[1]!.split("\n## ")[0]!
    const rows = Array.from(costs.matchAll(/^\| (.+) \| (.+) \| ([\d.]+) \|$/gm), ([, ...cells]) => cells)
    const results = read("benchmark/RESULTS.md").split("\n").map((line) => line.split(" | "))
    const measured = rows.map(([work, against]) =>
      results.find((cells) => cells[1] === work && cells[2] === against && cells[3] === "10,000")
    )
    assert.lengthOf(rows, 3)
    assert.deepStrictEqual(rows.map(([, , ratio]) => ratio), measured.map((cells) => cells?.[6]))
  })
})

const hasExample = ({ doc = "" }: Export): boolean =>
  /^\*\*Example\*\* \(.+\)\n\n```ts\n/m.test(doc) && / \/\/ => /.test(doc)

/** A doc comment begins with a sentence. */
const saysWhat = ({ doc = "" }: Export): boolean => /^[^@*\s][^]*?\.(\s|$)/.test(doc)

/** The part before the body. */
const signature = (declaration: string): string => declaration.split(/\n\n|=> \{\n|=>\n {2}Effect\./)[0]!

/** Whether a value is run: an effect, a stream or a layer, or a function that returns one. */
const isOperation = ({ declaration, kind }: Export): boolean =>
  kind === "value" && /\b(Effect\.Effect|Stream\.Stream|Layer\.Layer)</.test(signature(declaration))

const prose = ({ doc = "" }: Export): string => doc.replace(/^```ts\n[^]*?^```$/gm, "")

/** What the comment of a module says of all operations of a category: a paragraph that begins with `**Reading**`. */
const generally = (file: string, { doc = "" }: Export): string => {
  const category = /^@category (\w+)/m.exec(doc)?.[1] ?? ""
  const [comment = ""] = /^\/\*\*[^]*?\*\//.exec(read(file)) ?? []
  return comment.split("\n *\n").find((paragraph) => paragraph.toLowerCase().startsWith(` * **${category}**`)) ?? ""
}

/** What the doc comment of an operation must say, and the words by which this is recognized. */
const ofOperations: Record<string, RegExp> = {
  "how it fails or dies, or that it does neither": /\b(fails?|dies|die|failure|defects?)\b/i,
  "what it waits for or blocks": /\b(waits?|locks?|transactions?|at once|one step|synchronous)\b/i,
  "what an interruption does": /\binterrupt/i
}

/** Values of such a type that are not run, and why. */
const notRun: Record<string, string> = {
  "RegistryTest.laws": "it registers tests, and vitest runs them",
  "RegistryTest.logLaws": "it registers tests, and vitest runs them"
}

/** Values without an example, and why. */
const withoutExample: Record<string, string> = {
  "RegistryEvent.Populated": "RegistryEvent.match shows all events at once",
  "RegistryEvent.Registered": "RegistryEvent.match shows all events at once",
  "RegistryEvent.Moved": "RegistryEvent.match shows all events at once",
  "RegistryEvent.Replaced": "RegistryEvent.match shows all events at once",
  "RegistryEvent.Reset": "RegistryEvent.match shows all events at once",
  "RegistryEvent.Unregistered": "RegistryEvent.match shows all events at once",
  "RegistryMetrics.hold": "RegistryMetrics.layer shows how metrics are read",
  "RegistryMetrics.lag": "RegistryMetrics.layer shows how metrics are read",
  "RegistryMetrics.mutations": "RegistryMetrics.layer shows how metrics are read",
  "RegistryMetrics.population": "RegistryMetrics.layer shows how metrics are read",
  "RegistryMetrics.populations": "RegistryMetrics.layer shows how metrics are read",
  "RegistryMetrics.revision": "RegistryMetrics.layer shows how metrics are read",
  "RegistryMetrics.size": "RegistryMetrics.layer shows how metrics are read",
  "RegistryMetrics.subscribers": "RegistryMetrics.layer shows how metrics are read",
  "RegistryMetrics.wait": "RegistryMetrics.layer shows how metrics are read",
  "RegistryTest.NotLinearizable": "RegistryTest.linearize shows it",
  "RegistryTest.ScheduleFailure": "RegistryTest.interleave shows it",
  "RegistryTest.record": "RegistryTest.linearize shows it"
}

/** The types that a module exports from others by name, in one line: each has its doc comment there. */
const namedTypes = /^export type \{ (.+) \} from "(.+)"$/gm

/** All exports of a module, re-exports included. */
const allExportsOf = (file: string): ReadonlyArray<Export> => {
  const text = read(file)
  const from = (path: string) => Path.join(Path.dirname(file), path)
  return [
    ...exportsOf(text.replaceAll(namedTypes, "")),
    ...Array.from(text.matchAll(/^export \* from "(.+)"$/gm)).flatMap(([, path]) => allExportsOf(from(path!))),
    ...Array.from(text.matchAll(namedTypes)).flatMap(([, names, path]) =>
      exportsOf(read(from(path!))).filter(({ name }) => names!.split(", ").includes(name))
    )
  ]
}

const modules = ["src/index.ts", "src/testing/index.ts"].flatMap((entry) =>
  Array.from(read(entry).matchAll(/^export \* as (\w+) from "(.+)"$/gm), ([, name, path]) => {
    const file = Path.join(Path.dirname(entry), path!)
    return { name: name!, file, exports: allExportsOf(file) }
  })
)

/** The members of an interface, each with the text before it. */
const membersOf = ({ declaration }: Export): ReadonlyArray<{ readonly name: string; readonly before: string }> =>
  Array.from(declaration.matchAll(/^  (?:readonly )?(\w+)\??:/gm), (member) => ({
    name: member[1]!,
    before: declaration.slice(0, member.index).trimEnd()
  }))

describe("doc comments", () => {
  it("are checked in every public module", async () => {
    const entries = [await import("effect-registry"), await import("effect-registry/testing")]
    assert.deepStrictEqual(modules.map(({ name }) => name).toSorted(), entries.flatMap(Object.keys).toSorted())
  })

  it("are on every option, and on every static of a service", () => {
    const all = modules.flatMap(({ exports }) => exports)
    for (const one of all.filter(({ name }) => /^(\w*Options|ServiceClass|TagClass)$/.test(name))) {
      const members = membersOf(one)
      assert.isAbove(members.length, 0, one.name)
      const bare = members.filter(({ before }) => !before.endsWith("*/"))
      assert.deepStrictEqual(bare.map((member) => `${one.name}.${member.name}`), [])
    }
  })

  describe.each(modules)("of $name", ({ exports, file, name }) => {
    const lacking = (lacks: (one: Export) => boolean): ReadonlyArray<string> =>
      exports.filter(lacks).map((one) => `${name}.${one.name}`)

    it("are checked on every export", async () => {
      const values = exports.filter(({ kind }) => kind !== "type").map((one) => one.name)
      const module: object = await import(/* @vite-ignore */ Path.join(root, file))
      assert.deepStrictEqual(values.toSorted(), Object.keys(module).toSorted())
    })

    it("have @since", () => assert.deepStrictEqual(lacking(({ doc }) => !/^@since \d/m.test(doc ?? "")), []))

    it("have @category", () => assert.deepStrictEqual(lacking(({ doc }) => !/^@category \w/m.test(doc ?? "")), []))

    it("begin with a sentence", () => assert.deepStrictEqual(lacking((one) => !saysWhat(one)), []))

    it.each(Object.entries(ofOperations))(
      "of operations say %s",
      (_, says) =>
        assert.deepStrictEqual(
          lacking((one) =>
            isOperation(one) && !(`${name}.${one.name}` in notRun) && !says.test(prose(one) + generally(file, one))
          ),
          []
        )
    )

    it("have an example that runs", () => {
      const expected = Object.keys(withoutExample).filter((key) => key.startsWith(`${name}.`))
      assert.deepStrictEqual(lacking((one) => one.kind !== "type" && !hasExample(one)).toSorted(), expected.toSorted())
    })
  })
})
