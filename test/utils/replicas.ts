/** Replicas of one shared registry in one process, each as another process would have it. */
import { Effect, Exit, Schema, Scope } from "effect"
import { Lookup, Registry } from "effect-registry"
import { RegistryLog, SharedRegistry } from "effect-registry/shared"

export const Tool = Schema.Struct({
  name: Schema.String,
  slot: Schema.optionalKey(Schema.Number),
  kind: Schema.optionalKey(Schema.String)
})

export type Tool = typeof Tool.Type

export const tool = (name: string, kind = "read"): Tool => ({ name, kind })

const lookup = {
  name: Lookup.unique((item: Tool) => item.name),
  slot: Lookup.optional(Lookup.unique((item: Tool) => item.slot)),
  kind: Lookup.optional(Lookup.group((item: Tool) => item.kind))
}

type Options = Partial<SharedRegistry.SharedOptions<Tool, typeof lookup, ReadonlyArray<Tool>, {}>>

const makeIn = (options: Options) =>
  SharedRegistry.make<Tool>()<typeof lookup, {}, ReadonlyArray<Tool>>({
    name: "tools",
    schema: Tool,
    lookup,
    lifetime: "cluster",
    ...options
  })

export type Tools = Effect.Success<ReturnType<typeof makeIn>>

/** A process that has joined, and its end. */
export const process = (options: Options = {}) =>
  Effect.gen(function*() {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const registry = yield* Scope.provide(makeIn(options), scope)
    yield* Registry.populate(registry)
    return { registry, scope, close: Scope.close(scope, Exit.void) }
  })

export const names = (registry: Tools) =>
  Effect.map(Registry.values(registry), (items) => items.map(({ name }) => name).join(" "))

/** The log of a test. */
export const withLog = <A, E>(
  effect: Effect.Effect<A, E, RegistryLog.RegistryLog | Scope.Scope>
): Effect.Effect<A, E> => Effect.scoped(Effect.provide(effect, RegistryLog.layerMemory))
