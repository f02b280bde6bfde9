/**
 * Who waits for changes of a registry, and who follows them.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

type Wake = () => void

/**
 * Who follows the changes.
 *
 * @internal
 */
export interface Subscriber {
  /** The revision of the last change that it was given. */
  seen: number
  ended: boolean
  readonly waiting: Set<Wake>
}

/** @internal */
export class Watchers {
  readonly subscribers = new Set<Subscriber>()
  private waiting = new Set<Wake>()

  /** Waits for the next change, unless there is something to see already: that is looked at in the same step. */
  wait(isThere: () => boolean, subscriber?: Subscriber): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (isThere()) {
        resume(Effect.void)
        return
      }
      const wake = () => {
        subscriber?.waiting.delete(wake)
        resume(Effect.void)
      }
      this.waiting.add(wake)
      subscriber?.waiting.add(wake)
      return Effect.sync(() => {
        this.waiting.delete(wake)
        subscriber?.waiting.delete(wake)
      })
    })
  }

  /** Wakes all, in a task of its own: none of them runs in the step that publishes. */
  wakeLater(): void {
    if (this.waiting.size === 0) return
    const { waiting } = this
    this.waiting = new Set()
    // whatever publishes, or closes the registry, is a step of a fiber
    Fiber.getCurrent()!.currentDispatcher.scheduleTask(() => waiting.forEach((wake) => wake()), 0)
  }

  subscribe(revision: number): Subscriber {
    const subscriber: Subscriber = { seen: revision, ended: false, waiting: new Set() }
    this.subscribers.add(subscriber)
    return subscriber
  }

  unsubscribe(subscriber: Subscriber): void {
    subscriber.ended = true
    this.subscribers.delete(subscriber)
    for (const wake of subscriber.waiting) {
      this.waiting.delete(wake)
      wake()
    }
  }
}
