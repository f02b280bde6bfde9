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
  },
  {
    name: "circles are looked for without remembering the nodes that were seen",
    find: "if (holder === undefined || seen.has(holder)) return undefined",
    replace: "if (holder === undefined) return undefined",
    caught: {
      file: "nesting.test.ts",
      title: "a wait behind many that are shared is looked at once, not once for each way to it"
    }
  },
  {
    name: "the first in line is not woken when the lock is given back",
    find: "    this.holder = undefined\n    this.wakeLater()\n",
    replace: "    this.holder = undefined\n",
    caught: { file: "locking.test.ts", title: "G13 waiting fibers get the lock in the order in which they came" }
  },
  {
    name: "a newcomer overtakes those that wait for the lock",
    find: "    if (this.holder === undefined && this.inLine === 0) {",
    replace: "    if (this.holder === undefined) {",
    caught: {
      file: "locking.test.ts",
      title: "G13 operations happen one after another, hooks included, under schedules"
    }
  },
  {
    name: "a fiber that is interrupted when it is given the lock keeps it",
    find: "        if (this.holder === node) this.release()\n        return Effect.failCause(cause)",
    replace: "        return Effect.failCause(cause)",
    caught: {
      file: "locking.test.ts",
      title: "G13 a fiber that is interrupted in any step of its wait leaves the lock to the next, under schedules"
    }
  },
  {
    name: "a fiber that has given up waiting for the lock counts as one that waits",
    find: "      onFailure: (cause) => {\n        this.inLine--\n",
    replace: "      onFailure: (cause) => {\n",
    caught: {
      file: "locking.test.ts",
      title: "G13 a fiber that waits for the lock can be interrupted at once, and leaves no trace"
    }
  },
  {
    name: "a fiber that waits for the lock holds it when the registry has closed",
    find: "      if (this.ended) return Effect.interrupt\n",
    replace: "",
    caught: {
      file: "closing.test.ts",
      title: "G26 the draft of an open transaction can be read, also when another fiber had waited for the lock"
    }
  },
  {
    name: "the lock that an effect held is kept when the effect has ended",
    find: "          if (this.holder === holder) this.release()\n",
    replace: "",
    caught: {
      file: "caught.test.ts",
      title: "G7 G14 many items are inserted in several turns while a child of the transaction"
    }
  },
  {
    name: "an operation in runSync goes on behind its back",
    find: "if (!mayBeSync(fiber)) return waiting",
    replace: "return waiting",
    caught: { file: "runSync.test.ts", title: "register that has to wait for a population" }
  },
  {
    name: "an operation of an atom does not wait",
    find: " && !context.mapUnsafe.has(\"~effect/reactivity/AtomRegistry\")",
    replace: " && context !== undefined",
    caught: { file: "runSync.test.ts", title: "an atom, which begins in the same way, waits" }
  },
  {
    name: "a fiber that runSync leaves behind does not wait",
    find: "void Promise.resolve().then(end)",
    replace: "",
    caught: { file: "runSync.test.ts", title: "fibers that it leaves behind on purpose" }
  },
  {
    name: "a fiber that runSync leaves behind, and has tasks, does not wait",
    find: "fiber.currentDispatcher.scheduleTask(look(false), Infinity)",
    replace: "fiber.currentDispatcher.scheduleTask(look(true), Infinity)",
    caught: { file: "runSync.test.ts", title: "fibers that it leaves behind on purpose" }
  },
  {
    name: "a population that could go on in runSync is given up",
    find: "running?.cache.scheduler === fiber.cache.scheduler) running.currentDispatcher.flush()",
    replace: "running?.cache.scheduler === fiber.cache.scheduler) {}",
    caught: { file: "runSync.test.ts", title: "a population that takes many turns" }
  }
]
