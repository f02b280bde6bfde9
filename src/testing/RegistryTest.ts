/**
 * Tools to test programs that share registries: many schedules of one program, and an interruption at every step.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import { InterruptingScheduler, SeededScheduler } from "./scheduler.ts"

/**
 * A schedule under which a program failed, or never ended.
 *
 * `interleave` with this seed alone runs it again.
 *
 * @category errors
 * @since 0.1.0
 */
export class ScheduleFailure extends Schema.TaggedError<ScheduleFailure>()("ScheduleFailure", {
  seed: Schema.Number,
  /** Why the program failed; without it the program hung: no task was left, and it had not ended. */
  cause: Schema.optionalKey(Schema.Unknown)
}) {
  override get message(): string {
    const what = this.cause === undefined
      ? "hung: no task is left, and it has not ended"
      : `failed: ${Cause.isCause(this.cause) ? Cause.pretty(this.cause) : String(this.cause)}`
    return `Under the schedule of seed ${this.seed} the program ${what}`
  }
}

/**
 * What `interleave` tried.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly schedules: number
}

/**
 * Runs a program under one schedule for each seed, and fails with the first under which it fails or hangs.
 *
 * Before which operations fibers yield, and which waiting fiber goes on, is drawn from the seed. Build the registry
 * inside the program: a population runs in the context of who built it. Time has to be a `TestClock`'s; what waits for
 * the world outside (a timer, a file) counts as hanging.
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
 * @category running
 * @since 0.1.0
 */
export const interleave = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  options: {
    /** How many seeds to try, from 0 on, or which. */
    readonly seeds: number | Iterable<number>
    /** How many of a hundred operations are preceded by a yield. Defaults to 20. */
    readonly rate?: number | undefined
  }
): Effect.Effect<Report, ScheduleFailure, R> =>
  Effect.gen(function*() {
    const seeds = typeof options.seeds === "number"
      ? Array.from({ length: options.seeds }, (_, seed) => seed)
      : Array.from(options.seeds)
    for (const seed of seeds) {
      const exit = yield* runUnder(program, new SeededScheduler(seed, options.rate ?? 20))
      if (exit === undefined) return yield* new ScheduleFailure({ seed })
      if (Exit.isFailure(exit)) return yield* new ScheduleFailure({ seed, cause: exit.cause })
    }
    return { schedules: seeds.length }
  })

/**
 * Interrupts an operation at each of its steps, one run a step, until a run ends before its step comes. Answers how many
 * runs were interrupted.
 *
 * Each run has its own `setup`, which is not interrupted; `check` looks at what the interruption left. `"outside"` (the
 * default) is an interruption by another fiber, while the operation's has yielded; with `"inside"` whoever runs, a child
 * for instance, is interrupted while it runs.
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
      const exit = yield* runUnder(Effect.suspend(() => options.run(setup)), scheduler, (fiber) => {
        scheduler.target = fiber
      })
      scheduler.target = undefined
      if (exit === undefined) return yield* Effect.die(new Error(`Interrupted at step ${at}, the operation hung.`))
      yield* ended(at, yield* runUnder(Effect.suspend(() => options.check(setup, exit, at)), scheduler))
      if (scheduler.operations < at) return at - 1
    }
  })

const ended = <A, E>(step: number, exit: Exit.Exit<A, E> | undefined): Effect.Effect<A, E> =>
  exit ?? Effect.die(new Error(`What comes before and after the operation hung, at step ${step}.`))

/** Runs a program on a scheduler until it ends; nothing if it does not, though no task is left. */
const runUnder = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  scheduler: SeededScheduler | InterruptingScheduler,
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
    fiber.interruptUnsafe()
    return undefined
  })

/** The turns of the event loop in which a program may do nothing. */
const patience = 10
