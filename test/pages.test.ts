/** The tables of pages that say what operations do: each cell is compared with what happens. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { Lookup, Registry, RegistrySnapshot } from "effect-registry"
import * as Fs from "node:fs"

/** The first table below a heading: the cells of each column, by the first cell of their rows. */
const tableOf = (page: string, heading: string): Record<string, Record<string, string>> => {
  const text = Fs.readFileSync(new URL(`../docs/${page}.md`, import.meta.url), "utf8")
  const section = text.split(`\n## ${heading}\n`)[1]!.split("\n## ")[0]!
  const [[, ...columns] = [], , ...rows] = Array.from(
    section.matchAll(/^\|(.*)\|$/gm),
    ([, row]) => row!.split("|").map((cell) => cell.trim())
  )
  return Object.fromEntries(
    columns.map((column, i) => [column, Object.fromEntries(rows.map(([first, ...cells]) => [first, cells[i]!]))])
  )
}

interface Tool {
  readonly name: string
  readonly version: number
  readonly kind: string
}

const tool = (name: string, version = 1, kind = "on"): Tool => ({ name, version, kind })

const lookup = { name: Lookup.unique((one: Tool) => one.name), kind: Lookup.group((one: Tool) => one.kind) }

const owned = Effect.provideService(Registry.Owner, "file")

/** A registry with something of every kind, whose source then changes. */
const make = Effect.gen(function*() {
  const source = { tools: [tool("changed"), tool("same"), tool("off", 1, "off"), tool("hidden")], isDown: false }
  const tools = yield* Registry.make<Tool>()({
    lookup,
    defaults: Effect.suspend(() => source.isDown ? Effect.fail("down") : Effect.succeed(source.tools))
  })
  const heard: Array<string> = []
  yield* Registry.register(tools, tool("owned")).pipe(owned)
  yield* Registry.registerScoped(tools, tool("plugin"))
  yield* Registry.register(tools, tool("other"))
  yield* Registry.override(tools, tool("hidden", 9))
  yield* Registry.disable(tools, "kind", "off", { reason: "off" })
  yield* Registry.addHooks(tools, {
    onItemRegistered: ({ name, version }) => Effect.sync(() => heard.push(`+${name} ${version}`)),
    onItemUnregistered: ({ name, version }) => Effect.sync(() => heard.push(`-${name} ${version}`))
  })
  source.tools = [tool("changed", 2), tool("same"), tool("off", 1, "off"), tool("hidden")]
  return { heard, source, tools }
})

type Tools = Effect.Success<typeof make>["tools"]

const all = ["changed", "same", "off", "owned", "plugin", "other", "hidden"]

/** What is published of an item. It does not populate. */
const versionOf = (tools: Tools, name: string): Effect.Effect<string> =>
  Effect.map(
    Registry.explain(tools, "name", name),
    (why) => why._tag === "Present" || why._tag === "Disabled" ? `${why._tag} ${why.item.version}` : "none"
  )

const versionsOf = (tools: Tools) =>
  Effect.map(
    Effect.forEach(all, (name) => versionOf(tools, name)),
    (versions) => new Map(all.map((name, i) => [name, versions[i]!]))
  )

const fate = (before: string, now: string, then: string): string => {
  if (before === now) return "kept"
  if (now !== "none") return "updated"
  return then === "none" ? "withdrawn" : "withdrawn, then back"
}

/** A column of the table, from what a reload does. */
const ofReload = <E, E2>(
  reload: (tools: Tools, source: { readonly tools: ReadonlyArray<Tool> }) => Effect.Effect<unknown, E>,
  fail: (tools: Tools, source: { isDown: boolean }) => Effect.Effect<unknown, E2>
) =>
  Effect.scoped(Effect.gen(function*() {
    const { heard, source, tools } = yield* make
    const rules = yield* Registry.rules(tools)
    const before = yield* versionsOf(tools)
    yield* reload(tools, source)
    const now = yield* versionsOf(tools)
    yield* Registry.populate(tools)
    const then = yield* versionsOf(tools)
    const ofItem = (name: string) => fate(before.get(name)!, now.get(name)!, then.get(name)!)
    const told = heard.splice(0)
    const unchanged = ["same", "hidden"].filter((name) => told.some((call) => call.slice(1).startsWith(name)))
    const sameRules = (yield* Registry.rules(tools)).length === rules.length
    // hooks that are still installed hear of the next item
    yield* Registry.register(tools, tool("next"))
    const isHeard = heard.splice(0).includes("+next 1")
    const atLast = yield* versionsOf(tools)
    const failed = yield* Effect.exit(fail(tools, source))
    assert.isTrue(Exit.isFailure(failed))
    const afterFailure = yield* versionsOf(tools)
    const same = all.every((name) => atLast.get(name) === afterFailure.get(name))
    const isEmpty = RegistrySnapshot.size(Registry.snapshotUnsafe(tools)) === 0
    return {
      "a default that changed": ofItem("changed"),
      "a default that is the same": ofItem("same"),
      "a default that a rule disables": ofItem("off"),
      "an item that the owner registered": ofItem("owned"),
      "a plugin's item, in an open scope": ofItem("plugin"),
      "any other item": ofItem("other"),
      "an override, in an open scope": ofItem("hidden"),
      "rules (`disable`)": sameRules ? "kept" : "gone",
      "installed hooks": isHeard ? "kept" : "gone",
      "hooks are called for": unchanged.length === 0 ? "differences" : "every item",
      "if it fails": same && !isEmpty ? "nothing changes" : isEmpty ? "empty" : "half done"
    }
  }))

