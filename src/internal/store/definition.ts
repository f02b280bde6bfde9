/** What a registry is by its definition: its name, its lookups, and how items are validated and errors are worded. */
import * as Equal from "effect/Equal"
import * as MutableHashSet from "effect/MutableHashSet"
import type * as Schema from "effect/Schema"
import * as Lookup from "../../Lookup.ts"
import type * as RegistryError from "../../RegistryError.ts"
import { refuseForeign } from "../copy.ts"
import { isObject } from "./entry.ts"
import type { Normalize } from "./index.ts"
import { keysOfItem, takenKeyOf } from "./key.ts"
import { hasOwnEquality, same, sameBy } from "./same.ts"
import { show, showItem } from "./wording.ts"

export interface Definition<Item> {
  readonly name: string
  readonly lookups: ReadonlyArray<NamedLookup<Item>>
  /** The lookups, and after them a slot for the item itself, which is a key where nothing else tells items apart. */
  readonly slots: ReadonlyArray<Pick<NamedLookup<Item>, "unique" | "each" | "normalize">>
  readonly schema: Schema.Schema<Item> | undefined
  /** Answers what is wrong with an item by the schema of the registry. */
  readonly validate: ((item: Item) => string | undefined) | undefined
  readonly messages: RegistryError.Messages
  /** Is told of an item that is refused, and why. */
  readonly refused: (item: Item, why: unknown) => void
  readonly label: ((item: Item) => string) | undefined
  /** Whether two items are the same. */
  readonly same: (one: Item, other: Item) => boolean
  /** Near matches of a value among keys. */
  readonly suggest: (value: unknown, keys: Iterable<unknown>) => ReadonlyArray<string>
}

interface NamedLookup<Item> {
  readonly attribute: string
  readonly unique: boolean
  readonly each: boolean
  readonly optional: boolean
  readonly normalize: Normalize
  readonly select: (item: Item) => unknown
}

export const make = <Item>({ equivalence, lookup, ...rest }: Omit<Definition<Item>, "lookups" | "slots" | "same"> & {
  readonly lookup: Lookup.Input<Item>
  readonly equivalence?: ((one: Item, other: Item) => boolean) | undefined
}): Definition<Item> => {
  const lookups = namedLookups(rest.name, lookup)
  lookups.forEach(({ attribute }, index) => {
    if (attribute === "") throw invalid(rest.name, "has a lookup with an empty name. Give it a name.")
    if (slotOf(lookups, attribute) !== index) {
      throw invalid(rest.name, `has two lookups named ${show(attribute)}. Keep one of them.`)
    }
  })
  const slots = [...lookups, { unique: true, each: true, normalize: undefined }]
  return { ...rest, same: sameBy(equivalence), lookups, slots }
}

/** The error of a definition that makes no sense. */
export const invalid = (name: string, why: string): Error => new Error(`The registry ${show(name)} ${why}`)

/** The place of a lookup, or -1. There are few: a search takes less than a map. */
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
        const select = (item: Item) => item?.[property]
        return { attribute: property, unique: true, each: false, optional: false, normalize: undefined, select }
      }
      throw invalid(name, `lists ${show(property)} among its lookups: a list has names of properties.`)
    })
  }
  if (typeof lookup !== "object" || lookup === null) {
    throw invalid(name, `has no lookups: "lookup" is a record of lookups or a list of properties.`)
  }
  return Object.entries(lookup).map(([attribute, one]) => {
    refuseForeign(one)
    if (!Lookup.isLookup(one)) {
      throw invalid(
        name,
        `has a lookup ${show(attribute)} that is none: make it with Lookup.unique, uniqueEach, group or groupEach.`
      )
    }
    return { ...one, attribute, unique: one._tag === "Unique" }
  })
}

/**
 * The keys of an item by slot: a key or `undefined`, or a list of keys for an `Each` lookup and for the item itself. They
 * end before the first lookup whose attribute the item lacks.
 */
export type Keys = ReadonlyArray<unknown>

/** The list of keys in the slot of an `Each` lookup, where `takeKeys` has put it. */
export const keysIn = (slot: unknown): ReadonlyArray<unknown> => slot as ReadonlyArray<unknown>

export const forEachKey = <Item>(
  { slots }: Definition<Item>,
  keys: Keys,
  f: (key: unknown, slot: number) => void
): void => {
  for (let slot = 0; slot < keys.length; slot++) {
    const key = keys[slot]
    if (slots[slot]!.each) { for (const one of keysIn(key)) f(one, slot) }
    else if (key !== undefined) f(key, slot)
  }
}

/** Whether two items have a key in common that belongs to one entry alone. */
export const shareUnique = <Item>(definition: Definition<Item>, one: Keys, other: Keys): boolean => {
  let shared = false
  forEachKey(definition, one, (key, slot) => {
    if (!definition.slots[slot]!.unique) return
    forEachKey(definition, other, (its, itsSlot) => {
      shared ||= itsSlot === slot && Equal.equals(key, its)
    })
  })
  return shared
}

