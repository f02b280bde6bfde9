/**
 * Items from installed packages.
 *
 * A package offers items in its package.json, by group and name:
 *
 * ```json
 * { "name": "app-plugin-gzip", "entryPoints": { "app.codecs": { "gzip": "./codecs.js#gzip" } } }
 * ```
 *
 * A module is named by a path that begins with `./` and stays in the package; what follows the `#` is the export, by
 * default the default export. Modules are ES modules or CommonJS.
 *
 * The packages are those that a module in a directory could import: in its `node_modules`, and in those of the
 * directories above it. Of two packages with one name the nearer one counts. What is nested in another package belongs
 * to that package, and what is offered there is not found. `NODE_PATH` and Yarn's Plug'n'Play are not looked into.
 *
 * Loading an entry point runs the code of its package: install only packages that you trust.
 *
 * @module
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { bounded, show } from "./internal/store/wording.ts"
import { EntryPointError } from "./RegistryError.ts"

/**
 * What a package offers under one name.
 *
 * @category models
 * @since 0.1.0
 */
export interface EntryPoint {
  /** The name that the package is installed under. */
  readonly package: string
  /** The group that it is offered in. */
  readonly group: string
  /** What the package calls it. */
  readonly name: string
  /** The module, as the package names it. */
  readonly module: string
  /** The name of the export. */
  readonly export: string
  /** Where the module is. */
  readonly url: string
}

/**
 * Which entry points to look for, and from where.
 *
 * @category models
 * @since 0.1.0
 */
