/**
 * The assertions of Djblets' own tests of its registries, test by test, on ours. Threads are fibers; where one has to wait
 * for another, a `Deferred` holds a hook open, and the test sees the other fiber wait.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Data, Deferred, Effect, Exit, Fiber, Layer, Logger, Option, Scope } from "effect"
import { Lookup, Registry, RegistryError, RegistryHooks, RegistrySnapshot } from "effect-registry"

/** Items are equal if their fields are. */
class Item {
  readonly id: number
  readonly name: string
  constructor(id: number, name = `item ${id}`) {
    this.id = id
    this.name = name
  }
}

/** Hooks that log their calls. */
const recorder = <A>(label: (item: A) => unknown) => {
  const log: Array<string> = []
  const write = (hook: string) => Effect.sync(() => log.push(hook))
  const hooks = RegistryHooks.make<A>()({
    onItemRegistering: (item) => write(`registering ${label(item)}`),
    onItemRegistered: (item) => write(`registered ${label(item)}`),
    onItemUnregistering: (item) => write(`unregistering ${label(item)}`),
    onItemUnregistered: (item) => write(`unregistered ${label(item)}`),
    onPopulating: write("populating"),
    onPopulated: write("populated"),
    onResetting: write("resetting"),
    onReset: write("reset")
  })
  return { log, hooks }
}

/** A hook that holds the first fiber that calls it, until it is opened. */
const makeGate = Effect.gen(function*() {
  const entered = yield* Deferred.make<void>()
  const opened = yield* Deferred.make<void>()
  return {
    pass: Effect.andThen(Deferred.succeed(entered, undefined), Deferred.await(opened)),
    entered: Deferred.await(entered),
    open: Deferred.succeed(opened, undefined)
  }
})

const start = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

const assertWaits = (fiber: Fiber.Fiber<unknown, unknown>) =>
  Effect.gen(function*() {
    for (let i = 0; i < 20; i++) yield* Effect.yieldNow
    assert.isUndefined(fiber.pollUnsafe())
  })

// ---------------------------------------------------------------------------------------------------------------------
// djblets/registries/tests.py
// ---------------------------------------------------------------------------------------------------------------------

