/** Faults in `src/internal/store/listing.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a caller can change the list that a registry answers",
    find: "this.frozen = Object.freeze(this.items.slice())",
    replace: "this.frozen = this.items.slice()",
    caught: { file: "atomicity.test.ts", title: "G8 the list of values is frozen" }
  }
]
