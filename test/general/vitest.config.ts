/**
 * The tests of the guarantees, where no fast path of `src` is taken: `npm run test:general`.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Plugin } from "vite"
import { defineConfig, mergeConfig } from "vitest/config"
import config from "../../vitest.config.ts"
import { fastPaths, ofFastPaths } from "./fastPaths.ts"

const root = Path.join(import.meta.dirname, "../..")

/**
 * What they run as processes of their own is not changed, nor are packages, pages and types. Data structures, messages and
 * logs have no fast paths.
 */
const withoutGuarantees = [
  "EntryPoints",
  "RegistryLog",
  "RegistrySnapshot",
  "badInput",
  "bundle",
  "docs",
  "editors",
  "features",
  "http",
  "keyMap",
  "languages",
  "leaks",
  "messages",
  "observability",
  "plugins",
  "rpc",
  "sharedExample",
  "sharedTypes",
  "singleton",
  "sqlite",
  "tools",
  "types"
]

const sources = (): ReadonlyMap<string, string> => {
  const texts = new Map(
    Fs.readdirSync(Path.join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => Path.join(root, "src", file))
      .map((path) => [path, Fs.readFileSync(path, "utf8")])
  )
  for (const { find, name, replace } of fastPaths) {
    const places = Array.from(texts).filter(([, text]) => text.includes(find))
    const [place] = places
    if (place === undefined || places.length > 1 || place[1].split(find).length !== 2) {
      throw new Error(`The fast path "${name}" does not occur exactly once in src: ${find.trim()}`)
    }
    texts.set(place[0], place[1].replace(find, () => replace))
  }
  return texts
}

const general = (): Plugin => {
  const texts = sources()
  return { name: "no fast paths", enforce: "pre", load: (id) => texts.get(id) ?? null }
}

export default mergeConfig(
  config,
  defineConfig({
    root,
    plugins: [general()],
    test: {
      exclude: withoutGuarantees.map((name) => `test/${name}.test.ts`),
      testNamePattern: new RegExp(`^(?!.*(${ofFastPaths.join("|")}))`)
    }
  })
)
