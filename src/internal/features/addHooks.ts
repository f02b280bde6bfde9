/** Installing hooks that are told of the items that are in. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Acquiring from "../engine/acquiring.ts"
import type { Core, Transaction } from "../engine/core.ts"
import { withoutTransactions } from "../engine/current.ts"
import * as Hooks from "../engine/hooks.ts"
import { install, type Installable, type Part } from "../engine/parts.ts"
import { current } from "../engine/read.ts"
import { sequence } from "../engine/sequence.ts"
import { failIfAny, step } from "../engine/transaction.ts"
import { installNow, removeNow, uninstall } from "../operations/install.ts"
import { runWithoutPopulation } from "../operations/upkeep.ts"
import * as Contents from "../store/contents.ts"
import { show } from "../store/wording.ts"

/**
 * Lets hooks acquire for each item that is in, and tells them of each that can be seen, as if it were registered now; and
 * installs them until the scope closes.
 */
export const installAndTell = <Item, P, V>(
  core: Core<Item, P, V>,
  hooks: Installable<Item, V, any>
): Effect.Effect<void, V, Scope.Scope> =>
  Effect.contextWith((context: Context.Context<Scope.Scope>) => {
    if (current(core, context) !== undefined) {
      return Effect.die(
        new Error(
          `Could not add hooks with "existing" to ${
            show(core.definition.name)
          }: this is in a transaction of it, which may still fail. Add them outside.`
        )
      )
    }
    const installing = () => install(core.definition.name, hooks, withoutTransactions(context))
    let parts = installing()
    const failed: Array<Part<Item, V>> = []
    const adding = runWithoutPopulation<Item, P, V, void, V>(core, {
      name: "addHooks",
      kind: "upkeep",
      runsHooks: true,
      body: (transaction) => tellAll(transaction, parts),
      undone: () => Effect.void,
      committed: () =>
        Scope.addFinalizer(
          Context.get(context, Scope.Scope),
          uninstall(core, parts, (transaction) => untellAll(transaction, parts))
        ),
      failed: () => {
        removeNow(core, parts, "removed")
        failed.push(...parts)
        // it may run again
        parts = installing()
      }
    })
    return Effect.ensuring(adding, Effect.suspend(() => Acquiring.leave(core, failed)))
  })

/** Hooks may change the registry meanwhile: of that they are told as any hook is that was installed in a transaction. */
const tellAll = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  parts: ReadonlyArray<Part<Item, V>>
): Effect.Effect<void, P | V> =>
  Effect.flatMap(
    step(transaction, ({ core, draft }) => {
      installNow(core, parts, transaction, core.nothing)
      return Exit.succeed(draft)
    }),
    (draft) =>
      Effect.flatMap(
        sequence(
          Contents.allEntries(draft),
          (entry) => Acquiring.acquireMore(transaction, parts, entry),
          transaction.restore
        ),
        () =>
          sequence(
            Contents.entries(draft),
            (entry) => Hooks.tellEach(transaction, parts, { hook: "onItemRegistered", entry }),
            transaction.restore
          )
      )
  )

/** Tells hooks that go that each item goes. That makes up for all their calls, so that none of them is rolled back. */
const untellAll = <Item, V>(
  transaction: Transaction<Item, never, V>,
  parts: ReadonlyArray<Part<Item, V>>
): Effect.Effect<void> =>
  Effect.suspend(() => {
    removeNow(transaction.core, parts, "settled")
    return Effect.flatMap(Hooks.untell(transaction, parts), failIfAny)
  })
