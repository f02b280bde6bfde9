/**
 * What two operations on one key may come to, when they run at the same time.
 *
 * Each operation is one step, or several, of which each is atomic. What the two may come to is what their steps come to
 * one after another, in any order that keeps the order of each: nothing else may be seen under any schedule, and all of
 * that has to be seen under some.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, type Scope } from "effect"
import { Registry, RegistryError } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { defectOf, Item } from "./utils/items.ts"

/** What the operations are about: `a`, and `A` that replaces it, have the key 1. */
const a = new Item(1, "a")
const A = new Item(1, "A")
/** The default. */
const d = new Item(9, "d")

const names = (items: Iterable<Item>): string => Array.from(items, ({ name }) => name).join(" ")

// ---------------------------------------------------------------------------------------------------------------------
// What is allowed
// ---------------------------------------------------------------------------------------------------------------------

/** `"Pending"`, or the items in their order: `"d a"`. */
type Contents = string

/** What a step answers, and what it leaves; `result` is what the step before it answered. */
type Step = (before: Contents, result: string) => readonly [result: string, after: Contents]

type Contested = Registry.Registry<
  Item,
  readonly ["id"],
  RegistryError.PopulationError<RegistryError.RegistrationFailure>
>

interface Operation {
  readonly run: (
    registry: Contested
  ) => Effect.Effect<unknown, { readonly code: string }>
  readonly steps: ReadonlyArray<Step>
}

/** An item in the place of another, or of none. */
const put = (contents: Contents, from: string, to: string): Contents =>
  contents.split(" ").flatMap((name) => name !== from ? [name] : to === "" ? [] : [to]).join(" ")

const has = (contents: Contents, name: string): boolean => contents.split(" ").includes(name)

/** A step of an operation that populates first: here only the defaults, `d`. */
const onReady = (step: Step): Step => (before, result) => step(before === "Pending" ? "d" : before, result)

const register: Step = onReady((before) =>
  has(before, "a")
    ? ["already_registered", before]
    : has(before, "A")
    ? ["attribute_registered", before]
    : ["ok", `${before} a`]
)

/** Each operation: what it does, and the steps in which it does that. */
const operations: Readonly<Record<string, Operation>> = {
  register: {
    run: (registry) => Registry.register(registry, a),
    steps: [register]
  },
  unregister: {
    run: (registry) => Registry.unregister(registry, a),
    steps: [onReady((before) => has(before, "a") ? ["ok", put(before, "a", "")] : ["unregister", before])]
  },
  replace: {
    run: (registry) => Registry.replace(registry, "id", 1, A),
    steps: [
      onReady((before) =>
        has(before, "a") || has(before, "A") ? ["ok", put(before, "a", "A")] : ["not_registered", before]
      )
    ]
  },
  reset: {
    run: Registry.reset,
    steps: [() => ["ok", "Pending"]]
  },
  populate: {
    run: Registry.populate,
    steps: [onReady((before) => ["ok", before])]
  },
  // in and out again: nobody else sees it in
  transact: {
    run: (registry) =>
      Registry.transact(registry, Effect.andThen(Registry.register(registry, a), Registry.unregister(registry, a))),
    steps: [onReady((before) => [register(before, "")[0], before])]
  },
  // two steps: others may see it in, and may take it out before it goes by itself
  registerScoped: {
    run: (registry) => Effect.scoped(Registry.registerScoped(registry, a)),
    steps: [register, (before, result) => [result, result === "ok" ? put(before, "a", "") : before]]
  },
  get: {
    run: (registry) => Effect.map(Registry.get(registry, "id", 1), ({ name }) => name),
    steps: [onReady((before) => [has(before, "a") ? "a" : has(before, "A") ? "A" : "not_registered", before])]
  },
  values: {
    run: (registry) => Effect.map(Registry.values(registry), names),
    steps: [onReady((before) => [before, before])]
  }
}

