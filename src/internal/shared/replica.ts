/** A process of a shared registry: it follows the log, and writes what its transactions change into it. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type * as RegistryError from "../../RegistryError.ts"
import { RegistryUnavailable } from "../../RegistryError.ts"
import type { LogError } from "../../shared/RegistryLog.ts"
import {
  contentsOf,
  type OperationLabel,
  type Publishing,
  type Sharing,
  type Told,
  type Transaction
} from "../engine/core.ts"
import { mayBeSync } from "../engine/waiting.ts"
import { putOnTop } from "../features/layers.ts"
import { refresh } from "../features/refresh.ts"
import { bringBack } from "../operations/bringBack.ts"
import type { Entry } from "../store/entry.ts"
import { show } from "../store/wording.ts"
import { newId } from "./appending.ts"
import { type Attempt, begin, CurrentAttempt, isAgain } from "./attempt.ts"
import { Chores } from "./chores.ts"
import { notInTime, start } from "./contact.ts"
import { Following } from "./following.ts"
import { changesAfter } from "./history.ts"
import { pollerOf } from "./polling.ts"
import type { State } from "./state.ts"
import { Writing } from "./writing.ts"

/** Hooks can be installed and removed whatever the log does. */
const locals = new Set(["addHooks", "removeHooks"])

export class Replica<Item> implements Sharing<Item> {
  readonly state: State<Item>
  private readonly following: Following<Item>
  private readonly writing: Writing<Item>
  private readonly chores: Chores<Item>
  private readonly joiners = Semaphore.makeUnsafe(1)

  constructor(state: State<Item>) {
    this.state = state
    this.following = new Following(state)
    this.writing = new Writing(state, this.following)
    this.chores = new Chores(state, this.following, this.writing)
    // what another process has put on top, or reset, is here, too
    state.core.putOnTop = putOnTop
    state.core.bringBack = bringBack
  }

  around<A, E, R>(operation: OperationLabel, running: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    const { core, ownOperations } = this.state
    if (ownOperations.has(operation)) return running
    return Effect.withFiber((fiber) => {
      if (mayBeSync(fiber) && !locals.has(operation.name)) {
        const message = "has to wait for its log: use Effect.runPromise instead of Effect.runSync."
        return Effect.die(new Error(`${show(core.definition.name)} ${message}`))
      }
      const now = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
      const attempt = begin(operation.name, now + this.state.contact.patience)
      const once = Effect.provideService(running, CurrentAttempt, attempt)
      const isLocal = locals.has(operation.name)
      const isChecked = !isLocal && operation.irrevocable !== true && operation.kind !== "population"
      const first: Effect.Effect<void, RegistryUnavailable | RegistryError.PopulationError> = isLocal
        ? Effect.void
        : Effect.flatMap(this.before(operation, attempt), () => this.upToDate(operation))
      // its error is in the type of each operation of a shared registry
      const go = (mayBeStale: boolean): Effect.Effect<A, any, R> =>
        Effect.flatMap(first, () => {
          const { revision } = this.state.fold
          const unlessStale = (exit: Exit.Exit<A, any>): Effect.Effect<A, any, R> => {
            if (!mayBeStale || !isChecked || attempt.wrote || !isAnswer(exit)) return exit
            return Effect.flatMap(
              this.caughtUp(attempt),
              () => this.state.fold.revision === revision ? exit : go(false)
            )
          }
          return Effect.matchCauseEffect(once, {
            onFailure: (cause) => isAgain(cause) ? go(mayBeStale) : unlessStale(Exit.failCause(cause)),
            onSuccess: (value) => unlessStale(Exit.succeed(value))
          })
        })
      return go(true)
    })
  }

