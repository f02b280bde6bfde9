import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Formatter, Scope } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import * as fc from "fast-check"

// ---------------------------------------------------------------------------------------------------------------------
// Programs of one operation after the other
// ---------------------------------------------------------------------------------------------------------------------

interface Tool {
  readonly id: number
  readonly names: ReadonlyArray<string>
  readonly kind?: string
  readonly tags?: ReadonlyArray<string>
}

/** Few, so that the same item comes back. */
const pool: ReadonlyArray<Tool> = [
  { id: 1, names: ["a"], kind: "x" },
  { id: 2, names: [], kind: "y", tags: ["t"] },
  { id: 3, names: ["b"], kind: "x", tags: ["t", "u"] },
  { id: 2, names: ["c"], kind: "y" }
]

const anyTool: fc.Arbitrary<Tool> = fc.record({
  id: fc.integer({ min: 1, max: 3 }),
  names: fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 2 }),
  kind: fc.constantFrom("x", "y"),
  tags: fc.array(fc.constantFrom("t", "u"), { maxLength: 2 })
}, { requiredKeys: ["id", "names"], noNullPrototype: true })

const toolWith = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...pool) }, { weight: 2, arbitrary: anyTool })

const rejects = ({ id, names }: Tool) => id === 3 && names.includes("d")

const defaults = pool.slice(0, 2)

/** Whether there are hooks, which yield, and of which one refuses some items. */
type Kind = "plain" | "hooked"

const modelOf = (kind: Kind) =>
  RegistryTest.model<Tool>({
    lookup: {
      id: { kind: "unique", select: ({ id }) => id },
      name: { kind: "uniqueEach", select: ({ names }) => names },
      kind: { kind: "group", select: (item) => item.kind },
      tag: { kind: "groupEach", select: ({ tags }) => tags, optional: true }
    },
    defaults,
    rejects: (item) => kind === "hooked" && rejects(item)
  })

const lookup = {
  id: Lookup.unique(({ id }: Tool) => id),
  name: Lookup.uniqueEach(({ names }: Tool) => names),
  kind: Lookup.group(({ kind }: Tool) => kind),
  tag: Lookup.optional(Lookup.groupEach(({ tags }: Tool) => tags!))
}

type Operation = RegistryTest.Operation<Tool>

/** Questions and keys to ask them, also senseless ones. */
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

/** An operation as plain data, from the arbitraries of its arguments. */
const named = <const Name extends Operation[0]>(
  name: Name,
  ...args: Array<fc.Arbitrary<unknown>>
): fc.Arbitrary<Operation> =>
  // the arguments are those of the name
  fc.tuple(...args).map((list) => [name, ...list] as unknown as Operation)

const asking = (name: "get" | "getOption" | "getAll" | "has" | "unregisterBy") =>
  question.map(([attribute, value]): Operation => [name, attribute, value])

const simple: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: named("register", toolWith) },
  { weight: 3, arbitrary: named("registerAll", fc.array(toolWith, { maxLength: 3 })) },
  { weight: 3, arbitrary: named("upsert", toolWith) },
  { weight: 3, arbitrary: named("registerScoped", toolWith, scope) },
  { weight: 2, arbitrary: named("registerAllScoped", fc.array(toolWith, { maxLength: 2 }), scope) },
  { weight: 2, arbitrary: named("close", scope) },
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
  { weight: 1, arbitrary: named("populate") },
  { weight: 2, arbitrary: named("reset") },
  { weight: 2, arbitrary: fc.oneof(asking("get"), asking("getOption"), asking("getAll"), asking("has")) },
  { weight: 1, arbitrary: named("contains", toolWith) },
  { weight: 1, arbitrary: named("at", fc.constantFrom(0, 1, -1, -9, 9, 0.5, NaN)) },
  { weight: 1, arbitrary: fc.oneof(named("size"), named("values"), named("state")) }
)

const operation = fc.letrec<{ readonly operation: Operation; readonly transact: Operation }>((tie) => ({
  operation: fc.oneof({ maxDepth: 2, withCrossShrink: true }, { weight: 7, arbitrary: simple }, {
    weight: 1,
    arbitrary: tie("transact")
  }),
  transact: fc.tuple(
    fc.array(tie("operation"), { maxLength: 5 }),
    fc.constantFrom("commit" as const, "fail" as const, "die" as const)
  ).map(([list, ending]): Operation => ["transact", list, ending])
})).operation

