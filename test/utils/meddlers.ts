/**
 * Random programs of two registries whose hooks withdraw, replace and bring back what they are told of, and whatever else
 * can be done to a registry.
 */
import { assert } from "@effect/vitest"
import { Effect, Exit, Fiber, Logger, Scope } from "effect"
import { Registry } from "effect-registry"
import * as fc from "fast-check"
import { contradictions, isLocked } from "./inside.ts"
import { Item } from "./items.ts"
import { type Items, namesOf, Witness } from "./witness.ts"

/** Two items for each of four keys. */
const pool = Array.from({ length: 8 }, (_, n) => new Item(n >> 1, n % 2 === 0 ? "even" : "odd"))

type Change =
  | { readonly name: "register" | "unregister" | "upsert" | "registerScoped" | "override"; readonly n: number }
  | { readonly name: "replace"; readonly n: number; readonly by: number }
  | { readonly name: "registerAll" | "registerAllScoped" | "reconcile"; readonly list: ReadonlyArray<number> }
  | { readonly name: "close" | "reset" | "populate" | "size" | "unregisterOwner" | "removeHooks" }
  | { readonly name: "addHooks"; readonly existing: boolean }
  | { readonly name: "other" | "fork"; readonly change: Change }
  | { readonly name: "transact" | "transactAll"; readonly changes: ReadonlyArray<Change>; readonly fails: boolean }

const index = fc.nat(pool.length - 1)

const simple: fc.Arbitrary<Change> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ name: fc.constantFrom("register", "unregister", "upsert"), n: index }) },
  { weight: 2, arbitrary: fc.record({ name: fc.constant("replace"), n: index, by: index }) },
  { weight: 2, arbitrary: fc.record({ name: fc.constantFrom("registerScoped", "override"), n: index }) },
  {
    weight: 3,
    arbitrary: fc.record({
      name: fc.constantFrom("registerAll", "registerAllScoped", "reconcile"),
      list: fc.uniqueArray(index, { maxLength: 3 })
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({ name: fc.constantFrom("close", "reset", "populate", "size", "unregisterOwner") })
  },
  { weight: 1, arbitrary: fc.record({ name: fc.constant("addHooks"), existing: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ name: fc.constant("removeHooks") }) }
)

const change: fc.Arbitrary<Change> = fc.letrec<{ readonly change: Change }>((tie) => ({
  change: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 6, arbitrary: simple },
    { weight: 1, arbitrary: fc.record({ name: fc.constantFrom("other", "fork"), change: tie("change") }) },
    {
      weight: 2,
      arbitrary: fc.record({
        name: fc.constantFrom("transact", "transact", "transactAll"),
        changes: fc.array(tie("change"), { minLength: 1, maxLength: 3 }),
        fails: fc.boolean()
      })
    }
  )
})).change

/** What a hook does in one of its calls, counted from the first. `before` are those that ask, or announce. */
const reaction = fc.record({
  registry: fc.nat(1),
  hook: fc.nat(2),
  before: fc.boolean(),
  call: fc.nat(7),
  change
})

export interface Program {
  /** Those of one list are made at once. */
  readonly changes: ReadonlyArray<ReadonlyArray<Change>>
  readonly reactions: ReadonlyArray<{
    readonly registry: number
    readonly hook: number
    readonly before: boolean
    readonly call: number
    readonly change: Change
  }>
  /** The populations that fail, counted from the first. */
  readonly failing: ReadonlyArray<number>
}

/** Programs of which so many changes are made at once. */
export const programOf = (together: number): fc.Arbitrary<Program> =>
  fc.record({
    changes: fc.array(fc.array(change, { minLength: 1, maxLength: together }), { minLength: 1, maxLength: 5 }),
    reactions: fc.array(reaction, { minLength: 1, maxLength: 6 }),
    failing: fc.uniqueArray(fc.nat(3), { maxLength: 1 })
  })

interface Subject {
  readonly registry: Items
  witnesses: Array<Witness>
  /** The scopes of hooks that were added. */
  readonly added: Array<Scope.Closeable>
  readonly gone: Array<{ readonly witness: Witness; readonly existing: boolean }>
  scope: Scope.Closeable
}

