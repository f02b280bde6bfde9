/**
 * The typed errors of registries. A message names the registry, the attribute, the value and its holder, and says what
 * to do.
 *
 * Every error has a `registry`, a `code` and a `message`. `options.messages` of a registry replaces the text of a code.
 * The replacement is in the field `text`, so it survives serialization. For an error class of your own, use
 * `Effect.mapError`.
 *
 * A message is one line of at most 400 characters. It names an item by its label: `options.label` of the registry, else
 * the value of its first unique lookup, else its property names. Values are cut after 80 characters, control characters
 * are escaped, and `Redacted` values are masked. A console, JSON and logs show the fields of an error in the same way.
 * Code reads the items themselves in `item` and `existing`.
 *
 * @module
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { NodeInspectSymbol } from "effect/Inspectable"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { bounded, isError, messageOf, plain, remark, show, showItem } from "./internal/store/wording.ts"

/** Takes a function instead of fields, so that bundlers can drop an unused class. */
const taggedError =
  <Self>() => <const Tag extends string, Fields extends Schema.Struct.Fields>(tag: Tag, fields: () => Fields) =>
    withShownFields(byTag(
      tag,
      Schema.TaggedError<Self>()(tag, {
        /** The name of the registry. */
        registry: Schema.String,
        /** The text that replaces the usual message, from `options.messages` of the registry. */
        text: Schema.optionalKey(Schema.String),
        ...fields()
      })
    ))

/** Lets `instanceof` know errors by their tag: a plugin may have made them with its own copy of the package. */
const byTag = <Base>(tag: string, Base: Base): Base =>
  Object.defineProperty(Base, Symbol.hasInstance, {
    value(this: { readonly prototype: object }, u: unknown): boolean {
      // a class that a user derives from one of these has instances of its own
      return u instanceof Error && Predicate.isTagged(u, tag) &&
        (Object.getPrototypeOf(this) === Base || Object.prototype.isPrototypeOf.call(this.prototype, u))
    }
  })

/** The text for the code of an error, or the one that replaces it. */
const worded = <C extends string>(
  { code, text }: { readonly code: C; readonly text?: string },
  texts: { readonly [Each in C]: string }
): string => bounded(text ?? texts[code])

const couldNotRegister = (
  { item, label, registry }: { readonly item?: unknown; readonly label?: string; readonly registry: string }
): string => `Could not register ${label ?? showItem(item)} in ${show(registry)}`

/** In JSON and in a console, errors begin with their message, and name items as it does. */
const withShownFields = <Class>(Class: Class): Class => {
  // the type of a class of an unknown Self is not known to be one
  Object.assign(Object(Class).prototype, {
    toJSON(this: Shown) {
      const cause = "cause" in this ? { cause: messageOf(this.cause) } : undefined
      return { message: this.message, ...fieldsOf(this), ...cause }
    },
    // an ordinary error, which a console shows with its stack
    [NodeInspectSymbol](this: Shown) {
      const { cause, message, name, stack = "" } = this
      const options = "cause" in this ? { cause: isError(cause) ? cause : messageOf(cause) } : undefined
      const frames = /\n +at [^]*/.exec(stack)?.[0] ?? ""
      return Object.assign(new Error(message, options), { stack: `${name}: ${message}${frames}` }, fieldsOf(this))
    }
  })
  return Class
}

interface Shown extends Error {
  readonly label?: string
  readonly existingLabel?: string
}

/** The fields as they are shown: those of items are whole only for code that reads them. */
const fieldsOf = (error: Shown): object =>
  Object.fromEntries(
    Object.entries(error)
      .filter(([field]) => !/^(?:text|label|existingLabel|cause)$/.test(field))
      .map(([field, value]) => [
        field,
        field === "item"
          ? error.label ?? showItem(value)
          : field === "existing"
          ? error.existingLabel ?? showItem(value)
          : Array.isArray(value) && field !== "value"
          ? value.map(plain)
          : plain(value)
      ])
  )

