/**
 * The entries of a registry in registration order: a persistent B+ tree, sorted by position. A change answers a new tree
 * that shares all but one path with the old one.
 */

export interface Positioned {
  readonly position: number
}

export type Order<A extends Positioned> = Node<A> | undefined

/** A leaf has entries and no nodes, a branch has nodes and no entries. A class for the reason of `Entry`. */
class Node<A extends Positioned> {
  declare readonly nodes: ReadonlyArray<Node<A>>
  declare readonly entries: ReadonlyArray<A>
  declare readonly size: number
  /** The position of the first entry. */
  declare readonly position: number

  constructor(nodes: ReadonlyArray<Node<A>>, entries: ReadonlyArray<A>) {
    let size = entries.length
    for (let i = 0; i < nodes.length; i++) size += nodes[i]!.size
    this.nodes = nodes
    this.entries = entries
    this.size = size
    this.position = (nodes.length > 0 ? nodes[0] : entries[0])!.position
  }
}

const none: ReadonlyArray<never> = []

/** How many nodes or entries a node has at most, and at least when it was split off. */
const capacity = 32
const least = 8

/** The index of the last element that starts at or before a position, or 0. */
const indexIn = (list: ReadonlyArray<Positioned>, position: number): number => {
  let low = 0
  let high = list.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (list[middle]!.position <= position) low = middle
    else high = middle - 1
  }
  return low
}

/** The index of the first entry at or after a position. */
const placeIn = (entries: ReadonlyArray<Positioned>, position: number): number => {
  const index = indexIn(entries, position)
  return entries[index]!.position < position ? index + 1 : index
}

export const size = <A extends Positioned>(self: Order<A>): number => self === undefined ? 0 : self.size

export const get = <A extends Positioned>(self: Order<A>, position: number): A | undefined => {
  let node = self
  if (node === undefined) return undefined
  while (node.nodes.length > 0) node = node.nodes[indexIn(node.nodes, position)]!
  const entry = node.entries[indexIn(node.entries, position)]!
  return entry.position === position ? entry : undefined
}

/** How many entries stand before a position. */
export const rank = <A extends Positioned>(self: Order<A>, position: number): number => {
  if (self === undefined) return 0
  const { entries, nodes } = self
  if (nodes.length === 0) return placeIn(entries, position)
  const index = indexIn(nodes, position)
  let before = 0
  for (let i = 0; i < index; i++) before += nodes[i]!.size
  return before + rank(nodes[index], position)
}

export const at = <A extends Positioned>(self: Order<A>, index: number): A | undefined => {
  if (self === undefined || index < 0 || index >= self.size) return undefined
  let i = 0
  while (i < self.nodes.length && index >= self.nodes[i]!.size) index -= self.nodes[i++]!.size
  return self.nodes.length > 0 ? at(self.nodes[i], index) : self.entries[index]
}

/** Puts an entry at its position. It replaces one that is there. */
export const set = <A extends Positioned>(self: Order<A>, entry: A): Order<A> => splice(self, entry.position, [entry])

export const remove = <A extends Positioned>(self: Order<A>, position: number): Order<A> => splice(self, position, none)

/** Adds entries in the order of their positions, after all others. */
export const append = <A extends Positioned>(self: Order<A>, entries: ReadonlyArray<A>): Order<A> =>
  entries.length === 0 ? self : splice(self, entries[0]!.position, entries)

/** Replaces the entry at a position, or puts entries where it would be. */
const splice = <A extends Positioned>(self: Order<A>, position: number, entries: ReadonlyArray<A>): Order<A> => {
  let node = self === undefined ? nodeOf(none, entries) : spliceIn(self, position, entries)
  while (node !== undefined && width(node) > capacity) node = new Node(split(node), none)
  while (node?.nodes.length === 1) node = node.nodes[0]
  return node
}

/** Answers a node of the same height. It may be too wide. */
const spliceIn = <A extends Positioned>(node: Node<A>, position: number, entries: ReadonlyArray<A>): Order<A> => {
  if (node.nodes.length === 0) {
    const index = placeIn(node.entries, position)
    const removed = node.entries[index]?.position === position ? 1 : 0
    return removed + entries.length === 0 ? node : nodeOf(none, spliced(node.entries, index, removed, entries))
  }
  const index = indexIn(node.nodes, position)
  const child = node.nodes[index]!
  const changed = spliceIn(child, position, entries)
  if (changed === child) return node
  const nodes = changed !== undefined && width(changed) <= capacity
    ? replaced(node.nodes, index, changed)
    : spliced(node.nodes, index, 1, changed === undefined ? none : split(changed))
  if (entries.length > 0) return new Node(nodes, none)
  const start = Math.max(index - 1, 0)
  const left = nodes[start]
  const right = nodes[start + 1]
  if (left !== undefined && right !== undefined && width(left) + width(right) <= capacity >>> 1) {
    nodes.splice(start, 2, new Node(left.nodes.concat(right.nodes), left.entries.concat(right.entries)))
  }
  return nodeOf(nodes, none)
}