/** Runs a program, and dies if a hook does not know what is in when all is at rest. */
export const check = ({ changes, failing, reactions }: Program): Effect.Effect<void> =>
  Effect.scoped(Effect.gen(function*() {
    const forked: Array<Fiber.Fiber<unknown>> = []
    let failed = false
    let populations = 0
    const made = (name: string, at: number) =>
      Effect.gen(function*() {
        const calls = new Map<string, number>()
        const react = (hook: number, before: boolean) =>
          Effect.suspend(() => {
            const key = `${hook} ${before}`
            const call = calls.get(key) ?? 0
            calls.set(key, call + 1)
            return Effect.forEach(
              reactions.filter((one) =>
                one.registry === at && one.hook === hook && one.before === before && one.call === call
              ),
              (one) => run(at, one.change)
            )
          })
        const registry: Items = yield* Registry.make<Item>()({
          name,
          lookup: ["id"],
          defaults: Effect.suspend(() =>
            failing.includes(populations++) ? Effect.fail("disk") : Effect.succeed([pool[0]!, pool[2]!])
          )
        })
        const witnesses = [0, 1, 2].map((hook) => new Witness(() => registry, () => react(hook, false)))
        for (const [hook, { hooks }] of witnesses.entries()) {
          yield* Registry.addHooks(registry, {
            ...hooks,
            onItemRegistering: () => react(hook, true),
            onItemUnregistering: () => react(hook, true)
          })
        }
        const subject: Subject = { registry, witnesses, added: [], gone: [], scope: yield* Scope.make() }
        return subject
      })

    const run = (at: number, one: Change): Effect.Effect<unknown> =>
      Effect.suspend((): Effect.Effect<unknown, unknown, Scope.Scope> => {
        const subject = subjects[at]!
        const { registry } = subject
        switch (one.name) {
          case "register":
            return Registry.register(registry, pool[one.n]!)
          case "unregister":
            return Registry.unregister(registry, pool[one.n]!)
          case "upsert":
            return Registry.upsert(registry, pool[one.n]!)
          case "registerScoped":
            return Registry.registerScoped(registry, pool[one.n]!)
          case "override":
            return Registry.override(registry, pool[one.n]!)
          case "replace":
            return Registry.replace(registry, "id", one.n >> 1, pool[one.by]!)
          case "registerAll":
            return Registry.registerAll(registry, one.list.map((n) => pool[n]!))
          case "registerAllScoped":
            return Registry.registerAllScoped(registry, one.list.map((n) => pool[n]!))
          case "reconcile":
            return Registry.reconcile(registry, one.list.map((n) => pool[n]!))
          case "reset":
            return Registry.reset(registry)
          case "populate":
            return Registry.populate(registry)
          case "size":
            return Registry.size(registry)
          case "unregisterOwner":
            return Registry.unregisterOwner(registry, "program")
          case "close": {
            const closing = Scope.close(subject.scope, Exit.void)
            subject.scope = Scope.makeUnsafe()
            return closing
          }
          case "removeHooks": {
            const scope = subject.added.pop()
            return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
          }
          case "addHooks": {
            const scope = Scope.makeUnsafe()
            const knowing = (known: ReadonlyArray<Item>) => {
              const witness = new Witness(() => registry, undefined, known)
              // it runs last
              const gone = Effect.sync(() => {
                subject.witnesses = subject.witnesses.filter((other) => other !== witness)
                subject.gone.push({ witness, existing: one.existing })
              })
              return Scope.addFinalizer(scope, gone).pipe(
                Effect.andThen(Registry.addHooks(registry, witness.hooks, { existing: one.existing })),
                Scope.provide(scope),
                Effect.map(() => {
                  subject.witnesses.push(witness)
                  subject.added.push(scope)
                })
              )
            }
            return one.existing
              ? knowing([])
              // nothing comes or goes between
              : Registry.transact(registry, Effect.flatMap(Registry.values(registry), knowing))
          }
          case "other":
            return run(1 - at, one.change)
          case "fork":
            return Effect.map(Effect.forkDetach(run(at, one.change)), (fiber) => forked.push(fiber))
          case "transact":
          case "transactAll": {
            const all = Effect.forEach(one.changes, (each) => run(at, each))
            const body = one.fails ? Effect.andThen(all, Effect.fail("no")) : all
            return one.name === "transact"
              ? Registry.transact(registry, body)
              : Registry.transactAll(subjects.map((each) => each.registry), body)
          }
        }
      }).pipe(
        Scope.provide(subjects[at]!.scope),
        Effect.provideService(Registry.Owner, "program"),
        Effect.exit,
        Effect.map((exit) => failed ||= Exit.isFailure(exit))
      )

    const subjects = [yield* made("one", 0), yield* made("two", 1)]
    for (const list of changes) {
      failed = false
      yield* Effect.all(list.map((one) => run(0, one)), { concurrency: "unbounded" })
      while (forked.length > 0) yield* Fiber.await(forked.pop()!)
      for (const { gone, registry, witnesses } of subjects) {
        assert.isFalse(isLocked(registry))
        assert.deepStrictEqual(contradictions(registry), [])
        const items = [...Registry.snapshotUnsafe(registry)]
        for (const witness of witnesses) {
          witness.agreesWith(items)
          // what is played back may not be there
          if (!failed) assert.deepStrictEqual(witness.untrue, [], namesOf(items).join())
          witness.untrue.length = 0
        }
        for (const { existing, witness } of gone.splice(0)) {
          if (existing) witness.agreesWith([])
          else assert.deepStrictEqual(witness.wrong, [])
        }
      }
    }
  })).pipe(
    // populations fail now and then, which is logged
    Effect.provide(Logger.layer([]))
  )
