/** Faults in `src/internal/shared/chores.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "what no scope claims stays",
    find: "if (orphans.length + orphaned.length === 0) return Effect.void",
    replace: "if (orphans.length + orphaned.length >= 0) return Effect.void",
    caught: { file: "shared.test.ts", title: "goes where its registration had an unknown outcome" }
  },
  {
    name: "a checkpoint is written though something cannot be read",
    find: "this.state.mirror.unreadable.size > 0",
    replace: "this.state.mirror.unreadable.size < 0",
    caught: { file: "shared.test.ts", title: "disturbs nothing else, and lets nothing be written until it is gone" }
  }
]
