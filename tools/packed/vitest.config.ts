import { defineConfig } from "vitest/config"

export default defineConfig({
  test: { include: ["tools/packed/*.test.ts"], testTimeout: 60_000, hookTimeout: 120_000 }
})
