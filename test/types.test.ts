/* Only tsc looks at these programs: most are never run. */
import { assert, describe, it } from "@effect/vitest"
import { type Cause, Context, Effect, Layer, ManagedRuntime, type Option, Schema, type Scope, Stream } from "effect"
import {
  Lookup,
  Registry,
  RegistryAtom,
  RegistryError,
  RegistryEvent,
  RegistryHandle,
  RegistryHooks,
  RegistryMetrics,
  RegistrySnapshot
} from "effect-registry"
import { type AsyncResult, Atom } from "effect/reactivity"
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, beforeAll, expectTypeOf } from "vitest"

class Language extends Schema.Class<Language>("Language")({
  id: Schema.Number,
  name: Schema.String,
  aliases: Schema.Array(Schema.String),
  extensions: Schema.Array(Schema.String)
}) {}

class Boom {
  readonly _tag = "Boom"
}

class Veto {
  readonly _tag = "Veto"
}

class Database extends Context.Service<Database, { readonly load: Effect.Effect<ReadonlyArray<Language>, Boom> }>()(
  "types/Database"
) {}

class Log extends Context.Service<Log, { readonly say: (text: string) => Effect.Effect<void> }>()("types/Log") {}

class Clerk extends Context.Service<Clerk, { readonly allow: (item: unknown) => Effect.Effect<void, Veto> }>()(
  "types/Clerk"
) {}

type RegistrationFailure = RegistryError.RegistrationFailure
type ItemLookupError = RegistryError.ItemLookupError
type PopulationError<E = never> = RegistryError.PopulationError<E | RegistrationFailure>

const lookup = {
  id: Lookup.unique((language: Language) => language.id),
  name: Lookup.unique((language: Language) => language.name),
  alias: Lookup.uniqueEach((language: Language) => language.aliases),
  extension: Lookup.groupEach((language: Language) => language.extensions),
  first: Lookup.group((language: Language) => language.name[0])
}

const makePlain = Registry.make<Language>()({ lookup })

class Languages extends Registry.Service<Languages, Language>()("types/Languages", {
  schema: Language,
  lookup,
  defaults: Effect.flatMap(Database, (database) => database.load)
}) {}

class Tags extends Registry.Tag<Tags, Language>()("types/Tags", {
  lookup,
  defaults: Effect.flatMap(Database, (database) => database.load)
}) {}

declare const registry: Effect.Success<typeof makePlain>
const language = new Language({ id: 1, name: "TypeScript", aliases: [], extensions: [] })
declare const snapshot: RegistrySnapshot.RegistrySnapshot<Language, typeof lookup>

/** Checked, and never run. */
const never: (program: (...args: never) => unknown) => void = () => {}

const fail = () => Effect.fail(new Boom())

/** What an effect needs. Nobody runs it. */
const needs = <R>(effect: Effect.Effect<unknown, unknown, R>): R => effect as never

const first = <Item, Lookups, P, V, R>(self: Registry.RegistryOrService<Item, Lookups, P, V, R>) => Registry.at(self, 0)

