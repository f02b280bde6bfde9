/**
 * Hooks that come and go while a registry lives.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Core, Transaction } from "../engine/core.ts"
import * as Hooks from "../engine/hooks.ts"
import { collect, sequence } from "../engine/sequence.ts"
import { failIfAny, step } from "../engine/transaction.ts"
import { runWithoutPopulation, unlessClosed } from "../operations/operations.ts"
import * as Contents from "../store/contents.ts"

type Entry<Item> = Contents.Entry<Item>

/**
 * Installs hooks after telling them of each item that is in, as if it were registered now. What they do to the registry
 * meanwhile they are told, too, so that in the end they know exactly what is in.
 *
 * @internal
 */
export const installAndTell = <Item, P, V>(
  core: Core<Item, P, V>,
  scope: Scope.Scope,
  parts: ReadonlyArray<Hooks.Part<Item, V>>
): Effect.Effect<void> =>
  runWithoutPopulation(core, {
    name: "addHooks",
    kind: "upkeep",
    body: (transaction) => installIn(transaction, parts),
    undone: () => Effect.void,
    committed: () => Scope.addFinalizer(scope, uninstall(core, parts, true)),
    failed: () => removeNow(core, parts, "removed")
  })

/**
 * The same in a transaction. If that fails, it is for the caller to remove them.
 *
 * @internal
 */
export const installIn = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  parts: ReadonlyArray<Hooks.Part<Item, V>>
): Effect.Effect<void, P> => {
  const { calls, core } = transaction
  const told = new Set<Entry<Item>>()
  const tell: Effect.Effect<void, P> = Effect.suspend(() =>
    step(transaction, ({ draft }) => {
      const gone = Array.from(told).filter((entry) => !Contents.holds(draft, entry)).toReversed()
      const come = Contents.entries(draft).filter((entry) => !told.has(entry))
      if (gone.length + come.length > 0) return Exit.succeed({ gone, come })
      // they know what is in, and will be told of all that comes
      core.hooks = core.hooks.concat(parts)
      return Exit.succeed(undefined)
    })
  ).pipe(Effect.flatMap((news) => {
    if (news === undefined) return Effect.void
    return sequence(news.gone, (entry) => {
      told.delete(entry)
      return Hooks.callAfter(parts, "onItemUnregistered", entry.item, calls)
    }).pipe(
      Effect.flatMapEager(() =>
        sequence(news.come, (entry) => {
          if (!Contents.holds(transaction.draft, entry)) return undefined
          told.add(entry)
          return Hooks.callAfter(parts, "onItemRegistered", entry.item, calls)
        })
      ),
      Effect.flatMapEager(() => tell)
    )
  }))
  return tell
}

/**
 * Installs hooks until a scope closes.
 *
 * @internal
 */
export const install = <Item, P, V>(
  core: Core<Item, P, V>,
  scope: Scope.Scope,
  parts: ReadonlyArray<Hooks.Part<Item, V>>
): Effect.Effect<void> =>
  Effect.uninterruptible(Effect.suspend(() => {
    core.hooks = core.hooks.concat(parts)
    return Scope.addFinalizer(scope, uninstall(core, parts, false))
  }))

const removeNow = <Item, P, V>(
  core: Core<Item, P, V>,
  parts: ReadonlyArray<Hooks.Part<Item, V>>,
  state: "removed" | "settled"
): void => {
  core.hooks = core.hooks.filter((part) => !parts.includes(part))
  for (const part of parts) part.state = state
}

/**
 * Removes hooks. It waits for who is calling them, so that nobody does when it ends; those that were told of what was in
 * are told of what still is.
 */
const uninstall = <Item, P, V>(
  core: Core<Item, P, V>,
  parts: ReadonlyArray<Hooks.Part<Item, V>>,
  tell: boolean
): Effect.Effect<void> => {
  const leave = (transaction: Transaction<Item, never, V>): Effect.Effect<void> =>
    Effect.suspend(() => {
      removeNow(transaction.core, parts, tell ? "settled" : "removed")
      if (!tell) return Effect.void
      forget(transaction, parts)
      const entries = Contents.entries(transaction.draft).toReversed()
      const calls = entries.flatMap((entry) => parts.toReversed().map((part) => ({ entry, part })))
      const telling = collect(calls, ({ entry, part }) =>
        Contents.holds(transaction.draft, entry)
          ? Hooks.tell(part, "onItemUnregistered", entry.item)
          : undefined)
      return Effect.flatMap(telling, failIfAny)
    })
  const removing = runWithoutPopulation(core, { name: "removeHooks", kind: "upkeep", body: leave, undone: leave })
  // if it cannot wait, they are removed all the same
  const removed = Effect.sync(() => {
    if (parts.some(({ state }) => state === "installed")) removeNow(core, parts, "removed")
  })
  return unlessClosed(core, Effect.ensuring(removing, removed))
}

/** What they are told now makes up for all they were told in the transactions around, so none of it is undone. */
const forget = <Item>(transaction: Transaction<Item>, parts: ReadonlyArray<Hooks.Part<Item, unknown>>): void => {
  for (let around = transaction.parent; around !== undefined; around = around.parent) {
    const rest = around.calls.filter(({ part }) => !parts.includes(part))
    around.calls.length = 0
    for (const call of rest) around.calls.push(call)
  }
}
