/**
 * A registry of features: what a program can do, and may be told not to.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { Lookup, Registry } from "effect-registry"

/** A module that has a feature adds its id here, so that a misspelt one does not compile. */
export interface KnownFeatures {
  readonly "core.search": true
}

export type FeatureId = keyof KnownFeatures

export interface Feature {
  readonly id: FeatureId
  readonly name: string
  readonly level: "unavailable" | "experimental" | "beta" | "stable"
  /** Run when the feature is registered. */
  readonly initialize: Effect.Effect<void>
  /** Run when it is unregistered, or the program ends. */
  readonly shutdown: Effect.Effect<void>
}

export class FeatureConflictError extends Schema.TaggedError<FeatureConflictError>()("FeatureConflictError", {
  id: Schema.String,
  name: Schema.String,
  holder: Schema.String
}) {
  override get message(): string {
    return `Could not register the feature ${this.name}: ${this.holder} has the id "${this.id}".`
  }
}

export class Features extends Registry.Service<Features, Feature>()("features/Features", {
  lookup: {
    id: Lookup.unique((feature) => feature.id),
    level: Lookup.group((feature) => feature.level)
  },
  defaults: [] as Array<Feature>
}) {}

/** With `existing`, features are shut down when the layer closes, too. */
const Lifecycle = Layer.effectDiscard(Features.addHooks({
  onItemRegistered: (feature) => feature.initialize,
  onItemUnregistered: (feature) => feature.shutdown
}, { existing: true }))

export const FeaturesLive = Lifecycle.pipe(Layer.provideMerge(Features.layer))

/** Which features that are neither stable nor unavailable are on. */
export class FeatureChecker extends Context.Service<FeatureChecker, {
  readonly isEnabled: (feature: Feature) => Effect.Effect<boolean>
}>()("features/FeatureChecker") {
  static readonly fromIds = (ids: ReadonlyArray<FeatureId>): Layer.Layer<FeatureChecker> =>
    Layer.succeed(FeatureChecker, { isEnabled: ({ id }) => Effect.succeed(ids.includes(id)) })
}

/** Registers a feature until the scope closes. */
export const register = (feature: Feature) =>
  Effect.mapError(Features.registerScoped(feature), (error) => {
    if (error._tag !== "AlreadyRegisteredError") return error
    // whoever is registered is a feature; the error does not know
    const holder = (error.existing ?? error.item) as Feature
    return new FeatureConflictError({ id: feature.id, name: feature.name, holder: holder.name })
  })

/** A feature that nobody has registered is off. */
export const isEnabled = Effect.fn("isEnabled")(function*(id: FeatureId) {
  const feature = yield* Features.getOption("id", id)
  if (Option.isNone(feature)) return false
  switch (feature.value.level) {
    case "stable":
      return true
    case "unavailable":
      return false
    default: {
      const checker = yield* FeatureChecker
      return yield* checker.isEnabled(feature.value)
    }
  }
})
