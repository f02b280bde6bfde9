/** Writing what transactions change into a log, before it is published. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type { Cursor, Stored } from "../../shared/RegistryLog.ts"
import { contentsOf, type Publishing, type Transaction } from "../engine/core.ts"
import { CurrentTransaction } from "../engine/current.ts"
import { sequence } from "../engine/sequence.ts"
import { copy } from "../store/contents.ts"
import { append, newId } from "./appending.ts"
import { Again, type Attempt, begin, CurrentAttempt, isAgain } from "./attempt.ts"
import { Fold } from "./fold.ts"
import type { Following } from "./following.ts"
import { type Journal, journal, type Simple } from "./journal.ts"
import { format, idOf, type Op, type Record, write } from "./record.ts"
import { replay } from "./replaying.ts"
import type { State } from "./state.ts"
import { sync, type Synced } from "./syncing.ts"
import { bytesOf } from "./text.ts"

interface Written<Item> extends Journal<Item> {
  readonly id: string
  readonly record: Record
  readonly cursor: Cursor
}

/** What an operation of the replica itself writes beside what it changes. */
export interface Note {
  readonly ops: ReadonlyArray<Op>
  readonly ending: ReadonlySet<string>
}

export class Writing<Item> {
  private readonly state: State<Item>
  private readonly following: Following<Item>
  private readonly written = new WeakMap<Transaction<any>, Written<Item>>()
  readonly notes = new WeakMap<Transaction<any>, Note>()

  constructor(state: State<Item>, following: Following<Item>) {
    this.state = state
    this.following = following
  }

  isDue(transaction: Transaction<Item>): boolean {
    return transaction.kind !== "remote" &&
      (transaction.draft !== transaction.base || this.notes.has(transaction) || this.isNewer(transaction)) &&
      !this.written.has(transaction)
  }

  /** A refresh that finds no difference is of a newer version all the same. */
  private isNewer({ draft, kind }: Transaction<Item>): boolean {
    return kind === "refresh" && draft.populated && this.state.fold.version < this.state.settings.version
  }

  append(transaction: Transaction<Item>): Effect.Effect<void, unknown> {
    return Effect.withFiber((fiber) => {
      const { definition, tracing } = this.state.core
      if (transaction.draft === transaction.base) transaction.draft = copy(transaction.draft, {})
      const attempt = fiber.getRef(CurrentAttempt)
      const appending = Effect.flatMap(Clock.currentTimeMillis, (now) =>
        this.appendAll(
          transaction,
          attempt ?? begin(transaction.operation, now + this.state.contact.patience)
        ))
      const traced = tracing.isTraced(fiber)
        ? tracing.within({ registry: definition, operation: "append" }, appending)
        : appending
      return Effect.forkIn(Effect.interruptible(traced), this.state.scope).pipe(
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
        if (this.state.stalled !== undefined) {
          return yield* Effect.fail(this.state.unavailable("read_only", operation, { cause: this.state.readOnly }))
        }
        const id = newId()
        const { changes, record } = this.recordOf(transaction, id)
        // what goes with a session needs one that is there
        if (this.state.session === "lost" || this.state.isOff) return yield* this.again(attempt)
        const body = write(record)
        const bytes = bytesOf(body)
        const { maxBytes } = this.state.contact.log
        if (bytes > maxBytes) {
          const cause = new Error(`It has ${bytes} bytes of at most ${maxBytes}.`)
          return yield* Effect.fail(this.state.unavailable("too_large", operation, { cause }))
        }
        const outcome = yield* append(this.state.contact, {
          after: this.state.cursor,
          prev: record.prev,
          id,
          body,
          session: this.state.sessionId,
          deadline: attempt.deadline
        })
        if (outcome._tag === "Written") {
          attempt.wrote = true
          this.written.set(transaction, { ...changes, id, record, cursor: outcome.cursor })
          return
        }
        if (outcome._tag === "Failed") {
          if (outcome.code === "unknown_outcome") {
            this.state.news++
            this.state.mayHaveOrphans = true
          }
          this.state.contact.lose()
          return yield* Effect.fail(
            this.state.unavailable(outcome.code, operation, { record: id, cause: outcome.cause })
          )
        }
        if (transaction.looked || changes.simple === undefined || !replayed.has(transaction.kind)) {
          return yield* this.again(attempt)
        }
        const fits = yield* this.rebase(transaction, changes.simple, outcome.records)
        if (!fits) return yield* this.again(attempt)
        const word = this.state.core.beforePublish
        if (word !== undefined) {
          yield* Effect.provideService(Effect.suspend(() => word(transaction)), CurrentTransaction, transaction)
        }
        transaction.approved = transaction.draft
      }
    })
  }

