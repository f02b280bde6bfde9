/**
 * Walks a directory and finds the language of each file in it.
 */
import { Effect, FileSystem, Option, Path, Ref, Runtime, Schema } from "effect"
import { choose } from "./choose.ts"
import { type Language, Languages } from "./languages.ts"

export interface SourceFile {
  readonly path: string
  readonly bytes: number
  readonly language: Option.Option<Language>
}

export interface Scan {
  readonly files: ReadonlyArray<SourceFile>
  /** The paths of files and directories that could not be read. */
  readonly unreadable: ReadonlyArray<string>
}

export class DirectoryError extends Schema.TaggedError<DirectoryError>()("DirectoryError", {
  directory: Schema.String,
  reason: Schema.String
}) {
  override readonly [Runtime.errorReported] = false
  override get message(): string {
    return `Could not read the directory ${this.directory}: ${this.reason}`
  }
}

const skipped = new Set([".git", "node_modules", "dist"])

const concurrency = 32

/** Symbolic links, and whatever else is neither a file nor a directory, are passed over. */
const list = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const entries = (yield* fs.readDirectoryEntries(directory)).filter((entry) => !skipped.has(entry.name))
  const pathsOf = (type: FileSystem.File.Type) =>
    entries.filter((entry) => entry.type === type).map((entry) => path.join(directory, entry.name))
  return { files: pathsOf("File"), directories: pathsOf("Directory") }
})

const inspect = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.access(file, { readable: true })
  const { size } = yield* fs.stat(file)
  return { path: file, bytes: Number(size), language: yield* languageOf(file) }
})

/** By its name, else by its longest extension that is known, else, if it has none, by the interpreter in its first line. */
export const languageOf = Effect.fnUntraced(function*(file: string) {
  const path = yield* Path.Path
  const name = path.basename(file)
  const named = choose(yield* Languages.getAll("filename", name), name)
  if (Option.isSome(named)) return named
  for (const extension of extensionsOf(name)) {
    const found = choose(yield* Languages.getAll("extension", extension), extension)
    if (Option.isSome(found)) return found
  }
  if (name.includes(".")) return Option.none<Language>()
  for (const interpreter of interpretersOf(yield* firstLine(file))) {
    const found = choose(yield* Languages.getAll("interpreter", interpreter), interpreter)
    if (Option.isSome(found)) return found
  }
  return Option.none<Language>()
})

/** `a.d.ts` has the extensions `.d.ts` and `.ts`. */
const extensionsOf = (name: string): ReadonlyArray<string> => {
  const parts = name.toLowerCase().split(".").slice(1)
  return parts.map((_, index) => `.${parts.slice(index).join(".")}`)
}

const firstLine = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const opened = yield* fs.open(file)
  const bytes = yield* opened.readAlloc(256)
  return Option.match(bytes, {
    onNone: () => "",
    onSome: (read) => new TextDecoder().decode(read).split("\n", 1)[0] ?? ""
  })
}, Effect.scoped)

/** `#!/usr/bin/env -S python3.12 -u` names `python3.12`, which is also known as `python`. */
export const interpretersOf = (line: string): ReadonlyArray<string> => {
  const program = /^#!\s*(?:\S*\/env\s+(?:(?:-\S*|\w+=\S*)\s+)*)?(\S+)/.exec(line)?.[1]
  const name = program?.split("/").at(-1)
  return name === undefined ? [] : [name, name.replace(/[\d.]+$/, "")]
}

/** Level by level: so the concurrency is bounded for the walk as a whole. `seen` counts the files on the way. */
export const scan = Effect.fn("scan")(function*(directory: string, seen: Ref.Ref<number>) {
  const path = yield* Path.Path
  const refuse = (reason: string) => Effect.fail(new DirectoryError({ directory, reason }))
  const root = yield* Effect.catchReasons(list(directory), "PlatformError", {
    NotFound: () => refuse("it does not exist"),
    BadResource: () => refuse("it is no directory")
  }, (reason) => refuse(reason.message))
  let files: ReadonlyArray<SourceFile> = []
  let unreadable: ReadonlyArray<string> = []
  let level = [root]
  while (level.length > 0) {
    const [inspected, lost] = yield* Effect.partition(
      level.flatMap((listing) => listing.files),
      (file) => inspect(file).pipe(Effect.mapError(() => file), Effect.ensuring(Ref.update(seen, (n) => n + 1))),
      { concurrency }
    )
    const [listed, closed] = yield* Effect.partition(
      level.flatMap((listing) => listing.directories),
      (child) => Effect.mapError(list(child), () => child),
      { concurrency }
    )
    files = [...files, ...inspected]
    unreadable = [...unreadable, ...lost, ...closed]
    level = listed
  }
  const scanned: Scan = { files, unreadable: unreadable.map((lost) => path.relative(directory, lost)).toSorted() }
  return scanned
})
