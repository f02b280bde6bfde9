/**
 * The last word of hooks (G28): the calls that a hook completes for an item alternate, and the last one agrees with the
 * registry, whatever hooks do to the registry on the way.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Latch, Logger, Scope } from "effect"
import { Registry, RegistryHooks, RegistrySnapshot } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { beforePublish, isLocked } from "./utils/inside.ts"
import { a, b, c, d, defectOf, Item, recording } from "./utils/items.ts"
import { type Items, namesOf, type React, Witness } from "./utils/witness.ts"

const positions = [[0, "the first"], [1, "the middle"], [2, "the last"]] as const

type Reactions = { readonly [call: string]: (registry: Items) => Effect.Effect<unknown, unknown> }

/** A registry with three hooks, of which one reacts once to each of these calls. */
const three = (at: 0 | 1 | 2, reactions: Reactions, defaults: ReadonlyArray<Item> = []) =>
  trio(Object.fromEntries(Object.entries(reactions).map(([call, reaction]) => [`${at}${call}`, reaction])), defaults)

/** A registry with three hooks, which react once to each of these calls: `0+1` is a call of the first. */
const trio = (reactions: Reactions, defaults: ReadonlyArray<Item> = []) =>
  Effect.gen(function*() {
    const left = new Map(Object.entries(reactions))
    /** The calls of all, in their order. */
    const joint: Array<string> = []
    const witnesses = [0, 1, 2].map((at) =>
      new Witness(() => registry, (told) => {
        const call = `${at}${told}`
        joint.push(call)
        const reaction = left.get(call)
        left.delete(call)
        return reaction === undefined ? Effect.void : Effect.orDie(reaction(registry))
      })
    )
    const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"], defaults })
    for (const { hooks } of witnesses) yield* Registry.addHooks(registry, hooks)
    /** Runs an effect, and answers what each hook heard of it. */
    const heard = <R>(effect: Effect.Effect<unknown, unknown, R>) =>
      Effect.gen(function*() {
        for (const { log } of witnesses) log.length = 0
        yield* Effect.exit(effect)
        assert.deepStrictEqual(Array.from(left.keys()), [])
        const items = [...Registry.snapshotUnsafe(registry)]
        for (const witness of witnesses) witness.agreesWith(items)
        return witnesses.map(({ log }) => log.join(" "))
      })
    const untrue = () => witnesses.flatMap((witness) => witness.untrue)
    return { registry, heard, joint, untrue }
  })

/** What the hooks hear that stand before a place, in it, and after it. */
const around = (at: number, before: string, there: string, after: string) =>
  [0, 1, 2].map((i) => i < at ? before : i === at ? there : after)

for (const [at, place] of positions) {
  describe(`G28 of three hooks, ${place}`, () => {
    it.effect("withdraws the item that it is told of: those after it hear nothing of it", () =>
      Effect.gen(function*() {
        const { heard, registry, untrue } = yield* three(at, { "+1": (its) => Registry.unregister(its, a) })
        assert.deepStrictEqual(yield* heard(Registry.register(registry, a)), around(at, "+1 -1", "+1 -1", ""))
        assert.strictEqual(yield* Registry.size(registry), 0)
        assert.deepStrictEqual(untrue(), [])
      }))

    it.effect("replaces the item that it is told of: those after it hear of the other alone", () =>
      Effect.gen(function*() {
        const { heard, registry, untrue } = yield* three(at, {
          "+1": (its) => Registry.replace(its, "id", 1, b)
        })
        assert.deepStrictEqual(
          yield* heard(Registry.register(registry, a)),
          around(at, "+1 -1 +2", "+1 -1 +2", "+2")
        )
        assert.deepStrictEqual(untrue(), [])
      }))

    it.effect("brings back an item of which it is told that it went: those after it hear nothing", () =>
      Effect.gen(function*() {
        const { heard, registry, untrue } = yield* three(at, { "-1": (its) => Registry.register(its, a) }, [
          a
        ])
        yield* Registry.populate(registry)
        // they are told in reverse order
        assert.deepStrictEqual(yield* heard(Registry.unregister(registry, a)), around(at, "", "-1 +1", "-1 +1"))
        assert.deepStrictEqual(yield* Registry.values(registry), [a])
        assert.deepStrictEqual(untrue(), [])
      }))

    it.effect("brings an item back and withdraws it once more: each hears that it went, once", () =>
      Effect.gen(function*() {
        const { heard, registry, untrue } = yield* three(at, {
          "-1": (its) => Effect.andThen(Registry.register(its, a), Registry.unregister(its, a))
        }, [a])
        yield* Registry.populate(registry)
        const logs = yield* heard(Registry.unregister(registry, a))
        assert.deepStrictEqual(logs, around(at, "-1", "-1", "-1 +1 -1"))
        assert.deepStrictEqual(untrue(), [])
      }))

    it.effect("withdraws an item, registers another, and brings the first back, all in one call for it", () =>
      Effect.gen(function*() {
        const { heard, registry, untrue } = yield* three(at, {
          "+1": (its) =>
            Registry.unregister(its, a).pipe(
              Effect.andThen(Registry.register(its, b)),
              Effect.andThen(Registry.register(its, a))
            )
        })
        const logs = yield* heard(Registry.register(registry, a))
        assert.deepStrictEqual(logs, around(at, "+1 -1 +2 +1", "+1 +2", "+2 +1"))
        assert.deepStrictEqual(yield* Registry.values(registry), [b, a])
        assert.deepStrictEqual(untrue(), [])
      }))

    it.effect("changes what is to come of a reconcile: each hears of what there is", () =>
      Effect.gen(function*() {
        const { heard, registry, untrue } = yield* three(at, {
          "-1": (its) => Registry.register(its, a),
          "+2": (its) => Registry.replace(its, "id", 3, d)
        }, [a])
        yield* Registry.populate(registry)
        yield* heard(Registry.reconcile(registry, [b, c]))
        assert.deepStrictEqual(yield* Registry.values(registry), [b, d, a])
        assert.deepStrictEqual(untrue(), [])
      }))

    it.effect("withdraws an override of something: that comes back, and all know", () =>
      Effect.gen(function*() {
        const over = new Item(1, "over")
        const { heard, registry, untrue } = yield* three(at, {
          "-1": (its) => Effect.exit(Registry.unregister(its, over))
        }, [a])
        yield* Registry.populate(registry)
        yield* Effect.scoped(heard(Registry.override(registry, over)))
        assert.deepStrictEqual(yield* Registry.values(registry), [a])
        assert.deepStrictEqual(untrue(), [])
      }))

    it.effect("withdraws a default while the registry is populated", () =>
      Effect.gen(function*() {
        const { heard, registry, untrue } = yield* three(at, { "+1": (its) => Registry.unregister(its, a) }, [
          a,
          b
        ])
        assert.deepStrictEqual(yield* heard(Registry.populate(registry)), around(at, "+1 -1 +2", "+1 -1 +2", "+2"))
        assert.deepStrictEqual(untrue(), [])
      }))

    it.effect("unregisters the next item of a reset itself: each hears of it once", () =>
      Effect.gen(function*() {
        const { heard, registry, untrue } = yield* three(at, { "-2": (its) => Registry.unregister(its, a) }, [
          a,
          b
        ])
        yield* Registry.populate(registry)
        yield* heard(Registry.reset(registry))
        assert.strictEqual(yield* Registry.state(registry), "Pending")
        assert.deepStrictEqual(untrue(), [])
      }))

    it.effect("registers an item in a reset, which dies of it: nothing has changed, and all know", () =>
      Effect.gen(function*() {
        const { heard, registry } = yield* three(at, { "-1": (its) => Registry.register(its, c) }, [a, b])
        yield* Registry.populate(registry)
        yield* heard(Registry.reset(registry))
        assert.deepStrictEqual(yield* Registry.values(registry), [a, b])
      }))

    it.effect("meddles in a transaction that fails: it has never been", () =>
      Effect.gen(function*() {
        const { heard, registry } = yield* three(at, { "+1": (its) => Registry.replace(its, "id", 1, b) }, [
          c
        ])
        yield* Registry.populate(registry)
        yield* heard(Registry.transact(registry, Effect.andThen(Registry.register(registry, a), Effect.fail("no"))))
        assert.deepStrictEqual(yield* Registry.values(registry), [c])
      }))

    it.effect("meddles in a nested transaction that fails: what comes after it is told as it is", () =>
      Effect.gen(function*() {
        const { heard, registry } = yield* three(at, {
          "+1": (its) =>
            Effect.exit(
              Registry.transact(its, Effect.andThen(Registry.unregister(its, a), Effect.fail("no")))
            )
        })
        assert.deepStrictEqual(
          (yield* heard(Registry.register(registry, a))).map((log) => log.replaceAll("-1 +1", "").trim()),
          ["+1", "+1", "+1"]
        )
      }))

    it.effect("changes the other registry of a transactAll", () =>
      Effect.gen(function*() {
        const one = yield* three(at, {})
        const two = yield* three(at, { "+1": () => Registry.unregister(one.registry, a) })
        yield* two.heard(one.heard(Registry.transactAll(
          [one.registry, two.registry],
          Effect.andThen(Registry.register(one.registry, a), Registry.register(two.registry, a))
        )))
        assert.deepStrictEqual(yield* Registry.values(one.registry), [])
        assert.deepStrictEqual(yield* Registry.values(two.registry), [a])
      }))
  })
}