  private again(attempt: Attempt): Effect.Effect<never, Again> {
    return Effect.suspend(() => {
      this.state.news++
      attempt.count++
      return Effect.fail(new Again())
    })
  }

  private recordOf(
    transaction: Transaction<Item>,
    id: string
  ): { readonly changes: Journal<Item>; readonly record: Record } {
    const { prefix } = this.state
    const note = this.notes.get(transaction)
    const reset = transaction.steps.some(({ _tag }) => _tag === "Reset")
    const ops = [...prefix, ...note?.ops ?? []]
    const { base, draft, owner } = transaction
    const changes = journal(this.state.mirror, base, draft, {
      reset,
      session: this.state.sessionId,
      ending: note?.ending ?? new Set(),
      fold: this.state.anew ? new Fold() : this.state.fold,
      idAt: (index) => idOf(id, index),
      first: ops.length
    })
    ops.push(...changes.ops)
    if (draft.populated && (!base.populated || transaction.kind === "refresh" || reset)) {
      ops.push(["populated", Math.max(this.state.settings.version, this.state.fold.version)])
    }
    return {
      changes,
      record: {
        v: format,
        prev: this.state.fold.id,
        session: this.state.sessionId,
        lookups: this.state.lookups,
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
      const last = this.state.cursor
      for (const stored of records) {
        const record = this.state.look(stored)
        if (record === "other" || this.state.stalled !== undefined) return giveUp()
        if (record === undefined) continue
        const folded = this.state.accept(stored, record)
        undo.push(folded.revert)
        const synced = sync(this.state.mirror, contents, this.state.fold, folded, folded.by)
        undo.push(synced.revert)
        if (folded.reset || this.state.session === "lost" || synced.gone.length > 0) return giveUp()
        contents = synced.contents
        taken.push({ ...synced, revision: this.state.fold.revision, jumps: false, reset: false })
      }
      if (this.state.cursor === last) {
        // it was refused, and there is nothing in its way
        this.state.isOff = true
        return giveUp()
      }
      const again = replay(transaction, simple, contents, this.state.fold.revision + 1)
      if (again === undefined) return giveUp()
      return Effect.map(
        sequence(taken, (one) => this.following.inside(transaction, one)),
        () => {
          transaction.base = contentsOf(core)
          transaction.draft = again.contents
          transaction.steps = again.steps
          return true
        }
      )
    })
  }

  publishing(transaction: Transaction<Item>): Publishing {
    const written = this.written.get(transaction)
    if (written !== undefined) {
      const { cursor, entries, id, record, removed, rules } = written
      this.state.fold.take(id, record)
      this.state.cursor = cursor
      this.state.remember(id)
      this.state.anew = false
      this.state.moving = undefined
      for (const [one, registration] of entries) this.state.mirror.know(one, registration, id)
      for (const one of removed) this.state.mirror.forget(one)
      this.state.mirror.keepUnreadable((one) => this.state.fold.entries.has(one))
      for (const [one, rule] of rules) this.state.mirror.knowRule(one, rule)
      if (record.ops.some(([tag]) => tag === "reset")) {
        for (const one of this.state.mirror.all) if (!this.state.fold.entries.has(one)) this.state.mirror.forget(one)
      }
      for (const [tag, from, to] of record.ops) {
        if (tag === "rebind" && typeof from === "string" && typeof to === "string") this.state.mirror.rebind(from, to)
      }
      if (
        this.state.nudges !== undefined && this.state.fold.revision - this.state.savedAt >= this.state.settings.every
      ) {
        Queue.offerUnsafe(this.state.nudges, undefined)
      }
      return { revision: this.state.fold.revision, jumps: false }
    }
    const plan = this.following.plans.get(transaction) ?? { revision: this.state.fold.revision, jumps: false }
    if (plan.jumps) this.state.core.watchers?.jump()
    return plan
  }
}

/** The kinds of transactions that may be made again to other contents. */
const replayed: ReadonlySet<string> = new Set(["change", "withdrawal", "upkeep"])
