/**
 * Whether an item can be registered, and with what keys.
 *
 * @internal
 */
import * as Result from "effect/Result"
import * as RegistryError from "../../RegistryError.ts"
import { hiddenEqual, isUnder } from "../features/claims.ts"
import * as Hidden from "../features/hidden.ts"
import { type Contents, type Entry, findEqual, findItself, hasOwnEquality } from "./contents.ts"
import { type Definition, failure, type Keys, keysIn, takeKeys } from "./definition.ts"

/**
 * The keys of an item that can be registered, or why it cannot: in order, the schema, an equal item, and lookup by
 * lookup an attribute that is missing or taken. What `ignoring` holds is free: it is about to be replaced.
 *
 * @internal
 */
export const check = <Item>(
  self: Contents<Item>,
  item: Item,
  ignoring?: Entry<Item>
): Checked => {
  const { definition } = self
  const invalid = violation(definition, item)
  if (invalid !== undefined) return invalid
  const itself = findItself(self, item)
  const keys = itself === undefined || itself === ignoring ? takeKeys(definition, item) : []
  if (isNew(self, item, keys)) return Result.succeed(keys)
  const equal = itself ?? findEqual(self, item, keys)
  const inTheWay = equal !== undefined && equal !== ignoring ? equal : hiddenEqual(self, item, keys, ignoring)
  if (inTheWay !== undefined) {
    const props = { code: "already_registered", item, ...ownerOf(inTheWay) } as const
    return Result.fail(failure(definition, RegistryError.AlreadyRegisteredError, props))
  }
  for (let index = 0; index < definition.lookups.length; index++) {
    const { attribute, each, unique } = definition.lookups[index]!
    if (index === keys.length) return missing(definition, item, keys)
    if (!unique) continue
    const taken = keys[index]
    if (each) {
      for (const key of keysIn(taken)) {
        const holder = takenBy(self, index, key, ignoring)
        if (holder !== undefined) return attributeRegistered(definition, item, attribute, key, holder)
      }
    } else if (taken !== undefined) {
      const holder = takenBy(self, index, taken, ignoring)
      if (holder !== undefined) return attributeRegistered(definition, item, attribute, taken, holder)
    }
  }
  return Result.succeed(keys)
}

/**
 * Whether it has all attributes, and no other has one of its unique keys, as nearly always: then nothing that is compared
 * by its keys equals it.
 */
const isNew = <Item>({ definition: { lookups }, hidden, indexes }: Contents<Item>, item: Item, keys: Keys): boolean => {
  if (keys.length < lookups.length || hidden !== undefined || hasOwnEquality(item)) return false
  let hasUniqueKey = false
  for (let i = 0; i < keys.length; i++) {
    const { each, unique } = lookups[i]!
    const taken = keys[i]
    if (!unique || taken === undefined) continue
    if (each || indexes[i]!.get(taken) !== undefined) return false
    hasUniqueKey = true
  }
  return hasUniqueKey
}

type Checked = Result.Result<Keys, RegistryError.RegistrationFailure>

/**
 * The same for an override, which nothing that is there stands in the way of.
 *
 * @internal
 */
export const checkOverride = <Item>({ definition }: Contents<Item>, item: Item): Checked => {
  const invalid = violation(definition, item)
  if (invalid !== undefined) return invalid
  const keys = takeKeys(definition, item)
  return keys.length < definition.lookups.length ? missing(definition, item, keys) : Result.succeed(keys)
}

const violation = <Item>(
  definition: Definition<Item>,
  item: Item
): Result.Result<never, RegistryError.RegistrationError> | undefined => {
  const issue = definition.validate?.(item)
  return issue === undefined
    ? undefined
    : Result.fail(failure(definition, RegistryError.RegistrationError, { code: "invalid_item", item, issue }))
}

const missing = <Item>(
  definition: Definition<Item>,
  item: Item,
  keys: Keys
): Result.Result<never, RegistryError.RegistrationError> => {
  const { attribute } = definition.lookups[keys.length]!
  return Result.fail(
    failure(definition, RegistryError.RegistrationError, { code: "missing_attribute", item, attribute })
  )
}

const takenBy = <Item>(
  self: Contents<Item>,
  index: number,
  key: unknown,
  ignoring: Entry<Item> | undefined
): Entry<Item> | undefined => {
  const holder = self.indexes[index]!.get(key)
  if (holder !== undefined && holder !== ignoring) return holder
  if (self.hidden === undefined) return undefined
  const hidden = Hidden.claiming(self.hidden, { slot: index, value: key })
  return hidden.find((entry) => !isUnder(self.definition, entry, ignoring))
}

const ownerOf = <Item>({ origin: { owner } }: Entry<Item>) => owner === "" ? undefined : { owner }

const attributeRegistered = <Item>(
  definition: Definition<Item>,
  item: Item,
  attribute: string,
  value: unknown,
  holder: Entry<Item>
): Result.Result<never, RegistryError.RegistrationFailure> =>
  Result.fail(failure(definition, RegistryError.AlreadyRegisteredError, {
    code: "attribute_registered",
    item,
    attribute,
    value,
    existing: holder.item,
    ...ownerOf(holder)
  }))
