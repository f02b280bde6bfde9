/** How two sides are measured: in turn, in one process, so that whatever disturbs the machine disturbs both. */
import { Bench } from "tinybench"
import type { Row, Side } from "./row.ts"

export interface Measured {
  /** The medians of the calm times of all turns, in nanoseconds an operation. */
  readonly ours: number
  readonly other: number
  /** The median of the ratios of the pairs, each of the calm times of its two turns, and its quartiles. */
  readonly ratio: number
  readonly low: number
  readonly high: number
  /** The same of the means, in which the collection of garbage has its share, and so has what else disturbs. */
  readonly means: number
  readonly pairs: number
}

/** Milliseconds. */
const warmUp = 100
const turn = { single: 15, whole: 0 }
const pairs = { single: 25, whole: 9 }

/** How many runs a turn of a side has at least. */
const runs = ({ kind }: Row, { operations }: Side): number => kind === "single" || operations > 10_000 ? 1 : 7

let used = 0

/** Adds what a run answered to the checksum. */
export const use = (result: number): void => {
  used = (used + result) % 1_000_003
}

/** What all runs answered together: whoever prints it has used every result. */
export const checksum = (): number => used

/** Nanoseconds an operation, in the runs of one turn. */
interface Turn {
  /** The lower quartile: what is above was disturbed, by the collection of garbage or by what else is at work. */
  readonly calm: number
  readonly mean: number
}

const takeTurn = async (row: Row, side: Side, time: number): Promise<Turn> => {
  const iterations = runs(row, side)
  const bench = new Bench({ time, iterations, warmup: false, retainSamples: true })
  // whatever one side left behind is not to be cleared away in the time of the other
  if (time === 0) globalThis.gc?.()
  else globalThis.gc?.({ type: "minor" })
  bench.add(
    "side",
    async () => {
      use(await side.run())
    },
    { async: true, ...(side.prepare === undefined ? {} : { beforeEach: async () => void await side.prepare!() }) }
  )
  const [task] = await bench.run()
  const { result } = task!
  if (result.state !== "completed") throw result.state === "errored" ? result.error : new Error(result.state)
  const { mean, samples } = result.latency
  return { calm: quantile(samples!, 0.25) * 1e6 / side.operations, mean: mean * 1e6 / side.operations }
}

/** What is not measured does not count. */
const warmUpBoth = async (row: Row, sides: ReadonlyArray<Side>): Promise<void> => {
  for (const side of sides) {
    for (let run = 0; run < (row.warmUpRuns ?? 0); run++) {
      await side.prepare?.()
      use(await side.run())
    }
    let warm = 0
    while (warm < warmUp) {
      const time = row.kind === "single" ? warmUp / 4 : 0
      const { mean } = await takeTurn(row, side, time)
      warm += Math.max(time, runs(row, side) * mean * side.operations / 1e6)
    }
  }
}

export const measure = async (row: Row, size: number): Promise<Measured> => {
  const { other, ours } = await row.make(size)
  await warmUpBoth(row, [other, ours])
  const long = row.kind === "single" ? turn.single : turn.whole
  const taken: Array<{ readonly ours: Turn; readonly other: Turn }> = []
  for (let pair = 0; pair < pairs[row.kind]; pair++) {
    const oursFirst = pair % 2 === 0
    const first = await takeTurn(row, oursFirst ? ours : other, long)
    const second = await takeTurn(row, oursFirst ? other : ours, long)
    taken.push(oursFirst ? { ours: first, other: second } : { ours: second, other: first })
  }
  const ratios = taken.map((pair) => pair.ours.calm / pair.other.calm)
  return {
    ours: quantile(taken.map((pair) => pair.ours.calm), 0.5),
    other: quantile(taken.map((pair) => pair.other.calm), 0.5),
    ratio: quantile(ratios, 0.5),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
    means: quantile(taken.map((pair) => pair.ours.mean / pair.other.mean), 0.5),
    pairs: taken.length
  }
}

const quantile = (values: ReadonlyArray<number>, q: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.round((sorted.length - 1) * q)]!
}
