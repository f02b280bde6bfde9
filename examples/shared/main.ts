/** Two processes of one machine that share a registry in a file. One of them is killed. */
import { type ChildProcess, spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Readline from "node:readline"

const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "example-shared-"))
const file = Path.join(directory, "registries.sqlite")

const begin = (own: string, other: string): ChildProcess =>
  spawn(process.execPath, [...process.execArgv, Path.join(import.meta.dirname, "worker.ts"), file, own, other], {
    stdio: ["ignore", "pipe", "inherit"]
  })

const [search, fetch] = [begin("search", "fetch"), begin("fetch", "search")]
const linesOf = (child: ChildProcess) => Readline.createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
const [ofSearch, ofFetch] = [linesOf(search), linesOf(fetch)]

console.log((await ofSearch.next()).value)
console.log((await ofFetch.next()).value)
fetch.kill("SIGKILL")
console.log("fetch is killed")
console.log((await ofSearch.next()).value)

await new Promise((resolve) => search.on("close", resolve))
Fs.rmSync(directory, { recursive: true })
