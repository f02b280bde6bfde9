/** Faults in `src/internal/features/hookOrder.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a hook without constraints makes way for one that has to come earlier",
    find: "rest.find((part) => (part === free || isConstrained(part)) && isReady(part)) ?? ",
    replace: "",
    caught: {
      file: "hookOrder.test.ts",
      title: "leave hooks without constraints where they were, in every order of their installation"
    }
  },
  {
    name: "constraints that turn hooks without constraints round are a circle",
    find: "isReady(part)) ?? rest.find(isReady)",
    replace: "isReady(part))",
    caught: { file: "hookOrder.test.ts", title: "move others only where their constraints leave no other order" }
  },
  {
    name: "the place that a layer gives to hooks takes that of their own",
    find: "places: [{ ...place, arrange }, ...part.places ?? []]",
    replace: "places: [{ ...place, arrange }]",
    caught: {
      file: "hookOrder.test.ts",
      title: "by a layer, or by addHooks, they are of all parts of the hooks, besides their own"
    }
  }
]
