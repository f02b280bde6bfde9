import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Hash, Option } from "effect"
import { Lookup, Registry } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"

interface Tool {
  readonly id: number
  readonly names: ReadonlyArray<string>
  readonly kind?: string
  readonly tags?: ReadonlyArray<string>
}

const tool = (id: number, ...names: Array<string>): Tool => ({ id, names, kind: "tool" })

/** All of these items are equal, and no two share a unique value. */
class Versioned implements Tool, Equal.Equal {
  readonly id: number
  readonly names: ReadonlyArray<string> = []
  readonly kind = "versioned"
  constructor(id: number) {
    this.id = id
  }
  [Equal.symbol](that: unknown) {
    return that instanceof Versioned
  }
  [Hash.symbol]() {
    return 1
  }
}

const one = tool(1, "one", "uno")
const two = tool(2, "two")
const three = tool(3, "three")

const definition: RegistryTest.ModelDefinition<Tool> = {
  lookup: {
    id: { kind: "unique", select: (item) => item.id },
    name: { kind: "uniqueEach", select: (item) => item.names },
    kind: { kind: "group", select: (item) => item.kind },
    tag: { kind: "groupEach", select: (item) => item.tags, optional: true }
  }
}

const model = RegistryTest.model(definition)

/** The results of operations, one after the other. */
const run = <State, Op>(
  of: RegistryTest.Specification<State, Op>,
  operations: ReadonlyArray<NoInfer<Op>>
): ReadonlyArray<RegistryTest.OperationResult> => {
  let state = of.initial
  return operations.map((operation) => {
    const [result, next] = of.step(state, operation)
    state = next
    return result
  })
}

const last = <Item>(of: RegistryTest.Model<Item>, operations: ReadonlyArray<RegistryTest.Operation<NoInfer<Item>>>) =>
  run(of, operations).at(-1)

const ok = (value?: unknown) => ({ ok: value })
const failed = (error: string, code: string) => ({ error, code })
const taken = failed("AlreadyRegisteredError", "attribute_registered")

