/** What hooks acquire in this process for items that another one has put in: after they are in, and without the lock. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as RegistryError from "../../RegistryError.ts"
import { acquires, acquisitionOf, isIn } from "../engine/acquiring.ts"
import { Acquisition, Acquisitions } from "../engine/acquisition.ts"
import { contentsOf } from "../engine/core.ts"
import { servicesOf } from "../engine/parts.ts"
import { failure, labelOf } from "../store/definition.ts"
import type { Entry } from "../store/entry.ts"
import { show } from "../store/wording.ts"
import type { State } from "./state.ts"

interface Running<Item> {
  readonly item: Item
  readonly done: Deferred.Deferred<void, RegistryError.RegistrationError>
}

type Acquired = Effect.Effect<void, RegistryError.RegistrationError>

export class Acquirers<Item> {
  private readonly state: State<Item>
  /** By registration: who asks for the same waits for it. */
  private readonly running = new Map<number, Running<Item>>()

  constructor(state: State<Item>) {
    this.state = state
  }

  private get isNeeded(): boolean {
    return this.state.core.hooks.some(acquires)
  }

  /** In the background, for what has come. What cannot be acquired is in, and the next lease tries again. */
  later(come: ReadonlyArray<Entry<Item>>): Effect.Effect<void> {
    const { core, scope } = this.state
    if (come.length === 0 || !this.isNeeded) return Effect.void
    const each = (entry: Entry<Item>) =>
      Effect.catch(
        this.now(entry),
        (error) =>
          Effect.logWarning(
            `${labelOf(core.definition, entry.item)} is in ${show(core.definition.name)} and was not acquired here.`,
            error
          )
      )
    return Effect.asVoid(
      Effect.forkIn(Effect.forEach(come, each, { concurrency: core.concurrency, discard: true }), scope)
    )
  }

  /** Acquires for an entry; nothing where no hook does, or it is done. */
  of(entry: Entry<Item>): Acquired | undefined {
    return this.isNeeded && acquisitionOf(this.state.core, entry) === undefined ? this.now(entry) : undefined
  }

  private now(entry: Entry<Item>): Acquired {
    return Effect.suspend(() => {
      const { core, scope } = this.state
      if (acquisitionOf(core, entry) !== undefined || !isIn(contentsOf(core), entry.registration, entry.item)) {
        return Effect.void
      }
      const running = this.running.get(entry.registration)
      if (running?.item === entry.item) return Deferred.await(running.done)
      // the registration had another item
      if (running !== undefined) return Effect.andThen(Effect.exit(Deferred.await(running.done)), this.now(entry))
      const done = Deferred.makeUnsafe<void, RegistryError.RegistrationError>()
      this.running.set(entry.registration, { item: entry.item, done })
      const acquiring = Effect.onExit(this.acquire(entry), (exit) => {
        this.running.delete(entry.registration)
        return Deferred.done(done, exit)
      })
      // it goes on though nobody waits for it any more
      return Effect.andThen(Effect.forkIn(acquiring, scope), Deferred.await(done))
    })
  }

  private acquire({ item, registration }: Entry<Item>): Acquired {
    return Effect.withFiber((fiber) => {
      const { core } = this.state
      const acquisition = new Acquisition(item)
      const release = Effect.suspend(() =>
        Effect.forEach(Array.from(acquisition.scopes.values()).toReversed(), (one) => Scope.close(one, Exit.void), {
          discard: true
        })
      )
      const acquiring = Effect.forEach(core.hooks.filter(acquires), (part) => {
        const scope = Scope.forkUnsafe(core.scope)
        acquisition.scopes.set(part, scope)
        const services = Context.add(servicesOf(part, fiber.cache.scheduler), Scope.Scope, scope)
        return Effect.setContext(Effect.suspend(() => part.handlers.acquire!(item)), services)
      }, { discard: true })
      return Effect.matchCauseEffect(acquiring, {
        onFailure: (cause) =>
          Effect.andThen(
            release,
            Effect.fail(
              failure(core.definition, RegistryError.RegistrationError, {
                code: "acquire",
                item,
                cause: Cause.squash(cause)
              })
            )
          ),
        onSuccess: () => {
          const { held } = core.acquisitions ??= new Acquisitions()
          // it may have gone meanwhile
          if (core.closed || held.has(registration) || !isIn(contentsOf(core), registration, item)) return release
          held.set(registration, acquisition)
          return Effect.void
        }
      })
    })
  }
}
