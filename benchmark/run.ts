/**
 * Measures every row, and writes RESULTS.md; or, with words, some rows, and prints them alone: `npm run bench -- get
 * values`. A word that is the name of a row means that row; another means all rows that have it in their names. A number
 * among the words is the only size that is measured.
 */
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Bundle from "./bundle.ts"
import type { Measured } from "./measure.ts"
import type { Memory } from "./memory.ts"
import type { Row } from "./row.ts"
import { rows } from "./rows.ts"
import { stallRows, type Stalls } from "./stalls.ts"

const directory = import.meta.dirname
const words = process.argv.slice(2).map((word) => word.toLowerCase())
const size = words.map(Number).find(Number.isInteger)
const names = words.filter((word) => Number.isNaN(Number(word)))
const isName = (word: string): boolean => [...rows, ...stallRows].some(({ name }) => name.toLowerCase() === word)
const chosen = (name: string): boolean =>
  names.length === 0 ||
  names.some((word) => isName(word) ? name.toLowerCase() === word : name.toLowerCase().includes(word))

/** In a process of its own. */
const inProcess = <A>(what: string, name: string, count: number, flags: ReadonlyArray<string> = []): Promise<A> =>
  new Promise((resolve, reject) =>
    execFile(
      process.execPath,
      [
        "--expose-gc",
        "--conditions=effect-registry/source",
        ...flags,
        Path.join(directory, "one.ts"),
        what,
        name,
        String(count)
      ],
      { maxBuffer: 1e8 },
      (error, stdout, stderr) => error === null ? resolve(JSON.parse(stdout).result) : reject(new Error(stderr))
    )
  )

/** The threads that collect garbage would wait for a processor where others are at work. */
const oneThread = ["--single-threaded-gc"]

/** A young generation so large that nothing is collected while allocation is measured. */
const collectLate = ["--min-semi-space-size=256", "--max-semi-space-size=256"]

const time = (ns: number): string =>
  ns < 10_000
    ? `${ns.toPrecision(3)} ns`
    : ns < 1e7
    ? `${(ns / 1e3).toPrecision(3)} µs`
    : `${(ns / 1e6).toPrecision(3)} ms`
const plain = (value: number): string => String(Number(value.toPrecision(3)))
const count = (value: number): string => value.toLocaleString("en")
const met = (ratio: number, goal: number | undefined): string =>
  goal === undefined || goal === Infinity ? "" : ratio <= goal ? `≤ ${goal} met` : `≤ ${goal} **missed**`

const lines: Array<string> = []
const print = (line = ""): void => {
  lines.push(line)
  console.log(line)
}
const table = (...columns: ReadonlyArray<string>): void => {
  print(`| ${columns.join(" | ")} |`)
  print(`| ${columns.map(() => "---").join(" | ")} |`)
}
const tableLine = (...cells: ReadonlyArray<string>): void => print(`| ${cells.join(" | ")} |`)

const timed: Array<{ readonly row: Row; readonly size: number; readonly measured: Measured }> = []

const times = async (): Promise<void> => {
  const list = rows.filter(({ name }) => chosen(name))
  if (list.length === 0) return
  print("## Time")
  print()
  table("row", "work", "against", "N", "ours", "the other", "ratio", "quartiles", "of the means", "goal")
  for (const row of list) {
    for (const one of row.sizes) {
      if (size !== undefined && one !== size) continue
      const measured = await inProcess<Measured>("time", row.name, one, oneThread)
      timed.push({ row, size: one, measured })
      const { high, low, means, other, ours, ratio } = measured
      tableLine(
        row.name,
        row.work,
        row.against,
        count(one),
        time(ours),
        time(other),
        ratio.toFixed(2),
        `${low.toFixed(2)}–${high.toFixed(2)}`,
        means.toFixed(2),
        met(ratio, row.goal?.(one))
      )
    }
  }
  print()
}

const growth = (): void => {
  const grown = rows.flatMap((row) => {
    const [small, large] = [100, 1_000_000].map((one) => timed.find((t) => t.row === row && t.size === one)?.measured)
    return row.goal === undefined || small === undefined || large === undefined ? [] : [{ row, small, large }]
  })
  if (grown.length === 0) return
  print("## Growth from N = 100 to 1,000,000")
  print()
  table("row", "ours", "the other", "ratio", "goal")
  for (const { large, row, small } of grown) {
    const ours = large.ours / small.ours
    const other = large.other / small.other
    const ratio = large.ratio / small.ratio
    const perItem = row.name.includes("values") ? undefined : 1.2
    tableLine(row.name, `${plain(ours)}×`, `${plain(other)}×`, ratio.toFixed(2), met(ratio, perItem))
  }
  print()
}

