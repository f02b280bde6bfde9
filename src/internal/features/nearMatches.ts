/**
 * The strings that someone may have meant, nearest first, regardless of case: at most three of those within a third of
 * the length of `value` in single-character edits (Damerau's distance, as optimal string alignment).
 */
export const nearMatches = (value: unknown, candidates: Iterable<unknown>): ReadonlyArray<string> => {
  if (typeof value !== "string" || value.length > longest) return []
  const wanted = value.toLowerCase()
  const most = Math.max(1, Math.floor(wanted.length / 3))
  const near: Array<{ readonly candidate: string; readonly distance: number }> = []
  for (const candidate of candidates) {
    if (typeof candidate !== "string" || Math.abs(candidate.length - wanted.length) > most) continue
    const distance = editDistance(wanted, candidate.toLowerCase())
    if (distance <= most) near.push({ candidate, distance })
  }
  return near.toSorted((a, b) => a.distance - b.distance).slice(0, 3).map(({ candidate }) => candidate)
}

/** Longer strings are no typing mistakes, and the distance takes the product of the lengths. */
const longest = 64

/** In row i and column j is the distance of the first i characters of one and the first j of the other. */
const editDistance = (a: string, b: string): number => {
  const rows: Array<Array<number>> = []
  const at = (i: number, j: number): number => i * j === 0 ? i + j : rows[i]![j]!
  for (let i = 1; i <= a.length; i++) {
    rows[i] = []
    for (let j = 1; j <= b.length; j++) {
      // before the first character there is nothing, which no character equals
      const areExchanged = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      rows[i]![j] = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
        areExchanged ? at(i - 2, j - 2) + 1 : Infinity
      )
    }
  }
  return at(a.length, b.length)
}
