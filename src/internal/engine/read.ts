/** Reading: a fiber sees the draft of its transaction, or the published contents. No reader takes a lock. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import type * as Exit from "effect/Exit"
import type * as Contents from "../store/contents.ts"
import { contentsOf, type Core, Transaction } from "./core.ts"
import { innermost } from "./current.ts"
import type { WaitNode } from "./waiting.ts"

/** The innermost transaction of a registry that has not ended, seen from a node. */
export const openIn = <Item, P, V>(
  node: WaitNode | undefined,
  core: Core<Item, P, V>
): Transaction<Item, P, V> | undefined => {
  for (; node !== undefined; node = node.outer) {
    if (node instanceof Transaction && node.core === core && node.state !== "closed") return node
  }
  return undefined
}

/** The transaction of a registry that a fiber is in. */
export const current = <Item, P, V>(
  core: Core<Item, P, V>,
  context: Context.Context<never>
): Transaction<Item, P, V> | undefined =>
  // where nobody holds the lock no transaction of the registry is open, so the fiber is in none
  core.lock.holder === undefined ? undefined : openIn(innermost(context), core)

/**
 * Answers a question, of up to two parts, from the contents that the fiber sees, in one step with looking at them: the
 * draft of its transaction, or what is published. Contents that are `Pending` are populated first.
 */
export const read: {
  <Item, P, V, A, E>(core: Core<Item, P, V>, answer: Answer<Item, void, void, A, E>): Effect.Effect<A, E | P>
  <Item, P, V, A, E, X, Y>(
    core: Core<Item, P, V>,
    answer: Answer<Item, X, Y, A, E>,
    x: X,
    y: Y
  ): Effect.Effect<A, E | P>
} = <Item, P, V, A, E, X, Y>(
  core: Core<Item, P, V>,
  answer: Answer<Item, X | undefined, Y | undefined, A, E>,
  x?: X,
  y?: Y
): Effect.Effect<A, E | P> => new Read(core, answer, x, y)

type Answer<Item, X, Y, A, E> = (
  contents: Contents.Contents<Item>,
  x: X,
  y: Y,
  transaction?: Transaction<Item>
) => Exit.Exit<A, E>

/** One object for each question, and no closure: reading is the hottest path of a registry. */
class Read<Item, P, V, A, E, X, Y> extends Effectable.Class<A, E | P> {
  declare private readonly core: Core<Item, P, V>
  declare private readonly answer: Answer<Item, X, Y, A, E>
  declare private readonly x: X
  declare private readonly y: Y

  constructor(core: Core<Item, P, V>, answer: Answer<Item, X, Y, A, E>, x: X, y: Y) {
    super()
    this.core = core
    this.answer = answer
    this.x = x
    this.y = y
  }

  asEffect(): Effect.Effect<A, E | P> {
    const { core } = this
    const contents = contentsOf(core)
    // where nobody holds the lock no transaction is open, so the fiber is in none: its context need not be looked at
    if (core.lock.holder === undefined && contents.populated) return this.answer(contents, this.x, this.y)
    return Effect.withFiber((fiber) => {
      const transaction = current(core, fiber.context)
      const seen = transaction === undefined ? contentsOf(core) : transaction.draft
      if (transaction !== undefined) transaction.outermost.looked = true
      return seen.populated || transaction?.ready === true || transaction?.state === "undoing"
        ? this.answer(seen, this.x, this.y, transaction)
        : Effect.flatMap(core.populate, () => this)
    })
  }
}

/**
 * Uses the published contents in the step that looks at them. A `Pending` registry is populated first, unless the fiber is
 * in a transaction of it.
 */
export const readPublished = <Item, P, V, A, E, R>(
  core: Core<Item, P, V>,
  f: (contents: Contents.Contents<Item>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | P, R> =>
  Effect.withFiber((fiber) => {
    const contents = contentsOf(core)
    return contents.populated || current(core, fiber.context) !== undefined
      ? f(contents)
      : Effect.flatMap(core.populate, () => readPublished(core, f))
  })
