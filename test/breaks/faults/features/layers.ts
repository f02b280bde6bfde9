/** Faults in `src/internal/features/layers.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "an item is revealed though it is hidden by a hidden one",
    find: "const others = layersOf(self)?.claiming(claim) ?? []",
    replace: "const others: ReadonlyArray<Entry<Item>> = []",
    caught: { file: "override.test.ts", title: "after random operations, without hooks" }
  },
  {
    name: "the keys of a hidden item are free to be registered",
    find: "return this.claiming([slot, key]).find((entry) => this.isInTheWay(entry, ignoring))",
    replace: "return undefined",
    caught: {
      file: "override.test.ts",
      title: "register conflicts with a hidden item, and names the item and its owner"
    }
  },
  {
    name: "an equal item that is hidden is free to be registered",
    find: "return this.equals(item, keys).find((entry) => this.isInTheWay(entry, ignoring))",
    replace: "return undefined",
    caught: {
      file: "override.test.ts",
      title: "register conflicts with a hidden item, and names the item and its owner"
    }
  }
]