describe("RegistryTests", () => {
  it.effect("test_empty_by_default: without defaults it has length 0 and iterates to nothing", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      assert.strictEqual(yield* Registry.size(registry), 0)
      assert.deepStrictEqual([...(yield* Registry.snapshot(registry))], [])
    }))

  it.effect("test_get_invalid_attribute: get by an unknown lookup is a compile error, and an ItemLookupError", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      // @ts-expect-error there is no lookup "foo"
      const error = yield* Effect.flip(Registry.get(registry, "foo", "bar"))
      assert.instanceOf(error, RegistryError.ItemLookupError)
      assert.strictEqual(error.code, "invalid_attribute")
    }))

  it.effect("test_register_item: 1, 2, 3 are registered, and hooks were called once for each", () =>
    Effect.gen(function*() {
      const { hooks, log } = recorder<number>(String)
      const registry = yield* Registry.make<number>()({ lookup: [], hooks })
      for (const item of [1, 2, 3]) yield* Registry.register(registry, item)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [1, 2, 3])
      assert.deepStrictEqual(log, [
        "populating",
        "populated",
        "registering 1",
        "registered 1",
        "registering 2",
        "registered 2",
        "registering 3",
        "registered 3"
      ])
    }))

  it.effect("test_register_item_with_thread_conflict: the second waits and fails, and no hook is called for it", () =>
    Effect.gen(function*() {
      const gate = yield* makeGate
      const a = new Item(1, "a")
      const b = new Item(1, "b")
      const { hooks, log } = recorder<Item>(({ name }) => name)
      const held = RegistryHooks.make<Item>()({ onItemRegistering: () => gate.pass })
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], hooks: RegistryHooks.combine(hooks, held) })

      const registersB = yield* start(Registry.register(registry, b))
      yield* gate.entered
      const registersA = yield* start(Registry.register(registry, a))
      yield* assertWaits(registersA)
      yield* gate.open
      yield* Fiber.join(registersB)
      const error = yield* Effect.flip(Fiber.join(registersA))

      assert.instanceOf(error, RegistryError.AlreadyRegisteredError)
      assert.strictEqual(yield* Registry.get(registry, "id", 1), b)
      assert.deepStrictEqual(log, ["populating", "populated", "registering b", "registered b"])
    }))

  it.effect("test_unregister_item: after 1, 2, 3 are unregistered the registry is empty, and hooks were called once for each", () =>
    Effect.gen(function*() {
      const { hooks, log } = recorder<number>(String)
      const registry = yield* Registry.make<number>()({ lookup: [] })
      yield* Registry.registerAll(registry, [1, 2, 3])
      yield* Registry.addHooks(registry, hooks)
      for (const item of [1, 2, 3]) yield* Registry.unregister(registry, item)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [])
      assert.deepStrictEqual(log, [
        "unregistering 1",
        "unregistered 1",
        "unregistering 2",
        "unregistered 2",
        "unregistering 3",
        "unregistered 3"
      ])
    }))

  it.effect("test_unregister_item_with_thread_conflict: the second waits and fails, and no hook is called for it", () =>
    Effect.gen(function*() {
      const gate = yield* makeGate
      const item = new Item(1)
      const { hooks, log } = recorder<Item>(({ id }) => id)
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [item] })
      yield* Registry.populate(registry)
      yield* Registry.addHooks(registry, hooks)
      yield* Registry.addHooks(registry, RegistryHooks.make<Item>()({ onItemUnregistering: () => gate.pass }))

      const first = yield* start(Registry.unregister(registry, item))
      yield* gate.entered
      const second = yield* start(Registry.unregister(registry, item))
      yield* assertWaits(second)
      yield* gate.open
      yield* Fiber.join(first)
      const error = yield* Effect.flip(Fiber.join(second))

      assert.instanceOf(error, RegistryError.ItemLookupError)
      assert.strictEqual(error.code, "unregister")
      assert.strictEqual(yield* Registry.size(registry), 0)
      assert.deepStrictEqual(log, ["unregistering 1", "unregistered 1"])
    }))

  it.effect("test_unregister_removes_attr_lookups: an unregistered item is not found by its id", () =>
    Effect.gen(function*() {
      const items = [new Item(1), new Item(2), new Item(3)]
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.registerAll(registry, items)
      for (const item of items) {
        assert.strictEqual(yield* Registry.get(registry, "id", item.id), item)
        yield* Registry.unregister(registry, item)
        const error = yield* Effect.flip(Registry.get(registry, "id", item.id))
        assert.instanceOf(error, RegistryError.ItemLookupError)
      }
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))

  it.effect("test_populate: the defaults, and nothing else, are found by identity, and hooks were called", () =>
    Effect.gen(function*() {
      const items = [new Item(0), new Item(1)]
      const { hooks, log } = recorder<Item>(({ id }) => id)
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: items, hooks })
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      yield* Registry.populate(registry)
      assert.strictEqual(yield* Registry.state(registry), "Ready")
      const snapshot = Registry.snapshotUnsafe(registry)
      assert.strictEqual(RegistrySnapshot.size(snapshot), 2)
      for (const item of items) {
        assert.strictEqual(Option.getOrThrow(RegistrySnapshot.get(snapshot, "id", item.id)), item)
      }
      assert.deepStrictEqual(log, [
        "populating",
        "registering 0",
        "registered 0",
        "registering 1",
        "registered 1",
        "populated"
      ])
    }))

  it.effect("test_populate_with_thread_conflict: the second waits, both see the defaults, and hooks were called once", () =>
    Effect.gen(function*() {
      const gate = yield* makeGate
      const { hooks, log } = recorder<Item>(({ id }) => id)
      const held = RegistryHooks.make<Item>()({ onPopulating: gate.pass })
      const registry = yield* Registry.make<Item>()({
        lookup: ["id"],
        defaults: [new Item(0), new Item(1)],
        hooks: RegistryHooks.combine(hooks, held)
      })
      const populating = Effect.andThen(
        Registry.populate(registry),
        Effect.sync(() => RegistrySnapshot.size(Registry.snapshotUnsafe(registry)))
      )
      const first = yield* start(populating)
      yield* gate.entered
      const second = yield* start(populating)
      yield* assertWaits(second)
      yield* gate.open
      assert.deepStrictEqual(yield* Fiber.joinAll([first, second]), [2, 2])
      assert.deepStrictEqual(log.filter((line) => line.startsWith("populat")), ["populating", "populated"])
    }))

  it.effect("test_population_on_register: population comes first, so a conflict with a default fails", () =>
    Effect.gen(function*() {
      const byDefault = new Item(1)
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [byDefault] })
      const error = yield* Effect.flip(Registry.register(registry, new Item(1, "another")))
      assert.instanceOf(error, RegistryError.AlreadyRegisteredError)
      assert.strictEqual(error.existing, byDefault)
      assert.strictEqual(yield* Registry.state(registry), "Ready")
      assert.strictEqual(yield* Registry.get(registry, "id", 1), byDefault)
    }))

  it.effect("test_population_on_unregister: population comes first, so a default can be unregistered", () =>
    Effect.gen(function*() {
      const { hooks, log } = recorder<Item>(({ id }) => id)
      const byDefault = new Item(1)
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [byDefault], hooks })
      yield* Registry.unregister(registry, byDefault)
      assert.strictEqual(yield* Registry.size(registry), 0)
      assert.deepStrictEqual(log, [
        "populating",
        "registering 1",
        "registered 1",
        "populated",
        "unregistering 1",
        "unregistered 1"
      ])
    }))

  it.effect("test_registering_duplicate: the same value twice is an AlreadyRegisteredError", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<number>()({ lookup: [] })
      yield* Registry.register(registry, 1)
      const error = yield* Effect.flip(Registry.register(registry, 1))
      assert.instanceOf(error, RegistryError.AlreadyRegisteredError)
      assert.strictEqual(error.code, "already_registered")
    }))

  it.effect("test_registering_duplicate_attributes: a used value of a lookup is an AlreadyRegisteredError", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.register(registry, new Item(1))
      const error = yield* Effect.flip(Registry.register(registry, new Item(1, "another")))
      assert.instanceOf(error, RegistryError.AlreadyRegisteredError)
      assert.deepInclude(error, { code: "attribute_registered", attribute: "id", value: 1 })
    }))

  it.effect("test_register_missing_attributes: an item without the attribute is a RegistrationError", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<{ readonly id?: number }>()({ lookup: ["id"] })
      const error = yield* Effect.flip(Registry.register(registry, {}))
      assert.instanceOf(error, RegistryError.RegistrationError)
      assert.deepInclude(error, { code: "missing_attribute", attribute: "id" })
    }))

  it.effect("test_reset: no lookup finds anything any more, and hooks were called", () =>
    Effect.gen(function*() {
      const { hooks, log } = recorder<Item>(({ id }) => id)
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [new Item(0), new Item(1)] })
      yield* Registry.populate(registry)
      yield* Registry.addHooks(registry, hooks)
      yield* Registry.reset(registry)
      const snapshot = Registry.snapshotUnsafe(registry)
      assert.strictEqual(RegistrySnapshot.size(snapshot), 0)
      assert.isFalse(RegistrySnapshot.has(snapshot, "id", 0) || RegistrySnapshot.has(snapshot, "id", 1))
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      assert.strictEqual(log.at(0), "resetting")
      assert.strictEqual(log.at(-1), "reset")
    }))

  it.effect("test_reset_with_thread_conflict: the second waits, both see no items, and hooks were called once", () =>
    Effect.gen(function*() {
      const gate = yield* makeGate
      const { hooks, log } = recorder<Item>(({ id }) => id)
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [new Item(1)] })
      yield* Registry.populate(registry)
      yield* Registry.addHooks(registry, hooks)
      yield* Registry.addHooks(registry, RegistryHooks.make<Item>()({ onResetting: gate.pass }))
      const resetting = Effect.andThen(
        Registry.reset(registry),
        Effect.sync(() => RegistrySnapshot.size(Registry.snapshotUnsafe(registry)))
      )
      const first = yield* start(resetting)
      yield* gate.entered
      const second = yield* start(resetting)
      yield* assertWaits(second)
      yield* gate.open
      assert.deepStrictEqual(yield* Fiber.joinAll([first, second]), [0, 0])
      assert.deepStrictEqual(log, ["resetting", "unregistering 1", "unregistered 1", "reset"])
    }))

  it.effect("test_contains: true for a registered item, false for another", () =>
    Effect.gen(function*() {
      const item = new Item(1)
      const registry = yield* Registry.make<Item>()({ lookup: ["id"], defaults: [item] })
      assert.isTrue(yield* Registry.contains(registry, item))
      assert.isFalse(yield* Registry.contains(registry, new Item(2)))
    }))

  it.effect("test_error_override: `messages` replaces the text of a code", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<number>()({
        lookup: [],
        messages: { unregister: ({ item }) => `The foo "${item}" is unregistered.` }
      })
      const error = yield* Effect.flip(Registry.unregister(registry, 1))
      assert.instanceOf(error, RegistryError.ItemLookupError)
      assert.strictEqual(error.message, `The foo "1" is unregistered.`)
    }))
})

