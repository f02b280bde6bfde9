import { assert, describe, it } from "@effect/vitest"
import { bundle, bundleSize } from "../benchmark/bundle.ts"

describe("bundles", () => {
  it("of all that Lookup, Registry and RegistryHooks reach have no more than so many bytes", async () => {
    const { gzipped } = await bundleSize()
    assert.isAtMost(gzipped, 24_000)
  })

  it("of one pure function have nothing else: no module has effects when it is loaded", async () => {
    const { parts } = await bundle(`
      import { Lookup } from "effect-registry"
      globalThis.isLookup = Lookup.isLookup({})
    `)
    assert.deepStrictEqual(parts.map(({ module }) => module), ["src/Lookup.ts"])
  })

  it("of what is imported and not used are empty", async () => {
    const { code } = await bundle(
      `import { EntryPoints, Registry, RegistryError, RegistrySnapshot } from "effect-registry"`
    )
    assert.strictEqual(code, "")
  })
})
