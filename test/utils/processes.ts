/**
 * Examples, run as a whole process.
 */
import { spawn, type SpawnOptions } from "node:child_process"
import { dirname, join } from "node:path"

export const root = join(dirname(import.meta.dirname), "..")

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const environment = (extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const { FORCE_COLOR: _, NO_COLOR: __, NODE_OPTIONS: ___, TERM: ____, ...rest } = process.env
  return { ...rest, ...extra }
}

/** Runs a program of `examples` with Node, from the root of the project unless told otherwise. */
export const runExample = (
  program: string,
  args: ReadonlyArray<string> = [],
  env: NodeJS.ProcessEnv = {},
  options: SpawnOptions = {}
): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ["--conditions=effect-registry/source", join(root, "examples", program), ...args],
      { cwd: root, env: environment(env), ...options, stdio: ["ignore", "pipe", "pipe"] }
    )
    let stdout = ""
    let stderr = ""
    child.stdout?.setEncoding("utf8").on("data", (text: string) => stdout += text)
    child.stderr?.setEncoding("utf8").on("data", (text: string) => stderr += text)
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, stdout, stderr }))
  })
