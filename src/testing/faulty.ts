/** A log that fails as logs do. */
import * as Effect from "effect/Effect"
import { LogError, type RegistryLog } from "../shared/RegistryLog.ts"

type Log = RegistryLog["Service"]

/**
 * @internal
 */
export interface Faults {
  /** How likely it is that a call fails before it does anything, and says so. */
  refuses: number
  /** How likely it is that a call is carried out, and its answer is lost. */
  loses: number
  /** How likely it is that an append is carried out later. */
  late: number
  /** How likely it is that an append takes no notice of what is there. */
  doubles: number
  /** Nothing is answered any more. */
  isDead: boolean
}

/**
 * The log as one process has it.
 *
 * @internal
 */
export const faulty = (log: Log, faults: Faults, random: () => number): Log => {
  const wrap = <A>(call: Effect.Effect<A, LogError>): Effect.Effect<A, LogError> =>
    Effect.suspend(() => {
      if (faults.isDead) return Effect.never
      const dice = random()
      if (dice < faults.refuses) {
        return Effect.fail(new LogError({ cause: new Error("refused"), definite: random() < 0.5 }))
      }
      if (dice < faults.refuses + faults.loses) {
        return Effect.flatMap(call, () => random() < 0.5 ? Effect.never : Effect.fail(lost()))
      }
      return Effect.flatMap(Effect.yieldNow, () => call)
    })
  return {
    ...log,
    append: (registry, after, record) =>
      Effect.suspend(() => {
        const appending = log.append(registry, after, record)
        if (!faults.isDead && random() < faults.doubles) {
          return Effect.flatMap(log.read(registry, after, 1_000), ({ records }) =>
            log.append(registry, records === "truncated" ? after : records.at(-1)?.cursor ?? after, record))
        }
        if (!faults.isDead && random() < faults.late) {
          return Effect.andThen(
            Effect.forkDetach(Effect.delay(Effect.ignore(appending), Math.floor(random() * 150))),
            Effect.fail(lost())
          )
        }
        return wrap(appending)
      }),
    read: (registry, after, limit) => wrap(log.read(registry, after, limit)),
    heads: (registries) => wrap(log.heads(registries)),
    checkpoint: (registry) => wrap(log.checkpoint(registry)),
    saveCheckpoint: (registry, checkpoint, keep) => wrap(log.saveCheckpoint(registry, checkpoint, keep)),
    drop: (registry) => wrap(log.drop(registry)),
    sessions: {
      open: (id, ttl) => wrap(log.sessions.open(id, ttl)),
      renew: (id, ttl) => wrap(log.sessions.renew(id, ttl)),
      close: (id) => wrap(log.sessions.close(id)),
      living: (ids) => wrap(log.sessions.living(ids)),
      bury: (ids) => wrap(log.sessions.bury(ids))
    }
  }
}

const lost = () => new LogError({ cause: new Error("lost"), definite: false })
