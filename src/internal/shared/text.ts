/** The size of texts, and their parts. */

/** Every runtime has it. */
declare const TextEncoder: new() => { readonly encode: (text: string) => { readonly length: number } }

/** In UTF-8. */
export const bytesOf = (text: string): number => new TextEncoder().encode(text).length

/** How long a piece is that an engine takes, in characters of at most three bytes each. */
const longest = 1 << 18

/** The pieces of a text. None ends in the middle of a character. */
export const piecesOf = (text: string): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  for (let from = 0; from < text.length;) {
    const end = from + longest
    const isSplit = end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00
    const to = isSplit ? end - 1 : end
    pieces.push(text.slice(from, to))
    from = to
  }
  return pieces
}
