/**
 * The examples of doc comments and of Markdown files, as modules that run.
 */
import { assert } from "@effect/vitest"
import * as Equal from "effect/Equal"

export interface Fence {
  /** Its module or Markdown file. */
  readonly page: string
  /** The example of which it is, its title and, if that is not unique, its number. */
  readonly title: string
  /** Its file name, if its first line has one: `// tools.ts`. */
  readonly file: string | undefined
  readonly code: string
}

export interface Export {
  readonly name: string
  readonly kind: "value" | "class" | "type"
  /** Its doc comment, without the frame of stars. */
  readonly doc: string | undefined
  /** The declaration. */
  readonly declaration: string
}

const comments = /\/\*\*[\s\S]*?\*\//g

const unframed = (comment: string): string => comment.slice(3, -2).replace(/^\s*\* ?/gm, "").trim()

/** The `ts` fences of the doc comments of a module. */
export const fencesOfModule = (module: string, source: string): ReadonlyArray<Fence> => {
  // a member of a destructuring, like `$is: is`, is known by its second name
  const declared = [
    /^\s*export (?:declare |abstract )*(?:const|class|function|interface|type) (\w+)/,
    /^\s*[\w$]+: (\w+),?\n/,
    /^\s*(?!import |export )(?:readonly |get )?(\w+)/
  ]
  return titled(
    Array.from(source.matchAll(comments)).flatMap((comment) => {
      const following = source.slice(comment.index + comment[0].length)
      const name = declared.map((pattern) => pattern.exec(following)?.[1]).find((one) => one !== undefined)
      return fences(unframed(comment[0]), /\*\*Example\*\* \((.+)\)/g).map(({ code, heading }) => ({
        page: module,
        file: undefined,
        title: [name === undefined ? module : `${module}.${name}`, "example", heading].join(" ").trim(),
        code
      }))
    })
  )
}

/** The `ts` fences of a Markdown file. */
export const fencesOfMarkdown = (file: string, source: string): ReadonlyArray<Fence> =>
  titled(
    fences(source, /^#+ (.+)$/gm).map(({ code, heading }) => ({
      page: file,
      file: /^\/\/ ([\w-]+\.ts)\n/.exec(code)?.[1],
      title: `${file} example ${heading}`.trim(),
      code
    }))
  )

/** Fences, each with the last heading before it. */
const fences = (text: string, headings: RegExp): ReadonlyArray<{ readonly code: string; readonly heading: string }> =>
  Array.from(text.matchAll(/^```ts\n([\s\S]*?)^```$/gm), (fence) => ({
    code: fence[1]!,
    heading: Array.from(text.slice(0, fence.index).matchAll(headings)).at(-1)?.[1] ?? ""
  }))

const titled = (list: ReadonlyArray<Fence>): ReadonlyArray<Fence> =>
  list.map((fence, i) => {
    const before = list.slice(0, i).filter(({ title }) => title === fence.title).length
    return before === 0 ? fence : { ...fence, title: `${fence.title} ${before + 1}` }
  })

/** The exports of a module, in order. */
export const exportsOf = (source: string): ReadonlyArray<Export> =>
  Array.from(
    source.matchAll(/^export (?:declare |abstract )*(?:(const|class|function|interface|type) (\w+)|(const|type) \{)/gm)
  ).flatMap((match): ReadonlyArray<Export> => {
    const [, keyword, name, list] = match
    if (list === undefined) {
      const kind = keyword === "class" ? "class" : keyword === "const" || keyword === "function" ? "value" : "type"
      const doc = commentBefore(source.slice(0, match.index))
      return [{ name: name!, kind, doc, declaration: /^[^]*?(?=\n\/[*/]|$)/.exec(source.slice(match.index))![0] }]
    }
    const from = match.index + match[0].length
    const members = source.slice(from, source.indexOf("\n}", from))
    return Array.from(
      members.matchAll(/(\/\*\*[\s\S]*?\*\/)?\s*([\w$]+)(?::\s*(\w+))?\s*(?:,|$)/g),
      ([declaration, comment, member, renamed]) => ({
        name: renamed ?? member!,
        kind: list === "const" ? "value" : "type",
        doc: comment && unframed(comment),
        declaration
      })
    )
  })

const commentBefore = (text: string): string | undefined => {
  if (!text.endsWith("*/\n")) return undefined
  return unframed(text.slice(text.lastIndexOf("/**")).trimEnd())
}

const shown = /^(?!\s*\/\/)(.*\S)\s+\/\/ => (.+)$/gm

/** Code in which every line `expression // => expected` asserts, with the `assertShows` that `first` imports. */
export const asserting = (code: string, first = `import { assertShows } from "../../utils/fences.ts"`): string =>
  `${first}\n${code.replace(shown, "assertShows($1, $2)")}`

/** Code for the compiler, in which expected values are code, too. */
export const compiling = (code: string): string => code.replace(shown, "$1; void ($2)")

/** The assertion in the modules of examples. */
export const assertShows = (actual: unknown, expected: unknown): void => {
  if (!Equal.equals(actual, expected)) assert.deepStrictEqual(actual, expected)
}
