/** Asking a log for news from time to time: one question, however many registries of a process are in it. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Log } from "./contact.ts"
import type { State } from "./state.ts"

interface Member {
  readonly state: State<any>
  readonly nudge: () => void
}

class Poller {
  private readonly members = new Set<Member>()
  private isRunning = false

  /** Asks for a registry, too, until the scope of it closes. */
  add(member: Member): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.members.add(member)
      if (this.isRunning) return Effect.void
      this.isRunning = true
      return Effect.asVoid(Effect.forkDetach(this.loop))
    })
  }

  remove(member: Member): void {
    this.members.delete(member)
  }

  private readonly loop: Effect.Effect<void> = Effect.suspend(() => {
    const intervals = Array.from(this.members, ({ state }) => Duration.toMillis(state.settings.poll))
    if (intervals.length === 0) {
      this.isRunning = false
      return Effect.void
    }
    return Effect.sleep(Math.min(...intervals)).pipe(
      Effect.andThen(this.ask),
      Effect.andThen(this.loop)
    )
  })

  private readonly ask: Effect.Effect<void> = Effect.suspend(() => {
    const members = Array.from(this.members)
    const [first] = members
    if (first === undefined) return Effect.void
    const names = members.map(({ state }) => state.name)
    const asking = Effect.result(first.state.contact.ask((log) => log.heads(names)))
    return Effect.flatMap(asking, (answer) =>
      Effect.forEach(members, ({ nudge, state }, i) => {
        if (answer._tag === "Failure") {
          state.contact.lose()
          return Effect.void
        }
        if (answer.success[i]!.id !== state.cursor.id || state.hasToDo) nudge()
        return state.contact.heard
      }, { discard: true }))
  })
}

const pollers = new WeakMap<Log, Poller>()

/** The poller of a log. */
export const pollerOf = (log: Log): Poller => {
  const poller = pollers.get(log) ?? new Poller()
  pollers.set(log, poller)
  return poller
}
