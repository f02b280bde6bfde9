/** What a process of a shared registry writes by itself. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { LogError } from "../../shared/RegistryLog.ts"
import { contentsOf, type Core, type Operation, type Transaction } from "../engine/core.ts"
import { run } from "../engine/transaction.ts"
import { endRules } from "../features/switches.ts"
import { bringBack } from "../operations/bringBack.ts"
import { removing } from "../operations/unregister.ts"
import { unregisterEach } from "../operations/unregisterEach.ts"
import { Contents, current } from "../store/contents.ts"
import { Entry } from "../store/entry.ts"
import * as Update from "../store/update.ts"
import { begin, CurrentAttempt, isAgain } from "./attempt.ts"
import type { Following } from "./following.ts"
import type { State } from "./state.ts"
import type { Note, Writing } from "./writing.ts"

export class Chores<Item> {
  private readonly state: State<Item>
  private readonly following: Following<Item>
  private readonly writing: Writing<Item>

  constructor(state: State<Item>, following: Following<Item>, writing: Writing<Item>) {
    this.state = state
    this.following = following
    this.writing = writing
  }

  /** An operation of the replica. Answers whether it is in: it is not where another session is needed first. */
  private carryOut(
    name: string,
    body: (transaction: Transaction<Item, never, any>) => Effect.Effect<void>,
    note: Note = noNote
  ): Effect.Effect<boolean, LogError> {
    return Effect.gen({ self: this }, function*() {
      for (;;) {
        const operation: Operation<Item, never, any, void, never> = {
          name,
          kind: "upkeep",
          irrevocable: true,
          runsHooks: true,
          body: (transaction) => {
            this.writing.notes.set(transaction, note)
            return Effect.map(body(transaction), () => {
              if (transaction.draft !== transaction.base) return
              if (this.writing.notes.get(transaction)!.ops.length + this.state.prefix.length === 0) {
                this.writing.notes.delete(transaction)
              }
            })
          },
          undone: () => Effect.void
        }
        this.state.ownOperations.add(operation)
        const deadline = (yield* Clock.currentTimeMillis) + this.state.contact.patience
        const attempt = begin(name, deadline)
        const exit = yield* Effect.exit(
          Effect.provideService(run(this.state.core as Core<Item, never, any>, operation), CurrentAttempt, attempt)
        )
        if (Exit.isSuccess(exit) || this.state.core.closed) return true
        if (!isAgain(exit.cause)) {
          return yield* Effect.fail(new LogError({ cause: Cause.squash(exit.cause), definite: false }))
        }
        if (this.state.isOff) yield* this.following.reload(this.state.cursor)
        yield* this.following.pull
        // it needs another session first
        if (this.state.session === "lost") return false
      }
    })
  }

  /** Begins, and registers again what scopes of this process have lost. */
  begin(): Effect.Effect<void, LogError> {
    const { state } = this
    const lost = state.toReturn
    const returning = (transaction: Transaction<Item, never, any>): Effect.Effect<void> => {
      if (lost.length === 0 || state.settings.onLost === "leave") return Effect.void
      const contents = new Contents(transaction.draft)
      for (const entry of lost) {
        if (!state.mirror.isClaimed(entry) || current(contents, entry.registration) !== undefined) continue
        const { item, keys, origin, registration } = entry
        Update.wait(contents, new Entry(item, keys, origin, { registration }))
      }
      transaction.draft = contents
      return bringBack(transaction)
    }
    return Effect.map(this.carryOut("join", returning), (isDone) => {
      if (isDone) state.toReturn = state.toReturn.filter((entry) => !lost.includes(entry))
    })
  }

  /** Takes out what no scope of this process claims. */
  tidy(): Effect.Effect<unknown, LogError> {
    return Effect.suspend(() => {
      this.state.mayHaveOrphans = false
      const contents = contentsOf(this.state.core)
      const orphans = this.registrationsOf((session) => session === this.state.sessionId).filter((registration) => {
        const entry = current(contents, registration)
        return entry !== undefined && !this.state.mirror.isClaimed(entry)
      })
      const rules = this.rulesOf((session) => session === this.state.sessionId)
      const isOrphan = (id: string) => {
        const rule = this.state.mirror.ruleOf(id, this.state.fold.rules.get(id)!)
        return rule?.scope === undefined || rule.scope.state._tag === "Closed"
      }
      const orphaned = rules.filter(isOrphan).flatMap((id) =>
        this.state.mirror.ruleOf(id, this.state.fold.rules.get(id)!) ?? []
      )
      if (orphans.length + orphaned.length === 0) return Effect.void
      return Effect.onError(
        this.carryOut("tidy", (transaction) =>
          Effect.flatMap(
            unregisterEach(transaction, orphans, (entry) => !this.state.mirror.isClaimed(entry), removing("scope")),
            () => orphaned.length === 0 ? Effect.void : endRules(transaction, (rule) => orphaned.includes(rule))
          )),
        () => Effect.sync(() => this.state.mayHaveOrphans = true)
      )
    })
  }

  private registrationsOf(isOf: (session: string | undefined) => boolean): ReadonlyArray<number> {
    return Array.from(this.state.fold.entries).toReversed().flatMap(([id, { session }]) =>
      isOf(session) ? this.state.mirror.registrationOf(id) ?? [] : []
    )
  }

  private rulesOf(isOf: (session: string | undefined) => boolean): ReadonlyArray<string> {
    return Array.from(this.state.fold.rules).flatMap(([id, { session }]) => isOf(session) ? [id] : [])
  }

  endSessions(dead: ReadonlyArray<string>): Effect.Effect<unknown, LogError> {
    const ended = new Set(dead)
    const isOf = (session: string | undefined) => session !== undefined && ended.has(session)
    return this.carryOut(
      "endSession",
      (transaction) => {
        const still = dead.filter((session) => this.state.fold.sessions.has(session))
        this.writing.notes.set(transaction, { ops: still.map((session) => ["end", session] as const), ending: ended })
        const rules = new Set(
          this.rulesOf(isOf).flatMap((id) => this.state.mirror.ruleOf(id, this.state.fold.rules.get(id)!) ?? [])
        )
        return Effect.flatMap(
          unregisterEach<Item, never, any>(transaction, this.registrationsOf(isOf), () => true, removing("scope")),
          () => rules.size === 0 ? Effect.void : endRules(transaction, (rule) => rules.has(rule))
        )
      }
    )
  }

  saveCheckpoint(): Effect.Effect<void, LogError> {
    return Effect.suspend(() => {
      const { cursor, fold, settings: { every, keep } } = this.state
      if (
        fold.revision - this.state.savedAt < every || this.state.mirror.unreadable.size > 0 ||
        this.state.stalled !== undefined ||
        this.state.anew || this.state.isOff
      ) return Effect.void
      this.state.savedAt = fold.revision
      const checkpoint = { cursor, body: fold.toCheckpoint() }
      return this.state.contact.ask((log) => log.saveCheckpoint(this.state.name, checkpoint, keep))
    })
  }
}

const noNote: Note = { ops: [], ending: new Set() }
