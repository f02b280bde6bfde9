import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Option, Scope } from "effect"
import { Registry, RegistrySnapshot } from "effect-registry"
import * as fc from "fast-check"
import { kept } from "./utils/collecting.ts"
import { contradictions } from "./utils/inside.ts"

interface Thing {
  n: number
}

const count = 120

/** Lists are longer and shorter than 32, from where on they are inserted in another way. */
const simpleStep = fc.record({
  name: fc.constantFrom("add", "add", "remove", "remove", "list", "change", "change"),
  n: fc.nat(count - 1),
  width: fc.nat(60)
})

/** Transactions, of which some fail. */
const program = fc.array(
  fc.record({
    steps: fc.array(simpleStep, { minLength: 1, maxLength: 5 }),
    commits: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) })
  }),
  { maxLength: 20 }
)

// ---------------------------------------------------------------------------------------------------------------------
// A model: which object is in by which keys
// ---------------------------------------------------------------------------------------------------------------------

interface Subject {
  /** No two objects have the same, so that none equals another. */
  readonly id: number
  key: number
}

interface Registered {
  readonly subject: Subject
  readonly key: number
  readonly owner: string
  readonly scope?: Scope.Scope
}

/** As many as there are objects to choose from, and keys. */
const few = 5
const nth = fc.nat(few - 1)

type Step =
  | { readonly _tag: "Change"; readonly n: number; readonly key: number }
  | { readonly _tag: "Register" | "Unregister" | "Upsert"; readonly n: number }
  | { readonly _tag: "RegisterAll" | "Reconcile"; readonly some: ReadonlyArray<number> }
  | { readonly _tag: "UnregisterBy" | "Override"; readonly key: number }
  | { readonly _tag: "CloseOverride" | "UnregisterOwner" | "Reset" }
  | { readonly _tag: "Transact"; readonly commits: boolean; readonly steps: ReadonlyArray<Step> }

const tagged = <Tag extends Step["_tag"]>(...tags: ReadonlyArray<Tag>) => ({ _tag: fc.constantFrom(...tags) })

const { steps: everyStep } = fc.letrec<{ readonly step: Step; readonly steps: ReadonlyArray<Step> }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 2 },
    { weight: 6, arbitrary: fc.record({ ...tagged("Change"), n: nth, key: nth }) },
    { weight: 9, arbitrary: fc.record({ ...tagged("Register", "Register", "Unregister", "Upsert"), n: nth }) },
    {
      weight: 3,
      arbitrary: fc.record({ ...tagged("RegisterAll", "Reconcile"), some: fc.uniqueArray(nth, { maxLength: few }) })
    },
    { weight: 4, arbitrary: fc.record({ ...tagged("UnregisterBy", "Override", "Override"), key: nth }) },
    { weight: 3, arbitrary: fc.record(tagged("CloseOverride", "CloseOverride", "UnregisterOwner", "Reset")) },
    { weight: 2, arbitrary: fc.record({ ...tagged("Transact"), commits: fc.boolean(), steps: tie("steps") }) }
  ),
  steps: fc.array(tie("step"), { maxLength: 25, size: "max" })
}))

/** Each is in by its own key. An override, which has a scope, hides the one of the same key, and older overrides. */
class Model {
  private registered: ReadonlyArray<Registered> = []
  private readonly closed = new Set<Scope.Scope>()

