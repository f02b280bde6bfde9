/**
 * How many words a value takes that it does not share with an earlier one: one for each object, and one for each field or
 * element. Entries are not counted.
 */
export const allocated = (value: unknown, isEntry: (object: object) => boolean, before?: unknown): number => {
  const seen = new Set<object>()
  let words = 0
  const walk = (one: unknown): void => {
    if (typeof one !== "object" || one === null || seen.has(one) || isEntry(one)) return
    seen.add(one)
    const parts = Object.values(one)
    words += 1 + parts.length
    parts.forEach(walk)
  }
  walk(before)
  words = 0
  walk(value)
  return words
}
