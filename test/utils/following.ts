/**
 * A subscriber that applies the changes of a registry to a list, and to a map for every unique lookup.
 */
import type { RegistryEvent } from "effect-registry"

export class Follower<Item> {
  readonly list: Array<Item>
  readonly maps = new Map<string, Map<unknown, Item>>()
  revision: number
  private readonly keysOf: (item: Item) => Readonly<Record<string, ReadonlyArray<unknown>>>

  constructor(
    items: Iterable<Item>,
    revision: number,
    keysOf: (item: Item) => Readonly<Record<string, ReadonlyArray<unknown>>>
  ) {
    this.list = []
    this.revision = revision
    this.keysOf = keysOf
    for (const item of items) this.add(item, this.list.length)
  }

  apply({ events, revision }: RegistryEvent.RegistryChange<Item>): void {
    if (revision !== this.revision + 1) throw new Error(`revision ${revision} after ${this.revision}`)
    this.revision = revision
    for (const event of events) {
      switch (event._tag) {
        case "Registered":
          this.add(event.item, event.position)
          break
        case "Unregistered":
          this.remove(event.item, event.position)
          break
        case "Replaced":
          this.remove(event.previous, event.position)
          this.add(event.item, event.position)
          break
        case "Moved":
          this.remove(event.item, event.from)
          this.add(event.item, event.position)
          break
        case "Populated":
          if (event.size !== this.list.length) throw new Error(`populated ${event.size}, not ${this.list.length}`)
          break
        case "Reset":
          if (this.list.length > 0) throw new Error("reset, and not empty")
      }
    }
  }

  /** The items for which the maps and the list disagree. */
  get lost(): ReadonlyArray<Item> {
    const found = Array.from(this.maps.values(), (map) => new Set(map.values()))
    const listed = new Set(this.list)
    return [
      ...this.list.filter((item) =>
        Object.entries(this.keysOf(item)).some(([name, keys]) => keys.some((key) => this.mapOf(name).get(key) !== item))
      ),
      ...found.flatMap((items) => Array.from(items)).filter((item) => !listed.has(item))
    ]
  }

  private add(item: Item, position: number): void {
    if (position > this.list.length) throw new Error(`position ${position} among ${this.list.length}`)
    this.list.splice(position, 0, item)
    for (const [name, keys] of Object.entries(this.keysOf(item))) {
      for (const key of keys) {
        if (this.mapOf(name).has(key)) throw new Error(`${name} ${String(key)} comes, and is there`)
        this.mapOf(name).set(key, item)
      }
    }
  }

  private remove(item: Item, position: number): void {
    if (!Object.is(this.list[position], item)) throw new Error("what goes is not there")
    this.list.splice(position, 1)
    for (const [name, keys] of Object.entries(this.keysOf(item))) {
      for (const key of keys) this.mapOf(name).delete(key)
    }
  }

  private mapOf(name: string): Map<unknown, Item> {
    const map = this.maps.get(name) ?? new Map<unknown, Item>()
    this.maps.set(name, map)
    return map
  }
}
