/** The way from a registry, or a service of one, to what it is inside. The interface shows users its types alone. */
import * as Context from "effect/Context"
import * as Predicate from "effect/Predicate"
import type { Core } from "./engine/core.ts"
import type { Registry, RegistryOrService } from "./model.ts"
import { show } from "./wording.ts"

export const TypeId = "~effect-registry/Registry"

export const isRegistry = (u: unknown): u is Registry<any, any, any, any> => Predicate.hasProperty(u, TypeId)

/**
 * The property of a registry that holds what it is inside: a symbol, so that a service class, whose names are users' to
 * choose, never has it.
 */
export const CoreKey: unique symbol = Symbol("effect-registry/Core")

/** What a registry is inside; `undefined` for all that is none. */
export const coreIn = <Item, P, V>(self: unknown): Core<Item, P, V> | undefined =>
  // whoever has the property is a registry
  (self as { readonly [CoreKey]?: Core<Item, P, V> } | null | undefined)?.[CoreKey]

export const coreOf = <Item, Lookups, P, V>(registry: Registry<Item, Lookups, P, V>): Core<Item, P, V> => {
  const core = coreIn<Item, P, V>(registry)
  if (core === undefined) throw noRegistry(registry)
  return core
}

/** The same of a service, by the context of a fiber. */
export const resolve = <Item, Lookups, P, V, R>(
  self: RegistryOrService<Item, Lookups, P, V, R>,
  context: Context.Context<R>
): Core<Item, P, V> => coreOf(Context.isKey(self) ? Context.get(context, self) : self)

export const noRegistry = (u: unknown): TypeError =>
  new TypeError(`What was given is neither a registry nor a service of one: ${show(u)}.`)
