/**
 * Hooks that look at what they are told.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Registry } from "effect-registry"
import type { Item } from "./items.ts"

export type Items = Registry.Registry<Item, readonly ["id"], any, any>

/** An effect to run in a call, which is written as `+1` or `-1`. */
export type React = (call: string) => Effect.Effect<unknown>

/** A hook that keeps a set of the items that it was told of, and what was wrong with the calls. */
export class Witness {
  readonly log: Array<string> = []
  /** Two calls for an item that do not alternate, or one inside of another. */
  readonly wrong: Array<string> = []
  /** The calls for items that were not there when they began: those that are played back may be. */
  readonly untrue: Array<string> = []
  readonly known: Set<Item>
  /** What a map has that is kept by `set` and `delete`. */
  private readonly byId: Map<number, Item>
  private readonly inCall = new Set<Item>()
  readonly hooks: {
    readonly [hook in "onItemRegistered" | "onItemUnregistered"]: (item: Item) => Effect.Effect<unknown>
  }

  constructor(registry: () => Items, react: React = () => Effect.void, known: Iterable<Item> = []) {
    this.known = new Set(known)
    this.byId = new Map(Array.from(known, (item) => [item.id, item]))
    const told = (isIn: boolean) => (item: Item) =>
      Effect.gen({ self: this }, function*() {
        const call = `${isIn ? "+" : "-"}${item.id}`
        this.log.push(call)
        if (this.inCall.has(item)) this.wrong.push(`${call} in a call for the same item`)
        if (this.known.has(item) === isIn) this.wrong.push(`${call} again`)
        if (isIn && !(yield* Registry.values(registry())).includes(item)) this.untrue.push(call)
        this.inCall.add(item)
        yield* Effect.ensuring(react(call), Effect.sync(() => this.inCall.delete(item)))
        if (isIn) this.know(item)
        else this.forget(item)
      }).pipe(Effect.orDie)
    this.hooks = { onItemRegistered: told(true), onItemUnregistered: told(false) }
  }

  know(item: Item): void {
    this.known.add(item)
    this.byId.set(item.id, item)
  }

  private forget(item: Item): void {
    this.known.delete(item)
    this.byId.delete(item.id)
  }

  /** In the order of their registration. */
  agreesWith(items: ReadonlyArray<Item>): void {
    assert.deepStrictEqual(this.wrong, [])
    assert.deepStrictEqual(namesOf(items.filter((item) => this.known.has(item))), namesOf(items))
    assert.strictEqual(this.known.size, items.length)
    assert.deepStrictEqual(namesOf(items.filter((item) => this.byId.get(item.id) === item)), namesOf(items))
    assert.strictEqual(this.byId.size, items.length)
  }
}

export const namesOf = (items: Iterable<Item>) => Array.from(items, ({ id, name }) => `${id} ${name}`)
