import type { Core } from "./engine/core.ts"
import type { Registry } from "./model.ts"

/**
 * What a registry is inside. The interface shows users its types alone.
 *
 * @internal
 */
export const coreOf = <Item, Lookups, P, V>(registry: Registry<Item, Lookups, P, V>): Core<Item, P, V> =>
  (registry as unknown as { readonly core: Core<Item, P, V> }).core
