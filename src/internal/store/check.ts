/** Whether an item can be registered, and with what keys. */
import * as Result from "effect/Result"
import * as RegistryError from "../../RegistryError.ts"
import { type Contents, findEqual } from "./contents.ts"
import { type Definition, failure, type Keys, keysIn, takeKeys } from "./definition.ts"
import type { Entry } from "./entry.ts"

/**
 * The keys of an item that can be registered, or why it cannot: in order, the schema, an equal item, and lookup by
 * lookup an attribute that is missing or taken. What `ignoring` holds is free: it is about to be replaced.
 */
export const check = <Item>(
  self: Contents<Item>,
  item: Item,
  ignoring?: Entry<Item>
): Checked => {
  const { definition } = self
  const invalid = violation(definition, item)
  if (invalid !== undefined) return invalid
  const keys = takeKeys(definition, item)
  const equal = findEqual(self, item, keys)
  const inTheWay = equal !== undefined && equal !== ignoring ? equal : self.withheld?.equal(item, keys, ignoring)
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

type Checked = Result.Result<Keys, RegistryError.RegistrationFailure>

/** The same for an item that goes on top of all others: nothing that is there stands in its way. */
export const checkOnTop = <Item>({ definition }: Contents<Item>, item: Item): Checked => {
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
  return holder !== undefined && holder !== ignoring ? holder : self.withheld?.holder(index, key, ignoring)
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
