/** Switches: a rule withholds the items that have a value of a lookup, now or later, as long as it stands. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Change from "../engine/change.ts"
import { contentsOf, type Core, type Transaction } from "../engine/core.ts"
import { carryOutBy, type Plan, returning } from "../engine/mutation.ts"
import { current } from "../engine/read.ts"
import { maxPerStep, type Pausing, sequence, withoutPauses, withPauses } from "../engine/sequence.ts"
import { longStep, step } from "../engine/transaction.ts"
import { indexOf } from "../operations/find.ts"
import { each } from "../operations/register.ts"
import { inserted } from "../operations/unregister.ts"
import { runWithoutPopulation, whenClosing } from "../operations/upkeep.ts"
import * as Contents from "../store/contents.ts"
import { slotOf } from "../store/definition.ts"
import * as Order from "../store/order.ts"
import { bounded, messageOf, show } from "../store/wording.ts"
import { fits, layersIn, layersOf, reveal, type Rule, withhold } from "./layers.ts"

/** Makes a rule about a value, which ends with the scope, if there is one. */
export const disable = <Item, P, V>(
  core: Core<Item, P, V>,
  attribute: string,
  value: unknown,
  reason: string,
  scope?: Scope.Scope
): Effect.Effect<void> =>
  Effect.asVoid(runWithoutPopulation<Item, P, V, Rule>(core, {
    name: "disable",
    kind: "upkeep",
    runsHooks: true,
    body: (transaction) => {
      const rule = { ...aboutValue(transaction.draft, attribute, value), reason, by: transaction.owner, scope }
      return Effect.mapEager(carryOut(transaction, () => disabling(transaction, rule)), () => rule)
    },
    undone: ({ draft }) => Effect.succeed({ ...aboutValue(draft, attribute, value), reason, by: "" }),
    ...(scope && { committed: (rule) => Scope.addFinalizer(scope, endRule(core, rule)) })
  }))

/** Ends every rule about a value. No hook is asked whether the items may come back, but what they need is acquired. */
export const enable = <Item, P, V>(core: Core<Item, P, V>, attribute: string, value: unknown): Effect.Effect<void, V> =>
  runWithoutPopulation<Item, P, V, void, V>(core, {
    name: "enable",
    kind: "enabling",
    runsHooks: true,
    body: (transaction) => {
      const { key, slot } = aboutValue(transaction.draft, attribute, value)
      return carryOut(
        transaction,
        () => enabling(transaction, (rule) => rule.slot === slot && Equal.equals(rule.key, key))
      )
    },
    undone: () => Effect.void
  })

const endRule = <Item, P, V>(core: Core<Item, P, V>, rule: Rule): Effect.Effect<void> =>
  whenClosing(
    core,
    "enable",
    (contents) => layersOf(contents)?.rules.includes(rule) === true,
    (transaction) => endRules(transaction, (other) => other === rule)
  )

/**
 * Ends rules, as a part of a transaction that cannot be refused. Items whose needs cannot be acquired stay disabled, also
 * where a hook died: then the defect surfaces as well.
 */
export const endRules = <Item, V>(
  transaction: Transaction<Item, never, V>,
  ends: (rule: Rule) => boolean
): Effect.Effect<void> =>
  Effect.catchCause(
    carryOut(transaction, () => enabling(transaction, ends)),
    (cause) => {
      const defects = cause.reasons.filter((reason) => !Cause.isFailReason(reason))
      transaction.defects = Cause.combine(transaction.defects, Cause.fromReasons(defects))
      return keepRules(transaction, ends, messageOf(Cause.squash(cause)))
    }
  )

/** Says in the reason of rules why they stay. */
const keepRules = <Item, V>(
  transaction: Transaction<Item, never, V>,
  ends: (rule: Rule) => boolean,
  why: string
): Effect.Effect<void> => {
  const { name } = transaction.core.definition
  const keeping = step(transaction, ({ draft }) => {
    const layers = layersIn(draft)
    const rules = layers.rules.map((rule) =>
      ends(rule) ? { ...rule, reason: bounded(`${rule.reason} (it could not be enabled: ${why})`) } : rule
    )
    transaction.draft = Contents.copy(draft, { withheld: layers.withRules(rules) })
    return Exit.succeed(layers.rules.filter(ends))
  })
  return Effect.flatMap(
    keeping,
    (kept) =>
      sequence(
        kept,
        ({ attribute, value }) =>
          Effect.logWarning(bounded(`${show(attribute)} = ${show(value)} stays disabled in ${show(name)}: ${why}`))
      )
  )
}

