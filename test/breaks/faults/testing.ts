/** Faults in `src/testing`. */
import type { Break } from "../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "layerPedantic does not replay the maps that hooks keep by a unique value",
    find: "wrong.concat(kept.wrong(held, hook))",
    replace: "wrong",
    caught: {
      file: "pedantic.test.ts",
      title: "G28 makes an operation die in which the new item came before the old one had gone"
    }
  },
  {
    name: "a hook is believed to keep items by the first lookup alone",
    find: "definition.lookups[slot]?.unique === true",
    replace: "slot === 0",
    caught: {
      file: "pedantic.test.ts",
      title: "G28 makes an operation die in which the new item came before the old one had gone"
    }
  }
]
