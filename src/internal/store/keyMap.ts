/** A persistent map by the keys of indexes: primitives, and objects in a `Key`. */
import * as HashMap from "effect/HashMap"
import { isObject } from "./entry.ts"

/** A value that is put in after another has a higher id. */
interface Identified {
  readonly id: number
}

/** What a map hands on to the next that has the same base. */
interface Version<out A> {
  /** The id from which on a value of the base belongs to later versions. */
  readonly limit: number
  /** How many keys the base had, all of them for this version, before a later one appended to it. */
  readonly known: number
  readonly changes: HashMap.HashMap<unknown, A | undefined>
  /** How many of the changes have a key that is an object. */
  readonly objects: number
  /** Whether a key of the base may be among the changes: then the base keeps a value that is gone. */
  readonly shadows: boolean
  /** How many versions have come since the base was made. */
  readonly age: number
}

/** Before the first version. */
const blank: Version<never> = {
  limit: 0,
  known: 0,
  changes: /*#__PURE__*/ HashMap.empty(),
  objects: 0,
  shadows: false,
  age: -1
}

/**
 * Most of a registry is there from the start or comes in lists, and is read far more often than it changes. So this is a
 * native `Map`, which is several times faster than a `HashMap`, and whose hashes nobody can make collide; and a `HashMap`
 * of the changes since. When they are many, both become a new `Map`.
 *
 * Versions share one base `Map`. The newest may append a list to it: older versions ignore values whose id is not below
 * their own `limit`. What is in the base for a version never changes.
 *
 * A `Map` compares objects by reference, so a `Key` is always among the changes.
 */
export class KeyMap<A extends Identified> implements Version<A> {
  static empty<A extends Identified>(): KeyMap<A> {
    return new KeyMap(new Map())
  }

  declare private readonly base: Map<unknown, A>
  declare limit: number
  declare known: number
  declare changes: HashMap.HashMap<unknown, A | undefined>
  declare objects: number
  declare shadows: boolean
  declare readonly age: number
  /** While a list is put in: where, and the id from which on a value is of it. */
  declare private filling: { readonly base: boolean; readonly start: number } | undefined

  private constructor(base: Map<unknown, A>, from: Version<A> = blank) {
    this.base = base
    this.limit = from.limit
    this.known = from.known
    this.changes = from.changes
    this.objects = from.objects
    this.shadows = from.shadows
    this.age = from.age + 1
    this.filling = undefined
  }

  get(key: unknown): A | undefined {
    if (!this.shadows) {
      const value = this.inBase(key)
      if (value !== undefined || HashMap.size(this.changes) === 0) return value
    }
    const change = HashMap.get(this.changes, key)
    return change._tag === "Some" ? change.value : this.inBase(key)
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
    const next = filling === undefined ? new KeyMap(base, this) : this
    const before = HashMap.size(this.changes)
    next.changes = HashMap.set(this.changes, key, value)
    if (object) next.objects += HashMap.size(next.changes) - before
    next.shadows ||= base.has(key)
    return filling === undefined ? next.settled() : next
  }
  /** Without a key that has a value. */
  delete(key: unknown, value = this.get(key)): KeyMap<A> {
    const next = new KeyMap(this.base, this)
    if (this.inBase(key) !== undefined) {
      next.changes = HashMap.set(this.changes, key, undefined)
      next.shadows = true
    } else if (isObject(key)) {
      next.objects--
      next.changes = this.get(key) === value
        ? HashMap.remove(this.changes, key)
        // items that are keys and were changed since may be the same now
        : HashMap.filter(this.changes, (other) => other !== value)
    } else {
      next.changes = HashMap.remove(this.changes, key)
    }
    return next.settled()
  }
  /** A map that `set` changes in place until it is finished; this one stays as it is. */
  begin(additions: number): KeyMap<A> {
    const isLast = this.base.size === this.known && this.base.size > 0
    const next = !isLast && isMuch(additions, this.base.size) ? this.folded() : new KeyMap(this.base, this).settled()
    next.filling = { base: next.base !== this.base || isLast && additions > few, start: next.limit }
    next.changes = HashMap.beginMutation(next.changes)
    return next
  }
  finish(): KeyMap<A> {
    const next = new KeyMap(this.base, this)
    next.changes = HashMap.endMutation(this.changes)
    return next.settled()
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
  /** The same, with a new base when its versions have paid for that. */
  private settled(): KeyMap<A> {
    const { size } = this.base
    return isMuch(HashMap.size(this.changes) - this.objects, size) ||
        this.keepsGarbage && (size <= 2 * few && this.shadows || isMuch(this.age, size))
      ? this.folded()
      : this
  }
  /** The same with a new base that holds the changes. */
  private folded(): KeyMap<A> {
    const base = new Map<unknown, A>()
    this.base.forEach((value, key) => value.id < this.limit && base.set(key, value))
    const next = new KeyMap(base)
    next.limit = this.limit
    next.objects = this.objects
    for (const [key, value] of this.changes) {
      if (isObject(key)) next.changes = HashMap.set(next.changes, key, value)
      else if (value === undefined) base.delete(key)
      else base.set(key, value)
      if (value !== undefined) next.limit = Math.max(next.limit, value.id + 1)
    }
    next.known = base.size
    return next
  }
}

const few = 32

/** A new base is paid for by the changes that led to it. */
const isMuch = (changes: number, size: number): boolean => changes > few && changes > size >>> 2
