import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root, runExample } from "./utils/processes.ts"

describe("the singleton example", () => {
  it(
    "as a process: by hand a refused command is half there, behind the same functions it is not",
    { timeout: 60_000 },
    async () => {
      const stdout = `
By hand
  open | save
  refused: ctrl+e calls share
  open | share
Step 1: the same functions
  open | save
  refused: ctrl+e calls nothing
  open
Step 2: the handle
  Registered: open | save
  Could not register "share" in "app/Commands": "save" is already registered with key = "ctrl+s". Unregister or replace it first.
  Unregistered: open
Step 3: a runtime
  with the plugin: open | save | blame | log
  without it: open | save
`.trimStart()
      assert.deepStrictEqual(await runExample("singleton/main.ts"), { code: 0, stdout, stderr: "" })
    }
  )

  it("has an npm script", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    assert.strictEqual(
      scripts["example:singleton"],
      "node --conditions=effect-registry/source examples/singleton/main.ts"
    )
  })
})
