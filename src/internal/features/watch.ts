/**
 * Following the changes of a registry.
 *
 * A registry keeps its last changes whether or not anybody subscribes. A subscriber is no more than the revision that
 * it has seen, so one that stands still costs nothing and blocks nobody. It fails when changes that it needs are gone.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as RegistryError from "../../RegistryError.ts"
import type * as RegistryEvent from "../../RegistryEvent.ts"
import { snapshotOf } from "../coreOf.ts"
import { contentsOf, type Core, type Transaction } from "../engine/core.ts"
import { read } from "../engine/read.ts"
import { unlessSync, waitsForItself } from "../engine/waiting.ts"
import { indexOf, optionOf } from "../operations/find.ts"
import type { RegistrySnapshot } from "../snapshot.ts"
import type { Contents } from "../store/contents.ts"
import { failure } from "../store/definition.ts"
import { tell, tellOf } from "./told.ts"

type Wake = () => void

interface Subscriber {
  /** The revision of the last change that it was given. */
  seen: number
  ended: boolean
  /** Whether the contents have jumped since it began. */
  lagged: boolean
  readonly waiting: Set<Wake>
}

class Watchers {
  readonly subscribers = new Set<Subscriber>()
  /** Called in the step that publishes, or that ends the registry. They run nothing of users, and never throw. */
  readonly listeners = new Set<() => void>()
  private waiting = new Set<Wake>()

  /** Waits for the next change, unless there is something to see already: that is looked at in the same step. */
  wait(isThere: () => boolean, subscriber?: Subscriber): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (isThere()) {
        resume(Effect.void)
        return
      }
      const sets = subscriber === undefined ? [this.waiting] : [this.waiting, subscriber.waiting]
      const forget = () => sets.forEach((set) => set.delete(wake))
      const wake = () => {
        forget()
        resume(Effect.void)
      }
      sets.forEach((set) => set.add(wake))
      return Effect.sync(forget)
    })
  }

  /** The contents are about to become others, and no changes lead there. */
  jump(): void {
    for (const subscriber of this.subscribers) subscriber.lagged = true
  }

  /** Wakes all, in a task of its own: none of them runs in the step that publishes. */
  wakeLater(): void {
    this.listeners.forEach((listener) => listener())
    if (this.waiting.size === 0) return
    const { waiting } = this
    this.waiting = new Set()
    // a fiber publishes, or closes the registry
    Fiber.getCurrent()!.currentDispatcher.scheduleTask(() => waiting.forEach((wake) => wake()), 0)
  }
}

/** The first that watches a registry makes this. */
export const watchersOf = <Item, P, V>(core: Core<Item, P, V>): Watchers => {
  const watchers = core.watchers instanceof Watchers ? core.watchers : new Watchers()
  core.watchers = watchers
  return watchers
}

/** The item that has a value of a unique lookup, as soon as there is one. */
export const awaitItem = <Item, P, V>(
  core: Core<Item, P, V>,
  attribute: string,
  value: unknown
): Effect.Effect<Item, P> =>
  Effect.map(
    answer(core, "awaitItem", (contents) => indexOf(contents, attribute, value, true).get(value), Effect.interrupt),
    (entry) => entry.item
  )

/** What a registry holds, now and after each change. Two contents of one revision show the same, unless they are drafts. */
export const snapshots = <Item, Lookups, P, V>(
  core: Core<Item, P, V>
): Stream.Stream<RegistrySnapshot<Item, Lookups>, P> =>
  Stream.map(
    answers(
      core,
      "snapshots",
      (contents, transaction) => {
        transaction?.see()
        return contents
      },
      (one, other) => one.revision === other.revision && one.order === other.order
    ),
    snapshotOf<Item, Lookups>
  )

/** The item that has a value of a unique lookup, if there is one, now and whenever that is another. */
export const watchItem = <Item, P, V>(
  core: Core<Item, P, V>,
  attribute: string,
  value: unknown
): Stream.Stream<Option.Option<Item>, P> =>
  answers(
    core,
    "watchItem",
    (contents) => optionOf(indexOf(contents, attribute, value, true).get(value)),
    Option.makeEquivalence(Object.is)
  )

type Question<Item, A> = (contents: Contents<Item>, transaction: Transaction<Item> | undefined) => A

/**
 * The present answer to a question, then each other one: the newest when the stream is pulled. Each run of it begins anew,
 * and ends when the registry does.
 */
const answers = <Item, P, V, A extends object>(
  core: Core<Item, P, V>,
  operation: string,
  question: Question<Item, A>,
  isSame: (one: A, other: A) => boolean
): Stream.Stream<A, P> =>
  Stream.fromPull(Effect.sync(() => {
    let last: A | undefined
    const next = answer(core, operation, (contents, transaction) => {
      const found = question(contents, transaction)
      return last !== undefined && isSame(found, last) ? undefined : found
    }, Cause.done())
    return Effect.suspend(() =>
      last !== undefined && core.closed ? Cause.done() : Effect.map(next, (found) => Arr.of(last = found))
    )
  }))

