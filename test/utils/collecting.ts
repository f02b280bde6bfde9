/** Finds out what can be collected. */
import { Effect } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

/** How many of these objects something still refers to. */
export const kept = (objects: ReadonlyArray<WeakRef<object>>): Effect.Effect<number> =>
  // what a weak reference was made of, or was asked for, is kept to the end of the task
  Effect.promise(() => new Promise((resolve) => setImmediate(resolve))).pipe(
    Effect.map(() => {
      collect()
      return objects.filter((object) => object.deref() !== undefined).length
    })
  )
