import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root, runExample } from "./utils/processes.ts"

describe("the shared example", () => {
  it(
    "as a process: two processes see each other's items, and one that is killed leaves nothing",
    { timeout: 60_000 },
    async () => {
      const stdout = `
search sees fetch, search
fetch sees fetch, search
fetch is killed
search sees search
`.trimStart()
      assert.deepStrictEqual(await runExample("shared/main.ts"), { code: 0, stdout, stderr: "" })
    }
  )

  it("has an npm script", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    assert.strictEqual(scripts["example:shared"], "node --conditions=effect-registry/source examples/shared/main.ts")
  })
})
