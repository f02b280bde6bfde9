/**
 * Questions about the inside of a registry that no public function answers. Apart from tests of one data structure, this
 * is the only test file that knows how a registry is built.
 */
import { Effect, Ref, type Scope } from "effect"
import type { Registry, RegistryEvent, RegistrySnapshot } from "effect-registry"
import { contentsOf, coreOf } from "../../src/internal/coreOf.ts"
import { isIn } from "../../src/internal/engine/acquiring.ts"
import { Inserted, Removed } from "../../src/internal/engine/change.ts"
import { contentsOf as publishedOf, Transaction } from "../../src/internal/engine/core.ts"
import * as Read from "../../src/internal/engine/read.ts"
import { tell } from "../../src/internal/features/told.ts"
import { watchersOf } from "../../src/internal/features/watch.ts"
import { allEntries, Contents } from "../../src/internal/store/contents.ts"
import * as Index from "../../src/internal/store/index.ts"
import { valueOf } from "../../src/internal/store/key.ts"
import { violations } from "../../src/testing/invariants.ts"

/** Says of items which package offers them, as entry points do. */
export { offer } from "../../src/internal/features/offered.ts"

type AnyRegistry = Registry.Registry<any, any, any, any>

// ---------------------------------------------------------------------------------------------------------------------
// Locks and waits
// ---------------------------------------------------------------------------------------------------------------------

/** Whether a transaction holds the lock of a registry. */
export const isLocked = (registry: AnyRegistry): boolean => coreOf(registry).lock.holder !== undefined

/** Whether a population of a registry runs, or rolls back. */
export const isPopulating = (registry: AnyRegistry): boolean => coreOf(registry).population.holder !== undefined

/** How many fibers wait for the next change of a registry. */
export const waiting = (registry: AnyRegistry): number =>
  (watchersOf(coreOf(registry)) as unknown as { readonly waiting: ReadonlySet<unknown> }).waiting.size

/** How many subscribers follow the changes of a registry. */
export const subscribers = (registry: AnyRegistry): number => watchersOf(coreOf(registry)).subscribers.size

/** How many handles a registry has. */
export const listeners = (registry: AnyRegistry): number => watchersOf(coreOf(registry)).listeners.size

/** How many scopes are open in a registry, apart from the scope of the population of its contents. */
export const openScopes = (registry: AnyRegistry): number => {
  const { populationScope, scope } = coreOf(registry)
  return openIn(scope) - (populationScope === undefined ? 0 : 1)
}

const openIn = ({ state }: Scope.Scope): number => state._tag === "Open" ? state.finalizers?.size ?? 1 : 0

/** How many fibers wait for the lock of a registry. */
export const waitingForLock = (registry: AnyRegistry): number =>
  (coreOf(registry).lock as unknown as { readonly inLine: number }).inLine

/** How many waits are recorded for the transaction that holds the lock of a registry. */
export const waitsOfHolder = (registry: AnyRegistry): number => coreOf(registry).lock.holder?.waits?.size ?? 0

/** How many parts of hooks are installed in a registry. */
export const installedHooks = (registry: AnyRegistry): number => coreOf(registry).hooks.length

/** Whether the operations of a registry are measured. */
export const isMeasured = (registry: AnyRegistry): boolean => coreOf(registry).observer !== undefined

// ---------------------------------------------------------------------------------------------------------------------
// Contents and changes
// ---------------------------------------------------------------------------------------------------------------------

/** How the contents of a registry contradict themselves: not at all, in a sound registry. */
export const contradictions = (registry: AnyRegistry): ReadonlyArray<string> => violations(published(registry))

/** The same of a snapshot. */
export const contradictionsIn = (snapshot: RegistrySnapshot.RegistrySnapshot<any, any>): ReadonlyArray<string> =>
  violations(contentsOf(snapshot))

/** All that a snapshot holds, what an override hides included. */
export const wholeOf = (snapshot: RegistrySnapshot.RegistrySnapshot<any, any>) => {
  const { populated, revision, withheld } = contentsOf(snapshot)
  return { populated, revision, values: [...snapshot], withheld: withheld?.entries.map(({ item }) => item) }
}

/** The values of each lookup by which a registry finds an item. */
export const valuesByLookup = (
  registry: AnyRegistry
): ReadonlyArray<readonly [attribute: string, values: ReadonlyArray<unknown>]> => {
  const { definition, indexes } = published(registry)
  return definition.lookups.map(({ attribute }, slot) => [attribute, Array.from(indexes[slot]!.keys(), valueOf)])
}

/** The changes that a registry keeps for late subscribers, oldest first. */
export const keptChanges = <Item, Lookups, P, V>(
  registry: Registry.Registry<Item, Lookups, P, V>
): ReadonlyArray<RegistryEvent.RegistryChange<Item>> => {
  const core = coreOf(registry)
  return tell(core, core.changes.length)
}

/** How many of the changes that a registry keeps were told to anybody who keeps them. */
export const toldChanges = (registry: AnyRegistry): number =>
  coreOf(registry).changes.filter(({ told }) => told?.deref() !== undefined).length

