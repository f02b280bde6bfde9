/** What a log of a shared registry says, read as plain data by other code than that of the library. */
import { Effect } from "effect"
import { RegistryLog } from "effect-registry/shared"

type Json = any

export interface Said {
  readonly entries: ReadonlyMap<
    string,
    { readonly item: Json; readonly place: number; readonly state: string; readonly session: string }
  >
  readonly populated: boolean
  readonly sessions: ReadonlySet<string>
  readonly rules: number
  readonly problems: ReadonlyArray<string>
  /** The ids of the records, in their order. */
  readonly ids: ReadonlyArray<string>
  /** The records, as a person reads them. */
  readonly trace: ReadonlyArray<string>
}

/** Replays all records: each must name the last one, no key may be there twice, and nothing outlives its session. */
export const replay = (log: RegistryLog.RegistryLog["Service"], registry: string, keys: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { records } = yield* log.read(registry, { revision: 0, id: "", token: "" }, 1_000_000)
    if (records === "truncated") return yield* Effect.die("the oracle needs all of the log")
    return said(records, keys)
  })

const said = (records: ReadonlyArray<RegistryLog.Stored>, keys: ReadonlyArray<string>): Said => {
  const entries = new Map<string, { item: Json; place: number; state: string; session: string }>()
  const sessions = new Set<string>()
  const over = new Set<string>()
  const rules = new Map<string, string>()
  const problems: Array<string> = []
  const ids: Array<string> = []
  const trace: Array<string> = []
  let populated = false
  let last = ""
  for (const { body, cursor } of records) {
    const { ops, prev, session: writer } = JSON.parse(body)
    // an engine may take two for one place: only the first counts
    if (prev !== last) continue
    last = cursor.id
    ids.push(cursor.id)
    trace.push(`${cursor.id.slice(0, 8)} ${writer.slice(0, 8)} ${JSON.stringify(ops)}`)
    ops.forEach((op: Json, i: number) => {
      const id = `${cursor.id}.${i}`
      const [tag, one, two, three] = op
      const entry = entries.get(one)
      if (tag === "insert") {
        entries.set(id, { place: one, item: two, state: three.state ?? "visible", session: three.session ?? "" })
      } else if (tag === "set" && entry) {
        entries.set(one, { ...entry, item: two, state: three.state ?? "visible", session: three.session ?? "" })
      } else if (tag === "put" && entry) entries.set(one, { ...entry, place: two, state: three })
      else if (tag === "remove") {
        if (!entries.delete(one)) problems.push(`${cursor.id} removes ${one}, which is not there`)
      } else if (tag === "rule") rules.set(id, op[5])
      else if (tag === "unrule") rules.delete(one)
      else if (tag === "populated") populated = true
      else if (tag === "reset") {
        populated = false
        for (const [other, held] of entries) {
          if (held.session === "") entries.delete(other)
          else entries.set(other, { ...held, state: "waiting" })
        }
      } else if (tag === "anew") {
        populated = false
        entries.clear()
        rules.clear()
        for (const session of sessions) over.add(session)
        sessions.clear()
      } else if (tag === "begin") sessions.add(one)
      else if (tag === "end" || tag === "rebind") {
        if (!sessions.delete(one)) return
        over.add(one)
        if (tag === "rebind") sessions.add(two)
        for (const [other, held] of entries) {
          if (held.session !== one) continue
          if (tag === "end") entries.delete(other)
          else entries.set(other, { ...held, session: two })
        }
        for (const [other, session] of rules) {
          if (session !== one) continue
          if (tag === "end") rules.delete(other)
          else rules.set(other, two)
        }
      } else problems.push(`${cursor.id} has ${JSON.stringify(op)} for what is not there`)
    })
    const taken = new Map<string, string>()
    const places = new Set<number>()
    for (const [id, { item, place, session: own, state }] of entries) {
      if (places.has(place)) problems.push(`${cursor.id}: two entries are at ${place}`)
      places.add(place)
      if (own !== "" && !sessions.has(own)) problems.push(`${cursor.id}: ${id} is of a session that is not there`)
      if (state !== "visible") continue
      for (const key of keys) {
        if (item[key] === undefined) continue
        const name = `${key}=${item[key]}`
        if (taken.has(name)) problems.push(`${cursor.id}: ${name} is there twice`)
        taken.set(name, id)
      }
    }
  }
  return { entries, populated, sessions, rules: rules.size, problems, ids, trace }
}

/** All of it, in order. */
export const dumpOf = ({ entries }: Said): string =>
  Array.from(entries.values()).toSorted((one, other) => one.place - other.place)
    .map(({ item, place, state }) => `${place} ${state} ${textOf(item)}`).join("\n")

/** An item as text, in whatever order its fields are. */
export const textOf = (item: object): string =>
  JSON.stringify(Object.entries(item).toSorted(([one], [other]) => one < other ? -1 : 1))
