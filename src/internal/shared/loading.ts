/** Folding a log anew, from its checkpoint or from its start. */
import * as Effect from "effect/Effect"
import type { Cursor, LogError } from "../../shared/RegistryLog.ts"
import { type Contact, start } from "./contact.ts"
import { Fold } from "./fold.ts"
import { parse, type Record } from "./record.ts"

export interface Loaded {
  readonly fold: Fold
  readonly cursor: Cursor
  /** The ids of the last records. */
  readonly recent: ReadonlyArray<string>
  /** The entries that records after the checkpoint took out. */
  readonly removed: ReadonlyMap<string, "remove" | "end">
  /** The revision of the checkpoint. */
  readonly savedAt: number
  /** Whether the record that was known as the last is in it, or may be in what a checkpoint stands for. */
  readonly hasKnown: boolean
  /** What this version does not understand: the fold ends before it. */
  readonly unknown: string | undefined
  /** The records after a revision that was asked for. */
  readonly records: ReadonlyArray<readonly [id: string, Record]>
}

/** How far records are folded; those after it are answered. */
interface Until {
  readonly revision: number
}

/**
 * Folds all records, or those up to a revision. `known` is the fold that there is. Nothing, where the log is cut after that
 * revision.
 */
export const load = (contact: Contact, known: Fold, until?: Until): Effect.Effect<Loaded | undefined, LogError> =>
  loadFrom(contact, known, until, "checkpoint")

/** A checkpoint counts only if its record is in the log. Where the log is cut, there is nothing else. */
type Source = "checkpoint" | "start" | "any checkpoint"

const loadFrom = (
  contact: Contact,
  known: Fold,
  until: Until | undefined,
  source: Source
): Effect.Effect<Loaded | undefined, LogError> =>
  Effect.gen(function*() {
    const { registry } = contact
    const checkpoint = source === "start" ? undefined : yield* contact.ask((log) => log.checkpoint(registry))
    let fold = checkpoint === undefined ? new Fold() : Fold.fromCheckpoint(checkpoint.body)
    let cursor = checkpoint === undefined ? start : checkpoint.cursor
    let unknown: string | undefined
    if (fold === undefined) {
      fold = new Fold()
      unknown = "a checkpoint of a newer format"
    } else if (until !== undefined && fold.revision > until.revision) {
      if (source !== "checkpoint") return undefined
      fold = new Fold()
      cursor = start
    }
    const savedAt = fold.revision
    const recent = [fold.id]
    const removed = new Map<string, "remove" | "end">()
    const records: Array<readonly [string, Record]> = []
    let last = fold.id
    let hasKnown = known.id === fold.id || known.revision < fold.revision
    while (unknown === undefined) {
      const { head, more, records: page } = yield* contact.read(cursor)
      if (page === "truncated") {
        if (until !== undefined) return undefined
        return yield* loadFrom(contact, known, until, source === "start" ? "any checkpoint" : "checkpoint")
      }
      if (head < cursor.revision && checkpoint !== undefined && source === "checkpoint") {
        return yield* loadFrom(contact, known, until, "start")
      }
      for (const stored of page) {
        const { body, cursor: next } = stored
        const parsed = parse(body)
        if (parsed === undefined || parsed.prev !== last) {
          const isOther = parsed !== undefined && recent.length === 1 && checkpoint !== undefined
          if (isOther && source === "checkpoint") return yield* loadFrom(contact, known, until, "start")
          cursor = next
          continue
        }
        if ("unknown" in parsed) {
          unknown = parsed.unknown
          break
        }
        last = next.id
        cursor = next
        recent.push(last)
        if (last === known.id) hasKnown = true
        if (until !== undefined && fold.revision >= until.revision) records.push([last, parsed])
        else for (const [id, why] of fold.take(last, parsed).removed) removed.set(id, why)
      }
      if (!more) break
    }
    return { fold, cursor, recent, removed, savedAt, hasKnown, unknown, records }
  })