describe("types", () => {
  it("an unknown attribute is a compile error", () => {
    never(() => [
      // @ts-expect-error
      Registry.get(registry, "nope", 1),
      // @ts-expect-error
      Registry.getOption(registry, "nope", 1),
      // @ts-expect-error
      Registry.getAll(registry, "nope", 1),
      // @ts-expect-error
      Registry.has(registry, "nope", 1),
      // @ts-expect-error
      Registry.unregisterBy(registry, "nope", 1),
      // @ts-expect-error
      Registry.replace(registry, "nope", 1, language),
      // @ts-expect-error
      registry.pipe(Registry.get("nope", 1)),
      // @ts-expect-error
      registry.pipe(Registry.getOption("nope", 1)),
      // @ts-expect-error
      registry.pipe(Registry.getAll("nope", 1)),
      // @ts-expect-error
      registry.pipe(Registry.has("nope", 1)),
      // @ts-expect-error
      registry.pipe(Registry.unregisterBy("nope", 1)),
      // @ts-expect-error
      registry.pipe(Registry.replace("nope", 1, language)),
      // @ts-expect-error
      Languages.get("nope", 1),
      // @ts-expect-error
      Languages.getOption("nope", 1),
      // @ts-expect-error
      Languages.getAll("nope", 1),
      // @ts-expect-error
      Languages.has("nope", 1),
      // @ts-expect-error
      Languages.unregisterBy("nope", 1),
      // @ts-expect-error
      Languages.replace("nope", 1, language),
      // @ts-expect-error
      RegistrySnapshot.get(snapshot, "nope", 1),
      // @ts-expect-error
      RegistrySnapshot.getAll(snapshot, "nope", 1),
      // @ts-expect-error
      RegistrySnapshot.has(snapshot, "nope", 1),
      // @ts-expect-error
      snapshot.pipe(RegistrySnapshot.get("nope", 1)),
      // @ts-expect-error
      snapshot.pipe(RegistrySnapshot.getAll("nope", 1)),
      // @ts-expect-error
      snapshot.pipe(RegistrySnapshot.has("nope", 1)),
      // @ts-expect-error: one of the two is none
      registry.pipe(Registry.getAll(null as unknown as "id" | "nope", 1)),
      // @ts-expect-error
      snapshot.pipe(RegistrySnapshot.has(null as unknown as "id" | "nope", 1))
    ])
  })

  it("a value of the wrong type is a compile error", () => {
    never(() => [
      // @ts-expect-error
      Registry.get(registry, "id", "1"),
      // @ts-expect-error
      Registry.get(registry, "name", 1),
      // @ts-expect-error
      Registry.get(registry, "alias", ["ts"]),
      // @ts-expect-error
      Registry.getOption(registry, "id", "1"),
      // @ts-expect-error
      Registry.getAll(registry, "extension", 1),
      // @ts-expect-error
      Registry.has(registry, "extension", [".ts"]),
      // @ts-expect-error
      Registry.unregisterBy(registry, "id", "1"),
      // @ts-expect-error
      Registry.replace(registry, "id", "1", language),
      // @ts-expect-error
      Registry.replace(registry, "id", 1, { id: 1 }),
      // @ts-expect-error
      Registry.register(registry, { id: 1 }),
      // @ts-expect-error
      Registry.registerAll(registry, [{ id: 1 }]),
      // @ts-expect-error
      Registry.upsert(registry, "TypeScript"),
      // @ts-expect-error
      Registry.unregister(registry, 1),
      // @ts-expect-error
      Registry.contains(registry, 1),
      // @ts-expect-error
      Registry.at(registry, "0"),
      // @ts-expect-error
      registry.pipe(Registry.get("id", "1")),
      // @ts-expect-error
      registry.pipe(Registry.getOption("id", "1")),
      // @ts-expect-error
      registry.pipe(Registry.getAll("extension", 1)),
      // @ts-expect-error
      registry.pipe(Registry.has("extension", [".ts"])),
      // @ts-expect-error
      registry.pipe(Registry.unregisterBy("id", "1")),
      // @ts-expect-error
      registry.pipe(Registry.replace("id", "1", language)),
      // @ts-expect-error
      registry.pipe(Registry.replace("id", 1, { id: 1 })),
      // @ts-expect-error
      registry.pipe(Registry.register({ id: 1 })),
      // @ts-expect-error
      registry.pipe(Registry.registerAll([{ id: 1 }])),
      // @ts-expect-error
      registry.pipe(Registry.registerScoped({ id: 1 })),
      // @ts-expect-error
      registry.pipe(Registry.upsert("TypeScript")),
      // @ts-expect-error
      registry.pipe(Registry.unregister(1)),
      // @ts-expect-error
      registry.pipe(Registry.contains(1)),
      // @ts-expect-error
      Languages.get("id", "1"),
      // @ts-expect-error
      Languages.getOption("id", "1"),
      // @ts-expect-error
      Languages.getAll("extension", 1),
      // @ts-expect-error
      Languages.has("extension", [".ts"]),
      // @ts-expect-error
      Languages.unregisterBy("id", "1"),
      // @ts-expect-error
      Languages.replace("id", "1", language),
      // @ts-expect-error
      Languages.replace("id", 1, { id: 1 }),
      // @ts-expect-error
      Languages.register({ id: 1 }),
      // @ts-expect-error
      Languages.items([{ id: 1 }]),
      // @ts-expect-error
      Languages.items(language),
      // @ts-expect-error
      RegistrySnapshot.get(snapshot, "id", "1"),
      // @ts-expect-error
      snapshot.pipe(RegistrySnapshot.get("id", "1")),
      // @ts-expect-error
      snapshot.pipe(RegistrySnapshot.getAll("extension", 1))
    ])
  })

  it("one item by a group is a compile error", () => {
    never(() => [
      // @ts-expect-error
      Registry.get(registry, "extension", ".ts"),
      // @ts-expect-error
      Registry.getOption(registry, "extension", ".ts"),
      // @ts-expect-error
      Registry.unregisterBy(registry, "extension", ".ts"),
      // @ts-expect-error
      Registry.replace(registry, "extension", ".ts", language),
      // @ts-expect-error
      Registry.get(registry, "first", "T"),
      // @ts-expect-error
      registry.pipe(Registry.get("extension", ".ts")),
      // @ts-expect-error
      registry.pipe(Registry.getOption("extension", ".ts")),
      // @ts-expect-error
      registry.pipe(Registry.unregisterBy("extension", ".ts")),
      // @ts-expect-error
      registry.pipe(Registry.replace("extension", ".ts", language)),
      // @ts-expect-error
      Languages.get("extension", ".ts"),
      // @ts-expect-error
      Languages.getOption("extension", ".ts"),
      // @ts-expect-error
      Languages.unregisterBy("extension", ".ts"),
      // @ts-expect-error
      Languages.replace("extension", ".ts", language),
      // @ts-expect-error
      RegistrySnapshot.get(snapshot, "extension", ".ts"),
      // @ts-expect-error
      snapshot.pipe(RegistrySnapshot.get("extension", ".ts"))
    ])
  })

  it("a misspelt option is a compile error", () => {
    never(() => [
      // @ts-expect-error
      Registry.make<Language>()({ lookup, default: [] }),
      // @ts-expect-error
      Registry.make<Language>()({ lookups: lookup }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup, populationFailures: "die" }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup, populationFailure: "dies" }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup, schema: Schema.String }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup, messages: { not_registerd: () => "" } }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup, messages: { not_registered: () => 5 } }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup, defaults: ["TypeScript"] }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup, defaults: 5 }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup, defaults: Effect.succeed(5) }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup, defaults: Effect.succeed(["TypeScript"]) }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup, defaults: Stream.make("TypeScript") }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup, history: "1" }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup: ["nope"] }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup: { id: (item: Language) => item.id } }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup: { id: Lookup.unique((item: { readonly other: string }) => item.other) } }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup, hooks: { onItemRegister: () => Effect.void } }),
      // @ts-expect-error
      Registry.Service<Languages, Language>()("x", { lookup, default: [] }),
      // @ts-expect-error
      Registry.Service<Languages, Language>()("x", { lookups: lookup }),
      // @ts-expect-error
      Registry.Service<Languages, Language>()("x", { lookup, populationFailure: "dies" }),
      // @ts-expect-error
      Registry.Service<Languages, Language>()("x", { lookup, name: "y" }),
      // @ts-expect-error
      Registry.Service<Languages, Language>()("x", { lookup: ["nope"] }),
      // @ts-expect-error
      Registry.Service<Languages, Language>()("x", { lookup, hooks: { onItemRegister: () => Effect.void } }),
      // @ts-expect-error
      RegistryHooks.make<Language>()({ onItemRegister: () => Effect.void }),
      // @ts-expect-error
      RegistryHooks.layer(Languages, { onItemRegister: () => Effect.void }),
      // @ts-expect-error
      Registry.addHooks(registry, { onItemRegister: () => Effect.void }),
      // @ts-expect-error
      Registry.addHooks(registry, {}, { exists: true }),
      // @ts-expect-error
      RegistryHooks.make<Language>()({}, { order: 1 }),
      // @ts-expect-error
      RegistryHooks.make<Language>()({ name: "a" }),
      // @ts-expect-error
      RegistryHooks.layer(Languages, {}, { behind: "a" }),
      // @ts-expect-error
      RegistryHooks.layer(Languages, { after: "a" }),
      // @ts-expect-error
      Registry.addHooks(registry, {}, { before: 1 }),
      // @ts-expect-error
      Languages.addHooks({}, { existing: true, names: "a" })
    ])
  })

  it("operations answer with the types of API.md, data-first and data-last", () => {
    never(() => {
      expectTypeOf(Registry.get(registry, "id", 1)).toEqualTypeOf<Effect.Effect<Language, ItemLookupError>>()
      expectTypeOf(Registry.get(registry, "alias", "ts")).toEqualTypeOf<Effect.Effect<Language, ItemLookupError>>()
      expectTypeOf(registry.pipe(Registry.get("id", 1))).toEqualTypeOf<Effect.Effect<Language, ItemLookupError>>()
      expectTypeOf(Registry.getOption(registry, "id", 1)).toEqualTypeOf<Effect.Effect<Option.Option<Language>>>()
      expectTypeOf(registry.pipe(Registry.getOption("id", 1))).toEqualTypeOf<Effect.Effect<Option.Option<Language>>>()
      expectTypeOf(Registry.getAll(registry, "extension", ".ts")).toEqualTypeOf<
        Effect.Effect<ReadonlyArray<Language>>
      >()
      expectTypeOf(Registry.getAll(registry, "id", 1)).toEqualTypeOf<Effect.Effect<ReadonlyArray<Language>>>()
      expectTypeOf(registry.pipe(Registry.getAll("extension", ".ts"))).toEqualTypeOf<
        Effect.Effect<ReadonlyArray<Language>>
      >()
      expectTypeOf(Registry.has(registry, "first", "T")).toEqualTypeOf<Effect.Effect<boolean>>()
      expectTypeOf(registry.pipe(Registry.has("first", "T"))).toEqualTypeOf<Effect.Effect<boolean>>()
      expectTypeOf(Registry.contains(registry, language)).toEqualTypeOf<Effect.Effect<boolean>>()
      expectTypeOf(registry.pipe(Registry.contains(language))).toEqualTypeOf<Effect.Effect<boolean>>()
      expectTypeOf(Registry.size(registry)).toEqualTypeOf<Effect.Effect<number>>()
      expectTypeOf(registry.pipe(Registry.size)).toEqualTypeOf<Effect.Effect<number>>()
      expectTypeOf(registry.pipe(Registry.values)).toEqualTypeOf<Effect.Effect<ReadonlyArray<Language>>>()
      expectTypeOf(Registry.at(registry, -1)).toEqualTypeOf<Effect.Effect<Option.Option<Language>>>()
      expectTypeOf(registry.pipe(Registry.at(-1))).toEqualTypeOf<Effect.Effect<Option.Option<Language>>>()
      expectTypeOf(Registry.snapshot(registry)).toEqualTypeOf<Effect.Effect<typeof snapshot>>()
      expectTypeOf(Registry.snapshotUnsafe(registry)).toEqualTypeOf<typeof snapshot>()
      expectTypeOf(Registry.state(registry)).toEqualTypeOf<Effect.Effect<"Pending" | "Populating" | "Ready">>()
      expectTypeOf(Registry.populated(registry)).toEqualTypeOf<Effect.Effect<boolean>>()

      expectTypeOf(Registry.register(registry, language)).toEqualTypeOf<Effect.Effect<void, RegistrationFailure>>()
      expectTypeOf(registry.pipe(Registry.register(language))).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure>
      >()
      expectTypeOf(Registry.registerAll(registry, new Set([language]))).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure>
      >()
      expectTypeOf(registry.pipe(Registry.registerAll([language]))).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure>
      >()
      expectTypeOf(registry.pipe(Registry.upsert(language))).toEqualTypeOf<Effect.Effect<void, RegistrationFailure>>()
      expectTypeOf(registry.pipe(Registry.registerScoped(language))).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure, Scope.Scope>
      >()
      expectTypeOf(registry.pipe(Registry.registerAllScoped([language]))).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure, Scope.Scope>
      >()
      expectTypeOf(registry.pipe(Registry.unregister(language))).toEqualTypeOf<Effect.Effect<void, ItemLookupError>>()
      expectTypeOf(registry.pipe(Registry.unregisterBy("id", 1))).toEqualTypeOf<
        Effect.Effect<void, ItemLookupError>
      >()
      expectTypeOf(Registry.replace(registry, "id", 1, language)).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure | ItemLookupError>
      >()
      expectTypeOf(registry.pipe(Registry.replace("id", 1, language))).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure | ItemLookupError>
      >()
      expectTypeOf(Registry.transact(registry, Effect.flatMap(Log, () => Effect.fail(new Boom())))).toEqualTypeOf<
        Effect.Effect<never, Boom, Log>
      >()
      expectTypeOf(registry.pipe(Registry.transact(Effect.succeed(1)))).toEqualTypeOf<Effect.Effect<number>>()
      expectTypeOf(Registry.detached(Effect.fail(new Boom()))).toEqualTypeOf<Effect.Effect<never, Boom>>()
      expectTypeOf(Registry.populate(registry)).toEqualTypeOf<Effect.Effect<void>>()
      expectTypeOf(Registry.reset(registry)).toEqualTypeOf<Effect.Effect<void>>()

      expectTypeOf(RegistrySnapshot.get(snapshot, "id", 1)).toEqualTypeOf<Option.Option<Language>>()
      expectTypeOf(snapshot.pipe(RegistrySnapshot.get("id", 1))).toEqualTypeOf<Option.Option<Language>>()
      expectTypeOf(snapshot.pipe(RegistrySnapshot.getAll("extension", ".ts"))).toEqualTypeOf<ReadonlyArray<Language>>()
      expectTypeOf(snapshot.pipe(RegistrySnapshot.has("id", 1))).toEqualTypeOf<boolean>()
      expectTypeOf(RegistrySnapshot.at(snapshot, 0)).toEqualTypeOf<Option.Option<Language>>()
      expectTypeOf([...snapshot]).toEqualTypeOf<Array<Language>>()
    })
  })

  it("atoms have the items and the errors of the registry and of the runtime, and take what the runtime provides", () => {
    never(() => {
      const runtime = Atom.runtime(Languages.layer.pipe(Layer.provide(Layer.effect(Database, fail()))))
      const local = Atom.runtime(Layer.empty)
      type Of<A, E> = Atom.Atom<AsyncResult.AsyncResult<A, E | Cause.NoSuchElementError>>
      expectTypeOf(RegistryAtom.values(runtime, Languages)).toEqualTypeOf<
        Of<ReadonlyArray<Language>, PopulationError<Boom> | Boom>
      >()
      expectTypeOf(RegistryAtom.item(runtime, Languages, "alias", "ts")).toEqualTypeOf<
        Of<Option.Option<Language>, PopulationError<Boom> | Boom>
      >()
      expectTypeOf(RegistryAtom.values(local, registry)).toEqualTypeOf<Of<ReadonlyArray<Language>, never>>()
      expectTypeOf(RegistryAtom.item(local, registry, "id", 1)).toEqualTypeOf<Of<Option.Option<Language>, never>>()
      // @ts-expect-error: the runtime does not provide it
      RegistryAtom.values(local, Languages)
      // @ts-expect-error
      RegistryAtom.item(local, Languages, "id", 1)
      // @ts-expect-error
      RegistryAtom.item(runtime, Languages, "nope", 1)
      // @ts-expect-error
      RegistryAtom.item(runtime, Languages, "id", "1")
      // @ts-expect-error: by a group there is no one item
      RegistryAtom.item(runtime, Languages, "extension", ".ts")
    })
  })

  it("handles have the types of the registry, without a cast", () => {
    never(async () => {
      const database = Layer.effect(Database, fail())
      const handle = await RegistryHandle.make(Languages, Languages.layer.pipe(Layer.provideMerge(database)))
      expectTypeOf(handle).toEqualTypeOf<RegistryHandle.RegistryHandle<Language, typeof lookup>>()
      expectTypeOf(handle.get("alias", "ts")).toEqualTypeOf<Language>()
      expectTypeOf(handle.find("id", 1)).toEqualTypeOf<Language | undefined>()
      expectTypeOf(handle.values()).toEqualTypeOf<ReadonlyArray<Language>>()
      expectTypeOf(handle.size()).toEqualTypeOf<number>()
      expectTypeOf(handle.snapshot()).toEqualTypeOf<typeof snapshot>()
      expectTypeOf(handle.register(language)).toEqualTypeOf<Promise<void>>()
      expectTypeOf(handle.registerAll(new Set([language]))).toEqualTypeOf<Promise<void>>()
      expectTypeOf(handle.upsert(language)).toEqualTypeOf<Promise<void>>()
      expectTypeOf(handle.unregister(language)).toEqualTypeOf<Promise<void>>()
      expectTypeOf(handle.unregisterBy("id", 1)).toEqualTypeOf<Promise<void>>()
      expectTypeOf(handle.unregisterOwner("web")).toEqualTypeOf<Promise<ReadonlyArray<Language>>>()
      expectTypeOf(handle.replace("id", 1, language)).toEqualTypeOf<Promise<void>>()
      expectTypeOf(handle.reconcile([language])).toEqualTypeOf<Promise<Registry.Reconciled<Language>>>()
      expectTypeOf(handle.populate()).toEqualTypeOf<Promise<void>>()
      expectTypeOf(handle.reset()).toEqualTypeOf<Promise<void>>()
      expectTypeOf(handle.dispose()).toEqualTypeOf<Promise<void>>()
      const stop = handle.onChange((change) => {
        expectTypeOf(change).toEqualTypeOf<RegistryEvent.RegistryChange<Language, typeof lookup>>()
        expectTypeOf(RegistrySnapshot.get(change.snapshot, "id", 1)).toEqualTypeOf<Option.Option<Language>>()
      })
      expectTypeOf(stop).toEqualTypeOf<() => void>()
      await using disposable = handle
      expectTypeOf(disposable).toEqualTypeOf<typeof handle>()

      const runtime = ManagedRuntime.make(Languages.layer.pipe(Layer.provideMerge(database)))
      expectTypeOf(RegistryHandle.fromRuntime(runtime, Languages)).toEqualTypeOf<Promise<typeof handle>>()
      expectTypeOf(RegistryHandle.fromRuntime(runtime, registry)).toEqualTypeOf<Promise<typeof handle>>()
      expectTypeOf(RegistryHandle.make(Tags, Tags.layer.pipe(Layer.provide(database)))).toEqualTypeOf<
        Promise<typeof handle>
      >()

      // @ts-expect-error
      handle.get("nope", 1)
      // @ts-expect-error
      handle.find("id", "1")
      // @ts-expect-error: by a group there is no one item
      handle.get("extension", ".ts")
      // @ts-expect-error
      void handle.register({ id: 1 })
      // @ts-expect-error
      void handle.replace("id", 1, { id: 1 })
      // @ts-expect-error: the layer needs a service
      void RegistryHandle.make(Languages, Languages.layer)
      // @ts-expect-error: the layer provides something else
      void RegistryHandle.make(Languages, database)
      // @ts-expect-error: the runtime has another service
      void RegistryHandle.fromRuntime(runtime, Tags)
    })
  })

  it("whole sets, overrides, watching and explaining answer with the types of API.md, data-first and data-last", () => {
    type Change = RegistryEvent.RegistryChange<Language, typeof lookup>
    type Lagged = RegistryError.RegistryLagged
    type Subscription = Registry.Subscription<Language, typeof lookup>
    never(() => {
      expectTypeOf(Registry.reconcile(registry, new Set([language]))).toEqualTypeOf<
        Effect.Effect<Registry.Reconciled<Language>, RegistrationFailure>
      >()
      expectTypeOf(registry.pipe(Registry.reconcile([language]))).toEqualTypeOf<
        Effect.Effect<Registry.Reconciled<Language>, RegistrationFailure>
      >()
      expectTypeOf<Registry.Reconciled<Language>>().toEqualTypeOf<{
        readonly added: ReadonlyArray<Language>
        readonly removed: ReadonlyArray<Language>
        readonly replaced: ReadonlyArray<{ readonly previous: Language; readonly item: Language }>
        readonly kept: ReadonlyArray<Language>
        readonly moved: ReadonlyArray<Language>
      }>()
      expectTypeOf(Registry.override(registry, language)).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure, Scope.Scope>
      >()
      expectTypeOf(registry.pipe(Registry.override(language))).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure, Scope.Scope>
      >()
      expectTypeOf(Registry.unregisterOwner(registry, "web")).toEqualTypeOf<Effect.Effect<ReadonlyArray<Language>>>()
      expectTypeOf(registry.pipe(Registry.unregisterOwner("web"))).toEqualTypeOf<
        Effect.Effect<ReadonlyArray<Language>>
      >()
      expectTypeOf(Registry.Owner).toEqualTypeOf<Context.Reference<string>>()

      expectTypeOf(Registry.changes(registry)).toEqualTypeOf<Stream.Stream<Change, Lagged>>()
      expectTypeOf(registry.pipe(Registry.changes)).toEqualTypeOf<Stream.Stream<Change, Lagged>>()
      expectTypeOf(Registry.subscribe(registry)).toEqualTypeOf<Effect.Effect<Subscription, never, Scope.Scope>>()
      expectTypeOf(Registry.subscribe(registry, { since: 3 })).toEqualTypeOf<
        Effect.Effect<Subscription, never, Scope.Scope>
      >()
      expectTypeOf(registry.pipe(Registry.subscribe())).toEqualTypeOf<
        Effect.Effect<Subscription, never, Scope.Scope>
      >()
      expectTypeOf(registry.pipe(Registry.subscribe({ since: 3 }))).toEqualTypeOf<
        Effect.Effect<Subscription, never, Scope.Scope>
      >()
      expectTypeOf<Subscription["snapshot"]>().toEqualTypeOf<typeof snapshot>()
      expectTypeOf<Subscription["changes"]>().toEqualTypeOf<Stream.Stream<Change, Lagged>>()
      expectTypeOf(Registry.snapshots(registry)).toEqualTypeOf<Stream.Stream<typeof snapshot>>()
      expectTypeOf(registry.pipe(Registry.snapshots)).toEqualTypeOf<Stream.Stream<typeof snapshot>>()
      expectTypeOf(Registry.watchItem(registry, "alias", "ts")).toEqualTypeOf<
        Stream.Stream<Option.Option<Language>>
      >()
      expectTypeOf(registry.pipe(Registry.watchItem("id", 1))).toEqualTypeOf<Stream.Stream<Option.Option<Language>>>()
      expectTypeOf(Registry.awaitItem(registry, "alias", "ts")).toEqualTypeOf<Effect.Effect<Language>>()
      expectTypeOf(registry.pipe(Registry.awaitItem("id", 1))).toEqualTypeOf<Effect.Effect<Language>>()
      expectTypeOf(Registry.explain(registry, "id", 1)).toEqualTypeOf<
        Effect.Effect<Registry.Explanation<Language>>
      >()
      expectTypeOf(registry.pipe(Registry.explain("name", "TypeScript"))).toEqualTypeOf<
        Effect.Effect<Registry.Explanation<Language>>
      >()
      return [
        // @ts-expect-error
        Registry.reconcile(registry, language),
        // @ts-expect-error
        Registry.reconcile(registry, [{ id: 1 }]),
        // @ts-expect-error
        registry.pipe(Registry.reconcile([{ id: 1 }])),
        // @ts-expect-error
        Languages.reconcile([{ id: 1 }]),
        // @ts-expect-error
        Registry.override(registry, { id: 1 }),
        // @ts-expect-error
        registry.pipe(Registry.override({ id: 1 })),
        // @ts-expect-error
        Languages.override({ id: 1 }),
        // @ts-expect-error
        Languages.overrides([{ id: 1 }]),
        // @ts-expect-error
        Registry.unregisterOwner(registry, 1),
        // @ts-expect-error
        Registry.subscribe(registry, { since: "3" }),
        // @ts-expect-error
        Registry.subscribe(registry, { form: 3 }),
        // @ts-expect-error
        Registry.awaitItem(registry, "nope", 1),
        // @ts-expect-error
        Registry.awaitItem(registry, "id", "1"),
        // @ts-expect-error: by a group there is no one item
        Registry.awaitItem(registry, "extension", ".ts"),
        // @ts-expect-error
        registry.pipe(Registry.awaitItem("nope", 1)),
        // @ts-expect-error
        registry.pipe(Registry.awaitItem("id", "1")),
        // @ts-expect-error
        registry.pipe(Registry.awaitItem("first", "T")),
        // @ts-expect-error
        Languages.awaitItem("nope", 1),
        // @ts-expect-error
        Languages.awaitItem("extension", ".ts"),
        // @ts-expect-error
        Registry.watchItem(registry, "nope", 1),
        // @ts-expect-error
        Registry.watchItem(registry, "id", "1"),
        // @ts-expect-error
        Registry.watchItem(registry, "extension", ".ts"),
        // @ts-expect-error
        registry.pipe(Registry.watchItem("nope", 1)),
        // @ts-expect-error
        registry.pipe(Registry.watchItem("id", "1")),
        // @ts-expect-error
        registry.pipe(Registry.watchItem("first", "T")),
        // @ts-expect-error
        Languages.watchItem("extension", ".ts"),
        // @ts-expect-error
        Registry.explain(registry, "nope", 1),
        // @ts-expect-error
        Registry.explain(registry, "extension", ".ts"),
        // @ts-expect-error
        registry.pipe(Registry.explain("nope", 1)),
        // @ts-expect-error
        registry.pipe(Registry.explain("id", "1")),
        // @ts-expect-error
        Languages.explain("first", "T"),
        // @ts-expect-error
        Languages.explain("id", "1")
      ]
    })
  })

  it("transactAll fails with what its effect and the populations of all its registries fail with", () => {
    never((languages: Languages["Service"], plain: Registry.Registry<string, readonly []>) => {
      expectTypeOf(Registry.transactAll([registry, plain], Effect.succeed(1))).toEqualTypeOf<Effect.Effect<number>>()
      expectTypeOf(
        Registry.transactAll([languages, plain], Effect.flatMap(Log, () => Effect.fail(new Veto())))
      ).toEqualTypeOf<Effect.Effect<never, Veto | PopulationError<Boom>, Log>>()
      return [
        // @ts-expect-error
        Registry.transactAll(registry, Effect.void),
        // @ts-expect-error
        Registry.transactAll([Log], Effect.void)
      ]
    })
  })

  it("an explanation is told apart by its tag", () => {
    never((explanation: Registry.Explanation<Language>) =>
      Registry.Explanation.$match(explanation, {
        Present: ({ hides, item, owner, revision }) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          expectTypeOf(hides).toEqualTypeOf<ReadonlyArray<Language>>()
          expectTypeOf(owner).toEqualTypeOf<string>()
          expectTypeOf(revision).toEqualTypeOf<number>()
        },
        Hidden: ({ by, item }) => expectTypeOf([by, item]).toEqualTypeOf<Array<Language>>(),
        Disabled: ({ item, reason }) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          expectTypeOf(reason).toEqualTypeOf<string>()
        },
        Absent: ({ suggestions }) => expectTypeOf(suggestions).toEqualTypeOf<ReadonlyArray<string>>(),
        PopulationFailed: ({ cause }) => expectTypeOf(cause).toEqualTypeOf<Cause.Cause<unknown>>(),
        Pending: () => {}
      })
    )
  })

  it("values and items that are narrower than the types of the registry fit, data-first and data-last", () => {
    interface Part {
      readonly id: "a" | "b"
      readonly kind: string | null
      readonly tags: ReadonlyArray<string>
      readonly path: ReadonlyArray<string>
      readonly note?: string
    }
    const make = Registry.make<Part>()({
      lookup: {
        id: Lookup.unique((part) => part.id),
        kind: Lookup.group((part) => part.kind),
        path: Lookup.unique((part) => part.path)
      }
    })
    class Parts extends Registry.Service<Parts, Part>()("types/Parts", { lookup: ["id", "kind", "note"] }) {}
    class Special implements Part {
      readonly id = "a"
      readonly kind = null
      readonly tags = []
      readonly path = []
      readonly more = 1
    }
    never(() => {
      const parts: Effect.Success<typeof make> = undefined as never
      const text: string = undefined as never
      return [
        Registry.get(parts, "id", "a"),
        Registry.getAll(parts, "kind", null),
        Registry.getAll(parts, "kind", text),
        Registry.get(parts, "path", ["x"]),
        parts.pipe(Registry.get("id", "a")),
        parts.pipe(Registry.getOption("id", "a")),
        parts.pipe(Registry.has("id", "b")),
        parts.pipe(Registry.getAll("kind", null)),
        parts.pipe(Registry.getAll("kind", text)),
        parts.pipe(Registry.get("path", ["x"])),
        parts.pipe(Registry.unregisterBy("id", "a")),
        // @ts-expect-error
        parts.pipe(Registry.get("id", "c")),
        // @ts-expect-error
        parts.pipe(Registry.get("id", text)),
        Registry.register(parts, { id: "a", kind: null, tags: [], path: [] }),
        Registry.register(parts, new Special()),
        parts.pipe(Registry.register(new Special())),
        parts.pipe(Registry.registerAll([new Special()])),
        parts.pipe(Registry.registerScoped(new Special())),
        parts.pipe(Registry.registerAllScoped([new Special()])),
        parts.pipe(Registry.upsert(new Special())),
        parts.pipe(Registry.unregister(new Special())),
        parts.pipe(Registry.contains(new Special())),
        parts.pipe(Registry.replace("id", "a", new Special())),
        parts.pipe(Registry.register({ id: "a", kind: null, tags: [], path: [] })),
        parts.pipe(Registry.registerAll([{ id: "a", kind: null, tags: [], path: [] }])),
        parts.pipe(Registry.upsert({ id: "a", kind: "k", tags: ["x"], path: [], note: "n" })),
        parts.pipe(Registry.replace("id", "a", { id: "b", kind: null, tags: [], path: [] })),
        Parts.get("id", "b"),
        Parts.get("kind", null),
        Parts.get("note", "n"),
        Parts.register(new Special()),
        Parts.items([new Special(), { id: "b", kind: null, tags: [], path: [] }])
      ]
    })
  })

  it("a list of names makes unique lookups, typed by the property", () => {
    const make = Registry.make<{ readonly id: number; readonly name?: string; readonly other: boolean }>()({
      lookup: ["id", "name"]
    })
    never(() => {
      const listed: Effect.Success<typeof make> = undefined as never
      expectTypeOf(Registry.get(listed, "id", 1)).toExtend<Effect.Effect<{ readonly id: number }, ItemLookupError>>()
      return [
        listed.pipe(Registry.get("name", "x")),
        Registry.unregisterBy(listed, "name", "x"),
        Registry.getAll(listed, "name", "x"),
        // @ts-expect-error
        Registry.get(listed, "id", "x"),
        // @ts-expect-error
        Registry.get(listed, "name", undefined),
        // @ts-expect-error
        Registry.get(listed, "other", true),
        // @ts-expect-error
        listed.pipe(Registry.get("other", true))
      ]
    })
    const none = Registry.make<string>()({ lookup: [] })
    never(() => {
      const words: Effect.Success<typeof none> = undefined as never
      return [
        Registry.contains(words, "x"),
        Registry.register(words, "x"),
        // @ts-expect-error
        Registry.get(words, "length", 1),
        // @ts-expect-error
        words.pipe(Registry.has("length", 1))
      ]
    })
  })

  it("the keys of a lookup never contain undefined", () => {
    const make = Registry.make<{ readonly id: number; readonly shortcut?: string; readonly parent: string | null }>()({
      lookup: {
        shortcut: Lookup.optional(Lookup.unique((command) => command.shortcut)),
        shortcuts: Lookup.optional(Lookup.uniqueEach((command) => [command.shortcut])),
        parent: Lookup.group((command) => command.parent),
        group: Lookup.optional(Lookup.group((command) => command.shortcut))
      }
    })
    type Commands = Effect.Success<typeof make>
    type KeysOf = Commands extends Registry.Registry<infer Item, infer L, any, any> ? Lookup.Keys<Item, L> : never
    expectTypeOf<KeysOf["shortcut"]>().toEqualTypeOf<string>()
    expectTypeOf<KeysOf["shortcuts"]>().toEqualTypeOf<string>()
    expectTypeOf<KeysOf["parent"]>().toEqualTypeOf<string | null>()
    expectTypeOf<KeysOf["group"]>().toEqualTypeOf<string>()
    never(() => {
      const commands: Commands = undefined as never
      return [
        Registry.get(commands, "shortcut", "x"),
        // @ts-expect-error
        Registry.get(commands, "shortcut", undefined),
        // @ts-expect-error
        commands.pipe(Registry.get("shortcut", undefined)),
        // @ts-expect-error
        Registry.getAll(commands, "group", undefined),
        // @ts-expect-error
        Registry.get(commands, "group", "x")
      ]
    })
  })

  it("a selector's parameter is typed by the registry", () => {
    Registry.make<Language>()({
      lookup: {
        id: Lookup.unique((item) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          return item.id
        }),
        alias: Lookup.uniqueEach((item) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          return item.aliases
        }),
        first: Lookup.group((item) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          return item.name
        }),
        extension: Lookup.groupEach((item) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          return item.extensions
        }),
        maybe: Lookup.optional(Lookup.unique((item) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          return item.name as string | undefined
        })),
        // @ts-expect-error
        typo: Lookup.unique((item) => item.nmae)
      }
    })
    class Typed extends Registry.Service<Typed, Language>()("types/Typed", {
      lookup: {
        id: Lookup.unique((item) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          return item.id
        })
      }
    }) {}
    never(() => Typed.get("id", 1))
  })

  it("a function of a default is typed by the registry, in make, Tag and Service", () => {
    interface Command {
      readonly name: string
      readonly run: (input: string, times: number) => string
    }
    const defaults = Registry.make<Command>()({
      lookup: ["name"],
      defaults: [{
        name: "repeat",
        run: (input, times) => {
          expectTypeOf(input).toEqualTypeOf<string>()
          expectTypeOf(times).toEqualTypeOf<number>()
          return input.repeat(times)
        }
      }, { name: "trim", run: (input) => input.trim() }]
    })
    expectTypeOf(defaults).toEqualTypeOf<
      Effect.Effect<Registry.Registry<Command, readonly ["name"], PopulationError>, never, Scope.Scope>
    >()
    class Commands extends Registry.Service<Commands, Command>()("types/Commands", {
      lookup: ["name"],
      defaults: [{ name: "trim", run: (input) => input.trim() }]
    }) {}
    expectTypeOf(Commands.size).toEqualTypeOf<Effect.Effect<number, PopulationError, Commands>>()
    class CommandTag extends Registry.Tag<CommandTag, Command>()("types/CommandTag", {
      lookup: ["name"],
      defaults: [{ name: "trim", run: (input) => input.trim() }]
    }) {}
    expectTypeOf(Registry.size(CommandTag)).toEqualTypeOf<Effect.Effect<number, PopulationError, CommandTag>>()
    never(() => [
      // @ts-expect-error
      Registry.make<Command>()({ lookup: ["name"], defaults: [{ name: "trim", run: (input) => input.length }] }),
      // @ts-expect-error
      Registry.make<Command>()({ lookup: ["name"], defaults: [{ run: (input) => input.trim() }] })
    ])
  })

  it("every function of a registry takes a service, and then needs it, data-first and data-last", () => {
    type Change = RegistryEvent.RegistryChange<Language, typeof lookup>
    type P = PopulationError<Boom>
    type Subscription = Registry.Subscription<Language, typeof lookup>
    type Told = Effect.Effect<void, never, Languages | Scope.Scope | Log>
    const told = { onItemRegistered: ({ name }: Language) => Effect.flatMap(Log, (log) => log.say(name)) }
    never(() => {
      expectTypeOf(Registry.get(Languages, "id", 1)).toEqualTypeOf<
        Effect.Effect<Language, ItemLookupError | P, Languages>
      >()
      expectTypeOf(Registry.get(Tags, "id", 1)).toEqualTypeOf<Effect.Effect<Language, ItemLookupError | P, Tags>>()
      expectTypeOf(Tags.pipe(Registry.get("id", 1))).toEqualTypeOf<
        Effect.Effect<Language, ItemLookupError | P, Tags>
      >()
      expectTypeOf(Registry.getOption(Tags, "id", 1)).toEqualTypeOf<Effect.Effect<Option.Option<Language>, P, Tags>>()
      expectTypeOf(Tags.pipe(Registry.getAll("extension", ".ts"))).toEqualTypeOf<
        Effect.Effect<ReadonlyArray<Language>, P, Tags>
      >()
      expectTypeOf(Registry.has(Tags, "first", "T")).toEqualTypeOf<Effect.Effect<boolean, P, Tags>>()
      expectTypeOf(Registry.contains(Tags, language)).toEqualTypeOf<Effect.Effect<boolean, P, Tags>>()
      expectTypeOf(Tags.pipe(Registry.contains(language))).toEqualTypeOf<Effect.Effect<boolean, P, Tags>>()
      expectTypeOf(Registry.size(Tags)).toEqualTypeOf<Effect.Effect<number, P, Tags>>()
      expectTypeOf(Tags.pipe(Registry.size)).toEqualTypeOf<Effect.Effect<number, P, Tags>>()
      expectTypeOf(Registry.values(Tags)).toEqualTypeOf<Effect.Effect<ReadonlyArray<Language>, P, Tags>>()
      expectTypeOf(Registry.at(Tags, 0)).toEqualTypeOf<Effect.Effect<Option.Option<Language>, P, Tags>>()
      expectTypeOf(Registry.snapshot(Tags)).toEqualTypeOf<Effect.Effect<typeof snapshot, P, Tags>>()
      expectTypeOf(Registry.state(Tags)).toEqualTypeOf<Effect.Effect<Registry.RegistryState, never, Tags>>()
      expectTypeOf(Registry.populated(Tags)).toEqualTypeOf<Effect.Effect<boolean, never, Tags>>()
      expectTypeOf(Registry.register(Tags, language)).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure | P, Tags>
      >()
      expectTypeOf(Tags.pipe(Registry.register(language))).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure | P, Tags>
      >()
      expectTypeOf(Registry.registerAll(Tags, [language])).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure | P, Tags>
      >()
      expectTypeOf(Registry.upsert(Tags, language)).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure | P, Tags>
      >()
      expectTypeOf(Registry.registerScoped(Tags, language)).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure | P, Tags | Scope.Scope>
      >()
      expectTypeOf(Tags.pipe(Registry.registerAllScoped([language]))).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure | P, Tags | Scope.Scope>
      >()
      expectTypeOf(Registry.unregister(Tags, language)).toEqualTypeOf<
        Effect.Effect<void, ItemLookupError | P, Tags>
      >()
      expectTypeOf(Registry.unregisterBy(Tags, "id", 1)).toEqualTypeOf<
        Effect.Effect<void, ItemLookupError | P, Tags>
      >()
      expectTypeOf(Registry.replace(Tags, "id", 1, language)).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure | ItemLookupError | P, Tags>
      >()
      expectTypeOf(Tags.pipe(Registry.replace("id", 1, language))).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure | ItemLookupError | P, Tags>
      >()
      expectTypeOf(Registry.reconcile(Tags, [language])).toEqualTypeOf<
        Effect.Effect<Registry.Reconciled<Language>, RegistrationFailure | P, Tags>
      >()
      expectTypeOf(Registry.override(Tags, language)).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure | P, Tags | Scope.Scope>
      >()
      expectTypeOf(Registry.unregisterOwner(Tags, "web")).toEqualTypeOf<
        Effect.Effect<ReadonlyArray<Language>, P, Tags>
      >()
      expectTypeOf(Registry.transact(Tags, Effect.flatMap(Log, () => Effect.fail(new Veto())))).toEqualTypeOf<
        Effect.Effect<never, Veto | P, Tags | Log>
      >()
      expectTypeOf(Tags.pipe(Registry.transact(Effect.succeed(1)))).toEqualTypeOf<Effect.Effect<number, P, Tags>>()
      expectTypeOf(Registry.transactAll([Tags, registry, Languages], Effect.asVoid(Log))).toEqualTypeOf<
        Effect.Effect<void, P, Tags | Languages | Log>
      >()
      expectTypeOf(Registry.populate(Tags)).toEqualTypeOf<Effect.Effect<void, P, Tags>>()
      expectTypeOf(Registry.reset(Tags)).toEqualTypeOf<Effect.Effect<void, never, Tags>>()
      expectTypeOf(Registry.changes(Tags)).toEqualTypeOf<
        Stream.Stream<Change, RegistryError.RegistryLagged, Tags>
      >()
      expectTypeOf(Registry.subscribe(Tags, { since: 1 })).toEqualTypeOf<
        Effect.Effect<Subscription, P, Tags | Scope.Scope>
      >()
      expectTypeOf(Tags.pipe(Registry.subscribe())).toEqualTypeOf<
        Effect.Effect<Subscription, P, Tags | Scope.Scope>
      >()
      expectTypeOf(Registry.snapshots(Tags)).toEqualTypeOf<Stream.Stream<typeof snapshot, P, Tags>>()
      expectTypeOf(Tags.pipe(Registry.snapshots)).toEqualTypeOf<Stream.Stream<typeof snapshot, P, Tags>>()
      expectTypeOf(Registry.watchItem(Tags, "id", 1)).toEqualTypeOf<Stream.Stream<Option.Option<Language>, P, Tags>>()
      expectTypeOf(Tags.pipe(Registry.watchItem("id", 1))).toEqualTypeOf<
        Stream.Stream<Option.Option<Language>, P, Tags>
      >()
      expectTypeOf(Registry.awaitItem(Tags, "id", 1)).toEqualTypeOf<Effect.Effect<Language, P, Tags>>()
      expectTypeOf(Registry.explain(Tags, "id", 1)).toEqualTypeOf<
        Effect.Effect<Registry.Explanation<Language>, never, Tags>
      >()
      expectTypeOf(Registry.addHooks(Languages, told)).toEqualTypeOf<Told>()
      expectTypeOf(Languages.pipe(Registry.addHooks(told))).toEqualTypeOf<Told>()
      expectTypeOf(RegistryHooks.layer(registry, told)).toEqualTypeOf<Layer.Layer<never, never, Log>>()
      expectTypeOf(RegistryMetrics.layer(Tags)).toEqualTypeOf<Layer.Layer<never, never, Tags>>()
      expectTypeOf(RegistryMetrics.layer(registry)).toEqualTypeOf<Layer.Layer<never>>()
      expectTypeOf(RegistrySnapshot.fromJson(Tags, [])).toEqualTypeOf<
        Effect.Effect<typeof snapshot, RegistryError.SnapshotError | RegistrationFailure, Tags>
      >()
      expectTypeOf(RegistrySnapshot.fromJson(registry, [])).toEqualTypeOf<
        Effect.Effect<typeof snapshot, RegistryError.SnapshotError | RegistrationFailure>
      >()
      Registry.addHooks(Tags, {
        onItemRegistered: (item) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          return Effect.void
        }
      })
      return [
        // @ts-expect-error
        Registry.get(Tags, "nope", 1),
        // @ts-expect-error
        Registry.get(Tags, "id", "1"),
        // @ts-expect-error
        Tags.pipe(Registry.get("nope", 1)),
        // @ts-expect-error
        Tags.pipe(Registry.get("extension", ".ts")),
        // @ts-expect-error
        Registry.register(Tags, { id: 1 }),
        // @ts-expect-error
        Tags.pipe(Registry.register({ id: 1 })),
        // @ts-expect-error: what it answers at once is that of a registry
        Registry.snapshotUnsafe(Tags),
        // @ts-expect-error: a service, and no registry
        Registry.size(Log),
        // @ts-expect-error
        Registry.transactAll([Tags, Log], Effect.void)
      ]
    })
  })

  it("an operation on a registry needs nothing, whatever is expected of it", () => {
    const make: Effect.Effect<unknown, never, Scope.Scope> = Registry.make<Language>()({
      lookup,
      hooks: {
        onItemRegistered: (item) => Effect.orDie(Registry.unregister(registry, item)),
        onItemUnregistered: () => Registry.state(registry)
      }
    })
    never(() => {
      expectTypeOf(needs(Registry.size(registry))).toEqualTypeOf<never>()
      expectTypeOf(needs(registry.pipe(Registry.register(language)))).toEqualTypeOf<never>()
      return make
    })
  })

  it("a function of either hands it on", () => {
    never(() => {
      expectTypeOf(first(registry)).toEqualTypeOf<Effect.Effect<Option.Option<Language>>>()
      expectTypeOf(first(Tags)).toEqualTypeOf<Effect.Effect<Option.Option<Language>, PopulationError<Boom>, Tags>>()
    })
  })

  it("a tag has its layers, and nothing else", () => {
    expectTypeOf(Tags.layer).toEqualTypeOf<Layer.Layer<Tags, never, Database>>()
    expectTypeOf(Tags.layerPopulated).toEqualTypeOf<Layer.Layer<Tags, PopulationError<Boom>, Database>>()
    expectTypeOf<Exclude<keyof typeof Tags, keyof Context.ServiceClass<any, any, any> | "prototype">>().toEqualTypeOf<
      "layer" | "layerPopulated"
    >()
    never(() => {
      expectTypeOf(Registry.items(Tags, [language])).toEqualTypeOf<
        Layer.Layer<never, RegistrationFailure | PopulationError<Boom>, Tags>
      >()
      expectTypeOf(Registry.overrides(Languages, new Set([language]))).toEqualTypeOf<
        Layer.Layer<never, RegistrationFailure | PopulationError<Boom>, Languages>
      >()
      expectTypeOf(Registry.layerLazy(Tags, () => Promise.resolve(Tags.layer))).toEqualTypeOf<
        Layer.Layer<Tags, never, Database>
      >()
      return [
        // @ts-expect-error
        Registry.items(Tags, [{ id: 1 }]),
        // @ts-expect-error
        Registry.overrides(Tags, [{ id: 1 }]),
        // @ts-expect-error: it provides another service
        Registry.layerLazy(Tags, () => Promise.resolve(Languages.layer)),
        // @ts-expect-error: it has no layer to build on
        Registry.layerLazy(Context.Service<typeof registry>("types/Plain"), () => Promise.resolve(Tags.layer)),
        // @ts-expect-error
        Registry.Tag<Tags, Language>()("x", { lookup, default: [] }),
        // @ts-expect-error
        Registry.Tag<Tags, Language>()("x", { lookup, name: "y" })
      ]
    })
  })

  it("P is never without defaults or with \"die\", else a PopulationError of all that may end a population", () => {
    type P<M> = M extends Effect.Effect<Registry.Registry<any, any, infer PE, any>, any, any> ? PE : "none"
    const failing = Effect.fail(new Boom()) as Effect.Effect<ReadonlyArray<Language>, Boom>
    const hooks = RegistryHooks.make<Language>()({ onItemRegistering: () => Effect.fail(new Veto()) })
    const none = Registry.make<Language>()({ lookup })
    expectTypeOf<P<typeof none>>().toEqualTypeOf<never>()
    const noneWithHooks = Registry.make<Language>()({ lookup, hooks })
    expectTypeOf<P<typeof noneWithHooks>>().toEqualTypeOf<never>()
    const iterable = Registry.make<Language>()({ lookup, defaults: new Set<Language>() })
    expectTypeOf<P<typeof iterable>>().toEqualTypeOf<PopulationError>()
    const nothing = Registry.make<Language>()({ lookup, defaults: [] })
    expectTypeOf<P<typeof nothing>>().toEqualTypeOf<PopulationError>()
    const typedList = Registry.make<Language>()({ lookup, defaults: [language] as ReadonlyArray<Language> })
    expectTypeOf<P<typeof typedList>>().toEqualTypeOf<PopulationError>()
    const array = Registry.make<Language>()({ lookup, defaults: [language] as Array<Language> })
    expectTypeOf<P<typeof array>>().toEqualTypeOf<PopulationError>()
    const effect = Registry.make<Language>()({ lookup, defaults: failing })
    expectTypeOf<P<typeof effect>>().toEqualTypeOf<PopulationError<Boom>>()
    const stream = Registry.make<Language>()({ lookup, defaults: Stream.fromIterableEffect(failing) })
    expectTypeOf<P<typeof stream>>().toEqualTypeOf<PopulationError<Boom>>()
    const hooked = Registry.make<Language>()({ lookup, defaults: failing, hooks })
    expectTypeOf<P<typeof hooked>>().toEqualTypeOf<PopulationError<Boom | Veto>>()
    const typed = Registry.make<Language>()({ lookup, defaults: failing, populationFailure: "fail" })
    expectTypeOf<P<typeof typed>>().toEqualTypeOf<PopulationError<Boom>>()
    const die = Registry.make<Language>()({ lookup, defaults: failing, hooks, populationFailure: "die" })
    expectTypeOf<P<typeof die>>().toEqualTypeOf<never>()

    class Dying extends Registry.Service<Dying, Language>()("types/Dying", {
      lookup,
      defaults: failing,
      populationFailure: "die"
    }) {}
    expectTypeOf(Dying.values).toEqualTypeOf<Effect.Effect<ReadonlyArray<Language>, never, Dying>>()
    // it fails at the start or never
    expectTypeOf(Dying.layer).toEqualTypeOf<Layer.Layer<Dying>>()
    expectTypeOf(Dying.layerPopulated).toEqualTypeOf<Layer.Layer<Dying, PopulationError<Boom>>>()
    class DyingTag extends Registry.Tag<DyingTag, Language>()("types/DyingTag", {
      lookup,
      defaults: failing,
      hooks,
      populationFailure: "die"
    }) {}
    expectTypeOf(DyingTag.layerPopulated).toEqualTypeOf<Layer.Layer<DyingTag, PopulationError<Boom | Veto>>>()
    expectTypeOf(Registry.size(DyingTag)).toEqualTypeOf<Effect.Effect<number, never, DyingTag>>()
    expectTypeOf(Registry.layerLazy(DyingTag, () => Promise.resolve(DyingTag.layer))).toEqualTypeOf<
      Layer.Layer<DyingTag>
    >()
    expectTypeOf(Dying.layerLazy(() => Promise.resolve(Dying.layerPopulated))).toEqualTypeOf<Layer.Layer<Dying>>()
    class Empty extends Registry.Tag<Empty, Language>()("types/Empty", { lookup, populationFailure: "die" }) {}
    expectTypeOf(Empty.layerPopulated).toEqualTypeOf<Layer.Layer<Empty>>()
    never(() => {
      const hookedRegistry: Effect.Success<typeof hooked> = undefined as never
      expectTypeOf(Registry.get(hookedRegistry, "id", 1)).toEqualTypeOf<
        Effect.Effect<Language, ItemLookupError | PopulationError<Boom | Veto>>
      >()
      expectTypeOf(Registry.size(hookedRegistry)).toEqualTypeOf<Effect.Effect<number, PopulationError<Boom | Veto>>>()
      expectTypeOf(Registry.register(hookedRegistry, language)).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure | Veto | PopulationError<Boom | Veto>>
      >()
      expectTypeOf(hookedRegistry.pipe(Registry.replace("id", 1, language))).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure | ItemLookupError | Veto | PopulationError<Boom | Veto>>
      >()
      expectTypeOf(Registry.unregister(hookedRegistry, language)).toEqualTypeOf<
        Effect.Effect<void, ItemLookupError | PopulationError<Boom | Veto>>
      >()
      expectTypeOf(Registry.state(hookedRegistry)).toEqualTypeOf<Effect.Effect<Registry.RegistryState>>()
      expectTypeOf(Registry.reset(hookedRegistry)).toEqualTypeOf<Effect.Effect<void>>()
    })
  })

  it("the services of defaults and hooks are the builder's, without the scope", () => {
    type R<M> = M extends Effect.Effect<any, any, infer RE> ? RE : "none"
    const scopedLoad = Effect.gen(function*() {
      const database = yield* Database
      yield* Effect.addFinalizer(() => Effect.void)
      return yield* database.load
    })
    const plain = Registry.make<Language>()({ lookup })
    expectTypeOf<R<typeof plain>>().toEqualTypeOf<Scope.Scope>()
    const loaded = Registry.make<Language>()({ lookup, defaults: scopedLoad })
    expectTypeOf<R<typeof loaded>>().toEqualTypeOf<Scope.Scope | Database>()
    const streamed = Registry.make<Language>()({ lookup, defaults: Stream.fromIterableEffect(scopedLoad) })
    expectTypeOf<R<typeof streamed>>().toEqualTypeOf<Scope.Scope | Database>()

    // two services in two handlers
    const inline = Registry.make<Language>()({
      lookup,
      defaults: scopedLoad,
      hooks: {
        onItemRegistering: (item) => Effect.flatMap(Clerk, (clerk) => clerk.allow(item)),
        onItemRegistered: (item) => Effect.flatMap(Log, (log) => log.say(item.name)),
        onPopulated: Effect.asVoid(Database)
      }
    })
    expectTypeOf<R<typeof inline>>().toEqualTypeOf<Scope.Scope | Database | Clerk | Log>()
    type V<M> = M extends Effect.Effect<Registry.Registry<any, any, any, infer VE>, any, any> ? VE : "none"
    expectTypeOf<V<typeof inline>>().toEqualTypeOf<Veto>()

    const hooks = RegistryHooks.make<Language>()({
      onItemRegistering: (item) => Effect.flatMap(Clerk, (clerk) => clerk.allow(item)),
      onItemRegistered: (item) => Effect.flatMap(Log, (log) => log.say(item.name)),
      onReset: Effect.asVoid(Effect.scope)
    })
    expectTypeOf(hooks).toEqualTypeOf<RegistryHooks.RegistryHooks<Language, Veto, Clerk | Log | Scope.Scope>>()

    class Served extends Registry.Service<Served, Language>()("types/Served", {
      lookup,
      defaults: scopedLoad,
      hooks
    }) {}
    expectTypeOf(Served.layer).toEqualTypeOf<Layer.Layer<Served, never, Database | Clerk | Log>>()
    expectTypeOf(Served.layerPopulated).toEqualTypeOf<
      Layer.Layer<Served, PopulationError<Boom | Veto>, Database | Clerk | Log>
    >()
    expectTypeOf(Served.items([])).toEqualTypeOf<
      Layer.Layer<never, RegistrationFailure | Veto | PopulationError<Boom | Veto>, Served>
    >()
    expectTypeOf(Served.register).toEqualTypeOf<
      (item: Language) => Effect.Effect<void, RegistrationFailure | Veto | PopulationError<Boom | Veto>, Served>
    >()
    expectTypeOf(Served.get("id", 1)).toEqualTypeOf<
      Effect.Effect<Language, ItemLookupError | PopulationError<Boom | Veto>, Served>
    >()
  })

  it("statics need the service, and are effects where nothing else can be given", () => {
    expectTypeOf(Languages.layer).toEqualTypeOf<Layer.Layer<Languages, never, Database>>()
    expectTypeOf(Languages.layerPopulated).toEqualTypeOf<Layer.Layer<Languages, PopulationError<Boom>, Database>>()
    expectTypeOf(Languages.items).returns.toEqualTypeOf<
      Layer.Layer<never, RegistrationFailure | PopulationError<Boom>, Languages>
    >()
    expectTypeOf(Languages.values).toEqualTypeOf<
      Effect.Effect<ReadonlyArray<Language>, PopulationError<Boom>, Languages>
    >()
    expectTypeOf(Languages.size).toEqualTypeOf<Effect.Effect<number, PopulationError<Boom>, Languages>>()
    expectTypeOf(Languages.snapshot).toEqualTypeOf<
      Effect.Effect<typeof snapshot, PopulationError<Boom>, Languages>
    >()
    expectTypeOf(Languages.state).toEqualTypeOf<Effect.Effect<Registry.RegistryState, never, Languages>>()
    expectTypeOf(Languages.populated).toEqualTypeOf<Effect.Effect<boolean, never, Languages>>()
    expectTypeOf(Languages.populate).toEqualTypeOf<Effect.Effect<void, PopulationError<Boom>, Languages>>()
    expectTypeOf(Languages.reset).toEqualTypeOf<Effect.Effect<void, never, Languages>>()
    expectTypeOf(Languages.get("id", 1)).toEqualTypeOf<
      Effect.Effect<Language, ItemLookupError | PopulationError<Boom>, Languages>
    >()
    expectTypeOf(Languages.getAll("extension", ".ts")).toEqualTypeOf<
      Effect.Effect<ReadonlyArray<Language>, PopulationError<Boom>, Languages>
    >()
    expectTypeOf(Languages.registerScoped(language)).toEqualTypeOf<
      Effect.Effect<void, RegistrationFailure | PopulationError<Boom>, Languages | Scope.Scope>
    >()
    expectTypeOf(Languages.reconcile([language])).toEqualTypeOf<
      Effect.Effect<Registry.Reconciled<Language>, RegistrationFailure | PopulationError<Boom>, Languages>
    >()
    expectTypeOf(Languages.override(language)).toEqualTypeOf<
      Effect.Effect<void, RegistrationFailure | PopulationError<Boom>, Languages | Scope.Scope>
    >()
    expectTypeOf(Languages.overrides).returns.toEqualTypeOf<
      Layer.Layer<never, RegistrationFailure | PopulationError<Boom>, Languages>
    >()
    expectTypeOf(Languages.unregisterOwner("web")).toEqualTypeOf<
      Effect.Effect<ReadonlyArray<Language>, PopulationError<Boom>, Languages>
    >()
    expectTypeOf(Languages.changes).toEqualTypeOf<
      Stream.Stream<RegistryEvent.RegistryChange<Language, typeof lookup>, RegistryError.RegistryLagged, Languages>
    >()
    expectTypeOf(Languages.subscribe({ since: 1 })).toEqualTypeOf<
      Effect.Effect<Registry.Subscription<Language, typeof lookup>, PopulationError<Boom>, Languages | Scope.Scope>
    >()
    expectTypeOf(Languages.snapshots).toEqualTypeOf<
      Stream.Stream<typeof snapshot, PopulationError<Boom>, Languages>
    >()
    expectTypeOf(Languages.watchItem("id", 1)).toEqualTypeOf<
      Stream.Stream<Option.Option<Language>, PopulationError<Boom>, Languages>
    >()
    expectTypeOf(Languages.awaitItem("id", 1)).toEqualTypeOf<
      Effect.Effect<Language, PopulationError<Boom>, Languages>
    >()
    expectTypeOf(Languages.explain("id", 1)).toEqualTypeOf<
      Effect.Effect<Registry.Explanation<Language>, never, Languages>
    >()
    expectTypeOf(Languages.transact(Effect.flatMap(Log, () => Effect.fail(new Veto())))).toEqualTypeOf<
      Effect.Effect<never, Veto | PopulationError<Boom>, Languages | Log>
    >()
    expectTypeOf<Languages["Service"]>().toEqualTypeOf<
      Registry.Registry<Language, typeof lookup, PopulationError<Boom>, never>
    >()
    never(() =>
      Effect.gen(function*() {
        const service = yield* Languages
        expectTypeOf(Registry.get(service, "id", 1)).toEqualTypeOf<
          Effect.Effect<Language, ItemLookupError | PopulationError<Boom>>
        >()
        // @ts-expect-error
        Languages.values()
        // @ts-expect-error
        Languages.reset()
        // @ts-expect-error
        Languages.nope()
      })
    )
  })

  it("a handler's parameter is typed by the registry, in make, layer, addHooks and options", () => {
    RegistryHooks.make<Language>()({
      onItemRegistering: (item) => {
        expectTypeOf(item).toEqualTypeOf<Language>()
        return Effect.void
      }
    })
    never(() =>
      RegistryHooks.layer(Languages, {
        onItemRegistering: (item) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          return RegistryError.reject(item, "no")
        },
        onItemUnregistered: (item) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          return Effect.void
        }
      })
    )
    never(() =>
      Registry.addHooks(registry, {
        onItemRegistered: (item) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          return Effect.void
        }
      })
    )
    never(() =>
      Languages.addHooks({
        onItemRegistered: (item) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          return Effect.void
        }
      }, { existing: true })
    )
    Registry.make<Language>()({
      lookup,
      hooks: {
        onItemUnregistering: (item) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          return Effect.void
        }
      }
    })
  })

  it("hooks that come later veto with a RegistrationError only", () => {
    const vetoing = RegistryHooks.make<Language>()({ onItemRegistering: () => Effect.fail(new Veto()) })
    const rejecting = RegistryHooks.make<Language>()({ onItemRegistering: (item) => RegistryError.reject(item, "no") })
    expectTypeOf(rejecting).toEqualTypeOf<RegistryHooks.RegistryHooks<Language, RegistryError.RegistrationError>>()
    never(() => {
      expectTypeOf(RegistryHooks.layer(Languages, rejecting)).toEqualTypeOf<Layer.Layer<never, never, Languages>>()
      expectTypeOf(Registry.addHooks(registry, rejecting)).toEqualTypeOf<Effect.Effect<void, never, Scope.Scope>>()
      expectTypeOf(registry.pipe(Registry.addHooks(rejecting))).toEqualTypeOf<
        Effect.Effect<void, never, Scope.Scope>
      >()
      expectTypeOf(Languages.addHooks(rejecting)).toEqualTypeOf<
        Effect.Effect<void, never, Languages | Scope.Scope>
      >()
      return [
        // @ts-expect-error
        RegistryHooks.layer(Languages, vetoing),
        // @ts-expect-error
        RegistryHooks.layer(Languages, { onItemRegistering: () => Effect.fail(new Veto()) }),
        // @ts-expect-error
        RegistryHooks.layer(Languages, Effect.succeed(vetoing)),
        // @ts-expect-error
        Registry.addHooks(registry, vetoing),
        // @ts-expect-error
        Registry.addHooks(registry, { onItemRegistering: () => Effect.fail(new Veto()) }),
        // @ts-expect-error
        registry.pipe(Registry.addHooks(vetoing)),
        // @ts-expect-error
        Languages.addHooks(vetoing),
        // @ts-expect-error
        Languages.addHooks({ onItemRegistering: () => Effect.fail(new Veto()) })
      ]
    })
  })

  it("hooks of a layer bring their services, and of an effect its services, too", () => {
    never(() => {
      expectTypeOf(RegistryHooks.layer(Languages, {
        onItemRegistered: (item) => Effect.flatMap(Log, (log) => log.say(item.name)),
        onItemUnregistered: (item) => Effect.ignore(Effect.flatMap(Clerk, (clerk) => clerk.allow(item)))
      })).toEqualTypeOf<Layer.Layer<never, never, Languages | Log | Clerk>>()
      expectTypeOf(RegistryHooks.layer(
        Languages,
        Effect.gen(function*() {
          const log = yield* Log
          yield* Effect.addFinalizer(() => Effect.void)
          return RegistryHooks.make<Language>()({
            onItemRegistered: (item) => log.say(item.name),
            onReset: Effect.asVoid(Clerk)
          })
        })
      )).toEqualTypeOf<Layer.Layer<never, never, Languages | Log | Clerk>>()
      expectTypeOf(Registry.addHooks(registry, {
        onItemRegistered: (item) => Effect.flatMap(Log, (log) => log.say(item.name)),
        onItemUnregistered: (item) => Effect.ignore(Effect.flatMap(Clerk, (clerk) => clerk.allow(item)))
      })).toEqualTypeOf<Effect.Effect<void, never, Scope.Scope | Log | Clerk>>()
    })
  })

  it("only onItemRegistering can fail", () => {
    never(() => [
      // @ts-expect-error
      RegistryHooks.make<Language>()({ onItemRegistered: fail }),
      // @ts-expect-error
      RegistryHooks.make<Language>()({ onItemUnregistering: fail }),
      // @ts-expect-error
      RegistryHooks.make<Language>()({ onItemUnregistered: fail }),
      // @ts-expect-error
      RegistryHooks.make<Language>()({ onPopulating: fail() }),
      // @ts-expect-error
      RegistryHooks.make<Language>()({ onPopulated: fail() }),
      // @ts-expect-error
      RegistryHooks.make<Language>()({ onResetting: fail() }),
      // @ts-expect-error
      RegistryHooks.make<Language>()({ onReset: fail() }),
      // @ts-expect-error
      RegistryHooks.make<Language>()({ onItemRegistering: fail, onItemRegistered: fail }),
      // @ts-expect-error
      Registry.make<Language>()({ lookup, hooks: { onItemRegistered: fail } }),
      // @ts-expect-error
      Registry.Service<Languages, Language>()("x", { lookup, hooks: { onItemRegistered: fail } }),
      // @ts-expect-error
      RegistryHooks.layer(Languages, { onItemRegistered: fail }),
      // @ts-expect-error
      RegistryHooks.layer(Languages, Effect.fail(new Boom())),
      // @ts-expect-error
      Registry.addHooks(registry, { onItemRegistered: fail }),
      // @ts-expect-error
      Languages.addHooks({ onItemUnregistered: fail })
    ])
  })

  it("hooks of more general items serve, and hooks combine", () => {
    const named = RegistryHooks.make<{ readonly name: string }>()({
      onItemRegistering: (item) => item.name === "" ? Effect.fail(new Veto()) : Effect.asVoid(Log)
    })
    const numbered = RegistryHooks.make<{ readonly id: number }>()({
      onItemRegistering: () => Effect.fail(new Boom()),
      onItemRegistered: () => Effect.asVoid(Clerk)
    })
    const both = RegistryHooks.combine(named, numbered)
    expectTypeOf(both).toExtend<
      RegistryHooks.RegistryHooks<{ readonly name: string; readonly id: number }, Veto | Boom, Log | Clerk>
    >()
    expectTypeOf(named.pipe(RegistryHooks.combine(numbered))).toExtend<
      RegistryHooks.RegistryHooks<{ readonly name: string; readonly id: number }, Veto | Boom, Log | Clerk>
    >()
    expectTypeOf(RegistryHooks.combineAll([named, named, RegistryHooks.empty])).toExtend<
      RegistryHooks.RegistryHooks<{ readonly name: string }, Veto, Log>
    >()
    const make = Registry.make<Language>()({ lookup, hooks: both })
    expectTypeOf(make).toEqualTypeOf<
      Effect.Effect<Registry.Registry<Language, typeof lookup, never, Veto | Boom>, never, Scope.Scope | Log | Clerk>
    >()
    never(() => [
      Registry.addHooks(registry, RegistryHooks.empty),
      // @ts-expect-error
      Registry.make<string>()({ lookup: [], hooks: both })
    ])
  })

  it("messages get what an error of their code carries", () => {
    Registry.make<Language>()({
      lookup,
      messages: {
        not_registered: (error) => {
          expectTypeOf(error.code).toEqualTypeOf<"not_registered">()
          expectTypeOf(error.registry).toEqualTypeOf<string>()
          expectTypeOf(error.suggestions).toEqualTypeOf<ReadonlyArray<string>>()
          expectTypeOf(error.value).toBeUnknown()
          // @ts-expect-error
          return error.message
        },
        attribute_registered: ({ attribute, existing, value }) => `${attribute} ${String(value)} ${String(existing)}`,
        rejected: ({ reason }) => reason ?? "",
        registration: ({ cause }) => String(cause)
      }
    })
  })

  it("a hidden registry is as wide as its errors, and as narrow as its items", () => {
    never(() => {
      const narrow: Registry.Registry<Language, typeof lookup> = registry
      const wide: Registry.Registry<Language, typeof lookup, Boom, Veto> = registry
      // @ts-expect-error
      const others: Registry.Registry<{ readonly id: number }, typeof lookup> = registry
      // @ts-expect-error
      const less: Registry.Registry<Language, Pick<typeof lookup, "id">> = registry
      return [narrow, wide, others, less]
    })
  })

  it("errors are told apart by their tags, and populations carry their cause", () => {
    never(() =>
      Languages.register(language).pipe(
        Effect.catchTag("AlreadyRegisteredError", (error) => {
          expectTypeOf(error.code).toEqualTypeOf<"already_registered" | "attribute_registered">()
          return Effect.void
        }),
        Effect.catchTag("PopulationError", (error) => {
          expectTypeOf(error.cause).toEqualTypeOf<Boom | RegistrationFailure>()
          expectTypeOf(error.code).toEqualTypeOf<"defaults" | "registration" | "invariant" | "import">()
          return Effect.void
        }),
        (effect) =>
          expectTypeOf(effect).toEqualTypeOf<Effect.Effect<void, RegistryError.RegistrationError, Languages>>()
      )
    )
  })

  it("the error and the services of an invariant join those of the registry", () => {
    class Whole extends Registry.Service<Whole, Language>()("types/Whole", {
      lookup,
      defaults: [language],
      hooks: { onItemRegistering: () => Effect.fail(new Veto()) },
      invariant: (draft, before) => {
        expectTypeOf(draft).toEqualTypeOf<RegistrySnapshot.RegistrySnapshot<Language, typeof lookup>>()
        expectTypeOf(before).toEqualTypeOf<RegistrySnapshot.RegistrySnapshot<Language, typeof lookup>>()
        return Effect.flatMap(Clerk, () => Effect.fail(new Boom()))
      }
    }) {}
    type P = PopulationError<Veto | Boom>
    never(() => [
      expectTypeOf(Whole.layer).toEqualTypeOf<Layer.Layer<Whole, never, Clerk>>(),
      expectTypeOf(Whole.size).toEqualTypeOf<Effect.Effect<number, P, Whole>>(),
      expectTypeOf(Whole.register(language)).toEqualTypeOf<
        Effect.Effect<void, RegistrationFailure | Veto | Boom | P, Whole>
      >(),
      expectTypeOf(Whole.unregister(language)).toEqualTypeOf<Effect.Effect<void, ItemLookupError | P, Whole>>(),
      expectTypeOf(Whole.transact(Effect.fail("no"))).toEqualTypeOf<
        Effect.Effect<never, string | Veto | Boom | P, Whole>
      >(),
      expectTypeOf(Registry.transactAll([Whole], Effect.void)).toEqualTypeOf<
        Effect.Effect<void, Veto | Boom | P, Whole>
      >(),
      expectTypeOf(Registry.make<Language>()({ invariant: () => Effect.fail(new Boom()), lookup })).toEqualTypeOf<
        Effect.Effect<Registry.Registry<Language, typeof lookup, never, Boom>, never, Scope.Scope>
      >(),
      // @ts-expect-error an invariant answers an effect
      Registry.make<Language>()({ lookup, invariant: () => true })
    ])
  })

  it("events are matched with the type of their items", () => {
    never(() => (event: RegistryEvent.RegistryEvent<Language>) => {
      const size = RegistryEvent.match(event, {
        Registered: ({ item, position }) => {
          expectTypeOf(item).toEqualTypeOf<Language>()
          return position
        },
        Unregistered: ({ item }) => item.id,
        Replaced: ({ item, previous }) => item.id - previous.id,
        Moved: ({ from, item, position }) => item.id + from - position,
        Populated: (populated) => populated.size,
        Reset: () => 0
      })
      expectTypeOf(size).toEqualTypeOf<number>()
    })
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// What the compiler says
// ---------------------------------------------------------------------------------------------------------------------

const hookNames =
  "\"acquire\" | \"onItemRegistered\" | \"onItemRegistering\" | \"onItemUnregistered\" | \"onItemUnregistering\" | " +
  "\"onPopulated\" | \"onPopulating\" | \"onReset\" | \"onResetting\""

const program = `
import { Effect } from "effect"
import { Lookup, Registry, RegistryHooks, RegistrySnapshot } from "effect-registry"

interface Tool {
  readonly name: string
  readonly level: number
  readonly kind?: string
  readonly run?: (input: string) => Effect.Effect<string>
}

class Tools extends Registry.Service<Tools, Tool>()("Tools", {
  lookup: { name: Lookup.unique((tool) => tool.name), kind: Lookup.optional(Lookup.group((tool) => tool.kind)) }
}) {}
declare const tools: Effect.Success<typeof Tools>
declare const list: ReadonlyArray<{ readonly name: string }>
declare const snapshot: RegistrySnapshot.RegistrySnapshot<Tool, { readonly name: Lookup.Unique<Tool, string> }>
const make = Registry.make<Tool>()
const typed = make({ lookup: ["name"], defaults: [{ name: "a", level: 1, run: (input) => Effect.succeed(input.trim()) }] })
`

const levelIsMissing = "Property 'level' is missing in type '{ name: string; }' but required in type 'Tool'."

const isNoString = "Type 'string' is not assignable to type 'number'."

/** A mistake, and the deepest line of what is said about it: the whole line, or its end. */
const mistakes: { readonly [what: string]: readonly [code: string, said: string] } = {
  "a default without a property": [`make({ lookup: ["name"], defaults: [{ name: "a" }] })`, levelIsMissing],
  "a default with a wrong property": [`make({ lookup: ["name"], defaults: [{ name: "a", level: "1" }] })`, isNoString],
  "a default whose function is wrong": [
    `make({ lookup: ["name"], defaults: [{ name: "a", level: 1, run: (input) => Effect.succeed(input.length) }] })`,
    "Type 'number' is not assignable to type 'string'."
  ],
  "a default of a service without a property": [
    `Registry.Service<any, Tool>()("A", { lookup: ["name"], defaults: [{ name: "a" }] })`,
    levelIsMissing
  ],
  "a default of a tag without a property": [
    `Registry.Tag<any, Tool>()("A", { lookup: ["name"], defaults: [{ name: "a" }] })`,
    levelIsMissing
  ],
  "a list of defaults without a property": [
    `make({ lookup: ["name"], defaults: list })`,
    "Property 'level' is missing in type '{ readonly name: string; }' but required in type 'Tool'."
  ],
  "an effect of defaults without a property": [
    `make({ lookup: ["name"], defaults: Effect.succeed([{ name: "a" }]) })`,
    levelIsMissing
  ],
  "an item without a property": [`Registry.register(tools, { name: "a" })`, levelIsMissing],
  "an item without a property, of a service": [`Registry.register(Tools, { name: "a" })`, levelIsMissing],
  "an item without a property, as a static": [`Tools.register({ name: "a" })`, levelIsMissing],
  "an item without a property, data-last": [
    `tools.pipe(Registry.register({ name: "a" }))`,
    "required in type 'PropertyIsMissing<\"level\">'."
  ],
  "an item without a property, data-last, in flatMap": [
    `Effect.flatMap(Tools, Registry.register({ name: "a" }))`,
    "required in type 'PropertyIsMissing<\"level\">'."
  ],
  "an item with a wrong property": [`Registry.upsert(tools, { name: "a", level: "1" })`, isNoString],
  "an item with a wrong property, data-last": [
    `tools.pipe(Registry.upsert({ name: "a", level: "1" }))`,
    "required in type 'PropertyIs<\"level\", number>'."
  ],
  "an item without a property, in a variable": [
    `Registry.register(tools, list[0]!)`,
    "Property 'level' is missing in type '{ readonly name: string; }' but required in type 'Tool'."
  ],
  "an item without a property, in a variable, data-last": [
    `tools.pipe(Registry.unregister(list[0]!))`,
    "required in type 'PropertyIsMissing<\"level\">'."
  ],
  "items without a property": [`Registry.registerAll(tools, [{ name: "a" }])`, levelIsMissing],
  "items without a property, of a list": [
    `Registry.reconcile(tools, list)`,
    "Property 'level' is missing in type '{ readonly name: string; }' but required in type 'Tool'."
  ],
  "items without a property, as a static": [`Tools.registerAll([{ name: "a" }])`, levelIsMissing],
  "items without a property, as a layer": [`Registry.items(Tools, [{ name: "a" }])`, levelIsMissing],
  "items without a property, as a layer of a static": [`Tools.overrides([{ name: "a" }])`, levelIsMissing],
  "items without a property, data-last": [
    `tools.pipe(Registry.registerAll([{ name: "a" }]))`,
    "required in type 'PropertyIsMissing<\"level\">'."
  ],
  "an item in a replacement without a property, data-last": [
    `tools.pipe(Registry.replace("name", "a", { name: "a" }))`,
    "required in type 'PropertyIsMissing<\"level\">'."
  ],
  "a misspelt hook of a definition": [
    `make({ lookup: ["name"], hooks: { onItemRegisterd: () => Effect.void } })`,
    `to type 'NoSuchHook<"onItemRegisterd", ${hookNames}>'.`
  ],
  "a misspelt hook": [
    `Registry.addHooks(tools, { onItemRegisterd: () => Effect.void })`,
    `to type 'NoSuchHook<"onItemRegisterd", ${hookNames}>'.`
  ],
  "a misspelt hook, data-last": [
    `tools.pipe(Registry.addHooks({ onItemRegisterd: () => Effect.void }))`,
    `to type 'NoSuchHook<"onItemRegisterd", ${hookNames}>'.`
  ],
  "a misspelt hook of a value": [
    `RegistryHooks.make<Tool>()({ onItemRegisterd: () => Effect.void })`,
    `to type 'NoSuchHook<"onItemRegisterd", ${hookNames}>'.`
  ],
  "a misspelt hook of a layer": [
    `RegistryHooks.layer(Tools, { onItemRegisterd: () => Effect.void })`,
    `to type 'NoSuchHook<"onItemRegisterd", ${hookNames}>'.`
  ],
  "an attribute that does not exist": [
    `Registry.get(tools, "nmae", "a")`,
    "Argument of type '\"nmae\"' is not assignable to parameter of type '\"name\"'."
  ],
  "an attribute that does not exist, as a static": [
    `Tools.getAll("nmae", "a")`,
    "Argument of type '\"nmae\"' is not assignable to parameter of type '\"kind\" | \"name\"'."
  ],
  "an attribute that does not exist, data-last": [
    `tools.pipe(Registry.get("nmae", "a"))`,
    "required in type 'NoSuchAttribute<\"nmae\", \"name\">'."
  ],
  "an attribute that does not exist, data-last, of a snapshot": [
    `snapshot.pipe(RegistrySnapshot.has("nmae", "a"))`,
    "required in type 'NoSuchAttribute<\"nmae\", \"name\">'."
  ],
  "an attribute that is a group": [
    `Effect.flatMap(Tools, Registry.get("kind", "a"))`,
    "required in type 'NoSuchAttribute<\"kind\", \"name\">'."
  ],
  "a value of a wrong type": [
    `Registry.get(tools, "name", 5)`,
    "Argument of type 'number' is not assignable to parameter of type 'string'."
  ],
  "a value of a wrong type, data-last": [
    `tools.pipe(Registry.get("name", 5))`,
    "required in type 'ValueIs<\"name\", string>'."
  ],
  "a misspelt option": [
    `make({ lookup: ["name"], defalts: [] })`,
    "Did you mean to write 'defaults'?"
  ],
  "a property that a selector does not find": [
    `make({ lookup: { name: Lookup.unique((tool) => tool.nmae) } })`,
    "Property 'nmae' does not exist on type 'Tool'."
  ],
  "a property that a normalized selector does not find": [
    `make({ lookup: { name: Lookup.normalized(Lookup.unique((tool) => tool.nmae), (name) => name) } })`,
    "Property 'nmae' does not exist on type 'Tool'."
  ],
  "a normalization of another type": [
    `make({ lookup: { name: Lookup.normalized(Lookup.unique((tool) => tool.name), (name: number) => name) } })`,
    isNoString
  ]
}

/** As on the page on typing helpers. */
const byName = <Item, Lookups extends { readonly name: Lookup.Unique<Item, string> }, P, V, R = never>(
  self: Registry.RegistryOrService<Item, Lookups, P, V, R>
) => Registry.get(self, "name", "search")

describe("helpers of users", () => {
  const names = {
    unique: Lookup.unique((tool: Tool) => tool.name),
    each: Lookup.optional(Lookup.uniqueEach((tool: Tool) => [tool.name])),
    group: Lookup.group((tool: Tool) => tool.name)
  }

  interface Tool {
    readonly name: string
  }

  it("over any registry take one that has a unique lookup of that name, and no other", () => {
    class Tools extends Registry.Service<Tools, Tool>()("types/Tools", {
      lookup: { name: names.unique, other: names.group },
      defaults: [{ name: "search" }]
    }) {}
    expectTypeOf(byName(Tools)).toEqualTypeOf<
      Effect.Effect<Tool, RegistryError.ItemLookupError | Registry.PopulationFailureOf<typeof Tools>, Tools>
    >()
    const make = Registry.make<Tool>()
    const each = Effect.flatMap(make({ lookup: { name: names.each } }), byName)
    expectTypeOf(each).toEqualTypeOf<Effect.Effect<Tool, RegistryError.ItemLookupError, Scope.Scope>>()
    // @ts-expect-error: a group
    void Effect.flatMap(make({ lookup: { name: names.group } }), (tools) => byName(tools))
    // @ts-expect-error: no such lookup
    void Effect.flatMap(make({ lookup: { other: names.unique } }), (tools) => byName(tools))
    // @ts-expect-error: a list of names is of another type
    void Effect.flatMap(make({ lookup: ["name"] }), (tools) => byName(tools))
  })
})

describe("the compiler says", () => {
  let directory: string
  /** By the line of the program. */
  const errors = new Map<number, Array<string>>()
  const start = program.split("\n").length

  beforeAll(async () => {
    directory = Fs.mkdtempSync(Path.join(import.meta.dirname, ".fences-"))
    const lines = Object.values(mistakes).map(([code], i) => `export const mistake${i} = ${code}`)
    Fs.writeFileSync(Path.join(directory, "program.ts"), `${program}\n${lines.join("\n")}\nexport const fine = typed\n`)
    const options = { extends: "../../tsconfig.json", include: [], files: ["program.ts"] }
    Fs.writeFileSync(Path.join(directory, "tsconfig.json"), JSON.stringify(options))
    const output = await new Promise<string>((resolve) =>
      execFile(
        Path.join(import.meta.dirname, "../node_modules/.bin/tsc"),
        ["--project", directory, "--pretty", "false"],
        { cwd: directory },
        (_, stdout, stderr) => resolve(stdout + stderr)
      )
    )
    for (const said of output.trimEnd().split(/\n(?! )/)) {
      const [, line, text] = /^program\.ts\((\d+),\d+\): error TS\d+: ([^]*)$/.exec(said) ?? []
      assert.isDefined(line, said)
      errors.set(Number(line), [...errors.get(Number(line)) ?? [], text!])
    }
  }, 60_000)

  afterAll(() => Fs.rmSync(directory, { recursive: true }))

  it.each(Object.entries(mistakes).map(([what, [, said]], i) => [what, said, i] as const))(
    "which property, hook, attribute or value is wrong: %s",
    (what, said, i) => {
      const [error, ...others] = errors.get(start + i + 1) ?? []
      assert.deepStrictEqual(others, [])
      const lines = error!.split("\n")
      assert.isTrue(lines.at(-1)!.endsWith(said), error)
      // an effect has one type around that of its list
      assert.isAtMost(lines.length, what.startsWith("an effect of") ? 5 : 4, error)
      assert.notMatch(error!, /IteratorResult|Symbol|~effect/)
    }
  )

  it("nothing of what is right, such as a default whose function has no types", () => {
    const lines = Array.from(errors.keys())
    assert.deepStrictEqual(lines.filter((line) => line <= start || line > start + Object.keys(mistakes).length), [])
  })
})