export interface DiscoverOptions {
  /** The group in which packages offer their items, a name that the program makes up: `app.plugins`. */
  readonly group: string
  /** The directory whose packages are looked at. Defaults to the current one. */
  readonly from?: string | undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// Discovering
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The entry points of a group, each once, ordered by package and name. Nothing is imported: a module that is not there
 * is found when it is loaded.
 *
 * If a package or an entry point is malformed, the stream fails with an `EntryPointError` that names it, after all that
 * are well.
 *
 * Files are read as the stream is pulled, without a lock or a transaction: interrupting it ends the reading.
 *
 * **Example** (What could be loaded)
 *
 * ```ts
 * import { EntryPoints } from "effect-registry"
 * import { NodeServices } from "@effect/platform-node"
 * import { Effect, Stream } from "effect"
 *
 * const program = EntryPoints.discover({ group: "app.codecs" }).pipe(
 *   Stream.map((entryPoint) => `${entryPoint.package}: ${entryPoint.name}`),
 *   Stream.runCollect,
 *   Effect.provide(NodeServices.layer)
 * )
 *
 * await Effect.runPromise(program) // => []
 * ```
 *
 * @category discovering
 * @since 0.1.0
 */
export const discover = (
  options: DiscoverOptions
): Stream.Stream<EntryPoint, EntryPointError, FileSystem.FileSystem | Path.Path> =>
  Stream.unwrap(Effect.map(find(options), (results) => {
    const found = Stream.fromIterable(results.flatMap((result) => Result.isSuccess(result) ? [result.success] : []))
    const failed = results.find(Result.isFailure)
    return failed === undefined ? found : Stream.concat(found, Stream.fail(failed.failure))
  }))

type Found = Result.Result<EntryPoint, EntryPointError>

/** How many files are read, or modules imported, at a time. */
const concurrency = 64

const find = /*#__PURE__*/ Effect.fnUntraced(function*({ from = ".", group }: DiscoverOptions) {
  const packages = yield* findPackages(from)
  const found = yield* Effect.forEach(packages, (one) => entryPointsOf(one, group), { concurrency })
  // one package can be linked under several names
  const seen = new Set<string>()
  return found.flatMap(({ directory, results }) => {
    if (seen.has(directory)) return []
    seen.add(directory)
    return results
  })
})

interface Package {
  readonly name: string
  readonly directory: string
}

/** Ordered by name; the nearest of each name. */
const findPackages = /*#__PURE__*/ Effect.fnUntraced(function*(from: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = path.resolve(from)
  const start = yield* Effect.orElseSucceed(fs.realPath(directory), () => directory)
  const listed = yield* Effect.forEach(chain(path, start), (modules) => list(modules), { concurrency })
  const nearest = new Map<string, Package>()
  for (const one of listed.flat()) if (!nearest.has(one.name)) nearest.set(one.name, one)
  return Array.from(nearest.values()).toSorted((a, b) => compare(a.name, b.name))
})

/** The same everywhere, whatever the locale. No name is there twice. */
const compare = (a: string, b: string): number => a < b ? -1 : 1

const chain = (path: Path.Path, start: string): ReadonlyArray<string> => {
  const directories: Array<string> = []
  for (let directory = start, child = ""; directory !== child; directory = path.dirname(child)) {
    if (path.basename(directory) !== "node_modules") directories.push(path.join(directory, "node_modules"))
    child = directory
  }
  return directories
}

const list: (
  modules: string,
  scope?: string
) => Effect.Effect<ReadonlyArray<Package>, never, FileSystem.FileSystem | Path.Path> = /*#__PURE__*/ Effect.fnUntraced(
  function*(modules, scope = "") {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const entries = yield* Effect.catch(
      fs.readDirectoryEntries(path.join(modules, scope)),
      (error) => isAbsent(error) ? Effect.succeed([]) : Effect.as(Effect.logWarning(bounded(error.message)), [])
    )
    const listed = yield* Effect.forEach(
      entries.filter(({ name, type }) => !name.startsWith(".") && type !== "File"),
      ({ name }) =>
        scope === "" && name.startsWith("@")
          ? list(modules, name)
          : Effect.succeed([{
            name: scope === "" ? name : `${scope}/${name}`,
            directory: path.join(modules, scope, name)
          }]),
      { concurrency }
    )
    return listed.flat()
  }
)

/** There is nothing there, or something else. */
const isAbsent = ({ reason }: PlatformError.PlatformError): boolean =>
  reason._tag === "NotFound" || reason._tag === "BadResource"

/** What a package offers in a group, ordered by name, and the directory that it is really in. */
const entryPointsOf = /*#__PURE__*/ Effect.fnUntraced(function*(one: Package, group: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const offered = yield* Effect.result(Effect.flatMap(
    Effect.catch(
      fs.readFileString(path.join(one.directory, "package.json")),
      (error) => isAbsent(error) ? Effect.succeed("{}") : Effect.fail(invalidPackage(one, group, error.message))
    ),
    (text) => Effect.fromResult(offeredIn(one, group, text))
  ))
  if (Result.isFailure(offered)) return { directory: one.directory, results: [Result.fail(offered.failure)] }
  if (offered.success.length === 0) return { directory: one.directory, results: [] }
  const directory = yield* Effect.orElseSucceed(fs.realPath(one.directory), () => one.directory)
  const results: ReadonlyArray<Found> = yield* Effect.forEach(
    offered.success,
    ([name, target]) => Effect.result(locate({ name: one.name, directory }, group, name, target))
  )
  return { directory, results }
})

const invalidPackage = (one: Package, group: string, issue: string): EntryPointError =>
  new EntryPointError({ code: "invalid_package", package: one.name, group, issue })

/** Nothing, if the package.json does not name the group, whatever else it has. */
const offeredIn = (
  one: Package,
  group: string,
  text: string
): Result.Result<ReadonlyArray<readonly [name: string, target: unknown]>, EntryPointError> => {
  let manifest: unknown
  try {
    manifest = JSON.parse(text)
  } catch (error) {
    return Result.fail(invalidPackage(one, group, String(error)))
  }
  if (!Predicate.isObject(manifest)) return Result.fail(invalidPackage(one, group, "It is no object."))
  const entries = Option.flatMap(own(manifest, "entryPoints"), (groups) => own(groups, group))
  if (Option.isNone(entries)) return Result.succeed([])
  return Predicate.isObject(entries.value)
    ? Result.succeed(Object.entries(entries.value).toSorted(([a], [b]) => compare(a, b)))
    : Result.fail(invalidPackage(one, group, `Its entryPoints have no object under ${JSON.stringify(group)}.`))
}

/** A key from outside may be one that every object has. */
const own = (u: unknown, key: string): Option.Option<unknown> =>
  Predicate.hasProperty(u, key) && Object.hasOwn(u, key) ? Option.some(u[key]) : Option.none()

/** A module is in its package, whatever links lead to it. */
const locate = /*#__PURE__*/ Effect.fnUntraced(function*(one: Package, group: string, name: string, target: unknown) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const invalidPath = Effect.fail(
    new EntryPointError({
      code: "invalid_path",
      package: one.name,
      group,
      entryPoint: name,
      issue: `It is ${show(target)}.`
    })
  )
  if (typeof target !== "string") return yield* invalidPath
  const [, module, exported] = /^([^#]*)(?:#(.+))?$/s.exec(target) ?? []
  if (!module?.startsWith("./")) return yield* invalidPath
  const entryPoint = { package: one.name, group, name, module, export: exported ?? "default" }
  const inside = path.resolveWithin(one.directory, module)
  if (Option.isNone(inside)) return yield* invalidPath
  // a module that is not there fails where it is loaded, unless a loader could decode its name and leave the package
  const real = yield* Effect.catch(
    fs.realPath(inside.value),
    (error) =>
      isAbsent(error) && !/[%\\]/.test(module)
        ? Effect.succeed(inside.value)
        : Effect.fail(failure(entryPoint, { code: "import", cause: error }))
  )
  if (Option.isNone(path.resolveWithin(one.directory, path.relative(one.directory, real)))) return yield* invalidPath
  const url = yield* Effect.catch(path.toFileUrl(real), () => invalidPath)
  return { ...entryPoint, url: url.href }
})

// ---------------------------------------------------------------------------------------------------------------------
// Loading
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Imports the module of an entry point, and answers its export.
 *
 * Of a CommonJS module the default export is `module.exports`, or its `default` where a compiler made it of an ES
 * module; the properties of `module.exports` are its other exports.
 *
 * It fails with an `EntryPointError` that names the package and the entry point. It waits for the import, which runs
 * once for all who ask at once; interrupting it gives up the wait, while the import goes on.
 *
 * **Example** (A module that is not there)
 *
 * ```ts
 * import { EntryPoints } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const entryPoint: EntryPoints.EntryPoint = {
 *   package: "app-plugin-gzip",
 *   group: "app.codecs",
 *   name: "gzip",
 *   module: "./codecs.js",
 *   export: "gzip",
 *   url: "file:///does/not/exist/codecs.js"
 * }
 *
 * const program = Effect.flip(EntryPoints.load(entryPoint)).pipe(Effect.map((error) => [error.code, error.package]))
 *
 * await Effect.runPromise(program) // => ["import", "app-plugin-gzip"]
 * ```
 *
 * @category loading
 * @since 0.1.0
 */
export const load = (entryPoint: EntryPoint): Effect.Effect<unknown, EntryPointError> =>
  Effect.tryPromise({
    try: async () => {
      const module: object = await import(/* @vite-ignore */ /* webpackIgnore: true */ entryPoint.url)
      return exportOf(module, entryPoint.export)
    },
    catch: (cause) => failure(entryPoint, { code: "import", cause })
  }).pipe(
    Effect.flatMap((exported) =>
      Option.isSome(exported) ? Effect.succeed(exported.value) : Effect.fail(failure(entryPoint, {
        code: "missing_export",
        issue: `It has no export "${entryPoint.export}".`
      }))
    )
  )

const failure = (
  { group, module, name, package: packageName }: Omit<EntryPoint, "url">,
  props: { readonly code: EntryPointError["code"]; readonly cause?: unknown; readonly issue?: string }
): EntryPointError => new EntryPointError({ package: packageName, group, entryPoint: name, module, ...props })

/** Of the names in `module.exports`, an import tells only those that can be read off the text of the module. */
const exportOf = (module: object, name: string): Option.Option<unknown> => {
  const exports = Option.getOrUndefined(own(module, "module.exports"))
  if (name === "default") return own(Option.isSome(own(exports, "__esModule")) ? exports : module, name)
  return Option.orElse(own(module, name), () => own(exports, name))
}

/**
 * How entry points become items.
 *
 * @category models
 * @since 0.1.0
 */
export interface DefaultsOptions<S extends Schema.Top> extends DiscoverOptions {
  /** Decodes what was loaded. */
  readonly schema?: S | undefined
  /**
   * What becomes of a package or an entry point that is malformed, or cannot be loaded or decoded: it is logged and
   * skipped (the default), or the first of them is an error.
   */
  readonly onFailure?: "skip" | "fail" | undefined
}

/**
 * The items that installed packages offer: what a registry takes as its defaults.
 *
 * It fails with an `EntryPointError` if the packages cannot be read, and, with `onFailure: "fail"`, for an entry point
 * that cannot be loaded. It waits for the imports, many at a time; interrupting it gives up the wait, while those that
 * have begun go on.
 *
 * **Example** (A registry of what packages offer)
 *
 * ```ts
 * import { EntryPoints, Registry } from "effect-registry"
 * import { NodeServices } from "@effect/platform-node"
 * import { Effect, Layer, Schema } from "effect"
 *
 * const Codec = Schema.Struct({ name: Schema.String, level: Schema.Int })
 *
 * class Codecs extends Registry.Service<Codecs, typeof Codec.Type>()("app/Codecs", {
 *   lookup: ["name"],
 *   defaults: EntryPoints.defaults({ group: "app.codecs", schema: Codec })
 * }) {}
 *
 * const program = Codecs.size.pipe(Effect.provide(Codecs.layer.pipe(Layer.provide(NodeServices.layer))))
 *
 * await Effect.runPromise(program) // => 0
 * ```
 *
 * @category loading
 * @since 0.1.0
 */
export const defaults: {
  <S extends Schema.Top>(
    options: DefaultsOptions<S> & { readonly schema: S }
  ): Effect.Effect<
    ReadonlyArray<S["Type"]>,
    EntryPointError,
    FileSystem.FileSystem | Path.Path | S["DecodingServices"]
  >
  <Item = unknown>(
    options: DefaultsOptions<never>
  ): Effect.Effect<ReadonlyArray<Item>, EntryPointError, FileSystem.FileSystem | Path.Path>
} = /*#__PURE__*/ Effect.fnUntraced(function*<S extends Schema.Top>(options: DefaultsOptions<S>) {
  const { schema } = options
  const decode = schema && Schema.decodeUnknownEffect(schema)
  const found = yield* find(options)
  const loaded = yield* Effect.forEach(found, (result) =>
    Effect.result(Effect.gen(function*() {
      const entryPoint = yield* Effect.fromResult(result)
      const exported = yield* load(entryPoint)
      if (decode === undefined) return exported
      return yield* decode(exported).pipe(
        Effect.mapError(({ message }) => failure(entryPoint, { code: "invalid_item", issue: message })),
        // what a package exports may throw when it is looked at
        Effect.catchDefect((cause) => Effect.fail(failure(entryPoint, { code: "invalid_item", cause })))
      )
    })), { concurrency })
  const failures = loaded.filter(Result.isFailure).map((result) => result.failure)
  if (options.onFailure === "fail" && failures[0] !== undefined) return yield* failures[0]
  yield* Effect.forEach(failures, (error) => Effect.logWarning(error.message))
  return loaded.filter(Result.isSuccess).map((result) => result.success)
})
