/** Faults in `src/internal/store/update.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "an item that goes stays in all indexes but the first",
    find: "indexes[i] = indexes[i]!.remove(slot, entry)",
    replace: "if (i === 0) indexes[i] = indexes[i]!.remove(slot, entry)",
    caught: { file: "atomicity.test.ts", title: "G8 an item is found by all its attributes or by none" }
  },
  {
    name: "an item that comes is in the first index only",
    find: "indexes[i] = indexes[i]!.add(slot, entry)",
    replace: "if (i === 0) indexes[i] = indexes[i]!.add(slot, entry)",
    caught: { file: "atomicity.test.ts", title: "G8 an item is found by all its attributes or by none" }
  },
  {
    name: "an item goes by the keys that it has now",
    find: "  takeOut(contents, entry)\n",
    replace:
      `  takeOut(contents, { ...entry, keys: contents.definition.lookups.map(({ select }) => select(entry.item)) })
`,
    caught: { file: "atomicity.test.ts", title: "G9 keys are taken again after onItemRegistering, and kept" }
  },
  {
    name: "a replacement goes to the end",
    find: "new Entry(item, keys, origin, previous.position)",
    replace: "new Entry(item, keys, origin)",
    caught: { file: "atomicity.test.ts", title: "G12 replace keeps the position, in values, at and group lookups" }
  },
  {
    name: "what replaces an override is none",
    find: "new Origin(owner, revision, previous.origin.onTop)",
    replace: "new Origin(owner, revision, false)",
    caught: {
      file: "override.test.ts",
      title: "the replacement of an override is an override, which hides only items that it"
    }
  },
  {
    name: "what replaces an override brings nothing to light",
    find: "return { added, contents, revealed: self.withheld?.left(contents, previous) ?? none }",
    replace: "return { added, contents, revealed: none }",
    caught: {
      file: "override.test.ts",
      title: "the replacement of an override is an override, which hides only items that it"
    }
  }
]
