/**
 * The transactions that a fiber is in.
 *
 * @internal
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Party } from "./core.ts"

/**
 * The innermost transaction of the fiber, of whatever registry; its `outer` leads to the others. One reference serves
 * all registries, and child fibers inherit it.
 *
 * @internal
 */
export const CurrentTransaction: Context.Reference<Party | undefined> = Context.Reference<Party | undefined>(
  "effect-registry/CurrentTransaction",
  { defaultValue: () => undefined }
)

/** The import of a registry that loads late, while its layer is being built. */
interface Import {
  readonly service: Context.Key<any, any>
  readonly transaction: Party
  /** Gives the registry the hooks and the services of where this runs, and answers it. */
  readonly complete: Effect.Effect<unknown, never, Scope.Scope>
}

/**
 * The import whose layer is being built. A layer captures its context, and provides it again in a hook, say, much later:
 * so the transaction of the import is not the current one there, which would then replace that of the hook.
 *
 * @internal
 */
export const CurrentImport: Context.Reference<Import | undefined> = Context.Reference<Import | undefined>(
  "effect-registry/CurrentImport",
  { defaultValue: () => undefined }
)

/**
 * A context without the transactions of the fiber that it was taken from: services are captured, transactions never.
 *
 * @internal
 */
export const withoutTransactions = <R>(context: Context.Context<R>): Context.Context<R> =>
  // what is left out are references, which every context has
  Context.omit(CurrentTransaction, CurrentImport)(context) as Context.Context<R>
