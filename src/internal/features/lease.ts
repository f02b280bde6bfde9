/** Keeping what hooks acquired for an item, though the item goes meanwhile. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type * as RegistryError from "../../RegistryError.ts"
import { acquisitionOf, endLease } from "../engine/acquiring.ts"
import type { Acquisition } from "../engine/acquisition.ts"
import { contentsOf, type Core } from "../engine/core.ts"
import { current } from "../engine/read.ts"
import { notFound } from "../operations/find.ts"
import * as Contents from "../store/contents.ts"

export interface Leased<out Item> {
  readonly item: Item
  /** What is kept; nothing where no hook acquired anything for the item. */
  readonly acquisition: Acquisition<Item> | undefined
}

/** Finds an item, and begins the lease in the step that finds it. */
export const lease = <Item, P, V>(
  core: Core<Item, P, V>,
  attribute: string,
  value: unknown
): Effect.Effect<Leased<Item>, RegistryError.ItemLookupError | P, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiber((fiber): Effect.Effect<Leased<Item>, RegistryError.ItemLookupError | P, Scope.Scope> => {
      const transaction = current(core, fiber.context)
      const contents = transaction?.draft ?? contentsOf(core)
      if (!contents.populated && transaction?.ready !== true && transaction?.state !== "undoing") {
        return Effect.flatMap(restore(core.populate), () => restore(lease(core, attribute, value)))
      }
      const entry = Contents.get(contents, attribute, value)
      if (entry === undefined) return Effect.fail(notFound(contents, attribute, value))
      const { item } = entry
      const acquisition = acquisitionOf(core, entry, transaction)
      if (acquisition === undefined) {
        // its error is in the type of a lease of a shared registry
        const acquiring = transaction === undefined ? core.shared?.acquire(entry) as Effect.Effect<void, P> : undefined
        return acquiring === undefined
          ? Effect.succeed({ item, acquisition })
          : Effect.flatMap(restore(acquiring), () => restore(lease(core, attribute, value)))
      }
      acquisition.leases++
      return Effect.contextWith((context: Context.Context<Scope.Scope>) =>
        Effect.as(Scope.addFinalizer(Context.get(context, Scope.Scope), endLease(core, acquisition)), {
          item,
          acquisition
        })
      )
    })
  )