/**
 * The item cannot be registered because it, or one of its unique values, is already registered.
 *
 * `already_registered`: the same item is registered. `attribute_registered`: the item `existing` has the `value` of the
 * unique lookup `attribute`. Items that an override hides count, too. `owner` is the `Registry.Owner` of the registered
 * item, if it has one. `label` and `existingLabel` are the labels of the two items.
 *
 * **Example** (The item that has the name)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const codecs = yield* Registry.make<{ readonly name: string; readonly level: number }>()({
 *     name: "codecs",
 *     lookup: ["name"]
 *   })
 *   yield* Registry.register(codecs, { name: "gzip", level: 6 })
 *   yield* Registry.register(codecs, { name: "gzip", level: 9 })
 *   return undefined
 * })).pipe(Effect.catchTag("AlreadyRegisteredError", (error) => Effect.succeed([error.attribute, error.existing])))
 *
 * await Effect.runPromise(program) // => ["name", { name: "gzip", level: 6 }]
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class AlreadyRegisteredError
  extends /*#__PURE__*/ taggedError<AlreadyRegisteredError>()("AlreadyRegisteredError", () => ({
    code: Schema.Literals(["already_registered", "attribute_registered"]),
    item: Schema.Unknown,
    label: Schema.optionalKey(Schema.String),
    attribute: Schema.optionalKey(Schema.String),
    value: Schema.optionalKey(Schema.Unknown),
    existing: Schema.optionalKey(Schema.Unknown),
    /** The label of the registered item. */
    existingLabel: Schema.optionalKey(Schema.String),
    /** The owner of the registered item, if it has one. */
    owner: Schema.optionalKey(Schema.String),
    /** Why the registered item is disabled, if it is. */
    reason: Schema.optionalKey(Schema.String)
  }))
{
  override get message(): string {
    const start = couldNotRegister(this)
    const existing = this.existingLabel ?? showItem(this.existing)
    const by = this.owner === undefined ? "" : ` by ${show(this.owner)}`
    const key = `${this.attribute} = ${show(this.value)}`
    const disabled = this.reason === undefined ? "" : `, and disabled (${show(this.reason)})`
    return worded(this, {
      already_registered: `${start}: it is already registered${by}${disabled}.`,
      attribute_registered:
        `${start}: ${existing} is already registered${by} with ${key}${disabled}. Unregister or replace it first.`
    })
  }
}

/**
 * The item itself cannot be registered, whatever the registry contains.
 *
 * `missing_attribute`: the selector of the lookup `attribute` returned `undefined`. `invalid_item`: the item does not
 * satisfy the schema of the registry; `issue` says why. `rejected`: an `onItemRegistering` hook refused the item;
 * `reason` says why. `acquire`: an `acquire` hook of a layer or of `addHooks` failed with `cause`.
 *
 * **Example** (An item without a name)
 *
 * ```ts
 * import { Lookup, Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const themes = yield* Registry.make<{ readonly name?: string }>()({
 *     lookup: { name: Lookup.unique((theme) => theme.name) }
 *   })
 *   const error = yield* Effect.flip(Registry.register(themes, {}))
 *   return [error.code, error.attribute]
 * }))
 *
 * await Effect.runPromise(program) // => ["missing_attribute", "name"]
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class RegistrationError extends /*#__PURE__*/ taggedError<RegistrationError>()("RegistrationError", () => ({
  code: Schema.Literals(["missing_attribute", "invalid_item", "rejected", "acquire"]),
  item: Schema.Unknown,
  label: Schema.optionalKey(Schema.String),
  attribute: Schema.optionalKey(Schema.String),
  issue: Schema.optionalKey(Schema.String),
  reason: Schema.optionalKey(Schema.String),
  /** What `acquire` of a hook failed with. */
  cause: Schema.optionalKey(Schema.Unknown)
})) {
  override get message(): string {
    const start = couldNotRegister(this)
    return worded(this, {
      missing_attribute: `${start}: it has no ${show(this.attribute)}. Give it one, or make the lookup optional.`,
      invalid_item: `${start}: it does not satisfy the registry's schema. ${remark(this.issue ?? "")}`,
      rejected: `${start}: ${remark(this.reason ?? "")}`,
      acquire: `${start}: what it needs could not be acquired. ${messageOf(this.cause)}`
    })
  }
}

/**
 * The errors that keep an item from being registered.
 *
 * @category errors
 * @since 0.1.0
 */
export type RegistrationFailure = AlreadyRegisteredError | RegistrationError

