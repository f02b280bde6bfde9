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
import { pathToFileURL } from "node:url"
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

const installIn = (directory: string, ...packages: ReadonlyArray<string>): Promise<string> =>
  run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...packages], directory)

const install = (...packages: ReadonlyArray<string>): Promise<string> => installIn(project, ...packages)

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
    const pages = ["CHANGELOG.md", "SECURITY.md", ...Fs.globSync("docs/*.{md,svg}", { cwd: root })]
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

  /** Modules for the log of shared registries. Those of capital letters are in the index of theirs. */
  const engines = Fs.readdirSync(Path.join(root, "src/shared"))
    .filter((file) => /^[a-z]/.test(file) && file !== "index.ts")
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
    const known = [...modules, ...engines.map((name) => `shared/${name}`)]
    assert.deepStrictEqual(scripts.package.split("--include-entrypoints ")[1].split(" "), known.toSorted())
  })

  it.each([["22", Path.join(tools, "node/bin/node")], ["24", node24]])(
    "share a registry through a file of SQLite on Node %s",
    async (_, node) => {
      write(
        "sharing/program.js",
        `import { Effect, Layer, Schema } from "effect"
import { SharedRegistry } from "effect-registry/shared"
import * as RegistryLogSqlite from "effect-registry/shared/sqlite"

class Tools extends SharedRegistry.Service()("app/Tools", { schema: Schema.String, lookup: [], lifetime: "forever" }) {}

const layer = Tools.layerPopulated.pipe(Layer.provide(RegistryLogSqlite.layer({ file: "sharing/log.db" })))

console.log(await Effect.runPromise(Effect.provide(Effect.andThen(Tools.register(process.argv[2]), Tools.values), layer)))`
      )
      Fs.rmSync(Path.join(project, "sharing/log.db"), { force: true })
      assert.strictEqual(await run(node, ["sharing/program.js", "one"], project), "[ 'one' ]\n")
      assert.strictEqual(await run(node, ["sharing/program.js", "two"], project), "[ 'one', 'two' ]\n")
    }
  )

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

// ---------------------------------------------------------------------------------------------------------------------
// Installed twice
// ---------------------------------------------------------------------------------------------------------------------

