import { NodeFileSystem, NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, FileSystem, Layer, Logger, Path, PlatformError, Schema, Stream } from "effect"
import { EntryPoints, Registry, RegistryError } from "effect-registry"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Link, offering, tree } from "./utils/packages.ts"

type From = string | ReadonlyArray<string>

const discover = (from: From, options?: Partial<EntryPoints.DiscoverOptions>) =>
  EntryPoints.discover({ group: "test", from, ...options }).pipe(Stream.runCollect, Effect.provide(NodeServices.layer))

const discovered = (from: From, options?: Partial<EntryPoints.DiscoverOptions>) =>
  Effect.map(discover(from, options), (all) => all.map((one) => `${one.package} ${one.name}`))

const loadAll = (from: From, options: Partial<EntryPoints.DefaultsOptions<never>> = {}) =>
  Effect.provide(EntryPoints.defaults({ group: "test", from, ...options }), NodeServices.layer)

const failureOf = (files: Record<string, string | object>) => Effect.flip(loadAll(tree(files), { onFailure: "fail" }))

/** The messages that an effect logs. */
const logging = <A, E, R>(effect: Effect.Effect<A, E, R>) => {
  const lines: Array<unknown> = []
  const logger = Logger.make(({ logLevel, message }) => lines.push([logLevel, ...[message].flat()]))
  return Effect.map(Effect.provide(effect, Logger.layer([logger])), (result) => ({ result, lines }))
}

/** A file system of which one method refuses a path. */
const refusing = (method: "readDirectoryEntries" | "realPath", refused: string) =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => ({
      ...fs,
      [method]: (path: string) =>
        path.endsWith(refused)
          ? Effect.fail(PlatformError.systemError({
            _tag: "PermissionDenied",
            module: "FileSystem",
            method,
            pathOrDescriptor: path
          }))
          : fs[method](path)
    }))
  ).pipe(Layer.provide(NodeFileSystem.layer))

/** What an application may ask of an entry point. */
const isAllowed = (one: EntryPoints.EntryPoint): boolean => {
  const { engines = {} } = JSON.parse(readFileSync(join(one.directory, "package.json"), "utf8"))
  return engines.app !== "<2" && one.name !== "two"
}

