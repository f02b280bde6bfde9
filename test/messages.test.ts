/** Every message of the library, with items, keys and names that are meant to spoil it. */
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Data,
  Effect,
  Exit,
  FileSystem,
  Layer,
  Logger,
  ManagedRuntime,
  Path,
  PlatformError,
  Redacted,
  Schema,
  Stream
} from "effect"
import {
  EntryPoints,
  Lookup,
  Registry,
  RegistryError,
  RegistryHandle,
  RegistryHooks,
  RegistryResource,
  RegistrySnapshot
} from "effect-registry"
import { RegistryLog, SharedRegistry } from "effect-registry/shared"
import { RegistryTest } from "effect-registry/testing"
import * as Fs from "node:fs"
import * as NodePath from "node:path"
import { inspect } from "node:util"

// ---------------------------------------------------------------------------------------------------------------------
// What is meant to spoil a message
// ---------------------------------------------------------------------------------------------------------------------

const secret = "SECRET"

const long = "x".repeat(1_000_000)

/** What the code of users throws surfaces as it is. */
const thrown = new Error("an item threw")

const throwing = (): never => {
  throw thrown
}

const cyclic: any = { name: "cyclic" }
cyclic.self = cyclic

/** No console can show it, whatever it is the cause of. */
const unreadable = Object.defineProperty(new Error(), "message", { get: throwing })

class Opaque {
  readonly #secret = secret
  readonly run = () => this.#secret
}

/** Items and values. None has the secret in a text that is shown for what it is. */
const values: ReadonlyArray<unknown> = [
  "plain",
  long,
  "\u001b[31mred\u001b[0m\r\n\u0000\u0007\u0085\u009b2J",
  "\u202etxt.exe\u2066\u2069\u200e\ufeff\u2028\u2029\ud800",
  undefined,
  Number.NaN,
  10n ** 200n,
  Symbol(`${long}\u001b`),
  () => secret,
  Object.assign(() => secret, { secret }),
  Redacted.make(secret),
  Redacted.make(secret, { label: "\u001b[31m" }),
  { name: "redacted", key: Redacted.make(secret), nested: { key: secret } },
  { run: () => secret, toString: () => secret, [Symbol.for("nodejs.util.inspect.custom")]: () => secret },
  Buffer.from(secret),
  { bytes: Buffer.from(secret), list: [{ secret }], map: new Map([[secret, secret]]), set: new Set([secret]) },
  new Map([[secret, secret]]),
  new Set([secret]),
  [[secret], { secret }, () => secret],
  Array.from({ length: 100_000 }, () => 1),
  { [`${long}\u001b`]: 1, "\u202e": 2 },
  { long, control: "\u001b[2J" },
  cyclic,
  Object.create(null),
  new Opaque(),
  new (Data.Class<{ readonly run: () => string }>)({ run: () => secret }),
  Effect.sync(() => secret),
  new Error("\u001b[31m one\n two"),
  unreadable,
  Object.defineProperty({}, "getter", { enumerable: true, get: throwing }),
  Object.defineProperty({}, "constructor", { enumerable: true, get: throwing }),
  { toString: throwing, toJSON: throwing, [Symbol.toPrimitive]: throwing, valueOf: throwing },
  new Proxy({}, { get: throwing, ownKeys: throwing, getPrototypeOf: throwing, has: throwing }),
  new Proxy([], { get: throwing }),
  new Date(Number.NaN)
]

/** Names of registries, attributes, owners, packages. */
const names: ReadonlyArray<string> = [
  "tools",
  long,
  "\u001b[31mred\u001b[0m\r\n",
  "\u202eslooT\u2066",
  "\ud800\"\\",
  "a name\twith  spaces",
  "__proto__"
]

// ---------------------------------------------------------------------------------------------------------------------
// Where each message comes from
// ---------------------------------------------------------------------------------------------------------------------

interface World {
  readonly name: string
  readonly attribute: string
  readonly owner: string
  readonly text: string
  readonly value: unknown
}

/** An item whose key may be anything. */
interface Item {
  readonly key: unknown
  readonly value: unknown
}