describe("OrderedRegistryTests", () => {
  const make = Registry.make<number>()({ lookup: [], defaults: [1, 2, 3] })

  it.effect("test_iteration_order: in the order of registration", () =>
    Effect.gen(function*() {
      const registry = yield* make
      yield* Registry.register(registry, 4)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], [1, 2, 3, 4])
    }))

  it.effect("test_getitem: indices count from the start, and the first one populates", () =>
    Effect.gen(function*() {
      const registry = yield* make
      assert.strictEqual(yield* Registry.state(registry), "Pending")
      assert.deepStrictEqual(
        yield* Effect.forEach([0, 1, 2], (index) => Registry.at(registry, index)),
        [Option.some(1), Option.some(2), Option.some(3)]
      )
      assert.strictEqual(yield* Registry.state(registry), "Ready")
    }))

  it.effect("test_getitem_negative_indices: they count from the end", () =>
    Effect.gen(function*() {
      const registry = yield* make
      assert.deepStrictEqual(
        yield* Effect.forEach([-1, -2, -3], (index) => Registry.at(registry, index)),
        [Option.some(3), Option.some(2), Option.some(1)]
      )
    }))

  it.effect("test_getitem_invalid_index: a string is a compile error, and finds nothing", () =>
    Effect.gen(function*() {
      const registry = yield* make
      // @ts-expect-error an index is a number
      assert.deepStrictEqual(yield* Registry.at(registry, "foo"), Option.none())
    }))

  it.effect("test_getitem_out_of_range: there is no item", () =>
    Effect.gen(function*() {
      const registry = yield* make
      assert.deepStrictEqual(yield* Registry.at(registry, 1000), Option.none())
    }))
})

