/** Faults in `src/internal/engine/waiting.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "no lock",
    find: "    if (this.holder === undefined && this.inLine === 0) {",
    replace: "    if (this.inLine >= 0) {",
    caught: {
      file: "locking.test.ts",
      title: "G13 operations happen one after another, hooks included, under schedules"
    }
  },
  {
    name: "the circle of waits is not looked for",
    find: "const circle = findCircle(node, wait)",
    replace: "const circle = undefined as ReadonlyArray<WaitNode> | undefined",
    caught: {
      file: "locking.test.ts",
      title: "under schedules, three registries whose hooks write to each other in a circle"
    }
  },
  {
    name: "a wait is not taken down when it has ended",
    find: "one.waits?.delete(wait)",
    replace: "void one",
    caught: {
      file: "nesting.test.ts",
      title: "G16 no false alarm: a wait of an inner transaction, when it has ended, is over for all around it"
    }
  },
  {
    name: "outer transactions are not seen to wait",
    find: `      for (let one: WaitNode | undefined = node; one !== undefined; one = one.outer) {
        ;(one.waits`,
    replace: "      for (const one of [node]) {\n        ;(one.waits",
    caught: {
      file: "caught.test.ts",
      title: "G16 a circle of waits that leads over an outer transaction is a deadlock"
    }
  },
  {
    name: "a chain names all registries of a transactAll as one",
    find: "nodes.flatMap(({ source: { name, names = [name] } }) => names)",
    replace: "nodes.map(({ name }) => name)",
    caught: {
      file: "transactAll.test.ts",
      title: "a deadlock through a transactAll that waits for its second lock is seen, and"
    }
  }
]
