/**
 * What was found, as lines of text.
 */
import { Option } from "effect"
import type { Language } from "./languages.ts"
import type { Scan } from "./scan.ts"

interface Row {
  readonly language: Language
  files: number
  bytes: number
}

const barWidth = 30

export const report = (scan: Scan, options: { readonly color: boolean }): ReadonlyArray<string> => {
  const rows = rowsOf(scan)
  const total = rows.reduce((sum, row) => sum + row.bytes, 0)
  const cells = rows.map((row) => {
    const share = total === 0 ? 0 : row.bytes / total
    const bar = "█".repeat(Math.max(1, Math.round(share * barWidth)))
    return [
      row.language.name,
      count(row.files),
      count(row.bytes),
      `${(share * 100).toFixed(1)}%`,
      options.color ? inColor(bar, row.language.color) : bar
    ]
  })
  const unknown = scan.files.filter((file) => Option.isNone(file.language)).length
  return [
    ...(rows.length === 0
      ? ["No file is in a known language."]
      : table([["Language", "Files", "Bytes", "Share", ""], ...cells])),
    ...(unknown === 0 ? [] : [`${plural(unknown, "file is", "files are")} in no known language.`]),
    ...(scan.unreadable.length === 0 ? [] : [
      `${plural(scan.unreadable.length, "path", "paths")} could not be read:`,
      ...scan.unreadable.map((path) => `  ${path}`)
    ])
  ]
}

/** The most bytes first. */
const rowsOf = (scan: Scan): ReadonlyArray<Row> => {
  const rows = new Map<number, Row>()
  for (const { bytes, language } of scan.files) {
    if (Option.isNone(language)) continue
    const row = rows.get(language.value.id) ?? { language: language.value, files: 0, bytes: 0 }
    row.files += 1
    row.bytes += bytes
    rows.set(language.value.id, row)
  }
  return [...rows.values()].toSorted((a, b) => b.bytes - a.bytes || (a.language.name < b.language.name ? -1 : 1))
}

/** The first column and the last are aligned to the left, those between to the right. */
const table = (cells: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widthOf = (column: number) => Math.max(...cells.map((row) => row[column]?.length ?? 0))
  return cells.map((row) =>
    row.map((cell, column) => {
      if (column === 0) return cell.padEnd(widthOf(column))
      return column === row.length - 1 ? cell : cell.padStart(widthOf(column))
    }).join("  ").trimEnd()
  )
}

const inColor = (text: string, color: string | undefined): string => {
  if (color === undefined) return text
  const [red, green, blue] = [1, 3, 5].map((start) => Number.parseInt(color.slice(start, start + 2), 16))
  return `\u001b[38;2;${red};${green};${blue}m${text}\u001b[39m`
}

const count = (n: number): string => n.toLocaleString("en-US")

const plural = (n: number, one: string, many: string): string => `${count(n)} ${n === 1 ? one : many}`