describe("G28 news that wait for the end of a call", () => {
  it.effect("come next, before any hook is told of another item", () =>
    Effect.gen(function*() {
      const { heard, joint, registry } = yield* three(0, { "+1": (its) => Registry.unregister(its, a) })
      yield* heard(Registry.registerAll(registry, [a, b]))
      assert.deepStrictEqual(joint, ["0+1", "0-1", "0+2", "1+2", "2+2"])
    }))

  it.effect("come next, though the call is made for news that had waited, too", () =>
    Effect.gen(function*() {
      const { heard, joint, registry } = yield* three(0, {
        "+1": (its) => Registry.unregister(its, a),
        "-1": (its) => Registry.register(its, a)
      })
      yield* heard(Registry.registerAll(registry, [a, b]))
      assert.deepStrictEqual(joint, ["0+1", "0-1", "1+1", "2+1", "0+1", "0+2", "1+2", "2+2"])
    }))
})

describe("G28 of items that are primitives", () => {
  type Values = Registry.Registry<unknown, readonly [], any, any>

  /** A registry with three hooks, of which the second reacts once, and what each has heard. */
  const values = (call: "+" | "-", reaction: (registry: Values) => Effect.Effect<unknown, unknown>) =>
    Effect.gen(function*() {
      const registry: Values = yield* Registry.make<unknown>()({ lookup: [] })
      const logs: ReadonlyArray<Array<string>> = [[], [], []]
      const once = new Set([`1${call}`])
      for (const [at, log] of logs.entries()) {
        const told = (sign: string) => () =>
          Effect.suspend((): Effect.Effect<unknown> => {
            log.push(sign)
            return once.delete(`${at}${sign}`) ? Effect.orDie(reaction(registry)) : Effect.void
          })
        yield* Registry.addHooks(registry, { onItemRegistered: told("+"), onItemUnregistered: told("-") })
      }
      return { registry, heard: () => logs.map((log) => log.join("")) }
    })

  const items = [["NaN", NaN, NaN], ["zero", 0, -0], ["a text", "a", "a"], ["undefined", undefined, undefined]] as const
  for (const [name, one, again] of items) {
    it.effect(`${name} is withdrawn by a hook that is told that it came: calls alternate`, () =>
      Effect.gen(function*() {
        const { heard, registry } = yield* values("+", (its) => Registry.unregister(its, again))
        yield* Registry.register(registry, one)
        assert.deepStrictEqual(heard(), ["+-", "+-", ""])
        assert.strictEqual(yield* Registry.size(registry), 0)
      }))

    it.effect(`${name} is brought back by a hook that is told that it went: calls alternate`, () =>
      Effect.gen(function*() {
        const { heard, registry } = yield* values("-", (its) => Registry.register(its, again))
        yield* Registry.register(registry, one)
        yield* Registry.unregister(registry, one)
        assert.deepStrictEqual(heard(), ["+", "+-+", "+-+"])
        assert.strictEqual(yield* Registry.size(registry), 1)
      }))

    it.effect(`${name} is withdrawn and registered again by a hook that is asked about its end: it goes all the same`, () =>
      Effect.gen(function*() {
        const registry: Values = yield* Registry.make<unknown>()({ lookup: [] })
        yield* Registry.register(registry, one)
        let asked = 0
        yield* Registry.addHooks(registry, {
          onItemUnregistering: () =>
            asked++ === 0
              ? Effect.orDie(Effect.andThen(Registry.unregister(registry, one), Registry.register(registry, again)))
              : Effect.void
        })
        yield* Registry.unregister(registry, one)
        assert.strictEqual(yield* Registry.size(registry), 0)
      }))
  }
})

describe("G28 what hooks do to items of which nobody has been told yet", () => {
  it.effect("a child of a hook unregisters an item in a pause of a reconcile: no hook is told that it went", () =>
    Effect.gen(function*() {
      const items = Array.from({ length: 1_500 }, (_, id) => new Item(id))
      const last = items.at(-1)!
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.addHooks(registry, {
        onItemRegistered: (item) =>
          item === items[0]
            ? Effect.forkChild(Registry.unregister(registry, last))
            : Effect.void
      })
      // hooks that have nothing to wait for: no other fiber has a turn in their calls
      const known = new Set<Item>()
      const gone: Array<Item> = []
      yield* Registry.addHooks(registry, {
        onItemRegistered: (item) => {
          known.add(item)
          return Effect.void
        },
        onItemUnregistered: (item) => {
          gone.push(item)
          return Effect.void
        }
      })
      yield* Registry.reconcile(registry, items)
      assert.deepStrictEqual(gone, [])
      assert.deepStrictEqual(Array.from(known), [...Registry.snapshotUnsafe(registry)])
      assert.strictEqual(known.size, 1_499)
    }))

  it.effect("children of hooks come and go while others are told, under schedules", () =>
    RegistryTest.interleave(
      Effect.scoped(Effect.gen(function*() {
        const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
        const react: React = (call) =>
          call === "+1" ? Effect.forkChild(Registry.unregister(registry, b)) : call === "-2"
            ? Effect.forkChild(Registry.upsert(registry, b))
            : Effect.void
        const witnesses = [new Witness(() => registry), new Witness(() => registry, react), new Witness(() => registry)]
        for (const { hooks } of witnesses) yield* Registry.addHooks(registry, hooks)
        yield* Registry.reconcile(registry, [a, b, c])
        yield* Registry.reconcile(registry, [c])
        const items = [...Registry.snapshotUnsafe(registry)]
        for (const witness of witnesses) witness.agreesWith(items)
      })),
      { seeds: 300 }
    ))
})

