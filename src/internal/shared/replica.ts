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
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type * as RegistryError from "../../RegistryError.ts"
import { RegistryUnavailable } from "../../RegistryError.ts"
import { type Cursor, LogError, type Stored } from "../../shared/RegistryLog.ts"
import {
  contentsOf,
  type Core,
  type Operation,
  type OperationLabel,
  type Publishing,
  type Sharing,
  type Told,
  Transaction
} from "../engine/core.ts"
import { CurrentTransaction, ofThisCopy } from "../engine/current.ts"
import * as Hooks from "../engine/hooks.ts"
import { sequence } from "../engine/sequence.ts"
import { lastWord, publish, run } from "../engine/transaction.ts"
import { putOnTop } from "../features/layers.ts"
import { refresh } from "../features/refresh.ts"
import { endRules } from "../features/switches.ts"
import { bringBack } from "../operations/bringBack.ts"
import { removing } from "../operations/unregister.ts"
import { unregisterEach } from "../operations/unregisterEach.ts"
import { Contents, copy, current } from "../store/contents.ts"
import { failure } from "../store/definition.ts"
import { Entry } from "../store/entry.ts"
import * as Update from "../store/update.ts"
import { show } from "../store/wording.ts"
import { append, newId } from "./appending.ts"
import { Contact, type Log, notInTime, start } from "./contact.ts"
import { Fold, type Folded } from "./fold.ts"
import { changesAfter } from "./history.ts"
import { type Journal, journal, type Simple } from "./journal.ts"
import { load } from "./loading.ts"
import { type Codec, Mirror } from "./mirror.ts"
import { format, idOf, type Op, parse, type Record, write } from "./record.ts"
import { replay } from "./replaying.ts"
import { type Changed, everythingIn, sync, type Synced } from "./syncing.ts"
import { tellSteps } from "./telling.ts"

export interface Settings {
  readonly lifetime: "cluster" | "forever"
  readonly version: number
  readonly ttl: Duration.Duration
  readonly onLost: "rejoin" | "leave"
  readonly patience: Duration.Duration
  readonly poll: Duration.Duration
  readonly every: number
  readonly keep: number
}

/** One call of an operation. */
interface Attempt {
  readonly operation: string
  /** When it gives up, in milliseconds. */
  deadline: number
  /** How often another process was first. */
  count: number
  /** Whether it has written something. */
  wrote: boolean
}

const CurrentAttempt = ofThisCopy<Attempt | undefined>("CurrentAttempt", () => undefined)

/** Another process was first, and it has to run again. */
class Again {
  readonly _tag = "Again"
}

const isAgain = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => Cause.isFailReason(reason) && reason.error instanceof Again)

interface Written<Item> extends Journal<Item> {
  readonly id: string
  readonly record: Record
  readonly cursor: Cursor
}

/** What has changed in the fold, to be shown. */
interface Shown extends Changed {
  /** Whether the changes before are not those that led to it. */
  readonly jumps: boolean
  /** The owner that is given for it. */
  readonly by: string
}

/** What an operation of the replica itself writes beside what it changes. */
interface Note {
  readonly ops: ReadonlyArray<Op>
  readonly ending: ReadonlySet<string>
}

/** Hooks can be installed and removed whatever the log does. */
const locals = new Set(["addHooks", "removeHooks"])

export class Replica<Item> implements Sharing<Item> {
  fold = new Fold()
  readonly mirror: Mirror<Item>
  /** Where the next record of the log is read, and written. */
  cursor: Cursor = start
  /** The ids of the last records: one that names an earlier one is none. */
  private recent: Array<string> = [""]
  sessionId = ""
  session: "none" | "live" | "unsure" | "lost" = "none"
  /** The session before, whose entries the next record takes over. */
  private moving: string | undefined = undefined
  /** Whether what the log has so far does not count: nobody is there. */
  private anew = false
  private isLoaded = false
  private hasBegun = false
  /** How often the log had news that a writer has to know first, and how often it has been read up to its end since. */
  private news = 0
  private known = 0
  /** Whether the contents may not be what the fold says. */
  private isOff = false
  /** What this version does not understand. */
  stalled: string | undefined = undefined
  readonly contact: Contact
  private mayHaveOrphans = false
  private toReturn: Array<Entry<Item>> = []
  private savedAt = 0
  private nudges: Queue.Queue<void> | undefined = undefined
  private readonly turns = Semaphore.makeUnsafe(1)
  private readonly joiners = Semaphore.makeUnsafe(1)
  private readonly plans = new WeakMap<Transaction<any>, Publishing>()
  private readonly written = new WeakMap<Transaction<any>, Written<Item>>()
  private readonly notes = new WeakMap<Transaction<any>, Note>()
  private readonly internal = new WeakSet<object>()
  private readonly core: Core<Item, unknown, any>
  private readonly scope: Scope.Scope
  readonly settings: Settings

  constructor(
    core: Core<Item, any, any>,
    log: Log,
    context: Context.Context<never>,
    scope: Scope.Scope,
    codec: Codec<Item>,
    settings: Settings
  ) {
    this.core = core
    this.contact = new Contact(log, core.definition.name, Duration.toMillis(settings.patience), context)
    this.scope = scope
    this.settings = settings
    this.mirror = new Mirror(core.definition, codec)
    // what another process has put on top, or reset, is here, too
    core.putOnTop = putOnTop
    core.bringBack = bringBack
  }