type Refuses = Effect.Effect<unknown, unknown>

/** As untyped code sees it. */
const getUntyped: any = RegistryResource.get

/** As untyped code sees it. */
const untyped: { readonly [name in keyof typeof Registry]: any } = Registry

const sharedIn = (name: string) =>
  SharedRegistry.make<any>()({ name, schema: Schema.Any, lookup: ["key"], lifetime: "cluster" } as any)

const makeIn = (world: World, more: object = {}) =>
  Registry.make<any>()({
    name: world.name,
    lookup: { [world.attribute]: Lookup.unique((item: Item) => item.key) },
    ...more
  })

const owned = (world: World) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Registry.Owner, world.owner)

const asDefaults = (defaults: unknown, more?: object) => (world: World) =>
  Effect.flatMap(
    makeIn(world, { defaults: typeof defaults === "function" ? defaults(world) : defaults, ...more }),
    Registry.size
  )

/** Files of one package, whose package.json is this. */
const installed = (world: World, manifest: string, module = "") => {
  const files = FileSystem.layerNoop({
    realPath: Effect.succeed,
    readDirectoryEntries: (path) =>
      Effect.succeed(path === "/app/node_modules" ? [{ name: "package", type: "Directory" }] : []),
    readFileString: () => Effect.succeed(manifest)
  })
  // every path leads to the module
  const toFileUrl = () => Effect.succeed(new URL(`data:text/javascript,${module}`))
  const paths = Layer.effect(Path.Path, Effect.map(Path.Path, (path) => ({ ...path, toFileUrl }))).pipe(
    Layer.provide(Path.layer)
  )
  return (onFailure: "fail" | "skip", schema: Schema.Top = Schema.Unknown) =>
    EntryPoints.defaults({ group: world.attribute, from: "/app", onFailure, schema }).pipe(
      Effect.provide(Layer.merge(files, paths))
    ) as Refuses
}

const manifestOf = (world: World, target: unknown) =>
  JSON.stringify({ entryPoints: { [world.attribute]: { [world.text]: target } } })

const entryPoint = (world: World, code: string): EntryPoints.EntryPoint => ({
  package: world.name,
  version: world.text,
  directory: world.text,
  group: world.attribute,
  name: world.text,
  module: world.text,
  export: world.attribute,
  url: `data:text/javascript,${code}`
})

