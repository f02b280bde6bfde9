import { defineConfig } from "vitest/config"

export default defineConfig({
  root: import.meta.dirname,
  ssr: { resolve: { conditions: ["effect-registry/source"] } },
  test: { include: ["*.test.ts"] }
})