// ---------------------------------------------------------------------------------------------------------------------
// Faults of the library, made on purpose
// ---------------------------------------------------------------------------------------------------------------------

export type { Contents }

/** The published contents of a registry. */
export const published = <Item, Lookups, P, V>(registry: Registry.Registry<Item, Lookups, P, V>): Contents<Item> =>
  Ref.getUnsafe(coreOf(registry).published)

/** Runs an effect before a transaction of a registry is published, which it may refuse or delay. */
export const beforePublish = (registry: AnyRegistry, word: () => Effect.Effect<void, unknown>): void => {
  coreOf(registry).beforePublish = word
}

/** Publishes other contents without a transaction. */
export const publish = <Item, Lookups, P, V>(
  registry: Registry.Registry<Item, Lookups, P, V>,
  contents: Contents<Item>
): void => {
  coreOf(registry).published.ref.current = contents
}

/** Shows readers other contents than the published ones from now on. */
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

/** A copy with other values for some properties. */
export const spoilt = <A extends object>(whole: A, part: { readonly [P in keyof A]?: A[P] }): A =>
  Object.create(whole, Object.getOwnPropertyDescriptors(part))

/** Tells subscribers something else for the last change, as long as they keep what this answers. */
export const forgeLastChange = <Item, Lookups, P, V>(
  registry: Registry.Registry<Item, Lookups, P, V>,
  forge: (revision: number) => Partial<RegistryEvent.RegistryChange<Item>>
): RegistryEvent.RegistryChange<Item> => {
  const core = coreOf(registry)
  const [last] = tell(core, 1)
  const forged = spoilt(last!, forge(last!.revision))
  core.changes.at(-1)!.told = new WeakRef(forged)
  return forged
}

const openTransaction = (registry: AnyRegistry): Transaction<any> | undefined => {
  const { holder } = coreOf(registry).lock
  return holder instanceof Transaction ? holder : undefined
}

/** Empties the index of a lookup, given by its place in the definition, in the draft of the open transaction. */
export const emptyIndex = (registry: AnyRegistry, slot: number): void => {
  const transaction = openTransaction(registry)
  if (transaction === undefined) return
  const { draft } = transaction
  transaction.draft = new Contents<unknown>(draft)
  transaction.draft.indexes = draft.indexes.with(slot, Index.make(draft.definition.lookups[slot]!.unique, undefined))
}

/** Makes a registry call none of its hooks any more, though they stay in it. */
export const forgetHooks = (registry: AnyRegistry): void => {
  for (const part of coreOf(registry).hooks) part.state = "removed"
}

/** Makes a registry not call the first of its hooks while an effect runs. */
export const skippingFirstHook = <A, E, R>(
  registry: AnyRegistry,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const [part] = coreOf(registry).hooks
  if (part === undefined) return effect
  return Effect.acquireUseRelease(
    Effect.sync(() => part.state = "removed"),
    () => effect,
    () => Effect.sync(() => part.state = "installed")
  )
}

/** Makes the transactions of a registry that a fiber is in believe that hooks know what is in. */
export const believeHooks = (registry: AnyRegistry): Effect.Effect<void> => {
  const core = coreOf(registry)
  return Effect.withFiber((fiber) => {
    for (let one = Read.current(core, fiber.context); one !== undefined; one = one.parent) {
      one.untold = one.unsettled = one.inHook = false
    }
    return Effect.void
  })
}

/** Makes the open transaction record its last call once more. */
export const forgeLastCall = (registry: AnyRegistry): void => {
  const list = openTransaction(registry)?.calls?.list
  list?.push(list.at(-1)!)
}

/** Makes the open transaction put what replaces an item in before that has gone, from now on. */
export const swapBackwards = (registry: AnyRegistry): void => {
  const { steps } = openTransaction(registry)!
  const push = steps.push.bind(steps)
  steps.push = (step) =>
    step._tag === "Swapped"
      ? push(new Inserted([step.entry], 0, "register"), new Removed([step.previous], [0], "", "unregister"))
      : push(step)
}

/** How many acquisitions a registry knows: of what is in, of a transaction in flight, and of what is leased and has gone. */
export const knownAcquisitions = (registry: AnyRegistry): number => {
  const { fresh, held, leased } = coreOf(registry).acquisitions ??
    { fresh: new Set(), held: new Map(), leased: new Set() }
  return fresh.size + held.size + leased.size
}

/** Forgets what hooks acquired, so that nothing but the end releases it. */
export const forgetAcquisitions = (registry: AnyRegistry): void => coreOf(registry).acquisitions?.held.clear()

/** The items that have gone, and for which somebody leases what hooks acquired: once for each. */
export const leasedItems = <Item>(registry: Registry.Registry<Item, any, any, any>): ReadonlyArray<Item> =>
  Array.from(coreOf(registry).acquisitions?.leased ?? [], ({ item }) => item)

/** The items that are in and that no rule disables, those that overrides hide, too. */
export const enabledItems = <Item>(registry: Registry.Registry<Item, any, any, any>): ReadonlyArray<Item> => {
  const contents = publishedOf(coreOf(registry))
  return allEntries(contents).filter(({ item, registration }) => isIn(contents, registration, item)).map(({ item }) =>
    item
  )
}
