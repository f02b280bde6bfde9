/** The keys of indexes. A primitive is one as it is. An object is in a `Key`, which compares it by the rule of `same`. */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import { isObject, isSame } from "./entry.ts"
import { attempt, hashOf, hasOwnEquality, partsOf, pictureOf, same } from "./same.ts"

/** The hash is that of when this was made. */
export class Key implements Equal.Equal {
  declare readonly value: unknown
  declare readonly hash: number
  declare readonly rule: (one: any, other: any) => boolean
  /** What is compared. */
  declare readonly content: unknown

  constructor(value: unknown, hash: number, rule: (one: any, other: any) => boolean, content = value) {
    this.value = value
    this.hash = hash
    this.rule = rule
    this.content = content
  }

  [Hash.symbol](): number {
    return this.hash
  }

  [Equal.symbol](that: unknown): boolean {
    return that instanceof Key && this.rule(this.content, that.content)
  }
}

/** The key of a value. */
export const keyOf = (value: unknown): unknown => isObject(value) ? keyOfObject(value) : value

/** What is the same only as itself, and what throws, is a key by reference. */
const keyOfObject = (value: object): Key =>
  attempt(
    () =>
      hasOwnEquality(value) || partsOf(value) !== undefined && !isMarked(value)
        ? new Key(value, hashOf(value), same)
        : undefined,
    undefined
  ) ?? byReference(value)

const byReference = (value: object): Key => {
  let key = references.get(value)
  if (key === undefined) references.set(value, key = new Key(value, made++, isSame))
  return key
}

/** So that an object has one, whose hash is known to `HashMap` the next time. */
const references = /*#__PURE__*/ new WeakMap<object, Key>()

let made = 0

/** The key of a value as it is now: what becomes of the value does not change it. */
export const takenKeyOf = (value: unknown): unknown => {
  if (!isObject(value)) return value
  const key = keyOfObject(value)
  return key.rule === same ? new Key(value, key.hash, same, attempt(() => pictureOf(value), value)) : key
}

/**
 * The keys of an item in the slot for items: by each of them it is found. Plain data that was changed since it was
 * registered is found as the object that it is.
 */
export const keysOfItem = <Item>(item: Item, rule: (one: Item, other: Item) => boolean): ReadonlyArray<unknown> => {
  // no hash is known to agree with the equivalence of a registry
  if (rule !== same) return [new Key(item, 0, rule)]
  if (!isObject(item) || hasOwnEquality(item)) return [keyOf(item)]
  const itself = byReference(item)
  return attempt(() => partsOf(item) && [itself, new Key(item, hashOf(item), sameUnmarked)], undefined) ?? [itself]
}

const sameUnmarked = (one: object, other: object): boolean =>
  isSame(one, other) || same(one, other) && !isMarked(one) && !isMarked(other)

/** What a key is of. */
export const valueOf = (key: unknown): unknown => key instanceof Key ? key.value : key

/**
 * Whether an object is marked by `Equal.byReference`. `Equal` looks at the marks of both before it looks into either, and
 * this one cannot be looked into.
 */
const isMarked = (value: object): boolean => attempt(() => !Equal.equals(unreadable, value), false)

const unreadable = /*#__PURE__*/ new Proxy({}, {
  getPrototypeOf() {
    throw unreadable
  }
})
