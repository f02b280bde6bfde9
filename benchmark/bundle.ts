/** How large the package is for programs that use it. */
import * as Esbuild from "esbuild"
import * as Path from "node:path"
import * as Zlib from "node:zlib"
import * as Rolldown from "rolldown"

/** Where a program stands that imports the package, and the conditions by which it is found. */
interface Place {
  readonly directory: string
  readonly conditions: ReadonlyArray<string>
}

const sources: Place = { directory: Path.join(import.meta.dirname, ".."), conditions: ["effect-registry/source"] }

/** A directory in which the package is installed. */
export const installedIn = (directory: string): Place => ({ directory, conditions: [] })

export interface Bundle {
  readonly gzipped: number
  readonly code: string
}

const bundleOf = (code: string): Bundle => ({ code, gzipped: Zlib.gzipSync(code, { level: 9 }).length })

/** Modules of the package, and a program that uses them. Effect is left out of its bundles. */
export interface Program {
  readonly modules: ReadonlyArray<string>
  readonly code: string
}

/** A program that imports each module by its own path. */
export const bySubpath = ({ code, modules }: Program): string =>
  modules.map((name) => `import * as ${name} from "effect-registry/${name}"\n`).join("") + code

/** One that imports all of them from one. */
export const byIndex = ({ code, modules }: Program): string =>
  `import { ${modules.join(", ")} } from "effect-registry"\n${code}`

export interface EsbuildBundle extends Bundle {
  /** The modules that it is made of, the largest first. */
  readonly parts: ReadonlyArray<{ readonly module: string; readonly bytes: number }>
}

/** Bundles as for production, by esbuild. */
export const withEsbuild = async (code: string, { conditions, directory } = sources): Promise<EsbuildBundle> => {
  const { metafile, outputFiles } = await Esbuild.build({
    stdin: { contents: code, resolveDir: directory, sourcefile: "program.ts" },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
    external: ["effect"],
    conditions: [...conditions],
    metafile: true,
    write: false
  })
  const inputs = Object.values(metafile.outputs)[0]!.inputs
  return {
    ...bundleOf(outputFiles[0]!.text),
    parts: Object.entries(inputs)
      .map(([module, { bytesInOutput }]) => ({ module, bytes: bytesInOutput }))
      .filter(({ bytes, module }) => bytes > 0 && module !== "program.ts")
      .toSorted((a, b) => b.bytes - a.bytes)
  }
}

/** The same by rolldown, the bundler of Vite. */
export const withRolldown = async (code: string, { conditions, directory } = sources): Promise<Bundle> => {
  const program = Path.join(directory, "program.ts")
  const { output } = await Rolldown.build({
    cwd: directory,
    input: program,
    external: /^effect(\/|$)/,
    resolve: { conditionNames: [...conditions, "import"] },
    plugins: [{
      name: "program",
      resolveId: (id) => id === program ? id : undefined,
      load: (id) => id === program ? code : undefined
    }],
    output: { format: "esm", minify: true },
    write: false,
    logLevel: "silent"
  })
  return bundleOf(output[0].code)
}

/** The smallest program that does something. */
export const small: Program = {
  modules: ["Registry"],
  code: "globalThis.used = [Registry.make, Registry.get, Registry.register, Registry.unregister]"
}

/** A small service, with hooks. */
export const service: Program = {
  modules: ["Registry", "RegistryHooks"],
  code: `
    class Tools extends Registry.Tag()("app/Tools", { lookup: ["name"] }) {}
    globalThis.used = [
      Tools,
      Registry.get,
      Registry.register,
      Registry.unregister,
      Registry.values,
      RegistryHooks.layer(Tools, {})
    ]
  `
}

/** Everything that the three modules reach, whether it is used or not. */
export const everything: Program = {
  modules: ["Lookup", "Registry", "RegistryHooks"],
  code: "globalThis.used = { Lookup, Registry, RegistryHooks }"
}

/** The most that they may be, gzipped. */
export const goals = { small: 15_000, service: 16_500, everything: 23_000 }