// ---------------------------------------------------------------------------------------------------------------------
// djblets/extensions: the items of an extension live as long as the extension
// ---------------------------------------------------------------------------------------------------------------------

describe("BaseRegistryHookTests", () => {
  it.effect("test_hook_register: building the extension's layer registers its item", () =>
    Effect.gen(function*() {
      class Things extends Registry.Service<Things, Item>()("test/Things", { lookup: ["id"] }) {}
      const item = new Item(1)
      const Extension = Things.items([item])
      const items = yield* Things.values.pipe(Effect.provide(Extension.pipe(Layer.provideMerge(Things.layer))))
      assert.deepStrictEqual([...items], [item])
    }))

  it.effect("test_hook_unregister: when the extension ends, the registry is empty", () =>
    Effect.gen(function*() {
      class Things extends Registry.Service<Things, Item>()("test/Things", { lookup: ["id"] }) {}
      const Extension = Things.items([new Item(1)])
      const sizes = yield* Effect.gen(function*() {
        const during = yield* Things.size.pipe(Effect.provide(Extension))
        return [during, yield* Things.size]
      }).pipe(Effect.provide(Things.layer))
      assert.deepStrictEqual(sizes, [1, 0])
    }))
})

describe("BaseRegistryMultiItemHookTests", () => {
  it.effect("test_initialize: both items are registered", () =>
    Effect.gen(function*() {
      const items = [new Item(1), new Item(2)]
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      yield* Registry.registerAllScoped(registry, items)
      assert.deepStrictEqual([...(yield* Registry.values(registry))], items)
    }))

  it.effect("test_initialize_handles_errors: if the second conflicts, the error surfaces and the first is not registered", () =>
    Effect.gen(function*() {
      class Things extends Registry.Service<Things, Item>()("test/Things", { lookup: ["id"] }) {}
      const extension = Things.items([new Item(1), new Item(1, "another")])
      const [error, size] = yield* Effect.gen(function*() {
        const failure = yield* Effect.flip(Effect.scoped(Layer.build(extension)))
        return [failure, yield* Things.size] as const
      }).pipe(Effect.provide(Things.layer))
      assert.instanceOf(error, RegistryError.AlreadyRegisteredError)
      assert.strictEqual(size, 0)
    }))

  it.effect("test_shutdown: every item is unregistered when the extension's scope closes", () =>
    Effect.gen(function*() {
      const registry = yield* Registry.make<Item>()({ lookup: ["id"] })
      const extension = yield* Scope.make()
      yield* Registry.registerAllScoped(registry, [new Item(1), new Item(2)]).pipe(Scope.provide(extension))
      assert.strictEqual(yield* Registry.size(registry), 2)
      yield* Scope.close(extension, Exit.void)
      assert.strictEqual(yield* Registry.size(registry), 0)
    }))
})

// ---------------------------------------------------------------------------------------------------------------------
// djblets/features: hooks that start and stop features, and an error class of its own
// ---------------------------------------------------------------------------------------------------------------------

describe("FeaturesRegistryTests", () => {
  class Feature {
    readonly featureId: string | undefined
    running = false
    constructor(featureId?: string) {
      this.featureId = featureId
    }
    readonly initialize = Effect.sync(() => {
      this.running = true
    })
    readonly shutdown = Effect.sync(() => {
      this.running = false
    })
  }

  class FeatureConflictError extends Data.TaggedError("FeatureConflictError")<{ readonly featureId: unknown }> {}

  class Features extends Registry.Service<Features, Feature>()("test/Features", {
    lookup: { featureId: Lookup.unique((feature) => feature.featureId) },
    hooks: RegistryHooks.make<Feature>()({
      onItemRegistered: (feature) => feature.initialize,
      onItemUnregistered: (feature) => feature.shutdown
    })
  }) {
    static readonly add = (feature: Feature) =>
      Effect.mapError(
        Features.register(feature),
        (error) =>
          error._tag === "AlreadyRegisteredError" ? new FeatureConflictError({ featureId: error.value }) : error
      )
  }

  it.effect("test_register_with_missing_id: a RegistrationError", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Features.add(new Feature()))
      assert.instanceOf(error, RegistryError.RegistrationError)
      assert.strictEqual(error.code, "missing_attribute")
    }).pipe(Effect.provide(Features.layer)))

  it.effect("test_register_with_conflict: a FeatureConflictError, and the second was not initialized", () =>
    Effect.gen(function*() {
      const second = new Feature("test-feature")
      yield* Features.add(new Feature("test-feature"))
      const error = yield* Effect.flip(Features.add(second))
      assert.instanceOf(error, FeatureConflictError)
      assert.strictEqual(error.featureId, "test-feature")
      assert.isFalse(second.running)
    }).pipe(Effect.provide(Features.layer)))

  it.effect("test_register_calls_initialize: registering initializes the feature", () =>
    Effect.gen(function*() {
      const feature = new Feature("test-feature")
      yield* Features.add(feature)
      assert.isTrue(feature.running)
    }).pipe(Effect.provide(Features.layer)))

  it.effect("test_unregister_calls_shutdown: unregistering shuts the feature down", () =>
    Effect.gen(function*() {
      const feature = new Feature("test-feature")
      yield* Features.add(feature)
      yield* Features.unregister(feature)
      assert.isFalse(feature.running)
    }).pipe(Effect.provide(Features.layer)))

  it.effect("test_get_feature: a feature is found by its id", () =>
    Effect.gen(function*() {
      const feature = new Feature("test-feature")
      yield* Features.add(feature)
      assert.strictEqual(Option.getOrThrow(yield* Features.getOption("featureId", "test-feature")), feature)
    }).pipe(Effect.provide(Features.layer)))

  it.effect("test_get_feature_with_invalid_id: there is none", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Features.getOption("featureId", "invalid"), Option.none())
    }).pipe(Effect.provide(Features.layer)))
})

