/** Faults in `src/internal/features/watch.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "subscribers run in the step that publishes",
    find: "Fiber.getCurrent()!.currentDispatcher.scheduleTask(() => waiting.forEach((wake) => wake()), 0)",
    replace: "if (Fiber.getCurrent() !== undefined) waiting.forEach((wake) => wake())",
    caught: { file: "watching.test.ts", title: "G22 no subscriber runs in the step that publishes" }
  },
  {
    name: "a follower that waits for a change does not look whether there was one",
    find: "      if (isThere()) {",
    replace: "      if (isThere === undefined) {",
    caught: { file: "watching.test.ts", title: "never misses an item, in any schedule of several waiters and writers" }
  },
  {
    name: "a follower that was interrupted still waits for a change",
    find: "      return Effect.sync(forget)\n",
    replace: "",
    caught: { file: "watching.test.ts", title: "interrupted at any step it leaves nothing" }
  },
  {
    name: "a subscription whose scope has closed goes on",
    find: "    subscriber.ended = true\n",
    replace: "",
    caught: { file: "watching.test.ts", title: "its stream ends with its scope" }
  },
  {
    name: "a subscriber that has fallen behind is not told",
    find: "    if (missed > 0) {",
    replace: "    if (missed > 1_000_000) {",
    caught: {
      file: "watching.test.ts",
      title: "G23 a subscriber that stands still blocks no other, lags, and can subscribe"
    }
  },
  {
    name: "a subscription begins where its stream is run",
    find: "  let seen = revision\n",
    replace: "  let seen = revisionOf(core)\n",
    caught: {
      file: "watching.test.ts",
      title: "PITFALL 35 the subscription begins when subscribe returns, not at the first"
    }
  },
  {
    name: "a revision that never was is taken for one",
    find: "const wasThere = Number.isInteger(revision) && revision <= last",
    replace: "const wasThere = revision <= last",
    caught: {
      file: "watching.test.ts",
      title: "G23 since a revision that is no longer kept, or never existed, lags at once"
    }
  },
  {
    name: "a follower that resumes may go back to changes that are about to go",
    find: "Math.min(core.changes.length, core.history)",
    replace: "core.changes.length",
    caught: { file: "watching.test.ts", title: "G23 exactly as many changes as the history holds can be read again" }
  },
  {
    name: "it is not measured that a follower has seen everything",
    find: "    subscriber.seen = seen = last\n    core.observer?.changed()\n",
    replace: "    subscriber.seen = seen = last\n",
    caught: { file: "lag.test.ts", title: "G23 it is none where the only follower has seen everything" }
  },
  {
    name: "the lag is not counted from what a follower was given",
    find: "subscriber.seen = seen = last",
    replace: "seen = last",
    caught: { file: "lag.test.ts", title: "G23 it counts the changes after the last one that the follower was given" }
  },
  {
    name: "a follower that was given less than there is has no lag",
    find: "subscriber.seen = seen = last",
    replace: "seen = last\n    subscriber.seen = Number.POSITIVE_INFINITY",
    caught: { file: "lag.test.ts", title: "G23 it counts the changes after the last one that the follower was given" }
  },
  {
    name: "a fiber that waits for an item is given one that another has not published yet",
    find: "    const found = question(contents, transaction)\n    if (found",
    replace: "    const found = question((core.lock.holder as any)?.draft ?? contents, transaction)\n    if (found",
    caught: { file: "linearizability.test.ts", title: "G7 G8 awaitItem gets only a published item" }
  },
  {
    name: "a fiber that waits in a transaction for its own change waits for ever",
    find: "if (transaction !== undefined) return Exit.die(waitsForItself(",
    replace: "if (transaction === null) return Exit.die(waitsForItself(",
    caught: {
      file: "watching.test.ts",
      title: "inside a transaction, its children, hooks, a population or transactAll it"
    }
  },
  {
    name: "a stream that waits when the registry ends is interrupted",
    find: "core.closed ? ended : asking",
    replace: "asking",
    caught: { file: "snapshots.test.ts", title: "G26 end with the registry" }
  },
  {
    name: "a stream that is pulled when the registry has ended is interrupted",
    find: "last !== undefined && core.closed ? Cause.done() : Effect.map(next,",
    replace: "Effect.map(next,",
    caught: { file: "snapshots.test.ts", title: "G26 end with the registry" }
  },
  {
    name: "a stream of answers begins with the next change",
    find: "    let last: A | undefined\n",
    replace: "    let last: A | undefined = question(contentsOf(core), undefined)\n",
    caught: { file: "snapshots.test.ts", title: "are what the registry holds now" }
  },
  {
    name: "a snapshot of a draft is not known to be kept",
    find: "        transaction?.see()\n        return contents\n",
    replace: "        return contents\n",
    caught: { file: "drafts.test.ts", title: "in a transaction, by snapshots, finds all its items" }
  }
]