describe("EntryPoints", () => {
  describe("discover", () => {
    it.effect("finds hoisted, nested and scoped packages, each once, ordered by package and name", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/b/package.json": offering({ z: "./b.js", a: "./b.js#a" }),
          "node_modules/b/b.js": "",
          "node_modules/@scope/a/package.json": offering({ one: "./lib/a.js" }),
          "node_modules/@scope/a/lib/a.js": "",
          "node_modules/twice/package.json": offering({ far: "./far.js" }),
          "node_modules/twice/far.js": "",
          "node_modules/nothing/package.json": {},
          "node_modules/.hidden/package.json": offering({ hidden: "./package.json" }),
          "node_modules/file": "",
          "node_modules/b/node_modules/of-b/package.json": offering({ inner: "./package.json" }),
          "packages/app/node_modules/twice/package.json": offering({ near: "./near.js" }),
          "packages/app/node_modules/twice/near.js": "",
          "packages/app/src/main.js": ""
        })
        assert.deepStrictEqual(yield* discovered(join(root, "packages/app/src")), [
          "@scope/a one",
          "b a",
          "b z",
          "twice near"
        ])
        assert.deepStrictEqual(yield* discovered(root), ["@scope/a one", "b a", "b z", "twice far"])
        // a package's own node_modules are searched from inside it
        assert.include(yield* discovered(join(root, "node_modules/b")), "of-b inner")
      }))

    it.effect("gives the package, its version and directory, the name, the export and the URL of each entry point", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/@scope/a/package.json": {
            version: "1.2.3-beta",
            ...offering({ one: "./lib/a b.js#item", two: "./lib/a b.js" })
          },
          "node_modules/@scope/a/lib/a b.js": "",
          "packages/b/package.json": { version: 2, ...offering({ three: "./b.js" }) },
          "packages/b/b.js": "",
          "node_modules/b": new Link("../packages/b")
        })
        const directory = join(root, "node_modules/@scope/a")
        const url = `file://${directory}/lib/a%20b.js`
        const common = {
          package: "@scope/a",
          version: "1.2.3-beta",
          directory,
          group: "test",
          module: "./lib/a b.js",
          url
        }
        assert.deepStrictEqual(yield* discover(root), [
          { ...common, name: "one", export: "item" },
          { ...common, name: "two", export: "default" },
          {
            package: "b",
            version: "",
            directory: join(root, "packages/b"),
            group: "test",
            name: "three",
            module: "./b.js",
            export: "default",
            url: `file://${root}/packages/b/b.js`
          }
        ])
      }))

    it.effect("finds what the package offers that the directory is in", () =>
      Effect.gen(function*() {
        const root = tree({
          "package.json": { name: "monorepo", ...offering({ far: "./app.js" }) },
          "packages/app/package.json": { name: "@scope/app", version: "1.0.0", ...offering({ own: "./app.js" }) },
          "packages/app/app.js": "export default 'own'",
          "packages/app/dist/package.json": { type: "module" },
          "packages/app/dist/main.js": "",
          "packages/app/node_modules/a/package.json": offering({ one: "./a.js" }),
          "node_modules/@scope/app": new Link("../../packages/app"),
          "packages/nameless/package.json": offering({ two: "./b.js" }),
          "packages/nameless/src/main.js": "",
          "packages/nameless/node_modules/nothing/main.js": ""
        })
        for (const from of ["packages/app", "packages/app/dist"]) {
          assert.deepStrictEqual(yield* discovered(join(root, from)), ["@scope/app own", "a one"])
        }
        assert.deepStrictEqual(yield* discovered(root), ["@scope/app own", "monorepo far"])
        assert.deepStrictEqual(yield* discovered(join(root, "packages/nameless/src")), [
          "@scope/app own",
          "nameless two"
        ])
        // a module in node_modules is in no package that is above it
        for (const from of ["", "/nothing"]) {
          const directory = join(root, "packages/nameless/node_modules", from)
          assert.deepStrictEqual(yield* discovered(directory), ["@scope/app own"])
        }
        const [own] = yield* discover(join(root, "packages/app/dist"))
        assert.deepStrictEqual([own!.version, yield* EntryPoints.load(own!)], ["1.0.0", "own"])
      }))

    it.effect("takes of several directories the first as the nearest: its version of a package is the one", () =>
      Effect.gen(function*() {
        const root = tree({
          "project/app/node_modules/gen/package.json": { version: "2.0.0", ...offering({ main: "./m.js" }) },
          "project/app/node_modules/gen/m.js": "export default 'gen 2'",
          "project/node_modules/only-project/package.json": offering({ main: "./m.js" }),
          "project/node_modules/only-project/m.js": "export default 'project'",
          "global/node_modules/gen/package.json": {
            version: "1.0.0",
            ...offering({ main: "./m.js", more: "./m.js" })
          },
          "global/node_modules/gen/m.js": "export default 'gen 1'",
          "global/node_modules/only-global/package.json": offering({ main: "./m.js" }),
          "global/node_modules/only-global/m.js": "export default 'global'",
          // the same package again
          "global/node_modules/linked": new Link("../../project/node_modules/only-project")
        })
        const [project, global] = [join(root, "project/app"), join(root, "global")]
        assert.deepStrictEqual(yield* loadAll([project, global], { onFailure: "fail" }), ["gen 2", "project", "global"])
        assert.deepStrictEqual(yield* discovered([global, project]), [
          "gen main",
          "gen more",
          "linked main",
          "only-global main"
        ])
        assert.deepStrictEqual(yield* discovered([project, project, root]), yield* discovered(project))
        assert.deepStrictEqual(yield* discovered([]), [])
      }))

    it.effect("asks the filter before anything is imported, and after the nearest package was chosen", () =>
      Effect.gen(function*() {
        const root = tree({
          "app/node_modules/a/package.json": { version: "2.0.0", ...offering({ one: "./a.js", two: "./a.js" }) },
          "app/node_modules/a/a.js": "export default 'a'",
          "node_modules/a/package.json": { version: "1.0.0", ...offering({ one: "./a.js" }) },
          "app/node_modules/b/package.json": { engines: { app: "<2" }, ...offering({ one: "./b.js" }) },
          "app/node_modules/b/b.js": "globalThis.imported = true; throw new Error('imported')"
        })
        const from = join(root, "app")
        assert.deepStrictEqual(yield* discovered(from, { filter: isAllowed }), ["a one"])
        assert.deepStrictEqual(yield* loadAll(from, { filter: isAllowed, onFailure: "fail" }), ["a"])
        assert.deepStrictEqual(yield* discovered(from, { filter: ({ version }) => version === "1.0.0" }), [])
        assert.isFalse("imported" in globalThis)
        const exit = yield* Effect.exit(loadAll(from, { filter: () => JSON.parse("{") }))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause), "a defect is never skipped")
      }))

    it.effect("finds an entry point whose module is missing: only load fails", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/a/package.json": offering({ gone: "./gone.js" }),
          "node_modules/b/package.json": offering({ one: "./b.js" }),
          "node_modules/b/b.js": "export default 'b'"
        })
        const [gone, one] = yield* discover(root)
        const error = yield* Effect.flip(EntryPoints.load(gone!))
        assert.deepStrictEqual([error.code, error.package, error.entryPoint, error.module], [
          "import",
          "a",
          "gone",
          "./gone.js"
        ])
        assert.strictEqual(yield* EntryPoints.load(one!), "b")
      }))

    it.effect("finds linked packages and workspaces, and a package with two links once", () =>
      Effect.gen(function*() {
        const root = tree({
          "app/packages/plugin/package.json": offering({ one: "./plugin.js" }),
          "app/packages/plugin/plugin.js": `export default "plugin"`,
          "app/node_modules/plugin": new Link("../packages/plugin"),
          "app/node_modules/same-plugin": new Link("../packages/plugin"),
          "elsewhere/linked/package.json": offering({ two: "./linked.js" }),
          "elsewhere/linked/linked.js": `export default "linked"`,
          "app/node_modules/linked": new Link("<root>/elsewhere/linked"),
          "app/node_modules/@scope": new Link("<root>/elsewhere"),
          "app/node_modules/dangling": new Link("<root>/nowhere"),
          "app/node_modules/loop": new Link("loop"),
          "short": new Link("app")
        })
        const expected = ["@scope/linked two", "plugin one"]
        assert.deepStrictEqual(yield* discovered(join(root, "app")), expected)
        assert.deepStrictEqual(yield* discovered(join(root, "short")), expected)
        const { lines, result } = yield* logging(loadAll(join(root, "app"), { onFailure: "fail" }))
        assert.deepStrictEqual([result, lines], [["linked", "plugin"], []])
      }))

    it.effect("finds from inside a package exactly the packages that a module there could import", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/plugin/package.json": offering({ one: "./plugin.js" }),
          "node_modules/plugin/node_modules/own/package.json": offering({ two: "./own.js" }),
          "node_modules/node_modules/nobodys/package.json": offering({ three: "./nobodys.js" })
        })
        assert.deepStrictEqual(yield* discovered(join(root, "node_modules/plugin")), ["own two", "plugin one"])
      }))

    it.effect("finds the packages of pnpm's layout", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/.pnpm/a@1.0.0/node_modules/a/package.json": offering({ one: "./a.js" }),
          "node_modules/.pnpm/a@1.0.0/node_modules/a/a.js": "import c from 'c'; export default c",
          "node_modules/.pnpm/a@1.0.0/node_modules/c": new Link("../../c@1.0.0/node_modules/c"),
          "node_modules/.pnpm/c@1.0.0/node_modules/c/package.json": { name: "c", main: "./c.cjs" },
          "node_modules/.pnpm/c@1.0.0/node_modules/c/c.cjs": "module.exports = 'c'",
          "node_modules/a": new Link(".pnpm/a@1.0.0/node_modules/a")
        })
        assert.deepStrictEqual(yield* discovered(root), ["a one"])
        assert.deepStrictEqual(yield* loadAll(root), ["c"])
      }))

    it.effect("finds nothing where no package offers anything, or no packages or directory exist", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/a/package.json": offering({ one: "./package.json" }),
          "node_modules/other/package.json": { entryPoints: ["for another tool"] },
          "node_modules/another/package.json": { entryPoints: null },
          "without/file": ""
        })
        assert.deepStrictEqual(yield* discovered(root, { group: "nobody's" }), [])
        for (const key of ["__proto__", "constructor", "toString", ""]) {
          assert.deepStrictEqual(yield* discovered(root, { group: key, onFailure: "fail" }), [])
        }
        assert.deepStrictEqual(yield* discovered("/does/not/exist"), [])
        assert.deepStrictEqual(yield* discovered(join(root, "without/file")), yield* discovered(root))
      }))

    it.effect("looks at the current directory by default", () =>
      Effect.gen(function*() {
        const found = yield* EntryPoints.discover({ group: "test" }).pipe(
          Stream.runCollect,
          Effect.provide(NodeServices.layer)
        )
        assert.deepStrictEqual(found, [])
      }))

    it.effect("reports a malformed package.json, and goes on", () =>
      Effect.gen(function*() {
        const root = tree({
          "package.json": "[]",
          "node_modules/a/package.json": "{",
          "node_modules/b/package.json": offering({ one: "./b.js", two: "../b.js" }),
          "node_modules/b/b.js": ""
        })
        const { lines, result } = yield* logging(discovered(root))
        assert.deepStrictEqual(result, ["b one"])
        const expected = [
          /^Warn,Could not find what the package "a" offers for "test" in its package.json. SyntaxError: /,
          /^Warn,Could not load "two" of the package "b" for "test": it does not name a module inside/,
          /^Warn,Could not find what the package "entry-points-.*" offers for "test" in its package.json. It is no object/
        ]
        assert.strictEqual(lines.length, expected.length, String(lines))
        expected.forEach((message, i) => assert.match(String(lines[i]), message))
      }))

    it.effect("with onFailure: \"fail\" emits every sound entry point, and then fails with the name of the bad package", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/a/package.json": "{",
          "node_modules/b/package.json": offering({ one: "./b.js" }),
          "node_modules/b/b.js": ""
        })
        const seen: Array<string> = []
        const error = yield* EntryPoints.discover({ group: "test", from: root, onFailure: "fail" }).pipe(
          Stream.runForEach((one) => Effect.sync(() => seen.push(one.name))),
          Effect.flip,
          Effect.provide(NodeServices.layer)
        )
        assert.deepStrictEqual(seen, ["one"])
        assert.instanceOf(error, RegistryError.EntryPointError)
        assert.deepStrictEqual([error.code, error.package, error.group], ["invalid_package", "a", "test"])
      }))

    it.effect("warns about a directory that it cannot read, and searches the others", () =>
      Effect.gen(function*() {
        const root = tree({
          "app/node_modules/a/package.json": offering({ one: "./index.js" }),
          "app/node_modules/@scope/b/package.json": offering({ two: "./index.js" }),
          "node_modules/c/package.json": offering({ three: "./index.js" })
        })
        const readable = { "@scope": ["a one", "c three"], "app/node_modules": ["c three"] }
        for (const [refused, names] of Object.entries(readable)) {
          const { lines, result } = yield* logging(
            EntryPoints.discover({ group: "test", from: join(root, "app") }).pipe(
              Stream.runCollect,
              Effect.provide(Layer.merge(Path.layer, refusing("readDirectoryEntries", refused)))
            )
          )
          assert.deepStrictEqual(result.map((one) => `${one.package} ${one.name}`), names)
          assert.strictEqual(lines.length, 1)
          assert.match(String(lines[0]), new RegExp(`^Warn,PermissionDenied.*${refused}`))
        }
      }))

    it.effect("uses the path where it found a package if the real path cannot be read", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/a/package.json": offering({ one: "./index.js" }),
          "node_modules/a/index.js": ""
        })
        const found = yield* EntryPoints.discover({ group: "test", from: root }).pipe(
          Stream.runCollect,
          Effect.provide(Layer.merge(Path.layer, refusing("realPath", "/a")))
        )
        assert.deepStrictEqual(found.map(({ url }) => url), [pathToFileURL(join(root, "node_modules/a/index.js")).href])
      }))

    it.effect("reads each of 2,000 package.json files once, concurrently, and nothing else", () =>
      Effect.gen(function*() {
        const root = tree(Object.fromEntries(
          Array.from({ length: 2000 }).flatMap((_, i): ReadonlyArray<[string, string | object]> => {
            const name = i % 4 === 0 ? `@scope-${i % 40}/p${i}` : `p${i}`
            const directory = `${i % 3 === 0 ? "app/" : ""}node_modules/${name}`
            return [
              [`${directory}/package.json`, i % 10 === 0 ? offering({ [`name-${i}`]: "./index.js" }) : { name }],
              [`${directory}/index.js`, ""]
            ]
          })
        ))
        const reads: Array<string> = []
        let reading = 0
        let most = 0
        const counting = Layer.effect(
          FileSystem.FileSystem,
          Effect.map(FileSystem.FileSystem, (fs) => ({
            ...fs,
            readFileString: (path: string) =>
              Effect.acquireUseRelease(
                Effect.sync(() => {
                  if (path.includes("node_modules")) reads.push(path)
                  most = Math.max(most, ++reading)
                }),
                () => fs.readFileString(path),
                () => Effect.sync(() => reading--)
              ),
            readFile: () => Effect.die(new Error("read another way"))
          }))
        ).pipe(Layer.provide(NodeFileSystem.layer))
        const found = yield* EntryPoints.discover({ group: "test", from: join(root, "app") }).pipe(
          Stream.runCollect,
          Effect.provide(Layer.merge(NodeServices.layer, counting).pipe(Layer.provideMerge(counting)))
        )
        assert.strictEqual(found.length, 200)
        assert.strictEqual(reads.length, 2000)
        assert.strictEqual(new Set(reads).size, 2000)
        assert.isAbove(most, 10)
      }))
  })

  describe("load", () => {
    it.effect("imports ES modules: named exports, the default export, top-level await", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/a/package.json": offering({
            1: "./a.js",
            2: "./a.js#named",
            3: "./a.js#nothing",
            4: "./waits.mjs",
            5: "./deep/er/../b.js#toString"
          }),
          "node_modules/a/a.js": "export default { default: true }; export const named = 'named', nothing = undefined",
          "node_modules/a/waits.mjs": "export default await new Promise((resolve) => setTimeout(resolve, 1, 'waited'))",
          "node_modules/a/deep/b.js": "export const toString = 'own'",
          "node_modules/a/deep/er/file": ""
        })
        assert.deepStrictEqual(yield* loadAll(root, { onFailure: "fail" }), [
          { default: true },
          "named",
          undefined,
          "waited",
          "own"
        ])
      }))

    it.effect("imports CommonJS: module.exports, its properties, and a compiled ES module", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/a/package.json": {
            entryPoints: {
              test: {
                1: "./a.js",
                2: "./a.js#b",
                3: "./computed.js#key",
                4: "./compiled.js",
                5: "./compiled.js#named"
              }
            }
          },
          "node_modules/a/a.js": "module.exports = { b: 1 }",
          "node_modules/a/computed.js": "module.exports[['k', 'e', 'y'].join('')] = 2",
          "node_modules/a/compiled.js":
            "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = 3; exports.named = 4"
        })
        assert.deepStrictEqual(yield* loadAll(root, { onFailure: "fail" }), [{ b: 1 }, 1, 2, 3, 4])
      }))

    it.effect("fails for a module that is missing, throws or does not parse, and for an export that throws", () =>
      Effect.gen(function*() {
        for (
          const [text, why] of [
            ["throw new Error('no licence')", /no licence/],
            ["throw undefined", /undefined/],
            ["export default {", /Unexpected/],
            ["import 'not-installed'", /not-installed/],
            ["await Promise.reject(new Error('offline'))", /offline/]
          ] as const
        ) {
          const error = yield* failureOf({
            "node_modules/a/package.json": offering({ one: "./a.js" }),
            "node_modules/a/a.js": text
          })
          assert.deepStrictEqual([error.code, error.package, error.entryPoint], ["import", "a", "one"])
          assert.match(error.message, why)
          assert.include(error.message, "\"./a.js\"")
        }
        const lazy = yield* failureOf({
          "node_modules/a/package.json": { entryPoints: { test: { one: "./a.js#lazy" } } },
          "node_modules/a/a.js":
            "Object.defineProperty(module.exports, ['l', 'azy'].join(''), { get() { throw new Error('too late') } })"
        })
        assert.deepStrictEqual([lazy.code, lazy.message.endsWith("too late")], ["import", true])
        const missing = yield* failureOf({ "node_modules/a/package.json": offering({ one: "./a.js" }) })
        assert.deepStrictEqual([missing.code, missing.entryPoint], ["import", "one"])
        const directory = yield* failureOf({
          "node_modules/a/package.json": offering({ one: "./lib" }),
          "node_modules/a/lib/index.js": ""
        })
        assert.strictEqual(directory.code, "import")
      }))

    it.effect("fails for an export that is missing", () =>
      Effect.gen(function*() {
        for (
          const [file, text, target] of [
            ["a.js", "export const other = 1", "./a.js"],
            ["a.js", "export default { one: 1 }", "./a.js#one"],
            ["a.js", "export default class { static one = 1 }", "./a.js#one"],
            ["a.cjs", "exports.other = 1", "./a.cjs#one"],
            ["a.cjs", "module.exports = 1", "./a.cjs#one"],
            ["a.cjs", "exports.__esModule = true; exports.other = 1", "./a.cjs"]
          ] as const
        ) {
          const error = yield* failureOf({
            "node_modules/a/package.json": offering({ name: target }),
            [`node_modules/a/${file}`]: text
          })
          assert.deepStrictEqual([error.code, error.package, error.entryPoint], ["missing_export", "a", "name"])
        }
      }))

    it.effect("imports .mjs, .cjs and .ts modules of packages whatever their exports say, and of packages without", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/a/package.json": { entryPoints: { test: { one: "./lib/one.mjs", two: "./lib/two.cjs" } } },
          "node_modules/a/lib/one.mjs": "export default 'mjs'",
          "node_modules/a/lib/two.cjs": "module.exports = 'cjs'",
          "node_modules/b/package.json": { exports: { ".": "./index.js" }, ...offering({ one: "./hidden.js" }) },
          "node_modules/b/index.js": "",
          "node_modules/b/hidden.js": "export default 'hidden'",
          // Node runs TypeScript, but not in node_modules: a workspace is elsewhere
          "packages/c/package.json": offering({ one: "./c.ts" }),
          "packages/c/c.ts": "const name: string = 'ts'; export default name",
          "node_modules/c": new Link("../packages/c")
        })
        assert.deepStrictEqual(yield* loadAll(root, { onFailure: "fail" }), ["mjs", "cjs", "hidden", "ts"])
      }))

    /** What is wrong with a module at first, and the module after it was mended. */
    const mended: ReadonlyArray<readonly [why: string, file: string, text: string | undefined, better?: string]> = [
      ["throws while it is evaluated", "a.js", "throw new Error('the database is down')"],
      ["rejects while it is evaluated", "a.js", "await Promise.reject(new Error('the database is down'))"],
      ["does not parse", "a.js", "export default {"],
      ["is not there", "a.js", undefined],
      ["imports what is not there", "a.js", "import './other.js'; export default { level: 1 }"],
      ["does not export it", "a.js", "export const other = 1"],
      ["exports what the schema refuses", "a.js", "export default { level: 'high' }"],
      ["exports what throws when it is read", "a.js", "export default { get level() { throw new Error('later') } }"],
      ["is CommonJS, and throws", "a.cjs", "throw new Error('the database is down')", "exports.level = 1"],
      ["is CommonJS, and does not parse", "a.cjs", "exports.level = {", "exports.level = 1"]
    ]

    it.effect.each(mended)(
      "imports a module that was mended, at the next use of the registry, where it %s",
      ([, file, text, better]) =>
        Effect.gen(function*() {
          const root = tree({ "node_modules/a/package.json": offering({ one: `./${file}` }) })
          const path = join(root, "node_modules/a", file)
          const Item = Schema.Struct({ level: Schema.Number })
          class Fails extends Registry.Service<Fails, typeof Item.Type>()("test/Fails", {
            lookup: ["level"],
            defaults: EntryPoints.defaults({ group: "test", from: root, schema: Item, onFailure: "fail" })
          }) {}
          class Skips extends Registry.Service<Skips, typeof Item.Type>()("test/Skips", {
            lookup: ["level"],
            defaults: EntryPoints.defaults({ group: "test", from: root, schema: Item })
          }) {}
          yield* Effect.gen(function*() {
            if (text !== undefined) writeFileSync(path, text)
            // twice, so that the second address has failed, too
            for (let i = 0; i < 2; i++) assert.strictEqual((yield* Effect.flip(Fails.size)).code, "defaults")
            assert.strictEqual(yield* Skips.size, 0)
            writeFileSync(path, better ?? "export default { level: 1 }")
            assert.deepStrictEqual(yield* Fails.values, [{ level: 1 }])
            assert.strictEqual(yield* Skips.size, 0)
            yield* Skips.reset
            assert.deepStrictEqual(yield* Skips.values, [{ level: 1 }])
          }).pipe(
            logging,
            Effect.provide(Layer.merge(Fails.layer, Skips.layer).pipe(Layer.provide(NodeServices.layer)))
          )
        })
    )

    it.effect("imports a module again whose item a registry found faulty, and not one that it refused for another reason", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/a/package.json": offering({ kept: "./kept.js", lacks: "./lacks.js", taken: "./taken.js" }),
          "node_modules/a/kept.js": "export default { name: 'a' }",
          "node_modules/a/lacks.js": "export default { label: 'b' }",
          "node_modules/a/taken.js": "export default { name: 'a', again: true }"
        })
        class Names extends Registry.Service<Names, { readonly name: string }>()("test/Names", {
          lookup: ["name"],
          defaults: EntryPoints.defaults<{ readonly name: string }>({ group: "test", from: root })
        }) {}
        yield* Effect.gen(function*() {
          const [kept] = yield* Names.values
          assert.strictEqual(yield* Names.size, 1)
          for (const [name, file] of [["b", "lacks"], ["c", "taken"], ["d", "kept"]]) {
            writeFileSync(join(root, `node_modules/a/${file}.js`), `export default { name: "${name}" }`)
          }
          yield* Names.reset
          assert.deepStrictEqual(yield* Names.values, [{ name: "a" }, { name: "b" }])
          // the module is not evaluated again, so its object is the same
          assert.strictEqual((yield* Names.values)[0], kept)
        }).pipe(logging, Effect.provide(Names.layer.pipe(Layer.provide(NodeServices.layer))))
      }))

    it.effect("keeps what else a module exports where one of its exports failed", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/a/package.json": offering({ one: "./a.js", two: "./a.js#two" }),
          "node_modules/a/a.js": "export default {}"
        })
        const [one, two] = yield* discover(root)
        const before = yield* EntryPoints.load(one!)
        assert.strictEqual((yield* Effect.flip(EntryPoints.load(two!))).code, "missing_export")
        assert.strictEqual(yield* EntryPoints.load(one!), before)
        writeFileSync(join(root, "node_modules/a/a.js"), "export default {}; export const two = 2")
        assert.strictEqual(yield* EntryPoints.load(two!), 2)
        assert.strictEqual(yield* EntryPoints.load(one!), before)
      }))

    it.effect("evaluates a module once for all who load it at once, each time that it is imported", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/a/package.json": offering({ one: "./a.js" }),
          "node_modules/a/a.js":
            "globalThis.evaluated = (globalThis.evaluated ?? 0) + 1; if (globalThis.evaluated < 3) throw new Error('not yet'); export default {}"
        })
        const [one] = yield* discover(root)
        const loadings = Array.from({ length: 10 }, () => Effect.result(EntryPoints.load(one!)))
        const results: Array<ReadonlyArray<string>> = []
        for (let i = 0; i < 4; i++) {
          const loaded = yield* Effect.all(loadings, { concurrency: "unbounded" })
          results.push(Array.from(new Set(loaded.map(({ _tag }) => _tag))))
        }
        assert.deepStrictEqual(results, [["Failure"], ["Failure"], ["Success"], ["Success"]])
        assert.strictEqual((globalThis as { evaluated?: number }).evaluated, 3)
      }))

    it.effect("cannot mend what a module imports: an ES module that threw there stays thrown, as the documentation says", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/a/package.json": offering({ one: "./a.js" }),
          "node_modules/a/a.js": "import './other.js'; export default 1",
          "node_modules/a/other.js": "throw new Error('stays')"
        })
        const [one] = yield* discover(root)
        assert.match((yield* Effect.flip(EntryPoints.load(one!))).message, /stays/)
        writeFileSync(join(root, "node_modules/a/other.js"), "")
        assert.match((yield* Effect.flip(EntryPoints.load(one!))).message, /stays/)
        writeFileSync(join(root, "node_modules/a/a.js"), "export default 1")
        assert.strictEqual(yield* EntryPoints.load(one!), 1)
      }))

    it.effect("can be interrupted while a module never finishes loading", () =>
      Effect.gen(function*() {
        const root = tree({
          "node_modules/a/package.json": offering({ one: "./a.js" }),
          "node_modules/a/a.js": "setInterval(() => {}, 1000).unref(); await new Promise(() => {})"
        })
        const loading = yield* Effect.forkChild(loadAll(root), { startImmediately: true })
        yield* Fiber.interrupt(loading)
      }))
  })

  describe("a malformed package", () => {
    it.effect("fails for a package.json that is not an object", () =>
      Effect.gen(function*() {
        for (const text of ["", "{", "null", "[]", "\"text\"", "1", "{\"a\":}", "\u0000"]) {
          const error = yield* failureOf({ "node_modules/a/package.json": text })
          assert.deepStrictEqual([error.code, error.package, error.entryPoint], ["invalid_package", "a", undefined])
          assert.include(error.message, "\"a\"")
        }
      }))

    it.effect("fails for a group that is not an object, and for a value that does not name a module", () =>
      Effect.gen(function*() {
        for (const entries of ["./a.js", [], ["./a.js"], null, 1]) {
          assert.strictEqual(
            (yield* failureOf({ "node_modules/a/package.json": offering(entries) })).code,
            "invalid_package"
          )
        }
        for (
          const target of [
            null,
            1,
            {},
            [],
            ["./a.js"],
            "",
            "#one",
            "./a.js#",
            "a.js",
            "node:fs",
            "data:text/javascript,1",
            "lodash"
          ]
        ) {
          const error = yield* failureOf({ "node_modules/a/package.json": offering({ one: target }) })
          assert.deepStrictEqual([error.code, error.package, error.entryPoint], ["invalid_path", "a", "one"])
        }
      }))

    it.effect("cannot point outside itself: with .., an absolute path, a URL or a link", () =>
      Effect.gen(function*() {
        const outside = "globalThis.outside = true; export default 'outside'"
        for (
          const target of [
            "../b/b.js",
            "./../b/b.js",
            "./lib/../../b/b.js",
            "./lib/../../../outside.js",
            "<root>/outside.js",
            "file://<root>/outside.js",
            "./link.js",
            "./link-out/outside.js",
            "./link-out/../outside.js",
            "./to-b/b.js"
          ]
        ) {
          const root = tree({
            "outside.js": outside,
            "node_modules/b/package.json": { type: "module" },
            "node_modules/b/b.js": outside,
            "node_modules/a/lib/file": "",
            "node_modules/a/link.js": new Link("../../outside.js"),
            "node_modules/a/link-out": new Link("<root>"),
            "node_modules/a/to-b": new Link("../b"),
            "node_modules/a/inside.js": "export default 'inside'",
            "node_modules/a/inner.js": new Link("inside.js")
          })
          const manifest = join(root, "node_modules/a/package.json")
          writeFileSync(manifest, JSON.stringify(offering({ one: target.replace("<root>", root) })))
          const error = yield* Effect.flip(loadAll(root, { onFailure: "fail" }))
          const { code, message } = error
          // an encoded "..%2f" is part of a file name
          assert.include(["invalid_path", "import"], code, target)
          assert.include(message, "\"one\" of the package \"a\"")
          assert.deepStrictEqual((yield* logging(loadAll(root))).result, [])
          writeFileSync(manifest, JSON.stringify(offering({ one: "./inner.js" })))
          assert.deepStrictEqual(yield* loadAll(root), ["inside"])
        }
        for (
          const target of [
            "./%2e%2e/%2e%2e/outside.js",
            "./..%2f..%2foutside.js",
            "./a\u0000.js",
            "./\\..\\..\\outside.js"
          ]
        ) {
          const root = tree({ "outside.js": outside, "node_modules/a/package.json": offering({ one: target }) })
          assert.include(["invalid_path", "import"], (yield* Effect.flip(loadAll(root, { onFailure: "fail" }))).code)
        }
        assert.isFalse("outside" in globalThis)
      }))
  })

  describe("defaults", () => {
    const files = {
      "node_modules/a/package.json": offering({ good: "./a.js", invalid: "./a.js#level", throws: "./throws.js" }),
      "node_modules/a/a.js":
        "export default { name: 'a', level: '6' }; export const level = { name: 'x', level: 'high' }",
      "node_modules/a/throws.js": "throw new Error('no licence')",
      "node_modules/b/package.json": "{",
      "node_modules/c/package.json": offering({ good: "./c.js", hostile: "./c.js#hostile", gone: "./c.js#gone" }),
      "node_modules/c/c.js": `
        export default { name: 'c', level: '9' }
        export const hostile = { get name() { throw new Error('do not look at me') } }`
    }
    const Codec = Schema.Struct({ name: Schema.String, level: Schema.FiniteFromString })
    const options = (from: string) => ({ group: "test", from, schema: Codec })

    it.effect("logs each bad entry point with its package and name, and gives the others, decoded and in order", () =>
      Effect.gen(function*() {
        const { lines, result } = yield* logging(EntryPoints.defaults(options(tree(files))))
        assert.deepStrictEqual(result, [{ name: "a", level: 6 }, { name: "c", level: 9 }])
        const expected = [
          ["Warn", /^Could not load "invalid" of the package "a" for "test": its export .*\["level"\]$/s],
          ["Warn", /^Could not load "throws" of the package "a" for "test": .* no licence$/],
          ["Warn", /^Could not find what the package "b" offers for "test" in its package.json. SyntaxError: /],
          ["Warn", /^Could not load "gone" of the package "c" for "test": .* no export "gone"/],
          ["Warn", /^Could not load "hostile" of the package "c" for "test": .* do not look at me$/]
        ] as const
        assert.strictEqual(lines.length, expected.length, JSON.stringify(lines))
        expected.forEach(([level, text], i) => {
          const [logLevel, message] = lines[i] as [string, string]
          assert.strictEqual(logLevel, level)
          assert.match(message, text)
        })
      }).pipe(Effect.provide(NodeServices.layer)))

    it.effect("imports modules concurrently, so that two may wait for each other", () =>
      Effect.gen(function*() {
        const gate = `const gate = globalThis["test/EntryPoints"] ??= Promise.withResolvers()`
        const root = tree({
          "node_modules/a/package.json": offering({ one: "./index.js" }),
          "node_modules/a/index.js": `${gate}\nawait gate.promise\nexport default 1`,
          "node_modules/b/package.json": offering({ two: "./index.js" }),
          "node_modules/b/index.js": `${gate}\ngate.resolve()\nexport default 2`
        })
        assert.deepStrictEqual(yield* loadAll(root, { onFailure: "fail" }), [1, 2])
      }), 10_000)

    it.effect("with onFailure: \"fail\" fails with the first bad entry point, in order", () =>
      Effect.gen(function*() {
        const root = tree(files)
        for (let i = 0; i < 5; i++) {
          const error = yield* Effect.flip(EntryPoints.defaults({ ...options(root), onFailure: "fail" }))
          assert.deepStrictEqual([error.code, error.package, error.entryPoint], ["invalid_item", "a", "invalid"])
        }
      }).pipe(Effect.provide(NodeServices.layer)))

    it.effect("can be the defaults of a registry", () => {
      class Codecs extends Registry.Service<Codecs, typeof Codec.Type>()("test/Codecs", {
        lookup: ["name"],
        defaults: EntryPoints.defaults(options(tree(files)))
      }) {}
      class Strict extends Registry.Service<Strict, typeof Codec.Type>()("test/Strict", {
        lookup: ["name"],
        defaults: EntryPoints.defaults({ ...options(tree(files)), onFailure: "fail" })
      }) {}
      return Effect.gen(function*() {
        assert.strictEqual((yield* Codecs.get("name", "c")).level, 9)
        const error = yield* Effect.flip(Strict.size)
        assert.deepStrictEqual([error.code, error.registry], ["defaults", "test/Strict"])
        assert.instanceOf(error.cause, RegistryError.EntryPointError)
        assert.include(error.message, "\"invalid\" of the package \"a\"")
      }).pipe(
        logging,
        Effect.provide(
          Layer.mergeAll(Codecs.layer, Strict.layer).pipe(Layer.provide(NodeServices.layer))
        )
      )
    })

    it.effect("finds nothing in an empty file system", () =>
      Effect.gen(function*() {
        const nothing = yield* EntryPoints.defaults({ group: "test", from: "/app" })
        assert.deepStrictEqual(nothing, [])
      }).pipe(Effect.provide(Layer.merge(FileSystem.layerNoop({}), Path.layer))))
  })

  it("an error survives encoding and decoding", () => {
    const error = new RegistryError.EntryPointError({
      code: "missing_export",
      package: "a",
      group: "g",
      entryPoint: "one",
      module: "./a.js",
      issue: "It has no export \"one\"."
    })
    const codec = Schema.toCodecJson(RegistryError.EntryPointError)
    const json = JSON.stringify(Schema.encodeSync(codec)(error))
    const back = Schema.decodeUnknownSync(codec)(JSON.parse(json))
    assert.instanceOf(back, RegistryError.EntryPointError)
    assert.strictEqual(back.message, error.message)
  })
})
