/**
 * Strings that someone may have meant, nearest first: at most `limit` of those within a third of the length of `value`
 * in single-character edits (an insertion, a deletion, another character, two neighbours exchanged: Damerau's distance, as
 * optimal string alignment), regardless of case.
 */
export const nearMatches = (value: unknown, candidates: Iterable<unknown>, limit = 3): ReadonlyArray<string> => {
  if (typeof value !== "string" || value.length > longest) return []
  const wanted = value.toLowerCase()
  const most = Math.max(1, Math.floor(wanted.length / 3))
  const near: Array<{ readonly candidate: string; readonly distance: number }> = []
  for (const candidate of candidates) {
    if (typeof candidate !== "string" || Math.abs(candidate.length - wanted.length) > most) continue
    const distance = editDistance(wanted, candidate.toLowerCase())
    if (distance <= most) near.push({ candidate, distance })
  }
  return near.toSorted((a, b) => a.distance - b.distance).slice(0, limit).map(({ candidate }) => candidate)
}

/** Longer strings are no typing mistakes, and the distance takes the product of the lengths. */
const longest = 64

const editDistance = (a: string, b: string): number => {
  let beforePrevious: ReadonlyArray<number> = []
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      // before the first character there is nothing, which is none of the other's
      const areExchanged = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const exchanged = areExchanged ? beforePrevious[j - 2]! + 1 : replaced
      current.push(Math.min(replaced, exchanged, previous[j]! + 1, current[j - 1]! + 1))
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.length]!
}