describe("RegistryTest.model", () => {
  it("G1 the first use populates, once", () =>
    assert.deepStrictEqual(
      run(RegistryTest.model({ ...definition, defaults: [one] }), [["state"], ["size"], ["state"], ["populate"], [
        "values"
      ]]),
      [ok("Pending"), ok(1), ok("Ready"), ok(), ok([one])]
    ))

  it("G2 a failing population leaves nothing behind", () => {
    const failing = RegistryTest.model({ ...definition, defaults: [two, one, tool(1, "other")] })
    const error = failed("PopulationError", "registration")
    assert.deepStrictEqual(
      run(failing, [["values"], ["state"], ["register", three], ["transact", [], "commit"], ["reset"]]),
      [error, ok("Pending"), error, error, ok()]
    )
  })

  it("G6, G17 a reset leaves nothing, and the next use populates again", () =>
    assert.deepStrictEqual(
      run(RegistryTest.model({ ...definition, defaults: [one] }), [["register", two], ["reset"], ["state"], [
        "values"
      ]]),
      [ok(), ok(), ok("Pending"), ok([one])]
    ))

  it("G7 registerAll is all or nothing", () =>
    assert.deepStrictEqual(
      run(model, [["registerAll", [one, two, tool(1, "other")]], ["values"], ["registerAll", [one, two]], ["values"]]),
      [taken, ok([]), ok(), ok([one, two])]
    ))

  it("G7 a failed transaction leaves no trace, also in the one around it", () =>
    assert.deepStrictEqual(
      run(model, [
        ["register", one],
        ["transact", [
          ["register", two],
          ["transact", [["reset"], ["register", three], ["values"]], "die"],
          ["values"]
        ], "commit"],
        ["transact", [["reset"], ["state"]], "fail"],
        ["values"]
      ]),
      [
        ok(),
        ok([ok(), { aborted: [ok(), ok(), ok([three])] }, ok([one, two])]),
        { aborted: [ok(), ok("Pending")] },
        ok([one, two])
      ]
    ))

  it("G8 an item is found by each of its keys, and by none when it is gone", () => {
    const questions: ReadonlyArray<RegistryTest.Operation<Tool>> = [
      ["has", "id", 1],
      ["has", "name", "one"],
      ["has", "name", "uno"],
      ["has", "kind", "tool"],
      ["contains", one]
    ]
    assert.deepStrictEqual(run(model, [["register", one], ...questions]).slice(1), questions.map(() => ok(true)))
    assert.deepStrictEqual(
      run(model, [["register", one], ["unregisterBy", "name", "uno"], ...questions]).slice(2),
      questions.map(() => ok(false))
    )
  })

  it("G9 keys are taken when an item is registered, for good", () => {
    const item = { id: 1 }
    const mutable = RegistryTest.model<{ id: number }>({ lookup: { id: { kind: "unique", select: ({ id }) => id } } })
    const [, state] = mutable.register(mutable.initial, item)
    item.id = 2
    assert.deepStrictEqual([mutable.has(state, "id", 1)[0], mutable.has(state, "id", 2)[0]], [ok(true), ok(false)])
  })

  it("G11 null, \"\", 0 and NaN are values like any other, undefined is none, and items are equal by value", () => {
    const values = RegistryTest.model<{ readonly v: unknown }>({
      lookup: { v: { kind: "unique", select: ({ v }) => v } }
    })
    for (const v of [null, "", 0, NaN, [1]]) {
      assert.deepStrictEqual(run(values, [["register", { v }], ["register", { v }], ["get", "v", v]]), [
        ok(),
        failed("AlreadyRegisteredError", "already_registered"),
        ok({ v })
      ])
    }
    assert.deepStrictEqual(
      last(values, [["register", { v: undefined }]]),
      failed("RegistrationError", "missing_attribute")
    )
  })

  it("G12 registration order, which a replacement keeps", () =>
    assert.deepStrictEqual(
      run(model, [
        ["registerAll", [one, two, three]],
        ["replace", "name", "two", tool(4, "four")],
        ["values"],
        ["upsert", tool(1, "first")],
        ["upsert", tool(9, "nine")],
        ["getAll", "kind", "tool"],
        ["at", 1],
        ["at", -1],
        ["at", -5],
        ["at", 0.5]
      ]),
      [
        ok(),
        ok(),
        ok([one, tool(4, "four"), three]),
        ok(),
        ok(),
        ok([tool(1, "first"), tool(4, "four"), three, tool(9, "nine")]),
        ok(Option.some(tool(4, "four"))),
        ok(Option.some(tool(9, "nine"))),
        ok(Option.none()),
        ok(Option.none())
      ]
    ))

  it("G18 checks: an equal item first; then lookup by lookup, missing, then taken; then hooks", () => {
    const strict = RegistryTest.model({ ...definition, rejects: (item) => item.names.includes("no") })
    const check = (item: Tool) => last(strict, [["register", one], ["register", item]])
    assert.deepStrictEqual(check(tool(1, "one", "uno")), failed("AlreadyRegisteredError", "already_registered"))
    assert.deepStrictEqual(check({ id: 1, names: [] }), taken)
    assert.deepStrictEqual(check({ id: 2, names: [] }), failed("RegistrationError", "missing_attribute"))
    assert.deepStrictEqual(check(tool(2, "no", "uno")), taken)
    assert.deepStrictEqual(check(tool(2, "no")), failed("RegistrationError", "rejected"))
    assert.deepStrictEqual(check(tool(2, "due", "due")), ok())
  })

  it("replace and upsert conflict with other items than the replaced one", () => {
    const start: RegistryTest.Operation<Tool> = ["registerAll", [one, two]]
    const error = (operation: RegistryTest.Operation<Tool>) => last(model, [start, operation])
    assert.deepStrictEqual(error(["replace", "id", 1, tool(1, "uno")]), ok())
    assert.deepStrictEqual(error(["replace", "id", 1, one]), ok())
    assert.deepStrictEqual(error(["replace", "id", 1, tool(5, "two")]), taken)
    assert.deepStrictEqual(error(["replace", "id", 1, two]), failed("AlreadyRegisteredError", "already_registered"))
    assert.deepStrictEqual(error(["replace", "id", 5, three]), failed("ItemLookupError", "not_registered"))
    assert.deepStrictEqual(error(["upsert", tool(1, "two")]), taken)
    assert.deepStrictEqual(error(["upsert", tool(3, "two")]), taken)
  })

  it("lookup errors", () => {
    const died = { defect: "ItemLookupError", code: "invalid_attribute" }
    assert.deepStrictEqual(
      run(model, [["get", "id", 1], ["get", "kind", "tool"], ["getOption", "kind", "tool"], ["getAll", "none", 1]]),
      [failed("ItemLookupError", "not_registered"), failed("ItemLookupError", "invalid_attribute"), died, died]
    )
    assert.deepStrictEqual(
      run(model, [["unregister", one], ["unregisterBy", "id", 1], ["unregisterBy", "tag", 1], ["has", "none", 1]]),
      [
        failed("ItemLookupError", "unregister"),
        failed("ItemLookupError", "not_registered"),
        failed("ItemLookupError", "invalid_attribute"),
        died
      ]
    )
  })

  it("an item may lack an optional attribute, and is found by it otherwise", () => {
    const tagged = { ...two, tags: ["x", "y"] }
    assert.deepStrictEqual(
      run(model, [["registerAll", [one, tagged]], ["getAll", "tag", "y"], ["getAll", "tag", undefined]]),
      [ok(), ok([tagged]), ok([])]
    )
  })

  it("G25 G27 a closing scope removes what was registered in it, whatever items that has now, and never populates", () =>
    assert.deepStrictEqual(
      run(model, [
        ["close", "empty"],
        ["state"],
        ["registerScoped", one, "s"],
        ["registerAllScoped", [two, three], "t"],
        ["unregister", one],
        ["register", one],
        ["replace", "id", 2, tool(4, "four")],
        ["close", "s"],
        ["close", "t"],
        ["values"],
        ["registerScoped", two, "t"],
        ["values"]
      ]).filter((result) => "ok" in result && result.ok !== undefined),
      [ok("Pending"), ok([one]), ok([one])]
    ))

  it("G25 items that a closing scope removes stay removed, though the transaction fails", () =>
    assert.deepStrictEqual(
      run(model, [["registerScoped", one, "s"], ["transact", [["close", "s"], ["register", one]], "fail"], ["values"]]),
      [ok(), { aborted: [ok(), ok()] }, ok([])]
    ))

  it("an override hides items with which it shares a unique value, until its scope closes", () =>
    assert.deepStrictEqual(
      run(model, [
        ["reconcile", [one]],
        ["as", "web", ["override", tool(1, "other"), "s"]],
        ["values"],
        ["register", one],
        ["explain", "id", 1],
        ["close", "s"],
        ["values"],
        ["unregisterOwner", "web"]
      ]).slice(2),
      [
        ok([tool(1, "other")]),
        { error: "AlreadyRegisteredError", code: "already_registered" },
        ok({ _tag: "Present", item: tool(1, "other"), owner: "web", updatedBy: undefined, hides: [one] }),
        ok(),
        ok([one]),
        ok([])
      ]
    ))

  it("an item without unique values is hidden by an equal override", () => {
    const [nameless, other] = [tool(1), tool(2)]
    const named = { ...tool(1), names: ["one"] }
    const loose = RegistryTest.model<Tool>({
      lookup: { name: definition.lookup["name"]!, kind: definition.lookup["kind"]! }
    })
    assert.deepStrictEqual(
      run(loose, [
        ["registerAll", [nameless, other, named]],
        ["override", tool(1), "s"],
        ["override", { ...named }, "s"],
        ["values"],
        ["override", tool(3, "one"), "t"],
        ["values"],
        ["close", "s"],
        ["values"],
        ["close", "t"],
        ["values"]
      ]).filter((result) => "ok" in result && result.ok !== undefined),
      [
        ok([other, tool(1), named]),
        ok([other, tool(1), tool(3, "one")]),
        ok([nameless, other, tool(3, "one")]),
        ok([nameless, other, named])
      ]
    )
  })

  it("reconcile asks hooks about new items, and not about kept ones", () => {
    const strict = RegistryTest.model({ ...definition, defaults: [one], rejects: ({ id }) => id === 2 })
    const rejected = failed("RegistrationError", "rejected")
    const keen = RegistryTest.model({
      ...definition,
      defaults: [one, two],
      rejects: ({ names }) => names.includes("no")
    })
    assert.deepStrictEqual(run(strict, [["reconcile", [one, two]], ["values"]]), [rejected, ok([one])])
    assert.deepStrictEqual(
      run(keen, [["reconcile", [tool(1, "no")]], ["reconcile", [one]], ["values"]]),
      [rejected, ok({ added: [], removed: [two], replaced: [], kept: [one], moved: [] }), ok([one])]
    )
  })

  it("G9 reconcile and upsert match an item by its present keys", () => {
    const item = { kind: "x", id: 1 }
    const mutable = RegistryTest.model<typeof item>({
      lookup: { kind: { kind: "group", select: ({ kind }) => kind }, id: { kind: "unique", select: ({ id }) => id } }
    })
    const [, state] = mutable.register(mutable.initial, item)
    item.id = 2
    assert.deepStrictEqual(
      mutable.reconcile(state, [item])[0],
      ok({ added: [item], removed: [item], replaced: [], kept: [], moved: [] })
    )
    const others = [{ kind: "x", id: 1 }, { kind: "y", id: 1 }, { kind: "z", id: 1 }]
    assert.deepStrictEqual(
      run(mutable, [["upsert", others[0]!], ["upsert", others[1]!], ["values"], ["reconcile", [others[2]!]]]),
      [
        ok(),
        ok(),
        ok([others[1]]),
        ok({ added: [], removed: [], replaced: [{ previous: others[1], item: others[2] }], kept: [], moved: [] })
      ]
    )
  })

  it.effect("an item that passes hidden items and a new one in a reconcile is seen to move, as in a registry", () =>
    Effect.scoped(Effect.gen(function*() {
      const program: ReadonlyArray<RegistryTest.Operation<Tool>> = [
        ["registerAll", [tool(1), tool(2), tool(3)]],
        ["override", tool(2, "over"), "s"],
        ["override", tool(3, "above"), "s"],
        ["reconcile", [tool(2), tool(3), tool(4), tool(1)]]
      ]
      const registry = yield* Registry.make<Tool>()({ lookup: ["id"] })
      const recorder = RegistryTest.record(registry)
      const results = yield* Effect.forEach(program, (operation) => recorder.run("real", operation))
      assert.deepStrictEqual(run(model, program), results)
      assert.deepStrictEqual(
        results.at(-1),
        ok({ added: [tool(4)], removed: [], replaced: [], kept: [tool(2), tool(3), tool(1)], moved: [tool(1)] })
      )
    })))

  it("reconcile makes the fewest changes, and none if it fails", () =>
    assert.deepStrictEqual(
      run(model, [
        ["reconcile", [one, two]],
        ["reconcile", [three, tool(1, "new"), two]],
        ["reconcile", [two, tool(5, "five"), tool(5, "six")]],
        ["values"]
      ]).slice(1),
      [
        ok({
          added: [three],
          removed: [],
          replaced: [{ previous: one, item: tool(1, "new") }],
          kept: [two],
          moved: []
        }),
        { error: "AlreadyRegisteredError", code: "attribute_registered" },
        ok([three, tool(1, "new"), two])
      ]
    ))

  it("G22 awaitItem waits until the item is there, and dies in a transaction", () =>
    assert.deepStrictEqual(
      run(RegistryTest.model({ ...definition, defaults: [one] }), [
        ["awaitItem", "id", 1],
        ["awaitItem", "name", "two"],
        ["transact", [["awaitItem", "id", 2], ["register", two], ["awaitItem", "id", 2]], "commit"],
        ["awaitItem", "name", "two"],
        ["awaitItem", "kind", "tool"]
      ]),
      [
        ok(one),
        { waits: true },
        ok([{ defect: "DeadlockError", code: "deadlock" }, ok(), ok(two)]),
        ok(two),
        { defect: "ItemLookupError", code: "invalid_attribute" }
      ]
    ))

  it("G28 a hook that keeps what it is told of has what is in, also in a transaction", () =>
    assert.deepStrictEqual(
      run(RegistryTest.model({ ...definition, defaults: [one] }), [
        ["kept"],
        ["transact", [["register", two], ["unregister", one], ["kept"]], "fail"],
        ["kept"],
        ["reset"],
        ["transact", [["override", tool(1, "over"), "s"], ["kept"], ["close", "s"], ["kept"]], "commit"]
      ]),
      [
        ok([one]),
        { aborted: [ok(), ok(), ok([two])] },
        ok([one]),
        ok(),
        ok([ok(), ok([tool(1, "over")]), ok(), ok([one])])
      ]
    ))

  it("G31 what cannot be acquired does not go in, unless disabled, and is not enabled: all or nothing", () => {
    const poor = RegistryTest.model({ ...definition, defaults: [one], unacquirable: ({ id }) => id > 1 })
    const unacquired = failed("RegistrationError", "acquire")
    assert.deepStrictEqual(
      run(poor, [
        ["register", two],
        ["registerAll", [tool(0), two]],
        ["reconcile", [one, two]],
        ["replace", "id", 1, two],
        ["override", two, "o"],
        ["disable", "id", 2],
        ["registerAll", [tool(0), two]],
        ["enable", "id", 2],
        ["get", "id", 2],
        ["values"],
        ["replace", "id", 2, tool(1, "due")],
        ["unregisterBy", "id", 2],
        ["enable", "id", 2]
      ]),
      [
        unacquired,
        unacquired,
        unacquired,
        unacquired,
        unacquired,
        ok(),
        ok(),
        unacquired,
        failed("ItemLookupError", "disabled"),
        ok([one, tool(0)]),
        taken,
        ok(),
        ok()
      ]
    )
  })

  it("G31 a rule that a closing scope cannot end stays; what a reset brings back is left out", () => {
    const poor = RegistryTest.model({ ...definition, unacquirable: ({ id }) => id > 1 })
    assert.deepStrictEqual(
      run(poor, [
        ["disableScoped", "kind", "tool", "rule"],
        ["registerScoped", two, "s"],
        ["close", "rule"],
        ["get", "id", 2],
        ["reset"],
        ["get", "id", 2],
        ["enable", "kind", "tool"],
        ["reset"],
        ["enable", "kind", "tool"],
        ["get", "id", 2]
      ]),
      [
        ok(),
        ok(),
        ok(),
        failed("ItemLookupError", "disabled"),
        ok(),
        failed("ItemLookupError", "disabled"),
        failed("RegistrationError", "acquire"),
        ok(),
        ok(),
        failed("ItemLookupError", "not_registered")
      ]
    )
  })

  it("G31 a lease answers as get does", () =>
    assert.deepStrictEqual(
      run(RegistryTest.model({ ...definition, defaults: [one] }), [
        ["lease", "id", 1, "s"],
        ["unregister", one],
        ["lease", "id", 1, "s"],
        ["lease", "kind", "tool", "s"],
        ["close", "s"]
      ]),
      [
        ok(one),
        ok(),
        failed("ItemLookupError", "not_registered"),
        failed("ItemLookupError", "invalid_attribute"),
        ok()
      ]
    ))

  it("G22 G24 a subscriber sees the contents, and then each change once: one for a transaction, none if nothing changes", () =>
    assert.deepStrictEqual(
      run(RegistryTest.model({ ...definition, defaults: [one] }), [
        ["nextChange", "s"],
        ["subscribe", "s"],
        ["nextChange", "s"],
        ["transact", [["register", two], ["unregister", one], ["subscribe", "inside"]], "commit"],
        ["transact", [["register", one]], "fail"],
        ["transact", [["size"]], "commit"],
        ["registerAll", []],
        ["reconcile", [two]],
        ["unregisterOwner", "nobody"],
        ["registerAllScoped", [one, three], "scope"],
        ["subscribe", "late"],
        ["close", "scope"],
        ["reset"],
        ["reset"],
        ["populate"],
        ...Array.from({ length: 6 }, (): RegistryTest.Operation<Tool> => ["nextChange", "s"]),
        ["nextChange", "late"],
        ["nextChange", "inside"]
      ]).filter((result) => "waits" in result || "ok" in result && Array.isArray(result.ok)),
      [
        { waits: true },
        ok([one]),
        { waits: true },
        ok([ok(), ok(), ok([one])]),
        ok([ok(1)]),
        ok([]),
        ok([two, one, three]),
        ok([two]),
        ok([two, one, three]),
        ok([two]),
        ok([]),
        ok([one]),
        { waits: true },
        ok([two]),
        ok([two])
      ]
    ))

  it("G24 items registered in a closed scope come and go at once, and the items of a closing scope leave one by one", () =>
    assert.deepStrictEqual(
      run(model, [
        ["subscribe", "s"],
        ["registerScoped", one, "scope"],
        ["registerScoped", two, "scope"],
        ["close", "scope"],
        ["registerScoped", three, "scope"],
        ...Array.from({ length: 7 }, (): RegistryTest.Operation<Tool> => ["nextChange", "s"])
      ]).slice(5),
      [ok([one]), ok([one, two]), ok([one]), ok([]), ok([three]), ok([]), { waits: true }]
    ))

  for (
    const [title, operations, results] of [
      [
        "reconcile of items that exchange their values reports a taken value before a missing one",
        [["registerAll", [one, two]], ["reconcile", [{ id: 1, names: ["two"] }, tool(2, "two", "zwei")]]],
        [ok(), taken]
      ],
      [
        "reconcile reaches a hidden item, and refuses an item that lacks an attribute in its place",
        [
          ["register", one],
          ["override", tool(2, "one"), "s"],
          ["reconcile", [tool(1, "one", "eins"), tool(3, "one")]],
          ["reconcile", [tool(1, "one", "eins")]],
          ["reconcile", [{ id: 1, names: ["one"] }]],
          ["values"],
          ["close", "s"],
          ["values"]
        ],
        [
          ok(),
          ok(),
          failed("AlreadyRegisteredError", "attribute_registered"),
          ok({
            added: [],
            removed: [],
            replaced: [{ previous: one, item: tool(1, "one", "eins") }],
            kept: [],
            moved: []
          }),
          failed("RegistrationError", "missing_attribute"),
          ok([tool(2, "one")]),
          ok(),
          ok([tool(1, "one", "eins")])
        ]
      ],
      [
        "an override hides an equal item, where items define Equal",
        [
          ["register", new Versioned(1)],
          ["override", new Versioned(2), "s"],
          ["values"],
          ["register", new Versioned(3)],
          ["close", "s"],
          ["values"]
        ],
        [
          ok(),
          ok(),
          ok([new Versioned(2)]),
          failed("AlreadyRegisteredError", "already_registered"),
          ok(),
          ok([new Versioned(1)])
        ]
      ],
      [
        "explain names the newest override of an item, which an update does not make newer, and the newest hidden item",
        [
          ["register", tool(1, "x", "y")],
          ["override", tool(2, "x"), "s"],
          ["register", three],
          ["explain", "id", 1],
          ["override", tool(4, "y"), "s"],
          ["explain", "id", 1],
          ["replace", "id", 2, tool(2, "x", "z")],
          ["explain", "id", 1],
          ["override", tool(1, "v"), "s"],
          ["override", tool(5, "v"), "s"],
          ["explain", "id", 1]
        ],
        [
          ok(),
          ok(),
          ok(),
          ok({ _tag: "Hidden", item: tool(1, "x", "y"), by: tool(2, "x") }),
          ok(),
          ok({ _tag: "Hidden", item: tool(1, "x", "y"), by: tool(4, "y") }),
          ok(),
          ok({ _tag: "Hidden", item: tool(1, "x", "y"), by: tool(4, "y") }),
          ok(),
          ok(),
          ok({ _tag: "Hidden", item: tool(1, "v"), by: tool(5, "v") })
        ]
      ],
      [
        "G22 a subscription in a transaction shows the published contents, also after a reset there, and each name is subscribed once",
        [
          ["register", one],
          ["transact", [["reset"], ["subscribe", "s"], ["state"]], "fail"],
          ["register", two],
          ["subscribe", "s"],
          ["register", three],
          ["nextChange", "s"]
        ],
        [ok(), { aborted: [ok(), ok([one]), ok("Pending")] }, ok(), ok([one, two]), ok(), ok([one, two, three])]
      ]
    ] satisfies ReadonlyArray<
      readonly [
        title: string,
        operations: ReadonlyArray<RegistryTest.Operation<Tool>>,
        results: ReadonlyArray<RegistryTest.OperationResult>
      ]
    >
  ) {
    it.effect(`${title}: model and registry agree`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(run(model, operations), results)
        const recorder = RegistryTest.record(
          yield* Registry.make<Tool>()({
            lookup: {
              id: Lookup.unique(({ id }) => id),
              name: Lookup.uniqueEach(({ names }) => names),
              kind: Lookup.group(({ kind }) => kind),
              tag: Lookup.optional(Lookup.groupEach(({ tags }) => tags!))
            }
          })
        )
        const answers = yield* Effect.forEach(operations, (operation) => recorder.run("test", operation))
        assert.deepStrictEqual(answers, results)
      }))
  }

  it("does not mutate states", () => {
    const [, before] = model.registerAll(model.initial, [one, two])
    const copy = structuredClone(before)
    model.reset(before)
    model.replace(before, "id", 1, three)
    model.transact(before, [["unregister", one]], "commit")
    assert.deepStrictEqual(before, copy)
  })
})

