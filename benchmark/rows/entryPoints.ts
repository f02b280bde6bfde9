import { NodeServices } from "@effect/platform-node"
import { Effect, ManagedRuntime, Stream } from "effect"
import { EntryPoints } from "effect-registry"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { readdir, readFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Row } from "../row.ts"

/** Packages, of which every tenth offers an item. */
const install = (size: number): string => {
  const root = mkdtempSync(join(tmpdir(), "entry-points-"))
  process.on("exit", () => rmSync(root, { recursive: true }))
  for (let i = 0; i < size; i++) {
    const directory = join(root, "node_modules", `package-${i}`)
    mkdirSync(directory, { recursive: true })
    const manifest = {
      name: `package-${i}`,
      dependencies: Object.fromEntries(Array.from({ length: 20 }, (_, k) => [`dependency-${k}`, "^1.0.0"])),
      ...(i % 10 === 0 ? { entryPoints: { benchmark: { item: "./index.js" } } } : {})
    }
    writeFileSync(join(directory, "package.json"), JSON.stringify(manifest))
    writeFileSync(join(directory, "index.js"), "")
  }
  return root
}

const discover: Row = {
  name: "entry points",
  work: "`EntryPoints.discover`, per package",
  against: "each package.json read and parsed, all at once",
  sizes: [2_000],
  kind: "whole",
  make: async (size) => {
    const from = install(size)
    const { runPromise } = ManagedRuntime.make(NodeServices.layer)
    const found = Stream.runCollect(EntryPoints.discover({ group: "benchmark", from }))
    const modules = join(from, "node_modules")
    return {
      ours: { operations: size, run: () => runPromise(Effect.map(found, (all) => all.length)) },
      other: {
        operations: size,
        run: async () => {
          const manifests = await Promise.all(
            (await readdir(modules)).map(async (name): Promise<object> =>
              JSON.parse(await readFile(join(modules, name, "package.json"), "utf8"))
            )
          )
          return manifests.filter((manifest) => "entryPoints" in manifest).length
        }
      }
    }
  }
}

export const entryPoints: ReadonlyArray<Row> = [discover]
