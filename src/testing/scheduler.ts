/**
 * Schedulers that decide, from a seed, what a program's fibers meet.
 *
 * @internal
 */
import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"

/**
 * One seed, one interleaving: before which operation a fiber yields, and which waiting task runs next, are drawn from the
 * seed. Tasks wait until somebody calls `runOne`.
 *
 * @internal
 */
export class SeededScheduler implements Scheduler.Scheduler {
  readonly executionMode = "async"
  private readonly tasks: Array<() => void> = []
  private readonly random: () => number
  private readonly rate: number

  /** `rate` is how many of a hundred operations are preceded by a yield. */
  constructor(seed: number, rate: number) {
    this.random = randomFrom(seed)
    this.rate = rate / 100
  }

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    // a fiber that yields before each of its first operations never gets anywhere
    return fiber.currentOpCount >= 3 && this.random() < this.rate
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return {
      scheduleTask: (task) => {
        this.tasks.push(task)
      },
      flush: () => {
        while (this.runOne());
      }
    }
  }

  /** Runs one of the waiting tasks; answers whether there was one. */
  runOne(): boolean {
    if (this.tasks.length === 0) return false
    const [task] = this.tasks.splice(Math.floor(this.random() * this.tasks.length), 1)
    task!()
    return true
  }
}

/** Numbers from 0 to 1 by Marsaglia's xorshift32 ("Xorshift RNGs", Journal of Statistical Software 8, 2003). */
const randomFrom = (seed: number): () => number => {
  // neighbouring seeds are spread over the whole range; the state must not be 0
  let state = Math.imul(seed + 1, 2654435761) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 4294967296
  }
}

/**
 * Interrupts a fiber when it, or one that it started, comes to the `at`th operation. `"outside"`: the fiber has yielded
 * there, and another fiber interrupts it. `"inside"`: whoever runs is interrupted while it runs.
 *
 * @internal
 */
export class InterruptingScheduler implements Scheduler.Scheduler {
  readonly executionMode = "async"
  /** The operations so far, of the fibers that it counts. */
  operations = 0
  /** The fiber whose operations, and those of all that run meanwhile, are counted. */
  target: Fiber.Fiber<unknown, unknown> | undefined
  private readonly tasks: Array<() => void> = []
  private readonly at: number
  private readonly from: "inside" | "outside"

  constructor(at: number, from: "inside" | "outside") {
    this.at = at
    this.from = from
  }

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    const { target } = this
    if (target === undefined || ++this.operations !== this.at) return false
    if (this.from === "inside") {
      fiber.interruptUnsafe()
      return false
    }
    this.tasks.unshift(() => target.interruptUnsafe())
    return true
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return {
      scheduleTask: (task) => {
        this.tasks.push(task)
      },
      flush: () => {
        while (this.runOne());
      }
    }
  }

  /** Runs the next task; answers whether there was one. */
  runOne(): boolean {
    const task = this.tasks.shift()
    task?.()
    return task !== undefined
  }
}
