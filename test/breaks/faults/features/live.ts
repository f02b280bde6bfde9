/** Faults in `src/internal/features/live.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a registry whose building was interrupted counts as alive",
    find: "Effect.uninterruptible(Effect.withFiber((fiber) => {\n    const all = live.get",
    replace: "Effect.asVoid(Effect.withFiber((fiber) => {\n    const all = live.get",
    caught: { file: "live.test.ts", title: "49 a registry whose building was interrupted at any step is not counted" }
  }
]
