/**
 * What the operations of a registry do to a draft. Checks come before hooks, and are repeated after them in the step
 * that changes the draft: a hook may have changed anything.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as RegistryError from "../../RegistryError.ts"
import * as Change from "../engine/change.ts"
import type { Core, Operation, Transaction } from "../engine/core.ts"
import * as Hooks from "../engine/hooks.ts"
import { collect, sequence, turn } from "../engine/sequence.ts"
import { failIfAny, longStep, run, step } from "../engine/transaction.ts"
import { nearMatches } from "../features/nearMatches.ts"
import * as Checking from "../store/check.ts"
import * as Contents from "../store/contents.ts"
import * as Definition from "../store/definition.ts"
import * as Matching from "../store/matching.ts"
import * as Order from "../store/order.ts"
import * as Changing from "../store/update.ts"

type Entry<Item> = Contents.Entry<Item>
type Failure = RegistryError.RegistrationFailure

// ---------------------------------------------------------------------------------------------------------------------
// Finding
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The place of a lookup in the definition; nothing if there is none that can answer.
 *
 * @internal
 */
export const lookupIndex = <Item>(
  definition: Definition.Definition<Item>,
  attribute: string,
  unique: boolean
): number | undefined => {
  const index = Definition.slotOf(definition.lookups, attribute)
  return index === -1 || unique && !definition.lookups[index]!.unique ? undefined : index
}

/** @internal */
export const invalidAttribute = <Item>(
  definition: Definition.Definition<Item>,
  attribute: string,
  unique: boolean,
  value: unknown
): RegistryError.ItemLookupError =>
  Definition.failure(definition, RegistryError.ItemLookupError, {
    code: "invalid_attribute",
    attribute: typeof attribute === "string" ? attribute : Formatter.format(attribute),
    value,
    suggestions: definition.lookups.filter((lookup) => lookup.unique || !unique).map((lookup) => lookup.attribute)
  })

type Located<Item> = Result.Result<Entry<Item>, RegistryError.ItemLookupError>

type Locate<Item> = (contents: Contents.Contents<Item>) => Located<Item>

/**
 * Why there is no entry that alone has a key.
 *
 * @internal
 */
export const notFound = <Item>(
  contents: Contents.Contents<Item>,
  attribute: string,
  value: unknown
): RegistryError.ItemLookupError => {
  const { definition } = contents
  const index = lookupIndex(definition, attribute, true)
  if (index === undefined) return invalidAttribute(definition, attribute, true, value)
  const suggestions = contents.size > fewKeys ? [] : nearMatches(value, contents.indexes[index]!.keys())
  return Definition.failure(definition, RegistryError.ItemLookupError, {
    code: "not_registered",
    attribute,
    value,
    suggestions
  })
}

const locateBy = <Item>(attribute: string, value: unknown): Locate<Item> => (contents) => {
  const entry = Contents.get(contents, attribute, value)
  return entry === undefined ? Result.fail(notFound(contents, attribute, value)) : Result.succeed(entry)
}

/** The entry of an equal item. */
const locate = <Item>(item: Item): Locate<Item> => (contents) => {
  const entry = Contents.find(contents, item)
  return entry === undefined ? Result.fail(notRegistered(contents, item)) : Result.succeed(entry)
}

const notRegistered = <Item>(contents: Contents.Contents<Item>, item: Item): RegistryError.ItemLookupError =>
  Definition.failure(contents.definition, RegistryError.ItemLookupError, {
    code: "unregister",
    item,
    suggestions: []
  })

/** Finds again what hooks were called for: that item itself, and nothing else in its place. */
const locateAgain = <Item>(
  contents: Contents.Contents<Item>,
  entry: Entry<Item>,
  locateEntry: Locate<Item>
): Located<Item> => {
  if (Contents.holds(contents, entry)) return Result.succeed(entry)
  const found = locateEntry(contents)
  return Result.isSuccess(found) && found.success.item !== entry.item
    ? Result.fail(notRegistered(contents, entry.item))
    : found
}

