/**
 * What the log of shared registries has to do, as tests for engines.
 *
 * @since 0.2.0
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { RegistryLog } from "../shared/RegistryLog.ts"
import { check, logChecks } from "./logChecks.ts"

// an optional peer
const vitest = await import("@effect/vitest").catch(() => undefined)

/**
 * Registers vitest tests that check whether an engine keeps a log as shared registries need it. Run them in your continuous
 * integration, against the engine and the version that you have in production.
 *
 * **Details**
 *
 * Of concurrent records for one place exactly one is in; the same record twice is one; a log that was cut, has gone back or
 * has another history says so, and takes nothing there; the last record stays; checkpoints are compared; sessions that were
 * buried are never renewed. Each law takes registries of names of its own, so they may run against a store that is in use.
 * Sessions expire by the clock of the store: the laws wait for that.
 *
 * **Example** (The laws for an engine of yours)
 *
 * ```ts
 * import { RegistryLog } from "effect-registry/shared"
 * import { RegistryTest } from "effect-registry/testing"
 *
 * // called where a test file is collected
 * const registerTests = () => RegistryTest.logLaws("memory", RegistryLog.layerMemory)
 *
 * typeof registerTests // => "function"
 * ```
 *
 * @category laws
 * @since 0.2.0
 */
export const logLaws = <E>(name: string, layer: Layer.Layer<RegistryLog, E>): void => {
  if (vitest === undefined) throw new Error("RegistryTest.logLaws registers tests of vitest: install @effect/vitest.")
  const { describe, it } = vitest
  describe(name, () => {
    for (const [law, holds] of Object.entries(logChecks)) {
      it(law, { timeout: 120_000 }, () => Effect.runPromise(Effect.provide(check(holds), layer)))
    }
  })
}
