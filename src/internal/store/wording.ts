/**
 * How values are shown: those that users are given, and those of users in messages. A message is one line of bounded length,
 * without secrets, functions and control characters.
 */
import * as Formatter from "effect/Formatter"
import * as Inspectable from "effect/Inspectable"
import * as Pipeable from "effect/Pipeable"
import { CopyKey, here } from "../copy.ts"

/** A value that is shown as its `toJSON` says. */
export abstract class Shown extends Pipeable.Class implements Inspectable.Inspectable {
  abstract toJSON(): unknown

  get [CopyKey]() {
    return here
  }

  override toString(): string {
    return Formatter.format(this.toJSON(), { space: 2 })
  }

  [Inspectable.NodeInspectSymbol](): unknown {
    return this.toJSON()
  }
}

/** A message, or a part of one, as it may stand in a line of a log. */
export const bounded = (text: string, most = 400): string => {
  const line = escaped(text.slice(0, 2 * most))
  return line.length <= most ? line : `${line.slice(0, most - 1).replace(/[\ud800-\udbff]$/, "")}…`
}

/** Escapes control characters, line breaks, what reverses the direction of a text, and halves of characters. */
const escaped = (text: string): string =>
  text.replace(
    // joiners are parts of words
    /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`
  )

/** What somebody else says, as the last part of a message. */
export const remark = (text: string): string => bounded(text.slice(0, 1_000).replace(/\s+/g, " "))

/** A proxy may throw. */
export const isError = (u: unknown): u is Error => {
  try {
    return u instanceof Error
  } catch {
    return false
  }
}

/** What an error from elsewhere says, as the last part of another message. */
export const messageOf = (cause: unknown): string => {
  try {
    const { _tag, message, name } = Object(cause)
    const said = [message, _tag, isError(cause) && name].find((text) => typeof text === "string" && text !== "")
    if (said !== undefined) return remark(said)
  } catch {
    // its getters may throw
  }
  return showItem(cause)
}

/** The most characters of a value. */
const longest = 80

/** A value, without what is inside of its properties. A string is in quotes. */
export const show = (value: unknown): string => shown(value, (object) => JSON.stringify(object, flat))

const flat = (key: string, part: unknown): unknown => {
  if (typeof part === "bigint") return `${part}n`
  return key !== "" && typeof part === "object" && part !== null ? "…" : part
}

/** An item. An object is shown by the names of its properties, because their values may be secrets. */
export const showItem = (item: unknown): string => shown(item, (object) => `{${Object.keys(object)}}`)

const shown = (value: unknown, textOf: (object: object) => string): string => {
  try {
    if (typeof value === "string") {
      const text = escaped(JSON.stringify(value.slice(0, longest)))
      return text.length <= longest ? text : `${bounded(text.slice(0, -1), longest - 1)}"`
    }
    if (typeof value === "function") return bounded(`[Function ${value.name}]`.replace(" ]", "]"), longest)
    if (typeof value !== "object" || value === null) return bounded(String(value), longest)
    const name = value.constructor?.name ?? ""
    const text = ArrayBuffer.isView(value) ? `(${value.byteLength})` : textOf(value)
    return bounded(/^(?:Object|Array|)$/.test(name) ? text : `${name} ${text}`, longest)
  } catch {
    // it is a proxy, or has a getter that throws
    return `[${typeof value}]`
  }
}

/** A value for a console, JSON or a span: text needs no quotes there. */
export const plain = (value: unknown): unknown => {
  if (typeof value === "string") return bounded(value)
  return typeof value === "number" || typeof value === "boolean" ? value : show(value)
}
