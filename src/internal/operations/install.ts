/** Installing hooks while a registry lives. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Acquiring from "../engine/acquiring.ts"
import type { Core, Transaction } from "../engine/core.ts"
import { withoutTransactions } from "../engine/current.ts"
import * as Parts from "../engine/parts.ts"
import { current } from "../engine/read.ts"
import { useAfterEnd } from "../engine/waiting.ts"
import type { Contents } from "../store/contents.ts"
import { runWithoutPopulation, unlessClosed } from "./upkeep.ts"

/** Installs hooks, with the services of the fiber, until its scope closes. */
export const install = <Item, P, V>(
  core: Core<Item, P, V>,
  hooks: Parts.Installable<Item, V, any>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.uninterruptible(Effect.contextWith((context: Context.Context<Scope.Scope>) => {
    const transaction = current(core, context)
    if (core.closed && transaction === undefined) return useAfterEnd(core.definition)
    const parts = Parts.install(core.definition.name, hooks, withoutTransactions(context))
    installNow(core, parts, transaction, transaction?.draft)
    return Scope.addFinalizer(
      Context.get(context, Scope.Scope),
      uninstall(core, parts, () => {
        removeNow(core, parts, "removed")
        return Effect.void
      })
    )
  }))

/** Changes which hooks are installed. Throws, and changes nothing, if they would be in a circle. */
export const changeHooks = <Item, P, V>(
  core: Core<Item, P, V>,
  f: (installed: ReadonlyArray<Parts.Part<Item, V>>) => ReadonlyArray<Parts.Part<Item, V>>
): void => {
  const { definition, hooks } = core
  core.hooks = Parts.arrange(definition.name, f(hooks.installed ?? hooks))
}

/** In a transaction, hooks count as told of the contents that are given. */
export const installNow = <Item, P, V>(
  core: Core<Item, P, V>,
  parts: ReadonlyArray<Parts.Part<Item, V>>,
  transaction: Transaction<Item, P, V> | undefined,
  told: Contents<Item> | undefined
): void => {
  changeHooks(core, (installed) => installed.concat(parts))
  if (transaction === undefined || told === undefined) return
  const installed = transaction.outermost.installed ??= new Map()
  for (const part of parts) installed.set(part, told)
}

export const removeNow = <Item, P, V>(
  core: Core<Item, P, V>,
  parts: ReadonlyArray<Parts.Part<Item, V>>,
  state: "removed" | "settled"
): void => {
  changeHooks(core, (installed) => installed.filter((part) => !parts.includes(part)))
  for (const part of parts) if (part.state === "installed") part.state = state
}

/** Removes hooks, when the transaction in flight, which may call them, has ended. */
export const uninstall = <Item, P, V>(
  core: Core<Item, P, V>,
  parts: ReadonlyArray<Parts.Part<Item, V>>,
  leave: (transaction: Transaction<Item, never, V>) => Effect.Effect<void>
): Effect.Effect<void> => {
  const leaving = runWithoutPopulation(core, { name: "removeHooks", kind: "upkeep", body: leave, undone: leave })
  // hooks are removed even if the wait would never end
  return unlessClosed(core, Effect.ensuring(leaving, Effect.sync(() => removeNow(core, parts, "removed")))).pipe(
    Effect.ensuring(Acquiring.leave(core, parts))
  )
}
