/** The contents of a shared registry as plain data: a fold over the records of its log. */
import { type Attributes, idOf, type Op, type Record, type State } from "./record.ts"

/** An entry, as the log has it. */
export interface Held {
  /** The record that changed its item last. */
  readonly changed: string
  readonly place: number
  /** Entries that were made later have higher ones: an override lies above all that were made before. */
  readonly made: number
  readonly state: State
  /** As it was written: a version that knows less of it keeps it whole. */
  readonly item: unknown
  readonly owner: string
  readonly session: string | undefined
  readonly top: boolean
  readonly population: boolean
  /** The revision that it is in from. */
  readonly revision: number
  readonly updated: { readonly revision: number; readonly by: string } | undefined
}

export interface HeldRule {
  readonly attribute: string
  readonly value: unknown
  readonly reason: string
  readonly by: string
  readonly session: string | undefined
}

/** What a record changed, and how to take it back. */
export interface Folded {
  readonly ids: ReadonlySet<string>
  /** The entries that went, and whether the end of their session took them out. */
  readonly removed: ReadonlyMap<string, "remove" | "end">
  readonly rules: boolean
  readonly reset: boolean
  readonly revert: () => void
}

export class Fold {
  /** The id of the last record. */
  id = ""
  /** How many records there are. */
  revision = 0
  populated = false
  /** Of the defaults that are in. */
  version = 0
  private made = 0
  readonly entries = new Map<string, Held>()
  /** Oldest first. */
  readonly rules = new Map<string, HeldRule>()
  /** The sessions that have begun and not ended, and the newest format that each reads. */
  readonly sessions = new Map<string, number>()

  /** Takes the next record. */
  take(id: string, { ops }: Record): Folded {
    const ids = new Set<string>()
    const removed = new Map<string, "remove" | "end">()
    const { made, populated, revision, version } = this
    const last = this.id
    const undoing: Array<() => void> = []
    const rules = new Map(this.rules)
    const sessions = new Map(this.sessions)
    const set = (one: string, held: Held | undefined) => {
      const before = this.entries.get(one)
      undoing.push(() => before === undefined ? this.entries.delete(one) : this.entries.set(one, before))
      ids.add(one)
      if (held === undefined) this.entries.delete(one)
      else this.entries.set(one, held)
    }
    const remove = (one: string, why: "remove" | "end") => {
      if (!this.entries.has(one)) return
      removed.set(one, why)
      set(one, undefined)
    }
    this.id = id
    this.revision++
    ops.forEach((op, index) => this.apply(op, idOf(id, index), { set, remove, record: id }))
    return {
      ids,
      removed,
      rules: rules.size !== this.rules.size || Array.from(rules.keys()).some((one) => !this.rules.has(one)),
      reset: ops.some(([tag]) => tag === "reset" || tag === "anew"),
      revert: () => {
        for (const undo of undoing.toReversed()) undo()
        Object.assign(this, { id: last, made, populated, revision, version })
        refill(this.rules, rules)
        refill(this.sessions, sessions)
      }
    }
  }

  private apply(
    op: Op,
    id: string,
    { record, remove, set }: {
      readonly record: string
      readonly set: (id: string, held: Held | undefined) => void
      readonly remove: (id: string, why: "remove" | "end") => void
    }
  ): void {
    switch (op[0]) {
      case "insert": {
        const [, place, item, attributes] = op
        set(id, { ...heldOf(record, item, attributes, this.revision), place, made: this.made++, updated: undefined })
        return
      }
      case "set": {
        const [, one, item, attributes] = op
        const held = this.entries.get(one)
        if (held === undefined) return
        const { revision } = this
        set(one, {
          ...heldOf(record, item, attributes, held.revision),
          place: held.place,
          made: held.made,
          updated: { revision, by: attributes.by ?? "" }
        })
        return
      }
      case "put": {
        const [, one, place, state] = op
        const held = this.entries.get(one)
        if (held === undefined) return
        const revision = held.state === "waiting" && state !== "waiting" ? this.revision : held.revision
        set(one, { ...held, place, state, revision })
        return
      }
      case "remove":
        return remove(op[1], "remove")
      case "rule": {
        const [, attribute, value, reason, by, session] = op
        this.rules.set(id, { attribute, value, reason, by, session: session === "" ? undefined : session })
        return
      }
      case "unrule":
        this.rules.delete(op[1])
        return
      case "populated":
        this.populated = true
        this.version = op[1]
        return
      case "reset":
        this.populated = false
        for (const [one, held] of this.entries) {
          if (held.session === undefined) remove(one, "remove")
          else set(one, { ...held, state: "waiting" })
        }
        return
      case "anew":
        this.populated = false
        this.version = 0
        for (const one of this.entries.keys()) remove(one, "end")
        this.rules.clear()
        this.sessions.clear()
        return
      case "begin":
        this.sessions.set(op[1], op[2])
        return
      case "end":
        this.sessions.delete(op[1])
        for (const [one, { session }] of this.entries) if (session === op[1]) remove(one, "end")
        for (const [one, { session }] of this.rules) if (session === op[1]) this.rules.delete(one)
        return
      case "rebind": {
        const [, from, to] = op
        const reads = this.sessions.get(from)
        if (reads === undefined) return
        this.sessions.delete(from)
        this.sessions.set(to, reads)
        for (const [one, held] of this.entries) if (held.session === from) set(one, { ...held, session: to })
        for (const [one, rule] of this.rules) if (rule.session === from) this.rules.set(one, { ...rule, session: to })
      }
    }
  }

  /** All of it, as text: the records after it give what all records give. */
  toCheckpoint(): string {
    const { id, made, populated, revision, version } = this
    const entries = Array.from(this.entries).toSorted(([, one], [, other]) => one.made - other.made)
    return JSON.stringify({
      v: 1,
      id,
      revision,
      populated,
      version,
      made,
      entries,
      rules: Array.from(this.rules),
      sessions: Array.from(this.sessions)
    })
  }

  /** Nothing for a checkpoint of a format that this version does not read. */
  static fromCheckpoint(body: string): Fold | undefined {
    const { entries, id, made, populated, revision, rules, sessions, v, version } = JSON.parse(body)
    if (v !== 1) return undefined
    const fold = new Fold()
    Object.assign(fold, { id, made, populated, revision, version })
    refill(fold.entries, entries)
    refill(fold.rules, rules)
    refill(fold.sessions, sessions)
    return fold
  }

  /** Its entries, in the order of their making. */
  get inOrderOfMaking(): ReadonlyArray<string> {
    return Array.from(this.entries).toSorted(([, one], [, other]) => one.made - other.made).map(([id]) => id)
  }
}

const heldOf = (
  record: string,
  item: unknown,
  { owner = "", population = false, session, state = "visible", top = false }: Attributes,
  revision: number
): Omit<Held, "place" | "made" | "updated"> => ({
  changed: record,
  item,
  owner,
  session,
  top,
  population,
  state,
  revision
})

const refill = <K, V>(map: Map<K, V>, entries: Iterable<readonly [K, V]>): void => {
  const all = Array.from(entries)
  map.clear()
  for (const [key, value] of all) map.set(key, value)
}
