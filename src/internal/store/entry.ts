/** One version of a registration: an item, its keys, its place and where it came from. */
import type * as Scope from "effect/Scope"

/** Where a registration comes from: all that one operation put in share one. */
export class Origin {
  readonly owner: string
  /** The revision that the registration is in from. */
  readonly revision: number
  /** Whether the entry lies above all others, but later ones that do, too: those that share a key with it are withheld. */
  readonly onTop: boolean
  /** The scope that removes the registration when it closes. */
  readonly scope: Scope.Scope | undefined
  /** The last update. */
  readonly updated: Updated | undefined
  /** The population that put the registration in, if one did. */
  readonly population: Population | undefined

  constructor(
    owner: string,
    revision: number,
    onTop = false,
    scope?: Scope.Scope,
    updated?: Updated,
    population?: Population
  ) {
    this.owner = owner
    this.revision = revision
    this.onTop = onTop
    this.scope = scope
    this.updated = updated
    this.population = population
  }

  /** Of what an operation with this origin puts on top. */
  get above(): Origin {
    return new Origin(this.owner, this.revision, true, this.scope)
  }

  /** Of an entry that comes back. */
  backAt(revision: number): Origin {
    return new Origin(this.owner, revision, this.onTop, this.scope, this.updated, this.population)
  }

  /** Of an entry whose item an operation with another origin changes: the registration stays that of its owner. */
  updatedBy({ owner, population = byHand, revision }: Origin): Origin {
    const { population: first } = this
    return new Origin(this.owner, this.revision, this.onTop, this.scope, { by: owner, revision }, first && population)
  }

  /** Of an entry whose registration an operation with another origin takes over. */
  takenOverBy({ owner, revision, scope }: Origin): Origin {
    return new Origin(owner, this.revision, this.onTop, scope, { by: owner, revision })
  }
}

/** A run of the defaults. */
export interface Population {
  /** The scope of what they acquired for the items of the run. */
  readonly scope: Scope.Scope | undefined
}

/** Of an item that was put in the place of a default. */
const byHand: Population = { scope: undefined }

interface Updated {
  readonly revision: number
  readonly by: string
}

/**
 * A registration with its current item. An update makes another entry of the same registration; a later registration of the
 * same item is another one.
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
  /** The id of the first entry of the registration. */
  readonly registration: number
  /** Entries stand in the order of their positions. No two that are in, or wait, have the same one. */
  readonly position: number
  readonly origin: Origin

  constructor(
    item: Item,
    keys: ReadonlyArray<unknown>,
    origin: Origin,
    { position, registration }: { readonly position?: number | undefined; readonly registration?: number | undefined } =
      {}
  ) {
    const id = made++
    this.id = id
    this.item = item
    this.keys = keys
    this.registration = registration ?? id
    this.position = position ?? id
    this.origin = origin
  }
}

let made = 0

/** A position after those of all entries that were made before. */
export const lastPosition = (): number => made++

/** Entries that are made from now on come after a position that another process gave. */
export const makeFrom = (position: number): void => {
  if (position > made) made = Math.ceil(position)
}

export const byPosition = (one: Entry<unknown>, other: Entry<unknown>): number => one.position - other.position

/** Whether an entry hides another one, if they share a key. */
export const liesAbove = (one: Entry<unknown>, other: Entry<unknown>): boolean =>
  one.origin.onTop && (!other.origin.onTop || one.registration > other.registration)

/** Whether two items are one: the same object, or the same primitive. */
export const isSame = (one: unknown, other: unknown): boolean =>
  one === other || Number.isNaN(one) && Number.isNaN(other)

export const isObject = (u: unknown): u is object => typeof u === "object" ? u !== null : typeof u === "function"
