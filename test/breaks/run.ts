/**
 * Puts one deliberate fault at a time into `src`, and runs the test that has to notice it.
 *
 * `npm run test:breaks`, or for some of them `npm run test:breaks -- lock population`: parts of their names.
 */
import { type ChildProcess, fork } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import type { Break } from "./break.ts"
import { breaks } from "./breaks.ts"
import type { Job, Ran } from "./worker.ts"

const root = Path.join(import.meta.dirname, "../..")
const words = process.argv.slice(2)
const chosen = breaks.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))

/** Two cores are what the tests are made for; one more, because a test that hangs needs none. */
const lanes = Math.min(Os.availableParallelism(), 4) + 1

// ---------------------------------------------------------------------------------------------------------------------
// Runs
// ---------------------------------------------------------------------------------------------------------------------

/** A process that runs tests, and is replaced if they do not end. */
class Worker {
  private process: ChildProcess | undefined

  /** What the tests came to; nothing if they have not ended after this many milliseconds. */
  run(job: Job, limit: number): Promise<Ran | undefined> {
    const child = this.process ??= fork(Path.join(import.meta.dirname, "worker.ts"), { cwd: root, execArgv: [] })
    return new Promise((resolve) => {
      const end = (ran: Ran | undefined) => {
        clearTimeout(timer)
        child.removeAllListeners()
        resolve(ran)
      }
      const giveUp = (ran?: Ran) => {
        this.close()
        end(ran)
      }
      const timer = setTimeout(giveUp, limit)
      child.on("message", end)
      child.on("exit", (code, signal) => giveUp({ tests: [], errors: [`vitest ended with ${code ?? signal}`] }))
      child.send(job)
    })
  }

  /** Its threads end with it, endless loops included. */
  close(): void {
    this.process?.kill("SIGKILL")
    this.process = undefined
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Faults
// ---------------------------------------------------------------------------------------------------------------------

/** How long tests may take that are known to take this many milliseconds. */
const timeoutOf = (milliseconds: number): number => Math.max(5_000, 5 * milliseconds)

/** How long the tests of a title take without a fault, by file and title. */
const sound = new Map<string, number>()

const keyOf = (file: string, title: string): string => `${file} ${title}`

const what = ({ caught }: Break): string => `"${caught.title}" of test/${caught.file}`

/** Runs the tests of one file as they are: one that fails without a fault shows nothing. */
const trySound = async (worker: Worker, file: string): Promise<ReadonlyArray<string>> => {
  const those = chosen.filter(({ caught }) => caught.file === file)
  const timeout = timeoutOf(20_000)
  const ran = await worker.run({ file, titles: those.map(({ caught }) => caught.title), timeout }, 2 * timeout)
  if (ran === undefined) return [`Without a fault, test/${file} does not end.`]
  return those.flatMap((one) => {
    const tests = ran.tests.filter(({ title }) => title.includes(one.caught.title))
    const [failure] = tests.flatMap(({ failed }) => failed ?? [])
    if (tests.length === 0) return [`There is no test ${what(one)}.\n${ran.errors.join("\n")}`]
    if (failure !== undefined) return [`Without a fault, ${what(one)} fails: ${failure}`]
    sound.set(keyOf(file, one.caught.title), tests.reduce((sum, { milliseconds }) => sum + milliseconds, 0))
    return []
  })
}

const sources = Fs.readdirSync(Path.join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => Path.join(root, "src", file))
  .map((path) => ({ path, text: Fs.readFileSync(path, "utf8") }))

/** Why a fault was not caught; nothing if it was. */
const tryOne = async (worker: Worker, { caught, find, replace }: Break): Promise<string | undefined> => {
  const [place, ...others] = sources.filter(({ text }) => text.includes(find))
  if (place === undefined || others.length > 0 || place.text.split(find).length !== 2) {
    return `what it replaces does not occur exactly once in src: ${find.trim()}`
  }
  const timeout = timeoutOf(sound.get(keyOf(caught.file, caught.title))!)
  const fault = { path: place.path, find, replace }
  const ran = await worker.run({ file: caught.file, titles: [caught.title], timeout, fault }, 2 * timeout)
  // it hangs
  if (ran === undefined) return undefined
  const tests = ran.tests.filter(({ title }) => title.includes(caught.title))
  const failures = tests.flatMap(({ failed }) => failed ?? [])
  const senseless = failures.find((failed) => failed.includes("ReferenceError"))
  if (senseless !== undefined) return `it is no program: ${senseless}`
  if (failures.length > 0) return undefined
  return tests.length === 0 ? `no test ran: ${ran.errors.join("\n")}` : "the test passes"
}

// ---------------------------------------------------------------------------------------------------------------------
// All of them
// ---------------------------------------------------------------------------------------------------------------------

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`

const main = async (): Promise<number> => {
  const start = performance.now()
  const workers = Array.from({ length: lanes }, () => new Worker())
  const failures: Array<string> = []
  /** Whoever is idle takes the next. */
  const share = <A>(all: Iterable<A>, work: (worker: Worker, one: A) => Promise<void>) => {
    const queue = Array.from(all)
    return Promise.all(workers.map(async (worker) => {
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) await work(worker, one)
    }))
  }
  try {
    await share(new Set(chosen.map(({ caught }) => caught.file)), async (worker, file) => {
      failures.push(...await trySound(worker, file))
    })
    console.log(`${sound.size} tests pass without a fault (${seconds(start)}).`)
    const noticed = chosen.filter(({ caught: { file, title } }) => sound.has(keyOf(file, title)))
    await share(noticed, async (worker, one) => {
      const since = performance.now()
      const escaped = await tryOne(worker, one)
      console.log(`${escaped === undefined ? "caught " : "ESCAPED"} ${one.name} (${seconds(since)})`)
      if (escaped !== undefined) failures.push(`"${one.name}" is not caught by ${what(one)}: ${escaped}`)
    })
  } finally {
    for (const worker of workers) worker.close()
  }
  for (const failure of failures) console.error(`\n${failure}`)
  console.log(`\n${chosen.length} faults, ${chosen.length - failures.length} caught, in ${seconds(start)}.`)
  return failures.length === 0 ? 0 : 1
}

process.exitCode = await main()