// ---------------------------------------------------------------------------------------------------------------------
// djblets/configforms: a registry whose hooks keep a second one
// ---------------------------------------------------------------------------------------------------------------------

describe("ConfigPagesRegistryTests", () => {
  interface Form {
    readonly formId: string
  }

  class Page {
    readonly pageId: string
    readonly defaultForms: ReadonlyArray<Form>
    /** The forms of a registered page. */
    forms: ReadonlyArray<Form> = []
    constructor(pageId: string, defaultForms: ReadonlyArray<Form>) {
      this.pageId = pageId
      this.defaultForms = defaultForms
    }
  }

  const form1: Form = { formId: "form-1" }
  const form2: Form = { formId: "form-2" }
  const form3: Form = { formId: "form-3" }

  /**
   * The forms of all pages are in a registry of their own, where a form belongs to one page: hooks put them in with
   * their page and take them out with it. Whoever changes pages holds the registry of forms, so that the forms that were
   * found to be free are still free when the page comes to take them, and all that a page takes comes in at once.
   */
  const makeConfig = Effect.fnUntraced(function*(defaults: ReadonlyArray<Page>) {
    const forms = yield* Registry.make<Form>()({ name: "forms", lookup: ["formId"] })
    const pages = yield* Registry.make<Page>()({
      name: "pages",
      lookup: ["pageId"],
      defaults,
      hooks: RegistryHooks.make<Page>()({
        onItemRegistering: (page) =>
          Effect.forEach(
            page.defaultForms,
            ({ formId }) =>
              Effect.flatMap(Registry.has(forms, "formId", formId), (taken) =>
                taken ? RegistryError.reject(page, `the form "${formId}" belongs to another page.`) : Effect.void)
          ),
        onItemRegistered: (page) =>
          Effect.andThen(
            Effect.orDie(Registry.registerAll(forms, page.defaultForms)),
            updateForms(page, () => page.defaultForms)
          ),
        onItemUnregistered: (page) =>
          Effect.forEach(page.forms, (form) => Registry.unregister(forms, form)).pipe(
            Effect.orDie,
            Effect.andThen(updateForms(page, () => []))
          )
      })
    })
    /** Populates the pages first, and then runs the effect in a transaction of the forms. */
    const holdingForms = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.andThen(Registry.populate(pages), Registry.transact(forms, effect))

    return {
      forms,
      pages,
      registerPage: (page: Page) => holdingForms(Registry.register(pages, page)),
      unregisterPage: (page: Page) => holdingForms(Registry.unregister(pages, page)),
      addForm: (page: Page, form: Form) =>
        holdingForms(Effect.andThen(Registry.register(forms, form), updateForms(page, (all) => [...all, form]))),
      removeForm: (page: Page, form: Form) =>
        holdingForms(
          Effect.andThen(
            Registry.unregister(forms, form),
            updateForms(page, (all) => all.filter((other) => other !== form))
          )
        ),
      reset: Registry.transact(forms, Registry.reset(pages)),
      formIds: Effect.map(Registry.values(forms), (all) => all.map(({ formId }) => formId)),
      pageIds: Effect.map(Registry.values(pages), (all) => all.map(({ pageId }) => pageId))
    }
  })

  const updateForms = (page: Page, f: (forms: ReadonlyArray<Form>) => ReadonlyArray<Form>) =>
    Effect.sync(() => {
      page.forms = f(page.forms)
    })

  it.effect("test_reset: resetting the pages also empties the forms", () =>
    Effect.gen(function*() {
      const config = yield* makeConfig([])
      const page = new Page("page-1", [form1, form2])
      yield* config.registerPage(page)
      assert.deepStrictEqual(yield* config.formIds, ["form-1", "form-2"])
      yield* config.reset
      assert.deepStrictEqual(yield* config.formIds, [])
      assert.deepStrictEqual(yield* config.pageIds, [])
      assert.deepStrictEqual(page.forms, [])
    }))

  it.effect("test_partial_register_page: a page whose second form is taken is not registered, nor is its first form", () =>
    Effect.gen(function*() {
      const config = yield* makeConfig([])
      const page = new Page("page-2", [form2, form1])
      yield* config.registerPage(new Page("page-1", [form1]))
      const error = yield* Effect.flip(config.registerPage(page))
      assert.instanceOf(error, RegistryError.RegistrationError)
      assert.deepStrictEqual(yield* config.pageIds, ["page-1"])
      assert.deepStrictEqual(yield* config.formIds, ["form-1"])
      assert.deepStrictEqual(page.forms, [])
    }))

  it.effect("test_partial_register_page: the same if the conflict shows only when the forms are registered", () =>
    Effect.gen(function*() {
      const config = yield* makeConfig([])
      const exit = yield* Effect.exit(config.registerPage(new Page("page-1", [form1, form2, form1])))
      assert.isTrue(Exit.hasDies(exit))
      assert.deepStrictEqual(yield* config.pageIds, [])
      assert.deepStrictEqual(yield* config.formIds, [])
    }))

  it.effect("test_register_page_with_duplicate: a page with the form of another is a RegistrationError", () =>
    Effect.gen(function*() {
      const config = yield* makeConfig([])
      yield* config.registerPage(new Page("page-1", [form1]))
      const error = yield* Effect.flip(config.registerPage(new Page("page-2", [form1])))
      assert.instanceOf(error, RegistryError.RegistrationError)
      assert.deepInclude(error, { registry: "pages", code: "rejected" })
      assert.include(error.message, "form-1")
    }))

  it.effect("test_add_form_to_page: the form is in the page's list and in the registry of forms", () =>
    Effect.gen(function*() {
      const config = yield* makeConfig([])
      const page = new Page("page-1", [form1])
      yield* config.registerPage(page)
      yield* config.addForm(page, form2)
      assert.deepStrictEqual(page.forms, [form1, form2])
      assert.strictEqual(yield* Registry.get(config.forms, "formId", "form-2"), form2)
    }))

  it.effect("test_remove_form_from_page: the form is in neither", () =>
    Effect.gen(function*() {
      const config = yield* makeConfig([])
      const page = new Page("page-1", [form1])
      yield* config.registerPage(page)
      yield* config.removeForm(page, form1)
      assert.deepStrictEqual(page.forms, [])
      assert.deepStrictEqual(yield* config.formIds, [])
    }))

  it.effect("test_add_duplicate_form_to_page: a registered form is refused, and the page's list is as it was", () =>
    Effect.gen(function*() {
      const config = yield* makeConfig([])
      const page = new Page("page-1", [form1])
      yield* config.registerPage(page)
      const error = yield* Effect.flip(config.addForm(page, form1))
      assert.instanceOf(error, RegistryError.AlreadyRegisteredError)
      assert.deepStrictEqual(page.forms, [form1])
    }))

  it.effect("test_default_form_classes: a page that is registered again has its default forms", () =>
    Effect.gen(function*() {
      const config = yield* makeConfig([])
      const page = new Page("page-1", [form1, form2])
      yield* config.registerPage(page)
      yield* config.addForm(page, form3)
      assert.deepStrictEqual(page.forms, [form1, form2, form3])
      yield* config.unregisterPage(page)
      assert.deepStrictEqual(page.forms, [])
      assert.deepStrictEqual(yield* config.formIds, [])
      yield* config.registerPage(page)
      assert.deepStrictEqual(page.forms, [form1, form2])
      assert.deepStrictEqual(yield* config.formIds, ["form-1", "form-2"])
    }))

  it.effect("test_empty_default_form_classes_for_page: without default forms, an added form does not come back", () =>
    Effect.gen(function*() {
      const config = yield* makeConfig([])
      const page = new Page("page-1", [])
      yield* config.registerPage(page)
      yield* config.addForm(page, form1)
      assert.deepStrictEqual(page.forms, [form1])
      yield* config.unregisterPage(page)
      assert.deepStrictEqual(page.forms, [])
      yield* config.registerPage(page)
      assert.deepStrictEqual(page.forms, [])
      assert.deepStrictEqual(yield* config.formIds, [])
    }))

  it.effect("test_add_form_to_page_populate: both registries are populated first", () =>
    Effect.gen(function*() {
      const page = new Page("page-1", [form1])
      const config = yield* makeConfig([page])
      assert.strictEqual(yield* Registry.state(config.pages), "Pending")
      assert.strictEqual(yield* Registry.state(config.forms), "Pending")
      yield* config.addForm(page, form2)
      assert.strictEqual(yield* Registry.state(config.pages), "Ready")
      assert.strictEqual(yield* Registry.state(config.forms), "Ready")
      assert.deepStrictEqual(page.forms, [form1, form2])
      assert.deepStrictEqual(yield* config.formIds, ["form-1", "form-2"])
    }))

  it.effect("test_add_form_to_page_populate_duplicate: a form that a default page owns is already registered", () =>
    Effect.gen(function*() {
      const page = new Page("page-1", [form1])
      const config = yield* makeConfig([page])
      const error = yield* Effect.flip(config.addForm(page, form1))
      assert.instanceOf(error, RegistryError.AlreadyRegisteredError)
      assert.strictEqual(yield* Registry.state(config.pages), "Ready")
      assert.deepStrictEqual(page.forms, [form1])
      assert.deepStrictEqual(yield* config.formIds, ["form-1"])
    }))

  it.effect("test_remove_form_from_page_populate: both registries are populated first, then the form is removed", () =>
    Effect.gen(function*() {
      const page = new Page("page-1", [form1, form2])
      const config = yield* makeConfig([page])
      yield* config.removeForm(page, form1)
      assert.strictEqual(yield* Registry.state(config.pages), "Ready")
      assert.deepStrictEqual(page.forms, [form2])
      assert.deepStrictEqual(yield* config.formIds, ["form-2"])
    }))

  it.effect("test_remove_form_from_page_populate_unregistered: an unregistered form is an ItemLookupError", () =>
    Effect.gen(function*() {
      const page = new Page("page-1", [form1])
      const config = yield* makeConfig([page])
      const error = yield* Effect.flip(config.removeForm(page, form2))
      assert.instanceOf(error, RegistryError.ItemLookupError)
      assert.strictEqual(yield* Registry.state(config.pages), "Ready")
      assert.deepStrictEqual(page.forms, [form1])
      assert.deepStrictEqual(yield* config.formIds, ["form-1"])
    }))
})

