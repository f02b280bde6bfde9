/**
 * What a registry holds, in registration order: a persistent B+ tree, sorted by position. Every function answers a new
 * tree that shares all but one path with the old one; `at` counts its way down, and a walk visits the leaves.
 */

export interface Positioned {
  readonly position: number
}

export type Order<A extends Positioned> = Node<A> | undefined

export type Node<A extends Positioned> = Leaf<A> | Branch<A>

/**
 * Nodes are made by constructors: a literal whose objects have lived long is allocated among the old ones by V8 from then
 * on, and what it refers to is kept until those are collected.
 */
class Leaf<A extends Positioned> {
  readonly children: undefined
  readonly entries: ReadonlyArray<A>
  readonly size: number
  readonly first: number

  constructor(entries: ReadonlyArray<A>) {
    this.children = undefined
    this.entries = entries
    this.size = entries.length
    this.first = entries[0]!.position
  }
}

class Branch<A extends Positioned> {
  readonly children: ReadonlyArray<Node<A>>
  readonly size: number
  readonly first: number

  constructor(children: ReadonlyArray<Node<A>>) {
    let size = 0
    for (let i = 0; i < children.length; i++) size += children[i]!.size
    this.children = children
    this.size = size
    this.first = children[0]!.first
  }
}

const capacity = 32

const leaf = <A extends Positioned>(entries: ReadonlyArray<A>): Leaf<A> => new Leaf(entries)

const branch = <A extends Positioned>(children: ReadonlyArray<Node<A>>): Branch<A> => new Branch(children)

const width = <A extends Positioned>(node: Node<A>): number =>
  node.children === undefined ? node.entries.length : node.children.length

/** The last index whose element starts at or before `position`, or 0. */
const childIndex = <A extends Positioned>(children: ReadonlyArray<Node<A>>, position: number): number => {
  let low = 0
  let high = children.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (children[middle]!.first <= position) low = middle
    else high = middle - 1
  }
  return low
}

/** The index of the entry at `position`, or where it belongs. */
const entryIndex = <A extends Positioned>(entries: ReadonlyArray<A>, position: number): number => {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (entries[middle]!.position < position) low = middle + 1
    else high = middle
  }
  return low
}

export const size = <A extends Positioned>(self: Order<A>): number => self === undefined ? 0 : self.size

export const get = <A extends Positioned>(self: Order<A>, position: number): A | undefined => {
  let node = self
  if (node === undefined) return undefined
  while (node.children !== undefined) node = node.children[childIndex(node.children, position)]!
  const entry = node.entries[entryIndex(node.entries, position)]
  return entry !== undefined && entry.position === position ? entry : undefined
}

/** How many entries stand before `position`. */
export const rank = <A extends Positioned>(self: Order<A>, position: number): number => {
  let node = self
  if (node === undefined) return 0
  let before = 0
  while (node.children !== undefined) {
    const children: ReadonlyArray<Node<A>> = node.children
    const index = childIndex(children, position)
    for (let i = 0; i < index; i++) before += children[i]!.size
    node = children[index]!
  }
  return before + entryIndex(node.entries, position)
}

export const at = <A extends Positioned>(self: Order<A>, index: number): A | undefined => {
  let node = self
  if (node === undefined || index < 0 || index >= node.size) return undefined
  while (node.children !== undefined) {
    let i = 0
    while (index >= node.children[i]!.size) index -= node.children[i++]!.size
    node = node.children[i]!
  }
  return node.entries[index]
}

/** Puts an entry at its position; one that is there already is replaced. */
export const set = <A extends Positioned>(self: Order<A>, entry: A): Node<A> => {
  if (self === undefined) return leaf([entry])
  const node = setIn(self, entry)
  return width(node) <= capacity ? node : branch(split(node))
}

const setIn = <A extends Positioned>(node: Node<A>, entry: A): Node<A> => {
  if (node.children === undefined) {
    const index = entryIndex(node.entries, entry.position)
    const replaces = index < node.entries.length && node.entries[index]!.position === entry.position
    const entries = node.entries.slice()
    if (replaces) entries[index] = entry
    else if (index === entries.length) entries.push(entry)
    else entries.splice(index, 0, entry)
    return leaf(entries)
  }
  const index = childIndex(node.children, entry.position)
  const child = setIn(node.children[index]!, entry)
  const children = node.children.slice()
  if (width(child) <= capacity) children[index] = child
  else children.splice(index, 1, ...split(child))
  return branch(children)
}

