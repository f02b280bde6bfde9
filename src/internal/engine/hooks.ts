/**
 * Hooks and their parts: how they are called, and how what they did is undone.
 *
 * @internal
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pipeable from "effect/Pipeable"
import * as Scheduler from "effect/Scheduler"
import * as Spans from "../features/spans.ts"
import { CurrentTransaction } from "./current.ts"
import { collect, sequence } from "./sequence.ts"

/** @internal */
export const TypeId = "~effect-registry/RegistryHooks"

/**
 * What a registry calls around its operations. Each is an effect that runs under the registry's lock, in the transaction
 * of the operation that calls it: it may use the registry in any way, from any child fiber.
 *
 * `onItemRegistering` alone may fail, which refuses the item. It is a check, and acquires nothing: it may run for an
 * operation that then fails. A defect of any hook undoes the operation.
 *
 * @category models
 * @since 0.1.0
 */
export interface Handlers<in Item, out E = never, out R = never> {
  /** Before an item is registered, and after it was checked. A failure refuses it. */
  readonly onItemRegistering: (item: Item) => Effect.Effect<unknown, E, R>
  /** After an item was registered. */
  readonly onItemRegistered: (item: Item) => Effect.Effect<unknown, never, R>
  /** Before an item is unregistered. */
  readonly onItemUnregistering: (item: Item) => Effect.Effect<unknown, never, R>
  /** After an item was unregistered. */
  readonly onItemUnregistered: (item: Item) => Effect.Effect<unknown, never, R>
  /** Before the defaults are asked for. */
  readonly onPopulating: Effect.Effect<unknown, never, R>
  /** After the last default was registered. */
  readonly onPopulated: Effect.Effect<unknown, never, R>
  /** Before the first item is unregistered by a reset. */
  readonly onResetting: Effect.Effect<unknown, never, R>
  /** After the last item was unregistered by a reset. */
  readonly onReset: Effect.Effect<unknown, never, R>
}

/**
 * Hooks as a value, which combines with others. It keeps its parts: each one's calls are counted, and undone, on their
 * own.
 *
 * @category models
 * @since 0.1.0
 */
export interface RegistryHooks<in Item, out E = never, out R = never> extends Handlers<Item, E, R>, Pipeable.Pipeable {
  readonly [TypeId]: { readonly parts: ReadonlyArray<Partial<Handlers<Item, E, R>>> }
}

/** @internal */
export type ItemHook = "onItemRegistering" | "onItemRegistered" | "onItemUnregistering" | "onItemUnregistered"

/** @internal */
export type RegistryHook = "onPopulating" | "onPopulated" | "onResetting" | "onReset"

/**
 * One part of the hooks of a registry, with the services of where it was given.
 *
 * @internal
 */
export interface Part<in Item, out E> {
  readonly handlers: Partial<Handlers<Item, E, any>>
  /** The services, and the scheduler of the fiber that ran it last. */
  context: { readonly services: Context.Context<any>; readonly scheduler: Scheduler.Scheduler }
  /**
   * Nobody calls a part that was `removed`, but what it did is still undone by it; with one that was told on its removal
   * of all that is in, all is `settled`.
   */
  state: "installed" | "removed" | "settled"
}

/**
 * What is taken for hooks: some of the handlers, or a value.
 *
 * @category models
 * @since 0.1.0
 */
export type Input<Item, E = unknown, R = unknown> = RegistryHooks<Item, E, R> | Partial<Handlers<Item, E, R>>

/**
 * What hooks refuse items with.
 *
 * @category models
 * @since 0.1.0
 */
export type ErrorOf<Hooks> = Unknown extends Hooks ? never
  : "onItemRegistering" extends keyof Hooks ? Called<Hooks["onItemRegistering"]>["error"]
  : never

/**
 * The services that hooks need.
 *
 * @category models
 * @since 0.1.0
 */
