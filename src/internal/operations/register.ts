/** Registering items. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as RegistryError from "../../RegistryError.ts"
import * as Change from "../engine/change.ts"
import type { Operation, Transaction } from "../engine/core.ts"
import { carryOut, entering, enteringAll, mutation, type Planner } from "../engine/mutation.ts"
import { maxPerStep, type Pausing, sequence, withoutPauses, withPauses } from "../engine/sequence.ts"
import { longStep, step } from "../engine/transaction.ts"
import { check, isRefusal } from "../store/check.ts"
import type { Entry } from "../store/entry.ts"
import * as Update from "../store/update.ts"

type Failure = RegistryError.RegistrationFailure

/** The engine checks the item and asks hooks, applies this plan to the draft, tells hooks, and publishes the draft. */
export const register = <Item, P, V>(item: Item): Operation<Item, P, V, Entry<Item> | undefined, Failure | V | P> =>
  mutation<Item, P, V, Entry<Item> | undefined, Failure, V>("register", item, undefined, registering(item))

export const registering = <Item, P, V>(item: Item): Planner<Item, P, V, Entry<Item>, Failure> => (transaction) => {
  const { draft, origin, steps } = transaction
  const keys = check(draft, item)
  if (isRefusal(keys)) return Exit.fail(keys)
  return Exit.succeed({
    moves: () => [{ entering: entering(transaction, item), leaving: [] }],
    apply: () => {
      const { added, contents } = Update.insert(draft, item, keys, origin)
      if (contents.size > draft.size) steps.push(new Change.Inserted([added], draft.size, transaction.reason))
      transaction.draft = contents
      return added
    }
  })
}

export const registerAll = <Item, P, V>(
  items: ReadonlyArray<Item>
): Operation<Item, P, V, ReadonlyArray<Entry<Item>>, Failure | V | P> => ({
  name: "registerAll",
  about: items.length === 1 ? items[0] : undefined,
  runsHooks: true,
  step: insertAtOnce(items),
  body: (transaction) => registerAllIn(transaction, items),
  undone: () => Effect.succeed([])
})

export const registerAllIn = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  items: ReadonlyArray<Item>
): Effect.Effect<ReadonlyArray<Entry<Item>>, Failure | V | P> =>
  transaction.hooks.length === 0
    ? insertAllIn(transaction, items)
    : acquiresAtOnce(transaction)
    ? carryOut(transaction, registeringAll<Item, P, V>(items))
    : oneByOne(transaction, items, (item) => registering<Item, P, V>(item))

/** Whether hooks acquire for several items of a list at once. */
export const acquiresAtOnce = <Item>({ core, hooks }: Transaction<Item>): boolean =>
  core.concurrency !== 1 && hooks.some(({ handlers }) => handlers.acquire !== undefined)

/** All are checked, then acquired for side by side, and put in together. */
export const registeringAll = <Item, P, V>(
  items: ReadonlyArray<Item>,
  refused: (item: Item) => void = () => {}
): Planner<Item, P, V, ReadonlyArray<Entry<Item>>, Failure> =>
(transaction) => {
  const { draft, origin, steps } = transaction
  let contents = draft
  const added: Array<Entry<Item>> = []
  for (const item of items) {
    const keys = check(contents, item)
    if (isRefusal(keys)) {
      refused(item)
      return Exit.fail(keys)
    }
    const next = Update.insert(contents, item, keys, origin)
    contents = next.contents
    added.push(next.added)
  }
  return Exit.succeed({
    moves: () => enteringAll(transaction, items, refused).map((one) => ({ entering: one, leaving: [] })),
    apply: () => {
      const visible = Update.visibleOf(contents, added)
      if (visible.length > 0) steps.push(new Change.Inserted(visible, draft.size, transaction.reason))
      transaction.draft = contents
      return added
    }
  })
}

/** The same where no hook is to be called. */
export const insertAllIn = <Item, P, V>(
  transaction: Transaction<Item, P, V>,
  items: ReadonlyArray<Item>
): Effect.Effect<ReadonlyArray<Entry<Item>>, Failure | P> =>
  items.length <= maxPerStep
    ? step(transaction, () => withoutPauses(insertAll(transaction, items)))
    : longStep(transaction, () => withPauses(insertAll(transaction, items)))

/** Carries out one mutation after the other: the hooks of one end before the next is planned. */
export const oneByOne = <Item, P, V, A, B, E, W>(
  transaction: Transaction<Item, P, V>,
  list: ReadonlyArray<A>,
  planner: (a: A) => Planner<Item, P, V, B, E, W>
): Effect.Effect<ReadonlyArray<B>, E | W | P> => {
  const answers: Array<B> = []
  const all = sequence(
    list,
    (a) => Effect.mapEager(carryOut(transaction, planner(a)), (answer) => answers.push(answer)),
    transaction.restore
  )
  return Effect.mapEager(all, () => answers)
}

/** Puts a list in, if it is short enough for one step. */
export const insertAtOnce =
  <Item>(items: ReadonlyArray<Item>) =>
  (transaction: Transaction<Item>): Exit.Exit<ReadonlyArray<Entry<Item>>, Failure> | undefined =>
    items.length <= maxPerStep ? withoutPauses(insertAll(transaction, items)) : undefined

const insertAll = function*<Item>(
  transaction: Transaction<Item>,
  items: ReadonlyArray<Item>
): Pausing<Exit.Exit<ReadonlyArray<Entry<Item>>, Failure>> {
  const { draft, origin, steps } = transaction
  const builder = new Update.Builder(draft, items.length, origin)
  let finished = false
  try {
    const refused = yield* each(items, (item) => builder.add(item))
    if (refused !== undefined) return Exit.fail(refused)
    const { added, contents } = builder.finish()
    finished = true
    if (contents.size > draft.size) {
      steps.push(new Change.Inserted(Update.visibleOf(contents, added), draft.size, transaction.reason))
    }
    if (added.length > 0) transaction.draft = contents
    return Exit.succeed(added)
  } finally {
    if (!finished) builder.abandon()
  }
}

/** Runs `f` on one element after the other, with pauses, until it answers something. */
export const each = function*<A, B>(list: ReadonlyArray<A>, f: (a: A) => B | undefined): Pausing<B | undefined> {
  for (let i = 0; i < list.length; i++) {
    if (i > 0 && i % maxPerStep === 0) yield
    const answer = f(list[i]!)
    if (answer !== undefined) return answer
  }
  return undefined
}
