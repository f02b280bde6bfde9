/** Hooks that come and go while a registry lives. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Core, Transaction } from "../engine/core.ts"
import * as Hooks from "../engine/hooks.ts"
import type { AfterHook, Part } from "../engine/parts.ts"
import { current } from "../engine/read.ts"
import { collect, sequence } from "../engine/sequence.ts"
import { failIfAny, step } from "../engine/transaction.ts"
import { runWithoutPopulation, unlessClosed } from "../operations/upkeep.ts"
import * as Contents from "../store/contents.ts"
import type { Entry } from "../store/entry.ts"

/**
 * Installs hooks after telling them of each item that is in, as if it were registered now. What they do to the registry
 * meanwhile they are told, too, so that in the end they know exactly what is in.
 */
export const installAndTell = <Item, P, V>(
  core: Core<Item, P, V>,
  scope: Scope.Scope,
  parts: ReadonlyArray<Part<Item, V>>
): Effect.Effect<void> =>
  runWithoutPopulation(core, {
    name: "addHooks",
    kind: "upkeep",
    runsHooks: true,
    body: (transaction) => installIn(transaction, parts),
    undone: () => Effect.void,
    committed: () => Scope.addFinalizer(scope, uninstall(core, parts, true)),
    failed: () => removeNow(core, parts, "removed")
  })

/** If it fails, it is for the caller to remove them. */
const installIn = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  parts: ReadonlyArray<Part<Item, V>>
): Effect.Effect<void, P> => {
  const { core } = transaction
  const known = new Set<Entry<Item>>()
  const pause = transaction.restore(Effect.yieldNow)
  const tell = (hook: AfterHook, entry: Entry<Item>) =>
    sequence(
      hook === "onItemRegistered" ? parts : parts.toReversed(),
      (part) => part.state === "installed" ? Hooks.tellPart(transaction, part, hook, entry) : undefined
    )
  const untilAllIsKnown: Effect.Effect<void, P> = Effect.suspend(() =>
    step(transaction, ({ draft }) => {
      const gone = Array.from(known).filter((entry) => !Contents.holds(draft, entry)).toReversed()
      const come = Contents.entries(draft).filter((entry) => !known.has(entry))
      if (gone.length + come.length > 0) return Exit.succeed({ gone, come })
      // they know what is in, and will be told of all that comes
      installNow(core, parts, transaction, core.nothing)
      return Exit.succeed(undefined)
    })
  ).pipe(Effect.flatMap((news) => {
    if (news === undefined) return Effect.void
    return sequence(news.gone, (entry) => {
      known.delete(entry)
      return tell("onItemUnregistered", entry)
    }, pause).pipe(
      Effect.flatMapEager(() =>
        sequence(news.come, (entry) => {
          if (!Contents.holds(transaction.draft, entry)) return undefined
          known.add(entry)
          return tell("onItemRegistered", entry)
        }, pause)
      ),
      Effect.flatMapEager(() => untilAllIsKnown)
    )
  }))
  return untilAllIsKnown
}

/** Installs hooks until a scope closes. */
export const install = <Item, P, V>(
  core: Core<Item, P, V>,
  scope: Scope.Scope,
  parts: ReadonlyArray<Part<Item, V>>
): Effect.Effect<void> =>
  Effect.uninterruptible(Effect.withFiber((fiber) => {
    const transaction = current(core, fiber.context)
    installNow(core, parts, transaction, transaction?.draft)
    return Scope.addFinalizer(scope, uninstall(core, parts, false))
  }))

/** What is in counts as told, also of a draft, where the next change may come before that is published. */
const installNow = <Item, P, V>(
  core: Core<Item, P, V>,
  parts: ReadonlyArray<Part<Item, V>>,
  transaction: Transaction<Item, P, V> | undefined,
  told: Contents.Contents<Item> | undefined
): void => {
  core.hooks = core.hooks.concat(parts)
  if (transaction === undefined || told === undefined) return
  const installed = transaction.outermost.installed ??= new Map()
  for (const part of parts) installed.set(part, told)
}

const removeNow = <Item, P, V>(
  core: Core<Item, P, V>,
  parts: ReadonlyArray<Part<Item, V>>,
  state: "removed" | "settled"
): void => {
  core.hooks = core.hooks.filter((part) => !parts.includes(part))
  for (const part of parts) part.state = state
}

/**
 * Removes hooks. It waits for the operation that calls them, so that nobody does when it ends; those that were told of what
 * was in are told of what still is.
 */
const uninstall = <Item, P, V>(
  core: Core<Item, P, V>,
  parts: ReadonlyArray<Part<Item, V>>,
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
          ? Hooks.callPart(transaction, part, "onItemUnregistered", entry.item)
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
const forget = <Item>(transaction: Transaction<Item>, parts: ReadonlyArray<Part<Item, unknown>>): void => {
  for (let around = transaction.parent; around !== undefined; around = around.parent) {
    around.calls = around.calls?.without(parts)
  }
}
