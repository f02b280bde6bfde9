/** Following a log: taking over what other processes have written. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import type { Cursor, LogError, Stored } from "../../shared/RegistryLog.ts"
import { settle } from "../engine/acquiring.ts"
import { type Publishing, Transaction } from "../engine/core.ts"
import { CurrentTransaction } from "../engine/current.ts"
import * as Hooks from "../engine/hooks.ts"
import { lastWord, publish, run } from "../engine/transaction.ts"
import type { Entry } from "../store/entry.ts"
import { show } from "../store/wording.ts"
import { Acquirers } from "./acquirers.ts"
import type { Fold, Folded } from "./fold.ts"
import { load } from "./loading.ts"
import type { Shown, State } from "./state.ts"
import { everythingIn, sync, type Synced } from "./syncing.ts"
import { tellSteps } from "./telling.ts"

export class Following<Item> {
  private readonly state: State<Item>
  /** One at a time reads. */
  private readonly turns = Semaphore.makeUnsafe(1)
  /** What is published with a transaction that takes something over. */
  readonly plans = new WeakMap<Transaction<any>, Publishing>()

  readonly acquirers: Acquirers<Item>

  constructor(state: State<Item>) {
    this.state = state
    this.acquirers = new Acquirers(state)
  }

  everything(removed: Folded["removed"] = new Map()): Shown {
    return { ...everythingIn(this.state.mirror, this.state.fold, removed), jumps: true, by: "" }
  }

  /** Reads what there is after the cursor, and takes it over. */
  readonly pull: Effect.Effect<void, LogError> = Effect.suspend(() => this.turns.withPermit(this.pullNow))

  private readonly pullNow: Effect.Effect<void, LogError> = Effect.suspend(() =>
    Effect.gen({ self: this }, function*() {
      for (;;) {
        if (!this.state.isLoaded || this.state.stalled !== undefined || this.state.core.closed) return
        const { cursor: from, news } = this.state
        const { head, more, records } = yield* this.state.contact.read(from)
        if (records === "truncated" || head < from.revision) {
          yield* this.reloadNow(from)
          continue
        }
        let other = false
        for (const stored of records) {
          other = yield* this.next(stored)
          if (other || this.state.stalled !== undefined) break
        }
        if (other) yield* this.reloadNow(this.state.cursor)
        else if (!more) {
          this.state.known = Math.max(this.state.known, news)
          return
        }
      }
    })
  )

  /** Takes the next record over. Answers whether it is of another history. */
  private next(stored: Stored): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const { state } = this
      const seen = state.look(stored)
      if (seen === undefined || seen === "other") return Effect.succeed(seen === "other")
      let isOther = false
      const taking = this.takeOver("follow", () => {
        // with the lock: this process may have written meanwhile
        const record = state.look(stored)
        isOther = record === "other"
        return record === undefined || record === "other" ? undefined : state.accept(stored, record)
      })
      return Effect.flatMap(taking, () => Effect.as(this.compare(seen.lookups), isOther))
    })
  }

  private hasCompared = false

  /** Says once that another version of the program finds items by other lookups. */
  private compare(lookups: string): Effect.Effect<void> {
    const { lookups: own, name } = this.state
    if (this.hasCompared || lookups === "" || lookups === own) return Effect.void
    this.hasCompared = true
    return Effect.logWarning(
      `Another process has the lookups ${show(lookups)} in the shared registry ${show(name)}, and this one ${
        show(own)
      }.`
    )
  }

  /** What others have done, as a transaction that cannot be refused. */
  takeOver(
    name: string,
    change: () => Shown | undefined
  ): Effect.Effect<void> {
    const taking = run<Item, any, any, ReadonlyArray<Entry<Item>>, never, never>(this.state.core, {
      name,
      kind: "remote",
      irrevocable: true,
      body: (transaction) =>
        Effect.suspend(() => {
          const folded = change()
          if (folded === undefined) return Effect.succeed([])
          return this.show(transaction, folded, this.state.fold.revision)
        }),
      undone: () => Effect.succeed([]),
      committed: (come) => this.acquirers.later(come)
    })
    return Effect.matchCause(taking, {
      onFailure: () => {
        this.state.isOff = true
      },
      onSuccess: () => {}
    })
  }

  /** Puts what has changed in the fold into a transaction, and tells hooks. */
  private show(
    transaction: Transaction<Item>,
    folded: Shown,
    revision: number
  ): Effect.Effect<ReadonlyArray<Entry<Item>>> {
    // while nobody is there, what is in the log is not shown, until somebody begins
    if (this.state.anew) {
      this.state.anew = false
      return this.showAll(transaction, this.everything(), revision)
    }
    return this.showAll(transaction, folded, revision)
  }

  private showAll(
    transaction: Transaction<Item>,
    folded: Shown,
    revision: number
  ): Effect.Effect<ReadonlyArray<Entry<Item>>> {
    const synced = sync(this.state.mirror, transaction.draft, this.state.fold, folded, folded.by)
    this.keepLost(synced, folded)
    const { jumps, reset } = folded
    return Effect.map(this.apply(transaction, synced, { revision, jumps, reset }), () => synced.come)
  }

  /** Remembers what scopes of this process are to get back. */
  private keepLost(synced: Synced<Item>, { jumps, removed }: Shown): void {
    for (const [id, entry] of synced.gone) {
      const why = removed.get(id)
      if (why === "end" || why === undefined && jumps) this.state.toReturn.push(entry)
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
      const ended = yield* Effect.interruptible(Effect.timeoutOption(Fiber.await(fiber), this.state.contact.patience))
      if (Option.isNone(ended)) {
        fiber.interruptUnsafe()
        transaction.unsettled = false
        yield* Effect.logError(
          `A hook of ${show(this.state.name)} has not ended in time for a change of another process.`
        )
      }
      const { defects } = transaction
      transaction.defects = Cause.empty
      if (defects.reasons.length > 0) {
        yield* Effect.logError(`A hook of ${show(this.state.name)} died for a change of another process.`, defects)
      }
    })
  }

  reload(at: Cursor): Effect.Effect<void, LogError> {
    return this.turns.withPermit(this.reloadNow(at))
  }

  /** Folds the log anew, and shows what is other than it was: at the start, behind a truncation, or in another history. */
  private reloadNow(at: Cursor): Effect.Effect<void, LogError> {
    return Effect.gen({ self: this }, function*() {
      const loaded = yield* load(this.state.contact, this.state.fold)
      if (loaded === undefined) return
      const { cursor, fold, hasKnown, recent, removed, savedAt, unknown } = loaded
      if (!this.state.isLoaded) {
        Object.assign(this.state, { fold, cursor, recent: [...recent], savedAt, isLoaded: true })
        if (unknown !== undefined) this.state.stall(unknown)
        return
      }
      yield* Effect.logWarning(`The shared registry ${show(this.state.name)} has read its log anew.`)
      yield* this.takeOver("rejoin", () => {
        // it may have written meanwhile
        if (this.state.cursor !== at) return undefined
        const hadBegun = !this.state.needsToBegin
        Object.assign(this.state, { fold, cursor, recent: [...recent], savedAt, isOff: false })
        this.state.mayHaveOrphans = true
        if (hadBegun && this.state.needsToBegin && this.state.session !== "none") this.state.lose()
        if (unknown !== undefined) this.state.stall(unknown)
        return !hasKnown || this.state.session === "lost"
          ? this.everything(removed)
          : this.everything(new Map([...takenOut(this.state.mirror.all, fold), ...removed]))
      })
    })
  }

  /** Publishes what another process has done while a transaction of this one holds the lock. */
  inside(
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
        const { acquisitions } = core
        const fresh = acquisitions?.fresh
        const after = publish(remote)
        // what the transaction around it has acquired is not decided yet
        if (acquisitions !== undefined) acquisitions.fresh = new Set()
        const release = settle(remote, true)
        if (acquisitions !== undefined && fresh !== undefined) acquisitions.fresh = fresh
        remote.close()
        return Effect.andThen(
          Effect.andThen(release ?? Effect.void, after ?? Effect.void),
          this.acquirers.later(synced.come)
        )
      })
    })
  }
}

/** Entries that are not in a log that was cut: somebody has taken them out, while their session lives. */
const takenOut = (ids: Iterable<string>, fold: Fold): ReadonlyArray<readonly [string, "remove"]> =>
  Array.from(ids).filter((id) => !fold.entries.has(id)).map((id) => [id, "remove"] as const)
