/** Faults in `src/internal/coreOf.ts`. */
import type { Break } from "../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a registry of another copy is none",
    find: "  refuseForeign(registry)\n",
    replace: "",
    caught: { file: "copies.test.ts", title: "dies at once when a function of it is given a registry of the other" }
  },
  {
    name: "a service of another copy is taken",
    find: "  refuseForeign(self)\n",
    replace: "",
    caught: { file: "copies.test.ts", title: "die at once when one is given a service class or tag of the other" }
  },
  {
    name: "a snapshot of another copy is read",
    find: "  refuseForeign(snapshot)\n",
    replace: "",
    caught: { file: "copies.test.ts", title: "dies at once when it is given a snapshot of the other" }
  }
]
