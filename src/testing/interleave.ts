/**
 * Runs a program under many schedules, and reduces a failing schedule.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { innermost } from "../internal/engine/current.ts"
import {
  type Choice,
  InterleavingScheduler,
  InterruptingScheduler,
  Prescribed,
  Priorities,
  RandomWalk,
  type Strand,
  type Strategy
} from "./scheduler.ts"

/**
 * A deviation from the plain schedule, in which no fiber is preempted and waiting tasks run in order. Either a fiber is
 * preempted before one of its operations (fibers are counted by their creation; the program is 1), or a waiting task
 * other than the first (0) runs.
 *
 * @category models
 * @since 0.1.0
 */
export type ScheduleChoice = Choice

/**
 * A schedule under which a program failed, or never ended.
 *
 * `interleave(program, { schedule })` runs it again. With a `seed`, the schedule was found at random, and reduced to
 * the fewest preemptions that still make the program fail.
 *
 * @category errors
 * @since 0.1.0
 */
export class ScheduleFailure extends Schema.TaggedError<ScheduleFailure>()("ScheduleFailure", {
  strategy: Schema.Literals(["random", "pct", "exhaustive", "replay"]),
  seed: Schema.optionalKey(Schema.Number),
  schedule: Schema.Array(Schema.Union([
    Schema.Struct({ fiber: Schema.Number, operation: Schema.Number }),
    Schema.Struct({ turn: Schema.Number, task: Schema.Number })
  ])),
  /** Why the program failed. Absent if it did not end. */
  cause: Schema.optionalKey(Schema.Unknown),
  /** The fibers that wait forever. Empty if the program still runs after very many operations. */
  waiting: Schema.Array(Schema.String),
  text: Schema.String
}) {
  override get message(): string {
    return this.text
  }
}

/**
 * The result of `interleave`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly schedules: number
  /** For an exhaustive search: whether every schedule with at most that many preemptions was tried. */
  readonly complete?: boolean
}

/**
 * How `interleave` chooses schedules.
 *
 * @category models
 * @since 0.1.0
 */
export interface InterleaveOptions {
  /**
   * - `"random"` (the default) preempts fibers, and picks what runs next, at random.
   * - `"pct"` gives random priorities to fibers, and changes them at `depth` operations: it finds what needs few
   *   preemptions in a long program with a known probability. The program is run once before, to see how long it is.
   * - `"exhaustive"` tries all there are for a small program, those with the fewest preemptions first.
   */
  readonly strategy?: "random" | "pct" | "exhaustive" | undefined
  /** `"random"`, `"pct"`: the number of seeds, from 0 on, or the seeds. Defaults to 100. */
  readonly seeds?: number | Iterable<number> | undefined
  /** `"random"`: the percentage of operations before which a fiber is preempted. Defaults to 20. */
  readonly rate?: number | undefined
  /** `"pct"`: how often the running fiber gets the lowest priority. Defaults to 3. */
  readonly depth?: number | undefined
  /** `"exhaustive"`: the maximum number of preemptions in a schedule. Defaults to 2. */
  readonly preemptions?: number | undefined
  /** `"exhaustive"`: the maximum number of schedules. Defaults to 100,000. */
  readonly limit?: number | undefined
  /** Run only this schedule: that of a `ScheduleFailure`. */
  readonly schedule?: ReadonlyArray<ScheduleChoice> | undefined
}

