/** What all errors of registries have, and how their messages show what comes from outside. */
import * as Formatter from "effect/Formatter"
import * as Schema from "effect/Schema"

/**
 * The fields of an error of a registry. They come from a function, so that bundlers see that a class that nobody uses
 * does nothing.
 */
export const withCommon = <Fields extends Schema.Struct.Fields>(fields: () => Fields) => ({
  /** The name of the registry. */
  registry: Schema.String,
  /** The text that replaces the usual message, from `options.messages` of the registry. */
  text: Schema.optionalKey(Schema.String),
  ...fields()
})

/** What went wrong elsewhere, as a part of a message. */
export const messageOf = (cause: unknown): string => {
  try {
    if (cause instanceof Error && typeof cause.message === "string" && cause.message !== "") {
      return shortened(cause.message, 5 * longest)
    }
  } catch {
    // whatever it is, it has no message
  }
  return show(cause)
}

/** Items come from outside: whatever they are, a message is readable and of bounded length. */
export const show = (value: unknown): string => shortened(Formatter.format(value), longest)

const shortened = (text: string, most: number): string => text.length <= most ? text : `${text.slice(0, most)}…`

const longest = 200
