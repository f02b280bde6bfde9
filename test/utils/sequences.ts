/**
 * Random sequential programs, which a registry and its model run.
 */
import { assert } from "@effect/vitest"
import { Effect, Exit, Formatter, Scope } from "effect"
import { Lookup, Registry, RegistryError, type RegistryEvent, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"
import { Acquired } from "./acquired.ts"
import { enabledItems, keptChanges, leasedItems } from "./inside.ts"
import { Balance } from "./items.ts"

interface Tool {
  readonly id: number
  readonly names: ReadonlyArray<string>
  readonly kind?: string
  readonly tags?: ReadonlyArray<string>
  readonly run?: () => number
}

/** The same only as itself. */
class Instance implements Tool {
  readonly id = 1
  readonly names = ["a"]
  readonly kind = "x"
}

/** Few, so that items are used again. */
const pool: ReadonlyArray<Tool> = [
  { id: 1, names: ["a"], kind: "x" },
  { id: 2, names: [], kind: "y", tags: ["t"] },
  { id: 3, names: ["b"], kind: "x", tags: ["t", "u"] },
  { id: 2, names: ["c"], kind: "y" },
  new Instance(),
  new Instance(),
  { id: 2, names: ["c"], kind: "y", run: () => 1 },
  { id: 2, names: ["c"], kind: "y", run: () => 1 }
]

const anyTool: fc.Arbitrary<Tool> = fc.record({
  id: fc.integer({ min: 1, max: 3 }),
  names: fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 2 }),
  kind: fc.constantFrom("x", "y"),
  tags: fc.array(fc.constantFrom("t", "u"), { maxLength: 2 })
}, { requiredKeys: ["id", "names"], noNullPrototype: true })

const toolWith = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...pool) }, { weight: 2, arbitrary: anyTool })

const rejects = ({ id, names }: Tool) => id === 3 && names.includes("d")

const unacquirable = ({ names }: Tool) => names.includes("b") || names.includes("c")

const defaults = pool.slice(0, 2)

const lookup = {
  id: Lookup.unique(({ id }: Tool) => id),
  name: Lookup.uniqueEach(({ names }: Tool) => names),
  kind: Lookup.group(({ kind }: Tool) => kind),
  tag: Lookup.optional(Lookup.groupEach(({ tags }: Tool) => tags!))
}

const modelLookup: { readonly [Attribute in keyof typeof lookup]: RegistryTest.ModelLookup<Tool> } = {
  id: { kind: "unique", select: ({ id }) => id },
  name: { kind: "uniqueEach", select: ({ names }) => names },
  kind: { kind: "group", select: (item) => item.kind },
  tag: { kind: "groupEach", select: ({ tags }) => tags, optional: true }
}

/**
 * The lookups of a kind of registry. A `"hooked"` one has hooks, too, which yield, and one of which refuses some items. A
 * `"connected"` one acquires something for each item, but for some cannot. In a `"loose"` one many items have no unique
 * value, in a `"bare"` one none has. A `"comparing"` one, and a `"loosely comparing"` one, have an equivalence.
 */
const attributesOf = {
  plain: ["id", "name", "kind", "tag"],
  hooked: ["id", "name", "kind", "tag"],
  connected: ["id", "name", "kind", "tag"],
  loose: ["name", "tag"],
  bare: [],
  comparing: ["id", "name", "kind", "tag"],
  "loosely comparing": ["name", "tag"]
} satisfies { readonly [kind: string]: ReadonlyArray<keyof typeof lookup> }

export type Kind = keyof typeof attributesOf

export const kinds: ReadonlyArray<Kind> = [
  "plain",
  "hooked",
  "connected",
  "loose",
  "bare",
  "comparing",
  "loosely comparing"
]

const equivalenceOf = (kind: Kind): ((one: Tool, other: Tool) => boolean) | undefined => {
  switch (kind) {
    case "comparing":
      return (one, other) => one.kind === other.kind
    case "loosely comparing":
      return (one, other) => one.id === other.id
    default:
      return undefined
  }
}

/** The lookups that a kind has. Using another one is an error, which the types do not show. */
const lookupsOf = <All extends { readonly [Attribute in keyof typeof lookup]: unknown }>(kind: Kind, all: All): All =>
  Object.fromEntries(attributesOf[kind].map((attribute) => [attribute, all[attribute]])) as All

