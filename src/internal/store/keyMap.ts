/** A persistent map by keys that are compared by `Equal`. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { isObject } from "./entry.ts"

type Changes<A> = HashMap.HashMap<unknown, A | undefined>

/** A value that is put in after another has a higher id. */
interface Identified {
  readonly id: number
}

/**
 * Most of a registry is there from the start or comes in lists, and is read far more often than it changes. So this is a
 * native `Map`, which is several times faster than a `HashMap`, and whose hashes nobody can make collide; and what has been
 * put into it and taken from it since. When that is much, both become a new `Map`.
 *
 * Versions share one base `Map`. The newest may append a list to it: older versions ignore values whose id is not below
 * their own `limit`. What is in the base for a version never changes.
 *
 * A `Map` compares objects by reference, where keys are compared by `Equal`: an object is always among the changes.
 */
export class KeyMap<A extends Identified> {
  static empty<A extends Identified>(): KeyMap<A> {
    return new KeyMap<A>(new Map(), 0, 0, HashMap.empty(), 0, false, 0)
  }

  private readonly base: Map<unknown, A>
  /** The id from which on a value of the base belongs to later versions. */
  private limit: number
  /** How many keys the base had, all of them for this version, before a later one appended to it. */
  private known: number
  private changes: Changes<A>
  /** The number of changes, and how many of them are objects. */
  private changed: number
  private objects: number
  /** Whether a key of the base may be among the changes: then the base keeps a value that is gone. */
  private shadows: boolean
  /** How many versions have come since the base was made. */
  private readonly age: number
  /** While a list is put in: where, and the id from which on a value is of it. */
  private filling: { readonly base: boolean; readonly start: number } | undefined

  private constructor(
    base: Map<unknown, A>,
    limit: number,
    known: number,
    changes: Changes<A>,
    objects: number,
    shadows: boolean,
    age: number
  ) {
    this.base = base
    this.limit = limit
    this.known = known
    this.changes = changes
    this.changed = HashMap.size(changes)
    this.objects = objects
    this.shadows = shadows
    this.age = age
    this.filling = undefined
  }

  get(key: unknown): A | undefined {
    if (!this.shadows) {
      const value = this.inBase(key)
      if (value !== undefined || this.changed === 0) return value
    }
    const change = HashMap.get(this.changes, key)
    return Option.isSome(change) ? change.value : this.inBase(key)
  }
  private inBase(key: unknown): A | undefined {
    const value = this.base.get(key)
    return value !== undefined && value.id < this.limit ? value : undefined
  }
  *keys(): Iterable<unknown> {
    for (const [key, value] of this.base) if (value.id < this.limit && !HashMap.has(this.changes, key)) yield key
    for (const [key, value] of this.changes) if (value !== undefined) yield key
  }
  /** With a value that has a higher id than all before, in the place of what `get` answers. */
  set(key: unknown, value: A, previous: A | undefined): KeyMap<A> {
    const { base, filling } = this
    const object = isObject(key)
    if (filling?.base === true && !object && base.size === this.known) {
      const isNew = previous === undefined && (!this.shadows || !base.has(key))
      if (isNew || previous !== undefined && previous.id >= filling.start && base.get(key) === previous) {
        base.set(key, value)
        this.known = base.size
        this.limit = value.id + 1
        return this
      }
    }
    const changes = HashMap.set(this.changes, key, value)
    const changed = HashMap.size(changes)
    // an object may be there already
    const objects = object ? this.objects + changed - this.changed : this.objects
    const shadows = this.shadows || base.has(key)
    if (filling === undefined) return this.with(changes, objects, shadows)
    this.changes = changes
    this.changed = changed
    this.objects = objects
    this.shadows = shadows
    return this
  }
  /** Without a key that is there. */
  delete(key: unknown): KeyMap<A> {
    if (isObject(key)) return this.with(HashMap.remove(this.changes, key), this.objects - 1, this.shadows)
    return this.inBase(key) === undefined
      ? this.with(HashMap.remove(this.changes, key), this.objects, this.shadows)
      : this.with(HashMap.set(this.changes, key, undefined), this.objects, true)
  }
  /** A map that `set` changes in place until it is finished; this one stays as it is. */
  begin(additions: number): KeyMap<A> {
    const isLast = this.base.size === this.known && this.base.size > 0
    const next = !isLast && isMuch(additions, this.base.size)
      ? this.folded()
      : this.with(this.changes, this.objects, this.shadows)
    next.filling = { base: next.base !== this.base || isLast && additions > few, start: next.limit }
    next.changes = HashMap.beginMutation(next.changes)
    return next
  }
  finish(): KeyMap<A> {
    return this.with(HashMap.endMutation(this.changes), this.objects, this.shadows)
  }
  /** Drops a value that a later version appended to the base. That was given up, and nobody has seen it. */
  forget(key: unknown, id: number): void {
    if (this.base.get(key)?.id === id) this.base.delete(key)
  }
  /** The same after so many keys were removed: without what the base keeps of them, where that costs little. */
  tidy(removed: number): KeyMap<A> {
    return this.keepsGarbage && this.base.size <= Math.min(16 * removed, 100_000) ? this.folded() : this
  }
  /** Whether the base has a value that is none of this version. */
  private get keepsGarbage(): boolean {
    return this.shadows || this.base.size !== this.known
  }
  private with(changes: Changes<A>, objects: number, shadows: boolean): KeyMap<A> {
    const { base, known, limit } = this
    const next = new KeyMap(base, limit, known, changes, objects, shadows, this.age + 1)
    if (isMuch(next.changed - objects, base.size)) return next.folded()
    // what is gone is kept by the base no longer than it takes to pay for a new one
    return next.keepsGarbage && (base.size <= 2 * few && shadows || isMuch(next.age, base.size)) ? next.folded() : next
  }
  /** The same with a new base that holds the changes. */
  private folded(): KeyMap<A> {
    const base = new Map(this.base)
    if (base.size > this.known) base.forEach((value, key) => value.id >= this.limit && base.delete(key))
    let { limit } = this
    let objects: Changes<A> = HashMap.empty()
    for (const [key, value] of this.changes) {
      if (isObject(key)) objects = HashMap.set(objects, key, value)
      else if (value === undefined) base.delete(key)
      else base.set(key, value)
      if (value !== undefined) limit = Math.max(limit, value.id + 1)
    }
    return new KeyMap(base, limit, base.size, objects, this.objects, false, 0)
  }
}

const few = 32

/** A new base is paid for by the changes that led to it. */
const isMuch = (changes: number, size: number): boolean => changes > few && changes > size >>> 2
