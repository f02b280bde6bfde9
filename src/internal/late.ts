/**
 * Loading a registry late: its first use imports a module, and builds the layer that it exports, on this registry.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as RegistryError from "../RegistryError.ts"
import type { Core, Operation, Transaction } from "./core.ts"
import { coreOf } from "./coreOf.ts"
import { EnclosingTransaction, withoutTransactions } from "./current.ts"
import { failure } from "./definition.ts"
import * as Making from "./making.ts"
import type { Registry } from "./model.ts"
import type { Populating } from "./population.ts"
import { run } from "./transaction.ts"

/** The import of a registry, while its layer is being built. */
interface Import {
  readonly service: Context.Key<any, any>
  readonly transaction: Transaction<any>
  /** Gives the registry the hooks and the services of where this runs, and answers it. */
  readonly complete: Effect.Effect<unknown, never, Scope.Scope>
}

const CurrentImport: Context.Reference<Import | undefined> = /*#__PURE__*/ Context.Reference<Import | undefined>(
  "effect-registry/CurrentImport",
  { defaultValue: () => undefined }
)

/**
 * The registry of a service: in a layer that is being imported for this very service it exists already.
 *
 * @internal
 */
export const importedOr = <Self, Shape, R>(
  service: Context.Key<Self, Shape>,
  making: Effect.Effect<Shape, never, R>
): Effect.Effect<Shape, never, R | Scope.Scope> =>
  Effect.flatMap(
    CurrentImport,
    (current): Effect.Effect<Shape, never, R | Scope.Scope> =>
      current?.service === service && current.transaction.state === "open"
        // the import is one of this service, so the registry is one of its shape
        ? current.complete as Effect.Effect<Shape, never, Scope.Scope>
        : making
  )

/**
 * Makes a registry whose hooks and defaults have their services from the layer that is imported.
 *
 * @internal
 */
export const make = <Self, Item, L, P, V, E, R>(
  service: Context.Key<Self, Registry<Item, L, P, V>>,
  options: Making.MakeOptions<Item>,
  importLayer: () => PromiseLike<Layer.Layer<Self, E, R>>
): Effect.Effect<Registry<Item, L, P, V>, never, R | Scope.Scope> =>
  Effect.contextWith((context: Context.Context<R | Scope.Scope>) => {
    const load = (transaction: Transaction<Item>) => {
      const current: Import = { service, transaction, complete: complete(registry, options.hooks) }
      return Effect.tryPromise({ try: importLayer, catch: (cause) => cause }).pipe(
        Effect.filterOrFail(Layer.isLayer, () => new TypeError("It exports no layer.")),
        Effect.flatMap((layer) => Layer.build(layer)),
        Effect.updateContext((inside: Context.Context<R | Scope.Scope>) =>
          withoutTransactions(inside).pipe(
            Context.add(EnclosingTransaction, transaction),
            Context.add(CurrentImport, current)
          )
        ),
        Effect.flatMap((built) =>
          coreOf(Context.get(built, service)) === registry.core ? Effect.void : Effect.die(
            new Error(
              `The layer that was imported for "${options.name}" provides another registry: ` +
                "build it on the `layer` of the service, or provide that registry by itself."
            )
          )
        )
      )
    }
    let registry: Making.RegistryImpl<Item>
    return Effect.map(
      Making.make<Item, P, V>(
        withoutTransactions(context),
        options,
        [],
        (core, populating) => importing(core, load, populating)
      ),
      (one) => registry = one
    )
  })

const complete = <Item>(
  registry: Making.RegistryImpl<Item>,
  hooks: Making.MakeOptions<Item>["hooks"]
): Effect.Effect<Making.RegistryImpl<Item>, never, Scope.Scope> => {
  let completed = false
  return Effect.contextWith((context: Context.Context<Scope.Scope>) => {
    if (completed) return Effect.succeed(registry)
    completed = true
    const { core } = registry
    const before = core.context
    core.context = withoutTransactions(context)
    const parts = Making.installed<Item, any>(hooks, core.context)
    core.hooks = parts.concat(core.hooks)
    const undo = Effect.sync(() => {
      core.context = before
      core.hooks = core.hooks.filter((part) => !parts.includes(part))
    })
    return Effect.as(Scope.addFinalizer(Context.get(context, Scope.Scope), undo), registry)
  }).pipe(Effect.uninterruptible)
}

type Failed = RegistryError.PopulationError<any>

/**
 * Imports at first, and populates from then on. The import is one transaction: what the layer does to the registry, which
 * begins with the defaults, becomes visible at its end. What the layer holds lives as long as the registry.
 */
const importing = <Item, V>(
  core: Core<Item, Failed, V>,
  load: (transaction: Transaction<Item>) => Effect.Effect<void, unknown, any>,
  populating: Populating<Failed>
): Populating<Failed> => {
  let loaded = false
  const importOnce = Effect.uninterruptibleMask((restore) => {
    const scope = Scope.forkUnsafe(core.scope)
    let inUse = false
    const importIn = (transaction: Transaction<Item, Failed, V>): Populating<Failed> =>
      Scope.provide(load(transaction), scope).pipe(
        Effect.mapError((cause) =>
          failure(core.definition, RegistryError.PopulationError<any>, { code: "import", cause })
        ),
        Effect.flatMap(() => core.populate)
      )
    const operation: Operation<Item, Failed, V, void, Failed, any> = {
      name: "import",
      kind: "upkeep",
      // another may have been interrupted in its last step, and have ended only now
      body: (transaction) => loaded ? core.populate : importIn(transaction),
      undone: () => Effect.void,
      committed: () => {
        inUse ||= !loaded
        loaded = true
        return Effect.void
      }
    }
    // an import that is interrupted in its last step has loaded all the same
    return Effect.onExit(restore(run(core, operation)), (exit) => inUse ? Effect.void : Scope.close(scope, exit))
  })
  return Effect.suspend(() => loaded ? populating : importOnce)
}
