import { Cause, Data, Effect, Exit, Formatter } from "effect"
import { Registry, RegistryHooks } from "effect-registry"

export interface Item {
  readonly id: number
  readonly name: string
}

/** Items with the same fields are the same. */
export const Item: new(id: number, name?: string) => Item = class extends Data.Class<Item> {
  constructor(id: number, name = `item ${id}`) {
    super({ id, name })
  }
}

export const a = new Item(1)
export const b = new Item(2)
export const c = new Item(3)
export const d = new Item(4)

/** Hooks that log their calls: `registered 1`. */
export const recording = (log: Array<string>) =>
  RegistryHooks.make<Item>()({
    onItemRegistering: ({ id }) => Effect.sync(() => log.push(`registering ${id}`)),
    onItemRegistered: ({ id }) => Effect.sync(() => log.push(`registered ${id}`)),
    onItemUnregistering: ({ id }) => Effect.sync(() => log.push(`unregistering ${id}`)),
    onItemUnregistered: ({ id }) => Effect.sync(() => log.push(`unregistered ${id}`)),
    onPopulating: Effect.sync(() => log.push("populating")),
    onPopulated: Effect.sync(() => log.push("populated")),
    onResetting: Effect.sync(() => log.push("resetting")),
    onReset: Effect.sync(() => log.push("reset"))
  })

/** Hooks that count the registrations of each item, minus its removals. */
export class Balance<T = Item> {
  readonly counts = new Map<T, number>()
  readonly hooks = RegistryHooks.make<T>()({
    onItemRegistered: (item) => Effect.andThen(Effect.yieldNow, Effect.sync(() => this.add(item, 1))),
    onItemUnregistered: (item) => Effect.andThen(Effect.yieldNow, Effect.sync(() => this.add(item, -1)))
  })
  add(item: T, by: number): void {
    this.counts.set(item, (this.counts.get(item) ?? 0) + by)
  }
  /** The items whose count differs from whether they are registered. */
  wrong(items: Iterable<T>): ReadonlyArray<string> {
    const held = new Set(items)
    return Array.from(new Set([...this.counts.keys(), ...held]))
      .filter((item) => (this.counts.get(item) ?? 0) !== (held.has(item) ? 1 : 0))
      .map((item) => `${Formatter.format(item)}: ${this.counts.get(item) ?? 0}, ${held.has(item) ? "in" : "out"}`)
  }
}

export const defectOf = <A, E>(exit: Exit.Exit<A, E>): unknown =>
  Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined

export const messageOf = <A, E>(exit: Exit.Exit<A, E>): string => {
  const defect = defectOf(exit)
  return defect instanceof Error ? defect.message : String(defect)
}

/** Whether each way to find an item finds it. */
export const found = <P>(registry: Registry.Registry<Item, readonly ["id", "name"], P, any>, item: Item) =>
  Effect.gen(function*() {
    const snapshot = yield* Registry.snapshot(registry)
    return [
      yield* Registry.has(registry, "id", item.id),
      yield* Registry.has(registry, "name", item.name),
      yield* Registry.contains(registry, item),
      [...snapshot].includes(item)
    ]
  })