/**
 * Runs a program under many schedules. Fails with the first schedule under which the program fails or hangs, reduced to
 * the fewest preemptions that still make it do so.
 *
 * **Details**
 *
 * A schedule says before which operations fibers are preempted, and which waiting task runs next. A preemption may
 * precede every operation of the run loop (a `flatMap`, a `sync`) if another fiber can run. An exhaustive search tries
 * every choice among waiting tasks, and bounds the preemptions: nearly all races need one or two.
 *
 * Each run has its own `TestClock`, which starts at 0 and stands still until the program calls `TestClock.adjust`. A
 * run hangs if no task is left and the program has not ended. This is detected immediately, and reported with the
 * waiting fibers and their transactions. Interrupting `interleave` takes effect between two runs.
 *
 * **Gotchas**
 *
 * Build the registry inside the program, because a population runs in the context in which the registry was made.
 * Waiting for something outside the program (a timer, a file) counts as hanging. Results that depend on it, or on
 * chance, are not repeatable.
 *
 * **Example** (Two fibers that register the same item)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { RegistryTest } from "effect-registry/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const registry = yield* Registry.make<string>()({ lookup: [] })
 *   const register = Effect.exit(Registry.register(registry, "a"))
 *   yield* Effect.all([register, register], { concurrency: "unbounded" })
 *   const size = yield* Registry.size(registry)
 *   if (size !== 1) return yield* Effect.die(`${size} items`)
 * }))
 *
 * await Effect.runPromise(RegistryTest.interleave(program, { seeds: 100 })) // => { schedules: 100 }
 * ```
 *
 * **Example** (A race, and the one preemption that it takes)
 *
 * ```ts
 * import { RegistryTest } from "effect-registry/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   let count = 0
 *   const increment = Effect.flatMap(Effect.sync(() => count), (seen) => Effect.sync(() => { count = seen + 1 }))
 *   yield* Effect.all([increment, increment], { concurrency: "unbounded" })
 *   if (count !== 2) return yield* Effect.die(`counted ${count}`)
 * })
 *
 * const failure = await Effect.runPromise(Effect.flip(RegistryTest.interleave(program, { strategy: "exhaustive" })))
 * failure.schedule.length // => 1
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const interleave = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  options: InterleaveOptions = {}
): Effect.Effect<Report, ScheduleFailure, R> => {
  if (options.schedule !== undefined) return replay(program, options.schedule)
  switch (options.strategy) {
    case "exhaustive":
      return exhaustive(program, options)
    case "pct":
      return pct(program, options)
    default:
      return sample(program, "random", options, (seed) => new RandomWalk(seed, options.rate ?? 20))
  }
}

const replay = <A, E, R>(program: Effect.Effect<A, E, R>, schedule: ReadonlyArray<Choice>) =>
  Effect.gen(function*() {
    const run = yield* runOnce(program, new Prescribed(schedule))
    if (run.failed) return yield* failureOf("replay", run)
    return { schedules: 1 }
  })

const exhaustive = <A, E, R>(program: Effect.Effect<A, E, R>, options: InterleaveOptions) =>
  Effect.gen(function*() {
    const found = yield* explore(program, options.preemptions ?? 2, options.limit ?? 100_000, (run) => run.failed)
    if (found.run !== undefined) return yield* failureOf("exhaustive", found.run)
    return { schedules: found.schedules, complete: found.complete }
  })

const pct = <A, E, R>(program: Effect.Effect<A, E, R>, options: InterleaveOptions) =>
  Effect.gen(function*() {
    const plain = yield* runOnce(program, new Prescribed([]))
    if (plain.failed) return yield* failureOf("pct", plain)
    return yield* sample(
      program,
      "pct",
      options,
      (seed) => new Priorities(seed, options.depth ?? 3, plain.operations)
    )
  })

/** One run for each seed. */
const sample = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  name: "random" | "pct",
  options: InterleaveOptions,
  strategy: (seed: number) => Strategy
): Effect.Effect<Report, ScheduleFailure, R> =>
  Effect.gen(function*() {
    const { seeds = 100 } = options
    let schedules = 0
    for (const seed of typeof seeds === "number" ? Array.from({ length: seeds }, (_, index) => index) : seeds) {
      const run = yield* runOnce(program, strategy(seed))
      if (run.failed) return yield* failureOf(name, yield* reduce(program, run), seed)
      schedules++
    }
    return { schedules }
  })

const failureOf = (strategy: "random" | "pct" | "exhaustive" | "replay", run: Run, seed?: number): ScheduleFailure => {
  const { exit, schedule, waiting } = run
  const under = seed === undefined ? "one schedule" : `the schedule of seed ${seed}`
  const choices = schedule.map((choice) =>
    "fiber" in choice
      ? `{ fiber: ${choice.fiber}, operation: ${choice.operation} }`
      : `{ turn: ${choice.turn}, task: ${choice.task} }`
  )
  return new ScheduleFailure({
    strategy,
    schedule,
    waiting,
    text: `Under ${under} (${strategy}) the program ${whatOf(run)}\n` +
      `To run it again: RegistryTest.interleave(program, { schedule: [${choices.join(", ")}] })`,
    ...(seed === undefined ? {} : { seed }),
    ...(exit !== undefined && Exit.isFailure(exit) ? { cause: exit.cause } : {})
  })
}

const whatOf = ({ exit, waiting }: Run): string => {
  if (exit !== undefined && Exit.isFailure(exit)) return `failed: ${Cause.pretty(exit.cause)}`
  return waiting.length === 0
    ? "runs, and runs, and does not end"
    : `hung: no task is left, and it has not ended. These fibers wait:\n${
      waiting.map((fiber) => `  ${fiber}`).join("\n")
    }`
}

