import type { RegistrySnapshot } from "./model.ts"
import type { Contents } from "./store/contents.ts"

/** Contents as users see them. Every snapshot is a `Contents`; the interface shows its types alone. */
export const snapshotOf = <Item, Lookups>(contents: Contents<Item>): RegistrySnapshot<Item, Lookups> =>
  contents as unknown as RegistrySnapshot<Item, Lookups>

/** The reverse. */
export const contentsOf = <Item, Lookups>(snapshot: RegistrySnapshot<Item, Lookups>): Contents<Item> =>
  snapshot as unknown as Contents<Item>
