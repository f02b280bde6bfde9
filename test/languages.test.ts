import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, FileSystem, Layer, Option, Path, PlatformError, Ref, Sink, Stdio, Stream } from "effect"
import { TestClock } from "effect/testing"
import { execFileSync, type SpawnOptions, spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { stripVTControlCharacters } from "node:util"
import { afterAll, beforeAll } from "vitest"
import { choose, preferred } from "../examples/languages/choose.ts"
import { type Language, Languages, LanguagesLive } from "../examples/languages/languages.ts"
import { withProgress } from "../examples/languages/progress.ts"
import { report } from "../examples/languages/report.ts"
import { interpretersOf, languageOf, scan } from "../examples/languages/scan.ts"
import { type Finished, root, runExample } from "./utils/processes.ts"

const main = join(root, "examples/languages/main.ts")
const plugins = "test/fixtures/languages"

let project: string

beforeAll(() => {
  project = directoryOf({
    "Makefile": "all:\n",
    "README.md": "# Fixture\n",
    "a.ts": "x".repeat(600),
    "b.d.ts": "x".repeat(200),
    "include/c.h": "x".repeat(100),
    "include/UPPER.H": "x".repeat(50),
    "bin/run": "#!/usr/bin/env -S python3.12 -u\n",
    "notes.unheard-of": "what is this?",
    "LICENSE.unheard-of": "",
    "node_modules/skipped.ts": "x",
    "deep/.git/skipped.ts": "x",
    "dist/skipped.ts": "x"
  })
  symlinkSync(project, join(project, "loop"))
  symlinkSync(join(project, "nothing"), join(project, "dangling.ts"))
  execFileSync("mkfifo", [join(project, "pipe.ts")])
})

const directories: Array<string> = []

afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true })
})

/** A new directory that every user may read, with files of these contents. */
const directoryOf = (files: Record<string, string>): string => {
  const directory = mkdtempSync(join(tmpdir(), "languages-"))
  directories.push(directory)
  chmodSync(directory, 0o755)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  return directory
}

const run = (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}, options: SpawnOptions = {}): Promise<Finished> =>
  runExample("languages/main.ts", args, env, options)

/** The name of the language that is chosen among those that claim the extension. */
const chosen = (extension: string) =>
  Effect.map(Languages.getAll("extension", extension), (candidates) => {
    assert.isAbove(candidates.length, 1)
    return Option.getOrThrow(choose(candidates, extension)).name
  })

/** One line on standard error, nothing else, exit code 1. */
const assertRefused = (finished: Finished, message: string) =>
  assert.deepStrictEqual(finished, { code: 1, stdout: "", stderr: `${message}\n` })

const table = `
Language    Files  Bytes  Share
TypeScript      2    800  80.2%  ████████████████████████
C               2    150  15.0%  █████
Python          1     32   3.2%  █
Markdown        1     10   1.0%  █
Makefile        1      5   0.5%  █
2 files are in no known language.
`.trimStart()