/** The first slot of a key that belongs to one entry alone. */
export const firstUnique = <Item>({ slots }: Definition<Item>, keys: Keys): number => {
  for (let i = 0; i < keys.length; i++) {
    const { each, unique } = slots[i]!
    if (unique && keys[i] !== undefined && (!each || keysIn(keys[i]).length > 0)) return i
  }
  return -1
}

/**
 * Items that are the same have the same keys, because they are compared by what they are made of. So an item with a unique
 * key is found by that, and need not be hashed. One that decides for itself, and one without a unique key, is a key, too.
 */
export const takeKeys = <Item>(definition: Definition<Item>, item: Item): Keys => {
  const { lookups } = definition
  // an array of the length that it will have: one that grows reserves place for 17 keys with the first
  const keys: Array<unknown> = lookups.slice()
  for (let i = 0; i < lookups.length; i++) {
    const { each, normalize, optional, select } = lookups[i]!
    const selected = select(item)
    const key = each
      ? distinctKeys(selected, optional, normalize)
      : takenKeyOf(normalized(selected, normalize))
    if (key === undefined && (each || !optional)) return keys.slice(0, i)
    keys[i] = key
  }
  return firstUnique(definition, keys) === -1 || decidesForItself(definition, item)
    ? [...keys, keysOfItem(item, definition.same)]
    : keys
}

const noKeys: ReadonlyArray<unknown> = []

export const decidesForItself = <Item>(definition: Definition<Item>, item: Item): boolean =>
  isObject(item) && definition.same === same && hasOwnEquality(item)

/** `undefined` is no value. */
const normalized = (value: unknown, normalize: Normalize): unknown =>
  normalize === undefined || value === undefined ? value : normalize(value)

/** The keys without repetition; nothing where one is missing that must not be. */
const distinctKeys = (
  selected: unknown,
  optional: boolean,
  normalize: Normalize
): ReadonlyArray<unknown> | undefined => {
  if (selected === undefined) return optional ? noKeys : undefined
  const keys: Array<unknown> = []
  // an item has a handful of keys as a rule; with many, comparing each with each would take their square
  let seen: MutableHashSet.MutableHashSet<unknown> | undefined
  // the selector of an `Each` lookup answers an iterable: if it does not, that surfaces here
  for (const value of selected as Iterable<unknown>) {
    const one = normalized(value, normalize)
    if (one === undefined) {
      if (optional) continue
      return undefined
    }
    const key = takenKeyOf(one)
    if (keys.length === 8) seen = MutableHashSet.fromIterable(keys)
    if (seen === undefined ? keys.some((other) => Equal.equals(other, key)) : MutableHashSet.has(seen, key)) continue
    keys.push(key)
    if (seen !== undefined) MutableHashSet.add(seen, key)
  }
  return keys
}

/** One without a prototype is, too. */
export const isPlain = (value: unknown): value is object =>
  typeof value === "object" && value !== null && (Object.getPrototypeOf(value) ?? Object.prototype) === Object.prototype

/** What words the errors of a registry, and names their items. */
export interface Wording {
  readonly name: string
  readonly messages: RegistryError.Messages
  readonly label?: ((item: any) => string) | undefined
  readonly lookups?: ReadonlyArray<NamedLookup<any>>
}

/** How messages name an item: by the option `label`, else by the value of the first unique lookup that it has. */
export const labelOf = ({ label, lookups = [] }: Wording, item: unknown): string => {
  const unique = lookups.filter((lookup) => lookup.unique)
  for (const { each, select } of label === undefined ? unique : [{ each: false, select: label }, ...unique]) {
    try {
      const selected = select(item)
      const [value] = each ? keysIn(selected) : [selected]
      if (value !== undefined) return show(value)
    } catch {
      // an item that was refused need not have what a selector looks for
    }
  }
  return showItem(item)
}

interface FailureProps {
  readonly code: RegistryError.Code
  readonly item?: unknown
  readonly existing?: unknown
}

/** An error of the registry, worded as its definition says. */
export const failure = <E extends RegistryError.RegistryError, Props extends FailureProps>(
  definition: Wording,
  Class: new(props: Props & { readonly registry: string; readonly text?: string }) => E,
  props: Props
): E => {
  const { messages, name } = definition
  const { existing, item } = props
  const named = {
    ...props,
    ...(item === undefined ? undefined : { label: labelOf(definition, item) }),
    ...(existing === undefined ? undefined : { existingLabel: labelOf(definition, existing) }),
    registry: name
  }
  const message: ((error: any) => unknown) | undefined = messages[props.code]
  let text: unknown
  try {
    text = message?.(named)
  } catch {
    // the error matters more than its text
  }
  return new Class(typeof text === "string" ? { ...named, text } : named)
}
