/**
 * Checks a registry after every change.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import { coreOf } from "../internal/coreOf.ts"
import { Transaction } from "../internal/engine/core.ts"
import * as Contents from "../internal/store/contents.ts"
import { labelOf } from "../internal/store/definition.ts"
import { bounded, show } from "../internal/store/wording.ts"
import * as Registry from "../Registry.ts"
import { hasLike, misled, Tally, violations } from "./invariants.ts"

/**
 * A layer for tests: it checks a registry in every step that publishes a change, and when the layer is closed.
 *
 * **Details**
 *
 * After each change, all lookups agree, unique values are unique, a `Pending` registry is empty, and revisions rise by
 * one. Each hook knows the contents: a `Map` that a hook keeps by `set` and `delete` equals them, also one whose keys are
 * the values of a unique lookup; completed calls of a hook for an item alternate and do not overlap, no hook was told that
 * an item went before it was told that it came, and the last call agrees with the registry. If one of these does not hold,
 * the operation that made the change dies with a message that says what is wrong, and nothing is published.
 *
 * When the layer is closed, the registry contains only defaults and items that it contained when the layer was built.
 * Any other item was registered and forgotten: closing dies with a message that lists it. It also dies if a change was
 * wrong and the defect was lost.
 *
 * Building the layer never fails or waits. Closing it cannot be interrupted.
 *
 * **Gotchas**
 *
 * Layers that are closed before this one may leave items. So provide this layer directly to the program, above the
 * layers that make and fill the registry, and below the layers of the test.
 *
 * **Example** (An item that a test leaves behind)
 *
 * ```ts
 * import { Registry } from "effect-registry"
 * import { RegistryTest } from "effect-registry/testing"
 * import { Cause, Effect, Exit, Layer } from "effect"
 *
 * class Tools extends Registry.Service<Tools, { readonly name: string }>()("app/Tools", { lookup: ["name"] }) {}
 *
 * const live = RegistryTest.layerPedantic(Tools).pipe(Layer.provideMerge(Tools.layer))
 *
 * const scoped = Effect.scoped(Tools.registerScoped({ name: "search" }))
 * const forgotten = Tools.register({ name: "fetch" })
 *
 * const exits = await Effect.runPromise(Effect.all([scoped, forgotten].map((test) => Effect.exit(Effect.provide(test, live)))))
 *
 * exits.map(Exit.isSuccess) // => [true, false]
 * exits.map((exit) => Exit.isFailure(exit) && /still registered: .*fetch/.test(Cause.pretty(exit.cause))) // => [false, true]
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerPedantic = <Item, Lookups, P, V, R = never>(
  self: Registry.RegistryOrService<Item, Lookups, P, V, R>
): Layer.Layer<never, never, R> => Layer.effectDiscard(Context.isKey(self) ? Effect.flatMap(self, watch) : watch(self))

const watch = <Item, Lookups, P, V>(
  registry: Registry.Registry<Item, Lookups, P, V>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const core = coreOf(registry)
    const tally = new Tally<Item>()
    const defaults = new Set<Item>()
    const heard: Array<string> = []
    let populating = false

    const complain = (wrong: ReadonlyArray<string>): never => {
      throw new Error(bounded(`The registry ${show(registry.name)} is not as it should be. ${wrong.join(" ")}`))
    }

    const check = (last: Contents.Contents<Item>, next: Contents.Contents<Item>) => {
      if (core.closed) return
      const wrong = [
        ...violations(next),
        ...(next.revision === last.revision + 1
          ? []
          : [`Revision ${next.revision} comes after revision ${last.revision}.`]),
        ...tally.wrong(next, "told"),
        ...core.lock.holder instanceof Transaction ? misled(core.lock.holder, next) : []
      ]
      if (wrong.length === 0) return
      heard.push(...wrong)
      complain(wrong)
    }

    yield* Registry.addHooks(registry, {
      onPopulating: Effect.sync(() => {
        populating = true
        defaults.clear()
      }),
      onPopulated: Effect.sync(() => {
        populating = false
      }),
      onItemRegistered: (item: Item) =>
        Effect.sync(() => {
          tally.add(item, 1)
          if (populating) defaults.add(item)
        }),
      onItemUnregistered: (item: Item) => Effect.sync(() => tally.add(item, -1))
    }, { existing: true })
    const before = Ref.getUnsafe(core.published)
    const unwatch = watchRef(core.published.ref, check)

    yield* Scope.addFinalizer(
      scope,
      Effect.sync(() => {
        unwatch()
        if (heard.length > 0) complain(heard)
        const left = Contents.entries(Ref.getUnsafe(core.published)).filter((entry) =>
          !defaults.has(entry.item) && !hasLike(before, entry)
        )
        if (left.length > 0) {
          complain([`The test has ended, and this is still registered: ${
            bounded(left.map(({ item }) => labelOf(core.definition, item)).join(", "), 150)
          }. Register it in a scope that the test closes, or take it out.`])
        }
      })
    )
  })

/** Calls a function in the step that sets a reference, before it is set. */
const watchRef = <A>(ref: { current: A }, onSet: (last: A, next: A) => void): () => void => {
  let current = ref.current
  Object.defineProperty(ref, "current", {
    configurable: true,
    enumerable: true,
    get: () => current,
    set: (next: A) => {
      onSet(current, next)
      current = next
    }
  })
  return () => {
    Object.defineProperty(ref, "current", { configurable: true, enumerable: true, writable: true, value: current })
  }
}
