/** Writing one record: until the log says whether it is in. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Cursor, LogError, Stored } from "../../shared/RegistryLog.ts"
import type { Contact } from "./contact.ts"
import { format, parse, write } from "./record.ts"

export type Outcome =
  | { readonly _tag: "Written"; readonly cursor: Cursor }
  /** Others were first. */
  | { readonly _tag: "Taken"; readonly records: ReadonlyArray<Stored> }
  | { readonly _tag: "Failed"; readonly code: "store" | "unknown_outcome"; readonly cause: unknown }

type Slot = Exclude<Outcome, { readonly _tag: "Written" }> | { readonly _tag: "Found"; readonly cursor: Cursor }

interface Writing {
  readonly after: Cursor
  /** The id of the record that it names as the one before. */
  readonly prev: string
  readonly id: string
  readonly body: string
  readonly session: string
  /** When patience is over, in milliseconds. */
  readonly deadline: number
}

const firstWait = 20
const longestWait = 1_000

/** Tries until the log answers, or patience is over. The same record at the same place is one, however often it is sent. */
export const append = (contact: Contact, writing: Writing): Effect.Effect<Outcome> =>
  Effect.gen(function*() {
    const { after, body, deadline, id } = writing
    let cause: unknown
    let isUnknown = false
    for (let wait = firstWait;; wait = Math.min(wait * 2, longestWait)) {
      const left = deadline - (yield* Clock.currentTimeMillis)
      if (left <= 0) return { _tag: "Failed", code: isUnknown ? "unknown_outcome" : "store", cause } as const
      const asked = yield* Effect.result(contact.ask((log) => log.append(contact.registry, after, { id, body }), left))
      if (asked._tag === "Success") {
        const cursor = asked.success
        // nothing can lie between
        if (cursor?.revision === after.revision + 1 && !isUnknown) return { _tag: "Written", cursor } as const
        const slot = yield* Effect.result(readSlot(contact, writing))
        if (slot._tag === "Success") {
          if (slot.success._tag !== "Found") return slot.success
          const { cursor: found } = slot.success
          const isSure = cursor !== undefined && !isUnknown || (yield* confirm(contact, writing, found))
          return isSure
            ? { _tag: "Written", cursor: found } as const
            : { _tag: "Failed", code: "unknown_outcome", cause } as const
        }
        isUnknown = true
        cause = slot.failure.cause
      } else {
        cause = asked.failure.cause
        if (asked.failure.definite) {
          return { _tag: "Failed", code: isUnknown ? "unknown_outcome" : "store", cause } as const
        }
        isUnknown = true
      }
      yield* Effect.sleep(Math.min(wait, Math.max(deadline - (yield* Clock.currentTimeMillis), 0)))
    }
  })

/** What is right after a cursor. Where that was cut off, or is another history, nobody can say. */
const readSlot = (contact: Contact, { after, deadline, id, prev }: Writing): Effect.Effect<Slot, LogError> =>
  Effect.gen(function*() {
    const records: Array<Stored> = []
    let from = after
    for (;;) {
      const page = yield* contact.read(from, deadline - (yield* Clock.currentTimeMillis))
      if (page.records === "truncated" || page.head < from.revision) {
        return { _tag: "Failed", code: "unknown_outcome", cause: new Error("The log was cut, or set back.") } as const
      }
      for (const stored of page.records) {
        from = stored.cursor
        const isNext = records.length === 0 && parse(stored.body)?.prev === prev
        if (isNext && from.id === id) return { _tag: "Found", cursor: from } as const
        if (isNext || records.length > 0) records.push(stored)
      }
      if (!page.more) return { _tag: "Taken", records } as const
    }
  })

/**
 * A record that was found, and for which there was no answer, may be lost when the engine fails over. An empty one after
 * it, for which there is an answer, says that both stay.
 */
const confirm = (contact: Contact, { deadline, id, session }: Writing, found: Cursor): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    let from = found
    let prev = id
    for (;;) {
      const left = deadline - (yield* Clock.currentTimeMillis)
      if (left <= 0) return false
      const next = { id: newId(), body: write({ v: format, prev, session, lookups: "", ops: [] }) }
      const after = from
      const asked = yield* Effect.result(contact.ask((log) => log.append(contact.registry, after, next), left))
      if (asked._tag === "Success" && asked.success !== undefined) return true
      const page = yield* Effect.result(contact.read(from, left))
      if (page._tag === "Success") {
        if (page.success.records === "truncated" || page.success.head < found.revision) return false
        for (const { body, cursor } of page.success.records) {
          from = cursor
          if (parse(body)?.prev === prev) prev = cursor.id
        }
      }
      yield* Effect.sleep(Math.min(firstWait, left))
    }
  })

/** Every runtime has it; the types of the language do not. */
declare const crypto: { readonly randomUUID: () => string }

/** 128 random bits. */
export const newId = (): string => crypto.randomUUID()