/** An operation that the registry and the model take. What they answer, and what is in afterwards, has to be the same. */
class Step implements fc.AsyncCommand<Modelled, Real> {
  readonly operation: Operation
  constructor(one: Operation) {
    this.operation = one
  }
  check = () => true
  async run(modelled: Modelled, real: Real) {
    const [expected, next] = modelled.model.step(modelled.state, this.operation)
    modelled.state = next
    const result = await Effect.runPromise(real.recorder.run("real", this.operation))
    assert.deepStrictEqual(result, expected)
    const snapshot = Registry.snapshotUnsafe(real.registry)
    assert.deepStrictEqual(Array.from(snapshot), next.entries.map(({ item }) => item))
    const state = await Effect.runPromise(Registry.state(real.registry))
    assert.strictEqual(state, next.state)
    if (state === "Pending") return
    for (const { item, keys } of next.entries) {
      for (const [index, attribute] of (["id", "name", "kind", "tag"] as const).entries()) {
        for (const key of keys[index]!) {
          const found = RegistrySnapshot.getAll(snapshot, attribute, key as never)
          assert.include(found, item)
        }
      }
    }
    assert.deepStrictEqual(real.unbalanced(), [])
  }
  toString = () => Formatter.format(this.operation)
}

interface Modelled {
  readonly model: RegistryTest.Model<Tool>
  state: RegistryTest.ModelState<Tool>
}

interface Real {
  readonly registry: Registry.Registry<Tool, typeof lookup, any, any>
  readonly recorder: RegistryTest.Recorder<Tool>
  readonly unbalanced: () => ReadonlyArray<string>
}

const make = (kind: Kind): Effect.Effect<Real, never, Scope.Scope> =>
  Effect.gen(function*() {
    const balances = [new Balance<Tool>(), new Balance<Tool>()]
    const veto = RegistryHooks.make<Tool>()({
      onItemRegistering: (item) =>
        Effect.andThen(Effect.yieldNow, rejects(item) ? RegistryError.reject(item, "no") : Effect.void)
    })
    const registry: Registry.Registry<Tool, typeof lookup, any, any> = yield* Registry.make<Tool>()({
      lookup,
      defaults,
      hooks: kind === "hooked"
        ? RegistryHooks.combineAll([balances[0]!.hooks, veto, balances[1]!.hooks])
        : RegistryHooks.empty
    })
    return {
      registry,
      recorder: RegistryTest.record(registry),
      unbalanced: () =>
        kind === "plain" ? [] : balances.flatMap((balance) => balance.wrong(Registry.snapshotUnsafe(registry)))
    }
  })

/** How often hooks were told that an item came, less how often that it went: 1 for what is in, else 0 (G20). */
class Balance<Item> {
  readonly counts = new Map<Item, number>()
  readonly hooks = RegistryHooks.make<Item>()({
    onItemRegistered: (item) => Effect.andThen(Effect.yieldNow, Effect.sync(() => this.add(item, 1))),
    onItemUnregistered: (item) => Effect.andThen(Effect.yieldNow, Effect.sync(() => this.add(item, -1)))
  })
  private add(item: Item, by: number): void {
    this.counts.set(item, (this.counts.get(item) ?? 0) + by)
  }
  wrong(items: Iterable<Item>): ReadonlyArray<string> {
    const held = new Set(items)
    return Array.from(new Set([...this.counts.keys(), ...held])).flatMap((item) => {
      const count = this.counts.get(item) ?? 0
      return count === (held.has(item) ? 1 : 0) ? [] : [`${Formatter.format(item)}: ${count}`]
    })
  }
}

