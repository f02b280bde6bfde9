/**
 * Items from installed packages.
 *
 * A package offers items in its package.json, by group and name:
 *
 * ```json
 * { "name": "app-plugin-gzip", "entryPoints": { "app.codecs": { "gzip": "./codecs.js#gzip" } } }
 * ```
 *
 * The path of a module begins with `./` and stays in the package. The part after `#` is the export, by default the
 * default export. Modules are ES modules or CommonJS.
 *
 * The packages are those that a module in a directory can import: the package that contains the directory, those in its
 * `node_modules`, and those in the `node_modules` of the directories above it. Of two packages with one name the nearer
 * one counts. Packages that are nested in another package are not searched, nor are `NODE_PATH` and Yarn's Plug'n'Play.
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
import * as Offered from "./internal/features/offered.ts"
import { bounded, show } from "./internal/store/wording.ts"
import { EntryPointError } from "./RegistryError.ts"

/**
 * An entry point: a module export that a package offers under one name.
 *
 * @category models
 * @since 0.1.0
 */
export interface EntryPoint {
  /**
   * The name under which the package is installed. For the package that contains the directory of the search, its own
   * name.
   */
  readonly package: string
  /** The version in its package.json, empty without one. */
  readonly version: string
  /** The real path of the package, with links resolved. */
  readonly directory: string
  /** The group of the entry point. */
  readonly group: string
  /** The name of the entry point. */
  readonly name: string
  /** The path of the module, as in package.json. */
  readonly module: string
  /** The name of the export. */
  readonly export: string
  /** The URL of the module. */
  readonly url: string
}

/**
 * Which entry points to look for, and from where.
 *
 * @category models
 * @since 0.1.0
 */
