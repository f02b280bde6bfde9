/**
 * Schedulers that decide what a program's fibers meet: which of them is preempted before which operation, and which of
 * the waiting tasks runs next.
 *
 * @internal
 */
import * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"

/**
 * Where a schedule departs from the plain one, in which no fiber is preempted and tasks run in the order in which they
 * came: a fiber, counted in the order of their creation from 1 on, goes to the end of the queue before one of its
 * operations; or another task than the first of the queue is run in a turn.
 *
 * @internal
 */
export type Choice =
  | { readonly fiber: number; readonly operation: number }
  | { readonly turn: number; readonly task: number }

/**
 * Decides wherever there is a choice.
 *
 * @internal
 */
export interface Strategy {
  /** Whether a fiber is preempted before its next operation. Somebody else could go on. */
  preempts(strand: Strand, scheduler: InterleavingScheduler): boolean
  /** Which of several waiting tasks runs next. */
  picks(scheduler: InterleavingScheduler): number
}

/**
 * A fiber, as far as its scheduler knows it.
 *
 * @internal
 */
export class Strand {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly number: number
  /** The operations so far, the next one included. */
  operations = 0
  /** What it scheduled last, if that may be its own next turn. */
  task: Task | undefined = undefined

  constructor(fiber: Fiber.Fiber<unknown, unknown>, number: number) {
    this.fiber = fiber
    this.number = number
  }
}

/** @internal */
export interface Task {
  readonly run: () => void
  /** The fiber whose turn it is; nothing where a task starts or wakes others. */
  strand: Strand | undefined
  /** Whether its fiber yielded of its own accord. */
  voluntary: boolean
}

/** So many operations in one run are taken for a loop that never ends. */
const endless = 3_000_000

/**
 * Runs one program under one schedule: a strategy decides, and what it decided is written down as the choices that
 * repeat it. Tasks wait until somebody calls `runOne`.
 *
 * @internal
 */
export class InterleavingScheduler implements Scheduler.Scheduler {
  readonly executionMode = "async"
  /** The choices so far. */
  readonly schedule: Array<Choice> = []
  readonly tasks: Array<Task> = []
  /** All operations so far, and those among which there was a choice, or could have been. */
  operations = 0
  decided = 0
  turn = 0
  /** The task of the fiber that was preempted last, if nothing has happened since. */
  preempted: Task | undefined = undefined
  private readonly strategy: Strategy
  private readonly strands = new Map<number, Strand>()
  /** The first fiber that ran in this turn: others run on top of it, or after it. */
  private base: Strand | undefined = undefined
  private yielding: Strand | undefined = undefined
  private first: number | undefined = undefined
  private deciding = false

  constructor(strategy: Strategy) {
    this.strategy = strategy
  }

  /** From here on there are choices. */
  begin(fiber: Fiber.Fiber<unknown, unknown>): void {
    this.first = fiber.id
    this.deciding = true
  }

  /** From here on there are none: tasks run in the order in which they came. */
  end(): void {
    this.deciding = false
  }

  /** Whether it has run for so long that it will hardly end. */
  get endless(): boolean {
    return this.operations > endless
  }

