/**
 * What counts as the same: one object, or plain data with the same content. `Equal` compares instances of classes by what
 * is visible of them: two whose state is hidden are equal to it.
 */
import * as Data from "effect/Data"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import { isObject, isSame } from "./entry.ts"

/** Whether two values are the same. What throws while it is compared is not. */
export const same = (one: unknown, other: unknown): boolean =>
  isSame(one, other) || isObject(one) && isObject(other) && attempt(() => comparison()(one, other), false)

const comparison = () => {
  const assumed = new Map<object, Set<object>>()
  /** Each takes back what was assumed of a pair. */
  const takeBack: Array<() => void> = []

  const areSame = (one: unknown, other: unknown): boolean => {
    if (isSame(one, other)) return true
    if (!isObject(one) || !isObject(other)) return false
    if (hasOwnEquality(one)) return hasOwnEquality(other) && Equal.equals(one, other)
    if (kindOf(one) !== kindOf(other)) return false
    // a pair that is met again while it is compared counts as the same: so a circle ends
    const others = assumed.get(one) ?? new Set<object>()
    if (others.has(other)) return true
    assumed.set(one, others.add(other))
    const { length } = takeBack
    takeBack.push(() => others.delete(other))
    if (areSameParts(partsOf(one), partsOf(other))) return true
    // pairs inside may have been the same by that
    for (const f of takeBack.splice(length)) f()
    return false
  }

  const areSameParts = (one: Parts | undefined, other: Parts | undefined): boolean => {
    if (one instanceof Map && other instanceof Map) {
      let rest: Array<[unknown, unknown]> | undefined
      for (const [name, part] of one) {
        if (isObject(name)) {
          // each has one of the others to itself
          rest ??= Array.from(other)
          const found = rest.findIndex((pair) => areSame(name, pair[0]) && areSame(part, pair[1]))
          if (found === -1) return false
          rest.splice(found, 1)
        } else if (!other.has(name) || !areSame(part, other.get(name))) return false
      }
      return one.size === other.size
    }
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false
    // `every` would leave out the holes of an array
    for (let i = 0; i < one.length; i++) if (!areSame(one[i], other[i])) return false
    return true
  }

  return areSame
}

/** The same, or what the equivalence of a registry says if it has one. */
export const sameBy = <A>(equivalence: ((one: A, other: A) => boolean) | undefined): (one: A, other: A) => boolean =>
  equivalence === undefined
    ? same
    : (one, other) => isSame(one, other) || attempt(() => equivalence(one, other) === true, false)

export const attempt = <A>(evaluate: () => A, otherwise: A): A => {
  try {
    return evaluate()
  } catch {
    return otherwise
  }
}

/** What has an equality of its own decides for itself. */
export const hasOwnEquality = (value: object): value is Equal.Equal => {
  try {
    return Equal.symbol in value
  } catch {
    return false
  }
}

/** Plain data of one kind may be the same. The buffers of Node are arrays of bytes. */
const kindOf = (value: object): unknown =>
  value instanceof Picture
    ? value.kind
    : value instanceof Uint8Array && "isBuffer" in value.constructor
    ? Uint8Array.prototype
    : Object.getPrototypeOf(value) ?? Object.prototype

/** Parts in order, or by names. */
type Parts = ReadonlyArray<unknown> | Map<unknown, unknown>

/** What plain data is made of. Nothing for what is the same only as itself. */
export const partsOf = (value: object): Parts | undefined => {
  if (value instanceof Picture) return value.parts
  const kind = kindOf(value)
  if (kind === Object.prototype || value instanceof Data.Class) {
    return new Map(Reflect.ownKeys(value).map((name) => [name, Reflect.get(value, name)]))
  }
  if (isA(value, Array) || isA(value, Map)) return value
  if (isA(value, Set)) return new Map(value.entries())
  if (isA(value, Date)) return [value.getTime()]
  if (isA(value, RegExp)) return [String(value)]
  if (isA(value, ArrayBuffer)) return Array.from(new Uint8Array(value))
  return Object.getPrototypeOf(kind) === Object.getPrototypeOf(Uint8Array.prototype)
    ? Array.from(Uint8Array.prototype.values.call(value))
    : undefined
}

/** Whether a value is an instance of a class and of none that is derived from it. */
const isA = <A extends object>(value: object, Class: { readonly prototype: A }): value is A =>
  kindOf(value) === Class.prototype

/** Plain data as it was: what became of it since does not change this. */
class Picture {
  declare readonly kind: unknown
  declare readonly parts: Parts

  constructor(kind: unknown, parts: Parts) {
    this.kind = kind
    this.parts = parts
  }
}

/** Throws for what contains itself. */
export const pictureOf = (value: unknown, pictures = new Map<unknown, unknown>()): unknown => {
  if (!isObject(value) || hasOwnEquality(value)) return value
  if (!pictures.has(value)) {
    const parts = partsOf(value)
    const inside = (one: unknown) => pictureOf(one, pictures)
    pictures.set(
      value,
      parts === undefined ? value : new Picture(
        kindOf(value),
        parts instanceof Map
          ? new Map(Array.from(parts, ([name, part]) => [inside(name), inside(part)]))
          : parts.map(inside)
      )
    )
  }
  return pictures.get(value)
}

/** A number that values which are the same have in common. What is deep inside does not count: so a circle ends. */
export const hashOf = (value: unknown, depth = 0): number => {
  if (!isObject(value) || hasOwnEquality(value)) return Hash.hash(value)
  if (depth > deep) return 0
  const parts = partsOf(value)
  if (parts === undefined) return Hash.random(value)
  let hash = 0
  for (const part of parts.entries()) {
    const [name, inside] = part.map((one) => hashOf(one, depth + 1))
    hash = hash + Hash.combine(name!, inside!) | 0
  }
  return hash
}

const deep = 3
