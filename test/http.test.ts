import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Ref, Scope, Stream } from "effect"
import { Registry, RegistrySnapshot } from "effect-registry"
import { HttpClient, HttpClientRequest, HttpServerResponse } from "effect/http"
import { spawn } from "node:child_process"
import { createServer } from "node:net"
import { join } from "node:path"
import { choose } from "../examples/http/choose.ts"
import { type Handler, Handlers, lookup, type Render } from "../examples/http/handlers.ts"
import { ServerLive } from "../examples/http/server.ts"
import { root } from "./utils/processes.ts"

const handler = (name: string, mediaType: string, rank = 0, open?: Handler["open"]): Handler => ({
  name,
  mediaType,
  rank,
  open: open ?? Effect.succeed(() => Effect.succeed(HttpServerResponse.text(name, { contentType: mediaType })))
})

const opening = (render: Render): Handler["open"] => Effect.succeed(render)

const install = Handlers.registerScoped

const plain = handler("plain", "text/plain")

const server = (switched: ReadonlyArray<Handler> = []) =>
  ServerLive({ always: [plain], switched }).pipe(Layer.provideMerge(NodeHttpServer.layerTest), Layer.fresh)

const get = (path: string, headers: Record<string, string> = {}) =>
  HttpClient.execute(HttpClientRequest.get(path).pipe(HttpClientRequest.setHeaders(headers)))

const report = (accept: string) =>
  Effect.flatMap(
    get("/report", { accept }),
    (response) => Effect.map(response.text, (text) => [response.status, text] as const)
  )

const change = (method: "PUT" | "DELETE", name: string) =>
  Effect.map(HttpClient.execute(HttpClientRequest.make(method)(`/handlers/${name}`)), ({ status }) => status)

/** The events of `/events`, each as id, name and lines. */
const events = (headers: Record<string, string> = {}) =>
  Stream.unwrap(Effect.map(get("/events", headers), (response) => response.stream)).pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.split((line) => line === ""),
    Stream.map((lines) => lines.map((line) => line.replace(/^\w+: /, "")).join("|"))
  )

describe("content negotiation", () => {
  const html = handler("html", "text/html", 10)
  const other = handler("other html", "text/html", 20)
  const json = handler("json", "application/json", 5)

  it.effect.each<readonly [accept: string | undefined, expected: string | undefined]>([
    [undefined, "other html"],
    ["*/*", "other html"],
    ["text/html", "other html"],
    ["TEXT/HTML", "other html"],
    ["text/*", "other html"],
    ["text/plain, text/html;q=0.9", "plain"],
    ["text/html;q=0.5, application/*;q=0.7", "json"],
    ["text/html;q=0, text/*;q=0.5", "plain"],
    ["text/html;level=1;q=0.3, text/plain;q=0.2", "other html"],
    ["application/json, */*;q=0.1", "json"],
    ["image/png", undefined],
    ["*/*;q=0", undefined],
    ["text/plain;q=2, image/png", undefined],
    ["", undefined],
    [",;/,*,text/,/plain,text/plain;q=x", "plain"]
  ])("of %s finds %s", ([accept, expected]) =>
    Effect.gen(function*() {
      for (const one of [plain, html, json, other]) yield* install(one)
      const handlers = yield* Handlers
      assert.strictEqual(choose(Registry.snapshotUnsafe(handlers), accept)?.name, expected)
    }).pipe(Effect.scoped, Effect.provide(Layer.fresh(Handlers.layer))))

  it("uses the lookups of the registry", () =>
    assert.deepStrictEqual(Object.keys(lookup), ["name", "mediaType", "family"]))
})

