import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import * as Path from "node:path"

/** A process of its own: what a test runner keeps does not count. */
const measured = new Promise<
  ReadonlyArray<{ readonly name: string; readonly grown: number; readonly left: ReadonlyArray<string> }>
>((resolve, reject) =>
  execFile(
    process.execPath,
    ["--expose-gc", "--conditions=effect-registry/source", Path.join(import.meta.dirname, "leaks/program.ts")],
    (error, stdout, stderr) => error === null ? resolve(JSON.parse(stdout)) : reject(new Error(stderr || String(error)))
  )
)

/** Ten thousand of anything, with an item of 50 numbers each or with eight bytes each, are more than this. */
const margin = 200_000

describe("leaks", () => {
  it("ten thousand times: heap and internal tables as before", { timeout: 120_000 }, async () => {
    const results = await measured
    assert.isAtLeast(results.length, 10)
    assert.deepStrictEqual(results.filter(({ grown, left }) => grown > margin || left.length > 0), [])
  })
})
