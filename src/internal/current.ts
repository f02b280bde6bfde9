/**
 * The transactions that a fiber is in.
 *
 * @internal
 */
import * as Context from "effect/Context"
import type { Party } from "./core.ts"

/**
 * The innermost transaction of the fiber, of whatever registry; its `outer` leads to the others. One reference serves
 * all registries, and child fibers inherit it.
 *
 * @internal
 */
export const CurrentTransaction: Context.Reference<Party | undefined> = /*#__PURE__*/ Context.Reference<
  Party | undefined
>(
  "effect-registry/CurrentTransaction",
  { defaultValue: () => undefined }
)

/**
 * A transaction that a fiber belongs to where no other is current. The layer of an import runs in one: a layer captures
 * its context and may provide it again much later, in a hook, where the transaction of that hook must stay the current
 * one.
 *
 * @internal
 */
export const EnclosingTransaction: Context.Reference<Party | undefined> = /*#__PURE__*/ Context.Reference<
  Party | undefined
>(
  "effect-registry/EnclosingTransaction",
  { defaultValue: () => undefined }
)

/**
 * A context without the transactions of the fiber that it was taken from: services are captured, transactions never.
 *
 * @internal
 */
export const withoutTransactions = <R>(context: Context.Context<R>): Context.Context<R> =>
  // what is left out are references, which every context has
  Context.omit(CurrentTransaction, EnclosingTransaction)(context) as Context.Context<R>
