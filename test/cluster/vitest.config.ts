/**
 * The tests that need servers, PostgreSQL and NATS: `npm run test:cluster`. They begin and end their own.
 */
import * as Path from "node:path"
import { defineConfig } from "vitest/config"
import config from "../../vitest.config.ts"

export default defineConfig({
  ...config,
  root: Path.join(import.meta.dirname, "../.."),
  test: { ...config.test, include: ["test/cluster/*.cluster.ts"], hookTimeout: 60_000 }
})