/** The number of keys up to which near matches are looked for. */
const fewKeys = 10_000

// ---------------------------------------------------------------------------------------------------------------------
// Registering
// ---------------------------------------------------------------------------------------------------------------------

/** @internal */
export const register = <Item, P, V>(item: Item): Operation<Item, P, V, void, Failure | V | P> => new Register(item)

/** Made by a constructor, as nodes of an order are. */
class Register<Item, P, V> implements Operation<Item, P, V, void, Failure | V | P> {
  readonly name: string
  readonly about: Item

  constructor(item: Item) {
    this.name = "register"
    this.about = item
  }

  step(transaction: Transaction<Item, P, V>): Exit.Exit<void, Failure> {
    const inserted = insertInto(transaction, this.about)
    return Exit.isSuccess(inserted) ? Exit.void : inserted
  }

  body(transaction: Transaction<Item, P, V>): Effect.Effect<void, Failure | V | P> {
    return Effect.mapEager(registerIn(transaction, this.about), () => undefined)
  }

  undone(): Effect.Effect<void> {
    return Effect.void
  }
}

/** @internal */
export const registerAll = <Item, P, V>(
  items: ReadonlyArray<Item>
): Operation<Item, P, V, ReadonlyArray<Entry<Item>>, Failure | V | P> => ({
  name: "registerAll",
  about: items.length === 1 ? items[0] : undefined,
  ...(items.length <= turn ? { step: insertAll(items) } : undefined),
  body: (transaction) => registerAllIn(transaction, items),
  undone: () => Effect.succeed([])
})

/**
 * The same until a scope closes.
 *
 * @internal
 */
export const scoped = <Item, P, V, E>(
  core: Core<Item, P, V>,
  scope: Scope.Scope,
  operation: Operation<Item, P, V, ReadonlyArray<Entry<Item>>, E>
): Operation<Item, P, V, ReadonlyArray<Entry<Item>>, E> => ({
  ...operation,
  // a scope that has closed in the meantime takes them out at once
  committed: (entries) => Scope.addFinalizer(scope, takeOut(core, entries))
})

const registerIn = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  item: Item
): Effect.Effect<Entry<Item>, Failure | V | P> => {
  const { calls, hooks } = transaction
  if (hooks.length === 0) return step(transaction, insert(item))
  return step(transaction, canInsert(item)).pipe(
    Effect.flatMapEager(() => registering(transaction, item)),
    Effect.flatMapEager(() => step(transaction, insert(item))),
    Effect.flatMapEager((entry) =>
      Effect.mapEager(Hooks.callAfter(hooks, "onItemRegistered", item, calls), () => entry)
    )
  )
}

/**
 * One after the other: an item's hooks end before the next is checked.
 *
 * @internal
 */
export const registerAllIn = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  items: ReadonlyArray<Item>
): Effect.Effect<ReadonlyArray<Entry<Item>>, Failure | V | P> =>
  Effect.suspend(() => {
    if (transaction.hooks.length === 0) {
      return items.length <= turn
        ? step(transaction, insertAll(items))
        : longStep(transaction, insertInChunks(items))
    }
    const entries: Array<Entry<Item>> = []
    const all = sequence(
      items,
      (item) => Effect.mapEager(registerIn(transaction, item), (entry) => entries.push(entry))
    )
    return Effect.mapEager(all, () => entries)
  })

/**
 * A hook refuses with an error that does not know the registry's name.
 *
 * @internal
 */
