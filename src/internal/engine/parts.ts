/** The hooks of a registry: in parts, each with its services, and the calls that each completed. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type * as Pipeable from "effect/Pipeable"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import type * as RegistryError from "../../RegistryError.ts"
import { refuseForeign } from "../copy.ts"
import { type Definition, forEachKey } from "../store/definition.ts"
import { type Entry, isObject } from "../store/entry.ts"

export const TypeId = "~effect-registry/RegistryHooks"

/**
 * The hooks that a registry calls around its operations. Each runs under the registry's lock, in the transaction of the
 * operation that calls it. `onItemRegistering` and `acquire` may fail, which refuses the item. `onItemRegistering` is a
 * check, and acquires nothing: it may run for an operation that then fails. A defect of any hook rolls the operation back.
 */
export interface Handlers<in Item, out E = never, out R = never, out A = unknown> {
  /** Before an item is registered, and after it was checked. A failure refuses it. */
  readonly onItemRegistering: (item: Item) => Effect.Effect<unknown, E, R>
  /**
   * Acquires what an item needs while it is in. It runs after `onItemRegistering`, before the item goes in, in a scope that
   * closes after the item has gone. A failure refuses the item.
   */
  readonly acquire: (item: Item) => Effect.Effect<unknown, A, R | Scope.Scope>
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

/** Hooks as a value, which combines with others. The calls of each part are counted, and undone, on their own. */
export interface RegistryHooks<in Item, out E = never, out R = never, out A = never>
  extends Handlers<Item, E, R, A>, Pipeable.Pipeable
{
  readonly [TypeId]: Parts<Item, E, R>
}

interface Parts<in Item, out E, out R> {
  readonly parts: ReadonlyArray<Given<Item, E, R>>
  readonly arrange: Arrange
}

/** A part of hooks as a value. */
export interface Given<in Item, out E, out R> extends Arrangeable {
  readonly handlers: Partial<Handlers<Item, E, R>>
}

/** The names of hooks, and of those that they come before or after. */
export interface Place {
  /** Several hooks may have one name. */
  readonly name?: string | undefined
  /** The names of hooks that come later. A name that no hook has counts as soon as one has it. */
  readonly before?: string | ReadonlyArray<string> | undefined
  /** The names of hooks that come earlier. */
  readonly after?: string | ReadonlyArray<string> | undefined
}

export interface Arrangeable {
  readonly places?: ReadonlyArray<Placed> | undefined
}

/** A place, and the feature that knows how to put parts into their places. */
interface Placed extends Place {
  readonly arrange: Arrange
}

/** Throws if parts of a registry, given in the order of their installation, are in a circle. */
export type Arrange = <P extends Arrangeable>(registry: string, parts: ReadonlyArray<P>) => Arranged<P>

/** Parts in the order in which a registration calls them. */
export interface Arranged<out P> extends ReadonlyArray<P> {
  /** The same in the order of their installation, where some have places. */
  readonly installed?: ReadonlyArray<P>
}

export type ItemHook = "onItemRegistering" | "onItemRegistered" | "onItemUnregistering" | "onItemUnregistered"

export type RegistryHook = "onPopulating" | "onPopulated" | "onResetting" | "onReset"

/** One part of the hooks of a registry, with the services of where it was given. */
export interface Part<in Item, out E> extends Arrangeable {
  readonly handlers: Partial<Handlers<Item, E, any>>
  /** Whether it belongs to the definition, whose errors are those of the operations. */
  readonly own: boolean
  /** The services, and the scheduler of the fiber that ran it last, which is in them. */
  services: Context.Context<any>
  scheduler: Scheduler.Scheduler
  /**
   * `removed`: not called any more, but its completed calls are still rolled back through it. `settled`: it was told about
   * every remaining item when it was removed, so nothing is left to roll back.
   */
  state: "installed" | "removed" | "settled"
}

/** What is taken for hooks: some of the handlers, or a value. */
export type Input<Item, E = unknown, R = unknown> = RegistryHooks<Item, E, R, unknown> | Partial<Handlers<Item, E, R>>

/** What can be installed: hooks, or their parts alone. */
export type Installable<Item, E, R> = { readonly [TypeId]: Parts<Item, E, R> } | Partial<Handlers<Item, E, R>>

/** What hooks of a definition refuse items with. */
export type ErrorOf<Hooks> = Vetoes<Hooks> | AcquireError<Hooks>

/** What `onItemRegistering` of hooks fails with. */
export type Vetoes<Hooks> = Unknown extends Hooks ? never
  : "onItemRegistering" extends keyof Hooks ? Called<Hooks["onItemRegistering"]>["error"]
  : never

/** What `acquire` of hooks fails with. */
export type AcquireError<Hooks> = Unknown extends Hooks ? never
  : "acquire" extends keyof Hooks ? Called<Hooks["acquire"]>["error"]
  : never

/** What adding hooks fails with: that they cannot acquire for an item that is in. */
export type AddingFailure<Hooks> = [AcquireError<Hooks>] extends [never] ? never : RegistryError.RegistrationError

/** The services that hooks need. `acquire` has a scope for each item. */
export type ServicesOf<Hooks> = Unknown extends Hooks ? never
  : {
    [Hook in keyof Hooks & keyof Handlers<any>]: Hook extends "acquire"
      ? Exclude<Called<Hooks[Hook]>["services"], Scope.Scope>
      : Called<Hooks[Hook]>["services"]
  }[keyof Hooks & keyof Handlers<any>]

/** What hooks are taken for where there are none. */
type Unknown = Partial<Handlers<any, unknown, unknown>>

type Called<Handler> = Handler extends (item: any) => Effect.Effect<any, infer E, infer R>
  ? { readonly error: E; readonly services: R }
  : Handler extends Effect.Effect<any, infer E, infer R> ? { readonly error: E; readonly services: R }
  : { readonly error: never; readonly services: never }

/** A misspelt handler is an error where a record of handlers is taken; its name in the error says which there are. */
export type NoExcess<Hooks> = {
  readonly [Hook in Exclude<keyof Hooks, keyof RegistryHooks<any>>]: NoSuchHook<Hook, Names[keyof Names]>
}

/** A mapped type, because an error would show `keyof` as it is written. */
type Names = { readonly [Hook in keyof Handlers<any>]: Hook }

/** There are other hooks. */
interface NoSuchHook<in out Hook, in out Others> {
  readonly [expected]: readonly [Hook, Others]
}

declare const expected: unique symbol

/** The parts of hooks for a registry, in the order in which a registration calls them. */
export const install = <Item, E>(
  registry: string,
  hooks: Installable<Item, E, any>,
  context: Context.Context<any>,
  own = false
): ReadonlyArray<Part<Item, E>> => {
  const parts = partsOf(hooks)
  return (TypeId in hooks ? hooks[TypeId].arrange(registry, parts) : parts).map((part) => ({
    ...part,
    own,
    services: context,
    scheduler: Context.get(context, Scheduler.Scheduler),
    state: "installed"
  }))
}

/** The services of a part, with a scheduler. */
export const servicesOf = (part: Part<never, unknown>, scheduler: Scheduler.Scheduler): Context.Context<any> => {
  if (part.scheduler !== scheduler) {
    part.scheduler = scheduler
    part.services = Context.add(part.services, Scheduler.Scheduler, scheduler)
  }
  return part.services
}

export const partsOf = <Item, E, R>(hooks: Installable<Item, E, R>): ReadonlyArray<Given<Item, E, R>> => {
  refuseForeign(hooks)
  return TypeId in hooks ? hooks[TypeId].parts : [{ handlers: hooks }]
}

const hookNames: { readonly [Hook in keyof Handlers<never>]: true } = {
  onItemRegistering: true,
  acquire: true,
  onItemRegistered: true,
  onItemUnregistering: true,
  onItemUnregistered: true,
  onPopulating: true,
  onPopulated: true,
  onResetting: true,
  onReset: true
}

/** Whether a value has a hook, or is a value of hooks. */
export const areHooks = (u: unknown): boolean =>
  isObject(u) && (TypeId in u || Object.keys(hookNames).some((name) => name in u))

/** The order in which a registration calls parts: that of their installation, unless one has a place. */
export const arrange: Arrange = (registry, parts) =>
  parts.find(({ places }) => places !== undefined)?.places?.[0]?.arrange(registry, parts) ?? parts

export type AfterHook = "onItemRegistered" | "onItemUnregistered"

/** What a hook is told: that an item has come, or gone. */
export interface News<Item> {
  readonly hook: AfterHook
  readonly entry: Entry<Item>
}

/** A call that was completed, and can be undone. */
export interface Call<Item> extends News<Item> {
  readonly part: Part<Item, unknown>
  /** A call that was completed later has a higher one, in whatever registry. */
  readonly serial: number
  /** Whether it died in a transaction that nothing stops: nothing is undone then. */
  readonly died: boolean
}

/** The completed calls of an outermost transaction and of those in it, in order, and what each part knows by them. */
export class Calls<Item> {
  readonly list: Array<Call<Item>> = []
  private readonly definition: Definition<Item>
  /** Made when somebody asks. */
  private last: Map<Part<Item, unknown>, Known<Item>> | undefined = undefined
  /** How many of the list are in `last`. */
  private known = 0