/** A child of a hook that does something in a transaction of its own. That ends when all have been told. */
const inChild = (does: (registry: Items) => Effect.Effect<unknown, unknown>, told: Latch.Latch) => (registry: Items) =>
  Effect.forkChild(Registry.transact(registry, Effect.andThen(does(registry), told.await)), {
    startImmediately: true
  })

describe("G28 a child of a hook does something in a transaction of its own, which ends when all have been told", () => {
  const withdrawing = Effect.map(Latch.make(), (told): Reactions => ({
    "0+1": inChild((registry) => Registry.unregister(registry, a), told),
    "2+1": () => told.open
  }))

  it.effect("it withdraws the item: all hear that it went", () =>
    Effect.gen(function*() {
      const { heard, joint, registry } = yield* trio(yield* withdrawing)
      yield* heard(Registry.register(registry, a))
      assert.deepStrictEqual(joint, ["0+1", "1+1", "2+1", "2-1", "1-1", "0-1"])
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("it withdraws the item, which then is registered again: all hear of it once", () =>
    Effect.gen(function*() {
      const { heard, joint, registry } = yield* trio(yield* withdrawing)
      const again = Effect.andThen(Registry.register(registry, a), Registry.register(registry, a))
      yield* heard(Registry.transact(registry, again))
      assert.deepStrictEqual(joint, ["0+1", "1+1", "2+1"])
      assert.strictEqual(yield* Registry.size(registry), 1)
    }))

  it.effect("it withdraws the item, and another brings it back while all hear that it went", () =>
    Effect.gen(function*() {
      const told = yield* Latch.make()
      const { heard, joint, registry } = yield* trio({
        ...yield* withdrawing,
        "2-1": inChild((its) => Registry.register(its, a), told),
        "0-1": () => told.open
      })
      yield* heard(Registry.register(registry, a))
      assert.deepStrictEqual(joint, ["0+1", "1+1", "2+1", "2-1", "1-1", "0-1", "0+1", "1+1", "2+1"])
      assert.strictEqual(yield* Registry.size(registry), 1)
    }))
})

describe("G28 a map that a hook keeps by a key has room for one item", () => {
  const [over, last] = [new Item(1, "over"), new Item(1, "last")]

  it.effect("another hook replaces what comes in the place of what has gone, before it is told of either", () =>
    Effect.gen(function*() {
      const { heard, joint, registry } = yield* trio({ "2-1": (its) => Registry.replace(its, "id", 1, last) }, [a])
      yield* Registry.populate(registry)
      yield* heard(Registry.replace(registry, "id", 1, over))
      assert.deepStrictEqual(joint.slice(3), ["2-1", "0-1", "0+1", "1-1", "1+1", "2+1"])
    }))

  it.effect("the same of an item that came in the same transaction", () =>
    Effect.gen(function*() {
      const { heard, joint, registry } = yield* trio({ "2-1": (its) => Registry.replace(its, "id", 1, last) })
      yield* heard(Registry.transact(
        registry,
        Effect.andThen(Registry.register(registry, a), Registry.replace(registry, "id", 1, over))
      ))
      assert.deepStrictEqual(joint.slice(3), ["2-1", "0-1", "0+1", "1-1", "1+1", "2+1"])
    }))

  it.effect("a hook that comes during a transaction does not know yet what has gone when another item of its key comes", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a] })
      yield* Registry.populate(registry)
      const witness = new Witness(() => registry, undefined, [a])
      const [changed, installed] = [yield* Latch.make(), yield* Latch.make()]
      const fiber = yield* Effect.forkChild(Registry.transact(
        registry,
        Registry.unregister(registry, a).pipe(
          Effect.andThen(changed.open),
          Effect.andThen(installed.await),
          Effect.andThen(Registry.register(registry, over))
        )
      ))
      yield* changed.await
      yield* Registry.addHooks(registry, witness.hooks)
      yield* installed.open
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(witness.log, ["-1", "+1"])
      witness.agreesWith([over])
    }))

  it.effect("a hook withdraws what it is told of, and puts another one of its key in when it hears that it went", () =>
    Effect.gen(function*() {
      const { heard, joint, registry } = yield* trio({
        "0+1": (its) => Registry.unregister(its, a),
        "0-1": (its) => Registry.register(its, over)
      })
      yield* heard(Registry.register(registry, a))
      assert.deepStrictEqual(joint, ["0+1", "0-1", "1+1", "2+1", "0+1"])
    }))

  it.effect("a hook that is told that an item went puts another one of its key in: it hears of that after the call", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a] })
      yield* Registry.populate(registry)
      const log: Array<string> = []
      const react: React = (call) =>
        Effect.suspend(() => {
          log.push(`begin ${call}`)
          return Effect.andThen(
            call === "-1" ? Effect.orDie(Registry.register(registry, over)) : Effect.void,
            Effect.sync(() => log.push(`end ${call}`))
          )
        })
      const witness = new Witness(() => registry, react, [a])
      yield* Registry.addHooks(registry, witness.hooks)
      yield* Registry.unregister(registry, a)
      assert.deepStrictEqual(log, ["begin -1", "end -1", "begin +1", "end +1"])
      witness.agreesWith([over])
    }))

  /** A child of the first hook puts another item in the place of the one that comes, and ends when told to. */
  const replacing = (then: Effect.Effect<unknown, unknown>) => (its: Items) =>
    Effect.forkChild(Registry.transact(its, Effect.andThen(Registry.replace(its, "id", 1, over), then)), {
      startImmediately: true
    })

  it.effect("a child of a hook takes the place of the item, and ends when the others have been told of that", () =>
    Effect.gen(function*() {
      const told = yield* Latch.make()
      const { heard, joint, registry } = yield* trio({ "0+1": replacing(told.await), "2-1": () => told.open })
      yield* heard(Registry.register(registry, a))
      const [before, after] = [["0+1", "1+1", "2+1"], ["2-1", "1-1", "0-1", "0+1", "1+1", "2+1"]]
      assert.deepStrictEqual(joint, [...before, "1-1", "1+1", "2-1", "2+1", ...after])
    }))

  it.effect("it fails when all have been told of what it had replaced: all know that", () =>
    Effect.gen(function*() {
      const told = yield* Latch.make()
      const failing = replacing(Effect.andThen(told.await, Effect.fail("no")))
      const { heard, joint, registry } = yield* trio({ "0+1": failing, "2-1": () => told.open })
      yield* heard(Registry.register(registry, a))
      assert.deepStrictEqual(joint, ["0+1", "1+1", "2+1", "1-1", "1+1", "2-1", "2+1"])
    }))

  it.effect("a child of a hook tells another of an item that it is about to be told of: one call after the other", () =>
    Effect.gen(function*() {
      const told = yield* Latch.make()
      const { heard, joint, registry } = yield* trio({
        "0+1": replacing(Effect.void),
        "1+1": () => told.await,
        "2+1": () => told.open
      })
      yield* heard(Registry.register(registry, a))
      assert.deepStrictEqual(joint, ["0+1", "1+1", "2+1", "2-1", "2+1", "0-1", "0+1"])
    }))

  it.effect("a child of a hook fails while others are told that an item went and is back: none hears twice that it is", () =>
    Effect.gen(function*() {
      const go = yield* Latch.make()
      const { heard, joint, registry } = yield* trio({
        "2-1": (its) =>
          Effect.forkChild(Registry.transact(its, Effect.andThen(go.await, Effect.fail("no"))), {
            startImmediately: true
          }),
        "1-1": () => Effect.andThen(go.open, Effect.andThen(Effect.yieldNow, Effect.yieldNow))
      }, [a])
      yield* Registry.populate(registry)
      yield* heard(Registry.replace(registry, "id", 1, a))
      assert.deepStrictEqual(joint.slice(3), ["2-1", "1-1", "2+1", "1+1"])
    }))

  it.effect("a nested transaction that failed is played back once, though the one around it fails, too", () =>
    Effect.gen(function*() {
      const { heard, joint, registry } = yield* trio({})
      const failing = (...items: ReadonlyArray<Item>) =>
        Effect.andThen(Effect.forEach(items, (item) => Registry.register(registry, item)), Effect.fail("no"))
      yield* heard(
        Registry.transact(registry, Effect.andThen(Effect.exit(Registry.transact(registry, failing(a))), failing(b)))
      )
      assert.deepStrictEqual(joint.filter((call) => call.startsWith("0")), ["0+1", "0-1", "0+2", "0-2"])
    }))

  it.effect("what was played back is known: it is told once more when it comes", () =>
    Effect.gen(function*() {
      const { heard, joint, registry } = yield* trio({ "0+4": (its) => Registry.unregister(its, d) })
      const failing = Registry.transact(registry, Effect.andThen(Registry.register(registry, a), Effect.fail("no")))
      yield* heard(
        Registry.transact(
          registry,
          Registry.register(registry, d).pipe(
            Effect.andThen(Effect.exit(failing)),
            Effect.andThen(Registry.register(registry, a))
          )
        )
      )
      const came = ["0+1", "1+1", "2+1"]
      assert.deepStrictEqual(joint, ["0+4", "0-4", ...came, "2-1", "1-1", "0-1", ...came])
    }))
})

