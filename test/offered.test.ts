/** Entry points as the defaults of a registry. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, type FileSystem, Latch, Logger, type Path, Schema, Stream } from "effect"
import { EntryPoints, Lookup, Registry, RegistryError, RegistryHooks } from "effect-registry"
import { join } from "node:path"
import { offering, tree } from "./utils/packages.ts"

/** A test that looks at what it logs, in registries, too, which log with the services of where they were made. */
const logged = <A, E, R>(test: (lines: ReadonlyArray<unknown>) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const lines: Array<unknown> = []
    const logger = Logger.make(({ logLevel, message }) => lines.push([logLevel, ...[message].flat()]))
    return Effect.provide(test(lines), Logger.layer([logger]))
  })

type From = string | ReadonlyArray<string>

interface Codec {
  readonly id: string
  readonly ext?: string
}

/** A package that offers modules, by name: what each exports by default. */
const plugin = (name: string, modules: { readonly [entry: string]: string }, version = "1.0.0") =>
  Object.fromEntries([
    [
      `node_modules/${name}/package.json`,
      {
        name,
        version,
        ...offering(Object.fromEntries(Object.keys(modules).map((entry) => [entry, `./${entry}.js`])))
      }
    ],
    ...Object.entries(modules).map(([entry, text]) => [
      `node_modules/${name}/${entry}.js`,
      text.startsWith("throw") ? text : `export default ${text}`
    ])
  ])

const codecs = {
  ...plugin("codec-a", { main: "{ id: 'gzip', ext: '.gz' }" }),
  ...plugin("codec-b", { main: "{ id: 'gzip', ext: '.gzip' }" }, "2.0.0"),
  ...plugin("@scope/codec-c", { main: "{ id: 'zstd', ext: '.zst' }", same: "{ id: 'zst', ext: '.zst' }" }),
  ...plugin("codec-d", { main: "throw new Error('this one is skipped')" }),
  ...plugin("codec-e", { main: "{ id: 'br' }" })
}

const withExt = { id: Lookup.unique((one: Codec) => one.id), ext: Lookup.unique((one: Codec) => one.ext) }

const makeWith = (
  defaults: Effect.Effect<ReadonlyArray<Codec>, RegistryError.EntryPointError, FileSystem.FileSystem | Path.Path>,
  hooks: RegistryHooks.RegistryHooks<Codec, RegistryError.RegistrationError> = RegistryHooks.empty
) => Effect.provide(Registry.make<Codec>()({ name: "codecs", lookup: withExt, defaults, hooks }), NodeServices.layer)

const make = (
  from: From,
  options: Partial<EntryPoints.DefaultsOptions<never>> = {},
  hooks?: RegistryHooks.RegistryHooks<Codec, RegistryError.RegistrationError>
) => makeWith(EntryPoints.defaults<Codec>({ group: "test", from, ...options }), hooks)

const ids = <P>(registry: Registry.Registry<Codec, any, P, any>) =>
  Effect.map(Registry.values(registry), (items) => items.map(({ id }) => id))

const assertLines = (lines: ReadonlyArray<unknown>, ...expected: ReadonlyArray<RegExp>) => {
  assert.strictEqual(lines.length, expected.length, lines.join("\n"))
  expected.forEach((message, i) => assert.match(String(lines[i]), message))
}

const isDefect = <E>(exit: Exit.Exit<unknown, E>): boolean => Exit.isFailure(exit) && Cause.hasDies(exit.cause)

/** The same files in a directory. */
const nested = (directory: string, files: Record<string, string | object>) =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [`${directory}/${path}`, content]))

