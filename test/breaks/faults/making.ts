/** Faults in the files in `src/internal` itself. */
import type { Break } from "../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a list of defaults is copied when the registry is made",
    find: "|| Populate.isIterable(defaults)) return defaults",
    replace: "|| Populate.isIterable(defaults)) return Array.isArray(defaults) ? defaults.slice() : defaults",
    caught: { file: "anew.test.ts", title: "a list that has changed since the registry was made, or populated" }
  }
]
