/** Faults in `src/internal/shared/writing.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a transaction that looked is made again",
    find: "transaction.looked || changes.simple === undefined",
    replace: "changes.simple === undefined",
    caught: { file: "shared.test.ts", title: "runs one that looked again, and gives it up at last" }
  },
  {
    name: "the invariant is not asked again after others were first",
    find: "if (word !== undefined) {",
    replace: "if (word === undefined) {",
    caught: { file: "sharedAmendments.test.ts", title: "asks the invariant again after others were first" }
  },
  {
    name: "what others took out is forgotten where a change is given up",
    find: "for (const one of undo.toReversed()) one()",
    replace: "",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "where an item with the same key comes first, and this process registers something"
    }
  },
  {
    name: "a newer version of defaults is not written where nothing differs",
    find: "return kind === \"refresh\" && draft.populated && this.state.fold.version < this.state.settings.version",
    replace: "return false",
    caught: { file: "shared.test.ts", title: "of a higher version that are the same are run once" }
  }
]
