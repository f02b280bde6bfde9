/** Defaults that know where each item is from: it is registered by itself, for its owner, and may be left out. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { AlreadyRegisteredError, RegistrationError } from "../../RegistryError.ts"
import { contentsOf, Transaction } from "../engine/core.ts"
import { innermost, Owner } from "../engine/current.ts"
import { sequence } from "../engine/sequence.ts"
import { run } from "../engine/transaction.ts"
import { register } from "../operations/register.ts"
import { bounded, messageOf } from "../store/wording.ts"

interface Offer {
  readonly item: unknown
  readonly owner: string
  /** What it is, as a message names it. */
  readonly source: string
  /** Whether to leave it out, with a warning, if it is refused. */
  readonly leftOut: (refusal: Refusal) => Effect.Effect<boolean>
}

interface Refusal {
  /** Whether another item is in its way. */
  readonly conflicts: boolean
  /** Whether the item itself is not as the registry needs it. */
  readonly faulty: boolean
}

/** Tells the population that reads defaults now where these are from. Outside of a population it does nothing. */
export const offer = (offers: ReadonlyArray<Offer>): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    const transaction = populationIn(fiber.context)
    if (transaction !== undefined) {
      const { waiting } = offersTo.get(transaction) ?? begin(transaction)
      for (const one of offers) waiting.set(one.item, [...waiting.get(one.item) ?? [], one])
    }
    return Effect.void
  })

/** The innermost population that a fiber is in, of whatever registry. */
const populationIn = (context: Context.Context<never>): Transaction<any> | undefined => {
  for (let node = innermost(context); node !== undefined; node = node.outer) {
    if (node instanceof Transaction && node.kind === "population") return node
  }
  return undefined
}

/** By item. Several can offer the same. */
interface Offers {
  readonly waiting: Map<unknown, ReadonlyArray<Offer>>
  readonly registered: Map<unknown, Offer>
}

const offersTo = new WeakMap<Transaction<any>, Offers>()

const begin = <Item>(transaction: Transaction<Item>): Offers => {
  const offers: Offers = { waiting: new Map(), registered: new Map() }
  transaction.registering = (items, others, failed) => {
    const parts: Array<{ readonly items: Array<Item>; readonly offer: Offer | undefined }> = []
    for (const item of items) {
      const [first, ...more] = offers.waiting.get(item) ?? []
      if (first !== undefined) offers.waiting.set(item, more)
      const last = parts.at(-1)
      if (first === undefined && last !== undefined && last.offer === undefined) last.items.push(item)
      else parts.push({ items: [item], offer: first })
    }
    return sequence(parts, (part) =>
      part.offer === undefined
        ? others(part.items)
        : registerOffered(transaction, part.items[0]!, part.offer, offers, failed))
  }
  offersTo.set(transaction, offers)
  return offers
}

const registerOffered = <Item, F>(
  transaction: Transaction<Item>,
  item: Item,
  one: Offer,
  { registered }: Offers,
  failed: (cause: unknown, item: Item, owner: string) => F
): Effect.Effect<void, F> => {
  const { core, restore } = transaction
  const registering = Effect.provideService(
    run(core, { ...register<Item, unknown, unknown>(item), population: transaction.origin.population }),
    Owner,
    one.owner
  )
  return Effect.matchCauseEffect(restore(registering), {
    onSuccess: () => {
      registered.set(item, one)
      return Effect.void
    },
    onFailure: (cause) => {
      const unrecoverable = Effect.failCause(Cause.map(cause, (error) => failed(error, item, one.owner)))
      const refused = Cause.findError(cause)
      // a defect beside the refusal is one all the same
      if (Result.isFailure(refused) || Cause.hasDies(cause)) return unrecoverable
      const error = refused.success
      const conflicts = error instanceof AlreadyRegisteredError && error.registry === core.definition.name
      const faulty = error instanceof RegistrationError &&
        (error.code === "missing_attribute" || error.code === "invalid_item")
      const holder = conflicts ? registered.get(error.existing ?? error.item) : undefined
      const inTheWay = holder === undefined ? "" : ` In its way is ${holder.source}.`
      return Effect.flatMap(one.leftOut({ conflicts, faulty }), (isLeftOut) => {
        if (!isLeftOut) return unrecoverable
        core.refusals.note("Skipped", core.definition, contentsOf(core).revision, item, error)
        return Effect.logWarning(bounded(`Left out ${one.source}.${inTheWay} ${messageOf(error)}`))
      })
    }
  })
}
