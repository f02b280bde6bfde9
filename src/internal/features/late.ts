/** Loading a registry late: its first use imports a module, and builds the layer that it exports, on this registry. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as RegistryError from "../../RegistryError.ts"
import { coreOf } from "../coreOf.ts"
import type { Core, Operation, Transaction } from "../engine/core.ts"
import { EnclosingTransaction, withoutTransactions } from "../engine/current.ts"
import type { Populating } from "../engine/population.ts"
import { run } from "../engine/transaction.ts"
import * as Making from "../making.ts"
import type { MakeOptions } from "../making.ts"
import type { Registry } from "../model.ts"
import { counted, declarationOf, Existing, type TagClass } from "../service.ts"
import { failure } from "../store/definition.ts"

export const layerLazy = <Self, Id extends string, Item, L, P, V, R, E, R2>(
  tag: TagClass<Self, Id, Item, L, P, V, R>,
  load: () => PromiseLike<Layer.Layer<Self, E, R2>>
): Layer.Layer<Self, never, Exclude<R2, Scope.Scope>> => {
  const { options, service } = declarationOf(tag)
  return Layer.effect(service, counted(make(service, options, load)))
}

/** Makes a registry whose hooks and defaults have their services from the layer that is imported. */
const make = <Self, Item, L, P, V, E, R>(
  service: Context.Key<Self, Registry<Item, L, P, V>>,
  options: MakeOptions<Item>,
  importLayer: () => PromiseLike<Layer.Layer<Self, E, R>>
): Effect.Effect<Registry<Item, L, P, V>, never, R | Scope.Scope> =>
  Effect.contextWith((context: Context.Context<R | Scope.Scope>) => {
    const load = (transaction: Transaction<Item>) => {
      // the layer is one of this service, so the registry is one of its shape
      const existing = (key: Context.Key<any, any>): Effect.Effect<any, never, Scope.Scope> | undefined =>
        key === service && transaction.state === "open" ? completed : undefined
      const completed = complete(registry, options.hooks)
      return Effect.tryPromise({ try: importLayer, catch: (cause) => cause }).pipe(
        Effect.filterOrFail(Layer.isLayer, () => new TypeError("It exports no layer.")),
        Effect.flatMap((layer) => Layer.build(layer)),
        Effect.updateContext((inside: Context.Context<R | Scope.Scope>) =>
          withoutTransactions(inside).pipe(
            Context.add(EnclosingTransaction, transaction),
            Context.add(Existing, existing)
          )
        ),
        Effect.flatMap((built) =>
          coreOf(Context.get(built, service)) === coreOf(registry) ? Effect.void : Effect.die(
            new Error(
              `The layer that was imported for "${options.name}" provides another registry: ` +
                "build it on the `layer` of the service, or provide that registry by itself."
            )
          )
        )
      )
    }
    let registry: Registry<Item, L, P, V>
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

/** Gives the registry the hooks and the services of where this runs, and answers it. */
const complete = <Item, L, P, V>(
  registry: Registry<Item, L, P, V>,
  hooks: MakeOptions<Item>["hooks"]
): Effect.Effect<Registry<Item, L, P, V>, never, Scope.Scope> => {
  let completed = false
  return Effect.contextWith((context: Context.Context<Scope.Scope>) => {
    if (completed) return Effect.succeed(registry)
    completed = true
    const core = coreOf(registry)
    const before = core.context
    core.context = withoutTransactions(context)
    const parts = Making.installed<Item, V>(hooks, core.context)
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
      body: (transaction) => transaction.restore(loaded ? core.populate : importIn(transaction)),
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
