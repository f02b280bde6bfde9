/** What a process of a shared registry knows of its log, and how it stands with it. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { RegistryUnavailable } from "../../RegistryError.ts"
import type { Cursor, Stored } from "../../shared/RegistryLog.ts"
import type { Core } from "../engine/core.ts"
import { failure } from "../store/definition.ts"
import type { Entry } from "../store/entry.ts"
import { show } from "../store/wording.ts"
import { Contact, type Log, start } from "./contact.ts"
import { Fold, type Folded } from "./fold.ts"
import { type Codec, Mirror } from "./mirror.ts"
import { format, type Op, parse, type Record } from "./record.ts"
import type { Changed } from "./syncing.ts"

export interface Settings {
  readonly lifetime: "cluster" | "forever"
  readonly version: number
  readonly ttl: Duration.Duration
  readonly onLost: "rejoin" | "leave"
  readonly patience: Duration.Duration
  readonly poll: Duration.Duration
  readonly every: number
  readonly keep: number
}

/** What has changed in the fold, to be shown. */
export interface Shown extends Changed {
  /** Whether the changes before are not those that led to it. */
  readonly jumps: boolean
  /** The owner that is given for it. */
  readonly by: string
}

export class State<Item> {
  fold = new Fold()
  readonly mirror: Mirror<Item>
  /** Where the next record of the log is read, and written. */
  cursor: Cursor = start
  /** The ids of the last records: one that names an earlier one is none. */
  recent: Array<string> = [""]
  sessionId = ""
  session: "none" | "live" | "unsure" | "lost" = "none"
  /** The session before, whose entries the next record takes over. */
  moving: string | undefined = undefined
  /** Whether what the log has so far does not count: nobody is there. */
  anew = false
  isLoaded = false
  hasBegun = false
  /** How often the log had news that a writer has to know first, and how often it has been read up to its end since. */
  news = 0
  known = 0
  /** Whether the contents may not be what the fold says. */
  isOff = false
  /** What this version does not understand. */
  stalled: string | undefined = undefined
  readonly contact: Contact
  mayHaveOrphans = false
  toReturn: Array<Entry<Item>> = []
  savedAt = 0
  nudges: Queue.Queue<void> | undefined = undefined
  /** The operations that the replica carries out by itself. */
  readonly ownOperations = new WeakSet<object>()
  readonly core: Core<Item, unknown, any>
  readonly scope: Scope.Scope
  readonly settings: Settings

  constructor(
    core: Core<Item, any, any>,
    log: Log,
    context: Context.Context<never>,
    scope: Scope.Scope,
    codec: Codec<Item>,
    settings: Settings
  ) {
    this.core = core
    this.contact = new Contact(log, core.definition.name, Duration.toMillis(settings.patience), context)
    this.scope = scope
    this.settings = settings
    this.mirror = new Mirror(core.definition, codec)
  }

  /** The lookups of this version of the program, and which are unique. */
  get lookups(): string {
    const { lookups } = this.core.definition
    return lookups.map(({ attribute, unique }) => unique ? `${attribute}!` : attribute).join(",")
  }

  /** Whether there is something to do, though there may be no news. */
  get hasToDo(): boolean {
    return this.mayHaveOrphans || this.isOff || this.isBehind || this.session === "lost" || this.toReturn.length > 0 ||
      this.fold.populated && this.needsToBegin
  }

  get isBehind(): boolean {
    return this.known < this.news
  }

  get name(): string {
    return this.core.definition.name
  }

  unavailable(
    code: RegistryUnavailable["code"],
    operation: string,
    more: { readonly record?: string; readonly attempts?: number; readonly cause?: unknown } = {}
  ): RegistryUnavailable {
    return failure(this.core.definition, RegistryUnavailable, { code, operation, ...more })
  }

  /** Nothing, or why this process cannot write. */
  get readOnly(): Error | undefined {
    if (this.stalled !== undefined) return new Error(`It has ${this.stalled}.`)
    const { size } = this.mirror.unreadable
    if (size === 0) return undefined
    const [id, why] = Array.from(this.mirror.unreadable)[0]!
    return new Error(`It has ${size} item(s) that cannot be read, ${show(id)} for one: ${why}.`)
  }

  get others(): ReadonlyArray<string> {
    return Array.from(this.fold.sessions.keys()).filter((id) => id !== this.sessionId)
  }

  get needsToBegin(): boolean {
    return !this.fold.sessions.has(this.sessionId)
  }

  /** What a record of this process has to begin with. */
  get prefix(): ReadonlyArray<Op> {
    if (this.anew) return [["anew"], ["begin", this.sessionId, format]]
    if (!this.needsToBegin) return []
    return this.moving !== undefined && this.fold.sessions.has(this.moving)
      ? [["rebind", this.moving, this.sessionId]]
      : [["begin", this.sessionId, format]]
  }

  lose(): void {
    this.session = "lost"
    this.news++
    if (this.nudges !== undefined) Queue.offerUnsafe(this.nudges, undefined)
  }

  /** The record, if it is the next one: nothing if it is known, or none; `"other"` if it is of another history. */
  look(stored: Stored): Record | "other" | undefined {
    const { body, cursor } = stored
    if (cursor.revision <= this.cursor.revision) return undefined
    const parsed = parse(body)
    if (parsed === undefined || parsed.prev !== this.fold.id) {
      if (parsed !== undefined && !this.recent.includes(parsed.prev)) return "other"
      // an engine may take two for one place: the first counts
      this.cursor = cursor
      return undefined
    }
    if (!("unknown" in parsed)) return parsed
    this.stall(parsed.unknown)
    return undefined
  }

  stall(why: string): void {
    this.stalled = why
    this.session = "lost"
    const closing = Effect.andThen(
      Effect.logError(`The shared registry ${show(this.name)} stands still: its log has ${why}. Use a newer version.`),
      this.closeSession
    )
    Effect.runForkWith(this.core.context)(closing)
  }

  readonly closeSession = Effect.suspend(() =>
    this.sessionId === ""
      ? Effect.void
      : Effect.ignore(this.contact.ask((log) => log.sessions.close(this.sessionId), 1_000))
  )

  /** With the lock: takes a record into the fold. */
  accept(stored: Stored, record: Record): Shown & Pick<Folded, "revert"> {
    const { cursor } = stored
    const folded = this.fold.take(cursor.id, record)
    const last = this.cursor
    this.cursor = cursor
    this.remember(cursor.id)
    if (record.session === this.sessionId) this.mayHaveOrphans = true
    for (const [tag, from, to] of record.ops) {
      if (tag === "rebind" && typeof from === "string" && typeof to === "string") this.mirror.rebind(from, to)
      if (tag === "end" && from === this.sessionId && this.session !== "none") this.lose()
    }
    return {
      ...folded,
      jumps: false,
      by: record.by ?? "",
      revert: () => {
        folded.revert()
        this.cursor = last
        this.recent.pop()
      }
    }
  }

  remember(id: string): void {
    this.recent.push(id)
    if (this.recent.length > 2 * recentIds) this.recent = this.recent.slice(-recentIds)
  }

  recordAt(revision: number): string | undefined {
    return revision <= this.fold.revision ? this.recent.at(revision - this.fold.revision - 1) : undefined
  }
}

const recentIds = 1_000