// ---------------------------------------------------------------------------------------------------------------------
// djblets/privacy
// ---------------------------------------------------------------------------------------------------------------------

describe("ConsentRequirementsRegistryTests", () => {
  class ConsentRequirement {
    readonly requirementId: string
    constructor(requirementId: string) {
      this.requirementId = requirementId
    }
  }

  class ConsentRequirementConflictError
    extends Data.TaggedError("ConsentRequirementConflictError")<{ readonly requirement: unknown }>
  {}

  class ConsentRequirements
    extends Registry.Service<ConsentRequirements, ConsentRequirement>()("test/ConsentRequirements", {
      lookup: ["requirementId"]
    })
  {
    static readonly add = (requirement: ConsentRequirement) =>
      ConsentRequirements.register(requirement).pipe(
        Effect.catchTag(
          "AlreadyRegisteredError",
          () => Effect.fail(new ConsentRequirementConflictError({ requirement }))
        )
      )
  }

  const requirement = new ConsentRequirement("my-requirement")

  it.effect("test_register: a registered requirement is the only one", () =>
    Effect.gen(function*() {
      yield* ConsentRequirements.add(requirement)
      assert.deepStrictEqual([...(yield* ConsentRequirements.values)], [requirement])
    }).pipe(Effect.provide(ConsentRequirements.layer)))

  it.effect("test_register_with_conflict: the same one again is a ConsentRequirementConflictError", () =>
    Effect.gen(function*() {
      yield* ConsentRequirements.add(requirement)
      const error = yield* Effect.flip(ConsentRequirements.add(requirement))
      assert.instanceOf(error, ConsentRequirementConflictError)
      assert.strictEqual(error.requirement, requirement)
    }).pipe(Effect.provide(ConsentRequirements.layer)))

  it.effect("test_get_consent_requirement: a requirement is found by its id", () =>
    Effect.gen(function*() {
      yield* ConsentRequirements.add(requirement)
      const found = yield* ConsentRequirements.getOption("requirementId", "my-requirement")
      assert.strictEqual(Option.getOrThrow(found), requirement)
    }).pipe(Effect.provide(ConsentRequirements.layer)))

  it.effect("test_get_consent_requirement_with_invalid_id: there is none", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ConsentRequirements.getOption("requirementId", "invalid"), Option.none())
    }).pipe(Effect.provide(ConsentRequirements.layer)))
})

