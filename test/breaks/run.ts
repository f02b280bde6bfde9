/**
 * Applies one deliberate fault at a time to a copy of the project, and runs the test that has to notice it.
 *
 * `npm run test:breaks`, or for some of them `npm run test:breaks -- lock population`: parts of their names.
 */
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { type Break, breaks } from "./breaks.ts"

const root = Path.join(import.meta.dirname, "../..")
const words = process.argv.slice(2)
const chosen = breaks.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))

/** Two cores are what the tests are made for; most of a run is the start of a process. */
const workers = Math.min(Os.availableParallelism(), 4)

/** How long a test may take that is known to take a second or two. */
const timeout = 10_000

const copied = ["src", "test", "package.json", "tsconfig.json", "vitest.config.ts"]

/** A copy of the project; `node_modules` is the same. */
const copyProject = (): string => {
  const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-registry-breaks-"))
  for (const name of copied) Fs.cpSync(Path.join(root, name), Path.join(directory, name), { recursive: true })
  Fs.symlinkSync(Path.join(root, "node_modules"), Path.join(directory, "node_modules"))
  return directory
}

interface Ran {
  /** The titles of the tests that ran, and whether they passed. */
  readonly tests: ReadonlyArray<{ readonly title: string; readonly passed: boolean; readonly message: string }>
  readonly hung: boolean
  readonly output: string
}

const runTests = (
  directory: string,
  files: ReadonlyArray<string>,
  titles: ReadonlyArray<string>,
  limit: number
): Promise<Ran> => {
  const report = Path.join(directory, "report.json")
  Fs.rmSync(report, { force: true })
  const pattern = titles.map((title) => title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")
  const flags = [
    "--reporter=json",
    `--outputFile=${report}`,
    `--testTimeout=${limit / 2}`,
    "--teardownTimeout=200",
    "--no-file-parallelism"
  ]
  return new Promise((resolve) => {
    let output = ""
    let hung = false
    const child = spawn(
      process.execPath,
      [
        Path.join(root, "node_modules/vitest/vitest.mjs"),
        "run",
        ...files.map((file) => `test/${file}`),
        "-t",
        pattern,
        ...flags
      ],
      { cwd: directory }
    )
    const timer = setTimeout(() => {
      hung = true
      child.kill("SIGKILL")
    }, limit)
    child.stdout.on("data", (chunk) => output += chunk)
    child.stderr.on("data", (chunk) => output += chunk)
    child.on("close", () => {
      clearTimeout(timer)
      resolve({
        tests: Fs.existsSync(report) ? testsOf(JSON.parse(Fs.readFileSync(report, "utf8"))) : [],
        hung,
        output
      })
    })
  })
}

/** What we read of vitest's report. */
interface Report {
  readonly testResults: ReadonlyArray<{
    readonly assertionResults: ReadonlyArray<{
      readonly title: string
      readonly status: string
      readonly failureMessages: ReadonlyArray<string>
    }>
  }>
}

const testsOf = (report: Report): Ran["tests"] =>
  report.testResults.flatMap(({ assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === "passed" || status === "failed")
      .map(({ failureMessages, status, title }) => ({
        title,
        passed: status === "passed",
        message: (failureMessages[0] ?? "").split("\n")[0]!
      }))
  )

const sourcesOf = (directory: string): ReadonlyArray<{ readonly path: string; readonly text: string }> =>
  Fs.readdirSync(Path.join(directory, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => Path.join(directory, "src", file))
    .map((path) => ({ path, text: Fs.readFileSync(path, "utf8") }))

/** Why a fault was not caught; nothing if it was. */
const tryOne = async (directory: string, { caught, find, replace }: Break): Promise<string | undefined> => {
  const places = sourcesOf(directory).filter(({ text }) => text.includes(find))
  const [place] = places
  if (place === undefined || places.length > 1 || place.text.split(find).length !== 2) {
    return `what it replaces does not occur exactly once in src: ${find.trim()}`
  }
  Fs.writeFileSync(place.path, place.text.replace(find, () => replace))
  try {
    const { hung, output, tests } = await runTests(directory, [caught.file], [caught.title], timeout)
    const failed = tests.filter(({ passed, title }) => !passed && title.includes(caught.title))
    const senseless = failed.find(({ message }) => message.includes("ReferenceError"))
    if (senseless !== undefined) return `it is no program: ${senseless.message}`
    if (hung || failed.length > 0) return undefined
    return tests.length === 0 ? `no test ran:\n${output.slice(-2000)}` : "the test passes"
  } finally {
    Fs.writeFileSync(place.path, place.text)
  }
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`

const main = async (): Promise<number> => {
  const start = performance.now()
  const directories = Array.from({ length: workers }, copyProject)
  const failures: Array<string> = []
  try {
    // a test that fails without a fault shows nothing
    const sound = await runTests(
      directories[0]!,
      Array.from(new Set(chosen.map(({ caught }) => caught.file))),
      chosen.map(({ caught }) => caught.title),
      10 * timeout
    )
    for (const { caught } of chosen) {
      const tests = sound.tests.filter(({ title }) => title.includes(caught.title))
      const failed = tests.find(({ passed }) => !passed)
      const what = `"${caught.title}" of test/${caught.file}`
      if (tests.length === 0) failures.push(`There is no test ${what}.\n${sound.output.slice(-2000)}`)
      else if (failed !== undefined) failures.push(`Without a fault, ${what} fails: ${failed.message}`)
    }
    if (failures.length === 0) {
      console.log(`${sound.tests.length} tests pass without a fault (${seconds(start)}).`)
      const queue = chosen.slice()
      await Promise.all(directories.map(async (directory) => {
        for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
          const since = performance.now()
          const escaped = await tryOne(directory, one)
          console.log(`${escaped === undefined ? "caught " : "ESCAPED"} ${one.name} (${seconds(since)})`)
          if (escaped !== undefined) {
            failures.push(`"${one.name}" is not caught by "${one.caught.title}" of test/${one.caught.file}: ${escaped}`)
          }
        }
      }))
    }
  } finally {
    for (const directory of directories) Fs.rmSync(directory, { recursive: true, force: true })
  }
  for (const failure of new Set(failures)) console.error(`\n${failure}`)
  console.log(`\n${chosen.length} faults, ${chosen.length - failures.length} caught, in ${seconds(start)}.`)
  return failures.length === 0 ? 0 : 1
}

process.exitCode = await main()
