/**
 * Following the changes of a registry.
 *
 * A registry keeps its last changes, subscribed to or not, and a subscriber is no more than the revision that it has
 * come to. So one that stands still costs nothing and blocks nobody: what it has not seen is gone some day, and then it
 * is told so.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as RegistryError from "../../RegistryError.ts"
import type * as RegistryEvent from "../../RegistryEvent.ts"
import { contentsOf, type Core } from "../engine/core.ts"
import { failure } from "../store/definition.ts"

type Wake = () => void

interface Subscriber {
  /** The revision of the last change that it was given. */
  seen: number
  ended: boolean
  readonly waiting: Set<Wake>
}

class Watchers {
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

/** Those that watch a registry: the first makes this. */
export const watchersOf = <Item, P, V>(core: Core<Item, P, V>): Watchers => {
  if (core.watchers instanceof Watchers) return core.watchers
  const watchers = new Watchers()
  core.watchers = watchers
  return watchers
}

/** Follows the changes after a revision, or from now on, until the scope closes. */
export const follow = <Item, P, V>(
  core: Core<Item, P, V>,
  since: number | undefined,
  scope: Scope.Scope
): Effect.Effect<Stream.Stream<RegistryEvent.RegistryChange<Item>, RegistryError.RegistryLagged>> =>
  Effect.uninterruptible(Effect.suspend(() => {
    const revision = since ?? revisionOf(core)
    const subscriber = watchersOf(core).subscribe(revision)
    core.observer?.changed()
    const end = Effect.sync(() => {
      watchersOf(core).unsubscribe(subscriber)
      core.observer?.changed()
    })
    return Effect.as(
      Scope.addFinalizer(scope, end),
      changesAfter(core, revision, subscriber)
    )
  }))

/** Each run of it begins after the revision. */
const changesAfter = <Item, P, V>(
  core: Core<Item, P, V>,
  revision: number,
  subscriber: Subscriber
): Stream.Stream<RegistryEvent.RegistryChange<Item>, RegistryError.RegistryLagged> =>
  Stream.suspend(() => {
    let seen = revision
    const isThere = () => core.closed || subscriber.ended || revisionOf(core) !== seen
    const pull: Effect.Effect<
      Arr.NonEmptyReadonlyArray<RegistryEvent.RegistryChange<Item>>,
      RegistryError.RegistryLagged | Cause.Done
    > = Effect.suspend(() => {
      if (core.closed || subscriber.ended) return Cause.done()
      const missed = missedAfter(core, seen)
      if (missed > 0) {
        return Effect.fail(failure(core.definition, RegistryError.RegistryLagged, { code: "lagged", missed }))
      }
      // they are the last ones, without a gap
      const news = core.changes.slice(core.changes.length - (revisionOf(core) - seen))
      if (!Arr.isReadonlyArrayNonEmpty(news)) return Effect.andThen(watchersOf(core).wait(isThere, subscriber), pull)
      subscriber.seen = seen = revisionOf(core)
      core.observer?.changed()
      return Effect.succeed(news)
    })
    return Stream.fromPull(Effect.succeed(pull))
  })

const revisionOf = <Item, P, V>(core: Core<Item, P, V>): number => contentsOf(core).revision

/** How many of the changes after a revision are gone: of one that the registry never had, all. */
const missedAfter = <Item, P, V>(core: Core<Item, P, V>, revision: number): number => {
  const last = revisionOf(core)
  const wasThere = Number.isInteger(revision) && revision <= last
  return wasThere ? last - Math.min(core.changes.length, core.history) - revision : Math.max(last, 1)
}
