/** Finds out which objects the garbage collector can collect. */
import { Effect } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

/** A weak reference keeps its object to the end of the task in which it was made or read. */
const nextTask: Effect.Effect<void> = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

/** How many of these objects are still referred to. */
export const kept = (objects: ReadonlyArray<WeakRef<object>>): Effect.Effect<number> =>
  Effect.andThen(nextTask, Effect.sync(collect)).pipe(
    Effect.map(() => left(objects)),
    // what was marked already when it became garbage goes with a later collection
    Effect.repeat({ times: 9, until: (count) => count === 0 })
  )

/** How many of these objects have not been collected yet. */
export const left = (objects: ReadonlyArray<WeakRef<object>>): number =>
  objects.filter((object) => object.deref() !== undefined).length
