import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Result, Schema } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks } from "effect-registry"

const mine = { id: 1, name: "mine" }
const yours = { id: 1, name: "yours" }

const shownOf = (value: string) =>
  new RegistryError.ItemLookupError({ ...errors.not_registered, value, suggestions: [] }).message

/** How an error shows a value of so many characters, with its quotes. */
const shown = (length: number) => shownOf("x".repeat(length - 2))

const entryPointMessage = (code: Exclude<RegistryError.EntryPointError["code"], "invalid_package">) =>
  new RegistryError.EntryPointError({
    code,
    package: "app-codecs",
    group: "app.codecs",
    entryPoint: "gzip",
    module: "./gzip.js",
    issue: "That is why."
  }).message

const errors = {
  already_registered: new RegistryError.AlreadyRegisteredError({
    registry: "plugins",
    code: "already_registered",
    item: mine,
    label: "\"mine\""
  }),
  attribute_registered: new RegistryError.AlreadyRegisteredError({
    registry: "plugins",
    code: "attribute_registered",
    item: mine,
    label: "\"mine\"",
    attribute: "id",
    value: 1,
    existing: yours,
    existingLabel: "\"yours\""
  }),
  missing_attribute: new RegistryError.RegistrationError({
    registry: "plugins",
    code: "missing_attribute",
    item: mine,
    label: "\"mine\"",
    attribute: "path"
  }),
  invalid_item: new RegistryError.RegistrationError({
    registry: "plugins",
    code: "invalid_item",
    item: mine,
    issue: "Expected string, got 5"
  }),
  rejected: new RegistryError.RegistrationError({
    registry: "plugins",
    code: "rejected",
    item: mine,
    reason: "not now"
  }),
  not_registered: new RegistryError.ItemLookupError({
    registry: "plugins",
    code: "not_registered",
    attribute: "name",
    value: "mne",
    suggestions: ["mine", "mien"]
  }),
  invalid_attribute: new RegistryError.ItemLookupError({
    registry: "plugins",
    code: "invalid_attribute",
    attribute: "nmae",
    value: "mine",
    suggestions: ["id", "name"]
  }),
  unregister: new RegistryError.ItemLookupError({
    registry: "plugins",
    code: "unregister",
    item: mine,
    suggestions: []
  }),
  defaults: new RegistryError.PopulationError<Error>({
    registry: "plugins",
    code: "defaults",
    cause: new Error("no network")
  }),
  registration: new RegistryError.PopulationError<RegistryError.RegistrationFailure>({
    registry: "plugins",
    code: "registration",
    item: mine,
    label: "\"mine\"",
    cause: new RegistryError.AlreadyRegisteredError({
      registry: "plugins",
      code: "attribute_registered",
      item: mine,
      label: "\"mine\"",
      attribute: "id",
      value: 1,
      existing: yours,
      existingLabel: "\"yours\""
    })
  }),
  invariant: new RegistryError.PopulationError<string>({
    registry: "plugins",
    code: "invariant",
    cause: "two are the main one"
  }),
  import: new RegistryError.PopulationError<string>({ registry: "plugins", code: "import", cause: "no module" }),
  lagged: new RegistryError.RegistryLagged({ registry: "plugins", code: "lagged", missed: 3 }),
  deadlock: new RegistryError.DeadlockError({
    registry: "plugins",
    code: "deadlock",
    chain: ["plugins", "themes"],
    waits: [{ registry: "plugins", operation: "register" }, { registry: "themes", operation: "reset" }]
  })
} satisfies { readonly [C in RegistryError.Code]?: RegistryError.RegistryError }

const classes: ReadonlyArray<Schema.Codec<any>> = [
  RegistryError.AlreadyRegisteredError,
  RegistryError.RegistrationError,
  RegistryError.ItemLookupError,
  RegistryError.PopulationError,
  RegistryError.RegistryLagged,
  RegistryError.DeadlockError
]

const classOf = (error: RegistryError.RegistryError): Schema.Codec<any, any> =>
  classes.find((Class) => error instanceof (Class as any))!