  /** The fibers that have not ended. */
  get alive(): ReadonlyArray<Strand> {
    return Array.from(this.strands.values())
      .filter(({ fiber }) => fiber.pollUnsafe() === undefined)
      .toSorted((one, other) => one.number - other.number)
  }

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    if (++this.operations > endless) return true
    if (this.first === undefined) return false
    const strand = this.strandOf(fiber, this.first)
    strand.operations++
    // it goes on, so what it scheduled starts or wakes another
    if (strand.task !== undefined) strand.task.strand = undefined
    strand.task = undefined
    this.base ??= strand
    this.preempted = undefined
    if (!this.deciding) return false
    this.decided++
    if (this.tasks.length === 0 && this.base === strand) return false
    // it ends before it has begun: if it yielded, it would begin all the same
    if (strand.operations === 1 && this.base !== strand) return false
    if (!this.strategy.preempts(strand, this)) return false
    this.schedule.push({ fiber: strand.number, operation: strand.operations })
    this.yielding = strand
    return true
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return {
      scheduleTask: (run) => this.add(run),
      flush: () => {
        while (this.runOne());
      }
    }
  }

  /** Runs one of the waiting tasks; answers whether there was one. */
  runOne(): boolean {
    if (this.tasks.length === 0 || this.endless) return false
    this.turn++
    const index = this.deciding && this.tasks.length > 1 ? this.strategy.picks(this) : 0
    if (index > 0) this.schedule.push({ turn: this.turn, task: index })
    const [task] = this.tasks.splice(index, 1)
    if (task === undefined) return false
    this.base = undefined
    this.preempted = undefined
    task.run()
    return true
  }

  /** Interrupts what has not ended, so that it lets go of what it holds. */
  abandon(): void {
    this.deciding = false
    for (const { fiber } of this.alive) fiber.interruptUnsafe()
    for (let turns = 0; turns < 1_000 && this.runOne(); turns++);
  }

  /** Whether a fiber has only just been given its turn: to preempt it is to run another task. */
  resumed(strand: Strand): boolean {
    return strand === this.base && strand.fiber.currentOpCount === 1
  }

  private add(run: () => void): void {
    const current = Fiber.getCurrent()
    const strand = current === undefined ? undefined : this.strands.get(current.id)
    const task: Task = { run, strand, voluntary: this.yielding === undefined }
    if (strand !== undefined) {
      if (strand.task !== undefined) strand.task.strand = undefined
      strand.task = task
    }
    if (this.yielding !== undefined) this.preempted = task
    this.yielding = undefined
    this.tasks.push(task)
  }

  private strandOf(fiber: Fiber.Fiber<unknown, unknown>, first: number): Strand {
    let strand = this.strands.get(fiber.id)
    if (strand === undefined) this.strands.set(fiber.id, strand = new Strand(fiber, fiber.id - first + 1))
    return strand
  }
}

/**
 * Preempts fibers, and picks tasks, at random.
 *
 * @internal
 */
export class RandomWalk implements Strategy {
  private readonly random: () => number
  private readonly rate: number

  /** `rate` is before how many of a hundred operations a fiber is preempted. */
  constructor(seed: number, rate: number) {
    this.random = randomFrom(seed)
    this.rate = rate / 100
  }

  preempts({ fiber }: Strand): boolean {
    // a fiber that yields before each of its first operations never gets anywhere
    return fiber.currentOpCount >= 3 && this.random() < this.rate
  }

  picks({ tasks }: InterleavingScheduler): number {
    return Math.floor(this.random() * tasks.length)
  }
}

/**
 * The fiber with the highest priority runs. Priorities are drawn at random, and at `depth` operations, drawn from the
 * `operations` that the program is expected to have, the priority of the fiber that runs falls below all others.
 * (Burckhardt, Kothari, Musuvathi, Nagarakatte: "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs",
 * ASPLOS 2010.) A bug that takes d + 1 steps of n fibers in a certain order, out of k operations, is found with a
 * probability of at least 1/(n·k^d) in each run.
 *
 * @internal
 */
export class Priorities implements Strategy {
  private readonly random: () => number
  private readonly priorities = new Map<Strand, number>()
  /** Before which operations priorities change, the next one last. */
  private readonly changes: Array<number>
  private lowest = 0

  constructor(seed: number, depth: number, operations: number) {
    this.random = randomFrom(seed)
    this.changes = Array.from({ length: depth }, () => 1 + Math.floor(this.random() * operations))
      .toSorted((one, other) => other - one)
  }