describe("programs of one operation after the other", () => {
  for (const kind of ["plain", "hooked"] as const) {
    it(`a ${kind} registry answers what the model answers`, () =>
      fc.assert(
        fc.asyncProperty(
          fc.commands([operation.map((one) => new Step(one))], { maxCommands: 25, size: "max" }),
          async (commands) => {
            const life = Scope.makeUnsafe()
            const model = modelOf(kind)
            const setup = async () => ({
              model: { model, state: model.initial },
              real: await Effect.runPromise(Scope.provide(make(kind), life))
            })
            try {
              await fc.asyncModelRun(setup, commands)
            } finally {
              await Effect.runPromise(Scope.close(life, Exit.void))
            }
          }
        ),
        { numRuns: 400 }
      ), 60_000)
  }
})

// ---------------------------------------------------------------------------------------------------------------------
// Nested transactions
// ---------------------------------------------------------------------------------------------------------------------

/** A program whose outcome does not depend on the order of what is concurrent: it touches each item once. */
type Tree =
  /** Registers an item of its own. While it is registered a hook runs trees, and may then refuse it or die. */
  | {
    readonly _tag: "Register"
    readonly id: number
    readonly before: ReadonlyArray<Tree>
    readonly after: ReadonlyArray<Tree>
    readonly ending: "commit" | "veto" | "die"
  }
  /** Unregisters one of the defaults, its own. */
  | { readonly _tag: "Unregister"; readonly id: number }
  | { readonly _tag: "Transact"; readonly parts: ReadonlyArray<Tree>; readonly ending: "commit" | "fail" | "die" }
  /** Runs trees in children, all at once. */
  | { readonly _tag: "Children"; readonly parts: ReadonlyArray<Tree> }

const tree: fc.Arbitrary<Tree> = fc.letrec<{ readonly tree: Tree; readonly trees: Array<Tree> }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 2, arbitrary: fc.constant<Tree>({ _tag: "Unregister", id: 0 }) },
    {
      weight: 2,
      arbitrary: fc.constant<Tree>({ _tag: "Register", id: 0, before: [], after: [], ending: "commit" })
    },
    {
      weight: 3,
      arbitrary: fc.tuple(tie("trees"), fc.constantFrom("commit", "fail", "die")).map(([parts, ending]): Tree => ({
        _tag: "Transact",
        parts,
        ending
      }))
    },
    { weight: 2, arbitrary: tie("trees").map((parts): Tree => ({ _tag: "Children", parts })) },
    {
      weight: 2,
      arbitrary: fc.tuple(tie("trees"), tie("trees"), fc.constantFrom("commit", "commit", "veto", "die")).map((
        [before, after, ending]
      ): Tree => ({ _tag: "Register", id: 0, before, after, ending }))
    }
  ),
  trees: fc.array(tie("tree"), { maxLength: 3 })
})).tree.map((one) => numbered(one))

const sizeOfDefaults = 100

/** Gives each registration and unregistration an item of its own: from 0 on the defaults, from 100 on others. */
const numbered = (root: Tree): Tree => {
  let added = sizeOfDefaults
  let removed = 0
  const go = (one: Tree): Tree => {
    switch (one._tag) {
      case "Register":
        return { ...one, id: added++, before: one.before.map(go), after: one.after.map(go) }
      case "Unregister":
        return { ...one, id: removed++ }
      default:
        return { ...one, parts: one.parts.map(go) }
    }
  }
  return go(root)
}

interface Numbered {
  readonly id: number
}

/** The model of nested rollback: what is in after a tree, and whether the tree itself failed. */
const outcome = (items: ReadonlySet<number>, one: Tree): ReadonlySet<number> => {
  const all = (from: ReadonlySet<number>, parts: ReadonlyArray<Tree>) => parts.reduce(outcome, from)
  switch (one._tag) {
    case "Register":
      // its hook is a part of it: what it did goes, too
      return one.ending === "commit" ? all(new Set([...all(items, one.before), one.id]), one.after) : items
    case "Unregister":
      return new Set([...items].filter((id) => id !== one.id))
    case "Transact":
      return one.ending === "commit" ? all(items, one.parts) : items
    case "Children":
      return all(items, one.parts)
  }
}

const numbers = (ids: Iterable<number>) => Array.from(ids).toSorted((first, second) => first - second)

