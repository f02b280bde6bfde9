/**
 * The events of a registry.
 *
 * A `RegistryChange` has the `RegistryEvent`s of one committed transaction, in order. Apply `Registered`,
 * `Unregistered`, `Replaced` and `Moved` by their positions to an array of the items before: it equals the items of the
 * registry at that revision. `Populated` and `Reset` follow the events that they summarize.
 *
 * @module
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type { RegistrySnapshot } from "./internal/snapshot.ts"

/**
 * One event: an item was registered, unregistered, replaced or moved, or the registry was populated or reset.
 *
 * `position` is the item's index among all items at that moment: after it was registered, or before it is unregistered.
 * A `Moved` item goes from the index `from` to `position`, which counts without the item: remove it, then insert it.
 *
 * @category models
 * @since 0.1.0
 */
export type RegistryEvent<Item> = Data.TaggedEnum<{
  readonly Registered: { readonly item: Item; readonly position: number; readonly reason: Reason }
  readonly Unregistered: { readonly item: Item; readonly position: number; readonly reason: Reason }
  readonly Replaced: { readonly previous: Item; readonly item: Item; readonly position: number }
  readonly Moved: { readonly item: Item; readonly from: number; readonly position: number }
  readonly Populated: { readonly size: number }
  readonly Reset: {}
}>

/**
 * Why an item came or went.
 *
 * `register`: an operation registered the item. `population`: a population did. `unregister`: an operation withdrew it.
 * `scope`: the scope of its registration closed. `reset`: the registry was reset. `override`: an override began or
 * ended, or began or ceased to hide the item. `switch`: the item was disabled or enabled.
 *
 * @category models
 * @since 0.2.0
 */
export type Reason = "register" | "unregister" | "scope" | "reset" | "override" | "switch" | "population"

/**
 * The revision that one committed transaction made, its events in order, and the contents after it.
 *
 * **Details**
 *
 * Both are computed when they are first read.
 *
 * **Gotchas**
 *
 * A change holds the items of its revision in memory. For a log, keep its `events` only.
 *
 * @category models
 * @since 0.1.0
 */
export interface RegistryChange<out Item, in out Lookups = any> {
  readonly revision: number
  readonly events: ReadonlyArray<RegistryEvent<Item>>
  /**
   * The contents right after this change.
   *
   * @since 0.2.0
   */
  readonly snapshot: RegistrySnapshot<Item, Lookups>
}

interface Definition extends Data.TaggedEnum.WithGenerics<1> {
  readonly taggedEnum: RegistryEvent<this["A"]>
}

export const {
  /**
   * Whether an event has a tag.
   *
   * **Example** (Whether an item was registered)
   *
   * ```ts
   * import { RegistryEvent } from "effect-registry"
   *
   * const event: RegistryEvent.RegistryEvent<string> = RegistryEvent.Registered({
   *   item: "gzip",
   *   position: 0,
   *   reason: "register"
   * })
   *
   * const name = RegistryEvent.is("Registered")(event) ? event.item : undefined
   *
   * name // => "gzip"
   * ```
   *
   * @category guards
   * @since 0.1.0
   */
  $is: is,
  /**
   * Handles an event by its tag.
   *
   * **Example** (A line for each event)
   *
   * ```ts
   * import { RegistryEvent } from "effect-registry"
   *
   * const line = (event: RegistryEvent.RegistryEvent<string>): string =>
   *   RegistryEvent.match(event, {
   *     Registered: ({ item, position, reason }) => `+ ${item} at ${position} (${reason})`,
   *     Unregistered: ({ item, position, reason }) => `- ${item} at ${position} (${reason})`,
   *     Replaced: ({ item, previous }) => `${previous} is now ${item}`,
   *     Moved: ({ from, item, position }) => `${item} from ${from} to ${position}`,
   *     Populated: ({ size }) => `populated with ${size}`,
   *     Reset: () => "reset"
   *   })
   *
   * const events: ReadonlyArray<RegistryEvent.RegistryEvent<string>> = [
   *   RegistryEvent.Registered({ item: "gzip", position: 0, reason: "population" }),
   *   RegistryEvent.Populated({ size: 1 }),
   *   RegistryEvent.Replaced({ previous: "gzip", item: "zstd", position: 0 }),
   *   RegistryEvent.Unregistered({ item: "zstd", position: 0, reason: "reset" }),
   *   RegistryEvent.Reset()
   * ]
   *
   * const lines = events.map(line)
   *
   * lines // => ["+ gzip at 0 (population)", "populated with 1", "gzip is now zstd", "- zstd at 0 (reset)", "reset"]
   * ```
   *
   * @category pattern matching
   * @since 0.1.0
   */
  $match: match,
  /**
   * An item moved.
   *
   * @category constructors
   * @since 0.2.0
   */
  Moved,
  /**
   * The registry was populated.
   *
   * @category constructors
   * @since 0.1.0
   */
  Populated,
  /**
   * An item was registered.
   *
   * @category constructors
   * @since 0.1.0
   */
  Registered,
  /**
   * An item replaced another.
   *
   * @category constructors
   * @since 0.1.0
   */
  Replaced,
  /**
   * The registry was reset.
   *
   * @category constructors
   * @since 0.1.0
   */
  Reset,
  /**
   * An item was unregistered.
   *
   * @category constructors
   * @since 0.1.0
   */
  Unregistered
} = /*#__PURE__*/ Data.taggedEnum<Definition>()
