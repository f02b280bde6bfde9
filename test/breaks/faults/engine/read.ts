/** Faults in `src/internal/engine/read.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "readers outside see the draft of the transaction in flight",
    find: "const seen = transaction === undefined ? contentsOf(core) : transaction.draft",
    replace:
      "const seen = (transaction ?? (core.lock.holder as Transaction<Item> | undefined))?.draft ?? contentsOf(core)",
    caught: {
      file: "locking.test.ts",
      title: "G15 readers are not blocked by a writer whose hook sleeps, and see the published"
    }
  },
  {
    name: "readers inside see what is published",
    find: "const seen = transaction === undefined ? contentsOf(core) : transaction.draft",
    replace: "const seen = contentsOf(core)",
    caught: {
      file: "locking.test.ts",
      title: "G14 a hook, its children and a transact body do anything to the registry"
    }
  },
  {
    name: "a fiber that outlives a transaction still reads its draft",
    find: " && node.core === core && node.state !== \"closed\") return node",
    replace: " && node.core === core) return node",
    caught: {
      file: "caught.test.ts",
      title: "G7 a fiber that outlives its transaction reads the published contents while"
    }
  },
  {
    name: "a fiber that waited for a population does not look again",
    find: ": Effect.flatMap(core.populate, () => this)",
    replace: ": Effect.flatMap(core.populate, () => this.answer(contentsOf(core), this.x, this.y))",
    caught: { file: "population.test.ts", title: "G17 under schedules, resets race registers and reads" }
  }
]
