/* Only tsc looks at these programs: they are never run. */
import { describe, it } from "@effect/vitest"
import { Context, Effect, type Layer, Schema, type Scope } from "effect"
import { Registry, type RegistryError } from "effect-registry"
import { type RegistryLog, SharedRegistry } from "effect-registry/shared"
import { expectTypeOf } from "vitest"

const Tool = Schema.Struct({ name: Schema.String })
type Tool = typeof Tool.Type

type Unavailable = RegistryError.RegistryUnavailable

class Boom {
  readonly _tag = "Boom"
}

class Database extends Context.Service<Database, { readonly load: Effect.Effect<ReadonlyArray<Tool>, Boom> }>()(
  "types/Database"
) {}

class Tools extends SharedRegistry.Service<Tools, Tool>()("types/Tools", {
  schema: Tool,
  lookup: ["name"],
  lifetime: "cluster"
}) {}

class Loaded extends SharedRegistry.Service<Loaded, Tool>()("types/Loaded", {
  schema: Tool,
  lookup: ["name"],
  defaults: Database.use(({ load }) => load),
  lifetime: "forever"
}) {}

class Local extends Registry.Service<Local, Tool>()("types/Local", { lookup: ["name"] }) {}

type Population = RegistryError.PopulationError<Boom | RegistryError.RegistrationFailure>

describe("the types of a shared registry", () => {
  it("have the error of the log in every operation", () => {
    expectTypeOf(Tools.get("name", "a")).toEqualTypeOf<
      Effect.Effect<Tool, RegistryError.ItemLookupError | Unavailable, Tools>
    >()
    expectTypeOf(Tools.register({ name: "a" })).toEqualTypeOf<
      Effect.Effect<void, RegistryError.RegistrationFailure | Unavailable, Tools>
    >()
    expectTypeOf(Tools.size).toEqualTypeOf<Effect.Effect<number, Unavailable, Tools>>()
    expectTypeOf(Loaded.size).toEqualTypeOf<Effect.Effect<number, Population | Unavailable, Loaded>>()
  })

  it("have it also where an operation of another registry never fails", () => {
    expectTypeOf(Tools.reset).toEqualTypeOf<Effect.Effect<void, Unavailable, Tools>>()
    expectTypeOf(Tools.enable("name", "a")).toEqualTypeOf<
      Effect.Effect<void, RegistryError.RegistrationError | Unavailable, Tools>
    >()
    expectTypeOf(Tools.lease("name", "a")).toEqualTypeOf<
      Effect.Effect<
        Tool,
        RegistryError.ItemLookupError | RegistryError.RegistrationError | Unavailable,
        Tools | Scope.Scope
      >
    >()
    expectTypeOf(Local.lease("name", "a")).toEqualTypeOf<
      Effect.Effect<Tool, RegistryError.ItemLookupError, Local | Scope.Scope>
    >()
    expectTypeOf(Registry.disable(Tools, "name", "a", { reason: "" })).toEqualTypeOf<
      Effect.Effect<void, Unavailable, Tools>
    >()
    expectTypeOf(Registry.disableScoped(Tools, "name", "a", { reason: "" })).toEqualTypeOf<
      Effect.Effect<void, Unavailable, Tools | Scope.Scope>
    >()
    expectTypeOf(Tools.unregisterOwner("a")).toEqualTypeOf<Effect.Effect<ReadonlyArray<Tool>, Unavailable, Tools>>()
    expectTypeOf(Local.reset).toEqualTypeOf<Effect.Effect<void, never, Local>>()
    expectTypeOf(Local.enable("name", "a")).toEqualTypeOf<Effect.Effect<void, RegistryError.RegistrationError, Local>>()
    expectTypeOf(Registry.disabled(Local, [])).toEqualTypeOf<Layer.Layer<never, never, Local>>()
  })

  it("need a log for their layers", () => {
    expectTypeOf(Tools.layer).toEqualTypeOf<Layer.Layer<Tools, never, RegistryLog.RegistryLog>>()
    expectTypeOf(Tools.layerPopulated).toEqualTypeOf<Layer.Layer<Tools, Unavailable, RegistryLog.RegistryLog>>()
    expectTypeOf(Loaded.layerPopulated).toEqualTypeOf<
      Layer.Layer<Loaded, Population | Unavailable, RegistryLog.RegistryLog | Database>
    >()
    expectTypeOf(Tools.sync).toEqualTypeOf<Effect.Effect<void, Unavailable, Tools>>()
  })

  it("refuse a definition that says too little, and loading late", () => {
    expectTypeOf(wrong).toBeFunction()
  })
})

const wrong = () => {
  // @ts-expect-error: no schema
  SharedRegistry.make<Tool>()({ name: "tools", lookup: ["name"], lifetime: "cluster" })
  // @ts-expect-error: no lifetime
  SharedRegistry.make<Tool>()({ name: "tools", lookup: ["name"], schema: Tool })
  // @ts-expect-error: an item of this schema cannot be read without a service
  SharedRegistry.make<Tool>()({ name: "tools", lookup: ["name"], lifetime: "cluster", schema: serviced })
  // @ts-expect-error: a shared registry is not loaded late
  Tools.layerLazy(async () => Tools.layer)
}

declare const serviced: Schema.Codec<Tool, Tool, Database, never>
