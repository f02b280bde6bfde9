/** How messages show values of users. */
import * as Formatter from "effect/Formatter"

/** The message of an error from elsewhere, as a part of another message. */
export const messageOf = (cause: unknown): string => {
  try {
    if (cause instanceof Error && typeof cause.message === "string" && cause.message !== "") {
      return shortened(cause.message, 5 * longest)
    }
  } catch {
    // its getters may throw
  }
  return show(cause)
}

/** Any value, as a readable text of bounded length. */
export const show = (value: unknown): string => shortened(Formatter.format(value), longest)

const shortened = (text: string, most: number): string => text.length <= most ? text : `${text.slice(0, most)}…`

const longest = 200
