/** The order of hooks that have names. */
import * as Parts from "../engine/parts.ts"
import { bounded, show } from "../store/wording.ts"

/** Hooks in a place, besides the places of their parts. */
export const placed = <Item, E, R>(
  hooks: Parts.Installable<Item, E, R>,
  place: Parts.Place = {}
): Parts.Installable<Item, E, R> => {
  if ((place.name ?? place.before ?? place.after) === undefined) return hooks
  const parts = Parts.partsOf(hooks).map((part) => ({ ...part, places: [{ ...place, arrange }, ...part.places ?? []] }))
  return { [Parts.TypeId]: { parts, arrange } }
}

const arrange: Parts.Arrange = (registry, parts) => {
  type P = typeof parts[number]
  const isConstrained = (part: P) =>
    parts.some((other) => asksFor(part, "before", other) || asksFor(part, "after", other))
  const arranged: Array<P> = []
  const rest = Array.from(parts)
  const waitsFor = (part: P) => rest.find((other) => asksFor(other, "before", part) || asksFor(part, "after", other))
  const isReady = (part: P) => waitsFor(part) === undefined
  while (rest.length > 0) {
    // parts without constraints keep their order, unless those of others leave none
    const free = rest.find((part) => !isConstrained(part))
    const next = rest.find((part) => (part === free || isConstrained(part)) && isReady(part)) ?? rest.find(isReady)
    if (next === undefined) {
      const path: Array<P> = []
      let part = rest[0]!
      for (; !path.includes(part); part = waitsFor(part)!) path.unshift(part)
      const circle = [part, ...path.slice(0, path.indexOf(part) + 1)].map(({ places = [] }) =>
        places.flatMap(({ name }) => name === undefined ? [] : show(name)).join("/") || "one without a name"
      )
      throw new Error(
        bounded(`Could not order the hooks of ${show(registry)}, which are in a circle: ${circle.join(" before ")}.`)
      )
    }
    arranged.push(...rest.splice(rest.indexOf(next), 1))
  }
  return Object.assign(arranged, { installed: parts })
}

/** Whether a part asks to come before, or after, another. */
const asksFor = (part: Parts.Arrangeable, constraint: "before" | "after", other: Parts.Arrangeable): boolean =>
  part.places?.some((place) =>
    other.places?.some(({ name }) => name !== undefined && [place[constraint]].flat().includes(name))
  ) === true
