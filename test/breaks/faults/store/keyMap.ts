/** Faults in `src/internal/store/keyMap.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "the next index is made in the last one",
    find: "const base = new Map<unknown, A>()",
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
    name: "the entries of a list that was given up are in the next map",
    find: "value.id < this.limit && base.set(key, value)",
    replace: "base.set(key, value)",
    caught: { file: "keyMap.test.ts", title: "G8 agrees with a map by value, and so does every earlier version" }
  },
  {
    name: "the entries of a list that was given up stay in the map",
    find: "    if (this.base.get(key)?.id === id) this.base.delete(key)\n",
    replace: "",
    caught: { file: "keyMap.test.ts", title: "G10 keeps nothing of a list that was given up" }
  },
  {
    name: "the entries of another version are dropped, too",
    find: "if (this.base.get(key)?.id === id) this.base.delete(key)",
    replace: "if (this.base.has(key) && id >= 0) this.base.delete(key)",
    caught: { file: "keyMap.test.ts", title: "G10 keeps nothing of a list that was given up" }
  },
  {
    name: "a map is not tidied",
    find: "return this.keepsGarbage && this.base.size <= Math.min(16 * removed, 100_000) ? this.folded() : this",
    replace: "return removed < 0 ? this.folded() : this",
    caught: {
      file: "keyMap.test.ts",
      title: "G10 keeps nothing of what was removed when it has been tidied, unless that would cost a lot"
    }
  },
  {
    name: "a map is tidied whatever that costs",
    find: "this.keepsGarbage && this.base.size <= Math.min(16 * removed, 100_000)",
    replace: "this.keepsGarbage && removed > 0",
    caught: {
      file: "keyMap.test.ts",
      title: "G10 keeps nothing of what was removed when it has been tidied, unless that would cost a lot"
    }
  },
  {
    name: "removed entries are kept until much has changed",
    find: "isMuch(this.age, size))",
    replace: "isMuch(0, size))",
    caught: {
      file: "keyMap.test.ts",
      title: "G10 keeps what was removed no longer than a number of changes, whatever they are"
    }
  }
]