const modelOf = (kind: Kind) =>
  RegistryTest.model<Tool>({
    lookup: lookupsOf(kind, modelLookup),
    defaults,
    equivalence: equivalenceOf(kind),
    rejects: (item) => kind === "hooked" && rejects(item),
    unacquirable: (item) => kind === "connected" && unacquirable(item)
  })

type Operation = RegistryTest.Operation<Tool>

/** Lookups and values for reads, some of them senseless. */
const question = fc.constantFrom<readonly [string, unknown]>(
  ["id", 1],
  ["id", 2],
  ["id", 3],
  ["name", "a"],
  ["name", "b"],
  ["name", "d"],
  ["kind", "x"],
  ["tag", "t"],
  ["tag", undefined],
  ["none", 1]
)

const scope = fc.constantFrom("s", "t", "u", "v")
const owner = fc.constantFrom("", "x", "y")
const subscription = fc.constantFrom("one", "two")

/** An operation as plain data, from the arbitraries of its arguments. */
const named = <const Name extends Operation[0]>(
  name: Name,
  ...args: Array<fc.Arbitrary<unknown>>
): fc.Arbitrary<Operation> =>
  // the arguments are those of the name
  fc.tuple(...args).map((list) => [name, ...list] as unknown as Operation)

const asking = (name: "get" | "getOption" | "getAll" | "has" | "unregisterBy" | "explain" | "awaitItem") =>
  question.map(([attribute, value]): Operation => [name, attribute, value])

const switching = <Name extends "disable" | "enable">(name: Name) =>
  question.map(([attribute, value]) => [name, attribute, value] as const)

const simple: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: named("register", toolWith) },
  { weight: 3, arbitrary: named("registerAll", fc.array(toolWith, { maxLength: 3 })) },
  { weight: 3, arbitrary: named("upsert", toolWith) },
  { weight: 3, arbitrary: named("registerScoped", toolWith, scope) },
  { weight: 2, arbitrary: named("registerAllScoped", fc.array(toolWith, { maxLength: 2 }), scope) },
  { weight: 3, arbitrary: named("override", toolWith, scope) },
  { weight: 2, arbitrary: named("upsertScoped", toolWith, scope) },
  { weight: 3, arbitrary: named("close", scope) },
  { weight: 2, arbitrary: switching("disable") },
  {
    weight: 2,
    arbitrary: fc.tuple(switching("disable"), scope).map((
      [[, ...rule], one]
    ): Operation => ["disableScoped", ...rule, one])
  },
  { weight: 2, arbitrary: switching("enable") },
  { weight: 3, arbitrary: named("unregister", toolWith) },
  { weight: 3, arbitrary: asking("unregisterBy") },
  {
    weight: 4,
    arbitrary: fc.tuple(question, toolWith).map(([[attribute, value], item]): Operation => [
      "replace",
      attribute,
      value,
      item
    ])
  },
  { weight: 3, arbitrary: named("reconcile", fc.array(toolWith, { maxLength: 4 })) },
  {
    weight: 3,
    arbitrary: named("reconcile", fc.array(toolWith, { maxLength: 3 }), fc.constantFrom("x", "y", "defaults"))
  },
  { weight: 1, arbitrary: named("unregisterOwner", fc.constantFrom("x", "y")) },
  {
    weight: 3,
    arbitrary: fc.tuple(
      owner,
      fc.oneof(
        named("register", toolWith),
        named("upsert", toolWith),
        named("registerScoped", toolWith, scope),
        named("override", toolWith, scope),
        named("reconcile", fc.array(toolWith, { maxLength: 4 }))
      )
    ).map(([name, one]) => ["as", name, one] as Operation)
  },
  { weight: 1, arbitrary: named("populate") },
  { weight: 2, arbitrary: named("refresh") },
  { weight: 2, arbitrary: named("reset") },
  {
    weight: 2,
    arbitrary: fc.oneof(
      asking("get"),
      asking("getOption"),
      asking("getAll"),
      asking("has"),
      asking("explain"),
      asking("awaitItem"),
      fc.tuple(question, scope).map(([[attribute, value], one]): Operation => ["lease", attribute, value, one])
    )
  },
  { weight: 1, arbitrary: named("subscribe", subscription) },
  { weight: 1, arbitrary: named("contains", toolWith) },
  { weight: 1, arbitrary: named("at", fc.constantFrom(0, 1, -1, -9, 9, 0.5, NaN)) },
  { weight: 1, arbitrary: fc.oneof(named("size"), named("values"), named("kept"), named("state")) }
)

