/** Which entry of the log is which entry of this process, and how items travel. */
import * as Scope from "effect/Scope"
import type { Rule } from "../features/layers.ts"
import { type Contents, current, holds } from "../store/contents.ts"
import { type Definition, type Keys, slotOf, takeKeys } from "../store/definition.ts"
import type { Entry } from "../store/entry.ts"
import { messageOf } from "../store/wording.ts"
import type { Held, HeldRule } from "./fold.ts"
import type { State } from "./record.ts"

/** How items travel. Both throw for what they cannot handle. */
export interface Codec<Item> {
  readonly encode: (item: Item) => unknown
  readonly decode: (json: unknown) => Item
}

/** An entry of the log, in this process. */
interface Known {
  readonly registration: number
  /** The record whose item the entry has. */
  readonly changed: string
}

export class Mirror<Item> {
  private readonly known = new Map<string, Known>()
  private readonly ids = new Map<number, string>()
  private readonly rules = new Map<string, Rule>()
  private readonly scopes = new Map<string, Scope.Scope>()
  /** The same, as a set. */
  private readonly elsewhere = new WeakSet<Scope.Scope>()
  /** The entries that this version cannot read, and why. */
  unreadable: ReadonlyMap<string, string> = new Map()
  private readonly definition: Definition<Item>
  readonly codec: Codec<Item>

  constructor(definition: Definition<Item>, codec: Codec<Item>) {
    this.definition = definition
    this.codec = codec
  }

  idOf(registration: number): string | undefined {
    return this.ids.get(registration)
  }

  registrationOf(id: string): number | undefined {
    return this.known.get(id)?.registration
  }

  get all(): Iterable<string> {
    return this.known.keys()
  }

  /** The scope of what a session registered in another process, or what a scope here did not claim. */
  scopeOf(session: string): Scope.Scope {
    const scope = this.scopes.get(session) ?? Scope.makeUnsafe()
    this.scopes.set(session, scope)
    this.elsewhere.add(scope)
    return scope
  }

  /** Whether a scope of this process that is open holds an entry. */
  isClaimed({ origin: { scope } }: Entry<Item>): boolean {
    return scope !== undefined && scope.state._tag !== "Closed" && !this.elsewhere.has(scope)
  }

  /** What one session held is that of another one. */
  rebind(from: string, to: string): void {
    const scope = this.scopes.get(from)
    if (scope !== undefined) this.scopes.set(to, scope)
  }

  /** Remembers an entry, and the record whose item it has. */
  know(id: string, registration: number, changed: string): void {
    this.known.set(id, { registration, changed })
    this.ids.set(registration, id)
  }

  forget(id: string): void {
    const known = this.known.get(id)
    if (known === undefined) return
    this.known.delete(id)
    this.ids.delete(known.registration)
  }

  changedBy(id: string): string | undefined {
    return this.known.get(id)?.changed
  }

  /** Of the entries that cannot be read, those that are still there. */
  keepUnreadable(isThere: (id: string) => boolean): void {
    if (this.unreadable.size === 0) return
    this.unreadable = new Map(Array.from(this.unreadable).filter(([id]) => isThere(id)))
  }

  knowRule(id: string, rule: Rule): void {
    this.rules.set(id, rule)
  }

  idOfRule(rule: Rule): string | undefined {
    for (const [id, other] of this.rules) if (other === rule) return id
    return undefined
  }

  /** The rule of the log, unless this version has no such lookup: then entries say themselves that they are withheld. */
  ruleOf(id: string, { attribute, by, reason, value }: HeldRule): Rule | undefined {
    const known = this.rules.get(id)
    if (known !== undefined) return known
    const slot = slotOf(this.definition.lookups, attribute)
    if (slot === -1) return undefined
    const { normalize } = this.definition.slots[slot]!
    const rule: Rule = { attribute, value, reason, by, slot, key: normalize === undefined ? value : normalize(value) }
    this.rules.set(id, rule)
    return rule
  }

  read(held: Held): { readonly item: Item; readonly keys: Keys } | { readonly why: string } {
    try {
      const item = this.codec.decode(held.item)
      const keys = takeKeys(this.definition, item)
      const { lookups } = this.definition
      return keys.length < lookups.length
        ? { why: `it has no ${lookups[keys.length]!.attribute}` }
        : { item, keys }
    } catch (error) {
      return { why: messageOf(error) }
    }
  }
}

/** An entry of contents, and whether it is visible. */
export interface Place<Item> {
  readonly entry: Entry<Item>
  readonly state: State
}

export const find = <Item>(contents: Contents<Item>, registration: number | undefined): Place<Item> | undefined => {
  const entry = registration === undefined ? undefined : current(contents, registration)
  if (entry === undefined) return undefined
  const state = holds(contents, entry)
    ? "visible"
    : contents.withheld?.at(entry.position) === entry
    ? "hidden"
    : "waiting"
  return { entry, state }
}
