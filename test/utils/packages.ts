/** Directories with packages, as a package manager would install them. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll } from "vitest"

const directories: Array<string> = []

afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true })
})

/** A new directory with these files: texts, packages that offer entry points, links. */
export const tree = (files: Record<string, string | object>): string => {
  const root = mkdtempSync(join(tmpdir(), "entry-points-"))
  directories.push(root)
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    if (content instanceof Link) symlinkSync(content.target.replace("<root>", root), file)
    else writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content))
  }
  return root
}

export class Link {
  readonly target: string
  constructor(target: string) {
    this.target = target
  }
}

/** The package.json of a package that offers these for the group "test". */
export const offering = (entries: unknown) => ({ type: "module", entryPoints: { test: entries } })
