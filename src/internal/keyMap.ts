/**
 * A persistent map by keys that are compared by `Equal`.
 *
 * @internal
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { isObject } from "./identity.ts"

type Changes<A> = HashMap.HashMap<unknown, A | undefined>

/**
 * Most of a registry is there from the start, and is read far more often than it changes. So this is a native `Map`, which
 * is several times faster than a `HashMap`, and whose hashes nobody can make collide, and which nobody changes once it can
 * be seen; and what has been put into it and taken from it since. When that is much, both become a new `Map`.
 *
 * A `Map` compares objects by reference, where keys are compared by `Equal`: an object is always among the changes.
 *
 * @internal
 */
export class KeyMap<A> {
  static empty<A>(): KeyMap<A> {
    return new KeyMap<A>(new Map(), HashMap.empty(), 0, "nothing")
  }

  private readonly base: Map<unknown, A>
  private readonly filling: "nothing" | "base" | "changes"
  private changes: Changes<A>
  /** The number of changes, and how many of them are objects. */
  private changed: number
  private objects: number

  private constructor(
    base: Map<unknown, A>,
    changes: Changes<A>,
    objects: number,
    filling: "nothing" | "base" | "changes"
  ) {
    this.base = base
    this.filling = filling
    this.changes = changes
    this.changed = HashMap.size(changes)
    this.objects = objects
  }

  get(key: unknown): A | undefined {
    if (this.changed > 0) {
      const change = HashMap.get(this.changes, key)
      if (Option.isSome(change)) return change.value
    }
    return this.base.get(key)
  }
  *keys(): Iterable<unknown> {
    for (const key of this.base.keys()) if (!HashMap.has(this.changes, key)) yield key
    for (const [key, value] of this.changes) if (value !== undefined) yield key
  }
  set(key: unknown, value: A): KeyMap<A> {
    const object = isObject(key)
    if (this.filling === "base" && !object) {
      this.base.set(key, value)
      return this
    }
    const changes = HashMap.set(this.changes, key, value)
    const changed = HashMap.size(changes)
    // an object may be there already
    const objects = object ? this.objects + changed - this.changed : this.objects
    if (this.filling === "nothing") return this.with(changes, objects)
    this.changes = changes
    this.changed = changed
    this.objects = objects
    return this
  }
  /** Without a key that is there. */
  delete(key: unknown): KeyMap<A> {
    if (isObject(key)) return this.with(HashMap.remove(this.changes, key), this.objects - 1)
    const changes = this.base.has(key)
      ? HashMap.set(this.changes, key, undefined)
      : HashMap.remove(this.changes, key)
    return this.with(changes, this.objects)
  }
  /** A map that `set` changes in place until it is finished; this one stays as it is. */
  begin(additions: number): KeyMap<A> {
    return isMuch(additions, this.base.size)
      ? this.folded("base")
      : new KeyMap(this.base, HashMap.beginMutation(this.changes), this.objects, "changes")
  }
  finish(): KeyMap<A> {
    return this.with(HashMap.endMutation(this.changes), this.objects)
  }
  private with(changes: Changes<A>, objects: number): KeyMap<A> {
    const next = new KeyMap(this.base, changes, objects, "nothing")
    return isMuch(next.changed - objects, this.base.size) ? next.folded("nothing") : next
  }
  /** The same with a new base that holds the changes. */
  private folded(filling: "nothing" | "base"): KeyMap<A> {
    const base = new Map(this.base)
    let objects: Changes<A> = HashMap.empty()
    for (const [key, value] of this.changes) {
      if (isObject(key)) objects = HashMap.set(objects, key, value)
      else if (value === undefined) base.delete(key)
      else base.set(key, value)
    }
    return new KeyMap(base, objects, this.objects, filling)
  }
}

/** A new base is paid for by the changes that led to it. */
const isMuch = (changes: number, size: number): boolean => changes > 32 && changes > size >>> 2