  preempts(strand: Strand, scheduler: InterleavingScheduler): boolean {
    while ((this.changes.at(-1) ?? Number.POSITIVE_INFINITY) <= scheduler.decided) {
      this.changes.pop()
      this.lower(strand)
    }
    const own = this.priorityOf(strand)
    return scheduler.tasks.some((task) => this.priorityOfTask(task) > own)
  }

  picks({ tasks }: InterleavingScheduler): number {
    let best = 0
    for (let index = 1; index < tasks.length; index++) {
      if (this.priorityOfTask(tasks[index]!) > this.priorityOfTask(tasks[best]!)) best = index
    }
    return best
  }

  /** What starts or wakes a fiber has no priority of its own, and goes first: the fiber has one, and may be preempted. */
  private priorityOfTask(task: Task): number {
    if (task.strand === undefined) return Number.POSITIVE_INFINITY
    if (task.voluntary) {
      // a fiber that yields in a loop, until another has done something, lets it do that
      this.lower(task.strand)
      task.voluntary = false
    }
    return this.priorityOf(task.strand)
  }

  private priorityOf(strand: Strand): number {
    let priority = this.priorities.get(strand)
    if (priority === undefined) this.priorities.set(strand, priority = this.random())
    return priority
  }

  private lower(strand: Strand): void {
    this.priorities.set(strand, --this.lowest)
  }
}

/**
 * Makes given choices and no others. `alternative` is told of every other choice that there was after the last of them.
 *
 * @internal
 */
export class Prescribed implements Strategy {
  /** How many of the choices have not been made. */
  left: number
  private readonly preemptions = new Set<string>()
  private readonly turns = new Map<number, number>()
  private readonly alternative: ((choice: Choice) => void) | undefined

  constructor(schedule: ReadonlyArray<Choice>, alternative?: (choice: Choice) => void) {
    for (const choice of schedule) {
      if ("fiber" in choice) this.preemptions.add(`${choice.fiber} ${choice.operation}`)
      else this.turns.set(choice.turn, choice.task)
    }
    this.left = schedule.length
    this.alternative = alternative
  }

  preempts(strand: Strand, scheduler: InterleavingScheduler): boolean {
    const { number, operations } = strand
    if (this.left > 0) {
      if (this.preemptions.size === 0 || !this.preemptions.has(`${number} ${operations}`)) return false
      this.left--
      return true
    }
    if (this.alternative !== undefined && !scheduler.resumed(strand)) {
      this.alternative({ fiber: number, operation: operations })
    }
    return false
  }

  picks({ preempted, tasks, turn }: InterleavingScheduler): number {
    if (this.left > 0) {
      const task = this.turns.get(turn)
      if (task === undefined || task >= tasks.length) return 0
      this.left--
      return task
    }
    for (let task = 1; this.alternative !== undefined && task < tasks.length; task++) {
      // a fiber that was preempted does not go on before another has
      if (tasks[task] !== preempted) this.alternative({ turn, task })
    }
    return 0
  }
}

/**
 * Numbers from 0 to 1 by Marsaglia's xorshift32 ("Xorshift RNGs", Journal of Statistical Software 8, 2003).
 *
 * @internal
 */
export const randomFrom = (seed: number): () => number => {
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
 * there, and another fiber interrupts it. `"inside"`: the fiber is interrupted while it runs.
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
  private readonly fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  private readonly at: number
  private readonly from: "inside" | "outside"

  constructor(at: number, from: "inside" | "outside") {
    this.at = at
    this.from = from
  }

  /** The fibers that have run, and have not ended. */
  get alive(): ReadonlyArray<Fiber.Fiber<unknown, unknown>> {
    return Array.from(this.fibers).filter((fiber) => fiber.pollUnsafe() === undefined)
  }

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    this.fibers.add(fiber)
    const { target } = this
    if (target === undefined || ++this.operations !== this.at) return false
    // one that is interrupted while it runs is so only after its next operation, which may be to become uninterruptible
    const victim = this.from === "inside" ? fiber : target
    this.tasks.unshift(() => victim.interruptUnsafe())
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
