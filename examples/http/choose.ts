/**
 * Content negotiation: which handler answers a client that accepts this.
 */
import { RegistrySnapshot } from "effect-registry"
import type { Handler, lookup } from "./handlers.ts"

type Snapshot = RegistrySnapshot.RegistrySnapshot<Handler, typeof lookup>

/** By the quality that the client gives it; of several that are equal, by the rank. */
export const choose = (snapshot: Snapshot, accept = "*/*"): Handler | undefined => {
  const qualities = new Map<Handler, number>()
  for (const range of rangesOf(accept)) {
    for (const one of matching(snapshot, range)) if (!qualities.has(one)) qualities.set(one, range.quality)
  }
  let best: Handler | undefined
  let highest = 0
  for (const [one, quality] of qualities) {
    if (quality > highest || best !== undefined && quality === highest && one.rank > best.rank) {
      best = one
      highest = quality
    }
  }
  return best
}

interface Range {
  readonly type: string
  readonly subtype: string
  readonly quality: number
}

/** The most specific ones first: they decide. What cannot be understood is passed over. */
const rangesOf = (accept: string): ReadonlyArray<Range> =>
  accept.split(",").flatMap((part) => {
    const [, type, subtype, parameters] = /^\s*([^\s/;]+)\/([^\s/;]+)\s*(;.*)?$/.exec(part.toLowerCase()) ?? []
    if (type === undefined || subtype === undefined) return []
    const quality = Number(/;\s*q=([\d.]+)/.exec(parameters ?? "")?.[1] ?? 1)
    return quality >= 0 && quality <= 1 ? [{ type, subtype, quality }] : []
  }).toSorted((a, b) => stars(a) - stars(b))

const stars = ({ subtype, type }: Range): number => Number(type === "*") + Number(subtype === "*")

const matching = (snapshot: Snapshot, { subtype, type }: Range): ReadonlyArray<Handler> => {
  if (type === "*") return RegistrySnapshot.values(snapshot)
  return subtype === "*"
    ? RegistrySnapshot.getAll(snapshot, "family", type)
    : RegistrySnapshot.getAll(snapshot, "mediaType", `${type}/${subtype}`)
}