export interface DiscoverOptions {
  /** The group in which packages offer their items. The program chooses its name: `app.plugins`. */
  readonly group: string
  /**
   * The directory to search from, or several, the nearest first: a package that is found from one directory is not
   * searched from the next, in any version. Defaults to the current directory.
   */
  readonly from?: string | ReadonlyArray<string> | undefined
  /** Selects entry points, for instance by a list of allowed packages, or by reading their package.json. */
  readonly filter?: ((entryPoint: EntryPoint) => boolean) | undefined
  /**
   * What to do with a package or an entry point that is malformed, or cannot be loaded, decoded or registered: leave it
   * out with a warning (`"skip"`, the default), or fail with the first one (`"fail"`). A defect is never skipped.
   */
  readonly onFailure?: "skip" | "fail" | undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// Discovering
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The entry points of a group, each once, ordered by package and name. Nothing is imported: a missing module is
 * reported when it is loaded.
 *
 * A malformed package or entry point is logged with its name and skipped. With `onFailure: "fail"` the stream fails
 * with an `EntryPointError` for the first malformed one, after all valid entry points.
 *
 * Files are read when the stream is pulled, without a lock or a transaction. Interrupting the stream stops the reading.
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
  Stream.unwrap(Effect.gen(function*() {
    const results = yield* find(options, false)
    const failed = results.find(Result.isFailure)
    if (options.onFailure !== "fail") yield* warn(results)
    const found = Stream.fromIterable(successes(results))
    return options.onFailure === "fail" && failed !== undefined
      ? Stream.concat(found, Stream.fail(failed.failure))
      : found
  }))

type Found<A = EntryPoint> = Result.Result<A, EntryPointError>

const successes = <A>(results: ReadonlyArray<Found<A>>): ReadonlyArray<A> =>
  results.flatMap((result) => Result.isSuccess(result) ? [result.success] : [])

const warn = (results: ReadonlyArray<Found<unknown>>): Effect.Effect<void> =>
  Effect.forEach(
    results,
    (result) => Result.isSuccess(result) ? Effect.void : Effect.logWarning(result.failure.message),
    { discard: true }
  )

/** How many files are read, or modules imported, at a time. */
const concurrency = 64

/** Ordered by package and name, or first by how near the package is. */
const find = /*#__PURE__*/ Effect.fnUntraced(function*(
  { filter = () => true, from = ".", group }: DiscoverOptions,
  nearestFirst: boolean
) {
  const packages = yield* findPackages(from)
  const inOrder = packages.toSorted((a, b) => nearestFirst && a.distance - b.distance || compare(a.name, b.name))
  const found = yield* Effect.forEach(inOrder, (one) => entryPointsOf(one, group), { concurrency })
  // one package can be linked under several names
  const seen = new Set<string>()
  return found.flatMap(({ directory, results }) => {
    if (seen.has(directory)) return []
    seen.add(directory)
    return results.filter((result) => Result.isFailure(result) || filter(result.success))
  })
})

interface Package {
  readonly name: string
  readonly directory: string
}

/** The nearest of each name. The nearer it is, the less is its distance. */
const findPackages = /*#__PURE__*/ Effect.fnUntraced(function*(from: string | ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  // several directories can have some above them in common
  const places = new Map<string, Effect.Effect<ReadonlyArray<Package>, never, FileSystem.FileSystem | Path.Path>>()
  for (const one of typeof from === "string" ? [from] : from) {
    const directory = path.resolve(one)
    const start = yield* Effect.orElseSucceed(fs.realPath(directory), () => directory)
    places.set(start, around(start))
    for (const modules of chain(path, start)) places.set(modules, list(modules))
  }
  const listed = yield* Effect.forEach(places.values(), (packages) => packages, { concurrency })
  const nearest = new Map<string, Package & { readonly distance: number }>()
  listed.forEach((packages, distance) => {
    for (const one of packages) if (!nearest.has(one.name)) nearest.set(one.name, { ...one, distance })
  })
  return Array.from(nearest.values())
})

/** The package that a directory is in: that of the nearest package.json that does more than to say how modules are read. */
const around: (
  start: string
) => Effect.Effect<ReadonlyArray<Package>, never, FileSystem.FileSystem | Path.Path> = /*#__PURE__*/ Effect.fnUntraced(
  function*(directory) {
    const path = yield* Path.Path
    const name = path.basename(directory)
    if (name === "node_modules") return []
    const manifest = parse(yield* Effect.orElseSucceed(read(directory), () => nothing))
    // what is wrong with it is said where its entry points are read
    if (Result.isFailure(manifest)) return [{ name, directory }]
    const named = Option.getOrUndefined(own(manifest.success, "name"))
    if (typeof named === "string") return [{ name: named, directory }]
    if (Option.isSome(own(manifest.success, "entryPoints"))) return [{ name, directory }]
    const parent = path.dirname(directory)
    return parent === directory ? [] : yield* around(parent)
  }
)

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
  const invalid = (issue: string) => new EntryPointError({ code: "invalid_package", package: one.name, group, issue })
  const offered = yield* Effect.result(Effect.gen(function*() {
    const text = yield* Effect.catch(
      read(one.directory),
      (error) => isAbsent(error) ? Effect.succeed(nothing) : Effect.fail(error.message)
    )
    const manifest = yield* Effect.fromResult(parse(text))
    return { manifest, entries: yield* Effect.fromResult(offeredIn(manifest, group)) }
  }))
  if (Result.isFailure(offered)) {
    return { directory: one.directory, results: [Result.fail(invalid(offered.failure))] }
  }
  const { entries, manifest } = offered.success
  if (entries.length === 0) return { directory: one.directory, results: [] }
  const directory = yield* Effect.orElseSucceed(fs.realPath(one.directory), () => one.directory)
  const version = Option.getOrUndefined(own(manifest, "version"))
  const found = { package: one.name, version: typeof version === "string" ? version : "", directory, group }
  const results: ReadonlyArray<Found> = yield* Effect.forEach(
    entries,
    ([name, target]) => Effect.result(locate(found, name, target))
  )
  return { directory, results }
})

const read = (directory: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    return yield* fs.readFileString(path.join(directory, "package.json"))
  })

/** What a package.json that is not there says. */
const nothing = "{}"