const producers: { readonly [what: string]: (world: World) => Effect.Effect<unknown, unknown, any> } = {
  "an equal item": (world) =>
    Effect.gen(function*() {
      const registry = yield* makeIn(world, { lookup: {} })
      yield* owned(world)(Registry.register(registry, world.value))
      yield* Registry.register(registry, world.value)
    }),
  "a value that is taken": (world) =>
    Effect.gen(function*() {
      const registry = yield* makeIn(world)
      yield* owned(world)(Registry.register(registry, { key: 1, value: world.value }))
      yield* Registry.register(registry, { key: 1, value: [world.value] })
    }),
  "a value that is taken, as it is": (world) =>
    Effect.gen(function*() {
      const registry = yield* makeIn(world, { label: () => world.text })
      const key = world.value ?? null
      yield* Registry.register(registry, { key })
      yield* Registry.register(registry, { key, value: 1 })
    }),
  "a listener of a handle that throws, and a handle that was disposed of": (world) =>
    Effect.gen(function*() {
      const Things = Registry.Tag<unknown, Item>()(`${world.name}.`, { lookup: ["key"] })
      // with the logger of this fiber
      const context = yield* Effect.context<never>()
      const runtime = ManagedRuntime.make(Layer.provideMerge(Things.layer, Layer.succeedContext(context)))
      const handle = yield* Effect.promise(() => RegistryHandle.fromRuntime(runtime, Things))
      handle.onChange(() => {
        throw new Error("no")
      })
      yield* Effect.promise(() => handle.register({ key: 1, value: 1 }))
      yield* Effect.promise(() => handle.dispose())
      yield* Effect.sync(() => handle.size())
    }),
  "no owner": (world) => Effect.flatMap(makeIn(world), Registry.unregisterOwner("")),
  "hooks in a circle": (world) =>
    Effect.flatMap(makeIn(world), (registry) =>
      Registry.addHooks(
        registry,
        RegistryHooks.combine(
          RegistryHooks.make<Item>()({}, { name: world.text, before: `${world.text}2` }),
          RegistryHooks.make<Item>()({}, { name: `${world.text}2`, before: world.text })
        )
      )),
  "a missing attribute": (world) => Effect.flatMap(makeIn(world), Registry.register({ value: world.value })),
  "an item without a label": (world) =>
    Effect.flatMap(makeIn(world, { lookup: {} }), (registry) => Registry.unregister(registry, world.value)),
  "an invalid item": (world) =>
    Effect.flatMap(
      makeIn(world, { schema: Schema.Struct({ [world.attribute]: Schema.Literal(world.text) }) }),
      (registry) => Registry.register(registry, { [world.attribute]: world.value, key: world.text })
    ),
  "a refused item": (world) =>
    Effect.flatMap(
      makeIn(world, { hooks: { onItemRegistering: () => RegistryError.reject(world.value, world.text) } }),
      Registry.register({ key: world.text })
    ),
  "an item that cannot be acquired": (world) =>
    Effect.gen(function*() {
      const registry = yield* makeIn(world)
      yield* Registry.addHooks(registry, { acquire: () => Effect.fail(world.value) })
      yield* Registry.register(registry, { key: world.text, value: world.value })
    }),
  "a release that fails": (world) =>
    Effect.gen(function*() {
      const registry = yield* makeIn(world, {
        hooks: { acquire: () => Effect.addFinalizer(() => Effect.die(new Error("release"))) }
      })
      yield* Registry.register(registry, { key: world.text, value: world.value })
      yield* Registry.reset(registry)
    }),
  "a resource that is closed": (world) =>
    Effect.gen(function*() {
      const registry = yield* makeIn(world)
      yield* Registry.register(registry, { key: world.text, value: world.value })
      const resources = yield* Effect.scoped(RegistryResource.make(registry, () => Effect.void))
      yield* Effect.scoped(getUntyped(resources, world.attribute, world.text))
    }),
  "an item that a closing scope cannot enable": (world) =>
    Effect.gen(function*() {
      const registry = yield* makeIn(world)
      yield* Registry.register(registry, { key: world.text, value: world.value })
      yield* Effect.scoped(untyped.disableScoped(registry, world.attribute, world.text, { reason: world.text }))
      yield* Registry.addHooks(registry, { acquire: () => Effect.fail(world.value) })
      yield* Effect.scoped(untyped.disableScoped(registry, world.attribute, world.text, { reason: world.text }))
    }),
  "a disabled item": (world) =>
    Effect.gen(function*() {
      const registry = yield* makeIn(world)
      yield* Registry.register(registry, { key: world.text, value: world.value })
      yield* untyped.disable(registry, world.attribute, world.text, { reason: world.text })
      yield* Registry.get(registry, world.attribute, world.text)
    }),
  "a value that a disabled item has": (world) =>
    Effect.gen(function*() {
      const registry = yield* makeIn(world)
      yield* Registry.register(registry, { key: world.text, value: world.value })
      yield* untyped.disable(registry, world.attribute, world.text, { reason: world.text })
      yield* Registry.register(registry, { key: world.text, value: 2 })
    }),
  "a value that nobody has": (world) =>
    Effect.gen(function*() {
      const registry = yield* makeIn(world)
      yield* Registry.register(registry, { key: `${world.text.slice(0, 60)}y` })
      yield* Registry.get(registry, world.attribute, `${world.text.slice(0, 60)}z`)
    }),
  "a value that nobody has, as it is": (world) =>
    Effect.flatMap(makeIn(world), (registry) => Registry.get(registry, world.attribute, world.value)),
  "an attribute that does not exist": (world) =>
    Effect.flatMap(makeIn(world), (registry) => Registry.get(registry, `${world.text}!`, world.value)),
  "an attribute that is no name": (world) =>
    Effect.flatMap(makeIn(world), (registry) => untyped.has(registry, { value: world.value }, 1)),
  "a message of its own": (world) =>
    Effect.flatMap(
      makeIn(world, { messages: { not_registered: () => world.text } }),
      (registry) => Registry.get(registry, world.attribute, 1)
    ),
  "defaults that fail": asDefaults(({ value }: World) => Effect.fail(value)),
  "defaults that fail with an error": asDefaults(({ text }: World) => Effect.fail(new Error(text))),
  "defaults that die": asDefaults(({ value }: World) => Effect.die([value])),
  "defaults that are none": asDefaults(({ value }: World) => Effect.succeed({ value })),
  "a default that is refused": asDefaults(({ text }: World) => [{ key: text }, { key: text }]),
  "a default that a hook refuses with itself": (world) =>
    Effect.flatMap(
      makeIn(world, {
        defaults: [{ key: world.text, value: world.value }],
        hooks: { onItemRegistering: (item: Item) => Effect.fail(item) }
      }),
      Registry.size
    ),
  "a default that is left out": asDefaults(({ text, value }: World) => [{ key: text }, { key: text, value }], {
    onInvalidDefault: "skip"
  }),
  "a reconciliation of no owner": (world) =>
    Effect.flatMap(makeIn(world), (registry) => Registry.reconcile(registry, [], { owner: "" })),
  "defaults that an invariant refuses": (world) =>
    asDefaults([{ key: 1 }], { invariant: () => Effect.fail(world.value) })(world),
  "a population that is interrupted from inside": asDefaults(Effect.interrupt),
  "a population whose resources cannot be released": (world) =>
    Effect.gen(function*() {
      const defaults = Effect.as(Effect.addFinalizer(() => Effect.die(new Error("release"))), [])
      const registry = yield* makeIn(world, { defaults })
      yield* Registry.populate(registry)
      yield* Registry.reset(registry)
    }),
  "a module that cannot be loaded": (world) => lazy(world, () => Promise.reject(world.value)),
  "a module without a layer": (world) => lazy(world, () => Promise.resolve(world.value)),
  "a module with another registry": (world) =>
    lazy(world, (Tag) => Promise.resolve(Layer.fresh(Layer.effect(Tag, makeIn(world))))),
  "what cannot be written": (world) =>
    Effect.gen(function*() {
      const schema = Schema.Struct({ key: Schema.String, value: Schema.Unknown })
      const registry = yield* makeIn(world, { schema })
      const item: any = { key: world.text, value: world.value }
      yield* Registry.register(registry, item)
      item.key = world.value
      yield* RegistrySnapshot.toJson(yield* Registry.snapshot(registry))
    }),
  "what cannot be read": (world) =>
    Effect.flatMap(
      makeIn(world, { schema: Schema.Struct({ key: Schema.Literal(world.text) }) }),
      RegistrySnapshot.fromJson([{ key: [world.value], value: world.value }])
    ),
  "JSON of no list": (world) =>
    Effect.flatMap(
      makeIn(world, { schema: Schema.Struct({ key: Schema.String }) }),
      RegistrySnapshot.fromJson(world.value)
    ),
  "JSON without a schema": (world) => Effect.flatMap(makeIn(world), RegistrySnapshot.fromJson([])),
  "a subscriber that lags": (world) =>
    Effect.gen(function*() {
      const registry = yield* makeIn(world, { history: 0 })
      const { changes } = yield* Registry.subscribe(registry)
      yield* Registry.register(registry, { key: 1 })
      yield* Stream.runDrain(changes)
    }),
  "a deadlock": (world) =>
    Effect.flatMap(
      makeIn(world),
      (registry) => Registry.transact(registry, Registry.awaitItem(registry, world.attribute, 1))
    ),
  "an operation that Effect.runSync cannot wait for": (world) =>
    Effect.flatMap(
      makeIn(world, { defaults: Effect.never }),
      (registry) => Effect.sync(() => Effect.runSync(Registry.size(registry) as Effect.Effect<unknown>))
    ),
  "a registry that is closed": (world) =>
    Effect.flatMap(Effect.scoped(makeIn(world)), (registry) => Registry.get(registry, world.attribute, world.value)),
  "a lookup without a name": (world) => makeIn(world, { lookup: { "": Lookup.unique(() => 1) } }),
  "two lookups of one name": (world) => makeIn(world, { lookup: [world.attribute, world.attribute] }),
  "a lookup that is no property": (world) => makeIn(world, { lookup: [{ value: world.value }] }),
  "no lookups": (world) => makeIn(world, { lookup: world.text }),
  "a lookup that is none": (world) => makeIn(world, { lookup: { [world.attribute]: world.value } }),
  "a history that is no number": (world) => makeIn(world, { history: [world.value] }),
  "defaults of a definition that are none": (world) => makeIn(world, { defaults: { value: world.value } }),
  "a hook that is no effect": (world) =>
    Effect.flatMap(
      makeIn(world, { hooks: { onItemRegistered: () => [world.value] } }),
      Registry.register({ key: 1 })
    ),
  "a transaction of no effect": (world) =>
    Effect.flatMap(makeIn(world), (registry) => untyped.transact(registry, [world.value])),
  "a transaction of several of no effect": (world) =>
    Effect.flatMap(makeIn(world), (registry) => untyped.transactAll([registry], [world.value])),
  "a list of registries that is none": (world) => untyped.transactAll({ value: world.value }, Effect.void),
  "a list that is none": (world) =>
    Effect.flatMap(makeIn(world), (registry) => untyped.registerAll(registry, { value: world.value })),
  "what is no registry": (world) => untyped.size(world.value),
  "a layer of no tag": (world) => Effect.sync(() => untyped.layerLazy({ key: world.text }, () => undefined)),
  "a reset in which a hook registers": (world) =>
    Effect.gen(function*() {
      const registry: Registry.Registry<any, any, any, any> = yield* makeIn(world)
      yield* Registry.register(registry, { key: 1 })
      yield* Registry.addHooks(registry, {
        onItemUnregistered: () => Effect.orDie(Registry.register(registry, { key: world.text, value: world.value }))
      })
      yield* Registry.reset(registry)
    }),
  "an item that does not come back after a reset": (world) =>
    Effect.gen(function*() {
      let refusing = false
      const registry = yield* makeIn(world, {
        hooks: { onItemRegistering: (item: Item) => refusing ? Effect.fail(item) : Effect.void }
      })
      yield* Registry.registerScoped(registry, { key: world.text, value: world.value })
      refusing = true
      yield* Registry.reset(registry)
      yield* Registry.populate(registry)
    }),
  "a transaction of several in one of them": (world) =>
    Effect.gen(function*() {
      const [one, other] = [yield* makeIn(world), yield* makeIn(world)]
      yield* Registry.transact(one, Registry.transactAll([one, other], Effect.void))
    }),
  "hooks that are told in a transaction": (world) =>
    Effect.flatMap(
      makeIn(world),
      (registry) =>
        Registry.transact(
          registry,
          Registry.addHooks(registry, { onItemRegistered: () => Effect.void }, { existing: true })
        )
    ),
  "two shared registries in one transaction": (world) =>
    Effect.gen(function*() {
      const both = [yield* sharedIn(world.name), yield* sharedIn(`${world.name}.`)]
      yield* untyped.transactAll(both, Effect.void)
    }).pipe(Effect.provide(RegistryLog.layerMemory)),
  "two registries of one name": (world) => {
    const { layer } = Registry.Tag<any, any>()(world.name, { lookup: [] })
    const built = (name: string) => Effect.withSpan(Layer.build(Layer.fresh(layer)), name)
    return Effect.andThen(built(world.text), built(world.owner))
  },
  "a registry that is not as it should be": (world) =>
    Effect.gen(function*() {
      const Tag: any = Registry.Tag<any, any>()(world.name, { lookup: [] })
      const registered = Registry.register(Tag, world.value)
      yield* Effect.provide(registered, RegistryTest.layerPedantic(Tag).pipe(Layer.provideMerge(Tag.layer)) as any)
    }),
  "a package.json that is none": (world) => installed(world, world.text)("fail"),
  "a package that offers no list": (world) =>
    installed(world, JSON.stringify({ entryPoints: { [world.attribute]: world.text } }))("fail"),
  "an entry point outside of its package": (world) => installed(world, manifestOf(world, `../${world.text}`))("fail"),
  "an entry point that is none": (world) => installed(world, manifestOf(world, [world.text]))("skip"),
  "a module that is not there": (world) =>
    EntryPoints.load({
      ...entryPoint(world, ""),
      url: `file:///none/${encodeURIComponent(world.text.slice(0, 100))}.js`
    }),
  "a module that throws": (world) =>
    EntryPoints.load(entryPoint(world, `throw ${JSON.stringify(world.text.slice(0, 1000))}`)),
  "a module without the export": (world) => EntryPoints.load(entryPoint(world, "")),
  "a module with an item that is none": (world) =>
    installed(world, manifestOf(world, "./module.js"), "export default 1")("fail", Schema.Literal(world.text)),
  "packages that offer the same": (world) =>
    Effect.flatMap(
      makeIn(world, {
        lookup: {},
        defaults: installed(world, manifestOf(world, "./module.js"), "export default 1")("skip")
      }),
      Registry.size
    ),
  "a value of another copy": () =>
    untyped.size({ [Symbol.for("effect-registry/Copy")]: { version: "9.9.9", url: "file:///copy.js" } }),
  "packages that cannot be listed": (world) => {
    const failing = FileSystem.layerNoop({
      realPath: Effect.succeed,
      readDirectoryEntries: () =>
        Effect.fail(PlatformError.systemError({
          _tag: "PermissionDenied",
          module: "FileSystem",
          method: "readDirectory",
          description: world.text
        }))
    })
    return EntryPoints.defaults({ group: "group", from: "/app" }).pipe(Effect.provide(Layer.merge(failing, Path.layer)))
  }
}

