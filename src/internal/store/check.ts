/** Whether an item can be registered, and with what keys. */
import * as Result from "effect/Result"
import * as RegistryError from "../../RegistryError.ts"
import { type Contents, findEqual } from "./contents.ts"
import { type Definition, failure, type Keys, keysIn, takeKeys } from "./definition.ts"
import type { Entry } from "./entry.ts"

type Checked = Result.Result<Keys, RegistryError.RegistrationFailure>

/**
 * The keys of an item that can be registered, or why it cannot: in order, the schema, an equal item, and lookup by
 * lookup an attribute that is missing or taken. What `ignoring` holds is free: it is about to be replaced.
 */
export const check = <Item>(self: Contents<Item>, item: Item, ignoring?: Entry<Item>): Checked => {
  const { definition, indexes, withheld } = self
  const invalid = violation(definition, item)
  if (invalid !== undefined) return invalid
  const keys = takeKeys(definition, item)
  const equal = findEqual(self, item, keys, ignoring) ?? withheld?.equal(item, keys, ignoring)
  if (equal !== undefined) return registered(definition, equal, { code: "already_registered", item })
  for (let slot = 0; slot < definition.lookups.length; slot++) {
    if (slot === keys.length) return missing(definition, item, keys)
    const { attribute, each, unique } = definition.lookups[slot]!
    if (!unique || keys[slot] === undefined) continue
    const values = each ? keysIn(keys[slot]) : undefined
    for (let i = 0; i < (values?.length ?? 1); i++) {
      const value = values === undefined ? keys[slot] : values[i]
      const found = indexes[slot]!.get(value)
      const holder = found === undefined || found === ignoring ? withheld?.holder(slot, value, ignoring) : found
      if (holder === undefined) continue
      const existing = holder.item
      return registered(definition, holder, { code: "attribute_registered", item, attribute, value, existing })
    }
  }
  return Result.succeed(keys)
}

/** The same for an item that goes on top of all others, so that none of them is in its way. */
export const checkOnTop = <Item>({ definition }: Contents<Item>, item: Item): Checked => {
  const invalid = violation(definition, item)
  if (invalid !== undefined) return invalid
  const keys = takeKeys(definition, item)
  return keys.length < definition.lookups.length ? missing(definition, item, keys) : Result.succeed(keys)
}

const violation = <Item>(definition: Definition<Item>, item: Item): Checked | undefined => {
  const issue = definition.validate?.(item)
  return issue === undefined
    ? undefined
    : Result.fail(failure(definition, RegistryError.RegistrationError, { code: "invalid_item", item, issue }))
}

const missing = <Item>(definition: Definition<Item>, item: Item, { length }: Keys): Checked => {
  const { attribute } = definition.lookups[length]!
  return Result.fail(
    failure(definition, RegistryError.RegistrationError, { code: "missing_attribute", item, attribute })
  )
}

type Registered = Omit<ConstructorParameters<typeof RegistryError.AlreadyRegisteredError>[0], "registry" | "text">

const registered = <Item>(
  definition: Definition<Item>,
  { origin: { owner } }: Entry<Item>,
  props: Registered
): Checked =>
  Result.fail(
    failure(definition, RegistryError.AlreadyRegisteredError, { ...props, ...(owner === "" ? undefined : { owner }) })
  )
