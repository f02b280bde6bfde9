/**
 * Random programs of several fibers, on one registry or on two, whose histories must be linearizable.
 */
import { assert } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Registry, RegistryHooks } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import { Acquired } from "./acquired.ts"
import { enabledItems } from "./inside.ts"

export interface Tool {
  readonly id: number
  readonly name: string
}

export const tool = (id: number, name: string): Tool => ({ id, name })

const defaults = [tool(1, "a")]

const unacquirable = (item: Tool) => item.id === 2 && item.name === "a"

export const definition: RegistryTest.ModelDefinition<Tool> = {
  lookup: {
    id: { kind: "unique", select: ({ id }) => id },
    name: { kind: "unique", select: ({ name }) => name }
  },
  defaults
}

const acquiring: RegistryTest.ModelDefinition<Tool> = { ...definition, unacquirable }

/** For programs whose registries acquire something for each item, and for others. */
const models = [definition, acquiring].map((one) => ({
  single: RegistryTest.model(one),
  joint: RegistryTest.modelAll({ one, two: one })
}))

const modelsOf = ({ acquires = false }: Pick<Program, "acquires">) => models[acquires ? 1 : 0]!

export const show = (value: unknown): string =>
  typeof value === "object" && value !== null && "id" in value && "name" in value
    ? `${String(value.id)}${String(value.name)}`
    : String(value)

export type Operation = RegistryTest.Operation<Tool>

export interface Program<Op = Operation> {
  /** Operations before all others. */
  readonly first?: ReadonlyArray<Op>
  readonly fibers: ReadonlyArray<ReadonlyArray<Op>>
  /** Fibers that are interrupted, and after how many turns. */
  readonly interruptions: ReadonlyArray<{ readonly fiber: number; readonly turns: number }>
  readonly hooks: boolean
  /** Whether hooks acquire something for each item, and cannot for one. */
  readonly acquires?: boolean
}

const item = fc.record({ id: fc.integer({ min: 1, max: 3 }), name: fc.constantFrom("a", "b", "c") }, {
  noNullPrototype: true
})
const id = fc.integer({ min: 1, max: 3 })
const name = fc.constantFrom("a", "b", "c")

const reading: fc.Arbitrary<Operation> = fc.oneof(
  id.map((key): Operation => ["getOption", "id", key]),
  name.map((key): Operation => ["get", "name", key]),
  id.map((key): Operation => ["explain", "id", key]),
  fc.constantFrom<Operation>(["size"], ["state"], ["at", -1], ["kept"]),
  id.map((key): Operation => ["lease", "id", key, "leases"]),
  fc.constant<Operation>(["values"])
)

const changing: fc.Arbitrary<Operation> = fc.oneof(
  item.map((one): Operation => ["register", one]),
  item.map((one): Operation => ["upsert", one]),
  fc.array(item, { minLength: 2, maxLength: 2 }).map((list): Operation => ["registerAll", list]),
  id.map((key): Operation => ["unregisterBy", "id", key]),
  item.map((one): Operation => ["unregister", one]),
  fc.tuple(id, item).map(([key, one]): Operation => ["replace", "id", key, one]),
  fc.array(item, { maxLength: 3 }).map((list): Operation => ["reconcile", list]),
  item.map((one): Operation => ["as", "x", ["register", one]]),
  fc.tuple(fc.constantFrom("disable" as const, "enable" as const), id).map(([one, key]): Operation => [one, "id", key]),
  fc.constantFrom<Operation>(["populate"], ["refresh"], ["reset"], ["unregisterOwner", "x"])
)

const transacting: fc.Arbitrary<Operation> = fc.tuple(
  fc.array(fc.oneof({ weight: 1, arbitrary: reading }, { weight: 3, arbitrary: changing }), {
    minLength: 2,
    maxLength: 3
  }),
  fc.constantFrom("commit" as const, "commit" as const, "fail" as const, "die" as const)
).map(([operations, ending]) => ["transact", operations, ending])

const scoping = fc.tuple(fc.constantFrom("registerScoped" as const, "override" as const), item)
  .map(([kind, one]): Operation => [kind, one, "scope"])

/** Each scope belongs to one registration, and is closed once: items registered in a closed scope leave at once. */
const withScopes = (operations: ReadonlyArray<Operation>, fiber: number): ReadonlyArray<Operation> => {
  let scopes = 0
  return operations.flatMap((operation): ReadonlyArray<Operation> => {
    if (operation[0] !== "registerScoped" && operation[0] !== "override") return [operation]
    const scope = `${fiber}.${scopes++}`
    return [[operation[0], operation[1], scope], ["close", scope]]
  })
}