describe.concurrent("the languages example, as a process", { timeout: 60_000 }, () => {
  it("prints a table without escape codes, and nothing on standard error", async () => {
    assert.deepStrictEqual(await run([project]), { code: 0, stdout: table, stderr: "" })
  })

  it("draws each bar in the language's own colour with FORCE_COLOR", async () => {
    const { code, stdout } = await run([project], { FORCE_COLOR: "1" })
    assert.strictEqual(code, 0)
    assert.include(stdout, "\u001b[38;2;49;120;198m████████████████████████\u001b[39m\n") // #3178c6
    assert.strictEqual(stripVTControlCharacters(stdout), table)
  })

  it("obeys NO_COLOR before FORCE_COLOR", async () => {
    assert.strictEqual((await run([project], { FORCE_COLOR: "1", NO_COLOR: "1" })).stdout, table)
  })

  it("looks into the current directory by default", async () => {
    assert.deepStrictEqual(await run([], {}, { cwd: project }), { code: 0, stdout: table, stderr: "" })
  })

  it("refuses a directory that does not exist, and one that is a file", async () => {
    assertRefused(await run(["/does/not/exist"]), "Could not read the directory /does/not/exist: it does not exist")
    assertRefused(await run([main]), `Could not read the directory ${main}: it is no directory`)
  })

  it("registers a plugin, which wins over known languages", async () => {
    const directory = directoryOf({ "a.mine": "mine", "b.ts": "mine too", "c.json": "{}" })
    const expected = `
Language  Files  Bytes  Share
Mine          2     12  85.7%  ██████████████████████████
JSON          1      2  14.3%  ████
`.trimStart()
    assert.deepStrictEqual(await run([directory, "--plugin", `./${plugins}/good.ts`]), {
      code: 0,
      stdout: expected,
      stderr: ""
    })
  })

  it("finds a plugin relative to the current directory", async () => {
    const { code, stdout } = await run(["../../..", "--plugin", "./good.ts"], {}, { cwd: join(root, plugins) })
    assert.strictEqual(code, 0)
    assert.include(stdout, "\nMine ")
  })

  it("refuses a plugin whose name differs from a known one only in case", async () => {
    assertRefused(
      await run([project, "--plugin", `${plugins}/refused.ts`]),
      `Could not use the plugin ${plugins}/refused.ts: "typescript" differs from "TypeScript" only in case`
    )
  })

  it("refuses a plugin whose name is taken", async () => {
    assertRefused(
      await run([project, "--plugin", `${plugins}/taken.ts`]),
      `Could not use the plugin ${plugins}/taken.ts: the name "TypeScript" is taken`
    )
  })

  it("refuses a plugin that does not fit the schema", async () => {
    assertRefused(
      await run([project, "--plugin", `${plugins}/invalid.ts`]),
      `Could not use the plugin ${plugins}/invalid.ts: Expected a string starting with "." at ["extensions"][0]`
    )
  })

  it("refuses a plugin that does not load", async () => {
    assertRefused(
      await run([project, "--plugin", `${plugins}/throws.ts`]),
      `Could not use the plugin ${plugins}/throws.ts: this plugin always throws`
    )
    assertRefused(
      await run([project, "--plugin", `${plugins}/no-default.ts`]),
      `Could not use the plugin ${plugins}/no-default.ts: it has no default export`
    )
    const { code, stderr, stdout } = await run([project, "--plugin", `${plugins}/missing.ts`])
    assert.deepStrictEqual([code, stdout], [1, ""])
    assert.match(stderr, /^Could not use the plugin \S+missing\.ts: Cannot find module .*\n$/)
  })

  it("counts and names unreadable files", async (context) => {
    // root may read everything: then another user runs it, if that user can read this project
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    if (spawnSync(process.execPath, ["--check", main], user).status !== 0) context.skip()
    const directory = directoryOf({ "a.ts": "mine", "secret.ts": "not yours", "b/run": "#!/bin/sh", "closed/c.ts": "" })
    chmodSync(join(directory, "secret.ts"), 0)
    chmodSync(join(directory, "b/run"), 0)
    chmodSync(join(directory, "closed"), 0)
    const finished = await run([directory], {}, user)
    chmodSync(join(directory, "closed"), 0o755)
    const expected = `
Language    Files  Bytes   Share
TypeScript      1      4  100.0%  ██████████████████████████████
3 paths could not be read:
  b/run
  closed
  secret.ts
`.trimStart()
    assert.deepStrictEqual(finished, { code: 0, stdout: expected, stderr: "" })
  })
})

const TestLayer = Layer.merge(LanguagesLive, NodeServices.layer)

