/** Faults in `src/internal/store/check.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "the keys of what is hidden are free",
    find: "holder !== ignoring ? holder : self.withheld?.holder(index, key, ignoring)",
    replace: "holder !== ignoring ? holder : undefined",
    caught: {
      file: "override.test.ts",
      title: "G7 a hidden item keeps its keys if a transaction that unregistered it fails"
    }
  }
]
