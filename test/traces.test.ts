import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { type Outcome, replay, type Run } from "./djblets/replay.ts"

const runs: ReadonlyArray<Run> = JSON.parse(
  readFileSync(new URL("./fixtures/traces.json", import.meta.url), "utf8")
)

describe("the recorded runs of Djblets", () => {
  for (const run of runs) {
    it.effect(`seed ${run.seed}: agrees, operation by operation`, () =>
      Effect.map(replay(run), ({ compared, endedBy, skipped }) => {
        if (endedBy === undefined) assert.strictEqual(compared + skipped, run.ops.length)
      }))
  }

  it.effect("the seven rules leave most operations to be compared", () =>
    Effect.gen(function*() {
      const outcomes = yield* Effect.forEach(runs, (run) => Effect.scoped(replay(run)))
      const sum = (count: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + count(outcome), 0)
      console.log({
        runs: runs.length,
        operations: runs.reduce((total, { ops }) => total + ops.length, 0),
        compared: sum(({ compared }) => compared),
        skipped: sum(({ skipped }) => skipped),
        checkedFirst: sum(({ checkedFirst }) => checkedFirst),
        endedBy: Object.fromEntries(["1", "5", "6", "6, Q33", undefined].map((rule) => [rule, sum(({ endedBy }) => endedBy === rule ? 1 : 0)]))
      })
    }))
})
