/** Faults in `src/internal/engine/together.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "locks of several registries are taken in the order in which they are given",
    find: "Array.from(new Set(cores)).toSorted((one, other) => one.serial - other.serial)",
    replace: "Array.from(new Set(cores))",
    caught: { file: "schedules.test.ts", title: "transactAll publishes two registries together" }
  },
  {
    name: "in transactions of some of its registries it begins others",
    find: "if (parents.length > 0 && parents.length < ordered.length) {",
    replace: "if (parents.length < 0) {",
    caught: {
      file: "transactAll.test.ts",
      title: "inside transactions of only some of its registries it dies, and names them"
    }
  },
  {
    name: "a fiber that waits for the locks of several registries holds none of them",
    find: "return lock.hold(node, next, node)",
    replace: "return lock.hold(node, next, new WaitNode(source, transactAll.name, undefined))",
    caught: {
      file: "transactAll.test.ts",
      title: "a deadlock through a transactAll that waits for its second lock is seen, and"
    }
  },
  {
    name: "one of several registries has closed, and the others are published",
    find: "if (cores.some(({ closed }) => closed)) return Effect.interrupt",
    replace: "",
    caught: {
      file: "closing.test.ts",
      title: "G26 in an open transaction no operation begins any more, but its draft can be"
    }
  },
  {
    name: "a registry that is Pending is held while the next is waited for",
    find: "parents.length === 0 && ordered.some((core) => !contentsOf(core).populated)",
    replace: "parents.length < 0",
    caught: { file: "deadlock.test.ts", title: "G16 transactAll of Pending registries, one of which needs the other" }
  },
  {
    name: "transactAll is undone only if all transactions around it are",
    find: "parents.some(({ state }) => state === \"undoing\")",
    replace: "parents.length > 0 && parents.every(({ state }) => state === \"undoing\")",
    caught: {
      file: "nesting.test.ts",
      title: "transactAll in one that is undone and one that is open changes the open one, and goes on with it"
    }
  },
  {
    name: "in a transaction of several registries hooks are in that of their own alone",
    find: "      transaction.innermost = group.at(-1)!\n",
    replace: "",
    caught: {
      file: "cleanup.test.ts",
      title: "G14 in a transactAll that fails they see each of its registries as it was, and change none"
    }
  },
  {
    name: "a transaction of several registries takes the next lock though the one around it is being undone",
    find: "arePending() || !areOpen(parents) ? Effect.undefined : inner",
    replace: "arePending() ? Effect.undefined : inner",
    caught: {
      file: "interrupting.test.ts",
      title: "a transactAll waits for the lock of the inner of two transactions, and then for that of"
    }
  },
  {
    name: "an interrupted transaction leaves one of several registries waiting, which holds its lock",
    find: "    node.fiber = fiber\n",
    replace: "",
    caught: {
      file: "interrupting.test.ts",
      title: "a transactAll that has the lock of the inner of two transactions waits for that of the"
    }
  },
  {
    name: "a transaction of several is interrupted where one has ended",
    find: "if (closed !== undefined) return useAfterEnd(closed.definition)",
    replace: "",
    caught: { file: "closing.test.ts", title: "G26 a use while a transaction of it is still open" }
  },
  {
    name: "a transaction of several that waited when one ended is told that it uses it after that",
    find: "ordered.some((core) => core.closed) ? Effect.interrupt : populatingFirst",
    replace: "populatingFirst",
    caught: { file: "closing.test.ts", title: "G26 a transaction of several that waits for one of them" }
  }
]
