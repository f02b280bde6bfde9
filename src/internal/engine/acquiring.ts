/** What items need while they are in: hooks acquire it before an item goes in, and it is released after the item has gone. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as RegistryError from "../../RegistryError.ts"
import * as Contents from "../store/contents.ts"
import { failure, takeKeys } from "../store/definition.ts"
import { Entry, isSame } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import { show } from "../store/wording.ts"
import { Acquired, Acquisition, Acquisitions } from "./acquisition.ts"
import type { Step } from "./change.ts"
import type { Core, Transaction } from "./core.ts"
import * as Hooks from "./hooks.ts"
import type { Part } from "./parts.ts"
import { collect, sequence } from "./sequence.ts"

export const acquires = (part: Part<never, unknown>): boolean =>
  part.state === "installed" && part.handlers.acquire !== undefined

/** Acquires what an item needs to go in. Nothing if it is there, or if a rule withholds the item. */
export const acquire = <Item, V>(
  transaction: Transaction<Item, any, V>,
  item: Item
): Effect.Effect<unknown, V> | undefined => {
  const { acquired, draft: { definition, withheld }, hooks } = transaction
  return !hooks.some(acquires) || acquired?.awaited.has(item) === true ||
      withheld?.reasonOf({ keys: takeKeys(definition, item) }) !== undefined
    ? undefined
    : acquireAs(transaction, item, item)
}

/** Acquires what an entry needs that no rule withholds any more. Nothing if it still has it. */
export const acquireAgain = <Item, V>(
  transaction: Transaction<Item, any, V>,
  entry: Entry<Item>
): Effect.Effect<unknown, V> | undefined =>
  !transaction.hooks.some(acquires) || transaction.acquired?.awaited.has(entry) === true ||
    acquisitionOf(transaction.core, entry, transaction) !== undefined
    ? undefined
    : acquireAs(transaction, entry, entry.item)

const acquireAs = <Item, V>(
  transaction: Transaction<Item, any, V>,
  key: Item | Entry<Item>,
  item: Item
): Effect.Effect<unknown, V> =>
  Effect.suspend(() => {
    const { core, hooks } = transaction
    const acquisition = begin(transaction, item)
    return Effect.matchCauseEffect(acquireFor(transaction, hooks.filter(acquires), acquisition), {
      onFailure: (cause) => {
        core.acquisitions?.fresh.delete(acquisition)
        return Effect.andThen(release(core, [acquisition]), Effect.failCause(cause))
      },
      onSuccess: () => {
        transaction.acquired ??= new Acquired()
        transaction.acquired.awaited.set(key, acquisition)
        return Effect.void
      }
    })
  })

const begin = <Item>({ core }: Transaction<Item>, item: Item): Acquisition<Item> => {
  const acquisition = new Acquisition(item)
  core.acquisitions ??= new Acquisitions()
  core.acquisitions.fresh.add(acquisition)
  return acquisition
}

/**
 * In the step that changes the draft of a transaction: what was acquired belongs to the registrations of what has gone in,
 * by the steps from an index on. What goes in hidden makes no step.
 */
export const bind = <Item>({ acquired, draft, steps }: Transaction<Item>, from: number): void => {
  if (acquired === undefined || acquired.awaited.size === 0) return
  const came = new Map(steps.slice(from).flatMap(cameBy).map((entry) => [entry.item, entry]))
  for (const [key, acquisition] of acquired.awaited) {
    const entry = key instanceof Entry ? key : came.get(key) ?? newestHidden(draft, key)
    if (entry !== undefined) acquired.bound.set(entry.registration, acquisition)
  }
  acquired.awaited.clear()
}

const newestHidden = <Item>({ withheld }: Contents.Contents<Item>, item: Item): Entry<Item> | undefined =>
  withheld?.entries.reduce<Entry<Item> | undefined>(
    (newest, entry) => isSame(entry.item, item) && !(newest !== undefined && newest.id > entry.id) ? entry : newest,
    undefined
  )

/** What a nested transaction acquired is its parent's. */
export const handOver = <Item>({ acquired, parent }: Transaction<Item>): void => {
  if (acquired === undefined || parent === undefined) return
  parent.acquired ??= new Acquired()
  for (const [key, acquisition] of acquired.awaited) parent.acquired.awaited.set(key, acquisition)
  for (const [registration, acquisition] of acquired.bound) parent.acquired.bound.set(registration, acquisition)
}

const acquireFor = <Item, V>(
  transaction: Transaction<Item, any, V>,
  parts: ReadonlyArray<Part<Item, V>>,
  acquisition: Acquisition<Item>
): Effect.Effect<unknown, V> => sequence(parts, (part) => acquireBy(transaction, part, acquisition))

/** Some more hooks acquire for an entry that is in. */
export const acquireMore = <Item, V>(
  transaction: Transaction<Item, any, V>,
  parts: ReadonlyArray<Part<Item, V>>,
  entry: Entry<Item>
): Effect.Effect<unknown, V> | undefined => {
  const known = acquisitionOf(transaction.core, entry, transaction)
  // a hook may have put it in anew meanwhile, and these have acquired for it then
  const acquiring = parts.filter((part) => acquires(part) && known?.scopes.has(part) !== true)
  // or taken it out
  if (acquiring.length === 0 || !isIn(transaction.draft, entry.registration, entry.item)) return undefined
  return Effect.suspend(() => {
    const acquisition = known ?? begin(transaction, entry.item)
    transaction.acquired ??= new Acquired()
    transaction.acquired.bound.set(entry.registration, acquisition)
    return acquireFor(transaction, acquiring, acquisition)
  })
}

