/** Leaving out what cannot be registered, where others go in. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { RegistrationFailure } from "../../RegistryError.ts"
import type { Core, Operation, Transaction } from "../engine/core.ts"
import { Owner } from "../engine/current.ts"
import { sequence } from "../engine/sequence.ts"
import { run } from "../engine/transaction.ts"
import { register } from "../operations/register.ts"
import { labelOf, type Wording } from "../store/definition.ts"
import type { Population } from "../store/entry.ts"
import { bounded, messageOf, show } from "../store/wording.ts"

/**
 * What became of items that were registered each on its own, in their order.
 *
 * @category models
 * @since 0.2.0
 */
export interface RegisteredEach<out Item, out E> {
  readonly registered: ReadonlyArray<Item>
  readonly refused: ReadonlyArray<Refused<Item, E>>
}

export interface Refused<out Item, out E> {
  readonly item: Item
  readonly error: E
}

/** Does something with an error instead. A defect, or one beside an error, stays what it is. */
export const unlessRefused = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  refused: (error: E) => void
): Effect.Effect<A | undefined, E, R> =>
  Effect.catchCause(effect, (cause) => {
    const error = Cause.findError(cause)
    if (Result.isFailure(error) || Cause.hasDies(cause)) return Effect.failCause(cause)
    refused(error.success)
    return Effect.undefined
  })

export const registerEach = <Item, P, V>(
  items: ReadonlyArray<Item>
): Operation<Item, P, V, RegisteredEach<Item, RegistrationFailure | V>, V | P> => ({
  name: "registerEach",
  body: (transaction) => registerEachIn(transaction, items),
  undone: () => Effect.succeed({ registered: [], refused: [] })
})

/** Each in a transaction of its own: one that is refused is undone with what its hooks have done. */
const registerEachIn = <Item, P, V>(
  { core, restore }: Transaction<Item, P, V>,
  items: ReadonlyArray<Item>,
  population?: Population
): Effect.Effect<RegisteredEach<Item, RegistrationFailure | V>, V> => {
  const registered: Array<Item> = []
  const refused: Array<Refused<Item, RegistrationFailure | V>> = []
  const one = (item: Item) => {
    // the transaction around it is populated, or is the population
    const registering = run(core as Core<Item, never, V>, { ...register<Item, never, V>(item), population })
    return unlessRefused(
      Effect.map(restore(registering), () => registered.push(item)),
      (error) => refused.push({ item, error })
    )
  }
  // an error that is not left out is none
  return Effect.map(Effect.orDie(sequence(items, one, restore)), () => ({ registered, refused }))
}

/** Registers defaults, and leaves out with a warning what is refused. */
export const registerDefaults = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  items: ReadonlyArray<Item>
): Effect.Effect<void, V> =>
  Effect.flatMap(
    Effect.provideService(registerEachIn(transaction, items, transaction.origin.population), Owner, transaction.owner),
    ({ refused }) => warn(transaction.core, refused)
  )

/** Says what a transaction left out, and why, and remembers it: it may have withdrawn another item with these keys. */
export const warn = <Item, P, V>(
  { definition, published, refusals }: Core<Item, P, V>,
  refused: ReadonlyArray<Refused<Item, unknown>>
): Effect.Effect<void> =>
  sequence(refused, ({ error, item }) => {
    refusals.note("Skipped", definition, published.ref.current.revision + 1, item, error)
    return log(definition, item, error)
  })

export const log = (definition: Wording, item: unknown, error: unknown): Effect.Effect<void> =>
  Effect.logWarning(
    bounded(`Left ${labelOf(definition, item)} out of ${show(definition.name)}. ${messageOf(error)}`)
  )
