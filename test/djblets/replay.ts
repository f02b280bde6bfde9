/**
 * Replays a recorded run of Djblets against a registry of ours. They agree under the seven rules of the README beside
 * the recording, each named where it is applied.
 */
import { assert } from "@effect/vitest"
import { Cause, Data, Effect, Exit, Option, Stream } from "effect"
import { Registry, RegistryError, RegistryHooks, RegistrySnapshot } from "effect-registry"

// ---------------------------------------------------------------------------------------------------------------------
// The recording
// ---------------------------------------------------------------------------------------------------------------------

export interface Run {
  readonly seed: number
  readonly kind: "registry" | "ordered"
  readonly lookupAttrs: ReadonlyArray<Attribute>
  readonly items: ReadonlyArray<ItemRecord>
  readonly defaults: ReadonlyArray<ItemRecord>
  readonly hookScript: HookScript
  readonly ops: ReadonlyArray<Recorded>
}

type Attribute = "id" | "name" | "tag"

interface ItemRecord {
  readonly ref: string
  readonly id?: number | null
  readonly name?: string | null
  readonly tag?: string | null
}

type Operation =
  | { readonly op: "register" | "unregister" | "contains"; readonly item: string }
  | { readonly op: "unregister_by_attr" | "get" | "get_or_none"; readonly attr: string; readonly value: unknown }
  | { readonly op: "getitem"; readonly index: unknown }
  | { readonly op: "len" | "iter" | "populate" | "reset" | "state" }

type Result = { readonly ok: unknown } | { readonly error: string; readonly code: string | null }

type Fired =
  | readonly [hook: ItemHook, ref: string]
  | readonly [hook: RegistryHook | "signal"]
  | readonly ["nested", Operation, Result]

type ItemHook = "registering" | "registered" | "unregistering" | "unregistered"
type RegistryHook = "populating" | "populated" | "resetting" | "reset"
type Hook = ItemHook | RegistryHook

type Recorded = Operation & {
  readonly result: Result
  readonly hooks: ReadonlyArray<Fired>
  readonly state: "PENDING" | "POPULATING" | "READY"
  readonly size: number
  readonly quirks?: ReadonlyArray<string>
}

interface HookScript {
  readonly rejectRegistering?: ReadonlyArray<string>
  readonly throwRegistered?: ReadonlyArray<string>
  readonly throwUnregistering?: ReadonlyArray<string>
  readonly throwUnregistered?: ReadonlyArray<string>
  readonly throwOn?: { readonly [hook: string]: number }
  readonly defaultsRaise?: { readonly after: number; readonly times: number }
  readonly nested?: ReadonlyArray<NestedRule>
}

interface NestedRule {
  readonly on: Hook
  readonly item?: string
  readonly do: Operation
  readonly catch?: boolean
  readonly times?: number
}

// ---------------------------------------------------------------------------------------------------------------------
// The registry that a run is replayed against
// ---------------------------------------------------------------------------------------------------------------------

/** No two items of a run are equal, because each has another `ref`. A missing key is undefined. */
class Item {
  readonly ref: string
  readonly id: number | null | undefined
  readonly name: string | null | undefined
  readonly tag: string | null | undefined
  constructor({ id, name, ref, tag }: ItemRecord) {
    this.ref = ref
    this.id = id
    this.name = name
    this.tag = tag
  }
}

const refOf = ({ ref }: Item) => ref

/** The error that a hook or the defaults throw according to the script. */
class HookError extends Data.TaggedError("HookError") {}

type Failure = RegistryError.RegistrationFailure | RegistryError.ItemLookupError | RegistryError.PopulationError

type Tested = Registry.Registry<Item, ReadonlyArray<Attribute>, RegistryError.PopulationError, Failure>

/** A registry of ours that follows the hook script and logs the calls of hooks. */
class Subject {
  readonly run: Run
  readonly items: ReadonlyMap<string, Item>
  /** The calls since the last `splice`. */
  readonly fired: Array<Fired> = []
  /** Completed `onItemRegistered` minus completed `onItemUnregistered`. */
  readonly balance = new Map<Item, number>()
  /** The items for which `onItemUnregistered` has died, which leaves it unbalanced in a rollback. */
  readonly unregisteredDied = new Set<Item>()
  private readonly calls = new Map<unknown, number>()
  private made: Tested | undefined

  constructor(run: Run) {
    this.run = run
    this.items = new Map(run.items.map((record) => [record.ref, new Item(record)]))
  }

  get registry(): Tested {
    return this.made!
  }

