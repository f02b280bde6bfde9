/** A registry that the tests load late, and all its operations. */
import { type Effect, Layer, type Scope } from "effect"
import { Registry } from "effect-registry"
import { a, b, d, Item } from "./items.ts"

export class Items extends Registry.Service<Items, Item>()("test/Items", {
  lookup: ["id", "name"],
  defaults: [a]
}) {}

export const uses: Record<string, Effect.Effect<unknown, unknown, Items | Scope.Scope>> = {
  get: Items.get("id", 2),
  getOption: Items.getOption("id", 2),
  getAll: Items.getAll("name", "item 2"),
  has: Items.has("id", 2),
  contains: Items.contains(b),
  size: Items.size,
  values: Items.values,
  at: Items.at(0),
  snapshot: Items.snapshot,
  register: Items.register(d),
  registerAll: Items.registerAll([d]),
  upsert: Items.upsert(d),
  registerScoped: Items.registerScoped(d),
  registerAllScoped: Items.registerAllScoped([d]),
  unregister: Items.unregister(b),
  unregisterBy: Items.unregisterBy("id", 2),
  replace: Items.replace("id", 2, d),
  transact: Items.transact(Items.register(d)),
  transactAll: Items.use((items) => Registry.transactAll([items], Items.register(d))),
  reconcile: Items.reconcile([a, b]),
  unregisterOwner: Items.unregisterOwner("nobody"),
  override: Items.override(new Item(2, "override")),
  overrides: Layer.build(Items.overrides([d])),
  subscribe: Items.subscribe(),
  awaitItem: Items.awaitItem("id", 2),
  populate: Items.populate,
  items: Layer.build(Items.items([d])),
  operation: Items.use((items) => Registry.values(items)),
  "operation, of a service that was taken before": Items.use((items) => Registry.size(items))
}