interface Tool {
  readonly name: string
  readonly with: ReadonlyArray<string>
}

const plain = (name: string): Tool => ({ name, with: [] })

describe("G28 a menu by name, kept by another hook", () => {
  type Tools = Registry.Registry<Tool, readonly ["name"]>
  const styled = (tool: Tool): Tool => ({ ...tool, with: ["css"] })
  const show = (tool: Tool) => tool.name + tool.with.map((one) => `[${one}]`).join("")

  /** A hook that keeps a menu, and what it was told. */
  const menuOf = () => {
    const menu = new Map<string, Tool>()
    const log: Array<string> = []
    const hooks = {
      onItemRegistered: (tool: Tool) =>
        Effect.sync(() => {
          log.push(`+${show(tool)}`)
          menu.set(tool.name, tool)
        }),
      onItemUnregistered: (tool: Tool) =>
        Effect.sync(() => {
          log.push(`-${show(tool)}`)
          menu.delete(tool.name)
        })
    }
    return { hooks, log, menu }
  }

  const make = Registry.make<Tool>()({ lookup: ["name"] })

  const styling = (tools: Tools) => ({
    onItemRegistered: (tool: Tool) =>
      tool.with.length > 0 ? Effect.void : Effect.orDie(Registry.replace(tools, "name", tool.name, styled(tool)))
  })
  const withdrawing = (tools: Tools) => ({
    onItemRegistered: (tool: Tool) => tool.name === "x" ? Effect.orDie(Registry.unregister(tools, tool)) : Effect.void
  })
  const upserting = (tools: Tools) => ({
    onItemRegistered: (tool: Tool) =>
      tool.name === "x" && tool.with.length === 0 ? Effect.orDie(Registry.upsert(tools, styled(tool))) : Effect.void
  })
  const bringingBack = (tools: Tools) => {
    let isBack = false
    return {
      onItemUnregistered: (tool: Tool) =>
        Effect.suspend(() => {
          if (isBack) return Effect.void
          isBack = true
          return Effect.orDie(Registry.register(tools, tool))
        })
    }
  }

  const register = (...names: ReadonlyArray<string>) => (tools: Tools) => Registry.registerAll(tools, names.map(plain))
  const comeAndGo = (tools: Tools) =>
    Effect.andThen(Registry.register(tools, plain("a")), Registry.unregisterBy(tools, "name", "a"))

  it.effect.each(
    [
      ["withdraws what comes", withdrawing, register("x"), "", "", "+x -x"],
      ["replaces what comes", styling, register("a"), "a[css]", "+a[css]", "+a -a +a[css]"],
      ["upserts what comes", upserting, register("w", "x"), "w x[css]", "+w +x[css]", "+w +x -x +x[css]"],
      ["brings back what goes", bringingBack, comeAndGo, "a", "+a -a +a", "+a"]
    ] as const
  )(
    "agrees with the registry after a hook that %s, before it and after it",
    ([, meddling, act, held, after, before]) =>
      Effect.gen(function*() {
        for (const isFirst of [false, true]) {
          const tools = yield* make
          const { hooks, log, menu } = menuOf()
          if (isFirst) yield* Registry.addHooks(tools, hooks)
          yield* Registry.addHooks(tools, meddling(tools))
          if (!isFirst) yield* Registry.addHooks(tools, hooks)
          yield* act(tools)
          assert.strictEqual((yield* Registry.values(tools)).map(show).join(" "), held)
          assert.deepStrictEqual(Array.from(menu.values()), [...(yield* Registry.values(tools))])
          assert.strictEqual(log.join(" "), isFirst ? before : after)
        }
      })
  )

  it.effect("a hook that amends what comes amends what is in, too, and what it amends goes with its own scope", () =>
    Effect.gen(function*() {
      const tools = yield* make
      const { hooks, log, menu } = menuOf()
      yield* Registry.addHooks(tools, hooks)
      yield* Registry.register(tools, plain("early"))
      yield* Registry.addHooks(tools, styling(tools), { existing: true })
      assert.deepStrictEqual(log, ["+early", "-early", "+early[css]"])
      log.length = 0
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Registry.registerScoped(tools, plain("late"))
        assert.deepStrictEqual(log, ["+late", "-late", "+late[css]"])
        assert.deepStrictEqual(Array.from(menu.values(), show), ["early[css]", "late[css]"])
      }))
      assert.deepStrictEqual((yield* Registry.values(tools)).map(show), ["early[css]"])
      assert.deepStrictEqual(Array.from(menu.values(), show), ["early[css]"])
    }))
})

