/** The runs of a population, and the waits for them. */
import type * as Fiber from "effect/Fiber"
import type { Wait, WaitNode } from "./waiting.ts"

/**
 * The outermost populations of a registry: the one that runs, and those that wait for one. There are two runs for a while,
 * when all that waited for the first were interrupted, and it is being rolled back.
 */
export class PopulationRuns {
  /** The last that began, until it has ended. */
  holder: WaitNode | undefined = undefined
  fiber: Fiber.Fiber<unknown, unknown> | undefined = undefined
  private joining: PopulationWait | undefined = undefined

  /** A wait for a run that does not exist yet begins it in the same step. */
  begin(node: WaitNode, fiber: Fiber.Fiber<unknown, unknown>): void {
    this.holder = node
    this.fiber = fiber
    if (this.joining !== undefined) this.joining.joined = node
  }

  end(node: WaitNode): void {
    node.state = "closed"
    if (this.holder !== node) return
    this.holder = undefined
    this.fiber = undefined
  }

  wait(): Wait {
    return this.joining = new PopulationWait(this.holder)
  }

  /** The waiter is in no transaction, so nothing can wait for it: forget the wait prepared for the last one that was. */
  waitUntracked(): void {
    this.joining = undefined
  }
}

/** Waits for the run that was joined to be rolled back, even if a new one has begun. */
class PopulationWait implements Wait {
  declare joined: WaitNode | undefined

  constructor(joined: WaitNode | undefined) {
    this.joined = joined
  }

  get holder(): WaitNode | undefined {
    return this.joined?.state === "closed" ? undefined : this.joined
  }
}
