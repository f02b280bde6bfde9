/** Bringing registrations into the order of a list, with the fewest moves. */
import type { Reason } from "../../RegistryEvent.ts"
import * as Change from "../engine/change.ts"
import type { Pausing } from "../engine/sequence.ts"
import { each } from "../operations/register.ts"
import * as Contents from "../store/contents.ts"
import type { Keys } from "../store/definition.ts"
import { Entry, type Origin } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import * as Room from "../store/room.ts"
import * as Update from "../store/update.ts"

/** An item that was checked, and comes with a place. */
export interface Addition<out Item> {
  readonly item: Item
  readonly keys: Keys
}

/** Whether the registrations of a list stand in its order, and no addition comes before one. */
export const isArranged = function*<Item>(
  contents: Contents.Contents<Item>,
  list: ReadonlyArray<number | undefined>
): Pausing<boolean> {
  let last = -Infinity
  const misplaced = yield* each(list, (registration) => {
    const before = last
    if (registration === undefined) last = Infinity
    else last = Contents.current(contents, registration)?.position ?? last
    return registration !== undefined && last <= before ? registration : undefined
  })
  return misplaced === undefined
}

interface Arranged<Item> {
  readonly contents: Contents.Contents<Item>
  readonly steps: ReadonlyArray<Change.Step<Item>>
  /** The items that were seen to move, in the order of the list. */
  readonly moved: ReadonlyArray<Item>
}

/**
 * The registrations of a list permute their places, and all others stay. An addition goes before the next registration of
 * the list, and after all that there is where none comes.
 */
export const arrange = function*<Item>(
  start: Contents.Contents<Item>,
  list: ReadonlyArray<number | Addition<Item>>,
  origin: Origin,
  reason: Reason
): Pausing<Arranged<Item>> {
  let contents = start
  const steps: Array<Change.Step<Item>> = []
  const moved: Array<Item> = []
  const listed = new Set(list)
  const final = yield* finalOrder(contents, list, listed)
  const stays = yield* longestRun(contents, final, listed)
  let last: number | undefined
  yield* each(final, (one) => {
    if (typeof one === "number" && stays.has(one)) {
      last = one
      return
    }
    const before = last === undefined ? undefined : Contents.current(contents, last)
    const gap = before === undefined ? Room.first(contents) : Room.gapAfter(contents, before.position)
    const next = new Contents.Contents(contents)
    if (typeof one === "number") {
      last = one
      const entry = Contents.current(contents, one)
      // it may stand there already, when others have moved
      if (entry === undefined || entry.position === gap.high) return
      const isVisible = Contents.holds(contents, entry)
      const from = Order.rank(contents.order, entry.position)
      const { after, before: previous, entry: now } = Room.moveInto(next, entry, gap)
      const position = Order.rank(next.order, now.position)
      const move = isVisible && from !== position ? { item: entry.item, from, position } : undefined
      if (after.length > 0) steps.push(new Change.Moved(previous, after, move))
      if (move !== undefined) moved.push(entry.item)
    } else {
      const { after, before: previous, position } = Room.makeRoom(next, gap)
      const added = new Entry(one.item, one.keys, origin, { position })
      Update.put(next, added)
      if (after.length > 0) steps.push(new Change.Moved(previous, after))
      if (Contents.holds(next, added)) {
        steps.push(new Change.Inserted([added], Order.rank(next.order, added.position), reason))
      }
      last = added.registration
    }
    contents = next
  })
  return { contents, steps, moved }
}

/** All registrations, and the additions, as they are to stand. */
const finalOrder = function*<Item>(
  contents: Contents.Contents<Item>,
  list: ReadonlyArray<number | Addition<Item>>,
  listed: ReadonlySet<number | Addition<Item>>
): Pausing<ReadonlyArray<number | Addition<Item>>> {
  const final: Array<number | Addition<Item>> = []
  let from = 0
  yield* each(Contents.allEntries(contents), ({ registration }) => {
    if (!listed.has(registration)) {
      final.push(registration)
      return
    }
    while (typeof list[from] === "object") final.push(list[from++]!)
    final.push(list[from++]!)
  })
  yield* each(list.slice(from), (one) => {
    final.push(one)
  })
  return final
}

/** Registrations that stand in their order. */
interface Run {
  readonly registration: number
  /** That of the last one. */
  readonly position: number
  readonly before: Run | undefined
}

/** Those that need not move: all that are not listed, and of the others as many as can. */
const longestRun = function*<Item>(
  contents: Contents.Contents<Item>,
  final: ReadonlyArray<number | Addition<Item>>,
  listed: ReadonlySet<number | Addition<Item>>
): Pausing<ReadonlySet<number>> {
  const stays = new Set<number>()
  // since the last one that is not listed: by length, the run that ends first
  let runs: Array<Run> = []
  let least = -Infinity
  const lengthBelow = (position: number): number => {
    let low = 0
    let high = runs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (runs[middle]!.position < position) low = middle + 1
      else high = middle
    }
    return low
  }
  const take = (length: number): void => {
    for (let run = runs[length - 1]; run !== undefined; run = run.before) stays.add(run.registration)
    runs = []
  }
  yield* each(final, (registration) => {
    if (typeof registration !== "number") return
    const position = Contents.current(contents, registration)?.position ?? least
    const length = lengthBelow(position)
    if (!listed.has(registration)) {
      take(length)
      stays.add(registration)
      least = position
    } else if (position > least) {
      runs[length] = { registration, position, before: runs[length - 1] }
    }
  })
  take(runs.length)
  return stays
}
