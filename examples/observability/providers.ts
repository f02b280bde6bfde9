/**
 * Payment providers, and a hook that opens a connection for each of them.
 */
import { Effect, Layer } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks, RegistryMetrics } from "effect-registry"

export interface Provider {
  readonly id: string
  readonly currencies: ReadonlyArray<string>
}

export class Providers extends Registry.Service<Providers, Provider>()("app/Providers", {
  lookup: {
    id: Lookup.unique((provider) => provider.id),
    currency: Lookup.groupEach((provider) => provider.currencies)
  },
  defaults: Effect.succeed([{ id: "stripe", currencies: ["EUR", "USD"] }, { id: "adyen", currencies: ["EUR"] }]).pipe(
    Effect.delay("20 millis"),
    Effect.withSpan("fetchProviders")
  )
}) {}

const Connections = RegistryHooks.layer(Providers, {
  onItemRegistering: (provider) =>
    provider.currencies.length === 0 ? RegistryError.reject(provider, "it takes no currency") : Effect.void,
  onItemRegistered: (provider) =>
    Effect.withSpan(Effect.sleep("5 millis"), "connect", { attributes: { id: provider.id } })
})

/** The registry, its hook and its metrics; the order says what is built first. */
export const ProvidersLive = Layer.mergeAll(Connections, RegistryMetrics.layer(Providers)).pipe(
  Layer.provideMerge(Providers.layer)
)
