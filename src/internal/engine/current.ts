/** References in the context of a fiber: the transactions that it is in, and the owner of the items that it registers. */
import * as Context from "effect/Context"
import type { WaitNode } from "./waiting.ts"

/**
 * The innermost transaction of the fiber, of whatever registry; its `outer` leads to the others. One reference serves
 * all registries, and child fibers inherit it.
 */
export const CurrentTransaction: Context.Reference<WaitNode | undefined> = /*#__PURE__*/ Context.Reference<
  WaitNode | undefined
>("effect-registry/CurrentTransaction", { defaultValue: () => undefined })

/**
 * A transaction that a fiber belongs to where no other is current. A layer captures its context and may provide it again
 * much later, in a hook, where the transaction of that hook must stay the current one.
 */
export const EnclosingTransaction: Context.Reference<WaitNode | undefined> = /*#__PURE__*/ Context.Reference<
  WaitNode | undefined
>("effect-registry/EnclosingTransaction", { defaultValue: () => undefined })

/** The owner of the items that a fiber registers. */
export const Owner: Context.Reference<string> = /*#__PURE__*/ Context.Reference<string>("effect-registry/Owner", {
  defaultValue: () => ""
})

/** A context without the transactions of its fiber: services are captured, transactions never. */
export const withoutTransactions = <R>(context: Context.Context<R>): Context.Context<R> =>
  // both are references, and every context has those
  Context.omit(CurrentTransaction, EnclosingTransaction)(context) as Context.Context<R>

/** The innermost node of a fiber that has not ended. A fiber can outlive its transaction, and then finds it closed. */
export const innermost = (context: Context.Context<never>): WaitNode | undefined => {
  let node = Context.get(context, CurrentTransaction) ?? Context.get(context, EnclosingTransaction)
  while (node !== undefined && node.state === "closed") node = node.outer
  return node
}
