import type { Registry } from "../Registry.ts"
import type { Core } from "./core.ts"

/**
 * What a registry is inside. The interface shows users its types alone.
 *
 * @internal
 */
export const coreOf = <Item, Lookups, P, V>(registry: Registry<Item, Lookups, P, V>): Core<Item, P, V> =>
  (registry as unknown as { readonly core: Core<Item, P, V> }).core
