/** One registration: an item, its keys, its place and where it came from. */

/** Where entries come from: all that one operation put in share one. */
export class Origin {
  readonly owner: string
  /** The revision that the entry is in from. */
  readonly revision: number
  /** Whether the entry lies above all that was there: entries that share a key with it are withheld. */
  readonly onTop: boolean

  constructor(owner: string, revision: number, onTop: boolean) {
    this.owner = owner
    this.revision = revision
    this.onTop = onTop
  }
}

/**
 * One registration. A later registration of the same item is another entry.
 *
 * A class, because V8 allocates a literal among the old objects once its objects have lived long, and keeps what it refers
 * to until those are collected.
 */
export class Entry<out Item> {
  /** Later entries have higher ids, in all drafts. */
  readonly id: number
  readonly item: Item
  /** Taken when the item was registered. A change of the item does not change them. */
  readonly keys: ReadonlyArray<unknown>
  /** Entries stand in the order of their positions. An entry that replaces another has its position. */
  readonly position: number
  readonly origin: Origin

  constructor(item: Item, keys: ReadonlyArray<unknown>, origin: Origin, position?: number) {
    const id = made++
    this.id = id
    this.item = item
    this.keys = keys
    this.position = position ?? id
    this.origin = origin
  }
}

let made = 0

export const byPosition = (one: Entry<unknown>, other: Entry<unknown>): number => one.position - other.position

export const isObject = (u: unknown): u is object => typeof u === "object" ? u !== null : typeof u === "function"