/**
 * There is no such item, or no such lookup.
 *
 * `not_registered`: no item has the `value` of the lookup `attribute`; `suggestions` are near matches among its keys.
 * `invalid_attribute`: the registry has no lookup `attribute` for this operation; `suggestions` are those that fit.
 * `unregister`: the `item` to unregister is not registered. `disabled`: a rule disables the item, for `reason`.
 *
 * **Example** (A near match)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({ name: "tools", lookup: ["name"] })
 *   yield* Registry.register(tools, { name: "search" })
 *   const error = yield* Effect.flip(Registry.get(tools, "name", "serch"))
 *   return error.message
 * }))
 *
 * await Effect.runPromise(program) // => 'No item is registered in "tools" with name = "serch". Did you mean "search"?'
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class ItemLookupError extends /*#__PURE__*/ taggedError<ItemLookupError>()("ItemLookupError", () => ({
  code: Schema.Literals(["not_registered", "invalid_attribute", "unregister", "disabled"]),
  attribute: Schema.optionalKey(Schema.String),
  value: Schema.optionalKey(Schema.Unknown),
  item: Schema.optionalKey(Schema.Unknown),
  label: Schema.optionalKey(Schema.String),
  /** Why the item is disabled. */
  reason: Schema.optionalKey(Schema.String),
  suggestions: Schema.Array(Schema.String)
})) {
  override get message(): string {
    const registry = show(this.registry)
    const suggestions = this.suggestions.map(show).join(" or ")
    const question = suggestions && ` Did you mean ${suggestions}?`
    return worded(this, {
      not_registered: `No item is registered in ${registry} with ${this.attribute} = ${show(this.value)}.${question}`,
      invalid_attribute: `${registry} has no lookup ${show(this.attribute)} for this operation. ${
        suggestions ? `Use ${suggestions}.` : "It has none."
      }`,
      unregister: `Could not unregister ${this.label ?? showItem(this.item)} from ${registry}: it is not registered.`,
      disabled: `The item in ${registry} with ${this.attribute} = ${show(this.value)} is disabled: ${
        remark(this.reason ?? "")
      }`
    })
  }
}

/**
 * The registry could not be populated. It stays empty and `Pending`, and the next use tries again.
 *
 * `defaults`: the effect or stream of defaults failed. `registration`: the default `item` could not be registered, or a
 * hook refused it; `owner` is the package that offers it, if any. `invariant`: the invariant of the registry refused
 * the defaults together. `import`: the module of a late registry could not be loaded. `cause` is the error.
 *
 * **Example** (A population that fails once)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect } from "effect"
 *
 * let attempts = 0
 * const load = Effect.suspend(() => ++attempts === 1 ? Effect.fail("offline") : Effect.succeed([{ name: "de" }]))
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const locales = yield* Registry.make<{ readonly name: string }>()({ lookup: ["name"], defaults: load })
 *   const error = yield* Effect.flip(Registry.size(locales))
 *   return [error.code, error.cause, yield* Registry.size(locales)]
 * }))
 *
 * await Effect.runPromise(program) // => ["defaults", "offline", 1]
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class PopulationError<out E = unknown>
  extends /*#__PURE__*/ taggedError<PopulationError<any>>()("PopulationError", () => ({
    code: Schema.Literals(["defaults", "registration", "invariant", "import"]),
    /** The default that could not be registered. */
    item: Schema.optionalKey(Schema.Unknown),
    label: Schema.optionalKey(Schema.String),
    /** The owner of that default, if any: the package that offers it. */
    owner: Schema.optionalKey(Schema.String),
    cause: Schema.Unknown
  }))
{
  declare readonly cause: E

  override get message(): string {
    const start = `Could not populate ${show(this.registry)}:`
    const item = this.item === undefined ? "a default" : `the default ${this.label ?? showItem(this.item)}`
    const by = this.owner === undefined ? "" : ` of ${show(this.owner)}`
    const why = messageOf(this.cause)
    return worded(this, {
      defaults: `${start} its defaults failed. ${why}`,
      // an error of the registry names the item, too
      registration: `${start} ${item}${by} could not be registered: ${why.replace(`${couldNotRegister(this)}: `, "")}`,
      invariant: `${start} its invariant failed. ${why}`,
      import: `${start} its module could not be loaded. ${why}`
    })
  }
}

