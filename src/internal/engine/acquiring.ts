/** What items need while they are in: hooks acquire it before an item goes in, and it is released after the item has gone. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as RegistryError from "../../RegistryError.ts"
import * as Contents from "../store/contents.ts"
import { failure, takeKeys } from "../store/definition.ts"
import { type Entry, isSame } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import { show } from "../store/wording.ts"
import { Acquisition, Acquisitions } from "./acquisition.ts"
import type { Step } from "./change.ts"
import type { Core, Transaction } from "./core.ts"
import * as Hooks from "./hooks.ts"
import type { Part } from "./parts.ts"
import { collect, sequence } from "./sequence.ts"

export const acquires = (part: Part<never, unknown>): boolean =>
  part.state === "installed" && part.handlers.acquire !== undefined

/** Acquires what an item needs to go in. An item that a rule withholds needs nothing. */
export const acquire = <Item, V>(transaction: Transaction<Item, any, V>, item: Item): Effect.Effect<unknown, V> => {
  const { definition, withheld } = transaction.draft
  return transaction.hooks.some(acquires) && withheld?.reasonOf({ keys: takeKeys(definition, item) }) === undefined
    ? acquireAgain(transaction, item)
    : Effect.void
}

/** Acquires what an item needs that no rule withholds any more. */
export const acquireAgain = <Item, V>(
  transaction: Transaction<Item, any, V>,
  item: Item
): Effect.Effect<unknown, V> => {
  const { core, hooks } = transaction
  const parts = hooks.filter(acquires)
  if (parts.length === 0) return Effect.void
  const acquisition = new Acquisition(item)
  const acquisitions = core.acquisitions ??= new Acquisitions<Item>()
  acquisitions.fresh.push(acquisition)
  return Effect.onError(acquireFor(transaction, parts, acquisition), () => {
    // nobody may take it for what the item needs
    acquisitions.fresh = acquisitions.fresh.filter((one) => one !== acquisition)
    return release(core, [acquisition])
  })
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
  const { core, draft } = transaction
  const acquiring = parts.filter(acquires)
  // a hook may have taken it out meanwhile
  if (acquiring.length === 0 || !isIn(draft, entry.registration, entry.item)) return undefined
  const { held } = core.acquisitions ??= new Acquisitions()
  const acquisition = acquisitionOf(core, entry) ?? new Acquisition(entry.item)
  held.set(entry.registration, acquisition)
  return acquireFor(transaction, acquiring, acquisition)
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

/** What hooks acquired for an entry. */
export const acquisitionOf = <Item>(
  { acquisitions }: Pick<Core<Item>, "acquisitions">,
  { item, registration }: Entry<Item>
): Acquisition<Item> | undefined => {
  const held = acquisitions?.held.get(registration)
  return held !== undefined && isSame(held.item, item)
    ? held
    : acquisitions?.fresh.findLast((one) => isSame(one.item, item))
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
  { base, core, draft, steps }: Transaction<Item>,
  published: boolean
): Effect.Effect<void> | undefined => {
  const { acquisitions } = core
  if (acquisitions === undefined) return undefined
  const { fresh, held, leased } = acquisitions
  acquisitions.fresh = []
  const ended = new Set(fresh)
  if (published) {
    // no step tells that a withheld entry came or went
    const isHidden = base.withheld !== draft.withheld || base.waiting !== draft.waiting
    for (const registration of isHidden ? held.keys() : steps.flatMap(leftBy)) {
      const one = held.get(registration)
      if (one === undefined || isIn(draft, registration, one.item)) continue
      held.delete(registration)
      ended.add(one)
    }
    const unbound = new Map(fresh.map((one) => [one.item, one]))
    const come = unbound.size === 0 ? [] : steps.flatMap(cameBy).concat(isHidden ? draft.withheld?.entries ?? [] : [])
    for (const entry of come) {
      const one = unbound.get(entry.item)
      if (one === undefined || held.has(entry.registration) || !isIn(draft, entry.registration, entry.item)) continue
      unbound.delete(entry.item)
      held.set(entry.registration, one)
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
