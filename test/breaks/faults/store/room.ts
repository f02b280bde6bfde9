/** Faults in `src/internal/store/room.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "an item that is moved is a new registration",
    find: "const moved = new Entry(item, keys, origin, { position, registration })",
    replace: "const moved = new Entry(item, keys, origin, { position })",
    caught: {
      file: "places.test.ts",
      title: "G27 an item that was moved stays its registration: it goes with its scope, and keeps its owner"
    }
  }
]