/**
 * A snapshot could not be written as JSON, or JSON could not be read as a snapshot.
 *
 * `encode`: the schema of the registry cannot encode the `item`. `decode`: it cannot decode the `item`, or the JSON is
 * not an array. `index` is the index of the item, and `issue` says what is wrong, with the path.
 *
 * **Example** (A language whose name is missing)
 *
 * ```ts
 * import { Registry, RegistrySnapshot } from "effect-registry"
 * import { Effect, Schema } from "effect"
 *
 * class Language extends Schema.Class<Language>("Language")({ name: Schema.String }) {}
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const languages = yield* Registry.make<Language>()({ name: "languages", lookup: ["name"], schema: Language })
 *   const error = yield* Effect.flip(RegistrySnapshot.fromJson(languages, [{ name: "C" }, { nmae: "D" }]))
 *   return error.message
 * }))
 *
 * const message = await Effect.runPromise(program)
 *
 * message // => 'Could not read [1] of the JSON for "languages", {nmae}: Missing key at ["name"]'
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class SnapshotError extends /*#__PURE__*/ taggedError<SnapshotError>()("SnapshotError", () => ({
  code: Schema.Literals(["encode", "decode"]),
  item: Schema.Unknown,
  label: Schema.optionalKey(Schema.String),
  index: Schema.optionalKey(Schema.Number),
  issue: Schema.String
})) {
  override get message(): string {
    const where = this.index === undefined ? "" : `[${this.index}] of `
    const registry = show(this.registry)
    const item = this.label ?? showItem(this.item)
    const issue = remark(this.issue)
    return worded(this, {
      encode: `Could not write ${where}${registry}, ${item}, as JSON: ${issue}`,
      decode: `Could not read ${where}the JSON for ${registry}, ${item}: ${issue}`
    })
  }
}

/**
 * A subscriber is further behind than the history of the registry: `missed` changes are gone. Subscribe again for a new
 * snapshot. The option `history` of the registry sets how many changes it keeps.
 *
 * **Example** (Following again from a fresh snapshot)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { Effect, Stream } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<string>()({ name: "tools", lookup: [], history: 2 })
 *   const { changes } = yield* Registry.subscribe(tools)
 *   for (const name of ["search", "fetch", "edit"]) yield* Registry.register(tools, name)
 *   const error = yield* Effect.flip(Stream.runDrain(changes))
 *   const again = yield* Registry.subscribe(tools)
 *   return [error._tag, error.missed, Array.from(again.snapshot)]
 * }))
 *
 * await Effect.runPromise(program) // => ["RegistryLagged", 1, ["search", "fetch", "edit"]]
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class RegistryLagged extends /*#__PURE__*/ taggedError<RegistryLagged>()("RegistryLagged", () => ({
  code: Schema.Literal("lagged"),
  missed: Schema.Number
})) {
  override get message(): string {
    return worded(this, {
      lagged: `A subscriber of ${show(this.registry)} is too far behind: ${this.missed} change(s) are gone, ` +
        "or it asked for a revision that does not exist. " +
        "Subscribe again for a fresh snapshot, or give the registry a longer history."
    })
  }
}

/**
 * A shared registry could not use its log.
 *
 * `store`: the log could not be read, or it refused the record; nothing was written. `unknown_outcome`: the log did not
 * answer in time, and the change may be in: whole or not at all. If it is, it appears as any change does. `contended`: other
 * processes were first too many times. `read_only`: this version of the program cannot read all that the log has.
 * `too_large`: the change is larger than a record of this log may be. `operation` is what was to be done, `record` the id
 * of the record, `attempts` how often it was tried.
 *
 * **Example** (A log that refuses)
 *
 * ```ts
 * import { Effect, Layer, Schema } from "effect"
 * import { RegistryLog, SharedRegistry } from "effect-registry/shared"
 *
 * class Tools extends SharedRegistry.Service<Tools, string>()("app/Tools", {
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "cluster"
 * }) {}
 *
 * const refused = Effect.fail(new RegistryLog.LogError({ cause: new Error("disk full"), definite: true }))
 *
 * const refusing = Layer.effect(
 *   RegistryLog.RegistryLog,
 *   Effect.map(RegistryLog.RegistryLog, (log) => ({ ...log, append: () => refused }))
 * ).pipe(Layer.provide(RegistryLog.layerMemory))
 *
 * const program = Tools.register("search").pipe(
 *   Effect.catchTag("RegistryUnavailable", (error) => Effect.succeed([error.code, error.operation])),
 *   Effect.provide(Tools.layer.pipe(Layer.provide(refusing)))
 * )
 *
 * await Effect.runPromise(program) // => ["store", "populate"]
 * ```
 *
 * @category errors
 * @since 0.2.0
 */
