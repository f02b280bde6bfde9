/** Calling hooks, keeping track of the items that each was told of, and playing calls back. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Contents from "../store/contents.ts"
import { forEachKey, shareUnique } from "../store/definition.ts"
import { byPosition, type Entry, isSame } from "../store/entry.ts"
import { show } from "../store/wording.ts"
import { touchedBy } from "./change.ts"
import type { Transaction } from "./core.ts"
import {
  type AfterHook,
  type Call,
  Calls,
  install,
  type ItemHook,
  type News,
  type Part,
  type RegistryHook,
  servicesOf,
  type Telling
} from "./parts.ts"
import { collect, hasSucceeded, sequence } from "./sequence.ts"

let completedCalls = 0

/** Calls a hook of each part that is installed when its turn comes, one after the other. */
export const call = <Item, V>(transaction: Transaction<Item, any, V>, hook: RegistryHook): Effect.Effect<unknown> =>
  sequence(inOrder(transaction.hooks, hook), (part) => {
    const effect = part.state === "installed" ? part.handlers[hook] : undefined
    return effect && run(transaction, part, hook, effectOf(transaction, effect, hook), undefined)
  })

/** Calls a hook of each part before an item is registered or unregistered. */
export const callBefore = <Item, V, Hook extends "onItemRegistering" | "onItemUnregistering">(
  transaction: Transaction<Item, any, V>,
  hook: Hook,
  item: Item
): Effect.Effect<unknown, Failure<V, Hook>> =>
  sequence(inOrder(transaction.hooks, hook), (part) => {
    const running = part.state === "installed" ? callPart(transaction, part, hook, item) : undefined
    return running && transaction.irrevocable ? surviving(transaction, running, () => Effect.void) : running
  })

/** In a transaction that nothing stops, a hook that dies does not stop the others. Only a veto is a failure. */
export const surviving = <Item, E>(
  transaction: Transaction<Item>,
  effect: Effect.Effect<unknown, E>,
  next: (died: boolean) => Effect.Effect<unknown>
): Effect.Effect<unknown, E> =>
  Effect.matchCauseEffect(effect, {
    onFailure: (cause) => {
      if (Cause.hasFails(cause)) return Effect.failCause(cause)
      transaction.defects = Cause.combine(transaction.defects, cause as Cause.Cause<never>)
      return next(true)
    },
    onSuccess: () => next(false)
  })

/**
 * Tells the hooks of a transaction that an item has come, or gone.
 *
 * A hook may change the registry while others still wait to be told. So each is called only if the news still holds, and
 * if it does not know them yet: the last word is right (G28). As long as no hook, nor a child that one forked, has told
 * others of anything, all of that is so, and nothing is looked up.
 */
export const tell = <Item, V>(
  transaction: Transaction<Item, any, V>,
  hook: AfterHook,
  entry: Entry<Item>
): Effect.Effect<unknown> => {
  const { hooks, outermost } = transaction
  const news = { hook, entry }
  return sequence(inOrder(hooks, hook), (part) => {
    if (hooks === outermost.hooks && !transaction.inHook && !outermost.unsettled) {
      return part.state === "installed" ? tellPart(transaction, part, news) : undefined
    }
    outermost.unsettled = true
    return tellNews(transaction, part, news)
  })
}

/** Tells a part what it does not know yet: now, or after a call that is in flight. It waits for nothing, so for no circle. */
const tellNews = <Item, V>(
  transaction: Transaction<Item, any, V>,
  part: Part<Item, V>,
  news: News<Item>
): Effect.Effect<unknown> | undefined => {
  const isTold = part.state === "installed" || part.state === "removed" && transaction.state === "undoing"
  if (!isTold || !hears(part)) return undefined
  const before = callBeside(transaction, part, news.entry)
  if (before !== undefined) {
    before.later.push(news)
    return undefined
  }
  if (!isNews(transaction, part, news)) return undefined
  const stale = news.hook === "onItemRegistered" ? staleBeside(transaction, part, news.entry) : undefined
  if (stale === undefined) return tellPart(transaction, part, news)
  const gone = tellNews(transaction, part, { hook: "onItemUnregistered", entry: stale })
  return Effect.flatMap(gone ?? Effect.void, () => tellNews(transaction, part, news) ?? Effect.void)
}

/**
 * The call of a part in flight in which it may not hear of an entry: it is of the same item, or of one that shares a unique
 * key with it, as a hook may keep items by that. What comes after news that wait already waits behind them.
 */