/** An item that goes in disabled, perhaps one that can be acquired for, and the end of the rule. */
const switched: fc.Arbitrary<Operation> = fc.tuple(
  fc.constantFrom("a", "b", "d"),
  scope,
  fc.boolean(),
  fc.constantFrom("commit" as const, "fail" as const)
).map(([name, one, isScoped, ending]) => [
  "transact",
  [
    isScoped ? ["disableScoped", "name", name, one] : ["disable", "name", name],
    ["upsert", { id: 3, names: [name], kind: "x" }],
    isScoped ? ["close", one] : ["enable", "name", name],
    ["explain", "name", name]
  ],
  ending
])

const operation = fc.letrec<{ readonly operation: Operation; readonly transact: Operation }>((tie) => ({
  operation: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 14, arbitrary: simple },
    { weight: 2, arbitrary: tie("transact") },
    { weight: 1, arbitrary: switched }
  ),
  transact: fc.tuple(
    fc.array(tie("operation"), { maxLength: 5 }),
    fc.constantFrom("commit" as const, "fail" as const, "die" as const)
  ).map(([list, ending]): Operation => ["transact", list, ending])
})).operation

/** An operation that the registry and the model run. Their results and contents must agree. */
class Step implements fc.AsyncCommand<Modelled, Real> {
  readonly operation: Operation
  constructor(one: Operation) {
    this.operation = one
  }
  /** Skips an operation that would wait: no other one can end the wait. */
  check = ({ model, state }: Readonly<Modelled>) => !("waits" in model.step(state, this.operation)[0])
  async run(modelled: Modelled, real: Real) {
    const [expected, next] = modelled.model.step(modelled.state, this.operation)
    modelled.state = next
    const result = await Effect.runPromise(real.recorder.run("real", this.operation))
    assert.deepStrictEqual(result, expected)
    const snapshot = Registry.snapshotUnsafe(real.registry)
    // a snapshot with the changes after it equals the registry
    real.follow()
    assert.deepStrictEqual(real.followed, Array.from(snapshot))
    const state = await Effect.runPromise(Registry.state(real.registry))
    assert.strictEqual(state, next.state)
    assert.strictEqual(real.isReady(), state === "Ready")
    if (state === "Pending") return assert.deepStrictEqual(Array.from(snapshot), [])
    const [visible] = modelled.model.values(next)
    assert.deepStrictEqual({ ok: Array.from(snapshot) }, visible)
    // the very objects
    for (const item of snapshot) assert.include(next.entries.map((entry) => entry.item), item)
    for (const { item, keys } of next.entries) {
      if (!Array.from(snapshot).includes(item)) continue
      for (const [index, attribute] of attributesOf[modelled.kind].entries()) {
        for (const key of keys[index]!) {
          const found = RegistrySnapshot.getAll(snapshot, attribute, key as never)
          assert.include(found, item)
        }
      }
    }
    assert.deepStrictEqual(real.unbalanced(), [])
    if (modelled.kind === "connected") this.checkAcquired(modelled.state, real, result)
  }
  /** What is enabled, and what is leased though it has gone, has what it needs, and nothing else has. */
  private checkAcquired(
    { closed }: Modelled["state"],
    { acquired, leases, registry }: Real,
    result: RegistryTest.OperationResult
  ) {
    const [name, , , until] = this.operation
    for (const one of closed) leases.delete(one)
    if (name === "lease" && "ok" in result && !closed.includes(String(until))) {
      leases.set(String(until), [...leases.get(String(until)) ?? [], acquired.newest(result.ok)])
    }
    for (const serial of Array.from(leases.values()).flat()) assert.isTrue(acquired.isOpen(serial), "it is leased")
    acquired.equals([...enabledItems(registry), ...leasedItems(registry)])
  }
  toString = () => Formatter.format(this.operation)
}

interface Modelled {
  readonly kind: Kind
  readonly model: RegistryTest.Model<Tool>
  state: RegistryTest.ModelState<Tool>
}

