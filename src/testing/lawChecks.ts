/**
 * The laws that `laws` registers as tests: what a registry does where it keeps one, and what is said where it does not.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Formatter from "effect/Formatter"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import type * as FastCheck from "fast-check"
import { coreOf } from "../internal/coreOf.ts"
import { isIn } from "../internal/engine/acquiring.ts"
import * as Contents from "../internal/store/contents.ts"
import { shareUnique, takeKeys } from "../internal/store/definition.ts"
import { attempt } from "../internal/store/same.ts"
import * as Registry from "../Registry.ts"
import { interleave, type ScheduleFailure } from "./interleave.ts"
import { hasLike, Kept, Tally, violations } from "./invariants.ts"

/**
 * What a law is tried with.
 *
 * @internal
 */
export interface Trials<Item, Services> {
  readonly item: FastCheck.Arbitrary<Item>
  readonly tag: Context.Key<any, Registry.Registry<Item, any, any, any>> | undefined
  readonly kept: Effect.Effect<Iterable<Item>, unknown, Services> | undefined
  readonly runs: number
  readonly schedules: number
  readonly seed: number | undefined
}

/**
 * For each law an effect that fails, as `fc.assert` does, if a registry breaks it. The cause of that error is a report.
 *
 * @internal
 */
export const checksOf = <Item, Services>(
  fc: typeof FastCheck,
  name: string,
  layer: Layer.Layer<Services, unknown>,
  { item, kept, runs, schedules, seed, tag }: Trials<Item, Services>
): { readonly [law: string]: Effect.Effect<void, unknown> } => {
  const check = (law: string, holds: Law) =>
    fc.assert(
      fc.asyncProperty(fc.array(item, { minLength: 1, maxLength: 5 }), async (items) => {
        const program = Effect.scoped(Effect.gen(function*() {
          const context = yield* Layer.build(layer)
          const registry: Subject<Item> = registryIn(context, tag)
          yield* holds({
            registry,
            items,
            kept: kept === undefined ? Registry.values(registry) : Effect.provideContext(kept, context)
          })
        }))
        const failure = await Effect.runPromise(
          Effect.match(interleave(program, { seeds: schedules }), { onFailure: (one) => one, onSuccess: () => {} })
        )
        if (failure !== undefined) throw new Error(report(name, law, items, failure))
      }),
      { numRuns: runs, ...(seed === undefined ? {} : { seed }) }
    )
  return Object.fromEntries(
    Object.entries(allLaws).map(([law, holds]) => [
      law,
      Effect.tryPromise({ try: () => check(law, holds), catch: (error) => error })
    ])
  )
}

const report = (name: string, law: string, items: ReadonlyArray<unknown>, failure: ScheduleFailure): string => {
  const why = Cause.isCause(failure.cause)
    ? Cause.prettyErrors(failure.cause).map(({ message }) => message).join("\n")
    : failure.message
  return `"${name}" breaks the law "${law}" with ${
    Formatter.format(items)
  }, under the schedule of seed ${failure.seed}:\n` +
    `${why}\nTo try the same again, give laws the seed of fast-check, the one in { seed: … }, as its option "seed".`
}

type Subject<Item> = Registry.Registry<Item, any, unknown, unknown>

const registryIn = (context: Context.Context<any>, tag: Context.Key<any, any> | undefined): Subject<any> => {
  if (tag !== undefined) return Context.getUnsafe(context, tag)
  const registries = Array.from(context.mapUnsafe.values()).filter(Registry.isRegistry)
  if (registries.length === 1) return registries[0]!
  throw new Error(
    registries.length === 0
      ? "The layer makes no registry."
      : `The layer makes several registries: say which with "tag". They are ${
        registries.map((registry) => registry.name).join(", ")
      }.`
  )
}

// ---------------------------------------------------------------------------------------------------------------------
// The laws
// ---------------------------------------------------------------------------------------------------------------------

interface Given<Item> {
  readonly registry: Subject<Item>
  readonly items: ReadonlyArray<Item>
  readonly kept: Effect.Effect<Iterable<Item>, unknown>
}

type Law = <Item>(given: Given<Item>) => Effect.Effect<void, unknown, Scope.Scope>

const fail = (message: string): Effect.Effect<never> => Effect.die(new LawBroken(message))

/** Its stack says nothing: the message says all. */
class LawBroken extends Error {
  override readonly name = "LawBroken"
}

const must = (wrong: ReadonlyArray<string>): Effect.Effect<void> =>
  wrong.length === 0 ? Effect.void : fail(wrong.join("\n"))

