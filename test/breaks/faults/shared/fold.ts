/** Faults in `src/internal/shared/fold.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a reset forgets what sessions hold",
    find: "if (held.session === undefined) remove(one, \"remove\")",
    replace: "if (held.session !== \"\") remove(one, \"remove\")",
    caught: { file: "sharedAmendments.test.ts", title: "a reset keeps what open scopes of all processes hold" }
  },
  {
    name: "a checkpoint forgets the sessions",
    find: "    refill(fold.sessions, sessions)\n",
    replace: "",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "a checkpoint and the records after it give what all records give"
    }
  },
  {
    name: "the end of a session keeps its rules",
    find: "        for (const [one, { session }] of this.rules) if (session === op[1]) this.rules.delete(one)\n",
    replace: "",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "a rule of a process that was killed ends, though it held no item"
    }
  }
]
