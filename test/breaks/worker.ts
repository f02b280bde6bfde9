/**
 * One vitest that stays: it runs the tests that its parent asks for, with one fault in `src` or none. The fault is put
 * into the module where vitest reads it; no file changes. Each run has a thread of its own, so nothing of one run is
 * left in the next; who kills this process ends whatever hangs.
 */
import * as Path from "node:path"
import { createVitest } from "vitest/node"

export interface Job {
  /** The file in `test`, and the titles of its tests, or parts of them. */
  readonly file: string
  readonly titles: ReadonlyArray<string>
  /** How many milliseconds a test may take. */
  readonly timeout: number
  readonly fault?: { readonly path: string; readonly find: string; readonly replace: string }
}

export interface Ran {
  /** The tests that ran, and why they failed. */
  readonly tests: ReadonlyArray<{ readonly title: string; readonly milliseconds: number; readonly failed?: string }>
  /** What went wrong outside of tests. */
  readonly errors: ReadonlyArray<string>
}

let fault: Job["fault"]

const vitest = await createVitest({
  watch: false,
  pool: "threads",
  silent: true,
  reporters: [{}],
  // on disk, it would keep what a fault has made of a module, and give it to others
  fsModuleCache: false
}, {
  plugins: [{
    name: "fault",
    enforce: "pre",
    transform(code, id) {
      if (fault?.path !== id) return undefined
      const { find, replace } = fault
      return code.replace(find, () => replace)
    }
  }]
})

/** What was thrown may have neither. */
const firstLine = ({ message, stack }: { readonly message?: string; readonly stack?: string | undefined }): string =>
  (stack || message || "it failed").split("\n", 1)[0]!

const run = async (job: Job): Promise<Ran> => {
  // what the last fault has changed is read anew too
  for (const one of [fault, job.fault]) if (one !== undefined) vitest.invalidateFile(one.path)
  fault = job.fault
  const testNamePattern = new RegExp(job.titles.map((title) => title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"))
  const project = vitest.getRootProject()
  project.config.testTimeout = job.timeout
  const specification = project.createSpecification(Path.resolve("test", job.file), { testNamePattern })
  const { unhandledErrors } = await vitest.runTestSpecifications([specification])
  const module = specification.testModule
  return {
    tests: Array.from(module?.children.allTests() ?? []).flatMap((test) => {
      const { errors, state } = test.result()
      if (state !== "passed" && state !== "failed") return []
      return {
        title: test.name,
        milliseconds: test.diagnostic()?.duration ?? 0,
        ...state === "failed" ? { failed: errors.map(firstLine).join("; ") } : {}
      }
    }),
    errors: [...module?.errors().map(firstLine) ?? [], ...unhandledErrors.map(String)]
  }
}

process.on("message", async (job: Job) => process.send!(await run(job)))