// ---------------------------------------------------------------------------------------------------------------------
// One run
// ---------------------------------------------------------------------------------------------------------------------

/** What came of a program under one schedule. */
interface Run {
  readonly schedule: ReadonlyArray<Choice>
  /** Those of the program itself. */
  readonly operations: number
  /** Nothing if it has not ended. */
  readonly exit: Exit.Exit<unknown, unknown> | undefined
  readonly failed: boolean
  readonly waiting: ReadonlyArray<string>
}

const runOnce = <A, E, R>(program: Effect.Effect<A, E, R>, strategy: Strategy): Effect.Effect<Run, never, R> =>
  Effect.gen(function*() {
    const scheduler = new InterleavingScheduler(strategy)
    const decided = Effect.onExitPrimitive(
      Effect.withFiber((fiber) => {
        scheduler.begin(fiber)
        return program
      }),
      () => {
        scheduler.end()
        return undefined
      }
    )
    const exit = yield* runUnder(Effect.provide(decided, TestClock.layer()), scheduler)
    const { decided: operations, schedule } = scheduler
    if (exit !== undefined) return { schedule, operations, exit, failed: Exit.isFailure(exit), waiting: [] }
    const waiting = scheduler.endless ? [] : scheduler.alive.map(describe)
    scheduler.abandon()
    return { schedule, operations, exit, failed: true, waiting }
  })

/** What can be told of a fiber that waits: which transaction it is in, and what that waits for. */
const describe = ({ fiber, number, operations }: Strand): string => {
  const itself = `fiber ${number}, before its operation ${operations + 1}`
  const party = innermost(fiber.context)
  if (party === undefined) return itself
  const holders = Array.from(party.waits ?? [], ({ holder }) => holder)
    .map((holder) => holder === undefined ? "a lock" : `"${holder.operation}" of "${holder.name}"`)
  const waits = holders.length === 0 ? "" : `, which waits for ${holders.join(" and ")}`
  return `${itself}, in "${party.operation}" of "${party.name}"${waits}`
}

/** Runs a program on a scheduler until it ends; nothing if it does not, though no task is left, or for too long. */
const runUnder = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  scheduler: InterleavingScheduler | InterruptingScheduler,
  onFork: (fiber: Fiber.Fiber<A, E>) => void = () => {}
): Effect.Effect<Exit.Exit<A, E> | undefined, never, R> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkDetach(Effect.provideService(program, Scheduler.Scheduler, scheduler))
    onFork(fiber)
    for (let idle = 0; idle < patience; idle++) {
      while (scheduler.runOne()) idle = 0
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return exit
      // what a promise resumes comes with a later turn of the event loop
      yield* Effect.yieldNow
    }
    return undefined
  })

/** The turns of the event loop in which a program may do nothing. */
const patience = 10

// ---------------------------------------------------------------------------------------------------------------------
// All schedules
// ---------------------------------------------------------------------------------------------------------------------

/** A schedule: another one and a choice after its last. */
interface Node {
  readonly choice: Choice
  readonly before: Node | undefined
}

const choicesOf = (node: Node | undefined): ReadonlyArray<Choice> => {
  const choices: Array<Choice> = []
  for (; node !== undefined; node = node.before) choices.push(node.choice)
  return choices.toReversed()
}

interface Explored {
  readonly schedules: number
  readonly complete: boolean
  readonly run: Run | undefined
}

/** Tries all schedules, those with the fewest preemptions first, until one is what is looked for. */
const explore = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  bound: number,
  limit: number,
  found: (run: Run) => boolean
): Effect.Effect<Explored, never, R> =>
  Effect.gen(function*() {
    let schedules = 0
    let level: Array<Node | undefined> = [undefined]
    for (let preemptions = 0; preemptions <= bound; preemptions++) {
      const next: Array<Node> = []
      while (level.length > 0) {
        if (schedules === limit) return { schedules, complete: false, run: undefined }
        const before = level.pop()
        const strategy = new Prescribed(choicesOf(before), (choice) => {
          // more than the limit will not be tried
          if (!("fiber" in choice)) push(level, limit, { choice, before })
          else if (preemptions < bound) push(next, limit, { choice, before })
        })
        const run = yield* runOnce(program, strategy)
        schedules++
        if (strategy.left > 0) return yield* Effect.die(new Error(unsteady))
        if (found(run)) return { schedules, complete: false, run }
      }
      level = next
    }
    return { schedules, complete: true, run: undefined }
  })

const push = <A>(list: Array<A>, limit: number, one: A): void => {
  if (list.length < limit) list.push(one)
}

