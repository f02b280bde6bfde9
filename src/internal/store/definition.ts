/**
 * What a registry is by its definition: its name, its lookups in their order, how items are validated, and how its
 * errors are worded.
 */
import * as Equal from "effect/Equal"
import * as Formatter from "effect/Formatter"
import * as MutableHashSet from "effect/MutableHashSet"
import type * as Schema from "effect/Schema"
import * as Lookup from "../../Lookup.ts"
import type * as RegistryError from "../../RegistryError.ts"

export interface Definition<Item> {
  readonly name: string
  readonly lookups: ReadonlyArray<NamedLookup<Item>>
  readonly schema: Schema.Schema<Item> | undefined
  /** What is wrong with an item by the schema of the registry. */
  readonly validate: ((item: Item) => string | undefined) | undefined
  readonly messages: RegistryError.Messages
  /** What somebody may have meant who asked for a key that is not there. */
  readonly suggest: (value: unknown, keys: Iterable<unknown>) => ReadonlyArray<string>
}

interface NamedLookup<Item> {
  readonly attribute: string
  readonly unique: boolean
  readonly each: boolean
  readonly optional: boolean
  readonly select: (item: Item) => unknown
}

export const make = <Item>(options: {
  readonly name: string
  readonly lookup: Lookup.Input<Item>
  readonly schema: Definition<Item>["schema"]
  readonly validate: Definition<Item>["validate"]
  readonly messages: RegistryError.Messages
  readonly suggest: Definition<Item>["suggest"]
}): Definition<Item> => {
  const lookups = namedLookups(options.name, options.lookup)
  lookups.forEach(({ attribute }, index) => {
    if (attribute === "") {
      throw new Error(`The registry "${options.name}" has a lookup with an empty name. Give it a name.`)
    }
    if (slotOf(lookups, attribute) !== index) {
      throw new Error(`The registry "${options.name}" has two lookups named "${attribute}". Keep one of them.`)
    }
  })
  return {
    name: options.name,
    lookups,
    schema: options.schema,
    validate: options.validate,
    messages: options.messages,
    suggest: options.suggest
  }
}

/** The place of a lookup, or -1. There are few: to look at one after the other takes less than a map. */
export const slotOf = (lookups: ReadonlyArray<{ readonly attribute: string }>, attribute: string): number => {
  for (let i = 0; i < lookups.length; i++) {
    if (lookups[i]!.attribute === attribute) return i
  }
  return -1
}

const namedLookups = <Item>(name: string, lookup: Lookup.Input<Item>): ReadonlyArray<NamedLookup<Item>> => {
  if (Array.isArray(lookup)) {
    return lookup.map((property: keyof Item & string) => {
      if (typeof property === "string") {
        const select = (item: Item) => item === null || item === undefined ? undefined : item[property]
        return { attribute: property, unique: true, each: false, optional: false, select }
      }
      throw new Error(
        `The registry "${name}" lists ${Formatter.format(property)} among its lookups: a list has names of properties.`
      )
    })
  }
  if (typeof lookup !== "object" || lookup === null) {
    throw new Error(`The registry "${name}" has no lookups: "lookup" is a record of lookups or a list of properties.`)
  }
  return Object.entries(lookup).map(([attribute, one]) => {
    if (!Lookup.isLookup(one)) {
      throw new Error(
        `The lookup "${attribute}" of the registry "${name}" is none: make it with Lookup.unique, uniqueEach, group or groupEach.`
      )
    }
    return { attribute, unique: one._tag === "Unique", each: one.each, optional: one.optional, select: one.select }
  })
}

/**
 * The keys of an item, one slot a lookup in the order of the definition: a key, `undefined` for none, or all the keys
 * of an `Each` lookup. It ends before the first lookup whose attribute the item lacks.
 */
export type Keys = ReadonlyArray<unknown>

/** All the keys in the slot of an `Each` lookup, where `takeKeys` has put them. */
export const keysIn = (slot: unknown): ReadonlyArray<unknown> => slot as ReadonlyArray<unknown>

export const takeKeys = <Item>(definition: Definition<Item>, item: Item): Keys => {
  const { lookups } = definition
  // an array of the length that it will have: one that grows reserves place for 17 keys with the first
  const keys: Array<unknown> = lookups.slice()
  for (let i = 0; i < lookups.length; i++) {
    const lookup = lookups[i]!
    const selected = lookup.select(item)
    const key = lookup.each ? distinctKeys(selected, lookup.optional) : taken(selected)
    if (key === undefined && (lookup.each || !lookup.optional)) return keys.slice(0, i)
    keys[i] = key
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
  // the selector of an `Each` lookup answers an iterable: if it does not, that surfaces here
  for (const key of selected as Iterable<unknown>) {
    if (key === undefined) {
      if (optional) continue
      return undefined
    }
    if (keys.length === 8) seen = MutableHashSet.fromIterable(keys)
    if (seen === undefined ? keys.some((other) => Equal.equals(other, key)) : MutableHashSet.has(seen, key)) continue
    keys.push(taken(key))
    if (seen !== undefined) MutableHashSet.add(seen, key)
  }
  return keys
}

/** A key of our own where `Equal` looks into it: what becomes of the item's does not change it. */
const taken = (key: unknown): unknown => {
  if (typeof key !== "object" || key === null || Equal.isEqual(key)) return key
  const copy = copyOf(key)
  // what is compared by reference has no copy
  return Equal.equals(copy, key) ? copy : key
}

const copyOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(copyOf)
  if (value instanceof Date) return new Date(value)
  if (value instanceof Set) return new Set(Array.from(value, copyOf))
  if (value instanceof Map) return new Map(Array.from(value, ([key, part]) => [copyOf(key), copyOf(part)]))
  // bytes or other numbers; the `slice` of a `Buffer` itself would share them
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Uint8Array.prototype.slice.call(value)
  return isPlain(value)
    ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copyOf(part)]))
    : value
}

/** One without a prototype is, too. */
const isPlain = (value: unknown): value is object =>
  typeof value === "object" && value !== null &&
  (Object.getPrototypeOf(value) ?? Object.prototype) === Object.prototype

/** An error of the registry, worded as its definition says. */
export const failure = <E extends RegistryError.RegistryError, Props extends { readonly code: RegistryError.Code }>(
  definition: { readonly name: string; readonly messages: RegistryError.Messages },
  Class: new(props: Props & { readonly registry: string; readonly text?: string }) => E,
  props: Props
): E => {
  const named = { ...props, registry: definition.name }
  const text = textOf(definition.messages[props.code], named)
  return new Class(typeof text === "string" ? { ...named, text } : named)
}

/** A text that cannot be had is none: the error that it is for matters more. */
const textOf = (message: ((error: any) => unknown) | undefined, error: unknown): unknown => {
  try {
    return message?.(error)
  } catch {
    return undefined
  }
}
