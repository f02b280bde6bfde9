/** A log in a file of SQLite. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { RegistryLog } from "effect-registry/shared"
import * as RegistryLogSqlite from "effect-registry/shared/sqlite"
import { RegistryTest } from "effect-registry/testing"
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { DatabaseSync } from "node:sqlite"
import { promisify } from "node:util"
import { afterAll } from "vitest"
import { sharingOver } from "./utils/sharingOver.ts"

const { start } = RegistryLog

const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "registry-"))
afterAll(() => Fs.rmSync(directory, { recursive: true }))

const fileOf = (name: string) => Path.join(directory, `${name}.db`)

RegistryTest.logLaws("a log in a file of SQLite", RegistryLogSqlite.layer({ file: fileOf("laws") }))
RegistryTest.logLaws("a log in a database of SQLite in memory", RegistryLogSqlite.layer({ file: ":memory:" }))
sharingOver("a file of SQLite", RegistryLogSqlite.layer({ file: fileOf("shared") }))

/** A process that writes records until so many are in, and says which. */
const writer = (file: string, count: number) => `
import * as Effect from "effect/Effect"
import { RegistryLog } from "effect-registry/shared"
import * as RegistryLogSqlite from "effect-registry/shared/sqlite"

const taken = []
const program = Effect.gen(function*() {
  const log = yield* RegistryLog.RegistryLog
  while (taken.length < ${count}) {
    const [head] = yield* log.heads(["tools"])
    const cursor = yield* log.append("tools", head, { id: crypto.randomUUID(), body: "{}" })
    if (cursor === undefined) continue
    taken.push(cursor)
    if (cursor.revision % 10 === 0) yield* log.saveCheckpoint("tools", { cursor, body: "{}" }, 1_000)
  }
})
await Effect.runPromise(Effect.provide(program, RegistryLogSqlite.layer({ file: ${JSON.stringify(file)} })))
console.log(JSON.stringify(taken))
`

describe("a file of SQLite", () => {
  it.live(
    "S1 S2 S3 is written by several processes at once, and each place has one record",
    () =>
      Effect.gen(function*() {
        const file = fileOf("processes")
        const outputs = yield* Effect.forEach(
          Array.from({ length: 4 }),
          () =>
            Effect.promise(() =>
              promisify(execFile)(process.execPath, [
                "--conditions=effect-registry/source",
                "--input-type=module",
                "--eval",
                writer(file, 25)
              ])
            ),
          { concurrency: "unbounded" }
        )
        const taken = outputs.flatMap(({ stdout }) => JSON.parse(stdout) as ReadonlyArray<RegistryLog.Cursor>)
          .toSorted((one, other) => one.revision - other.revision)
        const log = RegistryLog.RegistryLog.use(({ read }) => read("tools", start, 1_000))
        const { records } = yield* Effect.provide(log, RegistryLogSqlite.layer({ file }))
        assert.deepStrictEqual(records === "truncated" ? records : records.map(({ cursor }) => cursor), taken)
        assert.deepStrictEqual(taken.map(({ revision }) => revision), Array.from({ length: 100 }, (_, i) => i + 1))
      }),
    60_000
  )

  it.live(
    "S10 a process that holds the file does not hold up others, and what they write is in when it has let go",
    () =>
      Effect.gen(function*() {
        const file = fileOf("held")
        yield* Effect.gen(function*() {
          const { append } = yield* RegistryLog.RegistryLog
          const head = yield* append("tools", start, { id: "a", body: "" })
          const other = new DatabaseSync(file)
          other.exec("BEGIN IMMEDIATE")
          let ticks = 0
          const ticking = Effect.forever(Effect.andThen(Effect.sleep(5), Effect.sync(() => ticks++)))
          const letting = Effect.delay(Effect.sync(() => other.exec("ROLLBACK")), 500)
          const [cursor] = yield* Effect.all([
            append("tools", head!, { id: "b", body: "" }),
            letting
          ], { concurrency: "unbounded" }).pipe(Effect.raceFirst(ticking))
          other.close()
          assert.strictEqual(cursor?.revision, 2)
          // the thread of the program was free most of the time
          assert.isAbove(ticks, 5)
        }).pipe(Effect.provide(RegistryLogSqlite.layer({ file })))
      }),
    30_000
  )

  it.live("a file that cannot be opened fails the layer", () =>
    Effect.gen(function*() {
      const layer = RegistryLogSqlite.layer({ file: Path.join(directory, "none", "log.db") })
      const failed = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
      assert.strictEqual(failed._tag, "SqlError")
    }))
})