describe("G28 hooks that are installed in a transaction", () => {
  it.effect("are told that what was in goes, though it came in the same transaction", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      const witness = new Witness(() => registry, undefined, [a])
      yield* Registry.transact(
        registry,
        Registry.register(registry, a).pipe(
          Effect.andThen(Registry.addHooks(registry, witness.hooks)),
          Effect.andThen(Registry.unregister(registry, a))
        )
      )
      assert.deepStrictEqual(witness.log, ["-1"])
      witness.agreesWith([])
    }))

  it.effect("are not told of what was in, nor that something went before", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a] })
      const witness = new Witness(() => registry, undefined, [b])
      yield* Registry.transact(
        registry,
        Registry.register(registry, b).pipe(
          Effect.andThen(Registry.unregister(registry, a)),
          Effect.andThen(Registry.addHooks(registry, witness.hooks)),
          Effect.andThen(Registry.register(registry, c))
        )
      )
      assert.deepStrictEqual(witness.log, ["+3"])
      witness.agreesWith([b, c])
    }))

  it.effect("by a hook: they know all when the transaction has ended", () =>
    Effect.gen(function*() {
      const late = new Witness(() => registry, undefined, [a])
      const scope = yield* Effect.scope
      const registry: Items = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: {
          onItemRegistered: (item) =>
            item === a ? Scope.provide(Registry.addHooks(registry, late.hooks), scope) : Effect.void
        }
      })
      yield* Registry.transact(
        registry,
        Effect.andThen(Registry.registerAll(registry, [a, b]), Registry.register(registry, c))
      )
      assert.deepStrictEqual(late.log, ["+3", "+2"])
      late.agreesWith([a, b, c])
    }))

  /** A registry whose hook installs others when it is asked about an item, and those. */
  const asking = Effect.gen(function*() {
    const late = new Witness(() => registry)
    const scope = yield* Effect.scope
    let asked = 0
    const registry: Items = yield* Registry.make<Item>()({
      lookup: ["id"],
      hooks: {
        onItemRegistering: () =>
          asked++ === 0 ? Scope.provide(Registry.addHooks(registry, late.hooks), scope) : Effect.void
      }
    })
    return { late, registry }
  })

  it.effect("by a hook that is asked about an item: they are told that the item came", () =>
    Effect.gen(function*() {
      const { late, registry } = yield* asking
      yield* Registry.register(registry, a)
      late.agreesWith([a])
      yield* Registry.unregister(registry, a)
      assert.deepStrictEqual(late.log, ["+1", "-1"])
      late.agreesWith([])
    }))

  it.effect("by a hook that is asked about an item, which goes in the same transaction: they hear nothing of it", () =>
    Effect.gen(function*() {
      const { late, registry } = yield* asking
      yield* Registry.transact(
        registry,
        Effect.andThen(Registry.registerAll(registry, [a, b]), Registry.unregister(registry, a))
      )
      assert.deepStrictEqual(late.log, ["+2"])
      late.agreesWith([b])
    }))

  for (const hooked of [false, true]) {
    it.effect(`by a fiber outside: they are told what it came to, ${hooked ? "with" : "without"} other hooks`, () =>
      Effect.gen(function*() {
        const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a, b] })
        yield* Registry.populate(registry)
        const other = new Witness(() => registry, undefined, [a, b])
        if (hooked) yield* Registry.addHooks(registry, other.hooks)
        const witness = new Witness(() => registry, undefined, [a, b])
        const [changed, installed] = [yield* Latch.make(), yield* Latch.make()]
        const changing = Registry.unregister(registry, a).pipe(
          Effect.andThen(Registry.replace(registry, "id", 2, c)),
          Effect.andThen(changed.open),
          Effect.andThen(installed.await)
        )
        const fiber = yield* Effect.forkChild(Registry.transact(registry, changing))
        yield* changed.await
        yield* Registry.addHooks(registry, witness.hooks)
        yield* installed.open
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(witness.log, ["-1", "-2", "+3"])
        witness.agreesWith([c])
        if (hooked) other.agreesWith([c])
      }))
  }

  it.effect("by a fiber outside, and it fails: they are told nothing", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      const witness = new Witness(() => registry)
      const [changed, installed] = [yield* Latch.make(), yield* Latch.make()]
      const failing = Registry.register(registry, a).pipe(
        Effect.andThen(changed.open),
        Effect.andThen(installed.await),
        Effect.andThen(Effect.fail("no"))
      )
      const fiber = yield* Effect.forkChild(Registry.transact(registry, failing))
      yield* changed.await
      yield* Registry.addHooks(registry, witness.hooks)
      yield* installed.open
      yield* Fiber.await(fiber)
      assert.deepStrictEqual(witness.log, [])
    }))
})

/** A registry, hooks of two parts that are added with existing, and what removes them. */
const pair = (reactions: Reactions, defaults: ReadonlyArray<Item>) =>
  Effect.gen(function*() {
    const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"], defaults })
    const joint: Array<string> = []
    const witnesses = [0, 1].map((at) =>
      new Witness(() => registry, (call) => {
        joint.push(`${at}${call}`)
        return Effect.orDie(reactions[`${at}${call}`]?.(registry) ?? Effect.void)
      })
    )
    yield* Registry.populate(registry)
    const scope = yield* Scope.make()
    const hooks = RegistryHooks.combineAll(witnesses.map((one) => RegistryHooks.make<Item>()(one.hooks)))
    return {
      joint,
      add: Scope.provide(Registry.addHooks(registry, hooks, { existing: true }), scope),
      remove: Scope.close(scope, Exit.void),
      agree: (items: ReadonlyArray<Item>) => {
        for (const witness of witnesses) witness.agreesWith(items)
        assert.deepStrictEqual(witnesses.flatMap(({ untrue }) => untrue), [])
      }
    }
  })

/** A registry, and a hook that is installed by `add`, and knows then what the fiber sees. */
const added = (
  defaults: ReadonlyArray<Item>,
  react: (registry: Items, call: string) => Effect.Effect<unknown> = () => Effect.void
) =>
  Effect.gen(function*() {
    const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"], defaults })
    yield* Registry.populate(registry)
    const witness = new Witness(() => registry, (call) => react(registry, call))
    const scope = yield* Effect.scope
    const add = Effect.andThen(
      Effect.map(Registry.values(registry), (items) => items.forEach((item) => witness.know(item))),
      Scope.provide(Registry.addHooks(registry, witness.hooks), scope)
    )
    return { add, registry, witness }
  })

const inTurn = (...effects: ReadonlyArray<Effect.Effect<unknown, unknown>>) =>
  Effect.forEach(effects, (effect) => effect, { discard: true })
