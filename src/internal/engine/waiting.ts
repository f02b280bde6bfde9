/**
 * The wait-for graph. A wait leads from everything that the waiting fiber is in to the holder of what it waits for. A wait
 * that would close a circle dies at once.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Semaphore from "effect/Semaphore"
import * as RegistryError from "../../RegistryError.ts"
import { type Definition, failure } from "../store/definition.ts"
import { show } from "../store/wording.ts"

/** Names a registry, and words its errors. `names` are those of several registries. */
export type ErrorSource = Pick<Definition<never>, "name" | "messages"> & { readonly names?: ReadonlyArray<string> }

/** What a fiber waits for, as long as it does. */
export interface Wait {
  readonly holder: WaitNode | undefined
}

/** A node of the wait-for graph: a transaction, or the run of a population before it has its lock. */
export class WaitNode {
  declare readonly source: ErrorSource
  declare readonly operation: string
  /** The node that was innermost when this one began. */
  declare readonly outer: WaitNode | undefined
  /** The fiber that holds a lock for it. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined = undefined
  /** What the fibers that are in this node wait for now. */
  waits: Set<Wait> | undefined = undefined
  state: "open" | "undoing" | "closed" = "open"

  constructor(source: ErrorSource, operation: string, outer: WaitNode | undefined) {
    this.source = source
    this.operation = operation
    this.outer = outer
  }

  get name(): string {
    return this.source.name
  }

  /** The fiber that gives up where it cannot wait. */
  get waiter(): Fiber.Fiber<unknown, unknown> | undefined {
    return this.fiber
  }
}

/**
 * A lock that a node holds. A free lock is taken in the step that begins, and given back in the step that ends. Fibers that
 * find it held wait in line, for the permit of a semaphore; the first in line waits for the lock itself.
 */
export class Lock {
  holder: WaitNode | undefined = undefined
  private readonly line = Semaphore.makeUnsafe(1)
  private inLine = 0
  private wake: (() => void) | undefined = undefined
  private ended = false

  /**
   * Takes the lock for a node: at once if it is free and nobody waits for it, else in turn. It is run where it cannot be
   * interrupted; `restore` lets the wait be.
   */
  take(
    waiting: WaitNode | undefined,
    node: WaitNode,
    restore: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  ): Effect.Effect<void> {
    if (this.holder === undefined && this.inLine === 0) {
      this.holder = node
      return Effect.void
    }
    this.inLine++
    const taking = Effect.flatMap(this.untilFree, () => {
      if (this.ended) return Effect.interrupt
      this.holder = node
      return Effect.void
    })
    const turn = this.line.withPermit(taking)
    const waitingInLine = waiting === undefined ? turn : waitFor(waiting, this.wait(), turn)
    const { waiter } = node
    const waited = waiter === undefined
      ? waitingInLine
      : unlessSync(waiter, node.source, () => show(this.holder?.operation ?? "another operation"), waitingInLine)
    return Effect.matchCauseEffect(restore(waited), {
      onFailure: (cause) => {
        this.inLine--
        // an interruption may come when the lock was taken
        if (this.holder === node) this.release()
        return Effect.failCause(cause)
      },
      onSuccess: () => {
        this.inLine--
        return Effect.void
      }
    })
  }

  /** Several fibers of a node may wait for one lock: each has a wait of its own. */
  private wait(): Wait {
    const holder = () => this.holder
    return {
      get holder() {
        return holder()
      }
    }
  }

  /** Gives the lock back. The first in line runs later, in a step of its own. */
  release(): void {
    this.holder = undefined
    this.wakeLater()
  }

  /** Interrupts the fibers that wait, now or later. The holder keeps the lock. */
  end(): void {
    this.ended = true
    this.wakeLater()
  }

  private wakeLater(): void {
    const { wake } = this
    if (wake === undefined) return
    this.wake = undefined
    // a lock is given back in a step of a fiber
    Fiber.getCurrent()!.currentDispatcher.scheduleTask(wake, 0)
  }

  /** It looks, and begins to wait, in one step. */
  private readonly untilFree: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.holder === undefined || this.ended) {
      resume(Effect.void)
      return
    }
    this.wake = () => resume(Effect.void)
    return Effect.sync(() => {
      this.wake = undefined
    })
  })

  /** Holds the lock as long as an effect runs, on behalf of a node. */
  hold<A, E, R>(
    node: WaitNode,
    effect: Effect.Effect<A, E, R>,
    holder = new WaitNode(node.source, node.operation, node)
  ): Effect.Effect<A, E, R> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(this.take(node, holder, restore), () =>
        Effect.onExitPrimitive(restore(effect), () => {
          // transactions that the effect began have taken it over, and given it back
          if (this.holder === holder) this.release()
          return undefined
        }))
    )
  }
}

