import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Logger, Redacted, Schema } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks } from "effect-registry"
import { Command } from "effect/cli"
import { inspect } from "node:util"

interface Provider {
  readonly id: string
  readonly apiKey: string
  readonly charge: (cents: number) => string
}

const provider = (id: string): Provider => ({ id, apiKey: "sk_live_1234", charge: (cents) => `charge ${cents}` })

const push = () => Command.make("push", {}, () => Effect.void)

const makeProviders = Registry.make<Provider>()({ name: "providers", lookup: ["id"] })

class Licence extends Schema.TaggedError<Licence>()("Licence", { why: Schema.String }) {}

/** What loggers of each kind write of an error: as a message, as a part of one, and as a cause. */
const logged = (error: unknown): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const loggers = [Logger.formatSimple, Logger.formatLogFmt, Logger.formatJson, Logger.formatStructured].map(
      (logger) => Logger.map(logger as Logger.Logger<unknown, unknown>, (line) => void lines.push(inspect(line)))
    )
    yield* Effect.logError(error).pipe(
      Effect.andThen(Effect.logError("It failed:", error)),
      Effect.andThen(Effect.logError("It failed:", Cause.fail(error))),
      Effect.provide(Logger.layer(loggers))
    )
    return lines
  })

describe("the label of an item", () => {
  it.effect("is the value of the first unique lookup: no message has an item, its functions or its secrets", () =>
    Effect.gen(function*() {
      const providers = yield* makeProviders
      yield* Registry.register(providers, provider("stripe"))
      const error = yield* Effect.flip(Registry.register(providers, provider("stripe")))
      assert.strictEqual(
        error.message,
        `Could not register "stripe" in "providers": "stripe" is already registered with id = "stripe". ` +
          "Unregister or replace it first."
      )
      const commands = yield* Registry.make<Command.Command.Any>()({ name: "commands", lookup: ["name"] })
      yield* Registry.register(commands, push())
      assert.match((yield* Effect.flip(Registry.register(commands, push()))).message, /^Could not register "push" in/)
    }))

  it.effect("is the value of another unique lookup where the item lacks the first, and the first of several values", () =>
    Effect.gen(function*() {
      interface Tool {
        readonly name?: string
        readonly aliases: ReadonlyArray<string>
      }
      const tools = yield* Registry.make<Tool>()({
        name: "tools",
        lookup: {
          name: Lookup.unique((tool) => tool.name),
          kind: Lookup.group(() => "kind"),
          alias: Lookup.uniqueEach((tool) => tool.aliases)
        }
      })
      const { label, message } = yield* Effect.flip(Registry.unregister(tools, { aliases: ["ls", "dir"] }))
      assert.deepStrictEqual([label, message], [
        "\"ls\"",
        "Could not unregister \"ls\" from \"tools\": it is not registered."
      ])
      // a selector of a refused item may throw
      const broken: any = {}
      const unlabelled = yield* Effect.flip(Registry.register(tools, broken))
      assert.strictEqual(
        unlabelled.message,
        "Could not register {} in \"tools\": it has no \"name\". Give it one, or make the lookup optional."
      )
    }))

  it.effect("is what the option says, in every message; one that throws, or answers no text, is not asked again", () =>
    Effect.gen(function*() {
      let label = (tool: Provider): any => `the ${tool.id} of ${providers.name}`
      const providers = yield* Registry.make<Provider>()({
        name: "providers",
        lookup: ["id", "apiKey"],
        label: (tool) => label(tool),
        messages: { unregister: (error) => `There is no ${error.label}.` }
      })
      yield* Registry.register(providers, provider("stripe"))
      const error = yield* Effect.flip(Registry.register(providers, provider("paypal")))
      assert.match(
        error.message,
        /^Could not register "the paypal of providers" in "providers": "the stripe of providers" is already registered with apiKey = /
      )
      const unregister = Effect.flip(Registry.unregister(providers, provider("mollie")))
      assert.strictEqual((yield* unregister).message, "There is no \"the mollie of providers\".")
      label = () => {
        throw new Error("no label")
      }
      assert.strictEqual((yield* unregister).message, "There is no \"mollie\".")
      label = () => undefined
      assert.strictEqual((yield* unregister).message, "There is no \"mollie\".")
    }))

  it.effect("of an item without a unique value is itself, or the names of its properties", () =>
    Effect.gen(function*() {
      const tags = yield* Registry.make<unknown>()({ name: "tags", lookup: [] })
      class Tag {
        readonly name = "secret"
      }
      const messages = yield* Effect.forEach(
        ["red", 5, provider("stripe"), new Tag(), Redacted.make("secret"), () => "secret", Buffer.from("secret")],
        (item) => Effect.map(Effect.flip(Registry.unregister(tags, item)), (error) => error.label)
      )
      assert.deepStrictEqual(messages, [
        "\"red\"",
        "5",
        "{id,apiKey,charge}",
        "Tag {name}",
        "{}",
        "[Function]",
        "Buffer (6)"
      ])
    }))

  it.effect("crosses a wire with the error, and the message with it", () =>
    Effect.gen(function*() {
      const providers = yield* makeProviders
      yield* Registry.register(providers, provider("stripe"))
      const error = yield* Effect.flip(Registry.register(providers, provider("stripe")))
      assert.instanceOf(error, RegistryError.AlreadyRegisteredError)
      const wire = JSON.stringify(Schema.encodeUnknownSync(RegistryError.AlreadyRegisteredError)(error))
      const back = Schema.decodeUnknownSync(RegistryError.AlreadyRegisteredError)(JSON.parse(wire))
      assert.strictEqual(back.message, error.message)
    }))

  it.effect("names the default that was refused: without an attribute, by a hook of the definition, or by another hook", () =>
    Effect.gen(function*() {
      const names = Array.from({ length: 500 }, (_, i) => ({ name: `n${i}` }))
      type Named = (typeof names)[number]
      const refuse = (item: Named): Effect.Effect<void, Licence> =>
        item.name === "n437" ? new Licence({ why: "expired" }) : Effect.void
      const populated = (hooks: RegistryHooks.RegistryHooks<Named, Licence>, defaults: Effect.Effect<Array<Named>>) =>
        Effect.gen(function*() {
          const registry = yield* Registry.make<Named>()({ name: "names", lookup: ["name"], defaults, hooks })
          return yield* Effect.flip(Registry.size(registry))
        })
      const start = "Could not populate \"names\": the default \"n437\" could not be registered: "
      const refused = yield* populated(
        RegistryHooks.make<Named>()({ onItemRegistering: refuse }),
        Effect.succeed(names)
      )
      assert.deepStrictEqual([refused.message, refused.item, refused.label], [
        `${start}Licence`,
        names[437],
        "\"n437\""
      ])
      const rejecting = RegistryHooks.make<Named>()({
        onItemRegistering: (item) =>
          item.name === "n437" ? RegistryError.reject(item, "it is not licensed") : Effect.void
      })
      const registry = yield* Registry.make<Named>()({ name: "names", lookup: ["name"], defaults: names })
      yield* Registry.addHooks(registry, rejecting)
      assert.strictEqual((yield* Effect.flip(Registry.size(registry))).message, `${start}it is not licensed`)
      const twice = yield* populated(RegistryHooks.empty, Effect.succeed([...names, { name: "n437" }]))
      assert.strictEqual(twice.message, `${start}it is already registered by "defaults".`)
    }))
})

