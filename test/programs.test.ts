import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Registry, RegistryError, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import * as Meddlers from "./utils/meddlers.ts"
import * as Sequences from "./utils/sequences.ts"
import * as Trees from "./utils/trees.ts"

describe("sequential programs", () => {
  for (const kind of Sequences.kinds) {
    it(`a ${kind} registry answers what the model answers`, () =>
      fc.assert(
        fc.asyncProperty(Sequences.commands, (program) => Sequences.check(kind, program)),
        { numRuns: 400 }
      ), 60_000)
  }
})

describe("nested transactions", () => {
  it("G7, G14, G20 failures leave no trace at any depth", { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(Trees.tree, async (one) => {
        await Effect.runPromise(RegistryTest.interleave(Trees.check(one), { seeds: 3 }))
      }),
      { numRuns: 300 }
    ))
})

describe("hooks that withdraw, replace and bring back what they are told of, and more", () => {
  it("G28 each knows what is in after every change, also by key", { timeout: 120_000 }, () =>
    fc.assert(
      fc.asyncProperty(Meddlers.programOf(1), (program) => Effect.runPromise(Meddlers.check(program))),
      { numRuns: 1_000 }
    ))

  it(
    "G28 each knows what is in when all is at rest, also by key, under schedules",
    { timeout: 120_000 },
    () =>
      fc.assert(
        fc.asyncProperty(Meddlers.programOf(3), async (program) => {
          await Effect.runPromise(RegistryTest.interleave(Meddlers.check(program), { seeds: 4 }))
        }),
        { numRuns: 200 }
      )
  )
})

interface Numbered {
  readonly id: number
}

// ---------------------------------------------------------------------------------------------------------------------
// The laws of RegistryHooks.combine
// ---------------------------------------------------------------------------------------------------------------------

const handlerNames = [
  "onItemRegistering",
  "onItemRegistered",
  "onItemUnregistering",
  "onItemUnregistered",
  "onPopulating",
  "onPopulated",
  "onResetting",
  "onReset"
] as const

/** One part of hooks: its handlers, the items for which they refuse or die, and whether they yield. */
interface PartOfHooks {
  readonly name: string
  readonly handlers: ReadonlyArray<typeof handlerNames[number]>
  readonly refuses: ReadonlyArray<number>
  readonly dies: ReadonlyArray<readonly [handler: string, id: number]>
  readonly yields: boolean
}

const partOfHooks: fc.Arbitrary<PartOfHooks> = fc.record({
  name: fc.constantFrom("p", "q", "r", "s"),
  handlers: fc.subarray([...handlerNames]),
  refuses: fc.subarray([4]),
  // none dies during rollback, because that would leave its effects
  dies: fc.array(fc.tuple(fc.constantFrom("onItemRegistered", "onItemUnregistering"), fc.constantFrom(3, 5)), {
    maxLength: 1
  }),
  yields: fc.boolean()
})

type LoggedHooks = RegistryHooks.RegistryHooks<Numbered, RegistryError.RegistrationError>

/** Hooks that log their calls. */
const hooksOf = ({ dies, handlers, name, refuses, yields }: PartOfHooks, log: Array<string>): LoggedHooks => {
  const logged = (handler: string, id: number | string) =>
    Effect.suspend(() => {
      if (dies.some(([hook, item]) => hook === handler && item === id)) return Effect.die(`${name} ${handler} ${id}`)
      log.push(`${name} ${handler} ${id}`)
      return Effect.void
    })
  const told = (handler: string, id: number | string) =>
    yields ? Effect.andThen(Effect.yieldNow, logged(handler, id)) : logged(handler, id)
  const all: Omit<RegistryHooks.Handlers<Numbered, RegistryError.RegistrationError>, "acquire"> = {
    onItemRegistering: (item: Numbered) =>
      Effect.andThen(
        told("onItemRegistering", item.id),
        refuses.includes(item.id) ? RegistryError.reject(item, name) : Effect.void
      ),
    onItemRegistered: (item: Numbered) => told("onItemRegistered", item.id),
    onItemUnregistering: (item: Numbered) => told("onItemUnregistering", item.id),
    onItemUnregistered: (item: Numbered) => told("onItemUnregistered", item.id),
    onPopulating: told("onPopulating", ""),
    onPopulated: told("onPopulated", ""),
    onResetting: told("onResetting", ""),
    onReset: told("onReset", "")
  }
  const some: Partial<typeof all> = Object.fromEntries(
    Object.entries(all).filter(([handler]) => handlers.some((one) => one === handler))
  )
  return RegistryHooks.make<Numbered>()(some)
}

const numberedItem = fc.integer({ min: 0, max: 5 }).map((id): Numbered => ({ id }))

