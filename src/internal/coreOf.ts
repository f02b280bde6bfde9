/** From a registry, a service of one, or a snapshot to its inside: their interfaces show types alone. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { refuseForeign } from "./copy.ts"
import type { Core } from "./engine/core.ts"
import type { Registry, RegistryOrService, RegistrySnapshot } from "./model.ts"
import type { Contents } from "./store/contents.ts"
import { isObject } from "./store/entry.ts"
import { show } from "./store/wording.ts"

export const TypeId = "~effect-registry/Registry"

export const isRegistry = (u: unknown): u is Registry<any, any, any, any> => isObject(u) && TypeId in u

/** The property of a registry that holds its core. A symbol, because users choose the names of a service class. */
export const CoreKey: unique symbol = Symbol("effect-registry/Core")

/** The core of a registry; `undefined` for anything else. */
export const coreIn = <Item, P, V>(self: unknown): Core<Item, P, V> | undefined =>
  // only registries have the property
  (self as { readonly [CoreKey]?: Core<Item, P, V> } | null | undefined)?.[CoreKey]

export const coreOf = <Item, Lookups, P, V>(registry: Registry<Item, Lookups, P, V>): Core<Item, P, V> => {
  const core = coreIn<Item, P, V>(registry)
  if (core !== undefined) return core
  refuseForeign(registry)
  const advice = Effect.isEffect(registry) ? " It is an effect: give what it answers." : ""
  throw new TypeError(`What was given is neither a registry nor a service of one: ${show(registry)}.${advice}`)
}

export const resolve = <Item, Lookups, P, V, R>(
  self: RegistryOrService<Item, Lookups, P, V, R>,
  context: Context.Context<never>
): Core<Item, P, V> => {
  if (!Context.isKey(self)) return coreOf(self)
  refuseForeign(self)
  return coreOf(Context.getUnsafe(context, self))
}

/** Every snapshot is a `Contents`. */
export const snapshotOf = <Item, Lookups>(contents: Contents<Item>): RegistrySnapshot<Item, Lookups> =>
  contents as unknown as RegistrySnapshot<Item, Lookups>

export const contentsOf = <Item, Lookups>(snapshot: RegistrySnapshot<Item, Lookups>): Contents<Item> => {
  refuseForeign(snapshot)
  return snapshot as unknown as Contents<Item>
}

/** What an operation does with a core and its other arguments. */
type Body = (core: Core<any, any, any>, x: any, y: any, z: any) => Effect.Effect<any, any, any>

/**
 * A function of a registry, or of a service of one: then it answers an effect that needs the service. It is data-last
 * when it is given fewer arguments than `arity`. A function whose last arguments are optional tells by what they are
 * whether it was given all but the registry.
 */
export const operation = <F extends (...args: any) => any>(
  arity: 1 | 2 | 3 | 4 | ((first: unknown, x: unknown) => boolean),
  body: Body
): F => {
  function either(first: unknown, x: unknown, y: unknown, z: unknown): unknown {
    const isDataFirst = typeof arity === "number"
      ? (arguments.length || 1) >= arity
      : isRegistry(first) || Context.isKey(first) || !arity(first, x)
    return isDataFirst ? on(first, body, x, y, z) : dataLast(body, first, x, y)
  }
  // the overloads that F consists of say what `body` does
  return either as F
}

// a closure over its arguments makes each call of a function slower, so closures are made by functions of their own

const dataLast = (body: Body, x: unknown, y: unknown, z: unknown) => (self: unknown) => on(self, body, x, y, z)

const on = (self: unknown, body: Body, x: unknown, y: unknown, z: unknown): Effect.Effect<any, any, any> => {
  const core = coreIn(self)
  return core === undefined ? inService(self, body, x, y, z) : body(core, x, y, z)
}

export const inService = (
  self: unknown,
  body: Body,
  x: unknown,
  y: unknown,
  z?: unknown
): Effect.Effect<any, any, any> =>
  // it dies where `self` is neither a registry nor a service of one
  Effect.withFiber((fiber) => body(resolve(self as RegistryOrService<any, any, any, any>, fiber.context), x, y, z))
