/** Faults in `src/internal/features/told.ts`. */
import type { Break } from "../../break.ts"

const snapshot = {
  file: "told.test.ts",
  title: "is what was published with it, for every kind of change, read the first"
}

export const faults: ReadonlyArray<Break> = [
  {
    name: "an item that came after a change is in its snapshot",
    find: "return step.entries.forEach((entry) => unshow(contents, entry))",
    replace: "return",
    caught: snapshot
  },
  {
    name: "an item that went after a change is not in its snapshot",
    find: "return step.entries.forEach((entry) => show(contents, entry))",
    replace: "return",
    caught: snapshot
  },
  {
    name: "the snapshot of a change has an item that replaced another after it",
    find: "      unshow(contents, step.entry)\n      return show(contents, step.previous)",
    replace: "      return",
    caught: snapshot
  },
  {
    name: "the steps of a later change are taken back in the order in which they were taken",
    find: "for (const step of steps.toReversed()) takeBack",
    replace: "for (const step of steps) takeBack",
    caught: snapshot
  },
  {
    name: "the snapshot of a change hides what a later one hides",
    find: "const contents = copy(after, { populated, revision, withheld })",
    replace: "const contents = copy(after, { populated, revision })",
    caught: snapshot
  },
  {
    name: "the snapshot of a reset is populated",
    find: "const contents = copy(after, { populated, revision, withheld })",
    replace: "const contents = copy(after, { revision, withheld })",
    caught: snapshot
  },
  {
    name: "a snapshot that was found is not kept for the changes before it",
    find: "    earlier.after = contents\n",
    replace: "",
    caught: { file: "told.test.ts", title: "for a subscriber that follows, however late it is read" }
  },
  {
    name: "a registry keeps the changes that subscribers were given",
    find: "change.told = new WeakRef(one)",
    replace: "change.told = { deref: () => one } as any",
    caught: { file: "told.test.ts", title: "nothing where nobody subscribes, or nobody keeps a change" }
  },
  {
    name: "each subscriber is given a change of its own",
    find: "    if (shared instanceof Told) told.push(shared)\n    else {",
    replace: "    if (shared === null) told.push(shared)\n    else {",
    caught: { file: "watching.test.ts", title: "all subscribers share one change object" }
  }
]
