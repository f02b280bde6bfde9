/** Why an item is there, or is not. */
import * as Effect from "effect/Effect"
import { contentsOf, type Core } from "../engine/core.ts"
import { current } from "../engine/read.ts"
import type { Explanation } from "../model.ts"
import { indexOf, notFound } from "../operations/find.ts"
import type { Contents } from "../store/contents.ts"
import { above, under, withheldBy } from "./layers.ts"

export const explain = <Item, P, V>(
  core: Core<Item, P, V>,
  attribute: string,
  value: unknown
): Effect.Effect<Explanation<Item>> =>
  Effect.withFiber((fiber) => {
    const transaction = current(core, fiber.context)
    const contents = transaction?.draft ?? contentsOf(core)
    const explained = explanationOf(contents, attribute, value)
    if (contents.populated || transaction?.ready === true) return Effect.succeed(explained)
    const cause = core.populationFailure
    return Effect.succeed<Explanation<Item>>(
      cause === undefined ? { _tag: "Pending" } : { _tag: "PopulationFailed", cause }
    )
  })

const explanationOf = <Item>(contents: Contents<Item>, attribute: string, value: unknown): Explanation<Item> => {
  const entry = indexOf(contents, attribute, value, true).get(value)
  if (entry !== undefined) {
    const { item, origin: { owner, revision, updated } } = entry
    return { _tag: "Present", item, owner, revision, updated, hides: under(contents, entry).map((one) => one.item) }
  }
  const [hidden] = withheldBy(contents, attribute, value)
  const by = hidden && above(contents, hidden)
  return hidden === undefined || by === undefined
    ? { _tag: "Absent", suggestions: notFound(contents, attribute, value).suggestions }
    : { _tag: "Hidden", item: hidden.item, by: by.item }
}
