/** Faults in `src/internal/operations/register.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "the events of a registration tell another position",
    find: "Inserted([added], draft.size, ",
    replace: "Inserted([added], 0, ",
    caught: { file: "programs.test.ts", title: "a plain registry answers what the model answers" }
  },
  {
    name: "no check after onItemRegistering",
    find:
      `export const registering = <Item, P, V>(item: Item): Planner<Item, P, V, Entry<Item>, Failure> => (transaction) => {
  const { draft, origin, steps } = transaction
  const keys = check(draft, item)
`,
    replace: `export const registering = <Item, P, V>(
  item: Item,
  first = { isOver: false }
): Planner<Item, P, V, Entry<Item>, Failure> =>
(transaction) => {
  const { draft, origin, steps } = transaction
  const keys = first.isOver ? draft.definition.lookups.map(({ select }) => select(item)) : check(draft, item)
  first.isOver = transaction.hooks.length > 0
`,
    caught: {
      file: "hooks.test.ts",
      title: "G18 the checks are repeated after onItemRegistering: a hook has registered the key"
    }
  },
  {
    name: "no check before onItemRegistering",
    find:
      `export const registering = <Item, P, V>(item: Item): Planner<Item, P, V, Entry<Item>, Failure> => (transaction) => {
  const { draft, origin, steps } = transaction
  const keys = check(draft, item)
`,
    replace: `export const registering = <Item, P, V>(
  item: Item,
  first = { isOver: false }
): Planner<Item, P, V, Entry<Item>, Failure> =>
(transaction) => {
  const { draft, origin, steps } = transaction
  const keys = first.isOver || transaction.hooks.length === 0
    ? check(draft, item)
    : draft.definition.lookups.map(({ select }) => select(item))
  first.isOver = true
`,
    caught: {
      file: "hooks.test.ts",
      title: "G18 no hook is called for an item that cannot be registered, or unregistered"
    }
  },
  {
    name: "a list that was refused is kept",
    find: "    if (!finished) builder.abandon()\n",
    replace: "",
    caught: {
      file: "identity.test.ts",
      title: "can be collected after a list of them was refused, or its transaction failed"
    }
  }
]