const caused = (cause: unknown) => new RegistryError.PopulationError({ registry: "providers", code: "defaults", cause })

describe("an error", () => {
  it.effect("begins with its message on a console, and has its stack and its fields", () =>
    Effect.gen(function*() {
      const providers = yield* makeProviders
      yield* Registry.register(providers, provider("stripe"))
      const error = yield* Effect.flip(Registry.get(providers, "id", "strip"))
      const shown = inspect(error)
      assert.match(
        shown,
        /^ItemLookupError: No item is registered in "providers" with id = "strip"\. Did you mean "stripe"\?\n +at /
      )
      assert.include(shown, "code: 'not_registered'")
      assert.include(shown, "value: 'strip'")
      assert.include(shown, "suggestions: [ 'stripe' ]")
      assert.strictEqual(inspect({ nested: error }).match(/No item is registered/g)?.length, 1)
    }))

  it.effect("shows its items by their labels on a console, in JSON and in logs, and has them for code that reads them", () =>
    Effect.gen(function*() {
      const providers = yield* makeProviders
      const first = provider("stripe")
      yield* Registry.register(providers, first)
      const second = provider("stripe")
      const error = yield* Effect.flip(Registry.register(providers, second))
      assert.instanceOf(error, RegistryError.AlreadyRegisteredError)
      assert.strictEqual(error.item, second)
      assert.strictEqual(error.existing, first)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(error)), {
        message: error.message,
        _tag: "AlreadyRegisteredError",
        registry: "providers",
        code: "attribute_registered",
        item: "\"stripe\"",
        attribute: "id",
        value: "stripe",
        existing: "\"stripe\""
      })
      const population = new RegistryError.PopulationError({
        registry: "providers",
        code: "registration",
        item: second,
        cause: error
      })
      for (const one of [error, population]) {
        const shown = [inspect(one), JSON.stringify(one), Cause.pretty(Cause.fail(one)), ...yield* logged(one)]
        for (const text of shown) {
          assert.include(text, "is already registered with id")
          assert.notMatch(text, /sk_live|cents|charge \$/)
        }
      }
    }))

  it("shows a cause that is an error as a cause, and any other by its text", () => {
    assert.match(inspect(caused(new Error("offline"))), /\[cause\]: Error: offline\n +at /)
    assert.include(inspect(caused({ host: "a", charge: () => "secret" })), "[cause]: '{host,charge}'")
    assert.strictEqual(JSON.parse(JSON.stringify(caused(new Error("offline")))).cause, "offline")
    assert.strictEqual(JSON.parse(JSON.stringify(caused("offline"))).cause, "\"offline\"")
  })
})