export class RegistryUnavailable
  extends /*#__PURE__*/ taggedError<RegistryUnavailable>()("RegistryUnavailable", () => ({
    code: Schema.Literals(["store", "unknown_outcome", "contended", "read_only", "too_large"]),
    operation: Schema.String,
    record: Schema.optionalKey(Schema.String),
    attempts: Schema.optionalKey(Schema.Number),
    cause: Schema.optionalKey(Schema.Unknown)
  }))
{
  override get message(): string {
    const what = `${this.operation} of the shared registry ${show(this.registry)}`
    const why = this.cause === undefined ? "" : ` ${messageOf(this.cause)}`
    return worded(this, {
      store: `Could not carry out ${what}: its log cannot be used, and nothing was written.${why}`,
      unknown_outcome: `The log did not answer in time, so it is not known whether ${what} is in. ` +
        `If it is, it appears as a change. Look, before you try again.${why}`,
      contended: `Gave up ${what}: other processes were first ${this.attempts ?? 0} times. ` +
        "Nothing was written. Try again, or change less in one transaction that reads.",
      read_only: `Could not carry out ${what}: this version of the program cannot read all that its log has.${why}`,
      too_large: `Could not carry out ${what}: it is larger than a record may be. Change fewer items at once.${why}`
    })
  }
}

/**
 * The wait of a fiber would never end, because other fibers wait for it in a circle. It is a defect: the program is
 * wrong.
 *
 * `chain` lists the registries that wait for each other. `waits` lists the operations: each waits for the next, and the
 * last for the first. A transaction is assumed to wait for everything that runs in it, child fibers included. Run an
 * effect that it does not wait for with `Registry.detached`.
 *
 * **Example** (A transaction that waits for its own item)
 *
 * ```ts
 * import { Registry, RegistryError } from "effect-registry"
 * import { Cause, Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const tools = yield* Registry.make<{ readonly name: string }>()({ name: "tools", lookup: ["name"] })
 *   const waiting = Registry.transact(tools, Registry.awaitItem(tools, "name", "search"))
 *   return yield* Effect.catchCause(waiting, (cause) => Effect.succeed(Cause.squash(cause)))
 * }))
 *
 * const error = await Effect.runPromise(program)
 *
 * error instanceof RegistryError.DeadlockError && error.chain // => ["tools"]
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class DeadlockError extends /*#__PURE__*/ taggedError<DeadlockError>()("DeadlockError", () => ({
  code: Schema.Literal("deadlock"),
  chain: Schema.Array(Schema.String),
  waits: Schema.Array(
    Schema.Struct({ registry: Schema.String, operation: Schema.String })
  )
})) {
  override get message(): string {
    const [first, ...rest] = this.waits.map(({ operation, registry }) => `${show(operation)} of ${show(registry)}`)
    const circle = [...rest, "the first"].join(", which waits for ")
    return worded(this, {
      deadlock: `${bounded(`Deadlock: ${first} waits for ${circle}.`, 280)} ` +
        "A transaction is assumed to wait for everything that it starts; run it with Registry.detached if it does not."
    })
  }
}