  get visible(): ReadonlyArray<Registered> {
    return this.registered.filter((one) => this.holder(one.key) === one)
  }
  holder(key: number): Registered | undefined {
    return this.registered.findLast((one) => one.key === key && one.scope !== undefined) ?? this.below(key)
  }
  /** The one that is no override. */
  below(key: number): Registered | undefined {
    return this.registered.find((one) => one.key === key && one.scope === undefined)
  }
  get allBelow(): ReadonlyArray<Registered> {
    return this.registered.filter(({ scope }) => scope === undefined)
  }
  found(subject: Subject): Registered | undefined {
    const own = this.visible.filter((one) => one.subject === subject)
    return own.find(({ key }) => key === subject.key) ?? own[0]
  }
  refusal(subject: Subject): string | undefined {
    const same = this.below(subject.key)
    if (same === undefined) return undefined
    return same.subject === subject ? "already_registered" : "attribute_registered"
  }
  add(subject: Subject, owner: string, scope?: Scope.Scope): void {
    this.registered = [...this.registered, {
      subject,
      key: subject.key,
      owner,
      ...(scope === undefined ? {} : { scope })
    }]
  }
  /** The registration stays. */
  replace(previous: Registered, subject: Subject): void {
    const next = { ...previous, subject, key: subject.key }
    this.registered = this.registered.map((one) => one === previous ? next : one)
  }
  remove(gone: Registered): void {
    this.registered = this.registered.filter((one) => one !== gone)
  }
  removeOwner(owner: string): void {
    this.registered = this.registered.filter((one) => one.owner !== owner)
  }
  close(scope: Scope.Scope): void {
    this.closed.add(scope)
    this.registered = this.registered.filter((one) => one.scope !== scope)
  }
  /** Those of a list take the places of its old ones, in its order; a new one comes before the next old one, or last. */
  arrange(list: ReadonlyArray<Registered>, old: ReadonlySet<number>): void {
    const rest = Array.from(list)
    this.registered = this.registered.flatMap((one) => {
      if (!list.includes(one)) return [one]
      return old.has(one.key) ? rest.splice(0, 1 + rest.findIndex(({ key }) => old.has(key))) : []
    }).concat(rest)
  }
  /** What scopes hold comes back. */
  reset(): void {
    this.registered = this.registered.filter(({ scope }) => scope !== undefined)
  }
  /** What puts back what is in now. A scope that has closed in the meantime stays closed. */
  rollback(): () => void {
    const before = this.registered
    return () => {
      this.registered = before.filter(({ scope }) => scope === undefined || !this.closed.has(scope))
    }
  }
}

/** The code of what an effect fails with, if it does. */
const codeOf = <A>(effect: Effect.Effect<A, { readonly code: string }>) =>
  Effect.map(Effect.result(effect), (result) => result._tag === "Failure" ? result.failure.code : undefined)

