/**
 * The transactions that a fiber is in.
 *
 * @internal
 */
import * as Context from "effect/Context"
import type { Party } from "./transaction.ts"

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

/**
 * A context without the transactions of the fiber that it was taken from: services are captured, transactions never.
 *
 * @internal
 */
export const withoutTransactions = <R>(context: Context.Context<R>): Context.Context<R> =>
  Context.omit(CurrentTransaction)(context) as Context.Context<R>
