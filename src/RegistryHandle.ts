/// <reference lib="esnext.disposable" preserve="true" />

/**
 * A registry for code without effects. A handle reads synchronously, changes the registry through promises, and calls
 * listeners after each change.
 *
 * **Reading** uses the published contents. The registry is populated before the handle exists. After a reset the handle
 * populates it again, and reads the contents from before the reset meanwhile.
 *
 * **Changing** returns a promise, which rejects with the typed error of the operation, or with the defect of a hook.
 * When it resolves, listeners have been called, and reading returns the new contents.
 *
 * **Listening** begins with the next change. Listeners are called after the change is visible, one change after the
 * other, outside every transaction. If a listener throws, the error is logged, and other listeners are still called.
 * Listeners may use the handle in any way.
 *
 * After the handle is disposed of, or its registry closes, no listener is called, methods throw, and promises reject,
 * with an `Error` that names the registry.
 *
 * @module
 * @since 0.2.0
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { operation, snapshotOf } from "./internal/coreOf.ts"
import { contentsOf, type Core } from "./internal/engine/core.ts"
import { read } from "./internal/engine/read.ts"
import { tell } from "./internal/features/told.ts"
import { watchersOf } from "./internal/features/watch.ts"
import type { Registry as AnyRegistry, RegistryOrService, RegistrySnapshot } from "./internal/model.ts"
import * as Find from "./internal/operations/find.ts"
import { type Contents, get } from "./internal/store/contents.ts"
import { show } from "./internal/store/wording.ts"
import type * as Lookup from "./Lookup.ts"
import * as Registry from "./Registry.ts"
import type * as RegistryEvent from "./RegistryEvent.ts"
import * as Snapshot from "./RegistrySnapshot.ts"

type UniqueKeys<Item, Lookups> = Lookup.UniqueKeys<Item, Lookups>

/**
 * A registry for code without effects. Its methods need no `this`.
 *
 * @category models
 * @since 0.2.0
 */
export interface RegistryHandle<in out Item, in out Lookups> extends AsyncDisposable {
  /** The item that has a value of a unique lookup. Throws an `ItemLookupError` if there is none. */
  readonly get: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ) => Item
  /** The item that has a value of a unique lookup, if there is one. */
  readonly find: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ) => Item | undefined
  /** All items, in registration order: a frozen array. */
  readonly values: () => ReadonlyArray<Item>
  /** How many items there are. */
  readonly size: () => number
  /** The contents, as an immutable `RegistrySnapshot`. */
  readonly snapshot: () => RegistrySnapshot<Item, Lookups>
  /** Adds an item after all others: see `Registry.register`. */
  readonly register: (item: Item) => Promise<void>
  /** Adds items, all of them or none: see `Registry.registerAll`. */
  readonly registerAll: (items: Registry.Items<Item>) => Promise<void>
  /** Replaces the item with the same first unique value, or adds this one: see `Registry.upsert`. */
  readonly upsert: (item: Item) => Promise<void>
  /** Removes an item: see `Registry.unregister`. */
  readonly unregister: (item: Item) => Promise<void>
  /** Removes the item that has a value of a unique lookup: see `Registry.unregisterBy`. */
  readonly unregisterBy: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute]
  ) => Promise<void>
  /** Removes all items of one owner, and returns them: see `Registry.unregisterOwner`. */
  readonly unregisterOwner: (owner: string) => Promise<ReadonlyArray<Item>>
  /** Replaces an item in its place: see `Registry.replace`. */
  readonly replace: <Attribute extends keyof UniqueKeys<Item, Lookups> & string>(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute],
    item: Item
  ) => Promise<void>
  /** Adds an item at a position: see `Registry.insert`. */
  readonly insert: <
    Attribute extends keyof UniqueKeys<Item, Lookups> & string = keyof UniqueKeys<Item, Lookups> & string
  >(
    item: Item,
    position: Registry.Position<Attribute, UniqueKeys<Item, Lookups>[Attribute]>
  ) => Promise<void>
  /** Moves the item that has a value of a unique lookup to a position: see `Registry.move`. */
  readonly move: <
    Attribute extends keyof UniqueKeys<Item, Lookups> & string,
    OtherAttribute extends keyof UniqueKeys<Item, Lookups> & string = keyof UniqueKeys<Item, Lookups> & string
  >(
    attribute: Attribute,
    value: UniqueKeys<Item, Lookups>[Attribute],
    position: Registry.Position<OtherAttribute, UniqueKeys<Item, Lookups>[OtherAttribute]>
  ) => Promise<void>
  /** Makes the contents equal to a list of items, with the fewest changes: see `Registry.reconcile`. */
  readonly reconcile: (items: Registry.Items<Item>) => Promise<Registry.Reconciled<Item>>
  /** Populates the registry, unless it is populated: see `Registry.populate`. */
  readonly populate: () => Promise<void>
  /** Unregisters all items, and populates again: see `Registry.reset`. */
  readonly reset: () => Promise<void>
  /**
   * Calls a listener after each change from now on, and returns a function that removes it.
   *
   * A listener that is added twice is called twice. A removed listener is not called any more, not even for a change
   * that is being announced. An error that it throws, or with which its promise rejects, is logged.
   */
  readonly onChange: (listener: (change: RegistryEvent.RegistryChange<Item, Lookups>) => void) => () => void
  /**
   * Ends the handle. A handle from `make` also closes its registry, and releases what its layer acquired. The promise
   * resolves after that. Changes in flight are rolled back, and their promises reject. A second call waits for the
   * same.
   */
  readonly dispose: () => Promise<void>
}

