import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root, runExample } from "./utils/processes.ts"

const left = (name: string) =>
  `Left "${name}" out of "connections/Backends". Could not register "${name}" in "connections/Backends": ` +
  "what it needs could not be acquired. The connection is closed."

describe("the connections example", () => {
  it(
    "G31 as a process: no request fails while backends are reloaded and refuse connections, and nothing stays open",
    { timeout: 60_000 },
    async () => {
      const { code, stderr, stdout } = await runExample("connections/main.ts")
      assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      const lines = stdout.trimEnd().split("\n")
      assert.deepStrictEqual(lines.filter((line) => !/^\d+ (requests|of them)/.test(line)), [
        left("b"),
        "connected: spare0 a1 c1 d1",
        left("a"),
        left("b"),
        "connected: spare0 c2 d2",
        left("b"),
        "connected: spare0 a3 c3",
        "connected: spare0 a3 b3 c3",
        "9 connections, 4 open, 4 refused",
        "at the end 0 open"
      ])
      const numberIn = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1])
      assert.isAbove(numberIn(/^(\d+) requests answered, 0 failed$/m), 0)
      assert.isAbove(numberIn(/^(\d+) of them were answered after their backend had gone$/m), 0)
    }
  )

  it("has an npm script", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    assert.strictEqual(
      scripts["example:connections"],
      "node --conditions=effect-registry/source examples/connections/main.ts"
    )
  })
})
