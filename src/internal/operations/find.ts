/** Finding the entry that an operation is about, or the reason why there is none. */
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as RegistryError from "../../RegistryError.ts"
import type { Operation, Transaction } from "../engine/core.ts"
import { carryOut, mutation, type Plan } from "../engine/mutation.ts"
import * as Contents from "../store/contents.ts"
import { failure, slotOf } from "../store/definition.ts"
import { Entry } from "../store/entry.ts"

/** The index of a lookup. No other attribute is in the types, so it throws for one that untyped code asks for. */
export const indexOf = <Item>(
  contents: Contents.Contents<Item>,
  attribute: string,
  value: unknown,
  unique: boolean
): Contents.Contents<Item>["indexes"][number] => {
  const slot = slotIn(contents, attribute, unique)
  if (slot === -1) throw invalidAttribute(contents, attribute, value, unique)
  return contents.indexes[slot]!
}

const slotIn = <Item>(
  { definition: { lookups } }: Contents.Contents<Item>,
  attribute: string,
  unique: boolean
): number => {
  const slot = slotOf(lookups, attribute)
  return unique && lookups[slot]?.unique === false ? -1 : slot
}

const invalidAttribute = <Item>(
  { definition }: Contents.Contents<Item>,
  attribute: string,
  value: unknown,
  unique: boolean
): RegistryError.ItemLookupError =>
  failure(definition, RegistryError.ItemLookupError, {
    code: "invalid_attribute",
    attribute: typeof attribute === "string" ? attribute : Formatter.format(attribute),
    value,
    suggestions: definition.lookups.filter((lookup) => lookup.unique || !unique).map((lookup) => lookup.attribute)
  })

/** Why no entry has a value of a unique lookup. */
export const notFound = <Item>(
  contents: Contents.Contents<Item>,
  attribute: string,
  value: unknown
): RegistryError.ItemLookupError => {
  const { definition, indexes, size } = contents
  const slot = slotIn(contents, attribute, true)
  if (slot === -1) return invalidAttribute(contents, attribute, value, true)
  const suggestions = size > fewKeys ? [] : definition.suggest(value, indexes[slot]!.keys())
  const props = { code: "not_registered", attribute, value, suggestions } as const
  return failure(definition, RegistryError.ItemLookupError, props)
}

/** Suggestions are looked for among so many keys at most. */
const fewKeys = 10_000

/** Finds an entry in the contents, or the reason why it is not there. */
export type Locate<Item, Missing = RegistryError.ItemLookupError> = (
  contents: Contents.Contents<Item>
) => Entry<Item> | Missing

export const locateBy = <Item>(attribute: string, value: unknown): Locate<Item> => (contents) =>
  Contents.get(contents, attribute, value) ?? notFound(contents, attribute, value)

export const locate = <Item>(item: Item): Locate<Item> => (contents) =>
  Contents.findCurrent(contents, item) ?? notRegistered(contents, item)

export const notRegistered = <Item>(
  { definition }: Contents.Contents<Item>,
  item: Item
): RegistryError.ItemLookupError =>
  failure(definition, RegistryError.ItemLookupError, { code: "unregister", item, suggestions: [] })

/**
 * A mutation of one entry. The entry is located again in each step, because hooks may have changed the draft. Once they
 * were told of it, no other item takes its place: then it is `gone`.
 */
export const mutationOf = <Item, P, V, Missing, A, E, W>(
  name: string,
  about: unknown,
  find: Locate<Item, Missing>,
  gone: (contents: Contents.Contents<Item>, item: Item) => Missing,
  plan: (transaction: Transaction<Item, P, V>, located: Entry<Item> | Missing) => Exit.Exit<Plan<Item, A, W>, E>
): Operation<Item, P, V, A | undefined, E | W | P> => {
  const planner = (locating: Locate<Item, Missing>) => (transaction: Transaction<Item, P, V>) =>
    plan(transaction, locating(transaction.draft))
  return {
    ...mutation<Item, P, V, A | undefined, E, W>(name, about, undefined, planner(find)),
    body: (transaction) => {
      let first: Entry<Item> | undefined
      const findAgain: Locate<Item, Missing> = (contents) => {
        if (first !== undefined && Contents.holds(contents, first)) return first
        const located = find(contents)
        if (!(located instanceof Entry)) return located
        if (first !== undefined && located.item !== first.item) return gone(contents, first.item)
        return first = located
      }
      return carryOut(transaction, planner(findAgain))
    }
  }
}
