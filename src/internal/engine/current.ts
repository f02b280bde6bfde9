/** References in the context of a fiber: the transactions that it is in, and the owner of the items that it registers. */
import * as Context from "effect/Context"
import { inCommon } from "../copy.ts"
import type { WaitNode } from "./waiting.ts"

/**
 * The references of all copies of the package to their transactions. A context that keeps services keeps the transactions
 * of no copy, and one that takes the place of another has those of all.
 */
const references = /*#__PURE__*/ inCommon<Array<Context.Reference<any>>>("transactions", () => [])

/** A reference that other copies do not read: what they have there may be of another shape. */
export const ofThisCopy = <A>(name: string, defaultValue: () => A): Context.Reference<A> =>
  Context.Reference(`effect-registry/${name} ${Math.random()}`, { defaultValue })

const transactionOfThisCopy = (name: string): Context.Reference<WaitNode | undefined> => {
  const reference = ofThisCopy<WaitNode | undefined>(name, () => undefined)
  references.push(reference)
  return reference
}

/**
 * The innermost transaction of the fiber, of whatever registry; its `outer` leads to the others. One reference serves
 * all registries, and child fibers inherit it.
 */
export const CurrentTransaction = /*#__PURE__*/ transactionOfThisCopy("CurrentTransaction")

/**
 * A transaction that a fiber belongs to where no other is current. A layer captures its context and may provide it again
 * much later, in a hook, where the transaction of that hook must stay the current one.
 */
export const EnclosingTransaction = /*#__PURE__*/ transactionOfThisCopy("EnclosingTransaction")

/** The owner of the items that a fiber registers. */
export const Owner: Context.Reference<string> = /*#__PURE__*/ Context.Reference<string>("effect-registry/Owner", {
  defaultValue: () => ""
})

/** A context without the transactions of its fiber: services are captured, transactions never. */
export const withoutTransactions = <R>(context: Context.Context<R>): Context.Context<R> =>
  // they are references, and every context has those
  Context.omit(...references)(context) as Context.Context<R>

/** Services, in a transaction, and in those of other copies that the caller is in. */
export const within = <R>(
  transaction: WaitNode | undefined,
  services: Context.Context<R>,
  caller: Context.Context<never>
): Context.Context<R> => {
  const inOthers = references.length === 2 ? services : Context.merge(services, Context.pick(...references)(caller))
  return Context.add(inOthers, CurrentTransaction, transaction)
}

/** The innermost node of a fiber that has not ended. A fiber can outlive its transaction, and then finds it closed. */
export const innermost = (context: Context.Context<never>): WaitNode | undefined => {
  let node = Context.get(context, CurrentTransaction) ?? Context.get(context, EnclosingTransaction)
  while (node !== undefined && node.state === "closed") node = node.outer
  return node
}