/**
 * Builds a layer, populates the registry that it provides, and returns a handle that owns both.
 *
 * Waits for both. If one fails, the promise rejects with its error, and what the layer acquired is released. A promise
 * cannot be interrupted.
 *
 * **Example** (A toolbar)
 *
 * ```ts
 * import { Registry, RegistryHandle } from "effect-registry"
 *
 * class Tools extends Registry.Tag<Tools, { readonly name: string }>()("app/Tools", {
 *   lookup: ["name"],
 *   defaults: [{ name: "search" }]
 * }) {}
 *
 * const tools = await RegistryHandle.make(Tools, Tools.layer)
 *
 * const drawn: Array<string> = []
 * const stop = tools.onChange(() => drawn.push(tools.values().map((tool) => tool.name).join(" | ")))
 * await tools.register({ name: "paint" })
 * const error = await tools.register({ name: "search" }).catch((refused) => refused)
 * stop()
 * await tools.dispose()
 *
 * drawn // => ["search | paint"]
 * error.code // => "already_registered"
 * ```
 *
 * @category constructors
 * @since 0.2.0
 */
export const make = async <Self, Item, Lookups, P, V, E>(
  service: Context.Key<Self, AnyRegistry<Item, Lookups, P, V>>,
  layer: Layer.Layer<Self, E>
): Promise<RegistryHandle<Item, Lookups>> => {
  const runtime = ManagedRuntime.make(layer)
  try {
    return await runtime.runPromise(handleOf(service, runtime, runtime.dispose))
  } catch (error) {
    // it matters more than what goes wrong in a release
    await Effect.runPromiseExit(runtime.disposeEffect)
    throw error
  }
}

/**
 * Makes a handle for the registry of a `ManagedRuntime`. Disposing of the handle does not close the registry. Any
 * number of handles may share a registry.
 *
 * Waits until the registry is populated, and rejects with the error of its layer or population if one fails.
 *
 * **Example** (Effects and plain code on one registry)
 *
 * ```ts
 * import { Registry, RegistryHandle } from "effect-registry"
 * import { ManagedRuntime } from "effect"
 *
 * class Tools extends Registry.Tag<Tools, { readonly name: string }>()("app/Tools", { lookup: ["name"] }) {}
 *
 * const runtime = ManagedRuntime.make(Tools.layer)
 *
 * const tools = await RegistryHandle.fromRuntime(runtime, Tools)
 * await runtime.runPromise(Registry.register(Tools, { name: "search" }))
 * const found = tools.find("name", "search")
 * await tools.dispose()
 * const size = await runtime.runPromise(Registry.size(Tools))
 * await runtime.dispose()
 *
 * found // => { name: "search" }
 * size // => 1
 * ```
 *
 * @category constructors
 * @since 0.2.0
 */
export const fromRuntime = <R, E, Item, Lookups, P, V, Self extends R = never>(
  runtime: ManagedRuntime.ManagedRuntime<R, E>,
  self: RegistryOrService<Item, Lookups, P, V, Self>
): Promise<RegistryHandle<Item, Lookups>> => runtime.runPromise(handleOf(self, runtime, () => Promise.resolve()))

const handleOf = <R, E, Item, Lookups, P, V, Self extends R>(
  self: RegistryOrService<Item, Lookups, P, V, Self>,
  runtime: ManagedRuntime.ManagedRuntime<R, E>,
  release: () => Promise<void>
): Effect.Effect<RegistryHandle<Item, Lookups>, P, Self> =>
  handleIn(self, (core, contents) => handle(self, core, contents, runtime, release))

const handleIn: <Item, Lookups, P, V, R, A>(
  self: RegistryOrService<Item, Lookups, P, V, R>,
  f: (core: Core<Item, P, V>, contents: Contents<Item>) => A
) => Effect.Effect<A, P, R> = /*#__PURE__*/ operation(
  2,
  <Item, P, V, A>(core: Core<Item, P, V>, f: (core: Core<Item, P, V>, contents: Contents<Item>) => A) =>
    read(core, (contents) => Exit.succeed(f(core, contents)))
)