/** An operation may be refused, with an error that is in its type; it may not die. */
const allowed = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.flatMap(Effect.exit(effect), (exit) => {
    const defects = Exit.isFailure(exit) ? exit.cause.reasons.filter(Cause.isDieReason) : []
    return defects.length === 0
      ? Effect.succeed(exit)
      : fail(`${what} died: ${defects.map(({ defect }) => messageOf(defect)).join("; ")}`)
  })

const messageOf = (defect: unknown): string => defect instanceof Error ? defect.message : Formatter.format(defect)

const atOnce = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.all(effects, { concurrency: "unbounded" })

const registering = <Item>({ items, registry }: Given<Item>) =>
  atOnce(items.map((item) => allowed("register", Registry.register(registry, item))))

const published = <Item>(registry: Subject<Item>): Contents.Contents<Item> => Ref.getUnsafe(coreOf(registry).published)

const agreed = <Item>({ kept, registry }: Given<Item>): Effect.Effect<void, unknown> =>
  Effect.gen(function*() {
    const tally = new Tally<Item>()
    for (const item of yield* kept) tally.add(item, 1)
    const items = yield* Registry.values(registry)
    yield* must(tally.wrong(items, "kept").map((wrong) => `What hooks keep is not what is registered: ${wrong}`))
  })

const difference = <Item>(
  before: Contents.Contents<Item>,
  after: Contents.Contents<Item>
): ReadonlyArray<string> => {
  const missing = Contents.entries(before).filter((entry) => !hasLike(after, entry))
  const extra = Contents.entries(after).filter((entry) => !hasLike(before, entry))
  return [
    ...missing.map(({ item }) => `${Formatter.format(item)} is gone.`),
    ...extra.map(({ item }) => `${Formatter.format(item)} is still registered.`)
  ]
}

/** A hook that keeps what it is told of, and its reaction in each call. */
const keeping = <Item>(registry: Subject<Item>, react: (call: "came" | "went", item: Item) => Effect.Effect<void>) => {
  const tally = new Tally<Item>()
  const kept = new Kept(coreOf(registry).definition)
  return {
    handlers: {
      onItemRegistered: (item: Item) =>
        Effect.andThen(
          react("came", item),
          Effect.sync(() => {
            tally.add(item, 1)
            kept.set(item)
          })
        ),
      onItemUnregistered: (item: Item) =>
        Effect.andThen(
          react("went", item),
          Effect.sync(() => {
            tally.add(item, -1)
            kept.delete(item)
          })
        )
    },
    wrong: (items: Iterable<Item>) => [...tally.wrong(items, "told"), ...kept.wrong(items, "A hook")]
  }
}

/** Reactions of a hook that withdraws, replaces and brings back what it is told of: once each, for each item. */
const meddlingWith = <Item>(registry: Subject<Item>, items: ReadonlyArray<Item>) => {
  const { definition } = coreOf(registry)
  const { lookups } = definition
  const unique = lookups.find((lookup) => lookup.unique && !lookup.each)
  const left = new Set<string>()
  let count = 0
  const areRivals = (one: Item, other: Item) =>
    attempt(() => shareUnique(definition, takeKeys(definition, one), takeKeys(definition, other)), false)
  const change = (call: "came" | "went", item: Item, other: Item): Effect.Effect<unknown, unknown> => {
    if (call === "went") {
      const rival = items.find((one) => one !== item && areRivals(one, item))
      return Registry.upsert(registry, rival === undefined || count++ % 2 === 0 ? item : rival)
    }
    switch (count++ % 3) {
      case 0:
        return Registry.unregister(registry, item)
      case 1:
        return unique === undefined
          ? Registry.upsert(registry, other)
          // it is known when it runs which lookups there are
          : Registry.replace(registry, unique.attribute as never, unique.select(item) as never, other)
      default:
        return Registry.upsert(registry, other)
    }
  }
  const again = () => {
    for (const at of items.keys()) left.add(`came ${at}`).add(`went ${at}`)
  }
  again()
  return {
    again,
    stop: () => left.clear(),
    // a hook must not fail, and what it tries may be refused
    react: (call: "came" | "went", item: Item) => {
      const at = items.indexOf(item)
      return left.delete(`${call} ${at}`)
        ? Effect.ignore(change(call, item, items[(at + 1) % items.length]!))
        : Effect.void
    }
  }
}