  /** What an operation waits for before it takes the lock: that the replica has joined, has caught up, and can write. */
  private before({ irrevocable, name }: OperationLabel, attempt: Attempt): Effect.Effect<void, RegistryUnavailable> {
    return Effect.suspend(() => {
      if (this.state.core.closed) return Effect.void
      if (irrevocable === true && (!this.state.hasBegun || this.state.contact.since === undefined)) {
        return Effect.fail(this.state.unavailable("store", name))
      }
      if (attempt.count >= mostAttempts) {
        return Effect.fail(this.state.unavailable("contended", name, { attempts: attempt.count }))
      }
      const ready = this.state.hasBegun && !this.state.isBehind && !this.state.isOff && this.state.session !== "lost"
        ? Effect.void
        : this.state.hasBegun
        ? this.within(attempt, this.inBackground(this.joined))
        : this.joining(attempt)
      return Effect.flatMap(ready, () => {
        const { readOnly, stalled } = this.state
        // what another version wrote can be removed by who cannot read it
        if (irrevocable === true && stalled === undefined) return Effect.void
        return readOnly === undefined
          ? Effect.void
          : Effect.fail(this.state.unavailable("read_only", name, { cause: readOnly }))
      })
    })
  }

  /** The defaults of this version of the program may be newer than those that are in. */
  private upToDate({ irrevocable, kind }: OperationLabel): Effect.Effect<void, RegistryError.PopulationError> {
    return Effect.suspend(() => {
      const { populated, version } = this.state.fold
      const isOlder = populated && !this.state.anew && version < this.state.settings.version
      return isOlder && kind !== "refresh" && irrevocable !== true ? refresh(this.state.core) : Effect.void
    })
  }

  /** A process that joins may have to wait until sessions expire. That time does not count as waiting for the store. */
  private joining(attempt: Attempt): Effect.Effect<void, RegistryUnavailable> {
    const { lifetime, ttl } = this.state.settings
    const most = lifetime === "forever" ? 0 : Duration.toMillis(ttl)
    const joining = this.within({ ...attempt, deadline: attempt.deadline + most }, this.inBackground(this.joined))
    return Effect.andThen(
      joining,
      Effect.map(Clock.currentTimeMillis, (now) => {
        attempt.deadline = now + this.state.contact.patience
      })
    )
  }

  private caughtUp(attempt: Attempt): Effect.Effect<void, RegistryUnavailable> {
    return this.within(attempt, this.inBackground(this.following.pull))
  }

  /** As long as the patience of an operation lasts. */
  private within<A>(
    { deadline, operation }: Attempt,
    effect: Effect.Effect<A, LogError>
  ): Effect.Effect<A, RegistryUnavailable> {
    const failed = (cause: unknown) => this.state.unavailable("store", operation, { cause })
    return Effect.flatMap(
      Clock.currentTimeMillis,
      (now) =>
        Effect.timeoutOption(effect, Math.max(deadline - now, 0)).pipe(
          Effect.mapError(({ cause }) => failed(cause)),
          Effect.flatMap((answer) => {
            if (Option.isSome(answer)) return Effect.succeed(answer.value)
            this.state.contact.lose()
            return Effect.fail(failed(notInTime().cause))
          })
        )
    )
  }