  /** An operation that never populates has no error of a population. */
  private get withoutPopulation(): Core<Item, never, any> {
    return this.core as Core<Item, never, any>
  }

  private get isBehind(): boolean {
    return this.known < this.news
  }

  get name(): string {
    return this.core.definition.name
  }

  get engine(): string {
    return this.contact.log.name
  }

  private unavailable(
    code: RegistryUnavailable["code"],
    operation: string,
    more: { readonly record?: string; readonly attempts?: number; readonly cause?: unknown } = {}
  ): RegistryUnavailable {
    return failure(this.core.definition, RegistryUnavailable, { code, operation, ...more })
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Operations
  // -------------------------------------------------------------------------------------------------------------------

  around<A, E, R>(operation: OperationLabel, running: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    if (this.internal.has(operation)) return running
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const attempt: Attempt = {
        operation: operation.name,
        deadline: now + this.contact.patience,
        count: 0,
        wrote: false
      }
      const once = Effect.provideService(running, CurrentAttempt, attempt)
      const isLocal = locals.has(operation.name)
      const isChecked = !isLocal && operation.irrevocable !== true && operation.kind !== "population"
      const first: Effect.Effect<void, RegistryUnavailable | RegistryError.PopulationError> = isLocal
        ? Effect.void
        : Effect.flatMap(this.before(operation, attempt), () => this.upToDate(operation))
      // its error is in the type of each operation of a shared registry
      const go = (mayBeStale: boolean): Effect.Effect<A, any, R> =>
        Effect.flatMap(first, () => {
          const { revision } = this.fold
          const unlessStale = (exit: Exit.Exit<A, any>): Effect.Effect<A, any, R> => {
            if (!mayBeStale || !isChecked || attempt.wrote || !isAnswer(exit)) return exit
            return Effect.flatMap(this.caughtUp(attempt), () => this.fold.revision === revision ? exit : go(false))
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
      if (this.core.closed) return Effect.void
      if (irrevocable === true && (!this.hasBegun || this.contact.since === undefined)) {
        return Effect.fail(this.unavailable("store", name))
      }
      if (attempt.count >= mostAttempts) {
        return Effect.fail(this.unavailable("contended", name, { attempts: attempt.count }))
      }
      const ready = this.hasBegun && !this.isBehind && !this.isOff && this.session !== "lost"
        ? Effect.void
        : this.hasBegun
        ? this.within(attempt, this.inBackground(this.joined))
        : this.joining(attempt)
      return Effect.flatMap(ready, () => {
        const { readOnly, stalled } = this
        // what another version wrote can be removed by who cannot read it
        if (irrevocable === true && stalled === undefined) return Effect.void
        return readOnly === undefined
          ? Effect.void
          : Effect.fail(this.unavailable("read_only", name, { cause: readOnly }))
      })
    })
  }

  /** The defaults of this version of the program may be newer than those that are in. */
  private upToDate({ irrevocable, kind }: OperationLabel): Effect.Effect<void, RegistryError.PopulationError> {
    return Effect.suspend(() => {
      const { populated, version } = this.fold
      const isOlder = populated && !this.anew && version < this.settings.version
      return isOlder && kind !== "refresh" && irrevocable !== true ? refresh(this.core) : Effect.void
    })
  }

  /** Who joins may have to wait for sessions to expire. That does not count. */
  private joining(attempt: Attempt): Effect.Effect<void, RegistryUnavailable> {
    const { lifetime, ttl } = this.settings
    const most = lifetime === "forever" ? 0 : Duration.toMillis(ttl)
    const joining = this.within({ ...attempt, deadline: attempt.deadline + most }, this.inBackground(this.joined))
    return Effect.andThen(
      joining,
      Effect.map(Clock.currentTimeMillis, (now) => {
        attempt.deadline = now + this.contact.patience
      })
    )
  }

  /** Nothing, or why this process cannot write. */
  get readOnly(): Error | undefined {
    if (this.stalled !== undefined) return new Error(`It has ${this.stalled}.`)
    const { size } = this.mirror.unreadable
    if (size === 0) return undefined
    const [id, why] = Array.from(this.mirror.unreadable)[0]!
    return new Error(`It has ${size} item(s) that cannot be read, ${show(id)} for one: ${why}.`)
  }

  private caughtUp(attempt: Attempt): Effect.Effect<void, RegistryUnavailable> {
    return this.within(attempt, this.inBackground(this.pull))
  }

  /** As long as the patience of an operation lasts. */
  private within<A>(
    { deadline, operation }: Attempt,
    effect: Effect.Effect<A, LogError>
  ): Effect.Effect<A, RegistryUnavailable> {
    const failed = (cause: unknown) => this.unavailable("store", operation, { cause })
    return Effect.flatMap(
      Clock.currentTimeMillis,
      (now) =>
        Effect.timeoutOption(effect, Math.max(deadline - now, 0)).pipe(
          Effect.mapError(({ cause }) => failed(cause)),
          Effect.flatMap((answer) => {
            if (Option.isSome(answer)) return Effect.succeed(answer.value)
            this.contact.lose()
            return Effect.fail(failed(notInTime().cause))
          })
        )
    )
  }

  /** With nothing of the fiber that waits for it, and to its end though that fiber does not wait any more. */
  private inBackground<A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.withFiber((fiber) => {
      const context = Context.add(this.core.context, Scheduler.Scheduler, fiber.cache.scheduler)
      return Effect.flatMap(Effect.forkIn(Effect.setContext(effect, context), this.scope), Fiber.join)
    })
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Joining
  // -------------------------------------------------------------------------------------------------------------------

  /** Makes the replica ready to write. One at a time does. */
  readonly joined: Effect.Effect<void, LogError> = Effect.suspend(() =>
    this.joiners.withPermit(Effect.suspend(() => this.join()))
  )

  private join(): Effect.Effect<void, LogError> {
    return Effect.gen({ self: this }, function*() {
      if (!this.isLoaded) yield* this.reload(start)
      if (this.isOff) yield* this.reload(this.cursor)
      if (this.isBehind) yield* this.pull
      if (this.stalled !== undefined) return
      if (!this.hasBegun && this.settings.lifetime === "cluster") yield* this.lookAround()
      if (this.session === "none" || this.session === "lost") yield* this.openSession()
      if (!this.hasBegun) {
        if (!this.anew) yield* this.attach()
        this.hasBegun = true
        yield* this.startFollowing()
        if (this.fold.version > this.settings.version && !this.anew) {
          yield* Effect.logWarning(
            `The defaults of ${show(this.name)} here are of version ${this.settings.version}: ` +
              `version ${this.fold.version} stays.`
          )
        }
      }
      // a process that finds nothing populated begins with the record of its population
      const isDue = this.needsToBegin || this.toReturn.length > 0
      if (isDue && !this.anew && this.fold.populated) yield* this.carryOut("join", this.returning)
    })
  }

  private openSession(): Effect.Effect<void, LogError> {
    const id = newId()
    return Effect.map(this.contact.ask((log) => log.sessions.open(id, this.settings.ttl)), () => {
      this.moving = this.settings.onLost === "rejoin" && this.session === "lost" ? this.sessionId : undefined
      this.sessionId = id
      this.session = "live"
    })
  }

  private get others(): ReadonlyArray<string> {
    return Array.from(this.fold.sessions.keys()).filter((id) => id !== this.sessionId)
  }

  /** Whether anybody is there. What has expired is given the time to renew, as after an outage. */
  private lookAround(): Effect.Effect<void, LogError> {
    const millis = Duration.toMillis(this.settings.ttl)
    const look: Effect.Effect<void, LogError> = Effect.suspend(() => {
      const { others } = this
      if (others.length === 0) {
        this.anew = true
        return Effect.void
      }
      return Effect.flatMap(this.contact.ask((log) => log.sessions.living(others)), (living) => {
        if (living.length > 0) return Effect.void
        return Effect.flatMap(Clock.currentTimeMillis, (now) => {
          if (now - (this.contact.since ?? now) < millis) {
            return Effect.sleep(millis / 5).pipe(
              Effect.andThen(this.pull),
              Effect.andThen(look)
            )
          }
          return Effect.map(this.contact.ask((log) => log.sessions.bury(others)), (dead) => {
            this.anew = dead.length === others.length
          })
        })
      })
    })
    return look
  }

  /** Shows what the log has. */
  private attach(): Effect.Effect<void, LogError> {
    return this.takeOver("join", () => this.everything())
  }

  private everything(removed: Folded["removed"] = new Map()): Shown {
    return { ...everythingIn(this.mirror, this.fold, removed), jumps: true, by: "" }
  }

  private get needsToBegin(): boolean {
    return !this.fold.sessions.has(this.sessionId)
  }

  /** What a record of this process has to begin with. */
  private get prefix(): ReadonlyArray<Op> {
    if (this.anew) return [["anew"], ["begin", this.sessionId, format]]
    if (!this.needsToBegin) return []
    return this.moving !== undefined && this.fold.sessions.has(this.moving)
      ? [["rebind", this.moving, this.sessionId]]
      : [["begin", this.sessionId, format]]
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Following
  // -------------------------------------------------------------------------------------------------------------------

  private startFollowing(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const nudges = this.nudges = yield* Queue.sliding<void>(1)
      const { poll, ttl } = this.settings
      const hints = Stream.runForEach(this.contact.log.hints(this.name), () => Queue.offer(nudges, undefined)).pipe(
        Effect.exit,
        Effect.andThen(Effect.sleep(poll)),
        Effect.forever
      )
      const next = Effect.andThen(Effect.timeoutOption(Queue.take(nudges), poll), this.upkeep)
      const millis = Duration.toMillis(ttl)
      const renewing = Effect.andThen(Effect.sleep(millis / 3), this.renewed)
      const reaping = Effect.flatMap(
        Random.nextBetween(0.3, 0.7),
        (part) => Effect.andThen(Effect.sleep(millis * part), Effect.ignore(this.reaped))
      )
      for (const loop of [Effect.forever(next), Effect.forever(renewing), Effect.forever(reaping)]) {
        yield* Effect.forkIn(loop, this.scope)
      }
      yield* Effect.forkIn(this.contact.inContext(hints), this.scope)
    })
  }

  private wasLogged = false

  /** What the replica does by itself when there may be news. */
  private readonly upkeep = Effect.suspend(() =>
    Effect.gen({ self: this }, function*() {
      if (this.stalled !== undefined) return
      yield* this.pull
      yield* this.joined
      if (this.mayHaveOrphans) yield* this.tidy()
      yield* this.saveCheckpoint()
    }).pipe(
      Effect.matchEffect({
        onFailure: ({ cause }) => {
          if (this.wasLogged) return Effect.void
          this.wasLogged = true
          return Effect.logWarning(`The log of the shared registry ${show(this.name)} cannot be used.`, cause)
        },
        onSuccess: () => Effect.sync(() => this.wasLogged = false)
      })
    )
  )

  private readonly renewed = Effect.suspend(() => {
    const { sessionId } = this
    if (this.session !== "live" && this.session !== "unsure") return Effect.void
    const { ttl } = this.settings
    const asking = this.contact.ask((log) => log.sessions.renew(sessionId, ttl), Duration.toMillis(ttl) / 3)
    return Effect.match(asking, {
      onFailure: () => {
        if (this.session === "live") this.session = "unsure"
      },
      onSuccess: (lives) => {
        if (!lives && this.sessionId === sessionId) this.lose()
      }
    })
  })

  private lose(): void {
    this.session = "lost"
    this.news++
    if (this.nudges !== undefined) Queue.offerUnsafe(this.nudges, undefined)
  }

  /** Ends the sessions that have expired: only where the store was there for long enough that each could renew. */
  private readonly reaped = Effect.suspend(() =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const { others } = this
      const { since } = this.contact
      if (
        others.length === 0 || this.stalled !== undefined || this.anew ||
        since === undefined || now - since < Duration.toMillis(this.settings.ttl)
      ) return Effect.void
      return Effect.flatMap(
        this.contact.ask((log) => log.sessions.bury(others)),
        (dead) => dead.length === 0 ? Effect.void : this.endSessions(dead)
      )
    })
  )

  /** Reads what there is after the cursor, and takes it over. */
  readonly pull: Effect.Effect<void, LogError> = Effect.suspend(() => this.turns.withPermit(this.pullNow))

  private readonly pullNow: Effect.Effect<void, LogError> = Effect.suspend(() =>
    Effect.gen({ self: this }, function*() {
      for (;;) {
        if (!this.isLoaded || this.stalled !== undefined || this.core.closed) return
        const { cursor: from, news } = this
        const { head, more, records } = yield* this.contact.read(from)
        if (records === "truncated" || head < from.revision) {
          yield* this.reloadNow(from)
          continue
        }
        let other = false
        for (const stored of records) {
          other = yield* this.next(stored)
          if (other || this.stalled !== undefined) break
        }
        if (other) yield* this.reloadNow(this.cursor)
        else if (!more) {
          this.known = Math.max(this.known, news)
          return
        }
      }
    })
  )

  /** Takes the next record over. Answers whether it is of another history. */
  private next(stored: Stored): Effect.Effect<boolean, LogError> {
    return Effect.suspend(() => {
      const read = this.look(stored)
      if (read === "other") return Effect.succeed(true)
      if (read === undefined) return Effect.succeed(false)
      let other = false
      return Effect.as(
        this.takeOver("follow", () => {
          const again = this.look(stored)
          other = again === "other"
          if (again === undefined || again === "other") return undefined
          return this.accept(stored, again)
        }),
        other
      )
    })
  }

  /** The record, if it is the next one: nothing if it is known, or none; `"other"` if it is of another history. */
  private look(stored: Stored): Record | "other" | undefined {
    const { body, cursor } = stored
    if (cursor.revision <= this.cursor.revision) return undefined
    const parsed = parse(body)
    if (parsed === undefined || parsed.prev !== this.fold.id) {
      if (parsed !== undefined && !this.recent.includes(parsed.prev)) return "other"
      // an engine may take two for one place: the first counts
      this.cursor = cursor
      return undefined
    }
    if (!("unknown" in parsed)) return parsed
    this.stall(parsed.unknown)
    return undefined
  }

  private stall(why: string): void {
    this.stalled = why
    this.session = "lost"
    const closing = Effect.andThen(
      Effect.logError(`The shared registry ${show(this.name)} stands still: its log has ${why}. Use a newer version.`),
      this.closeSession
    )
    Effect.runForkWith(this.core.context)(closing)
  }

  readonly closeSession = Effect.suspend(() =>
    this.sessionId === ""
      ? Effect.void
      : Effect.ignore(this.contact.ask((log) => log.sessions.close(this.sessionId), 1_000))
  )

  /** With the lock: takes a record into the fold. */
  private accept(stored: Stored, record: Record): Shown & Pick<Folded, "revert"> {
    const { cursor } = stored
    const folded = this.fold.take(cursor.id, record)
    const last = this.cursor
    this.cursor = cursor
    this.remember(cursor.id)
    if (record.session === this.sessionId) this.mayHaveOrphans = true
    for (const [tag, from, to] of record.ops) {
      if (tag === "rebind" && typeof from === "string" && typeof to === "string") this.mirror.rebind(from, to)
      if (tag === "end" && from === this.sessionId && this.session !== "none") this.lose()
    }
    return {
      ...folded,
      jumps: false,
      by: record.by ?? "",
      revert: () => {
        folded.revert()
        this.cursor = last
        this.recent.pop()
      }
    }
  }

  private remember(id: string): void {
    this.recent.push(id)
    if (this.recent.length > 2 * recentIds) this.recent = this.recent.slice(-recentIds)
  }

  /** What others have done, as a transaction that cannot be refused. */
  private takeOver(
    name: string,
    change: () => Shown | undefined
  ): Effect.Effect<void> {
    const taking = run<Item, any, any, void, never, never>(this.core, {
      name,
      kind: "remote",
      irrevocable: true,
      body: (transaction) =>
        Effect.suspend(() => {
          const folded = change()
          if (folded === undefined) return Effect.void
          return this.show(transaction, folded, this.fold.revision)
        }),
      undone: () => Effect.void
    })
    return Effect.catchCause(taking, () =>
      Effect.sync(() => {
        this.isOff = true
      }))
  }

  /** Puts what has changed in the fold into a transaction, and tells hooks. */
  private show(
    transaction: Transaction<Item>,
    folded: Shown,
    revision: number
  ): Effect.Effect<void> {
    // while nobody is there, what is in the log is not shown, until somebody begins
    if (this.anew) {
      this.anew = false
      return this.showAll(transaction, this.everything(), revision)
    }
    return this.showAll(transaction, folded, revision)
  }

  private showAll(
    transaction: Transaction<Item>,
    folded: Shown,
    revision: number
  ): Effect.Effect<void> {
    const synced = sync(this.mirror, transaction.draft, this.fold, folded, folded.by)
    this.keepLost(synced, folded)
    return this.apply(transaction, synced, { revision, jumps: folded.jumps, reset: folded.reset })
  }

  /** Remembers what scopes of this process are to get back. */
  private keepLost(synced: Synced<Item>, { jumps, removed }: Shown): void {
    for (const [id, entry] of synced.gone) {
      const why = removed.get(id)
      if (why === "end" || why === undefined && jumps) this.toReturn.push(entry)
    }
  }

  private apply(
    transaction: Transaction<Item>,
    { contents, steps }: Pick<Synced<Item>, "contents" | "steps">,
    { jumps, reset, revision }: Publishing & { readonly reset: boolean }
  ): Effect.Effect<void> {
    transaction.draft = contents
    transaction.steps.push(...steps)
    transaction.untold = true
    if (reset) transaction.populationScope = undefined
    this.plans.set(transaction, { revision, jumps })
    // an invariant is asked where a change is made
    transaction.approved = contents
    return Effect.map(this.bounded(transaction, tellSteps(transaction, steps)), () => {
      transaction.untold = false
    })
  }

  /** Hooks of what others have done may take as long as an operation may. Then they are left behind. */
  private bounded(transaction: Transaction<Item>, telling: Effect.Effect<unknown>): Effect.Effect<void> {
    if (transaction.hooks.length === 0) return Effect.void
    return Effect.gen({ self: this }, function*() {
      const fiber = yield* Effect.forkDetach(Effect.interruptible(telling))
      const ended = yield* Effect.interruptible(Effect.timeoutOption(Fiber.await(fiber), this.contact.patience))
      if (Option.isNone(ended)) {
        fiber.interruptUnsafe()
        transaction.unsettled = false
        yield* Effect.logError(`A hook of ${show(this.name)} has not ended in time for a change of another process.`)
      }
      const { defects } = transaction
      transaction.defects = Cause.empty
      if (defects.reasons.length > 0) {
        yield* Effect.logError(`A hook of ${show(this.name)} died for a change of another process.`, defects)
      }
    })
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Loading all of the log
  // -------------------------------------------------------------------------------------------------------------------

  private reload(at: Cursor): Effect.Effect<void, LogError> {
    return this.turns.withPermit(this.reloadNow(at))
  }

  /** Folds the log anew, and shows what is other than it was: at the start, behind a truncation, or in another history. */
  private reloadNow(at: Cursor): Effect.Effect<void, LogError> {
    return Effect.gen({ self: this }, function*() {
      const loaded = yield* load(this.contact, this.fold)
      if (loaded === undefined) return
      const { cursor, fold, hasKnown, recent, removed, savedAt, unknown } = loaded
      if (!this.isLoaded) {
        Object.assign(this, { fold, cursor, recent: [...recent], savedAt, isLoaded: true })
        if (unknown !== undefined) this.stall(unknown)
        return
      }
      yield* Effect.logWarning(`The shared registry ${show(this.name)} has read its log anew.`)
      yield* this.takeOver("rejoin", () => {
        // it may have written meanwhile
        if (this.cursor !== at) return undefined
        const hadBegun = !this.needsToBegin
        Object.assign(this, { fold, cursor, recent: [...recent], savedAt, isOff: false })
        this.mayHaveOrphans = true
        if (hadBegun && this.needsToBegin && this.session !== "none") this.lose()
        if (unknown !== undefined) this.stall(unknown)
        return !hasKnown || this.session === "lost"
          ? this.everything(removed)
          : this.everything(new Map([...takenOut(this.mirror.all, fold), ...removed]))
      })
    })
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Writing
  // -------------------------------------------------------------------------------------------------------------------

  isDue(transaction: Transaction<Item>): boolean {
    return transaction.kind !== "remote" &&
      (transaction.draft !== transaction.base || this.notes.has(transaction) || this.isNewer(transaction)) &&
      !this.written.has(transaction)
  }

  /** A refresh that finds no difference is of a newer version all the same. */
  private isNewer({ draft, kind }: Transaction<Item>): boolean {
    return kind === "refresh" && draft.populated && this.fold.version < this.settings.version
  }

  append(transaction: Transaction<Item>): Effect.Effect<void, unknown> {
    return Effect.withFiber((fiber) => {
      const { definition, tracing } = this.core
      if (transaction.draft === transaction.base) transaction.draft = copy(transaction.draft, {})
      const attempt = fiber.getRef(CurrentAttempt)
      const appending = Effect.flatMap(Clock.currentTimeMillis, (now) =>
        this.appendAll(
          transaction,
          attempt ?? { operation: transaction.operation, deadline: now + this.contact.patience, count: 0, wrote: false }
        ))
      const traced = tracing.isTraced(fiber)
        ? tracing.within({ registry: definition, operation: "append" }, appending)
        : appending
      return Effect.forkIn(Effect.interruptible(traced), this.scope).pipe(
        Effect.flatMap(Fiber.join),
        Effect.tapCause((cause) =>
          Effect.sync(() => {
            if (isAgain(cause) || transaction.irrevocable) transaction.redoAfterRollback = []
          })
        )
      )
    })
  }

  private appendAll(transaction: Transaction<Item>, attempt: Attempt): Effect.Effect<void, unknown> {
    const { operation } = attempt
    return Effect.gen({ self: this }, function*() {
      for (;;) {
        if (this.stalled !== undefined) {
          return yield* Effect.fail(this.unavailable("read_only", operation, { cause: this.readOnly }))
        }
        const id = newId()
        const { changes, record } = this.recordOf(transaction, id)
        // what goes with a session needs one that is there
        if (this.session === "lost" || this.isOff) return yield* this.again(attempt)
        const body = write(record)
        const bytes = new TextEncoder().encode(body).length
        const { maxBytes } = this.contact.log
        if (bytes > maxBytes) {
          const cause = new Error(`It has ${bytes} bytes of at most ${maxBytes}.`)
          return yield* Effect.fail(this.unavailable("too_large", operation, { cause }))
        }
        const outcome = yield* append(this.contact, {
          after: this.cursor,
          prev: record.prev,
          id,
          body,
          session: this.sessionId,
          deadline: attempt.deadline
        })
        if (outcome._tag === "Written") {
          attempt.wrote = true
          this.written.set(transaction, { ...changes, id, record, cursor: outcome.cursor })
          return
        }
        if (outcome._tag === "Failed") {
          if (outcome.code === "unknown_outcome") {
            this.news++
            this.mayHaveOrphans = true
          }
          this.contact.lose()
          return yield* Effect.fail(
            this.unavailable(outcome.code, operation, { record: id, cause: outcome.cause })
          )
        }
        if (transaction.looked || changes.simple === undefined || !replayed.has(transaction.kind)) {
          return yield* this.again(attempt)
        }
        attempt.count++
        const fits = yield* this.rebase(transaction, changes.simple, outcome.records)
        if (!fits) return yield* this.again(attempt, 0)
        const word = this.core.beforePublish
        if (word !== undefined) {
          yield* Effect.provideService(Effect.suspend(() => word(transaction)), CurrentTransaction, transaction)
        }
        transaction.approved = transaction.draft
      }
    })
  }

  private again(attempt: Attempt, times = 1): Effect.Effect<never, Again> {
    return Effect.suspend(() => {
      this.news++
      attempt.count += times
      return Effect.fail(new Again())
    })
  }

  private recordOf(
    transaction: Transaction<Item>,
    id: string
  ): { readonly changes: Journal<Item>; readonly record: Record } {
    const { prefix } = this
    const note = this.notes.get(transaction)
    const reset = transaction.steps.some(({ _tag }) => _tag === "Reset")
    const ops = [...prefix, ...note?.ops ?? []]
    const { base, draft, owner } = transaction
    const changes = journal(this.mirror, base, draft, {
      reset,
      session: this.sessionId,
      ending: note?.ending ?? new Set(),
      fold: this.anew ? new Fold() : this.fold,
      idAt: (index) => idOf(id, index),
      first: ops.length
    })
    ops.push(...changes.ops)
    if (draft.populated && (!base.populated || transaction.kind === "refresh" || reset)) {
      ops.push(["populated", Math.max(this.settings.version, this.fold.version)])
    }
    const lookups = this.core.definition.lookups.map(({ attribute, unique }) => unique ? `${attribute}!` : attribute)
    return {
      changes,
      record: {
        v: format,
        prev: this.fold.id,
        session: this.sessionId,
        lookups: lookups.join(","),
        ...(owner === "" ? undefined : { by: owner }),
        ops
      }
    }
  }

  /**
   * Others were first: takes over what they did, and makes the same change to that. First without a trace: where it does not
   * fit, the transaction is undone before hooks hear of what others did.
   */
  private rebase(
    transaction: Transaction<Item>,
    simple: Simple<Item>,
    records: ReadonlyArray<Stored>
  ): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const { core } = transaction
      const taken: Array<Synced<Item> & Publishing & { readonly reset: boolean }> = []
      const undo: Array<() => void> = []
      const giveUp = () => {
        for (const one of undo.toReversed()) one()
        return Effect.succeed(false)
      }
      let contents = contentsOf(core)
      const last = this.cursor
      for (const stored of records) {
        const record = this.look(stored)
        if (record === "other" || this.stalled !== undefined) return giveUp()
        if (record === undefined) continue
        const folded = this.accept(stored, record)
        undo.push(folded.revert)
        const synced = sync(this.mirror, contents, this.fold, folded, folded.by)
        undo.push(synced.revert)
        if (folded.reset || this.session === "lost" || synced.gone.length > 0) return giveUp()
        contents = synced.contents
        taken.push({ ...synced, revision: this.fold.revision, jumps: false, reset: false })
      }
      if (this.cursor === last) {
        // it was refused, and there is nothing in its way
        this.isOff = true
        return giveUp()
      }
      const again = replay(transaction, simple, contents, this.fold.revision + 1)
      if (again === undefined) return giveUp()
      return Effect.map(
        sequence(taken, (one) => this.inside(transaction, one)),
        () => {
          transaction.base = contentsOf(core)
          transaction.draft = again.contents
          transaction.steps = again.steps
          return true
        }
      )
    })
  }

  /** Publishes what another process has done while a transaction of this one holds the lock. */
  private inside(
    holder: Transaction<Item>,
    synced: Synced<Item> & Publishing & { readonly reset: boolean }
  ): Effect.Effect<void> {
    return Effect.withFiber((fiber) => {
      const { core } = holder
      const remote = new Transaction<Item>(
        core,
        { name: "follow", kind: "remote", irrevocable: true },
        fiber,
        holder,
        undefined,
        undefined
      )
      const settled: Effect.Effect<void> = Effect.suspend(() => {
        const last = lastWord([remote], (effect) => effect)
        return last === undefined || !Hooks.isUnsettled(remote)
          ? Effect.void
          : Effect.flatMap(Effect.ignoreCause(last), () => settled)
      })
      const telling = Effect.flatMap(this.apply(remote, synced, synced), () => settled)
      return Effect.flatMap(Effect.provideService(telling, CurrentTransaction, remote), () => {
        const after = publish(remote)
        remote.close()
        return after ?? Effect.void
      })
    })
  }

  publishing(transaction: Transaction<Item>): Publishing {
    const written = this.written.get(transaction)
    if (written !== undefined) {
      const { cursor, entries, id, record, removed, rules } = written
      this.fold.take(id, record)
      this.cursor = cursor
      this.remember(id)
      this.anew = false
      this.moving = undefined
      for (const [one, registration] of entries) this.mirror.know(one, registration, id)
      for (const one of removed) this.mirror.forget(one)
      this.mirror.keepUnreadable((one) => this.fold.entries.has(one))
      for (const [one, rule] of rules) this.mirror.knowRule(one, rule)
      if (record.ops.some(([tag]) => tag === "reset")) {
        for (const one of this.mirror.all) if (!this.fold.entries.has(one)) this.mirror.forget(one)
      }
      for (const [tag, from, to] of record.ops) {
        if (tag === "rebind" && typeof from === "string" && typeof to === "string") this.mirror.rebind(from, to)
      }
      if (this.nudges !== undefined && this.fold.revision - this.savedAt >= this.settings.every) {
        Queue.offerUnsafe(this.nudges, undefined)
      }
      return { revision: this.fold.revision, jumps: false }
    }
    const plan = this.plans.get(transaction) ?? { revision: this.fold.revision, jumps: false }
    if (plan.jumps) this.core.watchers?.jump()
    return plan
  }

  isUnavailable(cause: Cause.Cause<unknown>): boolean {
    const isLater = cause.reasons.some((reason) =>
      Cause.isFailReason(reason) && reason.error instanceof RegistryUnavailable
    )
    if (isLater) this.mayHaveOrphans = true
    return isLater
  }

  /** What is published, and its record. */
  get position(): { readonly revision: number; readonly record: string } {
    const { revision } = contentsOf(this.core)
    return { revision, record: this.recordAt(revision) ?? "" }
  }

  private recordAt(revision: number): string | undefined {
    return revision <= this.fold.revision ? this.recent.at(revision - this.fold.revision - 1) : undefined
  }

  isAt(revision: number, record: string): boolean {
    return this.recordAt(revision) === record
  }

  changesAfter(revision: number, record: string | undefined): Effect.Effect<ReadonlyArray<Told<Item>> | undefined> {
    return Effect.suspend(() => {
      const { contact, core, mirror: { codec } } = this
      const last = contentsOf(core).revision
      return Effect.orElseSucceed(changesAfter(core, contact, codec, revision, record, last), () => undefined)
    })
  }

  // -------------------------------------------------------------------------------------------------------------------
  // What the replica writes by itself
  // -------------------------------------------------------------------------------------------------------------------

  /** An operation of the replica: until it is in, or the log cannot be used. */
  private carryOut(
    name: string,
    body: (transaction: Transaction<Item, never, any>) => Effect.Effect<void>,
    note: Note = noNote
  ): Effect.Effect<void, LogError> {
    return Effect.gen({ self: this }, function*() {
      for (;;) {
        const operation: Operation<Item, never, any, void, never> = {
          name,
          kind: "upkeep",
          irrevocable: true,
          runsHooks: true,
          body: (transaction) => {
            this.notes.set(transaction, note)
            return Effect.map(body(transaction), () => {
              if (transaction.draft !== transaction.base) return
              if (this.notes.get(transaction)!.ops.length + this.prefix.length === 0) this.notes.delete(transaction)
            })
          },
          undone: () => Effect.void
        }
        this.internal.add(operation)
        const deadline = (yield* Clock.currentTimeMillis) + this.contact.patience
        const attempt: Attempt = { operation: name, deadline, count: 0, wrote: false }
        const exit = yield* Effect.exit(
          Effect.provideService(run(this.withoutPopulation, operation), CurrentAttempt, attempt)
        )
        if (Exit.isSuccess(exit) || this.core.closed) return
        if (!isAgain(exit.cause)) {
          return yield* Effect.fail(new LogError({ cause: Cause.squash(exit.cause), definite: false }))
        }
        if (this.isOff) yield* this.reload(this.cursor)
        yield* this.pull
        // it needs another session first
        if (this.session === "lost") return
      }
    })
  }

  /** Begins, or takes up what was lost. */
  private readonly returning = (transaction: Transaction<Item, never, any>): Effect.Effect<void> => {
    const entries = this.toReturn
    this.toReturn = []
    if (entries.length === 0 || this.settings.onLost === "leave") return Effect.void
    const contents = new Contents(transaction.draft)
    for (const entry of entries) {
      if (!this.mirror.isClaimed(entry) || current(contents, entry.registration) !== undefined) continue
      const { item, keys, origin, registration } = entry
      Update.wait(contents, new Entry(item, keys, origin, { registration }))
    }
    transaction.draft = contents
    return bringBack(transaction)
  }

  /** Takes out what no scope of this process claims. */
  private tidy(): Effect.Effect<void, LogError> {
    return Effect.suspend(() => {
      this.mayHaveOrphans = false
      const contents = contentsOf(this.core)
      const orphans = this.registrationsOf((session) => session === this.sessionId).filter((registration) => {
        const entry = current(contents, registration)
        return entry !== undefined && !this.mirror.isClaimed(entry)
      })
      const rules = this.rulesOf((session) => session === this.sessionId)
      const isOrphan = (id: string) => {
        const rule = this.mirror.ruleOf(id, this.fold.rules.get(id)!)
        return rule?.scope === undefined || rule.scope.state._tag === "Closed"
      }
      const orphaned = rules.filter(isOrphan).flatMap((id) => this.mirror.ruleOf(id, this.fold.rules.get(id)!) ?? [])
      if (orphans.length + orphaned.length === 0) return Effect.void
      return Effect.onError(
        this.carryOut("tidy", (transaction) =>
          Effect.flatMap(
            unregisterEach(transaction, orphans, (entry) => !this.mirror.isClaimed(entry), removing("scope")),
            () => orphaned.length === 0 ? Effect.void : endRules(transaction, (rule) => orphaned.includes(rule))
          )),
        () => Effect.sync(() => this.mayHaveOrphans = true)
      )
    })
  }

  private registrationsOf(isOf: (session: string | undefined) => boolean): ReadonlyArray<number> {
    return Array.from(this.fold.entries).toReversed().flatMap(([id, { session }]) =>
      isOf(session) ? this.mirror.registrationOf(id) ?? [] : []
    )
  }

  private rulesOf(isOf: (session: string | undefined) => boolean): ReadonlyArray<string> {
    return Array.from(this.fold.rules).flatMap(([id, { session }]) => isOf(session) ? [id] : [])
  }

  private endSessions(dead: ReadonlyArray<string>): Effect.Effect<void, LogError> {
    const ended = new Set(dead)
    const isOf = (session: string | undefined) => session !== undefined && ended.has(session)
    return this.carryOut(
      "endSession",
      (transaction) => {
        const still = dead.filter((session) => this.fold.sessions.has(session))
        this.notes.set(transaction, { ops: still.map((session) => ["end", session] as const), ending: ended })
        const rules = new Set(
          this.rulesOf(isOf).flatMap((id) => this.mirror.ruleOf(id, this.fold.rules.get(id)!) ?? [])
        )
        return Effect.flatMap(
          unregisterEach<Item, never, any>(transaction, this.registrationsOf(isOf), () => true, removing("scope")),
          () => rules.size === 0 ? Effect.void : endRules(transaction, (rule) => rules.has(rule))
        )
      }
    )
  }

  private saveCheckpoint(): Effect.Effect<void, LogError> {
    return Effect.suspend(() => {
      const { cursor, fold, settings: { every, keep } } = this
      if (
        fold.revision - this.savedAt < every || this.mirror.unreadable.size > 0 || this.stalled !== undefined ||
        this.anew || this.isOff
      ) return Effect.void
      this.savedAt = fold.revision
      const checkpoint = { cursor, body: fold.toCheckpoint() }
      return this.contact.ask((log) => log.saveCheckpoint(this.name, checkpoint, keep))
    })
  }

  /** What was written anywhere before this began is seen when it has ended. */
  readonly sync: Effect.Effect<void, RegistryUnavailable> = Effect.suspend(() =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const attempt: Attempt = { operation: "sync", deadline: now + this.contact.patience, count: 0, wrote: false }
      return Effect.andThen(
        this.within(attempt, this.inBackground(Effect.andThen(this.joined, this.pull))),
        Effect.suspend(() =>
          this.stalled === undefined
            ? Effect.void
            : Effect.fail(this.unavailable("read_only", "sync", { cause: this.readOnly }))
        )
      )
    })
  )
}

const mostAttempts = 64
const recentIds = 1_000
const noNote: Note = { ops: [], ending: new Set() }

/** The kinds of transactions that may be made again to other contents. */
const replayed: ReadonlySet<string> = new Set(["change", "withdrawal", "upkeep"])

/** Entries that are not in a log that was cut: somebody has taken them out, while their session lives. */
const takenOut = (ids: Iterable<string>, fold: Fold): ReadonlyArray<readonly [string, "remove"]> =>
  Array.from(ids).filter((id) => !fold.entries.has(id)).map((id) => [id, "remove"] as const)

/** Whether an operation has an answer that may be stale: it has succeeded, or failed with an error other than the log's. */
const isAnswer = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isSuccess(exit) ||
  exit.cause.reasons.every((reason) => Cause.isFailReason(reason) && !(reason.error instanceof RegistryUnavailable))