/** The failure of the first use of a registry whose layer loads late. */
const lazy = (world: World, load: (Tag: any) => Promise<any>) => {
  const Tag: any = Registry.Tag<any, any>()(world.name, { lookup: [], defaults: [] })
  return Effect.provide(Registry.size(Tag), Registry.layerLazy(Tag, () => load(Tag)) as Layer.Layer<any>)
}

// ---------------------------------------------------------------------------------------------------------------------
// What becomes of them
// ---------------------------------------------------------------------------------------------------------------------

/** What was said: errors and defects, and lines of the log with their causes. */
interface Said {
  readonly errors: ReadonlyArray<unknown>
  readonly lines: ReadonlyArray<unknown>
  readonly causes: ReadonlyArray<string>
}

const saidBy = (producer: (world: World) => Effect.Effect<unknown, unknown, any>, world: World): Effect.Effect<Said> =>
  Effect.gen(function*() {
    const lines: Array<unknown> = []
    const causes: Array<string> = []
    const logger = Logger.make(({ cause, message }) => {
      lines.push(...message as ReadonlyArray<unknown>)
      causes.push(Cause.pretty(cause))
    })
    const exit = yield* Effect.exit(
      Effect.scoped(Effect.suspend(() => producer(world))) as Effect.Effect<unknown, unknown>
    ).pipe(Effect.provide(Logger.layer([logger])))
    const errors = Exit.isFailure(exit)
      ? exit.cause.reasons.flatMap((reason) =>
        reason._tag === "Fail" ? [reason.error] : reason._tag === "Die" ? [reason.defect] : []
      )
      : []
    return { errors, lines, causes }
  })

