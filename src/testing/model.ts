/**
 * The sequential meaning of every operation of a registry, on plain data. It is the specification: what a registry
 * answers has to be what this answers, if its operations are taken one at a time, each at some moment between its call
 * and its return.
 *
 * Every operation is a pure function of a state and the operation's arguments; it answers a result and the next state.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import { same, sameBy } from "../internal/store/same.ts"

/**
 * The definition of a modelled registry: its lookups in order, its defaults, the items that its `onItemRegistering` hooks
 * refuse, and those for which its `acquire` hooks fail, with a `RegistrationError`. Other hooks do not affect results.
 *
 * @category models
 * @since 0.1.0
 */
export interface ModelDefinition<Item> {
  readonly lookup: { readonly [attribute: string]: ModelLookup<Item> }
  readonly defaults?: ReadonlyArray<Item> | undefined
  /** The option of the registry. */
  readonly equivalence?: ((one: Item, other: Item) => boolean) | undefined
  readonly rejects?: ((item: Item) => boolean) | undefined
  readonly unacquirable?: ((item: Item) => boolean) | undefined
}

/**
 * A lookup as plain data: `kind` is unique or group, and, with `Each`, the selector returns any number of keys.
 *
 * @category models
 * @since 0.1.0
 */
export interface ModelLookup<in Item> {
  readonly kind: "unique" | "uniqueEach" | "group" | "groupEach"
  readonly select: (item: Item) => unknown
  readonly optional?: boolean | undefined
}

/**
 * What a registry holds: its entries in registration order, hidden ones included, and those that a reset took out and the
 * next population brings back. `closed` has the names of the scopes that have closed, `owner` is the owner of what is
 * registered, and `subscriptions` are the followers. In a transaction others see what is `published`; `touched` says
 * whether it has changed something that they will see.
 *
 * @category models
 * @since 0.1.0
 */
export interface ModelState<out Item> {
  readonly state: "Pending" | "Ready"
  readonly entries: ReadonlyArray<ModelEntry<Item>>
  readonly waiting: ReadonlyArray<ModelEntry<Item>>
  readonly rules: ReadonlyArray<ModelRule>
  readonly closed: ReadonlyArray<string>
  readonly owner: string
  readonly subscriptions: ReadonlyArray<ModelSubscription<Item>>
  readonly published?: ReadonlyArray<Item> | undefined
  readonly touched?: boolean | undefined
}

/**
 * One registration: its item, the keys of each lookup as they were when the item came, the scope that ends the registration,
 * if there is one, its owner, the owner of the last update, whether it is an override, and whether a population put it in. It came after all with a lower number. Those that one operation
 * registered in a scope have the same `batch`. An update changes the item and its keys alone.
 *
 * @category models
 * @since 0.1.0
 */
export interface ModelEntry<out Item> {
  readonly item: Item
  readonly keys: ReadonlyArray<ReadonlyArray<unknown>>
  readonly scope: string | undefined
  readonly owner: string
  readonly updatedBy: string | undefined
  readonly override: boolean
  readonly population: boolean
  readonly number: number
  readonly batch: number
}

/**
 * A rule: items that have this value of this lookup are disabled. Rules are numbered in the order in which they were
 * set. A rule may end with a scope.
 *
 * @category models
 * @since 0.2.0
 */
export interface ModelRule {
  readonly attribute: string
  readonly value: unknown
  readonly scope: string | undefined
  readonly number: number
}

/**
 * A subscription, with the changes that it has not read yet: the contents after each.
 *
 * @category models
 * @since 0.1.0
 */
export interface ModelSubscription<out Item> {
  readonly name: string
  readonly changes: ReadonlyArray<ReadonlyArray<Item>>
}

/**
 * The result of an operation: a value, an error or a defect by its tag and code, or, for a transaction that was rolled
 * back on purpose, the results of its operations. A waiting operation has no result yet, and changes nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type OperationResult =
  | { readonly ok: unknown }
  | { readonly error: string; readonly code: string }
  | { readonly defect: string; readonly code: string }
  | { readonly aborted: ReadonlyArray<OperationResult> }
  | { readonly waits: true }

/**
 * The arguments of every operation. Scopes and subscriptions have names. `as` runs an operation for an owner.
 * `transact` runs a list of operations, continues after failures, and commits, fails or dies at the end. `subscribe`
 * returns the visible contents, and `nextChange` the contents after the next change that its subscription has not read.
 * `kept` returns the items of a hook that keeps a map of them (G28). `lease` answers as `get` does, and what was acquired
 * for the item stays until the scope closes (G31).
 *
 * @category models
 * @since 0.1.0
 */