  constructor(definition: Definition<Item>) {
    this.definition = definition
  }

  /** Whether the last call told a part that an item is in; nothing if there was none. */
  told(part: Part<Item, unknown>, item: Item): boolean | undefined {
    return this.knownTo(part)?.items.get(item)
  }

  /** The entry of a unique key that a part was told of, unless it was told that it went. */
  holder(part: Part<Item, unknown>, slot: number, key: unknown): Entry<Item> | undefined {
    const holders = this.knownTo(part)?.holders[slot]
    return holders && Option.getOrUndefined(HashMap.get(holders, key))
  }

  /** Forgets calls from an index on that have been made up for. What is known by them stays. */
  forget(from: number, isForgotten: (call: Call<Item>) => boolean): void {
    if (this.last !== undefined) this.catchUp(this.last)
    const rest = this.list.slice(from).filter((call) => !isForgotten(call))
    this.list.length = from
    for (const call of rest) this.list.push(call)
    if (this.last !== undefined) this.known = this.list.length
  }

  private knownTo(part: Part<Item, unknown>): Known<Item> | undefined {
    return this.catchUp(this.last ??= new Map()).get(part)
  }

  private catchUp(last: Map<Part<Item, unknown>, Known<Item>>): Map<Part<Item, unknown>, Known<Item>> {
    for (; this.known < this.list.length; this.known++) {
      const call = this.list[this.known]!
      const known = last.get(call.part) ?? { items: new Map(), holders: [] }
      last.set(call.part, known)
      this.learn(known, call)
    }
    return last
  }

  private learn({ holders, items }: Known<Item>, { entry, hook }: News<Item>): void {
    const isIn = hook === "onItemRegistered"
    items.set(entry.item, isIn)
    forEachKey(this.definition, entry.keys, (key, slot) => {
      if (!this.definition.slots[slot]!.unique) return
      const all = holders[slot] ?? HashMap.empty()
      holders[slot] = isIn ? HashMap.set(all, key, entry) : HashMap.remove(all, key)
    })
  }
}

interface Known<Item> {
  readonly items: Map<Item, boolean>
  /** What is in, by slot and unique key. */
  readonly holders: Array<HashMap.HashMap<unknown, Entry<Item>>>
}

/** The call that tells a part of an item. What happens meanwhile that it may not hear in it, the part hears after it. */
export interface Telling<Item> {
  readonly part: Part<Item, unknown>
  readonly entry: Entry<Item>
  readonly later: Array<News<Item>>
}
