/** A record of the log of a shared registry: what one change did to its entries, by their ids. */

/** The format that this version writes, and the newest that it reads. */
export const format = 1

export interface Record {
  readonly v: number
  /** The id of the record before: a record that names another one is none. */
  readonly prev: string
  /** The session that wrote it. */
  readonly session: string
  /** The lookups of the definition that wrote it. */
  readonly lookups: string
  /** The owner that is given for what it withdraws. */
  readonly by?: string
  readonly ops: ReadonlyArray<Op>
}

/** Visible, withheld by what lies above it or by a rule, or waiting for the population after a reset. */
export type State = "visible" | "hidden" | "waiting"

/** What is kept of an entry beside its item and its place. What is absent is the usual. */
export interface Attributes {
  readonly owner?: string
  readonly session?: string
  readonly top?: boolean
  readonly population?: boolean
  readonly state?: State
  /** The owner of the last update. */
  readonly by?: string
}

export type Op =
  /** An entry comes. Its id is that of the record and the index of this. */
  | readonly ["insert", place: number, item: unknown, attributes: Attributes]
  /** Another item for an entry that stays where it is. */
  | readonly ["set", id: string, item: unknown, attributes: Attributes]
  | readonly ["put", id: string, place: number, state: State]
  | readonly ["remove", id: string]
  /** A rule comes. Its id is made as that of an entry. */
  | readonly ["rule", attribute: string, value: unknown, reason: string, by: string, session: string]
  | readonly ["unrule", id: string]
  /** The defaults of a version are in. */
  | readonly ["populated", version: number]
  | readonly ["reset"]
  /** Nobody is there any more, and nothing of what they left counts. */
  | readonly ["anew"]
  /** A session begins, of a process that reads records up to a format. */
  | readonly ["begin", session: string, format: number]
  /** A session has ended, and what it held goes. */
  | readonly ["end", session: string]
  /** What a session holds is that of another one from now on. */
  | readonly ["rebind", from: string, to: string]

const lengths: { readonly [Tag in Op[0]]: number } = {
  insert: 4,
  set: 4,
  put: 4,
  remove: 2,
  rule: 6,
  unrule: 2,
  populated: 2,
  reset: 1,
  anew: 1,
  begin: 3,
  end: 2,
  rebind: 3
}

/** A record as it was written, or what this version does not understand about it: then only its place in the chain counts. */
export const parse = (body: string): Record | { readonly prev: string; readonly unknown: string } | undefined => {
  let json: Partial<Record> | null
  try {
    json = JSON.parse(body)
  } catch {
    return undefined
  }
  if (typeof json !== "object" || json === null || typeof json.prev !== "string") return undefined
  const { ops, prev, v } = json
  if (v !== format) return { prev, unknown: `format ${String(v)}` }
  if (!Array.isArray(ops)) return { prev, unknown: "a record without operations" }
  const unknown = ops.find((op) => !Array.isArray(op) || lengths[op[0] as Op[0]] !== op.length)
  if (unknown !== undefined) return { prev, unknown: `operation ${String(unknown[0])}` }
  // the operations have the lengths that their names say, and no other version writes this format
  return json as Record
}

export const write = (record: Record): string => JSON.stringify(record)

export const idOf = (record: string, index: number): string => `${record}.${index}`
