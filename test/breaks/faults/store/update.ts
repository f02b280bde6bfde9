/** Faults in `src/internal/store/update.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "an item that goes stays in all indexes but the first",
    find: "if (stays?.(key, slot) !== true) indexes",
    replace: "if (slot === 0 && stays?.(key, slot) !== true) indexes",
    caught: { file: "atomicity.test.ts", title: "G8 an item is found by all its attributes or by none" }
  },
  {
    name: "an item that comes is in the first index only",
    find: "    indexes[slot] = indexes[slot]!.add(key, entry)",
    replace: "    if (slot === 0) indexes[slot] = indexes[slot]!.add(key, entry)",
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
    find: "  const added = new Entry(item, keys, origin, previous)",
    replace: `  contents.order = Order.remove(contents.order, previous.position)
  const added = new Entry(item, keys, origin, { registration: previous.registration })
  place(contents, added)`,
    caught: { file: "atomicity.test.ts", title: "G12 replace keeps the position, in values, at and group lookups" }
  },
  {
    name: "an item that replaces an override reveals nothing",
    find: "revealed: contents.withheld?.left(contents, previous) ?? [] }",
    replace: "revealed: [] }",
    caught: {
      file: "override.test.ts",
      title: "the replacement of an override is an override, which hides only items that it"
    }
  },
  {
    name: "an update is a new registration",
    find: "const added = new Entry(item, keys, origin, previous)",
    replace: "const added = new Entry(item, keys, origin, { position: previous.position })",
    caught: {
      file: "registrations.test.ts",
      title: "G27 closing a scope removes what was registered in it, after replace, with"
    }
  },
  {
    name: "an item that takes over a key of another is a new registration",
    find: "new Entry(item, keys, previous.origin.updatedBy(origin), previous)",
    replace: "new Entry(item, keys, previous.origin.updatedBy(origin))",
    caught: {
      file: "registrations.test.ts",
      title: "G27 closing a scope removes what was registered in it, after reconcile, with exchanged names"
    }
  },
  {
    name: "an item that takes over a key of another is in the scope of what reconciles",
    find: "new Entry(item, keys, previous.origin.updatedBy(origin), previous)",
    replace: "new Entry(item, keys, origin, previous)",
    caught: {
      file: "registrations.test.ts",
      title: "G27 closing a scope removes what was registered in it, after reconcile, with exchanged names"
    }
  }
]
