import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import { Connections, Tools } from "./tools.ts"

const item = fc.record({ name: fc.constantFrom("search", "fetch", "paint", "sing") })

RegistryTest.laws("Tools", Tools.live, { item, kept: Connections })

describe("Tools", () => {
  it.effect("are connected while they are registered", () =>
    Effect.gen(function*() {
      yield* Effect.scoped(Tools.registerScoped({ name: "fetch" }))
      assert.deepStrictEqual(yield* Connections, [{ name: "search" }])
    }).pipe(Effect.provide(RegistryTest.layerPedantic(Tools).pipe(Layer.provideMerge(Tools.live)))))
})
