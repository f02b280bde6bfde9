/** Finding items by a lookup, and the reason why there is none. */
import * as Option from "effect/Option"
import * as RegistryError from "../../RegistryError.ts"
import type { Contents } from "../store/contents.ts"
import { failure, slotOf } from "../store/definition.ts"
import type { Entry } from "../store/entry.ts"
import { show } from "../store/wording.ts"

/** The item of an entry that was found, or none. */
export const optionOf = <Item>(entry: Entry<Item> | undefined): Option.Option<Item> =>
  entry === undefined ? Option.none() : Option.some(entry.item)

/** The index of a lookup. No other attribute is in the types, so it throws for one that untyped code asks for. */
export const indexOf = <Item>(
  contents: Contents<Item>,
  attribute: string,
  value: unknown,
  unique: boolean
): Contents<Item>["indexes"][number] => {
  const slot = slotIn(contents, attribute, unique)
  if (slot === -1) throw invalidAttribute(contents, attribute, value, unique)
  return contents.indexes[slot]!
}

const slotIn = <Item>({ definition: { lookups } }: Contents<Item>, attribute: string, unique: boolean): number => {
  const slot = slotOf(lookups, attribute)
  return unique && lookups[slot]?.unique === false ? -1 : slot
}

const invalidAttribute = <Item>(
  { definition }: Contents<Item>,
  attribute: string,
  value: unknown,
  unique: boolean
): RegistryError.ItemLookupError =>
  failure(definition, RegistryError.ItemLookupError, {
    code: "invalid_attribute",
    attribute: typeof attribute === "string" ? attribute : show(attribute),
    value,
    suggestions: definition.lookups.filter((lookup) => lookup.unique || !unique).map((lookup) => lookup.attribute)
  })

/** Why no item has a value of a unique lookup. */
export const notFound = <Item>(
  contents: Contents<Item>,
  attribute: string,
  value: unknown
): RegistryError.ItemLookupError => {
  const { definition, indexes, size, withheld } = contents
  const slot = slotIn(contents, attribute, true)
  if (slot === -1) return invalidAttribute(contents, attribute, value, true)
  const key = indexes[slot]!.keyFor(value)
  const standIn = withheld?.standIn(contents, slot, key)
  if (standIn !== undefined) {
    const reason = withheld?.reasonOf(standIn)?.reason ?? ""
    return failure(definition, RegistryError.ItemLookupError, {
      code: "disabled",
      attribute,
      value,
      reason,
      item: standIn.item,
      suggestions: []
    })
  }
  const suggestions = size > fewKeys ? [] : definition.suggest(key, indexes[slot]!.keys())
  const props = { code: "not_registered", attribute, value, suggestions } as const
  return failure(definition, RegistryError.ItemLookupError, props)
}

/** Suggestions are looked for among so many keys at most. */
const fewKeys = 10_000