/** It fails with what is wrong with it. */
const parse = (text: string): Result.Result<object, string> => {
  try {
    const manifest: unknown = JSON.parse(text)
    return Predicate.isObject(manifest) ? Result.succeed(manifest) : Result.fail("It is no object.")
  } catch (error) {
    return Result.fail(String(error))
  }
}

/** Nothing, if the package.json does not name the group, whatever else it has. */
const offeredIn = (
  manifest: object,
  group: string
): Result.Result<ReadonlyArray<readonly [name: string, target: unknown]>, string> => {
  const entries = Option.flatMap(own(manifest, "entryPoints"), (groups) => own(groups, group))
  if (Option.isNone(entries)) return Result.succeed([])
  return Predicate.isObject(entries.value)
    ? Result.succeed(Object.entries(entries.value).toSorted(([a], [b]) => compare(a, b)))
    : Result.fail(`Its entryPoints have no object under ${show(group)}.`)
}

/** A key from outside may be one that every object has. */
const own = (u: unknown, key: string): Option.Option<unknown> =>
  Predicate.hasProperty(u, key) && Object.hasOwn(u, key) ? Option.some(u[key]) : Option.none()

/** A module is in its package, whatever links lead to it. */
const locate = /*#__PURE__*/ Effect.fnUntraced(function*(
  found: Pick<EntryPoint, "package" | "version" | "directory" | "group">,
  name: string,
  target: unknown
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { directory, group, package: packageName } = found
  const invalidPath = Effect.fail(
    new EntryPointError({
      code: "invalid_path",
      package: packageName,
      group,
      entryPoint: name,
      issue: `It is ${show(target)}.`
    })
  )
  if (typeof target !== "string") return yield* invalidPath
  const [, module, exported] = /^([^#]*)(?:#(.+))?$/s.exec(target) ?? []
  if (!module?.startsWith("./")) return yield* invalidPath
  const entryPoint = { ...found, name, module, export: exported ?? "default" }
  const inside = path.resolveWithin(directory, module)
  if (Option.isNone(inside)) return yield* invalidPath
  // a module that is not there fails where it is loaded, unless a loader could decode its name and leave the package
  const real = yield* Effect.catch(
    fs.realPath(inside.value),
    (error) =>
      isAbsent(error) && !/[%\\]/.test(module)
        ? Effect.succeed(inside.value)
        : Effect.fail(failure(entryPoint, { code: "import", cause: error }))
  )
  if (Option.isNone(path.resolveWithin(directory, path.relative(directory, real)))) return yield* invalidPath
  const url = yield* Effect.catch(path.toFileUrl(real), () => invalidPath)
  return { ...entryPoint, url: url.href }
})

// ---------------------------------------------------------------------------------------------------------------------
// Loading
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Imports the module of an entry point, and returns its export.
 *
 * The default export of a CommonJS module is `module.exports`, or its `default` if a compiler made it from an ES
 * module. The properties of `module.exports` are its other exports.
 *
 * Fails with an `EntryPointError` that names the package and the entry point. Waits for the import, which all
 * concurrent callers share. Interrupting it stops the wait, and not the import.
 *
 * **Details**
 *
 * JavaScript keeps the error of a module that threw under its address. So after a failure the next call imports the
 * module under a new address, `codecs.js?attempt=2`, and finds a corrected file. The modules that it imports keep their
 * addresses: if one of those is an ES module that threw, the failure lasts until the process ends.
 *
 * **Example** (A module that is not there)
 *
 * ```ts
 * import { EntryPoints } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const entryPoint: EntryPoints.EntryPoint = {
 *   package: "app-plugin-gzip",
 *   version: "1.0.0",
 *   directory: "/does/not/exist",
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
      const module: object = await import(/* @vite-ignore */ /* webpackIgnore: true */ addressOf(entryPoint))
      return exportOf(module, entryPoint.export)
    },
    catch: (cause) => failure(entryPoint, { code: "import", cause })
  }).pipe(
    Effect.flatMap((exported) =>
      Option.isSome(exported) ? Effect.succeed(exported.value) : Effect.fail(failure(entryPoint, {
        code: "missing_export",
        issue: `It has no export "${entryPoint.export}".`
      }))
    ),
    Effect.tapError(() => importAgain(entryPoint))
  )

/** How many failures each export of a module has behind it: the other exports of that module stay what they are. */
const failures = new Map<string, number>()

const idOf = ({ export: exported, url }: EntryPoint): string => `${url}#${exported}`

const addressOf = (entryPoint: EntryPoint): string => {
  const failed = failures.get(idOf(entryPoint))
  return failed === undefined ? entryPoint.url : `${entryPoint.url}?attempt=${failed + 1}`
}

const importAgain = (entryPoint: EntryPoint): Effect.Effect<void> =>
  Effect.sync(() => {
    const id = idOf(entryPoint)
    // what is no file is no module that somebody could mend
    if (id.startsWith("file:")) failures.set(id, (failures.get(id) ?? 0) + 1)
  })

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
  /** Decodes the exports. */
  readonly schema?: S | undefined
  /**
   * What to do with entry points whose items share a unique value: `"first"`, the default, takes the first by package
   * and name; `"nearest"` takes that of the nearest package, and orders items by the nearness of their packages;
   * `"fail"`, the default with `onFailure: "fail"`, fails the population.
   */
  readonly onConflict?: "first" | "nearest" | "fail" | undefined
}

/**
 * The items that installed packages offer, to be used as the defaults of a registry.
 *
 * With `onFailure: "fail"` it fails with an `EntryPointError` for the first package or entry point that is malformed,
 * or cannot be loaded or decoded. It waits for the imports, which run concurrently. Interrupting it stops the wait, and
 * not the imports that have begun.
 *
 * **Details**
 *
 * As defaults of a registry, items are registered one by one, and the owner of each is its package: `explain` tells it,
 * and `unregisterOwner` withdraws the items of a package. An item that the registry or a hook refuses is left out with
 * a warning that names its package and, for a conflict, the other package. With `onFailure: "fail"`, or if `onConflict`
 * says so, the population fails instead. Items that the program makes from these are defaults without a package. To
 * transform an item and keep its package, use `schema`.
 *
 * The next population imports a failed entry point again, as `load` does, and also one whose item lacked an attribute
 * or did not satisfy the schema of the registry. An entry point that was left out for a conflict, or by a hook, is not
 * imported again.
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
  const { onFailure = "skip", onConflict = onFailure === "fail" ? "fail" : "first", schema } = options
  const decode = schema && Schema.decodeUnknownEffect(schema)
  const found = yield* find(options, onConflict === "nearest")
  const loaded = yield* Effect.forEach(found, (result) =>
    Effect.result(Effect.gen(function*() {
      const entryPoint = yield* Effect.fromResult(result)
      const exported = yield* load(entryPoint)
      if (decode === undefined) return { entryPoint, item: exported }
      const item = yield* decode(exported).pipe(
        Effect.mapError(({ message }) => failure(entryPoint, { code: "invalid_item", issue: message })),
        // what a package exports may throw when it is looked at
        Effect.catchDefect((cause) => Effect.fail(failure(entryPoint, { code: "invalid_item", cause }))),
        Effect.tapError(() => importAgain(entryPoint))
      )
      return { entryPoint, item }
    })), { concurrency })
  const failed = loaded.find(Result.isFailure)
  if (onFailure === "fail" && failed !== undefined) return yield* failed.failure
  yield* warn(loaded)
  const offers = successes(loaded)
  yield* Offered.offer(offers.map(({ entryPoint, item }) => ({
    item,
    owner: entryPoint.package,
    source: sourceOf(entryPoint),
    leftOut: ({ conflicts, faulty }) => {
      const isSkipped = conflicts ? onConflict !== "fail" : onFailure === "skip"
      return Effect.as(faulty ? importAgain(entryPoint) : Effect.void, isSkipped)
    }
  })))
  return offers.map(({ item }) => item)
})

const sourceOf = ({ group, name, package: packageName, version }: EntryPoint): string =>
  `${show(name)} of the package ${show(packageName)}${version === "" ? "" : ` ${bounded(version, 40)}`} for ${
    show(group)
  }`
