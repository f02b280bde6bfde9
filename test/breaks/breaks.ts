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
    name: "the one-step path does not look whether somebody is at work",
    find: "lock.holder === undefined && !core.closed",
    replace: "!core.closed",
    caught: { file: caught, title: "G7 G13 a write without hooks waits for the transaction that is open" }
  },
  {
    name: "the one-step path looks in one step, and acts in the next",
    find: "      if (unchanged) {\n",
    replace: `      if (unchanged) {
        return Effect.flatMap(Effect.yieldNow, () => {
          if (Exit.isSuccess(exit)) commit(transaction)
          return exit
        })
      }
      if (unchanged) {
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
    find: "    case \"reset\":\n    case \"upkeep\":",
    replace: "    case \"upkeep\":",
    caught: {
      file: caught,
      title: "G6 a reset that waited in a transaction that has ended meanwhile populates nothing"
    }
  },
  {
    name: "a population that starts over is none that others know of",
    find: "return operation.undone(parent!)",
    replace: "return run(core, operation)",
    caught: { file: caught, title: "G6 a population that waited in a transaction that has ended meanwhile" }
  },
  {
    name: "a step that waited for its turn does not look whether the registry was reset meanwhile",
    find: "transaction.workable ? f(transaction) : undefined",
    replace: "f(transaction)",
    caught: { file: caught, title: "G18 a hook forks a reset that ends before the item goes in" }
  },
  {
    name: "many items cannot be interrupted",
    find: "restore(Effect.suspend(() => f(transaction)))",
    replace: "Effect.suspend(() => f(transaction))",
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
    find: "lock.holder = new Party(definition, doing, transaction)",
    replace: "void definition, doing",
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
    find: "if (core.closed) return undo(group, Cause.interrupt(), ending)",
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
    find: "  pushAll(parent.scopes, transaction.scopes)\n",
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
    find: "  pushAll(parent.regardless, transaction.regardless)\n",
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
            transaction.regardless.push(overAgain)
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
    find: "entries: [added], position: draft.size",
    replace: "entries: [added], position: 0",
    caught: { file: "programs.test.ts", title: "a plain registry answers what the model answers" }
  },
  {
    name: "a reset is not told",
    find: "  steps.push({ _tag: \"Removed\", entries: Contents.entries(draft).toReversed() })\n",
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
    find: "const { draft, origin, steps } = transaction\n  const checked = Contents.check(draft, item)\n",
    replace: `const { draft, origin, steps } = transaction
  const checked = transaction.hooks.length === 0
    ? Contents.check(draft, item)
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
    replace: `entries = entries.map((entry) => Contents.holderOfFirstKey(contents, entry.item) ?? entry)
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
    replace: "  takeOut(contents, { ...entry, keys: takeKeys(contents.definition, entry.item) })\n",
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
    find: ", previous.position)",
    replace: ")",
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
    find: "transaction.scopes.push(scope)",
    replace: "",
    caught: { file: population, title: "G4 what it acquires is released when the attempt fails" }
  },
  {
    name: "a population runs again for who comes after it, in one transaction",
    find: "if (base.populated) return Effect.void",
    replace: "void base",
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
    find: "        committed = true\n        done()\n",
    replace: "        committed = true\n        void done\n",
    caught: { file: late, title: "has the defaults first, then what its layer registers; after a reset the defaults" }
  },
  {
    name: "what a layer held is released though it is in use",
    find: "(exit) => committed ? Effect.void : Scope.close(scope, exit)",
    replace: "(exit) => Scope.close(scope, exit)",
    caught: { file: late, title: "what it built lives until the scope of the registry closes" }
  },
  {
    name: "what a layer held that failed is never released",
    find: "(exit) => committed ? Effect.void : Scope.close(scope, exit)",
    replace: "() => Effect.void",
    caught: { file: late, title: "defaults that fail when the layer has been built: what it holds is released" }
  },
  {
    name: "the transaction of an import is that of whoever captures its context",
    find: "Context.add(withoutTransactions(inside), CurrentImport, current)",
    replace: "Context.add(inside, CurrentImport, current)",
    caught: {
      file: late,
      title: "modules that use each other: one when it loads, the other in the hooks that this calls"
    }
  },
  {
    name: "the layer of a module is not in the transaction of its import",
    find: " ?? Context.get(context, CurrentImport)?.transaction",
    replace: "",
    caught: { file: late, title: "has the defaults first, then what its layer registers; after a reset the defaults" }
  },
  {
    name: "a layer that is built after the import gets the registry that was imported",
    find: "current?.service === Tag && current.transaction.state === \"open\"",
    replace: "current?.service === Tag",
    caught: { file: late, title: "a service of the module that builds the layer of the service later" }
  },
  {
    name: "the definition keeps the services of the layer that loads late",
    find: "core.context = withoutTransactions(context)",
    replace: "",
    caught: { file: late, title: "the module may bring the services that the definition needs" }
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
  }
]
