/**
 * How many words a value takes that it does not share with one from before: one for each object, and one for each of its
 * fields or elements. What an entry is made of is not counted.
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
