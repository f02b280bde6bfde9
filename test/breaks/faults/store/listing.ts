/** Faults in `src/internal/store/listing.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "what a registry answers can be changed by who asked",
    find: "this.frozen = Object.freeze(this.items.slice())",
    replace: "this.frozen = this.items.slice()",
    caught: { file: "atomicity.test.ts", title: "G8 the list of values is frozen" }
  }
]