  /** With nothing of the fiber that waits for it, and to its end though that fiber does not wait any more. */
  private inBackground<A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.withFiber((fiber) => {
      const context = Context.add(this.state.core.context, Scheduler.Scheduler, fiber.cache.scheduler)
      return Effect.flatMap(Effect.forkIn(Effect.setContext(effect, context), this.state.scope), Fiber.join)
    })
  }

  /** Makes the replica ready to write. One at a time does. */
  readonly joined: Effect.Effect<void, LogError> = Effect.suspend(() =>
    this.joiners.withPermit(Effect.suspend(() => this.join()))
  )

  private join(): Effect.Effect<void, LogError> {
    return Effect.gen({ self: this }, function*() {
      if (!this.state.isLoaded) yield* this.following.reload(start)
      if (this.state.isOff) yield* this.following.reload(this.state.cursor)
      if (this.state.isBehind) yield* this.following.pull
      if (this.state.stalled !== undefined) return
      if (!this.state.hasBegun && this.state.settings.lifetime === "cluster") yield* this.lookAround()
      if (this.state.session === "none" || this.state.session === "lost") yield* this.openSession()
      if (!this.state.hasBegun) {
        if (!this.state.anew) yield* this.attach()
        this.state.hasBegun = true
        yield* this.startFollowing()
        if (this.state.fold.version > this.state.settings.version && !this.state.anew) {
          yield* Effect.logWarning(
            `The defaults of ${show(this.state.name)} here are of version ${this.state.settings.version}: ` +
              `version ${this.state.fold.version} stays.`
          )
        }
      }
      // a process that finds nothing populated begins with the record of its population
      const isDue = this.state.needsToBegin || this.state.toReturn.length > 0
      if (isDue && !this.state.anew && this.state.fold.populated) yield* this.chores.begin()
    })
  }

  private openSession(): Effect.Effect<void, LogError> {
    const id = newId()
    return Effect.map(this.state.contact.ask((log) => log.sessions.open(id, this.state.settings.ttl)), () => {
      this.state.moving = this.state.settings.onLost === "rejoin" && this.state.session === "lost"
        ? this.state.sessionId
        : undefined
      this.state.sessionId = id
      this.state.session = "live"
    })
  }

  /** Whether anybody is there. What has expired is given the time to renew, as after an outage. */
  private lookAround(): Effect.Effect<void, LogError> {
    const millis = Duration.toMillis(this.state.settings.ttl)
    const look: Effect.Effect<void, LogError> = Effect.suspend(() => {
      const { others } = this.state
      if (others.length === 0) {
        this.state.anew = true
        return Effect.void
      }
      return Effect.flatMap(this.state.contact.ask((log) => log.sessions.living(others)), (living) => {
        if (living.length > 0) return Effect.void
        return Effect.flatMap(Clock.currentTimeMillis, (now) => {
          if (now - (this.state.contact.since ?? now) < millis) {
            return Effect.sleep(millis / 5).pipe(
              Effect.andThen(this.following.pull),
              Effect.andThen(look)
            )
          }
          return Effect.map(this.state.contact.ask((log) => log.sessions.bury(others)), (dead) => {
            this.state.anew = dead.length === others.length
          })
        })
      })
    })
    return look
  }

  /** Shows what the log has. */
  private attach(): Effect.Effect<void, LogError> {
    return this.following.takeOver("join", () => this.following.everything())
  }

  private startFollowing(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const nudges = this.state.nudges = yield* Queue.sliding<void>(1)
      const { poll, ttl } = this.state.settings
      const hints = Stream.runForEach(
        this.state.contact.log.hints(this.state.name),
        () => Queue.offer(nudges, undefined)
      ).pipe(
        Effect.exit,
        Effect.andThen(Effect.sleep(poll)),
        Effect.forever
      )
      const next = Effect.andThen(Queue.take(nudges), this.upkeep)
      const millis = Duration.toMillis(ttl)
      const renewing = Effect.andThen(
        Effect.suspend(() => Effect.sleep(this.state.session === "unsure" ? millis / 15 : millis / 3)),
        this.renewed
      )
      const reaping = Effect.flatMap(
        Random.nextBetween(0.3, 0.7),
        (part) => Effect.andThen(Effect.sleep(millis * part), Effect.ignore(this.reaped))
      )
      for (const loop of [Effect.forever(next), Effect.forever(renewing), Effect.forever(reaping)]) {
        yield* Effect.forkIn(loop, this.state.scope)
      }
      yield* Effect.forkIn(this.state.contact.inContext(hints), this.state.scope)
      const poller = pollerOf(this.state.contact.log)
      const member = { state: this.state, nudge: () => void Queue.offerUnsafe(nudges, undefined) }
      yield* Scope.addFinalizer(this.state.scope, Effect.sync(() => poller.remove(member)))
      yield* poller.add(member)
    })
  }

  private wasLogged = false

  /** What the replica does by itself when there may be news. */
  private readonly upkeep = Effect.suspend(() =>
    Effect.gen({ self: this }, function*() {
      if (this.state.stalled !== undefined) return
      yield* this.following.pull
      yield* this.joined
      if (this.state.mayHaveOrphans) yield* this.chores.tidy()
      yield* this.chores.saveCheckpoint()
    }).pipe(
      Effect.matchEffect({
        onFailure: ({ cause }) => {
          if (this.wasLogged) return Effect.void
          this.wasLogged = true
          return Effect.logWarning(`The log of the shared registry ${show(this.state.name)} cannot be used.`, cause)
        },
        onSuccess: () => Effect.sync(() => this.wasLogged = false)
      })
    )
  )

  private readonly renewed = Effect.suspend(() => {
    const { sessionId } = this.state
    if (this.state.session !== "live" && this.state.session !== "unsure") return Effect.void
    const { ttl } = this.state.settings
    const asking = this.state.contact.ask((log) => log.sessions.renew(sessionId, ttl), Duration.toMillis(ttl) / 3)
    return Effect.match(asking, {
      onFailure: () => {
        if (this.state.sessionId === sessionId && this.state.session === "live") this.state.session = "unsure"
      },
      onSuccess: (lives) => {
        if (this.state.sessionId !== sessionId) return
        if (!lives) this.state.lose()
        else if (this.state.session === "unsure") this.state.session = "live"
      }
    })
  })

  /** Ends the sessions that have expired: only where the store was there for long enough that each could renew. */
  private readonly reaped = Effect.suspend(() =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const { others } = this.state
      const { since } = this.state.contact
      if (
        others.length === 0 || this.state.stalled !== undefined || this.state.anew ||
        since === undefined || now - since < Duration.toMillis(this.state.settings.ttl)
      ) return Effect.void
      return Effect.flatMap(
        this.state.contact.ask((log) => log.sessions.bury(others)),
        (dead) => dead.length === 0 ? Effect.void : this.chores.endSessions(dead)
      )
    })
  )

  isDue(transaction: Transaction<Item>): boolean {
    return this.writing.isDue(transaction)
  }

  append(transaction: Transaction<Item>): Effect.Effect<void, unknown> {
    return this.writing.append(transaction)
  }

  publishing(transaction: Transaction<Item>): Publishing {
    return this.writing.publishing(transaction)
  }

  acquire(entry: Entry<Item>): Effect.Effect<void, unknown> | undefined {
    return this.following.acquirers.of(entry)
  }

  isUnavailable(cause: Cause.Cause<unknown>): boolean {
    const isLater = cause.reasons.some((reason) =>
      Cause.isFailReason(reason) && reason.error instanceof RegistryUnavailable
    )
    if (isLater) this.state.mayHaveOrphans = true
    return isLater
  }

  /** What is published, and its record. */
  get position(): { readonly revision: number; readonly record: string } {
    const { revision } = contentsOf(this.state.core)
    return { revision, record: this.state.recordAt(revision) ?? "" }
  }

  isAt(revision: number, record: string): boolean {
    return this.state.recordAt(revision) === record
  }

  changesAfter(revision: number, record: string | undefined): Effect.Effect<ReadonlyArray<Told<Item>> | undefined> {
    return Effect.suspend(() => {
      const { contact, core, mirror: { codec } } = this.state
      const last = contentsOf(core).revision
      return Effect.orElseSucceed(changesAfter(core, contact, codec, revision, record, last), () => undefined)
    })
  }

  /** What was written anywhere before this began is seen when it has ended. */
  readonly sync: Effect.Effect<void, RegistryUnavailable> = Effect.suspend(() =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const attempt = begin("sync", now + this.state.contact.patience)
      return Effect.andThen(
        this.within(attempt, this.inBackground(Effect.andThen(this.joined, this.following.pull))),
        Effect.suspend(() =>
          this.state.stalled === undefined
            ? Effect.void
            : Effect.fail(this.state.unavailable("read_only", "sync", { cause: this.state.readOnly }))
        )
      )
    })
  )
}

const mostAttempts = 64

/** Whether an operation has an answer that may be stale: it has succeeded, or failed with an error other than the log's. */
const isAnswer = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isSuccess(exit) ||
  exit.cause.reasons.every((reason) => Cause.isFailReason(reason) && !(reason.error instanceof RegistryUnavailable))