// ---------------------------------------------------------------------------------------------------------------------
// djblets/secrets: settings that choose among registered items
// ---------------------------------------------------------------------------------------------------------------------

describe("TokenGeneratorRegistryTests", () => {
  class TokenGenerator {
    readonly tokenGeneratorId: string
    constructor(tokenGeneratorId: string) {
      this.tokenGeneratorId = tokenGeneratorId
    }
  }

  const vendorChecksum = new TokenGenerator("vendor-checksum")
  const legacySha1 = new TokenGenerator("legacy-sha1")

  interface SettingsShape {
    readonly defaultTokenGenerator: string
    readonly deprecatedTokenGenerators: ReadonlyArray<string>
  }
  const initial: SettingsShape = {
    defaultTokenGenerator: vendorChecksum.tokenGeneratorId,
    deprecatedTokenGenerators: [legacySha1.tokenGeneratorId]
  }
  const Settings = Context.Reference<SettingsShape>("test/Settings", { defaultValue: () => initial })

  class TokenGenerators extends Registry.Service<TokenGenerators, TokenGenerator>()("test/TokenGenerators", {
    lookup: ["tokenGeneratorId"],
    defaults: [vendorChecksum, legacySha1],
    populationFailure: "die"
  }) {
    static readonly getDefault = Effect.gen(function*() {
      const { defaultTokenGenerator } = yield* Settings
      const chosen = yield* TokenGenerators.getOption("tokenGeneratorId", defaultTokenGenerator)
      if (Option.isSome(chosen)) return chosen.value
      yield* Effect.logError(`There is no token generator "${defaultTokenGenerator}".`)
      return yield* TokenGenerators.get("tokenGeneratorId", initial.defaultTokenGenerator)
    })

    static readonly getDeprecated = Effect.gen(function*() {
      const { deprecatedTokenGenerators } = yield* Settings
      const deprecated = yield* Effect.forEach(
        deprecatedTokenGenerators,
        (id) => TokenGenerators.getAll("tokenGeneratorId", id)
      )
      return deprecated.flat()
    })
  }

  const logged: Array<unknown> = []
  const LogToList = Logger.layer([Logger.make(({ logLevel, message }) => logged.push([logLevel, message]))])

  it.effect("test_get_default: without a setting it is the vendor checksum", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* TokenGenerators.getDefault, vendorChecksum)
    }).pipe(Effect.provide(TokenGenerators.layer)))

  it.effect("test_get_default_when_set: the setting chooses another one", () =>
    Effect.gen(function*() {
      const mine = new TokenGenerator("mine")
      yield* TokenGenerators.register(mine)
      const found = yield* TokenGenerators.getDefault.pipe(
        Effect.provideService(Settings, { ...initial, defaultTokenGenerator: "mine" })
      )
      assert.strictEqual(found, mine)
    }).pipe(Effect.provide(TokenGenerators.layer)))

  it.effect("test_get_default_when_set_not_registered: an error is logged, and it is the vendor checksum", () =>
    Effect.gen(function*() {
      const found = yield* TokenGenerators.getDefault.pipe(
        Effect.provideService(Settings, { ...initial, defaultTokenGenerator: "bad" })
      )
      assert.strictEqual(found, vendorChecksum)
      assert.deepStrictEqual(logged, [["Error", [`There is no token generator "bad".`]]])
    }).pipe(Effect.provide([TokenGenerators.layer, LogToList])))

  it.effect("test_get_deprecated_token_generators: by default it is the legacy one", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* TokenGenerators.getDeprecated, [legacySha1])
    }).pipe(Effect.provide(TokenGenerators.layer)))

  it.effect("test_get_deprecated_token_generators_when_set: the setting replaces them", () =>
    Effect.gen(function*() {
      const found = yield* TokenGenerators.getDeprecated.pipe(
        Effect.provideService(Settings, { ...initial, deprecatedTokenGenerators: [vendorChecksum.tokenGeneratorId] })
      )
      assert.deepStrictEqual(found, [vendorChecksum])
    }).pipe(Effect.provide(TokenGenerators.layer)))
})

