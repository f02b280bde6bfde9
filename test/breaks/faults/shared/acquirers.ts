/** Faults in `src/internal/shared/acquirers.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "who asks for an item waits for what is acquired for another one in its place",
    find: "if (running?.item === entry.item) return Deferred.await(running.done)",
    replace: "if (running !== undefined) return Deferred.await(running.done)",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "an item that takes the place of one that is being acquired is acquired, too, and the other is released"
    }
  },
  {
    name: "what was acquired for an item that has gone meanwhile is kept",
    find: "if (core.closed || held.has(registration) || !isIn(contentsOf(core), registration, item)) return release",
    replace: "",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "an item that takes the place of one that is being acquired is acquired, too, and the other is released"
    }
  },
  {
    name: "the next lease does not try again",
    find: "return this.isNeeded && acquisitionOf(this.state.core, entry) === undefined ? this.now(entry) : undefined",
    replace: "return undefined",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "one that fails there fails the lease, which tries again; what was acquired is released when the item goes"
    }
  }
]