export const registering = <Item, P, V>(transaction: Transaction<Item, P, V>, item: Item): Effect.Effect<void, V> =>
  Effect.mapErrorEager(
    Hooks.callBefore(transaction.hooks, "onItemRegistering", item),
    (error) =>
      error instanceof RegistryError.RegistrationError && error.code === "rejected" && error.registry === ""
        // the same class with the name filled in, so still a V
        ? Definition.failure(transaction.core.definition, RegistryError.RegistrationError, {
          code: "rejected",
          item: error.item,
          ...(error.reason === undefined ? {} : { reason: error.reason })
        }) as V & RegistryError.RegistrationError
        : error
  )

const canInsert = <Item>(item: Item) => ({ draft }: Transaction<Item>): Exit.Exit<void, Failure> => {
  const checked = Checking.check(draft, item)
  return Result.isFailure(checked) ? Exit.fail(checked.failure) : Exit.void
}

const insert = <Item>(item: Item) => (transaction: Transaction<Item>): Exit.Exit<Entry<Item>, Failure> =>
  insertInto(transaction, item)

const insertInto = <Item>(transaction: Transaction<Item>, item: Item): Exit.Exit<Entry<Item>, Failure> => {
  const { draft, origin, steps } = transaction
  const checked = Checking.check(draft, item)
  if (Result.isFailure(checked)) return Exit.fail(checked.failure)
  const { added, contents } = Changing.insert(draft, item, checked.success, origin)
  steps.push(new Change.Inserted([added], draft.size))
  transaction.draft = contents
  return Exit.succeed(added)
}

/**
 * In one step.
 *
 * @internal
 */
export const insertAll =
  <Item>(items: ReadonlyArray<Item>) =>
  (transaction: Transaction<Item>): Exit.Exit<ReadonlyArray<Entry<Item>>, Failure> => {
    const filling = new Changing.Filling(transaction.draft, items.length, transaction.origin)
    for (let i = 0; i < items.length; i++) {
      const failure = filling.add(items[i]!)
      if (failure !== undefined) return Exit.fail(failure)
    }
    return Exit.succeed(finish(transaction, filling))
  }

const insertInChunks =
  <Item>(items: ReadonlyArray<Item>) =>
  (transaction: Transaction<Item>): Effect.Effect<ReadonlyArray<Entry<Item>>, Failure> => {
    const filling = new Changing.Filling(transaction.draft, items.length, transaction.origin)
    const from = (start: number): Effect.Effect<void, Failure> =>
      Effect.suspend(() => {
        const end = Math.min(start + turn, items.length)
        for (let i = start; i < end; i++) {
          const failure = filling.add(items[i]!)
          if (failure !== undefined) return Effect.fail(failure)
        }
        return end === items.length ? Effect.void : Effect.andThen(Effect.yieldNow, from(end))
      })
    return Effect.map(from(0), () => finish(transaction, filling))
  }

const finish = <Item>(transaction: Transaction<Item>, filling: Changing.Filling<Item>): ReadonlyArray<Entry<Item>> => {
  const { draft, steps } = transaction
  const { added, contents } = filling.finish()
  if (added.length === 0) return added
  steps.push(new Change.Inserted(added, draft.size))
  transaction.draft = contents
  return added
}

// ---------------------------------------------------------------------------------------------------------------------
// Unregistering
// ---------------------------------------------------------------------------------------------------------------------

/** @internal */
export const unregister = <Item, P, V>(item: Item) => unregisterLocated<Item, P, V>("unregister", item, locate(item))

/** @internal */
export const unregisterBy = <Item, P, V>(attribute: string, value: unknown) =>
  unregisterLocated<Item, P, V>("unregisterBy", value, locateBy(attribute, value))

const unregisterLocated = <Item, P, V>(
  name: string,
  about: unknown,
  locateEntry: Locate<Item>
): Operation<Item, P, V, void, RegistryError.ItemLookupError | P> => new Unregister(name, about, locateEntry)

/** Made by a constructor, as nodes of an order are. */
class Unregister<Item, P, V> implements Operation<Item, P, V, void, RegistryError.ItemLookupError | P> {
  readonly name: string
  readonly about: unknown
  readonly locate: Locate<Item>