  get make() {
    return Effect.gen({ self: this }, function*() {
      const { defaultsRaise } = this.run.hookScript
      const defaults = this.run.defaults.map(({ ref }) => this.item(ref))
      this.made = yield* Registry.make<Item>()({
        name: `seed ${this.run.seed}`,
        lookup: this.run.lookupAttrs,
        hooks: this.hooks,
        defaults: defaultsRaise === undefined ?
          defaults :
          Stream.suspend(() =>
            this.count("defaults") > defaultsRaise.times
              ? Stream.fromIterable(defaults)
              : Stream.concat(Stream.fromIterable(defaults.slice(0, defaultsRaise.after)), Stream.fail(new HookError()))
          )
      })
    })
  }

  item(ref: string): Item {
    return this.items.get(ref)!
  }

  /** Performs an operation of the recording, and returns the result in its words. */
  perform(operation: Operation): Effect.Effect<unknown, Failure> {
    const { registry } = this
    switch (operation.op) {
      case "register":
        return Registry.register(registry, this.item(operation.item))
      case "unregister":
        return Registry.unregister(registry, this.item(operation.item))
      case "unregister_by_attr":
        return Registry.unregisterBy(registry, ...key(operation))
      case "get":
        return Effect.map(Registry.get(registry, ...key(operation)), refOf)
      case "get_or_none":
        // only `get` accepts an unknown attribute without a type error
        return this.run.lookupAttrs.some((attribute) => attribute === operation.attr)
          ? Effect.map(
            Registry.getOption(registry, ...key(operation)),
            (item) => Option.getOrNull(Option.map(item, refOf))
          )
          : Effect.catchTag(this.perform({ ...operation, op: "get" }), "ItemLookupError", () => Effect.succeed(null))
      case "contains":
        return Registry.contains(registry, this.item(operation.item))
      case "len":
        return Registry.size(registry)
      case "iter":
        return Effect.map(Registry.values(registry), (items) => {
          const refs = items.map(refOf)
          return this.run.kind === "ordered" ? refs : refs.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)))
        })
      case "getitem":
        return Effect.map(Registry.at(registry, operation.index as number), Option.map(refOf))
      case "populate":
        return Registry.populate(registry)
      case "reset":
        return Registry.reset(registry)
      case "state":
        return Effect.map(Registry.state(registry), (state) => state.toUpperCase())
    }
  }

  private count(what: unknown): number {
    const calls = (this.calls.get(what) ?? 0) + 1
    this.calls.set(what, calls)
    return calls
  }

  /** A called hook is written down first, then the nested rules run in order, then `throwOn`. */
  private called(hook: Hook, item?: Item): Effect.Effect<void, Failure> {
    return Effect.suspend(() => {
      this.fired.push(item === undefined ? [hook as RegistryHook] : [hook as ItemHook, item.ref])
      const { nested = [], throwOn } = this.run.hookScript
      const calls = this.count(hook)
      const rules = nested.filter((rule) =>
        rule.on === hook && (rule.item === undefined || rule.item === item?.ref) &&
        (rule.times === undefined || this.count(rule) <= rule.times)
      )
      return Effect.andThen(
        Effect.forEach(rules, (rule) => this.nested(rule), { discard: true }),
        calls <= (throwOn?.[hook] ?? 0) ? Effect.die(new HookError()) : Effect.void
      )
    })
  }

  private nested(rule: NestedRule): Effect.Effect<void, Failure> {
    return Effect.suspend(() => {
      const index = this.fired.length
      return Effect.flatMap(Effect.exit(this.perform(rule.do)), (exit): Effect.Effect<void, Failure> => {
        this.fired.splice(index, 0, ["nested", rule.do, resultOf(exit)])
        return rule.catch === true ? Effect.void : Effect.asVoid(exit)
      })
    })
  }

  private get hooks() {
    const { rejectRegistering, throwRegistered, throwUnregistered, throwUnregistering } = this.run.hookScript
    const throwFor = (refs: ReadonlyArray<string> | undefined, { ref }: Item) =>
      refs?.includes(ref) ? Effect.die(new HookError()) : Effect.void
    const completed = (item: Item, by: number) =>
      Effect.sync(() => this.balance.set(item, (this.balance.get(item) ?? 0) + by))

    return RegistryHooks.make<Item>()({
      onItemRegistering: (item) =>
        Effect.andThen(
          this.called("registering", item),
          rejectRegistering?.includes(item.ref) ? RegistryError.reject(item, "by the script") : Effect.void
        ),
      onItemRegistered: (item) =>
        Effect.orDie(this.called("registered", item)).pipe(
          Effect.andThen(throwFor(throwRegistered, item)),
          Effect.andThen(completed(item, 1))
        ),
      onItemUnregistering: (item) =>
        Effect.orDie(this.called("unregistering", item)).pipe(Effect.andThen(throwFor(throwUnregistering, item))),
      onItemUnregistered: (item) =>
        Effect.orDie(this.called("unregistered", item)).pipe(
          Effect.andThen(throwFor(throwUnregistered, item)),
          Effect.andThen(completed(item, -1)),
          Effect.onError(() => Effect.sync(() => this.unregisteredDied.add(item)))
        ),
      onPopulating: Effect.orDie(this.called("populating")),
      onPopulated: Effect.orDie(this.called("populated")),
      onResetting: Effect.orDie(this.called("resetting")),
      onReset: Effect.orDie(this.called("reset"))
    })
  }
}