/**
 * The answer to a question, as soon as it has one: it is asked again after each change. A fiber in a transaction of the
 * registry asks the draft, and dies where it would wait for itself. `ended` is run if the registry ends while it waits.
 */
const answer = <Item, P, V, A extends object, E>(
  core: Core<Item, P, V>,
  operation: string,
  question: Question<Item, A | undefined>,
  ended: Effect.Effect<never, E>
): Effect.Effect<A, E | P> => {
  const asking: Effect.Effect<A, E | P> = Effect.flatten(read(core, (contents, _x, _y, transaction) => {
    const found = question(contents, transaction)
    if (found !== undefined) return Exit.succeed(Effect.succeed(found))
    if (transaction !== undefined) return Exit.die(waitsForItself(transaction, operation))
    const { revision } = contents
    const isNews = () => core.closed || revisionOf(core) !== revision
    const waiting = Effect.withFiber<void>((fiber) =>
      unlessSync(fiber, core.definition, () => "a change", watchersOf(core).wait(isNews))
    )
    return Exit.succeed(Effect.flatMap(waiting, () => core.closed ? ended : asking))
  }))
  return asking
}

type Changes<Item> = Stream.Stream<RegistryEvent.RegistryChange<Item>, RegistryError.RegistryLagged>

/**
 * A revision of a shared registry, and the record of the log that made it: after a restore, the same revision may be
 * another one.
 *
 * @category models
 * @since 0.2.0
 */
export interface Since {
  readonly revision: number
  readonly record: string
}

/** Follows the changes after a revision, or from now on, until the scope closes. Each run of it begins there. */
export const follow = <Item, P, V>(
  core: Core<Item, P, V>,
  since?: number | Since
): Effect.Effect<Changes<Item>, never, Scope.Scope> =>
  Effect.suspend(() => {
    const { subscribers } = watchersOf(core)
    const { record, revision } = typeof since === "object"
      ? since
      : { record: undefined, revision: since ?? revisionOf(core) }
    const subscriber: Subscriber = { seen: revision, ended: false, lagged: false, waiting: new Set() }
    subscribers.add(subscriber)
    core.observer?.changed()
    const end = Effect.sync(() => {
      subscriber.ended = true
      subscribers.delete(subscriber)
      subscriber.waiting.forEach((wake) => wake())
      core.observer?.changed()
    })
    return Effect.as(
      Effect.addFinalizer(() => end),
      Stream.suspend(() => changesAfter(core, revision, record, subscriber))
    )
  }).pipe(Effect.uninterruptible)

/** A stream that begins when it is run. */
export const unwrap = <A, E, R>(
  stream: Effect.Effect<Stream.Stream<A, E>, never, R>
): Stream.Stream<A, E, Exclude<R, Scope.Scope>> => Stream.unwrap(stream)

const changesAfter = <Item, P, V>(
  core: Core<Item, P, V>,
  revision: number,
  record: string | undefined,
  subscriber: Subscriber
): Changes<Item> => {
  let seen = revision
  let isElsewhere = record !== undefined
  const lagged = (missed: number) =>
    Effect.fail(failure(core.definition, RegistryError.RegistryLagged, { code: "lagged", missed }))
  const isThere = () => core.closed || subscriber.ended || revisionOf(core) !== seen
  const pull: Effect.Effect<
    Arr.NonEmptyReadonlyArray<RegistryEvent.RegistryChange<Item>>,
    RegistryError.RegistryLagged | Cause.Done
  > = Effect.suspend(() => {
    if (core.closed || subscriber.ended) return Cause.done()
    if (subscriber.lagged) return lagged(1)
    const last = revisionOf(core)
    const { shared } = core
    const missed = isElsewhere && shared?.isAt(seen, record!) !== true ? Math.max(last, 1) : missedAfter(core, seen)
    isElsewhere = false
    if (missed > 0) {
      return shared === undefined || seen > last
        ? lagged(missed)
        : Effect.flatMap(shared.changesAfter(seen, seen === revision ? record : undefined), (changes) => {
          const [first, ...rest] = tellOf(changes ?? [])
          if (first === undefined) return lagged(missed)
          subscriber.seen = seen += 1 + rest.length
          core.observer?.changed()
          return Effect.succeed([first, ...rest] as const)
        })
    }
    // they are the last ones, without a gap
    const [first, ...rest] = tell(core, last - seen)
    if (first === undefined) return Effect.andThen(watchersOf(core).wait(isThere, subscriber), pull)
    subscriber.seen = seen = last
    core.observer?.changed()
    return Effect.succeed([first, ...rest])
  })
  return Stream.fromPull(Effect.succeed(pull))
}

const revisionOf = <Item, P, V>(core: Core<Item, P, V>): number => contentsOf(core).revision

/** How many of the changes after a revision are gone: all, for a revision that the registry never had. */
const missedAfter = <Item, P, V>(core: Core<Item, P, V>, revision: number): number => {
  const last = revisionOf(core)
  const wasThere = Number.isInteger(revision) && revision <= last
  return wasThere ? last - Math.min(core.changes.length, core.history) - revision : Math.max(last, 1)
}
