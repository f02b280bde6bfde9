/**
 * The guarantees of a registry, as tests for registries of users.
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
 * Options of `laws`.
 *
 * @category models
 * @since 0.1.0
 */
export interface LawsOptions<Item, Services = unknown> {
  /** Generates items. They may repeat keys, and hooks may refuse them. */
  readonly item: FastCheck.Arbitrary<Item>
  /** The registry to test, if the layer makes several. */
  readonly tag?: Context.Key<any, Registry.Registry<Item, any, any, any>> | undefined
  /**
   * The items that your own hooks keep somewhere: another index, connections, files. When no operation is running,
   * these must be the registered items, each once.
   */
  readonly kept?: Effect.Effect<Iterable<Item>, unknown, Services> | undefined
  /** The number of lists of items for each law. Defaults to 10. */
  readonly runs?: number | undefined
  /** The number of schedules for each list. Defaults to 20. */
  readonly schedules?: number | undefined
  /** The seed of fast-check. A failure reports its seed, which repeats the run. */
  readonly seed?: number | undefined
}

/**
 * Registers vitest tests that check whether your registry, with its hooks and layers, keeps the guarantees of a
 * registry. Each law runs with many lists of items, each under many schedules.
 *
 * **Details**
 *
 * The laws: unique values are unique; all lookups agree; all or nothing; hooks balanced; what is acquired is released
 * once, after the last lease; a hook that keeps a map agrees with the contents, even if another hook withdraws, replaces
 * or brings back the item; population once; reset and populate again; no leak. A failure names the law, the registry,
 * the items (as few as fast-check finds), the seed and the schedule.
 *
 * A hook that registers other items keeps the laws if it also unregisters them.
 *
 * Pass the layer, or a service class, whose `layer` is used. The layer is built anew for each schedule, so it should be
 * quick, and not wait for timers or files.
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
