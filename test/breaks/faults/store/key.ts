/** Faults in `src/internal/store/key.ts`. */
import type { Break } from "../../break.ts"

const file = "same.test.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a key is as mutable as what it is of",
    find: "attempt(() => pictureOf(value), value)",
    replace: "value",
    caught: { file, title: "G9 a list: what becomes of it does not change how an item is found" }
  },
  {
    name: "a key that contains itself cannot be taken",
    find: "attempt(() => pictureOf(value), value)",
    replace: "pictureOf(value)",
    caught: { file, title: "G9 one that is shared inside many times, or contains itself, is taken in a moment" }
  },
  {
    name: "a key that is marked is compared by its content",
    find: "partsOf(value) !== undefined && !isMarked(value)",
    replace: "partsOf(value) !== undefined",
    caught: { file: "Lookup.test.ts", title: "G11 keys marked with Equal.byReference are compared by reference" }
  },
  {
    name: "an item that is marked is compared by its content",
    find: "same(one, other) && !isMarked(one) && !isMarked(other)",
    replace: "same(one, other)",
    caught: { file, title: "G11 marked by Equal.byReference, they are the same only as themselves" }
  },
  {
    name: "an item that is a key is found by its content alone",
    find: "[itself, new Key(item, hashOf(item), sameUnmarked)]",
    replace: "[new Key(item, hashOf(item), sameUnmarked)]",
    caught: { file, title: "G9 are found as the objects that they are, however they were changed" }
  },
  {
    name: "an item that is a key is found by its content before it is found as itself",
    find: "[itself, new Key(item, hashOf(item), sameUnmarked)]",
    replace: "[new Key(item, hashOf(item), sameUnmarked), itself]",
    caught: {
      file: "RegistrySnapshot.test.ts",
      title: "G9 an object in a registry without lookups is found after it was changed"
    }
  },
  {
    name: "an equivalence is asked of items with one hash",
    find: "new Key(item, 0, rule)",
    replace: "new Key(item, hashOf(item), rule)",
    caught: { file, title: "is asked of all items where no unique value tells them apart" }
  }
]
