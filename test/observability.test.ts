import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { dirname, join } from "node:path"

const root = dirname(import.meta.dirname)

describe("examples/observability", () => {
  it("shows the trace, the metrics and an explanation of a real run", { timeout: 30_000 }, () => {
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      ["--conditions=effect-registry/source", join(root, "examples/observability/main.ts")],
      { encoding: "utf8" }
    )
    assert.strictEqual(status, 0, stderr)
    const trace = stdout.slice(stdout.indexOf("Trace:"), stdout.indexOf("Metrics:")).split("\n")
    const shapes = trace.map((line) => line.replace(/ [\d.]+ ms/, "").replace(/ ".*"/, ""))
    const spansOf = (name: string) => shapes.slice(shapes.indexOf(name), shapes.indexOf(name) + 4)
    assert.deepStrictEqual(spansOf("Registry.populate"), [
      "Registry.populate",
      "  fetchProviders",
      "  Registry.onItemRegistered",
      "    connect"
    ])
    assert.deepStrictEqual(spansOf("checkout"), [
      "checkout",
      "  Registry.register",
      "    Registry.onItemRegistered",
      "      connect"
    ])
    assert.include(shapes, "  Registry.register failed")
    for (
      const line of [
        /name: 'app\/Providers',\n +state: 'Ready',\n +revision: 4,\n +size: 3/,
        /owner: 'plugin-mollie'/,
        /^effect_registry_size 3$/m,
        /^effect_registry_revision 4$/m,
        /^effect_registry_populations_total success 1$/m,
        /^effect_registry_mutations_total register success 1$/m,
        /^effect_registry_mutations_total register failure 1$/m
      ]
    ) {
      assert.match(stdout, line)
    }
  })
})