export type ServicesOf<Hooks> = Unknown extends Hooks ? never
  : { [Hook in keyof Hooks & keyof Handlers<any>]: Called<Hooks[Hook]>["services"] }[keyof Hooks & keyof Handlers<any>]

/** What hooks are taken for where there are none. */
type Unknown = Partial<Handlers<any, unknown, unknown>>

type Called<Handler> = Handler extends (item: any) => Effect.Effect<any, infer E, infer R>
  ? { readonly error: E; readonly services: R }
  : Handler extends Effect.Effect<any, infer E, infer R> ? { readonly error: E; readonly services: R }
  : { readonly error: never; readonly services: never }

/** A misspelt handler is an error where a record of handlers is taken; its name in the error says which there are. */
export type NoExcess<Hooks> = {
  readonly [Hook in Exclude<keyof Hooks, keyof RegistryHooks<any>>]: HookIs<Names[keyof Names]>
}

/** A mapped type, because an error would show `keyof` as it is written. */
type Names = { readonly [Hook in keyof Handlers<any>]: Hook }

interface HookIs<in out Name> {
  readonly [expected]: Name
}

declare const expected: unique symbol

/** @internal */
export const install = <Item, E>(
  hooks: Input<Item, E, any>,
  context: Context.Context<any>
): ReadonlyArray<Part<Item, E>> =>
  partsOf(hooks).map((handlers) => ({
    handlers,
    context: { services: context, scheduler: Context.get(context, Scheduler.Scheduler) },
    state: "installed"
  }))

/** @internal */
export const partsOf = <Item, E, R>(hooks: Input<Item, E, R>): ReadonlyArray<Partial<Handlers<Item, E, R>>> =>
  TypeId in hooks ? hooks[TypeId].parts : [hooks]

/**
 * Calls a hook of each part that is installed when its turn comes, one after the other.
 *
 * @internal
 */
export const call = <Item, E>(parts: ReadonlyArray<Part<Item, E>>, hook: RegistryHook): Effect.Effect<void> =>
  sequence(inOrder(parts, hook), (part) => {
    const effect = part.state === "installed" ? part.handlers[hook] : undefined
    return effect && run(part, effectOf(effect, hook), { operation: hook })
  })

/**
 * The same for an item, before it is registered or unregistered.
 *
 * @internal
 */
export const callBefore = <Item, E, Hook extends "onItemRegistering" | "onItemUnregistering">(
  parts: ReadonlyArray<Part<Item, E>>,
  hook: Hook,
  item: Item
): Effect.Effect<void, Failure<E, Hook>> =>
  sequence(inOrder(parts, hook), (part) => part.state === "installed" ? tell(part, hook, item) : undefined)

/**
 * A call that was completed, and can be undone.
 *
 * @internal
 */
export interface Call<Item> {
  readonly part: Part<Item, unknown>
  readonly hook: "onItemRegistered" | "onItemUnregistered"
  readonly item: Item
  /** A call that was completed later has a higher one, whatever registry it was for. */
  readonly serial: number
}

let completedCalls = 0

/**
 * The same for an item that was registered or unregistered. A call is added to `calls` in the step that completes it.
 *
 * @internal
 */
export const callAfter = <Item>(
  parts: ReadonlyArray<Part<Item, unknown>>,
  hook: Call<Item>["hook"],
  item: Item,
  calls: Array<Call<Item>>
): Effect.Effect<void> =>
  sequence(inOrder(parts, hook), (part) => {
    if (part.state !== "installed") return undefined
    const effect = handle(part, hook, item)
    // a handler that is not there, or has nothing to run, has completed
    if (effect === undefined) return completed(part, hook, item, calls)
    // with the mask, and with nothing between, no interruption fits between the last step of the hook and its record
    const recorded = Effect.uninterruptibleMask((restore) =>
      Effect.map(restore(effect), () => completed(part, hook, item, calls))
    )
    return run(part, recorded, { operation: hook, item })
  })