describe("G28 hooks that are installed in a transaction that fails are told what there is instead of its draft", () => {
  const no = Effect.fail("no")

  it.effect("what came before them has never been", () =>
    Effect.gen(function*() {
      const { add, registry, witness } = yield* added([])
      yield* Effect.exit(Registry.transact(registry, inTurn(Registry.register(registry, a), add, no)))
      assert.deepStrictEqual(witness.log, ["-1"])
      witness.agreesWith([])
    }))

  it.effect("what went before them is there", () =>
    Effect.gen(function*() {
      const { add, registry, witness } = yield* added([a])
      yield* Effect.exit(Registry.transact(registry, inTurn(Registry.unregister(registry, a), add, no)))
      assert.deepStrictEqual(witness.log, ["+1"])
      witness.agreesWith([a])
    }))

  it.effect("their calls are played back first", () =>
    Effect.gen(function*() {
      const { add, registry, witness } = yield* added([c])
      yield* Effect.exit(Registry.transact(
        registry,
        inTurn(
          Registry.register(registry, a),
          add,
          Registry.unregister(registry, a),
          Registry.replace(registry, "id", 3, b),
          no
        )
      ))
      assert.deepStrictEqual(witness.log, ["-1", "-3", "+2", "-2", "+3", "+1", "-1"])
      witness.agreesWith([c])
    }))

  it.effect("a nested one: what comes after it is told as it is", () =>
    Effect.gen(function*() {
      const { add, registry, witness } = yield* added([c])
      yield* Registry.transact(
        registry,
        inTurn(
          Registry.register(registry, b),
          Effect.exit(Registry.transact(
            registry,
            inTurn(Registry.register(registry, a), Registry.transact(registry, add), no)
          )),
          Registry.register(registry, a),
          Registry.unregister(registry, b)
        )
      )
      assert.deepStrictEqual(witness.log, ["-1", "+1", "-2"])
      witness.agreesWith([c, a])
    }))

  it.effect("a nested one in a call of theirs: they are told nothing in it", () =>
    Effect.gen(function*() {
      const failing = (its: Items) => Effect.exit(Registry.transact(its, inTurn(Registry.unregister(its, a), no)))
      const { add, registry, witness } = yield* added([], (its, call) => call === "+1" ? failing(its) : Effect.void)
      yield* Registry.transact(registry, inTurn(add, Registry.register(registry, a)))
      assert.deepStrictEqual(witness.log, ["+1"])
      witness.agreesWith([a])
    }))

  it.effect("a nested one, in a call of another hook, while they wait to be told: they are told", () =>
    Effect.gen(function*() {
      const { add, registry, witness } = yield* added([])
      const scope = yield* Effect.scope
      const failing = {
        onItemRegistered: (item: Item) =>
          item === a
            ? Effect.exit(Registry.transact(registry, inTurn(Registry.unregister(registry, a), no)))
            : Effect.void
      }
      yield* Registry.transact(
        registry,
        inTurn(Scope.provide(Registry.addHooks(registry, failing), scope), add, Registry.reconcile(registry, [a, b]))
      )
      assert.deepStrictEqual(witness.log, ["+1", "+2"])
      witness.agreesWith([a, b])
    }))

  it.effect("a nested one in a call of another hook, and the one around it fails, too", () =>
    Effect.gen(function*() {
      const { add, registry, witness } = yield* added([a])
      const scope = yield* Effect.scope
      const failing = {
        onItemUnregistered: (item: Item) =>
          item === a
            ? Effect.exit(Registry.transact(registry, inTurn(Registry.register(registry, b), add, no)))
            : Effect.void
      }
      yield* Scope.provide(Registry.addHooks(registry, failing), scope)
      yield* Effect.exit(Registry.transact(registry, inTurn(Registry.unregister(registry, a), no)))
      assert.deepStrictEqual(witness.log, ["-2", "+1"])
      witness.agreesWith([a])
    }))

  it.effect("one that is refused when hooks have been settled", () =>
    Effect.gen(function*() {
      const { add, registry, witness } = yield* added([])
      beforePublish(registry, () => Effect.fail("refused"))
      yield* Effect.exit(Registry.transact(registry, inTurn(Registry.register(registry, a), add)))
      assert.deepStrictEqual(witness.log, ["-1"])
      witness.agreesWith([])
    }))

  it.effect("one of several registries", () =>
    Effect.gen(function*() {
      const one = yield* added([a])
      const two = yield* added([])
      yield* Effect.exit(Registry.transactAll(
        [one.registry, two.registry],
        inTurn(Registry.unregister(one.registry, a), Registry.register(two.registry, b), one.add, two.add, no)
      ))
      assert.deepStrictEqual([one.witness.log, two.witness.log], [["+1"], ["-2"]])
      one.witness.agreesWith([a])
      two.witness.agreesWith([])
    }))

  it.effect("one dies of it: the others are told, and its defect surfaces", () =>
    Effect.gen(function*() {
      const { add, registry, witness } = yield* added([])
      const dying = Registry.addHooks(registry, { onItemUnregistered: () => Effect.die("boom") })
      const scope = yield* Effect.scope
      const exit = yield* Effect.exit(
        Registry.transact(registry, inTurn(Registry.register(registry, a), Scope.provide(dying, scope), add, no))
      )
      assert.deepStrictEqual(witness.log, ["-1"])
      assert.deepStrictEqual(
        Exit.isFailure(exit) && exit.cause.reasons.map((reason) => Cause.isDieReason(reason) ? reason.defect : "no"),
        ["no", "boom"]
      )
    }))
})

describe("G28 hooks that are told of what is in when they come, and that it goes when they go", () => {
  it.effect("the first part withdraws the item that it is told of: the other hears nothing of it", () =>
    Effect.gen(function*() {
      const { add, agree, joint } = yield* pair(
        { "0+1": (its) => Registry.unregister(its, a) },
        [a, b]
      )
      yield* add
      agree([b])
      assert.deepStrictEqual(joint, ["0+1", "0-1", "0+2", "1+2"])
    }))

  it.effect("they replace what they are told of: that is told of, and what it replaces has gone", () =>
    Effect.gen(function*() {
      const { add, agree, joint } = yield* pair(
        { "0+1": (its) => Registry.replace(its, "id", 1, b) },
        [a]
      )
      yield* add
      agree([b])
      assert.deepStrictEqual(joint, ["0+1", "1+2", "0-1", "0+2"])
    }))

  it.effect("one that goes withdraws what it is still to be told of: it is told that it went", () =>
    Effect.gen(function*() {
      const { add, agree, joint, remove } = yield* pair(
        { "1-2": (its) => Registry.unregister(its, a) },
        [a, b]
      )
      yield* add
      joint.length = 0
      yield* remove
      agree([])
      assert.deepStrictEqual(joint, ["1-2", "0-2", "1-1", "0-1"])
    }))

  for (
    const [sign, change, calls] of [
      ["+", (registry: Items) => Registry.register(registry, a), []],
      ["-", (registry: Items) => Registry.unregister(registry, a), ["+1", "-1"]]
    ] as const
  ) {
    it.effect(`another hook that is told ${sign}1 removes one that is not told yet: it hears ${calls.join(" ") || "nothing"}`, () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"], defaults: sign === "+" ? [] : [a] })
        yield* Registry.populate(registry)
        const removing = Effect.suspend(() => Scope.close(scope, Exit.void))
        const before = { onItemRegistered: () => removing }
        const after = { onItemUnregistered: () => removing }
        const witness = new Witness(() => registry)
        // hooks of withdrawal run in reverse order
        yield* Registry.addHooks(registry, before)
        yield* Scope.provide(Registry.addHooks(registry, witness.hooks, { existing: true }), scope)
        yield* Registry.addHooks(registry, after)
        yield* change(registry)
        assert.deepStrictEqual(witness.log, [...calls])
        witness.agreesWith([])
      }))
  }

  for (const fails of [false, true]) {
    it.effect(`one removes itself in its own call: it hears next that the item went${fails ? ", which is undone" : ""}`, () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [b] })
        yield* Registry.populate(registry)
        const witness = new Witness(
          () => registry,
          (call) => call === "+1" ? Scope.close(scope, Exit.void) : Effect.void
        )
        yield* Scope.provide(Registry.addHooks(registry, witness.hooks, { existing: true }), scope)
        yield* Effect.exit(Registry.transact(
          registry,
          Effect.andThen(Registry.registerAll(registry, [a, c]), fails ? Effect.fail("no") : Effect.void)
        ))
        assert.deepStrictEqual(witness.log, ["+2", "+1", "-2", "-1"])
        witness.agreesWith([])
      }))
  }

  it.effect("one removes itself in its call that an item goes: it is not told so again", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a, b] })
      yield* Registry.populate(registry)
      const witness = new Witness(
        () => registry,
        (call) => call === "-1" ? Scope.close(scope, Exit.void) : Effect.void
      )
      yield* Scope.provide(Registry.addHooks(registry, witness.hooks, { existing: true }), scope)
      yield* Registry.unregister(registry, a)
      assert.deepStrictEqual(witness.log, ["+1", "+2", "-1", "-2"])
      witness.agreesWith([])
    }))

  it.effect("one is removed while a transaction that had told it is undone: it hears of each item that it knows", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a, b] })
      yield* Registry.populate(registry)
      const witness = new Witness(() => registry)
      yield* Scope.provide(Registry.addHooks(registry, witness.hooks, { existing: true }), scope)
      yield* Registry.addHooks(registry, {
        onItemUnregistered: ({ id }) => id === 3 ? Scope.close(scope, Exit.void) : Effect.void
      })
      witness.log.length = 0
      yield* Effect.exit(Registry.transact(
        registry,
        Registry.unregister(registry, a).pipe(
          Effect.andThen(Registry.registerAll(registry, [c, d])),
          Effect.andThen(Effect.fail("no"))
        )
      ))
      assert.deepStrictEqual(witness.log, ["-1", "+3", "+4", "-4", "-3", "-2"])
      witness.agreesWith([])
    }))
})

// ---------------------------------------------------------------------------------------------------------------------
// The last word of the library itself
// ---------------------------------------------------------------------------------------------------------------------

