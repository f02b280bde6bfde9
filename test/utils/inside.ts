/**
 * What tests ask a registry that no user can: the one file of the tests, beside those of a data structure, that knows
 * how a registry is built.
 */
import { Ref, type Scope } from "effect"
import type { Registry, RegistryEvent } from "effect-registry"
import { coreOf } from "../../src/internal/coreOf.ts"
import { Transaction } from "../../src/internal/engine/core.ts"
import { watchersOf } from "../../src/internal/features/watch.ts"
import { Contents } from "../../src/internal/store/contents.ts"
import * as Index from "../../src/internal/store/index.ts"
import { violations } from "../../src/testing/invariants.ts"

type AnyRegistry = Registry.Registry<any, any, any, any>

// ---------------------------------------------------------------------------------------------------------------------
// Who uses it
// ---------------------------------------------------------------------------------------------------------------------

/** Whether a transaction holds the lock of a registry. */
export const isLocked = (registry: AnyRegistry): boolean => coreOf(registry).lock.holder !== undefined

/** Whether a population of a registry runs, or is being undone. */
export const isPopulating = (registry: AnyRegistry): boolean => coreOf(registry).population.holder !== undefined

/** How many fibers wait for the next change of a registry. */
export const waiting = (registry: AnyRegistry): number =>
  (watchersOf(coreOf(registry)) as unknown as { readonly waiting: ReadonlySet<unknown> }).waiting.size

/** How many subscribers follow the changes of a registry. */
export const subscribers = (registry: AnyRegistry): number => watchersOf(coreOf(registry)).subscribers.size

/** How many scopes are open in a registry, without that of the population that filled what it holds. */
export const openScopes = (registry: AnyRegistry): number => {
  const { populationScope, scope } = coreOf(registry)
  return openIn(scope) - (populationScope === undefined ? 0 : 1)
}

const openIn = ({ state }: Scope.Scope): number => state._tag === "Open" ? state.finalizers?.size ?? 1 : 0

/** How many fibers wait for the lock of a registry. */
export const waitingForLock = (registry: AnyRegistry): number =>
  (coreOf(registry).lock as unknown as { readonly inLine: number }).inLine

/** What the transaction that holds the lock of a registry is recorded to wait for: that many things. */
export const waitsOfHolder = (registry: AnyRegistry): number => coreOf(registry).lock.holder?.waits?.size ?? 0

/** How many parts of hooks are installed in a registry. */
export const installedHooks = (registry: AnyRegistry): number => coreOf(registry).hooks.length

/** Whether the operations of a registry are measured. */
export const isMeasured = (registry: AnyRegistry): boolean => coreOf(registry).observer !== undefined

// ---------------------------------------------------------------------------------------------------------------------
// What it keeps
// ---------------------------------------------------------------------------------------------------------------------

/** Where the parts of what a registry holds contradict each other: none, in a sound registry. */
export const contradictions = (registry: AnyRegistry): ReadonlyArray<string> => violations(published(registry))

/** The values that each lookup of a registry finds something by. */
export const valuesByLookup = (
  registry: AnyRegistry
): ReadonlyArray<readonly [attribute: string, values: ReadonlyArray<unknown>]> => {
  const { definition, indexes } = published(registry)
  return definition.lookups.map(({ attribute }, slot) => [attribute, Array.from(indexes[slot]!.keys())])
}

/** The changes that a registry keeps for subscribers that are behind, oldest first. */
export const keptChanges = <Item, Lookups, P, V>(
  registry: Registry.Registry<Item, Lookups, P, V>
): ReadonlyArray<RegistryEvent.RegistryChange<Item>> => coreOf(registry).changes

// ---------------------------------------------------------------------------------------------------------------------
// Faults that no program can cause: what a registry would do if this library had one
// ---------------------------------------------------------------------------------------------------------------------

export type { Contents }

/** What a registry has published. */
export const published = <Item, Lookups, P, V>(registry: Registry.Registry<Item, Lookups, P, V>): Contents<Item> =>
  Ref.getUnsafe(coreOf(registry).published)

/** Publishes other contents, in no transaction. */
export const publish = <Item, Lookups, P, V>(
  registry: Registry.Registry<Item, Lookups, P, V>,
  contents: Contents<Item>
): void => {
  coreOf(registry).published.ref.current = contents
}

/** From now on readers are shown what this makes of what is published. */
export const distort = <Item, Lookups, P, V>(
  registry: Registry.Registry<Item, Lookups, P, V>,
  shown: (contents: Contents<Item>) => Contents<Item>
): void => {
  const { ref } = coreOf(registry).published
  let current = ref.current
  Object.defineProperty(ref, "current", {
    get: () => shown(current),
    set: (next: typeof current) => {
      current = next
    }
  })
}

/** The same but for a part. */
export const spoilt = <A extends object>(whole: A, part: { readonly [P in keyof A]?: A[P] }): A =>
  Object.create(whole, Object.getOwnPropertyDescriptors(part))

/** Tells those who follow other events than those of the last change, or another revision. */
export const forgeLastChange = <Item, Lookups, P, V>(
  registry: Registry.Registry<Item, Lookups, P, V>,
  forge: (change: RegistryEvent.RegistryChange<Item>) => RegistryEvent.RegistryChange<Item>
): void => {
  const { changes } = coreOf(registry)
  changes.push(forge(changes.pop()!))
}

const openTransaction = (registry: AnyRegistry): Transaction<any> | undefined => {
  const { holder } = coreOf(registry).lock
  return holder instanceof Transaction ? holder : undefined
}

/** The transaction that is open takes all keys out of the index of one lookup, by its place in the definition. */
export const emptyIndex = (registry: AnyRegistry, slot: number): void => {
  const transaction = openTransaction(registry)
  if (transaction === undefined) return
  const { draft } = transaction
  transaction.draft = new Contents<unknown>(draft)
  transaction.draft.indexes = draft.indexes.with(slot, Index.make(draft.definition.lookups[slot]!.unique))
}

/** The transaction that is open calls no hooks from now on. */
export const forgetHooks = (registry: AnyRegistry): void => {
  const transaction = openTransaction(registry)
  if (transaction !== undefined) Object.assign(transaction, { hooks: [] })
}
