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

  it.effect("under the seven rules, 8,723 of 12,331 operations are compared, and 205 of 300 runs to their end", () =>
    Effect.gen(function*() {
      const outcomes = yield* Effect.forEach(runs, (run) => Effect.scoped(replay(run)))
      const sum = (count: (outcome: Outcome) => number) =>
        outcomes.reduce((total, outcome) => total + count(outcome), 0)
      const endedBy = (rule: Outcome["endedBy"]) => sum((outcome) => outcome.endedBy === rule ? 1 : 0)
      assert.strictEqual(runs.reduce((total, { ops }) => total + ops.length, 0), 12_331)
      // another figure means that runs end at another operation
      assert.deepStrictEqual(
        {
          compared: sum(({ compared }) => compared),
          checkedFirst: sum(({ checkedFirst }) => checkedFirst),
          skipped: sum(({ skipped }) => skipped),
          replayedToTheEnd: endedBy(undefined),
          endedByASignalThatThrows: endedBy("1"),
          endedByAPopulationThatFails: endedBy("5"),
          endedByAnErrorAfterCommit: endedBy("6"),
          endedByItemsInPending: endedBy("6, Q33")
        },
        {
          compared: 8_723,
          checkedFirst: 114,
          skipped: 125,
          replayedToTheEnd: 205,
          endedByASignalThatThrows: 3,
          endedByAPopulationThatFails: 66,
          endedByAnErrorAfterCommit: 25,
          endedByItemsInPending: 1
        }
      )
    }))
})
