import { Layer } from "effect"
import * as RegistryLogSqlite from "effect-registry/shared/sqlite"
import { RegistryTest } from "effect-registry/testing"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { sharingOver } from "./utils/sharingOver.ts"

RegistryTest.logLaws("sqlite in memory", RegistryLogSqlite.layer({ file: ":memory:" }))
RegistryTest.logLaws(
  "sqlite in a file",
  Layer.suspend(() =>
    RegistryLogSqlite.layer({ file: Path.join(Fs.mkdtempSync(Path.join(Os.tmpdir(), "registry-")), "log.db") })
  )
)

const file = Path.join(Fs.mkdtempSync(Path.join(Os.tmpdir(), "registry-")), "log.db")

sharingOver("a file of SQLite", RegistryLogSqlite.layer({ file }))
