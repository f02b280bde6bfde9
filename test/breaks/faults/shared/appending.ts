/** Faults in `src/internal/shared/appending.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "an acknowledgement is believed though something may lie between",
    find: "cursor?.revision === after.revision + 1 && !isUnknown",
    replace: "cursor !== undefined && !isUnknown",
    caught: {
      file: "shared.test.ts",
      title: "takes the first of several records that an engine has let in for one place"
    }
  },
  {
    name: "a record that was found is acknowledged at once",
    find: "cursor !== undefined && !isUnknown || (yield* confirm(contact, writing, found))",
    replace: "true",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "a record that was found, and not answered, is acknowledged after a later one that is"
    }
  },
  {
    name: "a place that was cut is a conflict",
    find:
      "return { _tag: \"Failed\", code: \"unknown_outcome\", cause: new Error(\"The log was cut, or set back.\") } as const",
    replace: "return { _tag: \"Taken\", records } as const",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "an answer that was lost, and a place that was cut since, is an unknown outcome"
    }
  }
]
