/**
 * Random programs under random schedules, against the model, for as long as it is told.
 *
 * `npm run test:soak -- --minutes 10`; `-- --program histories --seed 7` runs one round again.
 */
import { Effect } from "effect"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import { parseArgs } from "node:util"
import * as Histories from "../utils/histories.ts"
import { meddling } from "../utils/meddling.ts"
import * as Sequences from "../utils/sequences.ts"
import * as Trees from "../utils/trees.ts"

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "1" }, program: { type: "string" }, seed: { type: "string" } }
})

const figures = { programs: 0, schedules: 0, histories: 0, interrupted: 0 }

const schedulesOf = async <E>(program: Effect.Effect<unknown, E>, options: RegistryTest.InterleaveOptions) => {
  const report = await Effect.runPromise(RegistryTest.interleave(program, options))
  figures.schedules += report.schedules
}

const property = <A>(programs: fc.Arbitrary<A>, check: (program: A) => Promise<void>, seed: number): Promise<void> =>
  fc.assert(
    fc.asyncProperty(programs, async (program) => {
      await check(program)
      figures.programs++
    }),
    { seed, numRuns: 20 }
  )

/** The seeds of a round, which are unique. */
const seedsOf = (seed: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, index) => seed * count + index)

const historiesOf =
  <A>(check: (program: A, figures: Histories.Figures) => Effect.Effect<void, unknown>, seed: number) =>
  async (program: A): Promise<void> => {
    for (const strategy of ["random", "pct"] as const) {
      await schedulesOf(check(program, figures), { strategy, seeds: seedsOf(seed, 10) })
    }
  }

/** One round of each kind of program, determined by the seed. */
const rounds: Readonly<Record<string, (seed: number) => Promise<unknown>>> = {
  histories: (seed) => property(Histories.program, historiesOf(Histories.check, seed), seed),
  watching: (seed) => property(Histories.watchedProgram, historiesOf(Histories.check, seed), seed),
  together: (seed) => property(Histories.jointProgram, historiesOf(Histories.checkJoint, seed), seed),
  registries: async (seed) => {
    for (const program of seedsOf(seed, 50)) {
      await schedulesOf(meddling(program), { seeds: [program] })
      figures.programs++
    }
  },
  transactions: (seed) =>
    property(Trees.tree, (tree) => schedulesOf(Trees.check(tree), { seeds: seedsOf(seed, 5) }), seed),
  sequences: (seed) =>
    property(
      fc.tuple(fc.constantFrom(...Sequences.kinds), Sequences.commands),
      ([kind, program]) => Sequences.check(kind, program),
      seed
    )
}

/** A round takes a second or two. */
const patience = 60_000

const ended = async (round: Promise<unknown>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const hung = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The round has not ended after ${patience / 1000} s.`)), patience)
  })
  try {
    await Promise.race([round, hung])
  } finally {
    clearTimeout(timer)
  }
}

const start = performance.now()
const minutes = (): number => (performance.now() - start) / 60_000

const figure = (count: number, what: string): string => `${count.toLocaleString("en")} ${what}`

const tell = (): void => {
  console.log(
    `${minutes().toFixed(1)} minutes: ${figure(figures.programs, "programs")}, ` +
      `${figure(figures.schedules, "schedules")}, ${figure(figures.histories, "histories")}, ` +
      `${figure(figures.interrupted, "of them interrupted")}; no failure`
  )
}

const main = async (): Promise<number> => {
  const names = Object.keys(rounds).filter((name) => values.program === undefined || name === values.program)
  const limit = Number(values.minutes)
  if (names.length === 0 || Number.isNaN(limit)) {
    console.error(`--minutes takes a number, --program one of ${Object.keys(rounds).join(", ")}, --seed a whole number`)
    return 2
  }
  let told = 0
  let seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000))
  do {
    for (const name of names) {
      try {
        await ended(rounds[name]!(seed))
      } catch (error) {
        console.error(error instanceof Error ? error.message : error)
        console.error(`\nTo run it again: npm run test:soak -- --program ${name} --seed ${seed}`)
        return 1
      }
    }
    seed++
    if (minutes() - told >= 1) {
      told = minutes()
      tell()
    }
  } while (values.seed === undefined && minutes() < limit)
  tell()
  return 0
}

process.exit(await main())