/** The recording also uses unknown attributes, as untyped code would. */
const key = ({ attr, value }: { readonly attr: string; readonly value: unknown }) =>
  [attr as Attribute, value as never] as const

const resultOf = (exit: Exit.Exit<unknown, Failure>): Result => {
  if (Exit.isSuccess(exit)) return { ok: exit.value ?? null }
  let error = Cause.squash(exit.cause)
  if (error instanceof RegistryError.PopulationError) error = error.cause
  if (error instanceof RegistryError.AlreadyRegisteredError || error instanceof RegistryError.ItemLookupError) {
    return { error: error._tag, code: error.code }
  }
  if (error instanceof RegistryError.RegistrationError) {
    return { error: error._tag, code: error.code === "rejected" ? null : error.code }
  }
  return error instanceof HookError ? { error: error._tag, code: null } : { error: String(error), code: null }
}

// ---------------------------------------------------------------------------------------------------------------------
// Replaying
// ---------------------------------------------------------------------------------------------------------------------

export interface Outcome {
  /** Operations whose result, hooks, state and size were compared. */
  readonly compared: number
  /** Operations that cannot be expressed (rule 1). */
  readonly skipped: number
  /** Operations for which ours failed another check than the recording's hook (rule 3). */
  readonly checkedFirst: number
  /** The rule that ended the run early, at an operation that is not counted above. */
  readonly endedBy?: "1" | "5" | "6" | "6, Q33"
}

export const replay = Effect.fnUntraced(function*(run: Run) {
  const subject = new Subject(run)
  yield* subject.make
  const { balance, fired, registry, unregisteredDied } = subject
  let compared = 0
  let skipped = 0
  let checkedFirst = 0

  for (const [index, recorded] of run.ops.entries()) {
    const { hooks, quirks = [], result, size, state, ...operation } = recorded
    const where = `seed ${run.seed}, operation ${index}, ${JSON.stringify(operation)}`
    const ended = (endedBy: NonNullable<Outcome["endedBy"]>): Outcome => ({ compared, skipped, checkedFirst, endedBy })

    if (recorded.op === "getitem" && !Number.isInteger(recorded.index)) {
      skipped++
      continue
    }
    if (run.hookScript.throwOn?.["signal"] !== undefined && hooks.some(([hook]) => hook === "signal")) return ended("1")

    const before = Registry.snapshotUnsafe(registry)
    fired.length = 0
    const exit = yield* Effect.exit(subject.perform(recorded))
    const firedByOurs = fired.slice()
    const after = Registry.snapshotUnsafe(registry)
    const stateAfter = (yield* Registry.state(registry)).toUpperCase()
    const unbalanced = [...subject.items.values()].filter((item) =>
      (balance.get(item) ?? 0) !== (RegistrySnapshot.contains(after, item) ? 1 : 0)
    )

    if (state === "POPULATING") {
      const ours = resultOf(exit)
      assert.isTrue(Exit.isFailure(exit), `${where}: rule 5, ours fails`)
      const known = isOfHook(result, hooks) ? failedCheckOfDefault(run, hooks, subject) : undefined
      assert.deepStrictEqual(ours, known ?? result, `${where}: rule 5, with the same error`)
      const wrong = unbalanced.filter((item) => !unregisteredDied.has(item))
      assert.deepStrictEqual(wrong, [], `${where}: rule 5, hooks are balanced (G2, G20)`)
      assert.strictEqual(stateAfter, "PENDING", `${where}: rule 5 (G2)`)
      assert.deepStrictEqual([...after], [], `${where}: rule 5 (G2)`)
      fired.length = 0
      yield* Effect.exit(Registry.populate(registry))
      assert.deepStrictEqual(fired[0], ["populating"], `${where}: rule 5, the next use populates again (G2)`)
      return ended("5")
    }
    assert.deepStrictEqual(unbalanced, [], `${where}: hooks are balanced (G20)`)
    if (quirks.includes("error-after-commit") || (state === "PENDING" && size > 0)) {
      // ours has populated before it failed, in a transaction of its own
      const populated = firedByOurs.some(([hook]) => hook === "populated") ? 1 : 0
      assert.isTrue(Exit.isFailure(exit), `${where}: rule 6, ours fails`)
      assert.strictEqual(stateAfter, "READY", `${where}: rule 6 (G7)`)
      assert.strictEqual(
        RegistrySnapshot.revision(after),
        RegistrySnapshot.revision(before) + populated,
        `${where}: rule 6, ours changed nothing (G7)`
      )
      return ended(state === "PENDING" ? "6, Q33" : "6")
    }

    let ours = resultOf(exit)
    if (recorded.op === "getitem" && "ok" in ours) {
      ours = Option.match(ours.ok as Option.Option<string>, {
        onNone: () => quirks.includes("neg-wrap") ? result : { error: "IndexError", code: null },
        onSome: (ref) => ({ ok: ref })
      })
    }
    let theirs = result
    if ((recorded.op === "register" || recorded.op === "unregister") && isOfHook(result, hooks)) {
      // rule 3: the item cannot be registered or is absent, according to the present contents
      const check = failedCheck(run, [...after], recorded.op, subject.item(recorded.item))
      if (check !== undefined) {
        theirs = check
        checkedFirst++
      }
    }
    const succeeded = "ok" in theirs
    assert.deepStrictEqual(
      {
        result: ours,
        state: stateAfter,
        size: RegistrySnapshot.size(after),
        hooks: succeeded ? inAnyOrder(firedByOurs) : []
      },
      { result: theirs, state, size, hooks: succeeded ? inAnyOrder(expected(hooks)) : [] },
      where
    )
    compared++
  }
  const outcome: Outcome = { compared, skipped, checkedFirst }
  return outcome
})