const completed = <Item>(
  part: Part<Item, unknown>,
  hook: Call<Item>["hook"],
  item: Item,
  calls: Array<Call<Item>>
): void => {
  // where there is nothing to play it back with, there is nothing to undo
  if (part.handlers[inverse[hook]] !== undefined && part.state !== "settled") {
    calls.push({ part, hook, item, serial: completedCalls++ })
  }
}

const inverse = {
  onItemRegistered: "onItemUnregistered",
  onItemUnregistered: "onItemRegistered"
} as const

/**
 * Plays completed calls back, newest first. A part that dies does not stop the others: what went wrong is collected.
 *
 * @internal
 */
export const undo = <Item>(calls: ReadonlyArray<Call<Item>>): Effect.Effect<Cause.Cause<never>> =>
  collect(
    calls.toReversed(),
    ({ hook, item, part }) => tell(part, inverse[hook], item)
  )

/**
 * The order in which parts are called: for registration and population as they were installed, for unregistration and
 * reset the other way round.
 */
const inOrder = <P>(parts: ReadonlyArray<P>, hook: ItemHook | RegistryHook): ReadonlyArray<P> => {
  switch (hook) {
    case "onItemUnregistering":
    case "onItemUnregistered":
    case "onResetting":
    case "onReset":
      return parts.length < 2 ? parts : parts.toReversed()
    default:
      return parts
  }
}

/**
 * Calls a hook of a part for an item, whether it is installed or not, and keeps no record.
 *
 * @internal
 */
export const tell = <Item, E, Hook extends ItemHook>(
  part: Part<Item, E>,
  hook: Hook,
  item: Item
): Effect.Effect<unknown, Failure<E, Hook>> | undefined => {
  const effect = handle(part, hook, item)
  return effect && run(part, effect, { operation: hook, item })
}

/** What is to be run: what has succeeded already, `Effect.void` for instance, need not be. */
const handle = <Item, E, Hook extends ItemHook>(
  part: Part<Item, E>,
  hook: Hook,
  item: Item
): Effect.Effect<unknown, Failure<E, Hook>, any> | undefined => {
  // whichever hook it is, it is called with an item; which of them can fail is in the type of the answer
  const handlers = part.handlers as {
    readonly [hook in ItemHook]?: (item: Item) => Effect.Effect<unknown, Failure<E, Hook>, any>
  }
  const effect = handlers[hook]?.(item)
  return handlers[hook] === undefined || Exit.isExit(effect) && Exit.isSuccess(effect)
    ? undefined
    : effectOf(effect, hook)
}

/** What is no effect, from untyped code, would end the fiber on the spot, with the lock. */
const effectOf = <A, E, R>(effect: Effect.Effect<A, E, R> | undefined, hook: string): Effect.Effect<A, E, R> =>
  Effect.isEffect(effect)
    ? effect
    : Effect.die(new TypeError(`The hook ${hook} is, or answers, no effect.`))

/** Only `onItemRegistering` can fail. */
type Failure<E, Hook extends ItemHook> = Hook extends "onItemRegistering" ? E : never

/**
 * With the services of where the part was given; on the scheduler, in the transactions and in the trace of the fiber that
 * runs it.
 */
const run = <A, E>(
  part: Part<never, unknown>,
  effect: Effect.Effect<A, E, any>,
  attributes: Spans.Attributes
): Effect.Effect<A, E> =>
  Effect.withFiber((fiber) => {
    const { scheduler } = fiber.cache
    if (part.context.scheduler !== scheduler) {
      part.context = { scheduler, services: Context.add(part.context.services, Scheduler.Scheduler, scheduler) }
    }
    const transaction = fiber.getRef(CurrentTransaction)
    const context = Context.add(part.context.services, CurrentTransaction, transaction)
    return Spans.isTraced(fiber)
      ? Spans.withinContext(fiber, { ...attributes, registry: transaction?.name ?? "" }, effect, context)
      : Effect.setContext(effect, context)
  })
