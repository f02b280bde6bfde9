/** Faults in `src/internal/engine/parts.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "what hooks were told is forgotten with the calls that were played back",
    find: "    if (this.last !== undefined) this.catchUp(this.last)\n",
    replace: "",
    caught: {
      file: "lastWord.test.ts",
      title: "what was played back is known: it is told once more when it comes"
    }
  }
]
