/**
 * What strangers get: the package is packed and installed into an empty project, and the first example of README.md runs
 * there, wherever it should; so do the examples of docs/testing.md. It takes a while, so it has a script of its own:
 * `npm run test:packed`.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Esbuild from "esbuild"
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { promisify } from "node:util"
import * as Bundle from "../../benchmark/bundle.ts"
import { asserting, fencesOfMarkdown } from "../../test/utils/fences.ts"

const root = Path.join(import.meta.dirname, "../..")
const tools = Path.join(import.meta.dirname, "node_modules")
const read = (file: string): string => Fs.readFileSync(Path.join(root, file), "utf8")

/** What a program writes; what it wrote until then is in the error if it fails. */
const run = async (command: string, args: ReadonlyArray<string>, cwd: string): Promise<string> => {
  // without the conditions that the sources of this project run under
  const { NODE_OPTIONS: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(command, args, { cwd, env, maxBuffer: 10_000_000 }).catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}`)
  })
  return stdout
}

const passed = "as shown"

const helper = `const assertShows = (actual: unknown, expected: unknown): void => {
  const [one, other] = [actual, expected].map((value) => JSON.stringify(value))
  if (one !== other) throw new Error(one + " instead of " + other)
  console.log("${passed}")
}`

/** The first example of README.md, with its assertions. */
const quickstart = asserting(fencesOfMarkdown("README", read("README.md"))[0]!.code, helper)

interface Packed {
  readonly filename: string
  readonly size: number
  readonly files: ReadonlyArray<{ readonly path: string }>
}

/** The version of a package that this project has. */
const ours = (name: string): string => `${name}@${JSON.parse(read(`node_modules/${name}/package.json`)).version}`

const install = (...packages: ReadonlyArray<string>): Promise<string> =>
  run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...packages], project)

/** The project of a stranger. */
let project: string
let packed: Packed

const write = (file: string, text: string): void => {
  Fs.mkdirSync(Path.dirname(Path.join(project, file)), { recursive: true })
  Fs.writeFileSync(Path.join(project, file), text)
}

beforeAll(async () => {
  project = Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-registry-"))
  const [result] = JSON.parse(await run("npm", ["pack", "--json", "--pack-destination", project], root))
  packed = result
  write("package.json", JSON.stringify({ private: true, type: "module" }))
  await install(`./${packed.filename}`, ours("effect"))
})

afterAll(() => Fs.rmSync(project, { recursive: true, force: true }))

// ---------------------------------------------------------------------------------------------------------------------
// What is in it
// ---------------------------------------------------------------------------------------------------------------------

describe("the package", () => {
  it("contains the sources, what is built of each of them, the pages, and what npm adds: no more", () => {
    const sources = Fs.readdirSync(Path.join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
    const built = sources.map((file) => file.slice(0, -".ts".length)).flatMap((file) =>
      [".js", ".js.map", ".d.ts", ".d.ts.map"].map((ending) => `dist/${file}${ending}`)
    )
    const pages = ["CHANGELOG.md", ...Fs.globSync("docs/*.{md,svg}", { cwd: root })]
    const added = ["LICENSE", "README.md", "package.json"]
    const expected = [...added, ...pages, ...sources.map((file) => `src/${file}`), ...built]
    assert.deepStrictEqual(packed.files.map(({ path }) => path).toSorted(), expected.toSorted())
  })

  it("maps what is built to sources that are in it", () => {
    const dist = Path.join(project, "node_modules/effect-registry/dist")
    for (const file of Fs.readdirSync(dist, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".map")) continue
      const { sources } = JSON.parse(Fs.readFileSync(Path.join(dist, file), "utf8"))
      for (const source of sources) assert.isTrue(Fs.existsSync(Path.join(dist, Path.dirname(file), source)), file)
    }
  })

  it("brings nothing along: Effect is the one of the project", async () => {
    const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(read("package.json"))
    assert.isUndefined(dependencies)
    assert.deepStrictEqual(Object.keys(peerDependencies).filter((name) => !(name in peerDependenciesMeta)), ["effect"])
    const installed = await run("npm", ["ls", "--all", "--parseable"], project)
    const paths = installed.trim().split("\n").filter((path) => /[/\\]effect(-registry)?$/.test(path))
    assert.deepStrictEqual(
      paths.map((path) => Path.relative(Fs.realpathSync(project), Fs.realpathSync(path))).toSorted(),
      ["node_modules/effect", "node_modules/effect-registry"]
    )
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// Where it runs
// ---------------------------------------------------------------------------------------------------------------------

const strictest = {
  target: "ES2023",
  lib: ["ES2023", "DOM", "DOM.Iterable"],
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false
}

const compile = (directory: string, compilerOptions: object): Promise<string> => {
  write(`${directory}/tsconfig.json`, JSON.stringify({ compilerOptions: { ...strictest, ...compilerOptions } }))
  return run(Path.join(root, "node_modules/.bin/tsc"), ["--project", directory], project)
}

const node24 = Path.join(root, "node_modules/node/bin/node")

describe("the quickstart", () => {
  beforeAll(() => {
    for (const directory of ["bundler", "nodenext"]) write(`${directory}/quickstart.ts`, quickstart)
  })

  it("compiles as TypeScript under Bundler resolution, libraries checked", async () => {
    await compile("bundler", { module: "ESNext", moduleResolution: "Bundler", noEmit: true })
  })

  describe("compiles as TypeScript under NodeNext resolution, libraries checked", () => {
    beforeAll(() => compile("nodenext", { module: "NodeNext", outDir: "javascript" }))

    const javascript = "nodenext/javascript/quickstart.js"

    it.each([["22", Path.join(tools, "node/bin/node")], ["24", node24]])(
      "and runs as plain JavaScript on Node %s",
      async (version, node) => {
        assert.match(await run(node, ["--version"], project), new RegExp(`^v${version}\\.`))
        assert.strictEqual(await run(node, [javascript], project), `${passed}\n`)
      }
    )

    it("and runs on Bun, as JavaScript and as TypeScript", async () => {
      const bun = Path.join(tools, ".bin/bun")
      for (const file of [javascript, "nodenext/quickstart.ts"]) {
        assert.strictEqual(await run(bun, [file], project), `${passed}\n`)
      }
    })
  })

  it("is bundled for the browser, and runs in Chromium", async () => {
    write("browser/quickstart.ts", quickstart)
    const { outputFiles: [bundle] } = await Esbuild.build({
      absWorkingDir: project,
      entryPoints: ["browser/quickstart.ts"],
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      write: false
    })
    const { chromium } = await import("playwright-core")
    const browser = await chromium.launchPersistentContext(Path.join(project, "profile"), {
      executablePath: chromiumPath(),
      headless: true,
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync"
      ]
    })
    try {
      const page = await browser.newPage()
      const heard = new Promise<string>((resolve) => {
        page.on("console", (message) => resolve(message.text()))
        page.on("pageerror", (error) => resolve(String(error)))
      })
      await page.addScriptTag({ type: "module", content: bundle!.text })
      assert.strictEqual(await heard, passed)
    } finally {
      await browser.close()
    }
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// What is imported
// ---------------------------------------------------------------------------------------------------------------------

describe("subpaths", () => {
  const modules = Fs.readdirSync(Path.join(root, "src"))
    .filter((file) => file.endsWith(".ts") && file !== "index.ts")
    .map((file) => Path.basename(file, ".ts"))

  const program = [
    "import * as index from \"effect-registry\"",
    ...modules.map((name) => `import * as ${name} from "effect-registry/${name}"`),
    `const all = { ${modules.join(", ")} }`,
    "const names = (module: object) => Object.keys(module).join()",
    "console.log(names(all) === names(index))",
    ...modules.map((name) => `console.log(names(all.${name}) === names(index.${name}))`),
    "console.log(index.Registry.get === Registry.get)"
  ].join("\n")

  it("are the modules of the index, in Node and for TypeScript under NodeNext and Bundler resolution", async () => {
    for (const directory of ["subpaths/nodenext", "subpaths/bundler"]) write(`${directory}/program.ts`, program)
    await compile("subpaths/bundler", { module: "ESNext", moduleResolution: "Bundler", noEmit: true })
    await compile("subpaths/nodenext", { module: "NodeNext", outDir: "javascript" })
    const wrote = await run(node24, ["subpaths/nodenext/javascript/program.js"], project)
    assert.strictEqual(wrote, "true\n".repeat(modules.length + 2))
  })

  it("are known to attw, which cannot tell what a star stands for", () => {
    const { scripts } = JSON.parse(read("package.json"))
    assert.deepStrictEqual(scripts.package.split("--include-entrypoints ")[1].split(" "), modules.toSorted())
  })

  it.each(["internal/core", "internal/service", "testing/model", "index", "Nothing"])("are not %s", async (path) => {
    const error = await run(node24, ["--eval", `import("effect-registry/${path}")`], project).then(String, String)
    assert.match(error, /ERR_PACKAGE_PATH_NOT_EXPORTED|ERR_MODULE_NOT_FOUND/)
  })

  it("and the index leave out of a bundle what the sources leave out", async () => {
    const installed = Bundle.installedIn(project)
    for (const one of [Bundle.small, Bundle.service]) {
      for (
        const [bundle, code] of [
          [Bundle.withEsbuild, Bundle.bySubpath(one)],
          [Bundle.withRolldown, Bundle.byIndex(one)]
        ] as const
      ) {
        assert.approximately((await bundle(code, installed)).gzipped, (await bundle(code)).gzipped, 20)
      }
    }
  })
})

const usesLaws = ({ code }: { readonly code: string }): boolean => /^RegistryTest\.laws\(/m.test(code)

describe("effect-registry/testing", () => {
  const examples = fencesOfMarkdown("docs/testing", read("docs/testing.md"))

  it("runs with nothing but effect, without laws", async () => {
    for (const [i, { code, title }] of examples.filter((example) => !usesLaws(example)).entries()) {
      const file = `testing/${i}.ts`
      write(file, asserting(code, helper))
      const shown = code.match(/ \/\/ => /g)!.length
      assert.strictEqual(await run(node24, [file], project), `${passed}\n`.repeat(shown), title)
    }
  })

  it("compiles and runs with vitest and fast-check: all of it", async () => {
    await install("--save-dev", ours("@effect/vitest"), ours("vitest"), ours("fast-check"))
    for (const [i, { code }] of examples.filter(usesLaws).entries()) write(`testing/${i}.test.ts`, code)
    await compile("testing", { module: "NodeNext", noEmit: true })
    const vitest = ["node_modules/vitest/vitest.mjs", "run", "--no-color", "--dir", "testing"]
    assert.match(await run(node24, vitest, project), /Tests +15 passed/)
  })
})

const chromiumPath = (): string => {
  const found = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) =>
    (process.env["PATH"] ?? "").split(Path.delimiter).map((directory) => Path.join(directory, name))
  ).find((file) => Fs.existsSync(file))
  if (found === undefined) throw new Error("There is no Chromium: install one, as .ci/run does.")
  return found
}
