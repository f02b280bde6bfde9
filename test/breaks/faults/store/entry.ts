/** Faults in `src/internal/store/entry.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "an item that is no number is not the same as itself",
    find: "one === other || Number.isNaN(one) && Number.isNaN(other)",
    replace: "one === other",
    caught: {
      file: "lastWord.test.ts",
      title: "NaN is brought back by a hook that is told that it went: calls alternate"
    }
  },
  {
    name: "an item that replaces an override is not an override",
    find: "new Origin(this.owner, this.revision, this.onTop, this.scope, { by: owner, revision }, first",
    replace: "new Origin(this.owner, this.revision, false, this.scope, { by: owner, revision }, first",
    caught: {
      file: "override.test.ts",
      title: "the replacement of an override is an override, which hides only items that it"
    }
  }
]