const aboutValue = <Item>(
  contents: Contents.Contents<Item>,
  attribute: string,
  value: unknown
): Pick<Rule, "attribute" | "value" | "slot" | "key"> => {
  const key = indexOf(contents, attribute, value, false).keyFor(value)
  return { attribute, value, slot: slotOf(contents.definition.lookups, attribute), key }
}

const carryOut = <Item, V, W>(
  transaction: Transaction<Item, never, V>,
  planning: () => Pausing<Plan<Item, void, W>>
): Effect.Effect<void, W> =>
  carryOutBy(transaction, (use) => {
    const planned = function*() {
      return Exit.succeed(use(yield* planning()))
    }
    const { size, withheld } = transaction.draft
    return size + (withheld?.entries.length ?? 0) <= maxPerStep
      ? step(transaction, () => withoutPauses(planned()))
      : longStep(transaction, () => withPauses(planned()))
  })

const disabling = function*<Item, V>(
  transaction: Transaction<Item, never, V>,
  rule: Rule
): Pausing<Plan<Item, void, never>> {
  const { draft, owner, steps } = transaction
  const leaving = Contents.entries(draft).filter(({ keys }) => fits(draft.definition, rule, keys)).toReversed()
  const layers = layersIn(draft)
  const contents = Contents.copy(draft, { withheld: layers.withRules([...layers.rules, rule]) })
  const positions: Array<number> = []
  yield* each(leaving, (entry) => {
    positions.push(Order.rank(contents.order, entry.position))
    withhold(contents, entry)
  })
  return {
    moves: () => leaving.map((entry) => ({ leaving: [entry] })),
    apply: () => {
      if (leaving.length > 0) steps.push(new Change.Removed(leaving, positions, owner, "switch"))
      transaction.draft = contents
    }
  }
}

const enabling = function*<Item, V>(
  transaction: Transaction<Item, never, V>,
  ends: (rule: Rule) => boolean
): Pausing<Plan<Item, void, V>> {
  const { draft, steps } = transaction
  const layers = layersIn(draft)
  const [ended, rules] = [layers.rules.filter(ends), layers.rules.filter((rule) => !ends(rule))]
  const remaining = layers.withRules(rules)
  const contents = Contents.copy(draft, { withheld: remaining })
  const enabled = ended.length === 0 ?
    [] :
    layers.entries.filter((entry) =>
      ended.some((rule) => fits(draft.definition, rule, entry.keys)) && remaining.reasonOf(entry) === undefined
    )
  const coming = enabled.filter((entry) => !remaining.withholds(contents, entry))
  yield* each(coming, (entry) => reveal(contents, entry))
  contents.withheld = layersOf(contents)?.settled()
  return {
    moves: () => enabled.map((entry) => ({ entering: returning(transaction, entry), leaving: [] })),
    apply: () => {
      if (ended.length === 0) return
      for (const entry of coming) steps.push(...inserted(contents, entry, "switch"))
      transaction.draft = contents
    }
  }
}

/**
 * A standing rule, and the items that it withholds.
 *
 * @category models
 * @since 0.2.0
 */
export interface DisabledRule<out Item> extends Contents.Reason {
  readonly items: ReadonlyArray<Item>
}

export const rules = <Item, P, V>(core: Core<Item, P, V>): Effect.Effect<ReadonlyArray<DisabledRule<Item>>> =>
  Effect.withFiber((fiber) => {
    const contents = current(core, fiber.context)?.draft ?? contentsOf(core)
    const layers = layersOf(contents)
    return Effect.succeed(
      (layers?.rules ?? []).map((rule) => {
        const { attribute, by, reason, value } = rule
        const entries = layers?.entries.filter(({ keys }) => fits(contents.definition, rule, keys)) ?? []
        return { attribute, value, reason, by, items: entries.map(({ item }) => item) }
      })
    )
  })