/** What two operations may come to: all orders of their steps, one after another. */
const allowed = (one: Operation, other: Operation, before: Contents): ReadonlySet<string> => {
  const outcomes = new Set<string>()
  const go = (i: number, j: number, contents: Contents, first: string, second: string): void => {
    const step = one.steps[i]
    const step2 = other.steps[j]
    if (step === undefined && step2 === undefined) outcomes.add(outcome(first, second, contents))
    if (step !== undefined) {
      const [result, after] = step(contents, first)
      go(i + 1, j, after, result, second)
    }
    if (step2 !== undefined) {
      const [result, after] = step2(contents, second)
      go(i, j + 1, after, first, result)
    }
  }
  go(0, 0, before, "", "")
  return outcomes
}

const outcome = (first: string, second: string, contents: Contents): string => `${first}, ${second}: ${contents}`

// ---------------------------------------------------------------------------------------------------------------------
// What is seen
// ---------------------------------------------------------------------------------------------------------------------

const befores: ReadonlyArray<Contents> = ["Pending", "d", "d a"]

const turn = Effect.yieldNow

/** The registry that two operations share. Hooks and defaults that take a turn each leave much room for others. */
const registries: Readonly<Record<string, Effect.Effect<Contested, never, Scope.Scope>>> = {
  "without hooks": Registry.make<Item>()({ lookup: ["id"], defaults: [d] }),
  "with hooks that take turns": Registry.make<Item>()({
    lookup: ["id"],
    defaults: [d],
    hooks: {
      onItemRegistering: (item) => item === d ? Effect.void : turn,
      onItemUnregistering: () => turn,
      onPopulating: turn
    }
  })
}

const seen = (
  make: Effect.Effect<Contested, never, Scope.Scope>,
  one: Operation,
  other: Operation,
  before: Contents,
  preemptions: number
) =>
  Effect.gen(function*() {
    const outcomes = new Map<string, number>()
    const program = Effect.scoped(Effect.gen(function*() {
      const registry = yield* make
      if (before !== "Pending") yield* Registry.populate(registry)
      if (before === "d a") yield* Registry.register(registry, a)
      const fibers = yield* Effect.forEach([one, other], ({ run }) => Effect.forkChild(run(registry)))
      yield* Fiber.awaitAll(fibers)
      const [first = "", second = ""] = fibers.map((fiber) => resultOf(fiber.pollUnsafe()))
      const ready = (yield* Registry.state(registry)) === "Ready"
      const key = outcome(first, second, ready ? names(Registry.snapshotUnsafe(registry)) : "Pending")
      outcomes.set(key, (outcomes.get(key) ?? 0) + 1)
    }))
    const { schedules } = yield* RegistryTest.interleave(program, { strategy: "exhaustive", preemptions })
    return { outcomes, schedules }
  })

const resultOf = (exit: Exit.Exit<unknown, { readonly code: string }> | undefined): string => {
  if (exit === undefined) return "not ended"
  if (Exit.isSuccess(exit)) return typeof exit.value === "string" ? exit.value : "ok"
  const error = defectOf(exit)
  return error instanceof Object && "code" in error ? String(error.code) : String(error)
}

const pairs = Object.keys(operations).flatMap((one, index, all) =>
  all.slice(index).map((other) => [one, other] as const)
)

let tried = 0

describe.each(Object.entries(registries))("outcomes, %s", (name, make) => {
  describe.each(befores)("on %s", (before) => {
    it.effect.each(pairs)("%s and %s", ([one, other]) =>
      Effect.gen(function*() {
        const { outcomes, schedules } = yield* seen(
          make,
          operations[one]!,
          operations[other]!,
          before,
          Number(process.env["BOUND"] ?? 1)
        )
        tried += schedules
        const expected = allowed(operations[one]!, operations[other]!, before)
        assert.deepStrictEqual([...outcomes.keys()].toSorted(), [...expected].toSorted())
      }), 60_000)
  })
  afterAll(() => console.log(name, tried))
})