const refusing = (refuses: (size: number) => boolean, hooked = false) =>
  Effect.gen(function*() {
    const log: Array<string> = []
    const registry: Items = yield* Registry.make<Item>()({
      lookup: ["id"],
      ...hooked ? { hooks: recording(log) } : {}
    })
    beforePublish(registry, () =>
      Effect.suspend(() => {
        log.push("asked")
        return Effect.flatMap(Registry.size(registry), (size) => refuses(size) ? Effect.fail("refused") : Effect.void)
      }))
    return { log, registry }
  })

describe("an outermost transaction that changed something is asked before it is published", () => {
  for (const hooked of [false, true]) {
    const kind = hooked ? "with" : "without"

    it.effect(`one that is refused fails, and is undone, ${kind} hooks`, () =>
      Effect.gen(function*() {
        const { registry } = yield* refusing((size) => size > 1, hooked)
        yield* Registry.register(registry, a)
        for (const one of [Registry.register(registry, b), Registry.registerAll(registry, [b, c])]) {
          assert.strictEqual(defectOf(yield* Effect.exit(one)), "refused")
          assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [a])
          assert.isFalse(isLocked(registry))
        }
        yield* Registry.replace(registry, "id", 1, b)
        assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [b])
      }))
  }

  it.effect("the hooks of one that is refused are played back", () =>
    Effect.gen(function*() {
      const { log, registry } = yield* refusing((size) => size > 0, true)
      yield* Registry.populate(registry).pipe(Effect.exit)
      log.length = 0
      yield* Effect.exit(Registry.register(registry, a))
      assert.deepStrictEqual(log, ["registering 1", "registered 1", "asked", "unregistered 1"])
    }))

  it.effect("it is asked once, and not where nothing has changed, nor for what is nested", () =>
    Effect.gen(function*() {
      const { log, registry } = yield* refusing(() => false)
      yield* Registry.populate(registry)
      log.length = 0
      yield* Registry.transact(registry, Registry.size(registry))
      yield* Registry.reconcile(registry, [])
      assert.deepStrictEqual(log, [])
      yield* Registry.transact(
        registry,
        Effect.andThen(Registry.register(registry, a), Registry.transact(registry, Registry.register(registry, b)))
      )
      assert.deepStrictEqual(log, ["asked"])
    }))

  it.effect("it is asked again about what was changed while it was asked", () =>
    Effect.gen(function*() {
      const seen: Array<number> = []
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.populate(registry)
      beforePublish(registry, () =>
        Effect.flatMap(Registry.size(registry), (size) => {
          seen.push(size)
          return size < 3 ? Registry.register(registry, new Item(10 + size)) : Effect.void
        }))
      yield* Registry.register(registry, a)
      assert.deepStrictEqual(seen, [1, 2, 3])
      // all of it is one revision
      assert.strictEqual(RegistrySnapshot.revision(Registry.snapshotUnsafe(registry)), 2)
      assert.strictEqual([...Registry.snapshotUnsafe(registry)].length, 3)
    }))

  it.effect("one that is delayed can be interrupted, and is undone", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.populate(registry)
      beforePublish(registry, () => Effect.never)
      const fiber = yield* Effect.forkChild(Registry.register(registry, a), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [])
      assert.isFalse(isLocked(registry))
    }))

  it.effect("one that dies of it is undone: the defect is that of the operation, and its hooks are played back", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"], hooks: recording(log) })
      yield* Registry.register(registry, a)
      beforePublish(registry, () => Effect.die("broken"))
      for (
        const [operation, calls] of [
          [Registry.register(registry, b), ["registering 2", "registered 2", "unregistered 2"]],
          [Registry.reconcile(registry, []), ["unregistering 1", "unregistered 1", "registered 1"]],
          [
            Registry.transact(registry, Registry.upsert(registry, c)),
            ["registering 3", "registered 3", "unregistered 3"]
          ]
        ] as const
      ) {
        log.length = 0
        assert.strictEqual(defectOf(yield* Effect.exit<unknown, unknown, never>(operation)), "broken")
        assert.deepStrictEqual(log, [...calls])
        assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [a])
        assert.isFalse(isLocked(registry))
      }
    }))

  it.effect("a reset that is refused leaves all as it was, with what the population had acquired", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let refuses = false
      const registry: Items = yield* Registry.make<Item>()({
        lookup: ["id"],
        hooks: recording(log),
        defaults: Effect.as(
          Effect.acquireRelease(Effect.sync(() => log.push("opened")), () => Effect.sync(() => log.push("closed"))),
          [a]
        )
      })
      beforePublish(registry, () => refuses ? Effect.fail("refused") : Effect.void)
      yield* Registry.register(registry, b)
      refuses = true
      log.length = 0
      assert.strictEqual(defectOf(yield* Effect.exit(Registry.reset(registry))), "refused")
      assert.deepStrictEqual(log, [
        "resetting",
        "unregistering 2",
        "unregistered 2",
        "unregistering 1",
        "unregistered 1",
        "reset",
        "registered 1",
        "registered 2"
      ])
      assert.strictEqual(yield* Registry.state(registry), "Ready")
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, b])
      refuses = false
      yield* Registry.reset(registry)
      assert.strictEqual(log.at(-1), "closed")
    }))

  it.effect("a population that is refused releases what it acquired, and the next use tries again", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let refuses = true
      const registry: Items = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: Effect.as(
          Effect.acquireRelease(Effect.sync(() => log.push("opened")), () => Effect.sync(() => log.push("closed"))),
          [a]
        )
      })
      beforePublish(registry, () => refuses ? Effect.fail("refused") : Effect.void)
      assert.strictEqual(defectOf(yield* Effect.exit(Registry.size(registry))), "refused")
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      assert.deepStrictEqual(log, ["opened", "closed"])
      refuses = false
      assert.strictEqual(yield* Registry.size(registry), 1)
      assert.deepStrictEqual(log, ["opened", "closed", "opened"])
    }).pipe(Effect.provide(Logger.layer([]))))

  for (const [how, word] of [["refuses", Effect.fail("no")], ["dies", Effect.die("no")]] as const) {
    it.effect(`a scope that closes, and it ${how}: what the scope holds goes, and the close dies of it`, () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        let asked = 0
        const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"], hooks: recording(log) })
        const scope = yield* Scope.make()
        yield* Scope.provide(Registry.registerAllScoped(registry, [a, b]), scope)
        beforePublish(registry, () => Effect.andThen(Effect.sync(() => asked++), word))
        log.length = 0
        const exit = yield* Effect.exit(Scope.close(scope, Exit.void))
        assert.deepStrictEqual(exit, Exit.die("no"))
        assert.strictEqual(asked, 1)
        assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [])
        assert.deepStrictEqual(log, ["unregistering 2", "unregistered 2", "unregistering 1", "unregistered 1"])
        assert.isFalse(isLocked(registry))
      }))
  }

  it.effect("a scope that closes in a transaction that is refused: all is undone, but what the scope holds goes", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerScoped(registry, a), scope)
      beforePublish(
        registry,
        () => Effect.flatMap(Registry.has(registry, "id", 2), (isIn) => isIn ? Effect.fail("refused") : Effect.void)
      )
      const exit = yield* Effect.exit(
        Registry.transact(registry, Effect.andThen(Registry.register(registry, b), Scope.close(scope, Exit.void)))
      )
      assert.strictEqual(defectOf(exit), "refused")
      assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [])
    }))

  it.effect("a hook that dies in the last word of a scope that closes stops nothing: the close dies of it", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      const installed = yield* Effect.scope
      const dying = { onItemUnregistered: () => Effect.die("boom") }
      // it is told at the end, because it was not there when the operation began
      yield* Registry.addHooks(registry, {
        onItemUnregistering: () => Scope.provide(Registry.addHooks(registry, dying), installed)
      })
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.registerScoped(registry, a), scope)
      assert.deepStrictEqual(yield* Effect.exit(Scope.close(scope, Exit.void)), Exit.die("boom"))
      assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [])
    }))

  it.effect("an override that is refused hides nothing; its end shows again what it hid, whatever is said", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let refuses = true
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [a], hooks: recording(log) })
      yield* Registry.populate(registry)
      beforePublish(registry, () => refuses ? Effect.fail("refused") : Effect.void)
      const over = new Item(1, "over")
      assert.strictEqual(defectOf(yield* Effect.exit(Effect.scoped(Registry.override(registry, over)))), "refused")
      assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [a])
      refuses = false
      const scope = yield* Scope.make()
      yield* Scope.provide(Registry.override(registry, over), scope)
      assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [over])
      refuses = true
      log.length = 0
      yield* Effect.exit(Scope.close(scope, Exit.void))
      assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [a])
      assert.deepStrictEqual(log, ["unregistering 1", "unregistered 1", "registered 1"])
    }))

  it.effect("while it delays, readers read what is published, and writers wait, in their order", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.populate(registry)
      const [asked, answer] = [yield* Latch.make(), yield* Latch.make()]
      const seen: Array<ReadonlyArray<string>> = []
      beforePublish(registry, () =>
        Effect.flatMap(Registry.values(registry), (values) => {
          seen.push(namesOf(values))
          return Effect.andThen(asked.open, answer.await)
        }))
      const fibers = [yield* Effect.forkChild(Registry.register(registry, a))]
      yield* asked.await
      for (const item of [b, c]) {
        fibers.push(yield* Effect.forkChild(Registry.register(registry, item), { startImmediately: true }))
      }
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [])
      assert.strictEqual(yield* Registry.size(registry), 0)
      assert.deepStrictEqual(seen, [["1 item 1"]])
      yield* answer.open
      for (const fiber of fibers) yield* Fiber.join(fiber)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [a, b, c])
      assert.deepStrictEqual(seen.map((names) => names.length), [1, 2, 3])
    }))

  it.effect("it is asked when a child in flight has ended, about what that child has done, too", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.populate(registry)
      const go = yield* Latch.make()
      const seen: Array<ReadonlyArray<string>> = []
      beforePublish(registry, () => Effect.map(Registry.values(registry), (values) => seen.push(namesOf(values))))
      const fiber = yield* Effect.forkChild(
        Registry.transact(
          registry,
          Effect.andThen(
            Registry.register(registry, a),
            Effect.forkChild(Registry.transact(registry, Effect.andThen(go.await, Registry.register(registry, b))), {
              startImmediately: true
            })
          )
        ),
        { startImmediately: true }
      )
      yield* Effect.yieldNow
      assert.deepStrictEqual(seen, [])
      yield* go.open
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(seen, [["1 item 1", "2 item 2"]])
    }))

  it.effect("a child that it forked is waited for, and it is asked again about what that child has done", () =>
    Effect.gen(function*() {
      const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.populate(registry)
      const seen: Array<ReadonlyArray<string>> = []
      beforePublish(registry, () =>
        Effect.flatMap(Registry.values(registry), (values) => {
          seen.push(namesOf(values))
          return values.length > 1
            ? Effect.void
            : Effect.forkDetach(
              Registry.transact(registry, Effect.andThen(Effect.yieldNow, Registry.register(registry, b))),
              { startImmediately: true }
            )
        }))
      yield* Registry.register(registry, a)
      assert.deepStrictEqual(seen, [["1 item 1"], ["1 item 1", "2 item 2"]])
      assert.strictEqual(RegistrySnapshot.revision(Registry.snapshotUnsafe(registry)), 2)
    }))

  it.effect("hooks know all when it is asked, and are told of what it changes", () =>
    Effect.gen(function*() {
      const { heard, joint, registry } = yield* trio({
        "0+1": (its) => Registry.replace(its, "id", 1, b),
        "2+2": (its) => Registry.register(its, c)
      })
      yield* Registry.populate(registry)
      const knew: Array<string> = []
      beforePublish(registry, () =>
        Effect.flatMap(Registry.size(registry), (size) => {
          knew.push(joint.splice(0).join(" "))
          return size < 3 ? Registry.register(registry, d) : Effect.void
        }))
      yield* heard(Registry.register(registry, a))
      assert.deepStrictEqual(knew, ["0+1 1+2 2+2 1+3 2+3 0-1 0+2 0+3", "0+4 1+4 2+4"])
    }))

  it.effect("a registry that closes while it delays publishes nothing", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const registry: Items = yield* Scope.provide(Registry.make<Item>()({ lookup: ["id"] }), scope)
      yield* Registry.populate(registry)
      const [asked, answer] = [yield* Latch.make(), yield* Latch.make()]
      beforePublish(registry, () => Effect.andThen(asked.open, answer.await))
      const fiber = yield* Effect.forkChild(Registry.register(registry, a))
      yield* asked.await
      yield* Scope.close(scope, Exit.void)
      yield* answer.open
      const exit = yield* Fiber.await(fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      assert.deepStrictEqual([...Registry.snapshotUnsafe(registry)], [])
    }))

  for (const hooked of [false, true]) {
    it.effect(`it allows two items, under schedules, ${hooked ? "with" : "without"} hooks`, () =>
      RegistryTest.interleave(
        Effect.scoped(Effect.gen(function*() {
          const registry: Items = yield* Registry.make<Item>()({ lookup: ["id"] })
          yield* Registry.populate(registry)
          const witness = new Witness(() => registry, () => Effect.yieldNow)
          if (hooked) yield* Registry.addHooks(registry, witness.hooks)
          beforePublish(
            registry,
            () =>
              Effect.flatMap(
                Effect.andThen(Effect.yieldNow, Registry.size(registry)),
                (size) => size > 2 ? Effect.fail("full") : Effect.void
              )
          )
          const look = Effect.flatMap(
            Registry.size(registry),
            (size) => size > 2 ? Effect.die(new Error(`${size} are visible`)) : Effect.void
          )
          const exits = yield* Effect.all(
            [
              ...[a, b, c].map((item) => Registry.register(registry, item)),
              Registry.registerAll(registry, [d, new Item(5)]),
              Effect.andThen(look, look)
            ].map((effect) => Effect.exit<unknown, unknown, never>(effect)),
            { concurrency: "unbounded" }
          )
          const items = [...Registry.snapshotUnsafe(registry)]
          assert.strictEqual(items.length, 2)
          const refused = exits.flatMap((exit) => Exit.isFailure(exit) ? [defectOf(exit)] : [])
          assert.deepStrictEqual(refused, Array.from({ length: items.includes(d) ? 3 : 2 }, () => "full"))
          if (hooked) witness.agreesWith(items)
        })),
        { seeds: 200 }
      ))
  }

  it.effect("transactAll: each of its registries may refuse all of it", () =>
    Effect.gen(function*() {
      const one = yield* refusing(() => false)
      const two = yield* refusing((size) => size > 0)
      const both = [one.registry, two.registry] as const
      const exit = yield* Effect.exit(
        Registry.transactAll(both, Effect.forEach(both, (each) => Registry.register(each, a)))
      )
      assert.strictEqual(defectOf(exit), "refused")
      assert.deepStrictEqual(both.map((each) => [...Registry.snapshotUnsafe(each)]), [[], []])
    }))
})
