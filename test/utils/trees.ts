/**
 * Random nested transactions, which fail at random places.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Registry, RegistryError, RegistryHooks } from "effect-registry"
import * as fc from "fast-check"
import { Balance } from "./items.ts"

/** A program whose outcome does not depend on the order of concurrent fibers: it touches each item once. */
type Tree =
  /** Registers an item of its own. Its hooks run trees, and may then refuse it or die. */
  | {
    readonly _tag: "Register"
    readonly id: number
    readonly before: ReadonlyArray<Tree>
    readonly after: ReadonlyArray<Tree>
    readonly ending: "commit" | "veto" | "die"
  }
  /** Unregisters a default of its own. */
  | { readonly _tag: "Unregister"; readonly id: number }
  | { readonly _tag: "Transact"; readonly parts: ReadonlyArray<Tree>; readonly ending: "commit" | "fail" | "die" }
  /** Runs trees in concurrent children. */
  | { readonly _tag: "Children"; readonly parts: ReadonlyArray<Tree> }

export const tree: fc.Arbitrary<Tree> = fc.letrec<{ readonly tree: Tree; readonly trees: Array<Tree> }>((tie) => ({
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

/** Gives each registration and unregistration its own item: defaults from 0 on, others from 100 on. */
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

export interface Numbered {
  readonly id: number
}

/** The model of nested rollback: the items after a tree. */
const outcome = (items: ReadonlySet<number>, one: Tree): ReadonlySet<number> => {
  const all = (from: ReadonlySet<number>, parts: ReadonlyArray<Tree>) => parts.reduce(outcome, from)
  switch (one._tag) {
    case "Register":
      // the effects of its hook are rolled back with it
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

/** Runs a tree on a registry, and dies if the contents or the calls of hooks are wrong. */
export const check = (root: Tree) =>
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

    /** Ignores failures. */
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