interface Listener<Item> {
  readonly call: (change: RegistryEvent.RegistryChange<Item>) => unknown
  /** The last revision that it is not told of. */
  readonly since: number
}

const handle = <R, E, Item, Lookups, P, V, Self extends R>(
  self: RegistryOrService<Item, Lookups, P, V, Self>,
  core: Core<Item, P, V>,
  contents: Contents<Item>,
  runtime: ManagedRuntime.ManagedRuntime<R, E>,
  release: () => Promise<void>
): RegistryHandle<Item, Lookups> => {
  const watchers = watchersOf(core)
  const listeners = new Set<Listener<Item>>()
  /** The changes that listeners have not been told of. */
  let news: Array<RegistryEvent.RegistryChange<Item>> = []
  /** What it answers while the registry is `Pending`. */
  let last = contents
  let populating = false
  let ended = false

  const end = () => {
    ended = true
    watchers.listeners.delete(published)
    listeners.clear()
    news = []
    last = core.nothing
  }

  /** Runs nothing of users: it is called in the step that publishes. */
  const published = () => {
    if (core.closed) return end()
    const now = contentsOf(core)
    if (now.populated) last = now
    if (listeners.size > 0) news.push(...tell(core, 1))
    if (news.length > 0 || !now.populated) void Promise.resolve().then(afterwards)
  }

  const afterwards = () => {
    for (let change = news.shift(); change !== undefined; change = news.shift()) {
      for (const listener of Array.from(listeners)) {
        if (listeners.has(listener) && change.revision > listener.since) callListener(listener, change)
      }
    }
    populateAgain()
  }

  const callListener = (listener: Listener<Item>, change: RegistryEvent.RegistryChange<Item>) => {
    // it may throw, or answer a promise that rejects
    new Promise((resolve) => resolve(listener.call(change))).catch((error) =>
      runtime.runFork(Effect.logError(`A listener of ${show(core.definition.name)} failed`, Cause.die(error)))
    )
  }

  const populateAgain = () => {
    if (ended || populating || contentsOf(core).populated) return
    populating = true
    void runtime.runPromiseExit(Registry.populate(self)).then((exit) => {
      populating = false
      // a failed one is logged, and tried again at the next use; after one that succeeded it may have been reset again
      if (Exit.isSuccess(exit)) populateAgain()
    })
  }

  const isOver = () => new Error(`The registry ${show(core.definition.name)} is closed, or its handle was disposed of.`)

  const current = (): Contents<Item> => {
    if (ended) throw isOver()
    populateAgain()
    return last
  }

  const run = async <A, F>(effect: Effect.Effect<A, F, R>): Promise<A> => {
    if (ended) throw isOver()
    const exit = await runtime.runPromiseExit(effect)
    if (Exit.isSuccess(exit)) return exit.value
    throw ended && Cause.hasInterruptsOnly(exit.cause) ? isOver() : Cause.squash(exit.cause)
  }

  const snapshot = () => snapshotOf<Item, Lookups>(current())

  const dispose = () => {
    end()
    return release()
  }

  watchers.listeners.add(published)
  populateAgain()
  return {
    get: (attribute, value) => {
      const now = current()
      const entry = get(now, attribute, value)
      if (entry === undefined) throw Find.notFound(now, attribute, value)
      return entry.item
    },
    find: (attribute, value) => Find.indexOf(current(), attribute, value, true).get(value)?.item,
    values: () => Snapshot.values(snapshot()),
    size: () => Snapshot.size(snapshot()),
    snapshot,
    register: (item) => run(Registry.register(self, item)),
    registerAll: (items) => run(Registry.registerAll(self, items)),
    upsert: (item) => run(Registry.upsert(self, item)),
    unregister: (item) => run(Registry.unregister(self, item)),
    unregisterBy: (attribute, value) => run(Registry.unregisterBy(self, attribute, value)),
    unregisterOwner: (owner) => run(Registry.unregisterOwner(self, owner)),
    replace: (attribute, value, item) => run(Registry.replace(self, attribute, value, item)),
    insert: (item, position) => run(Registry.insert(self, item, position)),
    move: (attribute, value, position) => run(Registry.move(self, attribute, value, position)),
    reconcile: (items) => run(Registry.reconcile(self, items)),
    populate: () => run(Registry.populate(self)),
    reset: () => run(Registry.reset(self)),
    onChange: (call) => {
      if (ended) throw isOver()
      const listener: Listener<Item> = { call, since: contentsOf(core).revision }
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    dispose,
    [Symbol.asyncDispose]: dispose
  }
}
