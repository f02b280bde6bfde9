/** What is measured: a row has two sides that do the same work, and its result is how much longer ours takes. */

/** One side of a row. */
export interface Side {
  /** How many operations one run is. */
  readonly operations: number
  /** What has to be there before each run, and is not measured. */
  readonly prepare?: () => unknown
  /** Answers a number that depends on every result, so that nothing is optimized away. */
  readonly run: () => number | Promise<number>
}

export interface Sides {
  readonly ours: Side
  readonly other: Side
}

export interface Row {
  /** What it is called on the command line. */
  readonly name: string
  readonly work: string
  readonly against: string
  /** The largest ratio that is good enough, by the number of items; none for a peer, or what is only of interest. */
  readonly goal?: (size: number) => number
  readonly sizes: ReadonlyArray<number>
  /**
   * A `single` operation is repeated for a while in each turn; a `whole` run says something only as one, such as a
   * population.
   */
  readonly kind: "single" | "whole"
  /** How many runs each side has before it is measured; without it, as many as 100 ms take. */
  readonly warmUpRuns?: number
  readonly make: (size: number) => Promise<Sides>
}

export const allSizes = [100, 10_000, 1_000_000]
