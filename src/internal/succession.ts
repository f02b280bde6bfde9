/**
 * A registry that was loaded late becomes another one, if that is what its layer provides: from one step on both names
 * are one, and what it had belongs to the other.
 *
 * It holds nothing before. So whatever captured it finds it `Pending`, and looks there whether it has a successor: what
 * is `Ready` never has one.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Core, Transaction } from "./core.ts"
import type * as Hooks from "./hooks.ts"
import { installIn } from "./installing.ts"
import { readPublished } from "./reading.ts"
import { run } from "./transaction.ts"

/**
 * Hands over in the transaction of the import. The successor is populated before, and the hooks of the registry are told
 * what is in there; if that fails, the registry is as it was. `settled` is called in the step that does it.
 *
 * @internal
 */
export const handOver = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  provided: Core<Item, P, V>,
  settled: (successor: Core<Item, P, V>) => void
): Effect.Effect<void, P> => {
  const registry = transaction.core
  const settle = (successor: Core<Item, P, V>, told: ReadonlyArray<Hooks.Part<Item, V>>): void => {
    registry.successor = { core: successor, settled: true }
    // while they were told, others may have come or gone
    const parts = registry.hooks.filter(({ state }) => state === "installed")
    successor.hooks = successor.hooks.filter((part) => !told.includes(part)).concat(parts)
    successor.observer ??= registry.observer
    registry.watchers.moveTo(successor.watchers)
    registry.watchers = successor.watchers
    settled(successor)
    successor.observer?.changed()
  }
  const wasUsed = () => transaction.draft !== transaction.base || transaction.busy
  return readPublished(provided, (_, successor) => {
    if (wasUsed()) return Effect.die(used(transaction))
    let told: ReadonlyArray<Hooks.Part<Item, V>> = []
    if (registry.hooks.length === 0) {
      settle(successor, told)
      return Effect.void
    }
    const telling = run(successor, {
      name: "import",
      body: (inner) => {
        if (wasUsed()) return Effect.die(used(transaction))
        // what they do to the registry, they do to its successor
        registry.successor = { core: successor, settled: false }
        told = registry.hooks
        return installIn(inner, told)
      },
      undone: () => Effect.void,
      committed: () => {
        settle(successor, told)
        return Effect.void
      },
      failed: () => {
        successor.hooks = successor.hooks.filter((part) => !told.includes(part))
      }
    })
    return Effect.onExitPrimitive(telling, () => {
      if (registry.successor?.settled === false) registry.successor = undefined
      return undefined
    })
  })
}

const used = ({ name }: Transaction<any>): Error =>
  new Error(
    `The layer that was imported for "${name}" provides another registry, and changes this one while it is built: ` +
      "use the one that it provides."
  )
