/**
 * The laws that `logLaws` registers as tests: what an engine does, and what is said of one that does not.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import * as Formatter from "effect/Formatter"
import * as Stream from "effect/Stream"
import { newId } from "../internal/shared/appending.ts"
import { type Cursor, type LogError, RegistryLog, start, type Stored } from "../shared/RegistryLog.ts"

type Log = RegistryLog["Service"]

type Law = (log: Log, registry: string) => Effect.Effect<void, unknown>

const same = (is: unknown, be: unknown, why: string): Effect.Effect<void, Error> =>
  Equal.equals(is, be)
    ? Effect.void
    : Effect.fail(new Error(`${why}: expected ${Formatter.format(be)}, and it is ${Formatter.format(is)}`))

const bodyOf = (id: string): string => JSON.stringify({ id })

const append = (log: Log, registry: string, after: Cursor, id = newId()) =>
  log.append(registry, after, { id, body: bodyOf(id) })

/** So many records, one after the other, and the place after each. */
const grow = (log: Log, registry: string, count: number, from: Cursor = start) =>
  Effect.gen(function*() {
    const cursors: Array<Cursor> = []
    for (let i = 0; i < count; i++) {
      const cursor = yield* append(log, registry, cursors.at(-1) ?? from)
      if (cursor === undefined) {
        return yield* Effect.fail(new Error(`nobody else was there, and record ${i} was refused`))
      }
      cursors.push(cursor)
    }
    return cursors
  })

/** The place after the last of some records. */
const last = (cursors: ReadonlyArray<Cursor>): Cursor => cursors.at(-1) ?? start

const idsOf = (records: ReadonlyArray<Stored> | "truncated") =>
  records === "truncated" ? records : records.map(({ cursor }) => cursor.id)

/** All that is after a place, by pages. */
const readAll = (log: Log, registry: string, from: Cursor, limit = 100) =>
  Effect.gen(function*() {
    const all: Array<Stored> = []
    for (;;) {
      const { more, records } = yield* log.read(registry, all.at(-1)?.cursor ?? from, limit)
      if (records === "truncated") return "truncated" as const
      if (records.length > limit) {
        return yield* Effect.fail(new Error(`a page of ${limit} has ${records.length} records`))
      }
      all.push(...records)
      if (!more) return all
    }
  })

/** Asks again until it is so. What a store does by its clock takes as long as it takes. */
const until = (isSo: Effect.Effect<boolean, LogError>, what: string) =>
  Effect.gen(function*() {
    for (let i = 0; i < 200; i++) {
      if (yield* isSo) return
      yield* Effect.sleep(50)
    }
    return yield* Effect.fail(new Error(`it is not so after ten seconds: ${what}`))
  })

const long = Duration.minutes(10)
const short = Duration.millis(300)

/** One that has expired, and is not buried. */
const expired = (log: Log) =>
  Effect.gen(function*() {
    const id = newId()
    yield* log.sessions.open(id, short)
    yield* until(Effect.map(log.sessions.living([id]), (ids) => ids.length === 0), "a session of 300 ms has expired")
    return id
  })

/**
 * What each law tries with a log, and a registry that has no records.
 *
 * @internal
 */
