/**
 * Handlers of media types that come and go while requests are in flight.
 */
import { Effect, Latch } from "effect"
import { Lookup, Registry } from "effect-registry"
import type { HttpServerResponse } from "effect/http"
import { choose } from "./choose.ts"

export interface Handler {
  readonly name: string
  readonly mediaType: string
  /** Of two that fit equally well, the one of the higher rank answers. */
  readonly rank: number
  readonly render: (report: Report) => Effect.Effect<HttpServerResponse.HttpServerResponse>
}

export interface Report {
  readonly title: string
  readonly lines: ReadonlyArray<string>
}

/** A handler, and the requests that use it. */
export class Installed {
  readonly handler: Handler
  private readonly idle = Latch.makeUnsafe(true)
  private requests = 0

  constructor(handler: Handler) {
    this.handler = handler
  }
  get untilIdle(): Effect.Effect<void> {
    return this.idle.await
  }
  begin(): void {
    this.requests++
    this.idle.closeUnsafe()
  }
  end(): void {
    if (--this.requests === 0) this.idle.openUnsafe()
  }
}

export const lookup = {
  name: Lookup.unique(({ handler }: Installed) => handler.name),
  mediaType: Lookup.group(({ handler }: Installed) => handler.mediaType),
  /** `text` of `text/html`. */
  family: Lookup.group(({ handler }: Installed) => handler.mediaType.split("/", 1)[0])
}

export class Handlers extends Registry.Service<Handlers, Installed>()("http/Handlers", { lookup }) {}

/**
 * Answers requests until the scope closes: from then on it is not found any more, and when the last request that has
 * found it has been answered, what the scope held before is released.
 */
export const install = Effect.fnUntraced(function*(handler: Handler) {
  const installed = new Installed(handler)
  yield* Effect.addFinalizer(() => installed.untilIdle)
  yield* Handlers.registerScoped(installed)
})

/** The handler that fits best, which stays until the scope of the request closes. */
export const lease = (accept: string | undefined) =>
  Effect.flatMap(Handlers, (handlers) =>
    Effect.acquireRelease(
      // it is found and begun in one step: who is found has not begun to go
      Effect.sync(() => {
        const found = choose(Registry.snapshotUnsafe(handlers), accept)
        found?.begin()
        return found
      }),
      (found) => Effect.sync(() => found?.end())
    ))
