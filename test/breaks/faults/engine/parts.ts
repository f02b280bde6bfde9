/** Faults in `src/internal/engine/parts.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "the calls of nested transactions are told over again as if they came first",
    find: "    for (const call of calls.list) this.list.push(call)\n",
    replace: "    this.list.unshift(...calls.list)\n",
    caught: {
      file: "lastWord.test.ts",
      title: "whatever three hooks do to the registry, each knows what is in after every transaction"
    }
  }
]