export interface OperationArguments<in out Item> {
  readonly get: [attribute: string, value: unknown]
  readonly lease: [attribute: string, value: unknown, scope: string]
  readonly getOption: [attribute: string, value: unknown]
  readonly getAll: [attribute: string, value: unknown]
  readonly has: [attribute: string, value: unknown]
  readonly contains: [item: Item]
  readonly size: []
  readonly values: []
  readonly kept: []
  readonly at: [index: number]
  readonly state: []
  readonly register: [item: Item]
  readonly registerAll: [items: ReadonlyArray<Item>]
  readonly upsert: [item: Item]
  readonly registerScoped: [item: Item, scope: string]
  readonly registerAllScoped: [items: ReadonlyArray<Item>, scope: string]
  readonly upsertScoped: [item: Item, scope: string]
  readonly override: [item: Item, scope: string]
  readonly disable: [attribute: string, value: unknown]
  readonly disableScoped: [attribute: string, value: unknown, scope: string]
  readonly enable: [attribute: string, value: unknown]
  readonly close: [scope: string]
  readonly unregister: [item: Item]
  readonly unregisterBy: [attribute: string, value: unknown]
  readonly unregisterOwner: [owner: string]
  readonly replace: [attribute: string, value: unknown, item: Item]
  readonly reconcile: [items: ReadonlyArray<Item>, owner?: string]
  readonly populate: []
  readonly refresh: []
  readonly reset: []
  readonly explain: [attribute: string, value: unknown]
  readonly awaitItem: [attribute: string, value: unknown]
  readonly subscribe: [subscription: string]
  readonly nextChange: [subscription: string]
  readonly as: [owner: string, operation: OwnedOperation<Item>]
  readonly transact: [operations: OperationList<Item>, ending: TransactionEnding]
}

/**
 * How a transaction ends.
 *
 * @category models
 * @since 0.1.0
 */
export type TransactionEnding = "commit" | "fail" | "die"

/**
 * The operations that can run for an owner.
 *
 * @category models
 * @since 0.1.0
 */
export type OwnedOperation<Item> =
  | readonly [operation: "register" | "upsert", item: Item]
  | readonly [operation: "registerScoped" | "override", item: Item, scope: string]
  | readonly [operation: "reconcile", items: ReadonlyArray<Item>]

/**
 * The operations of a transaction, in order.
 *
 * @category models
 * @since 0.1.0
 */
export interface OperationList<Item> extends ReadonlyArray<Operation<Item>> {}

/**
 * An operation as plain data: its name and its arguments, `["register", item]` for instance.
 *
 * @category models
 * @since 0.1.0
 */
export type Operation<Item> = {
  [Name in keyof OperationArguments<Item>]: readonly [operation: Name, ...OperationArguments<Item>[Name]]
}[keyof OperationArguments<Item>]

/**
 * A sequential specification: the initial state, and the result and next state of each operation.
 *
 * @category models
 * @since 0.1.0
 */
export interface Specification<State, in Op> {
  readonly initial: State
  readonly step: (state: State, operation: Op) => readonly [result: OperationResult, next: State]
  /**
   * The states that an operation may leave before it takes effect: each registry that it populates is populated
   * separately.
   */
  readonly populations: (state: State, operation: Op) => ReadonlyArray<State>
}

/**
 * A result and the next state.
 *
 * @category models
 * @since 0.1.0
 */
export type ModelStep<Item> = readonly [result: OperationResult, next: ModelState<Item>]

/**
 * Every operation as a pure function, and `step`, which takes it as plain data. A registry begins as `initial`.
 *
 * @category models
 * @since 0.1.0
 */
export type Model<Item> =
  & Specification<ModelState<Item>, Operation<Item>>
  & {
    readonly [Name in keyof OperationArguments<Item>]: (
      state: ModelState<Item>,
      ...args: OperationArguments<Item>[Name]
    ) => ModelStep<Item>
  }

