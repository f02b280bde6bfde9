/**
 * `npx node --conditions=effect-registry/source examples/http/main.ts [port]`
 */
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Duration, Effect, Layer } from "effect"
import { HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import type { Handler, Render, Report } from "./handlers.ts"
import { ServerLive } from "./server.ts"

/** It holds nothing open. */
const text = (mediaType: string, write: (report: Report) => string): Render => (report) =>
  Effect.succeed(HttpServerResponse.text(write(report), { contentType: mediaType }))

const renderPlain = text("text/plain", ({ lines, title }) => [title, ...lines].join("\n"))

const plain: Handler = {
  name: "plain",
  mediaType: "text/plain",
  rank: 0,
  open: Effect.succeed(renderPlain)
}

const html: Handler = {
  name: "html",
  mediaType: "text/html",
  rank: 10,
  open: Effect.succeed(text(
    "text/html",
    ({ lines, title }) => `<h1>${title}</h1><ul>${lines.map((line) => `<li>${line}`).join("")}</ul>`
  ))
}

const json: Handler = {
  name: "json",
  mediaType: "application/json",
  rank: 0,
  open: Effect.succeed((report) => Effect.orDie(HttpServerResponse.json(report)))
}

/** One that takes its time. */
const slow: Handler = {
  name: "slow",
  mediaType: "text/slow",
  rank: 0,
  open: Effect.succeed((report) => Effect.delay(renderPlain(report), Duration.seconds(1)))
}

ServerLive({ always: [plain, json], switched: [html, slow] }).pipe(
  Layer.provide(NodeHttpServer.layer(createServer, { port: Number(process.argv[2] ?? 3000) })),
  Layer.launch,
  NodeRuntime.runMain
)