const callBeside = <Item>(
  transaction: Transaction<Item>,
  part: Part<Item, unknown>,
  { item, keys }: Entry<Item>
): Telling<Item> | undefined => {
  const { core: { definition }, outermost } = transaction
  for (let one: Transaction<Item> | undefined = outermost; one !== undefined; one = one.nested) {
    const { telling } = one
    // it tells one after the other itself
    if (one === transaction || telling?.part !== part) continue
    const { entry, later } = telling
    if (later.length > 0 || isSame(entry.item, item) || shareUnique(definition, entry.keys, keys)) return telling
  }
  return undefined
}

/**
 * What has gone, and had a unique key of an entry that has come. A part that does not know that yet hears it first: or else
 * a map that it keeps by that key would lose what came.
 */
const staleBeside = <Item>(
  transaction: Transaction<Item>,
  part: Part<Item, unknown>,
  { keys }: Entry<Item>
): Entry<Item> | undefined => {
  const { base, calls, core: { definition }, installed } = transaction.outermost
  const { indexes } = installed?.get(part) ?? base
  let stale: Entry<Item> | undefined
  forEachKey(definition, keys, (key, slot) => {
    if (stale !== undefined || !definition.slots[slot]!.unique) return
    const entry = calls?.holder(part, slot, key) ?? indexes[slot]!.entry(key)
    if (entry !== undefined && isNews(transaction, part, { hook: "onItemUnregistered", entry })) stale = entry
  })
  return stale
}

/** Whether an item has come, or gone, and a part does not know it yet. */
const isNews = <Item>(
  transaction: Transaction<Item>,
  part: Part<Item, unknown>,
  { entry, hook }: News<Item>
): boolean => {
  const isIn = hook === "onItemRegistered"
  return isThere(transaction.draft, entry) === isIn && knows(transaction, part, entry) !== isIn
}

/** Whether an item is visible: as this registration or, by the same keys, as another one. */
const isThere = <Item>(contents: Contents.Contents<Item>, entry: Entry<Item>): boolean => {
  if (Contents.holds(contents, entry)) return true
  const other = Contents.findByKeysOf(contents, entry)
  return other !== undefined && isSame(other.item, entry.item)
}

/** Whether a part knows an item to be in: by its last call, or because the item was in when the transaction began. */
const knows = <Item>({ outermost }: Transaction<Item>, part: Part<Item, unknown>, entry: Entry<Item>): boolean => {
  const { base, calls, installed } = outermost
  return calls?.told(part, entry.item) ?? isThere(installed?.get(part) ?? base, entry)
}

/** Tells one part. The call is recorded in the step that completes it: nothing can be interrupted between. */
const tellPart = <Item, V>(
  transaction: Transaction<Item, any, V>,
  part: Part<Item, V>,
  { entry, hook }: News<Item>
): Effect.Effect<unknown> | undefined => {
  const { core: { definition }, outermost } = transaction
  const telling: Telling<Item> = { part, entry, later: [] }
  const ended = (died: boolean): Effect.Effect<unknown> => {
    transaction.telling = undefined
    if (part.state === "settled") {
      // it was removed in this call, and told of all else that it knew
      const untelling = hook === "onItemRegistered" && !died
      return (untelling ? callPart(transaction, part, inverse[hook], entry.item) : undefined) ?? Effect.void
    }
    if (hears(part)) {
      outermost.calls ??= new Calls(definition)
      outermost.calls.list.push({ part, hook, entry, serial: completedCalls++, died })
    }
    return sequence(telling.later, (later) => tellNews(transaction, part, later))
  }
  const running = callPart(transaction, part, hook, entry.item)
  if (running === undefined) return ended(false)
  transaction.telling = telling
  return transaction.irrevocable ? surviving(transaction, running, ended) : Effect.flatMap(running, () => ended(false))
}

const inverse = { onItemRegistered: "onItemUnregistered", onItemUnregistered: "onItemRegistered" } as const

/** Tells those of some parts that do not know it yet. */
export const tellEach = <Item, V>(
  transaction: Transaction<Item, any, V>,
  parts: ReadonlyArray<Part<Item, V>>,
  news: News<Item>
): Effect.Effect<unknown> => sequence(inOrder(parts, news.hook), (part) => tellNews(transaction, part, news))

/** Whether a part has a hook that hears of items. */
const hears = ({ handlers }: Part<any, unknown>): boolean =>
  handlers.onItemRegistered !== undefined || handlers.onItemUnregistered !== undefined

/** Whether hooks may not know yet what an outermost transaction has changed. */
export const isUnsettled = ({ core, hooks, unsettled }: Transaction<any>): boolean => unsettled || hooks !== core.hooks

/**
 * Before an outermost transaction ends: tells hooks of every change that they do not know yet, and those that were
 * installed meanwhile, too. Hooks may cause more changes: then the transaction is unsettled again, and this runs again.
 */
export const settle = <Item, V>(transaction: Transaction<Item, any, V>): Effect.Effect<unknown> =>
  Effect.suspend(() => {
    const { core: { hooks }, restore } = transaction
    const touched = touchedIn(transaction)
    const telling = (hook: AfterHook) =>
      sequence(touched, (entry) => tellEach(transaction, hooks, { hook, entry }), restore)
    transaction.hooks = hooks
    transaction.unsettled = false
    transaction.untold = true
    return Effect.map(
      Effect.flatMap(telling("onItemUnregistered"), () => telling("onItemRegistered")),
      () => {
        transaction.untold = false
      }
    )
  })

/** What came or went in a transaction, the last registration of each item. */
const touchedIn = <Item>({ steps }: Transaction<Item>): ReadonlyArray<Entry<Item>> =>
  Array.from(new Map(steps.flatMap(touchedBy).map((entry) => [entry.item, entry])).values())

/**
 * Plays calls back that were completed since the transactions began, newest first, and then tells hooks that were installed
 * meanwhile what there is. A part that dies does not stop the others: defects are collected.
 */
export const undo = (group: ReadonlyArray<Transaction<any>>): Effect.Effect<Cause.Cause<never>> => {
  const calls = group.flatMap((transaction) =>
    transaction.outermost.calls?.list.slice(transaction.callsBefore).map((one) => [transaction, one] as const) ?? []
  )
  if (group.length > 1) calls.sort(([, one], [, other]) => one.serial - other.serial)
  const playingBack = calls.toReversed().map(([transaction, { died, entry, hook, part }]) => () => {
    if (died || part.state === "settled") return undefined
    const news = { hook: inverse[hook], entry }
    // others have told meanwhile what it was in a call for
    return transaction.inHook ? tellNews(transaction, part, news) : tellPart(transaction, part, news)
  })
  // so that those around it, which may be telling hooks now, look at what these have been told here
  for (const { inHook, outermost } of group) outermost.unsettled ||= inHook
  const undoing = collect(playingBack.concat(group.flatMap(tellingInstead)), (next) => next())
  return Effect.mapEager(undoing, (defects) => {
    for (const transaction of group) {
      const isMadeUpFor = ({ part }: Call<any>) => !transaction.inHook || isInstalledIn(transaction, part)
      transaction.outermost.calls?.forget(transaction.callsBefore, isMadeUpFor)
    }
    return defects
  })
}

/** Hooks that were installed in a transaction count as told of its draft; when it is undone, of what it began with. */
const tellingInstead = <Item, V>(
  transaction: Transaction<Item, any, V>
): ReadonlyArray<() => Effect.Effect<void> | undefined> => {
  const { base, core, outermost: { installed } } = transaction
  if (installed === undefined) return []
  const parts = core.hooks.filter((part) => isInstalledIn(transaction, part))
  const telling = (hook: AfterHook) =>
    touchedIn(transaction).flatMap((entry) =>
      inOrder(parts, hook).map((part) => () => tellNews(transaction, part, { hook, entry }))
    )
  const known = parts.map((part) => () => {
    installed.set(part, base)
    return undefined
  })
  return [...telling("onItemUnregistered"), ...telling("onItemRegistered"), ...known]
}

const isInstalledIn = <Item, V>(
  { hooks, outermost: { installed }, parent }: Transaction<Item, any, V>,
  part: Part<Item, V>
): boolean => installed?.has(part) === true && (parent === undefined || !hooks.includes(part))

/**
 * Tells parts that go that all items go of which they know, newest first. A part that is being told of an item hears after
 * that call that it goes.
 */