/** Runs a tree on a registry, and dies if what is in or what hooks were told is wrong. */
const checkTree = (root: Tree) =>
  Effect.scoped(Effect.gen(function*() {
    const registrations = new Map<number, Tree & { readonly _tag: "Register" }>()
    const balances = [new Balance<Numbered>(), new Balance<Numbered>()]
    const start = Array.from({ length: sizeOfDefaults }, (_, id): Numbered => ({ id }))
    const wild = RegistryHooks.make<Numbered>()({
      onItemRegistering: (item) =>
        Effect.suspend(() => {
          const one = registrations.get(item.id)
          if (one === undefined) return Effect.void
          return Effect.andThen(
            Effect.forEach(one.before, run),
            one.ending === "veto" ? RegistryError.reject(item, "veto") : Effect.void
          )
        }),
      onItemRegistered: (item) =>
        Effect.suspend(() => {
          const one = registrations.get(item.id)
          if (one === undefined) return Effect.void
          return Effect.andThen(Effect.forEach(one.after, run), one.ending === "die" ? Effect.die("hook") : Effect.void)
        })
    })
    const registry: Registry.Registry<Numbered, readonly ["id"], any, any> = yield* Registry.make<Numbered>()({
      lookup: ["id"],
      defaults: start,
      hooks: RegistryHooks.combineAll<Numbered, RegistryError.RegistrationError>([
        balances[0]!.hooks,
        wild,
        balances[1]!.hooks
      ])
    })

    /** Goes on whatever becomes of it. */
    const run = (one: Tree): Effect.Effect<void> => {
      switch (one._tag) {
        case "Register":
          registrations.set(one.id, one)
          return Effect.asVoid(Effect.exit(Registry.register(registry, { id: one.id })))
        case "Unregister":
          return Effect.orDie(Registry.unregisterBy(registry, "id", one.id))
        case "Children":
          return Effect.forEach(one.parts, run, { concurrency: "unbounded", discard: true })
        case "Transact": {
          const ended = { commit: Effect.void, fail: Effect.fail("no"), die: Effect.die("no") }[one.ending]
          return Effect.asVoid(Effect.exit(Registry.transact(
            registry,
            Effect.andThen(Effect.forEach(one.parts, run, { discard: true }), ended)
          )))
        }
      }
    }
    yield* Registry.populate(registry)
    yield* run(root)
    const items = Array.from(yield* Registry.values(registry))
    const expected = outcome(new Set(start.map(({ id }) => id)), root)
    assert.deepStrictEqual(numbers(items.map(({ id }) => id)), numbers(expected))
    for (const balance of balances) assert.deepStrictEqual(balance.wrong(items), [])
    yield* Registry.register(registry, { id: -1 })
  }))

describe("nested transactions", () => {
  it("G7, G14, G20 what fails leaves no trace, wherever it is nested", { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(tree, async (one) => {
        await Effect.runPromise(RegistryTest.interleave(checkTree(one), { seeds: 3 }))
      }),
      { numRuns: 300 }
    ))
})

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

/** Hooks of one part: which there are, for which items they refuse or die, and whether they yield. */
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
  // one that dies while it undoes leaves what it did, so none does
  dies: fc.array(fc.tuple(fc.constantFrom("onItemRegistered", "onItemUnregistering"), fc.constantFrom(3, 5)), {
    maxLength: 1
  }),
  yields: fc.boolean()
})

type LoggedHooks = RegistryHooks.RegistryHooks<Numbered, RegistryError.RegistrationError>

/** Hooks that write what they are told into a log. */
const hooksOf = ({ dies, handlers, name, refuses, yields }: PartOfHooks, log: Array<string>): LoggedHooks => {
  const logged = (handler: string, id: number | string) =>
    Effect.suspend(() => {
      if (dies.some(([hook, item]) => hook === handler && item === id)) return Effect.die(`${name} ${handler} ${id}`)
      log.push(`${name} ${handler} ${id}`)
      return Effect.void
    })
  const told = (handler: string, id: number | string) =>
    yields ? Effect.andThen(Effect.yieldNow, logged(handler, id)) : logged(handler, id)
  const all: RegistryHooks.Handlers<Numbered, RegistryError.RegistrationError> = {
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

/** What hooks were told, and what operations answered, in a registry with these hooks. */
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

/** That two ways to combine the same parts cannot be told apart. */
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

  it("G20 parts are undone on their own: each was told of exactly what is in", () =>
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
