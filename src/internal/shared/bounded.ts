/** The log of an engine, each call of which ends in time. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { LogError, type RegistryLog } from "../../shared/RegistryLog.ts"
import { bytesOf } from "./text.ts"

type Log = RegistryLog["Service"]

/** How long an engine may take for a call. What has not answered by then is interrupted, and may be carried out or not. */
const limit = "10 seconds"

/** How many bytes the name of a registry may have. */
const longestName = 200

const inTime = <A>(call: Effect.Effect<A, LogError>): Effect.Effect<A, LogError> =>
  Effect.flatMap(
    Effect.timeoutOption(call, limit),
    (answer) =>
      Option.isSome(answer)
        ? Effect.succeed(answer.value)
        : Effect.fail(new LogError({ cause: new Error(`The log did not answer within ${limit}.`), definite: false }))
  )

const tooLong = (registry: string): LogError =>
  new LogError({
    cause: new Error(`The name of a shared registry has more than ${longestName} bytes: ${registry.slice(0, 50)}…`),
    definite: true
  })

const named = <A>(registry: string, call: Effect.Effect<A, LogError>): Effect.Effect<A, LogError> =>
  bytesOf(registry) > longestName ? Effect.fail(tooLong(registry)) : inTime(call)

export const bounded = (log: Log): Log => {
  const { sessions } = log
  return {
    ...log,
    append: (registry, after, record) => named(registry, log.append(registry, after, record)),
    read: (registry, after, most) => named(registry, log.read(registry, after, most)),
    heads: (registries) => inTime(log.heads(registries)),
    checkpoint: (registry) => named(registry, log.checkpoint(registry)),
    saveCheckpoint: (registry, checkpoint, keep) => named(registry, log.saveCheckpoint(registry, checkpoint, keep)),
    drop: (registry) => named(registry, log.drop(registry)),
    sessions: {
      open: (id, ttl) => inTime(sessions.open(id, ttl)),
      renew: (id, ttl) => inTime(sessions.renew(id, ttl)),
      close: (id) => inTime(sessions.close(id)),
      living: (ids) => inTime(sessions.living(ids)),
      bury: (ids) => inTime(sessions.bury(ids))
    }
  }
}
