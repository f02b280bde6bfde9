/**
 * What a registry is by its definition: its name, its lookups in their order, how items are validated, and how its
 * errors are worded.
 *
 * @internal
 */
import * as Equal from "effect/Equal"
import * as MutableHashSet from "effect/MutableHashSet"
import * as Lookup from "../Lookup.ts"
import type * as RegistryError from "../RegistryError.ts"
import { Identity } from "./identity.ts"

/** @internal */
export interface Definition<Item> {
  readonly name: string
  readonly lookups: ReadonlyArray<NamedLookup<Item>>
  readonly lookupIndex: ReadonlyMap<string, number>
  /** What is wrong with an item by the schema of the registry. */
  readonly validate: ((item: Item) => string | undefined) | undefined
  readonly messages: RegistryError.Messages
  readonly identity: Identity<Item>
}

/** @internal */
export interface NamedLookup<Item> {
  readonly attribute: string
  readonly unique: boolean
  readonly each: boolean
  readonly optional: boolean
  readonly select: (item: Item) => unknown
}

/** @internal */
export const make = <Item>(options: {
  readonly name: string
  readonly lookup: Lookup.Input<Item>
  readonly validate: Definition<Item>["validate"]
  readonly messages: RegistryError.Messages
}): Definition<Item> => {
  const lookups = namedLookups(options.name, options.lookup)
  const lookupIndex = new Map<string, number>()
  lookups.forEach(({ attribute }, index) => {
    if (attribute === "") {
      throw new Error(`The registry "${options.name}" has a lookup with an empty name. Give it a name.`)
    }
    if (lookupIndex.has(attribute)) {
      throw new Error(`The registry "${options.name}" has two lookups named "${attribute}". Keep one of them.`)
    }
    lookupIndex.set(attribute, index)
  })
  return {
    name: options.name,
    lookups,
    lookupIndex,
    validate: options.validate,
    messages: options.messages,
    identity: new Identity()
  }
}

const namedLookups = <Item>(name: string, lookup: Lookup.Input<Item>): ReadonlyArray<NamedLookup<Item>> => {
  if (Array.isArray(lookup)) {
    return lookup.map((property: keyof Item & string) => ({
      attribute: property,
      unique: true,
      each: false,
      optional: false,
      select: (item: Item) => item === null || item === undefined ? undefined : item[property]
    }))
  }
  if (typeof lookup !== "object" || lookup === null) {
    throw new Error(`The registry "${name}" has no lookups: "lookup" is a record of lookups or a list of properties.`)
  }
  return Object.entries(lookup).map(([attribute, one]) => {
    if (!Lookup.isLookup(one)) {
      throw new Error(`The lookup "${attribute}" of the registry "${name}" is none: make it with Lookup.unique, uniqueEach, group or groupEach.`)
    }
    return { attribute, unique: one._tag === "Unique", each: one.each, optional: one.optional, select: one.select }
  })
}

/**
 * The keys of an item, one slot a lookup in the order of the definition: a key, `undefined` for none, or all the keys
 * of an `Each` lookup. It ends before the first lookup whose attribute the item lacks.
 *
 * @internal
 */
export type Keys = ReadonlyArray<unknown>

/** @internal */
export const takeKeys = <Item>(definition: Definition<Item>, item: Item): Keys => {
  const { lookups } = definition
  const keys: Array<unknown> = []
  for (let i = 0; i < lookups.length; i++) {
    const lookup = lookups[i]!
    const selected = lookup.select(item)
    if (lookup.each) {
      const each = distinctKeys(selected, lookup.optional)
      if (each === undefined) break
      keys.push(each)
    } else {
      if (selected === undefined && !lookup.optional) break
      keys.push(selected)
    }
  }
  return keys
}

const noKeys: ReadonlyArray<unknown> = []

/** The keys without repetition; nothing where one is missing that must not be. */
const distinctKeys = (selected: unknown, optional: boolean): ReadonlyArray<unknown> | undefined => {
  if (selected === undefined) return optional ? noKeys : undefined
  const keys: Array<unknown> = []
  // an item has a handful of keys as a rule; with many, comparing each with each would take their square
  let seen: MutableHashSet.MutableHashSet<unknown> | undefined
  for (const key of selected as Iterable<unknown>) {
    if (key === undefined) {
      if (optional) continue
      return undefined
    }
    if (keys.length === 8) seen = MutableHashSet.fromIterable(keys)
    if (seen === undefined ? keys.some((other) => Equal.equals(other, key)) : MutableHashSet.has(seen, key)) continue
    keys.push(key)
    if (seen !== undefined) MutableHashSet.add(seen, key)
  }
  return keys
}

/**
 * An error of the registry, worded as its definition says.
 *
 * @internal
 */
export const failure = <E extends RegistryError.RegistryError, Props extends { readonly code: RegistryError.Code }>(
  definition: { readonly name: string; readonly messages: RegistryError.Messages },
  Class: new(props: Props & { readonly registry: string; readonly text?: string }) => E,
  props: Props
): E => {
  const named = { ...props, registry: definition.name }
  const message: ((error: any) => string) | undefined = definition.messages[props.code]
  if (message === undefined) return new Class(named)
  let text: string
  try {
    text = message(named)
  } catch {
    return new Class(named)
  }
  return new Class({ ...named, text })
}