const allLaws: { readonly [name: string]: Law } = {
  "unique values are unique": (given) =>
    Effect.gen(function*() {
      const { items, registry } = given
      const exits = yield* atOnce(
        [...items, ...items].map((item) => allowed("register", Registry.register(registry, item)))
      )
      const held = yield* Registry.values(registry)
      const missing = items.filter((item, i) =>
        [exits[i]!, exits[i + items.length]!].some(Exit.isSuccess) && !held.includes(item)
      )
      yield* must([
        ...violations(published(registry)),
        ...missing.map((item) => `${Formatter.format(item)} was registered, and is not in.`)
      ])
    }),

  "all lookups agree": (given) =>
    Effect.gen(function*() {
      const { items, registry } = given
      const look = Effect.flatMap(Registry.snapshot(registry), () =>
        Effect.suspend(() => must(violations(published(registry)))))
      const churn = items.map((item) =>
        Effect.andThen(
          allowed("register", Registry.register(registry, item)),
          allowed("unregister", Registry.unregister(registry, item))
        )
      )
      yield* atOnce<unknown, unknown, never>([...churn, look, look, look])
      yield* look
    }),

  "all or nothing": (given) =>
    Effect.gen(function*() {
      const { items, registry } = given
      yield* Registry.populate(registry)
      const before = published(registry)
      const program = Registry.transact(
        registry,
        Effect.gen(function*() {
          for (const item of items) yield* allowed("register", Registry.register(registry, item))
          yield* allowed("reset", Registry.reset(registry))
          for (const item of items) yield* allowed("register", Registry.register(registry, item))
          return yield* Effect.fail("the transaction fails")
        })
      )
      yield* allowed("transact", program)
      const interrupted = yield* Effect.forkChild(program)
      yield* Effect.yieldNow
      yield* Fiber.interrupt(interrupted)
      yield* allowed(
        "registerAll",
        Registry.transact(registry, Effect.andThen(Registry.registerAll(registry, items), Effect.fail("no")))
      )
      yield* must([...violations(published(registry)), ...difference(before, published(registry))])
      yield* agreed(given)
    }),

  "hooks balanced": (given) =>
    Effect.gen(function*() {
      const { items, registry } = given
      const tally = new Tally<(typeof items)[number]>()
      yield* Registry.addHooks(registry, {
        onItemRegistered: (item: (typeof items)[number]) =>
          Effect.andThen(Effect.yieldNow, Effect.sync(() => tally.add(item, 1))),
        onItemUnregistered: (item: (typeof items)[number]) =>
          Effect.andThen(Effect.yieldNow, Effect.sync(() => tally.add(item, -1)))
      }, { existing: true })
      const operations = items.flatMap((item) => [
        Registry.register(registry, item),
        Registry.unregister(registry, item),
        Effect.scoped(Registry.registerScoped(registry, item)),
        Registry.transact(registry, Effect.andThen(Registry.upsert(registry, item), Effect.fail("no")))
      ])
      const fibers = yield* Effect.forEach(operations, (operation) =>
        Effect.forkChild(allowed<unknown, unknown, never>("an operation", operation)))
      yield* Effect.forkChild(Fiber.interrupt(fibers[0]!))
      for (const fiber of fibers) {
        const exit = yield* Fiber.await(fiber)
        if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)) {
          return yield* Effect.failCause(exit.cause)
        }
      }
      yield* must(tally.wrong(yield* Registry.values(registry), "told"))
      yield* agreed(given)
      yield* allowed("reset", Registry.reset(registry))
      yield* must(tally.wrong(published(registry), "told"))
    }),

  "what is acquired is released once": (given) =>
    Effect.gen(function*() {
      const { items, registry } = given
      const unique = coreOf(registry).definition.lookups.find((lookup) => lookup.unique && !lookup.each)
      const tally = new Tally<(typeof items)[number]>()
      yield* Registry.populate(registry)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* allowed(
          "addHooks",
          Registry.addHooks(registry, {
            acquire: (item: (typeof items)[number]) =>
              Effect.acquireRelease(
                Effect.andThen(Effect.yieldNow, Effect.sync(() => tally.add(item, 1))),
                () => Effect.andThen(Effect.yieldNow, Effect.sync(() => tally.add(item, -1)))
              )
          }, { existing: true })
        )
        const leasing = (item: (typeof items)[number]) =>
          unique === undefined ? Effect.void : Effect.scoped(Effect.gen(function*() {
            // it is known when it runs which lookups there are
            const leased = yield* Registry.lease(registry, unique.attribute as never, unique.select(item) as never)
            for (let turn = 0; turn < 3; turn++) {
              if (!tally.has(leased)) yield* fail(`${Formatter.format(leased)} is leased, and is not acquired.`)
              yield* Effect.yieldNow
            }
          }))
        const operations = items.flatMap((item) => [
          Registry.transact(registry, Effect.andThen(Registry.upsert(registry, item), Effect.fail("no"))),
          Registry.upsert(registry, item),
          leasing(item),
          Effect.scoped(Registry.registerScoped(registry, item)),
          Registry.unregister(registry, item),
          Registry.register(registry, item)
        ])
        const fibers = yield* Effect.forEach(operations, (operation) =>
          Effect.forkChild(allowed<unknown, unknown, never>("an operation", operation)))
        yield* Effect.forkChild(Fiber.interrupt(fibers[0]!))
        for (const fiber of fibers) {
          const exit = yield* Fiber.await(fiber)
          if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)) {
            return yield* Effect.failCause(exit.cause)
          }
        }
        const contents = published(registry)
        const enabled = Contents.allEntries(contents).filter((entry) =>
          isIn(contents, entry.registration, entry.item)
        )
        yield* must(tally.wrong(enabled.map(({ item }) => item), "acquired"))
        yield* allowed("reset", Registry.reset(registry))
        yield* must(tally.wrong([], "acquired"))
        yield* Registry.populate(registry)
      }))
      yield* must(tally.wrong([], "acquired"))
      yield* agreed(given)
    }),

  "a hook that keeps a map agrees with the contents": (given) =>
    Effect.gen(function*() {
      const { items, registry } = given
      yield* Registry.populate(registry)
      for (const place of [0, 1, 2]) {
        const meddler = meddlingWith(registry, items)
        const hooks = [0, 1, 2].map((at) => keeping(registry, at === place ? meddler.react : () => Effect.void))
        const agree = (contents: Iterable<(typeof items)[number]>) =>
          must(hooks.flatMap(({ wrong }, at) =>
            wrong(contents).map((what) => `Hook ${at + 1} of 3, of which hook ${place + 1} meddles: ${what}`)
          ))
        yield* Effect.scoped(Effect.gen(function*() {
          for (const { handlers } of hooks) {
            yield* Registry.addHooks(registry, handlers, { existing: true })
          }
          yield* atOnce(items.map((item) =>
            Effect.gen(function*() {
              yield* allowed("register", Registry.register(registry, item))
              yield* allowed("upsert", Registry.upsert(registry, item))
              yield* allowed("unregister", Registry.unregister(registry, item))
              yield* allowed("registerScoped", Effect.scoped(Registry.registerScoped(registry, item)))
              yield* allowed(
                "transact",
                Registry.transact(registry, Effect.andThen(Registry.upsert(registry, item), Effect.fail("no")))
              )
            })
          ))
          yield* agree(published(registry))
          meddler.again()
          yield* allowed("reconcile", Registry.reconcile(registry, items))
          yield* agree(published(registry))
          // what a hook registers in a reset makes it die
          meddler.stop()
          yield* allowed("reset", Registry.reset(registry))
          yield* agree(published(registry))
          yield* Registry.populate(registry)
          yield* agree(published(registry))
        }))
        yield* agree([])
      }
      yield* agreed(given)
    }),

  "population once": (given) =>
    Effect.gen(function*() {
      const { items, registry } = given
      let runs = 0
      const pending = (yield* Registry.state(registry)) === "Pending"
      yield* Registry.addHooks(registry, { onPopulating: Effect.sync(() => runs++) })
      const sizes = yield* atOnce(items.concat(items).map(() => Registry.size(registry)))
      yield* must([
        ...(new Set(sizes).size === 1 ? [] : [`Readers saw ${Array.from(new Set(sizes)).join(" and ")} items.`]),
        ...(runs === (pending ? 1 : 0) ? [] : [`The population ran ${runs} times.`]),
        ...violations(published(registry))
      ])
      yield* agreed(given)
    }),

  "reset and populate again": (given) =>
    Effect.gen(function*() {
      const { registry } = given
      yield* Registry.populate(registry)
      yield* allowed("reset", Registry.reset(registry))
      yield* Registry.populate(registry)
      const before = published(registry)
      yield* registering(given)
      yield* allowed("reset", Registry.reset(registry))
      yield* must(violations(published(registry)))
      if ((yield* Registry.state(registry)) !== "Pending") yield* fail("It was reset, and is not Pending.")
      yield* Registry.populate(registry)
      yield* must(difference(before, published(registry)))
      yield* agreed(given)
    }),

  "no leak": (given) =>
    Effect.gen(function*() {
      const { items, registry } = given
      yield* Registry.populate(registry)
      const before = published(registry)
      const exits = yield* registering(given)
      for (const [i, item] of items.entries()) {
        if (Exit.isSuccess(exits[i]!)) yield* allowed("unregister", Registry.unregister(registry, item))
      }
      yield* atOnce(
        items.map((item) => allowed("registerScoped", Effect.scoped(Registry.registerScoped(registry, item))))
      )
      yield* must([...violations(published(registry)), ...difference(before, published(registry))])
      if (coreOf(registry).lock.holder !== undefined) yield* fail("A transaction is still open.")
      yield* agreed(given)
    })
}
