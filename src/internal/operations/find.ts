/** Finding the entry that an operation is about, and saying why there is none. */
import * as Formatter from "effect/Formatter"
import * as Result from "effect/Result"
import * as RegistryError from "../../RegistryError.ts"
import * as Contents from "../store/contents.ts"
import * as Definition from "../store/definition.ts"
import type { Entry } from "../store/entry.ts"

/** The place of a lookup in the definition; nothing if there is none that can answer. */
export const lookupIndex = <Item>(
  definition: Definition.Definition<Item>,
  attribute: string,
  unique: boolean
): number | undefined => {
  const index = Definition.slotOf(definition.lookups, attribute)
  return index === -1 || unique && !definition.lookups[index]!.unique ? undefined : index
}

export const invalidAttribute = <Item>(
  definition: Definition.Definition<Item>,
  attribute: string,
  unique: boolean,
  value: unknown
): RegistryError.ItemLookupError =>
  Definition.failure(definition, RegistryError.ItemLookupError, {
    code: "invalid_attribute",
    attribute: typeof attribute === "string" ? attribute : Formatter.format(attribute),
    value,
    suggestions: definition.lookups.filter((lookup) => lookup.unique || !unique).map((lookup) => lookup.attribute)
  })

/** Why there is no entry that alone has a key. */
export const notFound = <Item>(
  contents: Contents.Contents<Item>,
  attribute: string,
  value: unknown
): RegistryError.ItemLookupError => {
  const { definition } = contents
  const index = lookupIndex(definition, attribute, true)
  if (index === undefined) return invalidAttribute(definition, attribute, true, value)
  const suggestions = contents.size > fewKeys ? [] : definition.suggest(value, contents.indexes[index]!.keys())
  return Definition.failure(definition, RegistryError.ItemLookupError, {
    code: "not_registered",
    attribute,
    value,
    suggestions
  })
}

/** The number of keys up to which suggestions are looked for. */
const fewKeys = 10_000

export type Located<Item> = Result.Result<Entry<Item>, RegistryError.ItemLookupError>

export type Locate<Item> = (contents: Contents.Contents<Item>) => Located<Item>

export const locateBy = <Item>(attribute: string, value: unknown): Locate<Item> => (contents) => {
  const entry = Contents.get(contents, attribute, value)
  return entry === undefined ? Result.fail(notFound(contents, attribute, value)) : Result.succeed(entry)
}

/** The entry of an equal item. */
export const locate = <Item>(item: Item): Locate<Item> => (contents) => {
  const entry = Contents.findCurrent(contents, item)
  return entry === undefined ? Result.fail(notRegistered(contents, item)) : Result.succeed(entry)
}

const notRegistered = <Item>(contents: Contents.Contents<Item>, item: Item): RegistryError.ItemLookupError =>
  Definition.failure(contents.definition, RegistryError.ItemLookupError, {
    code: "unregister",
    item,
    suggestions: []
  })

/** Locates an entry, and from then on that item itself, and nothing else in its place: hooks were told of it. */
export const locateOnce = <Item>(locateEntry: Locate<Item>): Locate<Item> => {
  let first: Entry<Item> | undefined
  return (contents) => {
    if (first !== undefined && Contents.holds(contents, first)) return Result.succeed(first)
    const located = locateEntry(contents)
    if (Result.isFailure(located)) return located
    if (first !== undefined && located.success.item !== first.item) {
      return Result.fail(notRegistered(contents, first.item))
    }
    first = located.success
    return located
  }
}
