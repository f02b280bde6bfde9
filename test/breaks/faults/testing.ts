/** Faults in `src/testing`. */
import type { Break } from "../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "layerPedantic does not replay the maps that hooks keep by a unique value",
    find: "wrong.concat(kept.wrong(held, hook))",
    replace: "wrong",
    caught: {
      file: "pedantic.test.ts",
      title: "G28 makes an operation die in which the new item came before the old one had gone"
    }
  },
  {
    name: "a hook is believed to keep items by the first lookup alone",
    find: "definition.lookups[slot]?.unique === true",
    replace: "slot === 0",
    caught: {
      file: "pedantic.test.ts",
      title: "G28 makes an operation die in which the new item came before the old one had gone"
    }
  },
  {
    name: "the model enables what cannot be acquired",
    find: "return canEnable(state, rest) ? [ok(), change(state, { rules: rest })] : [unacquired, state]",
    replace: "return [ok(), change(state, { rules: rest })]",
    caught: { file: "programs.test.ts", title: "a connected registry answers what the model answers" }
  },
  {
    name: "the model ends a rule with its scope, whatever cannot be acquired",
    find: "if (canEnable(rest, rules)) return change(rest, { rules })",
    replace: "return change(rest, { rules })",
    caught: { file: "programs.test.ts", title: "a connected registry answers what the model answers" }
  },
  {
    name: "the model acquires for what goes in disabled",
    find: "return !isDisabled(state, entry) && isUnacquirable(entry) ? unacquired : entry",
    replace: "return isUnacquirable(entry) ? unacquired : entry",
    caught: { file: "programs.test.ts", title: "a connected registry answers what the model answers" }
  },
  {
    name: "the law of what is acquired looks only when all has gone",
    find: "        yield* must(tally.wrong(enabled.map(({ item }) => item), \"acquired\"))\n",
    replace: "",
    caught: {
      file: "laws.test.ts",
      title:
        "what was acquired is forgotten: it breaks the law \"what is acquired is released once\", and the report says how"
    }
  }
]