  constructor(name: string, about: unknown, locateEntry: Locate<Item>) {
    this.name = name
    this.about = about
    this.locate = locateEntry
  }

  step(transaction: Transaction<Item, P, V>): Exit.Exit<void, RegistryError.ItemLookupError> {
    return onLocated(this.locate(transaction.draft), (entry) => {
      remove(transaction, entry)
      return Exit.void
    })
  }

  body(transaction: Transaction<Item, P, V>): Effect.Effect<void, RegistryError.ItemLookupError | P> {
    return Effect.flatMapEager(
      step(transaction, ({ draft }) => onLocated(this.locate(draft), Exit.succeed)),
      (entry) => unregisterIn(transaction, entry, this.locate)
    )
  }

  undone(): Effect.Effect<void> {
    return Effect.void
  }
}

const unregisterIn = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  entry: Entry<Item>,
  locateEntry: Locate<Item>
): Effect.Effect<void, RegistryError.ItemLookupError | P> => {
  const { calls, hooks } = transaction
  const removing = ({ draft }: Transaction<Item>) =>
    onLocated(locateAgain(draft, entry, locateEntry), (found) => Exit.succeed(remove(transaction, found)))
  return Hooks.callBefore(hooks, "onItemUnregistering", entry.item).pipe(
    Effect.flatMapEager(() => step(transaction, removing)),
    Effect.flatMapEager((revealed) =>
      Effect.flatMapEager(
        Hooks.callAfter(hooks, "onItemUnregistered", entry.item, calls),
        () => tellRevealed(transaction, revealed)
      )
    )
  )
}

const onLocated = <Item, A, E>(
  located: Located<Item>,
  f: (entry: Entry<Item>) => Exit.Exit<A, E>
): Exit.Exit<A, E | RegistryError.ItemLookupError> =>
  Result.isSuccess(located) ? f(located.success) : Exit.fail(located.failure)

/** Answers what came to light: an override may have lain above it. */
const remove = <Item>(transaction: Transaction<Item>, entry: Entry<Item>): ReadonlyArray<Entry<Item>> => {
  const { draft, steps } = transaction
  const { contents, revealed } = Changing.remove(draft, entry)
  // nobody outside sees a hidden entry go
  if (Contents.holds(draft, entry)) steps.push(new Change.Removed([entry]))
  transaction.draft = contents
  reveal(transaction, revealed)
  return revealed
}

const reveal = <Item>({ draft, steps }: Transaction<Item>, revealed: ReadonlyArray<Entry<Item>>): void => {
  for (const entry of revealed) {
    steps.push(new Change.Inserted([entry], Order.rank(draft.order, entry.position)))
  }
}

/** What an override has hidden comes back: it was checked when it came first, so no hook is asked whether it may. */
const tellRevealed = <Item, P, V>(
  { calls, hooks }: Transaction<Item, P, V>,
  revealed: ReadonlyArray<Entry<Item>>
): Effect.Effect<void> => sequence(revealed, ({ item }) => Hooks.callAfter(hooks, "onItemRegistered", item, calls))

// ---------------------------------------------------------------------------------------------------------------------
// Replacing
// ---------------------------------------------------------------------------------------------------------------------

/** @internal */
export const replace = <Item, P, V>(
  attribute: string,
  value: unknown,
  item: Item
): Operation<Item, P, V, void, Failure | RegistryError.ItemLookupError | V | P> => {
  const locateEntry = locateBy<Item>(attribute, value)
  return {
    name: "replace",
    about: item,
    step: (transaction) =>
      Exit.asVoid(onLocated(locateEntry(transaction.draft), (entry) => swap(transaction, entry, item))),
    body: (transaction) => replaceIn(transaction, locateEntry, item),
    undone: () => Effect.void
  }
}

/**
 * Replaces the item that has the first unique key of this one, or registers it.
 *
 * @internal
 */
