/** Registering an item in a place among others, and moving one. */
import * as Exit from "effect/Exit"
import type * as RegistryError from "../../RegistryError.ts"
import * as Change from "../engine/change.ts"
import type { Operation } from "../engine/core.ts"
import { entering, mutation } from "../engine/mutation.ts"
import { notFound } from "../operations/find.ts"
import { check, isRefusal } from "../store/check.ts"
import * as Contents from "../store/contents.ts"
import { Entry } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import * as Room from "../store/room.ts"
import * as Update from "../store/update.ts"

type Failure = RegistryError.RegistrationFailure
type ItemLookupError = RegistryError.ItemLookupError

/** A place among the items: at an end, at an index, or next to the item that has a value of a unique lookup. */
export type Position<Attribute, Value> =
  | "first"
  | "last"
  | { readonly at: number }
  | { readonly before: readonly [attribute: Attribute, value: Value] }
  | { readonly after: readonly [attribute: Attribute, value: Value] }

/** The index of a place among all items but the one that moves, and the end or the entry that it is next to. */
interface Place<out Item> {
  readonly index: number
  readonly next: "first" | "last" | { readonly entry: Entry<Item>; readonly side: "before" | "after" }
}

const placeOf = <Item>(
  contents: Contents.Contents<Item>,
  position: Position<string, unknown>,
  moving?: Entry<Item>
): Place<Item> | ItemLookupError => {
  const from = moving === undefined ? Infinity : Order.rank(contents.order, moving.position)
  const most = contents.size - (moving === undefined ? 0 : 1)
  if (position === "first") return { index: 0, next: "first" }
  if (position === "last") return { index: most, next: "last" }
  if ("at" in position) {
    const at = Math.trunc(position.at) || 0
    const index = Math.min(Math.max(at < 0 ? most + 1 + at : at, 0), most)
    const entry = index === most ? undefined : Contents.at(contents, index < from ? index : index + 1)
    return { index, next: entry === undefined ? "last" : { entry, side: "before" } }
  }
  const side = "before" in position ? "before" : "after"
  const [attribute, value] = "before" in position ? position.before : position.after
  const entry = Contents.get(contents, attribute, value)
  if (entry === undefined) return notFound(contents, attribute, value)
  if (entry === moving) return { index: from, next: "last" }
  const rank = Order.rank(contents.order, entry.position)
  return { index: (side === "after" ? rank + 1 : rank) - (from < rank ? 1 : 0), next: { entry, side } }
}

const gapOf = <Item>(contents: Contents.Contents<Item>, { next }: Place<Item>): Room.Gap => {
  if (next === "first") return Room.first(contents)
  if (next === "last") return Room.last(contents)
  const { entry: { position }, side } = next
  return side === "before" ? Room.gapBefore(contents, position) : Room.gapAfter(contents, position)
}

export const insert = <Item, P, V>(
  item: Item,
  position: Position<string, unknown>
): Operation<Item, P, V, Entry<Item> | undefined, Failure | ItemLookupError | V | P> =>
  mutation<Item, P, V, Entry<Item> | undefined, Failure | ItemLookupError, V>(
    "insert",
    item,
    undefined,
    (transaction) => {
      const { draft, origin, steps } = transaction
      const keys = check(draft, item)
      if (isRefusal(keys)) return Exit.fail(keys)
      const place = placeOf(draft, position)
      if (!("index" in place)) return Exit.fail(place)
      return Exit.succeed({
        moves: () => [{ entering: entering(transaction, item), leaving: [] }],
        apply: () => {
          const contents = new Contents.Contents(draft)
          const room = Room.makeRoom(contents, gapOf(draft, place))
          const added = new Entry(item, keys, origin, { position: room.position })
          Update.put(contents, added)
          if (room.after.length > 0) steps.push(new Change.Moved(room.before, room.after))
          if (Contents.holds(contents, added)) {
            steps.push(new Change.Inserted([added], place.index, transaction.reason))
          }
          transaction.draft = contents
          return added
        }
      })
    }
  )

export const move = <Item, P, V>(
  attribute: string,
  value: unknown,
  position: Position<string, unknown>
): Operation<Item, P, V, void, ItemLookupError | P> => ({
  ...mutation<Item, P, V, void, ItemLookupError, never>("move", undefined, undefined, (transaction) => {
    const { draft, steps } = transaction
    const previous = Contents.get(draft, attribute, value)
    if (previous === undefined) return Exit.fail(notFound(draft, attribute, value))
    const from = Order.rank(draft.order, previous.position)
    const place = placeOf(draft, position, previous)
    if (!("index" in place)) return Exit.fail(place)
    return Exit.succeed({
      moves: () => [],
      apply: () => {
        if (place.index === from) return
        const contents = new Contents.Contents(draft)
        const { after, before } = Room.moveInto(contents, previous, gapOf(draft, place))
        steps.push(new Change.Moved(before, after, { item: previous.item, from, position: place.index }))
        transaction.draft = contents
      }
    })
  }),
  value
})