interface Real {
  readonly registry: Registry.Registry<Tool, typeof lookup, any, any>
  readonly recorder: RegistryTest.Recorder<Tool>
  readonly unbalanced: () => ReadonlyArray<string>
  /** What is acquired and not released. */
  readonly acquired: Acquired<Tool>
  /** What is leased until a scope closes, but for leases in transactions. */
  readonly leases: Map<string, ReadonlyArray<number>>
  /** The items of a subscriber, which knows the registry by its changes alone; `follow` applies new ones. */
  readonly followed: Array<Tool>
  readonly follow: () => void
  /** Whether the last of the events Populated and Reset was Populated. */
  readonly isReady: () => boolean
}

const make = (kind: Kind): Effect.Effect<Real, never, Scope.Scope> =>
  Effect.gen(function*() {
    const balances = [new Balance<Tool>(), new Balance<Tool>()]
    const veto = RegistryHooks.make<Tool>()({
      onItemRegistering: (item) =>
        Effect.andThen(Effect.yieldNow, rejects(item) ? RegistryError.reject(item, "no") : Effect.void)
    })
    const registry: Registry.Registry<Tool, typeof lookup, any, any> = yield* Registry.make<Tool>()({
      lookup: lookupsOf(kind, lookup),
      defaults,
      equivalence: equivalenceOf(kind),
      hooks: kind === "hooked"
        ? RegistryHooks.combineAll([balances[0]!.hooks, veto, balances[1]!.hooks])
        : RegistryHooks.empty
    })
    const acquired = new Acquired<Tool>()
    if (kind === "connected") {
      yield* Effect.orDie(Registry.addHooks(registry, { acquire: acquired.unless(unacquirable) }))
    }
    const followed: Array<Tool> = []
    let revision = 0
    let ready = false
    return {
      registry,
      acquired,
      leases: new Map(),
      followed,
      follow: () => {
        for (const change of keptChanges(registry)) {
          if (change.revision <= revision) continue
          assert.strictEqual(change.revision, ++revision)
          for (const event of change.events) {
            apply(followed, event)
            if (event._tag === "Populated" || event._tag === "Reset") ready = event._tag === "Populated"
          }
        }
        assert.strictEqual(revision, RegistrySnapshot.revision(Registry.snapshotUnsafe(registry)))
      },
      isReady: () => ready,
      recorder: RegistryTest.record(registry),
      unbalanced: () =>
        kind !== "hooked" ? [] : balances.flatMap((balance) => balance.wrong(Registry.snapshotUnsafe(registry)))
    }
  })

const apply = (items: Array<Tool>, event: RegistryEvent.RegistryEvent<Tool>): void => {
  switch (event._tag) {
    case "Registered":
      items.splice(event.position, 0, event.item)
      break
    case "Unregistered":
      assert.strictEqual(items[event.position], event.item)
      items.splice(event.position, 1)
      break
    case "Replaced":
      assert.strictEqual(items[event.position], event.previous)
      items.splice(event.position, 1, event.item)
      break
    case "Moved":
      assert.strictEqual(items[event.from], event.item)
      items.splice(event.position, 0, ...items.splice(event.from, 1))
      break
    case "Populated":
      assert.strictEqual(event.size, items.length)
      break
    case "Reset":
      assert.deepStrictEqual(items, [])
  }
}

/** Runs commands on a registry and on its model. */
export const check = async (kind: Kind, program: Iterable<fc.AsyncCommand<Modelled, Real>>): Promise<void> => {
  const life = Scope.makeUnsafe()
  const model = modelOf(kind)
  const real = await Effect.runPromise(Scope.provide(make(kind), life))
  const setup = () => ({ model: { kind, model, state: model.initial }, real })
  try {
    await fc.asyncModelRun(setup, program)
  } finally {
    await Effect.runPromise(Scope.close(life, Exit.void))
  }
  // in spite of leases
  real.acquired.equals([])
}

/** Only outside of transactions, where changes are published. */
const following = named("nextChange", subscription)

export const commands = fc.commands(
  [fc.oneof({ weight: 3, arbitrary: operation }, { weight: 1, arbitrary: following }).map((one) => new Step(one))],
  { maxCommands: 25, size: "max" }
)