describe("the http example", { timeout: 60_000 }, () => {
  it.live("answers requests, lists the media types if none fits, and switches handlers on and off", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* report("text/html, */*;q=0.1"), [200, "plain"])
      assert.deepStrictEqual(yield* report("text/html"), [406, "text/plain"])
      assert.strictEqual(yield* change("PUT", "html"), 204)
      assert.strictEqual(yield* change("PUT", "html"), 204)
      assert.deepStrictEqual(yield* report("text/html, */*;q=0.1"), [200, "html"])
      assert.strictEqual(yield* change("DELETE", "html"), 204)
      assert.strictEqual(yield* change("DELETE", "html"), 204)
      assert.deepStrictEqual(yield* report("text/html"), [406, "text/plain"])
      assert.strictEqual(yield* change("PUT", "nobody"), 404)
      assert.strictEqual(yield* change("DELETE", "__proto__"), 404)
    }).pipe(Effect.provide(server([handler("html", "text/html")]))))

  it.live("200 clients while handlers come and go: no request fails or reaches a closed handler", () =>
    Effect.gen(function*() {
      const stop = yield* Ref.make(false)
      let comings = 0
      let reached = 0
      const coming = Effect.scoped(Effect.gen(function*() {
        let open = true
        const number = comings++
        const render: Render = () =>
          Effect.gen(function*() {
            if (!open) return HttpServerResponse.text("closed", { status: 500 })
            yield* Effect.sleep(1)
            reached++
            // the handler stays open until the last byte is sent
            const body = Stream.fromIterable(["a", "b"]).pipe(
              Stream.mapEffect((part) => Effect.as(Effect.sleep(1), open ? part : "closed")),
              Stream.encodeText
            )
            return open ? HttpServerResponse.stream(body) : HttpServerResponse.text("closed", { status: 500 })
          })
        const opened = Effect.acquireRelease(Effect.succeed(render), () => Effect.sync(() => open = false))
        yield* install(handler(`html ${number}`, "text/html", number, opened))
        yield* Effect.sleep(Math.random() * 5)
      }))
      const churn = yield* Effect.forkChild(Effect.all(
        [1, 2, 3].map(() => Effect.repeat(coming, { until: () => Ref.get(stop) })),
        { concurrency: "unbounded" }
      ))
      const answers = yield* Effect.forEach(
        Array.from({ length: 200 }),
        () => Effect.replicateEffect(report("text/html, text/plain;q=0.5"), 10),
        { concurrency: "unbounded" }
      )
      yield* Ref.set(stop, true)
      yield* Fiber.join(churn)
      const seen = new Set(answers.flat().map(([status, text]) => `${status} ${text}`))
      seen.delete("200 plain")
      assert.deepStrictEqual(Array.from(seen), ["200 ab"])
      assert.isAbove(comings, 20)
      assert.isAbove(reached, 100)
      assert.strictEqual(yield* Handlers.size, 1)
    }).pipe(Effect.provide(server())))

  it.live("G31 a request ends with the version that it began with, which is released then", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const [started, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const version = (number: number, render: Render) =>
        handler(
          "slow",
          "text/slow",
          0,
          Effect.acquireRelease(Effect.succeed(render), () => Effect.sync(() => log.push(`released ${number}`)))
        )
      const scope = yield* Scope.make()
      const first = version(1, () =>
        Deferred.succeed(started, undefined).pipe(
          Effect.andThen(Deferred.await(go)),
          Effect.andThen(Effect.sync(() => HttpServerResponse.text(`1 ${log.join()}`)))
        ))
      yield* Scope.provide(install(first), scope)
      const asking = yield* Effect.forkChild(report("text/slow"))
      yield* Deferred.await(started)

      // a reload in the middle of the request
      yield* Handlers.replace("name", "slow", version(2, () => Effect.succeed(HttpServerResponse.text("2"))))
      assert.deepStrictEqual(yield* report("text/slow"), [200, "2"])
      // it goes in the middle of the request
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* report("text/slow, */*;q=0.1"), [200, "plain"])
      assert.deepStrictEqual(log.splice(0), ["released 2"])

      yield* Deferred.succeed(go, undefined)
      assert.deepStrictEqual(yield* Fiber.join(asking), [200, "1 "])
      yield* Effect.yieldNow.pipe(Effect.repeat({ until: () => log.length > 0 }))
      assert.deepStrictEqual(log, ["released 1"])
    }).pipe(Effect.provide(server())))

  it.live("a handler can be removed after its client went away, and after it died", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      yield* Effect.scoped(Effect.gen(function*() {
        yield* install(
          handler(
            "never",
            "text/never",
            0,
            opening(() => Effect.andThen(Deferred.succeed(started, undefined), Effect.never))
          )
        )
        yield* install(handler("dies", "text/dies", 0, opening(() => Effect.die(new Error("boom")))))
        const asking = yield* Effect.forkChild(report("text/never"))
        yield* Deferred.await(started)
        assert.strictEqual((yield* report("text/dies"))[0], 500)
        yield* Fiber.interrupt(asking)
      }))
      assert.strictEqual(yield* Handlers.size, 1)
    }).pipe(Effect.provide(server())))

  it.live("streams changes as server-sent events, and resumes after Last-Event-ID", () =>
    Effect.gen(function*() {
      const { revision } = RegistrySnapshot
      const before = revision(yield* Handlers.snapshot)
      const listening = yield* Effect.forkChild(Stream.runCollect(Stream.take(events(), 3)))
      yield* Effect.sleep(200)
      yield* Effect.scoped(install(handler("html", "text/html")))
      assert.deepStrictEqual(Array.from(yield* Fiber.join(listening)), [
        `${before}|handlers|plain`,
        `${before + 1}|changes|+ html`,
        `${before + 2}|changes|- html`
      ])
      const since = (id: unknown, count: number) =>
        Effect.map(Stream.runCollect(Stream.take(events({ "last-event-id": String(id) }), count)), Array.from)
      assert.deepStrictEqual(yield* since(before + 1, 1), [`${before + 2}|changes|- html`])
      // an id that is unknown or malformed begins anew
      for (const id of [before + 1000, -1, "x", ""]) {
        assert.include((yield* since(id, 1))[0], "|handlers|plain")
      }
    }).pipe(Effect.provide(server())))

  it("as a process: finishes requests after SIGTERM", async () => {
    const port = await freePort()
    const child = spawn(
      process.execPath,
      ["--conditions=effect-registry/source", join(root, "examples/http/main.ts"), String(port)],
      { stdio: ["ignore", "pipe", "pipe"] }
    )
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
    let output = ""
    child.stderr.on("data", (chunk) => output += chunk)
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (chunk) => {
        output += chunk
        if (output.includes("Listening")) resolve()
      })
      child.on("close", () => reject(new Error(output)))
    })
    const url = `http://localhost:${port}`
    const answer = async (accept: string) => (await fetch(`${url}/report`, { headers: { accept } })).text()
    assert.strictEqual(await answer("text/plain"), "Languages\nTypeScript\nPython\nC")
    assert.deepStrictEqual(JSON.parse(await answer("text/html, application/json;q=0.9")).title, "Languages")
    assert.strictEqual((await fetch(`${url}/handlers/html`, { method: "PUT" })).status, 204)
    assert.include(await answer("text/html, application/json;q=0.9"), "<h1>Languages</h1>")
    assert.strictEqual((await fetch(`${url}/handlers/slow`, { method: "PUT" })).status, 204)
    const streaming = await fetch(`${url}/events`)
    const slow = answer("text/slow")
    await new Promise((resolve) => setTimeout(resolve, 300))
    child.kill("SIGTERM")
    assert.include(await slow, "Languages")
    assert.include(await streaming.text(), "event: handlers")
    // NodeRuntime exits with the number of the signal
    assert.include([0, 130, 143], await ended)
  })
})

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.listen(0, () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })
