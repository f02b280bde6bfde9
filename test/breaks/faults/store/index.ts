import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "what is asked for is not normalized",
    find: "keyOf(this.normalize === undefined ? value : this.normalize(value))",
    replace: "keyOf(value)",
    caught: { file: "Lookup.test.ts", title: "finds what was registered in any spelling" }
  },
  {
    name: "a key that was taken is normalized once more",
    find: "const found = indexes[slot]!.entry(key)",
    replace: "const found = indexes[slot]!.get(key)",
    caught: { file: "Lookup.test.ts", title: "refuses another spelling of what is taken" }
  },
  {
    name: "near matches are looked for as they are spelled",
    find: "definition.suggest(key,",
    replace: "definition.suggest(value,",
    caught: { file: "Lookup.test.ts", title: "looks for near matches in what is normalized" }
  },
  {
    name: "what is hidden is looked for as it is spelled",
    find: "[slot, self.indexes[slot]!.keyFor(value)]",
    replace: "[slot, value]",
    caught: { file: "Lookup.test.ts", title: "hides and brings back under an override of another spelling" }
  }
]
