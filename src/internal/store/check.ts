/** Whether an item can be registered, and with what keys. */
import * as RegistryError from "../../RegistryError.ts"
import { type Contents, findEqual } from "./contents.ts"
import { type Definition, failure, type Keys, keysIn, takeKeys } from "./definition.ts"
import type { Entry } from "./entry.ts"
import { valueOf } from "./key.ts"

/** Why an item cannot be registered. */
export type Refusal = RegistryError.RegistrationFailure

/**
 * The keys of an item that can be registered, or why it cannot: in order, the schema, an equal item, and lookup by
 * lookup an attribute that is missing or taken. What `ignoring` has is free: the item is about to take its place. An item
 * that goes on top of all others has none of them in its way.
 */
export const check = <Item>(
  self: Contents<Item>,
  item: Item,
  ignoring?: Entry<Item>,
  onTop = false
): Keys | Refusal => {
  const { definition, indexes, withheld } = self
  const issue = definition.validate?.(item)
  if (issue !== undefined) return refused(definition, { code: "invalid_item", item, issue })
  const keys = takeKeys(definition, item)
  const same = onTop ? undefined : findEqual(self, item, keys, ignoring)
  const equal = isInTheWay(same, ignoring) ? same : onTop ? undefined : withheld?.equal(item, keys, ignoring)
  if (equal !== undefined) return registered(self, equal, { code: "already_registered", item })
  for (let slot = 0; slot < definition.lookups.length; slot++) {
    const { attribute, each, unique } = definition.lookups[slot]!
    if (slot === keys.length) return refused(definition, { code: "missing_attribute", item, attribute })
    if (onTop || !unique || keys[slot] === undefined) continue
    const values = each ? keysIn(keys[slot]) : undefined
    for (let i = 0; i < (values?.length ?? 1); i++) {
      const key = values === undefined ? keys[slot] : values[i]
      const found = indexes[slot]!.entry(key)
      const holder = isInTheWay(found, ignoring) ? found : withheld?.holder(slot, key, ignoring)
      if (holder === undefined) continue
      const existing = holder.item
      return registered(self, holder, {
        code: "attribute_registered",
        item,
        attribute,
        value: valueOf(key),
        existing
      })
    }
  }
  return keys
}

export const isRefusal = (checked: Keys | Refusal): checked is Refusal => !Array.isArray(checked)

/** What lies on top is in the way of what does, too. All else goes below it. */
const isInTheWay = <Item>(entry: Entry<Item> | undefined, ignoring: Entry<Item> | undefined): entry is Entry<Item> =>
  entry !== undefined && entry !== ignoring && (!entry.origin.onTop || ignoring?.origin.onTop === true)

const refused = <Item>(definition: Definition<Item>, props: Refused & { readonly item: Item }): Refusal => {
  const why = failure(definition, RegistryError.RegistrationError, props)
  definition.refused(props.item, why)
  return why
}

type Refused = Omit<ConstructorParameters<typeof RegistryError.RegistrationError>[0], "registry" | "text">

type Registered = Omit<ConstructorParameters<typeof RegistryError.AlreadyRegisteredError>[0], "registry" | "text">

const registered = <Item>(
  { definition, withheld }: Contents<Item>,
  holder: Entry<Item>,
  props: Registered & { readonly item: Item }
): Refusal => {
  const { owner } = holder.origin
  const reason = withheld?.reasonOf(holder)?.reason
  const named = {
    ...props,
    ...(owner === "" ? undefined : { owner }),
    ...(reason === undefined ? undefined : { reason })
  }
  const why = failure(definition, RegistryError.AlreadyRegisteredError, named)
  definition.refused(props.item, why)
  return why
}
