/** Making a registry. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type * as Lookup from "../Lookup.ts"
import type * as RegistryError from "../RegistryError.ts"
import { CoreKey, TypeId } from "./coreOf.ts"
import { contentsOf, type Core, type Transaction } from "./engine/core.ts"
import { withoutTransactions } from "./engine/current.ts"
import * as Hooks from "./engine/parts.ts"
import * as Population from "./engine/population.ts"
import { Refusals } from "./engine/refusals.ts"
import { PopulationRuns } from "./engine/runs.ts"
import { closeRegistry } from "./engine/transaction.ts"
import { Lock } from "./engine/waiting.ts"
import { cooling } from "./features/cooldown.ts"
import * as Invariant from "./features/invariant.ts"
import { registerDefaults } from "./features/leavingOut.ts"
import { nearMatches } from "./features/nearMatches.ts"
import { tracing } from "./features/spans.ts"
import type { Options, Registry, RegistryState } from "./model.ts"
import * as Populate from "./operations/populate.ts"
import * as Contents from "./store/contents.ts"
import * as Definition from "./store/definition.ts"
import { show, Shown } from "./store/wording.ts"

class RegistryImpl<Item, P, V> extends Shown implements Registry<Item, any, P, V> {
  readonly [TypeId] = variance
  declare readonly [CoreKey]: Core<Item, P, V>

  constructor(core: Core<Item, P, V>) {
    super()
    this[CoreKey] = core
  }
  get name(): string {
    return this[CoreKey].definition.name
  }
  toJSON(): unknown {
    const core = this[CoreKey]
    const { revision, size } = contentsOf(core)
    return { _id: "Registry", name: this.name, state: stateOf(core), revision, size }
  }
}

const variance: Registry<any, any, any, any>[typeof TypeId] = {
  _Item: (_) => _,
  _Lookups: (_) => _,
  _P: (_) => _,
  _V: (_) => _,
  _R: (_) => _
}

export const stateOf = <Item, P, V>(
  core: Core<Item, P, V>,
  transaction?: Transaction<Item, P, V>
): RegistryState => {
  if ((transaction?.draft ?? contentsOf(core)).populated) return "Ready"
  const isPopulating = transaction?.populating ?? core.population.holder !== undefined
  return isPopulating ? "Populating" : "Pending"
}

export type MakeOptions<Item> =
  & Omit<
    Options<Item, Lookup.Input<Item>, Populate.Defaults<Item, any, any>, Hooks.Input<Item>, "fail" | "die">,
    "invariant"
  >
  & {
    readonly invariant?: Invariant.Invariant<Item, any, unknown, any> | undefined
  }
  & { readonly name?: string | undefined }

/** The hooks of a definition. `V` is the type of the errors with which they refuse items. */
export const installed = <Item, V>(
  registry: string,
  hooks: Hooks.Input<Item> | undefined,
  context: Context.Context<any>
): ReadonlyArray<Hooks.Part<Item, V>> =>
  hooks === undefined ? [] : Hooks.install(registry, hooks as Hooks.Input<Item, V, any>, context, true)

/**
 * Makes a registry with the services, and in the scope, of the fiber that runs this. Where `first` is given, it
 * installs the hooks, and wraps the effect that populates the registry outside of a transaction.
 */
export const make = <Item, Lookups, P, V, R>(
  options: MakeOptions<Item>,
  first?: (
    registry: Registry<Item, Lookups, Failed, V>,
    populating: Population.Populating<Failed>
  ) => Population.Populating<Failed>,
  orDie: NonNullable<Core<Item>["orDie"]> = Effect.orDie
): Effect.Effect<Registry<Item, Lookups, P, V>, never, Scope.Scope | R> =>
  Effect.contextWith((caller: Context.Context<Scope.Scope | R>) => {
    const {
      concurrency = 1,
      cooldown,
      defaults,
      equivalence,
      history = 256,
      hooks,
      invariant,
      label,
      lookup,
      onInvalidDefault,
      messages = {},
      name = "registry",
      schema
    } = options
    if (!Number.isInteger(history) || history < 0) {
      throw Definition.invalid(name, `has a history of ${show(history)} changes: it takes a whole number, 0 or more.`)
    }
    const context = withoutTransactions(caller)
    const scope = Scope.makeUnsafe()
    const validate = schema && validator(schema)
    const refusals = new Refusals()
    const definition = Definition.make<Item>({
      name,
      lookup,
      equivalence,
      schema,
      validate,
      messages,
      label,
      refused: (item, why) => refusals.note("Refused", definition, contentsOf(core).revision, item, why),
      suggest: nearMatches
    })
    const nothing = Contents.empty(definition)
    const core: Core<Item, P, V> = {
      serial: made++,
      definition,
      nothing,
      published: Ref.makeUnsafe(nothing),
      lock: new Lock(),
      hooks: first === undefined ? installed<Item, V>(name, hooks, context) : [],
      context,
      scope,
      closed: false,
      populate: Effect.suspend(() => populate),
      tryPopulate: Effect.suspend(() => tryPopulate),
      population: new PopulationRuns(),
      populationScope: undefined,
      defaults: Populate.defaultsOf(name, defaults),
      orDie: options.populationFailure === "die" || defaults === undefined ? orDie : undefined,
      registerDefaults: onInvalidDefault === "skip" ? registerDefaults : undefined,
      ended: undefined,
      populationFailure: undefined,
      changes: [],
      history,
      refusals,
      tracing,
      watchers: undefined,
      observer: undefined,
      putOnTop: undefined,
      bringBack: undefined,
      acquisitions: undefined,
      concurrency,
      beforePublish: invariant && Invariant.lastWord(invariant),
      shared: undefined
    }
    let populate: Effect.Effect<void, P>
    let tryPopulate: Effect.Effect<void, Failed>
    const registry = new RegistryImpl(core)
    return Population.make(
      core,
      Populate.populate<Item, P, V, unknown>(core),
      // P is the error of a population that can fail, and never otherwise
      first && ((populating) => first(registry as Registry<Item, Lookups, any, V>, populating))
    ).pipe(
      Effect.flatMap((failing) => {
        const [atOnce, unlessHot] = cooldown === undefined ? [failing, failing] : cooling(core, cooldown, failing)
        tryPopulate = defaults === undefined ? orDie(atOnce) : atOnce
        populate = (core.orDie?.(unlessHot) ?? unlessHot) as Effect.Effect<void, P>
        return Scope.addFinalizerExit(
          Context.get(caller, Scope.Scope),
          (exit) => Effect.andThen(closeRegistry(core), Scope.close(scope, exit))
        )
      }),
      Effect.as(registry)
    )
  })

let made = 0

type Failed = RegistryError.PopulationError<any>

const validator = <Item>(schema: Schema.Schema<Item>): (item: Item) => string | undefined => {
  // any schema has a codec, whose services the side of the type does not need
  const decode = Schema.decodeUnknownResult(Schema.toType(schema as Schema.Codec<Item>))
  return (item) => {
    const decoded = decode(item)
    return decoded._tag === "Failure" ? decoded.failure.message : undefined
  }
}