/** Entries come in order as a rule: what is split at the right edge stays full on the left. */
const split = <A extends Positioned>(node: Node<A>): [Node<A>, Node<A>] => {
  if (node.children === undefined) {
    const middle = node.entries.length - (capacity >>> 2)
    return [leaf(node.entries.slice(0, middle)), leaf(node.entries.slice(middle))]
  }
  const middle = node.children.length - (capacity >>> 2)
  return [branch(node.children.slice(0, middle)), branch(node.children.slice(middle))]
}

export const remove = <A extends Positioned>(self: Order<A>, position: number): Order<A> => {
  if (self === undefined) return undefined
  let node = removeIn(self, position)
  while (node !== undefined && node.children !== undefined && node.children.length === 1) node = node.children[0]
  return node
}

const removeIn = <A extends Positioned>(node: Node<A>, position: number): Order<A> => {
  if (node.children === undefined) {
    const index = entryIndex(node.entries, position)
    const entry = node.entries[index]
    if (entry === undefined || entry.position !== position) return node
    if (node.entries.length === 1) return undefined
    const entries = node.entries.slice()
    entries.splice(index, 1)
    return leaf(entries)
  }
  const index = childIndex(node.children, position)
  const before = node.children[index]!
  const child = removeIn(before, position)
  if (child === before) return node
  const children = node.children.slice()
  if (child === undefined) {
    if (children.length === 1) return undefined
    children.splice(index, 1)
    return branch(children)
  }
  children[index] = child
  const neighbour = index > 0 ? index - 1 : index
  const left = children[neighbour]!
  const right = children[neighbour + 1]
  if (right !== undefined && width(left) + width(right) <= capacity >>> 1) {
    children.splice(neighbour, 2, merge(left, right))
  }
  return branch(children)
}

/** Two neighbours are of one height. */
const merge = <A extends Positioned>(left: Node<A>, right: Node<A>): Node<A> => {
  if (left.children === undefined) {
    return right.children === undefined ? leaf(left.entries.concat(right.entries)) : right
  }
  return right.children === undefined ? left : branch(left.children.concat(right.children))
}

/** Adds entries in the order of their positions, after all others. */
export const append = <A extends Positioned>(self: Order<A>, entries: ReadonlyArray<A>): Order<A> => {
  if (entries.length === 0) return self
  let nodes = self === undefined ? inNodes(entries, leaf) : appendIn(self, entries)
  while (nodes.length > 1) nodes = inNodes(nodes, branch)
  return nodes[0]
}

/** The nodes, of one height, that take the place of the last one. */
const appendIn = <A extends Positioned>(node: Node<A>, entries: ReadonlyArray<A>): ReadonlyArray<Node<A>> => {
  if (node.children === undefined) return inNodes(node.entries.concat(entries), leaf)
  const last = node.children.length - 1
  return inNodes(node.children.slice(0, last).concat(appendIn(node.children[last]!, entries)), branch)
}

const inNodes = <A, B>(list: ReadonlyArray<A>, node: (list: ReadonlyArray<A>) => B): ReadonlyArray<B> => {
  const nodes: Array<B> = []
  for (let i = 0; i < list.length; i += capacity) nodes.push(node(list.slice(i, i + capacity)))
  return nodes
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
  node: Node<A>,
  f: (entry: A) => B,
  from: number,
  to: number,
  out: Array<B>
): void => {
  if (node.children === undefined) {
    const end = Math.min(to, node.entries.length)
    for (let i = Math.max(from, 0); i < end; i++) out.push(f(node.entries[i]!))
    return
  }
  let before = 0
  for (let i = 0; i < node.children.length && before < to; i++) {
    const child = node.children[i]!
    if (before + child.size > from) walk(child, f, from - before, to - before, out)
    before += child.size
  }
}

/** How many entries two trees have in common at the start, or at the end, as far as the nodes that they share tell. */
export const shared = <A extends Positioned>(one: Order<A>, other: Order<A>, side: "start" | "end"): number => {
  if (one === undefined || other === undefined) return 0
  if (one === other) return one.size
  const [low, high] = height(one) < height(other) ? [one, other] : [other, one]
  // a node that is higher than another has children
  if (height(low) < height(high)) return shared(low, outermost(high.children!, 0, side), side)
  if (low.children === undefined || high.children === undefined) return 0
  let count = 0
  for (let i = 0; i < Math.min(low.children.length, high.children.length); i++) {
    const child = outermost(low.children, i, side)
    if (child !== outermost(high.children, i, side)) {
      return count + shared(child, outermost(high.children, i, side), side)
    }
    count += child.size
  }
  return count
}

const height = <A extends Positioned>(node: Node<A>): number =>
  node.children === undefined ? 0 : 1 + height(node.children[0]!)

const outermost = <A extends Positioned>(children: ReadonlyArray<Node<A>>, i: number, side: "start" | "end"): Node<A> =>
  children[side === "end" ? children.length - 1 - i : i]!
