import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import { Connections, FaultyTools } from "./tools.ts"

const item = fc.record({ name: fc.constantFrom("search", "fetch", "paint", "sing") })

RegistryTest.laws("FaultyTools", FaultyTools.live, { item, kept: Connections })