const numberedOperation = fc.letrec<{ readonly operation: RegistryTest.Operation<Numbered> }>((tie) => ({
  operation: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 4, arbitrary: numberedItem.map((one): RegistryTest.Operation<Numbered> => ["register", one]) },
    {
      weight: 1,
      arbitrary: fc.array(numberedItem, { maxLength: 4 }).map((
        list
      ): RegistryTest.Operation<Numbered> => ["registerAll", list])
    },
    { weight: 2, arbitrary: numberedItem.map((one): RegistryTest.Operation<Numbered> => ["unregister", one]) },
    {
      weight: 2,
      arbitrary: fc.tuple(numberedItem, numberedItem).map((
        [{ id }, one]
      ): RegistryTest.Operation<Numbered> => ["replace", "id", id, one])
    },
    { weight: 1, arbitrary: fc.constant<RegistryTest.Operation<Numbered>>(["reset"]) },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.array(tie("operation"), { maxLength: 4 }), fc.constantFrom("commit", "fail", "die")).map((
        [list, ending]
      ): RegistryTest.Operation<Numbered> => ["transact", list, ending])
    }
  )
})).operation

/** The calls of hooks and the results of operations in a registry with these hooks. */
const logOf = (
  makeHooks: (log: Array<string>) => LoggedHooks,
  operations: ReadonlyArray<RegistryTest.Operation<Numbered>>
) =>
  Effect.scoped(Effect.gen(function*() {
    const log: Array<string> = []
    const registry = yield* Registry.make<Numbered>()({
      lookup: ["id"],
      defaults: [{ id: 0 }, { id: 1 }],
      hooks: makeHooks(log)
    })
    const recorder = RegistryTest.record(registry)
    const results: Array<RegistryTest.OperationResult> = []
    for (const one of operations) results.push(yield* recorder.run(0, one))
    return { log, results, items: Array.from(yield* Registry.values(registry), ({ id }) => id) }
  }))

const program = fc.array(numberedOperation, { maxLength: 8 })

/** Checks that two ways to combine the same parts behave alike. */
const sameLog = (
  parts: ReadonlyArray<PartOfHooks>,
  operations: ReadonlyArray<RegistryTest.Operation<Numbered>>,
  first: (hooks: ReadonlyArray<LoggedHooks>) => LoggedHooks,
  second: (hooks: ReadonlyArray<LoggedHooks>) => LoggedHooks
) =>
  Effect.gen(function*() {
    const run = (combined: typeof first) =>
      logOf((log) => combined(parts.map((part) => hooksOf(part, log))), operations)
    assert.deepStrictEqual(yield* run(first), yield* run(second))
  })

describe("the laws of RegistryHooks.combine", () => {
  const { combine, combineAll, empty } = RegistryHooks
  const three = fc.tuple(partOfHooks, partOfHooks, partOfHooks)

  it("it is associative", () =>
    fc.assert(
      fc.asyncProperty(three, program, (parts, operations) =>
        Effect.runPromise(sameLog(
          parts,
          operations,
          ([x, y, z]) => combine(combine(x!, y!), z!),
          ([x, y, z]) => combine(x!, combine(y!, z!))
        ))),
      { numRuns: 300 }
    ))

  it("empty is its unit", () =>
    fc.assert(
      fc.asyncProperty(fc.tuple(partOfHooks), fc.boolean(), program, (parts, left, operations) =>
        Effect.runPromise(sameLog(
          parts,
          operations,
          ([x]) =>
            x!,
          ([x]) =>
            left ? combine(empty, x!) : combine(x!, empty)
        ))),
      { numRuns: 300 }
    ))

  it("combineAll is combine from the first to the last", () =>
    fc.assert(
      fc.asyncProperty(fc.array(partOfHooks, { maxLength: 4 }), program, (parts, operations) =>
        Effect.runPromise(sameLog(
          parts,
          operations,
          (list) => combineAll(list),
          (list) => list.reduce((all, one) => combine(all, one), empty as LoggedHooks)
        ))),
      { numRuns: 300 }
    ))

  it("G20 parts are rolled back by themselves: each was told of exactly the registered items", () =>
    fc.assert(
      fc.asyncProperty(three, program, async (parts, operations) => {
        const both = ["onItemRegistered", "onItemUnregistered"] as const
        const telling = parts.map((part, index) => ({
          ...part,
          name: `${part.name}${index}`,
          handlers: Array.from(new Set([...part.handlers, ...both]))
        }))
        const { items, log } = await Effect.runPromise(
          logOf((written) => combineAll(telling.map((part) => hooksOf(part, written))), operations)
        )
        for (const { name } of telling) {
          for (const id of [0, 1, 2, 3, 4, 5]) {
            const [came, went] = both.map((handler) => log.filter((line) => line === `${name} ${handler} ${id}`).length)
            assert.strictEqual(came! - went!, items.includes(id) ? 1 : 0, `${name} ${id}`)
          }
        }
      }),
      { numRuns: 300 }
    ))
})
