/** Filling a registry with its defaults. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as RegistryError from "../../RegistryError.ts"
import type { Core, Defaults, Operation, Transaction } from "../engine/core.ts"
import * as Hooks from "../engine/hooks.ts"
import { carryOut } from "../engine/mutation.ts"
import { sequence } from "../engine/sequence.ts"
import { step } from "../engine/transaction.ts"
import * as Contents from "../store/contents.ts"
import { failure, invalid } from "../store/definition.ts"
import { show } from "../store/wording.ts"
import { acquiresAtOnce, insertAllIn, insertAtOnce, registering, registeringAll } from "./register.ts"

export const defaultsOf = <Item>(
  name: string,
  defaults: Defaults<Item, any, any> = []
): Defaults<Item, any, any> => {
  if (Stream.isStream(defaults) || Effect.isEffect(defaults) || isIterable(defaults)) return defaults
  throw invalid(name, "has defaults that are no iterable of items, no effect of one, and no stream of items.")
}

export type { Defaults } from "../engine/core.ts"

export type Failed<E, V> = RegistryError.PopulationError<E | RegistryError.RegistrationFailure | V>

/** The defaults, and that they are all in, become visible together. */
export const populate = <Item, P, V, E>(
  { defaults, population: runs }: Core<Item, P, V>
): Operation<Item, never, V, void, Failed<E, V>, any> => ({
  name: "populate",
  kind: "population",
  // a list acquires nothing, so there is no scope; the body words the error of one that is refused
  step: (transaction) => {
    if (!Array.isArray(defaults) || transaction.base.waiting !== undefined) return undefined
    if (transaction.base.populated) return Exit.void
    const inserted = insertAtOnce<Item>(defaults)(transaction)
    return inserted !== undefined && Exit.isSuccess(inserted) ? becomeReady(transaction) : undefined
  },
  body: (transaction) => {
    if (transaction.base.populated) return Effect.void
    const scope = Scope.forkUnsafe(transaction.core.scope)
    transaction.scopes = transaction.scopes.concat(scope)
    transaction.populationScope = scope
    return Hooks.call(transaction, "onPopulating").pipe(
      Effect.flatMapEager(() =>
        transaction.restore(Effect.provideService(registerRead<Item, V, E>(transaction), Scope.Scope, scope))
      ),
      Effect.flatMapEager(() => transaction.core.bringBack?.(transaction) ?? Effect.void),
      Effect.flatMapEager(() => Hooks.call(transaction, "onPopulated")),
      Effect.flatMapEager(() => step(transaction, becomeReady))
    )
  },
  undone: () => Effect.void,
  // the transaction that it was to be nested in has ended: the fiber that asked for it looks again what to populate
  instead: (outer) => outer !== undefined && outer === runs.holder ? undefined : Effect.void
})

const becomeReady = <Item>(transaction: Transaction<Item>): Exit.Exit<void> => {
  transaction.draft = Contents.copy(transaction.draft, { populated: true })
  transaction.steps.push({ _tag: "Populated", size: transaction.draft.size })
  return Exit.void
}

const registerRead = <Item, V, E>(
  transaction: Transaction<Item, never, V>
): Effect.Effect<void, Failed<E, V>, any> => {
  // the defaults can be interrupted, and the bookkeeping of hooks cannot
  const registerThem = (items: ReadonlyArray<Item>) =>
    Effect.uninterruptible(Effect.suspend(() =>
      transaction.registering === undefined
        ? registerItems<Item, V, E>(transaction, items)
        : transaction.registering(
          items,
          (others) => registerItems<Item, V, E>(transaction, others),
          (cause, item, owner) => registrationFailed<E, V>(transaction, cause, item, owner)
        )
    ))
  return readDefaults<Item, E, Failed<E, V>>(transaction.core, registerThem)
}

/** Runs the defaults, and does something with the items as they come. */
export const readDefaults = <Item, E, E2>(
  { defaults, definition }: Pick<Core<Item>, "defaults" | "definition">,
  use: (items: ReadonlyArray<Item>) => Effect.Effect<unknown, E2>
): Effect.Effect<void, RegistryError.PopulationError<E> | E2, any> => {
  const defaultsFailed = (cause: E) =>
    failure(definition, RegistryError.PopulationError<E>, { code: "defaults", cause })
  if (Stream.isStream(defaults)) {
    return Stream.runForEachArray(Stream.mapError(defaults, defaultsFailed), use)
  }
  const items = Effect.isEffect(defaults)
    ? Effect.mapError(defaults, defaultsFailed)
    : Effect.succeed(defaults)
  return Effect.flatMap(
    items,
    (iterable): Effect.Effect<unknown, E2> =>
      isIterable(iterable) ? use(Array.from(iterable)) : Effect.die(
        new Error(
          `The defaults of ${show(definition.name)} are ${show(iterable)}, which is no iterable of items.`
        )
      )
  )
}

/** The error of a hook does not say which item it refused, so with hooks each item is registered on its own. */
const registerItems = <Item, V, E>(
  transaction: Transaction<Item, never, V>,
  items: ReadonlyArray<Item>
): Effect.Effect<unknown, Failed<E, V>> => {
  const { registerDefaults } = transaction.core
  // an invariant is not asked yet, so there is no error
  if (registerDefaults !== undefined) return Effect.orDie(registerDefaults(transaction, items))
  if (transaction.hooks.length === 0) {
    return Effect.mapErrorEager(
      insertAllIn(transaction, items),
      (cause) => registrationFailed<E, V>(transaction, cause, cause.item)
    )
  }
  if (acquiresAtOnce(transaction)) {
    let refused: Item | undefined
    const all = registeringAll<Item, never, V>(items, (item) => {
      refused = item
    })
    return Effect.mapErrorEager(
      carryOut(transaction, all),
      (cause) => registrationFailed<E, V>(transaction, cause, refused)
    )
  }
  const register = (item: Item) =>
    Effect.mapErrorEager(
      carryOut(transaction, registering<Item, never, V>(item)),
      (cause) => registrationFailed<E, V>(transaction, cause, item)
    )
  return sequence(items, register, transaction.restore)
}

export const registrationFailed = <E, V>(
  { core: { definition } }: Transaction<any, any, any>,
  cause: RegistryError.RegistrationFailure | V,
  item: unknown,
  owner?: string
): Failed<E, V> =>
  failure(definition, RegistryError.PopulationError<E | RegistryError.RegistrationFailure | V>, {
    code: "registration",
    item,
    cause,
    ...owner === undefined ? {} : { owner }
  })

export const isIterable = (u: unknown): u is Iterable<unknown> =>
  // these two alone have no properties
  u !== null && u !== undefined && typeof (u as Iterable<unknown>)[Symbol.iterator] === "function"
