import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import * as Path from "node:path"

/** Runs in a process of its own, so that the memory of the test runner does not count. */
const measured = new Promise<
  ReadonlyArray<{ readonly name: string; readonly grown: number; readonly left: ReadonlyArray<string> }>
>((resolve, reject) =>
  execFile(
    process.execPath,
    ["--expose-gc", "--conditions=effect-registry/source", Path.join(import.meta.dirname, "leaks/program.ts")],
    (error, stdout, stderr) => error === null ? resolve(JSON.parse(stdout)) : reject(new Error(stderr || String(error)))
  )
)

/** Bytes. Ten thousand items of 50 numbers take more than this. */
const margin = 200_000

describe("leaks", () => {
  it("after ten thousand runs the heap and the internal tables are as before", { timeout: 120_000 }, async () => {
    const results = await measured
    assert.isAtLeast(results.length, 10)
    assert.deepStrictEqual(results.filter(({ grown, left }) => grown > margin || left.length > 0), [])
  })
})