const programOf = <Op>(
  operations: fc.Arbitrary<Op>,
  sizes: { readonly operations: number; readonly fibers: number }
): fc.Arbitrary<Program<Op>> =>
  fc.record({
    fibers: fc.array(
      fc.array(operations, { minLength: 2, maxLength: sizes.operations, size: "max" }),
      { minLength: 3, maxLength: sizes.fibers, size: "max" }
    ),
    interruptions: fc.array(
      fc.record({ fiber: fc.integer({ min: 0, max: 2 }), turns: fc.integer({ min: 0, max: 30 }) }),
      { maxLength: 2 }
    ),
    hooks: fc.boolean(),
    acquires: fc.boolean()
  })

const working = fc.oneof(
  { weight: 4, arbitrary: reading },
  { weight: 6, arbitrary: changing },
  { weight: 2, arbitrary: transacting },
  { weight: 2, arbitrary: scoping }
)

export const program: fc.Arbitrary<Program> = programOf(working, { operations: 3, fibers: 4 })
  .map((one) => ({ ...one, fibers: one.fibers.map(withScopes) }))

/** A program, and fibers that wait for its changes. */
export interface WatchedProgram extends Program {
  readonly watchers: ReadonlyArray<ReadonlyArray<Operation>>
}

const watcher: fc.Arbitrary<ReadonlyArray<Operation>> = fc.oneof(
  fc.array(
    fc.oneof(
      id.map((key): Operation => ["awaitItem", "id", key]),
      name.map((key): Operation => ["awaitItem", "name", key])
    ),
    { minLength: 1, maxLength: 2 }
  ),
  fc.array(fc.constant<Operation>(["nextChange", ""]), { minLength: 1, maxLength: 3 })
    .map((list): ReadonlyArray<Operation> => [["subscribe", ""], ...list])
)

/** Each fiber has a subscription of its own. */
const withSubscription = (operations: ReadonlyArray<Operation>, fiber: number): ReadonlyArray<Operation> =>
  operations.map((operation) =>
    operation[0] === "subscribe" || operation[0] === "nextChange" ? [operation[0], `${fiber}`] : operation
  )

export const watchedProgram: fc.Arbitrary<WatchedProgram> = fc.record({
  watched: programOf(working, { operations: 2, fibers: 3 }),
  watchers: fc.array(watcher, { minLength: 1, maxLength: 3, size: "max" })
}).map((one) => ({
  ...one.watched,
  fibers: one.watched.fibers.map(withScopes),
  watchers: one.watchers.map(withSubscription)
}))

export type JointOperation = RegistryTest.JointOperation<Tool>

const registryName = fc.constantFrom("one", "two")

const onOne: fc.Arbitrary<JointOperation> = fc.tuple(registryName, fc.oneof(reading, changing))
  .map(([one, operation]) => ["on", one, operation])

const onBoth: fc.Arbitrary<JointOperation> = fc.tuple(
  fc.tuple(changing, changing),
  fc.array(fc.tuple(registryName, reading), { maxLength: 1 }),
  fc.constantFrom("commit" as const, "commit" as const, "fail" as const)
).map(([[one, two], more, ending]) => ["transactAll", [["one", one], ["two", two], ...more], ending])

/** Reads both registries in turn. */
const comparing: fc.Arbitrary<ReadonlyArray<JointOperation>> = fc.shuffledSubarray(["one", "two"], { minLength: 2 })
  .map((names) => [...names, ...names].map((one) => ["on", one, ["values"]]))

/** Programs on two registries, which transactAll changes together. */
export const jointProgram: fc.Arbitrary<Program<JointOperation>> = fc.tuple(
  programOf(fc.oneof({ weight: 1, arbitrary: onOne }, { weight: 2, arbitrary: onBoth }), { operations: 2, fibers: 3 }),
  comparing
).map(([one, operations]) => ({ ...one, fibers: [operations, ...one.fibers.slice(1)] }))

const yielding = RegistryHooks.make<Tool>()({
  onItemRegistering: () => Effect.yieldNow,
  onItemRegistered: () => Effect.yieldNow,
  onItemUnregistering: () => Effect.yieldNow,
  onItemUnregistered: () => Effect.yieldNow,
  onPopulating: Effect.yieldNow,
  onResetting: Effect.yieldNow
})

/** A registry, and what hooks have acquired for its items, if they do. */
const make = ({ acquires, hooks }: Pick<Program, "acquires" | "hooks">) =>
  Effect.gen(function*() {
    const acquired = new Acquired<Tool>()
    const registry = yield* Registry.make<Tool>()({
      lookup: ["id", "name"],
      defaults,
      hooks: hooks ? yielding : RegistryHooks.empty
    })
    if (acquires === true) {
      yield* Effect.orDie(Registry.addHooks(registry, { acquire: acquired.unless(unacquirable) }))
    }
    return { registry, acquired }
  })

