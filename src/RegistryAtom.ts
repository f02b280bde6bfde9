/**
 * The contents of a registry as atoms of `effect/reactivity`, for user interfaces: Effect binds atoms to React, Vue and
 * Solid.
 *
 * An atom follows its registry while it is mounted. Its value is an `AsyncResult`, which is `waiting` meanwhile:
 * `Initial` until the registry is built and populated, a `Success` for each new value, and a `Failure`, which has the
 * last success, if a population fails. `refresh` starts over. If changes come faster than they are shown, some are
 * skipped.
 *
 * Make each atom once, outside of components: two calls make two atoms.
 *
 * @module
 * @since 0.2.0
 */
import type * as Cause from "effect/Cause"
import type * as Option from "effect/Option"
import type * as AsyncResult from "effect/reactivity/AsyncResult"
import type * as Atom from "effect/reactivity/Atom"
import * as Stream from "effect/Stream"
import type { RegistryOrService } from "./internal/model.ts"
import type * as Lookup from "./Lookup.ts"
import * as Registry from "./Registry.ts"
import * as RegistrySnapshot from "./RegistrySnapshot.ts"

/**
 * An atom of all items, in registration order.
 *
 * **Example** (The tools of a menu)
 *
 * ```ts
 * import { Registry, RegistryAtom } from "effect-registry"
 * import { AsyncResult, Atom, AtomRegistry } from "effect/reactivity"
 *
 * class Tools extends Registry.Service<Tools, { readonly name: string }>()("app/Tools", { lookup: ["name"] }) {}
 *
 * const runtime = Atom.runtime(Tools.layer)
 * const toolsAtom = RegistryAtom.values(runtime, Tools)
 * const addAtom = runtime.fn((name: string) => Tools.register({ name }))
 *
 * // what the hooks of a binding do: useAtomValue(toolsAtom), useAtomSet(addAtom)
 * const atoms = AtomRegistry.make()
 * const shown: Array<string> = []
 * const show = (tools: ReadonlyArray<{ readonly name: string }>) => shown.push(tools.map((tool) => tool.name).join())
 * atoms.subscribe(toolsAtom, AsyncResult.match({
 *   onInitial: () => show([]),
 *   onFailure: () => show([]),
 *   onSuccess: ({ value }) => show(value)
 * }), { immediate: true })
 * atoms.mount(addAtom)
 * atoms.set(addAtom, "search")
 * atoms.set(addAtom, "fetch")
 * atoms.dispose()
 *
 * shown // => ["", "search", "search,fetch"]
 * ```
 *
 * @category atoms
 * @since 0.2.0
 */
export const values = <R, E, Item, Lookups, P, V, Self extends R = never>(
  runtime: Atom.AtomRuntime<R, E>,
  self: RegistryOrService<Item, Lookups, P, V, Self>
): Atom.Atom<AsyncResult.AsyncResult<ReadonlyArray<Item>, P | E | Cause.NoSuchElementError>> =>
  runtime.atom(Stream.map(Registry.snapshots(self), RegistrySnapshot.values))

/**
 * An atom of the item that has a value of a unique lookup, if there is one: see `Registry.watchItem`.
 *
 * **Example** (An atom for each tool)
 *
 * ```ts
 * import { Registry, RegistryAtom } from "effect-registry"
 * import { Option } from "effect"
 * import { AsyncResult, Atom, AtomRegistry } from "effect/reactivity"
 *
 * class Tools extends Registry.Service<Tools, { readonly name: string; readonly hint: string }>()("app/Tools", {
 *   lookup: ["name"],
 *   defaults: [{ name: "search", hint: "Finds a file" }],
 *   populationFailure: "die"
 * }) {}
 *
 * const runtime = Atom.runtime(Tools.layer)
 * const toolAtom = Atom.family((name: string) => RegistryAtom.item(runtime, Tools, "name", name))
 *
 * const atoms = AtomRegistry.make()
 * const hintOf = (name: string) =>
 *   Option.match(AsyncResult.getOrThrow(atoms.get(toolAtom(name))), {
 *     onNone: () => "There is no such tool",
 *     onSome: (tool) => tool.hint
 *   })
 * const hints = [hintOf("search"), hintOf("paint")]
 * atoms.dispose()
 *
 * hints // => ["Finds a file", "There is no such tool"]
 * ```
 *
 * @category atoms
 * @since 0.2.0
 */
export const item = <
  R,
  E,
  Item,
  Lookups,
  P,
  V,
  Attribute extends keyof Lookup.UniqueKeys<Item, Lookups> & string,
  Self extends R = never
>(
  runtime: Atom.AtomRuntime<R, E>,
  self: RegistryOrService<Item, Lookups, P, V, Self>,
  attribute: Attribute,
  value: Lookup.UniqueKeys<Item, Lookups>[Attribute]
): Atom.Atom<AsyncResult.AsyncResult<Option.Option<Item>, P | E | Cause.NoSuchElementError>> =>
  runtime.atom(Registry.watchItem(self, attribute, value))
