/**
 * A log for shared registries that fails as logs do.
 *
 * @since 0.2.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { RegistryLog } from "../shared/RegistryLog.ts"
import { faulty } from "./faulty.ts"
import { randomFrom } from "./scheduler.ts"

/**
 * What goes wrong, and how likely: from 0, never, which is the default, to 1.
 *
 * @category models
 * @since 0.2.0
 */
export interface LogFaults {
  /** The same seed and the same calls give the same faults. 1 by default. */
  readonly seed?: number | undefined
  /** A call fails before anything is done. */
  readonly refuses?: number | undefined
  /** A call is carried out, and its answer is lost: it fails, or never answers. */
  readonly loses?: number | undefined
  /** A record is written up to 150 milliseconds after the call has failed. */
  readonly late?: number | undefined
  /** A record is written after the last one, where another one was first: the engine has accepted two. */
  readonly doubles?: number | undefined
}

/**
 * A log in front of another, as a process has it whose network and store are not reliable: to test what your program does
 * when a shared registry cannot be changed. Its calls fail with `LogError`, or wait until they are interrupted; what was
 * interrupted may have been carried out.
 *
 * **Example** (What a program does when the store is down)
 *
 * ```ts
 * import { Effect, Layer, Schema } from "effect"
 * import { RegistryLog, SharedRegistry } from "effect-registry/shared"
 * import { RegistryTest } from "effect-registry/testing"
 *
 * class Tools extends SharedRegistry.Service<Tools, string>()("app/Tools", {
 *   schema: Schema.String,
 *   lookup: [],
 *   lifetime: "cluster",
 *   patience: "100 millis"
 * }) {}
 *
 * const program = Effect.match(Tools.register("search"), {
 *   onFailure: ({ code }) => code,
 *   onSuccess: () => "registered"
 * })
 *
 * const down = RegistryTest.layerFaulty(RegistryLog.layerMemory, { refuses: 1 })
 *
 * await Effect.runPromise(Effect.provide(program, Tools.layer.pipe(Layer.provide(down)))) // => "store"
 * ```
 *
 * @category layers
 * @since 0.2.0
 */
export const layerFaulty = <E, R>(
  log: Layer.Layer<RegistryLog, E, R>,
  { doubles = 0, late = 0, loses = 0, refuses = 0, seed = 1 }: LogFaults
): Layer.Layer<RegistryLog, E, R> =>
  Layer.effect(
    RegistryLog,
    Effect.map(RegistryLog, (service) =>
      RegistryLog.of(faulty(service, { refuses, loses, late, doubles, isDead: false }, randomFrom(seed))))
  ).pipe(Layer.provide(log))