const isClean = (text: string) =>
  !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u.test(text)

const assertFine = (what: string, text: string) => {
  assert.isAtMost(text.length, 400, `${what}: ${text.slice(0, 500)}`)
  assert.isTrue(isClean(text), `${what}: ${JSON.stringify(text)}`)
  assert.notInclude(text, secret, what)
}

const worlds: ReadonlyArray<World> = values.map((value, i) => ({
  name: names[i % names.length]!,
  attribute: names[(i + Math.floor(i / 7) + 1) % names.length]!,
  owner: names[(i + 2) % names.length]!,
  text: names[(i + 3) % names.length]!,
  value
}))

/** An error of the library, and not one of users that surfaces. */
const isOurs = (error: unknown, { value }: World): boolean =>
  ![thrown, value].includes(error) && !(Array.isArray(error) && Object.is(error[0], value))

/** All that was said, for the test of what was not. */
const said = new Set<string>()

const codes = new Set<string>()

/** The longest piece of text between the parentheses that open at an index; nothing if there is no text. */
const textIn = (code: string, open: number): string | undefined => {
  let depth = 0
  let end = open
  do {
    if (code[end] === "(") depth++
    if (code[end] === ")") depth--
    end++
  } while (depth > 0)
  let inside = code.slice(open, end)
  // expressions in templates, from the inside
  for (let before = ""; before !== inside;) [before, inside] = [inside, inside.replace(/\$\{[^{}]*\}/g, "\0")]
  const pieces = Array.from(inside.matchAll(/`([^`]*)`|"([^"]*)"/g)).flatMap(([, template, string]) =>
    (template ?? string)!.split("\0")
  )
  return pieces.toSorted((a, b) => b.length - a.length).find((piece) => piece.length > 8)
}

/** A piece of the text of each error, defect and line of the log that the source makes, without those of shared registries. */
const textsInSource = (): ReadonlyArray<string> => {
  const root = NodePath.join(import.meta.dirname, "../src")
  const files = Fs.readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) =>
    /^(?!testing|shared|internal.shared).*\.ts$/.test(file)
  )
  return files.flatMap((file) => {
    const code = Fs.readFileSync(NodePath.join(root, file), "utf8").replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "")
    const sites = code.matchAll(/new (?:Type)?Error\(|\blog(?:Warning|Error)\(|\binvalid\(/g)
    return Array.from(sites).flatMap(({ 0: site, index }) => textIn(code, index + site.length - 1) ?? [])
  })
}

const classes = [
  RegistryError.AlreadyRegisteredError,
  RegistryError.RegistrationError,
  RegistryError.ItemLookupError,
  RegistryError.PopulationError,
  RegistryError.SnapshotError,
  RegistryError.RegistryLagged,
  RegistryError.DeadlockError,
  RegistryError.EntryPointError
]

describe("messages", () => {
  for (const [what, producer] of Object.entries(producers)) {
    it.effect(`${what}: short, on one line, without a secret`, () =>
      Effect.gen(function*() {
        let count = 0
        for (const world of worlds) {
          const { causes, errors, lines } = yield* saidBy(producer, world)
          for (const error of errors) {
            if (!isOurs(error, world)) continue
            assert.instanceOf(error, Error)
            const { code, message } = error as Error & { readonly code?: string }
            assertFine(what, message)
            said.add(message)
            codes.add(`${error.name} ${code}`)
            count++
            assert.notInclude(JSON.stringify(error), secret, what)
            if (world.value !== unreadable) assert.notInclude(inspect(error), secret, what)
          }
          for (const line of lines) {
            assert.isString(line)
            assertFine(what, line as string)
            said.add(line as string)
            count++
          }
          for (const cause of causes) assert.notInclude(cause, secret, what)
        }
        assert.isAbove(count, 0, "nothing was said")
      }), 60_000)
  }

  it("are all among these: every code, and every error, defect and line of the log of the source", () => {
    const missingCodes = classes.flatMap(({ fields: { code }, identifier }) =>
      ("literals" in code ? code.literals : [code.literal]).map((one) => `${identifier} ${one}`)
    ).filter((one) => !codes.has(one))
    assert.deepStrictEqual(missingCodes, [])
    const all = Array.from(said)
    const texts = textsInSource()
    assert.isAbove(texts.length, 20)
    assert.deepStrictEqual(texts.filter((text) => !all.some((message) => message.includes(text))), [])
  })
})