/** G31 What is leased is acquired, from when it is found until the scope closes. */
const checkingLeases = <Op, More>(
  recorder: More & {
    readonly run: (process: string | number, operation: Op) => Effect.Effect<RegistryTest.OperationResult>
  },
  { acquires }: Pick<Program, "acquires">,
  leaseOf: (operation: Op) => Acquired<Tool> | undefined
) => {
  const leased: Array<() => void> = []
  const check = () => leased.forEach((one) => one())
  const run = (process: string | number, operation: Op) =>
    Effect.map(recorder.run(process, operation), (result) => {
      const acquired = acquires === true && "ok" in result ? leaseOf(operation) : undefined
      if (acquired !== undefined && "ok" in result) {
        const serial = acquired.newest(result.ok)
        leased.push(() => assert.isTrue(acquired.isOpen(serial), "it is leased"))
      }
      check()
      return result
    })
  return { ...recorder, run }
}

export interface Figures {
  histories: number
  interrupted: number
}

/**
 * Runs the fibers of a program, and interrupts some as it says. `atLast` makes the changes that watchers still wait for;
 * without it they are interrupted.
 */
const run = <Op>(
  recorder: { readonly run: (process: string | number, operation: Op) => Effect.Effect<unknown> },
  { fibers, first = [], interruptions }: Program<Op>,
  watchers: ReadonlyArray<ReadonlyArray<Op>> = [],
  atLast?: (round: number) => Effect.Effect<unknown>
) =>
  Effect.gen(function*() {
    yield* Effect.forEach(first, (operation) => recorder.run("first", operation), { discard: true })
    const running = yield* Effect.forEach(
      [...fibers, ...watchers],
      (operations, fiber) =>
        Effect.forkChild(Effect.forEach(operations, (operation) => recorder.run(fiber, operation), { discard: true }))
    )
    const interrupting = yield* Effect.forEach(interruptions, ({ fiber, turns }) =>
      Effect.forkChild(Effect.andThen(
        Effect.forEach(Array.from({ length: turns }), () => Effect.yieldNow, { discard: true }),
        Fiber.interrupt(running[fiber]!)
      )))
    yield* Effect.forEach([...running.slice(0, fibers.length), ...interrupting], Fiber.await)
    if (atLast === undefined) {
      // lets the fiber run that was woken last
      yield* Effect.yieldNow
      return yield* Fiber.interruptAll(running)
    }
    for (let round = 0; round < 100 && running.some((fiber) => fiber.pollUnsafe() === undefined); round++) {
      yield* atLast(round)
      yield* Effect.yieldNow
    }
    yield* Fiber.awaitAll(running)
  })

const count = (history: ReadonlyArray<RegistryTest.Recorded<unknown>>, figures: Figures): void => {
  figures.histories++
  if (history.some(({ result }) => result === undefined)) figures.interrupted++
}

/**
 * Registers every item that a watcher can wait for, and enables it, in two versions, so that each round is a change, and
 * no override that an interrupted fiber left hides one of them in both. All can be acquired for.
 */
const everything = (round: number): Operation => {
  const names = round % 2 === 0 ? ["a", "b", "c"] : ["b", "c", "a"]
  return round > 0 && round < 4
    ? ["enable", "id", round]
    : ["reconcile", names.map((one, index) => tool(index + 1, one))]
}

/**
 * Runs a program, and dies if its history is not linearizable. Waiting fibers are `"served"` in the end, or interrupted: an
 * exhaustive search allows no loop that waits for them.
 */
export const check = (
  one: Program & Partial<WatchedProgram>,
  figures: Figures,
  ending: "served" | "interrupted" = "served"
) =>
  Effect.scoped(Effect.gen(function*() {
    const { acquired, registry } = yield* make(one)
    const recorder = checkingLeases(
      RegistryTest.record(registry),
      one,
      (operation) => operation[0] === "lease" ? acquired : undefined
    )
    const serve = (round: number) => recorder.run("last", everything(round))
    yield* run(recorder, one, one.watchers, ending === "served" ? serve : undefined)
    yield* recorder.run("end", ["state"])
    yield* recorder.run("end", ["values"])
    const history = recorder.history()
    yield* RegistryTest.linearize(modelsOf(one).single, history, { show })
    yield* recorder.closeScopes
    if (one.acquires === true) acquired.equals(enabledItems(registry))
    count(history, figures)
  }))

/** Runs a program on two registries, and dies if its history is not linearizable. */
export const checkJoint = (one: Program<JointOperation>, figures: Figures) =>
  Effect.scoped(Effect.gen(function*() {
    const registries = { one: yield* make(one), two: yield* make(one) }
    const recorder = checkingLeases(
      RegistryTest.recordAll({ one: registries.one.registry, two: registries.two.registry }),
      one,
      (operation) =>
        operation[0] === "on" && operation[2][0] === "lease"
          ? registries[operation[1] as "one" | "two"].acquired
          : undefined
    )
    yield* run(recorder, one, [])
    for (const registry of ["one", "two"]) yield* recorder.run("end", ["on", registry, ["values"]])
    const history = recorder.history()
    yield* RegistryTest.linearize(modelsOf(one).joint, history, { show })
    yield* recorder.closeScopes
    if (one.acquires === true) {
      for (const { acquired, registry } of Object.values(registries)) acquired.equals(enabledItems(registry))
    }
    count(history, figures)
  }))
