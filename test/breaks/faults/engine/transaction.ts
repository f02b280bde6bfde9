/** Faults in `src/internal/engine/transaction.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "the one-step path looks in one step, and acts in the next",
    find: `  if (Exit.isSuccess(exit)) commit(transaction)
  observation?.released()
  return exit
`,
    replace: `  return Effect.flatMap(Effect.yieldNow, () => {
    if (Exit.isSuccess(exit)) commit(transaction)
    return exit
  })
`,
    caught: { file: "caught.test.ts", title: "G7 G11 writers without hooks race for keys, under schedules" }
  },
  {
    name: "a success does not give back its place as holder",
    find: "  group.forEach(close)\n  return after === undefined",
    replace: "  group.forEach((transaction) => transaction.close())\n  return after === undefined",
    caught: { file: "caught.test.ts", title: "G7 it is free when a transaction has ended: committed, failed, died or" }
  },
  {
    name: "a failure does not give back its place as holder",
    find: "      group.forEach(close)\n      return Effect.flatMap(collect(redo",
    replace: `      group.forEach((transaction) => transaction.close())
      return Effect.flatMap(collect(redo`,
    caught: { file: "caught.test.ts", title: "G7 it is free when a transaction has ended: committed, failed, died or" }
  },
  {
    name: "beginning and ending can be interrupted",
    find: "  return Effect.uninterruptibleMask((restore) => {\n    const taken =",
    replace: "  return Effect.suspend(() => {\n    const restore = <X>(x: X): X => x\n    const taken =",
    caught: { file: "sweeps.test.ts", title: "G7, G20 register, with hooks, from outside" }
  },
  {
    name: "a fiber that got the lock does not look whether the registry was reset meanwhile",
    find: "parent.state !== \"open\" || !transaction.canRun) {",
    replace: "parent.state !== \"open\") {",
    caught: {
      file: "caught.test.ts",
      title: "G17 a write that waited for a reset, and fails, leaves the registry populated"
    }
  },
  {
    name: "a reset that starts over populates first",
    find: "return populatesFirst ? Effect.flatMap(core.populate, () => anew) : anew",
    replace: "return operation.kind !== \"upkeep\" ? Effect.flatMap(core.populate, () => anew) : anew",
    caught: {
      file: "caught.test.ts",
      title: "G6 a reset that waited in a transaction, and finds it ended, does not populate"
    }
  },
  {
    name: "a step that waited for its turn does not look whether the registry was reset meanwhile",
    find: "    transaction.canRun ? Effect.exit(f(transaction)) : Effect.undefined",
    replace: "    Effect.exit(f(transaction))",
    caught: {
      file: "caught.test.ts",
      title: "G18 a hook forks a reset that ends before the item is inserted: the registry is"
    }
  },
  {
    name: "many items cannot be interrupted",
    find: "restore(lock.hold(transaction, turns))",
    replace: "lock.hold(transaction, turns)",
    caught: { file: "caught.test.ts", title: "G13 inserting many items can be interrupted between two turns" }
  },
  {
    name: "items are published before their hooks have run",
    find: "transaction.canRun && !transaction.busy ? f(transaction) : longStep(transaction, f)",
    replace: `{
  if (!transaction.canRun || transaction.busy) return longStep(transaction, f)
  const exit = f(transaction)
  if (transaction.parent === undefined) transaction.core.published.ref.current = transaction.draft
  return exit
}`,
    caught: {
      file: "locking.test.ts",
      title: "G15 readers are not blocked by a writer whose hook sleeps, and see the published"
    }
  },
  {
    name: "a step of the body does not wait for the nested transaction in flight",
    find: "transaction.canRun && !transaction.busy ? f(transaction)",
    replace: "transaction.canRun ? f(transaction)",
    caught: {
      file: "locking.test.ts",
      title: "G14 a hook forks a registration that runs beside its transaction: both succeed"
    }
  },
  {
    name: "nested transactions do not wait for a step that takes several turns",
    find: "restore(lock.hold(transaction, turns))",
    replace: "restore(turns)",
    caught: {
      file: "caught.test.ts",
      title: "G7 G14 many items are inserted in several turns while a child of the transaction"
    }
  },
  {
    name: "a transaction ends without waiting for the nested ones in flight",
    find: "if (busy !== undefined) return endAfter",
    replace: "if (busy !== undefined && Exit.isFailure(exit)) return endAfter",
    caught: { file: "locking.test.ts", title: "G14 a transaction waits for the nested ones of its children" }
  },
  {
    name: "a rollback does not wait for the nested ones in flight",
    find: "if (busy !== undefined) return endAfter",
    replace: "if (busy !== undefined && Exit.isSuccess(exit)) return endAfter",
    caught: {
      file: "caught.test.ts",
      title: "G7 a transaction that fails while its child works rolls back after the child has"
    }
  },
  {
    name: "an operation that waited in a transaction still works in it when it has ended",
    find: "if (core.closed || parent !== undefined && parent.state !== \"open\" || !transaction.canRun) {",
    replace: "if (core.closed || !transaction.canRun) {",
    caught: {
      file: "caught.test.ts",
      title: "G7 an operation that waited in a transaction, and finds it ended, works outside"
    }
  },
  {
    name: "a revision is not raised",
    find: "changed ? base.revision + 1 : base.revision",
    replace: "base.revision",
    caught: {
      file: "atomicity.test.ts",
      title: "G7 a nested transaction that fails leaves no trace in the one around it"
    }
  },
  {
    name: "a transaction that was open when its registry closed still publishes",
    find: "if (group.some(({ core }) => core.closed)) return undo(group, Cause.interrupt(), ending)",
    replace: "",
    caught: { file: "caught.test.ts", title: "G26 a transaction that is open when the registry closes rolls back, and" }
  },
  {
    name: "two registries are published one after the other",
    find: "  let after = ending.committed?.(exit.value)\n",
    replace: `  if (group.length > 1) {
    commit(group[0]!, false)
    close(group[0]!)
    return Effect.flatMap(Effect.yieldNow, () => commitOrUndo(group.slice(1), exit, {}))
  }
  let after = ending.committed?.(exit.value)
`,
    caught: { file: "schedules.test.ts", title: "transactAll publishes two registries together" }
  },
  {
    name: "a nested transaction drops what happened in it",
    find: "  for (const one of transaction.steps) parent.steps.push(one)\n",
    replace: "",
    caught: { file: "caught.test.ts", title: "G22 the change of a transaction contains the events of nested ones" }
  },
  {
    name: "a nested transaction drops the populations that ran in it",
    find: "  parent.scopes = parent.scopes.concat(transaction.scopes)\n",
    replace: "",
    caught: {
      file: "population.test.ts",
      title: "G4 its resources are released when the attempt fails, and when a transaction"
    }
  },
  {
    name: "a nested transaction drops whose population filled its draft",
    find: "  parent.populationScope = transaction.populationScope\n",
    replace: "",
    caught: {
      file: "caught.test.ts",
      title: "G4 a transaction resets and populates: the old resources are released, the new"
    }
  },
  {
    name: "a nested transaction drops what closed scopes took out",
    find: `  parent.redoAfterRollback = parent.redoAfterRollback.concat(transaction.redoAfterRollback)
`,
    replace: "",
    caught: {
      file: "scopes.test.ts",
      title: "G25 a scope that closes in a transaction that then fails: its items stay removed"
    }
  },
  {
    name: "a fiber in a transaction that is undone sees its draft",
    find: "  transaction.draft = transaction.base\n",
    replace: "",
    caught: {
      file: "atomicity.test.ts",
      title: "G7 while a transaction rolls back, its hooks see the contents from before it"
    }
  },
  {
    name: "an undo can be interrupted",
    find: "Effect.provideService(undoing, CurrentTransaction, group.at(-1))",
    replace: "Effect.interruptible(Effect.provideService(undoing, CurrentTransaction, group.at(-1)))",
    caught: { file: "sweeps.test.ts", title: "G7, G20 register, with hooks, from outside" }
  },
  {
    name: "a pre-hook that resets is believed: what comes after it works on the registry that is Pending",
    find: "transaction.canRun && !transaction.busy ? f(transaction)",
    replace: "!transaction.busy ? f(transaction)",
    caught: {
      file: "locking.test.ts",
      title: "G14 a hook resets the registry before the item is inserted: it is populated"
    }
  },
  {
    name: "several registries are published one after the other",
    find: "  let after = ending.committed?.(exit.value)\n",
    replace: `  let after = ending.committed?.(exit.value)
  if (group.length > 1) {
    commit(group[0]!, false)
    return Effect.suspend(() => {
      group.slice(1).forEach((one) => commit(one, false))
      group.forEach(close)
      return exit
    })
  }
`,
    caught: {
      file: "linearizability.test.ts",
      title: "G7 a reader of two registries sees both changes of a transactAll, or"
    }
  },
  {
    name: "calls of hooks are undone registry by registry",
    find: "  if (group.length > 1) calls.sort(([, one], [, other]) => one.serial - other.serial)\n",
    replace: "",
    caught: { file: "transactAll.test.ts", title: "rollback calls the hooks of all registries in reverse order" }
  },
  {
    name: "several registries end while one of them is at work",
    find: "const busy = group.find((transaction) => transaction.busy)",
    replace: "const busy = group.length > 1 ? undefined : group.find((transaction) => transaction.busy)",
    caught: {
      file: "transactAll.test.ts",
      title: "waits for the operations of its children when its body ends, in any of the"
    }
  },
  {
    name: "a population that failed takes out what scopes took out, which is nothing",
    find: "parent === undefined && !base.populated && base.waiting === undefined && base.withheld === undefined\n",
    replace: "parent === undefined && base === undefined\n",
    caught: {
      file: "deadlock.test.ts",
      title: "G16 an abandoned population takes no lock, though a scope has closed in it"
    }
  },
  {
    name: "streams do not end with their registry",
    find: "    core.published.ref.current = core.nothing\n    core.watchers?.wakeLater()\n",
    replace: "    core.published.ref.current = core.nothing\n",
    caught: {
      file: "closing.test.ts",
      title: "G26 the streams of subscribers end, whether they wait, run or stand still"
    }
  },
  {
    name: "a fiber that waits for the lock waits for ever when the registry has closed",
    find: "    core.lock.end()\n",
    replace: "",
    caught: {
      file: "closing.test.ts",
      title: "G26 waiting fibers are interrupted: for the lock, an item, a population, several"
    }
  },
  {
    name: "a selector began a transaction, and nobody looks",
    find: "if (exit === undefined || outerLock.holder !== undefined || base !==",
    replace: "if (exit === undefined || base !==",
    caught: { file: "races.test.ts", title: "G7 a selector that begins a transaction does not lose its write, though" }
  },
  {
    name: "a snapshot of a draft gets the revision of the published contents",
    find: "seen ? new Contents(draft) : draft",
    replace: "seen ? draft : new Contents(draft)",
    caught: { file: "atomicity.test.ts", title: "G8 a snapshot taken in a transaction does not change when the" }
  },
  {
    name: "the scopes of a failed population are closed before its hooks are played back",
    find: "  const undoing = Effect.flatMap(Hooks.undo(group), (hooks) => {",
    replace: "  const earlier = collect(scopes.splice(0), (scope) => Scope.close(scope, Exit.failCause(cause)))\n" +
      "  const undoing = Effect.flatMap(Effect.andThen(earlier, Hooks.undo(group)), (hooks) => {",
    caught: {
      file: "cleanup.test.ts",
      title: "G2 a population that fails: first its hooks are played back, and then its resources are released"
    }
  },
  {
    name: "the scopes of a failed population are closed with a success",
    find: "(scope) => Scope.close(scope, Exit.failCause(cause))",
    replace: "(scope) => Scope.close(scope, Exit.void)",
    caught: { file: "cleanup.test.ts", title: "G2 a hook that dies: a failure, with its defect" }
  },
  {
    name: "a transaction is published though hooks do not know all",
    find: "  if (one !== undefined) return Hooks.settle(one)\n",
    replace: "",
    caught: { file: "lastWord.test.ts", title: "by a hook: they know all when the transaction has ended" }
  },
  {
    name: "an operation that needs no lock is published without a last word",
    find: "core.closed || core.beforePublish !== undefined || core.shared",
    replace: "core.closed || core.shared",
    caught: { file: "lastWord.test.ts", title: "one that is refused fails, and is undone" }
  },
  {
    name: "a draft that changed during its last word is published without another",
    find: "draft !== base && draft !== approved",
    replace: "draft !== base && approved === undefined",
    caught: { file: "lastWord.test.ts", title: "it is asked again about what was changed while it was asked" }
  },
  {
    name: "a transaction that has changed nothing is asked about",
    find: "draft !== base && draft !== approved",
    replace: "draft !== approved",
    caught: {
      file: "lastWord.test.ts",
      title: "it is asked once, and not where nothing has changed, nor for what is nested"
    }
  },
  {
    name: "a nested transaction is asked about",
    find: "parent === undefined && core.beforePublish !== undefined",
    replace: "core.beforePublish !== undefined",
    caught: {
      file: "lastWord.test.ts",
      title: "it is asked once, and not where nothing has changed, nor for what is nested"
    }
  },
  {
    name: "a transaction that is delayed before it is published cannot be interrupted",
    find: "restore(Effect.suspend(() => unsaid.core.beforePublish!(unsaid)))",
    replace: "Effect.suspend(() => unsaid.core.beforePublish!(unsaid))",
    caught: { file: "lastWord.test.ts", title: "one that is delayed can be interrupted, and is undone" }
  },
  {
    name: "the last word holds up a scope that closes, which tries again and again",
    find: "  return unsaid.irrevocable ? Hooks.surviving",
    replace: "  return unsaid.defects === undefined ? Hooks.surviving",
    caught: {
      file: "lastWord.test.ts",
      title: "a scope that closes, and it refuses: what the scope holds goes, and the close dies of it"
    }
  },
  {
    name: "the last word is outside of the transaction that it is about",
    find: "Effect.provideService(last, CurrentTransaction, group.at(-1))",
    replace: "Effect.provideService(last, CurrentTransaction, undefined)",
    caught: { file: "lastWord.test.ts", title: "one that is refused fails, and is undone" }
  },
  {
    name: "a transaction that is interrupted waits for a nested one that never ends",
    find: "    lock.holder?.fiber?.interruptUnsafe()\n",
    replace: "",
    caught: {
      file: "nesting.test.ts",
      title: "G7 one that is interrupted interrupts the nested one in flight, whose hook would never end"
    }
  },
  {
    name: "a registry that closes leaves its gauges as they are",
    find: "    core.observer?.changed()\n    core.lock.end()\n",
    replace: "    core.lock.end()\n",
    caught: {
      file: "gauges.test.ts",
      title: "are 0 when it closes before the layer of metrics and its subscribers, and stay 0 when these end"
    }
  },
  {
    name: "an operation that has to wait for its lock holds it from before on",
    find: "    observation?.gaveUp()\n",
    replace: "",
    caught: {
      file: "lag.test.ts",
      title: "one that is interrupted while it waits, after a selector has begun a transaction, neither waits nor"
    }
  },
  {
    name: "a list whose transaction failed is kept",
    find: "  return sequence(entries, ([base, entry]) => forget(base, entry))",
    replace: "  return sequence(entries, () => undefined)",
    caught: {
      file: "identity.test.ts",
      title: "can be collected after a list of them was refused, or its transaction failed"
    }
  },
  {
    name: "a change that is not kept is gone before those that are told at once look",
    find: `    core.watchers?.wakeLater()
    // to move all of them for each that goes would take longer than most of the rest
    const more = core.changes.length - core.history
    if (more > core.history >>> 2) core.changes.splice(0, more)
`,
    replace: `    const more = core.changes.length - core.history
    if (more > core.history >>> 2) core.changes.splice(0, more)
    core.watchers?.wakeLater()
`,
    caught: { file: "RegistryHandle.test.ts", title: "G22 misses nothing, and repeats nothing" }
  },
  {
    name: "a reset of a registry that has ended is interrupted",
    find: "if (parent === undefined && core.closed) return useAfterEnd(core.definition)",
    replace: "",
    caught: { file: "closing.test.ts", title: "G26 a use while a transaction of it is still open" }
  },
  {
    name: "a hook in runSync goes on behind its back",
    find: "waiter !== undefined && mayBeSync(waiter)",
    replace: "false",
    caught: { file: "runSync.test.ts", title: "a hook of its own that does not end at once" }
  },
  {
    name: "a transaction that is being written can be changed",
    find: "(inner, transaction) => transaction.lock.hold(transaction, inner)",
    replace: "(inner) => inner",
    caught: {
      file: "shared.test.ts",
      title: "lets a fiber of a transaction that is being written wait, and change something after it"
    }
  },
  {
    name: "what a hook changes for another process is changed again",
    find: "parent?.state === \"undoing\" || parent?.kind === \"remote\"",
    replace: "parent?.state === \"undoing\"",
    caught: {
      file: "shared.test.ts",
      title: "that die, or change the registry, for what another process did change nothing"
    }
  }
]