class Offline extends Schema.TaggedError<Offline>()("Offline", { host: Schema.String }) {}

const populationMessage = (cause: unknown): string =>
  new RegistryError.PopulationError({ registry: "plugins", code: "defaults", cause }).message

/** What is suggested for a value, where these are the names. */
const suggestedAmong = (value: unknown, names: ReadonlyArray<unknown>) =>
  Effect.gen(function*() {
    const registry = yield* Registry.make<{ readonly name: unknown }>()({ lookup: ["name"] })
    yield* Registry.registerAll(registry, names.map((name) => ({ name })))
    const error = yield* Effect.flip(Registry.get(registry, "name", value))
    return error.suggestions
  })

const text = (error: { readonly code: string; readonly registry: string }) => `${error.registry}/${error.code}`

describe("RegistryError", () => {
  it("every code has a readable message that names the registry, the attribute, the value and the holder", () => {
    assert.deepStrictEqual(Object.fromEntries(Object.entries(errors).map(([code, error]) => [code, error.message])), {
      already_registered: `Could not register "mine" in "plugins": it is already registered.`,
      attribute_registered:
        `Could not register "mine" in "plugins": "yours" is already registered with id = 1. Unregister or replace it first.`,
      missing_attribute: `Could not register "mine" in "plugins": it has no "path". ` +
        "Give it one, or make the lookup optional.",
      // an item without a label is shown by the names of its properties
      invalid_item: `Could not register {id,name} in "plugins": ` +
        "it does not satisfy the registry's schema. Expected string, got 5",
      rejected: `Could not register {id,name} in "plugins": not now`,
      not_registered: `No item is registered in "plugins" with name = "mne". Did you mean "mine" or "mien"?`,
      invalid_attribute: `"plugins" has no lookup "nmae" for this operation. Use "id" or "name".`,
      unregister: `Could not unregister {id,name} from "plugins": it is not registered.`,
      defaults: `Could not populate "plugins": its defaults failed. no network`,
      registration: `Could not populate "plugins": the default "mine" could not be registered: ` +
        `"yours" is already registered with id = 1. Unregister or replace it first.`,
      invariant: `Could not populate "plugins": its invariant failed. "two are the main one"`,
      import: `Could not populate "plugins": its module could not be loaded. "no module"`,
      lagged: `A subscriber of "plugins" is too far behind: 3 change(s) are gone, or it asked for a revision ` +
        "that does not exist. Subscribe again for a fresh snapshot, or give the registry a longer history.",
      deadlock: `Deadlock: "register" of "plugins" waits for "reset" of "themes", which waits for the first. ` +
        "A transaction is assumed to wait for everything that it starts; run it with Registry.detached if it does not."
    })
  })

  it("a message names the owner of a conflicting item if it has one, and omits the question if nothing is near", () => {
    const { already_registered, attribute_registered, not_registered } = errors
    assert.strictEqual(
      new RegistryError.AlreadyRegisteredError({ ...already_registered, owner: "core" }).message,
      `Could not register "mine" in "plugins": it is already registered by "core".`
    )
    assert.strictEqual(
      new RegistryError.AlreadyRegisteredError({ ...attribute_registered, owner: "core" }).message,
      `Could not register "mine" in "plugins": ` +
        `"yours" is already registered by "core" with id = 1. Unregister or replace it first.`
    )
    assert.strictEqual(
      new RegistryError.ItemLookupError({ ...not_registered, suggestions: [] }).message,
      `No item is registered in "plugins" with name = "mne".`
    )
  })

  it("the message of a PopulationError shows the name of a cause that has no message", () => {
    assert.strictEqual(
      populationMessage(new Offline({ host: "a" })),
      `Could not populate "plugins": its defaults failed. Offline`
    )
    assert.strictEqual(populationMessage(new Error()), `Could not populate "plugins": its defaults failed. Error`)
  })

  it("the message of a PopulationError shows the message or the tag of a cause, and else the names of its fields", () => {
    const start = `Could not populate "plugins": its defaults failed. `
    assert.strictEqual(populationMessage({ message: "no error" }), `${start}no error`)
    assert.strictEqual(populationMessage({ _tag: "Offline", host: "a" }), `${start}Offline`)
    assert.strictEqual(populationMessage({ message: 5, host: "a" }), `${start}{message,host}`)
    const listing = Object.assign(new Error("one"), { message: ["one", "two"] })
    assert.notStrictEqual(populationMessage(listing), `${start}one,two`)
  })

  it("a value is shown whole up to 80 characters", () => {
    assert.include(shown(80), `= "${"x".repeat(78)}".`)
    assert.include(shown(81), `= "${"x".repeat(77)}…".`)
  })

  it("a value is cut between characters, not inside of one", () => {
    assert.include(shownOf("😀".repeat(60)), `= "${"😀".repeat(38)}…".`)
    assert.include(shownOf(`x${"😀".repeat(60)}`), `= "x${"😀".repeat(38)}…".`)
  })

  it("the message of an EntryPointError names the package and says why", () => {
    const start = `Could not load "gzip" of the package "app-codecs" for "app.codecs": `
    assert.deepStrictEqual(
      (["invalid_path", "import", "missing_export", "invalid_item"] as const).map(entryPointMessage),
      [
        `${start}it does not name a module inside the package. Name a path that begins with "./". That is why.`,
        `${start}its module "./gzip.js" could not be imported. That is why.`,
        `${start}its module "./gzip.js" does not export it. That is why.`,
        `${start}its export does not satisfy the schema. That is why.`
      ]
    )
  })

  it("every error has a registry, a code, a tag and a message", () => {
    for (const [code, error] of Object.entries(errors)) {
      assert.instanceOf(error, Error)
      assert.strictEqual(error.registry, "plugins")
      assert.strictEqual(error.code, code)
      assert.strictEqual(error.name, error._tag)
      assert.include(String(error), error.message)
      assert.include(Cause.pretty(Cause.fail(error)), "plugins")
    }
  })

  it("messages are readable for every kind of item and value", () => {
    const hostile: ReadonlyArray<unknown> = [
      undefined,
      null,
      NaN,
      -0,
      10n,
      Symbol("s"),
      () => 1,
      Object.create(null),
      {
        toString: () => {
          throw new Error()
        }
      },
      Object.defineProperty({}, "x", {
        enumerable: true,
        get: () => {
          throw new Error()
        }
      }),
      new Proxy({}, {
        get: () => {
          throw new Error()
        },
        ownKeys: () => {
          throw new Error()
        }
      }),
      "x".repeat(10_000),
      Array.from({ length: 10_000 }, (_, i) => i),
      new Map([[{}, new Set([1])]]),
      new Error("inner")
    ]
    for (const value of hostile) {
      for (
        const error of [
          new RegistryError.AlreadyRegisteredError({ registry: "r", code: "already_registered", item: value }),
          new RegistryError.AlreadyRegisteredError({
            registry: "r",
            code: "attribute_registered",
            item: value,
            attribute: "a",
            value,
            existing: value
          }),
          new RegistryError.ItemLookupError({
            registry: "r",
            code: "not_registered",
            attribute: "a",
            value,
            suggestions: []
          }),
          new RegistryError.PopulationError({ registry: "r", code: "defaults", cause: value })
        ]
      ) {
        assert.include(error.message, "\"r\"")
        assert.isAtMost(error.message.length, 400)
      }
    }
  })

  it("the message of a PopulationError is readable even if that of its cause is not", () => {
    const causes = [
      Object.defineProperty(new Error(), "message", {
        get: () => {
          throw new Error("no message")
        }
      }),
      Object.assign(new Error(), { message: undefined }),
      Object.assign(new Error(), { message: Symbol("m") }),
      Object.assign(new Error(), { message: Object.create(null) }),
      new Error("x".repeat(100_000))
    ]
    for (const cause of causes) {
      const error = new RegistryError.PopulationError({ registry: "r", code: "defaults", cause })
      assert.include(error.message, "Could not populate \"r\"")
    }
  })

  it("a replaced text becomes the message, and survives encoding and decoding", () => {
    for (const error of Object.values<RegistryError.RegistryError>(errors)) {
      const Class = classOf(error)
      const replaced: RegistryError.RegistryError = new (Class as any)({
        ...error,
        ...(error._tag === "PopulationError" ? { cause: error.cause } : {}),
        text: "replaced"
      })
      assert.strictEqual(replaced.message, "replaced")
      const wire = JSON.parse(JSON.stringify(Schema.encodeUnknownSync(Class)(replaced)))
      const back: any = Schema.decodeUnknownSync(Class)(wire)
      assert.isTrue(back instanceof (Class as any))
      assert.strictEqual(back.message, "replaced")
      assert.strictEqual(back.code, error.code)
      assert.strictEqual(back.registry, "plugins")
    }
  })

  it("errors with plain items keep their message through encoding and decoding", () => {
    for (const error of Object.values<RegistryError.RegistryError>(errors)) {
      if (error._tag === "PopulationError" && typeof error.cause !== "string") continue
      const Class = classOf(error)
      const encoded: any = Schema.encodeUnknownSync(Class)(error)
      assert.strictEqual(encoded._tag, error._tag)
      const back: any = Schema.decodeUnknownSync(Class)(JSON.parse(JSON.stringify(encoded)))
      assert.isTrue(back instanceof (Class as any))
      assert.strictEqual(back.message, error.message)
      assert.isUndefined(back.text)
    }
  })

  it("decoding refuses values that are not such an error", () => {
    const wrong: ReadonlyArray<unknown> = [
      { _tag: "ItemLookupError", registry: "r", code: "not_registered" },
      { _tag: "ItemLookupError", registry: "r", code: "nope", suggestions: [] },
      { _tag: "ItemLookupError", code: "unregister", suggestions: [] },
      { _tag: "Other", registry: "r", code: "unregister", suggestions: [] },
      { _tag: "ItemLookupError", registry: "r", code: "unregister", suggestions: [], text: 5 }
    ]
    for (const input of wrong) {
      assert.isTrue(Result.isFailure(Schema.decodeUnknownResult(RegistryError.ItemLookupError)(input)))
    }
    const { waits, ...deadlock } = Schema.encodeUnknownSync(RegistryError.DeadlockError)(errors.deadlock)
    assert.strictEqual(waits.length, 2)
    for (
      const wrongWait of [{}, { registry: "r" }, { operation: "register" }, { registry: 5, operation: "register" }]
    ) {
      const decoded = Schema.decodeUnknownResult(RegistryError.DeadlockError)({ ...deadlock, waits: [wrongWait] })
      assert.isTrue(Result.isFailure(decoded))
    }
  })

  it.effect("a text function receives the fields of the error, applies to its code alone, and may throw", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<typeof mine>()({
        name: "plugins",
        lookup: ["name"],
        defaults: [{ id: 2, name: "mien" }],
        messages: {
          not_registered: (error) =>
            [error.registry, error.code, error.attribute, error.value, ...error.suggestions].join(" "),
          unregister: () => {
            throw new Error("boom")
          }
        }
      })
      const notRegistered = yield* Effect.flip(Registry.get(registry, "name", "mine"))
      assert.strictEqual(notRegistered.message, "plugins not_registered name mine mien")
      assert.strictEqual(notRegistered.text, "plugins not_registered name mine mien")
      const unregister = yield* Effect.flip(Registry.unregister(registry, mine))
      assert.strictEqual(unregister.message, `Could not unregister "mine" from "plugins": it is not registered.`)
      assert.isUndefined(unregister.text)
      const invalid = yield* Effect.flip(Registry.get(registry, "nmae" as "name", "mine"))
      assert.include(invalid.message, "has no lookup")
    }))

  it.effect("a registry can replace the message of every code", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ readonly id: number | string; readonly name?: string }>()({
        name: "plugins",
        lookup: {
          id: Lookup.unique((item) => item.id),
          name: Lookup.optional(Lookup.unique((item) => item.name)),
          path: Lookup.group((item) => item.name === "lost" ? undefined : 1)
        },
        schema: Schema.Struct({
          id: Schema.Union([Schema.Number, Schema.String]),
          name: Schema.optionalKey(Schema.String)
        }),
        hooks: RegistryHooks.make<{ readonly id: number | string; readonly name?: string }>()({
          onItemRegistering: (item) => item.name === "bad" ? RegistryError.reject(item, "bad") : Effect.void
        }),
        messages: {
          already_registered: text,
          attribute_registered: text,
          missing_attribute: text,
          invalid_item: text,
          rejected: text,
          not_registered: text,
          invalid_attribute: text,
          unregister: text
        }
      })
      yield* Registry.register(registry, { id: 1 })
      const attempts: { readonly [code: string]: Effect.Effect<unknown, { readonly message: string }> } = {
        already_registered: Registry.register(registry, { id: 1 }),
        attribute_registered: Registry.register(registry, { id: 1, name: "x" }),
        missing_attribute: Registry.register(registry, { id: 2, name: "lost" }),
        invalid_item: Registry.register(registry, { id: true } as any),
        rejected: Registry.register(registry, { id: 2, name: "bad" }),
        not_registered: Registry.get(registry, "id", 2),
        invalid_attribute: Registry.get(registry, "path" as any, 2 as never),
        unregister: Registry.unregister(registry, { id: 2 })
      }
      for (const [code, attempt] of Object.entries(attempts)) {
        assert.strictEqual((yield* Effect.flip(attempt)).message, `plugins/${code}`)
      }
    }))

  it.effect("a registry can replace the message of a PopulationError, and gets its cause", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ readonly id: number }>()({
        name: "plugins",
        lookup: ["id"],
        defaults: Effect.fail("no network") as Effect.Effect<Array<{ readonly id: number }>, string>,
        messages: { defaults: (failure) => `${failure.registry} is offline: ${failure.cause}` }
      })
      const error = yield* Effect.flip(Registry.size(registry))
      assert.strictEqual(error.message, "plugins is offline: no network")
      assert.strictEqual(error.cause, "no network")
      assert.strictEqual(error.code, "defaults")
    }))

  it.effect("reject refuses with a reason, and the registry fills in its name", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(RegistryError.reject(mine, "not now"))
      assert.isTrue(Exit.isFailure(exit))
      const registry = yield* Registry.make<typeof mine>()({ name: "plugins", lookup: ["id"] })
      yield* Registry.addHooks(registry, { onItemRegistering: (item) => RegistryError.reject(item, "not now") })
      const error = yield* Effect.flip(Registry.register(registry, mine))
      assert.instanceOf(error, RegistryError.RegistrationError)
      assert.strictEqual(error.code, "rejected")
      assert.strictEqual(error.registry, "plugins")
      assert.strictEqual(error.item, mine)
      if (error._tag === "RegistrationError") assert.strictEqual(error.reason, "not now")
      assert.strictEqual(error.message, `Could not register 1 in "plugins": not now`)
    }))

  it.effect("a refusal that passes through another registry keeps the name of the first", () =>
    Effect.gen(function*() {
      const inner = yield* Registry.make<typeof mine>()({ name: "inner", lookup: ["id"] })
      yield* Registry.addHooks(inner, { onItemRegistering: (item) => RegistryError.reject(item, "no") })
      const outer = yield* Registry.make<typeof mine>()({
        name: "outer",
        lookup: ["id"],
        hooks: { onItemRegistering: (item: typeof mine) => Registry.register(inner, item) }
      })
      const error = yield* Effect.flip(Registry.register(outer, mine))
      assert.strictEqual(error.registry, "inner")
    }))

  it.effect("an operation fails with the very error of its hook, unless that comes from reject", () =>
    Effect.gen(function*() {
      const failures = [
        new RegistryError.RegistrationError({ registry: "other", code: "rejected", item: mine, reason: "no" }),
        new RegistryError.RegistrationError({ registry: "", code: "missing_attribute", item: mine, attribute: "id" }),
        { registry: "", code: "rejected", item: mine }
      ]
      for (const given of failures) {
        const registry = yield* Registry.make<typeof mine>()({
          name: "things",
          lookup: ["id"],
          hooks: { onItemRegistering: () => Effect.fail(given) }
        })
        assert.strictEqual(yield* Effect.flip(Registry.register(registry, mine)), given)
      }
    }))

  it.effect("suggestions come from up to ten thousand keys, and not from more", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ readonly id: string }>()({ lookup: ["id"] })
      const suggested = Effect.map(
        Effect.flip(Registry.get(registry, "id", "itme")),
        (error) => error._tag === "ItemLookupError" ? error.suggestions : []
      )
      yield* Registry.registerAll(registry, Array.from({ length: 9_999 }, (_, i) => ({ id: `number ${i}` })))
      yield* Registry.register(registry, { id: "item" })
      assert.deepStrictEqual(yield* suggested, ["item"])
      yield* Registry.register(registry, { id: "another" })
      assert.deepStrictEqual(yield* suggested, [])
    }))

  it.effect("unregister of an absent item suggests nothing", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ readonly id: string }>()({ lookup: ["id"] })
      const error = yield* Effect.flip(Registry.unregister(registry, { id: "item" }))
      assert.deepStrictEqual([error.code, error.suggestions], ["unregister", []])
    }))

  it.effect("suggestions are near matches among string keys, nearest first", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ readonly name: string | number }>()({
        name: "languages",
        lookup: ["name"],
        defaults: ["TypeScript", "JavaScript", "CoffeeScript", "Type", 5, "__proto__"].map((name) => ({ name }))
      })
      const suggested = (name: string | number) =>
        Effect.flip(Registry.get(registry, "name", name)).pipe(
          Effect.map((error) => error._tag === "ItemLookupError" ? error.suggestions : [])
        )
      assert.deepStrictEqual(yield* suggested("Typescript"), ["TypeScript"])
      assert.deepStrictEqual(yield* suggested("Javascript "), ["JavaScript"])
      assert.deepStrictEqual(yield* suggested("xyz"), [])
      assert.deepStrictEqual(yield* suggested(""), [])
      assert.deepStrictEqual(yield* suggested(6), [])
      assert.deepStrictEqual(yield* suggested("_proto_"), ["__proto__"])
      assert.deepStrictEqual(yield* suggested("x".repeat(1_000)), [])
    }))

  it.effect("suggestions are few, near and sorted by distance", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* suggestedAmong("catalog", ["catalogue", "dialog", "catalogs", "CATALOG", 5, null]),
        ["CATALOG", "catalogs", "catalogue"]
      )
      assert.deepStrictEqual(yield* suggestedAmong("ftech", ["fetch", "search"]), ["fetch"])
      assert.deepStrictEqual(yield* suggestedAmong("ca", ["abc"]), [], "edits do not overlap")
      assert.strictEqual((yield* suggestedAmong("abcdef", ["abcdeg", "abcdfg", "abc", "abcdef1", "abcdefg"])).length, 3)
      assert.sameMembers([...yield* suggestedAmong("a", ["b", "ab", "abc"])], ["b", "ab"])
      assert.deepStrictEqual(
        yield* suggestedAmong("ajva", ["java"]),
        ["java"],
        "swapping two neighbours is one edit, at the start"
      )
      assert.deepStrictEqual(yield* suggestedAmong("jaav", ["java"]), ["java"], "and at the end")
      assert.deepStrictEqual(yield* suggestedAmong("abcd", ["badc"]), [], "two swaps are two edits")
      assert.deepStrictEqual(yield* suggestedAmong("xy", ["zx", "yz"]), [], "moving a character is not a swap")
      const longest = "x".repeat(64)
      assert.deepStrictEqual(yield* suggestedAmong(longest, [`${longest}y`]), [`${longest}y`])
      assert.deepStrictEqual(
        yield* suggestedAmong(`${longest}x`, [longest]),
        [],
        "a value that long is not taken for a typing mistake"
      )
      assert.deepStrictEqual(yield* suggestedAmong(5, ["5"]), [])
      assert.deepStrictEqual(yield* suggestedAmong("5", [5]), [])
    }))
})
