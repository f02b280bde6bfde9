import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import * as Path from "node:path"
import type { Result } from "./leaks/lists.ts"

/** Runs a program in a process of its own, so that the memory of the test runner does not count. */
const resultsOf = (program: string): Promise<ReadonlyArray<any>> =>
  new Promise((resolve, reject) =>
    execFile(
      process.execPath,
      ["--expose-gc", "--conditions=effect-registry/source", Path.join(import.meta.dirname, "leaks", program)],
      (error, stdout, stderr) =>
        error === null ? resolve(JSON.parse(stdout)) : reject(new Error(stderr || String(error)))
    )
  )

/** Bytes. Ten thousand items of 50 numbers take more than this. */
const margin = 200_000

interface Measured {
  readonly name: string
  readonly grown: number
  readonly left: ReadonlyArray<string>
}

describe("leaks", () => {
  it("after ten thousand runs the heap and the internal tables are as before", { timeout: 120_000 }, async () => {
    const results: ReadonlyArray<Measured> = await resultsOf("program.ts")
    assert.isAtLeast(results.length, 10)
    assert.deepStrictEqual(results.filter(({ grown, left }) => grown > margin || left.length > 0), [])
  })

  it(
    "G10 nothing is kept of what was refused, rolled back or is gone, nor of the callers, in small and large registries",
    { timeout: 300_000 },
    async () => {
      const results: ReadonlyArray<Result> = await resultsOf("lists.ts")
      assert.isAtLeast(results.length, 250)
      assert.deepStrictEqual(results.filter(({ contexts, listings }) => contexts + listings > 0), [])
      const [singly, together] = [
        results.filter(({ name }) => name.startsWith("singly")),
        results.filter(({ name }) => !name.startsWith("singly"))
      ]
      assert.deepStrictEqual(together.filter(({ items }) => items > 0), [])
      // what goes by itself from a large registry is kept by its indexes until they are made anew
      assert.isAtLeast(singly.length, 25)
      assert.deepStrictEqual(singly.filter(({ items, length, size }) => items > (length + size) / 4), [])
      assert.deepStrictEqual(singly.filter(({ later }) => later > 0), [])
    }
  )
})
