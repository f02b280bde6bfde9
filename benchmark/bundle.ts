/** How large the package is for whoever uses it. */
import * as Esbuild from "esbuild"
import * as Path from "node:path"
import * as Zlib from "node:zlib"

const root = Path.join(import.meta.dirname, "..")

export interface Bundle {
  readonly gzipped: number
  readonly code: string
  /** The modules that it is made of, the largest first. */
  readonly parts: ReadonlyArray<{ readonly module: string; readonly bytes: number }>
}

/** Bundles a program as for production, without effect. */
export const bundle = async (program: string): Promise<Bundle> => {
  const { metafile, outputFiles } = await Esbuild.build({
    stdin: { contents: program, resolveDir: root, sourcefile: "program.ts" },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
    external: ["effect"],
    conditions: ["effect-registry/source"],
    metafile: true,
    write: false
  })
  const code = outputFiles[0]!.text
  const inputs = Object.values(metafile.outputs)[0]!.inputs
  return {
    code,
    gzipped: Zlib.gzipSync(code, { level: 9 }).length,
    parts: Object.entries(inputs)
      .map(([module, { bytesInOutput }]) => ({ module, bytes: bytesInOutput }))
      .filter(({ bytes, module }) => bytes > 0 && module !== "program.ts")
      .toSorted((a, b) => b.bytes - a.bytes)
  }
}

/** Everything that the three modules reach, whether it is used or not. */
export const bundleSize = (): Promise<Bundle> =>
  bundle(`
    import { Lookup, Registry, RegistryHooks } from "effect-registry"
    globalThis.registry = { Lookup, Registry, RegistryHooks }
  `)
