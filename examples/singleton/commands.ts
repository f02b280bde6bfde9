/** The definition: how commands are found, and what there is to begin with. The same for every step. */
import { Lookup, Registry } from "effect-registry"
import { type Command, open } from "./command.ts"

export class Commands extends Registry.Tag<Commands, Command>()("app/Commands", {
  lookup: {
    name: Lookup.unique((command) => command.name),
    key: Lookup.uniqueEach((command) => command.keys)
  },
  defaults: [open]
}) {}
