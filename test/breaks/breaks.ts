/**
 * Deliberate faults: each is one change to `src`, and names the test that has to notice it.
 */

export interface Break {
  /** What the fault is. */
  readonly name: string
  /** Text that occurs exactly once in all of `src`, and what stands there instead. */
  readonly find: string
  readonly replace: string
  /** The test that fails: its file, in `test`, and its title or a part of it. */
  readonly caught: { readonly file: string; readonly title: string }
}

const locking = "locking.test.ts"
const atomicity = "atomicity.test.ts"
const hooks = "hooks.test.ts"
const population = "population.test.ts"
const scopes = "scopes.test.ts"
const caught = "caught.test.ts"
const late = "late.test.ts"
const entryPoints = "EntryPoints.test.ts"
const sweeps = "sweeps.test.ts"
const reconcile = "reconcile.test.ts"
const override = "override.test.ts"
const transactAll = "transactAll.test.ts"
const watching = "watching.test.ts"
const explain = "explain.test.ts"
const closing = "closing.test.ts"
const deadlock = "deadlock.test.ts"
const linearizability = "linearizability.test.ts"

export const breaks: ReadonlyArray<Break> = [
  // -------------------------------------------------------------------------------------------------------------------
  // The lock
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "no lock",
    find: "? lock.semaphore.withPermit(effect)",
    replace: "? effect",
    caught: { file: locking, title: "G13 operations happen one after another, hooks included, under schedules" }
  },
  {
    name: "the one-step path looks in one step, and acts in the next",
    find: "  if (Exit.isSuccess(exit)) commit(transaction, true)\n  observation?.released()\n  return exit\n",
    replace: `  return Effect.flatMap(Effect.yieldNow, () => {
    if (Exit.isSuccess(exit)) commit(transaction, true)
    return exit
  })
`,
    caught: { file: caught, title: "G7 G11 writers without hooks race for keys, under schedules" }
  },
  {
    name: "a success does not give back its place as holder",
    find: "  ending.later.effect = after\n  group.forEach(close)",
    replace: "  ending.later.effect = after\n  group.forEach((transaction) => transaction.close())",
    caught: { file: caught, title: "G7 nobody holds it when a transaction has ended" }
  },
  {
    name: "a failure does not give back its place as holder",
    find: "    group.forEach(close)\n    return Effect.failCause",
    replace: "    group.forEach((transaction) => transaction.close())\n    return Effect.failCause",
    caught: { file: caught, title: "G7 nobody holds it when a transaction has ended" }
  },
  {
    name: "beginning and ending can be interrupted",
    find: "Effect.uninterruptibleMask((restore): Effect.Effect<A | typeof again, E | P, R> => {",
    replace: `Effect.suspend((): Effect.Effect<A | typeof again, E | P, R> => {
    const restore = <X>(x: X): X => x`,
    caught: { file: sweeps, title: "G7, G20 register, with hooks, from outside" }
  },
  {
    name: "the body of a transaction cannot be interrupted",
    find: "Effect.exit(restore(Effect.provideService(body, CurrentTransaction, transaction)))",
    replace: "Effect.exit(Effect.provideService(body, CurrentTransaction, transaction))",
    caught: { file: population, title: "G3 all waiters are interrupted" }
  },
  {
    name: "who got the lock does not look whether the registry was reset meanwhile",
    find: "if (!transaction.workable) return Effect.succeed(again)\n    lock.holder = transaction",
    replace: "lock.holder = transaction",
    caught: { file: caught, title: "G17 a write that waited for a reset, and fails, leaves the registry populated" }
  },
  {
    name: "the circle of waits is not looked for",
    find: "const circle = findCircle(party, wait)",
    replace: "const circle = undefined as ReadonlyArray<Party> | undefined",
    caught: { file: locking, title: "under schedules, three registries whose hooks write round in a circle never hang" }
  },
  {
    name: "a wait is not taken down when it has ended",
    find: "one.waits?.delete(wait)",
    replace: "void one",
    caught: { file: caught, title: "G16 no false alarm: a wait that has ended leads nowhere" }
  },
  {
    name: "outer transactions are not seen to wait",
    find: "one = one.outer) (one.waits ??= new Set()).add(wait)",
    replace: "one = undefined) (one.waits ??= new Set()).add(wait)",
    caught: { file: caught, title: "G16 a circle that leads over an outer transaction" }
  },
  {
    name: "a reset that starts over populates first",
    find: "(operation.kind ?? \"change\") === \"change\" ? Effect.flatMap(core.populate, () => anew) : anew",
    replace: "operation.kind !== \"upkeep\" ? Effect.flatMap(core.populate, () => anew) : anew",
    caught: {
      file: caught,
      title: "G6 a reset that waited in a transaction that has ended meanwhile populates nothing"
    }
  },
  {
    name: "a step that waited for its turn does not look whether the registry was reset meanwhile",
    find: "transaction.workable ? f(transaction) : undefined",
    replace: "f(transaction)",
    caught: { file: caught, title: "G18 a hook forks a reset that ends before the item goes in" }
  },
  {
    name: "many items cannot be interrupted",
    find: "held(new Party(definition, doing, transaction), lock, turns)",
    replace: "held(new Party(definition, doing, transaction), lock, Effect.uninterruptible(turns))",
    caught: { file: caught, title: "G13 many items that go in, in turns, can be interrupted between two turns" }
  },
  // -------------------------------------------------------------------------------------------------------------------
  // Drafts
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "items are published before their hooks have run",
    find: "if (!transaction.busy) return f(transaction)",
    replace: `if (!transaction.busy) {
    const exit = f(transaction)
    if (transaction.parent === undefined) MutableRef.set(transaction.core.published.ref, transaction.draft)
    return exit
  }`,
    caught: {
      file: locking,
      title: "G15 readers are not blocked by a writer whose hook sleeps, and see what is published"
    }
  },
  {
    name: "readers outside see the draft of whoever is at work",
    find: "const seen = transaction === undefined ? Ref.getUnsafe(core.published) : transaction.draft",
    replace: `const seen = transaction === undefined
        ? (core.lock.holder as Transaction<Item> | undefined)?.draft ?? Ref.getUnsafe(core.published)
        : transaction.draft`,
    caught: {
      file: locking,
      title: "G15 readers are not blocked by a writer whose hook sleeps, and see what is published"
    }
  },
  {
    name: "readers inside see what is published",
    find: "const seen = transaction === undefined ? Ref.getUnsafe(core.published) : transaction.draft",
    replace: "const seen = Ref.getUnsafe(core.published)",
    caught: { file: locking, title: "G14 a hook, its children and a transact body do anything to the registry" }
  },
  {
    name: "a step of the body does not wait for the nested transaction in flight",
    find: "if (!transaction.busy) return f(transaction)",
    replace: "if (transaction !== undefined) return f(transaction)",
    caught: { file: locking, title: "G14 a hook forks what works while its transaction goes on, and neither is lost" }
  },
  {
    name: "nested transactions do not wait for a step that takes several turns",
    find: "held(new Party(definition, doing, transaction), lock, turns)",
    replace: "turns",
    caught: { file: caught, title: "G7 G14 many items go in, in turns, while a child of the transaction registers" }
  },
  {
    name: "a transaction ends without waiting for the nested ones in flight",
    find: "if (busy === undefined) return endNow(group, exit, ending)",
    replace: "if (busy === undefined || Exit.isSuccess(exit)) return endNow(group, exit, ending)",
    caught: { file: locking, title: "G14 a transaction waits for the nested ones that its children have in flight" }
  },
  {
    name: "a rollback does not wait for the nested ones in flight",
    find: "if (busy === undefined) return endNow(group, exit, ending)",
    replace: "if (busy === undefined || Exit.isFailure(exit)) return endNow(group, exit, ending)",
    caught: { file: caught, title: "G7 a transaction that fails while a child of it is at work" }
  },
  {
    name: "what outlives a transaction still reads its draft",
    find: ` && party.state !== "closed") return party`,
    replace: ") return party",
    caught: { file: caught, title: "G7 what outlives a transaction reads what is published, while another is open" }
  },
  {
    name: "who waited for a transaction that has ended since still works in it",
    find: `if (parent !== undefined && parent.state !== "open") return Effect.succeed(again)`,
    replace: "",
    caught: { file: caught, title: "G7 what waited for a transaction that has ended meanwhile works outside" }
  },
  {
    name: "a revision is not raised",
    find: "const revision = base.revision + 1",
    replace: "const revision = base.revision",
    caught: { file: atomicity, title: "G7 a nested transaction that fails leaves no trace in the one around it" }
  },
  {
    name: "a registry that has closed is still written by who was at work",
    find: "if (group.some(({ core }) => core.closed)) return undo(group, Cause.interrupt(), ending)",
    replace: "",
    caught: { file: caught, title: "G26 a transaction that is open when the registry closes is undone" }
  },
  {
    name: "two registries are published one after the other",
    find: "let after = ending.operation.committed?.(exit.value)",
    replace: `if (group.length > 1) {
    commit(group[0]!)
    close(group[0]!)
    return Effect.flatMap(Effect.yieldNow, () => endNow(group.slice(1), exit, ending))
  }
  let after = ending.operation.committed?.(exit.value)`,
    caught: { file: "schedules.test.ts", title: "transactAll publishes two registries together" }
  },
  {
    name: "locks of several registries are taken in the order in which they are given",
    find: "Array.from(new Set(cores)).toSorted((one, other) => one.serial - other.serial)",
    replace: "Array.from(new Set(cores))",
    caught: { file: "schedules.test.ts", title: "transactAll publishes two registries together" }
  },
  // -------------------------------------------------------------------------------------------------------------------
  // Ending and undoing
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "a nested transaction drops its completed calls of hooks",
    find: "  pushAll(parent.calls, transaction.calls)\n",
    replace: "",
    caught: { file: atomicity, title: "G7 an undo that dies does not stop the rest, and its defect joins the cause" }
  },
  {
    name: "a nested transaction drops what happened in it",
    find: "  pushAll(parent.steps, transaction.steps)\n",
    replace: "",
    caught: { file: caught, title: "G22 the change of a transaction tells what nested ones did" }
  },
  {
    name: "a nested transaction drops the populations that ran in it",
    find: "  parent.scopes = both(parent.scopes, transaction.scopes)\n",
    replace: "",
    caught: {
      file: population,
      title: "G4 what it acquires is released when the attempt fails, and when a transaction around it does"
    }
  },
  {
    name: "a nested transaction drops whose population filled its draft",
    find: "  parent.populationScope = transaction.populationScope\n",
    replace: "",
    caught: { file: caught, title: "G4 a reset and a population in a transaction" }
  },
  {
    name: "a nested transaction begins with whose population filled what is published",
    find: "parent === undefined ? core.populationScope : parent.populationScope",
    replace: "core.populationScope",
    caught: { file: caught, title: "G4 a change after a reset and a population in a transaction" }
  },
  {
    name: "a transaction that has ended keeps what it found",
    find: "this.base = this.draft = this.core.nothing",
    replace: "",
    caught: { file: caught, title: "G10 a transaction that has ended lets go of what it held" }
  },
  {
    name: "a nested transaction drops what closed scopes took out",
    find: "  parent.regardless = both(parent.regardless, transaction.regardless)\n",
    replace: "",
    caught: { file: scopes, title: "G25 a scope that closes in a transaction that then fails: what it had stays out" }
  },
  {
    name: "what a closing scope takes out comes back when the transaction around it fails",
    find: "const overAgain = takeOut(core, entries)",
    replace: "const overAgain = Effect.void",
    caught: { file: scopes, title: "G25 a scope that closes in a transaction that then fails: what it had stays out" }
  },
  {
    name: "a scope that closes while a transaction is undone takes nothing out",
    find: `          undone: (transaction) => {
            transaction.regardless = transaction.regardless.concat(overAgain)
            return Effect.succeed(Cause.empty)`,
    replace: "          undone: () => {\n            return Effect.succeed(Cause.empty)",
    caught: { file: caught, title: "G25 a scope that closes while a transaction is undone" }
  },
  {
    name: "a reset ends after onReset though something is left",
    find: "        Effect.flatMapEager(() => step(transaction, nothingLeft)),\n",
    replace: "",
    caught: { file: caught, title: "G14 a reset that a hook has spoilt ends before onReset" }
  },
  {
    name: "the events of a registration tell another position",
    find: "Inserted([added], draft.size)",
    replace: "Inserted([added], 0)",
    caught: { file: "programs.test.ts", title: "a plain registry answers what the model answers" }
  },
  {
    name: "a reset is not told",
    find: "  steps.push(new Change.Removed(Contents.entries(draft).toReversed()))\n",
    replace: "",
    caught: { file: "programs.test.ts", title: "a plain registry answers what the model answers" }
  },
  {
    name: "while a transaction is undone, who is in it sees its draft",
    find: "  transaction.draft = transaction.base\n",
    replace: "",
    caught: { file: atomicity, title: "G7 while a transaction is undone, who is in it sees what it found" }
  },
  {
    name: "hooks are undone in the order in which they were called",
    find: "    calls.toReversed(),",
    replace: "    calls,",
    caught: { file: atomicity, title: "G7 registerAll is all or nothing, hooks included" }
  },
  {
    name: "an undo can be interrupted",
    find: "Effect.provideService(undoing, CurrentTransaction, group.at(-1))",
    replace: "Effect.interruptible(Effect.provideService(undoing, CurrentTransaction, group.at(-1)))",
    caught: { file: sweeps, title: "G7, G20 register, with hooks, from outside" }
  },
  {
    name: "an undo forgets the defect before the last",
    find: "causes = Cause.combine(causes, cause)",
    replace: "causes = cause",
    caught: { file: caught, title: "G7 all that goes wrong in an undo joins the cause" }
  },
  // -------------------------------------------------------------------------------------------------------------------
  // Hooks
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "hooks run outside of the transaction that calls them",
    find: "Context.add(part.context.services, CurrentTransaction, transaction)",
    replace: "Context.add(part.context.services, CurrentTransaction, transaction && undefined)",
    caught: {
      file: hooks,
      title: "hooks run with the services of where they were given, and in the transaction of who calls"
    }
  },
  {
    name: "hooks run with the services of who calls them",
    find: "const context = Context.add(part.context.services, CurrentTransaction, transaction)",
    replace: "const context = Context.merge(part.context.services, fiber.context)",
    caught: {
      file: hooks,
      title: "hooks run with the services of where they were given, and in the transaction of who calls"
    }
  },
  {
    name: "a part is undone that had not completed",
    find: "    // a handler that is not there, or has nothing to run, has completed\n",
    replace: "    calls.push({ part, hook, item })\n",
    caught: { file: hooks, title: "G20 parts of combined hooks are undone on their own: only what had completed" }
  },
  {
    name: "an interruption fits between a hook and the record that it has completed",
    find: "const recorded = Effect.uninterruptibleMask((restore) =>\n      Effect.map(restore(effect),",
    replace:
      "const recorded = Effect.suspend(() =>\n      Effect.map(Effect.tap(effect, Effect.suspend(() => Effect.void)),",
    caught: { file: sweeps, title: "G7, G20 register, with hooks, from outside" }
  },
  {
    name: "hooks that were removed in the same operation are still called",
    find: `if (part.state !== "installed") return undefined`,
    replace: "",
    caught: {
      file: hooks,
      title: "G21 a hook that removes another one in the same operation: it is not called any more"
    }
  },
  {
    name: "hooks of unregistration run in installation order",
    find: "return parts.length < 2 ? parts : parts.toReversed()",
    replace: "return parts",
    caught: { file: hooks, title: "G21 …ing and …ed of registration and population in order" }
  },
  {
    name: "hooks are removed without waiting for who calls them",
    find: "return unlessClosed(core, Effect.ensuring(removing, removed))",
    replace: "return removing && removed",
    caught: { file: hooks, title: "G21 removing hooks waits for who is calling them" }
  },
  {
    name: "hooks that are removed in a transaction that fails are undone twice",
    find: "      forget(transaction, parts)\n",
    replace: "      void forget\n",
    caught: { file: caught, title: "G20 existing hooks that are removed in a transaction that fails" }
  },
  {
    name: "hooks are not told of what came while they were told of what is in",
    find: "Effect.flatMapEager(() => tell)",
    replace: "Effect.flatMapEager(() => Effect.void)",
    caught: { file: hooks, title: "G20 existing: a hook that changes the registry while it is told" }
  },
  // -------------------------------------------------------------------------------------------------------------------
  // Operations
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "no check after onItemRegistering",
    find: "const { draft, origin, steps } = transaction\n  const checked = Checking.check(draft, item)\n",
    replace: `const { draft, origin, steps } = transaction
  const checked = transaction.hooks.length === 0
    ? Checking.check(draft, item)
    : Result.succeed(Definition.takeKeys(draft.definition, item))
`,
    caught: { file: hooks, title: "G18 the checks are repeated after onItemRegistering: a hook took the key" }
  },
  {
    name: "a pre-hook that resets is believed: what comes after it works on the registry that is Pending",
    find: "if (!transaction.workable) return Effect.flatMap(transaction.core.populate, () => step(transaction, f))",
    replace: "",
    caught: {
      file: locking,
      title: "G14 a hook resets the registry before the item goes in: it is populated again first"
    }
  },
  {
    name: "no check before onItemRegistering",
    find: "return step(transaction, canInsert(item)).pipe(",
    replace:
      "return step(transaction, () => canInsert === undefined ? Exit.void : Exit.void as Exit.Exit<void, Failure>).pipe(",
    caught: { file: hooks, title: "G18 an item that cannot be registered, or is not registered, reaches no hook" }
  },
  {
    name: "no look after onItemUnregistering",
    find: "onLocated(locateAgain(draft, entry, locateEntry), (found) =>",
    replace: "onLocated(Result.succeed(draft && entry) as Located<Item>, (found) =>",
    caught: { file: hooks, title: "G18 the checks are repeated after onItemUnregistering: a hook unregistered it" }
  },
  {
    name: "a reset believes that what it has counted is still there",
    find: "  if (!Contents.isIn(draft, entry)) return undefined\n",
    replace: "",
    caught: { file: caught, title: "G14 a reset calls no hook for what a cascade took before its turn" }
  },
  {
    name: "a reset drops what a hook registered after it",
    find: "const exit = nothingLeft(transaction)",
    replace: "const exit: Exit.Exit<void> = Exit.void",
    caught: { file: locking, title: "G14 what a hook adds later makes the reset die" }
  },
  {
    name: "a reset inside a reset is one",
    find: "parent?.resetting === true || ",
    replace: "",
    caught: { file: locking, title: "G14 inside a reset, reset and populate do nothing" }
  },
  {
    name: "a scope that closes takes out what has its keys now",
    find: "const mayBeIn =",
    replace: `entries = entries.map((entry) => Matching.holderOfFirstKey(contents, entry.item) ?? entry)
    const mayBeIn =`,
    caught: { file: scopes, title: "G25 never a later registration under the same key" }
  },
  {
    name: "a finalizer runs in the transactions of when it was added",
    find: "Scope.addFinalizer(scope, takeOut(core, entries))",
    replace: `Effect.flatMap(
      Effect.context<never>(),
      (context) => Scope.addFinalizer(scope, Effect.provideContext(takeOut(core, entries), context))
    )`,
    caught: { file: scopes, title: "G25 a scope closes in the transactions of who closes it" }
  },
  {
    name: "a scope takes out of a registry that is at work without looking",
    find: "core.lock.holder !== undefined || entries.some",
    replace: "entries.some",
    caught: { file: caught, title: "G25 a scope that closes inside the transaction that registered" }
  },
  // -------------------------------------------------------------------------------------------------------------------
  // Contents
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "an item that goes stays in all indexes but the first",
    find: "indexes[i] = indexes[i]!.remove(slot, entry)",
    replace: "if (i === 0) indexes[i] = indexes[i]!.remove(slot, entry)",
    caught: { file: atomicity, title: "G8 an item is found by all its attributes or by none" }
  },
  {
    name: "an item that comes is in the first index only",
    find: "indexes[i] = indexes[i]!.add(slot, entry)",
    replace: "if (i === 0) indexes[i] = indexes[i]!.add(slot, entry)",
    caught: { file: atomicity, title: "G8 an item is found by all its attributes or by none" }
  },
  {
    name: "an item goes by the keys that it has now",
    find: "  takeOut(contents, entry)\n",
    replace:
      "  takeOut(contents, { ...entry, keys: contents.definition.lookups.map(({ select }) => select(entry.item)) })\n",
    caught: { file: atomicity, title: "G9 keys are taken once more after onItemRegistering, for good" }
  },
  {
    name: "keys are taken once, before onItemRegistering",
    find: "export const takeKeys = <Item>(definition: Definition<Item>, item: Item): Keys => {",
    replace: `const remembered = new WeakMap<object, Keys>()
export const takeKeys = <Item>(definition: Definition<Item>, item: Item): Keys => {
  const key = typeof item === "object" && item !== null ? item : {}
  const keys = remembered.get(key) ?? takeKeysNow(definition, item)
  remembered.set(key, keys)
  return keys
}
const takeKeysNow = <Item>(definition: Definition<Item>, item: Item): Keys => {`,
    caught: { file: atomicity, title: "G9 keys are taken once more after onItemRegistering, for good" }
  },
  {
    name: "an entry is taken for the one that has its position",
    find: "Order.get(self.order, entry.position) === entry",
    replace: "Order.get(self.order, entry.position) !== undefined",
    caught: { file: scopes, title: "G25 never a later registration under the same key" }
  },
  {
    name: "the next index is made in the last one",
    find: "const base = new Map(this.base)",
    replace: "const base = this.base",
    caught: { file: "RegistrySnapshot.test.ts", title: "G8 G11 G12 agrees with an array through hundreds of changes" }
  },
  {
    name: "a replacement goes to the end",
    find: "layer, previous.position)",
    replace: "layer)",
    caught: { file: atomicity, title: "G12 replace keeps the position, in values, at and group lookups" }
  },
  {
    name: "what a registry answers can be changed by who asked",
    find: "this.frozen = Object.freeze(this.items.slice())",
    replace: "this.frozen = this.items.slice()",
    caught: { file: atomicity, title: "G8 what a registry answers cannot be used to change it" }
  },
  // -------------------------------------------------------------------------------------------------------------------
  // Population
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "a population that failed is kept",
    find: "Duration.negativeInfinity",
    replace: "(exit) => Exit.isFailure(exit) ? Duration.infinity : Duration.negativeInfinity",
    caught: {
      file: population,
      title: "G2 defaults that fail: everyone gets the same error, nothing is left, the next use"
    }
  },
  {
    name: "a population that a reset has emptied is kept",
    find: "Duration.negativeInfinity",
    replace: "(exit) => Exit.isSuccess(exit) ? Duration.infinity : Duration.negativeInfinity",
    caught: { file: population, title: "G17 under schedules, resets race registers and reads" }
  },
  {
    name: "everyone who asks runs the population",
    find: "Effect.cachedWithTTL(outermost, Duration.negativeInfinity)",
    replace: "Effect.as(Effect.sync(() => Duration.negativeInfinity), outermost)",
    caught: { file: population, title: "G3 some waiters are interrupted: the others get the full set of the same run" }
  },
  {
    name: "who waited for a population does not look again",
    find: ": Effect.flatMap(core.populate, () => this)",
    replace: ": Effect.flatMap(core.populate, () => this.answer(Ref.getUnsafe(core.published), this.x, this.y))",
    caught: { file: population, title: "G17 under schedules, resets race registers and reads" }
  },
  {
    name: "a population has the services of who asks first",
    find: "Context.add(core.context, Scheduler.Scheduler, fiber.cache.scheduler)",
    replace: "Context.merge(core.context, fiber.context)",
    caught: { file: population, title: "G4 it has the services of the layer that built the registry" }
  },
  {
    name: "a population is in the transactions of who asks first",
    find: "Effect.catchCause(populated, interruptedInside(core))",
    replace:
      "Effect.catchCause(Effect.provideService(populated && first, CurrentTransaction, innermost(fiber.context)), interruptedInside(core))",
    caught: { file: population, title: "G4 a transaction of the caller, of another registry, is not seen by it" }
  },
  {
    name: "what a population acquires belongs to the registry for good",
    find: "Effect.provideService(registerDefaults(transaction, defaults), Scope.Scope, scope)",
    replace: "registerDefaults(transaction, defaults)",
    caught: { file: population, title: "G4 what it acquires lives until a reset is published" }
  },
  {
    name: "what a population acquires is not released when it fails",
    find: "transaction.scopes = transaction.scopes.concat(scope)",
    replace: "",
    caught: { file: population, title: "G4 what it acquires is released when the attempt fails" }
  },
  {
    name: "a population runs again for who comes after it, in one transaction",
    find: "    if (transaction.base.populated) return Effect.void\n",
    replace: "",
    caught: { file: caught, title: "G1 children of a transaction that reset ask at once" }
  },
  {
    name: "a population begins some time after it was joined",
    find: "    Effect.cachedWithTTL(outermost, Duration.negativeInfinity)",
    replace: "    Effect.cachedWithTTL(Effect.andThen(Effect.yieldNow, outermost), Duration.negativeInfinity)",
    caught: { file: "races.test.ts", title: "G16 a population that is abandoned while another begins hides no circle" }
  },
  {
    name: "a population does not say that it runs",
    find: "core.population.begin(self, fiber)\n",
    replace: "void fiber\n",
    caught: { file: population, title: "G6 state never waits and never populates" }
  },
  {
    name: "an interruption from inside interrupts who waits",
    find: "Cause.hasInterruptsOnly(cause) && !core.closed",
    replace: "cause === undefined",
    caught: { file: population, title: "G2 a hook that dies, or interrupts itself: everyone gets a defect" }
  },
  // -------------------------------------------------------------------------------------------------------------------
  // Loading late
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "a module is imported again after a reset",
    find: "      loaded = true\n",
    replace: "",
    caught: { file: late, title: "has the defaults first, then what its layer registers; after a reset the defaults" }
  },
  {
    name: "an import that waited for another one imports again",
    find: "body: (transaction) => loaded ? core.populate : importIn(transaction)",
    replace: "body: (transaction) => importIn(transaction)",
    caught: { file: late, title: "G3 interrupted in its last step it has imported" }
  },
  {
    name: "an import leaves a scope behind that is interrupted at its first step",
    find: "const importOnce = Effect.uninterruptibleMask((restore) => {",
    replace:
      "const importOnce = Effect.suspend(() => {\n    const restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => effect",
    caught: { file: late, title: "G3 interrupted at each step, from outside, it is whole or not there" }
  },
  {
    name: "what a layer held is released though it is in use",
    find: "(exit) => inUse ? Effect.void : Scope.close(scope, exit)",
    replace: "(exit) => Scope.close(scope, exit)",
    caught: { file: late, title: "what it built lives until the scope of the registry closes" }
  },
  {
    name: "what a layer held that failed is never released",
    find: "(exit) => inUse ? Effect.void : Scope.close(scope, exit)",
    replace: "() => Effect.void",
    caught: { file: late, title: "defaults that fail when the layer has been built: what it holds is released" }
  },
  {
    name: "the transaction of an import is that of whoever captures its context",
    find: "withoutTransactions(inside).pipe(",
    replace: "inside.pipe(",
    caught: {
      file: late,
      title: "modules that use each other: one when it loads, the other in the hooks that this calls"
    }
  },
  {
    name: "the layer of a module is not in the transaction of its import",
    find: " ?? Context.get(context, EnclosingTransaction)",
    replace: "",
    caught: { file: late, title: "has the defaults first, then what its layer registers; after a reset the defaults" }
  },
  {
    name: "a layer that is built after the import gets the registry that was imported",
    find: "key === service && transaction.state === \"open\" ? completed",
    replace: "key === service ? completed",
    caught: { file: late, title: "a service of the module that builds the layer of the service later" }
  },
  {
    name: "the definition keeps the services of the layer that loads late",
    find: "core.context = withoutTransactions(context)",
    replace: "",
    caught: { file: late, title: "the module may bring the services that the definition needs" }
  },
  // -------------------------------------------------------------------------------------------------------------------
  // Whole sets
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "a reconciliation replaces what is equal",
    find: "return entry && { entry, changed: !Equal.equals(entry.item, item) }",
    replace: "return entry && { entry, changed: true }",
    caught: { file: reconcile, title: "what is equal stays the object that it was" }
  },
  {
    name: "a reconciliation leaves what was changed where its old keys are",
    find: "return { entry: itself, changed: !Equal.equals(itself.keys, keys) }",
    replace: "return { entry: itself, changed: false }",
    caught: { file: reconcile, title: "G9 an object that was changed since goes in again by its new keys" }
  },
  {
    name: "items cannot exchange unique values",
    find: "if (Result.isFailure(checked)) {\n      crossing.push(replacement)",
    replace: `if (Result.isFailure(checked)) return Result.fail(checked.failure)
    if (checked === undefined) {
      crossing.push(replacement)`,
    caught: { file: reconcile, title: "items exchange unique values, in twos and in a ring" }
  },
  {
    name: "items that exchange unique values go to the end",
    find: "putIn(item, previous.position)",
    replace: "putIn(item)",
    caught: { file: reconcile, title: "items exchange unique values, in twos and in a ring, and keep their places" }
  },
  {
    name: "a reconciliation takes overrides out",
    find: "(entry) => !matched.has(entry) && !entry.origin.override)",
    replace: "(entry) => !matched.has(entry))",
    caught: { file: reconcile, title: "overrides, and what they hide, are left alone, whatever is wanted" }
  },
  {
    name: "a reconciliation calls hooks before it has looked whether it can be",
    find: `  if (Result.isFailure(outcome)) return Exit.fail(outcome.failure)
  const done = told === undefined || isTold(plan, told)
`,
    replace: `  const done = told === undefined || isTold(plan, told)
  if (Result.isFailure(outcome)) return done ? Exit.fail(outcome.failure) : Exit.succeed({ plan, done })
`,
    caught: { file: reconcile, title: "G7 a list that repeats an item or a unique value" }
  },
  {
    name: "hooks are not told of what others make a reconciliation do",
    find: "const done = told === undefined || isTold(plan, told)",
    replace: "const done = told === undefined || told.items.size + told.entries.size > 0 || isTold(plan, told)",
    caught: { file: reconcile, title: "G14 G18 what hooks change in between is planned for anew" }
  },
  {
    name: "a long list is reconciled in one step",
    find: "const few = items.length <= turn && Ref.getUnsafe(core.published).size <= turn",
    replace: "const few = items.length + Ref.getUnsafe(core.published).size >= 0",
    caught: { file: reconcile, title: "G13 G15 ten thousand items, without hooks" }
  },
  {
    name: "a list may repeat what an override stands for",
    find: "plan.covered ? yield* misfitAmong(core.nothing, items, origin) : undefined",
    replace: "undefined",
    caught: { file: reconcile, title: "a list that names twice what an override stands for" }
  },
  {
    name: "what is hidden is wanted once more for each time that it is listed",
    find: `    : holderOf(self, first) ??
      first.values.flatMap`,
    replace: "    : first.values.flatMap",
    caught: { file: reconcile, title: "a list that names twice what an override stands for" }
  },
  {
    name: "look for nothing that is hidden where all keys are free",
    find: "if (keys.length < lookups.length || hidden !== undefined || hasOwnEquality(item)) return false",
    replace: "if (keys.length < lookups.length || hasOwnEquality(item)) return false",
    caught: { file: override, title: "G7 what is hidden keeps its keys when a transaction that took it out fails" }
  },
  {
    name: "what is hidden and has no first key is in the way of itself",
    find: "findEqual(self, item, keys) ?? hiddenEqual(self, item, keys, undefined)",
    replace: "findEqual(self, item, keys)",
    caught: { file: reconcile, title: "what is hidden and has no value of the first lookup is matched by Equal" }
  },
  // -------------------------------------------------------------------------------------------------------------------
  // Overrides
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "what comes to light has been hidden by what is hidden itself",
    find: "const others = hidden === undefined ? [] : Hidden.claiming(hidden, claim)",
    replace: "const others = hidden === undefined || hidden !== undefined ? [] : Hidden.claiming(hidden, claim)",
    caught: { file: override, title: "whatever comes and goes in whatever order, without hooks" }
  },
  {
    name: "what is hidden is free to be registered",
    find: "return hidden.find((entry) => !isUnder(self.definition, entry, ignoring))",
    replace: "return hidden.find((entry) => entry === ignoring)",
    caught: { file: override, title: "register conflicts with what is hidden" }
  },
  {
    name: "an equal item that is hidden is free to be registered",
    find: ".find((entry) => !isUnder(definition, entry, ignoring) && Equal.equals(entry.item, item))",
    replace: ".find((entry) => entry === ignoring)",
    caught: { file: override, title: "register conflicts with what is hidden, and says with what" }
  },
  {
    name: "what replaces an override is none",
    find: "previous.origin.override ? overriding(origin) : origin",
    replace: "origin",
    caught: { file: override, title: "what replaces an override is one" }
  },
  {
    name: "what replaces an override brings nothing to light",
    find: "return { added, contents, revealed: reveal(contents, under(self, previous)) }",
    replace: "return { added, contents, revealed: [] }",
    caught: { file: override, title: "what replaces an override is one, and what it hides no longer comes back" }
  },
  {
    name: "the end of an override is not told to followers",
    find: "steps.push(new Change.Inserted([entry], Order.rank(draft.order, entry.position)))",
    replace: "void steps",
    caught: { file: override, title: "whatever comes and goes in whatever order, without hooks" }
  },
  {
    name: "the end of an override is told to followers at the end of all",
    find: "Inserted([entry], Order.rank(draft.order, entry.position))",
    replace: "Inserted([entry], draft.size - 1)",
    caught: { file: override, title: "whatever comes and goes in whatever order, without hooks" }
  },
  {
    name: "hooks are not told of what comes to light",
    find:
      "): Effect.Effect<void> => sequence(revealed, ({ item }) => Hooks.callAfter(hooks, \"onItemRegistered\", item, calls))",
    replace:
      "): Effect.Effect<void> => revealed.length < 0 ? Hooks.callAfter(hooks, \"onItemRegistered\", revealed[0]!.item, calls) : Effect.void",
    caught: { file: override, title: "whatever comes and goes in whatever order, with hooks" }
  },
  {
    name: "hooks are told that something hidden goes",
    find: "const visible = Contents.holds(draft, entry)",
    replace: "const visible = Contents.isIn(draft, entry)",
    caught: { file: override, title: "G20 a hidden registration whose scope closes goes without hooks" }
  },
  {
    name: "an override hides without its hooks what a hook has brought in",
    find: "if (untold.length > 0) return Exit.succeed(untold)",
    replace: "if (untold.length > 0 && told.size === 0) return Exit.succeed(untold)",
    caught: { file: override, title: "G18 a hook that brings in more that is in the way" }
  },
  {
    name: "a reset brings to light what the overrides hid",
    find: "transaction.draft = Contents.withoutHidden(transaction.draft)",
    replace: "",
    caught: { file: override, title: "a reset ends all overrides, and the defaults come once" }
  },
  {
    name: "what one owner registered comes to light on its way out",
    find: "[...hidden, ...visible.toReversed()],",
    replace: "[...visible.toReversed(), ...hidden],",
    caught: { file: explain, title: "overrides and what is hidden go with the rest, and nothing of it comes to light" }
  },
  // -------------------------------------------------------------------------------------------------------------------
  // Several registries
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "in transactions of some of its registries it begins others",
    find: "if (parents.length > 0 && parents.length < ordered.length) {",
    replace: "if (parents.length < 0) {",
    caught: { file: transactAll, title: "in transactions of only some of them it dies, and says of which" }
  },
  {
    name: "several registries are published one after the other",
    find: "  let after = ending.operation.committed?.(exit.value)\n",
    replace: `  let after = ending.operation.committed?.(exit.value)
  if (group.length > 1) {
    commit(group[0]!)
    return Effect.suspend(() => {
      group.slice(1).forEach(commit)
      group.forEach(close)
      return exit
    })
  }
`,
    caught: { file: linearizability, title: "G7 who looks at two registries" }
  },
  {
    name: "who waits for the locks of several registries holds none of them",
    find: "      lock.holder = party\n      return effect",
    replace: "      return effect",
    caught: { file: transactAll, title: "while it waits for the second lock, it holds the first" }
  },
  {
    name: "calls of hooks are undone registry by registry",
    find: "group.flatMap(({ calls }) => calls).toSorted(bySerial)",
    replace: "group.flatMap(({ calls }) => calls)",
    caught: {
      file: transactAll,
      title: "undo plays the calls of hooks back newest first, whatever registry they were for"
    }
  },
  {
    name: "several registries end while one of them is at work",
    find: "Effect.sync(() => end(group, exit, ending))",
    replace: "Effect.sync(() => endNow(group, exit, ending))",
    caught: {
      file: transactAll,
      title: "waits for what its children have in flight when its body ends, in any of the registries"
    }
  },
  {
    name: "one of several registries has closed, and the others are published",
    find: "if (cores.some(({ closed }) => closed)) return Effect.interrupt",
    replace: "",
    caught: { file: closing, title: "G26 in a transaction that is open nothing begins any more" }
  },
  {
    name: "a chain names all registries of a transactAll as one",
    find: "parties.flatMap(({ definition: { name, names = [name] } }) => names)",
    replace: "parties.map(({ name }) => name)",
    caught: {
      file: transactAll,
      title: "while it waits for the second lock, it holds the first: the chain over it is seen"
    }
  },
  {
    name: "a registry that is Pending is held while the next is waited for",
    find: "parents.length === 0 && ordered.some(({ published }) => !Ref.getUnsafe(published).populated)",
    replace: "parents.length < 0",
    caught: { file: deadlock, title: "G16 transactAll of what is Pending, where one needs the other to be populated" }
  },
  {
    name: "a population that failed takes out what scopes took out, which is nothing",
    find: "transaction.parent === undefined && !transaction.base.populated ? [] : transaction.regardless",
    replace: "transaction.regardless",
    caught: { file: deadlock, title: "G16 a population that was given up takes no lock any more" }
  },
  {
    name: "take a population for the one that somebody else waits for",
    find: "    this.joining = undefined\n",
    replace: "",
    caught: { file: deadlock, title: "G16 a population that was given up takes no lock any more" }
  },
  {
    name: "a population whose transaction has ended, and that is in no other, is none that others know of",
    find: "outer !== undefined && outer === runs.holder",
    replace: "outer === runs.holder",
    caught: { file: caught, title: "G6 a population that waited in a transaction that has ended meanwhile" }
  },
  {
    name: "a population whose transaction has ended runs in whatever is around",
    find: "instead: (outer) => outer !== undefined && outer === runs.holder ? undefined : Effect.void",
    replace: "instead: () => undefined",
    caught: {
      file: deadlock,
      title: "G4 G16 what outlives the transaction that it would have populated in ends no other"
    }
  },
  // -------------------------------------------------------------------------------------------------------------------
  // Watching and explaining
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "subscribers run in the step that publishes",
    find: "Fiber.getCurrent()!.currentDispatcher.scheduleTask(() => waiting.forEach((wake) => wake()), 0)",
    replace: "if (Fiber.getCurrent() !== undefined) waiting.forEach((wake) => wake())",
    caught: { file: watching, title: "G22 no subscriber runs in the step that publishes" }
  },
  {
    name: "who waits for a change does not look whether there was one",
    find: "      if (isThere()) {",
    replace: "      if (isThere === undefined) {",
    caught: { file: watching, title: "never misses it, in any schedule: many wait, many register" }
  },
  {
    name: "who waits for an item is given what another has not published yet",
    find: "      entry: index.get(value),\n      revision\n",
    replace: `      entry: index.get(value) ??
        core.lock.holder?.draft?.indexes[core.definition.lookups.findIndex((lookup) => lookup.attribute === attribute)]
          .get(value),
      revision
`,
    caught: { file: linearizability, title: "G7 G8 who waits for an item" }
  },
  {
    name: "a subscriber looks at one moment, and follows from another",
    find: "Watching.follow(core, options?.since ?? contents.revision, scope)",
    replace: "Watching.follow(core, options?.since, scope)",
    caught: { file: linearizability, title: "G22 who subscribes gets" }
  },
  {
    name: "who is interrupted still waits for a change",
    find: "      return Effect.sync(() => {\n        this.waiting.delete(wake)",
    replace: "      return Effect.sync(() => {",
    caught: { file: watching, title: "interrupted at any step it leaves nothing behind" }
  },
  {
    name: "a subscription whose scope has closed goes on",
    find: "    subscriber.ended = true\n",
    replace: "",
    caught: { file: watching, title: "its stream ends with its scope" }
  },
  {
    name: "a subscriber that has fallen behind is not told",
    find: "      if (missed > 0) {",
    replace: "      if (missed > 1_000_000) {",
    caught: { file: watching, title: "G23 a subscriber that stands still blocks nobody, lags" }
  },
  {
    name: "a subscription begins where its stream is run",
    find: "    let seen = revision\n",
    replace: "    let seen = revisionOf(latest(registry)) + 0 * revision\n",
    caught: { file: watching, title: "PITFALL 35 it exists when subscribe returns" }
  },
  {
    name: "a revision that never was is taken for one",
    find: "const wasThere = Number.isInteger(revision) && revision <= last",
    replace: "const wasThere = revision <= last",
    caught: { file: watching, title: "G23 since a revision that is no longer kept, or never was" }
  },
  {
    name: "who waits in a transaction for its own change waits for ever",
    find: "if (inside !== undefined) return Effect.die(",
    replace: "if (inside === null) return Effect.die(",
    caught: { file: watching, title: "inside a transaction it answers from the draft, or dies" }
  },
  {
    name: "streams do not end with their registry",
    find:
      "    core.changes.length = 0\n    MutableRef.set(core.published.ref, core.nothing)\n    core.watchers.wakeLater()",
    replace: "    core.changes.length = 0\n    MutableRef.set(core.published.ref, core.nothing)",
    caught: { file: closing, title: "G26 subscribers end, wherever they stand" }
  },
  {
    name: "who waits for the lock waits for ever when the registry has closed",
    find: "return core.lock.semaphore.resize(Number.POSITIVE_INFINITY)",
    replace: "return Effect.void",
    caught: { file: closing, title: "G26 whoever waits is interrupted" }
  },
  {
    name: "an entry is of whoever began the transaction around",
    find: "new Origin(Context.get(this.context, Owner),",
    replace: "new Origin(this.parent?.origin.owner ?? Context.get(this.context, Owner),",
    caught: { file: explain, title: "Present: the item, who registered it and the revision" }
  },
  {
    name: "why a population in a transaction failed is forgotten",
    find: "transaction.kind === \"upkeep\" ? nested : remembered(core, nested)",
    replace: "nested",
    caught: { file: explain, title: "PopulationFailed where it failed in a transaction that reset the registry" }
  },
  {
    name: "a registry that was reset is Pending because of what failed long ago",
    find: "  transaction.core.populationFailure = undefined\n",
    replace: "",
    caught: { file: explain, title: "PopulationFailed where it failed in a transaction that reset the registry" }
  },
  // -------------------------------------------------------------------------------------------------------------------
  // What others do on the way
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "a selector began a transaction, and nobody looks",
    find: "  if (lock.holder !== undefined || base !== (parent",
    replace: "  if (base !== (parent",
    caught: { file: "races.test.ts", title: "G7 a selector that begins a transaction loses nothing" }
  },
  {
    name: "what is no effect ends the fiber, with the lock",
    find: "Effect.isEffect(effect) ? effect : Effect.die(new TypeError(`What",
    replace: "effect ? effect : Effect.die(new TypeError(`What",
    caught: { file: "badInput.test.ts", title: "what is to be transacted is no effect: it dies, and the lock is free" }
  },
  {
    name: "a logger that throws changes how a population failed",
    find: "return Effect.ignoreCause(Effect.logWarning(",
    replace: "return Effect.uninterruptible(Effect.logWarning(",
    caught: { file: "hostile.test.ts", title: "G2 a logger that throws changes no answer" }
  },
  {
    name: "a layer whose building was interrupted goes on measuring",
    find:
      "Effect.uninterruptible(Effect.contextWith((context: Context.Context<Scope.Scope>) => {\n      const observer",
    replace: "Effect.asVoid(Effect.contextWith((context: Context.Context<Scope.Scope>) => {\n      const observer",
    caught: { file: "metrics.test.ts", title: "a layer that is interrupted at any step of its building leaves nobody" }
  },
  {
    name: "a registry whose building was interrupted counts as alive",
    find: "Effect.uninterruptible(Effect.withFiber((fiber) => {\n    const all = live.get",
    replace: "Effect.asVoid(Effect.withFiber((fiber) => {\n    const all = live.get",
    caught: { file: "live.test.ts", title: "49 one whose building was interrupted, at whatever step, is not counted" }
  },
  // -------------------------------------------------------------------------------------------------------------------
  // Entry points
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "a link leads out of a package",
    find:
      "if (Option.isNone(path.resolveWithin(one.directory, path.relative(one.directory, real)))) return yield* invalidPath",
    replace: "",
    caught: { file: entryPoints, title: "is not left: by .., by an absolute path, by a URL, by a link" }
  },
  {
    name: "a package that is farther away counts",
    find: "if (!nearest.has(one.name)) nearest.set",
    replace: "nearest.set",
    caught: { file: entryPoints, title: "finds hoisted, nested and scoped packages, each once" }
  },
  {
    name: "a package that is linked twice counts twice",
    find: "seen.add(directory)",
    replace: "",
    caught: { file: entryPoints, title: "finds linked packages and workspaces, and one that is linked twice once" }
  },
  {
    name: "what every object has is a group",
    find: "Predicate.hasProperty(u, key) && Object.hasOwn(u, key)",
    replace: "Predicate.hasProperty(u, key)",
    caught: { file: entryPoints, title: "finds nothing where nobody offers anything" }
  },
  {
    name: "what a compiler made of a default export is not its default export",
    find: "Option.isSome(own(exports, \"__esModule\")) ? exports : module",
    replace: "module",
    caught: { file: entryPoints, title: "imports CommonJS" }
  },
  {
    name: "an item that throws when it is looked at kills all",
    find: "Effect.catchDefect((cause) => Effect.fail(failure(entryPoint, { code: \"invalid_item\", cause })))",
    replace: "",
    caught: { file: entryPoints, title: "logs what is bad with its package and name" }
  },
  {
    name: "a population is not told",
    find: "transaction.steps.push({ _tag: \"Populated\", size: transaction.draft.size })",
    replace: "",
    caught: { file: "programs.test.ts", title: "a plain registry answers what the model answers" }
  },
  {
    name: "who is interrupted in a nested population gets a defect",
    find: "onFailure: () => Effect.failCause(cause),",
    replace: "onFailure: () => interruptedInside(core)(cause),",
    caught: { file: "caught.test.ts", title: "G3 a nested population whose caller is interrupted" }
  },
  {
    name: "a population that nobody waits for is remembered as one that failed",
    find: "} else if (!Cause.hasInterruptsOnly(exit.cause)) {",
    replace: "} else if (exit.cause !== undefined) {",
    caught: { file: "caught.test.ts", title: "G3 a population that nobody waits for any more" }
  },
  {
    name: "hooks with existing are not told of what goes while they are told",
    find: "Array.from(told).filter((entry) => !Contents.holds(draft, entry)).toReversed()",
    replace: "([] as Array<Entry<Item>>)",
    caught: { file: "caught.test.ts", title: "G20 existing: a hook that takes out, while it is told" }
  },
  {
    name: "hooks that are removed stay in the list",
    find: "core.hooks = core.hooks.filter((part) => !parts.includes(part))\n  for",
    replace: "for",
    caught: { file: "sweeps.test.ts", title: "G7, G20 the removal of hooks, with hooks, from outside" }
  },
  {
    name: "hooks that cannot be removed in turn stay",
    find: "if (parts.some(({ state }) => state === \"installed\")) removeNow(core, parts, \"removed\")",
    replace: "",
    caught: { file: "caught.test.ts", title: "G21 hooks whose removal would close a circle of waits" }
  },
  {
    name: "a hook of an item is called before it though it was removed",
    find: "part.state === \"installed\" ? tell(part, hook, item) : undefined",
    replace: "tell(part, hook, item)",
    caught: { file: "caught.test.ts", title: "G21 a hook that removes another one before its turn" }
  },
  {
    name: "a hook of the registry is called though it was removed",
    find: "const effect = part.state === \"installed\" ? part.handlers[hook] : undefined",
    replace: "const effect = part.handlers[hook]",
    caught: { file: "caught.test.ts", title: "G21 a hook that removes another one before its turn" }
  },
  {
    name: "a population is told before what onPopulated registered",
    find:
      "Effect.flatMapEager(() => Hooks.call(hooks, \"onPopulated\")),\n      Effect.flatMapEager(() => step(transaction, becomeReady))",
    replace:
      "Effect.flatMapEager(() => step(transaction, becomeReady)),\n      Effect.flatMapEager(() => Hooks.call(hooks, \"onPopulated\"))",
    caught: { file: "caught.test.ts", title: "G22 a population is told last" }
  },
  // -------------------------------------------------------------------------------------------------------------------
  // What versions share
  // -------------------------------------------------------------------------------------------------------------------
  {
    name: "who resumes may go back to changes that are about to go",
    find: "Math.min(core.changes.length, core.history)",
    replace: "core.changes.length",
    caught: { file: "watching.test.ts", title: "G23 exactly the last changes can be had again" }
  },
  {
    name: "what was seen in a transaction gets the revision of what is published",
    find: "const emptied = commit(transaction, false)",
    replace: "const emptied = commit(transaction, true)",
    caught: { file: "atomicity.test.ts", title: "G8 a snapshot that was taken in a transaction" }
  },
  {
    name: "an earlier version sees what a later one put in",
    find: "value !== undefined && value.serial < this.limit ? value",
    replace: "value !== undefined ? value",
    caught: { file: "keyMap.test.ts", title: "G8 agrees with a map of values" }
  },
  {
    name: "a list is put into a map that another version has put one into",
    find: " && base.size === this.known) {",
    replace: ") {",
    caught: { file: "keyMap.test.ts", title: "G8 two lists begin from one map" }
  },
  {
    name: "a key of the map that was taken out is put in below that",
    find: "(!this.shadows || !base.has(key))",
    replace: "true",
    caught: { file: "keyMap.test.ts", title: "G8 a list has a key again" }
  },
  {
    name: "what a list put in that was given up is in the next map",
    find: "if (base.size > this.known) base",
    replace: "if (base.size < this.known) base",
    caught: { file: "keyMap.test.ts", title: "G8 agrees with a map of values" }
  },
  {
    name: "the objects of a list are never looked at",
    find: "for (const entry of unseen) this.list(entry)",
    replace: "",
    caught: { file: "identity.test.ts", title: "G9 finds what is in" }
  },
  {
    name: "an object that comes again in a list is not found as what it is now",
    find: "else this.later = HashMap.set(this.later, first.serial, entry)",
    replace: "",
    caught: { file: "identity.test.ts", title: "G9 finds what is in" }
  },
  {
    name: "objects of lists are forgotten though they are in again",
    find: "isIn(entry) || HashMap.has(this.later, entry.serial)",
    replace: "isIn(entry)",
    caught: { file: "identity.test.ts", title: "G9 finds what is in" }
  },
  {
    name: "what is gone stays for ever where objects of lists are looked for",
    find: "if (this.listed.size <= 2 * size) return",
    replace: "if (size >= 0) return",
    caught: { file: "identity.test.ts", title: "keeps nothing of a list for long" }
  }
]
