import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"

/** Why a file may import from `src/internal`. */
const allowed: { readonly [file: string]: string } = {
  "utils/inside.ts": "answers for the others what only the inside of a registry tells",
  "RegistrySnapshot.test.ts": "compares contents, as values, with arrays",
  "keyMap.test.ts": "compares the persistent map with a map",
  "order.test.ts": "compares the persistent order with a sorted array",
  "RegistryLog.test.ts": "bounds an engine that does not answer, which no engine does when asked to",
  "sharedAmendments.test.ts": "compares the folds of logs with checkpoints",
  "sharedFuzz.test.ts": "compares the folds of all processes",
  "utils/replicas.ts": "asks the processes of a shared registry what they hold",
  "same.test.ts": "compares values, and the keys that are made of them"
}

describe("inside", () => {
  it("src/internal is imported only by test/utils/inside.ts and by tests of one data structure", () => {
    const files = Fs.readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
    const importing = files.filter((file) =>
      /^(?:import|export)\b[^"]*"[^"]*src\/internal\/|import\("[^"]*src\/internal\//m.test(
        Fs.readFileSync(Path.join(import.meta.dirname, file), "utf8")
      )
    )
    assert.deepStrictEqual(importing.toSorted(), Object.keys(allowed).toSorted())
  })
})