const unsteady =
  "A program that does not do the same under the same schedule (because of chance, of time, of what an " +
  "earlier run left) cannot be run under all schedules."

// ---------------------------------------------------------------------------------------------------------------------
// Reducing
// ---------------------------------------------------------------------------------------------------------------------

const preemptionsOf = ({ schedule }: Run): number => schedule.filter((choice) => "fiber" in choice).length

/**
 * Leaves away choices, many at once and then one by one, for as long as the program still fails in the same way (Zeller
 * and Hildebrandt's delta debugging). Then tries all schedules, up to a number, that have fewer preemptions.
 */
const reduce = <A, E, R>(program: Effect.Effect<A, E, R>, failing: Run): Effect.Effect<Run, never, R> =>
  Effect.gen(function*() {
    const alike = (run: Run) => run.failed && (run.exit === undefined) === (failing.exit === undefined)
    let least = failing
    let runs = 0
    for (let size = least.schedule.length; size > 0;) {
      const { length } = least.schedule
      for (let from = 0; from < least.schedule.length && runs < reductions; runs++) {
        const run = yield* runOnce(program, new Prescribed(least.schedule.toSpliced(from, size)))
        if (alike(run)) least = run
        else from += size
      }
      // one by one until nothing more can go
      if (size > 1 || least.schedule.length === length) size = Math.floor(size / 2)
    }
    const explored = yield* explore(program, preemptionsOf(least) - 1, reductions, alike)
    return explored.run ?? least
  })

/** How many runs each of the two parts of a reduction may take. */
const reductions = 1_000

// ---------------------------------------------------------------------------------------------------------------------
// Interruptions
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Interrupts an operation at each of its steps, one run for each step, until a run ends before its step. Returns the
 * number of interrupted runs.
 *
 * Each run has its own `setup`, which is not interrupted. `check` inspects the state after the interruption.
 * `interruptEach` dies if a fiber that began after the setup is still running then. With `"outside"` (the default) the
 * fiber of the operation is interrupted, with `"inside"` the fiber that is running, for instance a child.
 *
 * Runs are sequential. Each waits for what its operation waits for.
 *
 * **Example** (A registration is there or not, whenever it is interrupted)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { RegistryTest } from "effect-registry/testing"
 * import { Effect } from "effect"
 *
 * const interrupted = RegistryTest.interruptEach({
 *   setup: Registry.make<string>()({ lookup: [] }),
 *   run: (registry) => Registry.register(registry, "a"),
 *   check: (registry) => Effect.map(Registry.size(registry), (size) => {
 *     if (size > 1) throw new Error(`${size} items`)
 *   })
 * })
 *
 * const program = Effect.map(Effect.scoped(interrupted), (steps) => steps > 0)
 *
 * await Effect.runPromise(program) // => true
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const interruptEach = <A, E, R, B, E2, R2, E3, R3>(options: {
  readonly setup: Effect.Effect<A, E, R>
  readonly run: (setup: A) => Effect.Effect<B, E2, R2>
  readonly check: (setup: A, exit: Exit.Exit<B, E2>, step: number) => Effect.Effect<unknown, E3, R3>
  readonly from?: "inside" | "outside" | undefined
}): Effect.Effect<number, E | E3, R | R2 | R3> =>
  Effect.gen(function*() {
    for (let at = 1;; at++) {
      const scheduler = new InterruptingScheduler(at, options.from ?? "outside")
      // all of it runs on the scheduler, because a registry populates on that of its builder
      const setup = yield* ended(at, yield* runUnder(options.setup, scheduler))
      const before = scheduler.alive
      const exit = yield* runUnder(Effect.suspend(() => options.run(setup)), scheduler, (fiber) => {
        scheduler.target = fiber
      })
      scheduler.target = undefined
      if (exit === undefined) return yield* Effect.die(new Error(`Interrupted at step ${at}, the operation hung.`))
      yield* ended(at, yield* runUnder(Effect.suspend(() => options.check(setup, exit, at)), scheduler))
      const left = scheduler.alive.filter((fiber) => !before.includes(fiber))
      if (left.length > 0) {
        return yield* Effect.die(
          new Error(`Interrupted at step ${at}, the operation left ${left.length} fiber(s) running.`)
        )
      }
      if (scheduler.operations < at) return at - 1
    }
  })

const ended = <A, E>(step: number, exit: Exit.Exit<A, E> | undefined): Effect.Effect<A, E> =>
  exit ?? Effect.die(new Error(`What comes before and after the operation hung, at step ${step}.`))
