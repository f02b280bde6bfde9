/**
 * The routes: a report in whatever form the client accepts, handlers that are switched on and off, and what changes.
 */
import { Context, Effect, FiberMap, Latch, Layer, Stream } from "effect"
import { Registry, RegistryEvent, RegistrySnapshot } from "effect-registry"
import { Sse } from "effect/encoding"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { type Handler, Handlers, lease, Renderers, type Report } from "./handlers.ts"

const report: Report = { title: "Languages", lines: ["TypeScript", "Python", "C"] }

const ReportRoute = HttpRouter.add(
  "GET",
  "/report",
  Effect.fnUntraced(function*(request) {
    const render = yield* lease(request.headers["accept"])
    if (render !== undefined) return yield* render(report)
    const mediaTypes = (yield* Handlers.values).map(({ mediaType }) => mediaType)
    return HttpServerResponse.text(mediaTypes.join("\n"), { status: 406 })
  })
)

/** `PUT /handlers/:name` switches one on, `DELETE` off: requests that use it go on, and no other finds it. */
const switches = (available: ReadonlyArray<Handler>) =>
  HttpRouter.use(Effect.fnUntraced(function*(router) {
    const running = yield* FiberMap.make<string>()
    const services = yield* Effect.context<Handlers>()
    const named = Effect.map(HttpRouter.params, ({ name }) => available.find((handler) => handler.name === name))
    const missing = HttpServerResponse.empty({ status: 404 })
    const done = HttpServerResponse.empty()
    yield* router.add(
      "PUT",
      "/handlers/:name",
      Effect.flatMap(named, (handler) => {
        if (handler === undefined) return Effect.succeed(missing)
        const answering = Effect.scoped(Effect.andThen(Handlers.registerScoped(handler), Effect.never))
        return FiberMap.run(running, handler.name, Effect.provideContext(answering, services), {
          onlyIfMissing: true
        }).pipe(Effect.as(done))
      })
    )
    yield* router.add(
      "DELETE",
      "/handlers/:name",
      Effect.flatMap(named, (handler) =>
        handler === undefined
          ? Effect.succeed(missing)
          : Effect.as(FiberMap.remove(running, handler.name), done))
    )
  }))

/** Opened when the server is to close: a stream of events would never end by itself. */
export class Closing extends Context.Service<Closing, Latch.Latch>()("http/Closing") {
  static readonly layer = Layer.effect(Closing, Latch.make())
}

const EventsRoute = HttpRouter.use(Effect.fnUntraced(function*(router) {
  const handlers = yield* Handlers
  const closing = yield* Closing
  yield* router.add("GET", "/events", (request) => {
    const last = request.headers["last-event-id"] ?? ""
    const events = eventsOf(handlers, /^\d+$/.test(last) ? Number(last) : undefined).pipe(
      Stream.interruptWhen(closing.await),
      Stream.map((event) => Sse.encoder.write(event)),
      Stream.encodeText
    )
    return Effect.succeed(
      HttpServerResponse.stream(events, { contentType: "text/event-stream", headers: { "cache-control": "no-cache" } })
    )
  })
}))

/** What there is, and all changes to it; or the changes after a revision. Who has missed some begins anew. */
const eventsOf = (handlers: Handlers["Service"], since?: number): Stream.Stream<Sse.Event> =>
  Stream.unwrap(Effect.map(Registry.subscribe(handlers, { since }), ({ changes, snapshot }) => {
    const names = RegistrySnapshot.values(snapshot).map(({ name }) => name)
    const first = eventOf("handlers", RegistrySnapshot.revision(snapshot), names)
    const news = Stream.map(changes, ({ events, revision }) => eventOf("changes", revision, events.map(lineOf)))
    return since === undefined ? Stream.concat(Stream.succeed(first), news) : news
  })).pipe(Stream.catchTag("RegistryLagged", () => eventsOf(handlers)))

const eventOf = (event: string, revision: number, lines: ReadonlyArray<string>): Sse.Event => ({
  _tag: "Event",
  event,
  id: String(revision),
  data: lines.join("\n")
})

const lineOf = (event: RegistryEvent.RegistryEvent<Handler>): string =>
  RegistryEvent.match(event, {
    Registered: ({ item }) => `+ ${item.name}`,
    Unregistered: ({ item }) => `- ${item.name}`,
    Replaced: ({ item, previous }) => `${previous.name} is now ${item.name}`,
    Moved: ({ item, position }) => `${item.name} is at ${position}`,
    Populated: () => "populated",
    Reset: () => "reset"
  })

/** Closes in this order: streams of events, then requests, then handlers. */
export const ServerLive = (options: {
  readonly always: ReadonlyArray<Handler>
  readonly switched: ReadonlyArray<Handler>
}) => {
  const Always = Layer.effectDiscard(Handlers.registerAllScoped(options.always))
  const Routes = Layer.mergeAll(ReportRoute, switches(options.switched), EventsRoute)
  const End = Layer.effectDiscard(Effect.acquireRelease(Closing, (closing) => closing.open))
  return End.pipe(
    Layer.provideMerge(HttpRouter.serve(Routes, { disableLogger: true })),
    Layer.provide(Always),
    Layer.provide(Closing.layer),
    Layer.provideMerge(Renderers.layer),
    Layer.provideMerge(Handlers.layer)
  )
}