const playing = (list: ReadonlyArray<Step>, hooked: boolean) =>
  Effect.gen(function*() {
    const registry = yield* Registry.make<Subject>()({
      lookup: ["key"],
      ...(hooked ? { hooks: { onItemRegistered: () => Effect.yieldNow, onItemUnregistered: () => Effect.void } } : {})
    })
    const subjects = Array.from({ length: few }, (_, n): Subject => ({ id: n, key: n }))
    const model = new Model()
    const overrides: Array<Scope.Closeable> = []
    let made = few

    const agrees = Effect.gen(function*() {
      for (const subject of subjects) {
        assert.strictEqual(yield* Registry.contains(registry, subject), model.found(subject) !== undefined)
      }
      for (let key = 0; key < few; key++) {
        const found = yield* Effect.option(Registry.get(registry, "key", key))
        assert.strictEqual(Option.getOrUndefined(found), model.holder(key)?.subject)
      }
      assert.deepStrictEqual(yield* Registry.values(registry), model.visible.map(({ subject }) => subject))
    })

    const play = (step: Step): Effect.Effect<void> =>
      Effect.gen(function*() {
        switch (step._tag) {
          case "Change":
            subjects[step.n]!.key = step.key
            return
          case "Register": {
            const subject = subjects[step.n]!
            const expected = model.refusal(subject)
            assert.strictEqual(yield* codeOf(Registry.register(registry, subject)), expected)
            if (expected === undefined) model.add(subject, "")
            return
          }
          case "RegisterAll": {
            const undo = model.rollback()
            let expected: string | undefined
            for (const n of step.some) {
              expected ??= model.refusal(subjects[n]!)
              if (expected === undefined) model.add(subjects[n]!, "list")
            }
            if (expected !== undefined) undo()
            const registering = Registry.registerAll(registry, step.some.map((n) => subjects[n]!))
            assert.strictEqual(yield* codeOf(Effect.provideService(registering, Registry.Owner, "list")), expected)
            return
          }
          case "Unregister": {
            const subject = subjects[step.n]!
            const found = model.found(subject)
            assert.strictEqual(
              yield* codeOf(Registry.unregister(registry, subject)),
              found === undefined ? "unregister" : undefined
            )
            if (found !== undefined) model.remove(found)
            return
          }
          case "UnregisterBy": {
            const found = model.holder(step.key)
            assert.strictEqual(
              yield* codeOf(Registry.unregisterBy(registry, "key", step.key)),
              found === undefined ? "not_registered" : undefined
            )
            if (found !== undefined) model.remove(found)
            return
          }
          case "UnregisterOwner":
            yield* Registry.unregisterOwner(registry, "list")
            model.removeOwner("list")
            return
          case "Upsert": {
            const subject = subjects[step.n]!
            const holder = model.holder(subject.key)
            // it would take the place of the override, or its own
            if (holder?.scope !== undefined || holder?.subject === subject) return
            yield* Effect.orDie(Registry.upsert(registry, subject))
            if (holder === undefined) model.add(subject, "")
            else model.replace(holder, subject)
            return
          }
          case "Reconcile": {
            const byKey = new Map(step.some.map((n) => [subjects[n]!.key, subjects[n]!]))
            yield* Effect.orDie(Registry.reconcile(registry, byKey.values()))
            const old = new Set(model.allBelow.map(({ key }) => key))
            for (const one of model.allBelow) {
              const subject = byKey.get(one.key)
              if (subject === one.subject) continue
              if (subject === undefined) model.remove(one)
              else model.replace(one, subject)
            }
            for (const subject of byKey.values()) {
              if (model.below(subject.key) === undefined) model.add(subject, "")
            }
            model.arrange(Array.from(byKey.values(), (subject) => model.below(subject.key)!), old)
            return
          }
          case "Override": {
            const scope = yield* Scope.make()
            const upper: Subject = { id: made++, key: step.key }
            yield* Scope.provide(Effect.orDie(Registry.override(registry, upper)), scope)
            overrides.push(scope)
            model.add(upper, "", scope)
            return
          }
          case "CloseOverride": {
            const scope = overrides.pop()
            if (scope === undefined) return
            yield* Scope.close(scope, Exit.void)
            model.close(scope)
            return
          }
          case "Reset":
            yield* Registry.reset(registry)
            model.reset()
            return
          case "Transact": {
            const undo = model.rollback()
            const body = Effect.andThen(playAll(step.steps), step.commits ? Effect.void : Effect.fail("given up"))
            const result = yield* Effect.result(Registry.transact(registry, body))
            assert.strictEqual(result._tag, step.commits ? "Success" : "Failure")
            if (!step.commits) undo()
            return
          }
        }
      })

    const playAll = (steps: ReadonlyArray<Step>): Effect.Effect<void> =>
      Effect.forEach(steps, (step) => Effect.andThen(play(step), agrees), { discard: true })

    for (const step of list) {
      yield* play(step)
      yield* agrees
      assert.deepStrictEqual(contradictions(registry), [])
    }
    for (const scope of overrides) yield* Scope.close(scope, Exit.void)
    // each registration is taken out on its own, and then the object can come again
    for (const subject of subjects) {
      while (yield* Registry.contains(registry, subject)) yield* Registry.unregister(registry, subject)
      assert.strictEqual(yield* codeOf(Registry.unregister(registry, subject)), "unregister")
    }
    assert.strictEqual(yield* Registry.size(registry), 0)
    for (const subject of subjects) {
      subject.key = subject.id
      yield* Registry.register(registry, subject)
    }
    assert.deepStrictEqual(yield* Registry.values(registry), subjects)
  })

