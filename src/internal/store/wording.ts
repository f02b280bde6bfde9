/** How values are shown: those of users in messages, and those that users are given. */
import * as Formatter from "effect/Formatter"
import * as Inspectable from "effect/Inspectable"
import * as Pipeable from "effect/Pipeable"

/** A value that is shown as its `toJSON` says. */
export abstract class Shown extends Pipeable.Class implements Inspectable.Inspectable {
  abstract toJSON(): unknown

  override toString(): string {
    return Formatter.format(this.toJSON(), { space: 2 })
  }

  [Inspectable.NodeInspectSymbol](): unknown {
    return this.toJSON()
  }
}

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
