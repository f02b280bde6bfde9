/** Why items are not in: the last refusal of each key, without the item. */
import * as Clock from "effect/Clock"
import * as Fiber from "effect/Fiber"
import { type Definition, forEachKey, takeKeys } from "../store/definition.ts"
import { isObject } from "../store/entry.ts"
import { messageOf } from "../store/wording.ts"

export interface Refusal {
  readonly _tag: "Refused" | "Skipped"
  readonly error: RefusalError
  /** In milliseconds, by the clock of the fiber. */
  readonly at: number
  /** The revision that was published then. */
  readonly revision: number
}

/**
 * What is kept of an error: the item itself is not.
 *
 * @category models
 * @since 0.2.0
 */
export interface RefusalError {
  readonly _tag: string | undefined
  readonly code: string | undefined
  readonly message: string
  /** The keys of the item that are primitives, by their lookups. */
  readonly keys: { readonly [attribute: string]: unknown }
}

/** The time in milliseconds, by the clock of a fiber. */
export const now = (fiber: Fiber.Fiber<unknown, unknown>): number => fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()

/** The newest ones, oldest first. */
export class Refusals {
  private readonly byKey = new Map<string, Refusal>()

  get(attribute: string, key: unknown): Refusal | undefined {
    return isObject(key) ? undefined : this.byKey.get(nameOf(attribute, key))
  }

  /** Keeps an error under each unique key of the item that it refused. It is called in a step of a fiber. */
  note<Item>(
    _tag: Refusal["_tag"],
    definition: Definition<Item>,
    revision: number,
    item: Item,
    cause: unknown
  ): void {
    const { byKey } = this
    const keys: { [attribute: string]: unknown } = {}
    try {
      const { _tag: tag, code } = Object(cause)
      const error = { _tag: textOf(tag), code: textOf(code), message: messageOf(cause), keys }
      const refusal: Refusal = { _tag, error, at: now(Fiber.getCurrent()!), revision }
      forEachKey(definition, takeKeys(definition, item), (key, slot) => {
        const lookup = definition.lookups[slot]
        if (lookup?.unique !== true || isObject(key)) return
        keys[lookup.attribute] = key
        const name = nameOf(lookup.attribute, key)
        byKey.delete(name)
        byKey.set(name, refusal)
      })
    } catch {
      // an item that is invalid may throw when it is asked for its keys, and an error when it is looked at
    }
    for (const name of byKey.keys()) if (byKey.size > most) byKey.delete(name)
  }
}

const textOf = (u: unknown): string | undefined => typeof u === "string" ? u : undefined

const most = 256

const nameOf = (attribute: string, key: unknown): string => `${typeof key} ${String(key)} ${attribute}`
