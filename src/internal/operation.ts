/** The functions of a registry. They take a service of one as well. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { coreIn, coreOf, isRegistry, noRegistry } from "./coreOf.ts"
import type { Core } from "./engine/core.ts"

/** What an operation does with what a registry is inside, and with its other arguments. */
type Body = (core: Core<any, any, any>, x: any, y: any, z: any) => Effect.Effect<any, any, any>

/**
 * A function of a registry, or of a service of one: then it answers an effect that needs the service. Given the other
 * arguments alone it is data-last. The arity of a function that can do without its last arguments is `"some"`.
 */
export const operation = <F extends (...args: any) => any>(arity: 1 | 2 | 3 | 4 | "some", body: Body): F => {
  function either(first: unknown, x: unknown, y: unknown, z: unknown): unknown {
    const isDataFirst = arity === "some" ? isRegistry(first) || Context.isKey(first) : arguments.length >= arity
    return isDataFirst ? on(first, body, x, y, z) : dataLast(body, first, x, y)
  }
  // the overloads that F consists of say what `body` does
  return either as F
}

// what makes a closure is a function of its own: each call of one that has a closure over its arguments is slower

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
  Context.isKey(self)
    ? Effect.withFiber((fiber) => body(coreOf(Context.getUnsafe(fiber.context, self)), x, y, z))
    : Effect.die(noRegistry(self))