describe("RegistryTest.modelAll", () => {
  const joint = RegistryTest.modelAll({
    one: { ...definition, defaults: [one] },
    two: definition
  })

  it("G7 a transactAll is one step with a part in each registry", () =>
    assert.deepStrictEqual(
      run(joint, [
        ["on", "two", ["state"]],
        ["transactAll", [["one", ["unregister", one]], ["two", ["register", one]], ["one", ["size"]]], "commit"],
        ["on", "one", ["values"]],
        ["on", "two", ["values"]],
        ["transactAll", [["two", ["register", one]], ["one", ["register", two]]], "die"],
        ["on", "one", ["values"]]
      ]),
      [
        ok("Pending"),
        ok([ok(), ok(), ok(0)]),
        ok([]),
        ok([one]),
        { aborted: [failed("AlreadyRegisteredError", "already_registered"), ok()] },
        ok([])
      ]
    ))

  it("G2 if one registry cannot be populated nothing is changed, but those before it are populated", () => {
    const failing = RegistryTest.modelAll({
      one: definition,
      broken: { ...definition, defaults: [one, one] },
      two: definition
    })
    assert.deepStrictEqual(
      run(failing, [
        ["transactAll", [["one", ["register", one]]], "commit"],
        ["on", "one", ["state"]],
        ["on", "one", ["values"]],
        ["on", "two", ["state"]]
      ]),
      [failed("PopulationError", "registration"), ok("Ready"), ok([]), ok("Pending")]
    )
    for (
      const operation of [
        ["on", "three", ["state"]],
        ["transactAll", [["one", ["size"]], ["three", ["size"]]], "commit"]
      ] satisfies ReadonlyArray<RegistryTest.JointOperation<Tool>>
    ) {
      assert.throws(() => failing.step(failing.initial, operation), "There is no registry \"three\".")
    }
  })
})