const memory = async (): Promise<void> => {
  if (!chosen("memory")) return
  print("## Memory, bytes an item without the item itself")
  print()
  table("N", "what", "bytes", "against the HashMaps", "goal")
  for (const one of [10_000, 100_000, 1_000_000]) {
    if (size !== undefined && one !== size) continue
    const measured = await inProcess<ReadonlyArray<Memory>>("memory", "", one)
    const [maps] = measured
    for (const { bytes, name } of measured) {
      const ratio = bytes / maps!.bytes
      const goal = name.startsWith("a registry") ? 1.8 : undefined
      tableLine(count(one), name, bytes.toFixed(0), ratio.toFixed(2), met(ratio, goal))
    }
  }
  print()
}

const allocation = async (): Promise<void> => {
  if (!chosen("allocation")) return
  print("## Allocation, bytes an operation, N = 10,000")
  print()
  table("row", "work", "against", "ours", "the other")
  for (const row of rows) {
    if (row.kind !== "single" || !row.sizes.includes(10_000) || row.name.startsWith("peer")) continue
    const { other, ours } = await inProcess<{ readonly ours: number; readonly other: number }>(
      "allocation",
      row.name,
      10_000,
      collectLate
    )
    tableLine(row.name, row.work, row.against, ours.toFixed(0), other.toFixed(0))
  }
  print()
}

const stalls = async (): Promise<void> => {
  const list = stallRows.filter(({ name }) => chosen(name))
  if (list.length === 0) return
  print("## The longest stall")
  print()
  table("row", "work", "against", "N", "ours", "the other", "ratio", "goal")
  for (const { against, goal, name, sizes, work } of list) {
    for (const one of sizes) {
      if (size !== undefined && one !== size) continue
      const { other, ours, ratio } = await inProcess<Stalls>("stalls", name, one)
      tableLine(
        name,
        work,
        against,
        count(one),
        `${ours.toFixed(1)} ms`,
        `${other.toFixed(1)} ms`,
        ratio.toFixed(2),
        met(ratio, goal)
      )
    }
  }
  print()
}

const bundle = async (): Promise<void> => {
  if (!chosen("bundle")) return
  print("## Size of what a program carries, minified and gzipped, without effect")
  print()
  table("program", "esbuild, by subpath", "rolldown, by the index", "goal")
  for (const name of ["small", "service", "everything"] as const) {
    const sizes = [
      (await Bundle.withEsbuild(Bundle.bySubpath(Bundle[name]))).gzipped,
      (await Bundle.withRolldown(Bundle.byIndex(Bundle[name]))).gzipped
    ]
    tableLine(name, ...sizes.map(count), met(Math.max(...sizes), Bundle.goals[name]))
  }
  print()
  print("Minified bytes of everything by module, by esbuild:")
  print()
  const { parts } = await Bundle.withEsbuild(Bundle.bySubpath(Bundle.everything))
  for (const { bytes, module } of parts) print(`- ${module}: ${bytes}`)
  print()
}

const version = (name: string): string =>
  JSON.parse(Fs.readFileSync(Path.join(directory, "../node_modules", name, "package.json"), "utf8")).version

print("# Results")
print()
print(
  `${Os.cpus()[0]!.model.trim()}, ${Os.availableParallelism()} cores, ${Math.round(Os.totalmem() / 2 ** 30)} GiB; ` +
    `Node ${process.version}, V8 ${process.versions.v8}; ` +
    ["effect", "tinybench", "awilix", "hookable"].map((name) => `${name} ${version(name)}`).join(", ") + "."
)
print()
print("A ratio is the median of pairs that were measured in turn. README.md says what each row means.")
print()
await times()
growth()
await memory()
await allocation()
await stalls()
await bundle()

if (words.length === 0) Fs.writeFileSync(Path.join(directory, "RESULTS.md"), lines.join("\n").trimEnd() + "\n")
