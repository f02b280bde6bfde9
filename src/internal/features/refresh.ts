/** Running the defaults of a registry again, and keeping what did not change. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as RegistryError from "../../RegistryError.ts"
import { contentsOf, type Core, type Operation, type Transaction } from "../engine/core.ts"
import { CurrentTransaction, innermost, within } from "../engine/current.ts"
import { entering } from "../engine/mutation.ts"
import { interruptedInside, notInterruptedInside } from "../engine/population.ts"
import { current } from "../engine/read.ts"
import { PopulationRuns } from "../engine/runs.ts"
import { run } from "../engine/transaction.ts"
import { waitFor, WaitNode } from "../engine/waiting.ts"
import { type Failed, readDefaults, registrationFailed } from "../operations/populate.ts"
import * as Contents from "../store/contents.ts"
import { type Entry, Origin } from "../store/entry.ts"
import { type Refused, warn } from "./leavingOut.ts"
import { isBelow, leavingOut, reconcileIn, type SourceOf } from "./reconcile.ts"

type Refreshed = Effect.Effect<void, Failed<any, any>>

/** A run of the defaults. In one transaction, what a population had put in is made equal to them. */
const refreshing = <Item, V>(): Operation<Item, any, V, void, Failed<any, V>, any> => {
  let unused: Scope.Closeable | undefined
  return {
    name: "refresh",
    kind: "refresh",
    body: (transaction) => {
      const { core, restore } = transaction
      const scope = unused = Scope.forkUnsafe(core.scope)
      transaction.scopes = transaction.scopes.concat(scope)
      core.ended ??= endedScopes(core)
      const items: Array<Item> = []
      const reading = readDefaults<Item, any, never>(core, (some) => Effect.sync(() => items.push(...some)))
      return restore(Effect.provideService(reading, Scope.Scope, scope)).pipe(
        Effect.flatMap(() => {
          const source = byPopulation<Item, V>(scope)
          const left: Array<Refused<Item, unknown>> = []
          return core.registerDefaults === undefined
            ? reconcileIn(transaction, items, source)
            : Effect.tap(reconcileIn(transaction, items, leavingOut(source, left)), () => warn(core, left))
        }),
        Effect.map(({ added, replaced }) => {
          if (added.length + replaced.length === 0) return
          unused = undefined
          transaction.populationScope = scope
        }),
        Effect.mapError((error) =>
          error instanceof RegistryError.PopulationError ? error : registrationFailed(transaction, error, error.item)
        )
      )
    },
    undone: () => Effect.void,
    // no item is of this run
    committed: () => unused === undefined ? Effect.void : Scope.close(unused, Exit.void)
  }
}

/** What a population has put in. */
const byPopulation =
  <Item, V>(scope: Scope.Scope): SourceOf<Item, V, Failed<any, V>> => <P>(transaction: Transaction<Item, P, V>) => {
    const { owner, revision } = transaction.origin
    return {
      isOwn: (entry) => isBelow(entry) && entry.origin.population !== undefined,
      origin: new Origin(owner, revision, false, undefined, undefined, { scope }),
      entering: (item) => {
        const { acquire, ask } = entering(transaction, item)
        const failing = (effect: Effect.Effect<unknown, V>) =>
          Effect.mapError(effect, (cause) => registrationFailed<never, V>(transaction, cause, item))
        return {
          item,
          ask: () => failing(ask()),
          acquire: () => {
            const acquiring = acquire()
            return acquiring && failing(acquiring)
          }
        }
      }
    }
  }

/** Keeps the scopes of earlier populations as long as one of their registrations is in. */
const endedScopes = <Item, P, V>(core: Core<Item, P, V>): Core<Item>["ended"] => {
  const kept = new Map<Scope.Closeable, Set<number>>()
  return (scopes, contents) => {
    for (const scope of scopes) {
      const own = Contents.allEntries(contents).filter((entry) => isOf(entry, scope))
      kept.set(scope, new Set(own.map(({ registration }) => registration)))
    }
    const ended: Array<Scope.Closeable> = []
    for (const [scope, registrations] of kept) {
      for (const registration of registrations) {
        const entry = Contents.current(contents, registration)
        if (entry !== undefined && isOf(entry, scope)) break
        registrations.delete(registration)
      }
      if (registrations.size > 0) continue
      kept.delete(scope)
      ended.push(scope)
    }
    if (kept.size === 0) core.ended = undefined
    return ended
  }
}

const isOf = ({ origin }: Entry<unknown>, scope: Scope.Scope): boolean => origin.population?.scope === scope

interface Shared {
  readonly runs: PopulationRuns
  readonly run: Refreshed
}

const shared = new WeakMap<Core<any, any, any>, Shared>()

/** Outermost refreshes at the same time share a run, as populations do: it has nothing of the fibers that ask for it. */
const sharedBy = <Item, V>(core: Core<Item, any, V>): Effect.Effect<Shared> =>
  Effect.suspend(() => {
    const known = shared.get(core)
    if (known !== undefined) return Effect.succeed(known)
    const runs = new PopulationRuns()
    const outermost = Effect.suspend(() => {
      const self = new WaitNode(core.definition, "refresh", undefined)
      const refreshed = Effect.provideService(run(core, refreshing<Item, V>()), CurrentTransaction, self)
      return Effect.onExitPrimitive(
        Effect.withFiber<void, any>((fiber) => {
          runs.begin(self, fiber)
          return Effect.setContext(
            Effect.catchCause(refreshed, interruptedInside(core)),
            Context.add(core.context, Scheduler.Scheduler, fiber.cache.scheduler)
          )
        }),
        () => {
          runs.end(self)
          return undefined
        }
      )
    })
    return Effect.map(Effect.cachedWithTTL(outermost, -Infinity), (cached) => {
      const made = shared.get(core) ?? { runs, run: cached }
      shared.set(core, made)
      return made
    })
  })

export const refresh = <Item, P, V>(core: Core<Item, P, V>): Refreshed =>
  core.orDie?.(refreshIn(core)) ?? refreshIn(core)

const refreshIn = <Item, P, V>(core: Core<Item, P, V>): Refreshed =>
  Effect.withFiber((fiber) => {
    const transaction = current(core, fiber.context)
    if (transaction === undefined ? !contentsOf(core).populated : !transaction.ready) return core.tryPopulate
    if (transaction !== undefined) {
      if (transaction.state === "undoing" || isRunning(transaction)) return Effect.void
      return Effect.updateContext(
        notInterruptedInside(core, run(core, refreshing<Item, V>())),
        (caller: Context.Context<never>) => within(innermost(caller), core.context, caller)
      )
    }
    return Effect.flatMap(sharedBy(core), ({ run: running, runs }) => {
      const node = innermost(fiber.context)
      if (node === undefined) runs.waitUntracked()
      const joining = node === undefined ? running : Effect.suspend(() => waitFor(node, runs.wait(), running))
      return Effect.setContext(joining, Context.add(fiber.context, Scheduler.PreventSchedulerYield, true))
    })
  })

/** Whether defaults are being run, or all is being taken out: a refresh has nothing to add. */
const isRunning = (transaction: Transaction<any>): boolean => {
  for (let one: Transaction<any> | undefined = transaction; one !== undefined; one = one.parent) {
    if (one.populating || one.resetting || one.kind === "refresh") return true
  }
  return false
}