/**
 * Runs an effect that waits for something on behalf of a node, and of every node around it. Dies at once if the wait leads
 * back to one of them, over however many others: it would never end.
 */
export const waitFor = <A, E, R>(node: WaitNode, wait: Wait, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.onExitPrimitive(
    Effect.suspend(() => {
      const circle = findCircle(node, wait)
      if (circle !== undefined) return Effect.die(deadlock(node, circle))
      for (let one: WaitNode | undefined = node; one !== undefined; one = one.outer) {
        ;(one.waits ??= new Set()).add(wait)
      }
      return effect
    }),
    () => {
      for (let one: WaitNode | undefined = node; one !== undefined; one = one.outer) one.waits?.delete(wait)
      return undefined
    }
  )

/** The nodes over which a wait would lead back to the waiting one. The last one to wait sees the circle, so it sees it whole. */
const findCircle = (node: WaitNode, wait: Wait): ReadonlyArray<WaitNode> | undefined => {
  const seen = new Set<WaitNode>()
  const follow = (holder: WaitNode | undefined): ReadonlyArray<WaitNode> | undefined => {
    if (holder === undefined || seen.has(holder)) return undefined
    seen.add(holder)
    for (let one: WaitNode | undefined = node; one !== undefined; one = one.outer) {
      if (one === holder) return [holder]
    }
    for (const next of holder.waits ?? []) {
      const rest = follow(next.holder)
      if (rest !== undefined) return [holder, ...rest]
    }
    return undefined
  }
  return follow(wait.holder)
}

const deadlock = (node: WaitNode, circle: ReadonlyArray<WaitNode>): RegistryError.DeadlockError => {
  const nodes = circle.at(-1) === node ? [node, ...circle.slice(0, -1)] : [node, ...circle]
  return failure(node.source, RegistryError.DeadlockError, {
    code: "deadlock",
    chain: Array.from(new Set(nodes.flatMap(({ source: { name, names = [name] } }) => names))),
    waits: nodes.map(({ name, operation }) => ({ registry: name, operation }))
  })
}

/** The defect of a transaction that would wait for a change of its own registry. */
export const waitsForItself = ({ name, operation, source }: WaitNode, waiting: string): RegistryError.DeadlockError =>
  failure(source, RegistryError.DeadlockError, {
    code: "deadlock",
    chain: [name],
    waits: [{ registry: name, operation: waiting }, { registry: name, operation }]
  })

/** Whether a fiber may be run by `Effect.runSync`. An atom runs its fiber in the same way, and then waits for it. */
export const mayBeSync = ({ cache, context }: Fiber.Fiber<unknown, unknown>): boolean =>
  cache.scheduler.executionMode === "sync" && !context.mapUnsafe.has("~effect/reactivity/AtomRegistry")

/**
 * `Effect.runSync` runs its fiber until there is nothing left to do, and forgets it. So that nothing goes on behind its back,
 * the effect that the fiber waits for then is interrupted, and the fiber dies with a message. Before that, the fiber of a
 * population that began with it does what it can.
 */
export const unlessSync = <A, E, R>(
  fiber: Fiber.Fiber<unknown, unknown>,
  { name }: ErrorSource,
  what: () => string,
  waiting: Effect.Effect<A, E, R>,
  population?: { readonly fiber: Fiber.Fiber<unknown, unknown> | undefined }
): Effect.Effect<A, E, R> => {
  if (!mayBeSync(fiber)) return waiting
  const givingUp = Effect.callback<never>((resume) => {
    let isOver = false
    const end = () => {
      isOver = true
    }
    // a fiber that is not run synchronously runs its tasks later
    void Promise.resolve().then(end)
    const look = (isLast: boolean) => () => {
      const running = population?.fiber
      if (!isOver && running?.cache.scheduler === fiber.cache.scheduler) running.currentDispatcher.flush()
      if (isOver) return
      // after all others
      if (!isLast) return fiber.currentDispatcher.scheduleTask(look(true), Infinity)
      const advice = population === undefined ? "" : ", or populate it first"
      const message = `has to wait for ${what()}: use Effect.runPromise instead of Effect.runSync${advice}.`
      resume(Effect.die(new Error(`${show(name)} ${message}`)))
    }
    fiber.currentDispatcher.scheduleTask(look(false), Infinity)
    return Effect.sync(end)
  })
  return Effect.raceFirst(waiting, givingUp)
}

/** The use of a registry that has ended. */
export const useAfterEnd = ({ name }: ErrorSource): Effect.Effect<never> =>
  Effect.suspend(() =>
    Effect.die(
      new Error(
        `The registry ${show(name)} is closed: the scope that it was made in has ended. ` +
          "Use it before that, or make it in a scope that lives as long as its users."
      )
    )
  )