/** Whether a result is the rejection or error of a hook. */
const isOfHook = (result: Result, hooks: ReadonlyArray<Fired>): boolean =>
  "error" in result &&
  (result.error === "HookError" || (result.error === "RegistrationError" && result.code === null) ||
    hooks.some((fired) => fired[0] === "nested" && "error" in fired[2]))

/** The check that an item fails according to the contents. */
const failedCheck = (
  { lookupAttrs }: Run,
  registered: ReadonlyArray<Item>,
  op: "register" | "unregister",
  item: Item
): Result | undefined => {
  const isIn = registered.includes(item)
  if (op === "unregister") return isIn ? undefined : { error: "ItemLookupError", code: "unregister" }
  if (isIn) return { error: "AlreadyRegisteredError", code: "already_registered" }
  for (const attribute of lookupAttrs) {
    if (item[attribute] === undefined) return { error: "RegistrationError", code: "missing_attribute" }
    if (registered.some((other) => other[attribute] === item[attribute])) {
      return { error: "AlreadyRegisteredError", code: "attribute_registered" }
    }
  }
  return undefined
}

/** The check that the default fails at which a population ended. */
const failedCheckOfDefault = (run: Run, hooks: ReadonlyArray<Fired>, subject: Subject): Result | undefined => {
  const refs = run.defaults.map(({ ref }) => ref)
  const last = refs.findLastIndex((ref) => hooks.some((fired) => fired[0] === "registering" && fired[1] === ref))
  if (last === -1) return undefined
  return failedCheck(run, refs.slice(0, last).map((ref) => subject.item(ref)), "register", subject.item(refs[last]!))
}

const checks = ["already_registered", "attribute_registered", "missing_attribute", "unregister"]

/** The calls of ours: no signal (rule 2), and no hook for a nested operation that fails its checks (rule 3). */
const expected = (hooks: ReadonlyArray<Fired>): ReadonlyArray<Fired> =>
  hooks.filter((fired, index) => {
    const previous = hooks[index - 1]
    if (fired[0] === "signal") return false
    if (fired[0] !== "registering" && fired[0] !== "unregistering") return true
    if (previous?.[0] !== "nested") return true
    const [, operation, result] = previous
    return !("item" in operation && operation.item === fired[1] && "error" in result &&
      checks.includes(result.code ?? ""))
  })

/** Between `resetting` and `reset`, the groups of the items in the order of their text (rule 4). */
const inAnyOrder = (hooks: ReadonlyArray<Fired>): ReadonlyArray<Fired> => {
  const start = hooks.findIndex(([hook]) => hook === "resetting")
  const end = hooks.findIndex(([hook]) => hook === "reset")
  if (start === -1 || end === -1) return hooks
  const groups: Array<Array<Fired>> = [[]]
  for (const [offset, fired] of hooks.slice(start, end).entries()) {
    const previous = hooks[start + offset - 1]
    const isNested = previous?.[0] === "nested" && "item" in previous[1] && previous[1].item === fired[1]
    if (fired[0] === "unregistering" && !isNested) groups.push([fired])
    else groups.at(-1)!.push(fired)
  }
  const [first, ...perItem] = groups
  const sorted = perItem.toSorted((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
  return [...hooks.slice(0, start), ...first!, ...sorted.flat(), ...hooks.slice(end)]
}