describe("entry points in a registry", () => {
  it.effect("leaves out what another package has the key of, and warns with the names of both; the package is the owner", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const root = tree(codecs)
        const registry = yield* make(root)
        const result = yield* ids(registry)
        assert.deepStrictEqual(result, ["zstd", "gzip"])
        assertLines(
          lines,
          /^Warn,Could not load "main" of the package "codec-d" for "test": .* this one is skipped$/,
          // a conflict inside of one package, by another lookup
          /^Warn,Left out "same" of the package "@scope\/codec-c" 1\.0\.0 for "test"\. In its way is "main" of the package "@scope\/codec-c" 1\.0\.0 for "test"\. Could not register "zst" in "codecs": .*\.zst/,
          /^Warn,Left out "main" of the package "codec-b" 2\.0\.0 for "test"\. In its way is "main" of the package "codec-a" 1\.0\.0 for "test"\. Could not register "gzip" in "codecs": .*/,
          /^Warn,Left out "main" of the package "codec-e" 1\.0\.0 for "test"\. Could not register "br" in "codecs": it has no "ext"/
        )
        const left = yield* Registry.explain(registry, "id", "br")
        assert.deepInclude(left._tag === "Absent" && left.last, { _tag: "Skipped" })
        const explained = yield* Registry.explain(registry, "id", "gzip")
        assert.deepInclude(explained, { _tag: "Present", owner: "codec-a" })
        const error = yield* Effect.flip(Registry.register(registry, { id: "gzip", ext: ".g" }))
        assert.strictEqual(error._tag === "AlreadyRegisteredError" && error.owner, "codec-a")
        assert.deepStrictEqual(yield* Registry.unregisterOwner(registry, "codec-a"), [{ id: "gzip", ext: ".gz" }])
        assert.deepStrictEqual(yield* Registry.unregisterOwner(registry, "codec-b"), [])
        assert.deepStrictEqual(yield* ids(registry), ["zstd"])
        // a reset looks again
        yield* Registry.reset(registry)
        assert.deepStrictEqual(yield* ids(registry), ["zstd", "gzip"])
      })
    ))

  it.effect("with onFailure: \"fail\", or onConflict: \"fail\", a conflict fails the population and names both packages", () =>
    logged(() =>
      Effect.gen(function*() {
        const root = tree({
          ...plugin("codec-a", { main: "{ id: 'gzip', ext: '.gz' }" }),
          ...plugin("codec-b", { main: "{ id: 'gzip', ext: '.gzip' }" })
        })
        for (const options of [{ onFailure: "fail" }, { onConflict: "fail" }] as const) {
          const registry = yield* make(root, options)
          const error = yield* Effect.flip(Registry.size(registry))
          assert.deepStrictEqual([error.code, error.owner], ["registration", "codec-b"])
          assert.instanceOf(error.cause, RegistryError.AlreadyRegisteredError)
          assert.match(error.message, /the default "gzip" of "codec-b" could not be registered: .*"codec-a"/)
          assert.strictEqual(yield* Registry.state(registry), "Pending")
        }
        const strict = yield* make(root, { onFailure: "fail", onConflict: "first" })
        assert.deepStrictEqual(yield* Registry.values(strict), [{ id: "gzip", ext: ".gz" }])
      })
    ))

  it.effect("with onConflict: \"nearest\" takes the item of the nearest package, whatever its name", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const root = tree({
          ...nested("app", plugin("z-near", { main: "{ id: 'gzip', ext: '.near' }" })),
          ...plugin("a-far", { main: "{ id: 'gzip', ext: '.far' }", other: "{ id: 'br', ext: '.br' }" }),
          ...nested(
            "global",
            plugin("b-global", { main: "{ id: 'br', ext: '.global' }", own: "{ id: 'own', ext: '' }" })
          )
        })
        const from = [join(root, "app"), join(root, "global")]
        const first = yield* make(from)
        assert.deepStrictEqual((yield* Registry.values(first)).map(({ ext }) => ext), [".far", ".br", ""])
        const nearest = yield* make(from, { onConflict: "nearest" })
        const result = yield* Registry.values(nearest)
        assert.deepStrictEqual(result.map(({ ext }) => ext), [".near", ".br", ""])
        assertLines(
          lines.slice(2),
          /^Warn,Left out "main" of the package "a-far" .* In its way is "main" of the package "z-near"/,
          /^Warn,Left out "main" of the package "b-global" .* In its way is "other" of the package "a-far"/
        )
      })
    ))

  it.effect("takes the nearest of two versions, and where a program joins the two by itself, the first", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const root = tree(Object.assign(
          {},
          ...[["project", "2.0.0"], ["global", "1.0.0"]].map(([where, version]) =>
            nested(where!, plugin("gen", { main: `{ id: 'gen', ext: '${version}' }` }, version))
          )
        ))
        const [project, global] = [join(root, "project"), join(root, "global")]
        const one = yield* make([project, global], { onFailure: "fail" })
        assert.deepStrictEqual(yield* Registry.values(one), [{ id: "gen", ext: "2.0.0" }])
        const joined = yield* makeWith(Effect.map(
          Effect.all([project, global].map((from) => EntryPoints.defaults<Codec>({ group: "test", from }))),
          (all) => all.flat()
        ))
        const result = yield* Registry.values(joined)
        assert.deepStrictEqual(result, [{ id: "gen", ext: "2.0.0" }])
        assertLines(
          lines,
          /Left out "main" of the package "gen" 1\.0\.0 for .* In its way is "main" of the package "gen" 2\.0\.0 for/
        )
      })
    ))

  it.effect("leaves out what a hook refuses, with what other hooks have registered for it, and what the registry's schema refuses", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const told: Array<string> = []
        const itself = yield* Deferred.make<Effect.Success<ReturnType<typeof make>>>()
        const companions = RegistryHooks.make<Codec>()({
          onItemRegistering: ({ id }) =>
            id === "zstd"
              ? Effect.flatMap(
                Deferred.await(itself),
                (registry) => Effect.orDie(Registry.register(registry, { id: `${id}'s companion`, ext: "" }))
              )
              : Effect.void
        })
        const hooks = RegistryHooks.make<Codec>()({
          onItemRegistering: (codec) =>
            codec.id === "zstd" ? RegistryError.reject(codec, "not allowed here") : Effect.void,
          onItemRegistered: ({ id }) => Effect.sync(() => told.push(`+${id}`)),
          onItemUnregistered: ({ id }) => Effect.sync(() => told.push(`-${id}`))
        })
        const root = tree(codecs)
        const registry = yield* make(root, {}, RegistryHooks.combine(companions, hooks))
        yield* Deferred.succeed(itself, registry)
        assert.deepStrictEqual(yield* ids(registry), ["zst", "gzip"])
        assert.deepStrictEqual(told, ["+zstd's companion", "-zstd's companion", "+zst", "+gzip"])
        assert.match(String(lines[1]), /^Warn,Left out "main" of the package "@scope\/codec-c" .* not allowed here$/)
        const strict = yield* make(root, { onFailure: "fail", filter: (one) => one.package !== "codec-d" }, hooks)
        const error = yield* Effect.flip(Registry.size(strict))
        assert.deepStrictEqual([error.code, error.owner], ["registration", "@scope/codec-c"])
        assert.include(error.message, "not allowed here")

        const checked = yield* Effect.provide(
          Registry.make<Codec>()({
            name: "codecs",
            lookup: ["id"],
            schema: Schema.Struct({ id: Schema.String, ext: Schema.String }),
            defaults: EntryPoints.defaults<Codec>({ group: "test", from: root })
          }),
          NodeServices.layer
        )
        const sound = yield* ids(checked)
        assert.deepStrictEqual(sound, ["zstd", "zst", "gzip"])
        assert.match(
          String(lines.at(-1)),
          /Left out "main" of the package "codec-e" .* does not satisfy the registry's schema/
        )
      })
    ))

  it.effect("never skips a defect: of a hook, of a lookup, or of a hook that takes back what was refused", () =>
    logged(() =>
      Effect.gen(function*() {
        const root = tree(codecs)
        const dying = yield* make(
          root,
          {},
          RegistryHooks.make<Codec>()({ onItemRegistering: () => Effect.die("boom") })
        )
        assert.isTrue(isDefect(yield* Effect.exit(Registry.size(dying))))
        assert.strictEqual(yield* Registry.state(dying), "Pending")
        // what the hook of a refused item has registered cannot be taken back
        const itself = yield* Deferred.make<typeof dying>()
        const stuck = yield* make(
          root,
          {},
          RegistryHooks.make<Codec>()({
            onItemRegistering: (codec) =>
              codec.ext === ""
                ? Effect.void
                : Effect.flatMap(Deferred.await(itself), (registry) =>
                  Effect.andThen(
                    Effect.orDie(Registry.register(registry, { id: `${codec.id}'s companion`, ext: "" })),
                    RegistryError.reject(codec, "no")
                  )),
            onItemRegistered: () => Effect.void,
            onItemUnregistered: () => Effect.die("boom")
          })
        )
        yield* Deferred.succeed(itself, stuck)
        assert.isTrue(isDefect(yield* Effect.exit(Registry.size(stuck))))
        assert.strictEqual(yield* Registry.state(stuck), "Pending")
        const registry = yield* Effect.provide(
          Registry.make<Codec>()({
            lookup: { length: Lookup.unique((one) => one.ext!.length) },
            defaults: EntryPoints.defaults<Codec>({ group: "test", from: root })
          }),
          NodeServices.layer
        )
        assert.isTrue(isDefect(yield* Effect.exit(Registry.size(registry))))
      })
    ))

  it.effect("leaves the defaults of the program, and what it makes of those of packages, to fail as ever", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const root = tree(plugin("codec-a", { main: "{ id: 'gzip', ext: '.gz' }", more: "{ id: 'br', ext: '.br' }" }))
        const entryPoints = EntryPoints.defaults<Codec>({ group: "test", from: root })
        const own = [{ id: "own", ext: ".own" }, { id: "gzip", ext: ".own-gz" }]
        // the program's own items come first: the package's is left out
        const before = yield* makeWith(Effect.map(entryPoints, (items) => [...own, ...items]))
        const result = yield* ids(before)
        assert.deepStrictEqual(result, ["own", "gzip", "br"])
        assertLines(
          lines,
          /^Warn,Left out "main" of the package "codec-a" .* is already registered by "defaults" with id = "gzip"/
        )
        assert.deepInclude(yield* Registry.explain(before, "id", "own"), { owner: "defaults" })
        assert.deepInclude(yield* Registry.explain(before, "id", "br"), { owner: "codec-a" })
        // they come last
        const after = yield* makeWith(Effect.map(entryPoints, (items) => [...items, ...own]))
        const error = yield* Effect.flip(Registry.size(after))
        assert.deepStrictEqual([error.code, error.owner], ["registration", undefined])
        const made = yield* makeWith(
          Effect.map(entryPoints, (items) => items.map((one) => ({ ...one, ext: "same" })))
        )
        assert.strictEqual((yield* Effect.flip(Registry.size(made))).code, "registration")
      })
    ))

  it.effect("registers primitives, one object that several packages offer, and equal ones", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const shared = "globalThis['test/EntryPoints/shared'] ??= { name: 'shared' }"
        const root = tree({
          ...plugin("a", { one: "'x'", two: "'y'" }),
          ...plugin("b", { one: "'x'" }),
          ...plugin("c", { one: shared, two: shared }),
          ...plugin("d", { one: shared, two: "{ name: 'plain' }" }),
          ...plugin("e", { one: "{ name: 'plain' }" })
        })
        const registry = yield* Effect.provide(
          Registry.make<unknown>()({ lookup: {}, defaults: EntryPoints.defaults({ group: "test", from: root }) }),
          NodeServices.layer
        )
        const result = yield* Registry.values(registry)
        assert.deepStrictEqual(result, ["x", "y", { name: "shared" }, { name: "plain" }])
        assertLines(
          lines,
          /Left out "one" of the package "b" .* In its way is "one" of the package "a"/,
          /Left out "two" of the package "c" .* In its way is "one" of the package "c"/,
          /Left out "one" of the package "d" .* In its way is "one" of the package "c"/,
          /Left out "one" of the package "e" .* already registered by "d"/
        )
        assert.deepStrictEqual(yield* Registry.unregisterOwner(registry, "a"), ["x", "y"])
        assert.deepStrictEqual(yield* Registry.unregisterOwner(registry, "b"), [])
      })
    ))

  it.effect("can be a stream, in batches, and belong to a registry that is populated while another is", () =>
    logged(() =>
      Effect.gen(function*() {
        const root = tree(codecs)
        const inner = yield* make(root)
        const outer = yield* Effect.provide(
          Registry.make<Codec>()({
            lookup: ["id"],
            defaults: Stream.rechunk(
              Stream.concat(
                Stream.fromIterableEffect(EntryPoints.defaults<Codec>({ group: "test", from: root })),
                Stream.fromIterableEffect(Effect.as(Effect.orDie(Registry.populate(inner)), [{ id: "last" }]))
              ),
              2
            )
          }),
          NodeServices.layer
        )
        assert.deepStrictEqual(yield* ids(outer), ["zstd", "zst", "gzip", "br", "last"])
        assert.deepStrictEqual(yield* ids(inner), ["zstd", "gzip"])
        for (const [id, owner] of [["br", "codec-e"], ["last", "defaults"]] as const) {
          assert.deepInclude(yield* Registry.explain(outer, "id", id), { owner })
        }
      })
    ))

  it.effect("is interrupted, and rolled back, while a hook looks at an item of a package", () =>
    logged(() =>
      Effect.gen(function*() {
        const looking = yield* Latch.make()
        const told: Array<string> = []
        const registry = yield* make(
          tree(codecs),
          {},
          RegistryHooks.make<Codec>()({
            onItemRegistering: ({ id }) => id === "gzip" ? Effect.andThen(looking.open, Effect.never) : Effect.void,
            onItemRegistered: ({ id }) => Effect.sync(() => told.push(`+${id}`)),
            onItemUnregistered: ({ id }) => Effect.sync(() => told.push(`-${id}`))
          })
        )
        const populating = yield* Effect.forkChild(Registry.populate(registry), { startImmediately: true })
        yield* looking.await
        yield* Fiber.interrupt(populating)
        assert.deepStrictEqual(told, ["+zstd", "-zstd"])
        assert.strictEqual(yield* Registry.state(registry), "Pending")
      })
    ))

  it.effect("publishes a population once, with one event for each item that is in", () =>
    logged(() =>
      Effect.gen(function*() {
        const registry = yield* make(tree(codecs))
        const changes = yield* Effect.forkChild(
          Stream.runCollect(Stream.take(Registry.changes(registry), 1)),
          { startImmediately: true }
        )
        yield* Registry.populate(registry)
        const [change] = yield* Fiber.join(changes)
        assert.deepStrictEqual(change!.events.map(({ _tag }) => _tag), ["Registered", "Registered", "Populated"])
        assert.strictEqual(change!.revision, 1)
      })
    ))
})