export const upsert = <Item, P, V>(
  item: Item
): Operation<Item, P, V, void, Failure | V | P> => ({
  name: "upsert",
  about: item,
  step: (transaction) => {
    const holder = Matching.holderOfFirstKey(transaction.draft, item)
    return holder === undefined
      ? Exit.asVoid(insert(item)(transaction))
      : Exit.asVoid(swap(transaction, holder, item))
  },
  body: (transaction) =>
    Effect.flatMapEager(
      step(transaction, ({ draft }) => Exit.succeed(Matching.holderOfFirstKey(draft, item))),
      (holder) =>
        holder === undefined
          ? Effect.asVoid(registerIn(transaction, item))
          : replaceOrRegister(transaction, holder, item)
    ),
  undone: () => Effect.void
})

/** A hook may take out what is to be replaced: then there is nothing to replace. */
const replaceOrRegister = <Item, P, V>(transaction: Transaction<Item, P, V>, holder: Entry<Item>, item: Item) => {
  let gone: unknown
  const locateHolder: Locate<Item> = (contents) => {
    const entry = Contents.find(contents, holder.item)
    if (entry !== undefined && entry.item === holder.item) return Result.succeed(entry)
    const failure = notRegistered(contents, holder.item)
    gone = failure
    return Result.fail(failure)
  }
  return Effect.catchIf(
    replaceIn(transaction, locateHolder, item),
    (error): error is RegistryError.ItemLookupError => error === gone,
    () => Effect.mapEager(registerIn(transaction, item), () => undefined)
  )
}

/** Hooks: registering new, unregistering old, the swap, unregistered old, registered new. */
const replaceIn = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  locateEntry: Locate<Item>,
  item: Item
): Effect.Effect<void, Failure | RegistryError.ItemLookupError | V | P> => {
  const { calls, hooks } = transaction
  const checking = step(transaction, ({ draft }) =>
    onLocated(locateEntry(draft), (entry) => {
      const checked = Checking.check(draft, item, entry)
      return Result.isFailure(checked) ? Exit.fail(checked.failure) : Exit.succeed(entry)
    }))
  return Effect.flatMapEager(checking, (previous) => {
    const swapping = ({ draft }: Transaction<Item>) =>
      onLocated(locateAgain(draft, previous, locateEntry), (entry) => swap(transaction, entry, item))
    return registering(transaction, item).pipe(
      Effect.flatMapEager(() => Hooks.callBefore(hooks, "onItemUnregistering", previous.item)),
      Effect.flatMapEager(() => step(transaction, swapping)),
      Effect.flatMapEager((revealed) =>
        Hooks.callAfter(hooks, "onItemUnregistered", previous.item, calls).pipe(
          Effect.flatMapEager(() => Hooks.callAfter(hooks, "onItemRegistered", item, calls)),
          Effect.flatMapEager(() => tellRevealed(transaction, revealed))
        )
      )
    )
  })
}

/** Answers what came to light. */
const swap = <Item>(
  transaction: Transaction<Item>,
  previous: Entry<Item>,
  item: Item
): Exit.Exit<ReadonlyArray<Entry<Item>>, Failure> => {
  const { draft, origin, steps } = transaction
  const checked = Checking.check(draft, item, previous)
  if (Result.isFailure(checked)) return Exit.fail(checked.failure)
  const { added, contents, revealed } = Changing.replace(draft, previous, item, checked.success, origin)
  steps.push(new Change.Swapped(previous, added))
  transaction.draft = contents
  reveal(transaction, revealed)
  return Exit.succeed(revealed)
}

// ---------------------------------------------------------------------------------------------------------------------
// Resetting
// ---------------------------------------------------------------------------------------------------------------------