// ---------------------------------------------------------------------------------------------------------------------
// djblets/avatars: hooks that use their own registry during population
// ---------------------------------------------------------------------------------------------------------------------

describe("AvatarServiceRegistryTests", () => {
  it.effect("test_get_enabled_services_populated: reading them populates, and the hook reads the registry meanwhile", () =>
    Effect.gen(function*() {
      interface AvatarService {
        readonly avatarServiceId: string
      }
      const gravatar: AvatarService = { avatarServiceId: "gravatar" }
      const upload: AvatarService = { avatarServiceId: "file-upload" }
      const stored = ["gravatar", "gone"]
      const enabled = new Set<AvatarService>()

      class AvatarServices extends Registry.Service<AvatarServices, AvatarService>()("test/AvatarServices", {
        lookup: ["avatarServiceId"],
        defaults: [gravatar, upload],
        populationFailure: "die"
      }) {
        static readonly enabledServices = Effect.map(
          AvatarServices.values,
          (all) => all.filter((one) => enabled.has(one))
        )
      }
      const EnableStored = RegistryHooks.layer(
        AvatarServices,
        Effect.map(AvatarServices, (services) => ({
          onPopulated: Effect.forEach(
            stored,
            (id) =>
              Effect.map(
                Registry.getAll(services, "avatarServiceId", id),
                (found) => found.forEach((one) => enabled.add(one))
              )
          )
        }))
      )

      yield* Effect.gen(function*() {
        assert.strictEqual(yield* AvatarServices.state, "Pending")
        assert.deepStrictEqual(yield* AvatarServices.enabledServices, [gravatar])
        assert.strictEqual(yield* AvatarServices.state, "Ready")
      }).pipe(Effect.provide(EnableStored.pipe(Layer.provideMerge(AvatarServices.layer))))
    }))
})
