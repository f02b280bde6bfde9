/** Faults of `acquire`, `lease` and `RegistryResource`: in `src/internal/engine/acquiring.ts`, and where it is used. */
import type { Break } from "../../break.ts"

const file = "acquire.test.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "acquire: what was acquired is released before it is published that the item goes",
    find: "for (const next of [commit(transaction), released(transaction, true)]) {",
    replace:
      "for (const next of [void Effect.runFork(released(transaction, true) ?? Effect.void), commit(transaction)]) {",
    caught: { file, title: "is released after the item has gone for all readers, and the lock is free" }
  },
  {
    name: "acquire: what was acquired for an item that an override hides is released",
    find: "return entry !== undefined && isSame(entry.item, item) && Order.get(contents.waiting",
    replace: "return entry !== undefined && Contents.holds(contents, entry) && Order.get(contents.waiting",
    caught: { file, title: "is kept by an item that an override hides, and not by one that a rule disables" }
  },
  {
    name: "acquire: an item that goes in below an override loses what it acquired",
    find: ".concat(isHidden ? draft.withheld?.entries ?? [] : [])",
    replace: "",
    caught: { file, title: "of an item that goes in below an override is there at once, and kept" }
  },
  {
    name: "acquire: an item that a rule disables keeps what it acquired",
    find:
      "Order.get(contents.waiting, entry.position) === undefined &&\n    contents.withheld?.reasonOf(entry) === undefined",
    replace: "Order.get(contents.waiting, entry.position) === undefined",
    caught: { file, title: "is kept by an item that an override hides, and not by one that a rule disables" }
  },
  {
    name: "acquire: what was acquired for an item that was hidden is not looked at",
    find: "const isHidden = base.withheld !== draft.withheld || base.waiting !== draft.waiting",
    replace: "const isHidden = false",
    caught: { file, title: "is kept by an item that an override hides, and not by one that a rule disables" }
  },
  {
    name: "acquire: what was acquired is kept as long as the item is in, as whatever registration",
    find: "= Contents.current(contents, registration)\n  return entry !== undefined && isSame",
    replace: "= Contents.allEntries(contents).find((one) => one.item === item)\n  return entry !== undefined && isSame",
    caught: { file, title: "of an item that is withdrawn and registered again in one transaction is acquired anew" }
  },
  {
    name: "acquire: a transaction that fails keeps what it acquired",
    find: "const ended = new Set(fresh)\n",
    replace: "const ended = new Set(published ? fresh : [])\n",
    caught: {
      file,
      title: "of a transaction that fails is released when it has been undone; of a nested one at the end"
    }
  },
  {
    name: "acquire: what a nested transaction that failed acquired is kept",
    find: "const ended = new Set(fresh)\n",
    replace: "const ended = new Set(published ? [] : fresh)\n",
    caught: {
      file,
      title: "of a transaction that fails is released when it has been undone; of a nested one at the end"
    }
  },
  {
    name: "acquire: a hook that fails keeps what it had acquired",
    find: "Effect.andThen(Effect.exit(Scope.close(scope, Exit.failCause(cause))), Effect.failCause(failing))",
    replace: "Effect.failCause(failing)",
    caught: { file, title: "what a hook acquired before it fails is released" }
  },
  {
    name: "acquire: a hook of a layer fails with an error that the type does not have",
    find: "const failing = part.own ? cause :",
    replace: "const failing = !part.own ? cause :",
    caught: {
      file,
      title: "of a layer fails with a RegistrationError of code acquire, and releases what other hooks had"
    }
  },
  {
    name: "acquire: what a replaced item had acquired is kept",
    find: "? [step.previous.registration]\n    : []",
    replace: "? []\n    : []",
    caught: {
      file,
      title: "of a replacement is acquired before that of the replaced is released; a failure changes nothing"
    }
  },
  {
    name: "acquire: an item that a rule disables acquires",
    find: " && withheld?.reasonOf({ keys: takeKeys(definition, item) }) === undefined\n",
    replace: "\n",
    caught: { file, title: "an item that a rule disables goes in without it, and gets it when it is enabled" }
  },
  {
    name: "acquire: an item that is enabled acquires nothing",
    find: "ask: () => acquisitionOf(transaction.core, entry) === undefined ?",
    replace: "ask: () => transaction.core === undefined ?",
    caught: { file, title: "an item that a rule disables goes in without it, and gets it when it is enabled" }
  },
  {
    name: "acquire: an item that is enabled acquires once more what it still has",
    find: "ask: () => acquisitionOf(transaction.core, entry) === undefined ?",
    replace: "ask: () => transaction.core !== undefined ?",
    caught: { file, title: "is kept where a rule is made and ended in one transaction" }
  },
  {
    name: "acquire: hooks that go keep what they acquired",
    find: "Effect.ensuring(Acquiring.leave(core, parts))",
    replace: "Effect.ensuring(Effect.void)",
    caught: { file, title: "acquire for what is in only with existing, and release all when they go" }
  },
  {
    name: "acquire: hooks that go keep what they acquired in the transaction in flight",
    find: "[...held.values(), ...fresh, ...leased]",
    replace: "[...held.values(), ...leased]",
    caught: { file, title: "and go in the transaction in which they acquired release it at once" }
  },
  {
    name: "acquire: hooks that go keep what is leased of items that have gone",
    find: "[...held.values(), ...fresh, ...leased]",
    replace: "[...held.values(), ...fresh]",
    caught: { file, title: "of an item that has gone does not outlive the hooks either" }
  },
  {
    name: "acquire: hooks that go release what others acquired",
    find: "if (parts?.includes(part) === false) return []",
    replace: "",
    caught: { file, title: "acquire for what is in only with existing, and release all when they go" }
  },
  {
    name: "acquire: hooks that are not added keep what they acquired",
    find: "return Effect.ensuring(adding, Effect.suspend(() => Acquiring.leave(core, failed)))",
    replace: "return adding",
    caught: { file, title: "are not added if they cannot acquire for what is in" }
  },
  {
    name: "acquire: hooks that come later acquire for what is disabled, and for what has gone meanwhile",
    find: "if (acquiring.length === 0 || !isIn(draft, entry.registration, entry.item)) return undefined",
    replace: "if (acquiring.length === 0) return undefined",
    caught: { file, title: "acquire neither for what a rule disables, nor for what goes while they are added" }
  },
  {
    name: "acquire: what was acquired outlives the registry",
    find: "Scope.forkUnsafe(core.scope)\n  scopes.set(part, scope)",
    replace: "Scope.makeUnsafe()\n  scopes.set(part, scope)",
    caught: { file, title: "is released when a scope closes, with a reset, and when the registry ends" }
  },
  {
    name: "acquire: a release that dies is a failure of the operation",
    find: "Effect.ignoreCause(Effect.logError(`Releasing what hooks of ${show(name)} had acquired failed`, cause))",
    replace: "Effect.failCause(cause)",
    caught: { file, title: "a release that dies stops no other, is logged, and is no failure of the operation" }
  },
  {
    name: "acquire: several items are acquired one after the other, whatever the concurrency",
    find: "const { concurrency } = transaction.core\n",
    replace: "const concurrency = 1\n",
    caught: { file, title: "are acquired side by side when all were checked, and told in order" }
  },
  {
    name: "acquire: a population acquires its items one after the other, whatever the concurrency",
    find: "  if (acquiresAtOnce(transaction)) {\n    let refused",
    replace: "  if (transaction.core === undefined) {\n    let refused",
    caught: { file, title: "of a population are acquired side by side" }
  },
  {
    name: "acquire: nothing interrupts what is acquired side by side",
    find: "transaction.restore(acquireAll)",
    replace: "acquireAll",
    caught: { file, title: "an interruption reaches all that are on their way" }
  },
  {
    name: "acquire: what is leased is released when its item goes",
    find: ".filter((one) => one.leases === 0 || !leased.add(one))",
    replace: "",
    caught: { file, title: "keeps what was acquired, and the item is not found any more; the last one releases" }
  },
  {
    name: "acquire: the first of several leases that ends releases",
    find: "return acquisition.leases === 0 && core.acquisitions",
    replace: "return acquisition.leases >= 0 && core.acquisitions",
    caught: { file, title: "keeps what was acquired, and the item is not found any more; the last one releases" }
  },
  {
    name: "acquire: a lease does not end",
    find: "    acquisition.leases--\n",
    replace: "",
    caught: { file, title: "keeps what was acquired, and the item is not found any more; the last one releases" }
  },
  {
    name: "acquire: a lease that ends releases what an item that is in needs",
    find: "core.acquisitions?.leased.delete(acquisition) === true",
    replace: "core.acquisitions?.leased.delete(acquisition) !== undefined",
    caught: { file, title: "that ends before the item goes releases nothing" }
  },
  {
    name: "acquire: a lease in a transaction is of what an earlier registration of the item had acquired",
    find: "acquisitions?.fresh.findLast(",
    replace: "acquisitions?.fresh.find(",
    caught: { file, title: "in a transaction is of the newest registration of the item" }
  },
  {
    name: "acquire: a resource that is undefined is none",
    find: "if (open !== undefined) return Effect.succeed(open.resource)",
    replace: "if (open?.resource !== undefined) return Effect.succeed(open.resource)",
    caught: { file, title: "each of two answers its own resources, and undefined is one" }
  },
  {
    name: "acquire: what an interrupted operation acquired is kept",
    find: "transaction.parent === undefined ? Acquiring.settle(transaction, published) : undefined",
    replace: "transaction.parent === undefined && published ? Acquiring.settle(transaction, published) : undefined",
    caught: {
      file: "sweeps.test.ts",
      title: "G31 registerAll, side by side, from outside, while other fibers wait: false"
    }
  },
  {
    name: "acquire: a hook that is interrupted while it acquires keeps its scope",
    find: "return Effect.andThen(Effect.exit(Scope.close(scope, Exit.failCause(cause))), Effect.failCause(failing))",
    replace:
      "return Cause.hasInterrupts(cause) ? Effect.failCause(failing) : Effect.andThen(Effect.exit(Scope.close(scope, Exit.failCause(cause))), Effect.failCause(failing))",
    caught: { file: "sweeps.test.ts", title: "G31 register, from outside, while other fibers wait: false" }
  },
  {
    name: "acquire: a lease that is interrupted when it has begun does not end",
    find: "      acquisition.leases++\n",
    replace:
      "      acquisition.leases++\n      if (acquisition.leases > 0) return Effect.andThen(restore(Effect.yieldNow), Effect.contextWith((context: Context.Context<Scope.Scope>) => Effect.as(Scope.addFinalizer(Context.get(context, Scope.Scope), endLease(core, acquisition)), { item, acquisition })))\n",
    caught: {
      file: "sweeps.test.ts",
      title: "G31 lease of an item that goes, from outside, while other fibers wait: false"
    }
  },
  {
    name: "acquire: releases can be interrupted",
    find: "return after === undefined ? exit : Effect.flatMap(after, () => exit)",
    replace: "return after === undefined ? exit : Effect.flatMap(Effect.interruptible(after), () => exit)",
    caught: { file: "sweeps.test.ts", title: "G31 replace, from outside, while other fibers wait: false" }
  }
]