/**
 * Makes the model of a registry: the sequential meaning of its operations.
 *
 * **Example** (What a registry would answer)
 *
 * ```ts
 * import { RegistryTest } from "effect-registry/testing"
 *
 * const model = RegistryTest.model<{ readonly name: string }>({
 *   lookup: { name: { kind: "unique", select: (item) => item.name } },
 *   defaults: [{ name: "gzip" }]
 * })
 *
 * const [, state] = model.register(model.initial, { name: "brotli" })
 *
 * const answers = [model.values(state)[0], model.get(state, "name", "zip")[0]]
 *
 * answers // => [{ ok: [{ name: "gzip" }, { name: "brotli" }] }, { error: "ItemLookupError", code: "not_registered" }]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const model = <Item>(definition: ModelDefinition<Item>): Model<Item> => {
  type State = ModelState<Item>
  type Entry = ModelEntry<Item>
  type Step = ModelStep<Item>
  const lookups = Object.entries(definition.lookup).map(([attribute, lookup]) => ({
    attribute,
    select: lookup.select,
    unique: lookup.kind === "unique" || lookup.kind === "uniqueEach",
    each: lookup.kind === "uniqueEach" || lookup.kind === "groupEach",
    optional: lookup.optional === true
  }))
  const firstUnique = lookups.findIndex((lookup) => lookup.unique)

  // --- What is the same: one object or plain data with the same content (G11). An equivalence is asked of items that share
  // --- the first unique value that they have, and of those that have none.

  const areSame = sameBy(definition.equivalence)

  const isSameAs = (entry: Entry, item: Item): boolean => {
    if (!areSame(entry.item, item)) return false
    if (definition.equivalence === undefined) return true
    const keys = lookups.map((lookup) => lookup.unique ? keysOf(item, lookup) ?? [] : [])
    const first = keys.findIndex((own) => own.length > 0)
    return first === -1
      ? !lookups.some(({ unique }, index) => unique && entry.keys[index]!.length > 0)
      : includes(entry.keys[first]!, keys[first]![0])
  }

  const isChange = (entry: Entry, item: Item): boolean =>
    !areSame(entry.item, item) ||
    // an object that was changed since it was registered has other keys
    lookups.some((lookup, index) => !same(new Set(entry.keys[index]), new Set(keysOf(item, lookup))))

  // --- Population: the defaults and "Ready" come together, or nothing does (G2). A `Pending` registry holds nothing (G6).

  const initial: State = {
    state: "Pending",
    entries: [],
    waiting: [],
    rules: [],
    closed: [],
    owner: "",
    subscriptions: []
  }

  /** Whatever reads or changes works on a registry that is `Ready` (G17). */
  const whenReady = (state: State, then: (ready: State) => Step): Step => {
    if (state.state === "Ready") return then(state)
    const [result, filled] = insertAll({ ...state, owner: "defaults" }, definition.defaults ?? [])
    const entries = filled.entries.map((entry) => ({ ...entry, population: true }))
    return "ok" in result
      ? then(
        change(state, {
          state: "Ready",
          entries: state.waiting.reduce<ReadonlyArray<Entry>>((all, entry) => comeBack(state, all, entry), entries),
          waiting: []
        })
      )
      : [failure("PopulationError", "registration"), state]
  }

  /** Behind the defaults, in its old order; what is refused now is left out. */
  const comeBack = (state: State, entries: ReadonlyArray<Entry>, entry: Entry): ReadonlyArray<Entry> => {
    const back = accepted(state, entry.override ? entry : check(registrations(entries), entry.item, entry))
    return "keys" in back ? [...entries, back] : entries
  }

  // --- Following: every change that can be seen is told to all followers, once, in order, when it can be seen (G22).

  const change = (before: State, to: Partial<State>): State => {
    const state = { ...before, ...to }
    const seen = visibleIn(before)
    const now = visibleIn(state)
    const isSame = seen.length === now.length && seen.every((entry, index) => entry === now[index])
    return before.state === state.state && isSame ? state : tell(state)
  }

  const tell = (state: State): State => {
    if (state.published !== undefined) return { ...state, touched: true }
    const told = state.subscriptions.map(({ changes, name }) => ({ name, changes: [...changes, itemsIn(state)] }))
    return { ...state, subscriptions: told }
  }

  const itemsIn = (state: State): ReadonlyArray<Item> => visibleIn(state).map(({ item }) => item)

  /** What is published, and from then on the changes. */
  const subscribe = (state: State, name: string): Step => {
    if (state.published === undefined && state.state === "Pending") {
      return whenReady(state, (ready) => subscribe(ready, name))
    }
    const others = state.subscriptions.filter((one) => one.name !== name)
    return [ok(state.published ?? itemsIn(state)), { ...state, subscriptions: [...others, { name, changes: [] }] }]
  }

  const nextChange = (state: State, name: string): Step => {
    const [next, ...changes] = state.subscriptions.find((one) => one.name === name)?.changes ?? []
    if (next === undefined) return [waits, state]
    return [
      ok(next),
      { ...state, subscriptions: state.subscriptions.map((one) => one.name === name ? { name, changes } : one) }
    ]
  }

  // --- Overrides: an entry is hidden while an override shares a unique value with it, or is equal to it. Of two overrides, the
  // --- later one hides the other.

  const isUnder = (lower: Entry, upper: Entry): boolean => {
    if (!upper.override || lower.override && lower.number >= upper.number) return false
    return isSameAs(lower, upper.item) ||
      lookups.some(({ unique }, index) => unique && lower.keys[index]!.some((key) => includes(upper.keys[index]!, key)))
  }

  const onTopIn = (state: State): ReadonlyArray<Entry> =>
    state.entries.filter((entry) => !state.entries.some((other) => isUnder(entry, other)))

  const visibleIn = (state: State): ReadonlyArray<Entry> => onTopIn(state).filter((entry) => !isDisabled(state, entry))

  // --- Switches: an item is disabled while one rule fits it. All but reading and following goes on as if it were not (G30).

  const isDisabled = ({ rules }: State, entry: Entry): boolean =>
    rules.some(({ attribute, value }) => includes(entry.keys[lookupIndex(attribute, false)]!, value))

  const disable = (state: State, attribute: string, value: unknown, scope?: string): Step => {
    if (lookupIndex(attribute, false) === -1) return [invalidAttribute, state]
    const rule = { attribute, value, scope, number: numberIn(state) }
    return [ok(), unlessClosed(change(state, { rules: [...state.rules, rule] }), scope)]
  }

  const enable = (state: State, attribute: string, value: unknown): Step => {
    if (lookupIndex(attribute, false) === -1) return [invalidAttribute, state]
    const rest = state.rules.filter((rule) => rule.attribute !== attribute || !same(rule.value, value))
    return canEnable(state, rest) ? [ok(), change(state, { rules: rest })] : [unacquired, state]
  }

  /** What is disabled holds nothing: it is acquired again, all or nothing (G31). */
  const canEnable = (state: State, rules: ReadonlyArray<ModelRule>): boolean =>
    !state.entries.some((entry) =>
      isDisabled(state, entry) && !isDisabled({ ...state, rules }, entry) && isUnacquirable(entry)
    )

  const isUnacquirable = ({ item }: Entry): boolean => definition.unacquirable?.(item) === true

  // --- Reading: an item is found by all its keys (G8), in registration order (G12); `undefined` is no key, `null` and `NaN` are (G11).

  const reading = (answer: (entries: ReadonlyArray<Entry>) => OperationResult) => (state: State): Step =>
    whenReady(state, (ready) => [answer(visibleIn(ready)), ready])

  /** The place of a lookup in the definition, or -1 if there is none that can answer. */
  const lookupIndex = (attribute: string, mustBeUnique: boolean): number =>
    lookups.findIndex((lookup) => lookup.attribute === attribute && (lookup.unique || !mustBeUnique))

  const having = (entries: ReadonlyArray<Entry>, index: number, key: unknown): ReadonlyArray<Entry> =>
    entries.filter((entry) => includes(entry.keys[index]!, key))

  const equalTo = (entries: ReadonlyArray<Entry>, item: Item): Entry | undefined =>
    entries.find((entry) => isSameAs(entry, item))

  // --- Checks: an equal item first; then lookup by lookup, in the order of the definition, missing, then taken. Then hooks (G18).

  /** Its keys of a lookup, each once; nothing if it lacks an attribute that it may not lack. */
  const keysOf = (item: Item, { each, optional, select }: typeof lookups[number]) => {
    const selected = select(item)
    // the selector of an `Each` lookup answers an iterable
    const all = each && selected !== undefined ? Array.from(selected as Iterable<unknown>) : [selected]
    if (!optional && all.includes(undefined)) return undefined
    const keys: Array<unknown> = []
    for (const key of all) if (key !== undefined && !includes(keys, key)) keys.push(key)
    return keys
  }

  /** The entry of an item that has all its attributes. */
  const entryOf = (item: Item, as: Omit<Entry, "item" | "keys">): Entry | OperationResult => {
    const keys: Array<ReadonlyArray<unknown>> = []
    for (const lookup of lookups) {
      const own = keysOf(item, lookup)
      if (own === undefined) return failure("RegistrationError", "missing_attribute")
      keys.push(own)
    }
    return { ...as, item, keys }
  }

  const registration = (state: State, as: Partial<Entry> = {}): Omit<Entry, "item" | "keys"> => {
    const number = numberIn(state)
    return {
      scope: undefined,
      owner: state.owner,
      updatedBy: undefined,
      override: false,
      population: false,
      number,
      batch: number,
      ...as
    }
  }

  const numberIn = ({ entries, rules, waiting }: State): number =>
    1 + Math.max(
      0,
      ...rules.map(({ number }) => number),
      ...[...entries, ...waiting].flatMap(({ batch, number }) => [batch, number])
    )

  /** An override is in nobody's way: what comes while it lives goes below it. */
  const registrations = (entries: ReadonlyArray<Entry>): ReadonlyArray<Entry> =>
    entries.filter((entry) => !entry.override)

  /** The entry of an item that may be registered beside others, hidden ones included, or why it may not. */
  const check = (
    others: ReadonlyArray<Entry>,
    item: Item,
    as: Omit<Entry, "item" | "keys">
  ): Entry | OperationResult => {
    if (equalTo(others, item) !== undefined) return failure("AlreadyRegisteredError", "already_registered")
    for (const [index, lookup] of lookups.entries()) {
      const own = keysOf(item, lookup)
      if (own === undefined) return failure("RegistrationError", "missing_attribute")
      const isTaken = lookup.unique && own.some((key) => having(others, index, key).length > 0)
      if (isTaken) return failure("AlreadyRegisteredError", "attribute_registered")
    }
    return entryOf(item, as)
  }

  /** Hooks are asked when all else is well, and then what the item needs is acquired, unless it goes in disabled. */
  const accepted = (state: State, entry: Entry | OperationResult): Entry | OperationResult => {
    if (!("keys" in entry)) return entry
    if (definition.rejects?.(entry.item) === true) return failure("RegistrationError", "rejected")
    return !isDisabled(state, entry) && isUnacquirable(entry) ? unacquired : entry
  }

  // --- Changing: each is all or nothing (G7). What is registered comes last; what replaces keeps the position (G12).

  /** One after the other, all or none. A scope that has closed already takes them out at once (G25). */
  const insertAll = (state: State, items: ReadonlyArray<Item>, scope?: string): Step => {
    const [result, { entries }] = fill(state, items, { scope, batch: numberIn(state) })
    if (!("ok" in result) || items.length === 0) return [result, state]
    return [result, unlessClosed(change(state, { entries }), scope)]
  }

  const fill = (state: State, items: ReadonlyArray<Item>, as: Partial<Entry>): Step => {
    let next = state
    for (const item of items) {
      const entry = accepted(state, check(registrations(next.entries), item, registration(next, as)))
      if (!("keys" in entry)) return [entry, state]
      next = { ...next, entries: [...next.entries, entry] }
    }
    return [ok(), next]
  }

  const unlessClosed = (state: State, scope: string | undefined): State =>
    scope !== undefined && state.closed.includes(scope) ? close(state, scope)[1] : state

  /** Nothing that is there stands in the way of an override. */
  const override = (state: State, item: Item, scope: string): Step => {
    const entry = accepted(state, entryOf(item, registration(state, { scope, override: true })))
    if (!("keys" in entry)) return [entry, state]
    return [ok(), unlessClosed(change(state, { entries: [...state.entries, entry] }), scope)]
  }

  /** An update: the registration has another item. */
  const replaced = (state: State, previous: Entry, item: Item): Entry | OperationResult => {
    const others = previous.override
      ? state.entries.filter((entry) => !isUnder(entry, previous))
      : registrations(state.entries)
    return check(others.filter((entry) => entry !== previous), item, { ...previous, updatedBy: state.owner })
  }

  const swap = (state: State, previous: Entry, item: Item): Step => {
    const entry = accepted(state, replaced(state, previous, item))
    if (!("keys" in entry)) return [entry, state]
    return [ok(), change(state, { entries: state.entries.map((one) => one === previous ? entry : one) })]
  }

  /** An update that makes the registration one of another owner and scope. Nobody sees it where the item is the same. */
  const takeOver = (state: State, previous: Entry, item: Item, scope: string): Step => {
    const isNew = isChange(previous, item)
    const entry = isNew ? accepted(state, replaced(state, previous, item)) : previous
    if (!("keys" in entry)) return [entry, state]
    const { owner } = state
    const batch = previous.scope === scope ? previous.batch : numberIn(state)
    const next: Entry = { ...entry, scope, owner, updatedBy: owner, batch, population: false }
    const entries = state.entries.map((one) => one === previous ? next : one)
    return [ok(), unlessClosed(isNew ? change(state, { entries }) : { ...state, entries }, scope)]
  }

  // --- Reconciling: an item is matched by the first unique lookup, without one by `Equal`. Overrides are left alone; what they
  // --- hide is not. With an owner, its registrations alone are matched, and what others registered stays. Nothing is in the way but what stays, and the others that are given.

  const reconcile = (
    state: State,
    items: ReadonlyArray<Item>,
    owner?: string,
    isOwn = (entry: Entry) => owner === undefined || entry.owner === owner,
    population = false
  ): Step => {
    const matched = new Set<Entry>()
    const listed: Array<number | undefined> = []
    const added: Array<Item> = []
    const changed: Array<{ readonly previous: Entry; readonly item: Item }> = []
    const kept: Array<Item> = []
    const own = registrations(state.entries).filter(isOwn)
    const as = owner ?? state.owner
    const left = () => own.filter((entry) => !matched.has(entry))
    for (const item of items) {
      const entry = counterpart(left(), item)
      listed.push(entry?.number)
      if (entry === undefined) {
        added.push(item)
        continue
      }
      matched.add(entry)
      if (!isChange(entry, item)) kept.push(entry.item)
      else changed.push({ previous: entry, item })
    }
    const removed = left()
    let next: State = { ...state, entries: state.entries.filter((entry) => !removed.includes(entry)) }
    const put = (entry: Entry, previous: Entry): void => {
      next = { ...next, entries: next.entries.map((one) => one === previous ? entry : one) }
    }
    // what takes over a value of another that is replaced, too, waits until that is out
    const crossing = changed.filter(({ item, previous }) => {
      const entry = replaced({ ...next, owner: as }, previous, item)
      if ("keys" in entry) put(entry, previous)
      return !("keys" in entry)
    })
    const outgoing = crossing.map(({ previous }) => previous)
    for (const { item, previous } of crossing) {
      const others = registrations(next.entries).filter((one) => !outgoing.includes(one))
      const entry = check(others, item, { ...previous, updatedBy: as })
      if (!("keys" in entry)) return [entry, state]
      put(entry, previous)
    }
    const before = next.entries
    for (const item of added) {
      const entry = check(registrations(next.entries), item, registration(next, { owner: as, population }))
      if (!("keys" in entry)) return [entry, state]
      next = { ...next, entries: [...next.entries, entry] }
    }
    const additions = next.entries.slice(before.length)
    const list = listed.map((number) => before.find((entry) => entry.number === number) ?? additions.shift()!)
    const { entries, moved } = arrange({ ...state, entries: before }, list)
    for (const entering of [...changed.map(({ item }) => item), ...added]) {
      const entry = accepted(state, next.entries.find(({ item }) => item === entering)!)
      if (!("keys" in entry)) return [entry, state]
    }
    const report = {
      added,
      removed: removed.map(({ item }) => item),
      replaced: changed.map(({ item, previous }) => ({ previous: previous.item, item })),
      kept,
      moved
    }
    return [ok(report), change(state, { entries })]
  }

  /**
   * Those of a list permute their places, and others stay. What is new goes before the next of the list that is not, or
   * after all. As few as possible move, from the first to the last: each to behind the one before it.
   */
  const arrange = (state: State, list: ReadonlyArray<Entry>) => {
    const { entries } = state
    const rest = Array.from(list)
    const final = entries.flatMap((entry) =>
      list.includes(entry) ? rest.splice(0, 1 + rest.findIndex((one) => entries.includes(one))) : [entry]
    ).concat(rest)
    const stays = staying(entries, list, final)
    // what is new counts, too: another one may have to pass it, and nothing else that is visible
    const visible = visibleIn({ ...state, entries: final })
    const moved: Array<Item> = []
    let now = Array.from(entries)
    const indexOf = (entry: Entry) => now.filter((one) => visible.includes(one)).indexOf(entry)
    for (const [index, entry] of final.entries()) {
      if (stays.has(entry)) continue
      const to = index === 0 ? 0 : now.indexOf(final[index - 1]!) + 1
      if (now[to] === entry) continue
      const from = indexOf(entry)
      const before = now.slice(0, to).filter((one) => one !== entry)
      now = [...before, entry, ...now.slice(to).filter((one) => one !== entry)]
      if (from !== -1 && from !== indexOf(entry)) moved.push(entry.item)
    }
    return { entries: final, moved }
  }

  /** Those that are not listed, and the longest runs of others between them that are in their order already. */
  const staying = (
    entries: ReadonlyArray<Entry>,
    list: ReadonlyArray<Entry>,
    final: ReadonlyArray<Entry>
  ): ReadonlySet<Entry> => {
    const stays = new Set<Entry>()
    let run: Array<{ readonly entry: Entry; readonly place: number; readonly length: number }> = []
    let least = -1
    const take = (below: number) => {
      let length = Math.max(0, ...run.filter(({ place }) => place < below).map((one) => one.length))
      for (const one of run.toReversed()) {
        if (one.length === length) {
          stays.add(one.entry)
          length--
        }
      }
      run = []
    }
    for (const entry of final) {
      const place = entries.indexOf(entry)
      if (place === -1) continue
      if (!list.includes(entry)) {
        take(place)
        stays.add(entry)
        least = place
      } else if (place > least) {
        const length = 1 + Math.max(0, ...run.filter((one) => one.place < place).map((one) => one.length))
        run.push({ entry, place, length })
      }
    }
    take(Infinity)
    return stays
  }

  /** The entry that has the first unique value of an item; without a unique lookup, one that is equal. */
  const counterpart = (entries: ReadonlyArray<Entry>, item: Item): Entry | undefined => {
    if (firstUniqueKeysOf(item).length === 0) return equalTo(entries, item)
    return havingFirstUnique(entries, item)
  }

  const firstUniqueKeysOf = (item: Item): ReadonlyArray<unknown> =>
    firstUnique === -1 ? [] : keysOf(item, lookups[firstUnique]!) ?? []

  const havingFirstUnique = (entries: ReadonlyArray<Entry>, item: Item): Entry | undefined =>
    firstUniqueKeysOf(item).flatMap((key) => having(entries, firstUnique, key))[0]

  const without = (state: State, gone: (entry: Entry) => boolean): State =>
    state.entries.some(gone) ? change(state, { entries: state.entries.filter((entry) => !gone(entry)) }) : state

  const remove = (state: State, gone: Entry): Step => [ok(), without(state, (entry) => entry === gone)]

  /** What does something with the one item that has a value of a unique lookup, disabled or not. */
  const located = (state: State, attribute: string, value: unknown, then: (entry: Entry, ready: State) => Step): Step =>
    whenReady(state, (ready) => {
      const index = lookupIndex(attribute, true)
      if (index === -1) return [failure("ItemLookupError", "invalid_attribute"), ready]
      const [entry] = having(onTopIn(ready), index, value)
      return entry === undefined ? [failure("ItemLookupError", "not_registered"), ready] : then(entry, ready)
    })

  /** The same without an error for what is not there. */
  const looked = (
    state: State,
    attribute: string,
    value: unknown,
    answer: (found: Entry | undefined) => OperationResult
  ) =>
    reading((entries) => {
      const index = lookupIndex(attribute, true)
      return index === -1 ? invalidAttribute : answer(having(entries, index, value)[0])
    })(state)

  /** What one operation registered goes by itself, the last first, and so does a rule. */
  const close = (state: State, scope: string): Step => {
    const isOf = (one: { readonly scope: string | undefined }) => one.scope === scope
    const batches = new Set([
      ...state.entries.filter(isOf).map(({ batch }) => batch),
      ...state.rules.filter(isOf).map(({ number }) => number)
    ])
    const next = Array.from(batches).toSorted((one, other) => other - one).reduce((rest, batch) => {
      const rules = rest.rules.filter(({ number }) => number !== batch)
      if (rules.length === rest.rules.length) return without(rest, (entry) => entry.batch === batch)
      if (canEnable(rest, rules)) return change(rest, { rules })
      // a close cannot be refused: the rule stays, and ends with no scope any more
      return { ...rest, rules: rest.rules.map((rule) => rule.number === batch ? { ...rule, scope: undefined } : rule) }
    }, state)
    const waiting = state.waiting.filter((entry) => entry.scope !== scope)
    const closed = state.closed.includes(scope) ? state.closed : [...state.closed, scope]
    return [ok(), { ...next, waiting, closed }]
  }

  const operations: Omit<Model<Item>, keyof Specification<never, never>> = {
    get: (state, attribute, value) =>
      located(state, attribute, value, (entry, ready) => [
        isDisabled(ready, entry) ? failure("ItemLookupError", "disabled") : ok(entry.item),
        ready
      ]),
    // nobody sees that it is kept
    lease: (state, attribute, value) => operations.get(state, attribute, value),
    getOption: (state, attribute, value) =>
      looked(state, attribute, value, (entry) => ok(entry === undefined ? Option.none() : Option.some(entry.item))),
    getAll: (state, attribute, value) =>
      reading((entries) => {
        const index = lookupIndex(attribute, false)
        return index === -1 ? invalidAttribute : ok(having(entries, index, value).map((entry) => entry.item))
      })(state),
    has: (state, attribute, value) =>
      reading((entries) => {
        const index = lookupIndex(attribute, false)
        return index === -1 ? invalidAttribute : ok(having(entries, index, value).length > 0)
      })(state),
    contains: (state, item) => reading((entries) => ok(equalTo(entries, item) !== undefined))(state),
    size: reading((entries) => ok(entries.length)),
    values: reading((entries) => ok(entries.map((entry) => entry.item))),
    // what a hook knows when no other transaction is in flight: those inside this one have told it of what they did
    kept: reading((entries) => ok(entries.map((entry) => entry.item))),
    at: (state, index) =>
      reading((entries) => {
        const entry = Number.isInteger(index) ? entries.at(index) : undefined
        return ok(entry === undefined ? Option.none() : Option.some(entry.item))
      })(state),
    state: (state) => [ok(state.state), state],

    register: (state, item) => whenReady(state, (ready) => insertAll(ready, [item])),
    registerAll: (state, items) => whenReady(state, (ready) => insertAll(ready, items)),
    upsert: (state, item) =>
      whenReady(state, (ready) => {
        const onTop = onTopIn(ready)
        const holder = havingFirstUnique(onTop, item) ?? equalTo(onTop, item)
        if (holder !== undefined) return isChange(holder, item) ? swap(ready, holder, item) : [ok(), ready]
        return equalTo(registrations(ready.entries), item) === undefined ? insertAll(ready, [item]) : [ok(), ready]
      }),
    upsertScoped: (state, item, scope) =>
      whenReady(state, (ready) => {
        const onTop = onTopIn(ready)
        const holder = havingFirstUnique(onTop, item) ?? equalTo(onTop, item)
        return holder === undefined ? insertAll(ready, [item], scope) : takeOver(ready, holder, item, scope)
      }),
    registerScoped: (state, item, scope) => whenReady(state, (ready) => insertAll(ready, [item], scope)),
    registerAllScoped: (state, items, scope) => whenReady(state, (ready) => insertAll(ready, items, scope)),
    override: (state, item, scope) => whenReady(state, (ready) => override(ready, item, scope)),
    disable,
    disableScoped: disable,
    enable,
    // exactly what was registered in it; it never populates, and what is gone is no error (G25)
    close,
    unregister: (state, item) =>
      whenReady(state, (ready) => {
        const entry = equalTo(onTopIn(ready), item)
        return entry === undefined ? [failure("ItemLookupError", "unregister"), ready] : remove(ready, entry)
      }),
    unregisterBy: (state, attribute, value) => located(state, attribute, value, (entry, ready) => remove(ready, entry)),
    replace: (state, attribute, value, item) =>
      located(state, attribute, value, (entry, ready) => swap(ready, entry, item)),
    unregisterOwner: (state, owner) =>
      whenReady(state, (ready) => {
        const owned = ready.entries.filter((entry) => entry.owner === owner)
        return [ok(owned.map(({ item }) => item)), without(ready, (entry) => entry.owner === owner)]
      }),
    refresh: (state) => {
      if (state.state === "Pending") return whenReady(state, (ready) => [ok(), ready])
      const [result, next] = reconcile(
        state,
        definition.defaults ?? [],
        "defaults",
        ({ population }) => population,
        true
      )
      return "ok" in result ? [ok(), next] : [failure("PopulationError", "registration"), state]
    },
    reconcile: (state, items, owner) => whenReady(state, (ready) => reconcile(ready, items, owner)),
    // it never populates
    explain: (state, attribute, value) => {
      const index = lookupIndex(attribute, true)
      if (index === -1) return [invalidAttribute, state]
      if (state.state === "Pending") return [ok({ _tag: "Pending" }), state]
      const visible = visibleIn(state)
      const [present] = having(visible, index, value)
      if (present !== undefined) {
        const hides = state.entries.filter((entry) => isUnder(entry, present)).map(({ item }) => item)
        const { item, owner, updatedBy } = present
        return [ok({ _tag: "Present", item, owner, updatedBy, hides }), state]
      }
      const hidden = topmost(having(state.entries, index, value))
      if (hidden === undefined) return [ok({ _tag: "Absent" }), state]
      const by = topmost(state.entries.filter((entry) => isUnder(hidden, entry)))
      if (by === undefined) return [ok({ _tag: "Disabled", item: hidden.item }), state]
      return [ok({ _tag: "Hidden", item: hidden.item, by: by.item }), state]
    },
    // a fiber that waits goes on when the item is there, and not before
    awaitItem: (state, attribute, value) =>
      looked(state, attribute, value, (entry) => entry === undefined ? waits : ok(entry.item)),
    subscribe,
    nextChange,
    as: (state, owner, operation) => {
      const [result, next] = step({ ...state, owner }, operation)
      return [result, { ...next, owner: state.owner }]
    },
    populate: (state) => whenReady(state, (ready) => [ok(), ready]),
    // a fresh start with the same scopes
    reset: (state) => {
      if (state.state === "Pending") return [ok(), state]
      const waiting = state.entries.filter(({ scope }) => scope !== undefined)
      return [ok(), change(state, { state: "Pending", entries: [], waiting })]
    },
    transact: (state, list, ending) =>
      whenReady(state, (begun) => {
        const { published, touched } = begun
        const results: Array<OperationResult> = []
        let draft: State = { ...begun, published: published ?? itemsIn(begun), touched: undefined }
        for (const operation of list) {
          const [result, next] = step(draft, operation)
          // it would wait for itself
          results.push("waits" in result ? { defect: "DeadlockError", code: "deadlock" } : result)
          draft = next
        }
        const { subscriptions } = draft
        if (ending === "commit") {
          const committed = { ...draft, published, touched }
          return [ok(results), draft.touched === true ? tell(committed) : committed]
        }
        // nothing of it is left, but what a closing scope removed stays removed (G7, G25)
        return [
          { aborted: results },
          draft.closed.reduce((rest, scope) => close(rest, scope)[1], { ...begun, subscriptions })
        ]
      })
  }

  const step = (state: State, [name, ...args]: Operation<Item>): Step =>
    // the arguments are those of the name, which the type of a union of functions cannot say
    (operations[name] as (state: State, ...args: ReadonlyArray<unknown>) => Step)(state, ...args)

  const populations = (state: State, [name]: Operation<Item>): ReadonlyArray<State> =>
    state.state === "Ready" || neverPopulates.has(name) ? [] : [operations.populate(state)[1]]

  return { ...operations, initial, step, populations }
}