/** @internal */
export const reset = <Item, P, V>(core: Core<Item, P, V>): Effect.Effect<void> =>
  runWithoutPopulation(core, {
    name: "reset",
    kind: "reset",
    body: (transaction) => {
      const { base, hooks, parent } = transaction
      // a part of a reset or a population does nothing, and what is Pending is empty
      if (!base.populated || parent?.resetting === true || parent?.populating === true) return Effect.void
      if (hooks.length === 0) return step(transaction, emptyAtOnce)
      return Hooks.call(hooks, "onResetting").pipe(
        Effect.flatMapEager(() => step(transaction, endOverrides)),
        Effect.flatMapEager((entries) =>
          sequence(entries, (entry) => unregisterIfIn(transaction, entry, (call) => call(hooks)))
        ),
        Effect.flatMapEager(() => step(transaction, nothingLeft)),
        Effect.flatMapEager(() => Hooks.call(hooks, "onReset")),
        Effect.flatMapEager(() => step(transaction, emptied))
      )
    },
    undone: () => Effect.void
  })

/** What is hidden goes before the overrides do, so that it need not come back first. Answers what is left, newest first. */
const endOverrides = <Item>(transaction: Transaction<Item>): Exit.Exit<ReadonlyArray<Entry<Item>>> => {
  transaction.draft = Contents.withoutHidden(transaction.draft)
  return Exit.succeed(Contents.entries(transaction.draft).toReversed())
}

const emptyAtOnce = <Item>(transaction: Transaction<Item>): Exit.Exit<void> => {
  const { draft, steps } = transaction
  steps.push(new Change.Removed(Contents.entries(draft).toReversed()))
  transaction.draft = Contents.asPending(draft)
  return emptied(transaction)
}

const emptied = <Item>(transaction: Transaction<Item>): Exit.Exit<void> => {
  const exit = nothingLeft(transaction)
  if (Exit.isFailure(exit)) return exit
  transaction.draft = Contents.asPending(transaction.draft)
  transaction.populationScope = undefined
  // it was `Ready` until now, so this is not why it is `Pending`
  transaction.core.populationFailure = undefined
  transaction.steps.push({ _tag: "Reset" })
  return Exit.void
}

const nothingLeft = <Item>({ draft, name }: Transaction<Item>): Exit.Exit<void> => {
  const added = Contents.at(draft, 0)
  return added === undefined ? Exit.void : Exit.die(
    new Error(
      `Could not reset "${name}": a hook registered ${
        Formatter.format(added.item)
      } while its items were unregistered. ` +
        "What onResetting registers goes with the rest; what is to stay belongs into the defaults."
    )
  )
}

/** Calls hooks of parts: of all at once, or of one after the other. */
type Calling<Item, V> = (
  call: (parts: ReadonlyArray<Hooks.Part<Item, V>>) => Effect.Effect<void>
) => Effect.Effect<void>

/** Unregisters an entry, unless it is gone when its turn comes. One that is hidden goes without hooks. */
const unregisterIfIn = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  entry: Entry<Item>,
  calling: Calling<Item, V>
): Effect.Effect<void, P> | undefined => {
  const { calls, draft } = transaction
  if (!Contents.isIn(draft, entry)) return undefined
  const before = Contents.isHidden(draft, entry)
    ? Effect.void
    : calling((parts) => Hooks.callBefore(parts, "onItemUnregistering", entry.item))
  return before.pipe(
    Effect.flatMapEager(() => step(transaction, () => Exit.succeed(removeIfIn(transaction, entry)))),
    Effect.flatMapEager(({ revealed, visible }) =>
      Effect.flatMapEager(
        visible ? calling((parts) => Hooks.callAfter(parts, "onItemUnregistered", entry.item, calls)) : Effect.void,
        () =>
          sequence(revealed, ({ item }) => calling((parts) => Hooks.callAfter(parts, "onItemRegistered", item, calls)))
      )
    )
  )
}

const removeIfIn = <Item>(transaction: Transaction<Item>, entry: Entry<Item>) => {
  const { draft } = transaction
  const visible = Contents.holds(draft, entry)
  const revealed = Contents.isIn(draft, entry) ? remove(transaction, entry) : []
  return { visible, revealed }
}

