/** Faults in `src/internal/operations/upkeep.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "the items of a scope that closed come back when the transaction around it fails",
    find: "transaction.redoAfterRollback = transaction.redoAfterRollback.concat(again)",
    replace: "transaction.redoAfterRollback = transaction.redoAfterRollback.concat(again).slice(0, -1)",
    caught: {
      file: "scopes.test.ts",
      title: "G25 a scope that closes in a transaction that then fails: its items stay removed"
    }
  },
  {
    name: "a scope takes out of a registry that is at work without looking",
    find: "core.lock.holder === undefined && !isDue(contentsOf(core))",
    replace: "!isDue(contentsOf(core))",
    caught: {
      file: "caught.test.ts",
      title: "G25 a scope that closes inside the transaction removes the items that it"
    }
  },
  {
    name: "what hooks die of at the end of a scope that closes is swallowed",
    find: "Effect.mapEager(change(transaction), () => transaction)",
    replace: "Effect.mapEager(change(transaction), () => ({ defects: transaction.defects }))",
    caught: {
      file: "lastWord.test.ts",
      title: "a hook that dies in the last word of a scope that closes stops nothing: the close dies of it"
    }
  }
]
