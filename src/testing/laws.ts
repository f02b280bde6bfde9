/**
 * The guarantees of a registry, as tests of a user's own.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as FastCheck from "fast-check"
import type * as Registry from "../Registry.ts"
import { checksOf } from "./lawChecks.ts"

// both are optional peers: all but `laws` works without them
const vitest = await import("@effect/vitest").catch(() => undefined)
const fastCheck = await import("fast-check").catch(() => undefined)

/**
 * What `laws` needs to know.
 *
 * @category models
 * @since 0.1.0
 */
export interface LawsOptions<Item, Services = unknown> {
  /** Items that may be registered. They may repeat keys, and hooks may refuse them: the laws allow for both. */
  readonly item: FastCheck.Arbitrary<Item>
  /** Which registry, where the layer makes several. */
  readonly tag?: Context.Key<any, Registry.Registry<Item, any, any, any>> | undefined
  /**
   * The items that hooks of your own keep somewhere: another index, connections, files. At rest these are the items that
   * are registered, each once.
   */
  readonly kept?: Effect.Effect<Iterable<Item>, unknown, Services> | undefined
  /** How many lists of items to try a law with. Defaults to 10. */
  readonly runs?: number | undefined
  /** How many schedules to try each of them under. Defaults to 20. */
  readonly schedules?: number | undefined
  /** The seed of fast-check: the one that a failure reports runs the same again. */
  readonly seed?: number | undefined
}

/**
 * Registers vitest tests that show whether a registry of yours, with its hooks and the layers it needs, keeps what a
 * registry promises. Each law is tried with many lists of items, each of them under many schedules.
 *
 * **Details**
 *
 * The laws: unique values are unique; all lookups agree; all or nothing; hooks balanced; a hook that keeps a map agrees
 * with the contents, also where another one withdraws, replaces or brings back what it is told of; population once; reset
 * and populate again; no leak. A failure names the law, the registry, the items (as few as fast-check finds), the seed and
 * the schedule.
 *
 * A hook that registers and unregisters other items keeps the laws if it takes out again what it put in.
 *
 * Give the layer, or the service class of the registry, whose `layer` is taken. The layer is built anew for each
 * schedule, so it should be quick, and wait for no timers and no files.
 *
 * **Example** (The laws for a registry of tools)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { RegistryTest } from "effect-registry/testing"
 * import * as fc from "fast-check"
 *
 * class Tools extends Registry.Service<Tools, { readonly name: string }>()("app/Tools", {
 *   lookup: ["name"],
 *   defaults: [{ name: "search" }]
 * }) {}
 *
 * // called where a test file is collected
 * const registerTests = () => RegistryTest.laws("Tools", Tools, { item: fc.record({ name: fc.string() }) })
 *
 * typeof registerTests // => "function"
 * ```
 *
 * @category laws
 * @since 0.1.0
 */
export const laws: {
  <Self, Item, Lookups, P, V, E>(
    name: string,
    service: Context.Key<Self, Registry.Registry<Item, Lookups, P, V>> & { readonly layer: Layer.Layer<Self, E> },
    options: LawsOptions<Item, Self>
  ): void
  <Services, E, Item>(name: string, layer: Layer.Layer<Services, E>, options: LawsOptions<Item, Services>): void
} = <Item>(
  name: string,
  subject: Layer.Layer<any, unknown> | (Context.Key<any, any> & { readonly layer: Layer.Layer<any, unknown> }),
  options: LawsOptions<Item, any>
): void => {
  if (vitest === undefined || fastCheck === undefined) {
    throw new Error("RegistryTest.laws registers tests of vitest: install @effect/vitest and fast-check.")
  }
  const { describe, it } = vitest
  const layer = Layer.isLayer(subject) ? subject : subject.layer
  const checks = checksOf(fastCheck, name, layer, {
    item: options.item,
    tag: options.tag ?? (Layer.isLayer(subject) ? undefined : subject),
    kept: options.kept,
    runs: options.runs ?? 10,
    schedules: options.schedules ?? 20,
    seed: options.seed
  })
  describe(name, () => {
    for (const [law, check] of Object.entries(checks)) it(law, { timeout: 120_000 }, () => Effect.runPromise(check))
  })
}
