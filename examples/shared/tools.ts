/** Tools that the processes of a machine offer: what each is, and where it runs. */
import { Schema } from "effect"
import { SharedRegistry } from "effect-registry/shared"

const Tool = Schema.Struct({ name: Schema.String, process: Schema.Number })

export class Tools extends SharedRegistry.Service<Tools, typeof Tool.Type>()("example/Tools", {
  schema: Tool,
  lookup: ["name"],
  lifetime: "cluster",
  // a process that is not heard of for so long is gone; the default is 15 seconds
  session: { ttl: "2 seconds" }
}) {}
