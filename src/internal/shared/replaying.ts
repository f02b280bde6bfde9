/** Making the change of a transaction again, to other contents than it began with. */
import type { Step } from "../engine/change.ts"
import * as Change from "../engine/change.ts"
import type { Transaction } from "../engine/core.ts"
import { check, isRefusal } from "../store/check.ts"
import { Contents, holds } from "../store/contents.ts"
import { Entry } from "../store/entry.ts"
import * as Order from "../store/order.ts"
import * as Update from "../store/update.ts"
import type { Simple } from "./journal.ts"

/**
 * The same change; nothing if it is another one there. Every item that comes must pass the checks, each that goes or is
 * replaced must still be that one, and nothing else may be hidden or revealed: then hooks were told the truth.
 */
export const replay = <Item>(
  { base, owner, reason, steps: told }: Transaction<Item>,
  { inserted, removed, replaced }: Simple<Item>,
  now: Contents<Item>,
  revision: number
): { readonly contents: Contents<Item>; readonly steps: Array<Step<Item>> } | undefined => {
  if (now.populated !== base.populated) return undefined
  const steps: Array<Step<Item>> = []
  let contents = now
  for (const entry of removed.toReversed()) {
    if (!holds(contents, entry)) return undefined
    const positions = [Order.rank(contents.order, entry.position)]
    const without = Update.remove(contents, entry)
    if (without.revealed.length > 0) return undefined
    contents = without.contents
    const isIt = ({ registration }: Entry<Item>) => registration === entry.registration
    const step = told.find((one) => one instanceof Change.Removed && one.entries.some(isIt))
    const known = step instanceof Change.Removed ? step : { by: owner, reason: "unregister" as const }
    steps.push(new Change.Removed([entry], positions, known.by, known.reason))
  }
  for (const [before, { item, origin }] of replaced) {
    if (!holds(contents, before)) return undefined
    const keys = check(contents, item, before)
    if (isRefusal(keys)) return undefined
    const swapped = Update.replace(contents, before, item, keys, origin)
    if (swapped.revealed.length > 0 || !holds(swapped.contents, swapped.added)) return undefined
    contents = swapped.contents
    steps.push(new Change.Swapped(before, swapped.added, Order.rank(contents.order, swapped.added.position)))
  }
  for (const { item, origin, registration } of inserted) {
    const keys = check(contents, item)
    if (isRefusal(keys)) return undefined
    const entry = new Entry(item, keys, origin.backAt(revision), { registration })
    const next = new Contents(contents)
    Update.put(next, entry)
    if (!holds(next, entry)) return undefined
    contents = next
    steps.push(new Change.Inserted([entry], Order.rank(contents.order, entry.position), reason))
  }
  return { contents, steps }
}
