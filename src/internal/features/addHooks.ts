/** Installing hooks that are told of the items that are in. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Core, Transaction } from "../engine/core.ts"
import { withoutTransactions } from "../engine/current.ts"
import * as Hooks from "../engine/hooks.ts"
import { type AfterHook, arrange, install, type Installable, type Part } from "../engine/parts.ts"
import { current } from "../engine/read.ts"
import { collect, sequence } from "../engine/sequence.ts"
import { failIfAny, step } from "../engine/transaction.ts"
import { installNow, removeNow, uninstall } from "../operations/install.ts"
import { runWithoutPopulation } from "../operations/upkeep.ts"
import * as Contents from "../store/contents.ts"
import type { Entry } from "../store/entry.ts"

/** Tells hooks of each item that is in, as if it were registered now, and installs them until the scope closes. */
export const installAndTell = <Item, P, V>(
  core: Core<Item, P, V>,
  hooks: Installable<Item, V, any>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.contextWith((context: Context.Context<Scope.Scope>) => {
    if (current(core, context) !== undefined) {
      return Effect.die(
        new Error(
          `Could not add hooks with "existing" to "${core.definition.name}": this is in a transaction of it, which may still fail. Add them outside.`
        )
      )
    }
    const { name } = core.definition
    const parts = install(name, hooks, withoutTransactions(context))
    // a circle with others is found before they are told of anything
    arrange(name, core.hooks.concat(parts))
    const uninstalling = uninstall(core, parts, (transaction) => untellAll(transaction, parts))
    return runWithoutPopulation(core, {
      name: "addHooks",
      kind: "upkeep",
      runsHooks: true,
      body: (transaction) => tellAll(transaction, parts),
      undone: () => Effect.void,
      committed: () => Scope.addFinalizer(Context.get(context, Scope.Scope), uninstalling),
      failed: () => removeNow(core, parts, "removed")
    })
  })

/** Hooks may change the registry meanwhile: they are told of that, too, until they know exactly what is in. */
const tellAll = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  parts: ReadonlyArray<Part<Item, V>>
): Effect.Effect<void, P> => {
  const { core } = transaction
  const known = new Set<Entry<Item>>()
  const pause = transaction.restore(Effect.yieldNow)
  const tell = (hook: AfterHook, entry: Entry<Item>) =>
    sequence(
      hook === "onItemRegistered" ? parts : parts.toReversed(),
      (part) => Hooks.tellPart(transaction, part, hook, entry)
    )
  const untilAllIsKnown: Effect.Effect<void, P> = Effect.suspend(() =>
    step(transaction, ({ draft }) => {
      const gone = Array.from(known).filter((entry) => !Contents.holds(draft, entry)).toReversed()
      const come = Contents.entries(draft).filter((entry) => !known.has(entry))
      if (gone.length + come.length === 0) installNow(core, parts, transaction, core.nothing)
      return Exit.succeed(gone.concat(come))
    })
  ).pipe(Effect.flatMap((news) => {
    if (news.length === 0) return Effect.void
    const telling = sequence(news, (entry) => {
      if (known.delete(entry)) return tell("onItemUnregistered", entry)
      if (!Contents.holds(transaction.draft, entry)) return undefined
      known.add(entry)
      return tell("onItemRegistered", entry)
    }, pause)
    return Effect.flatMap(telling, () => untilAllIsKnown)
  }))
  return untilAllIsKnown
}

/** Tells hooks that go that each item goes. That makes up for all their calls, so that none of them is rolled back. */
const untellAll = <Item, V>(
  transaction: Transaction<Item, never, V>,
  parts: ReadonlyArray<Part<Item, V>>
): Effect.Effect<void> =>
  Effect.suspend(() => {
    removeNow(transaction.core, parts, "settled")
    for (let around = transaction.parent; around !== undefined; around = around.parent) {
      around.calls = around.calls?.without(parts)
    }
    const entries = Contents.entries(transaction.draft).toReversed()
    const calls = entries.flatMap((entry) => parts.toReversed().map((part) => ({ entry, part })))
    const telling = collect(calls, ({ entry, part }) =>
      Contents.holds(transaction.draft, entry)
        ? Hooks.callPart(transaction, part, "onItemUnregistered", entry.item)
        : undefined)
    return Effect.flatMap(telling, failIfAny)
  })