describe("docs/reload.md", () => {
  const table = tableOf("reload", "Which one")
  const twice = [tool("same"), tool("same", 2)]

  const columns = {
    "`reconcile(list)`": ofReload(
      (tools, source) => Registry.reconcile(tools, source.tools),
      (tools) => Registry.reconcile(tools, twice)
    ),
    "`reconcile(list, { owner })`": ofReload(
      (tools) => Registry.reconcile(tools, [tool("owned", 2)], { owner: "file" }),
      (tools) => Registry.reconcile(tools, twice, { owner: "file" })
    ),
    "`refresh`": ofReload(
      (tools) => Registry.refresh(tools),
      (tools, source) => {
        source.isDown = true
        return Registry.refresh(tools)
      }
    ),
    "`reset`": ofReload(
      (tools) => Registry.reset(tools),
      (tools, source) => {
        source.isDown = true
        return Effect.andThen(Registry.reset(tools), Registry.size(tools))
      }
    )
  }

  it("has a column for each reload", () => assert.deepStrictEqual(Object.keys(table), Object.keys(columns)))

  it.effect.each(Object.entries(columns))(
    "says what %s does to items, overrides, rules and hooks",
    ([name, column]) => Effect.map(column, (happens) => assert.deepStrictEqual(table[name], happens))
  )

  it.effect("hooks hear of the differences alone", () =>
    Effect.scoped(Effect.gen(function*() {
      const { heard, tools } = yield* make
      yield* Registry.refresh(tools)
      assert.deepStrictEqual(heard, ["-changed 1", "+changed 2"])
    })))
})

const fateOf = (tools: Tools, name: string) =>
  Effect.map(
    Registry.explain(tools, "name", name),
    (why) => why._tag === "Present" ? "found" : why._tag === "Disabled" ? "disabled" : "withdrawn"
  )

/** A column of the table, from what ends a plugin. */
const ofPlugin = <E>(end: (tools: Tools, scope: Scope.Closeable) => Effect.Effect<unknown, E>) =>
  Effect.scoped(Effect.gen(function*() {
    const { tools } = yield* make
    const scope = yield* Scope.fork(yield* Effect.scope)
    let resource = "kept"
    yield* Scope.addFinalizer(scope, Effect.sync(() => resource = "released"))
    const register = (name: string) =>
      Registry.registerScoped(tools, tool(name, 1, "text")).pipe(
        Effect.provideService(Registry.Owner, "text"),
        Scope.provide(scope)
      )
    yield* register("upper")
    yield* end(tools, scope)
    const now = { commands: yield* fateOf(tools, "upper"), resource }
    const other = yield* Effect.exit(Effect.scoped(Registry.registerScoped(tools, tool("upper", 2))))
    yield* register("later")
    const later = yield* fateOf(tools, "later")
    yield* Registry.reset(tools)
    yield* Registry.populate(tools)
    return {
      "its commands": now.commands,
      "their names": Exit.isSuccess(other) ? "free" : "taken",
      "other resources in the scope": now.resource,
      "commands that it registers later": later,
      "its commands after a reset": yield* fateOf(tools, "upper")
    }
  }))

describe("docs/plugins.md", () => {
  const table = tableOf("plugins", "Switch off and on")

  const columns = {
    "close its scope": ofPlugin((_, scope) => Scope.close(scope, Exit.void)),
    "`unregisterOwner(id)`": ofPlugin((tools) => Registry.unregisterOwner(tools, "text")),
    "`disable(\"plugin\", id)`": ofPlugin((tools) => Registry.disable(tools, "kind", "text", { reason: "safe mode" }))
  }

  it("has a column for each", () => assert.deepStrictEqual(Object.keys(table), Object.keys(columns)))

  it.effect.each(Object.entries(columns))(
    "says what becomes of a plugin: %s",
    ([name, column]) => Effect.map(column, (happens) => assert.deepStrictEqual(table[name], happens))
  )
})
