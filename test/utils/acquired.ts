/** What is acquired for items, and is not released. */
import { assert } from "@effect/vitest"
import { Effect, type Scope } from "effect"

export class Acquired<Item> {
  private readonly open = new Map<number, Item>()
  private serial = 0

  /** Acquires something for an item, with turns for others before, between and after. It fails for some. */
  readonly unless = (fails: (item: Item) => boolean) => (item: Item): Effect.Effect<void, string, Scope.Scope> =>
    Effect.gen({ self: this }, function*() {
      yield* Effect.yieldNow
      const serial = yield* Effect.acquireRelease(
        Effect.sync(() => {
          this.open.set(++this.serial, item)
          return this.serial
        }),
        (one) =>
          Effect.andThen(
            Effect.yieldNow,
            Effect.sync(() => assert.isTrue(this.open.delete(one), "it is released twice"))
          )
      )
      yield* Effect.yieldNow
      if (fails(item)) return yield* Effect.fail(`no ${serial}`)
    })

  /** What was acquired last for an item, and is not released. */
  newest(item: unknown): number {
    const serials = Array.from(this.open).flatMap(([serial, one]) => one === item ? [serial] : [])
    assert.isNotEmpty(serials, "it is not acquired for what is leased")
    return serials.at(-1)!
  }

  isOpen(serial: number): boolean {
    return this.open.has(serial)
  }

  /** It is acquired once for each of these. */
  equals(items: ReadonlyArray<Item>): void {
    const rest = Array.from(items)
    for (const item of this.open.values()) {
      const at = rest.indexOf(item)
      assert.notStrictEqual(at, -1, "it is acquired for what is not in")
      rest.splice(at, 1)
    }
    assert.deepStrictEqual(rest, [], "it is not acquired for what is in")
  }
}
