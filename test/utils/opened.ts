/**
 * What an `acquire` hook has opened.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { Item } from "./items.ts"

/** Counts what is open: every acquisition is released exactly once. Both acquiring and releasing yield. */
export class Opened {
  readonly log: Array<string> = []
  readonly open = new Map<number, Item>()
  acquired = 0
  released = 0
  /** The ids that cannot be acquired. */
  readonly failing = new Set<number>()
  private serial = 0

  readonly acquire = (item: Item) =>
    Effect.gen({ self: this }, function*() {
      yield* Effect.yieldNow
      if (this.failing.has(item.id)) return yield* Effect.fail(`no ${item.id}`)
      return yield* Effect.acquireRelease(
        Effect.sync(() => {
          this.acquired++
          this.log.push(`+${item.name}`)
          this.open.set(++this.serial, item)
          return this.serial
        }),
        (serial) =>
          Effect.andThen(
            Effect.yieldNow,
            Effect.sync(() => {
              assert.isTrue(this.open.delete(serial), `${item.name} is released twice`)
              this.released++
              this.log.push(`-${item.name}`)
            })
          )
      )
    })

  get names(): ReadonlyArray<string> {
    return Array.from(this.open.values(), ({ name }) => name).toSorted()
  }
}