describe("a plugin that brings a copy of its own", () => {
  /** What a plugin does with the registry of the application, each by its own copy of the package. */
  const plugin = `
    import { Effect } from "effect"
    import { Registry, RegistryError, RegistryHooks, RegistrySnapshot } from "effect-registry"
    export default {
      register: (tools) => Registry.register(tools, { name: "fetch" }),
      read: (tools) => Registry.size(tools),
      // 0.1 hung here when the application registered something
      hook: (tools) => Registry.addHooks(tools, { onItemRegistered: () => Effect.void }),
      layer: (tools) => RegistryHooks.layer(tools, {}),
      snapshot: (tools, snapshot) => Effect.sync(() => RegistrySnapshot.size(snapshot)),
      transact: (tools) => Registry.transact(tools, Effect.void),
      refuse: (tools, snapshot, addHooks) => addHooks(tools, {
        onItemRegistering: (tool) =>
          tool.name.startsWith("x-") ? RegistryError.reject(tool, "x- is reserved") : Effect.void
      })
    }`

  const program = `
    import { NodeServices } from "@effect/platform-node"
    import { Cause, Effect, Exit, Layer, Stream } from "effect"
    import { EntryPoints, Registry, RegistryError } from "effect-registry"

    class Tools extends Registry.Service()("app/Tools", { lookup: ["name"], defaults: [{ name: "search" }] }) {}

    const program = Effect.gen(function*() {
      const [entryPoint] = yield* Stream.runCollect(EntryPoints.discover({ group: "app.plugins" }))
      const plugin = yield* EntryPoints.load(entryPoint)
      const tools = yield* Tools
      const snapshot = yield* Tools.snapshot
      for (const [name, use] of Object.entries(plugin)) {
        for (const given of name === "snapshot" ? [tools] : [tools, Tools]) {
          const used = use(given, snapshot, Registry.addHooks)
          const exit = yield* Effect.exit(Layer.isLayer(used) ? Layer.build(used) : used)
          const died = Exit.isFailure(exit) && Cause.hasDies(exit.cause)
          console.log(name + ": " + (died ? Cause.squash(exit.cause).message : exit._tag))
        }
      }
      yield* Tools.register({ name: "edit" })
      const error = yield* Effect.flip(Tools.register({ name: "x-ray" }))
      console.log(error instanceof RegistryError.RegistrationError, error.registry, error.reason)
      console.log((yield* Tools.values).map(({ name }) => name).join())
    })

    await Effect.runPromise(program.pipe(
      Effect.scoped,
      Effect.provide(Tools.layer),
      Effect.provide(NodeServices.layer),
      Effect.timeout("30 seconds")
    ))`

  /** Each use is given the registry and the service. */
  const twice = ["register", "read", "hook", "layer", "snapshot", "transact", "refuse"].flatMap((name) =>
    name === "snapshot" ? [name] : [name, name]
  )

  /** Handlers that are a plain object may come from anywhere, and so may their errors. */
  const refused = ["true app/Tools x- is reserved"]

  /** A version of the packed package that is released later. */
  const later = "9.9.9"
  let directory: string
  let version: string

  const writeIn = (file: string, text: string): void => {
    Fs.mkdirSync(Path.dirname(Path.join(directory, file)), { recursive: true })
    Fs.writeFileSync(Path.join(directory, file), text)
  }

  /** The tarball of a package that is in the directory. */
  const pack = async (where: string): Promise<string> => {
    const [{ filename }] = JSON.parse(
      await run("npm", ["pack", "--json", "--ignore-scripts"], Path.join(directory, where))
    )
    return Path.join(directory, where, filename)
  }

  const packPlugin = async (manifest: object): Promise<string> => {
    writeIn("plugin/index.js", plugin)
    writeIn(
      "plugin/package.json",
      JSON.stringify({
        name: "app-plugin",
        version: "1.0.0",
        type: "module",
        entryPoints: { "app.plugins": { main: "./index.js" } },
        ...manifest
      })
    )
    return pack("plugin")
  }

  const copyIn = (modules: string): string => Path.join(directory, "app", modules, "effect-registry")

  const urlIn = (modules: string): string => pathToFileURL(Path.join(copyIn(modules), "dist/internal/copy.js")).href

  const nested = "node_modules/app-plugin/node_modules"

  const runProgram = async (): Promise<ReadonlyArray<string>> =>
    (await run(node24, ["program.js"], Path.join(directory, "app"))).trim().split("\n")

  /** What the program writes where the copy in the plugin has a version. */
  const refusals = (ofPlugin: string): ReadonlyArray<string> => {
    const told = `effect-registry ${ofPlugin} (${urlIn(nested)}) was given something of another copy, ` +
      `${version} (${urlIn("node_modules")}). Load one copy: list it in peerDependencies, and run npm dedupe.`
    return [...twice.map((name) => `${name}: ${name === "refuse" ? "Success" : told}`), ...refused, "search,edit"]
  }

  beforeAll(async () => {
    directory = Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-registry-")))
    version = JSON.parse(read("package.json")).version
    const released = Path.join(project, packed.filename)
    // the same package, as a later version
    writeIn("later/package.json", JSON.stringify({ private: true }))
    await installIn(Path.join(directory, "later"), released, ours("effect"))
    for (const file of ["package.json", "dist/internal/copy.js"]) {
      const path = Path.join("later/node_modules/effect-registry", file)
      const text = Fs.readFileSync(Path.join(directory, path), "utf8")
      assert.lengthOf(text.split(`"${version}"`), 2, file)
      writeIn(path, text.replace(`"${version}"`, `"${later}"`))
    }
    const other = await pack("later/node_modules/effect-registry")
    writeIn("app/package.json", JSON.stringify({ private: true, type: "module" }))
    writeIn("app/program.js", program)
    const bringing = await packPlugin({ dependencies: { "effect-registry": `file:${other}` } })
    await installIn(Path.join(directory, "app"), released, ours("effect"), ours("@effect/platform-node"), bringing)
  })

  afterAll(() => Fs.rmSync(directory, { recursive: true, force: true }))

  it("of another version is told at once which two copies there are", async () => {
    assert.isTrue(Fs.existsSync(copyIn(nested)))
    assert.deepStrictEqual(await runProgram(), refusals(later))
  })

  it("of the same version, too", async () => {
    Fs.rmSync(copyIn(nested), { recursive: true })
    Fs.cpSync(copyIn("node_modules"), copyIn(nested), { recursive: true })
    assert.deepStrictEqual(await runProgram(), refusals(version))
  })

  it("works as soon as it lists the package in its peerDependencies, as it is told to", async () => {
    await installIn(
      Path.join(directory, "app"),
      await packPlugin({ version: "1.0.1", peerDependencies: { "effect-registry": "*" } })
    )
    assert.isFalse(Fs.existsSync(copyIn(nested)))
    const [, ...wrote] = await runProgram()
    assert.deepStrictEqual(wrote, [
      "register: Failure",
      ...twice.slice(2).map((name) => `${name}: Success`),
      ...refused,
      "search,fetch,edit"
    ])
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
    assert.match(await run(node24, vitest, project), /Tests +19 passed/)
  })
})

const chromiumPath = (): string => {
  const found = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) =>
    (process.env["PATH"] ?? "").split(Path.delimiter).map((directory) => Path.join(directory, name))
  ).find((file) => Fs.existsSync(file))
  if (found === undefined) throw new Error("There is no Chromium: install one, as .ci/run does.")
  return found
}
