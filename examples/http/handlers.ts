/**
 * Handlers of media types that come and go while requests are in flight.
 */
import { Effect, type Scope } from "effect"
import { Lookup, Registry, RegistryResource } from "effect-registry"
import type { HttpServerResponse } from "effect/http"
import { choose } from "./choose.ts"

export interface Handler {
  readonly name: string
  readonly mediaType: string
  /** Of two that fit equally well, the one of the higher rank answers. */
  readonly rank: number
  /** Opens what it renders with, before it can be found. */
  readonly open: Effect.Effect<Render, never, Scope.Scope>
}

export type Render = (report: Report) => Effect.Effect<HttpServerResponse.HttpServerResponse>

export interface Report {
  readonly title: string
  readonly lines: ReadonlyArray<string>
}

export const lookup = {
  name: Lookup.unique(({ name }: Handler) => name),
  mediaType: Lookup.group(({ mediaType }: Handler) => mediaType),
  /** `text` of `text/html`. */
  family: Lookup.group(({ mediaType }: Handler) => mediaType.split("/", 1)[0])
}

export class Handlers extends Registry.Service<Handlers, Handler>()("http/Handlers", { lookup }) {}

/** What handlers have opened. It is released when the handler has gone and the last request that uses it has ended. */
export class Renderers extends RegistryResource.Service<Renderers>()("http/Renderers", {
  registry: Handlers,
  acquire: ({ open }) => open
}) {}

/** The renderer of the handler that fits best, until the scope of the request closes; nothing if none fits. */
export const lease = (accept: string | undefined) =>
  Effect.gen(function*() {
    const found = choose(yield* Handlers.snapshot, accept)
    return found && (yield* Renderers.get("name", found.name))
  }).pipe(
    // it has gone between the two: another one
    Effect.retry({ while: ({ code }) => code === "not_registered" }),
    Effect.orDie
  )
