/** Operations that never populate. */
import * as Effect from "effect/Effect"
import type { Core, Operation } from "../engine/core.ts"
import { run } from "../engine/transaction.ts"

/** The error of a population cannot occur in an operation that never populates. */
export const runWithoutPopulation = <Item, P, V, A>(
  core: Core<Item, P, V>,
  operation: Operation<Item, never, V, A, never> & { readonly kind: "reset" | "upkeep" }
): Effect.Effect<A> => run(core as Core<Item, never, V>, operation)

/** A finalizer of another scope has nothing left to do when the scope of the registry has closed. */
export const unlessClosed = <Item, P, V>(core: Core<Item, P, V>, effect: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.catchCause(effect, (cause) => core.closed ? Effect.void : Effect.failCause(cause))
