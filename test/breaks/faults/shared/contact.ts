/** Faults in `src/internal/shared/contact.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "the log is asked in the context of a caller",
    find:
      "    return Effect.withFiber((fiber) =>\n      Effect.setContext(effect, Context.add(this.context, Scheduler.Scheduler, fiber.cache.scheduler))\n    )\n",
    replace: "    return effect\n",
    caught: { file: "shared.test.ts", title: "asks the log with nothing of the caller in its context" }
  }
]