// ---------------------------------------------------------------------------------------------------------------------
// Unregistering what one owner registered
// ---------------------------------------------------------------------------------------------------------------------

/** @internal */
export const unregisterOwner = <Item, P, V>(owner: string): Operation<Item, P, V, ReadonlyArray<Item>, P> => ({
  name: "unregisterOwner",
  body: (transaction) =>
    Effect.flatMapEager(
      step(transaction, ({ draft }) =>
        Exit.succeed({
          hidden: ownedBy(owner, Contents.hiddenEntries(draft)),
          visible: ownedBy(owner, Contents.entries(draft))
        })),
      ({ hidden, visible }) =>
        Effect.mapEager(
          // what is hidden goes first, the lowest before what lies above it: so none of it comes to light on its way out
          sequence(
            [...hidden, ...visible.toReversed()],
            (entry) => unregisterIfIn(transaction, entry, (call) => call(transaction.hooks))
          ),
          () => [...hidden, ...visible].toSorted((one, other) => one.position - other.position).map(({ item }) => item)
        )
    ),
  undone: () => Effect.succeed([])
})

const ownedBy = <Item>(owner: string, entries: ReadonlyArray<Entry<Item>>): ReadonlyArray<Entry<Item>> =>
  entries.filter(({ origin }) => origin.owner === owner)

// ---------------------------------------------------------------------------------------------------------------------
// When a scope closes
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Takes out exactly these registrations, newest first; one that is gone is no error. It never populates. A hook that
 * dies stops nothing: what is taken out stays out, and all defects surface.
 *
 * @internal
 */
export const takeOut = <Item, P, V>(
  core: Core<Item, P, V>,
  entries: ReadonlyArray<Entry<Item>>
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const contents = Ref.getUnsafe(core.published)
    const mayBeIn = core.lock.holder !== undefined || entries.some((entry) => Contents.isIn(contents, entry))
    if (core.closed || !mayBeIn) return Effect.void
    const overAgain = takeOut(core, entries)
    return unlessClosed(
      core,
      Effect.flatMap(
        runWithoutPopulation(core, {
          name: "closeScope",
          kind: "upkeep",
          step: (transaction) => {
            transaction.regardless = transaction.regardless.concat(overAgain)
            for (const entry of entries.toReversed()) removeIfIn(transaction, entry)
            return Exit.succeed(Cause.empty)
          },
          body: (transaction) => {
            transaction.regardless = transaction.regardless.concat(overAgain)
            let defects = Cause.empty
            const calling: Calling<Item, V> = (call) =>
              Effect.map(collect(transaction.hooks.toReversed(), (part) => call([part])), (causes) => {
                defects = Cause.combine(defects, causes)
              })
            const all = sequence(entries.toReversed(), (entry) => unregisterIfIn(transaction, entry, calling))
            return Effect.map(all, () => defects)
          },
          undone: (transaction) => {
            transaction.regardless = transaction.regardless.concat(overAgain)
            return Effect.succeed(Cause.empty)
          }
        }),
        failIfAny
      )
    )
  })

/**
 * A finalizer of another scope has nothing left to do when that of the registry has closed, at whatever moment.
 *
 * @internal
 */
export const unlessClosed = <Item, P, V>(core: Core<Item, P, V>, effect: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.catchCause(effect, (cause) => core.closed ? Effect.void : Effect.failCause(cause))

/**
 * Runs an operation that never populates, so that the error of a population cannot occur.
 *
 * @internal
 */
export const runWithoutPopulation = <Item, P, V, A>(
  core: Core<Item, P, V>,
  operation: Operation<Item, never, V, A, never> & { readonly kind: "reset" | "upkeep" }
): Effect.Effect<A> => run(core as Core<Item, never, V>, operation)
