/**
 * Whether something can be collected.
 */
import { Effect } from "effect"
import * as V8 from "node:v8"
import * as Vm from "node:vm"

V8.setFlagsFromString("--expose-gc")
const collect: () => void = Vm.runInNewContext("gc")

const left = (objects: ReadonlyMap<string, WeakRef<object>>): ReadonlyArray<string> =>
  Array.from(objects).flatMap(([name, ref]) => ref.deref() === undefined ? [] : [name])

/** Those of some names whose objects are still kept, though garbage was collected several times. */
export const kept = (objects: ReadonlyMap<string, WeakRef<object>>): Effect.Effect<ReadonlyArray<string>> =>
  Effect.promise(async () => {
    for (let tries = 0; tries < 10 && left(objects).length > 0; tries++) {
      // a weak reference keeps its object until the end of the task in which it was read
      await new Promise((resolve) => setImmediate(resolve))
      collect()
    }
    return left(objects)
  })