/**
 * An installed package offers something that cannot be used.
 *
 * `invalid_package`: its package.json cannot be read or is malformed. `invalid_path`: the entry point does not name a
 * module inside the package. `import`: the module does not exist, or throws. `missing_export`: the module does not have
 * the export. `invalid_item`: the export does not satisfy the schema.
 *
 * **Example** (Saying which package is broken)
 *
 * ```ts
 * import { EntryPoints } from "effect-registry"
 * import { Effect, FileSystem, Layer, Path } from "effect"
 *
 * // one package is installed
 * const files = FileSystem.layerNoop({
 *   realPath: Effect.succeed,
 *   readDirectoryEntries: (path) =>
 *     Effect.succeed(path === "/app/node_modules" ? [{ name: "app-codecs", type: "Directory" }] : []),
 *   readFileString: (path) =>
 *     Effect.succeed(path.includes("app-codecs") ? '{ "entryPoints": { "app.codecs": { "gzip": "../codecs.js" } } }' : "{}")
 * })
 *
 * const program = EntryPoints.defaults({ group: "app.codecs", from: "/app", onFailure: "fail" }).pipe(
 *   Effect.catchTag("EntryPointError", (error) => Effect.succeed([error.code, error.entryPoint, error.package])),
 *   Effect.provide(Layer.merge(files, Path.layer))
 * )
 *
 * await Effect.runPromise(program) // => ["invalid_path", "gzip", "app-codecs"]
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class EntryPointError extends /*#__PURE__*/ withShownFields(
  /*#__PURE__*/ byTag(
    "EntryPointError",
    /*#__PURE__*/ Schema.TaggedError<EntryPointError>()("EntryPointError", {
      code: /*#__PURE__*/ Schema.Literals([
        "invalid_package",
        "invalid_path",
        "import",
        "missing_export",
        "invalid_item"
      ]),
      /** The name that the package is installed under. */
      package: Schema.String,
      group: Schema.String,
      /** The name of the entry point. Absent if the package.json is invalid. */
      entryPoint: /*#__PURE__*/ Schema.optionalKey(Schema.String),
      module: /*#__PURE__*/ Schema.optionalKey(Schema.String),
      issue: /*#__PURE__*/ Schema.optionalKey(Schema.String),
      cause: /*#__PURE__*/ Schema.optionalKey(Schema.Unknown)
    })
  )
) {
  override get message(): string {
    const why = this.issue === undefined ? messageOf(this.cause) : remark(this.issue)
    const offered = `the package ${show(this.package)}`
    const group = show(this.group)
    const start = `Could not load ${show(this.entryPoint)} of ${offered} for ${group}`
    const module = `its module ${show(this.module)}`
    return worded(this, {
      invalid_package: `Could not find what ${offered} offers for ${group} in its package.json. ${why}`,
      invalid_path: `${start}: it does not name a module inside the package. Name a path that begins with "./". ${why}`,
      import: `${start}: ${module} could not be imported. ${why}`,
      missing_export: `${start}: ${module} does not export it. ${why}`,
      invalid_item: `${start}: its export does not satisfy the schema. ${why}`
    })
  }
}

/**
 * Every error of a registry.
 *
 * @category errors
 * @since 0.1.0
 */
export type RegistryError =
  | RegistrationFailure
  | ItemLookupError
  | PopulationError
  | SnapshotError
  | RegistryLagged
  | RegistryUnavailable
  | DeadlockError

/**
 * The codes of all errors.
 *
 * @category errors
 * @since 0.1.0
 */
export type Code = RegistryError["code"]

/**
 * Texts that replace the usual messages, by code. A function that throws leaves the usual message.
 *
 * @category models
 * @since 0.1.0
 */
export type Messages = {
  readonly [C in Code]?: (error: Details<RegistryError, C>) => string
}

/** The fields of the errors that have a code. */
type Details<E extends RegistryError, C extends Code> = E extends { readonly code: infer K }
  ? C extends K ? Omit<E, "message" | "text" | "name" | "stack" | "code"> & { readonly code: C } : never
  : never

/**
 * Refuses an item in an `onItemRegistering` hook. The registry adds its name to the error.
 *
 * It fails at once. The operation that called the hook fails with the error and is rolled back, as if it were
 * interrupted.
 *
 * **Example** (A hook that refuses reserved names)
 *
 * ```ts
 * import { Registry, RegistryError, RegistryHooks } from "effect-registry"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const registry = yield* Registry.make<{ readonly name: string }>()({
 *     name: "plugins",
 *     lookup: ["name"],
 *     hooks: RegistryHooks.make<{ readonly name: string }>()({
 *       onItemRegistering: (item) =>
 *         item.name.startsWith("x-") ? RegistryError.reject(item, "x- names are reserved") : Effect.void
 *     })
 *   })
 *   const error = yield* Effect.flip(Registry.register(registry, { name: "x-mine" }))
 *   return [error.registry, error.code]
 * }))
 *
 * await Effect.runPromise(program) // => ["plugins", "rejected"]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const reject = (item: unknown, reason: string): Effect.Effect<never, RegistrationError> =>
  Effect.suspend(() => Effect.fail(new RegistrationError({ registry: "", code: "rejected", item, reason })))
