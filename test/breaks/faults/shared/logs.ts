/** Faults in `src/shared`, and in what engines of logs have in common. */
import type { Break } from "../../break.ts"

const memory = "RegistryLog.test.ts"
const sqlite = "sqlite.test.ts"
const rpc = "rpc.test.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "log in memory: a record goes after another one of the same number",
    find: "if (last.revision !== after.revision || last.id !== after.id) return undefined",
    replace: "if (last.revision !== after.revision) return undefined",
    caught: { file: memory, title: "A5 A6 a place where another record is now says so" }
  },
  {
    name: "log in memory: a record is written twice",
    find: "if (next !== undefined) return next.cursor.id === id ? next.cursor : undefined",
    replace: "if (next !== undefined) return undefined",
    caught: { file: memory, title: "S3 S6 the same record for the same place is one" }
  },
  {
    name: "log in memory: another record at a place is not told",
    find:
      "if (here !== undefined && here.cursor.id !== after.id) return { head: after.revision - 1, records: [], more: false }",
    replace: "if (here === null) return { head: after.revision - 1, records: [], more: false }",
    caught: { file: memory, title: "A5 A6 a place where another record is now says so" }
  },
  {
    name: "log in memory: an older checkpoint replaces a newer one",
    find: "if (!isIn(checkpoint) || newest !== undefined && isIn(newest) && newest.cursor.revision > revision) return",
    replace: "if (!isIn(checkpoint)) return",
    caught: { file: memory, title: "A13 a checkpoint counts if its record is in the log" }
  },
  {
    name: "log in memory: a session that was renewed in the future lives",
    find: "return lease !== undefined && lease.at <= now && now < lease.at + lease.ttl",
    replace: "return lease !== undefined && now < lease.at + lease.ttl",
    caught: { file: memory, title: "A24 a session that was renewed in the future has expired" }
  },
  {
    name: "log: a call that is not answered waits for ever",
    find: "Effect.timeoutOption(call, limit)",
    replace: "Effect.map(call, Option.some)",
    caught: { file: memory, title: "fails where the engine does not answer" }
  },
  {
    name: "log: a piece ends in the middle of a character",
    find: "const to = isSplit ? end - 1 : end",
    replace: "const to = end",
    caught: { file: sqlite, title: "A16 a checkpoint of four megabytes comes back" }
  },
  {
    name: "log in SQL: a record goes after another one of the same number",
    find: " AND revision = ${revision} AND id = ${prev}))",
    replace: " AND revision = ${revision} AND id <> '' AND ${prev} <> ''))",
    caught: { file: sqlite, title: "A5 A6 a place where another record is now says so" }
  },
  {
    name: "log in SQL: a record gets into the hole of what was cut off",
    find: "WHERE registry = ${registry} AND dropped <= ${revision}",
    replace: "WHERE registry = ${registry}",
    caught: { file: sqlite, title: "A4 A5 a place that was cut off takes nothing" }
  },
  {
    name: "log in SQL: what was cut off is read as if it had never been",
    find: "} else if (first !== undefined && first.cursor.revision > revision + 1) {",
    replace: "} else if (first === null) {",
    caught: { file: sqlite, title: "A4 A5 a place that was cut off takes nothing" }
  },
  {
    name: "log in SQL: the record of a checkpoint is cut off, too",
    find: "const until = revision - Math.max(keep, 0) - 1",
    replace: "const until = revision - Math.max(keep, 0)",
    caught: { file: sqlite, title: "S18 A13 the last record stays" }
  },
  {
    name: "log in SQL: sessions that live are buried",
    find: " AND NOT ${lives}`",
    replace: "`",
    caught: { file: sqlite, title: "a session is renewed until it is closed" }
  },
  {
    name: "log in SQLite: a file that another process holds fails a write at once",
    find: "Effect.retry(statements, { while: isConflict, schedule: soon })",
    replace: "statements",
    caught: { file: sqlite, title: "S10 a process that holds the file does not hold up others" }
  },
  {
    name: "log over RPC: any client renews a session",
    find: "boolean => secrets.get(id) === secret",
    replace: "boolean => secret !== id",
    caught: { file: rpc, title: "A23 only the client that has opened a session" }
  },
  {
    name: "log over RPC: a server is open to other machines",
    find: "if (!NetAddress.isUnixPathAddress(address) && !NetAddress.isLoopback(address.address)) {",
    replace: "if (address === null) {",
    caught: { file: rpc, title: "A23 a server that listens to other machines" }
  },
  {
    name: "log: who listens hears nothing",
    find: "for (const queue of this.listeners.get(registry) ?? []) Queue.offerUnsafe(queue, undefined)",
    replace: "for (const queue of this.listeners.get(registry) ?? []) void queue",
    caught: { file: rpc, title: "S17 hears what another client writes" }
  }
]