export const untell = <Item, V>(
  transaction: Transaction<Item, any, V>,
  parts: ReadonlyArray<Part<Item, V>>
): Effect.Effect<Cause.Cause<never>> => {
  const around: Array<Transaction<Item>> = []
  for (let one: Transaction<Item> | undefined = transaction; one !== undefined; one = one.parent) around.push(one)
  const touched = around.flatMap(({ steps }) => steps.flatMap(touchedBy))
  const entries = new Map(touched.concat(Contents.entries(transaction.draft)).map((entry) => [entry.item, entry]))
  const known = Array.from(entries.values()).toSorted(byPosition).toReversed().flatMap((entry) =>
    parts.toReversed()
      .filter((part) =>
        knows(transaction, part, entry) &&
        !around.some(({ telling }) => telling?.part === part && isSame(telling.entry.item, entry.item))
      )
      .map((part) => [part, entry.item] as const)
  )
  return collect(known, ([part, item]) => callPart(transaction, part, "onItemUnregistered", item))
}

/** For registration and population parts are called as they were installed, for unregistration and reset in reverse. */
const inOrder = <P>(parts: ReadonlyArray<P>, hook: ItemHook | RegistryHook): ReadonlyArray<P> =>
  parts.length > 1 && /Un|Res/.test(hook) ? parts.toReversed() : parts

/** Calls a hook of a part for an item, whether it is installed or not, and keeps no record. */
export const callPart = <Item, V, Hook extends ItemHook>(
  transaction: Transaction<Item, any, V>,
  part: Part<Item, V>,
  hook: Hook,
  item: Item
): Effect.Effect<unknown, Failure<V, Hook>> | undefined => {
  // whichever hook it is, it is called with an item; which of them can fail is in the type of the answer
  const handlers = part.handlers as {
    readonly [hook in ItemHook]?: (item: Item) => Effect.Effect<unknown, Failure<V, Hook>, any>
  }
  const effect = handlers[hook]?.(item)
  return handlers[hook] === undefined || hasSucceeded(effect)
    ? undefined
    : run(transaction, part, hook, effectOf(transaction, effect, hook), item)
}

/** Acquires what an item needs, in a scope. */
export const acquire = <Item, V>(
  transaction: Transaction<Item, any, V>,
  part: Part<Item, V>,
  item: Item,
  scope: Scope.Scope
): Effect.Effect<unknown, any> =>
  run(
    transaction,
    part,
    "acquire",
    Effect.provideService(effectOf(transaction, part.handlers.acquire?.(item), "acquire"), Scope.Scope, scope),
    item
  )

/** What is no effect, from untyped code, would end the fiber on the spot, with the lock. */
const effectOf = <A, E, R>(
  { name }: Transaction<any>,
  effect: Effect.Effect<A, E, R> | undefined,
  hook: string
): Effect.Effect<A, E, R> =>
  Effect.isEffect(effect)
    ? effect
    : Effect.die(
      new TypeError(`The hook ${hook} of ${show(name)} is, or answers, ${show(effect)}, which is no effect.`)
    )

/** Runs an effect of the definition as a hook, with the services of the registry. */
export const runOwn = <Item, A, E>(
  transaction: Transaction<Item>,
  name: "invariant",
  effect: Effect.Effect<A, E, any>
): Effect.Effect<A, E> => {
  const { context } = transaction.core
  const [part] = install(transaction.name, {}, context)
  return run(transaction, part!, name, effectOf(transaction, effect, name), undefined)
}

/** Only `onItemRegistering` can fail. */
type Failure<E, Hook extends ItemHook> = Hook extends "onItemRegistering" ? E : never

/** With the services of where the part was given; on the scheduler, and in the trace, of the fiber that runs it. */
const run = <Item, A, E>(
  transaction: Transaction<Item>,
  part: Part<Item, unknown>,
  hook: ItemHook | RegistryHook | "acquire" | "invariant",
  effect: Effect.Effect<A, E, any>,
  item: Item | undefined
): Effect.Effect<A, E> => {
  const { bodyServices, core: { definition, tracing } } = transaction
  const fiber = transaction.fiber!
  const services = servicesOf(part, fiber.cache.scheduler)
  // interruptible but for its very end: nothing fits between the last step of a hook and the record that it is complete
  const restored = transaction.restore(effect)
  if (tracing.isTraced(fiber)) {
    const span = { registry: definition, operation: hook, item }
    return tracing.withinContext(fiber, span, restored, transaction.contextWith(services))
  }
  return services === bodyServices
    // the body of the transaction runs with the services of the part
    ? restored as Effect.Effect<A, E>
    : Effect.setContext(restored, transaction.contextWith(services))
}