const neverPopulates: ReadonlySet<string> = new Set(
  ["state", "reset", "close", "explain", "nextChange", "disable", "disableScoped", "enable"] satisfies Array<
    Operation<unknown>[0]
  >
)

/**
 * The states of several registries, by name.
 *
 * @category models
 * @since 0.1.0
 */
export interface JointState<out Item> {
  readonly registries: { readonly [registry: string]: ModelState<Item> }
}

/**
 * An operation on one of several registries, or a transaction of all of them: a list of operations, which continues
 * after failures, and commits, fails or dies at the end.
 *
 * @category models
 * @since 0.1.0
 */
export type JointOperation<Item> =
  | readonly ["on", registry: string, operation: Operation<Item>]
  | readonly [
    "transactAll",
    operations: ReadonlyArray<readonly [registry: string, operation: Operation<Item>]>,
    ending: TransactionEnding
  ]

/**
 * The model of several registries that change together.
 *
 * @category models
 * @since 0.1.0
 */
export interface JointModel<Item> extends Specification<JointState<Item>, JointOperation<Item>> {}

/**
 * Makes the model of several registries. They are independent, except that `transactAll` is one step of all of them.
 *
 * **Example** (A move from one to the other)
 *
 * ```ts
 * import { RegistryTest } from "effect-registry/testing"
 *
 * const model = RegistryTest.modelAll<string>({ enabled: { lookup: {}, defaults: ["gzip"] }, disabled: { lookup: {} } })
 *
 * const [, moved] = model.step(model.initial, [
 *   "transactAll",
 *   [["enabled", ["unregister", "gzip"]], ["disabled", ["register", "gzip"]]],
 *   "commit"
 * ])
 *
 * model.step(moved, ["on", "disabled", ["values"]])[0] // => { ok: ["gzip"] }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const modelAll = <Item>(
  definitions: { readonly [registry: string]: ModelDefinition<Item> }
): JointModel<Item> => {
  type State = JointState<Item>
  const models = new Map(Object.entries(definitions).map(([name, definition]) => [name, model(definition)]))

  const initial: State = { registries: Object.fromEntries(Array.from(models, ([name, one]) => [name, one.initial])) }

  const put = ({ registries }: State, name: string, state: ModelState<Item>): State => ({
    registries: { ...registries, [name]: state }
  })

  const modelOf = (name: string): Model<Item> => {
    const one = models.get(name)
    if (one === undefined) throw new Error(`There is no registry "${name}".`)
    return one
  }

  const on = (state: State, name: string, f: (one: Model<Item>, state: ModelState<Item>) => ModelStep<Item>) => {
    const [result, next] = f(modelOf(name), state.registries[name]!)
    return [result, put(state, name, next)] as const
  }

  /** All are populated, each by itself; then each does its part, in the one step of all. */
  const transactAll = (
    state: State,
    operations: Extract<JointOperation<Item>, readonly ["transactAll", ...ReadonlyArray<unknown>]>[1],
    ending: TransactionEnding
  ): readonly [OperationResult, State] => {
    let next = state
    for (const [name] of operations) modelOf(name)
    for (const name of models.keys()) {
      const [result, ready] = on(next, name, (one, before) => one.populate(before))
      if (!("ok" in result)) return [result, next]
      next = ready
    }
    const results = new Map<string, Array<OperationResult>>()
    for (const name of models.keys()) {
      const part = operations.filter(([registry]) => registry === name).map(([, operation]) => operation)
      const [result, after] = on(next, name, (one, before) => one.transact(before, part, ending))
      next = after
      results.set(name, resultsOf(result))
    }
    const all = operations.map(([registry]) => results.get(registry)!.shift()!)
    return [ending === "commit" ? ok(all) : { aborted: all }, next]
  }

  const populationsOf = (state: State, name: string, operation: Operation<Item>): ReadonlyArray<State> =>
    modelOf(name).populations(state.registries[name]!, operation).map((populated) => put(state, name, populated))

  return {
    initial,
    step: (state, operation) =>
      operation[0] === "on"
        ? on(state, operation[1], (one, before) => one.step(before, operation[2]))
        : transactAll(state, operation[1], operation[2]),
    populations: (state, operation) =>
      operation[0] === "on"
        ? populationsOf(state, operation[1], operation[2])
        : Array.from(models.keys()).flatMap((name) => populationsOf(state, name, ["populate"]))
  }
}

/** What a transaction that has begun answers is the results of its operations. */
const resultsOf = (result: OperationResult): Array<OperationResult> =>
  "aborted" in result ? [...result.aborted] : "ok" in result ? [...result.ok as ReadonlyArray<OperationResult>] : []

/** Overrides lie above others, the newest one on top. */
const topmost = <Item>(entries: ReadonlyArray<ModelEntry<Item>>): ModelEntry<Item> | undefined =>
  entries.toSorted((one, other) => Number(other.override) - Number(one.override) || other.number - one.number)[0]

const ok = (value?: unknown): OperationResult => ({ ok: value })

/** It has nothing to answer yet. */
const waits = { waits: true } as const

const failure = (error: string, code: string): OperationResult => ({ error, code })

/** What the item needs could not be acquired. */
const unacquired: OperationResult = { error: "RegistrationError", code: "acquire" }

/** An attribute that is no lookup, where the type of the error has no place for it. */
const invalidAttribute = { defect: "ItemLookupError", code: "invalid_attribute" } as const

const includes = (keys: ReadonlyArray<unknown>, key: unknown): boolean => keys.some((one) => same(one, key))