describe("registered objects", () => {
  it("G9 are found though their keys have changed, registered in lists or one by one, after transactions that failed", () =>
    fc.assert(
      fc.asyncProperty(program, (transactions) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          const registry = yield* Registry.make<Thing>()({ lookup: ["n"] })
          const things = Array.from({ length: count }, (_, n): Thing => ({ n }))
          const changed = new Set<Thing>()
          let key = count
          const agrees = (live: ReadonlySet<Thing>) =>
            Effect.gen(function*() {
              for (const thing of things) {
                assert.strictEqual(yield* Registry.contains(registry, thing), live.has(thing))
              }
            })
          let live: ReadonlySet<Thing> = new Set()
          const snapshots = [{ snapshot: yield* Registry.snapshot(registry), live }]
          for (const { commits, steps } of transactions) {
            const draft = new Set(live)
            const transaction = Effect.gen(function*() {
              for (const { n, name, width } of steps) {
                const thing = things[n]!
                if (name === "change") {
                  // a key that was never used
                  thing.n = key++
                  changed.add(thing)
                } else if (name === "list") {
                  const list = things.slice(n, n + width).filter((one) => !draft.has(one))
                  yield* Registry.registerAll(registry, list)
                  for (const one of list) draft.add(one)
                } else if (name === "add" && !draft.has(thing)) {
                  yield* Registry.register(registry, thing)
                  draft.add(thing)
                } else if (name === "remove" && draft.has(thing)) {
                  yield* Registry.unregister(registry, thing)
                  draft.delete(thing)
                }
              }
              yield* agrees(draft)
              if (!commits) yield* Effect.fail("given up")
            })
            yield* Effect.exit(Registry.transact(registry, transaction)).pipe(
              Effect.tap((exit) =>
                Effect.sync(() => assert.strictEqual(exit._tag === "Success", commits, String(exit)))
              )
            )
            if (commits) live = draft
            yield* agrees(live)
            snapshots.push({ snapshot: yield* Registry.snapshot(registry), live })
          }
          for (const then of snapshots) {
            for (const thing of things) {
              // an old snapshot may look for a changed object by its present keys
              if (changed.has(thing)) continue
              assert.strictEqual(RegistrySnapshot.contains(then.snapshot, thing), then.live.has(thing))
            }
          }
        })))),
      { numRuns: 150 }
    ))

  it.effect("can be collected after they were unregistered", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Thing>()({ lookup: ["n"], history: 0 })
      const listed: Array<WeakRef<Thing>> = []
      const single: Array<WeakRef<Thing>> = []
      // a generator of its own, which keeps nothing in its variables
      const inAndOut = Effect.fnUntraced(function*(round: number) {
        const list = Array.from({ length: 50 }, (_, n): Thing => ({ n: 50 * round + n }))
        listed.push(...list.map((thing) => new WeakRef(thing)))
        yield* Registry.registerAll(registry, list)
        const one = { n: -1 - round }
        single.push(new WeakRef(one))
        yield* Registry.register(registry, one)
        assert.isTrue(yield* Registry.contains(registry, list[0]!))
        yield* Registry.reconcile(registry, [])
      })
      for (let round = 0; round < 100; round++) yield* inAndOut(round)
      assert.strictEqual(yield* kept(listed), 0)
      assert.strictEqual(yield* kept(single), 0)
    }))

  it.effect("can be collected after a list of them was refused, or its transaction failed", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Thing>()({ lookup: ["n"], history: 0 })
      yield* Registry.registerAll(registry, Array.from({ length: 200 }, (_, n): Thing => ({ n })))
      const listed: Array<WeakRef<Thing>> = []
      const list = (from: number, last: number) => {
        const all = Array.from({ length: 50 }, (_, n): Thing => ({ n: from + n }))
        listed.push(...all.map((thing) => new WeakRef(thing)))
        return [...all, { n: last }]
      }
      yield* Effect.exit(Effect.suspend(() => Registry.registerAll(registry, list(1_000, 0))))
      const transaction = Effect.suspend(() => Registry.registerAll(registry, list(2_000, 3_000)))
      yield* Effect.exit(Registry.transact(registry, Effect.andThen(transaction, Effect.fail("no"))))
      assert.strictEqual(listed.length, 100)
      assert.strictEqual(yield* kept(listed), 0)
      assert.strictEqual(yield* Registry.size(registry), 200)
    }))

  for (const hooked of [false, true]) {
    it(`G7 G9 each is in by the keys of its registration, until that is undone, whatever else was done: ${hooked ? "with" : "without"} hooks`, () =>
      fc.assert(
        fc.asyncProperty(everyStep, (list) => Effect.runPromise(Effect.scoped(playing(list, hooked)))),
        { numRuns: 150 }
      ))
  }

  it.effect("G9 what was unregistered is not contained and can be registered again: after lists, an override and a reconciliation", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Subject>()({ lookup: ["key"] })
      const first: Subject = { id: 0, key: 0 }
      yield* Registry.register(registry, first)
      const lists = [100, 200].map((from) =>
        Array.from({ length: 100 }, (_, i): Subject => ({ id: from + i, key: from + i }))
      )
      for (const list of lists) {
        yield* Registry.registerAll(registry, list)
        assert.isTrue(yield* Registry.contains(registry, list[0]!))
        for (const subject of list.slice(0, 50)) yield* Registry.unregister(registry, subject)
      }
      const again = lists[1]![0]!
      yield* Registry.register(registry, again)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.override(registry, { id: 1, key: 0 })
        yield* Registry.reconcile(registry, [first, again])
      }))
      assert.deepStrictEqual(yield* Registry.values(registry), [first, again])
      yield* Registry.unregister(registry, again)
      for (const subject of lists.flat()) assert.isFalse(yield* Registry.contains(registry, subject))
      yield* Registry.registerAll(registry, lists.flat())
      assert.deepStrictEqual(yield* Registry.values(registry), [first, ...lists.flat()])
      assert.deepStrictEqual(contradictions(registry), [])
    }))

  it.effect("G9 an object that was changed while an override hid it, and registered again, is in twice, and each goes by itself", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const registry = yield* Registry.make<Subject>()({
        lookup: ["key"],
        hooks: {
          onItemRegistered: ({ id }) => Effect.sync(() => told.push(`+${id}`)),
          onItemUnregistered: ({ id }) => Effect.sync(() => told.push(`-${id}`))
        }
      })
      const hidden: Subject = { id: 0, key: 0 }
      for (const order of ["by its present key first", "by its key of then first"]) {
        told.length = 0
        hidden.key = 0
        yield* Registry.register(registry, hidden)
        const scope = yield* Scope.make()
        yield* Scope.provide(Registry.override(registry, { id: 1, key: 0 }), scope)
        hidden.key = 5
        assert.isFalse(yield* Registry.contains(registry, hidden))
        yield* Registry.register(registry, hidden)
        assert.strictEqual((yield* Effect.flip(Registry.register(registry, hidden))).code, "already_registered")
        yield* Scope.close(scope, Exit.void)
        const before = yield* Registry.snapshot(registry)
        assert.deepStrictEqual(RegistrySnapshot.values(before), [hidden, hidden])
        for (const key of [0, 5]) assert.strictEqual(yield* Registry.get(registry, "key", key), hidden)
        assert.deepStrictEqual(told, ["+0", "-0", "+1", "+0", "-1", "+0"])
        assert.deepStrictEqual(contradictions(registry), [])

        if (order === "by its present key first") yield* Registry.unregister(registry, hidden)
        else yield* Registry.unregisterBy(registry, "key", 0)
        assert.deepStrictEqual(yield* Registry.values(registry), [hidden])
        assert.strictEqual(yield* Registry.has(registry, "key", 0), order === "by its present key first")
        assert.strictEqual(yield* Registry.has(registry, "key", 5), order !== "by its present key first")
        assert.isTrue(yield* Registry.contains(registry, hidden))
        yield* Registry.unregister(registry, hidden)
        assert.isFalse(yield* Registry.contains(registry, hidden))
        assert.strictEqual(yield* Registry.size(registry), 0)
        assert.deepStrictEqual(told.slice(-2), ["-0", "-0"])
        assert.deepStrictEqual(contradictions(registry), [])
        assert.isTrue(RegistrySnapshot.contains(before, hidden))
      }
    }))

  it.effect("G9 an upsert goes by the first unique key that the object has now: it replaces what has it, or goes in again", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Subject>()({ lookup: ["key"] })
      const [one, other]: [Subject, Subject] = [{ id: 0, key: 0 }, { id: 1, key: 1 }]
      yield* Registry.registerAll(registry, [one, other])
      one.key = 2
      yield* Registry.upsert(registry, one)
      assert.deepStrictEqual(yield* Registry.values(registry), [one, other, one])
      one.key = 1
      yield* Registry.upsert(registry, one)
      assert.deepStrictEqual(yield* Registry.values(registry), [one, one, one])
      assert.isFalse(yield* Registry.contains(registry, other))
      for (const key of [0, 1, 2]) yield* Registry.unregisterBy(registry, "key", key)
      assert.isFalse(yield* Registry.contains(registry, one))
      assert.deepStrictEqual(contradictions(registry), [])
    }))
})