describe("the languages example, inside", () => {
  it.effect("goes on when a file cannot be read", () =>
    Effect.gen(function*() {
      const directory = directoryOf({ "a.ts": "mine", "secret.ts": "not yours" })
      const fs = yield* FileSystem.FileSystem
      const denying = FileSystem.FileSystem.of({
        ...fs,
        access: (path, options) =>
          path.endsWith("secret.ts")
            ? Effect.fail(
              PlatformError.systemError({ _tag: "PermissionDenied", module: "FileSystem", method: "access" })
            )
            : fs.access(path, options)
      })
      const seen = yield* Ref.make(0)
      const found = yield* Effect.provideService(scan(directory, seen), FileSystem.FileSystem, denying)
      assert.deepStrictEqual(found.files.map((file) => file.bytes), [4])
      assert.deepStrictEqual(found.unreadable, ["secret.ts"])
      assert.strictEqual(yield* Ref.get(seen), 2)
      assert.deepStrictEqual(report(found, { color: false }).slice(2), ["1 path could not be read:", "  secret.ts"])
    }).pipe(Effect.provide(TestLayer)))

  it.effect("shows progress only where standard error is a terminal, and clears it", () =>
    Effect.gen(function*() {
      const showing = Effect.fnUntraced(function*(terminal: boolean) {
        const written: Array<string> = []
        const stdio = Stdio.make({
          args: Effect.succeed([]),
          stderrIsTerminal: Effect.succeed(terminal),
          stdin: Stream.empty,
          stdout: () => Sink.drain,
          stderr: () => Sink.forEach((text) => Effect.sync(() => written.push(String(text))))
        })
        const seen = yield* Ref.make(0)
        const work = Effect.sleep("50 millis").pipe(
          Effect.andThen(Ref.set(seen, 7)),
          Effect.andThen(Effect.sleep("100 millis"))
        )
        const fiber = yield* Effect.forkChild(Effect.provideService(withProgress(work, seen), Stdio.Stdio, stdio))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
        return written.map((text) => text.replace("\r\u001b[K", "<clear>"))
      })
      assert.deepStrictEqual(yield* showing(true), ["<clear>0 files", "<clear>7 files", "<clear>"])
      assert.deepStrictEqual(yield* showing(false), [])
    }))

  it("says that there is nothing to count", () => {
    assert.deepStrictEqual(report({ files: [], unreadable: [] }, { color: true }), ["No file is in a known language."])
  })

  it.effect("finds languages by name, then longest extension, then interpreter", () =>
    Effect.gen(function*() {
      const directory = directoryOf({
        "Makefile": "#!/bin/sh",
        "CMakeLists.txt": "",
        "a.d.ts": "",
        "a.html.erb": "",
        "a.TS": "",
        ".gitignore": "",
        "run": "#! /usr/local/bin/node --test\n",
        "run.unheard-of": "#!/bin/sh\n",
        "empty": ""
      })
      const path = yield* Path.Path
      const nameOf = (file: string) =>
        Effect.map(languageOf(path.join(directory, file)), (found) =>
          Option.getOrUndefined(Option.map(found, (language) => language.name)))
      assert.strictEqual(yield* nameOf("Makefile"), "Makefile")
      assert.strictEqual(yield* nameOf("CMakeLists.txt"), "CMake")
      assert.strictEqual(yield* nameOf("a.d.ts"), "TypeScript")
      assert.strictEqual(yield* nameOf("a.html.erb"), "HTML+ERB")
      assert.strictEqual(yield* nameOf("a.TS"), "TypeScript")
      assert.strictEqual(yield* nameOf(".gitignore"), "Ignore List")
      assert.strictEqual(yield* nameOf("run"), "JavaScript")
      assert.strictEqual(yield* nameOf("run.unheard-of"), undefined)
      assert.strictEqual(yield* nameOf("empty"), undefined)
    }).pipe(Effect.provide(TestLayer)))

  it("reads the interpreter of a first line", () => {
    assert.deepStrictEqual(interpretersOf("#!/bin/sh"), ["sh", "sh"])
    assert.deepStrictEqual(interpretersOf("#!/bin/sh\r"), ["sh", "sh"])
    assert.deepStrictEqual(interpretersOf("#! /usr/bin/python3.12 -u"), ["python3.12", "python"])
    assert.deepStrictEqual(interpretersOf("#!/usr/bin/env node"), ["node", "node"])
    assert.deepStrictEqual(interpretersOf("#!/usr/bin/env -S -i A=1 deno run"), ["deno", "deno"])
    assert.deepStrictEqual(interpretersOf("#!/usr/bin/env"), ["env", "env"])
    assert.deepStrictEqual(interpretersOf("#!"), [])
    assert.deepStrictEqual(interpretersOf("echo"), [])
  })

  it("chooses the first language that satisfies the first rule with a match", () => {
    const plain: Language = { id: 1, name: "Plain", extensions: [".other", ".rs"] }
    const variant: Language = { id: 2, name: "Variant", extensions: [".rs"], group: "Plain" }
    const typical: Language = { id: 3, name: "Typical", extensions: [".RS"] }
    const rust: Language = { id: 4, name: "Rust", extensions: [".rs"] }
    const plugin: Language = { id: 5, name: "Plugin", extensions: [".other", ".rs"], plugin: true }
    assert.deepStrictEqual(choose([], ".rs"), Option.none())
    assert.deepStrictEqual(choose([variant], ".rs"), Option.some(variant))
    assert.deepStrictEqual(choose([plain, { ...plain, name: "Later" }], ".rs"), Option.some(plain))
    assert.deepStrictEqual(choose([{ ...variant, extensions: [".other", ".rs"] }, plain], ".rs"), Option.some(plain))
    assert.deepStrictEqual(choose([plain, variant], ".rs"), Option.some(variant))
    assert.deepStrictEqual(choose([variant, plain, typical], ".rs"), Option.some(typical))
    assert.deepStrictEqual(choose([variant, plain, typical, rust], ".rs"), Option.some(rust))
    assert.deepStrictEqual(choose([variant, plain, typical, rust, plugin], ".rs"), Option.some(plugin))
  })

  it.effect("chooses as expected among the languages of GitHub", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Languages.size, 833)
      assert.deepStrictEqual(
        yield* Effect.forEach(
          [".h", ".ts", ".tsx", ".md", ".rs", ".json", ".yml", ".yaml", ".cs", ".m", ".pl", ".sql"],
          chosen
        ),
        ["C", "TypeScript", "TSX", "Markdown", "Rust", "JSON", "YAML", "YAML", "C#", "Objective-C", "Perl", "SQL"]
      )
    }).pipe(Effect.provide(TestLayer)))

  it.effect("has no preference that is unknown or that the rules would choose anyway", () =>
    Effect.gen(function*() {
      for (const [key, name] of preferred) {
        const candidates = yield* Languages.getAll(key.startsWith(".") ? "extension" : "interpreter", key)
        assert.include(candidates.map((language) => language.name), name)
        const others = candidates.map((language) => language.name === name ? { ...language, name: "" } : language)
        assert.notStrictEqual(Option.getOrThrow(choose(others, key)).name, "", `${key} needs no preference`)
      }
    }).pipe(Effect.provide(TestLayer)))

  it.effect("imports the data when the registry is first used", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Languages.state, "Pending")
      assert.strictEqual((yield* Languages.get("alias", "ts")).id, 378)
      assert.strictEqual(yield* Languages.state, "Ready")
    }).pipe(Effect.provide(LanguagesLive)))
})
