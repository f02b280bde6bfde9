/** Transactions of several registries that are published together. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { bounded, show } from "../store/wording.ts"
import { contentsOf, type Core, type Observation, type OperationLabel, Transaction } from "./core.ts"
import { CurrentTransaction, innermost } from "./current.ts"
import { openIn } from "./read.ts"
import { end, hold } from "./transaction.ts"
import { type ErrorSource, useAfterEnd, WaitNode } from "./waiting.ts"

const transactAll: OperationLabel = { name: "transactAll" }

/** An effect as one transaction of several registries, nested where the fiber is in transactions of all. */
export const runAll = <P, A, E, R>(
  cores: ReadonlyArray<Core<any, P, any>>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | P, R> =>
  Effect.withFiber((fiber) => {
    // transactions that take locks in one order never wait in a circle
    const ordered = Array.from(new Set(cores)).toSorted((one, other) => one.serial - other.serial)
    const observations = ordered.map(({ observer }) => observer?.called(transactAll, fiber))
    const result = Effect.onExitPrimitive(runAllOn(ordered, effect, observations), (exit) => {
      for (const observation of observations) observation?.ended(exit)
      return undefined
    })
    const traced = ordered.find(({ hooks, tracing }) => hooks.length > 0 && tracing.isTraced(fiber))
    return traced === undefined
      ? result
      : traced.tracing.within(
        { registry: { name: jointName(ordered), messages: {} }, operation: transactAll.name },
        result
      )
  })

/** Again where another process was first. */
const runAllOn = <P, A, E, R>(
  ordered: ReadonlyArray<Core<any, P, any>>,
  effect: Effect.Effect<A, E, R>,
  observations: ReadonlyArray<Observation | undefined>
): Effect.Effect<A, E | P, R> =>
  Effect.withFiber((fiber) => {
    const outer = innermost(fiber.context)
    const [shared, another] = ordered.filter((core) => core.shared !== undefined)
    if (another !== undefined) {
      return Effect.die(
        new Error(`transactAll of ${names([shared!, another])}: two shared registries cannot be published together.`)
      )
    }
    const running = runAllNow(ordered, effect, observations)
    return shared?.shared === undefined || openIn(outer, shared) !== undefined
      ? running
      : shared.shared.around(transactAll, running)
  })

const runAllNow = <P, A, E, R>(
  ordered: ReadonlyArray<Core<any, P, any>>,
  effect: Effect.Effect<A, E, R>,
  observations: ReadonlyArray<Observation | undefined>
): Effect.Effect<A, E | P, R> =>
  Effect.withFiber((fiber) => {
    const outer = innermost(fiber.context)
    const parents = ordered.flatMap((core) => openIn(outer, core) ?? [])
    if (ordered.length === 0 || parents.some(({ state }) => state === "undoing")) return effect
    if (parents.length > 0 && parents.length < ordered.length) {
      return Effect.die(
        new Error(
          `transactAll of ${names(ordered)} is in transactions of ${names(parents.map(({ core }) => core))} alone: ` +
            "it could not publish all together. Begin it outside, or with all of them around it."
        )
      )
    }
    const closed = parents.length === 0 ? ordered.find((core) => core.closed) : undefined
    if (closed !== undefined) return useAfterEnd(closed.definition)
    const populatingFirst = Effect.flatMap(
      Effect.forEach(ordered, ({ populate }) => populate, { discard: true }),
      () => (parents.length === 0 ? runAllNow : runAllOn)(ordered, effect, observations)
    )
    // a Pending registry is populated without any lock: its population may need one that this would hold
    const arePending = () => parents.length === 0 && ordered.some((core) => !contentsOf(core).populated)
    const source: ErrorSource = { name: jointName(ordered), names: ordered.map(nameOf), messages: {} }
    const node = new WaitNode(source, transactAll.name, outer)
    node.fiber = fiber
    const locked = ordered.reduceRight(
      (inner, core, index) => {
        const { lock } = parents[index] ?? core
        const next = Effect.suspend(() => arePending() || !areOpen(parents) ? Effect.undefined : inner)
        return lock.hold(node, next, node)
      },
      beginAll(fiber, ordered, effect, node, parents, observations)
    )
    const ended = Effect.onExitPrimitive(locked, () => {
      node.state = "closed"
      node.fiber = undefined
      return undefined
    })
    return Effect.flatMap(ended, (result) =>
      result ?? (ordered.some((core) => core.closed) ? Effect.interrupt : populatingFirst))
  })

const areOpen = (parents: ReadonlyArray<Transaction<any>>): boolean => parents.every(({ state }) => state === "open")

type Defined = { readonly definition: ErrorSource }

const nameOf = ({ definition }: Defined): string => definition.name

const jointName = (list: ReadonlyArray<Defined>): string => list.map(nameOf).join(" and ")

const names = (list: ReadonlyArray<Defined>): string => bounded(list.map((one) => show(nameOf(one))).join(", "), 100)

/**
 * With all locks: begins in one step with all of them, as `begin` does with one. Answers how it ended, which is to come
 * when the locks have been given back; nothing if it has to start over.
 */
const beginAll = <P, A, E, R>(
  fiber: Fiber.Fiber<unknown, unknown>,
  cores: ReadonlyArray<Core<any, P, any>>,
  effect: Effect.Effect<A, E, R>,
  node: WaitNode,
  parents: ReadonlyArray<Transaction<any>>,
  observations: ReadonlyArray<Observation | undefined>
): Effect.Effect<Effect.Effect<A, E> | undefined, never, R> =>
  Effect.uninterruptibleMask((restore) => {
    if (cores.some(({ closed }) => closed)) return Effect.interrupt
    if (!areOpen(parents)) return Effect.undefined
    const group: Array<Transaction<any>> = []
    for (const core of cores) {
      const at = group.length
      group.push(new Transaction(core, transactAll, fiber, group.at(-1) ?? node, parents[at], observations[at]))
    }
    if (!group.every(({ canRun }) => canRun)) return Effect.undefined
    for (const transaction of group) {
      transaction.innermost = group.at(-1)!
      hold(transaction, restore)
    }
    const ending = (exit: Exit.Exit<A, E>) => Effect.exit(end(group, exit, {}, restore))
    return Effect.matchCauseEffect(restore(Effect.provideService(effect, CurrentTransaction, group.at(-1))), {
      onFailure: (cause) => ending(Exit.failCause(cause)),
      onSuccess: (value) => ending(Exit.succeed(value))
    })
  })
