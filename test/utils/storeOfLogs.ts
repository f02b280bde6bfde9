/** A store of logs in memory, to which a test does what happens to stores. */
import { Duration, Effect, Layer, Queue, Stream } from "effect"
import { RegistryLog } from "effect-registry/shared"

type Log = RegistryLog.RegistryLog["Service"]

interface State {
  rows: ReadonlyArray<RegistryLog.Stored>
  dropped: number
  checkpoint: { readonly cursor: RegistryLog.Cursor; readonly body: string } | undefined
}

export interface Store {
  readonly log: Log
  readonly layer: Layer.Layer<RegistryLog.RegistryLog>
  state: State
  /** Its own clock, in milliseconds. */
  clock: number
  readonly leases: Map<string, number>
  /** Whether it hints at news. */
  hints: boolean
  maxBytes: number
  /** Cuts all records up to a revision. */
  readonly cut: (revision: number) => void
}

/** One registry only. Its clock stands still unless the test moves it. */
export const make = (): Store => {
  const listeners = new Set<Queue.Queue<void>>()
  const store: Store = {
    state: { rows: [], dropped: 0, checkpoint: undefined },
    clock: 0,
    leases: new Map(),
    hints: true,
    maxBytes: 1 << 24,
    cut: (revision) => {
      const { rows } = store.state
      store.state = { ...store.state, dropped: revision, rows: rows.filter(({ cursor }) => cursor.revision > revision) }
    },
    get layer() {
      return Layer.succeed(RegistryLog.RegistryLog, store.log)
    },
    log: {
      name: "store",
      get maxBytes() {
        return store.maxBytes
      },
      append: (_, after, { body, id }) =>
        Effect.sync(() => {
          const { dropped, rows } = store.state
          const next = rows.find(({ cursor }) => cursor.revision === after.revision + 1)
          if (next !== undefined) return next.cursor.id === id ? next.cursor : undefined
          const last = rows.at(-1)?.cursor
          if (
            (last?.revision ?? dropped) !== after.revision || last !== undefined && last.id !== after.id
          ) return undefined
          const cursor = { revision: after.revision + 1, id, token: "" }
          store.state = { ...store.state, rows: [...rows, { cursor, body }] }
          if (store.hints) { for (const queue of listeners) Queue.offerUnsafe(queue, undefined) }
          return cursor
        }),
      read: (_, after, limit) =>
        Effect.sync(() => {
          const { dropped, rows } = store.state
          const head = rows.at(-1)?.cursor.revision ?? dropped
          if (after.revision < dropped) return { head, records: "truncated", more: false }
          const rest = rows.filter(({ cursor }) => cursor.revision > after.revision)
          return { head, records: rest.slice(0, limit), more: rest.length > limit }
        }),
      heads: (registries) =>
        Effect.sync(() => registries.map(() => store.state.rows.at(-1)?.cursor ?? RegistryLog.start)),
      drop: () => Effect.sync(() => void (store.state = { rows: [], dropped: 0, checkpoint: undefined })),
      hints: () =>
        Stream.unwrap(Effect.map(Queue.sliding<void>(1), (queue) => {
          listeners.add(queue)
          return Stream.fromQueue(queue)
        })),
      checkpoint: () => Effect.sync(() => store.state.checkpoint),
      saveCheckpoint: (_, checkpoint, keep) =>
        Effect.sync(() => {
          store.state = { ...store.state, checkpoint }
          store.cut(Math.max(checkpoint.cursor.revision - keep - 1, store.state.dropped))
        }),
      sessions: {
        open: (id, ttl) => Effect.sync(() => void store.leases.set(id, store.clock + Duration.toMillis(ttl))),
        renew: (id, ttl) =>
          Effect.sync(() => {
            if (!store.leases.has(id)) return false
            store.leases.set(id, store.clock + Duration.toMillis(ttl))
            return true
          }),
        close: (id) => Effect.sync(() => void store.leases.delete(id)),
        living: (ids) => Effect.sync(() => ids.filter((id) => (store.leases.get(id) ?? -1) > store.clock)),
        bury: (ids) =>
          Effect.sync(() => {
            for (const id of ids) if ((store.leases.get(id) ?? -1) <= store.clock) store.leases.delete(id)
            return ids.filter((id) => !store.leases.has(id))
          })
      }
    }
  }
  return store
}