const nodeOf = <A extends Positioned>(nodes: ReadonlyArray<Node<A>>, entries: ReadonlyArray<A>): Order<A> =>
  nodes.length + entries.length === 0 ? undefined : new Node(nodes, entries)

const width = <A extends Positioned>({ entries, nodes }: Node<A>): number => nodes.length + entries.length

/** Splits a node that is too wide. Most entries come at the right edge, so that nodes on the left are left full. */
const split = <A extends Positioned>(node: Node<A>): ReadonlyArray<Node<A>> => {
  const nodes: Array<Node<A>> = []
  const end = width(node)
  for (let from = 0, to = 0; from < end; from = to) {
    to = end - from > capacity && end - from < capacity + least ? end - least : from + capacity
    nodes.push(new Node(node.nodes.slice(from, to), node.entries.slice(from, to)))
  }
  return nodes
}

const spliced = <A>(list: ReadonlyArray<A>, index: number, removed: number, added: ReadonlyArray<A>): Array<A> => {
  // `concat` is slow for short lists, and a call cannot have many arguments
  if (added.length > 1) return list.slice(0, index).concat(added, list.slice(index + removed))
  if (added.length === 0) return list.toSpliced(index, removed)
  return removed === 0 ? list.toSpliced(index, 0, added[0]!) : replaced(list, index, added[0]!)
}

/** `with` is slower. */
const replaced = <A>(list: ReadonlyArray<A>, index: number, a: A): Array<A> => {
  const copy = list.slice()
  copy[index] = a
  return copy
}

/** What `f` answers for each entry from an index on, up to another one. */
export const toArray = <A extends Positioned, B>(
  self: Order<A>,
  f: (entry: A) => B,
  from = 0,
  to = size(self)
): Array<B> => {
  const out: Array<B> = []
  if (self !== undefined) walk(self, f, from, to, out)
  return out
}

const walk = <A extends Positioned, B>(
  { entries, nodes }: Node<A>,
  f: (entry: A) => B,
  from: number,
  to: number,
  out: Array<B>
): void => {
  const end = Math.min(to, entries.length)
  for (let i = Math.max(from, 0); i < end; i++) out.push(f(entries[i]!))
  for (const node of nodes) {
    if (from < node.size && to > 0) walk(node, f, from, to, out)
    from -= node.size
    to -= node.size
  }
}

/** How many entries two trees have in common at the start, or at the end, as far as the nodes that they share tell. */
export const shared = <A extends Positioned>(one: Order<A>, other: Order<A>, side: "start" | "end"): number => {
  if (one === undefined || other === undefined) return 0
  if (one === other) return one.size
  const difference = height(one) - height(other)
  if (difference > 0) return shared(outermost(one, 0, side), other, side)
  if (difference < 0) return shared(one, outermost(other, 0, side), side)
  let count = 0
  for (let i = 0; i < Math.min(one.nodes.length, other.nodes.length); i++) {
    const a = outermost(one, i, side)
    const b = outermost(other, i, side)
    if (a !== b) return count + shared(a, b, side)
    count += a?.size ?? 0
  }
  return count
}

const height = <A extends Positioned>(node: Order<A>): number => node === undefined ? 0 : 1 + height(node.nodes[0])

const outermost = <A extends Positioned>({ nodes }: Node<A>, i: number, side: "start" | "end"): Order<A> =>
  nodes[side === "end" ? nodes.length - 1 - i : i]

/** The entries of one tree that are not in another, and the other way round. What both share is not walked. */
export const difference = <A extends Positioned>(
  one: Order<A>,
  other: Order<A>
): readonly [ofOne: ReadonlyArray<A>, ofOther: ReadonlyArray<A>] => {
  const out: [Array<A>, Array<A>] = [[], []]
  // what is left of each, the next last
  const rests: [Rest<A>, Rest<A>] = [one === undefined ? [] : [one], other === undefined ? [] : [other]]
  for (;;) {
    const [a, b] = [rests[0].at(-1), rests[1].at(-1)]
    if (a === undefined && b === undefined) return out
    if (a === b) {
      rests[0].pop()
      rests[1].pop()
      continue
    }
    const side = b === undefined || a !== undefined && comesFirst(a, b) ? 0 : 1
    const next = rests[side].pop()!
    if (next instanceof Node) {
      for (const part of next.nodes.length > 0 ? next.nodes.toReversed() : next.entries.toReversed()) {
        rests[side].push(part)
      }
    } else out[side].push(next)
  }
}

type Rest<A extends Positioned> = Array<Node<A> | A>

/** Whether a part is to be taken apart, or is over, before another: of two at one place the higher node. */
const comesFirst = <A extends Positioned>(one: Node<A> | A, other: Node<A> | A): boolean => {
  if (one.position !== other.position) return one.position < other.position
  const [a, b] = [one, other].map((part) => part instanceof Node ? height(part) : 0)
  return a! >= b!
}
