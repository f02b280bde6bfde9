/** Asking a log, which may be away. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scheduler from "effect/Scheduler"
import { type Cursor, LogError, type Page, type RegistryLog } from "../../shared/RegistryLog.ts"

export type Log = RegistryLog["Service"]

export { start } from "../../shared/RegistryLog.ts"

/** How many records are read at once. */
const pageSize = 256

export class Contact {
  readonly log: Log
  readonly registry: string
  /** How long an operation may take, in milliseconds. A question may take a part of that: there is time to ask again. */
  readonly patience: number
  /** When the log answered last. */
  last: number | undefined = undefined
  /** Since when it has answered all that it was asked; nothing while it is away. */
  since: number | undefined = undefined
  /** That of the log: nothing of a caller, such as a transaction of a database, is in it. */
  private readonly context: Context.Context<never>

  constructor(log: Log, registry: string, patience: number, context: Context.Context<never>) {
    this.log = log
    this.registry = registry
    this.patience = patience
    this.context = context
  }

  /** Asks on a fiber of its own, and waits for so many milliseconds at most. What has not answered is left behind. */
  ask<A>(question: (log: Log) => Effect.Effect<A, LogError>, millis = this.patience): Effect.Effect<A, LogError> {
    const most = Math.max(Math.min(millis, this.patience / 4), 0)
    const asking = Effect.suspend(() => question(this.log))
    return Effect.flatMap(Effect.forkDetach(this.inContext(asking)), (fiber) =>
      Fiber.await(fiber).pipe(
        Effect.onInterrupt(() => Effect.sync(() => fiber.interruptUnsafe())),
        Effect.timeoutOption(most),
        Effect.flatMap((answer) => {
          if (Option.isNone(answer)) {
            fiber.interruptUnsafe()
            return Effect.fail(notInTime())
          }
          return Exit.isSuccess(answer.value) || Cause.hasFails(answer.value.cause)
            ? answer.value
            : Effect.fail(new LogError({ cause: Cause.squash(answer.value.cause), definite: false }))
        }),
        Effect.tap(() => this.heard),
        Effect.tapError(() => Effect.sync(() => this.lose()))
      ))
  }

  /** The log has answered. */
  readonly heard: Effect.Effect<void> = Effect.map(Clock.currentTimeMillis, (now) => {
    this.last = now
    this.since ??= now
  })

  inContext<A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.withFiber((fiber) =>
      Effect.setContext(effect, Context.add(this.context, Scheduler.Scheduler, fiber.cache.scheduler))
    )
  }

  lose(): void {
    this.since = undefined
  }

  read(after: Cursor, millis?: number): Effect.Effect<Page, LogError> {
    return this.ask((log) => log.read(this.registry, after, pageSize), millis)
  }
}

export const notInTime = (): LogError =>
  new LogError({ cause: new Error("It did not answer in time."), definite: false })
