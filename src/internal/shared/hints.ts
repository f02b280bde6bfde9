/** The registries whose news a process listens to. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"

export class Hints {
  private readonly listeners = new Map<string, Set<Queue.Queue<void>>>()

  /** The registries that somebody listens to. */
  get registries(): ReadonlyArray<string> {
    return Array.from(this.listeners.keys())
  }

  /** Wakes those who listen to a registry, and nobody else. */
  tell(registry: string): void {
    for (const queue of this.listeners.get(registry) ?? []) Queue.offerUnsafe(queue, undefined)
  }

  tellAll(): void {
    for (const registry of this.listeners.keys()) this.tell(registry)
  }

  /** Hints that come while nobody takes them are one. */
  of(registry: string): Stream.Stream<void> {
    return Stream.unwrap(Effect.map(
      Effect.acquireRelease(
        Effect.map(Queue.sliding<void>(1), (queue) => {
          const queues = this.listeners.get(registry) ?? new Set()
          this.listeners.set(registry, queues.add(queue))
          return queue
        }),
        (queue) =>
          Effect.sync(() => {
            const queues = this.listeners.get(registry)
            queues?.delete(queue)
            if (queues?.size === 0) this.listeners.delete(registry)
          })
      ),
      Stream.fromQueue
    ))
  }
}
