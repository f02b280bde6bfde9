/** Faults in `src/internal/store/keyMap.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "the next index is made in the last one",
    find: "const base = new Map(this.base)",
    replace: "const base = this.base",
    caught: { file: "RegistrySnapshot.test.ts", title: "G8 G11 G12 agrees with an array through hundreds of changes" }
  },
  {
    name: "an earlier version sees what a later one put in",
    find: "return value !== undefined && value.id < this.limit ? value : undefined",
    replace: "return value",
    caught: { file: "keyMap.test.ts", title: "G8 agrees with a map by value, and so does every earlier version" }
  },
  {
    name: "a list is put into a map that another version has put one into",
    find: " && base.size === this.known) {",
    replace: ") {",
    caught: { file: "keyMap.test.ts", title: "G8 two lists that begin from one version do not see each other" }
  },
  {
    name: "a key of the map that was taken out is put in below that",
    find: "(!this.shadows || !base.has(key))",
    replace: "true",
    caught: { file: "keyMap.test.ts", title: "G8 agrees with a map by value, and so does every earlier version" }
  },
  {
    name: "what a list put in that was given up is in the next map",
    find: "if (base.size > this.known) base",
    replace: "if (base.size < this.known) base",
    caught: { file: "keyMap.test.ts", title: "G8 agrees with a map by value, and so does every earlier version" }
  }
]
