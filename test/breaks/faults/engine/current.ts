/** Faults in `src/internal/engine/current.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "the layer of a module is not in the transaction of its import",
    find: " ?? Context.get(context, EnclosingTransaction)",
    replace: "",
    caught: {
      file: "late.test.ts",
      title: "has the defaults first, then the items of its layer; after a reset, too"
    }
  },
  {
    name: "hooks do not run in the transactions of other copies",
    find: "references.length === 2 ? services",
    replace: "services !== undefined ? services",
    caught: { file: "copies.test.ts", title: "nest transactions of their own registries in each other" }
  },
  {
    name: "what is captured keeps the transactions of other copies",
    find: "Context.omit(...references)",
    replace: "Context.omit(CurrentTransaction, EnclosingTransaction)",
    caught: { file: "copies.test.ts", title: "keep no transaction of each other" }
  }
]
