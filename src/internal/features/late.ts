/** Loading a registry late: its first use imports a module, and builds the layer that the module exports. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as RegistryError from "../../RegistryError.ts"
import { coreOf } from "../coreOf.ts"
import type { Operation, Transaction } from "../engine/core.ts"
import { EnclosingTransaction, withoutTransactions } from "../engine/current.ts"
import type { Populating } from "../engine/population.ts"
import { run } from "../engine/transaction.ts"
import * as Making from "../making.ts"
import type { Registry } from "../model.ts"
import { changeHooks, removeNow } from "../operations/install.ts"
import { counted, declarationOf, Existing, type TagClass } from "../service.ts"
import { failure } from "../store/definition.ts"
import { show } from "../store/wording.ts"

type Failed = RegistryError.PopulationError<any>

export const layerLazy = <Self, Id extends string, Item, L, P, V, R, E, R2>(
  tag: TagClass<Self, Id, Item, L, P, V, R, unknown>,
  load: () => PromiseLike<Layer.Layer<Self, E, R2>>
): Layer.Layer<Self, never, Exclude<R2, Scope.Scope>> => {
  const { options, service } = declarationOf(tag)
  const making = Making.make<Item, L, P, V, R2>(options, (registry, populating) => {
    const build = (transaction: Transaction<Item>) => {
      const completed = complete(registry, options.hooks)
      // the layer is one of this service, so the registry is one of its shape
      const existing = (key: Context.Key<any, any>): Effect.Effect<any, never, Scope.Scope> | undefined =>
        key === service && transaction.state === "open" ? completed : undefined
      return Effect.tryPromise({ try: load, catch: (cause) => cause }).pipe(
        Effect.filterOrFail(Layer.isLayer, () => new TypeError("It exports no layer.")),
        Effect.flatMap((layer) => Layer.build(layer)),
        Effect.updateContext((inside: Context.Context<R2 | Scope.Scope>) =>
          withoutTransactions(inside).pipe(
            Context.add(EnclosingTransaction, transaction),
            Context.add(Existing, existing)
          )
        ),
        Effect.flatMap((built) =>
          coreOf(Context.get(built, service)) === coreOf(registry) ? Effect.void : Effect.die(
            new Error(
              `The layer that was imported for ${show(options.name)} provides another registry: ` +
                "build it on the `layer` of the service, or provide that registry by itself."
            )
          )
        )
      )
    }
    return importing(registry, build, populating)
  })
  return Layer.effect(service, counted(making))
}

/** Gives the registry the hooks and the services of where this runs first, and answers it. */
const complete = <Item, L, V>(
  registry: Registry<Item, L, Failed, V>,
  hooks: Making.MakeOptions<Item>["hooks"]
): Effect.Effect<Registry<Item, L, Failed, V>, never, Scope.Scope> => {
  let completed = false
  return Effect.uninterruptible(Effect.contextWith((context: Context.Context<Scope.Scope>) => {
    if (completed) return Effect.succeed(registry)
    completed = true
    const core = coreOf(registry)
    const before = core.context
    const services = withoutTransactions(context)
    const parts = Making.installed<Item, V>(registry.name, hooks, services)
    changeHooks(core, (installed) => parts.concat(installed))
    core.context = services
    const undo = Effect.sync(() => {
      core.context = before
      removeNow(core, parts, "removed")
    })
    return Effect.as(Scope.addFinalizer(Context.get(context, Scope.Scope), undo), registry)
  }))
}

/**
 * Imports at first, and populates from then on. The import is one transaction: what the layer does to the registry
 * becomes visible at its end, together with the defaults. The scope of the layer is that of the registry.
 */
const importing = <Item, L, V>(
  registry: Registry<Item, L, Failed, V>,
  build: (transaction: Transaction<Item>) => Effect.Effect<void, unknown, any>,
  populating: Populating<Failed>
): Populating<Failed> => {
  const core = coreOf(registry)
  let loaded = false
  const importOnce = Effect.uninterruptibleMask((restore) => {
    const scope = Scope.forkUnsafe(core.scope)
    let inUse = false
    const operation: Operation<Item, Failed, V, void, Failed, any> = {
      name: "import",
      kind: "import",
      lends: scope,
      body: (transaction) => {
        // another import may have been interrupted in its last step, and have ended only now
        if (loaded) return transaction.restore(core.populate)
        const imported = Effect.mapError(
          Scope.provide(build(transaction), scope),
          (cause) => failure(core.definition, RegistryError.PopulationError<any>, { code: "import", cause })
        )
        return transaction.restore(Effect.andThen(imported, core.populate))
      },
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