/** One that fails releases at once what it has acquired. */
const acquireBy = <Item, V>(
  transaction: Transaction<Item, any, V>,
  part: Part<Item, V>,
  { item, scopes }: Acquisition<Item>
): Effect.Effect<unknown, V> => {
  const { core } = transaction
  const scope = Scope.forkUnsafe(core.scope)
  scopes.set(part, scope)
  return Effect.matchCauseEffect(Hooks.acquire(transaction, part, item, scope), {
    onFailure: (cause) => {
      scopes.delete(part)
      const failing = part.own ? cause : Cause.map(cause, (error) => acquireFailed<Item, V>(core, item, error))
      return Effect.andThen(Effect.exit(Scope.close(scope, Exit.failCause(cause))), Effect.failCause(failing))
    },
    onSuccess: () => Effect.void
  })
}

/** Whatever a hook of a layer failed with. `register` has this error in its type for every V. */
const acquireFailed = <Item, V>({ definition }: Core<Item, any, V>, item: Item, cause: unknown): V => {
  const error = failure(definition, RegistryError.RegistrationError, { code: "acquire", item, cause })
  definition.refused(item, error)
  return error as V & RegistryError.RegistrationError
}

/** What hooks acquired for an entry that is published, or that a transaction sees. */
export const acquisitionOf = <Item, P, V>(
  { acquisitions }: Core<Item, P, V>,
  { item, registration }: Entry<Item>,
  transaction?: Transaction<Item, P, V>
): Acquisition<Item> | undefined => {
  for (let one = transaction; one !== undefined; one = one.parent) {
    const bound = one.acquired?.bound.get(registration)
    if (bound !== undefined && isSame(bound.item, item)) return bound
  }
  const held = acquisitions?.held.get(registration)
  return held !== undefined && isSame(held.item, item) ? held : undefined
}

/** Whether a registration has an item, and no rule withholds it. It may be hidden by another item. */
export const isIn = <Item>(contents: Contents.Contents<Item>, registration: number, item: Item): boolean => {
  const entry = Contents.current(contents, registration)
  return entry !== undefined && isSame(entry.item, item) && Order.get(contents.waiting, entry.position) === undefined &&
    contents.withheld?.reasonOf(entry) === undefined
}

/**
 * At the end of an outermost transaction, in the step that publishes it or gives it up: what is in then, and no rule
 * withholds, keeps what was acquired for it. Answers the release of the rest, for after the step.
 */
export const settle = <Item>(
  { acquired, base, core, draft, steps }: Transaction<Item>,
  published: boolean
): Effect.Effect<void> | undefined => {
  const { acquisitions } = core
  if (acquisitions === undefined) return undefined
  const { fresh, held, leased } = acquisitions
  acquisitions.fresh = new Set()
  // the last first, as scopes do
  const ended = new Set(Array.from(fresh).toReversed())
  if (published) {
    // no step tells that a withheld entry came or went
    const isHidden = base.withheld !== draft.withheld || base.waiting !== draft.waiting
    for (const registration of isHidden ? held.keys() : steps.flatMap(leftBy)) {
      const one = held.get(registration)
      if (one === undefined || isIn(draft, registration, one.item)) continue
      held.delete(registration)
      ended.add(one)
    }
    for (const [registration, one] of acquired?.bound ?? []) {
      if (!isIn(draft, registration, one.item)) continue
      const previous = held.get(registration)
      if (previous !== undefined) ended.add(previous)
      held.set(registration, one)
      ended.delete(one)
    }
  }
  const free = Array.from(ended).filter((one) => one.leases === 0 || !leased.add(one))
  return free.length === 0 ? undefined : release(core, free)
}

const leftBy = (step: Step<any>): ReadonlyArray<number> =>
  step._tag === "Removed"
    ? step.entries.map(({ registration }) => registration)
    : step._tag === "Swapped"
    ? [step.previous.registration]
    : []

const cameBy = <Item>(step: Step<Item>): ReadonlyArray<Entry<Item>> =>
  step._tag === "Inserted" ? step.entries : step._tag === "Swapped" ? [step.entry] : []

/** Ends a lease. The last one releases what an item that has gone had kept. */
export const endLease = <Item, P, V>(
  core: Core<Item, P, V>,
  acquisition: Acquisition<Item>
): Effect.Effect<void> =>
  Effect.suspend(() => {
    acquisition.leases--
    return acquisition.leases === 0 && core.acquisitions?.leased.delete(acquisition) === true
      ? release(core, [acquisition])
      : Effect.void
  })

/** Hooks that go release all that they acquired, in spite of leases: their services go next. */
export const leave = <Item, P, V>(
  core: Core<Item, P, V>,
  parts: ReadonlyArray<Part<Item, V>>
): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (core.acquisitions === undefined) return Effect.void
    const { fresh, held, leased } = core.acquisitions
    return release(core, [...held.values(), ...fresh, ...leased], parts)
  })

/** Closes scopes, the last first. That the item goes is done: a release that fails is logged, not raised. */
const release = <Item>(
  { definition: { name } }: Pick<Core<Item>, "definition">,
  acquisitions: ReadonlyArray<Acquisition<Item>>,
  parts?: ReadonlyArray<Part<never, unknown>>
): Effect.Effect<void> => {
  const closing = acquisitions.flatMap(({ scopes }) =>
    Array.from(scopes).toReversed().flatMap(([part, scope]) => {
      if (parts?.includes(part) === false) return []
      scopes.delete(part)
      return [scope]
    })
  )
  return Effect.flatMap(
    collect(closing, (scope) => Scope.close(scope, Exit.void)),
    (cause) =>
      cause.reasons.length === 0
        ? Effect.void
        : Effect.ignoreCause(Effect.logError(`Releasing what hooks of ${show(name)} had acquired failed`, cause))
  )
}
