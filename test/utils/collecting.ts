/** Finds out which objects the garbage collector can collect. */
import { Effect } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

/** How many of these objects are still referred to. */
export const kept = (objects: ReadonlyArray<WeakRef<object>>): Effect.Effect<number> =>
  // a weak reference keeps its object to the end of the task in which it was made or read
  Effect.promise(() => new Promise((resolve) => setImmediate(resolve))).pipe(
    Effect.map(() => {
      collect()
      return objects.filter((object) => object.deref() !== undefined).length
    })
  )