export const logChecks: { readonly [law: string]: Law } = {
  "S1 S2 of eight records for one place exactly one is in, 200 times": (log, registry) =>
    Effect.gen(function*() {
      let head = start
      const ids: Array<string> = []
      for (let round = 1; round <= 200; round++) {
        const after = head
        const answers = yield* Effect.forEach(
          Array.from({ length: 8 }),
          () => append(log, registry, after),
          { concurrency: "unbounded" }
        )
        const taken = answers.filter((cursor) => cursor !== undefined)
        yield* same(taken.map(({ revision }) => revision), [round], `round ${round} of 8 records`)
        head = last(taken)
        ids.push(head.id)
      }
      yield* same(
        idsOf(yield* readAll(log, registry, start)),
        ids,
        "the records that were taken are those that are read"
      )
    }),

  "S3 S6 the same record for the same place is one, however often and whenever it is written": (log, registry) =>
    Effect.gen(function*() {
      const [first] = yield* grow(log, registry, 1)
      const id = newId()
      const answers = yield* Effect.forEach(
        Array.from({ length: 8 }),
        () => append(log, registry, first!, id),
        { concurrency: "unbounded" }
      )
      yield* same(answers.map((cursor) => cursor?.revision), answers.map(() => 2), "eight times the same record")
      yield* grow(log, registry, 2, answers[0]!)
      yield* same((yield* append(log, registry, first!, id))?.revision, 2, "the same record, when others are after it")
      yield* same(yield* append(log, registry, first!), undefined, "another record for that place")
      yield* same((yield* log.read(registry, start, 10)).head, 4, "the records that there are")
    }),

  "S3 S6 what was interrupted is in once or not at all": (log, registry) =>
    Effect.gen(function*() {
      let head = start
      for (let round = 0; round < 50; round++) {
        const id = newId()
        const after = head
        const writing = yield* Effect.forkChild(append(log, registry, after, id), { startImmediately: true })
        for (let i = 0; i < round % 7; i++) yield* Effect.yieldNow
        if (round % 3 === 0) yield* Effect.sleep(1)
        yield* Fiber.interrupt(writing)
        const again = yield* append(log, registry, after, id)
        if (again === undefined) return yield* Effect.fail(new Error(`round ${round}: the place was taken by nobody`))
        head = again
      }
      const all = yield* readAll(log, registry, start)
      yield* same(all.length, 50, "the records that there are")
    }),

  "S4 records come back as they were written, in pages without a gap": (log, registry) =>
    Effect.gen(function*() {
      const texts = ["", "\"'\\`;--$1?", "ü€😀", "a\nb\r\n\tc", "\u0000", "%s %(x) :y @z", "x".repeat(100_000)]
      const bodies = texts.map((text) => JSON.stringify({ text }))
      let head = start
      for (const body of bodies) head = (yield* log.append(registry, head, { id: newId(), body }))!
      for (const limit of [1, 2, bodies.length, 100]) {
        const all = yield* readAll(log, registry, start, limit)
        if (all === "truncated") return yield* Effect.fail(new Error("nothing was cut, and reading says that it was"))
        yield* same(all.map(({ body }) => body), bodies, `bodies, by pages of ${limit}`)
        yield* same(all.map(({ cursor }) => cursor.revision), bodies.map((_, i) => i + 1), "their numbers")
        for (const { cursor } of all) {
          const page = yield* log.read(registry, cursor, 100)
          yield* same(page.records.length, bodies.length - cursor.revision, `the records after ${cursor.revision}`)
          yield* same([page.head, page.more], [bodies.length, false], `the head, read after ${cursor.revision}`)
        }
      }
    }),

  "S18 a log that has gone back says so, and takes no record after a place that it does not have": (log, registry) =>
    Effect.gen(function*() {
      const beyond = { revision: 57, id: newId(), token: "57" }
      yield* same((yield* log.read(registry, beyond, 10)).head, 0, "the head of no records, asked after 57")
      yield* same(yield* append(log, registry, beyond), undefined, "a record after place 57 of no records")
      yield* grow(log, registry, 3)
      const page = yield* log.read(registry, beyond, 10)
      yield* same([page.head, page.records], [3, []], "the head of three records, asked after 57")
      yield* same(yield* append(log, registry, beyond), undefined, "a record after place 57 of three")
    }),

  "A5 A6 a place where another record is now says so, and takes nothing": (log, registry) =>
    Effect.gen(function*() {
      const cursors = yield* grow(log, registry, 3)
      for (const cursor of cursors) {
        const other = { ...cursor, id: newId() }
        const { head, records } = yield* log.read(registry, other, 10)
        yield* same(records, [], `what is after another record ${cursor.revision}`)
        yield* same(
          head < cursor.revision,
          true,
          `the head ${head} is less than ${cursor.revision}, which is another one`
        )
        yield* same(yield* append(log, registry, other), undefined, `a record after another record ${cursor.revision}`)
      }
      yield* same((yield* readAll(log, registry, start)).length, 3, "the records that there are")
    }),

  "A4 A5 a place that was cut off takes nothing, and says so": (log, registry) =>
    Effect.gen(function*() {
      const cursors = yield* grow(log, registry, 30)
      const id = newId()
      yield* log.saveCheckpoint(registry, { cursor: cursors[19]!, body: "{}" }, 0)
      for (const i of [0, 5, 17]) {
        yield* same(
          yield* append(log, registry, cursors[i]!, id),
          undefined,
          `a record after ${i + 1}, which was cut off`
        )
        yield* same((yield* log.read(registry, cursors[i]!, 5)).records, "truncated", `reading after ${i + 1}`)
      }
      yield* same(yield* append(log, registry, start, id), undefined, "a first record, when that was cut off")
      yield* same((yield* log.read(registry, start, 5)).records, "truncated", "reading from the start")
      yield* same(
        idsOf(yield* readAll(log, registry, cursors[19]!)),
        cursors.slice(20).map((cursor) => cursor.id),
        "what is after the checkpoint"
      )
    }),

  "A4 records that are written while the log is cut are in it, or refused": (log, registry) =>
    Effect.gen(function*() {
      let head = start
      const taken = new Map<number, string>()
      const note = (cursor: Cursor | undefined): Effect.Effect<void, Error> => {
        if (cursor === undefined) return Effect.void
        const other = taken.get(cursor.revision)
        taken.set(cursor.revision, cursor.id)
        return other === undefined || other === cursor.id
          ? Effect.void
          : Effect.fail(new Error(`two records were taken at place ${cursor.revision}`))
      }
      for (let round = 0; round < 20; round++) {
        const from = head
        const late = yield* Effect.forEach(
          [0, 0, 1, 2, 4, 8],
          (millis) => Effect.forkChild(Effect.delay(append(log, registry, from), millis))
        )
        for (let i = 0; i < 5;) {
          const cursor = yield* append(log, registry, head)
          yield* note(cursor)
          if (cursor !== undefined) i++
          const all = cursor === undefined ? yield* readAll(log, registry, head) : []
          head = cursor ?? (all === "truncated" ? head : all.at(-1)?.cursor ?? head)
        }
        yield* log.saveCheckpoint(registry, { cursor: head, body: "{}" }, 0)
        for (const fiber of late) yield* note(yield* Fiber.join(fiber))
        const page = yield* log.read(registry, head, 10)
        yield* same(page.records, [], "what is after the last record, when late ones were refused")
      }
      const [there] = yield* log.heads([registry])
      yield* same(taken.get(head.revision), there!.id, "the last record is one that was taken")
      yield* same(Math.max(...taken.keys()), there!.revision, "no record is after it")
      yield* same(taken.size, there!.revision, "each place has one record that was taken")
    }),

  "S18 A13 the last record stays, and so does that of the checkpoint, whatever is cut": (log, registry) =>
    Effect.gen(function*() {
      const cursors = yield* grow(log, registry, 10)
      const head = last(cursors)
      yield* log.saveCheckpoint(registry, { cursor: head, body: "all" }, 0)
      yield* same((yield* log.heads([registry]))[0]!.id, head.id, "the last record, with nothing kept")
      yield* same((yield* log.read(registry, cursors[8]!, 5)).records.length, 1, "the record of the checkpoint")
      yield* same((yield* log.read(registry, cursors[7]!, 5)).records, "truncated", "the one before it")
      const [next] = yield* grow(log, registry, 1, head)
      yield* same(next!.revision, 11, "the number of the next record")
      const more = yield* grow(log, registry, 9, next!)
      yield* log.saveCheckpoint(registry, { cursor: last(more), body: "more" }, 4)
      yield* same(
        idsOf(yield* readAll(log, registry, more[3]!)),
        more.slice(4).map(({ id }) => id),
        "with four kept: those, and that of the checkpoint"
      )
      yield* same((yield* log.read(registry, more[2]!, 5)).records, "truncated", "those before the four")
    }),

  "A13 a checkpoint counts if its record is in the log, and no newer one replaces it": (log, registry) =>
    Effect.gen(function*() {
      const saved = Effect.map(log.checkpoint(registry), (checkpoint) => checkpoint?.body)
      yield* same(yield* saved, undefined, "the checkpoint of no records")
      const cursors = yield* grow(log, registry, 6)
      const save = (cursor: Cursor, body: string) => log.saveCheckpoint(registry, { cursor, body }, 100)
      yield* save({ revision: 9, id: newId(), token: "9" }, "above the head")
      yield* same(yield* saved, undefined, "the checkpoint of a record that is not there yet")
      yield* save({ ...cursors[3]!, id: newId() }, "another record")
      yield* same(yield* saved, undefined, "the checkpoint of another record of the same number")
      yield* save(cursors[3]!, "four")
      yield* save(cursors[1]!, "two")
      yield* same(yield* saved, "four", "the checkpoint, when an older one was written")
      yield* save(cursors[5]!, "six")
      const checkpoint = yield* log.checkpoint(registry)
      yield* same([checkpoint?.body, checkpoint?.cursor.id], ["six", cursors[5]!.id], "the newest checkpoint")
      yield* same((yield* readAll(log, registry, start)).length, 6, "the records, when a hundred are kept")
      yield* grow(log, registry, 1, checkpoint!.cursor)
    }),

  "A16 a checkpoint of four megabytes comes back as it was written, and so does the next one": (log, registry) =>
    Effect.gen(function*() {
      const [first, second] = yield* grow(log, registry, 2)
      for (const [cursor, text] of [[first!, "a€😀b"], [second!, "x\\\"y"]] as const) {
        const body = JSON.stringify({ text: text.repeat(4_000_000 / 8) })
        yield* log.saveCheckpoint(registry, { cursor, body }, 10)
        const saved = yield* log.checkpoint(registry)
        yield* same(saved?.cursor.id, cursor.id, "the record of the checkpoint")
        yield* same(
          saved?.body === body,
          true,
          `the body of ${body.length} characters (${saved?.body.length}) is the same`
        )
      }
    }),

  "a session is renewed until it is closed": ({ sessions }) =>
    Effect.gen(function*() {
      const [one, two] = [newId(), newId()]
      yield* sessions.open(one, long)
      yield* sessions.open(two, long)
      yield* sessions.open(one, long)
      yield* same(yield* sessions.living([two, newId(), one]), [two, one], "those that live")
      yield* same(yield* sessions.renew(one, long), true, "renewing an open session")
      yield* same(yield* sessions.bury([one, two]), [], "those that can be buried, when all live")
      yield* sessions.close(one)
      yield* sessions.close(one)
      yield* same(yield* sessions.renew(one, long), false, "renewing a closed session")
      yield* same(yield* sessions.renew(newId(), long), false, "renewing a session that never was")
      yield* same(yield* sessions.living([one, two]), [two], "those that live after one was closed")
      yield* same(yield* sessions.bury([one, two]), [one], "those that are no more")
    }),

  "A1 a session that has expired can be renewed, and one that was buried cannot": (log) =>
    Effect.gen(function*() {
      const { sessions } = log
      const [one, two] = yield* Effect.all([expired(log), expired(log)], { concurrency: "unbounded" })
      yield* same(yield* sessions.renew(one, long), true, "renewing a session that has expired")
      yield* same(yield* sessions.living([one, two]), [one], "those that live, when one of two was renewed")
      yield* same(yield* sessions.bury([one, two]), [two], "those that could be buried")
      yield* same(yield* sessions.renew(two, long), false, "renewing a session that was buried")
      yield* same(yield* sessions.living([two]), [], "whether it lives")
      yield* same(yield* sessions.bury([two]), [two], "burying it again")
      yield* same(yield* sessions.renew(one, long), true, "renewing the other one")
    }),

  "A1 of renewing and burying a session one comes first": (log) =>
    Effect.gen(function*() {
      const { sessions } = log
      const ids = yield* Effect.forEach(Array.from({ length: 20 }), () => expired(log), { concurrency: "unbounded" })
      yield* Effect.forEach(
        ids,
        (id, i) =>
          Effect.gen(function*() {
            const renewing = sessions.renew(id, long)
            const burying = sessions.bury([id])
            const [renewed, buried] = yield* Effect.all(
              [i % 2 === 0 ? renewing : Effect.andThen(Effect.yieldNow, renewing), burying],
              { concurrency: "unbounded" }
            )
            yield* same(buried.length === 0, renewed, "a session is renewed, or it is buried")
            yield* same(yield* sessions.renew(id, long), renewed, "renewing it once more")
          }),
        { concurrency: "unbounded" }
      )
    }),

  "A22 one question answers the heads of many registries, in their order": (log, registry) =>
    Effect.gen(function*() {
      const names = Array.from({ length: 50 }, (_, i) => `${registry}/${i}`)
      const heads = yield* Effect.forEach(names, (name, i) => Effect.map(grow(log, name, i % 3), last), {
        concurrency: 10
      })
      const asked = yield* log.heads([...names, registry])
      yield* same(
        asked.map(({ id, revision }) => [id, revision]),
        [...heads, start].map(({ id, revision }) => [id, revision]),
        "the heads of 51 registries"
      )
      yield* same(yield* log.heads([]), [], "the heads of none")
    }),

  "A22 names of 200 bytes, and of any characters, are names": (log, registry) =>
    Effect.gen(function*() {
      const names = [
        "A",
        "a",
        "a.b",
        "a/b",
        "a b",
        "a*",
        ">",
        "a%",
        "a_",
        "a'; --",
        "\"",
        "\\",
        "$1",
        "ä",
        "a\u0308",
        "=61",
        "é".repeat(60)
      ].map((name) => `${registry}${name}`)
      names.push(
        registry.padEnd(200, "x"),
        registry.padEnd(200, "x").slice(0, -1),
        registry + "ü".repeat((200 - registry.length) / 2)
      )
      const heads = yield* Effect.forEach(names, (name) => Effect.map(grow(log, name, 1), last))
      yield* same(
        (yield* log.heads(names)).map(({ id }) => id),
        heads.map(({ id }) => id),
        "the heads of registries with such names"
      )
      yield* Effect.forEach(names, (name, i) =>
        Effect.flatMap(log.read(name, start, 10), ({ records }) =>
          same(idsOf(records), [heads[i]!.id], `records of ${name}`)))
    }),

  "S17 hints can be listened to, and end when nobody does": (log, registry) =>
    Effect.gen(function*() {
      // an engine may have none
      const listening = yield* Effect.forkChild(Effect.timeoutOption(Stream.runDrain(log.hints(registry)), 200), {
        startImmediately: true
      })
      const head = last(yield* grow(log, registry, 3))
      yield* Fiber.join(listening)
      yield* grow(log, registry, 1, head)
    }),

  "S5 a record of as many bytes as there may be is taken": (log, registry) =>
    Effect.gen(function*() {
      const body = JSON.stringify("x".repeat(log.maxBytes - 2))
      yield* log.append(registry, start, { id: newId(), body })
      const page = yield* log.read(registry, start, 1)
      yield* same(page.records !== "truncated" && page.records[0]?.body === body, true, "the record comes back")
    }),

  "a log that was dropped has no records and no checkpoint, and no other log loses any": (log, registry) =>
    Effect.gen(function*() {
      const other = `${registry}/other`
      const cursors = yield* grow(log, registry, 12)
      const kept = yield* grow(log, other, 2)
      yield* log.saveCheckpoint(registry, { cursor: last(cursors), body: "x".repeat(2_000_000) }, 2)
      yield* log.drop(registry)
      yield* log.drop(registry)
      yield* same((yield* log.read(registry, start, 10)).records, [], "the records of a log that was dropped")
      yield* same((yield* log.read(registry, last(cursors), 10)).head, 0, "its head, asked after the last one")
      yield* same(yield* log.checkpoint(registry), undefined, "its checkpoint")
      yield* same(yield* append(log, registry, last(cursors)), undefined, "a record after the last one")
      yield* same(last(yield* grow(log, registry, 2)).revision, 2, "the second record of a log that begins anew")
      yield* same(yield* log.checkpoint(registry), undefined, "the checkpoint of a log that begins anew")
      yield* same((yield* log.heads([other]))[0]!.id, last(kept).id, "the last record of another log")
    })
}

/**
 * Tries a law with a registry that nobody else uses.
 *
 * @internal
 */
export const check = (holds: Law): Effect.Effect<void, unknown, RegistryLog> =>
  RegistryLog.use((log) => holds(log, `law-${newId()}`))
